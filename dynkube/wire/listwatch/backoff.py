"""The pauses between failures."""

from __future__ import annotations

__all__ = ["Backoff"]


class Backoff:
    """Growing pauses: 0.8 s, 1.6 s, ... up to 30 s, each stretched by up to its own length.

    After two minutes without a failure it begins anew (CG/tools/cache/reflector.go).

    Example:
        >>> backoff = Backoff()
        >>> backoff.next(now=0.0, fraction=0.0), backoff.next(now=1.0, fraction=0.25)
        (0.8, 2.0)
        >>> backoff.next(now=500.0, fraction=0.0)
        0.8
    """

    first, factor, cap, reset_after = 0.8, 2.0, 30.0, 120.0

    def __init__(self) -> None:
        self._next = self.first
        self._last: float | None = None

    def next(self, *, now: float, fraction: float) -> float:
        """The next pause in seconds.

        Args:
            now: seconds, of any clock that only goes forward.
            fraction: the jitter, in [0, 1).

        Returns:
            Seconds to wait.
        """
        if self._last is not None and now - self._last > self.reset_after:
            self._next = self.first
        pause = self._next
        self._next = min(pause * self.factor, self.cap)
        self._last = now
        return pause * (1.0 + fraction)
