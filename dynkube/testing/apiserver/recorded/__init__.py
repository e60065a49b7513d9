"""What a real kube-apiserver 1.36 was seen to say, in ``kubernetes-1.36.zip`` beside this module.

``tests/recording/record.py`` writes the archive. Nothing is opened at import; a member is read when
it is first asked for, and what is made of it is kept. All of it is shared: callers change none of it.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from dynkube import codec
from dynkube.schema import GroupVersion, GroupVersionKind, GroupVersionResource
from dynkube.testing.apiserver.words.resources import Object, Subresource
from dynkube.testing.apiserver.words.schemas import Definitions, Schema

__all__ = [
    "ARCHIVE",
    "ResourceRecord",
    "blank",
    "columns",
    "component_statuses",
    "definitions",
    "load",
    "object_meta",
    "objects",
    "openapi_v3",
    "paths",
    "priorities",
    "read",
    "resource",
    "resources",
    "version",
]

ARCHIVE = Path(__file__).with_name("kubernetes-1.36.zip")
"""Where it is."""
_OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_SMALLEST_WITH_OBJECT_META = GroupVersion("scheduling.k8s.io", "v1")


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceRecord:
    """A built-in resource in one version, as discovery shows it."""

    gvr: GroupVersionResource
    kind: str
    singular: str
    namespaced: bool
    verbs: Sequence[str]
    short_names: Sequence[str]
    categories: Sequence[str]
    subresources: Mapping[str, Subresource]
    storage: GroupVersionKind
    """What its objects are stored as: of another version for some, of another group for ``events.k8s.io``."""
    storage_version_hash: str
    """As discovery shows it; "" for what is not stored."""
    list_kind: str
    """"" where it cannot be listed."""
    warning: str
    """What every answer warns of (a deprecated version), or ""."""


def read(member: str) -> bytes:
    """The bytes of a member of the archive.

    Raises:
        KeyError: There is none of this name.
    """
    with zipfile.ZipFile(ARCHIVE) as archive:
        return archive.read(member)


@cache
def load(member: str) -> Any:
    """A member that is JSON, decoded once."""
    with codec.gc_paused():
        return codec.decode(read(member))


@cache
def resources() -> tuple[ResourceRecord, ...]:
    """All built-in resources in all versions, in discovery's order: groups, then versions by priority, then names."""
    return tuple(_resources())


def _resources() -> Iterator[ResourceRecord]:
    for group in load("resources.json"):
        for each in group["versions"]:
            for row in each["resources"]:
                yield _record(GroupVersion(group["name"], each["version"]), row)


def _record(group_version: GroupVersion, row: Mapping[str, Any]) -> ResourceRecord:
    return ResourceRecord(
        gvr=GroupVersionResource(group_version.group, group_version.version, row["name"]),
        kind=row["kind"],
        singular=row["singular"],
        namespaced=row["namespaced"],
        verbs=tuple(row["verbs"]),
        short_names=tuple(row["shortNames"]),
        categories=tuple(row["categories"]),
        subresources={each["name"]: _subresource(group_version, each) for each in row["subresources"]},
        storage=GroupVersionKind(*row["storage"]),
        storage_version_hash=row["storageVersionHash"],
        list_kind=row["listKind"],
        warning=row["warning"],
    )


def _subresource(group_version: GroupVersion, row: Mapping[str, Any]) -> Subresource:
    foreign = bool(row["version"])  # discovery names the group and version of a body only where they are others
    group, version = (row["group"], row["version"]) if foreign else (group_version.group, group_version.version)
    return Subresource(name=row["name"], kind=GroupVersionKind(group, version, row["kind"]), verbs=tuple(row["verbs"]))


def resource(gvr: GroupVersionResource) -> ResourceRecord:
    """One built-in resource.

    Raises:
        KeyError: It is none.
    """
    return _by_gvr()[gvr]


@cache
def _by_gvr() -> Mapping[GroupVersionResource, ResourceRecord]:
    return {each.gvr: each for each in resources()}


@cache
def priorities() -> Mapping[GroupVersion, tuple[int, int]]:
    """Of each built-in group version, in discovery's order: the priority of its group, and its own in the group."""
    return {
        GroupVersion(group["name"], each["version"]): (each["groupPriority"], each["versionPriority"])
        for group in load("resources.json")
        for each in group["versions"]
    }


def columns(gvr: GroupVersionResource) -> Sequence[Mapping[str, Any]]:
    """The ``columnDefinitions`` of a Table of a listable built-in resource.

    Raises:
        KeyError: It is none.
    """
    found: Mapping[str, Sequence[Mapping[str, Any]]] = load("columns.json")
    return found[f"{gvr.group}/{gvr.version}/{gvr.resource}"]


def blank(gvr: GroupVersionResource) -> Mapping[str, Any]:
    """An empty object of a watchable built-in resource, as its bookmarks show it.

    Raises:
        KeyError: It is none.
    """
    found: Mapping[str, Mapping[str, Any]] = load("blanks.json")
    return found[f"{gvr.group}/{gvr.version}/{gvr.resource}"]


@cache
def definitions(group: str, version: str) -> Definitions:
    """The schemas of a built-in group version.

    Raises:
        KeyError: It is none.
    """
    path = f"apis/{group}/{version}" if group else f"api/{version}"
    with codec.gc_paused():
        return Definitions(codec.decode(openapi_v3(path)))


@cache
def object_meta() -> Schema:
    """The schema of metadata."""
    return definitions(_SMALLEST_WITH_OBJECT_META.group, _SMALLEST_WITH_OBJECT_META.version).find(_OBJECT_META)


def objects(*, now: str, port: int, authority: str) -> list[Object]:
    """What a server has that has just started: namespaces, bootstrap roles, priority classes, itself as a Service, ...

    Complete but for uid and resourceVersion, in the version that they are stored in, namespaces first. Without the
    Lease of the server's identity, which nobody renews here. The dicts are the caller's.

    Args:
        now: The time of their making, ``2026-11-27T14:12:21Z``.
        port: Of the server.
        authority: Its CA's certificate, PEM.
    """
    text = read("objects.json").replace(b'"<port>"', str(port).encode()).replace(b"<now>", now.encode())
    text = text.replace(b"<date>", now[:10].encode()).replace(b"<authority>", codec.encode(authority)[1:-1])
    made: list[Object] = codec.decode(text)
    return made


def component_statuses() -> list[Object]:
    """The three ComponentStatuses: etcd is well, the others are not there. No stored objects: without uid and time."""
    made: list[Object] = codec.decode(read("componentstatuses.json"))
    return made


def openapi_v3(path: str) -> bytes:
    """The OpenAPI v3 document of a path: ``api/v1``, ``apis/apps/v1``, ``version``.

    Raises:
        KeyError: It has none.
    """
    return read(f"openapi/v3/{path}.json")


def version() -> bytes:
    """What ``/version`` answers."""
    return read("version.json")


def paths() -> Sequence[str]:
    """What ``/`` lists before there is any CRD, sorted."""
    found: Sequence[str] = load("paths.json")
    return found
