"""What a request is about, read off its method, path and query (AS/endpoints/request/requestinfo.go).

Authorization, faults and the audit ask this; routing does not depend on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import unquote

from dynkube.errors import InvalidRequestError
from dynkube.fields import FieldSelector
from dynkube.testing.apiserver.words.messages import Request, RequestInfo

__all__ = ["request_info"]

_VERBS = {"POST": "create", "GET": "get", "HEAD": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_NAMESPACE_SUBRESOURCES = frozenset({"status", "finalize"})
_VERBS_IN_PATHS = frozenset({"proxy", "watch"})
_SELECTING = frozenset({"list", "watch", "deletecollection"})


def request_info(request: Request) -> RequestInfo:
    """What a request is about; one that is about no resource has only a verb and a path.

    >>> info = request_info(Request(method="GET", path="/apis/apps/v1/namespaces/shop/deployments/api/scale"))
    >>> info.verb, info.group, info.version, info.namespace, info.resource, info.name, info.subresource
    ('get', 'apps', 'v1', 'shop', 'deployments', 'api', 'scale')
    >>> request_info(Request(method="GET", path="/version")) == RequestInfo(verb="get", path="/version")
    True
    """
    path = unquote(request.path)
    parts = path.strip("/").split("/")
    minimum = {"api": 3, "apis": 4}.get(parts[0])
    if minimum is None or len(parts) < minimum:
        return RequestInfo(verb=request.method.lower(), path=path)
    prefix, *rest = parts
    group = rest.pop(0) if prefix == "apis" else ""
    version = rest.pop(0)
    in_path = rest[0] if rest[0] in _VERBS_IN_PATHS else ""
    if in_path and len(rest) == 1:
        return RequestInfo(verb=request.method.lower(), path=path, is_resource=True)
    verb = in_path or _VERBS.get(request.method, "")
    namespace, about = _split(rest[1:] if in_path else rest)
    name = about[1] if len(about) > 1 else ""
    if not name:
        verb, name = _collection_verb(verb, request)
    selects = not in_path and verb in _SELECTING
    return RequestInfo(
        verb=verb,
        path=path,
        is_resource=True,
        prefix=prefix,
        group=group,
        version=version,
        namespace=namespace,
        resource=about[0],
        subresource=about[2] if len(about) > 2 and verb != "proxy" else "",
        name=name,
        parts=tuple(about),
        label_selector=(selects and request.parameter("labelSelector")) or "",
        field_selector=(selects and request.parameter("fieldSelector")) or "",
    )


def _split(parts: Sequence[str]) -> tuple[str, Sequence[str]]:
    """The namespace, and what is relative to it; a namespace is in itself."""
    if parts[0] != "namespaces" or len(parts) == 1:
        return "", parts
    inside = len(parts) > 2 and parts[2] not in _NAMESPACE_SUBRESOURCES
    return parts[1], parts[2:] if inside else parts


def _collection_verb(verb: str, request: Request) -> tuple[str, str]:
    """Of a path without a name: what get and delete are then, and the name that a field selector fixes."""
    if verb == "delete":
        return "deletecollection", ""
    if verb != "get":
        return verb, ""
    watch = request.parameter("watch")
    # Any value but these is true, an empty one too (AM/runtime/conversion.go, Convert_Slice_string_To_bool).
    watches = watch is not None and watch.lower() not in {"false", "0"}
    return "watch" if watches else "list", _selected_name(request.parameter("fieldSelector"))


def _selected_name(selector: str | None) -> str:
    if not selector:
        return ""
    try:
        requirements = FieldSelector.parse(selector).requirements
    except InvalidRequestError:
        return ""
    names = [each.value for each in requirements if each.field == "metadata.name" and not each.negated]
    return names[0] if names and names[0] not in {"", ".", ".."} and not set(names[0]) & {"/", "%"} else ""
