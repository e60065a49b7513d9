"""Repetitions of ``events.k8s.io/v1`` events: a series (CG/tools/events/event_broadcaster.go)."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from dynkube.arguments import checked_count, checked_function, checked_seconds
from dynkube.quantities import format_micro_time

__all__ = ["SeriesCache"]


class SeriesCache:
    """Decides what becomes of each event; pure but for its clocks. Not to be shared between threads.

    The first of its kind is written; the second makes it a series of 2, which is written too; further ones are only
    counted. What was counted is written every ``refresh`` seconds, and once more when nothing has happened for
    ``finish`` seconds, or at the end. Events are of one kind when all but note and time are equal.

    Args:
        cache_size: how many are remembered; the longest unused go first.
        refresh: seconds after which a series that goes on is written again.
        finish: seconds without another one, after which a series is over.
        clock: seconds, only ever rising.
        now: the time of day.

    Raises:
        InvalidRequestError: a number out of its range, or no function.

    Example:
        >>> cache = SeriesCache()
        >>> event = {"metadata": {"name": "api.1"}, "regarding": {"name": "api"}, "reason": "Started"}
        >>> cache.add(event) == event
        True
        >>> cache.add(event)["series"]["count"], cache.add(event)
        (2, None)
        >>> [each["series"]["count"] for each in cache.close()]
        [3]
    """

    def __init__(
        self,
        *,
        cache_size: int = 4096,
        refresh: float = 1800.0,
        finish: float = 360.0,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._size = checked_count("cache_size", cache_size, least=1)
        self._refresh, self._finish = checked_seconds("refresh", refresh), checked_seconds("finish", finish)
        self._clock, self._now = checked_function("clock", clock), checked_function("now", now)
        # A cachetools.LRUCache takes each look at its items for a use of all of them.
        self._known: OrderedDict[Hashable, _Known] = OrderedDict()

    def add(self, event: Mapping[str, Any]) -> dict[str, Any] | None:
        """What is to be written about ``event``: itself, the series that it begins, or nothing."""
        key = _kind_of(event)
        known = self._known.get(key)
        now = self._clock()
        if known is None:
            self._known[key] = _Known(deepcopy(dict(event)), seen=now, written=now)
            while len(self._known) > self._size:
                self._known.popitem(last=False)
            return deepcopy(dict(event))
        self._known.move_to_end(key)
        known.seen = now
        series = known.event.get("series")
        count = series["count"] + 1 if series else 2
        known.event["series"] = {"count": count, "lastObservedTime": format_micro_time(self._now())}
        return known.write(now) if count == 2 else None

    def due(self) -> Iterator[dict[str, Any]]:
        """What is to be written by now: series that are over, and those that were not written for long."""
        now = self._clock()
        for key, known in list(self._known.items()):
            over = now - known.seen >= self._finish
            if over:
                del self._known[key]
            if known.counted and (over or now - known.written >= self._refresh):
                yield known.write(now)

    def close(self) -> Iterator[dict[str, Any]]:
        """What is to be written at the end: the series that have grown since they were written."""
        for known in list(self._known.values()):
            if known.counted:
                yield known.write(self._clock())
        self._known.clear()


@dataclass(slots=True)
class _Known:
    """An event that was written, and how often it has happened since."""

    event: dict[str, Any]
    seen: float
    written: float
    count_written: int = 1

    @property
    def counted(self) -> bool:
        """Whether it has happened since it was last written."""
        count: int = self.event.get("series", {}).get("count", 1)
        return count > self.count_written

    def write(self, now: float) -> dict[str, Any]:
        self.written = now
        self.count_written = self.event["series"]["count"]
        return deepcopy(self.event)


def _kind_of(event: Mapping[str, Any]) -> Hashable:
    words = ("type", "action", "reason", "reportingController", "reportingInstance")
    return (*(event.get(word) for word in words), _reference(event, "regarding"), _reference(event, "related"))


def _reference(event: Mapping[str, Any], part: str) -> Hashable:
    # Without its version: client-go takes an object that has changed in between for another one.
    reference = event.get(part) or {}
    return tuple(sorted((key, value) for key, value in reference.items() if key != "resourceVersion"))
