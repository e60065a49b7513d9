"""Between the event loop and a handler's thread: files at the thread's end, coroutines and calls at the loop's."""

from __future__ import annotations

import asyncio
import io
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import Any, Final, TypeVar

__all__ = ["Inlet", "Outlet", "in_thread", "run_on"]

_T = TypeVar("_T")
# Beyond this the client is not read until the handler has taken some.
_ENOUGH: Final = 2**20
# io.Copy's buffer: the real server's messages are no larger.
_PIECE: Final = 32 * 1024


def in_thread(function: Callable[[], _T], name: str) -> asyncio.Future[_T]:
    """Run a function in a thread of its own; what it returns or raises, for the running loop.

    A thread that nobody waits for any more goes on until its function ends: it does not keep the process.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[_T] = loop.create_future()
    # Where nobody waits any more, what it raises is nobody's affair.
    done.add_done_callback(lambda _: done.cancelled() or done.exception())

    def tell(settle: Callable[[], None]) -> None:
        if not done.done():
            settle()

    def run() -> None:
        try:
            settle = partial(done.set_result, function())
        except BaseException as error:  # noqa: BLE001 - whatever it is, somebody waits for it
            settle = partial(done.set_exception, error)
        with suppress(RuntimeError):  # the server has been stopped
            loop.call_soon_threadsafe(tell, settle)

    threading.Thread(target=run, name=name, daemon=True).start()
    return done


def run_on(loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, _T]) -> _T:
    """Run a coroutine on a loop, from another thread.

    Raises:
        BrokenPipeError: The connection, or the server, has gone.
    """
    try:
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result()
    except (ConnectionError, asyncio.CancelledError) as error:
        raise BrokenPipeError("the client has gone") from error
    except RuntimeError:
        coroutine.close()
        raise BrokenPipeError("the server has been stopped") from None


class Inlet(io.RawIOBase):
    """What the client sends, as a file to read: `feed` on the loop, the rest in the handler's thread."""

    def __init__(self) -> None:
        super().__init__()
        self._loop = asyncio.get_running_loop()
        self._changed = threading.Condition()
        self._pieces: deque[memoryview] = deque()
        self._size = 0
        self._is_ended = False
        self._room = asyncio.Event()
        self._room.set()

    async def feed(self, data: bytes) -> None:
        """Give more, and wait while there is enough; b"" is the end."""
        if not data:
            self.end()
            return
        with self._changed:
            if self._is_ended:
                return
            self._pieces.append(memoryview(data))
            self._size += len(data)
            if self._size > _ENOUGH:
                self._room.clear()
            self._changed.notify()
        await self._room.wait()

    def end(self) -> None:
        """No more comes. Idempotent."""
        with self._changed:
            self._is_ended = True
            self._changed.notify()
        self._room.set()

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Wait for some bytes; 0 at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._pieces or self._is_ended)
            if not self._pieces:
                return 0
            piece = self._pieces.popleft()
            count = min(len(piece), len(buffer))
            buffer[:count] = piece[:count]
            if count < len(piece):
                self._pieces.appendleft(piece[count:])
            self._size -= count
            is_free = self._size <= _ENOUGH // 2 and not self._room.is_set()
        if is_free:
            with suppress(RuntimeError):  # the server has been stopped
                self._loop.call_soon_threadsafe(self._room.set)
        return count


class Outlet:
    """A file that a handler writes, and the client gets: at once, unbuffered.

    Args:
        send: Sends a piece; on the loop.
    """

    def __init__(self, send: Callable[[bytes], Awaitable[None]]) -> None:
        self._loop = asyncio.get_running_loop()
        self._send = send

    def write(self, data: bytes | str) -> int:
        """Send bytes, or text in UTF-8; returns when the connection has taken them.

        Returns:
            How many bytes.

        Raises:
            BrokenPipeError: The client has gone.
        """
        content = data.encode() if isinstance(data, str) else bytes(data)
        if content:
            run_on(self._loop, self._write(content))
        return len(content)

    async def _write(self, data: bytes) -> None:
        for start in range(0, len(data), _PIECE):
            await self._send(data[start : start + _PIECE])

    def flush(self) -> None:
        """Nothing waits here."""
