"""The recorder: what events say, and that it never gets in the way."""

from __future__ import annotations

import logging
import os
import socket
import threading
import warnings

import pytest

from dynkube.errors import DeadlineExceededError, InvalidRequestError
from dynkube.events import EventCorrelator, EventRecorder, SeriesCache
from dynkube.events.occurrence import event_name, reference_to

LONG = 60
NANOSECONDS = 1_767_225_600_123_456_789  # 2026-01-01
POD = {
    "apiVersion": "v1", "kind": "Pod", "spec": {},
    "metadata": {"name": "foo", "namespace": "baz", "uid": "bar", "resourceVersion": "3"},
}  # fmt: skip
REFERENCE = {"apiVersion": "v1", "kind": "Pod", "namespace": "baz", "name": "foo", "uid": "bar", "resourceVersion": "3"}


class Events:
    """Stands for the client, its discovery and its events; keeps what is written."""

    def __init__(self):
        self.discovery = self
        self.serves = lambda: None
        self.written, self.gate, self.begun = [], threading.Event(), threading.Event()
        self.gate.set()

    def server_resources_for_group_version(self, group_version, **_limits):
        self.serves()

    def resource(self, gvr):
        self.group = gvr.group
        return self

    def namespace(self, namespace):
        return self

    def create(self, event, **limits):
        return self._do("create", event, **limits)

    def patch(self, name, patch, **limits):
        return self._do("patch", {"metadata": {"name": name}, **patch}, **limits)

    def _do(self, verb, event, *, timeout, cancel):
        self.begun.set()
        while not self.gate.wait(0.005):
            if cancel.cancelled:
                raise DeadlineExceededError("cancelled")
        self.written.append((self.group, verb, event))
        return event


@pytest.fixture
def events():
    return Events()


@pytest.fixture
def recorder_of(events):
    made = []

    def recorder_of(**options):
        made.append(EventRecorder(events, "test", **{"now": lambda: NANOSECONDS, **options}))
        return made[-1]

    yield recorder_of
    events.gate.set()
    for each in made:
        each.close(timeout=LONG)
        if each._thread is not None:
            each._thread.join(LONG)


def record(recorder, *args, **options):
    recorder.event(*args, **options)
    recorder.flush(timeout=LONG)


class TestCoreEvents:
    @pytest.mark.behaviour("7.7.1")
    def test_an_event_says_what_happened_to_what_and_who_says_so(self, recorder_of, events):
        record(recorder_of(api="v1", host="n1"), POD, "Normal", "Started", "it runs")
        assert events.written == [("", "create", {
            "apiVersion": "v1", "kind": "Event",
            "metadata": {"name": f"foo.{NANOSECONDS:x}", "namespace": "baz"},
            "involvedObject": REFERENCE, "type": "Normal", "reason": "Started", "message": "it runs", "count": 1,
            "source": {"component": "test", "host": "n1"}, "reportingComponent": "test", "reportingInstance": "n1",
            "firstTimestamp": "2026-01-01T00:00:00Z", "lastTimestamp": "2026-01-01T00:00:00Z",
        })]  # fmt: skip

    @pytest.mark.behaviour("7.7.1")
    def test_of_an_object_without_namespace_it_is_in_default(self, recorder_of, events):
        record(
            recorder_of(api="v1"), {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1"}}, "Normal", "A", "b"
        )
        assert events.written[0][2]["metadata"]["namespace"] == "default"

    @pytest.mark.behaviour("7.7.2")
    def test_the_same_again_is_a_patch_of_the_count(self, recorder_of, events):
        recorder = recorder_of(api="v1")
        for _ in range(2):
            record(recorder, POD, "Normal", "Started", "it runs")
        _, verb, patch = events.written[1]
        assert (verb, patch["count"], patch["metadata"]["name"]) == ("patch", 2, f"foo.{NANOSECONDS:x}")

    @pytest.mark.behaviour("7.7.2")
    def test_floods_are_held_back(self, recorder_of, events):
        recorder = recorder_of(api="v1", correlator=EventCorrelator(burst=3))
        for number in range(10):
            record(recorder, POD, "Normal", str(number), "it runs")
        assert len(events.written) == 3

    @pytest.mark.behaviour("7.7.4")
    def test_it_may_have_annotations_an_action_and_another_object(self, recorder_of, events):
        node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1"}}
        record(recorder_of(api="v1"), POD, "Normal", "A", "b", annotations={"a": "b"}, action="Act", related=node)
        event = events.written[0][2]
        assert event["metadata"]["annotations"] == {"a": "b"}
        assert (event["action"], event["related"]["name"]) == ("Act", "n1")


class TestEventsEvents:
    @pytest.mark.behaviour("7.7.5")
    def test_an_event_says_what_was_done_besides(self, recorder_of, events):
        record(
            recorder_of(api="events.k8s.io/v1"), POD, "Warning", "Broken", "it fell", action="Repairing", related=POD
        )
        assert events.written == [("events.k8s.io", "create", {
            "apiVersion": "events.k8s.io/v1", "kind": "Event",
            "metadata": {"name": f"foo.{NANOSECONDS:x}", "namespace": "baz"},
            "eventTime": "2026-01-01T00:00:00.123456Z", "type": "Warning", "reason": "Broken", "action": "Repairing",
            "note": "it fell", "regarding": REFERENCE, "related": REFERENCE,
            "reportingController": "test", "reportingInstance": f"test-{socket.gethostname()}",
        })]  # fmt: skip

    @pytest.mark.behaviour("7.7.5")
    def test_the_second_of_a_kind_begins_a_series(self, recorder_of, events):
        recorder = recorder_of(api="events.k8s.io/v1")
        for _ in range(4):
            record(recorder, POD, "Normal", "Started", "it runs")
        assert [verb for _, verb, _ in events.written] == ["create", "patch"]
        assert events.written[1][2]["series"]["count"] == 2
        recorder.close(timeout=LONG)
        assert events.written[2][2]["series"]["count"] == 4  # what was only counted is written at the end

    @pytest.mark.behaviour("7.7.5")
    def test_a_series_that_is_over_is_written(self, recorder_of, events):
        seconds = [0.0]
        recorder = recorder_of(api="events.k8s.io/v1", series=SeriesCache(clock=lambda: seconds[0]))
        for _ in range(3):
            record(recorder, POD, "Normal", "Started", "it runs")
        seconds[0] = 400
        record(recorder, POD, "Normal", "Another", "it runs")
        assert [event["series"]["count"] for _, verb, event in events.written if verb == "patch"] == [2, 3]

    @pytest.mark.behaviour("7.7.6")
    def test_long_texts_are_cut(self, recorder_of, events):
        recorder = recorder_of(api="events.k8s.io/v1", instance="i" * 200)
        record(recorder, POD, "Normal", "r" * 200, "é" * 1000, action="a" * 200)
        event = events.written[0][2]
        assert [len(event[field]) for field in ("reason", "action", "reportingInstance")] == [128, 128, 128]
        assert len(event["note"].encode()) == 1023
        assert event["note"].endswith("é...")

    @pytest.mark.behaviour("7.7.5")
    def test_without_an_action_it_is_the_reason(self, recorder_of, events):
        record(recorder_of(api="events.k8s.io/v1"), POD, "Normal", "Started", "it runs")
        assert events.written[0][2]["action"] == "Started"


@pytest.mark.behaviour("7.7.6")
class TestWhichGroup:
    def test_the_newer_one_if_the_server_has_it(self, recorder_of, events):
        record(recorder_of(), POD, "Normal", "Started", "it runs")
        assert events.written[0][0] == "events.k8s.io"

    def test_else_the_older_one(self, recorder_of, events, not_found):
        events.serves = not_found
        record(recorder_of(), POD, "Normal", "Started", "it runs")
        assert events.written[0][0] == ""

    def test_while_the_server_does_not_say_it_is_asked_again(self, recorder_of, events, not_found):
        def silent():
            events.serves = not_found
            raise DeadlineExceededError("no answer")

        events.serves = silent
        recorder = recorder_of()
        record(recorder, POD, "Normal", "One", "it runs")
        record(recorder, POD, "Normal", "Two", "it runs")
        assert [group for group, *_ in events.written] == ["events.k8s.io", ""]


@pytest.fixture
def not_found():
    from dynkube.errors import NotFoundError

    def not_found():
        raise NotFoundError({"kind": "Status", "status": "Failure", "reason": "NotFound", "code": 404, "message": "no"})

    return not_found


@pytest.mark.behaviour("7.7.3")
class TestNeverInTheWay:
    def test_recording_does_not_wait_for_the_server(self, recorder_of, events):
        events.gate.clear()
        recorder = recorder_of()
        for number in range(5):
            recorder.event(POD, "Normal", str(number), "it runs")
        assert events.written == []
        events.gate.set()
        recorder.flush(timeout=LONG)
        assert len(events.written) == 5

    def test_what_does_not_fit_into_the_queue_is_dropped_and_logged(self, recorder_of, events, caplog):
        events.gate.clear()
        recorder = recorder_of(queue_size=2)
        recorder.event(POD, "Normal", "0", "it runs")
        assert events.begun.wait(LONG)
        for number in range(1, 5):
            recorder.event(POD, "Normal", str(number), "it runs")
        assert [each.message for each in caplog.records if "dropped" in each.message] == [
            "the event '3' is dropped: 2 events wait already", "the event '4' is dropped: 2 events wait already",
        ]  # fmt: skip
        events.gate.set()

    def test_a_thousand_from_many_threads_all_arrive(self, recorder_of, events):
        recorder = recorder_of(api="v1")

        def send(start):
            for number in range(start, start + 100):
                recorder.event({**POD, "metadata": {"name": f"foo-{number}"}}, "Normal", f"R{number}", "it runs")

        threads = [threading.Thread(target=send, args=(start,)) for start in range(0, 1000, 100)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        recorder.flush(timeout=LONG)
        assert {event["reason"] for *_, event in events.written} == {f"R{number}" for number in range(1000)}

    @pytest.mark.behaviour("7.7.1")
    @pytest.mark.parametrize(
        ("obj", "event_type", "problem"),
        [
            ({"metadata": {"name": "foo"}}, "Normal", "no apiVersion and no kind"),
            ({"name": "foo", "kind": "Pod"}, "Normal", "no apiVersion"),
            (POD, "Invalid", "want 'Normal' or 'Warning'"),
            (POD, [], "want 'Normal' or 'Warning'"),
            ({**POD, "kind": "PartialObjectMetadata"}, "Normal", "obj: the object was read as metadata only"),
            ({**REFERENCE, "kind": "PartialObjectMetadata"}, "Normal", "obj: the object was read as metadata only"),
            (None, "Normal", "of a NoneType is not recorded: obj: want an object as a dict"),
            (3, "Normal", "obj: want an object as a dict"),
            ("m", "Normal", "obj: want an object as a dict"),
        ],
    )
    def test_what_cannot_be_recorded_is_logged(self, recorder_of, events, caplog, obj, event_type, problem):
        record(recorder_of(), obj, event_type, "Started", "it runs")
        assert events.written == []
        assert problem in caplog.text

    @pytest.mark.parametrize(
        ("options", "problem"),
        [
            ({"reason": None}, "reason: want text, got None"),
            ({"message": 3}, "message: want text, got 3"),
            ({"action": 3}, "action: want text, got 3"),
            ({"related": 3}, "related: want an object as a dict, got 3"),
            ({"annotations": 3}, "annotations: want a dict"),
            ({"annotations": {"a": 3}}, r"annotations['a']: want text, got 3"),
        ],
    )
    def test_what_an_event_cannot_say_is_logged_with_the_argument_and_the_object(
        self, recorder_of, events, caplog, options, problem
    ):
        recorder = recorder_of()
        recorder.event(POD, "Normal", **{"reason": "Started", "message": "it runs", **options})
        recorder.flush(timeout=LONG)
        assert events.written == []
        assert [each.exc_info for each in caplog.records] == [None]
        assert f"of Pod baz/foo is not recorded: {problem}" in caplog.text

    def test_whatever_else_goes_wrong_is_logged(self, recorder_of, caplog):
        recorder = recorder_of(now=lambda: 1 // 0)
        recorder.event(POD, "Normal", "Started", "it runs")
        assert "the event 'Started' of Pod baz/foo is not recorded" in caplog.text

    def test_a_function_that_wants_to_end_the_process_does_not_end_the_recording(self, recorder_of, events, caplog):
        def leave(event):
            raise SystemExit("bad config")

        recorder = recorder_of(api="v1", correlator=EventCorrelator(spam_key=leave))
        record(recorder, POD, "Normal", "One", "it runs")
        recorder._correlator = EventCorrelator()
        record(recorder, POD, "Normal", "Two", "it runs")
        assert [event["reason"] for *_, event in events.written] == ["Two"]
        assert "an event could not be recorded" in caplog.text

    def test_the_object_may_be_changed_afterwards(self, recorder_of, events):
        events.gate.clear()
        recorder, pod = recorder_of(), {**POD, "metadata": dict(POD["metadata"])}
        recorder.event(pod, "Normal", "Started", "it runs")
        pod["metadata"]["name"] = "changed"
        events.gate.set()
        recorder.flush(timeout=LONG)
        assert events.written[0][2]["regarding"]["name"] == "foo"


class TestTheEnd:
    @pytest.mark.behaviour("7.7.3")
    def test_what_waits_is_written(self, events):
        with EventRecorder(events, "test") as recorder:
            for number in range(20):
                recorder.event(POD, "Normal", str(number), "it runs")
        assert len(events.written) == 20
        recorder._thread.join(LONG)
        assert not recorder._thread.is_alive()

    def test_but_not_for_longer_than_its_time(self, events, caplog):
        events.gate.clear()
        recorder = EventRecorder(events, "test")
        for number in range(3):
            recorder.event(POD, "Normal", str(number), "it runs")
        assert events.begun.wait(LONG)
        recorder.close(timeout=0.05)
        assert "2 events were not written in 0.05 s" in caplog.text
        recorder._thread.join(LONG)
        assert not recorder._thread.is_alive()

    def test_afterwards_nothing_is_taken(self, events, caplog):
        recorder = EventRecorder(events, "test")
        recorder.close()
        recorder.close()
        recorder.event(POD, "Normal", "Started", "it runs")
        assert "the recorder is closed" in caplog.text
        assert recorder._thread is None

    def test_a_second_end_leaves_nothing_that_is_waited_for(self, events):
        recorder = EventRecorder(events, "test")
        recorder.event(POD, "Normal", "Started", "it runs")
        recorder.close(timeout=LONG)
        recorder.close(timeout=LONG)
        recorder.flush(timeout=LONG)
        assert recorder._waiting.unfinished_tasks == 0

    def test_a_forked_child_leaves_what_waits_to_its_parent_and_writes_its_own(self, events, recorder_of):
        events.gate.clear()
        recorder = recorder_of()
        recorder.event(POD, "Normal", "Parent", "it runs")
        assert events.begun.wait(LONG)
        recorder.event(POD, "Normal", "Parent", "it runs on")
        reads, writes = os.pipe()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 and later warn: there are threads
            child = os.fork()
        if child == 0:
            events.gate, events.written = threading.Event(), []
            events.gate.set()
            try:
                record(recorder, POD, "Normal", "Child", "it runs")
                os.write(writes, ",".join(event["reason"] for *_, event in events.written).encode())
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        assert os.read(reads, 100) == b"Child"
        events.gate.set()
        recorder.flush(timeout=LONG)
        assert len(events.written) == 2

    def test_flush_has_a_limit(self, recorder_of, events):
        events.gate.clear()
        recorder = recorder_of()
        recorder.event(POD, "Normal", "Started", "it runs")
        with pytest.raises(DeadlineExceededError):
            recorder.flush(timeout=0.05)


@pytest.mark.behaviour("7.7.4")
class TestWatching:
    def test_each_event_is_logged(self, recorder_of, caplog):
        caplog.set_level(logging.INFO, "dynkube.events")
        record(recorder_of(), POD, "Normal", "Started", "it runs")
        assert "Normal Started of Pod baz/foo: it runs" in caplog.text

    def test_watchers_see_each_event_until_they_leave(self, recorder_of):
        def fail(event):
            raise OSError("a watcher that fails is logged")

        def leave_the_process(event):
            raise SystemExit("logged too")

        recorder, seen = recorder_of(), []
        recorder.watch(fail)
        recorder.watch(leave_the_process)
        leave = recorder.watch(lambda event: seen.append(event["note"]))
        record(recorder, POD, "Normal", "Started", "one")
        leave()
        record(recorder, POD, "Normal", "Started", "two")
        assert seen == ["one"]

    @pytest.mark.parametrize("watcher", [3, lambda: 1])
    def test_what_cannot_watch_is_refused(self, recorder_of, watcher):
        with pytest.raises(InvalidRequestError, match="watcher"):
            recorder_of().watch(watcher)


@pytest.mark.behaviour("7.7.1")
class TestNames:
    @pytest.mark.parametrize("name", ["system:node", "A", "a_b", "a" * 251, ""])
    def test_a_name_that_would_be_none_is_made_by_chance(self, name):
        first, second = event_name(name, 255), event_name(name, 255)
        assert first != second
        assert len(first) == 36

    def test_else_it_is_the_objects_and_the_time(self):
        assert event_name("foo.bar-1", 255) == "foo.bar-1.ff"

    def test_a_reference_is_taken_as_it_is(self):
        reference = REFERENCE | {"fieldPath": "spec.containers[2]"}
        assert reference_to(reference) == reference
        assert reference_to(POD) == REFERENCE


@pytest.mark.parametrize(
    ("options", "argument"),
    [
        ({"controller": ""}, "controller"),
        ({"api": "v2"}, "api"),
        ({"queue_size": 0}, "queue_size"),
        ({"tries": 0}, "tries"),
        ({"client": None}, "client: want a DynamicClient"),
        ({"client": "x"}, "client: want a DynamicClient"),
        ({"controller": 3}, "controller: want text"),
        ({"instance": 3}, "instance: want text"),
        ({"host": 3}, "host: want text"),
        ({"api": []}, "api"),
        ({"queue_size": "a"}, "queue_size: want a whole number"),
        ({"tries": 1.5}, "tries: want a whole number"),
        ({"retry_delay": -1}, "retry_delay: want a number of seconds"),
        ({"timeout": "a"}, "timeout: want a number of seconds"),
        ({"timeout": 0}, "timeout: want a number of seconds"),
        ({"correlator": 3}, "correlator: want an EventCorrelator"),
        ({"series": 3}, "series: want a SeriesCache"),
        ({"now": 3}, "now: want a function"),
    ],
)
def test_what_is_no_recorder_is_refused_by_name(events, options, argument):
    with pytest.raises(InvalidRequestError, match=argument):
        EventRecorder(**{"client": events, "controller": "test", **options})
