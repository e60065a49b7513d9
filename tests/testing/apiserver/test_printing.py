"""Tables: each row as kube-apiserver 1.36.3 printed it (tables.jsonl, written by tests/recording/tables.py)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dynkube.quantities import parse_time
from dynkube.schema import GroupVersionResource
from dynkube.testing.apiserver import printing, recorded
from dynkube.testing.apiserver.printing.durations import human, since
from dynkube.testing.apiserver.words.resources import Resource, Strategy
from dynkube.testing.apiserver.words.schemas import ANYTHING
from dynkube.testing.apiserver.words.statuses import StatusError

NOW = datetime(2026, 11, 27, 14, 0, tzinfo=UTC)
PRINTED = [json.loads(line) for line in Path(__file__).with_name("tables.jsonl").read_text().splitlines()]
NAMESPACES = GroupVersionResource("", "v1", "namespaces")
CLUSTER_ROLES = GroupVersionResource("rbac.authorization.k8s.io", "v1", "clusterroles")
SHOP = {
    "apiVersion": "v1",
    "kind": "Namespace",
    "metadata": {"name": "shop", "resourceVersion": "7", "creationTimestamp": "2026-11-27T13:00:00Z"},
    "status": {"phase": "Active"},
}
BOOKMARK = {"metadata": {"resourceVersion": "9", "annotations": {"k8s.io/initial-events-end": "true"}}}


def name_of(printed: dict[str, Any]) -> str:
    return f"{'/'.join(printed['resource'])}/{printed['object']['metadata']['name']}"


def resource(gvr: GroupVersionResource, *, is_custom: bool = False) -> Resource:
    row = recorded.resource(gvr)
    return Resource(
        gvr=gvr,
        kind=row.kind,
        singular=row.singular,
        namespaced=row.namespaced,
        verbs=row.verbs,
        storage_version="v1",
        strategy=Strategy(),
        is_custom=is_custom,
        load_schema=lambda: ANYTHING,
    )


def table(**options: Any) -> dict[str, Any]:
    return printing.table(printing.printer_for(NAMESPACES), options.pop("obj", SHOP), now=NOW, **options)


@pytest.mark.parametrize("printed", PRINTED, ids=name_of)
def test_a_row_is_what_the_real_server_printed(printed: dict[str, Any]) -> None:
    printer = printing.printer_for(GroupVersionResource(*printed["resource"]))
    asked = parse_time(printed["now"])
    # The server looked at its clock a moment later.
    rows = [printer.cells(printed["object"], asked + timedelta(milliseconds=each)) for each in (0, 200)]
    assert printed["cells"] in rows
    assert list(printer.conditions(printed["object"])) == printed.get("conditions", [])


def test_every_kind_that_has_columns_of_its_own_was_printed() -> None:
    printed = {tuple(each["resource"]) for each in PRINTED}
    listed = {(each.gvr.group, each.gvr.version, each.gvr.resource) for each in recorded.resources() if each.list_kind}
    unprinted = {(group, resource) for group, _, resource in listed - printed}
    assert unprinted == {
        ("admissionregistration.k8s.io", "mutatingadmissionpolicies"),
        ("admissionregistration.k8s.io", "mutatingadmissionpolicybindings"),
        ("apiextensions.k8s.io", "customresourcedefinitions"),
        ("certificates.k8s.io", "certificatesigningrequests"),
    }


class TestDurations:
    @pytest.mark.parametrize(
        ("seconds", "expected"),
        [
            (-2, "<invalid>"),
            (-1.5, "0s"),
            (0.9, "0s"),
            (119, "119s"),
            (120, "2m"),
            (599, "9m59s"),
            (600, "10m"),
            (179 * 60 + 59, "179m"),
            (3 * 3600, "3h"),
            (8 * 3600 - 1, "7h59m"),
            (47 * 3600, "47h"),
            (48 * 3600, "2d"),
            (8 * 86400 - 1, "7d23h"),
            (729 * 86400, "729d"),
            (730 * 86400, "2y"),
            (731 * 86400, "2y1d"),
            (8 * 365 * 86400, "8y"),
        ],
    )
    def test_have_few_figures(self, seconds: float, expected: str) -> None:
        """As AM/util/duration/duration_test.go has them."""
        assert human(timedelta(seconds=seconds)) == expected

    @pytest.mark.parametrize("time", [None, "", "yesterday"])
    def test_of_no_time_are_unknown(self, time: str | None) -> None:
        assert since(time, NOW) == "<unknown>"


class TestTable:
    def test_of_one_object(self) -> None:
        found = table()
        assert found["columnDefinitions"] == recorded.columns(NAMESPACES)
        assert {name: found[name] for name in ("kind", "apiVersion", "metadata")} == {
            "kind": "Table",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": {"resourceVersion": "7"},
        }
        partial = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": SHOP["metadata"]}
        assert found["rows"] == [{"cells": ["shop", "Active", "60m"], "object": partial}]

    def test_of_the_older_version_has_older_parts(self) -> None:
        found = table(version="v1beta1")
        assert found["apiVersion"] == found["rows"][0]["object"]["apiVersion"] == "meta.k8s.io/v1beta1"

    def test_without_objects(self) -> None:
        assert table(include="None")["rows"][0]["object"] is None

    def test_with_objects_in_the_version_of_the_request(self) -> None:
        found = table(include="Object", convert=lambda obj: {**obj, "apiVersion": "v2"})
        assert found["rows"][0]["object"] == {**SHOP, "apiVersion": "v2"}

    def test_without_headers(self) -> None:
        assert table(headers=False)["columnDefinitions"] is None

    def test_the_end_of_initial_events_keeps_its_mark(self) -> None:
        found = table(obj=BOOKMARK, include="None")
        assert found["rows"][0]["cells"] == ["", "", "<unknown>"]
        assert found["rows"][0]["object"]["metadata"] == BOOKMARK["metadata"]

    def test_of_a_list_has_its_metadata(self) -> None:
        metadata = {"resourceVersion": "9", "continue": "token", "remainingItemCount": 4}
        found = printing.table_of_list(printing.printer_for(NAMESPACES), [SHOP, SHOP], metadata, now=NOW)
        assert found["metadata"] == metadata
        assert [row["cells"][0] for row in found["rows"]] == ["shop", "shop"]

    def test_of_an_empty_list_has_no_rows(self) -> None:
        found = printing.table_of_list(printing.printer_for(NAMESPACES), [], {}, now=NOW)
        assert list(found["rows"]) == []

    def test_of_an_empty_list_of_a_kind_without_columns_has_null(self) -> None:
        found = printing.table_of_list(printing.printer_for(CLUSTER_ROLES), [], {}, now=NOW)
        assert found["rows"] is None

    def test_of_flow_schemas_is_in_their_order(self) -> None:
        gvr = GroupVersionResource("flowcontrol.apiserver.k8s.io", "v1", "flowschemas")
        schemas = [
            {"metadata": {"name": name}, "spec": {"matchingPrecedence": at}} for name, at in (("a", 9), ("b", 1))
        ]
        found = printing.table_of_list(printing.printer_for(gvr), schemas, {}, now=NOW)
        assert [row["cells"][0] for row in found["rows"]] == ["b", "a"]


class TestIncludeObject:
    @pytest.mark.parametrize(
        ("value", "expected"), [(None, "Metadata"), ("", "Metadata"), ("Object", "Object"), ("None", "None")]
    )
    def test_says_what_rows_carry(self, value: str | None, expected: str) -> None:
        assert printing.check_include(value) == expected

    def test_is_one_of_three(self) -> None:
        with pytest.raises(StatusError) as caught:
            printing.check_include("Bogus")
        assert caught.value.code == 400
        assert str(caught.value) == (
            'Unable to convert to Table as requested: includeObject: Invalid value: "Bogus": '
            "must be 'Metadata', 'Object', 'None', or empty"
        )


class TestPartialMetadata:
    def test_of_an_object(self) -> None:
        found = printing.partial(SHOP)
        assert found == {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": SHOP["metadata"]}

    @pytest.mark.parametrize("annotations", [{}, {"a": "b"}])
    def test_of_a_daemon_set_is_that_of_the_internal_type(self, annotations: dict[str, str]) -> None:
        """In which the annotation is a field."""
        noted = {"deprecated.daemonset.template.generation": "1", **annotations}
        obj = {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "d", "annotations": noted}}
        expected = {"name": "d", "annotations": annotations} if annotations else {"name": "d"}
        assert printing.partial(obj)["metadata"] == expected

    def test_of_a_list(self) -> None:
        found = printing.partial_list([SHOP], {"resourceVersion": "9"}, "v1beta1")
        assert found == {
            "kind": "PartialObjectMetadataList",
            "apiVersion": "meta.k8s.io/v1beta1",
            "metadata": {"resourceVersion": "9"},
            "items": [printing.partial(SHOP, "v1beta1")],
        }

    def test_of_an_empty_list_has_null(self) -> None:
        assert printing.partial_list([], {})["items"] is None

    @pytest.mark.parametrize(
        ("gvr", "expected"),
        [
            (NAMESPACES, "*core.NamespaceList"),
            (CLUSTER_ROLES, "*rbac.ClusterRoleList"),
            (GroupVersionResource("events.k8s.io", "v1", "events"), "*core.EventList"),
            (
                GroupVersionResource("internal.apiserver.k8s.io", "v1alpha1", "storageversions"),
                "*apiserverinternal.StorageVersionList",
            ),
        ],
    )
    def test_a_list_is_no_object(self, gvr: GroupVersionResource, expected: str) -> None:
        refusal = printing.list_refused(resource(gvr))
        assert (refusal.code, refusal.reason) == (406, "NotAcceptable")
        assert str(refusal) == f"you requested PartialObjectMetadata, but the requested object is a list ({expected})"

    def test_an_object_is_no_list(self) -> None:
        assert str(printing.object_refused(resource(NAMESPACES))) == (
            "you requested PartialObjectMetadataList, but the requested object is not a list (*core.Namespace)"
        )
