"""Streams to and from containers, as methods; see `dynkube.streams`."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from dynkube.clientset.methods import Deferred, HandleMethod
from dynkube.clientset.resource import ResourceClient
from dynkube.errors import InvalidRequestError
from dynkube.transport import CancelToken

if TYPE_CHECKING:
    from dynkube import streams
    from dynkube.streams import CopyProgress, CopyResult
else:
    streams = Deferred("dynkube.streams")

__all__ = ["Logs", "PodAttach", "PodExec", "PortForwarding"]


class Logs(ResourceClient):
    """``kubectl logs``: pods, and what has pods."""

    __slots__ = ()
    logs = HandleMethod(streams.logs)


class PodExec(ResourceClient):
    """``kubectl exec``, and ``kubectl cp``, which runs ``tar`` by it."""

    __slots__ = ()
    exec = HandleMethod(streams.exec_command)
    exec_process = HandleMethod(streams.exec_process)
    copy_to_pod = HandleMethod(streams.copy_to_pod)
    copy_from_pod = HandleMethod(streams.copy_from_pod)

    def cp(
        self,
        source: str | os.PathLike[str],
        destination: str | os.PathLike[str],
        *,
        container: str | None = None,
        progress: Callable[[CopyProgress], None] | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> CopyResult:
        """Copy to or from a pod, as ``kubectl cp`` names them: one side is ``"<pod>:<path>"``, the other a local path.

        Args:
            source: ``"api:/var/log"``, or what is here. A local path with a colon in it begins with ``./`` or ``/``, or
                is a `pathlib.Path`.
            destination: likewise.
            container: which one; by default the pod's own default, else its first.
            progress: called as the copy grows.
            timeout: seconds for the whole copy.
            cancel: a token that ends it.

        Returns:
            What was copied, and what was left out; see ``copy_to_pod`` and ``copy_from_pod``, which have more options.

        Raises:
            InvalidRequestError: neither side or both are in a pod.
        """
        from_pod, to_pod = _in_pod(source), _in_pod(destination)
        if (from_pod is None) == (to_pod is None):
            raise InvalidRequestError(
                f'source and destination: one of the two must be "<pod>:<path>", not {source!r} and {destination!r}'
            )
        if to_pod is not None:
            return self.copy_to_pod(
                to_pod[0], source, to_pod[1], container=container, progress=progress, timeout=timeout, cancel=cancel
            )
        assert from_pod is not None
        return self.copy_from_pod(
            *from_pod, destination, container=container, progress=progress, timeout=timeout, cancel=cancel
        )


class PodAttach(ResourceClient):
    """``kubectl attach``."""

    __slots__ = ()
    attach = HandleMethod(streams.attach)


class PortForwarding(ResourceClient):
    """``kubectl port-forward``: pods, and what leads to pods."""

    __slots__ = ()
    port_forward = HandleMethod(streams.port_forward)


def _in_pod(place: str | os.PathLike[str]) -> tuple[str, str] | None:
    """The pod and the path in it, of ``"<pod>:<path>"``."""
    if not isinstance(place, str) or place.startswith(("/", ".")) or ":" not in place:
        return None
    pod, _, path = place.partition(":")
    return pod, path
