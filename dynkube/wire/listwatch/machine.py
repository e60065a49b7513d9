"""The machine itself: `ListWatch`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from enum import Enum
from typing import Any

from dynkube.errors import (
    APIStatusError,
    ConnectError,
    DecodeError,
    InvalidRequestError,
    RequestTimeoutError,
    TransportError,
)
from dynkube.options import ListOptions
from dynkube.wire.listwatch.backoff import Backoff
from dynkube.wire.listwatch.commands import Command, Fail, List, ObjectsPage, Read, Replaced, Step, Wait, Watch
from dynkube.wire.listwatch.failures import Judge, as_expired, code_of, is_expired, is_too_large
from dynkube.wire.listwatch.ledger import Ledger
from dynkube.wire.paging import DEFAULT_PAGE_SIZE, Pager
from dynkube.wire.watch import AnyWatchEvent, EventType, error_of, is_initial_events_end

__all__ = ["ListWatch"]

# Seconds. Below the 300 s after which common load balancers cut (KRS kube-runtime/src/watcher.rs).
_WATCH_SECONDS = (240, 295)
# How long after that a silent connection counts as dead.
_IDLE_MARGIN = 15.0
# A watch that ends this early without an event is a failure (CG/tools/cache/reflector.go).
_SHORT_WATCH = 1.0
# So many failures in a row, and what a watch cannot heal a list may.
_FAILURES_BEFORE_LIST = 5

# What servers answer that do not send initial objects.
_REFUSED = frozenset({400, 422})

_READ = Read()
_READ_ON = Step((), _READ)


class _State(Enum):
    NEW = "start()"
    LISTING = "on_list_page() or on_list_failed()"
    OPENING = "on_watch_opened() or on_watch_ended()"
    WATCHING = "on_events() or on_watch_ended()"
    WAITING = "on_waited()"
    FAILED = "nothing: it has failed"


class ListWatch:
    """Follows a collection; see `dynkube.wire.listwatch` for the protocol.

    Not thread-safe: one driver.

    Args:
        options: what to follow: the selectors. What belongs to the machine (limit,
            resourceVersion, timeoutSeconds, bookmarks) is overwritten.
        random: gives numbers in [0, 1), for jitter.
        resource_version: where to begin, without a list: only what happens afterwards is
            told. An expired one is a `Fail` with `ExpiredError`, also later on: without
            a list there is nothing to compare with.
        page_size: objects in a page of a list; 0 asks for everything at once.
        cached_lists: lists may come from the API server's cache: cheaper, maybe behind.
        streaming: begin with a watch that sends the initial objects itself (KEP-3157), in
            place of a list; where the server refuses that, lists are used.
        at_once: a list (or the initial objects) is told when it is complete, all of it in one step,
            and not page by page: whoever listens goes from one state of the server to another one.
        admit: given each event with an object that is to be told, when that comes; gives what is told in its place, of
            the same type, name, uid and resourceVersion.
        heal: 401, 403, 404, 405 and what else the server or the network say is waited out as well.

    Attributes:
        synced: whether the first list is complete.

    Raises:
        InvalidRequestError: ``resource_version`` is ``"0"``, which names no version.

    Example:
        >>> from types import SimpleNamespace as Page
        >>> from dynkube.wire.watch import WatchEvent
        >>> machine = ListWatch(ListOptions(label_selector="app=web"), random=lambda: 0.0)
        >>> machine.start(now=0.0).command.options.limit
        500
        >>> pod = {"metadata": {"name": "api", "uid": "u1", "resourceVersion": "5"}}
        >>> page = Page(kind="PodList", api_version="v1", objects=[pod], resource_version="7", continue_token="")
        >>> step = machine.on_list_page(page, now=0.1)
        >>> [event.type.value for event in step.events], step.command.options.resource_version
        (['ADDED'], '7')
        >>> machine.on_watch_opened(now=0.2).command
        Read()
        >>> gone = {"metadata": {"name": "api", "uid": "u1", "resourceVersion": "8"}}
        >>> [event.type.value for event in machine.on_events([WatchEvent(EventType.DELETED, gone)], now=9.0).events]
        ['DELETED']
        >>> machine.on_watch_ended(now=60.0).command.options.resource_version
        '8'
    """

    def __init__(
        self,
        options: ListOptions | None = None,
        *,
        random: Callable[[], float],
        resource_version: str = "",
        page_size: int = DEFAULT_PAGE_SIZE,
        cached_lists: bool = False,
        streaming: bool = False,
        at_once: bool = False,
        admit: Callable[[AnyWatchEvent], AnyWatchEvent] = lambda event: event,
        heal: bool = False,
    ) -> None:
        if resource_version == "0":
            raise InvalidRequestError(
                "resource_version: '0' names no version to go on from; leave it out to begin with a list"
            )
        self._options = _selection(options if options is not None else ListOptions())
        self._random = random
        self._page_size = page_size
        self._cached_lists = cached_lists
        self._streaming = streaming and not resource_version
        self._lists = not resource_version
        self._state = _State.NEW
        self.synced = not self._lists

        self._ledger = Ledger(resource_version=resource_version, lists=self._lists, at_once=at_once, admit=admit)
        self._pager = Pager(self._options)
        self._cache_expired = False  # the last version is no good for a list any more
        self._unpaged = False
        self._initial = False  # the watch is sending its initial objects

        self._judge = Judge(heal=heal)
        self._backoff = Backoff()
        self._after_wait: Callable[[], Command] = self._begin_list
        self._opened_at: float | None = None
        self._watch_had_events = False
        self._list_is_news = False  # nothing has come since the last list
        self._expired_at: float | None = None
        self._failures = 0

    @property
    def resource_version(self) -> str:
        """The version up to which everything was handed over, ``""`` before the first list is complete."""
        return self._ledger.resource_version

    @property
    def initial(self) -> bool:
        """Whether a watch is sending its initial objects, and has not come to their end."""
        return self._initial

    def __len__(self) -> int:
        """How many objects there are, as far as was handed over."""
        return len(self._ledger)

    # ------------------------------------------------------------------ inputs

    def start(self, *, now: float) -> Step:
        """Begin.

        Args:
            now: seconds, of a clock that only goes forward; the same one in every input.

        Returns:
            The first step.
        """
        del now
        self._expect(_State.NEW)
        return Step((), self._begin_sync() if self._lists else self._watch())

    def on_list_page(self, page: ObjectsPage, *, now: float) -> Step:
        """A page came.

        Args:
            page: the page that the last command asked for.
            now: seconds.

        Returns:
            What it changes, and the next page to ask for or the watch to open.
        """
        self._expect(_State.LISTING)
        first = self._pager.pages == 0
        if not first and not self._unpaged and page.resource_version != self._pager.resource_version:
            # No snapshot: the pages of this server each have their own version.
            return Step((), self._list_in_one_piece())
        try:
            self._pager.on_page(page)
        except DecodeError as error:
            return self.on_list_failed(error, now=now)
        try:
            events = self._ledger.page(page, first=first)
        except DecodeError as error:
            return Step((), self._list_failed(error, now, self._begin_list))
        self._judge.decoded()
        if self._pager.request is not None:
            return Step(events, List(options=self._pager.request))
        version = self._pager.resource_version
        events += self._ledger.end(version)
        self._end_sync()
        return Step(events, self._watch(), Replaced(len(events), version))

    def on_list_failed(self, error: Exception, *, now: float) -> Step:
        """The page did not come.

        Args:
            error: why.
            now: seconds.

        Returns:
            A pause, another list, or the end.
        """
        self._expect(_State.LISTING)
        asked = self._pager.request
        if is_expired(error) or is_too_large(error):
            if self._pager.pages:
                return Step((), self._list_in_one_piece())
            if asked is not None and asked.resource_version:
                self._cache_expired = True
                return Step((), self._begin_list())
            return Step((), self._wait(error, now, self._begin_list))
        # The token still holds its version: ask for the same page again.
        after = self._begin_list if self._judge.needs_a_list(error) else self._repeat_list
        return Step((), self._list_failed(error, now, after))

    def on_watch_opened(self, *, now: float) -> Step:
        """The server has answered 200 to the watch.

        Args:
            now: seconds.

        Returns:
            A step without events.
        """
        self._expect(_State.OPENING)
        self._state = _State.WATCHING
        self._judge.connected()
        self._opened_at = now
        self._watch_had_events = False
        return _READ_ON

    def on_events(self, events: Iterable[AnyWatchEvent], *, now: float) -> Step:
        """Events came.

        Args:
            events: one or more, in the order of the stream.
            now: seconds.

        Returns:
            What is to be handed over, and `Read`, unless an ERROR was among them.
        """
        if self._state is not _State.WATCHING:
            self._expect(_State.WATCHING)
        told: list[AnyWatchEvent] = []
        replaced: Replaced | None = None
        for event in events:
            if event.type is EventType.ERROR:
                return Step(told, self._watch_failed(error_of(event), now), replaced)
            try:
                replaced = self._take(event, told) or replaced
            except DecodeError as error:
                return Step(told, self._watch_failed(error, now), replaced)
        return Step(told, _READ, replaced) if told or replaced else _READ_ON

    def on_watch_ended(self, error: Exception | None = None, *, now: float) -> Step:
        """The watch is over, or did not even begin.

        Args:
            error: why; None when the server closed it or the stream was cut.
            now: seconds.

        Returns:
            Another watch, a list, a pause or the end.
        """
        self._expect(_State.WATCHING, _State.OPENING)
        return Step((), self._watch_failed(error, now))

    def on_waited(self, *, now: float) -> Step:
        """The pause is over.

        Args:
            now: seconds.

        Returns:
            What the pause was for.
        """
        del now
        self._expect(_State.WAITING)
        return Step((), self._after_wait())

    # ------------------------------------------------------------------ lists

    def _begin_sync(self) -> Command:
        return self._begin_streaming() if self._streaming else self._begin_list()

    def _begin_list(self) -> Command:
        self._ledger.begin()
        version = self._list_version()
        options = replace(self._options, resource_version=version) if version else self._options
        # With a version a limit would bypass the cache that the version is for (CG/tools/cache/reflector.go).
        paged = not self._unpaged and version in {"", "0"}
        self._pager = Pager(options, page_size=self._page_size if paged else 0)
        return self._repeat_list()

    def _repeat_list(self) -> Command:
        self._state = _State.LISTING
        assert self._pager.request is not None
        return List(options=self._pager.request)

    def _list_in_one_piece(self) -> Command:
        self._unpaged = True
        self._cache_expired = True
        return self._begin_list()

    def _list_failed(self, error: Exception, now: float, after: Callable[[], Command]) -> Command:
        return self._fail(error) if self._judge.is_final(error) else self._wait(error, now, after)

    def _list_version(self) -> str:
        if not self._cached_lists or self._cache_expired:
            return ""
        return self.resource_version or "0"

    def _end_sync(self) -> None:
        self.synced = True
        self._initial = False
        self._cache_expired = self._unpaged = False
        self._list_is_news = True
        self._failures = 0

    # ------------------------------------------------------------------ initial objects by watch

    def _begin_streaming(self) -> Command:
        self._ledger.begin()
        self._initial = True
        return self._watch(send_initial_events=True, resource_version_match="NotOlderThan", resource_version=None)

    def _initial_event(self, event: AnyWatchEvent, told: list[AnyWatchEvent]) -> Replaced | None:
        if event.type is not EventType.BOOKMARK:
            told += self._ledger.initial(event)
        elif is_initial_events_end(event):
            version = (event.object.get("metadata") or {}).get("resourceVersion") or ""
            told += self._ledger.end(version, event.object)
            self._end_sync()
            return Replaced(len(told), version)
        return None

    def _initial_broke_off(self, error: Exception | None) -> Callable[[], Command]:
        """They ended before their end mark; what comes in their place."""
        self._ledger.abandon()
        self._initial = False
        # What they have shown may be newer than a cache; what they have not may be there all the same.
        self._cache_expired = True
        if isinstance(error, ConnectError) or code_of(error) == 429:
            return self._begin_sync  # who is not there yet, or is too busy, may well send them the next time
        if code_of(error) in _REFUSED or isinstance(error, RequestTimeoutError):
            self._streaming = False  # it does not know what was asked of it
        return self._begin_list

    # ------------------------------------------------------------------ watches

    def _take(self, event: AnyWatchEvent, told: list[AnyWatchEvent]) -> Replaced | None:
        if not self._watch_had_events or self._list_is_news:
            self._progress()
        if self._initial:
            return self._initial_event(event, told)
        if event.type is EventType.BOOKMARK:
            self._ledger.advance(event.object)
        else:
            self._ledger.change(event, told)
        return None

    def _watch(self, **changes: Any) -> Command:
        self._state = _State.OPENING
        self._opened_at = None
        shortest, longest = _WATCH_SECONDS
        seconds = shortest + int((longest - shortest) * self._random())
        asked = {"resource_version": self.resource_version or None, "allow_watch_bookmarks": True, **changes}
        options = replace(self._options, timeout_seconds=seconds, **asked)
        return Watch(options=options, idle_timeout=seconds + _IDLE_MARGIN)

    def _progress(self) -> None:
        self._watch_had_events = True
        self._judge.decoded()
        self._list_is_news = False
        self._failures = 0

    def _watch_failed(self, error: Exception | None, now: float) -> Command:
        opened, self._opened_at = self._opened_at, None
        in_vain = opened is None or (not self._watch_had_events and now - opened < _SHORT_WATCH)
        again: Callable[[], Command] = self._watch
        relist: Callable[[], Command] = self._begin_sync
        if self._initial:
            again = relist = self._initial_broke_off(error)
            if code_of(error) in _REFUSED:
                return again()
        if error is not None:
            if is_expired(error):
                return self._watch_expired(error, now, relist, in_vain=in_vain)
            if self._judge.is_final(error):
                return self._fail(error)
            if self._lists and self._judge.needs_a_list(error):
                again = self._begin_sync
        if not in_vain and (error is None or isinstance(error, TransportError)):
            return again()
        return self._wait(error, now, self._after_failure(error, again))

    def _after_failure(self, error: Exception | None, again: Callable[[], Command]) -> Callable[[], Command]:
        if self._lists and not isinstance(error, ConnectError) and code_of(error) != 429:
            self._failures += 1
        if self._failures < _FAILURES_BEFORE_LIST:
            return again
        self._failures = 0
        return self._begin_sync

    def _watch_expired(self, error: Exception, now: float, after: Callable[[], Command], *, in_vain: bool) -> Command:
        if not self._lists:
            return self._fail(as_expired(error))
        again_so_soon = self._expired_at is not None and now - self._expired_at < _SHORT_WATCH
        self._expired_at = now
        if again_so_soon or (in_vain and self._list_is_news):
            # The version of the list that has just come: another one would fare no better.
            return self._wait(error, now, after)
        return after()

    # ------------------------------------------------------------------ failures

    def _wait(self, error: Exception | None, now: float, after: Callable[[], Command]) -> Command:
        self._state = _State.WAITING
        self._after_wait = after
        seconds = self._backoff.next(now=now, fraction=self._random())
        if isinstance(error, APIStatusError):
            seconds = max(seconds, float(error.retry_after_seconds))
        return Wait(seconds=seconds, reason=error)

    def _fail(self, error: Exception) -> Command:
        self._state = _State.FAILED
        return Fail(error=error)

    def _expect(self, *states: _State) -> None:
        if self._state not in states:
            raise RuntimeError(f"the list-watch machine waits for {self._state.value}, not for this input")


def _selection(options: ListOptions) -> ListOptions:
    return ListOptions(
        label_selector=options.label_selector,
        field_selector=options.field_selector,
        shard_selector=options.shard_selector,
    )
