"""A handler that runs commands for real, as processes of this machine: with pipes, or with a terminal."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import struct
import subprocess
import threading
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from dynkube.testing.apiserver.streaming.sessions import ContainerSession, Output

__all__ = ["LocalProcess"]

_PIECE = 64 * 1024


class LocalProcess:
    """Runs an exec's or attach's command as a process of this machine, as the user whom the tests run as.

    Whoever may exec at the server can then run commands here: for servers on the loopback, and tests only. The
    process group is killed when the client goes.

    ::

        server.pods.on_exec(LocalProcess(directory=tmp_path))
        server.pods.on_attach(LocalProcess("cat"))
        server.pods.on_log(LocalProcess("tail", "-F", "service.log"))

    Args:
        *command: What is run whatever the client asks for; by default the words of the exec.
        directory: Where it starts; default: here.
        environment: Its whole environment; default: this process's.
    """

    def __init__(
        self,
        *command: str,
        directory: str | os.PathLike[str] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._command = command
        self._directory = directory
        self._environment = None if environment is None else dict(environment)

    def __repr__(self) -> str:
        return f"LocalProcess({', '.join(map(repr, self._command))})"

    def __call__(self, session: ContainerSession) -> int:
        """Run it to its end; 128 + N for one that signal N ended.

        Raises:
            RuntimeError: It cannot be started; in the words of a container's runtime.
        """
        command = self._command or session.command
        if not command or not command[0]:
            raise RuntimeError("exec: no command")
        code = self._in_terminal(session, command) if session.tty else self._with_pipes(session, command)
        return 128 - code if code < 0 else code

    def output(self) -> Iterator[bytes]:
        """What the command of this handler says, line by line: a log; closing the iterator kills it.

        Raises:
            RuntimeError: It cannot be started, or there is none.
        """
        if not self._command:
            raise RuntimeError("exec: no command")
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        return _Lines(self._started(self._command, **pipes))

    def _with_pipes(self, session: ContainerSession, command: tuple[str, ...]) -> int:
        stdin = subprocess.PIPE if "stdin" in session.streams else subprocess.DEVNULL
        with self._started(command, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            session.on_hang_up(lambda: _kill(process))
            assert process.stdout is not None
            assert process.stderr is not None
            copies = [
                _thread(_copy, process.stdout, session.stdout),
                _thread(_copy, process.stderr, session.stderr),
            ]
            if process.stdin is not None:
                _thread(_feed, session.stdin, process.stdin)
            for each in copies:
                each.join()
            code = process.wait()
            # What feeds it may wait for a client that says nothing: its end closes the pipe.
            process.stdin = None
        return code

    def _in_terminal(self, session: ContainerSession, command: tuple[str, ...]) -> int:
        import pty

        if shutil.which(command[0]) is None:
            raise _missing(command[0])
        ours, theirs = pty.openpty()
        # The first terminal that the leader of a new session opens becomes its own.
        opening = ("/bin/sh", "-c", 'exec "$@" <"$0" >"$0" 2>&1', os.ttyname(theirs), *command)
        try:
            with self._started(opening, stdin=theirs, stdout=theirs, stderr=theirs) as process:
                os.close(theirs)
                session.on_hang_up(lambda: _kill(process))
                session.on_resize(lambda columns, rows: _resize(ours, columns, rows))
                _thread(_type, session.stdin, ours)
                with contextlib.suppress(OSError):  # EIO is how a terminal says that its process ended
                    while data := os.read(ours, _PIECE):
                        session.stdout.write(data)
                return process.wait()
        finally:
            os.close(ours)

    def _started(self, command: tuple[str, ...], **options: Any) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(  # noqa: S603 - that is what it is for
                command, cwd=self._directory, env=self._environment, start_new_session=True, **options
            )
        except FileNotFoundError as error:
            if error.filename != command[0]:
                raise
            raise _missing(command[0]) from None
        except OSError as error:
            raise RuntimeError(f"fork/exec {command[0]}: {(error.strerror or '').lower()}") from None


class _Lines:
    """What a process says. Another thread may close it while one waits for a line."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        self._process = process
        self._stdout = process.stdout
        self._reading = threading.Lock()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        with self._reading:
            line = b"" if self._stdout.closed else self._stdout.readline()
        if not line:
            self.close()
            raise StopIteration
        return line

    def close(self) -> None:
        """Kill what still runs. Idempotent."""
        _kill(self._process)
        with self._reading:
            self._stdout.close()
        self._process.wait()


def _missing(program: str) -> RuntimeError:
    return RuntimeError(f'exec: "{program}": executable file not found in $PATH')


def _resize(terminal: int, columns: int, rows: int) -> None:
    import fcntl
    import termios

    with contextlib.suppress(OSError):  # it has been closed
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def _kill(process: subprocess.Popen[bytes]) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)


def _thread(function: Any, *arguments: Any) -> threading.Thread:
    thread = threading.Thread(target=function, args=arguments, daemon=True)
    thread.start()
    return thread


def _copy(source: BinaryIO, target: Output) -> None:
    """Until the source ends; what nobody takes any more is read and dropped, so that its writer can end."""
    is_open = True
    while data := os.read(source.fileno(), _PIECE):
        try:
            is_open and target.write(data)
        except BrokenPipeError:
            is_open = False


def _feed(source: BinaryIO, target: BinaryIO) -> None:
    with contextlib.suppress(OSError, ValueError), target:
        while data := source.read1(_PIECE):  # type: ignore[attr-defined]
            target.write(data)
            target.flush()


def _type(source: BinaryIO, terminal: int) -> None:
    with contextlib.suppress(OSError):
        while data := source.read1(_PIECE):  # type: ignore[attr-defined]
            view = memoryview(data)
            while view:
                view = view[os.write(terminal, view) :]
