"""CRDs: their names are accepted, they are served, and when they go their objects go first.

XS/controller/{status,establish,apiapproval,finalizer}, XS/apiserver/customresource_handler.go; what is
written is `customresources.conditions`.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from dynkube.schema import GroupResource
from dynkube.testing.apiserver.controllers.loop import Enqueue
from dynkube.testing.apiserver.customresources import conditions
from dynkube.testing.apiserver.registry import DeleteOptions, Registry, Scope, WriteOptions
from dynkube.testing.apiserver.registry.endings import CRDS
from dynkube.testing.apiserver.storage import Event
from dynkube.testing.apiserver.words.resources import Object, Resource

__all__ = ["DefinitionController"]

_MANAGER = WriteOptions(manager="kube-apiserver")


class DefinitionController:
    """Serves what CRDs define."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        # What is served for a CRD: by its name, its group resource and what it said.
        self._served: dict[str, tuple[GroupResource, tuple[Any, bool]]] = {}
        self._ending: dict[GroupResource, str] = {}

    def observe(self, resource: GroupResource, event: Event, enqueue: Enqueue) -> None:
        """See `Controller`."""
        if resource == CRDS:
            enqueue(event.subject.name)
        elif event.entry is None and resource in self._ending:
            enqueue(self._ending[resource])

    def sync(self, key: Hashable, enqueue: Enqueue) -> None:
        """See `Controller`."""
        name = str(key)
        crd = self._find(name)
        if crd is None:
            self._stop_serving(name, enqueue)
            return
        status = conditions.accept_names(crd, self._taken(crd), self._registry.now())
        if status is not None:
            self._write_status(crd, status)
            return
        status = conditions.approve(crd, self._registry.now())
        if status is not None:
            self._write_status(crd, status)
            return
        self._serve(name, crd)
        status = conditions.establish(crd, self._registry.now())
        if status is not None:
            self._write_status(crd, status)
            return
        self._end(name, crd)

    # ------------------------------------------------------------------ serving

    def _serve(self, name: str, crd: Object) -> None:
        """Serve what it says by now; watches of what it said before end, as there (removeStorage_locked)."""
        if not conditions.is_served(crd):
            return
        ends = conditions.is_condition_true(crd, "Terminating")
        says = ((crd["metadata"]["uid"], crd["spec"], crd["status"].get("acceptedNames")), ends)
        about = GroupResource(crd["spec"]["group"], crd["status"]["acceptedNames"]["plural"])
        before = self._served.get(name)
        if before == (about, says):
            return
        self._served[name] = (about, says)
        from dynkube.testing.apiserver.customresources.serving import custom_resources  # not before the first CRD

        resources = custom_resources(crd)
        self._registry.catalog.replace(about, resources)
        if before is not None and before[1][0] != says[0]:
            self._registry.reread(resources)
            self._registry.store.end_watches(about)

    def _stop_serving(self, name: str, enqueue: Enqueue) -> None:
        about, _ = self._served.pop(name, (None, None))
        if about is None:
            return
        self._ending.pop(about, None)
        self._registry.catalog.remove(about)
        self._registry.store.forget(about)
        # Another CRD may have waited for its names.
        for entry in self._registry.store.entries(self._definitions):
            if entry.object()["spec"]["group"] == about.group:
                enqueue(entry.name)

    # ------------------------------------------------------------------ the end

    def _end(self, name: str, crd: Object) -> None:
        """Delete its objects, and let it go when they are gone (crd_finalizer.go)."""
        metadata = crd["metadata"]
        if "deletionTimestamp" not in metadata or conditions.CLEANUP_FINALIZER not in metadata.get("finalizers", ()):
            return
        about = GroupResource(crd["spec"]["group"], crd["spec"]["names"]["plural"])
        if about not in self._ending:
            self._ending[about] = name
            self._write_status(crd, conditions.begin_deletion(crd, self._registry.now()))
            if conditions.is_condition_true(crd, "Established"):
                self._delete_objects(about)
        versions = self._registry.catalog.versions(about)
        if versions and self._registry.store.entries(versions[0]):
            return
        latest = self._find(name)
        if latest is None:
            return
        kept = [each for each in latest["metadata"]["finalizers"] if each != conditions.CLEANUP_FINALIZER]
        latest["metadata"].pop("finalizers")
        if kept:
            latest["metadata"]["finalizers"] = kept
        self._write_status(latest, conditions.finish_deletion(latest, self._registry.now()))

    def _delete_objects(self, about: GroupResource) -> None:
        for resource in self._registry.catalog.versions(about)[:1]:
            for entry in self._registry.store.entries(resource):
                scope = Scope(resource=resource, namespace=entry.namespace, name=entry.name)
                self._registry.delete_if_there(scope, DeleteOptions())

    # ------------------------------------------------------------------ CRDs themselves

    @property
    def _definitions(self) -> Resource:
        resource = self._registry.catalog.lookup(CRDS.group, "v1", CRDS.resource)
        assert resource is not None  # it is built in
        return resource

    def _find(self, name: str) -> Object | None:
        entry = self._registry.store.find(self._definitions, "", name)
        return None if entry is None else entry.object()

    def _taken(self, crd: Object) -> tuple[set[str], set[str]]:
        crds = (entry.object() for entry in self._registry.store.entries(self._definitions))
        return conditions.taken_names(crd["spec"]["group"], crds)

    def _write_status(self, crd: Object, status: dict[str, Any]) -> None:
        scope = Scope(resource=self._definitions, name=crd["metadata"]["name"], subresource="status")
        self._registry.replace(scope, {**crd, "status": status}, _MANAGER)
