"""Fields taken out of a value.

structured-merge-diff/typed/remove.go.
"""

from __future__ import annotations

from typing import Any

from dynkube.testing.apiserver.fieldmanagement.fieldsets import ITSELF, FieldSet
from dynkube.testing.apiserver.fieldmanagement.listitems import item_element
from dynkube.testing.apiserver.fieldmanagement.mergetypes import MergeType

__all__ = ["remove"]


def remove(value: Any, fields: FieldSet, kind: MergeType) -> Any:
    """A value without these fields; None where nothing is left of it. The value stays as it is."""
    if isinstance(value, dict):
        if not kind.is_map or kind.is_atomic_map:
            return None
        return _from_map(value, fields, kind) or None
    if isinstance(value, list):
        if not kind.is_list or kind.is_atomic_list:
            return None
        return _from_list(value, fields, kind) or None
    return value


def _from_map(value: dict[str, Any], fields: FieldSet, kind: MergeType) -> dict[str, Any]:
    left = {}
    for name, each in value.items():
        node = fields.get(f"f:{name}")
        if node is None:
            left[name] = each
        elif ITSELF not in node:
            left[name] = remove(each, node, kind.field(name))
    return left


def _from_list(value: list[Any], fields: FieldSet, kind: MergeType) -> list[Any]:
    left = []
    for item in value:
        node = fields.get(item_element(item, kind))
        if node is None:
            left.append(item)
        elif ITSELF not in node:
            left.append(remove(item, node, kind.items))
    return left
