"""The scale subresource: how many replicas, in the one shape that autoscalers and kubectl scale know.

KUBE/pkg/registry/apps/deployment/storage/storage.go (ScaleREST) and its like; AE/registry/customresource/etcd.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from dynkube.labels import LabelSelector
from dynkube.schema import GroupKind, GroupResource, GroupVersionKind
from dynkube.testing.apiserver.subresources import scalefields
from dynkube.testing.apiserver.subresources.bodies import body
from dynkube.testing.apiserver.subresources.scalefields import Paths
from dynkube.testing.apiserver.subresources.shapes import View
from dynkube.testing.apiserver.words import statuses
from dynkube.testing.apiserver.words.fielderrors import invalid
from dynkube.testing.apiserver.words.resources import Object

__all__ = ["SCALE", "built_in_scale", "carry_managers"]

SCALE = GroupVersionKind("autoscaling", "v1", "Scale")
"""The kind of a scale, whatever it is of."""

_KEPT = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
_REPLICAS = ("spec", "replicas")
_SCALED = {
    GroupResource("apps", "deployments"): ("apps/v1", "apps/v1beta1", "apps/v1beta2"),
    GroupResource("apps", "replicasets"): ("apps/v1", "apps/v1beta2"),
    GroupResource("apps", "statefulsets"): ("apps/v1", "apps/v1beta1", "apps/v1beta2"),
    GroupResource("", "replicationcontrollers"): ("v1",),
}
"""Built-in resources with a scale, and the versions that their managers' entries may name."""


@cache
def built_in_scale(resource: GroupResource) -> View | None:
    """The scale of a built-in resource; None where it has none."""
    versions = _SCALED.get(resource)
    if versions is None:
        return None
    paths = dict.fromkeys(versions, _REPLICAS)

    def read_for_update(obj: Object) -> Object:
        scale = _read(obj)
        entries = scalefields.of_scale(obj["metadata"].get("managedFields") or [], paths)
        if entries:
            scale["metadata"]["managedFields"] = entries
        return scale

    def write(obj: Object, scale: Object) -> Object:
        _check(obj, scale)
        metadata = obj["metadata"]
        obj["spec"]["replicas"] = scale.get("spec", {}).get("replicas", 0)
        metadata["resourceVersion"] = scale["metadata"].get("resourceVersion", "")
        carry_managers(obj, scale, paths, obj["apiVersion"])
        return obj

    return View(body=body(SCALE), read=_read, read_updated=_read, read_for_update=read_for_update, write=write)


def carry_managers(obj: Object, scale: Object, paths: Paths, api_version: str) -> None:
    """Make the managers of a scale that was changed in this version those of the object's replicas, in place."""
    metadata = obj["metadata"]
    entries = scalefields.of_object(
        metadata.get("managedFields") or [], scale["metadata"].get("managedFields") or [], api_version, paths
    )
    if entries:
        metadata["managedFields"] = entries
    else:
        metadata.pop("managedFields", None)


def _read(obj: Object) -> Object:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    metadata = {name: obj["metadata"][name] for name in _KEPT if name in obj["metadata"]}
    found: dict[str, Any] = {"replicas": status.get("replicas", 0)}
    selector = _selector(spec.get("selector"))
    if selector:
        found["selector"] = selector
    wanted = {"replicas": spec["replicas"]} if spec.get("replicas") else {}
    return {"kind": SCALE.kind, "apiVersion": SCALE.api_version, "metadata": metadata, "spec": wanted, "status": found}


def _selector(selector: Mapping[str, Any] | None) -> str:
    """As text; that of a ReplicationController is a map of labels."""
    if not selector:
        return ""
    if not {"matchLabels", "matchExpressions"} & set(selector):
        return str(LabelSelector.of(selector))
    return str(LabelSelector.from_dict(selector))


def _check(obj: Object, scale: Object) -> None:
    replicas = scale.get("spec", {}).get("replicas", 0)
    if replicas < 0:
        error = invalid("spec.replicas", replicas, "must be greater than or equal to 0")
        raise statuses.invalid(GroupKind("autoscaling", "Scale"), obj["metadata"]["name"], [error])
