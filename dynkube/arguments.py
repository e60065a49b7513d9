"""What is said at once of arguments that cannot be, in place of an error somewhere else later.

The checks that several rooms need: numbers, and functions that are called on a thread where nobody sees them fail.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from dynkube.errors import InvalidRequestError

__all__ = [
    "checked_count",
    "checked_flag",
    "checked_function",
    "checked_methods",
    "checked_seconds",
    "checked_text",
]

_Function = TypeVar("_Function", bound=Callable[..., Any])
_T = TypeVar("_T")


def checked_function(name: str, function: _Function, *arguments: str) -> _Function:
    """A function that can be called with these arguments, by position.

    Args:
        name: of the argument that it came as, for the message.
        function: what came.
        arguments: what it will be called with, by name.

    Raises:
        InvalidRequestError: it is no function, takes something else, or is a coroutine function.

    Example:
        >>> checked_function("keep", lambda: True, "obj")
        Traceback (most recent call last):
        ...
        dynkube.errors.InvalidRequestError: keep: is called with (obj), but takes (): too many positional arguments
    """
    called_with = f"({', '.join(arguments)})"
    if not callable(function):
        raise InvalidRequestError(f"{name}: want a function of {called_with}, got {function!r}")
    if inspect.iscoroutinefunction(function):
        raise InvalidRequestError(
            f"{name}: want a plain function of {called_with}, got a coroutine function: {function!r}"
        )
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return function  # a built-in that does not say what it takes
    try:
        signature.bind(*arguments)
    except TypeError as error:
        raise InvalidRequestError(f"{name}: is called with {called_with}, but takes {signature}: {error}") from None
    return function


def checked_methods(name: str, value: _T, wanted: str, *methods: str) -> _T:
    """An object that has these methods; no class.

    Args:
        name: of the argument, for the message.
        value: what came.
        wanted: what it should be, for the message.
        methods: their names.

    Raises:
        InvalidRequestError: it lacks one.

    Example:
        >>> checked_methods("lock", 3, "a Lock, such as a LeaseLock", "get", "update")
        Traceback (most recent call last):
        ...
        dynkube.errors.InvalidRequestError: lock: want a Lock, such as a LeaseLock, got 3
    """
    if isinstance(value, type) or not all(callable(getattr(value, each, None)) for each in methods):
        raise InvalidRequestError(f"{name}: want {wanted}, got {value!r}")
    return value


def checked_text(name: str, value: object) -> str:
    """Text.

    Raises:
        InvalidRequestError: it is none.
    """
    if not isinstance(value, str):
        raise InvalidRequestError(f"{name}: want text, got {value!r}")
    return value


def checked_flag(name: str, value: object) -> bool:
    """True or False.

    Raises:
        InvalidRequestError: it is something else: ``"no"`` would count as true.
    """
    if type(value) is not bool:
        raise InvalidRequestError(f"{name}: want True or False, got {value!r}")
    return value


def checked_seconds(name: str, value: object, *, above: float | None = None, least: float = 0.0) -> float:
    """A number of seconds.

    Args:
        name: of the argument, for the message.
        value: what came.
        above: it has to be more than this; or
        least: it has to be at least this.

    Raises:
        InvalidRequestError: it is no number, too small, or more than a wait can take.

    Example:
        >>> checked_seconds("interval", "2s", above=0)
        Traceback (most recent call last):
        ...
        dynkube.errors.InvalidRequestError: interval: want a number of seconds above 0, got '2s'
    """
    wanted = f"above {above:g}" if above is not None else f"{least:g} or more"
    if isinstance(value, int | float) and not isinstance(value, bool):
        large_enough = value > above if above is not None else value >= least
        if large_enough and value <= threading.TIMEOUT_MAX:
            return float(value)
    raise InvalidRequestError(f"{name}: want a number of seconds {wanted}, got {value!r}")


def checked_count(name: str, value: object, *, least: int = 0) -> int:
    """A whole number.

    Args:
        name: of the argument, for the message.
        value: what came.
        least: it has to be at least this.

    Raises:
        InvalidRequestError: it is no whole number, or too small.

    Example:
        >>> checked_count("concurrency", 1.5, least=1)
        Traceback (most recent call last):
        ...
        dynkube.errors.InvalidRequestError: concurrency: want a whole number, 1 or more, got 1.5
    """
    if type(value) is not int or value < least:
        raise InvalidRequestError(f"{name}: want a whole number, {least} or more, got {value!r}")
    return value
