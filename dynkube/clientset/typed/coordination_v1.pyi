"""coordination.k8s.io/v1. Written by tests/recording/stubs.py."""

from __future__ import annotations

from dynkube.clientset.groups import GroupVersionClient
from dynkube.clientset.resource import ResourceClient
from dynkube.dynamic.verbs import (
    ApplyVerb,
    CreateVerb,
    DeleteCollectionVerb,
    DeleteVerb,
    GetVerb,
    ListVerb,
    PatchVerb,
    TableVerb,
    UpdateVerb,
    WaitVerb,
    WatchVerb,
)

class Leases(
    GetVerb,
    ListVerb,
    TableVerb,
    CreateVerb,
    UpdateVerb,
    PatchVerb,
    ApplyVerb,
    DeleteVerb,
    DeleteCollectionVerb,
    WatchVerb,
    WaitVerb,
    ResourceClient,
):
    """Lease objects."""

class CoordinationV1(GroupVersionClient):
    """The resources of coordination.k8s.io/v1."""
    def leases(self, namespace: str) -> Leases:
        """Lease, in a namespace, "" for all of them."""
