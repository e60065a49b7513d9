"""Changes of objects that were invalid before: what did not change is let pass; expected is what a real server said."""

from __future__ import annotations

from typing import Any

import pytest
from customs import judged, strategy, thing

from dynkube.testing.apiserver.customresources.correlation import Correlation, same
from dynkube.testing.apiserver.customresources.structural import structural


@pytest.mark.parametrize(
    ("schema", "value", "old", "problems"),
    [
        ({"type": "object", "properties": {"a": {"type": "string", "maxLength": 2}}}, {"a": "abc"}, {"a": "abc"}, []),
        (
            {"type": "object", "properties": {"a": {"type": "string", "maxLength": 2}}},
            {"a": "abd"},
            {"a": "abc"},
            ["spec.a: Too long: may not be more than 2 bytes"],
        ),
        (
            {
                "type": "object",
                "properties": {"a": {"type": "string", "maxLength": 2}, "b": {"type": "string", "maxLength": 2}},
            },
            {"a": "abc", "b": "abd"},
            {"a": "abc", "b": "abc"},
            ["spec.b: Too long: may not be more than 2 bytes"],
        ),
        (
            {"type": "object", "properties": {"a": {"type": "string", "maxLength": 2}}},
            {"a": "abc"},
            {},
            ["spec.a: Too long: may not be more than 2 bytes"],
        ),
        (
            {"type": "object", "additionalProperties": {"type": "string", "maxLength": 2}},
            {"a": "abc", "b": "abc"},
            {"a": "abc"},
            ["spec.b: Too long: may not be more than 2 bytes"],
        ),
        (
            {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}, "required": ["b"]},
            {"a": "x"},
            {"a": "x"},
            [],
        ),
        (
            {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}, "required": ["b"]},
            {"a": "y"},
            {"a": "x"},
            ["spec.b: Required value"],
        ),
        ({"type": "object", "properties": {"a": {"type": "integer", "enum": [1]}}}, {"a": 2}, {"a": 2}, []),
        (
            {"type": "object", "maxProperties": 1, "additionalProperties": {"type": "string"}},
            {"a": "x", "b": "y"},
            {"a": "x", "b": "y"},
            [],
        ),
        (
            {"type": "object", "maxProperties": 1, "additionalProperties": {"type": "string"}},
            {"a": "x", "b": "z"},
            {"a": "x", "b": "y"},
            ["spec: Too many: 2: must have at most 1 item"],
        ),
        (
            {"type": "object", "properties": {"a": {"type": "integer", "anyOf": [{"minimum": 5}, {"maximum": 1}]}}},
            {"a": 3},
            {"a": 3},
            [],
        ),
        (
            {"type": "object", "properties": {"a": {"type": "integer", "anyOf": [{"minimum": 5}, {"maximum": 1}]}}},
            {"a": 3},
            {"a": 2},
            [
                '<nil>: Invalid value: "": "spec.a" must validate at least one schema (anyOf)',
                "spec.a: Invalid value: 3: spec.a in body should be greater than or equal to 5",
            ],
        ),
    ],
    ids=str,
)
def test_a_value_that_did_not_change_may_be_invalid(schema: Any, value: Any, old: Any, problems: list[str]) -> None:
    assert judged(schema, value, old) == problems


@pytest.mark.parametrize(
    ("schema", "value", "old", "problems"),
    [
        (
            {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "k": {"type": "string"},
                        "v": {"type": "string", "maxLength": 2},
                        "n": {"type": "integer", "maximum": 5},
                    },
                    "required": ["k"],
                },
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["k"],
            },
            [{"k": "a", "v": "abc"}],
            [{"k": "a", "v": "abc"}],
            [],
        ),
        (
            {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "k": {"type": "string"},
                        "v": {"type": "string", "maxLength": 2},
                        "n": {"type": "integer", "maximum": 5},
                    },
                    "required": ["k"],
                },
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["k"],
            },
            [{"k": "b"}, {"k": "a", "v": "abc"}],
            [{"k": "a", "v": "abc"}],
            [],
        ),
        (
            {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "k": {"type": "string"},
                        "v": {"type": "string", "maxLength": 2},
                        "n": {"type": "integer", "maximum": 5},
                    },
                    "required": ["k"],
                },
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["k"],
            },
            [{"k": "b", "v": "abc"}],
            [{"k": "a", "v": "abc"}],
            ["spec[0].v: Too long: may not be more than 2 bytes"],
        ),
        (
            {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "k": {"type": "string"},
                        "v": {"type": "string", "maxLength": 2},
                        "n": {"type": "integer", "maximum": 5},
                    },
                    "required": ["k"],
                },
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["k"],
            },
            [{"k": "a", "v": "abc", "n": 9}],
            [{"k": "a", "v": "abc"}],
            ["spec[0].n: Invalid value: 9: spec[0].n in body should be less than or equal to 5"],
        ),
        (
            {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "k": {"type": "string"},
                        "v": {"type": "string", "maxLength": 2},
                        "n": {"type": "integer", "maximum": 5},
                    },
                    "required": ["k"],
                },
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["k"],
            },
            [{"v": "abc"}, {"k": "c"}],
            [{"v": "abc"}],
            ["spec[0].v: Too long: may not be more than 2 bytes", "spec[0].k: Required value"],
        ),
    ],
    ids=str,
)
def test_items_of_lists_of_type_map_are_known_by_their_keys(
    schema: Any, value: Any, old: Any, problems: list[str]
) -> None:
    assert judged(schema, value, old) == problems


@pytest.mark.parametrize(
    ("schema", "value", "old", "problems"),
    [
        ({"type": "array", "items": {"type": "string", "maxLength": 2}}, ["abc"], ["abc"], []),
        (
            {"type": "array", "items": {"type": "string", "maxLength": 2}},
            ["abc", "x"],
            ["abc"],
            ["spec[0]: Too long: may not be more than 2 bytes"],
        ),
        (
            {"type": "array", "items": {"type": "string", "maxLength": 2}, "x-kubernetes-list-type": "set"},
            ["x", "abc"],
            ["abc"],
            ["spec[1]: Too long: may not be more than 2 bytes"],
        ),
        (
            {"type": "array", "items": {"type": "string", "maxLength": 2}, "x-kubernetes-list-type": "atomic"},
            ["abc", "x"],
            ["abc"],
            ["spec[0]: Too long: may not be more than 2 bytes"],
        ),
        (
            {"type": "array", "items": {"type": "object", "properties": {"a": {"type": "string", "maxLength": 2}}}},
            [{"a": "abc"}, {}],
            [{"a": "abc"}],
            ["spec[0].a: Too long: may not be more than 2 bytes"],
        ),
    ],
    ids=str,
)
def test_items_of_other_lists_are_not_known_again(schema: Any, value: Any, old: Any, problems: list[str]) -> None:
    assert judged(schema, value, old) == problems


@pytest.mark.parametrize(
    ("schema", "value", "old", "problems"),
    [
        (
            {"type": "array", "items": {"type": "string", "maxLength": 2}, "x-kubernetes-list-type": "set"},
            ["a", "a"],
            ["a", "a"],
            [],
        ),
        (
            {"type": "array", "items": {"type": "string", "maxLength": 2}, "x-kubernetes-list-type": "set"},
            ["a", "a", "b"],
            ["a", "a"],
            [],
        ),
        (
            {"type": "array", "items": {"type": "string", "maxLength": 2}, "x-kubernetes-list-type": "set"},
            ["a", "a"],
            ["a"],
            ['spec[1]: Duplicate value: "a"'],
        ),
        (
            {"type": "array", "items": {"type": "string", "maxLength": 2}, "x-kubernetes-list-type": "set"},
            ["a", "a", "b", "b"],
            ["a", "a"],
            [],
        ),
        (
            {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "k": {"type": "string"},
                        "v": {"type": "string", "maxLength": 2},
                        "n": {"type": "integer", "maximum": 5},
                    },
                    "required": ["k"],
                },
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["k"],
            },
            [{"k": "a"}, {"k": "a"}],
            [{"k": "a"}, {"k": "a"}],
            [],
        ),
        (
            {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "k": {"type": "string"},
                        "v": {"type": "string", "maxLength": 2},
                        "n": {"type": "integer", "maximum": 5},
                    },
                    "required": ["k"],
                },
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["k"],
            },
            [{"k": "a"}, {"k": "a"}],
            [{"k": "a"}],
            ['spec[1]: Duplicate value: {"k":"a"}'],
        ),
    ],
    ids=str,
)
def test_lists_that_held_something_twice_may_go_on_doing_so(
    schema: Any, value: Any, old: Any, problems: list[str]
) -> None:
    assert judged(schema, value, old) == problems


@pytest.mark.parametrize(
    ("schema", "value", "old", "problems"),
    [
        (
            {"type": "object", "x-kubernetes-embedded-resource": True, "x-kubernetes-preserve-unknown-fields": True},
            {"x": 1},
            {"x": 1},
            ["spec.apiVersion: Required value", "spec.kind: Required value"],
        ),
        (
            {"type": "object", "x-kubernetes-embedded-resource": True, "x-kubernetes-preserve-unknown-fields": True},
            {"apiVersion": "v1", "kind": "P", "metadata": {"labels": {"a b": "c"}}},
            {"apiVersion": "v1", "kind": "P", "metadata": {"labels": {"a b": "c"}}},
            [
                "spec.metadata.labels: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
            ],
        ),
    ],
    ids=str,
)
def test_embedded_resources_are_judged_again(schema: Any, value: Any, old: Any, problems: list[str]) -> None:
    assert judged(schema, value, old) == problems


def test_a_kind_stays_what_it_is() -> None:
    kind = strategy({"type": "object"})
    told = [str(each) for each in kind.validate_update(thing({}, kind="Other"), thing({}), "")]
    assert told == ['kind: Invalid value: "Other": must be K']
    assert [str(each) for each in kind.validate(thing({}, kind="Other"))] == told


def test_an_update_of_the_status_judges_the_status_alone() -> None:
    status = {"type": "object", "properties": {"n": {"type": "integer", "maximum": 5}}}
    schema = {"type": "object", "properties": {"spec": {"type": "string"}, "status": status}}
    kind = strategy({}, schema={"openAPIV3Schema": schema}, subresources={"status": {}})
    obj, old = thing(5, status={"n": 9}), thing(5, status={"n": 8})
    told = [str(each) for each in kind.validate_update(obj, old, "status")]
    assert told == ["status.n: Invalid value: 9: n in body should be less than or equal to 5"]
    assert not kind.validate_update(thing(5, status={"n": 8}), old, "status")
    assert not kind.validate_update(thing(5), old, "status")


def test_values_and_what_they_were() -> None:
    schema = structural({"type": "object", "properties": {"a": {"type": "string"}}})
    both = Correlation({"a": 1, "b": 2}, {"a": 1, "b": 3}, schema)
    found = both.key("a")
    assert found is not None
    assert found.is_unchanged()
    assert not both.is_unchanged()
    assert both.key("none") is None


@pytest.mark.parametrize(
    ("one", "other", "are_same"),
    [
        (1, 1.0, False),
        (True, 1, False),
        ([1], [1], True),
        ({"a": 1}, {"a": 1.0}, False),
        (None, None, True),
        ("a", "b", False),
    ],
)
def test_values_are_the_same_with_their_types(one: Any, other: Any, are_same: bool) -> None:
    assert same(one, other) is are_same
