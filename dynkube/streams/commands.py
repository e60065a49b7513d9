"""Running commands in containers: `exec_command`, `exec_process`, `attach`."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import IO

from dynkube.dynamic import ResourceHandle
from dynkube.errors import APIStatusError, CommandExitError, DynkubeError, InvalidRequestError
from dynkube.streams.channels import PROTOCOLS, STDERR, STDIN, STDOUT, stream_query
from dynkube.streams.process import RemoteProcess, Sinks, end_stdin, receive_all
from dynkube.streams.targets import choose_container, explained, pod_place, read_pod, require_running
from dynkube.streams.websocket import PIECE, WebSocket, open_websocket, require_extra
from dynkube.transport import CallScope, CancelToken

__all__ = ["ExecResult", "attach", "exec_command", "exec_process"]


@dataclass(frozen=True, slots=True)
class ExecResult:
    """How a command ended, and what it wrote.

    Attributes:
        command: what was run.
        exit_code: 0 for success; None where the call failed before the command ended (``error.partial``).
        stdout: what it wrote there; empty where that went into a file.
        stderr: likewise.
    """

    command: tuple[str, ...]
    exit_code: int | None
    stdout: bytes
    stderr: bytes

    @property
    def text(self) -> str:
        """``stdout`` as text (what is no UTF-8 becomes U+FFFD)."""
        return self.stdout.decode("utf-8", "replace")


def exec_command(
    pods: ResourceHandle,
    name: str,
    command: Sequence[str],
    *,
    container: str | None = None,
    input: bytes | str | None = None,  # noqa: A002 - subprocess.run's name
    stdin: IO[bytes] | None = None,
    stdout: IO[bytes] | None = None,
    stderr: IO[bytes] | None = None,
    tty: bool = False,
    check: bool = False,
    timeout: float | None = None,
    cancel: CancelToken | None = None,
) -> ExecResult:
    """Run a command in a container and wait for its end, as `subprocess.run` does.

    Args:
        pods: a handle of pods in a namespace.
        name: the pod's name.
        command: the program and its arguments; no shell is involved.
        container: where; by default the pod's annotation ``kubectl.kubernetes.io/default-container`` says, else the
            first.
        input: what the command reads from stdin.
        stdin: a binary file to read that from instead.
        stdout: a binary file to write its output to, as it comes; it is collected in the result by default.
        stderr: likewise.
        tty: run it in a terminal; stderr is part of stdout then.
        check: raise `CommandExitError` for an exit code other than 0.
        timeout: seconds for everything; `DeadlineExceededError` then.
        cancel: a token that ends it; `CancelledError` then.

    Returns:
        The exit code and the output.

    Raises:
        CommandExitError: ``check``, and the command failed.
        APIStatusError: the server refuses: no such pod or container, not allowed, no such command; its own words.
        TransportError: the connection was lost; ``.partial`` has the output so far.
        ConfigError: the extra ``dynkube[exec]`` is not installed.

    Example::

        exec_command(pods, "api", ["cat", "/etc/hostname"]).text
        exec_command(pods, "api", ["sh", "-c", "cat > /tmp/x"], input=b"hello", check=True)
    """
    words = _checked_command(command)
    if input is not None and stdin is not None:
        raise InvalidRequestError("input, stdin: want one of them, not both")
    scope = CallScope(timeout, cancel)
    wants_input = input is not None or stdin is not None
    socket = _open(pods, name, "exec", container, words, scope, stdin=wants_input, stdout=True, stderr=True, tty=tty)
    pieces: dict[int, list[bytes]] = {STDOUT: [], STDERR: []}
    sinks = {STDOUT: _sink(stdout, pieces[STDOUT]), STDERR: _sink(stderr, pieces[STDERR])}

    def result(exit_code: int | None) -> ExecResult:
        return ExecResult(words, exit_code, b"".join(pieces[STDOUT]), b"".join(pieces[STDERR]))

    try:
        code = _converse(socket, sinks, input.encode() if isinstance(input, str) else input, stdin)
    except DynkubeError as error:
        error.partial = result(None)
        raise
    done = result(code)
    if check and code:
        raise CommandExitError(words, code, stdout=done.stdout, stderr=done.stderr)
    return done


def exec_process(
    pods: ResourceHandle,
    name: str,
    command: Sequence[str],
    *,
    container: str | None = None,
    stdin: bool = False,
    stdout: bool = True,
    stderr: bool = True,
    tty: bool = False,
    timeout: float | None = None,
    cancel: CancelToken | None = None,
) -> RemoteProcess:
    """Start a command in a container and talk to it, as `subprocess.Popen` does.

    Args:
        pods: a handle of pods in a namespace.
        name: the pod's name.
        command: the program and its arguments.
        container: where, as for `exec_command`.
        stdin: whether it has one; ``process.stdin`` then is a file to write to.
        stdout: whether its output is sent to us: ``process.stdout``.
        stderr: likewise.
        tty: run it in a terminal, see `RemoteProcess.resize` and `RemoteProcess.interact`; no stderr then.
        timeout: seconds until the command must have ended.
        cancel: a token that ends it.

    Returns:
        The running process; close it.

    Raises:
        APIStatusError: the server refuses.
        InvalidRequestError: none of stdin, stdout and stderr is wanted.
    """
    words = _checked_command(command)
    scope = CallScope(timeout, cancel)
    wanted = {"stdin": stdin, "stdout": stdout, "stderr": stderr, "tty": tty}
    return RemoteProcess(_open(pods, name, "exec", container, words, scope, **wanted), **wanted)


def attach(
    pods: ResourceHandle,
    name: str,
    *,
    container: str | None = None,
    stdin: bool = False,
    stdout: bool = True,
    stderr: bool = True,
    tty: bool = False,
    timeout: float | None = None,
    cancel: CancelToken | None = None,
) -> RemoteProcess:
    """Join the process that a container already runs.

    Args:
        pods: a handle of pods in a namespace.
        name: the pod's name.
        container: which, as for `exec_command`.
        stdin: whether to write to its stdin; the container must have been made with ``stdin: true``.
        stdout: whether to read its output from now on.
        stderr: likewise.
        tty: whether the container was made with ``tty: true``.
        timeout: seconds until the process must have ended.
        cancel: a token that ends it.

    Returns:
        The process; closing it detaches, the container goes on.

    Raises:
        APIStatusError: the server refuses.
    """
    scope = CallScope(timeout, cancel)
    wanted = {"stdin": stdin, "stdout": stdout, "stderr": stderr, "tty": tty}
    return RemoteProcess(_open(pods, name, "attach", container, (), scope, **wanted), **wanted)


# --------------------------------------------------------------------------- opening


def _checked_command(command: Sequence[str]) -> tuple[str, ...]:
    if isinstance(command, str | bytes):
        raise InvalidRequestError(
            f"command: want a list of words, got {command!r}; for a shell's line: ['sh', '-c', '...']"
        )
    words = tuple(command)
    if not words or not all(isinstance(word, str) for word in words) or not words[0]:
        raise InvalidRequestError(f"command: want a list of words, the program first, got {command!r}")
    return words


def _open(
    pods: ResourceHandle,
    name: str,
    verb: str,
    container: str | None,
    command: Sequence[str],
    scope: CallScope,
    *,
    stdin: bool,
    stdout: bool,
    stderr: bool,
    tty: bool,
) -> WebSocket:
    require_extra()
    # Before any request: nothing to be done is the caller's mistake.
    stream_query(container="", command=command, stdin=stdin, stdout=stdout, stderr=stderr, tty=tty)
    place = pod_place(pods, verb)
    pod = read_pod(place, name, container=container, timeout=scope.left(), cancel=scope.cancel)
    if pod is not None:
        require_running(pod, f"{verb} into" if verb == "exec" else f"{verb} to")
        container = choose_container(pod, container)
    query = stream_query(container=container or "", command=command, stdin=stdin, stdout=stdout, stderr=stderr, tty=tty)
    try:
        return open_websocket(place.rest, place.path(name, verb), query, PROTOCOLS, scope=scope)
    except APIStatusError as error:
        raise explained(error, pod, verb) from error.__cause__


# --------------------------------------------------------------------------- the conversation


def _sink(file: IO[bytes] | None, pieces: list[bytes]) -> Callable[[bytes], object]:
    return pieces.append if file is None else _to_file(file)


def _to_file(file: IO[bytes]) -> Callable[[bytes], object]:
    def write(data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[file.write(view) or 0 :]  # a raw file may take less than all

    return write


def _converse(socket: WebSocket, sinks: Sinks, data: bytes | None, file: IO[bytes] | None) -> int:
    """Send stdin on a thread of its own, hand out the output on ours, until the command has ended."""
    feeder: threading.Thread | None = None
    if data is not None or file is not None:
        feeder = threading.Thread(target=_feed, args=(socket, data, file), name="dynkube-stdin", daemon=True)
        feeder.start()
    try:
        return receive_all(socket, sinks)
    finally:
        socket.close()
        if feeder is not None and file is None:
            feeder.join()  # who reads a file of the caller's may wait there for ever


def _feed(socket: WebSocket, data: bytes | None, file: IO[bytes] | None) -> None:
    # What fails here fails in the receiving thread too, which says so; and a command need not read all of its input.
    with contextlib.suppress(DynkubeError):
        try:
            if data is not None:
                view = memoryview(data)
                for start in range(0, len(view), PIECE):
                    socket.send(STDIN, view[start : start + PIECE])
            elif file is not None:
                while piece := file.read(PIECE):
                    socket.send(STDIN, piece)
        finally:
            end_stdin(socket)
