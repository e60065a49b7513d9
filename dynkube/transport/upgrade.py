"""A connection that has left HTTP behind: after ``101 Switching Protocols``, bytes both ways."""

from __future__ import annotations

import contextlib
import ssl
import threading
import time
from functools import partial
from types import TracebackType
from typing import Any, Protocol, Self

from urllib3.util.ssltransport import SSLTransport
from urllib3.util.wait import wait_for_socket

from dynkube.errors import ClosedError, TransportError
from dynkube.transport.dial import shut_down
from dynkube.transport.exchange import Exchange
from dynkube.wire.messages import Headers, Request

__all__ = ["Upgraded"]

_SLICE = 1 << 16  # bytes that one send() may take: how long a reader waits for the lock


class _Socket(Protocol):
    def recv(self, limit: int, /) -> bytes: ...
    def send(self, data: memoryview, /) -> int: ...
    def fileno(self) -> int: ...


class Upgraded:
    """The bare connection after a 101. One thread may read while another one writes; any thread may close.

    OpenSSL wants one thread at a time in a connection, and blocking calls hold each other up. So the socket never
    blocks: each recv() and send() takes a lock for as long as it runs, and whoever must wait does so outside of it.

    Attributes:
        status: 101.
        headers: the response's headers.
        request: what was asked.
        note: empty; refusals have one.
    """

    status = 101
    note = ""

    def __init__(self, request: Request, exchange: Exchange) -> None:
        self.request = request
        self.headers: Headers = exchange.headers
        self._exchange = exchange
        self._raw = exchange.answer.raw
        connection = getattr(self._raw, "connection", None)
        sock = getattr(connection, "sock", None)
        if exchange.parsed is None or sock is None:
            exchange.finish()
            raise TransportError("session: an adapter of its own cannot hand over the connection of an upgrade")
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._closed = False
        self._failure: Exception | None = None
        self._unwritable: Exception | None = None
        exchange.call.attach(partial(shut_down, sock), "using the upgraded connection")
        self._sock: _Socket = sock
        if isinstance(sock, SSLTransport):
            self._sock = _NestedTLS(sock)
        else:
            sock.setblocking(False)
        self._held = self._read_ahead(exchange.parsed)

    @staticmethod
    def _read_ahead(parsed: Any) -> bytes:
        """What came together with the response's header, and waits in the buffer it was read from."""
        try:
            return bytes(parsed.fp.peek())
        except (BlockingIOError, ssl.SSLWantReadError):
            return b""

    @property
    def closed(self) -> bool:
        """Whether `close` has been called."""
        return self._closed

    def read(self, limit: int = 1 << 16, *, timeout: float | None = None) -> bytes | None:
        """The next bytes, as soon as there are any.

        Args:
            limit: bytes at most.
            timeout: seconds to wait; None waits for ever.

        Returns:
            At least one byte; ``b""`` when the peer has ended its side; None when the timeout ran out.

        Raises:
            ConnectionLostError: the connection broke.
            DeadlineExceededError: the call's deadline passed.
            CancelledError: the call was cancelled.
            ClosedError: this connection, or its client, was closed.
        """
        if self._held:
            data, self._held = self._held[:limit], self._held[limit:]
            return data
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            read = True
            try:
                with self._lock:
                    self._check()
                    if self._failure is not None:
                        raise self._failure
                    data = self._sock.recv(limit)
            except (BlockingIOError, ssl.SSLWantReadError):
                pass
            except ssl.SSLWantWriteError:
                read = False
            except OSError as error:
                raise self._unreadable(error) from error
            else:
                if not data and self._exchange.call.cut:
                    raise self._unreadable(ConnectionResetError("interrupted"))
                return data
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            if not self._wait(left, read=read) and deadline is not None:
                return None

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send all of ``data``, however long the peer takes to read it. Several writes never mix.

        Raises:
            TransportError: as `read`.
        """
        with self._writing:
            view = memoryview(data)
            while view:
                view = view[self._send(view[:_SLICE]) :]

    def try_write(self, data: bytes) -> bool:
        """Send a few bytes if that is possible at once; False where another thread writes or the peer is behind.

        Raises:
            TransportError: as `read`.
        """
        if not self._writing.acquire(blocking=False):
            return False
        try:
            if not self._wait(0, read=False):
                return False
            view = memoryview(data)
            while view:
                view = view[self._send(view) :]
        finally:
            self._writing.release()
        return True

    def _send(self, piece: memoryview) -> int:
        while True:
            read = False
            try:
                with self._lock:
                    self._check()
                    if self._unwritable is not None:
                        raise self._unwritable
                    return self._sock.send(piece)
            except (BlockingIOError, ssl.SSLWantWriteError):
                pass
            except ssl.SSLWantReadError:
                read = True
            except OSError as error:
                # OpenSSL must not be asked to send anything else after this: it would stop to read, too.
                self._unwritable = self._failed(error)
                raise self._unwritable from error
            self._wait(None, read=read)

    def _wait(self, timeout: float | None, *, read: bool) -> bool:
        try:
            # A shutdown from another thread, which is how a call is interrupted, ends both kinds of waiting.
            return bool(wait_for_socket(self._sock, read=read, write=not read, timeout=timeout))  # type: ignore[arg-type]
        except (OSError, ValueError) as error:  # closed meanwhile
            raise self._failed(error) from error

    def _check(self) -> None:
        if self._closed:
            raise ClosedError("the stream has been closed")

    def _unreadable(self, error: Exception) -> Exception:
        # Only what a reader meets: a peer that takes no more may have said why, and that waits to be read.
        self._failure = self._failed(error)
        return self._failure

    def _failed(self, error: Exception) -> Exception:
        if self._closed:
            return ClosedError("the stream has been closed")
        return self._exchange.explain(error) or error

    def close(self) -> None:
        """Close it, from any thread and any number of times; threads that read or write get `ClosedError`."""
        if self._closed:
            return
        self._closed = True
        self._exchange.call.interrupt()
        with self._lock:
            self._exchange.finish()
            with contextlib.suppress(OSError):
                self._raw.close()
            connection = getattr(self._raw, "connection", None)
            if connection is not None:
                connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Upgraded {self.request.path} {'closed' if self._closed else 'open'}>"


class _NestedTLS:
    """TLS inside the TLS of an https proxy, without blocking (urllib3's `SSLTransport` knows blocking calls only)."""

    def __init__(self, transport: SSLTransport) -> None:
        self._outer: Any = transport.socket
        self._outer.setblocking(False)
        self._tls = transport.sslobj
        self._incoming = transport.incoming
        self._outgoing = transport.outgoing
        self._unsent = b""

    def fileno(self) -> int:
        return int(self._outer.fileno())

    def recv(self, limit: int) -> bytes:
        while True:
            with contextlib.suppress(BlockingIOError, ssl.SSLWantWriteError):
                self._flush()
            try:
                return self._tls.read(limit)
            except ssl.SSLWantReadError:
                data = self._outer.recv(_SLICE)
                if data:
                    self._incoming.write(data)
                else:
                    self._incoming.write_eof()
            except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
                return b""

    def send(self, data: memoryview) -> int:
        self._flush()
        sent = self._tls.write(data)
        with contextlib.suppress(BlockingIOError, ssl.SSLWantWriteError):
            self._flush()
        return sent

    def _flush(self) -> None:
        self._unsent += self._outgoing.read()
        while self._unsent:
            self._unsent = self._unsent[self._outer.send(self._unsent) :]
