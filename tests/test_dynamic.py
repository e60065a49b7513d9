"""The dynamic client against a server that answers what no API server does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from scripted import HOLD, ScriptedServer

import dynkube
from dynkube import GroupVersion, GroupVersionKind, GroupVersionResource
from dynkube.resources import APIResource

PODS = GroupVersionResource("", "v1", "pods")


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


@pytest.fixture
def client(server: ScriptedServer) -> Iterator[dynkube.DynamicClient]:
    with dynkube.DynamicClient(dynkube.RESTConfig(host=server.url, namespace="home")) as client:
        yield client


def pod(name: str, **metadata: str) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, **metadata}}


def discovered(name: str, *, namespaced: bool) -> APIResource:
    core = GroupVersion("", "v1")
    return APIResource(name=name, group_version=core, gvk=GroupVersionKind("", "v1", "Thing"), namespaced=namespaced)


@pytest.mark.behaviour("10.1.4")
def test_a_discovered_resource_makes_a_handle_that_knows_its_scope(
    server: ScriptedServer, client: dynkube.DynamicClient
) -> None:
    for namespaced in (True, False):
        server.reply_json(pod("a"))
        client.resource(discovered("things", namespaced=namespaced)).get("a")
    assert [request.target for request in server.requests] == [
        "/api/v1/namespaces/home/things/a",
        "/api/v1/things/a",
    ]


@pytest.mark.behaviour("5.1.11")
def test_a_client_on_an_existing_rest_client(server: ScriptedServer) -> None:
    server.reply_json(pod("a"))
    config = dynkube.RESTConfig(host=server.url)
    rest = dynkube.RESTClient(config)
    with dynkube.DynamicClient(config, rest=rest) as client:
        assert client.rest is rest
        assert client.resource(PODS).namespace("x").get("a")["kind"] == "Pod"


@pytest.mark.behaviour("2.5.7")
def test_what_goes_over_the_wire(server: ScriptedServer, client: dynkube.DynamicClient) -> None:
    pods = client.resource(PODS).namespace("x")
    for _ in range(7):
        server.reply_json(pod("a"))
    pods.get("a")
    pods.create(pod("a"))
    pods.update(pod("a"))
    pods.patch("a", {"spec": {}})
    pods.apply(pod("a"), field_manager="me", force=True)
    pods.delete("a", grace_period_seconds=0)
    pods.subresource("eviction").create(pod("a"))
    lines = [(request.method, request.target) for request in server.requests]
    assert lines == [
        ("GET", "/api/v1/namespaces/x/pods/a"),
        ("POST", "/api/v1/namespaces/x/pods"),
        ("PUT", "/api/v1/namespaces/x/pods/a"),
        ("PATCH", "/api/v1/namespaces/x/pods/a"),
        ("PATCH", "/api/v1/namespaces/x/pods/a?fieldManager=me&force=true"),
        ("DELETE", "/api/v1/namespaces/x/pods/a"),
        ("POST", "/api/v1/namespaces/x/pods/a/eviction"),
    ]
    for request in server.requests:
        assert request.header("Accept") == ["application/json"]
        assert request.header("Accept-Encoding") == ["gzip"]
        assert request.body == b"" or request.body.endswith(b"\n")
    assert server.requests[5].body == b'{"kind":"DeleteOptions","apiVersion":"v1","gracePeriodSeconds":0}\n'


@pytest.mark.behaviour("5.5.3")
def test_metadata_of_a_server_that_sends_whole_objects(server: ScriptedServer, client: dynkube.DynamicClient) -> None:
    server.reply_json({**pod("a", uid="u"), "spec": {"large": True}})
    got = client.resource(PODS).namespace("x").metadata_only().get("a")
    assert got == {
        "apiVersion": "meta.k8s.io/v1",
        "kind": "PartialObjectMetadata",
        "metadata": {"name": "a", "uid": "u"},
    }


@pytest.mark.behaviour("5.5.3")
def test_metadata_of_what_is_no_object(server: ScriptedServer, client: dynkube.DynamicClient) -> None:
    server.reply_json({"kind": "Odd"})
    with pytest.raises(dynkube.DecodeError, match="ObjectMeta"):
        client.resource(PODS).metadata_only().get("a")


@pytest.mark.behaviour("5.1.5")
def test_items_of_a_mixed_list_keep_their_kind(server: ScriptedServer, client: dynkube.DynamicClient) -> None:
    items = [{"metadata": {"name": "a"}}, {"kind": "Other", "metadata": {"name": "b"}}]
    server.reply_json({"apiVersion": "v1", "kind": "List", "metadata": {}, "items": items})
    found = client.resource(PODS).list()
    assert [obj["kind"] for obj in found] == ["", "Other"]


def test_null_items_are_an_empty_list(server: ScriptedServer, client: dynkube.DynamicClient) -> None:
    server.reply_json({"apiVersion": "v1", "kind": "PodList", "metadata": {"resourceVersion": "7"}, "items": None})
    found = client.resource(PODS).list()
    assert (len(found), found.resource_version) == (0, "7")


@pytest.mark.behaviour("6.8")
def test_a_watch_is_a_list_and_then_a_watch(server: ScriptedServer, client: dynkube.DynamicClient) -> None:
    server.reply_json(
        {"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": "7"}, "items": [pod("a")]}
    )
    server.stream(b'{"type":"DELETED","object":{"metadata":{"name":"a","resourceVersion":"8"}}}\n')
    with client.resource(PODS).watch() as events:
        told = [next(events).type.value, next(events).type.value]
    assert told == ["ADDED", "DELETED"]
    assert "resourceVersion=7" in server.requests[1].target
    assert "allowWatchBookmarks=true" in server.requests[1].target


def test_a_list_slower_than_the_configurations_timeout_does_not_end_a_watch(server: ScriptedServer) -> None:
    server.reply(HOLD)
    server.reply_json({"kind": "PodList", "metadata": {"resourceVersion": "7"}, "items": [pod("a")]})
    config = dynkube.RESTConfig(host=server.url, timeout=0.2)
    with dynkube.DynamicClient(config) as client, client.resource(PODS).watch() as events:
        assert next(events).object["metadata"]["name"] == "a"


def test_a_table(server: ScriptedServer, client: dynkube.DynamicClient) -> None:
    server.reply_json({"kind": "Table", "columnDefinitions": [], "rows": []})
    assert client.resource(PODS).table()["kind"] == "Table"
    assert server.requests[0].header("Accept") == ["application/json;as=Table;g=meta.k8s.io;v=v1, application/json"]


@pytest.mark.parametrize("obj", [None, "text", 3, ["a"], b"{}"])
def test_what_is_no_object_is_never_sent(server: ScriptedServer, client: dynkube.DynamicClient, obj: object) -> None:
    pods = client.resource(PODS)
    for call in (pods.create, pods.update, lambda each: pods.apply(each, field_manager="me")):
        with pytest.raises(dynkube.InvalidRequestError, match="obj must be a dict"):
            call(obj)  # type: ignore[arg-type]
    assert server.requests == []


@pytest.mark.parametrize("missing", ["apiVersion", "kind"])
def test_an_apply_needs_its_type(server: ScriptedServer, client: dynkube.DynamicClient, missing: str) -> None:
    wanted = {key: value for key, value in pod("a").items() if key != missing}
    with pytest.raises(dynkube.InvalidRequestError, match=missing):
        client.resource(PODS).apply(wanted, field_manager="me")
    assert server.requests == []


def test_a_subresource_is_no_collection(server: ScriptedServer, client: dynkube.DynamicClient) -> None:
    status = client.resource(PODS).namespace("x").subresource("status")
    calls = [status.list, status.iter, status.table, status.delete_collection, status.watch, status.watch_once]
    for call in (*calls, lambda: status.wait("a", condition="Ready")):
        with pytest.raises(dynkube.InvalidRequestError, match="'status' is of one object"):
            call()  # type: ignore[operator]
    assert server.requests == []


def test_waiting_for_what_is_not_there_says_where_it_looked(
    server: ScriptedServer, client: dynkube.DynamicClient
) -> None:
    server.reply_json({"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": "7"}, "items": []})
    with pytest.raises(dynkube.NotFoundError, match=r"\[GET /api/v1/namespaces/x/pods/a\]"):
        client.resource(PODS).namespace("x").wait("a", condition="Ready")


def test_an_unknown_keyword_is_a_type_error(client: dynkube.DynamicClient) -> None:
    for verb in ("get", "list", "create", "update", "patch", "apply", "delete", "watch", "watch_once", "wait", "iter"):
        with pytest.raises(TypeError):
            getattr(client.resource(PODS), verb)(no_such_option=1)


def test_handles_are_values(client: dynkube.DynamicClient) -> None:
    one, other = client.resource(PODS).namespace("x"), client.resource(PODS).namespace("x")
    assert one == other
    assert hash(one) == hash(other)
    assert one != other.subresource("status")
    assert repr(one) == "ResourceHandle(v1/pods, namespace='x')"


def test_closing_a_client_ends_its_watch(server: ScriptedServer) -> None:
    client = dynkube.DynamicClient(dynkube.RESTConfig(host=server.url))
    client.close()
    with pytest.raises(dynkube.ClosedError), client.resource(PODS).watch() as events:
        next(events)


@pytest.mark.behaviour("2.7.11")
def test_a_client_takes_a_retry_policy():
    with ScriptedServer() as server:
        policy = dynkube.PersistentRetryPolicy(first_delay=0.01)
        with dynkube.DynamicClient(dynkube.RESTConfig(host=server.url), retry=policy) as client:
            for _ in range(2):
                server.reply_json({}, 503)
            server.reply_json({"kind": "Pod", "metadata": {"name": "a"}})
            pods = client.resource(dynkube.GroupVersionResource("", "v1", "pods")).namespace("shop")
            assert pods.get("a")["kind"] == "Pod"
            server.reply_json({}, 503)
            with pytest.raises(dynkube.ServiceUnavailableError):
                pods.create({"metadata": {"name": "a"}})
        assert len(server.requests) == 4
