"""port-forward over WebSocket, as kube-apiserver and a kubelet together serve it, in both of its protocols.

By channels (cri-streaming/pkg/streaming/portforward/websocket.go): of each port two, its data and its errors; the first
message of both is the port, 16 bits, little-endian. The end of one direction cannot be told. By SPDY within
(AS/util/proxy/streamtunnel.go, .../portforward/httpstream.go): each connection is a pair of streams.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final

from dynkube.testing.apiserver.streaming.channels import Channels
from dynkube.testing.apiserver.streaming.frames import BINARY, FrameError, encode_frame
from dynkube.testing.apiserver.streaming.handlers import Pods
from dynkube.testing.apiserver.streaming.handshakes import is_websocket, plain_refusal, protocols_of, shake_hands
from dynkube.testing.apiserver.streaming.pipes import in_thread
from dynkube.testing.apiserver.streaming.sessions import PortForwardHandler, PortForwardSession
from dynkube.testing.apiserver.streaming.spdy import Frame, Session, SPDYError, data_frame
from dynkube.testing.apiserver.streaming.websockets import messages
from dynkube.testing.apiserver.words.messages import Request, Response, Wire

__all__ = ["ForwardOptions", "serve_forward"]

_logger = logging.getLogger("dynkube.testing.apiserver")

_TUNNEL: Final = "SPDY/3.1+portforward.k8s.io"
_CHANNELS: Final = frozenset({"", "v4.channel.k8s.io", "v4.base64.channel.k8s.io"})
_PIECE: Final = 32 * 1024
_LOOPBACK: Final = "127.0.0.1"
_LAST_PORT: Final = 65_535


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardOptions:
    """What a port-forward asks for, and of whom."""

    namespace: str
    pod: str
    ports: Sequence[int]


def serve_forward(request: Request, options: ForwardOptions, pods: Pods) -> Response:
    """Answer a request that wants to upgrade."""
    is_tunnel = is_websocket(request) and _TUNNEL in protocols_of(request)
    problem = "" if is_tunnel else _problem(request, options.ports)
    if problem:
        return plain_refusal(400, problem)
    agreed = shake_hands(request, {_TUNNEL} if is_tunnel else _CHANNELS)
    if isinstance(agreed, Response):
        return agreed
    port, protocol = _Port(options, pods), agreed.protocol

    async def serve(wire: Wire) -> None:
        connection = _Tunnel(wire, port) if is_tunnel else _Channelled(wire, protocol, options.ports, port)
        with pods.lifetime(options.namespace, options.pod) as gone:
            serving = asyncio.ensure_future(connection.serve())
            try:
                await asyncio.wait([serving, gone], return_when=asyncio.FIRST_COMPLETED)
            finally:
                await _cancelled(serving)
            if not serving.cancelled():
                with suppress(ConnectionError):  # the client has gone
                    serving.result()

    return agreed.answer(serve)


def _problem(request: Request, ports: Sequence[int]) -> str:
    """What the kubelet says before it upgrades."""
    if not is_websocket(request):
        return "unable to upgrade: the embedded API server speaks SPDY within WebSocket only"
    if not ports:
        return 'query parameter "port" is required'
    return f'port "{",".join(map(str, ports))}" must be > 0' if 0 in ports else ""


# ------------------------------------------------------------------ the pod's end


class _Arrivals:
    """What the client sends on one connection, while nobody takes it at most one message."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[bytes] = asyncio.Queue(1)
        self._is_ended = False

    async def put(self, data: bytes) -> None:
        """One message; b"" is the end."""
        if not self._is_ended:
            self._is_ended = not data
            await self._queue.put(data)

    async def drain_to(self, writer: asyncio.StreamWriter) -> None:
        """Pass on what comes, then the end."""
        while data := await self._queue.get():
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()


class _Port:
    """Connects to ports of one pod."""

    def __init__(self, options: ForwardOptions, pods: Pods) -> None:
        self._options = options
        self._pods = pods

    async def forward(self, port: int, arrivals: _Arrivals, send: Callable[[bytes], Awaitable[None]]) -> str:
        """Carry one connection to its end; what went wrong, "" for nothing."""
        try:
            async with self._connected(port) as (reader, writer):
                sending = asyncio.ensure_future(arrivals.drain_to(writer))
                try:
                    while data := await reader.read(_PIECE):
                        await send(data)
                finally:
                    sending.cancel()
                    with suppress(asyncio.CancelledError, ConnectionError):
                        await sending
        except Exception as error:  # noqa: BLE001 - whatever a handler raises, the client is told
            return f"error forwarding port {port} to pod {self._options.pod}, uid : {_words(error, port)}"
        return ""

    @asynccontextmanager
    async def _connected(self, port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """The pod's end of a connection; at its end, what the handler raised."""
        handler = self._pods.forward_handler(self._options.namespace, self._options.pod, port)
        if handler is None:
            raise ConnectionRefusedError
        if isinstance(handler, int):
            reader, writer = await asyncio.open_connection(_LOOPBACK, handler)
            running = None
        else:
            ours, theirs = socket.socketpair()
            ours.setblocking(False)
            reader, writer = await asyncio.open_connection(sock=ours)
            running = in_thread(lambda: self._handle(handler, port, theirs), f"portforward {self._options.pod}")
        try:
            yield reader, writer
            if running is not None:
                await running
        finally:
            writer.close()

    def _handle(self, handler: PortForwardHandler, port: int, connection: socket.socket) -> None:
        about = {"namespace": self._options.namespace, "pod": self._options.pod}
        with connection:
            try:
                handler(PortForwardSession(**about, port=port, connection=connection))
            except ConnectionError:
                pass  # the client went first
            except Exception:
                _logger.warning("port %d of %s: the handler failed", port, self._options.pod, exc_info=True)
                raise


def _words(error: Exception, port: int) -> str:
    if isinstance(error, ConnectionRefusedError):
        return f"dial tcp {_LOOPBACK}:{port}: connect: connection refused"
    return str(error) or type(error).__name__


# ------------------------------------------------------------------ channels


class _Channelled:
    """One WebSocket, whose ports are in the query: a connection to each."""

    def __init__(self, wire: Wire, protocol: str, ports: Sequence[int], port: _Port) -> None:
        self._ports = ports
        self._port = port
        self._arrivals = [_Arrivals() for _ in ports]
        sinks = {2 * index: arrivals.put for index, arrivals in enumerate(self._arrivals)}
        self._channels = Channels(wire, protocol, sinks, count=2 * len(ports))

    async def serve(self) -> None:
        """Forward until all ports are done, or the client goes."""
        for index, port in enumerate(self._ports):
            for channel in (2 * index, 2 * index + 1):
                await self._channels.send(channel, port.to_bytes(2, "little"))
        receiving: asyncio.Future[Any] = asyncio.ensure_future(self._channels.receive())
        forwards = [asyncio.ensure_future(self._forward(index)) for index in range(len(self._ports))]
        done: asyncio.Future[Any] = asyncio.gather(*forwards)
        try:
            await asyncio.wait([receiving, done], return_when=asyncio.FIRST_COMPLETED)
            await self._channels.close()
        finally:
            await _cancelled(receiving, *forwards)
            with suppress(asyncio.CancelledError, ConnectionError):
                await done

    async def _forward(self, index: int) -> None:
        problem = await self._port.forward(
            self._ports[index], self._arrivals[index], lambda data: self._channels.send(2 * index, data)
        )
        if problem:
            await self._channels.send(2 * index + 1, problem.encode())


async def _cancelled(*tasks: asyncio.Future[Any]) -> None:
    """Cancel tasks, and wait for their ends."""
    for each in tasks:
        each.cancel()
    if tasks:
        await asyncio.wait(tasks)


# ------------------------------------------------------------------ SPDY within


@dataclass(slots=True)
class _Pair:
    """The two streams of one connection; 0 where one is not open yet."""

    data: int = 0
    error: int = 0
    port: int = 0
    arrivals: _Arrivals = field(default_factory=_Arrivals)


class _Tunnel:
    """One WebSocket with SPDY within, and as many connections as the client opens."""

    def __init__(self, wire: Wire, port: _Port) -> None:
        self._wire = wire
        self._port = port
        self._session = Session()
        self._pairs: dict[str, _Pair] = {}
        self._sinks: dict[int, _Arrivals] = {}
        self._forwards: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Forward until the client goes."""
        try:
            async for message in messages(self._wire):
                await self._take(message)
        except (FrameError, SPDYError):
            return
        finally:
            await _cancelled(*self._forwards)

    async def _send(self, data: bytes) -> None:
        await self._wire.write(encode_frame(BINARY, data))

    async def _take(self, data: bytes) -> None:
        for frame in self._session.feed(data):
            if frame.kind == "open":
                await self._open(frame)
            elif frame.kind == "ping":
                await self._send(self._session.pong(frame.stream))
            elif frame.kind in ("data", "reset") and frame.stream in self._sinks:
                await self._arrived(frame)

    async def _arrived(self, frame: Frame) -> None:
        sink = self._sinks[frame.stream]
        if frame.data:
            await sink.put(frame.data)
        if frame.is_last or frame.kind == "reset":
            del self._sinks[frame.stream]
            await sink.put(b"")

    async def _open(self, frame: Frame) -> None:
        headers = frame.headers
        kind, port = headers.get("streamtype"), headers.get("port", "")
        if kind not in ("data", "error") or not port.isdigit() or not 0 < int(port) <= _LAST_PORT:
            await self._send(self._session.reset(frame.stream))
            return
        await self._send(self._session.reply(frame.stream))
        request = headers.get("requestid", "")
        pair = self._pairs.setdefault(request, _Pair())
        if kind == "error":
            pair.error = frame.stream
        else:
            pair.data, pair.port = frame.stream, int(port)
            self._sinks[frame.stream] = pair.arrivals
        if pair.data and pair.error:
            del self._pairs[request]
            task = asyncio.ensure_future(self._forward(pair))
            self._forwards.add(task)
            task.add_done_callback(self._forwards.discard)

    async def _forward(self, pair: _Pair) -> None:
        with suppress(ConnectionError):  # the client has gone
            problem = await self._port.forward(
                pair.port, pair.arrivals, lambda data: self._send(data_frame(pair.data, data))
            )
            self._sinks.pop(pair.data, None)
            await self._send(data_frame(pair.error, problem.encode(), is_last=True))
            await self._send(data_frame(pair.data, b"", is_last=True))
