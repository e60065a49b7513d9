"""Which resource, which object, which verb a path and a method mean; or how the server says that there is none.

Built-in resources are routed as AS/endpoints/installer.go and go-restful do, custom ones as
XS/apiserver/customresource_handler.go does: they refuse in different words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from dynkube.schema import GroupResource
from dynkube.testing.apiserver.registry import Catalog
from dynkube.testing.apiserver.words.messages import Request
from dynkube.testing.apiserver.words.resources import Resource
from dynkube.testing.apiserver.words.statuses import StatusError, method_not_supported, not_found, status

__all__ = ["NoPageError", "Route", "find_route", "method_not_allowed", "resource_missing", "split_path"]

_ITEM_METHODS = {"GET": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_COLLECTION_METHODS = {"GET": "list", "POST": "create", "DELETE": "deletecollection"}
_NAMESPACE_SUBRESOURCES = frozenset({"status", "finalize"})
_CONNECTIONS = frozenset({"attach", "exec", "portforward", "proxy"})
_PATHS_BELOW = frozenset({"proxy"})


class NoPageError(Exception):
    """Nothing is there, and no API either: ``404 page not found``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """What a request to a resource is.

    Attributes:
        resource: In the version of the path.
        verb: ``get``, ``list``, ``watch``, ``create``, ``update``, ``patch``, ``delete``, ``deletecollection`` or
            ``connect``; a list that the query makes a watch is a ``list`` here.
        rest: What stands behind a subresource that takes a path (proxy), with its slash.
    """

    resource: Resource
    verb: str
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    rest: str = ""


def split_path(path: str) -> Sequence[str]:
    """The segments of a path: escapes are resolved before the slashes are looked at, as net/http does."""
    return unquote_to_bytes(path).decode("utf-8", "surrogateescape").strip("/").split("/")


def resource_missing() -> StatusError:
    """404 within an API that is there."""
    return StatusError(status(404, "NotFound", "the server could not find the requested resource", {}))


def method_not_allowed() -> StatusError:
    """405 of a built-in path."""
    message = "the server does not allow this method on the requested resource"
    return StatusError(status(405, "MethodNotAllowed", message, {}))


def find_route(catalog: Catalog, request: Request, parts: Sequence[str]) -> Route:
    """The route of a path that begins with ``api`` or ``apis`` and goes beyond a group version.

    Raises:
        NoPageError: There is no such API.
        StatusError: 404 or 405, there is no such resource in it, or it does not do that.
    """
    group, version, rest = ("", parts[1], parts[2:]) if parts[0] == "api" else (parts[1], parts[2], parts[3:])
    watches = rest[0] == "watch" and len(rest) > 1
    where = _Where(group, version, rest[1:] if watches else rest)
    resource = catalog.lookup(group, version, where.plural)
    if catalog.is_built_in(group) and (resource is None or not resource.is_custom):
        return _built_in(resource, where, request.method, watches=watches)
    if resource is None or not resource.is_custom or not _is_in_scope(resource, where, request.method):
        raise NoPageError
    return _custom(resource, where, request.method, watches=watches)


class _Where:
    """A path relative to its group version, taken apart."""

    def __init__(self, group: str, version: str, parts: Sequence[str]) -> None:
        self.group, self.version = group, version
        self.namespace = ""
        self.is_in_namespace = False
        if parts[0] == "namespaces" and len(parts) > 1:
            self.namespace = parts[1]
            if len(parts) > 2 and not (not group and parts[2] in _NAMESPACE_SUBRESOURCES):
                parts = parts[2:]
                self.is_in_namespace = True
        self.plural = parts[0]
        self.is_item = len(parts) > 1
        self.name = parts[1] if len(parts) > 1 else ""
        self.subresource = parts[2] if len(parts) > 2 else ""
        self.below = list(parts[3:])

    @property
    def rest(self) -> str:
        return "".join(f"/{each}" for each in self.below)


# ------------------------------------------------------------------ built in


def _built_in(resource: Resource | None, where: _Where, method: str, *, watches: bool) -> Route:
    if resource is None or (where.is_item and not where.name):
        raise resource_missing()
    if resource.namespaced != where.is_in_namespace and not _spans_namespaces(resource, where, method, watches=watches):
        raise resource_missing()
    verbs = _verbs(resource, where, watches=watches)
    if not verbs:
        raise resource_missing()
    verb = verbs.get(method, "")
    if not verb:
        raise method_not_allowed()
    return Route(
        resource=resource,
        verb=verb,
        namespace=where.namespace,
        name=where.name,
        subresource=where.subresource,
        rest=where.rest,
    )


def _spans_namespaces(resource: Resource, where: _Where, method: str, *, watches: bool) -> bool:
    """Whether a path without a namespace means all of them: a list or a watch; a POST there is a 405."""
    if not resource.namespaced or where.is_item:
        return False
    if "list" not in resource.verbs:
        return False
    if not watches and method != "GET":
        raise method_not_allowed()
    return True


def _verbs(resource: Resource, where: _Where, *, watches: bool) -> dict[str, str]:
    """What the methods of a path mean; none where there is no such path."""
    if watches:
        watched = "watch" in resource.verbs and not where.subresource
        return {"GET": "watch"} if watched else {}
    if where.subresource:
        return _subresource_verbs(resource, where)
    methods = _ITEM_METHODS if where.is_item else _COLLECTION_METHODS
    return {method: verb for method, verb in methods.items() if verb in resource.verbs}


def _subresource_verbs(resource: Resource, where: _Where) -> dict[str, str]:
    subresource = resource.subresources.get(where.subresource)
    if subresource is None or (where.below and where.subresource not in _PATHS_BELOW):
        return {}
    if where.subresource in _CONNECTIONS:
        methods = ["GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH"]
        return dict.fromkeys(methods if where.subresource == "proxy" else methods[:2], "connect")
    verbs = {**_ITEM_METHODS, "POST": "create"}
    return {method: verb for method, verb in verbs.items() if verb in subresource.verbs}


# ------------------------------------------------------------------ custom


def _is_in_scope(resource: Resource, where: _Where, method: str) -> bool:
    if not resource.namespaced:
        return not where.namespace
    # Of a namespaced resource only these verbs reach across: others are somebody else's paths.
    return bool(where.namespace) or (method in ("GET", "HEAD") and not where.name)


def _custom(resource: Resource, where: _Where, method: str, *, watches: bool) -> Route:
    about = resource.group_resource
    verb = _custom_verb(where, method, watches=watches)
    subresource = where.subresource
    if subresource and subresource not in resource.subresources:
        raise not_found(about, where.name)
    allowed = (
        {"get", "update", "patch"} if subresource else {*_ITEM_METHODS.values(), *_COLLECTION_METHODS.values(), "watch"}
    )
    if verb not in allowed:
        raise _custom_method(about, verb)
    return Route(resource=resource, verb=verb, namespace=where.namespace, name=where.name, subresource=subresource)


def _custom_verb(where: _Where, method: str, *, watches: bool) -> str:
    if watches:
        return "watch"
    if method == "HEAD":
        method = "GET"
    if method == "POST":
        return "create"
    return (_ITEM_METHODS if where.name else {**_COLLECTION_METHODS, "PUT": "update", "PATCH": "patch"}).get(method, "")


def _custom_method(about: GroupResource, verb: str) -> StatusError:
    return method_not_supported(about, verb)
