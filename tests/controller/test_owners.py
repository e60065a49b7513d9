"""Owner references, and names of whom a change is about."""

from __future__ import annotations

import pytest

from dynkube.controller import (
    annotations_changed,
    generation_changed,
    has_owner,
    labels_changed,
    resource_version_changed,
    set_controller_reference,
)
from dynkube.controller.sources import as_name, to_controller_of_kind
from dynkube.errors import InvalidRequestError
from dynkube.schema import GroupKind

OWNER = {
    "apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "a", "namespace": "shop", "uid": "7"},
}  # fmt: skip
REFERENCE = {
    "apiVersion": "example.com/v1", "kind": "Widget", "name": "a", "uid": "7", "controller": True,
    "blockOwnerDeletion": True,
}  # fmt: skip


def owned(**metadata):
    return {"metadata": {"name": "b", "namespace": "shop", **metadata}}


class TestSetControllerReference:
    def test_it_is_put_beside_others(self):
        other = {"apiVersion": "v1", "kind": "Node", "name": "n1", "uid": "1"}
        obj = owned(ownerReferences=[other])
        set_controller_reference(obj, OWNER)
        assert obj["metadata"]["ownerReferences"] == [other, REFERENCE]
        assert has_owner(obj, OWNER)

    def test_doing_it_again_changes_nothing(self):
        obj = owned()
        set_controller_reference(obj, OWNER)
        set_controller_reference(obj, OWNER)
        assert obj["metadata"]["ownerReferences"] == [REFERENCE]

    def test_a_plain_owner_becomes_the_controller(self):
        obj = owned(ownerReferences=[{**REFERENCE, "controller": False}])
        set_controller_reference(obj, OWNER, block_owner_deletion=False)
        reference = {key: value for key, value in REFERENCE.items() if key != "blockOwnerDeletion"}
        assert obj["metadata"]["ownerReferences"] == [reference]

    def test_another_controller_stays_the_only_one(self):
        obj = owned(ownerReferences=[{**REFERENCE, "uid": "8"}])
        with pytest.raises(InvalidRequestError, match="has a controller already"):
            set_controller_reference(obj, OWNER)

    @pytest.mark.parametrize(("namespace", "where"), [("other", "namespace other"), ("", "set its metadata.namespace")])
    def test_an_owner_in_another_namespace_cannot_own_it(self, namespace, where):
        with pytest.raises(InvalidRequestError, match=where):
            set_controller_reference(owned(namespace=namespace), OWNER)

    def test_an_owner_without_namespace_can_own_everything(self):
        obj = owned()
        set_controller_reference(obj, {**OWNER, "metadata": {"name": "a", "uid": "7"}})
        assert has_owner(obj, OWNER)

    def test_an_owner_that_was_not_read_from_a_server_is_none(self):
        with pytest.raises(InvalidRequestError, match="uid"):
            set_controller_reference(owned(), {**OWNER, "metadata": {"name": "a", "namespace": "shop"}})

    @pytest.mark.parametrize(
        ("obj", "owner", "problem"),
        [
            (None, OWNER, "obj: want an object that can be changed"),
            ({}, None, "owner: want an object"),
            ({}, 3, "owner"),
        ],
    )
    def test_what_is_no_object(self, obj, owner, problem):
        with pytest.raises(InvalidRequestError, match=problem):
            set_controller_reference(obj, owner)
        with pytest.raises(InvalidRequestError, match=problem.split(":")[0]):
            has_owner(obj, owner)


class TestToTheController:
    find = staticmethod(to_controller_of_kind(GroupKind("example.com", "Widget"), namespaced=True))

    def test_it_is_in_the_same_namespace(self):
        assert self.find(owned(ownerReferences=[REFERENCE])) == [("shop", "a")]

    def test_what_is_in_no_namespace_has_no_controller_in_one(self):
        assert self.find(owned(namespace="", ownerReferences=[REFERENCE])) == []

    def test_one_without_namespace_is_in_none(self):
        find = to_controller_of_kind(GroupKind("example.com", "Widget"), namespaced=False)
        assert find(owned(ownerReferences=[REFERENCE])) == [("", "a")]

    @pytest.mark.parametrize(
        "change",
        [{"controller": False}, {"kind": "Gadget"}, {"apiVersion": "other.com/v1"}, {"apiVersion": "v1"},
         {"apiVersion": "a/b/c"}],
    )  # fmt: skip
    def test_others_are_not_asked(self, change):
        assert self.find(owned(ownerReferences=[{**REFERENCE, **change}])) == []

    def test_another_version_of_the_kind_is_the_same_kind(self):
        assert self.find(owned(ownerReferences=[{**REFERENCE, "apiVersion": "example.com/v1beta1"}]))


BEFORE = {"metadata": {"generation": 1, "resourceVersion": "1", "labels": {"a": "1"}, "annotations": {"b": "1"}}}


class TestPredicates:
    @pytest.mark.parametrize(
        ("predicate", "field", "value"),
        [
            (generation_changed, "generation", 2), (resource_version_changed, "resourceVersion", "2"),
            (labels_changed, "labels", {"a": "2"}), (annotations_changed, "annotations", {"b": "2"}),
        ],
    )  # fmt: skip
    def test_each_looks_at_its_field_and_lets_adds_and_deletes_pass(self, predicate, field, value):
        after = {"metadata": {**BEFORE["metadata"], field: value}}
        other = {"metadata": {**BEFORE["metadata"], "finalizers": ["x"]}}
        assert predicate(BEFORE, after)
        assert not predicate(BEFORE, other)
        assert predicate(None, after)
        assert predicate(BEFORE, None)


@pytest.mark.parametrize("name", [("a",), ("a", "b", "c"), 7, "a/b/c", "", "a/", ("a", ""), ("a", 3), {"a", "b"}])
def test_a_name_that_is_none_is_refused(name):
    with pytest.raises(InvalidRequestError, match=r"name|key"):
        as_name(name)
