"""Nodes and RuntimeClasses (pkg/apis/core/validation, pkg/apis/node, pkg/registry)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from dynkube.schema import GroupVersion
from dynkube.testing.apiserver.builtin import internal
from dynkube.testing.apiserver.builtin.addresses import cidr, cidr_warnings, is_cidr, is_ipv6
from dynkube.testing.apiserver.builtin.native import NativeStrategy, keep
from dynkube.testing.apiserver.builtin.pod.scheduling import taint_effect
from dynkube.testing.apiserver.builtin.resourcenames import resource_quantity
from dynkube.testing.apiserver.builtin.rules import (
    Errors,
    Json,
    dns1123_label,
    immutable,
    listed,
    mapping,
    rounded_up,
)
from dynkube.testing.apiserver.words import names
from dynkube.testing.apiserver.words.fielderrors import child, duplicate, forbidden, index, invalid, required
from dynkube.testing.apiserver.words.fielderrors import internal as internal_error
from dynkube.testing.apiserver.words.objectmeta import validate_label_name
from dynkube.testing.apiserver.words.resources import Object

__all__ = ["NodeStrategy", "RuntimeClassStrategy"]


class NodeStrategy(NativeStrategy):
    """Nodes; a new one may say its status."""

    def complete(self, obj: Object, group_version: GroupVersion) -> None:
        """See `NativeStrategy`."""
        _join_ranges(obj.setdefault("spec", {}))
        status = obj.setdefault("status", {})
        if status.get("capacity") and not status.get("allocatable"):
            status["allocatable"] = dict(status["capacity"])
        for name in ("capacity", "allocatable"):
            rounded_up(status.get(name))

    def prepare_for_create(self, obj: Object) -> None:
        """See `Strategy`."""
        obj["spec"].pop("configSource", None)
        obj["status"].pop("config", None)

    def prepare_for_update(self, obj: Object, old: Object, subresource: str) -> None:
        """See `Strategy`."""
        keep(obj, old, "spec" if subresource == "status" else "status")
        if "configSource" not in old["spec"]:
            obj["spec"].pop("configSource", None)

    def judge_new(self, obj: Object) -> Errors:
        """See `NativeStrategy`."""
        yield from _taints(listed(obj["spec"], "taints"), "metadata.taints")
        yield from _resources(mapping(obj, "status"))
        ranges = listed(obj["spec"], "podCIDRs")
        for number, text in enumerate(ranges):
            yield from cidr(text, index("spec.podCIDRs", number))
        if len(ranges) > 1:
            yield from _of_both_families(ranges, "spec.podCIDRs")

    def judge_change(self, obj: Object, old: Object) -> Errors:
        """See `NativeStrategy`."""
        yield from self.judge_new(obj)
        yield from self.judge_status(obj, old)

    def judge_status(self, obj: Object, old: Object) -> Errors:
        """See `NativeStrategy`."""
        spec, before = obj["spec"], old["spec"]
        yield from _resources(mapping(obj, "status"))
        addresses = listed(mapping(obj, "status"), "addresses")
        for number, address in enumerate(addresses):
            if address in addresses[:number]:
                yield duplicate(index("status.addresses", number), internal.shown(address, "core.NodeAddress"))
        ranges = listed(before, "podCIDRs")
        if ranges and list(listed(spec, "podCIDRs")) != list(ranges):
            yield forbidden("spec.podCIDRs", 'node updates may not change podCIDR except from "" to valid')
        if before.get("providerID") and spec.get("providerID") != before["providerID"]:
            yield forbidden("spec.providerID", 'node updates may not change providerID except from "" to valid')
        yield from _taints(listed(spec, "taints"), "metadata.taints")
        if spec.get("externalID", "") != before.get("externalID", ""):
            yield forbidden("spec.externalID", "may not be updated")

    def warnings(self, obj: Object, old: Object | None, subresource: str) -> Sequence[str]:
        """See `Strategy`."""
        if subresource:
            return []
        warnings = []
        if mapping(obj, "spec").get("configSource") is not None:
            warnings.append("spec.configSource: the feature is removed")
        if mapping(obj, "spec").get("externalID"):
            warnings.append("spec.externalID: this field is deprecated, and is unused by Kubernetes")
        for number, text in enumerate(listed(mapping(obj, "spec"), "podCIDRs")):
            warnings += cidr_warnings(text, index("spec.podCIDRs", number))
        return warnings

    def selectable_fields(self, obj: Object) -> Mapping[str, str]:
        """See `Strategy`."""
        return {"spec.unschedulable": "true" if mapping(obj, "spec").get("unschedulable") else "false"}

    def reset_fields(self, subresource: str) -> Sequence[tuple[str, ...]]:
        """See `Strategy`."""
        return (("spec",),) if subresource == "status" else (("status",),)


def _join_ranges(spec: Object) -> None:
    """The one range and the first of several are the same, in place; the one counts."""
    first, ranges = spec.get("podCIDR", ""), listed(spec, "podCIDRs")
    if first and (not ranges or ranges[0] != first):
        spec["podCIDRs"] = [first]
    elif ranges:
        spec["podCIDR"] = ranges[0]


def _resources(status: Json) -> Errors:
    for name in ("capacity", "allocatable"):
        for resource, text in mapping(status, name).items():
            yield from resource_quantity(resource, text, child("status", name, resource))


def _taints(taints: Sequence[Json], field: str) -> Errors:
    seen: set[tuple[str, str]] = set()
    for number, taint in enumerate(taints):
        where, name, value = index(field, number), taint.get("key", ""), taint.get("value", "")
        yield from validate_label_name(name, child(where, "key"))
        problems = names.label_value(value)
        if problems:
            yield invalid(child(where, "value"), value, ";".join(problems))
        effect = taint.get("effect", "")
        yield from taint_effect(effect, child(where, "effect"))
        if (name, effect) in seen:
            shown = internal.shown(taint, "core.Taint")
            yield replace(duplicate(where, shown), detail="taints must be unique by key and effect pair")
        seen.add((name, effect))


def _of_both_families(ranges: Sequence[str], field: str) -> Errors:
    for number, text in enumerate(ranges):
        if not is_cidr(text):
            said = f"invalid PodCIDRs. failed to check with dual stack with error:invalid CIDR[{number}]"
            yield internal_error(field, f"{said}: <nil> (invalid CIDR address: {text})")
            break
    if len({is_ipv6(text.partition("/")[0]) for text in ranges}) != len(ranges):
        yield invalid(field, list(ranges), "may specify no more than one CIDR for each IP family")


class RuntimeClassStrategy(NativeStrategy):
    """RuntimeClasses; PUT makes them."""

    allows_create_on_update = True
    allows_unconditional_update = False

    def complete(self, obj: Object, group_version: GroupVersion) -> None:
        """See `NativeStrategy`."""
        obj.setdefault("handler", "")

    def judge_new(self, obj: Object) -> Errors:
        """See `NativeStrategy`."""
        handler = obj.get("handler", "")
        if handler:
            yield from dns1123_label(handler, "handler")
        else:
            yield required("handler")

    def judge_change(self, obj: Object, old: Object) -> Errors:
        """See `NativeStrategy`."""
        yield from immutable(obj.get("handler", ""), old.get("handler", ""), "handler")
