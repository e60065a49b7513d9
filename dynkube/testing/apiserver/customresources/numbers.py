"""What a schema demands of a number (``validation/validate`` of kube-openapi: validator.go, values.go)."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dynkube.testing.apiserver.customresources.violations import Code, Violation
from dynkube.testing.apiserver.words.govalues import plain

__all__ = ["NumberCheck", "is_json_integer", "number_check"]


@dataclass(frozen=True, slots=True)
class NumberCheck:
    """Bounds and factor of a number, and the range of its type and format."""

    type: str
    format: str
    multiple_of: float | None
    maximum: float | None
    excludes_maximum: bool
    minimum: float | None
    excludes_minimum: bool

    def check(self, value: float, path: str, found: list[Violation]) -> None:
        """Append what is wrong with the number."""
        if not self._in_range(value):
            found.append(self._range_violation("Checked", path))
        for problems in (self._multiple(value, path), self._minimum(value, path), self._maximum(value, path)):
            found.extend(problems)

    def _in_range(self, number: float) -> bool:
        """Whether the type and format hold the number (IsValueValidAgainstRange)."""
        if self.type == "integer":
            bits = 31 if self.format == "int32" else 63
            return float(number).is_integer() and bool(-(2**bits) <= number < 2**bits)
        return self.format != "float" or _fits_float32(number)

    def _range_violation(self, what: str, path: str) -> Violation:
        form = f"with format {self.format}" if self.format else "(default format)"
        return Violation(Code.COMPOSITE, f"{what} value must be of type {self.type} {form} in {path}")

    def _multiple(self, value: float, path: str) -> list[Violation]:
        factor = self.multiple_of
        if factor is None:
            return []
        fits = self._in_range(factor)
        found = [] if fits else [self._range_violation("MultipleOf", path)]
        shown: float = factor
        if fits and isinstance(value, int):
            shown = int(factor)
            is_multiple = shown > 0 and value % shown == 0
        else:
            value = float(value)
            is_multiple = factor > 0 and is_json_integer(value / factor if factor >= 1 else 1 / factor * value)
        if shown <= 0:
            text = f"factor MultipleOf declared for {path} must be positive: {plain(shown)}"
            return [*found, Violation(Code.OTHER, text, path, shown)]
        if not is_multiple:
            text = f"{path} in body should be a multiple of {plain(shown)}"
            found.append(Violation(Code.OTHER, text, path, value))
        return found

    def _maximum(self, value: float, path: str) -> list[Violation]:
        if self.maximum is None:
            return []
        found, value, bound = self._bound(value, self.maximum, "Maximum boundary", path)
        if value > bound or (self.excludes_maximum and value == bound):
            words = "less than" if self.excludes_maximum else "less than or equal to"
            found.append(Violation(Code.OTHER, f"{path} in body should be {words} {plain(bound)}", path, value))
        return found

    def _minimum(self, value: float, path: str) -> list[Violation]:
        if self.minimum is None:
            return []
        found, value, bound = self._bound(value, self.minimum, "Minimum boundary", path)
        if value < bound or (self.excludes_minimum and value == bound):
            words = "greater than" if self.excludes_minimum else "greater than or equal to"
            found.append(Violation(Code.OTHER, f"{path} in body should be {words} {plain(bound)}", path, value))
        return found

    def _bound(self, value: float, bound: float, what: str, path: str) -> tuple[list[Violation], float, float]:
        """The number and its bound in the terms in which they are compared: integers where both are."""
        if not self._in_range(bound):
            return [self._range_violation(what, path)], float(value), bound
        return ([], value, int(bound)) if isinstance(value, int) else ([], value, bound)


_FORMATS = {"integer": ("int32", "int64"), "number": ("float", "double")}


def number_check(raw: Mapping[str, Any], types: tuple[str, ...], form: str) -> NumberCheck | None:
    """What a schema demands of numbers, None where nothing."""
    kind = types[0] if len(types) == 1 and types[0] in _FORMATS else ""
    form = form if kind and form in _FORMATS[kind] else ""
    bounds = [raw.get(name) for name in ("multipleOf", "maximum", "minimum")]
    if kind != "integer" and form != "float" and all(bound is None for bound in bounds):
        return None
    multiple_of, maximum, minimum = (None if bound is None else float(bound) for bound in bounds)
    return NumberCheck(
        type=kind,
        format=form,
        multiple_of=multiple_of,
        maximum=maximum,
        excludes_maximum=bool(raw.get("exclusiveMaximum")),
        minimum=minimum,
        excludes_minimum=bool(raw.get("exclusiveMinimum")),
    )


def _fits_float32(number: float) -> bool:
    try:
        struct.pack("<f", number)
    except OverflowError:
        return False
    return True


def is_json_integer(number: float) -> bool:
    """Whole, or a hair above it (swag.IsFloat64AJSONInteger)."""
    if not -(2**53) <= number <= 2**53 - 1:
        return False
    if number == int(number):
        return True
    below = int(number)
    return number > 1 and (number - below) / (number + below) < 1e-9
