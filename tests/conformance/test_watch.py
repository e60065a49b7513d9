"""Watches: one request, or for ever; through cuts, expiries and restarts of the server."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from manifests import config_map, widget

import dynkube
from dynkube import CancelToken


def key(event: dynkube.WatchEvent) -> tuple[str, str]:
    return str(event.type), event.object["metadata"]["name"]


class Follower:
    """A watch on a thread of its own: the state it has been told, and every event in order."""

    def __init__(self, watch: Any) -> None:
        self._watch = watch
        self._changed = threading.Condition()
        self.state: dict[str, str] = {}
        self.events: list[dynkube.WatchEvent] = []
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            for event in self._watch:
                with self._changed:
                    self._take(event)
                    self._changed.notify_all()
        except BaseException as error:  # handed to the test
            with self._changed:
                self.error = error
                self._changed.notify_all()

    def _take(self, event: dynkube.WatchEvent) -> None:
        metadata = event.object["metadata"]
        self.events.append(event)
        if event.type == "DELETED":
            self.state.pop(metadata["name"], None)
        else:
            self.state[metadata["name"]] = metadata["resourceVersion"]

    def wait_for(self, condition: Callable[[], bool], timeout: float = 60) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self.error is not None or condition(), timeout), self.events
            if self.error is not None:
                raise self.error

    def close(self) -> None:
        self._watch.close()
        self._thread.join(20)
        assert not self._thread.is_alive()

    def assert_never_twice(self) -> None:
        told = [
            (event.object["metadata"]["uid"], event.object["metadata"].get("resourceVersion"))
            for event in self.events
            if event.type != "DELETED"
        ]
        assert len(told) == len(set(told)), told


@pytest.fixture
def follow() -> Iterator[Callable[[Any], Follower]]:
    followers: list[Follower] = []

    def start(watch: Any) -> Follower:
        followers.append(Follower(watch))
        return followers[-1]

    yield start
    for follower in followers:
        follower.close()


class TestWatchOnce:
    @pytest.mark.behaviour("5.1.7")
    def test_is_one_request(self, configmaps: dynkube.ResourceHandle) -> None:
        version = configmaps.list().resource_version
        configmaps.create(config_map("a"))
        configmaps.patch("a", {"data": {"x": "1"}})
        configmaps.delete("a")
        with configmaps.watch_once(resource_version=version, timeout_seconds=2) as events:
            told = [key(event) for event in events if event.type != "BOOKMARK"]
        assert told == [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a")]

    @pytest.mark.behaviour("6.2")
    def test_a_close_by_the_server_ends_it_silently(self, configmaps: dynkube.ResourceHandle) -> None:
        version = configmaps.list().resource_version
        with configmaps.watch_once(resource_version=version, timeout_seconds=1) as events:
            assert [event for event in events if event.type != "BOOKMARK"] == []

    @pytest.mark.behaviour("6.1")
    def test_bookmarks_have_a_version_only(self, configmaps: dynkube.ResourceHandle) -> None:
        version = configmaps.list().resource_version
        with configmaps.watch_once(resource_version=version, timeout_seconds=3, allow_watch_bookmarks=True) as events:
            bookmarks = [event.object for event in events if event.type == "BOOKMARK"]
        assert all(set(each) <= {"kind", "apiVersion", "metadata", "data"} for each in bookmarks)
        assert all(each["metadata"]["resourceVersion"] for each in bookmarks)

    @pytest.mark.behaviour("5.7.2")
    def test_initial_events_end_with_a_marked_bookmark(self, configmaps: dynkube.ResourceHandle) -> None:
        configmaps.create(config_map("a"))
        told = []
        with configmaps.watch_once(
            send_initial_events=True,
            resource_version_match="NotOlderThan",
            allow_watch_bookmarks=True,
            timeout_seconds=20,
        ) as events:
            for event in events:
                told.append(key(event) if event.type != "BOOKMARK" else ("BOOKMARK", ""))
                if event.type == "BOOKMARK":
                    annotations = event.object["metadata"].get("annotations", {})
                    if annotations.get("k8s.io/initial-events-end") == "true":
                        break
        assert ("ADDED", "a") in told
        assert told[-1] == ("BOOKMARK", "")

    @pytest.mark.behaviour("2.5.8")
    def test_initial_events_need_a_match(self, configmaps: dynkube.ResourceHandle) -> None:
        with pytest.raises(dynkube.InvalidRequestError, match=r"send_initial_events|sendInitialEvents"):
            configmaps.watch_once(send_initial_events=True)

    @pytest.mark.behaviour("6.3")
    def test_an_error_event_is_an_event(self, server, configmaps: dynkube.ResourceHandle) -> None:  # type: ignore[no-untyped-def]
        version = configmaps.create(config_map("a"))["metadata"]["resourceVersion"]
        configmaps.patch("a", {"data": {"x": "1"}})
        server.expire_history()
        server.restart()
        try:
            with configmaps.watch_once(resource_version=version, timeout_seconds=5) as events:
                told = list(events)
        except dynkube.ExpiredError:
            return  # a server may say it with the status code
        assert [event.type for event in told] == ["ERROR"]
        assert told[0].object["code"] == 410

    @pytest.mark.behaviour("2.10.3")
    def test_close_from_another_thread_wakes_the_reader(self, configmaps: dynkube.ResourceHandle) -> None:
        version = configmaps.list().resource_version
        events = configmaps.watch_once(resource_version=version, timeout_seconds=120)
        reading = threading.Event()

        def read() -> None:
            reading.set()
            for _ in events:
                pass

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        assert reading.wait(5)
        events.close()
        reader.join(5)
        assert not reader.is_alive()

    @pytest.mark.behaviour("2.11.3")
    def test_cancel_ends_it(self, configmaps: dynkube.ResourceHandle) -> None:
        cancel = CancelToken()
        threading.Timer(0.2, cancel.cancel).start()
        version = configmaps.list().resource_version
        with (
            pytest.raises(dynkube.CancelledError),
            configmaps.watch_once(resource_version=version, timeout_seconds=120, cancel=cancel) as events,
        ):
            for _ in events:
                pass

    @pytest.mark.behaviour("2.11.3")
    def test_a_deadline_ends_it(self, configmaps: dynkube.ResourceHandle) -> None:
        version = configmaps.list().resource_version
        with (
            pytest.raises(dynkube.DeadlineExceededError),
            configmaps.watch_once(resource_version=version, timeout_seconds=120, timeout=0.5) as events,
        ):
            for _ in events:
                pass

    @pytest.mark.behaviour("5.5.1")
    def test_metadata_only(self, configmaps: dynkube.ResourceHandle) -> None:
        version = configmaps.list().resource_version
        configmaps.create(config_map("a", big="x" * 100))
        with configmaps.metadata_only().watch_once(resource_version=version, timeout_seconds=10) as events:
            event = next(event for event in events if event.type == "ADDED")
        assert event.object["kind"] == "PartialObjectMetadata"
        assert "data" not in event.object


class TestWatch:
    @pytest.mark.behaviour("10.1.9")
    def test_starts_with_what_is_there(
        self, configmaps: dynkube.ResourceHandle, follow: Callable[[Any], Follower]
    ) -> None:
        configmaps.create(config_map("a", labels={"mine": "1"}))
        configmaps.create(config_map("b", labels={"mine": "1"}))
        follower = follow(configmaps.watch(label_selector="mine"))
        follower.wait_for(lambda: len(follower.events) == 2)
        assert sorted(key(event) for event in follower.events) == [("ADDED", "a"), ("ADDED", "b")]

    @pytest.mark.behaviour("7.1.9")
    def test_follows_every_change(self, configmaps: dynkube.ResourceHandle, follow: Callable[[Any], Follower]) -> None:
        follower = follow(configmaps.watch(label_selector="mine"))
        configmaps.create(config_map("a", labels={"mine": "1"}))
        follower.wait_for(lambda: "a" in follower.state)
        patched = configmaps.patch("a", {"data": {"x": "1"}})
        follower.wait_for(lambda: follower.state.get("a") == patched["metadata"]["resourceVersion"])
        configmaps.delete("a")
        follower.wait_for(lambda: not follower.state)
        follower.assert_never_twice()

    @pytest.mark.behaviour("7.1.9")
    def test_leaving_the_selector_is_a_deletion(
        self, configmaps: dynkube.ResourceHandle, follow: Callable[[Any], Follower]
    ) -> None:
        configmaps.create(config_map("a", labels={"mine": "1"}))
        follower = follow(configmaps.watch(label_selector="mine"))
        follower.wait_for(lambda: "a" in follower.state)
        configmaps.patch("a", {"metadata": {"labels": {"mine": None}}})
        follower.wait_for(lambda: not follower.state)
        assert follower.events[-1].type == "DELETED"

    @pytest.mark.behaviour("6.4")
    def test_from_a_version_of_the_callers_own(
        self, configmaps: dynkube.ResourceHandle, follow: Callable[[Any], Follower]
    ) -> None:
        configmaps.create(config_map("before"))
        version = configmaps.list().resource_version
        configmaps.create(config_map("after"))
        follower = follow(configmaps.watch(resource_version=version))
        follower.wait_for(lambda: "after" in follower.state)
        assert "before" not in follower.state

    @pytest.mark.behaviour("7.1.6")
    def test_goes_on_when_the_server_closes(
        self, configmaps: dynkube.ResourceHandle, follow: Callable[[Any], Follower]
    ) -> None:
        follower = follow(configmaps.watch(label_selector="mine", timeout_seconds=1))
        for number in range(4):
            configmaps.create(config_map(f"a-{number}", labels={"mine": "1"}))
            follower.wait_for(lambda number=number: f"a-{number}" in follower.state)  # type: ignore[misc]
            configmaps.patch(f"a-{number}", {"data": {"x": "1"}})
        follower.wait_for(lambda: len(follower.events) == 8)
        follower.assert_never_twice()

    @pytest.mark.behaviour("7.1.7")
    def test_lives_through_a_killed_server(
        self,
        server,
        configmaps: dynkube.ResourceHandle,
        follow: Callable[[Any], Follower],  # type: ignore[no-untyped-def]
    ) -> None:
        configmaps.create(config_map("stays", labels={"mine": "1"}))
        follower = follow(configmaps.watch(label_selector="mine"))
        follower.wait_for(lambda: "stays" in follower.state)
        server.kill()
        server.restart()
        configmaps.create(config_map("new", labels={"mine": "1"}))
        follower.wait_for(lambda: "new" in follower.state)
        follower.assert_never_twice()
        assert follower.state == state_of(configmaps)

    @pytest.mark.behaviour("7.1.8")
    def test_an_expired_version_is_relisted_and_only_differences_come(
        self,
        server,
        configmaps: dynkube.ResourceHandle,
        follow: Callable[[Any], Follower],  # type: ignore[no-untyped-def]
    ) -> None:
        for name in ("same", "changed", "deleted"):
            configmaps.create(config_map(name, labels={"mine": "1"}))
        watch = configmaps.watch(label_selector="mine")
        follower = follow(watch)
        follower.wait_for(lambda: len(follower.state) == 3)
        old = configmaps.get("deleted")["metadata"]
        server.pause()
        server.resume()
        with server.connect() as other:
            elsewhere = other.resource("configmaps").namespace(old["namespace"])
            server.kill()
            server.restart()
            elsewhere.patch("changed", {"data": {"x": "1"}})
            elsewhere.delete("deleted")
            elsewhere.create(config_map("added", labels={"mine": "1"}))
            server.expire_history()
        follower.wait_for(lambda: follower.state == state_of(configmaps))
        follower.assert_never_twice()
        gone = [event for event in follower.events if event.type == "DELETED"]
        assert [event.object["metadata"]["name"] for event in gone] == ["deleted"]
        assert gone[0].object["metadata"]["uid"] == old["uid"]

    @pytest.mark.behaviour("2.8.10")
    def test_from_an_expired_version_of_the_callers_own(
        self,
        server,
        configmaps: dynkube.ResourceHandle,  # type: ignore[no-untyped-def]
    ) -> None:
        version = configmaps.create(config_map("a"))["metadata"]["resourceVersion"]
        configmaps.patch("a", {"data": {"x": "1"}})
        server.expire_history()
        server.restart()
        with pytest.raises(dynkube.ExpiredError), configmaps.watch(resource_version=version, timeout=60) as events:
            for _ in events:
                pass

    @pytest.mark.behaviour("6.5")
    def test_what_waiting_cannot_heal_ends_it(self, server, namespace: str) -> None:  # type: ignore[no-untyped-def]
        with dynkube.connect(kubeconfig=server.user("nobody-special")) as client:
            handle = client.resource(dynkube.GroupVersionResource("", "v1", "secrets")).namespace(namespace)
            with pytest.raises(dynkube.ForbiddenError), handle.watch(timeout=30) as events:
                next(iter(events))

    @pytest.mark.behaviour("6.5")
    def test_a_resource_that_is_not_served_ends_it(self, client: dynkube.DynamicClient) -> None:
        handle = client.resource(dynkube.GroupVersionResource("nowhere.example", "v1", "things"))
        with pytest.raises(dynkube.NotFoundError), handle.watch(timeout=30) as events:
            next(iter(events))

    @pytest.mark.behaviour("2.10.3")
    def test_close_ends_the_iteration(
        self, configmaps: dynkube.ResourceHandle, follow: Callable[[Any], Follower]
    ) -> None:
        watch = configmaps.watch(label_selector="nobody=has-this")
        follower = follow(watch)
        watch.close()
        follower.close()
        assert follower.error is None

    @pytest.mark.behaviour("2.11.3")
    def test_a_deadline(self, configmaps: dynkube.ResourceHandle) -> None:
        with (
            pytest.raises(dynkube.DeadlineExceededError),
            configmaps.watch(label_selector="nobody=has-this", timeout=0.5) as events,
        ):
            next(iter(events))

    @pytest.mark.behaviour("7.1.2")
    def test_pages_of_the_first_list(
        self, configmaps: dynkube.ResourceHandle, follow: Callable[[Any], Follower]
    ) -> None:
        for number in range(5):
            configmaps.create(config_map(f"a-{number}", labels={"mine": "1"}))
        follower = follow(configmaps.watch(label_selector="mine", limit=2))
        follower.wait_for(lambda: len(follower.state) == 5)
        follower.assert_never_twice()

    def test_of_a_custom_resource(self, widgets: dynkube.ResourceHandle, follow: Callable[[Any], Follower]) -> None:
        follower = follow(widgets.watch())
        widgets.create(widget("a", size=1))
        follower.wait_for(lambda: "a" in follower.state)


class TestExit:
    @pytest.mark.behaviour("2.10.3")
    def test_an_interpreter_with_an_open_watch_exits_at_once(self, server) -> None:  # type: ignore[no-untyped-def]
        program = (
            "import sys, threading, dynkube\n"
            "watch = dynkube.connect(kubeconfig=sys.argv[1]).resource('namespaces').watch()\n"
            "next(watch)\n"
            "inside = threading.Event()\n"
            "def follow():\n"
            "    for event in watch:\n"
            "        inside.set()\n"
            "threading.Thread(target=follow, daemon=True).start()\n"
            "assert inside.wait(20)\n"
        )
        # Without a timeout of its own the watch would go on for four minutes.
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", program, str(server.kubeconfig)],
            timeout=30,
            check=True,
            capture_output=True,
            text=True,
        )
        assert done.stderr == ""


class TestWait:
    @pytest.mark.behaviour("8.6.1")
    def test_for_a_condition_that_comes_later(self, widgets: dynkube.ResourceHandle) -> None:
        widgets.create(widget("a"))
        ready = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}
        threading.Timer(0.3, lambda: widgets.subresource("status").patch("a", ready)).start()
        assert widgets.wait("a", condition="ready", timeout=20)["status"] == ready["status"]

    @pytest.mark.behaviour("8.6.1")
    def test_for_another_value(self, widgets: dynkube.ResourceHandle) -> None:
        widgets.create(widget("a"))
        down = {"status": {"conditions": [{"type": "Ready", "status": "False"}]}}
        widgets.subresource("status").patch("a", down)
        assert widgets.wait("a", condition="Ready=False", timeout=20)

    @pytest.mark.behaviour("8.6.2")
    def test_an_outdated_condition_does_not_count(self, widgets: dynkube.ResourceHandle) -> None:
        widgets.create(widget("a"))
        stale = {"status": {"observedGeneration": 0, "conditions": [{"type": "Ready", "status": "True"}]}}
        widgets.subresource("status").patch("a", stale)
        with pytest.raises(dynkube.DeadlineExceededError, match="a"):
            widgets.wait("a", condition="Ready", timeout=1)

    @pytest.mark.behaviour("8.6.3")
    def test_for_deletion(self, configmaps: dynkube.ResourceHandle) -> None:
        configmaps.create(config_map("a"))
        threading.Timer(0.3, lambda: configmaps.delete("a")).start()
        configmaps.wait("a", condition="delete", timeout=20)
        assert configmaps.get_or_none("a") is None

    @pytest.mark.behaviour("8.6.3")
    def test_for_deletion_of_what_is_not_there(self, configmaps: dynkube.ResourceHandle) -> None:
        configmaps.wait("absent", condition="delete", timeout=20)

    @pytest.mark.behaviour("8.6.3")
    def test_a_recreated_object_counts_as_deleted(self, configmaps: dynkube.ResourceHandle) -> None:
        configmaps.create(config_map("a"))

        def recreate() -> None:
            configmaps.delete("a")
            configmaps.create(config_map("a"))

        timer = threading.Timer(0.3, recreate)
        timer.start()
        configmaps.wait("a", condition="delete", timeout=20)
        timer.join(20)

    @pytest.mark.behaviour("8.6.4")
    def test_for_a_condition_of_what_is_not_there(self, widgets: dynkube.ResourceHandle) -> None:
        with pytest.raises(dynkube.NotFoundError):
            widgets.wait("absent", condition="Ready", timeout=20)

    @pytest.mark.behaviour("8.6.5")
    def test_the_timeout_says_what_was_waited_for(self, widgets: dynkube.ResourceHandle) -> None:
        widgets.create(widget("a"))
        with pytest.raises(dynkube.DeadlineExceededError, match=r"timed out waiting for the condition on widgets.*/a"):
            widgets.wait("a", condition="Ready", timeout=0.5)


def state_of(handle: dynkube.ResourceHandle) -> dict[str, str]:
    return {obj["metadata"]["name"]: obj["metadata"]["resourceVersion"] for obj in handle.list(label_selector="mine")}
