"""Pruning, nulls, defaults and what is embedded; what is expected is what a real server made of it."""

from __future__ import annotations

from typing import Any

import pytest
from customs import GROUP_VERSION, decoded, shaped, strategy, thing

from dynkube.schema import GroupVersion
from dynkube.testing.apiserver.customresources.structural import copied, structural
from dynkube.testing.apiserver.decoding import DecodingError


@pytest.mark.parametrize(
    ("schema", "value", "kept", "told"),
    [
        (
            {"type": "object", "properties": {"a": {"type": "string"}}},
            {"a": "x", "b": 1},
            {"a": "x"},
            ['unknown field "spec.b"'],
        ),
        (
            {"type": "object", "properties": {"a": {"type": "object", "properties": {"b": {"type": "string"}}}}},
            {"a": {"b": "x", "c": {"d": 1}}, "e": [1]},
            {"a": {"b": "x"}},
            ['unknown field "spec.a.c"', 'unknown field "spec.e"'],
        ),
        (
            {"type": "array", "items": {"type": "object", "properties": {"a": {"type": "string"}}}},
            [{"a": "x", "b": 1}, {"b": 2}],
            [{"a": "x"}, {}],
            ['unknown field "spec[0].b"', 'unknown field "spec[1].b"'],
        ),
        (
            {"type": "object", "additionalProperties": {"type": "object", "properties": {"a": {"type": "string"}}}},
            {"x": {"a": "y", "b": 1}, "z": {"c": 1}},
            {"x": {"a": "y"}, "z": {}},
            ['unknown field "spec.x.b"', 'unknown field "spec.z.c"'],
        ),
        ({"type": "object", "additionalProperties": True}, {"x": {"a": 1}}, {"x": {}}, ['unknown field "spec.x.a"']),
        ({"type": "object"}, {"a": 1, "b": {"c": 1}}, {}, ['unknown field "spec.a"', 'unknown field "spec.b"']),
        (
            {"type": "object", "properties": {"a": {"type": "object"}}},
            {"a": {"b": 1}},
            {"a": {}},
            ['unknown field "spec.a.b"'],
        ),
        (
            {"type": "object", "properties": {"a": {"type": "array", "items": {"type": "object"}}}},
            {"a": [{"b": 1}, 5]},
            {"a": [{}, 5]},
            ['unknown field "spec.a[0].b"'],
        ),
        ({"type": "object", "properties": {"a": {"type": "string"}}}, [1], [1], []),
        (
            {"type": "object", "properties": {"a": {"type": "string"}}},
            {"a": {"b": 1}},
            {"a": {}},
            ['unknown field "spec.a.b"'],
        ),
    ],
    ids=str,
)
def test_fields_that_the_schema_does_not_name_go(schema: Any, value: Any, kept: Any, told: list[str]) -> None:
    assert shaped(schema, value) == (kept, told)


@pytest.mark.parametrize(
    ("schema", "value", "kept", "told"),
    [
        ({"type": "object", "x-kubernetes-preserve-unknown-fields": True}, {"a": {"b": [1]}}, {"a": {"b": [1]}}, []),
        (
            {
                "type": "object",
                "properties": {"a": {"type": "object", "properties": {"b": {"type": "string"}}}},
                "x-kubernetes-preserve-unknown-fields": True,
            },
            {"a": {"b": "x", "c": 1}, "d": {"e": 1}},
            {"a": {"b": "x"}, "d": {"e": 1}},
            ['unknown field "spec.a.c"'],
        ),
        (
            {
                "type": "object",
                "properties": {
                    "a": {
                        "type": "object",
                        "properties": {
                            "b": {"type": "string"},
                            "c": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                        },
                    }
                },
                "x-kubernetes-preserve-unknown-fields": True,
            },
            {"a": {"c": {"x": 1}, "d": 1}},
            {"a": {"c": {"x": 1}}},
            ['unknown field "spec.a.d"'],
        ),
        (
            {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"a": {"type": "object", "properties": {"b": {"type": "string"}}}},
                    "x-kubernetes-preserve-unknown-fields": True,
                },
            },
            [{"a": {"c": 1}, "x": 1}],
            [{"a": {}, "x": 1}],
            ['unknown field "spec[0].a.c"'],
        ),
        (
            {"type": "object", "properties": {"a": {"x-kubernetes-preserve-unknown-fields": True}}},
            {"a": [{"b": 1}]},
            {"a": [{"b": 1}]},
            [],
        ),
    ],
    ids=str,
)
def test_where_unknown_fields_are_preserved_what_is_specified_inside_is_pruned(
    schema: Any, value: Any, kept: Any, told: list[str]
) -> None:
    assert shaped(schema, value) == (kept, told)


@pytest.mark.parametrize(
    ("schema", "value", "kept", "told"),
    [
        ({"type": "object", "properties": {"a": {"type": "string"}}}, {"a": None}, {}, []),
        ({"type": "object", "properties": {"a": {"type": "string", "nullable": True}}}, {"a": None}, {"a": None}, []),
        ({"type": "object", "properties": {"a": {"type": "string", "default": "x"}}}, {"a": None}, {"a": "x"}, []),
        (
            {"type": "object", "properties": {"a": {"type": "string", "default": "x", "nullable": True}}},
            {"a": None},
            {"a": None},
            [],
        ),
        (
            {
                "type": "object",
                "properties": {
                    "a": {"type": "array", "items": {"type": "object", "properties": {"b": {"type": "string"}}}}
                },
            },
            {"a": [{"b": None}, None]},
            {"a": [{}, None]},
            [],
        ),
        ({"type": "object", "additionalProperties": {"type": "string"}}, {"a": None}, {}, []),
        ({"type": "object", "x-kubernetes-preserve-unknown-fields": True}, {"a": None}, {"a": None}, []),
        (
            {"type": "object", "properties": {"a": {"type": "string"}}, "x-kubernetes-preserve-unknown-fields": True},
            {"a": None, "b": None},
            {"b": None},
            [],
        ),
    ],
    ids=str,
)
def test_nulls_go_where_they_are_no_values(schema: Any, value: Any, kept: Any, told: list[str]) -> None:
    assert shaped(schema, value) == (kept, told)


@pytest.mark.parametrize(
    ("schema", "value", "kept", "told"),
    [
        ({"type": "object", "properties": {"a": {"type": "integer", "default": 1}}}, {}, {"a": 1}, []),
        ({"type": "object", "properties": {"a": {"type": "integer", "default": 1}}}, {"a": 2}, {"a": 2}, []),
        (
            {
                "type": "object",
                "properties": {
                    "a": {"type": "object", "properties": {"b": {"type": "integer", "default": 1}}, "default": {}}
                },
            },
            {},
            {"a": {"b": 1}},
            [],
        ),
        (
            {
                "type": "object",
                "properties": {"a": {"type": "object", "properties": {"b": {"type": "integer", "default": 1}}}},
            },
            {},
            {},
            [],
        ),
        (
            {
                "type": "object",
                "properties": {"a": {"type": "object", "properties": {"b": {"type": "integer", "default": 1}}}},
            },
            {"a": {}},
            {"a": {"b": 1}},
            [],
        ),
        (
            {"type": "array", "items": {"type": "object", "properties": {"b": {"type": "integer", "default": 1}}}},
            [{}, {"b": 2}],
            [{"b": 1}, {"b": 2}],
            [],
        ),
        (
            {
                "type": "object",
                "additionalProperties": {"type": "object", "properties": {"b": {"type": "integer", "default": 1}}},
            },
            {"x": {}},
            {"x": {"b": 1}},
            [],
        ),
        ({"type": "array", "items": {"type": "string", "default": "x"}}, [None, "y"], ["x", "y"], []),
        ({"type": "object", "additionalProperties": {"type": "string", "default": "x"}}, {"a": None}, {"a": "x"}, []),
        (
            {"type": "object", "properties": {"a": {"type": "array", "items": {"type": "integer"}, "default": [1, 2]}}},
            {},
            {"a": [1, 2]},
            [],
        ),
        (
            {
                "type": "object",
                "properties": {
                    "a": {"type": "object", "x-kubernetes-preserve-unknown-fields": True, "default": {"x": [1.5, None]}}
                },
            },
            {},
            {"a": {"x": [1.5, None]}},
            [],
        ),
        (
            {"type": "object", "properties": {"a": {"type": "integer", "default": 1}}, "default": {"a": 2}},
            None,
            {"a": 2},
            [],
        ),
        ({"type": "object", "properties": {"a": {"type": "number", "default": 1.0}}}, {}, {"a": 1}, []),
    ],
    ids=str,
)
def test_defaults(schema: Any, value: Any, kept: Any, told: list[str]) -> None:
    assert shaped(schema, value) == (kept, told)


@pytest.mark.parametrize(
    ("schema", "value", "kept", "told"),
    [
        (
            {
                "type": "object",
                "properties": {
                    "a": {
                        "type": "object",
                        "x-kubernetes-embedded-resource": True,
                        "x-kubernetes-preserve-unknown-fields": True,
                    }
                },
            },
            {"a": {"apiVersion": "v1", "kind": "P", "metadata": {"name": "x", "odd": 1}, "b": 1}},
            {"a": {"apiVersion": "v1", "b": 1, "kind": "P", "metadata": {"name": "x"}}},
            ['unknown field "spec.a.metadata.odd"'],
        ),
        (
            {
                "type": "object",
                "properties": {
                    "a": {
                        "type": "object",
                        "x-kubernetes-embedded-resource": True,
                        "x-kubernetes-preserve-unknown-fields": True,
                    }
                },
            },
            {"a": {"apiVersion": "v1", "kind": "P", "metadata": {"labels": {"a": "b"}, "creationTimestamp": None}}},
            {"a": {"apiVersion": "v1", "kind": "P", "metadata": {"labels": {"a": "b"}}}},
            [],
        ),
        (
            {
                "type": "array",
                "items": {
                    "type": "object",
                    "x-kubernetes-embedded-resource": True,
                    "x-kubernetes-preserve-unknown-fields": True,
                },
            },
            [{"apiVersion": "v1", "kind": "P", "metadata": {"x": {}}}],
            [{"apiVersion": "v1", "kind": "P", "metadata": {}}],
            ['unknown field "spec[0].metadata.x"'],
        ),
    ],
    ids=str,
)
def test_metadata_of_what_is_embedded_is_pruned(schema: Any, value: Any, kept: Any, told: list[str]) -> None:
    assert shaped(schema, value) == (kept, told)


def test_defaults_are_nobodys_but_the_objects() -> None:
    kind = strategy(
        {"type": "object", "properties": {"a": {"type": "array", "items": {"type": "string"}, "default": ["x"]}}}
    )
    for _ in range(2):
        obj = thing({})
        decoded(kind, obj)
        assert obj["spec"] == {"a": ["x"]}
        obj["spec"]["a"].append("y")


@pytest.mark.parametrize(
    ("metadata", "problem"),
    [
        ({"labels": {"a": 1}}, "cannot unmarshal number into Go struct field ObjectMeta.labels of type string"),
        ({"name": 5}, "cannot unmarshal number into Go struct field ObjectMeta.name of type string"),
        ({"finalizers": "x"}, "cannot unmarshal string into Go struct field ObjectMeta.finalizers of type []string"),
        ([], "cannot unmarshal array into Go value of type"),
    ],
    ids=str,
)
def test_metadata_that_is_none_is_not_read(metadata: Any, problem: str) -> None:
    with pytest.raises(DecodingError) as caught:
        strategy({"type": "object"}).normalize(thing({}, metadata=metadata), GROUP_VERSION)
    assert problem in str(caught.value)


def test_metadata_loses_what_it_has_no_field_for() -> None:
    obj = thing({}, metadata={"name": "x", "odd": 1, "labels": None, "creationTimestamp": None})
    told = strategy({"type": "object"}).normalize(obj, GROUP_VERSION)
    assert (obj["metadata"], told) == ({"name": "x"}, ['unknown field "metadata.odd"'])


def test_versions_that_are_not_there_leave_objects_alone() -> None:
    obj = thing({"any": 1})
    kind = strategy({"type": "object"})
    assert kind.normalize(obj, GroupVersion("g.io", "v9")) == []
    kind.default(obj, GroupVersion("g.io", "v9"))
    assert obj["spec"] == {"any": 1}


def test_a_structural_schema_is_read_once() -> None:
    schema = structural({"type": "object", "properties": {"a": {"type": "string", "default": "x"}}})
    assert (schema.has_defaults, schema.has_embedded, schema.has_unique_lists) == (True, False, False)
    root = schema.as_resource()
    assert root.is_embedded
    assert root.as_resource() is root
    assert schema.field("a") is schema.properties["a"]
    assert schema.field("b") is None
    data = {"a": [{"b": 1}]}
    assert copied(data) == data
    assert copied(data)["a"][0] is not data["a"][0]
