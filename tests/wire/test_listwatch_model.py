"""The list-watch machine against a model of the API server, in whatever order hypothesis thinks of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from dynkube.errors import (
    ConnectError,
    ConnectionLostError,
    DecodeError,
    ExpiredError,
    ForbiddenError,
    InternalServerError,
    InvalidError,
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
from dynkube.records import RawObject, record_of
from dynkube.wire.listwatch import Fail, List, ListWatch, Read, Step, Wait, Watch
from dynkube.wire.watch import AnyWatchEvent, EventType, WatchEvent

pytestmark = pytest.mark.behaviour(
    "7.1.1", "7.1.3", "7.1.6", "7.1.7", "7.1.8", "7.1.9", "7.1.11", "5.7.2", "5.7.3", "7.2.2", "10.1.9"
)

Key = tuple[str, str]
Identity = tuple[str, str]  # uid, resourceVersion

PASSING = [
    ConnectError("refused"),
    ConnectionLostError("reset"),
    RequestTimeoutError("silent"),
    TooManyRequestsError({"code": 429, "reason": "TooManyRequests"}),
    InternalServerError({"code": 500, "reason": "InternalError"}),
    ServiceUnavailableError({"code": 503, "reason": "ServiceUnavailable"}),
]
HEALING = [
    UnauthorizedError({"code": 401, "reason": "Unauthorized"}),
    ForbiddenError({"code": 403, "reason": "Forbidden"}),
    NotFoundError({"code": 404, "reason": "NotFound"}),
    MethodNotAllowedError({"code": 405, "reason": "MethodNotAllowed"}),
    DecodeError("<html>"),
    TLSError("certificate has expired"),
]
EXPIRED = ExpiredError({"code": 410, "reason": "Expired", "message": "too old resource version"})
NOT_SERVED = NotFoundError({"code": 404, "reason": "NotFound"})
TOO_LARGE = TimeoutStatusError({"code": 504, "details": {"causes": [{"reason": "ResourceVersionTooLarge"}]}})

names = st.sampled_from([("a", "x"), ("a", "y"), ("b", "x"), ("b", "z")])


@dataclass
class Page:
    objects: list[Any]
    resource_version: str
    continue_token: str = ""
    kind: str = "PodList"
    api_version: str = "v1"


@dataclass
class Stream:
    """An open watch: what it will send, and how far the reader is."""

    position: int  # of the log, by version
    waiting: list[AnyWatchEvent] = field(default_factory=list)  # initial events
    broken: Exception | None = None


class Server:
    """A collection with its history; its cache lags behind, its log is compacted, it restarts."""

    def __init__(self, *, raw: bool, streaming: str) -> None:
        self.raw, self.streaming = raw, streaming
        self.version = self.cache = 10
        self.compacted = 10  # no continue token below this
        self.window = 10  # no watch from below this
        self.served = True
        self.uids = 0
        self.states: dict[int, dict[Key, Any]] = {10: {}}
        self.log: list[tuple[int, EventType, Any]] = []

    @property
    def state(self) -> dict[Key, Any]:
        return self.states[self.version]

    def at(self, version: int) -> dict[Key, Any]:
        return self.states[max(each for each in self.states if each <= version)]

    def write(self, kind: EventType, key: Key, uid: str) -> None:
        self.version += 1 + len(self.log) % 3
        metadata = {"namespace": key[0], "name": key[1], "uid": uid, "resourceVersion": str(self.version)}
        body: Any = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata}
        obj = record_of(body) if self.raw else body
        state = dict(self.states[max(self.states)])
        state.pop(key, None)
        if kind is not EventType.DELETED:
            state[key] = obj
        self.states[self.version] = state
        self.log.append((self.version, kind, obj))

    def list(self, options: ListOptions) -> Page:
        if not self.served:
            raise NOT_SERVED
        if options.continue_token:
            version, start = (int(part) for part in options.continue_token.split("/"))
            if version < self.compacted:
                raise EXPIRED
        else:
            version, start = self.version if options.resource_version is None else self.cache, 0
            if int(options.resource_version or 0) > version:
                raise TOO_LARGE
        objects = [obj for _, obj in sorted(self.at(version).items())]
        end = start + (options.limit or len(objects))
        return Page(objects[start:end], str(version), f"{version}/{end}" if end < len(objects) else "")

    def watch(self, options: ListOptions) -> Stream:
        if not self.served:
            raise NOT_SERVED
        if options.send_initial_events:
            return self._initial()
        assert options.resource_version
        if int(options.resource_version) < self.window:
            raise EXPIRED
        return Stream(int(options.resource_version))

    def _initial(self) -> Stream:
        if self.streaming == "refused":
            raise InvalidError({"code": 422, "reason": "Invalid"})
        # What the cache has, then what it learns while it catches up, then the end mark.
        events: list[AnyWatchEvent] = [WatchEvent(EventType.ADDED, obj) for obj in self.at(self.cache).values()]
        events += [WatchEvent(kind, obj) for version, kind, obj in self.log if version > self.cache]
        self.cache = self.version
        if self.streaming == "yes":
            events.append(bookmark(self.version, end=True))
        return Stream(self.version, events)

    def news(self, stream: Stream, count: int) -> list[AnyWatchEvent]:
        batch, stream.waiting = stream.waiting[:count], stream.waiting[count:]
        for version, kind, obj in self.log:
            if stream.position < version <= self.cache and len(batch) < count:
                batch.append(WatchEvent(kind, obj))
                stream.position = version
        return batch


def bookmark(version: int, *, end: bool = False) -> WatchEvent:
    annotations = {"annotations": {"k8s.io/initial-events-end": "true"}} if end else {}
    metadata = {"resourceVersion": str(version), **annotations}
    return WatchEvent(EventType.BOOKMARK, {"kind": "Pod", "apiVersion": "v1", "metadata": metadata})


def identify(obj: Any) -> tuple[Key, Identity]:
    if isinstance(obj, RawObject):
        return (obj.namespace, obj.name), (obj.uid, obj.resource_version)
    meta = obj["metadata"]
    return (meta["namespace"], meta["name"]), (meta["uid"], meta["resourceVersion"])


class Listener:
    """Applies what it is told, and holds it to what is promised."""

    def __init__(self) -> None:
        self.state: dict[Key, Identity] = {}
        self.told: set[Identity] = set()
        self.latest: dict[str, int] = {}
        self.deleted: set[str] = set()

    def take(self, event: AnyWatchEvent) -> None:
        key, (uid, version) = identify(event.object)
        if event.type is EventType.DELETED:
            assert self.state.pop(key)[0] == uid, "a deletion of something else"
            self.deleted.add(uid)
            return
        assert (uid, version) not in self.told, "told twice"
        assert int(version) > self.latest.get(uid, 0), "back in time"
        assert uid not in self.deleted, "back from the dead"
        assert (event.type is EventType.ADDED) == (key not in self.state), "a type that does not fit"
        assert key not in self.state or self.state[key][0] == uid
        self.told.add((uid, version))
        self.latest[uid] = int(version)
        self.state[key] = uid, version


class ListWatchModel(RuleBasedStateMachine):
    """One driver, one server, and everything that can come between them."""

    @initialize(
        page_size=st.sampled_from([0, 1, 2, 500]),
        cached=st.booleans(),
        streaming=st.sampled_from(["", "yes", "refused", "ignored"]),
        at_once=st.booleans(),
        heal=st.booleans(),
        raw=st.booleans(),
        before=st.integers(0, 4),
    )
    def begin(
        self, page_size: int, cached: bool, streaming: str, at_once: bool, heal: bool, raw: bool, before: int
    ) -> None:
        self.server = Server(raw=raw, streaming=streaming)
        for number in range(before):
            self.server.write(EventType.ADDED, ("a", "xy"[number % 2]), f"b{number}")
        self.server.cache = self.server.version
        self.at_once, self.heal = at_once, heal
        self.machine = ListWatch(
            random=lambda: 0.5,
            page_size=page_size,
            cached_lists=cached,
            streaming=bool(streaming),
            at_once=at_once,
            heal=heal,
        )
        self.listener = Listener()
        self.stream = Stream(0)
        self.now = 0.0
        self.command = self.tell(self.machine.start(now=self.now))

    # ------------------------------------------------------------------ the server's life

    @rule(key=names)
    def create_or_update(self, key: Key) -> None:
        current = self.server.state.get(key)
        if current is not None:
            self.server.write(EventType.MODIFIED, key, identify(current)[1][0])
        elif self.server.served:
            self.server.uids += 1
            self.server.write(EventType.ADDED, key, f"u{self.server.uids}")

    @rule(key=names)
    def delete(self, key: Key) -> None:
        current = self.server.state.get(key)
        if current is not None:
            self.server.write(EventType.DELETED, key, identify(current)[1][0])

    @rule()
    def cache_catches_up(self) -> None:
        self.server.cache = self.server.version

    @rule()
    def compact(self) -> None:
        self.server.compacted = self.server.version
        self.server.window = self.server.cache

    @rule()
    def restart(self) -> None:
        self.server.window = self.server.cache = self.server.version
        self.stream.broken = ConnectionLostError("the server has gone")

    @precondition(lambda self: self.heal)
    @rule()
    def crd_goes_or_comes(self) -> None:
        self.server.served = not self.server.served
        for key in list(self.server.state):
            self.delete(key)
        self.restart()

    # ------------------------------------------------------------------ the driver's life

    @rule(count=st.integers(1, 4), steps=st.integers(1, 4), seconds=st.sampled_from([0.1, 2.0]))
    def go_on(self, count: int, steps: int, seconds: float) -> None:
        for _ in range(steps):
            self.now += seconds
            self.command = self.tell(self.perform(count))

    @rule(fault=st.sampled_from(PASSING))
    def something_passing(self, fault: Exception) -> None:
        self.fail(fault)

    @precondition(lambda self: self.heal)
    @rule(fault=st.sampled_from(HEALING))
    def something_that_heals(self, fault: Exception) -> None:
        self.fail(fault)

    @precondition(lambda self: isinstance(self.command, Read))
    @rule(code=st.sampled_from([410, 429, 500]), count=st.integers(0, 2))
    def error_event(self, code: int, count: int) -> None:
        error = WatchEvent(EventType.ERROR, {"code": code, "reason": {410: "Expired"}.get(code, "")})
        batch = [*self.server.news(self.stream, count), error] if not self.stream.broken else [error]
        self.command = self.tell(self.machine.on_events(batch, now=self.now))

    @precondition(lambda self: isinstance(self.command, Read))
    @rule(seconds=st.sampled_from([0.0, 2.0]))
    def server_ends_the_watch(self, seconds: float) -> None:
        self.now += seconds
        self.command = self.tell(self.machine.on_watch_ended(now=self.now))

    @precondition(lambda self: isinstance(self.command, Read) and not self.stream.broken and not self.stream.waiting)
    @rule()
    def bookmark(self) -> None:
        if self.server.cache == self.stream.position or not self.server.news(Stream(self.stream.position), 1):
            version = max(self.stream.position, self.server.cache)
            self.command = self.tell(self.machine.on_events([bookmark(version)], now=self.now))

    def fail(self, fault: Exception) -> None:
        match self.command:
            case List():
                self.command = self.tell(self.machine.on_list_failed(fault, now=self.now))
            case Watch() | Read():
                self.command = self.tell(self.machine.on_watch_ended(fault, now=self.now))

    def perform(self, count: int) -> Step:
        machine = self.machine
        match self.command:
            case List(options=options):
                try:
                    page = self.server.list(options)
                except (ExpiredError, TimeoutStatusError, NotFoundError) as error:
                    return machine.on_list_failed(error, now=self.now)
                return machine.on_list_page(page, now=self.now)
            case Watch(options=options):
                try:
                    self.stream = self.server.watch(options)
                except (ExpiredError, InvalidError, NotFoundError) as error:
                    return machine.on_watch_ended(error, now=self.now)
                return machine.on_watch_opened(now=self.now)
            case Read():
                if self.stream.broken is not None:
                    return machine.on_watch_ended(self.stream.broken, now=self.now)
                return machine.on_events(self.server.news(self.stream, count), now=self.now)
            case Wait(seconds=seconds):
                self.now += seconds
                return machine.on_waited(now=self.now)
        raise AssertionError(f"it gave up: {self.command}")

    def tell(self, step: Step) -> Any:
        before = dict(self.listener.state)
        for number, event in enumerate(step.events):
            self.check_replaced(step, number)
            self.listener.take(event)
        self.check_replaced(step, len(step.events))
        if self.at_once and not self.machine.synced:
            assert before == self.listener.state, "half told"
        assert not isinstance(step.command, Fail)
        return step.command

    def check_replaced(self, step: Step, number: int) -> None:
        if step.replaced is not None and step.replaced.events == number:
            assert self.listener.state == self.identities(int(step.replaced.resource_version))

    def identities(self, version: int) -> dict[Key, Identity]:
        return {key: identify(obj)[1] for key, obj in self.server.at(version).items()}

    # ------------------------------------------------------------------ what holds

    @invariant()
    def who_is_told_at_once_sees_states_of_the_server_only(self) -> None:
        if hasattr(self, "machine") and self.at_once and self.machine.synced:
            assert self.listener.state == self.identities(int(self.machine.resource_version))
            assert len(self.machine) == len(self.listener.state)

    def teardown(self) -> None:
        """At rest it has told the server's state."""
        if not hasattr(self, "machine"):
            return
        self.server.served = True
        for _ in range(60):
            self.server.cache = self.server.version
            self.now += 2.0
            if self.server.streaming == "ignored" and self.machine.initial and isinstance(self.command, Read):
                self.server_ends_the_watch(2.0)  # such a server closes its watch some time
            self.command = self.tell(self.perform(3))
        assert self.listener.state == self.identities(self.server.version)
        assert self.machine.synced
        live = {uid for uid, _ in self.listener.state.values()}
        assert self.listener.deleted == {uid for uid, _ in self.listener.told} - live, "a deletion untold"


TestListWatch = ListWatchModel.TestCase
TestListWatch.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
