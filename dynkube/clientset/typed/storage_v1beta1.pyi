"""storage.k8s.io/v1beta1. Written by tests/recording/stubs.py."""

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

class StorageV1beta1(GroupVersionClient):
    """The resources of storage.k8s.io/v1beta1."""
    def volumeattributesclasses(self) -> VolumeAttributesClasses:
        """VolumeAttributesClass (vac), cluster-scoped."""
