"""An applied configuration, merged into an object.

structured-merge-diff/typed/merge.go. Nothing goes by merging: what an applier no longer says is taken away later.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dynkube.testing.apiserver.fieldmanagement.listitems import item_element
from dynkube.testing.apiserver.fieldmanagement.mergetypes import MergeType

__all__ = ["merge"]


def merge(live: Any, applied: Any, kind: MergeType) -> Any:
    """What both say, the applied where they differ. Shares what one side alone has with that side.

    Raises:
        ProblemError: An item of a list cannot be told apart.
    """
    if isinstance(applied, list) and kind.is_list:
        return _lists(live if isinstance(live, list) else [], applied, kind)
    if isinstance(applied, dict) and kind.is_map:
        return _maps(live if isinstance(live, dict) else {}, applied, kind)
    if applied is None and not _replaces(live, kind):
        return live
    return applied


def _replaces(live: Any, kind: MergeType) -> bool:
    """Whether an applied null is a value here: it is none for a map or list that has anything in it."""
    if kind.is_map:
        return kind.is_atomic_map or not live or not isinstance(live, dict)
    return bool(kind.scalar) or kind.is_atomic_list or not live


def _maps(live: dict[str, Any], applied: dict[str, Any], kind: MergeType) -> dict[str, Any]:
    if kind.is_atomic_map:
        return applied
    merged = dict(live)
    for name, value in applied.items():
        merged[name] = merge(live[name], value, kind.field(name)) if name in live else value
    return merged


def _lists(live: list[Any], applied: list[Any], kind: MergeType) -> list[Any]:
    if kind.is_atomic_list or not live:
        return applied
    return _Zipper(live, applied, kind).merged()


class _Zipper:
    """Brings the items of two lists into one order: the applied one's, and where it says nothing, the live one's."""

    def __init__(self, live: Sequence[Any], applied: Sequence[Any], kind: MergeType) -> None:
        self.live, self.applied, self.kind = live, applied, kind
        self.ours = [item_element(item, kind) for item in live]
        self.theirs = [item_element(item, kind) for item in applied]
        self.items = dict(zip(self.theirs, applied, strict=True))
        self.known: dict[str, Any] = {}
        for element, item in zip(self.ours, live, strict=True):
            self.known[element] = None if element in self.known else item  # duplicates are replaced, never merged
        self.shared = iter([element for element in self.theirs if element in self.known])
        self.next_shared = next(self.shared, None)
        self.done: set[str] = set()
        self.result: list[Any] = []

    def merged(self) -> list[Any]:
        mine = yours = 0
        while mine < len(self.ours) or yours < len(self.theirs):
            if mine < len(self.ours):
                element = self.ours[mine]
                if yours < len(self.theirs):
                    if element == self.theirs[yours]:
                        self._take(element)
                        mine, yours = mine + 1, yours + 1
                        continue
                    if element in self.items and self.next_shared not in (None, element):
                        mine += 1  # applied, too, but its turn is later
                        continue
                if element not in self.items:
                    self.result.append(self.live[mine])
                    mine += 1
                    continue
                mine += element in self.done
            if yours < len(self.theirs):
                self._take(self.theirs[yours])
                yours += 1
        return self.result

    def _take(self, element: str) -> None:
        """Put an applied item, merged with the live one if there is one."""
        self.done.add(element)
        item = self.items[element]
        self.result.append(merge(self.known[element], item, self.kind.items) if element in self.known else item)
        if element == self.next_shared:
            self.next_shared = next(self.shared, None)
