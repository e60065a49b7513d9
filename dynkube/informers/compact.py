"""Objects kept as bytes: decoded when somebody looks, and the last few of them kept decoded.

A pod of 7.7 KB is 7.7 KB as bytes and some 35 KB as a dict, and the garbage collector walks the dict's parts for as
long as they live. A compact store keeps `dynkube.records.RawObject`: the bytes, and outside them what is asked for
most.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Any

from dynkube.codec import Raw, decode
from dynkube.informers.keys import ObjectName
from dynkube.records import RawObject

__all__ = ["RecentlyDecoded", "StoredObject", "StoredTombstone"]


class RecentlyDecoded:
    """The decoded forms of the records that were looked at last.

    Thread-safe. At most ``limit`` dicts live in it, and it is the only place where a compact store keeps any.

    Args:
        limit: How many; 0 keeps none, and every look decodes.

    Example:
        >>> from dynkube.records import record_of
        >>> recent = RecentlyDecoded(1)
        >>> api, web = (record_of({"metadata": {"name": name}}) for name in ("api", "web"))
        >>> recent.decoded(api) is recent.decoded(api), recent.decoded(web)["metadata"]["name"], len(recent)
        (True, 'web', 1)
    """

    __slots__ = ("_known", "_limit", "_lock")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        # By identity: a record has no cheap hash. The record beside the dict keeps its identity from being used again.
        self._known: OrderedDict[int, tuple[RawObject, dict[str, Any]]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def renew_after_fork(self) -> None:
        """No thread of the parent holds this lock."""
        self._lock = threading.Lock()

    def decoded(self, record: RawObject) -> dict[str, Any]:
        """The object, from here or decoded now. Shared: not to be changed."""
        known, identity = self._known, id(record)
        if identity in known:
            try:
                known.move_to_end(identity)
                return known[identity][1]
            except KeyError:  # another thread has just dropped it
                pass
        obj = record.decode()
        if self._limit:
            with self._lock:
                self._known[identity] = (record, obj)
                while len(self._known) > self._limit:
                    self._known.popitem(last=False)
        return obj

    def peek(self, record: RawObject) -> dict[str, Any]:
        """The object, from here or decoded now, which is then not remembered."""
        found = self.known(record)
        return found if found is not None else record.decode()

    def known(self, record: RawObject) -> dict[str, Any] | None:
        """The object, if it is here."""
        found = self._known.get(id(record))
        return found[1] if found is not None else None

    def forget(self, record: RawObject) -> None:
        """Drop the decoded form of a record that has left the store."""
        if self._known:
            with self._lock:
                self._known.pop(id(record), None)

    def items(self) -> list[tuple[RawObject, dict[str, Any]]]:
        """What is here now."""
        with self._lock:
            return list(self._known.values())


class StoredObject(Mapping[str, Any]):
    """An object of a compact store, as handlers get it: a read-only mapping that decodes what one looks at.

    It reads as the dict does (``obj["spec"]["replicas"]``, ``obj.get("status", {})``, ``"spec" in obj``), and its
    names, version, labels and owners are attributes that cost no decoding. A field is decoded at the first look at it,
    and stays so for as long as somebody holds the object. It is no dict: what wants one (JSON, ``update``) gets it from
    `to_dict`, and so does whoever wants to change something; ``copy.deepcopy`` gives one, too.

    Attributes:
        record: The bytes and what stands beside them.
        final_state_unknown: Always False here; True for a `StoredTombstone`.

    Example:
        >>> from dynkube.records import record_of
        >>> pod = {"metadata": {"name": "api", "namespace": "shop"}, "spec": {"nodeName": "n1"}}
        >>> pod = StoredObject(record_of(pod))
        >>> pod.key, pod.labels, pod["spec"]["nodeName"], sorted(pod)
        ('shop/api', {}, 'n1', ['metadata', 'spec'])
    """

    __slots__ = ("_fields", "record")

    final_state_unknown = False

    def __init__(self, record: RawObject, recent: RecentlyDecoded | None = None) -> None:
        self.record = record
        # Here and not among the recent ones: what a handler looks at is mostly garbage a moment later.
        self._fields = recent.known(record) if recent is not None else None

    # ------------------------------------------------------------------ what costs nothing

    @property
    def namespace(self) -> str:
        """Its namespace, ``""`` for a cluster-scoped object."""
        return self.record.namespace

    @property
    def name(self) -> str:
        """Its name."""
        return self.record.name

    @property
    def key(self) -> str:
        """Its key in the store, ``"namespace/name"``."""
        return str(ObjectName(self.record.namespace, self.record.name))

    @property
    def uid(self) -> str:
        """Its uid."""
        return self.record.uid

    @property
    def resource_version(self) -> str:
        """Its resourceVersion."""
        return self.record.resource_version

    @property
    def labels(self) -> Mapping[str, str]:
        """Its labels; not to be changed."""
        return self.record.labels

    @property
    def owners(self) -> tuple[str, ...]:
        """The uids of its owners."""
        return self.record.owners

    # ------------------------------------------------------------------ what decodes

    def _split(self) -> dict[str, Any]:
        """The fields by name: decoded, or raw until one looks at them."""
        fields = self._fields
        if fields is None:
            fields = self._fields = self.record.fields()
        return fields

    def to_dict(self) -> dict[str, Any]:
        """The object as a plain dict of the caller's own, free to be changed."""
        return self.record.decode()

    def __getitem__(self, field: str) -> Any:
        fields = self._split()
        if field not in fields:
            del fields  # what a traceback shows of this frame may be a Secret
            raise KeyError(field)
        value = fields[field]
        if type(value) is Raw:
            value = fields[field] = decode(value)
        return value

    def get(self, field: str, default: Any = None) -> Any:
        """The field, or ``default``."""
        return self[field] if field in self._split() else default

    def __iter__(self) -> Iterator[str]:
        return iter(self._split())

    def __len__(self) -> int:
        return len(self._split())

    def __contains__(self, field: object) -> bool:
        return field in self._split()

    def __eq__(self, other: object) -> bool:
        if isinstance(other, StoredObject):
            return self.record is other.record or self.to_dict() == other.to_dict()
        return self.to_dict() == other if isinstance(other, Mapping) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # as a dict has none

    def __copy__(self) -> dict[str, Any]:
        return self.to_dict()

    def __deepcopy__(self, memo: object) -> dict[str, Any]:
        return self.to_dict()

    def __repr__(self) -> str:
        # What a Secret holds does not show.
        return f"<{type(self).__name__} {self.record.kind} {self.key} at {self.record.resource_version}>"


class StoredTombstone(StoredObject):
    """The last known state of an object that was deleted unseen; see `dynkube.informers.Tombstone`."""

    __slots__ = ()

    final_state_unknown = True
