"""policy/v1. Written by tests/recording/stubs.py."""

from __future__ import annotations

from dynkube.clientset.expansions.evicting import Evictions as _Evictions
from dynkube.clientset.groups import GroupVersionClient
from dynkube.clientset.resource import ResourceClient
from dynkube.clientset.typed._subresources import GetStatus, PatchStatus
from dynkube.dynamic.verbs import (
    ApplyStatusVerb,
    ApplyVerb,
    CreateVerb,
    DeleteCollectionVerb,
    DeleteVerb,
    GetVerb,
    ListVerb,
    PatchVerb,
    TableVerb,
    UpdateStatusVerb,
    UpdateVerb,
    WaitVerb,
    WatchVerb,
)

class Evictions(_Evictions, ResourceClient):
    """Eviction objects."""

class PodDisruptionBudgets(
    GetStatus,
    PatchStatus,
    GetVerb,
    ListVerb,
    TableVerb,
    CreateVerb,
    UpdateVerb,
    UpdateStatusVerb,
    PatchVerb,
    ApplyVerb,
    ApplyStatusVerb,
    DeleteVerb,
    DeleteCollectionVerb,
    WatchVerb,
    WaitVerb,
    ResourceClient,
):
    """PodDisruptionBudget objects."""

class PolicyV1(GroupVersionClient):
    """The resources of policy/v1."""
    def evictions(self, namespace: str) -> Evictions:
        """Eviction, in a namespace, "" for all of them."""
    def poddisruptionbudgets(self, namespace: str) -> PodDisruptionBudgets:
        """PodDisruptionBudget (pdb), in a namespace, "" for all of them."""
