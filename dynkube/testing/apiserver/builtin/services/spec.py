"""What is wrong with a service (validateService)."""

from __future__ import annotations

from collections.abc import Mapping

from dynkube.testing.apiserver.builtin import internal
from dynkube.testing.apiserver.builtin.addresses import cidr, endpoint_ip, ip
from dynkube.testing.apiserver.builtin.rules import (
    PROTOCOLS,
    Errors,
    Json,
    dns1123_label,
    dns1123_subdomain,
    each,
    enumerated,
    listed,
    mapping,
    one_of,
    port_number_or_name,
    qualified_name,
    word,
)
from dynkube.testing.apiserver.builtin.services.families import related_fields
from dynkube.testing.apiserver.builtin.services.kinds import (
    NO_IP,
    is_external_name,
    is_headless,
    is_load_balancer,
    is_reached_from_outside,
    needs_health_check,
    strings,
)
from dynkube.testing.apiserver.words import names
from dynkube.testing.apiserver.words.fielderrors import child, duplicate, forbidden, index, invalid, key, required
from dynkube.testing.apiserver.words.objectmeta import validate_labels

__all__ = ["SOURCE_RANGES", "TOPOLOGY_HINTS", "TOPOLOGY_MODE", "load_balancer_class", "service"]

TOPOLOGY_HINTS = "service.kubernetes.io/topology-aware-hints"
TOPOLOGY_MODE = "service.kubernetes.io/topology-mode"
SOURCE_RANGES = "service.beta.kubernetes.io/load-balancer-source-ranges"

_TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
_DISTRIBUTIONS = ("PreferClose", "PreferSameZone", "PreferSameNode")
_LONGEST_AFFINITY = 86400
_FOR_LOAD_BALANCERS = "may only be used when `type` is 'LoadBalancer'"
_NOT_FOR_ALIASES = "may not be set for ExternalName services"


def service(obj: Json, old: Json | None) -> Errors:
    """All of it but its metadata; ``old`` is None where it is new."""
    spec, annotations = obj["spec"], mapping(obj["metadata"], "annotations")
    hints, mode = annotations.get(TOPOLOGY_HINTS), annotations.get(TOPOLOGY_MODE)
    if hints is not None and mode is not None and hints != mode:
        said = f"must match annotations[{TOPOLOGY_HINTS}] when both are specified"
        yield invalid(key("metadata.annotations", TOPOLOGY_MODE), mode, said)
    if not listed(spec, "ports") and not is_headless(spec) and not is_external_name(spec):
        yield required("spec.ports")
    yield from _of_type(spec)
    yield from _ports(spec)
    if spec.get("selector") is not None:
        yield from validate_labels(spec["selector"], "spec.selector")
    yield from _affinity(spec)
    yield from related_fields(spec, None if old is None else old["spec"])
    known = () if old is None else strings(old["spec"], "externalIPs")
    for number, address in enumerate(strings(spec, "externalIPs")):
        where = index("spec.externalIPs", number)
        yield from list(ip(address, where, known)) or endpoint_ip(address, where)
    yield from enumerated(spec.get("type"), _TYPES, "spec.type")
    yield from _node_ports(spec)
    yield from _repeated_ports(spec)
    yield from _source_ranges(spec, annotations, old)
    yield from _load_balancer(spec)
    yield from _traffic(spec)


def _of_type(spec: Json) -> Errors:
    kind = spec.get("type", "")
    if kind in ("LoadBalancer", "NodePort") and is_headless(spec):
        yield invalid("spec.clusterIPs[0]", NO_IP, f"may not be set to 'None' for {kind} services")
    if kind != "ExternalName":
        return
    for name in ("clusterIPs", "ipFamilies"):
        if listed(spec, name):
            yield forbidden(child("spec", name), _NOT_FOR_ALIASES)
    if spec.get("ipFamilyPolicy") is not None:
        yield forbidden("spec.ipFamilyPolicy", _NOT_FOR_ALIASES)
    target = spec.get("externalName", "").removesuffix(".")
    if target:
        yield from dns1123_subdomain(target, "spec.externalName")
    else:
        yield required("spec.externalName")


def _ports(spec: Json) -> Errors:
    ports = listed(spec, "ports")
    seen: set[str] = set()
    for number, port in enumerate(ports):
        yield from _port(port, seen, index("spec.ports", number), must_be_named=len(ports) > 1)


def _port(port: Json, seen: set[str], field: str, *, must_be_named: bool) -> Errors:
    name = port.get("name", "")
    where = child(field, "name")
    if name:
        yield from dns1123_label(name, where)
        if name in seen:
            yield duplicate(where, name)
        seen.add(name)
    elif must_be_named:
        yield required(where)
    number = port.get("port", 0)
    yield from each(child(field, "port"), number, names.port_number(number))
    yield from enumerated(port.get("protocol"), PROTOCOLS, child(field, "protocol"))
    yield from port_number_or_name(port.get("targetPort", 0), child(field, "targetPort"))
    protocol = port.get("appProtocol")
    if protocol is not None:
        yield from qualified_name(protocol, child(field, "appProtocol"))


def _affinity(spec: Json) -> Errors:
    affinity, config, where = spec.get("sessionAffinity", ""), spec.get("sessionAffinityConfig"), "sessionAffinity"
    yield from enumerated(affinity, ("ClientIP", "None"), child("spec", where))
    where = "spec.sessionAffinityConfig"
    if affinity == "None" and config is not None:
        yield forbidden(where, "must not be set when session affinity is None")
    if affinity != "ClientIP":
        return
    of_client = mapping(config or {}, "clientIP")
    timeout = of_client.get("timeoutSeconds")
    if timeout is None:
        missing = where if config is None else child(where, "clientIP")
        if config is not None and config.get("clientIP") is not None:
            missing = child(missing, "timeoutSeconds")
        yield required(missing, "when session affinity type is ClientIP")
    elif not 0 < timeout <= _LONGEST_AFFINITY:
        said = f"must be greater than 0 and less than {_LONGEST_AFFINITY}"
        yield invalid(child(where, "clientIP", "timeoutSeconds"), timeout, said)


def _node_ports(spec: Json) -> Errors:
    ports = listed(spec, "ports")
    if spec.get("type") == "ClusterIP":
        for number, port in enumerate(ports):
            if port.get("nodePort"):
                where = child(index("spec.ports", number), "nodePort")
                yield forbidden(where, "may not be used when `type` is 'ClusterIP'")
    seen: set[tuple[str, int]] = set()
    for number, port in enumerate(ports):
        on_node = port.get("nodePort", 0)
        if not on_node:
            continue
        found = port.get("protocol", ""), on_node
        if found in seen:
            yield duplicate(child(index("spec.ports", number), "nodePort"), on_node)
        seen.add(found)


def _repeated_ports(spec: Json) -> Errors:
    seen: set[tuple[str, int]] = set()
    for number, port in enumerate(listed(spec, "ports")):
        found = port.get("protocol", ""), port.get("port", 0)
        if found in seen:
            shown = {name: port[name] for name in ("protocol", "port") if name in port}
            yield duplicate(index("spec.ports", number), internal.shown(shown, "core.ServicePort"))
        seen.add(found)


def _source_ranges(spec: Json, annotations: Mapping[str, str], old: Json | None) -> Errors:
    ranges = strings(spec, "loadBalancerSourceRanges")
    if ranges:
        where = "spec.LoadBalancerSourceRanges"
        if not is_load_balancer(spec):
            yield forbidden(where, _FOR_LOAD_BALANCERS)
        before = () if old is None else strings(old["spec"], "loadBalancerSourceRanges")
        known = [text.strip() for text in before]
        for number, text in enumerate(ranges):
            yield from cidr(text.strip(), index(where, number), known)
        return
    annotation = annotations.get(SOURCE_RANGES)
    if annotation is None:
        return
    where = key("metadata.annotations", SOURCE_RANGES)
    if not is_load_balancer(spec):
        yield forbidden(where, _FOR_LOAD_BALANCERS)
    if old is None or mapping(old["metadata"], "annotations").get(SOURCE_RANGES) != annotation:
        for text in annotation.strip().split(",") if annotation.strip() else ():
            yield from cidr(text.strip(), where)


def _load_balancer(spec: Json) -> Errors:
    allocates = spec.get("allocateLoadBalancerNodePorts")
    if allocates is not None and not is_load_balancer(spec):
        yield forbidden("spec.allocateLoadBalancerNodePorts", _FOR_LOAD_BALANCERS)
    if allocates is None and is_load_balancer(spec):
        yield required("allocateLoadBalancerNodePorts")
    yield from load_balancer_class(spec, None)


def load_balancer_class(spec: Json, old: Json | None) -> Errors:
    """It names who provides the load balancer, and stays (validateLoadBalancerClassField)."""
    name, where = spec.get("loadBalancerClass"), "spec.loadBalancerClass"
    both_have_one = old is not None and is_load_balancer(old) and is_load_balancer(spec)
    if both_have_one and old is not None and old.get("loadBalancerClass") != name:
        yield invalid(where, name, "may not change once set")
    if name is None:
        return
    if is_load_balancer(spec):
        yield from qualified_name(name, where)
    else:
        yield forbidden(where, _FOR_LOAD_BALANCERS)


def _traffic(spec: Json) -> Errors:
    policy, where = spec.get("externalTrafficPolicy", ""), "spec.externalTrafficPolicy"
    if is_reached_from_outside(spec):
        yield from enumerated(policy, ("Cluster", "Local"), where)
    elif policy:
        yield invalid(where, word(policy), "may only be set for externally-accessible services")
    port, where = spec.get("healthCheckNodePort", 0), "spec.healthCheckNodePort"
    if not needs_health_check(spec):
        if port:
            said = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
            yield invalid(where, port, said)
    elif not port:
        yield required(where)
    else:
        yield from each(where, port, names.port_number(port))
    policy = spec.get("internalTrafficPolicy")
    if policy is not None:
        yield from one_of(policy, ("Cluster", "Local"), "spec.internalTrafficPolicy")
    elif spec.get("type") in ("NodePort", "LoadBalancer", "ClusterIP"):
        yield required("spec.internalTrafficPolicy")
    distribution = spec.get("trafficDistribution")
    if distribution is not None:
        yield from one_of(distribution, _DISTRIBUTIONS, "spec.trafficDistribution")
