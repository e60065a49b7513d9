"""Spans and metrics for OpenTelemetry; needs the extra ``dynkube[opentelemetry]``.

The names are those of its semantic conventions for HTTP clients.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from opentelemetry import metrics, trace
from opentelemetry.util.types import AttributeValue

from dynkube._version import __version__
from dynkube.observers import Attempt, ExecCall, LimiterWait, Observer, Retry

__all__ = ["OpenTelemetryObserver"]

_NAME = "dynkube"


class OpenTelemetryObserver(Observer):
    """A client span for each HTTP exchange and each run of a credential plugin, and metrics of all that.

    A span is a child of what is current where the call is made. It is made when the exchange is over, with the times
    at which it began and ended.

    Args:
        tracer_provider: where the spans go; the global one if None.
        meter_provider: where the metrics go; the global one if None.
        clock: nanoseconds since the epoch.

    Example:
        >>> observer = OpenTelemetryObserver()
    """

    def __init__(
        self,
        *,
        tracer_provider: trace.TracerProvider | None = None,
        meter_provider: metrics.MeterProvider | None = None,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._clock = clock
        self._tracer = trace.get_tracer(_NAME, __version__, tracer_provider)
        meter = metrics.get_meter(_NAME, __version__, meter_provider)
        self._duration = meter.create_histogram(
            "http.client.request.duration", unit="s", description="Duration of HTTP client requests."
        )
        self._retries = meter.create_counter("dynkube.retries", description="Repeated requests.")
        self._waits = meter.create_histogram(
            "dynkube.rate_limiter.wait", unit="s", description="Waits for the client's rate limiter."
        )
        self._execs = meter.create_histogram(
            "dynkube.exec_plugin.duration", unit="s", description="Runs of exec credential plugins."
        )

    def on_attempt(self, attempt: Attempt) -> None:
        """Make a span of it, and measure it."""
        address, _, port = attempt.host.rpartition(":")
        attributes: dict[str, AttributeValue] = {
            "http.request.method": attempt.method,
            "server.address": address.strip("[]"),
            "server.port": int(port),
            "url.template": attempt.template,
        }
        if attempt.status is not None:
            attributes["http.response.status_code"] = attempt.status
        failed = attempt.status is None or attempt.status >= 400
        if failed:
            attributes["error.type"] = attempt.outcome
        self._duration.record(attempt.seconds, attributes)
        spans_own: dict[str, AttributeValue] = {"url.path": attempt.path}
        if attempt.number > 1:
            spans_own["http.request.resend_count"] = attempt.number - 1
        self._span(f"{attempt.method} {attempt.template}", attempt.seconds, {**attributes, **spans_own}, failed=failed)

    def on_retry(self, retry: Retry) -> None:
        """Count it."""
        attributes = {"http.request.method": retry.method, "url.template": retry.template, "error.type": retry.reason}
        self._retries.add(1, attributes)

    def on_limiter_wait(self, wait: LimiterWait) -> None:
        """Measure it."""
        self._waits.record(wait.seconds, {"http.request.method": wait.method, "url.template": wait.template})

    def on_exec(self, call: ExecCall) -> None:
        """Make a span of it, and measure it."""
        attributes: dict[str, AttributeValue] = {"process.command": call.command}
        if call.exit_code is not None:
            attributes["process.exit.code"] = call.exit_code
        if call.error:
            attributes["error.type"] = call.error
        self._execs.record(call.seconds, attributes)
        self._span(f"exec {call.command}", call.seconds, attributes, failed=bool(call.error))

    def _span(self, name: str, seconds: float, attributes: dict[str, AttributeValue], *, failed: bool) -> None:
        end = self._clock()
        span = self._tracer.start_span(
            name, kind=trace.SpanKind.CLIENT, attributes=attributes, start_time=end - int(seconds * 1e9)
        )
        if failed:
            span.set_status(trace.StatusCode.ERROR)
        span.end(end_time=end)
