"""The queue itself (CG/util/workqueue/queue.go, delaying_queue.go and rate_limiting_queue.go in one)."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import contextmanager
from typing import Generic, Literal, TypeVar

from dynkube.arguments import checked_function, checked_text
from dynkube.errors import InvalidRequestError
from dynkube.observers import Observer, WorkqueueStep, checked_observers, notify
from dynkube.transport import CallScope, CancelToken
from dynkube.workqueue.limiters import ItemRateLimiter, checked_rate_limiter, default_controller_rate_limiter

__all__ = ["Workqueue"]

_T = TypeVar("_T", bound=Hashable)


class Workqueue(Generic[_T]):
    """First in, first out; an item is in it once at most, and with one worker at a time.

    An item that is added while it waits stays where it is. One that is added while somebody works on it waits until
    that one says `done`, and comes again: nothing that happened is missed, and no two work on the same item.

    `add_after` and `add_rate_limited` add later. No thread waits for that: those who wait in `get` do.

    Safe for any number of threads. An item is anything hashable but None, such as ``("shop", "api")``.

    Args:
        name: what metrics and logs call it.
        rate_limiter: how long `add_rate_limited` waits; `default_controller_rate_limiter` by default.
        observers: who is told of each step: ``config.observers``, for one.
        clock: seconds, only ever rising.

    Raises:
        InvalidRequestError: a name that is no text, or something else than a limiter, observers or a clock.

    Example:
        >>> queue = Workqueue("pods")
        >>> queue.add("shop/api")
        >>> queue.add("shop/api")
        >>> len(queue), queue.get()
        (1, 'shop/api')
        >>> queue.add("shop/api")  # while somebody works on it
        >>> len(queue)
        0
        >>> queue.done("shop/api")
        >>> queue.get()
        'shop/api'
    """

    def __init__(
        self,
        name: str = "",
        *,
        rate_limiter: ItemRateLimiter | None = None,
        observers: Iterable[Observer] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = checked_text("name", name)
        self._clock = checked_function("clock", clock)
        if rate_limiter is None:
            rate_limiter = default_controller_rate_limiter(clock=clock)
        self._limiter = checked_rate_limiter("rate_limiter", rate_limiter)
        self._observers = checked_observers(observers)
        self._lock = threading.Lock()
        self._ready = threading.Condition(self._lock)  # an item, an earlier time, or the end
        self._idle = threading.Condition(self._lock)  # nothing waits, and nobody works
        self._queue: deque[_T] = deque()
        self._dirty: dict[_T, float] = {}  # what needs work, and since when: in the queue, or being worked on
        self._processing: dict[_T, float] = {}  # what is being worked on, and since when
        self._delays: list[tuple[float, int, _T]] = []  # a heap; entries that _due_at does not know are of the past
        self._due_at: dict[_T, float] = {}
        self._numbers = itertools.count()
        self._shutting_down = False
        self._draining = False
        self._steps: list[WorkqueueStep] = []
        notify(self._observers, lambda observer: observer.on_workqueue, self)

    # ---------------------------------------------------------------- adding

    def add(self, item: _T) -> None:
        """Say that ``item`` needs work. After `shut_down`, nothing happens.

        Raises:
            InvalidRequestError: the item is None, which is what `get` returns at the end, or not hashable.
        """
        _check_item(item)
        with self._lock:
            if not self._shutting_down:
                self._promote()
                self._add(item)
        self._tell()

    def add_after(self, item: _T, delay: float) -> None:
        """Add ``item`` in ``delay`` seconds; at once if that is 0 or less.

        An item that waits for its time already comes at the earlier one of the two.

        Raises:
            InvalidRequestError: the item is None or not hashable, or the delay no number.
        """
        _check_item(item)
        given: object = delay
        if not isinstance(given, int | float) or not given <= threading.TIMEOUT_MAX:
            raise InvalidRequestError(f"delay: want a number of seconds, got {delay!r}")
        with self._lock:
            if not self._shutting_down:
                self._promote()
                self._note("retry")
                if delay <= 0:
                    self._add(item)
                else:
                    self._add_at(item, self._clock() + delay)
        self._tell()

    def add_rate_limited(self, item: _T) -> None:
        """Add ``item`` when its rate limiter says so: after a failure.

        Raises:
            InvalidRequestError: the item is None or not hashable, or the limiter's answer no number.
        """
        _check_item(item)
        self.add_after(item, self._limiter.when(item))

    def forget(self, item: _T) -> None:
        """Have the rate limiter count no more failures of ``item``: after a success, or when one gives up.

        Raises:
            InvalidRequestError: the item is None or not hashable.
        """
        _check_item(item)
        self._limiter.forget(item)

    def num_requeues(self, item: _T) -> int:
        """How often ``item`` was added by `add_rate_limited` since it was last forgotten.

        Raises:
            InvalidRequestError: the item is None or not hashable.
        """
        _check_item(item)
        return self._limiter.num_requeues(item)

    # ---------------------------------------------------------------- working

    def get(self, *, timeout: float | None = None, cancel: CancelToken | None = None) -> _T | None:
        """The next item, as soon as there is one. Whoever gets it must say `done` in the end.

        Args:
            timeout: seconds to wait; None waits for ever.
            cancel: a token that ends the wait.

        Returns:
            The item; None once the queue is shut down and empty.

        Raises:
            DeadlineExceededError: the time ran out.
            CancelledError: the token was cancelled.
        """
        scope = CallScope(timeout, cancel)
        with self._woken(self._ready, scope), self._lock:
            item = self._wait_for_item(scope)
        self._tell()
        return item

    def done(self, item: _T) -> None:
        """The work on ``item`` is over, well or not. If it was added meanwhile, it goes to the end of the queue.

        Raises:
            InvalidRequestError: nobody has got this item.
        """
        _check_item(item)
        with self._lock:
            began = self._processing.pop(item, None)
            if began is None:
                raise InvalidRequestError(f"item: {item!r} is not being worked on: say done once for each get")
            self._note("done", self._clock() - began)
            if item in self._dirty:
                self._queue.append(item)
                self._ready.notify()
            elif not self._queue and not self._processing:
                self._idle.notify_all()
        self._tell()

    # ---------------------------------------------------------------- the end

    def shut_down(self) -> None:
        """Take no more items. `get` hands out what is there, then None. What waits for its time is dropped."""
        self._shut_down(drain=False)

    def shut_down_with_drain(self, *, timeout: float | None = None, cancel: CancelToken | None = None) -> None:
        """`shut_down`, and wait until all that was there has been worked on; another `shut_down` ends the wait.

        Args:
            timeout: seconds to wait; None waits for ever, as it does where no worker is left.
            cancel: a token that ends the wait.

        Raises:
            DeadlineExceededError: the time ran out. The queue is shut down all the same.
            CancelledError: the token was cancelled, likewise.
        """
        scope = CallScope(timeout, cancel)
        self._shut_down(drain=True)
        with self._woken(self._idle, scope), self._lock:
            while self._draining and (self._queue or self._processing):
                scope.check()
                self._wait(self._idle, scope.remaining())

    @property
    def shutting_down(self) -> bool:
        """Whether the queue takes no more items."""
        return self._shutting_down

    # ---------------------------------------------------------------- looking

    def __len__(self) -> int:
        """How many items wait; without those that are being worked on, or wait for their time."""
        with self._lock:
            self._promote()
            waiting = len(self._queue)
        self._tell()
        return waiting

    def unfinished_seconds(self) -> float:
        """How long the items that are being worked on have been so, added up: a worker that hangs makes it grow."""
        with self._lock:
            now = self._clock()
            return sum(now - began for began in self._processing.values())

    def longest_running_seconds(self) -> float:
        """How long the worker that has been longest at one item has been at it; 0 when none is at work."""
        with self._lock:
            began = min(self._processing.values(), default=None)
            return 0.0 if began is None else self._clock() - began

    def __repr__(self) -> str:
        return f"Workqueue({self.name!r}, waiting={len(self)}, shutting_down={self._shutting_down})"

    # ---------------------------------------------------------------- with the lock held

    def _add(self, item: _T) -> None:
        if item in self._dirty:
            return
        self._dirty[item] = self._clock()
        self._note("add")
        if item not in self._processing:
            self._queue.append(item)
            self._ready.notify()

    def _add_at(self, item: _T, due: float) -> None:
        known = self._due_at.get(item)
        if known is not None and known <= due:
            return
        self._due_at[item] = due
        heapq.heappush(self._delays, (due, next(self._numbers), item))
        if self._delays[0][2] == item:
            self._ready.notify()  # somebody has to wait for a shorter time

    def _promote(self) -> float | None:
        """Add what is due; seconds until the next one is, None without any."""
        while self._delays:
            due, _, item = self._delays[0]
            if self._due_at.get(item) == due:
                left = due - self._clock()
                if left > 0:
                    return left
                del self._due_at[item]
                self._add(item)
            heapq.heappop(self._delays)
        return None

    def _wait_for_item(self, scope: CallScope) -> _T | None:
        while True:
            next_due = self._promote()
            if scope.over:
                self._ready.notify()  # it may have been this thread that was woken for an item
                scope.check()
            if self._queue:
                return self._take()
            if self._shutting_down:
                return None
            self._wait(self._ready, scope.bound(next_due))

    def _take(self) -> _T:
        item = self._queue.popleft()
        now = self._clock()
        waited = now - self._dirty.pop(item)
        self._processing[item] = now
        self._note("get", waited)
        if self._queue or self._delays:
            self._ready.notify()  # one who still waits takes over the watch
        return item

    def _note(self, step: Literal["add", "retry", "get", "done"], seconds: float = 0.0) -> None:
        if self._observers:
            self._steps.append(WorkqueueStep(queue=self.name, step=step, depth=len(self._dirty), seconds=seconds))

    def _wait(self, condition: threading.Condition, seconds: float | None) -> None:
        condition.wait(None if seconds is None else min(seconds, threading.TIMEOUT_MAX))

    # ---------------------------------------------------------------- without

    def _shut_down(self, *, drain: bool) -> None:
        with self._lock:
            self._shutting_down = True
            self._draining = drain
            self._delays.clear()
            self._due_at.clear()
            self._ready.notify_all()
            self._idle.notify_all()

    def _tell(self) -> None:
        """Observers are others' code: they are told when the lock is free."""
        if not self._observers:
            return
        with self._lock:
            steps, self._steps = self._steps, []
        for step in steps:
            notify(self._observers, lambda observer: observer.on_workqueue_step, step)

    @contextmanager
    def _woken(self, condition: threading.Condition, scope: CallScope) -> Iterator[None]:
        """A token that is cancelled wakes those who wait for the condition."""
        if scope.cancel is None:
            yield
            return

        def wake() -> None:
            with self._lock:
                condition.notify_all()

        unsubscribe = scope.cancel.subscribe(wake)
        try:
            yield
        finally:
            unsubscribe()


def _check_item(item: object) -> None:
    if item is None:
        raise InvalidRequestError("item: None cannot be queued; it is what get() returns at the end")
    try:
        hash(item)
    except TypeError as error:
        raise InvalidRequestError(
            f"item: want a hashable key, such as ('shop', 'api'), got {item!r}: {error}"
        ) from None
