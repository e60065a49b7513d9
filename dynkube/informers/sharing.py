"""What a new version of an object has in common with the one before, kept once.

Most updates change a few fields of hundreds. A store of dicts that took every version as it was decoded would give the
garbage collector hundreds of new objects with each of them, and a walk over everything whenever a quarter is new:
measured with 5,000 pods, that walk costs several times what decoding does.
"""

from __future__ import annotations

from typing import Any

from dynkube.codec import encode_plain

__all__ = ["share_unchanged"]

# metadata, spec, status; and what is right below them.
_DEPTH = 2


def share_unchanged(old: dict[str, Any], new: dict[str, Any], *, depth: int = _DEPTH) -> None:
    """Put what is the same in both into the new one from the old one.

    Both are of a store, where nobody changes anything.

    Args:
        old: The version before.
        new: The version that comes; the same afterwards, but for identities.
        depth: How deep to look for parts that are the same.

    Example:
        >>> old, new = {"spec": {"a": [1]}, "status": {"b": [2]}}, {"spec": {"a": [1]}, "status": {"b": [3]}}
        >>> share_unchanged(old, new)
        >>> new["spec"] is old["spec"], new["status"]
        (True, {'b': [3]})
    """
    for field, value in new.items():
        kind = type(value)
        if kind is not dict and kind is not list:
            continue
        before = old.get(field)
        if before == value:
            if _is_exactly(before, value):
                new[field] = before
        elif depth > 1 and kind is dict and type(before) is dict:
            share_unchanged(before, value, depth=depth - 1)


def _is_exactly(one: Any, other: Any) -> bool:
    """Whether what is equal is the same: 1, 1.0 and True are equal in Python and three things in JSON."""
    try:
        return encode_plain(one) == encode_plain(other)
    except (TypeError, ValueError):  # a transform has put in what JSON cannot hold
        return False
