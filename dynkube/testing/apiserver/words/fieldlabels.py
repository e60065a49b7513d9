"""What field selectors may ask for, kind by kind, beside metadata.name and metadata.namespace.

The names are those of AddFieldLabelConversionFunc, the values those of ToSelectableFields
(pkg/apis/*/v1/conversion.go, pkg/registry/*/strategy.go).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dynkube.schema import GroupKind, GroupVersionKind

__all__ = ["FieldLabels", "field_labels", "selectable_fields"]

_UNKNOWN = "field label not supported: {label}"
_PLAIN_UNKNOWN = '"{label}" is not a known field selector: only "metadata.name", "metadata.namespace"'


@dataclass(frozen=True, slots=True)
class FieldLabels:
    """The field labels of a kind in one version.

    Attributes:
        names: By what a client may write: the name in storage.
        refusal: The words for any other, with ``{label}``.
    """

    names: Mapping[str, str]
    refusal: str = _UNKNOWN

    def resolve(self, label: str) -> str:
        """The name in storage.

        Raises:
            ValueError: There is no such field; with the words of the refusal.
        """
        name = self.names.get(label)
        if name is None:
            raise ValueError(self.refusal.format(label=label))
        return name


def field_labels(kind: GroupVersionKind, *, is_custom: bool, namespaced: bool, own: Sequence[str] = ()) -> FieldLabels:
    """What can be selected of a kind; ``own`` are the selectable fields of a custom resource."""
    if is_custom:
        names = ["metadata.name", *(["metadata.namespace"] if namespaced else []), *own]
        return FieldLabels({name: name for name in names})
    return _KINDS.get(kind.group_kind, _PLAIN) if kind.group_kind != _NEW_EVENT else _NEW_EVENTS


def selectable_fields(kind: GroupKind, obj: Mapping[str, Any]) -> Mapping[str, str]:
    """The values of an object of a built-in kind, as it is stored; metadata.name and namespace are not among them."""
    paths = _PATHS.get(kind)
    if paths is None:
        return {}
    fields = {path: _text(_at(obj, path), default) for path, default in paths.items()}
    if kind == GroupKind("", "Event"):
        source = obj.get("source") or {}
        fields["source"] = _text(source.get("component") or obj.get("reportingComponent"), "")
    elif kind == GroupKind("batch", "Job"):
        fields["status.successful"] = _text(_at(obj, "status.succeeded"), "0")
    return fields


def _at(obj: Mapping[str, Any], path: str) -> Any:
    value: Any = obj
    for step in path.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def _text(value: Any, default: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return default if value is None else str(value)


_PATHS: Mapping[GroupKind, Mapping[str, str]] = {
    GroupKind("", "Pod"): {
        "spec.nodeName": "",
        "spec.restartPolicy": "",
        "spec.schedulerName": "",
        "spec.serviceAccountName": "",
        "spec.hostNetwork": "false",
        "status.phase": "",
        "status.podIP": "",
        "status.nominatedNodeName": "",
    },
    GroupKind("", "Node"): {"spec.unschedulable": "false"},
    GroupKind("", "ReplicationController"): {"status.replicas": "0"},
    GroupKind("", "Namespace"): {"status.phase": ""},
    GroupKind("", "Secret"): {"type": ""},
    GroupKind("", "Service"): {"spec.clusterIP": "", "spec.type": ""},
    GroupKind("", "Event"): {
        "involvedObject.kind": "",
        "involvedObject.namespace": "",
        "involvedObject.name": "",
        "involvedObject.uid": "",
        "involvedObject.apiVersion": "",
        "involvedObject.resourceVersion": "",
        "involvedObject.fieldPath": "",
        "reason": "",
        "reportingComponent": "",
        "source": "",
        "type": "",
    },
    GroupKind("batch", "Job"): {"status.successful": "0"},
    GroupKind("certificates.k8s.io", "CertificateSigningRequest"): {"spec.signerName": ""},
    GroupKind("certificates.k8s.io", "ClusterTrustBundle"): {"spec.signerName": ""},
    GroupKind("certificates.k8s.io", "PodCertificateRequest"): {
        "spec.signerName": "",
        "spec.podName": "",
        "spec.nodeName": "",
    },
    GroupKind("resource.k8s.io", "ResourceSlice"): {"spec.nodeName": "", "spec.driver": ""},
}
_CLUSTER_SCOPED = frozenset(
    {
        "Node",
        "Namespace",
        "CertificateSigningRequest",
        "ClusterTrustBundle",
        "ResourceSlice",
    }
)
_WORDS = {
    GroupKind("batch", "Job"): 'field label "{label}" not supported for Job',
    GroupKind("resource.k8s.io", "ResourceSlice"): (
        "field label not supported for resource.k8s.io/v1, Kind=ResourceSlice: {label}"
    ),
}
_OLD_NAMES = {GroupKind("", "Pod"): {"spec.host": "spec.nodeName", "status.podIPs": "status.podIPs"}}


def _labels(kind: GroupKind, paths: Mapping[str, str]) -> FieldLabels:
    plain = ["metadata.name"] if kind.kind in _CLUSTER_SCOPED else ["metadata.name", "metadata.namespace"]
    names = {name: name for name in (*plain, *paths)} | _OLD_NAMES.get(kind, {})
    return FieldLabels(names, _WORDS.get(kind, _UNKNOWN))


_PLAIN = FieldLabels({name: name for name in ("metadata.name", "metadata.namespace")}, _PLAIN_UNKNOWN)
_KINDS = {kind: _labels(kind, paths) for kind, paths in _PATHS.items()}
_NEW_EVENT = GroupKind("events.k8s.io", "Event")
_NEW_EVENTS = FieldLabels(
    {
        "reason": "reason",
        "reportingController": "reportingComponent",
        "type": "type",
        "metadata.namespace": "metadata.namespace",
        "metadata.name": "metadata.name",
        **{
            f"regarding.{name}": f"involvedObject.{name}"
            for name in ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
        },
    }
)
