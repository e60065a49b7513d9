"""A process in a container, in the manner of `subprocess.Popen`: `RemoteProcess`."""

from __future__ import annotations

import contextlib
import io
import logging
import threading
import weakref
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import IO, Self, cast

from dynkube.errors import (
    ClosedError,
    ConnectionLostError,
    DeadlineExceededError,
    DynkubeError,
    InvalidRequestError,
    TransportError,
)
from dynkube.streams.channels import ERROR, RESIZE, STDERR, STDIN, STDOUT, V5, exit_code_of, resize_message
from dynkube.streams.pipes import InputFile, Pipe, PipeReader
from dynkube.streams.terminal import interact
from dynkube.streams.websocket import WebSocket

__all__ = ["RemoteProcess", "Sinks", "end_stdin", "receive_all"]

_log = logging.getLogger("dynkube.streams")

Sinks = Mapping[int, Callable[[bytes], object]]
"""Who takes the data of which channel."""


def receive_all(socket: WebSocket, sinks: Sinks) -> int:
    """Hand out what a process writes until it ends.

    Args:
        socket: the connection to it.
        sinks: who takes the data of which channel; what nobody takes is dropped.

    Returns:
        The exit code.

    Raises:
        APIStatusError: the process could not be run; the server's words.
        TransportError: the connection was lost, or closed without saying how the process ended.
    """
    status = b""
    try:
        while (message := socket.receive()) is not None:
            channel, data = message
            if channel == ERROR:
                status += data
            elif data and channel in sinks:
                sinks[channel](data)
    except ConnectionLostError:
        if not status:  # else all has been said
            raise
    request = socket.request
    if not status:
        reason = f": {socket.close_reason}" if socket.close_reason else ""
        raise ConnectionLostError(
            f"the connection was closed before the process ended, or without a word how{reason}",
            method=request.method,
            url=request.path,
            response_started=True,
        )
    return exit_code_of(status, method=request.method, path=request.path)


def end_stdin(socket: WebSocket) -> None:
    """The end of stdin, where the protocol has one."""
    if socket.protocol == V5:
        socket.end_channel(STDIN)
    else:
        _log.warning(
            "%s: the server speaks %s, which has no end of stdin: a command that reads to the end goes on waiting",
            socket.request.path,
            socket.protocol,
        )


class _Run:
    """What the receiving thread and the process's owner share; it knows no owner, so that one can be dropped."""

    def __init__(self, socket: WebSocket) -> None:
        self.socket = socket
        self.pipes: dict[int, Pipe] = {}
        self.over = threading.Event()
        self.exit_code: int | None = None
        self.failure: Exception | None = None

    def receive(self) -> None:
        try:
            self.exit_code = receive_all(self.socket, {number: pipe.write for number, pipe in self.pipes.items()})
        except Exception as error:  # noqa: BLE001 - it is raised where somebody waits
            self.failure = error
        finally:
            self.socket.close()
            # That a command could not be run, or ended badly, is no failure of its output.
            lost = self.failure if not isinstance(self.failure, ClosedError) else None
            for pipe in self.pipes.values():
                pipe.end(lost if isinstance(lost, TransportError | DeadlineExceededError) else None)
            self.over.set()

    def stop(self) -> None:
        self.socket.close()
        for pipe in self.pipes.values():
            pipe.end()


class RemoteProcess:
    """A command that runs in a container, or a container's own process that we are attached to.

    As `subprocess.Popen` with pipes: file objects, `poll`, `wait`, `communicate`, `kill`. Kubernetes knows no signals;
    what ends a command early is closing its connection. As with Popen, a pipe that nobody reads fills up (1 MiB) and
    the process waits: read both, or use `communicate`.

    Attributes:
        stdin: a binary file to write to, unbuffered; None without stdin. Closing it is the end of the command's input.
        stdout: a binary file to read from; None without.
        stderr: likewise; None without, and with a terminal.
        tty: whether it runs in a terminal.
    """

    def __init__(self, socket: WebSocket, *, stdin: bool, stdout: bool, stderr: bool, tty: bool) -> None:
        self._run = run = _Run(socket)
        self.tty = tty
        self.stdin: IO[bytes] | None = None
        if stdin:
            file = InputFile(lambda data: socket.send(STDIN, data), lambda: _end_quietly(socket))
            self.stdin = cast(IO[bytes], file)
        self.stdout = self._pipe(STDOUT) if stdout else None
        self.stderr = self._pipe(STDERR) if stderr and not tty else None
        self._finalizer = weakref.finalize(self, run.stop)
        self._thread = threading.Thread(target=run.receive, name="dynkube-process", daemon=True)
        self._thread.start()

    def _pipe(self, channel: int) -> IO[bytes]:
        pipe = self._run.pipes[channel] = Pipe()
        return cast(IO[bytes], io.BufferedReader(PipeReader(pipe), 1 << 16))

    @property
    def protocol(self) -> str:
        """The subprotocol of the connection; ``v4.channel.k8s.io`` has no end of stdin."""
        return self._run.socket.protocol

    @property
    def exit_code(self) -> int | None:
        """The exit code; None while it runs, and where the connection failed first."""
        return self._run.exit_code

    def poll(self) -> int | None:
        """The exit code if the process has ended, else None; never waits.

        Raises:
            APIStatusError: as `wait`.
        """
        return self._outcome() if self._run.over.is_set() else None

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end. Somebody has to read ``stdout`` and ``stderr`` meanwhile, or close them.

        Args:
            timeout: seconds; then `DeadlineExceededError`, and the process goes on.

        Returns:
            The exit code.

        Raises:
            APIStatusError: the command could not be run; the server's own words.
            TransportError: the connection was lost, and with it how the command ended.
            ClosedError: it was closed before the end.
        """
        if not self._run.over.wait(timeout):
            raise DeadlineExceededError(f"the process has not ended within {timeout:g} s; it goes on")
        return self._outcome()

    def _outcome(self) -> int:
        run = self._run
        if run.failure is not None:
            raise run.failure
        assert run.exit_code is not None
        return run.exit_code

    def communicate(self, input: bytes | None = None, timeout: float | None = None) -> tuple[bytes, bytes]:  # noqa: A002
        """Send ``input``, end stdin, read stdout and stderr to their ends, and wait.

        Args:
            input: what to send; needs stdin.
            timeout: seconds; then `DeadlineExceededError`, and the process goes on.

        Returns:
            What came on stdout and stderr.

        Raises:
            TransportError: as `wait`.
        """
        if input and self.stdin is None:
            raise InvalidRequestError("input: the process has no stdin; start it with stdin=True")
        found: dict[int, bytes] = {}
        jobs = [threading.Thread(target=self._feed, args=(input or b"",), daemon=True)]
        for channel, file in ((STDOUT, self.stdout), (STDERR, self.stderr)):
            if file is not None:
                jobs.append(threading.Thread(target=_collect, args=(file, found, channel), daemon=True))
        for job in jobs:
            job.start()
        self.wait(timeout)
        for job in jobs:
            job.join()
        return found.get(STDOUT, b""), found.get(STDERR, b"")

    def _feed(self, data: bytes) -> None:
        if self.stdin is not None:
            with contextlib.suppress(DynkubeError):  # a command that ends without reading everything is none of ours
                self.stdin.write(data)
                self.stdin.close()

    def resize(self, width: int, height: int) -> None:
        """Tell the terminal's size.

        Args:
            width: characters.
            height: lines.

        Raises:
            InvalidRequestError: the process has no terminal.
        """
        if not self.tty:
            raise InvalidRequestError("resize: the process has no terminal; start it with tty=True")
        self._run.socket.send(RESIZE, resize_message(width, height))

    def interact(self) -> int:
        """Join this process to our own terminal until it ends: raw mode, size changes; all is restored at the end.

        Where our stdin is no terminal it is sent as it is, to its end.

        Returns:
            The exit code.

        Raises:
            TransportError: as `wait`; the terminal is restored then, too.
        """
        return interact(self)

    def kill(self) -> None:
        """Close the connection, which is how a command is ended early; from any thread, any number of times."""
        self._run.stop()
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def close(self) -> None:
        """As `kill`, and close the files."""
        self.kill()
        for file in (self.stdout, self.stderr):
            if file is not None:
                file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        code = self._run.exit_code
        state = "running" if not self._run.over.is_set() else f"exit code {code}" if code is not None else "failed"
        return f"<RemoteProcess {self._run.socket.request.path} {state}>"


def _end_quietly(socket: WebSocket) -> None:
    with contextlib.suppress(DynkubeError):
        end_stdin(socket)


def _collect(file: IO[bytes], found: dict[int, bytes], channel: int) -> None:
    pieces = []
    with contextlib.suppress(DynkubeError):
        while piece := file.read(1 << 16):
            pieces.append(piece)
    found[channel] = b"".join(pieces)
