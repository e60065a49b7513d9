"""Which handler answers for which pod: what a test says stands behind the server."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Generic, TypeAlias, TypeVar

from dynkube.errors import InvalidRequestError
from dynkube.testing.apiserver.streaming.containerlogs import ContainerLog
from dynkube.testing.apiserver.streaming.processes import LocalProcess
from dynkube.testing.apiserver.streaming.sessions import (
    CommandHandler,
    ContainerSession,
    LogHandler,
    PortForwardHandler,
    ProxyHandler,
)

__all__ = ["Behind", "Pods", "Proxies", "Withdraw"]

_H = TypeVar("_H")
Withdraw: TypeAlias = Callable[[], None]
"""Takes a handler back. Idempotent."""

_LAST_PORT = 65_535
_PROXIED = ("nodes", "pods", "services")


class _Handlers(Generic[_H]):
    """Handlers with what they are for; of several that fit, the one that was given last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._all: tuple[tuple[Mapping[str, str], _H], ...] = ()

    def add(self, handler: _H, **wanted: str) -> Withdraw:
        entry = ({name: value for name, value in wanted.items() if value}, handler)
        with self._lock:
            self._all = (entry, *self._all)

        def withdraw() -> None:
            with self._lock:
                self._all = tuple(each for each in self._all if each is not entry)

        return withdraw

    def is_there(self, **about: str) -> bool:
        """Whether something fits, whatever the rest of what is asked is."""
        return any(all(about.get(name, value) == value for name, value in wanted.items()) for wanted, _ in self._all)

    def find(self, **about: str) -> _H | None:
        fits = (handler for wanted, handler in self._all if all(about[name] == value for name, value in wanted.items()))
        return next(fits, None)


class Pods:
    r"""What stands behind the pods: `APIServer.pods`.

    A handler answers for the pods that it fits, whether they have a node or not; a pod without one is
    answered as kube-apiserver answers that finds no kubelet. Of several handlers that fit, the one that was
    given last answers. Each session has a thread of its own, and ends with its pod. All methods may be called
    from any thread.

    ::

        server.pods.on_exec("Linux\n", pod="api")
        server.pods.on_exec(LocalProcess())                  # commands really run, on this machine

        def shell(session):
            for line in session.stdin:
                session.stdout.write(line.upper())
            return 3                                         # the exit code

        server.pods.on_exec(shell, namespace="shop")
        server.pods.on_port_forward(8080)                    # a server of the test's own on the loopback
        log = server.pods.log("shop", "api")
        log.write("ready\n")
    """

    def __init__(self) -> None:
        self._execs: _Handlers[CommandHandler] = _Handlers()
        self._attaches: _Handlers[CommandHandler] = _Handlers()
        self._forwards: _Handlers[PortForwardHandler | int] = _Handlers()
        self._log_handlers: _Handlers[LogHandler] = _Handlers()
        self._logs: dict[tuple[str, str, str], ContainerLog] = {}
        self._lock = threading.Lock()
        self._lifetimes: dict[tuple[str, str], set[asyncio.Future[None]]] = {}

    # ------------------------------------------------------------------ what a test says

    def on_exec(
        self, handler: CommandHandler | str | bytes, *, namespace: str = "", pod: str = "", container: str = ""
    ) -> Withdraw:
        """Answer exec.

        Args:
            handler: A function of a `ContainerSession` that returns the exit code (None: 0) and may raise, which is
                told as a failure of the container's runtime; a text, which every command says; or a `LocalProcess`.
            namespace: Of pods in this namespace; "" for all.
            pod: Of the pod of this name.
            container: Of the container of this name.

        Returns:
            What takes the handler back.
        """
        return self._execs.add(_as_command(handler), namespace=namespace, pod=pod, container=container)

    def on_attach(
        self, handler: CommandHandler | str | bytes, *, namespace: str = "", pod: str = "", container: str = ""
    ) -> Withdraw:
        """Answer attach; see `on_exec`. There is no exit code: what is returned does not count."""
        return self._attaches.add(_as_command(handler), namespace=namespace, pod=pod, container=container)

    def on_log(
        self,
        handler: LogHandler | LocalProcess | str | bytes,
        *,
        namespace: str = "",
        pod: str = "",
        container: str = "",
    ) -> Withdraw:
        """Answer for logs that `log` does not hold; see `on_exec`.

        Args:
            handler: A text, to which the request's options are applied; a function of a `LogRequest` that gives one,
                or an iterable of pieces that are sent as they come and as they are, or raises, which is told as a
                failure of the kubelet; or a `LocalProcess` with a command, which is run anew for each request.
            namespace: Of pods in this namespace; "" for all.
            pod: Of the pod of this name.
            container: Of the container of this name.

        Returns:
            What takes the handler back.
        """
        found = _as_log(handler)
        return self._log_handlers.add(found, namespace=namespace, pod=pod, container=container)

    def on_port_forward(
        self, handler: PortForwardHandler | int | str | bytes, *, namespace: str = "", pod: str = "", port: int = 0
    ) -> Withdraw:
        """Answer port-forward; see `on_exec`.

        Args:
            handler: A port of this machine's loopback to connect to; a function of a `PortForwardSession`; or a text
                that is said to whoever connects.
            namespace: Of pods in this namespace; "" for all.
            pod: Of the pod of this name.
            port: Of this port of the pod; 0 for all.

        Returns:
            What takes the handler back.

        Raises:
            InvalidRequestError: A port is none.
        """
        if isinstance(handler, int) and not 0 < handler <= _LAST_PORT:
            raise InvalidRequestError(f"on_port_forward: {handler} is no port: give a number from 1 to {_LAST_PORT}")
        found = _as_forward(handler) if isinstance(handler, (str, bytes)) else handler
        return self._forwards.add(found, namespace=namespace, pod=pod, port=str(port) if port else "")

    def log(self, namespace: str, pod: str, container: str = "") -> ContainerLog:
        """The log of a container, empty at first; the same one each time. It ends with the pod.

        Args:
            namespace: Of the pod.
            pod: Its name.
            container: Its name; "" for all that have no log of their own.
        """
        with self._lock:
            return self._logs.setdefault((namespace, pod, container), ContainerLog())

    # ------------------------------------------------------------------ what the server asks

    def command_handler(self, subresource: str, namespace: str, pod: str, container: str) -> CommandHandler | None:
        """Of ``exec`` or ``attach``; for the server."""
        handlers = self._execs if subresource == "exec" else self._attaches
        return handlers.find(namespace=namespace, pod=pod, container=container)

    def forwards(self, namespace: str, pod: str) -> bool:
        """Whether any port of a pod is forwarded; for the server."""
        return self._forwards.is_there(namespace=namespace, pod=pod)

    def forward_handler(self, namespace: str, pod: str, port: int) -> PortForwardHandler | int | None:
        """Of a forwarded port; for the server."""
        return self._forwards.find(namespace=namespace, pod=pod, port=str(port))

    def log_source(self, namespace: str, pod: str, container: str) -> ContainerLog | LogHandler | None:
        """Of a log; for the server."""
        with self._lock:
            found = self._logs.get((namespace, pod, container)) or self._logs.get((namespace, pod, ""))
        return found or self._log_handlers.find(namespace=namespace, pod=pod, container=container)

    @contextmanager
    def lifetime(self, namespace: str, pod: str) -> Iterator[asyncio.Future[None]]:
        """A future that is done when the pod goes; for the server's loop."""
        gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting = self._lifetimes.setdefault((namespace, pod), set())
        waiting.add(gone)
        try:
            yield gone
        finally:
            waiting.discard(gone)
            gone.cancel()

    def forget(self, namespace: str, pod: str) -> None:
        """The pod has gone, its logs with it, and what was going on in it; for the server's loop."""
        with self._lock:
            gone = [key for key in self._logs if key[:2] == (namespace, pod)]
            logs = [self._logs.pop(key) for key in gone]
        for each in logs:
            each.end()
        for lifetime in self._lifetimes.pop((namespace, pod), ()):
            lifetime.set_result(None)

    def clear(self) -> None:
        """All pods have gone; for the server."""
        with self._lock:
            logs, self._logs = tuple(self._logs.values()), {}
        for each in logs:
            each.end()


class Proxies:
    """What stands behind the proxies of pods, services and nodes: see `APIServer.on_proxy`."""

    def __init__(self) -> None:
        self._handlers: _Handlers[ProxyHandler] = _Handlers()

    def add(self, handler: ProxyHandler | str | bytes, resource: str, namespace: str, name: str) -> Withdraw:
        """Answer for what fits.

        Raises:
            InvalidRequestError: There is no proxy to such a resource.
        """
        if resource and resource not in _PROXIED:
            raise InvalidRequestError(f"on_proxy: resource={resource!r} is none of {', '.join(_PROXIED)}")
        text = handler if isinstance(handler, (str, bytes)) else None
        found: ProxyHandler = handler if callable(handler) else lambda _: text or b""
        return self._handlers.add(found, resource=resource, namespace=namespace, name=name)

    def find(self, resource: str, namespace: str, name: str) -> ProxyHandler | None:
        """Who answers; None where nobody does."""
        return self._handlers.find(resource=resource, namespace=namespace, name=name)


@dataclass(frozen=True, slots=True)
class Behind:
    """All that stands behind one server."""

    pods: Pods = field(default_factory=Pods)
    proxies: Proxies = field(default_factory=Proxies)


def _bytes(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


def _as_forward(text: str | bytes) -> PortForwardHandler:
    return lambda session: session.connection.sendall(_bytes(text))


def _as_log(handler: LogHandler | LocalProcess | str | bytes) -> LogHandler:
    if isinstance(handler, LocalProcess):
        return lambda _: handler.output()
    return handler if callable(handler) else lambda _: handler


def _as_command(handler: CommandHandler | str | bytes) -> CommandHandler:
    if not isinstance(handler, (str, bytes)):
        return handler
    text = _bytes(handler)

    def say(session: ContainerSession) -> None:
        session.stdout.write(text)

    return say
