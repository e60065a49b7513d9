"""When a write changes nothing: then nothing is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["is_same"]


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
