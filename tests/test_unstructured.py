"""Plain dicts: nested fields, metadata, references, lists."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynkube import unstructured as u
from dynkube.errors import DecodeError, InvalidRequestError
from dynkube.unstructured import UnstructuredList

keys = st.sampled_from(["a", "b", "c", "d.e"])
paths = st.lists(keys, min_size=1, max_size=4)
json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=3)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(keys, inner, max_size=3)),
    max_leaves=8,
)
maps = st.dictionaries(keys, json_values, max_size=3)


class TestNestedLaws:
    @given(maps, paths, json_values)
    @pytest.mark.behaviour("5.2.1", "5.2.4")
    def test_what_is_set_is_got_and_nothing_else_changes(
        self, obj: dict[str, Any], path: list[str], value: Any
    ) -> None:
        before = copy.deepcopy(obj)
        try:
            u.set_nested_field(obj, value, *path)
        except InvalidRequestError:
            assert obj == before  # refused, so nothing is half done
            return
        assert u.nested_field(obj, *path) == (value, True)
        # All but the way to the field is as it was.
        here, was = obj, before
        for key in path:
            others = {name: each for name, each in here.items() if name != key}
            assert others == {name: each for name, each in (was or {}).items() if name != key}
            here, was = here[key], (was or {}).get(key)  # type: ignore[assignment]

    @given(maps, paths)
    @pytest.mark.behaviour("5.2.4")
    def test_remove_is_silent_and_final(self, obj: dict[str, Any], path: list[str]) -> None:
        u.remove_nested_field(obj, *path)
        found: Any = (None, False)
        try:
            found = u.nested_field(obj, *path)
        except InvalidRequestError:
            pass  # there was no map on the way: nothing to remove
        assert found == (None, False)

    @given(maps, paths)
    @pytest.mark.behaviour("5.2.3")
    def test_copies_and_aliases(self, obj: dict[str, Any], path: list[str]) -> None:
        try:
            value, found = u.nested_field_no_copy(obj, *path)
        except InvalidRequestError:
            return
        copied, also = u.nested_field(obj, *path)
        assert (copied, also) == (value, found)
        if isinstance(value, list | dict):
            assert copied is not value
            assert u.nested_field_no_copy(obj, *path)[0] is value


class TestNested:
    POD: dict[str, Any] = {  # noqa: RUF012 - never changed
        "spec": {"n": 3, "f": 1.0, "t": True, "s": "x", "null": None, "l": ["a", 1], "m": {"a": "b", "z": None}}
    }

    @pytest.mark.behaviour("5.2.1")
    def test_missing_and_null(self) -> None:
        assert u.nested_field(self.POD, "spec", "nothing", "deep") == (None, False)
        assert u.nested_field(self.POD, "spec", "null", "deep") == (None, False)
        assert u.nested_field(self.POD, "spec", "null") == (None, True)
        assert u.nested_string(self.POD, "spec", "nothing") == ("", False)
        assert u.nested_map(self.POD, "nothing") == ({}, False)

    @pytest.mark.behaviour("5.2.1")
    @pytest.mark.parametrize(
        "accessor", [u.nested_string, u.nested_int, u.nested_float, u.nested_bool, u.nested_map, u.nested_slice]
    )
    def test_null_at_the_leaf_is_no_typed_value(self, accessor: Any) -> None:
        with pytest.raises(InvalidRequestError, match=r"^\.spec\.null accessor error: None is of the type NoneType"):
            accessor(self.POD, "spec", "null")

    @pytest.mark.behaviour("5.2.1")
    def test_no_map_on_the_way(self) -> None:
        with pytest.raises(
            InvalidRequestError, match=r"^\.spec\.n accessor error: 3 is of the type int, expected a map"
        ):
            u.nested_field(self.POD, "spec", "n", "deep")
        with pytest.raises(InvalidRequestError, match=r"^object accessor error: \.\.\. is of the type list"):
            u.nested_field([], "spec")  # type: ignore[arg-type]

    @pytest.mark.behaviour("5.2.2")
    def test_types_are_strict(self) -> None:
        assert u.nested_int(self.POD, "spec", "n") == (3, True)
        assert u.nested_float(self.POD, "spec", "f") == (1.0, True)
        assert u.nested_bool(self.POD, "spec", "t") == (True, True)
        assert u.nested_string(self.POD, "spec", "s") == ("x", True)
        for accessor, field in [(u.nested_int, "t"), (u.nested_int, "f"), (u.nested_float, "n"), (u.nested_bool, "n")]:
            with pytest.raises(InvalidRequestError, match="accessor error"):
                accessor(self.POD, "spec", field)

    @pytest.mark.behaviour("5.2.3")
    def test_strings_in_lists_and_maps(self) -> None:
        with pytest.raises(InvalidRequestError, match=r"^\.spec\.l\[1\] accessor error: 1 is of the type int"):
            u.nested_string_slice(self.POD, "spec", "l")
        with pytest.raises(InvalidRequestError, match=r"^\.spec\.m\.z accessor error"):
            u.nested_string_map(self.POD, "spec", "m")
        assert u.nested_string_map(self.POD, "spec", "m", null_is_empty=True) == ({"a": "b", "z": ""}, True)
        assert u.nested_string_map(self.POD, "spec", "null", null_is_empty=True) == ({}, True)
        assert u.nested_string_map(self.POD, "nothing", null_is_empty=True) == ({}, False)
        assert u.nested_string_slice({"l": ["a"]}, "l") == (["a"], True)

    def test_a_message_never_shows_text(self) -> None:
        secret = {"data": {"password": "aHVudGVyMg=="}}
        with pytest.raises(InvalidRequestError) as info:
            u.nested_int(secret, "data", "password")
        assert "aHVudGVyMg" not in str(info.value)

    @pytest.mark.behaviour("5.2.4")
    def test_set_copies_and_makes_maps(self) -> None:
        value = ["x"]
        obj: dict[str, Any] = {"spec": None}
        u.set_nested_field(obj, value, "spec", "a", "b")
        value.append("y")
        assert obj == {"spec": {"a": {"b": ["x"]}}}
        with pytest.raises(InvalidRequestError, match=r"^\.spec\.a\.b accessor error.*expected a map"):
            u.set_nested_field(obj, 1, "spec", "a", "b", "c")
        with pytest.raises(InvalidRequestError, match="path"):
            u.set_nested_field(obj, 1)


class TestMetadata:
    @pytest.mark.behaviour("5.2.5", "5.2.6")
    @pytest.mark.parametrize("obj", [{}, {"metadata": None}, {"metadata": {"creationTimestamp": None, "labels": None}}])
    def test_absent(self, obj: dict[str, Any]) -> None:
        texts = [u.name_of, u.namespace_of, u.uid_of, u.resource_version_of]
        assert [each(obj) for each in [*texts, u.creation_timestamp_of, u.deletion_timestamp_of]] == [""] * 6
        assert u.generation_of(obj) == 0
        assert u.labels_of(obj) == u.annotations_of(obj) == {}
        assert u.finalizers_of(obj) == u.owner_references_of(obj) == u.managed_fields_of(obj) == []

    @pytest.mark.behaviour("5.2.5")
    def test_present_and_copied(self) -> None:
        obj = {
            "metadata": {
                "name": "n",
                "namespace": "s",
                "uid": "u",
                "resourceVersion": "7",
                "generation": 2,
                "creationTimestamp": "2026-01-01T00:00:00Z",
                "labels": {"a": "b"},
                "finalizers": ["f"],
                "managedFields": [{"manager": "me"}],
            }
        }
        before = copy.deepcopy(obj)
        assert (u.name_of(obj), u.namespace_of(obj), u.uid_of(obj), u.resource_version_of(obj)) == ("n", "s", "u", "7")
        assert (u.generation_of(obj), u.creation_timestamp_of(obj)) == (2, "2026-01-01T00:00:00Z")
        u.labels_of(obj)["a"] = "c"
        u.finalizers_of(obj).append("g")
        u.managed_fields_of(obj)[0]["manager"] = "you"
        assert obj == before

    @pytest.mark.behaviour("5.2.5")
    def test_setting_empty_removes_the_key(self) -> None:
        obj: dict[str, Any] = {"metadata": {"name": "n"}}
        u.set_labels(obj, {"a": "b"})
        u.set_annotations(obj, {"c": "d"})
        u.set_finalizers(obj, ["f"])
        u.set_owner_references(obj, [{"uid": "u"}])
        assert sorted(obj["metadata"]) == ["annotations", "finalizers", "labels", "name", "ownerReferences"]
        for setter in (u.set_labels, u.set_annotations, u.set_finalizers, u.set_owner_references):
            setter(obj, None)
        assert obj == {"metadata": {"name": "n"}}


@pytest.mark.behaviour("5.2.7")
class TestReferences:
    OWNER: dict[str, Any] = {  # noqa: RUF012 - never changed
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {"name": "rs", "namespace": "shop", "uid": "u1", "resourceVersion": "7", "kind": "mean"},
    }

    def test_owner(self) -> None:
        reference = u.owner_reference(self.OWNER, controller=True, block_owner_deletion=True)
        assert reference == {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "name": "rs",
            "uid": "u1",
            "controller": True,
            "blockOwnerDeletion": True,
        }
        pod: dict[str, Any] = {}
        u.set_owner_references(pod, [{"uid": "u0"}, reference])
        assert u.controller_of(pod) == reference
        assert u.is_controlled_by(pod, self.OWNER)
        assert not u.is_controlled_by(pod, {"metadata": {"uid": "u0"}})
        assert not u.is_controlled_by({}, self.OWNER)
        assert u.controller_of({"metadata": {"ownerReferences": [{"uid": "u0"}]}}) is None

    def test_an_owner_needs_an_identity(self) -> None:
        with pytest.raises(InvalidRequestError, match="the object has no uid: it cannot be referred to"):
            u.owner_reference({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}})

    def test_object_reference(self) -> None:
        assert u.object_reference(self.OWNER) == {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "namespace": "shop",
            "name": "rs",
            "uid": "u1",
            "resourceVersion": "7",
        }
        with pytest.raises(InvalidRequestError, match="no apiVersion and no kind"):
            u.object_reference({"metadata": {"name": "a"}})

    def test_nothing_follows_a_reference_to_an_object_that_was_read_as_metadata_only(self) -> None:
        partial = {**self.OWNER, "apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata"}
        for refer in (u.owner_reference, u.object_reference):
            with pytest.raises(InvalidRequestError, match=r"metadata only.*give it its own apiVersion and kind"):
                refer(partial)

    @pytest.mark.parametrize("obj", [None, 3, "rs"])
    def test_what_is_no_object_cannot_be_referred_to(self, obj: Any) -> None:
        for refer in (u.owner_reference, u.object_reference):
            with pytest.raises(InvalidRequestError, match="want an object as a dict"):
                refer(obj)


@pytest.mark.behaviour("5.2.6")
class TestResourceVersions:
    @given(st.integers(1, 10**30), st.integers(1, 10**30))
    def test_order_is_that_of_the_numbers(self, one: int, other: int) -> None:
        assert u.compare_resource_version(str(one), str(other)) == (one > other) - (one < other)

    @pytest.mark.parametrize("version", ["", "0", "01", "-1", "+1", "1.0", "abc", "1\n", " 1", "٣", None, 7])
    def test_what_has_no_order(self, version: Any) -> None:
        for pair in ((version, "1"), ("1", version)):
            with pytest.raises(InvalidRequestError, match="is no positive decimal number"):
                u.compare_resource_version(*pair)


class TestLists:
    @pytest.mark.behaviour("5.2.5")
    def test_is_list_and_items(self) -> None:
        assert u.is_list({"items": []})
        assert not u.is_list({"items": None})
        assert not u.is_list({"kind": "PodList"})
        assert list(u.each_list_item({"items": [{"a": 1}]})) == [{"a": 1}]
        with pytest.raises(InvalidRequestError, match="this object is no list"):
            list(u.each_list_item({}))
        with pytest.raises(InvalidRequestError, match=r"items\[0\]: want a dict, got int"):
            list(u.each_list_item({"items": [1]}))

    @pytest.mark.behaviour("5.1.5")
    def test_items_inherit_only_when_they_have_neither(self) -> None:
        listed = UnstructuredList.from_dict(
            {
                "kind": "PodList",
                "apiVersion": "v1",
                "items": [{}, {"kind": "", "apiVersion": None, "x": 1}, {"kind": "Own"}, {"apiVersion": "own/v1"}],
            }
        )
        assert listed.objects == [
            {"apiVersion": "v1", "kind": "Pod"},
            {"apiVersion": "v1", "kind": "Pod", "x": 1},
            {"kind": "Own"},
            {"apiVersion": "own/v1"},
        ]
        assert list(listed[0]) == list(listed[1])[:2] == ["apiVersion", "kind"]

    @pytest.mark.behaviour("5.1.10", "5.2.5")
    def test_metadata(self) -> None:
        obj = {
            "kind": "PodList",
            "apiVersion": "v1",
            "metadata": {"resourceVersion": "9", "continue": "t", "remainingItemCount": 4},
            "items": [{"kind": "Pod", "apiVersion": "v1"}],
        }
        listed = UnstructuredList.from_dict(obj)
        assert (listed.resource_version, listed.continue_token, listed.remaining_item_count) == ("9", "t", 4)
        assert (listed.kind, listed.api_version) == ("PodList", "v1")
        assert listed.to_dict() == obj
        assert "PodList" in repr(listed)

    def test_it_is_a_sequence(self) -> None:
        objects = [{"kind": "Pod", "n": n} for n in range(3)]
        listed = UnstructuredList(objects)
        assert (len(listed), listed[1], listed[1:], next(reversed(listed))) == (
            3,
            objects[1],
            objects[1:],
            objects[2],
        )
        assert list(listed) == objects
        assert objects[2] in listed
        assert bool(UnstructuredList([])) is False
        assert listed.remaining_item_count is None

    @pytest.mark.parametrize("items", [None, []])
    def test_null_items(self, items: Any) -> None:
        assert list(UnstructuredList.from_dict({"kind": "PodList", "items": items, "metadata": None})) == []

    @pytest.mark.parametrize(
        ("items", "message"), [({}, "items: want a list"), ([{}, 1], r"items\[1\]: want an object")]
    )
    def test_no_list_of_objects(self, items: Any, message: str) -> None:
        with pytest.raises(DecodeError, match=message):
            UnstructuredList.from_dict({"kind": "PodList", "items": items})
