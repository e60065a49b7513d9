"""What is wrong with a field: apimachinery's ``field.Error`` and ``field.Path`` (AM/util/validation/field).

A validator returns a list of `FieldError`; `statuses.invalid` makes a 422 of it, one cause each.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from dynkube import codec

__all__ = [
    "OMITTED",
    "ErrorType",
    "FieldError",
    "child",
    "duplicate",
    "forbidden",
    "index",
    "internal",
    "invalid",
    "key",
    "not_found",
    "not_supported",
    "required",
    "too_few",
    "too_long",
    "too_many",
    "type_invalid",
]

OMITTED = object()
"""A bad value that the message leaves out."""


class ErrorType(StrEnum):
    """The reasons of a cause, with their words (errors.go, ErrorType.String)."""

    words: str

    NOT_FOUND = "FieldValueNotFound", "Not found"
    REQUIRED = "FieldValueRequired", "Required value"
    DUPLICATE = "FieldValueDuplicate", "Duplicate value"
    INVALID = "FieldValueInvalid", "Invalid value"
    NOT_SUPPORTED = "FieldValueNotSupported", "Unsupported value"
    FORBIDDEN = "FieldValueForbidden", "Forbidden"
    TOO_LONG = "FieldValueTooLong", "Too long"
    TOO_MANY = "FieldValueTooMany", "Too many"
    TOO_FEW = "FieldValueTooFew", "Too few"
    TOO_SHORT = "FieldValueTooShort", "Too short"
    INTERNAL = "InternalError", "Internal error"
    TYPE_INVALID = "FieldValueTypeInvalid", "Invalid value"

    def __new__(cls, value: str, words: str) -> ErrorType:
        """A member that carries its words."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.words = words
        return member


_WITHOUT_VALUE = frozenset(
    {ErrorType.REQUIRED, ErrorType.FORBIDDEN, ErrorType.TOO_LONG, ErrorType.TOO_SHORT, ErrorType.INTERNAL}
)


@dataclass(frozen=True, slots=True)
class FieldError:
    """One problem.

    >>> print(invalid("spec.replicas", -1, "must be greater than or equal to 0"))
    spec.replicas: Invalid value: -1: must be greater than or equal to 0
    """

    type: ErrorType
    field: str
    value: Any = OMITTED
    detail: str = ""

    @property
    def body(self) -> str:
        """The text without the field: the message of a Status cause (ErrorBody)."""
        text = self.type.words
        if self.type not in _WITHOUT_VALUE and self.value is not OMITTED:
            text += f": {_shown(self.value)}"
        return f"{text}: {self.detail}" if self.detail else text

    def __str__(self) -> str:
        return f"{self.field}: {self.body}"

    def cause(self) -> dict[str, str]:
        """As ``details.causes`` of a Status lists it."""
        return {"reason": self.type.value, "message": self.body, "field": self.field}


def child(path: str, *names: str) -> str:
    """The path of a field of an object: ``child("spec", "ports")`` is ``spec.ports``."""
    return ".".join((path, *names) if path else names)


def index(path: str, number: int) -> str:
    """The path of an item of a list: ``spec.ports[0]``."""
    return f"{path}[{number}]"


def key(path: str, name: str) -> str:
    """The path of an entry of a map: ``metadata.labels[app]``."""
    return f"{path}[{name}]"


def not_found(field: str, value: Any, detail: str = "") -> FieldError:
    """What the value refers to is not there."""
    return FieldError(ErrorType.NOT_FOUND, field, value, detail)


def required(field: str, detail: str = "") -> FieldError:
    """The field must be set."""
    return FieldError(ErrorType.REQUIRED, field, "", detail)


def duplicate(field: str, value: Any) -> FieldError:
    """The value is there already."""
    return FieldError(ErrorType.DUPLICATE, field, value)


def invalid(field: str, value: Any, detail: str = "") -> FieldError:
    """The value breaks a rule; ``detail`` says which."""
    return FieldError(ErrorType.INVALID, field, value, detail)


def not_supported(field: str, value: Any, valid: Iterable[str]) -> FieldError:
    """The value is none of the valid ones, which the message lists as they come (callers sort)."""
    listed = ", ".join(_shown(each) for each in valid)
    return FieldError(ErrorType.NOT_SUPPORTED, field, value, f"supported values: {listed}" if listed else "")


def forbidden(field: str, detail: str) -> FieldError:
    """The field must not be set, or not now."""
    return FieldError(ErrorType.FORBIDDEN, field, "", detail)


def too_long(field: str, limit: int) -> FieldError:
    """More bytes than allowed; the message does not show the value."""
    return FieldError(ErrorType.TOO_LONG, field, OMITTED, f"may not be more than {limit} bytes")


def too_many(field: str, actual: int, limit: int) -> FieldError:
    """More items than allowed."""
    plural = "" if limit == 1 else "s"
    return FieldError(ErrorType.TOO_MANY, field, actual, f"must have at most {limit} item{plural}")


def too_few(field: str, actual: int, limit: int) -> FieldError:
    """Fewer items than needed."""
    plural = "" if limit == 1 else "s"
    return FieldError(ErrorType.TOO_FEW, field, actual, f"must have at least {limit} item{plural}")


def type_invalid(field: str, value: Any, detail: str = "") -> FieldError:
    """The value is of another type than the schema says."""
    return FieldError(ErrorType.TYPE_INVALID, field, value, detail)


def internal(field: str, detail: str) -> FieldError:
    """The check itself failed."""
    return FieldError(ErrorType.INTERNAL, field, OMITTED, detail)


def _shown(value: Any) -> str:
    """As Go prints it there: JSON of what is no number, truth value or string; strings by %q."""
    if value is None:
        return "null"
    return codec.encode(value).decode()
