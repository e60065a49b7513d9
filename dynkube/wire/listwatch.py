"""The list-watch machine: a collection, followed for as long as one likes.

`ListWatch` says what to do next and is told what came of it. It touches no socket, clock or
thread: the watch of a dynamic client and an informer's reflector both drive it, and so can an
asynchronous face. What is handed over, applied to a dict, ends in the server's state, whatever
happens to the connection on the way.

::

                 start()                          410, or five failures in a row
                    |                       +-------------------------------------+
                    v                       |                                     |
              +----------+  last page  +---------+  opened   +----------+  end, ERROR event
      +-----> |  List    | ----------> | Watch   | --------> |  Read    | ---------+
      |       +----------+             +---------+           +----------+          |
      |        |  ^  | page            |  ^   ^                |  ^  | events      | closed, cut:
      |  fails |  +--+                 |  |   |                |  +--+             | Watch at once,
      |        v                 fails |  |   +----------------(-------------------+ from the last
      |       +----------+ <-----------+  |                    |                   | resourceVersion
      +-------|  Wait    | --------------+                     |  nothing came     |
              +----------+ <-----------------------------------+  within a second -+

      Fail: 400, 401, 403, 404, 405, 422, and what waiting cannot heal either, from anywhere;
            410 as well where the caller chose the resourceVersion.

Each input returns a `Step`: events to hand over first, then one command. The driver performs it
and calls the input that belongs to it:

=========  =======================================================================
command    inputs that answer it
=========  =======================================================================
`List`     `on_list_page`, or `on_list_failed`
`Watch`    `on_watch_opened`, or `on_watch_ended` with the error
`Read`     `on_events` for what was read, or `on_watch_ended`
`Wait`     `on_waited`
`Fail`     none: raise the error
=========  =======================================================================

After an ERROR event the next command is no `Read`: close the stream and obey.

The rules are those of client-go's reflector (CG/tools/cache/reflector.go), with these choices:

* Lists ask for the newest state (resourceVersion ``""``), so that a relist never goes back in
  time; ``cached_lists`` asks as the reflector does (``"0"``, then "not older than").
* A list whose continue token expires begins anew in one piece. The token that the server
  offers instead goes on at a newer version, and a watch from either version then misses or
  repeats changes; a deletion told from such a list could be wrong.
* What a relist finds is compared with what was handed over, by name, uid and resourceVersion,
  and only differences are told. Nothing else is remembered of an object.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Protocol, TypeAlias

from dynkube.errors import (
    APIStatusError,
    ConnectError,
    CredentialError,
    DecodeError,
    ExpiredError,
    FrameTooLargeError,
    GoneError,
    InvalidRequestError,
    TLSError,
    TransportError,
)
from dynkube.options import ListOptions
from dynkube.wire.paging import DEFAULT_PAGE_SIZE, ListPage, Pager
from dynkube.wire.watch import EventType, WatchEvent, error_of, is_initial_events_end

__all__ = [
    "Backoff",
    "Command",
    "Fail",
    "List",
    "ListWatch",
    "ObjectsPage",
    "Read",
    "Step",
    "Wait",
    "Watch",
]

# Seconds. Below the 300 s after which common load balancers cut (KRS kube-runtime/src/watcher.rs).
_WATCH_SECONDS = (240, 295)
# How long after that a silent connection counts as dead.
_IDLE_MARGIN = 15.0
# A watch that ends this early without an event is a failure (CG/tools/cache/reflector.go).
_SHORT_WATCH = 1.0
# So many failures in a row, and what a watch cannot heal a list may.
_FAILURES_BEFORE_LIST = 5
# So many answers in a row that cannot be decoded, and waiting is no help.
_GARBAGE_BEFORE_FAIL = 5


# --------------------------------------------------------------------------- commands


@dataclass(frozen=True, slots=True, kw_only=True)
class List:
    """Ask for a page.

    Attributes:
        options: of the list request.
    """

    options: ListOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Open a watch.

    Attributes:
        options: of the watch request.
        idle_timeout: seconds without a byte after which the connection counts as dead; above
            the ``timeout_seconds`` after which the server ends the watch.
    """

    options: ListOptions
    idle_timeout: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """Read on from the open watch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Let time pass.

    Attributes:
        seconds: how long.
        reason: the failure that makes it necessary, None for a watch that ended at once.
    """

    seconds: float
    reason: Exception | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fail:
    """Give up: raise the error.

    Attributes:
        error: what waiting cannot heal.
    """

    error: Exception


Command: TypeAlias = List | Watch | Read | Wait | Fail


@dataclass(frozen=True, slots=True)
class Step:
    """What to do now.

    Attributes:
        events: to hand over first, in this order: ADDED, MODIFIED and DELETED only.
        command: to perform then.
    """

    events: Sequence[WatchEvent]
    command: Command


class ObjectsPage(ListPage, Protocol):
    """What the machine reads of a page; an `UnstructuredList` is one."""

    @property
    def kind(self) -> str: ...  # noqa: D102
    @property
    def api_version(self) -> str: ...  # noqa: D102
    @property
    def objects(self) -> Sequence[dict[str, Any]]: ...  # noqa: D102


# --------------------------------------------------------------------------- backoff


class Backoff:
    """Growing pauses: 0.8 s, 1.6 s, ... up to 30 s, each stretched by up to its own length.

    After two minutes without a failure it begins anew (CG/tools/cache/reflector.go).

    Example:
        >>> backoff = Backoff()
        >>> backoff.next(now=0.0, fraction=0.0), backoff.next(now=1.0, fraction=0.25)
        (0.8, 2.0)
        >>> backoff.next(now=500.0, fraction=0.0)
        0.8
    """

    first, factor, cap, reset_after = 0.8, 2.0, 30.0, 120.0

    def __init__(self) -> None:
        self._next = self.first
        self._last: float | None = None

    def next(self, *, now: float, fraction: float) -> float:
        """The next pause in seconds.

        Args:
            now: seconds, of any clock that only goes forward.
            fraction: the jitter, in [0, 1).

        Returns:
            Seconds to wait.
        """
        if self._last is not None and now - self._last > self.reset_after:
            self._next = self.first
        pause = self._next
        self._next = min(pause * self.factor, self.cap)
        self._last = now
        return pause * (1.0 + fraction)


# --------------------------------------------------------------------------- the machine

# Namespace and name; uid and resourceVersion.
_Key: TypeAlias = tuple[str, str]
_Identity: TypeAlias = tuple[str, str]


class _State(Enum):
    NEW = "start()"
    LISTING = "on_list_page() or on_list_failed()"
    OPENING = "on_watch_opened() or on_watch_ended()"
    WATCHING = "on_events() or on_watch_ended()"
    WAITING = "on_waited()"
    FAILED = "nothing: it has failed"


class ListWatch:
    """Follows a collection; see the module's text for the protocol.

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

    Attributes:
        synced: whether the first list is complete.
        resource_version: the version up to which everything was handed over, ``""`` before.

    Raises:
        InvalidRequestError: ``resource_version`` is ``"0"``, which names no version.

    Example:
        >>> from types import SimpleNamespace as Page
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
        self.resource_version = resource_version

        self._known: dict[_Key, _Identity] = {}  # what was handed over (during a list: of what it has shown)
        self._unseen: dict[_Key, _Identity] = {}  # during a list: what it has not shown yet
        self._type: dict[str, str] = {}  # apiVersion and kind of an object
        self._pager = Pager(self._options)
        self._went_back = False  # this list is older than what was handed over
        self._cache_expired = False  # the last version is no good for a list any more
        self._unpaged = False
        self._initial = False  # the watch is sending its initial objects

        self._backoff = Backoff()
        self._after_wait: Callable[[], Command] = self._begin_list
        self._opened_at: float | None = None
        self._watch_had_events = False
        self._list_is_news = False  # nothing has come since the last list
        self._ever_connected = self._ever_decoded = False
        self._failures = 0
        self._garbage = 0

    def __len__(self) -> int:
        """How many objects there are, as far as was handed over."""
        return len(self._known) + len(self._unseen)

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
        if first:
            # Only a server restored from a backup has a newest state older than one before.
            self._went_back = _is_older(page.resource_version, self.resource_version)
        self._ever_connected = self._ever_decoded = True
        self._type = {"apiVersion": page.api_version, "kind": page.kind.removesuffix("List")}
        events: list[WatchEvent] = []
        for obj in page.objects:
            self._compare(obj, events)
        if self._pager.request is not None:
            return Step(events, List(options=self._pager.request))
        self._end_sync(self._pager.resource_version, events)
        return Step(events, self._watch())

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
        if _is_expired(error) or _is_too_large(error):
            if self._pager.pages:
                return Step((), self._list_in_one_piece())
            if asked is not None and asked.resource_version:
                self._cache_expired = True
                return Step((), self._begin_list())
            return self._wait(error, now, self._begin_list)
        if self._is_fatal(error):
            return self._fail(error)
        # The token still holds its version: ask for the same page again.
        return self._wait(error, now, self._repeat_list)

    def on_watch_opened(self, *, now: float) -> Step:
        """The server has answered 200 to the watch.

        Args:
            now: seconds.

        Returns:
            A step without events.
        """
        self._expect(_State.OPENING)
        self._state = _State.WATCHING
        self._ever_connected = True
        self._opened_at = now
        self._watch_had_events = False
        return _READ

    def on_events(self, events: Iterable[WatchEvent], *, now: float) -> Step:
        """Events came.

        Args:
            events: one or more, in the order of the stream.
            now: seconds.

        Returns:
            What is to be handed over, and `Read`, unless an ERROR was among them.
        """
        if self._state is not _State.WATCHING:
            self._expect(_State.WATCHING)
        told: list[WatchEvent] = []
        for event in events:
            if event.type is EventType.ERROR:
                step = self._watch_failed(error_of(event), now)
                return Step(told, step.command)
            if not self._watch_had_events:
                self._progress()
            if event.type is EventType.BOOKMARK:
                self._bookmark(event, told)
            elif self._initial:
                self._initial_event(event, told)
            else:
                self._change(event, told)
        return Step(told, _READ.command) if told else _READ

    def on_watch_ended(self, error: Exception | None = None, *, now: float) -> Step:
        """The watch is over, or did not even begin.

        Args:
            error: why; None when the server closed it or the stream was cut.
            now: seconds.

        Returns:
            Another watch, a list, a pause or the end.
        """
        self._expect(_State.WATCHING, _State.OPENING)
        return self._watch_failed(error, now)

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
        self._forget_shown()
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

    def _list_version(self) -> str:
        if not self._cached_lists or self._cache_expired:
            return ""
        return self.resource_version or "0"

    def _forget_shown(self) -> None:
        # What an unfinished list has shown was handed over all the same.
        if self._unseen:
            self._unseen.update(self._known)
        else:
            self._unseen = self._known
        self._known = {}

    def _compare(self, obj: dict[str, Any], told: list[WatchEvent]) -> None:
        key, identity = _identify(obj)
        previous = self._unseen.pop(key, None) or self._known.get(key)
        if previous is not None and (
            previous == identity or (_is_older(identity[1], previous[1]) and not self._went_back)
        ):
            self._known[key] = previous
            return
        self._known[key] = identity
        if previous is None:
            told.append(WatchEvent(EventType.ADDED, obj))
        elif previous[0] != identity[0]:
            told.append(_tombstone(key, previous, self._type))
            told.append(WatchEvent(EventType.ADDED, obj))
        else:
            told.append(WatchEvent(EventType.MODIFIED, obj))

    def _end_sync(self, resource_version: str, told: list[WatchEvent]) -> None:
        told.extend(_tombstone(key, identity, self._type) for key, identity in self._unseen.items())
        self._unseen = {}
        self.resource_version = resource_version
        self.synced = True
        self._initial = False
        self._went_back = self._cache_expired = self._unpaged = False
        self._list_is_news = True
        self._garbage = self._failures = 0

    # ------------------------------------------------------------------ initial objects by watch

    def _begin_streaming(self) -> Command:
        self._forget_shown()
        self._initial = True
        return self._watch(send_initial_events=True, resource_version_match="NotOlderThan", resource_version=None)

    def _initial_event(self, event: WatchEvent, told: list[WatchEvent]) -> None:
        self._type = _type_of(event.object)
        if event.type is not EventType.DELETED:
            self._compare(event.object, told)
            return
        key, identity = _identify(event.object)
        previous = self._unseen.pop(key, None) or self._known.pop(key, None)
        if previous is not None:
            told.append(event if previous[0] == identity[0] else _tombstone(key, previous, self._type))

    # ------------------------------------------------------------------ watches

    def _watch(self, **changes: Any) -> Command:
        self._state = _State.OPENING
        self._opened_at = None
        shortest, longest = _WATCH_SECONDS
        seconds = shortest + int((longest - shortest) * self._random())
        asked = {"resource_version": self.resource_version or None, "allow_watch_bookmarks": True, **changes}
        options = replace(self._options, timeout_seconds=seconds, **asked)
        return Watch(options=options, idle_timeout=seconds + _IDLE_MARGIN)

    def _progress(self) -> None:
        self._watch_had_events = self._ever_decoded = True
        self._list_is_news = False
        self._failures = self._garbage = 0

    def _bookmark(self, event: WatchEvent, told: list[WatchEvent]) -> None:
        version = _identify(event.object)[1][1]
        if not self._initial:
            self._advance(version)
        elif is_initial_events_end(event):
            self._type = _type_of(event.object)
            self._end_sync(version, told)

    def _change(self, event: WatchEvent, told: list[WatchEvent]) -> None:
        key, identity = _identify(event.object)
        version = identity[1]
        previous = self._known.get(key)
        if _is_older(self.resource_version, version):
            self.resource_version = version  # newer than all that was handed over
        else:
            self._advance(version)
            if previous is not None and _is_older(version, previous[1]):
                return
        if event.type is EventType.DELETED:
            self._deletion(event, key, identity, told)
        elif previous is None:
            # Whatever the server calls it: whoever listens has not seen it yet.
            self._known[key] = identity
            told.append(_as(event, EventType.ADDED) if self._lists else event)
        elif previous[0] != identity[0]:
            self._known[key] = identity
            told.append(_tombstone(key, previous, _type_of(event.object)))
            told.append(_as(event, EventType.ADDED))
        elif previous[1] != version:
            self._known[key] = identity
            told.append(_as(event, EventType.MODIFIED))

    def _deletion(self, event: WatchEvent, key: _Key, identity: _Identity, told: list[WatchEvent]) -> None:
        previous = self._known.pop(key, None)
        if previous is None:
            if not self._lists:
                told.append(event)
        elif previous[0] == identity[0]:
            told.append(event)
        else:
            told.append(_tombstone(key, previous, _type_of(event.object)))

    def _advance(self, version: str) -> None:
        # Only forward: some servers give a DELETED object the version of its last change.
        if version and not _is_older(version, self.resource_version):
            self.resource_version = version

    def _watch_failed(self, error: Exception | None, now: float) -> Step:
        opened, self._opened_at = self._opened_at, None
        in_vain = opened is None or (not self._watch_had_events and now - opened < _SHORT_WATCH)
        again: Callable[[], Command] = self._watch
        if self._initial:
            # It ended before its end mark: what it has not shown may be there all the same, and
            # what it has shown may be newer than a cache.
            self._initial = False
            self._cache_expired = True
            again = self._begin_list
            if _code(error) in {400, 422}:
                self._streaming = False
                return Step((), self._begin_list())
        if _is_expired(error):
            return self._watch_expired(error, now, in_vain=in_vain)
        if error is not None and self._is_fatal(error):
            return self._fail(error)
        if not in_vain and (error is None or isinstance(error, TransportError)):
            return Step((), again())
        if self._lists and not isinstance(error, ConnectError) and _code(error) != 429:
            self._failures += 1
        if self._failures >= _FAILURES_BEFORE_LIST:
            self._failures = 0
            again = self._begin_sync
        return self._wait(error, now, again)

    def _watch_expired(self, error: Exception | None, now: float, *, in_vain: bool) -> Step:
        if not self._lists:
            return self._fail(_as_expired(error))
        if in_vain and self._list_is_news:
            # The version of the list that has just come: another one would fare no better.
            return self._wait(error, now, self._begin_sync)
        return Step((), self._begin_sync())

    # ------------------------------------------------------------------ failures

    def _wait(self, error: Exception | None, now: float, after: Callable[[], Command]) -> Step:
        self._state = _State.WAITING
        self._after_wait = after
        seconds = self._backoff.next(now=now, fraction=self._random())
        if isinstance(error, APIStatusError):
            seconds = max(seconds, float(error.retry_after_seconds))
        return Step((), Wait(seconds=seconds, reason=error))

    def _fail(self, error: Exception) -> Step:
        self._state = _State.FAILED
        return Step((), Fail(error=error))

    def _is_fatal(self, error: Exception) -> bool:
        if isinstance(error, APIStatusError):
            code = _code(error)
            return 400 <= code < 500 and code not in _PASSING
        if isinstance(error, TransportError):
            # A wrong CA stays wrong, and a plugin that is not installed is missing next time, too; a handshake that a
            # dying server broke off is another matter, and so is a plugin that worked before.
            return isinstance(error, TLSError | CredentialError) and not self._ever_connected
        if isinstance(error, DecodeError):
            self._garbage += 1
            too_often = self._garbage >= _GARBAGE_BEFORE_FAIL
            return isinstance(error, FrameTooLargeError) or not self._ever_decoded or too_often
        # Cancelled, closed, past the deadline, refused before it was sent, or a defect.
        return True

    def _expect(self, *states: _State) -> None:
        if self._state not in states:
            raise RuntimeError(f"the list-watch machine waits for {self._state.value}, not for this input")


# --------------------------------------------------------------------------- helpers

_READ = Step((), Read())
# 4xx that time may heal: request timeout, expired, too early, too many requests.
_PASSING = frozenset({408, 410, 425, 429})


def _selection(options: ListOptions) -> ListOptions:
    return ListOptions(
        label_selector=options.label_selector,
        field_selector=options.field_selector,
        shard_selector=options.shard_selector,
    )


def _identify(obj: dict[str, Any]) -> tuple[_Key, _Identity]:
    metadata = obj.get("metadata") or {}
    get = metadata.get
    # One namespace string for all its objects.
    namespace = sys.intern(get("namespace") or "")
    return (namespace, get("name") or ""), (get("uid") or "", get("resourceVersion") or "")


def _is_older(version: str, other: str) -> bool:
    # Versions are decimal numbers without leading zeros, to be compared as such (KEP-5504);
    # those of servers that disagree can only be equal or not.
    if version.isdigit() and other.isdigit():
        return (len(version), version) < (len(other), other)
    return False


def _type_of(obj: dict[str, Any]) -> dict[str, str]:
    return {"apiVersion": obj.get("apiVersion") or "", "kind": obj.get("kind") or ""}


def _tombstone(key: _Key, identity: _Identity, type_: dict[str, str]) -> WatchEvent:
    namespace, name = key
    uid, resource_version = identity
    metadata = {"name": name, "namespace": namespace, "uid": uid, "resourceVersion": resource_version}
    obj: dict[str, Any] = {field: value for field, value in type_.items() if value}
    obj["metadata"] = {field: value for field, value in metadata.items() if value}
    return WatchEvent(EventType.DELETED, obj, final_state_unknown=True)


def _as(event: WatchEvent, event_type: EventType) -> WatchEvent:
    return event if event.type is event_type else WatchEvent(event_type, event.object)


def _code(error: Exception | None) -> int:
    return (error.code or error.http_status) if isinstance(error, APIStatusError) else 0


def _is_expired(error: Exception | None) -> bool:
    return isinstance(error, (ExpiredError, GoneError)) or _code(error) == 410


def _is_too_large(error: Exception | None) -> bool:
    # "Too large resource version": the server is behind the version asked for
    # (AS/storage/errors.go, NewTooLargeResourceVersionError).
    return isinstance(error, APIStatusError) and error.has_cause("ResourceVersionTooLarge")


def _as_expired(error: Exception | None) -> Exception:
    if isinstance(error, ExpiredError) or not isinstance(error, APIStatusError):
        assert error is not None
        return error
    # Older servers say Gone; to the caller it is the same.
    return ExpiredError(
        {**error.status, "reason": "Expired"}, http_status=error.http_status, method=error.method, path=error.path
    )
