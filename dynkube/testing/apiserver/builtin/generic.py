"""Kinds that are stored as they are sent, but for defaults, generations and who may write their status."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from dynkube.schema import GroupVersion
from dynkube.testing.apiserver.builtin.native import NativeStrategy, keep_metadata
from dynkube.testing.apiserver.builtin.rules import listed, mapping
from dynkube.testing.apiserver.words.resources import Object

__all__ = [
    "APIServiceStrategy",
    "DeviceClassStrategy",
    "DeviceTaintRuleStrategy",
    "FlowSchemaStrategy",
    "MutatingAdmissionPolicyBindingStrategy",
    "MutatingAdmissionPolicyStrategy",
    "MutatingWebhookConfigurationStrategy",
    "PriorityLevelConfigurationStrategy",
    "ResourceClaimStrategy",
    "ResourceClaimTemplateStrategy",
    "ResourcePoolStatusRequestStrategy",
    "ResourceSliceStrategy",
    "ServiceCIDRStrategy",
    "StorageVersionStrategy",
    "ValidatingAdmissionPolicyBindingStrategy",
    "ValidatingAdmissionPolicyStrategy",
    "ValidatingWebhookConfigurationStrategy",
]


class _OnlyStatus(NativeStrategy):
    """Who writes the status writes no metadata."""

    has_status = True

    def keep_all_but_status(self, obj: Object, old: Object) -> None:
        """See `NativeStrategy`."""
        super().keep_all_but_status(obj, old)
        keep_metadata(obj, old)

    def reset_fields(self, subresource: str) -> Sequence[tuple[str, ...]]:
        """See `Strategy`."""
        return (("metadata",), ("spec",)) if subresource == "status" else super().reset_fields(subresource)


def _set(obj: Object, defaults: Mapping[str, Any]) -> None:
    for name, value in defaults.items():
        if obj.get(name) is None:
            obj[name] = dict(value) if isinstance(value, dict) else value


# ------------------------------------------------------------------ admissionregistration.k8s.io

_MATCHING: Mapping[str, Any] = {"matchPolicy": "Equivalent", "namespaceSelector": {}, "objectSelector": {}}


class _Webhooks(NativeStrategy):
    has_generation = True
    generation_follows: ClassVar[Sequence[str]] = ("webhooks",)
    allows_unconditional_update = False
    of_each: ClassVar[Mapping[str, Any]] = {"failurePolicy": "Fail", **_MATCHING, "timeoutSeconds": 10}

    def complete(self, obj: Object, group_version: GroupVersion) -> None:
        """See `NativeStrategy`."""
        for webhook in listed(obj, "webhooks"):
            _set(webhook, self.of_each)
            service = mapping(webhook, "clientConfig").get("service")
            if service is not None:
                _set(service, {"port": 443})
            for rule in listed(webhook, "rules"):
                _set(rule, {"scope": "*"})


class ValidatingWebhookConfigurationStrategy(_Webhooks):
    """ValidatingWebhookConfigurations."""


class MutatingWebhookConfigurationStrategy(_Webhooks):
    """MutatingWebhookConfigurations."""

    of_each: ClassVar[Mapping[str, Any]] = {**_Webhooks.of_each, "reinvocationPolicy": "Never"}


def _default_match(owner: Mapping[str, Any], name: str) -> None:
    found = owner.get(name)
    if found is not None:
        _set(found, _MATCHING)
        for rule in (*listed(found, "resourceRules"), *listed(found, "excludeResourceRules")):
            _set(rule, {"scope": "*"})


class ValidatingAdmissionPolicyStrategy(_OnlyStatus):
    """ValidatingAdmissionPolicies."""

    has_generation = True
    allows_unconditional_update = False

    def complete(self, obj: Object, group_version: GroupVersion) -> None:
        """See `NativeStrategy`."""
        spec = obj.setdefault("spec", {})
        _set(spec, {"failurePolicy": "Fail"})
        _default_match(spec, "matchConstraints")


class MutatingAdmissionPolicyStrategy(NativeStrategy):
    """MutatingAdmissionPolicies."""

    has_generation = True
    allows_unconditional_update = False

    def complete(self, obj: Object, group_version: GroupVersion) -> None:
        """See `NativeStrategy`."""
        spec = obj.setdefault("spec", {})
        _set(spec, {"failurePolicy": "Fail"})
        _default_match(spec, "matchConstraints")


class ValidatingAdmissionPolicyBindingStrategy(NativeStrategy):
    """ValidatingAdmissionPolicyBindings."""

    has_generation = True
    allows_unconditional_update = False

    def complete(self, obj: Object, group_version: GroupVersion) -> None:
        """See `NativeStrategy`."""
        _default_match(obj.setdefault("spec", {}), "matchResources")


class MutatingAdmissionPolicyBindingStrategy(ValidatingAdmissionPolicyBindingStrategy):
    """MutatingAdmissionPolicyBindings."""


# ------------------------------------------------------------------ flowcontrol.apiserver.k8s.io


class FlowSchemaStrategy(_OnlyStatus):
    """FlowSchemas."""

    has_generation = True

    def complete(self, obj: Object, group_version: GroupVersion) -> None:
        """See `NativeStrategy`."""
        spec = obj.setdefault("spec", {})
        if not spec.get("matchingPrecedence"):
            spec["matchingPrecedence"] = 1000


class PriorityLevelConfigurationStrategy(_OnlyStatus):
    """PriorityLevelConfigurations."""

    has_generation = True

    def complete(self, obj: Object, group_version: GroupVersion) -> None:
        """See `NativeStrategy`."""
        spec = obj.setdefault("spec", {})
        if spec.get("exempt") is not None:
            _set(spec["exempt"], {"nominalConcurrencyShares": 0, "lendablePercent": 0})
        limited = spec.get("limited")
        if limited is not None:
            _set(limited, {"nominalConcurrencyShares": 30, "lendablePercent": 0})
            queuing = mapping(limited, "limitResponse").get("queuing")
            if queuing is not None:
                for name, value in (("queues", 64), ("handSize", 8), ("queueLengthLimit", 50)):
                    queuing[name] = queuing.get(name) or value


# ------------------------------------------------------------------ resource.k8s.io


def _requests(spec: Mapping[str, Any]) -> Iterator[Object]:
    for request in listed(mapping(spec, "devices"), "requests"):
        exactly = request.get("exactly")
        if exactly is not None:
            yield exactly
        elif "deviceClassName" in request:  # as v1beta1 has it
            yield request
        yield from listed(request, "firstAvailable")


def _default_requests(spec: Mapping[str, Any]) -> None:
    for request in _requests(spec):
        request["allocationMode"] = mode = request.get("allocationMode") or "ExactCount"
        if mode == "ExactCount" and not request.get("count"):
            request["count"] = 1


class ResourceClaimStrategy(_OnlyStatus):
    """ResourceClaims."""

    def complete(self, obj: Object, group_version: GroupVersion) -> None:
        """See `NativeStrategy`."""
        _default_requests(obj.setdefault("spec", {}))


class ResourceClaimTemplateStrategy(NativeStrategy):
    """ResourceClaimTemplates."""

    def complete(self, obj: Object, group_version: GroupVersion) -> None:
        """See `NativeStrategy`."""
        _default_requests(mapping(mapping(obj, "spec"), "spec"))


class DeviceClassStrategy(NativeStrategy):
    """DeviceClasses."""

    has_generation = True


class ResourceSliceStrategy(NativeStrategy):
    """ResourceSlices."""

    has_generation = True

    def selectable_fields(self, obj: Object) -> Mapping[str, str]:
        """See `Strategy`."""
        spec = mapping(obj, "spec")
        return {f"spec.{name}": spec.get(name) or "" for name in ("nodeName", "driver")}


class DeviceTaintRuleStrategy(_OnlyStatus):
    """DeviceTaintRules."""

    has_generation = True


class ResourcePoolStatusRequestStrategy(_OnlyStatus):
    """ResourcePoolStatusRequests."""

    allows_unconditional_update = False

    def prepare_for_create(self, obj: Object) -> None:
        """See `Strategy`."""
        obj.pop("status", None)


# ------------------------------------------------------------------ others


class ServiceCIDRStrategy(_OnlyStatus):
    """ServiceCIDRs."""


class StorageVersionStrategy(_OnlyStatus):
    """StorageVersions."""

    allows_unconditional_update = False


class APIServiceStrategy(_OnlyStatus):
    """APIServices."""

    allows_unconditional_update = False

    def complete(self, obj: Object, group_version: GroupVersion) -> None:
        """See `NativeStrategy`."""
        service = mapping(obj.setdefault("spec", {}), "service")
        if service:
            _set(obj["spec"]["service"], {"port": 443})

    def prepare_for_create(self, obj: Object) -> None:
        """See `Strategy`: what is served here is there at once."""
        super().prepare_for_create(obj)
        if obj["spec"].get("service") is None:
            condition = {
                "type": "Available",
                "status": "True",
                "lastTransitionTime": obj["metadata"].get("creationTimestamp"),
                "reason": "Local",
                "message": "Local APIServices are always available",
            }
            obj["status"]["conditions"] = [condition]
