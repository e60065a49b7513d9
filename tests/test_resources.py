"""The resource map: a value with lookups."""

from __future__ import annotations

import pytest

from dynkube.resources import APIGroup, APIResource, ResourceMap
from dynkube.schema import GroupVersion, GroupVersionKind, GroupVersionResource

V1 = GroupVersion("apps", "v1")
BETA = GroupVersion("apps", "v1beta1")


def resource(name: str, version: GroupVersion, kind: str = "Thing", **more: object) -> APIResource:
    gvk = GroupVersionKind(version.group, version.version, kind)
    return APIResource(name=name, group_version=version, gvk=gvk, namespaced=True, **more)  # type: ignore[arg-type]


MAP = ResourceMap(
    groups=(APIGroup("apps", ("v1", "v1beta1")),),
    resources={
        V1: (resource("deployments", V1, verbs=("get", "list")), resource("deployments/scale", V1, "Scale")),
        BETA: (resource("deployments", BETA), resource("oldies", BETA)),
    },
)


@pytest.mark.behaviour("3.1.13")
def test_preferred_resources() -> None:
    chosen = {str(each.group_version): [one.name for one in each] for each in MAP.preferred_resources()}
    assert chosen == {"apps/v1": ["deployments"], "apps/v1beta1": ["oldies"]}


@pytest.mark.behaviour("3.1.13")
def test_a_version_of_which_nothing_is_chosen_stays_empty() -> None:
    less = MAP.replace_group_version(BETA, MAP.resources[BETA][:1])
    assert [len(each) for each in less.preferred_resources()] == [1, 0]


@pytest.mark.behaviour("3.1.15")
def test_attributes() -> None:
    scale = MAP.find(GroupVersionResource("apps", "v1", "deployments/scale"))
    assert scale is not None
    assert (scale.resource, scale.subresource, scale.kind, scale.scope) == (
        "deployments",
        "scale",
        "Scale",
        "Namespaced",
    )
    assert scale.gvr == GroupVersionResource("apps", "v1", "deployments")
    assert MAP.subresources_of(scale.gvr) == (scale,)


@pytest.mark.behaviour("3.1.14")
def test_predicates() -> None:
    listed = next(each for each in MAP.resource_lists() if each.group_version == V1)
    assert [one.name for one in listed.filtered(lambda one: one.supports("get", "list"))] == ["deployments"]
    assert not listed.resources[0].supports("get", "watch")


def test_a_failure_replaces_resources_and_back() -> None:
    failed = MAP.replace_group_version(V1, RuntimeError("down"))
    assert V1 in failed.failures
    assert V1 not in failed.resources
    assert failed.replace_group_version(V1, MAP.resources[V1]).resources == MAP.resources
    assert not MAP.failures


def test_it_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        MAP.resources[V1] = ()  # type: ignore[index]
