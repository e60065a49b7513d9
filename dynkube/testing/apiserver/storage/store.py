"""The store: one revision counter, a collection of entries and a log for each resource.

What etcd and the watch caches of kube-apiserver are together. It is owned by one event loop; every
method returns at once. Nothing is validated here but names that are taken and resourceVersions:
rules are the registry's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from dynkube.schema import GroupResource
from dynkube.testing.apiserver.storage.collection import Collection
from dynkube.testing.apiserver.storage.entries import Entry, key_of
from dynkube.testing.apiserver.storage.eventlog import Event, EventLog
from dynkube.testing.apiserver.storage.lists import Page, list_entries
from dynkube.testing.apiserver.storage.options import ListOptions, parse_revision
from dynkube.testing.apiserver.storage.rendering import FrameCache, Rendering
from dynkube.testing.apiserver.storage.watches import Watch
from dynkube.testing.apiserver.words import statuses
from dynkube.testing.apiserver.words.resources import Object, Resource

__all__ = ["Listener", "Snapshot", "Store"]

Listener = Callable[[GroupResource, Event], None]

# What etcd takes, and what the client of etcd sends.
_ETCD_BYTES = 3 * 2**19
_MESSAGE_BYTES = 2**21


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All objects at one moment; see `Store.snapshot`."""

    entries: Mapping[GroupResource, Mapping[str, Entry]]


class Store:
    """All objects of a server, and their past.

    Attributes:
        revision: Of the latest write.
        encodings: How often an object was encoded: once for each write, however many lists and
            watches hand it out.
    """

    def __init__(self) -> None:
        self.revision = 1
        self.encodings = 0
        self._collections: dict[GroupResource, Collection] = {}
        self._frames: dict[GroupResource, FrameCache] = {}
        self._compacted = 0
        self._listeners: list[Listener] = []

    def __repr__(self) -> str:
        return f"<Store at {self.revision}>"

    # ------------------------------------------------------------------ writes

    def create(self, resource: Resource, obj: Object) -> Entry:
        """Store a new object, in its storage version, and set its metadata.resourceVersion in place.

        Raises:
            StatusError: 409, the name is taken; 500, the object is too large.
        """
        collection = self._of(resource.storage_resource)
        metadata = obj["metadata"]
        name = metadata["name"]
        if collection.get(key_of(metadata.get("namespace") or "", name)) is not None:
            raise statuses.already_exists(resource.group_resource, name)
        return self._put(collection, resource, obj)

    def update(self, resource: Resource, obj: Object) -> Entry:
        """Store a changed object, and set its metadata.resourceVersion in place.

        Whether the change is based on the current state is the caller's to look at: nothing can
        come in between.

        Raises:
            StatusError: 404, it is not there; 500, the object is too large.
        """
        collection = self._of(resource.storage_resource)
        metadata = obj["metadata"]
        name = metadata["name"]
        if collection.get(key_of(metadata.get("namespace") or "", name)) is None:
            raise statuses.not_found(resource.group_resource, name)
        return self._put(collection, resource, obj)

    def delete(self, resource: Resource, namespace: str, name: str) -> Entry:
        """Remove an object.

        Returns:
            What it was last, with the revision of the deletion as its resourceVersion.

        Raises:
            StatusError: 404, it is not there.
        """
        collection = self._of(resource.storage_resource)
        key = key_of(namespace, name)
        if collection.get(key) is None:
            raise statuses.not_found(resource.group_resource, name)
        event = collection.remove(key, self._next())
        self._tell(resource.storage_resource, event)
        self.encodings += 1
        return event.departed

    def _put(self, collection: Collection, resource: Resource, obj: Object) -> Entry:
        revision = self.revision + 1
        metadata = obj["metadata"]
        metadata["resourceVersion"] = str(revision)
        fields = {"metadata.name": metadata["name"], **resource.strategy.selectable_fields(obj)}
        if resource.namespaced:
            fields["metadata.namespace"] = metadata["namespace"]
        entry = Entry(resource.strategy.arranged(obj), revision, fields)
        _check_size(len(entry.body))
        self._next()
        self.encodings += 1
        self._tell(resource.storage_resource, collection.put(entry))
        return entry

    def _next(self) -> int:
        self.revision += 1
        return self.revision

    def _tell(self, resource: GroupResource, event: Event) -> None:
        for listener in tuple(self._listeners):
            listener(resource, event)

    # ------------------------------------------------------------------ reads

    def get(self, resource: Resource, namespace: str, name: str, resource_version: str = "") -> Entry:
        """The current state of an object, not older than a resourceVersion.

        Raises:
            StatusError: 404, it is not there; 504, the resourceVersion lies in the future; 500, it is
                no number.
        """
        if resource_version:
            self._require(self._revision(resource_version))
        entry = self.find(resource, namespace, name)
        if entry is None:
            raise statuses.not_found(resource.group_resource, name)
        return entry

    def find(self, resource: Resource, namespace: str, name: str) -> Entry | None:
        """The current state of an object, None where there is none."""
        return self._of(resource.storage_resource).get(key_of(namespace, name))

    def entries(self, resource: Resource, namespace: str = "") -> Sequence[Entry]:
        """The current states of all objects, of a namespace or at all, in the order of a list."""
        return self._of(resource.storage_resource).current(namespace)

    def list(self, resource: Resource, namespace: str, options: ListOptions) -> Page:
        """One page of a list, as resourceVersion, its match, limit and continue want it.

        ``options`` are valid: see `validate_list_options`.

        Raises:
            StatusError: 400, a resourceVersion or token that is none; 410, one that is too old; 504,
                one of the future.
        """
        collection = self._of(resource.storage_resource)
        return list_entries(collection, namespace, options, namespaced=resource.namespaced, latest=self.revision)

    def watch(self, resource: Resource, namespace: str, options: ListOptions, rendering: Rendering) -> Watch:
        """A watch; iterate over it for the bytes to send. ``options`` are valid and defaulted.

        What is wrong with its resourceVersion (too old, or of the future) comes as an ERROR event.

        Raises:
            StatusError: 500, the resourceVersion is no number.
        """
        self._revision(options.resource_version)
        return Watch(
            self._of(resource.storage_resource),
            self._frames.setdefault(resource.storage_resource, FrameCache()),
            lambda: self.revision,
            namespace=namespace,
            options=options,
            rendering=rendering,
        )

    @property
    def renderings(self) -> int:
        """How many frames of events were made for watches; watches that see the same share them."""
        return sum(each.made for each in self._frames.values())

    def history(self, resource: GroupResource, namespace: str, name: str) -> Sequence[Event]:
        """What the log remembers of one object, the oldest first."""
        return tuple(self._of(resource).history(key_of(namespace, name)))

    def count(self, resource: GroupResource) -> int:
        """How many objects there are."""
        return len(self._of(resource))

    def _of(self, resource: GroupResource) -> Collection:
        collection = self._collections.get(resource)
        return self._open(resource, 1) if collection is None else collection

    def _open(self, resource: GroupResource, start: int) -> Collection:
        log = EventLog(max(start, self._compacted), compacted=self._compacted)
        collection = self._collections[resource] = Collection(log)
        return collection

    @staticmethod
    def _revision(resource_version: str) -> int:
        try:
            return parse_revision(resource_version)
        except ValueError as error:
            # A get and a watch answer the bare error, a list wraps it.
            raise statuses.StatusError(statuses.status(500, "", str(error))) from None

    def _require(self, revision: int) -> None:
        if revision > self.revision:
            raise statuses.resource_version_too_large(revision, self.revision)

    # ------------------------------------------------------------------ the whole

    def subscribe(self, listener: Listener) -> None:
        """Call this after each write, with the resource and what happened; it must not raise or write.

        A listener that wants to write does so later (``loop.call_soon``).
        """
        self._listeners.append(listener)

    def reread(self, resource: Resource, change: Callable[[Object], Object]) -> None:
        """Have all objects of a resource look as ``change`` makes them, at the revisions that they have.

        What a server does that reads them anew because their definition changed: it is no write.
        """
        collection = self._of(resource.storage_resource)
        for entry in collection.current():
            collection.swap(Entry(change(entry.object()), entry.revision, entry.fields))

    def open(self, resource: GroupResource) -> None:
        """Begin to keep a resource that is served from now on; its watches cannot start from before."""
        if resource not in self._collections:
            self._open(resource, self.revision)

    def end_watches(self, resource: GroupResource) -> None:
        """End the watches of a resource, which stays."""
        self._collections[resource].log.end_watches()

    def forget(self, resource: GroupResource) -> None:
        """Drop a resource that is no longer served: its objects, its past, its watches."""
        self._frames.pop(resource, None)
        collection = self._collections.pop(resource, None)
        if collection is not None:
            collection.log.close()

    def expire_history(self) -> None:
        """Make every resourceVersion and continue token so far too old, as a compaction of etcd does."""
        self._compacted = self._next()
        for collection in self._collections.values():
            collection.log.expire(self._compacted)

    def snapshot(self) -> Snapshot:
        """All objects as they are now; cheap, since entries never change."""
        return Snapshot(
            {resource: {each.key: each for each in found.current()} for resource, found in self._collections.items()}
        )

    def restore(self, snapshot: Snapshot) -> None:
        """Bring back what was, and forget the past.

        Only what differs is written, as events that listeners see; then there is no history any more.
        """
        for resource, collection in list(self._collections.items()):
            wanted = snapshot.entries.get(resource, {})
            self._remove(resource, collection, (each for each in collection.current() if each.key not in wanted))
        for resource, wanted in snapshot.entries.items():
            self._restore(resource, wanted.values())
        self.expire_history()
        for collection in self._collections.values():
            collection.log.clear(self._compacted)

    def _remove(self, resource: GroupResource, collection: Collection, entries: Iterable[Entry]) -> None:
        for entry in entries:
            self._tell(resource, collection.remove(entry.key, self._next()))

    def _restore(self, resource: GroupResource, entries: Iterable[Entry]) -> None:
        collection = self._of(resource)
        for entry in entries:
            if collection.get(entry.key) is not entry:
                self.encodings += 1
                self._tell(resource, collection.put(entry.at(self._next())))


def _check_size(size: int) -> None:
    """Refuse what etcd would not take, in its words, or those of the way to it."""
    if size > _MESSAGE_BYTES:
        problem = f"trying to send message larger than max ({size} vs. {_MESSAGE_BYTES})"
        raise statuses.unexpected(f"rpc error: code = ResourceExhausted desc = {problem}")
    if size > _ETCD_BYTES:
        raise statuses.unexpected("etcdserver: request is too large")
