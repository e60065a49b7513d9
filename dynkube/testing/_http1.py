"""Where HTTP/1.1 messages begin and end, byte for byte, as they pass through the `FaultProxy`.

A parser would hand out values and lose the bytes; a fault at byte n of a body needs the
bytes exactly as they came. So the scanner cuts a stream into pieces whose concatenation is
the stream, and says of each piece what it is (RFC 9112, sections 2, 6 and 7).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum, auto

_MAX_HEAD = 1 << 20
_MAX_LINE = 1 << 16


class Kind(Enum):
    """What a piece of the stream is."""

    HEAD = auto()
    """A start line and its fields, up to and with the blank line."""
    BODY = auto()
    """Payload of a body, without any framing."""
    FRAMING = auto()
    """Chunk sizes and trailers."""
    CHUNK_END = auto()
    """The line end after the data of a chunk."""
    END = auto()
    """No bytes: the message is complete."""
    OTHER = auto()
    """Bytes that are not HTTP/1.1: after an upgrade, or from the beginning."""


@dataclass(frozen=True, slots=True)
class Head:
    """A start line and its fields."""

    start: tuple[str, str, str]
    fields: tuple[tuple[str, str], ...]

    def values(self, name: str) -> list[str]:
        """The values of all lines of this field; ``name`` in lower case."""
        return [value for each, value in self.fields if each == name]

    @property
    def status(self) -> int:
        """The status of a response, 0 when it is none."""
        return int(self.start[1]) if self.start[1].isdecimal() else 0


@dataclass(frozen=True, slots=True)
class Piece:
    """Some bytes of the stream, and what they are; ``head`` only with `Kind.HEAD`."""

    kind: Kind
    data: bytes
    head: Head | None = None


class Framing(Enum):
    """How the end of a body is known."""

    NONE = auto()
    LENGTH = auto()
    CHUNKED = auto()
    UNTIL_CLOSE = auto()
    NOT_HTTP = auto()
    """What follows is another protocol."""


@dataclass(frozen=True, slots=True)
class BodyRule:
    """The framing of one body, and its length where that is known."""

    framing: Framing
    length: int = 0


def request_body(head: Head) -> BodyRule:
    """How the body of a request ends (RFC 9112, 6.3)."""
    return _declared_body(head) or BodyRule(Framing.NONE)


def response_body(head: Head, method: str) -> BodyRule:
    """How the body of a response to ``method`` ends (RFC 9112, 6.3)."""
    if head.status == 101 or (method == "CONNECT" and 200 <= head.status < 300):
        return BodyRule(Framing.NOT_HTTP)
    if method == "HEAD" or head.status in {204, 304} or 100 <= head.status < 200:
        return BodyRule(Framing.NONE)
    return _declared_body(head) or BodyRule(Framing.UNTIL_CLOSE)


def _declared_body(head: Head) -> BodyRule | None:
    if any("chunked" in value.lower() for value in head.values("transfer-encoding")):
        return BodyRule(Framing.CHUNKED)
    lengths = head.values("content-length")
    if lengths and lengths[-1].isdecimal():
        return BodyRule(Framing.LENGTH, int(lengths[-1]))
    return None


class Scanner:
    """Cuts one direction of a connection into pieces.

    ``body_of`` says, for each head, how its body ends. A stream that is not HTTP/1.1, or
    stops being it, becomes pieces of `Kind.OTHER`; nothing is ever held back for good:
    `finish` gives what an early end left over.
    """

    def __init__(self, body_of: Callable[[Head], BodyRule]) -> None:
        self._body_of = body_of
        self._buffer = b""
        self._step: Callable[[], Piece | None] = self._head
        self._left = 0

    @property
    def http(self) -> bool:
        """Whether the stream has been HTTP/1.1 so far."""
        return self._step != self._other

    def feed(self, data: bytes) -> Iterator[Piece]:
        """The pieces that are complete with ``data``; the next bytes only after the last piece is taken."""
        self._buffer = self._buffer + data if self._buffer else data
        while True:
            piece = self._step()
            if piece is None:
                return
            yield piece

    def finish(self) -> Iterator[Piece]:
        """The last pieces of a stream that has ended: an unfinished line, or the end of a body that ends so."""
        if self._buffer:
            yield Piece(Kind.OTHER, self._take(len(self._buffer)))
        if self._step == self._until_close:
            yield Piece(Kind.END, b"")

    def leave_http(self) -> None:
        """Take all that follows as another protocol: the peer has agreed to an upgrade."""
        self._step = self._other

    def _take(self, size: int) -> bytes:
        taken, self._buffer = self._buffer[:size], self._buffer[size:]
        return taken

    def _head(self) -> Piece | None:
        if not self._buffer:
            return None
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            hopeless = len(self._buffer) > _MAX_HEAD or not _may_be_http(self._buffer)
            return self._give_up() if hopeless else None
        head = _parse_head(self._buffer[:end])
        if head is None:
            return self._give_up()
        rule = self._body_of(head)
        self._left = rule.length
        self._step = {
            Framing.NONE: self._end,
            Framing.LENGTH: self._length,
            Framing.CHUNKED: self._chunk_size,
            Framing.UNTIL_CLOSE: self._until_close,
            Framing.NOT_HTTP: self._other,
        }[rule.framing]
        return Piece(Kind.HEAD, self._take(end + 4), head)

    def _end(self) -> Piece:
        self._step = self._head
        return Piece(Kind.END, b"")

    def _length(self) -> Piece | None:
        if self._left == 0:
            return self._end()
        return self._payload()

    def _payload(self) -> Piece | None:
        if not self._buffer:
            return None
        data = self._take(self._left)
        self._left -= len(data)
        return Piece(Kind.BODY, data)

    def _chunk_size(self) -> Piece | None:
        line = self._line()
        if line is None:
            return self._give_up() if len(self._buffer) > _MAX_LINE else None
        try:
            self._left = int(line.partition(b";")[0], 16)
        except ValueError:
            self._buffer = line + self._buffer
            return self._give_up()
        self._step = self._chunk if self._left else self._trailer
        return Piece(Kind.FRAMING, line)

    def _chunk(self) -> Piece | None:
        if self._left:
            return self._payload()
        if len(self._buffer) < 2:
            return None
        self._step = self._chunk_size
        return Piece(Kind.CHUNK_END, self._take(2))

    def _trailer(self) -> Piece | None:
        line = self._line()
        if line is None:
            return None
        if line == b"\r\n":
            self._step = self._end
        return Piece(Kind.FRAMING, line)

    def _line(self) -> bytes | None:
        end = self._buffer.find(b"\r\n")
        return None if end < 0 else self._take(end + 2)

    def _until_close(self) -> Piece | None:
        return Piece(Kind.BODY, self._take(len(self._buffer))) if self._buffer else None

    def _give_up(self) -> Piece | None:
        self._step = self._other
        return self._other()

    def _other(self) -> Piece | None:
        return Piece(Kind.OTHER, self._take(len(self._buffer))) if self._buffer else None


def _may_be_http(data: bytes) -> bool:
    # A TLS record begins with 0x16; methods and "HTTP/1.1" begin with a letter.
    return data[:1].isalpha() or data[:1] in {b"\r", b"\n"}


def _parse_head(data: bytes) -> Head | None:
    lines = data.decode("latin-1").split("\r\n")
    start = lines[0].split(" ", 2)
    if len(start) == 2:
        start.append("")  # a status line without a reason phrase
    if len(start) != 3 or not (start[0].startswith("HTTP/1.") or start[2].startswith("HTTP/1.")):
        return None
    fields = (line.partition(":") for line in lines[1:])
    return Head(
        (start[0], start[1], start[2]), tuple((name.strip().lower(), value.strip()) for name, _, value in fields)
    )
