"""What changed between two states of an object.

structured-merge-diff/typed/compare.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from dynkube.testing.apiserver.fieldmanagement.fieldsets import (
    ITSELF,
    LEAF,
    NOTHING,
    FieldSet,
    recursive_difference,
    union,
)
from dynkube.testing.apiserver.fieldmanagement.listitems import index
from dynkube.testing.apiserver.fieldmanagement.mergetypes import DEDUCED, MergeType

__all__ = ["UNCHANGED", "Comparison", "compare", "same"]


class Comparison(NamedTuple):
    """The fields that the second state no longer has, has changed, and has anew."""

    removed: FieldSet
    modified: FieldSet
    added: FieldSet

    def without(self, fields: FieldSet) -> Comparison:
        """Leave out these fields and what is below them."""
        if not fields:
            return self
        return Comparison(*(recursive_difference(each, fields) for each in self))


UNCHANGED = Comparison(NOTHING, NOTHING, NOTHING)
_MODIFIED = Comparison(NOTHING, LEAF, NOTHING)


def same(old: Any, new: Any, kind: MergeType) -> bool:
    """Whether two values are equal: numbers by what they are, truth values never equal to them."""
    return bool(old == new) and (not kind.is_loose or _same_kinds(old, new))


def _same_kinds(old: Any, new: Any) -> bool:
    """Whether values that Python holds equal have truth values in the same places."""
    if isinstance(old, dict):
        return all(_same_kinds(each, new[name]) for name, each in old.items())
    if isinstance(old, list):
        return all(map(_same_kinds, old, new))
    return isinstance(old, bool) == isinstance(new, bool)


def compare(old: Any, new: Any, kind: MergeType) -> Comparison:
    """What a change from one value to another touched; the value itself is said by ``"."`` entries.

    Raises:
        ProblemError: An item of a list cannot be told apart.
    """
    return UNCHANGED if same(old, new, kind) else _changes(old, new, kind)


def _changes(old: Any, new: Any, kind: MergeType) -> Comparison:
    """Of values that differ."""
    before, after = _form(old, kind), _form(new, kind)
    if before == after:
        return _by_form(old, new, kind, after)
    # Of another form than before: the real server looks at both as either, and adds up what it finds.
    first, second = _by_form(old, new, kind, before), _by_form(old, new, kind, after)
    return Comparison(*(union(mine, theirs) for mine, theirs in zip(first, second, strict=True)))


def _form(value: Any, kind: MergeType) -> str:
    """What a value is looked at as: the one thing its type allows; where that is anything, what it is."""
    if not (kind.is_map and kind.is_list):
        return "map" if kind.is_map else "list" if kind.is_list else "scalar"
    if value is None:
        return "nothing"
    return "map" if isinstance(value, dict) else "list" if isinstance(value, list) else "scalar"


def _by_form(old: Any, new: Any, kind: MergeType, form: str) -> Comparison:
    if form == "scalar":
        return _MODIFIED
    return _lists(old, new, kind) if form == "list" else _maps(old, new, kind)


def _maps(old: Any, new: Any, kind: MergeType) -> Comparison:
    before: Mapping[str, Any] = old if isinstance(old, dict) else {}
    after: Mapping[str, Any] = new if isinstance(new, dict) else {}
    if kind.is_atomic_map or not (before or after):
        return _MODIFIED
    removed: dict[str, FieldSet] = {}
    modified: dict[str, FieldSet] = {}
    added: dict[str, FieldSet] = {}
    fields, rest = kind.fields, kind.values
    for name, value in after.items():
        of = fields.get(name) or rest or DEDUCED
        if name not in before:
            added[f"f:{name}"] = _everything(value, of)
            continue
        was = before[name]
        if was != value or not same(was, value, of):
            _place(f"f:{name}", _changes(was, value, of), removed, modified, added)
    for name, value in before.items():
        if name not in after:
            removed[f"f:{name}"] = _everything(value, kind.field(name))
    return Comparison(removed, modified, added)


def _place(element: str, change: Comparison, *into: dict[str, FieldSet]) -> None:
    """Put what changed below a child where it belongs."""
    for fields, into_fields in zip(change, into, strict=True):
        if fields:
            into_fields[element] = fields


def _lists(old: Any, new: Any, kind: MergeType) -> Comparison:
    if kind.is_atomic_list or not (old or new):
        return _MODIFIED
    before = index(old if isinstance(old, list) else None, kind)
    after = index(new if isinstance(new, list) else None, kind)
    removed: dict[str, FieldSet] = {}
    modified: dict[str, FieldSet] = {}
    added: dict[str, FieldSet] = {}
    for element in before | after:
        change = _items(before.get(element, ()), after.get(element, ()), kind.items)
        _place(element, change, removed, modified, added)
    return Comparison(removed, modified, added)


def _items(old: Any, new: Any, kind: MergeType) -> Comparison:
    """The items with one element: one before and after, but where a list has duplicates, which are one thing."""
    if len(old) <= 1 and len(new) <= 1:
        if not old:
            return Comparison(NOTHING, NOTHING, _everything(new[0], kind))
        if not new:
            return Comparison(_everything(old[0], kind), NOTHING, NOTHING)
        return compare(old[0], new[0], kind)
    if len(old) > 1 and len(new) > 1:
        return UNCHANGED if same(old, new, kind) else _MODIFIED
    if len(old) > 1:
        return Comparison(LEAF, NOTHING, _everything(new[0], kind) if new else NOTHING)
    return Comparison(_everything(old[0], kind) if old else NOTHING, NOTHING, LEAF)


def _everything(value: Any, kind: MergeType) -> FieldSet:
    """All of a value that is there on one side only, itself too."""
    if isinstance(value, dict):
        if not value or not kind.is_map or kind.is_atomic_map:
            return LEAF
        found: dict[str, FieldSet] = {ITSELF: NOTHING}
        fields, rest = kind.fields, kind.values
        for name, each in value.items():
            if isinstance(each, dict | list):
                found[f"f:{name}"] = _everything(each, fields.get(name) or rest or DEDUCED)
            else:
                found[f"f:{name}"] = LEAF
        return found
    if isinstance(value, list):
        if not value or not kind.is_list or kind.is_atomic_list:
            return LEAF
        found = {ITSELF: NOTHING}
        for element, items in index(value, kind).items():
            found[element] = LEAF if len(items) > 1 else _everything(items[0], kind.items)
        return found
    return LEAF
