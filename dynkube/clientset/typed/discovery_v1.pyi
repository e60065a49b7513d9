"""discovery.k8s.io/v1. Written by tests/recording/stubs.py."""

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

class EndpointSlices(
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
    """EndpointSlice objects."""

class DiscoveryV1(GroupVersionClient):
    """The resources of discovery.k8s.io/v1."""
    def endpointslices(self, namespace: str) -> EndpointSlices:
        """EndpointSlice, in a namespace, "" for all of them."""
