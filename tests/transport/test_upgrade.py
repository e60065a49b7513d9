"""Connections that leave HTTP behind: what is read, written, refused and ended."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from scripted import CLOSE, HALF_CLOSE, HOLD, ScriptedServer, json_response

from dynkube.config.model import RESTConfig, TLSConfig
from dynkube.errors import CancelledError, ClosedError, DeadlineExceededError, TransportError
from dynkube.transport import CallScope, CancelToken, Stream, Transport, Upgraded
from dynkube.wire.messages import Request

REQUEST = Request("GET", "/up", (), (("Connection", "Upgrade"), ("Upgrade", "odd")))
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: odd\r\nConnection: Upgrade\r\n\r\n"


@pytest.fixture(params=[True, False], ids=["https", "http"])
def server(request) -> Iterator[ScriptedServer]:
    with ScriptedServer(tls=request.param) as server:
        yield server


@pytest.fixture
def transport(server) -> Iterator[Transport]:
    trust = TLSConfig(ca_data=server.ca_data) if server.ca_data else TLSConfig()
    with Transport(RESTConfig(host=server.url, tls=trust)) as transport:
        yield transport


def upgraded(server, transport, *steps, scope=None) -> Upgraded:
    server.on(lambda request: [SWITCH, *steps])
    found = transport.upgrade(REQUEST, scope=scope)
    assert isinstance(found, Upgraded)
    return found


def test_what_comes_with_the_header_is_not_lost(server, transport):
    server.on(lambda request: [SWITCH + b"at once", HOLD])
    with transport.upgrade(REQUEST) as connection:
        assert (connection.status, connection.headers.get("Upgrade")) == (101, "odd")
        assert connection.read(3) + connection.read() == b"at once"


def test_reading_waits_as_long_as_it_may_and_ends_with_the_peer(server, transport):
    gate = threading.Event()
    with upgraded(server, transport, gate, b"late", HALF_CLOSE) as connection:
        assert connection.read(timeout=0) is None
        assert connection.read(timeout=0.01) is None
        gate.set()
        assert connection.read() == b"late"
        assert connection.read() == b""


def test_a_refusal_is_a_response_to_be_read(server, transport):
    server.on(lambda request: json_response({"kind": "Status"}, 403))
    with transport.upgrade(REQUEST) as answer:
        assert isinstance(answer, Stream)
        assert answer.status == 403
        assert answer.read_all() == b'{"kind": "Status"}'


def test_every_upgrade_has_a_connection_of_its_own(server, transport):
    server.on(lambda request: json_response({}))
    transport.send(Request("GET", "/api"))
    upgraded(server, transport, HOLD).close()
    server.on(lambda request: json_response({}))
    transport.send(Request("GET", "/api"))
    assert [each.connection for each in server.requests] == [1, 2, 1]


def test_nobody_else_may_switch_protocols(server, transport):
    server.on(lambda request: [SWITCH, HOLD])
    with pytest.raises(TransportError, match="nobody asked for"):
        transport.stream(Request("GET", "/api"))


@pytest.mark.parametrize("end", ["deadline", "token", "close", "transport"])
def test_whoever_waits_is_woken(server, transport, end):
    token = CancelToken()
    scope = CallScope(0.3 if end == "deadline" else None, token)
    connection = upgraded(server, transport, HOLD, scope=scope)
    ends = {"token": token.cancel, "close": connection.close, "transport": transport.close}
    if end in ends:
        threading.Timer(0.1, ends[end]).start()
    errors = {"deadline": DeadlineExceededError, "token": CancelledError}
    with pytest.raises(errors.get(end, ClosedError)):
        connection.read()
    with pytest.raises(errors.get(end, ClosedError)):
        connection.read()
    connection.close()
    with pytest.raises(ClosedError):
        connection.write(b"x")
    assert connection.closed


def test_a_writer_that_nobody_reads_is_woken(server, transport):
    connection = upgraded(server, transport, threading.Event(), scope=CallScope(0.5))
    assert connection.try_write(b"small")
    with pytest.raises(DeadlineExceededError):
        connection.write(bytes(50_000_000))
    assert not _possible(connection)
    connection.close()


def _possible(connection: Upgraded) -> bool:
    try:
        return connection.try_write(b"x")
    except DeadlineExceededError:
        return False


def test_what_was_said_is_read_after_a_write_has_failed(server, transport):
    with upgraded(server, transport, b"last words", CLOSE) as connection:
        with pytest.raises(TransportError):
            while True:
                connection.write(bytes(1_000_000))
        with pytest.raises(TransportError):
            connection.write(b"x")
        assert connection.read() == b"last words"
