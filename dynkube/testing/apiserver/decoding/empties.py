"""Lists and maps that are there and empty: Go's ``omitempty`` leaves them out, so a decoded object does not have them.

To the real server they are not the same as none, in the few places where it compares or prints its own values:
such as a Secret's ``data`` that must not change. So it is known until the next object is decoded, by task, where there
were some.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from typing import Any, NamedTuple

__all__ = ["Empty", "empties", "note_empties", "with_empties"]


class Empty(NamedTuple):
    """One of them."""

    path: tuple[str | int, ...]
    """Names of fields, keys and indexes, from the root."""
    value: Any
    """``[]`` or ``{}``."""


_LAST: ContextVar[Sequence[Empty]] = ContextVar("empties", default=())


def empties() -> Sequence[Empty]:
    """Those of the object that this task decoded last."""
    return _LAST.get()


def note_empties(found: Sequence[Empty]) -> None:
    """Forget the last object's, and know these."""
    if found or _LAST.get():
        _LAST.set(found)


def with_empties(value: Any, found: Sequence[Empty], *at: str | int) -> Any:
    """A part of an object as it came: a copy as far as something is put back, the same if nothing is.

    Args:
        value: The part, where its lists have the length that they had.
        found: Of the whole object.
        at: Where it stands in the object.
    """
    for each in found:
        if each.path[: len(at)] == at:
            value = _put(value, each.path[len(at) :], each.value)
    return value


def _put(value: Any, path: Sequence[str | int], empty: Any) -> Any:
    if not path:
        return value or empty
    step, rest = path[0], path[1:]
    if isinstance(step, int):
        if not isinstance(value, list) or step >= len(value):
            return value
        return [*value[:step], _put(value[step], rest, empty), *value[step + 1 :]]
    if not isinstance(value, Mapping) or (rest and step not in value):
        return value
    return {**value, step: _put(value.get(step), rest, empty)}
