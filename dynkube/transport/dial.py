"""Sockets: connecting with limits, keeping alive, and being interrupted from another thread.

`Call` stands for one HTTP exchange. While it runs, it is the current call of its thread, so that the
connection classes that urllib3 creates find it; whatever blocks says first how it can be woken.
"""

from __future__ import annotations

import contextlib
import errno
import http.client
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from urllib3.util.wait import wait_for_write

__all__ = ["Call", "SocketAddress", "current_call", "dial", "making", "set_options", "shut_down", "wrap_tls"]

HANDSHAKE_TIMEOUT = 10.0
"""Seconds for a TLS handshake (Go's default transport)."""

KEEPALIVE_IDLE = 30
"""Seconds of silence before the first probe (client-go dials with KeepAlive: 30s)."""
KEEPALIVE_INTERVAL = 15
KEEPALIVE_PROBES = 3
"""A peer that vanished without a word is noticed after 30 + 3 * 15 s (client-go: HTTP/2 pings, 30 + 15 s)."""

_UNDER_WAY = (errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EINTR)
_PAUSE = 0.5

SocketAddress = tuple[int, int, int, str, Any]


class Call:
    """One HTTP exchange, as its connection and the threads that may interrupt it see it."""

    __slots__ = (
        "__weakref__",
        "_lock",
        "_wake",
        "adapter",
        "cut",
        "fresh",
        "interrupted",
        "phase",
        "response",
        "reused",
        "started",
        "streaming",
        "target",
    )

    def __init__(self, *, streaming: bool = False) -> None:
        self._lock = threading.Lock()
        self._wake: Callable[[], object] | None = None
        self.interrupted = False
        """`interrupt` has been called."""
        self.cut = False
        """It has taken effect: what was read after that is not to be trusted."""
        self.phase = "preparing"
        """What the call is doing, for error messages."""
        self.target = ""
        """The request target exactly as it goes on the wire."""
        self.reused = False
        """The request went out on a connection that had served another one before."""
        self.started = False
        """A byte of the response has arrived."""
        self.response: http.client.HTTPResponse | None = None
        self.streaming = streaming
        """Its response is read as it comes, perhaps for hours."""
        self.fresh = False
        """It wants a connection that nobody has used before, and keeps it."""
        self.adapter: object = None
        """Whose connection it uses: an adapter that shows another client certificate may have taken its place."""

    def attach(self, wake: Callable[[], object], phase: str) -> None:
        """From now on, ``wake`` interrupts this call; it runs at once if the call has been interrupted."""
        with self._lock:
            self.phase = phase
            self._wake = wake
            if self.interrupted:
                self._cut(wake)

    def detach(self) -> bool:
        """The connection is about to serve someone else: nothing may touch it any more.

        Returns:
            False if the connection has been cut, so that nobody can use it again.
        """
        with self._lock:
            self._wake = None
            return not self.cut

    def interrupt(self) -> None:
        """Wake whoever blocks in this call, or is about to."""
        with self._lock:
            self.interrupted = True
            if self._wake is not None:
                self._cut(self._wake)

    def _cut(self, wake: Callable[[], object]) -> None:
        self.cut = True
        wake()


class _Local(threading.local):
    call: Call | None = None


_LOCAL = _Local()


def current_call() -> Call | None:
    """The call that this thread is making."""
    return _LOCAL.call


@contextmanager
def making(call: Call) -> Iterator[None]:
    """Make ``call`` this thread's current call while the block runs."""
    before, _LOCAL.call = _LOCAL.call, call
    try:
        yield
    finally:
        _LOCAL.call = before


def shut_down(sock: object) -> None:
    """Wake every thread that blocks on ``sock``: they see the end of the stream.

    Closing it would not wake them, and closes a number that may be someone else's socket by then.
    """
    # TLS in TLS has the socket inside.
    inner = getattr(sock, "socket", sock)
    if isinstance(inner, socket.socket):
        with contextlib.suppress(OSError):
            # Not SSLSocket.shutdown: it drops the TLS layer under the feet of the thread that reads.
            socket.socket.shutdown(inner, socket.SHUT_RDWR)


def wrap_tls(sock: ssl.SSLSocket) -> ssl.SSLSocket:
    """Do the handshake of ``sock`` as part of the current call."""
    call = current_call()
    timeout = sock.gettimeout()
    try:
        if call is not None:
            call.attach(partial(shut_down, sock), "TLS handshake")
        sock.settimeout(HANDSHAKE_TIMEOUT if timeout is None else min(timeout, HANDSHAKE_TIMEOUT))
        sock.do_handshake()
        sock.settimeout(timeout)
    except BaseException:
        sock.close()
        raise
    return sock


def dial(
    host: str, port: int, *, timeout: float | None, source_address: tuple[str, int] | None = None
) -> socket.socket:
    """Connect to ``host``, trying its addresses in turn.

    Args:
        host: A name or an address, IPv6 without brackets.
        port: The TCP port.
        timeout: Seconds for everything, name lookup included; shared out among the addresses, so that one
            that swallows packets leaves time for the next (as Go's Dialer does). None sets no limit.
        source_address: Where to connect from.

    Raises:
        OSError: `socket.gaierror` for the name, `TimeoutError`, or what the last address answered.
    """
    call = current_call()
    deadline = None if timeout is None else time.monotonic() + timeout
    addresses = _resolve(host, port, timeout, call)
    problem: OSError = OSError(f"{host} has no address")
    for index, (family, kind, protocol, _, address) in enumerate(addresses):
        if call is not None and call.interrupted:
            break
        sock = socket.socket(family, kind, protocol)
        try:
            set_options(sock)
            if source_address:
                sock.bind(source_address)
            _connect(sock, address, _share(deadline, len(addresses) - index), call)
        except OSError as error:
            problem = error
            sock.close()
        else:
            sock.settimeout(timeout)
            return sock
    raise problem


def _connect(sock: socket.socket, address: Any, timeout: float | None, call: Call | None) -> None:
    """As ``sock.connect``, but one can stop waiting.

    A socket that is shut down before connect() begins would connect all the same, so the order is: begin, say
    how to be woken, wait. Where a shutdown does not wake a socket that is connecting, the pauses do.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    sock.setblocking(False)
    problem = sock.connect_ex(address)
    if call is not None:
        call.attach(partial(shut_down, sock), "connecting")
    if problem in _UNDER_WAY:
        while not wait_for_write(
            sock, _PAUSE if deadline is None else min(_PAUSE, max(0.0, deadline - time.monotonic()))
        ):
            if deadline is not None and time.monotonic() >= deadline:
                raise TimeoutError("timed out")
            if call is not None and call.interrupted:
                break
        problem = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if call is not None and call.interrupted:
        problem = errno.ECONNABORTED
    if problem:
        raise OSError(problem, os.strerror(problem))


def _share(deadline: float | None, addresses: int) -> float | None:
    if deadline is None:
        return None
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("timed out")
    return left if addresses == 1 else max(left / addresses, min(2.0, left))  # Go's floor is 2 s too


def set_options(sock: socket.socket) -> None:
    """Send at once, and notice a peer that is gone."""
    options = [
        (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
        (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
        # macOS calls the idle time TCP_KEEPALIVE.
        (socket.IPPROTO_TCP, getattr(socket, "TCP_KEEPIDLE", getattr(socket, "TCP_KEEPALIVE", None)), KEEPALIVE_IDLE),
        (socket.IPPROTO_TCP, getattr(socket, "TCP_KEEPINTVL", None), KEEPALIVE_INTERVAL),
        (socket.IPPROTO_TCP, getattr(socket, "TCP_KEEPCNT", None), KEEPALIVE_PROBES),
    ]
    for level, option, value in options:
        if option is not None:
            with contextlib.suppress(OSError):  # a system without it loses the keepalive, not the connection
                sock.setsockopt(level, option, value)


# --------------------------------------------------------------------------- names


def _resolve(host: str, port: int, timeout: float | None, call: Call | None) -> list[SocketAddress]:
    try:
        return _look_up(host, port, socket.AI_NUMERICHOST)
    except socket.gaierror:
        pass  # not an address, so a name
    return _Lookup(host, port).wait(timeout, call)


def _look_up(host: str, port: int, flags: int = 0) -> list[SocketAddress]:
    try:
        return [*socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM, 0, flags)]
    except UnicodeError:  # a label that is empty or too long for IDNA
        raise socket.gaierror(socket.EAI_NONAME, "not a host name") from None


class _Lookup:
    """A name lookup on a thread of its own: nothing can interrupt getaddrinfo, but one can stop waiting."""

    def __init__(self, host: str, port: int, look_up: Callable[[str, int], list[SocketAddress]] | None = None) -> None:
        self._look_up = look_up or _look_up
        self._over = threading.Event()
        self._addresses: list[SocketAddress] = []
        self._problem: OSError | None = None
        self._done = False
        threading.Thread(target=self._run, args=(host, port), name="dynkube-lookup", daemon=True).start()

    def _run(self, host: str, port: int) -> None:
        try:
            self._addresses = self._look_up(host, port)
        except OSError as error:
            self._problem = error
        self._done = True
        self._over.set()

    def wait(self, timeout: float | None, call: Call | None) -> list[SocketAddress]:
        if call is not None:
            call.attach(self._over.set, "looking up the host name")
        self._over.wait(timeout)
        if self._problem is not None:
            raise self._problem
        if not self._done:
            raise TimeoutError("timed out")
        return self._addresses
