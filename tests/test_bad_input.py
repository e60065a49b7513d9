"""Wrong arguments: one typed error that names the argument, and nothing is sent."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from scripted import ScriptedServer

import dynkube
from dynkube import GroupVersionResource

PODS = GroupVersionResource("", "v1", "pods")
POD: dict[str, Any] = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}}


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


@pytest.fixture
def client(server: ScriptedServer) -> Iterator[dynkube.DynamicClient]:
    with dynkube.DynamicClient(dynkube.RESTConfig(host=server.url)) as client:
        yield client


REFUSED: dict[str, tuple[str, Callable[[Any], object]]] = {
    "a timeout that is text": ("timeout", lambda pods: pods.get("a", timeout="5")),
    "an event for a token": ("cancel", lambda pods: pods.get("a", cancel=threading.Event())),
    "no name": ("name", lambda pods: pods.get(None)),
    "a name that is a number": ("name", lambda pods: pods.get(3)),
    "a name with a slash": ("name", lambda pods: pods.get("a/b")),
    "a name that goes up": ("name", lambda pods: pods.delete("..")),
    "a name that is escaped": ("name", lambda pods: pods.get("a%2fb")),
    "a name with a newline": ("name", lambda pods: pods.get("a\nb")),
    "a namespace with a slash": ("namespace", lambda pods: pods.namespace("a/b")),
    "a subresource that goes up": ("subresource", lambda pods: pods.subresource("..")),
    "a limit below 0": ("limit", lambda pods: pods.list(limit=-1)),
    "a limit that is text": ("limit", lambda pods: pods.list(limit="x")),
    "a page size that is text": ("limit", lambda pods: next(pods.iter(limit="x"))),
    "a version that is a number": ("resource_version", lambda pods: pods.list(resource_version=3)),
    "a watch from a number": ("resource_version", lambda pods: next(pods.watch(resource_version=3))),
    "a selector that does not parse": ("label selector", lambda pods: pods.list(label_selector="a in (b")),
    "a selector that is a dict": ("label_selector", lambda pods: pods.list(label_selector={"a": "b"})),
    "a field selector without operator": ("field selector", lambda pods: pods.list(field_selector="a")),
    "a grace period that is text": ("grace_period_seconds", lambda pods: pods.delete("a", grace_period_seconds="x")),
    "a policy that there is not": ("propagation_policy", lambda pods: pods.delete("a", propagation_policy="Sideways")),
    "a field manager that is a number": ("field_manager", lambda pods: pods.patch("a", {}, field_manager=3)),
    "a dry run that is neither": ("dry_run", lambda pods: pods.create(POD, dry_run="maybe")),
    "a validation that there is not": ("field_validation", lambda pods: pods.create(POD, field_validation="Bad")),
    "a body with NaN": (r"obj\.spec", lambda pods: pods.create({**POD, "spec": float("nan")})),
    "a body with bytes": (r"obj\.spec", lambda pods: pods.update({**POD, "spec": b"x"})),
    "a body with a set": (r"obj\.spec", lambda pods: pods.apply({**POD, "spec": {1}}, field_manager="me")),
    "a patch that is text": ("body", lambda pods: pods.patch("a", "x")),
    "a condition without a name": ("condition", lambda pods: pods.wait("a", condition="=")),
    "an object without a name": ("name", lambda pods: pods.update({"apiVersion": "v1", "kind": "Pod"})),
}


@pytest.mark.parametrize("case", REFUSED)
def test_is_refused_before_anything_is_sent(server: ScriptedServer, client: dynkube.DynamicClient, case: str) -> None:
    names, call = REFUSED[case]
    with pytest.raises(dynkube.InvalidRequestError, match=names):
        call(client.resource(PODS).namespace("x"))
    assert server.requests == []


@pytest.mark.parametrize(
    "gvr",
    [
        GroupVersionResource("a/b", "v1", "pods"),
        GroupVersionResource("a", "v1/../..", "pods"),
        GroupVersionResource("", "..", "pods"),
        GroupVersionResource("", "v1", "po%2fds"),
        GroupVersionResource("", "v1", ""),
    ],
)
def test_a_resource_that_could_lead_elsewhere(
    server: ScriptedServer, client: dynkube.DynamicClient, gvr: GroupVersionResource
) -> None:
    with pytest.raises(dynkube.InvalidRequestError, match=r"group|version|resource"):
        client.resource(gvr).list()
    assert server.requests == []


def test_a_watch_frame_of_20_mib(server: ScriptedServer, client: dynkube.DynamicClient) -> None:
    server.reply_json({"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": "7"}, "items": []})
    server.stream(b'{"type":"ADDED","object":{"x":"', b"y" * (20 * 2**20), b'"}}\n')
    with client.resource(PODS).watch() as events, pytest.raises(dynkube.FrameTooLargeError, match="16777216 bytes"):
        next(events)
