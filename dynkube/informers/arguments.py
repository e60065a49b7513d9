"""What is said at once of arguments that cannot be: what the rooms of an informer have in common.

What other packages need, too, is in `dynkube.arguments`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from dynkube.arguments import checked_count, checked_flag, checked_function
from dynkube.errors import InvalidRequestError
from dynkube.schema import is_dns_label

__all__ = [
    "check_options",
    "checked_namespace",
    "checked_optional",
    "checked_resync",
]

_Function = TypeVar("_Function", bound=Callable[..., Any] | None)

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


def checked_optional(name: str, function: _Function, *arguments: str) -> _Function:
    """A function that can be called with these arguments, or None.

    Raises:
        InvalidRequestError: It is neither.
    """
    if function is not None:
        checked_function(name, function, *arguments)
    return function


def checked_namespace(value: object) -> str:
    """A namespace, ``""`` for all of them.

    Raises:
        InvalidRequestError: No namespace has such a name: the server would answer with no objects, and no error.
    """
    if not isinstance(value, str) or (value and not is_dns_label(value)):
        raise InvalidRequestError(
            "namespace: want the name of a namespace (a-z, 0-9 and '-', at most 63 of them), or '' for all namespaces, "
            f"got {value!r}"
        )
    return value


_OPTIONS: dict[str, Callable[[str, Any], object]] = {
    "resync": lambda _name, value: checked_resync(value),
    "compact": checked_flag,
    "recent": checked_count,
    "transform": lambda name, value: checked_optional(name, value, "obj"),
    "split_by_uid": checked_flag,
    "on_watch_error": lambda name, value: checked_optional(name, value, "informer", "error"),
    "page_size": checked_count,
    "cached_lists": checked_flag,
    "streaming": checked_flag,
    "detect_mutations": checked_flag,
}


def check_options(options: Mapping[str, object]) -> None:
    """Look at options that a factory and an informer have in common (`InformerOptions`).

    Args:
        options: Any of them, by name.

    Raises:
        InvalidRequestError: One of them cannot be.
    """
    for name, value in options.items():
        _OPTIONS[name](name, value)
