"""An https server that serves one aggregated API, well or badly."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar, Final

__all__ = ["HEALTHY", "MisbehavingAPI"]

HEALTHY: Final = "healthy"
REFUSED: Final = "refused"
RESOURCE: Final = "gizmos"
_KIND: Final = "Gizmo"
_LOOPBACK: Final = "127.0.0.1"
# What the API server calls itself when it looks whether an aggregated API is there
# (kube-aggregator, available_controller.go); a client's request comes with the client's name.
_AGGREGATOR: Final = "system:kube-aggregator"
_PAGE: Final = b"<!DOCTYPE html><html><body><h1>It works!</h1></body></html>"


class MisbehavingAPI:
    """Serves one group version on a port of its own, in threads of this process.

    `behave` changes how it answers and closes every connection, so that the next request gets
    the new behaviour.
    """

    def __init__(self, group_version: str, certificate: Path, key: Path) -> None:
        self.group_version = group_version
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, key)
        # Holds the port while nobody listens, so that "refused" stays refused.
        self._holder = _bound(0)
        self.port: int = self._holder.getsockname()[1]
        self._server: _Server | None = None
        self._changed = threading.Condition()
        self._how = REFUSED

    def behave(self, how: str) -> None:
        """Answer in this way from now on: a key of `BEHAVIOURS`, or ``"refused"``."""
        with self._changed:
            self._how = how
            self._changed.notify_all()
        if self._server is not None:
            self._server.end()
            self._server = None
        if how != REFUSED:
            self._server = _Server(self, self.port, self._context)

    def close(self) -> None:
        """Stop for good. Idempotent."""
        self.behave(REFUSED)
        self._holder.close()

    def answer(self, request: _Request) -> None:
        """Answer one request as told."""
        with self._changed:
            behaviour = self.BEHAVIOURS.get(self._how, MisbehavingAPI._unavailable)
        behaviour(self, request)

    # ------------------------------------------------------------------ ways to answer

    def _healthy(self, request: _Request) -> None:
        # One resource without objects; discovery of the old kind only.
        path = request.path.partition("?")[0].rstrip("/")
        root = f"/apis/{self.group_version}"
        if path == root:
            request.reply(200, self._resource_list())
        elif path.startswith(f"{root}/") and path.endswith(f"/{RESOURCE}"):
            body = {"kind": f"{_KIND}List", "apiVersion": self.group_version, "metadata": {}, "items": []}
            request.reply(200, body)
        else:
            request.reply(404, _status(404, "NotFound", f"nothing is served at {path}"))

    def _unavailable(self, request: _Request) -> None:
        request.reply(503, _status(503, "ServiceUnavailable", "this API is unavailable"))

    def _html(self, request: _Request) -> None:
        request.reply(200, _PAGE, content_type="text/html")

    def _garbage(self, request: _Request) -> None:
        request.reply(200, json.dumps(self._resource_list()).encode()[:40])

    def _empty(self, request: _Request) -> None:
        request.reply(200, b"")

    def _hang(self, request: _Request) -> None:
        # Well to the API server's own looks, or it would not forward what clients ask.
        if request.headers.get("X-Remote-User") == _AGGREGATOR:
            self._healthy(request)
            return
        with self._changed:
            self._changed.wait_for(lambda: self._how != "hang")
        request.close_connection = True

    BEHAVIOURS: ClassVar[Mapping[str, Callable[[MisbehavingAPI, _Request], None]]] = {
        "empty": _empty,
        "garbage": _garbage,
        "hang": _hang,
        HEALTHY: _healthy,
        "html": _html,
        "unavailable": _unavailable,
    }

    def _resource_list(self) -> dict[str, Any]:
        resource = {
            "name": RESOURCE,
            "singularName": _KIND.lower(),
            "namespaced": True,
            "kind": _KIND,
            "verbs": ["get", "list"],
        }
        return {
            "kind": "APIResourceList",
            "apiVersion": "v1",
            "groupVersion": self.group_version,
            "resources": [resource],
        }


class _Server(ThreadingHTTPServer):
    """Listens from construction to `end`."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, api: MisbehavingAPI, port: int, context: ssl.SSLContext) -> None:
        super().__init__((_LOOPBACK, port), _Request, bind_and_activate=False)
        self.socket.close()
        self.socket = _bound(port)
        self.api = api
        self._context = context
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        self.server_activate()
        self._thread = threading.Thread(
            target=self.serve_forever, args=(0.05,), name=f"dynkube-{api.group_version}", daemon=True
        )
        self._thread.start()

    def end(self) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()
        with self._lock:
            for connection in self._connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def finish_request(self, request: Any, client_address: Any) -> None:
        # In the connection's own thread: a slow handshake must not keep others waiting.
        with self._context.wrap_socket(request, server_side=True) as connection:
            with self._lock:
                self._connections.add(connection)
            try:
                super().finish_request(connection, client_address)
            finally:
                with self._lock:
                    self._connections.discard(connection)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A peer that went away is no news."""


class _Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def reply(self, status: int, body: Mapping[str, Any] | bytes, content_type: str = "application/json") -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        assert isinstance(self.server, _Server)
        self.server.api.answer(self)

    do_DELETE = do_GET = do_PATCH = do_POST = do_PUT = _answer  # noqa: N815  (http.server's names)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (http.server's name)
        """Say nothing."""


def _bound(port: int) -> socket.socket:
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    bound.bind((_LOOPBACK, port))
    return bound


def _status(code: int, reason: str, message: str) -> dict[str, Any]:
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "code": code,
        "reason": reason,
        "message": message,
    }
