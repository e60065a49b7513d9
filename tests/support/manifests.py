"""Objects that tests create, and the resources they belong to."""

from __future__ import annotations

from typing import Any

from dynkube.schema import GroupVersionResource

GROUP = "conformance.dynkube.dev"
WIDGETS = GroupVersionResource(GROUP, "v1", "widgets")
CONFIGMAPS = GroupVersionResource("", "v1", "configmaps")
NAMESPACES = GroupVersionResource("", "v1", "namespaces")
CRDS = GroupVersionResource("apiextensions.k8s.io", "v1", "customresourcedefinitions")

PODS = GroupVersionResource("", "v1", "pods")
SECRETS = GroupVersionResource("", "v1", "secrets")
DEPLOYMENTS = GroupVersionResource("apps", "v1", "deployments")


def config_map(name: str, *, labels: dict[str, str] | None = None, **data: str) -> dict[str, Any]:
    """A ConfigMap with its data as keywords."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": _metadata(name, labels), "data": data}


def widget(name: str, *, labels: dict[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    """A Widget with its spec as keywords."""
    return {"apiVersion": f"{GROUP}/v1", "kind": "Widget", "metadata": _metadata(name, labels), "spec": spec}


def deployment(name: str, *, replicas: int = 1) -> dict[str, Any]:
    """A Deployment with one container, which no node needs to run."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "main", "image": "registry.example/main:1"}]},
            },
        },
    }


def pod(name: str, *, labels: dict[str, str] | None = None) -> dict[str, Any]:
    """A Pod that stays Pending where there is no node."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": _metadata(name, labels),
        "spec": {"containers": [{"name": "main", "image": "registry.example/main:1"}]},
    }


def _metadata(name: str, labels: dict[str, str] | None) -> dict[str, Any]:
    return {"name": name, "labels": labels} if labels else {"name": name}


def crd(plural: str, kind: str, *, group: str = GROUP, scope: str = "Namespaced", **names: Any) -> dict[str, Any]:
    """A CustomResourceDefinition with two versions, status and scale, and any fields in spec."""
    schema = {
        "type": "object",
        "properties": {
            "spec": {
                "type": "object",
                "x-kubernetes-preserve-unknown-fields": True,
                "properties": {"replicas": {"type": "integer"}},
            },
            "status": {
                "type": "object",
                "x-kubernetes-preserve-unknown-fields": True,
                "properties": {"replicas": {"type": "integer"}},
            },
        },
    }
    subresources = {
        "status": {},
        "scale": {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"},
    }
    versions = [
        {
            "name": name,
            "served": True,
            "storage": name == "v1",
            "subresources": subresources,
            "schema": {"openAPIV3Schema": schema},
        }
        for name in ("v1", "v1beta1")
    ]
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": scope,
            "names": {"plural": plural, "singular": kind.lower(), "kind": kind, **names},
            "versions": versions,
        },
    }
