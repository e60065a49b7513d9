"""A handler at work: its queue, its thread, its pace.

The counterpart in client-go is the processorListener of CG/tools/cache/shared_informer.go.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from dynkube.errors import InformerStoppedError
from dynkube.informers.handlers import ResourceEventHandler
from dynkube.informers.indexes import Item, key_of_item
from dynkube.informers.status import HandlerStatus
from dynkube.informers.waiting import Latch
from dynkube.observers import HandlerCall, Observer, notify
from dynkube.transport import CallScope, CancelToken

__all__ = ["HandlerRegistration", "Notification"]

_log = logging.getLogger("dynkube.informers")

# Seconds after a handler has raised until it is told of the next thing (CG/tools/cache/shared_informer.go).
_PAUSE = 1.0
# Seconds that a notification has waited when that is logged, and seconds until it is logged again.
_LATE, _LATE_AGAIN = 10.0, 60.0


class Notification(NamedTuple):
    """Something to tell a handler.

    Attributes:
        event: What happened. ``"end"`` is told to nobody: it ends the initial list, or a resync.
        old: The object before; of a delete, the object.
        new: The object now.
        flag: Of an add, whether it is in the initial list; of a delete, whether the final state is unknown.
        at: When it came, in seconds of the monotonic clock.
    """

    event: Literal["add", "update", "delete", "resync", "end"]
    old: Item | None = None
    new: Item | None = None
    flag: bool = False
    at: float = 0.0


_SYNCED, _RESYNCED = Notification("end", flag=False), Notification("end", flag=True)


class HandlerRegistration:
    """A handler of an informer; made by `SharedInformer.add_event_handler`.

    Args:
        handler: Who is told.
        name: What it is called in logs and metrics.
        resync: Seconds between resyncs, None for none.
        feed: Called on the handler's thread when a resync is due: has the whole store put into the queue.
        remove: Takes the handler out of its informer.
        show: Makes what the handler gets of what the queue has: the object, given whether it is a tombstone.
        after: Called with the notification after each call.
        informer: The informer's name.
        observers: Who is told of the calls.
    """

    def __init__(
        self,
        handler: ResourceEventHandler,
        *,
        name: str,
        informer: str,
        resync: float | None,
        feed: Callable[[HandlerRegistration], object],
        remove: Callable[[HandlerRegistration], object],
        show: Callable[[Item, bool], Mapping[str, Any]],
        after: Callable[[HandlerRegistration, Notification], object] | None = None,
        observers: Sequence[Observer] = (),
    ) -> None:
        self.name = name
        self.resync = resync
        self._handler = handler
        self._informer = informer
        self._feed = feed
        self._remove = remove
        self._show = show
        self._after = after
        self._observers = observers
        self._queue: deque[Notification] = deque()
        self._changed = threading.Condition(threading.Lock())
        self._closed = False
        self._synced = Latch()
        self._thread: threading.Thread | None = None
        self._due = math.inf
        self._called_at: float | None = None
        self._delivered = self._failed = 0
        self._late_again = 0.0

    # ------------------------------------------------------------------ for everybody

    @property
    def has_synced(self) -> bool:
        """Whether the handler has been told of everything that was there at first."""
        return self._synced.is_set

    def wait_for_sync(self, *, timeout: float | None = None, cancel: CancelToken | None = None) -> None:
        """Wait until the handler has been told of everything that was there at first.

        Args:
            timeout: Seconds to wait at most.
            cancel: A token that ends the wait.

        Raises:
            DeadlineExceededError: It took longer.
            CancelledError: The token was cancelled.
            InformerStoppedError: The handler was removed, or the informer has stopped.
        """
        self._synced.wait(CallScope(timeout, cancel), what=lambda: f"handler {self.name} of informer {self._informer}")
        if not self.has_synced:
            raise InformerStoppedError(
                f"handler {self.name} of informer {self._informer} was removed, or its informer has stopped, "
                "before it synced"
            )

    def remove(self) -> None:
        """Tell the handler no more; what waits in its queue is dropped. Calling it again changes nothing.

        A call that is running ends in its own time.
        """
        self._remove(self)

    @property
    def depth(self) -> int:
        """How many notifications wait."""
        return len(self._queue)

    @property
    def behind(self) -> float:
        """Seconds that the oldest of these has waited; 0 where none waits."""
        try:
            oldest = self._queue[0]
        except IndexError:
            return 0.0
        return max(0.0, time.monotonic() - oldest.at) if oldest.at else 0.0

    @property
    def delivered(self) -> int:
        """How many calls have returned."""
        return self._delivered

    @property
    def failed(self) -> int:
        """How many calls have raised."""
        return self._failed

    @property
    def running_for(self) -> float | None:
        """Seconds since the call that is running began; None where none is."""
        began = self._called_at
        return None if began is None else time.monotonic() - began

    @property
    def status(self) -> HandlerStatus:
        """How the handler fares now."""
        return HandlerStatus(
            name=self.name,
            synced=self.has_synced,
            depth=self.depth,
            behind=self.behind,
            delivered=self.delivered,
            failed=self.failed,
            running_for=self.running_for,
        )

    # ------------------------------------------------------------------ for the informer

    def start(self) -> None:
        """Begin to call the handler; the informer does it."""
        self._resync_later()
        # A daemon thread: a callback that never returns must not keep the interpreter from ending.
        self._thread = threading.Thread(target=self._run, name=f"dynkube-handler-{self.name}", daemon=True)
        self._thread.start()

    def renew_after_fork(self) -> None:
        """No thread of the parent waits here, or calls the handler."""
        self._changed = threading.Condition(threading.Lock())
        self._called_at = None
        self._synced.renew_after_fork()

    def put(self, notifications: Iterable[Notification]) -> None:
        """Add to the queue; never waits for the handler."""
        with self._changed:
            if not self._closed:
                self._queue.extend(notifications)
                self._changed.notify()

    def put_synced(self) -> None:
        """Say that what is in the queue completes the initial list."""
        self.put((_SYNCED,))

    def release(self) -> None:
        """The initial list will not be complete any more: nobody waits for it any longer."""
        self._synced.release()

    def close(self) -> None:
        """Stop calling the handler, soon; what waits is dropped."""
        with self._changed:
            self._closed = True
            self._queue.clear()
            self._changed.notify()
        self._synced.release()

    @property
    def is_running(self) -> bool:
        """Whether its thread runs."""
        return self._thread is not None and self._thread.is_alive()

    def join(self, timeout: float) -> bool:
        """Wait for the thread, unless it is this one; whether it has ended."""
        thread = self._thread
        if thread is None or thread is threading.current_thread():
            return True
        thread.join(timeout)
        return not thread.is_alive()

    # ------------------------------------------------------------------ the thread

    def _run(self) -> None:
        while not self._closed:
            try:
                notification = self._queue.popleft()
            except IndexError:
                if self._wait():
                    continue
                self._resync()
                continue
            if notification is _SYNCED:
                self._synced.set()
            elif notification is _RESYNCED:
                self._resync_later()
            else:
                self._tell(notification)
            if self.resync is not None and time.monotonic() >= self._due:
                self._resync()

    def _wait(self) -> bool:
        """Wait for work; False where a resync is due first."""
        with self._changed:
            while not self._queue and not self._closed:
                left = None if math.isinf(self._due) else self._due - time.monotonic()
                if left is not None and left <= 0:
                    return False
                self._changed.wait(left)
        return True

    def _resync_later(self) -> None:
        self._due = math.inf if self.resync is None else time.monotonic() + self.resync

    def _resync(self) -> None:
        # The next one is due when this one has been told: a slow handler has never two of them in its queue.
        self._due = math.inf
        self._feed(self)
        self.put((_RESYNCED,))

    def _tell(self, notification: Notification) -> None:
        began = self._called_at = time.monotonic()
        if began - notification.at > _LATE and began >= self._late_again:
            self._late_again = began + _LATE_AGAIN
            late = began - notification.at
            _log.warning(
                "handler %s of informer %s is %.0f s behind: %d wait", self.name, self._informer, late, self.depth
            )
        problem = ""
        try:
            self._call(notification)
            self._delivered += 1
        except BaseException as error:  # noqa: BLE001 - someone else's code: SystemExit must not end the informer either
            problem = type(error).__name__
            self._failed += 1
            _log.exception(
                "handler %s of informer %s failed with the %s of %s, and is not told of it again; it goes on with the "
                "next one in %g s",
                self.name,
                self._informer,
                notification.event,
                _key(notification),
                _PAUSE,
            )
        self._called_at = None
        if self._observers:
            self._measure(notification, began, problem)
        if self._after is not None:
            self._after(self, notification)
        if problem:
            self._pause()

    def _call(self, notification: Notification) -> None:
        event, old, new, flag, _ = notification
        if event == "add":
            assert new is not None
            self._handler.on_add(self._show(new, False), flag)
        elif event == "delete":
            assert old is not None
            self._handler.on_delete(self._show(old, flag))
        else:
            assert old is not None
            assert new is not None
            shown = self._show(new, False)
            self._handler.on_update(shown if old is new else self._show(old, False), shown)

    def _measure(self, notification: Notification, began: float, problem: str) -> None:
        call = HandlerCall(
            informer=self._informer,
            handler=self.name,
            event=notification.event,
            waited=max(0.0, began - notification.at),
            seconds=time.monotonic() - began,
            error=problem,
        )
        notify(self._observers, lambda observer: observer.on_handler_call, call)

    def _pause(self) -> None:
        until = time.monotonic() + _PAUSE
        with self._changed:
            while not self._closed and (left := until - time.monotonic()) > 0:
                self._changed.wait(left)

    def __repr__(self) -> str:
        return f"<HandlerRegistration {self.name} of {self._informer}: {self.depth} waiting>"


def _key(notification: Notification) -> str:
    item = notification.new if notification.new is not None else notification.old
    return "" if item is None else key_of_item(item)
