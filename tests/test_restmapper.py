"""The RESTMapper: what people write, kinds, and resources."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynkube.errors import (
    AmbiguousKindError,
    AmbiguousResourceError,
    InvalidRequestError,
    NoKindMatchError,
    NoResourceMatchError,
    PartialDiscoveryError,
    ServiceUnavailableError,
    reason_of,
)
from dynkube.resources import APIGroup, APIResource, ResourceMap
from dynkube.restmapper import RESTMapper, RESTMapping, guess_plural
from dynkube.schema import GroupKind, GroupResource, GroupVersion, GroupVersionKind, GroupVersionResource

GVR = GroupVersionResource


def served(
    version: GroupVersion, name: str, kind: str, short: str = "", *, namespaced: bool = True, **more: Any
) -> APIResource:
    return APIResource(
        name=name,
        group_version=version,
        gvk=more.pop("gvk", version.with_kind(kind)),
        namespaced=namespaced,
        singular_name=more.pop("singular_name", kind.lower()),
        short_names=tuple(short.split()),
        **more,
    )


CORE, APPS = GroupVersion("", "v1"), GroupVersion("apps", "v1")
HPA1, HPA2 = GroupVersion("autoscaling", "v1"), GroupVersion("autoscaling", "v2")
BATCH, EVENTS = GroupVersion("batch", "v1"), GroupVersion("events.k8s.io", "v1")
METRICS, STORAGE = GroupVersion("metrics.k8s.io", "v1beta1"), GroupVersion("storage.k8s.io", "v1")
SHOP1, SHOP2 = GroupVersion("shop.example.com", "v1alpha1"), GroupVersion("shop.example.com", "v1")
OTHER = GroupVersion("shop.other.org", "v1")

SERVER = ResourceMap(
    groups=(
        APIGroup("apps", ("v1",)),
        APIGroup("", ("v1",)),
        APIGroup("autoscaling", ("v1", "v2"), "v2"),
        APIGroup("batch", ("v1",)),
        APIGroup("events.k8s.io", ("v1",)),
        APIGroup("metrics.k8s.io", ("v1beta1",)),
        APIGroup("storage.k8s.io", ("v1",)),
        APIGroup("shop.example.com", ("v1alpha1", "v1"), "v1"),
        APIGroup("shop.other.org", ("v1",)),
        APIGroup("gone.example.com", ("v1",)),
    ),
    resources={
        CORE: (
            served(CORE, "pods", "Pod", "po", categories=("all",)),
            served(CORE, "pods/eviction", "Eviction", gvk=GroupVersionKind("policy", "v1", "Eviction")),
            served(CORE, "nodes", "Node", "no", namespaced=False),
            served(CORE, "events", "Event", "ev"),
            served(CORE, "endpoints", "Endpoints", "ep"),
        ),
        APPS: (
            served(APPS, "deployments", "Deployment", "deploy", categories=("all",)),
            served(APPS, "deployments/scale", "Scale", gvk=GroupVersionKind("autoscaling", "v1", "Scale")),
        ),
        HPA1: (served(HPA1, "horizontalpodautoscalers", "HorizontalPodAutoscaler", "hpa", categories=("all",)),),
        HPA2: (served(HPA2, "horizontalpodautoscalers", "HorizontalPodAutoscaler", "hpa", categories=("all",)),),
        BATCH: (served(BATCH, "jobs", "Job", "", singular_name=""),),
        EVENTS: (served(EVENTS, "events", "Event", "ev"),),
        METRICS: (
            served(METRICS, "pods", "PodMetrics", "", singular_name=""),
            served(METRICS, "nodes", "NodeMetrics", "", singular_name="", namespaced=False),
        ),
        STORAGE: (served(STORAGE, "storageclasses", "StorageClass", "sc", namespaced=False),),
        SHOP1: (served(SHOP1, "widgets", "Widget", "wd ev"), served(SHOP1, "olds", "Old")),
        SHOP2: (served(SHOP2, "widgets", "Widget", "wd ev"),),
        OTHER: (
            served(OTHER, "widgets", "Widget", "wo"),
            served(OTHER, "wds", "Wd"),
            served(OTHER, "tasks", "Task", "job"),
        ),
    },
    failures={
        GroupVersion("gone.example.com", "v1"): ServiceUnavailableError({"code": 503, "reason": "ServiceUnavailable"})
    },
)
HEALTHY = ResourceMap(SERVER.groups, SERVER.resources)


@pytest.fixture
def mapper() -> RESTMapper:
    return RESTMapper(HEALTHY)


# --------------------------------------------------------------------------- partial resources


@pytest.mark.behaviour("4.2")
class TestPartialResources:
    @pytest.mark.parametrize(
        ("partial", "found"),
        [
            (GVR("", "", "pods"), ["v1/pods", "metrics.k8s.io/v1beta1/pods"]),
            (GVR("", "", "PODS"), ["v1/pods", "metrics.k8s.io/v1beta1/pods"]),
            (GVR("", "", "pod"), ["v1/pods"]),
            (GVR("", "", "podmetrics"), ["metrics.k8s.io/v1beta1/pods"]),
            (GVR("", "__internal", "pod"), ["v1/pods"]),
            (GVR("", "v1beta1", "pods"), ["metrics.k8s.io/v1beta1/pods"]),
            (GVR("metrics", "", "pods"), ["metrics.k8s.io/v1beta1/pods"]),
            (GVR("metrics.k8s.io", "", "pods"), ["metrics.k8s.io/v1beta1/pods"]),
            (GVR("shop", "", "widgets"), ["shop.example.com/v1/widgets", "shop.example.com/v1alpha1/widgets", "shop.other.org/v1/widgets"]),
            (GVR("autoscaling", "", "horizontalpodautoscaler"), ["autoscaling/v2/horizontalpodautoscalers", "autoscaling/v1/horizontalpodautoscalers"]),
            (GVR("autoscaling", "v1", "horizontalpodautoscalers"), ["autoscaling/v1/horizontalpodautoscalers"]),
        ],
    )  # fmt: skip
    def test_resources_for(self, mapper: RESTMapper, partial: GroupVersionResource, found: list[str]) -> None:
        assert [each.path for each in mapper.resources_for(partial)] == found

    def test_a_full_name_is_no_prefix(self, mapper: RESTMapper) -> None:
        with pytest.raises(NoResourceMatchError):
            mapper.resources_for(GVR("metrics", "v1beta1", "pods"))

    def test_an_exact_group_shuts_out_prefixes(self) -> None:
        version, longer = GroupVersion("a", "v1"), GroupVersion("a.b", "v1")
        found = RESTMapper(
            ResourceMap(
                (APIGroup("a.b", ("v1",)), APIGroup("a", ("v1",))),
                {version: (served(version, "xs", "X"),), longer: (served(longer, "xs", "X"),)},
            )
        )
        assert found.resources_for(GVR("a", "", "xs")) == (GVR("a", "v1", "xs"),)

    def test_a_resource_must_be_present(self, mapper: RESTMapper) -> None:
        for method in (mapper.resource_for, mapper.resources_for, mapper.kind_for, mapper.kinds_for):
            with pytest.raises(InvalidRequestError, match="a resource must be present"):
                method(GVR("apps", "v1", ""))

    def test_no_match(self, mapper: RESTMapper) -> None:
        with pytest.raises(NoResourceMatchError, match=r"^no matches for /, Resource=podz; did you mean 'pod"):
            mapper.resource_for(GVR("", "", "podz"))

    def test_kinds_for(self, mapper: RESTMapper) -> None:
        assert mapper.kinds_for(GVR("", "", "pods")) == (CORE.with_kind("Pod"), METRICS.with_kind("PodMetrics"))
        assert mapper.kind_for(GVR("", "", "jobs")) == BATCH.with_kind("Job")

    def test_subresources_are_no_resources(self, mapper: RESTMapper) -> None:
        for name in ("pods/eviction", "eviction", "scale"):
            with pytest.raises(NoResourceMatchError):
                mapper.resources_for(GVR("", "", name))


# --------------------------------------------------------------------------- priority


@pytest.mark.behaviour("4.3", "4.4")
class TestPriority:
    def test_core_v1_comes_first_wherever_it_is_listed(self, mapper: RESTMapper) -> None:
        assert mapper.resource_for(GVR("", "", "pods")) == CORE.with_resource("pods")
        assert mapper.resource_for(GVR("", "", "events")) == CORE.with_resource("events")
        assert mapper.kind_for(GVR("", "", "pods")) == CORE.with_kind("Pod")

    def test_then_the_groups_preferred_version(self, mapper: RESTMapper) -> None:
        assert mapper.resource_for(GVR("", "", "widgets")) == SHOP2.with_resource("widgets")
        assert mapper.resource_for(GVR("autoscaling", "", "horizontalpodautoscalers")).version == "v2"

    def test_then_another_version(self, mapper: RESTMapper) -> None:
        assert mapper.resource_for(GVR("", "", "olds")) == SHOP1.with_resource("olds")

    def test_server_order_of_groups_decides(self) -> None:
        flipped = RESTMapper(ResourceMap(tuple(reversed(HEALTHY.groups)), HEALTHY.resources))
        assert flipped.resource_for(GVR("", "", "widgets")) == OTHER.with_resource("widgets")
        assert flipped.resource_for(GVR("", "", "pods")) == CORE.with_resource("pods")

    def test_ambiguity_carries_the_candidates(self) -> None:
        # One word is the plural of one resource and the singular of another, in one version.
        twins = RESTMapper(
            ResourceMap(
                (APIGroup("a", ("v1",)),),
                {GroupVersion("a", "v1"): (served(GroupVersion("a", "v1"), "data", "Datum"), served(GroupVersion("a", "v1"), "datas", "Data"))},
            )
        )  # fmt: skip
        candidates = (GVR("a", "v1", "data"), GVR("a", "v1", "datas"))
        with pytest.raises(
            AmbiguousResourceError, match="matches multiple resources: a/v1, Resource=data, a/v1"
        ) as info:
            twins.resource_for(GVR("", "", "data"))
        assert info.value.candidates == candidates
        with pytest.raises(AmbiguousKindError, match="matches multiple kinds") as kinds:
            twins.kind_for(GVR("", "", "data"))
        assert [each.kind for each in kinds.value.candidates] == ["Datum", "Data"]
        with pytest.raises(AmbiguousResourceError):
            twins.resolve("data")
        assert twins.resolve("a/v1/data").kind.kind == "Datum"

    @given(st.permutations(range(4)), st.integers(1, 4))
    def test_one_plural_in_many_groups_is_never_ambiguous(self, order: list[int], count: int) -> None:
        versions = [GroupVersion(f"g{n}.io", "v1") for n in order[:count]]
        found = RESTMapper(
            ResourceMap(
                tuple(APIGroup(each.group, (each.version,)) for each in versions),
                {each: (served(each, "xs", "X"),) for each in sorted(versions)},
            )
        )
        assert found.resource_for(GVR("", "", "xs")) == versions[0].with_resource("xs")
        assert [each.group_version for each in found.resources_for(GVR("", "", "x"))] == versions


# --------------------------------------------------------------------------- kinds


class TestKinds:
    @pytest.mark.behaviour("4.6", "4.1")
    def test_mapping(self, mapper: RESTMapper) -> None:
        found = mapper.rest_mapping(GroupKind("apps", "Deployment"))
        assert found == RESTMapping(
            resource=APPS.with_resource("deployments"), kind=APPS.with_kind("Deployment"), namespaced=True
        )
        assert found.scope == "Namespaced"
        assert found.api_resource is HEALTHY.find(found.resource)
        assert mapper.rest_mapping(GroupKind("", "Node"), "v1").scope == "Cluster"

    @pytest.mark.behaviour("4.5")
    def test_versions_in_the_order_given(self, mapper: RESTMapper) -> None:
        hpa = GroupKind("autoscaling", "HorizontalPodAutoscaler")
        assert mapper.rest_mapping(hpa).kind.version == "v2"
        assert mapper.rest_mapping(hpa, "v1").kind.version == "v1"
        assert mapper.rest_mapping(hpa, "v9", "v1", "v2").kind.version == "v1"
        assert mapper.rest_mapping(hpa, "", "__internal").kind.version == "v2"
        assert [each.kind.version for each in mapper.rest_mappings(hpa)] == ["v2", "v1"]
        assert [each.kind.version for each in mapper.rest_mappings(hpa, "v1", "v1", "v2")] == ["v1", "v2"]

    @pytest.mark.behaviour("4.5")
    @pytest.mark.parametrize(
        ("kind", "versions", "message"),
        [
            (GroupKind("g", "K"), (), 'no matches for kind "K" in group "g"'),
            (GroupKind("", "K"), (), 'no matches for kind "K" in group ""'),
            (GroupKind("g", "K"), ("v1",), 'no matches for kind "K" in version "g/v1"'),
            (GroupKind("", "K"), ("v1",), 'no matches for kind "K" in version "v1"'),
            (GroupKind("g", "K"), ("v2", "v1", "v2"), 'no matches for kind "K" in versions ["g/v1" "g/v2"]'),
        ],
    )
    def test_no_match_has_client_gos_words(
        self, mapper: RESTMapper, kind: GroupKind, versions: tuple[str, ...], message: str
    ) -> None:
        with pytest.raises(NoKindMatchError) as info:
            mapper.rest_mapping(kind, *versions)
        assert str(info.value) == message

    @pytest.mark.behaviour("4.15")
    @pytest.mark.parametrize(
        ("kind", "versions", "suggestion"),
        [
            (GroupKind("apps", "Deploymnt"), (), "'Deployment.apps'"),
            (GroupKind("apps", "Deployment"), ("v1beta1",), "'apps/v1, Kind=Deployment'"),
            (GroupKind("extensions", "Deployment"), ("v1beta1",), "'apps/v1, Kind=Deployment'"),
        ],
    )
    def test_near_misses(self, mapper: RESTMapper, kind: GroupKind, versions: tuple[str, ...], suggestion: str) -> None:
        with pytest.raises(NoKindMatchError, match=f"did you mean {suggestion}"):
            mapper.rest_mapping(kind, *versions)

    @pytest.mark.behaviour("4.7")
    def test_what_else_is_registered(self, mapper: RESTMapper) -> None:
        assert mapper.rest_mapping(GroupKind("apps", "deployment")).kind == APPS.with_kind("Deployment")
        listed = mapper.rest_mapping(GroupKind("apps", "DeploymentList"))
        assert (listed.resource, listed.api_resource) == (APPS.with_resource("deploymentlists"), None)
        assert mapper.rest_mapping(GroupKind("", "List"), "v1").kind == CORE.with_kind("List")
        assert mapper.rest_mapping(GroupKind("apps", "List")).scope == "Cluster"
        with pytest.raises(NoKindMatchError):
            mapper.rest_mapping(GroupKind("policy", "Eviction"))

    @pytest.mark.behaviour("4.7")
    def test_a_served_kind_that_ends_in_list_is_no_guess(self) -> None:
        version = GroupVersion("a", "v1")
        found = RESTMapper(
            ResourceMap(
                (APIGroup("a", ("v1",)),),
                {version: (served(version, "todos", "Todo"), served(version, "checklists", "TodoList"))},
            )
        )
        assert found.rest_mapping(GroupKind("a", "TodoList")).resource.resource == "checklists"

    @pytest.mark.behaviour("4.7")
    def test_two_resources_of_one_kind(self) -> None:
        version = GroupVersion("template.openshift.io", "v1")
        found = RESTMapper(
            ResourceMap(
                (APIGroup(version.group, ("v1",)),),
                {version: (served(version, "processedtemplates", "Template", singular_name=""), served(version, "templates", "Template"))},
            )
        )  # fmt: skip
        assert found.rest_mapping(GroupKind(version.group, "Template")).resource.resource == "templates"
        assert found.resolve("processedtemplates").resource.resource == "processedtemplates"

    @pytest.mark.behaviour("4.7", "4.1")
    def test_singular(self, mapper: RESTMapper) -> None:
        assert mapper.resource_singularizer("deployments") == "deployment"
        assert mapper.resource_singularizer("jobs") == "job"
        assert mapper.resource_singularizer("endpoints") == "endpoints"
        assert mapper.resource_singularizer("unknowns") == "unknowns"

    @pytest.mark.behaviour("4.8")
    def test_guess_plural(self) -> None:
        words = {
            "": "",
            "Pod": "pods",
            "Ingress": "ingresses",
            "NetworkPolicy": "networkpolicies",
            "Endpoints": "endpoints",
        }
        assert {kind: guess_plural(kind) for kind in words} == words
        assert guess_plural("Gateway") == "gatewaies"  # no look at the vowel: only discovery knows


# --------------------------------------------------------------------------- short names, categories


@pytest.mark.behaviour("4.11")
class TestShortNames:
    @pytest.mark.parametrize(
        ("partial", "expanded"),
        [
            (GVR("", "", "po"), GVR("", "", "pods")),
            (GVR("", "", "PO"), GVR("", "", "pods")),
            (GVR("apps", "v1", "deploy"), GVR("apps", "", "deployments")),  # the version is dropped
            (GVR("autoscaling", "", "hpa"), GVR("autoscaling", "", "horizontalpodautoscalers")),
            (GVR("autoscal", "", "hpa"), GVR("autoscaling", "", "horizontalpodautoscalers")),  # a prefix
            (GVR("batch", "", "hpa"), GVR("batch", "", "hpa")),
            (GVR("events.k8s.io", "", "ev"), GVR("events.k8s.io", "", "events")),
            (GVR("shop", "", "ev"), GVR("shop.example.com", "", "widgets")),
            (GVR("", "", "pods"), GVR("", "", "pods")),
            (GVR("", "", "nothing"), GVR("", "", "nothing")),
            (GVR("", "", "job"), GVR("", "", "job")),  # batch's singular wins over tasks' short name
            (GVR("shop.other.org", "", "job"), GVR("shop.other.org", "", "tasks")),
            (GVR("", "", "wd"), GVR("", "", "wd")),  # the singular of wds wins over widgets' short name
            (GVR("shop.example.com", "", "wd"), GVR("shop.example.com", "", "widgets")),
        ],
    )
    def test_expand(self, mapper: RESTMapper, partial: GroupVersionResource, expanded: GroupVersionResource) -> None:
        assert mapper.expand_short_name(partial) == expanded

    def test_a_crds_plural_wins_over_a_built_in_short_name(self) -> None:
        crd = GroupVersion("x.io", "v1")
        newer = HEALTHY.replace_group_version(crd, [served(crd, "deploy", "Deploy")])
        assert RESTMapper(newer).resolve("deploy").resource == crd.with_resource("deploy")

    def test_other_matches_are_told(self) -> None:
        told: list[str] = []
        found = RESTMapper(HEALTHY, on_ambiguous_short_name=told.append)
        assert found.resolve("ev").resource == CORE.with_resource("events")
        assert told == [
            'short name "ev" could also match lower priority resource events.events.k8s.io',
            'short name "ev" could also match lower priority resource widgets.shop.example.com',
        ]
        told.clear()
        found.resolve("hpa")  # two versions of one resource are one
        found.resolve("ev.events.k8s.io")
        assert told == []

    @pytest.mark.behaviour("4.12")
    def test_categories(self, mapper: RESTMapper) -> None:
        assert mapper.expand_category("all") == (
            GroupResource("", "pods"),
            GroupResource("apps", "deployments"),
            GroupResource("autoscaling", "horizontalpodautoscalers"),
        )
        assert mapper.expand_category("nothing") == ()


# --------------------------------------------------------------------------- what people write


class TestResolve:
    @pytest.mark.behaviour("4.13", "4.14")
    @pytest.mark.parametrize(
        ("text", "path"),
        [
            ("pods", "v1/pods"),
            ("pod", "v1/pods"),
            ("po", "v1/pods"),
            ("Pod", "v1/pods"),
            ("deploy", "apps/v1/deployments"),
            ("deploy.apps", "apps/v1/deployments"),
            ("deployments.apps", "apps/v1/deployments"),
            ("deployments.v1.apps", "apps/v1/deployments"),
            ("pods.v1.", "v1/pods"),  # kubectl's way to say the core group
            ("deployments.v1.", "apps/v1/deployments"),
            ("Deployment", "apps/v1/deployments"),
            ("Deployment.apps", "apps/v1/deployments"),
            ("Deployment.v1.apps", "apps/v1/deployments"),
            ("pods.metrics", "metrics.k8s.io/v1beta1/pods"),
            ("pods.metrics.k8s.io", "metrics.k8s.io/v1beta1/pods"),
            ("pods.v1beta1.metrics.k8s.io", "metrics.k8s.io/v1beta1/pods"),
            ("PodMetrics", "metrics.k8s.io/v1beta1/pods"),
            ("storageclass.storage", "storage.k8s.io/v1/storageclasses"),
            ("hpa", "autoscaling/v2/horizontalpodautoscalers"),
            ("hpa.v1.autoscaling", "autoscaling/v1/horizontalpodautoscalers"),
            ("horizontalpodautoscalers.v1.autoscaling", "autoscaling/v1/horizontalpodautoscalers"),
            ("HorizontalPodAutoscaler.v1.autoscaling", "autoscaling/v1/horizontalpodautoscalers"),
            ("widgets.shop.other.org", "shop.other.org/v1/widgets"),
            ("v1/pods", "v1/pods"),
            ("apps/v1/deployments", "apps/v1/deployments"),
            ("shop.example.com/v1alpha1/widgets", "shop.example.com/v1alpha1/widgets"),
            # not there
            ("apps/v1/pods", None),
            ("apps/v1/deployment", None),
            ("hpa.v9.autoscaling", None),
            ("deployments.v2.apps", None),
            ("deploymentlist", None),
            ("DeploymentList", None),
            ("List", None),
            ("scale", None),
            ("deploy.batch", None),
            (".apps", None),
        ],
    )
    def test_grammar(self, mapper: RESTMapper, text: str, path: str | None) -> None:
        if path is None:
            with pytest.raises((NoResourceMatchError, InvalidRequestError)):
                mapper.resolve(text)
        else:
            found = mapper.resolve(text)
            assert found.resource.path == path
            assert found == mapper.mapping_for(found.resource)
            assert found.kind == found.api_resource.group_version.with_kind(found.api_resource.kind)  # type: ignore[union-attr]

    def test_every_resource_is_found_by_its_full_names(self, mapper: RESTMapper) -> None:
        for gvr in HEALTHY.gvrs():
            assert mapper.resolve(gvr.path).resource == gvr
            if gvr.group:
                assert mapper.resolve(f"{gvr.resource}.{gvr.version}.{gvr.group}").resource == gvr

    @pytest.mark.behaviour("4.14", "4.15")
    def test_friendly_no_match(self, mapper: RESTMapper) -> None:
        with pytest.raises(NoResourceMatchError) as info:
            mapper.resolve("deploymnets")
        assert str(info.value).startswith(
            "the server doesn't have a resource type \"deploymnets\"; did you mean 'deployment"
        )
        assert "deployments" in info.value.suggestions
        with pytest.raises(NoResourceMatchError, match=r'resource type "qqqqqqq"$'):
            mapper.resolve("qqqqqqq")

    @pytest.mark.behaviour("4.15")
    def test_the_same_resource_elsewhere_is_suggested(self, mapper: RESTMapper) -> None:
        with pytest.raises(
            NoResourceMatchError,
            match=r"^no matches for extensions/v1beta1, Resource=deployments; did you mean 'apps/v1/deployments'",
        ):
            mapper.mapping_for(GVR("extensions", "v1beta1", "deployments"))

    @pytest.mark.parametrize("text", ["", ".", "...", None, 3])
    def test_no_name(self, mapper: RESTMapper, text: Any) -> None:
        with pytest.raises(InvalidRequestError, match="resource: want a name such as 'deployments'"):
            mapper.resolve(text)

    @pytest.mark.parametrize(
        "text", ["apps/v1", "apps/deployments", "a/b/c/d", "apps/v1/Deployment", "v1/../x", "deploy/web"]
    )
    def test_a_path_that_is_none(self, mapper: RESTMapper, text: str) -> None:
        with pytest.raises(InvalidRequestError, match=r"is no GroupVersionResource.*want 'group/version/resource'"):
            mapper.resolve(text)

    def test_a_subresource_is_no_mapping(self, mapper: RESTMapper) -> None:
        with pytest.raises(NoResourceMatchError):
            mapper.mapping_for(GVR("apps", "v1", "deployments/scale"))

    @given(st.text(max_size=30))
    def test_any_text_resolves_or_is_refused_on_one_line(self, text: str) -> None:
        problem = ""
        try:
            RESTMapper(HEALTHY).resolve(text)
        except (NoResourceMatchError, InvalidRequestError) as error:
            problem = str(error)
        assert "\n" not in problem

    def test_messages_are_bounded(self, mapper: RESTMapper) -> None:
        with pytest.raises(NoResourceMatchError) as info:
            mapper.resolve("x" * 100_000)
        assert len(str(info.value)) < 500


# --------------------------------------------------------------------------- partial discovery


@pytest.mark.behaviour("4.9", "3.1.12")
class TestFailedGroups:
    GONE = GroupVersion("gone.example.com", "v1")

    def test_the_rest_works(self) -> None:
        found = RESTMapper(SERVER)
        assert found.resolve("deploy").resource == APPS.with_resource("deployments")
        assert found.rest_mapping(GroupKind("", "Pod")).resource == CORE.with_resource("pods")

    @pytest.mark.parametrize("text", ["things", "things.gone.example.com", "things.gone", "gone.example.com/v1/things"])
    def test_the_failure_comes_up_when_its_group_is_asked_for(self, text: str) -> None:
        with pytest.raises(
            NoResourceMatchError, match=r"\(it may be in gone\.example\.com/v1, which could not be disc"
        ) as info:
            RESTMapper(SERVER).resolve(text)
        assert info.value.__cause__ is SERVER.failures[self.GONE]
        assert reason_of(info.value) == "ServiceUnavailable"

    def test_and_for_kinds(self) -> None:
        for versions in ((), ("v1",)):
            with pytest.raises(NoKindMatchError, match="could not be discovered") as info:
                RESTMapper(SERVER).rest_mapping(GroupKind("gone.example.com", "Thing"), *versions)
            assert info.value.__cause__ is SERVER.failures[self.GONE]

    @pytest.mark.parametrize("text", ["things.apps", "apps/v1/things", "gone.example.com/v2/things"])
    def test_and_not_when_another_is(self, text: str) -> None:
        with pytest.raises(NoResourceMatchError) as info:
            RESTMapper(SERVER).resolve(text)
        assert "could not be discovered" not in str(info.value)
        assert info.value.__cause__ is None

    def test_several_failures(self) -> None:
        many = ResourceMap((), {}, {GroupVersion(f"g{n}.io", "v1"): RuntimeError(str(n)) for n in range(5)})
        with pytest.raises(
            NoResourceMatchError, match=r"it may be in g0\.io/v1, g1\.io/v1, g2\.io/v1 and 2 more"
        ) as info:
            RESTMapper(many).resolve("things")
        assert isinstance(info.value.__cause__, PartialDiscoveryError)
        assert len(info.value.__cause__.failures) == 5

    def test_an_empty_server(self) -> None:
        with pytest.raises(NoResourceMatchError, match=r"resource type \"pods\"$"):
            RESTMapper(ResourceMap()).resolve("pods")
