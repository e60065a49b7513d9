"""What may change of a service (ValidateServiceUpdate), and what goes with its type (dropTypeDependentFields)."""

from __future__ import annotations

from dynkube.testing.apiserver.builtin.addresses import ip, parse_ip
from dynkube.testing.apiserver.builtin.rules import Errors, Json, dns1123_subdomain, listed, mapping, one_of, word
from dynkube.testing.apiserver.builtin.sent import as_sent
from dynkube.testing.apiserver.builtin.services.kinds import (
    is_external_name,
    is_headless,
    is_load_balancer,
    is_reached_from_outside,
    needs_health_check,
    node_ports,
    strings,
)
from dynkube.testing.apiserver.builtin.services.spec import load_balancer_class, service
from dynkube.testing.apiserver.words.fielderrors import child, forbidden, index, invalid, required
from dynkube.testing.apiserver.words.objectmeta import IMMUTABLE
from dynkube.testing.apiserver.words.resources import Object

__all__ = ["drop_by_type", "load_balancer_status", "service_update"]

_SET = "may not change once set"
_HAS_NODE_PORTS = ("NodePort", "LoadBalancer")


def service_update(obj: Json, old: Json) -> Errors:
    """A change, but of metadata."""
    spec, before = obj["spec"], old["spec"]
    if not is_external_name(spec) and not is_external_name(before):
        yield from _addresses(spec, before)
        yield from _families(spec, before)
    yield from load_balancer_class(spec, before)
    port = "healthCheckNodePort"
    if needs_health_check(before) and needs_health_check(spec) and spec.get(port) != before.get(port):
        yield forbidden(child("spec", port), IMMUTABLE)
    yield from service(obj, old)


def _addresses(spec: Json, before: Json) -> Errors:
    if is_headless(spec) and is_headless(before):
        return
    new, old = list(strings(spec, "clusterIPs")), list(strings(before, "clusterIPs"))
    where, shown = "spec.clusterIPs", as_sent(new or None, "spec", "clusterIPs")
    if len(new) == len(old):
        for number, (address, former) in enumerate(zip(new, old, strict=True)):
            if address != former:
                yield invalid(index(where, number), shown, _SET)
        return
    if len(old) > len(new) and not new:
        yield invalid(index(where, 0), shown, "primary clusterIP can not be unset")
    if new and old and new[0] != old[0]:
        yield invalid(index(where, 0), shown, _SET)
    if len(old) > len(new) == 1:
        yield from _releases(spec, "clusterIP")


def _families(spec: Json, before: Json) -> Errors:
    if is_headless(spec) or is_headless(before):
        return
    new, old = list(strings(spec, "ipFamilies")), list(strings(before, "ipFamilies"))
    where, addresses = "spec.ipFamilies[0]", as_sent(list(strings(spec, "clusterIPs")) or None, "spec", "clusterIPs")
    if len(new) == len(old):
        for family, former in zip(new, old, strict=True):
            if family != former:
                yield invalid(where, new, _SET)
        return
    if len(old) > len(new) and not addresses:
        yield invalid(where, as_sent(new or None, "spec", "ipFamilies"), "primary ipFamily can not be unset")
    if new and old and new[0] != old[0]:
        yield invalid(where, addresses, _SET)
    if len(old) > len(new) == 1:
        yield from _releases(spec, "ipFamily")


def _releases(spec: Json, what: str) -> Errors:
    policy = spec.get("ipFamilyPolicy")
    if policy != "SingleStack":
        shown = None if policy is None else word(policy)
        yield invalid("spec.ipFamilyPolicy", shown, f"must be set to 'SingleStack' when releasing the secondary {what}")


# ------------------------------------------------------------------ status


def load_balancer_status(status: Json, old: Json, spec: Json, field: str) -> Errors:
    """Where a load balancer lets traffic in (ValidateLoadBalancerStatus)."""
    where, points = child(field, "ingress"), listed(status, "ingress")
    if points and not is_load_balancer(spec):
        yield forbidden(where, "may only be used when `spec.type` is 'LoadBalancer'")
        return
    known = [each["ip"] for each in listed(old, "ingress") if each.get("ip")]
    for number, point in enumerate(points):
        yield from _point(point, known, index(where, number))


def _point(point: Json, known: list[str], field: str) -> Errors:
    address, mode, where = point.get("ip", ""), point.get("ipMode"), child(field, "ipMode")
    if address:
        yield from ip(address, child(field, "ip"), known)
    if mode is None:
        if address:
            yield required(where, "must be specified when `ip` is set")
    elif not address:
        yield forbidden(where, "may not be specified when `ip` is not set")
    else:
        yield from one_of(mode, ("Proxy", "VIP"), where)
    name = point.get("hostname", "")
    if name:
        yield from dns1123_subdomain(name, child(field, "hostname"))
        if parse_ip(name) is not None:
            yield invalid(child(field, "hostname"), name, "must be a DNS name, not an IP address")


# ------------------------------------------------------------------ what goes with the type


def drop_by_type(obj: Object, old: Json) -> None:
    """Take away, in place, what the new type has no use for and the client did not change."""
    spec, before = obj["spec"], old["spec"]
    if is_external_name(spec) and not is_external_name(before):
        if spec.get("clusterIP", "") == before.get("clusterIP", "") and _is_kept(spec, before, "clusterIPs"):
            _drop(spec, "clusterIP", "clusterIPs")
        _drop_kept(spec, before, "ipFamilies", "ipFamilyPolicy")
    lost_ports = before.get("type") in _HAS_NODE_PORTS and spec.get("type") not in _HAS_NODE_PORTS
    if lost_ports and set(node_ports(before)) >= set(node_ports(spec)):
        for port in listed(spec, "ports"):
            _drop(port, "nodePort")
    if needs_health_check(before) and not needs_health_check(spec):
        _drop_kept(spec, before, "healthCheckNodePort")
    if is_load_balancer(before) and not is_load_balancer(spec):
        _drop_kept(spec, before, "allocateLoadBalancerNodePorts", "loadBalancerClass")
    if is_reached_from_outside(before) and not is_reached_from_outside(spec):
        _drop_kept(spec, before, "externalTrafficPolicy")
    if not is_load_balancer(spec):
        obj["status"] = {**mapping(obj, "status"), "loadBalancer": {}}


def _drop_kept(spec: Object, before: Json, *fields: str) -> None:
    _drop(spec, *(name for name in fields if _is_kept(spec, before, name)))


def _is_kept(spec: Json, before: Json, name: str) -> bool:
    return bool((spec.get(name) or None) == (before.get(name) or None))


def _drop(spec: Object, *fields: str) -> None:
    for name in fields:
        spec.pop(name, None)
