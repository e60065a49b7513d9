"""What goes over the wire, as frozen values: `Request` and `Response`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import quote_plus

from dynkube.schema import GroupResource
from dynkube.wire.warnings import ServerWarning, parse_warning_headers

__all__ = ["Headers", "Request", "Response", "retry_after_seconds"]

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request to an API server, complete but for the server and the credentials.

    Attributes:
        method: ``"GET"``, ``"POST"``, ...
        path: absolute and already escaped, without the path prefix of the configured host.
        query: names and values, unescaped; a name may come several times.
        headers: names and values; a name may come several times and then is sent several times.
        body: bytes can be sent again; an iterable of bytes can be sent once.
        verb: RBAC's verb, ``"get"`` or ``"watch"``: for messages and for the retry rules.
        resource: what the request is about, for messages.
        name: the object's name, for messages.
        namespace: its namespace, for messages.
    """

    method: str
    path: str
    query: Pairs = ()
    # Tokens and Secrets do not belong into a repr.
    headers: Pairs = field(default=(), repr=False)
    body: bytes | Iterable[bytes] | None = field(default=None, repr=False)
    verb: str = ""
    resource: GroupResource | None = None
    name: str = ""
    namespace: str = ""

    @property
    def target(self) -> str:
        """Path and query as they stand in the request line.

        >>> Request("GET", "/api/v1/pods", (("labelSelector", "app in (a,b)"), ("limit", "1"))).target
        '/api/v1/pods?labelSelector=app+in+%28a%2Cb%29&limit=1'
        """
        if not self.query:
            return self.path
        separator = "&" if "?" in self.path else "?"
        return self.path + separator + "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in self.query)

    @property
    def replayable(self) -> bool:
        """Whether the body can be sent a second time (2.7.6 in docs/reference/parity)."""
        return self.body is None or isinstance(self.body, bytes)


class Headers(Protocol):
    """Response headers: case-insensitive, repeated lines kept apart (urllib3's HTTPHeaderDict is one)."""

    def get(self, name: str, default: str | None = None, /) -> str | None:
        """The value, repeated lines joined by a comma."""

    def getlist(self, name: str, /) -> list[str]:
        """The value of each line."""


@dataclass(frozen=True, slots=True)
class Response:
    """A complete HTTP response: the body is read and decompressed.

    Attributes:
        status: the HTTP status code.
        headers: the response headers.
        body: the whole body.
        request: what it answers.
        note: what the transport has to say about it, for the error's hint.
    """

    status: int
    headers: Headers = field(repr=False)
    body: bytes = field(repr=False)
    request: Request = field(repr=False)
    note: str = field(default="", repr=False)

    @property
    def content_type(self) -> str:
        """The media type without parameters, in lower case; ``""`` when the server gave none."""
        return (self.headers.get("Content-Type") or "").partition(";")[0].strip().lower()

    @property
    def retry_after(self) -> int | None:
        """Seconds of an integer ``Retry-After``; the HTTP-date form counts as none (2.7.2)."""
        return retry_after_seconds(self.headers)

    def warnings(self) -> tuple[ServerWarning, ...]:
        """What the ``Warning`` headers say."""
        lines = self.headers.getlist("Warning")
        return parse_warning_headers(lines) if lines else ()


def retry_after_seconds(headers: Headers) -> int | None:
    """Seconds of an integer ``Retry-After`` header, else None."""
    value = (headers.get("Retry-After") or "").strip()
    return int(value) if value.isascii() and value.isdigit() else None
