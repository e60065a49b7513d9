"""How a fault spoils an answer: one effect for each, as values that make a response of a response."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import ClassVar, TypeAlias

from dynkube import codec
from dynkube.testing.apiserver.words import statuses
from dynkube.testing.apiserver.words.messages import ConnectionCut, Response, Upgrade, Wire

__all__ = [
    "PAGE",
    "SMALLEST_FRAME",
    "Answer",
    "ContentType",
    "CorruptGzip",
    "Cut",
    "Effect",
    "Empty",
    "Garbage",
    "Hang",
    "Html",
    "Lose",
    "Nothing",
    "OversizedFrame",
    "Refuse",
    "Spoiler",
    "Substitute",
]

PAGE = b"<!DOCTYPE html><html><body><h1>It works!</h1></body></html>"
_JSON = ("Content-Type", "application/json")
_FRAME = b'{"type":"MODIFIED","object":{"kind":"ConfigMap","apiVersion":"v1","metadata":{},"data":{"x":"%b"}}}\n'
SMALLEST_FRAME = len(_FRAME % b"")
_UNREADABLE_FRAME = b'{"type":"ADDED","object":{"kind":\n'
_FRAME_CHUNK = 2**20

# AM/api/errors: the reason of a status, and what the server says with it where the message is fixed.
_REASONS = {
    400: ("BadRequest", "the server rejected our request for an unknown reason"),
    401: ("Unauthorized", "Unauthorized"),
    403: ("Forbidden", "forbidden"),
    404: ("NotFound", "the server could not find the requested resource"),
    405: ("MethodNotAllowed", "the server does not allow this method on the requested resource"),
    406: ("NotAcceptable", "the server was unable to respond with a content type that the client supports"),
    409: ("Conflict", "the server reported a conflict"),
    410: ("Expired", "The provided continue parameter is too old"),
    413: ("RequestEntityTooLarge", "Request entity too large"),
    415: ("UnsupportedMediaType", "the body of the request was in an unknown format"),
    422: ("Invalid", "the server rejected our request due to an error in our request"),
    429: ("TooManyRequests", "the server has received too many requests and has asked us to try again later"),
    500: ("InternalError", "an error on the server has prevented the request from succeeding"),
    503: ("ServiceUnavailable", "the server is currently unable to handle the request"),
    504: ("Timeout", "the server was unable to return a response in the time allotted"),
}


class Substitute:
    """What a fault answers in place of the server, which does nothing."""

    verb: ClassVar[str] = ""

    def respond(self) -> Response:
        """The answer.

        Raises:
            ConnectionCut: There is none.
        """
        raise ConnectionCut


class Spoiler:
    """What a fault makes of the server's answer.

    Attributes:
        verb: The only verb that it makes sense for; "" for any.
    """

    verb: ClassVar[str] = ""

    async def spoil(self, response: Response) -> Response:
        """The answer that is sent.

        Raises:
            ConnectionCut: None is.
        """
        return response


Effect: TypeAlias = Substitute | Spoiler


# ---------------------------------------------------------------------- in place of the answer


@dataclass(frozen=True, slots=True)
class Answer(Substitute):
    """A Status."""

    status: int
    reason: str
    message: str
    retry_after: int | None

    def respond(self) -> Response:
        """See `Substitute`."""
        reason, message = _REASONS.get(self.status, ("", f"the server answered with status {self.status}"))
        headers = [_JSON]
        details = None
        if self.retry_after is not None:
            headers.append(("Retry-After", str(self.retry_after)))
            details = {"retryAfterSeconds": self.retry_after}
        status = statuses.status(self.status, self.reason or reason, self.message or message, details)
        return Response(status=self.status, headers=headers, body=codec.encode(status) + b"\n")


@dataclass(frozen=True, slots=True)
class Hang(Substitute):
    """Nothing, for as long as the injection lasts; `faults` waits for its end."""


@dataclass(frozen=True, slots=True)
class Html(Substitute):
    """A page."""

    def respond(self) -> Response:
        """See `Substitute`."""
        return Response(status=200, headers=[("Content-Type", "text/html")], body=PAGE)


@dataclass(frozen=True, slots=True)
class Empty(Substitute):
    """A 200, and that is all."""

    def respond(self) -> Response:
        """See `Substitute`."""
        return Response(status=200, headers=[_JSON])


@dataclass(frozen=True, slots=True)
class Refuse(Substitute):
    """The end of the connection, before anything is done."""

    reset: bool

    def respond(self) -> Response:
        """See `Substitute`."""
        raise ConnectionCut(reset=self.reset)


# ---------------------------------------------------------------------- the answer, spoilt


@dataclass(frozen=True, slots=True)
class Nothing(Spoiler):
    """The answer as it is: being late is the fault."""


@dataclass(frozen=True, slots=True)
class Lose(Spoiler):
    """The end of the connection, when everything is done."""

    reset: bool

    async def spoil(self, response: Response) -> Response:
        """See `Spoiler`."""
        await _discard(response)
        raise ConnectionCut(reset=self.reset)


@dataclass(frozen=True, slots=True)
class Cut(Spoiler):
    """A part of the answer."""

    after: int

    async def spoil(self, response: Response) -> Response:
        """See `Spoiler`."""
        if response.upgrade is not None:
            return replace(response, upgrade=_cut_upgrade(response.upgrade, self.after))
        if isinstance(response.body, bytes):
            length = ("Content-Length", str(len(response.body)))
            headers = [*response.headers, length]
            return replace(response, headers=headers, body=_cut(_once(response.body), self.after))
        return replace(response, body=_cut(response.body, self.after))


@dataclass(frozen=True, slots=True)
class ContentType(Spoiler):
    """The answer, called something else."""

    content_type: str

    async def spoil(self, response: Response) -> Response:
        """See `Spoiler`."""
        return replace(response, headers=_with(response, ("Content-Type", self.content_type)))


@dataclass(frozen=True, slots=True)
class Garbage(Spoiler):
    """The first half of the answer, as if it were all."""

    async def spoil(self, response: Response) -> Response:
        """See `Spoiler`."""
        if isinstance(response.body, bytes):
            return replace(response, body=response.body[: len(response.body) // 2])
        await _discard(response)
        return replace(response, body=_once(_UNREADABLE_FRAME))


@dataclass(frozen=True, slots=True)
class CorruptGzip(Spoiler):
    """The answer, compressed and damaged."""

    async def spoil(self, response: Response) -> Response:
        """See `Spoiler`."""
        body = response.body
        if not isinstance(body, bytes):
            await _discard(response)
            body = _UNREADABLE_FRAME
        packed = bytearray(gzip.compress(body, 1))
        # Behind the header of ten bytes, and not only in the checksum: unpacking fails at once.
        packed[10 : len(packed) - 8] = bytes(each ^ 0xFF for each in packed[10 : len(packed) - 8])
        headers = [*_with(response, ("Content-Encoding", "gzip")), ("Vary", "Accept-Encoding")]
        return replace(response, headers=headers, body=bytes(packed), compressible=False)


@dataclass(frozen=True, slots=True)
class OversizedFrame(Spoiler):
    """A watch whose first frame is too large."""

    verb: ClassVar[str] = "watch"
    size: int

    async def spoil(self, response: Response) -> Response:
        """See `Spoiler`."""
        if isinstance(response.body, bytes):  # the watch was refused
            return response
        return replace(response, body=self._stream(response.body))

    async def _stream(self, body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        begin, _, end = _FRAME.partition(b"%b")
        try:
            yield begin
            left = self.size - SMALLEST_FRAME
            while left > 0:
                yield b"x" * min(left, _FRAME_CHUNK)
                left -= _FRAME_CHUNK
            yield end
            async for chunk in body:
                yield chunk
        finally:
            await _close(body)


def _with(response: Response, header: tuple[str, str]) -> list[tuple[str, str]]:
    return [each for each in response.headers if each[0].lower() != header[0].lower()] + [header]


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def _cut(body: AsyncIterator[bytes], after: int) -> AsyncIterator[bytes]:
    left = after
    try:
        async for chunk in body:
            if len(chunk) > left:
                raise ConnectionCut(chunk[:left])
            left -= len(chunk)
            yield chunk
    finally:
        await _close(body)
    raise ConnectionCut


def _cut_upgrade(upgrade: Upgrade, after: int) -> Upgrade:
    return lambda wire: upgrade(_CutWire(wire, after))


class _CutWire:
    """An upgraded connection that ends when so many bytes were sent on it."""

    def __init__(self, wire: Wire, after: int) -> None:
        self._wire = wire
        self._left = after

    async def read(self) -> bytes:
        """Of the client."""
        return await self._wire.read()

    async def write(self, data: bytes) -> None:
        """Send as much as may go."""
        if len(data) > self._left:
            await self._wire.write(data[: self._left])
            self.abort()
            raise ConnectionResetError
        self._left -= len(data)
        await self._wire.write(data)

    def abort(self) -> None:
        """End it."""
        self._wire.abort()


async def _discard(response: Response) -> None:
    if not isinstance(response.body, bytes):
        await _close(response.body)


async def _close(body: AsyncIterator[bytes]) -> None:
    close = getattr(body, "aclose", None)
    if close is not None:
        await close()
