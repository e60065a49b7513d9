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

__all__ = ["FieldRequirement", "FieldSelector"]

_TERM = re.compile(r"(?:[^\\,]|\\.)*", re.DOTALL)
_OPERATOR = re.compile(r"!=|==|=")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_SPECIAL = re.compile(r"([\\,=])")


@dataclass(frozen=True, slots=True)
class FieldRequirement:
    """One condition on one field.

    Attributes:
        field: the path, ``"metadata.name"``.
        value: what it is compared with.
        negated: True for ``!=``.
    """

    field: str
    value: str
    negated: bool = False

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
        requirements: in the order given.

    Example:
        >>> selector = FieldSelector.parse(r"metadata.name=a\,b,status.phase!=Running")
        >>> selector.requirements[0].value
        'a,b'
        >>> selector.matches({"metadata.name": "a,b", "status.phase": "Pending"})
        True
    """

    requirements: tuple[FieldRequirement, ...] = ()

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
        requirements = []
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


def _parse_term(text: str, term: str, position: int) -> FieldRequirement:
    operator = _OPERATOR.search(term)
    if operator is None:
        raise _error(text, position, f"{term!r} has no =, == or !=")
    field = term[: operator.start()].strip()
    if not field:
        raise _error(text, position, f"{term!r} names no field")
    value = term[operator.end() :]
    bare = _ESCAPED.sub("", value)
    if "=" in bare:
        raise _error(text, position, f"the value {value!r} holds '=': write '\\='")
    escape = next((each[1] for each in _ESCAPED.finditer(value) if each[1] not in "\\,="), None)
    if escape is not None:
        raise _error(text, position, f"'\\{escape}' is no escape: only \\\\, \\, and \\= are")
    return FieldRequirement(field, _ESCAPED.sub(r"\1", value), operator[0] == "!=")


def _field_of(obj: Mapping[str, Any], path: str) -> str:
    value: Any = obj
    for step in path.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _error(text: str, position: int, problem: str) -> InvalidRequestError:
    return InvalidRequestError(f"field selector {text!r}, at character {position + 1}: {problem}")
