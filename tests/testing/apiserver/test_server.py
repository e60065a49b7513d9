"""The embedded server's face: what it shares with `ControlPlane`, and what only it has."""

from __future__ import annotations

import gc
import http.client
import json
import os
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from plain import Client, event

import dynkube
from dynkube.errors import ClosedError, ConfigError, InvalidRequestError
from dynkube.testing import AccessRule, APIServer, ControlPlaneError, FaultProxy, Refusal, Write

CONFIGMAPS = "/api/v1/namespaces/default/configmaps"
CRD = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.example.com"},
    "spec": {
        "group": "example.com",
        "names": {"plural": "widgets", "singular": "widget", "kind": "Widget"},
        "scope": "Namespaced",
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                },
                "subresources": {"status": {}},
            }
        ],
    },
}
WIDGET = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "one"}, "spec": {"size": 3}}
DEPLOYMENT: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web"},
    "spec": {
        "replicas": 3,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "web", "image": "nginx"}]},
        },
    },
}


@pytest.fixture(scope="module")
def _server() -> Iterator[APIServer]:
    with APIServer() as server:
        yield server


@pytest.fixture
def server(_server: APIServer) -> Iterator[APIServer]:
    """One for the module, as it was at its start."""
    yield _server
    _server.reset()


@pytest.fixture
def client(server: APIServer) -> Client:
    return Client(server)


def config_map(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def names(client: Client, path: str = CONFIGMAPS) -> list[str]:
    return [item["metadata"]["name"] for item in client.get(path).json()["items"]]


def wait_until(condition: Callable[[], bool], timeout: float = 5.0) -> None:
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, "it did not become true"
        time.sleep(0.005)


class TestLife:
    def test_starts_serves_and_is_gone(self) -> None:
        server = APIServer()
        assert repr(server) == "<APIServer stopped>"
        with server:
            assert repr(server) == f"<APIServer {server.url}>"
            kubeconfig = server.kubeconfig
            assert Client(server).get("/api/v1/namespaces/default").status == 200
            port = int(server.url.rpartition(":")[2])
        assert not kubeconfig.parent.exists()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))
        with pytest.raises(ControlPlaneError, match=r"not running: call start\(\)"):
            _ = server.url

    def test_start_and_stop_may_come_twice(self) -> None:
        server = APIServer()
        server.start()
        url = server.url
        server.start()
        assert server.url == url
        server.stop()
        server.stop()
        server.start()
        assert Client(server).get("/version").status == 200
        server.stop()

    def test_a_new_start_is_a_new_server(self) -> None:
        server = APIServer()
        with server:
            Client(server).post(CONFIGMAPS, config_map("a"))
            first = server.ca_data
        with server:
            assert names(Client(server)) == []
            assert server.ca_data != first

    def test_several_at_once_know_nothing_of_each_other(self) -> None:
        with APIServer() as one, APIServer() as two:
            Client(one).post(CONFIGMAPS, config_map("a"))
            assert names(Client(one)) == ["a"]
            assert names(Client(two)) == []

    def test_many_leave_no_thread_descriptor_or_folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

        def live() -> None:
            with APIServer() as server:
                client = Client(server)
                connection, response = client.watch(f"{CONFIGMAPS}?watch=1")
                client.post(CONFIGMAPS, config_map("a"))
                assert event(response)["type"] == "ADDED"
                connection.close()
                response.close()

        live()
        gc.collect()
        descriptors, threads = len(os.listdir("/proc/self/fd")), threading.active_count()
        for _ in range(5):
            live()
        assert len(os.listdir("/proc/self/fd")) == descriptors
        assert threading.active_count() == threads
        assert list(tmp_path.iterdir()) == []

    def test_stops_at_once_whatever_is_open(self) -> None:
        server = APIServer()
        server.start()
        client = Client(server)
        watches = [client.watch(f"{CONFIGMAPS}?watch=1") for _ in range(10)]
        begin = time.monotonic()
        server.stop()
        assert time.monotonic() - begin < 0.5  # 0.05 s is the benchmark's; a test machine is shared
        for connection, response in watches:
            with pytest.raises((http.client.HTTPException, OSError)):
                response.read()
            connection.close()

    def test_one_that_is_forgotten_ends(self) -> None:
        server = APIServer()
        server.start()
        kubeconfig, url = server.kubeconfig, server.url
        del server
        gc.collect()
        assert not kubeconfig.exists()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])))

    def test_an_interpreter_that_ends_leaves_nothing(self) -> None:
        code = (
            "from dynkube.testing import APIServer\n"
            "server = APIServer(); server.start()\n"
            "client = server.connect(); client.resource('configmaps').list()\n"
            "print(server.kubeconfig.parent)"
        )
        done = subprocess.run(
            [sys.executable, "-X", "dev", "-c", code], capture_output=True, text=True, timeout=60, check=True
        )
        assert done.stderr == ""
        assert not Path(done.stdout.strip()).exists()

    @pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
    def test_a_forked_child_must_not_use_it(self) -> None:
        with APIServer() as server:
            kubeconfig = server.kubeconfig
            child = os.fork()
            if child == 0:
                code = 1
                try:
                    server.kill()
                except ClosedError as error:
                    code = 0 if "forked" in str(error) else 2
                server.stop()
                os._exit(code)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
            assert kubeconfig.exists()
            assert Client(server).get("/version").status == 200

    def test_importing_it_imports_no_server_library(self) -> None:
        code = (
            "import sys; from dynkube.testing import APIServer, ServerFault; APIServer()\n"
            "print([each for each in ('aiohttp', 'cryptography', 'google.protobuf', 'celpy', 'yaml') if each in sys.modules])"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout == "[]\n"


class TestAddresses:
    def test_only_loopback_unless_told_otherwise(self) -> None:
        with pytest.raises(ConfigError, match=r"is reached by other machines.*allow_remote=True"):
            APIServer(host="0.0.0.0")
        with pytest.raises(ConfigError, match="is no IP address"):
            APIServer(host="example.com")

    def test_everywhere_when_told(self) -> None:
        with APIServer(host="0.0.0.0", allow_remote=True) as server:
            assert server.url.startswith("https://127.0.0.1:")
            assert Client(server).get("/version").status == 200

    def test_a_port_of_the_callers_own(self) -> None:
        with closing(socket.socket()) as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        with APIServer(port=port, host="localhost") as server:
            assert server.url == f"https://127.0.0.1:{port}"
            with pytest.raises(ConfigError, match=f"cannot listen on 127.0.0.1:{port}: Address already in use"):
                APIServer(port=port).start()


class TestUsers:
    def test_the_admins_kubeconfig_is_private(self, server: APIServer) -> None:
        path = server.kubeconfig
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert server.kubeconfig == path
        document = yaml.safe_load(path.read_text())
        assert document["clusters"][0]["cluster"]["server"] == server.url

    def test_connect_gives_the_admins_client(self, server: APIServer) -> None:
        with server.connect() as client:
            client.resource("configmaps").namespace("default").create(config_map("a"))
            assert client.resource("configmaps").namespace("default").get("a")["metadata"]["name"] == "a"

    def test_a_user_may_nothing_until_it_is_allowed(self, server: APIServer) -> None:
        alice = Client(server, server.user("alice", ("devs",)))
        denied = alice.get(CONFIGMAPS)
        assert (denied.status, denied.json()["reason"]) == (403, "Forbidden")
        server.allow(AccessRule(group="devs", verbs=("get", "list"), resources=("configmaps",), namespace="default"))
        assert alice.get(CONFIGMAPS).status == 200
        assert alice.post(CONFIGMAPS, config_map("a")).status == 403
        assert alice.get("/api/v1/configmaps").status == 403

    def test_a_rule_for_everywhere(self, server: APIServer) -> None:
        bob = Client(server, server.user("bob"))
        server.allow(AccessRule(user="bob", verbs=("*",), resources=("configmaps",)))
        assert bob.post(CONFIGMAPS, config_map("a")).status == 201
        assert bob.get("/api/v1/configmaps").status == 200

    def test_a_rule_for_a_namespace_that_is_not_there(self, server: APIServer) -> None:
        rule = AccessRule(user="bob", verbs=("get",), resources=("pods",), namespace="nowhere")
        with pytest.raises(ControlPlaneError, match=r"namespaces/nowhere/roles: HTTP 404: namespaces .* not found"):
            server.allow(rule)

    def test_users_with_tokens(self) -> None:
        with APIServer(token_users={"ci": ("builders",)}) as server:
            ci = Client(server, server.token_user("ci"))
            assert ci.get(CONFIGMAPS).status == 403
            assert server.requests[-1].user == "ci"
            assert "builders" in server.requests[-1].groups
            with pytest.raises(InvalidRequestError, match=r"no user 'nobody' \(ci\): name it in APIServer"):
                server.token_user("nobody")

    @pytest.mark.parametrize(
        ("arguments", "problem"),
        [(("",), "1 to 64 characters"), (("a" * 65,), "1 to 64 characters"), (("a", "devs"), "sequence of strings")],
    )
    def test_names_that_fit_into_no_certificate(self, server: APIServer, arguments: Any, problem: str) -> None:
        with pytest.raises(InvalidRequestError, match=problem):
            server.user(*arguments)

    def test_token_users_that_make_no_sense(self) -> None:
        with pytest.raises(ConfigError, match="names a user ''"):
            APIServer(token_users={"": ()})
        with pytest.raises(ConfigError, match="sequence of strings"):
            APIServer(token_users={"a": "b"})

    def test_refusals_by_rule_meet_the_admin_too(self, server: APIServer, client: Client) -> None:
        withdraw = server.refuse(Refusal(verb="list", resource="configmaps", reason="not today"))
        answer = client.get(CONFIGMAPS)
        assert answer.status == 403
        assert answer.json()["message"].endswith("not today")
        assert client.post(CONFIGMAPS, config_map("a")).status == 201
        withdraw()
        assert client.get(CONFIGMAPS).status == 200


class TestTrouble:
    def test_a_killed_server_refuses_until_it_is_restarted_and_forgets_nothing(self) -> None:
        with APIServer() as server:
            client = Client(server)
            client.post(CONFIGMAPS, config_map("a"))
            connection, response = client.watch(f"{CONFIGMAPS}?watch=1")
            assert event(response)["type"] == "ADDED"
            server.kill()
            with pytest.raises((http.client.IncompleteRead, OSError)):
                response.read()
            connection.close()
            with pytest.raises(ConnectionRefusedError):
                client.get(CONFIGMAPS)
            for action in (server.pause, server.resume):
                with pytest.raises(ControlPlaneError, match=r"not running .*call restart\(\) first"):
                    action()
            server.kill()
            server.restart()
            assert names(client) == ["a"]

    def test_a_restart_ends_watches_in_an_orderly_way(self) -> None:
        with APIServer() as server:
            client = Client(server)
            connection, response = client.watch(f"{CONFIGMAPS}?watch=1")
            url = server.url
            server.restart()
            assert response.read() == b""
            connection.close()
            assert server.url == url
            assert client.get(CONFIGMAPS).status == 200

    def test_a_paused_server_keeps_connections_and_answers_nobody(self) -> None:
        with APIServer() as server:
            client = Client(server)
            connection, response = client.watch(f"{CONFIGMAPS}?watch=1")
            server.pause()
            server.pause()
            answered = threading.Event()

            def ask() -> None:
                client.post(CONFIGMAPS, config_map("a"))
                answered.set()

            asking = threading.Thread(target=ask)
            asking.start()
            assert not answered.wait(0.1)
            assert server.requests[-1].verb == "watch"
            assert server.history("configmaps", "default", "a") == ()
            server.resume()
            assert answered.wait(5)
            asking.join()
            assert event(response)["object"]["metadata"]["name"] == "a"
            connection.close()

    def test_a_paused_server_is_written_to_by_nobody(self, server: APIServer) -> None:
        server.pause()
        rule = AccessRule(user="bob", verbs=("get",), resources=("pods",))
        for action in (lambda: server.load(config_map("a")), lambda: server.allow(rule)):
            with pytest.raises(ControlPlaneError, match=r"paused.*call resume\(\) first"):
                action()
        server.resume()

    def test_a_paused_server_can_be_killed_restarted_and_stopped(self) -> None:
        with APIServer() as server:
            server.pause()
            server.kill()
            server.restart()
            assert Client(server).get("/version").status == 200
            server.pause()
            server.restart()
            assert Client(server).get("/version").status == 200
            server.pause()

    def test_expired_history_is_gone_and_every_connection_cut(self) -> None:
        with APIServer() as server:
            client = Client(server)
            for name in "abc":
                client.post(CONFIGMAPS, config_map(name))
            page = client.get(f"{CONFIGMAPS}?limit=1").json()["metadata"]
            connection, response = client.watch(f"{CONFIGMAPS}?watch=1&resourceVersion={page['resourceVersion']}")
            server.expire_history()
            with pytest.raises((http.client.IncompleteRead, OSError)):
                response.read()
            connection.close()
            expired = client.get(f"{CONFIGMAPS}?limit=1&continue={page['continue']}")
            assert (expired.status, expired.json()["reason"]) == (410, "Expired")
            exact = f"{CONFIGMAPS}?resourceVersionMatch=Exact&resourceVersion={page['resourceVersion']}"
            assert client.get(exact).status == 410
            [line] = client.get(f"{CONFIGMAPS}?watch=1&resourceVersion={page['resourceVersion']}").body.splitlines()
            assert json.loads(line)["object"]["code"] == 410
            assert names(client) == ["a", "b", "c"]

    def test_a_fault_proxy_stands_before_it(self, server: APIServer) -> None:
        with FaultProxy.before(server) as proxy, dynkube.connect(kubeconfig=server.kubeconfig) as client:
            assert proxy.url != server.url
            assert client.resource("configmaps").list() is not None


class TestBrokenGroups:
    GROUP_VERSION = "broken.example.com/v1"
    AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"

    @pytest.mark.parametrize(
        ("how", "status", "body", "freshness"),
        [
            ("unavailable", 503, b"service unavailable\n", "Stale"),
            ("refused", 503, b"service unavailable\n", "Stale"),
            ("stale", 503, b"service unavailable\n", "Stale"),
            ("html", 200, b"<!DOCTYPE html>", "Stale"),
            ("garbage", 200, b'{"kind":', "Stale"),
            ("empty", 200, b"", "Current"),
            ("healthy", 200, b'{"kind":"APIResourceList"', "Current"),
        ],
    )
    def test_answer_in_their_way(
        self, server: APIServer, client: Client, how: str, status: int, body: bytes, freshness: str
    ) -> None:
        with server.break_group(self.GROUP_VERSION, how):
            answer = client.get(f"/apis/{self.GROUP_VERSION}")
            assert answer.status == status
            assert answer.body.startswith(body)
            assert "broken.example.com" in [each["name"] for each in client.get("/apis").json()["groups"]]
            [version] = self.versions(client)
            assert version["freshness"] == freshness
            assert bool(version.get("resources")) == (how == "healthy")
        assert client.get(f"/apis/{self.GROUP_VERSION}").status == 404
        assert self.versions(client) == []

    def versions(self, client: Client) -> list[Any]:
        groups = client.get("/apis", Accept=self.AGGREGATED).json()["items"]
        return [
            version
            for group in groups
            if group["metadata"]["name"] == "broken.example.com"
            for version in group["versions"]
        ]

    def test_are_not_for_everybody(self, server: APIServer) -> None:
        with server.break_group(self.GROUP_VERSION, "html"):
            assert Client(server, server.user("alice")).get(f"/apis/{self.GROUP_VERSION}/gizmos").status == 403

    def test_a_handle_changes_the_way(self, server: APIServer, client: Client) -> None:
        broken = server.break_group(self.GROUP_VERSION)
        assert broken.how == "unavailable"
        broken.behave("html")
        assert client.get(f"/apis/{self.GROUP_VERSION}").status == 200
        broken.repair()
        assert client.get(f"/apis/{self.GROUP_VERSION}/gizmos").json()["kind"] == "GizmoList"
        broken.remove()
        broken.remove()
        with pytest.raises(InvalidRequestError, match="has been removed"):
            broken.repair()

    def test_one_that_hangs_waits_until_it_changes(self, server: APIServer, client: Client) -> None:
        broken = server.break_group(self.GROUP_VERSION, "hang")
        connection = client.connect()
        with closing(connection):
            connection.request("GET", f"/apis/{self.GROUP_VERSION}")
            connection.sock.settimeout(0.1)
            with pytest.raises(TimeoutError):
                connection.getresponse()
            assert client.get(CONFIGMAPS).status == 200
            broken.repair()

    def test_names_that_cannot_be(self, server: APIServer) -> None:
        for name in ("apps/v1", "v1", "a.b", "A.b/v1"):
            with pytest.raises(InvalidRequestError, match="break_group"):
                server.break_group(name)
        with pytest.raises(InvalidRequestError, match="how='odd' is none of empty"):
            server.break_group(self.GROUP_VERSION, "odd")
        with server.break_group(self.GROUP_VERSION), pytest.raises(InvalidRequestError, match="is there already"):
            server.break_group(self.GROUP_VERSION)


class TestRequests:
    def test_say_what_was_asked_by_whom_and_what_came_of_it(self, server: APIServer, client: Client) -> None:
        client.post(f"{CONFIGMAPS}?fieldManager=me", config_map("a", x="1"), Authorization="Bearer secret")
        client.get("/apis/apps/v1/namespaces/shop/deployments/web/scale")
        client.delete(CONFIGMAPS)
        client.get("/healthz")
        create, scale, collection, health = server.requests
        assert (create.verb, create.resource, create.namespace, create.status) == (
            "create",
            "configmaps",
            "default",
            201,
        )
        assert (create.method, create.path) == ("POST", CONFIGMAPS)
        assert create.parameter("fieldManager") == "me"
        assert create.json()["data"] == {"x": "1"}
        assert create.headers.get("authorization") == "Bearer ..."
        assert (create.user, create.groups) == ("admin", ("system:masters", "system:authenticated"))
        assert (scale.group, scale.version, scale.name, scale.subresource) == ("apps", "v1", "web", "scale")
        assert collection.verb == "deletecollection"
        assert (health.verb, health.resource, health.path) == ("get", "", "/healthz")

    def test_that_are_refused_are_there_too(self, server: APIServer) -> None:
        Client(server, server.user("alice")).get(CONFIGMAPS)
        assert [(each.user, each.status) for each in server.requests] == [("alice", 403)]

    def test_can_be_waited_for(self, server: APIServer, client: Client) -> None:
        timer = threading.Timer(0.05, lambda: client.get(f"{CONFIGMAPS}/a"))
        timer.start()
        server.wait_for_request(5, verb="get", resource="configmaps", name="a")
        server.wait_for_request(5, method="get", path=CONFIGMAPS)
        timer.join()
        with pytest.raises(
            TimeoutError, match=rf"waited 0 s for 2 requests list; the last requests: GET {CONFIGMAPS}/a"
        ):
            server.wait_for_request(0, verb="list", count=2)

    def test_of_the_tests_own_doing_are_not(self, server: APIServer) -> None:
        server.allow(AccessRule(user="bob", verbs=("get",), resources=("pods",)))
        server.load(config_map("a"))
        assert server.requests == ()


class TestManyWatches:
    def test_cost_one_encoding_of_each_write(self, server: APIServer, client: Client) -> None:
        watches = [client.watch(f"{CONFIGMAPS}?watch=1") for _ in range(50)]
        before = server.encodings
        for number in range(20):
            client.post(CONFIGMAPS, config_map(f"c{number:02}"))
        for connection, response in watches:
            told = [event(response)["object"]["metadata"]["name"] for _ in range(20)]
            assert told == [f"c{number:02}" for number in range(20)]
            connection.close()
            response.close()
        assert server.encodings - before == 20


class TestHeaders:
    def test_name_the_flow_of_the_user(self, server: APIServer, client: Client) -> None:
        def uid(resource: str, name: str) -> str:
            found: str = client.get(f"/apis/flowcontrol.apiserver.k8s.io/v1/{resource}/{name}").json()["metadata"][
                "uid"
            ]
            return found

        for asking, name in ((client, "exempt"), (Client(server, server.user("alice")), "global-default")):
            headers = asking.get(CONFIGMAPS).headers
            assert headers["X-Kubernetes-Pf-Flowschema-Uid"] == uid("flowschemas", name)
            assert headers["X-Kubernetes-Pf-Prioritylevel-Uid"] == uid("prioritylevelconfigurations", name)


class TestHistory:
    def test_is_what_happened_to_an_object(self, server: APIServer, client: Client) -> None:
        made = client.post(CONFIGMAPS, config_map("a", x="1")).json()
        client.put(f"{CONFIGMAPS}/a", made | {"data": {"x": "2"}})
        client.delete(f"{CONFIGMAPS}/a")
        history = server.history("configmaps", "default", "a")
        assert [each.type for each in history] == ["ADDED", "MODIFIED", "DELETED"]
        assert [each.object["data"]["x"] for each in history] == ["1", "2", "2"]
        assert history[1].old is not None
        assert history[1].old["data"]["x"] == "1"
        assert str(history[0].resource) == "/v1, Resource=configmaps"
        versions = [int(each.resource_version) for each in history]
        assert versions == sorted(versions)

    @pytest.mark.parametrize(
        "name",
        [
            "deployments",
            "deployments.apps",
            "deployments.v1.apps",
            "apps/v1/deployments",
            dynkube.GroupVersionResource("apps", "v1", "deployments"),
        ],
    )
    def test_takes_the_names_of_resources(self, server: APIServer, client: Client, name: Any) -> None:
        client.post("/apis/apps/v1/namespaces/default/deployments", DEPLOYMENT)
        assert len(server.history(name, "default", "web")) == 1

    def test_of_what_is_not_served(self, server: APIServer) -> None:
        with pytest.raises(InvalidRequestError, match="nothing of this name is served"):
            server.history("widgets", "default", "a")


class TestObjects:
    def write(self, folder: Path) -> Path:
        (folder / "crds").mkdir()
        (folder / "crds" / "widget.yaml").write_text(yaml.safe_dump(CRD))
        status = {"status": {"phase": "Ready"}}
        documents = [WIDGET | status, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}]
        (folder / "objects.yaml").write_text(yaml.safe_dump_all(documents))
        listed = {"apiVersion": "v1", "kind": "List", "items": [config_map("a"), config_map("b")]}
        (folder / "more.json").write_text(json.dumps(listed))
        (folder / "README.md").write_text("no object")
        return folder

    def test_from_files_and_folders_at_the_start(self, tmp_path: Path) -> None:
        extra = config_map("c") | {"metadata": {"name": "c", "namespace": "shop"}}
        with APIServer(objects=[extra, self.write(tmp_path)]) as server:
            client = Client(server)
            assert names(client) == ["a", "b"]
            assert names(client, "/api/v1/namespaces/shop/configmaps") == ["c"]
            widget = client.get("/apis/example.com/v1/namespaces/default/widgets/one").json()
            assert widget["spec"] == {"size": 3}
            assert widget["status"] == {"phase": "Ready"}

    def test_later_too_and_what_is_there_is_replaced(self, server: APIServer, client: Client, tmp_path: Path) -> None:
        server.load(self.write(tmp_path))
        server.load(config_map("a", x="2"), {**WIDGET, "spec": {"size": 4}})
        assert client.get(f"{CONFIGMAPS}/a").json()["data"] == {"x": "2"}
        assert client.get("/apis/example.com/v1/namespaces/default/widgets/one").json()["spec"] == {"size": 4}

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("a: [", r"bad.yaml: line 2"),
            ("a: 1", "bad.yaml: no Kubernetes object: it has no kind"),
            (
                "kind: Widget\napiVersion: none.example.com/v1",
                "bad.yaml: Widget .* is not served: create its CRD first",
            ),
            ("kind: ConfigMap", "bad.yaml: ConfigMap has no apiVersion"),
            ("kind: ConfigMap\napiVersion: v1\nmetadata: {name: UPPER}", r"bad.yaml: HTTP 422: ConfigMap \"UPPER\""),
            ("kind: List\nitems: [a]", "bad.yaml, item 0: no Kubernetes object"),
            ("a: 1\n---\nb: 1", "bad.yaml, document 1: no Kubernetes object"),
        ],
    )
    def test_that_are_bad_say_where(self, server: APIServer, tmp_path: Path, text: str, problem: str) -> None:
        path = tmp_path / "bad.yaml"
        path.write_text(text)
        with pytest.raises(InvalidRequestError, match=problem):
            server.load(path)

    def test_that_are_not_there(self, server: APIServer, tmp_path: Path) -> None:
        with pytest.raises(InvalidRequestError, match="cannot be read: No such file"):
            server.load(tmp_path / "none.yaml")
        with pytest.raises(InvalidRequestError, match="no file here ends in"):
            server.load(tmp_path)

    def test_a_server_whose_objects_are_bad_does_not_start(self, tmp_path: Path) -> None:
        threads = threading.active_count()
        server = APIServer(objects=[{"kind": "ConfigMap"}])
        with pytest.raises(InvalidRequestError):
            server.start()
        assert threading.active_count() == threads
        with pytest.raises(InvalidRequestError, match="give a sequence of files"):
            APIServer(objects=str(tmp_path)).start()


class TestReset:
    def test_brings_back_the_start_and_nothing_else(self) -> None:
        with APIServer(objects=[CRD, WIDGET, config_map("kept", x="1")]) as server:
            client = Client(server)
            before = client.get(f"{CONFIGMAPS}/kept").json()
            client.put(f"{CONFIGMAPS}/kept", config_map("kept", x="2"))
            client.post(CONFIGMAPS, config_map("new"))
            client.delete("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.example.com")
            other = json.loads(json.dumps(CRD).replace("widget", "gadget").replace("Widget", "Gadget"))
            client.post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", other)
            server.break_group("broken.example.com/v1")
            server.reset()
            assert server.requests == ()
            after = client.get(f"{CONFIGMAPS}/kept").json()
            assert after["data"] == {"x": "1"}
            assert after["metadata"]["uid"] == before["metadata"]["uid"]
            assert names(client) == ["kept"]
            assert client.get("/apis/broken.example.com/v1").status == 404
            assert names(client, "/apis/example.com/v1/widgets") == ["one"]
            assert client.get("/apis/example.com/v1/gadgets").status == 404

    def test_makes_what_was_before_too_old(self, server: APIServer, client: Client) -> None:
        version = client.post(CONFIGMAPS, config_map("a")).json()["metadata"]["resourceVersion"]
        server.reset()
        [line] = client.get(f"{CONFIGMAPS}?watch=1&resourceVersion={version}").body.splitlines()
        assert json.loads(line)["object"]["code"] == 410


class TestClock:
    def test_objects_get_its_time(self) -> None:
        now = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
        with APIServer(clock=lambda: now) as server:
            client = Client(server)
            made = client.post(CONFIGMAPS, config_map("a", x="1")).json()["metadata"]
            assert made["creationTimestamp"] == "2030-01-02T03:04:05Z"
            assert made["managedFields"][0]["time"] == "2030-01-02T03:04:05Z"
            now += timedelta(days=1)
            made = client.post(CONFIGMAPS, config_map("b")).json()["metadata"]
            assert made["creationTimestamp"] == "2030-01-03T03:04:05Z"


class TestHooks:
    def test_get_each_write(self, server: APIServer, client: Client) -> None:
        seen: list[tuple[str, str, bool]] = []
        remove = server.on_write(lambda write: seen.append((write.type, write.name, write.old is None)), "configmaps")
        client.post(CONFIGMAPS, config_map("a"))
        client.post("/api/v1/namespaces/default/secrets", {"metadata": {"name": "s"}})
        client.put(f"{CONFIGMAPS}/a", config_map("a", x="1"))
        client.delete(f"{CONFIGMAPS}/a")
        wait_until(lambda: len(seen) == 3)
        assert seen == [("ADDED", "a", True), ("MODIFIED", "a", False), ("DELETED", "a", False)]
        remove()
        client.post(CONFIGMAPS, config_map("b"))
        client.get(CONFIGMAPS)
        assert len(seen) == 3

    def test_what_they_return_is_written(self, server: APIServer, client: Client) -> None:
        server.load(CRD)

        def ready(write: Write) -> dict[str, Any] | None:
            if write.type != "ADDED":
                return None
            metadata = {**write.object["metadata"], "labels": {"seen": "yes"}}
            return {**write.object, "metadata": metadata, "status": {"phase": "Ready"}}

        remove = server.on_write(ready, "widgets.example.com")
        path = "/apis/example.com/v1/namespaces/default/widgets"
        client.post(path, WIDGET)
        widget = client.get(f"{path}/one").json()
        assert (widget["status"], widget["metadata"]["labels"]) == ({"phase": "Ready"}, {"seen": "yes"})
        remove()

    def test_that_fail_are_logged(self, server: APIServer, client: Client, caplog: pytest.LogCaptureFixture) -> None:
        def fail(write: Write) -> None:
            raise ZeroDivisionError

        seen: list[Write] = []
        removals = [server.on_write(fail), server.on_write(seen.append)]
        assert client.post(CONFIGMAPS, config_map("a")).status == 201
        assert client.get(CONFIGMAPS).status == 200
        assert "ZeroDivisionError" in caplog.text
        assert [each.name for each in seen] == ["a"]
        for remove in removals:
            remove()


class TestWorkloads:
    @pytest.fixture
    def client(self) -> Iterator[Client]:
        with APIServer(run_workloads=True) as server:
            yield Client(server)

    def test_pods_run(self, client: Client) -> None:
        pods = "/api/v1/namespaces/default/pods"
        pod = {"metadata": {"name": "p"}, "spec": DEPLOYMENT["spec"]["template"]["spec"]}
        assert client.post(pods, pod).json()["status"]["phase"] == "Pending"
        status = client.get(f"{pods}/p").json()["status"]
        assert status["phase"] == "Running"
        assert {each["type"]: each["status"] for each in status["conditions"]}["Ready"] == "True"
        assert status["containerStatuses"][0]["ready"] is True
        assert status["podIP"] == status["podIPs"][0]["ip"]

    def test_deployments_are_available_and_follow_changes(self, client: Client) -> None:
        path = "/apis/apps/v1/namespaces/default/deployments"
        client.post(path, DEPLOYMENT)
        status = client.get(f"{path}/web").json()["status"]
        assert (status["availableReplicas"], status["observedGeneration"]) == (3, 1)
        assert [each["type"] for each in status["conditions"]] == ["Available", "Progressing"]
        client.put(f"{path}/web", DEPLOYMENT | {"spec": DEPLOYMENT["spec"] | {"replicas": 0}})
        status = client.get(f"{path}/web").json()["status"]
        assert (status.get("availableReplicas", 0), status["observedGeneration"]) == (0, 2)

    @pytest.mark.parametrize(
        ("plural", "kind", "field"),
        [
            ("replicasets", "ReplicaSet", "readyReplicas"),
            ("statefulsets", "StatefulSet", "readyReplicas"),
            ("daemonsets", "DaemonSet", "numberReady"),
        ],
    )
    def test_the_others_are_ready(self, client: Client, plural: str, kind: str, field: str) -> None:
        spec = dict(DEPLOYMENT["spec"])
        if kind == "DaemonSet":
            del spec["replicas"]
        path = f"/apis/apps/v1/namespaces/default/{plural}"
        assert client.post(path, DEPLOYMENT | {"kind": kind, "spec": spec}).status == 201
        assert client.get(f"{path}/web").json()["status"][field] == (1 if kind == "DaemonSet" else 3)

    def test_jobs_complete(self, client: Client) -> None:
        template = {"spec": DEPLOYMENT["spec"]["template"]["spec"] | {"restartPolicy": "Never"}}
        path = "/apis/batch/v1/namespaces/default/jobs"
        assert client.post(path, {"metadata": {"name": "j"}, "spec": {"template": template}}).status == 201
        status = client.get(f"{path}/j").json()["status"]
        assert status["succeeded"] == 1
        assert {each["type"]: each["status"] for each in status["conditions"]}["Complete"] == "True"
