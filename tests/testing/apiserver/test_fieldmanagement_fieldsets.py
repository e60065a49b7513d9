"""Sets of fields are sets of paths: each operation is what it is on plain sets of paths."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynkube.testing.apiserver.fieldmanagement import fieldsets
from dynkube.testing.apiserver.fieldmanagement.fieldsets import FieldSet
from dynkube.testing.apiserver.fieldmanagement.problems import ProblemError

Paths = frozenset[tuple[str, ...]]

elements = st.sampled_from(["f:a", "f:b", 'k:{"a":1}', "v:1"])
some_paths = st.frozensets(st.lists(elements, min_size=1, max_size=3).map(tuple), max_size=6)


def members(fields: FieldSet) -> Paths:
    return frozenset(fieldsets.paths(fields))


def is_below(path: tuple[str, ...], tops: Iterable[tuple[str, ...]]) -> bool:
    return any(path[: len(top)] == top for top in tops)


@given(one=some_paths, other=some_paths)
def test_operations(one: Paths, other: Paths) -> None:
    first, second = fieldsets.of_paths(one), fieldsets.of_paths(other)
    assert members(first) == one
    assert members(fieldsets.union(first, second)) == one | other
    assert members(fieldsets.intersection(first, second)) == one & other
    assert members(fieldsets.difference(first, second)) == one - other
    rest = {path for path in one if not is_below(path, other)}
    assert members(fieldsets.recursive_difference(first, second)) == rest
    assert all(fieldsets.has(first, path) == (path in one) for path in one | other)


@given(one=some_paths, other=some_paths)
def test_nothing_empty_is_left_in_a_set(one: Paths, other: Paths) -> None:
    first, second = fieldsets.of_paths(one), fieldsets.of_paths(other)
    for made in (
        fieldsets.intersection(first, second),
        fieldsets.difference(first, second),
        fieldsets.recursive_difference(first, second),
    ):
        assert made == fieldsets.of_paths(members(made))


@given(one=some_paths)
def test_what_is_encoded_is_decoded(one: Paths) -> None:
    fields = fieldsets.of_paths(one)
    assert fieldsets.decode(fieldsets.encode(fields)) == fields


def test_fields_v1_leaves_the_membership_of_leaves_unsaid() -> None:
    fields = fieldsets.of_paths([("f:b",), ("f:b", "f:c"), ("f:a", 'k:{"n":1}', "f:d")])
    assert list(fieldsets.encode(fields).items()) == [
        ("f:a", {'k:{"n":1}': {"f:d": {}}}),
        ("f:b", {".": {}, "f:c": {}}),
    ]


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        (None, {}),
        ({}, {}),
        ({".": {}}, {}),
        ({"f:a": None}, {"f:a": {}}),
        ({"f:a": {".": {}}}, {"f:a": {}}),
        ({"f:a": {".": {"x": 1}, "f:b": {}}}, {"f:a": {".": {}, "f:b": {}}}),
        ({"q:a": {}, "f:a": {"z:b": {}}}, {"f:a": {}}),
        ({"v:1.0": {}, "v:1": {"f:a": {}}}, {"v:1": {".": {}, "f:a": {}}}),
    ],
)
def test_what_clients_send_is_stored_in_one_spelling(sent: Any, stored: Any) -> None:
    assert fieldsets.encode(fieldsets.decode(sent)) == stored


@pytest.mark.parametrize("sent", ["x", 1, [], True, {"a": {}}, {"f:a": "x"}, {"f:a": {"f:b": []}}, {"k:1": {}}])
def test_what_is_no_set_is_refused(sent: Any) -> None:
    with pytest.raises(ProblemError):
        fieldsets.decode(sent)


def test_paths_come_level_by_level() -> None:
    fields = fieldsets.of_paths([("f:b",), ("f:a", "f:y"), ("f:a", "f:x"), ("f:a",), ("f:a", "f:x", "f:z")])
    assert list(fieldsets.paths(fields)) == [
        ("f:a",), ("f:b",), ("f:a", "f:x"), ("f:a", "f:y"), ("f:a", "f:x", "f:z"),
    ]  # fmt: skip


def test_what_is_below_an_element() -> None:
    fields = fieldsets.of_paths([("f:a",), ("f:a", "f:x")])
    assert members(fieldsets.below(fields, "f:a")) == {("f:x",)}
    assert fieldsets.below(fields, "f:b") == {}
