"""resource.k8s.io/v1alpha3. Written by tests/recording/stubs.py."""

from __future__ import annotations

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

class DeviceTaintRules(
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
    """DeviceTaintRule objects."""

class ResourcePoolStatusRequests(
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
    """ResourcePoolStatusRequest objects."""

class ResourceV1alpha3(GroupVersionClient):
    """The resources of resource.k8s.io/v1alpha3."""
    def devicetaintrules(self) -> DeviceTaintRules:
        """DeviceTaintRule, cluster-scoped."""
    def resourcepoolstatusrequests(self) -> ResourcePoolStatusRequests:
        """ResourcePoolStatusRequest, cluster-scoped."""
