"""Stored objects, as the rules of kinds ask for other objects (`builtin.lookup.Lookup`)."""

from __future__ import annotations

from collections.abc import Iterable

from dynkube.schema import GroupResource
from dynkube.testing.apiserver.registry.catalog import Catalog
from dynkube.testing.apiserver.storage.store import Store
from dynkube.testing.apiserver.words.resources import Object, Resource

__all__ = ["StoredLookup"]


class StoredLookup:
    """Reads a store by what is served. What it hands out is not to be changed."""

    def __init__(self, store: Store, catalog: Catalog) -> None:
        self._store = store
        self._catalog = catalog

    def get(self, resource: GroupResource, namespace: str, name: str) -> Object | None:
        """One object; None where there is none. ``namespace`` is "" for what is in none."""
        served = self._served(resource)
        entry = None if served is None else self._store.find(served, namespace, name)
        return None if entry is None else entry.object()

    def list(self, resource: GroupResource, namespace: str | None) -> Iterable[Object]:
        """The objects of a namespace, or, for None, all."""
        served = self._served(resource)
        entries = () if served is None else self._store.entries(served, namespace or "")
        return (entry.object() for entry in entries)

    def _served(self, resource: GroupResource) -> Resource | None:
        return next(iter(self._catalog.versions(resource)), None)
