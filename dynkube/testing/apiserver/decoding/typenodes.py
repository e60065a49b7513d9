"""What Go's types make of JSON values: a node for each type (`scalarnodes`, `containernodes`, `selfdecoding`).

A node works in two ways, as the server does. `Node.decode` is ``sigs.k8s.io/json``, for bodies: it goes on
after a wrong type, reports the first, and takes fields as they come. `Node.convert` is
``runtime.DefaultUnstructuredConverter``, for the outcome of a strategic merge: it stops at what is wrong,
says so in words of its own, and takes fields in the order of the struct. Both change containers in place and
return what the value is when the type is written as JSON again: numbers in range, canonical times and
quantities, zero values gone that ``omitempty`` leaves out, and there that it does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NoReturn

from dynkube.testing.apiserver.decoding.empties import Empty
from dynkube.testing.apiserver.decoding.jsontext import NumberLiteral, RepeatedKeys, plain
from dynkube.testing.apiserver.decoding.problems import DecodingError, Problems

__all__ = ["NIL", "Field", "Node", "State", "json_word", "kept", "literal", "unstructured_kind"]

NIL: Final = object()
"""A nil pointer; written null where it is not left out."""

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

    __slots__ = ("empties", "mismatch", "path", "prefix", "problems", "quiet", "unmatched")

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
        self.empties: list[Empty] = []
        """What was there and empty, and is left out for it."""

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

    def left_out(self, key: str, value: Any) -> None:
        """The struct at hand has a field that is not written, for its value."""
        if type(value) in (list, dict):
            steps = tuple(each.name if isinstance(each, Field) else each for each in self.path)
            self.empties.append(Empty((*steps, key), value))

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


def kept(value: Any) -> Any:
    """A value that its type keeps as it came, as plain data."""
    return plain(value) if isinstance(value, (dict, list)) else value
