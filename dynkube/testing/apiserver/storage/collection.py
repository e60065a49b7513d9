"""The objects of one resource, sorted, and what happened to them."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence

from dynkube.testing.apiserver.storage.entries import Entry
from dynkube.testing.apiserver.storage.eventlog import Event, EventLog

__all__ = ["Collection"]


class Collection:
    """The current entry of each object, by key; `put` and `remove` are the only writes.

    Args:
        log: Gets an event for each write.
    """

    def __init__(self, log: EventLog) -> None:
        self.log = log
        self._entries: dict[str, Entry] = {}
        self._keys: list[str] = []

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: str) -> Entry | None:
        """The current entry, None where there is none."""
        return self._entries.get(key)

    def put(self, entry: Entry) -> Event:
        """Store a new or changed object."""
        previous = self._entries.get(entry.key)
        if previous is None:
            insort(self._keys, entry.key)
        self._entries[entry.key] = entry
        return self._happened(Event(entry.revision, entry, previous))

    def swap(self, entry: Entry) -> None:
        """Show an object that is there in another way, without a write: nobody is told."""
        self._entries[entry.key] = entry

    def remove(self, key: str, revision: int) -> Event:
        """Remove an object that is there."""
        previous = self._entries.pop(key)
        del self._keys[bisect_left(self._keys, key)]
        return self._happened(Event(revision, None, previous))

    def _happened(self, event: Event) -> Event:
        self.log.append(event)
        return event

    # ------------------------------------------------------------------ reading

    def current(self, namespace: str = "", start: str = "") -> Sequence[Entry]:
        """What is there now, in the order of the keys, of one namespace or all, from the key ``start`` on."""
        first, last = self._range(self._keys, namespace, start)
        return [self._entries[key] for key in self._keys[first:last]]

    def at(self, revision: int, namespace: str = "", start: str = "") -> Sequence[Entry]:
        """What was there at a revision that the log still knows."""
        changed = self.log.undone(revision)
        if not changed:
            return self.current(namespace, start)
        keys = sorted({*self._keys, *changed})
        first, last = self._range(keys, namespace, start)
        then = (changed[key] if key in changed else self._entries.get(key) for key in keys[first:last])
        return [entry for entry in then if entry is not None]

    def history(self, key: str) -> Iterator[Event]:
        """What the log knows of one object."""
        return (event for event in self.log if event.subject.key == key)

    @staticmethod
    def _range(keys: Sequence[str], namespace: str, start: str) -> tuple[int, int]:
        # "0" follows "/": behind all keys of the namespace.
        first = bisect_left(keys, max(f"{namespace}/", start)) if namespace else bisect_left(keys, start)
        return first, bisect_left(keys, f"{namespace}0") if namespace else len(keys)
