"""What can go wrong on the wire, as values, and what a `FaultProxy` has seen.

::

    Fault.cut(after_body_bytes=100)        FIN after 100 bytes of a response's body
    Fault.reset(at="response")             RST when the answer is there and none of it is passed on
    Fault.stall(after_chunks=2)            two chunks, then silence; the connection stays open
    Fault.dribble(size=1, interval=0.01)   one byte every 10 ms
    Fault.half_close(after_header_bytes=9) FIN, but the client can go on sending
    Fault.refuse()                         the next connection is accepted and reset at once
    Fault.answer(429, retry_after=1)       the proxy answers itself; the server sees nothing of the request
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Literal, TypedDict, Unpack

from dynkube.errors import InvalidRequestError

__all__ = ["Action", "Fault", "Moment", "ProxiedConnection", "SeenRequest", "When"]


class Action(StrEnum):
    """What happens to the connection."""

    CUT = "cut"
    RESET = "reset"
    STALL = "stall"
    DRIBBLE = "dribble"
    HALF_CLOSE = "half-close"
    ANSWER = "answer"


class Moment(StrEnum):
    """The point at which it happens."""

    CONNECT = "connect"
    """The connection is accepted; no byte has been passed on, no TLS handshake done."""
    REQUEST = "request"
    """The head of a request is there; the server has not seen it."""
    RESPONSE = "response"
    """The server answers; the client has seen nothing of it."""
    HEADER = "header"
    """So many bytes of the response's head are passed on."""
    BODY = "body"
    """So many bytes of the response's body are passed on (payload: chunk sizes do not count)."""
    CHUNK = "chunk"
    """So many whole chunks of the response's body are passed on."""
    END = "end"
    """The response is passed on, complete."""
    STREAM = "stream"
    """So many bytes of the connection are passed on from the server to the client."""


# Moments of a connection; the others need HTTP/1.1 that the proxy can read.
CONNECTION_MOMENTS = frozenset({Moment.CONNECT, Moment.STREAM})


class When(TypedDict, total=False):
    """The moment of a fault: one of these; without any, ``at="response"``."""

    at: Literal["connect", "request", "response", "end"]
    after_header_bytes: int
    after_body_bytes: int
    after_chunks: int
    after_bytes: int


_COUNTED = {
    "after_header_bytes": Moment.HEADER,
    "after_body_bytes": Moment.BODY,
    "after_chunks": Moment.CHUNK,
    "after_bytes": Moment.STREAM,
}
_STATUSES = frozenset(HTTPStatus)
_NAMED = {each.value: each for each in (Moment.CONNECT, Moment.REQUEST, Moment.RESPONSE, Moment.END)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that goes wrong, and when.

    Made by `cut`, `reset`, `stall`, `dribble`, `half_close`, `refuse` and `answer`.

    The moment is one keyword of `When`:

    - ``at="connect"``: when the connection is accepted, before any TLS handshake;
    - ``at="request"``: when a request's head is there, which the server then never sees
      (a stall or a half-close passes it on afterwards);
    - ``at="response"``: when the answer begins to come, before its first byte is passed on;
    - ``after_header_bytes=n``: after n bytes of the status line and header;
    - ``after_body_bytes=n``: after n bytes of the body, 0 for right after the header;
    - ``after_chunks=n``: after n chunks of a chunked body;
    - ``at="end"``: after a complete response, so that a pooled connection is stale;
    - ``after_bytes=n``: after n bytes from the server, from the connection's beginning.

    >>> Fault.cut(after_body_bytes=100)
    Fault.cut(after_body_bytes=100)
    >>> Fault.reset()
    Fault.reset(at='response')
    """

    action: Action
    moment: Moment = Moment.RESPONSE
    offset: int = 0
    size: int = 1
    interval: float | None = 0.0
    response: bytes = b""
    """What `answer` says, from the status line on."""

    @classmethod
    def cut(cls, **when: Unpack[When]) -> Fault:
        """Close the connection with a FIN (over TLS without a close_notify), as a process does that dies."""
        return cls._at(Action.CUT, when)

    @classmethod
    def reset(cls, **when: Unpack[When]) -> Fault:
        """Reset the connection with an RST."""
        return cls._at(Action.RESET, when)

    @classmethod
    def stall(cls, **when: Unpack[When]) -> Fault:
        """Pass nothing on any more, in either direction, and keep the connection open.

        So does a peer behind a dead network: no data, no FIN. `FaultProxy.resume` ends it.
        """
        return cls._at(Action.STALL, when)

    @classmethod
    def half_close(cls, **when: Unpack[When]) -> Fault:
        """Send the client a FIN and go on taking what it sends; what the server sends is dropped."""
        return cls._at(Action.HALF_CLOSE, when)

    @classmethod
    def dribble(cls, *, size: int = 1, interval: float | None = 0.0, **when: Unpack[When]) -> Fault:
        """Pass the rest of the response on in drops.

        Args:
            size: Bytes of one drop.
            interval: Seconds between drops; None to let each one go with `Injection.step`.
            **when: The moment; see `Fault`.

        Raises:
            InvalidRequestError: ``size`` is below 1, or ``interval`` below 0.
        """
        if size < 1:
            raise InvalidRequestError(f"size={size}: a drop has at least 1 byte")
        if interval is not None and interval < 0:
            raise InvalidRequestError(f"interval={interval}: give seconds from 0 on, or None to step by hand")
        return cls._at(Action.DRIBBLE, when, size=size, interval=interval)

    @classmethod
    def refuse(cls) -> Fault:
        """Accept a connection and reset it at once: the same as ``Fault.reset(at="connect")``."""
        return cls(action=Action.RESET, moment=Moment.CONNECT)

    @classmethod
    def answer(
        cls,
        status: int,
        *,
        retry_after: int | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        content_type: str = "application/json",
    ) -> Fault:
        """Answer the request in the server's place: a gateway, an overloaded server, one that is going down.

        The connection stays usable, as after any answer, unless a header says ``Connection: close``. One that says
        ``Transfer-Encoding: chunked`` makes ``body`` the chunks themselves, in whatever state they are.

        Args:
            status: The HTTP status, 200 to 599.
            retry_after: Seconds for a Retry-After header; None for no such header.
            headers: Further headers.
            body: The body; ``content_type`` says what it is.
            content_type: Of the body; left out when there is none.

        Raises:
            InvalidRequestError: The status is none that ends an exchange, or a header cannot be sent.
        """
        if not 200 <= status <= 599 or status in (204, 304):
            raise InvalidRequestError(f"status={status}: give a final HTTP status from 200 to 599 that may have a body")
        fields = {"Content-Length": str(len(body))}
        fields |= {"Content-Type": content_type} if body else {}
        fields |= {"Retry-After": str(retry_after)} if retry_after is not None else {}
        fields |= headers or {}
        if any(name.lower() == "transfer-encoding" for name in fields):
            del fields["Content-Length"]
        for name, value in fields.items():
            if not name.isascii() or any(each in name + value for each in "\r\n"):
                raise InvalidRequestError(f"headers: {name!r} cannot be sent as an HTTP header")
        phrase = HTTPStatus(status).phrase if status in _STATUSES else ""
        lines = [f"HTTP/1.1 {status} {phrase}", *(f"{name}: {value}" for name, value in fields.items())]
        head = "\r\n".join(lines) + "\r\n\r\n"
        return cls(action=Action.ANSWER, moment=Moment.REQUEST, response=head.encode("latin-1") + body)

    @classmethod
    def _at(cls, action: Action, when: When, *, size: int = 1, interval: float | None = 0.0) -> Fault:
        moment, offset = _moment(when)
        if action is Action.HALF_CLOSE and moment is Moment.CONNECT:
            raise InvalidRequestError(
                "half_close(at='connect') would only be a failed handshake: use cut(at='connect')"
            )
        return cls(action=action, moment=moment, offset=offset, size=size, interval=interval)

    def __repr__(self) -> str:
        if self.action is Action.ANSWER:
            return f"Fault.answer({self.response.split()[1].decode()})"
        counted = {moment: name for name, moment in _COUNTED.items()}
        when = f"{counted[self.moment]}={self.offset}" if self.moment in counted else f"at={self.moment.value!r}"
        if self.action is Action.DRIBBLE:
            when = f"size={self.size}, interval={self.interval}, {when}"
        return f"Fault.{self.action.value.replace('-', '_')}({when})"


def _moment(when: When) -> tuple[Moment, int]:
    given = dict(when)
    unknown = given.keys() - {"at", *_COUNTED}
    if unknown:
        raise TypeError(
            f"a fault has no argument {', '.join(sorted(unknown))}; a moment is at= or {', '.join(_COUNTED)}"
        )
    if len(given) > 1:
        raise InvalidRequestError(f"{' and '.join(sorted(given))}: a fault has one moment, give one of them")
    if not given:
        return Moment.RESPONSE, 0
    name, value = given.popitem()
    if name == "at":
        if value not in _NAMED:
            raise InvalidRequestError(f"at={value!r}: give one of {', '.join(map(repr, _NAMED))}")
        return _NAMED[str(value)], 0
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise InvalidRequestError(f"{name}={value!r}: give a number from 0 on")
    return _COUNTED[name], value


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenRequest:
    """A request that came through the proxy, as it was when asked for.

    ``connection`` is the number of its connection, from 1 on; ``status`` the response's, 0
    before its head has come; ``complete`` whether the whole response has been passed on.
    ``headers`` are its header lines in order, names in lower case; of one that holds a credential
    only the scheme is kept (``Bearer ...``). Bodies are not kept.
    """

    connection: int
    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    status: int = 0
    complete: bool = False

    @property
    def path(self) -> str:
        """The target up to the query."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """The target behind the ``?``, undecoded."""
        return self.target.partition("?")[2]

    def header(self, name: str) -> str | None:
        """The value of a header, that of its first line; None where the request has none."""
        return next((value for each, value in self.headers if each == name.lower()), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxiedConnection:
    """A connection that came to the proxy, as it was when asked for.

    ``number`` counts from 1; ``requests`` is how many requests were read on it; ``bytes_up``
    and ``bytes_down`` are what was passed on to the server and to the client (of the TLS
    content, where the proxy ends TLS); ``client_closed`` whether the client has sent its FIN;
    ``http`` whether all of it was HTTP/1.1 that the proxy could read; ``error`` what ended
    it, where that was neither a fault nor a proper end.
    """

    number: int
    open: bool
    requests: int
    bytes_up: int
    bytes_down: int
    client_closed: bool
    http: bool
    error: str
