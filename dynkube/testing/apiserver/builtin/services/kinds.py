"""What services of each type have and need (pkg/api/service, pkg/registry/core/service/storage)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dynkube.testing.apiserver.builtin.rules import Json, listed

__all__ = [
    "FAMILIES",
    "NO_IP",
    "is_external_name",
    "is_headless",
    "is_load_balancer",
    "is_reached_from_outside",
    "needs_health_check",
    "needs_node_ports",
    "node_ports",
    "strings",
]

NO_IP = "None"
FAMILIES = ("IPv4", "IPv6")


def strings(spec: Json, name: str) -> Sequence[str]:
    """A list of texts, empty where there is none."""
    found: Sequence[Any] = listed(spec, name)
    return found


def is_external_name(spec: Json) -> bool:
    """Whether it is an alias, which has no address of its own."""
    return bool(spec.get("type") == "ExternalName")


def is_load_balancer(spec: Json) -> bool:
    """Whether a load balancer is before it."""
    return bool(spec.get("type") == "LoadBalancer")


def is_headless(spec: Json) -> bool:
    """Whether it does without an address."""
    return list(strings(spec, "clusterIPs")) == [NO_IP]


def is_reached_from_outside(spec: Json) -> bool:
    """Whether traffic from outside of the cluster comes to it (ExternallyAccessible)."""
    kind = spec.get("type", "")
    return kind in ("LoadBalancer", "NodePort") or bool(kind == "ClusterIP" and spec.get("externalIPs"))


def needs_health_check(spec: Json) -> bool:
    """Whether nodes say on a port of theirs whether they have an endpoint."""
    return is_load_balancer(spec) and spec.get("externalTrafficPolicy") == "Local"


def needs_node_ports(spec: Json) -> bool:
    """Whether every port gets one on the nodes."""
    if is_load_balancer(spec):
        return spec.get("allocateLoadBalancerNodePorts") is not False
    return bool(spec.get("type") == "NodePort")


def node_ports(spec: Json) -> list[int]:
    """The ports on nodes that it has."""
    return [port["nodePort"] for port in listed(spec, "ports") if port.get("nodePort")]
