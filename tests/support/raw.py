"""Plain HTTP to a test server, so that a case can look past dynkube at the wire."""

from __future__ import annotations

import base64
import http.client
import json
import os
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

    def request(self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None) -> Answer:
        """One request on its own connection; a dict body is sent as JSON."""
        connection = http.client.HTTPSConnection(
            self._url.hostname or "", self._url.port, context=self._tls, timeout=30
        )
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Accept": "application/json", "Content-Type": "application/json", **(headers or {})}
        if self._token:
            sent["Authorization"] = f"Bearer {self._token}"
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
