"""What a clientset has. Written by tests/recording/stubs.py."""

from __future__ import annotations

from dynkube.clientset.typed.admissionregistration_v1 import AdmissionregistrationV1
from dynkube.clientset.typed.admissionregistration_v1alpha1 import AdmissionregistrationV1alpha1
from dynkube.clientset.typed.admissionregistration_v1beta1 import AdmissionregistrationV1beta1
from dynkube.clientset.typed.apiextensions_v1 import ApiextensionsV1
from dynkube.clientset.typed.apiregistration_v1 import ApiregistrationV1
from dynkube.clientset.typed.apps_v1 import AppsV1
from dynkube.clientset.typed.authentication_v1 import AuthenticationV1
from dynkube.clientset.typed.authorization_v1 import AuthorizationV1
from dynkube.clientset.typed.autoscaling_v1 import AutoscalingV1
from dynkube.clientset.typed.autoscaling_v2 import AutoscalingV2
from dynkube.clientset.typed.batch_v1 import BatchV1
from dynkube.clientset.typed.certificates_v1 import CertificatesV1
from dynkube.clientset.typed.coordination_v1 import CoordinationV1
from dynkube.clientset.typed.coordination_v1alpha2 import CoordinationV1alpha2
from dynkube.clientset.typed.coordination_v1beta1 import CoordinationV1beta1
from dynkube.clientset.typed.core_v1 import CoreV1
from dynkube.clientset.typed.discovery_v1 import DiscoveryV1
from dynkube.clientset.typed.events_v1 import EventsV1
from dynkube.clientset.typed.flowcontrol_v1 import FlowcontrolV1
from dynkube.clientset.typed.internal_v1alpha1 import InternalV1alpha1
from dynkube.clientset.typed.networking_v1 import NetworkingV1
from dynkube.clientset.typed.networking_v1beta1 import NetworkingV1beta1
from dynkube.clientset.typed.node_v1 import NodeV1
from dynkube.clientset.typed.policy_v1 import PolicyV1
from dynkube.clientset.typed.rbac_v1 import RbacV1
from dynkube.clientset.typed.resource_v1 import ResourceV1
from dynkube.clientset.typed.resource_v1alpha3 import ResourceV1alpha3
from dynkube.clientset.typed.resource_v1beta1 import ResourceV1beta1
from dynkube.clientset.typed.resource_v1beta2 import ResourceV1beta2
from dynkube.clientset.typed.scheduling_v1 import SchedulingV1
from dynkube.clientset.typed.storage_v1 import StorageV1
from dynkube.clientset.typed.storage_v1beta1 import StorageV1beta1

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
