"""Messages of a WebSocket over an upgraded connection: pings are answered, a close is the end."""

from __future__ import annotations

from collections.abc import AsyncIterator

from dynkube.testing.apiserver.streaming.frames import (
    BINARY,
    CLOSE,
    NORMAL_CLOSURE,
    PING,
    PONG,
    TEXT,
    FrameReader,
    encode_frame,
)
from dynkube.testing.apiserver.words.messages import Wire

__all__ = ["close", "messages"]


async def messages(wire: Wire) -> AsyncIterator[bytes]:
    """What the client sends, until it closes or goes.

    Raises:
        FrameError: It sends what is no frame.
        ConnectionError: It has gone.
    """
    reader = FrameReader()
    while data := await wire.read():
        for frame in reader.feed(data):
            if frame.opcode == CLOSE:
                return
            if frame.opcode == PING:
                await wire.write(encode_frame(PONG, frame.payload))
            elif frame.opcode in (BINARY, TEXT):
                yield frame.payload


async def close(wire: Wire, code: int = NORMAL_CLOSURE) -> None:
    """Say that this is the end."""
    await wire.write(encode_frame(CLOSE, code.to_bytes(2, "big")))
