"""PodDisruptionBudgets (pkg/apis/policy, pkg/registry/policy)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from dynkube.schema import GroupVersion
from dynkube.testing.apiserver.builtin import internal
from dynkube.testing.apiserver.builtin.apps.percentages import at_most_all, number_or_percent
from dynkube.testing.apiserver.builtin.native import NativeStrategy
from dynkube.testing.apiserver.builtin.rules import Errors, listed, mapping, non_negative, one_of
from dynkube.testing.apiserver.words.fielderrors import child, invalid
from dynkube.testing.apiserver.words.objectmeta import validate_conditions, validate_label_selector
from dynkube.testing.apiserver.words.resources import Object

__all__ = ["PodDisruptionBudgetStrategy"]

_COUNTS = ("disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods")


class PodDisruptionBudgetStrategy(NativeStrategy):
    """PodDisruptionBudgets."""

    has_status = True
    has_generation = True
    allows_unconditional_update = False
    zero_status: ClassVar[Mapping[str, Any]] = dict.fromkeys(_COUNTS, 0)

    def complete(self, obj: Object, group_version: GroupVersion) -> None:
        """See `NativeStrategy`; the zeros of status are written."""
        obj.setdefault("spec", {})
        obj["status"] = {**self.zero_status, **mapping(obj, "status")}

    def judge_new(self, obj: Object) -> Errors:
        """See `NativeStrategy`."""
        spec = obj["spec"]
        bounds = [name for name in ("minAvailable", "maxUnavailable") if spec.get(name) is not None]
        if len(bounds) > 1:
            shown = internal.shown(spec, "policy.PodDisruptionBudgetSpec")
            yield invalid("spec", shown, "minAvailable and maxUnavailable cannot be both set")
        for name in bounds:
            yield from number_or_percent(spec[name], child("spec", name))
            yield from at_most_all(spec[name], child("spec", name))
        yield from validate_label_selector(spec.get("selector"), "spec.selector")
        policy = spec.get("unhealthyPodEvictionPolicy")
        if policy is not None:
            yield from one_of(policy, ("AlwaysAllow", "IfHealthyBudget"), "spec.unhealthyPodEvictionPolicy")

    def judge_status(self, obj: Object, old: Object) -> Errors:
        """See `NativeStrategy`."""
        status = mapping(obj, "status")
        yield from validate_conditions(listed(status, "conditions"), "status.conditions")
        for name in _COUNTS:
            yield from non_negative(status.get(name), child("status", name))
