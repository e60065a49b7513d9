"""Ports of pods on this machine, as ``kubectl port-forward``: `port_forward`."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from dynkube.dynamic import ResourceHandle
from dynkube.errors import (
    APIStatusError,
    CancelledError,
    ClosedError,
    DeadlineExceededError,
    DynkubeError,
    InvalidRequestError,
    NotFoundError,
    PodNotRunningError,
    PortForwardError,
    TransportError,
)
from dynkube.streams.acceptor import Acceptor, listen, shut_down
from dynkube.streams.podconnections import PodConnection, PodDialer
from dynkube.streams.ports import PortSpec, listen_addresses, parse_port, pod_port, service_port
from dynkube.streams.targets import at, choose_pod, explained, is_ended, phase_of, pod_place
from dynkube.streams.websocket import require_extra
from dynkube.transport import CallScope, CancelToken

_log = logging.getLogger("dynkube.streams")

__all__ = ["ForwardedPort", "PortForward", "port_forward"]


@dataclass(frozen=True, slots=True)
class ForwardedPort:
    """A port of ours and the one in the pod that it leads to."""

    local: int
    remote: int


class PortForward:
    """Ports that are forwarded until it is closed. Use it in a ``with``."""

    def __init__(self, forwarder: _Forwarder) -> None:
        self._forwarder = forwarder
        self._finalizer = weakref.finalize(self, forwarder.stop.cancel)

    @property
    def ports(self) -> tuple[ForwardedPort, ...]:
        """What is forwarded, in the order that was asked for."""
        return self._forwarder.ports

    @property
    def local_port(self) -> int:
        """The local port of the first one."""
        return self._forwarder.ports[0].local

    @property
    def addresses(self) -> tuple[str, ...]:
        """The local addresses that are listened on."""
        return self._forwarder.addresses

    @property
    def pod(self) -> str:
        """The pod that new connections go to."""
        return self._forwarder.target.name

    def wait(self, timeout: float | None = None) -> None:
        """Wait until it is closed.

        Args:
            timeout: seconds; then `DeadlineExceededError`, and it stays open.

        Raises:
            PortForwardError: the pod is gone, and ``reconnect=False``.
        """
        if not self._forwarder.over.wait(timeout):
            raise DeadlineExceededError(f"the ports were still forwarded after {timeout:g} s")
        if self._forwarder.failure is not None:
            raise self._forwarder.failure

    def close(self) -> None:
        """Stop listening and end every connection, from any thread and any number of times."""
        self._forwarder.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        ports = ", ".join(f"{each.local}:{each.remote}" for each in self.ports)
        return f"<PortForward {ports} to pod {self.pod} {'closed' if self._forwarder.over.is_set() else 'open'}>"


def port_forward(
    target: ResourceHandle,
    name: str,
    *ports: int | str,
    address: str | Sequence[str] = "localhost",
    reconnect: bool = True,
    on_error: Callable[[Exception], None] | None = None,
    timeout: float | None = 60.0,
    cancel: CancelToken | None = None,
) -> PortForward:
    """Forward local ports to a pod.

    Args:
        target: a handle of pods; or of services or a workload, one of whose running pods is chosen.
        name: the pod's, service's or workload's name.
        ports: a number forwards a free local port to that port of the pod; text is kubectl's grammar: ``"5000"`` (the
            same port here), ``"8888:5000"``, ``":5000"`` and ``"0:5000"`` (a free one here). The remote side may be the
            name of a container's port. With a service they are the service's ports.
        address: local addresses to listen on; ``"localhost"`` is 127.0.0.1 and ::1.
        reconnect: when the pod is gone, let new connections go to its replacement.
        on_error: told of what went wrong with a single connection, on a thread of ours; logged by default.
        timeout: seconds until the pod must be running and the ports be open.
        cancel: a token that closes it.

    Returns:
        The open ports; close it.

    Raises:
        NotFoundError: no such pod, service or workload.
        PodNotRunningError: the pod has ended, or does not run in time.
        PortForwardError: a local port is in use.
        InvalidRequestError: a port or address that is none, or that the service or pod does not have.

    Example::

        with port_forward(pods, "api", 8080) as forward:
            requests.get(f"http://127.0.0.1:{forward.local_port}/healthz")
    """
    require_extra()
    if not ports:
        raise InvalidRequestError("ports: want at least one")
    specs = [parse_port(each) for each in ports]
    groups = listen_addresses(address)
    found = _Target(target, name, specs, timeout)
    found.resolve(CallScope(timeout, cancel))
    forwarder = _Forwarder(found, on_error, reconnect=reconnect)
    forwarder.listen(specs, groups)
    forwarder.start(cancel)
    return PortForward(forwarder)


# --------------------------------------------------------------------------- the pod


class _Target:
    """The pod that connections go to, and which of its ports."""

    def __init__(self, handle: ResourceHandle, name: str, specs: Sequence[PortSpec], timeout: float | None) -> None:
        self.place = pod_place(handle, "port_forward")
        self.name = ""
        self.remotes: tuple[int, ...] = ()
        self.timeout = timeout
        self._handle = handle
        self._asked = name
        self._specs = specs
        self._uid = ""
        self._seen = 0.0
        self._lock = threading.Lock()

    @property
    def path(self) -> str:
        """Of the pod's ``portforward``."""
        return self.place.path(self.name, "portforward")

    def resolve(self, scope: CallScope) -> None:
        """Choose a pod, and wait until it runs.

        Raises:
            PodNotRunningError: it has ended, or does not run in time.
            NotFoundError: there is none.
        """
        pause = 0.1
        while True:
            pod, service = choose_pod(self._handle, self._asked, scope=scope)
            phase = phase_of(pod)
            if phase == "Running" and not at(pod, "metadata", "deletionTimestamp"):
                break
            if is_ended(pod):
                raise PodNotRunningError(f"unable to forward port because pod is not running. Current status={phase}")
            try:
                scope.sleep(pause)
            except DeadlineExceededError as error:
                raise PodNotRunningError(
                    f"unable to forward port because pod is not running. Current status={phase or 'Pending'} after "
                    f"{scope.timeout:g} s; is it scheduled, are its images there?"
                ) from error
            pause = min(1.0, pause * 1.5)
        self._take(pod, service)

    def _take(self, pod: dict[str, Any], service: dict[str, Any] | None) -> None:
        remotes = []
        for spec in self._specs:
            if self._handle.gvr.resource == "services" and service is not None:
                remotes.append(service_port(service, pod, spec.remote))
            else:
                remotes.append(pod_port(pod, spec.remote))
        self.remotes = tuple(remotes)
        self.name, self._uid = pod["metadata"]["name"], str(pod["metadata"].get("uid"))
        self._seen = time.monotonic()

    def is_gone(self, cancel: CancelToken, *, known_for: float) -> bool:
        """Whether the pod is not there any more, or has ended.

        Args:
            cancel: ends the looking.
            known_for: seconds for which an earlier look counts.
        """
        if time.monotonic() - self._seen < known_for:
            return False
        try:
            pod = self.place.pods.get_or_none(self.name, timeout=self.timeout, cancel=cancel)
        except (TransportError, APIStatusError):
            return False  # whoever connects will be told
        if pod is None or str(at(pod, "metadata", "uid")) != self._uid or is_ended(pod):
            return True
        self._seen = time.monotonic()
        return False

    def replace(self, cancel: CancelToken) -> None:
        """Find the pod that takes the place of one that is gone. One thread at a time looks.

        Raises:
            DeadlineExceededError: there was none in time.
        """
        gone = self._uid
        with self._lock:
            scope = CallScope(self.timeout, cancel)
            while self._uid == gone:  # else another thread has found it
                try:
                    self.resolve(scope)
                except (NotFoundError, PodNotRunningError):
                    scope.sleep(0.5)
                else:
                    return


# --------------------------------------------------------------------------- here


class _Forwarder:
    """Listens, and serves each connection on threads of its own. It knows no `PortForward`, so that can be dropped."""

    def __init__(self, target: _Target, on_error: Callable[[Exception], None] | None, *, reconnect: bool) -> None:
        self.target = target
        self.stop = CancelToken()
        self.failure: Exception | None = None
        self.ports: tuple[ForwardedPort, ...] = ()
        self.addresses: tuple[str, ...] = ()
        self._on_error = on_error or _log_error
        self._reconnect = reconnect
        self._dialer = PodDialer(target.place.rest, self.stop)
        self._listeners: list[tuple[socket.socket, int]] = []

    def listen(self, specs: Sequence[PortSpec], groups: Sequence[Sequence[str]]) -> None:
        """Open the local ports.

        Raises:
            PortForwardError: one is in use, or not allowed.
        """
        try:
            for index, spec in enumerate(specs):
                local = spec.local
                for group in groups:
                    local = self._listen_on_one(group, local, index)
                self.ports += (ForwardedPort(local, self.target.remotes[index]),)
        except BaseException:
            for listener, _ in self._listeners:
                listener.close()
            raise

    def _listen_on_one(self, group: Sequence[str], port: int, index: int) -> int:
        """Listen on those of these addresses that work; one has to."""
        problem: PortForwardError | None = None
        listening = False
        for address in group:
            try:
                listener = listen(address, port)
            except PortForwardError as error:
                problem = problem or error
                continue
            listening = True
            port = listener.getsockname()[1]
            self._listeners.append((listener, index))
            self.addresses = tuple(dict.fromkeys((*self.addresses, address)))
        if problem is not None and not listening:
            raise problem
        return port

    def start(self, cancel: CancelToken | None) -> None:
        """Begin to accept."""
        self._forget = cancel.subscribe(self.stop.cancel) if cancel is not None else self.stop.cancel
        self._acceptor = Acceptor(self._listeners, self._serve, self.stop, "dynkube-port-forward")
        self._warming = threading.Thread(
            target=self._dialer.warm_up, args=(self.target.path,), name="dynkube-port-forward-first", daemon=True
        )
        self._warming.start()

    @property
    def over(self) -> threading.Event:
        """Set when all has ended."""
        return self._acceptor.over

    def close(self) -> None:
        """Stop, and wait until all has ended."""
        self._forget()
        self.stop.cancel()
        self._acceptor.wait()
        self._warming.join()
        self._dialer.close()

    # ------------------------------------------------------------- one connection

    def _serve(self, local: socket.socket, index: int) -> None:
        try:
            _join(local, self._connect(index))
        except (CancelledError, ClosedError):
            pass  # it is closed, or the client is
        except Exception as error:  # noqa: BLE001 - one connection's trouble is told, and leaves the others alone
            self._tell(error)

    def _connect(self, index: int) -> PodConnection:
        self._follow(known_for=_KNOWN_FOR)
        target = self.target
        try:
            return self._dialer.connect(target.path, target.remotes[index])
        except APIStatusError as error:
            explained(error, None, "portforward")
            if not self._follow(known_for=0):
                raise
        return self._dialer.connect(target.path, target.remotes[index])

    def _follow(self, *, known_for: float) -> bool:
        """Whether the pod was gone, and another one has taken its place; without reconnecting, all ends then."""
        if not self.target.is_gone(self.stop, known_for=known_for):
            return False
        if not self._reconnect:
            self.failure = PortForwardError(f"lost connection to pod {self.target.name}: it is gone")
            self.stop.cancel()
            raise self.failure
        self.target.replace(self.stop)
        return True

    def _tell(self, error: Exception) -> None:
        try:
            self._on_error(error)
        except Exception:  # noqa: BLE001 - the caller's function must not end our thread
            _log.exception("on_error of a forwarded port failed")


_KNOWN_FOR = 1.0
"""Seconds for which the pod is taken to be still there."""


def _log_error(error: Exception) -> None:
    _log.warning("port-forward: a connection failed: %s", error)


def _join(local: socket.socket, connection: PodConnection) -> None:
    """Copy both ways until the pod has ended its side, as client-go does."""
    sender = threading.Thread(target=_send, args=(local, connection), name="dynkube-forwarded-up", daemon=True)
    sender.start()
    wanted = True
    try:
        for data in connection.receive():
            try:
                local.sendall(data)
            except OSError:
                wanted = False  # whoever asked is gone
                break
    except BaseException:
        wanted = False
        raise
    finally:
        if not wanted:
            connection.close()
        with contextlib.suppress(OSError):
            local.shutdown(socket.SHUT_WR)  # both at once, and what is unread would cost the caller the answer (RST)
        sender.join(_PATIENCE)
        shut_down(local)
        sender.join(_PATIENCE)
        if sender.is_alive():  # it sends what the pod does not take any more
            connection.close()
            sender.join()
        connection.finish()


_PIECE = 1 << 16
_PATIENCE = 1.0
"""Seconds that a caller has to hang up once the pod has ended its side."""


def _send(local: socket.socket, connection: PodConnection) -> None:
    try:
        while data := local.recv(_PIECE):
            connection.send(data)
        connection.end()
    except OSError:
        connection.close()  # reset: nobody waits for an answer
    except DynkubeError:
        pass  # who receives sees it too, and tells
