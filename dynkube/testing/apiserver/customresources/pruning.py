"""What a structural schema does not name goes; and nulls that it does not allow.

AE/apiserver/schema/pruning/algorithm.go, AE/apiserver/schema/defaulting/prunenulls.go.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from dynkube.testing.apiserver.customresources.structural import META_FIELDS, Structural

__all__ = ["prune", "prune_nulls"]

_Where: TypeAlias = "tuple[_Where, str | int] | None"


def prune(obj: Any, schema: Structural) -> list[str]:
    """Drop unknown fields, in place. The fields that every object has are left alone where one begins.

    Returns:
        The paths of what is gone, sorted.
    """
    unknown: list[str] = []
    if isinstance(obj, (dict, list)):
        _prune(obj, schema, None, unknown)
    return sorted(unknown)


def _prune(value: Any, schema: Structural | None, where: _Where, unknown: list[str]) -> None:
    if schema is not None and schema.preserves_unknown:
        _skip(value, schema, where, unknown)
    elif isinstance(value, list):
        items = schema.items if schema else None
        for number, each in enumerate(value):
            if isinstance(each, (dict, list)):
                _prune(each, items, (where, number), unknown)
    elif schema is not None:
        _prune_fields(value, schema, where, unknown)
    else:
        unknown.extend(_path((where, name)) for name in value)
        value.clear()


def _prune_fields(value: dict[str, Any], schema: Structural, where: _Where, unknown: list[str]) -> None:
    properties, allows = schema.properties, schema.allows_additional
    gone = []
    for name, each in value.items():
        known = properties.get(name)
        if schema.is_embedded and name in META_FIELDS:
            continue
        if known is None and not allows:
            gone.append(name)
        elif isinstance(each, (dict, list)):
            _prune(each, known or schema.additional, (where, name), unknown)
    for name in gone:
        del value[name]
        if where is not None or name not in META_FIELDS:
            unknown.append(_path((where, name)))


def _skip(value: Any, schema: Structural | None, where: _Where, unknown: list[str]) -> None:
    """Leave alone what nothing is said of; what is specified inside is pruned again (skipPrune)."""
    if schema is None:
        return
    if isinstance(value, list):
        for number, each in enumerate(value):
            _skip(each, schema.items, (where, number), unknown)
    elif isinstance(value, dict):
        for name, each in value.items():
            if not isinstance(each, (dict, list)) or (schema.is_embedded and name in META_FIELDS):
                continue
            known = schema.properties.get(name)
            if known is not None or schema.allows_additional:
                _prune(each, known or schema.additional, (where, name), unknown)


def _path(where: _Where) -> str:
    parts = []
    while where is not None:
        where, name = where
        parts.append(f"[{name}]" if isinstance(name, int) else f".{name}")
    return "".join(reversed(parts)).removeprefix(".")


def prune_nulls(value: Any, schema: Structural | None) -> None:
    """Drop nulls of fields that are not nullable and have no default, in place; those with one get it later."""
    if schema is None:
        return
    if isinstance(value, dict):
        if None in value.values():
            _drop_nulls(value, schema)
        properties, additional = schema.properties, schema.additional
        for name, each in value.items():
            if isinstance(each, (dict, list)):
                prune_nulls(each, properties.get(name) or additional)
    elif isinstance(value, list):
        for each in value:
            if isinstance(each, (dict, list)):
                prune_nulls(each, schema.items)


def _drop_nulls(value: dict[str, Any], schema: Structural) -> None:
    for name in [name for name, each in value.items() if each is None]:
        known = schema.field(name)
        if known is not None and not known.is_nullable and known.default is None:
            del value[name]
