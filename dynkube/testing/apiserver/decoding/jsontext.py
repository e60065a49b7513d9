"""JSON as Go's ``encoding/json`` and ``sigs.k8s.io/json`` read it, with their words for what is wrong.

Nearly every body is read by the codec, which is quick and knows less: it takes the last of two equal
keys without a word, and refuses what Go forgives (bytes that are no UTF-8, halves of surrogate pairs).
`load` finds out whether that matters for a body, and then reads it anew by `parse`, which keeps all that Go
looks at: repeated keys, and how numbers were written.
"""

from __future__ import annotations

import math
import re
from typing import Any, Final, NamedTuple, NoReturn

from dynkube import codec
from dynkube.errors import DecodeError
from dynkube.testing.apiserver.words import govalues
from dynkube.testing.apiserver.words.fielderrors import quoted

__all__ = [
    "MAX_DEPTH",
    "JSONSyntaxError",
    "Loaded",
    "NumberLiteral",
    "RepeatedKeys",
    "StringLiteral",
    "copied",
    "json_number",
    "load",
    "parse",
    "plain",
    "read",
]

MAX_DEPTH: Final = 10_000
"""How deep arrays and objects may nest."""


class JSONSyntaxError(ValueError):
    """It is no JSON; the text is Go's."""


class NumberLiteral(float):
    """A number that is no integer of 64 bits, as it was written: Go's messages quote it, a quantity keeps it."""

    __slots__ = ("text",)

    def __new__(cls, text: str) -> NumberLiteral:
        """The number that is written so."""
        self = super().__new__(cls, text)
        self.text = text
        return self

    text: str


class StringLiteral(str):
    """A string that is not written as Go would write it: the test of a JSON Patch compares what is written."""

    __slots__ = ("text",)
    text: str

    def __new__(cls, value: str, text: str) -> StringLiteral:
        """The string ``value`` that is written as ``text``."""
        self = super().__new__(cls, value)
        self.text = text
        return self


class RepeatedKeys(dict[str, Any]):
    """An object in which a key comes more than once: as a dict the last one counts, ``pairs`` has all."""

    __slots__ = ("pairs",)

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.pairs = pairs


class Loaded(NamedTuple):
    """A value that was read."""

    value: Any
    """Plain data, or as `parse` makes it."""
    is_exact: bool
    """Whether it is as `parse` makes it."""


def load(data: bytes) -> Any:
    """The value: plain data where the codec finds nothing that Go would see otherwise, else as `parse` has it.

    Args:
        data: One JSON value.

    Raises:
        JSONSyntaxError: It is no JSON.
    """
    return read(data).value


def read(data: bytes) -> Loaded:
    """As `load`, and which of the two it is.

    Raises:
        JSONSyntaxError: It is no JSON.
    """
    try:
        value = codec.decode(data)
        is_long = _LONG_NUMBER.search(data) is not None
        if not is_long and b"\\u0022" not in data and data.count(b'"') == codec.encode_plain(value).count(b'"'):
            return Loaded(value, False)  # no string got lost, so no key did
    except (DecodeError, RecursionError, ValueError):
        pass
    return Loaded(parse(data), True)


def copied(value: Any) -> Any:
    """A copy of JSON data, without `StringLiteral`; what it is made of beside dicts and lists is shared."""
    if isinstance(value, dict):
        if isinstance(value, RepeatedKeys):
            return RepeatedKeys([(key, copied(each)) for key, each in value.pairs])
        return {key: copied(each) for key, each in value.items()}
    if isinstance(value, StringLiteral):
        return str(value)
    return [copied(each) for each in value] if isinstance(value, list) else value


def json_number(number: float) -> int | float:
    """A float as whoever reads Go's JSON of it sees it: 1.0 is written 1, and is an integer again.

    >>> json_number(1.0), json_number(1.5), json_number(1e300)
    (1, 1.5, 1e+300)
    """
    return int(number) if number.is_integer() and -(2**63) <= number < 2**63 else float(number)


def plain(value: Any, *, settles: bool = True) -> Any:
    """The value as plain data, without `NumberLiteral` and `RepeatedKeys`; changed in place where it can be.

    Args:
        value: JSON data.
        settles: Whether whole floats become integers, as `json_number` makes them.

    Raises:
        OverflowError: A number is too large for a float; the text is how it is written.
    """
    root = [value]
    waiting: list[Any] = [root]
    while waiting:  # without recursion: what is nested 10,000 deep is no reason to fail
        container = waiting.pop()
        for key, each in container.items() if isinstance(container, dict) else enumerate(container):
            if isinstance(each, (dict, list)):
                replaced = dict(each) if isinstance(each, RepeatedKeys) else each
                if replaced is not each:
                    container[key] = replaced
                waiting.append(replaced)
            elif isinstance(each, (int, float)) and not isinstance(each, bool):
                container[key] = _plain_number(each, settles)
    return root[0]


def _plain_number(number: float, settles: bool) -> int | float:
    if isinstance(number, int):
        return number if -(2**63) <= number < 2**63 else float(number)
    if math.isinf(number):
        raise OverflowError(number.text if isinstance(number, NumberLiteral) else str(number))
    return json_number(number) if settles else float(number)


# --------------------------------------------------------------------------- the parser

_LONG_NUMBER: Final = re.compile(rb"[0-9]{19}")
_SPACE: Final = re.compile(rb"[ \t\r\n]*")
_STRING: Final = re.compile(rb'"[^"\\\x00-\x1f]*+(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*+)*+')
_NUMBER: Final = re.compile(rb"-?(?:0|[1-9][0-9]*)(?:(?P<fraction>\.[0-9]+)?(?P<exponent>[eE][+-]?[0-9]+)?)")
_LITERALS: Final[dict[bytes, tuple[bytes, Any]]] = {
    b"t": (b"true", True),
    b"f": (b"false", False),
    b"n": (b"null", None),
}
_ESCAPE: Final = re.compile(r"\\(?:u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})|u(.{4})|(.))")
_ESCAPED: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_NOT_UTF8: Final = re.compile("[\ud800-\udfff]")
_REPLACEMENT = "\ufffd"
_INT_DIGITS: Final = 18


def parse(data: bytes, *, exact_strings: bool = False) -> Any:
    r"""The value, with `NumberLiteral` and `RepeatedKeys` in it, and if told so with `StringLiteral`.

    Raises:
        JSONSyntaxError: It is no JSON.

    >>> parse(b'{"a": [1, 2.50], "a": "\\ud800"}').pairs
    [('a', [1, 2.5]), ('a', '\ufffd')]
    """
    return _Parser(data, exact_strings=exact_strings).parse()


class _Frame:
    """An array or object that is being read."""

    __slots__ = ("items", "key", "pairs")

    def __init__(self, *, is_object: bool) -> None:
        self.items: list[Any] = []
        self.pairs: list[tuple[str, Any]] | None = [] if is_object else None
        self.key = ""

    def add(self, value: Any) -> None:
        if self.pairs is None:
            self.items.append(value)
        else:
            self.pairs.append((self.key, value))

    def value(self) -> Any:
        if self.pairs is None:
            return self.items
        plain_dict = dict(self.pairs)
        return plain_dict if len(plain_dict) == len(self.pairs) else RepeatedKeys(self.pairs)


class _Parser:
    """Go's scanner, in strides: without recursion, one regular expression for each token.

    The end of the input counts as a blank after it, which is how Go finds that a literal is incomplete.
    """

    def __init__(self, data: bytes, *, exact_strings: bool) -> None:
        self._exact_strings = exact_strings
        self._data = data + b" "
        self._end = len(data)
        self._at = 0

    def parse(self) -> Any:
        stack: list[_Frame] = []
        while True:
            frame = self._open() if self._begins_container() else None
            if frame is not None:
                stack.append(frame)
                if len(stack) > MAX_DEPTH:
                    self._fail("exceeded max depth", self._at - 1)
                if not self._closes(frame):
                    self._read_key(frame)
                    continue
                value = stack.pop().value()
            else:
                value = self._scalar()
            # A value is complete, and maybe those that it ends.
            while stack:
                stack[-1].add(value)
                if not self._ends(stack[-1]):
                    break
                value = stack.pop().value()
            else:
                self._skip_space()
                if self._at < self._end:
                    self._fail("after top-level value")
                return value

    def _begins_container(self) -> bool:
        self._skip_space()
        return self._data[self._at] in b"{["

    def _open(self) -> _Frame:
        is_object = self._data[self._at] == ord("{")
        self._at += 1
        return _Frame(is_object=is_object)

    def _closes(self, frame: _Frame) -> bool:
        """Whether the container that has just begun is empty."""
        self._skip_space()
        if self._data[self._at] != ord("]" if frame.pairs is None else "}"):
            return False
        self._at += 1
        return True

    def _ends(self, frame: _Frame) -> bool:
        """Step over what follows an item: False for a comma (and the next key), True for the end of the container."""
        self._skip_space()
        byte = self._data[self._at]
        if byte == ord(","):
            self._at += 1
            self._read_key(frame)
            return False
        if byte != ord("]" if frame.pairs is None else "}"):
            self._fail("after array element" if frame.pairs is None else "after object key:value pair")
        self._at += 1
        return True

    def _read_key(self, frame: _Frame) -> None:
        if frame.pairs is None:
            return
        self._skip_space()
        if self._data[self._at] != ord('"'):
            self._fail("looking for beginning of object key string")
        frame.key = self._string()
        self._skip_space()
        if self._data[self._at] != ord(":"):
            self._fail("after object key")
        self._at += 1

    def _skip_space(self) -> None:
        if self._data[self._at] <= 0x20:
            found = _SPACE.match(self._data, self._at)
            self._at = found.end() if found else self._at
            self._at = min(self._at, self._end)  # not behind the blank that ends the data

    def _fail(self, context: str, at: int | None = None) -> NoReturn:
        at = self._at if at is None else at
        if at >= self._end and context not in _INSIDE_LITERAL:
            raise JSONSyntaxError("unexpected end of JSON input")
        raise JSONSyntaxError(f"invalid character {_shown(self._data[at])} {context}")

    # ------------------------------------------------------------- scalars

    def _scalar(self) -> Any:
        byte = self._data[self._at : self._at + 1]
        if byte == b'"':
            start, value = self._at, self._string()
            return _string_literal(value, self._data[start : self._at]) if self._exact_strings else value
        if byte in _LITERALS:
            return self._literal(*_LITERALS[byte])
        if byte == b"-" or byte.isdigit():
            return self._number()
        return self._fail("looking for beginning of value")

    def _literal(self, word: bytes, value: Any) -> Any:
        for number, expected in enumerate(word):
            if self._data[self._at + number] != expected:
                context = f"in literal {word.decode()} (expecting '{chr(expected)}')"
                self._fail_in_literal(context, self._at + number)
        self._at += len(word)
        return value

    def _number(self) -> int | float:
        found = _NUMBER.match(self._data, self._at)
        if found is None:
            self._fail_in_literal("in numeric literal", self._at + 1)
        start, self._at = self._at, found.end()
        byte = self._data[self._at]
        if byte == ord(".") and found["fraction"] is None and found["exponent"] is None:
            self._fail_in_literal("after decimal point in numeric literal", self._at + 1)
        if byte in b"eE" and found["exponent"] is None:
            sign = self._data[self._at + 1] in b"+-"
            self._fail_in_literal("in exponent of numeric literal", self._at + 1 + sign)
        text = self._data[start : self._at].decode()
        is_integer = found["fraction"] is None and found["exponent"] is None
        return int(text) if is_integer and len(text) <= _INT_DIGITS else _long_number(text, is_integer)

    def _string(self) -> str:
        found = _STRING.match(self._data, self._at, self._end)
        end = found.end() if found else self._at
        byte = self._data[end]
        if byte == ord('"') and end < self._end:
            raw = self._data[self._at + 1 : end]
            self._at = end + 1
            return _unescaped(raw)
        if byte == ord("\\"):
            self._fail_in_escape(end + 1)
        if end >= self._end:
            raise JSONSyntaxError("unexpected end of JSON input")
        return self._fail_in_literal("in string literal", end)

    def _fail_in_escape(self, at: int) -> NoReturn:
        """``at`` is what follows the backslash."""
        if self._data[at] != ord("u"):
            self._fail_in_literal("in string escape code", at)
        at += 1
        while at < self._end and self._data[at] in b"0123456789abcdefABCDEF":
            at += 1
        self._fail_in_literal("in \\u hexadecimal character escape", at)

    def _fail_in_literal(self, context: str, at: int) -> NoReturn:
        """Here the blank that ends the data is what is wrong."""
        raise JSONSyntaxError(f"invalid character {_shown(self._data[min(at, self._end)])} {context}")


_INSIDE_LITERAL: Final = frozenset({"exceeded max depth"})


def _long_number(text: str, is_integer: bool) -> int | float:
    if is_integer and len(text) <= _INT_DIGITS + 2 and -(2**63) <= int(text) < 2**63:
        return int(text)
    return NumberLiteral(text)


def _string_literal(value: str, raw: bytes) -> str:
    text = raw.decode("utf-8", "surrogateescape")
    return value if text == govalues.json_text(value) else StringLiteral(value, text)


def _unescaped(raw: bytes) -> str:
    text = raw.decode("utf-8", "surrogateescape")
    if b"\\" in raw:
        text = _ESCAPE.sub(_unescape, text)
    return _NOT_UTF8.sub(_REPLACEMENT, text) if not text.isascii() else text


def _unescape(found: re.Match[str]) -> str:
    high, low, code, character = found.groups()
    if high:
        return chr(0x10000 + ((int(high, 16) & 0x3FF) << 10) + (int(low, 16) & 0x3FF))
    if code:
        return chr(int(code, 16))  # half of a pair is replaced with what is no UTF-8
    return _ESCAPED.get(character, character)


def _shown(byte: int) -> str:
    """A byte as Go quotes it (quoteChar): as if it were a character of Latin-1."""
    if byte == ord('"'):
        return "'\"'"
    return "'\\''" if byte == ord("'") else f"'{quoted(chr(byte))[1:-1]}'"
