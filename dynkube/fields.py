"""Field selectors: parse, format and match them as the API server does.

Only ``=``, ``==`` and ``!=`` exist; which fields a resource can be selected by is the server's to say. A
backslash escapes itself, ``,`` and ``=`` in values (AM/fields/selector.go).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dynkube.errors import InvalidRequestError

__all__ = ["FieldRequirement", "FieldSelector", "field_selector_of"]

_TERM = re.compile(r"(?:[^\\,]|\\.)*", re.DOTALL)
_OPERATOR = re.compile(r"!=|==|=")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_SPECIAL = re.compile(r"([\\,=])")
# Fields are not escaped, so that none of these can be part of one.
_FIELD = re.compile(r"[^\\,=!\s]+")


@dataclass(frozen=True, slots=True)
class FieldRequirement:
    """One condition on one field.

    Attributes:
        field: the path, ``"metadata.name"``.
        value: what it is compared with.
        negated: True for ``!=``.

    Raises:
        InvalidRequestError: the field is no path, or the value no string.
    """

    field: str
    value: str
    negated: bool = False

    def __post_init__(self) -> None:
        field: object = self.field
        if not isinstance(field, str) or not _FIELD.fullmatch(field):
            raise InvalidRequestError(
                f"field selector: field must be a path such as 'metadata.name', not {_shown(self.field)}"
            )
        if not isinstance(self.value, str):
            raise InvalidRequestError(
                f"field selector: {self.field}: the value must be a string, not a {type(self.value).__name__}"
            )

    def matches(self, fields: Mapping[str, str]) -> bool:
        """Whether these fields meet it; a field that is not there is ``""``."""
        return (fields.get(self.field, "") == self.value) != self.negated

    def __str__(self) -> str:
        escaped = _SPECIAL.sub(r"\\\1", self.value)
        return f"{self.field}{'!=' if self.negated else '='}{escaped}"


@dataclass(frozen=True, slots=True)
class FieldSelector:
    r"""A field selector: all its requirements must be met.

    Attributes:
        requirements: sorted, as the server's canonical form is.

    Example:
        >>> selector = FieldSelector.parse(r"metadata.name=a\,b,status.phase!=Running")
        >>> str(selector)
        'metadata.name=a\\,b,status.phase!=Running'
        >>> selector.requirements[0].value
        'a,b'
        >>> selector.matches({"metadata.name": "a,b", "status.phase": "Pending"})
        True
    """

    requirements: tuple[FieldRequirement, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "requirements", tuple(sorted(self.requirements, key=str)))

    @classmethod
    def parse(cls, text: str) -> FieldSelector:
        """Parse the text form.

        Args:
            text: for instance ``"metadata.name=api,status.phase!=Running"``; ``""`` selects all.

        Returns:
            The selector.

        Raises:
            InvalidRequestError: the text is no selector; the message names the place.
        """
        if not isinstance(text, str):
            raise InvalidRequestError(f"field selector: must be a string, not a {type(text).__name__}")
        requirements: list[FieldRequirement] = []
        position = 0
        while position <= len(text):
            term = _TERM.match(text, position)
            assert term is not None  # it matches the empty text, too
            if term.end() < len(text) and text[term.end()] == "\\":
                raise _error(text, term.end(), "a backslash stands before nothing")
            if term[0]:
                requirements.append(_parse_term(text, term[0], position))
            position = term.end() + 1
        return cls(tuple(requirements))

    @classmethod
    def of(cls, fields: Mapping[str, str]) -> FieldSelector:
        """The selector that asks for exactly these fields.

        >>> print(FieldSelector.of({"metadata.name": "api"}))
        metadata.name=api
        """
        return cls(tuple(FieldRequirement(field, value) for field, value in fields.items()))

    def matches(self, fields: Mapping[str, str]) -> bool:
        """Whether an object with these fields (path to text) is selected."""
        return all(each.matches(fields) for each in self.requirements)

    def matches_object(self, obj: Mapping[str, Any]) -> bool:
        """Whether an object is selected, its fields read by path."""
        return self.matches({each.field: _field_of(obj, each.field) for each in self.requirements})

    def __str__(self) -> str:
        return ",".join(str(each) for each in self.requirements)


def field_selector_of(value: object, argument: str = "field_selector") -> FieldSelector:
    """What an argument for a selector means.

    Args:
        value: a text, or a selector.
        argument: its name, for the message.

    Raises:
        InvalidRequestError: the text does not parse, or it is neither.
    """
    if isinstance(value, str):
        return FieldSelector.parse(value)
    if not isinstance(value, FieldSelector):
        raise InvalidRequestError(
            f"{argument} must be a string or a FieldSelector (FieldSelector.of({{...}}) makes one of a dict), "
            f"not {type(value).__name__}"
        )
    return value


def _parse_term(text: str, term: str, position: int) -> FieldRequirement:
    operator = _OPERATOR.search(term)
    if operator is None:
        raise _error(text, position, f"{_shown(term)} has no =, == or !=")
    field = term[: operator.start()]
    if not field:
        raise _error(text, position, f"{_shown(term)} names no field")
    if not _FIELD.fullmatch(field):
        # The server takes blanks for a part of the name, and then knows no such field.
        raise _error(text, position, f"{_shown(field)} is no field: want a path such as 'metadata.name', no blanks")
    value = term[operator.end() :]
    bare = _ESCAPED.sub("", value)
    if "=" in bare:
        raise _error(text, position, f"the value {_shown(value)} holds '=': write '\\='")
    escape = next((each[1] for each in _ESCAPED.finditer(value) if each[1] not in "\\,="), None)
    if escape is not None:
        raise _error(text, position, f"a backslash before {escape!r} is no escape: only \\\\, \\, and \\= are")
    return FieldRequirement(field, _ESCAPED.sub(r"\1", value), operator[0] == "!=")


def _field_of(obj: Mapping[str, Any], path: str) -> str:
    value: Any = obj
    for step in path.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _error(text: str, position: int, problem: str) -> InvalidRequestError:
    return InvalidRequestError(f"field selector {_shown(text)}, at character {position + 1}: {problem}")


def _shown(value: object) -> str:
    """A value for a message: quoted, on one line, bounded."""
    shown = repr(value)
    return shown if len(shown) <= 200 else f"{shown[:197]}..."
