"""Defaults of a structural schema (AE/apiserver/schema/defaulting/algorithm.go)."""

from __future__ import annotations

from typing import Any

from dynkube.testing.apiserver.customresources.structural import Structural, copied

__all__ = ["default"]


def default(value: Any, schema: Structural | None) -> None:
    """Fill in what is absent, or null where null is no value, in place; what is filled in is filled, too."""
    if schema is None or not schema.has_defaults:
        return
    if isinstance(value, dict):
        for name, filling, nullable in schema.defaults:
            if name not in value or (value[name] is None and not nullable):
                value[name] = copied(filling)
        for name, each in value.items():
            known = schema.properties.get(name)
            if known is not None:
                default(each, known)
            elif schema.additional is not None:
                value[name] = _filled(each, schema.additional)
                default(value[name], schema.additional)
    elif isinstance(value, list) and schema.items is not None:
        for number, each in enumerate(value):
            value[number] = _filled(each, schema.items)
            default(value[number], schema.items)


def _filled(value: Any, schema: Structural) -> Any:
    return copied(schema.default) if value is None and not schema.is_nullable else value
