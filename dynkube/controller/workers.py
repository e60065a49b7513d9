"""The threads of a controller that call ``reconcile``, and what becomes of its answers and errors."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Hashable, Sequence
from typing import Literal, TypeAlias, TypeVar

from dynkube.arguments import checked_count, checked_seconds
from dynkube.controller.arguments import shown
from dynkube.controller.request import Request, Result
from dynkube.errors import CancelledError, ConflictError, InvalidRequestError, TerminalError
from dynkube.informers import Indexer, ObjectName
from dynkube.observers import Observer, Reconciliation, notify
from dynkube.transport import CancelToken
from dynkube.workqueue import ItemRateLimiter, Workqueue, default_controller_rate_limiter

__all__ = ["GuardedLimiter", "Reconcile", "Workers"]

_log = logging.getLogger("dynkube.controller")

Reconcile: TypeAlias = Callable[[Request], Result | None]

_T = TypeVar("_T")


class Workers:
    """Threads that call ``reconcile`` for what is in a queue, until that is shut down.

    Whatever ``reconcile`` raises is a failure of its object, `SystemExit` included: on a thread, that would end nothing
    but the thread, and nobody would see it. Where a worker ends all the same, `failure` says by what.

    Args:
        name: the controller's.
        reconcile: is called with each `Request`.
        queue: what is to be looked after.
        store: where `Request.object` comes from.
        observers: who is told of each call.
        clock: seconds, only ever rising.
    """

    def __init__(
        self,
        name: str,
        reconcile: Reconcile,
        queue: Workqueue[ObjectName],
        store: Indexer,
        *,
        observers: Sequence[Observer],
        clock: Callable[[], float],
    ) -> None:
        self.failure: BaseException | None = None
        self._name = name
        self._reconcile = reconcile
        self._queue = queue
        self._store = store
        self._observers = observers
        self._clock = clock
        self._ending = CancelToken()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._under_way: set[ObjectName] = set()

    def start(self, count: int) -> None:
        """Begin, with so many threads."""
        self._threads = [
            threading.Thread(target=self._work, name=f"dynkube-{self._name}-{number}", daemon=True)
            for number in range(count)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def under_way(self) -> list[ObjectName]:
        """The objects that are being looked after at this moment."""
        with self._lock:
            return sorted(self._under_way)

    def tell_to_end(self) -> None:
        """Cancel what is under way; nothing else is begun."""
        self._ending.cancel()

    def join(self, timeout: float) -> None:
        """Wait for the threads, all of them together for so many seconds; those that do not end are logged."""
        deadline = time.monotonic() + timeout
        # Those that live: a Ctrl-C may have come before all were started.
        for thread in filter(threading.Thread.is_alive, self._threads):
            thread.join(max(0.0, deadline - time.monotonic()))
        stuck = [thread.name for thread in self._threads if thread.is_alive()]
        if stuck:
            _log.error("controller %s: reconciles do not end: %s", self._name, ", ".join(stuck))

    # ---------------------------------------------------------------- on a worker's thread

    def _work(self) -> None:
        try:
            while (name := self._queue.get()) is not None:
                try:
                    if not self._ending.cancelled:
                        self._look_after(name)
                finally:
                    self._queue.done(name)
        except BaseException as error:  # noqa: BLE001 - a clock, for one: others' code; run() ends with it
            _log.critical("controller %s: a worker has ended: %r", self._name, error, exc_info=error)
            self.failure = error

    def _look_after(self, name: ObjectName) -> None:
        with self._lock:
            self._under_way.add(name)
        try:
            self._reconcile_one(name)
        finally:
            with self._lock:
                self._under_way.discard(name)

    def _reconcile_one(self, name: ObjectName) -> None:
        request = Request(
            *name,
            failures=self._queue.num_requeues(name),
            cancel=self._ending,
            look_up=lambda: self._store.get(name),
        )
        began = self._clock()
        try:
            requeue_after = _requeue_after(self._reconcile(request))
        except BaseException as error:  # noqa: BLE001 - whatever it is, the other objects want their turn
            self._failed(name, error)
            self._tell("error", began, error)
            return
        self._queue.forget(name)
        if requeue_after is not None:
            self._queue.add_after(name, requeue_after)
        self._tell("success" if requeue_after is None else "requeue_after", began)

    def _failed(self, name: ObjectName, error: BaseException) -> None:
        if isinstance(error, CancelledError) and self._ending.cancelled:
            return
        if isinstance(error, TerminalError):
            _log.error("controller %s: %s: %s; it is not tried again", self._name, name, error)
            self._queue.forget(name)
            return
        if isinstance(error, ConflictError):  # what the store has is old: the change is on its way
            _log.debug("controller %s: %s: %s", self._name, name, error)
        elif isinstance(error, Exception):
            _log.error("controller %s: %s: %s", self._name, name, str(error) or repr(error), exc_info=error)
        else:
            _log.error(
                "controller %s: %s: reconcile raised %r, which ends nothing on a worker's thread: "
                "to end the controller, cancel the token that run() got",
                self._name, name, error, exc_info=error,
            )  # fmt: skip
        self._queue.add_rate_limited(name)

    def _tell(
        self, result: Literal["success", "requeue_after", "error"], began: float, error: BaseException | None = None
    ) -> None:
        done = Reconciliation(
            controller=self._name,
            result=result,
            seconds=self._clock() - began,
            error="" if error is None else type(error).__name__,
        )
        notify(self._observers, lambda observer: observer.on_reconciliation, done)


class GuardedLimiter:
    """An `ItemRateLimiter` of a user. Where it fails, that is logged, and the default one answers in its place.

    Args:
        limiter: the user's.
        controller: whose, for the log.
        clock: seconds, only ever rising.
    """

    def __init__(self, limiter: ItemRateLimiter, controller: str, clock: Callable[[], float]) -> None:
        self._limiter = limiter
        self._controller = controller
        self._spare = default_controller_rate_limiter(clock=clock)

    def when(self, item: Hashable) -> float:
        """Seconds to wait."""

        def ask() -> float:
            seconds = self._limiter.when(item)
            return checked_seconds("rate_limiter.when", max(seconds, 0.0))  # in this order NaN stays NaN

        return self._ask("when", ask, lambda: self._spare.when(item))

    def forget(self, item: Hashable) -> None:
        """The item's failures count no more."""
        self._spare.forget(item)
        self._ask("forget", lambda: self._limiter.forget(item), lambda: None)

    def num_requeues(self, item: Hashable) -> int:
        """How many failures there were."""

        def ask() -> int:
            return checked_count("rate_limiter.num_requeues", self._limiter.num_requeues(item))

        return self._ask("num_requeues", ask, lambda: self._spare.num_requeues(item))

    def _ask(self, method: str, limiter: Callable[[], _T], spare: Callable[[], _T]) -> _T:
        try:
            return limiter()
        except BaseException:  # noqa: BLE001 - others' code, SystemExit included: no worker may end by it
            _log.exception(
                "controller %s: rate_limiter.%s failed; default_controller_rate_limiter answers in its place",
                self._controller, method,
            )  # fmt: skip
            return spare()


def _requeue_after(result: object) -> float | None:
    if result is None:
        return None
    if not isinstance(result, Result):
        raise InvalidRequestError(f"reconcile must return None or a Result, got {shown(result)}")
    return result.requeue_after
