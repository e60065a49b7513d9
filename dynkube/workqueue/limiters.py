"""How long an item waits before it is tried again (CG/util/workqueue/default_rate_limiters.go).

All of them are safe to share between threads.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Hashable
from typing import Protocol

from dynkube.arguments import checked_count, checked_methods, checked_seconds
from dynkube.errors import InvalidRequestError
from dynkube.ratelimit import TokenBucket

__all__ = [
    "BucketRateLimiter",
    "ItemExponentialFailureRateLimiter",
    "ItemFastSlowRateLimiter",
    "ItemRateLimiter",
    "MaxOfRateLimiter",
    "WithMaxWaitRateLimiter",
    "checked_rate_limiter",
    "default_controller_rate_limiter",
]


class ItemRateLimiter(Protocol):
    """What ``Workqueue(rate_limiter=)`` takes."""

    def when(self, item: Hashable) -> float:
        """Seconds that ``item`` has to wait now. Each call counts as one failure more."""

    def forget(self, item: Hashable) -> None:
        """The item is done with, well or not: its failures count no more."""

    def num_requeues(self, item: Hashable) -> int:
        """How many failures of the item have been counted since it was last forgotten."""


def checked_rate_limiter(name: str, limiter: ItemRateLimiter) -> ItemRateLimiter:
    """An `ItemRateLimiter`, of ours or anybody's.

    Args:
        name: of the argument that it came as, for the message.
        limiter: what came.

    Raises:
        InvalidRequestError: it lacks a method that one has.
    """
    methods = ("when", "forget", "num_requeues")
    return checked_methods(name, limiter, f"an ItemRateLimiter ({', '.join(methods)})", *methods)


class ItemExponentialFailureRateLimiter:
    """Each failure of an item doubles its delay.

    Args:
        base_delay: seconds after the first failure.
        max_delay: seconds at most.

    Raises:
        InvalidRequestError: a delay that is no number of 0 or more.

    Example:
        >>> limiter = ItemExponentialFailureRateLimiter(base_delay=1, max_delay=5)
        >>> [limiter.when("shop/api") for _ in range(4)], limiter.num_requeues("shop/api")
        ([1.0, 2.0, 4.0, 5.0], 4)
        >>> limiter.forget("shop/api")
        >>> limiter.when("shop/api")
        1.0
    """

    def __init__(self, base_delay: float, max_delay: float) -> None:
        self.base_delay = checked_seconds("base_delay", base_delay)
        self.max_delay = checked_seconds("max_delay", max_delay)
        self._failures = _Failures()

    def when(self, item: Hashable) -> float:
        """Seconds to wait: ``base_delay * 2**failures``, at most ``max_delay``."""
        before = self._failures.add(item) - 1
        return min(self.base_delay * 2.0 ** min(before, 1000), self.max_delay)  # no float is above 2**1023

    def forget(self, item: Hashable) -> None:
        """Begin anew with this item."""
        self._failures.forget(item)

    def num_requeues(self, item: Hashable) -> int:
        """How many failures it has had."""
        return self._failures.of(item)


class ItemFastSlowRateLimiter:
    """A few quick tries for each item, then slow ones.

    Args:
        fast_delay: seconds after each of the first failures.
        slow_delay: seconds after each later one.
        max_fast_attempts: after how many failures it gets slow.

    Raises:
        InvalidRequestError: a delay that is no number of 0 or more, or attempts that are no such whole number.

    Example:
        >>> limiter = ItemFastSlowRateLimiter(fast_delay=0.1, slow_delay=10, max_fast_attempts=2)
        >>> [limiter.when("shop/api") for _ in range(3)]
        [0.1, 0.1, 10.0]
    """

    def __init__(self, fast_delay: float, slow_delay: float, max_fast_attempts: int) -> None:
        self.fast_delay = checked_seconds("fast_delay", fast_delay)
        self.slow_delay = checked_seconds("slow_delay", slow_delay)
        self.max_fast_attempts = checked_count("max_fast_attempts", max_fast_attempts)
        self._failures = _Failures()

    def when(self, item: Hashable) -> float:
        """Seconds to wait: ``fast_delay`` for the first failures, then ``slow_delay``."""
        return self.fast_delay if self._failures.add(item) <= self.max_fast_attempts else self.slow_delay

    def forget(self, item: Hashable) -> None:
        """Begin anew with this item."""
        self._failures.forget(item)

    def num_requeues(self, item: Hashable) -> int:
        """How many failures it has had."""
        return self._failures.of(item)


class BucketRateLimiter:
    """A limit for all items together: ``burst`` at once, and ``qps`` a second in the long run.

    Args:
        qps: tries a second; above 0.
        burst: tries at once; 1 or more.
        clock: seconds, only ever rising.

    Raises:
        InvalidRequestError: a number out of its range.

    Example:
        >>> limiter = BucketRateLimiter(qps=10, burst=1, clock=lambda: 0.0)
        >>> limiter.when("a"), limiter.when("b")
        (0.0, 0.1)
    """

    def __init__(self, qps: float, burst: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._bucket = TokenBucket(qps, burst, clock=clock)

    def when(self, item: Hashable) -> float:  # noqa: ARG002 - whichever it is
        """Seconds until there is a token for it."""
        delay = self._bucket.reserve()
        assert delay is not None  # that is for limits of the wait
        return delay

    def forget(self, item: Hashable) -> None:
        """Do nothing: a bucket knows no items."""

    def num_requeues(self, item: Hashable) -> int:  # noqa: ARG002 - likewise
        """0: a bucket knows no items."""
        return 0


class MaxOfRateLimiter:
    """The longest of what several limiters say.

    A bucket among them may seem to let more than its burst through, where other limits have held items back until then.

    Args:
        limiters: the limiters; each counts each failure.

    Raises:
        InvalidRequestError: there is none, or one that is no limiter.

    Example:
        >>> slow, slower = ItemFastSlowRateLimiter(1, 1, 0), ItemFastSlowRateLimiter(2, 3, 1)
        >>> limiter = MaxOfRateLimiter(slow, slower)
        >>> limiter.when("a"), limiter.when("a")
        (2.0, 3.0)
    """

    def __init__(self, *limiters: ItemRateLimiter) -> None:
        if not limiters:
            raise InvalidRequestError("limiters: want at least one ItemRateLimiter")
        for index, limiter in enumerate(limiters):
            checked_rate_limiter(f"limiters[{index}]", limiter)
        self.limiters = limiters

    def when(self, item: Hashable) -> float:
        """Seconds to wait."""
        return max(each.when(item) for each in self.limiters)

    def forget(self, item: Hashable) -> None:
        """Begin anew with this item, in each of them."""
        for each in self.limiters:
            each.forget(item)

    def num_requeues(self, item: Hashable) -> int:
        """How many failures it has had."""
        return max(each.num_requeues(item) for each in self.limiters)


class WithMaxWaitRateLimiter:
    """What another limiter says, but never longer than a limit.

    Args:
        limiter: the other one.
        max_delay: seconds at most.

    Raises:
        InvalidRequestError: a delay that is no number of 0 or more, or no limiter.

    Example:
        >>> WithMaxWaitRateLimiter(ItemFastSlowRateLimiter(100, 100, 1), max_delay=30).when("a")
        30.0
    """

    def __init__(self, limiter: ItemRateLimiter, max_delay: float) -> None:
        self.limiter = checked_rate_limiter("limiter", limiter)
        self.max_delay = checked_seconds("max_delay", max_delay)

    def when(self, item: Hashable) -> float:
        """Seconds to wait."""
        return min(self.limiter.when(item), self.max_delay)

    def forget(self, item: Hashable) -> None:
        """Begin anew with this item."""
        self.limiter.forget(item)

    def num_requeues(self, item: Hashable) -> int:
        """How many failures it has had."""
        return self.limiter.num_requeues(item)


def default_controller_rate_limiter(*, clock: Callable[[], float] = time.monotonic) -> MaxOfRateLimiter:
    """What controllers use: 5 ms after an item's first failure, doubled up to 1000 s; 10 tries a second, 100 at once.

    Args:
        clock: seconds, only ever rising.
    """
    return MaxOfRateLimiter(
        ItemExponentialFailureRateLimiter(base_delay=0.005, max_delay=1000),
        BucketRateLimiter(qps=10, burst=100, clock=clock),
    )


class _Failures:
    """How often each item has failed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[Hashable] = Counter()

    def add(self, item: Hashable) -> int:
        with self._lock:
            self._counts[item] += 1
            return self._counts[item]

    def of(self, item: Hashable) -> int:
        with self._lock:
            return self._counts[item]

    def forget(self, item: Hashable) -> None:
        with self._lock:
            self._counts.pop(item, None)
