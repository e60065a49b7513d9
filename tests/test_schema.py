"""The names of types: values, their strings, and the argument grammar."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynkube.errors import InvalidRequestError
from dynkube.schema import (
    GroupKind,
    GroupResource,
    GroupVersion,
    GroupVersionKind,
    GroupVersionResource,
    gvk_of,
    is_kube_version,
    kube_version_key,
    parse_kind_arg,
    parse_resource_arg,
)

labels = st.from_regex(r"[a-z]([-a-z0-9]{0,8}[a-z0-9])?", fullmatch=True)
groups = st.lists(labels, max_size=3).map(".".join)
versions = st.builds(
    lambda major, stage: f"v{major}{stage}", st.integers(1, 30), st.sampled_from(["", "beta1", "alpha2", "beta12"])
)
resources = labels.filter(lambda text: not is_kube_version(text))


class TestGroupVersion:
    @pytest.mark.parametrize(("text", "group", "version"), [("v1", "", "v1"), ("apps/v1", "apps", "v1")])
    def test_parse(self, text: str, group: str, version: str) -> None:
        assert GroupVersion.parse(text) == GroupVersion(group, version)

    @pytest.mark.parametrize(
        "text", ["", "/", "a/b/c", "apps/", "/v1", "Apps/v1", "v1\n", "a b/v1", "../v1", "a%2f/v1"]
    )
    def test_parse_refuses(self, text: str) -> None:
        with pytest.raises(
            InvalidRequestError, match=r"apiVersion: unexpected GroupVersion string: .* want 'group/version'"
        ):
            GroupVersion.parse(text)

    def test_parse_names_the_argument_and_type(self) -> None:
        with pytest.raises(InvalidRequestError, match=r"web.apiVersion: want a string such as 'apps/v1', got int"):
            GroupVersion.parse(1, argument="web.apiVersion")  # type: ignore[arg-type]

    @given(groups, versions)
    def test_round_trip(self, group: str, version: str) -> None:
        value = GroupVersion(group, version)
        assert GroupVersion.parse(str(value)) == value == GroupVersion.parse(value.api_version)

    def test_with(self) -> None:
        apps = GroupVersion("apps", "v1")
        assert apps.with_kind("Deployment") == GroupVersionKind("apps", "v1", "Deployment")
        assert apps.with_resource("deployments") == GroupVersionResource("apps", "v1", "deployments")


class TestValues:
    def test_strings_are_client_gos(self) -> None:
        assert str(GroupVersionResource("apps", "v1", "deployments")) == "apps/v1, Resource=deployments"
        assert str(GroupVersionResource("", "v1", "pods")) == "/v1, Resource=pods"
        assert str(GroupVersionKind("", "v1", "Pod")) == "/v1, Kind=Pod"
        assert str(GroupResource("apps", "deployments")) == "deployments.apps"
        assert str(GroupKind("", "Pod")) == "Pod"

    def test_parts(self) -> None:
        gvr, gvk = GroupVersionResource("apps", "v1", "deployments"), GroupVersionKind("apps", "v1", "Deployment")
        assert gvr.api_version == gvk.api_version == "apps/v1"
        assert gvr.group_version == gvk.group_version == GroupVersion("apps", "v1")
        assert gvr.group_resource.with_version("v1") == gvr
        assert gvk.group_kind.with_version("v1") == gvk

    def test_frozen_hashable_ordered(self) -> None:
        low, high = GroupVersionResource("a", "v1", "x"), GroupVersionResource("b", "v1", "x")
        assert sorted({high, low, low}) == [low, high]
        with pytest.raises(AttributeError):
            low.group = "c"  # type: ignore[misc]
        with pytest.raises((AttributeError, TypeError)):
            low.other = "c"  # type: ignore[attr-defined]


class TestGVRParse:
    @given(groups, versions, resources)
    def test_round_trip(self, group: str, version: str, resource: str) -> None:
        value = GroupVersionResource(group, version, resource)
        assert GroupVersionResource.parse(value.path) == value

    @given(st.text(max_size=40))
    def test_any_text_parses_or_is_refused(self, text: str) -> None:
        problem = ""
        try:
            assert GroupVersionResource.parse(text).path == text
        except InvalidRequestError as error:
            problem = str(error)
        assert problem == "" or (problem.startswith("resource: ") and "\n" not in problem)

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("deployments", "it names no version"),
            ("", "it names no version"),
            ("apps/v1", "it names a group version and no resource"),
            ("apps/deployments", "'apps' is no version"),
            ("apps/v1/deployments/scale", "it has too many parts"),
            ("apps/v1/Deployment", "'Deployment' is no resource name"),
            ("apps/v1/", "'' is no resource name"),
            ("/v1/pods", "'' is no API group"),
            ("apps//deployments", "'' is no version"),
            ("v1/..", r"'\.\.' is no resource name"),
            ("v1/pods\n", r"'pods\\n' is no resource name"),
            ("v1/po%2fds", "'po%2fds' is no resource name"),
        ],
    )
    def test_refuses_and_says_why(self, text: str, problem: str) -> None:
        with pytest.raises(
            InvalidRequestError, match=rf"resource: .* is no GroupVersionResource: {problem}.*want 'group/"
        ):
            GroupVersionResource.parse(text)

    def test_refuses_what_is_no_string_and_bounds_the_message(self) -> None:
        with pytest.raises(InvalidRequestError, match="got NoneType"):
            GroupVersionResource.parse(None)  # type: ignore[arg-type]
        with pytest.raises(InvalidRequestError) as info:
            GroupVersionResource.parse("x" * 100_000)
        assert len(str(info.value)) < 500


@pytest.mark.behaviour("4.13")
class TestArguments:
    def test_resource(self) -> None:
        assert parse_resource_arg("deploy") == (None, GroupResource("", "deploy"))
        assert parse_resource_arg("deployments.apps") == (None, GroupResource("apps", "deployments"))
        assert parse_resource_arg("deployments.v1.apps") == (
            GroupVersionResource("apps", "v1", "deployments"),
            GroupResource("v1.apps", "deployments"),
        )
        assert parse_resource_arg("pods.metrics.k8s.io") == (
            GroupVersionResource("k8s.io", "metrics", "pods"),
            GroupResource("metrics.k8s.io", "pods"),
        )

    def test_kind(self) -> None:
        assert parse_kind_arg("Pod") == (None, GroupKind("", "Pod"))
        assert parse_kind_arg("Deployment.v1.apps") == (
            GroupVersionKind("apps", "v1", "Deployment"),
            GroupKind("v1.apps", "Deployment"),
        )

    @given(labels, groups.filter(bool))
    def test_round_trip_without_version(self, resource: str, group: str) -> None:
        assert parse_resource_arg(str(GroupResource(group, resource))).unversioned == GroupResource(group, resource)
        assert parse_kind_arg(str(GroupKind(group, resource))).unversioned == GroupKind(group, resource)

    @given(labels, versions, groups.filter(bool))
    def test_round_trip_with_version(self, resource: str, version: str, group: str) -> None:
        found = parse_resource_arg(f"{resource}.{version}.{group}")
        assert found.versioned == GroupVersionResource(group, version, resource)


class TestGVKOf:
    def test_of_an_object(self) -> None:
        assert gvk_of({"apiVersion": "apps/v1", "kind": "Deployment"}) == GroupVersionKind("apps", "v1", "Deployment")

    @pytest.mark.parametrize(
        ("obj", "message"),
        [
            ([], "manifest: want a dict with apiVersion and kind, got list"),
            ({}, "manifest: Object 'Kind' is missing"),
            ({"apiVersion": "v1", "kind": 7}, "manifest: Object 'Kind' is missing.* got int"),
            ({"kind": "Pod"}, "manifest: Pod has no apiVersion"),
            ({"kind": "Pod", "apiVersion": "a/b/c"}, "manifest.apiVersion: unexpected GroupVersion string: 'a/b/c'"),
        ],
    )
    def test_refuses(self, obj: dict[str, object], message: str) -> None:
        with pytest.raises(InvalidRequestError, match=message):
            gvk_of(obj, argument="manifest")


@pytest.mark.behaviour("3.1.19")
def test_version_priority() -> None:
    ordered = ["v10", "v2", "v1", "v11beta2", "v10beta3", "v3beta1", "v12alpha1", "v11alpha2", "foo1", "foo10", "v01"]
    assert sorted(set(ordered), key=kube_version_key) == ordered
    assert is_kube_version("v1beta1")
    assert not is_kube_version("v1beta")
