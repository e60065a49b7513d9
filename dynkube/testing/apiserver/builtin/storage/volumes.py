"""PersistentVolumes (pkg/apis/core/validation, pkg/registry/core/persistentvolume)."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

from dynkube.quantities import format_time
from dynkube.schema import GroupVersion
from dynkube.testing.apiserver.builtin import internal
from dynkube.testing.apiserver.builtin.claimspec import access_modes, class_name, volume_mode
from dynkube.testing.apiserver.builtin.native import NativeStrategy
from dynkube.testing.apiserver.builtin.nodelabels import selector_term_warnings
from dynkube.testing.apiserver.builtin.pod.disks import SHARED_SOURCES, Source, csi_driver_name, iscsi, needs
from dynkube.testing.apiserver.builtin.pod.paths import no_backsteps
from dynkube.testing.apiserver.builtin.pod.scheduling import node_selector
from dynkube.testing.apiserver.builtin.rules import (
    Errors,
    Json,
    amount,
    dns1123_label,
    dns1123_subdomain,
    each,
    immutable,
    listed,
    mapping,
    one_of,
    positive_amount,
    rounded_up,
    same,
)
from dynkube.testing.apiserver.builtin.sent import as_sent
from dynkube.testing.apiserver.builtin.storage.claims import class_annotation_warnings
from dynkube.testing.apiserver.words import names
from dynkube.testing.apiserver.words.fielderrors import child, forbidden, index, invalid, key, not_supported, required
from dynkube.testing.apiserver.words.resources import Object

__all__ = ["PersistentVolumeStrategy"]

_MOUNT_OPTIONS = "volume.beta.kubernetes.io/mount-options"
_OTHER = "may not specify more than 1 volume type"


class PersistentVolumeStrategy(NativeStrategy):
    """Volumes."""

    has_status = True
    zero_status: ClassVar[Mapping[str, Any]] = {"phase": "Pending"}

    def complete(self, obj: Object, group_version: GroupVersion) -> None:
        """See `NativeStrategy`."""
        spec, status = obj.setdefault("spec", {}), obj.setdefault("status", {})
        status["phase"] = status.get("phase") or "Pending"
        spec["persistentVolumeReclaimPolicy"] = spec.get("persistentVolumeReclaimPolicy") or "Retain"
        spec.setdefault("volumeMode", "Filesystem")
        rounded_up(spec.get("capacity"))
        if spec.get("hostPath") is not None:
            spec["hostPath"].setdefault("type", "")
        for name, defaults in _DEFAULTS.items():
            source = spec.get(name)
            if source is not None:
                for field, value in defaults.items():
                    source.setdefault(field, value)

    def prepare_for_create(self, obj: Object) -> None:
        """See `Strategy`."""
        super().prepare_for_create(obj)
        obj["status"]["lastPhaseTransitionTime"] = obj["metadata"].get("creationTimestamp")

    def prepare_for_update(self, obj: Object, old: Object, subresource: str) -> None:
        """See `Strategy`."""
        super().prepare_for_update(obj, old, subresource)
        if subresource == "status":
            _time_the_phase(obj.setdefault("status", {}), mapping(old, "status"))

    def judge_new(self, obj: Object) -> Errors:
        """See `NativeStrategy`."""
        yield from _spec(obj["spec"], "spec")
        has_options = _MOUNT_OPTIONS in mapping(obj["metadata"], "annotations")
        if has_options and not any(obj["spec"].get(name) is not None for name in _MOUNTED):
            where = child("metadata.annotations", _MOUNT_OPTIONS)
            yield forbidden(where, "may not specify mount options for this volume type")

    def judge_change(self, obj: Object, old: Object) -> Errors:
        """See `NativeStrategy`."""
        spec, before = obj["spec"], old["spec"]
        yield from self.judge_new(obj)
        yield from _spec(spec, "spec")  # it is judged twice
        yield from _source_change(spec, before)
        yield from immutable(spec.get("volumeMode"), before.get("volumeMode"), "volumeMode")
        where, affinity = "nodeAffinity", before.get("nodeAffinity")
        if affinity is not None and not same(spec.get("nodeAffinity"), affinity):
            shown = internal.shown(spec.get("nodeAffinity"), "*core.VolumeNodeAffinity")
            yield invalid(where, shown, "field is immutable, except for updating from beta label to GA")
        name = "volumeAttributesClassName"
        if before.get(name) is not None and spec.get(name) is None:
            yield forbidden(child("spec", name), "update from non-nil value to nil is forbidden")

    def warnings(self, obj: Object, old: Object | None, subresource: str) -> Sequence[str]:
        """See `Strategy`."""
        return [] if subresource else list(_warnings(obj))

    def selectable_fields(self, obj: Object) -> Mapping[str, str]:
        """See `Strategy`."""
        return {"name": obj["metadata"].get("name", "")}


_DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "iscsi": {"iscsiInterface": "default"},
    "rbd": {"pool": "rbd", "user": "admin", "keyring": "/etc/ceph/keyring"},
    "azureDisk": {"cachingMode": "ReadWrite", "kind": "Shared", "fsType": "ext4", "readOnly": False},
    "scaleIO": {"storageMode": "ThinProvisioned", "fsType": "xfs"},
}


def _time_the_phase(status: Object, before: Json) -> None:
    name = "lastPhaseTransitionTime"
    if status.get("phase") == before.get("phase"):
        if not status.get(name) and before.get(name):
            status[name] = before[name]
    elif not status.get(name) or status[name] == before.get(name):
        status[name] = format_time(datetime.now(UTC))


# ------------------------------------------------------------------ sources


def _secret(secret: Json, field: str) -> Errors:
    for name, rule in (("name", dns1123_subdomain), ("namespace", dns1123_label)):
        value = secret.get(name, "")
        if value:
            yield from rule(value, child(field, name))
        else:
            yield required(child(field, name))


def _csi(source: Json, field: str) -> Errors:
    yield from csi_driver_name(source.get("driver", ""), child(field, "driver"))
    yield from needs("volumeHandle")(source, field)
    for name in ("controllerPublish", "controllerExpand", "nodePublish", "nodeExpand"):
        secret = source.get(f"{name}SecretRef")
        if secret is not None:
            yield from _secret(secret, child(field, f"{name}SecretRef"))


def _local(source: Json, field: str) -> Errors:
    path = source.get("path", "")
    if path:
        yield from no_backsteps(path, child(field, "path"))
    else:
        yield required(child(field, "path"))


def _glusterfs(source: Json, field: str) -> Errors:
    yield from needs("endpoints", "path")(source, field)
    namespace, where = source.get("endpointsNamespace"), child(field, "endpointsNamespace")
    if namespace == "":
        yield invalid(where, "", "if the endpointnamespace is set, it must be a valid namespace name")
    elif namespace is not None:
        yield from dns1123_label(namespace, where)


def _with_secret(*fields: str) -> Source:
    def rule(source: Json, field: str) -> Errors:
        yield from needs(*fields)(source, field)
        if source.get("secretRef") is not None:
            yield from needs("name", "namespace")(source["secretRef"], child(field, "secretRef"))

    return rule


def _azure_file(source: Json, field: str) -> Errors:
    yield from needs("secretName", "shareName")(source, field)
    if source.get("secretNamespace") == "":
        yield required(child(field, "secretNamespace"))


def _storage_os(source: Json, field: str) -> Errors:
    name, namespace = source.get("volumeName", ""), source.get("volumeNamespace", "")
    if name:
        yield from dns1123_label(name, child(field, "volumeName"))
    else:
        yield required(child(field, "volumeName"))
    if namespace:
        yield from dns1123_label(namespace, child(field, "volumeNamespace"))
    yield from _with_secret()(source, field)


_SOURCES: Mapping[str, Source] = {
    "hostPath": SHARED_SOURCES["hostPath"],
    "gcePersistentDisk": SHARED_SOURCES["gcePersistentDisk"],
    "awsElasticBlockStore": SHARED_SOURCES["awsElasticBlockStore"],
    "glusterfs": _glusterfs,
    **{name: SHARED_SOURCES[name] for name in ("flocker", "nfs", "rbd", "quobyte", "cephfs")},
    "iscsi": lambda source, field: iscsi(source, field, "must be valid format"),
    "cinder": _with_secret("volumeID"),
    **{name: SHARED_SOURCES[name] for name in ("fc", "flexVolume")},
    "azureFile": _azure_file,
    **{name: SHARED_SOURCES[name] for name in ("vsphereVolume", "photonPersistentDisk", "portworxVolume", "azureDisk")},
    "scaleIO": SHARED_SOURCES["scaleIO"],
    "local": _local,
    "storageos": _storage_os,
    "csi": _csi,
}
"""In the order in which they are judged."""
_WHERE = {"gcePersistentDisk": "persistentDisk"}
_MOUNTED = (
    "gcePersistentDisk", "awsElasticBlockStore", "glusterfs", "nfs", "rbd", "quobyte", "iscsi", "cinder", "cephfs",
    "azureFile", "vsphereVolume", "azureDisk", "photonPersistentDisk",
)  # fmt: skip


def _sources(spec: Json, field: str) -> Errors:
    seen = False
    for name, rule in _SOURCES.items():
        source = spec.get(name)
        if source is None:
            continue
        if seen and name != "flexVolume":
            yield forbidden(child(field, "cephFS" if name == "cephfs" else name), _OTHER)
            continue
        seen = True
        yield from rule(source, child(field, _WHERE.get(name, name)))
        if name == "local" and spec.get("nodeAffinity") is None:
            yield required(child(field, "nodeAffinity"), "Local volume requires node affinity")
    if not seen:
        yield required(field, "must specify a volume type")


# ------------------------------------------------------------------ the whole


def _spec(spec: Json, field: str) -> Errors:
    modes = listed(spec, "accessModes")
    if not modes:
        yield required(child(field, "accessModes"))
    yield from access_modes(modes, child(field, "accessModes"))
    yield from _capacity(as_sent(spec.get("capacity"), "spec", "capacity"), child(field, "capacity"))
    policy, where = spec.get("persistentVolumeReclaimPolicy", ""), child(field, "persistentVolumeReclaimPolicy")
    if policy:
        yield from one_of(policy, ("Delete", "Recycle", "Retain"), where)
    affinity = spec.get("nodeAffinity")
    if affinity is not None:
        required_path = child(field, "nodeAffinity", "required")
        if affinity.get("required") is None:
            yield required(required_path, "must specify required node constraints")
        else:
            yield from node_selector(affinity["required"], required_path, any_values=False)
    yield from _sources(spec, field)
    path = mapping(spec, "hostPath").get("path", "")
    if spec.get("hostPath") is not None and posixpath.normpath(path) in ("/", "//") and policy == "Recycle":
        yield forbidden(where, "may not be 'recycle' for a hostPath mount of '/'")
    yield from class_name(spec.get("storageClassName"), child(field, "storageClassName"))
    yield from volume_mode(spec.get("volumeMode"), child(field, "volumeMode"))
    attributes, where = spec.get("volumeAttributesClassName"), child(field, "volumeAttributesClassName")
    if attributes is not None:
        if attributes:
            yield from each(where, attributes, names.dns1123_subdomain(attributes))
        else:
            yield required(where, "an empty string is disallowed")
        if spec.get("csi") is None:
            yield required(child(field, "csi"), "has to be specified when using volumeAttributesClassName")


def _capacity(capacity: Mapping[str, str] | None, field: str) -> Errors:
    if not capacity:
        yield required(field)
    if capacity is None or list(capacity) != ["storage"]:
        yield not_supported(field, None if capacity is None else dict(sorted(capacity.items())), ["storage"])
    for name, text in (capacity or {}).items():
        quantity = amount(text)
        if quantity.value < 0:
            yield invalid(key(field, name), quantity.value, "must be a valid resource quantity")
        yield from positive_amount(text, key(field, name))


def _source_change(spec: Json, before: Json) -> Errors:
    old, new = ({name: each[name] for name in _SOURCES if each.get(name) is not None} for each in (before, spec))
    secret = "controllerExpandSecretRef"  # noqa: S105 - the name of a field
    if "csi" in old and "csi" in new and secret not in old["csi"]:
        new["csi"] = {name: value for name, value in new["csi"].items() if name != secret}
    if same(new, old):
        return
    shown_old, shown_new = (_shown_source(each) for each in (old, new))
    said = f"spec.persistentvolumesource is immutable after creation\n{internal.compared(shown_old, shown_new)}"
    yield forbidden("spec.persistentvolumesource", said)


def _shown_source(source: Json) -> dict[str, Any]:
    shown = internal.shown(source, "core.PersistentVolumeSpec")
    names_of_sources = list(shown)[1 : list(shown).index("CSI") + 1]
    return {name: shown[name] for name in names_of_sources}


# ------------------------------------------------------------------ warnings

_GONE = {
    "cephfs": "deprecated in v1.28, non-functional in v1.31+",
    "photonPersistentDisk": "deprecated in v1.11, non-functional in v1.16+",
    "scaleIO": "deprecated in v1.16, non-functional in v1.22+",
    "storageos": "deprecated in v1.22, non-functional in v1.25+",
    "glusterfs": "deprecated in v1.25, non-functional in v1.26+",
    "rbd": "deprecated in v1.28, non-functional in v1.31+",
}


def _warnings(obj: Json) -> Iterator[str]:
    spec = obj["spec"]
    yield from class_annotation_warnings(obj)
    if _MOUNT_OPTIONS in mapping(obj["metadata"], "annotations"):
        said = 'deprecated since v1.31; use "mountOptions" attribute instead'
        yield f"{key('metadata.annotations', _MOUNT_OPTIONS)}: {said}"
    if spec.get("persistentVolumeReclaimPolicy") == "Recycle":
        said = "The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use"
        yield f"spec.persistentVolumeReclaimPolicy: {said} dynamic provisioning."
    terms = listed(mapping(mapping(spec, "nodeAffinity"), "required"), "nodeSelectorTerms")
    for number, term in enumerate(terms):
        where = index("spec.nodeAffinity.required.nodeSelectorTerms", number)
        yield from selector_term_warnings(term, where, values=False)
    for name, said in _GONE.items():
        if spec.get(name) is not None:
            yield f"{child('spec', 'storageOS' if name == 'storageos' else name)}: {said}"
