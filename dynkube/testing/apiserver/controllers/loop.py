"""The work that controllers have to do, one piece at a time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Hashable, Sequence
from typing import Protocol

from dynkube.schema import GroupResource
from dynkube.testing.apiserver.storage import Event, Store
from dynkube.testing.apiserver.words.statuses import StatusError

__all__ = ["Controller", "Controllers", "Enqueue", "LateController", "Schedule", "call_later", "call_soon"]

_logger = logging.getLogger("dynkube.testing.apiserver")

Enqueue = Callable[[Hashable], None]
Schedule = Callable[[Callable[[], None]], None]
_AT_ONCE = 32
_LATER = 0.2


class Controller(Protocol):
    """Brings about what an event calls for."""

    def observe(self, resource: GroupResource, event: Event, enqueue: Enqueue) -> None:
        """Look at a write, and say what has to be looked into; write nothing."""

    def sync(self, key: Hashable, enqueue: Enqueue) -> None:
        """Look into one thing, as it is by now.

        Raises:
            StatusError: Something is refused; the next event of the thing brings it back.
        """


class LateController:
    """A controller that is made at the first write to what it is about: imports cost something.

    Args:
        about: The resource.
        make: Makes the controller.
    """

    def __init__(self, about: GroupResource, make: Callable[[], Controller]) -> None:
        self._about = about
        self._make = make
        self._controller: Controller | None = None

    def observe(self, resource: GroupResource, event: Event, enqueue: Enqueue) -> None:
        """See `Controller`."""
        if self._controller is None and resource == self._about:
            self._controller = self._make()
        if self._controller is not None:
            self._controller.observe(resource, event, enqueue)

    def sync(self, key: Hashable, enqueue: Enqueue) -> None:
        """See `Controller`."""
        if self._controller is not None:
            self._controller.sync(key, enqueue)


def call_soon(run: Callable[[], None]) -> None:
    """The schedule of a server: the next turn of the event loop."""
    asyncio.get_running_loop().call_soon(run)


def call_later(run: Callable[[], None]) -> None:
    """The schedule of what a process of its own does on a real cluster: clients see the state before, for a while."""
    asyncio.get_running_loop().call_later(_LATER, run)


class Controllers:
    """All controllers over one store, and the queue of what they have to do.

    Args:
        store: Its events are what they hear.
        controllers: In the order in which they hear of an event.
        schedule: Has a function called later, on the event loop; a test may collect them.
        proceed: The same, for the rest of what there is to do.
    """

    def __init__(
        self,
        store: Store,
        controllers: Sequence[Controller],
        schedule: Schedule = call_soon,
        proceed: Schedule | None = None,
    ) -> None:
        self._controllers = controllers
        self._schedule = schedule
        self._proceed = proceed or schedule
        # A dict keeps the order, and what is waiting already waits once.
        self._queue: dict[tuple[int, Hashable], None] = {}
        self._is_scheduled = False
        store.subscribe(self._observe)

    @property
    def is_idle(self) -> bool:
        """Whether nothing is left to do."""
        return not self._queue

    def run(self) -> None:
        """Do what there is to do, and what comes of it, now."""
        while self._queue:
            self._next()

    def _observe(self, resource: GroupResource, event: Event) -> None:
        for number, controller in enumerate(self._controllers):
            controller.observe(resource, event, self._enqueue_for(number))

    def _enqueue_for(self, number: int) -> Enqueue:
        def enqueue(key: Hashable) -> None:
            self._queue[number, key] = None
            if not self._is_scheduled:
                self._is_scheduled = True
                self._schedule(self._run_some)

        return enqueue

    def _run_some(self) -> None:
        """A part of the work: requests get their turn in between."""
        for _ in range(min(_AT_ONCE, len(self._queue))):
            self._next()
        self._is_scheduled = bool(self._queue)
        if self._queue:
            self._proceed(self._run_some)

    def _next(self) -> None:
        number, key = next(iter(self._queue))
        del self._queue[number, key]
        try:
            self._controllers[number].sync(key, self._enqueue_for(number))
        except StatusError as error:
            _logger.debug("%s: %s", key, error)
        except Exception:  # a mistake of ours must not end the work on all others
            _logger.exception("controllers: %s could not be looked into", key)
