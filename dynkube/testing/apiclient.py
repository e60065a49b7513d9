"""The control plane's own line to its API server: `http.client`, nothing of dynkube.

A harness must not depend on what it tests. One connection per request: it is for setting
things up, and it need not notice that the server was restarted in between.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dynkube.testing.errors import ControlPlaneError

# sockaddr_un holds 108 bytes on Linux, 104 on macOS; a deep TMPDIR can be longer.
_UNIX_PATH_LIMIT = 104

__all__ = ["APIClient", "Answer", "post_to_etcd"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the server said."""

    status: int
    body: bytes

    @property
    def ok(self) -> bool:
        """Whether the status is a 2xx."""
        return 200 <= self.status < 300

    @property
    def text(self) -> str:
        """The body as text, cut to a line's length; of a list of health checks, those that failed."""
        text = self.body.decode(errors="replace")
        failed = [line for line in text.splitlines() if line.startswith("[-]")]
        return ", ".join(failed) if failed else text[:500]

    def json(self) -> dict[str, Any]:
        """The body as an object; ``{}`` when it is none."""
        try:
            value = json.loads(self.body)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}


class APIClient:
    """Speaks to one API server as its admin."""

    def __init__(self, host: str, port: int, *, ca: Path, certificate: Path, key: Path) -> None:
        self._address = (host, port)
        self._context = ssl.create_default_context(cafile=str(ca))
        self._context.load_cert_chain(certificate, key)

    def send(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        accept: str = "application/json",
        content_type: str = "application/json",
        timeout: float = 15.0,
    ) -> Answer:
        """One request; any status is an answer.

        Raises:
            OSError: No connection, or it broke (`http.client.HTTPException` comes as one, too).
        """
        connection = http.client.HTTPSConnection(*self._address, timeout=timeout, context=self._context)
        headers = {"Accept": accept, "Content-Type": content_type}
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            response = connection.getresponse()
            return Answer(status=response.status, body=response.read())
        except http.client.HTTPException as error:
            raise ConnectionError(f"{type(error).__name__}: {error}") from error
        finally:
            connection.close()

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None, **options: Any) -> dict[str, Any]:
        """One request that must succeed; its object.

        Raises:
            ControlPlaneError: The server refused it, or did not answer.
        """
        try:
            answer = self.send(method, path, body, **options)
        except OSError as error:
            raise ControlPlaneError(f"{method} {path}: no answer from the API server: {error}") from error
        if not answer.ok:
            raise ControlPlaneError(f"{method} {path}: HTTP {answer.status}: {_reason(answer)}")
        return answer.json()


def post_to_etcd(address: Path, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """One call to etcd's JSON gateway on its Unix socket; bytes in the body are base64.

    Raises:
        ControlPlaneError: etcd refused it, or did not answer.
    """
    connection = _UnixConnection(address)
    try:
        connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        response = connection.getresponse()
        answer = Answer(status=response.status, body=response.read())
    except (OSError, http.client.HTTPException) as error:
        raise ControlPlaneError(f"POST {path}: no answer from etcd: {error}") from error
    finally:
        connection.close()
    if not answer.ok:
        raise ControlPlaneError(f"POST {path}: etcd says HTTP {answer.status}: {answer.text}")
    return answer.json()


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, address: Path) -> None:
        super().__init__("localhost", timeout=30.0)
        self._path = address

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        if len(str(self._path)) < _UNIX_PATH_LIMIT:
            self.sock.connect(str(self._path))
            return
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            self.sock.connect(f"/proc/self/fd/{folder}/{self._path.name}")
        finally:
            os.close(folder)


def _reason(answer: Answer) -> str:
    message = answer.json().get("message")
    return message if isinstance(message, str) else answer.text
