"""What goes over the wire, in the log ``dynkube.http``: as much as its level asks for, and no credential.

The levels are kubectl's ``-v`` from 6 to 10, at 16 minus that number: `logging.DEBUG` (10) is ``-v=6``. See
CG/transport/round_trippers.go and 2.2.10 in docs/reference/parity.
"""

from __future__ import annotations

import logging
import re
import shlex
import time
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any

import requests

__all__ = ["HTTP_LOG", "WireLog", "level_of", "masked"]

HTTP_LOG = logging.getLogger("dynkube.http")

_MASKED = "<masked>"
_AUTH_TYPES = frozenset({"bearer", "basic", "negotiate"})
_CONFIDENTIAL_HEADER = re.compile("auth|cookie|token|secret|passw|api-?key|credential", re.IGNORECASE)
# Whose bodies hold credentials, by their place in the path: Secrets, token requests and reviews.
_CONFIDENTIAL_PATH = re.compile(r"/secrets(/|$|\?)|/serviceaccounts/[^/]+/token(/|$|\?)|/tokenreviews(/|$|\?)")
# Secrets among others: in a List, in an apply, inside a Table; JSON and YAML. And what an issuer's token endpoint says.
_CONFIDENTIAL_BODY = re.compile(
    rb"""["']?kind["']?\s*:\s*["']?(Secret|TokenRe)|["'](id|access|refresh)_token["']\s*:"""
)
_TEXT = re.compile("json|yaml|text", re.IGNORECASE)


def level_of(verbosity: int) -> int:
    """The logging level of kubectl's ``-v``.

    >>> level_of(6) == logging.DEBUG, level_of(8)
    (True, 8)
    """
    return 16 - verbosity


_URL, _HEADERS, _BODIES, _CURL, _ALL = (level_of(verbosity) for verbosity in (6, 7, 8, 9, 10))


def masked(name: str, value: str) -> str:
    """The value of a header, without what authenticates.

    >>> masked("Authorization", "Bearer abc"), masked("Accept", "application/json")
    ('Bearer <masked>', 'application/json')
    """
    if not _CONFIDENTIAL_HEADER.search(name):
        return value
    kind = value.partition(" ")[0]
    return f"{kind} {_MASKED}" if kind.lower() in _AUTH_TYPES and len(value) > len(kind) else _MASKED


class WireLog:
    """One exchange in the log; make one only where ``HTTP_LOG.isEnabledFor(logging.DEBUG)``."""

    __slots__ = ("_began", "_clock", "_confidential", "_level", "_method", "_url")

    def __init__(self, request: requests.PreparedRequest, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._level = HTTP_LOG.getEffectiveLevel()
        self._method = request.method
        self._url = request.url or ""
        self._confidential = bool(_CONFIDENTIAL_PATH.search(self._url))
        if self._level <= _CURL:
            self._say(_CURL, "%s", _curl(self._method or "", self._url, _lines(request.headers)))
        elif self._level <= _HEADERS:
            self._say(_HEADERS, "Request: %s %s; headers: %s", self._method, self._url, _shown(request.headers))
        if self._level <= _BODIES and request.body is not None:
            self._body("Request", request.body, str(request.headers.get("Content-Type", "")))
        self._began = clock()

    def answered(self, status: int, headers: Mapping[str, str]) -> None:
        """The header of the response has come."""
        phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else ""
        milliseconds = int((self._clock() - self._began) * 1000)
        self._say(_URL, "%s %s %d %s in %d milliseconds", self._method, self._url, status, phrase, milliseconds)
        if self._level <= _BODIES:
            self._say(_BODIES, "Response headers: %s", _shown(headers))

    def failed(self, error: BaseException) -> None:
        """No response came."""
        milliseconds = int((self._clock() - self._began) * 1000)
        name = type(error).__name__  # its text may be anything
        self._say(_URL, "%s %s failed in %d milliseconds: %s", self._method, self._url, milliseconds, name)

    def received(self, body: bytes, headers: Any) -> None:
        """The whole body of the response has come; those of streams are not logged."""
        if self._level <= _BODIES:
            self._body("Response", body, headers.get("Content-Type") or "")

    def _body(self, whose: str, body: object, content_type: str) -> None:
        if not isinstance(body, bytes):
            shown = "<streamed>"
        elif self._confidential or _CONFIDENTIAL_BODY.search(body):
            shown = f"{_MASKED} ({len(body)} bytes)"
        elif content_type and not _TEXT.search(content_type):
            shown = f"<{len(body)} bytes of {content_type}>"
        else:
            limit = {_BODIES: 1024, _CURL: 10240}.get(max(self._level, _ALL), len(body))
            cut = f" [truncated {len(body) - limit} bytes]" if len(body) > limit else ""
            shown = body[:limit].decode("utf-8", "replace") + cut
        self._say(_BODIES, "%s body: %s", whose, shown)

    def _say(self, level: int, text: str, *values: object) -> None:
        HTTP_LOG.log(level, text, *values)


def _lines(headers: Any) -> Iterable[tuple[str, str]]:
    # An HTTPHeaderDict joins repeated lines in items(); iteritems() does not.
    iterate = getattr(headers, "iteritems", headers.items)
    return ((str(name), masked(str(name), str(value))) for name, value in iterate())


def _shown(headers: Any) -> str:
    return "; ".join(f"{name}: {value}" for name, value in _lines(headers))


def _curl(method: str, url: str, headers: Iterable[tuple[str, str]]) -> str:
    options = " ".join(f"-H {shlex.quote(f'{name}: {value}')}" for name, value in headers)
    return f"curl -v -X{method} {options} {shlex.quote(url)}"
