"""Every row of 8.5 and 8.11.3, and of scale and expose, with kubectl and with dynkube on equal objects.

The requests (from the audit log), the end state and the words of a refusal are equal. kubectl reads some objects that
dynkube need not read, to know their kind or to print them: a case names those reads.
"""

from __future__ import annotations

import dataclasses
import itertools
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from beside import AUDIT_POLICY, AuditLog, Beside, Done, assert_equal

import dynkube
from dynkube import workloads
from dynkube.dynamic import DynamicClient, ResourceHandle
from dynkube.testing import ControlPlane

pytestmark = pytest.mark.controlplane

_numbers = itertools.count(1)
KINDS = {
    "deployments": "Deployment",
    "statefulsets": "StatefulSet",
    "daemonsets": "DaemonSet",
    "replicasets": "ReplicaSet",
}
ROLLED_OUT = ("deployments", "statefulsets", "daemonsets")


@pytest.fixture(scope="module")
def audit(tmp_path_factory: pytest.TempPathFactory) -> AuditLog:
    folder = tmp_path_factory.mktemp("audit")
    (folder / "policy.yaml").write_text(AUDIT_POLICY)
    (folder / "audit.log").touch()
    return AuditLog(folder / "audit.log")


@pytest.fixture(scope="module")
def plane(audit: AuditLog) -> Iterator[ControlPlane]:
    flags = (
        f"--audit-log-path={audit.path}",
        f"--audit-policy-file={audit.path.with_name('policy.yaml')}",
        "--disable-admission-plugins=ServiceAccount",
    )
    with ControlPlane(controller_manager=True, test_node=True, api_server_args=flags) as plane:
        yield plane


@pytest.fixture(scope="module")
def client(plane: ControlPlane) -> Iterator[DynamicClient]:
    """The client whose requests are compared."""
    with plane.connect() as client:
        yield client


@pytest.fixture(scope="module")
def tools(plane: ControlPlane) -> Iterator[DynamicClient]:
    """What a case meddles with meanwhile; by its User-Agent its requests are not taken for dynkube's."""
    config = dynkube.load_config(kubeconfig=plane.kubeconfig)
    with DynamicClient(dataclasses.replace(config, user_agent="meddler")) as client:
        yield client


@pytest.fixture
def beside(plane: ControlPlane, client: DynamicClient, tools: DynamicClient, audit: AuditLog) -> Iterator[Beside]:
    beside = Beside(plane, client, tools, audit, f"pair{next(_numbers)}")
    beside.each(lambda name: client.resource("namespaces").create({"metadata": {"name": name}}))
    yield beside
    beside.each(lambda name: client.resource("namespaces").delete(name))


# ------------------------------------------------------------------ objects


def workload(resource: str, name: str, namespace: str, *, replicas: int = 0, **spec: Any) -> dict[str, Any]:
    """One without pods unless replicas are asked for: most rows are about its template alone."""
    labels = {"app": name}
    container = {"name": "main", "image": "one", "ports": [{"containerPort": 8080}]}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container], "terminationGracePeriodSeconds": 0}}
    sizes: dict[str, Any] = {"replicas": replicas}
    if resource == "daemonsets":
        sizes = {} if replicas else {"_selector": {"no": "node"}}
    if "_selector" in sizes:
        template["spec"]["nodeSelector"] = sizes.pop("_selector")
    return {
        "apiVersion": "apps/v1",
        "kind": KINDS[resource],
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {"selector": {"matchLabels": labels}, "template": template, **sizes, **spec},
    }


def handle(client: DynamicClient, resource: str) -> Callable[[str], ResourceHandle]:
    return lambda namespace: client.resource(resource).namespace(namespace)


def create(beside: Beside, resource: str, *, replicas: int = 0, **spec: Any) -> Callable[[str], ResourceHandle]:
    """One named ``web`` for each; returns what gives its handle in a namespace."""
    of = handle(beside.client, resource)
    beside.each(lambda name: of(name).create(workload(resource, "web", name, replicas=replicas, **spec)))
    return of


def wait_for(handle: ResourceHandle, name: str, done: Callable[[Mapping[str, Any]], object]) -> dict[str, Any]:
    with handle.watch(field_selector=f"metadata.name={name}", timeout=60) as events:
        return next(event.object for event in events if event.type != "DELETED" and done(event.object))


def wait_observed(beside: Beside, of: Callable[[str], ResourceHandle]) -> None:
    """The controller has kept the template as a revision."""

    def observed(obj: Mapping[str, Any]) -> bool:
        return obj.get("status", {}).get("observedGeneration") == obj["metadata"]["generation"]

    beside.each(lambda name: wait_for(of(name), "web", observed))


def settled_states(beside: Beside, of: Callable[[str], ResourceHandle]) -> list[str]:
    """Both objects when their controllers have seen them, and written what they write."""
    wait_observed(beside, of)
    return beside.states(lambda name: of(name).get("web"))


def change_image(beside: Beside, of: Callable[[str], ResourceHandle], image: str) -> None:
    cause = {"metadata": {"annotations": {"kubernetes.io/change-cause": f"image {image}"}}}
    template = {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": image}]}}}}
    beside.each(lambda name: of(name).patch("web", cause | template, type=dynkube.PatchType.STRATEGIC))
    wait_observed(beside, of)


# ------------------------------------------------------------------ rollouts


@pytest.mark.behaviour("8.11.3")
@pytest.mark.parametrize("resource", ROLLED_OUT)
def test_restart(beside: Beside, resource: str) -> None:
    of = create(beside, resource)

    def restart(name: str) -> object:
        return workloads.rollout_restart(of(name), "web", field_manager="kubectl-rollout")["kind"]

    kubectl, ours = beside.both(f"rollout restart {resource}/web", restart)

    assert_equal(kubectl, ours)
    assert [each.verb for each in ours.requests] == ["get", "patch"]
    theirs, own = settled_states(beside, of)
    assert own == theirs
    assert "kubectl.kubernetes.io/restartedAt" in own


@pytest.mark.behaviour("8.11.3")
def test_restart_is_refused_while_paused(beside: Beside) -> None:
    of = create(beside, "deployments", paused=True)
    assert_equal(*beside.both("rollout restart deployment/web", lambda n: workloads.rollout_restart(of(n), "web")))


@pytest.mark.behaviour("8.11.3")
@pytest.mark.parametrize(
    ("verb", "resource"),
    [("restart", "replicasets"), ("pause", "daemonsets"), ("pause", "statefulsets"), ("resume", "statefulsets")],
)
def test_what_a_kind_does_not_support(beside: Beside, resource: str, verb: str) -> None:
    of = create(beside, resource)
    call = getattr(workloads, f"rollout_{verb}")
    kubectl, ours = beside.both(f"rollout {verb} {resource}/web", lambda n: call(of(n), "web"))
    assert_equal(kubectl, ours)
    assert ours.err.endswith("is not supported")


@pytest.mark.behaviour("8.11.3")
def test_pause_and_resume(beside: Beside) -> None:
    of = create(beside, "deployments")
    calls = {"pause": workloads.rollout_pause, "resume": workloads.rollout_resume}
    for verb in ("resume", "pause", "pause", "resume"):
        kubectl, ours = beside.both(
            f"rollout {verb} deployment/web",
            lambda n, verb=verb: calls[verb](of(n), "web", field_manager="kubectl-rollout")["kind"],
        )
        assert_equal(kubectl, ours)
        theirs, own = settled_states(beside, of)
        assert own == theirs


@pytest.mark.behaviour("8.11.3")
@pytest.mark.parametrize("resource", ROLLED_OUT)
def test_history_and_the_way_back(beside: Beside, resource: str) -> None:
    of = create(beside, resource)
    wait_observed(beside, of)
    change_image(beside, of, "two")
    change_image(beside, of, "three")

    kubectl, ours = beside.both(
        f"rollout history {resource}/web", lambda n: table(workloads.rollout_history(of(n), "web"))
    )
    assert_equal(kubectl, ours)
    assert kubectl.out.partition("\n")[2].strip() == ours.out
    assert "image three" in ours.out

    kubectl, ours = beside.both(
        f"rollout history {resource}/web --revision=2",
        lambda n: workloads.rollout_revision(of(n), "web", 2).template["spec"]["containers"][0]["image"],
    )
    assert_equal(kubectl, ours)
    assert (ours.out, "Image:\ttwo" in kubectl.out) == ("two", True)
    assert_equal(
        *beside.both(
            f"rollout history {resource}/web --revision=9", lambda n: workloads.rollout_revision(of(n), "web", 9)
        )
    )

    for options, revision, dry_run in (
        ("--dry-run=server", 0, True), ("", 0, False), ("--to-revision=1", 1, False), ("--to-revision=5", 5, False),
        ("--to-revision=77", 77, False), ("--to-revision=-1", -1, False),
    ):  # fmt: skip
        kubectl, ours = beside.both(
            f"rollout undo {resource}/web {options}",
            lambda n, revision=revision, dry_run=dry_run: workloads.rollout_undo(
                of(n), "web", to_revision=revision, dry_run=dry_run
            ),
        )
        assert_equal(kubectl, ours)
        assert ours.out in kubectl.out
        theirs, own = settled_states(beside, of)
        assert own == theirs


def table(history: tuple[workloads.Revision, ...]) -> str:
    rows = [f"{each.revision:<8}  {each.change_cause or '<none>'}" for each in history]
    return "\n".join(["REVISION  CHANGE-CAUSE", *rows])


@pytest.mark.behaviour("8.11.3")
def test_undo_is_refused_while_paused_and_without_a_history(beside: Beside) -> None:
    of = create(beside, "deployments")
    wait_observed(beside, of)
    undo = lambda n: workloads.rollout_undo(of(n), "web")  # noqa: E731
    assert_equal(*beside.both("rollout undo deployment/web", undo))
    change_image(beside, of, "two")
    beside.each(lambda name: of(name).patch("web", {"spec": {"paused": True}}))
    kubectl, ours = beside.both("rollout undo deployment/web", undo)
    assert_equal(kubectl, ours)
    assert "paused" in ours.err


@pytest.mark.behaviour("8.11.3")
def test_undo_warns_of_what_kubectl_apply_manages(beside: Beside) -> None:
    of = create(beside, "deployments")
    applied = {"metadata": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}"}}}
    beside.each(lambda name: of(name).patch("web", applied))
    wait_observed(beside, of)
    change_image(beside, of, "two")
    kubectl, ours = beside.both("rollout undo deployment/web", lambda n: workloads.rollout_undo(of(n), "web").warning)
    assert_equal(kubectl, ours)
    assert kubectl.err.strip() == f"Warning: {ours.out}"


@pytest.mark.behaviour("8.11.3")
@pytest.mark.parametrize("resource", ["replicasets", "configmaps", "pods"])
@pytest.mark.parametrize("verb", ["undo", "history", "status"])
def test_rollouts_of_what_has_none(beside: Beside, resource: str, verb: str) -> None:
    of = handle(beside.client, resource)
    if resource == "replicasets":
        create(beside, resource)
    elif resource == "configmaps":
        beside.each(lambda name: of(name).create({"metadata": {"name": "web"}}))
    else:
        beside.each(lambda name: of(name).create(pod("web", name, None)))
    call = getattr(workloads, f"rollout_{verb}")
    assert_equal(*beside.both(f"rollout {verb} {resource}/web", lambda n: call(of(n), "web")))


@pytest.mark.behaviour("8.11.3")
@pytest.mark.parametrize("verb", ["restart", "pause", "resume", "undo", "history", "status"])
def test_rollouts_of_nothing(beside: Beside, verb: str) -> None:
    of = handle(beside.client, "deployments")
    call = getattr(workloads, f"rollout_{verb}")
    kubectl, ours = beside.both(f"rollout {verb} deployment/nope", lambda n: call(of(n), "nope"))
    # kubectl goes on to look whether there is such a namespace.
    assert_equal(kubectl, ours, only_kubectl=["get /namespaces/<own>"])
    assert isinstance(ours.error, dynkube.NotFoundError)


@pytest.mark.behaviour("8.11.3")
@pytest.mark.parametrize("resource", ROLLED_OUT)
def test_status_follows_a_rollout_to_its_end(beside: Beside, resource: str) -> None:
    of = create(beside, resource, replicas=2)
    told: list[str] = []

    def follow(name: str) -> object:
        return workloads.rollout_status(of(name), "web", on_progress=lambda each: told.append(each.message), timeout=90)

    kubectl, ours = beside.both(f"rollout status {resource}/web --timeout=90s", follow)

    assert (kubectl.status, ours.status) == (0, 0)
    assert kubectl.out.splitlines()[-1] == ours.out == told[-1]
    assert [each.verb for each in ours.requests] in (["get", "watch"], ["get"])  # kubectl watches what is done, too
    assert set(ours.requests) <= set(kubectl.requests)

    kubectl, ours = beside.both(f"rollout status {resource}/web", follow)
    assert_equal(kubectl, ours, only_kubectl=[f"watch /{resource}"])
    assert kubectl.out.splitlines() == [ours.out]


@pytest.mark.behaviour("8.11.3")
def test_status_of_a_rollout_that_fails(beside: Beside) -> None:
    of = create(beside, "deployments", replicas=1, progressDeadlineSeconds=2, minReadySeconds=1)
    # A pod that its quota does not allow never comes.
    beside.each(
        lambda name: beside.client.resource("resourcequotas").create(
            {"metadata": {"name": "none", "namespace": name}, "spec": {"hard": {"pods": "0"}}}
        )
    )
    change_image(beside, of, "two")
    beside.each(lambda name: of(name).patch("web", {"spec": {"replicas": 5}}))

    kubectl, ours = beside.both(
        "rollout status deployment/web --timeout=60s", lambda n: workloads.rollout_status(of(n), "web", timeout=60)
    )

    assert ours.refusal == kubectl.refusal == ['deployment "web" exceeded its progress deadline']
    assert isinstance(ours.error, dynkube.RolloutError)


@pytest.mark.behaviour("8.11.3")
def test_status_of_what_is_deleted_meanwhile_and_in_time(beside: Beside) -> None:
    of = create(beside, "deployments", replicas=1, paused=True)
    of_sets = create(beside, "statefulsets", updateStrategy={"type": "OnDelete"})
    assert_equal(
        *beside.both("rollout status statefulset/web", lambda n: workloads.rollout_status(of_sets(n), "web")),
        only_kubectl=["watch /statefulsets"],
    )
    assert_equal(
        *beside.both(
            "rollout status deployment/web --revision=7", lambda n: workloads.rollout_status(of(n), "web", revision=7)
        ),
        only_kubectl=["watch /deployments"],
    )
    beside.each(
        lambda name: beside.client.resource("deployments").namespace(name).patch("web", {"spec": {"replicas": 3}})
    )

    kubectl, ours = beside.both(
        "rollout status deployment/web --timeout=4s", lambda n: workloads.rollout_status(of(n), "web", timeout=4)
    )
    assert kubectl.refusal == ["timed out waiting for the condition"]
    assert ours.err.startswith("timed out waiting for the condition on deployments.apps/web after 4 s: Waiting for")
    assert isinstance(ours.error, dynkube.DeadlineExceededError)
    assert ours.requests == kubectl.requests

    meddler = handle(beside.tools, "deployments")
    deleting = beside.when_sent("watch", "name%3Dweb", lambda name: meddler(name).delete("web"))
    kubectl, ours = beside.both(
        "rollout status deployment/web --timeout=60s", lambda n: workloads.rollout_status(of(n), "web", timeout=60)
    )
    deleting.join()
    assert ours.refusal == kubectl.refusal == ["object has been deleted"]


# ------------------------------------------------------------------ scale


@pytest.mark.behaviour("8.11.5")
@pytest.mark.parametrize("resource", ["deployments", "statefulsets", "replicasets"])
def test_scale(beside: Beside, resource: str) -> None:
    of = create(beside, resource)
    rows: list[tuple[str, int, dict[str, Any]]] = [
        ("--replicas=2", 2, {}),
        ("--replicas=1 --current-replicas=2", 1, {"current_replicas": 2}),
        ("--replicas=3 --current-replicas=2", 3, {"current_replicas": 2}),
        ("--replicas=3 --resource-version=1", 3, {"resource_version": "1"}),
        ("--replicas=7 --dry-run=server", 7, {"dry_run": True}),
        ("--replicas=0 --timeout=60s", 0, {"wait": True, "timeout": 60}),
    ]
    for options, replicas, ours_options in rows:
        kubectl, ours = beside.both(
            f"scale {resource}/web {options}",
            lambda n, replicas=replicas, options=ours_options: workloads.scale(of(n), "web", replicas, **options)[
                "kind"
            ],
        )
        if "resource_version" in ours_options:  # it is in the words, and differs
            theirs, own = kubectl.refusal.pop(), ours.refusal.pop()
            assert theirs.rpartition(" ")[0] == own.rpartition(" ")[0] == "Expected resource version to be 1, was"
            assert kubectl.requests[1:] == ours.requests
            continue
        if "wait" in ours_options:  # how often it is looked at is a matter of time
            assert (
                [each.verb for each in ours.requests]
                == [each.verb for each in kubectl.requests[1:]]
                == ["patch", "get"]
            )
        else:
            assert_equal(kubectl, ours, only_kubectl=[f"get /{resource}/web"])
        theirs, own = settled_states(beside, of)
        assert own == theirs


@pytest.mark.behaviour("8.11.5")
def test_scale_of_nothing_and_of_what_has_no_scale(beside: Beside) -> None:
    of = handle(beside.client, "deployments")
    kubectl, ours = beside.both("scale deployment/nope --replicas=1", lambda n: workloads.scale(of(n), "nope", 1))
    assert ours.refusal == kubectl.refusal
    daemons = create(beside, "daemonsets")
    kubectl, ours = beside.both("scale daemonset/web --replicas=1", lambda n: workloads.scale(daemons(n), "web", 1))
    assert_equal(kubectl, ours, only_kubectl=["get /daemonsets/web"])


# ------------------------------------------------------------------ expose

EXPOSED: list[tuple[str, dict[str, Any]]] = [
    ("", {}),
    ("--port=80", {"port": 80}),
    ("--port=80,443 --target-port=http", {"port": "80,443", "target_port": "http"}),
    ("--port=80 --target-port=8080 --protocol=UDP", {"port": 80, "target_port": 8080, "protocol": "UDP"}),
    ("--type=NodePort --session-affinity=ClientIP", {"type": "NodePort", "session_affinity": "ClientIP"}),
    ("--cluster-ip=None --selector=a=b,c=d", {"cluster_ip": "None", "selector": {"a": "b", "c": "d"}}),
    ("--labels=tier=front --external-ip=192.0.2.7", {"labels": {"tier": "front"}, "external_ip": "192.0.2.7"}),
    (
        "--type=LoadBalancer --load-balancer-ip=192.0.2.8",
        {"type": "LoadBalancer", "load_balancer_ip": "192.0.2.8"},
    ),
    ("--dry-run=server", {"dry_run": True}),
    ("--type=Nonsense", {"type": "Nonsense"}),
]


@pytest.mark.behaviour("8.11.6")
def test_expose(beside: Beside) -> None:
    of = create(beside, "deployments")
    services = handle(beside.client, "services")
    for number, (options, ours_options) in enumerate(EXPOSED):
        name = f"svc{number}"
        kubectl, ours = beside.both(
            f"expose deployment/web --name={name} {options}",
            lambda n, name=name, options=ours_options: workloads.expose(
                of(n), "web", service_name=name, field_manager="kubectl-expose", **options
            )["kind"],
        )
        assert_equal(kubectl, ours)
        if not ours.status and "dry_run" not in ours_options:
            theirs, own = (services(each).get(name)["spec"] for each in beside.names.values())
            for spec in (theirs, own):  # the server's choice
                for key in ("clusterIP", "clusterIPs", "healthCheckNodePort"):
                    spec.pop(key, None)
                for port in spec["ports"]:
                    port.pop("nodePort", None)
            assert own == theirs


@pytest.mark.behaviour("8.11.6")
def test_what_can_be_exposed_and_what_cannot(beside: Beside) -> None:
    client = beside.client
    ports = [{"containerPort": 53, "protocol": each} for each in ("TCP", "UDP")] + [{"containerPort": 9153}]
    expressions = {
        "matchLabels": {"app": "set"},
        "matchExpressions": [{"key": "app", "operator": "In", "values": ["set"]}],
    }

    def prepare(name: str) -> None:
        pods, services = (client.resource(each).namespace(name) for each in ("pods", "services"))
        dns = pod("dns", name, None, labels={"app": "dns"})
        dns["spec"]["containers"][0]["ports"] = ports
        pods.create(dns)
        pods.create(pod("bare", name, None))
        services.create({"metadata": {"name": "front"}, "spec": {"selector": {"a": "b"}, "ports": [{"port": 80}]}})
        services.create({"metadata": {"name": "blind"}, "spec": {"ports": [{"port": 80}]}})
        client.resource("deployments").create(workload("deployments", "set", name, selector=expressions))
        client.resource("replicationcontrollers").create(
            {
                "metadata": {"name": "old", "namespace": name},
                "spec": {
                    "replicas": 0,
                    "selector": {"app": "old"},
                    "template": workload("deployments", "old", name)["spec"]["template"],
                },
            }
        )
        client.resource("statefulsets").create(workload("statefulsets", "db", name))
        client.resource("replicasets").create(workload("replicasets", "rs", name))

    beside.each(prepare)
    for subject, options in (
        ("pods/dns", ""), ("pods/bare", "--port=1"), ("services/front", "--port=81"), ("services/blind", ""),
        ("deployments/set", ""), ("replicationcontrollers/old", ""), ("statefulsets/db", ""), ("replicasets/rs", ""),
        ("deployments/nope", ""),
    ):  # fmt: skip
        resource, _, name = subject.partition("/")
        port = int(options.partition("=")[2]) if options else None
        kubectl, ours = beside.both(
            f"expose {subject} --name=svc-{name} {options}",
            lambda n, resource=resource, name=name, port=port: workloads.expose(
                client.resource(resource).namespace(n), name, port=port, service_name=f"svc-{name}",
                field_manager="kubectl-expose",
            )["kind"],
        )  # fmt: skip
        assert_equal(kubectl, ours, only_kubectl=["get /namespaces/<own>"] if name == "nope" else ())


# ------------------------------------------------------------------ nodes


def pod(
    name: str,
    namespace: str,
    owner: str | None,
    *,
    node: str | None = None,
    labels: Mapping[str, str] | None = None,
    **spec: Any,
) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name, "namespace": namespace, "labels": dict(labels or {})}
    if owner is not None:
        reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner, "controller": True}
        metadata["ownerReferences"] = [reference]
    container = {"name": "main", "image": "one"}
    where = {"nodeName": node} if node else {}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": {"containers": [container], **where, **spec},
    }


class Stage:
    """A node of each name, on which nothing runs: a pod there is gone when its grace period is 0."""

    def __init__(self, beside: Beside) -> None:
        self.beside = beside
        self.client = beside.client
        self._owners: dict[str, str] = {}
        beside.each(self._prepare)

    def _prepare(self, name: str) -> None:
        self.client.resource("nodes").create({"metadata": {"name": name}})
        made = self.client.resource("configmaps").namespace(name).create({"metadata": {"name": "owner"}})
        self._owners[name] = made["metadata"]["uid"]

    def pods(self, namespace: str) -> ResourceHandle:
        return self.client.resource("pods").namespace(namespace)

    def add(
        self, name: str, *, owned: bool = True, phase: str = "", metadata: Mapping[str, Any] | None = None, **spec: Any
    ) -> None:
        """A pod on both nodes; with a controller, unless it is said otherwise."""

        def add(own: str) -> None:
            made = pod(name, own, self._owners[own] if owned else None, node=own, labels={"app": name}, **spec)
            made["metadata"] |= metadata or {}
            self.pods(own).create(made)
            if phase:
                status = {"phase": phase, "conditions": [{"type": "Ready", "status": "True"}]}
                self.pods(own).subresource("status").patch(name, {"status": status})

        self.beside.each(add)

    def left(self) -> list[list[str]]:
        return [
            sorted(each["metadata"]["name"] for each in self.pods(name).list()) for name in self.beside.names.values()
        ]

    def drain(self, arguments: str, **options: Any) -> tuple[Done, Done]:
        """Drain both, and compare what is told on the way."""
        told: list[str] = []
        kubectl, ours = self.beside.both(
            f"drain {{}} {arguments}",
            lambda own: workloads.drain(
                self.client, own, on_progress=lambda each: told.append(each.message), **options
            ),
        )
        own = self.beside.names["dynkube"]
        ours.out = "\n".join(each.replace(own, "<own>") for each in told)
        theirs, ours_left = self.left()
        assert ours_left == theirs
        return kubectl, ours

    def close(self) -> None:
        self.beside.each(lambda name: self.client.resource("nodes").delete(name))


@pytest.fixture
def stage(beside: Beside) -> Iterator[Stage]:
    stage = Stage(beside)
    yield stage
    stage.close()


@pytest.mark.behaviour("8.5.4", "8.5.5")
def test_cordon_and_uncordon(stage: Stage) -> None:
    beside, nodes = stage.beside, stage.client.resource("nodes")
    rows = [("uncordon", ""), ("cordon", "--dry-run=server"), ("cordon", ""), ("cordon", ""), ("uncordon", "")]
    for verb, options in rows:
        call = getattr(workloads, verb)
        kubectl, ours = beside.both(
            f"{verb} {{}} {options}",
            lambda n, call=call, options=options: call(nodes, n, dry_run=bool(options)).message,
        )
        assert_equal(kubectl, ours)
        assert kubectl.out.startswith(f"node/<own> {ours.out}")
        # Taints come and go by a controller, in its own time.
        theirs, own = (nodes.get(name)["spec"].get("unschedulable") for name in beside.names.values())
        assert own == theirs
    for verb in ("cordon", "uncordon"):
        assert_equal(*beside.both(f"{verb} nope", lambda n, verb=verb: getattr(workloads, verb)(nodes, "nope")))


@pytest.mark.behaviour("8.5.1")
def test_what_must_not_go_keeps_all_pods_there(stage: Stage) -> None:
    assert_equal(*stage.beside.both("drain nope", lambda n: workloads.drain(stage.client, "nope")))
    stage.add("owned")
    stage.add("bare", owned=False)
    stage.add("other", owned=False)
    stage.add("disk", volumes=[{"name": "scratch", "emptyDir": {}}])

    for arguments, options in (
        ("", {}), ("--force", {"force": True}), ("--delete-emptydir-data", {"delete_emptydir_data": True}),
    ):  # fmt: skip
        kubectl, ours = stage.drain(arguments, **options)
        assert_equal(kubectl, ours)
        assert kubectl.lines == ours.lines
        assert isinstance(ours.error, dynkube.DrainError)
    assert stage.left() == [["bare", "disk", "other", "owned"]] * 2


@pytest.mark.behaviour("8.5.1", "8.5.2", "8.5.3")
def test_evictions(stage: Stage) -> None:
    stage.add("owned")
    stage.add("bare", owned=False)
    stage.add("disk", volumes=[{"name": "scratch", "emptyDir": {}}])
    stage.add("mirror", owned=False, metadata={"annotations": {"kubernetes.io/config.mirror": "x"}})
    stage.add("done", owned=False, phase="Succeeded", volumes=[{"name": "scratch", "emptyDir": {}}])
    stage.add("failed", owned=False, phase="Failed")

    kubectl, ours = stage.drain(
        "--force --delete-emptydir-data --grace-period=0",
        force=True, delete_emptydir_data=True, grace_period_seconds=0,
    )  # fmt: skip

    assert_equal(kubectl, ours, sorted_=True)
    assert kubectl.lines == ours.lines
    assert stage.left() == [["mirror"], ["mirror"]]


@pytest.mark.behaviour("8.5.5")
def test_some_pods_in_pages_and_a_dry_run(stage: Stage) -> None:
    for name in ("a", "b", "c"):
        stage.add(name)

    kubectl, ours = stage.drain("--dry-run=server --chunk-size=1", dry_run=True, chunk_size=1)
    assert_equal(kubectl, ours, sorted_=True)
    assert kubectl.lines == ours.lines
    assert stage.left() == [["a", "b", "c"]] * 2

    selected = {"pod_selector": "app in (a,b)", "grace_period_seconds": 0}
    kubectl, ours = stage.beside.both(
        ["drain", "{}", "--pod-selector=app in (a,b)", "--grace-period=0"],
        lambda n: workloads.drain(stage.client, n, **selected),
    )
    assert_equal(kubectl, ours, sorted_=True)
    assert stage.left() == [["c"], ["c"]]


@pytest.mark.behaviour("8.5.2", "8.5.3")
def test_deletions_instead_of_evictions(stage: Stage) -> None:
    for name in ("a", "b"):
        stage.add(name)
    kubectl, ours = stage.drain("--disable-eviction --grace-period=0", disable_eviction=True, grace_period_seconds=0)
    assert_equal(kubectl, ours)
    assert kubectl.lines == ours.lines
    assert stage.left() == [[], []]


@pytest.mark.behaviour("8.5.3")
@pytest.mark.parametrize("how", ["evict", "delete"])
def test_pods_that_take_too_long(stage: Stage, how: str) -> None:
    stage.add("slow")  # on a node that never ends it
    delete = how == "delete"
    kubectl, ours = stage.drain(
        "--timeout=4s" + (" --disable-eviction" if delete else ""), timeout=4, disable_eviction=delete
    )
    # kubectl lists the pods again, to print what is left.
    assert_equal(kubectl, ours, only_kubectl=["list /pods"])
    assert kubectl.lines == ours.lines
    assert isinstance(ours.error, dynkube.DrainTimeoutError)
    assert ours.error.pending == ((stage.beside.names["dynkube"], "slow"),)


@pytest.mark.behaviour("8.5.1", "8.5.3")
def test_pods_whose_deletion_is_old_are_left_alone(stage: Stage) -> None:
    stage.add("stuck", metadata={"finalizers": ["test.example/held"]})
    stage.add("late", metadata={"finalizers": ["test.example/held"]})
    stage.beside.each(lambda name: stage.pods(name).delete("stuck", grace_period_seconds=0))
    # The first is skipped at once if it is old enough by now, the second when it is; either way both are.
    kubectl, ours = stage.drain(
        "--grace-period=0 --skip-wait-for-delete-timeout=1", grace_period_seconds=0, skip_wait_for_delete_seconds=1
    )
    assert (kubectl.status, ours.status) == (0, 0)
    last = 'pod "late" has DeletionTimestamp older than 1 seconds, skipping'
    assert last in kubectl.lines
    assert last in ours.lines
    release = {"metadata": {"finalizers": None}}
    stage.beside.each(lambda name: [stage.pods(name).patch(each, release) for each in ("stuck", "late")])


def guard(client: DynamicClient, namespace: str, app: str) -> None:
    """A budget that lets no pod go, once the controller has seen it."""
    budgets = client.resource("poddisruptionbudgets").namespace(namespace)
    spec = {"minAvailable": 1, "selector": {"matchLabels": {"app": app}}}
    budgets.create({"metadata": {"name": "guard"}, "spec": spec})
    wait_for(budgets, "guard", lambda obj: obj.get("status", {}).get("currentHealthy") == 1)


@pytest.mark.behaviour("8.5.3")
def test_a_disruption_budget_is_asked_again(stage: Stage) -> None:
    stage.add("web", phase="Running")
    stage.beside.each(lambda name: guard(stage.client, name, "web"))

    kubectl, ours = stage.drain("--grace-period=0 --timeout=4s", grace_period_seconds=0, timeout=4)
    # kubectl sleeps past its timeout, and reads the pod and the node's pods again.
    assert_equal(kubectl, ours, only_kubectl=["list /pods", "get /pods/web"])

    budgets = handle(stage.beside.tools, "poddisruptionbudgets")
    lifting = stage.beside.when_sent("create", "/eviction", lambda name: budgets(name).delete("guard"))
    kubectl, ours = stage.drain("--grace-period=0 --timeout=60s", grace_period_seconds=0, timeout=60)
    lifting.join()

    assert_equal(kubectl, ours)
    assert kubectl.lines == ours.lines
    assert sum("will retry after 5s" in line for line in ours.lines) == 1
    assert stage.left() == [[], []]


@pytest.mark.behaviour("8.5.3")
def test_a_namespace_that_ends(stage: Stage) -> None:
    stage.add("web")
    namespaces = stage.client.resource("namespaces")
    stage.beside.each(namespaces.delete)
    stage.beside.each(
        lambda name: wait_for(stage.pods(name), "web", lambda obj: "deletionTimestamp" in obj["metadata"])
    )
    pods = handle(stage.beside.tools, "pods")
    ending = stage.beside.when_sent(
        "create", "/eviction", lambda name: pods(name).delete("web", grace_period_seconds=0)
    )

    told: list[str] = []
    kubectl, ours = stage.beside.both(
        "drain {} --timeout=60s",
        lambda n: workloads.drain(stage.client, n, timeout=60, on_progress=lambda each: told.append(each.message)),
    )
    ending.join()

    assert_equal(kubectl, ours)
    assert told[1:] == [each.replace("<own>", stage.beside.names["dynkube"]) for each in kubectl.out.splitlines()[1:]]


@pytest.mark.behaviour("8.5.1")
def test_pods_of_daemon_sets(beside: Beside, client: DynamicClient) -> None:
    """Theirs run on the test node, which both drain; a selector keeps out what else is there."""
    node = client.resource("nodes").list(label_selector="kubernetes.io/hostname=test-node")[0]["metadata"]["name"]
    of = create(beside, "daemonsets", replicas=1)
    beside.each(lambda name: workloads.rollout_status(of(name), "web", timeout=60))

    def mark(name: str) -> None:
        pods = client.resource("pods").namespace(name)
        for each in pods.list():
            pods.patch(each["metadata"]["name"], {"metadata": {"labels": {"of": name}}})

    beside.each(mark)
    warnings = []
    for arguments, options in (("", {}), ("--ignore-daemonsets", {"ignore_daemonsets": True})):
        kubectl, ours = beside.both(
            f"drain {node} --pod-selector=of={{}} {arguments}",
            lambda n, options=options: warnings.append(
                workloads.drain(client, node, pod_selector=f"of={n}", **options).warnings
            ),
        )
        theirs, own = ([re.sub(r"web-\w+", "<pod>", each) for each in done.refusal] for done in (kubectl, ours))
        assert own == theirs
        assert [each.verb for each in ours.requests] == [each.verb for each in kubectl.requests] == ["list", "get"]
    workloads.uncordon(client.resource("nodes"), node)
    assert warnings[0][0].startswith("ignoring DaemonSet-managed Pods: ")
    assert "Warning: ignoring DaemonSet-managed Pods: " in kubectl.err


@pytest.mark.behaviour("8.5.1")
def test_pods_whose_daemon_set_is_gone(stage: Stage) -> None:
    owner = {"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "gone", "uid": str(uuid.uuid4()), "controller": True}
    # The garbage collector wants it: a finalizer holds it.
    stage.add("orphan", owned=False, metadata={"ownerReferences": [owner], "finalizers": ["test.example/held"]})

    for arguments, options in (
        ("", {}), ("--ignore-daemonsets", {"ignore_daemonsets": True}),
        ("--force --dry-run=server", {"force": True, "dry_run": True}),
    ):  # fmt: skip
        kubectl, ours = stage.drain(arguments, **options)
        assert_equal(kubectl, ours)
        assert kubectl.lines == ours.lines
        assert ours.err == (
            "" if "force" in options else 'cannot delete daemonsets.apps "gone" not found: <own>/orphan'
        )
    stage.beside.each(lambda name: stage.pods(name).patch("orphan", {"metadata": {"finalizers": None}}))
