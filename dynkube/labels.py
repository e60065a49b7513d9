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

__all__ = ["LabelSelector", "Operator", "Requirement", "validate_label_key", "validate_label_value"]

_NAME = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*")
_TOKEN = re.compile(r"\s*(?:(==|!=|[=,()!<>])|([^\s=,()!<>]+))")


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
    prefix, slash, name = key.rpartition("/")
    if slash and (not _SUBDOMAIN.fullmatch(prefix) or len(prefix) > 253):
        raise InvalidRequestError(f"{argument} {key!r}: what stands before '/' must be a DNS subdomain")
    if not _NAME.fullmatch(name) or len(name) > 63:
        raise InvalidRequestError(
            f"{argument} {key!r}: the name must be 1-63 letters, digits, '-', '_' or '.', "
            "and begin and end with a letter or digit"
        )
    return key


def validate_label_value(value: str, argument: str = "label value") -> str:
    """Check a label's value: empty, or up to 63 characters.

    Raises:
        InvalidRequestError: it is no label value.
    """
    if value and (not _NAME.fullmatch(value) or len(value) > 63):
        raise InvalidRequestError(
            f"{argument} {value!r}: must be empty, or 1-63 letters, digits, '-', '_' or '.' "
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
        object.__setattr__(self, "values", tuple(sorted(set(self.values))))
        self._check_values()

    def _check_values(self) -> None:
        where = f"label selector: {self.key} {self.operator.value}"
        count = len(self.values)
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
        for value in self.values:
            validate_label_value(value, f"{where}: value")

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
            return f"{self.key} {self.operator.value} ({','.join(self.values)})"
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
            InvalidRequestError: an expression has an unknown operator, or does not fit.
        """
        requirements = list(cls.of(selector.get("matchLabels") or {}).requirements)
        for index, expression in enumerate(selector.get("matchExpressions") or ()):
            operator = _EXPRESSIONS.get(expression.get("operator", ""))
            if operator is None:
                raise InvalidRequestError(
                    f"matchExpressions[{index}].operator must be one of {', '.join(_EXPRESSIONS)}, "
                    f"not {expression.get('operator')!r}"
                )
            values = tuple(expression.get("values") or ())
            requirements.append(Requirement(expression.get("key", ""), operator, values))
        return cls(tuple(requirements))

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


class _Parser:
    """Recursive descent over tokens; every error names the selector and the place."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens: list[tuple[str, int]] = []
        position = 0
        while position < len(text) and text[position:].strip():
            token = _TOKEN.match(text, position)
            assert token is not None  # every character is in one of the two classes
            self._tokens.append((token[1] or token[2], token.start(1 if token[1] else 2)))
            position = token.end()
        self._next = 0

    def requirements(self) -> Iterable[Requirement]:
        if not self._tokens:
            return
        while True:
            yield self._requirement()
            sign = self._take()
            if sign == "":
                return
            if sign != ",":
                raise self._error(f"unexpected {sign!r}, want ','")
            if self._peek() == "":
                raise self._error("a requirement is missing after ','")

    def _requirement(self) -> Requirement:
        if self._peek() == "!":
            self._take()
            return Requirement(self._word("a label key"), Operator.DOES_NOT_EXIST)
        key = self._word("a label key")
        operator = self._peek()
        if operator in {"", ","}:
            return Requirement(key, Operator.EXISTS)
        self._take()
        if operator in {"in", "notin"}:
            return Requirement(key, Operator(operator), self._value_set())
        known = _COMPARISONS.get(operator)
        if known is None:
            raise self._error(f"unexpected {operator!r} after {key!r}, want one of =, ==, !=, in, notin, <, >", back=1)
        if known in {Operator.GREATER_THAN, Operator.LESS_THAN}:
            return Requirement(key, known, (self._word("a whole number"),))
        return Requirement(key, known, (self._value(),))

    def _value(self) -> str:
        # "key=" asks for the empty value.
        if self._peek() in {"", ","}:
            return ""
        return self._word("a value")

    def _value_set(self) -> tuple[str, ...]:
        if self._take() != "(":
            raise self._error("want '(' and a list of values", back=1)
        values: list[str] = []
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
        return InvalidRequestError(f"label selector {self._text!r}, at character {place + 1}: {problem}")


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
    return int(text) if re.fullmatch(r"[+-]?[0-9]+", text) and -(2**63) <= int(text) < 2**63 else None
