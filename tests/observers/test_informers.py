"""What observers are told of informers, and the bridges to the real Prometheus and OpenTelemetry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from informing import PATIENCE, Recorder, until
from manifests import CONFIGMAPS, config_map
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from prometheus_client import CollectorRegistry, generate_latest

import dynkube
from dynkube.informers import SharedInformer
from dynkube.observers import HandlerCall, InformerGauges, Observer, ReflectorList, ReflectorWatch
from dynkube.observers.opentelemetry import OpenTelemetryObserver
from dynkube.observers.prometheus import PrometheusObserver
from dynkube.testing import APIServer


class Collector(Observer):
    def __init__(self) -> None:
        self.informers: list[InformerGauges] = []
        self.lists: list[ReflectorList] = []
        self.watches: list[ReflectorWatch] = []
        self.calls: list[HandlerCall] = []

    def on_informer(self, informer: InformerGauges) -> None:
        self.informers.append(informer)

    def on_reflector_list(self, listed: ReflectorList) -> None:
        self.lists.append(listed)

    def on_reflector_watch(self, watched: ReflectorWatch) -> None:
        self.watches.append(watched)

    def on_handler_call(self, call: HandlerCall) -> None:
        self.calls.append(call)


@pytest.fixture(scope="module")
def server() -> Iterator[APIServer]:
    with APIServer() as server:
        client = server.connect()
        client.resource(CONFIGMAPS).namespace("default").create(config_map("one"))
        client.close()
        yield server


def run(server: APIServer, observer: Observer) -> SharedInformer:
    """An informer of one ConfigMap, with a handler that has been told of it; it runs."""
    config = server.config.copy(observers=[observer])
    client = dynkube.DynamicClient(config)
    informer = SharedInformer(client.resource(CONFIGMAPS).namespace("default"), name="maps")
    informer.add_event_handler(Recorder(), name="recorder")
    informer.start()
    informer.wait_for_cache_sync(timeout=PATIENCE)
    until(lambda: informer.status.handlers[0].delivered == 1)
    return informer


def end(informer: SharedInformer) -> None:
    informer.stop(timeout=PATIENCE)
    informer.handle.rest.close()


@pytest.mark.behaviour("7.1.14")
def test_observers_are_told_of_lists_watches_and_calls(server: APIServer) -> None:
    observer = Collector()
    informer = run(server, observer)
    until(lambda: observer.calls)
    assert observer.informers == [informer]
    reading = informer.reading()
    assert reading is not None
    assert (reading.synced, reading.items, reading.depths) == (True, 1, {"recorder": 0})
    assert reading.resource_version == informer.last_sync_resource_version
    assert reading.staleness is not None
    listed = observer.lists[0]
    assert (listed.informer, listed.resource, listed.items, listed.error) == ("maps", "configmaps", 1, "")
    assert listed.resource_version
    call = observer.calls[0]
    assert (call.informer, call.handler, call.event, call.error) == ("maps", "recorder", "add", "")
    assert call.waited >= 0
    assert call.seconds >= 0
    end(informer)
    assert [each.informer for each in observer.watches] == ["maps"]
    assert informer.reading() is None


@pytest.mark.behaviour("7.1.14")
def test_prometheus_counts_and_reads_gauges_when_asked(server: APIServer) -> None:
    registry = CollectorRegistry()
    informer = run(server, PrometheusObserver(registry))
    value, mine, handler = registry.get_sample_value, {"name": "maps"}, {"name": "maps", "handler": "recorder"}
    until(lambda: value("informer_handler_wait_seconds_count", handler) == 1)
    assert value("reflector_lists_total", mine) == 1
    assert value("reflector_items_per_list_sum", mine) == 1
    assert value("reflector_list_duration_seconds_count", mine) == 1
    assert value("informer_items", mine) == 1
    assert value("informer_synced", mine) == 1
    assert value("informer_staleness_seconds", mine) is not None
    assert value("reflector_last_resource_version", mine) == float(informer.last_sync_resource_version)
    assert value("informer_handler_depth", handler) == 0
    assert value("informer_handler_duration_seconds_count", handler) == 1
    assert b"reflector_items_per_watch" in generate_latest(registry)
    end(informer)
    assert value("informer_items", mine) is None, "it has stopped"
    assert value("reflector_watches_total", mine) == 1
    assert value("reflector_watch_duration_seconds_count", mine) == 1


def test_prometheus_counts_what_fails() -> None:
    registry = CollectorRegistry()
    observer = PrometheusObserver(registry)
    observer.on_reflector_list(ReflectorList(informer="pods", resource="pods", seconds=1, error="ForbiddenError"))
    observer.on_reflector_watch(ReflectorWatch(informer="pods", resource="pods", seconds=0.1, error="ExpiredError"))
    observer.on_handler_call(
        HandlerCall(informer="pods", handler="h", event="add", waited=0, seconds=0, error="ValueError")
    )
    value = registry.get_sample_value
    assert value("reflector_lists_total", {"name": "pods"}) == 1
    assert value("reflector_list_duration_seconds_count", {"name": "pods"}) is None
    assert value("reflector_short_watches_total", {"name": "pods"}) == 1
    assert value("informer_handler_errors_total", {"name": "pods", "handler": "h"}) == 1


@pytest.mark.behaviour("7.1.14")
def test_opentelemetry_measures_and_reads_gauges_when_asked(server: APIServer) -> None:
    reader = InMemoryMetricReader()
    meters = MeterProvider([reader], shutdown_on_exit=False)
    informer = run(server, OpenTelemetryObserver(meter_provider=meters))

    def points() -> dict[str, Any]:
        data = reader.get_metrics_data()
        found = [each for one in data.resource_metrics for scope in one.scope_metrics for each in scope.metrics]
        return {metric.name: list(metric.data.data_points) for metric in found}

    until(lambda: "dynkube.informer.handler.duration" in points())
    seen = points()
    assert seen["dynkube.informer.items"][0].value == 1
    assert dict(seen["dynkube.informer.items"][0].attributes) == {"dynkube.informer": "maps"}
    assert seen["dynkube.informer.synced"][0].value == 1
    assert seen["dynkube.informer.staleness"][0].value >= 0
    assert seen["dynkube.informer.handler.depth"][0].value == 0
    assert seen["dynkube.informer.list.duration"][0].count == 1
    assert dict(seen["dynkube.informer.handler.wait"][0].attributes) == {
        "dynkube.informer": "maps",
        "dynkube.handler": "recorder",
    }
    end(informer)
    assert "dynkube.informer.watch.duration" in points()
    meters.shutdown()
