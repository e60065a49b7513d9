"""The lines of logs: `LogLine`, `LogGap`, and the `LogStream` that gives them."""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

from dynkube.errors import CancelledError, ClosedError
from dynkube.streams.logfollow import LogSource
from dynkube.streams.splicing import LineSplitter
from dynkube.transport import CancelToken

__all__ = ["LogGap", "LogItem", "LogLine", "LogStream"]


class LogLine(str):
    """A line of a log, without its line end, and where it came from.

    Attributes:
        pod: the pod's name.
        container: the container's name.
    """

    __slots__ = ("container", "pod")

    pod: str
    container: str


class LogGap(LogLine):
    """Stands in a followed log for lines that are gone: the kubelet had them no longer when we were back.

    Its text says so in words. In a stream of bytes it is a line of its own.

    Attributes:
        reason: why there is nothing to read any more.
    """

    __slots__ = ("reason",)

    reason: str


class LogStream:
    """An open log, or several. Iterate over its lines once; close it, or use it in a ``with``.

    Any thread may close it, which ends the iteration.
    """

    def __init__(
        self, items: Iterator[LogItem], stop: CancelToken, ask: CancelToken | None, forget: Callable[[], object]
    ) -> None:
        self._items = items
        self._stop = stop
        self._ask = ask
        self._lines: deque[LogLine] = deque()
        self._splitters: dict[LogSource, LineSplitter] = {}
        # The token of the caller lives on; it must not keep what listens to it.
        self._end = weakref.finalize(self, _end, stop, forget)

    def __iter__(self) -> Iterator[LogLine]:
        return self

    def __next__(self) -> LogLine:
        while not self._lines:
            item = self._next()
            if item is None:
                self._flush()
                self._end()
                if not self._lines:
                    raise StopIteration
            else:
                self._lines.extend(self._lines_of(item))
        return self._lines.popleft()

    def chunks(self) -> Iterator[bytes]:
        """The log's bytes, as they come, instead of its lines; several logs are mixed at line ends only."""
        while (item := self._next()) is not None:
            yield item.data()

    def read(self) -> bytes:
        """All that is left of the log."""
        return b"".join(self.chunks())

    def text(self) -> str:
        """All that is left of the log, as text (what is no UTF-8 becomes U+FFFD)."""
        return self.read().decode("utf-8", "replace")

    def close(self) -> None:
        """End it, from any thread and any number of times."""
        self._end()

    def _next(self) -> LogItem | None:
        try:
            return next(self._items, None)
        except (CancelledError, ClosedError):
            if self._stop.cancelled and not (self._ask is not None and self._ask.cancelled):
                return None  # closed
            raise

    def _lines_of(self, item: LogItem) -> Iterator[LogLine]:
        source = item.source
        if item.gap:
            yield _gap_line(source, item.gap)
            return
        lines = item.lines
        if lines is None:
            splitter = self._splitters.setdefault(source, LineSplitter())
            lines = splitter.feed(item.piece)
        for line in lines:
            yield _line(line, item.prefix, source)

    def _flush(self) -> None:
        for source, splitter in self._splitters.items():
            if splitter.rest:
                self._lines.append(_line(splitter.rest, "", source))
        self._splitters.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def _end(stop: CancelToken, forget: Callable[[], object]) -> None:
    forget()
    stop.cancel()


class LogItem:
    """What one log gave: bytes as they came, or whole lines, or a gap; for `LogStream`."""

    __slots__ = ("gap", "lines", "piece", "prefix", "source")

    def __init__(
        self, source: LogSource, prefix: str, *, piece: bytes = b"", lines: list[bytes] | None = None, gap: str = ""
    ) -> None:
        self.source = source
        self.prefix = prefix
        self.piece = piece
        self.lines = lines
        self.gap = gap

    def data(self) -> bytes:
        """All of it, as bytes."""
        if self.gap:
            return str(_gap_line(self.source, self.gap)).encode() + b"\n"
        if self.lines is None:
            return self.piece
        if not self.prefix:
            return b"".join(self.lines)
        prefix = self.prefix.encode()
        return b"".join([prefix + line for line in self.lines])


def _line(line: bytes, prefix: str, source: LogSource) -> LogLine:
    text = line[:-1] if line.endswith(b"\n") else line
    made = LogLine(prefix + text.decode("utf-8", "replace"))
    made.pod = source.pod
    made.container = source.container
    return made


def _gap_line(source: LogSource, reason: str) -> LogGap:
    made = LogGap(f"[dynkube: lines of pod/{source.pod}/{source.container} are missing here: {reason}]")
    made.pod, made.container, made.reason = source.pod, source.container, reason
    return made
