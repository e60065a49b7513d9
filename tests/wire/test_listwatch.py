from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynkube.errors import (
    APIStatusError,
    BadRequestError,
    CancelledError,
    ConnectError,
    ConnectionLostError,
    DecodeError,
    ExpiredError,
    ForbiddenError,
    FrameTooLargeError,
    GoneError,
    InternalServerError,
    InvalidError,
    InvalidRequestError,
    MethodNotAllowedError,
    NotFoundError,
    RequestTimeoutError,
    ServiceUnavailableError,
    TimeoutStatusError,
    TLSError,
    TooManyRequestsError,
    UnauthorizedError,
)
from dynkube.options import ListOptions
from dynkube.wire.listwatch import Backoff, Fail, List, ListWatch, Read, Step, Wait, Watch
from dynkube.wire.watch import EventType, WatchEvent

# --------------------------------------------------------------------------- a model of the server

Key = tuple[str, str]
Body = dict[str, Any]


@dataclass
class Page:
    objects: list[Body]
    resource_version: str
    continue_token: str = ""
    kind: str = "PodList"
    api_version: str = "v1"


class ModelServer:
    """A collection with its whole history: states by version, and where the history begins."""

    def __init__(self) -> None:
        self.version = 10
        self.compacted = 10
        self.state: dict[Key, Body] = {}
        self.states: dict[int, dict[Key, Body]] = {10: {}}
        self.log: list[tuple[int, str, Body]] = []
        self.deleted_uids: set[str] = set()
        self.uids = 0

    def write(self, rng: random.Random) -> None:
        key = (rng.choice(["a", "b"]), f"n{rng.randrange(6)}")
        self.version += rng.choice([1, 1, 1, 7])
        current = self.state.get(key)
        if current is None:
            self.uids += 1
            self._log("ADDED", key, self._body(key, f"u{self.uids}"))
        elif rng.random() < 0.5:
            self._log("MODIFIED", key, self._body(key, current["metadata"]["uid"]))
        else:
            self.deleted_uids.add(current["metadata"]["uid"])
            self._log("DELETED", key, self._body(key, current["metadata"]["uid"]))

    def compact(self, rng: random.Random) -> None:
        self.compacted = rng.randint(self.compacted, self.version)

    def _body(self, key: Key, uid: str) -> Body:
        namespace, name = key
        metadata = {"namespace": namespace, "name": name, "uid": uid, "resourceVersion": str(self.version)}
        return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata}

    def _log(self, kind: str, key: Key, body: Body) -> None:
        self.state = dict(self.state)
        if kind == "DELETED":
            del self.state[key]
        else:
            self.state[key] = body
        self.states[self.version] = self.state
        self.log.append((self.version, kind, body))

    def at(self, version: int) -> dict[Key, Body]:
        return self.states[max(each for each in self.states if each <= version)]

    def list(self, options: ListOptions, rng: random.Random) -> Page:
        if options.continue_token:
            version, start = (int(part) for part in options.continue_token.split("/"))
            if version < self.compacted:
                raise expired(f"{self.version}/{start}" if rng.random() < 0.5 else "")
        else:
            version, start = self.version, 0
            if options.resource_version:  # the cache: anything that is not older
                oldest = max(int(options.resource_version), self.compacted)
                version = rng.randint(oldest, self.version)
        items = [body for _, body in sorted(self.at(version).items())]
        end = start + options.limit if options.limit else len(items)
        token = f"{version}/{end}" if end < len(items) else ""
        return Page(items[start:end], str(version), token)

    def events_after(self, version: int) -> list[tuple[int, str, Body]]:
        return self.log[bisect_right([entry[0] for entry in self.log], version) :]


def expired(token: str = "") -> ExpiredError:
    status = {"code": 410, "reason": "Expired", "message": "too old resource version"}
    return ExpiredError({**status, "metadata": {"continue": token}} if token else status)


def throttled(seconds: int) -> TooManyRequestsError:
    return TooManyRequestsError({"code": 429, "reason": "TooManyRequests", "details": {"retryAfterSeconds": seconds}})


def bookmark(version: object, *, end: bool = False) -> WatchEvent:
    metadata: Body = {"resourceVersion": str(version)}
    if end:
        metadata["annotations"] = {"k8s.io/initial-events-end": "true"}
    return WatchEvent(EventType.BOOKMARK, {"kind": "Pod", "apiVersion": "v1", "metadata": metadata})


# --------------------------------------------------------------------------- who listens


@dataclass
class Listener:
    """Applies events to a dict and holds them to what a watch promises."""

    state: dict[Key, Body] = field(default_factory=dict)
    last_version: dict[str, int] = field(default_factory=dict)
    delivered: set[tuple[str, str]] = field(default_factory=set)
    told_deleted: set[str] = field(default_factory=set)

    def take(self, event: WatchEvent) -> None:
        metadata = event.object["metadata"]
        key = (metadata.get("namespace", ""), metadata["name"])
        uid, version = metadata["uid"], metadata["resourceVersion"]
        if event.type is EventType.DELETED:
            assert self.state[key]["metadata"]["uid"] == uid, "a deletion of what was never told"
            if event.final_state_unknown:
                assert event.object == {
                    "apiVersion": "v1",
                    "kind": "Pod",
                    "metadata": self.state[key]["metadata"],
                }
            del self.state[key]
            self.told_deleted.add(uid)
            return
        assert (uid, version) not in self.delivered, "the same twice"
        assert int(version) > self.last_version.get(uid, 0), "a version that falls"
        assert not event.final_state_unknown
        if event.type is EventType.ADDED:
            assert key not in self.state
        else:
            assert event.type is EventType.MODIFIED
            assert self.state[key]["metadata"]["uid"] == uid
        self.delivered.add((uid, version))
        self.last_version[uid] = int(version)
        self.state[key] = event.object


class Driver:
    """Performs the machine's commands against a `ModelServer`, with faults while ``rng`` likes."""

    def __init__(self, machine: ListWatch, server: ModelServer, rng: random.Random, *, streaming: str = "") -> None:
        self.machine, self.server, self.rng = machine, server, rng
        self.streaming = streaming
        self.listener = Listener()
        self.now = 0.0
        self.chaos = True
        self.failure: Exception | None = None
        self.stream: Iterator[WatchEvent | Exception | None] | None = None
        self.lists = self.waits = 0
        self.garbage = 3 if not machine.synced else 0  # more of it, or at once, is fatal
        self.step = machine.start(now=0.0)

    def maybe(self, chance: float) -> bool:
        return self.chaos and self.rng.random() < chance

    def turn(self) -> None:
        for event in self.step.events:
            self.listener.take(event)
        self.now += self.rng.choice([0.0, 0.1, 2.0])
        if self.maybe(0.6):
            self.server.write(self.rng)
        if self.maybe(0.15):
            self.server.compact(self.rng)
        command = self.step.command
        perform: Callable[[Any], Step] = {List: self.list, Watch: self.open, Read: self.read, Wait: self.wait}[
            type(command)
        ]
        self.step = perform(command)

    def fault(self) -> Exception:
        choices: list[Exception] = [
            ConnectError("refused"),
            ConnectionLostError("reset"),
            RequestTimeoutError("read"),
            throttled(1),
            InternalServerError({"code": 500}),
            ServiceUnavailableError({"code": 503}),
        ]
        return self.rng.choice(choices)

    def list(self, command: List) -> Step:
        self.lists += 1
        if self.maybe(0.2):
            return self.machine.on_list_failed(self.fault(), now=self.now)
        try:
            page = self.server.list(command.options, self.rng)
        except ExpiredError as error:
            return self.machine.on_list_failed(error, now=self.now)
        return self.machine.on_list_page(page, now=self.now)

    def open(self, command: Watch) -> Step:
        assert command.idle_timeout > (command.options.timeout_seconds or 0) >= 240
        assert command.options.allow_watch_bookmarks
        if command.options.send_initial_events and self.streaming == "refused":
            return self.machine.on_watch_ended(InvalidError({"code": 422, "reason": "Invalid"}), now=self.now)
        if self.maybe(0.2):
            return self.machine.on_watch_ended(self.fault(), now=self.now)
        if command.options.resource_version:
            version = int(command.options.resource_version)
            if version < self.server.compacted and self.rng.random() < 0.5:
                return self.machine.on_watch_ended(expired(), now=self.now)
            self.stream = self.follow(version)
        else:
            self.stream = self.initial(ended=self.streaming != "ignored")
        return self.machine.on_watch_opened(now=self.now)

    def initial(self, *, ended: bool) -> Iterator[WatchEvent | Exception | None]:
        version = self.server.version
        for body in list(self.server.state.values()):
            yield WatchEvent(EventType.ADDED, body)
        for each, kind, body in self.server.events_after(version):
            yield WatchEvent(EventType(kind), body)
            version = each
        if ended:
            yield bookmark(version, end=True)
            yield from self.follow(version)
        while not self.maybe(0.1) and self.chaos:
            yield None

    def follow(self, version: int) -> Iterator[WatchEvent | Exception | None]:
        while True:
            if version < self.server.compacted and self.rng.random() < 0.3:
                yield WatchEvent(EventType.ERROR, {"code": 410, "reason": "Expired"})
                return
            news = self.server.events_after(version)
            if news:
                version, kind, body = news[0]
                yield WatchEvent(EventType(kind), body)
            elif self.rng.random() < 0.2:
                version = self.server.version
                yield bookmark(version)
            else:
                yield None
            if self.maybe(0.1):
                ends: list[WatchEvent | Exception] = [
                    ConnectionLostError("cut"),
                    RequestTimeoutError("idle"),
                    WatchEvent(EventType.ERROR, {"code": 500, "reason": "InternalError"}),
                    WatchEvent(EventType.ERROR, {"code": 429, "reason": "TooManyRequests"}),
                ]
                if self.garbage:
                    self.garbage -= 1
                    ends.append(DecodeError("garbage"))
                yield self.rng.choice(ends)
                return
            if self.maybe(0.1):
                return

    def read(self, _: Read) -> Step:
        assert self.stream is not None
        batch = []
        for item in self.stream:
            if isinstance(item, Exception):
                if batch:
                    step = self.machine.on_events(batch, now=self.now)
                    for event in step.events:
                        self.listener.take(event)
                return self.machine.on_watch_ended(item, now=self.now)
            if item is None:
                return self.machine.on_events(batch, now=self.now)
            batch.append(item)
            if len(batch) == 3 or item.type is EventType.ERROR:
                return self.machine.on_events(batch, now=self.now)
        if batch:
            step = self.machine.on_events(batch, now=self.now)
            for event in step.events:
                self.listener.take(event)
        return self.machine.on_watch_ended(now=self.now)

    def wait(self, command: Wait) -> Step:
        assert command.seconds > 0
        self.waits += 1
        self.now += command.seconds
        return self.machine.on_waited(now=self.now)

    def run(self, turns: int) -> None:
        for _ in range(turns):
            if isinstance(self.step.command, Fail):
                self.failure = self.step.command.error
                return
            self.turn()

    def settle(self) -> None:
        """No more faults and writes: come to rest."""
        self.chaos = False
        if self.stream is not None and isinstance(self.step.command, Read):
            # A server that ignored sendInitialEvents closes its watch some time.
            self.turn()
        self.run(80)


@pytest.mark.behaviour("7.1.6", "7.1.7", "7.1.8", "7.1.9", "10.1.9")
@settings(max_examples=150, deadline=None)
@given(
    st.randoms(use_true_random=False),
    st.integers(0, 120),
    st.sampled_from([0, 1, 2, 500]),
    st.booleans(),
    st.sampled_from(["", "yes", "refused", "ignored"]),
)
def test_whatever_happens_it_ends_in_the_servers_state(
    rng: random.Random, turns: int, page_size: int, cached: bool, streaming: str
) -> None:
    server = ModelServer()
    for _ in range(rng.randrange(12)):
        server.write(rng)
    before = set(server.deleted_uids)
    machine = ListWatch(random=rng.random, page_size=page_size, cached_lists=cached, streaming=bool(streaming))
    driver = Driver(machine, server, rng, streaming=streaming)
    driver.run(turns)
    driver.settle()
    assert driver.failure is None
    listener = driver.listener
    assert listener.state == server.state
    assert machine.synced
    assert len(machine) == len(server.state)
    told = {uid for uid, _ in listener.delivered}
    assert listener.told_deleted == told & server.deleted_uids
    assert cached or not told & before, "an object that was gone before it began"


@pytest.mark.behaviour("6.4", "6.5")
@settings(max_examples=80, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(0, 80))
def test_from_a_version_of_the_callers_own_it_follows_or_says_expired(rng: random.Random, turns: int) -> None:
    server = ModelServer()
    for _ in range(1 + rng.randrange(12)):
        server.write(rng)
    machine = ListWatch(random=rng.random, resource_version=str(server.version))
    driver = Driver(machine, server, rng)
    driver.listener.state = dict(server.state)
    driver.run(turns)
    driver.settle()
    assert driver.lists == 0
    if driver.failure is not None:
        assert isinstance(driver.failure, ExpiredError)
    else:
        assert driver.listener.state == server.state


# --------------------------------------------------------------------------- one rule at a time


def pod(name: str, uid: str, version: object, *, namespace: str = "") -> Body:
    metadata = {"name": name, "uid": uid, "resourceVersion": str(version)}
    return {"metadata": {**metadata, "namespace": namespace} if namespace else metadata}


def event(kind: str, *args: Any, **kwargs: Any) -> WatchEvent:
    return WatchEvent(EventType(kind), pod(*args, **kwargs))


def told(step: Step) -> list[tuple[str, str, str]]:
    return [
        (each.type.value, each.object["metadata"]["name"], each.object["metadata"].get("resourceVersion", ""))
        for each in step.events
    ]


def make(**kwargs: Any) -> ListWatch:
    return ListWatch(**{"random": lambda: 0.0, **kwargs})


def watching(*objects: Body, version: str = "10", **kwargs: Any) -> ListWatch:
    """A machine whose first list had these objects, and whose watch was opened at 0 s."""
    machine = make(**kwargs)
    machine.start(now=0.0)
    machine.on_list_page(Page(list(objects), version), now=0.0)
    machine.on_watch_opened(now=0.0)
    return machine


def options_of(step: Step) -> ListOptions:
    assert isinstance(step.command, List | Watch)
    return step.command.options


@pytest.mark.behaviour("7.1.1", "7.1.2", "7.1.3", "7.1.5")
def test_a_list_in_pages_then_a_watch_from_the_lists_version() -> None:
    machine = make(options=ListOptions(label_selector="app=web", limit=7, timeout_seconds=3), page_size=2)
    first = options_of(machine.start(now=0.0))
    assert first.to_query() == (("labelSelector", "app=web"), ("limit", "2"))
    step = machine.on_list_page(Page([pod("a", "1", 3), pod("b", "2", 9)], "10", "token"), now=0.0)
    assert told(step) == [("ADDED", "a", "3"), ("ADDED", "b", "9")]
    assert options_of(step).to_query() == (("continue", "token"), ("labelSelector", "app=web"), ("limit", "2"))
    assert not machine.synced
    step = machine.on_list_page(Page([pod("c", "3", 4)], "10"), now=0.0)
    assert told(step) == [("ADDED", "c", "4")]
    assert options_of(step).to_query() == (
        ("allowWatchBookmarks", "true"),
        ("labelSelector", "app=web"),
        ("resourceVersion", "10"),
        ("timeoutSeconds", "240"),
    )
    assert machine.synced
    assert machine.resource_version == "10"
    assert len(machine) == 3


@pytest.mark.behaviour("10.1.10")
@pytest.mark.parametrize("fraction", [0.0, 0.5, 0.9999])
def test_a_watch_is_shorter_than_load_balancers_and_the_idle_limit_is_above_it(fraction: float) -> None:
    machine = make(random=lambda: fraction, resource_version="5")
    command = machine.start(now=0.0).command
    assert isinstance(command, Watch)
    assert command.options.timeout_seconds is not None
    assert 240 <= command.options.timeout_seconds < 295
    assert command.idle_timeout == command.options.timeout_seconds + 15


@pytest.mark.behaviour("7.1.6", "7.1.9", "6.4")
def test_a_closed_watch_goes_on_at_once_from_the_last_version_bookmarks_included() -> None:
    machine = watching()
    assert told(machine.on_events([event("ADDED", "a", "1", 11), bookmark(15)], now=0.1)) == [("ADDED", "a", "11")]
    assert options_of(machine.on_watch_ended(now=0.2)).resource_version == "15"
    machine.on_watch_opened(now=1.0)
    assert options_of(machine.on_watch_ended(ConnectionLostError("cut"), now=2.5)).resource_version == "15"
    machine.on_watch_opened(now=3.0)
    assert options_of(machine.on_watch_ended(RequestTimeoutError("idle"), now=300.0)).resource_version == "15"


@pytest.mark.behaviour("7.1.6", "7.1.10")
def test_a_watch_that_ends_at_once_with_nothing_backs_off() -> None:
    machine = watching()
    step = machine.on_watch_ended(now=0.5)
    assert step.command == Wait(seconds=0.8)
    assert options_of(machine.on_waited(now=1.3)).resource_version == "10"
    machine.on_watch_opened(now=1.3)
    cut = ConnectionLostError("cut")
    assert machine.on_watch_ended(cut, now=1.4).command == Wait(seconds=1.6, reason=cut)


@pytest.mark.behaviour("7.1.7")
@pytest.mark.parametrize(
    "error",
    [ConnectError("refused"), throttled(0), ServiceUnavailableError({"code": 503}), TLSError("handshake cut off")],
)
def test_a_watch_that_does_not_open_is_tried_again_from_the_same_version(error: Exception) -> None:
    machine = watching()
    machine.on_watch_ended(now=5.0)
    step = machine.on_watch_ended(error, now=5.0)
    assert step.command == Wait(seconds=0.8, reason=error)
    step = machine.on_waited(now=6.0)
    assert isinstance(step.command, Watch)
    assert options_of(step).resource_version == "10"


def test_retry_after_is_a_floor_for_the_pause() -> None:
    machine = watching()
    machine.on_watch_ended(now=5.0)
    step = machine.on_watch_ended(throttled(7), now=5.0)
    assert isinstance(step.command, Wait)
    assert step.command.seconds == 7.0


@pytest.mark.behaviour("7.1.10")
def test_the_pauses_grow_to_thirty_seconds_and_begin_anew_after_two_quiet_minutes() -> None:
    backoff = Backoff()
    pauses = [backoff.next(now=float(second), fraction=0.0) for second in range(8)]
    assert pauses == [0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0, 30.0]
    assert backoff.next(now=100.0, fraction=0.999) == pytest.approx(60, abs=0.1)
    assert backoff.next(now=221.0, fraction=0.0) == 0.8


@pytest.mark.behaviour("7.1.8")
@pytest.mark.parametrize("how", ["http", "stream", "gone"])
def test_after_410_only_the_differences_are_told(how: str) -> None:
    machine = watching(
        pod("same", "1", 3), pod("changed", "2", 4), pod("gone", "3", 5, namespace="ns"), pod("new", "4", 6)
    )
    if how == "stream":
        step = machine.on_events([WatchEvent(EventType.ERROR, {"code": 410, "reason": "Expired"})], now=60.0)
    else:
        machine.on_watch_ended(now=60.0)
        error = expired() if how == "http" else GoneError({"code": 410, "reason": "Gone"})
        # The list is not news any more: it is an hour old, and the failure no surprise.
        machine.on_watch_opened(now=60.0)
        step = machine.on_watch_ended(error, now=3600.0)
    assert isinstance(step.command, List)
    assert not step.command.options.resource_version
    page = Page([pod("same", "1", 3), pod("changed", "2", 14), pod("new", "5", 15), pod("added", "6", 16)], "20")
    step = machine.on_list_page(page, now=61.0)
    assert told(step) == [
        ("MODIFIED", "changed", "14"),
        ("DELETED", "new", "6"),  # the one of before: another has its name now
        ("ADDED", "new", "15"),
        ("ADDED", "added", "16"),
        ("DELETED", "gone", "5"),
    ]
    assert [each.final_state_unknown for each in step.events] == [False, True, False, False, True]
    assert step.events[-1].object == {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "gone", "namespace": "ns", "uid": "3", "resourceVersion": "5"},
    }
    assert options_of(step).resource_version == "20"


def test_a_410_for_the_version_of_the_list_that_just_came_backs_off() -> None:
    machine = make()
    machine.start(now=0.0)
    machine.on_list_page(Page([], "10"), now=0.0)
    step = machine.on_watch_ended(expired(), now=0.0)
    assert isinstance(step.command, Wait)
    assert isinstance(machine.on_waited(now=1.0).command, List)


def test_a_server_whose_versions_expire_at_once_again_and_again_is_not_hurried() -> None:
    gone = WatchEvent(EventType.ERROR, {"code": 410, "reason": "Expired"})
    machine = watching()
    step = machine.on_events([event("ADDED", "a", "1", 11), gone], now=5.0)
    assert isinstance(step.command, List)
    machine.on_list_page(Page([], "12"), now=5.0)
    machine.on_watch_opened(now=5.1)
    step = machine.on_events([event("ADDED", "b", "2", 13), gone], now=5.2)
    assert isinstance(step.command, Wait)
    machine = make(streaming=True)
    machine.start(now=0.0)
    machine.on_watch_opened(now=0.0)
    assert isinstance(machine.on_events([gone], now=0.0).command, List)
    assert isinstance(machine.on_list_failed(expired(), now=0.0).command, Wait)


FATAL = [
    BadRequestError({"code": 400, "reason": "BadRequest"}),
    UnauthorizedError({"code": 401, "reason": "Unauthorized"}),
    ForbiddenError({"code": 403, "reason": "Forbidden"}),
    NotFoundError({"code": 404, "reason": "NotFound"}),
    MethodNotAllowedError({"code": 405, "reason": "MethodNotAllowed"}),
    InvalidError({"code": 422, "reason": "Invalid"}),
    APIStatusError({"code": 415}),
    CancelledError("cancelled"),
    FrameTooLargeError("20 MiB"),
    KeyError("a defect"),
]


@pytest.mark.parametrize("error", FATAL, ids=lambda error: type(error).__name__)
def test_what_waiting_cannot_heal_ends_it_wherever_it_comes(error: Exception) -> None:
    machine = make()
    machine.start(now=0.0)
    assert machine.on_list_failed(error, now=0.0).command == Fail(error=error)
    with pytest.raises(RuntimeError, match="it has failed"):
        machine.on_waited(now=0.0)
    machine = watching(pod("a", "1", 3))
    assert machine.on_watch_ended(error, now=9.0).command == Fail(error=error)


def test_an_error_event_ends_it_too_after_the_events_before_it() -> None:
    machine = watching()
    forbidden = WatchEvent(EventType.ERROR, {"code": 403, "reason": "Forbidden", "message": "no"})
    step = machine.on_events([event("ADDED", "a", "1", 11), forbidden], now=1.0)
    assert told(step) == [("ADDED", "a", "11")]
    assert isinstance(step.command, Fail)
    assert isinstance(step.command.error, ForbiddenError)


def test_a_wrong_ca_ends_it_only_while_no_connection_ever_worked() -> None:
    error = TLSError("certificate verify failed")
    machine = make()
    machine.start(now=0.0)
    assert machine.on_list_failed(error, now=0.0).command == Fail(error=error)
    machine = watching()
    machine.on_watch_ended(now=9.0)
    assert isinstance(machine.on_watch_ended(error, now=9.0).command, Wait)


def test_garbage_ends_it_at_once_at_first_and_after_five_in_a_row_later() -> None:
    error = DecodeError("<html>")
    machine = make()
    machine.start(now=0.0)
    assert machine.on_list_failed(error, now=0.0).command == Fail(error=error)
    machine = watching(resource_version="")
    for _ in range(4):
        assert isinstance(machine.on_watch_ended(error, now=9.0).command, Wait)
        machine.on_waited(now=10.0)
        machine.on_watch_opened(now=10.0)
    assert machine.on_watch_ended(error, now=11.0).command == Fail(error=error)


def test_a_page_that_fails_is_asked_for_again_with_its_token() -> None:
    machine = make(page_size=1)
    machine.start(now=0.0)
    machine.on_list_page(Page([pod("a", "1", 3)], "10", "token"), now=0.0)
    error = ServiceUnavailableError({"code": 503})
    assert machine.on_list_failed(error, now=0.0).command == Wait(seconds=0.8, reason=error)
    assert options_of(machine.on_waited(now=1.0)).continue_token == "token"
    assert told(machine.on_list_page(Page([pod("b", "2", 4)], "10"), now=1.0)) == [("ADDED", "b", "4")]


@pytest.mark.behaviour("5.1.10", "7.1.3")
def test_an_expired_token_begins_the_list_anew_in_one_piece_whatever_token_is_offered() -> None:
    machine = make(page_size=1)
    machine.start(now=0.0)
    machine.on_list_page(Page([pod("a", "1", 3)], "10", "token"), now=0.0)
    step = machine.on_list_failed(expired("inconsistent"), now=0.0)
    assert options_of(step).to_query() == ()
    step = machine.on_list_page(Page([pod("b", "2", 4), pod("c", "3", 12)], "20"), now=1.0)
    assert told(step) == [("ADDED", "b", "4"), ("ADDED", "c", "12"), ("DELETED", "a", "3")]
    # The next one is in pages again.
    machine.on_watch_opened(now=1.0)
    machine.on_events([bookmark(21)], now=1.0)
    assert options_of(machine.on_watch_ended(expired(), now=1.5)).limit == 1


def test_pages_of_different_versions_are_no_snapshot() -> None:
    machine = make(page_size=1)
    machine.start(now=0.0)
    machine.on_list_page(Page([pod("a", "1", 3)], "10", "token"), now=0.0)
    step = machine.on_list_page(Page([pod("b", "2", 11)], "11"), now=0.0)
    assert told(step) == []
    assert options_of(step).to_query() == ()


@pytest.mark.behaviour("7.1.1", "7.1.2")
def test_cached_lists_ask_for_any_version_then_for_none_older_then_for_the_newest() -> None:
    machine = make(cached_lists=True)
    assert options_of(machine.start(now=0.0)).to_query() == (("limit", "500"), ("resourceVersion", "0"))
    machine.on_list_page(Page([], "10"), now=0.0)
    machine.on_watch_opened(now=0.0)
    step = machine.on_watch_ended(expired(), now=9.0)
    assert options_of(step).to_query() == (("resourceVersion", "10"),)
    too_large = TimeoutStatusError({"code": 504, "details": {"causes": [{"reason": "ResourceVersionTooLarge"}]}})
    step = machine.on_list_failed(too_large, now=9.0)
    assert options_of(step).to_query() == (("limit", "500"),)
    assert isinstance(machine.on_list_failed(expired(), now=9.0).command, Wait)  # it cannot get newer


@pytest.mark.behaviour("7.1.1")
@pytest.mark.parametrize(
    "status",
    [
        {"code": 504, "reason": "Timeout", "details": {"causes": [{"reason": "ResourceVersionTooLarge"}]}},
        {"code": 504, "reason": "Timeout", "details": {"causes": [{"message": "Too large resource version"}]}},
        {"code": 504, "reason": "Timeout", "message": "Too large resource version: 10, current: 3"},
    ],
    ids=["1.18.6 and later", "from 1.17", "before"],
)
def test_a_list_that_is_ahead_of_the_server_asks_for_the_newest_state_however_the_server_says_it(
    status: dict[str, Any],
) -> None:
    machine = make(cached_lists=True)
    machine.start(now=0.0)
    step = machine.on_list_failed(TimeoutStatusError(status), now=0.0)
    assert options_of(step).to_query() == (("limit", "500"),)


def test_another_timeout_of_a_list_is_waited_out() -> None:
    machine = make(cached_lists=True)
    machine.start(now=0.0)
    error = TimeoutStatusError({"code": 504, "reason": "Timeout", "message": "etcd is slow"})
    assert isinstance(machine.on_list_failed(error, now=0.0).command, Wait)


def test_five_failures_in_a_row_and_a_list_is_tried() -> None:
    machine = watching()
    for count in range(5):
        step = machine.on_watch_ended(InternalServerError({"code": 500}), now=float(count))
        assert isinstance(step.command, Wait)
        step = machine.on_waited(now=float(count))
    assert isinstance(step.command, List)


def test_nothing_unchanged_and_nothing_older_is_told() -> None:
    machine = watching(pod("a", "1", 9))
    step = machine.on_events([event("MODIFIED", "a", "1", 9), event("MODIFIED", "a", "1", 8)], now=1.0)
    assert told(step) == []
    assert machine.resource_version == "10"
    # A type is what the listener sees: it has "a" already, and not "b".
    step = machine.on_events([event("ADDED", "a", "1", 11), event("MODIFIED", "b", "2", 12)], now=1.0)
    assert told(step) == [("MODIFIED", "a", "11"), ("ADDED", "b", "12")]
    assert told(machine.on_events([event("DELETED", "c", "3", 13)], now=1.0)) == []


def test_a_recreated_object_is_a_deletion_and_an_addition() -> None:
    machine = watching(pod("a", "1", 9))
    assert told(machine.on_events([event("ADDED", "a", "2", 12)], now=1.0)) == [
        ("DELETED", "a", "9"),
        ("ADDED", "a", "12"),
    ]
    assert told(machine.on_events([event("DELETED", "a", "1", 11)], now=1.0)) == []
    assert told(machine.on_events([event("DELETED", "a", "3", 14)], now=1.0)) == [("DELETED", "a", "12")]


def test_versions_are_numbers_and_else_only_equal_or_not() -> None:
    machine = watching(pod("a", "1", 9), version="9")
    assert told(machine.on_events([event("MODIFIED", "a", "1", 10)], now=1.0)) == [("MODIFIED", "a", "10")]
    machine = watching(pod("a", "1", "zz"), version="zz")
    assert told(machine.on_events([event("MODIFIED", "a", "1", "aa")], now=1.0)) == [("MODIFIED", "a", "aa")]
    assert told(machine.on_events([event("MODIFIED", "a", "1", "aa")], now=1.0)) == []
    assert machine.resource_version == "aa"


def test_a_server_restored_from_a_backup_is_believed() -> None:
    machine = watching(pod("a", "1", 9), pod("b", "2", 10))
    machine.on_events([bookmark(50)], now=1.0)
    machine.on_watch_ended(expired(), now=2.0)
    step = machine.on_list_page(Page([pod("a", "1", 4)], "5"), now=2.0)
    assert told(step) == [("MODIFIED", "a", "4"), ("DELETED", "b", "10")]
    assert options_of(step).resource_version == "5"


@pytest.mark.behaviour("5.7.1", "5.7.2", "7.1.11")
def test_initial_objects_by_watch() -> None:
    machine = make(streaming=True)
    step = machine.start(now=0.0)
    assert isinstance(step.command, Watch)
    assert options_of(step).to_query() == (
        ("allowWatchBookmarks", "true"),
        ("resourceVersionMatch", "NotOlderThan"),
        ("sendInitialEvents", "true"),
        ("timeoutSeconds", "240"),
    )
    machine.on_watch_opened(now=0.0)
    step = machine.on_events([event("ADDED", "a", "1", 3), event("ADDED", "b", "2", 4), bookmark(9)], now=0.0)
    assert told(step) == [("ADDED", "a", "3"), ("ADDED", "b", "4")]
    assert not machine.synced
    step = machine.on_events([bookmark(10, end=True), event("MODIFIED", "b", "2", 11)], now=0.0)
    assert told(step) == [("MODIFIED", "b", "11")]
    assert machine.synced
    assert isinstance(step.command, Read)
    # What is not shown before the end mark of the next one is gone.
    step = machine.on_events([WatchEvent(EventType.ERROR, {"code": 410, "reason": "Expired"})], now=5.0)
    assert options_of(step).send_initial_events
    machine.on_watch_opened(now=5.0)
    step = machine.on_events([event("ADDED", "b", "2", 11), bookmark(20, end=True)], now=5.0)
    assert told(step) == [("DELETED", "a", "3")]
    assert step.events[0].final_state_unknown
    assert options_of(machine.on_watch_ended(now=9.0)).resource_version == "20"


@pytest.mark.behaviour("5.7.3")
def test_a_server_that_refuses_to_send_initial_objects_is_asked_for_lists() -> None:
    machine = make(streaming=True)
    machine.start(now=0.0)
    step = machine.on_watch_ended(InvalidError({"code": 422, "reason": "Invalid"}), now=0.0)
    assert options_of(step).to_query() == (("limit", "500"),)
    machine.on_list_page(Page([], "10"), now=0.0)
    machine.on_watch_opened(now=0.0)
    assert isinstance(machine.on_watch_ended(expired(), now=5.0).command, List)


def test_a_version_of_the_callers_own() -> None:
    machine = make(resource_version="7")
    step = machine.start(now=0.0)
    assert options_of(step).resource_version == "7"
    machine.on_watch_opened(now=0.0)
    step = machine.on_events([event("MODIFIED", "a", "1", 8), event("DELETED", "b", "2", 9)], now=1.0)
    assert told(step) == [("MODIFIED", "a", "8"), ("DELETED", "b", "9")]
    step = machine.on_watch_ended(GoneError({"code": 410, "reason": "Gone"}), now=2.0)
    assert isinstance(step.command, Fail)
    assert isinstance(step.command.error, ExpiredError)


@pytest.mark.behaviour("6.4")
def test_version_zero_is_no_place_to_go_on_from() -> None:
    with pytest.raises(InvalidRequestError, match="resource_version: '0'"):
        make(resource_version="0")


def test_an_input_out_of_turn_is_a_defect_of_the_driver() -> None:
    machine = make()
    with pytest.raises(RuntimeError, match=r"waits for start\(\)"):
        machine.on_events([], now=0.0)
    machine.start(now=0.0)
    with pytest.raises(RuntimeError, match="waits for on_list_page"):
        machine.start(now=0.0)
