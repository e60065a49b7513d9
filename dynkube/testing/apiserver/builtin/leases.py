"""Leases and those who would hold them (pkg/apis/coordination, pkg/registry/coordination)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dynkube.schema import GroupVersion
from dynkube.testing.apiserver.builtin.native import NativeStrategy
from dynkube.testing.apiserver.builtin.rules import Errors, immutable, mapping
from dynkube.testing.apiserver.words import names
from dynkube.testing.apiserver.words.fielderrors import invalid
from dynkube.testing.apiserver.words.objectmeta import NOT_NEGATIVE
from dynkube.testing.apiserver.words.resources import Object

__all__ = ["LeaseCandidateStrategy", "LeaseStrategy"]

_OF_CANDIDATES = ("strategy", "preferredHolder")
"""Fields that are not in use yet."""


class LeaseStrategy(NativeStrategy):
    """Leases; PUT makes them."""

    allows_create_on_update = True
    allows_unconditional_update = False

    def complete(self, obj: Object, group_version: GroupVersion) -> None:
        """See `NativeStrategy`."""
        obj.setdefault("spec", {})

    def prepare_for_create(self, obj: Object) -> None:
        """See `Strategy`."""
        _drop(obj, {})

    def prepare_for_update(self, obj: Object, old: Object, subresource: str) -> None:
        """See `Strategy`."""
        _drop(obj, mapping(old, "spec"))

    def judge_new(self, obj: Object) -> Errors:
        """See `NativeStrategy`."""
        spec = mapping(obj, "spec")
        duration, transitions = spec.get("leaseDurationSeconds"), spec.get("leaseTransitions")
        if duration is not None and duration <= 0:
            yield invalid("spec.leaseDurationSeconds", duration, "must be greater than 0")
        if transitions is not None and transitions < 0:
            yield invalid("spec.leaseTransitions", transitions, NOT_NEGATIVE)


def _drop(obj: Object, before: Mapping[str, object]) -> None:
    for name in _OF_CANDIDATES:
        if before.get(name) is None:
            obj["spec"].pop(name, None)


class LeaseCandidateStrategy(NativeStrategy):
    """LeaseCandidates."""

    allows_create_on_update = True
    allows_unconditional_update = False

    def validate_name(self, name: str, /, *, prefix: bool = False) -> Sequence[str]:
        """See `Strategy`."""
        return names.config_map_key(name)

    def judge_change(self, obj: Object, old: Object) -> Errors:
        """See `NativeStrategy`."""
        new, former = (mapping(each, "spec").get("leaseName", "") for each in (obj, old))
        yield from immutable(new, former, "spec.leaseName")

    def selectable_fields(self, obj: Object) -> Mapping[str, str]:
        """See `Strategy`."""
        return {"spec.leaseName": mapping(obj, "spec").get("leaseName", "")}
