"""The order of merged lists: what strategic merge does with lists, whatever is in them (patch.go).

Values are compared as Go compares what its maps hold: of the same type and equal; 1, 1.0 and true are three values.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, overload

from dynkube.testing.apiserver.words import govalues

__all__ = ["Places", "Shared", "contains", "deduplicated", "equal", "interleaved", "type_name", "without_deletions"]

_Key = Callable[[Any], Any]


class Shared(Sequence[Any]):
    """A list that is changed as a Go slice is: the list that it was made of goes on sharing its memory.

    Go's code merges into the live list and then orders by the live list. What was deleted has left its place to
    those behind it, and what was added since may stand in the places that got free; the order of the outcome
    depends on it.
    """

    def __init__(self, memory: list[Any]) -> None:
        self._memory = memory
        self._items = list(memory)

    @overload
    def __getitem__(self, index: int) -> Any: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Any]: ...

    def __getitem__(self, index: int | slice) -> Any:
        return self._items[index]

    def __len__(self) -> int:
        return len(self._items)

    def delete(self, index: int) -> None:
        """Remove an item: ``append(items[:index], items[index+1:]...)``."""
        del self._items[index]
        self._memory[: len(self._items)] = self._items

    def append(self, value: Any) -> None:
        """Add an item, in memory that is there where there is some."""
        self._items.append(value)
        self.set(len(self._items) - 1, value)

    def set(self, index: int, value: Any) -> None:
        """Replace an item."""
        self._items[index] = value
        if index < len(self._memory):
            self._memory[index] = value


def equal(one: Any, other: Any) -> bool:
    """Whether two scalars are the same to Go."""
    return type(one) is type(other) and bool(one == other)


def contains(values: list[Any], value: Any) -> bool:
    """Whether a scalar is in a list."""
    return any(equal(each, value) for each in values)


def without_deletions(items: list[Any]) -> list[Any]:
    """The objects that are not there to delete something."""
    return [each for each in items if not _deletes(each)]


def _deletes(item: Any) -> bool:
    return isinstance(item, dict) and item.get("$patch") == "delete"


def deduplicated(values: list[Any]) -> list[Any]:
    """Each scalar once; the last one takes the place of one that goes (deduplicateScalars)."""
    values = list(values)
    first = 0
    while first < len(values) - 1:
        second = first + 1
        while second < len(values):
            if equal(values[first], values[second]):
                values[second] = values[-1]
                values.pop()
            else:
                second += 1
        first += 1
    return values


class Places:
    """The place of each value in a list that gives an order."""

    def __init__(self, order: list[Any], key_of: _Key) -> None:
        self._key_of = key_of
        self._places: dict[tuple[type, Any], int] = {}
        for index, each in enumerate(order):
            key = key_of(each)
            self._places.setdefault((type(key), key), index)

    def find(self, value: Any) -> int:
        """The place, -1 where the list does not have it."""
        key = self._key_of(value)
        return self._places.get((type(key), key), -1)

    def sorted(self, items: list[Any]) -> list[Any]:
        """Items in this order (normalizeSliceOrder); those that delete something come last.

        Go's stable sort is one by insertion. It is told that an item which the list does not have comes before all.
        """
        result: list[Any] = []
        for each in without_deletions(items):
            at = len(result)
            while at > 0 and self._comes_before(each, result[at - 1]):
                at -= 1
            result.insert(at, each)
        return result + [each for each in items if _deletes(each)]

    def _comes_before(self, one: Any, other: Any) -> bool:
        place, other_place = self.find(one), self.find(other)
        return place < other_place if place >= 0 and other_place >= 0 else True


def interleaved(left: list[Any], right: list[Any], order: Places) -> list[Any]:
    """Both lists in one, each in its own order; the left item goes first where ``order`` has both, and it first."""
    result: list[Any] = []
    at_left = at_right = 0
    while at_left < len(left) and at_right < len(right):
        if 0 <= order.find(left[at_left]) < order.find(right[at_right]):
            result.append(left[at_left])
            at_left += 1
        else:
            result.append(right[at_right])
            at_right += 1
    return result + left[at_left:] + right[at_right:]


def type_name(value: Any) -> str:
    """The Go type, as ``%s`` prints reflect's."""
    if value is None:
        return "%!s(<nil>)"
    return "[]interface {}" if isinstance(value, list) else govalues.go_type(value)
