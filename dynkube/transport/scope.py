"""How long a call may take and who may end it: `CancelToken` and `CallScope`.

A `CallScope` covers a whole call of the caller's: every attempt, every wait between attempts, every
plugin. It does no I/O; whoever blocks in I/O asks it for the time that is left (`CallScope.remaining`)
and hands it a function that wakes the blocked thread (`CallScope.arm`, `CallScope.guard`).
"""

from __future__ import annotations

import heapq
import itertools
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from dynkube.errors import CancelledError, DeadlineExceededError, InvalidRequestError

__all__ = ["CallScope", "CancelToken"]

_log = logging.getLogger("dynkube.transport")


class CancelToken:
    """A switch that ends calls from another thread; it is set once and stays set.

    Hand the same token to any number of calls as ``cancel=``; each of them ends in `CancelledError`
    soon after `cancel`.

    >>> token = CancelToken()
    >>> token.cancelled
    False
    >>> token.cancel()
    >>> token.cancelled, token.wait(0)
    (True, True)
    """

    __slots__ = ("_event", "_lock", "_subscribers")

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._subscribers: dict[object, Callable[[], object]] = {}

    @property
    def cancelled(self) -> bool:
        """Whether `cancel` has been called."""
        return self._event.is_set()

    def cancel(self) -> None:
        """End every call that holds this token. Calling it again changes nothing."""
        with self._lock:
            self._event.set()
            subscribers, self._subscribers = self._subscribers, {}
        for subscriber in subscribers.values():
            _run(subscriber)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the token is cancelled.

        Args:
            timeout: Seconds to wait at most; None waits for ever.

        Returns:
            Whether the token is cancelled.
        """
        return self._event.wait(timeout)

    def subscribe(self, callback: Callable[[], object]) -> Callable[[], None]:
        """Have ``callback`` called once, on the thread that cancels (at once if that has happened).

        Args:
            callback: Takes no argument; must not block. What it raises is logged and goes no further.

        Returns:
            A function that takes the subscription back; calling it late or twice is harmless.
        """
        with self._lock:
            if not self._event.is_set():
                key = object()  # one function can be subscribed several times
                self._subscribers[key] = callback
                return partial(self._unsubscribe, key)
        _run(callback)
        return _nothing

    def _unsubscribe(self, key: object) -> None:
        with self._lock:
            self._subscribers.pop(key, None)

    def __repr__(self) -> str:
        return f"CancelToken(cancelled={self.cancelled})"


class CallScope:
    """The limits of one call: a deadline, a `CancelToken`, both or neither.

    Args:
        timeout: Seconds for the whole call, from now; None sets no limit.
        cancel: A token that ends the call from another thread.
        clock: Seconds, only ever rising; tests pass their own.

    Raises:
        InvalidRequestError: ``timeout`` is not a number of seconds above 0, or ``cancel`` no `CancelToken`.

    >>> CallScope().remaining() is None
    True
    >>> now = 0.0
    >>> scope = CallScope(30, clock=lambda: now)
    >>> now = 29.0
    >>> scope.remaining()
    1.0
    >>> now = 31.0
    >>> scope.check()
    Traceback (most recent call last):
    dynkube.errors.DeadlineExceededError: the call took longer than its timeout of 30 s
    """

    __slots__ = ("_clock", "cancel", "deadline", "timeout")

    def __init__(
        self,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if cancel is not None and not isinstance(cancel, CancelToken):
            raise InvalidRequestError(f"cancel: want a CancelToken, got a {type(cancel).__name__}")
        self.timeout = timeout
        self.cancel = cancel
        self._clock = clock
        self.deadline: float | None = None
        if timeout is not None:
            self.deadline = clock() + _seconds(timeout)

    @property
    def unlimited(self) -> bool:
        """Whether nothing can end this call early."""
        return self.deadline is None and self.cancel is None

    @property
    def over(self) -> bool:
        """Whether the deadline has passed or the token is cancelled."""
        return self._ending() is not None

    def remaining(self) -> float | None:
        """Seconds until the deadline, never below 0; None without a deadline."""
        if self.deadline is None:
            return None
        return max(0.0, self.deadline - self._clock())

    def left(self) -> float | None:
        """The ``timeout`` for a call within this one: above 0, since a call that is over raises here.

        Raises:
            CancelledError: The token is cancelled.
            DeadlineExceededError: The deadline has passed.
        """
        self.check()
        left = self.remaining()
        return None if left is None else max(left, 0.001)

    def bound(self, seconds: float | None) -> float | None:
        """``seconds`` or the time that is left, whichever is less (None: no limit)."""
        left = self.remaining()
        if left is None or seconds is None:
            return seconds if left is None else left
        return min(seconds, left)

    def check(self) -> None:
        """Return if the call may go on.

        Raises:
            CancelledError: The token is cancelled.
            DeadlineExceededError: The deadline has passed.
        """
        ending = self._ending()
        if ending is not None:
            raise ending

    def sleep(self, seconds: float) -> None:
        """Wait ``seconds``, or until the call is over.

        Raises:
            CancelledError: The token was cancelled before or during the wait.
            DeadlineExceededError: The deadline passed before or during the wait.
        """
        self.check()
        wait = self.bound(max(0.0, seconds)) or 0.0
        if self.cancel is not None:
            self.cancel.wait(wait)
        else:
            time.sleep(wait)
        self.check()

    def arm(self, interrupt: Callable[[], object]) -> Callable[[], None]:
        """Call ``interrupt`` once, on another thread, as soon as the call is over.

        Args:
            interrupt: Wakes whoever blocks on behalf of this call. It must not block.

        Returns:
            A function that takes the order back. Once it has returned, ``interrupt`` is not running and
            will not run any more, so what it would have shut down may be used by another call.
        """
        if self.deadline is None and self.cancel is None:
            return _nothing
        return _Order(self, interrupt).disarm

    @contextmanager
    def guard(self, interrupt: Callable[[], object]) -> Iterator[None]:
        """Run a block whose waiting ``interrupt`` can end, as `arm` does.

        Raises:
            CancelledError: The token is cancelled, before or inside the block. What the interrupted block
                raised becomes its cause.
            DeadlineExceededError: The deadline passed, likewise.
        """
        self.check()
        fired = False

        def interrupt_once() -> None:
            nonlocal fired
            fired = True
            interrupt()

        disarm = self.arm(interrupt_once)
        try:
            yield
        except Exception as error:
            disarm()
            ending = self._ending()
            if ending is None or isinstance(error, CancelledError | DeadlineExceededError):
                raise
            raise ending from error
        finally:
            disarm()
        # A block that was interrupted was cut short, whatever it made of that: a socket that is shut down
        # reads like the end of a file.
        if fired:
            self.check()

    def _ending(self) -> CancelledError | DeadlineExceededError | None:
        if self.cancel is not None and self.cancel.cancelled:
            return CancelledError("the call was cancelled by its cancel= token")
        if self.deadline is not None and self._clock() >= self.deadline:
            return DeadlineExceededError(f"the call took longer than its timeout of {self.timeout:g} s")
        return None

    def __repr__(self) -> str:
        return f"CallScope(timeout={self.timeout!r}, cancel={self.cancel!r})"


class _Order:
    """One armed interrupt; its lock keeps `fire` and `disarm` apart."""

    __slots__ = ("_alarm", "_interrupt", "_lock", "_unsubscribe")

    def __init__(self, scope: CallScope, interrupt: Callable[[], object]) -> None:
        self._interrupt: Callable[[], object] | None = interrupt
        self._lock = threading.RLock()  # an interrupt may disarm its own order
        self._alarm: _Alarm | None = None
        self._unsubscribe: Callable[[], None] = _nothing
        if scope.cancel is not None:
            self._unsubscribe = scope.cancel.subscribe(self.fire)
        left = scope.remaining()
        if left is not None:
            self._alarm = _WATCHDOG.set(left, self.fire)

    def fire(self) -> None:
        with self._lock:
            interrupt, self._interrupt = self._interrupt, None
            if interrupt is not None:
                _run(interrupt)

    def disarm(self) -> None:
        self._unsubscribe()
        if self._alarm is not None:
            _WATCHDOG.clear(self._alarm)
        with self._lock:
            self._interrupt = None


class _Alarm:
    """A call to be made at a time, unless it is cleared."""

    __slots__ = ("action", "at")

    def __init__(self, at: float, action: Callable[[], object] | None) -> None:
        self.at = at
        self.action = action


class _Watchdog:
    """One daemon thread for all deadlines of the process, started with the first one.

    A daemon thread because an interpreter that exits must not wait for anybody's deadline.
    """

    # Cleared alarms stay in the heap until their time; above this many, they are swept out.
    SWEEP_ABOVE = 256

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget everything (a forked child has the locks and alarms of its parent, but not its thread)."""
        self._changed = threading.Condition(threading.Lock())
        self._heap: list[tuple[float, int, _Alarm]] = []
        self._numbers = itertools.count()
        self._cleared = 0
        self._thread: threading.Thread | None = None

    def set(self, seconds: float, action: Callable[[], object]) -> _Alarm:
        """Call ``action`` on the watchdog's thread in ``seconds``."""
        alarm = _Alarm(time.monotonic() + seconds, action)
        with self._changed:
            heapq.heappush(self._heap, (alarm.at, next(self._numbers), alarm))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="dynkube-deadlines", daemon=True)
                self._thread.start()
            elif self._heap[0][2] is alarm:
                self._changed.notify()
        return alarm

    def clear(self, alarm: _Alarm) -> None:
        """Take ``alarm`` back."""
        with self._changed:
            if alarm.action is None:
                return
            alarm.action = None
            self._cleared += 1
            if self._cleared > self.SWEEP_ABOVE and self._cleared * 2 > len(self._heap):
                self._heap = [entry for entry in self._heap if entry[2].action is not None]
                heapq.heapify(self._heap)
                self._cleared = 0

    def _run(self) -> None:
        while True:
            for action in self._due():
                _run(action)

    def _due(self) -> list[Callable[[], object]]:
        due: list[Callable[[], object]] = []
        with self._changed:
            now = time.monotonic()
            while self._heap and self._heap[0][0] <= now:
                alarm = heapq.heappop(self._heap)[2]
                if alarm.action is None:
                    self._cleared = max(0, self._cleared - 1)
                else:
                    due.append(alarm.action)
                    alarm.action = None
            if not due:
                self._changed.wait(self._heap[0][0] - now if self._heap else None)
        return due


_WATCHDOG = _Watchdog()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_WATCHDOG.reset)


def _run(action: Callable[[], object]) -> None:
    try:
        action()
    except Exception:  # noqa: BLE001
        # It runs on a thread that belongs to someone else; its failure must not stop the other callbacks.
        _log.exception("a callback of a cancelled or timed out call failed")


def _seconds(timeout: object) -> float:
    is_number = isinstance(timeout, int | float) and not isinstance(timeout, bool)
    if not is_number or not 0 < timeout <= threading.TIMEOUT_MAX:  # type: ignore[operator]  # is_number says so
        raise InvalidRequestError(f"timeout: want a number of seconds above 0, or None, got {timeout!r}")
    return float(timeout)  # type: ignore[arg-type]


def _nothing() -> None:
    """Undo nothing."""
