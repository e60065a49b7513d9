"""Metadata and what is wrong with it; the texts are those that kube-apiserver 1.36.3 was seen to answer."""

from __future__ import annotations

from typing import Any

import pytest

from dynkube.testing.apiserver.words import names, objectmeta
from dynkube.testing.apiserver.words.fielderrors import FieldError


def judged(metadata: dict[str, Any]) -> list[str]:
    return texts(objectmeta.validate_object_meta(metadata, namespaced=True, name_rule=names.dns1123_subdomain))


def texts(errors: list[FieldError]) -> list[str]:
    return [str(each) for each in errors]


def test_nothing_is_wrong_with_a_name_and_a_namespace() -> None:
    assert judged({"name": "a", "namespace": "b"}) == []


def test_an_object_needs_a_name_and_a_namespace() -> None:
    assert judged({}) == [
        "metadata.name: Required value: name or generateName is required",
        "metadata.namespace: Required value",
    ]


def test_a_cluster_scoped_object_has_no_namespace() -> None:
    errors = objectmeta.validate_object_meta(
        {"name": "a", "namespace": "b"}, namespaced=False, name_rule=names.dns1123_subdomain
    )
    assert texts(errors) == ["metadata.namespace: Forbidden: not allowed on this type"]


def test_a_prefix_is_judged_as_well_as_the_name_made_of_it() -> None:
    found = judged({"name": "-x2z5k", "generateName": "-", "namespace": "b"})
    assert [each.split(":")[0] for each in found] == ["metadata.generateName", "metadata.name"]


def test_a_generation_is_not_negative() -> None:
    assert judged({"name": "a", "namespace": "b", "generation": -1}) == [
        "metadata.generation: Invalid value: -1: must be greater than or equal to 0"
    ]


def test_annotations_are_at_most_256_kib() -> None:
    assert judged({"name": "a", "namespace": "b", "annotations": {"b": "x" * 262144}}) == [
        "metadata.annotations: Too long: may not be more than 262144 bytes"
    ]
    assert judged({"name": "a", "namespace": "b", "annotations": {"b": "x" * 262143, "": ""}})[0].startswith(
        'metadata.annotations: Invalid value: "": name part must be non-empty'
    )


def test_keys_of_annotations_may_have_upper_case_prefixes() -> None:
    assert judged({"name": "a", "namespace": "b", "annotations": {"A/B": ""}}) == []


def test_owner_references_are_complete_and_only_one_controls() -> None:
    owners = [
        {"apiVersion": "", "kind": "", "name": "", "uid": ""},
        {"apiVersion": "a/b/c", "kind": "x", "name": "a", "uid": "b"},
        {"apiVersion": "v1", "kind": "Event", "name": "a", "uid": "b", "controller": True},
        {"uid": "b", "name": "q", "kind": "Pod", "apiVersion": "v1", "controller": True, "blockOwnerDeletion": False},
    ]
    assert texts(objectmeta.validate_owner_references(owners, "metadata.ownerReferences")) == [
        'metadata.ownerReferences.apiVersion: Invalid value: "": version must not be empty',
        'metadata.ownerReferences.kind: Invalid value: "": must not be empty',
        'metadata.ownerReferences.name: Invalid value: "": must not be empty',
        'metadata.ownerReferences.uid: Invalid value: "": must not be empty',
        'metadata.ownerReferences.apiVersion: Invalid value: "a/b/c": version must not be empty',
        'metadata.ownerReferences: Invalid value: {"apiVersion":"v1","kind":"Event","name":"a","uid":"b",'
        '"controller":true}: /v1, Kind=Event is disallowed from being an owner',
        'metadata.ownerReferences: Invalid value: [{"apiVersion":"","kind":"","name":"","uid":""},'
        '{"apiVersion":"a/b/c","kind":"x","name":"a","uid":"b"},{"apiVersion":"v1","kind":"Event","name":"a",'
        '"uid":"b","controller":true},{"apiVersion":"v1","kind":"Pod","name":"q","uid":"b","controller":true,'
        '"blockOwnerDeletion":false}]: Only one reference can have Controller set to true. Found "true" in references '
        "for Event/a and Pod/q",
    ]


def test_the_finalizers_of_two_propagation_policies_exclude_each_other() -> None:
    assert texts(objectmeta.validate_finalizers(["orphan", "foregroundDeletion"], "metadata.finalizers")) == [
        'metadata.finalizers: Invalid value: ["orphan","foregroundDeletion"]: finalizer orphan and foregroundDeletion '
        "cannot be both set"
    ]


def test_entries_of_managed_fields_are_judged() -> None:
    entries = [{"operation": "x", "fieldsType": "y", "manager": "a\u200b\n", "subresource": "z" * 257}]
    assert texts(objectmeta.validate_managed_fields(entries, "metadata.managedFields")) == [
        'metadata.managedFields[0].operation: Invalid value: "x": must be `Apply` or `Update`',
        'metadata.managedFields[0].fieldsType: Invalid value: "y": must be `FieldsV1`',
        'metadata.managedFields[0].manager: Invalid value: "a\\u200b\\n": invalid character U+200B (at position 1)',
        'metadata.managedFields[0].manager: Invalid value: "a\\u200b\\n": invalid character U+000A (at position 4)',
        "metadata.managedFields[0].subresource: Too long: may not be more than 256 bytes",
    ]


def test_an_update_names_a_resource_version_and_keeps_what_may_not_change() -> None:
    old = {"name": "a", "uid": "u", "generation": 2, "creationTimestamp": "2026-01-01T00:00:00Z"}
    new = {"name": "b", "uid": "v", "generation": 1, "deletionTimestamp": "2026-01-01T00:00:00Z"}
    assert texts(objectmeta.validate_object_meta_update(new, old)) == [
        'metadata.resourceVersion: Invalid value: "": must be specified for an update',
        "metadata.generation: Invalid value: 1: must not be decremented",
        'metadata.name: Invalid value: "b": field is immutable',
        'metadata.uid: Invalid value: "v": field is immutable',
        "metadata.creationTimestamp: Invalid value: null: field is immutable",
        'metadata.deletionTimestamp: Invalid value: "2026-01-01T00:00:00Z": field is immutable',
    ]


def test_what_is_being_deleted_gets_no_new_finalizers() -> None:
    old = {"name": "a", "deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["a.b/c"]}
    new = {**old, "resourceVersion": "1", "finalizers": ["a.b/c", "a.b/e", "a.b/d"]}
    assert texts(objectmeta.validate_object_meta_update(new, old)) == [
        "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new "
        'finalizers []string{"a.b/d", "a.b/e"}'
    ]


def test_an_update_hears_twice_of_what_a_create_would_hear_once() -> None:
    metadata = {"name": "a", "namespace": "b", "resourceVersion": "1", "labels": {"/a": ""}}
    errors = objectmeta.validate_common_fields(metadata, {"name": "a", "namespace": "b"}, namespaced=True)
    assert texts(errors) == ['metadata.labels: Invalid value: "/a": prefix part must be non-empty'] * 2


@pytest.mark.parametrize(
    ("requirement", "problem"),
    [
        (
            {"key": "a", "operator": "In"},
            "s.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
        ),
        (
            {"key": "a", "operator": "Exists", "values": ["x"]},
            "s.matchExpressions[0].values: Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
        ),
        (
            {"key": "a", "operator": "Gt", "values": ["1"]},
            's.matchExpressions[0].operator: Invalid value: "Gt": not a valid selector operator',
        ),
    ],
)
def test_requirements_of_a_selector(requirement: dict[str, Any], problem: str) -> None:
    assert texts(objectmeta.validate_label_selector({"matchExpressions": [requirement]}, "s")) == [problem]


def test_conditions_are_complete_and_of_one_type_each() -> None:
    conditions = [
        {"type": "Ready", "status": "Yes", "observedGeneration": -1, "reason": "1"},
        {"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"},
    ]
    assert texts(objectmeta.validate_conditions(conditions, "status.conditions")) == [
        'status.conditions[0].status: Unsupported value: "Yes": supported values: "False", "True", "Unknown"',
        "status.conditions[0].observedGeneration: Invalid value: -1: must be greater than or equal to zero",
        "status.conditions[0].lastTransitionTime: Required value",
        'status.conditions[0].reason: Invalid value: "1": a condition reason must start with alphabetic character, '
        "optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character "
        "or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName',  or 'ReasonA,ReasonB',  or 'ReasonA:ReasonB', regex used for "
        "validation is '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?')",
        'status.conditions[1].type: Duplicate value: "Ready"',
        "status.conditions[1].reason: Required value",
    ]
