"""Disks and shares that pods and persistent volumes mount: the sources that both have."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from dynkube.testing.apiserver.builtin.pod.paths import no_backsteps
from dynkube.testing.apiserver.builtin.rules import Errors, Json, each, listed, one_of
from dynkube.testing.apiserver.words import names
from dynkube.testing.apiserver.words.fielderrors import child, invalid, not_supported, required, too_long

__all__ = ["SHARED_SOURCES", "Source", "csi_driver_name", "iscsi", "needs"]

Source = Callable[[Any, str], Errors]
"""A rule for one source of a volume, given the source and its path."""


def needs(*fields: str) -> Source:
    """Fields that must be there, where there is nothing else to say."""

    def rule(source: Json, field: str) -> Errors:
        for name in fields:
            if not source.get(name):
                yield required(child(field, name))

    return rule


def _host_path(source: Json, field: str) -> Errors:
    path = source.get("path", "")
    if not path:
        yield required(child(field, "path"))
        return
    yield from no_backsteps(path, child(field, "path"))
    kind = source.get("type")
    if kind is not None:
        yield from one_of(kind, _HOST_PATH_TYPES, child(field, "type"))


_HOST_PATH_TYPES = (
    "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket",
)  # fmt: skip


def _disk(name: str) -> Source:
    def rule(source: Json, field: str) -> Errors:
        if not source.get(name):
            yield required(child(field, name))
        partition = source.get("partition", 0)
        if not 0 <= partition <= 255:
            yield invalid(child(field, "partition"), partition, "must be between 1 and 255, inclusive")

    return rule


def _nfs(source: Json, field: str) -> Errors:
    yield from needs("server", "path")(source, field)
    path = source.get("path", "")
    if not path.startswith("/"):
        yield invalid(child(field, "path"), path, "must be an absolute path")


_ISCSI_NAMES = {
    "iqn": re.compile(r"iqn\.\d{4}-\d{2}\.([a-zA-Z0-9\-.]+)(:[^,;*&$|\s]+)$"),
    "eui": re.compile(r"^eui.[a-zA-Z0-9]{16}$"),
    "naa": re.compile(r"^naa.[a-zA-Z0-9]{32}$"),
}


def iscsi(source: Json, field: str, of_other_form: str) -> Errors:
    """A target of iSCSI; volumes of pods and persistent ones word one refusal differently."""
    if not source.get("targetPortal"):
        yield required(child(field, "targetPortal"))
    name = source.get("iqn", "")
    if not name:
        yield required(child(field, "iqn"))
    else:
        yield from _iscsi_name(name, child(field, "iqn"), of_other_form)
    lun = source.get("lun", 0)
    if not 0 <= lun <= 255:
        yield invalid(child(field, "lun"), lun, "must be between 0 and 255, inclusive")
    if (source.get("chapAuthDiscovery") or source.get("chapAuthSession")) and source.get("secretRef") is None:
        yield required(child(field, "secretRef"))
    initiator = source.get("initiatorName")
    if initiator is not None:
        yield from _iscsi_name(initiator, child(field, "initiatorname"), of_other_form)


def _iscsi_name(name: str, field: str, of_other_form: str) -> Errors:
    pattern = _ISCSI_NAMES.get(name[:3])
    if pattern is None:
        yield invalid(field, name, of_other_form)
    elif not pattern.search(name):
        yield invalid(field, name, "must be valid format")


def _fc(source: Json, field: str) -> Errors:
    targets, ids = listed(source, "targetWWNs"), listed(source, "wwids")
    where = child(field, "targetWWNs")
    if not targets and not ids:
        yield required(where, "must specify either targetWWNs or wwids, but not both")
    if targets and ids:
        yield invalid(where, targets, "targetWWNs and wwids can not be specified simultaneously")
    if targets:
        lun = source.get("lun")
        if lun is None:
            yield required(child(field, "lun"), "lun is required if targetWWNs is specified")
        elif not 0 <= lun <= 255:
            yield invalid(child(field, "lun"), lun, "must be between 0 and 255, inclusive")


def _flocker(source: Json, field: str) -> Errors:
    name, uid = source.get("datasetName", ""), source.get("datasetUUID", "")
    if not name and not uid:
        yield required(field, "one of datasetName and datasetUUID is required")
    if name and uid:
        yield invalid(field, "resource", "datasetName and datasetUUID can not be specified simultaneously")
    if "/" in name:
        yield invalid(child(field, "datasetName"), name, "must not contain '/'")


def _quobyte(source: Json, field: str) -> Errors:
    registry = source.get("registry", "")
    said = "must be a host:port pair or multiple pairs separated by commas"
    if not registry:
        yield required(child(field, "registry"), said)
    elif len(source.get("tenant", "").encode()) >= 65:
        yield required(child(field, "tenant"), "must be a UUID and may not exceed a length of 64 characters")
    else:
        for pair in registry.split(","):
            if not re.fullmatch(r"(\[[^\[\]]*\]|[^:\[\]]*):[^:\[\]]*", pair):
                yield invalid(child(field, "registry"), registry, said)
    if not source.get("volume"):
        yield required(child(field, "volume"))


def _flex(source: Json, field: str) -> Errors:
    if not source.get("driver"):
        yield required(child(field, "driver"))
    for name in source.get("options") or {}:
        domain = f".{name.partition('/')[0].lower()}"
        if domain.endswith((".kubernetes.io", ".k8s.io")):
            yield invalid(f"{field}.options[{name}]", name, "kubernetes.io and k8s.io namespaces are reserved")


def _azure_disk(source: Json, field: str) -> Errors:
    yield from needs("diskName", "diskURI")(source, field)
    kind, uri, where = source.get("kind"), source.get("diskURI", ""), child(field, "diskURI")
    if source.get("cachingMode") is not None:
        yield from one_of(source["cachingMode"], ("None", "ReadOnly", "ReadWrite"), child(field, "cachingMode"))
    if kind is not None:
        yield from one_of(kind, ("Dedicated", "Managed", "Shared"), child(field, "kind"))
        form = "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}"
        if kind == "Managed" and not uri.startswith("/subscriptions/"):
            yield not_supported(where, uri, [form])
        if kind != "Managed" and not uri.startswith("https://"):
            form = "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd"
            yield not_supported(where, uri, [form])


def csi_driver_name(name: str, field: str) -> Errors:
    """The name of a CSI driver (ValidateCSIDriverName)."""
    if not name:
        yield required(field)
        return
    if len(name.encode()) > 63:
        yield too_long(field, 63)
    yield from each(field, name, names.dns1123_subdomain(name.lower()))


SHARED_SOURCES: dict[str, Source] = {
    "hostPath": _host_path,
    "gcePersistentDisk": _disk("pdName"),
    "awsElasticBlockStore": _disk("volumeID"),
    "nfs": _nfs,
    "flocker": _flocker,
    "rbd": needs("monitors", "image"),
    "cephfs": needs("monitors"),
    "quobyte": _quobyte,
    "fc": _fc,
    "flexVolume": _flex,
    "vsphereVolume": needs("volumePath"),
    "photonPersistentDisk": needs("pdID"),
    "portworxVolume": needs("volumeID"),
    "azureDisk": _azure_disk,
    "scaleIO": needs("gateway", "system", "volumeName"),
}
"""Of pods and of persistent volumes."""
