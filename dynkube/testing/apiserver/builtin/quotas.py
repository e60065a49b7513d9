"""ResourceQuotas and LimitRanges (pkg/apis/core/validation, pkg/registry/core)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from dynkube.schema import GroupVersion
from dynkube.testing.apiserver.builtin import internal
from dynkube.testing.apiserver.builtin.native import NativeStrategy, null_for_empty
from dynkube.testing.apiserver.builtin.resourcenames import (
    container_resource_name,
    is_standard_quota,
    may_overcommit,
    quota_resource_name,
    resource_name,
    resource_quantity,
)
from dynkube.testing.apiserver.builtin.rules import Errors, Json, amount, each, listed, mapping, rounded_up, word
from dynkube.testing.apiserver.builtin.sent import as_sent
from dynkube.testing.apiserver.words import names
from dynkube.testing.apiserver.words.fielderrors import child, duplicate, forbidden, index, invalid, key, required
from dynkube.testing.apiserver.words.resources import Object

__all__ = ["LimitRangeStrategy", "ResourceQuotaStrategy"]

_SCOPES = (
    "BestEffort", "CrossNamespacePodAffinity", "NotBestEffort", "NotTerminating", "PriorityClass", "Terminating",
    "VolumeAttributesClass",
)  # fmt: skip


class ResourceQuotaStrategy(NativeStrategy):
    """ResourceQuotas; what is used is nobody's to count here."""

    has_status = True
    zero_status: ClassVar[Mapping[str, Any]] = {}

    def complete(self, obj: Object, group_version: GroupVersion) -> None:
        """See `NativeStrategy`."""
        rounded_up(obj.setdefault("spec", {}).get("hard"))
        for name in ("hard", "used"):
            rounded_up(obj.setdefault("status", {}).get(name))

    def judge_new(self, obj: Object) -> Errors:
        """See `NativeStrategy`."""
        yield from _amounts(obj["spec"], "spec", "hard")
        yield from _scopes(obj["spec"])

    def judge_change(self, obj: Object, old: Object) -> Errors:
        """See `NativeStrategy`."""
        yield from self.judge_new(obj)
        scopes, former = (listed(each_one["spec"], "scopes") for each_one in (obj, old))
        if set(scopes) != set(former):
            yield invalid("spec.scopes", as_sent(scopes or None, "spec", "scopes"), "field is immutable")

    def judge_status(self, obj: Object, old: Object) -> Errors:
        """See `NativeStrategy`."""
        for name in ("hard", "used"):
            yield from _amounts(mapping(obj, "status"), "status", name)


def _amounts(owner: Json, field: str, name: str) -> Errors:
    for resource, text in mapping(owner, name).items():
        where = key(child(field, name), resource)
        yield from quota_resource_name(resource, where)
        yield from resource_quantity(resource, text, where)


# A scope is about pods alone, but for one, which is about claims.
_OF_PODS = frozenset(
    {"pods", *(f"{prefix}{name}" for prefix in ("", "requests.", "limits.") for name in ("cpu", "memory"))}
)
_NOT_BEST_EFFORT = _SCOPES[1:6]
_CONFLICTING = (("BestEffort", "NotBestEffort"), ("Terminating", "NotTerminating"))
_OF_CLAIMS = "VolumeAttributesClass"


def _fits(scope: str, resource: str) -> bool:
    """Whether a scope may limit a resource (IsResourceQuotaScopeValidForResource)."""
    if scope == "BestEffort":
        return resource == "pods"
    if scope == _OF_CLAIMS:
        return resource in ("persistentvolumeclaims", "requests.storage")
    return scope not in _NOT_BEST_EFFORT or resource in _OF_PODS


def _scopes(spec: Json) -> Errors:
    scopes, hard = listed(spec, "scopes"), sorted(mapping(spec, "hard"))
    for scope in scopes:
        if scope not in _SCOPES:
            yield invalid("spec.scopes", scopes, "unsupported scope")
        for resource in hard:
            if is_standard_quota(resource) and not _fits(scope, resource):
                yield invalid("spec.scopes", scopes, "unsupported scope applied to resource")
    for pair in _CONFLICTING:
        if set(pair) <= set(scopes):
            yield invalid("spec.scopes", scopes, "conflicting scopes")
    if spec.get("scopeSelector") is not None:
        yield from _selector(spec, hard, "spec.scopeSelector.matchExpressions")


def _selector(spec: Json, hard: Sequence[str], field: str) -> Errors:
    selector = spec["scopeSelector"]
    shown = internal.shown(as_sent(selector, "spec", "scopeSelector"), "core.ScopeSelector")
    found = [requirement.get("scopeName", "") for requirement in listed(selector, "matchExpressions")]
    for requirement in listed(selector, "matchExpressions"):
        scope = requirement.get("scopeName", "")
        if scope not in _SCOPES:
            yield invalid(child(field, "scopeName"), word(scope), "unsupported scope")
        for resource in hard:
            if is_standard_quota(resource) and not _fits(scope, resource):
                yield invalid(field, shown, "unsupported scope applied to resource")
        yield from _requirement(requirement, scope, field)
    for pair in _CONFLICTING:
        if set(pair) <= set(found):
            yield invalid(field, listed(spec, "scopes") or None, "conflicting scopes")


def _requirement(requirement: Json, scope: str, field: str) -> Errors:
    operator, values = requirement.get("operator", ""), listed(requirement, "values")
    where = child(field, "operator")
    if scope in _SCOPES and scope not in ("PriorityClass", _OF_CLAIMS) and operator != "Exists":
        kinds = ", ".join(f"ResourceQuotaScope{name}" for name in ("Terminating", "NotTerminating", "BestEffort"))
        more = "ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity"
        yield invalid(where, word(operator), f"must be 'Exists' when scope is any of {kinds}, {more}")
    where = child(field, "values")
    if operator in ("In", "NotIn"):
        if not values:
            said = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"
            yield required(where, said)
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            said = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"
            yield invalid(where, values, said)
    else:
        yield invalid(child(field, "operator"), word(operator), "not a valid selector operator")


class LimitRangeStrategy(NativeStrategy):
    """LimitRanges; PUT makes them, and one without a name gets one."""

    allows_create_on_update = True

    def complete(self, obj: Object, group_version: GroupVersion) -> None:
        """See `NativeStrategy` (SetDefaults_LimitRangeItem)."""
        for limit in listed(obj.setdefault("spec", {}), "limits"):
            if limit.get("type") == "Container":
                usual = {**mapping(limit, "max"), **mapping(limit, "default")}
                asked = {**mapping(limit, "min"), **usual, **mapping(limit, "defaultRequest")}
                limit |= {name: value for name, value in (("default", usual), ("defaultRequest", asked)) if value}
            for name in ("max", "min", "default", "defaultRequest", "maxLimitRequestRatio"):
                rounded_up(limit.get(name))

    def prepare_for_create(self, obj: Object) -> None:
        """See `Strategy`."""
        if not obj["metadata"].get("name"):
            obj["metadata"]["name"] = str(uuid.uuid4())
        null_for_empty(obj["spec"], "limits")

    def judge_new(self, obj: Object) -> Errors:
        """See `NativeStrategy`."""
        seen: set[str] = set()
        for number, limit in enumerate(listed(obj["spec"], "limits")):
            field, kind = index("spec.limits", number), limit.get("type", "")
            yield from _type(kind, child(field, "type"))
            if kind in seen:
                yield duplicate(child(field, "type"), word(kind))
            seen.add(kind)
            yield from _limit(limit, kind, field)


def _type(kind: str, field: str) -> Errors:
    problems = names.label_key(kind)
    yield from each(field, kind, problems)
    if not problems and "/" not in kind and kind not in ("Container", "PersistentVolumeClaim", "Pod"):
        yield invalid(field, kind, "must be a standard limit type or fully qualified")


def _limit(limit: Json, kind: str, field: str) -> Errors:
    for name in ("max", "min"):
        yield from _resources(limit, kind, name, field)
    for name in ("default", "defaultRequest"):
        if kind != "Pod":
            yield from _resources(limit, kind, name, field)
        elif mapping(limit, name):
            yield forbidden(child(field, name), "may not be specified when `type` is 'Pod'")
    if kind == "PersistentVolumeClaim" and not any("storage" in mapping(limit, name) for name in ("min", "max")):
        said = "either minimum or maximum storage value is required, but neither was provided"
        yield required(child(field, "limits"), said)
    yield from _resources(limit, kind, "maxLimitRequestRatio", field)
    resources = dict.fromkeys(resource for name in _OF_LIMITS for resource in mapping(limit, name))
    for resource in resources:
        found = {name: mapping(limit, name).get(resource) for name in _OF_LIMITS}
        if kind == "Pod":
            found["default"] = found["defaultRequest"] = None
        yield from _bounds(found, resource, field)


_OF_LIMITS = ("max", "min", "default", "defaultRequest", "maxLimitRequestRatio")


def _resources(limit: Json, kind: str, name: str, field: str) -> Errors:
    for resource in mapping(limit, name):
        where = key(child(field, name), resource)
        if kind in ("Pod", "Container"):
            yield from container_resource_name(resource, where)
        else:
            yield from resource_name(resource, where)


_ORDERED = (
    ("min", "max", "min", "min value {} is greater than max value {}"),
    ("min", "defaultRequest", "defaultRequest", "min value {} is greater than default request value {}"),
    ("defaultRequest", "max", "defaultRequest", "default request value {} is greater than max value {}"),
    ("defaultRequest", "default", "defaultRequest", "default request value {} is greater than default limit value {}"),
    ("min", "default", "default", "min value {} is greater than default value {}"),
    ("default", "max", "default", "default value {} is greater than max value {}"),
)
"""What may not exceed what, where the message stands, and its words."""


def _bounds(found: Mapping[str, str | None], resource: str, field: str) -> Errors:
    for low, high, where, said in _ORDERED:
        smaller, larger = found[low], found[high]
        if smaller is not None and larger is not None and amount(smaller).nano > amount(larger).nano:
            shown = {"defaultRequest": found["defaultRequest"], "min": found["min"]}.get(where)
            if where == "default":
                shown = smaller if low == "min" else larger
            yield invalid(key(child(field, where), resource), shown, said.format(smaller, larger))
    ratio = found["maxLimitRequestRatio"]
    if ratio is not None:
        yield from _ratio(ratio, found, key(child(field, "maxLimitRequestRatio"), resource))
    usual, asked = found["default"], found["defaultRequest"]
    if usual is None or asked is None or may_overcommit(resource) or amount(usual).nano == amount(asked).nano:
        return
    said = f"default value {usual} must equal to defaultRequest value {asked} in {resource}"
    yield invalid(key(child(field, "defaultRequest"), resource), asked, said)


def _ratio(ratio: str, found: Mapping[str, str | None], field: str) -> Errors:
    if amount(ratio).nano < 10**9:
        yield invalid(field, ratio, f"ratio {ratio} is less than 1")
    low, high = found["min"], found["max"]
    if low is not None and high is not None and amount(low).nano:
        limit = amount(high).nano / amount(low).nano
        if amount(ratio).nano / 10**9 > limit:
            yield invalid(field, ratio, f"ratio {ratio} is greater than max/min = {limit:f}")
