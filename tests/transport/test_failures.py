from __future__ import annotations

import http.client
import inspect
import socket
import ssl

import certs
import pytest
import requests
import urllib3
from scripted import CLOSE, ScriptedServer

from dynkube.config.model import RESTConfig, TLSConfig
from dynkube.errors import (
    ClosedError,
    ConfigError,
    ConnectError,
    ConnectionLostError,
    DecodeError,
    DynkubeError,
    InvalidRequestError,
    RequestTimeoutError,
    TLSError,
    TransportError,
)
from dynkube.transport.failures import Failures
from dynkube.wire.messages import Request

GET = Request("GET", "/api")


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


# ------------------------------------------------------------- every class

REQUESTS = {
    "RequestException": TransportError,
    "InvalidJSONError": DecodeError,
    "JSONDecodeError": DecodeError,
    "HTTPError": TransportError,
    "ConnectionError": ConnectError,
    "ProxyError": ConnectError,
    "SSLError": TLSError,
    "Timeout": RequestTimeoutError,
    "ConnectTimeout": RequestTimeoutError,
    "ReadTimeout": RequestTimeoutError,
    "URLRequired": InvalidRequestError,
    "TooManyRedirects": TransportError,
    "MissingSchema": InvalidRequestError,
    "InvalidSchema": InvalidRequestError,
    "InvalidURL": InvalidRequestError,
    "InvalidHeader": InvalidRequestError,
    "InvalidProxyURL": ConfigError,
    "ChunkedEncodingError": ConnectionLostError,
    "ContentDecodingError": DecodeError,
    "StreamConsumedError": ClosedError,
    "RetryError": TransportError,
    "UnrewindableBodyError": InvalidRequestError,
}


def classes(module, base):
    found = [each for _, each in inspect.getmembers(module, inspect.isclass) if issubclass(each, base)]
    return sorted((each for each in found if not issubclass(each, Warning)), key=lambda each: each.__name__)


def explain(error, phase="connecting", **fields):
    fields.setdefault("host", "https://kube:6443")
    return Failures(RESTConfig(**fields), "").explain(error, method="GET", path="/api", phase=phase, started=False)


@pytest.mark.parametrize(
    "kind", classes(requests.exceptions, requests.RequestException), ids=lambda kind: kind.__name__
)
def test_each_class_of_requests_has_one_of_ours(kind):
    error = kind("why", "", 0) if kind.__name__ == "JSONDecodeError" else kind("why")
    found = explain(error)
    assert type(found) is REQUESTS[kind.__name__]
    if isinstance(found, TransportError):
        assert (found.method, found.url) == ("GET", "https://kube:6443/api")


@pytest.mark.parametrize(
    "kind", classes(urllib3.exceptions, urllib3.exceptions.HTTPError), ids=lambda kind: kind.__name__
)
def test_each_class_of_urllib3_has_one_of_ours(kind):
    error = kind.__new__(kind)
    error.args = ("why",)
    assert isinstance(explain(error), DynkubeError)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ConnectionResetError(104, "reset"), ConnectionLostError),
        (BrokenPipeError(32, "pipe"), ConnectionLostError),
        (ConnectionRefusedError(111, "refused"), ConnectError),
        (socket.gaierror(-2, "unknown"), ConnectError),
        (TimeoutError("timed out"), RequestTimeoutError),
        (ssl.SSLEOFError(8, "EOF"), ConnectionLostError),
        (ssl.SSLError(1, "odd"), TLSError),
        (http.client.IncompleteRead(b""), ConnectionLostError),
        (http.client.RemoteDisconnected("gone"), ConnectionLostError),
        (OSError("odd"), TransportError),
    ],
)
def test_errors_below_urllib3(error, kind):
    assert type(explain(error)) is kind


@pytest.mark.parametrize("error", [http.client.BadStatusLine("<html>"), http.client.LineTooLong("header line")])
def test_what_is_no_header_is_no_lost_connection(error):
    assert type(explain(error, phase="waiting for the response")) is TransportError
    assert type(explain(error, phase="reading the response's body")) is ConnectionLostError


def test_ours_stay_and_a_users_own_stay_his():
    ours = DecodeError("x")
    assert explain(ours) is ours
    assert explain(KeyError("x")) is None
    assert explain(ValueError("x")) is None


def test_a_chain_that_bites_its_tail_ends():
    error = requests.ConnectionError("x")
    error.__cause__ = error
    error.args = (error,)
    assert isinstance(explain(error), ConnectError)


# ------------------------------------------------------------- what they say


def test_nobody_listens(connect):
    port = free_port()
    with pytest.raises(ConnectError) as caught:
        connect(None, host=f"http://127.0.0.1:{port}", tls=TLSConfig(), source="/home/me/.kube/config").send(GET)
    text = str(caught.value)
    assert f"127.0.0.1:{port}: connection refused" in text
    assert "is the API server up" in text
    assert "/home/me/.kube/config" in text
    assert caught.value.url == f"http://127.0.0.1:{port}/api"


def test_an_unknown_host(connect):
    with pytest.raises(ConnectError, match=r"the host nowhere\.invalid is unknown"):
        connect(None, host="https://nowhere.invalid:6443", tls=TLSConfig()).send(GET)


def test_a_ca_that_does_not_match(tls_server, connect, tmp_path):
    other = certs.wrong_authority().ca_data
    path = tmp_path / "other-ca.crt"
    path.write_bytes(other)
    for tls, named in ((TLSConfig(ca_data=other), "certificate-authority-data"), (TLSConfig(ca_file=path), str(path))):
        with pytest.raises(TLSError) as caught:
            connect(tls_server, tls=tls, bearer_token="sesame").send(GET)
        text = str(caught.value)
        assert f"127.0.0.1:{tls_server.port}" in text
        assert named in text
        assert "certificate-authority" in text
        assert "sesame" not in text
    assert tls_server.requests == []


def test_tls_where_the_server_speaks_plain_http(server, connect):
    with pytest.raises(TLSError, match=r"does not speak TLS; is it plain http \(server: http://"):
        # The server waits for the end of what it takes for a header; a real one answers 400, as this one does.
        server_that_answers_400(connect)


def server_that_answers_400(connect):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        import threading

        def answer():
            sock, _ = listener.accept()
            with sock:
                sock.recv(65536)
                sock.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

        threading.Thread(target=answer, daemon=True).start()
        port = listener.getsockname()[1]
        connect(None, host=f"https://127.0.0.1:{port}", tls=TLSConfig(insecure=True)).send(GET)


def test_plain_http_where_a_go_server_speaks_tls(server, connect):
    server.reply(b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n", CLOSE)
    with pytest.raises(ConnectError, match=r"wants https; write server: https://"):
        connect(server).send(GET)


def test_plain_http_where_another_server_speaks_tls(connect):
    with ScriptedServer(tls=True) as server, pytest.raises(TransportError, match=r"server: https://"):
        connect(server, host=f"http://127.0.0.1:{server.port}", tls=TLSConfig()).send(GET)


@pytest.mark.parametrize("answer", [b"SSH-2.0-OpenSSH_9.6\r\n", b"\r\n\r\n", b"<html>", b"\x00" * 100 + b"\n"])
def test_something_that_is_not_http(server, connect, answer):
    server.reply(answer, CLOSE)
    with pytest.raises(TransportError, match="not HTTP"):
        connect(server).send(GET)


def test_a_header_that_never_ends(server, connect):
    server.reply(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000, CLOSE)
    with pytest.raises(TransportError):
        connect(server).send(GET)
    server.reply(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000 + b"\r\n", CLOSE)
    with pytest.raises(TransportError):
        connect(server).send(GET)


def test_no_message_shows_a_credential(server, tls_server, connect):
    secret = "sesame"
    fields = {"bearer_token": secret, "proxy_url": f"http://{secret}:{secret}@127.0.0.1:{free_port()}"}
    attempts = [
        lambda: connect(tls_server, **fields),
        lambda: connect(server, **fields),
        lambda: connect(tls_server, tls=TLSConfig(), bearer_token=secret),
        lambda: connect(None, host=f"https://127.0.0.1:{free_port()}", tls=TLSConfig(), username="u", password=secret),
    ]
    for attempt in attempts:
        with pytest.raises(TransportError) as caught:
            attempt().send(GET)
        error = caught.value
        while error is not None:
            assert secret not in f"{error} {error!r}"
            error = error.__cause__ or error.__context__
