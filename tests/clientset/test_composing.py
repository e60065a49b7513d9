"""The class of a resource has what its server serves, and nothing else."""

from __future__ import annotations

import inspect

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynkube.clientset import ResourceClient
from dynkube.clientset.composing import class_name, compose
from dynkube.clientset.expansions import EXPANSIONS
from dynkube.clientset.subresources import subresource_methods
from dynkube.resources import APIResource
from dynkube.schema import GroupVersion, GroupVersionKind

EXAMPLE = GroupVersion("example.com", "v1")


def resource(name: str, *verbs: str, kind: str = "Widget", group_version: GroupVersion = EXAMPLE) -> APIResource:
    gvk = GroupVersionKind(group_version.group, group_version.version, kind)
    return APIResource(name=name, group_version=group_version, gvk=gvk, namespaced=True, verbs=verbs)


def methods(made: type) -> set[str]:
    return {each for each in dir(made) if not each.startswith("_")} - set(dir(ResourceClient))


@pytest.mark.behaviour("9.1.5")
@pytest.mark.parametrize(
    ("verbs", "expected"),
    [
        ("", set()),
        ("create", {"create"}),
        ("get", {"get", "get_or_none"}),
        ("list", {"list", "iter"}),
        ("get list", {"get", "get_or_none", "list", "iter", "table"}),
        ("watch", set()),
        ("list watch", {"list", "iter", "watch", "watch_once", "wait"}),
        ("patch", {"patch", "apply"}),
        ("update", {"update"}),
        ("delete", {"delete"}),
        ("deletecollection", {"delete_collection"}),
    ],
)  # fmt: skip
def test_a_verb_brings_its_methods(verbs: str, expected: set[str]) -> None:
    assert methods(compose(resource("widgets", *verbs.split()), ())) == expected


@pytest.mark.behaviour("9.1.5")
def test_update_status_needs_a_status_that_can_be_updated() -> None:
    widgets = resource("widgets", "get")
    assert methods(compose(widgets, (resource("widgets/status", "get"),))) == {"get", "get_or_none", "get_status"}
    written = methods(compose(widgets, (resource("widgets/status", "update", "patch"),)))
    assert {"update_status", "patch_status", "apply_status"} <= written


@pytest.mark.behaviour("9.2.1")
def test_each_verb_of_a_subresource_is_a_method() -> None:
    found = subresource_methods([resource("widgets/soft-stop", "create", "get", "update", "patch", "delete")])
    assert set(found) == {f"{verb}_soft_stop" for verb in ("create", "get", "update", "patch", "apply", "delete")}
    assert found["get_soft_stop"].__name__ == "get_soft_stop"
    assert "soft-stop" in (found["get_soft_stop"].__doc__ or "")


@pytest.mark.behaviour("9.3.1b")
@pytest.mark.parametrize("opaque", ["log", "exec", "attach", "portforward", "proxy", "proxy/path"])
def test_what_is_no_object_has_no_method_of_this_kind(opaque: str) -> None:
    assert subresource_methods([resource(f"pods/{opaque}", "get", "create")]) == {}


def test_whatever_has_a_scale_can_be_scaled() -> None:
    made = compose(resource("widgets", "get"), (resource("widgets/scale", "get", "update", "patch"),))
    assert {"scale", "get_scale", "update_scale", "patch_scale", "apply_scale"} <= methods(made)


@pytest.mark.parametrize("row", EXPANSIONS, ids=lambda row: f"{row.resource}: {row.home}")
def test_every_expansion_is_there_and_documented(row) -> None:  # type: ignore[no-untyped-def]
    found = row.load()
    assert issubclass(found, ResourceClient)
    assert found.__slots__ == ()
    assert inspect.getdoc(found)


def test_an_expansion_needs_its_subresource() -> None:
    core = GroupVersion("", "v1")
    pods = resource("pods", "get", kind="Pod", group_version=core)
    assert "proxy_get" not in methods(compose(pods, ()))
    proxied = compose(pods, (resource("pods/proxy", "get", kind="PodProxyOptions", group_version=core),))
    assert "proxy_get" in methods(proxied)


@pytest.mark.parametrize(
    ("kind", "plural", "name"),
    [
        ("Deployment", "deployments", "Deployments"),
        ("NetworkPolicy", "networkpolicies", "NetworkPolicies"),
        ("Ingress", "ingresses", "Ingresses"),
        ("Endpoints", "endpoints", "Endpoints"),
        ("CSIStorageCapacity", "csistoragecapacities", "CSIStorageCapacities"),
        ("Odd", "cron-tabs", "CronTabs"),
    ],
)
def test_a_class_is_called_as_client_go_would_call_it(kind: str, plural: str, name: str) -> None:
    assert class_name(resource(plural, kind=kind)) == name


VERBS = st.sampled_from(["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection", "odd", ""])
NAMES = st.text("abz09-._/", min_size=1, max_size=8)


@settings(max_examples=150, deadline=None)
@given(NAMES, st.text(max_size=8), st.lists(VERBS, max_size=4), st.lists(st.tuples(NAMES, st.lists(VERBS, max_size=4))))
def test_whatever_a_server_shows_makes_a_class(
    plural: str, kind: str, verbs: list[str], parts: list[tuple[str, list[str]]]
) -> None:
    subresources = tuple(resource(f"{plural}/{name}", *served, kind=kind) for name, served in parts)
    made = compose(resource(plural, *verbs, kind=kind), subresources)
    assert all(each.isidentifier() for each in methods(made))
    assert ("create" in methods(made)) is ("create" in verbs)


def test_equal_resources_share_a_class() -> None:
    assert compose(resource("widgets", "get"), ()) is compose(resource("widgets", "get"), ())
