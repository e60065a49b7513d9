"""Metrics for Prometheus, with client-go's names; needs the extra ``dynkube[prometheus]``."""

from __future__ import annotations

import weakref
from collections.abc import Callable

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

from dynkube.observers import (
    Attempt,
    ExecCall,
    LeaderChange,
    LimiterWait,
    Observer,
    Reconciliation,
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
    """Counts in ``rest_client_*`` and ``workqueue_*`` metrics, as kubectl, the controllers and operators in Go do.

    Work queues without a name are left out.

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
