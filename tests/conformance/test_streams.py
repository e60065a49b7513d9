"""logs, exec, attach and port-forward on the wire, by hand: what a client of any language meets, on both servers.

The real control plane runs test-node, where containers are processes; behind the embedded server stand handlers
that do the same (`LocalProcess`, `Pods.log`). Every answer is spelled out, so both are held to the same words.
"""

from __future__ import annotations

import base64
import json
import socketserver
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pytest
from raw import Answer, RawClient
from rawsockets import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, Conversation, RawSocket

from dynkube.testing import APIServer, ControlPlane, LocalProcess, ServerFace

V5, V4, V4_BASE64 = "v5.channel.k8s.io", "v4.channel.k8s.io", "v4.base64.channel.k8s.io"
NAMESPACE = "streams"
READ_ALL = ("pods/exec", "pods/attach", "pods/portforward", "pods/log")


@dataclass(frozen=True)
class Stage:
    """A server with running pods: ``one`` with one container, ``two`` with two, ``again``, restarted; two that echo."""

    server: ServerFace
    raw: RawClient
    echo_port: int

    def get(self, path: str, method: str = "GET", *, headers: dict[str, str] | None = None) -> Answer:
        return self.raw.request(method, _path(path), headers=headers)

    def open(self, path: str, *protocols: str, headers: dict[str, str] | None = None) -> RawSocket:
        return RawSocket(self.raw, _path(path), protocols, headers)

    def exec(
        self, *command: str, protocol: str = V5, streams: str = "stdout stderr", stdin: bytes = b""
    ) -> Conversation:
        with self.open(exec_path(*command, streams=streams), protocol) as socket:
            assert socket.handshake.status == 101, socket.handshake
            if "stdin" in streams:
                socket.send(0, stdin)
                socket.close_channel(0)
            return socket.conversation()


def _path(path: str) -> str:
    return f"/api/v1/namespaces/{NAMESPACE}/pods/{path}"


def exec_path(*command: str, pod: str = "one", streams: str = "stdout stderr", **options: str) -> str:
    query = [("command", word) for word in command] + [(each, "true") for each in streams.split()]
    return f"{pod}/exec?{urlencode(query + list(options.items()))}"


def pod(name: str, *containers: dict[str, Any]) -> dict[str, Any]:
    made = [{"image": "local", **each} for each in containers]
    return {"metadata": {"name": name}, "spec": {"containers": made, "terminationGracePeriodSeconds": 0}}


PODS = [
    pod(
        "one",
        {"name": "main", "stdin": True, "command": ["sh", "-c", "echo first; echo second; echo third; exec sleep 600"]},
    ),
    pod("talk", {"name": "main", "stdin": True, "command": ["cat"]}),
    pod("join", {"name": "main", "stdin": True, "command": ["cat"]}),
    pod("two", {"name": "a", "command": ["sleep", "600"]}, {"name": "b", "command": ["sleep", "600"]}),
    pod("again", {"name": "main", "command": ["sh", "-c", "echo said; if mkdir $0; then exit 1; fi; sleep 600", "?"]}),
]


class _Echo(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        while data := self.request.recv(65536):
            self.request.sendall(b"echo " + data)


@pytest.fixture(scope="module")
def echo_port() -> Iterator[int]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Echo) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module", params=[pytest.param("real", marks=pytest.mark.controlplane), "embedded"])
def stage(request: pytest.FixtureRequest, echo_port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    once = tmp_path_factory.mktemp("again") / "once"
    pods = json.loads(json.dumps(PODS).replace('"?"', json.dumps(str(once))))
    if request.param == "embedded":
        with APIServer(run_workloads=True) as server:
            yield _staged(server, pods, echo_port, _behind)
        return
    with ControlPlane(test_node=True, api_server_args=("--disable-admission-plugins=ServiceAccount",)) as plane:
        yield _staged(plane, pods, echo_port, lambda *_: None)


def _staged(
    server: Any, pods: list[dict[str, Any]], echo_port: int, prepare: Callable[[APIServer, int], None]
) -> Stage:
    prepare(server, echo_port)
    with server.connect() as client:
        client.resource("v1/namespaces").create({"metadata": {"name": NAMESPACE}})
        handle = client.resource("v1/pods").namespace(NAMESPACE)
        for each in pods:
            handle.create(each)
        for each in pods:
            handle.wait(each["metadata"]["name"], condition="Ready", timeout=60)
        if isinstance(server, ControlPlane):
            for event in handle.watch(field_selector="metadata.name=again", timeout=60):
                if _has_restarted(event.object):
                    break
    stage = Stage(server, RawClient(server.kubeconfig), echo_port)
    _wait_for_log(stage)
    return stage


def _has_restarted(pod: Mapping[str, Any]) -> bool:
    containers = pod.get("status", {}).get("containerStatuses") or [{}]
    return bool(containers[0].get("restartCount", 0)) and "running" in containers[0].get("state", {})


def _wait_for_log(stage: Stage) -> None:
    """What a container says comes some time after it runs: a follower waits for it."""
    with stage.open("one/log?follow=true") as socket:
        said = b""
        while b"third" not in said:
            frame = socket.receive()
            assert frame, said
            said += frame[1]


def _behind(server: APIServer, echo_port: int) -> None:
    """What test-node does for pods, for those of the embedded server."""
    server.pods.on_exec(LocalProcess())
    server.pods.on_attach(LocalProcess("cat"))
    server.pods.on_port_forward(echo_port, port=echo_port)
    server.pods.on_port_forward(1, port=1)
    server.pods.log(NAMESPACE, "one").write("first\nsecond\nthird\n")
    server.pods.log(NAMESPACE, "talk")
    again = server.pods.log(NAMESPACE, "again")
    again.write("said\n")
    again.restart()
    again.write("said\n")


# ------------------------------------------------------------------ exec


SUCCESS = {"metadata": {}, "status": "Success"}


def failure(code: int) -> dict[str, Any]:
    return {
        "status": "Failure",
        "message": f"command terminated with non-zero exit code: command terminated with exit code {code}",
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
    }


class TestExec:
    @pytest.mark.behaviour("8.1.1", "8.1.2", "8.1.4")
    def test_output_comes_by_channel_and_the_status_last(self, stage: Stage) -> None:
        told = stage.exec("sh", "-c", "echo out; echo err >&2")
        assert (told.stdout, told.stderr, told.status) == (b"out\n", b"err\n", SUCCESS)
        assert told.messages[0] == (BINARY, b"\x01")
        assert told.messages[-1][1][0] == 3
        assert told.close_code == 1000

    def test_the_handshake_has_these_headers_and_no_others(self, stage: Stage) -> None:
        with stage.open(exec_path("true"), V5) as socket:
            assert socket.handshake.protocol == V5
            names = ["upgrade", "connection", "sec-websocket-accept", "sec-websocket-protocol"]
            assert list(socket.handshake.headers) == names

    @pytest.mark.behaviour("8.1.4")
    @pytest.mark.parametrize("code", [3, 137])
    def test_an_exit_code_is_a_cause(self, stage: Stage, code: int) -> None:
        command = "exit 3" if code == 3 else "kill -9 $$"
        assert stage.exec("sh", "-c", command).status == {"metadata": {}, **failure(code)}

    @pytest.mark.behaviour("8.1.1")
    def test_v4_has_a_status_without_metadata(self, stage: Stage) -> None:
        assert stage.exec("true", protocol=V4).status == {"status": "Success"}
        assert stage.exec("false", protocol=V4).status == failure(1)

    def test_older_dialects_tell_failures_as_text(self, stage: Stage) -> None:
        told = stage.exec("sh", "-c", "echo hi; exit 3", protocol="channel.k8s.io")
        assert (told.stdout, told.channels[3].decode()) == (b"hi\n", failure(3)["message"])
        assert 3 not in stage.exec("true", protocol="channel.k8s.io").channels

    def test_without_a_subprotocol_it_is_the_oldest_dialect(self, stage: Stage) -> None:
        with stage.open(exec_path("echo", "hi")) as socket:
            assert (socket.handshake.status, socket.handshake.protocol) == (101, "")
            assert socket.conversation().channels == {1: b"hi\n"}

    def test_base64_dialects_send_digits_and_text(self, stage: Stage) -> None:
        with stage.open(exec_path("cat", streams="stdin stdout"), V4_BASE64) as socket:
            assert socket.receive() == (TEXT, b"1")
            socket.frame(TEXT, b"0" + base64.b64encode(b"hello"))
            assert socket.receive() == (TEXT, b"1" + base64.b64encode(b"hello"))

    def test_v5_wins_whatever_else_is_offered(self, stage: Stage) -> None:
        with stage.open(exec_path("true"), V4, V5) as socket:
            assert socket.handshake.protocol == V5

    @pytest.mark.behaviour("8.1.3")
    def test_stdin_ends_by_the_close_signal(self, stage: Stage) -> None:
        data = bytes(range(256)) * 1000
        told = stage.exec("cat", streams="stdin stdout", stdin=data)
        assert (told.stdout, told.status) == (data, SUCCESS)

    @pytest.mark.behaviour("8.1.3")
    def test_v4_knows_no_close_signal(self, stage: Stage) -> None:
        with stage.open(exec_path("cat", streams="stdin stdout"), V4) as socket:
            socket.close_channel(0)
            socket.send(0, b"still there\n")
            assert socket.until(1, b"there\n") == b"still there\n"

    @pytest.mark.behaviour("8.1.6")
    def test_a_terminal_has_the_size_that_the_resize_channel_tells(self, stage: Stage) -> None:
        with stage.open(exec_path("sh", streams="stdin stdout", tty="true"), V5) as socket:
            socket.send(4, b'{"Width":123,"Height":45}')
            socket.send(0, b"until stty size | grep '45 123'; do :; done\n")
            assert socket.until(1, b"45 123\r\n")

    @pytest.mark.behaviour("8.1.5")
    def test_a_terminal_has_no_stderr(self, stage: Stage) -> None:
        path = exec_path("sh", "-c", "echo out; echo err >&2", streams="stdout stderr", tty="true")
        with stage.open(path, V5) as socket:
            assert socket.conversation().channels[1] == b"out\r\nerr\r\n"

    @pytest.mark.parametrize(
        ("streams", "first"), [("stdout", b"\x01"), ("stderr", b"\x02"), ("stdin", b"\x03"), ("stdin stderr", b"\x02")]
    )
    def test_the_lowest_channel_that_is_written_says_first_that_all_is_well(
        self, stage: Stage, streams: str, first: bytes
    ) -> None:
        with stage.open(exec_path("sleep", "600", streams=streams), V5) as socket:
            assert socket.receive() == (BINARY, first)

    def test_what_was_not_asked_for_is_not_sent(self, stage: Stage) -> None:
        told = stage.exec("sh", "-c", "echo out; echo err >&2", streams="stderr")
        assert set(told.channels) == {2, 3}

    @pytest.mark.behaviour("8.1.5")
    def test_no_streams_are_refused_after_the_handshake_in_v5_and_before_it_in_v4(self, stage: Stage) -> None:
        problem = "you must specify at least 1 of stdin, stdout, stderr"
        told = stage.exec("true", streams="")
        assert told.status["message"] == f"Internal error occurred: unable to upgrade connection: {problem}"
        assert (told.status["reason"], told.status["code"]) == ("InternalError", 500)
        with stage.open(exec_path("true", streams=""), V4) as socket:
            assert (socket.handshake.status, socket.handshake.body.decode()) == (400, f"{problem}\n")
            assert "audit-id" not in socket.handshake.headers

    def test_a_command_that_is_not_there_is_told_in_the_words_of_the_runtime(self, stage: Stage) -> None:
        problem = 'error executing command in container: exec: "nosuch": executable file not found in $PATH'
        v4 = stage.exec("nosuch", protocol=V4).status
        assert v4 == {
            "status": "Failure",
            "message": f"Internal error occurred: {problem}",
            "reason": "InternalError",
            "code": 500,
        }
        v5 = stage.exec("nosuch").status
        assert v5["message"] == f"Internal error occurred: Internal error occurred: {problem}"
        assert v5["details"] == {"causes": [{"message": f"Internal error occurred: {problem}"}]}

    @pytest.mark.behaviour("8.1.8")
    @pytest.mark.parametrize(
        ("path", "code", "message"),
        [
            ("none/exec?command=ls&stdout=1", 404, 'pods "none" not found'),
            ("one/exec?command=ls&stdout=1&container=x", 400, "container x is not valid for pod one"),
            (
                "two/exec?command=ls&stdout=1",
                400,
                "a container name must be specified for pod two, choose one of: [a b]",
            ),
            ("one/exec?command=ls&stdout=1&dryRun=All", 400, "dryRun is not supported"),
        ],
    )
    def test_refusals_are_statuses(self, stage: Stage, path: str, code: int, message: str) -> None:
        with stage.open(path, V5) as socket:
            assert (socket.handshake.status, socket.handshake.json()["message"]) == (code, message)

    def test_without_an_upgrade_there_is_nothing(self, stage: Stage) -> None:
        for method in ("GET", "POST"):
            answer = stage.get(exec_path("true"), method)
            assert (answer.status, answer.json()["message"]) == (400, "Upgrade request required")

    @pytest.mark.parametrize("protocol", [V4, V5])
    @pytest.mark.parametrize(
        ("header", "value", "problem"),
        [
            ("Sec-WebSocket-Version", "12", b"missing or bad WebSocket Version"),
            ("Sec-WebSocket-Key", "", b"mismatch challenge/response"),
        ],
    )
    def test_a_bad_handshake_is_told_in_a_few_words(
        self, stage: Stage, protocol: str, header: str, value: str, problem: bytes
    ) -> None:
        with stage.open(exec_path("true"), protocol, headers={header: value}) as socket:
            assert (socket.handshake.status, socket.handshake.body) == (400, problem)

    def test_an_upgrade_to_something_else_is_taken_for_spdy(self, stage: Stage) -> None:
        with stage.open(exec_path("true"), headers={"Upgrade": "other"}) as socket:
            problem = b"unable to upgrade: header X-Stream-Protocol-Version does not exist in request with 6 headers\n"
            assert (socket.handshake.status, socket.handshake.body) == (400, problem)

    def test_an_unknown_subprotocol_is_forbidden(self, stage: Stage) -> None:
        with stage.open(exec_path("true"), "v9.channel.k8s.io") as socket:
            assert (socket.handshake.status, socket.handshake.body) == (403, b"")

    def test_each_frame_is_a_message_also_one_of_several(self, stage: Stage) -> None:
        with stage.open(exec_path("cat", streams="stdin stdout"), V5) as socket:
            socket.frame(BINARY, b"\x00ab", final=False)
            socket.frame(CONTINUATION, b"\x00cd")
            socket.close_channel(0)
            assert socket.conversation().stdout == b"abcd"

    @pytest.mark.behaviour("8.1.7")
    def test_a_ping_is_answered(self, stage: Stage) -> None:
        with stage.open(exec_path("sleep", "600"), V5) as socket:
            assert socket.receive() == (BINARY, b"\x01")
            socket.frame(PING, b"are you there")
            assert socket.receive() == (PONG, b"are you there")

    def test_a_frame_without_a_mask_ends_the_connection(self, stage: Stage) -> None:
        with stage.open(exec_path("sleep", "600", streams="stdin stdout"), V4) as socket:
            socket.frame(BINARY, b"\x00x", masked=False)
            assert socket.conversation().close_code == 1002

    def test_a_client_that_closes_is_told_so(self, stage: Stage) -> None:
        with stage.open(exec_path("sleep", "600"), V4) as socket:
            assert socket.receive() == (BINARY, b"\x01")
            socket.frame(CLOSE, (1000).to_bytes(2, "big"))
            assert socket.conversation().close_code == 1000


# ------------------------------------------------------------------ attach


class TestAttach:
    @pytest.mark.parametrize("protocol", [V5, V4])
    def test_it_joins_the_process_that_runs(self, stage: Stage, protocol: str) -> None:
        with stage.open("join/attach?stdin=true&stdout=true", protocol) as socket:
            assert socket.receive() == (BINARY, b"\x01")
            socket.send(0, b"hello\n")
            assert socket.until(1, b"hello\n") == b"hello\n"

    def test_it_needs_a_stream(self, stage: Stage) -> None:
        with stage.open("one/attach", V4) as socket:
            problem = b"you must specify at least 1 of stdin, stdout, stderr\n"
            assert (socket.handshake.status, socket.handshake.body) == (400, problem)

    def test_it_needs_a_container(self, stage: Stage) -> None:
        with stage.open("two/attach?stdout=1", V5) as socket:
            assert socket.handshake.json()["message"].endswith("choose one of: [a b]")


# ------------------------------------------------------------------ logs


def since(answer: Answer) -> str:
    return answer.body.split()[0].decode()


class TestLogs:
    @pytest.mark.behaviour("8.3.1")
    @pytest.mark.parametrize(
        ("query", "text"),
        [
            ("", "first\nsecond\nthird\n"),
            ("container=main", "first\nsecond\nthird\n"),
            ("tailLines=1", "third\n"),
            ("tailLines=0", ""),
            ("tailLines=99", "first\nsecond\nthird\n"),
            ("limitBytes=8", "first\nse"),
            ("tailLines=2&limitBytes=8", "second\nt"),
            ("follow=false&pretty=true", "first\nsecond\nthird\n"),
            ("insecureSkipTLSVerifyBackend=true", "first\nsecond\nthird\n"),
            ("sinceTime=2020-01-01T00:00:00Z", "first\nsecond\nthird\n"),
            ("sinceTime=2999-01-01T00:00:00Z", ""),
            ("sinceSeconds=99999", "first\nsecond\nthird\n"),
        ],
    )
    def test_options(self, stage: Stage, query: str, text: str) -> None:
        answer = stage.get(f"one/log?{query}")
        assert (answer.status, answer.body.decode()) == (200, text)
        assert answer.headers["Content-Type"] == "text/plain"

    @pytest.mark.behaviour("8.3.1")
    def test_timestamps_go_before_each_line(self, stage: Stage) -> None:
        lines = stage.get("one/log?timestamps=true").body.decode().splitlines()
        assert [line.split(" ", 1)[1] for line in lines] == ["first", "second", "third"]
        assert all(line.split()[0].endswith("Z") for line in lines)

    @pytest.mark.behaviour("8.3.4")
    def test_fractions_of_a_since_time_are_dropped(self, stage: Stage) -> None:
        stamp = since(stage.get("one/log?timestamps=true&tailLines=1"))
        late = f"{stamp.partition('.')[0].rstrip('Z')}.999999999Z"
        assert stage.get(f"one/log?sinceTime={late}").body.endswith(b"third\n")

    def test_previous_is_what_was_said_before_the_restart(self, stage: Stage) -> None:
        assert stage.get("again/log?previous=true").body.splitlines()[0] == b"said"
        assert stage.get("again/log").body.splitlines()[0] == b"said"

    @pytest.mark.parametrize(
        ("path", "code", "message"),
        [
            ("none/log", 404, 'pods "none" not found'),
            ("one/log?container=x", 400, "container x is not valid for pod one"),
            ("two/log", 400, "a container name must be specified for pod two, choose one of: [a b]"),
            ("one/log?previous=true", 400, 'previous terminated container "main" in pod "one" not found'),
            ("one/log?tailLines=x", 400, 'strconv.ParseInt: parsing "x": invalid syntax'),
            (
                "one/log?tailLines=-1",
                422,
                'PodLogOptions "one" is invalid: tailLines: Invalid value: -1: must be greater than or equal to 0',
            ),
            (
                "one/log?stream=Stdout",
                422,
                'PodLogOptions "one" is invalid: stream: Forbidden: may not be specified',
            ),
        ],
    )
    def test_refusals(self, stage: Stage, path: str, code: int, message: str) -> None:
        answer = stage.get(path)
        # test-node's own words end in a newline, a kubelet's do not.
        assert (answer.status, answer.json()["message"].rstrip("\n")) == (code, message)

    @pytest.mark.parametrize(
        ("accept", "code"),
        [("*/*", 200), ("application/json", 200), ("application/yaml", 200), ("text/plain", 406), ("image/png", 406)],
    )
    def test_what_is_accepted_is_what_objects_come_in(self, stage: Stage, accept: str, code: int) -> None:
        answer = stage.get("one/log", headers={"Accept": accept})
        assert answer.status == code
        if accept == "image/png":
            assert "Available representations: text/plain, application/json" in answer.json()["message"]

    def test_only_get(self, stage: Stage) -> None:
        assert stage.get("one/log", "POST").status == 405

    @pytest.mark.behaviour("8.3.1")
    def test_it_follows(self, stage: Stage) -> None:
        with stage.open("talk/log?follow=true") as follower:
            assert follower.receive() == (BINARY, b"")
            for line in (b"one\n", b"two\n"):
                say(stage, line)
                assert follower.receive() == (BINARY, line)

    @pytest.mark.parametrize("protocol", ["", "binary.k8s.io", "base64.binary.k8s.io"])
    def test_websocket_brings_it_too(self, stage: Stage, protocol: str) -> None:
        with stage.open("one/log?tailLines=1", *filter(None, [protocol])) as socket:
            assert (socket.handshake.status, socket.handshake.protocol) == (101, protocol)
            told = socket.conversation()
        assert told.messages[0][1] == b""
        pieces = [base64.b64decode(data) if "base64" in protocol else data for _, data in told.messages]
        assert (b"".join(pieces), told.close_code) == (b"third\n", 1000)

    def test_websocket_without_a_known_subprotocol(self, stage: Stage) -> None:
        with stage.open("one/log", V4) as socket:
            assert (socket.handshake.status, socket.handshake.body) == (403, b"")


def say(stage: Stage, line: bytes) -> None:
    """Have the container of the pod ``talk`` say a line."""
    if isinstance(stage.server, APIServer):
        stage.server.pods.log(NAMESPACE, "talk").write(line)
        return
    with stage.open("talk/attach?stdin=true&stdout=true", V5) as socket:
        socket.send(0, line)
        socket.until(1, line)


# ------------------------------------------------------------------ port-forward


class TestPortForward:
    @pytest.mark.behaviour("8.2.4")
    @pytest.mark.parametrize("protocol", ["", V4])
    def test_two_channels_carry_a_port_and_its_errors(self, stage: Stage, protocol: str) -> None:
        with stage.open(f"one/portforward?ports={stage.echo_port}", *filter(None, [protocol])) as socket:
            port = stage.echo_port.to_bytes(2, "little")
            assert [socket.receive(), socket.receive()] == [(BINARY, b"\x00" + port), (BINARY, b"\x01" + port)]
            socket.send(0, b"hello")
            assert socket.receive() == (BINARY, b"\x00echo hello")

    def test_base64(self, stage: Stage) -> None:
        with stage.open(f"one/portforward?ports={stage.echo_port}", V4_BASE64) as socket:
            port = base64.b64encode(stage.echo_port.to_bytes(2, "little"))
            assert [socket.receive(), socket.receive()] == [(TEXT, b"0" + port), (TEXT, b"1" + port)]
            socket.frame(TEXT, b"0" + base64.b64encode(b"hello"))
            assert socket.receive() == (TEXT, b"0" + base64.b64encode(b"echo hello"))

    @pytest.mark.behaviour("8.2.3")
    def test_nobody_listens(self, stage: Stage) -> None:
        with stage.open("one/portforward?ports=1", V4) as socket:
            told = socket.conversation()
        problem = "error forwarding port 1 to pod one, uid : dial tcp 127.0.0.1:1: connect: connection refused"
        assert told.channels[1] == b"\x01\x00" + problem.encode()
        assert told.close_code == 1000

    def test_several_ports_have_channels_of_their_own(self, stage: Stage) -> None:
        with stage.open(f"one/portforward?ports=1&ports={stage.echo_port}", V4) as socket:
            socket.until(1, b"refused")
            socket.send(2, b"hello")
            assert b"echo hello" in socket.until(2, b"hello")

    @pytest.mark.parametrize(
        ("query", "code", "problem"),
        [
            ("", 400, 'query parameter "port" is required\n'),
            ("ports=0", 400, 'port "0" must be > 0\n'),
        ],
    )
    def test_the_kubelet_refuses_in_text(self, stage: Stage, query: str, code: int, problem: str) -> None:
        with stage.open(f"one/portforward?{query}", V4) as socket:
            assert (socket.handshake.status, socket.handshake.body.decode()) == (code, problem)

    @pytest.mark.behaviour("8.2.1")
    @pytest.mark.parametrize(
        ("path", "code", "message"),
        [
            (
                "one/portforward?ports=x",
                400,
                'cannot convert to []int32: strconv.ParseUint: parsing "x": invalid syntax',
            ),
            (
                "one/portforward?ports=65536",
                400,
                'cannot convert to []int32: strconv.ParseUint: parsing "65536": value out of range',
            ),
            ("none/portforward?ports=1", 404, 'pods "none" not found'),
        ],
    )
    def test_the_api_server_refuses_in_statuses(self, stage: Stage, path: str, code: int, message: str) -> None:
        with stage.open(path, V4) as socket:
            assert (socket.handshake.status, socket.handshake.json()["message"]) == (code, message)

    @pytest.mark.behaviour("8.2.3")
    @pytest.mark.parametrize("others", [(), (V4,)])
    def test_spdy_within_wins_whatever_else_is_offered(self, stage: Stage, others: tuple[str, ...]) -> None:
        tunnel = "SPDY/3.1+portforward.k8s.io"
        with stage.open("one/portforward", *others, tunnel) as socket:
            assert (socket.handshake.status, socket.handshake.protocol) == (101, tunnel)

    @pytest.mark.parametrize("protocol", [V5, "channel.k8s.io", "portforward.k8s.io"])
    def test_other_subprotocols_are_forbidden(self, stage: Stage, protocol: str) -> None:
        with stage.open("one/portforward?ports=1", protocol) as socket:
            assert (socket.handshake.status, socket.handshake.body) == (403, b"")

    def test_without_an_upgrade_there_is_nothing(self, stage: Stage) -> None:
        assert stage.get("one/portforward?ports=1").json()["message"] == "Upgrade request required"


# ------------------------------------------------------------------ who may


@pytest.fixture(scope="module")
def reader(stage: Stage) -> dict[str, str]:
    """The headers of somebody who may get all of it, and create nothing."""
    about = "/apis/rbac.authorization.k8s.io/v1/namespaces/" + NAMESPACE
    rule = {"apiGroups": [""], "resources": list(READ_ALL), "verbs": ["get"]}
    group = "rbac.authorization.k8s.io"
    stage.raw.request("POST", f"{about}/roles", {"metadata": {"name": "reader"}, "rules": [rule]})
    binding = {
        "metadata": {"name": "reader"},
        "roleRef": {"apiGroup": group, "kind": "Role", "name": "reader"},
        "subjects": [{"apiGroup": group, "kind": "User", "name": "ann"}],
    }
    stage.raw.request("POST", f"{about}/rolebindings", binding)
    return {"Impersonate-User": "ann"}


class TestWhoMay:
    @pytest.mark.behaviour("8.1.11")
    @pytest.mark.parametrize("path", ["exec?command=ls&stdout=1", "attach?stdout=1", "portforward?ports=1"])
    def test_get_is_not_enough(self, stage: Stage, reader: dict[str, str], path: str) -> None:
        with stage.open(f"one/{path}", V4, headers=reader) as socket:
            status = socket.handshake.json()
        assert (status["code"], status["message"]) == (403, 'pods "one" is forbidden: ')

    def test_get_is_enough_for_logs(self, stage: Stage, reader: dict[str, str]) -> None:
        assert stage.get("one/log?tailLines=1", headers=reader).status == 200

    def test_who_may_nothing_is_refused_in_full(self, stage: Stage) -> None:
        with stage.open("one/exec?command=ls", V5, headers={"Impersonate-User": "bob"}) as socket:
            message = socket.handshake.json()["message"]
        refusal = 'User "bob" cannot get resource "pods/exec" in API group "" in the namespace "streams"'
        assert message == f'pods "one" is forbidden: {refusal}'
