"""How far a rollout has come, out of the object alone: no request, no clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dynkube.errors import RolloutError
from dynkube.schema import GroupKind

__all__ = ["RolloutStatus", "rollout_status_of"]

REVISION_ANNOTATION = "deployment.kubernetes.io/revision"
_TIMED_OUT = "ProgressDeadlineExceeded"


@dataclass(frozen=True, slots=True)
class RolloutStatus:
    """How far a rollout has come.

    Attributes:
        message: kubectl's line, without its line break.
        done: whether the rollout is complete.
        object: the object that says so.
    """

    message: str
    done: bool
    object: dict[str, Any]

    def __str__(self) -> str:
        return self.message


def rollout_status_of(obj: Mapping[str, Any], *, revision: int = 0) -> RolloutStatus:
    """What ``kubectl rollout status`` says of a Deployment, StatefulSet or DaemonSet as it is now.

    Source: kubectl's polymorphichelpers/rollout_status.go.

    Args:
        obj: the whole object, with its status.
        revision: for a Deployment: the revision that must be the running one; 0 for whichever it is.

    Raises:
        RolloutError: the rollout has failed, another revision is running, or its update strategy or kind has no
            rollout to follow.

    Example:
        >>> web = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "generation": 2},
        ...        "spec": {"replicas": 3}, "status": {"observedGeneration": 2, "updatedReplicas": 1, "replicas": 3}}
        >>> print(rollout_status_of(web))
        Waiting for deployment "web" rollout to finish: 1 out of 3 new replicas have been updated...
    """
    kind = kind_of(obj)
    viewer = _VIEWERS.get(kind)
    if viewer is None:
        raise RolloutError(f"no status viewer has been implemented for {kind}")
    message, done = viewer(_View(obj), revision)
    return RolloutStatus(message, done, dict(obj))


def kind_of(obj: Mapping[str, Any]) -> GroupKind:
    """The group and kind of an object as it came from the server."""
    group, _, _version = str(obj.get("apiVersion", "")).rpartition("/")
    return GroupKind(group, str(obj.get("kind", "")))


class _View:
    """Name, spec and numbers of an object; an absent number is 0, as in Go."""

    def __init__(self, obj: Mapping[str, Any]) -> None:
        self.metadata: Mapping[str, Any] = obj.get("metadata") or {}
        self.spec: Mapping[str, Any] = obj.get("spec") or {}
        self.status: Mapping[str, Any] = obj.get("status") or {}
        self.name = str(self.metadata.get("name", ""))
        self.replicas: int | None = self.spec.get("replicas")

    def count(self, field: str) -> int:
        return int(self.status.get(field) or 0)

    @property
    def observed(self) -> bool:
        return int(self.metadata.get("generation") or 0) <= self.count("observedGeneration")

    @property
    def strategy(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.spec.get("updateStrategy") or {}
        return found


def _deployment(view: _View, revision: int) -> tuple[str, bool]:
    if revision > 0:
        _check_revision(view, revision)
    if not view.observed:
        return "Waiting for deployment spec update to be observed...", False
    conditions = {each.get("type"): each for each in view.status.get("conditions") or ()}
    if conditions.get("Progressing", {}).get("reason") == _TIMED_OUT:
        raise RolloutError(f'deployment "{view.name}" exceeded its progress deadline')
    updated, waiting = view.count("updatedReplicas"), f'Waiting for deployment "{view.name}" rollout to finish: '
    if view.replicas is not None and updated < view.replicas:
        return f"{waiting}{updated} out of {view.replicas} new replicas have been updated...", False
    if view.count("replicas") > updated:
        return f"{waiting}{view.count('replicas') - updated} old replicas are pending termination...", False
    if view.count("availableReplicas") < updated:
        return f"{waiting}{view.count('availableReplicas')} of {updated} updated replicas are available...", False
    return f'deployment "{view.name}" successfully rolled out', True


def _check_revision(view: _View, revision: int) -> None:
    running = revision_of({"metadata": view.metadata})
    if running is None:
        text = (view.metadata.get("annotations") or {}).get(REVISION_ANNOTATION)
        raise RolloutError(f'cannot get the revision of deployment "{view.name}": its annotation is {text!r}')
    if revision != running:
        raise RolloutError(f"desired revision ({revision}) is different from the running revision ({running})")


def revision_of(obj: Mapping[str, Any]) -> int | None:
    """The revision in a Deployment's or ReplicaSet's annotation: 0 without one, None where it is no number."""
    text = ((obj.get("metadata") or {}).get("annotations") or {}).get(REVISION_ANNOTATION, "0")
    try:
        return int(text)
    except ValueError:
        return None


def _daemon_set(view: _View, _revision: int) -> tuple[str, bool]:
    _check_rolling(view)
    if not view.observed:
        return "Waiting for daemon set spec update to be observed...", False
    updated, wanted = view.count("updatedNumberScheduled"), view.count("desiredNumberScheduled")
    waiting = f'Waiting for daemon set "{view.name}" rollout to finish: '
    if updated < wanted:
        return f"{waiting}{updated} out of {wanted} new pods have been updated...", False
    if view.count("numberAvailable") < wanted:
        return f"{waiting}{view.count('numberAvailable')} of {wanted} updated pods are available...", False
    return f'daemon set "{view.name}" successfully rolled out', True


def _stateful_set(view: _View, _revision: int) -> tuple[str, bool]:
    _check_rolling(view)
    if view.count("observedGeneration") == 0 or not view.observed:
        return "Waiting for statefulset spec update to be observed...", False
    ready, updated = view.count("readyReplicas"), view.count("updatedReplicas")
    if view.replicas is not None and ready < view.replicas:
        return f"Waiting for {view.replicas - ready} pods to be ready...", False
    rolling = view.strategy.get("rollingUpdate")
    if rolling is not None:
        partition = rolling.get("partition")
        if view.replicas is not None and partition is not None and updated < view.replicas - partition:
            wanted = view.replicas - partition
            return (
                f"Waiting for partitioned roll out to finish: {updated} out of {wanted} new pods have been updated...",
                False,
            )
        return f"partitioned roll out complete: {updated} new pods have been updated...", True
    current, update = view.status.get("currentRevision", ""), view.status.get("updateRevision", "")
    if update != current:
        return f"waiting for statefulset rolling update to complete {updated} pods at revision {update}...", False
    return (
        f"statefulset rolling update complete {view.count('currentReplicas')} pods at revision {current}...",
        True,
    )


def _check_rolling(view: _View) -> None:
    if view.strategy.get("type") != "RollingUpdate":
        raise RolloutError("rollout status is only available for RollingUpdate strategy type")


_VIEWERS: Mapping[GroupKind, Callable[[_View, int], tuple[str, bool]]] = {
    GroupKind("apps", "Deployment"): _deployment,
    GroupKind("apps", "DaemonSet"): _daemon_set,
    GroupKind("apps", "StatefulSet"): _stateful_set,
}
