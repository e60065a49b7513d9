"""Durations for people: "4m10s", "3h", "12d" (AM/util/duration/duration.go)."""

from __future__ import annotations

from datetime import datetime, timedelta

from dynkube.errors import InvalidRequestError
from dynkube.quantities import parse_time

__all__ = ["UNKNOWN", "human", "since"]

UNKNOWN = "<unknown>"
"""The age of what has no time."""

_SECOND = timedelta(seconds=1)


def human(duration: timedelta) -> str:
    """Two or three figures of a duration.

    >>> [human(timedelta(seconds=each)) for each in (-5, 119, 120, 250, 11000, 29000, 200000, 9000000, 80000000)]
    ['<invalid>', '119s', '2m', '4m10s', '3h3m', '8h', '2d7h', '104d', '2y195d']
    """
    seconds = _cut(duration)
    if seconds < 0:
        return "<invalid>" if seconds < -1 else "0s"
    if seconds < 2 * 60:
        return f"{seconds}s"
    minutes, hours = seconds // 60, seconds // 3600
    if minutes < 10:
        return _two(minutes, "m", seconds % 60, "s")
    if minutes < 3 * 60:
        return f"{minutes}m"
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    return f"{hours}h" if hours < 48 else _days(hours)


def since(time: str | None, now: datetime) -> str:
    """The time from then to now; of none, ``<unknown>``."""
    if not time:
        return UNKNOWN
    try:
        return human(now - parse_time(time))
    except InvalidRequestError:
        return UNKNOWN


def _days(hours: int) -> str:
    days = hours // 24
    if days < 8:
        return _two(days, "d", hours % 24, "h")
    if days < 2 * 365:
        return f"{days}d"
    if days < 8 * 365:
        return _two(days // 365, "y", days % 365, "d")
    return f"{days // 365}y"


def _two(large: int, unit: str, small: int, small_unit: str) -> str:
    return f"{large}{unit}{small}{small_unit}" if small else f"{large}{unit}"


def _cut(duration: timedelta) -> int:
    """Whole seconds, towards zero."""
    return -(-duration // _SECOND) if duration < timedelta() else duration // _SECOND
