"""ControlPlane, on the real programs."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import select
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from dynkube.errors import InvalidRequestError
from dynkube.testing import AccessRule, ControlPlane, ControlPlaneError

pytestmark = [pytest.mark.controlplane, pytest.mark.timeout(240)]

CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"


class Client:
    """http.client with a kubeconfig's credentials: neither dynkube nor the harness's own line."""

    def __init__(self, kubeconfig: Path, folder: Path) -> None:
        document = yaml.safe_load(kubeconfig.read_text())
        cluster, user = document["clusters"][0]["cluster"], document["users"][0]["user"]
        self.address = cluster["server"].removeprefix("https://").split(":")
        self.context = ssl.create_default_context(cadata=_pem(cluster["certificate-authority-data"]))
        self.headers = {"Authorization": f"Bearer {user['token']}"} if "token" in user else {}
        if "client-certificate-data" in user:
            pair = folder / "pair.pem"
            pair.write_text(_pem(user["client-certificate-data"]) + _pem(user["client-key-data"]))
            self.context.load_cert_chain(pair)

    @contextlib.contextmanager
    def open(self, method: str, path: str, body: Any = None, timeout: float = 20) -> Iterator[http.client.HTTPResponse]:
        connection = http.client.HTTPSConnection(
            self.address[0], int(self.address[1]), context=self.context, timeout=timeout
        )
        headers = self.headers | {"Content-Type": "application/json"}
        with contextlib.closing(connection):
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            with connection.getresponse() as response:
                yield response

    def send(self, method: str, path: str, body: Any = None, timeout: float = 20) -> tuple[int, Any]:
        with self.open(method, path, body, timeout) as response:
            return response.status, json.loads(response.read())

    def review(self) -> dict[str, Any]:
        kind = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        _, review = self.send("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", kind)
        info: dict[str, Any] = review["status"]["userInfo"]
        return info


def _pem(data: str) -> str:
    return base64.b64decode(data).decode()


def config_map(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}


@pytest.fixture
def admin(control_plane: ControlPlane, tmp_path: Path) -> Client:
    return Client(control_plane.kubeconfig, tmp_path)


class TestUsers:
    def test_the_admin_may_do_all(self, admin: Client) -> None:
        assert "system:masters" in admin.review()["groups"]
        assert admin.send("GET", "/api/v1/secrets")[0] == 200

    def test_files_are_private(self, control_plane: ControlPlane) -> None:
        assert control_plane.folder.stat().st_mode & 0o777 == 0o700
        paths = (control_plane.kubeconfig, control_plane.user("bob"), control_plane.token_user())
        assert {path.stat().st_mode & 0o777 for path in paths} == {0o600}
        assert {path.stat().st_mode & 0o777 for path in (control_plane.folder / "pki").iterdir()} == {0o600}

    def test_a_certificate_user(self, control_plane: ControlPlane, tmp_path: Path) -> None:
        client = Client(control_plane.user("carol", ("dev", "ops")), tmp_path)
        review = client.review()
        assert review["username"] == "carol"
        assert {"dev", "ops"} <= set(review["groups"])
        assert client.send("GET", CONFIG_MAPS)[0] == 403

    def test_a_token_user(self, control_plane: ControlPlane, tmp_path: Path) -> None:
        assert Client(control_plane.token_user(), tmp_path).review()["username"] == "token-user"

    @pytest.mark.parametrize("name", ["", "x" * 65])
    def test_a_name_that_no_certificate_holds(self, control_plane: ControlPlane, name: str) -> None:
        with pytest.raises(InvalidRequestError, match="1 to 64 characters"):
            control_plane.user(name)

    def test_groups_that_are_a_string(self, control_plane: ControlPlane) -> None:
        with pytest.raises(InvalidRequestError, match="groups= must be a sequence"):
            control_plane.user("bob", "dev")

    def test_an_unknown_token_user(self, control_plane: ControlPlane) -> None:
        with pytest.raises(InvalidRequestError, match=r"no user 'nobody' \(token-user\): name it in ControlPlane"):
            control_plane.token_user("nobody")

    @pytest.mark.parametrize("namespace", ["", "default"])
    def test_a_rule_is_in_force_when_allow_returns(
        self, control_plane: ControlPlane, tmp_path: Path, namespace: str
    ) -> None:
        client = Client(control_plane.user(f"reader-{namespace}"), tmp_path)
        rule = AccessRule(
            user=f"reader-{namespace}", verbs=("list",), resources=("configmaps", "pods/log"), namespace=namespace
        )
        control_plane.allow(rule)
        assert client.send("GET", CONFIG_MAPS)[0] == 200
        assert client.send("POST", CONFIG_MAPS, config_map("not-mine"))[0] == 403
        assert client.send("GET", "/api/v1/configmaps")[0] == (403 if namespace else 200)

    def test_rules_for_groups_names_and_paths(self, control_plane: ControlPlane, tmp_path: Path) -> None:
        client = Client(control_plane.user("eve", ("metric-readers", "everythings")), tmp_path)
        rule = AccessRule(group="metric-readers", verbs=("get",), non_resource_urls=("/metrics", "/debug/*"))
        control_plane.allow(rule)
        with client.open("GET", "/metrics") as response:
            assert response.status == 200
        named = AccessRule(user="eve", verbs=("get",), resources=("configmaps",), resource_names=("one",))
        control_plane.allow(named)
        assert client.send("GET", f"{CONFIG_MAPS}/one")[0] == 404
        assert client.send("GET", f"{CONFIG_MAPS}/two")[0] == 403
        everything = AccessRule(group="everythings", verbs=("*",), api_groups=("*",), resources=("*",))
        control_plane.allow(everything)
        assert client.send("GET", f"{CONFIG_MAPS}/two")[0] == 404

    def test_a_rule_in_no_namespace(self, control_plane: ControlPlane) -> None:
        with pytest.raises(ControlPlaneError, match=r"namespaces/nowhere/roles: HTTP 404: namespaces .* not found"):
            control_plane.allow(AccessRule(user="a", verbs=("get",), resources=("pods",), namespace="nowhere"))


class TestFace:
    def test_connect_and_config(self, control_plane: ControlPlane) -> None:
        with control_plane.connect() as client:
            namespaces = client.resource("v1/namespaces")
            assert namespaces.get("default")["metadata"]["name"] == "default"
        assert control_plane.config.host == control_plane.url
        assert control_plane.ca_data == control_plane.config.tls.ca_data
        with control_plane.connect(control_plane.user("dave"), namespace="shop") as client:
            assert client.resource("v1/pods") is not None

    def test_nothing_secret_is_shown(self, control_plane: ControlPlane) -> None:
        token = yaml.safe_load(control_plane.token_user().read_text())["users"][0]["user"]["token"]
        assert token not in repr(control_plane)
        assert token not in repr(vars(control_plane)["_running"])


class TestTrouble:
    """One server for all: each test leaves it running."""

    def test_paused(self, control_plane: ControlPlane, admin: Client) -> None:
        control_plane.pause()
        try:
            with pytest.raises(TimeoutError):
                admin.send("GET", "/version", timeout=0.2)
        finally:
            control_plane.resume()
        assert admin.send("GET", "/version")[0] == 200

    def test_killed_and_restarted(self, control_plane: ControlPlane, admin: Client) -> None:
        admin.send("POST", CONFIG_MAPS, config_map("survives-a-kill"))
        url = control_plane.url
        with admin.open("GET", f"{CONFIG_MAPS}?watch=1") as watch:
            assert watch.readline()
            control_plane.kill()
            with contextlib.suppress(OSError, http.client.HTTPException):  # or a bare end of the stream
                while watch.readline():
                    pass
        with pytest.raises(ConnectionRefusedError):
            admin.send("GET", "/version")
        control_plane.kill()
        with pytest.raises(ControlPlaneError, match=r"not running .*call restart\(\) first"):
            control_plane.pause()
        control_plane.restart()
        assert url == control_plane.url
        assert admin.send("GET", f"{CONFIG_MAPS}/survives-a-kill")[0] == 200

    def test_an_orderly_restart_ends_watches_and_does_not_wait_for_them(
        self, control_plane: ControlPlane, admin: Client
    ) -> None:
        with admin.open("GET", "/api/v1/namespaces?watch=1") as watch:
            began = time.monotonic()
            control_plane.restart()
            assert watch.read().endswith(b"\n")
        assert time.monotonic() - began < 30

    def test_a_paused_server_can_be_restarted(self, control_plane: ControlPlane, admin: Client) -> None:
        control_plane.pause()
        control_plane.restart()
        assert admin.send("GET", "/version")[0] == 200

    def test_etcd_restarted(self, control_plane: ControlPlane, admin: Client) -> None:
        admin.send("POST", CONFIG_MAPS, config_map("survives-etcd"))
        control_plane.restart_etcd()
        assert admin.send("GET", f"{CONFIG_MAPS}/survives-etcd")[0] == 200
        assert admin.send("DELETE", f"{CONFIG_MAPS}/survives-etcd")[0] == 200

    def test_history_expires(self, control_plane: ControlPlane, admin: Client) -> None:
        for number in range(3):
            admin.send("POST", CONFIG_MAPS, config_map(f"history-{number}"))
        _, page = admin.send("GET", f"{CONFIG_MAPS}?limit=1")
        version, token = page["metadata"]["resourceVersion"], page["metadata"]["continue"]
        control_plane.expire_history()
        assert admin.send("GET", f"{CONFIG_MAPS}?limit=1&continue={token}")[0] == 410
        exact = f"{CONFIG_MAPS}?resourceVersion={version}&resourceVersionMatch=Exact"
        assert admin.send("GET", exact)[0] == 410
        with admin.open("GET", f"{CONFIG_MAPS}?watch=1&resourceVersion={version}") as watch:
            event = json.loads(watch.readline())
        assert (event["type"], event["object"]["code"]) == ("ERROR", 410)
        assert admin.send("GET", f"{CONFIG_MAPS}/history-1")[0] == 200


class TestLife:
    def test_a_second_life_is_fresh(self) -> None:
        plane = ControlPlane(api_server_args=("--feature-gates=AllAlpha=false",), token_users={"t,1": ('a"b', "c")})
        assert "stopped" in repr(plane)
        with pytest.raises(ControlPlaneError, match=r"not running: call start\(\)"):
            _ = plane.url
        plane.start()
        first = plane.folder
        plane.start()
        assert first == plane.folder
        assert plane.token_user("t,1").exists()
        plane.stop()
        plane.stop()
        assert not first.exists()
        with plane:
            assert first != plane.folder

    def test_a_flag_that_the_server_does_not_know(self) -> None:
        plane = ControlPlane(api_server_args=("--no-such-flag=1",))
        with pytest.raises(ControlPlaneError) as caught:
            plane.start()
        text = str(caught.value)
        assert "kube-apiserver ended with status 1" in text
        assert "--no-such-flag=1" in text
        assert "unknown flag: --no-such-flag" in text
        assert "PRIVATE KEY" not in text
        assert "stopped" in repr(plane)

    def test_a_server_that_is_not_ready_in_time(self) -> None:
        with pytest.raises(ControlPlaneError, match=r"gave up after 0.1 s: [^\n]*; kube-apiserver was started with"):
            ControlPlane(startup_timeout=0.1).start()

    def test_the_controller_manager_and_a_node(self, tmp_path: Path) -> None:
        assets = Path(os.environ["KUBEBUILDER_ASSETS"])
        if not all((assets / name).exists() for name in ("kube-controller-manager", "test-node")):
            pytest.skip("these assets have no kube-controller-manager or test-node")
        with ControlPlane(controller_manager=True, test_node=True) as plane:
            client = Client(plane.kubeconfig, tmp_path)
            assert client.send("POST", "/api/v1/namespaces", {"metadata": {"name": "gone"}})[0] == 201
            with client.open("GET", "/api/v1/namespaces?watch=1&fieldSelector=metadata.name=gone", timeout=60) as watch:
                assert client.send("DELETE", "/api/v1/namespaces/gone")[0] == 200
                assert any(json.loads(line)["type"] == "DELETED" for line in watch)
            container = {"name": "c", "image": "none", "command": ["/bin/sh", "-c", "echo hello; sleep 1000"]}
            pod = {"metadata": {"name": "p"}, "spec": {"containers": [container]}}
            pods = "/api/v1/namespaces/default/pods"
            assert client.send("POST", pods, pod)[0] == 201
            with client.open("GET", f"{pods}?watch=1", timeout=60) as watch:
                assert any(json.loads(line)["object"]["status"]["phase"] == "Running" for line in watch)
            with client.open("GET", f"{pods}/p/log?follow=true", timeout=60) as log:
                assert log.readline() == b"hello\n"
            folder = plane.folder
        assert not folder.exists()


OWNER = """
import json, sys
from pathlib import Path
from dynkube.testing import ControlPlane

plane = ControlPlane()
plane.start()
running = plane._running
pids = [running.guard.pid, running.etcd.pid, running.api_server.pid]
print(json.dumps({"folder": str(plane.folder), "pids": pids, "port": running.port}), flush=True)
if sys.argv[1] == "pause":
    plane.pause()
    print("paused", flush=True)
if sys.argv[1] == "wait":
    sys.stdin.read()
"""


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="waits for other processes by pidfd (Linux)")
@pytest.mark.parametrize("how", ["wait", "pause", "exit"])
def test_nothing_is_left_of_a_control_plane_whose_process_was_killed(how: str) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, how], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout is not None
    said = json.loads(owner.stdout.readline())
    watched = []
    for pid in said["pids"]:
        try:
            watched.append(os.pidfd_open(pid))
        except ProcessLookupError:
            assert how == "exit"
    if how == "pause":
        assert owner.stdout.readline() == "paused\n"
    if how != "exit":
        owner.send_signal(signal.SIGKILL)
    ended = time.monotonic() + 5 if how != "exit" else time.monotonic() + 15
    try:
        for descriptor in watched:
            assert select.select([descriptor], [], [], max(0, ended - time.monotonic()))[0], "alive after 5 s"
    finally:
        for descriptor in watched:
            os.close(descriptor)
        owner.communicate()
    assert not Path(said["folder"]).exists()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", said["port"]))
