"""What a drain is told, and what it tells: values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from dynkube.errors import DynkubeError, InvalidRequestError
from dynkube.labels import LabelSelector
from dynkube.workloads.podfilters import PodFilter

__all__ = ["DrainEvent", "DrainOptions", "DrainResult", "DrainStep"]


class DrainStep(StrEnum):
    """What a `DrainEvent` tells."""

    CORDONED = "cordoned"
    """The node takes no new pods; or did not before."""
    WARNING = "warning"
    """Pods that stay, or that go although something speaks against it."""
    EVICTING = "evicting"
    """A pod's eviction is asked for, each time."""
    RETRYING = "retrying"
    """The eviction was refused for now: a disruption budget, or a namespace that ends."""
    SKIPPED = "skipped"
    """The pod's deletion is older than the caller wants to wait for."""
    GONE = "gone"
    """The pod is gone."""
    FAILED = "failed"
    """Whether the pod goes can no longer be seen."""
    DRAINED = "drained"
    """All pods that were to go are gone."""


@dataclass(frozen=True, slots=True)
class DrainEvent:
    """One line of a drain's progress.

    Attributes:
        step: what it tells.
        message: kubectl's line, without its line break.
        pod: the pod it is about, as last read; None for the node.
        error: why, for RETRYING and FAILED.
    """

    step: DrainStep
    message: str
    pod: Mapping[str, Any] | None = None
    error: DynkubeError | None = None

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True, slots=True)
class DrainResult:
    """What a drain did.

    Attributes:
        node: the node's name.
        pods: the pods that went, as ``(namespace, name)``; of a dry run, those that would go.
        warnings: what was told of the others, and of those that went although something speaks against it.
    """

    node: str
    pods: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DrainOptions:
    """The options of `dynkube.workloads.drain`, checked; each is described there."""

    force: bool
    ignore_daemonsets: bool
    delete_emptydir_data: bool
    pod_selector: str | LabelSelector | None
    skip_wait_for_delete_seconds: float
    filters: tuple[PodFilter, ...]
    chunk_size: int
    grace_period_seconds: int | None = None
    disable_eviction: bool = False
    retry_seconds: float = 5.0
    dry_run: bool = False

    def __post_init__(self) -> None:
        if self.chunk_size < 1:
            raise InvalidRequestError(f"chunk_size: must be 1 or more, not {self.chunk_size}")
        if self.retry_seconds <= 0:
            raise InvalidRequestError(f"retry_seconds: must be above 0, not {self.retry_seconds}")
        if isinstance(self.pod_selector, str):
            LabelSelector.parse(self.pod_selector)

    @property
    def delete_options(self) -> dict[str, Any]:
        """What goes along with an eviction or a deletion."""
        found: dict[str, Any] = {}
        if self.grace_period_seconds is not None and self.grace_period_seconds >= 0:
            found["gracePeriodSeconds"] = self.grace_period_seconds
        if self.dry_run:
            found["dryRun"] = ["All"]
        return found
