"""Running a plugin: with an end, whatever it does, and with everything that it has started."""

from __future__ import annotations

import atexit
import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from dynkube.errors import CancelledError
from dynkube.transport import CallScope

__all__ = ["STDOUT_LIMIT", "Ended", "Launch", "PluginTimeout", "TooMuchOutput", "run"]

STDOUT_LIMIT = 1 << 20
"""Bytes of standard output that are read at most."""
STDERR_KEPT = 16384
"""Bytes of the end of standard error that are kept: more than is shown, to know a secret by its beginning."""
GRACE = 0.25
"""Seconds between SIGTERM and SIGKILL."""

_PAUSE = 0.05
_LINGERING = 1.0  # seconds for what has been written, when something that the plugin started keeps the pipe open


class PluginTimeout(Exception):  # noqa: N818 - a fact for the caller to put in words
    """It ran longer than it may."""


class TooMuchOutput(Exception):  # noqa: N818 - likewise
    """It wrote more than `STDOUT_LIMIT`."""


@dataclass(frozen=True, slots=True)
class Launch:
    """What to run. Arguments and environment may hold secrets, and do not show.

    Attributes:
        path: The program's file.
        argv: Its name as it is configured, and the arguments.
        env: The whole environment.
        interactive: Whether it gets our standard input, and our terminal.
        timeout: Seconds that it may take.
    """

    path: str
    argv: Sequence[str] = field(repr=False)
    env: Mapping[str, str] = field(repr=False)
    interactive: bool = False
    timeout: float = 300.0


@dataclass(frozen=True, slots=True)
class Ended:
    """What came of it.

    Attributes:
        exit_code: The exit code, negative for a signal.
        stdout: All that it wrote to standard output.
        stderr: The end of what it wrote to standard error, which has gone to ours as well.
    """

    exit_code: int
    stdout: bytes = field(repr=False)
    stderr: bytes = field(repr=False)


class _Process(subprocess.Popen[bytes]):
    """Without the arguments in its repr."""

    def __repr__(self) -> str:
        return f"<plugin process {self.pid}>"


def run(launch: Launch, scope: CallScope) -> Ended:
    """Run a program to its end.

    One that is not interactive gets a session of its own: no terminal to ask on, and a process group that ends with
    it when the call ends early. An interactive one stays in ours, as the terminal's Ctrl-C wants it; what it has
    started is looked for.

    Raises:
        OSError: It cannot be started.
        ValueError: Its arguments or environment are none.
        PluginTimeout: It took too long; it has been ended.
        TooMuchOutput: It wrote too much; it has been ended.
        CancelledError: The scope's token was cancelled; it has been ended.
        DeadlineExceededError: The scope's deadline passed; it has been ended.
    """
    with _wake_pipe() as (wake, woken):
        process = _Process(
            launch.argv,
            executable=launch.path,
            env=launch.env,
            stdin=None if launch.interactive else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=not launch.interactive,
        )
        disarm = scope.arm(wake)
        end = partial(_end, process, group=not launch.interactive)
        atexit.register(end)  # for one that a daemon thread waits for
        try:
            return _Conversation(process, launch, scope, woken).run()
        except BaseException:  # KeyboardInterrupt among them
            end()
            raise
        finally:
            atexit.unregister(end)
            disarm()
            for pipe in (process.stdout, process.stderr):
                if pipe is not None:
                    pipe.close()


@contextlib.contextmanager
def _wake_pipe() -> Iterator[tuple[Callable[[], object], int]]:
    reading, writing = os.pipe()
    try:
        yield partial(os.write, writing, b"."), reading
    finally:
        os.close(reading)
        os.close(writing)


class _Conversation:
    """Reads both pipes until the process is over."""

    def __init__(self, process: _Process, launch: Launch, scope: CallScope, woken: int) -> None:
        self._process = process
        self._scope = scope
        self._woken = woken
        self._ends_at = time.monotonic() + launch.timeout
        self._stdout = bytearray()
        self._stderr = bytearray()

    def run(self) -> Ended:
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self._woken, selectors.EVENT_READ, self._interrupted)
            selector.register(self._process.stdout, selectors.EVENT_READ, self._take_stdout)
            selector.register(self._process.stderr, selectors.EVENT_READ, self._take_stderr)
            self._read(selector)
            while self._process.poll() is None:  # it has closed its pipes, and is about to end
                self._turn(selector)
        return Ended(self._process.returncode, bytes(self._stdout), bytes(self._stderr))

    def _read(self, selector: selectors.BaseSelector) -> None:
        lingers_until = float("inf")
        while len(selector.get_map()) > 1 and time.monotonic() < lingers_until:
            if lingers_until == float("inf") and not self._turn(selector) and self._process.poll() is not None:
                lingers_until = time.monotonic() + _LINGERING
            elif lingers_until != float("inf"):
                self._turn(selector)

    def _turn(self, selector: selectors.BaseSelector) -> bool:
        """Read what is there; whether there was anything."""
        ready = selector.select(_PAUSE)
        for key, _ in ready:
            data = os.read(key.fd, 65536)
            if data:
                key.data(data)
            else:
                selector.unregister(key.fileobj)
        if time.monotonic() >= self._ends_at:
            raise PluginTimeout
        return bool(ready)

    def _interrupted(self, _data: bytes) -> None:
        self._scope.check()
        raise CancelledError("the plugin was interrupted")

    def _take_stdout(self, data: bytes) -> None:
        self._stdout += data
        if len(self._stdout) > STDOUT_LIMIT:
            raise TooMuchOutput

    def _take_stderr(self, data: bytes) -> None:
        # A device code to type in, say, has to be seen while the plugin waits for it.
        with contextlib.suppress(OSError):
            os.write(2, data)
        self._stderr += data
        del self._stderr[:-STDERR_KEPT]


# --------------------------------------------------------------------------- the end of it


def _end(process: _Process, *, group: bool) -> None:
    """End the process and what it has started, first politely."""
    send = partial(_signal_group, process) if group else partial(_signal_family, process, _descendants(process.pid))
    send(signal.SIGTERM)
    deadline = time.monotonic() + GRACE
    while not _is_over(process) and time.monotonic() < deadline:
        time.sleep(0.01)
    # Before it is waited for: until then nobody else gets its number, which is that of the group.
    send(signal.SIGKILL)
    process.wait()


def _is_over(process: _Process) -> bool:
    if process.returncode is not None:
        return True
    if not hasattr(os, "waitid"):  # macOS before Python 3.13: it has the whole grace
        return False
    try:
        return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:  # somebody else waits for all children (SIGCHLD ignored)
        return True


def _signal_group(process: _Process, number: int) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)


def _signal_family(process: _Process, others: list[int], number: int) -> None:
    for pid in [*others, process.pid] if process.returncode is None else others:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def _descendants(pid: int) -> list[int]:
    """The children of a process and theirs, where the system tells (Linux)."""
    found: list[int] = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError, ValueError):
            for child in map(int, path.read_text().split()):
                found += [*_descendants(child), child]
    return found
