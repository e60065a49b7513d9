"""Requests from inside: what a server asks of itself as its admin, by the same way that clients' go."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from dynkube import codec
from dynkube.errors import InvalidRequestError
from dynkube.schema import GroupVersionKind, GroupVersionResource, gvk_of, parse_resource_arg
from dynkube.testing.apiserver.registry import Catalog
from dynkube.testing.apiserver.words.messages import Headers, Request, Response, UserInfo
from dynkube.testing.apiserver.words.resources import Object, Resource
from dynkube.testing.errors import ControlPlaneError

__all__ = ["ADMIN", "Insider"]

ADMIN = UserInfo("admin", ("system:masters",))


class Insider:
    """Asks the API of a server as its admin; belongs on the loop.

    Args:
        handle: Answers requests.
        catalog: What is served.
        manager: Whom managedFields name.
    """

    def __init__(self, handle: Callable[[Request], Response], catalog: Catalog, manager: str) -> None:
        self._handle = handle
        self._catalog = catalog
        self._headers = Headers([("Content-Type", "application/json"), ("User-Agent", manager)])

    def call(self, method: str, path: str, body: Object | None = None, **query: str) -> Object:
        """One request that must succeed; its object.

        Raises:
            ControlPlaneError: The server refused it.
        """
        status, answer = self.ask(method, path, body, **query)
        if status >= 400:
            raise ControlPlaneError(f"{method} {path}: HTTP {status}: {answer.get('message', answer)}")
        return answer

    def ask(self, method: str, path: str, body: Object | None = None, **query: str) -> tuple[int, Object]:
        """One request; the status, and the object or Status of its answer."""
        request = Request(
            method=method,
            path=path,
            query=tuple(query.items()),
            headers=self._headers,
            body=b"" if body is None else codec.encode(body),
            certificate_user=ADMIN,
        )
        response = self._handle(request)
        if not isinstance(response.body, bytes):
            raise ControlPlaneError(f"{method} {path}?{urlencode(query)}: the answer is a stream")
        return response.status, codec.decode(response.body)

    # ------------------------------------------------------------------ where things are

    def resource(self, name: str | GroupVersionResource) -> Resource:
        """A resource by its plural: ``pods``, ``deployments.apps``, ``apps/v1/deployments``, or as a value.

        Raises:
            InvalidRequestError: Nothing of this name is served.
        """
        for found in self._catalog:
            if found.verbs and _is_called(found, name):
                return found
        raise InvalidRequestError(f"resource={name!r}: nothing of this name is served: write 'deployments.apps'")

    def path_of(self, obj: Mapping[str, Any], *, what: str = "object", collection: bool = False) -> str:
        """Where an object is, or where it is created. Without a namespace it is in ``default``.

        Raises:
            InvalidRequestError: It has no kind, or one that is not served.
        """
        kind = gvk_of(obj, argument=what)
        found = self._served(kind)
        if found is None:
            raise InvalidRequestError(f"{what}: {kind.kind} ({kind.api_version}) is not served: create its CRD first")
        metadata = obj.get("metadata") or {}
        return path_of(found, metadata.get("namespace", ""), "" if collection else metadata.get("name", ""))

    def has_status(self, obj: Mapping[str, Any]) -> bool:
        """Whether the status of such an object is a subresource."""
        found = self._served(gvk_of(obj))
        return found is not None and "status" in found.subresources

    def _served(self, kind: GroupVersionKind) -> Resource | None:
        return self._catalog.find_kind(kind.group_kind, kind.version)


def path_of(resource: Resource, namespace: str, name: str = "") -> str:
    """The path of a collection, or of an object."""
    gvr = resource.gvr
    parts = ["apis", gvr.group, gvr.version] if gvr.group else ["api", gvr.version]
    parts += ["namespaces", namespace or "default"] if resource.namespaced else []
    parts += [gvr.resource, name] if name else [gvr.resource]
    return "/" + "/".join(quote(part, safe="") for part in parts)


def _is_called(found: Resource, name: str | GroupVersionResource) -> bool:
    if isinstance(name, GroupVersionResource):
        return found.gvr == name
    if "/" in name:
        return found.gvr == GroupVersionResource.parse(name)
    versioned, unversioned = parse_resource_arg(name)
    any_group = "." not in name and found.gvr.resource == name
    return found.gvr == versioned or any_group or found.group_resource == unversioned
