"""What a client sends, written down where it leaves dynkube: the same for every server."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import dynkube


@dataclass(frozen=True)
class Sent:
    """A request: method, path and query as they went out, the body decoded."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    content_type: str

    @property
    def line(self) -> str:
        """Method and path."""
        return f"{self.method} {self.path}"


@dataclass
class SentRequests:
    """A configuration that writes down, and what it wrote down."""

    all: list[Sent] = field(default_factory=list)

    def config(self, config: dynkube.RESTConfig) -> dynkube.RESTConfig:
        """A copy whose requests are written down."""
        return config.wrap(self._recording)

    @property
    def last(self) -> Sent:
        return self.all[-1]

    def of(self, call: Callable[[], object]) -> list[Sent]:
        """What a call sends."""
        before = len(self.all)
        call()
        return self.all[before:]

    def one(self, call: Callable[[], object]) -> Sent:
        """The one request that a call sends."""
        (sent,) = self.of(call)
        return sent

    def _recording(self, send: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def recording(request: Any) -> Any:
            parts = urlsplit(request.url)
            body = json.loads(request.body) if request.body else None
            content_type = request.headers.get("Content-Type", "")
            query = dict(parse_qsl(parts.query, keep_blank_values=True))
            self.all.append(Sent(request.method, parts.path, query, body, content_type))
            return send(request)

        return recording
