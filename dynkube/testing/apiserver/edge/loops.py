"""An event loop in a thread of its own, which owns what lives on it."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from dynkube.errors import ClosedError

__all__ = ["LoopThread"]

_T = TypeVar("_T")
# How long a caller waits for the loop: only a broken one takes so long.
_PATIENCE = 30.0


class LoopThread:
    """Starts with construction and ends with `stop`; all methods may be called from any thread.

    Args:
        name: Of the thread.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._process = os.getpid()
        self._lock = threading.RLock()
        self._going_on: threading.Event | None = None
        ready: Future[asyncio.AbstractEventLoop] = Future()
        self._thread = threading.Thread(target=self._run, args=(ready,), name=name, daemon=True)
        self._thread.start()
        self._loop = ready.result(_PATIENCE)

    @property
    def is_current(self) -> bool:
        """Whether the calling thread is this one."""
        return threading.current_thread() is self._thread

    @property
    def is_paused(self) -> bool:
        """Whether it stands still."""
        return self._going_on is not None

    def call(self, function: Callable[[], _T]) -> _T:
        """Do something on the loop, and wait for what it returns or raises.

        While the loop is paused it is done at once, by the caller: nothing else happens there. It must
        then not need the loop.
        """
        self._check_process()
        if self.is_current:
            return function()
        with self._lock:
            if self._going_on is not None:
                return function()

        async def run() -> _T:
            return function()

        return self.run(run())

    def run(self, coroutine: Coroutine[Any, Any, _T]) -> _T:
        """Run a coroutine on the loop, and wait for what it returns or raises."""
        self._check_process()
        try:
            return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(_PATIENCE)
        except RuntimeError:
            if not self._loop.is_closed():
                raise
            coroutine.close()
            raise ClosedError(f"{self._name} has been stopped") from None

    def pause(self) -> None:
        """Return when the loop stands still: nothing is read, answered, timed or accepted until `resume`."""
        self._check_process()
        with self._lock:
            if self._going_on is not None:
                return
            self._going_on = threading.Event()
            standing = threading.Event()
            self._loop.call_soon_threadsafe(_stand, standing, self._going_on)
            standing.wait(_PATIENCE)

    def resume(self) -> None:
        """End `pause`."""
        self._check_process()
        with self._lock:
            if self._going_on is not None:
                self._going_on.set()
                self._going_on = None

    def stop(self) -> None:
        """Cancel what runs on the loop, and return when the thread has ended."""
        if self._process != os.getpid():
            return  # the thread is the parent's
        self.resume()
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(_PATIENCE)

    def _check_process(self) -> None:
        if self._process != os.getpid():
            raise ClosedError(f"{self._name} belongs to process {self._process}, which this one was forked from")

    def _run(self, ready: Future[asyncio.AbstractEventLoop]) -> None:
        # Not in debug mode, whatever Python is in: that would report each pause as a slow callback.
        with asyncio.Runner(debug=False) as runner:
            loop = runner.get_loop()
            loop.call_soon(ready.set_result, loop)
            loop.run_forever()


def _stand(standing: threading.Event, going_on: threading.Event) -> None:
    standing.set()
    going_on.wait()
