"""The scripted server itself, seen by http.client."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import sys
import threading

import certs
import pytest
from scripted import CLOSE, HALF_CLOSE, HOLD, RESET, ScriptedServer, json_response, response


def client_context(ca_data: bytes | None, *, strict: bool = False) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    assert ca_data is not None
    context.load_verify_locations(cadata=ca_data.decode())
    if strict:
        context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context


@pytest.fixture
def server():
    with ScriptedServer() as server:
        yield server


@pytest.fixture
def connection(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    yield connection
    connection.close()


def test_records_requests_exactly(server):
    server.reply_json({})
    raw = b"POST /a/../b%2f?x=1 HTTP/1.1\r\nHost: h\r\nX-One: 1\r\nx-one: 2\r\nContent-Length: 3\r\n\r\nabc"
    with socket.create_connection(("127.0.0.1", server.port)) as sock:
        sock.sendall(raw)
        server.wait_for_requests(1)
    (request,) = server.requests
    assert request.raw == raw
    assert request.line == b"POST /a/../b%2f?x=1 HTTP/1.1"
    assert request.header_lines == (b"Host: h", b"X-One: 1", b"x-one: 2", b"Content-Length: 3")
    assert request.header("X-One") == ["1", "2"]
    assert request.body == b"abc"
    assert (request.method, request.target) == ("POST", "/a/../b%2f?x=1")


def test_records_chunked_bodies(server, connection):
    server.reply_json({})
    connection.request("PUT", "/", body=iter([b"one", b"two"]), encode_chunked=True)
    assert connection.getresponse().status == 200
    assert server.requests[0].body == b"onetwo"


def test_answers_come_in_order_then_the_handler_is_asked(server, connection):
    server.reply_json({"n": 1}, status=201, headers={"X-A": "b"})
    server.on(lambda request: json_response({"target": request.target}))
    for expected, status in (({"n": 1}, 201), ({"target": "/x"}, 200)):
        connection.request("GET", "/x")
        answer = connection.getresponse()
        assert (answer.status, json.load(answer)) == (status, expected)
    assert server.connection_count == 1


def test_a_request_without_an_answer_fails_the_test():
    with pytest.raises(AssertionError, match="no answer was scripted"), ScriptedServer() as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        connection.request("GET", "/")
        assert connection.getresponse().status == 500
        connection.close()


def test_streams_in_chunks_behind_gates(server, connection):
    gate = threading.Event()
    server.stream(b"one", gate, b"two")
    connection.request("GET", "/")
    answer = connection.getresponse()
    assert answer.read1(100) == b"one"
    gate.set()
    assert answer.read() == b"two"


@pytest.mark.parametrize("tls", [False, True])
def test_a_stale_connection_after_a_whole_answer(tls):
    with ScriptedServer(tls=tls) as server:
        server.reply_json({}, then=[CLOSE])
        context = client_context(server.ca_data) if tls else None
        with connect(server, context) as connection:
            connection.request("GET", "/")
            answer = connection.getresponse()
            assert answer.read() == b"{}"
            assert answer.getheader("connection") is None
            server.wait_for_ends(1)
            with pytest.raises(ConnectionError):
                connection.request("GET", "/")
                connection.getresponse()


@pytest.mark.parametrize("tls", [False, True])
def test_reset(tls):
    with ScriptedServer(tls=tls) as server:
        # Before Python 3.12.3 a TLS read takes an RST for an end of the stream (python/cpython#115627);
        # RemoteDisconnected, which http.client makes of that, is a ConnectionResetError too.
        server.reply(RESET)
        with connect(server, client_context(server.ca_data) if tls else None) as connection:
            connection.request("GET", "/")
            with pytest.raises(ConnectionResetError):
                connection.getresponse()


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("signal", [CLOSE, HALF_CLOSE])
def test_a_body_that_is_shorter_than_its_length(tls, signal):
    with ScriptedServer(tls=tls) as server:
        server.reply(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", signal)
        with connect(server, client_context(server.ca_data) if tls else None) as connection:
            connection.request("GET", "/")
            with pytest.raises(http.client.IncompleteRead):
                connection.getresponse().read()


def test_holds_until_the_client_has_gone(server, connection):
    server.reply(HOLD)
    connection.request("GET", "/")
    server.wait_for_requests(1)
    connection.close()
    server.wait_for_ends(1)


def test_client_certificates_and_server_names_are_recorded():
    with ScriptedServer(tls=certs.good(), client_ca=certs.authority("clients").certificate) as server:
        server.on(lambda request: response(b""))
        anonymous = client_context(server.ca_data)
        named = client_context(server.ca_data)
        load_pair(named, certs.client("alice", "admins"))
        for context in (anonymous, named):
            with connect(server, context, host="localhost") as connection:
                connection.request("GET", "/")
                connection.getresponse().read()
        assert [request.peer for request in server.requests] == ["", "O=admins,CN=alice"]
        assert [request.server_name for request in server.requests] == ["localhost", "localhost"]


@pytest.mark.parametrize(
    ("identity", "message"),
    [
        (certs.other_host, "IP address mismatch"),
        (certs.wrong_authority, "(unable to get local issuer|self.signed|signature failure)"),
        (certs.expired, "expired"),
    ],
)
def test_certificates_that_no_client_takes(identity, message):
    with ScriptedServer(tls=identity()) as server:
        context = client_context(server.ca_data)
        with pytest.raises(ssl.SSLCertVerificationError, match=message), connect(server, context) as connection:
            connection.request("GET", "/")


@pytest.mark.parametrize(
    ("lax", "message"),
    [
        ({"authority_key_identifier": False, "critical": True, "key_usage": True}, "Authority Key Identifier"),
        ({"authority_key_identifier": True, "critical": False, "key_usage": True}, "not marked critical"),
    ],
)
def test_certificates_that_only_strict_clients_refuse(lax, message):
    with ScriptedServer(tls=certs.lax(**lax)) as server:
        server.on(lambda request: response(b""))
        with connect(server, client_context(server.ca_data)) as connection:
            connection.request("GET", "/")
            assert connection.getresponse().read() == b""
        strict = client_context(server.ca_data, strict=True)
        with pytest.raises(ssl.SSLCertVerificationError, match=message), connect(server, strict) as connection:
            connection.request("GET", "/")


@pytest.mark.skipif(sys.version_info < (3, 13), reason="create_default_context is strict from Python 3.13 on")
def test_python_313_refuses_lax_certificates_by_default():
    with ScriptedServer(tls=certs.lax()) as server:
        context = ssl.create_default_context(cadata=certs.lax().ca_data.decode())
        with pytest.raises(ssl.SSLCertVerificationError), connect(server, context) as connection:
            connection.request("GET", "/")


# ---------------------------------------------------------------------- helpers


class connect:  # noqa: N801 - reads as the verb it is
    def __init__(self, server: ScriptedServer, context: ssl.SSLContext | None, host: str = "127.0.0.1") -> None:
        self.connection = (
            http.client.HTTPSConnection(host, server.port, timeout=10, context=context)
            if context
            else http.client.HTTPConnection(host, server.port, timeout=10)
        )

    def __enter__(self) -> http.client.HTTPConnection:
        return self.connection

    def __exit__(self, *_: object) -> None:
        self.connection.close()


def load_pair(context: ssl.SSLContext, pair: certs.KeyPair) -> None:
    import tempfile

    with tempfile.NamedTemporaryFile() as file:
        file.write(pair.key + pair.certificate)
        file.flush()
        context.load_cert_chain(file.name)
