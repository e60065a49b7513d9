"""The record and the spec of a Lease."""

from __future__ import annotations

import pytest

import dynkube
from dynkube.errors import InvalidRequestError
from dynkube.leaderelection import LeaderElectionRecord, LeaseLock

pytestmark = pytest.mark.behaviour("7.6.2")

RECORD = LeaderElectionRecord(
    holder_identity="one", lease_duration_seconds=15, acquire_time="then", renew_time="now", leader_transitions=1,
    preferred_holder="two", strategy="OldestEmulationVersion",
)  # fmt: skip


class Recorder:
    def __init__(self):
        self.events = []

    def event(self, obj, event_type, reason, message):
        self.events.append((obj["metadata"]["name"], event_type, reason, message))


@pytest.fixture
def client():
    with dynkube.DynamicClient(dynkube.RESTConfig(host="http://127.0.0.1:1", namespace="shop")) as client:
        yield client


def test_a_record_goes_into_a_spec_and_back():
    assert RECORD.to_spec() == {
        "holderIdentity": "one", "leaseDurationSeconds": 15, "acquireTime": "then", "renewTime": "now",
        "leaseTransitions": 1, "preferredHolder": "two", "strategy": "OldestEmulationVersion",
    }  # fmt: skip
    assert LeaderElectionRecord.from_spec(RECORD.to_spec()) == RECORD


@pytest.mark.parametrize("spec", [{}, {"holderIdentity": None, "leaseTransitions": None}])
def test_what_a_spec_lacks_is_empty(spec):
    assert LeaderElectionRecord.from_spec(spec) == LeaderElectionRecord()


def test_an_empty_holder_is_written():
    assert LeaderElectionRecord().to_spec() == {"holderIdentity": "", "leaseDurationSeconds": 0, "leaseTransitions": 0}


def test_its_namespace_is_the_clients_by_default(client):
    assert LeaseLock(client, "election", identity="one").name == "shop/election"
    assert LeaseLock(client, "election", "other", identity="one").name == "other/election"


def test_names_that_are_none_are_refused(client):
    with pytest.raises(InvalidRequestError, match="namespace"):
        LeaseLock(client, "election", "a/b", identity="one")


def test_events_are_recorded_on_the_lease(client):
    recorder = Recorder()
    lock = LeaseLock(client, "election", identity="one", recorder=recorder)
    lock.record_event("became leader")  # of no lease yet: nothing to record it on
    lock._lease = {"metadata": {"name": "election"}}
    lock.record_event("became leader")
    assert recorder.events == [("election", "Normal", "LeaderElection", "one became leader")]


def test_without_a_recorder_none_are(client):
    LeaseLock(client, "election", identity="one").record_event("became leader")
