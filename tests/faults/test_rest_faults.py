"""What `RESTClient` makes of real faults: what it repeats, what it raises, how a watch ends."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from scripted import CLOSE, HOLD, ScriptedServer, json_response, response

from dynkube.config.model import RESTConfig, TLSConfig
from dynkube.errors import (
    APIStatusError,
    CancelledError,
    ClosedError,
    ConnectError,
    ConnectionLostError,
    DeadlineExceededError,
    DecodeError,
    DynkubeError,
    FrameTooLargeError,
    InternalServerError,
    ServiceUnavailableError,
    TooManyRequestsError,
)
from dynkube.rest import RESTClient
from dynkube.testing.faultproxy import Fault, FaultProxy
from dynkube.transport import CancelToken
from dynkube.wire.messages import Headers, Request
from dynkube.wire.retry import Mode, RetryPolicy
from dynkube.wire.watch import EventType

GET = Request("GET", "/api/v1/pods", verb="list")
WATCH = Request("GET", "/api/v1/pods", (("watch", "true"),), verb="watch")
OBJECT = {"kind": "PodList", "apiVersion": "v1", "items": []}
PROMPT = 5.0


@dataclass(frozen=True, slots=True)
class AtOnce(RetryPolicy):
    """The real decisions, without the second that client-go waits after a lost connection."""

    def after_error(self, retries: int, request: Request, error: Exception, mode: Mode) -> float | None:
        delay = RetryPolicy.after_error(self, retries, request, error, mode)
        return None if delay is None else 0.0

    def after_response(self, retries: int, request: Request, status: int, headers: Headers) -> float | None:
        return RetryPolicy.after_response(self, retries, request, status, headers)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer(tls=True) as server:
        server.on(lambda request: json_response(OBJECT))
        yield server


@pytest.fixture
def proxy(server) -> Iterator[FaultProxy]:
    with FaultProxy.before(server) as proxy:
        yield proxy


@pytest.fixture
def client(proxy) -> Iterator[RESTClient]:
    with client_of(proxy) as client:
        yield client


def client_of(server, **options) -> RESTClient:
    config = RESTConfig(host=server.url, tls=TLSConfig(ca_data=server.ca_data), bearer_token="secret-token")
    return RESTClient(config, retry=AtOnce(options.pop("max_retries", 10)), **options)


def event(name: str) -> bytes:
    return json.dumps({"type": "ADDED", "object": {"kind": "Pod", "metadata": {"name": name}}}).encode() + b"\n"


def names(events) -> list[str]:
    return [each.object["metadata"]["name"] for each in events]


# ---------------------------------------------------------------------- lost connections


@pytest.mark.behaviour("2.7.4")
@pytest.mark.parametrize("fault", [Fault.reset(), Fault.cut(), Fault.reset(at="request")])
def test_a_get_is_repeated_until_it_comes_through(proxy, client, fault):
    proxy.inject(fault, times=3)
    assert client.get().abs_path("/api/v1/pods").do().object() == OBJECT
    assert len(proxy.requests) == 4


@pytest.mark.behaviour("2.7.1", "2.7.8")
def test_a_get_is_repeated_so_often_and_no_more(proxy):
    proxy.inject(Fault.reset(), times=None)
    with client_of(proxy, max_retries=2) as client, pytest.raises(ConnectionLostError) as lost:
        client.execute(GET)
    assert len(proxy.requests) == 3
    assert "error from a previous attempt: " in str(lost.value)


@pytest.mark.behaviour("2.7.4")
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("fault", [Fault.reset(), Fault.cut(), Fault.reset(at="request")])
def test_a_write_is_sent_once(proxy, client, method, fault):
    client.execute(GET)
    proxy.inject(fault, method=method)
    with pytest.raises(ConnectionLostError):
        client.execute(Request(method, "/api/v1/namespaces/a/pods/b", body=b"{}"))
    assert [each.method for each in proxy.requests] == ["GET", method]


@pytest.mark.behaviour("2.7.4")
def test_a_refused_connection_is_not_repeated(proxy, client):
    proxy.refuse()
    started = time.monotonic()
    with pytest.raises(ConnectError):
        client.execute(GET)
    with pytest.raises(ConnectError):
        client.watch(WATCH)
    assert time.monotonic() - started < PROMPT


@pytest.mark.behaviour("2.7.12")
@pytest.mark.parametrize("fault", [Fault.cut(after_body_bytes=5), Fault.reset(after_body_bytes=0)])
def test_a_loss_in_the_body_is_not_repeated(proxy, client, fault):
    proxy.inject(fault, times=None)
    with pytest.raises(ConnectionLostError, match="body"):
        client.execute(GET)
    assert len(proxy.requests) == 1


@pytest.mark.behaviour("2.7.5")
def test_the_start_of_a_stream_is_not_repeated(proxy, client):
    proxy.inject(Fault.reset(), times=None)
    with pytest.raises(ConnectionLostError):
        client.stream(Request("GET", "/api/v1/namespaces/a/pods/b/log"))
    assert len(proxy.requests) == 1


# ---------------------------------------------------------------------- refusals with Retry-After


@pytest.mark.behaviour("2.7.2", "2.7.3", "2.7.7")
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("status", [429, 503])
def test_a_refusal_with_retry_after_is_repeated_with_its_body(server, client, method, status):
    for _ in range(2):
        server.reply_json({"kind": "Status"}, status=status, headers={"Retry-After": "0"})
    body = None if method == "GET" else b'{"a":1}'
    assert client.execute(Request(method, "/api/v1/pods", body=body)).status == 200
    assert [(each.method, each.body) for each in server.requests] == [(method, body or b"")] * 3
    assert server.connection_count == 1, "refused requests leave the connection in order"


@pytest.mark.behaviour("2.7.2")
@pytest.mark.parametrize("header", [{}, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, {"Retry-After": "soon"}])
@pytest.mark.parametrize(("status", "error"), [(429, TooManyRequestsError), (503, ServiceUnavailableError)])
def test_a_refusal_without_seconds_is_final(server, client, header, status, error):
    server.reply_json({"kind": "Status", "status": "Failure"}, status=status, headers=header)
    with pytest.raises(error):
        client.execute(GET)
    assert len(server.requests) == 1


@pytest.mark.behaviour("2.7.2")
def test_a_post_that_failed_inside_the_server_is_final(server, client):
    server.reply_json({}, status=500, headers={"Retry-After": "0"})
    with pytest.raises(InternalServerError):
        client.execute(Request("POST", "/api/v1/pods", body=b"{}"))
    assert len(server.requests) == 1


@pytest.mark.behaviour("2.7.6")
def test_a_body_that_can_be_read_once_is_sent_once(server, client):
    server.reply_json({}, status=429, headers={"Retry-After": "0"})
    with pytest.raises(TooManyRequestsError):
        client.execute(Request("PUT", "/api/v1/pods", body=iter([b"{", b"}"])))
    assert [each.body for each in server.requests] == [b"{}"]


@pytest.mark.behaviour("2.7.2", "2.7.7")
@pytest.mark.parametrize("start", ["stream", "watch"])
def test_streams_wait_as_they_are_told(server, client, start):
    server.reply_json({"message": "x" * 10_000}, status=503, headers={"Retry-After": "0"})
    server.stream(event("a"))
    with getattr(client, start)(WATCH):
        pass
    assert len(server.requests) == 2


@pytest.mark.behaviour("2.7.8")
def test_the_deadline_covers_the_waits(server, client):
    server.reply_json({}, status=429, headers={"Retry-After": "600"})
    started = time.monotonic()
    with pytest.raises(DeadlineExceededError):
        client.execute(GET, timeout=0.2)
    assert time.monotonic() - started < PROMPT


@pytest.mark.behaviour("2.7.8")
def test_cancelling_ends_a_wait(server, client):
    token = CancelToken()
    server.reply_json({}, status=429, headers={"Retry-After": "600"})
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(client.execute, GET, cancel=token)
        server.wait_for_requests(1)
        token.cancel()
        with pytest.raises(CancelledError):
            call.result(PROMPT)


# ---------------------------------------------------------------------- watches


@pytest.mark.behaviour("2.7.5")
def test_the_start_of_a_watch_is_repeated(server, proxy, client):
    server.stream(event("a"))
    proxy.inject(Fault.reset(at="request"), times=2)
    with client.watch(WATCH) as watch:
        assert names(watch) == ["a"]
    assert len(proxy.requests) == 3


@pytest.mark.behaviour("2.7.5", "2.7.9")
@pytest.mark.parametrize("fault", [Fault.reset(), Fault.stall()])
def test_a_watch_that_never_starts_is_an_empty_one(proxy, fault):
    proxy.inject(fault, times=None)
    with client_of(proxy, max_retries=2) as client, client.watch(WATCH, idle_timeout=0.1) as watch:
        assert list(watch) == []
    assert len(proxy.requests) == 3


@pytest.mark.behaviour("2.10.1")
@pytest.mark.parametrize(
    "fault", [Fault.cut(after_chunks=2), Fault.reset(after_chunks=2), Fault.half_close(after_chunks=2)]
)
def test_a_watch_that_is_cut_ends_after_what_came(server, proxy, client, fault):
    for _ in range(2):
        server.stream(event("a"), event("b"), HOLD)
    proxy.inject(fault, times=2)
    with client.watch(WATCH) as watch:
        assert names(watch) == ["a", "b"]
    with client.watch(WATCH) as watch:
        events = watch.strict()
        assert names([next(events), next(events)]) == ["a", "b"]
        with pytest.raises(ConnectionLostError):
            next(events)
    proxy.wait_until_idle(PROMPT)


@pytest.mark.behaviour("2.10.1")
def test_a_watch_that_is_cut_in_an_event_hands_over_no_half_event(server, proxy, client):
    frame = event("b")
    server.stream(event("a"), frame, HOLD)
    proxy.inject(Fault.cut(after_body_bytes=len(event("a")) + len(frame) // 2))
    with client.watch(WATCH) as watch:
        assert names(watch) == ["a"]


@pytest.mark.behaviour("2.10.1")
def test_a_watch_whose_end_is_orderly_but_whose_last_event_is_not_whole(server, client):
    server.stream(event("a"), event("b")[:10])
    with client.watch(WATCH) as watch:
        assert names(watch) == ["a"]


@pytest.mark.behaviour("2.10.1", "2.8.5")
@pytest.mark.parametrize(
    "garbage", [b"<html></html>", b"null\n", b'{"type":"ADDED"}\n', b'{"type":"A" "b"}\n', b"\xff\xfe\n"]
)
def test_a_watch_of_something_else_ends_in_an_error_event(server, client, garbage):
    server.stream(event("a"), garbage)
    with client.watch(WATCH) as watch:
        first, last = watch
    assert first.object["metadata"]["name"] == "a"
    assert last.type is EventType.ERROR


@pytest.mark.behaviour("2.10.1")
def test_dribbled_events_and_characters(server, proxy, client):
    server.stream(event("é") + event("b"), event("c"))
    proxy.inject(Fault.dribble(size=1))
    with client.watch(WATCH) as watch:
        assert names(watch) == ["é", "b", "c"]


@pytest.mark.behaviour("2.10.2")
def test_a_watch_frame_of_20_mib(server, client):
    huge = event("x" * (20 << 20))
    for _ in range(2):
        server.reply(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n", event("a"), huge, CLOSE)
    with client.watch(WATCH) as watch:
        first, last = watch
        assert (first.type, last.type) == (EventType.ADDED, EventType.ERROR)
    with client.watch(WATCH) as watch, pytest.raises(FrameTooLargeError):
        list(watch.strict())


@pytest.mark.behaviour("2.8.1", "2.8.2")
def test_a_watch_that_is_refused(server, client):
    status = {"kind": "Status", "status": "Failure", "reason": "Expired", "code": 410, "message": "too old"}
    server.reply_json(status, status=410)
    with pytest.raises(APIStatusError, match="too old") as refused:
        client.watch(WATCH)
    assert refused.value.reason == "Expired"


@pytest.mark.behaviour("2.10.3")
def test_closing_or_cancelling_a_watch_wakes_its_reader(server, proxy, client):
    token = CancelToken()
    for ending in ("close", "cancel", "client"):
        server.stream(event("a"), HOLD)
        watch = client.watch(WATCH, cancel=token if ending == "cancel" else None)
        assert names([next(watch)]) == ["a"]
        with ThreadPoolExecutor(1) as pool:
            reading = pool.submit(lambda watch=watch: list(watch.strict()))
            {"close": watch.close, "cancel": token.cancel, "client": client.close}[ending]()
            with pytest.raises(CancelledError if ending == "cancel" else ClosedError):
                reading.result(PROMPT)
    proxy.wait_until_idle(PROMPT)


@pytest.mark.behaviour("2.10.4")
def test_a_stalled_watch_ends_by_its_idle_timeout(server, proxy, client):
    server.stream(event("a"), HOLD)
    proxy.inject(Fault.stall(after_chunks=1))
    with client.watch(WATCH, idle_timeout=0.2) as watch:
        assert names(watch) == ["a"]


def test_many_watches_and_a_kill(server, proxy, client):
    gate = threading.Event()
    server.on(lambda request: stream_of(event("a"), gate) if "watch" in request.target else json_response(OBJECT))

    def follow() -> list[str]:
        with client.watch(WATCH) as watch:
            return names(watch)

    with ThreadPoolExecutor(8) as pool:
        following = [pool.submit(follow) for _ in range(8)]
        proxy.wait_for(lambda proxy: sum(each.status == 200 for each in proxy.requests) == 8)
        server.wait_for_requests(8)
        assert client.execute(GET).status == 200
        proxy.cut_all()
        for each in following:
            assert each.result(PROMPT) in (["a"], [])
    gate.set()
    assert client.execute(GET).status == 200


def stream_of(frame: bytes, gate: threading.Event) -> Iterator[bytes | threading.Event]:
    yield b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + frame
    yield gate


# ---------------------------------------------------------------------- answers that no API server gives


@pytest.mark.behaviour("2.8.5", "2.8.6")
@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (response(b"<html>Sign in</html>", headers=[("Content-Type", "text/html")]), "text/html"),
        (response(b"", headers=[("Content-Type", "application/json")]), "0-length response"),
        (response(b'{"kind": "Pod', headers=[("Content-Type", "application/json")]), "GET /api/v1/pods"),
        (response(b"[1, 2]", headers=[("Content-Type", "application/json")]), "/api/v1/pods"),
        (response(b"\xff\xfe\x00", headers=[("Content-Type", "application/json")]), "/api/v1/pods"),
        (response(b"null", headers=[("Content-Type", "application/json")]), "/api/v1/pods"),
        (response(b'{"a": NaN}', headers=[("Content-Type", "application/json")]), "/api/v1/pods"),
    ],
    ids=["html", "empty", "truncated", "list", "no utf-8", "null", "nan"],
)
def test_an_answer_that_is_no_object(server, client, answer, words):
    server.reply(answer)
    with pytest.raises(DecodeError, match=words) as raised:
        client.get().abs_path("/api/v1/pods").do().object()
    assert "secret-token" not in f"{raised.value!r}{raised.value}"


@pytest.mark.behaviour("2.8.6", "2.8.7")
@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 418, 422, 500, 502, 504])
@pytest.mark.parametrize("body", [b"<html>Bad</html>", b"", b'{"kind": "Stat', b"\xff\x00", b"x" * 5000])
def test_a_refusal_that_is_no_status(server, client, status, body):
    server.reply(response(body, status, [("Content-Type", "text/html")]))
    with pytest.raises(APIStatusError) as refused:
        client.execute(GET)
    assert refused.value.http_status == status
    assert refused.value.message
    assert len(str(refused.value)) < 4000
    assert "/api/v1/pods" in str(refused.value)


@pytest.mark.behaviour("2.9.1", "2.9.2")
def test_warnings_come_in_repeated_lines_with_success_and_refusal(server, proxy):
    heard: list[str] = []
    lines = [
        ("Warning", '299 - "one"'),
        ("Warning", '299 - "two \\"quoted\\"", 299 - "three"'),
        ("Warning", "299 broken"),
    ]
    server.reply_json(OBJECT, headers=lines)
    server.reply_json({"kind": "Status", "status": "Failure"}, status=404, headers=lines[:1])
    with client_of(proxy, warnings=lambda warning: heard.append(warning.text)) as client:
        client.execute(GET)
        with pytest.raises(APIStatusError):
            client.execute(GET)
    assert heard == ["one", 'two "quoted"', "three", "one"]


def test_a_server_that_fails_in_every_way_never_shows_the_token(server, proxy, client):
    faults = [
        Fault.reset(at="request"),
        Fault.cut(),
        Fault.cut(after_header_bytes=5),
        Fault.reset(after_body_bytes=3),
    ]
    for fault in faults:
        injection = proxy.inject(fault, times=None)
        with pytest.raises(DynkubeError) as failed:
            client.execute(Request("PUT", "/api/v1/pods", body=b"{}"))
        chain: BaseException | None = failed.value
        while chain is not None:
            assert "secret-token" not in f"{chain!r} {chain}"
            chain = chain.__cause__ or chain.__context__
        injection.remove()
