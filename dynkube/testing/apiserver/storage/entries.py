"""An object as it is stored: encoded once, with what lists and watches ask of it beside it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from dynkube import codec

__all__ = ["Entry", "key_of"]

_NOTHING: Mapping[str, str] = {}


class Entry:
    """One state of one object, immutable.

    ``body`` is its JSON without apiVersion and kind, and so the same in every version that differs
    in nothing else, and in lists of built-in kinds, whose items have neither::

        entry.text(b'{"kind":"Pod","apiVersion":"v1",')     the object
        entry.body                                            an item of a PodList

    Attributes:
        key: Sorts entries as etcd's keys are sorted; see `key_of`.
        api_version: As stored.
        kind: As stored.
        namespace: "" at cluster scope.
        name: metadata.name.
        uid: metadata.uid.
        revision: metadata.resourceVersion, as a number.
        labels: metadata.labels.
        fields: What field selectors may ask for; a field that is not here is "".
        body: UTF-8 JSON of an object, never empty.
    """

    __slots__ = ("api_version", "body", "fields", "key", "kind", "labels", "name", "namespace", "revision", "uid")

    def __init__(self, obj: Mapping[str, Any], revision: int, fields: Mapping[str, str] = _NOTHING) -> None:
        """Encode ``obj``, whose metadata.resourceVersion is ``revision`` already."""
        metadata = obj["metadata"]
        self.api_version = sys.intern(obj.get("apiVersion", ""))
        self.kind = sys.intern(obj.get("kind", ""))
        # Interned, since the states of an object, and the objects of a namespace, have them in common.
        self.namespace = sys.intern(metadata.get("namespace") or "")
        self.name = sys.intern(metadata.get("name") or "")
        self.key = sys.intern(key_of(self.namespace, self.name))
        self.uid = sys.intern(metadata.get("uid") or "")
        self.revision = revision
        self.labels = _shared(metadata.get("labels"))
        self.fields = _shared(fields)
        body = {name: value for name, value in obj.items() if name not in {"apiVersion", "kind"}}
        # An encoder's buffer is larger than what it holds: this one has the exact size.
        self.body = bytes(memoryview(codec.encode_plain(body)))

    def __repr__(self) -> str:
        return f"<Entry {self.kind} {self.key} at {self.revision}>"

    def object(self) -> dict[str, Any]:
        """The object, decoded afresh: the caller's own to change."""
        return {"apiVersion": self.api_version, "kind": self.kind, **codec.decode(self.body)}

    def text(self, head: bytes) -> bytes:
        """The object's JSON: ``head`` begins it, up to the comma before the first field of the body."""
        return head + self.body[1:]

    def at(self, revision: int) -> Entry:
        """The same content at a later revision, as a watch tells of an object that is gone; encodes anew."""
        obj = self.object()
        obj["metadata"]["resourceVersion"] = str(revision)
        return Entry(obj, revision, self.fields)


def _shared(texts: Mapping[str, str] | None) -> Mapping[str, str]:
    if not texts:
        return _NOTHING
    return {sys.intern(str(name)): sys.intern(str(value)) for name, value in texts.items()}


def key_of(namespace: str, name: str) -> str:
    """Where an object stands among the others of its resource.

    >>> key_of("shop", "api"), key_of("", "node-1")
    ('shop/api', 'node-1')
    """
    return f"{namespace}/{name}" if namespace else name
