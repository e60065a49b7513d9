"""A process in a container, in the manner of `subprocess.Popen`: `RemoteProcess`."""

from __future__ import annotations

from types import TracebackType
from typing import IO, Self

__all__ = ["RemoteProcess"]


class RemoteProcess:
    """A command that runs in a container, or a container's own process that we are attached to.

    As `subprocess.Popen` with pipes: file objects, `poll`, `wait`, `communicate`, `kill`. Kubernetes knows no signals;
    what ends a command early is closing its connection.

    Attributes:
        stdin: a binary file to write to; None without stdin. Closing it is the end of the command's input.
        stdout: a binary file to read from; None without.
        stderr: likewise; None without, and with a terminal.
    """

    stdin: IO[bytes] | None
    stdout: IO[bytes] | None
    stderr: IO[bytes] | None

    @property
    def exit_code(self) -> int | None:
        """The exit code; None while it runs."""
        raise NotImplementedError

    def poll(self) -> int | None:
        """The exit code if the process has ended, else None; never waits."""
        raise NotImplementedError

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end.

        Args:
            timeout: seconds; then `DeadlineExceededError`, and the process goes on.

        Returns:
            The exit code.

        Raises:
            APIStatusError: the command could not be run; the server's own words.
            TransportError: the connection was lost, and with it how the command ended.
        """
        raise NotImplementedError

    def communicate(self, input: bytes | None = None, timeout: float | None = None) -> tuple[bytes, bytes]:  # noqa: A002
        """Send ``input``, end stdin, read stdout and stderr to their ends, and wait."""
        raise NotImplementedError

    def resize(self, width: int, height: int) -> None:
        """Tell the terminal's size, in characters."""
        raise NotImplementedError

    def interact(self) -> int:
        """Join this process to our own terminal until it ends: raw mode, size changes, all of it restored at the end.

        Returns:
            The exit code.
        """
        raise NotImplementedError

    def kill(self) -> None:
        """Close the connection, which is how a command is ended early. Calling it again changes nothing."""

    close = kill

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.kill()
