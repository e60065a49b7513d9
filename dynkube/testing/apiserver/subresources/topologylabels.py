"""A pod has its node's topology labels: KUBE/plugin/pkg/admission/podtopologylabels."""

from __future__ import annotations

from typing import Any

from dynkube.schema import GroupResource
from dynkube.testing.apiserver.registry import Attributes, Catalog
from dynkube.testing.apiserver.storage import Store

__all__ = ["TopologyLabels"]

_PODS = GroupResource("", "pods")
_LABELS = ("topology.kubernetes.io/zone", "topology.kubernetes.io/region")


class TopologyLabels:
    """An admission plugin: labels a pod that is created on a node, and a Binding, from which the pod gets them."""

    def __init__(self, store: Store, catalog: Catalog) -> None:
        self._store = store
        self._catalog = catalog

    def admit(self, attributes: Attributes) -> None:
        """Add the labels, in place, over those that are there."""
        obj = attributes.obj
        if attributes.about != _PODS or attributes.operation != "CREATE" or obj is None:
            return
        if attributes.subresource == "":
            self._label(obj, (obj.get("spec") or {}).get("nodeName", ""))
        elif attributes.subresource == "binding":
            target = obj.get("target") or {}
            self._label(obj, target.get("name", "") if target.get("kind") == "Node" else "")

    def validate(self, attributes: Attributes) -> None:
        """Nothing."""

    def _label(self, obj: dict[str, Any], node: str) -> None:
        resource = self._catalog.lookup("", "v1", "nodes")
        entry = self._store.find(resource, "", node) if resource is not None and node else None
        found = {} if entry is None else {name: entry.labels[name] for name in _LABELS if name in entry.labels}
        if found:
            obj["metadata"]["labels"] = {**(obj["metadata"].get("labels") or {}), **found}
