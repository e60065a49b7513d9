"""Pipes between the thread that receives from a container and whoever reads."""

from __future__ import annotations

import io
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from dynkube.errors import ClosedError
from dynkube.streams.websocket import PIECE

__all__ = ["InputFile", "Pipe", "PipeReader"]

LIMIT = 2**20
"""Bytes that a pipe holds; who writes more waits for the reader, and so does the container in the end."""


class Pipe:
    """A bounded queue of bytes."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._changed = threading.Condition()
        self._pieces: deque[memoryview] = deque()
        self._size = 0
        self._over = False
        self._failure: Exception | None = None

    def write(self, data: bytes) -> None:
        """Put data in; waits while the pipe is full. After `end` it is dropped."""
        with self._changed:
            while self._size >= self._limit and not self._over:
                self._changed.wait()
            if not self._over and data:
                self._pieces.append(memoryview(data))
                self._size += len(data)
                self._changed.notify_all()

    def end(self, failure: Exception | None = None) -> None:
        """Nothing more comes; the reader gets ``failure`` after what there is. Only the first call counts."""
        with self._changed:
            if not self._over:
                self._over = True
                self._failure = failure
                self._changed.notify_all()

    def read_into(self, buffer: memoryview) -> int:
        """Fill ``buffer`` with what there is, waiting for a first byte; 0 is the end."""
        with self._changed:
            while not self._pieces and not self._over:
                self._changed.wait()
            if not self._pieces:
                if self._failure is not None:
                    raise self._failure
                return 0
            filled = 0
            while self._pieces and filled < len(buffer):
                piece = self._pieces.popleft()
                count = min(len(piece), len(buffer) - filled)
                buffer[filled : filled + count] = piece[:count]
                filled += count
                if count < len(piece):
                    self._pieces.appendleft(piece[count:])
            self._size -= filled
            self._changed.notify_all()
            return filled


class PipeReader(io.RawIOBase):
    """The reading end of a `Pipe` as a file; closing it drops what is in it and what comes."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """See `io.RawIOBase.readinto`; raises what ended the stream badly, after the bytes before that."""
        return self._pipe.read_into(memoryview(buffer).cast("B"))

    def close(self) -> None:
        """Close it; any number of times."""
        if not self.closed:
            self._pipe.end()
            super().close()


class InputFile(io.RawIOBase):
    """A command's stdin as a file. Unbuffered: each write is sent."""

    def __init__(self, send: Callable[[memoryview], None], end: Callable[[], None]) -> None:
        self._send = send
        self._end = end

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, data: Any) -> int:
        """Send all of ``data``; waits for as long as the command takes to read.

        Raises:
            TransportError: the connection was lost.
            ClosedError: the process has been closed, or has ended.
        """
        if self.closed:
            raise ClosedError("stdin has been closed")
        view = memoryview(data).cast("B")
        for start in range(0, len(view), PIECE):
            self._send(view[start : start + PIECE])
        return len(view)

    def close(self) -> None:
        """The end of stdin; any number of times."""
        if not self.closed:
            super().close()
            self._end()
