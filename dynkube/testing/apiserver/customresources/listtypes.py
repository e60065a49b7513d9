"""Lists of type set and map hold nothing twice (AE/apiserver/schema/listtype/validation.go)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dynkube.testing.apiserver.customresources.badvalues import bad_value
from dynkube.testing.apiserver.customresources.structural import Structural
from dynkube.testing.apiserver.words.fielderrors import FieldError, child, duplicate, index, invalid, key
from dynkube.testing.apiserver.words.govalues import json_text

__all__ = ["validate_lists"]

_ABSENT = object()


def validate_lists(obj: Any, schema: Structural, path: str = "") -> list[FieldError]:
    """What comes twice in the lists of an object, at its second place."""
    return list(_errors(obj, schema, path)) if schema.has_unique_lists else []


def _errors(value: Any, schema: Structural | None, path: str) -> Iterator[FieldError]:
    if schema is None or not schema.has_unique_lists:
        return
    if isinstance(value, dict):
        for name, each in value.items():
            if schema.additional is not None:
                yield from _errors(each, schema.additional, key(path, name))
            if name in schema.properties:
                yield from _errors(each, schema.properties[name], child(path, name))
    elif isinstance(value, list):
        if schema.list_type == "set":
            yield from (duplicate(index(path, number), bad_value(value[number])) for number in _repeated(value))
        elif schema.list_type == "map":
            yield from _map_errors(value, schema.list_map_keys, path)
        for number, each in enumerate(value):
            yield from _errors(each, schema.items, index(path, number))


def _map_errors(items: list[Any], keys: tuple[str, ...], path: str) -> Iterator[FieldError]:
    for number, item in enumerate(items):
        if item is not None and not isinstance(item, dict):
            text = "must be an object for an array of list-type map"
            yield invalid(index(path, number), bad_value(item), text)
            return
    shown = [{name: item[name] for name in keys if name in item} if item else {} for item in items]
    judged: list[Any] = [each.get(keys[0], _ABSENT) for each in shown] if len(keys) == 1 else list(shown)
    for number in _repeated(judged):
        yield duplicate(index(path, number), bad_value(shown[number]))


def _repeated(values: list[Any]) -> Iterator[int]:
    """Where a value comes for the second time; not for the third."""
    seen: dict[Any, int] = {}
    for number, value in enumerate(values):
        identity = json_text(value) if isinstance(value, (dict, list)) else (type(value), value)
        seen[identity] = seen.get(identity, 0) + 1
        if seen[identity] == 2:
            yield number
