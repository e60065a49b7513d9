"""Label selectors: parse, format and match them as the API server does.

The grammar and the rules are those of AM/labels/selector.go and
https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from dynkube.errors import InvalidRequestError
from dynkube.schema import is_dns_subdomain

__all__ = [
    "LabelSelector",
    "Operator",
    "Requirement",
    "label_selector_of",
    "validate_label_key",
    "validate_label_value",
]

_NAME = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?")
# Go's lexer knows four blanks; other white space belongs to a word, which is then no label.
_TOKEN = re.compile(r"[ \t\r\n]*(?:(==|!=|[=,()!<>])|([^ \t\r\n=,()!<>]+))")
_BLANKS = " \t\r\n"


class Operator(StrEnum):
    """How a requirement compares."""

    EQUALS = "="
    NOT_EQUALS = "!="
    IN = "in"
    NOT_IN = "notin"
    EXISTS = "exists"
    DOES_NOT_EXIST = "!"
    GREATER_THAN = ">"
    LESS_THAN = "<"


_NEGATIVE = frozenset({Operator.NOT_EQUALS, Operator.NOT_IN})


def validate_label_key(key: str, argument: str = "label key") -> str:
    """Check a label's key: an optional DNS prefix, then a name of up to 63 characters.

    Raises:
        InvalidRequestError: it is no label key.
    """
    if not isinstance(key, str):
        raise InvalidRequestError(f"{argument} must be a string, not a {type(key).__name__}")
    prefix, slash, name = key.rpartition("/")
    if slash and not is_dns_subdomain(prefix):
        raise InvalidRequestError(f"{argument} {_shown(key)}: what stands before '/' must be a DNS subdomain")
    if not _NAME.fullmatch(name) or len(name) > 63:
        raise InvalidRequestError(
            f"{argument} {_shown(key)}: the name must be 1-63 letters, digits, '-', '_' or '.', "
            "and begin and end with a letter or digit"
        )
    return key


def validate_label_value(value: str, argument: str = "label value") -> str:
    """Check a label's value: empty, or up to 63 characters.

    Raises:
        InvalidRequestError: it is no label value.
    """
    if not isinstance(value, str):
        raise InvalidRequestError(f"{argument} must be a string, not a {type(value).__name__}")
    if value and (not _NAME.fullmatch(value) or len(value) > 63):
        raise InvalidRequestError(
            f"{argument} {_shown(value)}: must be empty, or 1-63 letters, digits, '-', '_' or '.' "
            "that begin and end with a letter or digit"
        )
    return value


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition on one label.

    Attributes:
        key: the label.
        operator: how to compare.
        values: what with; sorted; none for EXISTS and DOES_NOT_EXIST.

    Raises:
        InvalidRequestError: key, operator and values do not fit.

    Example:
        >>> str(Requirement("tier", Operator.IN, ("web", "api")))
        'tier in (api,web)'
    """

    key: str
    operator: Operator
    values: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        validate_label_key(self.key, "label selector: key")
        if self.operator not in frozenset(Operator):
            known = ", ".join(f"Operator.{each.name}" for each in Operator)
            raise InvalidRequestError(f"label selector: {self.key}: operator must be one of {known}")
        object.__setattr__(self, "operator", Operator(self.operator))
        self._check_values()
        object.__setattr__(self, "values", tuple(sorted(set(self.values))))

    def _check_values(self) -> None:
        where = f"label selector: {self.key} {self.operator.value}"
        if isinstance(self.values, str):  # type: ignore[unreachable]  # for those without a type checker
            raise InvalidRequestError(f"{where}: values must be a tuple of strings, not one string")
        for value in self.values:
            validate_label_value(value, f"{where}: value")
        count = len(set(self.values))
        if self.operator in {Operator.EXISTS, Operator.DOES_NOT_EXIST}:
            if count:
                raise InvalidRequestError(f"{where}: takes no values")
        elif self.operator in {Operator.IN, Operator.NOT_IN}:
            if not count:
                raise InvalidRequestError(f"{where}: needs at least one value")
        elif count != 1:
            raise InvalidRequestError(f"{where}: takes exactly one value")
        if self.operator in {Operator.GREATER_THAN, Operator.LESS_THAN} and _integer(self.values[0]) is None:
            raise InvalidRequestError(f"{where} {self.values[0]!r}: the value must be a whole number")

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether an object with these labels meets the requirement."""
        present = self.key in labels
        if self.operator is Operator.EXISTS:
            return present
        if self.operator is Operator.DOES_NOT_EXIST:
            return not present
        if not present:
            return self.operator in _NEGATIVE
        value = labels[self.key]
        if self.operator in {Operator.GREATER_THAN, Operator.LESS_THAN}:
            return self._compares(value)
        return (value in self.values) != (self.operator in _NEGATIVE)

    def _compares(self, value: str) -> bool:
        number, bound = _integer(value), _integer(self.values[0])
        if number is None or bound is None:
            return False
        return number > bound if self.operator is Operator.GREATER_THAN else number < bound

    def __str__(self) -> str:
        if self.operator is Operator.EXISTS:
            return self.key
        if self.operator is Operator.DOES_NOT_EXIST:
            return f"!{self.key}"
        if self.operator in {Operator.IN, Operator.NOT_IN}:
            # "()" is no list to the server: the empty value alone is written as client-go reads it.
            return f"{self.key} {self.operator.value} ({','.join(self.values) or ','})"
        return f"{self.key}{self.operator.value}{self.values[0]}"


@dataclass(frozen=True, slots=True)
class LabelSelector:
    """A label selector: all its requirements must be met; without any, everything matches.

    Attributes:
        requirements: sorted by key.

    Example:
        >>> selector = LabelSelector.parse("app=api, tier notin (web,db)")
        >>> str(selector)
        'app=api,tier notin (db,web)'
        >>> selector.matches({"app": "api"}), selector.matches({"app": "api", "tier": "db"})
        (True, False)
    """

    requirements: tuple[Requirement, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "requirements", tuple(sorted(self.requirements, key=lambda each: each.key)))

    @classmethod
    def parse(cls, text: str) -> LabelSelector:
        """Parse the text form.

        Args:
            text: for instance ``"app=api,tier!=web,env in (dev,test),!legacy,size>3"``; ``""`` selects all.

        Returns:
            The selector.

        Raises:
            InvalidRequestError: the text is no selector; the message names the place.
        """
        if not isinstance(text, str):
            raise InvalidRequestError(f"label selector: must be a string, not a {type(text).__name__}")
        return cls(tuple(_Parser(text).requirements()))

    @classmethod
    def of(cls, labels: Mapping[str, str]) -> LabelSelector:
        """The selector that asks for exactly these labels (SelectorFromSet).

        >>> str(LabelSelector.of({"app": "api"}))
        'app=api'
        """
        return cls(tuple(Requirement(key, Operator.EQUALS, (value,)) for key, value in labels.items()))

    @classmethod
    def from_dict(cls, selector: Mapping[str, Any]) -> LabelSelector:
        """The selector that a ``LabelSelector`` in an object stands for.

        Args:
            selector: a dict with ``matchLabels`` and ``matchExpressions``, as in a Deployment's spec.

        Returns:
            The selector; an empty dict selects everything.

        Raises:
            InvalidRequestError: it is None (which selects nothing in Kubernetes, and is not the same as
                empty), has unknown fields, or an expression does not fit.
        """
        if not isinstance(selector, Mapping):
            # A selector that is absent selects nothing, one that is empty everything: never mix them up.
            raise InvalidRequestError(f"label selector: must be a dict, not a {type(selector).__name__}")
        labels = selector.get("matchLabels") or {}
        expressions = selector.get("matchExpressions") or ()
        unknown = sorted(str(each) for each in selector.keys() - {"matchLabels", "matchExpressions"})
        if unknown:
            raise InvalidRequestError(
                f"label selector: unknown field {unknown[0]!r}: want matchLabels and matchExpressions"
            )
        if not isinstance(labels, Mapping):
            raise InvalidRequestError(f"label selector: matchLabels must be a dict, not a {type(labels).__name__}")
        if not isinstance(expressions, list | tuple):
            raise InvalidRequestError(
                f"label selector: matchExpressions must be a list, not a {type(expressions).__name__}"
            )
        found = [_expression(index, each) for index, each in enumerate(expressions)]
        return cls((*cls.of(labels).requirements, *found))

    def matches(self, labels: Mapping[str, str] | None) -> bool:
        """Whether an object with these labels is selected."""
        return all(each.matches(labels or {}) for each in self.requirements)

    def __str__(self) -> str:
        return ",".join(str(each) for each in self.requirements)


_EXPRESSIONS = {
    "In": Operator.IN,
    "NotIn": Operator.NOT_IN,
    "Exists": Operator.EXISTS,
    "DoesNotExist": Operator.DOES_NOT_EXIST,
}


def label_selector_of(value: object, argument: str = "label_selector") -> LabelSelector:
    """What an argument for a selector means.

    Args:
        value: a text, or a selector.
        argument: its name, for the message.

    Raises:
        InvalidRequestError: the text does not parse, or it is neither.
    """
    if isinstance(value, str):
        return LabelSelector.parse(value)
    if not isinstance(value, LabelSelector):
        raise InvalidRequestError(
            f"{argument} must be a string or a LabelSelector (LabelSelector.of({{...}}) makes one of a dict), "
            f"not {type(value).__name__}"
        )
    return value


def _expression(index: int, expression: Any) -> Requirement:
    where = f"label selector: matchExpressions[{index}]"
    if not isinstance(expression, Mapping):
        raise InvalidRequestError(f"{where} must be a dict, not a {type(expression).__name__}")
    word = expression.get("operator")
    operator = _EXPRESSIONS.get(word) if isinstance(word, str) else None
    if operator is None:
        raise InvalidRequestError(f"{where}.operator must be one of {', '.join(_EXPRESSIONS)}, not {word!r}")
    values = expression.get("values") or ()
    if not isinstance(values, list | tuple):
        raise InvalidRequestError(f"{where}.values must be a list, not a {type(values).__name__}")
    return Requirement(expression.get("key", ""), operator, tuple(values))


class _Parser:
    """Recursive descent over tokens; every error names the selector and the place."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens: list[tuple[str, int]] = []
        position, end = 0, len(text.rstrip(_BLANKS))
        while position < end:
            token = _TOKEN.match(text, position)
            assert token is not None  # every character is in one of the two classes
            self._tokens.append((token[1] or token[2], token.start(1 if token[1] else 2)))
            position = token.end()
        self._next = 0

    def requirements(self) -> Iterable[Requirement]:
        if not self._tokens:
            return
        while True:
            start = self._next
            try:
                requirement = self._requirement()
            except _MisfitError as misfit:
                self._next = start
                raise self._error(str(misfit)) from None
            yield requirement
            sign = self._take()
            if sign == "":
                return
            if sign != ",":
                raise self._error(f"unexpected {sign!r}, want ','", back=1)
            if self._peek() == "":
                raise self._error("a requirement is missing after ','")

    def _requirement(self) -> Requirement:
        if self._peek() == "!":
            self._take()
            return _fitting(self._word("a label key"), Operator.DOES_NOT_EXIST)
        key = self._word("a label key")
        operator = self._peek()
        if operator in {"", ","}:
            return _fitting(key, Operator.EXISTS)
        self._take()
        if operator in {"in", "notin"}:
            return _fitting(key, Operator(operator), self._value_set())
        known = _COMPARISONS.get(operator)
        if known is None:
            raise self._error(f"unexpected {operator!r} after {key!r}, want one of =, ==, !=, in, notin, <, >", back=1)
        if known in {Operator.GREATER_THAN, Operator.LESS_THAN}:
            return _fitting(key, known, (self._word("a whole number"),))
        return _fitting(key, known, (self._value(),))

    def _value(self) -> str:
        # "key=" asks for the empty value.
        if self._peek() in {"", ","}:
            return ""
        return self._word("a value")

    def _value_set(self) -> tuple[str, ...]:
        if self._take() != "(":
            raise self._error("want '(' and a list of values", back=1)
        values: list[str] = []
        if self._peek() == ")":
            raise self._error("the list of values is empty")
        while True:
            values.append("" if self._peek() in {",", ")"} else self._word("a value"))
            sign = self._take()
            if sign == ")":
                return tuple(values)
            if sign != ",":
                raise self._error("want ',' or ')' in the list of values", back=1)

    def _word(self, what: str) -> str:
        sign = self._take()
        if sign == "" or _is_sign(sign):
            raise self._error(f"want {what}, found {sign!r}" if sign else f"want {what}, found the end", back=1)
        return sign

    def _peek(self) -> str:
        return self._tokens[self._next][0] if self._next < len(self._tokens) else ""

    def _take(self) -> str:
        sign = self._peek()
        self._next += 1
        return sign

    def _error(self, problem: str, *, back: int = 0) -> InvalidRequestError:
        index = self._next - back
        place = self._tokens[index][1] if 0 <= index < len(self._tokens) else len(self._text)
        return InvalidRequestError(f"label selector {_shown(self._text)}, at character {place + 1}: {problem}")


class _MisfitError(Exception):
    """A requirement that cannot be; the parser adds the place."""


def _fitting(key: str, operator: Operator, values: tuple[str, ...] = ()) -> Requirement:
    try:
        return Requirement(key, operator, values)
    except InvalidRequestError as error:
        raise _MisfitError(str(error).removeprefix("label selector: ")) from None


_COMPARISONS = {
    "=": Operator.EQUALS,
    "==": Operator.EQUALS,
    "!=": Operator.NOT_EQUALS,
    ">": Operator.GREATER_THAN,
    "<": Operator.LESS_THAN,
}
_is_sign: Callable[[str], bool] = frozenset({"==", "!=", "=", ",", "(", ")", "!", "<", ">"}).__contains__


def _integer(text: str) -> int | None:
    # What Go's strconv.ParseInt takes.
    if len(text) > 63 or not re.fullmatch(r"[+-]?[0-9]+", text):
        return None
    number = int(text)
    return number if -(2**63) <= number < 2**63 else None


def _shown(text: str) -> str:
    """Text for a message: quoted, on one line, bounded."""
    shown = repr(text)
    return shown if len(shown) <= 200 else f"{shown[:197]}..."
