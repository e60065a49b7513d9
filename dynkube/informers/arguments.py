"""What is said at once of arguments that cannot be."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from dynkube.errors import InvalidRequestError

__all__ = ["checked_function", "checked_resync"]

_Function = TypeVar("_Function", bound=Callable[..., object] | None)

# Seconds (CG/tools/cache/shared_informer.go, minimumResyncPeriod).
_SHORTEST_RESYNC = 1.0


def checked_resync(seconds: float | None) -> float | None:
    """Seconds between resyncs as an informer takes them, None for none.

    Raises:
        InvalidRequestError: It is shorter than a second, or no number.
    """
    if seconds is None:
        return None
    is_number = type(seconds) in {int, float}
    if not is_number or (seconds and not _SHORTEST_RESYNC <= seconds <= threading.TIMEOUT_MAX):
        raise InvalidRequestError(f"resync: want {_SHORTEST_RESYNC:g} second or more, or 0 for none, got {seconds!r}")
    return float(seconds) or None


def checked_function(name: str, function: _Function) -> _Function:
    """The function, or None.

    Raises:
        InvalidRequestError: It is neither; the message has the argument's name.
    """
    if function is not None and not callable(function):
        raise InvalidRequestError(f"{name}: want a function, got {function!r}")
    return function
