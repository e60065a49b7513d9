"""Where the store changes and the handlers learn of it: the sink of an informer's reflector.

The counterparts in client-go are processDeltas of CG/tools/cache/controller.go and the sharedProcessor of
CG/tools/cache/shared_informer.go.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from dynkube.errors import InvalidRequestError
from dynkube.informers.compact import StoredTombstone
from dynkube.informers.handlers import Tombstone
from dynkube.informers.indexes import Item, key_of_item
from dynkube.informers.keys import object_name
from dynkube.informers.registration import HandlerRegistration, Notification
from dynkube.informers.sharing import share_unchanged
from dynkube.informers.store import Store
from dynkube.informers.waiting import Latch
from dynkube.records import RawObject
from dynkube.unstructured import resource_version_of, uid_of
from dynkube.wire.watch import AnyWatchEvent, EventType, WatchEvent

__all__ = ["Dispatcher", "Transform"]

_log = logging.getLogger("dynkube.informers")

Transform: TypeAlias = Callable[[dict[str, Any]], dict[str, Any]]
"""Takes an object before it is stored, and gives what is stored in its place."""


class _Change(NamedTuple):
    """One event, ready for the store and for the handlers."""

    key: str
    new: Item | None  # what the store has from now on
    final: Item | None  # of a deletion that was seen: the final state


class Dispatcher:
    """Puts what a reflector tells into a store, and tells handlers what that has changed.

    One lock keeps the changes of the store and the arrival of handlers apart: a handler that comes late is told of
    everything that is there, and then of every change, none missing and none twice (7.4.2).

    Args:
        store: Where the objects go.
        name: The informer's, for logs.
        transform: Is given each object first; None leaves them as they are.
        split_by_uid: Whether an object that was deleted and made anew unseen is told as a delete and an add; as one
            update with another uid else.
        on_error: Called with each failure of the reflector.
    """

    def __init__(
        self,
        store: Store,
        *,
        name: str,
        transform: Transform | None,
        split_by_uid: bool,
        on_error: Callable[[Exception, float | None], object],
    ) -> None:
        self._store = store
        self._name = name
        self.transform = transform
        self._split_by_uid = split_by_uid
        self._on_error = on_error
        self._changing = threading.Lock()
        self.registrations: tuple[HandlerRegistration, ...] = ()
        self._removed: list[HandlerRegistration] = []  # whose threads may run
        self.synced = Latch()
        self.retry_in: float | None = None

    def renew_after_fork(self) -> None:
        """No thread of the parent holds these locks."""
        self._changing = threading.Lock()
        self.synced.renew_after_fork()
        for registration in self.registrations:
            registration.renew_after_fork()

    # ------------------------------------------------------------------ the reflector's side

    def admit(self, event: AnyWatchEvent) -> AnyWatchEvent:
        """What `apply` is to be told of an event that comes: its object transformed, and in the store's form.

        During the first list the transform and the index functions so work while the rest of it is on its way.
        """
        try:
            item = self._admitted(event.object)
        except InvalidRequestError:
            return event  # without a name: `apply` leaves it out
        if not self.synced.is_set:
            self._store.foresee(item)
        return event if item is event.object else WatchEvent(event.type, item)

    def apply(self, batch: Sequence[AnyWatchEvent], resource_version: str) -> None:
        """Make the changes, which were all admitted, in one transaction, and tell the handlers (`reflector.Sink`)."""
        changes = self._changes(batch)
        with self._changing:
            before = self._store.commit([(each.key, each.new) for each in changes], resource_version)
            if self.registrations:
                told = self._notifications(changes, before)
                for registration in self.registrations:
                    registration.put(told)

    def replaced(self, resource_version: str) -> None:
        """The store is complete (`dynkube.informers.reflector.Sink`)."""
        with self._changing:
            self._store.commit((), resource_version)
            if not self.synced.is_set:
                for registration in self.registrations:
                    registration.put_synced()
                self.synced.set()
                _log.info("informer %s has synced: %d objects, at %s", self._name, len(self._store), resource_version)

    def failed(self, error: Exception, retry_in: float | None) -> None:
        """Something failed (`dynkube.informers.reflector.Sink`)."""
        self.retry_in = retry_in
        self._store.forget_foreseen()
        self._on_error(error, retry_in)

    def end(self) -> None:
        """Nothing will be told any more: who waits for the first list, waits in vain."""
        with self._changing:
            self.synced.release()
            if not self.synced.is_set:
                for registration in self.registrations:
                    registration.release()

    # ------------------------------------------------------------------ the handlers' side

    def join(self, registration: HandlerRegistration) -> None:
        """Add a handler; it is told of what is there, and then of every change."""
        with self._changing:
            at = time.monotonic()
            registration.put([Notification("add", None, item, True, at) for item in self._store.items()])
            if self.synced.is_set:
                registration.put_synced()
            self.registrations = (*self.registrations, registration)

    def leave(self, registration: HandlerRegistration) -> None:
        """Take a handler out; one that is not there stays away."""
        with self._changing:
            self.registrations = tuple(each for each in self.registrations if each is not registration)
            self._removed = [*(each for each in self._removed if each.is_running), registration]
        registration.close()

    @property
    def running(self) -> list[HandlerRegistration]:
        """The handlers whose threads run, those that were removed included."""
        return [each for each in (*self.registrations, *self._removed) if each.is_running]

    def feed(self, registration: HandlerRegistration) -> None:
        """Tell one handler of everything that is there as an update from itself to itself: a resync (7.4.3)."""
        with self._changing:
            at = time.monotonic()
            registration.put([Notification("resync", item, item, at=at) for item in self._store.items()])

    def show(self, item: Item, is_tombstone: bool) -> Mapping[str, Any]:
        """What a handler gets of an item."""
        if not is_tombstone:
            return self._store.view(item)
        return StoredTombstone(item) if isinstance(item, RawObject) else Tombstone(item)

    # ------------------------------------------------------------------ inner workings

    def _changes(self, batch: Sequence[AnyWatchEvent]) -> list[_Change]:
        changes: list[_Change] = []
        for position, event in enumerate(batch):
            key = _key_or_none(event)
            if key is None:  # no API server has such objects
                _log.error("informer %s leaves out what is no object: it has no metadata.name", self._name)
                continue
            if event.type is not EventType.DELETED:
                changes.append(_Change(key, self._shared(key, event.object), None))
            elif not event.final_state_unknown:
                changes.append(_Change(key, None, event.object))
            elif self._split_by_uid or not _made_anew(key, batch, position):
                changes.append(_Change(key, None, None))
        return changes

    def _admitted(self, obj: dict[str, Any] | RawObject) -> Item:
        if self.transform is None:
            return self._store.admit(obj)
        try:
            return self._store.admit(self._transformed(obj.decode() if isinstance(obj, RawObject) else _copied(obj)))
        except BaseException:  # noqa: BLE001 - someone else's code; without the object the store would say there is none
            key = key_of_item(obj)
            _log.exception("informer %s: the transform failed with %s, which is kept as it is", self._name, key)
            return self._store.admit(obj)

    def _shared(self, key: str, new: Item) -> Item:
        if isinstance(new, dict):
            old = self._store.item(key)
            if isinstance(old, dict):
                share_unchanged(old, new)
        return new

    def _transformed(self, obj: dict[str, Any]) -> dict[str, Any]:
        assert self.transform is not None
        name, version, uid = object_name(obj), resource_version_of(obj), uid_of(obj)
        changed = _checked_dict(self.transform(obj))
        if (_name_or_none(changed), resource_version_of(changed), uid_of(changed)) != (name, version, uid):
            _log.error(
                "informer %s: the transform took metadata of %s that the store needs (namespace, name, uid, "
                "resourceVersion): they are put back",
                self._name,
                name,
            )
            needed = {"namespace": name.namespace, "name": name.name, "uid": uid, "resourceVersion": version}
            metadata = changed.get("metadata")
            kept = metadata if isinstance(metadata, dict) else {}
            changed["metadata"] = {**kept, **{field: value for field, value in needed.items() if value}}
        return changed

    def _notifications(self, changes: Sequence[_Change], before: Sequence[Item | None]) -> list[Notification]:
        told: list[Notification] = []
        initial, at = not self.synced.is_set, time.monotonic()
        for change, old in zip(changes, before, strict=True):
            if change.new is None:
                if old is not None:
                    final, unknown = (old, True) if change.final is None else (change.final, False)
                    told.append(Notification("delete", final, None, unknown, at))
            elif old is None:
                told.append(Notification("add", None, change.new, initial, at))
            elif not _is_same(old, change.new):
                told.append(Notification("update", old, change.new, False, at))
            # Else nothing has changed: only a resync tells of that (7.4.3).
        return told


def _copied(obj: dict[str, Any]) -> dict[str, Any]:
    """A copy for a transform, which may fail half-way: of its fields and of its metadata, not of what is in these."""
    metadata = obj.get("metadata")
    return {**obj, "metadata": {**metadata}} if isinstance(metadata, dict) else {**obj}


def _key_or_none(event: AnyWatchEvent) -> str | None:
    try:
        return key_of_item(event.object)
    except InvalidRequestError:
        return None


def _name_or_none(obj: dict[str, Any]) -> object:
    metadata = obj.get("metadata")
    if not isinstance(metadata, dict) or not metadata.get("name"):
        return None
    return object_name(obj)


def _made_anew(key: str, batch: Sequence[AnyWatchEvent], position: int) -> bool:
    """Whether the next event brings the object back that this one takes away."""
    if position + 1 == len(batch):
        return False
    after = batch[position + 1]
    return after.type is not EventType.DELETED and _key_or_none(after) == key


def _checked_dict(changed: object) -> dict[str, Any]:
    if not isinstance(changed, dict):
        raise TypeError(f"a transform must give a dict, not {type(changed).__name__}")
    return changed


def _is_same(old: Item, new: Item) -> bool:
    if isinstance(old, RawObject) and isinstance(new, RawObject):
        return old.resource_version == new.resource_version != "" and old.uid == new.uid
    assert isinstance(old, dict)
    assert isinstance(new, dict)
    return resource_version_of(old) == resource_version_of(new) != "" and uid_of(old) == uid_of(new)
