"""Which pods of a node go when it is drained, and what is said of the others: no request, no clock.

Source: kubectl's pkg/drain/filters.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from dynkube.unstructured import annotations_of, controller_of, deletion_timestamp_of, name_of, namespace_of

__all__ = ["DrainPlan", "PodDecision", "PodFilter", "PodReason"]

_DAEMON_SET_FATAL = "DaemonSet-managed Pods (use --ignore-daemonsets to ignore)"
_DAEMON_SET_WARNING = "ignoring DaemonSet-managed Pods"
_LOCAL_STORAGE_FATAL = "Pods with local storage (use --delete-emptydir-data to override)"
_LOCAL_STORAGE_WARNING = "deleting Pods with local storage"
_UNMANAGED_FATAL = "Pods that declare no controller (use --force to override)"
_UNMANAGED_WARNING = "deleting Pods that declare no controller"
_MIRROR_POD = "kubernetes.io/config.mirror"


class PodReason(StrEnum):
    """Why a filter decided so."""

    OKAY = "Okay"
    """Nothing speaks against it."""
    SKIP = "Skip"
    """The pod stays, and nothing is said of it."""
    WARNING = "Warning"
    """The decision is to be told."""
    ERROR = "Error"
    """The pod must not go: no pod of the node does."""


@dataclass(frozen=True, slots=True)
class PodDecision:
    """What a filter says of one pod.

    Attributes:
        delete: whether the pod goes. The first filter that says no ends it.
        reason: why.
        message: what is told, for a warning or an error.
    """

    delete: bool = True
    reason: PodReason = PodReason.OKAY
    message: str = ""


PodFilter = Callable[[Mapping[str, Any]], PodDecision]
"""A function of a pod; filters of yours come after kubectl's (``drain(filters=...)``)."""

_OKAY = PodDecision()
_SKIP = PodDecision(delete=False, reason=PodReason.SKIP)


@dataclass(frozen=True, slots=True)
class DrainPlan:
    """The pods of a node and what a drain would do with each.

    Attributes:
        node: the node's name.
        decisions: each pod with the last filter's decision, in the server's order.
    """

    node: str
    decisions: tuple[tuple[dict[str, Any], PodDecision], ...] = field(repr=False)

    @property
    def pods(self) -> tuple[dict[str, Any], ...]:
        """The pods that go."""
        return tuple(pod for pod, decision in self.decisions if decision.delete)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is told, ``"<message>: <namespace>/<pod>, ..."`` for each message."""
        return self._told(PodReason.WARNING, "")

    @property
    def errors(self) -> tuple[str, ...]:
        """Why nothing goes, ``"cannot delete <message>: <namespace>/<pod>, ..."`` for each message; or nothing."""
        return self._told(PodReason.ERROR, "cannot delete ")

    def _told(self, reason: PodReason, prefix: str) -> tuple[str, ...]:
        pods: dict[str, list[str]] = {}
        for pod, decision in self.decisions:
            if decision.reason is reason:
                message = decision.message or "unexpected error"
                pods.setdefault(message, []).append(f"{namespace_of(pod)}/{name_of(pod)}")
        return tuple(f"{prefix}{message}: {', '.join(named)}" for message, named in pods.items())


@dataclass(frozen=True, slots=True)
class DrainRules:
    """The options that the filters obey.

    Attributes:
        find_daemon_set: looks a pod's DaemonSet up: ``""`` if it is there, else the server's words, and whether
            it is certain that there is none.
        now: this moment, for the age of a deletion.
    """

    find_daemon_set: Callable[[str, str], tuple[str, bool]]
    now: Callable[[], datetime]
    force: bool = False
    ignore_daemonsets: bool = False
    delete_emptydir_data: bool = False
    skip_wait_for_delete_seconds: float = 0
    filters: tuple[PodFilter, ...] = ()

    def plan(self, node: str, pods: Iterable[dict[str, Any]]) -> DrainPlan:
        """Run each pod through the filters, in kubectl's order."""
        return DrainPlan(node, tuple((pod, self._decide(pod)) for pod in pods))

    def _decide(self, pod: Mapping[str, Any]) -> PodDecision:
        decision = _OKAY
        own = (self._deleted_long_ago, self._daemon_set, self._mirror_pod, self._local_storage, self._unmanaged)
        for each in (*own, *self.filters):
            decision = each(pod)
            if not decision.delete:
                break
        return decision

    def deleted_long_ago(self, pod: Mapping[str, Any]) -> bool:
        """Whether its deletion is older than the caller wants to wait for."""
        deleted = deletion_timestamp_of(pod)
        if self.skip_wait_for_delete_seconds <= 0 or not deleted:
            return False
        # Whole seconds, as in kubectl.
        age = int((self.now() - datetime.fromisoformat(deleted)).total_seconds())
        return age > self.skip_wait_for_delete_seconds

    def _deleted_long_ago(self, pod: Mapping[str, Any]) -> PodDecision:
        return _SKIP if self.deleted_long_ago(pod) else _OKAY

    def _daemon_set(self, pod: Mapping[str, Any]) -> PodDecision:
        owner = controller_of(pod)
        if owner is None or (owner.get("apiVersion"), owner.get("kind")) != ("apps/v1", "DaemonSet"):
            return _OKAY
        if _finished(pod):
            return _OKAY
        problem, orphaned = self.find_daemon_set(namespace_of(pod), str(owner.get("name", "")))
        if problem and orphaned and self.force:
            return _warning(problem)
        if problem:
            return _error(problem)
        if not self.ignore_daemonsets:
            return _error(_DAEMON_SET_FATAL)
        return _warning(_DAEMON_SET_WARNING, delete=False)

    def _mirror_pod(self, pod: Mapping[str, Any]) -> PodDecision:
        return _SKIP if _MIRROR_POD in annotations_of(pod) else _OKAY

    def _local_storage(self, pod: Mapping[str, Any]) -> PodDecision:
        volumes = (pod.get("spec") or {}).get("volumes") or ()
        if _finished(pod) or not any(each.get("emptyDir") is not None for each in volumes):
            return _OKAY
        return _warning(_LOCAL_STORAGE_WARNING) if self.delete_emptydir_data else _error(_LOCAL_STORAGE_FATAL)

    def _unmanaged(self, pod: Mapping[str, Any]) -> PodDecision:
        if _finished(pod) or controller_of(pod) is not None:
            return _OKAY
        return _warning(_UNMANAGED_WARNING) if self.force else _error(_UNMANAGED_FATAL)


def _finished(pod: Mapping[str, Any]) -> bool:
    return (pod.get("status") or {}).get("phase") in {"Succeeded", "Failed"}


def _warning(message: str, *, delete: bool = True) -> PodDecision:
    return PodDecision(delete, PodReason.WARNING, message)


def _error(message: str) -> PodDecision:
    return PodDecision(delete=False, reason=PodReason.ERROR, message=message)
