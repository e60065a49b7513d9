"""What becomes of repeated v1 events: client-go's scenarios, on a clock of the test's own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from dynkube.errors import InvalidRequestError
from dynkube.events import EventCorrelator, aggregate_by_reason, object_and_type

pytestmark = pytest.mark.behaviour("7.7.2")


class Clock:
    """Each look at it makes it later, as in client-go's tests."""

    def __init__(self, interval):
        self.seconds, self.interval = 0.0, interval

    def __call__(self):
        return self.seconds

    def step(self):
        self.seconds += self.interval

    def now(self):
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)


def event(reason="similar", message="a message", *, path="", name="my-pod", **fields):
    involved = {"kind": "Pod", "name": name, "namespace": "my-ns", "apiVersion": "v1", "fieldPath": path}
    return {
        "metadata": {"name": "an-event", "namespace": "my-ns"}, "involvedObject": involved,
        "reason": reason, "message": message, "type": "Normal", "source": {"component": "kubelet", "host": "n1"},
        "count": 1, "firstTimestamp": "then", "lastTimestamp": "now",
    } | fields  # fmt: skip


def similar(count, **fields):
    return [event(message=f"number {number}", **fields) for number in range(count)]


def last_of(events, interval=5.0, **options):
    """Each event after the other, as a recorder does it; what becomes of the last one."""
    clock = Clock(interval)
    correlator = EventCorrelator(clock=clock, now=clock.now, **options)
    for each in events:
        result = correlator.correlate(each)
        clock.step()
        if not result.skip:
            correlator.update_state(result.event)
    return result


class TestCounting:
    def test_a_new_event_is_written_as_it_is(self):
        result = last_of([event()])
        assert (result.event, result.patch, result.skip) == (event(), None, False)

    def test_the_same_one_adds_to_its_count(self):
        first, again = event(), event(metadata={"name": "another", "namespace": "my-ns"}, lastTimestamp="later")
        result = last_of([first, again])
        assert result.patch == {"count": 2, "lastTimestamp": "later", "message": "a message"}
        assert result.event["metadata"]["name"] == "an-event"
        assert (result.event["count"], result.event["firstTimestamp"]) == (2, "then")

    def test_the_same_one_is_never_combined(self):
        result = last_of([event()] * 11, interval=30)
        assert (result.event["message"], result.patch["count"]) == ("a message", 11)

    def test_another_message_is_another_event(self):
        assert last_of([event(message="one"), event(message="two")]).patch is None

    def test_the_servers_count_is_the_one_that_goes_on(self):
        correlator = EventCorrelator()
        correlator.correlate(event())
        correlator.update_state(event(count=7, metadata={"name": "the-servers", "namespace": "my-ns"}))
        result = correlator.correlate(event())
        assert (result.patch["count"], result.event["metadata"]["name"]) == (8, "the-servers")

    def test_only_so_many_are_remembered(self):
        assert last_of([event(), event("two"), event("three"), event()], cache_size=2).patch is None


class TestCombining:
    def test_the_tenth_similar_one_stands_for_the_rest(self):
        result = last_of(similar(10))
        assert result.event["message"] == "(combined from similar events): number 9"
        assert (result.event["count"], result.patch) == (1, None)
        assert result.event["metadata"]["name"].startswith("my-pod.")

    def test_further_ones_add_to_its_count(self):
        tenth, eleventh = last_of(similar(10)), last_of(similar(11))
        assert (eleventh.patch["count"], eleventh.patch["message"]) == (2, "(combined from similar events): number 10")
        assert eleventh.event["metadata"] == tenth.event["metadata"]

    def test_nine_are_not_enough(self):
        assert last_of(similar(9)).event["message"] == "number 8"

    def test_ten_minutes_in_between_are_too_long(self):
        assert last_of(similar(10), interval=601).event["message"] == "number 9"

    def test_other_reasons_are_not_similar(self):
        events = [event(reason=str(number), message="other") for number in range(20)]
        assert last_of(events).event["message"] == "other"

    def test_how_many_and_what_they_say_can_be_chosen(self):
        result = last_of(similar(2), max_events=2, aggregate_message=lambda event: f"again: {event['message']}")
        assert result.event["message"] == "again: number 1"

    def test_what_is_similar_can_be_chosen(self):
        result = last_of(similar(20), aggregate_key=lambda event: (event["message"], ""))
        assert result.event["message"] == "number 19"


class TestFloods:
    def test_after_25_about_an_object_they_are_dropped(self):
        events = [event(reason=str(number)) for number in range(26)]
        assert not last_of(events[:25], interval=1).skip
        assert last_of(events, interval=1).skip

    def test_one_comes_through_every_five_minutes(self):
        clock = Clock(0)
        correlator = EventCorrelator(clock=clock, now=clock.now)
        for number in range(30):
            correlator.correlate(event(reason=str(number)))
        clock.seconds += 299
        assert correlator.correlate(event(reason="a")).skip
        clock.seconds += 1
        assert not correlator.correlate(event(reason="b")).skip
        assert correlator.correlate(event(reason="c")).skip

    def test_objects_and_types_are_told_apart(self):
        flood = [event(reason=str(number)) for number in range(30)]
        assert not last_of([*flood, event(name="another")], interval=0).skip
        assert not last_of([*flood, event(type="Warning")], interval=0).skip

    def test_what_was_dropped_counts_in_the_next_one_that_comes_through(self):
        clock = Clock(0)
        correlator = EventCorrelator(clock=clock, now=clock.now)
        for _ in range(30):
            correlator.correlate(event())
        clock.seconds += 300
        assert correlator.correlate(event()).patch["count"] == 31

    def test_what_is_one_object_can_be_chosen(self):
        events = [event(reason=str(number)) for number in range(3)]
        assert last_of(events, burst=1, interval=0).skip
        assert not last_of(events, burst=1, interval=0, spam_key=lambda event: event["reason"]).skip


def test_keys_are_of_source_object_type_and_reason():
    assert object_and_type(event()) == ("kubelet", "n1", "Pod", "my-ns", "my-pod", None, "v1", "Normal")
    key, local = aggregate_by_reason(event())
    assert (key[:9], local) == ((*object_and_type(event()), "similar"), "a message")


@pytest.mark.parametrize(
    ("options", "argument"),
    [
        ({"cache_size": 0}, "cache_size"), ({"burst": 0}, "burst"), ({"qps": 0}, "qps"), ({"spam_key": 3}, "spam_key"),
        ({"max_events": "a"}, "max_events"), ({"max_interval": -1}, "max_interval"),
        ({"aggregate_key": lambda: 1}, "aggregate_key"), ({"aggregate_message": 3}, "aggregate_message"),
        ({"clock": 3}, "clock"), ({"now": 3}, "now"),
    ],
)  # fmt: skip
def test_what_is_no_correlator_is_refused_by_name(options, argument):
    with pytest.raises(InvalidRequestError, match=f"^{argument}: "):
        EventCorrelator(**options)
