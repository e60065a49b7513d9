"""`dynkube.streams` on both servers: logs, exec, attach, cp, port-forward, the API proxy, and what they refuse.

The real control plane runs test-node, where containers are processes of this machine; behind the embedded server stand
handlers that do the same.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
import os
import socket
import socketserver
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

import dynkube
from dynkube import streams
from dynkube.errors import (
    APIStatusError,
    BadRequestError,
    CancelledError,
    ClosedError,
    CommandExitError,
    CopyError,
    DeadlineExceededError,
    InvalidRequestError,
    NotFoundError,
    PodNotRunningError,
    PortForwardError,
)
from dynkube.streams import forwarding
from dynkube.testing import APIServer, ControlPlane, FaultProxy, LocalProcess, ServerFace
from dynkube.transport import CancelToken

NAMESPACE = "streams"
LIMIT = 60.0


@dataclass(frozen=True)
class Stage:
    server: ServerFace
    client: dynkube.DynamicClient
    port: int

    @property
    def pods(self) -> dynkube.ResourceHandle:
        return self.client.resource("v1/pods").namespace(NAMESPACE)

    @property
    def real(self) -> bool:
        return isinstance(self.server, ControlPlane)

    def run(self, *command: str, **options: Any) -> streams.ExecResult:
        return streams.exec_command(self.pods, "one", command, timeout=LIMIT, **options)

    def forward(self, *ports: int | str, **options: Any) -> streams.PortForward:
        return streams.port_forward(self.pods, "one", *ports, timeout=LIMIT, **options)


def pod(name: str, *containers: dict[str, Any], **spec: Any) -> dict[str, Any]:
    made = [{"image": "local", **each} for each in containers]
    return {
        "metadata": {"name": name, "labels": {"name": name, "suite": "streams"}},
        "spec": {"containers": made, "terminationGracePeriodSeconds": 0, **spec},
    }


class _Digest(socketserver.BaseRequestHandler):
    """Reads to the end, and says what it was."""

    def handle(self) -> None:
        found = hashlib.sha256()
        while data := self.request.recv(65536):
            if data == b"now\n":
                self.request.sendall(b"at once")
                return
            found.update(data)
        self.request.sendall(found.hexdigest().encode())


@pytest.fixture(scope="module")
def digest_port() -> Iterator[int]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Digest) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module", params=[pytest.param("real", marks=pytest.mark.controlplane), "embedded"])
def stage(request: pytest.FixtureRequest, digest_port: int) -> Iterator[Stage]:
    if request.param == "embedded":
        with APIServer(run_workloads=True) as server:
            for name in ("one", "two", "talk", "chosen"):
                server.pods.on_exec(LocalProcess(), pod=name)
            server.pods.on_attach(LocalProcess("cat"), pod="talk")
            server.pods.on_port_forward(digest_port, port=digest_port)
            server.pods.on_port_forward(1, port=1)
            for name in ("one", "two"):
                server.pods.log(NAMESPACE, name).write("first\nsecond\nthird\n")
            yield from _staged(server, digest_port)
        return
    with ControlPlane(test_node=True, api_server_args=("--disable-admission-plugins=ServiceAccount",)) as plane:
        yield from _staged(plane, digest_port)


def _staged(server: ServerFace, port: int) -> Iterator[Stage]:
    said = "echo first; echo second; echo third; exec sleep 600"
    web = {"name": "main", "command": ["sh", "-c", said], "ports": [{"name": "digest", "containerPort": port}]}
    with server.connect() as client:
        client.resource("v1/namespaces").create({"metadata": {"name": NAMESPACE}})
        stage = Stage(server, client, port)
        stage.pods.create(pod("one", web))
        stage.pods.create(
            pod("two", {"name": "a", "command": ["sh", "-c", said]}, {"name": "b", "command": ["sh", "-c", said]})
        )
        stage.pods.create(pod("talk", {"name": "main", "stdin": True, "command": ["cat"]}))
        for name in ("one", "two", "talk"):
            stage.pods.wait(name, condition="Ready", timeout=LIMIT)
        yield stage


# ------------------------------------------------------------------ exec


@pytest.mark.behaviour("8.1.1", "8.1.2", "8.1.5", "8.1.7")
def test_a_commands_output_comes_by_stream_and_with_its_exit_code(stage: Stage) -> None:
    result = stage.run("sh", "-c", "echo out; echo err >&2; exit 7")
    assert (result.exit_code, result.stdout, result.stderr) == (7, b"out\n", b"err\n")
    assert stage.run("printf", "ä%s", "\xff").text == "äÿ"


@pytest.mark.behaviour("8.1.3")
def test_a_command_reads_stdin_to_its_end(stage: Stage) -> None:
    data = os.urandom(3_000_000)
    assert stage.run("cat", input=data).stdout == data
    assert stage.run("cat", input="text").stdout == b"text"
    assert stage.run("cat", input=b"").stdout == b""
    assert stage.run("sha256sum", stdin=io.BytesIO(data)).text.split()[0] == hashlib.sha256(data).hexdigest()


def test_output_goes_into_files(stage: Stage, tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as out, (tmp_path / "err").open("wb", buffering=0) as err:
        result = stage.run("sh", "-c", "head -c 200000 /dev/zero; echo e >&2", stdout=out, stderr=err)
    assert (result.stdout, result.stderr) == (b"", b"")
    assert (tmp_path / "out").read_bytes() == bytes(200_000)
    assert (tmp_path / "err").read_bytes() == b"e\n"


def test_a_command_need_not_read_its_input(stage: Stage) -> None:
    assert stage.run("true", input=bytes(5_000_000)).exit_code == 0


@pytest.mark.behaviour("8.1.4")
def test_check_raises_what_the_command_said(stage: Stage) -> None:
    with pytest.raises(CommandExitError, match="command terminated with exit code 3: no luck") as caught:
        stage.run("sh", "-c", "echo no luck >&2; exit 3", check=True)
    assert (caught.value.exit_code, caught.value.stderr) == (3, b"no luck\n")


@pytest.mark.behaviour("8.1.4")
def test_a_command_that_is_not_there_is_refused_in_the_runtimes_words(stage: Stage) -> None:
    with pytest.raises(APIStatusError, match=r"executable file not found.*on its PATH") as caught:
        stage.run("no-such-command")
    assert caught.value.partial.stdout == b""


def test_a_deadline_ends_a_command_with_its_output_so_far(stage: Stage) -> None:
    with pytest.raises(DeadlineExceededError, match="timeout of 2 s") as caught:
        streams.exec_command(stage.pods, "one", ["sh", "-c", "echo so far; exec sleep 60"], timeout=2)
    assert caught.value.partial.stdout == b"so far\n"


def test_a_token_ends_a_command(stage: Stage) -> None:
    token = CancelToken()
    out = _Told(token.cancel)
    with pytest.raises(CancelledError):
        stage.run("sh", "-c", "echo so far; exec sleep 60", stdout=out, cancel=token)


class _Told(io.RawIOBase):
    """A file that calls a function when something is written."""

    def __init__(self, call: Any) -> None:
        self._call = call

    def write(self, data: Any) -> int:
        self._call()
        return len(data)


@pytest.mark.behaviour("8.1.5", "8.1.6")
def test_a_terminal_has_a_size_and_no_stderr(stage: Stage) -> None:
    command = ["sh", "-c", "read x; stty size; echo err >&2"]
    with streams.exec_process(stage.pods, "one", command, stdin=True, tty=True, timeout=LIMIT) as process:
        assert process.stderr is None
        process.resize(97, 31)
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"\n")
        said = process.stdout.read()
        assert b"31 97" in said
        assert b"err" in said
        assert process.wait(LIMIT) == 0


@pytest.mark.behaviour("8.1.13")
def test_a_process_is_talked_to_line_by_line(stage: Stage) -> None:
    with streams.exec_process(stage.pods, "one", ["sh"], stdin=True, timeout=LIMIT) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.poll() is None
        process.stdin.write(b"echo $((6 * 7))\n")
        assert process.stdout.readline() == b"42\n"
        process.stdin.write(b"exit 5\n")
        assert process.wait(LIMIT) == 5
        assert process.poll() == process.exit_code == 5
        assert process.stdout.read() == b""


def test_communicate_feeds_and_collects(stage: Stage) -> None:
    data = os.urandom(2_000_000)
    with streams.exec_process(stage.pods, "one", ["sh", "-c", "tee /dev/stderr"], stdin=True, timeout=LIMIT) as process:
        assert process.communicate(data, LIMIT) == (data, data)


def test_a_process_that_is_closed_says_so(stage: Stage) -> None:
    with streams.exec_process(stage.pods, "one", ["sleep", "60"], timeout=LIMIT) as process:
        with pytest.raises(DeadlineExceededError, match="has not ended"):
            process.wait(0.01)
        process.kill()
        with pytest.raises(ClosedError):
            process.wait(LIMIT)
        assert process.stdout is not None
        assert process.stdout.read() == b""


@pytest.mark.behaviour("8.1.2")
def test_attach_joins_the_containers_own_process(stage: Stage) -> None:
    with streams.attach(stage.pods, "talk", stdin=True, timeout=LIMIT) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"hello\n")
        assert process.stdout.readline() == b"hello\n"


@pytest.mark.behaviour("8.1.12")
def test_the_annotation_chooses_the_container_else_the_first_is_it(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    made = pod("chosen", {"name": "a", "command": ["sleep", "600"]}, {"name": "b", "command": ["sleep", "600"]})
    made["metadata"]["annotations"] = {"kubectl.kubernetes.io/default-container": "b"}
    stage.pods.create(made)
    stage.pods.wait("chosen", condition="Ready", timeout=LIMIT)
    with caplog.at_level(logging.DEBUG, "dynkube.http"):
        for name in ("chosen", "two"):
            streams.exec_command(stage.pods, name, ["true"], timeout=LIMIT)
    assert [each for each in ("a", "b") if f"/two/exec?command=true&container={each}&" in caplog.text] == ["a"]
    assert [each for each in ("a", "b") if f"/chosen/exec?command=true&container={each}&" in caplog.text] == ["b"]


# ------------------------------------------------------------------ what is refused


@pytest.mark.behaviour("8.1.8", "8.1.9")
def test_unknown_pods_and_containers_are_refused_in_the_servers_words(stage: Stage) -> None:
    with pytest.raises(NotFoundError, match='pods "nope" not found'):
        streams.exec_command(stage.pods, "nope", ["true"], timeout=LIMIT)
    with pytest.raises(BadRequestError, match=r"container zz is not valid for pod two.*; its containers: a, b"):
        streams.exec_command(stage.pods, "two", ["true"], container="zz", timeout=LIMIT)
    with pytest.raises(BadRequestError, match=r"container zz is not valid for pod two.*; its containers: a, b"):
        streams.logs(stage.pods, "two", container="zz", timeout=LIMIT)
    with pytest.raises(NotFoundError, match='pods "nope" not found'):
        streams.logs(stage.pods, "nope", follow=True, timeout=LIMIT)


@pytest.mark.behaviour("8.1.8", "8.1.11")
def test_who_may_not_is_told_which_permission_is_missing(stage: Stage) -> None:
    with stage.server.connect(stage.server.user("mallory")) as client:
        pods = client.resource(dynkube.GroupVersionResource("", "v1", "pods")).namespace(NAMESPACE)
        with pytest.raises(dynkube.ForbiddenError, match=r"cannot .* resource \"pods/exec\".*must allow create"):
            streams.exec_command(pods, "one", ["true"], container="main", timeout=LIMIT)


@pytest.mark.behaviour("8.1.12")
def test_a_pod_that_has_ended_or_has_not_begun_is_refused(stage: Stage) -> None:
    stage.pods.create(pod("done", {"name": "main", "command": ["true"]}, restartPolicy="Never"))
    stage.pods.create(
        pod("waits", {"name": "main", "command": ["true"]}, schedulingGates=[{"name": "example.com/gate"}])
    )
    if not stage.real:
        stage.pods.subresource("status").patch("done", {"status": {"phase": "Succeeded"}})
    for event in stage.pods.watch(field_selector="metadata.name=done", timeout=LIMIT):
        if event.object["status"]["phase"] == "Succeeded":
            break
    with pytest.raises(PodNotRunningError, match=r"cannot exec into a container in a completed pod.*Succeeded"):
        streams.exec_command(stage.pods, "done", ["true"], timeout=LIMIT)
    with pytest.raises(PodNotRunningError, match="Current status=Succeeded"):
        streams.port_forward(stage.pods, "done", 80, timeout=LIMIT)
    with pytest.raises(APIStatusError, match=r"does not have a host assigned.*does not run yet; wait for it"):
        streams.exec_command(stage.pods, "waits", ["true"], timeout=LIMIT)
    if stage.real:  # behind the embedded server every pod is Running
        with pytest.raises(PodNotRunningError, match="Current status=Pending after 1 s"):
            streams.port_forward(stage.pods, "waits", 80, timeout=1)


def test_a_pod_on_a_node_that_is_not_there_is_refused(stage: Stage) -> None:
    stage.pods.create(pod("lost", {"name": "main", "command": ["true"]}, nodeName="no-such-node"))
    with pytest.raises(APIStatusError):
        streams.exec_command(stage.pods, "lost", ["true"], timeout=LIMIT)
    with pytest.raises(APIStatusError):
        streams.logs(stage.pods, "lost", timeout=LIMIT)


# ------------------------------------------------------------------ logs


@pytest.mark.behaviour("8.3.1")
def test_a_log_is_lines_or_text_or_bytes(stage: Stage) -> None:
    _wait_for_log(stage, "one")
    with streams.logs(stage.pods, "one", timeout=LIMIT) as log:
        lines = list(log)
    assert lines == ["first", "second", "third"]
    assert {(line.pod, line.container) for line in lines} == {("one", "main")}
    assert streams.logs(stage.pods, "one", timeout=LIMIT).text() == "first\nsecond\nthird\n"
    assert streams.logs(stage.pods, "one", timeout=LIMIT).read() == b"first\nsecond\nthird\n"
    assert streams.logs(stage.pods, "one", tail_lines=1, timeout=LIMIT).text() == "third\n"
    assert streams.logs(stage.pods, "one", tail_lines=0, timeout=LIMIT).text() == ""
    assert streams.logs(stage.pods, "one", limit_bytes=7, timeout=LIMIT).read() == b"first\ns"
    assert streams.logs(stage.pods, "one", since_seconds=3600, timeout=LIMIT).text() == "first\nsecond\nthird\n"
    assert streams.logs(stage.pods, "one", since_time="2100-01-01T00:00:00Z", timeout=LIMIT).text() == ""
    stamped = list(streams.logs(stage.pods, "one", timestamps=True, timeout=LIMIT))
    assert [line.split(" ")[1] for line in stamped] == ["first", "second", "third"]


def _wait_for_log(stage: Stage, name: str, **options: Any) -> None:
    """What a container says comes some time after it runs: a follower waits for it."""
    with streams.logs(stage.pods, name, follow=True, timeout=LIMIT, **options) as log:
        assert [next(log) for _ in range(3)] == ["first", "second", "third"]


@pytest.mark.behaviour("8.3.2", "8.3.3")
def test_the_logs_of_many_containers_have_prefixes(stage: Stage) -> None:
    for container in ("a", "b"):
        _wait_for_log(stage, "two", container=container)
    _wait_for_log(stage, "one")
    log = streams.logs(stage.pods, "two", all_containers=True, prefix=True, tail_lines=2, timeout=LIMIT)
    assert list(log) == [f"[pod/two/{container}] {word}" for container in "ab" for word in ("second", "third")]
    chosen = streams.logs(stage.pods, label_selector="name in (one,two)", prefix=True, tail_lines=1, timeout=LIMIT)
    assert sorted(chosen) == ["[pod/one/main] third", "[pod/two/a] third"]


@pytest.mark.behaviour("8.3.2", "8.3.3")
def test_many_logs_are_followed_at_once_up_to_a_limit(stage: Stage) -> None:
    with streams.logs(stage.pods, "two", all_containers=True, follow=True, prefix=True, timeout=LIMIT) as log:
        found = sorted(next(log) for _ in range(6))
    assert found == sorted(f"[pod/two/{each}] {word}" for each in "ab" for word in ("first", "second", "third"))
    with pytest.raises(InvalidRequestError, match="maximum allowed concurrency is 1, use max_concurrent"):
        streams.logs(stage.pods, "two", all_containers=True, follow=True, max_concurrent=1, timeout=LIMIT)


def test_closing_a_followed_log_ends_its_iteration(stage: Stage) -> None:
    log = streams.logs(stage.pods, "one", follow=True, tail_lines=1, timeout=LIMIT)
    for line in log:
        assert line == "third"
        log.close()
    assert list(log) == []


def test_a_followed_log_ends_at_its_deadline(stage: Stage) -> None:
    log = streams.logs(stage.pods, "one", follow=True, tail_lines=1, timeout=2)
    assert next(log) == "third"
    with pytest.raises(DeadlineExceededError):
        next(log)


# ------------------------------------------------------------------ cp


@pytest.mark.behaviour("8.4.2", "8.4.4")
def test_a_folder_with_odd_names_goes_there_and_back(stage: Stage, tmp_path: Path) -> None:
    source, there, back = tmp_path / "source", tmp_path / "there", tmp_path / "back"
    (source / "sub" / "empty").mkdir(parents=True)
    there.mkdir()
    for name in ("a b", "-dash", "new\nline", "ünï", "q'uote\"", "x" * 200, "sub/$(echo)", "sub/\udcff"):
        (source / name).write_bytes(os.urandom(1000))
    (source / "sub" / "up").symlink_to("../a b")
    (source / "evil").symlink_to("/etc/passwd")
    (source / "a b").chmod(0o751)

    sent = streams.copy_to_pod(stage.pods, "one", source, str(there), timeout=LIMIT)
    assert (sent.files, sent.total_bytes, sent.skipped) == (10, 8000, ())
    assert _contents(there / "source") == _contents(source)

    got = streams.copy_from_pod(stage.pods, "one", str(source), back, preserve=True, timeout=LIMIT)
    assert [each.reason for each in got.skipped] == ["a link that leads out of the folder, to /etc/passwd"]
    wanted = _contents(source)
    del wanted["evil"]
    assert _contents(back) == wanted


def _contents(folder: Path) -> dict[str, object]:
    found: dict[str, object] = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = os.readlink(path)
        else:
            found[name] = (oct(path.stat().st_mode), path.read_bytes() if path.is_file() else None)
    return found


@pytest.mark.behaviour("8.4.4")
def test_one_file_is_copied_with_progress(stage: Stage, tmp_path: Path) -> None:
    source = tmp_path / "big"
    source.write_bytes(os.urandom(2_000_000))
    told: list[streams.CopyProgress] = []
    streams.copy_to_pod(stage.pods, "one", source, str(tmp_path / "there"), progress=told.append, timeout=LIMIT)
    assert told[-1] == streams.CopyProgress(str(source), 2_000_000, 2_000_000, 2_000_000)
    streams.copy_from_pod(stage.pods, "one", str(tmp_path / "there"), tmp_path / "back", timeout=LIMIT)
    assert (tmp_path / "back").read_bytes() == source.read_bytes()


def test_what_tar_says_comes_out_of_a_failed_copy(stage: Stage, tmp_path: Path) -> None:
    with pytest.raises(CopyError, match="No such file or directory"):
        streams.copy_from_pod(stage.pods, "one", str(tmp_path / "nope"), tmp_path / "x", timeout=LIMIT)
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(CopyError, match="Cannot open"):
        streams.copy_to_pod(stage.pods, "one", tmp_path / "file", f"{tmp_path}/nope/x", timeout=LIMIT)
    with pytest.raises(FileNotFoundError):
        streams.copy_to_pod(stage.pods, "one", tmp_path / "nope", "/tmp", timeout=LIMIT)


# ------------------------------------------------------------------ port-forward


def ask(port: int, data: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=LIMIT) as connection:
        connection.sendall(data)
        if data != b"now\n":
            connection.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    return answer


@pytest.mark.behaviour("8.2.1", "8.2.2", "8.2.3", "8.2.4", "8.2.5")
def test_many_connections_go_through_one_forwarded_port(stage: Stage) -> None:
    with stage.forward(stage.port) as forward:
        assert forward.ports == (streams.ForwardedPort(forward.local_port, stage.port),)
        answers: list[bytes] = []
        threads = [threading.Thread(target=lambda: answers.append(ask(forward.local_port, b"now\n"))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert answers == [b"at once"] * 8


@pytest.mark.behaviour("8.2.3")
def test_the_end_of_what_a_caller_sends_reaches_the_pod(stage: Stage) -> None:
    data = os.urandom(3_000_000)
    with stage.forward(stage.port) as forward:
        for _ in range(3):  # the second and the third find a tunnel that waits
            assert ask(forward.local_port, data) == hashlib.sha256(data).hexdigest().encode()


@pytest.mark.behaviour("8.2.1", "8.2.6")
def test_ports_have_names_and_local_ports_can_be_chosen(stage: Stage) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        with pytest.raises(PortForwardError, match="Address already in use; choose another local port"):
            stage.forward(f"{taken.getsockname()[1]}:{stage.port}", address="127.0.0.1")
        free = taken.getsockname()[1]
    with stage.forward(f"{free}:digest", address="127.0.0.1") as forward:
        assert forward.ports == (streams.ForwardedPort(free, stage.port),)
        assert ask(free, b"now\n") == b"at once"
    with pytest.raises(InvalidRequestError, match="does not have a named port 'nope'; it has digest:"):
        stage.forward("1:nope")


@pytest.mark.behaviour("8.2.6")
def test_a_services_port_leads_to_its_pods(stage: Stage) -> None:
    services = stage.client.resource("v1/services").namespace(NAMESPACE)
    ports = [{"name": "web", "port": 80, "targetPort": "digest"}, {"name": "dns", "port": 53, "protocol": "UDP"}]
    services.create({"metadata": {"name": "web"}, "spec": {"selector": {"name": "one"}, "ports": ports}})
    with streams.port_forward(services, "web", 80, ":web", timeout=LIMIT) as forward:
        assert [each.remote for each in forward.ports] == [stage.port, stage.port]
        assert forward.pod == "one"
        assert ask(forward.ports[1].local, b"now\n") == b"at once"
    with pytest.raises(InvalidRequestError, match="UDP protocol is not supported for 53"):
        streams.port_forward(services, "web", 53, timeout=LIMIT)
    with pytest.raises(InvalidRequestError, match="does not have a service port 81; it has web:80, dns:53"):
        streams.port_forward(services, "web", 81, timeout=LIMIT)


@pytest.mark.behaviour("8.2.6", "8.3.2")
def test_a_workload_stands_for_its_pods(stage: Stage) -> None:
    deployments = stage.client.resource("apps/v1/deployments").namespace(NAMESPACE)
    labels = {"name": "one"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "main", "image": "local"}]}}
    deployments.create(
        {"metadata": {"name": "web"}, "spec": {"selector": {"matchLabels": labels}, "template": template}}
    )
    _wait_for_log(stage, "one")
    assert list(streams.logs(deployments, "web", prefix=True, tail_lines=1, timeout=LIMIT)) == ["[pod/one/main] third"]
    with streams.port_forward(deployments, "web", ":digest", timeout=LIMIT) as forward:
        assert ask(forward.local_port, b"now\n") == b"at once"
    claims = stage.client.resource("v1/configmaps").namespace(NAMESPACE)
    claims.create({"metadata": {"name": "none"}})
    with pytest.raises(InvalidRequestError, match="configmaps have no pods that we know how to find"):
        streams.port_forward(claims, "none", 80, timeout=LIMIT)
    with pytest.raises(InvalidRequestError, match="configmaps have no pods that we know how to find"):
        streams.logs(claims, "none", timeout=LIMIT)


@pytest.mark.behaviour("8.2.3", "8.2.5")
def test_a_port_that_nobody_listens_on_ends_its_connection_only(stage: Stage) -> None:
    told: list[Exception] = []
    heard = threading.Event()

    def hear(error: Exception) -> None:
        told.append(error)
        heard.set()

    with stage.forward(1, stage.port, on_error=hear) as forward:
        with socket.create_connection(("127.0.0.1", forward.local_port), timeout=LIMIT) as connection:
            assert connection.recv(1) == b""
        assert heard.wait(LIMIT)
        assert isinstance(told[0], PortForwardError)
        assert "error forwarding port 1 to pod one" in str(told[0])
        assert ask(forward.ports[1].local, b"now\n") == b"at once"


def test_a_pod_that_is_replaced_is_followed(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forwarding, "_KNOWN_FOR", 0.0)
    services = stage.client.resource("v1/services").namespace(NAMESPACE)
    port = {"name": "digest", "containerPort": stage.port}
    services.create(
        {"metadata": {"name": "moved"}, "spec": {"selector": {"app": "moved"}, "ports": [{"port": stage.port}]}}
    )
    for name in ("moved-1", "moved-2"):
        made = pod(name, {"name": "main", "command": ["sleep", "600"], "ports": [port]})
        made["metadata"]["labels"] = {"app": "moved"}
        stage.pods.create(made)
        stage.pods.wait(name, condition="Ready", timeout=LIMIT)
    with streams.port_forward(services, "moved", stage.port, timeout=LIMIT) as forward:
        first = forward.pod
        assert ask(forward.local_port, b"now\n") == b"at once"
        stage.pods.delete(first, grace_period_seconds=0)
        stage.pods.wait(first, condition="delete", timeout=LIMIT)
        assert ask(forward.local_port, b"now\n") == b"at once"
        assert {first, forward.pod} == {"moved-1", "moved-2"}


def test_without_reconnecting_a_lost_pod_ends_the_forward(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forwarding, "_KNOWN_FOR", 0.0)
    stage.pods.create(pod("brief", {"name": "main", "command": ["sleep", "600"]}))
    stage.pods.wait("brief", condition="Ready", timeout=LIMIT)
    errors: list[Exception] = []
    with streams.port_forward(
        stage.pods, "brief", stage.port, reconnect=False, on_error=errors.append, timeout=LIMIT
    ) as forward:
        stage.pods.delete("brief", grace_period_seconds=0)
        stage.pods.wait("brief", condition="delete", timeout=LIMIT)
        with socket.create_connection(("127.0.0.1", forward.local_port), timeout=LIMIT) as connection:
            assert connection.recv(1) == b""
        with pytest.raises(PortForwardError, match="lost connection to pod brief"):
            forward.wait(LIMIT)


# ------------------------------------------------------------------ the API proxy


@pytest.mark.behaviour("8.11.1")
def test_the_api_is_served_without_the_callers_credentials(stage: Stage) -> None:
    with streams.proxy(stage.client) as running:
        request = urllib.request.Request(f"{running.url}/version", headers={"Authorization": "Bearer nonsense"})
        with urllib.request.urlopen(request, timeout=LIMIT) as answer:
            assert json.load(answer)["major"] == "1"
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(
                urllib.request.Request(f"{running.url}/version", headers={"Host": "evil.example"}), timeout=LIMIT
            )
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(f"{running.url}/api/v1/namespaces/x/pods/y/%65xec", timeout=LIMIT)


@pytest.mark.behaviour("8.11.1")
def test_upgrades_pass_through_the_proxy(stage: Stage) -> None:
    with streams.proxy(stage.client, reject_paths="^$", api_prefix="/k8s/") as running:
        config = dynkube.RESTConfig(host=running.url)
        with dynkube.DynamicClient(config) as client:
            pods = client.resource("v1/pods").namespace(NAMESPACE)
            assert streams.exec_command(pods, "one", ["cat"], input=b"through", timeout=LIMIT).stdout == b"through"


# ------------------------------------------------------------------ the judge of followed logs

WRITER = """
import os, sys, time
with open(sys.argv[1], "a") as file:
    again = file.tell() > 0
    began = time.monotonic()
    for number in range(1500):
        for text in (f"line {number} of run {again}\\n", "same\\n"):
            sys.stdout.write(text)
            file.write(text)
        sys.stdout.flush()
        file.flush()
        time.sleep(max(0, began + number / 500 - time.monotonic()))
sys.exit(0 if again else 1)
"""


@pytest.mark.behaviour("8.3.4")
def test_a_log_that_is_cut_all_the_time_and_restarted_once_comes_out_equal_to_its_file(
    stage: Stage, tmp_path: Path
) -> None:
    written = tmp_path / "written"
    command = [sys.executable, "-c", WRITER, str(written)]
    stage.pods.create(pod("writer", {"name": "main", "command": command}, restartPolicy="OnFailure"))
    if isinstance(stage.server, APIServer):
        writing = threading.Thread(target=_write, args=(stage, stage.server.pods.log(NAMESPACE, "writer"), command))
        writing.start()
    over = threading.Event()
    with (
        FaultProxy.before(stage.server, raw=True) as proxy,
        dynkube.DynamicClient(replace(stage.client.config, host=proxy.url)) as client,
    ):
        pods = client.resource(dynkube.GroupVersionResource("", "v1", "pods")).namespace(NAMESPACE)
        stage.pods.wait("writer", condition="Ready", timeout=LIMIT)
        cutting = threading.Thread(target=lambda: [proxy.cut_all() for _ in iter(lambda: over.wait(0.1), True)])
        cutting.start()
        try:
            lines = list(streams.logs(pods, "writer", follow=True, timeout=LIMIT))
        finally:
            over.set()
            cutting.join()
        assert proxy.connection_count > 10
    if not stage.real:
        writing.join()
    assert lines == written.read_text().splitlines()
    assert len(lines) == 6000
    assert list(streams.logs(stage.pods, "writer", previous=True, timeout=LIMIT)) == lines[:3000]


def _write(stage: Stage, log: Any, command: list[str]) -> None:
    """What the node does for a pod of the embedded server: run it, log it, run it again, tell how it ended."""
    for run in range(2):
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            for line in process.stdout:
                log.write(line)
        if not run:
            log.restart()
    stage.pods.subresource("status").patch("writer", {"status": {"phase": "Succeeded"}})
    log.end()
