"""Try again, and wait until: back-off, `retry_on_conflict`, `on_error`, `poll_until`.

client-go's util/retry and apimachinery's util/wait (7.8 in docs/reference/parity). What waits here ends at once where
its ``cancel=`` token is cancelled. Clock, sleep and random numbers can be given, so that no test has to wait.
"""

from __future__ import annotations

import math
import random as _random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

from dynkube.arguments import checked_count, checked_function, checked_seconds
from dynkube.errors import ConflictError, DeadlineExceededError, InvalidRequestError
from dynkube.transport import CallScope, CancelToken

__all__ = ["DEFAULT_BACKOFF", "DEFAULT_RETRY", "Backoff", "jitter", "on_error", "poll_until", "retry_on_conflict"]

_T = TypeVar("_T")


def jitter(seconds: float, factor: float, *, random: Callable[[], float] = _random.random) -> float:
    """A delay from ``seconds`` to ``seconds * (1 + factor)``, so that many who wait do not all come back at once.

    Args:
        seconds: the shortest delay.
        factor: how much longer it may get; 0 or less means 1.0, as in client-go (wait.Jitter).
        random: numbers from 0 to 1.

    Example:
        >>> jitter(10, 0.5, random=lambda: 1.0), jitter(10, 0.5, random=lambda: 0.0)
        (15.0, 10.0)
    """
    return seconds + random() * (factor if factor > 0 else 1.0) * seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """How long to wait between tries: a value (AM/util/wait/backoff.go).

    Attributes:
        duration: seconds before the second try.
        factor: each delay is the one before times this; 0 leaves them as they are.
        jitter: each delay gets up to this fraction longer, by chance; 0 for none.
        steps: how many tries there are, the first one included; for `step`, in how many steps the delay may grow.
        cap: seconds that no delay grows beyond; reaching it ends the growth, and the tries. None sets no limit.

    Raises:
        InvalidRequestError: what is no number, or one below 0; steps that are not whole.

    Example:
        >>> list(Backoff(duration=0.5, factor=2, steps=4).delays())
        [0.5, 1.0, 2.0]
        >>> list(Backoff(duration=0.5, factor=2, steps=4, cap=1.5).delays())  # the fourth try would be after 2.0
        [0.5]
    """

    duration: float
    factor: float = 0.0
    jitter: float = 0.0
    steps: int = 1
    cap: float | None = None

    def __post_init__(self) -> None:
        checked_seconds("duration", self.duration)
        for name, value in (("factor", self.factor), ("jitter", self.jitter)):
            if type(value) not in {int, float} or not 0 <= value < math.inf:
                raise InvalidRequestError(f"{name}: want a number, 0 or more, got {value!r}")
        checked_count("steps", self.steps)
        if self.cap is not None:
            checked_seconds("cap", self.cap)

    def step(self, *, random: Callable[[], float] = _random.random) -> tuple[float, Backoff]:
        """The next delay, and the back-off that is left after it (Backoff.Step).

        Where the delay after this one would be above ``cap``, it becomes ``cap``, and no steps are left: from then on,
        each step is ``cap``, with its jitter.

        Args:
            random: numbers from 0 to 1.

        Returns:
            Seconds, and a `Backoff`.
        """
        delay = jitter(self.duration, self.jitter, random=random) if self.jitter > 0 else self.duration
        if self.steps < 1:
            return delay, self
        grown = self.duration * self.factor if self.factor else self.duration
        if self.factor and self.cap and grown > self.cap:
            return delay, replace(self, duration=self.cap, steps=0)
        return delay, replace(self, duration=grown, steps=self.steps - 1)

    def delays(self, *, random: Callable[[], float] = _random.random) -> Iterator[float]:
        """The delays between all tries, one fewer than there are tries (wait.ExponentialBackoff).

        client-go also waits after the try that reaches ``cap``, and then gives up without another one; that wait is
        left out here.

        Args:
            random: numbers from 0 to 1.
        """
        left = self
        while left.steps > 1:
            delay, left = left.step(random=random)
            if left.steps > 0:
                yield delay


DEFAULT_RETRY = Backoff(duration=0.01, factor=1.0, jitter=0.1, steps=5)
"""For conflicts of several clients that all do the same (CG/util/retry/util.go, DefaultRetry)."""

DEFAULT_BACKOFF = Backoff(duration=0.01, factor=5.0, jitter=0.1, steps=4)
"""For conflicts with controllers that are at work on the object (DefaultBackoff)."""


def on_error(
    function: Callable[[], _T],
    *,
    retriable: Callable[[Exception], bool],
    backoff: Backoff = DEFAULT_RETRY,
    timeout: float | None = None,
    cancel: CancelToken | None = None,
    random: Callable[[], float] = _random.random,
    sleep: Callable[[float], object] | None = None,
) -> _T:
    """Call ``function`` until it raises nothing that is ``retriable`` (retry.OnError).

    Args:
        function: what to do; called at least once.
        retriable: whether an error may be tried again. Any other goes to the caller at once.
        backoff: how often, and how long to wait in between.
        timeout: seconds for all of it; it is looked at between the tries.
        cancel: a token that ends the waiting.
        random: numbers from 0 to 1, for the jitter.
        sleep: waits for a number of seconds; one that ``timeout`` and ``cancel`` end by default.

    Returns:
        What ``function`` returned.

    Raises:
        InvalidRequestError: something else than functions and a `Backoff`.
        CancelledError: the token was cancelled before a try.
        DeadlineExceededError: the time ran out before a try.
        Exception: what ``function`` raised; after the last try, the error of that one.

    Example:
        >>> answers = iter([OSError("busy"), "done"])
        >>> def attempt():
        ...     answer = next(answers)
        ...     if isinstance(answer, Exception):
        ...         raise answer
        ...     return answer
        >>> on_error(attempt, retriable=lambda error: isinstance(error, OSError))
        'done'
    """
    checked_function("function", function)
    _check_retriable(retriable)
    if not isinstance(backoff, Backoff):
        raise InvalidRequestError(f"backoff: want a Backoff, such as DEFAULT_RETRY, got {backoff!r}")
    checked_function("random", random)
    _check_sleep(sleep)
    scope = CallScope(timeout, cancel)
    delays = backoff.delays(random=random)
    while True:
        scope.check()
        try:
            return function()
        except Exception as error:
            delay = next(delays, None) if retriable(error) else None
            if delay is None:
                raise
        (sleep or scope.sleep)(delay)


def _check_retriable(retriable: Callable[[Exception], bool]) -> None:
    given: object = retriable
    classes = given if isinstance(given, tuple) else (given,)
    if all(isinstance(each, type) and issubclass(each, BaseException) for each in classes):
        # A class can be called with an error, and what comes is always true.
        raise InvalidRequestError(
            "retriable: want a function of (error), such as lambda error: isinstance(error, OSError), "
            f"got {retriable!r}"
        )
    checked_function("retriable", retriable, "error")


def _check_sleep(sleep: Callable[[float], object] | None) -> None:
    if sleep is not None:
        checked_function("sleep", sleep, "seconds")


def retry_on_conflict(
    function: Callable[[], _T],
    *,
    backoff: Backoff = DEFAULT_RETRY,
    timeout: float | None = None,
    cancel: CancelToken | None = None,
    random: Callable[[], float] = _random.random,
    sleep: Callable[[float], object] | None = None,
) -> _T:
    """Call ``function`` again while it ends in a `ConflictError`: somebody else was quicker (retry.RetryOnConflict).

    ``function`` reads the object, changes what it read, and updates it: all three on each try, since after a conflict
    what was read before is old. By default there are five tries, 10 ms apart.

    Args:
        function: what to do.
        backoff: how often, and how long to wait in between.
        timeout: seconds for all of it; it is looked at between the tries.
        cancel: a token that ends the waiting.
        random: numbers from 0 to 1, for the jitter.
        sleep: waits for a number of seconds.

    Returns:
        What ``function`` returned.

    Raises:
        InvalidRequestError: something else than functions and a `Backoff`.
        ConflictError: the last conflict, where each try had one.
        CancelledError: the token was cancelled before a try.
        DeadlineExceededError: the time ran out before a try.
        Exception: whatever else ``function`` raised, at once.

    Example:
        >>> def add_one(deployments):
        ...     deployment = deployments.get("api")
        ...     deployment["spec"]["replicas"] += 1
        ...     return deployments.update(deployment)
        >>> def scale_up(deployments):
        ...     return retry_on_conflict(lambda: add_one(deployments))
    """
    return on_error(
        function,
        retriable=lambda error: isinstance(error, ConflictError),
        backoff=backoff,
        timeout=timeout,
        cancel=cancel,
        random=random,
        sleep=sleep,
    )


def poll_until(
    condition: Callable[[], _T],
    *,
    interval: float,
    timeout: float | None = None,
    immediate: bool = False,
    cancel: CancelToken | None = None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], object] | None = None,
) -> _T:
    """Call ``condition`` every ``interval`` seconds until it returns something true.

    The interval is measured from beginning to beginning: a condition that takes longer than that is called again at
    once, but not more often to make up for it (wait.PollUntilContextTimeout). To wait for a condition of an object,
    `ResourceHandle.wait` watches and needs no polling.

    Args:
        condition: called without arguments. What it raises ends the wait and goes to the caller.
        interval: seconds from one call to the next; above 0.
        timeout: seconds for all of it; None waits for ever.
        immediate: call it at once, instead of after the first interval.
        cancel: a token that ends the wait.
        clock: seconds, only ever rising.
        sleep: waits for a number of seconds; one that ``timeout`` and ``cancel`` end by default.

    Returns:
        What ``condition`` returned in the end.

    Raises:
        InvalidRequestError: an interval that is no number above 0, or something else than functions.
        DeadlineExceededError: the time ran out ("timed out waiting for the condition").
        CancelledError: the token was cancelled.

    Example:
        >>> answers = iter(["", "", "ready"])
        >>> poll_until(lambda: next(answers), interval=0.001, timeout=60)
        'ready'
    """
    checked_function("condition", condition)
    checked_seconds("interval", interval, above=0)
    checked_function("clock", clock)
    _check_sleep(sleep)
    scope = CallScope(timeout, cancel, clock=clock)
    wait = sleep or scope.sleep
    begun = clock()
    if not immediate:
        _until(begun + interval, wait, scope, clock)
    while True:
        scope.check()
        begun = clock()
        if result := condition():
            return result
        _until(begun + interval, wait, scope, clock)


def _until(due: float, wait: Callable[[float], object], scope: CallScope, clock: Callable[[], float]) -> None:
    """Wait until the next call is due.

    Raises:
        DeadlineExceededError: it will not be due in time.
    """
    seconds = scope.bound(max(0.0, due - clock()))
    assert seconds is not None
    try:
        wait(seconds)
        scope.check()
    except DeadlineExceededError:
        raise DeadlineExceededError(f"timed out waiting for the condition: {scope.timeout:g} s have passed") from None
