"""What a list of dicts that comes is to the garbage collector: work without an end, and nothing to find."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager

from dynkube.codec import count_as_old, gc_paused
from dynkube.transport import CallScope

__all__ = ["Growth"]


class Growth:
    """Keeps the garbage collector waiting while a list comes, between its pages and frames, too.

    All that comes stays, so that there is nothing to collect; but the collector would walk what is there again and
    again as it grows (half of the work of a first sync). It waits for the whole process, and so never for a list that
    does not come: only from the first page on, and no longer than a second after the last one.

    Args:
        is_wanted: whether there is anything to wait for: records are not the collector's business.
    """

    LOOK = 1.0
    """Seconds without anything new after which the collector waits no more."""
    LONGEST = 10
    """So many looks it waits at the most, however much comes: others may have something to collect."""

    def __init__(self, *, is_wanted: bool) -> None:
        self._is_wanted = is_wanted
        self._lock = threading.Lock()
        self._pause: AbstractContextManager[None] | None = None
        self._looks = 0
        self._came = False
        self._was_complete = False
        self._disarm: Callable[[], None] = _nothing

    def comes(self) -> None:
        """A page of the list, or some of its frames, are here."""
        if not self._is_wanted:
            return
        with self._lock:
            self._came = True
            if self._pause is None and self._looks < self.LONGEST:
                self._pause = gc_paused()
                self._pause.__enter__()
                self._look_later()

    def complete(self) -> None:
        """All of the list is here. Of the first one everything stays; of a later one, hardly anything."""
        if self._pause is not None and not self._was_complete:
            count_as_old()
        self._was_complete = True
        self.end()

    def end(self) -> None:
        """The list is complete, or will not be."""
        with self._lock:
            self._looks = 0
            self._let_go()
        self._disarm()

    def _look(self) -> None:
        with self._lock:
            if self._pause is None:
                return
            self._looks += 1
            if self._came and self._looks < self.LONGEST:
                self._look_later()
            else:
                self._let_go()

    def _look_later(self) -> None:
        self._came = False
        self._disarm = CallScope(self.LOOK).arm(self._look)

    def _let_go(self) -> None:
        pause, self._pause = self._pause, None
        if pause is not None:
            pause.__exit__(None, None, None)


def _nothing() -> None:
    """There is no look to call off."""
