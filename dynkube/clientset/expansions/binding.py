"""Binding a pod to a node, as a scheduler does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dynkube.clientset.resource import ResourceClient
from dynkube.transport import CancelToken

__all__ = ["PodBinding"]


class PodBinding(ResourceClient):
    """What pods can do where the server takes bindings (CG/kubernetes/typed/core/v1/pod_expansion.go)."""

    __slots__ = ()

    def bind(
        self,
        binding: Mapping[str, Any],
        *,
        dry_run: bool = False,
        field_manager: str | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]:
        """Bind a pod to a node.

        Args:
            binding: a v1 Binding: ``metadata.name`` is the pod, ``target.name`` the node. It goes to the
                namespace of these pods.
            dry_run: have the server do everything but store it.
            field_manager: who owns the fields that this call sets.
            timeout: seconds for the whole call.
            cancel: a token that ends the call.

        Returns:
            The server's ``Status``.

        Raises:
            ConflictError: the pod has a node already.
            InvalidRequestError: the binding names no pod.
        """
        return self.handle.subresource("binding").create(
            binding, dry_run=dry_run, field_manager=field_manager, timeout=timeout, cancel=cancel
        )
