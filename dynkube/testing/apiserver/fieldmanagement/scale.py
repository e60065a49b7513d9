"""Who owns ``replicas``, said for the scale subresource and for the object itself.

AM/util/managedfields/scalehandler.go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dynkube.testing.apiserver.fieldmanagement.fieldsets import difference, has, of_paths
from dynkube.testing.apiserver.fieldmanagement.managers import Managed, Owned, decode, encode

__all__ = ["from_scale", "to_scale"]

Entries = Sequence[Mapping[str, Any]]
ReplicasPaths = Mapping[str, Sequence[str] | None]
"""By apiVersion of the scaled kind: the names of fields that lead to its replicas; None where it has no scale."""

_SCALE = "autoscaling/v1"
_SCALE_PATH = ("f:spec", "f:replicas")


def to_scale(entries: Entries, replicas_paths: ReplicasPaths) -> list[dict[str, Any]]:
    """The managedFields of a Scale: of the object's managers those that own its replicas.

    Raises:
        ProblemError: The object's entries cannot be read.
    """
    managed = decode(entries)
    owners = {
        manager: Owned(of_paths([_SCALE_PATH]), _SCALE)
        for manager, owned in managed.owners.items()
        if (path := _path(replicas_paths, owned.api_version)) and has(owned.fields, path)
    }
    return encode(Managed(owners, managed.times))


def from_scale(
    entries: Entries, scale_entries: Entries, replicas_paths: ReplicasPaths, api_version: str
) -> list[dict[str, Any]]:
    """The managedFields of an object after its Scale was written.

    Args:
        entries: of the object, as it was.
        scale_entries: of the Scale, as it is now.
        replicas_paths: where each version has its replicas; managers of other versions go.
        api_version: the object's, by which it is scaled.

    Raises:
        ProblemError: Entries cannot be read.
    """
    managed = decode(entries)
    scaled = dict(decode(scale_entries).owners)
    owners: dict[Any, Owned] = {}
    for manager, owned in managed.owners.items():
        if owned.api_version not in replicas_paths:
            continue
        path = _path(replicas_paths, owned.api_version)
        if not path or not has(owned.fields, path):
            owners[manager] = owned
        elif manager in scaled:
            owners[manager] = owned
            del scaled[manager]
        elif fields := difference(owned.fields, of_paths([path])):
            owners[manager] = Owned(fields, owned.api_version)
    own_path = _path(replicas_paths, api_version)
    for manager, owned in scaled.items():
        if has(owned.fields, _SCALE_PATH):
            owners[manager] = Owned(of_paths([own_path]), api_version)
    return encode(Managed(owners, managed.times))


def _path(replicas_paths: ReplicasPaths, api_version: str) -> list[str]:
    return [f"f:{name}" for name in replicas_paths.get(api_version) or ()]
