"""Namespaces (pkg/apis/core/validation, pkg/registry/core/namespace); their end is the registry's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from dynkube.schema import GroupVersion
from dynkube.testing.apiserver.builtin.native import NativeStrategy, keep
from dynkube.testing.apiserver.builtin.rules import Errors, listed, mapping, qualified_name, word
from dynkube.testing.apiserver.words import names
from dynkube.testing.apiserver.words.fielderrors import FieldError, invalid
from dynkube.testing.apiserver.words.resources import Object

__all__ = ["NamespaceStrategy"]

_NAME_LABEL = "kubernetes.io/metadata.name"
_STANDARD_FINALIZERS = frozenset({"kubernetes", "orphan", "foregroundDeletion"})


class NamespaceStrategy(NativeStrategy):
    """Namespaces."""

    has_status = True
    zero_status: ClassVar[Mapping[str, Any]] = {"phase": "Active"}

    def complete(self, obj: Object, group_version: GroupVersion) -> None:
        """See `NativeStrategy`."""
        obj.setdefault("spec", {})
        status = obj.setdefault("status", {})
        status["phase"] = status.get("phase") or "Active"
        _label(obj)

    def validate_name(self, name: str, /, *, prefix: bool = False) -> Sequence[str]:
        """See `Strategy`."""
        return names.dns1123_label(name, prefix=prefix)

    def prepare_for_create(self, obj: Object) -> None:
        """See `Strategy`."""
        super().prepare_for_create(obj)
        finalizers = listed(obj["spec"], "finalizers")
        if "kubernetes" not in finalizers:
            obj["spec"]["finalizers"] = [*finalizers, "kubernetes"]

    def validate(self, obj: Object) -> Sequence[FieldError]:
        """See `Strategy`; a name that was generated becomes the label when all is well (Canonicalize)."""
        errors = super().validate(obj)
        if not errors and not names.dns1123_label(obj["metadata"].get("name", "")):
            _label(obj)
        return errors

    def prepare_for_update(self, obj: Object, old: Object, subresource: str) -> None:
        """See `Strategy`."""
        super().prepare_for_update(obj, old, subresource)
        if subresource == "":
            keep(obj["spec"], old["spec"], "finalizers")
        _label(obj)

    def judge_new(self, obj: Object) -> Errors:
        """See `NativeStrategy`."""
        field = "spec.finalizers"
        for each in listed(obj["spec"], "finalizers"):
            yield from qualified_name(each, field)
            if "/" not in each and each not in _STANDARD_FINALIZERS:
                yield invalid(field, each, "name is neither a standard finalizer name nor is it fully qualified")

    def judge_status(self, obj: Object, old: Object) -> Errors:
        """See `NativeStrategy`."""
        is_deleted = "deletionTimestamp" in obj["metadata"]
        phase, wanted = mapping(obj, "status").get("phase", ""), "Terminating" if is_deleted else "Active"
        if phase != wanted:
            when = "not empty" if is_deleted else "empty"
            yield invalid("status.Phase", word(phase), f"may only be '{wanted}' if `deletionTimestamp` is {when}")

    def selectable_fields(self, obj: Object) -> Mapping[str, str]:
        """See `Strategy`."""
        return {"status.phase": mapping(obj, "status").get("phase", ""), "name": obj["metadata"].get("name", "")}


def _label(obj: Object) -> None:
    metadata = obj["metadata"]
    if metadata.get("name"):
        metadata["labels"] = {**mapping(metadata, "labels"), _NAME_LABEL: metadata["name"]}
