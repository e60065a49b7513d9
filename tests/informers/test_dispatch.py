"""From a reflector's changes to the store and the handlers: order, late handlers, resync, tombstones, transform.

No server: the cases tell the dispatcher what a reflector tells it.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from informing import PATIENCE, Recorder

from dynkube.errors import DeadlineExceededError, InformerStoppedError, InvalidRequestError
from dynkube.informers import (
    FilteringHandler,
    HandlerRegistration,
    ResourceEventHandler,
    Store,
    StoredObject,
    StoredTombstone,
    Tombstone,
    is_tombstone,
    object_key,
)
from dynkube.informers.dispatcher import Dispatcher
from dynkube.informers.handlers import handler_of
from dynkube.informers.indexes import key_of_item
from dynkube.informers.registration import Notification
from dynkube.records import record_of
from dynkube.transport import CancelToken
from dynkube.wire.watch import EventType, WatchEvent


def thing(name: str, version: int = 1, *, uid: str = "", **data: Any) -> dict[str, Any]:
    metadata = {"namespace": "shop", "name": name, "uid": uid or f"uid-{name}", "resourceVersion": str(version)}
    return {"apiVersion": "v1", "kind": "Thing", "metadata": metadata, "data": data}


class Bench:
    """A dispatcher with its store, told what a reflector would tell it."""

    def __init__(self, *, compact: bool = False, **options: Any) -> None:
        self.compact = compact
        self.store = Store(compact=compact)
        settings: dict[str, Any] = {"transform": None, "split_by_uid": False, "on_error": lambda *_: None, **options}
        self.dispatcher = Dispatcher(self.store, name="things", **settings)
        self._version = 0

    def add(self, handler: Any, *, resync: float | None = None, **options: Any) -> HandlerRegistration:
        registration = HandlerRegistration(
            handler_of(handler),
            name="recorder",
            informer="things",
            resync=resync,
            feed=self.dispatcher.feed,
            remove=self.dispatcher.leave,
            show=self.dispatcher.show,
            **options,
        )
        self.dispatcher.join(registration)
        registration.start()
        return registration

    def tell(self, *events: tuple[str, dict[str, Any]] | WatchEvent[Any]) -> None:
        self._version += 1
        batch = [each if isinstance(each, WatchEvent) else self._event(*each) for each in events]
        admitted = [each if each.final_state_unknown else self.dispatcher.admit(each) for each in batch]
        self.dispatcher.apply(admitted, str(self._version))

    def _event(self, kind: str, obj: dict[str, Any]) -> WatchEvent[Any]:
        return WatchEvent(EventType(kind), record_of(obj) if self.compact else obj)

    def listed(self) -> None:
        self.dispatcher.replaced(str(self._version))

    def stop(self) -> None:
        for registration in self.dispatcher.registrations:
            registration.close()
            assert registration.join(PATIENCE)


class Odd(ResourceEventHandler):
    def on_add(self, obj: Any) -> None:  # type: ignore[override]
        """Takes too little."""


async def waits(obj: Any) -> None:
    """A handler that nobody would await."""


def unseen(obj: dict[str, Any]) -> WatchEvent[Any]:
    """A deletion that a list found out."""
    return WatchEvent(EventType.DELETED, {"metadata": obj["metadata"]}, final_state_unknown=True)


@pytest.fixture(params=["dicts", "compact"])
def compact(request: pytest.FixtureRequest) -> bool:
    return request.param == "compact"


@pytest.fixture
def benches(compact: bool) -> Iterator[Callable[..., Bench]]:
    made: list[Bench] = []

    def make(**options: Any) -> Bench:
        made.append(Bench(compact=compact, **options))
        return made[-1]

    yield make
    for bench in made:
        bench.stop()


@pytest.fixture
def bench(benches: Callable[..., Bench]) -> Bench:
    return benches()


class TestOrder:
    @pytest.mark.behaviour("7.4.1", "7.2.1", "7.1.9")
    def test_a_handler_is_told_of_each_change_in_its_order(self, bench: Bench) -> None:
        recorder = Recorder()
        bench.add(recorder)
        bench.tell(("ADDED", thing("a")))
        bench.listed()
        bench.tell(("MODIFIED", thing("a", 2)), ("ADDED", thing("b", 3)), ("DELETED", thing("a", 4)))
        assert recorder.wait(4) == [
            ("add", "a", True),
            ("update", "a", "1", "2"),
            ("add", "b", False),
            ("delete", "a", False),
        ]

    @pytest.mark.behaviour("7.4.1")
    def test_the_store_has_changed_before_a_handler_is_told(self, bench: Bench) -> None:
        seen: list[Any] = []
        told = threading.Event()

        class Looks(ResourceEventHandler):
            def on_add(self, obj: Any, is_in_initial_list: bool) -> None:
                seen.append(bench.store.get(object_key(obj)))

            def on_delete(self, obj: Any) -> None:
                seen.append(bench.store.get(object_key(obj)))
                told.set()

        bench.add(Looks())
        bench.tell(("ADDED", thing("a")))
        bench.tell(("ADDED", thing("b")))
        bench.tell(("DELETED", thing("c")), ("DELETED", thing("b", 2)))
        assert told.wait(PATIENCE)
        assert seen[0] == thing("a")
        assert seen[-1] is None

    @pytest.mark.behaviour("7.4.1")
    def test_a_slow_handler_holds_up_nobody(self, bench: Bench) -> None:
        go_on, recorder = threading.Event(), Recorder()

        class Slow(ResourceEventHandler):
            def on_add(self, obj: Any, is_in_initial_list: bool) -> None:
                assert go_on.wait(PATIENCE)

        slow = bench.add(Slow())
        bench.add(recorder)
        for number in range(100):
            bench.tell(("ADDED", thing(f"t{number}")))
        recorder.wait(100)
        assert slow.depth >= 99
        assert slow.running_for is None or slow.running_for >= 0
        go_on.set()

    @pytest.mark.behaviour("7.4.3")
    def test_the_same_version_again_is_told_to_nobody(self, bench: Bench) -> None:
        recorder = Recorder()
        bench.add(recorder)
        bench.tell(("ADDED", thing("a", 1)))
        bench.tell(("MODIFIED", thing("a", 1)))
        bench.tell(("MODIFIED", thing("a", 2)))
        assert recorder.wait(2) == [("add", "a", True), ("update", "a", "1", "2")]

    def test_a_deletion_of_what_was_never_there_is_told_to_nobody(self, bench: Bench) -> None:
        recorder = Recorder()
        bench.add(recorder)
        bench.tell(("DELETED", thing("a")), unseen(thing("b")), ("ADDED", thing("c")))
        assert recorder.wait(1) == [("add", "c", True)]

    def test_what_is_no_object_is_left_out_and_logged(self, bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
        bench.tell(WatchEvent(EventType.ADDED, {"metadata": {}}), ("ADDED", thing("a")))
        assert bench.store.keys() == ["shop/a"]
        assert "leaves out what is no object" in caplog.text

    def test_what_is_no_object_does_not_bring_back_what_was_deleted_before_it(self, bench: Bench) -> None:
        recorder = Recorder()
        bench.add(recorder)
        bench.tell(("ADDED", thing("a")))
        bench.tell(unseen(thing("a")), ("ADDED", {"kind": "Thing", "metadata": {}}))
        recorder.wait(2)
        assert len(bench.store) == 0


class TestObjects:
    def test_handlers_get_what_the_store_keeps(self, bench: Bench) -> None:
        recorder = Recorder()
        bench.add(recorder)
        bench.tell(("ADDED", thing("a", color="red")))
        recorder.wait(1)
        obj = recorder.objects[0]
        assert obj["data"] == {"color": "red"}
        assert isinstance(obj, StoredObject if bench.compact else dict)

    @pytest.mark.behaviour("7.2.3")
    def test_an_unseen_deletion_brings_the_last_known_state(self, bench: Bench) -> None:
        recorder = Recorder()
        bench.add(recorder)
        bench.tell(("ADDED", thing("a", color="red")))
        bench.tell(unseen(thing("a")))
        assert recorder.wait(2)[1] == ("delete", "a", True)
        gone = recorder.objects[1]
        assert gone["data"] == {"color": "red"}
        assert isinstance(gone, StoredTombstone if bench.compact else Tombstone)
        assert gone.key == object_key(gone) == "shop/a"
        assert bench.store.get("shop/a") is None

    @pytest.mark.behaviour("7.2.3")
    def test_a_seen_deletion_brings_the_final_state(self, bench: Bench) -> None:
        recorder = Recorder()
        bench.add(recorder)
        bench.tell(("ADDED", thing("a", color="red")))
        bench.tell(("DELETED", thing("a", 2, color="blue")))
        recorder.wait(2)
        assert recorder.objects[1]["data"] == {"color": "blue"}
        assert not is_tombstone(recorder.objects[1])

    @pytest.mark.behaviour("7.4.7")
    def test_deleted_and_made_anew_unseen_is_one_update_with_another_uid(self, bench: Bench) -> None:
        recorder = Recorder()
        bench.add(recorder)
        bench.tell(("ADDED", thing("a", 1, uid="first")))
        bench.tell(unseen(thing("a", 1, uid="first")), ("ADDED", thing("a", 5, uid="second")))
        assert recorder.wait(2)[1] == ("update", "a", "1", "5")
        assert recorder.objects[1]["metadata"]["uid"] == "second"

    @pytest.mark.behaviour("7.4.7")
    def test_on_request_it_is_a_delete_and_an_add(self, benches: Callable[..., Bench]) -> None:
        bench, recorder = benches(split_by_uid=True), Recorder()
        bench.add(recorder)
        bench.tell(("ADDED", thing("a", 1, uid="first")))
        bench.listed()
        bench.tell(unseen(thing("a", 1, uid="first")), ("ADDED", thing("a", 5, uid="second")))
        assert recorder.wait(3)[1:] == [("delete", "a", True), ("add", "a", False)]

    @pytest.mark.behaviour("7.2.2")
    def test_an_unseen_deletion_of_one_object_and_an_add_of_another_are_two_things(self, bench: Bench) -> None:
        recorder = Recorder()
        bench.add(recorder)
        bench.tell(("ADDED", thing("a")))
        bench.tell(unseen(thing("a")), ("ADDED", thing("b")))
        assert recorder.wait(3)[1:] == [("delete", "a", True), ("add", "b", True)]


class TestSharing:
    def test_what_an_update_leaves_alone_is_kept_once(self) -> None:
        bench = Bench()
        bench.tell(("ADDED", thing("a", 1, colors=["red"], size=[1])))
        first = bench.store.get("shop/a")
        bench.tell(("MODIFIED", thing("a", 2, colors=["red"], size=[2])))
        second = bench.store.get("shop/a")
        assert second == thing("a", 2, colors=["red"], size=[2])
        assert first == thing("a", 1, colors=["red"], size=[1])
        assert second["data"]["colors"] is first["data"]["colors"]
        assert second["data"]["size"] is not first["data"]["size"]

    def test_what_is_equal_only_to_python_has_changed(self) -> None:
        bench = Bench()
        bench.tell(("ADDED", thing("a", 1, values=[1, {"b": 1}])))
        bench.tell(("MODIFIED", thing("a", 2, values=[True, {"b": 1.0}])))
        found = bench.store.get("shop/a")["data"]["values"]
        assert (found[0] is True, type(found[1]["b"])) == (True, float)


class TestLateHandlers:
    @pytest.mark.behaviour("7.4.2")
    def test_one_that_comes_late_is_told_of_everything_that_is_there(self, bench: Bench) -> None:
        bench.tell(("ADDED", thing("a")), ("ADDED", thing("b")))
        bench.listed()
        bench.tell(("DELETED", thing("b", 3)))
        late = Recorder()
        bench.add(late)
        bench.tell(("MODIFIED", thing("a", 4)))
        assert late.wait(2) == [("add", "a", True), ("update", "a", "1", "4")]

    @pytest.mark.behaviour("7.4.2")
    def test_while_changes_come_none_is_missing_and_none_comes_twice(self, bench: Bench) -> None:
        """Handlers arrive at any moment of a stream of changes; each ends in the same state, step by step."""
        changes, recorders = 400, [Recorder() for _ in range(20)]
        bench.tell(("ADDED", thing("a", 1)))

        def change() -> None:
            for version in range(2, changes + 1):
                bench.tell(("MODIFIED", thing("a", version)))

        writer = threading.Thread(target=change)
        writer.start()
        for recorder in recorders:
            bench.add(recorder)
        writer.join()
        bench.tell(("DELETED", thing("a", changes + 1)))
        for recorder in recorders:
            first, *updates, _last = recorder.wait_until(lambda told: told[-1:] == [("delete", "a", False)])
            assert first == ("add", "a", True)
            version = int(updates[0][2]) if updates else changes
            for update in updates:
                assert update == ("update", "a", str(version), str(version + 1))
                version += 1
            assert version == changes

    @pytest.mark.behaviour("7.4.6")
    def test_handlers_come_and_go_while_changes_come(self, bench: Bench) -> None:
        stop, stays = threading.Event(), Recorder()
        bench.add(stays)

        def come_and_go() -> None:
            while not stop.is_set():
                recorder = Recorder()
                bench.add(recorder).remove()

        others = [threading.Thread(target=come_and_go) for _ in range(3)]
        for other in others:
            other.start()
        for version in range(1, 201):
            bench.tell(("MODIFIED", thing("a", version)))
        stays.wait(200)
        stop.set()
        for other in others:
            other.join(PATIENCE)
        assert [int(each[3]) for each in stays.told[1:]] == list(range(2, 201))
        assert [each.name for each in bench.dispatcher.registrations] == ["recorder"]


class Mirror:
    """In a registration's place: makes a copy of the store from what it is told, and finds what does not fit."""

    def __init__(self) -> None:
        self.copy: dict[str, Any] = {}
        self.synced = 0

    def put(self, notifications: Iterable[Notification]) -> None:
        for event, old, new, _flag, _at in notifications:
            key = key_of_item(new if new is not None else old)
            match event:
                case "add":
                    assert key not in self.copy, "told twice"
                    self.copy[key] = new
                case "update":
                    assert self.copy[key] is old, "not what was told before"
                    assert new is not old
                    self.copy[key] = new
                case "delete":
                    del self.copy[key]

    def put_synced(self) -> None:
        self.synced += 1


KEYS = st.sampled_from("abc")
STEPS = st.one_of(
    st.tuples(st.just("ADDED"), KEYS),
    st.tuples(st.just("MODIFIED"), KEYS),
    st.tuples(st.just("DELETED"), KEYS),
    st.tuples(st.just("gone unseen"), KEYS),
    st.tuples(st.just("made anew unseen"), KEYS),
)


@pytest.mark.behaviour("7.4.2", "7.4.7")
@given(
    batches=st.lists(st.lists(STEPS, max_size=6), max_size=8),
    joins=st.sets(st.integers(0, 8)),
    split=st.booleans(),
    as_bytes=st.booleans(),
)
def test_what_a_handler_is_told_makes_the_store_whenever_it_comes(
    batches: list[list[tuple[str, str]]], joins: set[int], split: bool, as_bytes: bool
) -> None:
    bench, version, mirrors = Bench(compact=as_bytes, split_by_uid=split), 0, []
    for number, batch in enumerate([*batches, []]):
        if number in joins:
            mirrors.append(Mirror())
            bench.dispatcher.join(mirrors[-1])  # type: ignore[arg-type]
        events: list[Any] = []
        for what, name in batch:
            version += 1
            obj = thing(name, version, uid=f"{name}-{version}" if "anew" in what else "")
            if "unseen" in what:
                events.append(unseen(obj))
            if what != "gone unseen":
                events.append(("ADDED" if "anew" in what else what, obj))
        if events:
            bench.tell(*events)
        if number == 3:
            bench.listed()
    keys = bench.store.keys()
    store = {key: bench.store.item(key) for key in keys}
    for mirror in mirrors:
        assert mirror.copy == store
        assert mirror.synced == (len(batches) >= 3)


class TestSynced:
    @pytest.mark.behaviour("7.4.5")
    @pytest.mark.behaviour("7.2.4")
    def test_a_handler_has_synced_when_it_has_been_told_of_the_initial_list(self, bench: Bench) -> None:
        go_on, entered = threading.Event(), threading.Event()

        class Slow(ResourceEventHandler):
            def on_add(self, obj: Any, is_in_initial_list: bool) -> None:
                entered.set()
                assert go_on.wait(PATIENCE)

        registration = bench.add(Slow())
        bench.tell(("ADDED", thing("a")))
        bench.listed()
        assert entered.wait(PATIENCE)
        assert bench.dispatcher.synced.is_set
        assert not registration.has_synced
        go_on.set()
        registration.wait_for_sync(timeout=PATIENCE)
        assert registration.has_synced

    @pytest.mark.behaviour("7.2.4")
    def test_an_empty_list_is_synced_too_and_only_once_it_is_complete(self, bench: Bench) -> None:
        registration = bench.add(Recorder())
        with pytest.raises(
            DeadlineExceededError, match=r"handler recorder of informer things has not synced within 0.01 s"
        ):
            registration.wait_for_sync(timeout=0.01)
        bench.listed()
        registration.wait_for_sync(timeout=PATIENCE)

    @pytest.mark.behaviour("7.4.5")
    def test_a_late_handler_has_a_list_of_its_own(self, bench: Bench) -> None:
        bench.tell(("ADDED", thing("a")))
        bench.listed()
        recorder = Recorder()
        bench.add(recorder).wait_for_sync(timeout=PATIENCE)
        assert recorder.told == [("add", "a", True)]

    def test_waiting_for_a_handler_that_is_removed_ends(self, bench: Bench) -> None:
        registration = bench.add(Recorder())
        registration.remove()
        with pytest.raises(InformerStoppedError, match="was removed, or its informer has stopped, before it synced"):
            registration.wait_for_sync(timeout=PATIENCE)

    def test_a_token_ends_the_wait(self, bench: Bench) -> None:
        from dynkube.errors import CancelledError

        registration, token = bench.add(Recorder()), CancelToken()
        token.cancel()
        with pytest.raises(CancelledError):
            registration.wait_for_sync(cancel=token)


class TestRemoval:
    @pytest.mark.behaviour("7.4.6")
    def test_one_that_is_removed_is_told_no_more_and_its_thread_ends(self, bench: Bench) -> None:
        removed, stays = Recorder(), Recorder()
        registration = bench.add(removed)
        bench.add(stays)
        bench.tell(("ADDED", thing("a")))
        removed.wait(1)
        registration.remove()
        registration.remove()
        assert registration.join(PATIENCE)
        bench.tell(("ADDED", thing("b")))
        stays.wait(2)
        assert removed.told == [("add", "a", True)]
        assert bench.dispatcher.registrations[0].name == "recorder"
        assert len(bench.dispatcher.registrations) == 1

    @pytest.mark.behaviour("7.4.6")
    def test_a_handler_may_remove_itself(self, bench: Bench) -> None:
        gone = threading.Event()

        class Once(ResourceEventHandler):
            def on_add(self, obj: Any, is_in_initial_list: bool) -> None:
                registration.remove()
                gone.set()

        registration = bench.add(Once())
        bench.tell(("ADDED", thing("a")), ("ADDED", thing("b")))
        assert gone.wait(PATIENCE)
        assert registration.join(PATIENCE)
        assert registration.depth == 0


class TestResync:
    @pytest.mark.behaviour("7.4.3")
    @pytest.mark.behaviour("7.1.13")
    def test_a_resync_tells_one_handler_of_everything_as_it_is(self, bench: Bench) -> None:
        mine, other = Recorder(), Recorder()
        registration = bench.add(mine)
        bench.add(other)
        bench.tell(("ADDED", thing("a")), ("ADDED", thing("b", 2)))
        bench.dispatcher.feed(registration)
        assert mine.wait(4)[2:] == [("update", "a", "1", "1"), ("update", "b", "2", "2")]
        bench.tell(("ADDED", thing("c")))
        assert other.wait(3) == [("add", "a", True), ("add", "b", True), ("add", "c", True)]

    @pytest.mark.behaviour("7.4.4")
    def test_each_handler_has_its_own_period(self, bench: Bench) -> None:
        often, never = Recorder(), Recorder()
        bench.add(often, resync=0.01)  # below what an informer takes
        bench.add(never)
        bench.tell(("ADDED", thing("a")))
        assert often.wait(4)[1:4] == [("update", "a", "1", "1")] * 3
        assert never.told == [("add", "a", True)]

    def test_a_slow_handler_has_one_resync_in_its_queue_and_no_more(self, bench: Bench) -> None:
        go_on, entered = threading.Semaphore(0), threading.Semaphore(0)

        def slow(_obj: Any, *_more: Any) -> None:
            entered.release()
            assert go_on.acquire(timeout=PATIENCE)

        registration = bench.add(handler_of(on_add=slow, on_update=slow), resync=0.001)
        bench.tell(("ADDED", thing("a")), ("ADDED", thing("b")))
        for _ in range(20):  # each call is longer than the period
            assert entered.acquire(timeout=PATIENCE)
            assert registration.depth <= 4
            go_on.release()
        go_on.release(1000)

    @pytest.mark.behaviour("7.4.3")
    def test_old_and_new_of_a_resync_are_the_same_object(self, bench: Bench) -> None:
        same = threading.Event()

        class Compares(ResourceEventHandler):
            def on_update(self, old: Any, new: Any) -> None:
                if old is new:
                    same.set()

        registration = bench.add(Compares())
        bench.tell(("ADDED", thing("a")))
        bench.dispatcher.feed(registration)
        assert same.wait(PATIENCE)


class TestTransform:
    @pytest.mark.behaviour("7.2.5")
    def test_each_object_is_changed_before_it_is_stored(self, benches: Callable[..., Bench]) -> None:
        def without_data(obj: dict[str, Any]) -> dict[str, Any]:
            obj.pop("data", None)
            return obj

        bench, recorder = benches(transform=without_data), Recorder()
        bench.add(recorder)
        bench.tell(("ADDED", thing("a", 1, color="red")))
        bench.tell(("MODIFIED", thing("a", 2, color="blue")), ("DELETED", thing("a", 3, color="blue")))
        recorder.wait(3)
        assert [each.get("data") for each in recorder.objects] == [None, None, None]

    @pytest.mark.behaviour("7.2.5")
    def test_a_tombstone_and_a_resync_are_not_transformed_again(self, benches: Callable[..., Bench]) -> None:
        calls: list[str] = []

        def counts(obj: dict[str, Any]) -> dict[str, Any]:
            calls.append(obj["metadata"]["name"])
            return obj

        bench, recorder = benches(transform=counts), Recorder()
        registration = bench.add(recorder)
        bench.tell(("ADDED", thing("a")))
        bench.dispatcher.feed(registration)
        bench.tell(unseen(thing("a")))
        recorder.wait(3)
        assert calls == ["a"]

    @pytest.mark.behaviour("7.2.5")
    def test_where_it_exits_the_object_is_kept_as_it_is(self, benches: Callable[..., Bench]) -> None:
        bench = benches(transform=lambda _obj: sys.exit("even this"))
        bench.tell(("ADDED", thing("a", color="red")))
        assert bench.store.get("shop/a") == thing("a", color="red")

    def test_where_it_fails_the_object_is_kept_as_it_is(
        self, benches: Callable[..., Bench], compact: bool, caplog: pytest.LogCaptureFixture
    ) -> None:
        failing: list[Any] = [lambda obj: obj["nothing"], lambda obj: None]
        if compact:
            failing.append(lambda obj: {**obj, "data": {1, 2}})  # which no bytes can hold
        for transform in failing:
            bench = benches(transform=transform)
            bench.tell(("ADDED", thing("a", color="red")))
            assert bench.store.get("shop/a") == thing("a", color="red")
        assert "the transform failed with shop/a, which is kept as it is" in caplog.text

    def test_one_that_fails_half_way_takes_neither_fields_nor_the_name(self, benches: Callable[..., Bench]) -> None:
        def fails(obj: dict[str, Any]) -> dict[str, Any]:
            del obj["data"], obj["metadata"]["name"]
            raise KeyError("nothing")

        bench = benches(transform=fails)
        bench.tell(("ADDED", thing("a", color="red")))
        assert bench.store.get("shop/a") == thing("a", color="red")

    def test_what_the_store_needs_is_put_back(
        self, benches: Callable[..., Bench], caplog: pytest.LogCaptureFixture
    ) -> None:
        bench = benches(transform=lambda obj: {"kind": "Thing", "metadata": {"labels": {"a": "b"}}})
        bench.tell(("ADDED", thing("a", 7)))
        assert bench.store.get("shop/a") == {
            "kind": "Thing",
            "metadata": thing("a", 7)["metadata"] | {"labels": {"a": "b"}},
        }
        assert "they are put back" in caplog.text


class TestFilters:
    @pytest.mark.behaviour("7.4.9")
    def test_an_update_that_crosses_the_filter_is_an_add_or_a_delete(self, bench: Bench) -> None:
        recorder = Recorder()
        bench.add(FilteringHandler(lambda obj: obj["data"].get("color") == "red", recorder))
        last = Recorder()
        bench.add(last)
        bench.tell(("ADDED", thing("a", 1, color="red")), ("ADDED", thing("b", 2, color="blue")))
        bench.listed()
        bench.tell(("MODIFIED", thing("a", 3, color="red")), ("MODIFIED", thing("b", 4, color="red")))
        bench.tell(("MODIFIED", thing("a", 5, color="blue")), ("MODIFIED", thing("a", 6, color="green")))
        bench.tell(("DELETED", thing("a", 7, color="green")), ("DELETED", thing("b", 8, color="red")))
        assert recorder.wait(5) == [
            ("add", "a", True),
            ("update", "a", "1", "3"),
            ("add", "b", False),
            ("delete", "a", False),
            ("delete", "b", False),
        ]

    @pytest.mark.behaviour("7.4.9")
    def test_any_of_the_functions_may_be_missing(self, bench: Bench) -> None:
        deleted: list[str] = []
        done = threading.Event()
        bench.add(handler_of(on_delete=lambda obj: (deleted.append(obj["metadata"]["name"]), done.set())))
        bench.tell(("ADDED", thing("a")), ("MODIFIED", thing("a", 2)), ("DELETED", thing("a", 3)))
        assert done.wait(PATIENCE)
        assert deleted == ["a"]

    @pytest.mark.parametrize(
        ("given", "problem"),
        [
            ({}, r"handler: want a ResourceEventHandler, or on_add=, on_update= or on_delete="),
            ({"on_add": "print"}, r"on_add: want a function of \(obj, is_in_initial_list\), got 'print'"),
            ({"on_add": lambda obj: None}, r"on_add: is called with \(obj, is_in_initial_list\), but takes \(obj\)"),
            ({"on_update": lambda new: None}, r"on_update: is called with \(old, new\)"),
            ({"handler": object()}, r"handler: want an instance of ResourceEventHandler, got <object"),
            (
                {"handler": print},
                r"got <built-in function print>; a function goes into on_add=, on_update= or on_delete=",
            ),
            ({"handler": Recorder}, r"handler: want an instance of ResourceEventHandler, got <class"),
            ({"handler": Odd()}, r"handler Odd: on_add: is called with \(obj, is_in_initial_list\), but takes \(obj: "),
            ({"on_delete": waits}, r"on_delete: want a plain function of \(obj\), got a coroutine function"),
            ({"handler": Recorder(), "on_add": print}, r"on_add: give a handler or functions, not both"),
        ],
    )
    def test_a_handler_that_is_none_is_refused(self, given: dict[str, Any], problem: str) -> None:
        with pytest.raises(InvalidRequestError, match=problem):
            handler_of(**given)

    def test_built_in_functions_that_do_not_say_what_they_take_are_believed(self) -> None:
        handler_of(on_add=print, on_update=max, on_delete=[].append)

    @pytest.mark.parametrize("keep", ["red", lambda: True])
    def test_a_filter_that_is_none_is_refused(self, keep: Any) -> None:
        with pytest.raises(InvalidRequestError, match=r"^keep: "):
            FilteringHandler(keep, Recorder())


class TestLag:
    def test_a_handler_that_is_behind_is_logged_now_and_then(
        self, bench: Bench, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("dynkube.informers.registration._LATE", -1.0)
        recorder = Recorder()
        bench.add(recorder)
        for number in range(5):
            bench.tell(("ADDED", thing(f"t{number}")))
        recorder.wait(5)
        assert caplog.text.count("handler recorder of informer things is 0 s behind: ") == 1

    def test_how_long_the_oldest_waits(self, bench: Bench) -> None:
        entered, go_on = threading.Event(), threading.Event()

        def blocks(_obj: Any, _initial: bool) -> None:
            entered.set()
            go_on.wait(PATIENCE)

        registration = bench.add(handler_of(on_add=blocks))
        assert registration.behind == 0
        bench.tell(("ADDED", thing("a")), ("ADDED", thing("b")))
        assert entered.wait(PATIENCE)
        assert registration.behind > 0
        assert registration.status.behind > 0
        go_on.set()


class TestFailures:
    @pytest.mark.behaviour("7.4.8")
    def test_a_handler_that_raises_is_called_again(
        self, bench: Bench, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("dynkube.informers.registration._PAUSE", 0.01)
        calls: list[str] = []
        done = threading.Event()

        def fails(obj: Any, _initial: bool) -> None:
            calls.append(obj["metadata"]["name"])
            if len(calls) == 1:
                raise SystemExit("even this")
            done.set()

        registration = bench.add(handler_of(on_add=fails))
        bench.tell(("ADDED", thing("a")), ("ADDED", thing("b")))
        assert done.wait(PATIENCE)
        assert calls == ["a", "b"]
        assert registration.failed == 1
        assert (
            "handler recorder of informer things failed with the add of shop/a, and is not told of it again; "
            "it goes on with the next one in 0.01 s"
        ) in caplog.text

    @pytest.mark.behaviour("7.4.8")
    def test_the_pause_after_a_failure_ends_when_the_handler_is_removed(self, bench: Bench) -> None:
        failed = threading.Event()

        def fails(_obj: Any, _initial: bool) -> None:
            failed.set()
            raise ValueError

        registration = bench.add(handler_of(on_add=fails))
        bench.tell(("ADDED", thing("a")))
        assert failed.wait(PATIENCE)
        registration.remove()
        assert registration.join(PATIENCE)

    def test_what_is_called_after_a_call_gets_the_notification(self, bench: Bench) -> None:
        seen: list[Notification] = []
        done = threading.Event()
        bench.add(Recorder(), after=lambda _registration, what: (seen.append(what), done.set()))
        bench.tell(("ADDED", thing("a")))
        assert done.wait(PATIENCE)
        assert seen[0].event == "add"
