"""The garbage collector: what becomes of objects whose owners go (pkg/controller/garbagecollector).

It keeps a graph of who owns whom, of those objects only that own or are owned.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from dynkube.schema import GroupKind, GroupResource, GroupVersion
from dynkube.testing.apiserver.controllers.loop import Enqueue
from dynkube.testing.apiserver.registry import DeleteOptions, Registry, Scope, WriteOptions
from dynkube.testing.apiserver.registry.metadata import FOREGROUND, ORPHAN
from dynkube.testing.apiserver.storage import Entry, Event
from dynkube.testing.apiserver.words.resources import Object, Resource

__all__ = ["GarbageCollector"]

_MANAGER = WriteOptions(manager="kube-controller-manager")
_EVENTS = frozenset({GroupResource("", "events"), GroupResource("events.k8s.io", "events")})

Owner = Mapping[str, Any]


class _Orphaning(NamedTuple):
    """To let the dependents of an object go on living; other keys are uids, which are to be judged."""

    uid: str


@dataclass(slots=True)
class _Node:
    """An object that owns or is owned."""

    resource: GroupResource
    namespace: str
    name: str
    uid: str
    owners: Sequence[Owner] = ()
    is_ending: bool = False
    awaits_dependents: bool = False
    """It goes after its dependents (foreground deletion)."""


class GarbageCollector:
    """Deletes what nobody owns any more, in whatever way the owners were deleted."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._nodes: dict[str, _Node] = {}
        self._dependents: dict[str, dict[str, None]] = {}

    # ------------------------------------------------------------------ the graph

    def observe(self, resource: GroupResource, event: Event, enqueue: Enqueue) -> None:
        """See `Controller`."""
        if resource in _EVENTS:
            return
        entry = event.entry
        if entry is None:
            self._forget(event.subject, enqueue)
        elif entry.uid in self._nodes or b'"ownerReferences"' in entry.body or b'"deletionTimestamp"' in entry.body:
            self._learn(resource, entry, enqueue)

    def _learn(self, resource: GroupResource, entry: Entry, enqueue: Enqueue) -> None:
        metadata = entry.object()["metadata"]
        node = self._nodes.get(entry.uid)
        if node is None:
            node = self._nodes[entry.uid] = _Node(resource, entry.namespace, entry.name, entry.uid)
        self._set_owners(node, metadata.get("ownerReferences", ()), enqueue)
        finalizers = metadata.get("finalizers", ())
        node.is_ending = "deletionTimestamp" in metadata
        if node.is_ending and ORPHAN in finalizers:
            enqueue(_Orphaning(node.uid))
        waited = node.awaits_dependents
        node.awaits_dependents = node.is_ending and FOREGROUND in finalizers
        if node.awaits_dependents and not waited:
            for uid in self._dependents.get(node.uid, ()):
                enqueue(uid)
            enqueue(node.uid)

    def _set_owners(self, node: _Node, owners: Sequence[Owner], enqueue: Enqueue) -> None:
        if owners == node.owners:
            return
        blocking = {each["uid"] for each in owners if each.get("blockOwnerDeletion")}
        for each in node.owners:
            self._dependents.get(each["uid"], {}).pop(node.uid, None)
            if each.get("blockOwnerDeletion") and each["uid"] not in blocking:
                enqueue(each["uid"])
        node.owners = owners
        for each in owners:
            self._dependents.setdefault(each["uid"], {})[node.uid] = None
        if owners:
            enqueue(node.uid)

    def _forget(self, entry: Entry, enqueue: Enqueue) -> None:
        for uid in self._dependents.get(entry.uid, ()):
            enqueue(uid)
        node = self._nodes.pop(entry.uid, None)
        for each in node.owners if node is not None else ():
            uid = each["uid"]
            self._dependents.get(uid, {}).pop(entry.uid, None)
            if not self._dependents.get(uid):
                self._dependents.pop(uid, None)
            owner = self._nodes.get(uid)
            if owner is not None and owner.awaits_dependents:
                enqueue(uid)

    # ------------------------------------------------------------------ the work

    def sync(self, key: Hashable, enqueue: Enqueue) -> None:
        """See `Controller`."""
        if isinstance(key, _Orphaning):
            self._orphan(key.uid)
            return
        node = self._nodes.get(str(key))
        if node is None or (node.is_ending and not node.awaits_dependents):
            return
        found = self._find(node)
        if found is None:
            return
        if node.awaits_dependents:
            self._await_dependents(node, enqueue)
        elif node.owners:
            self._judge(node, found)

    def _judge(self, node: _Node, obj: Object) -> None:
        """Delete it, unless one of its owners lives (attemptToDeleteItem)."""
        owners = obj["metadata"].get("ownerReferences", ())
        states = {id(each): self._state(node, each) for each in owners}
        if None in states.values():  # an owner of a kind that nobody serves, or that cannot be one: never judged
            return
        gone = [each["uid"] for each in owners if states[id(each)] != "solid"]
        if len(gone) < len(owners):
            if gone:
                self._remove_owners(node, gone)
            return
        if "waiting" in states.values() and self._dependents.get(node.uid):
            self._delete_foreground(node)
            return
        finalizers = obj["metadata"].get("finalizers", ())
        policy = "Orphan" if ORPHAN in finalizers else "Foreground" if FOREGROUND in finalizers else "Background"
        self._delete(node, policy)

    def _state(self, node: _Node, owner: Owner) -> str | None:
        """``solid``, ``dangling`` or ``waiting`` for its dependents; None where that cannot be told."""
        group_version = GroupVersion.parse(owner["apiVersion"])
        kind = GroupKind(group_version.group, owner["kind"])
        resource = self._registry.catalog.find_kind(kind, group_version.version)
        if resource is None or (resource.namespaced and not node.namespace):
            return None
        namespace = node.namespace if resource.namespaced else ""
        entry = self._registry.store.find(resource, namespace, owner["name"])
        if entry is None or entry.uid != owner["uid"]:
            return "dangling"
        found = self._nodes.get(entry.uid)
        return "waiting" if found is not None and found.awaits_dependents else "solid"

    def _delete_foreground(self, node: _Node) -> None:
        """It has dependents of its own, which are to go first; a circle of those would wait for ever."""
        dependents = [self._nodes[uid] for uid in self._dependents.get(node.uid, ()) if uid in self._nodes]
        if any(each.awaits_dependents for each in dependents):
            self._change(node, _unblock)
        self._delete(node, "Foreground")

    def _await_dependents(self, node: _Node, enqueue: Enqueue) -> None:
        """It can go when no dependent blocks it (processDeletingDependentsItem)."""
        blocking = [
            self._nodes[uid]
            for uid in self._dependents.get(node.uid, ())
            if uid in self._nodes and _blocks(self._nodes[uid], node.uid)
        ]
        if not blocking:
            self._remove_finalizer(node, FOREGROUND)
        for each in blocking:
            if not each.awaits_dependents:
                enqueue(each.uid)

    def _orphan(self, uid: str) -> None:
        node = self._nodes.get(uid)
        if node is None:
            return
        for each in tuple(self._dependents.get(uid, ())):
            if each in self._nodes:
                self._remove_owners(self._nodes[each], [uid])
        self._remove_finalizer(node, ORPHAN)

    # ------------------------------------------------------------------ writes

    def _resource(self, about: GroupResource) -> Resource | None:
        versions = self._registry.catalog.versions(about)
        return versions[0] if versions else None

    def _scope(self, node: _Node) -> Scope | None:
        resource = self._resource(node.resource)
        if resource is None:
            return None
        return Scope(resource=resource, namespace=node.namespace, name=node.name)

    def _find(self, node: _Node) -> Object | None:
        scope = self._scope(node)
        entry = None if scope is None else self._registry.find(scope)
        return entry.object() if entry is not None and entry.uid == node.uid else None

    def _delete(self, node: _Node, policy: str) -> None:
        scope = self._scope(node)
        if scope is not None:
            self._registry.delete(scope, DeleteOptions(uid=node.uid, propagation_policy=policy))

    def _change(self, node: _Node, change: Callable[[dict[str, Any]], None]) -> None:
        scope = self._scope(node)
        entry = None if scope is None else self._registry.find(scope)
        if scope is None or entry is None or entry.uid != node.uid:
            return
        self._registry.amend(scope, change, _MANAGER)

    def _remove_owners(self, node: _Node, uids: Sequence[str]) -> None:
        def change(metadata: dict[str, Any]) -> None:
            kept = [each for each in metadata.get("ownerReferences", ()) if each["uid"] not in uids]
            _set(metadata, "ownerReferences", kept)

        self._change(node, change)

    def _remove_finalizer(self, node: _Node, finalizer: str) -> None:
        def change(metadata: dict[str, Any]) -> None:
            _set(metadata, "finalizers", [each for each in metadata.get("finalizers", ()) if each != finalizer])

        self._change(node, change)


def _set(metadata: dict[str, Any], name: str, values: Sequence[Any]) -> None:
    if values:
        metadata[name] = values
    else:
        metadata.pop(name, None)


def _unblock(metadata: dict[str, Any]) -> None:
    """Whoever owns it does not wait for it (unblockOwnerReferencesStrategicMergePatch)."""
    metadata["ownerReferences"] = [
        {**each, "blockOwnerDeletion": False} if each.get("blockOwnerDeletion") else each
        for each in metadata.get("ownerReferences", ())
    ]


def _blocks(dependent: _Node, uid: str) -> bool:
    return any(each["uid"] == uid and each.get("blockOwnerDeletion") for each in dependent.owners)
