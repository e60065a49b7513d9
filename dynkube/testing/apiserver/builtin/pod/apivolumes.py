"""Volumes that hold what the API has: keys of Secrets and ConfigMaps, fields of the pod, tokens."""

from __future__ import annotations

from dynkube.testing.apiserver.builtin.pod.disks import Source
from dynkube.testing.apiserver.builtin.pod.environment import FILE_FIELDS, object_field, resource_field
from dynkube.testing.apiserver.builtin.pod.paths import local_path
from dynkube.testing.apiserver.builtin.rules import Errors, Json, listed
from dynkube.testing.apiserver.words.fielderrors import child, forbidden, index, invalid, required

__all__ = ["API_SOURCES"]

_FILE_MODE = "must be a number between 0 and 0777 (octal), both inclusive"


def _file_mode(mode: int | None, field: str) -> Errors:
    """Permissions of files."""
    if mode is not None and not 0 <= mode <= 0o777:
        yield invalid(field, mode, _FILE_MODE)


def _files(name: str) -> Source:
    """Keys of a Secret or ConfigMap, whose name is in this field."""

    def rule(source: Json, field: str) -> Errors:
        if not source.get(name):
            yield required(child(field, name))
        yield from _file_mode(source.get("defaultMode"), child(field, "defaultMode"))
        for number, item in enumerate(listed(source, "items")):
            yield from _key_to_path(item, index(child(field, "items"), number))

    return rule


def _key_to_path(item: Json, field: str) -> Errors:
    if not item.get("key"):
        yield required(child(field, "key"))
    path = item.get("path", "")
    if not path:
        yield required(child(field, "path"))
    yield from local_path(path, child(field, "path"))
    yield from _file_mode(item.get("mode"), child(field, "mode"))


def _downward_api(source: Json, field: str) -> Errors:
    yield from _file_mode(source.get("defaultMode"), child(field, "defaultMode"))
    for item in listed(source, "items"):
        yield from _downward_file(item, field)


def _downward_file(item: Json, field: str) -> Errors:
    path, of_pod, of_container = item.get("path", ""), item.get("fieldRef"), item.get("resourceFieldRef")
    if not path:
        yield required(child(field, "path"))
    yield from local_path(path, child(field, "path"))
    if of_pod is not None:
        yield from object_field(of_pod, FILE_FIELDS, child(field, "fieldRef"))
        if of_container is not None:
            yield invalid(field, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously")
    elif of_container is not None:
        yield from resource_field(of_container, child(field, "resourceFieldRef"), in_volume=True)
    else:
        yield required(field, "one of fieldRef and resourceFieldRef is required")
    yield from _file_mode(item.get("mode"), child(field, "mode"))


def _projected(source: Json, field: str) -> Errors:
    yield from _file_mode(source.get("defaultMode"), child(field, "defaultMode"))
    seen: set[str] = set()
    for number, projection in enumerate(listed(source, "sources")):
        where = index(child(field, "sources"), number)
        count = 0
        for name in ("secret", "configMap", "downwardAPI", "serviceAccountToken"):
            found = projection.get(name)
            if found is not None:
                count += 1
                yield from _PROJECTIONS[name](found, seen, field, child(where, name))
        if count > 1:
            yield forbidden(where, "may not specify more than 1 volume type per source")


def _project_keys(found: Json, seen: set[str], volume: str, field: str) -> Errors:
    if not found.get("name"):
        yield required(child(field, "name"))
    for number, item in enumerate(listed(found, "items")):
        yield from _key_to_path(item, index(child(field, "items"), number))
        yield from _once(item.get("path", ""), found.get("name", ""), seen, volume)


def _project_fields(found: Json, seen: set[str], volume: str, field: str) -> Errors:
    for item in listed(found, "items"):
        yield from _downward_file(item, field)
        yield from _once(item.get("path", ""), item.get("path", ""), seen, volume)


def _once(path: str, shown: str, seen: set[str], field: str) -> Errors:
    if path in seen:
        yield invalid(field, shown, "conflicting duplicate paths")
    elif path:
        seen.add(path)


def _project_token(found: Json, _: set[str], volume: str, field: str) -> Errors:
    seconds, where = found.get("expirationSeconds", 0), child(field, "expirationSeconds")
    if seconds < 600:
        yield invalid(where, seconds, "may not specify a duration less than 10 minutes")
    if seconds > 1 << 32:
        yield invalid(where, seconds, "may not specify a duration larger than 2^32 seconds")
    path = found.get("path", "")
    if not path:
        yield required(child(volume, "path"))
    else:
        yield from local_path(path, child(volume, "path"))


_PROJECTIONS = {
    "secret": _project_keys,
    "configMap": _project_keys,
    "downwardAPI": _project_fields,
    "serviceAccountToken": _project_token,
}


API_SOURCES: dict[str, Source] = {
    "secret": _files("secretName"),
    "configMap": _files("name"),
    "downwardAPI": _downward_api,
    "projected": _projected,
}
