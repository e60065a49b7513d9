"""Requests through real proxies on loopback."""

from __future__ import annotations

import contextlib
import importlib.util
import selectors
import socket
import ssl
import struct
import tempfile
import threading
from pathlib import Path

import certs
import pytest
from scripted import ScriptedServer, json_response

from dynkube.config.model import TLSConfig
from dynkube.errors import ConfigError, ConnectError
from dynkube.wire.messages import Request

GET = Request("GET", "/api")
HAS_SOCKS = importlib.util.find_spec("socks") is not None


class Proxy:
    """CONNECT, forwarding of plain http, or SOCKS5, one connection after the other on threads."""

    def __init__(self, kind="http", *, identity=None, refuse=None):
        self.kind = kind
        self.refuse = refuse
        self.heads = []
        self.targets = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._context = None
        if identity is not None:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder, "pair")
                path.write_bytes(identity.pair.key + identity.pair.certificate)
                self._context.load_cert_chain(path)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)

    def _run(self):
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        with contextlib.suppress(OSError):
            if self._context is not None:
                sock = self._context.wrap_socket(sock, server_side=True)
            with sock:
                target = self._socks(sock) if self.kind == "socks" else self._http(sock)
                if target is not None:
                    with target:
                        relay(sock, target)

    def _http(self, sock):
        head = b""
        while b"\r\n\r\n" not in head:
            head += sock.recv(65536)
        self.heads.append(head)
        method, target, _ = head.split(b"\r\n")[0].split(b" ")
        self.targets.append(target.decode())
        if self.refuse:
            sock.sendall(b"HTTP/1.1 %b\r\nContent-Length: 0\r\n\r\n" % self.refuse)
            return None
        if method == b"CONNECT":
            host, _, port = target.decode().rpartition(":")
            try:
                upstream = socket.create_connection((host, int(port)))
            except OSError:
                sock.sendall(b"HTTP/1.1 502 Bad gateway\r\nContent-Length: 0\r\n\r\n")
                return None
            sock.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            return upstream
        origin = target.decode().removeprefix("http://").partition("/")[0]
        upstream = socket.create_connection((origin.partition(":")[0], int(origin.partition(":")[2])))
        upstream.sendall(head)
        return upstream

    def _socks(self, sock):
        _, count = sock.recv(2)
        sock.recv(count)
        sock.sendall(b"\x05\x00")
        _, _, _, kind = sock.recv(4)
        host = sock.recv(sock.recv(1)[0]).decode() if kind == 3 else socket.inet_ntoa(sock.recv(4))
        (port,) = struct.unpack(">H", sock.recv(2))
        self.targets.append(f"{kind} {host}:{port}")
        upstream = socket.create_connection((host, port))
        sock.sendall(b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x00")
        return upstream


def relay(one, other):
    with selectors.DefaultSelector() as selector:
        selector.register(one, selectors.EVENT_READ, other)
        selector.register(other, selectors.EVENT_READ, one)
        while True:
            for key, _ in selector.select():
                data = key.fileobj.recv(65536)
                if not data:
                    return
                key.data.sendall(data)
                while isinstance(key.fileobj, ssl.SSLSocket) and key.fileobj.pending():
                    key.data.sendall(key.fileobj.recv(65536))


@pytest.fixture(autouse=True)
def no_environment(monkeypatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.mark.behaviour("1.6.5")
def test_https_goes_through_a_tunnel(tls_server, connect):
    with Proxy() as proxy:
        transport = connect(
            tls_server, proxy_url=f"http://me:sesame%21@127.0.0.1:{proxy.port}", bearer_token="abc", user_agent="u"
        )
        for _ in range(2):
            tls_server.reply_json({})
            assert transport.send(GET).status == 200
        assert proxy.targets == [f"127.0.0.1:{tls_server.port}"]
        assert b"abc" not in proxy.heads[0]
        assert b"Proxy-Authorization: Basic bWU6c2VzYW1lIQ==\r\n" in proxy.heads[0]
        assert tls_server.requests[0].target == "/api"
        assert tls_server.requests[0].header("Proxy-Authorization") == []


@pytest.mark.behaviour("1.6.5", "2.1.9")
def test_plain_http_is_forwarded(server, connect):
    with Proxy() as proxy:
        server.reply_json({})
        connect(server, proxy_url=f"http://me:sesame@127.0.0.1:{proxy.port}").send(Request("GET", "/a/../b%2f?x=1"))
        assert proxy.targets == [f"{server.url}/a/../b%2f?x=1"]


@pytest.mark.behaviour("1.6.5")
def test_an_https_proxy(tls_server, connect):
    with Proxy(identity=certs.good()) as proxy:
        tls_server.reply_json({})
        assert connect(tls_server, proxy_url=f"https://127.0.0.1:{proxy.port}").send(GET).status == 200
        assert proxy.targets == [f"127.0.0.1:{tls_server.port}"]


@pytest.mark.behaviour("1.6.5", "1.11.1")
def test_the_environment_counts_unless_it_must_not(tls_server, connect, monkeypatch):
    # Loopback is never proxied by the environment, so the server has another name here.
    with Proxy() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        tls_server.reply_json({})
        connect(tls_server).send(GET)
        assert proxy.targets == []
        host = f"https://kubernetes.test:{tls_server.port}"
        tls = TLSConfig(ca_data=tls_server.ca_data, server_name="localhost")
        with pytest.raises(ConnectError, match="proxy"):
            connect(tls_server, host=host, tls=tls).send(GET)
        assert proxy.targets == [f"kubernetes.test:{tls_server.port}"]
        monkeypatch.setenv("NO_PROXY", ".test")
        for fields in ({}, {"trust_env": False}):
            with pytest.raises(ConnectError, match="unknown"):
                connect(tls_server, host=host, tls=tls, **fields).send(GET)
        assert len(proxy.targets) == 1


def test_a_proxy_that_refuses_is_named_without_its_password(tls_server, connect):
    with Proxy(refuse=b"407 Proxy Authentication Required") as proxy:
        transport = connect(tls_server, proxy_url=f"http://me:sesame@127.0.0.1:{proxy.port}")
        with pytest.raises(ConnectError, match="407") as caught:
            transport.send(GET)
        assert f"proxy 127.0.0.1:{proxy.port}" in str(caught.value)
        assert "sesame" not in str(caught.value)


def test_a_proxy_that_is_not_there(tls_server, connect):
    with Proxy() as proxy:
        port = proxy.port
    for scheme in ("http", "https"):
        with pytest.raises(ConnectError, match=f"the proxy 127.0.0.1:{port} does not connect us: .*refused"):
            connect(tls_server, proxy_url=f"{scheme}://127.0.0.1:{port}").send(GET)


def test_a_proxy_with_a_certificate_that_nobody_signed(connect):
    with (
        ScriptedServer(tls=True) as server,
        Proxy(identity=certs.good(ca="somebody else")) as proxy,
        pytest.raises(ConnectError, match=f"the proxy 127.0.0.1:{proxy.port}"),
    ):
        connect(server, proxy_url=f"https://127.0.0.1:{proxy.port}").send(GET)


@pytest.mark.behaviour("1.6.5")
@pytest.mark.skipif(not HAS_SOCKS, reason="needs PySocks")
@pytest.mark.parametrize("tls", [True, False])
def test_a_socks_proxy_looks_up_the_name(connect, tls):
    with Proxy("socks") as proxy, ScriptedServer(tls=tls) as server:
        server.on(lambda request: json_response({}))
        transport = connect(
            server, host=server.url.replace("127.0.0.1", "localhost"), proxy_url=f"socks5://127.0.0.1:{proxy.port}"
        )
        assert transport.send(GET).status == 200
        assert transport.send(GET).status == 200
        assert proxy.targets == [f"3 localhost:{server.port}"]
    with pytest.raises(ConnectError):
        connect(server, proxy_url=f"socks5://127.0.0.1:{proxy.port}").send(GET)


@pytest.mark.skipif(HAS_SOCKS, reason="PySocks is there")
def test_a_socks_proxy_without_pysocks_says_what_to_install(tls_server, connect):
    with pytest.raises(ConfigError, match="pip install PySocks"):
        connect(tls_server, proxy_url="socks5://127.0.0.1:1080")
