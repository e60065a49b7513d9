"""urllib3's connections and pools with our sockets, and with the request target exactly as given.

The classes work inside a `dial.Call` of the thread, and like urllib3's own outside of one.
"""

from __future__ import annotations

import errno
import http.client
import importlib.util
import os
import queue
import socket
import ssl
import sys
import time
import weakref
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager, ProxyManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError, ProxyError

from dynkube.transport.dial import Call, current_call, dial, set_options, shut_down

__all__ = ["DirectManager", "HeaderCheckingResponse", "TunnelManager", "drop_idle", "forget_all", "socks_manager"]

IDLE_LIMIT = 90.0
"""Seconds after which an idle connection is not used again (Go's default transport)."""


# --------------------------------------------------------------------------- responses


class HeaderCheckingResponse(http.client.HTTPResponse):
    """An HTTP response whose header is whole.

    The standard library takes the end of the stream for the end of the header, which makes a complete, empty
    answer of one that was cut in the middle of its header.
    """

    def begin(self) -> None:
        """Read the header; http.client calls this."""
        if getattr(self, "headers", None) is not None:  # http.client begins a response twice, too
            return
        call = current_call()
        lines: Any = _HeaderLines(self.fp)
        stream, self.fp = self.fp, lines
        try:
            super().begin()
        finally:
            if self.fp is lines:
                self.fp = stream
            if call is not None:
                call.started = lines.read > 0
        if lines.last not in (b"\r\n", b"\n"):
            raise ConnectionResetError("the connection was closed in the middle of the response's header")
        if call is not None:
            call.response = self


class _HeaderLines:
    """The stream of a response while its header is read."""

    __slots__ = ("last", "read", "stream")

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        self.last = b""
        self.read = 0

    def readline(self, limit: int = -1) -> bytes:
        self.last = line = self.stream.readline(limit)
        self.read += len(line)
        return line

    def close(self) -> None:
        self.stream.close()


# --------------------------------------------------------------------------- connections

if TYPE_CHECKING:
    _ConnectionBase = HTTPConnection
    _PoolBase = HTTPConnectionPool
else:
    _ConnectionBase = object
    _PoolBase = object


class _Connection(_ConnectionBase):
    """Mixed into urllib3's connections: our sockets, exact targets, and a memory of having been used."""

    response_class: Any = HeaderCheckingResponse

    served = 0
    """Responses that came over the present socket."""
    idle_since = 0.0
    call: Call | None = None

    def connect(self) -> None:
        self.served = 0
        super().connect()

    def _new_conn(self) -> socket.socket:
        # urllib3's own makes the same three errors; requests tells them apart by class.
        try:
            sock = dial(self._dns_host, self.port, timeout=self.timeout, source_address=self.source_address)
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        except TimeoutError as error:
            raise ConnectTimeoutError(self, f"connecting to {self.host} timed out") from error
        except OSError as error:
            raise NewConnectionError(self, f"cannot connect: {error}") from error
        sys.audit("http.client.connect", self, self.host, self.port)
        return sock

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> None:
        self.call = call = current_call()
        if call is not None:
            call.reused = self.sock is not None and self.served > 0
            call.started = False
            if self.sock is not None:
                call.attach(partial(shut_down, self.sock), "sending the request")
        try:
            super().request(method, url, *args, **kwargs)
        except ssl.SSLEOFError as error:
            # The server has hung up, and may have said why: with TLS 1.3 it refuses a client certificate after the
            # client's handshake is over. After this error urllib3 reads the answer all the same.
            raise BrokenPipeError(errno.EPIPE, "the server closed the connection") from error

    def putrequest(self, method: str, url: str, skip_host: bool = False, skip_accept_encoding: bool = False) -> None:
        del skip_accept_encoding
        # The pool has normalised the URL (upper-cased escapes); the server gets what we were given. And without
        # skip_accept_encoding, http.client would add "identity" of its own.
        if self.call is not None and self.call.target:
            url = self.call.target
        super().putrequest(method, url, skip_host=skip_host, skip_accept_encoding=True)

    def getresponse(self) -> Any:
        if self.call is not None:
            self.call.phase = "waiting for the response"
        response = super().getresponse()
        self.served += 1
        return response


class _PlainConnection(_Connection, HTTPConnection):
    pass


class _TLSConnection(_Connection, HTTPSConnection):
    pass


# --------------------------------------------------------------------------- pools


class _Pool(_PoolBase):
    """Mixed into urllib3's pools."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self.made: weakref.WeakSet[Any] = weakref.WeakSet()
        super().__init__(*args, **options)

    def _new_conn(self) -> Any:
        conn = super()._new_conn()
        self.made.add(conn)
        return conn

    def _validate_conn(self, conn: Any) -> None:
        # Connect early, as urllib3 does for TLS, without its InsecureRequestWarning on each request: the
        # config said insecure-skip-tls-verify in so many words.
        if conn.is_closed:
            conn.connect()

    def _get_conn(self, timeout: float | None = None) -> Any:
        call = current_call()
        if call is not None and call.fresh and self.pool is not None:
            return self._new_conn()
        conn: Any = super()._get_conn(timeout)
        if conn.sock is not None and time.monotonic() - conn.idle_since > IDLE_LIMIT:
            conn.close()  # it connects again when it is used
        return conn

    def _put_conn(self, conn: Any) -> None:
        if conn is not None:
            call, conn.call = conn.call, None
            if call is not None and not call.detach():
                conn.close()
            conn.idle_since = time.monotonic()
        if self.pool is not None and self.pool.full():
            # urllib3 logs a warning here; that is how a burst ends, nothing to warn of.
            if conn is not None:
                conn.close()
            return
        super()._put_conn(conn)

    def urlopen(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        call = current_call()
        if call is not None:
            call.target = url
        return super().urlopen(method, url, *args, **kwargs)


class _PlainPool(_Pool, HTTPConnectionPool):
    ConnectionCls: Any = _PlainConnection


class _TLSPool(_Pool, HTTPSConnectionPool):
    ConnectionCls: Any = _TLSConnection


def drop_idle(pool: HTTPConnectionPool) -> None:
    """Close the connections of ``pool`` that nobody uses: one was stale, so all of them are suspect."""
    waiting = pool.pool
    if waiting is None:
        return
    taken = 0
    try:
        for _ in range(waiting.qsize()):
            conn = waiting.get(block=False)
            taken += 1
            if conn is not None:
                conn.close()
    except queue.Empty:
        pass
    try:
        for _ in range(taken):
            waiting.put(None, block=False)
    except queue.Full:
        pass


def forget_all(pool: Any) -> None:
    """In a forked child: let go of every connection of ``pool``, without a word to the server, and of its locks.

    They are the parent's, which goes on using them: only this process's descriptors are closed.
    """
    for conn in list(pool.made):
        sock, conn.sock = conn.sock, None
        inner = getattr(sock, "socket", sock)  # TLS in TLS has the socket inside
        if isinstance(inner, socket.socket):
            descriptor = inner.detach()  # close() would wait for the responses that read from it
            if descriptor >= 0:
                os.close(descriptor)
    waiting = pool.pool
    if waiting is not None:
        waiting.__init__(waiting.maxsize)
        for _ in range(waiting.maxsize):
            waiting.put(None, block=False)


# --------------------------------------------------------------------------- managers


class DirectManager(PoolManager):
    """Connects to the server itself."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.pool_classes_by_scheme = {"http": _PlainPool, "https": _TLSPool}


class TunnelManager(ProxyManager):
    """Connects through an http or https proxy: CONNECT for https, forwarding for http."""

    def __init__(self, proxy_url: str, **options: Any) -> None:
        super().__init__(proxy_url, **options)
        self.pool_classes_by_scheme = {"http": _PlainPool, "https": _TLSPool}


def socks_manager(proxy_url: str, **options: Any) -> PoolManager:
    """A manager that connects through a SOCKS5 proxy, which also looks up the host name.

    Raises:
        ImportError: PySocks is not installed.
    """
    if importlib.util.find_spec("socks") is None:
        raise ImportError("PySocks is not installed")  # urllib3 would warn as well
    from urllib3.contrib import socks

    class _SOCKSConnection(_Connection, socks.SOCKSConnection):
        def _new_conn(self) -> socket.socket:
            try:
                sock: socket.socket = socks.SOCKSConnection._new_conn(self)  # noqa: SLF001
            except NewConnectionError as error:  # it may have no more to say than that it hung up
                said = str(error.__cause__ or error.__context__ or "it hung up").rstrip(": ")
                raise ProxyError("the SOCKS proxy does not connect", OSError(said)) from None
            set_options(sock)
            call = current_call()
            if call is not None:
                call.attach(partial(shut_down, sock), "connecting")
            return sock

    class _SOCKSTLSConnection(_SOCKSConnection, socks.SOCKSHTTPSConnection):
        pass

    class _SOCKSPool(_Pool, socks.SOCKSHTTPConnectionPool):
        ConnectionCls: Any = _SOCKSConnection

    class _SOCKSTLSPool(_Pool, socks.SOCKSHTTPSConnectionPool):
        ConnectionCls: Any = _SOCKSTLSConnection

    manager = socks.SOCKSProxyManager(proxy_url, **options)
    manager.pool_classes_by_scheme = {"http": _SOCKSPool, "https": _SOCKSTLSPool}
    return manager
