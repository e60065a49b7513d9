"""What a CRD makes the server serve: a `Resource` for each of its versions.

AE/apiserver/customresource_discovery_controller.go, AE/apiserver/customresource_handler.go.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from dynkube.schema import GroupVersionKind, GroupVersionResource
from dynkube.testing.apiserver.customresources.conditions import is_condition_true
from dynkube.testing.apiserver.customresources.publishing import load_schema
from dynkube.testing.apiserver.customresources.strategy import CustomResourceStrategy, Versions
from dynkube.testing.apiserver.words.resources import Object, Resource, Subresource

__all__ = ["custom_resources"]

_VERBS = ("delete", "deletecollection", "get", "list", "patch", "create", "update", "watch")
_VERBS_AT_THE_END = ("delete", "deletecollection", "get", "list", "watch")
_SUBRESOURCE_VERBS = ("get", "patch", "update")


def custom_resources(crd: Object) -> list[Resource]:
    """One for each served version, named as ``status.acceptedNames`` says.

    Versions are compiled when they are first used. A CRD that ends serves no more writes of new objects.
    """
    spec = crd["spec"]
    names = (crd.get("status") or {}).get("acceptedNames") or spec["names"]
    versions = Versions(spec["versions"])
    verbs = _VERBS_AT_THE_END if is_condition_true(crd, "Terminating") else _VERBS
    unserved = {row["name"]: load_schema(crd, row["name"]) for row in spec["versions"] if not row["served"]}
    return [
        Resource(
            gvr=GroupVersionResource(spec["group"], row["name"], names["plural"]),
            kind=names["kind"],
            singular=names["singular"],
            namespaced=spec["scope"] == "Namespaced",
            verbs=verbs,
            short_names=tuple(names.get("shortNames") or ()),
            categories=tuple(names.get("categories") or ()),
            subresources=_subresources(spec["group"], row, names["kind"]),
            storage_version=versions.storage,
            strategy=CustomResourceStrategy(GroupVersionKind(spec["group"], row["name"], names["kind"]), versions),
            is_custom=True,
            list_kind=names["listKind"],
            load_schema=load_schema(crd, row["name"]),
            warning=_warning(spec, row),
            unserved=unserved,
        )
        for row in spec["versions"]
        if row["served"]
    ]


def _subresources(group: str, row: Mapping[str, Any], kind: str) -> dict[str, Subresource]:
    has = row.get("subresources") or {}
    found = {
        "status": GroupVersionKind(group, row["name"], kind),
        "scale": GroupVersionKind("autoscaling", "v1", "Scale"),
    }
    return {
        name: Subresource(name=name, kind=body, verbs=_SUBRESOURCE_VERBS)
        for name, body in found.items()
        if has.get(name) is not None
    }


def _warning(spec: Mapping[str, Any], row: Mapping[str, Any]) -> str:
    """What every request to a deprecated version is told (defaultDeprecationWarning)."""
    if not row.get("deprecated"):
        return ""
    if row.get("deprecationWarning") is not None:
        return str(row["deprecationWarning"])
    group, kind = spec["group"], spec["names"]["kind"]
    newer = [
        each["name"]
        for each in spec["versions"]
        if each["served"] and not each.get("deprecated") and _priority(each["name"]) > _priority(row["name"])
    ]
    use = f"; use {group}/{max(newer, key=_priority)} {kind}" if newer else ""
    return f"{group}/{row['name']} {kind} is deprecated{use}"


_VERSION = re.compile(r"v(\d+)(?:(alpha|beta)(\d+))?", re.ASCII)
_STAGES = {None: 2, "beta": 1, "alpha": 0}


def _priority(version: str) -> tuple[int, ...]:
    """The larger the earlier a version is listed: v2, v1, v1beta1, v1alpha1, then others by the alphabet."""
    found = _VERSION.fullmatch(version)
    if found is None:
        return (0, *(-ord(each) for each in version), 1)
    return (1, _STAGES[found[2]], int(found[1]), int(found[3] or 0))
