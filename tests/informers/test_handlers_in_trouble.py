"""Handlers that raise, block or call back, fifty of them at once; and stopping, whatever is going on."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from manifests import CONFIGMAPS, config_map

import dynkube
from dynkube.informers import SharedInformer
from dynkube.testing import APIServer, Fault, FaultProxy

PATIENCE = 30.0


@pytest.fixture(scope="module")
def server() -> Iterator[APIServer]:
    with APIServer() as server:
        server.allow(dynkube.testing.AccessRule(user="token-user", verbs=("*",), resources=("*",), api_groups=("*",)))
        yield server


@pytest.fixture
def configmaps(server: APIServer, request: pytest.FixtureRequest) -> Iterator[dynkube.ResourceHandle]:
    """ConfigMaps of a namespace that no other case uses."""
    client = server.connect()
    namespace = f"case-{abs(hash(request.node.nodeid)) % 10**9}"
    client.resource("namespaces").create({"metadata": {"name": namespace}})
    yield client.resource(CONFIGMAPS).namespace(namespace)
    client.close()


@pytest.fixture
def informer(configmaps: dynkube.ResourceHandle) -> Iterator[SharedInformer]:
    informer = SharedInformer(configmaps)
    yield informer
    informer.stop()


class Names:
    """A handler's callback that keeps names, and lets a test wait for how many there are."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self._changed = threading.Condition()

    def __call__(self, obj: Any, _initial: bool = False) -> None:
        with self._changed:
            self.seen.append(obj["metadata"]["name"])
            self._changed.notify_all()

    def wait_for(self, count: int) -> list[str]:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.seen) >= count, PATIENCE), self.seen
            return list(self.seen)


def until(holds: Callable[[], bool]) -> None:
    tick = threading.Event()
    for _ in range(int(PATIENCE * 100)):
        if holds():
            return
        tick.wait(0.01)
    raise AssertionError("it does not happen")


def informer_threads() -> list[str]:
    return [
        each.name for each in threading.enumerate() if each.name.startswith(("dynkube-informer", "dynkube-handler"))
    ]


# ------------------------------------------------------------------ handlers


class TestHandlers:
    @pytest.mark.behaviour("7.4.8")
    def test_one_that_raises_is_called_again_and_holds_up_nobody(
        self, informer: SharedInformer, configmaps: dynkube.ResourceHandle, caplog: pytest.LogCaptureFixture
    ) -> None:
        calls, others = Names(), Names()

        def fails_at_first(obj: Any, initial: bool) -> None:
            calls(obj, initial)
            if len(calls.seen) == 1:
                raise ValueError("what a bug says")

        failing = informer.add_event_handler(on_add=fails_at_first, name="fails at first")
        informer.add_event_handler(on_add=others)
        informer.start()
        for name in ("one", "two", "three"):
            configmaps.create(config_map(name))
        assert others.wait_for(3) == ["one", "two", "three"]
        assert calls.wait_for(3) == ["one", "two", "three"], (
            "the one that failed is not told again, and none is left out"
        )
        assert failing.failed == 1
        assert "what a bug says" in caplog.text

    @pytest.mark.behaviour("7.4.1")
    def test_one_that_blocks_holds_up_neither_the_store_nor_others(
        self, informer: SharedInformer, configmaps: dynkube.ResourceHandle
    ) -> None:
        entered, released, others = threading.Event(), threading.Event(), Names()

        def blocks(_obj: Any, _initial: bool) -> None:
            entered.set()
            released.wait(PATIENCE)

        blocked = informer.add_event_handler(on_add=blocks)
        informer.add_event_handler(on_add=others)
        informer.start()
        for number in range(20):
            configmaps.create(config_map(f"thing-{number:02}"))
        assert entered.wait(PATIENCE)
        others.wait_for(20)
        assert len(informer.indexer) == 20
        assert blocked.depth == 19
        released.set()
        until(lambda: blocked.delivered == 20)

    @pytest.mark.behaviour("7.4.1")
    def test_one_may_call_back_into_the_store_and_the_informer(
        self, informer: SharedInformer, configmaps: dynkube.ResourceHandle
    ) -> None:
        found, late, problems = Names(), Names(), []

        def calls_back(obj: Any, _initial: bool) -> None:
            try:
                name = obj["metadata"]["name"]
                key = (obj["metadata"]["namespace"], name)
                assert informer.indexer.get(key) == obj, "the store has it before its handlers are told"
                assert obj in informer.indexer.list()
                assert name in {each["metadata"]["name"] for each in informer.lister().list()}
                if name == "one":
                    informer.add_indexers({"name": lambda each: [each["metadata"]["name"]]})
                    informer.add_event_handler(on_add=late)
                assert informer.indexer.by_index("name", name) == [obj]
                assert informer.status.synced
            except Exception as error:
                problems.append(error)
            found(obj)

        informer.add_event_handler(on_add=calls_back)
        informer.start()
        informer.wait_for_cache_sync(timeout=PATIENCE)
        for name in ("one", "two"):
            configmaps.create(config_map(name))
        found.wait_for(2)
        assert problems == []
        assert late.wait_for(2) == ["one", "two"]

    def test_one_may_remove_itself_and_stop_the_informer(
        self, informer: SharedInformer, configmaps: dynkube.ResourceHandle
    ) -> None:
        done, seen = threading.Event(), Names()

        def leaves(obj: Any, _initial: bool) -> None:
            seen(obj)
            registration.remove()

        def stops(_obj: Any, _initial: bool) -> None:
            informer.stop()
            done.set()

        registration = informer.add_event_handler(on_add=leaves)
        informer.start()
        informer.wait_for_cache_sync(timeout=PATIENCE)
        configmaps.create(config_map("one"))
        seen.wait_for(1)
        until(lambda: not informer.status.handlers)
        informer.add_event_handler(on_add=stops)
        assert done.wait(PATIENCE)
        assert seen.seen == ["one"]
        assert informer.status.state == "stopped"

    @pytest.mark.behaviour("7.4.1", "7.4.2")
    def test_fifty_are_each_told_of_everything_once(
        self, informer: SharedInformer, configmaps: dynkube.ResourceHandle
    ) -> None:
        handlers = [Names() for _ in range(50)]
        for early in handlers[:25]:
            informer.add_event_handler(on_add=early)
        informer.start()
        for number in range(40):
            configmaps.create(config_map(f"thing-{number:02}"))
            if number < 25:  # late ones, while it goes on
                informer.add_event_handler(on_add=handlers[25 + number])
        expected = [f"thing-{number:02}" for number in range(40)]
        for handler in handlers:
            assert sorted(handler.wait_for(40)) == expected
        assert len(informer_threads()) == 51


# ------------------------------------------------------------------ stopping


@pytest.fixture
def proxy(server: APIServer) -> Iterator[FaultProxy]:
    with FaultProxy.before(server) as proxy:
        yield proxy


@pytest.fixture
def far(server: APIServer, proxy: FaultProxy) -> Iterator[SharedInformer]:
    """An informer behind a proxy, with a handler."""
    tls = dynkube.TLSConfig(ca_data=proxy.ca_data)
    robot = dynkube.load_config(kubeconfig=server.token_user())
    with dynkube.DynamicClient(robot.copy(host=proxy.url, tls=tls)) as client:
        informer = SharedInformer(client.resource(CONFIGMAPS))
        informer.add_event_handler(on_add=lambda obj, initial: None)
        yield informer
        informer.stop()


@pytest.mark.behaviour("7.4.12")
class TestStopping:
    def test_during_a_list(self, far: SharedInformer, proxy: FaultProxy) -> None:
        stalled = proxy.inject(Fault.stall(after_body_bytes=10), times=None)
        far.start()
        stalled.wait()
        assert far.stop() == []
        assert informer_threads() == []

    def test_during_a_back_off(self, far: SharedInformer, proxy: FaultProxy) -> None:
        proxy.inject(Fault.answer(500), times=None)
        far.start()
        until(lambda: far.status.state == "failing" and bool(far.status.retry_in))
        assert far.stop() == []
        assert informer_threads() == []

    def test_while_connecting_to_one_who_does_not_answer(self, far: SharedInformer, proxy: FaultProxy) -> None:
        proxy.stall()
        far.start()
        proxy.wait_for_connection()
        assert far.stop() == []
        assert informer_threads() == []

    def test_during_a_read_that_waits_for_events(self, far: SharedInformer, proxy: FaultProxy) -> None:
        far.start()
        far.wait_for_cache_sync(timeout=PATIENCE)
        until(lambda: any("watch=" in each.query and each.status == 200 for each in proxy.requests))
        assert far.stop() == []
        assert informer_threads() == []

    def test_on_a_connection_that_is_half_open(self, far: SharedInformer, proxy: FaultProxy) -> None:
        far.start()
        far.wait_for_cache_sync(timeout=PATIENCE)
        proxy.stall()
        assert far.stop() == []
        assert informer_threads() == []

    def test_before_it_has_started_and_twice(self, far: SharedInformer) -> None:
        assert far.stop() == []
        assert far.stop() == []
        assert informer_threads() == []

    def test_while_a_handler_is_paused_after_a_failure(
        self, informer: SharedInformer, configmaps: dynkube.ResourceHandle
    ) -> None:
        failing = threading.Event()

        def fails(_obj: Any, _initial: bool) -> None:
            failing.set()
            raise ValueError

        informer.add_event_handler(on_add=fails)
        configmaps.create(config_map("one"))
        informer.start()
        assert failing.wait(PATIENCE)
        assert informer.stop() == []
        assert informer_threads() == []

    def test_a_callback_that_does_not_return_is_named(
        self, informer: SharedInformer, configmaps: dynkube.ResourceHandle, caplog: pytest.LogCaptureFixture
    ) -> None:
        entered, released = threading.Event(), threading.Event()

        def hangs(_obj: Any, _initial: bool) -> None:
            entered.set()
            released.wait(PATIENCE)

        informer.add_event_handler(on_add=hangs, name="the one that hangs")
        configmaps.create(config_map("one"))
        informer.start()
        assert entered.wait(PATIENCE)
        assert informer.stop(timeout=0.05) == ["the one that hangs"]
        assert "the one that hangs" in caplog.text
        released.set()
        until(lambda: not informer_threads())

    def test_a_callback_that_does_not_return_does_not_hold_up_the_interpreter(
        self, server: APIServer, configmaps: dynkube.ResourceHandle
    ) -> None:
        configmaps.create(config_map("one"))
        program = f"""
            import threading
            import dynkube
            from dynkube.informers import SharedInformer

            entered = threading.Event()

            def hangs(obj, initial):
                entered.set()
                threading.Event().wait()

            client = dynkube.connect(kubeconfig={str(server.kubeconfig)!r})
            informer = SharedInformer(client.resource("v1/configmaps").namespace({configmaps.bound_namespace!r}))
            informer.add_event_handler(on_add=hangs)
            informer.start()
            assert entered.wait({PATIENCE})
        """
        done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], timeout=60, check=False)
        assert done.returncode == 0
