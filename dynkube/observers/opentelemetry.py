"""Spans and metrics for OpenTelemetry; needs the extra ``dynkube[opentelemetry]``.

The names are those of its semantic conventions for HTTP clients.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Iterable

from opentelemetry import metrics, trace
from opentelemetry.util.types import AttributeValue

from dynkube._version import __version__
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
    WorkqueueGauges,
    WorkqueueStep,
)

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
        self._workqueues = _WorkqueueMetrics(meter)
        self._informers = _InformerMetrics(meter)
        self._reconciliations = meter.create_histogram(
            "dynkube.controller.reconcile.duration", unit="s", description="Calls of controllers."
        )
        self._leading = meter.create_up_down_counter(
            "dynkube.leader_election.leading", description="1 where the process leads."
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

    def on_informer(self, informer: InformerGauges) -> None:
        """Read its gauges whenever metrics are collected."""
        self._informers.follow(informer)

    def on_reflector_list(self, listed: ReflectorList) -> None:
        """Measure it."""
        self._informers.lists.record(listed.seconds, _of_reflector(listed))

    def on_reflector_watch(self, watched: ReflectorWatch) -> None:
        """Measure it."""
        self._informers.watches.record(watched.seconds, _of_reflector(watched))

    def on_handler_call(self, call: HandlerCall) -> None:
        """Measure how long the event has waited and the call has taken."""
        attributes: dict[str, AttributeValue] = {"dynkube.informer": call.informer, "dynkube.handler": call.handler}
        self._informers.waits.record(call.waited, attributes)
        if call.error:
            attributes["error.type"] = call.error
        self._informers.calls.record(call.seconds, attributes)

    def on_workqueue(self, queue: WorkqueueGauges) -> None:
        """Read its gauges whenever metrics are collected."""
        self._workqueues.queues.add(queue)

    def on_workqueue_step(self, step: WorkqueueStep) -> None:
        """Count it, and measure how long it took."""
        self._workqueues.count(step)

    def on_reconciliation(self, reconciliation: Reconciliation) -> None:
        """Measure it."""
        attributes: dict[str, AttributeValue] = {
            "dynkube.controller": reconciliation.controller,
            "dynkube.result": reconciliation.result,
        }
        if reconciliation.error:
            attributes["error.type"] = reconciliation.error
        self._reconciliations.record(reconciliation.seconds, attributes)

    def on_leader_change(self, change: LeaderChange) -> None:
        """Count up or down."""
        self._leading.add(1 if change.leading else -1, {"dynkube.election": change.name})

    def _span(self, name: str, seconds: float, attributes: dict[str, AttributeValue], *, failed: bool) -> None:
        end = self._clock()
        span = self._tracer.start_span(
            name, kind=trace.SpanKind.CLIENT, attributes=attributes, start_time=end - int(seconds * 1e9)
        )
        if failed:
            span.set_status(trace.StatusCode.ERROR)
        span.end(end_time=end)


class _WorkqueueMetrics:
    """What work queues do; their gauges are read whenever metrics are collected."""

    def __init__(self, meter: metrics.Meter) -> None:
        self.queues: weakref.WeakSet[WorkqueueGauges] = weakref.WeakSet()
        self._adds = meter.create_counter("dynkube.workqueue.adds", description="Items added.")
        self._retries = meter.create_counter("dynkube.workqueue.retries", description="Items to be added later.")
        self._waits = meter.create_histogram(
            "dynkube.workqueue.queue.duration", unit="s", description="How long items have waited."
        )
        self._work = meter.create_histogram(
            "dynkube.workqueue.work.duration", unit="s", description="How long the work on items has taken."
        )
        for name, unit, what, gauge in _WORKQUEUE_GAUGES:
            meter.create_observable_gauge(name, [self._reader(gauge)], unit, what)

    def _reader(
        self, gauge: Callable[[WorkqueueGauges], float]
    ) -> Callable[[metrics.CallbackOptions], Iterable[metrics.Observation]]:
        def read(_options: metrics.CallbackOptions) -> Iterable[metrics.Observation]:
            return [metrics.Observation(gauge(each), {"dynkube.queue": each.name}) for each in list(self.queues)]

        return read

    def count(self, step: WorkqueueStep) -> None:
        attributes = {"dynkube.queue": step.queue}
        match step.step:
            case "add":
                self._adds.add(1, attributes)
            case "retry":
                self._retries.add(1, attributes)
            case "get":
                self._waits.record(step.seconds, attributes)
            case "done":
                self._work.record(step.seconds, attributes)


_WORKQUEUE_GAUGES: tuple[tuple[str, str, str, Callable[[WorkqueueGauges], float]], ...] = (
    ("dynkube.workqueue.depth", "{item}", "How many items wait.", len),
    ("dynkube.workqueue.unfinished", "s", "Work in progress, added up.", lambda it: it.unfinished_seconds()),
    ("dynkube.workqueue.longest", "s", "The longest work in progress.", lambda it: it.longest_running_seconds()),
)


def _of_reflector(event: ReflectorList | ReflectorWatch) -> dict[str, AttributeValue]:
    attributes: dict[str, AttributeValue] = {"dynkube.informer": event.informer, "dynkube.resource": event.resource}
    if event.error:
        attributes["error.type"] = event.error
    return attributes


class _InformerMetrics:
    """What informers do; their gauges are read whenever metrics are collected."""

    def __init__(self, meter: metrics.Meter) -> None:
        self._lock = threading.Lock()  # informers start while metrics are collected
        self._informers: weakref.WeakSet[InformerGauges] = weakref.WeakSet()
        self.lists = meter.create_histogram(
            "dynkube.informer.list.duration", unit="s", description="How long lists took."
        )
        self.watches = meter.create_histogram(
            "dynkube.informer.watch.duration", unit="s", description="How long watches were open."
        )
        self.waits = meter.create_histogram(
            "dynkube.informer.handler.wait", unit="s", description="How long events waited for a handler."
        )
        self.calls = meter.create_histogram(
            "dynkube.informer.handler.duration", unit="s", description="How long calls of handlers took."
        )
        for name, unit, what, gauge in _INFORMER_GAUGES:
            meter.create_observable_gauge(name, [self._reader(gauge)], unit, what)
        meter.create_observable_gauge(
            "dynkube.informer.handler.depth", [self._depths], "{event}", "Events that wait for a handler."
        )

    def follow(self, informer: InformerGauges) -> None:
        with self._lock:
            self._informers.add(informer)

    def _readings(self) -> list[tuple[str, InformerReading]]:
        with self._lock:
            informers = list(self._informers)
        found = [(each.name, each.reading()) for each in informers]
        return [(name, reading) for name, reading in found if reading is not None]

    def _reader(
        self, gauge: Callable[[InformerReading], float | None]
    ) -> Callable[[metrics.CallbackOptions], Iterable[metrics.Observation]]:
        def read(_options: metrics.CallbackOptions) -> Iterable[metrics.Observation]:
            values = [(name, gauge(reading)) for name, reading in self._readings()]
            return [
                metrics.Observation(value, {"dynkube.informer": name}) for name, value in values if value is not None
            ]

        return read

    def _depths(self, _options: metrics.CallbackOptions) -> Iterable[metrics.Observation]:
        return [
            metrics.Observation(depth, {"dynkube.informer": name, "dynkube.handler": handler})
            for name, reading in self._readings()
            for handler, depth in reading.depths.items()
        ]


_INFORMER_GAUGES: tuple[tuple[str, str, str, Callable[[InformerReading], float | None]], ...] = (
    ("dynkube.informer.items", "{object}", "Objects in the store.", lambda it: it.items),
    ("dynkube.informer.staleness", "s", "Since the server was last heard of.", lambda it: it.staleness),
    ("dynkube.informer.synced", "1", "1 where the store was complete once.", lambda it: int(it.synced)),
)
