"""Our own terminal, joined to a process in a container: raw mode, size changes, always restored.

See KC/util/term/term.go and CG/tools/remotecommand/resize.go (8.1.6 in docs/reference/parity).
"""

from __future__ import annotations

import contextlib
import os
import queue
import select
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, Protocol

from dynkube.errors import DynkubeError

__all__ = ["TerminalProcess", "interact", "raw_mode", "size_changes"]

_PIECE = 1 << 15


class TerminalProcess(Protocol):
    """What a terminal needs of a process; a `RemoteProcess` has it."""

    tty: bool
    stdin: IO[bytes] | None
    stdout: IO[bytes] | None
    stderr: IO[bytes] | None

    def resize(self, width: int, height: int) -> None:
        """Tell it the terminal's size."""

    def wait(self) -> int:
        """Wait for its exit code."""

    def close(self) -> None:
        """End it."""


def interact(process: TerminalProcess) -> int:
    """Join ``process`` to sys.stdin, sys.stdout and sys.stderr until it ends; see `RemoteProcess.interact`."""
    source = _descriptor(sys.stdin)
    with contextlib.ExitStack() as stack:
        if process.tty and source is not None and os.isatty(source):
            stack.enter_context(raw_mode(source))
            stack.enter_context(size_changes(process, source))
        stack.callback(process.close)
        if process.stdin is not None and source is not None:
            stack.enter_context(_feeding(source, process.stdin))
        errors = _copying(process.stderr, sys.stderr)
        _copy(process.stdout, sys.stdout)
        if errors is not None:
            errors.join()
        return process.wait()


def _descriptor(file: Any) -> int | None:
    try:
        return int(file.fileno())
    except (AttributeError, OSError, ValueError):
        return None


@contextmanager
def raw_mode(descriptor: int) -> Iterator[None]:
    """Put a terminal into raw mode for a block; what it was comes back however the block ends."""
    import termios
    import tty

    before = termios.tcgetattr(descriptor)
    try:
        tty.setraw(descriptor, termios.TCSANOW)  # what has been typed ahead is for the process
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSANOW, before)


@contextmanager
def size_changes(process: TerminalProcess, descriptor: int) -> Iterator[None]:
    """Tell the process our terminal's size, now and whenever it changes, for a block.

    First one column more and then the real size: a program that was there before us draws itself anew only when the
    size changes. Only the main thread can learn of changes (SIGWINCH).
    """

    def tell(extra: int = 0) -> None:
        with contextlib.suppress(OSError, DynkubeError):  # no size, or the end of the process: that is seen elsewhere
            columns, lines = os.get_terminal_size(descriptor)
            process.resize((columns or 80) + extra, lines or 24)

    tell(1)
    tell()
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    # A handler may interrupt anything, even itself: it only rings (put() is made for that), a thread of ours tells.
    rings: queue.SimpleQueue[bool] = queue.SimpleQueue()

    def answer() -> None:
        while rings.get():
            tell()

    thread = threading.Thread(target=answer, name="dynkube-resize", daemon=True)
    thread.start()
    before = signal.signal(signal.SIGWINCH, lambda *_: rings.put(True))
    try:
        yield
    finally:
        signal.signal(signal.SIGWINCH, before)
        rings.put(False)
        thread.join()


@contextmanager
def _feeding(descriptor: int, sink: IO[bytes]) -> Iterator[None]:
    """Copy a descriptor to ``sink`` on a thread that ends with the block, though nobody types any more."""
    done, wake = os.pipe()
    thread = threading.Thread(target=_feed, args=(descriptor, done, sink), name="dynkube-terminal", daemon=True)
    thread.start()
    try:
        yield
    finally:
        os.close(wake)
        thread.join()
        os.close(done)


def _feed(descriptor: int, done: int, sink: IO[bytes]) -> None:
    waiting = select.poll()
    waiting.register(descriptor, select.POLLIN)
    waiting.register(done, select.POLLIN)
    with contextlib.suppress(OSError, DynkubeError, ValueError):
        while True:
            ready = {number for number, _ in waiting.poll()}
            if done in ready:
                return
            data = os.read(descriptor, _PIECE)
            if not data:
                sink.close()
                return
            sink.write(data)


def _copying(source: IO[bytes] | None, sink: Any) -> threading.Thread | None:
    if source is None:
        return None
    thread = threading.Thread(target=_copy, args=(source, sink), name="dynkube-terminal", daemon=True)
    thread.start()
    return thread


def _copy(source: Any, sink: Any) -> None:
    if source is None:
        return
    binary = getattr(sink, "buffer", None)
    with contextlib.suppress(DynkubeError):  # wait() says it
        while data := source.read1(_PIECE):
            if binary is not None:
                binary.write(data)
            else:
                sink.write(data.decode("utf-8", "replace"))
            sink.flush()
