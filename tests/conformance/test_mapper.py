"""Names, kinds and resources, resolved against what a real server has."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from manifests import GROUP, WIDGETS, widget

import dynkube
from dynkube import GroupKind, GroupVersionKind, GroupVersionResource

DEPLOYMENTS = GroupVersionResource("apps", "v1", "deployments")


@pytest.fixture
def mapped(server) -> Iterator[dynkube.DynamicClient]:  # type: ignore[no-untyped-def]
    with server.connect() as client:
        yield client


class TestNames:
    @pytest.mark.behaviour("4.13")
    @pytest.mark.parametrize(
        "name",
        [
            "deployments",
            "deployment",
            "deploy",
            "Deployment",
            "deployments.apps",
            "deploy.apps",
            "deployments.v1.apps",
            "Deployment.v1.apps",
            "Deployment.apps",
            "apps/v1/deployments",
            "DEPLOYMENTS",
        ],
    )
    def test_as_kubectl_takes_them(self, mapped: dynkube.DynamicClient, name: str) -> None:
        assert mapped.resource(name).gvr == DEPLOYMENTS

    @pytest.mark.behaviour("4.13")
    def test_core_resources(self, mapped: dynkube.DynamicClient) -> None:
        pods = GroupVersionResource("", "v1", "pods")
        assert [mapped.resource(name).gvr for name in ("po", "pods", "v1/pods", "Pod")] == [pods] * 4

    @pytest.mark.behaviour("4.2")
    def test_the_beginning_of_a_group(self, mapped: dynkube.DynamicClient) -> None:
        assert mapped.resource("storageclass.storage").gvr.group == "storage.k8s.io"

    @pytest.mark.behaviour("4.4")
    def test_the_core_group_has_priority(self, mapped: dynkube.DynamicClient) -> None:
        assert mapped.resource("events").gvr == GroupVersionResource("", "v1", "events")
        assert mapped.resource("events.events.k8s.io").gvr.group == "events.k8s.io"

    @pytest.mark.behaviour("4.3")
    def test_the_preferred_version_has_priority(self, mapped: dynkube.DynamicClient) -> None:
        assert mapped.resource("hpa").gvr.version == "v2"
        assert mapped.resource("horizontalpodautoscalers.v1.autoscaling").gvr.version == "v1"

    @pytest.mark.behaviour("4.14")
    def test_one_that_there_is_not(self, mapped: dynkube.DynamicClient) -> None:
        with pytest.raises(dynkube.NoMatchError, match='the server doesn\'t have a resource type "nonsense"'):
            mapped.resource("nonsense")

    @pytest.mark.behaviour("4.15")
    def test_a_near_miss_is_told(self, mapped: dynkube.DynamicClient) -> None:
        with pytest.raises(dynkube.NoMatchError, match="deployments") as caught:
            mapped.resource("deploymets")
        assert "deployments" in caught.value.suggestions

    @pytest.mark.behaviour("4.15")
    def test_a_resource_of_another_version_is_told(self, mapped: dynkube.DynamicClient) -> None:
        with pytest.raises(dynkube.NoMatchError, match="apps/v1/deployments"):
            mapped.resource("extensions/v1beta1/deployments")

    @pytest.mark.parametrize("text", ["", "apps/v1", "a/b/c/d", "apps//deployments", "../x", "a b"])
    def test_what_is_no_name(self, mapped: dynkube.DynamicClient, text: str) -> None:
        with pytest.raises((dynkube.InvalidRequestError, dynkube.NoMatchError)):
            mapped.resource(text)

    @pytest.mark.behaviour("4.11")
    def test_a_short_name_of_a_custom_resource(self, widgets: dynkube.ResourceHandle, server) -> None:  # type: ignore[no-untyped-def]
        with server.connect() as client:
            assert client.resource("wd").gvr == WIDGETS

    @pytest.mark.behaviour("4.12")
    def test_categories(self, widgets: dynkube.ResourceHandle, server) -> None:  # type: ignore[no-untyped-def]
        with server.connect() as client:
            assert [str(each) for each in client.mapper.expand_category("conformance")] == [f"widgets.{GROUP}"]
            everything = {str(each) for each in client.mapper.expand_category("all")}
            assert {"pods", "services", "deployments.apps"} <= everything
            assert client.mapper.expand_category("nothing") == ()


class TestMappings:
    @pytest.mark.behaviour("4.5")
    def test_of_a_kind(self, mapped: dynkube.DynamicClient) -> None:
        mapping = mapped.mapper.rest_mapping(GroupKind("apps", "Deployment"))
        assert (mapping.resource, mapping.kind) == (DEPLOYMENTS, GroupVersionKind("apps", "v1", "Deployment"))

    @pytest.mark.behaviour("4.6")
    def test_scope(self, mapped: dynkube.DynamicClient) -> None:
        assert mapped.mapper.rest_mapping(GroupKind("", "Namespace")).namespaced is False
        assert mapped.mapper.rest_mapping(GroupKind("", "Pod")).namespaced is True

    @pytest.mark.behaviour("4.5")
    def test_versions_in_the_order_given(self, mapped: dynkube.DynamicClient) -> None:
        kind = GroupKind("autoscaling", "HorizontalPodAutoscaler")
        assert mapped.mapper.rest_mapping(kind, "v1", "v2").kind.version == "v1"
        assert mapped.mapper.rest_mapping(kind, "v9", "v2").kind.version == "v2"

    @pytest.mark.behaviour("4.5")
    def test_a_version_that_is_not_served(self, mapped: dynkube.DynamicClient) -> None:
        with pytest.raises(dynkube.NoMatchError, match='no matches for kind "Deployment" in version "apps/v9"'):
            mapped.mapper.rest_mapping(GroupKind("apps", "Deployment"), "v9")

    @pytest.mark.behaviour("4.1")
    def test_kind_and_resource(self, mapped: dynkube.DynamicClient) -> None:
        partial = GroupVersionResource("", "", "deployment")
        assert mapped.mapper.kind_for(partial) == GroupVersionKind("apps", "v1", "Deployment")
        assert mapped.mapper.resource_for(partial) == DEPLOYMENTS

    @pytest.mark.behaviour("4.1")
    def test_an_object_leads_to_its_resource(self, widgets: dynkube.ResourceHandle, server) -> None:  # type: ignore[no-untyped-def]
        with server.connect() as client:
            assert client.resource_for(widget("a")).gvr == WIDGETS

    @pytest.mark.behaviour("5.1.6")
    def test_an_object_without_kind(self, mapped: dynkube.DynamicClient) -> None:
        with pytest.raises(dynkube.InvalidRequestError, match="kind"):
            mapped.resource_for({"apiVersion": "v1", "metadata": {"name": "a"}})

    @pytest.mark.behaviour("4.10")
    def test_reset(self, mapped: dynkube.DynamicClient) -> None:
        mapped.mapper.reset()
        assert mapped.resource("deploy").gvr == DEPLOYMENTS
