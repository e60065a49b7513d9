"""Client-side rate limiting: a bucket of tokens, off unless a configuration asks for it (2.3 in docs/reference/parity).

client-go's util/flowcontrol, over golang.org/x/time/rate.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import Protocol, runtime_checkable

from dynkube.errors import InvalidRequestError
from dynkube.forks import renew_in_child

__all__ = ["RateLimiter", "TokenBucket"]


@runtime_checkable
class RateLimiter(Protocol):
    """What ``RESTConfig(rate_limiter=)`` takes; shared by the threads and clients of the configuration."""

    def reserve(self, within: float | None = None) -> float | None:
        """Take a place in the queue.

        Args:
            within: seconds that one can wait; None for no limit.

        Returns:
            Seconds until the place's turn; None where that is later than ``within``, and no place is taken.
        """

    def release(self) -> None:
        """Give back a place whose turn has not come: the call was cancelled while it waited."""


class TokenBucket:
    """``burst`` requests at once, and ``qps`` a second in the long run. It starts full.

    Args:
        qps: tokens that come back each second; above 0.
        burst: tokens at most; 1 or more.
        clock: seconds, only ever rising.

    Raises:
        InvalidRequestError: a number out of its range.

    Example:
        >>> bucket = TokenBucket(qps=5, burst=2, clock=lambda: 0.0)
        >>> [bucket.reserve() for _ in range(4)]
        [0.0, 0.0, 0.2, 0.4]
        >>> bucket.reserve(within=0.5) is None
        True
    """

    def __init__(self, qps: float, burst: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        if type(qps) not in {int, float} or not 0 < qps < math.inf:
            raise InvalidRequestError(f"qps: want a number above 0, got {qps!r}")
        if type(burst) is not int or burst < 1:
            raise InvalidRequestError(f"burst: want a whole number, 1 or more, got {burst!r}")
        self.qps = float(qps)
        self.burst = burst
        self._clock = clock
        self._lock = threading.Lock()
        self._tokens = float(burst)
        self._at = clock()
        renew_in_child(self)

    def reserve(self, within: float | None = None) -> float | None:
        """Take a token, on credit if there is none: seconds until it is there, None if later than ``within``."""
        with self._lock:
            now = self._clock()
            tokens = min(float(self.burst), self._tokens + max(0.0, now - self._at) * self.qps)
            self._at = now
            self._tokens = tokens
            delay = max(0.0, (1.0 - tokens) / self.qps)
            if within is not None and delay > within:
                return None
            self._tokens = tokens - 1.0
            return delay

    def release(self) -> None:
        """Give a token back."""
        with self._lock:
            self._tokens = min(float(self.burst), self._tokens + 1.0)

    def renew_after_fork(self) -> None:
        """In a forked child: the lock may be held by a thread that is not there."""
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[type[TokenBucket], tuple[float, int]]:
        return TokenBucket, (self.qps, self.burst)

    def __repr__(self) -> str:
        return f"TokenBucket(qps={self.qps:g}, burst={self.burst})"
