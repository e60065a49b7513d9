"""JSONPath as Kubernetes writes it, without ``range``: what printer columns and selectable fields say.

``k8s.io/client-go/util/jsonpath``: parser.go, jsonpath.go. A path is parsed once and asked of many objects.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from dynkube.testing.apiserver.words.govalues import json_text, plain

__all__ = ["JSONPath", "parse", "printed"]

_Step: TypeAlias = "Callable[[list[Any]], list[Any]]"

_DICT_KEY = re.compile(r"'([^']*)'")
_SLICE = re.compile(r"(-?\d*)(:-?\d*)?(:-?\d*)?", re.ASCII)
_FILTER = re.compile(r"([^!<>=]+)([!<>=]+)(.+?)", re.DOTALL)
_NUMBER = re.compile(r"[+-]?[\d.]*", re.ASCII)
_WORD = re.compile(r"[^ \t\r\n.,\[\]$@{}]*")
_FIELD = re.compile(r"(\\.|[^ \t\r\n.,\[\]$@{}\\])*", re.DOTALL)
_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


@dataclass(frozen=True, slots=True)
class JSONPath:
    """A path of one expression: ``.spec.containers[0].name``."""

    steps: tuple[_Step, ...]

    def find(self, obj: Any) -> list[Any]:
        """What is at the path; nothing where a part of it is absent.

        Raises:
            ValueError: A part is of a type that has no such parts, or an index is out of bounds.
        """
        found = [obj]
        for step in self.steps:
            found = step(found)
        return found


def parse(path: str) -> JSONPath:
    """The path of a printer column or a selectable field, which stands without braces.

    Raises:
        ValueError: It is none.
    """
    return JSONPath(tuple(_Parser(path).steps()))


def printed(value: Any) -> str:
    """A value that was found as text: objects and lists as JSON, the rest as Go's ``fmt.Fprint``."""
    return json_text(value) if isinstance(value, (dict, list)) else "<no value>" if value is None else plain(value)


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def steps(self) -> Iterator[_Step]:
        while self._at < len(self._text):
            step = self._next()
            if step is not None:
                yield step

    def _next(self) -> _Step | None:
        rest = self._text[self._at :]
        for start, step in (("[?(", self._filter), ("..", self._recursive), ("[", self._array)):
            if rest.startswith(start):
                return step()
        character = rest[0]
        if character in " @$.":
            self._at += 1
            return self._field() if character == "." else None
        return self._constant(character)

    def _constant(self, character: str) -> _Step:
        if character in "\"'":
            return _constant(self._quoted(character))
        if character in "+-" or character.isdigit():
            return _constant(self._number())
        if character == "_" or character.isalnum():
            return self._word()
        raise ValueError(f"unrecognized character in action: U+{ord(character):04X} '{character}'")

    def _take(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._at)
        assert found is not None  # each of the patterns matches nothing, too
        self._at = found.end()
        return found.group()

    def _field(self) -> _Step:
        name = self._take(_FIELD)
        return _wildcard if name == "*" else _named(name.replace("\\", ""))

    def _recursive(self) -> _Step:
        self._at += 2
        follows = self._text[self._at : self._at + 1]
        if not follows or not (follows == "_" or follows.isalnum()):
            return _recursive
        below = self._field()
        return lambda found: below(_recursive(found))

    def _word(self) -> _Step:
        word = self._take(_WORD)
        if word in ("true", "false"):
            return _constant(word == "true")
        raise ValueError(f"unrecognized identifier {word}")

    def _number(self) -> float:
        text = self._take(_NUMBER)
        try:
            return float(text) if "." in text else int(text)
        except ValueError:
            raise ValueError(f"cannot parse number {text}") from None

    def _quoted(self, quote: str) -> str:
        end = self._at + 1
        while end < len(self._text) and not (self._text[end] == quote and self._text[end - 1] != "\\"):
            end += 1
        if end >= len(self._text):
            raise ValueError("unterminated quoted string")
        text = self._text[self._at + 1 : end]
        self._at = end + 1
        return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), text)

    def _array(self) -> _Step:
        end = self._text.find("]", self._at)
        if end < 0:
            raise ValueError("unterminated array")
        text = self._text[self._at + 1 : end]
        self._at = end + 1
        parts = text.split(",")
        if len(parts) > 1:
            unions = [parse(f"[{part.strip(' ')}]") for part in parts]
            return lambda found: [value for union in unions for value in _through(union, found)]
        key = _DICT_KEY.fullmatch(text)
        if key:
            below = parse(f".{key[1]}")
            return lambda found: _through(below, found)
        return _slice(":" if text == "*" else text)

    def _filter(self) -> _Step:
        start = self._at + 3
        self._at = self._end_of_filter(start)
        text = self._text[start : self._at]
        if self._text[self._at : self._at + 2] != ")]":
            raise ValueError("unclosed array expect ]")
        self._at += 2
        compared = _FILTER.fullmatch(text)
        if compared is None:
            wanted = parse(text)
            return _filtered(lambda item: bool(_quietly(wanted, item)))
        left, operator, right = parse(compared[1]), compared[2], parse(compared[3])
        if operator not in _OPERATORS:
            raise ValueError(f"unrecognized filter operator {operator}")
        return _filtered(lambda item: _holds(left.find(item), operator, right.find(item)))

    def _end_of_filter(self, at: int) -> int:
        """The parenthesis that ends a filter; one inside of quotes does not."""
        quote, is_closed = "", False
        while at < len(self._text):
            character = self._text[at]
            if character in "\"'":
                if not quote:
                    quote = character
                elif character == quote and self._text[at - 1] != "\\":
                    is_closed = True
            elif character == ")" and bool(quote) == is_closed:
                return at
            at += 1
        raise ValueError("unterminated filter")


# ------------------------------------------------------------------ steps


def _through(path: JSONPath, found: list[Any]) -> list[Any]:
    for step in path.steps:
        found = step(found)
    return found


def _constant(value: Any) -> _Step:
    return lambda found: [value] * len(found)


def _named(name: str) -> _Step:
    return lambda found: [value[name] for value in found if isinstance(value, dict) and name in value]


def _wildcard(found: list[Any]) -> list[Any]:
    return [each for value in found for each in _parts(value)]


def _parts(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []


def _recursive(found: list[Any]) -> list[Any]:
    results = []
    for value in found:
        parts = _parts(value)
        if parts:
            results += [value, *_recursive(parts)]
    return results


def _slice(text: str) -> _Step:
    found = _SLICE.fullmatch(text)
    if found is None:
        raise ValueError(f"invalid array index {text}")
    start, stop, step = found[1], found[2], found[3]
    first = int(start) if start not in ("", "-") else 0
    last = first + 1 if stop is None else int(stop[1:]) if stop != ":" else None
    width = int(step[1:]) if step and step != ":" else 1
    is_one = stop is None

    def items(values: list[Any]) -> list[Any]:
        return [each for value in values if value is not None for each in _cut(value, first, last, width, is_one)]

    return items


def _cut(value: Any, first: int, last: int | None, width: int, is_one: bool) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError(f"{value!r} is not array or slice")  # noqa: TRY004 - all that finds nothing is one error
    size = len(value)
    start = first + size if first < 0 else first
    stop = size if last is None else last
    if stop < 0 or (stop == 0 and is_one):
        stop += size
    if start == stop:
        return []
    if not 0 <= start < size:
        raise ValueError(f"array index out of bounds: index {start}, length {size}")
    if not 0 <= stop <= size:
        raise ValueError(f"array index out of bounds: index {stop - 1}, length {size}")
    if start > stop:
        raise ValueError(f"starting index {start} is greater than ending index {stop}")
    if width <= 0:
        raise ValueError("step must be > 0")
    return value[start:stop:width]


def _filtered(holds: Callable[[Any], bool]) -> _Step:
    def items(values: list[Any]) -> list[Any]:
        results = []
        for value in values:
            if not isinstance(value, list):
                raise ValueError(f"{value!r} is not array or slice and cannot be filtered")  # noqa: TRY004
            results += [item for item in value if holds(item)]
        return results

    return items


def _quietly(path: JSONPath, item: Any) -> list[Any]:
    try:
        return path.find(item)
    except ValueError:
        return []


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda left, right: bool(left < right),
    ">": lambda left, right: bool(left > right),
    "<=": lambda left, right: bool(left <= right),
    ">=": lambda left, right: bool(left >= right),
    "==": lambda left, right: bool(left == right),
    "!=": lambda left, right: bool(left != right),
}


def _holds(left: list[Any], operator: str, right: list[Any]) -> bool:
    if not left or not right:
        return False
    if len(left) > 1 or len(right) > 1:
        raise ValueError("can only compare one element at a time")
    one, other = left[0], right[0]
    for value in (one, other):
        if value is None or isinstance(value, (dict, list)):
            raise ValueError("invalid type for comparison")
    if type(one) is not type(other):
        raise ValueError("incompatible types for comparison")
    if isinstance(one, bool) and operator not in ("==", "!="):
        raise ValueError("invalid type for comparison")
    return _OPERATORS[operator](one, other)
