"""Classes of storage and what drivers say of themselves (pkg/apis/storage, pkg/registry/storage)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from dynkube.schema import GroupVersion
from dynkube.testing.apiserver.builtin import internal
from dynkube.testing.apiserver.builtin.native import NativeStrategy, keep_metadata
from dynkube.testing.apiserver.builtin.nodelabels import deprecated_label
from dynkube.testing.apiserver.builtin.rules import (
    Errors,
    Json,
    immutable,
    listed,
    mapping,
    one_of,
    qualified_name,
    rounded_up,
    same,
)
from dynkube.testing.apiserver.builtin.sent import as_sent
from dynkube.testing.apiserver.words.fielderrors import child, duplicate, forbidden, index, invalid, required
from dynkube.testing.apiserver.words.resources import Object

__all__ = [
    "CSIDriverStrategy",
    "CSINodeStrategy",
    "CSIStorageCapacityStrategy",
    "StorageClassStrategy",
    "VolumeAttachmentStrategy",
    "VolumeAttributesClassStrategy",
]


class StorageClassStrategy(NativeStrategy):
    """StorageClasses."""

    def complete(self, obj: Object, group_version: GroupVersion) -> None:
        """See `NativeStrategy`."""
        obj.setdefault("provisioner", "")
        obj.setdefault("reclaimPolicy", "Delete")
        obj.setdefault("volumeBindingMode", "Immediate")

    def judge_new(self, obj: Object) -> Errors:
        """See `NativeStrategy`."""
        provisioner = obj.get("provisioner", "")
        if provisioner:
            yield from qualified_name(provisioner.lower(), "provisioner")
        else:
            yield required("provisioner")
        if "" in mapping(obj, "parameters"):
            yield invalid("parameters", "", "field can not be empty.")
        policy = obj.get("reclaimPolicy")
        if policy:
            yield from one_of(policy, ("Delete", "Retain"), "reclaimPolicy")
        yield from one_of(obj["volumeBindingMode"], ("Immediate", "WaitForFirstConsumer"), "volumeBindingMode")
        yield from _topologies(listed(obj, "allowedTopologies"), "allowedTopologies")

    def judge_change(self, obj: Object, old: Object) -> Errors:
        """See `NativeStrategy`."""
        yield from self.judge_new(obj)
        parameters = mapping(obj, "parameters")
        shown = as_sent(dict(sorted(parameters.items())) or None, "parameters")
        yield from immutable(parameters, mapping(old, "parameters"), "parameters", shown)
        for name in ("provisioner", "reclaimPolicy", "volumeBindingMode"):
            yield from immutable(obj.get(name), old.get(name), name)

    def warnings(self, obj: Object, old: Object | None, subresource: str) -> Sequence[str]:
        """See `Strategy`."""
        warnings = []
        for number, term in enumerate(listed(obj, "allowedTopologies")):
            for place, expression in enumerate(listed(term, "matchLabelExpressions")):
                key = expression.get("key", "")
                if deprecated_label(key):
                    where = index(child(index("allowedTopologies", number), "matchLabelExpressions"), place)
                    warnings.append(f"{child(where, 'key')}: {deprecated_label(key)}")
        return warnings


def _topologies(terms: Sequence[Json], field: str) -> Errors:
    # The real server's list of those before begins with as many empty ones: an empty term is always there.
    before: list[Mapping[str, set[str]]] = [{} for _ in terms]
    for number, term in enumerate(terms):
        where = child(index(field, number), "matchLabelExpressions")
        found: dict[str, set[str]] = {}
        for place, expression in enumerate(listed(term, "matchLabelExpressions")):
            key = expression.get("key", "")
            yield from _topology(expression, index(where, place))
            if key in found:
                yield duplicate(child(index(where, place), "key"), key)
            found[key] = set(listed(expression, "values"))
        for other in before:
            if other == found:
                yield duplicate(where, "")
        before.append(found)


def _topology(expression: Json, field: str) -> Errors:
    values, where = listed(expression, "values"), child(field, "values")
    if not values:
        yield required(where)
    for number, value in enumerate(values):
        if value in values[:number]:
            yield duplicate(index(where, number), value)
    yield from qualified_name(expression.get("key", ""), child(field, "key"))


class CSIDriverStrategy(NativeStrategy):
    """CSIDrivers; their generation counts changes, but has no start."""

    allows_unconditional_update = False

    def complete(self, obj: Object, group_version: GroupVersion) -> None:
        """See `NativeStrategy`."""
        spec = obj.setdefault("spec", {})
        for name, value in _OF_DRIVERS.items():
            spec.setdefault(name, value)
        if not spec.get("volumeLifecycleModes"):
            spec["volumeLifecycleModes"] = ["Persistent"]

    def prepare_for_update(self, obj: Object, old: Object, subresource: str) -> None:
        """See `Strategy`."""
        if not same(obj["spec"], old["spec"]):
            obj["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1

    def judge_change(self, obj: Object, old: Object) -> Errors:
        """See `NativeStrategy`."""
        spec, before = obj["spec"], old["spec"]
        yield from immutable(spec.get("attachRequired"), before.get("attachRequired"), "spec.attachedRequired")
        modes = "volumeLifecycleModes"
        yield from immutable(spec.get(modes), before.get(modes), child("spec", modes))


_OF_DRIVERS: Mapping[str, Any] = {
    "attachRequired": True,
    "podInfoOnMount": False,
    "storageCapacity": False,
    "fsGroupPolicy": "ReadWriteOnceWithFSType",
    "requiresRepublish": False,
    "seLinuxMount": False,
}


class CSINodeStrategy(NativeStrategy):
    """CSINodes."""

    allows_unconditional_update = False


class CSIStorageCapacityStrategy(NativeStrategy):
    """CSIStorageCapacities."""

    allows_unconditional_update = False

    def judge_change(self, obj: Object, old: Object) -> Errors:
        """See `NativeStrategy`."""
        topology = obj.get("nodeTopology")
        yield from immutable(topology, old.get("nodeTopology"), "nodeTopology")
        yield from immutable(obj.get("storageClassName", ""), old.get("storageClassName", ""), "storageClassName")


class VolumeAttachmentStrategy(NativeStrategy):
    """VolumeAttachments, whose spec stays."""

    has_status = True
    allows_unconditional_update = False
    zero_status: ClassVar[Mapping[str, Any]] = {"attached": False}

    def complete(self, obj: Object, group_version: GroupVersion) -> None:
        """See `NativeStrategy`."""
        spec = obj.setdefault("spec", {})
        inline = mapping(spec, "source").get("inlineVolumeSpec")
        if inline:
            rounded_up(inline.get("capacity"))
        obj.setdefault("status", {}).setdefault("attached", False)

    def keep_all_but_status(self, obj: Object, old: Object) -> None:
        """See `NativeStrategy`."""
        super().keep_all_but_status(obj, old)
        keep_metadata(obj, old)

    def judge_change(self, obj: Object, old: Object) -> Errors:
        """See `NativeStrategy`."""
        shown = internal.shown(obj["spec"], "storage.VolumeAttachmentSpec")
        yield from immutable(obj["spec"], old["spec"], "spec", shown)

    def reset_fields(self, subresource: str) -> Sequence[tuple[str, ...]]:
        """See `Strategy`."""
        return (("metadata",), ("spec",)) if subresource == "status" else super().reset_fields(subresource)


class VolumeAttributesClassStrategy(NativeStrategy):
    """VolumeAttributesClasses."""

    def judge_new(self, obj: Object) -> Errors:
        """See `NativeStrategy`."""
        if not obj.get("driverName"):
            yield required("driverName")
        if not mapping(obj, "parameters"):
            yield required("parameters", "must contain at least one key/value pair")

    def judge_change(self, obj: Object, old: Object) -> Errors:
        """See `NativeStrategy`."""
        if obj.get("driverName", "") != old.get("driverName", ""):
            yield forbidden("driverName", "updates to driverName are forbidden.")
        if mapping(obj, "parameters") != mapping(old, "parameters"):
            yield forbidden("parameters", "updates to parameters are forbidden.")
        yield from self.judge_new(obj)
