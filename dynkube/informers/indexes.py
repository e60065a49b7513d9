"""Index functions, and the books of an index: which values lead to which keys.

The counterparts in client-go are CG/tools/cache/index.go and the storeIndex of CG/tools/cache/thread_safe_store.go.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from types import FunctionType
from typing import Any, TypeAlias

from dynkube.arguments import checked_function
from dynkube.errors import InformerError, InvalidRequestError
from dynkube.informers.compact import StoredObject
from dynkube.informers.keys import object_key
from dynkube.records import RawObject

__all__ = [
    "LABELS_INDEX",
    "NAMESPACE_INDEX",
    "OWNER_INDEX",
    "Index",
    "IndexFunction",
    "Item",
    "index_by_labels",
    "index_by_namespace",
    "index_by_owner",
    "indexes_of",
    "key_of_item",
    "labels_of_item",
]

Item: TypeAlias = dict[str, Any] | RawObject
"""What a store keeps of an object."""

IndexFunction: TypeAlias = Callable[[Any], Iterable[str]]
"""Takes an object, which it must not change, and gives the values under which it is to be found: none, one or many.

The object is a dict, or in compact mode a `StoredObject`, of which only what is looked at is decoded.
"""

NAMESPACE_INDEX = "namespace"
"""The name of the index that every informer has (client-go's NamespaceIndex)."""

LABELS_INDEX = "labels"
"""The usual name for `index_by_labels`."""

OWNER_INDEX = "owner"
"""The usual name for `index_by_owner`."""


def _metadata(obj: Mapping[str, Any]) -> Mapping[str, Any]:
    metadata = obj.get("metadata")
    return metadata if isinstance(metadata, dict) else {}


def index_by_namespace(obj: Mapping[str, Any]) -> list[str]:
    """The namespace of an object, ``""`` for none (client-go's MetaNamespaceIndexFunc).

    >>> index_by_namespace({"metadata": {"namespace": "shop"}})
    ['shop']
    """
    return [_metadata(obj).get("namespace") or ""]


def index_by_labels(obj: Mapping[str, Any]) -> list[str]:
    """Each label as ``"name=value"``.

    >>> index_by_labels({"metadata": {"labels": {"app": "api", "tier": "web"}}})
    ['app=api', 'tier=web']
    """
    return _label_values(_metadata(obj).get("labels"))


def index_by_owner(obj: Mapping[str, Any]) -> list[str]:
    """The uid of each owner.

    >>> index_by_owner({"metadata": {"ownerReferences": [{"kind": "ReplicaSet", "uid": "4d1c"}]}})
    ['4d1c']
    """
    owners = _metadata(obj).get("ownerReferences")
    return [owner["uid"] for owner in owners if owner.get("uid")] if isinstance(owners, list) else []


def labels_of_item(item: Item) -> Mapping[str, str]:
    """The labels of what a store keeps; decodes nothing."""
    if isinstance(item, RawObject):
        return item.labels
    labels = _metadata(item).get("labels")
    return labels if isinstance(labels, Mapping) else {}


def key_of_item(item: Item) -> str:
    """The key of what a store keeps.

    Raises:
        InvalidRequestError: It has no name.
    """
    if isinstance(item, RawObject):
        if item.name:
            return f"{item.namespace}/{item.name}" if item.namespace else item.name
    else:
        metadata = _metadata(item)
        name, namespace = metadata.get("name"), metadata.get("namespace")
        if type(name) is str and name:
            return f"{namespace}/{name}" if namespace else name
    return object_key(item)  # type: ignore[arg-type]  # which says what is wrong


def _label_values(labels: Any) -> list[str]:
    return [f"{name}={value}" for name, value in labels.items()] if isinstance(labels, Mapping) else []


# What these need stands outside of the bytes of a record: they decode nothing.
_OF_RECORDS: dict[IndexFunction, Callable[[RawObject], Collection[str]]] = {
    index_by_namespace: lambda record: (record.namespace,),
    index_by_labels: lambda record: _label_values(record.labels),
    index_by_owner: lambda record: record.owners,
}


class Index:
    """The books of one index: its buckets of keys by value, and the values of each key.

    Not thread-safe: the store that owns it has the lock.

    Args:
        name: Of the index, for messages.
        function: Gives the values of an object.

    Raises:
        InvalidRequestError: ``function`` cannot be called with an object.
    """

    __slots__ = ("_foreseen", "_of_record", "_values", "buckets", "function", "name")

    def __init__(self, name: str, function: IndexFunction) -> None:
        self.name = name
        self.function = checked_function(f"indexers[{name!r}]", function, "obj")
        self._of_record = _OF_RECORDS.get(function) if isinstance(function, FunctionType) else None
        # The keys of a bucket in the order in which they came; a set costs more for the many small ones.
        self.buckets: dict[str, dict[str, None]] = {}
        self._values: dict[str, tuple[str, ...]] = {}
        # By identity, as in RecentlyDecoded: of records that are to come.
        self._foreseen: dict[int, tuple[RawObject, tuple[str, ...]]] = {}

    def foresee(self, record: RawObject) -> None:
        """Ask the function now about a record that is to be filed later, if that takes decoding it.

        One with which it fails stays unknown: `values_of` will say so.
        """
        if self._of_record is None:
            with suppress(InformerError):
                self._foreseen[id(record)] = record, self._asked(StoredObject(record))

    def forget_foreseen(self) -> None:
        """Whatever was foreseen and not filed will not be."""
        self._foreseen.clear()

    def values_of(self, item: Item) -> tuple[str, ...]:
        """The values of an object; of a record only what the function looks at is decoded, and not kept.

        Raises:
            InformerError: The function failed, or gave something else than texts.
        """
        if not isinstance(item, RawObject):
            return self._asked(item)
        if self._of_record is not None:
            return tuple(self._of_record(item))
        foreseen = self._foreseen.pop(id(item), None)
        return foreseen[1] if foreseen is not None else self._asked(StoredObject(item))

    def _asked(self, obj: Mapping[str, Any]) -> tuple[str, ...]:
        try:
            values = self.function(obj)
            if not isinstance(values, str):  # whose letters are texts, too
                values = tuple(dict.fromkeys(values))
                if all(isinstance(value, str) for value in values):
                    return values
        except KeyboardInterrupt:  # of whoever adds the index
            raise
        except BaseException as error:  # SystemExit must not end the informer
            why = f": {error}" if _may_show(obj) else ""
            problem = f"its function failed: {type(error).__name__}{why}"
            raise InformerError(f"index {self.name!r}: {problem}, with {_named(obj)}") from error
        what = f"{values!r:.100}" if _may_show(obj) else f"a {type(values).__name__}"
        problem = f"its function must give a list of texts, not {what}"
        raise InformerError(f"index {self.name!r}: {problem}, with {_named(obj)}")

    def move(self, key: str, values: tuple[str, ...]) -> None:
        """File ``key`` under ``values``, and nowhere else; empty buckets go (kubernetes issue 84959)."""
        before = self._values.get(key, ())
        if values == before:
            return
        for value in before:
            if value not in values:
                bucket = self.buckets[value]
                del bucket[key]
                if not bucket:
                    del self.buckets[value]
        for value in values:
            self.buckets.setdefault(value, {})[key] = None
        if values:
            self._values[key] = values
        else:
            self._values.pop(key, None)


def _may_show(obj: Mapping[str, Any]) -> bool:
    """Whether what a function says of an object may stand in a log."""
    return obj.get("kind") != "Secret"


def _named(obj: Mapping[str, Any]) -> str:
    try:
        return object_key(obj)
    except InvalidRequestError:
        return "an object without a name"


def indexes_of(indexers: Mapping[str, IndexFunction] | None) -> dict[str, Index]:
    """Empty indexes for what an argument ``indexers`` says.

    Args:
        indexers: Functions by name; None for none.

    Raises:
        InvalidRequestError: It is something else, or a function cannot be called with an object.
    """
    if indexers is None:
        return {}
    given: object = indexers
    if not isinstance(given, Mapping) or not all(isinstance(name, str) for name in given):
        raise InvalidRequestError(f"indexers: want functions by name, {{'node': function}}, got {given!r}")
    return {name: Index(name, function) for name, function in indexers.items()}
