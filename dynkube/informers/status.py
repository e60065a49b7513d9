"""How an informer fares: values, to be looked at and logged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["HandlerStatus", "InformerStatus"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HandlerStatus:
    """How one handler fares.

    Attributes:
        name: What it is called.
        synced: Whether it has been told of everything that was there at first.
        depth: Notifications that wait.
        behind: Seconds that the oldest of these has waited.
        delivered: Calls that have returned.
        failed: Calls that have raised.
        running_for: Seconds since the call that is running began; None where none is.
    """

    name: str
    synced: bool
    depth: int
    behind: float
    delivered: int
    failed: int
    running_for: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class InformerStatus:
    """How an informer fares.

    Attributes:
        state: ``"new"``; ``"syncing"`` until the first list is complete, then ``"synced"``; ``"failing"`` while
            requests fail, which are tried again; ``"broken"`` where its reflector has ended by itself; ``"stopped"``.
        synced: Whether the store was complete once.
        resource_version: Of the store.
        items: Objects in the store.
        error: What failed last; None where nothing has, or all is well again.
        retry_in: Seconds from that failure to the next attempt; None where there is none.
        staleness: Seconds since the server was last heard of; None before the first answer. A quiet watch sends a
            bookmark about once a minute.
        mutations: What was found to be changed in the store (debug mode).
        handlers: How each handler fares.
    """

    state: Literal["new", "syncing", "synced", "failing", "broken", "stopped"]
    synced: bool
    resource_version: str
    items: int
    error: Exception | None
    retry_in: float | None
    staleness: float | None
    mutations: tuple[str, ...]
    handlers: tuple[HandlerStatus, ...]
