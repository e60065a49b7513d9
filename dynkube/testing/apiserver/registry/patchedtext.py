"""A patched object as the real server quotes it where it is refused.

What a patch did not look into is the encoded object: a struct's fields in Go's order, a custom object's by name.
"""

from __future__ import annotations

from typing import Any

from dynkube.testing.apiserver.decoding import gotypes
from dynkube.testing.apiserver.words.resources import Object, Resource

__all__ = ["patched_text"]


def patched_text(resource: Resource, before: Object, data: bytes, *, merges: bool) -> str:
    """The JSON of what a JSON Patch, or a merge patch, makes of an object."""
    from dynkube.testing.apiserver import patching

    return patching.patched_text(_encoded(resource, before), data, merges=merges)


def _encoded(resource: Resource, obj: Object) -> Any:
    record = gotypes().kind(resource.group_version.api_version, resource.kind)
    if resource.is_custom or record is None:
        return _sorted(obj)
    return gotypes().node(record.definition).ordered(obj)


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    return [_sorted(each) for each in value] if isinstance(value, list) else value
