"""Old values beside new ones: what did not change is not judged again (AS/cel/common/equality.go, maplist.go)."""

from __future__ import annotations

from typing import Any

from dynkube.testing.apiserver.customresources.structural import Structural

__all__ = ["Correlation", "keyed_items", "map_key", "same"]

_SCALARS = (bool, float, int, str)


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal in Go's eyes: 1 is not 1.0, and true is not 1."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return len(one) == len(other) and all(name in other and same(each, other[name]) for name, each in one.items())
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def map_key(item: Any, keys: tuple[str, ...]) -> tuple[Any, ...] | None:
    """What tells an item of a list of type map from the others; None where one of the keys is absent or no scalar."""
    if not isinstance(item, dict):
        return None
    values = tuple(item.get(key) for key in keys)
    if not all(isinstance(value, _SCALARS) for value in values):
        return None
    return tuple((type(value), value) for value in values)


def keyed_items(items: list[Any], keys: tuple[str, ...]) -> dict[tuple[Any, ...], Any]:
    """The items of a list of type map by their keys, the first of each."""
    found: dict[tuple[Any, ...], Any] = {}
    for item in items:
        key = map_key(item, keys)
        if key is not None:
            found.setdefault(key, item)
    return found


class Correlation:
    """A new value and the old one at the same place."""

    __slots__ = ("_children", "_equal", "_keyed", "new", "old", "schema")

    def __init__(self, new: Any, old: Any, schema: Structural) -> None:
        self.new = new
        self.old = old
        self.schema = schema
        self._children: dict[str | int, Correlation | None] = {}
        self._equal: bool | None = None
        self._keyed: dict[tuple[Any, ...], Any] | None = None

    def is_unchanged(self) -> bool:
        """Whether the values are equal; items of a list of type map may have changed places."""
        if self._equal is None:
            self._equal = self._compare()
        return self._equal

    def _compare(self) -> bool:
        if isinstance(self.new, dict) and isinstance(self.old, dict):
            return len(self.new) == len(self.old) and all(self._is_same(self.key(name)) for name in self.new)
        if isinstance(self.new, list) and isinstance(self.old, list):
            if len(self.new) != len(self.old):
                return False
            if self.schema.list_type != "map":
                return same(self.new, self.old)
            return all(self._is_same(self.index(number)) for number in range(len(self.new)))
        return same(self.new, self.old)

    def _is_same(self, child: Correlation | None) -> bool:
        return child is not None and child.is_unchanged()

    def key(self, name: str) -> Correlation | None:
        """The values of a field; None where either is absent or the schema does not say what it is."""
        if name not in self._children:
            self._children[name] = self._correlate_key(name)
        return self._children[name]

    def _correlate_key(self, name: str) -> Correlation | None:
        if not isinstance(self.new, dict) or not isinstance(self.old, dict):
            return None
        schema = self.schema.field(name)
        if schema is None or name not in self.new or name not in self.old:
            return None
        return Correlation(self.new[name], self.old[name], schema)

    def index(self, number: int) -> Correlation | None:
        """The values of an item: by its keys in a list of type map, else None."""
        if number not in self._children:
            self._children[number] = self._correlate_index(number)
        return self._children[number]

    def _correlate_index(self, number: int) -> Correlation | None:
        items = self.schema.items
        if self.schema.list_type != "map" or items is None:
            return None
        if not isinstance(self.new, list) or not isinstance(self.old, list):
            return None
        if self._keyed is None:
            self._keyed = keyed_items(self.old, self.schema.list_map_keys)
        key = map_key(self.new[number], self.schema.list_map_keys)
        old = None if key is None else self._keyed.get(key)
        return None if old is None else Correlation(self.new[number], old, items)
