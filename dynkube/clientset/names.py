"""client-go's names for Kubernetes' own groups: ``apps_v1`` is apps/v1, ``rbac_v1`` rbac.authorization.k8s.io/v1.

The groups of CG/kubernetes/clientset.go, and those of the clientsets that live beside it: apiextensions,
apiregistration and metrics. Every other group goes by its whole name: networking.istio.io is no ``networking_v1``.
"""

from __future__ import annotations

import re

from dynkube.schema import GroupVersion

__all__ = ["attribute_of", "group_version_of"]

_GROUPS = {
    "admissionregistration": "admissionregistration.k8s.io",
    "apiextensions": "apiextensions.k8s.io",
    "apiregistration": "apiregistration.k8s.io",
    "apps": "apps",
    "authentication": "authentication.k8s.io",
    "authorization": "authorization.k8s.io",
    "autoscaling": "autoscaling",
    "batch": "batch",
    "certificates": "certificates.k8s.io",
    "coordination": "coordination.k8s.io",
    "core": "",
    "discovery": "discovery.k8s.io",
    "events": "events.k8s.io",
    "extensions": "extensions",
    "flowcontrol": "flowcontrol.apiserver.k8s.io",
    "internal": "internal.apiserver.k8s.io",
    "metrics": "metrics.k8s.io",
    "networking": "networking.k8s.io",
    "node": "node.k8s.io",
    "policy": "policy",
    "rbac": "rbac.authorization.k8s.io",
    "resource": "resource.k8s.io",
    "scheduling": "scheduling.k8s.io",
    "storage": "storage.k8s.io",
    "storagemigration": "storagemigration.k8s.io",
}
_NAMES = {group: name for name, group in _GROUPS.items()}
_ATTRIBUTE = re.compile(r"([a-z]+)_(v[0-9]+(?:(?:alpha|beta)[0-9]+)?)")


def group_version_of(attribute: str) -> GroupVersion | None:
    """The group and version that client-go calls so; None for any other name.

    >>> group_version_of("rbac_v1"), group_version_of("core_v1")
    (GroupVersion(group='rbac.authorization.k8s.io', version='v1'), GroupVersion(group='', version='v1'))
    >>> group_version_of("istio_v1") is None
    True
    """
    found = _ATTRIBUTE.fullmatch(attribute)
    if found is None or found[1] not in _GROUPS:
        return None
    return GroupVersion(_GROUPS[found[1]], found[2])


def attribute_of(group_version: GroupVersion) -> str:
    """What client-go calls a group and version; ``""`` where it has no name for it.

    >>> attribute_of(GroupVersion("apps", "v1")), attribute_of(GroupVersion("networking.istio.io", "v1"))
    ('apps_v1', '')
    """
    name = _NAMES.get(group_version.group)
    attribute = f"{name}_{group_version.version}"
    return attribute if name is not None and _ATTRIBUTE.fullmatch(attribute) else ""
