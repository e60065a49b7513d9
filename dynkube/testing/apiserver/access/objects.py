"""What this room reads of the server's state."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from dynkube.schema import GroupResource
from dynkube.testing.apiserver.storage import Event, Store
from dynkube.testing.apiserver.words.resources import Object, Resource

__all__ = ["NODES", "PODS", "RBAC", "SECRETS", "SERVICE_ACCOUNTS", "Objects", "StoredObjects"]

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


class StoredObjects:
    """The `Objects` of a `Store`.

    Args:
        store: Where they are.
        find: What serves a resource in version v1; None for what is not served.
    """

    def __init__(self, store: Store, find: Callable[[GroupResource], Resource | None]) -> None:
        self._store = store
        self._find = find
        self._revisions: dict[GroupResource, int] = {}
        store.subscribe(self._written)

    def get(self, resource: GroupResource, namespace: str, name: str) -> Object | None:
        """See `Objects`."""
        served = self._find(resource)
        entry = None if served is None else self._store.find(served, namespace, name)
        return None if entry is None else entry.object()

    def list(self, resource: GroupResource) -> Sequence[Object]:
        """See `Objects`."""
        served = self._find(resource)
        return [] if served is None else [entry.object() for entry in self._store.entries(served)]

    def revision(self, resource: GroupResource) -> int:
        """See `Objects`."""
        return self._revisions.get(resource, 0)

    def _written(self, resource: GroupResource, event: Event) -> None:
        self._revisions[resource] = event.revision
