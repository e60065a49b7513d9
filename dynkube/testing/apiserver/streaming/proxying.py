"""The proxies of pods, services and nodes: a request becomes one to a handler (AM/util/proxy/upgradeaware.go)."""

from __future__ import annotations

from collections.abc import Iterator

from dynkube.testing.apiserver.streaming.pipes import in_thread
from dynkube.testing.apiserver.streaming.sessions import ProxyHandler, ProxyRequest, ProxyResponse
from dynkube.testing.apiserver.words import statuses
from dynkube.testing.apiserver.words.messages import Headers, Request, Response

__all__ = ["forwarded_headers", "serve_proxy"]

# Hop by hop (net/http/httputil), and what the API server keeps to itself.
_KEPT = frozenset(
    {"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer", "transfer-encoding"}
    | {"upgrade", "authorization", "host", "content-length"}
)


def serve_proxy(request: Request, wanted: ProxyRequest, handler: ProxyHandler, *, rest: str) -> Response:
    """Answer, in time: the function takes its own.

    Args:
        request: The request.
        wanted: What is asked of the handler.
        handler: Answers.
        rest: What stands behind ``proxy`` in the path; "" leads to a redirect, so that links of a page hold.
    """
    if not rest and not request.path.endswith("/") and request.method in ("GET", "HEAD"):
        query = "&".join(f"{name}={value}" for name, value in request.query)
        location = f"{request.path}/{'?' + query if query else ''}"
        return Response(status=301, headers=[("Location", location)])

    async def later() -> Response:
        try:
            found = await in_thread(lambda: handler(wanted), f"proxy {wanted.name}")
        except Exception as error:
            problem = f"error trying to reach service: {str(error) or type(error).__name__}"
            raise statuses.service_unavailable(problem) from error
        return _response(found)

    return Response(status=0, deferred=later)


def forwarded_headers(request: Request) -> Headers:
    """The headers that a backend gets."""
    named = {each.strip().lower() for value in request.headers.get_all("Connection") for each in value.split(",")}

    def kept() -> Iterator[tuple[str, str]]:
        for name, value in request.headers:
            if name.lower() not in _KEPT | named:
                yield name, value
        yield "X-Forwarded-Uri", request.path
        yield "X-Forwarded-Host", request.headers.get("Host") or ""
        yield "X-Forwarded-Proto", "https"

    return Headers(kept())


def _response(found: ProxyResponse | str | bytes) -> Response:
    answer = found if isinstance(found, ProxyResponse) else ProxyResponse(body=found)
    body = answer.body.encode() if isinstance(answer.body, str) else answer.body
    headers = [(name, value) for name, value in answer.headers.items() if name.lower() not in _KEPT]
    if body and not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("Content-Type", "text/plain; charset=utf-8"))
    return Response(status=answer.status, headers=headers, body=body, compressible=False)
