"""Fields whose features are off in this version: dropped, where the old object does not have them.

pkg/api/pod/util.go (dropDisabledFields), with the feature gates of Kubernetes 1.36.
"""

from __future__ import annotations

from typing import Any

from dynkube.testing.apiserver.builtin.pod.defaults import containers
from dynkube.testing.apiserver.builtin.rules import Json, listed, mapping

__all__ = ["drop_disabled"]

_PROJECTIONS = ("clusterTrustBundle", "podCertificate")


def drop_disabled(spec: dict[str, Any], old: Json | None) -> None:
    """Drop them from a PodSpec, in place; ``old`` is None on a create."""
    before = old or {}
    if "schedulingGroup" in spec and before.get("schedulingGroup") is None:
        del spec["schedulingGroup"]
    for volume in listed(spec, "volumes"):
        if "projected" in volume:
            for source in listed(volume["projected"] or {}, "sources"):
                _drop_projections(source, before)
    for container in containers(spec):
        lifecycle = container.get("lifecycle")
        if lifecycle and "stopSignal" in lifecycle and not _has_stop_signal(before):
            del lifecycle["stopSignal"]
            if not lifecycle:
                del container["lifecycle"]


def _drop_projections(source: dict[str, Any], old: Json) -> None:
    for name in _PROJECTIONS:
        if name in source and not any(
            each.get(name) is not None
            for volume in listed(old, "volumes")
            for each in listed(mapping(volume, "projected"), "sources")
        ):
            del source[name]


def _has_stop_signal(spec: Json) -> bool:
    return any(
        mapping(container, "lifecycle").get("stopSignal") is not None
        for kind in ("initContainers", "containers", "ephemeralContainers")
        for container in listed(spec, kind)
    )
