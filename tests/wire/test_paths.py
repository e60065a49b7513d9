"""Paths: where a resource lives, and that no name leads elsewhere."""

from __future__ import annotations

import posixpath
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynkube.errors import InvalidRequestError
from dynkube.schema import GroupVersion, GroupVersionResource
from dynkube.wire.paths import escape_segment, group_version_path, resource_path, validate_segment

PODS = GroupVersionResource("", "v1", "pods")
DEPLOYMENTS = GroupVersionResource("apps", "v1", "deployments")

ANY = st.text(max_size=12) | st.text("./%\\?#;&=:@ \n\0aé", max_size=8)


# ---------------------------------------------------------------------- shapes


@pytest.mark.behaviour("2.4.3")
@pytest.mark.parametrize(
    ("group", "version", "path"),
    [("", "v1", "/api/v1"), ("", "v2", "/api/v2"), ("apps", "v1", "/apis/apps/v1"), ("a.io", "v1b", "/apis/a.io/v1b")],
)
def test_the_path_of_a_group_version(group, version, path):
    assert group_version_path(GroupVersion(group, version)) == path


@pytest.mark.behaviour("2.4.4", "5.1.2")
@pytest.mark.parametrize(
    ("gvr", "where", "path"),
    [
        (PODS, {}, "/api/v1/pods"),
        (PODS, {"namespace": "a"}, "/api/v1/namespaces/a/pods"),
        (PODS, {"namespace": "a", "name": "b"}, "/api/v1/namespaces/a/pods/b"),
        (PODS, {"name": "b"}, "/api/v1/pods/b"),
        (PODS, {"namespace": "a", "name": "b", "subresource": "log"}, "/api/v1/namespaces/a/pods/b/log"),
        (PODS, {"name": "b", "subresource": "proxy/metrics"}, "/api/v1/pods/b/proxy/metrics"),
        (DEPLOYMENTS, {"namespace": "a"}, "/apis/apps/v1/namespaces/a/deployments"),
        (GroupVersionResource("", "v1", "Pods"), {}, "/api/v1/pods"),
        (GroupVersionResource("", "v1", "namespaces"), {"name": "a"}, "/api/v1/namespaces/a"),
    ],
)
def test_the_path_of_a_resource(gvr, where, path):
    assert resource_path(gvr, **where) == path


@pytest.mark.behaviour("2.4.5")
@pytest.mark.parametrize(
    ("name", "escaped"),
    [
        ("system:node", "system:node"),
        ("a.b-c_d~", "a.b-c_d~"),
        ("a b", "a%20b"),
        ("a?b#c", "a%3Fb%23c"),
        ("é", "%C3%A9"),
        ("a\\b", "a%5Cb"),
        ("...", "..."),
        ("http:svc:80", "http:svc:80"),
        ("https:svc:", "https:svc:"),
    ],
)
def test_names_that_are_escaped(name, escaped):
    assert resource_path(PODS, namespace="x", name=name) == f"/api/v1/namespaces/x/pods/{escaped}"


# ---------------------------------------------------------------------- refusals


@pytest.mark.behaviour("2.4.5")
@pytest.mark.parametrize(
    ("name", "problems"),
    [
        (".", "may not be '.'"),
        ("..", "may not be '..'"),
        ("a/b", "may not contain '/'"),
        ("a%2fb", "may not contain '%'"),
        ("%2e%2e", "may not contain '%'"),
        ("a/%", "may not contain '/', may not contain '%'"),
        ("a\nb", "may not contain control characters"),
        ("a\0", "may not contain control characters"),
        ("a\x7f", "may not contain control characters"),
    ],
)
@pytest.mark.parametrize("place", ["namespace", "name", "subresource", "resource", "version", "group"])
def test_values_that_could_lead_elsewhere(name, problems, place):
    if place == "subresource" and "/" in name:
        return  # there a slash separates segments
    with pytest.raises(InvalidRequestError) as refused:
        if place in {"resource", "version", "group"}:
            parts = {"group": "apps", "version": "v1", "resource": "pods"} | {place: name}
            resource_path(GroupVersionResource(parts["group"], parts["version"], parts["resource"]))
        else:
            resource_path(PODS, **({"name": "x"} | {place: name}))
    assert f"invalid resource {place} " in str(refused.value)
    assert f"[{problems}]" in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.behaviour("2.4.5")
@pytest.mark.parametrize("subresource", ["/", "a/", "/a", "a//b", "a/../b", "../x", "a/%2e"])
def test_subresources_that_could_lead_elsewhere(subresource):
    with pytest.raises(InvalidRequestError, match="subresource"):
        resource_path(PODS, name="x", subresource=subresource)


@pytest.mark.behaviour("2.4.6")
def test_what_is_missing_is_named():
    with pytest.raises(InvalidRequestError, match="name is required"):
        resource_path(PODS, subresource="log")
    with pytest.raises(InvalidRequestError, match="name is required"):
        validate_segment("", "name")
    with pytest.raises(InvalidRequestError, match="resource"):
        resource_path(GroupVersionResource("", "v1", ""))


@pytest.mark.parametrize("value", [5, 1.5, True, b"a", ["a"], ("a",), {"a"}])
@pytest.mark.parametrize("place", ["namespace", "name"])
def test_what_is_no_text_is_refused(value, place):
    with pytest.raises(InvalidRequestError, match=f"{place} must be a string"):
        resource_path(PODS, **{place: value})


def test_a_lone_surrogate_is_refused():
    with pytest.raises(InvalidRequestError, match="udc80"):
        resource_path(PODS, name="\udc80")


def test_a_long_name_is_cut_in_the_message():
    with pytest.raises(InvalidRequestError) as refused:
        resource_path(PODS, name="/" * 10_000)
    assert len(str(refused.value)) < 300


# ---------------------------------------------------------------------- laws


@pytest.mark.behaviour("2.4.5")
@given(namespace=ANY, name=ANY, subresource=ANY)
def test_nothing_passed_as_a_name_retargets_a_request(namespace, name, subresource):
    """Whatever is accepted arrives as the segment it was, in its place, through any normalising."""
    try:
        path = resource_path(PODS, namespace=namespace, name=name, subresource=subresource)
    except InvalidRequestError:
        return
    expected = ["", "api", "v1"]
    expected += ["namespaces", namespace] if namespace else []
    expected += ["pods"]
    expected += [name] if name else []
    expected += subresource.split("/") if subresource else []
    assert path.isascii()
    assert [unquote(segment) for segment in path.split("/")] == expected
    assert posixpath.normpath(path) == path
    split = urlsplit(f"https://host{path}")
    assert (split.netloc, split.path, split.query, split.fragment) == ("host", path, "", "")


@given(ANY)
def test_escaping_can_be_undone(value):
    try:
        escaped = escape_segment(value)
    except InvalidRequestError:
        assert any(0xD800 <= ord(each) <= 0xDFFF for each in value)
        return
    assert unquote(escaped) == value
    assert not set(escaped) & set("/?# \n\\")


@given(ANY)
def test_what_is_valid_is_returned(value):
    try:
        assert validate_segment(value, "name") is value
    except InvalidRequestError:
        assert value in {"", ".", ".."} or any(each in "/%\x7f" or each < " " for each in value)
