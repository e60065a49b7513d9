"""Selectors of a query, refused in the words of the server (AM/labels/selector.go, AM/fields/selector.go).

What they select is `dynkube.labels` and `dynkube.fields`; those have messages of their own, for users of
the client.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from dynkube.fields import FieldRequirement
from dynkube.labels import LabelSelector, Operator, Requirement
from dynkube.testing.apiserver.words import names
from dynkube.testing.apiserver.words.fielderrors import FieldError, invalid

__all__ = ["parse_field_selector", "parse_label_selector"]

# A NUL byte ends a selector, as it does there.
_SIGNS = re.compile(r"[ \t\r\n]*(?:([=!(),<>]+)|([^=!(),<> \t\r\n\0]+))?")
_SYMBOLS = (")", ",", "!", "==", "=", ">", "<", "!=", "(")
_END = ""
_OPERATORS = {
    "in": Operator.IN,
    "notin": Operator.NOT_IN,
    "=": Operator.EQUALS,
    "==": Operator.EQUALS,
    "!=": Operator.NOT_EQUALS,
    ">": Operator.GREATER_THAN,
    "<": Operator.LESS_THAN,
}
_OPERATOR_WORDS = "in, notin, =, ==, !=, gt, lt"
_NUMBERS = frozenset({Operator.GREATER_THAN, Operator.LESS_THAN})


def parse_label_selector(text: str) -> LabelSelector:
    """A label selector.

    Raises:
        ValueError: The text is none; with the words of the refusal.

    >>> parse_label_selector("app=api,tier in (web")
    Traceback (most recent call last):
    ...
    ValueError: unable to parse requirement: found '', expected: ',' or ')'
    """
    return LabelSelector(tuple(_LabelParser(text).requirements())) if text else LabelSelector()


class _Word(str):
    """A sign that is a key or a value, or an operator that is a word; others are plain strings."""

    __slots__ = ()


class _LabelParser:
    def __init__(self, text: str) -> None:
        self._signs = _signs(text)
        self._next = 0

    def requirements(self) -> Sequence[Requirement]:
        found: list[Requirement] = []
        while True:
            sign = self._peek()
            if sign == _END:
                return found
            if not _starts_requirement(sign):
                raise ValueError(f"found '{sign}', expected: !, identifier, or 'end of string'")
            found.append(self._requirement())
            sign = self._take()
            if sign == _END:
                return found
            if sign != ",":
                raise ValueError(f"found '{sign}', expected: ',' or 'end of string'")
            if not _starts_requirement(self._peek()):
                raise ValueError(f"found '{self._peek()}', expected: identifier after ','")

    def _requirement(self) -> Requirement:
        try:
            return self._parse_requirement()
        except ValueError as error:
            raise ValueError(f"unable to parse requirement: {error}") from None

    def _parse_requirement(self) -> Requirement:
        negated = self._peek() == "!"
        if negated:
            self._take()
        key = self._take()
        if not isinstance(key, _Word):
            raise ValueError(f"found '{key}', expected: identifier")  # noqa: TRY004 - the caller's one error
        problems = names.label_key(key)
        if problems:
            raise ValueError(str(invalid("<nil>", str(key), "; ".join(problems))))
        if negated:
            return Requirement(str(key), Operator.DOES_NOT_EXIST)
        if self._peek() in (_END, ","):
            return Requirement(str(key), Operator.EXISTS)
        sign = self._take()
        operator = _OPERATORS.get(sign)
        if operator is None:
            raise ValueError(f"found '{sign}', expected: {_OPERATOR_WORDS}")
        values = self._set() if operator in (Operator.IN, Operator.NOT_IN) else [self._exact()]
        return _requirement(str(key), operator, values)

    def _exact(self) -> str:
        if self._peek() in (_END, ","):
            return ""
        sign = self._take()
        if isinstance(sign, _Word):
            return str(sign)
        raise ValueError(f"found '{sign}', expected: identifier")

    def _set(self) -> Sequence[str]:
        sign = self._take()
        if sign != "(":
            raise ValueError(f"found '{sign}' expected: '('")
        sign = self._peek()
        if sign == ")":
            self._take()
            return [""]
        if not (isinstance(sign, _Word) or sign == ","):
            raise ValueError(f"found '{sign}', expected: ',', ')' or identifier")
        values = self._values()
        self._take()
        return values

    def _values(self) -> Sequence[str]:
        """Up to the closing parenthesis; what is missing between commas is the empty value."""
        values: set[str] = set()
        while True:
            sign = self._take()
            if isinstance(sign, _Word):
                values.add(str(sign))
                follows = self._peek()
                if follows == ")":
                    return sorted(values)
                if follows != ",":
                    raise ValueError(f"found '{follows}', expected: ',' or ')'")
            elif sign == ",":
                if not values or self._peek() in (")", ","):
                    values.add("")
                if self._peek() == ")":
                    return sorted(values)
            else:
                raise ValueError(f"found '{sign}', expected: ',', or identifier")

    def _peek(self) -> str:
        return self._signs[min(self._next, len(self._signs) - 1)]

    def _take(self) -> str:
        sign = self._peek()
        self._next += 1
        return sign


def _signs(text: str) -> Sequence[str]:
    tokens: list[str] = []
    position = 0
    while True:
        found = _SIGNS.match(text, position)
        if found is None or not (found[1] or found[2]):
            return [*tokens, _END]
        position = found.end()
        if found[2]:
            tokens.append(_Word(found[2]))
        else:
            tokens += _symbols(found[1])


def _symbols(run: str) -> Sequence[str]:
    """Signs that stand together, each as long as it can be."""
    tokens = []
    while run:
        sign = run[:2] if run[:2] in _SYMBOLS else run[:1]
        tokens.append(sign)
        run = run[len(sign) :]
    return tokens


def _starts_requirement(sign: str) -> bool:
    return isinstance(sign, _Word) or sign == "!"


def _requirement(key: str, operator: Operator, values: Sequence[str]) -> Requirement:
    errors: list[FieldError] = []
    if operator in _NUMBERS and not _is_int64(values[0]):
        errors.append(invalid("values[0]", values[0], "for 'Gt', 'Lt' operators, the value must be an integer"))
    for index, value in enumerate(values):
        problems = names.label_value(value)
        if problems:
            errors.append(invalid(f"values[{index}][{key}]", value, "; ".join(problems)))
    if errors:
        texts = list(dict.fromkeys(map(str, errors)))
        raise ValueError(texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]")
    return Requirement(key, operator, tuple(values))


def _is_int64(text: str) -> bool:
    return bool(re.fullmatch(r"[+-]?[0-9]{1,40}", text)) and -(2**63) <= int(text) < 2**63


# ------------------------------------------------------------------ field selectors

_TERM = re.compile(r"(?:[^\\,]|\\.)*\\?", re.DOTALL)
_FIELD_OPERATOR = re.compile(r"!=|==|=")


def parse_field_selector(text: str) -> Sequence[FieldRequirement]:
    r"""The requirements of a field selector, in the order in which the server looks at them.

    Raises:
        ValueError: The text is none; with the words of the refusal.

    >>> parse_field_selector(r"metadata.name=a,x")
    Traceback (most recent call last):
    ...
    ValueError: invalid selector: 'metadata.name=a,x'; can't understand 'x'
    """
    found = [_field_requirement(text, term) for term in sorted(_terms(text)) if term]
    # Nothing that is to be nothing is no requirement.
    return [each for each in found if each.field or each.value]


def _terms(text: str) -> Sequence[str]:
    terms = []
    position = 0
    while position <= len(text):
        found = _TERM.match(text, position)
        assert found is not None  # it matches the empty text, too
        terms.append(found[0])
        position = found.end() + 1
    return terms


def _field_requirement(text: str, term: str) -> FieldRequirement:
    operator = _FIELD_OPERATOR.search(term)
    if operator is None:
        raise ValueError(f"invalid selector: '{text}'; can't understand '{term}'")
    value = _unescaped(term[operator.end() :])
    return _AnyField(term[: operator.start()], value, operator[0] == "!=")


class _AnyField(FieldRequirement):
    """A requirement on whatever the client calls a field: that it is none is found out later."""

    def __post_init__(self) -> None:
        """Check nothing."""


def _unescaped(value: str) -> str:
    letters: list[str] = []
    rest = iter(value)
    for letter in rest:
        if letter in ",=":
            raise ValueError(f"invalid field selector: unescaped character in value: {ord(letter)}")
        if letter == "\\":
            escaped = next(rest, "")
            if escaped not in ("\\", ",", "="):
                raise ValueError(f"invalid field selector: invalid escape sequence: \\{escaped}")
            letters.append(escaped)
        else:
            letters.append(letter)
    return "".join(letters)
