"""Running commands in containers: `exec_command`, `exec_process`, `attach`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO

from dynkube.dynamic import ResourceHandle
from dynkube.streams.process import RemoteProcess
from dynkube.transport import CancelToken

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
    raise NotImplementedError


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
    raise NotImplementedError


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
    raise NotImplementedError
