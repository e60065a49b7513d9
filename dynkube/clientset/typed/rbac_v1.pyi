"""rbac.authorization.k8s.io/v1. Written by tests/recording/stubs.py."""

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

class ClusterRoleBindings(
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
    """ClusterRoleBinding objects."""

class ClusterRoles(
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
    """ClusterRole objects."""

class RoleBindings(
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
    """RoleBinding objects."""

class Roles(
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
    """Role objects."""

class RbacV1(GroupVersionClient):
    """The resources of rbac.authorization.k8s.io/v1."""
    def clusterrolebindings(self) -> ClusterRoleBindings:
        """ClusterRoleBinding, cluster-scoped."""
    def clusterroles(self) -> ClusterRoles:
        """ClusterRole, cluster-scoped."""
    def rolebindings(self, namespace: str) -> RoleBindings:
        """RoleBinding, in a namespace, "" for all of them."""
    def roles(self, namespace: str) -> Roles:
        """Role, in a namespace, "" for all of them."""
