"""The strategy of a kind that has a template of pods in its spec."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dynkube.testing.apiserver.builtin.apps.templates import pod_name_warnings
from dynkube.testing.apiserver.builtin.native import NativeStrategy
from dynkube.testing.apiserver.builtin.pod.disabled import drop_disabled
from dynkube.testing.apiserver.builtin.rules import Json, mapping
from dynkube.testing.apiserver.words.resources import Object

__all__ = ["WorkloadStrategy"]


class WorkloadStrategy(NativeStrategy):
    """Fields of the template that are not in use are dropped; its warnings are given when it changes."""

    has_status = True
    has_generation = True

    def prepare_for_create(self, obj: Object) -> None:
        """See `Strategy`."""
        super().prepare_for_create(obj)
        drop_disabled(_pod_spec(obj), None)

    def prepare_for_update(self, obj: Object, old: Object, subresource: str) -> None:
        """See `Strategy`."""
        if subresource == "":
            drop_disabled(_pod_spec(obj), _pod_spec(old))
        super().prepare_for_update(obj, old, subresource)

    def warnings(self, obj: Object, old: Object | None, subresource: str) -> Sequence[str]:
        """See `Strategy`."""
        return [] if subresource else list(pod_name_warnings(obj, old))


def _pod_spec(obj: Json) -> dict[str, Any]:
    spec: Any = mapping(mapping(mapping(obj, "spec"), "template"), "spec")
    return spec if isinstance(spec, dict) else {}
