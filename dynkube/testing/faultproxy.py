"""`FaultProxy`: a TCP proxy on loopback that breaks connections when a test says so.

It stands before any server, and breaks real sockets: what a client sees is what a dead
network, a killed server or a careless load balancer would show it.

Three ways to stand there:

- plain (the default): the server speaks HTTP; the proxy reads along;
- ``tls=True``: the server speaks HTTPS. The proxy ends TLS on both sides, with a certificate
  of its own, so that it can read along. A client certificate cannot pass through it: either
  the users that come through it have tokens, or it shows the server one certificate for all
  (``client_certificate=``);
- ``raw=True``: it passes on bytes and understands none. Client certificates work, and the
  client sees the server's own certificate; a fault knows only connections and counts of bytes.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
import tempfile
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from types import TracebackType
from typing import Any, Protocol, Self
from urllib.parse import urlsplit

from dynkube.errors import ClosedError, ConfigError, ConnectError, InvalidRequestError
from dynkube.testing._journal import Injection, Journal
from dynkube.testing._relay import End, Relay, Route
from dynkube.testing.faults import CONNECTION_MOMENTS, Action, Fault, Moment, ProxiedConnection, SeenRequest
from dynkube.testing.pki import Authority, KeyPair

__all__ = ["Action", "Fault", "FaultProxy", "Injection", "Moment", "ProxiedConnection", "SeenRequest", "Server"]

_HOST = "127.0.0.1"
_BACKLOG = 128
# How long the calling thread waits for the proxy's own: only a blocked event loop takes so long.
_PATIENCE = 10.0


class Server(Protocol):
    """What a proxy can stand before: a `ControlPlane`, an `APIServer`, or anything with these two."""

    @property
    def url(self) -> str:
        """``https://host:port`` or ``http://host:port``."""

    @property
    def ca_data(self) -> bytes | None:
        """The authority of its certificate (PEM)."""


class FaultProxy:
    """A proxy before one server, that cuts, resets, stalls, dribbles, half-closes or refuses.

    Starts with ``with`` (or `start`), and has ended, with its thread and all its connections,
    when `close` returns. Faults come in two ways: `inject` lays one before the next fitting
    request or connection; `cut_all`, `reset_all`, `stall` and `refuse` strike at once. All
    methods may be called from any thread.

    Args:
        host: The server's host name or address.
        port: The server's port.
        tls: End TLS on both sides.
        raw: Pass on bytes without reading along.
        ca_data: PEM of the authority to trust for the server's certificate, instead of the
            system's (with ``tls``), or to hand on as the proxy's `ca_data` (with ``raw``).
        insecure: Take any certificate from the server.
        server_name: The name to ask the server for, and to find in its certificate; ``host``
            when empty.
        client_certificate: What the proxy shows the server.
        certificate: What the proxy shows its clients, instead of one from an authority that it
            makes for itself; then `ca_data` is None.
        names: Further names and addresses for the certificate that it makes; it is always good
            for 127.0.0.1, ::1, localhost and ``host``.

    Raises:
        InvalidRequestError: The arguments contradict each other.

    A plain proxy before a server that says one word::

        with FaultProxy("127.0.0.1", port) as proxy:
            fault = proxy.inject(Fault.cut(after_body_bytes=100), path="/api/v1/pods", method="GET")
            ...  # a client on proxy.url
            fault.wait()
            assert proxy.connection_count == 1
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        tls: bool = False,
        raw: bool = False,
        ca_data: bytes | str | None = None,
        insecure: bool = False,
        server_name: str = "",
        client_certificate: KeyPair | None = None,
        certificate: KeyPair | None = None,
        names: tuple[str, ...] = (),
    ) -> None:
        if tls and raw:
            raise InvalidRequestError("tls=True and raw=True: a raw proxy does not end TLS, give one of them")
        if not tls and (insecure or server_name or client_certificate or certificate or names):
            raise InvalidRequestError(
                "insecure, server_name, client_certificate, certificate and names are about TLS that the proxy ends: "
                "give them with tls=True"
            )
        if insecure and ca_data is not None:
            raise InvalidRequestError(
                "ca_data and insecure=True: the proxy either checks the server's certificate or not"
            )
        self._upstream = (host, port)
        self._tls = tls
        self._raw = raw
        self._upstream_ca = ca_data.encode() if isinstance(ca_data, str) else ca_data
        self._insecure = insecure
        self._server_name = server_name or host
        self._client_certificate = client_certificate
        self._certificate = certificate
        self._names = names
        self._scheme = "https" if tls or raw else "http"
        self._prefix = ""
        self._ca_data: bytes | None = self._upstream_ca if raw else None
        self._port = 0
        self._journal = Journal()
        self._lock = threading.Lock()  # of start and close
        self._loop_thread: _LoopThread | None = None
        self._closed = False

    @classmethod
    def before(
        cls,
        server: Server,
        *,
        raw: bool = False,
        insecure: bool = False,
        server_name: str = "",
        client_certificate: KeyPair | None = None,
        certificate: KeyPair | None = None,
        names: tuple[str, ...] = (),
    ) -> FaultProxy:
        """A proxy before ``server``, ending TLS where the server speaks it.

        Args:
            server: Anything with ``url`` and ``ca_data``.
            raw: Pass on bytes without reading along; `ca_data` is then the server's.
            insecure: Take any certificate from the server.
            server_name: See `FaultProxy`.
            client_certificate: See `FaultProxy`.
            certificate: See `FaultProxy`.
            names: See `FaultProxy`.

        Raises:
            InvalidRequestError: The server's ``url`` is no http or https URL.
        """
        parts = urlsplit(server.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise InvalidRequestError(f"server.url is {server.url!r}: a FaultProxy stands before http(s)://host:port")
        https = parts.scheme == "https"
        proxy = cls(
            parts.hostname,
            parts.port or (443 if https else 80),
            tls=https and not raw,
            raw=raw,
            ca_data=server.ca_data if https and not insecure else None,
            insecure=insecure,
            server_name=server_name,
            client_certificate=client_certificate,
            certificate=certificate,
            names=names,
        )
        proxy._scheme = parts.scheme
        proxy._prefix = parts.path.rstrip("/")
        return proxy

    # ------------------------------------------------------------------ life

    def start(self) -> Self:
        """Listen and serve; ``with`` does it.

        Raises:
            ClosedError: The proxy has been closed.
            ConnectError: The server's host name is unknown.
            ConfigError: A certificate is unusable, or ``cryptography`` is missing.
        """
        with self._lock:
            if self._closed:
                raise ClosedError("this FaultProxy has been closed: make a new one")
            if self._loop_thread is None:
                self._loop_thread = _LoopThread(self._route(), self._journal)
                self._port = self._loop_thread.port
        return self

    def close(self) -> None:
        """End all connections, the listener and the thread; idempotent.

        Raises:
            Exception: Whatever went wrong inside the proxy, a ``when`` of `inject` for one.
        """
        with self._lock:
            self._closed = True
            thread, self._loop_thread = self._loop_thread, None
        if thread is None:
            return
        thread.stop()
        with self._journal.changed:
            self._journal.closed = True
            self._journal.changed.notify_all()
        if thread.failures:
            raise thread.failures[0]

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # Reason: the test's own failure tells more than what it caused in here.
        with contextlib.suppress(Exception) if error is not None else contextlib.nullcontext():
            self.close()

    def __repr__(self) -> str:
        state = "closed" if self._closed else self.url if self._port else "not started"
        return f"<FaultProxy {state} before {self._upstream[0]}:{self._upstream[1]}>"

    # ------------------------------------------------------------------ where it is

    @property
    def port(self) -> int:
        """The port it listens on, on 127.0.0.1; it stays the same through `refuse` and `accept`.

        Raises:
            InvalidRequestError: It has not been started.
        """
        if not self._port:
            raise InvalidRequestError("this FaultProxy has no port yet: use it in a with statement, or call start()")
        return self._port

    @property
    def url(self) -> str:
        """The URL for clients; it ends with the path of the server's URL, if that has one."""
        return f"{self._scheme}://{_HOST}:{self.port}{self._prefix}"

    @property
    def ca_data(self) -> bytes | None:
        """The authority for clients to trust (PEM): the proxy's own, or, with ``raw``, the server's."""
        return self._ca_data

    # ------------------------------------------------------------------ faults

    def inject(
        self,
        fault: Fault,
        *,
        method: str = "",
        path: str = "",
        when: Callable[[SeenRequest], bool] | None = None,
        times: int | None = 1,
    ) -> Injection:
        """Lay ``fault`` before the next request, or connection, that fits.

        One request carries one fault: the one that was injected first. A fault whose moment
        does not come (the body is shorter) stays for the next request.

        Args:
            fault: What happens, and when.
            method: Only requests of this method; any when empty.
            path: Only requests whose target begins so.
            when: Only requests for which this returns True; called in the proxy's thread.
            times: How often it happens; None for always, until `Injection.remove` or `clear`.

        Returns:
            A handle to wait for it, count it and remove it.

        Raises:
            InvalidRequestError: The proxy is raw and the fault needs HTTP, or the fault is about
                connections and ``method``, ``path`` or ``when`` about requests.
        """
        about_connections = fault.moment in CONNECTION_MOMENTS
        if self._raw and not about_connections:
            raise InvalidRequestError(
                f"{fault}: a raw proxy sees bytes, no requests; use at='connect' or after_bytes=n, "
                "strike at once (cut_all, reset_all, stall), or let it end TLS (raw=False)"
            )
        if about_connections and (method or path or when):
            raise InvalidRequestError(
                f"{fault} is about connections: method, path and when choose requests, leave them out"
            )
        if times is not None and times < 1:
            raise InvalidRequestError(f"times={times}: give a number from 1 on, or None for always")

        def matches(request: SeenRequest) -> bool:
            if method and request.method != method.upper():
                return False
            return request.target.startswith(path) and (when is None or when(request))

        injection = Injection(fault, journal=self._journal, matches=matches, times=times, post=self._post)
        with self._journal.changed:
            self._journal.injections.append(injection)
        return injection

    def clear(self) -> None:
        """Remove all faults that were injected; a stall goes on until `resume`."""
        with self._journal.changed:
            for injection in self._journal.injections:
                injection.remove()
            self._journal.injections.clear()

    def cut_all(self) -> None:
        """Close every open connection with a FIN, as a process does that dies; new ones are served."""
        self._thread().call(_LoopThread.end_all, End.CUT)

    def reset_all(self) -> None:
        """Reset every open connection with an RST; new ones are served."""
        self._thread().call(_LoopThread.end_all, End.RESET)

    def stall(self) -> None:
        """Pass nothing on any more, on open and new connections, and keep them open.

        A new connection is accepted, but gets no TLS handshake. While this lasts, neither side
        learns that the other has gone.
        """
        self._thread().call(_LoopThread.stall)

    def resume(self) -> None:
        """End `stall`, and every stall that a fault began."""
        self._thread().call(_LoopThread.resume)

    def refuse(self, *, after_accept: bool = False) -> None:
        """Take no new connections until `accept`; open ones stay.

        Args:
            after_accept: Accept and reset each (as a proxy with no server behind it does);
                else nobody listens, and connecting is refused.
        """
        self._thread().call(_LoopThread.refuse, after_accept)

    def accept(self) -> None:
        """End `refuse`."""
        self._thread().call(_LoopThread.accept)

    # ------------------------------------------------------------------ what it has seen

    @property
    def connections(self) -> tuple[ProxiedConnection, ...]:
        """Every connection so far, in order."""
        with self._journal.changed:
            return tuple(log.seen() for log in self._journal.connections)

    @property
    def connection_count(self) -> int:
        """How many connections were accepted so far."""
        with self._journal.changed:
            return len(self._journal.connections)

    @property
    def open_connections(self) -> int:
        """How many connections are open now."""
        with self._journal.changed:
            return sum(log.open for log in self._journal.connections)

    @property
    def requests(self) -> tuple[SeenRequest, ...]:
        """Every request so far, in order, also those that a fault kept from the server.

        Raises:
            InvalidRequestError: The proxy is raw.
        """
        self._want_http("requests")
        with self._journal.changed:
            return tuple(exchange.seen() for exchange in self._journal.exchanges)

    def wait_for_connection(self, timeout: float = 10.0, *, count: int = 1) -> None:
        """Wait until ``count`` connections, of all time, have come.

        Raises:
            TimeoutError: They have not come within ``timeout`` seconds.
        """
        self._journal.wait_for(lambda: len(self._journal.connections) >= count, timeout, f"{count} connections")

    def wait_for_request(self, timeout: float = 10.0, *, method: str = "", path: str = "", count: int = 1) -> None:
        """Wait until ``count`` requests, of all time, of this method and beginning of the target have come.

        Raises:
            TimeoutError: They have not come within ``timeout`` seconds.
            InvalidRequestError: The proxy is raw.
        """
        self._want_http("wait_for_request")

        def come() -> bool:
            fitting = (
                each
                for each in self._journal.exchanges
                if each.target.startswith(path) and (not method or each.method == method.upper())
            )
            return sum(1 for _ in fitting) >= count

        self._journal.wait_for(come, timeout, f"{count} requests {method or 'of any method'} {path or '/'}")

    def wait_until_idle(self, timeout: float = 10.0) -> None:
        """Wait until no connection is open.

        Raises:
            TimeoutError: One is still open after ``timeout`` seconds.
        """
        self._journal.wait_for(
            lambda: not any(log.open for log in self._journal.connections), timeout, "all connections to end"
        )

    def wait_for(self, condition: Callable[[FaultProxy], bool], timeout: float = 10.0) -> None:
        """Wait until ``condition(proxy)``; it is asked whenever something has changed, and must not block.

        Raises:
            TimeoutError: It was not true within ``timeout`` seconds.
        """
        self._journal.wait_for(lambda: condition(self), timeout, "a condition")

    # ------------------------------------------------------------------ inside

    def _want_http(self, what: str) -> None:
        if self._raw:
            raise InvalidRequestError(f"{what}: a raw proxy sees bytes, no requests; let it end TLS (raw=False)")

    def _thread(self) -> _LoopThread:
        thread = self._loop_thread
        if thread is None:
            why = "has been closed" if self._closed else "is not started: use it in a with statement, or call start()"
            raise ClosedError(f"this FaultProxy {why}")
        return thread

    def _post(self, function: Callable[[], None]) -> None:
        self._thread().post(function)

    def _route(self) -> Route:
        host, port = self._upstream
        try:
            family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        except OSError as error:
            raise ConnectError(f"FaultProxy: the server's host {host!r} is not known: {error}") from error
        return Route(
            family=socket.AddressFamily(family),
            address=address,
            raw=self._raw,
            listen_tls=self._listening_context() if self._tls else None,
            upstream_tls=self._upstream_context() if self._tls else None,
            server_name=self._server_name,
        )

    def _listening_context(self) -> ssl.SSLContext:
        pair = self._certificate
        if pair is None:
            authority = Authority("dynkube fault proxy")
            self._ca_data = authority.certificate
            names = dict.fromkeys([_HOST, "::1", "localhost", self._upstream[0], *self._names])
            pair = authority.server("dynkube fault proxy", list(names))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        _load_pair(context, pair, "certificate")
        return context

    def _upstream_context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # A server that could choose HTTP/2 would: the proxy reads HTTP/1.1.
        context.set_alpn_protocols(["http/1.1"])
        if self._insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        elif self._upstream_ca is None:
            context.load_default_certs()
        else:
            try:
                context.load_verify_locations(cadata=self._upstream_ca.decode("ascii"))
            except (ssl.SSLError, UnicodeDecodeError) as error:
                raise ConfigError(f"FaultProxy: ca_data holds no PEM certificate: {error}") from error
        if self._client_certificate is not None:
            _load_pair(context, self._client_certificate, "client_certificate")
        return context


def _load_pair(context: ssl.SSLContext, pair: KeyPair, argument: str) -> None:
    # OpenSSL, as Python has it, reads keys from files only: a file of 0600 that is gone again at once.
    descriptor, path = tempfile.mkstemp(prefix="dynkube-", suffix=".pem")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(pair.key.rstrip() + b"\n" + pair.certificate)
        context.load_cert_chain(path)
    except ssl.SSLError as error:
        raise ConfigError(f"FaultProxy: {argument} holds no certificate with its key: {error}") from error
    finally:
        os.unlink(path)


class _LoopThread:
    """The proxy's thread: an event loop that owns the listener and all relays."""

    def __init__(self, route: Route, journal: Journal) -> None:
        self._route = route
        self._journal = journal
        self._relays: set[Relay] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._stalled = False
        self._refusing = False
        self.failures: list[BaseException] = []
        # Bound but never listening: it keeps the port while `refuse` has closed the listener.
        self._reservation = _bound(0)
        self.port: int = self._reservation.getsockname()[1]
        self._listener: socket.socket | None = None
        ready: Future[asyncio.AbstractEventLoop] = Future()
        self._thread = threading.Thread(target=self._run, args=(ready,), name=f"FaultProxy:{self.port}", daemon=True)
        self._thread.start()
        self._loop = ready.result(_PATIENCE)

    def stop(self) -> None:
        """End everything; the thread is gone afterwards."""
        with contextlib.suppress(RuntimeError):  # the loop has ended by itself
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(_PATIENCE)

    def post(self, function: Callable[[], None]) -> None:
        """Do it in the loop, some time soon."""
        self._loop.call_soon_threadsafe(function)

    def call(self, function: Callable[..., Awaitable[None]], *arguments: Any) -> None:
        """Do it in the loop, and wait until it is done."""

        async def run() -> None:
            await function(self, *arguments)

        asyncio.run_coroutine_threadsafe(run(), self._loop).result(_PATIENCE)

    # ------------------------------------------------------------------ in the loop

    def _run(self, ready: Future[asyncio.AbstractEventLoop]) -> None:
        try:
            asyncio.run(self._main(ready))
        except BaseException as error:  # noqa: BLE001 - a thread has nobody else to tell
            self.failures.append(error)
            if not ready.done():
                ready.set_exception(error)
        finally:
            self._reservation.close()

    async def _main(self, ready: Future[asyncio.AbstractEventLoop]) -> None:
        self._stop = asyncio.Event()
        await self.accept()
        ready.set_result(asyncio.get_running_loop())
        await self._stop.wait()
        await self.refuse(False)
        await self.end_all(End.CUT)

    async def end_all(self, end: End) -> None:
        """End all connections so."""
        tasks = list(self._tasks)
        for relay in self._relays:
            relay.end(end)
        if tasks:
            await asyncio.wait(tasks)

    async def stall(self) -> None:
        """Hold all connections."""
        self._stalled = True
        for relay in self._relays:
            relay.stall()

    async def resume(self) -> None:
        """Let all connections go on."""
        self._stalled = False
        for relay in self._relays:
            relay.resume()

    async def refuse(self, after_accept: bool) -> None:
        """Reset new connections, or stop to listen."""
        self._refusing = after_accept
        if not after_accept and self._listener is not None:
            asyncio.get_running_loop().remove_reader(self._listener)
            self._listener.close()
            self._listener = None

    async def accept(self) -> None:
        """Listen, and serve new connections."""
        self._refusing = False
        if self._listener is None:
            self._listener = _bound(self.port)
            self._listener.listen(_BACKLOG)
            asyncio.get_running_loop().add_reader(self._listener, self._accept, self._listener)

    def _accept(self, listener: socket.socket) -> None:
        try:
            client, _ = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        relay = Relay(client, self._route, self._journal)
        task = relay.start()
        self._relays.add(relay)
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._ended(relay, done))
        if self._stalled:
            relay.stall()
        if self._refusing:
            relay.end(End.RESET)

    def _ended(self, relay: Relay, task: asyncio.Task[None]) -> None:
        self._relays.discard(relay)
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.failures.append(error)


def _bound(port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setblocking(False)
    try:
        sock.bind((_HOST, port))
    except OSError:
        sock.close()
        raise
    return sock
