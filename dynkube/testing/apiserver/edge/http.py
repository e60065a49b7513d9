"""The sockets: HTTP/1.1 over TLS on one event loop, by aiohttp's low-level server.

aiohttp's ``web.Server`` reads requests and keeps connections; routing, sessions and the like stay
unused. It was chosen over an ASGI server because it gives what an ASGI scope does not: the peer's
certificate, the path as it was sent, any status with any bytes after it, and a transport to abort.

Requests are handled one after another on the loop; what comes in between are the awaits of slow
clients, watches and faults. Nothing here knows Kubernetes but the header fields of every answer.

This module imports aiohttp: it is imported when a server starts.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import re
import socket
import ssl
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from functools import cached_property, partial
from typing import Any, Final, cast

from aiohttp import web
from aiohttp.http_exceptions import BadHttpMethod

from dynkube import codec
from dynkube.testing.apiserver.edge.responses import Writer, head
from dynkube.testing.apiserver.edge.targets import parse_query, split_target
from dynkube.testing.apiserver.words import statuses
from dynkube.testing.apiserver.words.messages import MAX_BODY_BYTES, ConnectionCut, Headers, Request, Response, UserInfo

__all__ = ["HTTPServer", "Handler", "certificate_user"]

Handler = Callable[[Request], Awaitable[Response]]

_logger = logging.getLogger("dynkube.testing.apiserver")

# A line of a head may be as long as net/http lets a whole head be.
_MAX_HEAD: Final = 2**20
_IDLE_SECONDS: Final = 90.0
_HANDSHAKE_SECONDS: Final = 10.0
_FAREWELL_SECONDS: Final = 1.0
_BACKLOG: Final = 1024
_ACCEPTED_AT_ONCE: Final = 64
# How long nobody is accepted when the process has no file descriptors left.
_EXHAUSTED_SECONDS: Final = 1.0
_REQUEST_LINE: Final = re.compile(r"(?P<method>[!#$%&'*+.^_`|~0-9A-Za-z-]+) (?P<target>\S+) HTTP/1\.[01]")
_CREDENTIAL_ID: Final = "authentication.kubernetes.io/credential-id"
# What net/http answers to what is no request.
_BAD_REQUEST: Final = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n400 Bad Request"
)


class HTTPServer:
    """Serves a handler on one port, from `listen` to `close`; all methods belong on the event loop.

    The port is held from construction on, also while nobody listens.

    Args:
        handler: Makes the answers.
        host: An address of this machine.
        port: 0 for a free one.
        tls: For https; None for http.
    """

    def __init__(self, handler: Handler, *, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        self._handler = handler
        self._tls = tls
        # Bound but never listening: the address stays ours while the listener is closed.
        self._reservation = _bound(host, port)
        self.address: tuple[str, int] = self._reservation.getsockname()[:2]
        self._listener: socket.socket | None = None
        self._arrivals: set[asyncio.Task[None]] = set()
        self._accepted: set[socket.socket] = set()  # whose arrival has not begun
        self._streams: set[asyncio.Task[Any]] = set()
        self._is_draining = False
        self._web: _Web | None = None

    # ------------------------------------------------------------------ life

    def listen(self) -> None:
        """Accept connections. A listening one stays as it is."""
        if self._web is None:
            self._web = _Web(
                self._answer,
                cast("Any", self._serve),
                handler_cancellation=True,
                access_log=None,
                logger=_logger,
                keepalive_timeout=_IDLE_SECONDS,
                max_line_size=_MAX_HEAD,
                max_field_size=_MAX_HEAD,
                auto_decompress=False,
            )
        self._is_draining = False
        if self._listener is None:
            self._listener = _bound(*self.address)
            self._listener.listen(_BACKLOG)
            self._watch_listener()

    def refuse(self) -> None:
        """Accept no more: connecting is refused. Open connections stay."""
        if self._listener is not None:
            asyncio.get_running_loop().remove_reader(self._listener)
            self._listener.close()
            self._listener = None

    async def abort(self) -> None:
        """End all connections as a killed process does: no last chunk, no farewell."""
        for arrival in tuple(self._arrivals):
            arrival.cancel()
        for connection in self._connections():
            connection.wire.abort()
        await self._gone()

    async def drain(self, seconds: float) -> None:
        """End all connections in an orderly way: streams get their last chunk, requests their answers.

        Args:
            seconds: How long a request may still take.
        """
        self._is_draining = True
        for arrival in tuple(self._arrivals):
            arrival.cancel()
        for stream in tuple(self._streams):
            stream.cancel()
        connections = self._connections()
        for connection in connections:
            connection.close()  # after the request that it is at; one that waits for a request would wait on
        await asyncio.gather(*(connection.shutdown(seconds) for connection in connections))
        # What was written is the kernel's now, the farewell too; a client that reads nothing would never confirm it.
        await self.abort()

    async def close(self) -> None:
        """Refuse, abort, and give the port back."""
        self.refuse()
        await self.abort()
        self._reservation.close()

    def _connections(self) -> list[_Connection]:
        return [] if self._web is None else cast("list[_Connection]", self._web.connections)

    async def _gone(self) -> None:
        """Return when the sockets are closed and the tasks of their requests have ended."""
        tasks = {*self._arrivals, *self._streams} - {asyncio.current_task()}
        if tasks:
            await asyncio.wait(tasks)
        while self._connections():  # each turn of the loop lets the ends of some come through
            await asyncio.sleep(0)

    # ------------------------------------------------------------------ connections

    def _watch_listener(self) -> None:
        if self._listener is not None:
            asyncio.get_running_loop().add_reader(self._listener, self._accept)

    def _accept(self) -> None:
        assert self._listener is not None
        loop = asyncio.get_running_loop()
        for _ in range(_ACCEPTED_AT_ONCE):
            try:
                connection, _ = self._listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError:
                loop.remove_reader(self._listener)
                loop.call_later(_EXHAUSTED_SECONDS, self._watch_listener)
                return
            connection.setblocking(False)
            self._accepted.add(connection)
            arrival = loop.create_task(self._welcome(connection))
            self._arrivals.add(arrival)
            arrival.add_done_callback(partial(self._arrived, connection))

    def _arrived(self, connection: socket.socket, arrival: asyncio.Task[None]) -> None:
        self._arrivals.discard(arrival)
        if connection in self._accepted:  # cancelled before its first step: nobody else knows of the socket
            self._accepted.discard(connection)
            connection.close()

    async def _welcome(self, connection: socket.socket) -> None:
        assert self._web is not None
        self._accepted.discard(connection)
        loop = asyncio.get_running_loop()
        # A handshake that fails is the client's affair: it has been told by an alert, or has gone.
        with contextlib.suppress(OSError):
            await loop.connect_accepted_socket(
                self._web,
                connection,
                ssl=self._tls,
                ssl_handshake_timeout=_HANDSHAKE_SECONDS if self._tls else None,
                ssl_shutdown_timeout=_FAREWELL_SECONDS if self._tls else None,
            )

    # ------------------------------------------------------------------ requests

    async def _serve(self, incoming: web.BaseRequest) -> _Sent:
        writer = Writer(incoming)
        try:
            request = await self._read(incoming)
        except ValueError:
            return _Sent(keep_alive=False, data=_BAD_REQUEST)
        is_whole = incoming.content.at_eof()
        writer.keeps_alive = writer.keeps_alive and is_whole
        try:
            await self._answer(writer, request)
        except ConnectionCut as cut:
            await writer.cut(cut)
        return _Sent(keep_alive=writer.keeps_alive)

    async def _answer(self, writer: Writer, request: Request) -> None:
        try:
            response = await self._handler(request)
        except ConnectionCut:
            raise
        except Exception as error:
            _logger.exception("%s %s: the server failed", request.method, request.path)
            response = _failure(error)
        if response.upgrade is not None:
            await self._last(request, writer.upgraded(response.status, response.headers, response.upgrade))
            return
        headers = head(request, response)
        if isinstance(response.body, bytes):
            await writer.body(request, response.status, headers, response.body, compressible=response.compressible)
            return
        if not await self._last(request, writer.stream(request, response.status, headers, response.body)):
            await writer.end()

    async def _last(self, request: Request, sending: Coroutine[Any, Any, None]) -> bool:
        """Send what may go on for long; False where the server ends it, to restart."""
        task = cast("asyncio.Task[Any]", asyncio.current_task())
        self._streams.add(task)
        try:
            await sending
        except asyncio.CancelledError:
            if not self._is_draining:
                raise
            task.uncancel()
            return False
        except ConnectionError:
            raise
        except ConnectionCut:
            raise
        except Exception as error:
            _logger.exception("%s %s: the stream failed", request.method, request.path)
            raise ConnectionCut from error
        finally:
            self._streams.discard(task)
        return True

    async def _read(self, incoming: web.BaseRequest) -> Request:
        path, query = split_target(incoming.raw_path)
        if incoming.headers.get("Expect", "").lower() == "100-continue":
            await Writer(incoming).go_on()
        return Request(
            method=incoming.method,
            path=path,
            query=parse_query(query),
            headers=Headers(incoming.headers.items()),
            body=await _read_body(incoming),
            certificate_user=cast("_Connection", incoming.protocol).user,
        )


async def _read_body(incoming: web.BaseRequest) -> bytes:
    """The body, or somewhat more than may be sent: the rest is not waited for."""
    content = incoming.content
    pieces = []
    size = 0
    while size <= MAX_BODY_BYTES:
        try:
            piece = await content.readany()
        except (web.RequestPayloadError, EOFError) as error:
            raise ValueError("a body that cannot be read") from error
        if not piece:
            break
        pieces.append(piece)
        size += len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def certificate_user(encryption: ssl.SSLObject) -> UserInfo | None:
    """The user of a client certificate: CN is the name, each O a group (AS/authentication/request/x509)."""
    found = encryption.getpeercert()
    certificate = encryption.getpeercert(binary_form=True)
    if not found or certificate is None:
        return None
    subject = [attribute for names in cast("Any", found["subject"]) for attribute in names]
    name = "".join(value for key, value in subject if key == "commonName")
    groups = tuple(value for key, value in subject if key == "organizationName")
    fingerprint = hashlib.sha256(certificate).hexdigest()
    return UserInfo(name, groups, extra={_CREDENTIAL_ID: (f"X509SHA256={fingerprint}",)}) if name else None


def _parse_head(data: bytes) -> Request | None:
    """A request whose method is a word of its own; None for what is no request."""
    lines = data.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    first = _REQUEST_LINE.fullmatch(lines[0])
    if first is None:
        return None
    try:
        path, query = split_target(first["target"])
    except ValueError:
        return None
    fields = (line.partition(":") for line in lines[1:])
    headers = Headers((name, value.strip()) for name, _, value in fields)
    return Request(method=first["method"], path=path, query=parse_query(query), headers=headers)


def _failure(error: Exception) -> Response:
    status = statuses.internal_error(f"{type(error).__name__} in the embedded server: see its log").status
    return Response(status=500, headers=[("Content-Type", "application/json")], body=codec.encode(status) + b"\n")


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setblocking(False)
    try:
        sock.bind((host, port))
    except OSError:
        sock.close()
        raise
    return sock


class _Sent:
    """What aiohttp gets back of its handler: a response that has been sent, or is ``data``."""

    def __init__(self, *, keep_alive: bool, data: bytes = b"") -> None:
        self.keep_alive = keep_alive
        self._data = data

    async def prepare(self, request: web.BaseRequest) -> None:
        """Send what is left to send."""
        if self._data:
            await request.writer.write(self._data)

    async def write_eof(self) -> None:
        """Nothing is left to send."""


class _Unparsed(_Sent):
    """The answer to a request with a method that aiohttp's parser does not know; the connection ends with it."""

    def __init__(self, request: Request, answer: Callable[[Writer, Request], Awaitable[None]]) -> None:
        super().__init__(keep_alive=False)
        self._request = request
        self._answer = answer

    async def prepare(self, request: web.BaseRequest) -> None:
        """Answer."""
        await self._answer(Writer(request, is_parsed=False), self._request)


class _Web(web.Server):
    """aiohttp's server, with connections that answer what is no HTTP as net/http does."""

    def __init__(self, answer: Callable[[Writer, Request], Awaitable[None]], *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.answer = answer

    def __call__(self) -> web.RequestHandler:
        return _Connection(self, loop=self._loop, **self._kwargs)


class _Connection(web.RequestHandler):
    """One connection.

    Attributes:
        wire: Its transport, also when aiohttp has done with it and the farewell is under way.
    """

    wire: asyncio.Transport
    _latest: bytes = b""

    def data_received(self, data: bytes) -> None:
        """Keep what the parser gets, for what it makes nothing of."""
        self._latest = data
        super().data_received(data)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The handshake is done."""
        self.wire = cast("asyncio.Transport", transport)
        super().connection_made(transport)

    @cached_property
    def user(self) -> UserInfo | None:
        """Whom the client certificate names."""
        encryption = self.wire.get_extra_info("ssl_object")
        return None if encryption is None else certificate_user(encryption)

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        """Of what the parser refuses; and of a bug, which `HTTPServer` lets nobody see."""
        if isinstance(exc, ConnectionError):  # a client that has gone is no bug
            raise exc
        if status != 400:
            _logger.error("%s: the connection failed: %s", request.remote, message or exc, exc_info=exc)
            raise ConnectionResetError
        unparsed = _parse_head(self._latest) if isinstance(exc, BadHttpMethod) else None
        manager = cast("_Web | None", self._manager)
        if unparsed is not None and manager is not None:
            return cast("web.StreamResponse", _Unparsed(replace(unparsed, certificate_user=self.user), manager.answer))
        return cast("web.StreamResponse", _Sent(keep_alive=False, data=_BAD_REQUEST))
