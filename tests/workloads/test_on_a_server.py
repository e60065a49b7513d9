"""What needs a server that goes wrong on demand, or one on which workloads run."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest
from manifests import config_map, deployment

import dynkube
from dynkube import workloads
from dynkube.dynamic import DynamicClient, ResourceHandle
from dynkube.schema import GroupVersionKind
from dynkube.testing import AccessRule, APIServer, ServerFault


@pytest.fixture
def deployments(client: DynamicClient) -> ResourceHandle:
    return client.resource("deployments").namespace("default")


def on_a_node(client: DynamicClient, *names: str, **metadata: Any) -> ResourceHandle:
    """Pods with a controller on node ``n1``; their handle."""
    client.resource("nodes").create({"metadata": {"name": "n1"}})
    owner = client.resource("configmaps").namespace("default").create(config_map("owner"))
    reference = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "name": "owner",
        "uid": owner["metadata"]["uid"],
        "controller": True,
    }
    pods = client.resource("pods").namespace("default")
    for name in names:
        spec = {"nodeName": "n1", "containers": [{"name": "main", "image": "one"}]}
        pods.create({"metadata": {"name": name, "ownerReferences": [reference], **metadata}, "spec": spec})
    return pods


@pytest.mark.behaviour("8.11.3")
def test_a_rollout_from_its_start_to_the_way_back(deployments: ResourceHandle) -> None:
    deployments.create(deployment("web", replicas=2))
    assert workloads.rollout_status(deployments, "web", timeout=30).done
    workloads.rollout_restart(deployments, "web")
    assert workloads.rollout_status(deployments, "web", timeout=30).done
    assert workloads.scale(deployments, "web", 3, wait=True, timeout=30)["status"]["replicas"] == 3


@pytest.mark.behaviour("8.11.3")
def test_a_rollout_is_followed_across_what_the_network_and_the_server_do() -> None:
    with APIServer() as server, server.connect() as client:
        deployments = client.resource("deployments").namespace("default")
        deployments.create(deployment("web"))
        lines = workloads.watch_rollout(deployments, "web", timeout=60)
        assert not next(lines).done
        server.faults.inject(ServerFault.answer(503, retry_after=0), verb="watch", resource="deployments")
        server.expire_history()  # the version is gone from which it would be watched: the object is read anew
        numbers = {"replicas": 1, "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1}
        body = {"status": {"observedGeneration": 1, **numbers}}
        deployments.subresource("status").patch("web", body)
        assert [each.done for each in lines] == [True]


@pytest.mark.behaviour("8.11.5")
def test_a_scale_with_preconditions_is_tried_again_after_a_conflict(
    server: APIServer, deployments: ResourceHandle
) -> None:
    deployments.create(deployment("web", replicas=2))
    fault = server.faults.inject(ServerFault.answer(409, message="somebody was faster"), verb="update", name="web")
    assert workloads.scale(deployments, "web", 3, current_replicas=2)["spec"] == {"replicas": 3}
    assert fault.fired == 1
    workloads.scale(deployments, "web", 2)
    server.faults.inject(ServerFault.answer(409, message="somebody was faster"), verb="update", name="web", times=99)
    with pytest.raises(dynkube.DeadlineExceededError):
        workloads.scale(deployments, "web", 3, current_replicas=2, timeout=0.5)


class OlderServer:
    """Discovery of a server with evictions of that version, or without any."""

    def __init__(self, found: dynkube.DiscoveryClient, evictions: str) -> None:
        self._found = found
        self._evictions = evictions

    def server_resources_for_group_version(self, version: str, **options: Any) -> Any:
        found = self._found.server_resources_for_group_version(version, **options)
        kind = GroupVersionKind("policy", self._evictions, "Eviction")
        evictions = [replace(each, gvk=kind) for each in found if each.name == "pods/eviction" and self._evictions]
        return [*(each for each in found if each.name != "pods/eviction"), *evictions]

    def close(self) -> None:
        self._found.close()


@pytest.mark.behaviour("8.11.5")
def test_a_wait_for_a_scale_outlives_a_restart_of_the_server(server: APIServer, deployments: ResourceHandle) -> None:
    deployments.create(deployment("web", replicas=2))
    server.faults.inject(ServerFault.reset(), verb="get", subresource="scale", times=3)
    assert workloads.scale(deployments, "web", 3, wait=True, timeout=60)["status"]["replicas"] == 3


@pytest.mark.behaviour("8.5.2")
def test_a_server_without_evictions_is_asked_to_delete(server: APIServer, client: DynamicClient) -> None:
    on_a_node(client, "a")
    client.discovery = OlderServer(client.discovery, "")  # type: ignore[assignment]
    workloads.drain(client, "n1", grace_period_seconds=0, timeout=30)
    asked = [(each.verb, each.resource) for each in server.requests if each.resource.startswith("pods")]
    assert ("delete", "pods") in asked
    assert "create" not in [verb for verb, _ in asked[asked.index(("list", "pods")) :]]


@pytest.mark.behaviour("8.5.2")
def test_evictions_are_of_the_version_that_discovery_names(server: APIServer, client: DynamicClient) -> None:
    on_a_node(client, "a")
    client.discovery = OlderServer(client.discovery, "v1beta1")  # type: ignore[assignment]
    server.faults.inject(ServerFault.answer(404), verb="create", subresource="eviction")
    workloads.drain(client, "n1", grace_period_seconds=7, timeout=30)
    [sent] = [each for each in server.requests if each.subresource == "eviction"]
    assert sent.path == "/api/v1/namespaces/default/pods/a/eviction"
    assert sent.json() == {
        "apiVersion": "policy/v1beta1",
        "kind": "Eviction",
        "metadata": {"name": "a", "namespace": "default"},
        "deleteOptions": {"gracePeriodSeconds": 7},
    }


@pytest.mark.behaviour("8.5.3")
def test_each_pod_has_an_error_of_its_own_and_the_others_go(server: APIServer, client: DynamicClient) -> None:
    pods = on_a_node(client, "a", "b", "c")
    server.faults.inject(
        ServerFault.answer(500, message="a is broken"), verb="create", subresource="eviction", name="a"
    )
    server.faults.inject(ServerFault.answer(403, message="c may not be read"), verb="get", resource="pods", name="c")
    with pytest.raises(dynkube.DrainError) as failed:
        workloads.drain(client, "n1", grace_period_seconds=0, timeout=30)
    assert failed.value.pending == (("default", "a"), ("default", "c"))
    assert 'error when evicting pods/"a" -n "default": ' in str(failed.value)
    assert 'error when waiting for pod "c" in namespace "default" to terminate: ' in str(failed.value)
    assert [each["metadata"]["name"] for each in pods.list()] == ["a"]


@pytest.mark.behaviour("8.5.3")
@pytest.mark.parametrize("disable_eviction", [False, True])
def test_a_drain_outlives_a_restart_of_the_server(
    server: APIServer, client: DynamicClient, disable_eviction: bool
) -> None:
    pods = on_a_node(client, "a", finalizers=["test.example/held"])

    def release(*_args: object) -> None:
        pods.patch("a", {"metadata": {"finalizers": None}})

    # Nobody answers the first time it is looked whether the pod is gone, nor when that is repeated.
    server.faults.inject(ServerFault.reset(), verb="get", resource="pods", name="a", times=3)
    released = threading.Thread(
        target=lambda: (server.wait_for_request(verb="get", resource="pods", name="a"), release())
    )
    released.start()
    assert workloads.drain(
        client, "n1", grace_period_seconds=0, disable_eviction=disable_eviction, timeout=60
    ).pods == (("default", "a"),)
    released.join()


@pytest.mark.behaviour("8.5.3")
@pytest.mark.parametrize("at", ["request", "response"])
def test_an_eviction_that_nobody_answers_is_asked_for_again(server: APIServer, client: DynamicClient, at: Any) -> None:
    on_a_node(client, "a")
    server.faults.inject(ServerFault.reset(at=at), verb="create", subresource="eviction")
    told: list[str] = []
    workloads.drain(
        client, "n1", grace_period_seconds=0, retry_seconds=0.01, timeout=60,
        on_progress=lambda event: told.append(event.step.value),
    )  # fmt: skip
    assert told == ["cordoned", "evicting", "retrying", "evicting", "gone", "drained"]


@pytest.mark.behaviour("8.5.3")
def test_another_pod_that_takes_the_name_is_left_alone(server: APIServer, client: DynamicClient) -> None:
    """As of a StatefulSet, which may be on another node by then."""
    pods = on_a_node(client, "web-0")
    server.faults.inject(ServerFault.answer(429), verb="create", subresource="eviction")

    def replace_it(event: workloads.DrainEvent) -> None:
        if event.step is workloads.DrainStep.RETRYING:
            pods.delete("web-0", grace_period_seconds=0)
            pods.create({"metadata": {"name": "web-0"}, "spec": {"containers": [{"name": "main", "image": "one"}]}})

    workloads.drain(client, "n1", grace_period_seconds=0, retry_seconds=0.01, on_progress=replace_it, timeout=60)
    assert "deletionTimestamp" not in pods.get("web-0")["metadata"]
    assert len([each for each in server.requests if each.subresource == "eviction"]) == 1


@pytest.mark.behaviour("8.5.3")
def test_a_pod_that_is_gone_already_is_no_error(server: APIServer, client: DynamicClient) -> None:
    on_a_node(client, "a")
    gone = ServerFault.answer(404, message='pods "a" not found')
    server.faults.inject(gone, verb="create", subresource="eviction")
    assert workloads.drain(client, "n1", timeout=30).pods == (("default", "a"),)


@pytest.mark.behaviour("8.5.3")
def test_a_timeout_before_any_pod_was_seen_is_a_drains_too(server: APIServer, client: DynamicClient) -> None:
    on_a_node(client, "a")
    server.faults.inject(ServerFault.hang(), verb="list", resource="pods")
    with pytest.raises(dynkube.DrainTimeoutError) as late:
        workloads.drain(client, "n1", timeout=0.5)
    assert (late.value.node, late.value.pending) == ("n1", ())


@pytest.mark.behaviour("8.5.4")
def test_a_node_that_may_not_be_cordoned_is_not_drained(server: APIServer, client: DynamicClient) -> None:
    """kubectl tells that, and evicts all the same."""
    pods = on_a_node(client, "a")
    server.allow(AccessRule(user="reader", verbs=("get", "list"), resources=("nodes", "pods")))
    with server.connect(server.user("reader")) as reader, pytest.raises(dynkube.ForbiddenError):
        workloads.drain(reader, "n1", timeout=30)
    assert len(pods.list()) == 1


def test_kinds_that_may_not_be_listed_are_told(server: APIServer, client: DynamicClient) -> None:
    owner = client.resource("configmaps").namespace("default").create(config_map("owner"))
    child = config_map("child")
    child["metadata"]["ownerReferences"] = [
        {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner["metadata"]["uid"]}
    ]
    client.resource("configmaps").namespace("default").create(child)
    server.allow(AccessRule(user="reader", verbs=("list",), resources=("configmaps",)))
    with server.connect(server.user("reader")) as reader:
        found = workloads.children(reader, owner)
        tree = workloads.owner_tree(reader, owner)
    assert [each["metadata"]["name"] for each in found] == ["child"]
    assert isinstance(found.skipped["apps/v1, Resource=deployments"], dynkube.ForbiddenError)
    assert set(tree.skipped) == set(found.skipped)


def test_each_kind_is_listed_once_whatever_the_depth(server: APIServer, client: DynamicClient) -> None:
    owner = client.resource("configmaps").namespace("default").create(config_map("owner"))
    workloads.owner_tree(client, owner)
    listed = [(each.group, each.resource) for each in server.requests if each.verb == "list"]
    assert len(listed) == len(set(listed))
    assert ("", "events") not in listed
    assert ("", "nodes") not in listed  # nothing without a namespace is owned by what has one


def test_kinds_that_are_deprecated_are_looked_at_without_a_warning(server: APIServer, client: DynamicClient) -> None:
    owner = client.resource("configmaps").namespace("default").create(config_map("owner"))
    told: list[object] = []
    with DynamicClient(server.config, warnings=told.append) as listening:
        listening.resource("v1/endpoints").list()
        assert len(told) == 1
        workloads.owner_tree(listening, owner)
    assert len(told) == 1


@pytest.mark.behaviour("8.11.3")
@pytest.mark.parametrize("again", [False, True])
def test_a_deletion_that_the_watch_did_not_see_is_found_out(again: bool) -> None:
    with APIServer() as server, server.connect() as client:
        deployments = client.resource("deployments").namespace("default")
        deployments.create(deployment("web"))
        lines = workloads.watch_rollout(deployments, "web", timeout=60)
        next(lines)
        deployments.delete("web")
        if again:
            deployments.create(deployment("web"))
        server.expire_history()
        with pytest.raises(dynkube.RolloutError, match=r"^object has been deleted$"):
            next(lines)


@pytest.mark.behaviour("8.11.3")
def test_a_client_that_is_closed_ends_the_wait() -> None:
    with APIServer() as server, server.connect() as client:
        deployments = client.resource("deployments").namespace("default")
        deployments.create(deployment("web"))
        with pytest.raises(dynkube.ClosedError):
            workloads.rollout_status(deployments, "web", on_progress=lambda _status: client.close(), timeout=60)


@pytest.mark.behaviour("8.11.3")
@pytest.mark.parametrize("verb", [workloads.rollout_restart, workloads.rollout_pause, workloads.rollout_resume])
def test_what_a_kind_does_not_support(client: DynamicClient, verb: Any) -> None:
    jobs = client.resource("jobs").namespace("default")
    pod = {"containers": [{"name": "main", "image": "one"}], "restartPolicy": "Never"}
    jobs.create({"metadata": {"name": "once"}, "spec": {"template": {"spec": pod}}})
    with pytest.raises(
        dynkube.RolloutError, match=r'^jobs\.batch "once" (restarting|pausing|resuming) is not supported$'
    ):
        verb(jobs, "once")
    with pytest.raises(dynkube.RolloutError, match=r'^no history viewer has been implemented for "Job\.batch"$'):
        workloads.rollout_history(jobs, "once")
    config_maps = client.resource("configmaps").namespace("default")
    config_maps.create(config_map("x"))
    with pytest.raises(dynkube.RolloutError, match=r"no visitor method exists for \{ ConfigMap\}"):
        workloads.rollout_undo(config_maps, "x")


@pytest.mark.behaviour("8.11.3")
def test_a_revision_that_is_no_number_is_left_out_of_the_history(
    client: DynamicClient, deployments: ResourceHandle, caplog: pytest.LogCaptureFixture
) -> None:
    web = deployments.create(deployment("web"))
    owner = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "name": "web",
        "uid": web["metadata"]["uid"],
        "controller": True,
    }
    labels = {"app": "web"}
    for number in ("one", "2"):
        annotations = {"deployment.kubernetes.io/revision": number}
        metadata = {"name": f"rs-{number}", "labels": labels, "annotations": annotations, "ownerReferences": [owner]}
        spec = {"replicas": 0, "selector": {"matchLabels": labels}, "template": web["spec"]["template"]}
        client.resource("replicasets").namespace("default").create({"metadata": metadata, "spec": spec})
    assert [each.revision for each in workloads.rollout_history(deployments, "web")] == [2]
    assert "rs-one: its revision is no number" in caplog.text


def test_a_broken_api_is_told_and_the_others_are_looked_at(server: APIServer, client: DynamicClient) -> None:
    owner = client.resource("configmaps").namespace("default").create(config_map("owner"))
    with server.break_group("broken.example.com/v1"):
        tree = workloads.owner_tree(client, owner)
    assert "broken.example.com/v1" in tree.skipped


def test_a_circle_of_owners_is_followed_once(client: DynamicClient) -> None:
    config_maps = client.resource("configmaps").namespace("default")
    one, two = (config_maps.create(config_map(name)) for name in ("one", "two"))
    for child, owner in ((one, two), (two, one)):
        reference = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "name": owner["metadata"]["name"],
            "uid": owner["metadata"]["uid"],
        }
        config_maps.patch(child["metadata"]["name"], {"metadata": {"ownerReferences": [reference]}})
    tree = workloads.owner_tree(client, config_maps.get("one"), resources=["configmaps"])
    assert str(tree).splitlines() == [
        "ConfigMap/one",
        "  ConfigMap/two",
        "    ConfigMap/one",
        "      ConfigMap/two",
        "        ConfigMap/one",
    ]


@pytest.mark.parametrize(
    ("verbs", "groups", "resources", "work"),
    [
        (("get", "watch"), ("apps",), ("deployments",), lambda handle: workloads.rollout_status(handle, "web", timeout=30)),
        (("get", "patch"), ("apps",), ("deployments",), lambda handle: workloads.rollout_restart(handle, "web")),
        (("get", "patch"), ("apps",), ("deployments",), lambda handle: workloads.rollout_pause(handle, "web")),
        (("get", "list"), ("apps",), ("deployments", "replicasets"), lambda handle: workloads.rollout_history(handle, "web")),
        (("patch",), ("apps",), ("deployments/scale",), lambda handle: workloads.scale(handle, "web", 2)),
        (
            ("get", "update"), ("apps",), ("deployments/scale",),
            lambda handle: workloads.scale(handle, "web", 2, current_replicas=1, wait=True, timeout=30),
        ),
        (("get", "create"), ("", "apps"), ("deployments", "services"), lambda handle: workloads.expose(handle, "web", port=1)),
    ],
)  # fmt: skip
def test_a_verb_needs_no_more_rights_than_the_how_to_says(
    server: APIServer, client: DynamicClient, verbs: Any, groups: Any, resources: Any, work: Any
) -> None:
    client.resource("deployments").namespace("default").create(deployment("web"))
    server.allow(AccessRule(user="robot", verbs=verbs, api_groups=groups, resources=resources))
    with server.connect(server.user("robot")) as robot:
        work(robot.resource("deployments").namespace("default"))
