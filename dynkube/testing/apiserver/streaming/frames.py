"""WebSocket frames (RFC 6455), the server's side: bytes to frames and back; pure.

A data frame is a message here, also one that says that more follows: golang.org/x/net/websocket, which the
real server reads by, takes each frame for a message of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

__all__ = [
    "BINARY",
    "CLOSE",
    "MAX_PAYLOAD_BYTES",
    "NORMAL_CLOSURE",
    "PING",
    "PONG",
    "PROTOCOL_ERROR",
    "TEXT",
    "Frame",
    "FrameError",
    "FrameReader",
    "encode_frame",
]

CONTINUATION: Final = 0
TEXT: Final = 1
BINARY: Final = 2
CLOSE: Final = 8
PING: Final = 9
PONG: Final = 10

NORMAL_CLOSURE: Final = 1000
PROTOCOL_ERROR: Final = 1002

MAX_PAYLOAD_BYTES: Final = 32 * 2**20
"""The largest message (golang.org/x/net/websocket, DefaultMaxPayloadBytes)."""

_MASKED = 0x80
_FINAL = 0x80
_TWO_BYTES = 126
_EIGHT_BYTES = 127


class FrameError(ValueError):
    """What came is no frame of a client."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame; its payload unmasked."""

    opcode: int
    payload: bytes


def encode_frame(opcode: int, payload: bytes) -> bytes:
    r"""A final frame, unmasked, as servers send it.

    >>> encode_frame(BINARY, b"\x01hi")
    b'\x82\x03\x01hi'
    """
    size = len(payload)
    if size < _TWO_BYTES:
        head = bytes((_FINAL | opcode, size))
    elif size < 2**16:
        head = bytes((_FINAL | opcode, _TWO_BYTES)) + size.to_bytes(2, "big")
    else:
        head = bytes((_FINAL | opcode, _EIGHT_BYTES)) + size.to_bytes(8, "big")
    return head + payload


class FrameReader:
    r"""Makes frames of bytes as they come.

    >>> reader = FrameReader()
    >>> list(reader.feed(b"\x82\x83\x01\x01\x01\x01\x01")), list(reader.feed(b"ih"))
    ([], [Frame(opcode=2, payload=b'\x00hi')])
    """

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that are complete with these bytes.

        Raises:
            FrameError: A frame is unmasked, or too large.
        """
        self._rest += data
        while True:
            frame = self._next()
            if frame is None:
                return
            yield frame

    def _next(self) -> Frame | None:
        head = self._head()
        if head is None:
            return None
        start, size = head
        end = start + 4 + size
        if len(self._rest) < end:
            return None
        opcode = self._rest[0] & 0x0F
        payload = _unmasked(bytes(self._rest[start + 4 : end]), bytes(self._rest[start : start + 4]))
        del self._rest[:end]
        return Frame(BINARY if opcode == CONTINUATION else opcode, payload)

    def _head(self) -> tuple[int, int] | None:
        """Where the mask of the first frame begins, and the size of its payload; None where it is not there yet."""
        rest = self._rest
        if len(rest) < 2:
            return None
        if not rest[1] & _MASKED:
            raise FrameError("a frame of a client is masked")
        size, start = rest[1] & ~_MASKED, 2
        extended = {_TWO_BYTES: 2, _EIGHT_BYTES: 8}.get(size, 0)
        if extended:
            start += extended
            if len(rest) < start:
                return None
            size = int.from_bytes(rest[2:start], "big")
        if size > MAX_PAYLOAD_BYTES:
            raise FrameError(f"a frame of {size} bytes is too large")
        return start, size


def _unmasked(payload: bytes, mask: bytes) -> bytes:
    if not payload or mask == b"\0\0\0\0":
        return payload
    size = len(payload)
    key = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(size, "big")
