"""What a test does when something is written: `APIServer.on_write`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from dynkube.schema import GroupResource, GroupVersionResource
from dynkube.testing.apiserver.registry import Catalog
from dynkube.testing.apiserver.storage import Event, EventType, Store
from dynkube.testing.apiserver.testbench.insider import Insider
from dynkube.testing.apiserver.words.resources import Object

__all__ = ["Hook", "Hooks", "Write", "as_write", "at_version_of"]

_logger = logging.getLogger("dynkube.testing.apiserver")


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One write, when it is done.

    Attributes:
        type: ``ADDED``, ``MODIFIED`` or ``DELETED``.
        resource: In the version that it is stored in.
        object: What it is now; of a deletion, what it was last. The receiver's own.
        old: What it was before; None of a creation.
    """

    type: str
    resource: GroupVersionResource
    namespace: str
    name: str
    resource_version: str
    object: Object
    old: Object | None = None


Hook: TypeAlias = Callable[[Write], Object | None]
"""Gets each write; what it returns, a changed object, is written."""


class Hooks:
    """Calls hooks after writes, on the loop, one after another; never inside the request that wrote.

    A hook that fails is logged, and the others are called.
    """

    def __init__(self, store: Store, catalog: Catalog, insider: Insider) -> None:
        self._catalog = catalog
        self._insider = insider
        self._hooks: list[tuple[Hook, GroupVersionResource | None]] = []
        store.subscribe(self._written)

    def add(self, hook: Hook, resource: GroupVersionResource | None = None) -> Callable[[], None]:
        """Call a hook after each write, or after those of one resource; returns what removes it."""
        entry = hook, resource
        self._hooks.append(entry)

        def remove() -> None:
            if entry in self._hooks:
                self._hooks.remove(entry)

        return remove

    def clear(self) -> None:
        """Remove all hooks."""
        self._hooks.clear()

    def _written(self, about: GroupResource, event: Event) -> None:
        if self._hooks:
            asyncio.get_running_loop().call_soon(self._call, about, event)

    def _call(self, about: GroupResource, event: Event) -> None:
        for hook, resource in tuple(self._hooks):
            if resource is not None and GroupResource(resource.group, resource.resource) != about:
                continue
            write = as_write(self._catalog, about, event)
            try:
                wanted = hook(write)
                if wanted is not None:
                    self.write(wanted)
            except Exception:
                _logger.exception("on_write: %s failed on %s %s", hook, about, write.name)

    def write(self, obj: Object) -> None:
        """Write an object as it shall be, its status included, whatever it is now.

        Raises:
            ControlPlaneError: It is refused.
        """
        path = self._insider.path_of(obj)
        status, live = self._insider.ask("GET", path)
        if status == 404:  # gone meanwhile
            return
        if _without_status(obj) != _without_status(live):
            live = self._insider.call("PUT", path, at_version_of(live, obj))
        if self._insider.has_status(obj) and obj.get("status") != live.get("status"):
            self._insider.call("PUT", f"{path}/status", at_version_of(live, obj))


def as_write(catalog: Catalog, about: GroupResource, event: Event) -> Write:
    """An event of the store as tests see it."""
    subject = event.departed if event.type is EventType.DELETED else event.subject
    served = catalog.versions(about)
    version = served[0].storage_version if served else ""
    return Write(
        type=event.type.value,
        resource=GroupVersionResource(about.group, version, about.resource),
        namespace=subject.namespace,
        name=subject.name,
        resource_version=str(event.revision),
        object=subject.object(),
        old=None if event.previous is None else event.previous.object(),
    )


def at_version_of(live: Object, obj: Object) -> Object:
    """The object as an update of what is there now."""
    version = {"resourceVersion": live["metadata"]["resourceVersion"]}
    return {**obj, "metadata": {**(obj.get("metadata") or {}), **version}}


def _without_status(obj: Object) -> Object:
    metadata = {
        name: each for name, each in obj["metadata"].items() if name not in {"resourceVersion", "managedFields"}
    }
    return {**{name: each for name, each in obj.items() if name != "status"}, "metadata": metadata}
