"""Where a followed log broke off, and where its replay meets that place again: no socket and no clock here.

``sinceTime`` reaches the kubelet in whole seconds (it is a metav1.Time), so a log that is opened again repeats what was
seen of the last second. Each line is asked for with its time, in nanoseconds: lines before the last one seen are
dropped, and of those of its very time as many as had been seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from dynkube.errors import DecodeError

__all__ = ["LineSplitter", "Position", "Splicer", "moment_of", "without_stamps"]

Moment = tuple[int, int]
"""Seconds since the epoch, and nanoseconds."""


def moment_of(stamp: bytes) -> Moment:
    """The moment of an RFC 3339 time stamp, to the nanosecond.

    Raises:
        DecodeError: it is none.

    >>> moment_of(b"1970-01-01T00:00:01.5Z"), moment_of(b"1970-01-01T01:00:01.000000002+01:00")
    ((1, 500000000), (1, 2))
    """
    head, rest = stamp[:19], stamp[19:]
    digits = b""
    if rest[:1] == b".":
        zone = rest[1:].lstrip(b"0123456789")
        digits = rest[1 : len(rest) - len(zone)]
    else:
        zone = rest
    try:
        whole = datetime.fromisoformat((head + zone).decode("ascii"))
    except ValueError:
        raise DecodeError(f"log line: {stamp[:40]!r} is no time stamp of RFC 3339") from None
    if whole.tzinfo is None or len(head) < 19 or len(digits) > 9:
        raise DecodeError(f"log line: {stamp[:40]!r} is no time stamp of RFC 3339")
    return int(whole.timestamp()), int(digits.ljust(9, b"0"))


class Position:
    r"""How far a log has been read: the time stamp of the last line, and how many lines in a row had that very one.

    >>> position = Position()
    >>> position.advance([b"1970-01-01T00:00:01.5Z a\n", *[b"1970-01-01T00:00:02.5Z b\n"] * 2])
    >>> position.since, position.equal
    ('1970-01-01T00:00:02Z', 2)
    """

    __slots__ = ("equal", "stamp")

    def __init__(self) -> None:
        self.stamp = b""
        self.equal = 0

    def __bool__(self) -> bool:
        return bool(self.stamp)

    def advance(self, lines: Sequence[bytes]) -> None:
        """These lines, with their stamps, have been handed over."""
        index = len(lines) - 1
        while index >= 0 and not _has_stamp(lines[index]):
            index -= 1
        if index < 0:
            return
        stamp = lines[index].partition(b" ")[0]
        begin = stamp + b" "
        equal = 0
        while index >= 0 and lines[index].startswith(begin):
            equal += 1
            index -= 1
        self.equal = equal + (self.equal if index < 0 and stamp == self.stamp else 0)
        self.stamp = stamp

    @property
    def since(self) -> str:
        """The ``sinceTime`` to ask for; ``""`` at the beginning."""
        if not self.stamp:
            return ""
        seconds = moment_of(self.stamp)[0]
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Splicer:
    """Drops from a replay what was seen before.

    Attributes:
        passed: whether the replay is beyond the position, so that everything from here on is new.
        met: whether the position was in the replay. Where not, what lay between may be lost.
    """

    __slots__ = ("_left", "_moment", "met", "passed")

    def __init__(self, position: Position) -> None:
        self._moment = moment_of(position.stamp)
        self._left = position.equal
        self.met = False
        self.passed = False

    def feed(self, lines: list[bytes]) -> list[bytes]:
        """The lines out of these that are new."""
        if self.passed:
            return lines
        for index, line in enumerate(lines):
            if not _has_stamp(line):
                continue  # the end of a line that began before
            moment = moment_of(line.partition(b" ")[0])
            if moment == self._moment:
                self.met = True
                self._left -= 1
                self.passed = self._left == 0  # the clock may step back; what comes now is new all the same
                if self.passed:
                    return lines[index + 1 :]
            elif moment > self._moment:
                self.passed = True
                return lines[index:]
        return []


def _has_stamp(line: bytes) -> bool:
    # 2026-01-02T03:04:05.000000000Z text: cheap, and sure enough for what the server was asked to put there.
    return len(line) > 20 and line[10:11] == b"T" and line[4:5] == b"-" and line[13:14] == b":" and b" " in line


def without_stamps(lines: list[bytes]) -> list[bytes]:
    r"""The lines as the container wrote them.

    >>> without_stamps([b"1970-01-01T00:00:01.500000000Z a b\n"])
    [b'a b\n']
    """
    return [line.partition(b" ")[2] if _has_stamp(line) else line for line in lines]


class LineSplitter:
    r"""Makes lines, with their ends, of pieces of any size.

    >>> splitter = LineSplitter()
    >>> splitter.feed(b"a\nb"), splitter.feed(b"c\n"), splitter.rest
    ([b'a\n'], [b'bc\n'], b'')
    """

    __slots__ = ("_pieces",)

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that are complete now."""
        end = data.rfind(b"\n") + 1
        if not end:
            self._pieces.append(data)
            return []
        whole = b"".join((*self._pieces, data[:end]))
        self._pieces = [data[end:]] if end < len(data) else []
        return whole.splitlines(keepends=True) if b"\r" not in whole else _split(whole)

    @property
    def rest(self) -> bytes:
        """What has no line end yet."""
        return b"".join(self._pieces)


def _split(data: bytes) -> list[bytes]:
    # splitlines() would end lines at a bare \r too.
    return [line + b"\n" for line in data.split(b"\n")[:-1]]
