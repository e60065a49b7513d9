"""What informers and their reflectors tell observers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

__all__ = ["HandlerCall", "InformerGauges", "InformerReading", "ReflectorList", "ReflectorWatch"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReflectorList:
    """A reflector has listed a collection, all pages of it, or has failed to.

    Attributes:
        informer: the informer's name, by default its resource: ``"deployments.apps"``.
        resource: ``"deployments.apps"``, ``"pods"``.
        seconds: from the first request to the last page.
        items: how many objects came.
        resource_version: of the list, ``""`` where it failed.
        error: the name of the error's class where it failed, else ``""``.
    """

    informer: str
    resource: str
    seconds: float
    items: int = 0
    resource_version: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReflectorWatch:
    """A watch of a reflector is over, well or not.

    Attributes:
        informer: the informer's name, by default its resource.
        resource: ``"deployments.apps"``, ``"pods"``.
        seconds: how long it was open; 0 where it was not opened.
        events: how many came, bookmarks included.
        resource_version: the last one that came.
        error: the name of the error's class where it failed, else ``""``.
    """

    informer: str
    resource: str
    seconds: float
    events: int = 0
    resource_version: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandlerCall:
    """An informer's handler was called and has returned, or has raised.

    Attributes:
        informer: the informer's name.
        handler: the handler's name.
        event: ``"add"``, ``"update"``, ``"delete"``, ``"resync"``.
        waited: seconds from the event's arrival in the store to the call.
        seconds: how long the call took.
        error: the name of the error's class where it raised, else ``""``.
    """

    informer: str
    handler: str
    event: str
    waited: float
    seconds: float
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InformerReading:
    """The state of an informer at one moment, in numbers.

    Attributes:
        synced: whether its store was complete once.
        items: objects in its store.
        resource_version: of its store.
        staleness: seconds since the server was last heard of; None before the first answer.
        depths: notifications that wait, by handler.
    """

    synced: bool
    items: int
    resource_version: str
    staleness: float | None
    depths: Mapping[str, int]


class InformerGauges(Protocol):
    """An informer to be looked at whenever metrics are wanted.

    Attributes:
        name: what the informer is called, by default its resource: ``"deployments.apps"``.
        resource: ``"deployments.apps"``, ``"pods"``.
    """

    name: str
    resource: str

    def reading(self) -> InformerReading | None:
        """Its state now, None once it has stopped; cheap, and safe on any thread."""
