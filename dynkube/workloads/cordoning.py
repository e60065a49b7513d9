"""Whether new pods may be put onto a node.

Source: kubectl's pkg/drain/cordon.go and cmd/drain/drain.go.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dynkube.dynamic import ResourceHandle
from dynkube.patches import PatchType
from dynkube.transport import CallScope, CancelToken

__all__ = ["CordonResult", "cordon", "uncordon"]


@dataclass(frozen=True, slots=True)
class CordonResult:
    """What `cordon` or `uncordon` did.

    Attributes:
        message: kubectl's word: ``"cordoned"``, ``"already cordoned"``, ``"uncordoned"``, ``"already uncordoned"``.
        changed: whether there was something to do.
        object: the node as it is now.
    """

    message: str
    changed: bool
    object: dict[str, Any]

    def __str__(self) -> str:
        return self.message


def cordon(
    nodes: ResourceHandle,
    name: str,
    *,
    dry_run: bool = False,
    timeout: float | None = None,
    cancel: CancelToken | None = None,
) -> CordonResult:
    """Let no new pods onto a node; those that are there stay; ``kubectl cordon``.

    Reads the node, and writes only if it is not cordoned yet.

    Args:
        nodes: the nodes.
        name: the node's name.
        dry_run: have the server do everything but store it.
        timeout: seconds for the whole call.
        cancel: a token that ends the call.

    Raises:
        NotFoundError: there is no such node.
    """
    return _set_unschedulable(nodes, name, True, dry_run, CallScope(timeout, cancel))


def uncordon(
    nodes: ResourceHandle,
    name: str,
    *,
    dry_run: bool = False,
    timeout: float | None = None,
    cancel: CancelToken | None = None,
) -> CordonResult:
    """Let new pods onto a node again; ``kubectl uncordon``.

    Reads the node, and writes only if it is cordoned.

    Args:
        nodes: the nodes.
        name: the node's name.
        dry_run: have the server do everything but store it.
        timeout: seconds for the whole call.
        cancel: a token that ends the call.

    Raises:
        NotFoundError: there is no such node.
    """
    return _set_unschedulable(nodes, name, False, dry_run, CallScope(timeout, cancel))


def _set_unschedulable(nodes: ResourceHandle, name: str, wanted: bool, dry_run: bool, scope: CallScope) -> CordonResult:
    word = "cordoned" if wanted else "uncordoned"
    node = nodes.get(name, timeout=scope.left(), cancel=scope.cancel)
    if bool((node.get("spec") or {}).get("unschedulable")) is wanted:
        return CordonResult(f"already {word}", changed=False, object=node)
    body = {"spec": {"unschedulable": True if wanted else None}}
    changed = nodes.patch(
        name, body, type=PatchType.STRATEGIC, dry_run=dry_run, timeout=scope.left(), cancel=scope.cancel
    )
    return CordonResult(word, changed=True, object=changed)
