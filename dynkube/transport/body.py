"""Response bodies: whole ones in one piece of memory, and streams as they arrive."""

from __future__ import annotations

import http.client
import io
import re
import socket
import ssl
import zlib
from collections.abc import Iterator
from typing import Protocol

import requests
from urllib3.response import BaseHTTPResponse

from dynkube.errors import DecodeError

__all__ = ["Dechunker", "Gunzip", "Source", "read_whole", "source_of"]

_PIECE = 1 << 18
_TEXT_PIECE = 1 << 20
_GZIP = ("gzip", "x-gzip")
_CHUNK_SIZE = re.compile(rb"[0-9A-Fa-f]{1,15}")
# What mostly stands between two chunks: the end of one, and the size of the next, above 0, without extensions.
_NEXT_CHUNK = re.compile(rb"\r\n([1-9a-fA-F][0-9a-fA-F]{0,14})\r\n")
_LINE_LIMIT = 1 << 16


def is_gzip(encoding: str | None) -> bool:
    """Whether a Content-Encoding is gzip, the one that we ask for."""
    return encoding is not None and encoding.strip().lower() in _GZIP


def read_whole(raw: BaseHTTPResponse, *, gunzip: bool) -> bytes:
    """The whole body.

    Pieces go into one growing buffer whose memory becomes the result: joining a list of them would hold a large
    body twice.

    Args:
        raw: The response, its body unread.
        gunzip: Whether the body is to be un-gzipped.

    Raises:
        DecodeError: It is not gzip, or ends early.
        http.client.HTTPException: The framing is broken.
    """
    if not gunzip and getattr(raw, "length_remaining", None) is not None:
        return raw.read(decode_content=False)  # one allocation of the right size
    decoder = Gunzip() if gunzip else None
    buffer = io.BytesIO()
    try:
        while piece := raw.read(_PIECE, decode_content=False):
            buffer.writelines(decoder.texts(piece) if decoder else (piece,))
    except ValueError as error:
        # http.client takes "-5" for the size of a chunk, because int() does, and then cannot read so many bytes.
        raise http.client.HTTPException("the size of a chunk is not a number") from error
    if decoder:
        decoder.finish()
    return buffer.getvalue()


class Gunzip:
    """Un-gzips a body piece by piece; several gzip members are one text (RFC 1952)."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(zlib.MAX_WBITS | 16)
        self._fed = False

    def feed(self, data: bytes) -> bytes:
        """The text of the next piece; may be empty.

        Raises:
            DecodeError: It is not gzip.
        """
        return b"".join(self.texts(data))

    def texts(self, data: bytes) -> Iterator[bytes]:
        """`feed` in pieces of at most 1 MiB: what repeats itself packs a thousandfold.

        Raises:
            DecodeError: It is not gzip.
        """
        try:
            more = bool(data)
            while more:
                if self._member.eof:
                    self._member = zlib.decompressobj(zlib.MAX_WBITS | 16)
                self._fed = True
                text = self._member.decompress(data, _TEXT_PIECE)
                yield text
                data = self._member.unconsumed_tail or self._member.unused_data
                # A full piece may have left text in the decoder that needs no more input.
                more = bool(data) or (len(text) == _TEXT_PIECE and not self._member.eof)
        except zlib.error as error:
            raise DecodeError(f"the response says Content-Encoding: gzip, but its body is not gzip: {error}") from error

    def finish(self) -> None:
        """The body is over.

        Raises:
            DecodeError: The gzip text is not.
        """
        if self._fed and not self._member.eof:
            raise DecodeError("the response's gzip body ends early: part of it is missing")


class Dechunker:
    r"""Takes HTTP's chunked framing off, however it is cut (RFC 9112 7.1).

    http.client's read1 returns one chunk at a time and reads its size with two more calls: for a watch, where
    each event is a chunk, that is most of the work.

    >>> dechunker = Dechunker()
    >>> dechunker.feed(b"3\r\nabc\r\n2;x=y\r"), dechunker.feed(b"\nde\r\n0\r\n\r\n"), dechunker.done
    (b'abc', b'de', True)
    """

    __slots__ = ("_between", "_left", "_line", "_trailer", "done", "rest")

    def __init__(self) -> None:
        self._left = 0
        self._line = b""
        self._between = False
        self._trailer = False
        self.done = False
        """The last chunk and the trailer have come."""
        self.rest = b""
        """What came after them."""

    def feed(self, data: bytes) -> bytes:
        """The content in ``data``; may be empty.

        Raises:
            http.client.HTTPException: The framing is broken.
        """
        parts: list[bytes] = []
        position, end = 0, len(data)
        while position < end:
            if self._left:
                stop = min(end, position + self._left)
                parts.append(data[position:stop])
                self._left -= stop - position
                position = stop
            elif self.done:
                self.rest = data[position:]
                break
            elif self._between and not self._line and (found := _NEXT_CHUNK.match(data, position)):
                self._left = int(found[1], 16)
                position = found.end()
            else:
                position = self._next_line(data, position, end)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _next_line(self, data: bytes, position: int, end: int) -> int:
        newline = data.find(b"\n", position)
        if newline < 0:
            self._line += data[position:]
            if len(self._line) > _LINE_LIMIT:
                raise http.client.LineTooLong("chunk size")
            return end
        line = self._line + data[position:newline]
        self._line = b""
        self._take(line.removesuffix(b"\r"))
        return newline + 1

    def _take(self, line: bytes) -> None:
        if self._between:
            if line:
                raise http.client.HTTPException("a chunk is longer than its size says")
            self._between = False
        elif self._trailer:
            self.done = not line
        else:
            size = line.partition(b";")[0].strip()
            if not _CHUNK_SIZE.fullmatch(size):
                raise http.client.HTTPException("the size of a chunk is not a number")
            self._left = int(size, 16)
            self._trailer = not self._left
            self._between = not self._trailer


# --------------------------------------------------------------------------- sources of a stream


class Source(Protocol):
    """The body of a response that is read as it arrives."""

    def read(self, limit: int) -> bytes:
        """At least one byte, at most ``limit``; ``b""`` when the body has come to its proper end."""

    def read_ready(self, limit: int) -> bytes:
        """What has arrived, at most ``limit``, without waiting; ``b""`` for nothing, or where only `read` can say."""

    def close(self) -> None:
        """Done with it: back to the pool if the body has been read to its end, else closed."""


def source_of(answer: object, parsed: http.client.HTTPResponse | None) -> Source:
    """Where the body of ``answer`` comes from.

    Args:
        answer: A `requests.Response`, or anything with its ``raw``.
        parsed: The http.client response at the bottom of it, if it is known.
    """
    raw = getattr(answer, "raw", None)
    if isinstance(raw, BaseHTTPResponse) and not getattr(answer, "_content_consumed", False):
        if parsed is not None and parsed.chunked and parsed.fp is not None:
            return _ChunkedSource(raw, parsed)
        return _RawSource(raw)
    assert isinstance(answer, requests.Response)
    return _ContentSource(answer)


class _ChunkedSource:
    """Our own connection: takes what the socket has, all the chunks in it at once.

    A server that has much to say sends each event of a watch as a record of TLS, and a read returns one record: whoever
    reads on while there is more has to be woken, and to hand over, once for many of them.
    """

    def __init__(self, raw: BaseHTTPResponse, parsed: http.client.HTTPResponse) -> None:
        self._raw = raw
        self._parsed = parsed
        self._stream: io.BufferedReader = parsed.fp
        self._dechunker = Dechunker()
        sock = getattr(getattr(parsed.fp, "raw", None), "_sock", None)
        # Of others, TLS within TLS for one, it is not known whether they can be asked without waiting.
        self._socket: socket.socket | None = sock if type(sock) in {socket.socket, ssl.SSLSocket} else None
        self._failure: Exception | None = None  # met while reading on
        self._holds_more = False

    def read(self, limit: int) -> bytes:
        while not self._dechunker.done:
            if self._failure is not None:
                raise self._failure
            data = self._stream.read1(limit)
            if not data:
                raise http.client.IncompleteRead(b"")
            # What the buffer still holds comes before what the socket has.
            self._holds_more = len(data) >= limit
            content = self._dechunker.feed(data)
            content += self.read_ready(limit - len(data))
            if content:
                return content
        return b""

    def read_ready(self, limit: int) -> bytes:
        if self._dechunker.done or self._holds_more:
            return b""
        try:
            return self._dechunker.feed(b"".join(self._more(limit)))
        except http.client.HTTPException as error:
            self._failure = error
            return b""

    def _more(self, room: int) -> Iterator[bytes]:
        sock = self._socket
        if sock is None or self._failure is not None:
            return
        try:
            timeout = sock.gettimeout()
            sock.settimeout(0.0)
            try:
                while room > 0:
                    piece = sock.recv(room)
                    if not piece:
                        raise http.client.IncompleteRead(b"")
                    room -= len(piece)
                    yield piece
            finally:
                sock.settimeout(timeout)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return  # there is no more
        except (OSError, http.client.HTTPException) as error:
            self._failure = error

    def close(self) -> None:
        if self._dechunker.done and not self._dechunker.rest:
            self._parsed.close()
            self._raw.release_conn()
        else:
            self._raw.close()


class _RawSource:
    def __init__(self, raw: BaseHTTPResponse) -> None:
        self._raw = raw
        self._ended = False

    def read(self, limit: int) -> bytes:
        data = self._raw.read1(limit, decode_content=False)
        self._ended = not data
        return data or b""

    def read_ready(self, limit: int) -> bytes:
        del limit
        return b""

    def close(self) -> None:
        if not self._ended:
            self._raw.close()
        self._raw.release_conn()


class _ContentSource:
    """What a user's adapter or hook made; requests decodes it."""

    def __init__(self, answer: requests.Response) -> None:
        self._answer = answer
        self._pieces: Iterator[bytes] = answer.iter_content(1 << 16)
        self._held = b""

    def read(self, limit: int) -> bytes:
        if not self._held:
            self._held = next(self._pieces, b"")
        data, self._held = self._held[:limit], self._held[limit:]
        return data

    def read_ready(self, limit: int) -> bytes:
        del limit
        return b""

    def close(self) -> None:
        self._answer.close()
