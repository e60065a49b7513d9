"""Ports of pods on this machine, as ``kubectl port-forward``: `port_forward`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from dynkube.dynamic import ResourceHandle
from dynkube.transport import CancelToken

__all__ = ["ForwardedPort", "PortForward", "port_forward"]


@dataclass(frozen=True, slots=True)
class ForwardedPort:
    """A port of ours and the one in the pod that it leads to."""

    local: int
    remote: int


class PortForward:
    """Ports that are forwarded until it is closed. Use it in a ``with``."""

    @property
    def ports(self) -> tuple[ForwardedPort, ...]:
        """What is forwarded, in the order that was asked for."""
        raise NotImplementedError

    @property
    def local_port(self) -> int:
        """The local port of the first one."""
        raise NotImplementedError

    @property
    def addresses(self) -> tuple[str, ...]:
        """The local addresses that are listened on."""
        raise NotImplementedError

    @property
    def pod(self) -> str:
        """The pod that connections go to now."""
        raise NotImplementedError

    def wait(self, timeout: float | None = None) -> None:
        """Wait until it is closed; raises what ended it, if not `close`."""
        raise NotImplementedError

    def close(self) -> None:
        """Stop listening and end every connection, from any thread and any number of times."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


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
    raise NotImplementedError
