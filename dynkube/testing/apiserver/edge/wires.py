"""A connection after its upgrade: what aiohttp's protocol gets, as something to read and write."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Final

from aiohttp import web

__all__ = ["UpgradedWire"]

# Beyond this the socket is not read until somebody has taken it.
_ENOUGH: Final = 256 * 1024


class UpgradedWire:
    """Takes the place of aiohttp's WebSocket reader, and gives the bytes as they come.

    Args:
        protocol: Of the connection; nothing but this uses it from now on.
    """

    def __init__(self, protocol: web.RequestHandler) -> None:
        self._protocol = protocol
        self._pieces: deque[bytes] = deque()
        self._size = 0
        self._is_ended = False
        self._is_paused = False
        self._arrived = asyncio.Event()
        protocol.set_parser(self)  # type: ignore[arg-type]
        self._drain: Callable[[], Awaitable[None]] = protocol._drain_helper  # noqa: SLF001 - as aiohttp's own writers do

    # ------------------------------------------------------------------ what aiohttp calls

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """More has come."""
        self._pieces.append(bytes(data))
        self._size += len(data)
        self._arrived.set()
        transport = self._protocol.transport
        if self._size > _ENOUGH and not self._is_paused and transport is not None:
            self._is_paused = True
            transport.pause_reading()
        return False, b""

    def feed_eof(self) -> None:
        """No more comes."""
        self._is_ended = True
        self._arrived.set()

    def set_exception(self, *_: Any) -> None:
        """The connection broke."""
        self.feed_eof()

    # ------------------------------------------------------------------ words.messages.Wire

    async def read(self) -> bytes:
        """Wait for some bytes; b"" at the end."""
        while not self._pieces:
            if self._is_ended:
                return b""
            self._arrived.clear()
            await self._arrived.wait()
        data = b"".join(self._pieces)
        self._pieces.clear()
        self._size = 0
        transport = self._protocol.transport
        if self._is_paused and transport is not None:
            self._is_paused = False
            transport.resume_reading()
        return data

    async def write(self, data: bytes) -> None:
        """Send bytes, and wait while the client does not keep up.

        Raises:
            ConnectionError: The client has gone.
        """
        transport = self._protocol.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the client has gone")
        transport.write(data)
        await self._drain()

    def abort(self) -> None:
        """End it as a cable that is cut does."""
        transport = self._protocol.transport
        if transport is not None:
            transport.abort()
