"""PriorityClasses (pkg/apis/scheduling, pkg/registry/scheduling)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from dynkube.schema import GroupVersion
from dynkube.testing.apiserver.builtin.native import NativeStrategy
from dynkube.testing.apiserver.builtin.rules import Errors, Json, enumerated, immutable
from dynkube.testing.apiserver.words.fielderrors import forbidden
from dynkube.testing.apiserver.words.resources import Object

__all__ = ["HIGHEST_OF_USERS", "SYSTEM_CLASSES", "SYSTEM_PREFIX", "PriorityClassStrategy"]

HIGHEST_OF_USERS = 1_000_000_000
SYSTEM_PREFIX = "system-"
SYSTEM_CLASSES = {"system-node-critical": 2_000_001_000, "system-cluster-critical": 2_000_000_000}


class PriorityClassStrategy(NativeStrategy):
    """PriorityClasses."""

    has_generation = True
    generation_follows: ClassVar[Sequence[str]] = ()

    def complete(self, obj: Object, group_version: GroupVersion) -> None:
        """See `NativeStrategy`."""
        obj.setdefault("value", 0)
        obj.setdefault("preemptionPolicy", "PreemptLowerPriority")

    def judge_new(self, obj: Object) -> Errors:
        """See `NativeStrategy`."""
        name, value = obj["metadata"].get("name", ""), obj.get("value", 0)
        if name.startswith(SYSTEM_PREFIX):
            problem = _system_problem(obj)
            if problem:
                said = f"priority class names with '{SYSTEM_PREFIX}' prefix are reserved for system use only. error: "
                yield forbidden("metadata.name", f"{said}{problem}")
        elif value > HIGHEST_OF_USERS:
            yield forbidden("value", f"maximum allowed value of a user defined priority is {HIGHEST_OF_USERS}")
        yield from enumerated(obj.get("preemptionPolicy"), ("PreemptLowerPriority", "Never"), "preemptionPolicy")

    def judge_change(self, obj: Object, old: Object) -> Errors:
        """See `NativeStrategy`."""
        if obj.get("value", 0) != old.get("value", 0):
            yield forbidden("value", "may not be changed in an update.")
        yield from immutable(obj.get("preemptionPolicy"), old.get("preemptionPolicy"), "preemptionPolicy")


def _system_problem(obj: Json) -> str:
    name = obj["metadata"]["name"]
    wanted = SYSTEM_CLASSES.get(name)
    if wanted is None:
        return f"{name} is not a known system priority class"
    if obj.get("value", 0) != wanted:
        return f"value of {name} PriorityClass must be {wanted}"
    return f"globalDefault of {name} PriorityClass must be false" if obj.get("globalDefault") else ""
