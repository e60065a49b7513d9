"""What an autoscaler goes by, and how fast it may (pkg/apis/autoscaling/validation)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from dynkube.testing.apiserver.builtin.resourcenames import container_resource_name
from dynkube.testing.apiserver.builtin.rules import (
    Errors,
    Json,
    amount,
    dns1123_label,
    each,
    listed,
    mapping,
    one_of,
    positive,
    word,
)
from dynkube.testing.apiserver.words import names
from dynkube.testing.apiserver.words.fielderrors import child, forbidden, index, invalid, not_supported, required
from dynkube.testing.apiserver.words.objectmeta import NOT_NEGATIVE

__all__ = ["api_version_problem", "behavior", "metrics", "scaled_object"]

_KINDS = {
    "Object": "object",
    "External": "external",
    "Pods": "pods",
    "Resource": "resource",
    "ContainerResource": "containerResource",
}
"""In the order in which the sources are judged."""
_SORTED_KINDS = sorted(_KINDS)
_LONGEST_WINDOW = 3600
_LONGEST_PERIOD = 1800


def api_version_problem(reference: Json, *, needs_group: bool) -> str:
    """What is wrong with the apiVersion of a reference, "" where it is one."""
    version = reference.get("apiVersion", "")
    if version.count("/") > 1:
        return f"unexpected GroupVersion string: {version}"
    return "apiVersion must specify API group" if needs_group and "/" not in version else ""


def scaled_object(reference: Json, field: str, *, needs_group: bool, any_version: bool) -> Errors:
    """A reference to an object in any version (ValidateCrossVersionObjectReference)."""
    for name in ("kind", "name"):
        value = reference.get(name, "")
        if value:
            yield from each(child(field, name), value, names.path_segment_name(value))
        else:
            yield required(child(field, name))
    problem = "" if any_version else api_version_problem(reference, needs_group=needs_group)
    if problem:
        yield invalid(child(field, "apiVersion"), reference.get("apiVersion", ""), problem)


def metrics(items: Sequence[Json], field: str, *, to_zero: bool, any_version: bool) -> Errors:
    """All of them; ``to_zero``: they let it scale down to nothing."""
    for number, metric in enumerate(items):
        yield from _metric(metric, index(field, number), any_version=any_version)
    if to_zero and not any(metric.get("type") in ("Object", "External") for metric in items):
        said = "must specify at least one Object or External metric to support scaling to zero replicas"
        yield forbidden(field, said)


def _metric(metric: Json, field: str, *, any_version: bool) -> Errors:
    kind = metric.get("type", "")
    if not kind:
        yield required(child(field, "type"), "must specify a metric source type")
    if kind not in _KINDS:
        yield not_supported(child(field, "type"), word(kind), _SORTED_KINDS)
    present = [name for name in _KINDS.values() if metric.get(name) is not None]
    if present and present[0] == "object":
        yield from _object(metric["object"], child(field, "object"), any_version=any_version)
    elif present:
        yield from _SOURCES[present[0]](metric[present[0]], child(field, present[0]))
    expected = _KINDS.get(kind)
    if expected is None:
        yield not_supported(child(field, "type"), word(kind), _SORTED_KINDS)
    elif expected not in present:
        yield required(child(field, expected), "must populate information for the given metric source")
    if len(present) != 1:
        for name in present:
            if name != expected:
                yield forbidden(child(field, name), "must populate the given metric source only")


def _object(source: Json, field: str, *, any_version: bool) -> Errors:
    described, where = mapping(source, "describedObject"), child(field, "describedObject")
    yield from scaled_object(described, where, needs_group=False, any_version=any_version)
    yield from _identifier(source, field)
    yield from _target(source, field)
    yield from _some_value(source, field, "value", "averageValue", "must set either a target value or averageValue")


def _external(source: Json, field: str) -> Errors:
    yield from _identifier(source, field)
    yield from _target(source, field)
    said = "must set either a target value for metric or a per-pod target"
    yield from _some_value(source, field, "value", "averageValue", said)
    target = mapping(source, "target")
    if target.get("value") is not None and target.get("averageValue") is not None:
        said = "may not set both a target value for metric and a per-pod target"
        yield forbidden(child(field, "target", "value"), said)


def _some_value(source: Json, field: str, other: str, name: str, said: str) -> Errors:
    target = mapping(source, "target")
    if target.get(name) is None and target.get(other) is None:
        yield required(child(field, "target", name), said)


def _pods(source: Json, field: str) -> Errors:
    yield from _identifier(source, field)
    yield from _target(source, field)
    if mapping(source, "target").get("averageValue") is None:
        yield required(child(field, "target", "averageValue"), "must specify a positive target averageValue")


def _container(source: Json, field: str) -> Errors:
    name, container = source.get("name", ""), source.get("container", "")
    if name:
        yield from container_resource_name(name, child(field, "name"))
    else:
        yield required(child(field, "name"), "must specify a resource name")
    if container:
        yield from dns1123_label(container, child(field, "container"))
    else:
        yield required(child(field, "container"), "must specify a container")
    yield from _utilization(source, field)


def _resource(source: Json, field: str) -> Errors:
    if not source.get("name"):
        yield required(child(field, "name"), "must specify a resource name")
    yield from _utilization(source, field)


def _utilization(source: Json, field: str) -> Errors:
    yield from _target(source, field)
    said = "must set either a target raw value or a target utilization"
    yield from _some_value(source, field, "averageValue", "averageUtilization", said)
    target = mapping(source, "target")
    if target.get("averageUtilization") is not None and target.get("averageValue") is not None:
        said = "may not set both a target raw value and a target utilization"
        yield forbidden(child(field, "target", "averageValue"), said)


_SOURCES: Mapping[str, Callable[[Json, str], Errors]] = {
    "external": _external,
    "pods": _pods,
    "resource": _resource,
    "containerResource": _container,
}


def _identifier(source: Json, field: str) -> Errors:
    name, where = mapping(source, "metric").get("name", ""), child(field, "metric", "name")
    if name:
        yield from each(where, name, names.path_segment_name(name))
    else:
        yield required(where, "must specify a metric name")


def _target(source: Json, field: str) -> Errors:
    target, where = mapping(source, "target"), child(field, "target")
    kind = target.get("type", "")
    if not kind:
        yield required(child(where, "type"), "must specify a metric target type")
    if kind not in ("Utilization", "Value", "AverageValue"):
        yield invalid(child(where, "type"), word(kind), "must be either Utilization, Value, or AverageValue")
    for name in ("value", "averageValue"):
        text = target.get(name)
        if text is not None and amount(text).nano <= 0:
            yield invalid(child(where, name), text, "must be positive")
    utilization = target.get("averageUtilization")
    if utilization is not None and utilization < 1:
        yield invalid(child(where, "averageUtilization"), utilization, "must be greater than 0")


# ------------------------------------------------------------------ behavior


def behavior(rules: Json, field: str) -> Errors:
    """How fast it scales, up and down."""
    for name in ("scaleUp", "scaleDown"):
        if rules.get(name) is not None:
            yield from _scaling_rules(rules[name], child(field, name))


def _scaling_rules(rules: Json, field: str) -> Errors:
    window, where = rules.get("stabilizationWindowSeconds"), child(field, "stabilizationWindowSeconds")
    if window is not None and window < 0:
        yield invalid(where, window, "must be greater than or equal to zero")
    if window is not None and window > _LONGEST_WINDOW:
        yield invalid(where, window, f"must be less than or equal to {_LONGEST_WINDOW}")
    if rules.get("selectPolicy") is not None:
        yield from one_of(rules["selectPolicy"], ("Disabled", "Max", "Min"), child(field, "selectPolicy"))
    policies, where = listed(rules, "policies"), child(field, "policies")
    if not policies:
        yield required(where, "must specify at least one Policy")
    for number, policy in enumerate(policies):
        yield from _policy(policy, index(where, number))
    tolerance = rules.get("tolerance")
    if tolerance is not None and amount(tolerance).nano < 0:
        yield invalid(child(field, "tolerance"), tolerance, NOT_NEGATIVE)


def _policy(policy: Json, field: str) -> Errors:
    yield from one_of(policy.get("type", ""), ("Percent", "Pods"), child(field, "type"))
    yield from positive(policy.get("value", 0), child(field, "value"))
    period = policy.get("periodSeconds", 0)
    yield from positive(period, child(field, "periodSeconds"))
    if period > _LONGEST_PERIOD:
        yield invalid(child(field, "periodSeconds"), period, f"must be less than or equal to {_LONGEST_PERIOD}")
