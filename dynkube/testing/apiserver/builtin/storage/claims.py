"""PersistentVolumeClaims (pkg/apis/core/validation, pkg/registry/core/persistentvolumeclaim)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from dynkube.schema import GroupVersion
from dynkube.testing.apiserver.builtin import internal
from dynkube.testing.apiserver.builtin.claimspec import claim_spec
from dynkube.testing.apiserver.builtin.native import NativeStrategy
from dynkube.testing.apiserver.builtin.pod.defaults import default_claim_spec
from dynkube.testing.apiserver.builtin.pod.warnings import claim_spec_warnings
from dynkube.testing.apiserver.builtin.resourcenames import is_native, resource_quantity
from dynkube.testing.apiserver.builtin.rules import (
    Errors,
    Json,
    amount,
    each,
    immutable,
    mapping,
    rounded_up,
    same,
    word,
)
from dynkube.testing.apiserver.builtin.sent import as_sent
from dynkube.testing.apiserver.words import names
from dynkube.testing.apiserver.words.fielderrors import child, forbidden, invalid, key, not_supported, required
from dynkube.testing.apiserver.words.objectmeta import IMMUTABLE
from dynkube.testing.apiserver.words.resources import Object

__all__ = ["STORAGE_CLASS", "PersistentVolumeClaimStrategy"]

STORAGE_CLASS = "volume.beta.kubernetes.io/storage-class"
_STILL = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n"
_RESIZES = (
    "ControllerResizeInProgress", "ControllerResizeInfeasible", "NodeResizeInProgress", "NodeResizeInfeasible",
    "NodeResizePending",
)  # fmt: skip


class PersistentVolumeClaimStrategy(NativeStrategy):
    """Claims."""

    has_status = True
    zero_status: ClassVar[Mapping[str, Any]] = {"phase": "Pending"}

    def complete(self, obj: Object, group_version: GroupVersion) -> None:
        """See `NativeStrategy`."""
        default_claim_spec(obj.setdefault("spec", {}))
        status = obj.setdefault("status", {})
        status["phase"] = status.get("phase") or "Pending"
        for name in ("capacity", "allocatedResources"):
            rounded_up(status.get(name))

    def prepare_for_create(self, obj: Object) -> None:
        """See `Strategy`."""
        super().prepare_for_create(obj)
        _settle_sources(obj["spec"], None)

    def prepare_for_update(self, obj: Object, old: Object, subresource: str) -> None:
        """See `Strategy`."""
        super().prepare_for_update(obj, old, subresource)
        if subresource == "":
            _settle_sources(obj["spec"], old["spec"])

    def judge_new(self, obj: Object) -> Errors:
        """See `NativeStrategy`."""
        return claim_spec(obj["spec"], "spec")

    def judge_change(self, obj: Object, old: Object) -> Errors:
        """See `NativeStrategy`."""
        spec, before = obj["spec"], old["spec"]
        had_group = any(mapping(before, name).get("apiGroup") is not None for name in ("dataSource", "dataSourceRef"))
        yield from claim_spec(spec, "spec", any_group=had_group)
        yield from _spec_change(obj, old)
        yield from immutable(spec.get("volumeMode"), before.get("volumeMode"), "volumeMode")
        if mapping(old, "status").get("currentVolumeAttributesClassName") is not None:
            name = spec.get("volumeAttributesClassName")
            if not name and name != before.get("volumeAttributesClassName"):
                what = "nil" if name is None else "empty string"
                said = f"update to {what} is forbidden when status.currentVolumeAttributesClassName is not nil"
                yield forbidden("spec.volumeAttributesClassName", said)

    def judge_status(self, obj: Object, old: Object) -> Errors:
        """See `NativeStrategy`."""
        return _status(obj)

    def warnings(self, obj: Object, old: Object | None, subresource: str) -> Sequence[str]:
        """See `Strategy`."""
        if subresource:
            return []
        return [*class_annotation_warnings(obj), *claim_spec_warnings(obj["spec"], "spec")]

    def selectable_fields(self, obj: Object) -> Mapping[str, str]:
        """See `Strategy`."""
        return {"name": obj["metadata"].get("name", "")}


def class_annotation_warnings(obj: Json) -> list[str]:
    """Of the annotation that was once the class."""
    if STORAGE_CLASS not in mapping(obj["metadata"], "annotations"):
        return []
    said = 'deprecated since v1.8; use "storageClassName" attribute instead'
    return [f"{key('metadata.annotations', STORAGE_CLASS)}: {said}"]


# ------------------------------------------------------------------ data sources


def _settle_sources(spec: Object, before: Json | None) -> None:
    """DataSource and dataSourceRef are the same, in place; what neither may be is dropped."""
    earlier = before or {}
    if mapping(spec, "dataSourceRef").get("namespace") and earlier.get("dataSourceRef") is None:
        del spec["dataSourceRef"]
    source, reference = spec.get("dataSource"), spec.get("dataSourceRef")
    had_one = earlier.get("dataSource") is not None or earlier.get("dataSourceRef") is not None
    if not had_one and reference is None and source is not None and not _was_always_allowed(source):
        del spec["dataSource"]
        return
    if source is not None and reference is None:
        spec["dataSourceRef"] = _same_reference(source)
    elif reference is not None and source is None and not reference.get("namespace"):
        spec["dataSource"] = _same_reference(reference)


def _was_always_allowed(source: Json) -> bool:
    known = source.get("apiGroup") or "", source.get("kind", "")
    return known in (("", "PersistentVolumeClaim"), ("snapshot.storage.k8s.io", "VolumeSnapshot"))


def _same_reference(source: Json) -> Object:
    return {name: source[name] for name in ("apiGroup", "kind", "name") if name in source}


# ------------------------------------------------------------------ changes


def _spec_change(obj: Json, old: Json) -> Errors:
    spec, before = dict(obj["spec"]), dict(old["spec"])
    if not before.get("volumeName"):
        _take(before, spec, "volumeName")
    annotations, former = mapping(obj["metadata"], "annotations"), mapping(old["metadata"], "annotations")
    name, earlier = spec.get("storageClassName"), before.get("storageClassName")
    annotated = former.get(STORAGE_CLASS)
    becomes_field = annotated is not None and earlier is None and name == annotated
    if becomes_field and annotations.get(STORAGE_CLASS, annotated) == annotated:
        spec.pop("storageClassName", None)
    else:
        new_annotation = annotations.get(STORAGE_CLASS, "")
        if new_annotation != former.get(STORAGE_CLASS, ""):
            yield invalid(child("metadata.annotations", STORAGE_CLASS), new_annotation, IMMUTABLE)
        if name is not None and earlier is None and annotated in (None, name):
            _take(spec, before, "storageClassName")
    requested = mapping(mapping(spec, "resources"), "requests")
    size = mapping(mapping(before, "resources"), "requests").get("storage", "0")
    if mapping(obj, "status").get("phase") == "Bound":
        if requested:
            spec["resources"] = {**spec["resources"], "requests": {**requested, "storage": size}}
        _take(spec, before, "volumeAttributesClassName")
    if not same(spec, before):
        difference = internal.difference(before, as_sent(spec, "spec"), "core.PersistentVolumeClaimSpec")
        yield forbidden("spec", f"{_STILL}{difference}")
    wanted = amount(requested.get("storage", "0"))
    capacity = amount(mapping(mapping(old, "status"), "capacity").get("storage", "0"))
    if wanted.nano < amount(size).nano and wanted.nano <= capacity.nano:
        yield forbidden("spec.resources.requests.storage", "field can not be less than status.capacity")


def _take(to: Object, source: Json, name: str) -> None:
    if name in source:
        to[name] = source[name]
    else:
        to.pop(name, None)


def _status(obj: Json) -> Errors:
    status = mapping(obj, "status")
    if not mapping(obj, "spec").get("accessModes"):
        yield required("Spec.accessModes")
    for name, text in mapping(status, "capacity").items():
        yield from _basic(text, key("status.capacity", name))
    field = "status.allocatedResourceStatuses"
    for name, state in mapping(status, "allocatedResourceStatuses").items():
        yield from _resource_key(name, field)
        if state not in _RESIZES:
            yield not_supported(field, word(name), _RESIZES)
    field = "status.allocatedResources"
    for name, text in mapping(status, "allocatedResources").items():
        problems = list(_resource_key(name, field)) or list(_basic(text, key(field, name)))
        yield from problems or resource_quantity("storage", text, key(field, name))


def _basic(text: str, field: str) -> Errors:
    quantity = amount(text)
    if quantity.value < 0:
        yield invalid(field, quantity.value, "must be a valid resource quantity")


def _resource_key(name: str, field: str) -> Errors:
    problems = names.label_key(name)
    yield from each(field, name, problems)
    if not problems and is_native(name) and name != "storage":
        yield not_supported(field, name, ["storage"])
