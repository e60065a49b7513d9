"""What nodes and namespaces can do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dynkube.clientset.resource import ResourceClient
from dynkube.patches import PatchType
from dynkube.transport import CancelToken

__all__ = ["NamespaceFinalize", "NodeStatus"]


class NodeStatus(ResourceClient):
    """Nodes whose status can be patched (CG/kubernetes/typed/core/v1/node_expansion.go)."""

    __slots__ = ()

    def patch_status(
        self,
        name: str,
        body: Any,
        *,
        type: PatchType | None = PatchType.STRATEGIC,  # noqa: A002 - the word of the API
        dry_run: bool = False,
        field_manager: str | None = None,
        field_validation: str | None = None,
        force: bool | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]:
        """Change parts of a node's status.

        Args:
            name: the node's name.
            body: a strategic merge patch: conditions and addresses merge by their type.
            type: another reading of the body; None tells by the body, as for ``patch``.
            dry_run: have the server do everything but store it.
            field_manager: who owns the fields that this call sets.
            field_validation: ``"Ignore"``, ``"Warn"`` or ``"Strict"``.
            force: for `PatchType.APPLY` only.
            timeout: seconds for the whole call.
            cancel: a token that ends the call.

        Returns:
            The node as stored.

        Raises:
            NotFoundError: there is none of this name.
        """
        return self.handle.subresource("status").patch(
            name,
            body,
            type=type,
            dry_run=dry_run,
            field_manager=field_manager,
            field_validation=field_validation,
            force=force,
            timeout=timeout,
            cancel=cancel,
        )


class NamespaceFinalize(ResourceClient):
    """Namespaces whose finalizers can be replaced (CG/kubernetes/typed/core/v1/namespace_expansion.go)."""

    __slots__ = ()

    def finalize(
        self,
        namespace: Mapping[str, Any],
        *,
        dry_run: bool = False,
        field_manager: str | None = None,
        field_validation: str | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]:
        """Replace a namespace's ``spec.finalizers``. One that is being deleted goes with its last one.

        Args:
            namespace: the Namespace, with the finalizers that it shall have.
            dry_run: have the server do everything but store it.
            field_manager: who owns the fields that this call sets.
            field_validation: ``"Ignore"``, ``"Warn"`` or ``"Strict"``.
            timeout: seconds for the whole call.
            cancel: a token that ends the call.

        Returns:
            The namespace as stored.

        Raises:
            ConflictError: it changed meanwhile.
            NotFoundError: there is none of this name.
        """
        return self.handle.subresource("finalize").update(
            namespace,
            dry_run=dry_run,
            field_manager=field_manager,
            field_validation=field_validation,
            timeout=timeout,
            cancel=cancel,
        )
