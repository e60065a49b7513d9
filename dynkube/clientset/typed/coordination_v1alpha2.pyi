"""coordination.k8s.io/v1alpha2. Written by tests/recording/stubs.py."""

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

class LeaseCandidates(
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
    """LeaseCandidate objects."""

class CoordinationV1alpha2(GroupVersionClient):
    """The resources of coordination.k8s.io/v1alpha2."""
    def leasecandidates(self, namespace: str) -> LeaseCandidates:
        """LeaseCandidate, in a namespace, "" for all of them."""
