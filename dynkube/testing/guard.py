"""The guard: a small process that outlives its owner just long enough to clean up.

It is run by path (``python -I -S guard.py OWNER_PID TEMP_FOLDER``), not imported, and uses
nothing but the standard library. It makes the folder, starts the programs as its own
children, and holds the other end of a pipe. When the pipe closes, because the owner closed
it or died in whatever way, SIGKILL included, it kills every process it has below itself,
removes the folder and ends. So there is no moment at which a program or the folder exists
and nobody would clean it up.

What PR_SET_PDEATHSIG in the owner could not do: that signal goes by thread, the thread that
started a program may end long before the process. The guard has one thread, so between the
guard and its children it serves as the second net, should the guard itself be killed
(prctl(2)).

One JSON object per line, both ways::

    <- {"folder": "..."}                                                  once, at the start
    -> {"do": "spawn", "argv": [...], "log": "...", "env": {...}}         <- {"pid": 12}
    -> {"do": "signal", "pid": 12, "signal": 9}                           <- {"sent": true}
    <- {"exited": 12, "status": -9}                                       whenever a program ends
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
from typing import Any, Final, NoReturn

__all__ = ["Guard", "main"]

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_CHILD_SUBREAPER: Final = 36
# How often to look whether the owner is still our parent: it is only the pipe's understudy
# (a child that the owner forked without exec may hold the pipe open).
_LOOK_AFTER_SECONDS: Final = 1.0
_READ_SIZE: Final = 1 << 16


class Guard:
    """The loop: obeys the owner, reports ended programs, cleans up at the end."""

    def __init__(self, owner: int, parent_folder: str) -> None:
        self._owner = owner
        self._running: set[int] = set()
        self._stopped: set[int] = set()
        self._pending = b""
        self._prctl = _load_prctl()
        self._prctl(_PR_SET_CHILD_SUBREAPER, 1)
        self.folder = os.path.join(parent_folder, f"dynkube-{os.urandom(6).hex()}")
        os.mkdir(self.folder, 0o700)

    def run(self) -> None:
        """Obey until the owner is gone."""
        wake_up, wake_up_writer = os.pipe()
        os.set_blocking(wake_up, False)
        os.set_blocking(wake_up_writer, False)
        signal.set_wakeup_fd(wake_up_writer, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, _do_nothing)
        self._tell({"folder": self.folder})
        while os.getppid() == self._owner:
            readable, _, _ = select.select([0, wake_up], [], [], _LOOK_AFTER_SECONDS)
            if wake_up in readable:
                os.read(wake_up, _READ_SIZE)
                self._report_ended()
            if 0 in readable and not self._obey(os.read(0, _READ_SIZE)):
                return

    def clean_up(self) -> None:
        """Kill all that is below this process and remove the folder."""
        self._kill_all()
        import shutil

        os.chdir("/")
        for _ in range(3):
            shutil.rmtree(self.folder, ignore_errors=True)

    # ------------------------------------------------------------------ commands

    def _obey(self, data: bytes) -> bool:
        if not data:
            return False
        *lines, self._pending = (self._pending + data).split(b"\n")
        for line in lines:
            command = json.loads(line)
            if command["do"] == "spawn":
                self._tell({"pid": self._spawn(command)})
            else:
                self._tell({"sent": self._signal(command["pid"], command["signal"])})
        return True

    def _spawn(self, command: dict[str, Any]) -> int:
        guard = os.getpid()
        reading, writing = os.pipe()  # both close on exec
        pid = os.fork()
        if pid == 0:
            self._become(command, guard)
        # Until its exec the child ignores what we ignore: a SIGTERM sent now would be lost.
        os.close(writing)
        os.read(reading, 1)
        os.close(reading)
        # Here and in the child: whoever comes first, the group exists when we return.
        try:
            os.setpgid(pid, pid)
        except OSError:
            pass
        self._running.add(pid)
        return pid

    def _become(self, command: dict[str, Any], guard: int) -> NoReturn:
        try:
            os.setpgid(0, 0)
            self._prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != guard:
                os._exit(1)
            for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE, signal.SIGCHLD):
                signal.signal(each, signal.SIG_DFL)
            nothing = os.open(os.devnull, os.O_RDONLY)
            log = os.open(command["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            for source, target in ((nothing, 0), (log, 1), (log, 2)):
                os.dup2(source, target)
            os.chdir(self.folder)
            os.execve(command["argv"][0], command["argv"], command["env"])  # noqa: S606
        except OSError as error:
            os.write(2, f"{command['argv'][0]}: {error}\n".encode())
        finally:
            os._exit(127)

    def _signal(self, pid: int, number: int) -> bool:
        if pid not in self._running:
            return False
        if number == signal.SIGSTOP and pid in self._stopped:
            return True
        os.kill(pid, number)
        if number == signal.SIGSTOP:
            # Only when the kernel says so: the owner must be able to rely on it.
            _, status = os.waitpid(pid, os.WUNTRACED)
            if not os.WIFSTOPPED(status):
                self._ended(pid, status)
                return False
            self._stopped.add(pid)
        elif number == signal.SIGCONT:
            self._stopped.discard(pid)
        return True

    # ------------------------------------------------------------------ children

    def _report_ended(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self._ended(pid, status)

    def _ended(self, pid: int, status: int) -> None:
        if pid in self._running:  # else an orphan that became ours, being the subreaper
            self._running.discard(pid)
            self._stopped.discard(pid)
            self._tell({"exited": pid, "status": os.waitstatus_to_exitcode(status)})

    def _kill_all(self) -> None:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for pid in self._running:
            _kill(-pid)
        while True:
            # Killing one hands its children over to us: look again after each.
            for pid in self._running.union(_children()):
                _kill(pid)
            try:
                pid, _ = os.waitpid(-1, 0)
            except ChildProcessError:
                return
            self._running.discard(pid)

    @staticmethod
    def _tell(message: dict[str, Any]) -> None:
        try:
            os.write(1, json.dumps(message).encode() + b"\n")
        except OSError:
            pass  # the owner is gone; the other end of the pipe says so next


def _kill(pid: int) -> None:
    try:
        os.killpg(-pid, signal.SIGKILL) if pid < 0 else os.kill(pid, signal.SIGKILL)
    except OSError:
        pass


def _children() -> set[int]:
    """The processes whose parent is this one (Linux; elsewhere none)."""
    found: set[int] = set()
    try:
        candidates = [each for each in os.listdir("/proc") if each.isdecimal()]
    except OSError:
        return found
    for each in candidates:
        try:
            with open(f"/proc/{each}/stat", "rb") as file:
                fields = file.read().rpartition(b")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == os.getpid():
            found.add(int(each))
    return found


def _load_prctl() -> Any:
    if sys.platform != "linux":
        return lambda *_: 0
    try:
        import ctypes

        return ctypes.CDLL(None).prctl
    except (ImportError, OSError, AttributeError):
        return lambda *_: 0


def _do_nothing(*_: object) -> None:
    """A handler: without one, SIGCHLD would wake nobody up."""


def main() -> None:
    """Run the guard: ``guard.py OWNER_PID TEMP_FOLDER``."""
    # A Ctrl-C in the owner's terminal, or its end, must not end the guard before its time.
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    guard = Guard(int(sys.argv[1]), sys.argv[2])
    try:
        guard.run()
    finally:
        guard.clean_up()


if __name__ == "__main__":
    main()
