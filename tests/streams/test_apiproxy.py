"""The API proxy against a server that notes what it is asked: what passes, what does not, and how answers come."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Iterator

import pytest
from scripted import CLOSE, ScriptedServer, chunk, json_response, response_head

import dynkube
from dynkube import streams
from dynkube.config.model import RESTConfig, TLSConfig

LIMIT = 30.0


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer(tls=True) as server:
        server.on(lambda request: json_response({"kind": "Ok"}))
        yield server


@pytest.fixture
def client(server: ScriptedServer) -> Iterator[dynkube.DynamicClient]:
    config = RESTConfig(host=server.url, tls=TLSConfig(ca_data=server.ca_data), bearer_token="ours")
    with dynkube.DynamicClient(config) as client:
        yield client


@pytest.fixture
def running(client: dynkube.DynamicClient) -> Iterator[streams.APIProxy]:
    with streams.proxy(client) as running:
        yield running


def ask(running: streams.APIProxy, method: str, path: str, body: object = None, **headers: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=LIMIT)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body, named, encode_chunked=not isinstance(body, bytes | None))
    answer = connection.getresponse()
    try:
        return answer.status, answer.read()
    finally:
        connection.close()


@pytest.mark.behaviour("8.11.1")
def test_a_request_goes_on_with_our_credentials_and_without_the_callers(running, server):
    headers = {
        "Authorization": "Bearer theirs",
        "Cookie": "theirs",
        "X_Own": "kept",
        "Connection": "X-Hop",
        "X_Hop": "1",
    }
    assert ask(running, "GET", "/api/v1/pods?limit=1&a=%2F", **headers)[0] == 200
    (asked,) = server.requests
    assert asked.target == "/api/v1/pods?limit=1&a=%2F"
    assert (asked.header("Authorization"), asked.header("Cookie")) == (["Bearer ours"], [])
    assert (asked.header("X-Own"), asked.header("X-Hop")) == (["kept"], [])


@pytest.mark.parametrize("body", [b"x" * 100_000, [b"one", b"two" * 1000]])
def test_a_body_of_known_or_unknown_length_goes_on(running, server, body):
    options = {} if isinstance(body, bytes) else {"Transfer_Encoding": "chunked"}
    assert ask(running, "POST", "/api/v1/namespaces", body, **options)[0] == 200
    assert server.requests[0].body == (body if isinstance(body, bytes) else b"".join(body))


@pytest.mark.behaviour("8.11.1")
@pytest.mark.parametrize(
    ("method", "path", "host"),
    [
        ("GET", "/api/v1/namespaces/n/pods/p/exec?command=x", "localhost"),
        ("GET", "/api/v1/namespaces/n/pods/p/%65xec", "localhost:80"),
        ("GET", "//api/v1/namespaces/n/pods/p/exec", "localhost"),
        ("GET", "/x/../api/v1/namespaces/n/pods/p/attach", "localhost"),
        ("GET", "/version", "evil.example"),
        ("GET", "/version", "localhost.evil.example"),
    ],
)
def test_what_the_filters_keep_out_is_never_sent(running, server, method, path, host):
    assert ask(running, method, path, Host=host) == (403, b"Forbidden\n")
    assert not server.requests


@pytest.mark.behaviour("8.11.1")
def test_methods_paths_and_the_prefix_are_filtered(client, server):
    options = {"reject_methods": "POST,PUT", "accept_paths": "^/k8s/api/.*", "api_prefix": "k8s"}
    with streams.proxy(client, **options) as running:
        assert running.url.endswith("/k8s")
        assert ask(running, "POST", "/k8s/api/v1/pods", b"{}")[0] == 403
        assert ask(running, "GET", "/k8s/apis")[0] == 403
        assert ask(running, "GET", "/k8s/api/v1/namespaces/n/pods/p/exec")[0] == 403
        assert ask(running, "GET", "/k8s/api/v1")[0] == 200
    assert [each.target for each in server.requests] == ["/api/v1"]
    with pytest.raises(dynkube.InvalidRequestError, match=r"reject_paths: '\(' is no regular expression"):
        streams.proxy(client, reject_paths="(")


def test_an_answer_of_unknown_length_comes_in_chunks_and_a_cut_one_is_seen(running, server):
    server.on(
        lambda request: [
            response_head(200, {"Transfer-Encoding": "chunked"}),
            chunk(b"one"),
            chunk(b"two"),
            b"0\r\n\r\n",
        ]
    )
    assert ask(running, "GET", "/api") == (200, b"onetwo")
    server.on(lambda request: [response_head(200, {"Transfer-Encoding": "chunked"}), chunk(b"one"), CLOSE])
    with pytest.raises(http.client.IncompleteRead):
        ask(running, "GET", "/api")


def test_a_server_that_is_gone_is_a_bad_gateway_in_words(client, running, server):
    server.on(lambda request: [CLOSE])
    status, said = ask(running, "DELETE", "/api/v1/namespaces/n")
    assert status == 502
    assert b"the connection was lost" in said


@pytest.mark.parametrize(
    "sent",
    [
        b"GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"POST /api HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n",
        b"POST /api HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"nonsense\r\n\r\n",
    ],
)
def test_what_is_no_request_for_us_is_refused(running, server, sent):
    with socket.create_connection(("127.0.0.1", running.port), timeout=LIMIT) as connection:
        connection.sendall(sent)
        assert b"400" in connection.recv(1000)
    assert not server.requests


@pytest.mark.behaviour("8.11.1")
def test_files_are_served_beside_the_api_and_none_outside_of_their_folder(client, tmp_path):
    (tmp_path / "www" / "sub").mkdir(parents=True)
    (tmp_path / "www" / "sub" / "index.html").write_bytes(b"<p>hello")
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "www" / "link").symlink_to(tmp_path / "secret")
    with streams.proxy(client, www=tmp_path / "www") as running:
        assert ask(running, "GET", "/static/sub/") == (200, b"<p>hello")
        assert ask(running, "HEAD", "/static/sub/index.html") == (200, b"")
        for path in ("../secret", "%2e%2e/secret", "link", "nope", "/etc/passwd", "sub%00"):
            assert ask(running, "GET", f"/static/{path}")[0] == 404
        assert ask(running, "PUT", "/static/sub/", b"")[0] == 405
