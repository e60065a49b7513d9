"""``volumes`` of pods and their templates."""

from __future__ import annotations

from collections.abc import Sequence

from dynkube.testing.apiserver.builtin.claimspec import claim_spec, template_metadata
from dynkube.testing.apiserver.builtin.pod.apivolumes import API_SOURCES
from dynkube.testing.apiserver.builtin.pod.disks import SHARED_SOURCES, Source, csi_driver_name, iscsi, needs
from dynkube.testing.apiserver.builtin.pod.paths import descending_path
from dynkube.testing.apiserver.builtin.rules import Errors, Json, amount, dns1123_label, each, enumerated
from dynkube.testing.apiserver.words import names
from dynkube.testing.apiserver.words.fielderrors import (
    FieldError,
    child,
    duplicate,
    forbidden,
    index,
    invalid,
    required,
)

__all__ = ["PULL_POLICIES", "validate_volumes"]

PULL_POLICIES = ("Always", "IfNotPresent", "Never")

_ORDER = (
    "emptyDir", "hostPath", "gitRepo", "gcePersistentDisk", "awsElasticBlockStore", "secret", "nfs", "iscsi",
    "glusterfs", "flocker", "persistentVolumeClaim", "rbd", "cinder", "cephfs", "quobyte", "downwardAPI", "fc",
    "flexVolume", "configMap", "azureFile", "vsphereVolume", "photonPersistentDisk", "portworxVolume", "azureDisk",
    "storageos", "projected", "scaleIO", "csi", "ephemeral", "image",
)  # fmt: skip
# The paths in the real server's messages are not always the fields' names.
_TWICE = {"cephfs": "cephFS", "downwardAPI": "downwarAPI"}
_PATHS = {"gcePersistentDisk": "persistentDisk"}


def validate_volumes(
    volumes: Sequence[Json], pod_name: str, field: str, *, is_pod: bool
) -> tuple[dict[str, Json], list[FieldError]]:
    """What is sound of the volumes, by name, and what is wrong with the others (ValidateVolumes).

    ``pod_name`` is "" for a template, whose pods have no name yet.
    """
    sound: dict[str, Json] = {}
    errors: list[FieldError] = []
    claimed = {f"{pod_name}-{volume.get('name', '')}" for volume in volumes if pod_name and "ephemeral" in volume}
    for number, volume in enumerate(volumes):
        where = index(field, number)
        name = volume.get("name", "")
        found = list(_volume(volume, pod_name, where, is_pod=is_pod))
        if name in sound:
            found.append(duplicate(child(where, "name"), name))
        if not found:
            sound[name] = volume
        errors += found
        claim = (volume.get("persistentVolumeClaim") or {}).get("claimName", "")
        if claim in claimed:
            said = "must not reference a PVC that gets created for an ephemeral volume"
            errors.append(invalid(child(where, "persistentVolumeClaim", "claimName"), claim, said))
    return sound, errors


def _volume(volume: Json, pod_name: str, field: str, *, is_pod: bool) -> Errors:
    name = volume.get("name", "")
    found = [source for source in _ORDER if volume.get(source) is not None]
    if not found:
        yield required(field, "must specify a volume type")
    else:
        yield from _source(found[0], volume[found[0]], name, pod_name, field, is_pod=is_pod)
    for other in found[1:]:
        yield forbidden(child(field, _TWICE.get(other, other)), "may not specify more than 1 volume type")
    if not name:
        yield required(child(field, "name"))
    else:
        yield from dns1123_label(name, child(field, "name"))


def _source(kind: str, source: Json, name: str, pod_name: str, field: str, *, is_pod: bool) -> Errors:
    where = child(field, _PATHS.get(kind, kind))
    if kind == "image":
        yield from _image(source, where, is_pod=is_pod)
        return
    yield from _RULES[kind](source, where)
    if kind == "iscsi":
        yield from _iscsi_length(source, name, child(field, "name"))
    elif kind == "ephemeral" and pod_name and name:
        claim = f"{pod_name}-{name}"
        for text in names.dns1123_subdomain(claim):
            yield invalid(child(field, "name"), name, f'PVC name "{claim}": {text}')


def _iscsi_length(source: Json, name: str, field: str) -> Errors:
    if source.get("initiatorName") is not None and len(f"{name}:{source.get('targetPortal', '')}".encode()) > 64:
        said = (
            "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is"
        )
        yield invalid(field, name, f"{said} specified.")


def _empty_dir(source: Json, field: str) -> Errors:
    limit = source.get("sizeLimit")
    if limit is not None and amount(limit).nano < 0:
        yield forbidden(child(field, "sizeLimit"), "SizeLimit field must be a valid resource quantity")


def _git_repo(source: Json, field: str) -> Errors:
    if not source.get("repository"):
        yield required(child(field, "repository"))
    yield from descending_path(source.get("directory", ""), child(field, "directory"))


def _claim(source: Json, field: str) -> Errors:
    if not source.get("claimName"):
        yield required(child(field, "claimName"))


def _ephemeral(source: Json, field: str) -> Errors:
    template = source.get("volumeClaimTemplate")
    where = child(field, "volumeClaimTemplate")
    if template is None:
        yield required(where)
    else:
        yield from template_metadata(template.get("metadata") or {}, child(where, "metadata"))
        yield from claim_spec(template.get("spec") or {}, child(where, "spec"))


def _image(source: Json, field: str, *, is_pod: bool) -> Errors:
    if is_pod and not source.get("reference"):
        yield required(child(field, "reference"))
    yield from enumerated(source.get("pullPolicy"), PULL_POLICIES, child(field, "pullPolicy"))


def _csi(source: Json, field: str) -> Errors:
    yield from csi_driver_name(source.get("driver", ""), child(field, "driver"))
    secret = source.get("nodePublishSecretRef")
    if secret is not None:
        name = secret.get("name", "")
        if not name:
            yield required(child(field, "nodePublishSecretRef", "name"))
        else:
            yield from each(child(field, "name"), name, names.dns1123_subdomain(name))


def _cinder(source: Json, field: str) -> Errors:
    if not source.get("volumeID"):
        yield required(child(field, "volumeID"))
    secret = source.get("secretRef")
    if secret is not None and not secret.get("name"):
        yield required(child(field, "secretRef", "name"))


def _storage_os(source: Json, field: str) -> Errors:
    name, namespace = source.get("volumeName", ""), source.get("volumeNamespace", "")
    if not name:
        yield required(child(field, "volumeName"))
    else:
        yield from dns1123_label(name, child(field, "volumeName"))
    if namespace:
        yield from dns1123_label(namespace, child(field, "volumeNamespace"))
    secret = source.get("secretRef")
    if secret is not None and not secret.get("name"):
        yield required(child(field, "secretRef", "name"))


def _iscsi(source: Json, field: str) -> Errors:
    yield from iscsi(source, field, "must be valid format starting with iqn, eui, or naa")


_RULES: dict[str, Source] = {
    **SHARED_SOURCES,
    **API_SOURCES,
    "emptyDir": _empty_dir,
    "gitRepo": _git_repo,
    "iscsi": _iscsi,
    "glusterfs": needs("endpoints", "path"),
    "persistentVolumeClaim": _claim,
    "cinder": _cinder,
    "azureFile": needs("secretName", "shareName"),
    "storageos": _storage_os,
    "csi": _csi,
    "ephemeral": _ephemeral,
}
