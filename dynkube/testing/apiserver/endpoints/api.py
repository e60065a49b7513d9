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
from dynkube.testing.apiserver.words import statuses
from dynkube.testing.apiserver.words.messages import Request, RequestInfo, Response, UserInfo
from dynkube.testing.apiserver.words.requestinfo import request_info
from dynkube.testing.apiserver.words.statuses import StatusError

__all__ = ["API"]

_LONG_RUNNING = frozenset({"watch", "proxy"})
_LONG_RUNNING_SUBRESOURCES = frozenset({"attach", "exec", "log", "portforward", "proxy"})


class API:
    """All of the server behind its sockets.

    Args:
        registry: What is served and stored.
        access: Who asks, and may they.
        pages: What is no resource: discovery, OpenAPI, health.
    """

    def __init__(self, registry: Registry, access: Access, pages: Pages) -> None:
        self.registry = registry
        self.access = access
        self._pages = pages

    def handle(self, request: Request) -> Response:
        """The answer to a request; whatever it is, there is one."""
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
        if not route.resource.is_custom:
            refusal = accepts_route(request.headers.get("accept") or "", is_list=route.verb in ("list", "watch"))
            if refusal is not None:
                raise refusal
        if route.resource.warning:
            warnings.append(route.resource.warning)
        return Handler(self.registry, self.access, request, info, route, user, warnings).answer()


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
