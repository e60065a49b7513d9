"""What has been handed over of a collection, and so what of the server's news still has to be told."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from typing import Any, TypeAlias

from dynkube.errors import DecodeError
from dynkube.records import RawObject
from dynkube.wire.listwatch.commands import ObjectsPage
from dynkube.wire.watch import AnyWatchEvent, EventType, WatchEvent

__all__ = ["Ledger", "is_older"]

_log = logging.getLogger("dynkube.listwatch")
# What metadata are called; a server that knows none sends whole objects in their place, here or there.
_METADATA = "PartialObjectMetadata"

# Namespace and name; uid and resourceVersion.
_Key: TypeAlias = tuple[str, str]
_Identity: TypeAlias = tuple[str, str]
_Object: TypeAlias = dict[str, Any] | RawObject


class Ledger:
    """Remembers of each object that was handed over its name, uid and resourceVersion, and tells differences.

    Two ways to take a list. Page by page: what a page brings is told at once, and what no page has shown is told as
    deleted at the end; memory for one page. At once: nothing is told before the end, then all of it, deletions first;
    a list that breaks off has told nothing.

    Args:
        resource_version: what has been handed over before; ``""`` for nothing.
        lists: whether it ever sees a list. Without one it cannot know what is there, and passes on what comes.
        at_once: how lists are told.
        admit: given each event with an object that is to be told, when it comes; gives what is told in its place.

    Attributes:
        resource_version: up to which everything was handed over.
    """

    def __init__(
        self,
        *,
        resource_version: str = "",
        lists: bool = True,
        at_once: bool = False,
        admit: Callable[[AnyWatchEvent], AnyWatchEvent] = lambda event: event,
    ) -> None:
        self.resource_version = resource_version
        self._lists = lists
        self._at_once = at_once
        self._admit = admit
        self._known: dict[_Key, _Identity] = {}  # what was handed over (during a list: of what it has shown)
        self._unseen: dict[_Key, _Identity] = {}  # during a list: what it has not shown yet
        self._before: dict[_Key, _Identity] | None = None  # during a list at once: what was handed over
        self._held: list[AnyWatchEvent] = []  # during a list at once: what is to be told at its end
        self._type: dict[str, str] = {}  # apiVersion and kind of an object
        self._kind = ""  # the same kind, where an object of a list has said it
        self._went_back = False  # this list is older than what was handed over
        self._older: dict[_Key, _Object] = {}  # of initial events: those that are older than what was handed over

    def __len__(self) -> int:
        return len(self._known) + len(self._unseen) if self._before is None else len(self._before)

    # ------------------------------------------------------------------ lists

    def begin(self) -> None:
        """A list, or the initial events of a watch, begin; an unfinished one before it is given up."""
        self.abandon()
        if self._at_once:
            self._before = self._known
            self._known, self._unseen = {}, self._known.copy()
        else:
            # What an unfinished list has shown was handed over all the same.
            self._unseen.update(self._known)
            self._known = {}

    def abandon(self) -> None:
        """The list or the initial events broke off."""
        if self._before is not None:
            self._known, self._unseen, self._before = self._before, {}, None
            self._held = []
        self._older = {}

    def page(self, page: ObjectsPage, *, first: bool) -> list[AnyWatchEvent]:
        """A page of the list: what is to be told now.

        Raises:
            DecodeError: one of its objects is none; nothing has changed.
        """
        if first:
            # Only a server restored from a backup has a newest state older than one before.
            self._went_back = is_older(page.resource_version, self.resource_version)
        # All of them first: a page that is none has changed nothing.
        identified = [(_identify(obj), obj) for obj in page.objects]
        self._type = {"apiVersion": page.api_version, "kind": page.kind.removesuffix("List")}
        if identified:
            self._learn_type(identified[0][1])
        told: list[AnyWatchEvent] = []
        for (key, identity), obj in identified:
            self._compare(key, identity, obj, told)
        return self._now(told)

    def initial(self, event: AnyWatchEvent) -> list[AnyWatchEvent]:
        """An event before the end mark of the initial ones: what is to be told now."""
        self._learn_type(event.object)
        key, identity = _identify(event.object)
        told: list[AnyWatchEvent] = []
        self._older.pop(key, None)
        if event.type is not EventType.DELETED:
            self._compare(key, identity, event.object, told)
            if self._known[key] != identity:
                self._older[key] = event.object
        else:
            previous = self._unseen.pop(key, None) or self._known.pop(key, None)
            if previous is not None:
                same = previous[0] == identity[0]
                told.append(self._admit(event) if same else _tombstone(key, previous, self._type))
        return self._now(told)

    def end(self, resource_version: str, bookmark: dict[str, Any] | None = None) -> list[AnyWatchEvent]:
        """The list is complete, at this version: what is to be told now.

        Args:
            resource_version: of the list.
            bookmark: the object of the end mark, where there was one: it has the type of the others.
        """
        if bookmark is not None:
            self._learn_type(bookmark)
            self._go_back(resource_version)
        gone = [_tombstone(key, identity, self._type) for key, identity in self._unseen.items()]
        told = [*gone, *self._held]
        self._unseen, self._before, self._held, self._older = {}, None, [], {}
        self._went_back = False
        self.resource_version = resource_version
        return told

    def _learn_type(self, obj: _Object) -> None:
        """An object of a list knows better than the list, which a CRD may call anything (names.listKind)."""
        said = _type_of(obj)
        if said["kind"]:
            self._type, self._kind = said, said["kind"]

    def _go_back(self, resource_version: str) -> None:
        """Initial events end at a version, which may be older than what was handed over, as in `page`."""
        if is_older(resource_version, self.resource_version):
            self._went_back = True
            for obj in self._older.values():
                self._compare(*_identify(obj), obj, self._held)

    def _now(self, told: list[AnyWatchEvent]) -> list[AnyWatchEvent]:
        if not self._at_once:
            return told
        self._held += told
        return []

    def _compare(self, key: _Key, identity: _Identity, obj: _Object, told: list[AnyWatchEvent]) -> None:
        previous = self._unseen.pop(key, None) or self._known.get(key)
        if previous is not None and (
            previous == identity or (is_older(identity[1], previous[1]) and not self._went_back)
        ):
            self._known[key] = previous
            return
        self._known[key] = identity
        if previous is None:
            told.append(self._admit(WatchEvent(EventType.ADDED, obj)))
        elif previous[0] != identity[0]:
            told.append(_tombstone(key, previous, self._type))
            told.append(self._admit(WatchEvent(EventType.ADDED, obj)))
        else:
            told.append(self._admit(WatchEvent(EventType.MODIFIED, obj)))

    # ------------------------------------------------------------------ changes

    def advance(self, obj: _Object) -> None:
        """A bookmark: nothing has happened up to the version that its object has."""
        self._advance(_identify(obj)[1][1])

    def change(self, event: AnyWatchEvent, told: list[AnyWatchEvent]) -> None:
        """An ADDED, MODIFIED or DELETED of a watch: append what is to be told.

        Raises:
            DecodeError: its object is none; nothing has changed.
        """
        if self._is_foreign(event.object):
            return
        key, identity = _identify(event.object)
        version = identity[1]
        previous = self._known.get(key)
        if is_older(self.resource_version, version):
            self.resource_version = version  # newer than all that was handed over
        else:
            self._advance(version)
            if previous is not None and is_older(version, previous[1]):
                return
        if event.type is EventType.DELETED:
            self._deletion(event, key, identity, told)
        elif previous is None:
            # Whatever the server calls it: whoever listens has not seen it yet.
            self._known[key] = identity
            told.append(self._admit(_as(event, EventType.ADDED) if self._lists else event))
        elif previous[0] != identity[0]:
            self._known[key] = identity
            told.append(_tombstone(key, previous, _type_of(event.object)))
            told.append(self._admit(_as(event, EventType.ADDED)))
        elif previous[1] != version:
            self._known[key] = identity
            told.append(self._admit(_as(event, EventType.MODIFIED)))

    def _is_foreign(self, obj: _Object) -> bool:
        """Whether it is of another kind than those of the list; said, and skipped (CG/tools/cache/reflector.go)."""
        kind = obj.kind if isinstance(obj, RawObject) else obj.get("kind")
        if kind == self._kind or not kind or not self._kind or _METADATA in (kind, self._kind):
            return False
        _log.error("expected events with a %s, but one has a %s: it is left out", self._kind, kind)
        return True

    def _deletion(self, event: AnyWatchEvent, key: _Key, identity: _Identity, told: list[AnyWatchEvent]) -> None:
        previous = self._known.pop(key, None)
        if previous is None:
            if not self._lists:
                told.append(self._admit(event))
        elif previous[0] == identity[0]:
            told.append(self._admit(event))
        else:
            told.append(_tombstone(key, previous, _type_of(event.object)))

    def _advance(self, version: str) -> None:
        # Only forward: some servers give a DELETED object the version of its last change.
        if version and not is_older(version, self.resource_version):
            self.resource_version = version


def is_older(version: str, other: str) -> bool:
    """Whether a resourceVersion is before another one.

    Versions are decimal numbers without leading zeros, to be compared as such (KEP-5504); those of servers that
    disagree can only be equal or not.
    """
    longer = len(other) - len(version)
    return (longer > 0 or (longer == 0 and version < other)) and version.isdigit() and other.isdigit()


def _identify(obj: _Object) -> tuple[_Key, _Identity]:
    if isinstance(obj, RawObject):
        return (obj.namespace, obj.name), (obj.uid, obj.resource_version)
    metadata = obj.get("metadata") or {}
    try:
        get = metadata.get
        # One namespace string for all its objects.
        namespace = sys.intern(get("namespace") or "")
        return (namespace, get("name") or ""), (get("uid") or "", get("resourceVersion") or "")
    except (AttributeError, TypeError):
        problem = f"metadata of a {obj.get('kind')} is not of an object's shape"
    del obj, metadata  # what a traceback shows of this frame may be a Secret
    raise DecodeError(problem)


def _type_of(obj: _Object) -> dict[str, str]:
    if isinstance(obj, RawObject):
        return {"apiVersion": obj.api_version, "kind": obj.kind}
    return {"apiVersion": obj.get("apiVersion") or "", "kind": obj.get("kind") or ""}


def _tombstone(key: _Key, identity: _Identity, type_: dict[str, str]) -> WatchEvent:
    namespace, name = key
    uid, resource_version = identity
    metadata = {"name": name, "namespace": namespace, "uid": uid, "resourceVersion": resource_version}
    obj: dict[str, Any] = {field: value for field, value in type_.items() if value}
    obj["metadata"] = {field: value for field, value in metadata.items() if value}
    return WatchEvent(EventType.DELETED, obj, final_state_unknown=True)


def _as(event: AnyWatchEvent, event_type: EventType) -> AnyWatchEvent:
    return event if event.type is event_type else WatchEvent(event_type, event.object)
