"""Records: what they say of an object without decoding it is what decoding it says."""

from __future__ import annotations

import gc
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynkube.errors import DecodeError
from dynkube.records import RawObject, record_of, record_of_frame, records_of_list
from dynkube.unstructured import UnstructuredList

names = st.text(max_size=6)
metadata = st.fixed_dictionaries(
    {"name": names, "uid": names, "resourceVersion": names},
    optional={
        "namespace": names,
        "labels": st.none() | st.dictionaries(names, names, max_size=3),
        "ownerReferences": st.none() | st.lists(st.fixed_dictionaries({"uid": names, "kind": names}), max_size=3),
        "managedFields": st.just([{"manager": "x", "fieldsV1": {"f:metadata": {}}}]),
    },
)
objects = st.fixed_dictionaries(
    {"metadata": metadata},
    optional={
        "apiVersion": st.sampled_from(["v1", "apps/v1"]),
        "spec": st.recursive(st.text(max_size=5) | st.integers(0, 9), lambda inner: st.lists(inner, max_size=3)),
        "templates": st.just([{"metadata": {"name": "inner"}}, {"metadata": {}}]),
    },
)
spacing = st.sampled_from([(",", ":"), (", ", ": ")])


def check(record: RawObject, obj: dict[str, Any]) -> None:
    meta = obj["metadata"]
    assert (record.name, record.uid, record.resource_version) == (meta["name"], meta["uid"], meta["resourceVersion"])
    assert record.namespace == meta.get("namespace", "")
    assert record.labels == (meta.get("labels") or {})
    assert list(record.owners) == [owner["uid"] for owner in meta.get("ownerReferences") or []]


@given(st.lists(objects, max_size=4), spacing)
def test_a_list_in_records_is_the_list_decoded(items: list[dict[str, Any]], separators: tuple[str, str]) -> None:
    whole = {"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": "7", "continue": "x"}}
    data = json.dumps({**whole, "items": items}, separators=separators).encode()
    page = records_of_list(data)
    assert (page.kind, page.api_version, page.resource_version, page.continue_token) == ("PodList", "v1", "7", "x")
    for record, obj in zip(page.objects, items, strict=True):
        check(record, obj)
        assert json.loads(record.raw) == obj


@given(objects, spacing, st.sampled_from(["ADDED", "MODIFIED", "DELETED"]))
def test_an_event_in_a_record_is_the_event_decoded(obj: dict[str, Any], separators: tuple[str, str], kind: str) -> None:
    frame = json.dumps({"type": kind, "object": obj}, separators=separators).encode()
    strange = json.dumps({"object": obj, "extra": {"object": 1}, "type": kind}, separators=separators).encode()
    for each in (frame, frame + b"\r\n", strange):
        found, record = record_of_frame(each)
        assert found == kind
        check(record, obj)
        assert record.decode() == obj


def test_items_without_a_kind_get_the_lists() -> None:
    data = b'{"kind":"PodList","apiVersion":"v1","items":[{"metadata":{"name":"a"}}]}'
    (record,) = records_of_list(data).objects
    assert list(record.decode().items()) == [("apiVersion", "v1"), ("kind", "Pod"), ("metadata", {"name": "a"})]
    assert [record.decode()] == UnstructuredList.from_dict(json.loads(data)).objects


@pytest.mark.parametrize("items", [b"null", b"[]"])
def test_a_list_of_nothing_has_no_objects(items: bytes) -> None:
    assert records_of_list(b'{"kind":"PodList","items":%b}' % items).objects == []


def test_the_bytes_are_a_copy_of_their_own() -> None:
    (record, _) = records_of_list(b'{"items":[{"metadata":{"name":"a"}},{"metadata":{"name":"b"}}]}').objects
    assert type(record.raw) is bytes
    assert record.raw == b'{"metadata":{"name":"a"}}'
    assert not gc.is_tracked(record)


def test_a_record_of_a_dict() -> None:
    obj = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "namespace": "ns", "labels": {"x": "y"}}}
    record = record_of(obj)
    assert (record.kind, record.api_version, record.namespace, record.labels) == ("Pod", "v1", "ns", {"x": "y"})
    assert record.decode() == obj


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"<html>", b'{"items":[1]}', b'{"items":[{}]}', b'{"items":[{"metadata":{"name":1}}]}']
)
def test_what_is_no_list_of_objects_is_an_error(data: bytes) -> None:
    with pytest.raises(DecodeError):
        records_of_list(data)


@pytest.mark.parametrize(
    "frame", [b"", b"[]", b"{", b'{"type":"ADDED"}', b'{"type":"ADDED","object":3}', b'{"type":1,"object":{}}']
)
def test_what_is_no_event_of_an_object_is_an_error(frame: bytes) -> None:
    with pytest.raises(DecodeError):
        record_of_frame(frame)


@pytest.mark.parametrize("inside", [b"[" * 200_000 + b"]" * 200_000, b'"\xff"'], ids=["nested too deep", "no UTF-8"])
def test_what_could_not_be_decoded_is_no_record(inside: bytes) -> None:
    obj = b'{"metadata":{"name":"a"},"spec":%b}' % inside
    with pytest.raises(DecodeError, match="not a Kubernetes object"):
        record_of_frame(b'{"type":"ADDED","object":%b}\n' % obj)
    with pytest.raises(DecodeError, match=r"items\[0\] is not a Kubernetes object|not a list|not JSON"):
        records_of_list(b'{"kind":"PodList","items":[%b]}' % obj)


def test_a_secret_does_not_show() -> None:
    secret = record_of({"kind": "Secret", "metadata": {"name": "a", "namespace": "ns"}, "data": {"p": "aHVudGVyMg=="}})
    assert repr(secret) == "<RawObject Secret ns/a at , 86 bytes>"
    with pytest.raises(DecodeError) as caught:
        record_of({"kind": "Secret", "metadata": {"name": 3}, "data": {"p": "aHVudGVyMg=="}})
    assert "aHV" not in str(caught.value)
