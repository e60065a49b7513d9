"""What is wrong with a field: apimachinery's ``field.Error`` and ``field.Path`` (AM/util/validation/field).

A validator returns a list of `FieldError`; `statuses.invalid` makes a 422 of it, one cause each.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

from dynkube import codec
from dynkube.errors import InvalidRequestError

__all__ = [
    "OMITTED",
    "ErrorType",
    "FieldError",
    "Shown",
    "child",
    "duplicate",
    "forbidden",
    "index",
    "internal",
    "invalid",
    "key",
    "not_found",
    "not_supported",
    "quoted",
    "required",
    "too_few",
    "too_long",
    "too_long_characters",
    "too_many",
    "too_short",
    "type_invalid",
]

OMITTED = object()
"""A bad value that the message leaves out."""


class Shown(str):
    """A bad value as its text: what is shown of it where its JSON would differ from Go's."""

    __slots__ = ()


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


@lru_cache(maxsize=4096)
def child(path: str, *names: str) -> str:
    """The path of a field of an object: ``child("spec", "ports")`` is ``spec.ports``.

    The same paths are asked for with each object of a kind, and seldom shown.
    """
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
    listed = ", ".join(map(quoted, valid))
    return FieldError(ErrorType.NOT_SUPPORTED, field, value, f"supported values: {listed}" if listed else "")


def forbidden(field: str, detail: str) -> FieldError:
    """The field must not be set, or not now."""
    return FieldError(ErrorType.FORBIDDEN, field, "", detail)


def too_long(field: str, limit: int) -> FieldError:
    """More bytes than allowed; the message does not show the value."""
    return FieldError(ErrorType.TOO_LONG, field, OMITTED, f"may not be more than {limit} byte{_plural(limit)}")


def too_long_characters(field: str, limit: int) -> FieldError:
    """More characters than allowed; the message does not show the value."""
    return FieldError(ErrorType.TOO_LONG, field, OMITTED, f"may not be more than {limit} character{_plural(limit)}")


def too_short(field: str, limit: int) -> FieldError:
    """Fewer characters than needed."""
    return FieldError(ErrorType.TOO_SHORT, field, OMITTED, f"must be at least {limit} character{_plural(limit)}")


def too_many(field: str, actual: int, limit: int) -> FieldError:
    """More items than allowed."""
    return FieldError(ErrorType.TOO_MANY, field, actual, f"must have at most {limit} item{_plural(limit)}")


def too_few(field: str, actual: int, limit: int) -> FieldError:
    """Fewer items than needed."""
    return FieldError(ErrorType.TOO_FEW, field, actual, f"must have at least {limit} item{_plural(limit)}")


def type_invalid(field: str, value: Any, detail: str = "") -> FieldError:
    """The value is of another type than the schema says."""
    return FieldError(ErrorType.TYPE_INVALID, field, value, detail)


def internal(field: str, detail: str) -> FieldError:
    """The check itself failed."""
    return FieldError(ErrorType.INTERNAL, field, OMITTED, detail)


def _plural(number: int) -> str:
    return "" if number == 1 else "s"


def _shown(value: Any) -> str:
    """As Go prints it there: JSON of what is no number, truth value or string; strings by %q."""
    if isinstance(value, str):
        return str(value) if isinstance(value, Shown) else quoted(value)
    if value is None:
        return "null"
    try:
        text = codec.encode(value).decode()
    except InvalidRequestError:  # a query can hold what is no UTF-8
        text = re.sub("[\ud800-\udfff]", "\ufffd", json.dumps(value, ensure_ascii=False, separators=(",", ":")))
    # encoding/json writes what could end a script element as escapes.
    return text.translate(_JSON_ESCAPES) if any(each in text for each in "<>&\u2028\u2029") else text


_JSON_ESCAPES = {ord(each): f"\\u{ord(each):04x}" for each in "<>&\u2028\u2029"}
_GO_ESCAPES = {
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
    '"': '\\"',
    "\\": "\\\\",
}


def quoted(text: str) -> str:
    r"""A string as Go's ``%q`` writes it.

    >>> print(quoted('a "b"\x07é'))
    "a \"b\"\aé"
    """
    if text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    return f'"{"".join(map(_escaped, text))}"'


def _escaped(character: str) -> str:
    code = ord(character)
    escaped = _GO_ESCAPES.get(character)
    if escaped is not None or character.isprintable():
        return escaped or character
    if code < 0x20 or code == 0x7F:
        return f"\\x{code:02x}"
    if 0xDC80 <= code <= 0xDCFF:  # a byte that was no UTF-8
        return f"\\x{code - 0xDC00:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
