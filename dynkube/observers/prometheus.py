"""Metrics for Prometheus, with client-go's names; needs the extra ``dynkube[prometheus]``."""

from __future__ import annotations

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram

from dynkube.observers import Attempt, ExecCall, LimiterWait, Observer, Retry, Rotation

__all__ = ["PrometheusObserver"]

# component-base/metrics/prometheus/restclient/metrics.go
_SECONDS = (0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)
_BYTES = (64, 256, 512, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216)


class PrometheusObserver(Observer):
    """Counts in ``rest_client_*`` metrics, as kubectl, the controllers and operators in Go do.

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
