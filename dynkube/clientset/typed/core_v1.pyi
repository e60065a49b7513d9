"""v1. Written by tests/recording/stubs.py."""

from __future__ import annotations

from dynkube.clientset.expansions.binding import PodBinding
from dynkube.clientset.expansions.cluster import NamespaceFinalize, NodeStatus
from dynkube.clientset.expansions.events import CoreEvents
from dynkube.clientset.expansions.evicting import PodEviction
from dynkube.clientset.expansions.proxying import ProxyGet
from dynkube.clientset.expansions.rollouts import Draining, Exposing, Scaling
from dynkube.clientset.expansions.streaming import PodAttach, PodExec, PodLogs, PortForwarding
from dynkube.clientset.groups import GroupVersionClient
from dynkube.clientset.resource import ResourceClient
from dynkube.clientset.typed._subresources import (
    ApplyEphemeralContainers,
    ApplyEphemeralcontainers,
    ApplyResize,
    ApplyScale,
    CreateBinding,
    CreateEviction,
    CreateToken,
    GetEphemeralContainers,
    GetEphemeralcontainers,
    GetResize,
    GetScale,
    GetStatus,
    PatchEphemeralContainers,
    PatchEphemeralcontainers,
    PatchResize,
    PatchScale,
    PatchStatus,
    UpdateEphemeralContainers,
    UpdateEphemeralcontainers,
    UpdateFinalize,
    UpdateResize,
    UpdateScale,
)
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

class Bindings(CreateVerb, ResourceClient):
    """Binding objects."""

class ComponentStatuses(GetVerb, ListVerb, TableVerb, ResourceClient):
    """ComponentStatus objects."""

class ConfigMaps(
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
    """ConfigMap objects."""

class Endpoints(
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
    """Endpoints objects."""

class Events(
    CoreEvents,
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
    """Event objects."""

class LimitRanges(
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
    """LimitRange objects."""

class Namespaces(
    NamespaceFinalize,
    UpdateFinalize,
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
    WatchVerb,
    WaitVerb,
    ResourceClient,
):
    """Namespace objects."""

class Nodes(
    ProxyGet,
    NodeStatus,
    Draining,
    GetStatus,
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
    """Node objects."""

class PersistentVolumeClaims(
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
    """PersistentVolumeClaim objects."""

class PersistentVolumes(
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
    """PersistentVolume objects."""

class Pods(
    PodBinding,
    PodEviction,
    ProxyGet,
    PodLogs,
    PodExec,
    PodAttach,
    PortForwarding,
    Exposing,
    CreateBinding,
    GetEphemeralContainers,
    GetEphemeralcontainers,
    PatchEphemeralContainers,
    PatchEphemeralcontainers,
    ApplyEphemeralContainers,
    ApplyEphemeralcontainers,
    UpdateEphemeralContainers,
    UpdateEphemeralcontainers,
    CreateEviction,
    GetResize,
    PatchResize,
    ApplyResize,
    UpdateResize,
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
    """Pod objects."""

class PodTemplates(
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
    """PodTemplate objects."""

class ReplicationControllers(
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
    """ReplicationController objects."""

class ResourceQuotas(
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
    """ResourceQuota objects."""

class Secrets(
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
    """Secret objects."""

class ServiceAccounts(
    CreateToken,
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
    """ServiceAccount objects."""

class Services(
    ProxyGet,
    PortForwarding,
    Exposing,
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
    """Service objects."""

class CoreV1(GroupVersionClient):
    """The resources of v1."""
    def bindings(self, namespace: str) -> Bindings:
        """Binding, in a namespace, "" for all of them."""
    def componentstatuses(self) -> ComponentStatuses:
        """ComponentStatus (cs), cluster-scoped."""
    def configmaps(self, namespace: str) -> ConfigMaps:
        """ConfigMap (cm), in a namespace, "" for all of them."""
    def endpoints(self, namespace: str) -> Endpoints:
        """Endpoints (ep), in a namespace, "" for all of them."""
    def events(self, namespace: str) -> Events:
        """Event (ev), in a namespace, "" for all of them."""
    def limitranges(self, namespace: str) -> LimitRanges:
        """LimitRange (limits), in a namespace, "" for all of them."""
    def namespaces(self) -> Namespaces:
        """Namespace (ns), cluster-scoped."""
    def nodes(self) -> Nodes:
        """Node (no), cluster-scoped."""
    def persistentvolumeclaims(self, namespace: str) -> PersistentVolumeClaims:
        """PersistentVolumeClaim (pvc), in a namespace, "" for all of them."""
    def persistentvolumes(self) -> PersistentVolumes:
        """PersistentVolume (pv), cluster-scoped."""
    def pods(self, namespace: str) -> Pods:
        """Pod (po), in a namespace, "" for all of them."""
    def podtemplates(self, namespace: str) -> PodTemplates:
        """PodTemplate, in a namespace, "" for all of them."""
    def replicationcontrollers(self, namespace: str) -> ReplicationControllers:
        """ReplicationController (rc), in a namespace, "" for all of them."""
    def resourcequotas(self, namespace: str) -> ResourceQuotas:
        """ResourceQuota (quota), in a namespace, "" for all of them."""
    def secrets(self, namespace: str) -> Secrets:
        """Secret, in a namespace, "" for all of them."""
    def serviceaccounts(self, namespace: str) -> ServiceAccounts:
        """ServiceAccount (sa), in a namespace, "" for all of them."""
    def services(self, namespace: str) -> Services:
        """Service (svc), in a namespace, "" for all of them."""
