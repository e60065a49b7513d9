"""New ingresses: DefaultIngressClass."""

from __future__ import annotations

from dynkube.schema import GroupResource
from dynkube.testing.apiserver.builtin.admission.attributes import Attributes, is_creation
from dynkube.testing.apiserver.builtin.admission.defaultclasses import default_class
from dynkube.testing.apiserver.builtin.lookup import Lookup
from dynkube.testing.apiserver.builtin.networking.ingresses import CLASS_ANNOTATION
from dynkube.testing.apiserver.builtin.rules import mapping
from dynkube.testing.apiserver.words.resources import Object

__all__ = ["admit", "validate"]

_CLASSES = GroupResource("networking.k8s.io", "ingressclasses")
_IS_DEFAULT = ("ingressclass.kubernetes.io/is-default-class",)


def admit(attributes: Attributes, ingress: Object, lookup: Lookup) -> None:
    """One that names no class is of the default one."""
    if not is_creation(attributes) or CLASS_ANNOTATION in mapping(ingress["metadata"], "annotations"):
        return
    if ingress["spec"].get("ingressClassName") is None:
        found = default_class(_CLASSES, _IS_DEFAULT, lookup)
        if found:
            ingress["spec"]["ingressClassName"] = found


def validate(_attributes: Attributes, _ingress: Object, _lookup: Lookup) -> None:
    """Nothing."""
