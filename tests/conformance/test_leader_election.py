"""Leases on a server: the lock, and candidates as processes, one frozen, one cut off from the server."""

from __future__ import annotations

import itertools
import queue
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from dynkube.errors import AlreadyExistsError, ConflictError, InvalidRequestError, NotFoundError
from dynkube.leaderelection import LeaderElectionRecord, LeaderElector, LeaseLock, default_identity
from dynkube.schema import GroupVersionResource
from dynkube.testing import FaultProxy
from dynkube.transport import CancelToken

LEASES = GroupVersionResource("coordination.k8s.io", "v1", "leases")
SCRIPT = Path(__file__).parents[1] / "support" / "candidate.py"
PATIENCE = 60
RECORD = LeaderElectionRecord(
    holder_identity="one",
    lease_duration_seconds=15,
    acquire_time="2026-01-01T00:00:00.000000Z",
    renew_time="2026-01-01T00:00:01.500000Z",
    leader_transitions=1,
)


@pytest.fixture
def lock(client, namespace):
    return LeaseLock(client, "election", namespace, identity="one")


@pytest.fixture
def leases(client, namespace):
    return client.resource(LEASES).namespace(namespace)


@pytest.mark.behaviour("7.6.2")
class TestTheLock:
    def test_there_is_none_before_it_is_made(self, lock):
        with pytest.raises(NotFoundError):
            lock.get()

    def test_what_was_written_is_read_again(self, lock):
        lock.create(RECORD)
        assert lock.get() == RECORD

    def test_it_is_made_once(self, client, namespace, lock):
        lock.create(RECORD)
        with pytest.raises(AlreadyExistsError):
            LeaseLock(client, "election", namespace, identity="two").create(RECORD)

    def test_the_second_of_two_writes_fails(self, client, namespace, lock):
        lock.create(RECORD)
        other = LeaseLock(client, "election", namespace, identity="two")
        other.get()
        lock.update(replace(RECORD, renew_time="2026-01-01T00:00:03.500000Z"))
        with pytest.raises(ConflictError):
            other.update(RECORD)

    def test_it_cannot_be_written_before_it_was_read(self, lock):
        with pytest.raises(InvalidRequestError, match="call get or create first"):
            lock.update(RECORD)

    def test_its_labels_are_set_and_others_stay(self, client, namespace, leases):
        lock = LeaseLock(client, "election", namespace, identity="one", labels={"mine": "1"})
        lock.create(RECORD)
        leases.patch("election", {"metadata": {"labels": {"mine": "2", "theirs": "3"}}})
        lock.get()
        lock.update(RECORD)
        assert leases.get("election")["metadata"]["labels"] == {"mine": "1", "theirs": "3"}

    def test_it_says_where_it_is(self, lock, namespace):
        assert repr(lock) == f"LeaseLock('{namespace}/election', identity='one')"
        assert default_identity() != default_identity()


@pytest.mark.behaviour("7.6.5")
def test_a_leader_renews_and_releases(lock, leases):
    token, leading = CancelToken(), threading.Event()
    renewed = threading.Event()

    def work(stop):
        leading.set()
        first = leases.get("election")["spec"]["renewTime"]
        while leases.get("election")["spec"]["renewTime"] == first:
            stop.wait(0.05)
        renewed.set()

    elector = LeaderElector(
        lock, lease_duration=30, renew_deadline=20, retry_period=0.1, release_on_cancel=True,
        on_started_leading=work, on_stopped_leading=lambda: None,
    )  # fmt: skip
    thread = threading.Thread(target=elector.run, kwargs={"cancel": token})
    thread.start()
    assert leading.wait(PATIENCE)
    assert elector.is_leader
    assert renewed.wait(PATIENCE)
    token.cancel()
    thread.join(PATIENCE)
    spec = leases.get("election")["spec"]
    assert spec.get("holderIdentity", "") == ""
    assert (spec["leaseDurationSeconds"], spec["leaseTransitions"]) == (1, 0)


class Candidate:
    """A process, and what it says."""

    def __init__(self, kubeconfig, namespace, identity, days):
        self.process = subprocess.Popen(
            [sys.executable, str(SCRIPT), str(kubeconfig), namespace, "election", identity, str(days)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.claims = []
        self._said = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            word, *time = line.split()
            if word == "claim":
                self.claims.append([float(time[0]), None])
            elif word == "end":
                self.claims[-1][1] = float(time[0])
            self._said.put(word)

    def wait_for(self, word):
        while self._said.get(timeout=PATIENCE) != word:
            pass

    def leave(self):
        """End, and let go of the lease."""
        self.process.stdin.close()
        assert self.process.wait(PATIENCE) == 0
        self._reader.join(PATIENCE)

    def close(self):
        self.process.kill()
        self.process.wait()
        self._reader.join()
        self.process.stdin.close()
        self.process.stdout.close()


@pytest.fixture
def candidate(namespace):
    started = []

    def candidate(*args):
        started.append(Candidate(args[0], namespace, *args[1:]))
        return started[-1]

    yield candidate
    for each in started:
        each.close()


@pytest.fixture
def proxy(server):
    with FaultProxy.before(server, raw=server.url.startswith("https")) as proxy:
        yield proxy


def kubeconfig_through(proxy, server, folder):
    kubeconfig = yaml.safe_load(server.kubeconfig.read_text())
    kubeconfig["clusters"][0]["cluster"]["server"] = proxy.url
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(kubeconfig))
    return path


@pytest.mark.behaviour("7.6.3", "7.6.5")
def test_never_two_leaders_at_once(server, proxy, candidate, leases, tmp_path):
    """One is frozen, one is cut off, and the days of both are wrong."""
    one = candidate(server.kubeconfig, "one", -400)
    one.wait_for("claim")
    two = candidate(kubeconfig_through(proxy, server, tmp_path), "two", 400)

    one.process.send_signal(signal.SIGSTOP)
    two.wait_for("claim")
    one.process.send_signal(signal.SIGCONT)
    one.wait_for("stopped")

    proxy.stall()
    two.wait_for("stopped")
    one.wait_for("claim")
    proxy.resume()
    proxy.cut_all()

    one.leave()
    two.wait_for("claim")
    two.leave()
    claims = sorted([begin, end, who.process.pid] for who in (one, two) for begin, end in who.claims)
    assert [pid for *_, pid in claims] == [each.process.pid for each in (one, two, one, two)]
    assert all(before[1] < after[0] for before, after in itertools.pairwise(claims))
    assert leases.get("election")["spec"]["leaseTransitions"] >= 3
