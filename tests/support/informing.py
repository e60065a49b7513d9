"""What tests of informers share: a handler that keeps what it is told, and waiting for what is to be true."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from dynkube.informers import ResourceEventHandler, is_tombstone

PATIENCE = 60.0


class Recorder(ResourceEventHandler):
    """Keeps what it is told of, and lets a case wait for it."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []
        self.objects: list[Any] = []
        self._changed = threading.Condition()

    def on_add(self, obj: Any, is_in_initial_list: bool) -> None:
        self._note(("add", obj["metadata"]["name"], is_in_initial_list), obj)

    def on_update(self, old: Any, new: Any) -> None:
        versions = [each["metadata"]["resourceVersion"] for each in (old, new)]
        self._note(("update", new["metadata"]["name"], *versions), new)

    def on_delete(self, obj: Any) -> None:
        self._note(("delete", obj["metadata"]["name"], is_tombstone(obj)), obj)

    def _note(self, what: tuple[Any, ...], obj: Any) -> None:
        with self._changed:
            self.told.append(what)
            self.objects.append(obj)
            self._changed.notify_all()

    def wait(self, count: int) -> list[tuple[Any, ...]]:
        """What it was told, once that is so much."""
        return self.wait_until(lambda told: len(told) >= count)

    def wait_until(self, enough: Callable[[list[tuple[Any, ...]]], bool]) -> list[tuple[Any, ...]]:
        """What it was told, once that is enough."""
        with self._changed:
            assert self._changed.wait_for(lambda: enough(self.told), PATIENCE), self.told
            return list(self.told)


def until(holds: Callable[[], object]) -> None:
    """Wait until something holds that no event tells of."""
    tick = threading.Event()
    for _ in range(int(PATIENCE * 100)):
        if holds():
            return
        tick.wait(0.01)
    raise AssertionError("it does not happen")
