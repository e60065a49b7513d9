r"""Objects that are not decoded yet: their bytes, and outside them what one looks at most.

A cache of a hundred thousand pods as dicts is gigabytes of small objects, and decoding them is most of the work of
filling it. A `RawObject` is the object's bytes (a copy of its own: an item left in its page would keep the whole page)
with its names, version, labels and owners beside them. It costs a fifth to a quarter of decoding the object (measured
with pods of 6 KB: 37 us to decode one, 10 us to make a record of a list's item, 7 us of a watch's frame), and leaves
nothing for the garbage collector to walk.

With `dynkube.codec` the only module that knows msgspec.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from sys import intern
from typing import Any

import msgspec

from dynkube.codec import Raw, RawList, decode_object, encode, gc_paused, split_list
from dynkube.errors import DecodeError

__all__ = ["RawObject", "RecordList", "record_of", "record_of_frame", "records_of_list"]

_NO_LABELS: dict[str, str] = {}


class RawObject(msgspec.Struct, frozen=True, gc=False):
    """An object whose bytes are kept and not decoded.

    Attributes:
        raw: the object as compact JSON; the bytes are its own.
        namespace: ``""`` for a cluster-scoped object. One string for all objects of a namespace.
        name: of the object.
        uid: of the object.
        resource_version: of the object.
        labels: by name; empty for none. Not to be changed.
        owners: the uids of its ownerReferences, in their order.
        api_version: for instance ``"apps/v1"``; from the list where the item says none.
        kind: for instance ``"Deployment"``; likewise.

    Example:
        >>> pod = record_of({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "api", "labels": {"app": "web"}}})
        >>> pod.name, pod.labels, pod.decode()["kind"]
        ('api', {'app': 'web'}, 'Pod')
    """

    raw: bytes
    namespace: str
    name: str
    uid: str
    resource_version: str
    labels: Mapping[str, str]
    owners: tuple[str, ...]
    api_version: str
    kind: str

    def decode(self) -> dict[str, Any]:
        """The object as a plain dict of the caller's own, with kind and apiVersion.

        Raises:
            DecodeError: the bytes are no JSON object; those of a server's answer have been seen to be one.
        """
        return self._typed(decode_object(self.raw, what="object"))

    def fields(self) -> dict[str, Any]:
        """The object's fields by name, undecoded (`dynkube.codec.Raw`): a fifth of the work of decoding them, too."""
        return self._typed(_fields(self.raw))

    def _typed(self, fields: dict[str, Any]) -> dict[str, Any]:
        """With apiVersion and kind, which a list says once for all its items."""
        if "kind" in fields or not self.kind:
            return fields
        return {"apiVersion": self.api_version, "kind": self.kind, **fields}

    def __repr__(self) -> str:
        # In logs and in tracebacks, too: what a Secret holds does not show.
        name = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"<RawObject {self.kind} {name} at {self.resource_version}, {len(self.raw)} bytes>"


class RecordList(msgspec.Struct, frozen=True):
    """A page of a list, its objects undecoded.

    Attributes:
        kind: for instance ``"PodList"``.
        api_version: for instance ``"v1"``.
        metadata: the list's: ``resourceVersion``, ``continue``, ...
        objects: in the page's order.
    """

    kind: str
    api_version: str
    metadata: dict[str, Any]
    objects: Sequence[RawObject]

    @property
    def resource_version(self) -> str:
        """The version of the collection: where a watch goes on."""
        return self.metadata.get("resourceVersion") or ""

    @property
    def continue_token(self) -> str:
        """Where the next page begins; ``""`` on the last."""
        return self.metadata.get("continue") or ""


# --------------------------------------------------------------------------- what is read of an object


class _Owner(msgspec.Struct, gc=False):
    uid: str = ""


class _Metadata(msgspec.Struct, rename="camel", gc=False):
    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    labels: dict[str, str] | None = None
    owner_references: list[_Owner] | None = None


class _Head(msgspec.Struct, rename="camel", gc=False):
    metadata: _Metadata
    api_version: str = ""
    kind: str = ""


# Another field could stand behind the object, which then would not end where the frame does.
class _Event(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    type: str
    object: _Head


class _RawEvent(msgspec.Struct):
    type: str
    object: msgspec.Raw


_head = msgspec.json.Decoder(_Head).decode
_event = msgspec.json.Decoder(_Event).decode
_fields = msgspec.json.Decoder(dict[str, Raw]).decode
_raw_event = msgspec.json.Decoder(_RawEvent).decode


# The last one: nested deeper than can be read.
_UNDECODABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def _record(raw: bytes, head: _Head, api_version: str = "", kind: str = "") -> RawObject:
    if not raw.isascii():
        raw.decode()  # what the head passed over has to be text, too
    metadata = head.metadata
    owners = metadata.owner_references
    return RawObject(
        raw,
        intern(metadata.namespace),
        metadata.name,
        metadata.uid,
        metadata.resource_version,
        metadata.labels or _NO_LABELS,
        tuple([owner.uid for owner in owners]) if owners else (),
        intern(head.api_version) if head.api_version else api_version,
        intern(head.kind) if head.kind else kind,
    )


def record_of(obj: Mapping[str, Any]) -> RawObject:
    """The record of a decoded object.

    Args:
        obj: an object as a plain dict.

    Raises:
        InvalidRequestError: it holds what JSON cannot say.
        DecodeError: its metadata is not of an object's shape.
    """
    raw = encode(obj, argument="object")
    try:
        return _record(raw, _head(raw))
    except msgspec.DecodeError as error:
        problem = _not_an_object("object", error)
        del obj, raw
        raise problem from None


# --------------------------------------------------------------------------- lists


def records_of_list(data: bytes) -> RecordList:
    """Cut a list response into records.

    Args:
        data: the body of a list response.

    Returns:
        The page.

    Raises:
        DecodeError: it is no JSON object, not of a list's shape, or one of its items is no object.

    Example:
        >>> page = records_of_list(b'{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"7"},'
        ...     b'"items":[{"metadata":{"name":"a"}}]}')
        >>> page.resource_version, page.objects
        ('7', [<RawObject Pod a at , 25 bytes>])
    """
    with gc_paused():
        page = split_list(data)
        objects = _records_of(page)
    if isinstance(objects, DecodeError):
        del data, page  # what a traceback shows of this frame may be a Secret
        raise objects
    return RecordList(page.kind, page.api_version, page.metadata, objects)


def _records_of(page: RawList) -> list[RawObject] | DecodeError:
    """The records of the items; an error, not raised, where one is no object."""
    api_version, kind = intern(page.api_version), intern(page.kind.removesuffix("List"))
    objects = []
    for index, item in enumerate(page.items or ()):
        raw = bytes(item)
        try:
            objects.append(_record(raw, _head(raw), api_version, kind))
        except _UNDECODABLE as error:
            return _not_an_object(f"items[{index}]", error)
    return objects


# --------------------------------------------------------------------------- watch frames

_PREFIXES = {each: b'{"type":"%b","object":' % each.encode() for each in ("ADDED", "MODIFIED", "DELETED")}


def record_of_frame(frame: bytes) -> tuple[str, RawObject]:
    r"""The type and the record of one watch event.

    Args:
        frame: one whole frame of a watch.

    Raises:
        DecodeError: it is no watch event.

    Example:
        >>> record_of_frame(b'{"type":"ADDED","object":{"kind":"Pod","metadata":{"name":"a"}}}\n')
        ('ADDED', <RawObject Pod a at , 38 bytes>)
    """
    found = _record_of_frame(frame)
    if isinstance(found, DecodeError):
        del frame  # as in records_of_list
        raise found
    return found


def _record_of_frame(frame: bytes) -> tuple[str, RawObject] | DecodeError:
    try:
        try:
            event = _event(frame)
        except msgspec.ValidationError:
            return _record_of_strange_frame(frame)
        prefix = _PREFIXES.get(event.type)
        whole = frame.rstrip()
        if prefix is None or not whole.startswith(prefix):
            return _record_of_strange_frame(frame)
        return event.type, _record(whole[len(prefix) : -1], event.object)
    except _UNDECODABLE as error:
        return _not_an_object("watch event", error)


def _record_of_strange_frame(frame: bytes) -> tuple[str, RawObject]:
    event = _raw_event(frame)
    raw = bytes(event.object)
    return event.type, _record(raw, _head(raw))


def _not_an_object(what: str, error: Exception) -> DecodeError:
    return DecodeError(f"{what} is not a Kubernetes object: {error}")
