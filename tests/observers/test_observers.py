"""Observers: what they are told of, and that they can break nothing."""

from __future__ import annotations

import pytest
from scripted import RESET, ScriptedServer, json_response

import dynkube
from dynkube.config.model import RESTConfig
from dynkube.errors import ConfigError, ConnectionLostError, InvalidRequestError, NotFoundError
from dynkube.observers import Attempt, Observer, checked_observers, notify, template_of
from dynkube.rest import RESTClient
from dynkube.wire.messages import Request
from dynkube.wire.retry import RetryPolicy

GET = Request("GET", "/api/v1/namespaces/shop/pods/api", verb="get")


class Recorder(Observer):
    def __init__(self):
        self.attempts, self.retries, self.waits = [], [], []

    def on_attempt(self, attempt):
        self.attempts.append(attempt)

    def on_retry(self, retry):
        self.retries.append(retry)

    def on_limiter_wait(self, wait):
        self.waits.append(wait)


@pytest.fixture
def recorder():
    return Recorder()


@pytest.fixture
def server():
    with ScriptedServer() as server:
        yield server


@pytest.fixture
def client(server, recorder):
    with RESTClient(RESTConfig(host=server.url, observers=[recorder])) as client:
        yield client


@pytest.mark.behaviour("2.11.1")
@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/api/v1/pods", "/api/v1/pods"),
        ("/api/v1/nodes/n1", "/api/v1/nodes/{name}"),
        ("/api/v1/nodes/n1/proxy/metrics/cadvisor", "/api/v1/nodes/{name}/proxy/{path}"),
        ("/api/v1/namespaces", "/api/v1/namespaces"),
        ("/api/v1/namespaces/shop/finalize", "/api/v1/namespaces/{name}/finalize"),
        ("/api/v1/namespaces/shop/pods", "/api/v1/namespaces/{namespace}/pods"),
        ("/api/v1/namespaces/shop/pods/api/log", "/api/v1/namespaces/{namespace}/pods/{name}/log"),
        ("/apis/apps/v1/namespaces/a/deployments/b", "/apis/apps/v1/namespaces/{namespace}/deployments/{name}"),
        ("/apis/apps/v1", "/apis/apps/v1"),
        ("/api", "/api"),
        ("/version", "/version"),
        ("/openapi/v3/apis/apps/v1", "/openapi/v3/apis/apps/v1"),
        ("/custom/7/8", "/{prefix}"),
    ],
)
def test_templates_hold_no_names(path, template):
    assert template_of(path) == template


@pytest.mark.behaviour("2.11.1")
def test_an_attempt_has_latency_code_and_sizes(server, client, recorder):
    server.reply_json({"kind": "Pod"}, 201)
    client.execute(Request("POST", "/api/v1/namespaces/shop/pods", body=b"{}", verb="create"))
    (seen,) = recorder.attempts
    assert (seen.method, seen.verb, seen.host, seen.number) == ("POST", "create", f"127.0.0.1:{server.port}", 1)
    assert (seen.status, seen.error, seen.outcome) == (201, "", "201")
    assert (seen.request_bytes, seen.response_bytes) == (2, len(b'{"kind": "Pod"}'))
    assert 0 < seen.seconds < 5


@pytest.mark.behaviour("2.11.1")
def test_repetitions_are_told_with_their_reason(server, client, recorder):
    server.reply_json({}, 429, {"Retry-After": "0"})
    server.reply_json({"kind": "Pod"})
    client.execute(GET)
    assert [(each.number, each.outcome) for each in recorder.attempts] == [(1, "429"), (2, "200")]
    assert [(each.number, each.delay, each.reason) for each in recorder.retries] == [(1, 0.0, "429")]
    assert recorder.retries[0].template == recorder.attempts[0].template


@pytest.mark.behaviour("2.11.1")
def test_an_attempt_without_an_answer_has_the_errors_name(server, recorder):
    config = RESTConfig(host=server.url, observers=(recorder,))
    with RESTClient(config, retry=RetryPolicy(0)) as client:
        server.reply(RESET)
        with pytest.raises(ConnectionLostError):
            client.execute(GET)
    assert [(each.status, each.outcome) for each in recorder.attempts] == [(None, "ConnectionLostError")]


def test_streams_and_watches_are_told_when_they_open(server, client, recorder):
    server.on(lambda request: json_response({}))
    client.stream(GET).close()
    client.watch(Request("GET", "/api/v1/pods", (("watch", "1"),), verb="watch")).close()
    assert [(each.verb, each.status, each.response_bytes) for each in recorder.attempts] == [
        ("get", 200, None),
        ("watch", 200, None),
    ]


def test_without_a_limiter_there_are_no_waits(server, client, recorder):
    server.reply_json({}, 404)
    with pytest.raises(NotFoundError):
        client.execute(GET)
    assert recorder.waits == []


def test_an_observer_that_fails_breaks_nothing(server, recorder, caplog):
    class Broken(Observer):
        def on_attempt(self, attempt):
            raise RuntimeError("full")

    with RESTClient(RESTConfig(host=server.url, observers=(Broken(), recorder))) as client:
        server.reply_json({})
        client.execute(GET)
    assert len(recorder.attempts) == 1
    mine = [each.message for each in caplog.records if each.name == "dynkube.observers"]
    assert mine == ["an observer failed"]


def test_one_that_wants_to_end_the_process_ends_no_thread_of_ours(recorder):
    class Leaving(Observer):
        def on_attempt(self, attempt):
            raise SystemExit("full")

    notify([Leaving(), recorder], lambda observer: observer.on_attempt, "attempt")
    assert recorder.attempts == ["attempt"]


@pytest.mark.parametrize(
    ("observers", "message"),
    [
        (3, "observers: want a list"),
        (Observer(), "observers: want a list"),
        ([3], r"observers\[0\]: want an Observer, got 3"),
        ([Observer(), Observer], r"observers\[1\]"),
        ("ab", r"observers\[0\]"),
    ],
)
def test_what_are_no_observers_is_said(observers, message):
    with pytest.raises(InvalidRequestError, match=message):
        checked_observers(observers)


def test_an_observer_that_overrides_nothing_takes_everything():
    attempt = Attempt(method="GET", verb="", host="h:1", path="/api", number=1, seconds=0)
    for name in ("on_attempt", "on_retry", "on_limiter_wait", "on_exec", "on_rotation"):
        notify([Observer()], lambda observer, name=name: getattr(observer, name), attempt)


def test_a_client_of_a_kubeconfig_has_them_too(server, recorder, tmp_path):
    kubeconfig = tmp_path / "config"
    kubeconfig.write_text(
        f"""{{apiVersion: v1, kind: Config, current-context: c, users: [],
        clusters: [{{name: c, cluster: {{server: "{server.url}"}}}}],
        contexts: [{{name: c, context: {{cluster: c, user: ""}}}}]}}"""
    )
    server.reply_json({"kind": "Pod", "metadata": {"name": "api"}})
    with dynkube.connect(kubeconfig=kubeconfig, observers=[recorder]) as client:
        client.resource(dynkube.GroupVersionResource("", "v1", "pods")).namespace("shop").get("api")
    assert [attempt.template for attempt in recorder.attempts] == ["/api/v1/namespaces/{namespace}/pods/{name}"]


@pytest.mark.parametrize("observers", [5, "observer"])
def test_what_are_no_observers(observers):
    with pytest.raises(ConfigError, match="observers must be a list"):
        RESTConfig(host="https://kube", observers=observers)


def test_copies_keep_observers_and_wrappers(recorder):
    config = RESTConfig(host="https://kube", observers=[recorder]).wrap(lambda send: send)
    copied = config.copy(namespace="shop").anonymous()
    assert (copied.observers, copied.wrappers) == (config.observers, config.wrappers)
