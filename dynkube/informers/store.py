"""The store: what an informer writes and everybody reads.

The counterparts in client-go are CG/tools/cache/store.go and CG/tools/cache/thread_safe_store.go.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dynkube.errors import InformerError, InvalidRequestError, MutatedObjectError
from dynkube.informers.compact import StoredObject
from dynkube.informers.indexer import Indexer
from dynkube.informers.indexes import Index, Item, key_of_item
from dynkube.informers.keys import Key, key_text, object_key
from dynkube.records import RawObject, record_of
from dynkube.unstructured import resource_version_of

__all__ = ["Store"]

_log = logging.getLogger("dynkube.informers")


class Store(Indexer):
    """An `Indexer` with the writer's side: an informer has one, and hands out its reading side.

    It can be used alone, too. Writers wait for each other; readers see each call of theirs whole or not at all.

    Example:
        >>> store = Store({"node": lambda pod: [pod["spec"]["nodeName"]]})
        >>> store.add({"metadata": {"namespace": "shop", "name": "api"}, "spec": {"nodeName": "n1"}})
        >>> [pod["metadata"]["name"] for pod in store.by_index("node", "n1")], store.get("shop/web")
        (['api'], None)
    """

    def admit(self, obj: Mapping[str, Any] | RawObject) -> Item:
        """An object in the form that this store keeps.

        Args:
            obj: A dict, which then belongs to the store, or a record.

        Raises:
            DecodeError: It is no Kubernetes object.
        """
        if isinstance(obj, StoredObject):
            obj = obj.record
        if isinstance(obj, RawObject):
            return obj if self.compact else obj.decode()
        if self.compact:
            return record_of(obj)
        return obj if isinstance(obj, dict) else dict(obj)

    def add(self, obj: Mapping[str, Any]) -> None:
        """Put an object in, in place of the one of its key.

        Raises:
            InvalidRequestError: It has no name.
        """
        self.commit([(object_key(obj), self.admit(obj))], resource_version_of(obj))

    update = add

    def delete(self, key: Key | Mapping[str, Any]) -> None:
        """Take an object out; one that is not there stays away.

        Args:
            key: Its key, or the object.

        Raises:
            InvalidRequestError: It is neither.
        """
        if isinstance(key, Mapping):
            self.commit([(object_key(key), None)], resource_version_of(key))
        else:
            self.commit([(key_text(key), None)])

    def replace(self, objects: Iterable[Mapping[str, Any]], resource_version: str = "") -> None:
        """Have exactly these objects, in one transaction.

        Raises:
            InvalidRequestError: They are none, or one of them has no name; nothing was changed.
        """
        if not isinstance(objects, Iterable):
            raise InvalidRequestError(f"objects: want a list of objects, got {objects!r}")
        new = {object_key(obj): self.admit(obj) for obj in objects}
        gone = [key for key in self.keys() if key not in new]
        self.commit([*((key, None) for key in gone), *new.items()], resource_version)

    def foresee(self, item: Item) -> None:
        """An object is to come with the next `commit`: what that would do for each object may be done now."""
        if isinstance(item, RawObject):
            for index in self._indexes.values():
                index.foresee(item)

    def forget_foreseen(self) -> None:
        """What was foreseen may not come."""
        for index in self._indexes.values():
            index.forget_foreseen()

    def commit(self, changes: Sequence[tuple[str, Item | None]], resource_version: str = "") -> list[Item | None]:
        """Make a transaction.

        An index function that fails with an object is logged, and the object is then not to be found by that index:
        a store that refused the object would lack it altogether.

        Args:
            changes: In this order: a key and what it has from now on, from `admit`; None takes it out.
            resource_version: The version of the collection from then on; ``""`` leaves it as it is.

        Returns:
            What each of the keys had before.

        Raises:
            InvalidRequestError: A change is not of this shape.
        """
        with self._writing:
            indexes = list(self._indexes.values())
            filed = [[_values(index, key, item) for index in indexes] for key, item in changes]
            with self._lock:
                before = [
                    self._put(key, item, indexes, values) for (key, item), values in zip(changes, filed, strict=True)
                ]
                if resource_version:
                    self._resource_version = resource_version
            self.forget_foreseen()
            self._clear_up(changes, before)
        return before

    def _put(self, key: str, item: Item | None, indexes: list[Index], values: list[tuple[str, ...]]) -> Item | None:
        if item is None:
            before = self._items.pop(key, None)
        else:
            before = self._items.get(key)
            self._items[key] = item
        for index, new in zip(indexes, values, strict=True):
            index.move(key, new)
        return before

    def _clear_up(self, changes: Sequence[tuple[str, Item | None]], before: list[Item | None]) -> None:
        for (key, item), old in zip(changes, before, strict=True):
            if self._detector is not None:
                self._detector.check(key, old, who="somebody who read it")
                self._detector.track(key, item)
            if isinstance(old, RawObject):
                self._recent.forget(old)

    # ------------------------------------------------------------------ debug mode

    @property
    def detects_mutations(self) -> bool:
        """Whether it finds those who change its objects."""
        return self._detector is not None

    @property
    def mutations(self) -> Sequence[MutatedObjectError]:
        """What was found to be changed, the first one first; empty without the debug mode."""
        return () if self._detector is None else tuple(self._detector.found)

    def check_mutations(self, *items: Item, who: str) -> None:
        """Look whether objects were changed, say by whom, and mend them; does nothing without the debug mode.

        Args:
            items: Which ones; all of them if none is given.
            who: Who may have done it.
        """
        if self._detector is None:
            return
        if not items:
            self._detector.check_all(who=who)
        for item in items:
            self._detector.check(key_of_item(item), item, who=who)


def _values(index: Index, key: str, item: Item | None) -> tuple[str, ...]:
    if item is None:
        return ()
    try:
        return index.values_of(item)
    except InformerError as error:
        _log.error("%s is not indexed: %s", key, error)
        return ()
