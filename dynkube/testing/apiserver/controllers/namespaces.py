"""The end of a namespace: its content goes, then it goes itself (pkg/controller/namespace/deletion)."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any

from dynkube.schema import GroupResource
from dynkube.testing.apiserver.controllers.loop import Enqueue
from dynkube.testing.apiserver.registry import DeleteOptions, Registry, Scope, WriteOptions
from dynkube.testing.apiserver.registry.admission import NAMESPACES
from dynkube.testing.apiserver.storage import Event
from dynkube.testing.apiserver.words.resources import Object, Resource

__all__ = ["NamespaceController"]

_FINALIZER = "kubernetes"
_MANAGER = WriteOptions(manager="kube-controller-manager")
_BACKGROUND = DeleteOptions(propagation_policy="Background")
_PODS = GroupResource("", "pods")
# By type: reason and message where all is well.
_WELL = {
    "NamespaceDeletionDiscoveryFailure": ("ResourcesDiscovered", "All resources successfully discovered"),
    "NamespaceDeletionGroupVersionParsingFailure": ("ParsedGroupVersions", "All legacy kube types successfully parsed"),
    "NamespaceDeletionContentFailure": (
        "ContentDeleted",
        "All content successfully deleted, may be waiting on finalization",
    ),
    "NamespaceContentRemaining": ("ContentRemoved", "All content successfully removed"),
    "NamespaceFinalizersRemaining": ("ContentHasNoFinalizers", "All content-preserving finalizers finished"),
}


class NamespaceController:
    """Empties and finalizes namespaces that are being deleted."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._ending: set[str] = set()

    def observe(self, resource: GroupResource, event: Event, enqueue: Enqueue) -> None:
        """See `Controller`."""
        subject = event.subject
        if resource == NAMESPACES:
            if event.entry is None:
                self._ending.discard(subject.name)
            elif b'"deletionTimestamp"' in event.entry.body:
                self._ending.add(subject.name)
                enqueue(subject.name)
        elif event.entry is None and subject.namespace in self._ending:
            enqueue(subject.namespace)

    def sync(self, key: Hashable, enqueue: Enqueue) -> None:
        """See `Controller`."""
        del enqueue
        name = str(key)
        scope = self._scope(name)
        entry = self._registry.find(scope)
        if entry is None:
            return
        obj = entry.object()
        if "deletionTimestamp" not in obj["metadata"] or not (obj.get("spec") or {}).get("finalizers"):
            return
        left = self._empty(name)
        self._tell(scope, obj, left)
        if not left:
            self._finalize(name)

    def _scope(self, name: str, subresource: str = "") -> Scope:
        resource = self._registry.catalog.lookup("", "v1", "namespaces")
        assert resource is not None  # it is built in
        scope = Scope(resource=resource, namespace=name, name=name, subresource=subresource)
        from dynkube.testing.apiserver.subresources import find_strategy  # not before a namespace ends

        scope.strategy_override = find_strategy(self._registry, resource, subresource)
        return scope

    # ------------------------------------------------------------------ content

    def _empty(self, namespace: str) -> Mapping[Resource, Sequence[Object]]:
        """Delete what is in it, pods before all else; what is left, and waits for its finalizers or its grace."""
        resources = list(self._deletable())
        left: dict[Resource, Sequence[Object]] = {}
        for resource in sorted(resources, key=lambda each: each.group_resource != _PODS):
            if left and resource.group_resource != _PODS and any(each.group_resource == _PODS for each in left):
                break
            objects = self._delete_all(resource, namespace)
            if objects:
                left[resource] = objects
        return left

    def _deletable(self) -> Iterator[Resource]:
        seen: set[GroupResource] = set()
        for resource in self._registry.catalog:
            is_new = resource.group_resource not in seen
            if resource.namespaced and "delete" in resource.verbs and is_new:
                seen.add(resource.group_resource)
                yield resource

    def _delete_all(self, resource: Resource, namespace: str) -> Sequence[Object]:
        store = self._registry.store
        if not store.entries(resource, namespace):
            return ()
        for entry in store.entries(resource, namespace):
            self._registry.delete_if_there(Scope(resource=resource, namespace=namespace, name=entry.name), _BACKGROUND)
        return [entry.object() for entry in store.entries(resource, namespace)]

    # ------------------------------------------------------------------ status

    def _tell(self, scope: Scope, obj: Object, left: Mapping[Resource, Sequence[Object]]) -> None:
        """Say in the status what is left (status_condition_utils.go)."""
        problems = _problems(left)
        now = self._registry.now()
        status = obj.setdefault("status", {})
        conditions = [dict(each) for each in status.get("conditions") or ()]
        for kind, (reason, message) in _WELL.items():
            told = ("True", *problems[kind]) if kind in problems else ("False", reason, message)
            _set_condition(conditions, kind, told, now)
        if conditions == status.get("conditions"):
            return
        status["conditions"] = conditions
        self._registry.replace(self._scope(scope.name, "status"), obj, _MANAGER)

    def _finalize(self, name: str) -> None:
        """Take the finalizer away, and with the last one the namespace is gone."""
        scope = self._scope(name, "finalize")
        entry = self._registry.find(scope)
        if entry is None:
            return
        obj = entry.object()
        kept = [each for each in obj["spec"].get("finalizers", ()) if each != _FINALIZER]
        obj["spec"] = {**obj["spec"], "finalizers": kept} if kept else {}
        self._registry.replace(scope, obj, _MANAGER)


def _problems(left: Mapping[Resource, Sequence[Object]]) -> dict[str, tuple[str, str]]:
    if not left:
        return {}
    resources = sorted(
        f"{each.gvr.resource}.{each.gvr.group} has {len(objects)} resource instances" for each, objects in left.items()
    )
    problems = {
        "NamespaceContentRemaining": ("SomeResourcesRemain", f"Some resources are remaining: {', '.join(resources)}")
    }
    counts: dict[str, int] = {}
    for obj in (each for objects in left.values() for each in objects):
        for finalizer in obj["metadata"].get("finalizers", ()):
            counts[finalizer] = counts.get(finalizer, 0) + 1
    if counts:
        told = ", ".join(f"{each} in {counts[each]} resource instances" for each in sorted(counts))
        message = f"Some content in the namespace has finalizers remaining: {told}"
        problems["NamespaceFinalizersRemaining"] = ("SomeFinalizersRemain", message)
    return problems


def _set_condition(conditions: list[dict[str, Any]], kind: str, told: tuple[str, str, str], now: str) -> None:
    status, reason, message = told
    found = next((each for each in conditions if each["type"] == kind), None)
    if found is None:
        found = {"type": kind, "status": "", "lastTransitionTime": now, "reason": "", "message": ""}
        conditions.append(found)
    if found["status"] != status:
        found["lastTransitionTime"] = now
    found.update(status=status, reason=reason, message=message)
