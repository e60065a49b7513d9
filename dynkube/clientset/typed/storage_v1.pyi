"""storage.k8s.io/v1. Written by tests/recording/stubs.py."""

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

class CSIDrivers(
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
    """CSIDriver objects."""

class CSINodes(
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
    """CSINode objects."""

class CSIStorageCapacities(
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
    """CSIStorageCapacity objects."""

class StorageClasses(
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
    """StorageClass objects."""

class VolumeAttachments(
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
    """VolumeAttachment objects."""

class VolumeAttributesClasses(
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
    """VolumeAttributesClass objects."""

class StorageV1(GroupVersionClient):
    """The resources of storage.k8s.io/v1."""
    def csidrivers(self) -> CSIDrivers:
        """CSIDriver, cluster-scoped."""
    def csinodes(self) -> CSINodes:
        """CSINode, cluster-scoped."""
    def csistoragecapacities(self, namespace: str) -> CSIStorageCapacities:
        """CSIStorageCapacity, in a namespace, "" for all of them."""
    def storageclasses(self) -> StorageClasses:
        """StorageClass (sc), cluster-scoped."""
    def volumeattachments(self) -> VolumeAttachments:
        """VolumeAttachment, cluster-scoped."""
    def volumeattributesclasses(self) -> VolumeAttributesClasses:
        """VolumeAttributesClass (vac), cluster-scoped."""
