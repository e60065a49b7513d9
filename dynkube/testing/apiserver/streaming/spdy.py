"""SPDY/3.1 frames, the server's side, as far as port-forward goes: bytes to frames and back; pure.

The draft is https://www.chromium.org/spdy/spdy-protocol/spdy-protocol-draft3-1/; the real server and its clients use
github.com/moby/spdystream, which knows no flow control.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

__all__ = ["Frame", "SPDYError", "Session", "data_frame"]

_SYN_STREAM, _SYN_REPLY, _RST_STREAM, _PING, _GOAWAY = 1, 2, 3, 6, 7
_CONTROL: Final = 0x8003
_FIN: Final = 1
_MAX_HEADERS: Final = 64 * 1024
_WORDS: Final = (
    "options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow "
    "authorization cache-control connection content-base content-encoding content-language content-length "
    "content-location content-md5 content-range content-type date etag expect expires from host if-match "
    "if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma "
    "proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade "
    "user-agent vary via warning www-authenticate method get status 200_OK version HTTP/1.1 url public set-cookie "
    "keep-alive origin"
)
_REST: Final = (
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505203 Non-Authoritative "
    "Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden404 Not Found500 "
    "Internal Server Error501 Not Implemented503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec "
    "00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,application/xml,"
    "application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8"
    "charset=iso-8859-1,utf-,*,enq=0."
)


class SPDYError(ValueError):
    """What came is no SPDY."""


def _dictionary() -> bytes:
    """What both sides' compressors begin with (2.6.10.1 of the draft)."""
    words = [word.replace("_", " ").encode() for word in _WORDS.split()]
    return b"".join(len(word).to_bytes(4, "big") + word for word in words) + _REST.encode()


@dataclass(frozen=True, slots=True)
class Frame:
    """What the client says.

    Attributes:
        kind: ``open``, ``data``, ``reset``, ``ping`` or ``end`` (of the session).
        stream: Of which stream; of a ping, its number.
        headers: Of an open.
        data: Of data.
        is_last: Whether the client says nothing more on the stream.
    """

    kind: str
    stream: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    data: bytes = b""
    is_last: bool = False


def data_frame(stream: int, data: bytes, *, is_last: bool = False) -> bytes:
    """Data of a stream; ``is_last``: nothing more comes on it."""
    return stream.to_bytes(4, "big") + bytes((_FIN if is_last else 0,)) + len(data).to_bytes(3, "big") + data


class Session:
    """The frames of one connection."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._decompressor = zlib.decompressobj(zdict=_dictionary())
        self._compressor = zlib.compressobj(zdict=_dictionary())

    def reply(self, stream: int) -> bytes:
        """The answer to an open."""
        block = self._compressor.compress((0).to_bytes(4, "big")) + self._compressor.flush(zlib.Z_SYNC_FLUSH)
        return _control(_SYN_REPLY, stream.to_bytes(4, "big") + block)

    @staticmethod
    def pong(number: int) -> bytes:
        """The answer to a ping."""
        return _control(_PING, number.to_bytes(4, "big"))

    @staticmethod
    def reset(stream: int) -> bytes:
        """Refuse a stream (REFUSED_STREAM)."""
        return _control(_RST_STREAM, stream.to_bytes(4, "big") + (3).to_bytes(4, "big"))

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that are complete with these bytes.

        Raises:
            SPDYError: It is no SPDY.
        """
        rest = self._rest
        rest += data
        while len(rest) >= 8:
            size = int.from_bytes(rest[5:8], "big")
            if len(rest) < 8 + size:
                return
            first, is_last = int.from_bytes(rest[:4], "big"), bool(rest[4] & _FIN)
            payload = bytes(rest[8 : 8 + size])
            del rest[: 8 + size]
            if not first >> 31:
                yield Frame("data", first, data=payload, is_last=is_last)
            elif (frame := self._control_frame(first, payload, is_last=is_last)) is not None:
                yield frame

    def _control_frame(self, first: int, payload: bytes, *, is_last: bool) -> Frame | None:
        if first >> 16 != _CONTROL or len(payload) < 4:
            raise SPDYError("this is no SPDY/3.1")
        kind, stream = first & 0xFFFF, int.from_bytes(payload[:4], "big")
        if kind == _SYN_STREAM:
            return Frame("open", stream, self._headers(payload[10:]), is_last=is_last)
        plain = {_RST_STREAM: "reset", _PING: "ping", _GOAWAY: "end"}.get(kind)
        return None if plain is None else Frame(plain, stream)

    def _headers(self, block: bytes) -> dict[str, str]:
        try:
            plain = self._decompressor.decompress(block, _MAX_HEADERS)
        except zlib.error as error:
            raise SPDYError("headers that cannot be decompressed") from error
        texts, at = [], 4
        while at + 4 <= len(plain):
            end = at + 4 + int.from_bytes(plain[at : at + 4], "big")
            texts.append(plain[at + 4 : end].decode("utf-8", "replace"))
            at = end
        return dict(zip(texts[::2], texts[1::2], strict=False))


def _control(kind: int, payload: bytes) -> bytes:
    return _CONTROL.to_bytes(2, "big") + kind.to_bytes(2, "big") + len(payload).to_bytes(4, "big") + payload
