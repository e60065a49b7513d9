"""An informer on a server: what it follows, how it fares, what it refuses, CRDs that come and go."""

from __future__ import annotations

import itertools
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from informing import PATIENCE, Recorder, until
from manifests import CONFIGMAPS, CRDS, GROUP, config_map, crd

import dynkube
from dynkube.errors import (
    CancelledError,
    ClosedError,
    ForbiddenError,
    IndexConflictError,
    InformerError,
    InformerStoppedError,
    InvalidRequestError,
    NotFoundError,
)
from dynkube.informers import SharedInformer, StoredObject, index_by_labels, index_by_namespace
from dynkube.records import RawObject
from dynkube.testing import APIServer, Refusal

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def server() -> Iterator[APIServer]:
    with APIServer() as server:
        yield server


@pytest.fixture(scope="module")
def client(server: APIServer) -> Iterator[dynkube.DynamicClient]:
    with server.connect() as client:
        yield client


@pytest.fixture
def configmaps(client: dynkube.DynamicClient) -> dynkube.ResourceHandle:
    """ConfigMaps of a namespace that no other case uses."""
    namespace = f"case-{next(_numbers)}"
    client.resource("namespaces").create({"metadata": {"name": namespace}})
    return client.resource(CONFIGMAPS).namespace(namespace)


@pytest.fixture
def informers() -> Iterator[Callable[..., SharedInformer]]:
    """Makes informers, and stops them in the end."""
    made: list[SharedInformer] = []

    def make(handle: dynkube.ResourceHandle, **options: Any) -> SharedInformer:
        made.append(SharedInformer(handle, **options))
        return made[-1]

    yield make
    for informer in made:
        assert informer.stop(timeout=PATIENCE) == []


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses between failures are short."""
    monkeypatch.setattr("dynkube.wire.listwatch.backoff.Backoff.first", 0.02)
    monkeypatch.setattr("dynkube.wire.listwatch.backoff.Backoff.cap", 0.1)


Make = Callable[..., SharedInformer]


def synced(informer: SharedInformer) -> SharedInformer:
    informer.start()
    informer.wait_for_cache_sync(timeout=PATIENCE)
    return informer


class TestFollowing:
    @pytest.mark.behaviour("7.4.1")
    @pytest.mark.parametrize(
        "options",
        [{}, {"compact": True}, {"streaming": True}, {"streaming": True, "compact": True}, {"cached_lists": True}],
    )
    def test_its_store_becomes_and_stays_the_servers_state(
        self, informers: Make, configmaps: dynkube.ResourceHandle, options: dict[str, Any]
    ) -> None:
        configmaps.create(config_map("before", color="red"))
        informer, recorder = informers(configmaps, **options), Recorder()
        informer.add_event_handler(recorder)
        synced(informer)
        configmaps.create(config_map("after", color="red"))
        configmaps.patch("before", {"data": {"color": "blue"}})
        configmaps.delete("after")
        told = recorder.wait(4)
        assert [each[:2] for each in told] == [
            ("add", "before"),
            ("add", "after"),
            ("update", "before"),
            ("delete", "after"),
        ]
        assert informer.indexer.list() == list(configmaps.list())
        assert informer.last_sync_resource_version == informer.indexer.resource_version != ""

    def test_of_a_namespace_a_lister_takes_names(self, informers: Make, configmaps: dynkube.ResourceHandle) -> None:
        configmaps.create(config_map("mine"))
        lister = synced(informers(configmaps)).lister()
        assert lister.get("mine")["metadata"]["name"] == "mine"
        with pytest.raises(NotFoundError, match=r'^configmaps "other" not found$'):
            lister.get("other")

    def test_labels_and_fields_are_selected_by_the_server(
        self, informers: Make, configmaps: dynkube.ResourceHandle
    ) -> None:
        for name, color in (("one", "red"), ("two", "red"), ("three", "blue")):
            configmaps.create(config_map(name, labels={"color": color}))
        red = synced(informers(configmaps, label_selector="color=red"))
        assert sorted(red.indexer.keys(namespace=configmaps.bound_namespace)) == sorted(
            f"{configmaps.bound_namespace}/{name}" for name in ("one", "two")
        )
        assert len(synced(informers(configmaps, field_selector="metadata.name=two")).indexer) == 1

    def test_an_object_that_is_selected_no_more_is_told_as_deleted(
        self, informers: Make, configmaps: dynkube.ResourceHandle
    ) -> None:
        configmaps.create(config_map("one", labels={"color": "red"}))
        informer, recorder = informers(configmaps, label_selector="color=red"), Recorder()
        informer.add_event_handler(recorder)
        synced(informer)
        configmaps.patch("one", {"metadata": {"labels": {"color": "blue"}}})
        assert recorder.wait(2) == [("add", "one", True), ("delete", "one", False)]

    @pytest.mark.parametrize("compact", [False, True])
    def test_metadata_only(self, informers: Make, configmaps: dynkube.ResourceHandle, compact: bool) -> None:
        configmaps.create(config_map("one", labels={"a": "b"}, color="red"))
        informer = synced(informers(configmaps.metadata_only(), compact=compact))
        found = informer.lister().get("one")
        assert found["kind"] == "PartialObjectMetadata"
        assert found["metadata"]["labels"] == {"a": "b"}
        assert "data" not in found

    def test_compact_decodes_nothing_for_who_does_not_look(
        self, informers: Make, configmaps: dynkube.ResourceHandle, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        decoded: list[str] = []
        fields = RawObject.fields
        monkeypatch.setattr(RawObject, "decode", None)
        monkeypatch.setattr(RawObject, "fields", lambda record: decoded.append(record.name) or fields(record))
        configmaps.create(config_map("one", labels={"a": "b"}, color="red"))
        seen: list[Any] = []
        informer = informers(configmaps, compact=True, indexers={"labels": index_by_labels})
        informer.add_event_handler(on_add=lambda obj, _initial: seen.append(obj))
        synced(informer)
        assert informer.status.items == 1, "a look at the status decodes nothing either"
        until(lambda: seen)
        assert (seen[0].key, seen[0].labels) == (f"{configmaps.bound_namespace}/one", {"a": "b"})
        assert informer.indexer.index_keys("labels", "a=b")
        assert decoded == []
        assert isinstance(seen[0], StoredObject)
        assert seen[0]["data"] == {"color": "red"}
        assert decoded == ["one"]

    @pytest.mark.behaviour("7.2.5")
    def test_a_transform_and_an_index_that_comes_late(
        self, informers: Make, configmaps: dynkube.ResourceHandle
    ) -> None:
        def lean(obj: dict[str, Any]) -> dict[str, Any]:
            del obj["metadata"]["managedFields"]
            return obj

        configmaps.create(config_map("one", color="red"))
        informer = informers(configmaps)
        informer.set_transform(lean)
        synced(informer)
        informer.add_indexers({"color": lambda obj: [obj["data"]["color"]]})
        assert "managedFields" not in informer.indexer.by_index("color", "red")[0]["metadata"]

    @pytest.mark.behaviour("7.3.3")
    def test_the_debug_mode_names_the_handler_that_changes_objects(
        self, informers: Make, configmaps: dynkube.ResourceHandle
    ) -> None:
        def spoils(obj: dict[str, Any], _initial: bool) -> None:
            obj["data"]["color"] = "mine"

        configmaps.create(config_map("one", color="red"))
        informer = informers(configmaps, detect_mutations=True)
        informer.add_event_handler(on_add=spoils, name="the spoiler")
        synced(informer)
        until(lambda: informer.status.mutations)
        key = f"{configmaps.bound_namespace}/one"
        assert informer.status.mutations[0].startswith(
            f"{key}: the object in the store was changed at .data.color, by handler the spoiler"
        )
        assert informer.indexer.get(key)["data"] == {"color": "red"}


class TestLife:
    @pytest.mark.behaviour("7.4.6")
    def test_a_second_start_is_a_warning_and_nothing_else(
        self, informers: Make, configmaps: dynkube.ResourceHandle, caplog: pytest.LogCaptureFixture
    ) -> None:
        informer = synced(informers(configmaps))
        informer.start()
        assert "informer configmaps has started already" in caplog.text
        assert sum(each.name == "dynkube-informer-configmaps" for each in threading.enumerate()) == 1

    def test_starts_and_settings_from_many_threads_are_one_start(
        self, informers: Make, configmaps: dynkube.ResourceHandle
    ) -> None:
        informer, go = informers(configmaps), threading.Barrier(8)

        def start() -> None:
            go.wait(PATIENCE)
            try:
                informer.set_transform(lambda obj: obj)
            except InformerError:
                pass  # another thread was first
            informer.start()

        threads = [threading.Thread(target=start) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
        informer.wait_for_cache_sync(timeout=PATIENCE)
        assert sum(each.name == "dynkube-informer-configmaps" for each in threading.enumerate()) == 1

    @pytest.mark.behaviour("7.4.6")
    def test_what_belongs_before_the_start_is_refused_after_it(
        self, informers: Make, configmaps: dynkube.ResourceHandle
    ) -> None:
        informer = synced(informers(configmaps))
        with pytest.raises(InformerError, match="set_transform: informer configmaps has already started"):
            informer.set_transform(lambda obj: obj)
        with pytest.raises(InformerError, match="set_watch_error_handler: informer configmaps has already started"):
            informer.set_watch_error_handler(lambda *_: None)

    @pytest.mark.behaviour("7.4.6")
    @pytest.mark.behaviour("7.4.11")
    def test_a_stopped_informer_takes_nothing_new(self, informers: Make, configmaps: dynkube.ResourceHandle) -> None:
        informer = synced(informers(configmaps))
        informer.stop()
        assert informer.is_stopped
        for late in (
            informer.start,
            lambda: informer.add_event_handler(Recorder()),
            lambda: informer.add_indexers({"labels": index_by_labels}),
        ):
            with pytest.raises(InformerStoppedError):
                late()

    def test_one_that_has_stopped_is_not_waited_for(self, informers: Make, configmaps: dynkube.ResourceHandle) -> None:
        informer = synced(informers(configmaps))
        informer.stop()
        with pytest.raises(InformerStoppedError, match="informer configmaps has stopped: make a new one"):
            informer.wait_for_cache_sync(timeout=PATIENCE)

    def test_one_that_was_stopped_before_its_start_does_not_start(
        self, informers: Make, configmaps: dynkube.ResourceHandle
    ) -> None:
        informer = informers(configmaps)
        informer.stop()
        with pytest.raises(InformerStoppedError, match="does not start again"):
            informer.start()

    @pytest.mark.behaviour("7.4.6")
    def test_removal_of_a_registration_twice_of_another_and_of_none(
        self, informers: Make, configmaps: dynkube.ResourceHandle
    ) -> None:
        informer, other = informers(configmaps), informers(configmaps)
        registration, foreign = informer.add_event_handler(Recorder()), other.add_event_handler(Recorder())
        informer.remove_event_handler(registration)
        informer.remove_event_handler(registration)
        informer.remove_event_handler(foreign)
        assert [each.name for each in other.status.handlers] == ["Recorder"]
        assert informer.status.handlers == ()
        with pytest.raises(InvalidRequestError, match="want what add_event_handler returned"):
            informer.remove_event_handler(Recorder())  # type: ignore[arg-type]
        informer.stop()
        informer.remove_event_handler(registration)

    def test_a_removed_handler_whose_callback_does_not_return_is_named_by_stop(
        self, informers: Make, configmaps: dynkube.ResourceHandle
    ) -> None:
        entered, go_on = threading.Event(), threading.Event()

        def hangs(_obj: Any, _initial: bool) -> None:
            entered.set()
            go_on.wait(PATIENCE)

        configmaps.create(config_map("one"))
        informer = informers(configmaps)
        registration = informer.add_event_handler(on_add=hangs, name="it hangs")
        synced(informer)
        assert entered.wait(PATIENCE)
        registration.remove()
        assert informer.stop(timeout=0.01) == ["it hangs"]
        go_on.set()
        assert informer.stop(timeout=PATIENCE) == []

    @pytest.mark.behaviour("7.4.6")
    def test_the_same_handler_added_twice_is_told_twice(
        self, informers: Make, configmaps: dynkube.ResourceHandle
    ) -> None:
        informer, recorder = informers(configmaps), Recorder()
        first = informer.add_event_handler(recorder)
        informer.add_event_handler(recorder)
        synced(informer)
        configmaps.create(config_map("one"))
        recorder.wait(2)
        first.remove()
        configmaps.create(config_map("two"))
        assert [each[1] for each in recorder.wait(3)] == ["one", "one", "two"]

    @pytest.mark.behaviour("7.4.10")
    def test_waiting_ends_with_the_informer_the_token_and_before_the_start(
        self, informers: Make, configmaps: dynkube.ResourceHandle, server: APIServer, impatient: None
    ) -> None:
        informer, token = informers(configmaps), dynkube.CancelToken()
        with pytest.raises(InformerError, match="was not started: call start"):
            informer.wait_for_cache_sync(timeout=1)
        withdraw = server.refuse(Refusal(resource="configmaps", namespace=configmaps.bound_namespace))
        try:
            informer.start()
            token.cancel()
            with pytest.raises(CancelledError):
                informer.wait_for_cache_sync(cancel=token)
            informer.begin_stop()
            with pytest.raises(InformerStoppedError, match="has stopped before it synced"):
                informer.wait_for_cache_sync(timeout=PATIENCE)
        finally:
            withdraw()

    @pytest.mark.parametrize(
        ("options", "problem"),
        [
            ({"resync": 0.9}, "resync: want 1 second or more"),
            ({"transform": 3}, r"transform: want a function of \(obj\), got 3"),
            ({"transform": lambda: 1}, r"transform: is called with \(obj\), but takes \(\)"),
            ({"on_watch_error": "log"}, r"on_watch_error: want a function of \(informer, error\), got 'log'"),
            ({"on_watch_error": lambda error: error}, r"on_watch_error: is called with \(informer, error\)"),
            ({"recent": -1}, "recent: want a whole number, 0 or more, got -1"),
            ({"page_size": "a"}, "page_size: want a whole number, 0 or more, got 'a'"),
            ({"page_size": 1.5}, "page_size: want a whole number"),
            ({"compact": "no"}, "compact: want True or False, got 'no'"),
            ({"streaming": 1}, "streaming: want True or False, got 1"),
            ({"name": 3}, "name: want text, got 3"),
            ({"observers": 3}, "observers: want a list"),
            ({"observers": [3]}, r"observers\[0\]: want an Observer, got 3"),
            ({"indexers": {3: index_by_labels}}, r"indexers: want functions by name, {'node': function}, got {3: "),
            ({"indexers": ["node"]}, r"indexers: want functions by name, .*, got \['node'\]"),
            (
                {"indexers": {"node": threading.Event().set}},
                r"indexers\['node'\]: is called with \(obj\), but takes \(\)",
            ),
            ({"label_selector": {"a": "b"}}, r"label_selector must be a string or a LabelSelector"),
            ({"indexers": {"node": 3}}, r"indexers\['node'\]: want a function"),
            ({"label_selector": "a=b=c"}, "label selector"),
        ],
    )
    def test_bad_arguments_are_named_at_once(
        self, configmaps: dynkube.ResourceHandle, options: dict[str, Any], problem: str
    ) -> None:
        with pytest.raises(InvalidRequestError, match=problem):
            SharedInformer(configmaps, **options)

    def test_another_index_under_the_name_of_the_one_by_namespace_is_a_conflict(
        self, configmaps: dynkube.ResourceHandle
    ) -> None:
        with pytest.raises(IndexConflictError, match=r"indexer conflict: \['namespace'\]: every informer has"):
            SharedInformer(configmaps, indexers={"namespace": index_by_labels})
        SharedInformer(configmaps, indexers={"namespace": index_by_namespace})

    @pytest.mark.parametrize("namespace", ["A_B", "A B", "x" * 64])
    def test_what_no_namespace_is_called_is_refused(self, configmaps: dynkube.ResourceHandle, namespace: str) -> None:
        with pytest.raises(InvalidRequestError, match=f"namespace: want the name of a namespace .*, got '{namespace}'"):
            SharedInformer(configmaps.namespace(namespace))

    @pytest.mark.parametrize("timeout", ["a", None, -1])
    def test_a_time_to_stop_in_that_is_none_is_refused(
        self, informers: Make, configmaps: dynkube.ResourceHandle, timeout: Any
    ) -> None:
        informer = informers(configmaps)
        with pytest.raises(InvalidRequestError, match="timeout: want a number of seconds 0 or more, got"):
            informer.stop(timeout=timeout)
        assert not informer.is_stopped

    def test_what_comes_later_is_looked_at_too(self, informers: Make, configmaps: dynkube.ResourceHandle) -> None:
        informer: Any = informers(configmaps)
        for problem, late in {
            "indexers: want functions by name": lambda: informer.add_indexers("q"),
            "name: want text": lambda: informer.add_event_handler(on_add=print, name=3),
            "transform: is called with": lambda: informer.set_transform(lambda: 1),
            "on_watch_error: is called with": lambda: informer.set_watch_error_handler(lambda: 1),
        }.items():
            with pytest.raises(InvalidRequestError, match=f"^{problem}"):
                late()

    def test_what_is_no_handle_is_refused(self, configmaps: dynkube.ResourceHandle) -> None:
        with pytest.raises(InvalidRequestError, match="handle: want a ResourceHandle, got a str"):
            SharedInformer("pods")  # type: ignore[arg-type]
        with pytest.raises(InvalidRequestError, match="resync"):
            SharedInformer(configmaps).add_event_handler(Recorder(), resync=0.1)

    def test_a_client_that_is_closed_breaks_the_informer_and_it_says_so(
        self, informers: Make, server: APIServer, caplog: pytest.LogCaptureFixture
    ) -> None:
        client = server.connect()
        informer = synced(informers(client.resource(CONFIGMAPS)))
        client.close()
        until(lambda: informer.status.state == "broken")
        assert isinstance(informer.status.error, ClosedError)
        assert informer.is_stopped
        until(lambda: "informer configmaps has ended" in caplog.text)
        with pytest.raises(InformerStoppedError, match="has stopped already"):
            informer.add_event_handler(Recorder())

    def test_who_waits_for_a_handler_of_an_informer_that_broke_before_it_synced_waits_no_more(
        self, informers: Make, server: APIServer
    ) -> None:
        client = server.connect()
        informer = informers(client.resource(CONFIGMAPS))
        registration = informer.add_event_handler(Recorder())
        client.close()
        informer.start()
        with pytest.raises(InformerStoppedError, match="or its informer has stopped, before it synced"):
            registration.wait_for_sync(timeout=PATIENCE)


def test_in_a_forked_child_it_has_stopped_and_can_be_read(
    server: APIServer, configmaps: dynkube.ResourceHandle
) -> None:
    """Whatever the parent's threads held at that moment."""
    configmaps.create(config_map("one"))
    program = f"""
        import os
        import dynkube
        from dynkube.informers import SharedInformer

        client = dynkube.connect(kubeconfig={str(server.kubeconfig)!r})
        handle = client.resource("v1/configmaps").namespace({configmaps.bound_namespace!r})
        unstarted = SharedInformer(handle)
        with SharedInformer(handle, compact=True) as informer:
            informer.add_event_handler(on_add=print)
            informer.wait_for_cache_sync(timeout={PATIENCE})
            with informer.indexer._lock, informer.indexer._writing, informer._dispatcher._changing:
                child = os.fork()
                if not child:
                    assert informer.status.state == "stopped", informer.status
                    assert informer.lister().get("one")["kind"] == "ConfigMap"
                    assert informer.stop() == []
                    unstarted.start()
                    unstarted.wait_for_cache_sync(timeout={PATIENCE})
                    os._exit(0)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
            assert informer.status.state == "synced"
    """
    ran = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        timeout=2 * PATIENCE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr


class TestResync:
    @pytest.mark.behaviour("7.4.4")
    def test_a_handler_has_the_informers_period_or_its_own(
        self, informers: Make, configmaps: dynkube.ResourceHandle
    ) -> None:
        informer = informers(configmaps, resync=3600)
        periods = [
            informer.add_event_handler(Recorder()).resync,
            informer.add_event_handler(Recorder(), resync=1).resync,
            informer.add_event_handler(Recorder(), resync=0).resync,
        ]
        synced(informer)
        periods.append(informer.add_event_handler(Recorder(), resync=60).resync)
        assert periods == [3600.0, 1.0, None, 60.0]

    @pytest.mark.behaviour("7.4.3")
    def test_a_resync_asks_the_server_nothing(
        self, informers: Make, configmaps: dynkube.ResourceHandle, server: APIServer
    ) -> None:
        configmaps.create(config_map("one"))
        informer, recorder = informers(configmaps), Recorder()
        informer.add_event_handler(recorder, resync=1)
        synced(informer)
        asked = sum(each.resource == "configmaps" for each in server.requests)
        first, again = recorder.wait(2)[:2]
        assert first == ("add", "one", True)
        assert again[:2] == ("update", "one")
        assert again[2] == again[3]
        assert sum(each.resource == "configmaps" for each in server.requests) <= asked + 1  # the watch


class TestTrouble:
    @pytest.mark.behaviour("7.1.12")
    @pytest.mark.behaviour("7.4.11")
    def test_a_permission_that_is_lost_shows_and_heals(
        self, informers: Make, configmaps: dynkube.ResourceHandle, server: APIServer, impatient: None
    ) -> None:
        errors: list[Exception] = []
        informer, recorder = (
            informers(configmaps, on_watch_error=lambda _informer, error: errors.append(error)),
            Recorder(),
        )
        informer.add_event_handler(recorder)
        synced(informer)
        assert informer.status.state == "synced"
        withdraw = server.refuse(
            Refusal(resource="configmaps", verb=("list", "watch"), namespace=configmaps.bound_namespace)
        )
        try:
            server.restart()
            until(lambda: any(isinstance(error, ForbiddenError) for error in errors))
            until(lambda: isinstance(informer.status.error, ForbiddenError))
            assert informer.status.state == "failing"
            assert informer.status.retry_in is not None
            assert informer.status.synced, "what it has stays to be read"
        finally:
            withdraw()
        configmaps.create(config_map("healed"))
        recorder.wait_until(lambda told: any(each[1] == "healed" for each in told))
        assert informer.status.state == "synced"
        assert informer.status.error is None
        assert informer.status.retry_in is None

    def test_without_a_handler_of_errors_they_are_logged(
        self,
        informers: Make,
        configmaps: dynkube.ResourceHandle,
        server: APIServer,
        caplog: pytest.LogCaptureFixture,
        impatient: None,
    ) -> None:
        withdraw = server.refuse(Refusal(resource="configmaps", namespace=configmaps.bound_namespace))
        informer = informers(configmaps)
        try:
            informer.start()
            until(lambda: "informer configmaps: " in caplog.text)
        finally:
            withdraw()
        informer.wait_for_cache_sync(timeout=PATIENCE)

    def test_a_handler_of_errors_that_fails_is_logged(
        self,
        informers: Make,
        configmaps: dynkube.ResourceHandle,
        server: APIServer,
        caplog: pytest.LogCaptureFixture,
        impatient: None,
    ) -> None:
        def fails(_informer: SharedInformer, _error: Exception) -> None:
            sys.exit("even this")

        withdraw = server.refuse(Refusal(resource="configmaps", namespace=configmaps.bound_namespace))
        informer = informers(configmaps, on_watch_error=fails)
        try:
            informer.start()
            until(lambda: "its watch error handler failed" in caplog.text)
        finally:
            withdraw()
        informer.wait_for_cache_sync(timeout=PATIENCE)

    def test_an_index_function_that_exits_is_logged_and_the_informer_goes_on(
        self, informers: Make, configmaps: dynkube.ResourceHandle, caplog: pytest.LogCaptureFixture
    ) -> None:
        informer, recorder = informers(configmaps, indexers={"odd": lambda _obj: sys.exit("even this")}), Recorder()
        informer.add_event_handler(recorder)
        synced(informer)
        configmaps.create(config_map("one"))
        recorder.wait(1)
        assert informer.lister().get("one")["metadata"]["name"] == "one"
        key = f"{configmaps.bound_namespace}/one"
        assert (
            f"{key} is not indexed: index 'odd': its function failed: SystemExit: even this, with {key}" in caplog.text
        )
        assert informer.status.state == "synced"

    def test_whatever_ends_it_shows_in_its_status(
        self,
        informers: Make,
        configmaps: dynkube.ResourceHandle,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        informer = informers(configmaps)
        monkeypatch.setattr(informer.indexer, "commit", lambda *_: sys.exit("what nobody thought of"))
        informer.start()
        with pytest.raises(
            InformerStoppedError, match=r"stopped before it synced \(last error: SystemExit: what nobody"
        ):
            informer.wait_for_cache_sync(timeout=PATIENCE)
        assert informer.is_stopped
        assert informer.status.state == "broken"
        assert isinstance(informer.status.error, InformerError)
        assert "informer configmaps has ended: SystemExit: what nobody thought of" in caplog.text


class TestCustomResources:
    @pytest.fixture
    def kind(self, client: dynkube.DynamicClient) -> Iterator[str]:
        plural = f"things{next(_numbers)}"
        yield plural
        try:
            client.resource(CRDS).delete(f"{plural}.{GROUP}")
        except NotFoundError:
            pass

    def define(self, client: dynkube.DynamicClient, plural: str) -> dict[str, Any]:
        made = client.resource(CRDS).create(crd(plural, plural.title()))
        client.resource(CRDS).wait(f"{plural}.{GROUP}", condition="Established", timeout=PATIENCE)
        return made

    def make(self, handle: dynkube.ResourceHandle, plural: str, name: str) -> None:
        obj = {"apiVersion": f"{GROUP}/v1", "kind": plural.title(), "metadata": {"name": name}}
        handle.namespace("default").create(obj)

    def test_one_that_is_deleted_and_defined_anew_while_its_informer_runs(
        self, informers: Make, client: dynkube.DynamicClient, kind: str, impatient: None
    ) -> None:
        self.define(client, kind)
        handle = client.resource(dynkube.GroupVersionResource(GROUP, "v1", kind))
        self.make(handle, kind, "first")
        informer, recorder = informers(handle), Recorder()
        informer.add_event_handler(recorder)
        synced(informer)
        client.resource(CRDS).delete(f"{kind}.{GROUP}")
        until(lambda: isinstance(informer.status.error, NotFoundError))
        self.define(client, kind)
        self.make(handle, kind, "second")
        # The deletion is told at once, or, where the watch ended before it, when the resource is back.
        told = recorder.wait_until(lambda told: told[-1][:2] == ("add", "second"))
        assert [each[:2] for each in told] == [("add", "first"), ("delete", "first"), ("add", "second")]
        assert informer.indexer.keys() == ["default/second"]
        assert informer.status.state == "synced"

    def test_one_whose_version_goes_and_comes_back(
        self, informers: Make, client: dynkube.DynamicClient, server: APIServer, kind: str, impatient: None
    ) -> None:
        made = self.define(client, kind)
        beta = client.resource(dynkube.GroupVersionResource(GROUP, "v1beta1", kind))
        stable = client.resource(dynkube.GroupVersionResource(GROUP, "v1", kind))
        informer, recorder = informers(beta), Recorder()
        informer.add_event_handler(recorder)
        synced(informer)
        self.make(stable, kind, "one")
        recorder.wait(1)
        assert recorder.objects[0]["apiVersion"] == f"{GROUP}/v1beta1"

        def serve(served: bool) -> None:
            versions = [each | {"served": served or each["name"] == "v1"} for each in made["spec"]["versions"]]
            client.resource(CRDS).patch(f"{kind}.{GROUP}", {"spec": {"versions": versions}})

        serve(False)
        server.restart()  # which ends the watch
        until(lambda: isinstance(informer.status.error, NotFoundError))
        self.make(stable, kind, "two")
        serve(True)
        recorder.wait_until(lambda told: [each[1] for each in told] == ["one", "two"])


class TestStatus:
    def test_it_says_how_the_informer_and_its_handlers_fare(
        self, informers: Make, configmaps: dynkube.ResourceHandle
    ) -> None:
        informer = informers(configmaps, name="my maps")
        assert informer.status.state == "new"
        assert informer.status.staleness is None
        registration = informer.add_event_handler(Recorder(), name="mine")
        configmaps.create(config_map("one"))
        synced(informer)
        registration.wait_for_sync(timeout=PATIENCE)
        status = informer.status
        assert (status.state, status.synced, status.items, status.error) == ("synced", True, 1, None)
        assert status.resource_version == informer.last_sync_resource_version
        assert status.staleness is not None
        handler = status.handlers[0]
        assert (handler.name, handler.synced, handler.delivered, handler.failed) == ("mine", True, 1, 0)
        assert repr(informer) == "<SharedInformer my maps: 1 objects, synced>"
        assert "mine of my maps" in repr(registration)
        informer.stop()
        assert informer.status.state == "stopped"
        assert informer.reading() is None

    def test_handlers_are_called_by_their_functions_or_class(
        self, informers: Make, configmaps: dynkube.ResourceHandle
    ) -> None:
        informer = informers(configmaps)
        assert informer.add_event_handler(Recorder()).name == "Recorder"
        assert informer.add_event_handler(on_add=print, on_delete=repr).name == "print, repr"
