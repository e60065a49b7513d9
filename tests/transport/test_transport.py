"""What goes over the wire, and what comes back."""

from __future__ import annotations

import gzip
import math
import socket

import pytest
from scripted import CLOSE, RESET, json_response, response

from dynkube.config.model import ExecConfig, Impersonation, RESTConfig
from dynkube.errors import (
    ClosedError,
    ConfigError,
    ConnectionLostError,
    DecodeError,
    InvalidRequestError,
    TransportError,
)
from dynkube.transport import Transport
from dynkube.wire.messages import Request

GET = Request("GET", "/api")


def lines_of(request, name):
    return [value for each, value in request.headers if each == name]


# ------------------------------------------------------------- requests


@pytest.mark.behaviour("2.1.9")
@pytest.mark.parametrize(
    "path", ["/a/../b", "/a/./b//c", "/api/v1/x%2fy%2Fz", "/api/%7euser", "/x?a=%20&b=+&c", "/x;y=1/z:1/@", "/[x]|{}"]
)
def test_the_target_goes_out_as_given(server, connect, path):
    server.reply_json({})
    connect(server).send(Request("GET", path))
    assert server.requests[0].target == path


@pytest.mark.behaviour("2.4.2")
def test_the_hosts_path_comes_before_every_path(server, connect):
    server.reply_json({})
    connect(server, host=f"{server.url}/cluster-7/").send(Request("GET", "/api", (("limit", "1"),)))
    assert server.requests[0].target == "/cluster-7/api?limit=1"


@pytest.mark.parametrize("path", ["/a b", "/a#b", "/a\r\nX: y", "api", "", "/ä", "http://elsewhere/"])
def test_a_target_that_is_not_escaped_is_refused(server, connect, path):
    with pytest.raises(InvalidRequestError, match="path"):
        connect(server).send(Request("GET", path))
    assert server.connection_count == 0


@pytest.mark.behaviour("2.2.5", "2.5.7")
def test_header_lines(server, connect):
    server.reply_json({})
    transport = connect(
        server, bearer_token="abc", user_agent="me/1", impersonate=Impersonation(user="jane", groups=["a", "b"])
    )
    transport.send(Request("GET", "/api", headers=(("Accept", "application/json"), ("X-Two", "1"), ("X-Two", "2"))))
    (request,) = server.requests
    assert lines_of(request, "Impersonate-Group") == ["a", "b"]
    assert lines_of(request, "X-Two") == ["1", "2"]
    assert sorted(name for name, _ in request.headers) == [
        "Accept",
        "Accept-Encoding",
        "Authorization",
        "Host",
        "Impersonate-Group",
        "Impersonate-Group",
        "Impersonate-User",
        "User-Agent",
        "X-Two",
        "X-Two",
    ]


@pytest.mark.behaviour("1.6.5", "2.6.5")
def test_without_compression_no_encoding_is_named(server, connect):
    server.reply_json({})
    connect(server, disable_compression=True).send(GET)
    assert server.requests[0].header("Accept-Encoding") == []
    assert server.requests[0].header("Expect") == []


def test_a_body_of_bytes_has_its_length(server, connect):
    server.reply_json({})
    connect(server).send(Request("POST", "/api", body=b'{"a":1}', headers=(("Content-Type", "application/json"),)))
    (request,) = server.requests
    assert request.body == b'{"a":1}'
    assert request.header("Content-Length") == ["7"]
    assert request.header("Transfer-Encoding") == []


def test_a_body_of_pieces_is_chunked(server, connect):
    server.reply_json({})
    connect(server).send(Request("PUT", "/api", body=iter([b"one", b"", b"two"])))
    (request,) = server.requests
    assert request.body == b"onetwo"
    assert request.header("Transfer-Encoding") == ["chunked"]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_no_body_where_one_is_expected_has_length_0(server, connect, method):
    server.reply_json({})
    connect(server).send(Request(method, "/api"))
    assert server.requests[0].header("Content-Length") == ["0"]


def test_a_delete_can_have_a_body(server, connect):
    server.reply_json({})
    connect(server).send(Request("DELETE", "/api", body=b"{}"))
    assert server.requests[0].body == b"{}"


# ------------------------------------------------------------- responses


def test_status_headers_and_body_come_back(server, connect):
    server.reply_json({"a": 1}, 409, [("Warning", '299 - "one"'), ("Warning", '299 - "two"')])
    answer = connect(server).send(GET)
    assert answer.status == 409
    assert answer.body == b'{"a": 1}'
    assert answer.request is GET
    assert answer.headers.get("content-type") == "application/json"
    assert answer.headers.getlist("warning") == ['299 - "one"', '299 - "two"']


@pytest.mark.parametrize("size", [0, 1, 300_000, 3_000_000])
@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.behaviour("2.6.4", "2.6.5")
def test_bodies(server, connect, size, chunked, zipped):
    text = (b"0123456789abcdef" * (size // 16 + 1))[:size]
    body = gzip.compress(text) if zipped else text
    headers = [("Content-Encoding", "gzip")] if zipped else []
    if chunked:
        pieces = [body[start : start + 10_007] for start in range(0, len(body), 10_007)]
        server.stream(*pieces, headers=headers)
    else:
        server.reply(response(body, 200, headers))
    server.reply_json({})
    transport = connect(server)
    answer = transport.send(GET)
    assert answer.body == text
    assert answer.headers.get("Content-Encoding") is None
    assert transport.send(GET).status == 200
    assert server.connection_count == 1


@pytest.mark.behaviour("2.6.4")
def test_gzip_that_was_not_asked_for_is_left_alone(server, connect):
    zipped = gzip.compress(b"{}")
    server.reply(response(zipped, 200, [("Content-Encoding", "gzip")]))
    answer = connect(server, disable_compression=True).send(GET)
    assert answer.body == zipped
    assert answer.headers.get("Content-Encoding") == "gzip"


@pytest.mark.parametrize("body", [b"<html>no gzip</html>", gzip.compress(b"x" * 9999)[:-5]], ids=["none", "cut"])
def test_gzip_that_is_none_is_a_decode_error(server, connect, body):
    server.reply(response(body, 200, [("Content-Encoding", "gzip")]))
    with pytest.raises(DecodeError, match="gzip"):
        connect(server).send(GET)


@pytest.mark.parametrize("status", [204, 304])
def test_answers_without_body(server, connect, status):
    server.reply(f"HTTP/1.1 {status} x\r\nETag: y\r\n\r\n".encode())
    server.reply_json({})
    transport = connect(server)
    assert transport.send(GET).body == b""
    transport.send(GET)
    assert server.connection_count == 1


def test_head_has_no_body(server, connect):
    server.reply(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    server.reply_json({})
    transport = connect(server)
    assert transport.send(Request("HEAD", "/api")).body == b""
    assert transport.send(GET).body == b"{}"


def test_a_body_that_ends_with_the_connection(server, connect):
    server.reply(b"HTTP/1.0 200 OK\r\n\r\nabc", CLOSE)
    assert connect(server).send(GET).body == b"abc"


# ------------------------------------------------------------- pooled connections


def test_a_connection_is_used_again(server, connect):
    transport = connect(server)
    for _ in range(5):
        server.reply_json({})
        transport.send(GET)
    assert server.connection_count == 1


@pytest.mark.behaviour("2.1.11")
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
@pytest.mark.parametrize("end", [CLOSE, RESET])
def test_a_stale_connection_is_replaced_without_a_word(server, connect, method, end):
    transport = connect(server)
    server.reply_json({})
    server.reply(end)  # it has taken the second request, and closes without an answer
    server.reply_json({})
    transport.send(GET)
    assert transport.send(Request(method, "/again")).status == 200
    assert [(request.target, request.connection) for request in server.requests] == [
        ("/api", 1),
        ("/again", 1),
        ("/again", 2),
    ]


@pytest.mark.behaviour("2.1.11")
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_what_writes_is_never_sent_twice(server, connect, method):
    transport = connect(server)
    server.reply_json({})
    server.reply(CLOSE)
    transport.send(GET)
    with pytest.raises(ConnectionLostError) as caught:
        transport.send(Request(method, "/api", body=b"{}"))
    assert not caught.value.response_started
    assert len(server.requests) == 2


@pytest.mark.behaviour("2.1.11")
def test_a_new_connection_that_breaks_is_no_stale_one(server, connect):
    server.reply(CLOSE)
    with pytest.raises(ConnectionLostError):
        connect(server).send(GET)
    assert len(server.requests) == 1


@pytest.mark.behaviour("2.1.11")
def test_there_is_one_replay(server, connect):
    transport = connect(server)
    server.reply_json({})
    server.reply(CLOSE)
    server.reply(CLOSE)
    transport.send(GET)
    with pytest.raises(ConnectionLostError):
        transport.send(GET)
    assert len(server.requests) == 3


@pytest.mark.behaviour("2.1.11", "2.7.12")
@pytest.mark.parametrize(
    "begin",
    [
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
    ],
)
def test_a_response_that_is_cut_is_an_error_and_not_replayed(server, connect, begin):
    transport = connect(server)
    server.reply_json({})
    server.reply(begin, CLOSE)
    transport.send(GET)
    with pytest.raises(ConnectionLostError) as caught:
        transport.send(GET)
    assert caught.value.response_started
    assert caught.value.method == "GET"
    assert caught.value.url == f"{server.url}/api"
    assert len(server.requests) == 2


def test_an_idle_connection_gets_too_old(server, connect):
    transport = connect(server)
    server.reply_json({})
    server.reply_json({})
    transport.send(GET)
    (kept,) = [conn for conn in transport._rotation.adapter.pool.pool.queue if conn is not None]
    kept.idle_since -= 91
    transport.send(GET)
    assert [request.connection for request in server.requests] == [1, 2]


def test_more_calls_at_once_than_the_pool_keeps(server, connect, in_thread, caplog):
    server.on(lambda request: json_response({}))
    transport = connect(server)
    calls = [in_thread(transport.send, GET) for _ in range(40)]
    assert {call().status for call in calls} == {200}
    assert not [record for record in caplog.records if record.levelname == "WARNING"]


# ------------------------------------------------------------- redirects


@pytest.mark.behaviour("2.1.10")
@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("location", ["/openapi/v3/x?hash=A%2fB", "x?hash=A%2fB", "{url}/openapi/v3/x?hash=A%2fB"])
def test_a_redirect_within_the_server_is_followed(server, connect, status, location):
    server.reply_json({}, status, [("Location", location.format(url=server.url))])
    server.reply_json({"here": 1})
    answer = connect(server, bearer_token="abc").send(Request("GET", "/openapi/v3/y"))
    assert answer.body == b'{"here": 1}'
    assert [request.target for request in server.requests] == ["/openapi/v3/y", "/openapi/v3/x?hash=A%2fB"]
    assert server.requests[1].header("Authorization") == ["Bearer abc"]


@pytest.mark.behaviour("2.1.10")
@pytest.mark.parametrize(
    "location", ["http://localhost:{port}/x", "https://127.0.0.1:{port}/x", "//evil.example/x", ""]
)
def test_a_redirect_elsewhere_is_not(server, connect, location):
    server.reply_json({}, 302, [("Location", location.format(port=server.port))])
    assert connect(server, bearer_token="abc").send(GET).status == 302
    assert len(server.requests) == 1


def test_a_write_is_not_redirected(server, connect):
    server.reply_json({}, 307, [("Location", "/x")])
    assert connect(server).send(Request("POST", "/api", body=b"{}")).status == 307


def test_a_redirect_of_a_stream_is_followed(server, connect):
    server.reply_json({}, 301, [("Location", "/x")])
    server.reply_json({"here": 1})
    with connect(server).stream(GET) as stream:
        assert stream.read_all() == b'{"here": 1}'


@pytest.mark.parametrize("verb", ["send", "stream"])
def test_redirects_in_a_circle_end(server, connect, verb):
    server.on(lambda request: json_response({}, 301, [("Location", "/api")]))
    with pytest.raises(TransportError, match="redirects"):
        getattr(connect(server), verb)(GET)
    assert len(server.requests) == 6


# ------------------------------------------------------------- life


def test_a_closed_transport_refuses(server):
    with Transport(RESTConfig(host=server.url)) as transport:
        pass
    transport.close()
    with pytest.raises(ClosedError):
        transport.send(GET)
    with pytest.raises(ClosedError):
        transport.stream(GET)


def test_closing_closes_idle_connections(server, connect):
    server.reply_json({})
    transport = connect(server)
    transport.send(GET)
    transport.close()
    server.wait_for_ends(1)


def test_credentials_from_a_plugin_are_refused():
    with pytest.raises(ConfigError, match="exec"):
        Transport(RESTConfig(host="https://kube", exec=ExecConfig(command="plugin")))


def test_no_read_timeout_on_request(server, connect):
    server.reply_json({})
    assert connect(server).send(GET, read_timeout=math.inf).status == 200


@pytest.mark.parametrize("verb", ["send", "stream"])
@pytest.mark.parametrize("seconds", [0, -1, math.nan])
def test_a_read_timeout_is_above_0(server, connect, verb, seconds):
    with pytest.raises(InvalidRequestError, match="read_timeout"):
        getattr(connect(server), verb)(GET, read_timeout=seconds)


def test_ipv6(in_thread):
    try:
        listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("no IPv6 here")

    def serve():
        sock, _ = listener.accept()
        with sock:
            head = sock.recv(65536)
            sock.sendall(response(b"{}"))
            return head

    with listener:
        serving = in_thread(serve)
        port = listener.getsockname()[1]
        with Transport(RESTConfig(host=f"http://[::1]:{port}")) as transport:
            assert transport.send(GET).body == b"{}"
        assert f"Host: [::1]:{port}\r\n".encode() in serving()


def test_the_repr_names_the_server(server, connect):
    assert repr(connect(server, bearer_token="abc")) == f"<Transport {server.url}>"
