"""What a container has said, line by line with its time, and the options by which it is read.

As the kubelet reads its files (cri-client/pkg/logs/logs.go): the tail is counted first, then the time, then bytes.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from dynkube.testing.apiserver.streaming.sessions import LogRequest

__all__ = ["ContainerLog", "Run", "read", "text_log"]

_SECOND = 10**9
_BATCH_BYTES = 32 * 1024


@dataclass(frozen=True, slots=True)
class _Line:
    nanoseconds: int
    text: bytes
    """With its newline, where it has one."""

    def shown(self, *, timestamps: bool) -> bytes:
        return _stamp(self.nanoseconds) + b" " + self.text if timestamps else self.text


def _stamp(nanoseconds: int) -> bytes:
    """RFC 3339 as Go writes it: of a fraction, what is not zero at its end."""
    seconds, fraction = divmod(nanoseconds, _SECOND)
    shown = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return (f"{shown}.{fraction:09d}".rstrip("0").rstrip(".") + "Z").encode()


@dataclass(slots=True)
class Run:
    """What a container said from one start to its end."""

    lines: list[_Line] = field(default_factory=list)
    is_ended: bool = False
    followers: set[Callable[[], None]] = field(default_factory=set)


class ContainerLog:
    r"""The log of one container, which a test writes: `APIServer.pods.log`.

    >>> log = ContainerLog()
    >>> log.write("ready\n")

    All methods may be called from any thread.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._run = Run()
        self._previous: Run | None = None

    def write(self, text: str | bytes, *, at: datetime | None = None) -> None:
        """Say something; followers hear it at once.

        Args:
            text: One or more lines; what has no newline at its end is shown without one.
            at: When, with its zone; default: now.
        """
        data = text.encode() if isinstance(text, str) else text
        moment = time.time_ns() if at is None else round(at.timestamp() * 1_000_000) * 1000
        lines = [_Line(moment, each) for each in data.splitlines(keepends=True)]
        with self._lock:
            self._run.lines += lines
            followers = tuple(self._run.followers)
        for each in followers:
            each()

    def restart(self) -> None:
        """The container ended and was started anew: followers get their end, ``previous`` is what it said so far."""
        with self._lock:
            ended, self._run = self._run, Run()
            self._previous = ended
        _end(ended)

    def end(self) -> None:
        """The container has ended: followers get their end. Idempotent."""
        with self._lock:
            run = self._run
        _end(run)

    def run(self, *, previous: bool = False) -> Run | None:
        """The current run, or the one before; None where there was none. For the server."""
        with self._lock:
            return self._previous if previous else self._run


def _end(run: Run) -> None:
    run.is_ended = True
    for each in tuple(run.followers):
        each()


def text_log(text: str | bytes) -> Run:
    """The log of a container that said this, just now, and ended."""
    log = ContainerLog()
    log.write(text)
    log.end()
    run = log.run()
    assert run is not None  # the current one
    return run


def read(run: Run, request: LogRequest) -> AsyncIterator[bytes]:
    """What a client gets of a run from now on, in pieces of whole lines, until the run ends where it follows."""
    at = 0 if request.tail_lines is None else max(len(run.lines) - request.tail_lines, 0)
    return _read(run, request, at)


async def _read(run: Run, request: LogRequest, at: int) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    changed = asyncio.Event()

    def tell() -> None:
        with suppress(RuntimeError):  # the server has been stopped
            loop.call_soon_threadsafe(changed.set)

    left = request.limit_bytes
    run.followers.add(tell)
    try:
        while True:
            is_ended = run.is_ended  # before the lines: the last are there when it is
            end = len(run.lines)
            for piece in _pieces(run.lines[at:end], request):
                yield piece if left is None else piece[:left]
                if left is not None:
                    left -= len(piece)
                    if left <= 0:
                        return
            at = end
            if is_ended or not request.follow:
                return
            await changed.wait()
            changed.clear()
    finally:
        run.followers.discard(tell)


def _pieces(lines: Iterable[_Line], request: LogRequest) -> Iterable[bytes]:
    earliest = 0 if request.since is None else round(request.since * _SECOND)
    piece = bytearray()
    for line in lines:
        if line.nanoseconds < earliest:
            continue
        piece += line.shown(timestamps=request.timestamps)
        if len(piece) >= _BATCH_BYTES:
            yield bytes(piece)
            piece.clear()
    if piece:
        yield bytes(piece)
