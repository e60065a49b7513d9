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


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"namespace": "a/b"}, "namespace: want a name"),
        ({"namespace": "A_B"}, "namespace: want a name"),
        ({"namespace": "a.b"}, "namespace: want a name"),
        ({"namespace": 3}, "namespace: want a name"),
        ({"name": None}, "name: want a name"),
        ({"name": 3}, "name: want a name"),
        ({"name": ""}, "name: want a name"),
        ({"name": "A_B"}, "name: want a name"),
        ({"name": "a" * 254}, "name: want a name"),
        ({"identity": 3}, "identity: want text, got 3"),
        ({"identity": ""}, r"identity: it is empty; default_identity\(\) makes one"),
        ({"labels": 3}, "labels: want a dict"),
        ({"labels": {"a": 3}}, "labels: the value of 'a' must be a string"),
        ({"labels": {"a b": "c"}}, "labels: the key"),
        ({"recorder": 3}, "recorder: want an EventRecorder"),
        ({"client": None}, "client: want a DynamicClient, got None"),
    ],
)
def test_what_would_be_refused_for_ever_is_said_at_once(client, options, message):
    with pytest.raises(InvalidRequestError, match=message):
        LeaseLock(**{"client": client, "name": "election", "identity": "one", **options})


@pytest.mark.parametrize("name", ["a", "shop.example.com", "a" * 253, "4-0"])
def test_names_that_a_lease_may_have(client, name):
    assert LeaseLock(client, name, identity="one").name == f"shop/{name}"


def test_events_are_recorded_on_the_lease(client):
    recorder = Recorder()
    lock = LeaseLock(client, "election", identity="one", recorder=recorder)
    lock.record_event("became leader")  # of no lease yet: nothing to record it on
    lock._lease = {"metadata": {"name": "election"}}
    lock.record_event("became leader")
    assert recorder.events == [("election", "Normal", "LeaderElection", "one became leader")]


def test_without_a_recorder_none_are(client):
    LeaseLock(client, "election", identity="one").record_event("became leader")
