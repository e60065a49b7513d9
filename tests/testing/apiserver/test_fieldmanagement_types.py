"""What is done with a value and its type: merged, compared, taken apart.

The expected results are the real server's: those of the lists are what it answered to the same configurations.
"""

from __future__ import annotations

from typing import Any

import pytest

from dynkube.testing.apiserver.fieldmanagement.comparison import UNCHANGED, compare
from dynkube.testing.apiserver.fieldmanagement.fieldsets import FieldSet, decode, encode
from dynkube.testing.apiserver.fieldmanagement.mergetypes import DEDUCED, MergeType, merge_type
from dynkube.testing.apiserver.fieldmanagement.merging import merge
from dynkube.testing.apiserver.fieldmanagement.problems import ProblemError
from dynkube.testing.apiserver.fieldmanagement.reconciling import reconcile, with_named_fields
from dynkube.testing.apiserver.fieldmanagement.removal import remove
from dynkube.testing.apiserver.fieldmanagement.validation import check
from dynkube.testing.apiserver.fieldmanagement.values import field_set
from dynkube.testing.apiserver.words.schemas import Definitions, Schema

TEXT: dict[str, Any] = {"type": "string"}
NUMBER: dict[str, Any] = {"type": "integer"}


def kind(raw: dict[str, Any]) -> MergeType:
    """The type of one node of a schema."""
    return merge_type(Definitions({"components": {"schemas": {"it": {"properties": {"x": raw}}}}}).find("it")).fields[
        "x"
    ]


def listed(items: dict[str, Any], *keys: str) -> dict[str, Any]:
    """A list that is a map by these keys, or a set without any."""
    how: dict[str, Any] = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(keys)}
    return {"type": "array", "items": items, **(how if keys else {"x-kubernetes-list-type": "set"})}


def described(**fields: Any) -> dict[str, Any]:
    return {"type": "object", "properties": fields}


ITEM = described(name=TEXT, kind={**TEXT, "default": "plain"}, value=TEXT, sub=described(a=TEXT))
ENTRIES = kind(listed(ITEM, "name"))
PAIRS = kind(listed(ITEM, "name", "kind"))
SET = kind(listed(TEXT))
ATOMIC_SCHEMA: dict[str, Any] = {"type": "array", "items": ITEM}
ATOMIC = kind(ATOMIC_SCHEMA)
LABELS = kind({"type": "object", "additionalProperties": TEXT})
BLOCK_SCHEMA = {**described(a=TEXT, b=TEXT), "x-kubernetes-map-type": "atomic"}
BLOCK = kind(BLOCK_SCHEMA)
FIELDS = kind(described(text=TEXT, labels={"type": "object", "additionalProperties": TEXT}, sub=described(a=TEXT)))
ANYTHING = kind({})
PORT = kind({"x-kubernetes-int-or-string": True})


def fields(fields_v1: Any) -> FieldSet:
    return decode(fields_v1)


# ------------------------------------------------------------------ types


@pytest.mark.parametrize(
    ("raw", "scalar"),
    [
        (TEXT, "string"),
        ({"type": "string", "format": "byte"}, "string"),
        ({"type": "string", "format": "date-time"}, "untyped"),
        (NUMBER, "numeric"),
        ({"type": "number"}, "numeric"),
        ({"type": "boolean"}, "boolean"),
        ({"type": "object"}, ""),
        ({"type": "array", "items": TEXT}, ""),
        ({}, "untyped"),
    ],
)
def test_scalars(raw: dict[str, Any], scalar: str) -> None:
    assert kind(raw).scalar == scalar


@pytest.mark.parametrize(
    ("extensions", "is_atomic", "keys"),
    [
        ({}, True, ()),
        ({"x-kubernetes-list-type": "atomic"}, True, ()),
        ({"x-kubernetes-list-type": "set"}, False, ()),
        ({"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["b", "a"]}, False, ("b", "a")),
        ({"x-kubernetes-patch-strategy": "merge", "x-kubernetes-patch-merge-key": "name"}, False, ("name",)),
        ({"x-kubernetes-patch-strategy": "merge,retainKeys", "x-kubernetes-patch-merge-key": "n"}, False, ("n",)),
        ({"x-kubernetes-patch-strategy": "merge"}, False, ()),
        ({"x-kubernetes-patch-strategy": "retainKeys"}, True, ()),
        ({"x-kubernetes-list-type": "atomic", "x-kubernetes-patch-strategy": "merge"}, True, ()),
    ],
)
def test_lists(extensions: dict[str, Any], is_atomic: bool, keys: tuple[str, ...]) -> None:
    found = kind({"type": "array", "items": ITEM, **extensions})
    assert (found.is_atomic_list, found.keys) == (is_atomic, keys)


def test_a_map_without_a_schema_for_its_values_may_hold_anything() -> None:
    assert kind({"type": "object"}).values is DEDUCED
    assert kind({"type": "object", "additionalProperties": True}).values is DEDUCED
    assert kind({"type": "object", "additionalProperties": False}).values is None
    assert kind(described(a=TEXT)).values is None


def test_what_preserves_unknown_fields_says_so_for_what_is_inline_in_it() -> None:
    inner = described(a=TEXT)
    found = kind(
        {**described(sub=inner, ref={"$ref": "#/components/schemas/it"}), "x-kubernetes-preserve-unknown-fields": True}
    )
    assert found.values is DEDUCED
    assert found.fields["sub"].values is DEDUCED
    assert found.fields["ref"].values is None


def test_a_reference_may_say_that_its_map_is_atomic() -> None:
    document = {
        "it": {
            "properties": {"x": {"allOf": [{"$ref": "#/components/schemas/other"}], "x-kubernetes-map-type": "atomic"}}
        }
    }
    definitions = Definitions({"components": {"schemas": {**document, "other": described(a=TEXT)}}})
    assert merge_type(definitions.find("it")).fields["x"].is_atomic_map
    assert not merge_type(definitions.find("other")).is_atomic_map


def test_quantities_and_raw_extensions_are_known_by_name() -> None:
    names = ("io.k8s.apimachinery.pkg.api.resource.Quantity", "io.k8s.apimachinery.pkg.runtime.RawExtension")
    definitions = Definitions({"components": {"schemas": {name: {"type": "object"} for name in names}}})
    quantity, raw = (merge_type(definitions.find(name)) for name in names)
    assert (quantity.scalar, quantity.is_map) == ("untyped", False)
    assert (raw.scalar, raw.is_atomic_map, raw.is_atomic_list) == ("untyped", True, True)


def test_a_type_that_contains_itself() -> None:
    definitions = Definitions({"components": {"schemas": {"it": described(again={"$ref": "#/components/schemas/it"})}}})
    found = merge_type(definitions.find("it"))
    assert found.fields["again"] is found
    assert not found.is_loose


def test_the_same_schema_gives_the_same_type() -> None:
    schema = Schema(TEXT, pytest.fail)
    assert merge_type(schema) is merge_type(schema)
    assert merge_type(schema, preserving=True) is not merge_type(schema)


# ------------------------------------------------------------------ what a value sets


@pytest.mark.parametrize(
    ("of", "value", "fields_v1"),
    [
        (FIELDS, {"text": "a", "labels": {"x": "1"}, "sub": {"a": "1"}},
         {"f:labels": {"f:x": {}}, "f:sub": {"f:a": {}}, "f:text": {}}),
        (FIELDS, {"text": None, "labels": None, "sub": {}}, {"f:labels": {}, "f:sub": {}, "f:text": {}}),
        (LABELS, {"a": "1", "b": None}, {"f:a": {}, "f:b": {}}),
        (kind(described(l=listed(TEXT))), {"l": []}, {}),
        (ENTRIES, [{"name": "a", "sub": {"a": "1"}}],
         {'k:{"name":"a"}': {".": {}, "f:name": {}, "f:sub": {"f:a": {}}}}),
        (PAIRS, [{"name": "a"}], {'k:{"kind":"plain","name":"a"}': {".": {}, "f:name": {}}}),
        (PAIRS, [{"kind": "k"}], {'k:{"kind":"k"}': {".": {}, "f:kind": {}}}),
        (ENTRIES, [{"name": "a", "value": "1"}, {"name": "a"}], {'k:{"name":"a"}': {}}),
        (SET, ["b", "a", "b"], {'v:"a"': {}, 'v:"b"': {}}),
        (kind({**described(a=BLOCK_SCHEMA), "x-kubernetes-preserve-unknown-fields": True}),
         {"a": {"b": "1"}, "c": {"d": [1], "e": {}}}, {"f:a": {}, "f:c": {".": {}, "f:d": {}, "f:e": {}}}),
    ],
)  # fmt: skip
def test_the_fields_of_a_value(of: MergeType, value: Any, fields_v1: Any) -> None:
    assert encode(field_set(value, of)) == fields_v1


# ------------------------------------------------------------------ what changed

CHANGES = [
    # type, old, new, removed, modified, added
    (FIELDS, {"text": "a"}, {"text": "a"}, {}, {}, {}),
    (FIELDS, {"text": "a"}, {"text": "b"}, {}, {"f:text": {}}, {}),
    (FIELDS, {"text": "a"}, {}, {"f:text": {}}, {}, {}),
    (FIELDS, {}, {"labels": {"a": "1"}}, {}, {}, {"f:labels": {".": {}, "f:a": {}}}),
    (FIELDS, {"labels": {}}, {"labels": {"a": "1"}}, {}, {}, {"f:labels": {"f:a": {}}}),
    (FIELDS, {"labels": None}, {"labels": {"a": "1"}}, {}, {}, {"f:labels": {"f:a": {}}}),
    (FIELDS, {"labels": None}, {"labels": {}}, {}, {"f:labels": {}}, {}),
    (FIELDS, {"labels": {"a": "1"}}, {"labels": {}}, {"f:labels": {"f:a": {}}}, {}, {}),
    (FIELDS, {"labels": {"a": "1"}}, {"labels": None}, {"f:labels": {"f:a": {}}}, {}, {}),
    (kind(described(b=BLOCK_SCHEMA)), {"b": {"a": "1"}}, {"b": {"b": "1"}}, {}, {"f:b": {}}, {}),
    (ENTRIES, [{"name": "a", "value": "1"}, {"name": "b"}], [{"name": "c"}, {"name": "a", "value": "2"}],
     {'k:{"name":"b"}': {".": {}, "f:name": {}}},
     {'k:{"name":"a"}': {"f:value": {}}},
     {'k:{"name":"c"}': {".": {}, "f:name": {}}}),
    (SET, ["a", "b"], ["b", "c"], {'v:"a"': {}}, {}, {'v:"c"': {}}),
    # duplicates before and after, no more, and new
    (ENTRIES, [{"name": "a"}, {"name": "a"}], [{"name": "a"}, {"name": "a", "value": "1"}],
     {}, {'k:{"name":"a"}': {}}, {}),
    (ENTRIES, [{"name": "a"}, {"name": "a"}], [{"name": "a"}],
     {'k:{"name":"a"}': {}}, {}, {'k:{"name":"a"}': {".": {}, "f:name": {}}}),
    (ENTRIES, [{"name": "a"}], [{"name": "a"}, {"name": "a"}],
     {'k:{"name":"a"}': {".": {}, "f:name": {}}}, {}, {'k:{"name":"a"}': {}}),
    (ENTRIES, [{"name": "a"}, {"name": "a"}], [], {'k:{"name":"a"}': {}}, {}, {}),
]  # fmt: skip


@pytest.mark.parametrize(("of", "old", "new", "removed", "modified", "added"), CHANGES)
def test_what_changed(of: MergeType, old: Any, new: Any, removed: Any, modified: Any, added: Any) -> None:
    assert [encode(each) for each in compare(old, new, of)] == [removed, modified, added]


@pytest.mark.parametrize(
    ("old", "new", "modified", "added"),
    [
        ({"a": 1}, {"a": True}, {"f:a": {}}, {}),
        ({"a": [1]}, {"a": [True]}, {"f:a": {}}, {}),
        ({"a": {"b": 0}}, {"a": {"b": False}}, {"f:a": {"f:b": {}}}, {}),
        ({"a": 1}, {"a": 1.0}, {}, {}),
        ({"a": "x"}, {"a": {"b": 1}}, {"f:a": {}}, {"f:a": {"f:b": {}}}),
        ({"a": [1]}, {"a": {"b": 1}}, {"f:a": {}}, {"f:a": {"f:b": {}}}),
        ({"a": None}, {"a": {"b": 1}}, {}, {"f:a": {"f:b": {}}}),
        ({"a": None}, {"a": "x"}, {"f:a": {}}, {}),
        ({"a": None}, {"a": []}, {"f:a": {}}, {}),
    ],
)
def test_what_changed_where_anything_may_be(old: Any, new: Any, modified: Any, added: Any) -> None:
    assert [encode(each) for each in compare(old, new, ANYTHING)] == [{}, modified, added]


def test_equal_values_are_not_looked_into() -> None:
    assert compare({"text": "a"}, {"text": "a"}, FIELDS) is UNCHANGED


# ------------------------------------------------------------------ merging


def named(text: str) -> list[dict[str, Any]]:
    return [{"name": each} for each in text]


@pytest.mark.parametrize(
    ("live", "applied", "merged"),
    [
        ("ab", "", "ab"),
        ("", "ab", "ab"),
        ("ab", "ab", "ab"),
        ("ab", "ba", "ba"),
        ("ab", "c", "abc"),
        ("ab", "ca", "cab"),
        ("abc", "ca", "bca"),
        ("abc", "xa", "xabc"),
        ("abcd", "dxb", "acdxb"),
        ("abcd", "bd", "abcd"),
        ("xaybz", "ba", "xybza"),
    ],
)
def test_the_order_of_merged_lists(live: str, applied: str, merged: str) -> None:
    assert "".join(each["name"] for each in merge(named(live), named(applied), ENTRIES)) == merged
    assert "".join(merge(list(live), list(applied), SET)) == merged


@pytest.mark.parametrize(
    ("of", "live", "applied", "merged"),
    [
        (FIELDS, {"text": "a", "labels": {"x": "1"}}, {"labels": {"y": "2"}}, {"text": "a", "labels": {"x": "1", "y": "2"}}),
        (FIELDS, {"text": "a"}, {"text": None}, {"text": None}),
        (FIELDS, {"labels": {"x": "1"}}, {"labels": None}, {"labels": {"x": "1"}}),
        (FIELDS, {"labels": {}}, {"labels": None}, {"labels": None}),
        (FIELDS, {"labels": None}, {"labels": {"x": "1"}}, {"labels": {"x": "1"}}),
        (BLOCK, {"a": "1"}, {"b": "1"}, {"b": "1"}),
        (BLOCK, {"a": "1"}, None, None),
        (ATOMIC, named("ab"), named("c"), named("c")),
        (ENTRIES, named("a"), None, named("a")),
        (ENTRIES, [{"name": "a", "value": "1"}], [{"name": "a", "sub": {"a": "1"}}],
         [{"name": "a", "value": "1", "sub": {"a": "1"}}]),
        # duplicates in the live list: the applied item replaces them, unmerged
        (ENTRIES, [{"name": "a", "value": "1"}, {"name": "b"}, {"name": "a"}], [{"name": "a", "sub": {"a": "1"}}],
         [{"name": "a", "sub": {"a": "1"}}, {"name": "b"}]),
        (ENTRIES, [{"name": "a", "value": "1"}, {"name": "b"}, {"name": "a"}], [{"name": "b"}],
         [{"name": "a", "value": "1"}, {"name": "b"}, {"name": "a"}]),
        (PORT, 80, "http", "http"),
        (ANYTHING, {"a": 1}, "x", "x"),
        (ANYTHING, {"a": 1}, None, {"a": 1}),
        (ANYTHING, [1], None, None),
        (ANYTHING, "x", {"a": 1}, {"a": 1}),
        (ANYTHING, {"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
    ],
)  # fmt: skip
def test_merged_values(of: MergeType, live: Any, applied: Any, merged: Any) -> None:
    assert merge(live, applied, of) == merged


def test_merging_changes_neither_side() -> None:
    live, applied = {"labels": {"x": "1"}}, {"labels": {"y": "1"}}
    merge(live, applied, FIELDS)
    assert (live, applied) == ({"labels": {"x": "1"}}, {"labels": {"y": "1"}})


# ------------------------------------------------------------------ removing


@pytest.mark.parametrize(
    ("of", "value", "gone", "left"),
    [
        (FIELDS, {"text": "a", "sub": {"a": "1"}}, {"f:text": {}}, {"sub": {"a": "1"}}),
        (FIELDS, {"labels": {"x": "1", "y": "1"}}, {"f:labels": {"f:x": {}}}, {"labels": {"y": "1"}}),
        (FIELDS, {"labels": {"x": "1"}}, {"f:labels": {"f:x": {}}}, {"labels": None}),
        (FIELDS, {"labels": {"x": "1"}}, {"f:labels": {".": {}, "f:x": {}}}, None),
        (FIELDS, {"text": "a"}, {"f:labels": {}}, {"text": "a"}),
        (ENTRIES, named("abc"), {'k:{"name":"b"}': {".": {}, "f:name": {}}}, named("ac")),
        (ENTRIES, [{"name": "a", "value": "1"}], {'k:{"name":"a"}': {"f:value": {}}}, named("a")),
        (SET, ["a", "b"], {'v:"a"': {}}, ["b"]),
        (SET, ["a"], {'v:"a"': {}}, None),
        (kind(described(l=ATOMIC_SCHEMA)), {"l": [{"name": "a"}]}, {"f:l": {'k:{"name":"a"}': {}}}, {"l": None}),
    ],
)  # fmt: skip
def test_removed_fields(of: MergeType, value: Any, gone: Any, left: Any) -> None:
    assert remove(value, fields(gone), of) == left


# ------------------------------------------------------------------ sets and schemas


@pytest.mark.parametrize(
    ("raw", "before", "after"),
    [
        (described(b=described(c=TEXT)), {"f:b": {"f:c": {}}}, {"f:b": {"f:c": {}}}),
        (described(b={**described(c=TEXT), "x-kubernetes-map-type": "atomic"}), {"f:b": {".": {}, "f:c": {}}}, {"f:b": {}}),
        (described(b={**described(c=TEXT), "x-kubernetes-map-type": "atomic"}), {"f:b": {}}, {"f:b": {}}),
        (described(b={"type": "array", "items": TEXT}), {"f:b": {'v:"a"': {}, 'v:"b"': {}}}, {"f:b": {}}),
        (described(b=listed(described(n=TEXT, c={"type": "array", "items": TEXT}), "n")),
         {"f:b": {'k:{"n":"a"}': {".": {}, "f:c": {"v:1": {}}, "f:n": {}}}},
         {"f:b": {'k:{"n":"a"}': {".": {}, "f:c": {}, "f:n": {}}}}),
        (described(b={"type": "object"}), {"f:b": {"f:c": {"f:d": {}}}}, {"f:b": {"f:c": {"f:d": {}}}}),
        (described(b={}), {"f:b": {"f:c": {"v:1": {}}}}, {"f:b": {"f:c": {"v:1": {}}}}),
        (described(b=TEXT), {"f:unknown": {"f:c": {}}, "f:b": {"f:c": {}}}, {"f:b": {"f:c": {}}, "f:unknown": {"f:c": {}}}),
    ],
)  # fmt: skip
def test_a_set_by_todays_schema(raw: dict[str, Any], before: Any, after: Any) -> None:
    assert encode(reconcile(fields(before), kind(raw))) == after


def test_a_set_that_fits_is_the_same_one() -> None:
    fitting = fields({"f:text": {}, "f:sub": {"f:a": {}}})
    assert reconcile(fitting, FIELDS) is fitting


@pytest.mark.parametrize(
    ("of", "before", "after"),
    [
        (FIELDS, {"f:sub": {"f:a": {}}}, {"f:sub": {".": {}, "f:a": {}}}),
        (FIELDS, {"f:labels": {"f:x": {}}}, {"f:labels": {".": {}, "f:x": {}}}),
        (LABELS, {"f:x": {"f:y": {}}}, {"f:x": {"f:y": {}}}),
        (ENTRIES, {'k:{"name":"a"}': {"f:sub": {"f:a": {}}}}, {'k:{"name":"a"}': {"f:sub": {".": {}, "f:a": {}}}}),
        (ANYTHING, {"f:x": {"f:y": {}}}, {"f:x": {"f:y": {}}}),
    ],
)
def test_declared_fields_above_members_are_named(of: MergeType, before: Any, after: Any) -> None:
    assert encode(with_named_fields(fields(before), of)) == after


# ------------------------------------------------------------------ values that are not of their type


@pytest.mark.parametrize(
    ("of", "value", "text"),
    [
        (FIELDS, {"text": 1}, ".text: expected string, got &value.valueUnstructured{Value:1}"),
        (FIELDS, {"sub": "a"}, ".sub: expected map, got &{a}"),
        (FIELDS, {"x": 1}, ".x: field not declared in schema"),
        (FIELDS, [1], "expected map, got &{[1]}"),
        (kind(NUMBER), "1", "expected numeric (int or float), got string"),
        (kind(NUMBER), True, "expected numeric (int or float), got bool"),
        (kind({"type": "boolean"}), "yes", "expected boolean, got &{yes}"),
        (kind({"type": "string", "format": "date-time"}), [1], "expected any scalar, got &{[1]}"),
        (SET, "a", "expected list, got &{a}"),
        (SET, ["a", "a"], 'duplicate entries for key [="a"]'),
        (SET, [{}], "element 0: associative list without keys has an element that's a map type"),
        (SET, [[]], "element 0: not supported: associative list with lists as elements"),
        (SET, ["a", None], "element 1: associative list without keys has an element that's an explicit null"),
        (ENTRIES, [None], "element 0: associative list with keys may not have a null element"),
        (ENTRIES, [1], "element 0: associative list with keys may not have non-map elements"),
        (kind(listed(ITEM, "value", "name")), [{}],
         'element 0: associative list with keys has an element that omits all key fields ["value" "name"] (and doesn\'t '
         "have default values for any key fields)"),
        (PAIRS, [{"name": "a"}, {"name": "a", "kind": "plain"}], 'duplicate entries for key [kind="plain",name="a"]'),
        (ENTRIES, [{"name": "a", "value": 1}], '[name="a"].value: expected string, got &value.valueUnstructured{Value:1}'),
        (ATOMIC, [{"name": 1}], "[0].name: expected string, got &value.valueUnstructured{Value:1}"),
        (FIELDS, {"text": 1, "sub": 2},
         "errors:\n  .text: expected string, got &value.valueUnstructured{Value:1}\n  .sub: expected map, got &{2}"),
    ],
)  # fmt: skip
def test_problems(of: MergeType, value: Any, text: str) -> None:
    with pytest.raises(ProblemError) as caught:
        check(value, of, duplicates_allowed=False)
    assert str(caught.value) == text


@pytest.mark.parametrize(
    ("of", "value"),
    [
        (FIELDS, {"text": None, "labels": None}),
        (PORT, 80),
        (PORT, "http"),
        (ANYTHING, {"a": [{"b": None}]}),
        (SET, None),
    ],
)
def test_values_of_their_type(of: MergeType, value: Any) -> None:
    check(value, of, duplicates_allowed=False)


def test_stored_objects_may_have_duplicates() -> None:
    check(["a", "a"], SET, duplicates_allowed=True)
