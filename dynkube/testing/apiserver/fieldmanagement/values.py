"""What a value sets: the fields that the one who applies it owns.

structured-merge-diff/typed/tofieldset.go.
"""

from __future__ import annotations

from typing import Any

from dynkube.testing.apiserver.fieldmanagement.fieldsets import ITSELF, LEAF, NOTHING, FieldSet
from dynkube.testing.apiserver.fieldmanagement.listitems import index
from dynkube.testing.apiserver.fieldmanagement.mergetypes import MergeType

__all__ = ["field_set"]


def field_set(value: Any, kind: MergeType) -> FieldSet:
    """Every leaf and every item that a value has. It is of its type.

    A declared field that holds fields is no member itself; an entry of a map and an item of a list is.
    """
    if isinstance(value, dict) and kind.is_map:
        return LEAF if kind.is_atomic_map else _map_set(value, kind)
    if isinstance(value, list) and kind.is_list:
        return LEAF if kind.is_atomic_list else _list_set(value, kind)
    if value is None and (kind.is_map or not kind.scalar):
        # Null is a map before it is a scalar, and a list last.
        return LEAF if (kind.is_atomic_map if kind.is_map else kind.is_atomic_list) else NOTHING
    return LEAF


def _map_set(value: dict[str, Any], kind: MergeType) -> FieldSet:
    found: dict[str, FieldSet] = {}
    fields = kind.fields
    for name, each in value.items():
        declared = fields.get(name)
        node = field_set(each, declared or kind.field(name))
        if (declared is None or each is None or each == {}) and ITSELF not in node:
            node = {ITSELF: NOTHING, **node}
        if node:
            found[f"f:{name}"] = node
    return found


def _list_set(value: list[Any], kind: MergeType) -> FieldSet:
    found: dict[str, FieldSet] = {}
    for element, items in index(value, kind).items():
        if len(items) > 1:  # who has the duplicates has them all, and nothing of what they say
            found[element] = LEAF
            continue
        node = field_set(items[0], kind.items)
        found[element] = node if ITSELF in node else {ITSELF: NOTHING, **node}
    return found
