"""Several streams over one WebSocket: ``channel.k8s.io`` and its relatives (streaming/pkg/httpstream/wsstream/conn.go).

Each message is one byte for the channel and the rest for its stream; in the base64 dialects a digit and base64.
In v5 the message 255, N is the end of what the client sends on channel N.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from dynkube.testing.apiserver.streaming.frames import (
    BINARY,
    NORMAL_CLOSURE,
    PROTOCOL_ERROR,
    TEXT,
    FrameError,
    encode_frame,
)
from dynkube.testing.apiserver.streaming.websockets import close, messages
from dynkube.testing.apiserver.words.messages import Wire

__all__ = ["Channels", "Sink", "closes_channels"]

Sink = Callable[[bytes], Awaitable[None]]
"""Takes what comes on one channel; b"" is its end."""

_STREAM_CLOSE: Final = 255


def closes_channels(protocol: str) -> bool:
    """Whether a client can end one channel and go on with the others."""
    return protocol == "v5.channel.k8s.io"


class Channels:
    """The streams of one connection; everything belongs on its loop.

    Args:
        wire: The upgraded connection.
        protocol: The subprotocol.
        sinks: Where goes what comes; a channel that has none is not read.
        count: How many channels there are.
    """

    def __init__(self, wire: Wire, protocol: str, sinks: Mapping[int, Sink], *, count: int) -> None:
        self._wire = wire
        self._sinks = dict(sinks)
        self._count = count
        self._is_base64 = "base64" in protocol
        self._has_close = closes_channels(protocol)

    async def send(self, channel: int, data: bytes) -> None:
        """One message."""
        if self._is_base64:
            frame = encode_frame(TEXT, bytes((ord("0") + channel,)) + base64.b64encode(data))
        else:
            frame = encode_frame(BINARY, bytes((channel,)) + data)
        await self._wire.write(frame)

    async def close(self, code: int = NORMAL_CLOSURE) -> None:
        """Say that this is the end."""
        await close(self._wire, code)

    async def receive(self) -> None:
        """Give to the sinks what comes, until the client closes; then each gets its end."""
        try:
            await self._receive()
        finally:
            for sink in tuple(self._sinks.values()):
                await sink(b"")

    async def _receive(self) -> None:
        try:
            async for message in messages(self._wire):
                if message and not await self._take(message):
                    return
        except FrameError:
            await self.close(PROTOCOL_ERROR)

    async def _take(self, message: bytes) -> bool:
        """Deal with one message; False where the connection ends with it."""
        if self._has_close and message[0] == _STREAM_CLOSE:
            if len(message) != 2 or message[1] >= self._count:
                return False
            sink = self._sinks.pop(message[1], None)
            if sink is not None:
                await sink(b"")
            return True
        channel = message[0] - ord("0") if self._is_base64 else message[0]
        sink = self._sinks.get(channel)
        content = self._decoded(message[1:])
        if sink is not None and content:
            await sink(content)
        return True

    def _decoded(self, data: bytes) -> bytes:
        if not self._is_base64:
            return data
        try:
            return base64.b64decode(data, validate=True)
        except binascii.Error:
            return b""
