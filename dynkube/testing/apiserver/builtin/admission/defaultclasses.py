"""Classes that are marked as the default."""

from __future__ import annotations

from collections.abc import Sequence

from dynkube.schema import GroupResource
from dynkube.testing.apiserver.builtin.lookup import Lookup
from dynkube.testing.apiserver.builtin.rules import Json, mapping

__all__ = ["default_class"]


def default_class(resource: GroupResource, annotations: Sequence[str], lookup: Lookup) -> str:
    """The name of the newest that is marked by one of some annotations, of several as new the first; "" for none."""
    found = [each["metadata"] for each in lookup.list(resource, None) if _is_marked(each, annotations)]
    found.sort(key=_name)
    newest = max(found, key=_time, default=None)
    return "" if newest is None else _name(newest)


def _is_marked(obj: Json, annotations: Sequence[str]) -> bool:
    found = mapping(obj["metadata"], "annotations")
    return any(found.get(name) == "true" for name in annotations)


def _name(metadata: Json) -> str:
    name: str = metadata["name"]
    return name


def _time(metadata: Json) -> str:
    time: str = metadata.get("creationTimestamp") or ""
    return time
