"""The four patch types, server-side apply, scale and other subresources."""

from __future__ import annotations

from typing import Any

import jsonpatch
import pytest
from manifests import GROUP, config_map, deployment, pod, widget

import dynkube
from dynkube import PatchType


@pytest.fixture
def deployments(client: dynkube.DynamicClient, namespace: str) -> dynkube.ResourceHandle:
    return client.resource("deployments").namespace(namespace)


class TestPatch:
    @pytest.mark.behaviour("2.5.6")
    def test_a_dict_is_a_merge_patch(self, configmaps: dynkube.ResourceHandle) -> None:
        configmaps.create(config_map("a", keep="1", drop="2"))
        assert configmaps.patch("a", {"data": {"drop": None, "new": "3"}})["data"] == {"keep": "1", "new": "3"}

    @pytest.mark.behaviour("2.5.6")
    def test_a_list_is_a_json_patch(self, configmaps: dynkube.ResourceHandle) -> None:
        configmaps.create(config_map("a", x="1"))
        patched = configmaps.patch("a", [{"op": "replace", "path": "/data/x", "value": "2"}])
        assert patched["data"] == {"x": "2"}

    @pytest.mark.behaviour("2.5.6")
    def test_a_jsonpatch_object(self, configmaps: dynkube.ResourceHandle) -> None:
        before = configmaps.create(config_map("a", x="1"))
        after = {**before, "data": {"x": "2", "y": "3"}}
        assert configmaps.patch("a", jsonpatch.make_patch(before, after))["data"] == {"x": "2", "y": "3"}

    @pytest.mark.behaviour("2.8.2")
    def test_a_json_patch_whose_test_fails(self, configmaps: dynkube.ResourceHandle) -> None:
        configmaps.create(config_map("a", x="1"))
        operations = [
            {"op": "test", "path": "/data/x", "value": "other"},
            {"op": "remove", "path": "/data/x"},
        ]
        with pytest.raises(dynkube.InvalidError):
            configmaps.patch("a", operations)
        assert configmaps.get("a")["data"] == {"x": "1"}

    @pytest.mark.behaviour("2.5.6")
    def test_strategic_merges_lists_by_key(self, deployments: dynkube.ResourceHandle) -> None:
        deployments.create(deployment("d"))
        body = {"spec": {"template": {"spec": {"containers": [{"name": "side", "image": "registry.example/side:1"}]}}}}
        patched = deployments.patch("d", body, type=PatchType.STRATEGIC)
        names = [container["name"] for container in patched["spec"]["template"]["spec"]["containers"]]
        assert sorted(names) == ["main", "side"]

    @pytest.mark.behaviour("2.5.6")
    def test_merge_replaces_lists(self, deployments: dynkube.ResourceHandle) -> None:
        deployments.create(deployment("d"))
        body = {"spec": {"template": {"spec": {"containers": [{"name": "side", "image": "registry.example/side:1"}]}}}}
        patched = deployments.patch("d", body, type=PatchType.MERGE)
        assert [each["name"] for each in patched["spec"]["template"]["spec"]["containers"]] == ["side"]

    @pytest.mark.behaviour("2.8.7")
    def test_a_strategic_patch_of_a_custom_resource_comes_with_a_hint(self, widgets: dynkube.ResourceHandle) -> None:
        widgets.create(widget("a"))
        with pytest.raises(dynkube.UnsupportedMediaTypeError) as caught:
            widgets.patch("a", {"spec": {"size": 2}}, type=PatchType.STRATEGIC)
        assert "MERGE" in str(caught.value) or "merge" in caught.value.hint

    @pytest.mark.behaviour("2.5.3")
    def test_dry_run(self, configmaps: dynkube.ResourceHandle) -> None:
        configmaps.create(config_map("a", x="1"))
        assert configmaps.patch("a", {"data": {"x": "2"}}, dry_run=True)["data"] == {"x": "2"}
        assert configmaps.get("a")["data"] == {"x": "1"}

    @pytest.mark.behaviour("5.1.1")
    def test_the_status_of_a_custom_resource(self, widgets: dynkube.ResourceHandle) -> None:
        widgets.create(widget("a", size=1))
        patched = widgets.subresource("status").patch("a", {"status": {"phase": "Ready"}, "spec": {"size": 9}})
        assert (patched["status"], patched["spec"]) == ({"phase": "Ready"}, {"size": 1})

    def test_with_a_resource_version_that_is_old(self, configmaps: dynkube.ResourceHandle) -> None:
        old = configmaps.create(config_map("a"))["metadata"]["resourceVersion"]
        configmaps.patch("a", {"data": {"x": "1"}})
        with pytest.raises(dynkube.ConflictError):
            configmaps.patch("a", {"metadata": {"resourceVersion": old}, "data": {"x": "2"}})

    def test_of_an_absent_object(self, configmaps: dynkube.ResourceHandle) -> None:
        with pytest.raises(dynkube.NotFoundError):
            configmaps.patch("absent", {})

    @pytest.mark.parametrize("body", ["text", 3, None, b"{}"])
    def test_what_is_no_patch_is_never_sent(self, configmaps: dynkube.ResourceHandle, body: Any) -> None:
        with pytest.raises(dynkube.InvalidRequestError):
            configmaps.patch("a", body)


class TestApply:
    @pytest.mark.behaviour("5.1.8")
    def test_creates(self, configmaps: dynkube.ResourceHandle) -> None:
        applied = configmaps.apply(config_map("a", k="v"), field_manager="one")
        assert applied["data"] == {"k": "v"}
        assert [entry["operation"] for entry in applied["metadata"]["managedFields"]] == ["Apply"]

    @pytest.mark.behaviour("5.1.8")
    def test_drops_what_the_manager_no_longer_names(self, configmaps: dynkube.ResourceHandle) -> None:
        configmaps.apply(config_map("a", mine="1", gone="2"), field_manager="one")
        assert configmaps.apply(config_map("a", mine="1"), field_manager="one")["data"] == {"mine": "1"}

    @pytest.mark.behaviour("8.7.1")
    def test_a_conflict_names_manager_and_field(self, configmaps: dynkube.ResourceHandle) -> None:
        configmaps.apply(config_map("a", k="one"), field_manager="one")
        with pytest.raises(dynkube.ConflictError) as caught:
            configmaps.apply(config_map("a", k="two"), field_manager="two")
        assert [(each.manager, each.field) for each in caught.value.conflicts] == [("one", ".data.k")]
        assert "one" in str(caught.value)

    @pytest.mark.behaviour("2.5.3")
    def test_force_takes_over(self, configmaps: dynkube.ResourceHandle) -> None:
        configmaps.apply(config_map("a", k="one"), field_manager="one")
        applied = configmaps.apply(config_map("a", k="two"), field_manager="two", force=True)
        assert applied["data"] == {"k": "two"}

    @pytest.mark.behaviour("5.1.8")
    def test_refuses_managed_fields(self, configmaps: dynkube.ResourceHandle) -> None:
        applied = configmaps.apply(config_map("a", k="v"), field_manager="one")
        with pytest.raises(dynkube.InvalidRequestError, match=r"managedFields|managed fields"):
            configmaps.apply(applied, field_manager="one")

    @pytest.mark.behaviour("5.1.8")
    def test_the_name_argument_wins(self, configmaps: dynkube.ResourceHandle) -> None:
        with pytest.raises(dynkube.BadRequestError, match=r"\(other\) does not match the name on the URL \(a\)"):
            configmaps.apply(config_map("other", k="v"), name="a", field_manager="one")
        assert configmaps.apply(config_map("a"), name="a", field_manager="one")["metadata"]["name"] == "a"

    @pytest.mark.behaviour("10.1.2")
    def test_needs_a_field_manager(self, configmaps: dynkube.ResourceHandle) -> None:
        with pytest.raises(dynkube.InvalidRequestError, match="field_manager"):
            configmaps.apply(config_map("a"), field_manager="")

    @pytest.mark.behaviour("5.1.3")
    def test_needs_a_name(self, configmaps: dynkube.ResourceHandle) -> None:
        with pytest.raises(dynkube.InvalidRequestError, match="name"):
            configmaps.apply({"apiVersion": "v1", "kind": "ConfigMap"}, field_manager="one")

    @pytest.mark.behaviour("5.1.1")
    def test_a_custom_resource(self, widgets: dynkube.ResourceHandle) -> None:
        assert widgets.apply(widget("a", size=1), field_manager="one")["spec"] == {"size": 1}

    @pytest.mark.behaviour("5.1.8")
    def test_status(self, widgets: dynkube.ResourceHandle) -> None:
        widgets.create(widget("a", size=1))
        status = {
            "apiVersion": f"{GROUP}/v1",
            "kind": "Widget",
            "metadata": {"name": "a"},
            "status": {"phase": "Ready"},
        }
        applied = widgets.apply_status(status, field_manager="controller")
        assert (applied["spec"], applied["status"]) == ({"size": 1}, {"phase": "Ready"})

    def test_dry_run(self, configmaps: dynkube.ResourceHandle) -> None:
        configmaps.apply(config_map("dry"), field_manager="one", dry_run=True)
        assert configmaps.get_or_none("dry") is None

    def test_without_its_type_nothing_is_sent(self, configmaps: dynkube.ResourceHandle) -> None:
        with pytest.raises(dynkube.InvalidRequestError, match="kind"):
            configmaps.apply({"metadata": {"name": "a"}}, field_manager="one")


class TestSubresources:
    @pytest.mark.behaviour("5.6.1")
    def test_scale_is_read(self, deployments: dynkube.ResourceHandle) -> None:
        deployments.create(deployment("d", replicas=2))
        scale = deployments.subresource("scale").get("d")
        assert (scale["apiVersion"], scale["kind"]) == ("autoscaling/v1", "Scale")
        assert scale["spec"] == {"replicas": 2}

    @pytest.mark.behaviour("5.6.1")
    def test_scale_is_patched(self, deployments: dynkube.ResourceHandle) -> None:
        deployments.create(deployment("d", replicas=2))
        deployments.subresource("scale").patch("d", {"spec": {"replicas": 5}})
        assert deployments.get("d")["spec"]["replicas"] == 5

    @pytest.mark.behaviour("5.6.1")
    def test_scale_is_updated(self, widgets: dynkube.ResourceHandle) -> None:
        widgets.create(widget("a", replicas=1))
        scale = widgets.subresource("scale").get("a")
        scale["spec"]["replicas"] = 4
        widgets.subresource("scale").update(scale)
        assert widgets.get("a")["spec"]["replicas"] == 4

    @pytest.mark.behaviour("5.1.1")
    def test_status_is_read(self, widgets: dynkube.ResourceHandle) -> None:
        widgets.create(widget("a"))
        assert widgets.subresource("status").get("a")["metadata"]["name"] == "a"

    @pytest.mark.behaviour("5.1.1")
    def test_eviction_is_a_post(self, client: dynkube.DynamicClient, namespace: str) -> None:
        pods = client.resource("pods").namespace(namespace)
        pods.create(pod("a"))
        eviction = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": "a"},
            "deleteOptions": {"gracePeriodSeconds": 0},
        }
        pods.subresource("eviction").create(eviction)
        left = pods.get_or_none("a")
        assert left is None or left["metadata"].get("deletionTimestamp")

    @pytest.mark.behaviour("2.8.7")
    def test_one_that_is_not_served(self, configmaps: dynkube.ResourceHandle) -> None:
        configmaps.create(config_map("a"))
        with pytest.raises(dynkube.NotFoundError, match="could not find the requested resource"):
            configmaps.subresource("scale").get("a")

    @pytest.mark.behaviour("2.4.5")
    def test_a_name_that_could_go_elsewhere(self, configmaps: dynkube.ResourceHandle) -> None:
        with pytest.raises(dynkube.InvalidRequestError, match="subresource"):
            configmaps.subresource("..")
