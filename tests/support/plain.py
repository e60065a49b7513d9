"""A plain HTTP client of a test server's admin, for tests that look at the wire."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

from raw import Answer, RawClient


class Client:
    """One connection for each request; ``GET`` and ``POST`` in a word."""

    def __init__(self, server: Any, kubeconfig: Any = None) -> None:
        self._raw = RawClient(kubeconfig or server.kubeconfig)
        self._url = urlsplit(server.url)

    def request(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        return self._raw.request(method, path, body, headers={k.replace("_", "-"): v for k, v in headers.items()})

    def get(self, path: str, **headers: str) -> Answer:
        return self.request("GET", path, **headers)

    def post(self, path: str, body: Any, **headers: str) -> Answer:
        return self.request("POST", path, body, **headers)

    def put(self, path: str, body: Any, **headers: str) -> Answer:
        return self.request("PUT", path, body, **headers)

    def delete(self, path: str) -> Answer:
        return self.request("DELETE", path)

    def connect(self) -> http.client.HTTPSConnection:
        """A connection to read from bit by bit."""
        return http.client.HTTPSConnection(self._url.hostname or "", self._url.port, context=self._raw._tls, timeout=30)

    def watch(self, path: str) -> tuple[http.client.HTTPSConnection, http.client.HTTPResponse]:
        """An open watch."""
        connection = self.connect()
        connection.request("GET", path, headers={"Accept": "application/json"})
        return connection, connection.getresponse()


def event(response: http.client.HTTPResponse) -> Any:
    """The next event of a watch; None at its end."""
    line = response.readline()
    return json.loads(line) if line else None
