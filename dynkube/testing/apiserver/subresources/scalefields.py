"""Who manages replicas: from the managers of an object to those of its scale, and back.

AM/util/managedfields/scalehandler.go. The only field of a scale that has a manager is ``spec.replicas``;
which field of the object that is, depends on the version that an entry speaks of. Entries are told apart
by what they say of their manager, and an Update's version is a part of that, so that of an Update's time
nothing comes back: there, too.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

__all__ = ["Paths", "of_object", "of_scale"]

Entry = dict[str, Any]
"""One of metadata.managedFields."""
Paths = Mapping[str, Sequence[str] | None]
"""Where replicas are, by apiVersion; None in a version that has no scale."""
Manager = tuple[str, str, str, str]

_SCALE = "autoscaling/v1"
_IN_SCALE = ("spec", "replicas")


def of_scale(entries: Sequence[Entry], paths: Paths) -> list[Entry]:
    """The managers of a scale, of those of its object (ToSubresource)."""
    found = []
    for entry in entries:
        path = paths.get(entry.get("apiVersion", ""))
        if path is not None and _has(entry, path):
            found.append(_with_fields(entry, _fields_at(_IN_SCALE), _SCALE))
    return _sorted(found)


def of_object(entries: Sequence[Entry], scale_entries: Sequence[Entry], api_version: str, paths: Paths) -> list[Entry]:
    """The managers of an object whose scale was written (ToParent).

    Args:
        entries: Of the object so far.
        scale_entries: Of the scale as it was written.
        api_version: Of the object.
        paths: Where its replicas are.
    """
    scaling = {_manager(each): each for each in scale_entries}
    times = {_manager(each): each.get("time") for each in entries}
    kept: dict[Manager, Entry] = {}
    for entry in entries:
        if entry.get("apiVersion", "") not in paths:
            continue
        path, manager = paths[entry["apiVersion"]], _manager(entry)
        if path is None or not _has(entry, path):
            kept[manager] = entry
        elif manager in scaling:
            kept[manager] = entry
            del scaling[manager]
        else:
            rest = _without(entry.get("fieldsV1") or {}, path)
            if rest:
                kept[manager] = {**entry, "fieldsV1": rest}
    path = paths.get(api_version) or _IN_SCALE
    for manager, entry in scaling.items():
        if _has(entry, _IN_SCALE):
            kept[manager] = _with_fields(entry, _fields_at(path), api_version)
            kept[manager].pop("time", None)
            if times.get(manager):
                kept[manager]["time"] = times[manager]
    return _sorted(kept.values())


def _manager(entry: Mapping[str, Any]) -> Manager:
    """What tells entries apart (BuildManagerIdentifier): the version of one that applies is none of it."""
    operation = entry.get("operation", "")
    version = "" if operation == "Apply" else entry.get("apiVersion", "")
    return entry.get("manager", ""), operation, version, entry.get("subresource", "")


def _sorted(entries: Iterable[Entry]) -> list[Entry]:
    # AM/util/managedfields/internal/managedfields.go, sortEncodedManagedFields
    return sorted(entries, key=lambda each: (each.get("operation", ""), each.get("time") or "", *_manager(each)))


def _with_fields(entry: Entry, fields: dict[str, Any], api_version: str) -> Entry:
    return {**entry, "apiVersion": api_version, "fieldsType": "FieldsV1", "fieldsV1": fields}


def _fields_at(path: Sequence[str]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name in reversed(path):
        fields = {f"f:{name}": fields}
    return fields


def _has(entry: Mapping[str, Any], path: Sequence[str]) -> bool:
    """Whether the field itself is managed, not only something in it."""
    node: Any = entry.get("fieldsV1") or {}
    for name in path:
        node = node.get(f"f:{name}")
        if node is None:
            return False
    return not node or "." in node


def _without(fields: Mapping[str, Any], path: Sequence[str]) -> dict[str, Any]:
    """The fields less one; what holds nothing any more goes, too."""
    rest = copy.deepcopy(dict(fields))
    nodes = [rest]
    for name in path[:-1]:
        nodes.append(nodes[-1][f"f:{name}"])
    del nodes[-1][f"f:{path[-1]}"]
    for parent, name in zip(reversed(nodes[:-1]), reversed(path[:-1]), strict=True):
        node = parent[f"f:{name}"]
        if not node:
            del parent[f"f:{name}"]
        elif set(node) == {"."}:  # of a field that has nothing in it, that is left unsaid
            node.clear()
    return rest
