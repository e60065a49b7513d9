"""apps/v1. Written by tests/recording/stubs.py."""

from __future__ import annotations

from dynkube.clientset.expansions.rollouts import Exposing, PausableRollouts, Rollouts, Scaling
from dynkube.clientset.expansions.streaming import PortForwarding
from dynkube.clientset.groups import GroupVersionClient
from dynkube.clientset.resource import ResourceClient
from dynkube.clientset.typed._subresources import ApplyScale, GetScale, GetStatus, PatchScale, PatchStatus, UpdateScale
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

class ControllerRevisions(
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
    """ControllerRevision objects."""

class DaemonSets(
    PortForwarding,
    Rollouts,
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
    """DaemonSet objects."""

class Deployments(
    PortForwarding,
    PausableRollouts,
    Exposing,
    Scaling,
    GetScale,
    PatchScale,
    ApplyScale,
    UpdateScale,
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
    """Deployment objects."""

class ReplicaSets(
    PortForwarding,
    Exposing,
    Scaling,
    GetScale,
    PatchScale,
    ApplyScale,
    UpdateScale,
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
    """ReplicaSet objects."""

class StatefulSets(
    PortForwarding,
    Rollouts,
    Scaling,
    GetScale,
    PatchScale,
    ApplyScale,
    UpdateScale,
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
    """StatefulSet objects."""

class AppsV1(GroupVersionClient):
    """The resources of apps/v1."""
    def controllerrevisions(self, namespace: str) -> ControllerRevisions:
        """ControllerRevision, in a namespace, "" for all of them."""
    def daemonsets(self, namespace: str) -> DaemonSets:
        """DaemonSet (ds), in a namespace, "" for all of them."""
    def deployments(self, namespace: str) -> Deployments:
        """Deployment (deploy), in a namespace, "" for all of them."""
    def replicasets(self, namespace: str) -> ReplicaSets:
        """ReplicaSet (rs), in a namespace, "" for all of them."""
    def statefulsets(self, namespace: str) -> StatefulSets:
        """StatefulSet (sts), in a namespace, "" for all of them."""
