"""The resource map: a value with lookups."""

from __future__ import annotations

import copy
import pickle

import pytest

from dynkube.errors import NotFoundError, ServiceUnavailableError
from dynkube.resources import APIGroup, APIResource, APIResourceList, ResourceMap, filtered_by
from dynkube.schema import GroupResource, GroupVersion, GroupVersionKind, GroupVersionResource

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


# --------------------------------------------------------------------------- a larger server

CORE, APPS = GroupVersion("", "v1"), GroupVersion("apps", "v1")
HPA1, HPA2 = GroupVersion("autoscaling", "v1"), GroupVersion("autoscaling", "v2")
METRICS = GroupVersion("metrics.k8s.io", "v1beta1")


def served(at: GroupVersion, name: str, kind: str, *, namespaced: bool = True, verbs: str = "get list") -> APIResource:
    return APIResource(
        name=name, group_version=at, gvk=at.with_kind(kind), namespaced=namespaced, verbs=tuple(verbs.split())
    )


PODS = served(CORE, "pods", "Pod", verbs="get list create delete")
EVICTION = APIResource(
    name="pods/eviction",
    group_version=CORE,
    gvk=GroupVersionKind("policy", "v1", "Eviction"),
    namespaced=True,
    verbs=("create",),
)
LOG = served(CORE, "pods/log", "Pod", verbs="get")
NODES = served(CORE, "nodes", "Node", namespaced=False)
DEPLOYMENTS = served(APPS, "deployments", "Deployment")


@pytest.fixture
def server() -> ResourceMap:
    return ResourceMap(
        groups=(
            APIGroup("", ("v1",), "v1"),
            APIGroup("apps", ("v1",), "v1"),
            APIGroup("autoscaling", ("v1", "v2"), "v2"),
            APIGroup("metrics.k8s.io", ("v1beta1",), "v1beta1"),
        ),
        resources={
            HPA2: (served(HPA2, "hpas", "HPA"),),
            HPA1: (served(HPA1, "hpas", "HPA"), served(HPA1, "olds", "Old", namespaced=False)),
            APPS: (DEPLOYMENTS,),
            CORE: (PODS, EVICTION, LOG, NODES),
        },
        failures={METRICS: ServiceUnavailableError({"code": 503, "reason": "ServiceUnavailable"})},
    )


class TestLookups:
    @pytest.mark.behaviour("3.1.6")
    def test_order_is_that_of_the_groups(self, server: ResourceMap) -> None:
        assert server.group_versions() == (CORE, APPS, HPA1, HPA2, METRICS)
        assert [each.group_version for each in server.resource_lists()] == [CORE, APPS, HPA1, HPA2]

    def test_find(self, server: ResourceMap) -> None:
        assert server.find(PODS.gvr) is PODS
        assert server.find(PODS.gvr, "eviction") is EVICTION
        assert PODS.group_resource == EVICTION.group_resource == GroupResource("", "pods")
        assert server.find(PODS.gvr, "nothing") is None
        assert server.find(GroupVersionResource("", "v1", "pod")) is None
        assert server.subresources_of(PODS.gvr) == (EVICTION, LOG)
        assert server.subresources_of(NODES.gvr) == ()

    def test_groups(self, server: ResourceMap) -> None:
        assert server.group("apps") == APIGroup("apps", ("v1",), "v1")
        assert server.group("nothing") is None

    @pytest.mark.behaviour("3.1.14")
    def test_predicates(self, server: ResourceMap) -> None:
        assert GroupVersionResource("", "v1", "pods") in server.gvrs()
        assert len(server.gvrs()) == 6
        both = filtered_by(lambda one: one.supports("create", "get"), server.resource_lists())
        assert both == (APIResourceList(CORE, (PODS,)),)
        assert PODS.supports()

    @pytest.mark.behaviour("3.1.14")
    def test_enabled(self, server: ResourceMap) -> None:
        assert server.is_resource_enabled(PODS.gvr)
        assert not server.is_resource_enabled(GroupVersionResource("no", "v1", "pods"))
        with pytest.raises(ServiceUnavailableError):
            server.is_resource_enabled(METRICS.with_resource("pods"))
        gone = server.replace_group_version(METRICS, NotFoundError({"code": 404, "reason": "NotFound"}))
        assert not gone.is_resource_enabled(METRICS.with_resource("pods"))

    @pytest.mark.behaviour("3.1.14")
    def test_supports_version(self, server: ResourceMap) -> None:
        assert server.supports_version(HPA1)
        assert not server.supports_version(GroupVersion("autoscaling", "v3"))
        assert ResourceMap().supports_version(HPA1)

    @pytest.mark.behaviour("3.1.13")
    def test_preferred_resources(self, server: ResourceMap) -> None:
        preferred = {each.group_version: [r.name for r in each] for each in server.preferred_resources()}
        assert preferred == {CORE: ["pods", "nodes"], APPS: ["deployments"], HPA1: ["olds"], HPA2: ["hpas"]}
        flipped = server.replace_group(APIGroup("autoscaling", ("v1", "v2"), "v1"), dict(server.resources))
        preferred = {each.group_version: [r.name for r in each] for each in flipped.preferred_resources()}
        assert preferred[HPA2] == []

    @pytest.mark.behaviour("3.1.13")
    def test_preferred_is_the_first_version_that_serves_it(self) -> None:
        versions = [GroupVersion("g", version) for version in ("v3", "v2", "v1")]
        old = [served(version, "things", "Thing") for version in versions]
        found = ResourceMap(
            (APIGroup("g", ("v3", "v2", "v1"), "v3"),),
            {versions[0]: (), versions[1]: (old[1],), versions[2]: (old[2],)},
        ).preferred_resources()
        assert [list(each) for each in found] == [[], [old[1]], []]

    @pytest.mark.behaviour("3.1.13")
    def test_preferred_namespaced_resources(self, server: ResourceMap) -> None:
        found = server.preferred_namespaced_resources()
        assert [r.name for each in found for r in each] == ["pods", "deployments", "hpas"]
        assert all(found)


class TestNewerMaps:
    def test_immutable(self, server: ResourceMap) -> None:
        with pytest.raises(TypeError):
            server.resources[CORE] = ()  # type: ignore[index]
        with pytest.raises(AttributeError):
            server.groups = ()  # type: ignore[misc]

    def test_does_not_alias_what_it_is_made_of(self) -> None:
        source: dict[GroupVersion, tuple[APIResource, ...]] = {CORE: (PODS,)}
        made = ResourceMap((APIGroup("", ("v1",)),), source)
        source.clear()
        assert made.find(PODS.gvr) is PODS

    def test_replace_group_version(self, server: ResourceMap) -> None:
        newer = server.replace_group_version(METRICS, [served(METRICS, "pods", "PodMetrics")])
        assert newer.failures == {}
        assert newer.find(METRICS.with_resource("pods")) is not None
        assert newer.groups == server.groups
        assert METRICS in server.failures
        again = newer.replace_group_version(GroupVersion("metrics.k8s.io", "v1"), [])
        assert again.groups[-1] == APIGroup("metrics.k8s.io", ("v1beta1", "v1"), "v1beta1")
        crd = GroupVersion("example.com", "v1")
        assert newer.replace_group_version(crd, []).groups[-1] == APIGroup("example.com", ("v1",), "v1")

    def test_a_failure(self, server: ResourceMap) -> None:
        broken = server.replace_group_version(APPS, RuntimeError("down"))
        assert broken.find(DEPLOYMENTS.gvr) is None
        assert str(broken.failures[APPS]) == "down"
        assert broken.group("apps") == server.group("apps")

    def test_without_group_version(self, server: ResourceMap) -> None:
        less = server.without_group_version(HPA2)
        assert less.group("autoscaling") == APIGroup("autoscaling", ("v1",), "v1")
        assert less.without_group_version(HPA1).group("autoscaling") is None
        assert server.without_group_version(METRICS).failures == {}

    def test_replace_group_keeps_its_place(self, server: ResourceMap) -> None:
        newer = server.replace_group(
            APIGroup("apps", ("v2",)), {GroupVersion("apps", "v2"): []}, {APPS: RuntimeError()}
        )
        assert [group.name for group in newer.groups] == [group.name for group in server.groups]
        assert APPS not in newer.resources
        assert APPS in newer.failures
        added = server.replace_group(APIGroup("z", ("v1",)), {})
        assert added.groups[-1].name == "z"

    def test_without_group(self, server: ResourceMap) -> None:
        assert server.without_group("").find(PODS.gvr) is None
        assert server.without_group("metrics.k8s.io").failures == {}

    def test_equality_and_pickle(self, server: ResourceMap) -> None:
        plain = ResourceMap(server.groups, server.resources)
        assert plain == ResourceMap(server.groups, dict(server.resources))
        assert pickle.loads(pickle.dumps(plain)) == plain == copy.deepcopy(plain)
