"""Objects inside of objects: apiVersion, kind and metadata of ``x-kubernetes-embedded-resource``.

AE/apiserver/schema/objectmeta: coerce.go makes of metadata what the Go type holds, validation.go judges it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dynkube.testing.apiserver.customresources.badvalues import bad_value
from dynkube.testing.apiserver.customresources.metadata import normalize_metadata
from dynkube.testing.apiserver.customresources.structural import Structural
from dynkube.testing.apiserver.decoding import DecodingError
from dynkube.testing.apiserver.words import names, objectmeta
from dynkube.testing.apiserver.words.fielderrors import FieldError, child, index, invalid, key, required

__all__ = ["coerce", "validate_embedded"]


def coerce(obj: Any, schema: Structural, path: str = "") -> list[str]:
    """Make metadata of embedded resources what ObjectMeta holds, in place.

    Returns:
        ``unknown field "spec.template.metadata.x"`` for each that goes, sorted.

    Raises:
        ValueError: A field is of a wrong type; the argument is the `FieldError`.
    """
    return sorted(_coerce(obj, schema, path)) if schema.has_embedded else []


def _coerce(value: Any, schema: Structural | None, path: str) -> Iterator[str]:
    if schema is None or not schema.has_embedded:
        return
    if isinstance(value, dict):
        if schema.is_embedded:
            yield from _coerce_meta(value, path)
        for name, each in value.items():
            if name in schema.properties:
                yield from _coerce(each, schema.properties[name], child(path, name))
            else:
                yield from _coerce(each, schema.additional, key(path, name))
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from _coerce(each, schema.items, index(path, number))


def _coerce_meta(value: dict[str, Any], path: str) -> Iterator[str]:
    for name in ("apiVersion", "kind"):
        if name in value and not isinstance(value[name], str):
            raise ValueError(invalid(child(path, name), bad_value(value[name]), "must be a string"))
    if "metadata" not in value:
        return
    where = child(path, "metadata")
    shown = bad_value(value["metadata"])
    try:
        yield from normalize_metadata(value, path)
    except DecodingError as error:
        raise ValueError(invalid(where, shown, error.problem)) from None


def validate_embedded(obj: Any, schema: Structural, path: str = "") -> list[FieldError]:
    """What is wrong with apiVersion, kind and metadata of embedded resources."""
    return list(_errors(obj, schema, path)) if schema.has_embedded else []


def _errors(value: Any, schema: Structural | None, path: str) -> Iterator[FieldError]:
    if schema is None or not schema.has_embedded:
        return
    if isinstance(value, dict):
        if schema.is_embedded:
            yield from _meta_errors(value, path)
        for name, each in value.items():
            if name in schema.properties:
                yield from _errors(each, schema.properties[name], child(path, name))
            else:
                yield from _errors(each, schema.additional, key(path, name))
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from _errors(each, schema.items, index(path, number))


def _meta_errors(value: dict[str, Any], path: str) -> Iterator[FieldError]:
    yield from (required(child(path, name)) for name in ("apiVersion", "kind") if name not in value)
    if "apiVersion" in value:
        yield from _api_version_errors(value["apiVersion"], child(path, "apiVersion"))
    if "kind" in value:
        yield from _kind_errors(value["kind"], child(path, "kind"))
    if "metadata" in value:
        metadata = {"name": "fakename"} | (value["metadata"] or {})
        yield from objectmeta.validate_object_meta(
            metadata,
            namespaced=bool(metadata.get("namespace")),
            name_rule=names.path_segment_name,
            field=child(path, "metadata"),
        )


def _api_version_errors(api_version: str, path: str) -> Iterator[FieldError]:
    if not api_version:
        yield invalid(path, api_version, "must not be empty")
    elif api_version.count("/") > 1:
        yield invalid(path, api_version, f"unexpected GroupVersion string: {api_version}")


def _kind_errors(kind: str, path: str) -> Iterator[FieldError]:
    problems = names.dns1035_label(kind.lower())
    if not kind:
        yield invalid(path, kind, "must not be empty")
    elif problems:
        words = "may have mixed case, but should otherwise match: "
        yield invalid(path, kind, words + ",".join(problems))
