"""The beginning of a WebSocket: what is refused, and what is agreed on.

golang.org/x/net/websocket/hybi.go and server.go, which the real server and the kubelet use.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Collection
from dataclasses import dataclass

from dynkube.testing.apiserver.words.messages import Request, Response, Upgrade

__all__ = ["Handshake", "is_websocket", "plain_refusal", "protocols_of", "shake_hands", "wants_upgrade"]

_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_VERSION = "13"
# An answer past the API server's own filters: no audit id, nothing about caches.
_BARE = [("Audit-Id", ""), ("Cache-Control", "")]


@dataclass(frozen=True, slots=True)
class Handshake:
    """What was agreed on: the subprotocol ("" for none), and the headers that tell."""

    protocol: str
    headers: list[tuple[str, str]]

    def answer(self, upgrade: Upgrade) -> Response:
        """101, and what goes on then."""
        return Response(status=101, headers=self.headers, upgrade=upgrade)


def wants_upgrade(request: Request) -> bool:
    """Whether a request asks for another protocol (httpstream.IsUpgradeRequest)."""
    return any("upgrade" in each.lower() for each in request.headers.get_all("Connection"))


def is_websocket(request: Request) -> bool:
    """Whether it asks for WebSocket."""
    return (request.headers.get("Upgrade") or "").lower() == "websocket" and wants_upgrade(request)


def protocols_of(request: Request) -> list[str]:
    """The subprotocols that it offers, in its order."""
    offered = (request.headers.get("Sec-WebSocket-Protocol") or "").strip()
    return [each.strip() for each in offered.split(",")] if offered else []


def shake_hands(request: Request, supported: Collection[str]) -> Handshake | Response:
    """Agree on a subprotocol, or refuse.

    Args:
        request: It asks for WebSocket.
        supported: Subprotocols; "" stands for none.
    """
    if request.method != "GET":
        return _refusal(405, b"bad method")
    key = request.headers.get("Sec-WebSocket-Key") or ""
    if not key:
        return _refusal(400, b"mismatch challenge/response")
    if request.headers.get("Sec-WebSocket-Version") != _VERSION:
        return _refusal(400, b"missing or bad WebSocket Version", ("Sec-WebSocket-Version", _VERSION))
    chosen = next((each for each in protocols_of(request) or [""] if each in supported), None)
    if chosen is None:
        return _refusal(403)
    accept = base64.b64encode(hashlib.sha1(key.encode() + _MAGIC, usedforsecurity=False).digest()).decode()
    headers = [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", accept)]
    # Also where there is none: the server says so with an empty one.
    return Handshake(chosen, [*headers, ("Sec-WebSocket-Protocol", chosen)])


def plain_refusal(status: int, text: str) -> Response:
    """A refusal of the kubelet, as the API server passes it on: text (http.Error)."""
    kind = [("Content-Type", "text/plain; charset=utf-8"), ("X-Content-Type-Options", "nosniff")]
    return Response(status=status, headers=[*_BARE, *kind], body=text.encode() + b"\n", compressible=False)


def _refusal(status: int, body: bytes = b"", *headers: tuple[str, str]) -> Response:
    return Response(status=status, headers=[*_BARE, *headers], body=body, compressible=False)
