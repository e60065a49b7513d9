"""Where services send their traffic: Endpoints and EndpointSlices (pkg/apis/core, pkg/apis/discovery)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from dynkube.schema import GroupVersion
from dynkube.testing.apiserver.builtin.addresses import endpoint_ip, ip, ip_warnings, is_ipv6, strict_ip
from dynkube.testing.apiserver.builtin.native import NativeStrategy, null_for_empty
from dynkube.testing.apiserver.builtin.rules import (
    PROTOCOLS,
    Errors,
    Json,
    dns1123_label,
    dns1123_subdomain,
    each,
    enumerated,
    immutable,
    listed,
    mapping,
    qualified_name,
    same,
    word,
)
from dynkube.testing.apiserver.words import names
from dynkube.testing.apiserver.words.fielderrors import (
    child,
    duplicate,
    index,
    invalid,
    not_supported,
    required,
    too_many,
)
from dynkube.testing.apiserver.words.resources import Object

__all__ = ["EndpointSliceStrategy", "EndpointsStrategy"]

_CONTROLLERS = ("endpointslice-controller.k8s.io", "endpointslicemirroring-controller.k8s.io")
_ADDRESS_TYPES = ("FQDN", "IPv4", "IPv6")
_MANY_ENDPOINTS, _MANY_PORTS, _MANY_ADDRESSES, _MANY_HINTS = 1000, 20000, 100, 8


class EndpointsStrategy(NativeStrategy):
    """Endpoints; PUT makes them."""

    allows_create_on_update = True

    def complete(self, obj: Object, group_version: GroupVersion) -> None:
        """See `NativeStrategy`."""
        for subset in listed(obj, "subsets"):
            for port in listed(subset, "ports"):
                port["protocol"] = port.get("protocol") or "TCP"

    def judge_new(self, obj: Object) -> Errors:
        """See `NativeStrategy`."""
        for number, subset in enumerate(listed(obj, "subsets")):
            yield from _subset(subset, index("subsets", number))

    def judge_change(self, obj: Object, old: Object) -> Errors:
        """See `NativeStrategy`: what was there is let be."""
        if not same(listed(obj, "subsets"), listed(old, "subsets")):
            yield from self.judge_new(obj)

    def warnings(self, obj: Object, old: Object | None, subresource: str) -> Sequence[str]:
        """See `Strategy`."""
        if mapping(obj["metadata"], "labels").get("endpoints.kubernetes.io/managed-by") == "endpoint-controller":
            return []
        return list(_address_warnings(obj))


def _address_warnings(obj: Json) -> Iterator[str]:
    for number, subset in enumerate(listed(obj, "subsets")):
        for name in ("addresses", "notReadyAddresses"):
            for place, address in enumerate(listed(subset, name)):
                where = child(index(child(index("subsets", number), name), place), "ip")
                yield from ip_warnings(address.get("ip", ""), where)


def _subset(subset: Json, field: str) -> Errors:
    groups = ("addresses", "notReadyAddresses")
    if not any(listed(subset, name) for name in groups):
        yield required(field, "must specify `addresses` or `notReadyAddresses`")
    for name in groups:
        for number, address in enumerate(listed(subset, name)):
            yield from _address(address, index(child(field, name), number))
    ports = listed(subset, "ports")
    for number, port in enumerate(ports):
        yield from _port(port, index(child(field, "ports"), number), must_be_named=len(ports) > 1)


def _address(address: Json, field: str) -> Errors:
    yield from ip(address.get("ip", ""), child(field, "ip"))
    if address.get("hostname"):
        yield from dns1123_label(address["hostname"], child(field, "hostname"))
    if address.get("nodeName") is not None:
        yield from dns1123_subdomain(address["nodeName"], child(field, "nodeName"))
    yield from endpoint_ip(address.get("ip", ""), child(field, "ip"))


def _port(port: Json, field: str, *, must_be_named: bool) -> Errors:
    name, number = port.get("name", ""), port.get("port", 0)
    if name:
        yield from dns1123_label(name, child(field, "name"))
    elif must_be_named:
        yield required(child(field, "name"))
    yield from each(child(field, "port"), number, names.port_number(number))
    yield from enumerated(port.get("protocol"), PROTOCOLS, child(field, "protocol"))
    if port.get("appProtocol") is not None:
        yield from qualified_name(port["appProtocol"], child(field, "appProtocol"))


# ------------------------------------------------------------------ slices


class EndpointSliceStrategy(NativeStrategy):
    """EndpointSlices."""

    has_generation = True
    generation_follows: ClassVar[Sequence[str]] = ("addressType", "endpoints", "ports")

    def complete(self, obj: Object, group_version: GroupVersion) -> None:
        """See `NativeStrategy`."""
        for port in listed(obj, "ports"):
            port.setdefault("name", "")
            port.setdefault("protocol", "TCP")

    def prepare_for_create(self, obj: Object) -> None:
        """See `Strategy`."""
        super().prepare_for_create(obj)
        _settle(obj)

    def prepare_for_update(self, obj: Object, old: Object, subresource: str) -> None:
        """See `Strategy`; labels count, too."""
        super().prepare_for_update(obj, old, subresource)
        if not same(mapping(obj["metadata"], "labels"), mapping(old["metadata"], "labels")):
            obj["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1
        _settle(obj)

    def judge_new(self, obj: Object) -> Errors:
        """See `NativeStrategy`."""
        return _slice(obj, None)

    def judge_change(self, obj: Object, old: Object) -> Errors:
        """See `NativeStrategy`."""
        yield from _slice(obj, old)
        yield from immutable(obj.get("addressType", ""), old.get("addressType", ""), "addressType")

    def warnings(self, obj: Object, old: Object | None, subresource: str) -> Sequence[str]:
        """See `Strategy`."""
        warnings = []
        if old is None and obj.get("addressType") == "FQDN":
            warnings.append("spec.addressType: FQDN endpoints are deprecated")
        if mapping(obj["metadata"], "labels").get("endpointslice.kubernetes.io/managed-by") not in _CONTROLLERS:
            warnings += _slice_warnings(obj)
        return warnings


def _settle(obj: Object) -> None:
    for name in ("endpoints", "ports"):
        null_for_empty(obj, name)
    for endpoint in listed(obj, "endpoints"):
        endpoint.pop("deprecatedTopology", None)


def _slice_warnings(obj: Json) -> Iterator[str]:
    for number, endpoint in enumerate(listed(obj, "endpoints")):
        for place, address in enumerate(listed(endpoint, "addresses")):
            where = index(child(index("endpoints", number), "addresses"), place)
            yield from ip_warnings(address, where)


def _slice(obj: Json, old: Json | None) -> Errors:
    yield from enumerated(obj.get("addressType"), _ADDRESS_TYPES, "addressType")
    yield from _slice_ports(listed(obj, "ports"), "ports")
    endpoints = listed(obj, "endpoints")
    if old is not None and same(endpoints, listed(old, "endpoints")):
        return
    if len(endpoints) > _MANY_ENDPOINTS:
        yield too_many("endpoints", len(endpoints), _MANY_ENDPOINTS)
        return
    for number, endpoint in enumerate(endpoints):
        yield from _endpoint(endpoint, obj.get("addressType", ""), index("endpoints", number))


def _slice_ports(ports: Sequence[Any], field: str) -> Errors:
    if len(ports) > _MANY_PORTS:
        yield too_many(field, len(ports), _MANY_PORTS)
        return
    seen: set[str] = set()
    for number, port in enumerate(ports):
        where, name, protocol = index(field, number), port.get("name") or "", port.get("protocol")
        if name:
            yield from dns1123_label(name, child(where, "name"))
        if name in seen:
            yield duplicate(child(where, "name"), name)
        seen.add(name)
        if protocol is None:
            yield required(child(where, "protocol"))
        elif protocol not in PROTOCOLS:
            yield not_supported(child(where, "protocol"), word(protocol), PROTOCOLS)
        if port.get("appProtocol") is not None:
            yield from qualified_name(port["appProtocol"], child(where, "appProtocol"))


def _endpoint(endpoint: Json, kind: str, field: str) -> Errors:
    addresses, where = listed(endpoint, "addresses"), child(field, "addresses")
    if not addresses:
        yield required(where, "must contain at least 1 address")
    elif len(addresses) > _MANY_ADDRESSES:
        yield too_many(where, len(addresses), _MANY_ADDRESSES)
    for number, address in enumerate(addresses):
        yield from _slice_address(address, kind, where, index(where, number))
    if endpoint.get("nodeName") is not None:
        yield from dns1123_subdomain(endpoint["nodeName"], child(field, "nodeName"))
    if endpoint.get("hostname") is not None:
        yield from dns1123_label(endpoint["hostname"], child(field, "hostname"))
    hints = mapping(endpoint, "hints")
    for part, rule in (("forZones", names.label_value), ("forNodes", names.dns1123_subdomain)):
        found, where = listed(hints, part), child(field, "hints", part)
        if len(found) > _MANY_HINTS:
            yield too_many(where, len(found), _MANY_HINTS)
            return
        yield from _hints(found, rule, where)


def _slice_address(address: str, kind: str, field: str, where: str) -> Errors:
    if kind == "FQDN" and not address:
        yield required(where)
    elif kind == "FQDN":
        yield from each(where, address, names.dns1123_subdomain(address))
        if "." not in address and not names.dns1123_subdomain(address):
            yield invalid(where, address, "should be a domain with at least two segments separated by dots")
    elif kind in ("IPv4", "IPv6"):
        problems = list(ip(address, where) if kind == "IPv4" else strict_ip(address, where))
        yield from problems
        if not problems:
            if is_ipv6(address) != (kind == "IPv6"):
                yield invalid(field, address, f"must be an {kind} address")
            yield from endpoint_ip(address, where)


def _hints(hints: Sequence[Any], rule: Any, field: str) -> Errors:
    seen: set[str] = set()
    for number, hint in enumerate(hints):
        where, name = child(index(field, number), "name"), hint.get("name", "")
        if name in seen:
            yield duplicate(where, name)
        seen.add(name)
        yield from each(where, name, rule(name))
