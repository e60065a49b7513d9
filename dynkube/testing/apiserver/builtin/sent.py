"""Objects as they were sent: with the lists and maps that are there and empty, which decoding leaves out.

A few kinds compare or show them. They `keep_empties` when they default an object, and ask for a part of it
`as_sent` when they judge it, in the same request.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar
from typing import Any

from dynkube.testing.apiserver.decoding.empties import Empty, empties, with_empties

__all__ = ["as_sent", "keep_empties", "sent_at"]

_OF_REQUEST: ContextVar[Sequence[Empty]] = ContextVar("empties_of_request", default=())


def keep_empties() -> None:
    """Those of the object that was just decoded are the request's."""
    found = empties()
    if found or _OF_REQUEST.get():
        _OF_REQUEST.set(found)


def as_sent(value: Any, *at: str | int) -> Any:
    """A part of the request's object with what was there and empty; ``at`` is where the part stands in it."""
    return with_empties(value, _OF_REQUEST.get(), *at)


def sent_at(value: Any, field: str) -> Any:
    """The same by a path as messages have it, without keys of maps: ``spec.rules[0].values``."""
    steps = (int(step) if step.isdecimal() else step for step in field.replace("[", ".").replace("]", "").split("."))
    return as_sent(value, *steps)
