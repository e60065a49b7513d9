"""A server that answers what no API server does, byte for byte, and keeps what it was sent.

::

    with ScriptedServer(tls=True) as server:
        server.reply_json({"kind": "Status"}, status=404)
        server.reply(b"HTTP/1.1 200 OK\\r\\nContent-Length: 100\\r\\n\\r\\n{", CLOSE)
        server.stream(b'{"type":', gate, b'"ADDED"}', HOLD)
        ...
        assert server.requests[0].target == "/api"

Each request takes the next answer; then `on`'s function is asked. A request for which there
is neither gets a 500, and fails the test when the server closes.
"""

from __future__ import annotations

import contextlib
import enum
import json
import socket
import ssl
import struct
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import certs

PATIENCE = 10.0


class Signal(enum.Enum):
    """A step of an answer that is no bytes."""

    CLOSE = enum.auto()
    """FIN, without a close_notify."""
    RESET = enum.auto()
    """RST."""
    HALF_CLOSE = enum.auto()
    """FIN, and take what comes until the client closes."""
    HOLD = enum.auto()
    """Say nothing more until the client closes."""


CLOSE, RESET, HALF_CLOSE, HOLD = Signal.CLOSE, Signal.RESET, Signal.HALF_CLOSE, Signal.HOLD

Step = bytes | threading.Event | Signal
Answer = bytes | Iterable[Step]


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it was on the wire."""

    connection: int
    """The number of its connection, from 1 on."""
    line: bytes
    header_lines: tuple[bytes, ...]
    """In order, repeated ones included, without line ends."""
    body: bytes
    """The payload: chunk sizes are taken out."""
    raw: bytes
    """All of it."""
    peer: str = ""
    """The subject of the client's certificate, "O=...,CN=...", or ""."""
    server_name: str = ""
    """The SNI that the client sent."""

    @property
    def method(self) -> str:
        return self.line.split(b" ")[0].decode("latin-1")

    @property
    def target(self) -> str:
        return self.line.split(b" ")[1].decode("latin-1")

    @property
    def headers(self) -> list[tuple[str, str]]:
        """Names as they were sent."""
        fields = (line.decode("latin-1").partition(":") for line in self.header_lines)
        return [(name, value.strip()) for name, _, value in fields]

    def header(self, name: str) -> list[str]:
        """The values of every line of this name, any case."""
        return [value for each, value in self.headers if each.lower() == name.lower()]


@dataclass(slots=True)
class _State:
    requests: list[Request] = field(default_factory=list)
    unscripted: list[Request] = field(default_factory=list)
    handshake_errors: list[str] = field(default_factory=list)
    failures: list[BaseException] = field(default_factory=list)
    connections: int = 0
    ended: int = 0


class ScriptedServer:
    """See the module. ``tls`` may be an identity of `certs`; with ``client_ca`` it asks for a client certificate."""

    def __init__(self, *, tls: bool | certs.ServerIdentity = False, client_ca: bytes | None = None) -> None:
        self._identity = certs.good() if tls is True else tls or None
        self._client_ca = client_ca
        self._answers: deque[tuple[Step, ...]] = deque()
        self._handler: Callable[[Request], Answer | None] | None = None
        self._state = _State()
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._threads: list[threading.Thread] = []
        self._sockets: set[socket.socket] = set()
        self._listener: socket.socket | None = None
        self._context: ssl.SSLContext | None = None
        self._server_names: dict[int, str] = {}
        self.port = 0

    # ------------------------------------------------------------------ answers

    def reply(self, *steps: Step) -> None:
        """The next answer: bytes as they are, events to wait for, signals."""
        self._answers.append(steps)

    def reply_json(
        self,
        obj: Any,
        status: int = 200,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        then: Sequence[Step] = (),
    ) -> None:
        """The next answer is this JSON; ``then=[CLOSE]`` makes the kept-alive connection a stale one."""
        self.reply(json_response(obj, status, headers), *then)

    def reply_text(self, text: str, status: int = 200, content_type: str = "text/html") -> None:
        """The next answer is this text."""
        self.reply(response(text.encode(), status, [("Content-Type", content_type)]))

    def stream(
        self,
        *steps: Step,
        status: int = 200,
        headers: Iterable[tuple[str, str]] = (("Content-Type", "application/json"),),
    ) -> None:
        """The next answer is chunked, each bytes step one chunk; ended by the last chunk unless by a signal."""
        head = response_head(status, [*headers, ("Transfer-Encoding", "chunked")])
        chunks: list[Step] = [chunk(step) if isinstance(step, bytes) else step for step in steps]
        if not steps or not isinstance(steps[-1], Signal):
            chunks.append(b"0\r\n\r\n")
        self.reply(head, *chunks)

    def on(self, handler: Callable[[Request], Answer | None]) -> None:
        """Ask this for an answer when the scripted ones are used up; it may return None for "unscripted"."""
        self._handler = handler

    # ------------------------------------------------------------------ what it saw

    @property
    def requests(self) -> list[Request]:
        with self._changed:
            return list(self._state.requests)

    @property
    def connection_count(self) -> int:
        with self._changed:
            return self._state.connections

    @property
    def handshake_errors(self) -> list[str]:
        with self._changed:
            return list(self._state.handshake_errors)

    @property
    def url(self) -> str:
        return f"{'https' if self._identity else 'http'}://127.0.0.1:{self.port}"

    @property
    def ca_data(self) -> bytes | None:
        return self._identity.ca_data if self._identity else None

    def wait_for_requests(self, count: int, timeout: float = PATIENCE) -> None:
        self._wait(lambda: len(self._state.requests) >= count, timeout, f"{count} requests")

    def wait_for_connections(self, count: int, timeout: float = PATIENCE) -> None:
        self._wait(lambda: self._state.connections >= count, timeout, f"{count} connections")

    def wait_for_ends(self, count: int, timeout: float = PATIENCE) -> None:
        """Wait until ``count`` connections have ended (with HOLD: until the client has closed)."""
        self._wait(lambda: self._state.ended >= count, timeout, f"{count} ended connections")

    def _wait(self, condition: Callable[[], bool], timeout: float, what: str) -> None:
        with self._changed:
            if not self._changed.wait_for(condition, timeout):
                raise TimeoutError(f"waited {timeout} s for {what}; saw {self._state}")

    # ------------------------------------------------------------------ life

    def __enter__(self) -> Self:
        if self._identity is not None:
            self._context = self._make_context(self._identity)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._listener.getsockname()[1]
        self._spawn(self._accept_loop)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
        if error is None:
            if self._state.failures:
                raise self._state.failures[0]
            assert not self._state.unscripted, f"no answer was scripted for {self._state.unscripted}"

    def close(self) -> None:
        """Close all connections and end all threads; idempotent."""
        if self._listener is None:
            return
        self._closing.set()
        with contextlib.suppress(OSError):  # a last connection wakes the accepting thread
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        with self._changed:
            open_sockets = list(self._sockets)
        for sock in open_sockets:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(PATIENCE)
            assert not thread.is_alive(), "a thread of the scripted server does not end"
        self._listener.close()
        self._listener = None

    def _spawn(self, target: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(target=target, args=args, name=f"scripted-{self.port}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _make_context(self, identity: certs.ServerIdentity) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "pair.pem"
            path.write_bytes(identity.pair.key + identity.pair.certificate)
            context.load_cert_chain(path)
        if self._client_ca is not None:
            context.load_verify_locations(cadata=self._client_ca.decode())
            context.verify_mode = ssl.CERT_OPTIONAL

        def remember(sock: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> None:
            self._server_names[threading.get_ident()] = name or ""

        context.sni_callback = remember
        return context

    # ------------------------------------------------------------------ connections

    def _accept_loop(self) -> None:
        assert self._listener is not None
        while True:
            sock, _ = self._listener.accept()
            if self._closing.is_set():
                sock.close()
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._changed:
                self._state.connections += 1
                number = self._state.connections
                self._sockets.add(sock)
                self._changed.notify_all()
            self._spawn(self._connection, sock, number)

    def _connection(self, raw: socket.socket, number: int) -> None:
        sock = raw
        try:
            peer = ""
            if self._context is not None:
                sock = self._context.wrap_socket(raw, server_side=True)
                with self._changed:
                    self._sockets.add(sock)
                    self._sockets.discard(raw)
                peer = _subject(sock)  # type: ignore[arg-type]
            self._converse(sock, number, peer)
        except ssl.SSLError as error:
            with self._changed:
                self._state.handshake_errors.append(str(error))
        except OSError:
            pass  # the client has gone
        except BaseException as error:
            with self._changed:
                self._state.failures.append(error)
        finally:
            with self._changed:
                self._sockets -= {sock, raw}
                self._state.ended += 1
                self._changed.notify_all()
            sock.close()
            raw.close()

    def _converse(self, sock: socket.socket, number: int, peer: str) -> None:
        reader = _Reader(sock)
        while (request := reader.request(number, peer, self._server_names.get(threading.get_ident(), ""))) is not None:
            with self._changed:
                self._state.requests.append(request)
                answer = self._answers.popleft() if self._answers else None
                self._changed.notify_all()
            for step in self._steps(request, answer):
                if not self._perform(sock, step):
                    return

    def _steps(self, request: Request, answer: tuple[Step, ...] | None) -> Iterable[Step]:
        if answer is not None:
            return answer
        made = self._handler(request) if self._handler is not None else None
        if made is None:
            with self._changed:
                self._state.unscripted.append(request)
            return (response(b"no answer was scripted", 500, [("Content-Type", "text/plain")]),)
        return (made,) if isinstance(made, bytes) else made

    def _perform(self, sock: socket.socket, step: Step) -> bool:
        """Whether the connection goes on."""
        if isinstance(step, bytes):
            sock.sendall(step)
            return True
        if isinstance(step, threading.Event):
            while not step.wait(0.05):
                if self._closing.is_set():
                    return False
            return True
        if step is CLOSE:
            _bare_fin(sock)
        elif step is RESET:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            if step is HALF_CLOSE:
                _bare_fin(sock)
            while sock.recv(65536):
                pass
        return False


def _bare_fin(sock: socket.socket) -> None:
    # SSLSocket.shutdown forgets its TLS state: FIN by another descriptor of the same connection.
    with socket.socket(fileno=socket.dup(sock.fileno())) as twin:
        twin.shutdown(socket.SHUT_WR)


def _subject(sock: ssl.SSLSocket) -> str:
    certificate = sock.getpeercert() or {}
    names = {"organizationName": "O", "commonName": "CN"}
    pairs = (pair for part in certificate.get("subject", ()) for pair in part)
    return ",".join(f"{names.get(name, name)}={value}" for name, value in pairs)


class _Reader:
    """Requests off a socket."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._buffer = b""
        self._raw = b""

    def request(self, connection: int, peer: str, server_name: str) -> Request | None:
        self._raw = b""
        head = self._until(b"\r\n\r\n")
        if head is None:
            return None
        line, *fields = head[:-4].split(b"\r\n")
        lowered = [each.lower() for each in fields]
        length = next((int(each.partition(b":")[2]) for each in lowered if each.startswith(b"content-length:")), 0)
        chunked = any(each.startswith(b"transfer-encoding:") and b"chunked" in each for each in lowered)
        body = self._chunks() if chunked else self._exactly(length)
        if body is None:
            return None
        return Request(connection, line, tuple(fields), body, self._raw, peer, server_name)

    def _chunks(self) -> bytes | None:
        body = b""
        while True:
            line = self._until(b"\r\n")
            if line is None:
                return None
            size = int(line.partition(b";")[0], 16)
            data = self._exactly(size + 2)
            if data is None:
                return None
            if size == 0:
                return body
            body += data[:-2]

    def _until(self, mark: bytes) -> bytes | None:
        while mark not in self._buffer:
            if not self._more():
                return None
        return self._take(self._buffer.index(mark) + len(mark))

    def _exactly(self, size: int) -> bytes | None:
        while len(self._buffer) < size:
            if not self._more():
                return None
        return self._take(size)

    def _more(self) -> bool:
        data = self._sock.recv(65536)
        self._buffer += data
        return bool(data)

    def _take(self, size: int) -> bytes:
        taken, self._buffer = self._buffer[:size], self._buffer[size:]
        self._raw += taken
        return taken


# ---------------------------------------------------------------------- bytes of answers


def response_head(status: int, headers: Mapping[str, str] | Iterable[tuple[str, str]]) -> bytes:
    """A status line and a header with its blank line."""
    fields: Sequence[tuple[str, str]] = list(headers.items() if isinstance(headers, Mapping) else headers)
    phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else "Odd"
    lines = [f"HTTP/1.1 {status} {phrase}", *(f"{name}: {value}" for name, value in fields)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def response(body: bytes, status: int = 200, headers: Mapping[str, str] | Iterable[tuple[str, str]] = ()) -> bytes:
    """A whole response with its length."""
    fields = list(headers.items() if isinstance(headers, Mapping) else headers)
    return response_head(status, [*fields, ("Content-Length", str(len(body)))]) + body


def json_response(obj: Any, status: int = 200, headers: Mapping[str, str] | Iterable[tuple[str, str]] = ()) -> bytes:
    """A whole response of JSON."""
    fields = list(headers.items() if isinstance(headers, Mapping) else headers)
    return response(json.dumps(obj).encode(), status, [("Content-Type", "application/json"), *fields])


def chunk(data: bytes) -> bytes:
    """One chunk of a chunked body."""
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"
