"""Deployment and ReplicaSet (pkg/apis/apps, pkg/registry/apps)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from dynkube.schema import GroupVersion
from dynkube.testing.apiserver.builtin import internal
from dynkube.testing.apiserver.builtin.apps.percentages import at_most_all, number_of, number_or_percent
from dynkube.testing.apiserver.builtin.apps.templates import (
    always_restarting,
    collision_count,
    counts,
    not_above,
)
from dynkube.testing.apiserver.builtin.apps.workload import WorkloadStrategy
from dynkube.testing.apiserver.builtin.native import keep
from dynkube.testing.apiserver.builtin.pod.defaults import default_template
from dynkube.testing.apiserver.builtin.rules import Errors, Json, immutable, mapping, non_negative, same
from dynkube.testing.apiserver.builtin.selectors import is_usable, required_selector, shown_selector, template_labels
from dynkube.testing.apiserver.words.fielderrors import child, forbidden, invalid, not_supported, required
from dynkube.testing.apiserver.words.resources import Object

__all__ = ["DeploymentStrategy", "ReplicaSetStrategy"]

_ABOVE_ALL = "cannot be greater than status.replicas"
_ABOVE_READY = "cannot be greater than readyReplicas"


class DeploymentStrategy(WorkloadStrategy):
    """Deployments."""

    def complete(self, obj: Object, group_version: GroupVersion) -> None:
        """See `NativeStrategy`."""
        spec = obj.setdefault("spec", {})
        spec.setdefault("replicas", 1)
        strategy = spec.setdefault("strategy", {})
        if not strategy.get("type"):
            strategy["type"] = "RollingUpdate"
        if strategy["type"] == "RollingUpdate":
            rolling = strategy.setdefault("rollingUpdate", {})
            rolling.setdefault("maxUnavailable", "25%")
            rolling.setdefault("maxSurge", "25%")
        spec.setdefault("revisionHistoryLimit", 10)
        spec.setdefault("progressDeadlineSeconds", 600)
        default_template(spec.setdefault("template", {}))

    def keep_all_but_status(self, obj: Object, old: Object) -> None:
        """See `NativeStrategy`: labels stay, too."""
        super().keep_all_but_status(obj, old)
        keep(obj["metadata"], old["metadata"], "labels")

    def count_change(self, obj: Object, old: Object) -> None:
        """See `NativeStrategy`: annotations count, too."""
        annotations = [mapping(each["metadata"], "annotations") for each in (obj, old)]
        if not same(obj["spec"], old["spec"]) or not same(*annotations):
            obj["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1

    def judge_new(self, obj: Object) -> Errors:
        """See `NativeStrategy`."""
        return _deployment_spec(obj["spec"], "spec")

    def judge_change(self, obj: Object, old: Object) -> Errors:
        """See `NativeStrategy`."""
        yield from _deployment_spec(obj["spec"], "spec")
        selector = obj["spec"].get("selector")
        yield from immutable(selector, old["spec"].get("selector"), "spec.selector", shown_selector(selector))

    def judge_status(self, obj: Object, old: Object) -> Errors:
        """See `NativeStrategy`."""
        status = mapping(obj, "status")
        yield from counts(status, ("observedGeneration", "replicas", "updatedReplicas", "readyReplicas"))
        yield from counts(status, ("availableReplicas", "unavailableReplicas", "terminatingReplicas", "collisionCount"))
        limited = ("updatedReplicas", "readyReplicas", "availableReplicas")
        yield from not_above(status, limited, "replicas", _ABOVE_ALL)
        yield from not_above(status, ["availableReplicas"], "readyReplicas", _ABOVE_READY)
        yield from collision_count(status, mapping(old, "status"))

    def reset_fields(self, subresource: str) -> Sequence[tuple[str, ...]]:
        """See `Strategy`."""
        return (("spec",), ("metadata", "labels")) if subresource == "status" else super().reset_fields(subresource)


def _deployment_spec(spec: Json, field: str) -> Errors:
    yield from non_negative(spec.get("replicas"), child(field, "replicas"))
    yield from _selector_and_template(spec, field)
    yield from _rollout(mapping(spec, "strategy"), child(field, "strategy"))
    yield from non_negative(spec.get("minReadySeconds"), child(field, "minReadySeconds"))
    yield from non_negative(spec.get("revisionHistoryLimit"), child(field, "revisionHistoryLimit"))
    deadline = spec.get("progressDeadlineSeconds")
    if deadline is not None:
        where = child(field, "progressDeadlineSeconds")
        yield from non_negative(deadline, where)
        if deadline <= spec.get("minReadySeconds", 0):
            yield invalid(where, deadline, "must be greater than minReadySeconds")


def _selector_and_template(spec: Json, field: str) -> Errors:
    selector, where = spec.get("selector"), child(field, "selector")
    yield from required_selector(selector, where, "deployment")
    if not is_usable(selector):
        yield invalid(where, shown_selector(selector), "invalid label selector")
        return
    template = mapping(spec, "template")
    yield from template_labels(selector, template, child(field, "template"))
    yield from always_restarting(template, child(field, "template"), "ReplicaSet")


def _rollout(strategy: Json, field: str) -> Errors:
    kind, rolling = strategy.get("type", ""), strategy.get("rollingUpdate")
    where = child(field, "rollingUpdate")
    if kind == "Recreate":
        if rolling is not None:
            yield forbidden(where, "may not be specified when strategy `type` is 'Recreate'")
    elif kind == "RollingUpdate":
        if rolling is None:
            yield required(where, "this should be defaulted and never be nil")
        else:
            yield from _rolling_update(rolling, where)
    else:
        shown = internal.shown(strategy, "apps.DeploymentStrategy")
        yield not_supported(field, shown, ["Recreate", "RollingUpdate"])


def _rolling_update(rolling: Json, field: str) -> Errors:
    unavailable, surge = rolling.get("maxUnavailable", 0), rolling.get("maxSurge", 0)
    where = child(field, "maxUnavailable")
    yield from number_or_percent(unavailable, where)
    yield from number_or_percent(surge, child(field, "maxSurge"))
    if number_of(unavailable) == 0 and number_of(surge) == 0:
        yield invalid(where, unavailable, "may not be 0 when `maxSurge` is 0")
    yield from at_most_all(unavailable, where)


class ReplicaSetStrategy(WorkloadStrategy):
    """ReplicaSets."""

    zero_status: ClassVar[Mapping[str, Any]] = {"replicas": 0}

    def complete(self, obj: Object, group_version: GroupVersion) -> None:
        """See `NativeStrategy`."""
        spec = obj.setdefault("spec", {})
        spec.setdefault("replicas", 1)
        default_template(spec.setdefault("template", {}))

    def judge_new(self, obj: Object) -> Errors:
        """See `NativeStrategy`."""
        spec = obj["spec"]
        yield from non_negative(spec.get("replicas"), "spec.replicas")
        yield from non_negative(spec.get("minReadySeconds"), "spec.minReadySeconds")
        yield from _selector_and_template(spec, "spec")

    def judge_change(self, obj: Object, old: Object) -> Errors:
        """See `NativeStrategy`."""
        yield from self.judge_new(obj)
        selector = obj["spec"].get("selector")
        yield from immutable(selector, old["spec"].get("selector"), "spec.selector", shown_selector(selector))

    def judge_status(self, obj: Object, old: Object) -> Errors:
        """See `NativeStrategy`."""
        status = mapping(obj, "status")
        yield from counts(status, ("replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas"))
        yield from counts(status, ("observedGeneration", "terminatingReplicas"))
        limited = ("fullyLabeledReplicas", "readyReplicas", "availableReplicas")
        yield from not_above(status, limited, "replicas", _ABOVE_ALL)
        yield from not_above(status, ["availableReplicas"], "readyReplicas", _ABOVE_READY)

    def selectable_fields(self, obj: Object) -> Mapping[str, str]:
        """See `Strategy`."""
        return {"status.replicas": str(mapping(obj, "status").get("replicas", 0))}
