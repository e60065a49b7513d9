"""As much of SPDY/3.1 as a forwarded port needs, as values: no socket here.

kubectl forwards ports over SPDY inside of a WebSocket (8.2.3 in docs/reference/parity), since that has what the
channels of a WebSocket have not: an end of one direction. For the frames see
https://www.chromium.org/spdy/spdy-protocol/spdy-protocol-draft3-1/. The other side is github.com/moby/spdystream, which
knows no flow control; so there is none here.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dynkube.errors import DecodeError

__all__ = ["Frame", "Session"]

_VERSION = 0x8003
_SYN_STREAM, _SYN_REPLY, _RST_STREAM, _PING, _GOAWAY = 1, 2, 3, 6, 7
_FIN = 0x01
_PIECE = 1 << 16


@dataclass(frozen=True, slots=True)
class Frame:
    """What the other side says about a stream.

    Attributes:
        stream: which; 0 for the whole session.
        data: bytes of it.
        end: whether it sends nothing more.
        reset: whether it has given up, on the stream or on everything.
        ping: a question, to be answered with these bytes.
    """

    stream: int
    data: bytes = b""
    end: bool = False
    reset: bool = False
    ping: bytes = b""


class Session:
    """The frames of one connection.

    >>> session = Session()
    >>> list(session.feed(Session().data(3, b"abc", end=True)))
    [Frame(stream=3, data=b'abc', end=True, reset=False, ping=b'')]
    """

    def __init__(self) -> None:
        # A stream without SPDY's dictionary is a zlib stream too: its header says so (RFC 1950, FDICT).
        self._compressor = zlib.compressobj()
        self._held = bytearray()

    def open(self, stream: int, headers: Mapping[str, str], *, end: bool = False) -> bytes:
        """The frame that opens a stream, with an odd number; ``end``: we send nothing on it."""
        block = struct.pack("!I", len(headers))
        for name, value in headers.items():
            for text in (name.lower().encode(), value.encode()):
                block += struct.pack("!I", len(text)) + text
        packed = self._compressor.compress(block) + self._compressor.flush(zlib.Z_SYNC_FLUSH)
        return _control(_SYN_STREAM, _FIN if end else 0, struct.pack("!IIH", stream, 0, 0) + packed)

    @staticmethod
    def data(stream: int, data: bytes, *, end: bool = False) -> bytes:
        """A frame with data of a stream."""
        return struct.pack("!II", stream, (_FIN if end else 0) << 24 | len(data)) + data

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that are complete now.

        Raises:
            DecodeError: it is no SPDY.
        """
        held = self._held
        held += data
        while len(held) >= 8:
            first, second = struct.unpack_from("!II", held)
            length = second & 0xFFFFFF
            if len(held) < 8 + length:
                return
            payload = bytes(held[8 : 8 + length])
            del held[: 8 + length]
            flags = second >> 24
            if not first >> 31:
                yield Frame(first, payload, end=bool(flags & _FIN))
            elif (frame := _control_frame(first, flags, payload)) is not None:
                yield frame


def _control(kind: int, flags: int, payload: bytes) -> bytes:
    return struct.pack("!HHI", _VERSION, kind, flags << 24 | len(payload)) + payload


def _control_frame(first: int, flags: int, payload: bytes) -> Frame | None:
    if first >> 16 != _VERSION:
        raise DecodeError(f"port-forward: not a frame of SPDY/3: {first:#010x}")
    kind = first & 0xFFFF
    stream = struct.unpack("!I", payload[:4])[0] if len(payload) >= 4 else 0
    if kind == _SYN_REPLY and flags & _FIN:
        return Frame(stream, end=True)
    if kind == _RST_STREAM:
        return Frame(stream, reset=True)
    if kind == _GOAWAY:
        return Frame(0, reset=True)
    if kind == _PING:
        return Frame(0, ping=_control(_PING, 0, payload))
    return None  # settings, headers, windows: nothing to us
