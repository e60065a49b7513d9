"""What passes between the sockets and the rooms behind them: requests and responses as frozen values."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

__all__ = [
    "MAX_BODY_BYTES",
    "ConnectionCut",
    "Headers",
    "Request",
    "RequestInfo",
    "Response",
    "Upgrade",
    "UserInfo",
    "Wire",
]

MAX_BODY_BYTES = 3 * 2**20
"""The largest body of a request (AS/server/config.go, MaxRequestBodyBytes)."""


class Headers:
    """The headers of a request: names whatever their case, values in the order in which they came.

    >>> headers = Headers([("Accept", "application/yaml"), ("accept", "application/json")])
    >>> headers.get("ACCEPT"), headers.get_all("accept"), headers.get("Cookie")
    ('application/yaml', ['application/yaml', 'application/json'], None)
    """

    __slots__ = ("_index", "_pairs")

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self._pairs = tuple(pairs)
        self._index: dict[str, list[str]] | None = None

    def __repr__(self) -> str:
        return f"<Headers {', '.join(name for name, _ in self._pairs)}>"  # values may be credentials

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._values

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._pairs)

    @property
    def _values(self) -> dict[str, list[str]]:
        # Made when first asked for: of the many requests that an audit keeps, few are.
        if self._index is None:
            self._index = {}
            for name, value in self._pairs:
                self._index.setdefault(name.lower(), []).append(value)
        return self._index

    def get(self, name: str) -> str | None:
        """The first value; None where there is no such header."""
        values = self._values.get(name.lower())
        return values[0] if values else None

    def get_all(self, name: str) -> list[str]:
        """All values, one for each line of the header."""
        return list(self._values.get(name.lower(), ()))


@dataclass(frozen=True, slots=True)
class UserInfo:
    """Who asks (AS/authentication/user): a name, groups, and what an authenticator adds."""

    name: str
    groups: Sequence[str] = ()
    uid: str = ""
    extra: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request whose body is there."""

    method: str
    path: str
    """As it was sent: escaped, never normalised, without the query."""
    query: Sequence[tuple[str, str]] = ()
    """Decoded, in order; a name may come more than once."""
    headers: Headers = field(default_factory=Headers)
    body: bytes = field(default=b"", repr=False)
    """All of it, or more than `MAX_BODY_BYTES` of it."""
    certificate_user: UserInfo | None = None
    """Of a client certificate that our authority signed."""

    @property
    def is_too_large(self) -> bool:
        """Whether the body is larger than any may be: a 413, for who reads it."""
        return len(self.body) > MAX_BODY_BYTES

    def parameter(self, name: str) -> str | None:
        """The first value of a query parameter; None where there is none."""
        return next((value for each, value in self.query if each == name), None)


class Wire(Protocol):
    """A connection that has been upgraded: bytes both ways, no HTTP any more."""

    async def read(self) -> bytes:
        """Wait for some bytes; b"" at the end."""

    async def write(self, data: bytes) -> None:
        """Send bytes, and wait while the client does not keep up.

        Raises:
            ConnectionError: The client has gone.
        """

    def abort(self) -> None:
        """End it as a cable that is cut does."""


Upgrade: TypeAlias = Callable[[Wire], Awaitable[None]]
"""What is done with an upgraded connection, which ends with it; cancelled when the client goes."""


@dataclass(slots=True, kw_only=True)
class Response:
    """An answer: a whole body, or a stream that is written chunk by chunk as it comes.

    A stream goes out in chunks or, where the headers have a Content-Length, plain. It is closed when
    it ends, and when the client goes. It may raise `ConnectionCut`.
    """

    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes | AsyncIterator[bytes] = b""
    user: UserInfo | None = None
    """Who was found to ask, for the audit: the endpoints set it as soon as they know."""
    compressible: bool = True
    """Whether a body from 128 KiB on is gzipped for who accepts that: what goes through a serializer is."""
    upgrade: Upgrade | None = None
    """Of a 101: goes out with these headers alone, and then the connection is given to it."""
    deferred: Callable[[], Awaitable[Response]] | None = None
    """Gives the answer itself, where that takes its time; may raise a `StatusError`."""


class ConnectionCut(Exception):  # noqa: N818 - an instruction, no error
    """Raised by a handler or by a stream: the connection ends here.

    Args:
        data: The beginning of a chunk whose rest never comes.
        reset: End it with an RST instead of a FIN.
    """

    def __init__(self, data: bytes = b"", *, reset: bool = False) -> None:
        super().__init__("the connection is cut")
        self.data = data
        self.reset = reset


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestInfo:
    """What a request is about (AS/endpoints/request/requestinfo.go): read off method, path and query.

    ``verb`` is Kubernetes' (``list``, ``deletecollection``), for paths that are no resources the
    method in lower case. ``path`` is unescaped. ``parts`` begin with the resource.
    """

    verb: str
    path: str
    is_resource: bool = False
    prefix: str = ""
    group: str = ""
    version: str = ""
    namespace: str = ""
    resource: str = ""
    subresource: str = ""
    name: str = ""
    parts: tuple[str, ...] = ()
    label_selector: str = ""
    field_selector: str = ""
