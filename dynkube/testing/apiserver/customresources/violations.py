"""What kube-openapi's validator complains of, in its words, and the field errors that are made of it.

``validation/errors/schema.go`` of kube-openapi; AE/apiserver/validation/validation.go (kubeOpenAPIResultToFieldErrors).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from dynkube.testing.apiserver.customresources.badvalues import bad_value
from dynkube.testing.apiserver.words import fielderrors
from dynkube.testing.apiserver.words.fielderrors import FieldError
from dynkube.testing.apiserver.words.govalues import json_text

__all__ = ["NO_PATH", "Code", "Violation", "field_errors"]

NO_PATH = "<nil>"
"""How Go prints the path of what belongs to no field."""


class Code(Enum):
    """What kind of complaint it is: decides which field error becomes of it."""

    COMPOSITE = auto()
    """Belongs to no field: anyOf, oneOf, allOf, not, and numbers beyond a format's range."""
    TYPE = auto()
    REQUIRED = auto()
    TOO_LONG = auto()
    ENUM = auto()
    TOO_MANY = auto()
    OTHER = auto()


@dataclass(frozen=True, slots=True)
class Violation:
    """One complaint.

    Attributes:
        code: What it is.
        text: kube-openapi's message; the same text twice is one complaint.
        name: The path, from the root of what was validated; "" for the root.
        value: The bad value; for `Code.TOO_MANY` how many there are.
        valid: For `Code.ENUM` the values that are allowed, for a limit the limit.
    """

    code: Code
    text: str
    name: str = ""
    value: Any = None
    valid: Any = None


def field_errors(violations: Iterable[Violation], base: str = "") -> list[FieldError]:
    """Field errors, each complaint once. ``base`` is the path of what was validated, "" for a whole object."""
    return [_field_error(each, base) for each in {each.text: each for each in reversed(list(violations))}.values()][
        ::-1
    ]


def _field_error(violation: Violation, base: str) -> FieldError:
    path = violation.name.removeprefix(".")
    where = fielderrors.child(base, path) if path else base or NO_PATH
    make = _MAKERS.get(violation.code, _invalid)
    return make(base or NO_PATH if violation.code is Code.COMPOSITE else where, violation)


def _too_long(path: str, violation: Violation) -> FieldError:
    return fielderrors.too_long(path, violation.valid)


def _too_many(path: str, violation: Violation) -> FieldError:
    return fielderrors.too_many(path, violation.value, violation.valid)


def _not_supported(path: str, violation: Violation) -> FieldError:
    allowed: Sequence[Any] = violation.valid
    texts = [each if isinstance(each, str) else json_text(each) for each in allowed]
    return fielderrors.not_supported(path, bad_value(violation.value), texts)


def _type_invalid(path: str, violation: Violation) -> FieldError:
    value = "" if violation.value is None else violation.value
    return fielderrors.type_invalid(path, bad_value(value), violation.text)


def _invalid(path: str, violation: Violation) -> FieldError:
    value = "" if violation.value is None else violation.value
    return fielderrors.invalid(path, bad_value(value), violation.text)


_MAKERS: Mapping[Code, Callable[[str, Violation], FieldError]] = {
    Code.REQUIRED: lambda path, _violation: fielderrors.required(path),
    Code.TOO_LONG: _too_long,
    Code.TOO_MANY: _too_many,
    Code.ENUM: _not_supported,
    Code.TYPE: _type_invalid,
}
