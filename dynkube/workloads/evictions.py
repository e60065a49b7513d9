"""Many small jobs that wait in between, on a few threads: one job per pod of a node that is drained.

A job is a generator that does one request and yields the seconds until it wants to go on. Those that wait hold no
thread, so a hundred pods behind a disruption budget do not keep the others from going.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable, Generator, Sequence

from dynkube.errors import CancelledError, DeadlineExceededError, DynkubeError
from dynkube.transport import CallScope, CancelToken

__all__ = ["Job", "run_jobs"]

Job = Generator[float, None, None]
"""Yields the seconds to wait; a `DeadlineExceededError` is thrown into it when there is no time left."""

_WORKERS = 16


def run_jobs(make: Sequence[Callable[[CallScope], Job]], scope: CallScope) -> list[DynkubeError | None]:
    """Run all jobs to their ends, at most sixteen steps at a time.

    Args:
        make: makes each job; what it is given ends with ``scope`` or when another job breaks.
        scope: the limits of all of them together.

    Returns:
        What each job ended in: None, or the `DynkubeError` that it raised.

    Raises:
        CancelledError: the scope's token was cancelled.
        BaseException: what a job raised that is no `DynkubeError` (a caller's callback, say); the others were ended.
    """
    return _Jobs(make, scope).run()


class _Jobs:
    def __init__(self, make: Sequence[Callable[[CallScope], Job]], scope: CallScope) -> None:
        self._outer = scope
        self._closing = CancelToken()
        self._scope = CallScope(scope.left(), self._closing)
        self._changed = threading.Condition(threading.Lock())
        self._numbers = itertools.count()
        self._waiting: list[tuple[float, int, int]] = [(0.0, next(self._numbers), each) for each in range(len(make))]
        self._jobs = [each(self._scope) for each in make]
        self._results: list[DynkubeError | None] = [None] * len(make)
        self._left = len(make)
        self._broken: BaseException | None = None

    def run(self) -> list[DynkubeError | None]:
        workers = [
            threading.Thread(target=self._work, name=f"dynkube-drain-{number}", daemon=True)
            for number in range(min(_WORKERS, self._left))
        ]
        unsubscribe = [self._closing.subscribe(self._wake)]
        if self._outer.cancel is not None:
            unsubscribe.append(self._outer.cancel.subscribe(self._closing.cancel))
        try:
            for each in workers:
                each.start()
            for each in workers:
                each.join()
        finally:  # a KeyboardInterrupt, too, ends what is under way
            self._closing.cancel()
            for undo in unsubscribe:
                undo()
            for each in workers:
                each.join()
        if self._broken is not None:
            raise self._broken
        if self._outer.cancel is not None and self._outer.cancel.cancelled:
            self._outer.check()
        return self._results

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _work(self) -> None:
        while (number := self._next()) is not None:
            try:
                delay = self._step(self._jobs[number])
            except DynkubeError as error:
                self._ended(number, error)
            except BaseException as error:  # noqa: BLE001 - it is raised again on the caller's thread
                self._broken = error
                self._ended(number, None)
                self._closing.cancel()
            else:
                if delay is None:
                    self._ended(number, None)
                else:
                    self._later(number, delay)

    def _next(self) -> int | None:
        """The job whose turn it is; waits for it. None when all have ended."""
        with self._changed:
            while self._left:
                now = time.monotonic()
                if self._waiting and (self._scope.over or self._waiting[0][0] <= now):
                    return heapq.heappop(self._waiting)[2]
                until = self._waiting[0][0] - now if self._waiting else None
                self._changed.wait(self._scope.bound(until) if not self._scope.over else until)
            return None

    def _step(self, job: Job) -> float | None:
        try:
            self._scope.check()
        except (CancelledError, DeadlineExceededError) as ending:
            try:
                job.throw(ending)
            except StopIteration:
                return None
            raise
        return next(job, None)

    def _later(self, number: int, delay: float) -> None:
        with self._changed:
            heapq.heappush(self._waiting, (time.monotonic() + delay, next(self._numbers), number))
            self._changed.notify()

    def _ended(self, number: int, error: DynkubeError | None) -> None:
        with self._changed:
            self._results[number] = error
            self._left -= 1
            self._changed.notify_all()
