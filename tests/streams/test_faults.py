"""Streams on a network that fails: cut, reset, half-closed and stalled at each stage, each a typed error in time."""

from __future__ import annotations

import contextlib
import io
import os
import pty
import socket
import sys
import termios
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import dynkube
from dynkube import streams
from dynkube.errors import (
    ConnectError,
    ConnectionLostError,
    CopyError,
    DeadlineExceededError,
    TransportError,
)
from dynkube.streams.podconnections import PodDialer
from dynkube.streams.terminal import raw_mode
from dynkube.testing import APIServer, ControlPlane, Fault, FaultProxy, LocalProcess, ServerFace

PODS = dynkube.GroupVersionResource("", "v1", "pods")
NAMESPACE = "default"
LIMIT = 60.0
DEADLINE = 1.5
TALKS = ["sh", "-c", "printf 'so far\\n'; exec sleep 600"]


@dataclass
class Scene:
    """A server with the pods p and q, whose logs have two lines, and how q says a third one."""

    server: ServerFace
    say_third: Callable[[], object]


@pytest.fixture(scope="module")
def embedded() -> Iterator[APIServer]:
    with APIServer(run_workloads=True, token_users={"admin": ("system:masters",)}) as server:
        server.pods.on_exec(LocalProcess())
        with server.connect() as client:
            for name in ("p", "q"):
                server.pods.log(NAMESPACE, name).write("first\nsecond\n")
                create_pod(client, name, [])
        yield server


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    sign = tmp_path_factory.mktemp("real") / "say it"
    says = "echo first; echo second; exec sleep 600"
    waits = f"echo first; echo second; while ! [ -e '{sign}' ]; do sleep 0.1; done; echo third; exec sleep 600"
    with ControlPlane(
        test_node=True,
        token_users={"admin": ("system:masters",)},
        api_server_args=("--disable-admission-plugins=ServiceAccount",),
    ) as plane:
        with plane.connect() as client:
            create_pod(client, "p", ["sh", "-c", says])
            create_pod(client, "q", ["sh", "-c", waits])
            for name in ("p", "q"):
                client.resource(PODS).namespace(NAMESPACE).wait(name, condition="Ready", timeout=LIMIT)
        yield Scene(plane, sign.touch)


def create_pod(client: dynkube.DynamicClient, name: str, command: list[str]) -> None:
    container = {"name": "c", "image": "i", "command": command}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"containers": [container]}}
    client.resource(PODS).namespace(NAMESPACE).create(pod)


@pytest.fixture(params=[pytest.param("real", marks=pytest.mark.controlplane), "embedded"])
def scene(request: pytest.FixtureRequest) -> Scene:
    if request.param == "real":
        return request.getfixturevalue("real")
    server = request.getfixturevalue("embedded")
    return Scene(server, lambda: server.pods.log(NAMESPACE, "q").write("third\n"))


@pytest.fixture
def proxy(scene: Scene) -> Iterator[FaultProxy]:
    with FaultProxy.before(scene.server) as proxy:
        yield proxy


@pytest.fixture
def pods(scene: Scene, proxy: FaultProxy) -> Iterator[dynkube.ResourceHandle]:
    token = dynkube.load_config(kubeconfig=scene.server.token_user("admin")).bearer_token
    config = dynkube.RESTConfig(host=proxy.url, tls=dynkube.TLSConfig(ca_data=proxy.ca_data), bearer_token=token)
    with dynkube.DynamicClient(config) as client:
        yield client.resource(PODS).namespace(NAMESPACE)
    ours = ("dynkube-process", "dynkube-std", "dynkube-log", "dynkube-port", "dynkube-forward", "dynkube-terminal")
    assert not [each for each in threading.enumerate() if each.name.startswith(ours)]


class Striking(io.RawIOBase):
    """A file that strikes when it is written to for the first time, and keeps what comes."""

    def __init__(self, strike: Callable[[], object]) -> None:
        self._strike: Callable[[], object] | None = strike
        self.data = b""

    def write(self, data: Any) -> int:
        self.data += bytes(data)
        strike, self._strike = self._strike, None
        if strike is not None:
            strike()
        return len(data)


STAGES = {
    "at connect": {"at": "connect"},
    "at the request": {"at": "request"},
    "before the answer": {"at": "response"},
    "in the answer's header": {"after_header_bytes": 40},
}
KINDS = {"cut": Fault.cut, "reset": Fault.reset, "half-close": Fault.half_close, "stall": Fault.stall}


@pytest.mark.behaviour("8.1.7", "8.1.8")
@pytest.mark.parametrize(
    ("kind", "stage"),
    [(kind, stage) for kind in KINDS for stage in STAGES if (kind, stage) != ("half-close", "at connect")],
)
def test_exec_that_fails_on_the_way_is_a_typed_error(pods, proxy, kind, stage):
    pods.get("p")  # a connection for reading the pod; the command gets one of its own
    exec_only = {} if stage == "at connect" else {"path": f"/api/v1/namespaces/{NAMESPACE}/pods/p/exec"}
    proxy.inject(KINDS[kind](**STAGES[stage]), **exec_only)
    error = DeadlineExceededError if kind == "stall" else TransportError
    with pytest.raises(error):
        streams.exec_command(pods, "p", TALKS, timeout=DEADLINE)


STRIKES = {
    "cut": FaultProxy.cut_all,
    "reset": FaultProxy.reset_all,
    "stall": FaultProxy.stall,
}


@pytest.mark.behaviour("8.1.7")
@pytest.mark.parametrize("kind", STRIKES)
def test_exec_that_fails_while_it_runs_has_its_output_so_far(pods, proxy, kind):
    out = Striking(lambda: STRIKES[kind](proxy))
    error = DeadlineExceededError if kind == "stall" else ConnectionLostError
    with pytest.raises(error):
        streams.exec_command(pods, "p", TALKS, stdout=out, timeout=DEADLINE)
    assert out.data == b"so far\n"


@pytest.mark.parametrize("kind", STRIKES)
def test_a_process_that_is_lost_wakes_whoever_reads_writes_or_waits(pods, proxy, kind):
    with streams.exec_process(pods, "p", ["sh", "-c", "cat; sleep 600"], stdin=True, timeout=DEADLINE) as process:
        process.stdin.write(b"hello\n")
        assert process.stdout.readline() == b"hello\n"
        STRIKES[kind](proxy)
        error = DeadlineExceededError if kind == "stall" else ConnectionLostError
        with pytest.raises(error):
            process.stdout.read()
        with pytest.raises(error):
            process.wait(LIMIT)
        with pytest.raises(dynkube.DynkubeError):
            process.stdin.write(b"again\n")


def test_a_writer_that_nobody_reads_ends_at_the_deadline(pods):
    with pytest.raises(DeadlineExceededError):
        streams.exec_command(pods, "p", ["sleep", "600"], input=bytes(50_000_000), timeout=DEADLINE)


# ---------------------------------------------------------------------- logs


@pytest.mark.behaviour("8.3.1")
@pytest.mark.parametrize("kind", STRIKES)
def test_a_log_without_reconnecting_ends_in_a_typed_error_after_its_lines(pods, proxy, kind):
    log = streams.logs(pods, "p", follow=True, reconnect=False, timeout=DEADLINE)
    assert [next(log), next(log)] == ["first", "second"]
    STRIKES[kind](proxy)
    with pytest.raises(DeadlineExceededError if kind == "stall" else ConnectionLostError):
        next(log)


@pytest.mark.behaviour("8.3.4")
def test_a_followed_log_outlives_a_server_that_refuses_for_a_while(pods, proxy, scene):
    with streams.logs(pods, "q", follow=True, timeout=LIMIT) as log:
        assert [next(log), next(log)] == ["first", "second"]
        proxy.refuse()
        proxy.reset_all()
        threading.Timer(0.3, proxy.accept).start()
        scene.say_third()
        assert next(log) == "third"


# ---------------------------------------------------------------------- cp


def test_a_copy_that_is_cut_is_a_typed_error(pods, proxy, tmp_path):
    (tmp_path / "big").write_bytes(bytes(30_000_000))
    strike = _once(proxy.cut_all)
    with pytest.raises(ConnectionLostError):
        streams.copy_from_pod(pods, "p", f"{tmp_path}/big", tmp_path / "back", progress=strike, timeout=LIMIT)
    strike = _once(proxy.cut_all)
    with pytest.raises((ConnectionLostError, CopyError)):
        streams.copy_to_pod(pods, "p", tmp_path / "big", f"{tmp_path}/there", progress=strike, timeout=LIMIT)


def _no_tar(_session: Any) -> int:
    raise RuntimeError('exec: "tar": executable file not found in $PATH')


@pytest.mark.behaviour("8.4.4")
@pytest.mark.parametrize("handler", [_no_tar, lambda _session: 127], ids=["refused", "exit code 127"])
def test_a_container_without_tar_is_told(embedded, tmp_path, handler):
    (tmp_path / "file").write_bytes(bytes(1_000_000))
    withdraw = embedded.pods.on_exec(handler, pod="q")
    with contextlib.ExitStack() as stack:
        stack.callback(withdraw)
        pods = stack.enter_context(embedded.connect()).resource(PODS).namespace(NAMESPACE)
        with pytest.raises(CopyError, match="tar"):
            streams.copy_to_pod(pods, "q", tmp_path / "file", "/there/", timeout=LIMIT)
        with pytest.raises(CopyError, match="tar"):
            streams.copy_from_pod(pods, "q", "/there", tmp_path / "back", timeout=LIMIT)


@pytest.mark.behaviour("8.4.3")
def test_a_copy_goes_on_where_it_was_cut(pods, proxy, tmp_path):
    data = os.urandom(5_000_000)
    (tmp_path / "it's big").write_bytes(data)
    strike = _once(proxy.cut_all)
    result = streams.copy_from_pod(
        pods, "p", f"{tmp_path}/it's big", tmp_path / "back", retries=1, progress=strike, timeout=LIMIT
    )
    assert result.total_bytes == len(data)
    assert (tmp_path / "back").read_bytes() == data


def _once(strike: Callable[[], object]) -> Callable[[object], None]:
    left = [strike]

    def progress(_: object) -> None:
        if left:
            left.pop()()

    return progress


# ---------------------------------------------------------------------- port-forward


@pytest.fixture(autouse=True)
def no_tunnel_in_advance(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault is for the connection of the test."""
    monkeypatch.setattr(PodDialer, "warm_up", lambda *_: None)


@pytest.fixture
def listener(scene: Scene) -> Iterator[socket.socket]:
    """A server in the pod that accepts, and does nothing; the pods' ports are ports of this machine on both servers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        if not isinstance(scene.server, APIServer):
            yield listener
            return
        withdraw = scene.server.pods.on_port_forward(listener.getsockname()[1])
        yield listener
        withdraw()


def port_of(listener: socket.socket) -> int:
    return int(listener.getsockname()[1])


@pytest.mark.behaviour("8.2.5")
@pytest.mark.parametrize("kind", ["cut", "reset"])
def test_a_forwarded_connection_that_is_lost_is_told_and_the_next_one_works(pods, proxy, listener, kind):
    told: list[Exception] = []
    heard = threading.Event()

    def hear(error: Exception) -> None:
        told.append(error)
        heard.set()

    with streams.port_forward(pods, "p", port_of(listener), on_error=hear, timeout=LIMIT) as forward:
        with connected(forward) as local, contextlib.closing(listener.accept()[0]):
            STRIKES[kind](proxy)
            assert local.recv(1) == b""
        assert heard.wait(LIMIT)
        assert isinstance(told[0], ConnectionLostError)
        with connected(forward) as local, contextlib.closing(listener.accept()[0]) as remote:
            local.sendall(b"still here")
            assert remote.recv(100) == b"still here"


def test_closing_ends_connections_that_are_stalled(pods, proxy, listener):
    forward = streams.port_forward(pods, "p", port_of(listener), timeout=LIMIT)
    with connected(forward) as local, contextlib.closing(listener.accept()[0]):
        proxy.stall()
        forward.close()
        assert local.recv(1) == b""
    forward.wait(LIMIT)


@pytest.mark.parametrize("kind", ["at connect", "refused"])
def test_a_server_that_is_not_there_ends_the_connection_with_a_typed_error(pods, proxy, listener, kind):
    told: list[Exception] = []
    heard = threading.Event()

    def hear(error: Exception) -> None:
        told.append(error)
        heard.set()

    with streams.port_forward(pods, "p", port_of(listener), on_error=hear, timeout=LIMIT) as forward:
        if kind == "refused":
            proxy.refuse()
        else:
            proxy.inject(Fault.refuse())
        with connected(forward) as local:
            assert local.recv(1) == b""
        assert heard.wait(LIMIT)
        assert isinstance(told[0], ConnectError | ConnectionLostError)


def connected(forward: streams.PortForward) -> socket.socket:
    return socket.create_connection(("127.0.0.1", forward.local_port), timeout=LIMIT)


# ---------------------------------------------------------------------- the terminal


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[tuple[int, int, Any]]:
    """Our end of a terminal, the one that is sys.stdin, and what joins a process to it."""
    ours, theirs = pty.openpty()
    with open(theirs, "rb", buffering=0) as stdin, (tmp_path / "out").open("w") as stdout:

        def join(process: streams.RemoteProcess) -> int:
            # Not sooner: pytest puts its own there before each phase of a test.
            monkeypatch.setattr(sys, "stdin", stdin)
            monkeypatch.setattr(sys, "stdout", stdout)
            return process.interact()

        yield ours, theirs, join
    os.close(ours)


@pytest.mark.behaviour("8.1.6", "8.1.12")
def test_a_terminal_is_joined_and_restored(pods, terminal, tmp_path):
    ours, theirs, join = terminal
    termios.tcsetwinsize(ours, (33, 99))
    before = termios.tcgetattr(theirs)
    os.write(ours, b"done\r")
    with streams.exec_process(
        pods, "p", ["sh", "-c", "read x; stty size; echo $x; exit 4"], stdin=True, tty=True, timeout=LIMIT
    ) as process:
        assert join(process) == 4
    assert termios.tcgetattr(theirs) == before
    said = (tmp_path / "out").read_bytes()
    assert b"33 99" in said
    assert b"done" in said


@pytest.mark.behaviour("8.1.12")
@pytest.mark.parametrize("kind", STRIKES)
def test_the_terminal_is_restored_when_the_connection_is_lost(pods, proxy, terminal, kind):
    _, theirs, join = terminal
    before = termios.tcgetattr(theirs)
    process = streams.exec_process(pods, "p", ["cat"], stdin=True, tty=True, timeout=DEADLINE)
    timer = threading.Timer(0.2, STRIKES[kind], [proxy])
    timer.start()
    with pytest.raises(DeadlineExceededError if kind == "stall" else ConnectionLostError):
        join(process)
    timer.join()
    assert termios.tcgetattr(theirs) == before


def test_raw_mode_ends_with_its_block():
    ours, theirs = pty.openpty()
    try:
        before = termios.tcgetattr(theirs)
        with contextlib.suppress(KeyboardInterrupt), raw_mode(theirs):
            assert termios.tcgetattr(theirs) != before
            raise KeyboardInterrupt
        assert termios.tcgetattr(theirs) == before
    finally:
        os.close(ours)
        os.close(theirs)


def test_what_is_no_terminal_is_sent_to_its_end(pods, monkeypatch, tmp_path):
    (tmp_path / "in").write_bytes(b"from a file")
    with (tmp_path / "in").open() as stdin, (tmp_path / "out").open("w") as stdout:
        monkeypatch.setattr(sys, "stdin", stdin)
        monkeypatch.setattr(sys, "stdout", stdout)
        with streams.exec_process(pods, "p", ["cat"], stdin=True, timeout=LIMIT) as process:
            assert process.interact() == 0
    assert (tmp_path / "out").read_bytes() == b"from a file"


# ---------------------------------------------------------------------- the client


def test_closing_the_client_ends_what_runs(scene):
    client = scene.server.connect()
    pods = client.resource(PODS).namespace(NAMESPACE)
    with pytest.raises(dynkube.ClosedError) as caught:
        streams.exec_command(pods, "p", TALKS, stdout=Striking(client.close), timeout=LIMIT)
    assert caught.value.partial.exit_code is None


def test_a_dropped_log_and_process_leave_nothing_behind(pods):
    log = streams.logs(pods, "p", follow=True, timeout=LIMIT)
    assert next(log) == "first"
    process = streams.exec_process(pods, "p", ["sleep", "600"], timeout=LIMIT)
    thread = process._thread
    del log, process
    thread.join(LIMIT)
    assert not thread.is_alive()
