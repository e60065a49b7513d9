"""Custom resources without a server: what their strategy makes of them."""

from __future__ import annotations

import copy
from typing import Any

from dynkube.schema import GroupVersion, GroupVersionKind
from dynkube.testing.apiserver.customresources.strategy import CustomResourceStrategy, Versions

GROUP_VERSION = GroupVersion("g.io", "v1")
NOW = "2020-01-02T03:04:05Z"


def strategy(spec: dict[str, Any], **row: Any) -> CustomResourceStrategy:
    """The strategy of a kind with a schema of its spec; ``row`` is laid over its version."""
    schema = {"type": "object", "properties": {"spec": spec}}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}} | row
    return CustomResourceStrategy(GroupVersionKind("g.io", "v1", "K"), Versions([version]))


def thing(spec: Any, **fields: Any) -> dict[str, Any]:
    """An object of this kind, as a client sends it."""
    metadata = {"name": "x", "namespace": "n", "resourceVersion": "1", "uid": "u"}
    return {"apiVersion": "g.io/v1", "kind": "K", "metadata": metadata, "spec": copy.deepcopy(spec)} | fields


def decoded(kind: CustomResourceStrategy, obj: dict[str, Any]) -> list[str]:
    """Prune and default an object, in place; what is told of it."""
    told = kind.normalize(obj, GROUP_VERSION)
    kind.default(obj, GROUP_VERSION)
    return told


def judged(schema: dict[str, Any], value: Any, old: Any = ...) -> list[str]:
    """What is wrong with an object that has this spec, after a change of ``old`` if there is one."""
    kind, obj = strategy(schema), thing(value)
    decoded(kind, obj)
    if old is ...:
        return [str(each) for each in kind.validate(obj)]
    before = thing(old)
    decoded(kind, before)
    return [str(each) for each in kind.validate_update(obj, before, "")]


def shaped(schema: dict[str, Any], value: Any) -> tuple[Any, list[str]]:
    """What decoding makes of a spec, and what it tells."""
    obj = thing(value)
    told = decoded(strategy(schema), obj)
    return obj.get("spec", ...), told
