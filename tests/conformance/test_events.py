"""Events of a recorder on a server, in both API groups."""

from __future__ import annotations

import pytest
from manifests import config_map

from dynkube.events import EventRecorder
from dynkube.schema import GroupVersionResource

PATIENCE = 60
CORE = GroupVersionResource("", "v1", "events")


@pytest.fixture
def menu(configmaps):
    return configmaps.create(config_map("menu"))


@pytest.fixture
def events(client, namespace):
    """What the server has, in the eyes of v1: both groups are views of the same objects."""

    def events():
        found = client.resource(CORE).namespace(namespace).list()
        return sorted(found, key=lambda event: event["metadata"]["name"])

    return events


@pytest.mark.behaviour("7.7.1", "7.7.2")
def test_core_events_are_created_counted_and_combined(client, menu, events):
    with EventRecorder(client, "cook", host="kitchen", api="v1") as recorder:
        for _ in range(3):
            recorder.event(menu, "Normal", "Cooked", "it smells good")
        for number in range(12):
            recorder.event(menu, "Warning", "Burnt", f"pot {number}")
    found = {event["message"]: event for event in events()}
    cooked = found.pop("it smells good")
    assert (cooked["count"], cooked["type"], cooked["source"]) == (
        3,
        "Normal",
        {"component": "cook", "host": "kitchen"},
    )
    assert cooked["involvedObject"]["uid"] == menu["metadata"]["uid"]
    combined = {message: event["count"] for message, event in found.items() if message.startswith("(combined")}
    assert combined == {"(combined from similar events): pot 11": 3}
    assert len(found) == 10


@pytest.mark.behaviour("7.7.5")
def test_events_of_the_newer_group_become_a_series(client, menu, events):
    with EventRecorder(client, "cook") as recorder:
        for number in range(5):
            recorder.event(menu, "Normal", "Cooked", f"dish {number}", action="Cooking", related=menu)
    (event,) = events()
    assert (event["message"], event["action"], event["series"]["count"]) == ("dish 0", "Cooking", 5)
    assert event["reportingComponent"] == "cook"
    assert event["related"]["name"] == "menu"


@pytest.mark.behaviour("7.7.2", "7.7.5")
@pytest.mark.parametrize("api", ["v1", "events.k8s.io/v1"])
def test_an_event_that_has_gone_is_made_anew(client, menu, events, namespace, api):
    with EventRecorder(client, "cook", api=api) as recorder:
        recorder.event(menu, "Normal", "Cooked", "it smells good")
        recorder.flush(timeout=PATIENCE)
        (first,) = events()
        client.resource(CORE).namespace(namespace).delete(first["metadata"]["name"])
        recorder.event(menu, "Normal", "Cooked", "it smells good")
    (second,) = events()
    assert second["metadata"]["name"] == first["metadata"]["name"]
    assert second["metadata"]["uid"] != first["metadata"]["uid"]
    assert second.get("count", 0) == 2 or second["series"]["count"] == 2


@pytest.mark.behaviour("7.7.1")
def test_an_object_without_namespace_and_with_a_colon_in_its_name(client, unique):
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": f"{unique}:cook"}}
    with EventRecorder(client, "cook") as recorder:
        recorder.event(role, "Normal", "Granted", "it may cook")
    found = client.resource(CORE).namespace("default").list(field_selector=f"involvedObject.name={unique}:cook")
    assert [event["reason"] for event in found] == ["Granted"]


@pytest.mark.behaviour("7.7.3")
def test_a_refusal_is_logged_and_later_events_are_written(client, menu, events, caplog):
    with EventRecorder(client, "cook") as recorder:
        recorder.event({**menu, "metadata": {**menu["metadata"], "namespace": "nowhere"}}, "Normal", "Lost", "no way")
        recorder.event(menu, "Normal", "Cooked", "it smells good")
    assert [event["reason"] for event in events()] == ["Cooked"]
    assert "the server refused the event Lost" in caplog.text


@pytest.mark.behaviour("7.7.6")
def test_long_words_are_cut_to_what_the_server_takes(client, menu, events):
    with EventRecorder(client, "cook", instance="i" * 200) as recorder:
        recorder.event(menu, "Normal", "R" * 200, "é" * 2000, action="A" * 200)
    (event,) = events()
    assert event["message"].endswith("é...")
