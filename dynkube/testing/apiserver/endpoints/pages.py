"""Paths that are no resources: discovery, version, health, the list of paths, and what is nowhere.

AS/server/handler.go and routes, kube-aggregator/apiserver, AS/endpoints/discovery.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from dynkube.testing.apiserver import recorded
from dynkube.testing.apiserver.discovery import AGGREGATED_VERSION, Aggregated, Discovery
from dynkube.testing.apiserver.endpoints.health import HEALTH, health
from dynkube.testing.apiserver.endpoints.negotiation import Accepted, accept_discovery, accepts_route, negotiate_error
from dynkube.testing.apiserver.endpoints.openid import OpenID
from dynkube.testing.apiserver.endpoints.representation import encode
from dynkube.testing.apiserver.endpoints.routes import NoPageError, method_not_allowed, resource_missing
from dynkube.testing.apiserver.registry import Catalog
from dynkube.testing.apiserver.words.messages import Request, Response
from dynkube.testing.apiserver.words.statuses import not_acceptable

if TYPE_CHECKING:
    from dynkube.testing.apiserver.openapi import OpenAPI

__all__ = ["Pages"]


class Pages:
    """Answers for paths that are no resources.

    Args:
        catalog: What is served.
        discovery: The documents of it.
        openapi: Gives what describes it; asked when that is asked for.
        openid: How its tokens are checked.
        now: Tells the time.
    """

    def __init__(
        self,
        catalog: Catalog,
        discovery: Discovery,
        openapi: Callable[[], OpenAPI],
        openid: OpenID,
        now: Callable[[], datetime],
    ) -> None:
        self._catalog = catalog
        self._discovery = discovery
        self._openapi = openapi
        self._openid = openid
        self._now = now
        catalog.on_change(discovery.invalidate)

    def answer(self, request: Request, parts: Sequence[str]) -> Response:
        """The answer.

        Raises:
            NoPageError: There is nothing.
            StatusError: It is refused.
        """
        page = self._find(request, list(parts))
        if page is None:
            raise NoPageError
        return page

    def _find(self, request: Request, parts: list[str]) -> Response | None:
        first, *rest = parts
        if first in HEALTH:
            return health(request, first, rest)
        if first in ("api", "apis"):
            return self._discover(request, first, rest)
        if first == "openapi":
            from dynkube.testing.apiserver.openapi import answer

            return answer(self._openapi(), request, parts, self._now())
        if parts == ["version"]:
            return _version(request)
        if parts in ([""], ["index.html"]):
            return self._paths()
        return self._openid.answer(request, parts)

    # ------------------------------------------------------------------ discovery

    def _discover(self, request: Request, prefix: str, rest: list[str]) -> Response | None:
        if prefix == "api":
            if rest:
                return self._routed(request, self._discovery.api_resources("", rest[0]))
            found = self._aggregated(request, self._discovery.aggregated_api)
            return found or self._routed(request, self._discovery.api_versions())
        if not rest and request.path not in ("/apis", "/apis/"):
            return None
        if not rest:
            # Aggregated discovery is at this very path.
            exact = not request.path.endswith("/")
            found = self._aggregated(request, self._discovery.aggregated_apis) if exact else None
            return found or self._negotiated(request, self._discovery.api_groups())
        if len(rest) == 1:
            group = self._discovery.api_group(rest[0])
            return None if group is None else self._negotiated(request, group)
        return self._group_version(request, rest[0], rest[1])

    def _group_version(self, request: Request, group: str, version: str) -> Response | None:
        found = self._discovery.api_resources(group, version)
        if self._catalog.is_built_in(group):
            return self._routed(request, found)
        return None if found is None else self._negotiated(request, found)

    def _aggregated(self, request: Request, find: Callable[[], Aggregated]) -> Response | None:
        """The aggregated document for who accepts one; None for others."""
        media_type = accept_discovery(request.headers.get("accept") or "")
        if media_type is None:
            return None
        found = find()
        headers = [("Cache-Control", "public"), ("Etag", found.etag), ("Vary", "Accept")]
        if request.headers.get("if-none-match") == found.etag:
            return Response(status=304, headers=headers)
        _, body = encode(found.document, Accepted(media_type))
        version = AGGREGATED_VERSION
        kind = f"{media_type};g={version.group};v={version.version};as=APIGroupDiscoveryList"
        return Response(status=200, headers=[*headers, ("Content-Type", kind)], body=body)

    @staticmethod
    def _routed(request: Request, document: Mapping[str, Any] | None) -> Response:
        """A page of go-restful, which takes no other method, and looks at Accept in its own way."""
        if document is None:
            raise resource_missing()
        if request.method != "GET":
            raise method_not_allowed()
        refusal = accepts_route(request.headers.get("accept") or "", is_list=False)
        if refusal is not None:
            raise refusal
        return Pages._negotiated(request, document)

    @staticmethod
    def _negotiated(request: Request, document: Mapping[str, Any]) -> Response:
        accepted = negotiate_error(request)
        if accepted is None:
            media_types = "application/json, application/yaml, application/vnd.kubernetes.protobuf"
            raise not_acceptable(f"only the following media types are accepted: {media_types}")
        content_type, body = encode(document, accepted)
        return Response(status=200, headers=[("Content-Type", content_type)], body=body)

    # ------------------------------------------------------------------ others

    def _paths(self) -> Response:
        """``/``: all paths. Groups of CRDs are among them."""
        custom = {each.gvr.group_version for each in self._catalog if each.is_custom}
        more = {f"/apis/{each.group}" for each in custom} | {f"/apis/{each.api_version}" for each in custom}
        _, body = encode({"paths": sorted({*recorded.paths(), *more})}, None)
        return Response(status=200, headers=[("Content-Type", "application/json")], body=body)


def _version(request: Request) -> Response:
    if request.method != "GET":
        raise method_not_allowed()
    refusal = accepts_route(request.headers.get("accept") or "", is_list=False, produced=("application/json",))
    if refusal is not None:
        raise refusal
    return Response(status=200, headers=[("Content-Type", "application/json")], body=recorded.version())
