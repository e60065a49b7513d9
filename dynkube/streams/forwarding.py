"""Ports of pods on this machine, as ``kubectl port-forward``: `port_forward`."""

from __future__ import annotations

import logging
import socket
import threading
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
)
from dynkube.streams.acceptor import Acceptor, listen, shut_down
from dynkube.streams.podconnections import PodConnection, connect_to_pod
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
        PortForwardError: the pod has ended, has no such port, or a local port is in use.
        InvalidRequestError: a port or address that is none.

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

    def replaced(self, cancel: CancelToken) -> bool:
        """Whether the pod is not what it was, and another one has taken its place. One thread at a time looks."""
        before = self._uid
        with self._lock:
            if self._uid != before:
                return True
            scope = CallScope(self.timeout, cancel)
            pod = self.place.pods.get_or_none(self.name, timeout=scope.left(), cancel=cancel)
            if pod is not None and at(pod, "metadata", "uid") == before and not is_ended(pod):
                return False
            while True:
                try:
                    self.resolve(scope)
                except (NotFoundError, PodNotRunningError):
                    scope.sleep(0.5)
                else:
                    return True


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

    @property
    def over(self) -> threading.Event:
        """Set when all has ended."""
        return self._acceptor.over

    def close(self) -> None:
        """Stop, and wait until all has ended."""
        self._forget()
        self.stop.cancel()
        self._acceptor.wait()

    # ------------------------------------------------------------- one connection

    def _serve(self, local: socket.socket, index: int) -> None:
        try:
            connection = self._connect(index)
            try:
                _join(local, connection)
            finally:
                connection.close()
        except (CancelledError, ClosedError):
            pass  # it is closed, or the client is
        except Exception as error:  # noqa: BLE001 - one connection's trouble is told, and leaves the others alone
            self._tell(error)

    def _connect(self, index: int) -> PodConnection:
        target, scope = self.target, CallScope(cancel=self.stop)
        try:
            return connect_to_pod(target.place.rest, target.path, target.remotes[index], scope)
        except APIStatusError as error:
            explained(error, None, "portforward")
            if not self._gone(error):
                raise
        return connect_to_pod(target.place.rest, target.path, target.remotes[index], scope)

    def _gone(self, error: APIStatusError) -> bool:
        """Whether the pod is gone and another one there to be tried; without reconnecting, all ends."""
        if self._reconnect:
            return self.target.replaced(self.stop)
        if error.http_status == 404:
            self.failure = PortForwardError(f"lost connection to pod {self.target.name}: {error}")
            self.stop.cancel()
        return False

    def _tell(self, error: Exception) -> None:
        try:
            self._on_error(error)
        except Exception:  # noqa: BLE001 - the caller's function must not end our thread
            _log.exception("on_error of a forwarded port failed")


def _log_error(error: Exception) -> None:
    _log.warning("port-forward: a connection failed: %s", error)


def _join(local: socket.socket, connection: PodConnection) -> None:
    """Copy both ways until the pod has ended its side, as client-go does."""
    sender = threading.Thread(target=_send, args=(local, connection), name="dynkube-forwarded-up", daemon=True)
    sender.start()
    try:
        for data in connection.receive():
            try:
                local.sendall(data)
            except OSError:
                return  # whoever asked does not want the rest
    finally:
        connection.close()
        shut_down(local)
        sender.join()


_PIECE = 1 << 16


def _send(local: socket.socket, connection: PodConnection) -> None:
    try:
        while data := local.recv(_PIECE):
            connection.send(data)
        connection.end()
    except OSError:
        connection.close()  # reset: nobody waits for an answer
    except DynkubeError:
        pass  # who receives sees it too, and tells
