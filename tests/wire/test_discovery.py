from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynkube.errors import (
    ConnectionLostError,
    DecodeError,
    DiscoveryError,
    DynkubeError,
    ForbiddenError,
    InvalidRequestError,
    NotFoundError,
    ServiceUnavailableError,
)
from dynkube.resources import APIGroup, APIResource, ResourceMap
from dynkube.schema import GroupVersion, GroupVersionKind, GroupVersionResource
from dynkube.wire.discovery import (
    ACCEPT_DISCOVERY,
    Answer,
    DocumentFormat,
    OpenAPIPath,
    ServerVersion,
    discover,
    document_format,
    group_version_request,
    openapi_request,
    parse_group_version,
    parse_openapi_root,
    parse_root,
    parse_server_version,
)
from dynkube.wire.messages import Request, Response

V2 = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
V2BETA1 = "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList"
APPS, CORE, BATCH = GroupVersion("apps", "v1"), GroupVersion("", "v1"), GroupVersion("batch", "v1")


class Headers(dict[str, str]):
    def getlist(self, name: str, /) -> list[str]:
        return [self[name]] if name in self else []


def answer(document: Any, content_type: str = "application/json", status: int = 200) -> Response:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return Response(status, Headers({"Content-Type": content_type}), body, Request("GET", "/"))


def aggregated(*groups: Any, version: str = V2) -> Response:
    return answer({"kind": "APIGroupDiscoveryList", "items": list(groups)}, version)


def group(name: str, *versions: Any) -> dict[str, Any]:
    return {"metadata": {"name": name} if name else {}, "versions": list(versions)}


def version(name: str, *resources: Any, freshness: str = "Current") -> dict[str, Any]:
    return {"version": name, "resources": list(resources), "freshness": freshness}


def kind(name: str, group: str = "", version: str = "") -> dict[str, str]:
    return {"kind": name, "group": group, "version": version}


DEPLOYMENTS = {
    "resource": "deployments",
    "responseKind": kind("Deployment", "apps", "v1"),
    "scope": "Namespaced",
    "singularResource": "deployment",
    "verbs": ["get", "list"],
    "shortNames": ["deploy"],
    "categories": ["all"],
    "subresources": [
        {"subresource": "scale", "responseKind": kind("Scale", "autoscaling", "v1"), "verbs": ["get"]},
        {"subresource": "status", "responseKind": kind("Deployment"), "verbs": ["patch"]},
    ],
}
PODS = {"resource": "pods", "responseKind": kind("Pod", "", "v1"), "scope": "Namespaced", "verbs": ["get"]}
NODES = {"resource": "nodes", "responseKind": kind("Node"), "scope": "Cluster", "verbs": ["get"]}

DEPLOYMENTS_LEGACY = {
    "name": "deployments",
    "kind": "Deployment",
    "namespaced": True,
    "singularName": "deployment",
    "verbs": ["get", "list"],
    "shortNames": ["deploy"],
    "categories": ["all"],
    "storageVersionHash": "8aSe+NMegvE=",
}
SCALE_LEGACY = {
    "name": "deployments/scale",
    "kind": "Scale",
    "group": "autoscaling",
    "version": "v1",
    "namespaced": True,
    "verbs": ["get"],
}


def legacy_list(gv: str, *resources: Any) -> Response:
    return answer({"kind": "APIResourceList", "groupVersion": gv, "resources": list(resources)})


def legacy_groups(*groups: tuple[str, list[str]]) -> Response:
    return answer(
        {
            "kind": "APIGroupList",
            "groups": [
                {
                    "name": name,
                    "versions": [{"groupVersion": f"{name}/{each}", "version": each} for each in versions],
                    "preferredVersion": {"groupVersion": f"{name}/{versions[-1]}", "version": versions[-1]},
                }
                for name, versions in groups
            ],
        }
    )


CORE_LEGACY = answer({"kind": "APIVersions", "versions": ["v1"]})


def run(server: Callable[[str, int], Answer]) -> tuple[ResourceMap, list[list[str]]]:
    """Drives `discover` against a function of path and how often it was asked."""
    conversation = discover()
    asked: list[list[str]] = []
    batch = next(conversation)
    while True:
        paths = [request.target for request in batch]
        asked.append(paths)
        flat = [path for each in asked for path in each]
        try:
            batch = conversation.send([server(path, flat.count(path)) for path in paths])
        except StopIteration as done:
            return done.value, asked


def serving(documents: dict[str, Answer]) -> Callable[[str, int], Answer]:
    return lambda path, _: documents.get(path) or answer(b"404 page not found", "text/plain", 404)


@pytest.mark.behaviour("3.1.1")
def test_what_is_asked_first_and_how() -> None:
    requests = next(discover())
    assert [(request.method, request.target) for request in requests] == [("GET", "/api"), ("GET", "/apis")]
    assert {dict(request.headers)["Accept"] for request in requests} == {ACCEPT_DISCOVERY}
    assert f"{V2},{V2BETA1},application/json" == ACCEPT_DISCOVERY


@pytest.mark.behaviour("3.1.1", "3.1.2")
@pytest.mark.parametrize(
    ("content_type", "wanted"),
    [
        (V2, DocumentFormat.AGGREGATED_V2),
        (V2BETA1, DocumentFormat.AGGREGATED_V2BETA1),
        ('application/json; AS=APIGroupDiscoveryList ;v="v2"; g=apidiscovery.k8s.io', DocumentFormat.AGGREGATED_V2),
        ("application/json;as=APIGroupDiscoveryList;g=apidiscovery.k8s.io;v=v3", DocumentFormat.LEGACY),
        ("application/json;as=Other;g=apidiscovery.k8s.io;v=v2", DocumentFormat.LEGACY),
        ("application/json", DocumentFormat.LEGACY),
        ("", DocumentFormat.LEGACY),
    ],
)
def test_the_content_type_says_how_to_read_it(content_type: str, wanted: DocumentFormat) -> None:
    assert document_format(content_type) is wanted


@pytest.mark.behaviour("3.1.6", "3.1.7", "3.1.15")
@pytest.mark.parametrize("content_type", [V2, V2BETA1])
def test_aggregated_two_requests_and_everything_is_known(content_type: str) -> None:
    found, asked = run(
        serving(
            {
                "/api": aggregated(group("", version("v1", PODS, NODES)), version=content_type),
                "/apis": aggregated(
                    group("zoo", version("v1")), group("apps", version("v1", DEPLOYMENTS)), version=content_type
                ),
            }
        )
    )
    assert asked == [["/api", "/apis"]]
    assert [each.name for each in found.groups] == ["", "zoo", "apps"]
    assert found.failures == {}
    assert found.resources[APPS][0] == APIResource(
        name="deployments",
        group_version=APPS,
        gvk=GroupVersionKind("apps", "v1", "Deployment"),
        namespaced=True,
        singular_name="deployment",
        verbs=("get", "list"),
        short_names=("deploy",),
        categories=("all",),
    )
    scale, status = found.resources[APPS][1:]
    assert (scale.name, scale.gvk, scale.namespaced, scale.singular_name, scale.verbs) == (
        "deployments/scale",
        GroupVersionKind("autoscaling", "v1", "Scale"),
        True,
        "deployment",
        ("get",),
    )
    assert status.gvk == GroupVersionKind("apps", "v1", "Deployment")  # blank: that of the group version
    pods, nodes = found.resources[CORE]
    assert (pods.gvk, pods.namespaced) == (GroupVersionKind("", "v1", "Pod"), True)
    assert (nodes.gvk, nodes.namespaced) == (GroupVersionKind("", "v1", "Node"), False)


@pytest.mark.behaviour("3.1.7")
@pytest.mark.parametrize("response_kind", [None, {}, kind("", "apps", "v1")])
def test_a_resource_without_kind_is_dropped_and_its_subresources_are_kept(response_kind: Any) -> None:
    resource = {**DEPLOYMENTS, "responseKind": response_kind}
    root = parse_root("/apis", aggregated(group("apps", version("v1", resource))))
    assert root.resources is not None
    assert [each.name for each in root.resources[APPS]] == ["deployments/scale", "deployments/status"]


@pytest.mark.behaviour("3.1.3")
def test_a_server_without_core_is_aggregated_all_the_same() -> None:
    documents: dict[str, Answer] = {"/apis": aggregated(group("apps", version("v1", DEPLOYMENTS)))}
    found, asked = run(serving(documents))
    assert asked == [["/api", "/apis"]]
    assert [each.name for each in found.groups] == ["apps"]
    found, asked = run(serving({**documents, "/api": NotFoundError({"code": 404, "reason": "NotFound"})}))
    assert asked == [["/api", "/apis"]]
    assert len(found.resources[APPS]) == 3


@pytest.mark.behaviour("3.1.3")
@pytest.mark.parametrize("path", ["/api", "/apis"])
@pytest.mark.parametrize(
    "error", [ForbiddenError({"code": 403, "reason": "Forbidden"}), ConnectionLostError("cut")], ids=["403", "cut"]
)
def test_a_root_that_fails_ends_it(path: str, error: Exception) -> None:
    documents: dict[str, Answer] = {"/api": aggregated(group("")), "/apis": aggregated(), path: error}
    with pytest.raises(type(error)) as caught:
        run(serving(documents))
    assert caught.value is error


@pytest.mark.behaviour("3.1.3")
def test_apis_not_found_ends_it_too() -> None:
    with pytest.raises(NotFoundError):
        run(serving({"/api": aggregated(group("", version("v1", PODS)))}))


@pytest.mark.parametrize("body", [b"<html>", b"", b"[]", b"{}", b'{"kind":"Status"}'])
@pytest.mark.parametrize("content_type", [V2, "application/json", "text/html"])
def test_a_root_that_is_no_discovery_document(body: bytes, content_type: str) -> None:
    for path in ("/api", "/apis"):
        with pytest.raises(DecodeError, match=path):
            parse_root(path, answer(body, content_type))


@pytest.mark.behaviour("3.1.8", "3.1.11")
def test_a_stale_version_is_a_failure_of_its_own_and_asked_for_twice() -> None:
    stale = aggregated(
        group("m", version("v1beta1", freshness="Stale"), version("v1", PODS)), group("n", version("v1"))
    )
    documents: dict[str, Answer] = {"/api": aggregated(group("", version("v1", PODS))), "/apis": stale}
    found, asked = run(serving(documents))
    assert asked == [["/api", "/apis"]] * 2
    assert found.group("m") == APIGroup("m", ("v1",), "v1")  # preferred is the first that is left
    failure = found.failures[GroupVersion("m", "v1beta1")]
    assert isinstance(failure, DiscoveryError)
    assert str(failure) == "stale GroupVersion discovery: m/v1beta1"
    assert set(found.resources) == {CORE, GroupVersion("m", "v1"), GroupVersion("n", "v1")}

    def healing(path: str, times: int) -> Answer:
        return documents[path] if times == 1 else {**documents, "/apis": aggregated(group("n", version("v1")))}[path]

    assert run(healing)[0].failures == {}


@pytest.mark.behaviour("3.1.5", "3.1.6", "3.1.9", "3.1.15")
def test_legacy_one_request_for_each_group_version() -> None:
    found, asked = run(
        serving(
            {
                "/api": CORE_LEGACY,
                "/apis": legacy_groups(("batch", ["v1"]), ("apps", ["v1", "v2"])),
                "/api/v1": legacy_list("v1", {"name": "pods", "kind": "Pod", "namespaced": True, "verbs": ["get"]}),
                "/apis/apps/v1": legacy_list("apps/v1", DEPLOYMENTS_LEGACY, SCALE_LEGACY),
                "/apis/apps/v2": legacy_list("apps/v2"),
                "/apis/batch/v1": legacy_list("batch/v1"),
            }
        )
    )
    assert asked == [["/api", "/apis"], ["/api/v1", "/apis/batch/v1", "/apis/apps/v1", "/apis/apps/v2"]]
    assert [each.name for each in found.groups] == ["", "batch", "apps"]
    assert found.groups[0] == APIGroup("", ("v1",), "v1")
    assert found.groups[2] == APIGroup("apps", ("v1", "v2"), "v2")
    deployments, scale = found.resources[APPS]
    assert deployments.storage_version_hash == "8aSe+NMegvE="
    assert deployments.gvk == GroupVersionKind("apps", "v1", "Deployment")
    assert (scale.subresource, scale.gvk) == ("scale", GroupVersionKind("autoscaling", "v1", "Scale"))


@pytest.mark.behaviour("3.1.4", "3.1.2")
@pytest.mark.parametrize("modern", ["/api", "/apis"])
def test_one_aggregated_and_one_legacy_document_every_version_is_asked(modern: str) -> None:
    both: dict[str, dict[str, Answer]] = {
        "/api": {"/api": aggregated(group("", version("v1", PODS))), "/apis": legacy_groups(("apps", ["v1"]))},
        "/apis": {"/api": CORE_LEGACY, "/apis": aggregated(group("apps", version("v1", DEPLOYMENTS)))},
    }
    found, asked = run(
        serving({**both[modern], "/api/v1": legacy_list("v1"), "/apis/apps/v1": legacy_list("apps/v1", SCALE_LEGACY)})
    )
    assert asked[1] == ["/api/v1", "/apis/apps/v1"]
    assert [each.name for each in found.resources[APPS]] == ["deployments/scale"]


BROKEN: list[Any] = [
    answer(b"down", "text/plain", 503),
    answer(b"no", "text/plain", 403),
    answer(b"gone", "text/plain", 404),
    answer(b"<html>", "text/html"),
    answer(b"", "application/json"),
    answer({"kind": "APIGroup"}),
    answer(b'{"kind":"APIRes', "application/json"),
    ServiceUnavailableError({"code": 503}),
    ConnectionLostError("cut"),
    ValueError("a defect"),
]


@pytest.mark.behaviour("3.1.10", "3.1.11", "3.1.12")
@pytest.mark.parametrize("broken", BROKEN, ids=range(len(BROKEN)))
def test_a_broken_group_breaks_nothing_else_and_is_asked_for_once_more(broken: Answer) -> None:
    documents: dict[str, Answer] = {
        "/api": CORE_LEGACY,
        "/apis": legacy_groups(("batch", ["v1"]), ("apps", ["v1"])),
        "/api/v1": legacy_list("v1"),
        "/apis/apps/v1": legacy_list("apps/v1", DEPLOYMENTS_LEGACY),
        "/apis/batch/v1": broken,
    }
    found, asked = run(serving(documents))
    assert asked[2:] == [["/apis/batch/v1"]]
    assert list(found.failures) == [BATCH]
    assert isinstance(found.failures[BATCH], (DynkubeError, ValueError))
    assert set(found.resources) == {CORE, APPS}
    assert found.group("batch") == APIGroup("batch", ("v1",), "v1")

    def healing(path: str, times: int) -> Answer:
        return legacy_list("batch/v1", SCALE_LEGACY) if path == "/apis/batch/v1" and times == 2 else documents[path]

    found, _ = run(healing)
    assert found.failures == {}
    assert len(found.resources[BATCH]) == 1


@pytest.mark.behaviour("3.1.9")
def test_only_core_v1_may_be_missing() -> None:
    missing = answer(b"404 page not found", "text/plain", 404)
    assert parse_group_version(CORE, missing) == ()
    assert parse_group_version(CORE, NotFoundError({"code": 404})) == ()
    with pytest.raises(NotFoundError):
        parse_group_version(GroupVersion("", "v2"), missing)
    with pytest.raises(NotFoundError):
        parse_group_version(APPS, missing)


def test_the_path_of_a_group_version_leads_nowhere_else() -> None:
    assert group_version_request(CORE).path == "/api/v1"
    assert group_version_request(APPS, etag='"x"').headers == (("Accept", "application/json"), ("If-None-Match", '"x"'))
    with pytest.raises(InvalidRequestError):
        group_version_request(GroupVersion("..", "v1"))


# Any JSON under the names that matter: a group's nonsense must neither crash nor hide the others.
junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["metadata", "name", "versions", "version", "resources", "resource", "responseKind", "kind"]
            )
            | st.sampled_from(["subresources", "subresource", "verbs", "scope", "groups", "preferredVersion"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@pytest.mark.behaviour("3.1.12")
@given(junk, junk)
def test_nonsense_in_a_document_does_not_hide_the_rest(nonsense: Any, more: Any) -> None:
    root = parse_root("/apis", aggregated(nonsense, group("apps", version("v1", more, DEPLOYMENTS))))
    assert root.resources is not None
    found = ResourceMap(root.groups, root.resources, root.failures)
    assert found.find(GroupVersionResource("apps", "v1", "deployments")) is not None
    resources = parse_group_version(APPS, legacy_list("apps/v1", more, DEPLOYMENTS_LEGACY))
    assert resources[-1].name == "deployments"


@pytest.mark.behaviour("3.1.16")
def test_the_server_version() -> None:
    document = {
        "major": "1",
        "minor": "36+",
        "gitVersion": "v1.36.1-x",
        "platform": "linux/amd64",
        "emulationMinor": "35",
    }
    found = parse_server_version(answer(document))
    assert (found.major, found.minor, found.numbers, str(found)) == ("1", "36+", (1, 36), "v1.36.1-x")
    assert (found.platform, found.emulation_minor, found.min_compatibility_minor) == ("linux/amd64", "35", "")
    assert (ServerVersion(major="x").numbers, str(ServerVersion(major="1", minor="9"))) == ((0, 0), "1.9")
    for body in (b"<html>", b"{}", b"[]"):
        with pytest.raises(DecodeError, match="/version"):
            parse_server_version(answer(body))


@pytest.mark.behaviour("3.4.1")
def test_the_openapi_root() -> None:
    paths = {
        "version": {"serverRelativeURL": "/openapi/v3/version?hash=V"},
        "apis/apps/v1": {"serverRelativeURL": "/openapi/v3/apis/apps/v1?hash=A%2B"},
        "api/v1": {"serverRelativeURL": "/openapi/v3/api/v1?hash=C"},
        "apis/apps": {"serverRelativeURL": "/openapi/v3/apis/apps"},
        "broken": 5,
    }
    found = parse_openapi_root(answer({"paths": paths}))
    assert list(found) == ["api/v1", "apis/apps", "apis/apps/v1", "version"]
    assert found["apis/apps/v1"] == OpenAPIPath("apis/apps/v1", "/openapi/v3/apis/apps/v1?hash=A%2B", "A+")
    assert [each.group_version for each in found.values()] == [CORE, None, APPS, None]
    with pytest.raises(DecodeError, match="/openapi/v3"):
        parse_openapi_root(answer({}))


@pytest.mark.behaviour("3.4.2")
@pytest.mark.parametrize("prefix", ["", "/", "/k8s/c-1", "/k8s/c-1/"])
@pytest.mark.parametrize("known", [False, True])
def test_the_hosts_prefix_is_not_doubled(prefix: str, known: bool) -> None:
    url = f"{prefix.rstrip('/') if known else ''}/openapi/v3/apis/apps/v1?hash=A%2B"
    request = openapi_request(OpenAPIPath("apis/apps/v1", url), path_prefix=prefix)
    assert request.target == "/openapi/v3/apis/apps/v1?hash=A%2B"


@pytest.mark.parametrize("url", ["https://evil/openapi", "//evil/openapi", "openapi/v3", ""])
def test_an_openapi_url_that_leads_elsewhere(url: str) -> None:
    with pytest.raises(InvalidRequestError, match="leads elsewhere"):
        openapi_request(OpenAPIPath("x", url))
