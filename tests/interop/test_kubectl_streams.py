"""kubectl logs, exec, attach, cp and port-forward on the embedded server, whose pods are handlers that run local processes."""

from __future__ import annotations

import fcntl
import hashlib
import os
import socket
import struct
import subprocess
import termios
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from dynkube.testing import APIServer, ContainerSession, LocalProcess

POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "api"},
    "spec": {"containers": [{"name": "main", "image": "local", "stdin": True}]},
}


class Shell:
    """One kubectl on a server of its own."""

    def __init__(self, program: str, server: APIServer, folder: Path) -> None:
        self._program = program
        self._folder = folder
        self.server = server

    def command(self, *arguments: str) -> Sequence[str]:
        return (self._program, "--kubeconfig", str(self.server.kubeconfig), *arguments)

    def __call__(self, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        environment = {"HOME": str(self._folder), "PATH": "/usr/bin:/bin"}
        return subprocess.run(
            self.command(*arguments), input=stdin, capture_output=True, timeout=60, check=False, env=environment
        )


@pytest.fixture
def kubectl(program: str, tmp_path: Path) -> Iterator[Shell]:
    with APIServer(objects=[POD], run_workloads=True) as server:
        server.pods.on_exec(LocalProcess())
        yield Shell(program, server, tmp_path)


class TestLogs:
    @pytest.mark.parametrize(
        ("options", "text"),
        [
            ([], "one\ntwo\nthree\n"),
            (["--tail=1"], "three\n"),
            (["--limit-bytes=5"], "one\nt"),
            (
                ["-c", "main", "--since=1h", "--prefix"],
                "[pod/api/main] one\n[pod/api/main] two\n[pod/api/main] three\n",
            ),
        ],
    )
    def test_options(self, kubectl: Shell, options: list[str], text: str) -> None:
        kubectl.server.pods.log("default", "api").write("one\ntwo\nthree\n")
        assert kubectl("logs", "api", *options).stdout.decode() == text

    def test_previous(self, kubectl: Shell) -> None:
        log = kubectl.server.pods.log("default", "api")
        log.write("before\n")
        log.restart()
        assert kubectl("logs", "api", "--previous").stdout == b"before\n"

    def test_follow(self, kubectl: Shell) -> None:
        log = kubectl.server.pods.log("default", "api")
        log.write("one\n")
        following = subprocess.Popen(kubectl.command("logs", "-f", "api"), stdout=subprocess.PIPE)
        with following:
            assert following.stdout is not None
            assert following.stdout.readline() == b"one\n"
            log.write("two\n")
            assert following.stdout.readline() == b"two\n"
            log.end()
            assert following.wait(60) == 0

    def test_a_container_that_is_not_there(self, kubectl: Shell) -> None:
        kubectl.server.pods.on_log("x")
        refused = kubectl("logs", "api", "-c", "none")
        assert b"container none is not valid for pod api" in refused.stderr


class TestExec:
    def test_output_and_exit_code(self, kubectl: Shell) -> None:
        done = kubectl("exec", "api", "--", "sh", "-c", "echo out; echo err >&2; exit 7")
        assert (done.stdout, done.stderr, done.returncode) == (
            b"out\n",
            b"err\ncommand terminated with exit code 7\n",
            7,
        )

    def test_stdin_to_its_end(self, kubectl: Shell) -> None:
        data = bytes(range(256)) * 4000
        done = kubectl("exec", "-i", "api", "--", "sha256sum", stdin=data)
        assert done.stdout.split()[0].decode() == hashlib.sha256(data).hexdigest()

    def test_a_terminal(self, kubectl: Shell) -> None:
        ours, theirs = os.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 77, 0, 0))
        script = "until stty size | grep -v '^0'; do :; done; read line; echo got $line; exit 5"
        command = kubectl.command("exec", "-it", "api", "--", "sh", "-c", script)
        with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True) as shell:
            os.close(theirs)
            with open(ours, "r+b", buffering=0) as terminal:
                said = terminal.readline()
                assert said == b"33 77\r\n"
                terminal.write(b"hello\n")
                while b"got hello" not in said:
                    said += terminal.read(1000)
                assert shell.wait(60) == 5

    def test_a_command_that_is_not_there(self, kubectl: Shell) -> None:
        done = kubectl("exec", "api", "--", "nosuch")
        assert (done.returncode, b'exec: "nosuch": executable file not found in $PATH' in done.stderr) == (1, True)


class TestAttach:
    def test_it_talks(self, kubectl: Shell) -> None:
        def echo(session: ContainerSession) -> None:
            session.stdout.write(b"you said " + session.stdin.readline())

        kubectl.server.pods.on_attach(echo)
        done = kubectl("attach", "-i", "api", stdin=b"hello\n")
        assert (done.stdout, done.returncode) == (b"you said hello\n", 0)


class TestCopy:
    def test_there_and_back(self, kubectl: Shell, tmp_path: Path) -> None:
        source, pod, back = tmp_path / "source", tmp_path / "pod", tmp_path / "back"
        for each in (source / "with space", pod):
            each.mkdir(parents=True)
        (source / "with space" / "fünf & 'six'").write_bytes(b"\0content\n")
        assert kubectl("cp", str(source), f"api:{pod}").returncode == 0
        assert (pod / "source" / "with space" / "fünf & 'six'").read_bytes() == b"\0content\n"
        assert kubectl("cp", f"api:{pod}/source", str(back)).returncode == 0
        assert (back / "with space" / "fünf & 'six'").read_bytes() == b"\0content\n"


class TestPortForward:
    def test_many_connections(self, kubectl: Shell) -> None:
        kubectl.server.pods.on_port_forward(lambda session: session.connection.sendall(session.connection.recv(9)))
        command = kubectl.command("port-forward", "api", ":80", "--address", "127.0.0.1")
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as forwarding:
            assert forwarding.stdout is not None
            port = int(forwarding.stdout.readline().split(" -> ")[0].rpartition(":")[2])
            for word in (b"one", b"two", b"three"):
                with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
                    connection.sendall(word)
                    assert connection.recv(9) == word
            forwarding.kill()
