"""The spec of a PersistentVolumeClaim, which pods and StatefulSets carry in templates, too."""

from __future__ import annotations

from typing import Any

from dynkube.testing.apiserver.builtin.resourcenames import resource_quantity
from dynkube.testing.apiserver.builtin.rules import (
    Errors,
    Json,
    dns1123_label,
    each,
    listed,
    mapping,
    one_of,
    positive_amount,
    word,
)
from dynkube.testing.apiserver.words import names
from dynkube.testing.apiserver.words.fielderrors import child, forbidden, invalid, key, not_supported, required
from dynkube.testing.apiserver.words.objectmeta import validate_annotations, validate_label_selector, validate_labels

__all__ = ["access_modes", "claim_spec", "class_name", "template_metadata", "volume_mode"]

_ACCESS_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")


def class_name(name: str | None, field: str) -> Errors:
    """The name of a StorageClass or a VolumeAttributesClass; none is none."""
    if name:
        yield from each(field, name, names.dns1123_subdomain(name))


def access_modes(modes: Any, field: str) -> Errors:
    """What is said of each access mode, and of one that stands alone."""
    for mode in modes:
        if mode not in _ACCESS_MODES:
            yield not_supported(field, word(mode), _ACCESS_MODES)
    known = set(modes) & set(_ACCESS_MODES)
    if "ReadWriteOncePod" in known and len(known) > 1:
        yield forbidden(field, "may not use ReadWriteOncePod with other access modes")


def volume_mode(mode: str | None, field: str) -> Errors:
    """``Block`` or ``Filesystem``."""
    if mode is not None:
        yield from one_of(mode, ("Block", "Filesystem"), field)


def claim_spec(spec: Json, field: str, *, any_group: bool = False) -> Errors:
    """ValidatePersistentVolumeClaimSpec; ``any_group``: groups of data sources are let be, since one was there."""
    modes = listed(spec, "accessModes")
    if not modes:
        yield required(child(field, "accessModes"), "at least 1 access mode is required")
    yield from validate_label_selector(spec.get("selector"), child(field, "selector"))
    yield from access_modes(modes, child(field, "accessModes"))
    yield from _storage(mapping(mapping(spec, "resources"), "requests").get("storage"), child(field, "resources"))
    yield from class_name(spec.get("storageClassName"), child(field, "storageClassName"))
    yield from volume_mode(spec.get("volumeMode"), child(field, "volumeMode"))
    source, reference = spec.get("dataSource"), spec.get("dataSourceRef")
    if source is not None:
        yield from _data_source(source, child(field, "dataSource"), any_group=any_group)
    if reference is not None:
        where = child(field, "dataSourceRef")
        yield from _data_source(reference, where, any_group=any_group)
        if reference.get("namespace"):
            yield from dns1123_label(reference["namespace"], child(where, "namespace"))
    if source is not None and reference is not None:
        yield from _both_sources(source, reference, field)
    yield from class_name(spec.get("volumeAttributesClassName"), child(field, "volumeAttributesClassName"))


def _storage(size: str | None, field: str) -> Errors:
    where = key(field, "storage")
    if size is None:
        yield required(where)
        return
    problems = list(positive_amount(size, where))
    yield from problems or resource_quantity("storage", size, where)


def _data_source(source: Json, field: str, *, any_group: bool) -> Errors:
    for name in ("name", "kind"):
        if not source.get(name):
            yield required(child(field, name))
    group, kind = source.get("apiGroup") or "", source.get("kind", "")
    if not group and kind != "PersistentVolumeClaim":
        yield invalid(field, kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup")
    if group and not any_group:
        yield from each(child(field, "apiGroup"), group, names.dns1123_subdomain(group))


def _both_sources(source: Json, reference: Json, field: str) -> Errors:
    # The bad value of these two is the path of the field itself.
    shown: Any = {}
    if reference.get("namespace"):
        yield invalid(field, shown, "may not be specified when dataSourceRef.namespace is specified")
    elif any(source.get(name) != reference.get(name) for name in ("apiGroup", "kind", "name")):
        yield invalid(field, shown, "must match dataSourceRef")


# In the order of ObjectMeta's fields in Go.
_NOT_IN_TEMPLATES = (
    "name", "generateName", "namespace", "selfLink", "uid", "resourceVersion", "generation", "creationTimestamp",
    "deletionTimestamp", "deletionGracePeriodSeconds", "ownerReferences", "finalizers", "managedFields",
)  # fmt: skip


def template_metadata(metadata: Json, field: str) -> Errors:
    """Metadata of a template: labels and annotations, and nothing else (ValidateTemplateObjectMeta)."""
    yield from validate_annotations(mapping(metadata, "annotations"), child(field, "annotations"))
    yield from validate_labels(mapping(metadata, "labels"), child(field, "labels"))
    for name in _NOT_IN_TEMPLATES:
        if metadata.get(name):
            shown = "uID" if name == "uid" else name
            yield forbidden(child(field, shown), "cannot be set")
