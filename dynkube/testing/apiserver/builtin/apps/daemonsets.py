"""DaemonSet (pkg/apis/apps/validation, pkg/registry/apps/daemonset)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from dynkube.schema import GroupVersion
from dynkube.testing.apiserver.builtin import internal
from dynkube.testing.apiserver.builtin.apps.percentages import at_most_all, number_of, number_or_percent
from dynkube.testing.apiserver.builtin.apps.templates import collision_count, counts, runs_on
from dynkube.testing.apiserver.builtin.apps.workload import WorkloadStrategy
from dynkube.testing.apiserver.builtin.pod.defaults import default_template
from dynkube.testing.apiserver.builtin.pod.spec import pod_template
from dynkube.testing.apiserver.builtin.pod.warnings import template_warnings
from dynkube.testing.apiserver.builtin.rules import Errors, Json, immutable, mapping, non_negative, same
from dynkube.testing.apiserver.builtin.selectors import is_usable, matches, shown_selector
from dynkube.testing.apiserver.builtin.sent import as_sent
from dynkube.testing.apiserver.words import statuses
from dynkube.testing.apiserver.words.fielderrors import child, invalid, not_supported, quoted, required
from dynkube.testing.apiserver.words.objectmeta import validate_label_selector
from dynkube.testing.apiserver.words.resources import Object

__all__ = ["DaemonSetStrategy"]

_TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"


class DaemonSetStrategy(WorkloadStrategy):
    """DaemonSets. How often the template changed is counted in an annotation."""

    zero_status: ClassVar[Mapping[str, Any]] = {
        "currentNumberScheduled": 0,
        "numberMisscheduled": 0,
        "desiredNumberScheduled": 0,
        "numberReady": 0,
    }

    def complete(self, obj: Object, group_version: GroupVersion) -> None:
        """See `NativeStrategy`."""
        spec = obj.setdefault("spec", {})
        strategy = spec.setdefault("updateStrategy", {})
        if not strategy.get("type"):
            strategy["type"] = "RollingUpdate"
        if strategy["type"] == "RollingUpdate":
            rolling = strategy.setdefault("rollingUpdate", {})
            rolling.setdefault("maxUnavailable", 1)
            rolling.setdefault("maxSurge", 0)
        elif strategy.get("rollingUpdate") is not None:
            strategy["rollingUpdate"] = {"maxUnavailable": 0, "maxSurge": 0, **strategy["rollingUpdate"]}
        spec.setdefault("revisionHistoryLimit", 10)
        default_template(spec.setdefault("template", {}))
        text = mapping(obj["metadata"], "annotations").get(_TEMPLATE_GENERATION, "0")
        if not _is_number(text):
            about = f'DaemonSet in version "{group_version.version}" cannot be handled as a DaemonSet'
            raise statuses.bad_request(f"{about}: strconv.ParseInt: parsing {quoted(text)}: invalid syntax")
        _count(obj, int(text))

    def prepare_for_create(self, obj: Object) -> None:
        """See `Strategy`."""
        super().prepare_for_create(obj)
        _count(obj, max(_counted(obj), 1))

    def prepare_for_update(self, obj: Object, old: Object, subresource: str) -> None:
        """See `Strategy`."""
        super().prepare_for_update(obj, old, subresource)
        _count(obj, _counted(old) + (subresource == "" and _has_new_template(obj, old)))

    def judge_new(self, obj: Object) -> Errors:
        """See `NativeStrategy`."""
        return _daemon_set_spec(obj["spec"], _counted(obj))

    def judge_change(self, obj: Object, old: Object) -> Errors:
        """See `NativeStrategy`."""
        selector = obj["spec"].get("selector")
        yield from immutable(selector, old["spec"].get("selector"), "spec.selector", shown_selector(selector))
        yield from self.judge_new(obj)

    def judge_status(self, obj: Object, old: Object) -> Errors:
        """See `NativeStrategy`."""
        status = mapping(obj, "status")
        yield from counts(status, ("currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled"))
        yield from counts(status, ("numberReady", "observedGeneration", "updatedNumberScheduled", "numberAvailable"))
        yield from counts(status, ("numberUnavailable", "collisionCount"))
        yield from collision_count(status, mapping(old, "status"))

    def warnings(self, obj: Object, old: Object | None, subresource: str) -> Sequence[str]:
        """See `Strategy`."""
        if subresource or (old is not None and not _has_new_template(obj, old)):
            return []
        return list(template_warnings(mapping(obj["spec"], "template"), "spec.template"))


def _counted(obj: Json) -> int:
    return int(mapping(obj["metadata"], "annotations").get(_TEMPLATE_GENERATION, "0"))


def _is_number(text: str) -> bool:
    digits = text[1:] if text[:1] in ("+", "-") else text
    return digits.isascii() and digits.isdigit()


def _count(obj: Object, generation: int) -> None:
    metadata = obj["metadata"]
    metadata["annotations"] = {**mapping(metadata, "annotations"), _TEMPLATE_GENERATION: str(generation)}


def _has_new_template(obj: Json, old: Json) -> bool:
    return not same(obj["spec"].get("template"), old["spec"].get("template"))


def _daemon_set_spec(spec: Json, generation: int) -> Errors:
    selector, template = spec.get("selector"), mapping(spec, "template")
    yield from validate_label_selector(selector, "spec.selector")
    labels = mapping(mapping(template, "metadata"), "labels")
    if is_usable(selector) and not matches(selector, labels):
        shown = as_sent(dict(sorted(labels.items())) or None, "spec", "template", "metadata", "labels")
        yield invalid("spec.template.metadata.labels", shown, "`selector` does not match template `labels`")
    if selector is not None and not selector.get("matchLabels") and not selector.get("matchExpressions"):
        yield invalid("spec.selector", {}, "empty selector is invalid for daemonset")
    yield from pod_template(template, "spec.template")
    yield from runs_on(template, "spec.template", "DaemonSet")
    yield from non_negative(spec.get("minReadySeconds"), "spec.minReadySeconds")
    yield from non_negative(generation, "spec.templateGeneration")
    yield from _update_strategy(mapping(spec, "updateStrategy"), "spec.updateStrategy")
    yield from non_negative(spec.get("revisionHistoryLimit"), "spec.revisionHistoryLimit")


def _update_strategy(strategy: Json, field: str) -> Errors:
    kind, rolling = strategy.get("type", ""), strategy.get("rollingUpdate")
    where = child(field, "rollingUpdate")
    if kind == "OnDelete":
        return
    if kind != "RollingUpdate":
        shown = internal.shown(strategy, "apps.DaemonSetUpdateStrategy")
        yield not_supported(field, shown, ["RollingUpdate", "OnDelete"])
    elif rolling is None:
        yield required(where)
    else:
        yield from _rolling_update(rolling, where)


def _rolling_update(rolling: Json, field: str) -> Errors:
    unavailable, surge = rolling.get("maxUnavailable", 0), rolling.get("maxSurge", 0)
    places = (unavailable, child(field, "maxUnavailable")), (surge, child(field, "maxSurge"))
    for value, where in places:
        yield from number_or_percent(value, where)
    for value, where in places:
        yield from at_most_all(value, where)
    if number_of(unavailable) and number_of(surge):
        yield invalid(child(field, "maxSurge"), surge, "may not be set when maxUnavailable is non-zero")
    elif not number_of(unavailable) and not number_of(surge):
        yield required(child(field, "maxUnavailable"), "cannot be 0 when maxSurge is 0")
