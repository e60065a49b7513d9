"""OpenAPI over HTTP: hashes in addresses, caching, and what Accept may ask for.

kube-openapi, pkg/handler and pkg/handler3; kube-aggregator, pkg/controllers/openapiv3/aggregator.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime

from dynkube.testing.apiserver.openapi.documents import Document, OpenAPI
from dynkube.testing.apiserver.words.messages import Request, Response

__all__ = ["answer"]

_JSON = "application/json"
_MESSAGES = (
    "application/com.github.proto-openapi.spec.v2.v1.0+protobuf",
    "application/com.github.proto-openapi.spec.v2@v1.0+protobuf",  # what clients say, of old and today
)
_YEAR = timedelta(days=365)
_GZIP_BYTES = 1400


def answer(openapi: OpenAPI, request: Request, parts: Sequence[str], now: datetime) -> Response | None:
    """The answer to a request for ``/openapi/...``, whatever its method; None where there is nothing.

    Args:
        openapi: The documents.
        request: What is asked.
        parts: Its path, unescaped, cut at slashes: ``["openapi", "v3", "apis", "apps", "v1"]``.
        now: The time.
    """
    version, path = parts[1] if len(parts) > 1 else "", "/".join(parts[2:])
    is_folder = request.path.endswith("/")
    if version == "v2" and not path and not is_folder:
        return _swagger(openapi, request)
    if version != "v3":
        return None
    if is_folder:
        return Response(status=404)
    if not path:
        return _root(openapi, request, now)
    document = openapi.find(path)
    if document is None:
        return Response(status=404)
    return _group_version(request, path, document, now)


def _root(openapi: OpenAPI, request: Request, now: datetime) -> Response:
    """The real server says that it was made now, so who asks twice in a second may be told that nothing changed.

    It takes longer than that to publish a CRD. Here it is published at once, and whoever asked within
    the second in which that happened gets the document again.
    """
    made = now
    if (since := _since(request)) is not None and openapi.changed >= since:
        made = since + timedelta(seconds=1)
    return _served(request, openapi.root(), made, [("Content-Type", "text/plain; charset=utf-8")])


def _group_version(request: Request, path: str, document: Document, now: datetime) -> Response:
    vary = ("Vary", "Accept")
    if not _first_accepted(request, [_JSON]):
        return Response(status=406, headers=[vary])
    etag = f'"{document.hash}"'
    headers = [vary, ("Content-Type", _JSON), ("Etag", etag)]
    asked = request.parameter("hash")
    if asked and asked != document.hash:
        return Response(status=301, headers=[*headers, ("Location", OpenAPI.address(path, document.hash))])
    if asked:
        expires = f"{now + _YEAR:%a, %d %b %Y %H:%M:%S} UTC"
        headers += [("Cache-Control", "public, immutable"), ("Expires", expires)]
    return _served(request, document.data, document.made, headers)


def _swagger(openapi: OpenAPI, request: Request) -> Response:
    vary = [("Vary", "Accept-Encoding"), ("Vary", "Accept")]
    wanted = _first_accepted(request, [_JSON, *_MESSAGES])
    if not wanted:
        return Response(status=406, headers=vary)
    document = openapi.swagger() if wanted == _JSON else openapi.swagger_message()
    content_type = _JSON if wanted == _JSON else _MESSAGES[0]
    headers = [*vary, ("Content-Type", content_type), ("Etag", f'"{document.hash}"')]
    response = _served(request, document.data, document.made, headers)
    assert isinstance(response.body, bytes)
    if len(response.body) < _GZIP_BYTES or "gzip" not in (request.headers.get("accept-encoding") or ""):
        return response
    import gzip

    response.headers.append(("Content-Encoding", "gzip"))
    response.body = gzip.compress(response.body, 6, mtime=0)
    return response


def _served(request: Request, data: bytes, made: datetime, headers: list[tuple[str, str]]) -> Response:
    """A file, as Go's http.ServeContent serves one (of ranges, the whole)."""
    etag = dict(headers).get("Etag")
    modified = format_datetime(made.replace(microsecond=0), usegmt=True)
    if _is_known(request, etag, made):
        kept = [each for each in headers if each[0] != "Content-Type"]
        return Response(status=304, headers=kept if etag else [*kept, ("Last-Modified", modified)])
    headers = [*headers, ("Accept-Ranges", "bytes"), ("Last-Modified", modified)]
    return Response(status=200, headers=headers, body=data, compressible=False)


def _is_known(request: Request, etag: str | None, made: datetime) -> bool:
    """Whether the client has it: by its ETag, else by its time."""
    known = request.headers.get("if-none-match")
    if known is not None:
        told = [each.strip().removeprefix("W/") for each in known.split(",")]
        return etag is not None and ("*" in told or etag in told)
    since = _since(request)
    return since is not None and made.replace(microsecond=0) <= since


def _since(request: Request) -> datetime | None:
    """If-Modified-Since, where it counts and can be read."""
    text = request.headers.get("if-modified-since")
    if text is None or request.method not in {"GET", "HEAD"}:
        return None
    try:
        since = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    return since.replace(tzinfo=UTC) if since.tzinfo is None else since


def _first_accepted(request: Request, produced: Sequence[str]) -> str:
    """The media type to answer in: the first that the client names (nobody gives a ``q``); "" where none will do.

    Of v3 there is no protobuf, which the real server has, too: no client is known to ask for it.
    """
    for each in (request.headers.get("accept") or "*/*").split(","):
        wanted = each.partition(";")[0].strip()
        if wanted in {"application/*", "*/*"}:
            return produced[0]
        if wanted in produced:
            return wanted
    return ""
