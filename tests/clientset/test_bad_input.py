"""Wrong arguments to a clientset's own methods: one typed error that names the argument, and nothing is sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from sentrequests import SentRequests

import dynkube
from dynkube.testing import APIServer

EVENT = {"metadata": {"name": "e", "namespace": "shop"}}

REFUSED: dict[str, tuple[str, Callable[[dynkube.Clientset], object]]] = {
    "a namespace that is a number": ("namespace must be a string", lambda c: c.core_v1.pods(5)),
    "a namespace with a slash": ("namespace", lambda c: c.core_v1.pods("a/b")),
    "a group that is none": ("group must be a string", lambda c: c.group(None)),
    "a group that goes up": ("group", lambda c: c.group("..")),
    "a version that is a number": ("version must be a string", lambda c: c.group("apps").version(1)),
    "a version with a slash": ("version", lambda c: c.group("apps").version("v1/pods")),
    "a group version that is a number": ("group_version", lambda c: c.rest_client(1)),
    "a group version with too many parts": ("group_version", lambda c: c.rest_client("a/b/c")),
    "an eviction that is none": ("eviction must be", lambda c: c.core_v1.pods("shop").evict(None)),
    "an eviction without a name": ("name", lambda c: c.core_v1.pods("shop").evict({})),
    "an eviction that is a list": ("eviction must be", lambda c: c.core_v1.pods("shop").evict_v1([])),
    "an eviction without a namespace": ("namespace", lambda c: c.policy_v1.evictions("").evict("api")),
    "a binding that is none": ("obj must be a dict", lambda c: c.core_v1.pods("shop").bind(None)),
    "a binding without a name": ("name", lambda c: c.core_v1.pods("shop").bind({"target": {}})),
    "a namespace to finalize that has no name": ("name", lambda c: c.core_v1.namespaces().finalize({})),
    "a scale that is none": ("obj must be a dict", lambda c: c.apps_v1.deployments("shop").update_scale("a", None)),
    "a scale of no name": ("name", lambda c: c.apps_v1.deployments("shop").get_scale("")),
    "a scale in no namespace": ("namespace", lambda c: c.apps_v1.deployments("").get_scale("a")),
    "a scale to apply that has no kind": (
        "kind", lambda c: c.apps_v1.deployments("shop").apply_scale("a", {"spec": {}}, field_manager="me"),
    ),
    "a token request that is text": ("obj", lambda c: c.core_v1.serviceaccounts("shop").create_token("a", "x")),
    "a page of no name": ("name", lambda c: c.core_v1.pods("shop").proxy_get("")),
    "a page of none": ("name must be a string", lambda c: c.core_v1.pods("shop").proxy_get(None)),
    "a page with a path that is a number": ("path must be a string", lambda c: c.core_v1.pods("shop").proxy_get("a", 5)),
    "a page with a path that goes up": ("path", lambda c: c.core_v1.pods("shop").proxy_get("a", "../b")),
    "a page with another scheme": ("scheme", lambda c: c.core_v1.pods("shop").proxy_get("a", scheme="ftp")),
    "a page in no namespace": ("namespace", lambda c: c.core_v1.services("").proxy_get("a")),
    "a page of a list of params": ("params", lambda c: c.core_v1.pods("shop").proxy_get("a", params=[("a", "b")])),
    "an event that is none": ("event must be a dict", lambda c: c.core_v1.events("").create_with_event_namespace(None)),
    "an event without a namespace": ("namespace", lambda c: c.core_v1.events("").create_with_event_namespace({})),
    "an event of another namespace": ("namespace", lambda c: c.core_v1.events("a").update_with_event_namespace(EVENT)),
    "an event without a name to patch": (
        "name", lambda c: c.core_v1.events("").patch_with_event_namespace({"metadata": {"namespace": "a"}}, {}),
    ),
    "events about none": ("obj must be a dict", lambda c: c.core_v1.events("").search(None)),
    "events about nothing": ("name", lambda c: c.core_v1.events("").search({})),
    "a copy from and to here": ("one of the two must be", lambda c: c.core_v1.pods("shop").cp("a", "b")),
}  # fmt: skip


@pytest.fixture(scope="module")
def server() -> Iterator[APIServer]:
    with APIServer() as server:
        yield server


@pytest.mark.parametrize("what", REFUSED)
def test_it_is_refused_before_anything_is_sent(server: APIServer, what: str) -> None:
    message, call = REFUSED[what]
    wire = SentRequests()
    clientset = dynkube.Clientset(wire.config(server.config))
    with clientset, pytest.raises(dynkube.InvalidRequestError, match=message):
        call(clientset)
    assert {each.path for each in wire.all} <= {"/api/v1", "/apis/apps/v1", "/apis/policy/v1"}  # discovery
