"""Another number of replicas, for anything that has the ``scale`` subresource.

Source: kubectl's pkg/scale/scale.go and cmd/scale/scale.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dynkube.dynamic import ResourceHandle
from dynkube.errors import (
    ConflictError,
    DeadlineExceededError,
    InvalidRequestError,
    ScalePreconditionError,
    TransportError,
)
from dynkube.patches import PatchType
from dynkube.transport import CallScope, CancelToken
from dynkube.unstructured import resource_version_of
from dynkube.workloads.patience import Patience

__all__ = ["scale"]

_INTERVAL_SECONDS = 1.0
_RETRY_SECONDS = 300.0


def scale(
    workloads: ResourceHandle,
    name: str,
    replicas: int,
    *,
    current_replicas: int | None = None,
    resource_version: str | None = None,
    dry_run: bool = False,
    wait: bool = False,
    timeout: float | None = None,
    cancel: CancelToken | None = None,
) -> dict[str, Any]:
    """Set the number of replicas; ``kubectl scale``.

    Without a precondition one PATCH of the ``scale`` subresource; with one, a GET and a PUT, tried anew each second
    for up to five minutes while somebody else writes in between (409).

    Args:
        workloads: Deployments, StatefulSets, ReplicaSets, custom resources, ...: whatever has a ``scale``.
        name: the object's name.
        replicas: how many from now on; 0 or more.
        current_replicas: how many it must be asked to have now.
        resource_version: the version that the object must have now.
        dry_run: have the server do everything but store it.
        wait: return when ``status.replicas`` is the new number, looked at each second, or when somebody has set
            another one. It counts pods that exist: `rollout_status` waits until they are available.
        timeout: seconds for the whole call.
        cancel: a token that ends the call.

    Returns:
        The ``Scale``: ``spec.replicas`` and ``status.replicas``, the last that was seen.

    Raises:
        NotFoundError: there is none of this name, or it has no ``scale``.
        ScalePreconditionError: it has another size or version than the caller expects; nothing was changed.
        DeadlineExceededError: the time ran out; what was set stays set.
        InvalidRequestError: a number is negative.
    """
    _check_count("replicas", replicas)
    if current_replicas is not None:
        _check_count("current_replicas", current_replicas)
    scope = CallScope(timeout, cancel)
    scales = workloads.subresource("scale")
    if current_replicas is None and not resource_version:
        body = {"spec": {"replicas": replicas}}
        found = scales.patch(
            name, body, type=PatchType.MERGE, dry_run=dry_run, timeout=scope.left(), cancel=scope.cancel
        )
    else:
        found = _scale_checked(scales, name, replicas, current_replicas, resource_version, dry_run, scope)
    if wait and not dry_run:
        return _wait(scales, name, replicas, scope)
    return found


def _check_count(argument: str, count: object) -> None:
    if not isinstance(count, int) or isinstance(count, bool) or count < 0:
        raise InvalidRequestError(f"{argument}: must be a number of pods, 0 or more, not {count!r}")


def _scale_checked(
    scales: ResourceHandle,
    name: str,
    replicas: int,
    current_replicas: int | None,
    resource_version: str | None,
    dry_run: bool,
    scope: CallScope,
) -> dict[str, Any]:
    retries = CallScope(_RETRY_SECONDS)
    while True:
        found = scales.get(name, timeout=scope.left(), cancel=scope.cancel)
        _check_preconditions(found, current_replicas, resource_version)
        wanted = {**found, "spec": {**(found.get("spec") or {}), "replicas": replicas}}
        try:
            return scales.update(wanted, dry_run=dry_run, timeout=scope.left(), cancel=scope.cancel)
        except ConflictError:
            if retries.over:
                raise
        scope.sleep(_INTERVAL_SECONDS)


def _check_preconditions(found: Mapping[str, Any], current_replicas: int | None, resource_version: str | None) -> None:
    size = _count(found, "spec")
    if current_replicas is not None and size != current_replicas:
        raise ScalePreconditionError("replicas", str(current_replicas), str(size))
    version = resource_version_of(found)
    if resource_version and version != resource_version:
        raise ScalePreconditionError("resource version", resource_version, version)


def _wait(scales: ResourceHandle, name: str, replicas: int, scope: CallScope) -> dict[str, Any]:
    patience = Patience()
    try:
        while True:
            try:
                found = scales.get(name, timeout=scope.left(), cancel=scope.cancel)
            except TransportError as error:
                if not patience.bears(error):
                    raise
            else:
                patience.end()
                reset = _count(found, "spec") != replicas
                if reset or _count(found, "status") == replicas:
                    return found
            scope.sleep(_INTERVAL_SECONDS)
    except DeadlineExceededError as late:
        if scope.timeout is None or not scope.over:
            raise
        raise DeadlineExceededError(f'timed out waiting for "{name}" to be synced within {scope.timeout:g} s') from late


def _count(found: Mapping[str, Any], part: str) -> int:
    return int((found.get(part) or {}).get("replicas") or 0)
