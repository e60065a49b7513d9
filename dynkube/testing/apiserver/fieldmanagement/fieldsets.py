"""Sets of fields, as tries: what a manager owns, what a change touches.

A `FieldSet` maps an element to the set of what lies below it; the entry ``"."`` says that the field
itself is a member. So fieldsV1's ``{"f:data": {"f:a": {}}}`` is ``{"f:data": {"f:a": {".": {}}}}``
here: a leaf says what fieldsV1 leaves unsaid, and every operation is one plain recursion. No
node but `NOTHING` is empty. Sets share nodes and are never changed; every function makes a new one.

structured-merge-diff/fieldpath/{set,serialize}.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from dynkube.testing.apiserver.fieldmanagement import elements
from dynkube.testing.apiserver.fieldmanagement.elements import Path
from dynkube.testing.apiserver.fieldmanagement.problems import ProblemError
from dynkube.testing.apiserver.words.govalues import json_text

__all__ = [
    "ITSELF",
    "LEAF",
    "NOTHING",
    "FieldSet",
    "below",
    "decode",
    "difference",
    "encode",
    "has",
    "intersection",
    "of_paths",
    "paths",
    "recursive_difference",
    "union",
]

FieldSet = Mapping[str, "FieldSet"]
"""A trie of elements. Of the root nobody is owner: it has no ``"."``."""

ITSELF = "."
NOTHING: FieldSet = {}
LEAF: FieldSet = {ITSELF: NOTHING}


def of_paths(members: Iterable[Path]) -> FieldSet:
    """The set of these fields. Their parents are no members."""
    root: dict[str, Any] = {}
    for path in members:
        node = root
        for element in path:
            node = node.setdefault(element, {})
        node[ITSELF] = NOTHING
    return root


def paths(fields: FieldSet, prefix: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every member: those of one level before those below them, each level in order (Set.Iterate)."""
    ordered = elements.in_order(each for each in fields if each != ITSELF)
    for element in ordered:
        if ITSELF in fields[element]:
            yield (*prefix, element)
    for element in ordered:
        yield from paths(fields[element], (*prefix, element))


def has(fields: FieldSet, path: Path) -> bool:
    """Whether a field is a member."""
    for element in path:
        fields = fields.get(element, NOTHING)
    return ITSELF in fields


def below(fields: FieldSet, element: str) -> FieldSet:
    """What is below a child, itself left out (WithPrefix)."""
    node = fields.get(element, NOTHING)
    if ITSELF not in node:
        return node
    return {each: child for each, child in node.items() if each != ITSELF}


def union(first: FieldSet, second: FieldSet) -> FieldSet:
    """What is in either."""
    if not second or first is second:
        return first
    if not first:
        return second
    joined = dict(first)
    for element, theirs in second.items():
        mine = joined.get(element)
        joined[element] = theirs if mine is None else union(mine, theirs)
    return joined


def intersection(first: FieldSet, second: FieldSet) -> FieldSet:
    """What is in both."""
    if len(second) < len(first):
        first, second = second, first
    shared: dict[str, FieldSet] = {}
    for element, mine in first.items():
        theirs = second.get(element)
        if theirs is None:
            continue
        if element == ITSELF:
            shared[element] = NOTHING
        elif both := intersection(mine, theirs):
            shared[element] = both
    return shared


def difference(first: FieldSet, second: FieldSet) -> FieldSet:
    """What is in the first and not in the second; a member's children stay."""
    if not second:
        return first
    left: dict[str, FieldSet] = {}
    for element, mine in first.items():
        theirs = second.get(element)
        if theirs is None:
            left[element] = mine
        elif element != ITSELF and (rest := difference(mine, theirs)):
            left[element] = rest
    return left


def recursive_difference(first: FieldSet, second: FieldSet) -> FieldSet:
    """What is in the first and neither in the second nor below a member of it."""
    if not second:
        return first
    left: dict[str, FieldSet] = {}
    for element, mine in first.items():
        theirs = second.get(element)
        if theirs is None:
            left[element] = mine
        elif ITSELF not in theirs and (rest := recursive_difference(mine, theirs)):
            left[element] = rest
    return left


def decode(fields: Any) -> FieldSet:
    """The set that a fieldsV1 says; elements of types that no one knows are dropped.

    Raises:
        ProblemError: It is no fieldsV1.
    """
    decoded = _decode(fields)
    return NOTHING if decoded is LEAF else below({"": decoded}, "")


def _decode(fields: Any) -> FieldSet:
    """One node. What has no children is a member, said or not."""
    if fields is None or fields == {}:
        return LEAF
    if not isinstance(fields, dict):
        raise ProblemError(f"expect {{ or n, but found {json_text(fields)}")
    node: dict[str, FieldSet] = {}
    for element, child in fields.items():
        if element[:2] == "f:":
            known: str | None = element
        elif element == ITSELF:
            node[ITSELF] = NOTHING
            continue
        else:
            known = elements.parse(element)
        if known is not None:
            node[known] = union(node[known], _decode(child)) if known in node else _decode(child)
    return node or LEAF


def encode(fields: FieldSet) -> dict[str, Any]:
    """As fieldsV1: ordered, a leaf's membership left unsaid. A new dict that shares nothing."""
    encoded: dict[str, Any] = {}
    for element in elements.in_order(fields):
        child = fields[element]
        encoded[element] = {} if child is LEAF or (len(child) == 1 and ITSELF in child) else encode(child)
    return encoded
