"""A deadline or a cancel ends a call, whatever it is waiting for (2.11.3)."""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
import time

import pytest
from scripted import HOLD

from dynkube.config.model import RESTConfig, TLSConfig
from dynkube.errors import CancelledError, ClosedError, DeadlineExceededError, RequestTimeoutError
from dynkube.transport import CallScope, CancelToken, Transport, exchange
from dynkube.transport.dial import Call, _Lookup, dial, making
from dynkube.wire.messages import Request

GET = Request("GET", "/api")

pytestmark = pytest.mark.behaviour("2.11.3")


class Silent:
    """Listens, and says nothing: accepts never (``full``: not even the connection), or only that."""

    def __init__(self, scheme, *, full=False):
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(0 if full else 16)
        self.port = self._listener.getsockname()[1]
        self.url = f"{scheme}://127.0.0.1:{self.port}"
        self.ca_data = None
        self._fillers = []
        if full:
            for _ in range(8):  # what the kernel would accept for us
                filler = socket.socket()
                filler.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    filler.connect(("127.0.0.1", self.port))
                self._fillers.append(filler)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for filler in self._fillers:
            filler.close()
        self._listener.close()


@pytest.fixture
def reached(monkeypatch):
    """Wait until a call has come to a phase: ``reached("connecting")``."""
    changed, seen = threading.Condition(), []
    attach = Call.attach

    def remember(call, wake, phase):
        attach(call, wake, phase)
        with changed:
            seen.append(phase)
            changed.notify_all()

    monkeypatch.setattr(Call, "attach", remember)

    def reached(phase):
        with changed:
            assert changed.wait_for(lambda: phase in seen, 10), seen

    return reached


@pytest.fixture
def unreachable():
    with Silent("http", full=True) as server:
        yield server


@pytest.fixture
def mute():
    with Silent("https") as server:
        yield server


def ends(transport, in_thread, begun, how):
    """The error in which a call ends that is interrupted in this way once it has ``begun``."""
    if how == "deadline":
        started = time.monotonic()
        with pytest.raises(DeadlineExceededError):
            transport.send(GET, scope=CallScope(0.3))
        assert time.monotonic() - started < 5
        return
    token = CancelToken()
    calling = in_thread(lambda: transport.send(GET, scope=CallScope(60, token)))
    begun()
    if how == "cancel":
        token.cancel()
        with pytest.raises(CancelledError):
            calling()
    else:
        transport.close()
        with pytest.raises(ClosedError):
            calling()


@pytest.mark.parametrize("how", ["deadline", "cancel", "close"])
@pytest.mark.skipif(sys.platform != "linux", reason="a full backlog drops connections on Linux")
def test_connecting(unreachable, connect, in_thread, reached, how):
    ends(connect(unreachable), in_thread, lambda: reached("connecting"), how)


@pytest.mark.parametrize("how", ["deadline", "cancel", "close"])
def test_the_tls_handshake(mute, connect, in_thread, reached, how):
    ends(connect(mute, tls=TLSConfig(insecure=True)), in_thread, lambda: reached("TLS handshake"), how)


@pytest.mark.parametrize("how", ["deadline", "cancel", "close"])
@pytest.mark.parametrize("tls", [False, True])
def test_waiting_for_the_response(server, tls_server, connect, in_thread, how, tls):
    server = tls_server if tls else server
    server.reply(HOLD)
    ends(connect(server), in_thread, lambda: server.wait_for_requests(1), how)
    server.wait_for_ends(1)


@pytest.mark.parametrize("how", ["deadline", "cancel", "close"])
@pytest.mark.parametrize("tls", [False, True])
def test_reading_the_body(server, tls_server, connect, in_thread, how, tls):
    server = tls_server if tls else server
    server.reply(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc", HOLD)
    ends(connect(server), in_thread, lambda: server.wait_for_requests(1), how)
    server.wait_for_ends(1)


@pytest.mark.parametrize("how", ["deadline", "cancel", "close"])
def test_a_body_that_dribbles(server, connect, in_thread, how):
    # No read ever takes long; only a deadline of the whole ends it.
    stop, dribbled = threading.Event(), threading.Event()

    def dribble():
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
        while not stop.wait(0.01):
            dribbled.set()
            yield b"x"

    server.on(lambda request: dribble())
    ends(connect(server), in_thread, lambda: dribbled.wait(10), how)
    stop.set()


@pytest.mark.parametrize("how", ["cancel", "close"])
def test_a_body_without_length_is_not_taken_for_whole(server, connect, in_thread, how):
    server.reply(b"HTTP/1.0 200 OK\r\n\r\nabc", HOLD)
    ends(connect(server), in_thread, lambda: server.wait_for_requests(1), how)


def test_sending_a_body(connect, in_thread):
    stop, sent = threading.Event(), threading.Event()

    def endless():
        while not stop.is_set():
            yield b"x" * 1_000_000
            sent.set()

    token = CancelToken()
    with Silent("http") as server:
        transport = connect(server)
        calling = in_thread(lambda: transport.send(Request("PUT", "/api", body=endless()), scope=CallScope(60, token)))
        assert sent.wait(10)
        token.cancel()
        with pytest.raises(CancelledError):
            calling()
    stop.set()


def test_a_call_that_is_cancelled_before_does_not_connect(server, connect):
    token = CancelToken()
    token.cancel()
    with pytest.raises(CancelledError):
        connect(server).send(GET, scope=CallScope(None, token))
    assert server.connection_count == 0


def test_a_name_lookup_can_be_given_up(in_thread):
    begun, go_on = threading.Event(), threading.Event()

    def look_up(host, port):
        begun.set()
        assert go_on.wait(20)
        return []

    call = Call()
    waiting = in_thread(lambda: _Lookup("kube.example", 1, look_up).wait(20, call))
    assert begun.wait(10)
    call.interrupt()
    with pytest.raises(TimeoutError):
        waiting()
    go_on.set()


# ------------------------------------------------------------- the transport's own limits


def test_a_silent_server_times_out(server, connect):
    server.reply(HOLD)
    with pytest.raises(RequestTimeoutError, match="timed out while waiting for the response"):
        connect(server).send(GET, read_timeout=0.2)


def test_a_silent_body_times_out(server, connect):
    server.reply(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc", HOLD)
    with pytest.raises(RequestTimeoutError, match="timed out while reading the response's body"):
        connect(server).send(GET, read_timeout=0.2)


@pytest.mark.behaviour("2.1.7")
@pytest.mark.skipif(sys.platform != "linux", reason="a full backlog drops connections on Linux")
def test_connecting_times_out(unreachable, connect, monkeypatch):
    monkeypatch.setattr(exchange, "CONNECT_TIMEOUT", 0.2)
    with pytest.raises(RequestTimeoutError, match=f"127.0.0.1:{unreachable.port}: timed out while connecting"):
        connect(unreachable).send(GET)


@pytest.mark.behaviour("2.1.7")
def test_the_handshake_times_out(mute, connect, monkeypatch):
    monkeypatch.setattr("dynkube.transport.dial.HANDSHAKE_TIMEOUT", 0.2)
    with pytest.raises(RequestTimeoutError, match="timed out while doing the TLS handshake"):
        connect(mute, tls=TLSConfig(insecure=True)).send(GET)


@pytest.mark.behaviour("2.1.7")
def test_sockets_are_kept_alive(server):
    call = Call()
    with making(call), dial("127.0.0.1", server.port, timeout=5) as sock:
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        if hasattr(socket, "TCP_KEEPIDLE"):
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 30
    assert call.phase == "connecting"


def test_dial_tries_each_address(server):
    with dial("localhost", server.port, timeout=5) as sock:
        assert sock.getpeername()[1] == server.port
    with pytest.raises(ConnectionRefusedError):
        dial("127.0.0.1", _free_port(), timeout=5)
    with pytest.raises(socket.gaierror):
        dial("a..b", 1, timeout=5)


def _free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def test_a_dropped_transport_needs_no_close():
    Transport(RESTConfig(host="http://127.0.0.1:1"))
