"""Follow a collection for as long as one likes: the list-watch machine, driven on a thread of the caller's."""

from __future__ import annotations

import logging
import time
from collections.abc import Generator, Iterator
from dataclasses import replace
from types import TracebackType
from typing import Self

from dynkube.dynamic.collection import Collection
from dynkube.errors import (
    CancelledError,
    ClosedError,
    ConnectionLostError,
    DeadlineExceededError,
    DynkubeError,
    RequestTimeoutError,
)
from dynkube.rest import WatchStream
from dynkube.transport import CallScope, CancelToken
from dynkube.wire.listwatch import Fail, List, ListWatch, Read, Step, Wait
from dynkube.wire.listwatch import Watch as OpenWatch
from dynkube.wire.watch import WatchEvent

__all__ = ["Watch"]

_log = logging.getLogger("dynkube.dynamic")


class Watch:
    """Follows a collection for ever; made by `ResourceHandle.watch`.

    An iterator of `WatchEvent` of the types ADDED, MODIFIED and DELETED. One thread iterates; any
    thread may `close` it, which ends the iteration.
    """

    def __init__(
        self, collection: Collection, machine: ListWatch, scope: CallScope, *, timeout_seconds: int | None
    ) -> None:
        self._collection = collection
        self._machine = machine
        self._scope = scope
        self._timeout_seconds = timeout_seconds
        self._closing = CancelToken()
        self._stream: WatchStream | None = None
        self._unsubscribe = scope.cancel.subscribe(self._closing.cancel) if scope.cancel is not None else None
        self._events = self._run()

    @property
    def synced(self) -> bool:
        """Whether every object of the first list has been handed over."""
        return self._machine.synced

    @property
    def resource_version(self) -> str:
        """The version up to which everything has been handed over; ``""`` before the first list is complete."""
        return self._machine.resource_version

    def __iter__(self) -> Iterator[WatchEvent]:
        return self._events

    def __next__(self) -> WatchEvent:
        return next(self._events)

    def close(self) -> None:
        """End the watch, from any thread and any number of times."""
        self._closing.cancel()
        try:
            self._events.close()
        except ValueError:
            pass  # another thread is inside; the token has woken it, and it cleans up as it leaves

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Watch of {self._collection.gvr.path} at {self.resource_version or 'its beginning'}>"

    # One token ends everything that blocks: `close` cancels it, and so does the caller's.

    def _run(self) -> Generator[WatchEvent, None, None]:
        try:
            step = self._machine.start(now=time.monotonic())
            while True:
                yield from step.events
                command = step.command
                if isinstance(command, Fail):
                    raise command.error
                if isinstance(command, OpenWatch):
                    step = yield from self._follow(command)
                elif isinstance(command, List):
                    step = self._list(command)
                elif isinstance(command, Wait):
                    step = self._wait(command)
        except DeadlineExceededError:
            self._scope.check()  # says it in the caller's seconds, not in those that were left
            raise
        except (CancelledError, ClosedError):
            # Closed by the caller's own hand: the iteration ends. Anybody else's is an error.
            if not self._closing.cancelled or (self._scope.cancel is not None and self._scope.cancel.cancelled):
                raise
        finally:
            self._closing.cancel()
            if self._unsubscribe is not None:
                self._unsubscribe()

    def _list(self, command: List) -> Step:
        try:
            page = self._collection.page(command.options, timeout=self._scope.left(), cancel=self._closing)
        except (CancelledError, ClosedError):
            raise
        except DeadlineExceededError as late:
            self._scope.check()
            # It was the configuration's limit of one call: the list was slow, the watch goes on.
            return self._machine.on_list_failed(RequestTimeoutError(str(late)), now=time.monotonic())
        except DynkubeError as error:
            return self._machine.on_list_failed(error, now=time.monotonic())
        return self._machine.on_list_page(page, now=time.monotonic())

    def _wait(self, command: Wait) -> Step:
        if command.reason is not None:
            _log.info("watch of %s: waiting %.1f s after: %s", self._collection.gvr, command.seconds, command.reason)
        CallScope(self._scope.left(), self._closing).sleep(command.seconds)
        return self._machine.on_waited(now=time.monotonic())

    def _follow(self, command: OpenWatch) -> Generator[WatchEvent, None, Step]:
        """Open a watch and hand over its events; returns the step after it."""
        machine = self._machine
        options, idle = command.options, command.idle_timeout
        if self._timeout_seconds is not None:
            options = replace(options, timeout_seconds=self._timeout_seconds)
        error: Exception | None = None
        try:
            with self._collection.open_watch(
                options,
                timeout=self._scope.left(),
                cancel=self._closing,
                idle_timeout=idle,
            ) as stream:
                step = machine.on_watch_opened(now=time.monotonic())
                for event in stream.strict():
                    step = machine.on_events((event,), now=time.monotonic())
                    yield from step.events
                    if not isinstance(step.command, Read):
                        return Step((), step.command)
        except (ConnectionLostError, RequestTimeoutError) as lost:
            error = lost
        except (CancelledError, ClosedError, DeadlineExceededError):
            raise
        except DynkubeError as failure:
            error = failure
        return machine.on_watch_ended(error, now=time.monotonic())
