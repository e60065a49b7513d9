"""Admission plugins that know kinds: those that kube-apiserver has on by default, and whose work shows in objects.

Here are LimitRanger, Priority, DefaultTolerationSeconds and RuntimeClass of pods; DefaultStorageClass,
StorageObjectInUseProtection and PersistentVolumeClaimResize; TaintNodesByCondition; DefaultIngressClass. Where
several are about one kind, they run in Go's order. ServiceAccount is off, ResourceQuota and PodSecurity are not here.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from dynkube.schema import GroupResource
from dynkube.testing.apiserver.builtin.admission.attributes import Attributes
from dynkube.testing.apiserver.builtin.lookup import Lookup

__all__ = ["KindAdmission", "plugins"]

_MODULES: Mapping[GroupResource, str] = {
    GroupResource("", "pods"): "pods",
    GroupResource("", "nodes"): "nodes",
    GroupResource("", "persistentvolumes"): "storage",
    GroupResource("", "persistentvolumeclaims"): "storage",
    GroupResource("storage.k8s.io", "volumeattributesclasses"): "storage",
    GroupResource("networking.k8s.io", "ingresses"): "ingresses",
    GroupResource("scheduling.k8s.io", "priorityclasses"): "priorities",
}
"""Where the rules about a resource are: its ``admit`` and ``validate``."""


def plugins(lookup: Lookup) -> Sequence[KindAdmission]:
    """The plugins, to run behind NamespaceLifecycle."""
    return [KindAdmission(lookup)]


@cache
def _rules(about: GroupResource) -> Any:
    name = _MODULES.get(about)
    return None if name is None else importlib.import_module(f"{__name__}.{name}")


class KindAdmission:
    """All of them as one plugin, which asks those that are about the kind at hand."""

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup

    def admit(self, attributes: Attributes) -> None:
        """Amend the object in place.

        Raises:
            StatusError: Refused.
        """
        rules = _rules(attributes.about)
        if rules is not None and attributes.obj is not None:
            rules.admit(attributes, attributes.obj, self._lookup)

    def validate(self, attributes: Attributes) -> None:
        """Judge the object as it will be stored.

        Raises:
            StatusError: Refused.
        """
        rules = _rules(attributes.about)
        if rules is not None and attributes.obj is not None:
            rules.validate(attributes, attributes.obj, self._lookup)
