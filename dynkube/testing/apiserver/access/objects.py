"""What this room reads of the server's state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from dynkube.schema import GroupResource
from dynkube.testing.apiserver.resources import Object

__all__ = ["NODES", "PODS", "RBAC", "SECRETS", "SERVICE_ACCOUNTS", "Objects"]

RBAC = "rbac.authorization.k8s.io"
"""The group of roles and bindings."""
NODES = GroupResource("", "nodes")
"""A token may be bound to one."""
PODS = GroupResource("", "pods")
"""A token may be bound to one."""
SECRETS = GroupResource("", "secrets")
"""A token may be bound to one."""
SERVICE_ACCOUNTS = GroupResource("", "serviceaccounts")
"""Who tokens are of."""


class Objects(Protocol):
    """Stored objects, in their storage versions; what it gives out is not changed by who gets it."""

    def get(self, resource: GroupResource, namespace: str, name: str) -> Object | None:
        """One object; None where there is none. ``namespace`` is "" at cluster scope."""

    def list(self, resource: GroupResource) -> Sequence[Object]:
        """All objects of all namespaces, in the order of their keys."""

    def revision(self, resource: GroupResource) -> int:
        """A number that is another one after each write to the resource."""
