"""Workloads on servers without controllers: a case plays them, by status and by ReplicaSets of its own."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from manifests import PODS, config_map, deployment, widget
from raw import RawClient

import dynkube
from dynkube import workloads
from dynkube.dynamic import DynamicClient, ResourceHandle
from dynkube.schema import GroupVersionResource

REVISION = "deployment.kubernetes.io/revision"
ROLLED_OUT = {"replicas": 2, "updatedReplicas": 2, "readyReplicas": 2, "availableReplicas": 2}
NODES = GroupVersionResource("", "v1", "nodes")


@pytest.fixture
def deployments(client: DynamicClient, namespace: str) -> ResourceHandle:
    return client.resource("deployments").namespace(namespace)


@pytest.fixture
def web(deployments: ResourceHandle) -> dict[str, Any]:
    return deployments.create(deployment("web", replicas=2))


def report(handle: ResourceHandle, name: str, **status: Any) -> dict[str, Any]:
    """Be its controller: the spec as it is now was seen, and this is what came of it."""
    generation = handle.get(name)["metadata"]["generation"]
    body = {"status": {"observedGeneration": generation, **status}}
    return handle.subresource("status").patch(name, body)


# ------------------------------------------------------------------ rollout status


@pytest.mark.behaviour("8.11.3")
def test_each_line_of_a_rollout_is_told_once_as_it_comes(deployments: ResourceHandle, web: dict[str, Any]) -> None:
    lines = workloads.watch_rollout(deployments, "web", timeout=60)
    assert str(next(lines)) == "Waiting for deployment spec update to be observed..."
    report(deployments, "web", replicas=2, updatedReplicas=1)
    assert str(next(lines)) == (
        'Waiting for deployment "web" rollout to finish: 1 out of 2 new replicas have been updated...'
    )
    deployments.patch("web", {"metadata": {"labels": {"no": "news"}}})
    report(deployments, "web", replicas=2, updatedReplicas=2, readyReplicas=2, availableReplicas=1)
    assert str(next(lines)) == (
        'Waiting for deployment "web" rollout to finish: 1 of 2 updated replicas are available...'
    )
    report(deployments, "web", **ROLLED_OUT)
    last = next(lines)
    assert (last.message, last.done) == ('deployment "web" successfully rolled out', True)
    assert last.object["status"]["availableReplicas"] == 2
    assert next(lines, None) is None


@pytest.mark.behaviour("8.11.3")
def test_the_whole_wait_tells_its_progress(deployments: ResourceHandle, web: dict[str, Any]) -> None:
    told: list[str] = []

    def progress(status: workloads.RolloutStatus) -> None:
        told.append(status.message)
        if len(told) == 1:
            report(deployments, "web", **ROLLED_OUT)

    last = workloads.rollout_status(deployments, "web", on_progress=progress, timeout=60)
    assert told == ["Waiting for deployment spec update to be observed...", last.message]


@pytest.mark.behaviour("8.11.3")
def test_another_object_of_that_name_is_not_followed(deployments: ResourceHandle, web: dict[str, Any]) -> None:
    lines = workloads.watch_rollout(deployments, "web", timeout=60)
    next(lines)
    deployments.delete("web")
    deployments.create(deployment("web"))
    with pytest.raises(dynkube.RolloutError, match=r"^object has been deleted$"):
        next(lines)


@pytest.mark.behaviour("8.11.3")
def test_a_rollout_that_fails_while_it_is_watched(deployments: ResourceHandle, web: dict[str, Any]) -> None:
    lines = workloads.watch_rollout(deployments, "web", timeout=60)
    next(lines)
    condition = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
    report(deployments, "web", conditions=[condition])
    with pytest.raises(dynkube.RolloutError, match=r'^deployment "web" exceeded its progress deadline$'):
        next(lines)


@pytest.mark.behaviour("8.11.3")
def test_a_rollout_takes_no_longer_than_its_timeout(deployments: ResourceHandle, web: dict[str, Any]) -> None:
    with pytest.raises(dynkube.DeadlineExceededError) as late:
        workloads.rollout_status(deployments, "web", timeout=2)
    assert str(late.value) == (
        "timed out waiting for the condition on deployments.apps/web after 2 s: "
        "Waiting for deployment spec update to be observed..."
    )
    token = dynkube.CancelToken()
    with pytest.raises(dynkube.CancelledError):
        workloads.rollout_status(deployments, "web", cancel=token, on_progress=lambda _status: token.cancel())


@pytest.mark.behaviour("8.11.3")
def test_what_can_be_no_revision(deployments: ResourceHandle) -> None:
    for call in (workloads.rollout_status, workloads.watch_rollout):
        with pytest.raises(dynkube.InvalidRequestError, match=r"^revision must be a positive integer: -1$"):
            call(deployments, "web", revision=-1)
    with pytest.raises(dynkube.InvalidRequestError, match=r"^revision must be a positive integer: 0"):
        workloads.rollout_revision(deployments, "web", 0)


# ------------------------------------------------------------------ restart, pause, resume


@pytest.mark.behaviour("8.11.3")
def test_a_second_restart_within_the_second_is_refused(deployments: ResourceHandle, web: dict[str, Any]) -> None:
    workloads.rollout_restart(deployments, "web")
    with pytest.raises(dynkube.RolloutError, match=r"^failed to create patch for web: if restart has already been"):
        for _ in range(1000):
            workloads.rollout_restart(deployments, "web")


@pytest.mark.behaviour("8.11.3")
def test_pause_and_resume(deployments: ResourceHandle, web: dict[str, Any]) -> None:
    assert workloads.rollout_pause(deployments, "web")["spec"]["paused"] is True
    with pytest.raises(dynkube.RolloutError, match=r'^deployments\.apps "web" is already paused$'):
        workloads.rollout_pause(deployments, "web")
    with pytest.raises(dynkube.RolloutError, match="can't restart paused deployment"):
        workloads.rollout_restart(deployments, "web")
    assert "paused" not in workloads.rollout_resume(deployments, "web")["spec"]
    with pytest.raises(dynkube.RolloutError, match=r'^deployments\.apps "web" is not paused$'):
        workloads.rollout_resume(deployments, "web")


# ------------------------------------------------------------------ history and undo


def owned_by(owner: dict[str, Any]) -> dict[str, Any]:
    reference = {key: owner[key] for key in ("apiVersion", "kind")}
    return reference | {"name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"], "controller": True}


@pytest.fixture
def revised(client: DynamicClient, deployments: ResourceHandle, namespace: str) -> dict[str, Any]:
    """A Deployment with three revisions; the third is the current one."""
    web = deployments.create(deployment("web"))
    replica_sets = client.resource("replicasets").namespace(namespace)
    for number, image in (("3", "registry.example/main:1"), ("1", "one"), ("2", "two")):
        template = copy.deepcopy(web["spec"]["template"])
        template["metadata"]["labels"]["pod-template-hash"] = f"h{number}"
        template["spec"]["containers"][0]["image"] = image
        annotations = {REVISION: number} | ({"kubernetes.io/change-cause": f"as {image}"} if number == "2" else {})
        labels = {"app": "web", "pod-template-hash": f"h{number}"}
        metadata = {
            "name": f"web-{number}",
            "labels": labels,
            "annotations": annotations,
            "ownerReferences": [owned_by(web)],
        }
        spec = {"replicas": 0, "selector": {"matchLabels": labels}, "template": template}
        replica_sets.create({"metadata": metadata, "spec": spec})
    foreign = {"name": "foreign", "labels": {"app": "web"}, "annotations": {REVISION: "9"}}
    spec = {"replicas": 0, "selector": {"matchLabels": {"app": "web"}}, "template": web["spec"]["template"]}
    replica_sets.create({"metadata": foreign, "spec": spec})
    return deployments.patch("web", {"metadata": {"annotations": {REVISION: "3", "mine": "yes"}}})


@pytest.mark.behaviour("8.11.3")
def test_the_history_of_a_deployment(deployments: ResourceHandle, revised: dict[str, Any]) -> None:
    found = workloads.rollout_history(deployments, "web")
    assert [(each.revision, each.change_cause) for each in found] == [(1, ""), (2, "as two"), (3, "")]
    assert found[1].object["metadata"]["name"] == "web-2"
    revision = workloads.rollout_revision(deployments, "web", 1)
    assert revision.template["spec"]["containers"][0]["image"] == "one"
    with pytest.raises(dynkube.RolloutError, match=r"^unable to find the specified revision$"):
        workloads.rollout_revision(deployments, "web", 9)


@pytest.mark.behaviour("8.11.3")
def test_the_way_back_of_a_deployment(deployments: ResourceHandle, revised: dict[str, Any]) -> None:
    tried = workloads.rollout_undo(deployments, "web", dry_run=True)
    assert image_of(tried.object) == "two"
    assert image_of(deployments.get("web")) == "registry.example/main:1"

    undone = workloads.rollout_undo(deployments, "web")
    assert (str(undone), undone.skipped, image_of(undone.object)) == ("rolled back", False, "two")
    labels = undone.object["spec"]["template"]["metadata"]["labels"]
    assert labels == {"app": "web"}
    annotations = undone.object["metadata"]["annotations"]
    assert annotations == {REVISION: "3", "kubernetes.io/change-cause": "as two"}

    again = workloads.rollout_undo(deployments, "web", to_revision=2)
    assert (again.message, again.skipped) == (
        "skipped rollback (current template already matches revision 2)", True,
    )  # fmt: skip


def image_of(obj: dict[str, Any]) -> str:
    return obj["spec"]["template"]["spec"]["containers"][0]["image"]


@pytest.mark.behaviour("8.11.3")
def test_undo_refuses(deployments: ResourceHandle, revised: dict[str, Any]) -> None:
    for revision in (7, -1):
        with pytest.raises(dynkube.RolloutError, match=rf"^unable to find specified revision {revision} in history$"):
            workloads.rollout_undo(deployments, "web", to_revision=revision)
    workloads.rollout_pause(deployments, "web")
    with pytest.raises(dynkube.RolloutError, match=r"^you cannot rollback a paused deployment; resume it first"):
        workloads.rollout_undo(deployments, "web")
    deployments.create(deployment("new"))
    with pytest.raises(dynkube.RolloutError, match=r'^no rollout history found for deployment "new"$'):
        workloads.rollout_undo(deployments, "new")
    with pytest.raises(dynkube.NotFoundError, match=r'deployments\.apps "gone" not found'):
        workloads.rollout_undo(deployments, "gone")


@pytest.mark.behaviour("8.11.3")
@pytest.mark.parametrize(("resource", "kind"), [("daemonsets", "DaemonSet"), ("statefulsets", "StatefulSet")])
def test_controller_revisions_are_a_history(client: DynamicClient, namespace: str, resource: str, kind: str) -> None:
    sets = client.resource(resource).namespace(namespace)
    spec = {key: value for key, value in deployment("db")["spec"].items() if key != "replicas"}
    db = sets.create({"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "db"}, "spec": spec})
    revisions = client.resource("controllerrevisions").namespace(namespace)
    with pytest.raises(dynkube.RolloutError, match=r"^no last revision to roll back to$"):
        workloads.rollout_undo(sets, "db")
    for number, image in ((2, "registry.example/main:1"), (1, "one")):
        template = copy.deepcopy(db["spec"]["template"]) | {"$patch": "replace"}
        template["spec"]["containers"][0]["image"] = image
        metadata = {"name": f"db-{number}", "labels": {"app": "db"}, "ownerReferences": [owned_by(db)]}
        revisions.create({"metadata": metadata, "revision": number, "data": {"spec": {"template": template}}})

    history = workloads.rollout_history(sets, "db")
    assert [(each.revision, each.template["spec"]["containers"][0]["image"]) for each in history] == [
        (1, "one"), (2, "registry.example/main:1"),
    ]  # fmt: skip
    assert "$patch" not in history[0].template
    assert workloads.rollout_undo(sets, "db", to_revision=2).skipped
    assert image_of(workloads.rollout_undo(sets, "db").object) == "one"


# ------------------------------------------------------------------ scale


@pytest.mark.behaviour("8.11.5", "5.6.1")
def test_scale_of_anything_that_has_it(
    deployments: ResourceHandle, web: dict[str, Any], widgets: ResourceHandle
) -> None:
    assert workloads.scale(deployments, "web", 5)["spec"] == {"replicas": 5}
    assert workloads.scale(deployments, "web", 7, dry_run=True)["spec"] == {"replicas": 7}
    assert deployments.get("web")["spec"]["replicas"] == 5

    made = widgets.create(widget("gear", replicas=1))
    scaled = workloads.scale(
        widgets, "gear", 0, current_replicas=1, resource_version=made["metadata"]["resourceVersion"]
    )
    assert scaled["spec"].get("replicas", 0) == 0
    assert widgets.get("gear")["spec"]["replicas"] == 0


@pytest.mark.behaviour("8.11.5")
def test_scale_expects(deployments: ResourceHandle, web: dict[str, Any]) -> None:
    with pytest.raises(dynkube.ScalePreconditionError) as refused:
        workloads.scale(deployments, "web", 5, current_replicas=3)
    assert str(refused.value) == "Expected replicas to be 3, was 2"
    assert (refused.value.precondition, refused.value.expected, refused.value.actual) == ("replicas", "3", "2")
    version = web["metadata"]["resourceVersion"]
    with pytest.raises(dynkube.ScalePreconditionError, match=rf"^Expected resource version to be 1, was {version}$"):
        workloads.scale(deployments, "web", 5, resource_version="1")
    for wrong in ({"replicas": -1}, {"replicas": 1, "current_replicas": -1}, {"replicas": True}):
        with pytest.raises(dynkube.InvalidRequestError, match="must be a number of pods, 0 or more"):
            workloads.scale(deployments, "web", **wrong)
    assert deployments.get("web")["spec"]["replicas"] == 2


@pytest.mark.behaviour("8.11.5")
def test_scale_waits_for_the_pods_to_be_there(deployments: ResourceHandle, web: dict[str, Any]) -> None:
    report(deployments, "web", replicas=4)
    assert workloads.scale(deployments, "web", 4, wait=True, timeout=60)["status"]["replicas"] == 4
    with pytest.raises(dynkube.DeadlineExceededError, match=r'^timed out waiting for "web" to be synced within 2 s$'):
        workloads.scale(deployments, "web", 6, wait=True, timeout=2)
    assert deployments.get("web")["spec"]["replicas"] == 6


# ------------------------------------------------------------------ nodes


@pytest.fixture
def node(client: DynamicClient, unique: str) -> Iterator[str]:
    client.resource(NODES).create({"metadata": {"name": unique}})
    yield unique
    client.resource(NODES).delete(unique)


@pytest.fixture
def add_pod(client: DynamicClient, namespace: str, node: str) -> Callable[..., dict[str, Any]]:
    """Put a pod onto the node; one with a controller unless it is said otherwise."""
    owner = client.resource("configmaps").namespace(namespace).create(config_map("owner"))

    def add(name: str, *, owned: bool = True, **metadata: Any) -> dict[str, Any]:
        references = {"ownerReferences": [owned_by(owner)]} if owned else {}
        spec = {"nodeName": node, "containers": [{"name": "main", "image": "one"}]}
        return (
            client.resource(PODS)
            .namespace(namespace)
            .create({"metadata": {"name": name, "labels": {"app": name}, **references, **metadata}, "spec": spec})
        )

    return add


@pytest.mark.behaviour("8.5.4")
def test_cordon_writes_only_what_changes(client: DynamicClient, node: str) -> None:
    nodes = client.resource("nodes")
    for verb, message, changed in (
        (workloads.uncordon, "already uncordoned", False),
        (workloads.cordon, "cordoned", True),
        (workloads.cordon, "already cordoned", False),
        (workloads.uncordon, "uncordoned", True),
    ):
        before = nodes.get(node)["metadata"]["resourceVersion"]
        result = verb(nodes, node)
        assert (str(result), result.changed) == (message, changed)
        assert (result.object["metadata"]["resourceVersion"] != before) is changed
    assert workloads.cordon(nodes, node, dry_run=True).changed
    assert "unschedulable" not in nodes.get(node)["spec"]


@pytest.mark.behaviour("8.5.2", "8.5.3")
@pytest.mark.parametrize("disable_eviction", [False, True])
def test_drain(client: DynamicClient, node: str, add_pod: Any, namespace: str, disable_eviction: bool) -> None:
    for name in ("a", "b"):
        add_pod(name)
    add_pod("bare", owned=False)
    told: list[tuple[str, str]] = []

    result = workloads.drain(
        client, node, force=True, grace_period_seconds=0, disable_eviction=disable_eviction, timeout=60,
        on_progress=lambda event: told.append((event.step.value, event.message)),
    )  # fmt: skip

    assert result.pods == ((namespace, "a"), (namespace, "b"), (namespace, "bare"))
    assert result.warnings == (f"deleting Pods that declare no controller: {namespace}/bare",)
    assert told[0] == ("cordoned", f"node/{node} cordoned")
    assert told[1] == ("warning", f"Warning: deleting Pods that declare no controller: {namespace}/bare")
    assert told[-1] == ("drained", f"node/{node} drained")
    word = "deleted" if disable_eviction else "evicted"
    assert {each for each in told if each[0] == "gone"} == {
        ("gone", f"pod/{name} {word}") for name in ("a", "b", "bare")
    }
    assert len(client.resource("pods").namespace(namespace).list()) == 0
    assert client.resource(NODES).get(node)["spec"]["unschedulable"] is True


@pytest.mark.behaviour("8.5.1", "8.5.5")
def test_what_a_drain_would_do(client: DynamicClient, node: str, add_pod: Any, namespace: str) -> None:
    for name in ("a", "b"):
        add_pod(name)
    add_pod("bare", owned=False)
    plan = workloads.plan_drain(client, node, chunk_size=1)
    refused = f"cannot delete Pods that declare no controller (use --force to override): {namespace}/bare"
    assert ([each["metadata"]["name"] for each in plan.pods], plan.errors) == (["a", "b"], (refused,))
    assert "unschedulable" not in client.resource(NODES).get(node)["spec"]
    assert not workloads.plan_drain(client, node, pod_selector="app!=bare").errors

    with pytest.raises(dynkube.DrainError) as error:
        workloads.drain(client, node)
    assert (str(error.value), error.value.node, error.value.errors) == (refused, node, (refused,))

    dry = workloads.drain(client, node, force=True, dry_run=True)
    assert [name for _, name in dry.pods] == ["a", "b", "bare"]
    assert len(client.resource("pods").namespace(namespace).list()) == 3


@pytest.mark.behaviour("8.5.3")
def test_a_disruption_budget_is_asked_until_it_lets_go(
    client: DynamicClient, node: str, add_pod: Any, namespace: str
) -> None:
    pods = client.resource("pods").namespace(namespace)
    add_pod("web")
    pods.subresource("status").patch(
        "web", {"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}}
    )
    budgets = client.resource("poddisruptionbudgets").namespace(namespace)
    spec = {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}}
    budgets.create({"metadata": {"name": "guard"}, "spec": spec})

    def allow(number: int) -> None:
        budgets.subresource("status").patch(
            "guard",
            {
                "status": {
                    "observedGeneration": 1, "disruptionsAllowed": number, "currentHealthy": 1, "desiredHealthy": 1 - number,
                    "expectedPods": 1,
                }
            },
        )  # fmt: skip

    allow(0)
    told: list[workloads.DrainEvent] = []

    def progress(event: workloads.DrainEvent) -> None:
        told.append(event)
        if event.step is workloads.DrainStep.RETRYING:
            allow(1)

    workloads.drain(client, node, grace_period_seconds=0, retry_seconds=0.01, on_progress=progress, timeout=60)

    assert [event.step.value for event in told] == ["cordoned", "evicting", "retrying", "evicting", "gone", "drained"]
    assert told[2].message == (
        f'error when evicting pods/"web" -n "{namespace}" (will retry after 0.01s): '
        "Cannot evict pod as it would violate the pod's disruption budget."
    )
    assert isinstance(told[2].error, dynkube.TooManyRequestsError)


@pytest.mark.behaviour("8.5.3")
def test_a_namespace_that_ends_takes_no_evictions(client: DynamicClient, node: str, unique: str) -> None:
    """Without controllers its pods stay there: they are asked for again until somebody deletes them."""
    namespaces, pods = client.resource("namespaces"), client.resource("pods").namespace(f"{unique}-ends")
    namespaces.create({"metadata": {"name": f"{unique}-ends"}})
    spec = {"nodeName": node, "containers": [{"name": "main", "image": "one"}]}
    pods.create({"metadata": {"name": "web", "finalizers": ["test.example/held"]}, "spec": spec})
    namespaces.delete(f"{unique}-ends")

    def progress(event: workloads.DrainEvent) -> None:
        if event.step is workloads.DrainStep.RETRYING:
            assert "from terminating namespace" in event.message
            pods.delete("web")

    with pytest.raises(dynkube.DrainTimeoutError, match='error when waiting for pod "web" in namespace'):
        workloads.drain(client, node, force=True, retry_seconds=0.01, on_progress=progress, timeout=4)

    pods.delete("web", grace_period_seconds=0)
    pods.patch("web", {"metadata": {"finalizers": None}})


@pytest.mark.behaviour("8.5.3")
@pytest.mark.parametrize("disable_eviction", [False, True])
def test_pods_that_do_not_end_in_time(
    client: DynamicClient, node: str, add_pod: Any, namespace: str, disable_eviction: bool
) -> None:
    add_pod("slow", finalizers=["test.example/held"])
    with pytest.raises(dynkube.DrainTimeoutError) as late:
        workloads.drain(client, node, disable_eviction=disable_eviction, grace_period_seconds=0, timeout=2)
    assert late.value.pending == ((namespace, "slow"),)
    assert isinstance(late.value, dynkube.DeadlineExceededError)
    assert str(late.value).endswith("context deadline exceeded")
    client.resource("pods").namespace(namespace).patch("slow", {"metadata": {"finalizers": None}})


@pytest.mark.behaviour("8.5.3")
def test_another_pod_of_that_name_is_another_pod(
    client: DynamicClient, node: str, add_pod: Any, namespace: str
) -> None:
    pods = client.resource("pods").namespace(namespace)
    add_pod("web", finalizers=["test.example/held"])

    def replace(filtered: Any) -> workloads.PodDecision:
        pods.patch("web", {"metadata": {"finalizers": None}})
        pods.delete("web", grace_period_seconds=0)
        add_pod("web")
        return workloads.PodDecision()

    result = workloads.drain(client, node, disable_eviction=True, filters=[replace], timeout=60)
    assert result.pods == ((namespace, "web"),)
    pods.delete("web", grace_period_seconds=0)


@pytest.mark.behaviour("8.5.3")
def test_a_drain_is_cancelled_and_a_broken_callback_ends_it(
    client: DynamicClient, node: str, add_pod: Any, namespace: str
) -> None:
    add_pod("slow", finalizers=["test.example/held"])
    token = dynkube.CancelToken()

    def stop(event: workloads.DrainEvent) -> None:
        if event.step is workloads.DrainStep.EVICTING:
            token.cancel()

    with pytest.raises(dynkube.CancelledError):
        workloads.drain(client, node, grace_period_seconds=0, on_progress=stop, cancel=token)

    def broken(event: workloads.DrainEvent) -> None:
        if event.step is workloads.DrainStep.EVICTING:
            raise ZeroDivisionError("a callback")

    with pytest.raises(ZeroDivisionError):
        workloads.drain(client, node, grace_period_seconds=0, on_progress=broken)
    client.resource("pods").namespace(namespace).patch("slow", {"metadata": {"finalizers": None}})


def test_options_of_a_drain_that_make_no_sense(client: DynamicClient) -> None:
    for options in ({"chunk_size": 0}, {"retry_seconds": 0}, {"pod_selector": "a in b"}, {"timeout": -1}):
        with pytest.raises(dynkube.InvalidRequestError):
            workloads.drain(client, "nope", **options)
    with pytest.raises(dynkube.NotFoundError, match='nodes "nope" not found'):
        workloads.drain(client, "nope")


# ------------------------------------------------------------------ expose


@pytest.mark.behaviour("8.11.6")
def test_expose(deployments: ResourceHandle, web: dict[str, Any], client: DynamicClient, namespace: str) -> None:
    service = workloads.expose(deployments, "web", port=80, target_port=8080)
    assert (service["metadata"]["name"], service["spec"]["selector"]) == ("web", {"app": "web"})
    assert service["spec"]["ports"] == [{"port": 80, "protocol": "TCP", "targetPort": 8080}]
    with pytest.raises(dynkube.AlreadyExistsError):
        workloads.expose(deployments, "web", port=80)
    again = workloads.expose(
        client.resource("services").namespace(namespace), "web", service_name="more", port=[81, 82]
    )
    assert [each["name"] for each in again["spec"]["ports"]] == ["port-1", "port-2"]
    assert workloads.expose(deployments, "web", port=1, service_name="dry", dry_run=True)["metadata"]["name"] == "dry"
    with pytest.raises(dynkube.ExposeError, match=r"^couldn't find port via --port flag or introspection$"):
        workloads.expose(deployments, "web", service_name="none")


# ------------------------------------------------------------------ owners


@pytest.fixture
def family(client: DynamicClient, namespace: str, widgets: ResourceHandle) -> dict[str, dict[str, Any]]:
    """A Widget owns a ConfigMap and a Deployment, the Deployment a ReplicaSet, that one two Pods."""
    gear = widgets.create(widget("gear"))
    settings = config_map("settings")
    settings["metadata"]["ownerReferences"] = [owned_by(gear)]
    made = {"gear": gear, "settings": client.resource("configmaps").namespace(namespace).create(settings)}
    web = deployment("web", replicas=0)
    web["metadata"]["ownerReferences"] = [owned_by(gear)]
    made["web"] = client.resource("deployments").namespace(namespace).create(web)
    labels = {"app": "web"}
    metadata = {"name": "web-1", "labels": labels, "ownerReferences": [owned_by(made["web"])]}
    spec = {"replicas": 0, "selector": {"matchLabels": labels}, "template": web["spec"]["template"]}
    made["web-1"] = client.resource("replicasets").namespace(namespace).create({"metadata": metadata, "spec": spec})
    for name in ("one", "two"):
        body = {
            "metadata": {"name": name, "labels": labels, "ownerReferences": [owned_by(made["web-1"])]},
            "spec": web["spec"]["template"]["spec"],
        }
        made[name] = client.resource("pods").namespace(namespace).create(body)
    client.discovery.invalidate()  # the Widgets are new, and a miss asks the server once a second at most
    return made


def test_children_of_any_kind(client: DynamicClient, family: dict[str, dict[str, Any]]) -> None:
    found = workloads.children(client, family["gear"])
    assert [(each["kind"], each["metadata"]["name"]) for each in found] == [
        ("ConfigMap", "settings"),
        ("Deployment", "web"),
    ]
    assert found[1]["apiVersion"] == "apps/v1"
    assert "spec" not in found[1]
    pods = workloads.children(client, family["web-1"], resources=["pods"])
    assert [each["metadata"]["name"] for each in pods] == ["one", "two"]
    assert workloads.children(client, family["one"], resources=["pods", "replicasets"]) == ()


def test_the_tree_above_and_below(client: DynamicClient, family: dict[str, dict[str, Any]]) -> None:
    assert str(workloads.owner_tree(client, family["web-1"])).splitlines() == [
        "Widget/gear",
        "  Deployment/web",
        "    ReplicaSet/web-1",
        "      Pod/one",
        "      Pod/two",
    ]
    tree = workloads.owner_tree(client, family["one"], resources=())
    assert tree.owners[0].owners[0].owners[0].object["metadata"]["uid"] == family["gear"]["metadata"]["uid"]
    assert tree.children == ()


def test_owners_that_are_not_there(client: DynamicClient, namespace: str, family: dict[str, dict[str, Any]]) -> None:
    """Of an object as a caller holds it: the server need not have it."""
    child = copy.deepcopy(family["settings"])
    other = owned_by(family["web"]) | {"uid": "of-another", "controller": False}
    strange = {"apiVersion": "nope.example/v1", "kind": "Nope", "name": "x", "uid": "y"}
    child["metadata"]["ownerReferences"] += [other, strange]
    tree = workloads.owner_tree(client, child, resources=())
    assert [(each.object["kind"], each.missing) for each in tree.owners] == [
        ("Widget", False), ("Deployment", True), ("Nope", True),
    ]  # fmt: skip
    assert isinstance(tree.skipped["Nope/x"], dynkube.NoMatchError)
    assert str(tree).splitlines()[0] == "Widget/gear, Deployment/web (missing), Nope/x (missing)"


def test_what_cannot_be_looked_for(client: DynamicClient, raw: RawClient) -> None:
    with pytest.raises(dynkube.InvalidRequestError, match=r"has no metadata\.uid"):
        workloads.children(client, config_map("new"))
    settings = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", "uid": "y"}}
    with pytest.raises(dynkube.NoMatchError):
        workloads.children(client, settings, resources=["nope"])
    with pytest.raises(dynkube.InvalidRequestError, match="must be several names"):
        workloads.owner_tree(client, settings, resources="pods")
    token = dynkube.CancelToken()
    threading.Thread(target=token.cancel).start()
    token.wait(30)
    with pytest.raises(dynkube.CancelledError):
        workloads.children(client, settings, cancel=token)
