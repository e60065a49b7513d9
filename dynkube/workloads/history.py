"""The revisions of a workload, and the way back to one of them.

A Deployment's revisions are its ReplicaSets, by the annotation ``deployment.kubernetes.io/revision``; a
StatefulSet's and a DaemonSet's are ControllerRevisions. Source: kubectl's polymorphichelpers/history.go and
rollback.go, util/deployment/deployment.go.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dynkube.dynamic import ResourceHandle
from dynkube.errors import InvalidRequestError, RolloutError
from dynkube.labels import LabelSelector
from dynkube.patches import PatchType
from dynkube.schema import GroupKind, GroupVersionResource
from dynkube.transport import CallScope, CancelToken
from dynkube.unstructured import annotations_of, creation_timestamp_of, is_controlled_by, name_of
from dynkube.workloads.rollout import check_revision
from dynkube.workloads.status import REVISION_ANNOTATION, kind_of, revision_of

__all__ = ["Revision", "RollbackResult", "rollout_history", "rollout_revision", "rollout_undo"]

_log = logging.getLogger("dynkube.workloads")

CHANGE_CAUSE = "kubernetes.io/change-cause"
_TEMPLATE_HASH = "pod-template-hash"
_REPLICA_SETS = GroupVersionResource("apps", "v1", "replicasets")
_CONTROLLER_REVISIONS = GroupVersionResource("apps", "v1", "controllerrevisions")
_WITH_CONTROLLER_REVISIONS = {"DaemonSet", "StatefulSet"}
# Kinds that kubectl knows and that have no history; any other gets another refusal.
_WITHOUT_HISTORY = {
    GroupKind("batch", "Job"),
    GroupKind("batch", "CronJob"),
    GroupKind("", "Pod"),
    GroupKind("apps", "ReplicaSet"),
    GroupKind("", "ReplicationController"),
}
# What a rollback leaves as it is: of the Deployment, not of a revision.
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_OWN_ANNOTATIONS = frozenset(
    {
        _LAST_APPLIED,
        REVISION_ANNOTATION,
        "deployment.kubernetes.io/revision-history",
        "deployment.kubernetes.io/desired-replicas",
        "deployment.kubernetes.io/max-replicas",
        "deprecated.deployment.rollback.to",
    }
)


@dataclass(frozen=True, slots=True)
class Revision:
    """One revision of a workload.

    Attributes:
        revision: its number; the highest is the newest.
        change_cause: the annotation ``kubernetes.io/change-cause``, ``""`` without one.
        template: the pod template of that revision.
        object: the ReplicaSet or ControllerRevision that keeps it.
    """

    revision: int
    change_cause: str
    template: dict[str, Any]
    object: dict[str, Any]


@dataclass(frozen=True, slots=True)
class RollbackResult:
    """What `rollout_undo` did.

    Attributes:
        message: ``"rolled back"``, or kubectl's reason why nothing was to be done.
        skipped: whether the template was that of the revision already; then nothing was sent.
        object: the workload as it is now.
        warning: kubectl's, where the workload is one of ``kubectl apply``: the next one would bring the template back.
    """

    message: str
    skipped: bool
    object: dict[str, Any]
    warning: str = ""

    def __str__(self) -> str:
        return self.message


def rollout_history(
    workloads: ResourceHandle, name: str, *, timeout: float | None = None, cancel: CancelToken | None = None
) -> tuple[Revision, ...]:
    """All revisions that are kept of a workload, the oldest first; ``kubectl rollout history``.

    Two requests: the object, and its ReplicaSets or ControllerRevisions by its selector.

    Args:
        workloads: Deployments, StatefulSets or DaemonSets, bound to a namespace.
        name: the object's name.
        timeout: seconds for the whole call.
        cancel: a token that ends the call.

    Raises:
        NotFoundError: there is none of this name.
        RolloutError: its kind has no history.
    """
    scope = CallScope(timeout, cancel)
    obj = workloads.get(name, timeout=scope.left(), cancel=scope.cancel)
    return _history(workloads, obj, scope, "history viewer")


def rollout_revision(
    workloads: ResourceHandle,
    name: str,
    revision: int,
    *,
    timeout: float | None = None,
    cancel: CancelToken | None = None,
) -> Revision:
    """One revision of a workload; ``kubectl rollout history --revision=N``.

    Args:
        workloads: Deployments, StatefulSets or DaemonSets, bound to a namespace.
        name: the object's name.
        revision: its number, above 0.
        timeout: seconds for the whole call.
        cancel: a token that ends the call.

    Raises:
        NotFoundError: there is no workload of this name.
        RolloutError: there is no such revision, or its kind has no history.
        InvalidRequestError: ``revision`` is not above 0.
    """
    check_revision(revision)
    if revision == 0:
        raise InvalidRequestError("revision must be a positive integer: 0; rollout_history() gives all of them")
    found = rollout_history(workloads, name, timeout=timeout, cancel=cancel)
    wanted = [each for each in found if each.revision == revision]
    if not wanted:
        raise RolloutError("unable to find the specified revision")
    return wanted[-1]


def rollout_undo(
    workloads: ResourceHandle,
    name: str,
    *,
    to_revision: int = 0,
    dry_run: bool = False,
    timeout: float | None = None,
    cancel: CancelToken | None = None,
) -> RollbackResult:
    """Go back to the pod template of an older revision; ``kubectl rollout undo``.

    The revision becomes the newest one, under a new number. Waits for no pod: see `rollout_status`.

    Args:
        workloads: Deployments, StatefulSets or DaemonSets, bound to a namespace.
        name: the object's name.
        to_revision: the revision's number; 0 for the one before the newest.
        dry_run: have the server do everything but store it.
        timeout: seconds for the whole call.
        cancel: a token that ends the call.

    Returns:
        A `RollbackResult`; ``.skipped`` where the template is that of the revision already.

    Raises:
        NotFoundError: there is none of this name.
        RolloutError: there is no such revision, no older one, the Deployment is paused, or the kind has no history.
    """
    scope = CallScope(timeout, cancel)
    obj = workloads.get(name, timeout=scope.left(), cancel=scope.cancel)
    _check_kind(obj, "rollbacker")
    if to_revision < 0:
        raise _no_revision(to_revision)
    warning = _apply_warning(workloads, obj)
    deployment = kind_of(obj).kind == "Deployment"
    history = _history(workloads, obj, scope, "rollbacker")
    target = _target(history, to_revision, name, deployment=deployment)
    if deployment and obj["spec"].get("paused"):
        raise RolloutError(
            "you cannot rollback a paused deployment; resume it first with 'kubectl rollout resume' and try again"
        )
    if _same_template(target.template, obj["spec"]["template"]):
        message = f"skipped rollback (current template already matches revision {to_revision})"
        return RollbackResult(message, skipped=True, object=obj, warning=warning)
    body, patch_type = _deployment_patch(obj, target) if deployment else _revision_patch(target)
    changed = workloads.patch(name, body, type=patch_type, dry_run=dry_run, timeout=scope.left(), cancel=scope.cancel)
    return RollbackResult("rolled back", skipped=False, object=changed, warning=warning)


def _apply_warning(workloads: ResourceHandle, obj: Mapping[str, Any]) -> str:
    if _LAST_APPLIED not in annotations_of(obj):
        return ""
    return (
        f"resource {workloads.gvr.resource}/{name_of(obj)} was previously managed with 'kubectl apply'. "
        f"Rolling back will not update the {_LAST_APPLIED} annotation, which may cause unexpected behavior on future "
        "'kubectl apply' operations. Consider using 'kubectl apply' with your previous configuration file instead."
    )


# --------------------------------------------------------------------- which revisions there are


def _check_kind(obj: Mapping[str, Any], what: str) -> None:
    kind = kind_of(obj)
    if kind.group == "apps" and (kind.kind == "Deployment" or kind.kind in _WITH_CONTROLLER_REVISIONS):
        return
    if kind in _WITHOUT_HISTORY:
        # kubectl quotes both; it writes the kind with its group.
        raise RolloutError(f'no {what} has been implemented for "{kind}"')
    verb = "history" if what == "history viewer" else what
    raise RolloutError(
        f'error retrieving {verb} for "{kind}", no visitor method exists for {{{kind.group} {kind.kind}}}'
    )


def _history(workloads: ResourceHandle, obj: Mapping[str, Any], scope: CallScope, what: str) -> tuple[Revision, ...]:
    _check_kind(obj, what)
    if kind_of(obj).kind == "Deployment":
        found = [*_from_replica_sets(_owned(workloads, _REPLICA_SETS, obj, scope), obj)]
    else:
        found = [_from_controller_revision(each) for each in _owned(workloads, _CONTROLLER_REVISIONS, obj, scope)]
    by_number = {each.revision: each for each in found}  # of two with one number the later one counts, as in kubectl
    return tuple(by_number[number] for number in sorted(by_number))


def _owned(
    workloads: ResourceHandle, resource: GroupVersionResource, owner: Mapping[str, Any], scope: CallScope
) -> list[dict[str, Any]]:
    selector = str(LabelSelector.from_dict(owner["spec"].get("selector") or {}))
    # One request, as kubectl's: a workload keeps ten revisions unless it is told otherwise.
    listed = workloads.related(resource).list(
        label_selector=selector or None, timeout=scope.left(), cancel=scope.cancel
    )
    return [each for each in listed if is_controlled_by(each, owner)]


def _from_replica_sets(replica_sets: list[dict[str, Any]], deployment: Mapping[str, Any]) -> Iterator[Revision]:
    """The current ReplicaSet last, the older ones by age, as deploymentutil orders them."""
    by_age = sorted(replica_sets, key=lambda each: (creation_timestamp_of(each), name_of(each)))
    template = deployment["spec"]["template"]
    current = next((each for each in by_age if _same_template(each["spec"]["template"], template)), None)
    for each in [*(old for old in by_age if old is not current), *([current] if current is not None else [])]:
        number = revision_of(each)
        if number is None:
            _log.warning("replica set %s: its revision is no number; left out of the history", name_of(each))
            continue
        yield Revision(number, annotations_of(each).get(CHANGE_CAUSE, ""), each["spec"]["template"], each)


def _from_controller_revision(obj: dict[str, Any]) -> Revision:
    stored = (obj.get("data") or {}).get("spec", {}).get("template", {})
    template = {key: value for key, value in stored.items() if key != "$patch"}
    return Revision(int(obj.get("revision") or 0), annotations_of(obj).get(CHANGE_CAUSE, ""), template, obj)


# --------------------------------------------------------------------- the way back


def _target(history: tuple[Revision, ...], to_revision: int, name: str, *, deployment: bool) -> Revision:
    if to_revision > 0:
        found = next((each for each in history if each.revision == to_revision), None)
        if found is None:
            raise _no_revision(to_revision)
        return found
    if len(history) < 2:
        none = f'no rollout history found for deployment "{name}"' if deployment else "no last revision to roll back to"
        raise RolloutError(none)
    return history[-2]


def _no_revision(revision: int) -> RolloutError:
    return RolloutError(f"unable to find specified revision {revision} in history")


def _same_template(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return bool(_comparable(one) == _comparable(other))


def _comparable(template: Mapping[str, Any]) -> Any:
    """Without the ReplicaSet's hash, and without nulls: an absent field and a null one are the same."""
    return _without_nulls(_without_hash(template))


def _without_hash(template: Mapping[str, Any]) -> dict[str, Any]:
    metadata = dict(template.get("metadata") or {})
    if metadata.get("labels"):
        metadata["labels"] = {key: value for key, value in metadata["labels"].items() if key != _TEMPLATE_HASH}
    return {**template, "metadata": metadata}


def _without_nulls(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_nulls(each) for key, each in value.items() if each is not None}
    if isinstance(value, list):
        return [_without_nulls(each) for each in value]
    return value


def _deployment_patch(deployment: Mapping[str, Any], target: Revision) -> tuple[list[dict[str, Any]], PatchType]:
    own = {key: value for key, value in annotations_of(deployment).items() if key in _OWN_ANNOTATIONS}
    restored = {key: value for key, value in annotations_of(target.object).items() if key not in _OWN_ANNOTATIONS}
    operations = [
        {"op": "replace", "path": "/spec/template", "value": _without_hash(target.template)},
        {"op": "replace", "path": "/metadata/annotations", "value": own | restored},
    ]
    return operations, PatchType.JSON


def _revision_patch(target: Revision) -> tuple[dict[str, Any], PatchType]:
    data: dict[str, Any] = target.object["data"]
    return data, PatchType.STRATEGIC
