"""What a controller is asked, and what it answers."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from dynkube.arguments import checked_seconds
from dynkube.transport import CancelToken

__all__ = ["Request", "Result"]


@dataclass(frozen=True, slots=True)
class Result:
    """What ``reconcile`` may return; None is a `Result` without anything.

    Attributes:
        requeue_after: seconds after which it wants to be called again, whatever happens; None for no such wish.

    Raises:
        InvalidRequestError: the seconds are no number above 0.

    Example:
        >>> Result(requeue_after=60)
        Result(requeue_after=60)
    """

    requeue_after: float | None = None

    def __post_init__(self) -> None:
        if self.requeue_after is not None:
            checked_seconds("requeue_after", self.requeue_after, above=0)


class Request:
    """Look after this object: what ``reconcile`` gets.

    It does not say what has happened. Many changes may come as one request, and a request may come without a change;
    so ``reconcile`` compares what is with what should be.

    Attributes:
        namespace: the object's; ``""`` for a cluster-scoped one.
        name: the object's.
        failures: how often ``reconcile`` has failed for it since it last succeeded.
        cancel: is cancelled when the controller is to end at once. Hand it to each call of a client.
    """

    def __init__(
        self,
        namespace: str,
        name: str,
        *,
        failures: int = 0,
        cancel: CancelToken | None = None,
        look_up: Callable[[], Any] = lambda: None,
    ) -> None:
        self.namespace = namespace
        self.name = name
        self.failures = failures
        self.cancel = cancel if cancel is not None else CancelToken()
        self._look_up = look_up

    @cached_property
    def object(self) -> dict[str, Any] | None:
        """A copy of the object from the controller's store, made when one first looks; None where it is gone.

        It may be older than what the server has, but is never older than at an earlier request for the same object.
        """
        found = self._look_up()
        return None if found is None else deepcopy(found)

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name

    def __repr__(self) -> str:
        return f"Request({self.namespace!r}, {self.name!r})"
