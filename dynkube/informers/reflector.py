"""The reflector: keeps somebody informed of a collection, on a thread of its own, whatever happens.

It drives the list-watch machine (`dynkube.wire.listwatch`) with the requests of a `ResourceHandle` and tells a `Sink`.
Its counterpart in client-go is CG/tools/cache/reflector.go.
"""

from __future__ import annotations

import logging
import random as randomness
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any, Literal, Protocol

from dynkube.errors import (
    CancelledError,
    ClosedError,
    ConnectionLostError,
    DeadlineExceededError,
    DynkubeError,
    RequestTimeoutError,
)
from dynkube.informers.growth import Growth
from dynkube.observers import Observer, ReflectorList, ReflectorWatch, notify
from dynkube.options import ListOptions
from dynkube.transport import CallScope, CancelToken
from dynkube.wire.listwatch import Command, Fail, List, ListWatch, Read, Step, Wait, Watch
from dynkube.wire.watch import AnyWatchEvent

if TYPE_CHECKING:
    from dynkube.dynamic.handle import ResourceHandle

__all__ = ["LIST_PAGE_SIZE", "Reflector", "Sink"]

LIST_PAGE_SIZE = 1000
"""Objects in a page of a list: larger than where somebody looks at the pages one by one, since all are needed."""

_log = logging.getLogger("dynkube.informers")

_SILENT = "the server has sent neither initial objects nor their end"


class Sink(Protocol):
    """Who is kept informed. Called on the reflector's thread, one call at a time; must not block for long."""

    def apply(self, batch: Sequence[AnyWatchEvent], resource_version: str) -> None:
        """Take changes, in this order, as one transaction.

        Args:
            batch: ADDED, MODIFIED and DELETED; empty where a bookmark moved the version on. The object is a dict, or
                a `RawObject` where the reflector was made with ``records="raw"``. A DELETED with
                ``final_state_unknown`` has, in both cases, a dict of apiVersion, kind and metadata (name, namespace,
                uid, resourceVersion last handed over): the last state is in the sink's store. An object that was
                deleted and created anew unseen comes as such a DELETED and an ADDED of the same key, one behind the
                other.
            resource_version: up to which everything has been told once this batch is; ``""`` before the first list
                is complete.
        """

    def replaced(self, resource_version: str) -> None:
        """A list (or the initial events of a watch) is complete: what was told is the server's state at this version.

        Comes after the `apply` that tells the differences, also when there was none.

        Args:
            resource_version: of the list.
        """

    def failed(self, error: Exception, retry_in: float | None) -> None:
        """Something failed.

        Args:
            error: what.
            retry_in: seconds until it is tried again; None where the reflector gives up, and `run` raises the error.
        """


class Reflector:
    """Keeps a `Sink` informed of a collection, through everything but its end.

    Lists are told at once: the sink goes from one state of the server to a later one, never through half of a list.
    Memory: one page (or what one read brings) beside the differences to what was told before (at first: all of it), and
    of each object its name, uid and resourceVersion.

    Args:
        handle: the resource, in one namespace or in all of them.
        sink: who is told.
        options: the selectors; the rest of them belongs to the machine.
        name: what observers and logs call it; by default the resource, ``"deployments.apps"``.
        page_size: objects in a page of a list; 0 asks for everything at once.
        cached_lists: lists may come from the API server's cache: cheaper, maybe behind.
        streaming: begin with a watch that sends the initial objects itself (KEP-3157), as client-go does since 1.35.
            The server then holds no page in memory; but both sides work harder for each object, the server twice as
            much, and nothing is compressed. Where it refuses, or is silent, lists are used.
        records: ``"raw"`` hands objects over undecoded.
        admit: given each event that the sink is to be told (but those with ``final_state_unknown``) as it comes, and
            gives what the sink gets in its place, of the same type, name, uid and resourceVersion: work on each object
            that is done here does not wait for the end of a list. Must not raise.
        observers: told of lists and watches.
        random: gives numbers in [0, 1), for jitter.
        clock: seconds, only ever rising.

    Attributes:
        failure: the last error, until the server answers again; None while all is well.
        heard_at: when the server was last heard of, by ``clock``; None before the first answer.

    Raises:
        InvalidRequestError: a selector does not parse, or the handle is a subresource.
    """

    SLOW_START = 10.0
    """Seconds without the end of the initial objects after which that is logged, again and again."""
    SILENT_START = 30.0
    """Seconds of silence before the end of the initial objects after which lists take their place."""

    def __init__(
        self,
        handle: ResourceHandle,
        sink: Sink,
        *,
        options: ListOptions | None = None,
        name: str = "",
        page_size: int = LIST_PAGE_SIZE,
        cached_lists: bool = False,
        streaming: bool = False,
        records: Literal["dict", "raw"] = "dict",
        admit: Callable[[AnyWatchEvent], AnyWatchEvent] = lambda event: event,
        observers: Sequence[Observer] = (),
        random: Callable[[], float] = randomness.random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._collection = handle.collection()
        resource = str(handle.gvr.group_resource)
        self._name = name or resource
        self._sink = sink
        self._raw = records == "raw"
        self._clock = clock
        self._report = _Report(observers, self._name, resource, clock)
        self._machine = ListWatch(
            options,
            random=random,
            page_size=page_size,
            cached_lists=cached_lists,
            streaming=streaming,
            at_once=True,
            admit=admit,
            heal=True,
        )
        self._collection.check(options if options is not None else ListOptions())
        self._growth = Growth(is_wanted=not self._raw)
        self._told_version = ""
        self._cancel = CancelToken()
        self.failure: Exception | None = None
        self.heard_at: float | None = None

    @property
    def synced(self) -> bool:
        """Whether the first list is complete, and told."""
        return self._machine.synced

    @property
    def resource_version(self) -> str:
        """The version up to which everything has been told, bookmarks included; ``""`` before the first list."""
        return self._machine.resource_version

    def run(self, cancel: CancelToken) -> None:
        """Tell the sink until the token is cancelled; then return, from wherever it blocks.

        401, 403, 404, 405 and all else that time or an administrator may heal is waited out, and told (`Sink.failed`).
        Once only: make another one to run again.

        Args:
            cancel: ends it, from another thread.

        Raises:
            ClosedError: the client was closed.
            Exception: what the sink raised.
        """
        self._cancel = cancel
        try:
            command = self._told(self._machine.start(now=self._clock()))
            while True:
                # The sink is told here, outside of the requests: what it raises is no failure of theirs.
                with closing(self._steps(command)) as steps:
                    for step in steps:
                        command = self._told(step)
        except CancelledError:
            if not cancel.cancelled:
                raise
        finally:
            self._growth.end()

    # ------------------------------------------------------------------ commands

    def _steps(self, command: Command) -> Generator[Step, None, None]:
        """Perform a command: the steps that come of it, of which the last has the next command."""
        match command:
            case List():
                yield self._list(command)
            case Watch():
                yield from self._watch(command)
            case Wait():
                yield self._wait(command)
            case Fail(error=error):
                self._failed(error, None)
                raise error
            case Read():
                raise AssertionError("there is no watch to read on from")

    def _list(self, command: List) -> Step:
        if command.options.continue_token is None:
            self._report.list_begins()
        ask = self._collection.records if self._raw else self._collection.page
        try:
            page = ask(command.options, cancel=self._cancel)
        except DynkubeError as error:
            failure = self._passing(error)
            self._report.list_failed(failure)
            return self._machine.on_list_failed(failure, now=self._clock())
        self._heard()
        self._growth.comes()
        return self._machine.on_list_page(page, now=self._clock())

    def _watch(self, command: Watch) -> Generator[Step, None, None]:
        self._report.watch_begins(lists=self._machine.initial)
        error: Exception | None = None
        try:
            with closing(self._follow(command)) as steps:
                for step in steps:
                    yield step
                    if not isinstance(step.command, Read):
                        return
        except DynkubeError as failure:
            error = self._passing(failure)
        finally:
            self._report.watch_over(error, self.resource_version)
        yield self._machine.on_watch_ended(error, now=self._clock())

    def _follow(self, command: Watch) -> Generator[Step, None, None]:
        idle = command.idle_timeout
        with self._collection.open_watch(command.options, cancel=self._cancel, idle_timeout=idle) as stream:
            self._heard()
            self._report.watch_opened()
            start = _SlowStart(self.SLOW_START, self._is_too_slow, stream.close) if self._machine.initial else None
            try:
                yield self._machine.on_watch_opened(now=self._clock())
                for batch in stream.batches(records=self._raw):
                    self._heard()
                    self._report.events += len(batch)
                    if self._machine.initial:
                        self._growth.comes()
                    if batch:
                        yield self._machine.on_events(batch, now=self._clock())
                    if start is not None and not self._machine.initial:
                        start.stop()
                        if start.given_up:  # just now: the stream is closed
                            raise RequestTimeoutError(_SILENT)
                        start = None
            except ClosedError:
                if start is None or not start.given_up:
                    raise
                raise RequestTimeoutError(_SILENT) from None
            finally:
                if start is not None:
                    start.stop()

    def _wait(self, command: Wait) -> Step:
        self._growth.end()
        reason = command.reason
        if reason is None:
            reason = ConnectionLostError("the watch ended within a second and without an event")
        self._failed(reason, command.seconds)
        CallScope(None, self._cancel).sleep(command.seconds)
        return self._machine.on_waited(now=self._clock())

    def _passing(self, error: DynkubeError) -> DynkubeError:
        """What the machine is to be told of an error; our own end goes up."""
        if isinstance(error, CancelledError) and self._cancel.cancelled:
            raise error
        if isinstance(error, DeadlineExceededError):
            # The configuration's limit of one call: the server was slow.
            return RequestTimeoutError(str(error))
        return error

    # ------------------------------------------------------------------ telling

    def _told(self, step: Step) -> Command:
        """Tell the sink of a step; its command is next."""
        events, replaced = step.events, step.replaced
        if replaced is not None:
            if replaced.events:
                self._sink.apply(events[: replaced.events], replaced.resource_version)
            self._report.list_over(len(self._machine), replaced.resource_version)
            self._sink.replaced(replaced.resource_version)
            self._growth.complete()
            events, self._told_version = events[replaced.events :], replaced.resource_version
        if events or self.resource_version != self._told_version:
            self._told_version = self.resource_version
            self._sink.apply(events, self._told_version)
        return step.command

    def _heard(self) -> None:
        self.heard_at = self._clock()
        self.failure = None

    def _failed(self, error: Exception, retry_in: float | None) -> None:
        self.failure = error
        again = "giving up" if retry_in is None else f"again in {retry_in:.1f} s"
        _log.info("reflector of %s: %s, after: %s", self._name, again, error)
        self._sink.failed(error, retry_in)

    def _is_too_slow(self, seconds: float) -> bool:
        """The end of the initial objects has not come for so many seconds: whether to wait no more."""
        _log.warning(
            "reflector of %s: the end of the initial objects has not come for %g s; the server may not know "
            "sendInitialEvents: try streaming=False",
            self._name,
            seconds,
        )
        return self.heard_at is not None and self._clock() - self.heard_at >= self.SILENT_START

    def __repr__(self) -> str:
        return f"<Reflector of {self._name} at {self.resource_version or 'its beginning'}>"


class _SlowStart:
    """Looks every so many seconds at something that has not come yet; on the thread of the deadlines.

    Args:
        seconds: how many.
        is_too_slow: takes the seconds since the beginning; whether it is waited for no more.
        give_up: called once that is so.

    Attributes:
        given_up: whether it is so.
    """

    def __init__(self, seconds: float, is_too_slow: Callable[[float], bool], give_up: Callable[[], None]) -> None:
        self._seconds = seconds
        self._is_too_slow = is_too_slow
        self._give_up = give_up
        self._looks = 0
        self._stopped = False
        self.given_up = False
        self._disarm = CallScope(seconds).arm(self._fire)

    def _fire(self) -> None:
        if self._stopped:
            return
        self._looks += 1
        if self._is_too_slow(self._looks * self._seconds):
            self.given_up = True
            self._give_up()
        else:
            self._disarm = CallScope(self._seconds).arm(self._fire)

    def stop(self) -> None:
        """It has come, or will not any more."""
        self._stopped = True
        self._disarm()


class _Report:
    """Tells observers of lists and watches that are over."""

    def __init__(self, observers: Sequence[Observer], informer: str, resource: str, clock: Callable[[], float]) -> None:
        self._observers = observers
        self._informer = informer
        self._resource = resource
        self._clock = clock
        self._list_began: float | None = None
        self._watch_opened: float | None = None
        self.events = 0

    def list_begins(self) -> None:
        self._list_began = self._clock()

    def list_over(self, items: int, resource_version: str) -> None:
        self._list(ReflectorList(**self._of(self._list_began), items=items, resource_version=resource_version))

    def list_failed(self, error: Exception) -> None:
        self._list(ReflectorList(**self._of(self._list_began), error=type(error).__name__))

    def _list(self, listed: ReflectorList) -> None:
        if self._list_began is not None:
            self._list_began = None
            notify(self._observers, lambda observer: observer.on_reflector_list, listed)

    def watch_begins(self, *, lists: bool) -> None:
        self._watch_opened = None
        self.events = 0
        if lists:
            self._list_began = self._clock()

    def watch_opened(self) -> None:
        self._watch_opened = self._clock()

    def watch_over(self, error: Exception | None, resource_version: str) -> None:
        if error is not None:
            self.list_failed(error)
        watched = ReflectorWatch(
            **self._of(self._watch_opened),
            events=self.events,
            resource_version=resource_version,
            error=type(error).__name__ if error is not None else "",
        )
        notify(self._observers, lambda observer: observer.on_reflector_watch, watched)

    def _of(self, began: float | None) -> dict[str, Any]:
        seconds = self._clock() - began if began is not None else 0.0
        return {"informer": self._informer, "resource": self._resource, "seconds": seconds}
