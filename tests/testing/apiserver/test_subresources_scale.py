"""Scales, and who manages the replicas: the cases of AM/util/managedfields/scalehandler_test.go among them."""

from __future__ import annotations

from typing import Any

import pytest

from dynkube.schema import GroupResource
from dynkube.testing.apiserver.customresources.scale import ScalePaths
from dynkube.testing.apiserver.subresources.customscale import custom_scale
from dynkube.testing.apiserver.subresources.scale import built_in_scale
from dynkube.testing.apiserver.subresources.scalefields import of_object, of_scale
from dynkube.testing.apiserver.words.statuses import StatusError

REPLICAS = {"f:spec": {"f:replicas": {}}}
SELECTOR = {"f:spec": {"f:selector": {}}}
REPLICAS_AND_SELECTOR = {"f:spec": {"f:replicas": {}, "f:selector": {}}}
PATHS = {"apps/v1": ("spec", "replicas")}


def entry(manager: str, fields: dict[str, Any], operation: str = "Apply", **more: Any) -> dict[str, Any]:
    return {
        "manager": manager, "operation": operation, "apiVersion": "apps/v1", "fieldsType": "FieldsV1", "fieldsV1": fields,
        **more,
    }  # fmt: skip


def scaling(manager: str, operation: str = "Update", fields: Any = REPLICAS, **more: Any) -> dict[str, Any]:
    return entry(manager, fields, operation, **{"apiVersion": "autoscaling/v1", "subresource": "scale", **more})


# ------------------------------------------------------------------ managers


def test_only_who_manages_replicas_manages_the_scale() -> None:
    entries = [entry("one", SELECTOR), entry("two", REPLICAS, time="2013-02-03T00:00:00Z")]
    assert of_scale(entries, PATHS) == [
        entry("two", REPLICAS, apiVersion="autoscaling/v1", time="2013-02-03T00:00:00Z")
    ]


def test_managers_of_a_version_that_is_not_known_are_left_out() -> None:
    assert of_scale([entry("one", REPLICAS, apiVersion="apps/v10")], PATHS) == []


def test_a_field_within_the_replicas_is_not_the_replicas() -> None:
    assert of_scale([entry("one", {"f:spec": {"f:replicas": {"f:x": {}}}})], PATHS) == []
    assert of_scale([entry("one", {"f:spec": {"f:replicas": {".": {}, "f:x": {}}}})], PATHS) != []


@pytest.mark.parametrize("before", ["Apply", "Update"])
@pytest.mark.parametrize("after", ["Apply", "Update"])
@pytest.mark.parametrize("manager", ["scale", "test"])
def test_who_scales_takes_over_the_replicas(before: str, after: str, manager: str) -> None:
    parent = [entry("test", REPLICAS_AND_SELECTOR, before)]
    found = of_object(parent, [scaling(manager, after)], "apps/v1", PATHS)
    expected = [entry("test", SELECTOR, before), entry(manager, REPLICAS, after, subresource="scale")]
    assert sorted(found, key=str) == sorted(expected, key=str)


def test_entries_are_sorted_by_operation_and_manager() -> None:
    parent = [entry("test", REPLICAS_AND_SELECTOR, "Update")]
    found = of_object(parent, [scaling("scale", "Apply")], "apps/v1", PATHS)
    assert [(each["operation"], each["manager"]) for each in found] == [("Apply", "scale"), ("Update", "test")]


def test_a_scale_that_nobody_manages_any_more_gives_nothing_back() -> None:
    parent = [entry("test", SELECTOR)]
    scale = [scaling("scale", fields={"f:status": {"f:replicas": {}}})]
    assert of_object(parent, scale, "apps/v1", PATHS) == parent


def test_who_managed_nothing_else_is_gone() -> None:
    found = of_object([entry("test", REPLICAS)], [scaling("scale")], "apps/v1", PATHS)
    assert found == [entry("scale", REPLICAS, "Update", subresource="scale")]


def test_who_applied_and_still_manages_stays_as_it_was() -> None:
    parent = [entry("test", REPLICAS_AND_SELECTOR)]
    scale = [entry("test", REPLICAS, apiVersion="autoscaling/v1"), scaling("test", "Apply")]
    assert of_object(parent, scale, "apps/v1", PATHS) == [*parent, entry("test", REPLICAS, subresource="scale")]


def test_who_updated_and_still_manages_loses_the_time() -> None:
    parent = [entry("test", REPLICAS_AND_SELECTOR, "Update", time="2013-02-03T00:00:00Z")]
    found = of_object(parent, of_scale(parent, PATHS), "apps/v1", PATHS)
    assert found == [entry("test", REPLICAS, "Update"), entry("test", SELECTOR, "Update", time="2013-02-03T00:00:00Z")]


def test_entries_of_unknown_versions_are_dropped() -> None:
    parent = [entry("test", REPLICAS), entry("other", SELECTOR, apiVersion="apps/v10")]
    assert of_object(parent, [scaling("scale")], "apps/v1", PATHS) == [
        entry("scale", REPLICAS, "Update", subresource="scale")
    ]


def test_each_version_has_its_own_place_for_replicas() -> None:
    paths = {"apps/v1": ("spec", "here"), "apps/v2": ("spec", "there")}
    parent = [
        entry("one", {"f:spec": {"f:here": {}, "f:selector": {}}}),
        entry("two", {"f:spec": {"f:there": {}, "f:selector": {}}}, apiVersion="apps/v2"),
    ]
    assert of_object(parent, [scaling("scale")], "apps/v1", paths) == [
        entry("one", SELECTOR),
        entry("two", SELECTOR, apiVersion="apps/v2"),
        entry("scale", {"f:spec": {"f:here": {}}}, "Update", subresource="scale"),
    ]


def test_entries_of_a_version_without_a_scale_stay() -> None:
    parent = [entry("one", {"f:spec": {"f:other": {}}}, apiVersion="apps/v2")]
    assert of_object(parent, [], "apps/v1", {**PATHS, "apps/v2": None}) == parent


def test_nothing_is_changed_in_place() -> None:
    parent = [entry("test", {"f:spec": {"f:replicas": {}, "f:selector": {}}})]
    of_object(parent, [scaling("scale")], "apps/v1", PATHS)
    assert parent == [entry("test", REPLICAS_AND_SELECTOR)]


# ------------------------------------------------------------------ built in


def deployment(**spec: Any) -> dict[str, Any]:
    metadata = {"name": "web", "namespace": "shop", "uid": "u", "resourceVersion": "7", "creationTimestamp": "t"}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata | {"labels": {"a": "b"}}, "spec": spec}


def view() -> Any:
    return built_in_scale(GroupResource("apps", "deployments"))


def test_a_scale_has_the_identity_of_its_object() -> None:
    scale = view().read(deployment(replicas=3, selector={"matchLabels": {"app": "web"}}))
    assert scale == {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {"name": "web", "namespace": "shop", "uid": "u", "resourceVersion": "7", "creationTimestamp": "t"},
        "spec": {"replicas": 3},
        "status": {"replicas": 0, "selector": "app=web"},
    }


def test_no_replicas_are_not_shown() -> None:
    assert view().read(deployment(replicas=0))["spec"] == {}


def test_a_selector_as_text() -> None:
    expressions = [
        {"key": "tier", "operator": "In", "values": ["z", "a"]},
        {"key": "x", "operator": "Exists"},
        {"key": "y", "operator": "DoesNotExist"},
        {"key": "q", "operator": "NotIn", "values": ["r"]},
        {"key": "w", "operator": "In", "values": ["r"]},
    ]
    selector = {"matchLabels": {"app": "web", "b": "c"}, "matchExpressions": expressions}
    scale = view().read(deployment(replicas=1, selector=selector))
    assert scale["status"]["selector"] == "app=web,b=c,q notin (r),tier in (a,z),w in (r),x,!y"


def test_a_replication_controller_selects_by_labels() -> None:
    found = built_in_scale(GroupResource("", "replicationcontrollers"))
    assert found is not None
    obj = deployment(replicas=1, selector={"c": "d", "a": "b"})
    assert found.read(obj)["status"]["selector"] == "a=b,c=d"


@pytest.mark.parametrize(
    "resource", [GroupResource("apps", "daemonsets"), GroupResource("batch", "jobs"), GroupResource("", "pods")]
)
def test_what_has_no_scale(resource: GroupResource) -> None:
    assert built_in_scale(resource) is None


def test_a_scale_is_carried_back() -> None:
    live = deployment(replicas=2)
    live["metadata"]["managedFields"] = [entry("me", REPLICAS_AND_SELECTOR, "Update")]
    scale = view().read_for_update(live)
    assert scale["metadata"]["managedFields"] == [entry("me", REPLICAS, "Update", apiVersion="autoscaling/v1")]
    scale["spec"] = {}
    scale["metadata"] |= {"resourceVersion": "", "managedFields": [scaling("p")]}
    changed = view().write(live, scale)
    assert changed["spec"]["replicas"] == 0
    assert changed["metadata"]["resourceVersion"] == ""
    assert [each["manager"] for each in changed["metadata"]["managedFields"]] == ["me", "p"]


def test_negative_replicas_are_refused() -> None:
    with pytest.raises(
        StatusError, match=r'^Scale\.autoscaling "web" is invalid: spec\.replicas: Invalid value: -1: must be'
    ):
        view().write(deployment(replicas=2), {"metadata": {}, "spec": {"replicas": -1}})


# ------------------------------------------------------------------ custom


def custom(spec: str = ".spec.replicas") -> Any:
    paths = ScalePaths(spec, ".status.replicas", ".status.selector")
    return custom_scale("example.com/v1", paths, {"example.com/v1": paths, "example.com/v2": None})


def gadget(**content: Any) -> dict[str, Any]:
    return {
        "apiVersion": "example.com/v1",
        "kind": "Gadget",
        "metadata": {"name": "g", "resourceVersion": "7"},
        **content,
    }


def test_a_custom_scale() -> None:
    scale = custom().read(gadget(spec={"replicas": 2}, status={"replicas": 1, "selector": "a=b"}))
    assert (scale["spec"], scale["status"]) == ({"replicas": 2}, {"replicas": 1, "selector": "a=b"})


def test_a_custom_scale_without_a_number() -> None:
    with pytest.raises(StatusError) as caught:
        custom().read(gadget())
    assert caught.value.code == 500
    assert str(caught.value).endswith('the spec replicas field ".spec.replicas" does not exist')
    assert custom().read_updated(gadget())["spec"] == {}


def test_a_change_that_sets_no_number_either() -> None:
    live = gadget()
    with pytest.raises(StatusError, match=r'^the spec replicas field "\.spec\.replicas" cannot be empty$'):
        custom().write(live, custom().read_for_update(live))


def test_a_number_that_is_none() -> None:
    with pytest.raises(StatusError) as caught:
        custom(".spec.deep.count").read(gadget(spec={"deep": "str"}))
    assert (caught.value.code, caught.value.reason) == (500, "")
    assert str(caught.value) == (
        ".spec.deep.count accessor error: str is of the type string, expected map[string]interface{}"
    )


def test_a_custom_scale_is_carried_back() -> None:
    changed = custom().write(gadget(spec={"x": 1}), {"metadata": {}, "spec": {"replicas": 3}})
    assert changed["spec"] == {"x": 1, "replicas": 3}
    assert changed["metadata"]["resourceVersion"] == "7"


def test_a_custom_scale_without_managers_is_never_applied() -> None:
    change = custom().through(lambda live: live or {}, is_apply=True)
    with pytest.raises(
        StatusError, match=r"^failed to create manager for existing fields: failed to convert live object"
    ):
        change(gadget(spec={"replicas": 1}))


def test_a_custom_scale_is_applied_only_where_it_changes_nothing() -> None:
    live = gadget(spec={"replicas": 1})
    live["metadata"]["managedFields"] = [entry("me", REPLICAS, "Update", apiVersion="example.com/v1")]
    assert custom().through(lambda scale: scale or {}, is_apply=True)(live)["spec"] == {"replicas": 1}
    change = custom().through(lambda scale: {**(scale or {}), "spec": {"replicas": 9}}, is_apply=True)
    with pytest.raises(StatusError, match=r"^failed to convert new object \(/g; autoscaling/v1, Kind=Scale\)"):
        change(live)
