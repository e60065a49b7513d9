"""Where etcd would keep an object: some messages name its key.

pkg/kubeapiserver/default_storage_factory_builder.go.
"""

from __future__ import annotations

from dynkube.schema import GroupResource
from dynkube.testing.apiserver.words.resources import Resource

__all__ = ["etcd_key"]

_SPECIAL = {
    GroupResource("", "replicationcontrollers"): "controllers",
    GroupResource("", "endpoints"): "services/endpoints",
    GroupResource("", "nodes"): "minions",
    GroupResource("", "services"): "services/specs",
    GroupResource("networking.k8s.io", "ingresses"): "ingress",
}
_GROUPS_WITH_THEIR_NAME = frozenset({"apiextensions.k8s.io", "apiregistration.k8s.io"})


def etcd_key(resource: Resource, namespace: str, name: str, *, dry_run: bool = False) -> str:
    """The key of an object: ``/registry/configmaps/shop/settings``; a dry run knows nothing of the prefix."""
    about = resource.group_resource
    prefix = _SPECIAL.get(about, about.resource)
    if resource.is_custom or about.group in _GROUPS_WITH_THEIR_NAME:
        prefix = f"{about.group}/{about.resource}"
    return "/" + "/".join(filter(None, ("" if dry_run else "registry", prefix, namespace, name)))
