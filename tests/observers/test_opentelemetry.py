"""The bridge to the real OpenTelemetry SDK."""

from __future__ import annotations

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from scripted import RESET, ScriptedServer

from dynkube.config.model import RESTConfig
from dynkube.errors import ConnectionLostError
from dynkube.observers import ExecCall
from dynkube.observers.opentelemetry import OpenTelemetryObserver
from dynkube.rest import RESTClient
from dynkube.wire.messages import Request
from dynkube.wire.retry import RetryPolicy


class Telemetry:
    def __init__(self):
        self.exporter = InMemorySpanExporter()
        self.tracers = TracerProvider(shutdown_on_exit=False)
        self.tracers.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.reader = InMemoryMetricReader()
        self.meters = MeterProvider([self.reader], shutdown_on_exit=False)
        self.observer = OpenTelemetryObserver(tracer_provider=self.tracers, meter_provider=self.meters)

    def points(self, name):
        data = self.reader.get_metrics_data()
        found = [each for one in data.resource_metrics for scope in one.scope_metrics for each in scope.metrics]
        return [point for metric in found if metric.name == name for point in metric.data.data_points]


@pytest.fixture
def telemetry():
    telemetry = Telemetry()
    yield telemetry
    telemetry.tracers.shutdown()
    telemetry.meters.shutdown()


@pytest.mark.behaviour("2.11.1", "2.11.4", "10.1.17")
def test_each_attempt_is_a_client_span_below_the_current_one(telemetry):
    with ScriptedServer() as server:
        config = RESTConfig(host=server.url, qps=1000, observers=(telemetry.observer,))
        with RESTClient(config) as client, telemetry.tracers.get_tracer("t").start_as_current_span("job") as job:
            server.reply_json({}, 429, {"Retry-After": "0"})
            server.reply_json({"kind": "Pod"})
            client.execute(Request("GET", "/api/v1/namespaces/shop/pods/api"))
        refused, answered, _ = telemetry.exporter.get_finished_spans()
        assert answered.name == "GET /api/v1/namespaces/{namespace}/pods/{name}"
        assert answered.kind is SpanKind.CLIENT
        assert answered.parent.span_id == job.get_span_context().span_id
        assert answered.end_time > answered.start_time >= refused.end_time
        assert dict(answered.attributes) == {
            "http.request.method": "GET",
            "http.request.resend_count": 1,
            "http.response.status_code": 200,
            "server.address": "127.0.0.1",
            "server.port": server.port,
            "url.path": "/api/v1/namespaces/shop/pods/api",
            "url.template": "/api/v1/namespaces/{namespace}/pods/{name}",
        }
        assert answered.status.status_code is StatusCode.UNSET
        assert (refused.status.status_code, refused.attributes["error.type"]) == (StatusCode.ERROR, "429")
    assert sum(point.count for point in telemetry.points("http.client.request.duration")) == 2
    assert [point.value for point in telemetry.points("dynkube.retries")] == [1]
    assert sum(point.count for point in telemetry.points("dynkube.rate_limiter.wait")) == 2


@pytest.mark.behaviour("2.11.4")
def test_no_answer_is_an_error_with_its_name(telemetry):
    with ScriptedServer() as server:
        config = RESTConfig(host=server.url, observers=(telemetry.observer,))
        with RESTClient(config, retry=RetryPolicy(0)) as client:
            server.reply(RESET)
            with pytest.raises(ConnectionLostError):
                client.execute(Request("GET", "/api/v1/pods"))
    (span,) = telemetry.exporter.get_finished_spans()
    assert span.attributes["error.type"] == "ConnectionLostError"
    assert "http.response.status_code" not in span.attributes


@pytest.mark.behaviour("2.11.1", "2.11.4")
def test_a_plugin_that_runs_is_a_span(telemetry):
    telemetry.observer.on_exec(ExecCall(command="aws", seconds=0.5, exit_code=3, error="ExecPluginError"))
    (span,) = telemetry.exporter.get_finished_spans()
    assert (span.name, span.status.status_code) == ("exec aws", StatusCode.ERROR)
    assert span.end_time - span.start_time == 500_000_000
    assert span.attributes["process.exit.code"] == 3
    assert [point.sum for point in telemetry.points("dynkube.exec_plugin.duration")] == [0.5]
