"""What Go's types make of JSON values: a node for each type, made of the recorded table by `gotypes`.

A node works in two ways, as the server does. `Node.decode` is ``sigs.k8s.io/json``, for bodies: it goes on
after a wrong type, reports the first, and takes fields as they come. `Node.convert` is
``runtime.DefaultUnstructuredConverter``, for the outcome of a strategic merge: it stops at what is wrong,
says so in words of its own, and takes fields in the order of the struct. Both change containers in place and
return what the value is when the type is written as JSON again: numbers in range, canonical times and
quantities, zero values gone that ``omitempty`` leaves out, and there that it does not.
"""

from __future__ import annotations

import copy
import math
from binascii import b2a_base64
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any, Final, NoReturn

from dynkube.testing.apiserver.decoding.jsontext import NumberLiteral, RepeatedKeys, json_number, plain
from dynkube.testing.apiserver.decoding.problems import DecodingError, Problems
from dynkube.testing.apiserver.decoding.scalars import canonical_base64

__all__ = [
    "NIL",
    "Anything",
    "Boolean",
    "Bytes",
    "Field",
    "Floating",
    "Integer",
    "Mapped",
    "Node",
    "Pointer",
    "Slice",
    "State",
    "String",
    "Struct",
    "json_word",
    "literal",
    "unstructured_kind",
]

NIL: Final = object()
"""A nil pointer; written null where it is not left out."""

_INT64: Final = 2**63
_KINDS: Final[Mapping[type, str]] = {
    str: "string",
    bool: "bool",
    int: "int64",
    float: "float64",
    NumberLiteral: "float64",
    list: "slice",
    dict: "map",
    RepeatedKeys: "map",
}
_WORDS: Final[Mapping[type, str]] = {str: "string", bool: "bool", list: "array", dict: "object", RepeatedKeys: "object"}


def json_word(value: Any) -> str:
    """What ``encoding/json`` calls a value of a wrong type."""
    return _WORDS.get(type(value), "number")


def literal(value: float) -> str:
    """A number as it was written, as far as that is known."""
    if isinstance(value, NumberLiteral):
        return value.text
    return str(value)


def unstructured_kind(value: Any) -> str:
    """The kind of a value in the server's own maps, as reflect names it."""
    return _KINDS[type(value)]


class State:
    """Where a decoder is, and what it has found wrong so far."""

    __slots__ = ("mismatch", "path", "prefix", "problems", "quiet", "unmatched")

    def __init__(self, prefix: str = "") -> None:
        self.path: list[Field | int | str] = []
        """Fields, indexes of slices and keys of maps, down to the value at hand."""
        self.prefix = prefix
        """What the paths of problems begin with: where the root is in a larger object."""
        self.problems = Problems()
        self.mismatch = ""
        """The first wrong type; nothing that comes later matters but what ends the decoding at once."""
        self.unmatched: list[str] = []
        """What a converted map had too much, in the converter's words."""
        self.quiet = 0
        """Above 0 inside types that decode themselves: those complain of no field."""

    def unknown(self, key: str) -> None:
        """The struct at hand has no such field."""
        if not self.quiet:
            self.problems.unknown(self._path_of(key))

    def duplicate(self, key: str) -> None:
        """The struct or map at hand had this key before."""
        if not self.quiet:
            self.problems.duplicate(self._path_of(key))

    def no_match(self, key: str) -> None:
        """The struct at hand has no such field, for the converter, which escapes nothing."""
        self.unmatched.append(f'unknown field "{self._path_of(key)}"')

    def wrong_type(self, word: str, type_name: str) -> None:
        """A value of a type that Go calls ``word`` stands where another one is wanted."""
        if not self.mismatch:
            self.mismatch = f"json: cannot unmarshal {word} into Go {self._place()} of type {type_name}"

    def fail_wrong_type(self, word: str, type_name: str) -> NoReturn:
        """As `wrong_type`, from a type that decodes itself."""
        raise DecodingError(f"json: cannot unmarshal {word} into Go {self._place()} of type {type_name}")

    def _path_of(self, key: str) -> str:
        parts = [self.prefix] if self.prefix else []
        for each in self.path:
            if isinstance(each, int):
                parts.append(f"[{each}]")
            else:
                parts.append(f".{each.name if isinstance(each, Field) else each}")
        parts.append(f".{key}")
        return "".join(parts).removeprefix(".")

    def _place(self) -> str:
        fields = [each for each in self.path if isinstance(each, Field)]
        if not fields:
            return "value"
        names = [name for each in fields for name in (*each.embedded, each.name)]
        return f"struct field {fields[-1].owner}.{'.'.join(names)}"


class Node:
    """A type.

    Attributes:
        name: As Go prints it, such as ``v1.PodSpec``.
    """

    kind: str = ""
    """As reflect calls what it is made of."""
    is_empty_when_falsy: bool = True
    """Whether ``omitempty`` leaves out what is false in Python; structs and pointers it does not."""
    simple: type | None = None
    """The type of the JSON values that are fine as they are, unless false; None where there is more to it."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"

    def zero(self) -> Any:
        """The zero value, as JSON."""
        raise NotImplementedError

    def decode(self, value: Any, state: State) -> Any:
        """What ``encoding/json`` makes of it."""
        raise NotImplementedError

    def convert(self, value: Any, state: State) -> Any:
        """What the converter from maps makes of it."""
        raise NotImplementedError

    def ordered(self, value: Any) -> Any:
        """A decoded value in the order in which Go writes it."""
        return value

    def mismatched(self, value: Any, state: State) -> Any:
        """Decode what is no value of this type: null means nothing, and the rest is wrong."""
        if value is not None:
            state.wrong_type(json_word(value), self.name)
        return self.zero()

    def over(self, first: Any, second: Any) -> Any:
        """What the JSON of a field amounts to that came twice: Go decodes the second into what is there already."""
        return first if second is None else second

    def refuse(self, value: Any) -> NoReturn:
        """Convert what is no value of this type, nor null."""
        # Go could make a character of an integer, and an integer of any float; JSON cannot.
        is_convertible = (
            self.kind == "string" if type(value) is int else "int" in self.kind and isinstance(value, float)
        )
        if is_convertible:
            raise DecodingError(f"cannot convert {_KINDS[type(value)]} to {self.name}")
        raise DecodingError(f"unrecognized type: {self.kind}")


# --------------------------------------------------------------------------- scalars


class String(Node):
    """Any string type."""

    kind = "string"
    simple: type | None = str

    def zero(self) -> str:
        return ""

    def decode(self, value: Any, state: State) -> Any:
        return value if type(value) is str else self.mismatched(value, state)

    def convert(self, value: Any, state: State) -> Any:  # noqa: ARG002 - the signature of all
        return value if type(value) is str else "" if value is None else self.refuse(value)


class Boolean(Node):
    """Any bool type."""

    kind = "bool"
    simple: type | None = bool

    def zero(self) -> bool:
        return False

    def decode(self, value: Any, state: State) -> Any:
        return value if type(value) is bool else self.mismatched(value, state)

    def convert(self, value: Any, state: State) -> Any:  # noqa: ARG002 - the signature of all
        return value if type(value) is bool else value is not None and self.refuse(value)


class Integer(Node):
    """A signed type of so many bits, or uint8."""

    def __init__(self, name: str, kind: str) -> None:
        super().__init__(name)
        self.kind = kind
        self._bits = int(kind.removeprefix("u").removeprefix("int"))
        signed = not kind.startswith("u")
        self._lowest = -(2 ** (self._bits - 1)) if signed else 0
        self._highest = 2 ** (self._bits - signed) - 1

    def zero(self) -> int:
        return 0

    def decode(self, value: Any, state: State) -> Any:
        if type(value) is int and self._lowest <= value <= self._highest:
            return value
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            state.wrong_type(f"number {literal(value)}", self.name)
            return 0
        return self.mismatched(value, state)

    def convert(self, value: Any, state: State) -> Any:  # noqa: ARG002 - the signature of all
        if isinstance(value, float) and value.is_integer():
            value = int(value) if -_INT64 <= value < _INT64 else -_INT64  # what the processor makes of it
        if type(value) is int:
            return (value - self._lowest) % 2**self._bits + self._lowest  # what is too large wraps around
        return 0 if value is None else self.refuse(value)


class Floating(Node):
    """float64."""

    kind = "float64"

    def zero(self) -> int:
        return 0

    def decode(self, value: Any, state: State) -> Any:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            if abs(value) != float("inf"):
                return json_number(float(value))
            state.wrong_type(f"number {literal(value)}", self.name)
            return 0
        return self.mismatched(value, state)

    def convert(self, value: Any, state: State) -> Any:  # noqa: ARG002 - the signature of all
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return json_number(float(value))
        return 0 if value is None else self.refuse(value)


class Bytes(Node):
    """[]byte: base64 in JSON, or a list of numbers."""

    kind = "slice"

    def __init__(self, name: str, item: Node) -> None:
        super().__init__(name)
        self._items = Slice(name, item)

    def zero(self) -> None:
        return None

    def decode(self, value: Any, state: State) -> Any:
        if isinstance(value, str):
            try:
                return canonical_base64(value)
            except ValueError as error:
                state.mismatch = state.mismatch or str(error)
                return None
        return self._from_list(self._items.decode(value, state))

    def convert(self, value: Any, state: State) -> Any:
        if isinstance(value, str):
            try:
                return canonical_base64(value)
            except ValueError as error:
                raise DecodingError(f"error decoding from json: {error}") from None
        return self._from_list(self._items.convert(value, state))

    @staticmethod
    def _from_list(numbers: list[int] | None) -> str | None:
        return None if numbers is None else b2a_base64(bytes(numbers), newline=False).decode()


class Anything(Node):
    """interface{}: JSON data, whose numbers have to be such."""

    kind = "interface"

    def __init__(self) -> None:
        super().__init__("interface {}")

    def zero(self) -> None:
        return None

    def decode(self, value: Any, state: State) -> Any:
        if isinstance(value, RepeatedKeys):
            seen: set[str] = set()
            for key, each in value.pairs:
                if key in seen:
                    state.duplicate(key)
                seen.add(key)
                self._member(key, each, state)
        elif isinstance(value, dict):
            for key, each in value.items():
                self._member(key, each, state)
        elif isinstance(value, list):
            for index, each in enumerate(value):
                self._member(index, each, state)
        elif isinstance(value, NumberLiteral) and math.isinf(value):
            state.wrong_type(f"number {value.text}", "float64")
        return value

    def _member(self, step: int | str, value: Any, state: State) -> None:
        state.path.append(step)
        self.decode(value, state)
        state.path.pop()

    def convert(self, value: Any, state: State) -> Any:  # noqa: ARG002 - the signature of all
        return value


# --------------------------------------------------------------------------- containers


class Pointer(Node):
    """A pointer: null is nil, which is not the zero value of what it points to."""

    kind = "ptr"
    is_empty_when_falsy = False

    def __init__(self, item: Node) -> None:
        super().__init__(f"*{item.name}")
        self.item = item
        self.simple = item.simple

    def zero(self) -> None:
        return None

    def over(self, first: Any, second: Any) -> Any:
        return second if first is None or second is None else self.item.over(first, second)

    def decode(self, value: Any, state: State) -> Any:
        return NIL if value is None else self.item.decode(value, state)

    def convert(self, value: Any, state: State) -> Any:
        return NIL if value is None else self.item.convert(value, state)

    def ordered(self, value: Any) -> Any:
        return self.item.ordered(value)


class Slice(Node):
    """A slice."""

    kind = "slice"

    def __init__(self, name: str, item: Node) -> None:
        super().__init__(name)
        self.item = item

    def zero(self) -> None:
        return None

    def over(self, first: Any, second: Any) -> Any:
        if not isinstance(first, list) or not isinstance(second, list):
            return second
        return [self.item.over(old, new) for old, new in zip(first, second, strict=False)] + second[len(first) :]

    def decode(self, value: Any, state: State) -> Any:
        if type(value) is not list:
            return self.mismatched(value, state)
        return self._each(value, state, self.item.decode)

    def convert(self, value: Any, state: State) -> Any:
        if type(value) is not list:
            if value is None:
                return None
            raise DecodingError(f"cannot restore slice from {_KINDS[type(value)]}")
        return self._each(value, state, self.item.convert)

    def ordered(self, value: Any) -> Any:
        return [self.item.ordered(each) for each in value] if isinstance(value, list) else value

    def _each(self, value: list[Any], state: State, change: Callable[[Any, State], Any]) -> list[Any]:
        simple = self.item.simple
        path = state.path
        for index, item in enumerate(value):
            if type(item) is not simple:
                path.append(index)
                new = change(item, state)
                path.pop()
                if new is not item:
                    value[index] = None if new is NIL else new
        return value


class Mapped(Node):
    """A map; its keys are strings of some type."""

    kind = "map"

    def __init__(self, name: str, item: Node) -> None:
        super().__init__(name)
        self.item = item

    def zero(self) -> None:
        return None

    def over(self, first: Any, second: Any) -> Any:
        return {**first, **second} if isinstance(first, dict) and isinstance(second, dict) else second

    def decode(self, value: Any, state: State) -> Any:
        if type(value) is not dict:
            if type(value) is not RepeatedKeys:
                return self.mismatched(value, state)
            value = self._decode_repeated(value, state)
        return self._each(value, state, self.item.decode)

    def convert(self, value: Any, state: State) -> Any:
        if not isinstance(value, dict):
            if value is None:
                return None
            raise DecodingError(f"cannot restore map from {_KINDS[type(value)]}")
        return self._each(value, state, self.item.convert)

    def ordered(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {key: self.item.ordered(value[key]) for key in sorted(value)}

    def _each(self, value: dict[str, Any], state: State, change: Callable[[Any, State], Any]) -> dict[str, Any]:
        simple = self.item.simple
        path = state.path
        for key, item in value.items():
            if type(item) is not simple:
                path.append(key)
                new = change(item, state)
                path.pop()
                if new is not item:
                    value[key] = None if new is NIL else new
        return value

    def _decode_repeated(self, value: RepeatedKeys, state: State) -> dict[str, Any]:
        seen: set[str] = set()
        for key, item in value.pairs:
            if key in seen:
                state.duplicate(key)
            seen.add(key)
            state.path.append(key)
            self.item.decode(copy.deepcopy(item), state)
            state.path.pop()
        return dict(value)


class Field:
    """A field of a struct."""

    __slots__ = (
        "drops_falsy",
        "embedded",
        "merge_key",
        "name",
        "node",
        "omits_nil",
        "omits_zero",
        "owner",
        "strategies",
    )

    def __init__(self, name: str, node: Node, *, owner: str, options: Mapping[str, str]) -> None:
        self.name = name
        self.node = node
        self.owner = owner
        """The struct, as Go's messages name it: without the package."""
        self.embedded = tuple(filter(None, options.get("in", "").split(".")))
        """The embedded structs on the way to the field, by their Go names."""
        self.strategies = tuple(options.get("patch", "").split(","))
        """Of a strategic merge: ``merge``, ``replace``, ``retainKeys``."""
        self.merge_key = options.get("key", "")
        """What tells the items of a merged list apart; "" for scalars."""
        self.drops_falsy = "omitempty" in options and node.is_empty_when_falsy
        self.omits_nil = "omitempty" in options
        self.omits_zero = "omitzero" in options

    def is_left_out(self, value: Any) -> bool:
        """Whether the field is not written when this is its value."""
        if value is NIL:
            return self.omits_nil
        if self.drops_falsy:
            return not value
        return self.omits_zero and value is None


class Struct(Node):
    """A struct."""

    kind = "struct"
    is_empty_when_falsy = False

    def __init__(self, name: str, load: Callable[[], list[Field]]) -> None:
        super().__init__(name)
        self._load = load

    @cached_property
    def fields(self) -> Mapping[str, Field]:
        """By their names in JSON, in the order of the struct."""
        return {each.name: each for each in self._load()}

    @cached_property
    def _simple(self) -> Mapping[str, type]:
        return {name: each.node.simple for name, each in self.fields.items() if each.node.simple is not None}

    @cached_property
    def _always_written(self) -> tuple[Field, ...]:
        return tuple(
            each
            for each in self.fields.values()
            if not (each.drops_falsy or each.omits_zero or (each.omits_nil and each.node.kind == "ptr"))
        )

    def zero(self) -> dict[str, Any]:
        return {each.name: each.node.zero() for each in self._always_written}

    def over(self, first: Any, second: Any) -> Any:
        if not isinstance(first, dict) or not isinstance(second, dict):
            return first if second is None else second
        return self._merged([*_pairs_of(first), *_pairs_of(second)])

    def decode(self, value: Any, state: State) -> Any:
        if type(value) is not dict:
            if type(value) is not RepeatedKeys:
                return self.mismatched(value, state)
            value = self._decode_repeated(value, state)
        simple, fields, path = self._simple, self.fields, state.path
        gone = []
        for key, item in value.items():
            if item and simple.get(key) is type(item):
                continue
            field = fields.get(key)
            if field is None:
                state.unknown(key)
                gone.append(key)
                continue
            path.append(field)
            new = field.node.decode(item, state)
            path.pop()
            if field.is_left_out(new):
                gone.append(key)
            elif new is not item:
                value[key] = None if new is NIL else new
        return self._completed(value, gone)

    def convert(self, value: Any, state: State) -> Any:
        if not isinstance(value, dict):
            if value is None:
                return self.zero()
            raise DecodingError(f"cannot restore struct from: {_KINDS[type(value)]}")
        gone = [key for key in value if key not in self.fields]
        for key in gone:
            state.no_match(key)
        for key, field in self.fields.items():
            if key in value:
                item = value[key]
                state.path.append(field)
                new = field.node.convert(item, state)
                state.path.pop()
                if field.is_left_out(new):
                    gone.append(key)
                elif new is not item:
                    value[key] = None if new is NIL else new
        return self._completed(value, gone)

    def ordered(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {key: field.node.ordered(value[key]) for key, field in self.fields.items() if key in value}

    def _completed(self, value: dict[str, Any], gone: list[str]) -> dict[str, Any]:
        for key in gone:
            del value[key]
        for field in self._always_written:
            if field.name not in value:
                value[field.name] = field.node.zero()
        return value

    def _decode_repeated(self, value: RepeatedKeys, state: State) -> dict[str, Any]:
        """Complain of what comes twice, field by field, and put it together."""
        seen: set[str] = set()
        for key, item in value.pairs:
            field = self.fields.get(key)
            if field is None:
                state.unknown(key)
                continue
            if key in seen:
                state.duplicate(key)
            seen.add(key)
            state.path.append(field)
            field.node.decode(copy.deepcopy(item), state)
            state.path.pop()
        return self._merged(value.pairs)

    def _merged(self, pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        for key, item in pairs:
            field = self.fields.get(key)
            if field is not None:
                merged[key] = field.node.over(merged[key], item) if key in merged else item
        return merged


def _pairs_of(value: dict[str, Any]) -> Iterable[tuple[str, Any]]:
    return value.pairs if isinstance(value, RepeatedKeys) else value.items()


def kept(value: Any) -> Any:
    """A value that its type keeps as it came, as plain data."""
    return plain(value) if isinstance(value, (dict, list)) else value
