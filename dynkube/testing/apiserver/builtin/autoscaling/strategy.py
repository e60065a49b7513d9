"""The strategy of HorizontalPodAutoscalers, which are stored as v2."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from dynkube.schema import GroupVersion
from dynkube.testing.apiserver.builtin.autoscaling.conversion import drop_annotations, to_v1, to_v2
from dynkube.testing.apiserver.builtin.autoscaling.metrics import api_version_problem, behavior, metrics, scaled_object
from dynkube.testing.apiserver.builtin.native import NativeStrategy, copied, keep, null_for_empty
from dynkube.testing.apiserver.builtin.rules import Errors, Json, listed, mapping, non_negative
from dynkube.testing.apiserver.builtin.sent import as_sent
from dynkube.testing.apiserver.words.fielderrors import child, invalid, required
from dynkube.testing.apiserver.words.resources import Object

__all__ = ["HorizontalPodAutoscalerStrategy"]

_V1 = "autoscaling/v1"
_ON_CPU = {"type": "Utilization", "averageUtilization": 80}
_UP: Mapping[str, Any] = {
    "stabilizationWindowSeconds": 0,
    "selectPolicy": "Max",
    "policies": [
        {"type": "Pods", "value": 4, "periodSeconds": 15},
        {"type": "Percent", "value": 100, "periodSeconds": 15},
    ],
}
_DOWN: Mapping[str, Any] = {
    "selectPolicy": "Max",
    "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}],
}


class HorizontalPodAutoscalerStrategy(NativeStrategy):
    """HorizontalPodAutoscalers."""

    has_status = True
    zero_status: ClassVar[Mapping[str, Any]] = {"desiredReplicas": 0, "currentMetrics": None}

    def complete(self, obj: Object, group_version: GroupVersion) -> None:
        """See `NativeStrategy`."""
        spec, status = obj.setdefault("spec", {}), obj.setdefault("status", {})
        spec.setdefault("scaleTargetRef", {})
        spec.setdefault("minReplicas", 1)
        status.setdefault("desiredReplicas", 0)
        if group_version.api_version == _V1:
            status.setdefault("currentReplicas", 0)
            obj |= to_v1(to_v2(obj))  # what v2 defaults shows in v1, too, and is its writer's
            return
        status.setdefault("currentMetrics", None)
        obj["metadata"] = drop_annotations(obj["metadata"])
        if not spec.get("metrics"):
            spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": dict(_ON_CPU)}}]
        if spec.get("behavior") is not None:
            spec["behavior"] = as_sent(spec["behavior"], "spec", "behavior")  # no policies are not the usual ones
        _default_behavior(spec)

    def convert(self, obj: Object, to: GroupVersion) -> Object:
        """See `Strategy`."""
        if obj["apiVersion"] == to.api_version:
            return obj
        if to.api_version == _V1:
            return to_v1(obj)
        changed = to_v2(obj)
        _default_behavior(changed["spec"])
        return changed

    def judge_new(self, obj: Object) -> Errors:
        """See `NativeStrategy`."""
        return _spec(obj["spec"], None, "spec")

    def judge_change(self, obj: Object, old: Object) -> Errors:
        """See `NativeStrategy`."""
        return _spec(obj["spec"], old["spec"], "spec")

    def judge_status(self, obj: Object, old: Object) -> Errors:
        """See `NativeStrategy`."""
        for name in ("currentReplicas", "desiredReplicas"):
            yield from non_negative(mapping(obj, "status").get(name), child("status", name))

    def keep_all_but_status(self, obj: Object, old: Object) -> None:
        """See `NativeStrategy`."""
        keep(obj, old, "spec")
        null_for_empty(obj["status"], "currentMetrics")


def _default_behavior(spec: Object) -> None:
    if spec.get("behavior") is not None:
        for name, usual in (("scaleUp", _UP), ("scaleDown", _DOWN)):
            spec["behavior"][name] = {**copied(usual), **(spec["behavior"].get(name) or {})}


def _spec(spec: Json, old: Json | None, field: str) -> Errors:
    low, high = spec.get("minReplicas"), spec.get("maxReplicas", 0)
    lowest = 0 if old is not None and old.get("minReplicas") == 0 else 1
    if low is not None and low < lowest:
        yield invalid(child(field, "minReplicas"), low, f"must be greater than or equal to {lowest}")
    where = child(field, "maxReplicas")
    if high == 0:
        yield required(where, "must be set and greater than 0")
    elif high < 0:
        yield invalid(where, high, "must be greater than or equal to 1")
    if low is not None and high < low:
        yield invalid(where, high, "must be greater than or equal to `minReplicas`")
    yield from _target(mapping(spec, "scaleTargetRef"), old, child(field, "scaleTargetRef"))
    to_zero, any_version = low == 0, old is not None and _had_odd_version(old)
    yield from metrics(listed(spec, "metrics"), child(field, "metrics"), to_zero=to_zero, any_version=any_version)
    if spec.get("behavior") is not None:
        yield from behavior(spec["behavior"], child(field, "behavior"))


def _target(target: Json, old: Json | None, field: str) -> Errors:
    former = None if old is None else mapping(old, "scaleTargetRef")
    is_same = former is not None and all(target.get(name) == former.get(name) for name in ("apiVersion", "kind"))
    needs_group = target.get("kind") != "ReplicationController"
    return scaled_object(target, field, needs_group=needs_group, any_version=is_same)


def _had_odd_version(old: Json) -> bool:
    objects = (mapping(metric, "object") for metric in listed(old, "metrics") if metric.get("type") == "Object")
    return any(api_version_problem(mapping(each, "describedObject"), needs_group=False) for each in objects)
