"""Handlers behind the embedded server, as a test gives them: `APIServer.pods` and `APIServer.on_proxy`."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from raw import Answer, RawClient
from rawsockets import BINARY, RawSocket

from dynkube import streams
from dynkube.errors import InvalidRequestError
from dynkube.testing import (
    APIServer,
    ContainerSession,
    LocalProcess,
    LogRequest,
    PortForwardSession,
    ProxyRequest,
    ProxyResponse,
    ServerFault,
)

V5, V4 = "v5.channel.k8s.io", "v4.channel.k8s.io"
PODS = "/api/v1/namespaces/default/pods"
PATIENCE = 30


def pod(name: str, *containers: str) -> dict[str, Any]:
    made = [{"name": each, "image": "local"} for each in containers or ("main",)]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"containers": made}}


SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "web"},
    "spec": {"ports": [{"name": "http", "port": 80}]},
}
NODE = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1"}}


@pytest.fixture
def server() -> Iterator[APIServer]:
    with APIServer(objects=[pod("api"), pod("pair", "a", "b"), SERVICE, NODE]) as server:
        yield server


@pytest.fixture
def raw(server: APIServer) -> RawClient:
    return RawClient(server.kubeconfig)


def run(raw: RawClient, path: str = "api/exec?command=x&stdout=true&stderr=true", protocol: str = V5) -> Any:
    with RawSocket(raw, f"{PODS}/{path}", [protocol]) as socket:
        assert socket.handshake.status == 101, socket.handshake
        return socket.conversation()


def dial(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)


def open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def log(raw: RawClient, query: str = "", name: str = "api") -> str:
    return raw.request("GET", f"{PODS}/{name}/log?{query}").body.decode()


# ------------------------------------------------------------------ exec and attach


class TestCommands:
    def test_a_text_is_what_every_command_says(self, server: APIServer, raw: RawClient) -> None:
        server.pods.on_exec("Linux\n")
        told = run(raw)
        assert (told.stdout, told.status["status"]) == (b"Linux\n", "Success")

    def test_a_function_gets_the_session(self, server: APIServer, raw: RawClient) -> None:
        seen: list[ContainerSession] = []
        server.pods.on_exec(seen.append)
        run(raw, "pair/exec?container=b&command=ls&command=-l&stdout=true")
        (session,) = seen
        assert (session.namespace, session.pod, session.container) == ("default", "pair", "b")
        assert (session.command, session.streams, session.tty) == (("ls", "-l"), {"stdout"}, False)
        assert session.user == "admin"

    def test_what_it_returns_is_the_exit_code(self, server: APIServer, raw: RawClient) -> None:
        server.pods.on_exec(lambda _: 5)
        assert run(raw).status["details"]["causes"] == [{"reason": "ExitCode", "message": "5"}]

    def test_what_it_raises_is_a_failure_of_the_runtime(self, server: APIServer, raw: RawClient) -> None:
        def fail(_: ContainerSession) -> int:
            raise RuntimeError("no space left on device")

        server.pods.on_exec(fail)
        assert run(raw).status["message"].endswith("error executing command in container: no space left on device")

    def test_it_reads_and_writes_files(self, server: APIServer, raw: RawClient) -> None:
        def upper(session: ContainerSession) -> None:
            for line in session.stdin:
                session.stdout.write(line.decode().upper())
                session.stderr.write(b"!")

        server.pods.on_exec(upper)
        with RawSocket(raw, f"{PODS}/api/exec?command=x&stdin=1&stdout=1&stderr=1", [V5]) as socket:
            socket.send(0, b"one\nt")
            assert socket.until(1, b"ONE\n")
            socket.send(0, b"wo\n")
            socket.close_channel(0)
            told = socket.conversation()
        assert told.stdout.endswith(b"TWO\n")
        assert told.stderr.endswith(b"!")

    def test_output_that_was_not_asked_for_goes_nowhere(self, server: APIServer, raw: RawClient) -> None:
        server.pods.on_exec("said")
        assert run(raw, "api/exec?command=x&stderr=true").channels.keys() == {2, 3}

    def test_stdin_that_was_not_asked_for_is_at_its_end(self, server: APIServer, raw: RawClient) -> None:
        server.pods.on_exec(lambda session: len(session.stdin.read()))
        assert run(raw).status["status"] == "Success"

    def test_a_large_output_arrives_whole(self, server: APIServer, raw: RawClient) -> None:
        data = bytes(range(256)) * 20_000
        server.pods.on_exec(data)
        assert run(raw).stdout == data

    def test_a_handler_is_for_some_pods(self, server: APIServer, raw: RawClient) -> None:
        server.pods.on_exec("any")
        server.pods.on_exec("pair", pod="pair")
        server.pods.on_exec("b", pod="pair", container="b", namespace="default")
        server.pods.on_exec("elsewhere", namespace="other")
        paths = ("api/exec?", "pair/exec?container=a&", "pair/exec?container=b&")
        said = [run(raw, f"{path}command=x&stdout=true").stdout for path in paths]
        assert said == [b"any", b"pair", b"b"]

    def test_the_latest_handler_that_fits_answers_until_it_is_withdrawn(
        self, server: APIServer, raw: RawClient
    ) -> None:
        server.pods.on_exec("first")
        withdraw = server.pods.on_exec("second")
        assert run(raw).stdout == b"second"
        withdraw()
        withdraw()
        assert run(raw).stdout == b"first"

    def test_without_a_handler_nobody_is_there(self, server: APIServer, raw: RawClient) -> None:
        server.pods.on_exec("x", pod="pair")
        with RawSocket(raw, f"{PODS}/api/exec?command=x&stdout=true", [V5]) as socket:
            assert socket.handshake.json()["message"] == "pod api does not have a host assigned"

    @pytest.mark.parametrize("state", [{"waiting": {"reason": "ContainerCreating"}}, {"terminated": {"exitCode": 1}}])
    def test_a_container_that_does_not_run_is_not_found(
        self, server: APIServer, raw: RawClient, state: dict[str, Any]
    ) -> None:
        server.pods.on_exec("x")
        server.load(pod("api") | {"status": {"containerStatuses": [{**STATUS, "state": state}]}})
        assert run(raw).status["message"].endswith('unable to upgrade connection: container not found ("main")')

    def test_sizes_of_the_terminal_are_told(self, server: APIServer, raw: RawClient) -> None:
        sizes: list[tuple[int, int]] = []
        both = threading.Event()

        def watch(session: ContainerSession) -> None:
            def resized(*size: int) -> None:
                sizes.append(size)  # type: ignore[arg-type]
                if size == (100, 50):
                    both.set()

            session.on_resize(resized)
            session.stdout.write(b"go")
            assert both.wait(PATIENCE)

        server.pods.on_exec(watch)
        with RawSocket(raw, f"{PODS}/api/exec?command=x&stdin=1&stdout=1&tty=1", [V5]) as socket:
            socket.send(4, b'{"Width":80,"Height":24}{"Wid')
            socket.until(1, b"go")
            socket.send(4, b'th":100,"Height":50}')
            assert socket.conversation().status["status"] == "Success"
        assert sizes == [(80, 24), (100, 50)]

    def test_a_handler_is_told_that_the_client_has_gone(self, server: APIServer, raw: RawClient) -> None:
        gone, told = threading.Event(), threading.Event()

        def wait(session: ContainerSession) -> None:
            session.on_hang_up(gone.set)
            assert session.stdin.read() == b""
            assert gone.wait(PATIENCE)
            with pytest.raises(BrokenPipeError):
                session.stdout.write(b"x")
            assert not session.is_open
            told.set()

        server.pods.on_exec(wait)
        with RawSocket(raw, f"{PODS}/api/exec?command=x&stdin=1&stdout=1", [V5]) as socket:
            assert socket.receive() == (BINARY, b"\x01")
        assert told.wait(PATIENCE)

    @pytest.mark.parametrize(("subresource", "status"), [("exec", "Failure"), ("attach", "Success")])
    def test_it_ends_with_its_pod(self, server: APIServer, raw: RawClient, subresource: str, status: str) -> None:
        ended = threading.Event()

        def wait(session: ContainerSession) -> None:
            session.on_hang_up(ended.set)
            session.stdin.read()

        (server.pods.on_exec if subresource == "exec" else server.pods.on_attach)(wait)
        with RawSocket(raw, f"{PODS}/api/{subresource}?command=x&stdin=1&stdout=1", [V5]) as socket:
            assert socket.receive() == (BINARY, b"\x01")
            raw.request("DELETE", f"{PODS}/api")
            told = socket.conversation()
        assert (told.status["status"], told.close_code) == (status, 1000)
        if subresource == "exec":
            assert told.status["details"]["causes"] == [{"reason": "ExitCode", "message": "137"}]
        assert ended.wait(PATIENCE)

    def test_attach_has_handlers_of_its_own(self, server: APIServer, raw: RawClient) -> None:
        server.pods.on_exec("exec")
        server.pods.on_attach("attach")
        assert run(raw, "api/attach?stdout=true").stdout == b"attach"

    def test_an_attach_has_no_exit_code(self, server: APIServer, raw: RawClient) -> None:
        server.pods.on_attach(lambda _: 3)
        assert run(raw, "api/attach?stdout=true").status == {"metadata": {}, "status": "Success"}

    def test_requests_tell_of_it(self, server: APIServer, raw: RawClient) -> None:
        server.pods.on_exec("x")
        run(raw)
        (asked,) = [each for each in server.requests if each.subresource == "exec"]
        assert (asked.verb, asked.name, asked.status, asked.parameter("command")) == ("get", "api", 101, "x")


STATUS = {"name": "main", "image": "local", "imageID": "", "ready": False, "restartCount": 0}


class TestLocalProcesses:
    def test_the_group_is_killed_when_the_client_goes(
        self, server: APIServer, raw: RawClient, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        ended = threading.Event()
        process = LocalProcess("sh", "-c", "echo on; sleep 600")

        def watched(session: ContainerSession) -> int:
            code = process(session)
            ended.set()
            return code

        server.pods.on_exec(watched)
        with RawSocket(raw, f"{PODS}/api/exec?command=x&stdout=1", [V5]) as socket:
            socket.until(1, b"on\n")
        assert ended.wait(PATIENCE)

    def test_it_runs_where_and_with_what_is_said(self, server: APIServer, raw: RawClient, tmp_path: Any) -> None:
        server.pods.on_exec(LocalProcess(directory=tmp_path, environment={"A": "b", "PATH": "/usr/bin:/bin"}))
        told = run(raw, "api/exec?command=sh&command=-c&command=echo%20%24A%3B%20pwd&stdout=1")
        assert told.stdout.decode().split() == ["b", str(tmp_path)]

    def test_a_file_that_is_no_program(self, server: APIServer, raw: RawClient, tmp_path: Any) -> None:
        file = tmp_path / "text"
        file.write_text("x")
        server.pods.on_exec(LocalProcess(str(file)))
        assert run(raw).status["message"].endswith(f"fork/exec {file}: permission denied")

    def test_a_missing_program_in_a_terminal(self, server: APIServer, raw: RawClient) -> None:
        server.pods.on_exec(LocalProcess())
        told = run(raw, "api/exec?command=nosuch&stdout=1&tty=1")
        assert told.status["message"].endswith('exec: "nosuch": executable file not found in $PATH')


# ------------------------------------------------------------------ logs


class Watched(Iterator[bytes]):
    """Lines whose end is told."""

    def __init__(self, lines: Iterator[bytes], ended: threading.Event) -> None:
        self._lines = lines
        self._ended = ended

    def __next__(self) -> bytes:
        try:
            return next(self._lines)
        except StopIteration:
            self._ended.set()
            raise

    def close(self) -> None:
        self._lines.close()  # type: ignore[attr-defined]


class TestLogs:
    def test_a_text_is_a_whole_log_that_options_apply_to(self, server: APIServer, raw: RawClient) -> None:
        server.pods.on_log("one\ntwo\nthree\n")
        assert log(raw, "tailLines=2&limitBytes=6") == "two\nth"
        assert log(raw, "follow=true") == "one\ntwo\nthree\n"

    def test_a_function_gets_what_is_asked_for(self, server: APIServer, raw: RawClient) -> None:
        seen: list[LogRequest] = []

        def answer(request: LogRequest) -> str:
            seen.append(request)
            return "said\n"

        server.pods.on_log(answer)
        query = "container=b&follow=true&timestamps=true&tailLines=7&limitBytes=80&sinceTime=2026-01-02T03:04:05.9Z"
        assert log(raw, query, "pair").endswith(" said\n")
        since = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC).timestamp()
        expected = {"follow": True, "timestamps": True, "tail_lines": 7, "limit_bytes": 80, "since": since}
        assert seen == [LogRequest(namespace="default", pod="pair", container="b", **expected)]

    def test_an_iterable_is_sent_as_it_comes(self, server: APIServer, raw: RawClient) -> None:
        heard = threading.Event()

        def talk(_: LogRequest) -> Iterator[str]:
            yield "one\n"
            assert heard.wait(PATIENCE)
            yield "two\n"

        server.pods.on_log(talk)
        with RawSocket(raw, f"{PODS}/api/log?follow=1") as socket:
            assert [socket.receive(), socket.receive()] == [(BINARY, b""), (BINARY, b"one\n")]
            heard.set()
            assert socket.receive() == (BINARY, b"two\n")

    def test_a_process_says_its_log_until_the_client_goes(
        self, server: APIServer, raw: RawClient, tmp_path: Path
    ) -> None:
        file = tmp_path / "service.log"
        file.write_text("one\n")
        process = LocalProcess("tail", "-f", str(file))
        ended = threading.Event()

        def watched(_: LogRequest) -> Iterator[bytes]:
            return Watched(process.output(), ended)

        server.pods.on_log(watched)
        with RawSocket(raw, f"{PODS}/api/log?follow=1") as socket:
            assert [socket.receive(), socket.receive()] == [(BINARY, b""), (BINARY, b"one\n")]
            with file.open("a") as log_file:
                log_file.write("two\n")
            assert socket.receive() == (BINARY, b"two\n")
        assert ended.wait(PATIENCE)

    def test_a_process_that_ends_has_said_its_log(self, server: APIServer, raw: RawClient) -> None:
        server.pods.on_log(LocalProcess("sh", "-c", "echo out; echo err >&2"))
        assert log(raw) == "out\nerr\n"

    def test_a_process_without_a_command_says_nothing(self, server: APIServer, raw: RawClient) -> None:
        server.pods.on_log(LocalProcess())
        assert raw.request("GET", f"{PODS}/api/log").json()["message"] == "Internal error occurred: exec: no command"

    def test_what_a_function_raises_is_a_failure_of_the_kubelet(self, server: APIServer, raw: RawClient) -> None:
        def fail(_: LogRequest) -> str:
            raise OSError("the file is gone")

        server.pods.on_log(fail)
        answer = raw.request("GET", f"{PODS}/api/log")
        assert (answer.status, answer.json()["message"]) == (500, "Internal error occurred: the file is gone")

    def test_a_log_is_written_line_by_line(self, server: APIServer, raw: RawClient) -> None:
        written = server.pods.log("default", "api")
        written.write("one\ntwo\n", at=datetime(2026, 1, 2, 3, 4, 5, 600_000, UTC))
        written.write(b"no newline", at=datetime(2026, 1, 2, 3, 4, 6, tzinfo=UTC))
        stamps = "2026-01-02T03:04:05.6Z one\n2026-01-02T03:04:05.6Z two\n2026-01-02T03:04:06Z no newline"
        assert log(raw, "timestamps=true") == stamps
        assert log(raw, "sinceTime=2026-01-02T03:04:06Z") == "no newline"

    def test_since_seconds_count_from_the_servers_clock(self, raw: RawClient, server: APIServer) -> None:
        server.pods.log("default", "api").write("long ago\n", at=datetime(2020, 1, 1, tzinfo=UTC))
        server.pods.log("default", "api").write("now\n")
        assert log(raw, "sinceSeconds=3600") == "now\n"

    def test_each_container_can_have_its_own(self, server: APIServer, raw: RawClient) -> None:
        server.pods.log("default", "pair").write("any\n")
        server.pods.log("default", "pair", "b").write("b\n")
        assert log(raw, "container=a", "pair") + log(raw, "container=b", "pair") == "any\nb\n"

    def test_a_follower_hears_until_the_end(self, server: APIServer, raw: RawClient) -> None:
        written = server.pods.log("default", "api")
        written.write("before\n")
        with RawSocket(raw, f"{PODS}/api/log?follow=true&tailLines=0") as socket:
            assert socket.receive() == (BINARY, b"")
            written.write("after\n")
            assert socket.receive() == (BINARY, b"after\n")
            written.write("last\n")
            written.end()
            assert socket.conversation().messages == [(BINARY, b"last\n")]

    def test_a_restart_ends_followers_and_makes_what_was_said_the_previous_run(
        self, server: APIServer, raw: RawClient
    ) -> None:
        written = server.pods.log("default", "api")
        written.write("first run\n")
        with RawSocket(raw, f"{PODS}/api/log?follow=true") as socket:
            assert socket.receive() == (BINARY, b"")
            assert socket.receive() == (BINARY, b"first run\n")
            written.restart()
            assert socket.conversation().close_code == 1000
        written.write("second run\n")
        assert log(raw) + log(raw, "previous=true") == "second run\nfirst run\n"

    def test_the_log_ends_and_goes_with_its_pod(self, server: APIServer, raw: RawClient) -> None:
        server.pods.log("default", "api").write("said\n")
        with RawSocket(raw, f"{PODS}/api/log?follow=true&tailLines=0") as socket:
            assert socket.receive() == (BINARY, b"")
            raw.request("DELETE", f"{PODS}/api")
            assert socket.conversation().close_code == 1000
        server.load(pod("api"))
        assert raw.request("GET", f"{PODS}/api/log").status == 204

    def test_a_container_that_waits_has_said_nothing(self, server: APIServer, raw: RawClient) -> None:
        server.pods.on_log("x")
        state = {"waiting": {"reason": "ContainerCreating"}}
        server.load(pod("api") | {"status": {"containerStatuses": [{**STATUS, "state": state}]}})
        answer = raw.request("GET", f"{PODS}/api/log")
        problem = 'container "main" in pod "api" is waiting to start: ContainerCreating'
        assert (answer.status, answer.json()["message"]) == (400, problem)


# ------------------------------------------------------------------ port-forward


class TestPortForward:
    def test_a_function_gets_a_socket(self, server: APIServer, raw: RawClient) -> None:
        def answer(session: PortForwardSession) -> None:
            heard = session.connection.recv(100)
            session.connection.sendall(b"%d:" % session.port + heard)

        server.pods.on_port_forward(answer, pod="api")
        with RawSocket(raw, f"{PODS}/api/portforward?ports=80", [V4]) as socket:
            socket.send(0, b"hello")
            told = socket.conversation()
        assert told.channels == {0: b"\x50\x0080:hello", 1: b"\x50\x00"}
        assert told.close_code == 1000

    def test_a_text_is_said_to_whoever_connects(self, server: APIServer, raw: RawClient) -> None:
        server.pods.on_port_forward("220 welcome\n", port=25)
        assert run(raw, "api/portforward?ports=25", V4).channels[0] == b"\x19\x00220 welcome\n"

    def test_what_it_raises_is_told_on_the_error_channel(self, server: APIServer, raw: RawClient) -> None:
        def fail(_: PortForwardSession) -> None:
            raise ValueError("no such socket")

        server.pods.on_port_forward(fail)
        told = run(raw, "api/portforward?ports=80", V4)
        assert told.channels[1] == b"\x50\x00error forwarding port 80 to pod api, uid : no such socket"

    def test_other_ports_refuse(self, server: APIServer, raw: RawClient) -> None:
        server.pods.on_port_forward("x", port=25)
        assert b"connection refused" in run(raw, "api/portforward?ports=80", V4).channels[1]

    def test_spdy_without_websocket_is_refused_in_words(self, server: APIServer, raw: RawClient) -> None:
        server.pods.on_port_forward(1)
        with RawSocket(raw, f"{PODS}/api/portforward?ports=80", [], {"Upgrade": "SPDY/3.1"}) as refused:
            assert refused.handshake.status == 400
            assert b"speaks SPDY within WebSocket only" in refused.handshake.body

    @pytest.mark.behaviour("8.2.3")
    def test_in_a_tunnel_one_direction_can_end(self, server: APIServer) -> None:
        def answer(session: PortForwardSession) -> None:
            heard = b""
            while piece := session.connection.recv(100):
                heard += piece
            session.connection.sendall(heard.upper())

        server.pods.on_port_forward(answer)
        server.load(pod("api") | {"status": {"phase": "Running"}})
        with server.connect() as client:
            pods = client.resource("v1/pods").namespace("default")
            with streams.port_forward(pods, "api", 80) as forward, dial(forward.local_port) as connection:
                connection.sendall(b"hello")
                connection.shutdown(socket.SHUT_WR)
                assert connection.recv(100) == b"HELLO"
                assert connection.recv(100) == b""

    @pytest.mark.parametrize("protocol", [V4, "SPDY/3.1+portforward.k8s.io"])
    def test_it_ends_with_its_pod(self, server: APIServer, raw: RawClient, protocol: str) -> None:
        server.pods.on_port_forward(lambda session: session.connection.recv(1))
        with RawSocket(raw, f"{PODS}/api/portforward?ports=80", [protocol]) as connection:
            assert connection.handshake.status == 101
            raw.request("DELETE", f"{PODS}/api")
            while connection.receive() is not None:
                pass

    def test_a_port_that_is_none(self, server: APIServer) -> None:
        with pytest.raises(InvalidRequestError, match="70000 is no port"):
            server.pods.on_port_forward(70_000)

    def test_the_handlers_socket_ends_when_the_client_goes(self, server: APIServer, raw: RawClient) -> None:
        ended = threading.Event()

        def wait(session: PortForwardSession) -> None:
            if not session.connection.recv(1):
                ended.set()

        server.pods.on_port_forward(wait)
        with RawSocket(raw, f"{PODS}/api/portforward?ports=80", [V4]) as socket:
            assert [socket.receive(), socket.receive()]
        assert ended.wait(PATIENCE)


# ------------------------------------------------------------------ proxies


def page(request: ProxyRequest) -> ProxyResponse:
    seen = [request.resource, request.namespace, request.name, request.scheme, request.port, request.method]
    body = json.dumps([*seen, request.path, list(request.query), request.body.decode()])
    return ProxyResponse(status=201, headers={"X-Page": "yes", "Content-Type": "application/json"}, body=body)


class TestProxies:
    @pytest.mark.behaviour("8.11.1")
    @pytest.mark.parametrize(
        ("path", "expected"),
        [
            ("namespaces/default/pods/api/proxy/a/b?c=d", ["pods", "default", "api", "", "", "/a/b", [["c", "d"]]]),
            ("namespaces/default/pods/https:api:8443/proxy/", ["pods", "default", "api", "https", "8443", "/", []]),
            ("namespaces/default/services/web:http/proxy/x", ["services", "default", "web", "", "http", "/x", []]),
            ("nodes/n1/proxy/metrics", ["nodes", "", "n1", "", "", "/metrics", []]),
        ],
    )
    def test_a_function_answers(self, server: APIServer, raw: RawClient, path: str, expected: list[Any]) -> None:
        server.on_proxy(page)
        answer = raw.request("PUT", f"/api/v1/{path}", b"sent")
        assert (answer.status, answer.headers["X-Page"]) == (201, "yes")
        *about, where, query = expected
        assert answer.json() == [*about, "PUT", where, query, "sent"]

    def test_a_text_is_a_page(self, server: APIServer, raw: RawClient) -> None:
        server.on_proxy("<h1>hi</h1>", resource="pods", name="api", namespace="default")
        answer = raw.request("GET", f"{PODS}/api/proxy/")
        assert (answer.status, answer.body) == (200, b"<h1>hi</h1>")

    def test_without_a_slash_it_redirects(self, server: APIServer, raw: RawClient) -> None:
        server.on_proxy("x")
        answer = raw.request("GET", f"{PODS}/api/proxy?a=b")
        assert (answer.status, answer.headers["Location"]) == (301, f"{PODS}/api/proxy/?a=b")

    def test_credentials_stay_with_the_server(self, server: APIServer) -> None:
        seen: list[ProxyRequest] = []

        def keep(request: ProxyRequest) -> str:
            seen.append(request)
            return ""

        server.on_proxy(keep)
        with server.connect(server.token_user()) as client:
            rule = {"resources": ["pods/proxy"], "verbs": ["get"], "apiGroups": [""]}
            _grant(server, rule)
            RawClient(server.token_user()).request("GET", f"{PODS}/api/proxy/x", headers={"X-Own": "1"})
            assert client is not None
        (request,) = seen
        assert (request.headers.get("Authorization"), request.headers.get("X-Own")) == (None, "1")
        assert request.headers.get("X-Forwarded-Uri") == f"{PODS}/api/proxy/x"

    @pytest.mark.parametrize(
        ("path", "code", "message"),
        [
            ("namespaces/default/pods/none/proxy/", 404, 'pods "none" not found'),
            ("namespaces/default/services/none/proxy/", 404, 'services "none" not found'),
            ("namespaces/default/services/web:81/proxy/", 503, 'no service port 81 found for service "web"'),
            ("nodes/none/proxy/", 404, 'nodes "none" not found'),
        ],
    )
    def test_what_is_not_there(self, server: APIServer, raw: RawClient, path: str, code: int, message: str) -> None:
        server.on_proxy("x")
        answer = raw.request("GET", f"/api/v1/{path}")
        assert (answer.status, answer.json()["message"]) == (code, message)

    def test_what_it_raises_is_an_error_of_who_is_reached(self, server: APIServer, raw: RawClient) -> None:
        def fail(_: ProxyRequest) -> str:
            raise OSError("connection reset by peer")

        server.on_proxy(fail)
        answer = raw.request("GET", f"{PODS}/api/proxy/")
        problem = "error trying to reach service: connection reset by peer"
        assert (answer.status, answer.json()["message"]) == (503, problem)

    def test_other_resources_have_no_proxy(self, server: APIServer) -> None:
        with pytest.raises(InvalidRequestError, match="resource='deployments' is none of nodes, pods, services"):
            server.on_proxy("x", resource="deployments")


def _grant(server: APIServer, rule: dict[str, Any]) -> Answer:
    admin = RawClient(server.kubeconfig)
    group = "rbac.authorization.k8s.io"
    about = f"/apis/{group}/v1"
    admin.request("POST", f"{about}/clusterroles", {"metadata": {"name": "r"}, "rules": [rule]})
    subjects = [{"apiGroup": group, "kind": "User", "name": "token-user"}]
    role = {"apiGroup": group, "kind": "ClusterRole", "name": "r"}
    return admin.request(
        "POST", f"{about}/clusterrolebindings", {"metadata": {"name": "r"}, "roleRef": role, "subjects": subjects}
    )


# ------------------------------------------------------------------ faults


class TestFaults:
    def test_a_stream_is_cut_after_so_many_bytes(self, server: APIServer, raw: RawClient) -> None:
        hung_up = threading.Event()

        def talk(session: ContainerSession) -> None:
            session.on_hang_up(hung_up.set)
            session.stdout.write(b"0123456789")
            session.stdout.write(b"abcdefghij")

        server.pods.on_exec(talk)
        with server.faults.inject(ServerFault.cut(after_body_bytes=20), resource="pods") as fault:
            told = run(raw)
        assert fault.fired == 1
        assert (told.stdout, told.close_code) == (b"0123456789", None)
        assert hung_up.wait(PATIENCE)

    def test_a_refusal_comes_before_the_upgrade(self, server: APIServer, raw: RawClient) -> None:
        server.pods.on_exec("x")
        with (
            server.faults.inject(ServerFault.answer(503, message="not now"), resource="pods"),
            RawSocket(raw, f"{PODS}/api/exec?command=x&stdout=true", [V5]) as refused,
        ):
            assert (refused.handshake.status, refused.handshake.json()["message"]) == (503, "not now")


# ------------------------------------------------------------------ the server's own life


class TestLife:
    def test_handlers_outlive_a_reset_and_logs_do_not(self, server: APIServer, raw: RawClient) -> None:
        server.pods.on_exec("x")
        server.pods.log("default", "api").write("said\n")
        server.reset()
        assert run(raw).stdout == b"x"
        assert raw.request("GET", f"{PODS}/api/log").status == 204

    def test_many_sessions_leave_no_thread_and_no_descriptor(self, server: APIServer, raw: RawClient) -> None:
        server.pods.on_exec(LocalProcess())
        path = "api/exec?command=echo&command=x&stdin=1&stdout=1"
        run(raw, path)
        threads, descriptors = threading.active_count(), open_descriptors()
        for terminal in ("", "&tty=1") * 5:
            run(raw, path + terminal)
        deadline = time.monotonic() + PATIENCE
        while (threading.active_count(), open_descriptors()) > (threads, descriptors):
            assert time.monotonic() < deadline
            time.sleep(0.01)

    @pytest.mark.parametrize("end", ["kill", "restart", "stop"])
    def test_sessions_end_with_the_server(self, server: APIServer, raw: RawClient, end: str) -> None:
        ended = threading.Event()

        def wait(session: ContainerSession) -> None:
            session.stdin.read()
            ended.set()

        server.pods.on_exec(wait)
        with RawSocket(raw, f"{PODS}/api/exec?command=x&stdin=1&stdout=1", [V5]) as socket:
            assert socket.receive() == (BINARY, b"\x01")
            getattr(server, end)()
            assert ended.wait(PATIENCE)
            assert socket.receive() is None
