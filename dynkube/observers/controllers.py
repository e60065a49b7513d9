"""What work queues, controllers and leader elections tell observers."""

from __future__ import annotations

from collections.abc import Sized
from dataclasses import dataclass
from typing import Literal, Protocol

__all__ = ["LeaderChange", "Reconciliation", "WorkqueueGauges", "WorkqueueStep"]


class WorkqueueGauges(Sized, Protocol):
    """A work queue to be looked at whenever metrics are wanted; ``len`` is how many items wait.

    Attributes:
        name: what the queue is called; ``""`` where it has no name.
    """

    name: str

    def unfinished_seconds(self) -> float:
        """How long the items that are being worked on have been so, added up."""

    def longest_running_seconds(self) -> float:
        """How long the worker that has been longest at one item has been at it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkqueueStep:
    """Something has happened to an item of a work queue.

    Attributes:
        queue: the queue's name.
        step: ``"add"`` (it needs work), ``"retry"`` (it is to be added later), ``"get"`` (a worker has got it) or
            ``"done"``.
        depth: how many items need work that no worker has begun.
        seconds: for ``get``, how long it had waited; for ``done``, how long the work took; else 0.
    """

    queue: str
    step: Literal["add", "retry", "get", "done"]
    depth: int
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """A controller has been called for an object, and has returned.

    Attributes:
        controller: the controller's name.
        result: ``"success"``, ``"requeue_after"`` or ``"error"``.
        seconds: how long it took.
        error: the name of the error's class, else ``""``.
    """

    controller: str
    result: Literal["success", "requeue_after", "error"]
    seconds: float
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaderChange:
    """A candidate of this process has become the leader, or is none any more.

    Attributes:
        name: the election: what it was named, or the lease's ``namespace/name``.
        identity: who the candidate is.
        leading: whether it leads now.
    """

    name: str
    identity: str
    leading: bool
