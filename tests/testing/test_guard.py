"""The guard: nothing that it started outlives its owner, however the owner ends."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dynkube.testing.errors import ControlPlaneError
from dynkube.testing.processes import Guard, wait_until

pytestmark = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="waits for other processes by pidfd (Linux)")

CLEAN_UP_SECONDS = 5.0
ENVIRONMENT = {"PATH": os.environ["PATH"]}


@pytest.fixture
def guard() -> Iterator[Guard]:
    guard = Guard()
    yield guard
    guard.close()


def assert_all_end(pids: list[int], seconds: float = CLEAN_UP_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    for pid in pids:
        try:
            watched = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        try:
            left = max(0.0, deadline - time.monotonic())
            assert select.select([watched], [], [], left)[0], f"process {pid} is alive after {seconds} s"
        finally:
            os.close(watched)


# An owner in a process of its own: says which processes and folder it has, then waits to be killed.
OWNER = """
import json, os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's job in the background ignores it, and so do we
from dynkube.testing.processes import Guard

guard = Guard()
# Its child has a session of its own: no process group leads there.
nested = ["/bin/sh", "-c", "setsid sleep 1000 & echo $! > nested.pid; sleep 1000"]
environment = {"PATH": os.environ["PATH"]}
pids = [guard.pid, guard.spawn("plain", ["/bin/sleep", "1000"], environment=environment).pid]
pids.append(guard.spawn("nested", nested, environment=environment).pid)
written = guard.folder / "nested.pid"
while not (written.exists() and written.read_text().strip()):
    pass
pids.append(int(written.read_text()))
"""
SAY = """
print(json.dumps({"folder": str(guard.folder), "pids": pids}), flush=True)
sys.stdin.read()
"""


class Owner:
    def __init__(self, program: str) -> None:
        self.popen = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.popen.stdout is not None
        said = json.loads(self.popen.stdout.readline())
        self.folder = Path(said["folder"])
        self.pids: list[int] = said["pids"]

    def end(self, number: int | None = None) -> None:
        if number is None:
            assert self.popen.stdin is not None
            self.popen.stdin.close()
        else:
            self.popen.send_signal(number)
        self.popen.wait(10)
        assert self.popen.stdout is not None
        self.popen.stdout.close()
        if self.popen.stdin is not None:
            self.popen.stdin.close()


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, None])
def test_everything_ends_with_the_owner(ending: int | None) -> None:
    owner = Owner(OWNER + SAY)
    assert owner.folder.is_dir()
    owner.end(ending)
    assert_all_end(owner.pids)
    assert not owner.folder.exists()


def test_a_forked_child_does_not_keep_the_programs_alive() -> None:
    fork = "\nchild = os.fork()\nif child == 0:\n    import time\n    time.sleep(1000)\npids.append(-child)\n"
    owner = Owner(OWNER + fork + SAY)
    child = -owner.pids.pop()
    try:
        owner.end(signal.SIGKILL)
        assert_all_end(owner.pids)
        assert not owner.folder.exists()
        os.kill(child, 0)
    finally:
        os.kill(child, signal.SIGKILL)


# Python 3.12 and later warn of a fork beside threads: that is what this is about.
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_the_end_of_a_forked_child_ends_nothing(guard: Guard) -> None:
    process = guard.spawn("plain", ["/bin/sleep", "1000"], environment=ENVIRONMENT)
    child = os.fork()
    if child == 0:
        guard.close()
        os._exit(0)
    os.waitpid(child, 0)
    assert process.signal(signal.SIGSTOP)
    assert not process.exited.is_set()


def test_a_killed_guard_takes_its_programs_along(guard: Guard) -> None:
    process = guard.spawn("plain", ["/bin/sleep", "1000"], environment=ENVIRONMENT)
    os.kill(guard.pid, signal.SIGKILL)
    assert_all_end([process.pid])
    assert process.wait(5)
    with pytest.raises(ControlPlaneError, match="guard process of the control plane has ended"):
        guard.spawn("another", ["/bin/sleep", "1000"], environment=ENVIRONMENT)
    guard.close()
    assert not guard.folder.exists()


def test_a_guard_ignores_what_is_meant_for_the_owner(guard: Guard) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(guard.pid, number)
    process = guard.spawn("plain", ["/bin/sleep", "1000"], environment=ENVIRONMENT)
    assert process.signal(signal.SIGTERM)
    assert process.wait(5)


def test_closing_returns_when_all_is_gone(guard: Guard) -> None:
    process = guard.spawn("plain", ["/bin/sleep", "1000"], environment=ENVIRONMENT)
    process.signal(signal.SIGSTOP)
    guard.close()
    assert not guard.folder.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)
    guard.close()
    with pytest.raises(ControlPlaneError, match="has been stopped"):
        process.signal(signal.SIGCONT)


def test_the_folder_is_private(guard: Guard) -> None:
    assert guard.folder.stat().st_mode & 0o777 == 0o700
    process = guard.spawn("plain", ["/bin/true"], environment=ENVIRONMENT)
    assert process.wait(5)
    assert process.log.stat().st_mode & 0o777 == 0o600


def test_an_ended_program_is_reported_with_its_status_and_log(guard: Guard) -> None:
    process = guard.spawn("plain", ["/bin/sh", "-c", "pwd; echo bad >&2; exit 3"], environment=ENVIRONMENT)
    assert process.wait(5)
    assert process.exit_code == 3
    assert process.log_tail() == f"{guard.folder}\nbad"
    assert not process.signal(signal.SIGTERM)
    assert "exited with 3" in repr(process)


def test_a_program_that_is_none(guard: Guard) -> None:
    process = guard.spawn("none", ["/nonexistent/program", "--flag=1"], environment=ENVIRONMENT)
    assert process.wait(5)
    assert process.exit_code == 127
    with pytest.raises(ControlPlaneError, match=r"none ended with status 127(.|\n)*--flag=1(.|\n)*No such file"):
        wait_until(lambda: "nothing", timeout=5, process=process)


def test_waiting_ends_at_its_timeout(guard: Guard) -> None:
    process = guard.spawn("plain", ["/bin/sleep", "1000"], environment=ENVIRONMENT)

    def unreachable() -> str:
        raise ConnectionRefusedError("refused")

    with pytest.raises(ControlPlaneError, match=r"gave up after 0.1 s: no answer: refused; plain was started with"):
        wait_until(unreachable, timeout=0.1, process=process)


def test_a_stopped_program_is_stopped_when_the_call_returns(guard: Guard) -> None:
    process = guard.spawn("plain", ["/bin/sleep", "1000"], environment=ENVIRONMENT)
    for _ in range(2):
        assert process.signal(signal.SIGSTOP)
        assert Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
    assert process.signal(signal.SIGCONT)
    assert process.signal(signal.SIGSTOP)
    assert process.signal(signal.SIGKILL)
    assert process.wait(5)
    assert process.exit_code == -signal.SIGKILL


def test_many_threads_may_ask_at_once(guard: Guard) -> None:
    from concurrent.futures import ThreadPoolExecutor

    def run(number: int) -> str:
        process = guard.spawn(f"p{number}", ["/bin/echo", str(number)], environment=ENVIRONMENT)
        assert process.wait(10)
        return process.log_tail()

    with ThreadPoolExecutor(8) as pool:
        assert [str(n) for n in range(40)] == list(pool.map(run, range(40)))


def test_an_environment_longer_than_a_pipe(guard: Guard) -> None:
    process = guard.spawn("plain", ["/bin/sh", "-c", "echo ${#LONG}"], environment={"LONG": "x" * 100_000})
    assert process.wait(5)
    assert process.log_tail() == "100000"
