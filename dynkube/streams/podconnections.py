"""One connection to a port of a pod, over either of the two protocols that servers have for it.

SPDY inside of a WebSocket, as kubectl since 1.31, knows the end of one direction. The older channels do not (8.2.3,
8.2.4 in docs/reference/parity): there the end of our side can only be guessed from silence.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import Protocol

from dynkube.errors import ConnectionLostError, DynkubeError, PortForwardError
from dynkube.rest import RESTClient
from dynkube.streams.channels import V4
from dynkube.streams.spdy import Session
from dynkube.streams.websocket import WebSocket, open_websocket
from dynkube.transport import CallScope, CancelToken

__all__ = ["TUNNEL", "PodConnection", "PodDialer"]

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

    def finish(self) -> None:
        """Both sides have ended, and nobody uses it any more."""

    def close(self) -> None:
        """End it, whatever it does."""


class PodDialer:
    """Connects to ports of pods, and keeps what can be used again.

    A tunnel is as good as new once both ends of its connection have ended; to open another one costs two TLS
    handshakes. At one time it serves one connection only, so that none holds up another.

    Args:
        rest: who asks.
        cancel: ends every connection.
        clock: seconds, only ever rising.
    """

    KEEP = 4
    """Tunnels that wait for their next connection, at most."""
    FRESH = 30.0
    """Seconds after which one that waited is not trusted any more."""

    def __init__(self, rest: RESTClient, cancel: CancelToken, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._rest = rest
        self._cancel = cancel
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: list[tuple[str, float, _Tunnel]] = []

    def connect(self, path: str, port: int) -> PodConnection:
        """Connect to a port of the pod whose ``portforward`` is at ``path``.

        Raises:
            APIStatusError: the server refuses.
            TransportError: no connection to it.
        """
        connection = self._kept(path) or self._dialed(path, port)
        try:
            if isinstance(connection, _Tunnel):
                connection.open(port, lambda tunnel: self._keep(path, tunnel))
        except BaseException:
            connection.close()
            raise
        return connection

    def warm_up(self, path: str) -> None:
        """Have a tunnel ready for the first connection; what fails here fails again where it is told."""
        with contextlib.suppress(DynkubeError):
            scope = CallScope(cancel=self._cancel)
            self._keep(path, _Tunnel(open_websocket(self._rest, path, (), (TUNNEL,), scope=scope)))

    def _dialed(self, path: str, port: int) -> _Tunnel | _Channels:
        # The older protocol wants the port in the query; the newer one does not look there.
        query = (("ports", str(port)),)
        socket = open_websocket(self._rest, path, query, (TUNNEL, V4), scope=CallScope(cancel=self._cancel))
        return _Tunnel(socket) if socket.protocol == TUNNEL else _Channels(socket, port)

    def _kept(self, path: str) -> _Tunnel | None:
        while True:
            with self._lock:
                if not self._waiting:
                    return None
                where, since, tunnel = self._waiting.pop()
            if where == path and self._clock() - since < self.FRESH and tunnel.is_quiet():
                return tunnel
            tunnel.close()

    def _keep(self, path: str, tunnel: _Tunnel) -> None:
        with self._lock:
            self._waiting.append((path, self._clock(), tunnel))
            dropped = self._waiting.pop(0)[2] if len(self._waiting) > self.KEEP else None
        if dropped is not None:
            dropped.close()

    def close(self) -> None:
        """Close what waits."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
        for _, _, tunnel in waiting:
            tunnel.close()


class _Tunnel:
    """SPDY inside of a WebSocket; one connection, a pair of streams, after the other."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._session = Session()
        self._next = 1
        self._port = 0
        self._error = self._data = 0
        self._ended_well = self._sent_end = False
        self._keep: Callable[[_Tunnel], None] | None = None

    def open(self, port: int, keep: Callable[[_Tunnel], None]) -> None:
        """Begin a connection; ``keep`` takes the tunnel when that has ended well."""
        self._port, self._keep = port, keep
        self._ended_well = self._sent_end = False
        self._error, self._data, self._next = self._next, self._next + 2, self._next + 4
        headers = {"port": str(port), "requestid": str(self._error // 4)}
        opening = self._session.open(self._error, {"streamtype": "error", **headers}, end=True)
        self._socket.send_bytes(opening + self._session.open(self._data, {"streamtype": "data", **headers}))

    def is_quiet(self) -> bool:
        """Whether another connection can begin."""
        return self._socket.is_quiet()

    def send(self, data: bytes) -> None:
        self._socket.send_bytes(self._session.data(self._data, data))

    def end(self) -> None:
        self._socket.send_bytes(self._session.data(self._data, b"", end=True))
        self._sent_end = True

    def receive(self) -> Iterator[bytes]:
        problem = b""
        ended: set[int] = set()
        broken = False
        while not ended >= {self._error, self._data}:
            data = self._socket.receive_bytes()
            if data is None:
                broken = True
                break
            for frame in self._session.feed(data):
                if frame.ping:
                    self._socket.try_send_bytes(frame.ping)
                elif frame.stream == self._error:
                    problem += frame.data
                elif frame.stream == self._data and frame.data:
                    yield frame.data
                if frame.end or frame.reset:
                    ended |= {frame.stream} if frame.stream else {self._error, self._data}
                    broken = broken or frame.reset
        if problem:
            raise PortForwardError(problem.decode("utf-8", "replace"), port=self._port)
        if self._data not in ended:
            raise _lost(self._socket)
        self._ended_well = not broken

    def finish(self) -> None:
        if self._ended_well and self._sent_end and self._keep is not None:
            self._keep(self)
        else:
            self.close()

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

    def finish(self) -> None:
        self.close()

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
