"""When a write changes nothing: then nothing is written (AS/endpoints/handlers/fieldmanager/equality.go)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dynkube.testing.apiserver.resources import Object

__all__ = ["is_same", "keep_times"]


def is_same(one: Any, other: Any) -> bool:
    """Whether two values are the same JSON: unlike ``==``, which takes 1 for true and for 1.0."""
    return one == other and _is_alike(one, other)


def _is_alike(one: Any, other: Any) -> bool:
    """Of two equal values, whether they are of the same types, too."""
    if isinstance(one, Mapping):
        return all(_is_alike(value, other[name]) for name, value in one.items())
    if isinstance(one, list):
        return all(map(_is_alike, one, other))
    return type(one) is type(other)


def keep_times(obj: Object, old: Object) -> None:
    """Where only times of managedFields would change, let them be what they were, in place."""
    managers, before = obj["metadata"].get("managedFields"), old["metadata"].get("managedFields")
    if not managers or not before or managers == before or len(managers) != len(before):
        return
    if not all(map(_is_same_manager, managers, before)):
        return
    metadata = {**obj["metadata"], "managedFields": before}
    if is_same({**obj, "metadata": metadata}, old):
        obj["metadata"] = metadata


def _is_same_manager(entry: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    return {**entry, "time": ""} == {**before, "time": ""}
