"""Factories share informers, start and stop them together, and say at once what cannot be."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from informing import PATIENCE
from manifests import CONFIGMAPS, CRDS, PODS, WIDGETS, config_map, crd

import dynkube
from dynkube.errors import (
    DeadlineExceededError,
    IndexConflictError,
    InformerError,
    InformerStoppedError,
    InvalidRequestError,
    NoMatchError,
    NotWatchableError,
)
from dynkube.informers import InformerFactory, index_by_labels
from dynkube.schema import GroupVersionResource
from dynkube.testing import APIServer, Refusal


@pytest.fixture(scope="module")
def server() -> Iterator[APIServer]:
    with APIServer() as server:
        yield server


@pytest.fixture(scope="module")
def client(server: APIServer) -> Iterator[dynkube.DynamicClient]:
    with server.connect() as client:
        yield client


@pytest.fixture
def factory(client: dynkube.DynamicClient) -> Iterator[InformerFactory]:
    factory = InformerFactory(client)
    yield factory
    factory.stop()


class TestSharing:
    @pytest.mark.behaviour("5.4.1")
    def test_who_asks_for_the_same_gets_the_same(self, factory: InformerFactory) -> None:
        pods = factory.for_resource("pods")
        assert factory.for_resource("po") is pods
        assert factory.for_resource(PODS) is pods
        assert factory.for_resource("v1/pods", namespace="") is pods
        assert factory.informers == [pods]

    @pytest.mark.parametrize(
        "options",
        [
            {"namespace": "shop"},
            {"label_selector": "app=api"},
            {"field_selector": "spec.nodeName=n1"},
            {"metadata_only": True},
        ],
    )
    def test_who_asks_for_something_else_gets_another(self, factory: InformerFactory, options: dict[str, Any]) -> None:
        other = factory.for_resource("pods", **options)
        assert other is not factory.for_resource("pods")
        assert other is factory.for_resource("pods", **options)

    def test_selectors_are_compared_by_what_they_mean(self, factory: InformerFactory) -> None:
        one = factory.for_resource("pods", label_selector="b=2,a==1")
        assert factory.for_resource("pods", label_selector="a=1, b=2") is one

    def test_what_the_factory_says_holds_for_all_and_can_be_taken_back(self, client: dynkube.DynamicClient) -> None:
        factory = InformerFactory(client, namespace="shop", label_selector="app=api", compact=True, recent=3)
        assert factory.for_resource("pods") is factory.for_resource("pods", namespace="shop", label_selector="app=api")
        assert factory.for_resource("pods", namespace="", label_selector="") is not factory.for_resource("pods")
        assert factory.for_resource("pods").indexer.compact

    @pytest.mark.behaviour("5.4.1")
    def test_the_index_by_namespace_is_there_and_others_are_added(self, factory: InformerFactory) -> None:
        first = factory.for_resource("pods", indexers={"labels": index_by_labels})
        assert factory.for_resource("pods", indexers={"labels": index_by_labels}) is first
        assert set(first.indexer.indexers) == {"namespace", "labels"}
        with pytest.raises(IndexConflictError):
            factory.for_resource("pods", indexers={"labels": lambda _obj: []})


class TestLife:
    @pytest.mark.behaviour("5.4.1")
    @pytest.mark.behaviour("7.4.11")
    def test_start_starts_those_that_do_not_run_and_stop_stops_all(self, factory: InformerFactory) -> None:
        first = factory.for_resource(CONFIGMAPS)
        factory.start()
        second = factory.for_resource("pods")
        assert (first.has_started, second.has_started) == (True, False)
        factory.start()
        factory.wait_for_cache_sync(timeout=PATIENCE)
        assert first.has_synced
        assert second.has_synced
        assert factory.stop() == []
        assert factory.stop() == []
        assert first.is_stopped
        assert second.is_stopped

    @pytest.mark.behaviour("5.4.1")
    def test_one_that_was_not_started_is_named_and_not_waited_for(self, factory: InformerFactory) -> None:
        with pytest.raises(InformerError, match="no informer of the factory was started"):
            factory.wait_for_cache_sync(timeout=PATIENCE)
        factory.for_resource(CONFIGMAPS)
        factory.start()
        late = factory.for_resource("pods")
        with pytest.raises(InformerError, match=r"not started: informer pods: call start\(\) again after for_resource"):
            factory.wait_for_cache_sync(timeout=PATIENCE)
        factory.start()
        factory.wait_for_cache_sync(timeout=PATIENCE)
        assert late.has_synced

    def test_one_that_has_stopped_is_not_handed_out_again(
        self, factory: InformerFactory, client: dynkube.DynamicClient
    ) -> None:
        stopped = factory.for_resource(CONFIGMAPS)
        factory.start()
        stopped.stop()
        factory.start()
        with pytest.raises(InformerStoppedError, match="informer configmaps has stopped"):
            factory.wait_for_cache_sync(timeout=PATIENCE)
        informer = factory.for_resource(CONFIGMAPS)
        assert informer is not stopped
        assert factory.for_resource("cm") is informer
        assert factory.informers == [informer]
        factory.start()
        factory.wait_for_cache_sync(timeout=PATIENCE)
        assert informer.status.state == "synced"

    def test_one_that_ended_by_itself_lets_its_handlers_go(
        self, factory: InformerFactory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        broken = factory.for_resource(CONFIGMAPS)
        registration = broken.add_event_handler(on_add=print)
        monkeypatch.setattr(broken.indexer, "commit", lambda *_: sys.exit("a bug"))
        factory.start()
        with pytest.raises(InformerStoppedError):
            factory.wait_for_cache_sync(timeout=PATIENCE)
        assert factory.for_resource(CONFIGMAPS) is not broken
        assert registration.join(PATIENCE)

    def test_one_that_was_stopped_before_it_was_started_does_not_hold_up_the_others(
        self, factory: InformerFactory
    ) -> None:
        factory.for_resource("pods").stop()
        informer = factory.for_resource(CONFIGMAPS)
        factory.start()
        informer.wait_for_cache_sync(timeout=PATIENCE)

    def test_in_a_forked_child_a_factory_makes_new_ones(self, server: APIServer) -> None:
        program = f"""
            import os
            import dynkube
            from dynkube.errors import InformerStoppedError
            from dynkube.informers import InformerFactory

            factory = InformerFactory(dynkube.connect(kubeconfig={str(server.kubeconfig)!r}))
            with factory:
                informer = factory.for_resource("v1/configmaps")
                factory.start()
                factory.wait_for_cache_sync(timeout={PATIENCE})
                child = os.fork()
                if not child:
                    try:
                        factory.wait_for_cache_sync(timeout={PATIENCE})
                    except InformerStoppedError:
                        again = factory.for_resource("v1/configmaps")
                        assert again is not informer
                        factory.start()
                        factory.wait_for_cache_sync(timeout={PATIENCE})
                        os._exit(17)
                assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 17
                assert factory.for_resource("v1/configmaps") is informer
        """
        command = [sys.executable, "-c", textwrap.dedent(program)]
        ran = subprocess.run(command, timeout=2 * PATIENCE, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr

    @pytest.mark.behaviour("7.4.10")
    def test_who_lags_is_named_with_what_is_wrong(self, factory: InformerFactory, server: APIServer) -> None:
        withdraw = server.refuse(Refusal(resource="secrets", verb=("list", "watch"), reason="not today"))
        try:
            factory.for_resource(CONFIGMAPS)
            factory.for_resource("secrets")
            factory.start()
            with pytest.raises(DeadlineExceededError) as late:
                factory.wait_for_cache_sync(timeout=1)
            assert "informer secrets (last error: " in str(late.value)
            assert str(late.value).endswith(" has not synced within 1 s")
            assert "configmaps" not in str(late.value)
        finally:
            withdraw()

    def test_a_stopped_factory_does_nothing_any_more(self, factory: InformerFactory) -> None:
        factory.stop()
        with pytest.raises(InformerStoppedError, match="start: the factory was stopped"):
            factory.start()
        with pytest.raises(InformerStoppedError, match="for_resource: the factory was stopped"):
            factory.for_resource("pods")

    def test_in_a_with_it_starts_and_stops(self, client: dynkube.DynamicClient) -> None:
        factory = InformerFactory(client, namespace="default")
        informer = factory.for_resource(CONFIGMAPS)
        client.resource(CONFIGMAPS).namespace("default").create(config_map("in-a-with"))
        with factory:
            factory.wait_for_cache_sync(timeout=PATIENCE)
            assert informer.lister().namespace("default").get("in-a-with")["kind"] == "ConfigMap"
            assert informer.lister().get("in-a-with")["kind"] == "ConfigMap", "it has one namespace only"
        assert informer.status.state == "stopped"
        assert informer.lister().namespace("default").get("in-a-with"), "what is there stays to be read"

    @pytest.mark.behaviour("7.4.12")
    def test_each_informer_has_a_thread_and_each_handler_one_and_there_is_no_other(
        self, factory: InformerFactory
    ) -> None:
        before = threading.enumerate()
        for number in range(10):
            informer = factory.for_resource(CONFIGMAPS, label_selector=f"number={number}")
            informer.add_event_handler(on_add=print, resync=3600)
        factory.start()
        factory.wait_for_cache_sync(timeout=PATIENCE)
        names = Counter(each.name for each in threading.enumerate() if each not in before)
        del names["dynkube-deadlines"]  # all deadlines of the process share one, made with the first
        assert names == {"dynkube-informer-configmaps": 10, "dynkube-handler-print": 10}
        factory.stop()
        assert {each.name for each in threading.enumerate() if each not in before} <= {"dynkube-deadlines"}


class TestBadInput:
    def test_a_resource_that_is_not_there(self, factory: InformerFactory) -> None:
        for nothing in ("podz", GroupVersionResource("apps", "v1", "podz"), GroupVersionResource("no.such", "v1", "x")):
            with pytest.raises(NoMatchError):
                factory.for_resource(nothing)

    def test_a_resource_without_list_or_watch(self, factory: InformerFactory) -> None:
        reviews = GroupVersionResource("authentication.k8s.io", "v1", "tokenreviews")
        for resource in ("tokenreviews", reviews):
            with pytest.raises(NotWatchableError, match=r"tokenreviews of authentication.k8s.io/v1 cannot be followed"):
                factory.for_resource(resource)

    def test_a_namespace_of_a_resource_that_has_none(self, factory: InformerFactory) -> None:
        with pytest.raises(InvalidRequestError, match="nodes is cluster-scoped"):
            factory.for_resource("nodes", namespace="shop")

    def test_a_selector_that_does_not_parse(self, factory: InformerFactory, client: dynkube.DynamicClient) -> None:
        with pytest.raises(InvalidRequestError, match="label selector"):
            factory.for_resource("pods", label_selector="a=b=c")
        with pytest.raises(InvalidRequestError, match="field selector"):
            InformerFactory(client, field_selector="no")

    @pytest.mark.parametrize(
        ("options", "problem"),
        [
            ({"namespace": 3}, "namespace: want the name of a namespace .*, got 3"),
            ({"namespace": "A_B"}, "namespace: want the name of a namespace .*, got 'A_B'"),
            ({"label_selector": 3}, r"label_selector must be a string or a LabelSelector \(LabelSelector.of"),
            ({"label_selector": {}}, "label_selector must be a string or a LabelSelector .*, not dict"),
            ({"field_selector": {"a": "b"}}, "field_selector must be a string or a FieldSelector .*, not dict"),
            ({"metadata_only": "no"}, "metadata_only: want True or False, got 'no'"),
        ],
    )
    def test_what_can_be_said_of_all_and_of_one_is_looked_at_in_both(
        self, client: dynkube.DynamicClient, factory: InformerFactory, options: dict[str, Any], problem: str
    ) -> None:
        with pytest.raises(InvalidRequestError, match=problem):
            InformerFactory(client, **options)
        with pytest.raises(InvalidRequestError, match=problem):
            factory.for_resource("pods", **options)

    @pytest.mark.parametrize(
        ("options", "problem"),
        [
            ({"recent": -1}, "recent: want a whole number, 0 or more, got -1"),
            ({"page_size": -1}, "page_size: want a whole number, 0 or more, got -1"),
            ({"transform": 3}, r"transform: want a function of \(obj\), got 3"),
            ({"on_watch_error": 3}, r"on_watch_error: want a function of \(informer, error\), got 3"),
            ({"compact": "no"}, "compact: want True or False, got 'no'"),
        ],
    )
    def test_options_are_looked_at_before_there_is_an_informer(
        self, client: dynkube.DynamicClient, options: dict[str, Any], problem: str
    ) -> None:
        with pytest.raises(InvalidRequestError, match=problem):
            InformerFactory(client, **options)

    def test_indexers_and_times_that_are_none(self, factory: InformerFactory) -> None:
        with pytest.raises(InvalidRequestError, match=r"indexers: want functions by name, .*, got \['a'\]"):
            factory.for_resource("pods", indexers=["a"])  # type: ignore[arg-type]
        assert factory.informers == []
        with pytest.raises(InvalidRequestError, match="timeout: want a number of seconds 0 or more, got 'a'"):
            factory.stop(timeout="a")  # type: ignore[arg-type]
        factory.for_resource("pods")

    @pytest.mark.parametrize("resync", [0.5, -1, True, "often", float("nan")])
    def test_a_resync_below_a_second(self, client: dynkube.DynamicClient, resync: Any) -> None:
        with pytest.raises(InvalidRequestError, match="resync: want 1 second or more, or 0 for none"):
            InformerFactory(client, resync=resync)

    def test_an_option_that_there_is_not(self, client: dynkube.DynamicClient) -> None:
        with pytest.raises(TypeError, match="unexpected keyword argument 'resnyc'"):
            InformerFactory(client, resnyc=3)  # type: ignore[call-arg]

    def test_a_client_that_is_none(self) -> None:
        with pytest.raises(InvalidRequestError, match="client: want a DynamicClient, got a str"):
            InformerFactory("https://kube")  # type: ignore[arg-type]


class TestNotThereYet:
    def test_a_resource_that_will_come_is_waited_for(
        self, factory: InformerFactory, client: dynkube.DynamicClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("dynkube.wire.listwatch.backoff.Backoff.first", 0.02)
        monkeypatch.setattr("dynkube.wire.listwatch.backoff.Backoff.cap", 0.1)
        with pytest.raises(NoMatchError):
            factory.for_resource(WIDGETS)
        informer = factory.for_resource(WIDGETS, missing_ok=True)
        factory.start()
        client.resource(CRDS).create(crd("widgets", "Widget"))
        informer.wait_for_cache_sync(timeout=PATIENCE)
        assert factory.for_resource(WIDGETS) is informer

    def test_it_has_to_be_named_in_full(self, factory: InformerFactory) -> None:
        later = GroupVersionResource("example.com", "v1", "laters")
        assert factory.for_resource("example.com/v1/laters", missing_ok=True).handle.gvr == later
        with pytest.raises(NoMatchError, match="for missing_ok=True name it in full: 'group/version/resource', or a"):
            factory.for_resource("laters.example.com", missing_ok=True)

    def test_where_the_server_cannot_be_reached_a_gvr_is_believed(self) -> None:
        with dynkube.DynamicClient(dynkube.RESTConfig(host="http://127.0.0.1:9")) as client:
            factory = InformerFactory(client)
            assert factory.for_resource(PODS).resource == "pods"
            with pytest.raises(dynkube.TransportError):
                factory.for_resource("pods")
            with pytest.raises(dynkube.TransportError):
                factory.for_resource("pods", missing_ok=True)
            assert factory.for_resource("v1/pods", missing_ok=True) is factory.for_resource(PODS)
