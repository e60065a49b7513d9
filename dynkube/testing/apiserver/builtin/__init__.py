"""The built-in kinds: what of them no schema states.

`strategy_for` has the `Strategy` of each: its defaults, what it takes from a write, what it refuses and
in which words, its warnings. A kind's module is imported when the kind is first used. Kinds without
rules of their own are decoded by their Go types and stored as they are sent.

The words and their order are those of Kubernetes 1.36 with its default feature gates
(``pkg/apis/*/validation``, ``pkg/registry/*/strategy.go``); each function names its source.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from functools import cache
from typing import Any

from dynkube.schema import GroupKind, GroupVersion
from dynkube.testing.apiserver.builtin.native import NativeStrategy
from dynkube.testing.apiserver.words.resources import Object, Strategy

__all__ = ["strategy_for"]

_PACKAGE = __name__
_MODULES: Mapping[str, Mapping[str, str]] = {
    "": {
        "Pod": "pod.strategy",
        "ReplicationController": "apps.others",
        "PodTemplate": "apps.others",
        "ConfigMap": "configuration",
        "Secret": "configuration",
        "ServiceAccount": "configuration",
        "Service": "services.strategy",
        "Endpoints": "networking.endpoints",
        "Namespace": "namespaces",
        "PersistentVolumeClaim": "storage.claims",
        "PersistentVolume": "storage.volumes",
        "Event": "events",
        "LimitRange": "quotas",
        "ResourceQuota": "quotas",
        "Node": "nodes",
    },
    "apps": {
        "Deployment": "apps.deployments",
        "ReplicaSet": "apps.deployments",
        "StatefulSet": "apps.statefulsets",
        "DaemonSet": "apps.daemonsets",
        "ControllerRevision": "apps.others",
    },
    "autoscaling": {"HorizontalPodAutoscaler": "autoscaling.strategy"},
    "batch": {"Job": "batch.jobs", "CronJob": "batch.cronjobs"},
    "certificates.k8s.io": {"CertificateSigningRequest": "certificates"},
    "coordination.k8s.io": {"Lease": "leases", "LeaseCandidate": "leases"},
    "discovery.k8s.io": {"EndpointSlice": "networking.endpoints"},
    "events.k8s.io": {"Event": "events"},
    "networking.k8s.io": {
        "Ingress": "networking.ingresses",
        "IngressClass": "networking.others",
        "NetworkPolicy": "networking.others",
        "IPAddress": "networking.others",
        "ServiceCIDR": "generic",
    },
    "node.k8s.io": {"RuntimeClass": "nodes"},
    "policy": {"PodDisruptionBudget": "policies"},
    "rbac.authorization.k8s.io": {
        "Role": "rbac",
        "ClusterRole": "rbac",
        "RoleBinding": "rbac",
        "ClusterRoleBinding": "rbac",
    },
    "scheduling.k8s.io": {"PriorityClass": "priorities"},
    "storage.k8s.io": {
        "StorageClass": "storage.classes",
        "CSIDriver": "storage.classes",
        "CSINode": "storage.classes",
        "CSIStorageCapacity": "storage.classes",
        "VolumeAttachment": "storage.classes",
        "VolumeAttributesClass": "storage.classes",
    },
    "admissionregistration.k8s.io": dict.fromkeys(
        (
            "MutatingAdmissionPolicy",
            "MutatingAdmissionPolicyBinding",
            "MutatingWebhookConfiguration",
            "ValidatingAdmissionPolicy",
            "ValidatingAdmissionPolicyBinding",
            "ValidatingWebhookConfiguration",
        ),
        "generic",
    ),
    "apiregistration.k8s.io": {"APIService": "generic"},
    "flowcontrol.apiserver.k8s.io": {"FlowSchema": "generic", "PriorityLevelConfiguration": "generic"},
    "internal.apiserver.k8s.io": {"StorageVersion": "generic"},
    "resource.k8s.io": dict.fromkeys(
        (
            "DeviceClass",
            "DeviceTaintRule",
            "ResourceClaim",
            "ResourceClaimTemplate",
            "ResourcePoolStatusRequest",
            "ResourceSlice",
        ),
        "generic",
    ),
}
"""Where the strategy of a kind is: the class is called after the kind."""


class _Deferred(NativeStrategy):
    """Becomes the strategy of its kind when anything is asked of it."""

    def convert(self, obj: Object, to: GroupVersion) -> Object:
        """Not Strategy's: whether versions differ in more than their name is not known before it has become."""
        raise NotImplementedError  # it never gets here

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("__"):
            return object.__getattribute__(self, name)
        group_kind = object.__getattribute__(self, "group_kind")
        object.__setattr__(self, "__class__", _load(group_kind))
        return getattr(self, name)


def _load(group_kind: GroupKind) -> type[NativeStrategy]:
    module = importlib.import_module(f"{_PACKAGE}.{_MODULES[group_kind.group][group_kind.kind]}")
    found: type[NativeStrategy] = getattr(module, f"{group_kind.kind}Strategy")
    return found


@cache
def strategy_for(group_kind: GroupKind) -> Strategy:
    """The strategy of a built-in kind: the same for all its versions."""
    if group_kind.kind in _MODULES.get(group_kind.group, {}):
        return _Deferred(group_kind)
    return NativeStrategy(group_kind)
