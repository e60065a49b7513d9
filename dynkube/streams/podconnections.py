"""One connection to a port of a pod, over either of the two protocols that servers have for it.

SPDY inside of a WebSocket, as kubectl since 1.31, knows the end of one direction. The older channels do not (8.2.3,
8.2.4 in docs/reference/parity): there the end of our side can only be guessed from silence.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Protocol

from dynkube.errors import ConnectionLostError, PortForwardError
from dynkube.rest import RESTClient
from dynkube.streams.channels import V4
from dynkube.streams.spdy import Session
from dynkube.streams.websocket import WebSocket, open_websocket
from dynkube.transport import CallScope

__all__ = ["TUNNEL", "PodConnection", "connect_to_pod"]

TUNNEL = "SPDY/3.1+portforward.k8s.io"
"""The subprotocol of SPDY inside of a WebSocket (AM/util/portforward/constants.go)."""
QUIET_AFTER_END = 10.0
"""Seconds of silence after the end of our side, where the protocol cannot tell it, that end the connection."""


class PodConnection(Protocol):
    """A connection to a port of a pod. One thread receives, another one sends; any may close."""

    def send(self, data: bytes) -> None:
        """Send data."""

    def end(self) -> None:
        """Say that we send nothing more."""

    def receive(self) -> Iterator[bytes]:
        """What the pod sends, to the end.

        Raises:
            PortForwardError: the port cannot be reached, in the kubelet's words.
            TransportError: the connection was lost.
        """

    def close(self) -> None:
        """End it."""


def connect_to_pod(rest: RESTClient, path: str, port: int, scope: CallScope) -> PodConnection:
    """Connect to a port of the pod whose ``portforward`` is at ``path``.

    Raises:
        APIStatusError: the server refuses.
        TransportError: no connection to it.
    """
    # The older protocol wants the port in the query; the newer one does not look there.
    socket = open_websocket(rest, path, (("ports", str(port)),), (TUNNEL, V4), scope=scope)
    try:
        return _Tunnel(socket, port) if socket.protocol == TUNNEL else _Channels(socket, port)
    except BaseException:
        socket.close()
        raise


_ERROR_STREAM, _DATA_STREAM = 1, 3


class _Tunnel:
    def __init__(self, socket: WebSocket, port: int) -> None:
        self._socket = socket
        self._port = port
        self._session = session = Session()
        headers = {"port": str(port), "requestid": "0"}
        opening = session.open(_ERROR_STREAM, {"streamtype": "error", **headers}, end=True)
        socket.send_bytes(opening + session.open(_DATA_STREAM, {"streamtype": "data", **headers}))

    def send(self, data: bytes) -> None:
        self._socket.send_bytes(self._session.data(_DATA_STREAM, data))

    def end(self) -> None:
        self._socket.send_bytes(self._session.data(_DATA_STREAM, b"", end=True))

    def receive(self) -> Iterator[bytes]:
        problem = b""
        ended: set[int] = set()
        while not ended >= {_ERROR_STREAM, _DATA_STREAM}:
            data = self._socket.receive_bytes()
            if data is None:
                break
            for frame in self._session.feed(data):
                if frame.ping:
                    self._socket.try_send_bytes(frame.ping)
                elif frame.stream == _ERROR_STREAM:
                    problem += frame.data
                elif frame.stream == _DATA_STREAM and frame.data:
                    yield frame.data
                if frame.end or frame.reset:
                    ended |= {frame.stream} if frame.stream else {_ERROR_STREAM, _DATA_STREAM}
        if problem:
            raise PortForwardError(problem.decode("utf-8", "replace"), port=self._port)
        if _DATA_STREAM not in ended:
            raise _lost(self._socket)

    def close(self) -> None:
        self._socket.close()


class _Channels:
    def __init__(self, socket: WebSocket, port: int) -> None:
        self._socket = socket
        self._port = port
        self._timer: threading.Timer | None = None
        self._ended = False

    def send(self, data: bytes) -> None:
        self._socket.send(0, data)

    def end(self) -> None:
        self._ended = True
        self._wind()

    def _wind(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = threading.Timer(QUIET_AFTER_END, self._socket.close)
        self._timer.daemon = True
        self._timer.start()

    def receive(self) -> Iterator[bytes]:
        problem = b""
        # Each channel begins with the port, in two bytes.
        greeting = {0: 2, 1: 2}
        while (message := self._socket.receive()) is not None:
            channel, data = message
            skipped = min(greeting.get(channel, 0), len(data))
            if skipped:
                greeting[channel] -= skipped
                data = data[skipped:]
            if channel == 1:
                problem += data
            elif channel == 0 and data:
                if self._ended:
                    self._wind()
                yield data
        if problem:
            raise PortForwardError(problem.decode("utf-8", "replace"), port=self._port)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._socket.close()


def _lost(socket: WebSocket) -> ConnectionLostError:
    said = f": {socket.close_reason}" if socket.close_reason else ""
    request = socket.request
    return ConnectionLostError(
        f"lost connection to pod{said}", method=request.method, url=request.path, response_started=True
    )
