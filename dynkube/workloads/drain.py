"""Take the pods off a node, without breaking disruption budgets.

Source: kubectl's pkg/drain/drain.go and cmd/drain/drain.go.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from typing import Any

from dynkube.dynamic import DynamicClient, ResourceHandle
from dynkube.errors import (
    APIStatusError,
    CancelledError,
    DeadlineExceededError,
    DrainError,
    DrainTimeoutError,
    DynkubeError,
    InvalidRequestError,
    NotFoundError,
    is_reason,
)
from dynkube.labels import LabelSelector
from dynkube.schema import GroupVersion, GroupVersionResource
from dynkube.transport import CallScope, CancelToken
from dynkube.unstructured import deletion_timestamp_of, name_of, namespace_of, uid_of
from dynkube.workloads.cordon import cordon
from dynkube.workloads.evictions import Job, run_jobs
from dynkube.workloads.podfilters import DrainPlan, DrainRules, PodFilter

__all__ = ["DrainEvent", "DrainResult", "DrainStep", "drain", "plan_drain"]

_log = logging.getLogger("dynkube.workloads")

_NODES = GroupVersionResource("", "v1", "nodes")
_PODS = GroupVersionResource("", "v1", "pods")
_DAEMON_SETS = GroupVersionResource("apps", "v1", "daemonsets")
_NAMESPACE_TERMINATING = "NamespaceTerminating"
_POLL_SECONDS = 1.0
DEFAULT_CHUNK_SIZE = 500


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
class _Options:
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


def drain(
    client: DynamicClient,
    node: str,
    *,
    force: bool = False,
    ignore_daemonsets: bool = False,
    delete_emptydir_data: bool = False,
    pod_selector: str | LabelSelector | None = None,
    grace_period_seconds: int | None = None,
    disable_eviction: bool = False,
    skip_wait_for_delete_seconds: float = 0,
    filters: Sequence[PodFilter] = (),
    chunk_size: int = DEFAULT_CHUNK_SIZE,
    retry_seconds: float = 5.0,
    dry_run: bool = False,
    on_progress: Callable[[DrainEvent], object] | None = None,
    timeout: float | None = None,
    cancel: CancelToken | None = None,
) -> DrainResult:
    """Cordon a node, evict its pods, and wait until they are gone; ``kubectl drain``.

    All pods are looked at first: one that must not go keeps all of them there. Then they are evicted side by side. An
    eviction that a PodDisruptionBudget refuses (429), or a namespace that is about to end (403), is asked for
    again each ``retry_seconds``. A pod is gone when it is not found, or when another one has its name. Where the
    server has no evictions (by discovery), or with ``disable_eviction``, pods are deleted.

    Never evicted: mirror pods of static ones, which the API server cannot remove, and pods of DaemonSets, which would
    be back at once.

    Args:
        client: a client of the cluster.
        node: the node's name.
        force: also take pods that no controller would bring back, and those whose DaemonSet is gone.
        ignore_daemonsets: leave pods of DaemonSets there, instead of refusing.
        delete_emptydir_data: also take pods whose ``emptyDir`` volumes, and what is in them, go with them.
        pod_selector: only pods with these labels; the others stay, whatever they are.
        grace_period_seconds: seconds a pod gets to end; None for what it says itself, 0 for at once.
        disable_eviction: delete pods, past their disruption budgets.
        skip_wait_for_delete_seconds: leave pods alone whose deletion is older than that (a node that is lost never
            ends them); 0 waits for all.
        filters: functions of yours that say which pods go, after kubectl's.
        chunk_size: pods per list request.
        retry_seconds: seconds until an eviction that was refused for now is asked for again.
        dry_run: have the server check everything and do nothing; no wait.
        on_progress: called with each `DrainEvent`, one at a time, on threads of the drain's.
        timeout: seconds for all of it; None for as long as it takes. Pods that are being evicted then go on to end.
        cancel: a token that ends it.

    Returns:
        A `DrainResult`.

    Raises:
        NotFoundError: there is no such node.
        DrainError: some pods must not go (then none has gone), or could not be evicted or deleted: ``.errors``; what
            may be left is in ``.pending``. The message is kubectl's.
        DrainTimeoutError: the time ran out; it is a `DrainError` and a `DeadlineExceededError`.
        InvalidRequestError: the selector or a number makes no sense.
    """
    options = _Options(
        force=force,
        ignore_daemonsets=ignore_daemonsets,
        delete_emptydir_data=delete_emptydir_data,
        pod_selector=pod_selector,
        grace_period_seconds=grace_period_seconds,
        disable_eviction=disable_eviction,
        skip_wait_for_delete_seconds=skip_wait_for_delete_seconds,
        filters=tuple(filters),
        chunk_size=chunk_size,
        retry_seconds=retry_seconds,
        dry_run=dry_run,
    )
    return _Drain(client, node, options, on_progress, CallScope(timeout, cancel)).run()


def plan_drain(
    client: DynamicClient,
    node: str,
    *,
    force: bool = False,
    ignore_daemonsets: bool = False,
    delete_emptydir_data: bool = False,
    pod_selector: str | LabelSelector | None = None,
    skip_wait_for_delete_seconds: float = 0,
    filters: Sequence[PodFilter] = (),
    chunk_size: int = DEFAULT_CHUNK_SIZE,
    timeout: float | None = None,
    cancel: CancelToken | None = None,
) -> DrainPlan:
    """What `drain` would do with each pod of a node; only reads (``kubectl drain --dry-run=client``).

    Args:
        client: a client of the cluster.
        node: the node's name; of one that does not exist no pods are found.
        force: as for `drain`.
        ignore_daemonsets: as for `drain`.
        delete_emptydir_data: as for `drain`.
        pod_selector: as for `drain`.
        skip_wait_for_delete_seconds: as for `drain`.
        filters: as for `drain`.
        chunk_size: as for `drain`.
        timeout: seconds for the whole call.
        cancel: a token that ends the call.

    Returns:
        A `DrainPlan`: ``.pods`` that go, ``.warnings``, and the ``.errors`` for which none would go.
    """
    options = _Options(
        force=force,
        ignore_daemonsets=ignore_daemonsets,
        delete_emptydir_data=delete_emptydir_data,
        pod_selector=pod_selector,
        skip_wait_for_delete_seconds=skip_wait_for_delete_seconds,
        filters=tuple(filters),
        chunk_size=chunk_size,
    )
    return _Drain(client, node, options, None, CallScope(timeout, cancel)).plan()


class _Drain:
    """One drain of one node."""

    def __init__(
        self,
        client: DynamicClient,
        node: str,
        options: _Options,
        on_progress: Callable[[DrainEvent], object] | None,
        scope: CallScope,
    ) -> None:
        self._client = client
        self._node = node
        self._options = options
        self._on_progress = on_progress
        self._telling = threading.Lock()
        self._scope = scope
        self._pods = client.resource(_PODS)
        self._rules = DrainRules(
            find_daemon_set=self._find_daemon_set,
            now=lambda: datetime.now(UTC),
            force=options.force,
            ignore_daemonsets=options.ignore_daemonsets,
            delete_emptydir_data=options.delete_emptydir_data,
            skip_wait_for_delete_seconds=options.skip_wait_for_delete_seconds,
            filters=options.filters,
        )

    def run(self) -> DrainResult:
        node, scope, dry_run = self._node, self._scope, self._options.dry_run
        how = " (server dry run)" if dry_run else ""
        cordoned = cordon(
            self._client.resource(_NODES), node, dry_run=dry_run, timeout=scope.left(), cancel=scope.cancel
        )
        self._tell(DrainStep.CORDONED, f"node/{node} {cordoned.message}{how}")
        plan = self.plan()
        if plan.errors:
            raise DrainError(plan.errors, node=node)
        if plan.warnings:
            self._tell(DrainStep.WARNING, f"Warning: {'; '.join(plan.warnings)}")
        version = self._eviction_version() if plan.pods and not self._options.disable_eviction else None
        if version is not None:
            self._evict(plan.pods, version)
        else:
            self._delete(plan.pods)
        self._tell(DrainStep.DRAINED, f"node/{node} drained{how}")
        return DrainResult(node, _names(plan.pods), plan.warnings)

    def plan(self) -> DrainPlan:
        pods = self._pods.iter(
            label_selector=self._options.pod_selector,
            field_selector=f"spec.nodeName={self._node}",
            limit=self._options.chunk_size,
            timeout=self._scope.left(),
            cancel=self._scope.cancel,
        )
        return self._rules.plan(self._node, list(pods))

    def _find_daemon_set(self, namespace: str, name: str) -> tuple[str, bool]:
        daemon_sets = self._client.resource(_DAEMON_SETS).namespace(namespace)
        try:
            daemon_sets.get(name, timeout=self._scope.left(), cancel=self._scope.cancel)
        except (CancelledError, DeadlineExceededError):
            raise
        except DynkubeError as error:
            return _text(error), is_reason(error, "NotFound")
        return "", False

    def _eviction_version(self) -> GroupVersion | None:
        """The version of ``pods/eviction``, by discovery of ``v1`` alone (CheckEvictionSupport)."""
        scope = self._scope
        found = self._client.discovery.server_resources_for_group_version(
            "v1", timeout=scope.left(), cancel=scope.cancel
        )
        for each in found:
            if each.name == "pods/eviction" and each.gvk.kind == "Eviction" and each.gvk.group:
                return each.gvk.group_version
        return None

    def _tell(
        self,
        step: DrainStep,
        message: str,
        pod: Mapping[str, Any] | None = None,
        error: DynkubeError | None = None,
    ) -> None:
        _log.info("drain: %s", message)
        if self._on_progress is not None:
            with self._telling:
                self._on_progress(DrainEvent(step, message, pod, error))

    # ---------------------------------------------------------------- evictions, side by side

    def _evict(self, pods: Sequence[dict[str, Any]], version: GroupVersion) -> None:
        jobs = [partial(self._eviction, pod, version) for pod in pods]
        results = run_jobs(jobs, self._scope)
        failed = [(pod, error) for pod, error in zip(pods, results, strict=True) if error is not None]
        if failed:
            raise self._failure((error for _, error in failed), (pod for pod, _ in failed))

    def _failure(self, errors: Iterable[DynkubeError], pods: Iterable[Mapping[str, Any]]) -> DrainError:
        errors = tuple(errors)
        late = any(isinstance(each, DeadlineExceededError) for each in errors)
        cls = DrainTimeoutError if late else DrainError
        return cls(errors, node=self._node, pending=_names(pods))

    def _eviction(self, pod: dict[str, Any], version: GroupVersion, scope: CallScope) -> Job:
        """Evict one pod and see it go; between two requests it yields the seconds to wait."""
        where = f'pods/"{name_of(pod)}" -n "{namespace_of(pod)}"'
        try:
            active = yield from self._until_evicted(pod, version, scope)
        except CancelledError:
            raise
        except DeadlineExceededError as late:
            raise DrainTimeoutError([f"error when evicting {where}: {self._limit(late)}"]) from late
        except DynkubeError as error:
            raise DrainError([f"error when evicting {where}: {_text(error)}"]) from error
        if active is None or self._options.dry_run:
            return
        waiting = f'error when waiting for pod "{name_of(pod)}" in namespace "{namespace_of(pod)}" to terminate'
        try:
            yield from self._until_gone(active, scope)
        except CancelledError:
            raise
        except DeadlineExceededError as late:
            raise DrainTimeoutError([f"{waiting}: context deadline exceeded"]) from late
        except DynkubeError as error:
            raise DrainError([f"{waiting}: {_text(error)}"]) from error

    def _limit(self, late: DeadlineExceededError) -> str:
        """The words of kubectl, unless it was the configuration's time for one request that ran out."""
        return f"global timeout reached: {self._scope.timeout:g}s" if self._scope.timeout is not None else str(late)

    def _until_evicted(self, pod: dict[str, Any], version: GroupVersion, scope: CallScope) -> Any:
        """The pod as it was when its eviction was granted; None when there was none any more."""
        active = pod
        pods = self._pods.namespace(namespace_of(pod))
        how = " (server dry run)" if self._options.dry_run else ""
        while True:
            self._tell(DrainStep.EVICTING, f"evicting pod {namespace_of(active)}/{name_of(active)}{how}", active)
            try:
                self._post_eviction(pods, active, version, scope)
            except NotFoundError:
                return None
            except APIStatusError as error:
                if _is_ending(error) and deletion_timestamp_of(active):
                    return active  # no eviction will ever be granted there, but it is on its way
                if not (_is_ending(error) or is_reason(error, "TooManyRequests")):
                    raise
                self._tell(DrainStep.RETRYING, self._refused(active, error), active, error)
            else:
                return active
            yield self._options.retry_seconds
            try:
                active = pods.get(name_of(active), timeout=scope.left(), cancel=scope.cancel)
            except APIStatusError:
                pass  # the next eviction tells

    def _post_eviction(
        self, pods: ResourceHandle, pod: Mapping[str, Any], version: GroupVersion, scope: CallScope
    ) -> None:
        body = {
            "apiVersion": str(version),
            "kind": "Eviction",
            "metadata": {"name": name_of(pod), "namespace": namespace_of(pod)},
            "deleteOptions": self._options.delete_options,
        }
        evictions = pods.subresource("eviction")
        evictions.create(body, name=name_of(pod), timeout=scope.left(), cancel=scope.cancel)

    def _refused(self, pod: Mapping[str, Any], error: APIStatusError) -> str:
        again = f"(will retry after {self._options.retry_seconds:g}s): {_text(error)}"
        if _is_ending(error):
            return f'error when evicting pod "{name_of(pod)}" from terminating namespace "{namespace_of(pod)}" {again}'
        return f'error when evicting pods/"{name_of(pod)}" -n "{namespace_of(pod)}" {again}'

    def _until_gone(self, pod: dict[str, Any], scope: CallScope) -> Job:
        while not self._is_gone(pod, scope, "evicted"):
            yield _POLL_SECONDS

    def _is_gone(self, pod: dict[str, Any], scope: CallScope, word: str) -> bool:
        """Whether a pod need not be waited for any more."""
        pods = self._pods.namespace(namespace_of(pod))
        failed = "eviction failed" if word == "evicted" else "deletion failed"
        try:
            found = pods.get_or_none(name_of(pod), timeout=scope.left(), cancel=scope.cancel)
        except (CancelledError, DeadlineExceededError):
            raise
        except DynkubeError as error:
            self._tell(DrainStep.FAILED, f"pod/{name_of(pod)} {failed}", pod, error)
            raise
        if found is None or uid_of(found) != uid_of(pod):
            self._tell(DrainStep.GONE, f"pod/{name_of(pod)} {word}", pod)
            return True
        if self._rules.deleted_long_ago(found):
            seconds = self._options.skip_wait_for_delete_seconds
            message = f'pod "{name_of(pod)}" has DeletionTimestamp older than {seconds:g} seconds, skipping'
            self._tell(DrainStep.SKIPPED, message, pod)
            return True
        return False

    # ---------------------------------------------------------------- deletions, one after the other

    def _delete(self, pods: Sequence[dict[str, Any]]) -> None:
        left = list(pods)
        try:
            for pod in pods:
                self._delete_pod(pod)
            while left and not self._options.dry_run:
                left = [pod for pod in left if not self._is_gone(pod, self._scope, "deleted")]
                if left:
                    self._scope.sleep(_POLL_SECONDS)
        except CancelledError:
            raise
        except DeadlineExceededError as late:
            raise DrainTimeoutError(["context deadline exceeded"], node=self._node, pending=_names(left)) from late
        except DynkubeError as error:
            raise DrainError([_text(error)], node=self._node, pending=_names(left)) from error

    def _delete_pod(self, pod: Mapping[str, Any]) -> None:
        grace = self._options.delete_options.get("gracePeriodSeconds")
        scope = self._scope
        try:
            self._pods.namespace(namespace_of(pod)).delete(
                name_of(pod),
                grace_period_seconds=grace,
                dry_run=self._options.dry_run,
                timeout=scope.left(),
                cancel=scope.cancel,
            )
        except NotFoundError:
            pass


def _is_ending(error: APIStatusError) -> bool:
    """Whether the pod's namespace is about to end: it takes no evictions then, which are creations."""
    return is_reason(error, "Forbidden") and error.has_cause(_NAMESPACE_TERMINATING)


def _names(pods: Iterable[Mapping[str, Any]]) -> tuple[tuple[str, str], ...]:
    return tuple((namespace_of(each), name_of(each)) for each in pods)


def _text(error: DynkubeError) -> str:
    """The server's own words."""
    return error.message if isinstance(error, APIStatusError) and error.message else str(error)
