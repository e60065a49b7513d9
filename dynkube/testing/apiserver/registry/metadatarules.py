"""Who judges ``metadata``, when, and how often (AS/registry/rest/{create,update}.go).

A kind's own validation judges metadata with the kind's rule for names; what is common to all kinds
judges it, too, and knows only that a name is a segment of a path. On a create the common part is
asked only if the kind has nothing to say; on an update it is asked first, and both are reported, so
that one mistake is several causes of the 422. How many is the kind's affair: `CHECKED_AGAIN`, found
by asking the real server.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dynkube.schema import GroupKind
from dynkube.testing.apiserver.registry.metadata import FOREGROUND, ORPHAN
from dynkube.testing.apiserver.words import names
from dynkube.testing.apiserver.words.fielderrors import FieldError, invalid
from dynkube.testing.apiserver.words.objectmeta import (
    validate_common_fields,
    validate_object_meta,
    validate_object_meta_update,
)
from dynkube.testing.apiserver.words.resources import Object, Resource

__all__ = ["CHECKED_AGAIN", "creation_errors", "update_errors"]

Metadata = Mapping[str, Any]

_STANDARD_FINALIZERS = frozenset({"kubernetes", ORPHAN, FOREGROUND})
_CHANGE, _WHOLE = "change", "whole"

CHECKED_AGAIN: Mapping[GroupKind, Sequence[str]] = {
    GroupKind(group, kind): checks
    for checks, kinds in {
        (_CHANGE, _WHOLE): {
            "": "ConfigMap Endpoints PersistentVolumeClaim Pod Secret ServiceAccount",
            "networking.k8s.io": "Ingress IngressClass",
            "storage.k8s.io": "VolumeAttributesClass",
        },
        (_WHOLE, _CHANGE): {
            "": "Namespace Node",
            "batch": "Job",
            "networking.k8s.io": "IPAddress",
            "node.k8s.io": "RuntimeClass",
            "rbac.authorization.k8s.io": "ClusterRole ClusterRoleBinding Role RoleBinding",
            "resource.k8s.io": "DeviceClass ResourceClaim ResourceClaimTemplate",
            "storage.k8s.io": "CSIStorageCapacity StorageClass",
        },
        (_WHOLE, _WHOLE): {"": "PersistentVolume"},
        (_WHOLE,): {
            "": "LimitRange",
            "admissionregistration.k8s.io": "MutatingAdmissionPolicy MutatingAdmissionPolicyBinding "
            "MutatingWebhookConfiguration ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding "
            "ValidatingWebhookConfiguration",
            "discovery.k8s.io": "EndpointSlice",
            "flowcontrol.apiserver.k8s.io": "FlowSchema PriorityLevelConfiguration",
            "storage.k8s.io": "CSINode VolumeAttachment",
        },
        (): {"": "Event", "policy": "PodDisruptionBudget"},
    }.items()
    for group, kinds_of_group in kinds.items()
    for kind in kinds_of_group.split()
}
"""What a kind's own validation of an update looks at: the change of metadata (all others do), or metadata as if new."""

_STATUS_NOT_CHECKED = frozenset(
    {
        GroupKind("batch", "CronJob"),
        GroupKind("flowcontrol.apiserver.k8s.io", "FlowSchema"),
        GroupKind("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration"),
        GroupKind("policy", "PodDisruptionBudget"),
    }
)
"""Kinds whose writes of the status nobody judges but for what is common; of all others it is the change of metadata."""

_LENIENT_ABOUT_FINALIZERS = frozenset(
    {
        GroupKind("apiregistration.k8s.io", "APIService"),
        GroupKind("coordination.k8s.io", "Lease"),
        GroupKind("coordination.k8s.io", "LeaseCandidate"),
        GroupKind("internal.apiserver.k8s.io", "StorageVersion"),
        GroupKind("node.k8s.io", "RuntimeClass"),
        GroupKind("policy", "PodDisruptionBudget"),
    }
)
_LENIENT_GROUP = "admissionregistration.k8s.io"
"""Built-in kinds whose finalizers need not be qualified names: pkg/apis/core/validation does not judge them."""


def creation_errors(resource: Resource, obj: Object, others: Sequence[FieldError]) -> Sequence[FieldError]:
    """What is wrong with a new object: its metadata, and ``others``, which is what its strategy says."""
    metadata = obj["metadata"]
    if resource.is_custom and obj["kind"] != resource.kind:
        return others  # that it is of another kind is all there is to say
    errors = [*_as_new(resource, metadata), *others]
    if errors:
        return errors
    return validate_object_meta(metadata, namespaced=resource.namespaced, name_rule=names.path_segment_name)


def update_errors(
    resource: Resource, obj: Object, old: Object, others: Sequence[FieldError], subresource: str = ""
) -> Sequence[FieldError]:
    """What is wrong with a change: in common, then by the kind's own validation, of which ``others`` is a part."""
    metadata, before = obj["metadata"], old["metadata"]
    errors = validate_common_fields(metadata, before, namespaced=resource.namespaced)
    if not errors and metadata.get("finalizers") == before.get("finalizers"):
        return others  # what the kind adds is about names of finalizers, and these were judged
    checks = _checks(resource.group_kind, subresource)
    for check in checks:
        if check == _WHOLE:
            errors += _as_new(resource, metadata)
            if checks == (_WHOLE, _CHANGE):  # these look at the object as if it was new, then at what changed
                errors += others
        else:
            errors += validate_object_meta_update(metadata, before)
            errors += _finalizer_names(resource, metadata)
    return errors if checks == (_WHOLE, _CHANGE) else [*errors, *others]


def _checks(kind: GroupKind, subresource: str) -> Sequence[str]:
    if subresource == "status":
        return () if kind in _STATUS_NOT_CHECKED else (_CHANGE,)
    return CHECKED_AGAIN.get(kind, (_CHANGE,))


def _as_new(resource: Resource, metadata: Metadata) -> list[FieldError]:
    errors = validate_object_meta(metadata, namespaced=resource.namespaced, name_rule=resource.strategy.validate_name)
    return errors + _finalizer_names(resource, metadata)


def _finalizer_names(resource: Resource, metadata: Metadata) -> list[FieldError]:
    finalizers = metadata.get("finalizers")
    kind = resource.group_kind
    if not finalizers or resource.is_custom or kind in _LENIENT_ABOUT_FINALIZERS or kind.group == _LENIENT_GROUP:
        return []
    problem = "name is neither a standard finalizer name nor is it fully qualified"
    return [
        invalid(f"metadata.finalizers[{index}]", each, problem)
        for index, each in enumerate(finalizers)
        if "/" not in each and each not in _STANDARD_FINALIZERS
    ]
