"""Watches: an async iterator over frames, fed from the log (AS/storage/cacher/cacher.go, cache_watcher.go).

A watch queues nothing. It reads the log from its place in it when the client has taken what it was
sent, and ends when the log has moved on without it. Waiting is one future and one timer.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any

from dynkube.testing.apiserver.storage.collection import Collection
from dynkube.testing.apiserver.storage.entries import Entry
from dynkube.testing.apiserver.storage.eventlog import EventLog, EventType
from dynkube.testing.apiserver.storage.options import ListOptions, parse_revision
from dynkube.testing.apiserver.storage.rendering import FrameCache, Rendering, error_frame, frame
from dynkube.testing.apiserver.storage.selection import Selection
from dynkube.testing.apiserver.words import statuses

__all__ = ["Watch"]

# How much is sent at once, and read at once from the log.
_BATCH_BYTES = 256 * 1024
_BATCH_EVENTS = 256
# --min-request-timeout: a watch without timeoutSeconds lasts from one to two of these.
_MIN_REQUEST_TIMEOUT = 1800
_BOOKMARK_SECONDS = 60.0
_LAST_BOOKMARK_SECONDS = 2.0


class Watch:
    """One watch of a collection, from the moment when it is made. Iterate over it once for the bytes to send.

    Args:
        collection: What is watched.
        frames: Shared with the other watches of the collection.
        latest: Tells the store's revision.
        namespace: Of the request; "" for all.
        options: Valid and defaulted.
        rendering: How objects are shown.
    """

    def __init__(
        self,
        collection: Collection,
        frames: FrameCache,
        latest: Callable[[], int],
        *,
        namespace: str,
        options: ListOptions,
        rendering: Rendering,
    ) -> None:
        self._log = collection.log
        self._frames = frames
        self._latest = latest
        self._rendering = rendering
        self._selection = Selection(options, namespace or options.exact_field("metadata.namespace") or "")
        self._timeout = options.timeout_seconds
        self._bookmarks = options.allow_watch_bookmarks
        self._is_first = True
        self._initial: Iterator[Entry] | None = None
        self._begun = latest()
        self._problem = self._find_problem(options)
        # Of old, a watch from anywhere begins with what is there; paths with /watch/ know no newer way.
        from_anywhere = options.send_initial_events is None and not parse_revision(options.resource_version)
        if options.send_initial_events or from_anywhere:
            self._initial = iter(collection.current(self._selection.namespace))
            self._since = self._begun
        else:
            self._since = parse_revision(options.resource_version) or self._begun
        self._marks_end = bool(options.send_initial_events) and self._bookmarks
        self._cursor = self._log.after(self._since)
        self._ended_before = self._log.watches_ended

    def _find_problem(self, options: ListOptions) -> Mapping[str, Any] | None:
        """What keeps the watch from starting: an ERROR event of a response that is a 200 (newErrWatcher)."""
        revision = parse_revision(options.resource_version)
        if options.send_initial_events:
            if revision > self._begun:
                return statuses.resource_version_too_large(revision, self._begun).status
        elif 0 < revision < self._log.start:
            return statuses.expired(f"too old resource version: {revision} ({self._log.start})").status
        return None

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._run()

    async def _run(self) -> AsyncIterator[bytes]:
        if self._problem is not None:
            yield error_frame(self._problem)
            return
        for batch in self._initial_batches():
            yield batch
        timer = _Timer(self._timeout, bookmarks=self._bookmarks)
        alarm = _Alarm(self._log)
        try:
            while not self._log.is_closed:
                events = self._cursor.read(_BATCH_EVENTS)
                if events is None:
                    return  # the log has dropped what this watch would have told next
                if not events:
                    if timer.is_over() or self._log.watches_ended != self._ended_before:
                        return
                    if timer.takes_bookmark() and self._latest() > self._begun:
                        yield self._bookmark()
                    await alarm.wait(timer.next())
                    continue
                # A watch from a revision of the future hears nothing of what comes before it.
                seen = (self._selection.seen(event) for event in events if event.revision > self._since)
                for batch in _batches(self._frame(*each) for each in seen if each is not None):
                    yield batch
        finally:
            alarm.close()

    def _initial_batches(self) -> Iterator[bytes]:
        """What was there when the watch began and, for who wants bookmarks, the mark that this was all."""
        if self._initial is None:
            return
        chosen = (entry for entry in self._initial if self._selection.matches(entry))
        yield from _batches(frame(EventType.ADDED, self._render(entry)) for entry in chosen)
        self._initial = None
        if self._marks_end:
            yield self._bookmark(self._begun, ends_initial_events=True)

    def _bookmark(self, revision: int | None = None, *, ends_initial_events: bool = False) -> bytes:
        entry = self._rendering.bookmark(revision or self._latest(), ends_initial_events=ends_initial_events)
        return frame("BOOKMARK", self._render(entry))

    def _render(self, entry: Entry) -> bytes:
        is_first, self._is_first = self._is_first, False
        return self._rendering.render(entry, is_first)

    def _frame(self, event_type: EventType, entry: Entry) -> bytes:
        is_first, self._is_first = self._is_first, False
        return self._frames.get(self._rendering, event_type, entry, is_first)


class _Timer:
    """When a watch sends bookmarks, and when it ends.

    Bookmarks come about every minute and, so that the client knows where to go on, two seconds
    before the end (nextBookmarkTime).
    """

    def __init__(self, timeout_seconds: int | None, *, bookmarks: bool) -> None:
        self._now = asyncio.get_running_loop().time
        timeout = timeout_seconds or random.uniform(_MIN_REQUEST_TIMEOUT, 2 * _MIN_REQUEST_TIMEOUT)  # noqa: S311
        self._end = self._now() + timeout
        self._bookmark: float | None = None
        if bookmarks:
            self._schedule()

    def is_over(self) -> bool:
        """Whether the time is up."""
        return self._now() >= self._end

    def takes_bookmark(self) -> bool:
        """Whether a bookmark is due; the next one is then scheduled."""
        if self._bookmark is None or self._now() < self._bookmark:
            return False
        self._schedule()
        return True

    def next(self) -> float:
        """When to look again, in the loop's time."""
        return self._end if self._bookmark is None else min(self._bookmark, self._end)

    def _schedule(self) -> None:
        now = self._now()
        due = min(now + _BOOKMARK_SECONDS, self._end - _LAST_BOOKMARK_SECONDS)
        self._bookmark = due if due > now else None


class _Alarm:
    """Wakes one watch when its log has news."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._loop = asyncio.get_running_loop()
        self._waiter: asyncio.Future[None] | None = None
        log.subscribe(self._ring)

    def _ring(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def wait(self, until: float) -> None:
        """Wait for news, or until a moment of the loop's time."""
        self._waiter = self._loop.create_future()
        timer = self._loop.call_at(until, self._ring)
        try:
            await self._waiter
        finally:
            timer.cancel()
            self._waiter = None

    def close(self) -> None:
        """Hear no more."""
        self._log.unsubscribe(self._ring)


def _batches(frames: Iterator[bytes]) -> Iterator[bytes]:
    """Frames joined to pieces that are worth a write."""
    batch: list[bytes] = []
    size = 0
    for each in frames:
        batch.append(each)
        size += len(each)
        if size >= _BATCH_BYTES:
            yield b"".join(batch)
            batch.clear()
            size = 0
    if batch:
        yield b"".join(batch)
