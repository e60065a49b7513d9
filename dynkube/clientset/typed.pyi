"""What a clientset has, for type checkers and editors. Written by tests/recording/stubs.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dynkube.clientset.expansions.binding import PodBinding as _PodBinding
from dynkube.clientset.expansions.cluster import NamespaceFinalize as _NamespaceFinalize
from dynkube.clientset.expansions.cluster import NodeStatus as _NodeStatus
from dynkube.clientset.expansions.events import CoreEvents as _CoreEvents
from dynkube.clientset.expansions.events import Events as _Events
from dynkube.clientset.expansions.evicting import Evictions as _Evictions
from dynkube.clientset.expansions.evicting import PodEviction as _PodEviction
from dynkube.clientset.expansions.proxying import ProxyGet as _ProxyGet
from dynkube.clientset.expansions.rollouts import Draining as _Draining
from dynkube.clientset.expansions.rollouts import Exposing as _Exposing
from dynkube.clientset.expansions.rollouts import PausableRollouts as _PausableRollouts
from dynkube.clientset.expansions.rollouts import Rollouts as _Rollouts
from dynkube.clientset.expansions.rollouts import Scaling as _Scaling
from dynkube.clientset.expansions.streaming import Logs as _Logs
from dynkube.clientset.expansions.streaming import PodAttach as _PodAttach
from dynkube.clientset.expansions.streaming import PodExec as _PodExec
from dynkube.clientset.expansions.streaming import PortForwarding as _PortForwarding
from dynkube.clientset.groups import GroupVersionClient
from dynkube.clientset.resource import ResourceClient
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
from dynkube.patches import PatchType
from dynkube.transport import CancelToken

class _ApplyApproval(ResourceClient):
    def apply_approval(
        self,
        name: str,
        obj: Mapping[str, Any],
        *,
        field_manager: str,
        force: bool = False,
        dry_run: bool = False,
        field_validation: str | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]: ...

class _ApplyEphemeralContainers(ResourceClient):
    def apply_ephemeral_containers(
        self,
        name: str,
        obj: Mapping[str, Any],
        *,
        field_manager: str,
        force: bool = False,
        dry_run: bool = False,
        field_validation: str | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]: ...

class _ApplyEphemeralcontainers(ResourceClient):
    def apply_ephemeralcontainers(
        self,
        name: str,
        obj: Mapping[str, Any],
        *,
        field_manager: str,
        force: bool = False,
        dry_run: bool = False,
        field_validation: str | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]: ...

class _ApplyResize(ResourceClient):
    def apply_resize(
        self,
        name: str,
        obj: Mapping[str, Any],
        *,
        field_manager: str,
        force: bool = False,
        dry_run: bool = False,
        field_validation: str | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]: ...

class _ApplyScale(ResourceClient):
    def apply_scale(
        self,
        name: str,
        obj: Mapping[str, Any],
        *,
        field_manager: str,
        force: bool = False,
        dry_run: bool = False,
        field_validation: str | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]: ...

class _CreateBinding(ResourceClient):
    def create_binding(
        self,
        name: str,
        obj: Mapping[str, Any],
        *,
        dry_run: bool = False,
        field_manager: str | None = None,
        field_validation: str | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]: ...

class _CreateEviction(ResourceClient):
    def create_eviction(
        self,
        name: str,
        obj: Mapping[str, Any],
        *,
        dry_run: bool = False,
        field_manager: str | None = None,
        field_validation: str | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]: ...

class _CreateToken(ResourceClient):
    def create_token(
        self,
        name: str,
        obj: Mapping[str, Any],
        *,
        dry_run: bool = False,
        field_manager: str | None = None,
        field_validation: str | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]: ...

class _GetApproval(ResourceClient):
    def get_approval(
        self,
        name: str,
        *,
        resource_version: str | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]: ...

class _GetEphemeralContainers(ResourceClient):
    def get_ephemeral_containers(
        self,
        name: str,
        *,
        resource_version: str | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]: ...

class _GetEphemeralcontainers(ResourceClient):
    def get_ephemeralcontainers(
        self,
        name: str,
        *,
        resource_version: str | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]: ...

class _GetResize(ResourceClient):
    def get_resize(
        self,
        name: str,
        *,
        resource_version: str | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]: ...

class _GetScale(ResourceClient):
    def get_scale(
        self,
        name: str,
        *,
        resource_version: str | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]: ...

class _GetStatus(ResourceClient):
    def get_status(
        self,
        name: str,
        *,
        resource_version: str | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]: ...

class _PatchApproval(ResourceClient):
    def patch_approval(
        self,
        name: str,
        body: Any,
        *,
        type: PatchType | None = None,
        dry_run: bool = False,
        field_manager: str | None = None,
        field_validation: str | None = None,
        force: bool | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]: ...

class _PatchEphemeralContainers(ResourceClient):
    def patch_ephemeral_containers(
        self,
        name: str,
        body: Any,
        *,
        type: PatchType | None = None,
        dry_run: bool = False,
        field_manager: str | None = None,
        field_validation: str | None = None,
        force: bool | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]: ...

class _PatchEphemeralcontainers(ResourceClient):
    def patch_ephemeralcontainers(
        self,
        name: str,
        body: Any,
        *,
        type: PatchType | None = None,
        dry_run: bool = False,
        field_manager: str | None = None,
        field_validation: str | None = None,
        force: bool | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]: ...

class _PatchResize(ResourceClient):
    def patch_resize(
        self,
        name: str,
        body: Any,
        *,
        type: PatchType | None = None,
        dry_run: bool = False,
        field_manager: str | None = None,
        field_validation: str | None = None,
        force: bool | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]: ...

class _PatchScale(ResourceClient):
    def patch_scale(
        self,
        name: str,
        body: Any,
        *,
        type: PatchType | None = None,
        dry_run: bool = False,
        field_manager: str | None = None,
        field_validation: str | None = None,
        force: bool | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]: ...

class _PatchStatus(ResourceClient):
    def patch_status(
        self,
        name: str,
        body: Any,
        *,
        type: PatchType | None = None,
        dry_run: bool = False,
        field_manager: str | None = None,
        field_validation: str | None = None,
        force: bool | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]: ...

class _UpdateApproval(ResourceClient):
    def update_approval(
        self,
        name: str,
        obj: Mapping[str, Any],
        *,
        dry_run: bool = False,
        field_manager: str | None = None,
        field_validation: str | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]: ...

class _UpdateEphemeralContainers(ResourceClient):
    def update_ephemeral_containers(
        self,
        name: str,
        obj: Mapping[str, Any],
        *,
        dry_run: bool = False,
        field_manager: str | None = None,
        field_validation: str | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]: ...

class _UpdateEphemeralcontainers(ResourceClient):
    def update_ephemeralcontainers(
        self,
        name: str,
        obj: Mapping[str, Any],
        *,
        dry_run: bool = False,
        field_manager: str | None = None,
        field_validation: str | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]: ...

class _UpdateFinalize(ResourceClient):
    def update_finalize(
        self,
        name: str,
        obj: Mapping[str, Any],
        *,
        dry_run: bool = False,
        field_manager: str | None = None,
        field_validation: str | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]: ...

class _UpdateResize(ResourceClient):
    def update_resize(
        self,
        name: str,
        obj: Mapping[str, Any],
        *,
        dry_run: bool = False,
        field_manager: str | None = None,
        field_validation: str | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]: ...

class _UpdateScale(ResourceClient):
    def update_scale(
        self,
        name: str,
        obj: Mapping[str, Any],
        *,
        dry_run: bool = False,
        field_manager: str | None = None,
        field_validation: str | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]: ...

class AdmissionregistrationV1(GroupVersionClient):
    """The resources of admissionregistration.k8s.io/v1."""

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
        _GetStatus,
        _PatchStatus,
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

class AdmissionregistrationV1alpha1(GroupVersionClient):
    """The resources of admissionregistration.k8s.io/v1alpha1."""

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

    def mutatingadmissionpolicies(self) -> MutatingAdmissionPolicies:
        """MutatingAdmissionPolicy, cluster-scoped."""
    def mutatingadmissionpolicybindings(self) -> MutatingAdmissionPolicyBindings:
        """MutatingAdmissionPolicyBinding, cluster-scoped."""

class AdmissionregistrationV1beta1(GroupVersionClient):
    """The resources of admissionregistration.k8s.io/v1beta1."""

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

    def mutatingadmissionpolicies(self) -> MutatingAdmissionPolicies:
        """MutatingAdmissionPolicy, cluster-scoped."""
    def mutatingadmissionpolicybindings(self) -> MutatingAdmissionPolicyBindings:
        """MutatingAdmissionPolicyBinding, cluster-scoped."""

class ApiextensionsV1(GroupVersionClient):
    """The resources of apiextensions.k8s.io/v1."""

    class CustomResourceDefinitions(
        _GetStatus,
        _PatchStatus,
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
        """CustomResourceDefinition objects."""

    def customresourcedefinitions(self) -> CustomResourceDefinitions:
        """CustomResourceDefinition (crd, crds), cluster-scoped."""

class ApiregistrationV1(GroupVersionClient):
    """The resources of apiregistration.k8s.io/v1."""

    class APIServices(
        _GetStatus,
        _PatchStatus,
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
        """APIService objects."""

    def apiservices(self) -> APIServices:
        """APIService, cluster-scoped."""

class AppsV1(GroupVersionClient):
    """The resources of apps/v1."""

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
        _Logs,
        _PortForwarding,
        _Rollouts,
        _GetStatus,
        _PatchStatus,
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
        _Logs,
        _PortForwarding,
        _PausableRollouts,
        _Exposing,
        _Scaling,
        _GetScale,
        _PatchScale,
        _ApplyScale,
        _UpdateScale,
        _GetStatus,
        _PatchStatus,
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
        _Logs,
        _PortForwarding,
        _Exposing,
        _Scaling,
        _GetScale,
        _PatchScale,
        _ApplyScale,
        _UpdateScale,
        _GetStatus,
        _PatchStatus,
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
        _Logs,
        _PortForwarding,
        _Rollouts,
        _Scaling,
        _GetScale,
        _PatchScale,
        _ApplyScale,
        _UpdateScale,
        _GetStatus,
        _PatchStatus,
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

class AuthenticationV1(GroupVersionClient):
    """The resources of authentication.k8s.io/v1."""

    class SelfSubjectReviews(CreateVerb, ResourceClient):
        """SelfSubjectReview objects."""

    class TokenReviews(CreateVerb, ResourceClient):
        """TokenReview objects."""

    def selfsubjectreviews(self) -> SelfSubjectReviews:
        """SelfSubjectReview, cluster-scoped."""
    def tokenreviews(self) -> TokenReviews:
        """TokenReview, cluster-scoped."""

class AuthorizationV1(GroupVersionClient):
    """The resources of authorization.k8s.io/v1."""

    class LocalSubjectAccessReviews(CreateVerb, ResourceClient):
        """LocalSubjectAccessReview objects."""

    class SelfSubjectAccessReviews(CreateVerb, ResourceClient):
        """SelfSubjectAccessReview objects."""

    class SelfSubjectRulesReviews(CreateVerb, ResourceClient):
        """SelfSubjectRulesReview objects."""

    class SubjectAccessReviews(CreateVerb, ResourceClient):
        """SubjectAccessReview objects."""

    def localsubjectaccessreviews(self, namespace: str) -> LocalSubjectAccessReviews:
        """LocalSubjectAccessReview, in a namespace, "" for all of them."""
    def selfsubjectaccessreviews(self) -> SelfSubjectAccessReviews:
        """SelfSubjectAccessReview, cluster-scoped."""
    def selfsubjectrulesreviews(self) -> SelfSubjectRulesReviews:
        """SelfSubjectRulesReview, cluster-scoped."""
    def subjectaccessreviews(self) -> SubjectAccessReviews:
        """SubjectAccessReview, cluster-scoped."""

class AutoscalingV1(GroupVersionClient):
    """The resources of autoscaling/v1."""

    class HorizontalPodAutoscalers(
        _GetStatus,
        _PatchStatus,
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
        """HorizontalPodAutoscaler objects."""

    def horizontalpodautoscalers(self, namespace: str) -> HorizontalPodAutoscalers:
        """HorizontalPodAutoscaler (hpa), in a namespace, "" for all of them."""

class AutoscalingV2(GroupVersionClient):
    """The resources of autoscaling/v2."""

    class HorizontalPodAutoscalers(
        _GetStatus,
        _PatchStatus,
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
        """HorizontalPodAutoscaler objects."""

    def horizontalpodautoscalers(self, namespace: str) -> HorizontalPodAutoscalers:
        """HorizontalPodAutoscaler (hpa), in a namespace, "" for all of them."""

class BatchV1(GroupVersionClient):
    """The resources of batch/v1."""

    class CronJobs(
        _GetStatus,
        _PatchStatus,
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
        """CronJob objects."""

    class Jobs(
        _Logs,
        _PortForwarding,
        _GetStatus,
        _PatchStatus,
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
        """Job objects."""

    def cronjobs(self, namespace: str) -> CronJobs:
        """CronJob (cj), in a namespace, "" for all of them."""
    def jobs(self, namespace: str) -> Jobs:
        """Job, in a namespace, "" for all of them."""

class CertificatesV1(GroupVersionClient):
    """The resources of certificates.k8s.io/v1."""

    class CertificateSigningRequests(
        _GetApproval,
        _PatchApproval,
        _ApplyApproval,
        _UpdateApproval,
        _GetStatus,
        _PatchStatus,
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

    def certificatesigningrequests(self) -> CertificateSigningRequests:
        """CertificateSigningRequest (csr), cluster-scoped."""

class CoordinationV1(GroupVersionClient):
    """The resources of coordination.k8s.io/v1."""

    class Leases(
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
        """Lease objects."""

    def leases(self, namespace: str) -> Leases:
        """Lease, in a namespace, "" for all of them."""

class CoordinationV1alpha2(GroupVersionClient):
    """The resources of coordination.k8s.io/v1alpha2."""

    class LeaseCandidates(
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
        """LeaseCandidate objects."""

    def leasecandidates(self, namespace: str) -> LeaseCandidates:
        """LeaseCandidate, in a namespace, "" for all of them."""

class CoordinationV1beta1(GroupVersionClient):
    """The resources of coordination.k8s.io/v1beta1."""

    class LeaseCandidates(
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
        """LeaseCandidate objects."""

    def leasecandidates(self, namespace: str) -> LeaseCandidates:
        """LeaseCandidate, in a namespace, "" for all of them."""

class CoreV1(GroupVersionClient):
    """The resources of v1."""

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
        _CoreEvents,
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
        _NamespaceFinalize,
        _UpdateFinalize,
        _GetStatus,
        _PatchStatus,
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
        _ProxyGet,
        _NodeStatus,
        _Draining,
        _GetStatus,
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
        _GetStatus,
        _PatchStatus,
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
        _GetStatus,
        _PatchStatus,
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
        _PodBinding,
        _PodEviction,
        _ProxyGet,
        _Logs,
        _PodExec,
        _PodAttach,
        _PortForwarding,
        _Exposing,
        _CreateBinding,
        _GetEphemeralContainers,
        _GetEphemeralcontainers,
        _PatchEphemeralContainers,
        _PatchEphemeralcontainers,
        _ApplyEphemeralContainers,
        _ApplyEphemeralcontainers,
        _UpdateEphemeralContainers,
        _UpdateEphemeralcontainers,
        _CreateEviction,
        _GetResize,
        _PatchResize,
        _ApplyResize,
        _UpdateResize,
        _GetStatus,
        _PatchStatus,
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
        _Logs,
        _PortForwarding,
        _Exposing,
        _Scaling,
        _GetScale,
        _PatchScale,
        _ApplyScale,
        _UpdateScale,
        _GetStatus,
        _PatchStatus,
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
        _GetStatus,
        _PatchStatus,
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
        _CreateToken,
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
        _ProxyGet,
        _PortForwarding,
        _Exposing,
        _GetStatus,
        _PatchStatus,
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

class DiscoveryV1(GroupVersionClient):
    """The resources of discovery.k8s.io/v1."""

    class EndpointSlices(
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
        """EndpointSlice objects."""

    def endpointslices(self, namespace: str) -> EndpointSlices:
        """EndpointSlice, in a namespace, "" for all of them."""

class EventsV1(GroupVersionClient):
    """The resources of events.k8s.io/v1."""

    class Events(
        _Events,
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

    def events(self, namespace: str) -> Events:
        """Event (ev), in a namespace, "" for all of them."""

class FlowcontrolV1(GroupVersionClient):
    """The resources of flowcontrol.apiserver.k8s.io/v1."""

    class FlowSchemas(
        _GetStatus,
        _PatchStatus,
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
        """FlowSchema objects."""

    class PriorityLevelConfigurations(
        _GetStatus,
        _PatchStatus,
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
        """PriorityLevelConfiguration objects."""

    def flowschemas(self) -> FlowSchemas:
        """FlowSchema, cluster-scoped."""
    def prioritylevelconfigurations(self) -> PriorityLevelConfigurations:
        """PriorityLevelConfiguration, cluster-scoped."""

class InternalV1alpha1(GroupVersionClient):
    """The resources of internal.apiserver.k8s.io/v1alpha1."""

    class StorageVersions(
        _GetStatus,
        _PatchStatus,
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
        """StorageVersion objects."""

    def storageversions(self) -> StorageVersions:
        """StorageVersion, cluster-scoped."""

class NetworkingV1(GroupVersionClient):
    """The resources of networking.k8s.io/v1."""

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
        _GetStatus,
        _PatchStatus,
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
        _GetStatus,
        _PatchStatus,
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

class NetworkingV1beta1(GroupVersionClient):
    """The resources of networking.k8s.io/v1beta1."""

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

    class ServiceCIDRs(
        _GetStatus,
        _PatchStatus,
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

    def ipaddresses(self) -> IPAddresses:
        """IPAddress (ip), cluster-scoped."""
    def servicecidrs(self) -> ServiceCIDRs:
        """ServiceCIDR, cluster-scoped."""

class NodeV1(GroupVersionClient):
    """The resources of node.k8s.io/v1."""

    class RuntimeClasses(
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
        """RuntimeClass objects."""

    def runtimeclasses(self) -> RuntimeClasses:
        """RuntimeClass, cluster-scoped."""

class PolicyV1(GroupVersionClient):
    """The resources of policy/v1."""

    class Evictions(_Evictions, ResourceClient):
        """Eviction objects."""

    class PodDisruptionBudgets(
        _GetStatus,
        _PatchStatus,
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
        """PodDisruptionBudget objects."""

    def evictions(self, namespace: str) -> Evictions:
        """Eviction, in a namespace, "" for all of them."""
    def poddisruptionbudgets(self, namespace: str) -> PodDisruptionBudgets:
        """PodDisruptionBudget (pdb), in a namespace, "" for all of them."""

class RbacV1(GroupVersionClient):
    """The resources of rbac.authorization.k8s.io/v1."""

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

    def clusterrolebindings(self) -> ClusterRoleBindings:
        """ClusterRoleBinding, cluster-scoped."""
    def clusterroles(self) -> ClusterRoles:
        """ClusterRole, cluster-scoped."""
    def rolebindings(self, namespace: str) -> RoleBindings:
        """RoleBinding, in a namespace, "" for all of them."""
    def roles(self, namespace: str) -> Roles:
        """Role, in a namespace, "" for all of them."""

class ResourceV1(GroupVersionClient):
    """The resources of resource.k8s.io/v1."""

    class DeviceClasses(
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
        """DeviceClass objects."""

    class ResourceClaims(
        _GetStatus,
        _PatchStatus,
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
        """ResourceClaim objects."""

    class ResourceClaimTemplates(
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
        """ResourceClaimTemplate objects."""

    class ResourceSlices(
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
        """ResourceSlice objects."""

    def deviceclasses(self) -> DeviceClasses:
        """DeviceClass, cluster-scoped."""
    def resourceclaims(self, namespace: str) -> ResourceClaims:
        """ResourceClaim, in a namespace, "" for all of them."""
    def resourceclaimtemplates(self, namespace: str) -> ResourceClaimTemplates:
        """ResourceClaimTemplate, in a namespace, "" for all of them."""
    def resourceslices(self) -> ResourceSlices:
        """ResourceSlice, cluster-scoped."""

class ResourceV1alpha3(GroupVersionClient):
    """The resources of resource.k8s.io/v1alpha3."""

    class DeviceTaintRules(
        _GetStatus,
        _PatchStatus,
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
        _GetStatus,
        _PatchStatus,
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

    def devicetaintrules(self) -> DeviceTaintRules:
        """DeviceTaintRule, cluster-scoped."""
    def resourcepoolstatusrequests(self) -> ResourcePoolStatusRequests:
        """ResourcePoolStatusRequest, cluster-scoped."""

class ResourceV1beta1(GroupVersionClient):
    """The resources of resource.k8s.io/v1beta1."""

    class DeviceClasses(
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
        """DeviceClass objects."""

    class ResourceClaims(
        _GetStatus,
        _PatchStatus,
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
        """ResourceClaim objects."""

    class ResourceClaimTemplates(
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
        """ResourceClaimTemplate objects."""

    class ResourceSlices(
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
        """ResourceSlice objects."""

    def deviceclasses(self) -> DeviceClasses:
        """DeviceClass, cluster-scoped."""
    def resourceclaims(self, namespace: str) -> ResourceClaims:
        """ResourceClaim, in a namespace, "" for all of them."""
    def resourceclaimtemplates(self, namespace: str) -> ResourceClaimTemplates:
        """ResourceClaimTemplate, in a namespace, "" for all of them."""
    def resourceslices(self) -> ResourceSlices:
        """ResourceSlice, cluster-scoped."""

class ResourceV1beta2(GroupVersionClient):
    """The resources of resource.k8s.io/v1beta2."""

    class DeviceClasses(
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
        """DeviceClass objects."""

    class DeviceTaintRules(
        _GetStatus,
        _PatchStatus,
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

    class ResourceClaims(
        _GetStatus,
        _PatchStatus,
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
        """ResourceClaim objects."""

    class ResourceClaimTemplates(
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
        """ResourceClaimTemplate objects."""

    class ResourceSlices(
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
        """ResourceSlice objects."""

    def deviceclasses(self) -> DeviceClasses:
        """DeviceClass, cluster-scoped."""
    def devicetaintrules(self) -> DeviceTaintRules:
        """DeviceTaintRule, cluster-scoped."""
    def resourceclaims(self, namespace: str) -> ResourceClaims:
        """ResourceClaim, in a namespace, "" for all of them."""
    def resourceclaimtemplates(self, namespace: str) -> ResourceClaimTemplates:
        """ResourceClaimTemplate, in a namespace, "" for all of them."""
    def resourceslices(self) -> ResourceSlices:
        """ResourceSlice, cluster-scoped."""

class SchedulingV1(GroupVersionClient):
    """The resources of scheduling.k8s.io/v1."""

    class PriorityClasses(
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
        """PriorityClass objects."""

    def priorityclasses(self) -> PriorityClasses:
        """PriorityClass (pc), cluster-scoped."""

class StorageV1(GroupVersionClient):
    """The resources of storage.k8s.io/v1."""

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
        _GetStatus,
        _PatchStatus,
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

class StorageV1beta1(GroupVersionClient):
    """The resources of storage.k8s.io/v1beta1."""

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

    def volumeattributesclasses(self) -> VolumeAttributesClasses:
        """VolumeAttributesClass (vac), cluster-scoped."""

class KnownGroups:
    @property
    def admissionregistration_v1(self) -> AdmissionregistrationV1:
        """admissionregistration.k8s.io/v1."""
    @property
    def admissionregistration_v1alpha1(self) -> AdmissionregistrationV1alpha1:
        """admissionregistration.k8s.io/v1alpha1."""
    @property
    def admissionregistration_v1beta1(self) -> AdmissionregistrationV1beta1:
        """admissionregistration.k8s.io/v1beta1."""
    @property
    def apiextensions_v1(self) -> ApiextensionsV1:
        """apiextensions.k8s.io/v1."""
    @property
    def apiregistration_v1(self) -> ApiregistrationV1:
        """apiregistration.k8s.io/v1."""
    @property
    def apps_v1(self) -> AppsV1:
        """apps/v1."""
    @property
    def authentication_v1(self) -> AuthenticationV1:
        """authentication.k8s.io/v1."""
    @property
    def authorization_v1(self) -> AuthorizationV1:
        """authorization.k8s.io/v1."""
    @property
    def autoscaling_v1(self) -> AutoscalingV1:
        """autoscaling/v1."""
    @property
    def autoscaling_v2(self) -> AutoscalingV2:
        """autoscaling/v2."""
    @property
    def batch_v1(self) -> BatchV1:
        """batch/v1."""
    @property
    def certificates_v1(self) -> CertificatesV1:
        """certificates.k8s.io/v1."""
    @property
    def coordination_v1(self) -> CoordinationV1:
        """coordination.k8s.io/v1."""
    @property
    def coordination_v1alpha2(self) -> CoordinationV1alpha2:
        """coordination.k8s.io/v1alpha2."""
    @property
    def coordination_v1beta1(self) -> CoordinationV1beta1:
        """coordination.k8s.io/v1beta1."""
    @property
    def core_v1(self) -> CoreV1:
        """v1."""
    @property
    def discovery_v1(self) -> DiscoveryV1:
        """discovery.k8s.io/v1."""
    @property
    def events_v1(self) -> EventsV1:
        """events.k8s.io/v1."""
    @property
    def flowcontrol_v1(self) -> FlowcontrolV1:
        """flowcontrol.apiserver.k8s.io/v1."""
    @property
    def internal_v1alpha1(self) -> InternalV1alpha1:
        """internal.apiserver.k8s.io/v1alpha1."""
    @property
    def networking_v1(self) -> NetworkingV1:
        """networking.k8s.io/v1."""
    @property
    def networking_v1beta1(self) -> NetworkingV1beta1:
        """networking.k8s.io/v1beta1."""
    @property
    def node_v1(self) -> NodeV1:
        """node.k8s.io/v1."""
    @property
    def policy_v1(self) -> PolicyV1:
        """policy/v1."""
    @property
    def rbac_v1(self) -> RbacV1:
        """rbac.authorization.k8s.io/v1."""
    @property
    def resource_v1(self) -> ResourceV1:
        """resource.k8s.io/v1."""
    @property
    def resource_v1alpha3(self) -> ResourceV1alpha3:
        """resource.k8s.io/v1alpha3."""
    @property
    def resource_v1beta1(self) -> ResourceV1beta1:
        """resource.k8s.io/v1beta1."""
    @property
    def resource_v1beta2(self) -> ResourceV1beta2:
        """resource.k8s.io/v1beta2."""
    @property
    def scheduling_v1(self) -> SchedulingV1:
        """scheduling.k8s.io/v1."""
    @property
    def storage_v1(self) -> StorageV1:
        """storage.k8s.io/v1."""
    @property
    def storage_v1beta1(self) -> StorageV1beta1:
        """storage.k8s.io/v1beta1."""
