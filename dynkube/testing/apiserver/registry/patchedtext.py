"""A patched object as the real server quotes it where it is refused.

The library that patches (evanphx/json-patch v4) keeps the text of what it did not look into, and writes
the rest with sorted keys. What is untouched is the encoded object: a struct's fields in Go's order, a
custom object's by name.
"""

from __future__ import annotations

from typing import Any

from dynkube.testing.apiserver.decoding import gotypes
from dynkube.testing.apiserver.govalues import json_text
from dynkube.testing.apiserver.resources import Object, Resource

__all__ = ["patched_text"]


def patched_text(resource: Resource, before: Object, after: Any) -> str:
    """The JSON of what a patch made of an object."""
    if isinstance(after, dict):
        return _patched(_encoded(resource, before), after)
    return _raw(after)


def _encoded(resource: Resource, obj: Object) -> Any:
    record = gotypes().kind(resource.group_version.api_version, resource.kind)
    if resource.is_custom or record is None:
        return _sorted(obj)
    return gotypes().node(record.definition).ordered(obj)


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    return [_sorted(each) for each in value] if isinstance(value, list) else value


def _patched(before: Any, after: dict[str, Any]) -> str:
    return _members({name: _value(before.get(name), after[name]) for name in sorted(after)})


def _value(before: Any, after: Any) -> str:
    if before == after:
        return _raw(before)
    if isinstance(before, dict) and isinstance(after, dict):
        return _patched(before, after)
    return _raw(after)


def _raw(value: Any) -> str:
    if isinstance(value, dict):
        return _members({name: _raw(each) for name, each in value.items()})
    return "[" + ",".join(map(_raw, value)) + "]" if isinstance(value, list) else json_text(value)


def _members(texts: dict[str, str]) -> str:
    return "{" + ",".join(f"{json_text(name)}:{text}" for name, text in texts.items()) + "}"
