"""A request becomes an answer: authentication, authorization, routing, and what is refused how."""

from __future__ import annotations

from dynkube.testing.apiserver.access import Access
from dynkube.testing.apiserver.endpoints import queries
from dynkube.testing.apiserver.endpoints.handlers import Handler
from dynkube.testing.apiserver.endpoints.negotiation import accepts_route, negotiate_error
from dynkube.testing.apiserver.endpoints.pages import Pages
from dynkube.testing.apiserver.endpoints.plain import no_page, plain_text
from dynkube.testing.apiserver.endpoints.representation import encode
from dynkube.testing.apiserver.endpoints.routes import NoPageError, find_route, split_path
from dynkube.testing.apiserver.registry import Registry
from dynkube.testing.apiserver.streaming import Behind
from dynkube.testing.apiserver.words import statuses
from dynkube.testing.apiserver.words.messages import Request, RequestInfo, Response, UserInfo
from dynkube.testing.apiserver.words.requestinfo import request_info
from dynkube.testing.apiserver.words.statuses import StatusError

__all__ = ["API"]

# What a log is produced as (KUBE/pkg/registry/core/pod/rest/log.go), before what all that is built in is.
_LOG_TYPES = ("text/plain", "application/json", "application/yaml", "application/vnd.kubernetes.protobuf")
_LONG_RUNNING = frozenset({"watch", "proxy"})
_LONG_RUNNING_SUBRESOURCES = frozenset({"attach", "exec", "log", "portforward", "proxy"})


class API:
    """All of the server behind its sockets.

    Args:
        registry: What is served and stored.
        access: Who asks, and may they.
        pages: What is no resource: discovery, OpenAPI, health.
        behind: What stands behind pods, and behind the proxies.
    """

    def __init__(self, registry: Registry, access: Access, pages: Pages, behind: Behind) -> None:
        self.registry = registry
        self.access = access
        self.behind = behind
        self._pages = pages

    async def settle(self, request: Request, response: Response) -> Response:
        """What an answer is that takes its time; any other as it is."""
        if response.deferred is None:
            return response
        try:
            settled = await response.deferred()
        except StatusError as error:
            settled = _refused(request, error)
        settled.headers += response.headers
        settled.user = response.user
        return settled

    def handle(self, request: Request) -> Response:
        """The answer to a request; whatever it is, there is one, though it may be `deferred`."""
        warnings = list(self.access.warnings(request))
        user: UserInfo | None = None
        try:
            info = request_info(request)
            if info.is_resource and not info.parts:  # a path that ends in /watch or /proxy
                return _no_info(info)
            if not _is_long_running(info):
                queries.check_timeout(request)
            user = self.access.authenticate(request)
            user = self.access.impersonate(user, request, info)
            self.access.authorize(user, info)
            response = self._answer(request, info, user, warnings)
        except StatusError as error:
            warnings += error.warnings
            response = _refused(request, error)
        except NoPageError:
            response = no_page()
        except RecursionError:
            response = _refused(request, statuses.internal_error("the request nests too deep"))
        response.headers += [("Warning", _warning(text)) for text in dict.fromkeys(warnings)]
        response.user = user
        return response

    def _answer(self, request: Request, info: RequestInfo, user: UserInfo, warnings: list[str]) -> Response:
        parts = split_path(request.path)
        if not info.is_resource:
            return self._pages.answer(request, parts)
        route = find_route(self.registry.catalog, request, parts)
        if not route.resource.is_custom and route.verb != "connect":
            produced = _LOG_TYPES if route.subresource == "log" else ()
            accept = request.headers.get("accept") or ""
            refusal = accepts_route(accept, is_list=route.verb in ("list", "watch"), produced=produced)
            if refusal is not None:
                raise refusal
        if route.resource.warning:
            warnings.append(route.resource.warning)
        return Handler(self.registry, self.access, self.behind, request, info, route, user, warnings).answer()


def _is_long_running(info: RequestInfo) -> bool:
    return info.verb in _LONG_RUNNING or info.subresource in _LONG_RUNNING_SUBRESOURCES


def _no_info(info: RequestInfo) -> Response:
    problem = f"failed to create RequestInfo: unable to determine kind and namespace from url, {info.path}"
    response = plain_text(500, f'Internal Server Error: "{info.path}": {problem}\n')
    # It fails before there is a header about caches.
    response.headers.append(("Cache-Control", ""))
    return response


def _refused(request: Request, error: StatusError) -> Response:
    content_type, body = encode(error.status, negotiate_error(request))
    headers = [("Content-Type", content_type), *error.headers.items()]
    retry = error.status.get("details", {}).get("retryAfterSeconds")
    if retry and "Retry-After" not in error.headers:
        headers.append(("Retry-After", str(retry)))
    return Response(status=error.code, headers=headers, body=body)


def _warning(text: str) -> str:
    """The value of a Warning header (RFC 2616 14.46; AM/util/net, NewWarningHeader)."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'299 - "{escaped}"'
