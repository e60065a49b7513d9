"""What the containers of a pod ask for together, and the class of service that follows.

component-helpers/resource/helpers.go, pkg/apis/core/helper/qos/qos.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dynkube.quantities import Quantity
from dynkube.testing.apiserver.builtin.rules import Json, amount, listed, mapping

__all__ = ["aggregate", "default_pod_level_resources", "is_pod_level", "qos_class"]

Amounts = dict[str, Quantity]
_HUGE_PAGES = "hugepages-"
_COMPUTE = ("cpu", "memory")


def is_pod_level(name: str) -> bool:
    """Whether a pod as a whole may ask for this resource (IsSupportedPodLevelResource)."""
    return name in _COMPUTE or name.startswith(_HUGE_PAGES)


def aggregate(spec: Json, kind: str) -> Amounts:
    """What all containers need at once, of ``requests`` or ``limits`` (AggregateContainerRequests, ...Limits).

    Containers and sidecars run together; an init container runs beside the sidecars before it.
    """
    total: Amounts = {}
    for container in listed(spec, "containers"):
        _add(total, _amounts(container, kind))
    peak: Amounts = {}
    sidecars: Amounts = {}
    for container in listed(spec, "initContainers"):
        needed = _amounts(container, kind)
        if container.get("restartPolicy") == "Always":
            _add(total, needed)
            _add(sidecars, needed)
            needed = dict(sidecars)
        else:
            needed = dict(needed)
            _add(needed, sidecars)
        _raise_to(peak, needed)
    _raise_to(total, peak)
    return total


def _amounts(container: Json, kind: str) -> Amounts:
    return {name: amount(text) for name, text in mapping(mapping(container, "resources"), kind).items()}


def _add(total: Amounts, more: Mapping[str, Quantity]) -> None:
    for name, quantity in more.items():
        total[name] = total[name] + quantity if name in total else quantity


def _raise_to(total: Amounts, other: Mapping[str, Quantity]) -> None:
    for name, quantity in other.items():
        if name not in total or quantity > total[name]:
            total[name] = quantity


# ------------------------------------------------------------------ resources of the pod as a whole


def default_pod_level_resources(spec: dict[str, Any]) -> None:
    """What a pod asks for as a whole where it says a part of it, in place (defaultPodRequests and its like)."""
    resources = spec.get("resources")
    if not resources:
        return
    requests, limits = mapping(resources, "requests"), mapping(resources, "limits")
    if requests or limits:
        _default_huge_page_limits(spec, resources, requests, limits)
    if mapping(resources, "limits"):
        _default_requests(spec, resources, requests)


def _default_huge_page_limits(spec: Json, resources: dict[str, Any], requests: Json, limits: Json) -> None:
    found = dict(limits)
    for name, quantity in aggregate(spec, "limits").items():
        if name.startswith(_HUGE_PAGES) and name not in requests and name not in found:
            found[name] = str(quantity)
    if found:
        resources["limits"] = found


def _default_requests(spec: Json, resources: dict[str, Any], requests: Json) -> None:
    found = dict(requests)
    for name, quantity in aggregate(spec, "requests").items():
        if name not in found and name in _COMPUTE:
            found[name] = str(quantity)
    for name, text in resources["limits"].items():
        if name not in found and is_pod_level(name):
            found[name] = text
    if found:
        resources["requests"] = found


# ------------------------------------------------------------------ quality of service


def qos_class(spec: Json) -> str:
    """``BestEffort``, ``Burstable`` or ``Guaranteed`` (ComputePodQOS)."""
    requests: Amounts = {}
    limits: Amounts = {}
    is_guaranteed = True
    if spec.get("resources") is not None:
        _add(requests, _compute(mapping(spec["resources"], "requests")))
        found = _compute(mapping(spec["resources"], "limits"))
        _add(limits, found)
        is_guaranteed = not mapping(spec["resources"], "limits") or len(found) == len(_COMPUTE)
    else:
        for container in (*listed(spec, "containers"), *listed(spec, "initContainers")):
            resources = mapping(container, "resources")
            _add(requests, _compute(mapping(resources, "requests")))
            found = _compute(mapping(resources, "limits"))
            _add(limits, found)
            is_guaranteed = is_guaranteed and len(found) == len(_COMPUTE)
    if not requests and not limits:
        return "BestEffort"
    return "Guaranteed" if is_guaranteed and requests == limits else "Burstable"


def _compute(resources: Json) -> Amounts:
    found = {name: amount(resources[name]) for name in _COMPUTE if name in resources}
    return {name: quantity for name, quantity in found.items() if quantity.nano > 0}
