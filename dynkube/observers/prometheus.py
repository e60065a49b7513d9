"""Metrics for Prometheus, with client-go's names; needs the extra ``dynkube[prometheus]``."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterable

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from dynkube.observers import (
    Attempt,
    ExecCall,
    HandlerCall,
    InformerGauges,
    InformerReading,
    LeaderChange,
    LimiterWait,
    Observer,
    Reconciliation,
    ReflectorList,
    ReflectorWatch,
    Retry,
    Rotation,
    WorkqueueGauges,
    WorkqueueStep,
)

__all__ = ["PrometheusObserver"]

# component-base/metrics/prometheus/restclient/metrics.go
_SECONDS = (0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)
# component-base/metrics/prometheus/workqueue/metrics.go, without the buckets below a microsecond
_QUEUE_SECONDS = (1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.1, 1.0, 10.0, 100.0, 1000.0)
_BYTES = (64, 256, 512, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216)


class PrometheusObserver(Observer):
    """Counts in ``rest_client_*``, ``workqueue_*`` and ``reflector_*`` metrics, as controllers and operators in Go do.

    Work queues without a name are left out. The gauges of informers (``informer_*``) are read when metrics are
    collected.

    Make one for a process and give it to every configuration: a registry takes each name once.

    Args:
        registry: where the metrics are registered; the process's default one if None.

    Example:
        >>> registry = CollectorRegistry()
        >>> observer = PrometheusObserver(registry)
        >>> observer.on_attempt(Attempt(method="GET", verb="list", host="kube", path="/api/v1/pods", number=1,
        ...     seconds=0.1, status=200, response_bytes=2))
        >>> registry.get_sample_value("rest_client_requests_total", {"code": "200", "method": "GET", "host": "kube"})
        1.0
    """

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        where = registry if registry is not None else REGISTRY
        place = ("verb", "host", "path")
        self._requests = Counter(
            "rest_client_requests_total",
            "Number of HTTP requests, by status code, method and host.",
            ("code", "method", "host"),
            registry=where,
        )
        self._latency = Histogram(
            "rest_client_request_duration_seconds",
            "Request latency in seconds, by method, host and path template.",
            place,
            buckets=_SECONDS,
            registry=where,
        )
        self._sent = Histogram(
            "rest_client_request_size_bytes",
            "Request size in bytes, by method and host.",
            ("verb", "host"),
            buckets=_BYTES,
            registry=where,
        )
        self._received = Histogram(
            "rest_client_response_size_bytes",
            "Response size in bytes, by method and host.",
            ("verb", "host"),
            buckets=_BYTES,
            registry=where,
        )
        self._waits = Histogram(
            "rest_client_rate_limiter_duration_seconds",
            "Client-side rate limiter latency in seconds, by method, host and path template.",
            place,
            buckets=_SECONDS,
            registry=where,
        )
        self._retries = Counter(
            "rest_client_request_retries_total",
            "Number of repeated requests, by status code, method and host.",
            ("code", "verb", "host"),
            registry=where,
        )
        self._execs = Counter(
            "rest_client_exec_plugin_call_total",
            "Number of calls of exec plugins, by exit code and kind of failure.",
            ("code", "call_status"),
            registry=where,
        )
        self._rotations = Counter(
            "rest_client_certificate_rotations_total",
            "Number of changed certificate files that were taken into use.",
            ("what", "host"),
            registry=where,
        )
        self._workqueues = _WorkqueueMetrics(where)
        self._reconciliations = _ControllerMetrics(where)
        self._reflectors = _ReflectorMetrics(where)
        self._informers = _InformerCollector(where)
        self._handlers = _HandlerMetrics(where)

    def on_attempt(self, attempt: Attempt) -> None:
        """Count it, and its latency and sizes."""
        # client-go's word for an attempt without an answer.
        code = "<error>" if attempt.status is None else str(attempt.status)
        self._requests.labels(code, attempt.method, attempt.host).inc()
        self._latency.labels(attempt.method, attempt.host, attempt.template).observe(attempt.seconds)
        if attempt.request_bytes is not None:
            self._sent.labels(attempt.method, attempt.host).observe(attempt.request_bytes)
        if attempt.response_bytes is not None:
            self._received.labels(attempt.method, attempt.host).observe(attempt.response_bytes)

    def on_retry(self, retry: Retry) -> None:
        """Count it."""
        self._retries.labels(retry.reason if retry.reason.isdigit() else "<error>", retry.method, retry.host).inc()

    def on_limiter_wait(self, wait: LimiterWait) -> None:
        """Measure it."""
        self._waits.labels(wait.method, wait.host, wait.template).observe(wait.seconds)

    def on_exec(self, call: ExecCall) -> None:
        """Count it."""
        code = "" if call.exit_code is None else str(call.exit_code)
        self._execs.labels(code, call.error or "no_error").inc()

    def on_rotation(self, rotation: Rotation) -> None:
        """Count it."""
        self._rotations.labels(rotation.what, rotation.host).inc()

    def on_informer(self, informer: InformerGauges) -> None:
        """Read its gauges whenever metrics are collected."""
        self._informers.follow(informer)

    def on_reflector_list(self, listed: ReflectorList) -> None:
        """Count it, and measure how long it took and what it brought."""
        self._reflectors.list(listed)

    def on_reflector_watch(self, watched: ReflectorWatch) -> None:
        """Count it, and measure how long it was and what it brought."""
        self._reflectors.watch(watched)

    def on_handler_call(self, call: HandlerCall) -> None:
        """Measure how long the event has waited and the call has taken."""
        self._handlers.count(call)

    def on_workqueue(self, queue: WorkqueueGauges) -> None:
        """Read its gauges whenever metrics are collected."""
        if queue.name:
            self._workqueues.follow(queue)

    def on_workqueue_step(self, step: WorkqueueStep) -> None:
        """Count it, and measure how long it took."""
        if step.queue:
            self._workqueues.count(step)

    def on_reconciliation(self, reconciliation: Reconciliation) -> None:
        """Count it, and measure how long it took."""
        self._reconciliations.count(reconciliation)

    def on_leader_change(self, change: LeaderChange) -> None:
        """Show who leads: 1 or 0."""
        self._reconciliations.leading.labels(change.name).set(int(change.leading))


class _WorkqueueMetrics:
    """client-go's metrics of work queues."""

    def __init__(self, where: CollectorRegistry) -> None:
        self._depth = Gauge("workqueue_depth", "Current depth of workqueue.", ("name",), registry=where)
        self._adds = Counter(
            "workqueue_adds_total", "Total number of adds handled by workqueue.", ("name",), registry=where
        )
        self._retries = Counter(
            "workqueue_retries_total", "Total number of retries handled by workqueue.", ("name",), registry=where
        )
        self._waits = Histogram(
            "workqueue_queue_duration_seconds",
            "How long in seconds an item stays in workqueue before being requested.",
            ("name",),
            buckets=_QUEUE_SECONDS,
            registry=where,
        )
        self._work = Histogram(
            "workqueue_work_duration_seconds",
            "How long in seconds processing an item from workqueue takes.",
            ("name",),
            buckets=_QUEUE_SECONDS,
            registry=where,
        )
        self._unfinished = Gauge(
            "workqueue_unfinished_work_seconds",
            "How many seconds of work are in progress that work_duration has not seen yet.",
            ("name",),
            registry=where,
        )
        self._longest = Gauge(
            "workqueue_longest_running_processor_seconds",
            "How many seconds the longest running processor has been running.",
            ("name",),
            registry=where,
        )

    def follow(self, queue: WorkqueueGauges) -> None:
        known = weakref.ref(queue)

        def read(gauge: Callable[[WorkqueueGauges], float]) -> float:
            there = known()
            return 0.0 if there is None else gauge(there)

        self._depth.labels(queue.name).set(len(queue))
        self._unfinished.labels(queue.name).set_function(lambda: read(lambda it: it.unfinished_seconds()))
        self._longest.labels(queue.name).set_function(lambda: read(lambda it: it.longest_running_seconds()))

    def count(self, step: WorkqueueStep) -> None:
        self._depth.labels(step.queue).set(step.depth)
        match step.step:
            case "add":
                self._adds.labels(step.queue).inc()
            case "retry":
                self._retries.labels(step.queue).inc()
            case "get":
                self._waits.labels(step.queue).observe(step.seconds)
            case "done":
                self._work.labels(step.queue).observe(step.seconds)


class _ControllerMetrics:
    """controller-runtime's metrics of controllers, and client-go's of leader election."""

    def __init__(self, where: CollectorRegistry) -> None:
        self._total = Counter(
            "controller_runtime_reconcile_total",
            "Total number of reconciliations per controller and result.",
            ("controller", "result"),
            registry=where,
        )
        self._errors = Counter(
            "controller_runtime_reconcile_errors_total",
            "Total number of reconciliation errors per controller.",
            ("controller",),
            registry=where,
        )
        self._seconds = Histogram(
            "controller_runtime_reconcile_time_seconds",
            "Length of time per reconciliation per controller.",
            ("controller",),
            buckets=_SECONDS,
            registry=where,
        )
        self.leading = Gauge(
            "leader_election_master_status",
            "Whether the process leads: 1 for the leader, 0 for those who wait.",
            ("name",),
            registry=where,
        )

    def count(self, reconciliation: Reconciliation) -> None:
        self._total.labels(reconciliation.controller, reconciliation.result).inc()
        self._seconds.labels(reconciliation.controller).observe(reconciliation.seconds)
        if reconciliation.result == "error":
            self._errors.labels(reconciliation.controller).inc()


# A watch that is shorter counts as short (CG/tools/cache/reflector.go).
_SHORT_WATCH = 1.0
_ITEMS = (0, 1, 10, 100, 1_000, 10_000, 100_000)


class _ReflectorMetrics:
    """client-go's metrics of reflectors (CG/tools/cache/reflector_metrics.go)."""

    def __init__(self, where: CollectorRegistry) -> None:
        def counter(name: str, what: str) -> Counter:
            return Counter(f"reflector_{name}", what, ("name",), registry=where)

        def histogram(name: str, what: str, buckets: tuple[float, ...]) -> Histogram:
            return Histogram(f"reflector_{name}", what, ("name",), buckets=buckets, registry=where)

        self._lists = counter("lists_total", "Number of lists, those that failed included.")
        self._list_seconds = histogram("list_duration_seconds", "How long lists took.", _SECONDS)
        self._list_items = histogram("items_per_list", "Objects in a list.", _ITEMS)
        self._watches = counter("watches_total", "Number of watches that are over.")
        self._short = counter("short_watches_total", "Number of watches that ended within a second.")
        self._watch_seconds = histogram("watch_duration_seconds", "How long watches were open.", _SECONDS)
        self._watch_items = histogram("items_per_watch", "Events of a watch.", _ITEMS)

    def list(self, listed: ReflectorList) -> None:
        self._lists.labels(listed.informer).inc()
        if not listed.error:
            self._list_seconds.labels(listed.informer).observe(listed.seconds)
            self._list_items.labels(listed.informer).observe(listed.items)

    def watch(self, watched: ReflectorWatch) -> None:
        self._watches.labels(watched.informer).inc()
        if watched.seconds < _SHORT_WATCH:
            self._short.labels(watched.informer).inc()
        self._watch_seconds.labels(watched.informer).observe(watched.seconds)
        self._watch_items.labels(watched.informer).observe(watched.events)


class _HandlerMetrics:
    """How informers' handlers keep up."""

    def __init__(self, where: CollectorRegistry) -> None:
        labels = ("name", "handler")
        self._waits = Histogram(
            "informer_handler_wait_seconds",
            "How long events waited for a handler.",
            labels,
            buckets=_QUEUE_SECONDS,
            registry=where,
        )
        self._calls = Histogram(
            "informer_handler_duration_seconds",
            "How long calls of a handler took.",
            labels,
            buckets=_QUEUE_SECONDS,
            registry=where,
        )
        self._errors = Counter(
            "informer_handler_errors_total", "Number of calls of a handler that raised.", labels, registry=where
        )

    def count(self, call: HandlerCall) -> None:
        self._waits.labels(call.informer, call.handler).observe(call.waited)
        self._calls.labels(call.informer, call.handler).observe(call.seconds)
        if call.error:
            self._errors.labels(call.informer, call.handler).inc()


_INFORMER_GAUGES: tuple[tuple[str, str, Callable[[InformerReading], float | None]], ...] = (
    ("informer_synced", "Whether the store was complete once: 1 or 0.", lambda it: float(it.synced)),
    ("informer_items", "Objects in the store.", lambda it: it.items),
    ("informer_staleness_seconds", "Seconds since the server was last heard of.", lambda it: it.staleness),
    (
        "reflector_last_resource_version",
        "The resourceVersion of the store, where it is a number.",
        lambda it: float(it.resource_version) if it.resource_version.isdecimal() else None,
    ),
)


class _InformerCollector(Collector):
    """The gauges of the informers that run, read when metrics are collected."""

    def __init__(self, where: CollectorRegistry) -> None:
        self._lock = threading.Lock()  # informers start while metrics are collected
        self._informers: weakref.WeakSet[InformerGauges] = weakref.WeakSet()
        where.register(self)

    def follow(self, informer: InformerGauges) -> None:
        with self._lock:
            self._informers.add(informer)

    def describe(self) -> Iterable[GaugeMetricFamily]:
        return [GaugeMetricFamily(name, what) for name, what, _ in _INFORMER_GAUGES]

    def collect(self) -> Iterable[GaugeMetricFamily]:
        with self._lock:
            informers = list(self._informers)
        readings = [(each.name, reading) for each in informers if (reading := each.reading()) is not None]
        for name, what, gauge in _INFORMER_GAUGES:
            family = GaugeMetricFamily(name, what, labels=["name"])
            for informer, reading in readings:
                value = gauge(reading)
                if value is not None:
                    family.add_metric([informer], value)
            yield family
        depths = GaugeMetricFamily(
            "informer_handler_depth", "Events that wait for a handler.", labels=["name", "handler"]
        )
        for informer, reading in readings:
            for handler, depth in reading.depths.items():
                depths.add_metric([informer, handler], depth)
        yield depths
