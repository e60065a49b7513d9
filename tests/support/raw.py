"""Plain HTTP to a test server, so that a case can look past dynkube at the wire."""

from __future__ import annotations

import base64
import http.client
import json
import os
import socket
import ssl
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import yaml


class Answer(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class RawClient:
    """Speaks to the server of a kubeconfig with the credentials of its current context."""

    def __init__(self, kubeconfig: str | os.PathLike[str]) -> None:
        document = yaml.safe_load(Path(kubeconfig).read_text())
        cluster = document["clusters"][0]["cluster"]
        user = document["users"][0]["user"]
        self._url = urlsplit(cluster["server"])
        self._token = user.get("token")
        self._tls = ssl.create_default_context(cadata=_pem(cluster, "certificate-authority"))
        certificate = _pem(user, "client-certificate")
        if certificate:
            with tempfile.NamedTemporaryFile("w") as file:
                file.write(certificate + "\n" + (_pem(user, "client-key") or ""))
                file.flush()
                self._tls.load_cert_chain(file.name)

    @property
    def credentials(self) -> dict[str, str]:
        """The headers that say who asks; a certificate says it without."""
        return {"Authorization": f"Bearer {self._token}"} if self._token else {}

    def dial(self) -> ssl.SSLSocket:
        """A connection of its own, for what is no HTTP."""
        address = (self._url.hostname or "", self._url.port or 443)
        plain = socket.create_connection(address, timeout=30)
        return self._tls.wrap_socket(plain, server_hostname=address[0])

    def request(self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None) -> Answer:
        """One request on its own connection; a dict body is sent as JSON."""
        connection = http.client.HTTPSConnection(
            self._url.hostname or "", self._url.port, context=self._tls, timeout=30
        )
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        kinds = {"Accept": "application/json", "Content-Type": "application/json"}
        sent = {**kinds, **(headers or {}), **self.credentials}
        try:
            connection.request(method, self._url.path + path, data, sent)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()


def _pem(stanza: Mapping[str, Any], field: str) -> str | None:
    data = stanza.get(f"{field}-data")
    if data:
        return base64.b64decode(data).decode()
    path = stanza.get(field)
    return Path(path).read_text() if path else None
