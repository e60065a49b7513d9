"""Bodies of requests: decoded, looked at, normalized and defaulted (AS/endpoints/handlers/{create,update,rest}.go)."""

from __future__ import annotations

from typing import Any

from dynkube import codec
from dynkube.testing.apiserver import statuses
from dynkube.testing.apiserver.messages import Request
from dynkube.testing.apiserver.registry import Scope, WriteOptions
from dynkube.testing.apiserver.resources import Object

__all__ = ["read_object"]


def read_object(request: Request, scope: Scope, options: WriteOptions) -> Object:
    """The object of a create or an update, in the version of the request.

    Raises:
        StatusError: 400, it is none, or one of another kind; 415.
    """
    value: Any = codec.decode(request.body)
    if not isinstance(value, dict):
        raise statuses.bad_request("no object")
    value["apiVersion"], value["kind"] = scope.resource.group_version.api_version, scope.resource.kind
    value.setdefault("metadata", {})
    scope.resource.strategy.normalize(value, scope.resource.group_version)
    scope.resource.strategy.default(value, scope.resource.group_version)
    return value
