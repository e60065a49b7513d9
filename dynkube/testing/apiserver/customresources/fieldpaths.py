"""Paths of fields that a CRD names: of a rule's ``fieldPath``, of ``selectableFields`` (ValidFieldPath).

AE/apiserver/schema/cel/validation.go.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from dynkube.testing.apiserver.customresources.structural import Structural
from dynkube.testing.apiserver.words.fielderrors import child, key

__all__ = ["FieldPath", "field_path"]

_END = "unexpected end of JSON path"
_NO_FIELD = "does not refer to a valid field"
_ESCAPE = re.compile(r"\\.", re.DOTALL)
_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "'": "'", "\\": "\\"}


@dataclass(frozen=True, slots=True)
class FieldPath:
    """A valid path: as field errors write it, its first name, and what is there."""

    text: str
    root: str
    schema: Structural


def field_path(path: str, schema: Structural, *, allows_arrays: bool = True) -> FieldPath:
    """A path such as ``.spec.replicas`` or ``.labels['a']``.

    Raises:
        ValueError: It is none, or leads to no field of the schema; with the words of the refusal.
    """
    parts = _parts(path)
    text, root, node = "", "", schema
    for part in parts:
        if part == "[":
            if not allows_arrays:
                raise ValueError("array notation is not allowed")
            name = _quoted(_next(parts))
            is_named, node = _step(name, node)
            closing = _next(parts)
            if closing != "]":
                raise ValueError(f"expected ] but got {closing}")
        elif part == ".":
            name = _next(parts)
            is_named, node = _step(name, node)
        else:
            raise ValueError(f"expected [ or . but got: {part}")
        root = root or name
        text = child(text, name) if is_named else key(text, name)
    return FieldPath(text, root, node)


def _step(name: str, node: Structural) -> tuple[bool, Structural]:
    if node.properties:
        if name not in node.properties:
            raise ValueError(_NO_FIELD)
        return True, node.properties[name]
    if node.additional is None:
        raise ValueError(_NO_FIELD)
    return False, node.additional


def _next(parts: Iterator[str]) -> str:
    part = next(parts, None)
    if part is None:
        raise ValueError(_END)
    return part


def _quoted(part: str) -> str:
    if len(part) < 2 or part[0] != "'" or part[-1] != "'":
        raise ValueError(f"expected single quoted string but got {part}")

    def unescaped(found: re.Match[str]) -> str:
        character = found.group()[1]
        if character not in _ESCAPES:
            raise ValueError(f"invalid string literal: invalid escape char {found.group()}")
        return _ESCAPES[character]

    return _ESCAPE.sub(unescaped, part[1:-1])


def _parts(path: str) -> Iterator[str]:
    """The delimiters ``.``, ``[`` and ``]``, and what is between them; in single quotes they delimit nothing."""
    at = 0
    while at < len(path):
        start = at
        if path[at] == "'":
            at = _end_of_quote(path, at)
        elif path[at] in ".[]":
            at += 1
        else:
            while at < len(path) and path[at] not in ".[]":
                at += 1
        yield path[start:at]


def _end_of_quote(path: str, start: int) -> int:
    for at in range(start + 1, len(path)):
        if path[at] == "'" and path[at - 1] != "\\":
            return at + 1
    return len(path)
