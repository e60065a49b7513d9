"""admissionregistration.k8s.io/v1. Written by tests/recording/stubs.py."""

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

class MutatingWebhookConfigurations(
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
    """MutatingWebhookConfiguration objects."""

class ValidatingAdmissionPolicies(
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
    """ValidatingAdmissionPolicy objects."""

class ValidatingAdmissionPolicyBindings(
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
    """ValidatingAdmissionPolicyBinding objects."""

class ValidatingWebhookConfigurations(
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
    """ValidatingWebhookConfiguration objects."""

class AdmissionregistrationV1(GroupVersionClient):
    """The resources of admissionregistration.k8s.io/v1."""
    def mutatingadmissionpolicies(self) -> MutatingAdmissionPolicies:
        """MutatingAdmissionPolicy, cluster-scoped."""
    def mutatingadmissionpolicybindings(self) -> MutatingAdmissionPolicyBindings:
        """MutatingAdmissionPolicyBinding, cluster-scoped."""
    def mutatingwebhookconfigurations(self) -> MutatingWebhookConfigurations:
        """MutatingWebhookConfiguration, cluster-scoped."""
    def validatingadmissionpolicies(self) -> ValidatingAdmissionPolicies:
        """ValidatingAdmissionPolicy, cluster-scoped."""
    def validatingadmissionpolicybindings(self) -> ValidatingAdmissionPolicyBindings:
        """ValidatingAdmissionPolicyBinding, cluster-scoped."""
    def validatingwebhookconfigurations(self) -> ValidatingWebhookConfigurations:
        """ValidatingWebhookConfiguration, cluster-scoped."""
