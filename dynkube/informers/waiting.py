"""Something that happens once, and can be waited for with a deadline and a token."""

from __future__ import annotations

import threading
from collections.abc import Callable

from dynkube.errors import DeadlineExceededError
from dynkube.transport import CallScope

__all__ = ["Latch"]


class Latch:
    """Something that happens once, or will not happen any more.

    Thread-safe.

    Example:
        >>> latch = Latch()
        >>> latch.set()
        >>> latch.wait(CallScope(1), what=lambda: "it"), latch.is_set
        (None, True)
    """

    __slots__ = ("_changed", "_over", "is_set")

    def __init__(self) -> None:
        self._changed = threading.Condition(threading.Lock())
        self._over = False
        self.is_set = False

    def renew_after_fork(self) -> None:
        """No thread of the parent waits here."""
        self._changed = threading.Condition(threading.Lock())

    def set(self) -> None:
        """It has happened."""
        with self._changed:
            if not self._over:
                self.is_set = self._over = True
                self._changed.notify_all()

    def release(self) -> None:
        """It will not happen any more, unless it has: nobody waits any longer."""
        with self._changed:
            self._over = True
            self._changed.notify_all()

    def wait(self, scope: CallScope, *, what: Callable[[], str]) -> None:
        """Wait until it has happened, or will not happen any more.

        Args:
            scope: The deadline and the token.
            what: Says what has not synced, for the message.

        Raises:
            DeadlineExceededError: The time ran out.
            CancelledError: The token was cancelled.
        """
        disarm = scope.arm(self._wake)
        try:
            with self._changed:
                while not self._over and not scope.over:
                    self._changed.wait(scope.remaining())
        finally:
            disarm()
        if self._over:
            return
        try:
            scope.check()
        except DeadlineExceededError:
            raise DeadlineExceededError(f"{what()} has not synced within {scope.timeout:g} s") from None

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()
