"""What the machine says: commands and steps; and what it reads of a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from dynkube.options import ListOptions
from dynkube.wire.paging import ListPage
from dynkube.wire.watch import AnyWatchEvent

__all__ = ["Command", "Fail", "List", "ObjectsPage", "Read", "Replaced", "Step", "Wait", "Watch"]


@dataclass(frozen=True, slots=True, kw_only=True)
class List:
    """Ask for a page.

    Attributes:
        options: of the list request.
    """

    options: ListOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Open a watch.

    Attributes:
        options: of the watch request.
        idle_timeout: seconds without a byte after which the connection counts as dead; above
            the ``timeout_seconds`` after which the server ends the watch.
    """

    options: ListOptions
    idle_timeout: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """Read on from the open watch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Let time pass.

    Attributes:
        seconds: how long.
        reason: the failure that makes it necessary, None for a watch that ended at once.
    """

    seconds: float
    reason: Exception | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fail:
    """Give up: raise the error.

    Attributes:
        error: what waiting cannot heal.
    """

    error: Exception


Command: TypeAlias = List | Watch | Read | Wait | Fail


@dataclass(frozen=True, slots=True)
class Replaced:
    """A list, or the initial events of a watch, are complete.

    Attributes:
        events: after how many events of the step.
        resource_version: of the list: what has been told up to there is the server's state at it.
    """

    events: int
    resource_version: str


@dataclass(frozen=True, slots=True)
class Step:
    """What to do now.

    Attributes:
        events: to hand over first, in this order: ADDED, MODIFIED and DELETED only.
        command: to perform then.
        replaced: where among the events a list is complete; None where none is.
    """

    events: Sequence[AnyWatchEvent]
    command: Command
    replaced: Replaced | None = None


class ObjectsPage(ListPage, Protocol):
    """What the machine reads of a page: an `UnstructuredList` is one, and so is a `RecordList`."""

    @property
    def kind(self) -> str: ...  # noqa: D102
    @property
    def api_version(self) -> str: ...  # noqa: D102
    @property
    def objects(self) -> Sequence[Any]: ...  # noqa: D102
