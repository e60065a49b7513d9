"""How a response goes over a connection: head, whole body, gzip, stream, cut."""

from __future__ import annotations

import asyncio
import socket
import struct
import time
import uuid
import zlib
from collections.abc import AsyncIterator, Sequence
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import Final, cast

from aiohttp import web
from multidict import CIMultiDict

from dynkube.testing.apiserver.edge.wires import UpgradedWire
from dynkube.testing.apiserver.words.messages import ConnectionCut, Request, Response, Upgrade

__all__ = ["Writer", "head"]

_GZIP_THRESHOLD: Final = 128 * 1024
# AS/endpoints/handlers/responsewriters/writers.go: the level that costs least.
_GZIP_LEVEL: Final = 1
_GZIP_WINDOW: Final = 31
# A body is written, and compressed, in pieces: the loop gets its turn in between.
_PIECE: Final = 256 * 1024
_BODILESS: Final = frozenset({204, 304})
_RESET: Final = struct.pack("ii", 1, 0)  # SO_LINGER: on, no seconds
# How much more a chunk promises than it has, when it is cut.
_PROMISED: Final = 1024

_Headers = Sequence[tuple[str, str]]


def head(request: Request, response: Response) -> list[tuple[str, str]]:
    """The header fields of an answer: those of every answer of the API server, and its own.

    One that has no value is left out: an answer of its own without Cache-Control says so.
    """
    own = {name.lower() for name, _ in response.headers}
    common = [
        ("Audit-Id", request.headers.get("Audit-Id") or str(uuid.uuid4())),
        ("Cache-Control", "no-cache, private"),
    ]
    fields = [each for each in common if each[0].lower() not in own]
    return [*fields, *(each for each in response.headers if each[1]), ("Date", _date(int(time.time())))]


@lru_cache(maxsize=2)
def _date(seconds: int) -> str:
    return formatdate(seconds, usegmt=True)


class Writer:
    """Writes the answer to one request.

    Args:
        incoming: The request.
        is_parsed: Whether the parser made anything of it.

    Attributes:
        keeps_alive: Whether the connection serves more requests; to be decided before the head goes.
    """

    def __init__(self, incoming: web.BaseRequest, *, is_parsed: bool = True) -> None:
        self._writer = incoming.writer
        self._protocol = incoming.protocol
        # Of what the parser refused, the version is none.
        self._is_http10 = is_parsed and incoming.version < (1, 1)
        self._is_chunked = False
        self.keeps_alive = is_parsed and incoming.keep_alive and not self._is_http10

    async def go_on(self) -> None:
        """Tell the client to send its body (Expect: 100-continue)."""
        await self._writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self._writer.output_size = 0

    # ------------------------------------------------------------------ whole bodies

    async def body(self, request: Request, status: int, headers: _Headers, data: bytes, *, compressible: bool) -> None:
        """A whole body, compressed where that is worth it and wanted."""
        if compressible and len(data) > _GZIP_THRESHOLD and request.method != "HEAD" and _accepts_gzip(request):
            await self._compressed(status, headers, data)
        else:
            await self.whole(status, headers, data, with_body=request.method != "HEAD")

    async def whole(self, status: int, headers: _Headers, data: bytes, *, with_body: bool = True) -> None:
        """A body as it is."""
        if status in _BODILESS:
            await self._head(status, headers)
            data = b""
        else:
            await self._head(status, [*headers, ("Content-Length", str(len(data)))])
        await self._pieces(_slices(data) if with_body else ())

    async def _compressed(self, status: int, headers: _Headers, data: bytes) -> None:
        self._chunk()
        await self._head(status, [*headers, ("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding")])
        compressor = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _GZIP_WINDOW)
        for piece in _slices(data):
            compressed = compressor.compress(piece)
            if compressed:
                await self._writer.write(compressed)
            await asyncio.sleep(0)
        await self._writer.write_eof(compressor.flush())

    async def _pieces(self, pieces: Sequence[bytes | memoryview]) -> None:
        for piece in pieces[:-1]:
            await self._writer.write(piece)
            await self._writer.drain()
        await self._writer.write_eof(cast("bytes", pieces[-1]) if pieces else b"")

    # ------------------------------------------------------------------ streams

    async def stream(self, request: Request, status: int, headers: _Headers, body: AsyncIterator[bytes]) -> None:
        """Chunk by chunk, the head at once; plain where the headers say how long it is."""
        if not any(name.lower() == "content-length" for name, _ in headers):
            self._chunk()
        await self._head(status, headers)
        self._writer.send_headers()
        try:
            if request.method != "HEAD":
                async for chunk in body:
                    await self._writer.write(chunk)
        finally:
            close = getattr(body, "aclose", None)
            if close is not None:
                await close()
        await self.end()

    async def end(self) -> None:
        """The last chunk of a stream."""
        await self._writer.write_eof()

    async def cut(self, cut: ConnectionCut) -> None:
        """End the connection amid whatever goes over it."""
        self.keeps_alive = False
        transport = cast("asyncio.Transport | None", self._writer.transport)
        if transport is None:
            return
        if cut.data:
            begun = b"%x\r\n" % (len(cut.data) + _PROMISED) if self._is_chunked else b""
            transport.write(begun + cut.data)
        if cut.reset:
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        else:
            await self._writer.drain()
        transport.abort()

    # ------------------------------------------------------------------ other protocols

    async def upgraded(self, status: int, headers: _Headers, use: Upgrade) -> None:
        """The head, and then the connection to who goes on with it; it ends with that."""
        self.keeps_alive = False
        fields = "".join(f"{name}: {value}\r\n" for name, value in headers)
        await self._writer.write(f"HTTP/1.1 {status} {_phrase(status)}\r\n{fields}\r\n".encode("latin-1"))
        await use(UpgradedWire(self._protocol))

    # ------------------------------------------------------------------ heads

    def _chunk(self) -> None:
        # HTTP/1.0 knows no chunks: there the end of the connection is the end of the body.
        if not self._is_http10:
            self._is_chunked = True
            self._writer.enable_chunking()

    async def _head(self, status: int, headers: _Headers) -> None:
        fields: CIMultiDict[str] = CIMultiDict(headers)
        if self._is_chunked:
            fields.add("Transfer-Encoding", "chunked")
        if not self.keeps_alive and not self._is_http10:
            fields.add("Connection", "close")
        version = "1.0" if self._is_http10 else "1.1"
        await self._writer.write_headers(f"HTTP/{version} {status} {_phrase(status)}", fields)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "status code " + str(status)


def _slices(data: bytes) -> Sequence[bytes | memoryview]:
    if len(data) <= _PIECE:
        return (data,)
    view = memoryview(data)
    return [view[start : start + _PIECE] for start in range(0, len(data), _PIECE)]


def _accepts_gzip(request: Request) -> bool:
    accepted = request.headers.get("Accept-Encoding") or ""
    return any(each.strip() == "gzip" for each in accepted.split(","))
