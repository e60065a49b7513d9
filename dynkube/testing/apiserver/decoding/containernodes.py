"""Nodes of Go's types that hold others: pointers, slices, maps, structs."""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

from dynkube.testing.apiserver.decoding.jsontext import RepeatedKeys, copied
from dynkube.testing.apiserver.decoding.problems import DecodingError
from dynkube.testing.apiserver.decoding.scalars import canonical_base64
from dynkube.testing.apiserver.decoding.typenodes import NIL, Field, Node, State, unstructured_kind

__all__ = ["Bytes", "Mapped", "Pointer", "Slice", "Struct"]


class Pointer(Node):
    """A pointer: null is nil, which is not the zero value of what it points to."""

    kind = "ptr"
    is_empty_when_falsy = False

    def __init__(self, item: Node) -> None:
        super().__init__(f"*{item.name}")
        self.item = item
        self.simple = item.simple

    def zero(self) -> None:
        """See `Node`."""
        return

    def over(self, first: Any, second: Any) -> Any:
        """See `Node`."""
        return second if first is None or second is None else self.item.over(first, second)

    def decode(self, value: Any, state: State) -> Any:
        """See `Node`."""
        return NIL if value is None else self.item.decode(value, state)

    def convert(self, value: Any, state: State) -> Any:
        """See `Node`."""
        return NIL if value is None else self.item.convert(value, state)

    def ordered(self, value: Any) -> Any:
        """See `Node`."""
        return self.item.ordered(value)


class Slice(Node):
    """A slice."""

    kind = "slice"

    def __init__(self, name: str, item: Node) -> None:
        super().__init__(name)
        self.item = item

    def zero(self) -> None:
        """See `Node`."""
        return

    def over(self, first: Any, second: Any) -> Any:
        """See `Node`."""
        if not isinstance(first, list) or not isinstance(second, list):
            return second
        return [self.item.over(old, new) for old, new in zip(first, second, strict=False)] + second[len(first) :]

    def decode(self, value: Any, state: State) -> Any:
        """See `Node`."""
        if type(value) is not list:
            return self.mismatched(value, state)
        return self._each(value, state, self.item.decode)

    def convert(self, value: Any, state: State) -> Any:
        """See `Node`."""
        if type(value) is not list:
            if value is None:
                return None
            raise DecodingError(f"cannot restore slice from {unstructured_kind(value)}")
        return self._each(value, state, self.item.convert)

    def ordered(self, value: Any) -> Any:
        """See `Node`."""
        if self.item.simple is not None or not isinstance(value, list):
            return value
        return [self.item.ordered(each) for each in value]

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
        # Decoded it is null, but no object is seen that was not in storage, where there are only empty bytes.
        self._of_nil = "" if isinstance(item, Bytes) else None

    def zero(self) -> None:
        """See `Node`."""
        return

    def over(self, first: Any, second: Any) -> Any:
        """See `Node`."""
        return {**first, **second} if isinstance(first, dict) and isinstance(second, dict) else second

    def decode(self, value: Any, state: State) -> Any:
        """See `Node`."""
        if type(value) is not dict:
            if type(value) is not RepeatedKeys:
                return self.mismatched(value, state)
            value = self._decode_repeated(value, state)
        return self._each(value, state, self.item.decode)

    def convert(self, value: Any, state: State) -> Any:
        """See `Node`."""
        if not isinstance(value, dict):
            if value is None:
                return None
            raise DecodingError(f"cannot restore map from {unstructured_kind(value)}")
        return self._each(value, state, self.item.convert)

    def ordered(self, value: Any) -> Any:
        """See `Node`."""
        if not isinstance(value, dict):
            return value
        if self.item.simple is not None:
            return {key: value[key] for key in sorted(value)}
        return {key: self.item.ordered(value[key]) for key in sorted(value)}

    def _each(self, value: dict[str, Any], state: State, change: Callable[[Any, State], Any]) -> dict[str, Any]:
        simple = self.item.simple
        path = state.path
        for key, item in value.items():
            if type(item) is not simple:
                path.append(key)
                new = change(item, state)
                path.pop()
                if new is None:
                    value[key] = self._of_nil
                elif new is not item:
                    value[key] = None if new is NIL else new
        return value

    def _decode_repeated(self, value: RepeatedKeys, state: State) -> dict[str, Any]:
        seen: set[str] = set()
        for key, item in value.pairs:
            if key in seen:
                state.duplicate(key)
            seen.add(key)
            state.path.append(key)
            self.item.decode(copied(item), state)
            state.path.pop()
        return dict(value)


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
    def _orders(self) -> Sequence[tuple[str, Callable[[Any], Any] | None]]:
        """The fields as they are declared, and what orders each; most hold what has no order."""
        return [
            (name, None if each.node.simple is not None else each.node.ordered) for name, each in self.fields.items()
        ]

    @cached_property
    def _always_written(self) -> tuple[Field, ...]:
        return tuple(
            each
            for each in self.fields.values()
            if not (each.drops_falsy or each.omits_zero or (each.omits_nil and each.node.kind == "ptr"))
        )

    def zero(self) -> dict[str, Any]:
        """See `Node`."""
        return {each.name: each.node.zero() for each in self._always_written}

    def over(self, first: Any, second: Any) -> Any:
        """See `Node`."""
        if not isinstance(first, dict) or not isinstance(second, dict):
            return first if second is None else second
        return self._merged([*_pairs_of(first), *_pairs_of(second)])

    def decode(self, value: Any, state: State) -> Any:
        """See `Node`."""
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
                state.left_out(key, new)
                gone.append(key)
            elif new is not item:
                value[key] = None if new is NIL else new
        return self._completed(value, gone)

    def convert(self, value: Any, state: State) -> Any:
        """See `Node`."""
        if not isinstance(value, dict):
            if value is None:
                return self.zero()
            raise DecodingError(f"cannot restore struct from: {unstructured_kind(value)}")
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
                    state.left_out(key, new)
                    gone.append(key)
                elif new is not item:
                    value[key] = None if new is NIL else new
        return self._completed(value, gone)

    def ordered(self, value: Any) -> Any:
        """See `Node`."""
        if not isinstance(value, dict):
            return value
        return {key: value[key] if order is None else order(value[key]) for key, order in self._orders if key in value}

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
            field.node.decode(copied(item), state)
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


class Bytes(Node):
    """[]byte: base64 in JSON, or a list of numbers."""

    kind = "slice"

    def __init__(self, name: str, item: Node) -> None:
        super().__init__(name)
        self._items = Slice(name, item)

    def zero(self) -> None:
        """See `Node`."""
        return

    def decode(self, value: Any, state: State) -> Any:
        """See `Node`."""
        if isinstance(value, str):
            try:
                return canonical_base64(value)
            except ValueError as error:
                state.mismatch = state.mismatch or str(error)
                return None
        return self._from_list(self._items.decode(value, state))

    def convert(self, value: Any, state: State) -> Any:
        """See `Node`."""
        if isinstance(value, str):
            try:
                return canonical_base64(value)
            except ValueError as error:
                raise DecodingError(f"error decoding from json: {error}") from None
        return self._from_list(self._items.convert(value, state))

    @staticmethod
    def _from_list(numbers: list[int] | None) -> str | None:
        return None if numbers is None else b2a_base64(bytes(numbers), newline=False).decode()
