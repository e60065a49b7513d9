"""What the server has: groups, resources, versions, OpenAPI; also while part of it is broken or changes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from manifests import GROUP, crd
from raw import RawClient

import dynkube
from dynkube import GroupVersion, GroupVersionKind, GroupVersionResource

APPS = GroupVersion("apps", "v1")
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


@pytest.fixture
def fresh(server) -> Iterator[dynkube.DynamicClient]:  # type: ignore[no-untyped-def]
    """A client whose caches are empty."""
    with server.connect() as client:
        yield client


def install(client: dynkube.DynamicClient, manifest: dict[str, Any]) -> None:
    crds = client.resource(GroupVersionResource("apiextensions.k8s.io", "v1", "customresourcedefinitions"))
    crds.create(manifest)
    crds.wait(manifest["metadata"]["name"], condition="Established", timeout=30)


class TestGroups:
    @pytest.mark.behaviour("3.1.6")
    def test_the_core_group_comes_first(self, fresh: dynkube.DynamicClient, raw: RawClient) -> None:
        groups = [group.name for group in fresh.discovery.server_groups()]
        assert groups[0] == ""
        served = [group["name"] for group in raw.request("GET", "/apis").json()["groups"]]
        assert groups[1:] == served

    @pytest.mark.behaviour("3.1.5")
    def test_the_preferred_version(self, fresh: dynkube.DynamicClient) -> None:
        groups = {group.name: group for group in fresh.discovery.server_groups()}
        assert groups[""].preferred_version == "v1"
        assert groups["autoscaling"].preferred_version == "v2"
        assert "v1" in groups["autoscaling"].versions

    @pytest.mark.behaviour("3.1.2")
    def test_the_server_speaks_aggregated(self, raw: RawClient) -> None:
        answer = raw.request("GET", "/apis", headers={"Accept": AGGREGATED})
        assert "as=APIGroupDiscoveryList" in (answer.headers["Content-Type"] or "")
        assert answer.json()["kind"] == "APIGroupDiscoveryList"

    @pytest.mark.behaviour("3.1.18")
    def test_the_server_knows_what_we_have(self, raw: RawClient) -> None:
        first = raw.request("GET", "/apis", headers={"Accept": AGGREGATED})
        again = raw.request("GET", "/apis", headers={"Accept": AGGREGATED, "If-None-Match": first.headers["ETag"]})
        assert again.status == 304


class TestResources:
    @pytest.mark.behaviour("3.1.15")
    def test_attributes(self, fresh: dynkube.DynamicClient) -> None:
        listed = fresh.discovery.server_resources_for_group_version("apps/v1")
        deployments = next(each for each in listed if each.name == "deployments")
        assert (deployments.kind, deployments.namespaced, deployments.singular_name) == (
            "Deployment",
            True,
            "deployment",
        )
        assert deployments.short_names == ("deploy",)
        assert deployments.categories == ("all",)
        assert deployments.supports("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection")

    @pytest.mark.behaviour("3.1.7")
    def test_a_subresource_speaks_its_own_kind(self, fresh: dynkube.DynamicClient) -> None:
        apps = {each.name: each for each in fresh.discovery.server_resources_for_group_version("apps/v1")}
        assert apps["deployments/scale"].gvk == GroupVersionKind("autoscaling", "v1", "Scale")
        assert apps["deployments/scale"].namespaced
        core = {each.name: each for each in fresh.discovery.server_resources_for_group_version("v1")}
        assert core["pods/eviction"].gvk == GroupVersionKind("policy", "v1", "Eviction")

    @pytest.mark.behaviour("3.1.4")
    def test_aggregated_and_legacy_documents_say_the_same(self, fresh: dynkube.DynamicClient, raw: RawClient) -> None:
        found = {each.name for each in fresh.discovery.server_resources_for_group_version("apps/v1")}
        legacy = {each["name"] for each in raw.request("GET", "/apis/apps/v1").json()["resources"]}
        assert found == legacy

    @pytest.mark.behaviour("3.1.9")
    def test_a_group_version_that_is_not_served(self, fresh: dynkube.DynamicClient) -> None:
        with pytest.raises(dynkube.DynkubeError, match=r"nowhere\.example/v1"):
            fresh.discovery.server_resources_for_group_version("nowhere.example/v1")

    @pytest.mark.behaviour("3.1.11")
    def test_everything_at_once(self, fresh: dynkube.DynamicClient) -> None:
        groups, lists = fresh.discovery.server_groups_and_resources()
        assert {group.name for group in groups} >= {"", "apps", "batch"}
        assert {str(each.group_version) for each in lists} >= {"v1", "apps/v1", "batch/v1"}

    @pytest.mark.behaviour("3.1.13")
    def test_preferred_resources(self, fresh: dynkube.DynamicClient) -> None:
        preferred = fresh.discovery.server_preferred_resources()
        homes = [(each.name, str(listed.group_version)) for listed in preferred for each in listed]
        assert [version for name, version in homes if name == "horizontalpodautoscalers"] == ["autoscaling/v2"]
        assert not any("/" in name for name, _ in homes)

    @pytest.mark.behaviour("3.1.13")
    def test_preferred_namespaced_resources(self, fresh: dynkube.DynamicClient) -> None:
        namespaced = fresh.discovery.server_preferred_namespaced_resources()
        assert all(each.namespaced for listed in namespaced for each in listed)
        assert all(len(listed) for listed in namespaced)
        assert "nodes" not in {each.name for listed in namespaced for each in listed}


class TestVersion:
    @pytest.mark.behaviour("3.1.16")
    def test_of_the_server(self, fresh: dynkube.DynamicClient, raw: RawClient) -> None:
        version = fresh.discovery.server_version()
        document = raw.request("GET", "/version").json()
        assert (version.major, version.minor, version.git_version) == (
            document["major"],
            document["minor"],
            document["gitVersion"],
        )
        assert version.numbers >= (1, 30)


class TestOpenAPI:
    @pytest.mark.behaviour("3.4.1")
    def test_paths(self, fresh: dynkube.DynamicClient) -> None:
        paths = fresh.discovery.openapi_v3().paths()
        assert {"api/v1", "apis/apps/v1"} <= set(paths)

    @pytest.mark.behaviour("3.4.2")
    def test_a_document(self, fresh: dynkube.DynamicClient) -> None:
        document = fresh.discovery.openapi_v3().document("apis/apps/v1")
        assert "io.k8s.api.apps.v1.Deployment" in document["components"]["schemas"]
        assert document == fresh.discovery.openapi_v3().document("apis/apps/v1")

    @pytest.mark.behaviour("3.4.2")
    def test_an_old_hash_is_redirected(self, raw: RawClient) -> None:
        assert raw.request("GET", "/openapi/v3/apis/apps/v1?hash=OLD").status == 301


class TestBrokenGroups:
    @pytest.mark.behaviour("3.1.11")
    def test_the_rest_is_found_and_the_failure_is_data(self, server) -> None:  # type: ignore[no-untyped-def]
        with server.break_group("broken.example.com/v1", "unavailable"), server.connect() as client:
            resource_map = client.discovery.resource_map()
            assert APPS in resource_map.resources
            assert [str(version) for version in resource_map.failures] == ["broken.example.com/v1"]

    @pytest.mark.behaviour("3.1.12")
    def test_names_resolve_all_the_same(self, server) -> None:  # type: ignore[no-untyped-def]
        with server.break_group("mapping.example.com/v1", "refused"), server.connect() as client:
            assert client.resource("deploy").gvr == GroupVersionResource("apps", "v1", "deployments")

    @pytest.mark.behaviour("3.1.12")
    def test_the_error_comes_up_when_that_group_is_asked_for(self, server) -> None:  # type: ignore[no-untyped-def]
        with server.break_group("asked.example.com/v1", "unavailable"), server.connect() as client:
            with pytest.raises(dynkube.DynkubeError, match=r"asked\.example\.com/v1") as caught:
                client.discovery.server_resources_for_group_version("asked.example.com/v1")
            assert not isinstance(caught.value, dynkube.NoMatchError)

    @pytest.mark.behaviour("3.1.8")
    def test_a_stale_version(self, server) -> None:  # type: ignore[no-untyped-def]
        with server.break_group("stale.example.com/v1", "stale"), server.connect() as client:
            resource_map = client.discovery.resource_map()
            failure = resource_map.failures[GroupVersion("stale.example.com", "v1")]
            assert "stale" in str(failure).lower()

    @pytest.mark.behaviour("3.1.11")
    def test_what_lists_everything_raises_with_what_was_found(self, server) -> None:  # type: ignore[no-untyped-def]
        with server.break_group("all.example.com/v1", "html"), server.connect() as client:
            with pytest.raises(dynkube.PartialDiscoveryError) as caught:
                client.discovery.server_groups_and_resources()
            assert list(caught.value.failures) == ["all.example.com/v1"]
            assert APPS in caught.value.resource_map.resources
            assert str(caught.value).startswith(
                "unable to retrieve the complete list of server APIs: all.example.com/v1: "
            )

    @pytest.mark.behaviour("3.1.12")
    def test_a_group_that_is_mended_is_found(self, server) -> None:  # type: ignore[no-untyped-def]
        with server.break_group("mended.example.com/v1", "unavailable") as broken, server.connect() as client:
            assert GroupVersion("mended.example.com", "v1") in client.discovery.resource_map().failures
            broken.repair()
            client.discovery.invalidate()
            assert client.resource("gizmos.mended.example.com").gvr.resource == "gizmos"

    @pytest.mark.behaviour("3.1.12")
    def test_a_group_that_hangs_does_not_hang_us(self, server) -> None:  # type: ignore[no-untyped-def]
        with server.break_group("hang.example.com/v1", "hang"), server.connect() as client:
            assert client.resource("deployments", timeout=20).gvr.group == "apps"


class TestChanges:
    @pytest.mark.behaviour("4.10")
    def test_a_kind_that_was_just_installed_is_found(self, fresh: dynkube.DynamicClient) -> None:
        with pytest.raises(dynkube.NoMatchError):
            fresh.resource("latecomers")
        install(fresh, crd("latecomers", "Latecomer", shortNames=["late"]))
        # The answer may be a second old: what is missing is asked for anew once a second.
        found = until(lambda: fresh.resource("latecomers"))
        assert found.gvr == GroupVersionResource(GROUP, "v1", "latecomers")

    @pytest.mark.behaviour("4.10")
    def test_a_kind_in_a_known_group(self, fresh: dynkube.DynamicClient) -> None:
        install(fresh, crd("firsts", "First"))
        assert until(lambda: fresh.resource("firsts")).gvr.resource == "firsts"
        install(fresh, crd("seconds", "Second"))
        manifest = {"apiVersion": f"{GROUP}/v1", "kind": "Second", "metadata": {"name": "a"}}
        assert until(lambda: fresh.resource_for(manifest)).gvr.resource == "seconds"

    @pytest.mark.behaviour("4.10")
    def test_a_kind_that_was_removed_is_gone_after_a_reset(self, fresh: dynkube.DynamicClient) -> None:
        install(fresh, crd("leavers", "Leaver"))
        until(lambda: fresh.resource("leavers"))
        crds = fresh.resource("customresourcedefinitions")
        crds.delete(f"leavers.{GROUP}")
        crds.wait(f"leavers.{GROUP}", condition="delete", timeout=30)

        def gone() -> bool:
            fresh.mapper.reset()
            try:
                fresh.resource("leavers")
            except dynkube.NoMatchError:
                return True
            return False

        assert until(gone)


def until(attempt: Any, seconds: float = 20) -> Any:
    """The first result that is neither an error nor False; the server publishes a new kind in its own time."""
    import time

    deadline = time.monotonic() + seconds
    while True:
        try:
            result = attempt()
        except dynkube.NoMatchError:
            result = None
        if result or time.monotonic() > deadline:
            assert result, "it did not come to pass"
            return result
