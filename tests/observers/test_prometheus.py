"""The bridge to the real prometheus_client."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from scripted import RESET, ScriptedServer

from dynkube.config.model import RESTConfig
from dynkube.errors import ConnectionLostError
from dynkube.observers import ExecCall, Rotation
from dynkube.observers.prometheus import PrometheusObserver
from dynkube.rest import RESTClient
from dynkube.wire.messages import Request
from dynkube.wire.retry import RetryPolicy


@pytest.fixture
def registry():
    return CollectorRegistry()


@pytest.fixture
def observer(registry):
    return PrometheusObserver(registry)


@pytest.mark.behaviour("2.11.1")
def test_a_client_shows_up_in_client_gos_metrics(registry, observer):
    with ScriptedServer() as server:
        config = RESTConfig(host=server.url, qps=1000, observers=(observer,))
        host = f"127.0.0.1:{server.port}"
        with RESTClient(config, retry=RetryPolicy(1)) as client:
            server.reply_json({}, 429, {"Retry-After": "0"})
            server.reply_json({"kind": "Pod"})
            client.execute(Request("GET", "/api/v1/namespaces/shop/pods/api"))
            server.reply(RESET)
            with pytest.raises(ConnectionLostError):
                client.execute(Request("POST", "/api/v1/nodes", body=b"{}"))
    value = registry.get_sample_value
    requests = "rest_client_requests_total"
    assert value(requests, {"code": "429", "method": "GET", "host": host}) == 1
    assert value(requests, {"code": "200", "method": "GET", "host": host}) == 1
    assert value(requests, {"code": "<error>", "method": "POST", "host": host}) == 1
    assert value("rest_client_request_retries_total", {"code": "429", "verb": "GET", "host": host}) == 1
    place = {"verb": "GET", "host": host, "path": "/api/v1/namespaces/{namespace}/pods/{name}"}
    assert value("rest_client_request_duration_seconds_count", place) == 2
    assert value("rest_client_rate_limiter_duration_seconds_count", place) == 2
    assert value("rest_client_response_size_bytes_sum", {"verb": "GET", "host": host}) == 2 + len('{"kind": "Pod"}')
    assert value("rest_client_request_size_bytes_sum", {"verb": "POST", "host": host}) == 2


@pytest.mark.behaviour("2.11.1")
def test_plugins_and_rotations_are_counted(registry, observer):
    observer.on_exec(ExecCall(command="aws", seconds=1, exit_code=0))
    observer.on_exec(ExecCall(command="aws", seconds=1, error="ExecPluginError"))
    observer.on_rotation(Rotation(host="kube:6443", what="client certificate"))
    value = registry.get_sample_value
    assert value("rest_client_exec_plugin_call_total", {"code": "0", "call_status": "no_error"}) == 1
    assert value("rest_client_exec_plugin_call_total", {"code": "", "call_status": "ExecPluginError"}) == 1
    assert value("rest_client_certificate_rotations_total", {"what": "client certificate", "host": "kube:6443"}) == 1
    assert b"rest_client_exec_plugin_call_total" in generate_latest(registry)


def test_two_for_one_registry_are_refused_by_it(registry, observer):
    with pytest.raises(ValueError, match="Duplicated"):
        PrometheusObserver(registry)
