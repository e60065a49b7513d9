"""The bare floor: the least that a Python program can do to have the same dicts.

http.client or urllib3, TLS, zlib and msgspec; no errors looked at, no options, the garbage collector off while
decoding. It asks for the same encoding as dynkube.
"""

from __future__ import annotations

import base64
import gc
import http.client
import socket
import ssl
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec
import urllib3
import yaml

__all__ = ["Client"]

_PIECE = 1 << 18
_JSON = {"Accept": "application/json", "Accept-Encoding": "gzip"}
_AGGREGATED = {
    "Accept": "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json",
    "Accept-Encoding": "gzip",
}

_decode = msgspec.json.Decoder().decode


class Client:
    """One server, one namespace; no error is handled."""

    def __init__(self, kubeconfig: Path, namespace: str) -> None:
        document = yaml.safe_load(kubeconfig.read_bytes())
        cluster, user = document["clusters"][0]["cluster"], document["users"][0]["user"]
        address = urlsplit(cluster["server"])
        assert address.hostname
        assert address.port
        self._host, self._port = address.hostname, address.port
        self._context = _context(cluster, user)
        self._pods = f"/api/v1/namespaces/{namespace}/pods"
        self._bare = self.connection()
        self._pool = urllib3.HTTPSConnectionPool(self._host, self._port, ssl_context=self._context, maxsize=1)

    def list(self) -> list[dict[str, Any]]:
        body = self._read(self._pods)
        with _collector_off():
            items: list[dict[str, Any]] = _decode(body)["items"]
        return items

    def iterate(self, page_size: int) -> Iterator[dict[str, Any]]:
        token = ""
        while True:
            body = self._read(f"{self._pods}?limit={page_size}&continue={quote(token)}")
            with _collector_off():
                page = _decode(body)
            del body
            token = page["metadata"].get("continue", "")
            yield from page["items"]
            del page
            if not token:
                return

    def get(self, name: str) -> dict[str, Any]:
        answer = self._pool.request("GET", f"{self._pods}/{name}", headers=_JSON)
        obj: dict[str, Any] = _decode(answer.data)
        return obj

    def watch(self, events: int) -> int:
        """Every event is one chunk, as the API server sends them; the framing is taken off by hand."""
        with _collector_off(), self._open_watch() as stream:
            versions = 0
            for _ in range(events):
                frame = stream.read(int(stream.readline(), 16))
                stream.read(2)
                versions += len(_decode(frame)["object"]["metadata"]["resourceVersion"]) > 0
        return versions

    def record(self, events: int) -> list[bytes]:
        """The first frames of a watch, as they are."""
        frames = []
        with self._open_watch() as stream:
            for _ in range(events):
                frames.append(stream.read(int(stream.readline(), 16)))
                stream.read(2)
        return frames

    def connection(self) -> http.client.HTTPSConnection:
        """A new connection to the same server."""
        return http.client.HTTPSConnection(self._host, self._port, context=self._context)

    def discover(self, resource: str) -> str:
        """Two documents; warm, there is nothing to do."""
        if not hasattr(self, "_found"):
            self._found: dict[str, str] = {}
            for path in ("/api", "/apis"):
                for group in _decode(self._read(path, _AGGREGATED))["items"]:
                    for version in group["versions"]:
                        for each in version["resources"]:
                            self._found.setdefault(each["resource"], version["version"])
        return self._found[resource]

    def _read(self, path: str, headers: dict[str, str] = _JSON) -> bytes:
        self._bare.request("GET", path, headers=headers)
        answer = self._bare.getresponse()
        if answer.headers.get("Content-Encoding") != "gzip":
            return answer.read()
        gunzip = zlib.decompressobj(zlib.MAX_WBITS | 16)
        pieces = []
        while piece := answer.read(_PIECE):  # while the server goes on compressing
            pieces.append(gunzip.decompress(piece))
        return b"".join(pieces)

    @contextmanager
    def _open_watch(self) -> Iterator[Any]:
        request = f"GET {self._pods}?watch=1 HTTP/1.1\r\nHost: {self._host}\r\nAccept: application/json\r\n\r\n"
        with (
            socket.create_connection((self._host, self._port)) as plain,
            self._context.wrap_socket(plain, server_hostname=self._host) as sock,
            sock.makefile("rb", _PIECE) as stream,
        ):
            sock.sendall(request.encode())
            while stream.readline() != b"\r\n":
                pass
            yield stream


@contextmanager
def _collector_off() -> Iterator[None]:
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _context(cluster: dict[str, str], user: dict[str, str]) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
    if "client-key-data" in user:
        with tempfile.NamedTemporaryFile() as pair:
            pair.write(base64.b64decode(user["client-key-data"]) + base64.b64decode(user["client-certificate-data"]))
            pair.flush()
            context.load_cert_chain(pair.name)
    return context
