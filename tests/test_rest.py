"""The REST client over real sockets; what it makes of faults is in faults/test_rest_faults.py."""

from __future__ import annotations

import io
import json
import logging
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from scripted import HOLD, RESET, ScriptedServer, json_response

from dynkube.config.model import RESTConfig, TLSConfig
from dynkube.errors import (
    APIStatusError,
    CancelledError,
    ClosedError,
    ConfigError,
    ConnectionLostError,
    DeadlineExceededError,
    DecodeError,
    InternalServerError,
    InvalidRequestError,
    NotFoundError,
    TooManyRequestsError,
)
from dynkube.patches import PatchType
from dynkube.rest import RESTClient, RESTRequest, WatchStream, set_default_warning_handler
from dynkube.schema import GroupVersion, GroupVersionResource
from dynkube.transport import CancelToken, Transport
from dynkube.wire.messages import Request
from dynkube.wire.request import list_request, watch_request
from dynkube.wire.retry import RetryPolicy
from dynkube.wire.warnings import WarningWriter, suppress_warnings
from dynkube.wire.watch import EventType

PODS = GroupVersionResource("", "v1", "pods")
LIST = list_request(PODS)
WATCH = watch_request(PODS)
POD = {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "a"}}
PROMPT = 5.0
DEPRECATED = ("Warning", '299 - "v1beta1 is deprecated"')


def failure(code, reason="", message="no"):
    return {"kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": message}


def event(type_, name):
    return json.dumps({"type": type_, "object": {"kind": "Pod", "metadata": {"name": name}}}).encode() + b"\n"


@pytest.fixture
def server():
    with ScriptedServer(tls=True) as server:
        yield server


@pytest.fixture
def connect(server):
    clients = []

    def connect(*, host=None, timeout=None, **options):
        config = RESTConfig(host=host or server.url, tls=TLSConfig(ca_data=server.ca_data), timeout=timeout)
        clients.append(RESTClient(config, **options))
        return clients[-1]

    yield connect
    for client in clients:
        client.close()


@pytest.fixture
def client(connect):
    return connect()


@pytest.fixture
def default_handler():
    yield set_default_warning_handler
    set_default_warning_handler(None)


# ---------------------------------------------------------------------- the fluent builder


@pytest.mark.behaviour("2.4.4", "2.6.1", "2.8.14")
def test_do(server, client):
    server.reply_json(POD, 201, [DEPRECATED])
    request = client.post().namespace("shop").resource("pods").param("dryRun", "All").body(POD)
    result = request.do(warnings=suppress_warnings)
    assert (result.status, result.was_created, result.content_type) == (201, True, "application/json")
    assert result.object() == POD
    assert [warning.text for warning in result.warnings] == ["v1beta1 is deprecated"]
    sent = server.requests[0]
    assert (sent.method, sent.target) == ("POST", "/api/v1/namespaces/shop/pods?dryRun=All")
    assert sent.header("Accept") == ["application/json, */*"]
    assert sent.header("Content-Type") == ["application/json"]
    assert json.loads(sent.body) == POD


@pytest.mark.behaviour("2.5.6")
@pytest.mark.parametrize("type_", list(PatchType))
def test_a_patch_says_its_type(server, client, type_):
    server.reply_json(POD)
    client.patch(type_).resource("pods").name("a").body({}).do()
    assert server.requests[0].method == "PATCH"
    assert server.requests[0].header("Content-Type") == [type_.value]


@pytest.mark.parametrize("verb", ["get", "put", "delete"])
def test_each_verb(server, client, verb):
    server.reply_json(POD)
    getattr(client, verb)().resource("pods").do()
    assert server.requests[0].method == verb.upper()


def test_any_verb(server, client):
    server.reply_json(POD)
    assert isinstance(client.verb("OPTIONS"), RESTRequest)
    client.verb("OPTIONS").group_version(GroupVersion("apps", "v1")).do()
    assert server.requests[0].line.startswith(b"OPTIONS /apis/apps/v1 ")


@pytest.mark.behaviour("2.4.2", "2.4.9")
def test_the_prefix_of_the_host_goes_before_everything(server, connect):
    client = connect(host=server.url + "/k8s/clusters/c-1")
    for request, target in [
        (client.get().resource("pods"), "/api/v1/pods"),
        (client.get().abs_path("/version"), "/version"),
        (client.get().request_uri("/openapi/v3/api/v1?hash=X"), "/openapi/v3/api/v1?hash=X"),
    ]:
        server.reply_json(POD)
        request.do()
        assert server.requests[-1].target == "/k8s/clusters/c-1" + target


@pytest.mark.behaviour("2.4.11")
def test_a_builders_timeout_is_the_servers_and_ours(server, client):
    server.reply(HOLD)
    with pytest.raises(DeadlineExceededError):
        client.get().resource("pods").timeout(0.2).do()
    assert server.requests[0].target == "/api/v1/pods?timeout=200ms"


@pytest.mark.behaviour("2.4.6")
def test_nothing_is_sent_that_cannot_be_right(server, client):
    for wrong in (
        lambda: client.get().resource("pods").name("a/../b"),
        lambda: client.get().namespace("").resource("pods").name("a").do(),
        lambda: client.post().resource("pods").body({"a": {1}}).do(),
        lambda: client.execute(LIST, timeout=-1),
        lambda: client.execute(LIST, timeout="5"),
    ):
        with pytest.raises(InvalidRequestError):
            wrong()
    assert server.connection_count == 0


@pytest.mark.behaviour("2.8.3")
def test_do_raw_gives_bytes_and_generic_errors(server, client):
    server.reply_text("ok", content_type="text/plain")
    server.reply_json(failure(409, "AlreadyExists"), 500)
    assert client.get().abs_path("/healthz").do_raw() == b"ok"
    with pytest.raises(InternalServerError) as refused:
        client.get().abs_path("/healthz").do_raw()
    assert refused.value.reason == "InternalError"


@pytest.mark.behaviour("2.10.6")
def test_a_stream_of_bytes(server, client):
    server.stream(b"one", b"two", status=201)
    server.reply_json(failure(404, "NotFound", "no logs"), 404)
    with client.get().resource("pods").name("a").sub_resource("log").stream() as stream:
        assert stream.read_all() == b"onetwo"
    with pytest.raises(NotFoundError, match="no logs"):
        client.get().resource("pods").name("a").sub_resource("log").stream()


def test_a_watch_by_the_builder(server, client):
    server.stream(event("ADDED", "a"))
    with client.get().resource("pods").param("watch", True).watch() as watch:
        assert [each.object["metadata"]["name"] for each in watch] == ["a"]
    assert server.requests[0].target == "/api/v1/pods?watch=true"


# ---------------------------------------------------------------------- execute


@pytest.mark.behaviour("2.8.1")
@pytest.mark.parametrize("status", [200, 201, 202, 206])
def test_success(server, client, status):
    server.reply_json(POD, status)
    assert client.execute(LIST).status == status


def test_not_modified_is_an_answer_to_a_conditional_request_only(server, client):
    not_modified = b"HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n"
    server.reply(not_modified)
    server.reply(not_modified)
    assert client.execute(Request("GET", "/apis", headers=(("If-None-Match", '"x"'),))).status == 304
    with pytest.raises(APIStatusError):
        client.execute(Request("GET", "/apis"))


@pytest.mark.behaviour("2.8.2")
def test_a_refusal(server, client):
    server.reply_json(failure(404, "NotFound", 'pods "a" not found'), 404)
    with pytest.raises(NotFoundError, match='pods "a" not found') as refused:
        client.execute(LIST)
    assert (refused.value.method, refused.value.path) == ("GET", "/api/v1/pods")


@pytest.mark.behaviour("2.7.8")
def test_the_configs_timeout_is_the_default_of_a_call_and_not_of_a_watch(server, connect):
    client = connect(timeout=0.2)
    server.reply(HOLD)
    with pytest.raises(DeadlineExceededError):
        client.execute(LIST)
    gate = threading.Event()
    server.stream(gate, event("ADDED", "a"))
    with client.watch(WATCH) as watch:
        with pytest.raises(DeadlineExceededError):
            server.reply(HOLD)
            client.execute(LIST)  # as long as the timeout lasts
        gate.set()
        assert next(watch).type is EventType.ADDED


@pytest.mark.behaviour("2.7.8", "2.10.4")
def test_a_watch_with_a_timeout_ends_in_it(server, client):
    server.stream(event("ADDED", "a"), HOLD)
    with client.watch(WATCH, timeout=0.2) as watch:
        assert next(watch).type is EventType.ADDED
        with pytest.raises(DeadlineExceededError):
            next(watch)


@pytest.mark.behaviour("2.7.8")
def test_an_error_after_others_keeps_its_type_and_mentions_them(server, connect):
    client = connect(retry=RetryPolicy(1))
    server.reply(RESET)
    server.reply(RESET)
    with pytest.raises(ConnectionLostError, match=r" - error from a previous attempt: ") as lost:
        client.execute(LIST)
    assert str(lost.value).count("previous attempt") == 1
    server.reply_json({}, 429, {"Retry-After": "0"})
    server.reply_json({}, 429, {"Retry-After": "0"})
    with pytest.raises(TooManyRequestsError) as refused:
        client.execute(LIST)
    assert refused.value.message.startswith("the server has received too many requests")
    assert refused.value.__notes__ == ["error from a previous attempt: HTTP 429 with Retry-After: 0"]
    server.reply_json({}, 429, {"Retry-After": "600"})
    with pytest.raises(DeadlineExceededError, match="previous attempt: HTTP 429"):
        client.execute(LIST, timeout=0.2)


@pytest.mark.behaviour("2.7.8")
def test_a_token_that_is_cancelled_already_sends_nothing(server, client):
    token = CancelToken()
    token.cancel()
    for call in (client.execute, client.stream, client.watch):
        with pytest.raises(CancelledError):
            call(LIST, cancel=token)
    assert server.connection_count == 0


def test_many_threads_share_a_client(server, client):
    server.on(lambda request: json_response({"kind": "X", "target": request.target}))
    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda name: client.get().resource("pods").name(f"p{name}").do().object(), range(64))
        assert [each["target"] for each in answers] == [f"/api/v1/pods/p{name}" for name in range(64)]


def test_a_users_session_and_auth_are_used(server, connect):
    def sign(request):
        request.headers["X-Signed"] = "yes"
        return request

    server.reply_json(POD)
    with requests.Session() as session:
        session.headers["X-Mine"] = "1"
        connect(session=session, auth=sign).execute(LIST)
    assert server.requests[0].header("X-Mine") == ["1"]
    assert server.requests[0].header("X-Signed") == ["yes"]


def test_a_transport_can_be_given(server):
    config = RESTConfig(host=server.url, tls=TLSConfig(ca_data=server.ca_data))
    server.reply_json(POD)
    with RESTClient(config, transport=Transport(config)) as client:
        assert client.execute(LIST).status == 200


def test_a_config_that_cannot_be_used():
    with pytest.raises(ConfigError):
        RESTClient(RESTConfig(host="https://127.0.0.1:1", tls=TLSConfig(ca_file="/nonexistent/ca.crt")))


def test_a_repr_names_the_server_and_no_secret(server, connect):
    config = RESTConfig(host="https://127.0.0.1:1", bearer_token="s3cret")
    with RESTClient(config) as client:
        assert repr(client) == "RESTClient('https://127.0.0.1:1')"
        assert "s3cret" not in repr(client.get().resource("pods"))


# ---------------------------------------------------------------------- closing


def test_a_closed_client_sends_nothing(server, client):
    client.close()
    client.close()
    for call in (client.execute, client.stream, client.watch):
        with pytest.raises(ClosedError):
            call(LIST)
    assert server.connection_count == 0


def test_closing_ends_calls_waits_and_watches(server, client):
    server.stream(event("ADDED", "a"), HOLD)
    watch = client.watch(WATCH)
    assert next(watch).type is EventType.ADDED
    server.reply_json({}, 429, {"Retry-After": "600"})
    with ThreadPoolExecutor(3) as pool:
        waiting = pool.submit(client.execute, LIST)
        server.wait_for_requests(2)
        server.reply(HOLD)
        reading = pool.submit(client.execute, LIST)
        server.wait_for_requests(3)
        following = pool.submit(list, watch)
        client.close()
        for call in (waiting, reading):
            with pytest.raises(ClosedError):
                call.result(PROMPT)
        assert following.result(PROMPT) == []


# ---------------------------------------------------------------------- watches


@pytest.mark.behaviour("2.10.1", "2.6.4")
def test_events_of_every_type_as_they_come(server, client):
    bookmark = b'{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"9"}}}\n'
    gate = threading.Event()
    server.stream(event("ADDED", "a"), gate, event("MODIFIED", "a") + event("DELETED", "a"), bookmark)
    with client.watch(WATCH) as watch:
        assert next(watch).type is EventType.ADDED, "before anything else was sent"
        gate.set()
        assert [each.type for each in watch] == [EventType.MODIFIED, EventType.DELETED, EventType.BOOKMARK]
        with pytest.raises(StopIteration):
            next(watch)


def test_an_error_event_is_handed_over(server, client):
    frame = json.dumps({"type": "ERROR", "object": failure(410, "Expired")}).encode()
    server.stream(frame)
    with client.watch(WATCH) as watch:
        assert [each.type for each in watch] == [EventType.ERROR]


@pytest.mark.behaviour("2.8.1")
@pytest.mark.parametrize("status", [201, 202, 206])
def test_only_200_is_a_watch(server, client, status):
    server.stream(event("ADDED", "a"), status=status)
    with pytest.raises(APIStatusError) as refused:
        client.watch(WATCH)
    assert refused.value.http_status == status


@pytest.mark.behaviour("2.8.5")
def test_a_watch_that_is_answered_by_something_else(server, client):
    server.reply_text("<html>Sign in</html>")
    with pytest.raises(DecodeError, match=r"serializer for text/html doesn't exist: GET /api/v1/pods .*Sign in"):
        client.watch(WATCH)


@pytest.mark.behaviour("2.8.5")
@pytest.mark.parametrize("headers", [(), [("Content-Type", "application/json;stream=watch")]])
def test_a_watch_with_parameters_or_without_a_type_is_json(server, client, headers):
    server.stream(event("ADDED", "a"), headers=headers)
    with client.watch(WATCH) as watch:
        assert len(list(watch)) == 1


def test_leaving_a_watch_closes_its_connection(server, client):
    server.stream(event("ADDED", "a"), HOLD)
    with client.watch(WATCH) as watch:
        assert isinstance(watch, WatchStream)
        next(watch)
    server.wait_for_ends(1)
    assert list(watch) == []
    watch.close()


# ---------------------------------------------------------------------- warnings


@pytest.mark.behaviour("2.9.3")
def test_warnings_are_logged_by_default(server, client, caplog):
    server.reply_json(POD, headers=[DEPRECATED])
    with caplog.at_level(logging.WARNING, "dynkube.warnings"):
        client.execute(LIST)
    assert [each.getMessage() for each in caplog.records] == ["v1beta1 is deprecated"]


@pytest.mark.behaviour("2.9.3")
def test_the_request_overrides_the_client_and_the_client_the_default(server, connect, default_handler):
    heard = []
    default_handler(lambda warning: heard.append(("default", warning.text)))
    plain, own = connect(), connect(warnings=lambda warning: heard.append(("client", warning.text)))
    for _ in range(4):
        server.reply_json(POD, headers=[DEPRECATED])
    plain.execute(LIST)
    own.execute(LIST)
    own.execute(LIST, warnings=lambda warning: heard.append(("request", warning.text)))
    own.get().resource("pods").do(warnings=suppress_warnings)
    assert [who for who, _ in heard] == ["default", "client", "request"]


@pytest.mark.behaviour("2.9.2")
def test_warnings_come_with_refusals_streams_and_watches(server, connect):
    out = io.StringIO()
    client = connect(warnings=WarningWriter(out, deduplicate=False))
    server.reply_json(failure(404, "NotFound"), 404, [("Warning", '299 - "refused"')])
    server.stream(b"x", headers=[("Warning", '299 - "stream"')])
    server.stream(event("ADDED", "a"), headers=[("Warning", '299 - "watch"')])
    server.reply_json(failure(410, "Expired"), 410, [("Warning", '299 - "watch refused"')])
    with pytest.raises(NotFoundError):
        client.execute(LIST)
    client.stream(LIST).close()
    client.watch(WATCH).close()
    with pytest.raises(APIStatusError):
        client.watch(WATCH)
    assert out.getvalue() == "".join(f"Warning: {text}\n" for text in ("refused", "stream", "watch", "watch refused"))


@pytest.mark.behaviour("2.9.2")
def test_only_299_with_a_text_is_told(server, connect):
    heard = []
    client = connect(warnings=heard.append)
    server.reply_json(POD, headers=[("Warning", '199 - "misc"'), ("Warning", '299 - ""'), ("Warning", '299 - "x"')])
    response = client.execute(LIST)
    assert [warning.text for warning in heard] == ["x"]
    assert [warning.text for warning in response.warnings()] == ["misc", "", "x"]


def test_a_handler_that_raises_leaves_no_open_stream(server, connect):
    def handler(warning):
        raise RuntimeError(warning.text)

    client = connect(warnings=handler)
    server.stream(event("ADDED", "a"), HOLD, headers=[DEPRECATED])
    with pytest.raises(RuntimeError, match="deprecated"):
        client.watch(WATCH)
    server.wait_for_ends(1)
