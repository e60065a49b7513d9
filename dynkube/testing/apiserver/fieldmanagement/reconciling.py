"""Sets of fields made to fit a schema: what is owned as one thing, and what the schema names.

structured-merge-diff/typed/reconcile_schema.go; fieldpath/set.go, EnsureNamedFieldsAreMembers.
"""

from __future__ import annotations

from collections.abc import Callable

from dynkube.testing.apiserver.fieldmanagement.fieldsets import ITSELF, LEAF, NOTHING, FieldSet
from dynkube.testing.apiserver.fieldmanagement.mergetypes import MergeType

__all__ = ["reconcile", "with_named_fields"]


def reconcile(fields: FieldSet, kind: MergeType) -> FieldSet:
    """The same ownership by a schema that may have changed: below what is atomic now, nothing is owned by itself."""
    child = _children(kind)
    if child is None:
        return fields
    changed: dict[str, FieldSet] = {}
    for element, node in fields.items():
        if element == ITSELF or (len(node) == 1 and ITSELF in node):
            continue
        of = child(element)
        if of is not None:
            fitting = LEAF if _is_atomic(of) else reconcile(node, of)
            if fitting is not node:
                changed[element] = fitting
    return {**fields, **changed} if changed else fields


def _is_atomic(kind: MergeType) -> bool:
    """What may be a map is looked at as one, then as a scalar, last as a list."""
    if kind.is_map:
        return kind.is_atomic_map and not kind.is_deduced_map
    return kind.is_list and not kind.scalar and kind.is_atomic_list


def _children(kind: MergeType) -> Callable[[str], MergeType | None] | None:
    if kind.is_map:
        if kind.is_deduced_map:
            return None
        fields, values = kind.fields, kind.values
        return lambda element: (fields.get(element[2:]) if element[:2] == "f:" else None) or values
    if kind.scalar or not kind.is_list:
        return None
    items = kind.items
    return lambda _: items


def with_named_fields(fields: FieldSet, kind: MergeType | None) -> FieldSet:
    """The set with every declared field a member that has a member below it."""
    if not fields:
        return fields
    named: dict[str, FieldSet] = {}
    for element, node in fields.items():
        if element == ITSELF or node is LEAF:
            named[element] = node
            continue
        of, is_declared = _below(element, kind)
        child = with_named_fields(node, of)
        named[element] = {ITSELF: NOTHING, **child} if is_declared and ITSELF not in child else child
    return named


def _below(element: str, kind: MergeType | None) -> tuple[MergeType | None, bool]:
    """The type of what an element names, and whether that is a declared field."""
    if kind is None:
        return None, False
    if element[:2] == "f:" and kind.is_map:
        declared = kind.fields.get(element[2:])
        return declared or kind.values, declared is not None
    return (kind.items if element[:2] == "k:" and kind.is_list else None), False
