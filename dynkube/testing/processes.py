"""Programs that cannot outlive this process: the owner's side of the guard.

See `dynkube.testing.guard` for what the guard does.
"""

from __future__ import annotations

import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from dynkube.testing import guard as guard_program
from dynkube.testing.errors import ControlPlaneError

__all__ = ["Guard", "Process", "wait_until"]

_ANSWER_SECONDS = 20.0
_CLEAN_UP_SECONDS = 10.0
_TAIL_BYTES = 4096
_POLL_SECONDS = 0.03


class Process:
    """A program that the guard started."""

    def __init__(self, guard: Guard, name: str, pid: int, log: Path, flags: Sequence[str]) -> None:
        self._guard = guard
        self.name = name
        self.pid = pid
        self.log = log
        self.flags = tuple(flags)
        self.exited = threading.Event()
        self.exit_code: int | None = None

    def __repr__(self) -> str:
        state = f"exited with {self.exit_code}" if self.exited.is_set() else "running"
        return f"<{self.name}, process {self.pid}, {state}>"

    def signal(self, number: int) -> bool:
        """Send a signal; False when the process has ended. SIGSTOP returns when it has stopped."""
        return self._guard.signal(self.pid, number)

    def wait(self, timeout: float) -> bool:
        """Wait (seconds) until it has ended; whether it has."""
        return self.exited.wait(timeout)

    def describe(self) -> str:
        """Flags and the tail of the log, for an error's text."""
        flags = "\n  ".join(self.flags)
        return f"{self.name} was started with\n  {flags}\nits log ends with\n{self.log_tail()}"

    def log_tail(self) -> str:
        """The last 4 KiB of what it wrote."""
        try:
            with self.log.open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES))
                return file.read().decode(errors="replace").rstrip() or "(nothing)"
        except OSError as error:
            return f"(unreadable: {error})"


class Guard:
    """Starts the guard process; owns its pipe, its folder and the programs below it.

    Closing the pipe is all it takes to end them: `close` does no more than that and wait. The
    pipe is close-on-exec (PEP 446), and a child of ``os.fork`` closes its copy, so that a
    forked child cannot keep the programs alive after this process died.

    Raises:
        ControlPlaneError: The guard did not start.
    """

    def __init__(self) -> None:
        command = [
            sys.executable, "-I", "-S", guard_program.__file__, str(os.getpid()), tempfile.gettempdir(),
        ]  # fmt: skip
        # A session of its own: a Ctrl-C in the terminal is for us, not for the programs.
        self._popen = subprocess.Popen(  # noqa: S603
            command, bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        self._owner = os.getpid()
        self._asking = threading.Lock()
        self._closed = False
        self._answers: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._processes: dict[int, Process] = {}
        self._ended_early: dict[int, int] = {}
        self._table = threading.Lock()
        _alive.add(self)
        self._reader = threading.Thread(target=self._read, name="dynkube-guard", daemon=True)
        self._reader.start()
        try:
            self.folder = Path(self._answer()["folder"])
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        """The guard's process id."""
        return self._popen.pid

    def spawn(self, name: str, argv: Sequence[str], *, environment: Mapping[str, str]) -> Process:
        """Start a program in the folder; its output is appended to ``<name>.log`` there."""
        log = self.folder / f"{name}.log"
        request = {"do": "spawn", "argv": list(argv), "log": str(log), "env": dict(environment)}
        pid = self._ask(request)["pid"]
        process = Process(self, name, pid, log, argv[1:])
        with self._table:
            self._processes[pid] = process
            if pid in self._ended_early:
                self._end(process, self._ended_early.pop(pid))
        return process

    def signal(self, pid: int, number: int) -> bool:
        """Send a signal to a program that this guard started; False when it has ended."""
        return bool(self._ask({"do": "signal", "pid": pid, "signal": int(number)})["sent"])

    def close(self) -> None:
        """End all programs, remove the folder, and return when that is done. Idempotent."""
        if self._closed or os.getpid() != self._owner:
            return
        self._closed = True
        if self._popen.stdin is not None:
            self._popen.stdin.close()
        try:
            self._popen.wait(_CLEAN_UP_SECONDS)
        except subprocess.TimeoutExpired:
            self._popen.kill()  # takes its programs along: PR_SET_PDEATHSIG
            self._popen.wait()
        if threading.current_thread() is not self._reader:
            self._reader.join(1.0)
        if self._popen.stdout is not None:
            self._popen.stdout.close()
        folder: Path | None = getattr(self, "folder", None)
        if folder is not None and folder.exists():  # the guard was killed
            shutil.rmtree(folder, ignore_errors=True)

    def forget(self) -> None:
        """In a forked child: let go of the pipe."""
        self._closed = True
        for pipe in (self._popen.stdin, self._popen.stdout):
            if pipe is not None:
                pipe.close()

    # ------------------------------------------------------------------ the conversation

    def _ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        with self._asking:
            if self._closed or self._popen.stdin is None:
                raise ControlPlaneError("the control plane has been stopped")
            try:
                _write_all(self._popen.stdin.fileno(), json.dumps(request).encode() + b"\n")
            except OSError as error:
                raise ControlPlaneError(_GUARD_GONE) from error
            return self._answer()

    def _answer(self) -> dict[str, Any]:
        try:
            answer = self._answers.get(timeout=_ANSWER_SECONDS)
        except queue.Empty:
            raise ControlPlaneError(f"the guard process did not answer within {_ANSWER_SECONDS:g} s") from None
        if answer is None:
            self._answers.put(None)
            raise ControlPlaneError(_GUARD_GONE)
        return answer

    def _read(self) -> None:
        pending = b""
        try:
            while data := os.read(self._popen.stdout.fileno(), 1 << 16):  # type: ignore[union-attr]
                *lines, pending = (pending + data).split(b"\n")
                for line in lines:
                    self._take(json.loads(line))
        except (OSError, ValueError):
            pass  # closed
        with self._table:
            for process in self._processes.values():
                self._end(process, -9)
        self._answers.put(None)

    def _take(self, message: dict[str, Any]) -> None:
        if "exited" not in message:
            self._answers.put(message)
            return
        pid, code = message["exited"], message["status"]
        with self._table:
            process = self._processes.pop(pid, None)
            if process is None:  # it ended before we knew its number
                self._ended_early[pid] = code
            else:
                self._end(process, code)

    @staticmethod
    def _end(process: Process, code: int) -> None:
        process.exit_code = code
        process.exited.set()


def wait_until(lacking: Callable[[], str], *, timeout: float, process: Process, also: Process | None = None) -> None:
    """Ask ``lacking`` until it says ``""``: nothing lacks. An OSError counts as "no answer yet".

    Raises:
        ControlPlaneError: One of the processes ended, or ``timeout`` (seconds) passed.
    """
    deadline = time.monotonic() + timeout
    while lack := _ask(lacking):
        for each in (process, also):
            if each is not None and each.exited.is_set():
                raise ControlPlaneError(f"{each.name} ended with status {each.exit_code}; {each.describe()}")
        if time.monotonic() > deadline:
            raise ControlPlaneError(f"gave up after {timeout:g} s: {lack}; {process.describe()}")
        process.wait(_POLL_SECONDS)


def _write_all(pipe: int, data: bytes) -> None:
    # A signal may cut a write to a pipe short.
    while data:
        data = data[os.write(pipe, data) :]


def _ask(lacking: Callable[[], str]) -> str:
    try:
        return lacking()
    except OSError as error:
        return f"no answer: {error}"


_GUARD_GONE = "the guard process of the control plane has ended (was it killed?), and its programs with it"


_alive: weakref.WeakSet[Guard] = weakref.WeakSet()


def _forget_all() -> None:
    for guard in list(_alive):
        guard.forget()


os.register_at_fork(after_in_child=_forget_all)
