"""Evictions: deleting a pod as far as its disruption budgets allow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dynkube.clientset.resource import ResourceClient
from dynkube.dynamic import ResourceHandle
from dynkube.errors import InvalidRequestError
from dynkube.schema import GroupVersionResource
from dynkube.transport import CancelToken

__all__ = ["Evictions", "PodEviction"]

_PODS = GroupVersionResource("", "v1", "pods")


class PodEviction(ResourceClient):
    """What pods can do where the server takes evictions (CG/kubernetes/typed/core/v1/pod_expansion.go)."""

    __slots__ = ()

    def evict(
        self,
        eviction: str | Mapping[str, Any],
        *,
        grace_period_seconds: int | None = None,
        dry_run: bool = False,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]:
        """Evict a pod: delete it, unless a PodDisruptionBudget forbids it now. In the version policy/v1.

        Args:
            eviction: the pod's name, or an Eviction, whose ``metadata.name`` it is.
            grace_period_seconds: seconds it gets to end, for a name; an Eviction has ``deleteOptions``.
            dry_run: have the server do everything but delete it.
            timeout: seconds for the whole call.
            cancel: a token that ends the call.

        Returns:
            The server's ``Status``.

        Raises:
            TooManyRequestsError: a budget forbids it now; ask again later.
            NotFoundError: there is none of this name.
            InvalidRequestError: the eviction names no pod.
        """
        return self.evict_v1(_eviction(eviction, grace_period_seconds, dry_run), timeout=timeout, cancel=cancel)

    def evict_v1(
        self, eviction: Mapping[str, Any], *, timeout: float | None = None, cancel: CancelToken | None = None
    ) -> dict[str, Any]:
        """Post a policy/v1 Eviction as it is (client-go's EvictV1); see `evict`."""
        return _post(self.handle, eviction, "policy/v1", timeout, cancel)

    def evict_v1beta1(
        self, eviction: Mapping[str, Any], *, timeout: float | None = None, cancel: CancelToken | None = None
    ) -> dict[str, Any]:
        """Post a policy/v1beta1 Eviction as it is (client-go's EvictV1beta1); see `evict`."""
        return _post(self.handle, eviction, "policy/v1beta1", timeout, cancel)


class Evictions(ResourceClient):
    """Evictions as a resource of the group policy; no server has them there (CG/kubernetes/typed/policy/v1).

    They go to the pods of the core group, in the namespace that the eviction names, else in the bound one.
    """

    __slots__ = ()

    def evict(
        self,
        eviction: str | Mapping[str, Any],
        *,
        grace_period_seconds: int | None = None,
        dry_run: bool = False,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]:
        """Evict a pod: as the method of the same name of pods."""
        body = _eviction(eviction, grace_period_seconds, dry_run)
        own = body["metadata"].get("namespace") if isinstance(body.get("metadata"), Mapping) else ""
        pods = ResourceHandle(self._rest, _PODS, namespaced=True, namespace=str(own or self._namespace))
        return _post(pods, body, str(self.gvr.group_version), timeout, cancel)


def _eviction(eviction: str | Mapping[str, Any], grace_period_seconds: int | None, dry_run: bool) -> dict[str, Any]:
    given = {"gracePeriodSeconds": grace_period_seconds, "dryRun": ["All"] if dry_run else None}
    options = {name: value for name, value in given.items() if value is not None}
    body = {"metadata": {"name": eviction}} if isinstance(eviction, str) else eviction
    _check(body)
    if not options:
        return dict(body)
    return {**body, "deleteOptions": {**(body.get("deleteOptions") or {}), **options}}


def _post(
    pods: ResourceHandle,
    eviction: Mapping[str, Any],
    api_version: str,
    timeout: float | None,
    cancel: CancelToken | None,
) -> dict[str, Any]:
    _check(eviction)
    body = {"apiVersion": api_version, "kind": "Eviction", **eviction}
    return pods.subresource("eviction").create(body, timeout=timeout, cancel=cancel)


def _check(eviction: object) -> None:
    if not isinstance(eviction, Mapping):
        raise InvalidRequestError(f"eviction must be a pod's name or an Eviction, not a {type(eviction).__name__}")
