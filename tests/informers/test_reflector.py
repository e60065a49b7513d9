"""The reflector, between a server that answers as the test says and a sink that writes down what it is told."""

from __future__ import annotations

import gc
import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from informing import until
from scripted import HOLD, PATIENCE, RESET, Answer, Request, ScriptedServer, chunk, json_response, response_head

from dynkube import RESTConfig
from dynkube.dynamic import DynamicClient
from dynkube.errors import (
    ClosedError,
    ConnectionLostError,
    ForbiddenError,
    InvalidRequestError,
    TooManyRequestsError,
)
from dynkube.informers.growth import Growth
from dynkube.informers.reflector import Reflector
from dynkube.observers import Observer, ReflectorList, ReflectorWatch
from dynkube.options import ListOptions
from dynkube.records import RawObject
from dynkube.schema import GroupVersionResource
from dynkube.transport import CancelToken
from dynkube.wire.listwatch import Backoff
from dynkube.wire.watch import WatchEvent

PODS = GroupVersionResource("", "v1", "pods")


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Backoff, "first", 0.001)
    monkeypatch.setattr(Backoff, "cap", 0.01)


# --------------------------------------------------------------------------- what the server says


def pod(name: str, version: int, uid: str = "", **metadata: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "ns", "uid": uid or name, "resourceVersion": str(version), **metadata}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata}


def listed(version: int, *pods: dict[str, Any], token: str = "") -> bytes:
    metadata = {"resourceVersion": str(version), "continue": token}
    return json_response({"kind": "PodList", "apiVersion": "v1", "metadata": metadata, "items": list(pods)})


def refusal(code: int, reason: str = "") -> bytes:
    status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": code}
    return json_response({**status, "reason": reason, "message": "no"}, code)


def event(kind: str, obj: dict[str, Any]) -> bytes:
    return json.dumps({"type": kind, "object": obj}, separators=(",", ":")).encode() + b"\n"


def bookmark(version: int, end: str | None = None) -> bytes:
    return event("BOOKMARK", pod("", version, annotations={"k8s.io/initial-events-end": end} if end else {}))


def error_event(code: int, reason: str = "") -> bytes:
    return event("ERROR", {"kind": "Status", "code": code, "reason": reason, "message": "no"})


def watched(*steps: Any, then: Any = HOLD) -> tuple[Any, ...]:
    head = response_head(200, [("Content-Type", "application/json"), ("Transfer-Encoding", "chunked")])
    return head, *(chunk(step) if isinstance(step, bytes) else step for step in steps), then


END = b"0\r\n\r\n"
IDLE = watched()


class Script:
    """Answers lists and watches, each kind from a queue of its own; the last answer stays."""

    def __init__(self, lists: list[Answer], watches: list[Answer]) -> None:
        self.lists, self.watches = lists, watches
        self.asked: list[dict[str, str]] = []

    def __call__(self, request: Request) -> Answer:
        query = {name: values[0] for name, values in parse_qs(urlsplit(request.target).query).items()}
        self.asked.append(query)
        queue = self.watches if query.get("watch") else self.lists
        return queue.pop(0) if len(queue) > 1 else queue[0]

    def kinds(self) -> str:
        """The requests: ``l`` for a list, ``w`` for a watch, ``s`` for one with initial events."""
        return "".join("s" if "sendInitialEvents" in each else "w" if "watch" in each else "l" for each in self.asked)


# --------------------------------------------------------------------------- who is told


class Notes:
    """Writes down what it is told, and can be waited for."""

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.batches: list[list[Any]] = []
        self.versions: list[str] = []
        self.errors: list[Exception] = []
        self._changed = threading.Condition()

    def apply(self, batch: Any, resource_version: str) -> None:
        with self._changed:
            self.batches.append(list(batch))
            self.versions.append(resource_version)
            self.told += [f"{each.type} {name_of(each.object)}" for each in batch]
            self._changed.notify_all()

    def replaced(self, resource_version: str) -> None:
        with self._changed:
            self.told.append(f"replaced {resource_version}")
            self._changed.notify_all()

    def failed(self, error: Exception, retry_in: float | None) -> None:
        with self._changed:
            self.errors.append(error)
            self.told.append(f"failed {type(error).__name__}" + ("" if retry_in is not None else " for good"))
            self._changed.notify_all()

    def wait_for(self, *told: str) -> None:
        with self._changed:
            if not self._changed.wait_for(lambda: self.told[-len(told) :] == list(told), PATIENCE):
                raise AssertionError(f"waited for {told}, was told {self.told}")


def name_of(obj: Any) -> str:
    if isinstance(obj, RawObject):
        return f"{obj.name} {obj.resource_version}"
    return f"{obj['metadata']['name']} {obj['metadata']['resourceVersion']}"


@contextmanager
def running(lists: list[Answer], watches: list[Answer], **options: Any) -> Iterator[tuple[Reflector, Notes, Script]]:
    """A reflector on a thread; in the end it is cancelled, and must come back."""
    script, sink = Script(lists, watches), Notes()
    with ScriptedServer() as server, DynamicClient(RESTConfig(host=server.url)) as client:
        server.on(script)
        reflector = Reflector(client.resource(PODS), sink, random=lambda: 0.0, **{"streaming": False, **options})
        cancel = CancelToken()
        thread = threading.Thread(target=reflector.run, args=(cancel,))
        thread.start()
        try:
            yield reflector, sink, script
        finally:
            cancel.cancel()
            thread.join(PATIENCE)
            assert not thread.is_alive(), "it did not stop"


# --------------------------------------------------------------------------- lists and watches


@pytest.mark.behaviour("7.1.1", "7.1.5", "7.1.9")
@pytest.mark.parametrize("records", ["dict", "raw"])
def test_a_list_and_what_its_watch_brings_is_told(records: str) -> None:
    changes = [
        event("MODIFIED", pod("a", 11)),
        event("ADDED", pod("b", 12)),
        bookmark(15),
        event("DELETED", pod("a", 16)),
    ]
    with running([listed(10, pod("a", 3))], [watched(*changes)], records=records) as (reflector, sink, script):
        sink.wait_for("ADDED a 3", "replaced 10", "MODIFIED a 11", "ADDED b 12", "DELETED a 16")
        assert reflector.synced
        assert reflector.resource_version == "16"
        assert script.asked[1]["resourceVersion"] == "10"
        assert script.asked[1]["allowWatchBookmarks"] == "true"
        assert {type(each.object) for batch in sink.batches for each in batch} == {
            RawObject if records == "raw" else dict
        }


@pytest.mark.behaviour("7.1.9")
def test_a_bookmark_moves_the_version_on_without_an_event() -> None:
    gate, last = threading.Event(), threading.Event()
    changes = watched(event("ADDED", pod("a", 11)), gate, bookmark(15), last, bookmark(15) + bookmark(20))
    with running([listed(10)], [changes]) as (_, sink, _):
        sink.wait_for("replaced 10", "ADDED a 11")
        gate.set()
        until(lambda: sink.versions[-1] == "15")
        last.set()
        until(lambda: sink.versions[-1] == "20")
        assert (sink.batches[-1], sink.versions.count("15")) == ([], 1)


@pytest.mark.behaviour("7.2.6")
def test_what_one_read_brings_is_one_batch() -> None:
    frames = b"".join(event("ADDED", pod(f"p{number}", 11 + number)) for number in range(5))
    with running([listed(10)], [watched(frames)]) as (_, sink, _):
        sink.wait_for("replaced 10", *(f"ADDED p{number} {11 + number}" for number in range(5)))
        assert [len(batch) for batch in sink.batches] == [5]


@pytest.mark.behaviour("7.1.2", "7.1.4")
def test_pages_are_told_as_one() -> None:
    lists: list[Answer] = [
        listed(10, pod("a", 1), token="C1"),
        listed(10, pod("b", 2), token="C2"),
        listed(10, pod("c", 3)),
    ]
    with running(lists, [IDLE], page_size=1) as (_, sink, script):
        sink.wait_for("ADDED a 1", "ADDED b 2", "ADDED c 3", "replaced 10")
        assert len(sink.batches) == 1
        assert [each.get("continue") for each in script.asked[:3]] == [None, "C1", "C2"]
        assert {each.get("limit") for each in script.asked[:3]} == {"1"}


@pytest.mark.behaviour("7.1.8", "7.2.2")
def test_a_relist_tells_differences_and_deletions_first() -> None:
    lists: list[Answer] = [
        listed(10, pod("same", 1), pod("gone", 2), pod("other", 3)),
        listed(20, pod("same", 1), pod("other", 15), pod("new", 16)),
    ]
    watches: list[Answer] = [watched(bookmark(11), error_event(410, "Expired")), IDLE]
    with running(lists, watches) as (_, sink, script):
        sink.wait_for("replaced 10", "DELETED gone 2", "MODIFIED other 15", "ADDED new 16", "replaced 20")
        assert [each.final_state_unknown for each in sink.batches[-1]] == [True, False, False]
        script_kinds = script.kinds()
        assert script_kinds.startswith("lwl")


@pytest.mark.behaviour("7.1.1")
def test_cached_lists_go_to_the_newest_state_when_theirs_has_expired() -> None:
    lists: list[Answer] = [listed(10, pod("a", 1)), refusal(410, "Expired"), listed(20, pod("a", 1))]
    watches: list[Answer] = [watched(bookmark(11), error_event(410, "Expired")), IDLE]
    with running(lists, watches, cached_lists=True) as (_, sink, script):
        sink.wait_for("ADDED a 1", "replaced 10", "replaced 20")
        asked = [each.get("resourceVersion") for each in script.asked if "watch" not in each]
        assert asked == ["0", "11", None]


def test_an_object_that_could_not_be_read_and_was_deleted_for_it_goes_with_a_list() -> None:
    lists: list[Answer] = [listed(3, pod("a", 1)), listed(5, pod("a", 1))]
    watches: list[Answer] = [watched(event("ADDED", pod("corrupt", 4)), error_event(500, "StorageReadError")), IDLE]
    with running(lists, watches) as (reflector, sink, _):
        sink.wait_for("ADDED corrupt 4", "failed StoreReadError", "DELETED corrupt 4", "replaced 5")
        assert reflector.resource_version == "5"


# --------------------------------------------------------------------------- failures


@pytest.mark.behaviour("7.1.12", "7.4.11")
@pytest.mark.parametrize(("code", "reason"), [(401, "Unauthorized"), (403, "Forbidden"), (404, "NotFound"), (405, "")])
def test_what_an_administrator_can_heal_is_told_and_waited_out(code: int, reason: str) -> None:
    lists: list[Answer] = [refusal(code, reason), refusal(code, reason), listed(10, pod("a", 1))]
    with running(lists, [IDLE]) as (reflector, sink, _):
        sink.wait_for("ADDED a 1", "replaced 10")
        assert len(sink.errors) == 2
        assert {error.code for error in sink.errors} == {code}  # type: ignore[attr-defined]
        assert reflector.failure is None


def test_a_permission_lost_while_it_watches_is_told_and_it_goes_on_from_its_version() -> None:
    watches: list[Answer] = [
        watched(error_event(403, "Forbidden")),
        refusal(403, "Forbidden"),
        watched(event("ADDED", pod("a", 11))),
    ]
    with running([listed(10)], watches) as (_, sink, script):
        sink.wait_for("replaced 10", "failed ForbiddenError", "failed ForbiddenError", "ADDED a 11")
        assert isinstance(sink.errors[0], ForbiddenError)
        assert script.kinds() == "lwww"


def test_a_resource_that_went_and_came_back_is_listed() -> None:
    lists: list[Answer] = [listed(10, pod("a", 1)), refusal(404, "NotFound"), listed(30, pod("a", 21, "another"))]
    watches: list[Answer] = [watched(bookmark(11), then=END), refusal(404, "NotFound"), IDLE]
    with running(lists, watches) as (_, sink, _):
        sink.wait_for("failed NotFoundError", "failed NotFoundError", "DELETED a 1", "ADDED a 21", "replaced 30")


@pytest.mark.behaviour("7.1.7")
def test_a_throttled_watch_is_no_reason_for_a_list() -> None:
    watches: list[Answer] = [*[watched(error_event(429, "TooManyRequests"))] * 6, watched(event("ADDED", pod("a", 11)))]
    with running([listed(10)], watches) as (_, sink, script):
        sink.wait_for("ADDED a 11")
        assert script.kinds() == "lwwwwwww"
        assert {type(error) for error in sink.errors} == {TooManyRequestsError}


@pytest.mark.behaviour("7.1.6")
@pytest.mark.parametrize("then", [END, RESET], ids=["closed", "cut"])
def test_a_watch_that_ends_at_once_is_told_as_lost(then: Any) -> None:
    watches: list[Answer] = [watched(then=then), watched(event("ADDED", pod("a", 11)))]
    with running([listed(10)], watches) as (_, sink, script):
        sink.wait_for("replaced 10", "failed ConnectionLostError", "ADDED a 11")
        assert isinstance(sink.errors[0], ConnectionLostError)
        assert script.kinds() == "lww"


@pytest.mark.behaviour("7.1.6")
def test_a_watch_that_brought_something_goes_on_in_silence() -> None:
    watches: list[Answer] = [watched(event("ADDED", pod("a", 11)), then=END), watched(event("ADDED", pod("b", 12)))]
    with running([listed(10)], watches) as (_, sink, script):
        sink.wait_for("replaced 10", "ADDED a 11", "ADDED b 12")
        assert [each.get("resourceVersion") for each in script.asked] == [None, "10", "11"]


def test_answers_that_are_no_api_are_waited_out() -> None:
    garbage = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 6\r\n\r\n<html>"
    nonsense = json_response({"kind": "PodList", "apiVersion": "v1", "items": [{"metadata": 7}]})
    half = event("ADDED", pod("a", 11)) + b'{"type":"ADDED","object":{"metadata":{"namespace":7}}}\n'
    watches: list[Answer] = [garbage, watched(half), watched(b"garbage\n"), watched(event("ADDED", pod("b", 12)))]
    for records in ("dict", "raw"):
        with running([garbage, nonsense, listed(10)], list(watches), records=records) as (_, sink, _):
            sink.wait_for("ADDED b 12")
            assert "ADDED a 11" in sink.told
            assert sink.told.index("failed DecodeError") < sink.told.index("replaced 10")


def test_the_limit_of_one_call_is_a_failure_that_passes() -> None:
    script, sink = Script([(HOLD,), listed(10)], [IDLE]), Notes()
    with ScriptedServer() as server, DynamicClient(RESTConfig(host=server.url, timeout=0.2)) as client:
        server.on(script)
        cancel = CancelToken()
        thread = threading.Thread(target=Reflector(client.resource(PODS), sink, streaming=False).run, args=(cancel,))
        thread.start()
        sink.wait_for("failed RequestTimeoutError", "replaced 10")
        cancel.cancel()
        thread.join(PATIENCE)
        assert not thread.is_alive()


# --------------------------------------------------------------------------- initial objects by watch


def initial(*events: bytes, version: int = 10) -> tuple[Any, ...]:
    return watched(*events, bookmark(version, end="true"))


@pytest.mark.behaviour("5.7.1", "5.7.2", "7.1.11")
def test_initial_objects_are_told_at_their_end_mark_and_the_stream_goes_on() -> None:
    gate = threading.Event()
    stream = watched(
        event("ADDED", pod("a", 1)),
        event("ADDED", pod("b", 2)),
        event("MODIFIED", pod("a", 3)),
        event("ADDED", pod("c", 4)),
        event("DELETED", pod("c", 5)),
        bookmark(5, end="false"),
        gate,
        bookmark(5, end="true"),
        event("ADDED", pod("d", 6)),
    )
    with running([refusal(500)], [stream], streaming=True) as (reflector, sink, script):
        assert sink.told == []
        gate.set()
        sink.wait_for("replaced 5", "ADDED d 6")
        state = {}
        for each in sink.batches[0]:
            name = each.object["metadata"]["name"]
            state.pop(name, None) if each.type == "DELETED" else state.update({name: name_of(each.object)})
        assert state == {"a": "a 3", "b": "b 2"}
        assert script.kinds() == "s"
        assert script.asked[0]["resourceVersionMatch"] == "NotOlderThan"
        assert reflector.resource_version == "6"


@pytest.mark.behaviour("7.2.5")
@pytest.mark.parametrize("streaming", [True, False], ids=["stream", "list"])
def test_objects_are_admitted_as_they_come_and_told_as_they_were_admitted(streaming: bool) -> None:
    gate, came = threading.Event(), threading.Event()

    def admit(event: WatchEvent[Any]) -> WatchEvent[Any]:
        admitted.append(f"{event.type} {name_of(event.object)}")
        if admitted[1:]:
            came.set()
        marked = {**event.object, "marked": True}
        return WatchEvent(event.type, marked)

    admitted: list[str] = []
    stream = watched(event("ADDED", pod("a", 1)), event("ADDED", pod("b", 2)), gate, bookmark(10, end="true"))
    lists = [listed(10, pod("a", 1), token="C"), listed(10, pod("b", 2)), listed(20, pod("b", 2))]
    changes = watched(event("MODIFIED", pod("a", 11)), event("MODIFIED", pod("b", 2)), error_event(410, "Expired"))
    watches: list[Answer] = [stream, IDLE] if streaming else [changes, IDLE]
    with running(lists, watches, streaming=streaming, admit=admit, page_size=1) as (_, sink, _):
        assert came.wait(PATIENCE)
        if streaming:
            assert sink.told == [], "while the rest is on its way"
            gate.set()
            sink.wait_for("ADDED a 1", "ADDED b 2", "replaced 10")
        else:
            sink.wait_for("MODIFIED a 11", "DELETED a 11", "replaced 20")
            assert admitted[2:] == ["MODIFIED a 11"], "not what is no news, and no tombstone"
        told = [each for batch in sink.batches for each in batch if not each.final_state_unknown]
        assert all(each.object["marked"] for each in told)
        assert admitted[:2] == ["ADDED a 1", "ADDED b 2"]


@pytest.mark.parametrize(
    ("records", "pause", "paused"), [("dict", 60.0, True), ("raw", 60.0, False), ("dict", 0.02, False)]
)
@pytest.mark.parametrize("ends", [True, False], ids=["complete", "broken off"])
def test_the_garbage_collector_waits_while_a_list_of_dicts_comes_but_not_for_long(
    records: Any, pause: float, paused: bool, ends: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Growth, "LOOK", pause)
    came, gate = threading.Event(), threading.Event()

    def admit(event: WatchEvent[Any]) -> WatchEvent[Any]:
        came.set()
        return event

    after = (bookmark(10, end="true"),) if ends else ()
    stream = watched(event("ADDED", pod("a", 1)), gate, *after, then=HOLD if ends else END)
    watches: list[Answer] = [stream, IDLE]
    with running([listed(10, pod("a", 1))], watches, streaming=True, records=records, admit=admit) as (_, sink, _):
        assert came.wait(PATIENCE)
        until(lambda: gc.isenabled() is not paused)
        gate.set()
        sink.wait_for("ADDED a 1", "replaced 10")
        until(gc.isenabled)


def test_a_server_that_is_silent_does_not_keep_the_garbage_collector_waiting() -> None:
    asked = threading.Event()

    def silent(_request: Request) -> Answer:
        asked.set()
        return (HOLD,)

    with ScriptedServer() as server, DynamicClient(RESTConfig(host=server.url)) as client:
        server.on(silent)
        cancel = CancelToken()
        for streaming in (True, False):
            asked.clear()
            reflector = Reflector(client.resource(PODS), Notes(), streaming=streaming)
            thread = threading.Thread(target=reflector.run, args=(cancel,))
            thread.start()
            assert asked.wait(PATIENCE)
            assert gc.isenabled()
        cancel.cancel()
        thread.join(PATIENCE)


@pytest.mark.behaviour("7.1.9")
@pytest.mark.parametrize("records", ["dict", "raw"])
def test_an_event_of_another_kind_is_said_and_left_out(records: Any, caplog: pytest.LogCaptureFixture) -> None:
    foreign = {**pod("node", 11), "kind": "Node"}
    changes = watched(event("ADDED", foreign), event("ADDED", pod("a", 12)))
    with running([listed(10, pod("there", 1))], [changes], records=records) as (_, sink, _):
        sink.wait_for("replaced 10", "ADDED a 12")
    assert "expected events with a Pod, but one has a Node" in caplog.text


@pytest.mark.parametrize("records", ["dict", "raw"])
def test_what_a_list_is_called_says_nothing_of_its_objects(records: Any) -> None:
    """A CRD may call its list anything (names.listKind), and an empty one is all there is at first."""
    metadata = {"resourceVersion": "10"}
    empty = json_response({"kind": "PodCollection", "apiVersion": "v1", "metadata": metadata, "items": []})
    full = json_response({"kind": "OtherList", "apiVersion": "v1", "metadata": metadata, "items": [pod("a", 9)]})
    for lists, told in ((empty, ["replaced 10"]), (full, ["ADDED a 9", "replaced 10"])):
        with running([lists], [watched(event("ADDED", pod("b", 12)))], records=records) as (_, sink, _):
            sink.wait_for(*told, "ADDED b 12")


def test_initial_events_of_a_server_that_was_restored_from_a_backup_take_the_state_back() -> None:
    first = initial(event("ADDED", pod("a", 9)), event("ADDED", pod("b", 3)), event("ADDED", pod("c", 40)), version=50)
    back = initial(
        event("ADDED", pod("a", 4)),
        event("ADDED", pod("b", 3)),
        event("ADDED", pod("c", 2)),
        event("DELETED", pod("c", 5)),
        version=5,
    )
    expired = watched(error_event(410, "Expired"))
    # The first stream ends where the next watch finds its version expired.
    streams: list[Answer] = [(*first[:-1], END), expired, back, IDLE]
    with running([refusal(500)], streams, streaming=True) as (reflector, sink, _):
        sink.wait_for("MODIFIED a 4", "replaced 5")
        assert sink.told[:4] == ["ADDED a 9", "ADDED b 3", "ADDED c 40", "replaced 50"]
        assert "DELETED c 5" in sink.told
        assert reflector.resource_version == "5"


def test_a_start_that_is_given_up_as_its_end_mark_comes_is_a_lost_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Reflector, "SLOW_START", 0.01)
    given_up = threading.Event()

    def is_too_slow(self: Reflector, seconds: float) -> bool:
        del self, seconds
        given_up.set()
        return True

    monkeypatch.setattr(Reflector, "_is_too_slow", is_too_slow)

    def admit(event: WatchEvent[Any]) -> WatchEvent[Any]:
        assert given_up.wait(PATIENCE)  # while the batch with the end mark is at work
        return event

    first = watched(event("ADDED", pod("a", 1)) + bookmark(10, end="true"))
    watches: list[Answer] = [first, watched(event("ADDED", pod("b", 11)))]
    with running([listed(10, pod("a", 1))], watches, streaming=True, admit=admit) as (_, sink, script):
        sink.wait_for("ADDED b 11")
        assert "failed ClosedError for good" not in sink.told
        assert script.kinds()[0] == "s"


@pytest.mark.behaviour("5.7.3", "7.1.11")
@pytest.mark.parametrize(
    "first",
    [refusal(422, "Invalid"), refusal(400, "BadRequest"), refusal(403, "Forbidden"), watched(bookmark(9), then=END)],
)
def test_where_initial_objects_do_not_come_a_list_does(first: Answer) -> None:
    watches: list[Answer] = [first, watched(event("ADDED", pod("b", 11)))]
    with running([listed(10, pod("a", 1))], watches, streaming=True) as (_, sink, script):
        sink.wait_for("ADDED a 1", "replaced 10", "ADDED b 11")
        assert script.kinds() == "slw"


def test_a_server_that_is_too_busy_for_initial_objects_is_asked_for_them_again() -> None:
    busy = watched(error_event(429, "TooManyRequests"))
    with running([refusal(500)], [busy, busy, initial(event("ADDED", pod("a", 1)))], streaming=True) as (
        _,
        sink,
        script,
    ):
        sink.wait_for("ADDED a 1", "replaced 10")
        assert script.kinds() == "sss"


def test_initial_objects_that_broke_off_have_told_nothing() -> None:
    first = watched(event("ADDED", pod("a", 1)), event("ADDED", pod("b", 2)), then=END)
    with running([listed(10, pod("b", 2))], [first, IDLE], streaming=True) as (_, sink, _):
        sink.wait_for("ADDED b 2", "replaced 10")
        assert "ADDED a 1" not in sink.told


@pytest.mark.behaviour("7.1.11")
def test_initial_objects_without_an_end_are_warned_of_again_and_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(Reflector, "SLOW_START", 0.02)
    said = threading.Semaphore(0)

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if "initial objects has not come" in record.getMessage():
                said.release()

    logger, handler = logging.getLogger("dynkube.informers"), Handler()
    logger.addHandler(handler)
    try:
        gate = threading.Event()
        stream = watched(event("ADDED", pod("a", 1)), gate, bookmark(10, end="true"))
        with running([refusal(500)], [stream], streaming=True) as (_, sink, _):
            assert said.acquire(timeout=PATIENCE)
            assert said.acquire(timeout=PATIENCE)
            gate.set()
            sink.wait_for("ADDED a 1", "replaced 10")
    finally:
        logger.removeHandler(handler)
    assert "for 0.02 s" in caplog.text
    assert "for 0.04 s" in caplog.text


def test_where_initial_objects_end_in_silence_lists_take_their_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Reflector, "SLOW_START", 0.02)
    monkeypatch.setattr(Reflector, "SILENT_START", 0.05)
    lists: list[Answer] = [listed(10, pod("a", 1)), listed(20, pod("a", 1))]
    silent = watched(event("ADDED", pod("a", 1)))
    watches: list[Answer] = [silent, watched(bookmark(11), error_event(410, "Expired")), IDLE]
    with running(lists, watches, streaming=True) as (_, sink, script):
        sink.wait_for("ADDED a 1", "replaced 10", "replaced 20")
        assert script.kinds().startswith("slwl")


# --------------------------------------------------------------------------- its end


@pytest.mark.behaviour("7.4.12")
@pytest.mark.parametrize("streaming", [False, True])
def test_cancelled_before_it_runs_it_asks_nothing(streaming: bool) -> None:
    with ScriptedServer() as server, DynamicClient(RESTConfig(host=server.url)) as client:
        cancel = CancelToken()
        cancel.cancel()
        Reflector(client.resource(PODS), Notes(), streaming=streaming).run(cancel)
        assert server.requests == []


@pytest.mark.behaviour("7.4.12")
@pytest.mark.parametrize("where", ["a list", "a pause", "an opening watch", "a silent watch", "initial objects"])
def test_it_stops_wherever_it_is(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lists: list[Answer] = [listed(10)]
    watches: list[Answer] = [IDLE]
    if where == "a list":
        lists = [(HOLD,)]
    elif where == "a pause":
        monkeypatch.setattr(Backoff, "first", 3600.0)
        lists = [refusal(403, "Forbidden")]
    elif where == "an opening watch":
        watches = [(HOLD,)]
    with running(lists, watches, streaming=where == "initial objects") as (_, sink, script):
        if where == "a pause":
            sink.wait_for("failed ForbiddenError")
        asked = threading.Event()
        while len(script.asked) < (2 if "watch" in where else 1):
            asked.wait(0.01)
    # Leaving the block cancels it, and waits for the thread.


def test_what_the_sink_raises_ends_it_and_closes_the_watch() -> None:
    class Broken(Notes):
        def apply(self, batch: Any, resource_version: str) -> None:
            super().apply(batch, resource_version)
            if resource_version == "11":
                raise ForbiddenError({"code": 403, "message": "the sink's own"})

    script = Script([listed(10)], [watched(event("ADDED", pod("a", 11)))])
    with ScriptedServer() as server, DynamicClient(RESTConfig(host=server.url)) as client:
        server.on(script)
        with pytest.raises(ForbiddenError, match="the sink's own"):
            Reflector(client.resource(PODS), Broken(), streaming=False).run(CancelToken())
        server.wait_for_ends(1)
        assert script.kinds() == "lw"


def test_a_closed_client_ends_it() -> None:
    sink = Notes()
    caught: list[BaseException] = []

    def run(work: Callable[[], None]) -> None:
        try:
            work()
        except ClosedError as error:
            caught.append(error)

    with ScriptedServer() as server:
        server.on(Script([listed(10)], [IDLE]))
        client = DynamicClient(RESTConfig(host=server.url))
        reflector = Reflector(client.resource(PODS), sink, streaming=False)
        thread = threading.Thread(target=run, args=(lambda: reflector.run(CancelToken()),))
        thread.start()
        sink.wait_for("replaced 10")
        client.close()
        thread.join(PATIENCE)
        assert [type(each) for each in caught] == [ClosedError]
        sink.wait_for("failed ClosedError for good")


# --------------------------------------------------------------------------- around it


@pytest.mark.behaviour("7.1.14")
def test_observers_are_told_of_lists_and_watches() -> None:
    seen: list[Any] = []
    over = threading.Event()

    class Seeing(Observer):
        def on_reflector_list(self, listed: ReflectorList) -> None:
            seen.append(("list", listed.informer, listed.resource, listed.items, listed.resource_version, listed.error))

        def on_reflector_watch(self, watched: ReflectorWatch) -> None:
            seen.append(("watch", watched.events, watched.resource_version, watched.error))
            over.set()

    lists: list[Answer] = [refusal(403, "Forbidden"), listed(10, pod("a", 1), token="C"), listed(10, pod("b", 2))]
    watches: list[Answer] = [watched(event("ADDED", pod("c", 11)), bookmark(12), then=END), IDLE]
    with running(lists, watches, observers=[Seeing()], name="mine"):
        assert over.wait(PATIENCE)
    assert seen[:3] == [
        ("list", "mine", "pods", 0, "", "ForbiddenError"),
        ("list", "mine", "pods", 2, "10", ""),
        ("watch", 2, "12", ""),
    ]


def test_when_the_server_was_heard_of_last() -> None:
    now = [5.0]
    with running([listed(10)], [watched(event("ADDED", pod("a", 11)))], clock=lambda: now[0]) as (reflector, sink, _):
        sink.wait_for("replaced 10", "ADDED a 11")
        assert reflector.heard_at == 5.0
    with DynamicClient(RESTConfig(host="http://127.0.0.1:9")) as client:
        assert Reflector(client.resource(PODS), Notes()).heard_at is None


@pytest.mark.parametrize("records", ["dict", "raw"])
def test_metadata_only_of_a_server_that_sends_whole_objects(records: str) -> None:
    whole = {**pod("a", 1), "spec": {"big": "x"}}
    script, sink = Script([listed(10, whole)], [IDLE]), Notes()
    with ScriptedServer() as server, DynamicClient(RESTConfig(host=server.url)) as client:
        server.on(script)
        cancel = CancelToken()
        reflector = Reflector(client.resource(PODS).metadata_only(), sink, streaming=False, records=records)  # type: ignore[arg-type]
        thread = threading.Thread(target=reflector.run, args=(cancel,))
        thread.start()
        sink.wait_for("ADDED a 1", "replaced 10")
        cancel.cancel()
        thread.join(PATIENCE)
    obj = sink.batches[0][0].object
    obj = obj.decode() if isinstance(obj, RawObject) else obj
    assert obj["kind"] == "PartialObjectMetadata"
    assert "spec" not in obj


def test_what_cannot_be_followed_is_refused_at_once() -> None:
    with DynamicClient(RESTConfig(host="http://127.0.0.1:9")) as client:
        pods = client.resource(PODS)
        with pytest.raises(InvalidRequestError):
            Reflector(pods, Notes(), options=ListOptions(label_selector="a in ("))
        with pytest.raises(InvalidRequestError):
            Reflector(pods.subresource("status"), Notes())
