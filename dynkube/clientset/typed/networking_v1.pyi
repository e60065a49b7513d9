"""networking.k8s.io/v1. Written by tests/recording/stubs.py."""

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

class IngressClasses(
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
    """IngressClass objects."""

class Ingresses(
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
    """Ingress objects."""

class IPAddresses(
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
    """IPAddress objects."""

class NetworkPolicies(
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
    """NetworkPolicy objects."""

class ServiceCIDRs(
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
    """ServiceCIDR objects."""

class NetworkingV1(GroupVersionClient):
    """The resources of networking.k8s.io/v1."""
    def ingressclasses(self) -> IngressClasses:
        """IngressClass, cluster-scoped."""
    def ingresses(self, namespace: str) -> Ingresses:
        """Ingress (ing), in a namespace, "" for all of them."""
    def ipaddresses(self) -> IPAddresses:
        """IPAddress (ip), cluster-scoped."""
    def networkpolicies(self, namespace: str) -> NetworkPolicies:
        """NetworkPolicy (netpol), in a namespace, "" for all of them."""
    def servicecidrs(self) -> ServiceCIDRs:
        """ServiceCIDR, cluster-scoped."""
