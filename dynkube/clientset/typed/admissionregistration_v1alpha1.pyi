"""admissionregistration.k8s.io/v1alpha1. Written by tests/recording/stubs.py."""

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

class MutatingAdmissionPolicies(
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
    """MutatingAdmissionPolicy objects."""

class MutatingAdmissionPolicyBindings(
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
    """MutatingAdmissionPolicyBinding objects."""

class AdmissionregistrationV1alpha1(GroupVersionClient):
    """The resources of admissionregistration.k8s.io/v1alpha1."""
    def mutatingadmissionpolicies(self) -> MutatingAdmissionPolicies:
        """MutatingAdmissionPolicy, cluster-scoped."""
    def mutatingadmissionpolicybindings(self) -> MutatingAdmissionPolicyBindings:
        """MutatingAdmissionPolicyBinding, cluster-scoped."""
