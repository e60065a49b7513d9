"""Bodies of requests: `decoding` knows how they are read, this what is wanted of them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from dynkube.schema import GroupVersion
from dynkube.testing.apiserver.decoding import Target, decode_body, decode_delete_options, decode_object
from dynkube.testing.apiserver.decoding.mediatypes import body_media_type
from dynkube.testing.apiserver.registry import WriteOptions
from dynkube.testing.apiserver.registry.managers import keep_reset
from dynkube.testing.apiserver.words import statuses
from dynkube.testing.apiserver.words.messages import MAX_BODY_BYTES, Request
from dynkube.testing.apiserver.words.resources import Object, Resource

__all__ = ["body_of", "check_media_type", "read_delete_options", "read_object"]


def body_of(request: Request) -> bytes:
    """The body of a request, where the server would read it.

    Raises:
        StatusError: 413.
    """
    if request.is_too_large:
        raise statuses.request_entity_too_large(f"Request entity too large: limit is {MAX_BODY_BYTES}")
    return request.body


def check_media_type(request: Request) -> None:
    """Refuse what is written in no format that the server reads.

    Raises:
        StatusError: 415.
    """
    body_media_type(request.headers.get("content-type"))


def read_object(
    request: Request,
    resource: Resource,
    options: WriteOptions,
    warnings: list[str],
    also: Collection[GroupVersion] = (),
) -> Object:
    """The object of a create or an update, in the version of ``resource``: normalized and defaulted.

    Args:
        request: Its body is read.
        resource: Of what is wanted.
        options: How strict to be.
        warnings: Filled with what is not quite right.
        also: More versions that are taken.

    Raises:
        StatusError: 400, it is none, or one of another kind; 415.
    """
    strategy, version = resource.strategy, resource.group_version
    target = Target(resource.gvk, strategy.normalize if resource.is_custom else None, also)
    content_type = request.headers.get("content-type")
    obj, found = decode_object(request.body, content_type, target, options.field_validation)
    warnings.extend(found)
    if not isinstance(obj.get("metadata"), dict):
        obj["metadata"] = {}
    strategy.default(obj, version)
    if b"managedFields" in request.body and not resource.is_custom:
        keep_reset(decode_body(request.body, content_type, expected=resource.gvk, typed=True).value, obj)
    return obj


def read_delete_options(request: Request) -> dict[str, Any]:
    """The DeleteOptions that a DELETE has for a body.

    Raises:
        StatusError: 400, or 415.
    """
    return decode_delete_options(request.body, request.headers.get("content-type"))
