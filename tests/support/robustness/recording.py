"""What a handler is told, and what a reader sees, written down."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from robustness.writers import TOKEN

__all__ = ["Reader", "Recorder", "Seen", "Told", "identity"]


@dataclass(frozen=True, slots=True)
class Seen:
    """One version of one object.

    Attributes:
        uid: which object of its name.
        version: its resourceVersion, as the number that it is (KEP-5504).
        token: which write made it.
    """

    uid: str
    version: int
    token: str


@dataclass(frozen=True, slots=True)
class Told:
    """One notification.

    Attributes:
        kind: ``add``, ``update`` or ``delete``.
        name: the object's.
        seen: the object.
        old: the old object of an update.
    """

    kind: str
    name: str
    seen: Seen
    old: Seen | None = None


def identity(obj: Mapping[str, Any]) -> Seen:
    """Which version of which object it is."""
    metadata = obj["metadata"]
    token = (metadata.get("annotations") or {}).get(TOKEN, "")
    return Seen(metadata.get("uid", ""), int(metadata.get("resourceVersion") or 0), token)


class Recorder:
    """A handler that keeps what it is told, and holds the store to its word: it is never behind its handlers.

    Args:
        name: of the handler, for complaints.
        look: gives the stored object of a name, None where there is none.
    """

    def __init__(self, name: str, look: Callable[[str], Mapping[str, Any] | None]) -> None:
        self.name = name
        self.told: list[Told] = []
        self.complaints: list[str] = []
        self._look = look

    def on_add(self, obj: Mapping[str, Any], *_initial: bool) -> None:
        self._keep("add", obj)

    def on_update(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        self._keep("update", new, identity(old))

    def on_delete(self, obj: Any) -> None:
        known = getattr(obj, "object", obj)  # a tombstone holds what was known last
        self._keep("delete", known)

    def _keep(self, kind: str, obj: Mapping[str, Any], old: Seen | None = None) -> None:
        name = obj["metadata"]["name"]
        told = Told(kind, name, identity(obj), old)
        self.told.append(told)
        stored = self._look(name)
        if kind != "delete" and stored is not None and identity(stored).version < told.seen.version:
            self.complaints.append(f"{self.name}: the store is behind {told}: it has {identity(stored)}")


class Reader:
    """A thread that reads a store all the time: what it sees of a name never goes back.

    Args:
        name: for complaints.
        read: gives the whole store at once.
    """

    def __init__(self, name: str, read: Callable[[], list[Mapping[str, Any]]]) -> None:
        self.complaints: list[str] = []
        self.rounds = 0
        self._name = name
        self._read = read
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"reader of {name}")
        self._thread.start()

    def end(self) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        last: dict[str, Seen] = {}
        while not self._over.wait(0.005):
            self.rounds += 1
            names: set[str] = set()
            for obj in self._read():
                name, seen = obj["metadata"]["name"], identity(obj)
                if name in names:
                    self.complaints.append(f"{self._name}: {name} is there twice")
                if seen.version < last.get(name, seen).version:
                    self.complaints.append(f"{self._name}: {name} went back from {last[name]} to {seen}")
                names.add(name)
                last[name] = seen
