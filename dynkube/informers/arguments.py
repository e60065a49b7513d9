"""What is said at once of arguments that cannot be: what the rooms of an informer have in common.

What other packages need, too, is in `dynkube.arguments`.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from dynkube.arguments import checked_count, checked_function
from dynkube.errors import InvalidRequestError
from dynkube.fields import FieldSelector
from dynkube.labels import LabelSelector

__all__ = [
    "check_options",
    "checked_flag",
    "checked_namespace",
    "checked_optional",
    "checked_resync",
    "checked_text",
    "field_selector_of",
    "label_selector_of",
]

_Function = TypeVar("_Function", bound=Callable[..., Any] | None)

# Seconds (CG/tools/cache/shared_informer.go, minimumResyncPeriod).
_SHORTEST_RESYNC = 1.0

# AM/pkg/api/validation/generic.go, ValidateNamespaceName
_NAMESPACE = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?")


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


def checked_flag(name: str, value: object) -> bool:
    """True or False.

    Raises:
        InvalidRequestError: It is something else: ``"no"`` would count as true.
    """
    if type(value) is not bool:
        raise InvalidRequestError(f"{name}: want True or False, got {value!r}")
    return value


def checked_text(name: str, value: object) -> str:
    """Text.

    Raises:
        InvalidRequestError: It is none.
    """
    if not isinstance(value, str):
        raise InvalidRequestError(f"{name}: want text, got {value!r}")
    return value


def checked_namespace(value: object) -> str:
    """A namespace, ``""`` for all of them.

    Raises:
        InvalidRequestError: No namespace has such a name: the server would answer with no objects, and no error.
    """
    if not isinstance(value, str) or (value and not _NAMESPACE.fullmatch(value)):
        raise InvalidRequestError(
            "namespace: want the name of a namespace (a-z, 0-9 and '-', at most 63 of them), or '' for all namespaces, "
            f"got {value!r}"
        )
    return value


def label_selector_of(value: object) -> LabelSelector | None:
    """What an argument ``label_selector`` selects; None for everything.

    Raises:
        InvalidRequestError: It does not parse, or is no selector.
    """
    if isinstance(value, str):
        return LabelSelector.parse(value)
    if value is not None and not isinstance(value, LabelSelector):
        raise InvalidRequestError(
            "label_selector must be a string or a LabelSelector (LabelSelector.of({...}) makes one of a dict), "
            f"not {type(value).__name__}"
        )
    return value


def field_selector_of(value: object) -> FieldSelector | None:
    """What an argument ``field_selector`` selects; None for everything.

    Raises:
        InvalidRequestError: It does not parse, or is no selector.
    """
    if isinstance(value, str):
        return FieldSelector.parse(value)
    if value is not None and not isinstance(value, FieldSelector):
        raise InvalidRequestError(
            "field_selector must be a string or a FieldSelector (FieldSelector.of({...}) makes one of a dict), "
            f"not {type(value).__name__}"
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
