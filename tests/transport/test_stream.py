from __future__ import annotations

import gzip
import subprocess
import sys
import threading
import zlib

import pytest
from scripted import CLOSE, HOLD, RESET, json_response, response

from dynkube.errors import (
    CancelledError,
    ClosedError,
    ConnectionLostError,
    DeadlineExceededError,
    DecodeError,
    InvalidRequestError,
    RequestTimeoutError,
)
from dynkube.transport import CallScope, CancelToken
from dynkube.wire.messages import Request

WATCH = Request("GET", "/api/v1/pods", (("watch", "true"),))


@pytest.mark.behaviour("2.10.5")
def test_bytes_are_handed_over_as_they_come(server, connect):
    gate = threading.Event()
    server.stream(b"one", gate, b"two")
    with connect(server).stream(WATCH) as stream:
        assert stream.status == 200
        assert stream.headers.get("Content-Type") == "application/json"
        assert stream.read() == b"one"
        gate.set()
        assert stream.read() == b"two"
        assert stream.read() == b""
        assert stream.read() == b""


def test_several_chunks_that_have_come_are_one_read(server, connect):
    server.stream(b"one", b"two", HOLD)
    with connect(server).stream(WATCH) as stream:
        data = b""
        while len(data) < 6:
            data += stream.read()
        assert data == b"onetwo"


class TestWhatHasArrived:
    """Reading on without waiting: each record of TLS would else be a read of its own."""

    @pytest.fixture(params=["plain", "TLS"])
    def either(self, request):
        return request.getfixturevalue("server" if request.param == "plain" else "tls_server")

    @staticmethod
    def when_ready(stream):
        tick = threading.Event()
        for _ in range(2000):
            if data := stream.read_ready():
                return data
            tick.wait(0.005)
        raise AssertionError("nothing arrives")

    def test_nothing_is_lost_and_order_is_kept(self, either, connect):
        pieces = [b"%06d" % number * 100 for number in range(300)]
        either.stream(*pieces)
        with connect(either).stream(WATCH) as stream:
            assert stream.read_all() == b"".join(pieces)

    def test_it_does_not_wait(self, either, connect):
        gate = threading.Event()
        either.stream(b"one", gate, b"two", HOLD)
        with connect(either).stream(WATCH, read_timeout=10) as stream:
            assert stream.read() == b"one"
            assert stream.read_ready() == b""
            gate.set()
            assert self.when_ready(stream) == b"two"

    def test_reads_that_wait_go_on_afterwards(self, either, connect):
        gate = threading.Event()
        either.stream(b"one", gate, b"two")
        with connect(either).stream(WATCH) as stream:
            assert stream.read() == b"one"
            assert stream.read_ready() == b""
            threading.Timer(0.05, gate.set).start()
            assert stream.read() == b"two"
            assert stream.read() == b""
            assert stream.read_ready() == b""

    @pytest.mark.parametrize("end", [CLOSE, RESET])
    def test_a_cut_is_for_the_next_read_to_tell(self, either, connect, end):
        gate = threading.Event()
        either.stream(b"one", gate, end)
        with connect(either).stream(WATCH) as stream:
            assert stream.read() == b"one"
            gate.set()
            with pytest.raises(ConnectionLostError):
                while True:
                    assert stream.read_ready() == b""
                    stream.read()
            assert stream.read_ready() == b""
            with pytest.raises(ConnectionLostError):  # it stays broken
                stream.read()

    def test_gzip_and_bodies_with_a_length_are_for_reads_that_wait(self, server, connect):
        server.stream(gzip.compress(b"one"), headers=[("Content-Encoding", "gzip")])
        server.reply(response(b"one"))
        for _ in range(2):
            with connect(server).stream(WATCH) as stream:
                assert stream.read_ready() == b""
                assert stream.read_all() == b"one"


@pytest.mark.parametrize("limit", [1, 2, 3, 1000])
@pytest.mark.parametrize("kind", ["chunked", "length", "gzip"])
def test_the_limit_holds(server, connect, limit, kind):
    text = b"0123456789" * 3
    if kind == "chunked":
        server.stream(text[:7], text[7:])
    elif kind == "length":
        server.reply(response(text))
    else:
        server.stream(gzip.compress(text), headers=[("Content-Encoding", "gzip")])
    with connect(server).stream(WATCH) as stream:
        pieces = list(iter(lambda: stream.read(limit), b""))
    assert b"".join(pieces) == text
    assert max(map(len, pieces)) <= limit


def test_a_limit_below_1_is_refused(server, connect):
    server.reply_json({})
    with connect(server).stream(WATCH) as stream, pytest.raises(InvalidRequestError, match="limit"):
        stream.read(0)


def test_gzip_that_is_interrupted_is_not_called_damaged(server, connect, in_thread):
    body = gzip.compress(b"x" * 1000)[:-4]
    server.reply(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Encoding: gzip\r\n\r\n" + body, HOLD)
    token = CancelToken()
    stream = connect(server).stream(WATCH, scope=CallScope(None, token))
    reading = in_thread(stream.read_all)
    token.cancel()
    with pytest.raises(CancelledError):
        reading()
    stream.close()


def test_gzip_is_handed_over_as_it_comes(server, connect):
    gate = threading.Event()
    packer = zlib.compressobj(wbits=31)
    first = packer.compress(b"one") + packer.flush(zlib.Z_SYNC_FLUSH)
    server.stream(first, gate, packer.compress(b"two") + packer.flush(), headers=[("Content-Encoding", "gzip")])
    with connect(server).stream(WATCH) as stream:
        assert stream.read() == b"one"
        gate.set()
        assert stream.read_all() == b"two"


@pytest.mark.parametrize("body", [b"<html>", gzip.compress(b"x" * 999)[:-4]], ids=["none", "cut"])
def test_gzip_that_is_none(server, connect, body):
    server.stream(body, headers=[("Content-Encoding", "gzip")])
    with connect(server).stream(WATCH) as stream, pytest.raises(DecodeError, match="gzip"):
        stream.read_all()


def test_read_all_stops_at_its_limit(server, connect):
    server.stream(b"x" * 100, HOLD)
    with connect(server).stream(WATCH) as stream:
        assert stream.read_all(10) == b"x" * 10
        assert stream.read_all(90) == b"x" * 90


def test_a_body_that_ends_with_the_connection(server, connect):
    server.reply(b"HTTP/1.0 200 OK\r\n\r\nabc", CLOSE)
    with connect(server).stream(WATCH) as stream:
        assert stream.read_all() == b"abc"


def test_an_error_status_is_a_stream_too(server, connect):
    server.reply_json({"kind": "Status"}, 410)
    with connect(server).stream(WATCH) as stream:
        assert stream.status == 410
        assert stream.read_all() == b'{"kind": "Status"}'


# ------------------------------------------------------------- ends


@pytest.mark.parametrize("end", [CLOSE, RESET])
@pytest.mark.parametrize("form", ["chunked", "length"])
def test_a_cut_is_an_error(server, connect, end, form):
    if form == "chunked":
        server.stream(b"one", end)
    else:
        server.reply(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\none", end)
    with connect(server).stream(WATCH) as stream:
        with pytest.raises(ConnectionLostError, match="reading the response's body") as caught:
            stream.read_all()
        assert caught.value.response_started
        with pytest.raises(ConnectionLostError):  # it stays broken
            stream.read()


@pytest.mark.parametrize("tail", [b"x\r\n", b"3\r\none2\r\n"])
def test_broken_framing_is_an_error(server, connect, tail):
    server.reply(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + tail, HOLD)
    with connect(server).stream(WATCH) as stream, pytest.raises(ConnectionLostError):
        stream.read_all()


def test_a_server_that_says_nothing_times_out(server, connect):
    server.stream(b"one", HOLD)
    with connect(server).stream(WATCH, read_timeout=0.2) as stream:
        assert stream.read() == b"one"
        with pytest.raises(RequestTimeoutError, match="timed out while reading the response's body"):
            stream.read()


def test_the_connection_goes_back_after_a_proper_end(server, connect):
    transport = connect(server)
    for _ in range(3):
        server.stream(b"one")
        with transport.stream(WATCH) as stream:
            stream.read_all()
        server.reply_json({})
        transport.send(WATCH)
    assert server.connection_count == 1


def test_an_end_that_was_not_read_closes_the_connection(server, connect):
    transport = connect(server)
    server.stream(b"one", HOLD)
    server.reply_json({})
    with transport.stream(WATCH) as stream:
        stream.read()
    server.wait_for_ends(1)
    transport.send(WATCH)
    assert server.connection_count == 2


def test_streams_do_not_block_the_pool(server, connect):
    transport = connect(server)
    streams = []
    for _ in range(30):
        server.stream(b"one", HOLD)
        streams.append(transport.stream(WATCH))
    server.reply_json({})
    assert transport.send(WATCH).status == 200
    for stream in streams:
        stream.close()


# ------------------------------------------------------------- being interrupted


@pytest.mark.behaviour("2.10.3")
@pytest.mark.parametrize("tls", [False, True])
def test_close_wakes_a_blocked_reader(server, tls_server, connect, in_thread, tls):
    server = tls_server if tls else server
    server.stream(b"one", HOLD)
    stream = connect(server).stream(WATCH)
    assert stream.read() == b"one"
    reading = in_thread(stream.read)
    stream.close()
    with pytest.raises(ClosedError):
        reading()
    stream.close()
    with pytest.raises(ClosedError):
        stream.read()
    server.wait_for_ends(1)
    assert stream.closed


@pytest.mark.behaviour("2.10.3")
def test_many_closes_and_reads_at_once(server, connect, in_thread):
    transport = connect(server)
    for _ in range(20):
        server.stream(b"one", HOLD)
        stream = transport.stream(WATCH)
        readers = [in_thread(stream.read_all) for _ in range(3)]
        closers = [in_thread(stream.close) for _ in range(3)]
        for reading in readers:
            with pytest.raises(ClosedError):
                reading()
        for closing in closers:
            closing()
    server.wait_for_ends(20)


@pytest.mark.behaviour("2.10.3", "2.11.3")
def test_cancel_wakes_a_blocked_reader(tls_server, connect, in_thread):
    tls_server.stream(b"one", HOLD)
    token = CancelToken()
    stream = connect(tls_server).stream(WATCH, scope=CallScope(None, token))
    assert stream.read() == b"one"
    reading = in_thread(stream.read)
    token.cancel()
    with pytest.raises(CancelledError):
        reading()
    with pytest.raises(CancelledError):
        stream.read()
    stream.close()


@pytest.mark.behaviour("2.10.4", "2.11.3")
def test_the_deadline_covers_reading(tls_server, connect):
    tls_server.stream(b"one", HOLD)
    with connect(tls_server).stream(WATCH, scope=CallScope(1)) as stream, pytest.raises(DeadlineExceededError):
        while stream.read():
            pass


def test_a_body_without_length_that_is_interrupted_does_not_look_complete(server, connect, in_thread):
    server.reply(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc", HOLD)
    token = CancelToken()
    stream = connect(server).stream(WATCH, scope=CallScope(None, token))
    assert stream.read() == b"abc"
    reading = in_thread(stream.read)
    token.cancel()
    with pytest.raises(CancelledError):
        reading()
    stream.close()


def test_closing_the_transport_ends_its_streams(server, connect, in_thread):
    server.stream(b"one", HOLD)
    transport = connect(server)
    stream = transport.stream(WATCH)
    assert stream.read() == b"one"
    reading = in_thread(stream.read)
    transport.close()
    with pytest.raises(ClosedError, match="client"):
        reading()
    stream.close()


def test_a_token_that_is_cancelled_later_does_not_hurt_the_next_user(server, connect):
    server.on(lambda request: json_response({}))
    transport, token = connect(server), CancelToken()
    with transport.stream(WATCH, scope=CallScope(60, token)) as stream:
        stream.read_all()
    transport.send(WATCH, scope=CallScope(60, token))
    token.cancel()
    transport.send(WATCH)
    assert server.connection_count == 1


@pytest.mark.parametrize("scope", [CallScope(), CallScope(3600, CancelToken())])
def test_a_stream_that_is_dropped_closes_its_connection(server, connect, scope):
    server.stream(b"one", HOLD)
    transport = connect(server)
    stream = transport.stream(WATCH, scope=scope)
    stream.read()
    del stream
    server.wait_for_ends(1)


def test_the_repr_says_where_it_stands(server, connect):
    server.stream(b"one")
    stream = connect(server).stream(WATCH)
    assert repr(stream) == "<Stream GET /api/v1/pods 200 open>"
    stream.read_all()
    assert repr(stream) == "<Stream GET /api/v1/pods 200 ended>"
    stream.close()
    assert repr(stream) == "<Stream GET /api/v1/pods 200 closed>"


def test_an_interpreter_with_open_streams_exits_at_once(server):
    server.stream(b"one", HOLD)
    server.stream(b"one", HOLD)
    program = f"""
import threading
from dynkube.config.model import RESTConfig
from dynkube.transport import CallScope, CancelToken, Transport
from dynkube.wire.messages import Request

transport = Transport(RESTConfig(host="{server.url}"))
stream = transport.stream(Request("GET", "/a"), scope=CallScope(3600, CancelToken()))
stream.read()
other = transport.stream(Request("GET", "/b"), scope=CallScope(3600))
other.read()
threading.Thread(target=other.read, daemon=True).start()
print("end of program")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=15, check=False)
    assert done.stdout == "end of program\n"
    assert done.stderr == ""
    assert done.returncode == 0
