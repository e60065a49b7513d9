"""What `Transport` makes of real faults on real sockets."""

from __future__ import annotations

import contextlib
import gzip
import json
import math
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import certs
import pytest
from scripted import CLOSE, HALF_CLOSE, HOLD, RESET, ScriptedServer, chunk, response, response_head

from dynkube.config.model import RESTConfig, TLSConfig
from dynkube.errors import (
    CancelledError,
    ClosedError,
    ConnectError,
    ConnectionLostError,
    DeadlineExceededError,
    DecodeError,
    RequestTimeoutError,
    TLSError,
    TransportError,
)
from dynkube.testing.faultproxy import Fault, FaultProxy
from dynkube.transport import CallScope, CancelToken, Stream, Transport
from dynkube.wire.messages import Request

GET = Request("GET", "/api/v1/pods", verb="list")
WATCH = Request("GET", "/api/v1/pods", (("watch", "true"),), verb="watch")
BODY = json.dumps({"kind": "PodList", "items": ["x" * 200] * 10}).encode()
TOKEN = "secret-token"
# How soon a thread that blocks must wake up: far below any timeout of the transport, far above a slow machine's.
PROMPT = 5.0


@pytest.fixture(params=["plain", "tls"])
def server(request) -> Iterator[ScriptedServer]:
    with ScriptedServer(tls=request.param == "tls") as server:
        server.on(lambda request: response(BODY, headers=[("Content-Type", "application/json")]))
        yield server


@pytest.fixture
def proxy(server) -> Iterator[FaultProxy]:
    with FaultProxy.before(server) as proxy:
        yield proxy


@pytest.fixture
def transport(proxy) -> Iterator[Transport]:
    with Transport(config_of(proxy)) as transport:
        yield transport


def config_of(server, **changes) -> RESTConfig:
    return RESTConfig(
        host=server.url,
        tls=changes.pop("tls", None) or TLSConfig(ca_data=server.ca_data),
        bearer_token=TOKEN,
        allow_plain_http_credentials=True,
        **changes,
    )


@contextmanager
def direct(server, **changes) -> Iterator[Transport]:
    with Transport(config_of(server, **changes)) as transport:
        yield transport


@contextmanager
def in_thread(function: Callable[[], object]) -> Iterator[Future[object]]:
    """``function`` under way in another thread, its outcome a future."""
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(function)


def failed(excinfo) -> str:
    """The error's text, which must hold no credential."""
    text = f"{excinfo.value} {excinfo.value!r}"
    assert TOKEN not in text
    return text


# ---------------------------------------------------------------------- stale pooled connections


@pytest.mark.behaviour("2.1.11")
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
@pytest.mark.parametrize("fault", [Fault.cut(at="request"), Fault.reset(at="request"), Fault.reset(), Fault.cut()])
def test_a_stale_pooled_connection_is_replaced_once(server, proxy, transport, method, fault):
    transport.send(GET)
    proxy.inject(fault, method=method)
    sent = transport.send(Request(method, "/api"))
    assert sent.status == 200
    assert [each.method for each in proxy.requests] == ["GET", method, method]
    assert [each.connection for each in proxy.requests] == [1, 1, 2]


@pytest.mark.behaviour("2.1.11")
def test_a_replay_is_not_replayed(proxy, transport):
    transport.send(GET)
    proxy.inject(Fault.reset(at="request"), times=2)
    with pytest.raises(ConnectionLostError):
        transport.send(GET)
    assert len(proxy.requests) == 3
    assert transport.send(GET).body == BODY


@pytest.mark.behaviour("2.1.11")
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("body", [b"{}", None])
@pytest.mark.parametrize("fault", [Fault.cut(at="request"), Fault.reset()])
def test_a_write_is_never_replayed(server, proxy, transport, method, body, fault):
    transport.send(GET)
    proxy.inject(fault, method=method)
    with pytest.raises(ConnectionLostError) as lost:
        transport.send(Request(method, "/api/v1/pods/a", body=body))
    assert not lost.value.response_started
    assert (lost.value.method, lost.value.url) == (method, f"{proxy.url}/api/v1/pods/a")
    assert [each.method for each in proxy.requests] == ["GET", method]
    assert [each.method for each in server.requests].count(method) == (1 if fault.moment == "response" else 0)


@pytest.mark.behaviour("2.1.11")
def test_a_fresh_connection_is_not_replayed(proxy, transport):
    proxy.inject(Fault.reset(at="request"))
    with pytest.raises(ConnectionLostError):
        transport.send(GET)
    assert len(proxy.requests) == 1


@pytest.mark.behaviour("2.1.11")
def test_a_server_that_closes_after_each_answer_without_saying_so(server):
    for _ in range(5):
        server.reply(response(BODY), CLOSE)
    with direct(server) as transport:
        for number in range(5):
            assert transport.send(GET).body == BODY
            server.wait_for_ends(number + 1)
    assert len(server.requests) == 5


@pytest.mark.behaviour("2.1.11")
def test_a_write_after_the_server_has_closed_is_sent_at_most_once(server):
    server.reply(response(BODY), CLOSE)
    with direct(server) as transport:
        transport.send(GET)
        server.wait_for_ends(1)
        # The end of the idle connection is known by now: a new one is taken, and nothing is at risk.
        assert transport.send(Request("POST", "/x", body=b"{}")).status == 200
    assert [each.method for each in server.requests] == ["GET", "POST"]


@pytest.mark.behaviour("2.1.11")
def test_every_idle_connection_is_suspect_after_a_kill(proxy, transport):
    barrier = threading.Barrier(4)

    def ask() -> int:
        barrier.wait(PROMPT)
        return transport.send(GET).status

    def all_ask() -> list[int]:
        with ThreadPoolExecutor(4) as pool:
            return [each.result() for each in [pool.submit(ask) for _ in range(4)]]

    assert all_ask() == [200] * 4
    proxy.reset_all()
    assert all_ask() == [200] * 4
    proxy.cut_all()
    assert all_ask() == [200] * 4


# ---------------------------------------------------------------------- before and in the header


@pytest.mark.behaviour("2.7.4")
@pytest.mark.parametrize("fault", [Fault.cut(), Fault.reset(), Fault.cut(at="request"), Fault.half_close()])
def test_a_connection_lost_before_the_header(proxy, transport, fault):
    proxy.inject(fault)
    with pytest.raises(ConnectionLostError, match="the connection was lost while") as lost:
        transport.send(GET)
    assert not lost.value.response_started
    assert proxy.url.partition("//")[2] in failed(lost)


@pytest.mark.behaviour("2.7.4", "2.7.12")
@pytest.mark.parametrize("offset", [1, 8, 12, 17, 30, 60])
@pytest.mark.parametrize("make", [Fault.cut, Fault.reset])
def test_a_header_that_is_cut_is_no_answer(proxy, transport, offset, make):
    fault = proxy.inject(make(after_header_bytes=offset))
    with pytest.raises(TransportError):
        transport.send(GET)
    fault.wait()
    with pytest.raises(TransportError):
        proxy.inject(make(after_header_bytes=offset))
        transport.stream(WATCH)
    assert transport.send(GET).body == BODY


@pytest.mark.behaviour("2.7.12")
def test_a_header_without_its_blank_line(server):
    server.reply(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n", CLOSE)
    with direct(server) as transport, pytest.raises(ConnectionLostError) as lost:
        transport.send(GET)
    assert lost.value.response_started


def test_a_dribbled_response(proxy, transport):
    proxy.inject(Fault.dribble(size=1))
    assert transport.send(GET).body == BODY


def test_a_dribbled_watch(server, proxy, transport):
    server.stream(b'{"type":"ADDED"}', b'{"type":"\xc3\xa9"}')
    proxy.inject(Fault.dribble(size=1, at="response"))
    with transport.stream(WATCH) as stream:
        assert stream.read_all() == b'{"type":"ADDED"}{"type":"\xc3\xa9"}'


# ---------------------------------------------------------------------- in the body


@pytest.mark.behaviour("2.7.12")
@pytest.mark.parametrize("make", [Fault.cut, Fault.reset, Fault.half_close])
@pytest.mark.parametrize("offset", [0, 1, 1000])
@pytest.mark.parametrize("framing", ["length", "chunked", "gzip"])
def test_a_body_that_breaks_off(server, proxy, transport, make, offset, framing):
    if framing == "chunked":
        server.stream(BODY[:1500], BODY[1500:])
    elif framing == "gzip":
        zipped = gzip.compress(bytes(range(256)) * 50, compresslevel=0)
        server.reply(response(zipped, headers=[("Content-Encoding", "gzip")]))
    proxy.inject(make(after_body_bytes=offset))
    with pytest.raises(ConnectionLostError) as lost:
        transport.send(GET)
    assert lost.value.response_started
    failed(lost)
    assert transport.send(GET).body == BODY, "the broken connection did not go back to the pool"


@pytest.mark.behaviour("2.7.12")
def test_the_length_lies(server):
    server.reply(response_head(200, [("Content-Length", "1000")]) + BODY[:10], CLOSE)
    server.reply(response_head(200, [("Content-Length", "2")]) + b"{}garbage", CLOSE)
    with direct(server) as transport:
        with pytest.raises(ConnectionLostError):
            transport.send(GET)
        assert transport.send(GET).body == b"{}"
        # The garbage must not be taken for the head of the next answer.
        assert transport.send(GET).body == BODY


@pytest.mark.behaviour("2.7.12")
@pytest.mark.parametrize("tail", [b"zz\r\n", b"-5\r\n", b"3\r\nab"])
def test_broken_chunks(server, tail):
    for _ in range(2):
        server.reply(response_head(200, [("Transfer-Encoding", "chunked")]) + chunk(b"abc") + tail, CLOSE)
    with direct(server) as transport:
        with pytest.raises(TransportError):
            transport.send(GET)
        with pytest.raises(TransportError), transport.stream(WATCH) as stream:
            stream.read_all()


@pytest.mark.parametrize("tail", [b"0\r\n", b"0\r\nX-Trailer: y\r\n"])
def test_the_last_chunk_without_the_end_of_its_trailer(server, tail):
    # All the content is there: whether that is an answer or a loss, it is never half an answer.
    server.reply(response_head(200, [("Transfer-Encoding", "chunked")]) + chunk(b"abc") + tail, CLOSE)
    with direct(server) as transport:
        with contextlib.suppress(ConnectionLostError):
            assert transport.send(GET).body == b"abc"
        assert transport.send(GET).body == BODY


@pytest.mark.parametrize("make", [Fault.cut, Fault.reset])
def test_a_stream_hands_over_what_came_and_then_raises(server, proxy, transport, make):
    server.stream(b"one", b"two", HOLD)
    proxy.inject(make(after_chunks=1))
    with transport.stream(WATCH) as stream:
        assert stream.read() == b"one"
        with pytest.raises(ConnectionLostError):
            stream.read()
        with pytest.raises(ConnectionLostError):
            stream.read()
    assert transport.send(GET).body == BODY


@pytest.mark.behaviour("2.2.5")
def test_repeated_header_lines_come_through(server):
    lines = [("Warning", '299 - "one"'), ("warning", '299 - "two, and a comma"')]
    server.reply(response(b"{}", headers=lines))
    with direct(server) as transport:
        sent = transport.send(Request("GET", "/", headers=(("X-A", "1"), ("X-A", "2, 3"))))
    assert sent.headers.getlist("Warning") == ['299 - "one"', '299 - "two, and a comma"']
    assert server.requests[0].header("X-A") == ["1", "2, 3"]


# ---------------------------------------------------------------------- gzip


# An id of its own: gzip's header has the time in it, and workers must agree on names.
@pytest.mark.parametrize(
    "garbage",
    [b"this is no gzip", gzip.compress(BODY)[:-9], gzip.compress(BODY)[:5]],
    ids=["none", "cut in its end", "cut in its header"],
)
def test_gzip_that_is_none(server, garbage):
    head = [("Content-Encoding", "gzip"), ("Content-Type", "application/json")]
    server.reply(response(garbage, headers=head))
    server.reply(response(garbage, headers=head))
    with direct(server) as transport:
        with pytest.raises(DecodeError, match="gzip"):
            transport.send(GET)
        with pytest.raises(DecodeError, match="gzip"), transport.stream(WATCH) as stream:
            stream.read_all()
        assert transport.send(GET).body == BODY


def test_gzip_in_drops_and_members(server, proxy, transport):
    zipped = gzip.compress(BODY[:100]) + gzip.compress(BODY[100:])
    server.reply(response(zipped, headers=[("Content-Encoding", "gzip")]))
    server.stream(zipped, headers=[("Content-Encoding", "gzip")])
    proxy.inject(Fault.dribble(size=7), times=2)
    assert transport.send(GET).body == BODY
    with transport.stream(WATCH) as stream:
        assert stream.read_all() == BODY


# ---------------------------------------------------------------------- silence


@pytest.mark.parametrize("fault", [Fault.stall(at="request"), Fault.stall(), Fault.stall(after_header_bytes=9)])
def test_a_silent_server_and_the_read_timeout(proxy, transport, fault):
    proxy.inject(fault)
    with pytest.raises(RequestTimeoutError, match="timed out while waiting for the response"):
        transport.send(GET, read_timeout=0.1)


@pytest.mark.parametrize("fault", [Fault.stall(after_body_bytes=10), Fault.stall(after_body_bytes=0)])
def test_a_server_that_falls_silent_in_the_body(proxy, transport, fault):
    proxy.inject(fault)
    with pytest.raises(RequestTimeoutError, match="reading the response's body"):
        transport.send(GET, read_timeout=0.1)
    proxy.inject(fault)
    with pytest.raises(RequestTimeoutError), transport.stream(WATCH, read_timeout=0.1) as stream:
        stream.read_all()
    proxy.resume()
    assert transport.send(GET).body == BODY


def test_a_server_that_accepts_and_never_shakes_hands(server, proxy):
    proxy.stall()
    with Transport(config_of(proxy)) as transport, pytest.raises(DeadlineExceededError):
        transport.send(GET, scope=CallScope(0.2))


MOMENTS = {
    "handshake": Fault.stall(at="connect"),
    "request": Fault.stall(at="request"),
    "header": Fault.stall(after_header_bytes=20),
    "body": Fault.stall(after_body_bytes=1000),
}


@pytest.mark.behaviour("2.7.8", "2.10.3")
@pytest.mark.parametrize("fault", MOMENTS.values(), ids=MOMENTS)
def test_a_deadline_ends_a_call_wherever_it_blocks(proxy, transport, fault):
    proxy.inject(fault)
    started = time.monotonic()
    with pytest.raises(DeadlineExceededError, match=r"0\.2 s"):
        transport.send(GET, scope=CallScope(0.2), read_timeout=math.inf)
    assert time.monotonic() - started < PROMPT


@pytest.mark.behaviour("2.7.8", "2.10.3")
@pytest.mark.parametrize("fault", MOMENTS.values(), ids=MOMENTS)
def test_cancelling_ends_a_call_wherever_it_blocks(proxy, transport, fault):
    token = CancelToken()
    injected = proxy.inject(fault)
    with in_thread(lambda: transport.send(GET, scope=CallScope(cancel=token), read_timeout=math.inf)) as call:
        injected.wait()
        token.cancel()
        with pytest.raises(CancelledError):
            call.result(PROMPT)


@pytest.mark.behaviour("2.10.3")
@pytest.mark.parametrize("fault", MOMENTS.values(), ids=MOMENTS)
def test_closing_the_transport_ends_a_call_wherever_it_blocks(proxy, fault):
    with Transport(config_of(proxy)) as transport:
        injected = proxy.inject(fault)
        with in_thread(lambda: transport.send(GET, read_timeout=math.inf)) as call:
            injected.wait()
            transport.close()
            with pytest.raises(ClosedError):
                call.result(PROMPT)


@pytest.mark.behaviour("2.7.8")
def test_a_deadline_is_kept_though_bytes_keep_dribbling(proxy, transport):
    proxy.inject(Fault.dribble(size=1, interval=0.02))
    started = time.monotonic()
    with pytest.raises(DeadlineExceededError):
        transport.send(GET, scope=CallScope(0.3))
    assert time.monotonic() - started < PROMPT


def blocked_reader(server: ScriptedServer, transport: Transport, scope: CallScope) -> Stream:
    server.stream(b"first", HOLD)
    stream = transport.stream(WATCH, scope=scope, read_timeout=math.inf)
    assert stream.read() == b"first"
    return stream


@pytest.mark.behaviour("2.10.3")
def test_cancelling_wakes_a_blocked_reader_and_frees_its_connection(server, proxy, transport):
    token = CancelToken()
    stream = blocked_reader(server, transport, CallScope(cancel=token))
    with in_thread(stream.read) as reading:
        token.cancel()
        with pytest.raises(CancelledError):
            reading.result(PROMPT)
    proxy.wait_until_idle(PROMPT)
    server.wait_for_ends(1)


@pytest.mark.behaviour("2.10.3")
def test_closing_wakes_a_blocked_reader_and_frees_its_connection(server, proxy, transport):
    stream = blocked_reader(server, transport, CallScope())
    with in_thread(stream.read) as reading:
        stream.close()
        stream.close()
        with pytest.raises(ClosedError):
            reading.result(PROMPT)
    proxy.wait_until_idle(PROMPT)
    server.wait_for_ends(1)


@pytest.mark.behaviour("2.10.3")
def test_closing_the_transport_wakes_blocked_readers(server, proxy):
    with Transport(config_of(proxy)) as transport:
        streams = [blocked_reader(server, transport, CallScope()) for _ in range(3)]
        with ThreadPoolExecutor(3) as pool:
            reading = [pool.submit(stream.read) for stream in streams]
            transport.close()
            for each in reading:
                with pytest.raises(ClosedError):
                    each.result(PROMPT)
        with pytest.raises(ClosedError):
            transport.send(GET)
    proxy.wait_until_idle(PROMPT)


@pytest.mark.behaviour("2.7.8", "2.10.4")
def test_a_streams_deadline_ends_its_reading(server, transport):
    stream = blocked_reader(server, transport, CallScope(0.3))
    with pytest.raises(DeadlineExceededError), stream:
        stream.read()


def test_a_scope_that_has_ended_touches_no_later_call(server, transport):
    token = CancelToken()
    assert transport.send(GET, scope=CallScope(cancel=token)).status == 200
    token.cancel()
    server.stream(b"first", b"second")
    with transport.stream(WATCH) as stream:
        assert stream.read_all() == b"firstsecond"
    with pytest.raises(CancelledError):
        transport.send(GET, scope=CallScope(cancel=token))


@pytest.mark.behaviour("2.10.3")
def test_reading_a_stalled_stream_can_go_on_after_the_stall(server, proxy, transport):
    gate = threading.Event()
    server.stream(b"first", gate, b"second")
    with transport.stream(WATCH) as stream:
        assert stream.read() == b"first"
        proxy.stall()
        with in_thread(stream.read) as reading:
            gate.set()
            proxy.resume()
            assert reading.result(PROMPT) == b"second"
        assert stream.read() == b""


# ---------------------------------------------------------------------- connecting


@pytest.mark.behaviour("2.7.4")
def test_nobody_listens(server, proxy, transport):
    proxy.refuse()
    with pytest.raises(ConnectError, match="nobody listens there") as refused:
        transport.send(GET)
    assert str(proxy.port) in failed(refused)
    assert not isinstance(refused.value, TLSError)
    proxy.accept()
    assert transport.send(GET).body == BODY


@pytest.mark.behaviour("2.7.4")
def test_connections_that_are_reset_at_once(server, proxy, transport):
    proxy.refuse(after_accept=True)
    with pytest.raises(TransportError):
        transport.send(GET)
    proxy.accept()
    assert transport.send(GET).body == BODY
    assert len(server.requests) == 1


def test_plain_http_on_an_https_port():
    with ScriptedServer(tls=True) as server:
        config = RESTConfig(host=server.url.replace("https:", "http:"))
        with Transport(config) as transport, pytest.raises(TransportError):
            transport.send(GET)
        assert server.requests == []


def test_plain_http_on_gos_https_port():
    # Go's server answers in plain text what is wrong.
    with ScriptedServer() as server, Transport(RESTConfig(host=server.url)) as transport:
        server.reply(b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n", CLOSE)
        with pytest.raises(ConnectError, match="https"):
            transport.send(GET)


def test_https_on_a_plain_http_port():
    listener = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        with listener, listener.accept()[0] as sock:
            sock.recv(1000)
            sock.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")

    config = RESTConfig(host=f"https://127.0.0.1:{listener.getsockname()[1]}", tls=TLSConfig(insecure=True))
    with in_thread(answer), Transport(config) as transport, pytest.raises(TLSError, match="does not speak TLS"):
        transport.send(GET)


def test_an_answer_that_is_no_http(server):
    server.reply(b"SSH-2.0-OpenSSH_9.6\r\n", CLOSE)
    with direct(server) as transport, pytest.raises(TransportError, match="not HTTP"):
        transport.send(GET)


@pytest.mark.behaviour("2.1.1")
@pytest.mark.parametrize(
    ("identity", "message"),
    [
        (certs.wrong_authority, "certificate-authority"),
        (certs.other_host, "tls-server-name"),
        (certs.expired, "expired"),
    ],
)
def test_a_server_that_is_not_trusted_gets_no_request(identity, message):
    with ScriptedServer(tls=identity()) as server, direct(server) as transport:
        with pytest.raises(TLSError, match=message) as refused:
            transport.send(GET)
        failed(refused)
        with pytest.raises(TLSError):
            transport.send(GET)
        assert server.requests == []


@pytest.mark.behaviour("2.1.1")
@pytest.mark.parametrize("options", [{}, {"critical": True}, {"authority_key_identifier": True, "key_usage": True}])
def test_a_ca_that_go_takes_is_taken(options):
    with ScriptedServer(tls=certs.lax(**options)) as server, direct(server) as transport:
        server.on(lambda request: response(b"{}"))
        assert transport.send(GET).body == b"{}"


@pytest.mark.behaviour("2.1.3")
def test_tls_server_name_is_asked_for_and_verified():
    with ScriptedServer(tls=certs.other_host("kubernetes.example")) as server:
        server.on(lambda request: response(b"{}"))
        tls = TLSConfig(ca_data=server.ca_data, server_name="kubernetes.example")
        with direct(server, tls=tls) as transport:
            transport.send(GET)
        assert server.requests[0].server_name == "kubernetes.example"
        assert server.requests[0].header("Host") == [f"127.0.0.1:{server.port}"]
        tls = TLSConfig(ca_data=server.ca_data, server_name="other.example")
        with direct(server, tls=tls) as transport, pytest.raises(TLSError):
            transport.send(GET)


@pytest.mark.behaviour("2.1.2")
def test_a_client_certificate_is_shown():
    pair = certs.client("alice", "admins")
    with ScriptedServer(tls=True, client_ca=certs.authority("clients").certificate) as server:
        server.on(lambda request: response(b"{}"))
        tls = TLSConfig(ca_data=server.ca_data, cert_data=pair.certificate, key_data=pair.key)
        with direct(server, tls=tls) as transport:
            transport.send(GET)
    assert server.requests[0].peer == "O=admins,CN=alice"


# ---------------------------------------------------------------------- the environment


@pytest.mark.behaviour("2.1.8")
def test_the_environment_has_no_say(monkeypatch, tmp_path):
    bundle = tmp_path / "ca.pem"
    bundle.write_bytes(certs.authority("somebody else").certificate)
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login thief password stolen\n")
    netrc.chmod(0o600)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, str(bundle))
    monkeypatch.setenv("NETRC", str(netrc))
    # Nobody listens at the proxy; and Go's rule says that loopback is never proxied.
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with ScriptedServer(tls=True) as server, direct(server) as transport:
        server.on(lambda request: response(b"{}"))
        assert transport.send(GET).body == b"{}"
        assert server.requests[0].header("Authorization") == [f"Bearer {TOKEN}"]


@pytest.mark.behaviour("2.1.8", "2.1.1")
def test_the_environment_adds_no_trust(monkeypatch, tmp_path):
    bundle = tmp_path / "ca.pem"
    bundle.write_bytes(certs.good().ca_data)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, str(bundle))
    with ScriptedServer(tls=certs.wrong_authority()) as server:
        with direct(server) as transport, pytest.raises(TLSError):
            transport.send(GET)
        assert server.requests == []


@pytest.mark.behaviour("2.1.8")
def test_netrc_does_not_authenticate_an_anonymous_config(monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login thief password stolen\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with ScriptedServer() as server, Transport(RESTConfig(host=server.url)) as transport:
        server.on(lambda request: response(b"{}"))
        transport.send(GET)
        assert server.requests[0].header("Authorization") == []


# ---------------------------------------------------------------------- where the request goes


@pytest.mark.behaviour("2.1.9")
@pytest.mark.parametrize(
    "path", ["/a/../b", "/a%2fb", "/a%2Fb/./c", "//double", "/%7euser", "/a;b=c,d:e@f", "/a'(b)*!"]
)
def test_the_path_goes_out_as_it_is(server, path):
    with direct(server) as transport:
        transport.send(Request("GET", path, (("labelSelector", "a in (b,c)"),)))
    assert server.requests[0].target == f"{path}?labelSelector=a+in+%28b%2Cc%29"


@pytest.mark.behaviour("2.1.10")
def test_a_redirect_to_another_server_is_not_followed():
    with ScriptedServer() as thief, ScriptedServer() as server, direct(server) as transport:
        server.reply(response(b"", 302, [("Location", f"{thief.url}/steal")]))
        assert transport.send(GET).status == 302
        server.reply(response(b"", 301, [("Location", f"//127.0.0.1:{thief.port}/steal")]))
        assert transport.send(GET).status == 301
        assert thief.requests == []


@pytest.mark.behaviour("2.1.10")
def test_a_redirect_within_the_server_is_followed(server):
    server.reply(response(b"", 301, [("Location", "/openapi/v3/apis?hash=1%2F2")]))
    with direct(server) as transport:
        assert transport.send(GET).body == BODY
    assert server.requests[1].target == "/openapi/v3/apis?hash=1%2F2"
    assert server.requests[1].header("Authorization") == [f"Bearer {TOKEN}"]


def test_a_redirect_loop_ends(server):
    server.on(lambda request: response(b"", 302, [("Location", request.target)]))
    with direct(server) as transport, pytest.raises(TransportError, match="redirects"):
        transport.send(GET)


# ---------------------------------------------------------------------- leaving nothing behind


@pytest.mark.parametrize("signal", [CLOSE, RESET, HALF_CLOSE])
def test_streams_that_fail_leave_no_connection(server, signal):
    for _ in range(3):
        server.stream(b"abc", signal)
    with direct(server) as transport:
        for _ in range(3):
            with transport.stream(WATCH) as stream, pytest.raises(ConnectionLostError):
                stream.read_all()
        server.wait_for_ends(3)


def test_a_stream_that_is_read_to_its_end_gives_its_connection_back(server):
    server.stream(b"abc")
    with direct(server) as transport:
        with transport.stream(WATCH) as stream:
            assert stream.read_all() == b"abc"
        transport.send(GET)
    assert server.connection_count == 1


def test_a_stream_that_is_closed_early_closes_its_connection(server):
    gate = threading.Event()
    server.stream(b"abc", gate, b"def", HOLD)
    with direct(server) as transport:
        with transport.stream(WATCH) as stream:
            assert stream.read() == b"abc"
        gate.set()
        server.wait_for_ends(1)
        assert transport.send(GET).body == BODY
    assert server.connection_count == 2


def test_a_large_watch_frame_comes_through(server, proxy, transport):
    large = b"x" * (20 << 20)
    server.stream(large)
    total = 0
    with transport.stream(WATCH) as stream:
        while data := stream.read(1 << 18):
            total += len(data)
    assert total == len(large)
