"""A clientset's methods for workloads, nodes and containers, on a server where pods run.

The real control plane has kube-controller-manager and test-node; behind the embedded server stand handlers. What the
functions beneath do in every case is the matter of the tests of `dynkube.workloads` and `dynkube.streams`.
"""

from __future__ import annotations

import socketserver
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from sentrequests import SentRequests

import dynkube
from dynkube.testing import AccessRule, APIServer, ControlPlane, FaultProxy, LocalProcess, ServerFace

NAMESPACE = "shop"
LIMIT = 90.0


@dataclass(frozen=True)
class Stage:
    server: ServerFace
    clientset: dynkube.Clientset
    wire: SentRequests
    port: int

    @property
    def real(self) -> bool:
        return isinstance(self.server, ControlPlane)

    @property
    def pods(self) -> Any:
        return self.clientset.core_v1.pods(NAMESPACE)


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "6")
        self.end_headers()
        self.wfile.write(b"a page")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its parent's name
        """Says nothing."""


@pytest.fixture(scope="module")
def page_port() -> Iterator[int]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Page) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module", params=[pytest.param("real", marks=pytest.mark.controlplane), "embedded"])
def stage(request: pytest.FixtureRequest, page_port: int) -> Iterator[Stage]:
    if request.param == "embedded":
        with APIServer(run_workloads=True) as server:
            server.pods.on_exec(LocalProcess())
            server.pods.on_attach(LocalProcess("cat"))
            server.pods.on_port_forward(page_port, port=page_port)
            server.pods.log(NAMESPACE, "one").write("first\nsecond\n")
            yield from _staged(server, page_port)
        return
    arguments = ("--disable-admission-plugins=ServiceAccount",)
    with ControlPlane(controller_manager=True, test_node=True, api_server_args=arguments) as plane:
        yield from _staged(plane, page_port)


def _staged(server: ServerFace, port: int) -> Iterator[Stage]:
    wire = SentRequests()
    with dynkube.Clientset(wire.config(server.config)) as clientset:
        clientset.core_v1.namespaces().create({"metadata": {"name": NAMESPACE}})
        stage = Stage(server, clientset, wire, port)
        said = {"name": "main", "image": "local", "command": ["sh", "-c", "echo first; echo second; exec sleep 600"]}
        talk = {"name": "main", "image": "local", "stdin": True, "command": ["cat"]}
        for name, container in (("one", said), ("talk", talk)):
            ports = [{"name": "web", "containerPort": port}]
            spec = {"containers": [{**container, "ports": ports}], "terminationGracePeriodSeconds": 0}
            stage.pods.create({"metadata": {"name": name, "labels": {"name": name}}, "spec": spec})
        for name in ("one", "talk"):
            stage.pods.wait(name, condition="Ready", timeout=LIMIT)
        yield stage


# ------------------------------------------------------------------ containers


@pytest.mark.behaviour("9.3.1")
def test_logs(stage: Stage) -> None:
    with stage.pods.logs("one", follow=True, timeout=LIMIT) as log:
        assert [str(next(log)), str(next(log))] == ["first", "second"]
    assert f"GET /api/v1/namespaces/{NAMESPACE}/pods/one/log" in [each.line for each in stage.wire.all]


@pytest.mark.behaviour("9.3.3")
def test_exec_and_attach(stage: Stage) -> None:
    result = stage.pods.exec("one", ["sh", "-c", "cat; exit 3"], input="hello", timeout=LIMIT)
    assert (result.stdout, result.exit_code) == (b"hello", 3)
    with stage.pods.exec_process("one", ["cat"], stdin=True, timeout=LIMIT) as process:
        process.stdin.write(b"there\n")
        process.stdin.close()
        assert process.stdout.read() == b"there\n"
    with stage.pods.attach("talk", stdin=True, timeout=LIMIT) as process:
        process.stdin.write(b"to you\n")
        assert process.stdout.readline() == b"to you\n"


@pytest.fixture
def proxy(stage: Stage) -> Iterator[FaultProxy]:
    with FaultProxy.before(stage.server) as proxy:
        yield proxy


@pytest.fixture
def through(stage: Stage, proxy: FaultProxy) -> Iterator[dynkube.Clientset]:
    """By way of the proxy, which sees the upgrades, too; it ends TLS, so a token says who we are."""
    stage.server.allow(AccessRule(user="token-user", verbs=("*",), resources=("*",), api_groups=("*",)))
    config = dynkube.load_config(kubeconfig=stage.server.token_user())
    config = config.copy(host=proxy.url, tls=dynkube.TLSConfig(ca_data=proxy.ca_data))
    with dynkube.Clientset(config) as clientset:
        yield clientset


@pytest.mark.behaviour("9.3.3")
def test_the_requests_of_streams(stage: Stage, through: dynkube.Clientset, proxy: FaultProxy) -> None:
    pods, one = through.core_v1.pods(NAMESPACE), f"/api/v1/namespaces/{NAMESPACE}/pods/one"
    assert pods.exec("one", ["echo", "a b"], container="main", timeout=LIMIT).stdout == b"a b\n"
    query = {"command": ["echo", "a b"], "container": ["main"], "stdout": ["true"], "stderr": ["true"]}
    assert asked(proxy, f"{one}/exec").items() >= query.items()
    pods.attach("talk", container="main", timeout=LIMIT).close()
    assert asked(proxy, f"/api/v1/namespaces/{NAMESPACE}/pods/talk/attach")["container"] == ["main"]
    with pods.port_forward("one", stage.port, timeout=LIMIT) as forward:
        urllib.request.urlopen(f"http://127.0.0.1:{forward.local_port}/", timeout=LIMIT).close()
    asked(proxy, f"{one}/portforward")


def asked(proxy: FaultProxy, path: str) -> dict[str, list[str]]:
    """The query of the upgrade of this path."""
    sent = next(each for each in proxy.requests if each.path == path)
    assert (sent.method, sent.header("upgrade")) == ("GET", "websocket")
    return parse_qs(sent.query)


def test_cp_both_ways(stage: Stage, tmp_path: Path) -> None:
    folder = tmp_path / "in the pod"
    folder.mkdir()
    (tmp_path / "note").write_text("kept")
    stage.pods.cp(tmp_path / "note", f"one:{folder}/note", timeout=LIMIT)
    assert (folder / "note").read_text() == "kept"
    stage.pods.cp(f"one:{folder}/note", f"{tmp_path}/back", timeout=LIMIT)
    assert (tmp_path / "back").read_text() == "kept"
    for source, destination in (("a", "b"), ("one:a", "one:b")):
        with pytest.raises(dynkube.InvalidRequestError, match="one of the two must be"):
            stage.pods.cp(source, destination)


def test_a_port_is_forwarded_to_a_pod_and_to_a_service(stage: Stage) -> None:
    services = stage.clientset.core_v1.services(NAMESPACE)
    spec = {"selector": {"name": "one"}, "ports": [{"port": 80, "targetPort": "web"}]}
    services.create({"metadata": {"name": "web"}, "spec": spec})
    for target, name, port in ((stage.pods, "one", stage.port), (services, "web", 80)):
        with target.port_forward(name, port, timeout=LIMIT) as forward:
            url = f"http://127.0.0.1:{forward.local_port}/"
            with urllib.request.urlopen(url, timeout=LIMIT) as answer:
                assert answer.read() == b"a page"


# ------------------------------------------------------------------ workloads


def workload(kind: str, name: str, **spec: Any) -> dict[str, Any]:
    container = {"name": "main", "image": "local", "command": ["sh", "-c", "echo started; exec sleep 600"]}
    template = {
        "metadata": {"labels": {"app": name}},
        "spec": {"containers": [container], "terminationGracePeriodSeconds": 0},
    }
    selector = {"matchLabels": {"app": name}}
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": {"selector": selector, "template": template, **spec},
    }


@pytest.mark.behaviour("9.3.1")
def test_a_deployment_from_its_start_to_its_end(stage: Stage) -> None:
    deployments = stage.clientset.apps_v1.deployments(NAMESPACE)
    deployments.create(workload("Deployment", "web", replicas=1))
    assert deployments.rollout_status("web", timeout=LIMIT).done
    assert deployments.scale("web", 2, wait=True, timeout=LIMIT)["spec"]["replicas"] == 2
    deployments.rollout_pause("web")
    assert deployments.get("web")["spec"]["paused"] is True
    deployments.rollout_resume("web")
    deployments.rollout_restart("web")
    assert list(deployments.watch_rollout("web", timeout=LIMIT))[-1].done
    assert deployments.expose("web", port=80, service_name="front")["spec"]["selector"] == {"app": "web"}
    if stage.real:  # where somebody keeps revisions
        assert [each.revision for each in deployments.rollout_history("web")] == [1, 2]
        deployments.rollback("web")
        assert deployments.rollout_status("web", timeout=LIMIT).done
        assert deployments.rollout_revision("web", 3).revision == 3
        (pod, *_) = stage.pods.list(label_selector="app=web", field_selector="status.phase=Running")
        tree = stage.clientset.owner_tree(pod)
        assert tree.owners
        assert "started" in deployments.logs("web", timeout=LIMIT).text()
        found = stage.clientset.children(deployments.get("web"), resources=["replicasets"])
        assert found
    deployments.delete("web", propagation_policy="Background")
    stage.clientset.core_v1.services(NAMESPACE).delete("front")


@pytest.mark.behaviour("9.3.1")
@pytest.mark.parametrize("kind", ["StatefulSet", "DaemonSet"])
def test_the_rollouts_of_others(stage: Stage, kind: str) -> None:
    plural, name = f"{kind.lower()}s", kind.lower()
    resource = getattr(stage.clientset.apps_v1, plural)(NAMESPACE)
    resource.create(workload(kind, name, **({"serviceName": name, "replicas": 1} if kind == "StatefulSet" else {})))
    assert resource.rollout_status(name, timeout=LIMIT).done
    resource.rollout_restart(name)
    assert resource.rollout_status(name, timeout=LIMIT).done
    assert not hasattr(resource, "rollout_pause")
    resource.delete(name, propagation_policy="Background")


@pytest.mark.behaviour("9.3.1")
def test_nodes_are_cordoned_and_drained(stage: Stage) -> None:
    nodes = stage.clientset.core_v1.nodes()
    name = "spare"
    nodes.create({"metadata": {"name": name}})
    assert nodes.cordon(name).changed
    assert nodes.get(name)["spec"]["unschedulable"] is True
    assert nodes.uncordon(name).changed
    assert nodes.plan_drain(name).pods == ()
    nodes.drain(name, timeout=LIMIT)
    assert nodes.get(name)["spec"]["unschedulable"] is True
    nodes.delete(name)
