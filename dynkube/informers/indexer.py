"""What readers see of a store: objects by key, by index and by selector.

The counterpart in client-go is the Indexer of CG/tools/cache/index.go.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from dynkube.arguments import checked_count, checked_flag, checked_text
from dynkube.codec import gc_paused
from dynkube.errors import IndexConflictError, InvalidRequestError, UnknownIndexError
from dynkube.fields import FieldSelector, field_selector_of
from dynkube.forks import renew_in_child
from dynkube.informers.compact import RecentlyDecoded, StoredObject
from dynkube.informers.indexes import (
    NAMESPACE_INDEX,
    Index,
    IndexFunction,
    Item,
    index_by_labels,
    index_by_namespace,
    indexes_of,
    labels_of_item,
)
from dynkube.informers.keys import Key, key_text
from dynkube.informers.mutations import MutationDetector
from dynkube.labels import LabelSelector, Operator, label_selector_of
from dynkube.records import RawObject
from dynkube.unstructured import namespace_of

__all__ = ["Indexer"]

# The class has a method of the name list.
_Objects: TypeAlias = list[dict[str, Any]]
_Keys: TypeAlias = list[str]
_Items: TypeAlias = list[Item]
_Buckets: TypeAlias = list[dict[str, None]]
_Found: TypeAlias = list[tuple[str, Item]]

_OUTSIDE = frozenset({"metadata.name", "metadata.namespace"})


class Indexer:
    """A local copy of objects, to be read from any thread.

    Each call sees every transaction of the writer whole or not at all, and two calls one after the other never see an
    older state in the second. What is handed out is shared: read it, and change only copies.

    With ``compact`` the objects are kept as bytes, and decoded for whoever asks: `get` remembers the ``recent`` objects
    that it decoded last; `list` and `by_index` decode what they return, and keep nothing. Selectors of labels, of
    ``metadata.name`` and ``metadata.namespace``, and the indexes by namespace, labels and owner decode nothing; other
    field selectors and index functions decode what they look at, of each object, and keep nothing.

    Args:
        indexers: Index functions by name.
        compact: Whether objects are kept as bytes.
        recent: How many of these stay decoded.
        detect_mutations: Debug mode: find whoever changes an object of the store.

    Raises:
        InvalidRequestError: ``recent`` is no whole number from 0 on, a flag is none, or ``indexers`` are no functions.
    """

    def __init__(
        self,
        indexers: Mapping[str, IndexFunction] | None = None,
        *,
        compact: bool = False,
        recent: int = 128,
        detect_mutations: bool = False,
    ) -> None:
        self.compact = checked_flag("compact", compact)
        self._make_locks()
        self._items: dict[str, Item] = {}
        self._indexes = indexes_of(indexers)
        self._recent = RecentlyDecoded(checked_count("recent", recent))
        self._detector = MutationDetector(self._recent) if checked_flag("detect_mutations", detect_mutations) else None
        self._resource_version = ""
        renew_in_child(self)

    def _make_locks(self) -> None:
        self._lock = threading.Lock()  # held for moments: to read, and to make a transaction seen
        self._writing = threading.Lock()  # one writer

    def renew_after_fork(self) -> None:
        """No thread of the parent holds these locks."""
        self._make_locks()
        self._recent.renew_after_fork()
        if self._detector is not None:
            self._detector.renew_after_fork()

    # ------------------------------------------------------------------ by key

    def get(self, key: Key) -> dict[str, Any] | None:
        """The object of this key, None where there is none.

        Args:
            key: ``"namespace/name"``, ``"name"`` of a cluster-scoped object, or ``(namespace, name)``.

        Raises:
            InvalidRequestError: It is no key.
        """
        if type(key) is not str:
            key = key_text(key)
        with self._lock:
            item = self._items.get(key)
        if self._detector is not None:
            self._check(((key, item),))
        return self._recent.decoded(item) if isinstance(item, RawObject) else item

    def __contains__(self, key: object) -> bool:
        with self._lock:
            return key_text(key) in self._items  # type: ignore[arg-type]  # says what is wrong with it

    def __len__(self) -> int:
        with self._lock:
            return len(self._items)

    def __bool__(self) -> bool:
        """True: an indexer without objects is one, too."""
        return True

    @property
    def resource_version(self) -> str:
        """The version of the collection that this is the state of; ``""`` before the first object."""
        return self._resource_version

    @property
    def decoded_objects(self) -> int:
        """How many objects a compact store holds decoded at this moment."""
        return len(self._recent)

    # ------------------------------------------------------------------ by selector

    def list(
        self,
        *,
        namespace: str = "",
        label_selector: str | LabelSelector | None = None,
        field_selector: str | FieldSelector | None = None,
    ) -> _Objects:
        """The objects that are selected, as one moment has them.

        Args:
            namespace: Of this namespace only; ``""`` for all.
            label_selector: ``"app=api,tier!=web"``.
            field_selector: ``"metadata.name=api"``; any path to a value, ``"spec.nodeName=n1"``.

        Raises:
            InvalidRequestError: A selector does not parse or is none, or the namespace is no text.
        """
        return self._hand_out(self._select(namespace, label_selector, field_selector))

    def iter(
        self,
        *,
        namespace: str = "",
        label_selector: str | LabelSelector | None = None,
        field_selector: str | FieldSelector | None = None,
    ) -> Iterator[Mapping[str, Any]]:
        """As `list`, but each object as a handler gets it: in compact mode it is decoded when one looks inside."""
        selected = self._select(namespace, label_selector, field_selector)
        return (self.view(item) for _, item in selected)

    def keys(
        self,
        *,
        namespace: str = "",
        label_selector: str | LabelSelector | None = None,
        field_selector: str | FieldSelector | None = None,
    ) -> _Keys:
        """As `list`, but the keys alone."""
        return [key for key, _ in self._select(namespace, label_selector, field_selector)]

    # ------------------------------------------------------------------ by index

    def by_index(self, name: str, value: str) -> _Objects:
        """The objects that an index has under a value.

        Args:
            name: Of the index.
            value: One of those that its function gave.

        Raises:
            UnknownIndexError: There is no index of this name.
            InvalidRequestError: The value is no text.
        """
        if type(value) is not str:
            checked_text("value", value)
        with self._lock:
            found = self._found(self._index(name).buckets.get(value, ()))
        return self._hand_out(found)

    def index(self, name: str, obj: Mapping[str, Any]) -> _Objects:
        """The objects that share a value with ``obj``, which need not be here itself.

        Raises:
            UnknownIndexError: There is no index of this name.
            InformerError: Its function fails with this object.
            InvalidRequestError: It is no object.
        """
        if not isinstance(obj, Mapping):
            raise InvalidRequestError(f"obj: want an object, got {obj!r}")
        with self._lock:
            index = self._index(name)
        values = index.values_of(obj.record if isinstance(obj, StoredObject) else dict(obj))
        with self._lock:
            keys = dict.fromkeys(key for value in values for key in index.buckets.get(value, ()))
            found = self._found(keys)
        return self._hand_out(found)

    def index_keys(self, name: str, value: str) -> _Keys:
        """The keys that an index has under a value, sorted.

        Raises:
            UnknownIndexError: There is no index of this name.
            InvalidRequestError: The value is no text.
        """
        if type(value) is not str:
            checked_text("value", value)
        with self._lock:
            return sorted(self._index(name).buckets.get(value, ()))

    def list_index_func_values(self, name: str) -> _Keys:
        """The values that an index has objects under, sorted.

        Raises:
            UnknownIndexError: There is no index of this name.
        """
        with self._lock:
            return sorted(self._index(name).buckets)

    @property
    def indexers(self) -> dict[str, IndexFunction]:
        """The index functions by name."""
        with self._lock:
            return {name: index.function for name, index in self._indexes.items()}

    def add_indexers(self, indexers: Mapping[str, IndexFunction], *, keep_same: bool = False) -> None:
        """Add indexes, at any time: the objects that are here are indexed before this returns.

        Args:
            indexers: Functions by name. Each gets an object that it must not change, and gives a list of texts.
            keep_same: An index that has the same function already stays, in place of an error.

        Raises:
            IndexConflictError: One of the names is taken; none of the indexes was added.
            InformerError: A function fails with an object that is here; likewise.
            InvalidRequestError: It is no mapping of functions by name, or one cannot be called with an object.
        """
        new = indexes_of(indexers)
        with self._writing:
            if keep_same:
                there = self._indexes
                new = {
                    name: index
                    for name, index in new.items()
                    if name not in there or there[name].function is not index.function
                }
            taken = sorted(set(new) & set(self._indexes))
            if taken:
                raise IndexConflictError(f"indexer conflict: {taken}: there is an index of that name already")
            for index in new.values():
                for key, item in self._items.items():  # which nobody else writes now
                    index.move(key, index.values_of(item))
            with self._lock:
                self._indexes = {**self._indexes, **new}

    # ------------------------------------------------------------------ inner workings

    def item(self, key: str) -> Item | None:
        """What is kept of an object, None where there is none."""
        with self._lock:
            return self._items.get(key)

    def items(self) -> _Items:
        """What is kept of each object, as one moment has them."""
        with self._lock:
            return list(self._items.values())

    def view(self, item: Item) -> Mapping[str, Any]:
        """What a handler gets of an item: the dict, or a `StoredObject`."""
        return StoredObject(item, self._recent) if isinstance(item, RawObject) else item

    def _hand_out(self, found: Iterable[tuple[str, Item]]) -> _Objects:
        if self._detector is not None:
            self._check(found)
        if not self.compact:
            return [item for _, item in found if isinstance(item, dict)]
        with gc_paused():
            return [self._recent.peek(item) for _, item in found if isinstance(item, RawObject)]

    def _check(self, found: Iterable[tuple[str, Item | None]]) -> None:
        assert self._detector is not None
        for key, item in found:
            error = self._detector.check(key, item, who="somebody who read it")
            if error is not None:
                raise error

    def _index(self, name: str) -> Index:
        if type(name) is not str:
            checked_text("name", name)
        index = self._indexes.get(name)
        if index is None:
            known = ", ".join(sorted(self._indexes)) or "none"
            raise UnknownIndexError(f"Index with name {name} does not exist; there are: {known}")
        return index

    def _found(self, keys: Iterable[str]) -> _Found:
        return [(key, self._items[key]) for key in keys]

    def _select(
        self,
        namespace: str,
        label_selector: str | LabelSelector | None,
        field_selector: str | FieldSelector | None,
    ) -> _Found:
        checked_text("namespace", namespace)
        labels = None if label_selector is None else label_selector_of(label_selector)
        fields = None if field_selector is None else field_selector_of(field_selector)
        with self._lock:
            found = self._candidates(namespace, labels)
        if namespace:
            found = [(key, item) for key, item in found if _namespace(item) == namespace]
        if labels is not None and labels.requirements:
            found = [(key, item) for key, item in found if labels.matches(labels_of_item(item))]
        if fields is not None and fields.requirements:
            found = [(key, item) for key, item in found if self._fields_match(fields, item)]
        return found

    def _candidates(self, namespace: str, labels: LabelSelector | None) -> _Found:
        """All that can be selected, from the smallest bucket that the indexes have for the question."""
        buckets: _Buckets = []
        for index in self._indexes.values():
            if namespace and index.function is index_by_namespace:
                buckets.append(index.buckets.get(namespace, {}))
            if labels is not None and index.function is index_by_labels:
                buckets += [
                    index.buckets.get(f"{each.key}={each.values[0]}", {})
                    for each in labels.requirements
                    if each.operator is Operator.EQUALS
                ]
        if not buckets:
            return list(self._items.items())
        smallest = min(buckets, key=len)
        return self._found(smallest)

    def _fields_match(self, selector: FieldSelector, item: Item) -> bool:
        if not isinstance(item, RawObject):
            return selector.matches_object(item)
        if all(each.field in _OUTSIDE for each in selector.requirements):
            return selector.matches({"metadata.name": item.name, "metadata.namespace": item.namespace})
        return selector.matches_object(self.view(item))

    def __repr__(self) -> str:
        form = "compact" if self.compact else "dicts"
        return f"<{type(self).__name__}: {len(self)} objects, {form}, at {self._resource_version or 'no version'}>"


def _namespace(item: Item) -> str:
    return item.namespace if isinstance(item, RawObject) else namespace_of(item)


DEFAULT_INDEXERS: dict[str, IndexFunction] = {NAMESPACE_INDEX: index_by_namespace}
