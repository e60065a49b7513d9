"""certificates.k8s.io/v1. Written by tests/recording/stubs.py."""

from __future__ import annotations

from dynkube.clientset.groups import GroupVersionClient
from dynkube.clientset.resource import ResourceClient
from dynkube.clientset.typed._subresources import (
    ApplyApproval,
    GetApproval,
    GetStatus,
    PatchApproval,
    PatchStatus,
    UpdateApproval,
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

class CertificateSigningRequests(
    GetApproval,
    PatchApproval,
    ApplyApproval,
    UpdateApproval,
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
    """CertificateSigningRequest objects."""

class CertificatesV1(GroupVersionClient):
    """The resources of certificates.k8s.io/v1."""
    def certificatesigningrequests(self) -> CertificateSigningRequests:
        """CertificateSigningRequest (csr), cluster-scoped."""
