"""Take the pods off a node, without breaking disruption budgets: ``kubectl drain``."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dynkube.dynamic import DynamicClient
from dynkube.labels import LabelSelector
from dynkube.transport import CallScope, CancelToken
from dynkube.workloads.drainrun import Draining
from dynkube.workloads.drainvalues import DrainEvent, DrainOptions, DrainResult
from dynkube.workloads.podfilters import DrainPlan, PodFilter

__all__ = ["drain", "plan_drain"]

DEFAULT_CHUNK_SIZE = 500


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
    again each ``retry_seconds``, and so is one that nobody answers, for up to a minute: the API server may restart
    meanwhile. A pod is gone when it is not found, or when another one has its name. Where the
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
    options = DrainOptions(
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
    return Draining(client, node, options, on_progress, CallScope(timeout, cancel)).run()


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
    options = DrainOptions(
        force=force,
        ignore_daemonsets=ignore_daemonsets,
        delete_emptydir_data=delete_emptydir_data,
        pod_selector=pod_selector,
        skip_wait_for_delete_seconds=skip_wait_for_delete_seconds,
        filters=tuple(filters),
        chunk_size=chunk_size,
    )
    return Draining(client, node, options, None, CallScope(timeout, cancel)).plan()
