"""Streams to and from containers, as methods; see `dynkube.streams`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dynkube.clientset.methods import Deferred, HandleMethod
from dynkube.clientset.resource import ResourceClient

if TYPE_CHECKING:
    from dynkube import streams
else:
    streams = Deferred("dynkube.streams")

__all__ = ["PodAttach", "PodExec", "PodLogs", "PortForwarding"]


class PodLogs(ResourceClient):
    """``kubectl logs``."""

    __slots__ = ()
    logs = HandleMethod(streams.logs)


class PodExec(ResourceClient):
    """``kubectl exec``, and ``kubectl cp``, which runs ``tar`` by it."""

    __slots__ = ()
    exec = HandleMethod(streams.exec_command)
    exec_process = HandleMethod(streams.exec_process)
    copy_to_pod = HandleMethod(streams.copy_to_pod)
    copy_from_pod = HandleMethod(streams.copy_from_pod)


class PodAttach(ResourceClient):
    """``kubectl attach``."""

    __slots__ = ()
    attach = HandleMethod(streams.attach)


class PortForwarding(ResourceClient):
    """``kubectl port-forward``: pods, and what leads to pods."""

    __slots__ = ()
    port_forward = HandleMethod(streams.port_forward)
