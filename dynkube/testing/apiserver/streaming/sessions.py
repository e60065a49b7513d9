"""What a test's handler gets: one exec or attach, one forwarded connection, one request for a log or to a proxy."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, Protocol, TypeAlias

from dynkube.testing.apiserver.words.messages import Headers

__all__ = [
    "CommandHandler",
    "ContainerSession",
    "LogHandler",
    "LogRequest",
    "Output",
    "PortForwardHandler",
    "PortForwardSession",
    "ProxyHandler",
    "ProxyRequest",
    "ProxyResponse",
]


class Output(Protocol):
    """Where a handler writes."""

    def write(self, data: bytes | str, /) -> int:
        """Send bytes, or text in UTF-8, at once.

        Raises:
            BrokenPipeError: The client has gone.
        """

    def flush(self) -> None:
        """Does nothing: nothing waits."""


class ContainerSession:
    """One exec or one attach, for the thread of its handler.

    Attributes:
        namespace: Of the pod.
        pod: Its name.
        container: The one that is meant, also where the request names none.
        command: The words of an exec; empty of an attach.
        user: Who asks.
        streams: Which of ``stdin``, ``stdout`` and ``stderr`` the client asked for.
        tty: Whether it asked for a terminal.
        stdin: A file to read; at its end from the start where the client sends none.
        stdout: A file to write; nobody hears where it was not asked for.
        stderr: The same; of a terminal, its output.
    """

    def __init__(
        self,
        *,
        namespace: str,
        pod: str,
        container: str,
        command: Sequence[str],
        user: str,
        streams: frozenset[str],
        tty: bool,
        stdin: BinaryIO,
        stdout: Output,
        stderr: Output,
    ) -> None:
        self.namespace = namespace
        self.pod = pod
        self.container = container
        self.command = tuple(command)
        self.user = user
        self.streams = streams
        self.tty = tty
        self.stdin = stdin
        self.stdout = stdout
        self.stderr = stderr
        self._lock = threading.Lock()
        self._size: tuple[int, int] | None = None
        self._resized: list[Callable[[int, int], None]] = []
        self._gone: list[Callable[[], None]] = []
        self._is_open = True

    def __repr__(self) -> str:
        return f"<ContainerSession {self.namespace}/{self.pod}/{self.container} {' '.join(self.command)}>"

    @property
    def size(self) -> tuple[int, int] | None:
        """The terminal's columns and rows; None before the client has told."""
        return self._size

    @property
    def is_open(self) -> bool:
        """Whether the client is there."""
        return self._is_open

    def on_resize(self, callback: Callable[[int, int], None]) -> None:
        """Call a function with columns and rows each time that they change, and now where they are known.

        It is called on the server's thread, and must not block.
        """
        with self._lock:
            self._resized.append(callback)
            size = self._size
        if size is not None:
            callback(*size)

    def on_hang_up(self, callback: Callable[[], None]) -> None:
        """Call a function when the client goes before the handler is done, or now where it has gone.

        It is called on the server's thread, and must not block.
        """
        with self._lock:
            if self._is_open:
                self._gone.append(callback)
                return
        callback()

    def resize(self, columns: int, rows: int) -> None:
        """The client has another size; for the server."""
        with self._lock:
            self._size = columns, rows
            callbacks = tuple(self._resized)
        for each in callbacks:
            each(columns, rows)

    def hang_up(self) -> None:
        """The client has gone; for the server. Idempotent."""
        with self._lock:
            self._is_open = False
            callbacks, self._gone = tuple(self._gone), []
        for each in callbacks:
            each()


@dataclass(frozen=True, slots=True, kw_only=True)
class PortForwardSession:
    """One forwarded connection, for the thread of its handler.

    Attributes:
        namespace: Of the pod.
        pod: Its name.
        port: The pod's port that is meant.
        connection: The client's, as a connected socket; closed when the handler returns.
    """

    namespace: str
    pod: str
    port: int
    connection: socket.socket = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRequest:
    """What a client wants of a container's log.

    Attributes:
        namespace: Of the pod.
        pod: Its name.
        container: The one that is meant, also where the request names none.
        follow: Whether it waits for more.
        previous: Whether it wants what the container said before it was restarted.
        timestamps: Whether each line begins with its time.
        tail_lines: How many of the last lines, counted before all else.
        limit_bytes: Of how many bytes at most.
        since: From what time on, in seconds since the epoch.
    """

    namespace: str
    pod: str
    container: str
    follow: bool = False
    previous: bool = False
    timestamps: bool = False
    tail_lines: int | None = None
    limit_bytes: int | None = None
    since: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyRequest:
    """A request to a pod, service or node through the API server.

    Attributes:
        resource: ``pods``, ``services`` or ``nodes``.
        namespace: "" of a node.
        name: Without scheme and port.
        scheme: ``https`` or ``http`` where the request says so, else "".
        port: A number or a name, "" where the request names none.
        method: GET, POST and so on.
        path: What stands behind ``proxy``, escaped, with its slash; ``/`` at least.
        query: Decoded, in order.
        headers: Without credentials and what belongs to one connection.
        body: All of it.
    """

    resource: str
    namespace: str
    name: str
    scheme: str = ""
    port: str = ""
    method: str = "GET"
    path: str = "/"
    query: Sequence[tuple[str, str]] = ()
    headers: Headers = field(default_factory=Headers, repr=False)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyResponse:
    """What a pod, service or node answers.

    Attributes:
        status: The HTTP status.
        headers: Of the answer.
        body: All of it; text goes in UTF-8.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | str = b""


CommandHandler: TypeAlias = Callable[[ContainerSession], int | None]
"""Of an exec or an attach: gives the exit code, None for 0; what it raises is told as the runtime's failure."""

PortForwardHandler: TypeAlias = Callable[[PortForwardSession], None]
"""Of a forwarded connection: what it raises is told on the error channel."""

LogHandler: TypeAlias = Callable[[LogRequest], "str | bytes | Iterable[str | bytes]"]
"""Of a log: text is a whole log, to which the options are applied; an iterable is the answer, as it comes."""

ProxyHandler: TypeAlias = Callable[[ProxyRequest], "ProxyResponse | str | bytes"]
"""Of a proxied request: text is a page, HTTP 200."""
