"""How the objects of a watch are shown, and the frames around them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dynkube import codec
from dynkube.testing.apiserver.storage.entries import Entry

__all__ = ["FrameCache", "Rendering", "error_frame", "frame"]

_CACHE_BYTES = 4 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendering:
    """What one watch makes of an entry: the object in its version, or a Table, or metadata only.

    Attributes:
        key: Watches whose renderings have equal keys share frames.
        render: The JSON text of an entry as it goes into a frame; the second argument says whether
            it is the first of the stream (the first Table has the column definitions).
        blank: What an empty object of the kind shows, for bookmarks: apiVersion, kind and, of a Pod,
            ``{"spec": {"containers": None}, "status": {}}``.
    """

    key: Hashable
    render: Callable[[Entry, bool], bytes]
    blank: Mapping[str, Any] = field(default_factory=dict)

    def bookmark(self, revision: int, *, ends_initial_events: bool = False) -> Entry:
        """The object of a bookmark."""
        metadata: dict[str, Any] = {"resourceVersion": str(revision)}
        if ends_initial_events:
            metadata["annotations"] = {"k8s.io/initial-events-end": "true"}
        blank = self.blank.get("metadata") or {}
        metadata = {**blank, **metadata}
        if blank.get("annotations"):
            metadata["annotations"] = {**blank["annotations"], **metadata.get("annotations", {})}
        return Entry({**self.blank, "metadata": metadata}, revision)


def frame(event_type: str, text: bytes) -> bytes:
    """One line of a watch."""
    return b'{"type":"%b","object":%b}\n' % (event_type.encode(), text)


def error_frame(status: Mapping[str, Any]) -> bytes:
    """The line that says why a watch ends."""
    return frame("ERROR", codec.encode(status))


class FrameCache:
    """The frames of the latest events of one resource, so that watches share them; bounded by bytes."""

    def __init__(self, capacity_bytes: int = _CACHE_BYTES) -> None:
        self._frames: dict[Hashable, bytes] = {}
        self._capacity_bytes = capacity_bytes
        self._bytes = 0
        self.made = 0

    def get(self, rendering: Rendering, event_type: str, entry: Entry, is_first: bool) -> bytes:
        """The frame of an event as a watch with this rendering gets it."""
        key = (rendering.key, event_type, entry.key, entry.revision, is_first)
        found = self._frames.get(key)
        if found is None:
            found = self._frames[key] = frame(event_type, rendering.render(entry, is_first))
            self.made += 1
            self._bytes += len(found)
            while self._bytes > self._capacity_bytes and len(self._frames) > 1:
                self._bytes -= len(self._frames.pop(next(iter(self._frames))))
        return found
