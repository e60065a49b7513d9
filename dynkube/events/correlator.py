"""Repetitions of ``v1`` events: counted, combined, held back (CG/tools/record/events_cache.go)."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cachetools import LRUCache

from dynkube.arguments import checked_count, checked_function, checked_seconds
from dynkube.events.occurrence import event_name
from dynkube.quantities import format_time
from dynkube.ratelimit import TokenBucket

__all__ = ["Correlated", "EventCorrelator", "aggregate_by_reason", "object_and_type"]

Event = Mapping[str, Any]

_OBJECT = ("kind", "namespace", "name", "uid", "apiVersion")


def object_and_type(event: Event) -> tuple[Hashable, ...]:
    """By what floods are told apart: who reports it, about which object, and whether it is a warning."""
    return (*_source_and_object(event), event.get("type"))


def aggregate_by_reason(event: Event) -> tuple[Hashable, Hashable]:
    """What makes events similar, and what tells similar ones apart: all but the message, and the message."""
    reporter = (event.get("reportingComponent"), event.get("reportingInstance"))
    return (*object_and_type(event), event.get("reason"), *reporter), event.get("message")


@dataclass(frozen=True, slots=True)
class Correlated:
    """What is to be done about an event.

    Attributes:
        event: the event to write; a combined one has a message of its own.
        patch: a merge patch for the event of this name that is there already; None where it is to be created.
        skip: whether it is to be dropped: too many of its kind.
    """

    event: dict[str, Any]
    patch: dict[str, Any] | None = None
    skip: bool = False


class EventCorrelator:
    """Decides what becomes of each event; pure but for its clocks. Not to be shared between threads.

    - An event that was seen before, the message included, adds one to the count of the one that is there.
    - After ``max_events`` similar ones, none more than ``max_interval`` seconds after the one before, further ones
      become one, whose message begins with "(combined from similar events): ".
    - About one object, one reporter gets ``burst`` events through, and then ``qps`` a second.

    Args:
        cache_size: how many events, groups of similar ones, and objects are remembered; the longest unused go first.
        burst: events about one object at once.
        qps: events about one object a second, in the long run; one in five minutes by default.
        spam_key: what counts as one object.
        max_events: how many similar ones are let through one by one.
        max_interval: seconds after which similar ones are not combined any more.
        aggregate_key: what makes events similar, and what tells them apart.
        aggregate_message: the message of a combined event.
        clock: seconds, only ever rising.
        now: the time of day, for combined events.

    Raises:
        InvalidRequestError: a number out of its range, or no function of an event.

    Example:
        >>> correlator = EventCorrelator()
        >>> event = {"metadata": {"name": "api.1"}, "involvedObject": {"name": "api"}, "reason": "Started", "count": 1}
        >>> correlator.correlate(event).patch
        >>> correlator.correlate(event).patch["count"]
        2
    """

    def __init__(
        self,
        *,
        cache_size: int = 4096,
        burst: int = 25,
        qps: float = 1 / 300,
        spam_key: Callable[[Event], Hashable] = object_and_type,
        max_events: int = 10,
        max_interval: float = 600.0,
        aggregate_key: Callable[[Event], tuple[Hashable, Hashable]] = aggregate_by_reason,
        aggregate_message: Callable[[Event], str] = lambda event: f"(combined from similar events): {event['message']}",
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        checked_count("cache_size", cache_size, least=1)
        self._clock, self._now = checked_function("clock", clock), checked_function("now", now)
        TokenBucket(qps, burst, clock=clock)  # says at once what is no limit
        self._burst, self._qps = burst, qps
        self._spam_key = checked_function("spam_key", spam_key, "event")
        self._max_events = checked_count("max_events", max_events, least=1)
        self._max_interval = checked_seconds("max_interval", max_interval)
        self._aggregate_key = checked_function("aggregate_key", aggregate_key, "event")
        self._aggregate_message = checked_function("aggregate_message", aggregate_message, "event")
        self._buckets: LRUCache[Hashable, TokenBucket] = LRUCache(cache_size)
        self._groups: LRUCache[Hashable, _Group] = LRUCache(cache_size)
        self._seen: LRUCache[Hashable, _Seen] = LRUCache(cache_size)

    def correlate(self, event: Event) -> Correlated:
        """What is to be done about ``event``, a ``v1 Event`` of count 1."""
        combined, key = self._combine(event)
        observed, patch = self._count(combined, key)
        return Correlated(observed, patch, skip=self._is_spam(observed))

    def update_state(self, event: Event) -> None:
        """Remember the event as the server has it: its name, and how often it has happened."""
        self._remember(_full_key(event), event)

    def _combine(self, event: Event) -> tuple[Event, Hashable]:
        """The event itself, or the one that stands for all similar ones; and what it is remembered by."""
        now = self._clock()
        key, local_key = self._aggregate_key(event)
        group = self._groups.get(key)
        if group is None or now - group.last > self._max_interval:
            group = self._groups[key] = _Group()
        group.last = now
        group.local_keys.add(local_key)
        if len(group.local_keys) < self._max_events:
            return event, _full_key(event)
        group.local_keys.pop()  # it need not grow: one more makes it full again
        return self._combined(event), key

    def _combined(self, event: Event) -> dict[str, Any]:
        now = self._now()
        stamp, involved = format_time(now), event.get("involvedObject") or {}
        name = event_name(involved.get("name", ""), int(now.timestamp() * 1e9))
        metadata = {"name": name, "namespace": event["metadata"].get("namespace") or "default"}
        times = {"count": 1, "firstTimestamp": stamp, "lastTimestamp": stamp}
        return {**event, **times, "metadata": metadata, "message": self._aggregate_message(event)}

    def _count(self, event: Event, key: Hashable) -> tuple[dict[str, Any], dict[str, Any] | None]:
        seen = self._seen.get(key)
        observed, patch = dict(event), None
        if seen is not None and seen.count:
            observed["metadata"] = {**event["metadata"], "name": seen.name}
            observed["firstTimestamp"] = seen.first
            observed["count"] = seen.count + 1
            patch = {field: observed.get(field) for field in ("count", "lastTimestamp", "message")}
        self._remember(key, observed)
        return observed, patch

    def _remember(self, key: Hashable, event: Event) -> None:
        self._seen[key] = _Seen(event["metadata"]["name"], event.get("count") or 0, event.get("firstTimestamp"))

    def _is_spam(self, event: Event) -> bool:
        key = self._spam_key(event)
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = TokenBucket(self._qps, self._burst, clock=self._clock)
        return bucket.reserve(within=0.0) is None


@dataclass(slots=True)
class _Group:
    """Similar events: when the last one came, and the messages of some."""

    last: float = 0.0
    local_keys: set[Hashable] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Seen:
    """An event that the server has."""

    name: str
    count: int
    first: str | None


def _source_and_object(event: Event) -> tuple[Hashable, ...]:
    source, involved = event.get("source") or {}, event.get("involvedObject") or {}
    return (source.get("component"), source.get("host"), *(involved.get(part) for part in _OBJECT))


def _full_key(event: Event) -> tuple[Hashable, ...]:
    path = (event.get("involvedObject") or {}).get("fieldPath")
    return (*_source_and_object(event), path, event.get("type"), event.get("reason"), event.get("message"))
