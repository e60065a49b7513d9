"""Conditions of a pod's status (KUBE/pkg/api/v1/pod/util.go)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["is_ready", "set_condition"]


def set_condition(status: dict[str, Any], condition: Mapping[str, Any], now: str) -> None:
    """Add a condition or replace the one of its type, in place (UpdatePodCondition).

    Its lastTransitionTime is ``now``, unless it had this status before.
    """
    new: dict[str, Any] = {"lastProbeTime": None, "lastTransitionTime": now, **condition}
    conditions = status.setdefault("conditions", [])
    for number, old in enumerate(conditions):
        if old["type"] == new["type"]:
            if old["status"] == new["status"]:
                new["lastTransitionTime"] = old.get("lastTransitionTime")
            conditions[number] = new
            return
    conditions.append(new)


def is_ready(pod: Mapping[str, Any]) -> bool:
    """Whether the pod's condition ``Ready`` is true."""
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
