"""HorizontalPodAutoscalers from v1 to v2 and back (pkg/apis/autoscaling/v1/conversion.go).

What v1 has no fields for, it has as JSON in annotations.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dynkube.testing.apiserver.builtin import internal
from dynkube.testing.apiserver.builtin.rules import Json, listed, mapping
from dynkube.testing.apiserver.words.resources import Object

__all__ = ["drop_annotations", "to_v1", "to_v2"]

_PREFIX = "autoscaling.alpha.kubernetes.io/"
_METRICS, _CURRENT, _CONDITIONS, _BEHAVIOR = (
    f"{_PREFIX}{name}" for name in ("metrics", "current-metrics", "conditions", "behavior")
)
_OURS = (_METRICS, _CURRENT, _CONDITIONS, _BEHAVIOR, f"{_PREFIX}scale-down-tolerance", f"{_PREFIX}scale-up-tolerance")
_USUAL_UTILIZATION = 80
_SOURCES = ("object", "pods", "resource", "containerResource", "external")
_SHARED = ("scaleTargetRef", "minReplicas", "maxReplicas")


def drop_annotations(metadata: Json) -> Object:
    """Metadata without the annotations that are v1's alone."""
    annotations = mapping(metadata, "annotations")
    if not any(name in annotations for name in _OURS):
        return dict(metadata)
    return _annotated(metadata, {name: value for name, value in annotations.items() if name not in _OURS})


def _annotated(metadata: Json, annotations: Mapping[str, str]) -> Object:
    changed = {name: value for name, value in metadata.items() if name != "annotations"}
    return {**changed, "annotations": dict(annotations)} if annotations else changed


def _json(value: Any) -> str:
    """As encoding/json writes it."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for each in "<>&\u2028\u2029":
        text = text.replace(each, f"\\u{ord(each):04x}")
    return text


def _parsed(text: str | None, kind: type) -> Any:
    if text is None:
        return None
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, kind) else None


def _picked(source: Json, fields: Sequence[str]) -> Object:
    return {name: source[name] for name in fields if source.get(name) is not None}


# ------------------------------------------------------------------ v2 to v1


def to_v1(obj: Json) -> Object:
    """An object of v2 as v1 shows it."""
    spec, status = mapping(obj, "spec"), mapping(obj, "status")
    metadata = drop_annotations(obj["metadata"])
    added: dict[str, str] = {}
    others = [each for each in listed(spec, "metrics") if _cpu_utilization(each, "target") is None]
    if others:
        added[_METRICS] = _json([_metric(each, _SPEC_TO_V1) for each in others])
    current = listed(status, "currentMetrics")
    if current:
        added[_CURRENT] = _json([_metric(each, _STATUS_TO_V1) for each in current])
    if spec.get("behavior") is not None:
        added[_BEHAVIOR] = _json(internal.shown(spec["behavior"], "autoscaling.HorizontalPodAutoscalerBehavior"))
    if listed(status, "conditions"):
        added[_CONDITIONS] = _json([_condition(each) for each in status["conditions"]])
    if added:
        metadata = _annotated(metadata, {**mapping(metadata, "annotations"), **added})
    changed = {**obj, "apiVersion": "autoscaling/v1", "metadata": metadata}
    changed["spec"] = _picked(spec, _SHARED) | _first_utilization(spec)
    changed["status"] = _status_to_v1(status)
    return changed


def _cpu_utilization(metric: Json, values: str) -> int | None:
    resource = metric.get("resource")
    if metric.get("type") != "Resource" or resource is None or resource.get("name") != "cpu":
        return None
    found: int | None = mapping(resource, values).get("averageUtilization")
    return found


def _first_utilization(spec: Json) -> Object:
    found = (_cpu_utilization(metric, "target") for metric in listed(spec, "metrics"))
    first = next((each for each in found if each is not None), None)
    return {} if first is None else {"targetCPUUtilizationPercentage": first}


def _status_to_v1(status: Json) -> Object:
    changed = _picked(status, ("observedGeneration", "lastScaleTime"))
    changed["currentReplicas"] = status.get("currentReplicas", 0)
    changed["desiredReplicas"] = status.get("desiredReplicas", 0)
    for metric in listed(status, "currentMetrics"):
        utilization = _cpu_utilization(metric, "current")
        if utilization is not None:
            changed["currentCPUUtilizationPercentage"] = utilization
    return changed


def _condition(condition: Json) -> Object:
    shown = {name: condition.get(name, "") for name in ("type", "status")}
    shown["lastTransitionTime"] = condition.get("lastTransitionTime")
    return shown | {name: condition[name] for name in ("reason", "message") if condition.get(name)}


Converter = Callable[[Json], Object]


def _metric(metric: Json, converters: Mapping[str, Converter]) -> Object:
    found: Object = {"type": metric.get("type", "")}
    for name in _SOURCES:
        if metric.get(name) is not None:
            found[name] = converters[name](metric[name])
    return found


def _omitting(fields: Mapping[str, Any], always: Sequence[str]) -> Object:
    """Fields in their order, without those that are empty and need not be written."""
    return {name: value for name, value in fields.items() if name in always or value not in (None, {}, "")}


def _object_target(source: Json) -> Object:
    target = mapping(source, "describedObject")
    return _omitting({name: target.get(name, "") for name in ("kind", "name", "apiVersion")}, ("kind", "name"))


def _to_v1(values: str, prefix: str) -> Mapping[str, Converter]:
    """Converters of sources, whose values are ``target`` or ``current``."""
    utilization, average, plain = f"{prefix}AverageUtilization", f"{prefix}AverageValue", f"{prefix}Value"
    is_status = values == "current"

    def of_object(source: Json) -> Object:
        metric, value = mapping(source, "metric"), mapping(source, values)
        fields = {
            "target": _object_target(source),
            "metricName": metric.get("name", ""),
            plain: value.get("value", "0"),
            "selector": metric.get("selector"),
            "averageValue": value.get("averageValue"),
        }
        return _omitting(fields, ("target", "metricName", plain))

    def of_pods(source: Json) -> Object:
        metric, value = mapping(source, "metric"), mapping(source, values)
        fields = {
            "metricName": metric.get("name", ""),
            average: value.get("averageValue", "0"),
            "selector": metric.get("selector"),
        }
        return _omitting(fields, ("metricName", average))

    def of_resource(source: Json) -> Object:
        value = mapping(source, values)
        fields = {
            "name": source.get("name", ""),
            utilization: value.get("averageUtilization"),
            average: value.get("averageValue", "0" if is_status else None),
        }
        return _omitting(fields, ("name", average) if is_status else ("name",))

    def of_container(source: Json) -> Object:
        return {**of_resource(source), "container": source.get("container", "")}

    def of_external(source: Json) -> Object:
        metric, value = mapping(source, "metric"), mapping(source, values)
        fields = {
            "metricName": metric.get("name", ""),
            "metricSelector": metric.get("selector"),
            plain: value.get("value", "0" if is_status else None),
            average: value.get("averageValue"),
        }
        return _omitting(fields, ("metricName", plain) if is_status else ("metricName",))

    return dict(zip(_SOURCES, (of_object, of_pods, of_resource, of_container, of_external), strict=True))


_SPEC_TO_V1 = _to_v1("target", "target")
_STATUS_TO_V1 = _to_v1("current", "current")


# ------------------------------------------------------------------ v1 to v2


def to_v2(obj: Json) -> Object:
    """An object of v1 with the fields of v2."""
    spec, status = mapping(obj, "spec"), mapping(obj, "status")
    annotations = mapping(obj["metadata"], "annotations")
    changed = {**obj, "apiVersion": "autoscaling/v2", "metadata": drop_annotations(obj["metadata"])}
    metrics = [_metric(each, _SPEC_TO_V2) for each in _parsed(annotations.get(_METRICS), list) or ()]
    utilization = spec.get("targetCPUUtilizationPercentage")
    if utilization is not None or not metrics:
        metrics.append(_of_cpu(_USUAL_UTILIZATION if utilization is None else utilization))
    changed["spec"] = {**_picked(spec, _SHARED), "metrics": metrics}
    behavior = _behavior(_parsed(annotations.get(_BEHAVIOR), dict))
    if behavior:
        changed["spec"]["behavior"] = behavior
    changed["status"] = _status_to_v2(status, annotations)
    return changed


def _of_cpu(utilization: int) -> Object:
    target = {"type": "Utilization", "averageUtilization": utilization}
    return {"type": "Resource", "resource": {"name": "cpu", "target": target}}


def _behavior(found: Any) -> Object:
    """Of the internal type, whose names begin with capitals; case does not matter to what reads them."""
    rules = {_uncapitalized(name): _rules(value) for name, value in (found or {}).items()}
    return {name: value for name, value in rules.items() if value is not None}


def _uncapitalized(name: str) -> str:
    return name[:1].lower() + name[1:]


def _rules(found: Any) -> Any:
    if isinstance(found, Mapping):
        return {_uncapitalized(name): _rules(value) for name, value in found.items() if value is not None}
    return [_rules(each) for each in found] if isinstance(found, list) else found


def _status_to_v2(status: Json, annotations: Mapping[str, str]) -> Object:
    changed = _picked(status, ("observedGeneration", "lastScaleTime"))
    if status.get("currentReplicas"):
        changed["currentReplicas"] = status["currentReplicas"]
    changed["desiredReplicas"] = status.get("desiredReplicas", 0)
    metrics = _parsed(annotations.get(_CURRENT), list)
    utilization = status.get("currentCPUUtilizationPercentage")
    if metrics is not None:
        changed["currentMetrics"] = [_metric(each, _STATUS_TO_V2) for each in metrics]
    elif utilization is not None:
        current = {"averageUtilization": utilization}
        changed["currentMetrics"] = [{"type": "Resource", "resource": {"name": "cpu", "current": current}}]
    else:
        changed["currentMetrics"] = None
    conditions = _parsed(annotations.get(_CONDITIONS), list)
    if conditions:
        changed["conditions"] = conditions
    return changed


def _identifier(source: Json, selector: str) -> Object:
    return _omitting({"name": source.get("metricName", ""), "selector": source.get(selector)}, ("name",))


def _values(**fields: Any) -> Object:
    return {name: value for name, value in fields.items() if value is not None}


def _spec_object(source: Json) -> Object:
    average, value = source.get("averageValue"), source.get("targetValue", "0")
    kind = "Value" if average is None else "AverageValue"
    kept = value if average is None or value.strip("0") else None
    return {
        "describedObject": source.get("target") or {},
        "target": _values(type=kind, value=kept, averageValue=average),
        "metric": _identifier(source, "selector"),
    }


def _spec_pods(source: Json) -> Object:
    target = _values(type="AverageValue", averageValue=source.get("targetAverageValue", "0"))
    return {"metric": _identifier(source, "selector"), "target": target}


def _spec_resource(source: Json) -> Object:
    utilization = source.get("targetAverageUtilization")
    kind = "AverageValue" if utilization is None else "Utilization"
    target = _values(type=kind, averageValue=source.get("targetAverageValue"), averageUtilization=utilization)
    return {"name": source.get("name", ""), "target": target}


def _spec_container(source: Json) -> Object:
    return {**_spec_resource(source), "container": source.get("container", "")}


def _spec_external(source: Json) -> Object:
    value = source.get("targetValue")
    kind = "AverageValue" if value is None else "Value"
    target = _values(type=kind, value=value, averageValue=source.get("targetAverageValue"))
    return {"metric": _identifier(source, "metricSelector"), "target": target}


_SPEC_TO_V2: Mapping[str, Converter] = dict(
    zip(_SOURCES, (_spec_object, _spec_pods, _spec_resource, _spec_container, _spec_external), strict=True)
)


def _status_object(source: Json) -> Object:
    current = _values(value=source.get("currentValue", "0"), averageValue=source.get("averageValue"))
    target = source.get("target") or {}
    return {"metric": _identifier(source, "selector"), "current": current, "describedObject": target}


def _status_pods(source: Json) -> Object:
    current = {"averageValue": source.get("currentAverageValue", "0")}
    return {"metric": _identifier(source, "selector"), "current": current}


def _status_resource(source: Json) -> Object:
    utilization = source.get("currentAverageUtilization")
    current = _values(averageValue=source.get("currentAverageValue", "0"), averageUtilization=utilization)
    return {"name": source.get("name", ""), "current": current}


def _status_container(source: Json) -> Object:
    return {**_status_resource(source), "container": source.get("container", "")}


def _status_external(source: Json) -> Object:
    current = _values(value=source.get("currentValue", "0"), averageValue=source.get("currentAverageValue"))
    return {"metric": _identifier(source, "metricSelector"), "current": current}


_STATUS_TO_V2: Mapping[str, Converter] = dict(
    zip(_SOURCES, (_status_object, _status_pods, _status_resource, _status_container, _status_external), strict=True)
)
