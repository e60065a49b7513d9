"""One connection through the `FaultProxy`: two pumps, and the faults on their way."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from dynkube.testing._http1 import BodyRule, Framing, Head, Kind, Piece, Scanner, request_body, response_body
from dynkube.testing._journal import Exchange, Injection, Journal
from dynkube.testing._links import Link
from dynkube.testing.faults import Action, Moment


class End(Enum):
    """How a connection ends."""

    CUT = auto()
    RESET = auto()
    FINISHED = auto()
    """The server has closed it, properly."""


_CLOSES = re.compile(rb"\r\nconnection: *close\r?$", re.IGNORECASE | re.MULTILINE)
_ENDS = {Action.CUT: End.CUT, Action.RESET: End.RESET}


class _EndedError(Exception):
    def __init__(self, end: End, injection: Injection | None = None) -> None:
        self.end = end
        self.injection = injection
        super().__init__(end.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Where connections go, and how."""

    family: socket.AddressFamily
    address: Any
    raw: bool
    listen_tls: ssl.SSLContext | None
    upstream_tls: ssl.SSLContext | None
    server_name: str


class Relay:
    """One connection, from its acceptance to its end; lives in the proxy's event loop."""

    def __init__(self, client: socket.socket, route: Route, journal: Journal) -> None:
        self._route = route
        self._journal = journal
        self._log = journal.add_connection(http=not route.raw)
        self._client = Link(client)
        self._server: Link | None = None
        self._order: End | None = None
        self._running = asyncio.Event()
        self._running.set()
        self._discarding = False  # the client gets nothing any more
        self._deaf = False  # nor does the server
        self._exchanges: deque[Exchange] = deque()
        self._answering: Exchange | None = None
        self._pace: Injection | None = None
        self._on_stream: Injection | None = None
        self._requests = Scanner(request_body)
        self._responses = Scanner(self._response_body)
        self.task: asyncio.Task[None] | None = None

    # ------------------------------------------------------------------ from the proxy

    def start(self) -> asyncio.Task[None]:
        """Begin; the task ends with the connection."""
        self.task = asyncio.create_task(self._run())
        # A task that is cancelled before its first step never gets to its finally.
        self.task.add_done_callback(lambda _: self._close(self._order or End.CUT))
        return self.task

    def end(self, end: End) -> None:
        """End it now, whatever it is doing; the first order counts."""
        if self._order is None and self.task is not None:
            self._order = end
            self.task.cancel()

    def stall(self) -> None:
        """Pass nothing on until `resume`."""
        self._running.clear()

    def resume(self) -> None:
        """Go on."""
        self._running.set()

    # ------------------------------------------------------------------ the course of a connection

    async def _run(self) -> None:
        end, injection = End.RESET, None
        try:
            await self._connect()
            await self._relay()
            end = End.FINISHED
        except _EndedError as ended:
            end, injection = ended.end, ended.injection
        except asyncio.CancelledError:
            if self._order is None:
                raise
            end = self._order
        except OSError as error:  # one side is gone, and the other shall see it
            self._log.error = f"{type(error).__name__}: {error}"
        finally:
            self._close(end)
        if injection is not None:
            injection.announce()

    async def _connect(self) -> None:
        await self._fire(self._journal.at_connection(Moment.CONNECT))
        await self._running.wait()
        self._on_stream = self._journal.at_connection(Moment.STREAM)
        server = socket.socket(self._route.family, socket.SOCK_STREAM)
        self._server = Link(server)
        await asyncio.get_running_loop().sock_connect(server, self._route.address)
        if self._route.upstream_tls is not None:
            name = self._route.server_name
            await self._server.start_tls(self._route.upstream_tls, server_side=False, server_name=name)
        await self._running.wait()
        if self._route.listen_tls is not None:
            await self._client.start_tls(self._route.listen_tls, server_side=True)

    async def _relay(self) -> None:
        assert self._server is not None
        pumps = [asyncio.create_task(self._pump_up(self._server)), asyncio.create_task(self._pump_down(self._server))]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            for pump in pumps:
                pump.cancel()
            results = await asyncio.gather(*pumps, return_exceptions=True)
        errors = [each for each in results if isinstance(each, Exception)]
        if errors:
            raise next((each for each in errors if isinstance(each, _EndedError)), errors[0])

    def _close(self, end: End) -> None:
        if not self._log.open:
            return
        if end is End.RESET:
            self._client.reset()
        else:
            self._client.cut()
        if self._server is not None:
            if end is End.FINISHED:
                self._server.close()
            else:
                self._server.reset()  # the server shall not go on working for nobody
        with self._journal.changed:
            self._log.open = False
            self._journal.changed.notify_all()

    # ------------------------------------------------------------------ client to server

    async def _pump_up(self, server: Link) -> None:
        while data := await self._read_client():
            if self._route.raw:
                await self._forward(server, data)
                continue
            for piece in self._requests.feed(data):
                if piece.head is not None:
                    await self._begin_exchange(piece.head)
                if self._answering is None:
                    await self._forward(server, piece.data)
                elif piece.kind is Kind.END:
                    await self._answer(self._answering)
            self._note_protocol(self._requests)
        with self._journal.changed:
            self._log.client_closed = True
            self._journal.changed.notify_all()
        for piece in self._requests.finish():
            await self._forward(server, piece.data)
        await self._running.wait()
        if not self._deaf:
            await server.finish()

    async def _read_client(self) -> bytes:
        try:
            return await self._client.read()
        except ssl.SSLError:
            if not self._discarding:
                raise
        # A half-close without a close_notify: the client complains by an alert, and its socket is still open.
        await self._client.drain()
        return b""

    async def _forward(self, server: Link, data: bytes) -> None:
        await self._running.wait()
        if self._deaf or not data:
            return
        try:
            await server.write(data)
        except OSError:
            self._deaf = True  # it does not read any more, but its answer may be on its way
        else:
            self._count(up=len(data))

    async def _begin_exchange(self, head: Head) -> None:
        exchange = self._journal.add_exchange(self._log, head)
        self._exchanges.append(exchange)
        injection = exchange.injection
        if injection is not None and injection.fault.moment is Moment.REQUEST:
            await self._fire(injection, exchange)

    async def _answer(self, exchange: Exchange) -> None:
        """Say what the fault says, now that the whole request is there; the server has seen none of it."""
        self._answering = None
        self._exchanges.remove(exchange)
        assert exchange.injection is not None
        response = exchange.injection.fault.response
        head, blank_line, body = response.partition(b"\r\n\r\n")
        await self._write(head + blank_line + (b"" if exchange.method == "HEAD" else body))
        with self._journal.changed:
            exchange.status = int(response.split(b" ", 2)[1])
            exchange.complete = True
        if _CLOSES.search(head):
            raise _EndedError(End.FINISHED, exchange.injection)
        exchange.injection.announce()

    # ------------------------------------------------------------------ server to client

    async def _pump_down(self, server: Link) -> None:
        while data := await server.read():
            if self._route.raw:
                await self._send(data, None)
                continue
            for piece in self._responses.feed(data):
                await self._deliver(piece)
            self._note_protocol(self._responses)
        for piece in self._responses.finish():
            await self._deliver(piece)
        await self._running.wait()
        if not self._discarding:
            await self._client.finish()
        if self._responses.http and not self._route.raw:
            # HTTP servers do not half-close: nobody will read what the client sends now.
            raise _EndedError(End.FINISHED)

    def _response_body(self, head: Head) -> BodyRule:
        exchange = self._exchanges[0] if self._exchanges else None
        rule = response_body(head, exchange.method if exchange is not None else "GET")
        if exchange is not None and (head.status >= 200 or head.status == 101):
            exchange.status = head.status
        if rule.framing is Framing.NOT_HTTP:
            self._requests.leave_http()
        return rule

    async def _deliver(self, piece: Piece) -> None:
        exchange = self._exchanges[0] if self._exchanges else None
        if exchange is None or not exchange.status:  # no answer to anything, or "100 Continue" and its like
            await self._send(piece.data, exchange)
            return
        split = _split(piece, exchange)
        if split is None:
            await self._send(piece.data, exchange)
        else:
            await self._send(piece.data[:split], exchange)
            await self._fire(exchange.injection, exchange)
            await self._send(piece.data[split:], exchange)
        self._advance(piece, exchange)

    def _advance(self, piece: Piece, exchange: Exchange) -> None:
        if piece.kind is Kind.BODY:
            exchange.body_bytes += len(piece.data)
        elif piece.kind is Kind.CHUNK_END:
            exchange.chunks += 1
        elif piece.kind is Kind.END:
            self._exchanges.popleft()
            with self._journal.changed:
                exchange.complete = True
                self._journal.changed.notify_all()

    async def _send(self, data: bytes, exchange: Exchange | None) -> None:
        injection = self._on_stream
        if injection is not None:
            before = injection.fault.offset - self._log.bytes_down
            if before <= len(data):
                self._on_stream = None
                await self._send_now(data[:before], exchange)
                await self._fire(injection)
                data = data[before:]
        await self._send_now(data, exchange)

    async def _send_now(self, data: bytes, exchange: Exchange | None) -> None:
        pace = (exchange.pace if exchange is not None else None) or self._pace
        if pace is None:
            await self._write(data)
            return
        size = pace.fault.size
        for start in range(0, len(data), size):
            await pace.next_drop()
            await self._write(data[start : start + size])

    async def _write(self, data: bytes) -> None:
        await self._running.wait()
        if data and not self._discarding:
            await self._client.write(data)
            self._count(down=len(data))

    # ------------------------------------------------------------------ faults and figures

    async def _fire(self, injection: Injection | None, exchange: Exchange | None = None) -> None:
        if injection is None or not injection.claim():
            return
        action = injection.fault.action
        if action in _ENDS:
            raise _EndedError(_ENDS[action], injection)
        if action is Action.ANSWER:
            self._answering = exchange
            return
        if action is Action.STALL:
            self.stall()
        elif action is Action.HALF_CLOSE:
            self._client.shut()
            self._discarding = True
        elif exchange is not None:
            exchange.pace = injection
        else:
            self._pace = injection
        injection.announce()
        await self._running.wait()

    def _count(self, *, up: int = 0, down: int = 0) -> None:
        with self._journal.changed:
            self._log.bytes_up += up
            self._log.bytes_down += down
            self._journal.changed.notify_all()

    def _note_protocol(self, scanner: Scanner) -> None:
        if not scanner.http and self._log.http:
            with self._journal.changed:
                self._log.http = False


def _split(piece: Piece, exchange: Exchange) -> int | None:
    """How much of ``piece`` passes before the exchange's fault happens; None when it does not happen here."""
    injection = exchange.injection
    if injection is None or not injection.active:
        return None
    return _SPLITS.get(injection.fault.moment, _nowhere)(piece, exchange, injection.fault.offset)


def _nowhere(_piece: Piece, _exchange: Exchange, _offset: int) -> int | None:
    return None


def _at_response(piece: Piece, _exchange: Exchange, _offset: int) -> int | None:
    return 0 if piece.kind is Kind.HEAD else None


def _in_header(piece: Piece, _exchange: Exchange, offset: int) -> int | None:
    return offset if piece.kind is Kind.HEAD and offset <= len(piece.data) else None


def _in_body(piece: Piece, exchange: Exchange, offset: int) -> int | None:
    if piece.kind is Kind.HEAD:
        return len(piece.data) if offset == 0 else None
    left = offset - exchange.body_bytes
    return left if piece.kind is Kind.BODY and 0 < left <= len(piece.data) else None


def _after_chunk(piece: Piece, exchange: Exchange, offset: int) -> int | None:
    if piece.kind is Kind.HEAD:
        return len(piece.data) if offset == 0 else None
    return len(piece.data) if piece.kind is Kind.CHUNK_END and exchange.chunks + 1 == offset else None


def _at_end(piece: Piece, _exchange: Exchange, _offset: int) -> int | None:
    return 0 if piece.kind is Kind.END else None


_SPLITS: dict[Moment, Callable[[Piece, Exchange, int], int | None]] = {
    Moment.RESPONSE: _at_response,
    Moment.HEADER: _in_header,
    Moment.BODY: _in_body,
    Moment.CHUNK: _after_chunk,
    Moment.END: _at_end,
}
