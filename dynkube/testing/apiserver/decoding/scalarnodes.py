"""Nodes of Go's basic types, and of interface{}."""

from __future__ import annotations

import math
from typing import Any, Final

from dynkube.testing.apiserver.decoding.jsontext import NumberLiteral, RepeatedKeys, json_number
from dynkube.testing.apiserver.decoding.typenodes import Node, State, literal

__all__ = ["Anything", "Boolean", "Floating", "Integer", "String"]

_INT64: Final = 2**63


class String(Node):
    """Any string type."""

    kind = "string"
    simple: type | None = str

    def zero(self) -> str:
        """See `Node`."""
        return ""

    def decode(self, value: Any, state: State) -> Any:
        """See `Node`."""
        return value if type(value) is str else self.mismatched(value, state)

    def convert(self, value: Any, state: State) -> Any:  # noqa: ARG002 - the signature of all
        """See `Node`."""
        return value if type(value) is str else "" if value is None else self.refuse(value)


class Boolean(Node):
    """Any bool type."""

    kind = "bool"
    simple: type | None = bool

    def zero(self) -> bool:
        """See `Node`."""
        return False

    def decode(self, value: Any, state: State) -> Any:
        """See `Node`."""
        return value if type(value) is bool else self.mismatched(value, state)

    def convert(self, value: Any, state: State) -> Any:  # noqa: ARG002 - the signature of all
        """See `Node`."""
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
        """See `Node`."""
        return 0

    def decode(self, value: Any, state: State) -> Any:
        """See `Node`."""
        if type(value) is int and self._lowest <= value <= self._highest:
            return value
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            state.wrong_type(f"number {literal(value)}", self.name)
            return 0
        return self.mismatched(value, state)

    def convert(self, value: Any, state: State) -> Any:  # noqa: ARG002 - the signature of all
        """See `Node`."""
        if isinstance(value, float) and value.is_integer():
            value = int(value) if -_INT64 <= value < _INT64 else -_INT64  # what the processor makes of it
        if type(value) is int:
            return (value - self._lowest) % 2**self._bits + self._lowest  # what is too large wraps around
        return 0 if value is None else self.refuse(value)


class Floating(Node):
    """float64."""

    kind = "float64"

    def zero(self) -> int:
        """See `Node`."""
        return 0

    def decode(self, value: Any, state: State) -> Any:
        """See `Node`."""
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            if abs(value) != float("inf"):
                return json_number(float(value))
            state.wrong_type(f"number {literal(value)}", self.name)
            return 0
        return self.mismatched(value, state)

    def convert(self, value: Any, state: State) -> Any:  # noqa: ARG002 - the signature of all
        """See `Node`."""
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return json_number(float(value))
        return 0 if value is None else self.refuse(value)


class Anything(Node):
    """interface{}: JSON data, whose numbers have to be such."""

    kind = "interface"

    def __init__(self) -> None:
        super().__init__("interface {}")

    def zero(self) -> None:
        """See `Node`."""
        return

    def decode(self, value: Any, state: State) -> Any:
        """See `Node`."""
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
        """See `Node`."""
        return value
