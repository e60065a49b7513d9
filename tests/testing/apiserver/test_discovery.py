"""Discovery documents: ETags and orders are those that kube-apiserver 1.36.3 was seen to give."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from dynkube.schema import GroupVersionKind, GroupVersionResource
from dynkube.testing.apiserver import recorded
from dynkube.testing.apiserver.discovery import Discovery, ServedVersion, storage_version_hash
from dynkube.testing.apiserver.words.resources import Resource, Strategy, Subresource
from dynkube.testing.apiserver.words.schemas import ANYTHING

CORE_ETAG = '"4D7E1BED90B364BC86049DD9E636494980AEF65B7F8CFAA267616FA062B514A8A3CC2C2851CC9337B8D28B4C80960E2353DE5E0B152E87CC223E02EA3C5C37AC"'
GROUPS_ETAG = '"8290C3472C27890F9FD7A0D8EDB129C8F8C3812F5D96F60EE512B15A19C57A51D5AC9218F86612D24DF9BD55C9634B8D75DE655751374170931164A71F1E1C94"'
CUSTOM_VERBS = ("delete", "deletecollection", "get", "list", "patch", "create", "update", "watch")
BUILT_IN = [
    Resource(
        gvr=each.gvr,
        kind=each.kind,
        singular=each.singular,
        namespaced=each.namespaced,
        verbs=each.verbs,
        short_names=each.short_names,
        categories=each.categories,
        subresources=each.subresources,
        storage_version=each.storage.version,
        strategy=Strategy(),
        load_schema=lambda: ANYTHING,
    )
    for each in recorded.resources()
]


def custom(group: str, version: str, plural: str = "apples", *, subresources: Sequence[str] = ()) -> Resource:
    own = GroupVersionKind(group, version, "Apple")
    kinds = {"status": own, "scale": GroupVersionKind("autoscaling", "v1", "Scale")}
    return Resource(
        gvr=GroupVersionResource(group, version, plural),
        kind="Apple",
        singular="apple",
        namespaced=True,
        verbs=CUSTOM_VERBS,
        short_names=("ap",),
        subresources={
            each: Subresource(name=each, kind=kinds[each], verbs=("get", "patch", "update")) for each in subresources
        },
        storage_version="v1",
        strategy=Strategy(),
        is_custom=True,
        load_schema=lambda: ANYTHING,
    )


def discovery(*more: Resource, aggregated: Sequence[ServedVersion] = ()) -> Discovery:
    return Discovery(lambda: [*BUILT_IN, *more], "127.0.0.1:6443", lambda: aggregated)


def broken(**fields: object) -> ServedVersion:
    place = {"group": "broken.example.com", "version": "v1", "group_priority": 100, "version_priority": 100}
    return ServedVersion(**{**place, "is_local": False, **fields})


class TestAggregated:
    def test_the_etag_is_that_of_the_real_server(self) -> None:
        built_in = discovery()
        assert (built_in.aggregated_api().etag, built_in.aggregated_apis().etag) == (CORE_ETAG, GROUPS_ETAG)

    def test_groups_of_crds_come_last_by_name(self) -> None:
        found = discovery(custom("c.s3.io", "v1"), custom("a.s3.io", "v1alpha1"), custom("b.s3.io", "v1"))
        names = [each["metadata"]["name"] for each in found.aggregated_apis().document["items"]]
        assert names[-4:] == ["internal.apiserver.k8s.io", "a.s3.io", "b.s3.io", "c.s3.io"]

    def test_versions_come_by_kubernetes_priority(self) -> None:
        found = discovery(*(custom("b.s3.io", each) for each in ("foo", "v2alpha1", "v1beta1", "v1")))
        versions = found.aggregated_apis().document["items"][-1]["versions"]
        assert [each["version"] for each in versions] == ["v1", "v1beta1", "v2alpha1", "foo"]

    def test_a_custom_kind_says_its_group_and_version(self) -> None:
        group = (
            discovery(custom("b.s3.io", "v1", subresources=["status", "scale"])).aggregated_apis().document["items"][-1]
        )
        own = {"group": "b.s3.io", "version": "v1", "kind": "Apple"}
        assert group == {
            "metadata": {"name": "b.s3.io"},
            "versions": [
                {
                    "version": "v1",
                    "resources": [
                        {
                            "resource": "apples",
                            "responseKind": own,
                            "scope": "Namespaced",
                            "singularResource": "apple",
                            "verbs": list(CUSTOM_VERBS),
                            "shortNames": ["ap"],
                            "subresources": [
                                {"subresource": "status", "responseKind": own, "verbs": ["get", "patch", "update"]},
                                {
                                    "subresource": "scale",
                                    "responseKind": {"group": "autoscaling", "version": "v1", "kind": "Scale"},
                                    "verbs": ["get", "patch", "update"],
                                },
                            ],
                        }
                    ],
                    "freshness": "Current",
                }
            ],
        }

    def test_a_broken_api_is_stale_and_has_no_resources(self) -> None:
        group = discovery(aggregated=[broken(is_stale=True)]).aggregated_apis().document["items"][-1]
        assert group == {
            "metadata": {"name": "broken.example.com"},
            "versions": [{"version": "v1", "freshness": "Stale"}],
        }


class TestLegacy:
    def test_groups_of_one_priority_come_by_version_and_group(self) -> None:
        """The real server sorts APIServices by name, and a name begins with the version."""
        found = discovery(custom("c.s3.io", "v1"), custom("a.s3.io", "v1alpha1"), custom("b.s3.io", "v1"))
        names = [each["name"] for each in found.api_groups()["groups"]]
        assert names[-4:] == ["internal.apiserver.k8s.io", "b.s3.io", "c.s3.io", "a.s3.io"]

    def test_a_group(self) -> None:
        assert discovery().api_group("autoscaling") == {
            "kind": "APIGroup",
            "apiVersion": "v1",
            "name": "autoscaling",
            "versions": [
                {"groupVersion": "autoscaling/v2", "version": "v2"},
                {"groupVersion": "autoscaling/v1", "version": "v1"},
            ],
            "preferredVersion": {"groupVersion": "autoscaling/v2", "version": "v2"},
        }

    @pytest.mark.parametrize("name", ["", "nope.example.com"])
    def test_an_unknown_group_and_the_core_group_are_none(self, name: str) -> None:
        assert discovery().api_group(name) is None

    def test_the_core_list_has_no_api_version(self) -> None:
        assert list(discovery().api_resources("", "v1")) == ["kind", "groupVersion", "resources"]

    def test_a_version_of_an_aggregated_api_is_not_ours_to_list(self) -> None:
        assert discovery(aggregated=[broken()]).api_resources("broken.example.com", "v1") is None
        assert discovery(aggregated=[broken()]).api_group("broken.example.com")

    def test_subresources_follow_their_resource(self) -> None:
        rows = discovery(custom("b.s3.io", "v1", subresources=["status", "scale"])).api_resources("b.s3.io", "v1")[
            "resources"
        ]
        assert [each["name"] for each in rows] == ["apples", "apples/status", "apples/scale"]
        assert rows[2] == {
            "name": "apples/scale",
            "singularName": "",
            "namespaced": True,
            "group": "autoscaling",
            "version": "v1",
            "kind": "Scale",
            "verbs": ["get", "patch", "update"],
        }


class TestStorageVersionHash:
    def test_of_a_custom_kind_is_that_of_its_storage_version(self) -> None:
        (row,) = discovery(custom("b.s3.io", "v1beta1")).api_resources("b.s3.io", "v1beta1")["resources"]
        assert row["storageVersionHash"] == "DJjm89rseAo="

    def test_as_the_real_server_computes_it(self) -> None:
        assert storage_version_hash(GroupVersionKind("", "v1", "ConfigMap")) == "qFsyl6wFWjQ="


def test_a_document_is_kept_until_something_changes() -> None:
    served = list(BUILT_IN)
    found = Discovery(lambda: served, "127.0.0.1:6443")
    before = found.aggregated_apis()
    served.append(custom("b.s3.io", "v1"))
    assert found.aggregated_apis() is before
    found.invalidate()
    assert found.aggregated_apis().etag != before.etag
