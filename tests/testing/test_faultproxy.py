"""The fault proxy before a scripted server, seen by http.client."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from contextlib import contextmanager

import certs
import pytest
from scripted import CLOSE, HOLD, ScriptedServer, chunk, response

from dynkube.errors import ClosedError, ConfigError, ConnectError, InvalidRequestError
from dynkube.testing.faultproxy import Fault, FaultProxy

BODY = bytes(range(256)) * 4


@pytest.fixture(params=["plain", "tls"])
def server(request):
    with ScriptedServer(tls=request.param == "tls") as server:
        server.on(lambda request: response(BODY))
        yield server


@pytest.fixture
def proxy(server):
    with FaultProxy.before(server) as proxy:
        yield proxy


@pytest.fixture
def raw_proxy(server):
    with FaultProxy.before(server, raw=True) as proxy:
        yield proxy


@contextmanager
def client(proxy: FaultProxy, *, timeout: float = 10.0, context: ssl.SSLContext | None = None):
    if proxy.url.startswith("https:"):
        if context is None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            assert proxy.ca_data is not None
            context.verify_flags |= ssl.VERIFY_X509_STRICT
            context.load_verify_locations(cadata=proxy.ca_data.decode())
        connection = http.client.HTTPSConnection("127.0.0.1", proxy.port, timeout=timeout, context=context)
    else:
        connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=timeout)
    try:
        yield connection
    finally:
        connection.close()


def get(connection: http.client.HTTPConnection, path: str = "/", method: str = "GET") -> bytes:
    connection.request(method, path)
    return connection.getresponse().read()


# ---------------------------------------------------------------------- answers in the server's place


def test_answers_itself_and_the_connection_stays_usable(server, proxy):
    fault = proxy.inject(Fault.answer(429, retry_after=3, body=b"later", content_type="text/plain"), method="POST")
    with client(proxy) as connection:
        connection.request("POST", "/a", body=b"x" * 70_000)
        refused = connection.getresponse()
        assert (refused.status, refused.reason, refused.read()) == (429, "Too Many Requests", b"later")
        assert (refused.headers["Retry-After"], refused.headers["Content-Type"]) == ("3", "text/plain")
        assert get(connection) == BODY
    fault.wait()
    assert [each.line for each in server.requests] == [b"GET / HTTP/1.1"]
    first, second = proxy.requests
    assert (first.status, first.complete, second.status) == (429, True, 200)
    assert first.connection == second.connection


def test_an_answer_may_break_off_in_a_chunk(proxy):
    headers = {"Transfer-Encoding": "chunked", "connection": "Close"}
    fault = proxy.inject(Fault.answer(200, headers=headers, body=b"100\r\nhalf"))
    with client(proxy) as connection:
        connection.request("GET", "/")
        answer = connection.getresponse()
        assert answer.headers["Content-Length"] is None
        with pytest.raises(http.client.IncompleteRead):
            answer.read()
    fault.wait()
    proxy.wait_for(lambda proxy: proxy.open_connections == 0)


def test_an_answer_to_head_has_no_body(proxy):
    proxy.inject(Fault.answer(503, body=b"down"))
    with client(proxy) as connection:
        assert get(connection, method="HEAD") == b""
        assert get(connection) == BODY


@pytest.mark.parametrize("status", [100, 199, 204, 304, 600])
def test_an_answer_has_a_final_status_with_a_body(status):
    with pytest.raises(InvalidRequestError, match=f"status={status}"):
        Fault.answer(status)


def test_an_answer_is_one_response():
    with pytest.raises(InvalidRequestError, match="'X-A' cannot be sent"):
        Fault.answer(503, headers={"X-A": "b\r\nX-C: d"})


def test_keeps_header_lines_but_no_credential(proxy):
    with client(proxy) as connection:
        headers = {"X-Y": "z", "Authorization": "Bearer t0p-s3cr3t", "Cookie": "s3cr3t=1"}
        connection.request("GET", "/", headers=headers)
        connection.getresponse().read()
    (seen,) = proxy.requests
    assert seen.header("X-Y") == "z"
    assert seen.header("authorization") == "Bearer ..."
    assert seen.header("x-none") is None
    assert "s3cr3t" not in repr(seen)


# ---------------------------------------------------------------------- without faults


def test_passes_requests_and_responses_on(server, proxy):
    with client(proxy) as connection:
        connection.request("POST", "/a%2fb?x=1", body=b"abc", headers={"X-Y": "z"})
        assert connection.getresponse().read() == BODY
        assert get(connection) == BODY
    assert [(each.line, each.body) for each in server.requests] == [
        (b"POST /a%2fb?x=1 HTTP/1.1", b"abc"),
        (b"GET / HTTP/1.1", b""),
    ]
    first, second = proxy.requests
    assert (first.method, first.path, first.query, first.status, first.complete) == ("POST", "/a%2fb", "x=1", 200, True)
    assert (first.connection, second.connection) == (1, 1)
    (connection_seen,) = proxy.connections
    assert connection_seen.requests == 2
    assert connection_seen.http
    proxy.wait_until_idle()
    server.wait_for_ends(1)


def test_raw_mode_passes_bytes_on(server, raw_proxy):
    assert raw_proxy.ca_data == server.ca_data
    with client(raw_proxy) as connection:
        assert get(connection) == BODY
    raw_proxy.wait_until_idle()
    assert raw_proxy.connection_count == 1


def test_passes_every_framing_on(server, proxy):
    server.stream(b"one", b"two")
    server.reply(b"HTTP/1.1 204 No Content\r\n\r\n")
    server.reply(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n")
    server.reply(
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        + chunk(b"x")
        + b"0\r\nTrailer: a\r\n\r\n"
    )
    server.reply(b"HTTP/1.1 200 OK\r\n\r\nuntil close", CLOSE)
    with client(proxy) as connection:
        assert get(connection) == b"onetwo"
        assert get(connection) == b""
        assert get(connection, method="HEAD") == b""
        assert get(connection) == b"x"
        assert get(connection) == b"until close"
    proxy.wait_until_idle()
    assert [each.complete for each in proxy.requests] == [True] * 5


def test_passes_upgrades_on(server, proxy):
    gate = threading.Event()
    server.reply(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n\x81\x02hi", gate, b"GET me", HOLD)
    with client(proxy) as connection:
        connection.request("GET", "/exec", headers={"Connection": "Upgrade", "Upgrade": "x"})
        connection.sock.settimeout(10)
        received = read_until(connection.sock, b"hi")
        assert received.endswith(b"\x81\x02hi")
        connection.sock.sendall(b"\x82\x00")
        gate.set()
        assert read_until(connection.sock, b"me") == b"GET me"
    assert proxy.requests[0].status == 101
    assert not proxy.connections[0].http
    proxy.wait_until_idle()


def test_large_bodies_pass_unchanged(server, proxy):
    large = bytes(range(251)) * 40_000
    server.stream(large, large)
    with client(proxy) as connection:
        connection.request("PUT", "/", body=large)
        assert connection.getresponse().read() == large * 2
    assert server.requests[0].body == large


def test_the_server_may_ask_for_the_proxys_client_certificate():
    with (
        ScriptedServer(tls=True, client_ca=certs.authority("clients").certificate) as server,
        FaultProxy.before(server, client_certificate=certs.client("proxy")) as proxy,
        client(proxy) as connection,
    ):
        server.on(lambda request: response(b""))
        get(connection)
        assert server.requests[0].peer == "CN=proxy"


def test_the_proxys_certificate_and_names_can_be_given():
    mine = certs.good("proxy.example")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=mine.ca_data.decode())
    with ScriptedServer(tls=certs.other_host("api.example")) as server:
        server.on(lambda request: response(b"ok"))
        with FaultProxy.before(server, server_name="api.example", certificate=mine.pair) as proxy:
            assert proxy.ca_data is None
            with socket.create_connection(("127.0.0.1", proxy.port)) as plain:
                context.wrap_socket(plain, server_hostname="proxy.example").close()
        with FaultProxy.before(server, insecure=True, names=("proxy.example",)) as proxy, client(proxy) as connection:
            assert get(connection) == b"ok"
        assert server.requests[0].server_name == ""


def test_a_server_with_a_wrong_certificate_is_not_spoken_to():
    with (
        ScriptedServer(tls=certs.wrong_authority()) as server,
        FaultProxy.before(server) as proxy,
        client(proxy) as connection,
    ):
        with pytest.raises((ConnectionError, ssl.SSLError)):
            get(connection)
        proxy.wait_until_idle()
        assert "CERTIFICATE_VERIFY_FAILED" in proxy.connections[0].error
        assert server.requests == []


# ---------------------------------------------------------------------- faults at a moment


def test_cut_in_the_body(proxy):
    fault = proxy.inject(Fault.cut(after_body_bytes=100), path="/api/v1/pods")
    with client(proxy) as connection:
        assert get(connection, "/other") == BODY
        with pytest.raises(http.client.IncompleteRead) as lost:
            get(connection, "/api/v1/pods?limit=1")
    assert lost.value.partial == BODY[:100]
    fault.wait()
    assert fault.fired == 1
    assert [each.complete for each in proxy.requests] == [True, False]


@pytest.mark.parametrize("offset", [0, 1, 3, 4, 6])
def test_cut_after_body_bytes_does_not_count_chunk_sizes(server, proxy, offset):
    server.stream(b"abc", b"def", HOLD)
    proxy.inject(Fault.cut(after_body_bytes=offset))
    received = b""
    with client(proxy) as connection:
        connection.request("GET", "/")
        answer = connection.getresponse()
        with pytest.raises(http.client.IncompleteRead):
            while data := answer.read1(100):
                received += data
    assert received == b"abcdef"[:offset]


@pytest.mark.parametrize("chunks", [0, 1, 2])
def test_cut_after_chunks(server, proxy, chunks):
    server.stream(b"abc", b"def", b"ghi", HOLD)
    proxy.inject(Fault.cut(after_chunks=chunks))
    with client(proxy) as connection, pytest.raises(http.client.IncompleteRead) as lost:
        get(connection)
    assert lost.value.partial == b"abcdefghi"[: 3 * chunks]


def test_reset_before_the_response_after_the_server_has_seen_the_request(server, proxy):
    proxy.inject(Fault.reset())
    with client(proxy) as connection, pytest.raises(ConnectionResetError):
        get(connection)
    assert len(server.requests) == 1


def test_reset_before_the_server_sees_the_request(server, proxy):
    fault = proxy.inject(Fault.reset(at="request"))
    with client(proxy) as connection, pytest.raises(ConnectionResetError):
        get(connection)
    fault.wait()
    assert server.requests == []
    assert len(proxy.requests) == 1


def test_cut_in_the_middle_of_the_header(server, proxy):
    proxy.inject(Fault.cut(after_header_bytes=12))
    with client(proxy) as connection:
        connection.request("GET", "/")
        assert read_until(connection.sock, b"no such bytes") == b"HTTP/1.1 200"


def test_a_stale_pooled_connection(proxy):
    fault = proxy.inject(Fault.cut(at="end"))
    with client(proxy) as connection:
        assert get(connection) == BODY
        fault.wait()
        with pytest.raises(ConnectionError):
            get(connection)
    assert len(proxy.requests) == 1


def test_dribble(proxy):
    fault = proxy.inject(Fault.dribble(size=1, interval=None, at="response"))
    with client(proxy) as connection:
        connection.request("GET", "/")
        fault.wait()
        fault.step(3)
        proxy.wait_for(lambda proxy: proxy.connections[0].bytes_down == 3)
        assert read_exactly(connection.sock, 3) == b"HTT"
        fault.step(10_000)
        assert read_until(connection.sock, BODY).endswith(BODY)
        connection.sock.sendall(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        assert read_until(connection.sock, BODY).endswith(BODY), "the next response is whole again"
    assert fault.fired == 1


def test_dribble_at_a_rate(proxy):
    proxy.inject(Fault.dribble(size=100, interval=0.001, after_body_bytes=50))
    with client(proxy) as connection:
        assert get(connection) == BODY


def test_half_close(server, proxy):
    server.stream(b"abc", HOLD)
    fault = proxy.inject(Fault.half_close(after_chunks=1))
    with client(proxy) as connection:
        connection.request("GET", "/")
        fault.wait()
        with pytest.raises(http.client.IncompleteRead):
            connection.getresponse().read()
        if proxy.url.startswith("http:"):  # OpenSSL writes nothing after an end without close_notify
            connection.sock.sendall(b"still open")
        assert proxy.open_connections == 1, proxy.connections
    proxy.wait_until_idle()


def test_stall_and_resume(proxy):
    fault = proxy.inject(Fault.stall(after_body_bytes=10))
    with client(proxy, timeout=0.1) as connection:
        connection.request("GET", "/")
        answer = connection.getresponse()
        assert answer.read(10) == BODY[:10]
        fault.wait()
        with pytest.raises(TimeoutError):
            answer.read(1)
        assert proxy.open_connections == 1, proxy.connections
    with client(proxy) as connection:
        assert get(connection) == BODY, "other connections are served"
        proxy.resume()
    proxy.wait_until_idle()


def test_times_and_predicates(server, proxy):
    fault = proxy.inject(Fault.reset(), method="get", when=lambda request: "watch=1" in request.query, times=2)
    with client(proxy) as connection:
        assert get(connection, "/x?watch=1", method="PUT") == BODY
        assert get(connection, "/x") == BODY
        for _ in range(2):
            with pytest.raises(ConnectionResetError):
                get(connection, "/x?watch=1")
            connection.close()
        assert not fault.active
        assert get(connection, "/x?watch=1") == BODY


def test_a_fault_without_end_until_it_is_removed(proxy):
    fault = proxy.inject(Fault.reset(), times=None)
    for _ in range(3):
        with client(proxy) as connection, pytest.raises(ConnectionResetError):
            get(connection)
    fault.remove()
    other = proxy.inject(Fault.reset())
    proxy.clear()
    with client(proxy) as connection:
        assert get(connection) == BODY
    assert (fault.fired, other.fired, other.active) == (3, 0, False)


def test_a_fault_whose_moment_does_not_come_stays(proxy):
    fault = proxy.inject(Fault.cut(after_body_bytes=10_000))
    with client(proxy) as connection:
        assert get(connection) == BODY
        assert fault.active
        with pytest.raises(TimeoutError, match=r"Fault\.cut"):
            fault.wait(timeout=0)


# ---------------------------------------------------------------------- faults of connections


def test_refused_connections(server, proxy):
    proxy.inject(Fault.refuse())
    with client(proxy) as connection, pytest.raises((ConnectionResetError, BrokenPipeError)):
        get(connection)
    with client(proxy) as connection:
        assert get(connection) == BODY
    assert server.connection_count == 1
    assert proxy.connection_count == 2


def test_cut_at_connect(proxy):
    proxy.inject(Fault.cut(at="connect"))
    with client(proxy) as connection, pytest.raises((ConnectionError, ssl.SSLError)):
        get(connection)


def test_stall_at_connect(server, proxy):
    fault = proxy.inject(Fault.stall(at="connect"))
    with client(proxy, timeout=0.1) as connection, pytest.raises(TimeoutError):
        get(connection)
    assert fault.fired == 1
    assert server.connection_count == 0


@pytest.mark.parametrize("action", [Fault.cut, Fault.reset])
def test_after_bytes_counts_from_the_connections_beginning(raw_proxy, action):
    with client(raw_proxy) as connection:
        whole = len(get(connection))
        assert whole == len(BODY)
    raw_proxy.inject(action(after_bytes=300))
    with client(raw_proxy) as connection, pytest.raises((http.client.HTTPException, ConnectionError, ssl.SSLError)):
        get(connection)
    raw_proxy.wait_until_idle()
    assert raw_proxy.connections[1].bytes_down == 300


def test_dribbling_connections(raw_proxy):
    raw_proxy.inject(Fault.dribble(size=7, at="connect"))
    with client(raw_proxy) as connection:
        assert get(connection) == BODY


# ---------------------------------------------------------------------- at once


@pytest.mark.parametrize("mode", ["proxy", "raw_proxy"])
@pytest.mark.parametrize("strike", ["cut_all", "reset_all"])
def test_strikes_at_open_connections(server, request, mode, strike):
    proxy = request.getfixturevalue(mode)
    server.stream(b"abc", HOLD)
    with client(proxy) as connection:
        connection.request("GET", "/")
        answer = connection.getresponse()
        assert answer.read1(3) == b"abc"
        getattr(proxy, strike)()
        assert proxy.open_connections == 0
        with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
            answer.read()
    with client(proxy) as connection:
        assert get(connection) == BODY
    server.wait_for_ends(1)


@pytest.mark.parametrize("mode", ["proxy", "raw_proxy"])
def test_stall_holds_open_and_new_connections(server, request, mode):
    proxy = request.getfixturevalue(mode)
    with client(proxy, timeout=0.1) as old, client(proxy, timeout=0.1) as new:
        assert get(old) == BODY
        proxy.stall()
        old.request("GET", "/")
        with pytest.raises(TimeoutError):
            old.getresponse()
        with pytest.raises(TimeoutError):
            get(new)
        assert proxy.open_connections == 2
        proxy.resume()
    with client(proxy) as connection:
        assert get(connection) == BODY


def test_stalled_connections_can_be_ended(proxy):
    proxy.stall()
    with socket.create_connection(("127.0.0.1", proxy.port)):
        proxy.wait_for_connection()
        proxy.reset_all()
        proxy.wait_until_idle()


def test_refuse_and_accept(server, proxy):
    port = proxy.port
    with client(proxy) as old:
        assert get(old) == BODY
        proxy.refuse()
        with client(proxy) as new, pytest.raises(ConnectionRefusedError):
            get(new)
        assert get(old) == BODY, "open connections stay"
        proxy.refuse()
        proxy.accept()
        proxy.accept()
        assert proxy.port == port
        with client(proxy) as new:
            assert get(new) == BODY
    assert server.connection_count == 2


def test_refuse_after_accept(server, proxy):
    proxy.refuse(after_accept=True)
    with client(proxy) as connection, pytest.raises((ConnectionResetError, BrokenPipeError)):
        get(connection)
    proxy.accept()
    with client(proxy) as connection:
        assert get(connection) == BODY
    assert server.connection_count == 1


def test_waits_for_connections_and_requests(proxy):
    with pytest.raises(TimeoutError, match="1 connections; seen so far: 0 connections"):
        proxy.wait_for_connection(timeout=0)
    with client(proxy) as connection:
        get(connection, "/api/v1/pods")
    proxy.wait_for_connection()
    proxy.wait_for_request(method="GET", path="/api")
    with pytest.raises(TimeoutError, match="GET /api/v1/pods"):
        proxy.wait_for_request(timeout=0, path="/apis")


def test_nobody_behind_the_proxy():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with FaultProxy("127.0.0.1", port) as proxy, client(proxy) as connection:
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            get(connection)
        proxy.wait_until_idle()
        assert "ConnectionRefusedError" in proxy.connections[0].error


# ---------------------------------------------------------------------- life


def test_leaves_nothing_behind(server):
    before = set(threading.enumerate())
    proxy = FaultProxy.before(server)
    proxy.start()
    assert proxy.start() is proxy
    port = proxy.port
    with client(proxy) as connection, client(proxy) as idle:
        get(idle)
        server.stream(b"abc", HOLD)
        connection.request("GET", "/")
        proxy.wait_for_request(count=2)
        proxy.close()
        proxy.close()
    assert proxy.open_connections == 0
    server.wait_for_ends(2)
    new = {thread for thread in threading.enumerate() if thread.name.startswith("FaultProxy")} - before
    assert new == set()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
    with pytest.raises(ClosedError, match="has been closed"):
        proxy.cut_all()
    with pytest.raises(ClosedError, match="make a new one"):
        proxy.start()


def test_what_waits_ends_when_the_proxy_closes(server):
    proxy = FaultProxy.before(server).start()
    waiting = threading.Event()
    raised: list[Exception] = []

    def asked(_proxy: FaultProxy) -> bool:
        waiting.set()
        return False

    def wait() -> None:
        try:
            proxy.wait_for(asked, timeout=60)
        except Exception as error:
            raised.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    assert waiting.wait(10)
    proxy.close()
    thread.join(10)
    assert isinstance(raised[0], ClosedError)


def test_a_broken_predicate_fails_the_test(server):
    def broken(request: object) -> bool:
        raise LookupError("of the test")

    proxy = FaultProxy.before(server).start()
    proxy.inject(Fault.reset(), when=broken)
    with client(proxy) as connection, pytest.raises(ConnectionError):
        get(connection)
    with pytest.raises(LookupError, match="of the test"):
        proxy.close()


def test_the_bodys_own_failure_comes_first(server):
    def broken(request: object) -> bool:
        raise LookupError

    with pytest.raises(ZeroDivisionError), FaultProxy.before(server) as proxy:
        proxy.inject(Fault.reset(), when=broken)
        with client(proxy) as connection, pytest.raises(ConnectionError):
            get(connection)
        raise ZeroDivisionError


def test_many_connections_at_once(server, proxy):
    results: list[bytes] = []
    barrier = threading.Barrier(8)

    def work() -> None:
        barrier.wait()
        with client(proxy) as connection:
            results.extend(get(connection) for _ in range(10))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert results == [BODY] * 80
    assert proxy.connection_count == 8


# ---------------------------------------------------------------------- refusals


def test_a_raw_proxy_says_what_it_cannot_do():
    proxy = FaultProxy("127.0.0.1", 1, raw=True)
    for fault in (Fault.cut(after_body_bytes=1), Fault.reset(), Fault.stall(after_chunks=1), Fault.cut(at="request")):
        with pytest.raises(InvalidRequestError, match="a raw proxy sees bytes, no requests"):
            proxy.inject(fault)
    with pytest.raises(InvalidRequestError, match="raw proxy"):
        _ = proxy.requests
    with pytest.raises(InvalidRequestError, match="raw proxy"):
        proxy.wait_for_request()


def test_tls_through_a_plain_proxy_is_pointed_out():
    with ScriptedServer(tls=True) as server, FaultProxy("127.0.0.1", server.port) as proxy:
        server.on(lambda request: response(b""))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=server.ca_data.decode())
        with socket.create_connection(("127.0.0.1", proxy.port)) as plain:
            context.wrap_socket(plain, server_hostname="127.0.0.1").close()
        with pytest.raises(TimeoutError, match="let the proxy end it"):
            proxy.wait_for_request(timeout=0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"tls": True, "raw": True}, "give one of them"),
        ({"insecure": True}, "give them with tls=True"),
        ({"names": ("x",)}, "give them with tls=True"),
        ({"tls": True, "insecure": True, "ca_data": b"x"}, "either checks"),
    ],
)
def test_contradicting_arguments(arguments, message):
    with pytest.raises(InvalidRequestError, match=message):
        FaultProxy("127.0.0.1", 1, **arguments)


def test_unusable_arguments():
    with pytest.raises(ConfigError, match="ca_data"), FaultProxy("127.0.0.1", 1, tls=True, ca_data=b"x"):
        pass
    pair = certs.KeyPair(certificate=b"x", key=b"very secret")
    with pytest.raises(ConfigError, match="certificate") as refused:
        FaultProxy("127.0.0.1", 1, tls=True, certificate=pair).start()
    assert "secret" not in str(refused.value)
    with pytest.raises(ConnectError, match="host 'no such host'"):
        FaultProxy("no such host", 1).start()

    class Odd:
        url = "unix:///x"
        ca_data = None

    with pytest.raises(InvalidRequestError, match=r"server\.url"):
        FaultProxy.before(Odd())


def test_a_proxy_that_is_not_started():
    proxy = FaultProxy("127.0.0.1", 1)
    assert repr(proxy) == "<FaultProxy not started before 127.0.0.1:1>"
    with pytest.raises(InvalidRequestError, match="with statement"):
        _ = proxy.url
    with pytest.raises(ClosedError, match="not started"):
        proxy.stall()
    proxy.close()
    assert repr(proxy) == "<FaultProxy closed before 127.0.0.1:1>"


def test_faults_about_connections_take_no_predicates(proxy):
    with pytest.raises(InvalidRequestError, match="about connections"):
        proxy.inject(Fault.refuse(), path="/api")
    with pytest.raises(InvalidRequestError, match="times=0"):
        proxy.inject(Fault.refuse(), times=0)


# ---------------------------------------------------------------------- helpers


def read_until(sock: socket.socket, end: bytes) -> bytes:
    data = b""
    while not data.endswith(end):
        more = sock.recv(65536)
        if not more:
            break
        data += more
    return data


def read_exactly(sock: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        data += sock.recv(size - len(data))
    return data
