"""Who changes what is not theirs: the debug mode of a store (CG/tools/cache/mutation_detector.go).

Objects that a store hands out are shared with everybody else who reads it. A handler that changes one changes the
store, and nobody sees it happen. The detector remembers each object as bytes, compares when the object is next touched,
says which key and which field, and gives the store back what the server sent.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from typing import Any

from dynkube.codec import decode_object, encode_plain
from dynkube.errors import MutatedObjectError
from dynkube.informers.compact import RecentlyDecoded
from dynkube.informers.indexes import Item
from dynkube.informers.keys import ObjectName
from dynkube.records import RawObject

__all__ = ["MutationDetector"]

_log = logging.getLogger("dynkube.informers")


class MutationDetector:
    """Remembers what objects were, and finds those that are no longer.

    Thread-safe. It costs an encoding per object and look, and the bytes of every object: a mode for tests.

    Args:
        recent: Where a compact store keeps its decoded objects.

    Attributes:
        found: Every change that was found, the first one first.
    """

    def __init__(self, recent: RecentlyDecoded) -> None:
        self._recent = recent
        self._lock = threading.Lock()
        self._originals: dict[str, tuple[dict[str, Any], bytes]] = {}
        self.found: list[MutatedObjectError] = []

    def renew_after_fork(self) -> None:
        """No thread of the parent holds this lock."""
        self._lock = threading.Lock()

    def track(self, key: str, item: Item | None) -> None:
        """Remember the object that the store has now under ``key``; None forgets it."""
        with self._lock:
            self._originals.pop(key, None)
            if isinstance(item, dict):
                try:
                    self._originals[key] = (item, encode_plain(item))
                except (TypeError, ValueError) as error:  # a transform made something of it that JSON cannot hold
                    _log.warning("%s cannot be watched for changes: %s", key, error)

    def check(self, key: str, item: Item | None, *, who: str) -> MutatedObjectError | None:
        """Compare one object with what it was, and mend it.

        Args:
            key: Of the object.
            item: What the store has under it.
            who: For the message: who may have changed it.

        Returns:
            The error, which is logged, too; None where all is well.
        """
        with self._lock:
            for obj, original in self._pairs(key, item):
                if original == obj:
                    continue
                path = _first_difference(original, obj)
                error = MutatedObjectError(
                    f"{key}: the object in the store was changed at {path}, by {who}: objects of a store are shared; "
                    "change a copy (copy.deepcopy)",
                    key=key,
                    path=path,
                )
                obj.clear()
                obj.update(original)
                self.found.append(error)
                _log.error("%s", error)
                return error
        return None

    def check_all(self, *, who: str) -> None:
        """Compare every object."""
        with self._lock:
            keys: list[tuple[str, Item | None]] = [(key, obj) for key, (obj, _) in self._originals.items()]
        keys += [(str(ObjectName(record.namespace, record.name)), record) for record, _ in self._recent.items()]
        for key, item in keys:
            self.check(key, item, who=who)

    def _pairs(self, key: str, item: Item | None) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        if isinstance(item, RawObject):
            return [(obj, record.decode()) for record, obj in self._recent.items() if record is item]
        obj, original = self._originals.get(key, (None, b""))
        if obj is None or obj is not item:
            return []
        return [(obj, decode_object(original))]


def _first_difference(one: Any, other: Any, path: str = "") -> str:
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for field in (*one, *(field for field in other if field not in one)):
            if field not in one or field not in other:
                return f"{path}.{field}"
            if one[field] != other[field]:
                return _first_difference(one[field], other[field], f"{path}.{field}")
    if isinstance(one, list) and isinstance(other, list):
        for number, (left, right) in enumerate(zip(one, other, strict=False)):
            if left != right:
                return _first_difference(left, right, f"{path}[{number}]")
    return path or "."
