"""How a node is drained: the requests, in their order, and what is made of each answer.

Source: kubectl's pkg/drain/drain.go and cmd/drain/drain.go.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from datetime import UTC, datetime
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
    ForbiddenError,
    NotFoundError,
    is_reason,
)
from dynkube.schema import GroupVersion, GroupVersionResource
from dynkube.transport import CallScope
from dynkube.unstructured import deletion_timestamp_of, name_of, namespace_of, uid_of
from dynkube.workloads.cordoning import cordon
from dynkube.workloads.drainvalues import DrainEvent, DrainOptions, DrainResult, DrainStep
from dynkube.workloads.evictions import Job, run_jobs
from dynkube.workloads.patience import Patience
from dynkube.workloads.podfilters import DrainPlan, DrainRules

__all__ = ["Draining"]

_log = logging.getLogger("dynkube.workloads")

_NODES = GroupVersionResource("", "v1", "nodes")
_PODS = GroupVersionResource("", "v1", "pods")
_DAEMON_SETS = GroupVersionResource("apps", "v1", "daemonsets")
_NAMESPACE_TERMINATING = "NamespaceTerminating"
_POLL_SECONDS = 1.0


class Draining:
    """One drain of one node: cordon, look at its pods, evict or delete them, see them go."""

    def __init__(
        self,
        client: DynamicClient,
        node: str,
        options: DrainOptions,
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
        """All of it; see `dynkube.workloads.drain`."""
        try:
            return self._run()
        except DrainTimeoutError:
            raise
        except DeadlineExceededError as late:  # before there was any pod to wait for
            raise DrainTimeoutError([late], node=self._node) from late

    def _run(self) -> DrainResult:
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
        """What would become of each pod; only reads."""
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

    def _until_evicted(
        self, pod: dict[str, Any], version: GroupVersion, scope: CallScope
    ) -> Generator[float, None, dict[str, Any] | None]:
        """The pod as it was when its eviction was granted; None when there was none any more."""
        active, patience = pod, Patience()
        pods = self._pods.namespace(namespace_of(pod))
        how = " (server dry run)" if self._options.dry_run else ""
        while True:
            self._tell(DrainStep.EVICTING, f"evicting pod {namespace_of(active)}/{name_of(active)}{how}", active)
            try:
                self._post_eviction(pods, active, version, scope)
            except NotFoundError:
                break
            except (CancelledError, DeadlineExceededError):
                raise
            except DynkubeError as error:
                if _is_ending(error) and deletion_timestamp_of(active):
                    return active  # no eviction will ever be granted there, but it is on its way
                if not (patience.bears(error) or _is_ending(error) or is_reason(error, "TooManyRequests")):
                    raise
                self._tell(DrainStep.RETRYING, self._refused(active, error), active, error)
            else:
                return active
            yield self._options.retry_seconds
            active = self._read_again(pods, active, scope)
            if uid_of(active) != uid_of(pod):
                # It is gone, and the new one of its name may be on another node. kubectl would evict that one.
                break
        self._tell(DrainStep.GONE, f"pod/{name_of(pod)} evicted", pod)
        return None

    def _read_again(self, pods: ResourceHandle, pod: dict[str, Any], scope: CallScope) -> dict[str, Any]:
        try:
            return pods.get(name_of(pod), timeout=scope.left(), cancel=scope.cancel)
        except (CancelledError, DeadlineExceededError):
            raise
        except DynkubeError:
            return pod  # the next eviction tells

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

    def _refused(self, pod: Mapping[str, Any], error: DynkubeError) -> str:
        again = f"(will retry after {self._options.retry_seconds:g}s): {_text(error)}"
        if _is_ending(error):
            return f'error when evicting pod "{name_of(pod)}" from terminating namespace "{namespace_of(pod)}" {again}'
        return f'error when evicting pods/"{name_of(pod)}" -n "{namespace_of(pod)}" {again}'

    def _until_gone(self, pod: dict[str, Any], scope: CallScope) -> Job:
        patience = Patience()
        while not self._is_gone(pod, scope, "evicted", patience):
            yield _POLL_SECONDS

    def _is_gone(self, pod: dict[str, Any], scope: CallScope, word: str, patience: Patience) -> bool:
        """Whether a pod need not be waited for any more."""
        pods = self._pods.namespace(namespace_of(pod))
        failed = "eviction failed" if word == "evicted" else "deletion failed"
        try:
            found = pods.get_or_none(name_of(pod), timeout=scope.left(), cancel=scope.cancel)
        except (CancelledError, DeadlineExceededError):
            raise
        except DynkubeError as error:
            if patience.bears(error):
                return False
            self._tell(DrainStep.FAILED, f"pod/{name_of(pod)} {failed}", pod, error)
            raise
        patience.end()
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
        left, patience = list(pods), Patience()
        try:
            for pod in pods:
                self._delete_pod(pod)
            while left and not self._options.dry_run:
                left = [pod for pod in left if not self._is_gone(pod, self._scope, "deleted", patience)]
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


def _is_ending(error: DynkubeError) -> bool:
    """Whether the pod's namespace is about to end: it takes no evictions then, which are creations."""
    return isinstance(error, ForbiddenError) and error.has_cause(_NAMESPACE_TERMINATING)


def _names(pods: Iterable[Mapping[str, Any]]) -> tuple[tuple[str, str], ...]:
    return tuple((namespace_of(each), name_of(each)) for each in pods)


def _text(error: DynkubeError) -> str:
    """The server's own words."""
    return error.message if isinstance(error, APIStatusError) and error.message else str(error)
