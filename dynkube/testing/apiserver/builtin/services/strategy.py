"""The strategy of Services (pkg/registry/core/service)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from dynkube.schema import GroupVersion
from dynkube.testing.apiserver.builtin.addresses import cidr_warnings, ip_warnings
from dynkube.testing.apiserver.builtin.lookup import Lookup
from dynkube.testing.apiserver.builtin.native import NativeStrategy
from dynkube.testing.apiserver.builtin.rules import Errors, Json, listed, mapping
from dynkube.testing.apiserver.builtin.services.allocation import allocate
from dynkube.testing.apiserver.builtin.services.changes import drop_by_type, load_balancer_status, service_update
from dynkube.testing.apiserver.builtin.services.kinds import (
    NO_IP,
    is_external_name,
    is_reached_from_outside,
    strings,
)
from dynkube.testing.apiserver.builtin.services.spec import TOPOLOGY_HINTS, TOPOLOGY_MODE, service
from dynkube.testing.apiserver.words import names
from dynkube.testing.apiserver.words.fielderrors import index
from dynkube.testing.apiserver.words.resources import Object

__all__ = ["ServiceStrategy"]

_HOURS_OF_AFFINITY = 10800


class ServiceStrategy(NativeStrategy):
    """Services; PUT makes those that are not there."""

    has_status = True
    allows_create_on_update = True
    zero_status: ClassVar[Mapping[str, Any]] = {"loadBalancer": {}}

    def complete(self, obj: Object, group_version: GroupVersion) -> None:
        """See `NativeStrategy` (SetDefaults_Service)."""
        spec = obj.setdefault("spec", {})
        spec["sessionAffinity"] = affinity = spec.get("sessionAffinity") or "None"
        if affinity == "None":
            spec.pop("sessionAffinityConfig", None)
        elif affinity == "ClientIP":
            config = mapping(spec, "sessionAffinityConfig")
            if mapping(config, "clientIP").get("timeoutSeconds") is None:
                spec["sessionAffinityConfig"] = {"clientIP": {"timeoutSeconds": _HOURS_OF_AFFINITY}}
        spec["type"] = kind = spec.get("type") or "ClusterIP"
        for port in listed(spec, "ports"):
            port["protocol"] = port.get("protocol") or "TCP"
            port["targetPort"] = port.get("targetPort") or port.get("port", 0)
        if is_reached_from_outside(spec) and not spec.get("externalTrafficPolicy"):
            spec["externalTrafficPolicy"] = "Cluster"
        if kind in ("ClusterIP", "NodePort", "LoadBalancer"):
            spec.setdefault("internalTrafficPolicy", "Cluster")
        if kind == "LoadBalancer":
            spec.setdefault("allocateLoadBalancerNodePorts", True)
        status = obj.setdefault("status", {})
        balancer = status.setdefault("loadBalancer", {})
        for point in listed(balancer, "ingress") if kind == "LoadBalancer" else ():
            if point.get("ip"):
                point.setdefault("ipMode", "VIP")

    def validate_name(self, name: str, /, *, prefix: bool = False) -> Sequence[str]:
        """See `Strategy`."""
        return names.dns1123_label(name, prefix=prefix)

    def allocate(self, obj: Object, old: Object | None, lookup: Lookup, *, dry_run: bool) -> None:
        """See `NativeStrategy`: addresses and ports."""
        allocate(obj, old, lookup, dry_run=dry_run)

    def prepare_for_create(self, obj: Object) -> None:
        """See `Strategy`."""
        super().prepare_for_create(obj)
        _drop_useless_policy(obj["spec"])

    def prepare_for_update(self, obj: Object, old: Object, subresource: str) -> None:
        """See `Strategy`; a new type takes away what it has no use for."""
        super().prepare_for_update(obj, old, subresource)
        if subresource == "":
            drop_by_type(obj, old)
            _drop_useless_policy(obj["spec"])

    def judge_new(self, obj: Object) -> Errors:
        """See `NativeStrategy`."""
        return service(obj, None)

    def judge_change(self, obj: Object, old: Object) -> Errors:
        """See `NativeStrategy`."""
        return service_update(obj, old)

    def judge_status(self, obj: Object, old: Object) -> Errors:
        """See `NativeStrategy`."""
        status, before = (mapping(mapping(each, "status"), "loadBalancer") for each in (obj, old))
        return load_balancer_status(status, before, obj["spec"], "status.loadBalancer")

    def warnings(self, obj: Object, old: Object | None, subresource: str) -> Sequence[str]:
        """See `Strategy`."""
        if subresource == "status":
            balancer = mapping(mapping(obj, "status"), "loadBalancer")
            points = (point.get("ip", "") for point in listed(balancer, "ingress"))
            return list(_of_addresses("status.loadBalancer.ingress", points))
        return list(_warnings(obj))

    def selectable_fields(self, obj: Object) -> Mapping[str, str]:
        """See `Strategy`."""
        return {name: obj["spec"].get(name.removeprefix("spec."), "") for name in ("spec.clusterIP", "spec.type")}


def _drop_useless_policy(spec: Object) -> None:
    """An alias has none that can be read (defaultOnReadInternalTrafficPolicy); a wrong one is yet to be judged."""
    if is_external_name(spec) and spec.get("internalTrafficPolicy") in ("Cluster", "Local"):
        del spec["internalTrafficPolicy"]


def _warnings(obj: Json) -> Iterator[str]:
    spec = obj["spec"]
    if TOPOLOGY_HINTS in mapping(obj["metadata"], "annotations"):
        yield f"annotation {TOPOLOGY_HINTS} is deprecated, please use {TOPOLOGY_MODE} instead"
    outside, balancer = strings(spec, "externalIPs"), spec.get("loadBalancerIP", "")
    is_headless = spec.get("type") == "ClusterIP" and spec.get("clusterIP") == NO_IP
    if is_headless:
        yield from _of_headless(spec)
    elif spec.get("clusterIP"):
        yield from _of_addresses("spec.clusterIPs", strings(spec, "clusterIPs"))
    yield from _of_addresses("spec.externalIPs", outside)
    if outside and not is_headless and not is_external_name(spec):
        yield "spec.externalIPs is deprecated and may no longer be implemented in some clusters"
    if balancer:
        yield from ip_warnings(balancer, "spec.loadBalancerIP")
    for number, text in enumerate(strings(spec, "loadBalancerSourceRanges")):
        yield from cidr_warnings(text, index("spec.loadBalancerSourceRanges", number))
    useless = "externalIPs" if is_external_name(spec) else "externalName"
    if spec.get(useless):
        verb = "is" if is_external_name(spec) else "is not"
        yield f'spec.{useless} is ignored when spec.type {verb} "ExternalName"'
    if spec.get("trafficDistribution") == "PreferClose":
        yield 'spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"'


def _of_headless(spec: Json) -> Iterator[str]:
    for name in ("loadBalancerIP", "externalIPs"):
        if spec.get(name):
            yield f"spec.{name} is ignored for headless services"
    if spec.get("sessionAffinity") != "None":
        yield "spec.SessionAffinity is ignored for headless services"


def _of_addresses(field: str, addresses: Sequence[str] | Iterator[str]) -> Iterator[str]:
    for number, address in enumerate(addresses):
        yield from ip_warnings(address, index(field, number))
