"""The whole of it, for real: workloads that run on a control plane with controllers and a node, from clientset to streams.

Containers are processes of this machine (test-node), so a page is served, a file is copied and a pod is evicted.
All pods share the loopback: the web server opens its port with SO_REUSEPORT.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import socket
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import dynkube
from dynkube import workloads
from dynkube.polling import poll_until
from dynkube.testing import ControlPlane

pytestmark = [pytest.mark.controlplane, pytest.mark.timeout(300)]

PATIENCE = 120
NODE = "test-node"
HUNDRED_MEGABYTES = 100 * 10**6

WEB_SERVER = """\
import http.server, os, signal, socket, sys

class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = os.environ["VERSION"].encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        print("served", self.path, flush=True)

class Server(http.server.ThreadingHTTPServer):
    def server_bind(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        super().server_bind()

signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
server = Server(("127.0.0.1", int(os.environ["PORT"])), Page)
print("started", os.getpid(), flush=True)
server.serve_forever()
"""

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def clientset() -> Iterator[dynkube.Clientset]:
    flags = ("--disable-admission-plugins=ServiceAccount",)
    with (
        ControlPlane(controller_manager=True, test_node=True, api_server_args=flags) as plane,
        plane.connect() as client,
        dynkube.Clientset(client) as clientset,
    ):
        clientset.core_v1.nodes().wait(NODE, condition="Ready", timeout=PATIENCE)
        yield clientset


@pytest.fixture
def namespace(clientset: dynkube.Clientset) -> str:
    name = f"real-{next(_numbers)}"
    clientset.core_v1.namespaces().create({"metadata": {"name": name}})
    return name


@pytest.fixture
def port() -> Iterator[int]:
    """One that nobody but the pods of this case opens: it is held here, and shared."""
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


def pod_template(app: str, *command: str, port: int = 0, **environment: str) -> dict[str, Any]:
    container: dict[str, Any] = {"name": "main", "image": "local", "command": list(command)}
    container["env"] = [{"name": name, "value": value} for name, value in environment.items()]
    if port:
        container["ports"] = [{"name": "http", "containerPort": port}]
    spec = {"containers": [container], "terminationGracePeriodSeconds": 5}
    return {"metadata": {"labels": {"app": app}}, "spec": spec}


def workload(name: str, template: dict[str, Any], **spec: Any) -> dict[str, Any]:
    labels = template["metadata"]["labels"]
    return {"metadata": {"name": name}, "spec": {"selector": {"matchLabels": labels}, "template": template, **spec}}


def web_deployment(port: int, version: str = "one", replicas: int = 2) -> dict[str, Any]:
    command = ("python3", "-c", WEB_SERVER)
    template = pod_template("web", *command, port=port, PORT=str(port), VERSION=version)
    return workload("web", template, replicas=replicas)


def fetch(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/page", timeout=30) as page:
        return str(page.read().decode())


def until(condition: Callable[[], Any]) -> Any:
    """What a condition gives when it gives something, looked at now and then."""
    return poll_until(condition, interval=0.2, timeout=PATIENCE)


def rolled_out(clientset: dynkube.Clientset, namespace: str) -> str:
    """Wait until the web server's rollout is complete and all pods serve: they have no probe that says so."""
    done = clientset.apps_v1.deployments(namespace).rollout_status("web", timeout=PATIENCE)
    pods = clientset.core_v1.pods(namespace)
    for pod in pods.list(label_selector="app=web"):
        with pods.logs(pod["metadata"]["name"], follow=True, timeout=PATIENCE) as lines:
            assert next(iter(lines)).startswith("started")
    return done.message


def test_a_web_server_lives(clientset: dynkube.Clientset, namespace: str, port: int, tmp_path: Path) -> None:
    deployments, pods = clientset.apps_v1.deployments(namespace), clientset.core_v1.pods(namespace)

    # Deploy, and wait for the rollout.
    deployments.create(web_deployment(port))
    assert rolled_out(clientset, namespace) == 'deployment "web" successfully rolled out'

    # Scale.
    deployments.scale("web", 3, wait=True, timeout=PATIENCE)
    rolled_out(clientset, namespace)
    running = pods.list(label_selector="app=web")
    assert len(running) == 3

    # Forward a port, and fetch a page.
    with deployments.port_forward("web", ":http") as forward:
        assert fetch(forward.local_port) == "one"

    _reach_by_service_and_ingress(clientset, namespace)

    name = str(running[0]["metadata"]["name"])
    _follow_a_restart(pods, name)
    _send_and_get_back(pods, name, tmp_path)
    _copy_there_and_back(pods, name, tmp_path)

    # A new version, and back to the one before.
    second = {"apiVersion": "apps/v1", "kind": "Deployment", **web_deployment(port, "two", replicas=3)}
    deployments.apply(second, field_manager="endtoend", force=True)
    rolled_out(clientset, namespace)
    assert fetch(port) == "two"
    deployments.rollout_undo("web")
    rolled_out(clientset, namespace)
    assert fetch(port) == "one"
    assert [each.revision for each in deployments.rollout_history("web")] == [2, 3]

    _drain(clientset, namespace)

    # Delete: the pods go with it.
    deployments.delete("web", propagation_policy="Foreground")
    until(lambda: not pods.list(label_selector="app=web"))


def _reach_by_service_and_ingress(clientset: dynkube.Clientset, namespace: str) -> None:
    services, ingresses = clientset.core_v1.services(namespace), clientset.networking_v1.ingresses(namespace)
    exposed = clientset.apps_v1.deployments(namespace).expose("web", port=80, target_port="http")
    assert exposed["spec"]["selector"] == {"app": "web"}
    with services.port_forward("web", ":80") as forward:
        assert fetch(forward.local_port) == "one"
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    paths = [{"path": "/", "pathType": "Prefix", "backend": backend}]
    ingresses.create({"metadata": {"name": "web"}, "spec": {"rules": [{"host": "web.test", "http": {"paths": paths}}]}})
    address = {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}
    ingresses.update_status(ingresses.get("web") | {"status": address})
    assert ingresses.get("web")["status"] == address
    ingresses.delete("web")
    services.delete("web")


def _follow_a_restart(pods: Any, name: str) -> None:
    """What a container says before and after its process is killed comes in one stream."""
    with pods.logs(name, follow=True, timeout=PATIENCE) as lines:
        started = next(line for line in lines if line.startswith("started"))
        process = started.split()[1]
        assert pods.exec(name, ["kill", "-9", process]).exit_code == 0
        again = next(line for line in lines if line.startswith("started"))
        assert again.split()[1] != process
    assert pods.get(name)["status"]["containerStatuses"][0]["restartCount"] == 1


def _send_and_get_back(pods: Any, name: str, folder: Path) -> None:
    """100 MB through the stdin of a command in the pod, and back from its stdout."""
    sent, returned = folder / "sent", folder / "returned"
    block = os.urandom(10**6)
    with sent.open("wb") as file:
        for _ in range(HUNDRED_MEGABYTES // len(block)):
            file.write(block)
    with sent.open("rb") as source, returned.open("wb") as target:
        pods.exec(name, ["cat"], stdin=source, stdout=target, check=True, timeout=PATIENCE)
    assert _checksum(returned) == _checksum(sent)


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _copy_there_and_back(pods: Any, name: str, folder: Path) -> None:
    """A folder with odd names, into the pod and back."""
    source, in_pod, back = folder / "source", folder / "in pod", folder / "back"
    for each in (source / "empty", source / "with space" / "-dash", in_pod, back):
        each.mkdir(parents=True)
    odd = ["plain", "with space/fünf ☂", "with space/quote'\"s", "with space/-dash/--help", "new\nline", "back\\slash"]
    for number, each in enumerate(odd):
        (source / each).write_bytes(bytes([number]) * number * 1000)
    pods.copy_to_pod(name, source, str(in_pod), timeout=PATIENCE)
    pods.copy_from_pod(name, str(in_pod / "source"), back, timeout=PATIENCE)
    assert _tree(back / "source") == _tree(source)


def _tree(folder: Path) -> dict[str, bytes | None]:
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


def _drain(clientset: dynkube.Clientset, namespace: str) -> None:
    """Drain the node with a budget in the way, which is lifted when an eviction has been refused for it."""
    budgets = clientset.policy_v1.poddisruptionbudgets(namespace)
    spec = {"minAvailable": 3, "selector": {"matchLabels": {"app": "web"}}}
    budgets.create({"metadata": {"name": "all"}, "spec": spec})
    until(lambda: budgets.get("all").get("status", {}).get("currentHealthy") == 3)
    steps: list[str] = []

    def lift(event: workloads.DrainEvent) -> None:
        steps.append(str(event.step))
        if event.step == workloads.DrainStep.RETRYING and steps.count(str(event.step)) == 1:
            budgets.delete("all")

    result = clientset.core_v1.nodes().drain(
        NODE, force=True, ignore_daemonsets=True, retry_seconds=0.5, on_progress=lift, timeout=PATIENCE
    )
    assert len([pod for where, pod in result.pods if where == namespace]) == 3
    assert steps[0] == "cordoned"
    assert {"evicting", "retrying", "gone"} <= set(steps)
    assert clientset.core_v1.nodes().get(NODE)["spec"]["unschedulable"] is True
    clientset.core_v1.nodes().uncordon(NODE)
    rolled_out(clientset, namespace)


def test_other_workloads_live(clientset: dynkube.Clientset, namespace: str) -> None:
    pods = clientset.core_v1.pods(namespace)
    template = pod_template("set", "sh", "-c", "echo started; exec sleep 600")

    sets = clientset.apps_v1.statefulsets(namespace)
    sets.create(workload("set", template, serviceName="set", replicas=2))
    sets.rollout_status("set", timeout=PATIENCE)
    assert [each["metadata"]["name"] for each in pods.list(label_selector="app=set")] == ["set-0", "set-1"]
    sets.scale("set", 1, wait=True, timeout=PATIENCE)
    assert sets.get_scale("set")["status"]["replicas"] == 1
    sets.rollout_restart("set")
    sets.rollout_status("set", timeout=PATIENCE)
    assert len(sets.rollout_history("set")) == 2
    tree = clientset.owner_tree(pods.get("set-0"))
    assert [each.object["kind"] for each in tree.owners] == ["StatefulSet"]

    daemons = clientset.apps_v1.daemonsets(namespace)
    daemons.create(workload("daemon", pod_template("daemon", "sleep", "600")))
    daemons.rollout_status("daemon", timeout=PATIENCE)
    (daemon,) = pods.list(label_selector="app=daemon")
    assert daemon["spec"]["nodeName"] == NODE

    jobs = clientset.batch_v1.jobs(namespace)
    job = pod_template("job", "sh", "-c", "echo worked; sleep 0.1")
    job["spec"]["restartPolicy"] = "Never"
    jobs.create({"metadata": {"name": "job"}, "spec": {"template": job, "completions": 2, "parallelism": 2}})
    assert jobs.wait("job", condition="Complete", timeout=PATIENCE)["status"]["succeeded"] == 2
    assert sorted(pods.logs(label_selector="app=job")) == ["worked", "worked"]

    sets.delete("set")
    daemons.delete("daemon")
    jobs.delete("job", propagation_policy="Background")
    until(lambda: not pods.list())
