"""Work queues, controllers and elections in the bridges."""

from __future__ import annotations

import gc

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from prometheus_client import CollectorRegistry

from dynkube.observers import LeaderChange, Reconciliation
from dynkube.observers.opentelemetry import OpenTelemetryObserver
from dynkube.observers.prometheus import PrometheusObserver
from dynkube.workqueue import Workqueue

EVENTS = (
    Reconciliation(controller="widgets", result="success", seconds=0.5),
    Reconciliation(controller="widgets", result="error", seconds=0.25, error="NotFoundError"),
)


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def work(observer):
    """One item done after 0.5 s in the queue and 0.25 s of work, one failed once, one at work for 2 s."""
    clock = Clock()
    queue = Workqueue("widgets", observers=[observer], clock=clock)
    queue.add("one")
    clock.now += 0.5
    item = queue.get()
    clock.now += 0.25
    queue.done(item)
    queue.add_rate_limited("two")
    queue.add("three")
    queue.add("four")
    queue.get()
    clock.now += 2
    assert len(queue) == 2  # "two" is due
    return queue


@pytest.fixture
def registry():
    return CollectorRegistry()


@pytest.mark.behaviour("7.5.5")
def test_prometheus_has_client_gos_metrics_of_queues(registry):
    queue = work(PrometheusObserver(registry))

    def value(name):
        return registry.get_sample_value(f"workqueue_{name}", {"name": "widgets"})

    assert (value("adds_total"), value("retries_total"), value("depth")) == (4, 1, 2)
    assert (value("queue_duration_seconds_sum"), value("work_duration_seconds_sum")) == (0.5, 0.25)
    assert (value("unfinished_work_seconds"), value("longest_running_processor_seconds")) == (2, 2)
    del queue
    gc.collect()
    assert value("unfinished_work_seconds") == 0


@pytest.mark.behaviour("7.5.5")
def test_prometheus_leaves_out_queues_without_a_name(registry):
    queue = Workqueue(observers=[PrometheusObserver(registry)])
    queue.add("one")
    assert registry.get_sample_value("workqueue_adds_total", {"name": ""}) is None


def test_prometheus_has_controller_runtimes_metrics_of_controllers(registry):
    observer = PrometheusObserver(registry)
    for event in EVENTS:
        observer.on_reconciliation(event)
    observer.on_leader_change(LeaderChange(name="shop/widgets", identity="me", leading=True))

    def value(metric, **labels):
        return registry.get_sample_value(metric, labels)

    assert value("controller_runtime_reconcile_total", controller="widgets", result="success") == 1
    assert value("controller_runtime_reconcile_errors_total", controller="widgets") == 1
    assert value("controller_runtime_reconcile_time_seconds_sum", controller="widgets") == 0.75
    assert value("leader_election_master_status", name="shop/widgets") == 1
    observer.on_leader_change(LeaderChange(name="shop/widgets", identity="me", leading=False))
    assert value("leader_election_master_status", name="shop/widgets") == 0


@pytest.fixture
def telemetry():
    reader = InMemoryMetricReader()
    meters = MeterProvider([reader], shutdown_on_exit=False)
    yield OpenTelemetryObserver(meter_provider=meters), reader
    meters.shutdown()


def points_of(reader):
    data = reader.get_metrics_data()
    metrics = [each for one in data.resource_metrics for scope in one.scope_metrics for each in scope.metrics]
    return {metric.name: metric.data.data_points for metric in metrics}


@pytest.mark.behaviour("7.5.5")
def test_opentelemetry_measures_queues(telemetry):
    observer, reader = telemetry
    queue = work(observer)
    points = {name.removeprefix("dynkube.workqueue."): each[0] for name, each in points_of(reader).items()}
    assert [points[name].value for name in ("adds", "retries", "depth", "unfinished", "longest")] == [4, 1, 2, 2, 2]
    assert (points["queue.duration"].sum, points["work.duration"].sum) == (0.5, 0.25)
    assert dict(points["adds"].attributes) == {"dynkube.queue": queue.name}


def test_opentelemetry_measures_controllers_and_leaders(telemetry):
    observer, reader = telemetry
    for event in EVENTS:
        observer.on_reconciliation(event)
    for leading in (True, False, True):
        observer.on_leader_change(LeaderChange(name="shop/widgets", identity="me", leading=leading))
    points = points_of(reader)
    by_result = {each.attributes["dynkube.result"]: each for each in points["dynkube.controller.reconcile.duration"]}
    assert by_result["success"].sum == 0.5
    assert by_result["error"].attributes["error.type"] == "NotFoundError"
    assert [each.value for each in points["dynkube.leader_election.leading"]] == [1]
