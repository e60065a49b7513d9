"""Where containers see the volumes of their pod: mounts and block devices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dynkube.testing.apiserver.builtin.pod.paths import descending_path, no_backsteps
from dynkube.testing.apiserver.builtin.rules import Errors, Json, one_of
from dynkube.testing.apiserver.words.fielderrors import child, forbidden, index, invalid, not_found, required

__all__ = ["volume_devices", "volume_mounts"]

_PROPAGATIONS = ("Bidirectional", "HostToContainer", "None")
_RECURSIVE = ("Disabled", "Enabled", "IfPossible")


def volume_mounts(
    mounts: Sequence[Json], devices: Sequence[Json], volumes: Mapping[str, Json], field: str, *, privileged: bool
) -> Errors:
    """``volumeMounts`` of a container (ValidateVolumeMounts); ``volumes`` are the sound ones of its pod."""
    seen: set[str] = set()
    device_names = {device.get("name", "") for device in devices}
    device_paths = {device.get("devicePath", "") for device in devices}
    for number, mount in enumerate(mounts):
        where = index(field, number)
        name, path = mount.get("name", ""), mount.get("mountPath", "")
        if not name:
            yield required(child(where, "name"))
        if name not in volumes:
            yield not_found(child(where, "name"), name)
        if not path:
            yield required(child(where, "mountPath"))
        if path in seen:
            yield invalid(child(where, "mountPath"), path, "must be unique")
        seen.add(path)
        if name in device_names:
            yield invalid(child(where, "name"), name, "must not already exist in volumeDevices")
        if path in device_paths:
            yield invalid(child(where, "mountPath"), path, "must not already exist as a path in volumeDevices")
        if len(mount) > 2:
            yield from _sub_path(mount, field, where)
            yield from _sharing(mount, field, privileged=privileged)


def _sub_path(mount: Json, field: str, where: str) -> Errors:
    plain, expression = mount.get("subPath", ""), mount.get("subPathExpr", "")
    if plain:
        yield from descending_path(plain, child(field, "subPath"))
    if expression:
        if plain:
            said = "subPathExpr and subPath are mutually exclusive"
            yield invalid(child(where, "subPathExpr"), expression, said)
        yield from descending_path(expression, child(field, "subPathExpr"))


def _sharing(mount: Json, field: str, *, privileged: bool) -> Errors:
    """What mounts of the host and of the container see of each other."""
    propagation, recursive = mount.get("mountPropagation"), mount.get("recursiveReadOnly")
    if propagation is not None:
        where = child(field, "mountPropagation")
        yield from one_of(propagation, _PROPAGATIONS, where)
        if propagation == "Bidirectional" and not privileged:
            yield forbidden(where, "Bidirectional mount propagation is available only to privileged containers")
    if recursive in (None, "Disabled"):
        return
    where = child(field, "recursiveReadOnly")
    if recursive not in _RECURSIVE:
        yield from one_of(recursive, _RECURSIVE, where)
        return
    if not mount.get("readOnly"):
        yield forbidden(where, "may only be specified when readOnly is true")
    if propagation not in (None, "None"):
        yield forbidden(where, "may only be specified when mountPropagation is None or not specified")


def volume_devices(devices: Sequence[Json], mounts: Sequence[Json], volumes: Mapping[str, Json], field: str) -> Errors:
    """``volumeDevices`` of a container (ValidateVolumeDevices)."""
    paths: set[str] = set()
    names: set[str] = set()
    mount_names = {mount.get("name", "") for mount in mounts}
    mount_paths = {mount.get("mountPath", "") for mount in mounts}
    for number, device in enumerate(devices):
        where = index(field, number)
        name, path = device.get("name", ""), device.get("devicePath", "")
        yield from _device_name(name, names, volumes, child(where, "name"))
        yield from _device_path(path, paths, child(where, "devicePath"))
        if name in mount_names:
            yield invalid(child(where, "name"), name, "must not already exist in volumeMounts")
        if path in mount_paths:
            yield invalid(child(where, "devicePath"), path, "must not already exist as a path in volumeMounts")
        if name:
            names.add(name)


def _device_name(name: str, seen: set[str], volumes: Mapping[str, Json], field: str) -> Errors:
    if not name:
        yield required(field)
    if name in seen:
        yield invalid(field, name, "must be unique")
    volume = volumes.get(name)
    if volume is None:
        yield not_found(field, name)
    elif volume.get("persistentVolumeClaim") is None and volume.get("ephemeral") is None:
        said = "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode"
        yield invalid(field, name, said)


def _device_path(path: str, seen: set[str], field: str) -> Errors:
    if not path:
        yield required(field)
    if path in seen:
        yield invalid(field, path, "must be unique")
    if any(no_backsteps(path, field)):
        yield invalid(field, path, "can not contain backsteps ('..')")
    else:
        seen.add(path)
