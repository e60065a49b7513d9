"""Rollouts of Deployments, StatefulSets and DaemonSets: follow, restart, pause, resume.

Source: kubectl's cmd/rollout and polymorphichelpers (objectrestarter.go, objectpauser.go, objectresumer.go).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from dynkube.dynamic import ResourceHandle
from dynkube.errors import (
    ClosedError,
    DeadlineExceededError,
    ExpiredError,
    InvalidRequestError,
    NotFoundError,
    RolloutError,
)
from dynkube.patches import PatchType
from dynkube.transport import CallScope, CancelToken
from dynkube.unstructured import resource_version_of, uid_of
from dynkube.wire.watch import EventType
from dynkube.workloads.status import RolloutStatus, kind_of, rollout_status_of

__all__ = ["rollout_pause", "rollout_restart", "rollout_resume", "rollout_status", "watch_rollout"]

RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"
_RESTARTABLE = {"Deployment", "DaemonSet", "StatefulSet"}


def rollout_status(
    workloads: ResourceHandle,
    name: str,
    *,
    revision: int = 0,
    on_progress: Callable[[RolloutStatus], object] | None = None,
    timeout: float | None = None,
    cancel: CancelToken | None = None,
) -> RolloutStatus:
    """Wait until a rollout is complete; ``kubectl rollout status``.

    One read of the object, then one watch of it, which goes on across cut connections and expired versions.

    Args:
        workloads: Deployments, StatefulSets or DaemonSets, bound to a namespace.
        name: the object's name.
        revision: for a Deployment: the revision that must be the running one; 0 for whichever it is.
        on_progress: called on this thread with each `RolloutStatus` whose line is new, the last one included.
        timeout: seconds for the whole wait; None waits for as long as it takes.
        cancel: a token that ends the wait.

    Returns:
        The status that is done: ``.message`` is kubectl's last line, ``.object`` the object.

    Raises:
        NotFoundError: there is none of this name.
        RolloutError: the rollout failed (``exceeded its progress deadline``), the object was deleted, or it has no
            rollout to follow. The message is kubectl's.
        DeadlineExceededError: the time ran out; the message ends with the last line of progress.
        InvalidRequestError: ``revision`` is negative.

    Example:
        ``rollout_status(deployments, "web", on_progress=print, timeout=300)`` prints what kubectl prints.
    """
    last: RolloutStatus | None = None
    for last in watch_rollout(workloads, name, revision=revision, timeout=timeout, cancel=cancel):
        if on_progress is not None:
            on_progress(last)
    if last is None or not last.done:
        raise ClosedError("the client was closed while it waited")
    return last


def watch_rollout(
    workloads: ResourceHandle,
    name: str,
    *,
    revision: int = 0,
    timeout: float | None = None,
    cancel: CancelToken | None = None,
) -> Iterator[RolloutStatus]:
    """The progress of a rollout as an iterator; it ends after the status that is done.

    As `rollout_status`, with a `RolloutStatus` for each new line; closing the iterator closes its watch. A first
    status alone, without a wait, is ``next(watch_rollout(...))`` (``kubectl rollout status --watch=false``).

    Args:
        workloads: Deployments, StatefulSets or DaemonSets, bound to a namespace.
        name: the object's name.
        revision: for a Deployment: the revision that must be the running one; 0 for whichever it is.
        timeout: seconds for the whole iteration, what the caller does in between included.
        cancel: a token that ends it.

    Raises:
        InvalidRequestError: ``revision`` is negative. All that `rollout_status` raises comes from the iterator.
    """
    check_revision(revision)
    scope = CallScope(timeout, cancel)
    return _progress(workloads, name, revision, scope)


def check_revision(revision: object) -> None:
    """Refuse what can be no revision, in kubectl's words."""
    if not isinstance(revision, int) or isinstance(revision, bool) or revision < 0:
        raise InvalidRequestError(f"revision must be a positive integer: {revision}")


def _progress(workloads: ResourceHandle, name: str, revision: int, scope: CallScope) -> Iterator[RolloutStatus]:
    line = ""
    try:
        for obj in _states(workloads, name, scope):
            status = rollout_status_of(obj, revision=revision)
            if status.message != line:
                line = status.message
                yield status
            if status.done:
                return
    except DeadlineExceededError as late:
        if scope.timeout is None or not scope.over:
            raise
        raise DeadlineExceededError(
            f"timed out waiting for the condition on {workloads.gvr.group_resource}/{name} after {scope.timeout:g} s"
            + (f": {line}" if line else "")
        ) from late


def _states(workloads: ResourceHandle, name: str, scope: CallScope) -> Iterator[dict[str, Any]]:
    """Each state of one object, the first one read; never of another one of the same name."""
    uid = ""
    while True:
        try:
            obj = workloads.get(name, timeout=scope.left(), cancel=scope.cancel)
        except NotFoundError:
            if uid:
                raise _deleted() from None
            raise
        if uid and uid_of(obj) != uid:
            raise _deleted()
        uid = uid_of(obj)
        yield obj
        try:
            yield from _changes(workloads, name, resource_version_of(obj), uid, scope)
        except ExpiredError:
            continue  # the next read tells
        return  # the client was closed


def _changes(
    workloads: ResourceHandle, name: str, resource_version: str, uid: str, scope: CallScope
) -> Iterator[dict[str, Any]]:
    # A name's watch needs the namespace in its path: `get` knows the default one, `watch` would mean all of them.
    bound = workloads.related(workloads.gvr)
    with bound.watch(
        field_selector=f"metadata.name={name}",
        resource_version=resource_version,
        timeout=scope.left(),
        cancel=scope.cancel,
    ) as events:
        for event in events:
            if event.type is EventType.DELETED or uid_of(event.object) != uid:
                raise _deleted()
            yield event.object


def _deleted() -> RolloutError:
    return RolloutError("object has been deleted")


def rollout_restart(
    workloads: ResourceHandle,
    name: str,
    *,
    field_manager: str | None = None,
    timeout: float | None = None,
    cancel: CancelToken | None = None,
) -> dict[str, Any]:
    """Replace every pod by a new one of the same template, a few at a time; ``kubectl rollout restart``.

    Sets the template's annotation ``kubectl.kubernetes.io/restartedAt`` to this moment, in seconds.

    Args:
        workloads: Deployments, StatefulSets or DaemonSets, bound to a namespace.
        name: the object's name.
        field_manager: who owns the annotation; kubectl is ``"kubectl-rollout"``.
        timeout: seconds for the whole call, which waits for no pod: see `rollout_status`.
        cancel: a token that ends the call.

    Returns:
        The object as stored.

    Raises:
        NotFoundError: there is none of this name.
        RolloutError: it is paused, it cannot be restarted, or it was within the same second.
    """
    scope = CallScope(timeout, cancel)
    obj = workloads.get(name, timeout=scope.left(), cancel=scope.cancel)
    kind = kind_of(obj)
    if kind.group != "apps" or kind.kind not in _RESTARTABLE:
        raise refusal(workloads, name, "restarting is not supported")
    if kind.kind == "Deployment" and obj["spec"].get("paused"):
        raise refusal(workloads, name, "can't restart paused deployment (run rollout resume first)")
    now = _rfc3339(datetime.now().astimezone())
    annotations = obj["spec"]["template"].get("metadata", {}).get("annotations") or {}
    if annotations.get(RESTARTED_AT) == now:
        raise RolloutError(
            f"failed to create patch for {name}: if restart has already been triggered within the past second, "
            "please wait before attempting to trigger another"
        )
    body = {"spec": {"template": {"metadata": {"annotations": {RESTARTED_AT: now}}}}}
    return _patch(workloads, name, body, field_manager, scope)


def rollout_pause(
    workloads: ResourceHandle,
    name: str,
    *,
    field_manager: str | None = None,
    timeout: float | None = None,
    cancel: CancelToken | None = None,
) -> dict[str, Any]:
    """Let a Deployment begin no new rollout until it is resumed; ``kubectl rollout pause``.

    Args:
        workloads: Deployments, bound to a namespace.
        name: the object's name.
        field_manager: who owns ``spec.paused``; kubectl is ``"kubectl-rollout"``.
        timeout: seconds for the whole call.
        cancel: a token that ends the call.

    Returns:
        The object as stored.

    Raises:
        NotFoundError: there is none of this name.
        RolloutError: it is paused already, or of a kind that cannot be paused.
    """
    return _set_paused(workloads, name, True, field_manager, CallScope(timeout, cancel))


def rollout_resume(
    workloads: ResourceHandle,
    name: str,
    *,
    field_manager: str | None = None,
    timeout: float | None = None,
    cancel: CancelToken | None = None,
) -> dict[str, Any]:
    """Let a paused Deployment go on; ``kubectl rollout resume``.

    Args:
        workloads: Deployments, bound to a namespace.
        name: the object's name.
        field_manager: who owns ``spec.paused``; kubectl is ``"kubectl-rollout"``.
        timeout: seconds for the whole call.
        cancel: a token that ends the call.

    Returns:
        The object as stored.

    Raises:
        NotFoundError: there is none of this name.
        RolloutError: it is not paused, or of a kind that cannot be paused.
    """
    return _set_paused(workloads, name, False, field_manager, CallScope(timeout, cancel))


def _set_paused(
    workloads: ResourceHandle, name: str, wanted: bool, field_manager: str | None, scope: CallScope
) -> dict[str, Any]:
    obj = workloads.get(name, timeout=scope.left(), cancel=scope.cancel)
    kind = kind_of(obj)
    if kind.group != "apps" or kind.kind != "Deployment":
        raise refusal(workloads, name, "pausing is not supported" if wanted else "resuming is not supported")
    if bool(obj["spec"].get("paused")) is wanted:
        raise refusal(workloads, name, "is already paused" if wanted else "is not paused")
    return _patch(workloads, name, {"spec": {"paused": True if wanted else None}}, field_manager, scope)


def refusal(workloads: ResourceHandle, name: str, reason: str) -> RolloutError:
    """As kubectl says it: ``deployments.apps "web" is already paused``."""
    return RolloutError(f'{workloads.gvr.group_resource} "{name}" {reason}')


def _patch(
    workloads: ResourceHandle, name: str, body: dict[str, Any], field_manager: str | None, scope: CallScope
) -> dict[str, Any]:
    return workloads.patch(
        name,
        body,
        type=PatchType.STRATEGIC,
        field_manager=field_manager,
        timeout=scope.left(),
        cancel=scope.cancel,
    )


def _rfc3339(moment: datetime) -> str:
    """As Go's time.RFC3339 writes it: seconds, and ``Z`` where the local zone is UTC."""
    text = moment.isoformat(timespec="seconds")
    return f"{text.removesuffix('+00:00')}Z" if text.endswith("+00:00") else text
