"""port-forward over WebSocket, as a kubelet serves it (cri-streaming/pkg/streaming/portforward/websocket.go).

Of each port two channels: its data, and its errors; the first message of both is the port, 16 bits, little-endian.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

from dynkube.testing.apiserver.streaming.channels import Channels
from dynkube.testing.apiserver.streaming.handlers import Pods
from dynkube.testing.apiserver.streaming.handshakes import (
    begins_with,
    is_websocket,
    plain_refusal,
    protocols_of,
    shake_hands,
)
from dynkube.testing.apiserver.streaming.pipes import in_thread
from dynkube.testing.apiserver.streaming.sessions import PortForwardHandler, PortForwardSession
from dynkube.testing.apiserver.words.messages import Request, Response, Wire

__all__ = ["ForwardOptions", "serve_forward"]

_logger = logging.getLogger("dynkube.testing.apiserver")

_PROTOCOLS: Final = frozenset({"", "v4.channel.k8s.io", "v4.base64.channel.k8s.io"})
_PIECE: Final = 32 * 1024
_LOOPBACK: Final = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardOptions:
    """What a port-forward asks for, and of whom."""

    namespace: str
    pod: str
    ports: Sequence[int]


def serve_forward(request: Request, options: ForwardOptions, pods: Pods) -> Response:
    """Answer a request that wants to upgrade."""
    tunnel_only = begins_with(request, "SPDY/3.1+") and _PROTOCOLS.isdisjoint(protocols_of(request))
    if tunnel_only or not is_websocket(request):
        return plain_refusal(
            400,
            "unable to upgrade: the embedded API server forwards ports over WebSocket (v4.channel.k8s.io), and speaks "
            "no SPDY, tunnelled or not",
        )
    if not options.ports:
        return plain_refusal(400, 'query parameter "port" is required')
    if 0 in options.ports:
        return plain_refusal(400, f'port "{",".join(map(str, options.ports))}" must be > 0')
    agreed = shake_hands(request, _PROTOCOLS)
    if isinstance(agreed, Response):
        return agreed
    return agreed.answer(lambda wire: _Forward(wire, agreed.protocol, options, pods).serve())


class _Forward:
    """One connection."""

    def __init__(self, wire: Wire, protocol: str, options: ForwardOptions, pods: Pods) -> None:
        self._options = options
        self._pods = pods
        self._arrivals = [_Arrivals() for _ in options.ports]
        sinks = {2 * index: arrivals.put for index, arrivals in enumerate(self._arrivals)}
        self._channels = Channels(wire, protocol, sinks, count=2 * len(options.ports))

    async def serve(self) -> None:
        """Forward until all ports are done, or the client goes."""
        for index, port in enumerate(self._options.ports):
            for channel in (2 * index, 2 * index + 1):
                await self._channels.send(channel, port.to_bytes(2, "little"))
        receiving: asyncio.Future[Any] = asyncio.ensure_future(self._channels.receive())
        forwards = [asyncio.ensure_future(self._forward(index)) for index in range(len(self._options.ports))]
        done: asyncio.Future[Any] = asyncio.gather(*forwards)
        try:
            await asyncio.wait([receiving, done], return_when=asyncio.FIRST_COMPLETED)
            await self._channels.close()
        finally:
            for each in (receiving, *forwards):
                each.cancel()
            with suppress(asyncio.CancelledError, ConnectionError):
                await done

    async def _forward(self, index: int) -> None:
        port = self._options.ports[index]
        try:
            async with self._connected(port) as (reader, writer):
                sending = asyncio.ensure_future(self._arrivals[index].drain_to(writer))
                try:
                    while data := await reader.read(_PIECE):
                        await self._channels.send(2 * index, data)
                finally:
                    sending.cancel()
                    with suppress(asyncio.CancelledError, ConnectionError):
                        await sending
        except Exception as error:  # noqa: BLE001 - whatever a handler raises, the client is told
            pod = self._options.pod
            problem = f"error forwarding port {port} to pod {pod}, uid : {_words(error, port)}"
            await self._channels.send(2 * index + 1, problem.encode())

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
        with connection:
            try:
                handler(
                    PortForwardSession(
                        namespace=self._options.namespace, pod=self._options.pod, port=port, connection=connection
                    )
                )
            except ConnectionError:
                pass  # the client went first
            except Exception:
                _logger.warning("port %d of %s: the handler failed", port, self._options.pod, exc_info=True)
                raise


def _words(error: Exception, port: int) -> str:
    if isinstance(error, ConnectionRefusedError):
        return f"dial tcp {_LOOPBACK}:{port}: connect: connection refused"
    return str(error) or type(error).__name__


class _Arrivals:
    """What the client sends to one port, while nobody takes it at most one message."""

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
