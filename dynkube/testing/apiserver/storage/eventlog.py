"""What happened to the objects of one resource, in order: the log that watches read and the past is made of.

The log is the queue: a watch is a place in it (`Cursor`), so that a slow reader costs nothing but
itself. It is bounded; who falls off its end has to list again.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from functools import cached_property

from dynkube.testing.apiserver.storage.entries import Entry

__all__ = ["Cursor", "Event", "EventLog", "EventType"]

# kube-apiserver keeps from 100 to 102,400 events (AS/storage/cacher/watch_cache.go).
_CAPACITY = 20_000
_CAPACITY_BYTES = 32 * 2**20
# How much is dropped at once: dropping the first of a list moves the others.
_DROPPED_AT_ONCE = 8


class EventType(StrEnum):
    """What a watch says of an object."""

    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"


class Event:
    """One write: what the object was before it (``previous``) and is now (``entry``); None where it is not.

    ``revision`` is the write's own; that of a deletion is nowhere else.
    """

    # No slots: what is computed once for all watches is kept here.
    def __init__(self, revision: int, entry: Entry | None, previous: Entry | None) -> None:
        self.revision = revision
        self.entry = entry
        self.previous = previous

    def __repr__(self) -> str:
        return f"<Event {self.type} {self.subject.key} at {self.revision}>"

    @property
    def type(self) -> EventType:
        """As somebody sees it who sees everything."""
        if self.entry is None:
            return EventType.DELETED
        return EventType.ADDED if self.previous is None else EventType.MODIFIED

    @property
    def subject(self) -> Entry:
        """The object as it is now or, once it is gone, as it was last."""
        entry = self.entry or self.previous
        assert entry is not None
        return entry

    @cached_property
    def departed(self) -> Entry:
        """What a watch tells of an object that leaves its sight: the last content, at this revision.

        Whether it was deleted, or only ceased to be selected (cache_watcher.go, convertToWatchEvent).
        """
        assert self.previous is not None
        return self.previous.at(self.revision)


class EventLog:
    """The events of one resource, the oldest first.

    Args:
        start: The revision from which on watches can start.
        compacted: The revision before which the past is not known.
        capacity: How many events it keeps.
        capacity_bytes: How many bytes of objects that are no more it keeps.

    Attributes:
        is_closed: Whether every watch ends, and there are no more events.
        watches_ended: How often `end_watches` was called: a watch from before such a call ends.
    """

    def __init__(
        self, start: int, *, compacted: int = 0, capacity: int = _CAPACITY, capacity_bytes: int = _CAPACITY_BYTES
    ) -> None:
        self._events: list[Event] = []
        self._dropped = 0
        self._start = start
        self._compacted = compacted
        self._capacity = capacity
        self._capacity_bytes = capacity_bytes
        self._bytes = 0
        self._listeners: set[Callable[[], None]] = set()
        self.is_closed = False
        self.watches_ended = 0

    def __len__(self) -> int:
        return len(self._events)

    def __iter__(self) -> Iterator[Event]:
        return iter(tuple(self._events))

    # ------------------------------------------------------------------ writing

    def append(self, event: Event) -> None:
        """Add the next event, and wake who waits."""
        self._events.append(event)
        if event.previous is not None:
            self._bytes += len(event.previous.body)
        if len(self._events) > self._capacity or self._bytes > self._capacity_bytes:
            self._drop()
        self._wake()

    def expire(self, revision: int) -> None:
        """Answer nobody who asks for what was before ``revision``."""
        self._start = max(self._start, revision)
        self._compacted = max(self._compacted, revision)

    def clear(self, revision: int) -> None:
        """Forget everything before ``revision``: also what `Store.history` tells."""
        self._dropped += len(self._events)
        self._events.clear()
        self._bytes = 0
        self.expire(revision)

    def end_watches(self) -> None:
        """End the watches that there are; others may begin."""
        self.watches_ended += 1
        self._wake()

    def close(self) -> None:
        """End every watch: there will be no more events."""
        self.is_closed = True
        self._wake()

    def _drop(self) -> None:
        count = max(1, len(self._events) // _DROPPED_AT_ONCE)
        dropped = self._events[:count]
        self._bytes -= sum(len(each.previous.body) for each in dropped if each.previous is not None)
        self._compacted = max(self._compacted, dropped[-1].revision)
        self._dropped += count
        del self._events[:count]
        if self._events:
            self._start = max(self._start, self._events[0].revision - 1)

    # ------------------------------------------------------------------ reading

    @property
    def start(self) -> int:
        """The oldest revision that a watch may start from (watch_cache.go, getAllEventsSinceLocked)."""
        return self._start

    @property
    def compacted(self) -> int:
        """The oldest revision whose state is still known; 0 if all are."""
        return self._compacted

    def after(self, revision: int) -> Cursor:
        """The place behind the events up to ``revision``, which may lie in the future."""
        first = bisect_right(self._events, revision, key=_revision)
        return Cursor(self, self._dropped + first)

    def undone(self, revision: int) -> Mapping[str, Entry | None]:
        """What was at a revision where something else is now: by key, None for what was not there."""
        changed: dict[str, Entry | None] = {}
        for event in reversed(self._events):
            if event.revision <= revision:
                break
            changed[event.subject.key] = event.previous
        return changed

    def subscribe(self, listener: Callable[[], None]) -> None:
        """Call this at each event, and when the log closes; it must not raise."""
        self._listeners.add(listener)

    def unsubscribe(self, listener: Callable[[], None]) -> None:
        """Call this no more."""
        self._listeners.discard(listener)

    def _wake(self) -> None:
        for listener in tuple(self._listeners):
            listener()

    def _slice(self, position: int, count: int) -> list[Event] | None:
        first = position - self._dropped
        return None if first < 0 else self._events[first : first + count]


class Cursor:
    """A place in a log."""

    __slots__ = ("_log", "_position")

    def __init__(self, log: EventLog, position: int) -> None:
        self._log = log
        self._position = position

    def read(self, count: int) -> list[Event] | None:
        """Up to ``count`` events, to go on behind them; None when the log has dropped what came next."""
        events = self._log._slice(self._position, count)  # noqa: SLF001 - the other half of the log
        if events:
            self._position += len(events)
        return events


def _revision(event: Event) -> int:
    return event.revision
