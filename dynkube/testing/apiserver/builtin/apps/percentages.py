"""Numbers or percentages of a rollout (pkg/apis/apps/validation/validation.go)."""

from __future__ import annotations

import re

from dynkube.testing.apiserver.builtin.rules import Errors, each, non_negative
from dynkube.testing.apiserver.words import names
from dynkube.testing.apiserver.words.fielderrors import invalid

__all__ = ["at_most_all", "number_of", "number_or_percent"]

_WHOLE = re.compile(r"[+-]?[0-9]+")


def number_or_percent(value: int | str, field: str) -> Errors:
    """A number from 0, or a percentage (ValidatePositiveIntOrPercent)."""
    if isinstance(value, int):
        yield from non_negative(value, field)
    else:
        yield from each(field, value, names.percent(value))


def number_of(value: int | str) -> int:
    """The number alone (getIntOrPercentValue); what is neither counts as 0."""
    if isinstance(value, int):
        return value
    text = value.removesuffix("%") if not names.percent(value) else value
    return int(text) if _WHOLE.fullmatch(text) else 0


def at_most_all(value: int | str, field: str) -> Errors:
    """Not more than 100% (IsNotMoreThan100Percent)."""
    if isinstance(value, str) and not names.percent(value) and number_of(value) > 100:
        yield invalid(field, value, "must not be greater than 100%")
