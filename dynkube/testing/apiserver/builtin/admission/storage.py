"""Claims and volumes: LimitRanger, DefaultStorageClass, StorageObjectInUseProtection, PersistentVolumeClaimResize."""

from __future__ import annotations

from dynkube.schema import GroupResource
from dynkube.testing.apiserver.builtin.admission.attributes import Attributes, is_creation, is_update
from dynkube.testing.apiserver.builtin.admission.defaultclasses import default_class
from dynkube.testing.apiserver.builtin.admission.limits import check_limits
from dynkube.testing.apiserver.builtin.lookup import Lookup
from dynkube.testing.apiserver.builtin.rules import Json, amount, listed, mapping
from dynkube.testing.apiserver.builtin.storage.claims import STORAGE_CLASS
from dynkube.testing.apiserver.words.resources import Object

__all__ = ["admit", "validate"]

_CLASSES = GroupResource("storage.k8s.io", "storageclasses")
_IS_DEFAULT = ("storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class")
_CLAIMS = "persistentvolumeclaims"
_PROTECTION = {
    _CLAIMS: "kubernetes.io/pvc-protection",
    "persistentvolumes": "kubernetes.io/pv-protection",
    "volumeattributesclasses": "kubernetes.io/vac-protection",
}


def admit(attributes: Attributes, obj: Object, lookup: Lookup) -> None:
    """A new claim has a class; what is in use is not removed."""
    if not is_creation(attributes):
        return
    if attributes.about.resource == _CLAIMS and not _has_class(obj):
        found = default_class(_CLASSES, _IS_DEFAULT, lookup)
        if found:
            obj["spec"]["storageClassName"] = found
    finalizers, ours = listed(obj["metadata"], "finalizers"), _PROTECTION[attributes.about.resource]
    if ours not in finalizers:
        obj["metadata"]["finalizers"] = [*finalizers, ours]


def _has_class(claim: Json) -> bool:
    annotated = STORAGE_CLASS in mapping(claim["metadata"], "annotations")
    return annotated or claim["spec"].get("storageClassName") is not None


def validate(attributes: Attributes, obj: Object, lookup: Lookup) -> None:
    """Limits of claims, and which of them may grow."""
    if attributes.about.resource != _CLAIMS or not (is_creation(attributes) or is_update(attributes)):
        return
    if attributes.old is None or "deletionTimestamp" not in attributes.old["metadata"]:
        check_limits(attributes, obj, lookup)
    if attributes.old is not None and _size(obj) > _size(attributes.old):
        _check_growth(attributes, obj, attributes.old, lookup)


def _size(claim: Json) -> int:
    text = mapping(mapping(claim["spec"], "resources"), "requests").get("storage", "0")
    size: int = amount(text).nano
    return size


def _class(claim: Json) -> str:
    name: str = (
        mapping(claim["metadata"], "annotations").get(STORAGE_CLASS) or claim["spec"].get("storageClassName") or ""
    )
    return name


def _check_growth(attributes: Attributes, claim: Json, old: Json, lookup: Lookup) -> None:
    if mapping(old, "status").get("phase") != "Bound":
        raise attributes.refuse("Only bound persistent volume claims can be expanded")
    name = _class(claim)
    found = lookup.get(_CLASSES, "", name) if name and name == _class(old) else None
    if found is None or not found.get("allowVolumeExpansion"):
        said = (
            "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support"
        )
        raise attributes.refuse(f"{said} resize")
