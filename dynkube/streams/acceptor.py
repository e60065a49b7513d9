"""Local ports whose connections are served on threads, all of which end together."""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
import threading
from collections.abc import Callable, Sequence

from dynkube.errors import PortForwardError
from dynkube.transport import CancelToken

__all__ = ["Acceptor", "listen", "shut_down"]


def listen(address: str, port: int) -> socket.socket:
    """A listening socket.

    Args:
        address: an IP address of this machine.
        port: 0 for a free one.

    Raises:
        PortForwardError: the port is in use, or not for us.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        listener = socket.create_server((address, port), family=family, backlog=128)
    except OSError as error:
        said = os.strerror(error.errno) if error.errno else str(error)
        fix = "; choose another local port, or 0 for a free one" if error.errno == errno.EADDRINUSE else ""
        raise PortForwardError(f"unable to listen on port {port} of {address}: {said}{fix}", port=port) from error
    listener.setblocking(False)
    return listener


class Acceptor:
    """Accepts connections until its token is cancelled, then ends all of them.

    Args:
        listeners: what to listen on, and what to call the connections that come there.
        serve: serves one connection, on a thread of its own; the socket is closed afterwards. What it raises is lost.
        stop: the token that ends everything.
        name: of the threads.
    """

    def __init__(
        self,
        listeners: Sequence[tuple[socket.socket, int]],
        serve: Callable[[socket.socket, int], None],
        stop: CancelToken,
        name: str,
    ) -> None:
        self.over = threading.Event()
        """Set when all has ended."""
        self._listeners = {listener.fileno(): (listener, tag) for listener, tag in listeners}
        self._serve = serve
        self._stop = stop
        self._name = name
        self._lock = threading.Lock()
        self._serving: dict[threading.Thread, socket.socket] = {}
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._done, self._wake = os.pipe()
        self._stopped = False
        stop.subscribe(self._ring)
        self._thread.start()

    def _ring(self) -> None:
        with self._lock:
            if not self._stopped:
                os.write(self._wake, b"x")

    def _run(self) -> None:
        waiting = select.poll()
        for descriptor in (self._done, *self._listeners):
            waiting.register(descriptor, select.POLLIN)
        while not self._stop.cancelled:
            for descriptor, _ in waiting.poll():
                if descriptor in self._listeners:
                    self._accept(*self._listeners[descriptor])
        self._end()

    def _end(self) -> None:
        for listener, _ in self._listeners.values():
            listener.close()
        with self._lock:
            self._stopped = True
            os.close(self._done)
            os.close(self._wake)
            serving = dict(self._serving)
            for connection in serving.values():
                shut_down(connection)
        for thread in serving:
            thread.join()
        self.over.set()

    def _accept(self, listener: socket.socket, tag: int) -> None:
        try:
            connection, _ = listener.accept()
        except OSError:
            return  # who knocked is gone
        connection.setblocking(True)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        thread = threading.Thread(target=self._serve_one, args=(connection, tag), name=self._name, daemon=True)
        with self._lock:
            self._serving[thread] = connection
        thread.start()

    def _serve_one(self, connection: socket.socket, tag: int) -> None:
        try:
            self._serve(connection, tag)
        finally:
            with self._lock:
                self._serving.pop(threading.current_thread(), None)
                connection.close()

    def wait(self) -> None:
        """Wait until all has ended; a thread that is part of it does not."""
        current = threading.current_thread()
        if current is not self._thread and current not in self._serving:
            self._thread.join()


def shut_down(connection: socket.socket) -> None:
    """Wake whoever reads from a connection, or writes to it."""
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
