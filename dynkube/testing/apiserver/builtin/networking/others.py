"""IngressClasses, NetworkPolicies, and the objects behind addresses of services."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dynkube.schema import GroupVersion
from dynkube.testing.apiserver.builtin.addresses import cidr, cidr_warnings, parse_ip, strict_ip
from dynkube.testing.apiserver.builtin.native import NativeStrategy
from dynkube.testing.apiserver.builtin.networking.ingresses import reference
from dynkube.testing.apiserver.builtin.paths import domain_prefixed_path
from dynkube.testing.apiserver.builtin.rules import (
    Errors,
    Json,
    dns1123_label,
    each,
    immutable,
    listed,
    mapping,
    one_of,
    word,
)
from dynkube.testing.apiserver.words import names
from dynkube.testing.apiserver.words.fielderrors import (
    child,
    forbidden,
    index,
    invalid,
    not_supported,
    required,
    too_long,
)
from dynkube.testing.apiserver.words.objectmeta import validate_label_selector
from dynkube.testing.apiserver.words.resources import Object

__all__ = ["IPAddressStrategy", "IngressClassStrategy", "NetworkPolicyStrategy"]

_LONGEST_CONTROLLER = 250
_PROTOCOLS = ("TCP", "UDP", "SCTP")
_POLICY_TYPES = ("Ingress", "Egress")


class IngressClassStrategy(NativeStrategy):
    """IngressClasses."""

    has_generation = True

    def complete(self, obj: Object, group_version: GroupVersion) -> None:
        """See `NativeStrategy`."""
        parameters = obj.setdefault("spec", {}).get("parameters")
        if parameters is not None and parameters.get("scope") is None:
            parameters["scope"] = "Cluster"

    def judge_new(self, obj: Object) -> Errors:
        """See `NativeStrategy`."""
        controller, where = obj["spec"].get("controller", ""), "spec.controller"
        if len(controller.encode()) > _LONGEST_CONTROLLER:
            yield too_long(where, _LONGEST_CONTROLLER)
        yield from domain_prefixed_path(controller, where)
        if obj["spec"].get("parameters") is not None:
            yield from _parameters(obj["spec"]["parameters"], "spec.parameters")

    def judge_change(self, obj: Object, old: Object) -> Errors:
        """See `NativeStrategy`."""
        new, former = (each_one["spec"].get("controller", "") for each_one in (obj, old))
        yield from immutable(new, former, "spec.controller")
        yield from self.judge_new(obj)


def _parameters(target: Json, field: str) -> Errors:
    yield from reference(target, field)
    scope, namespace, where = target.get("scope"), target.get("namespace"), child(field, "namespace")
    if scope is None:
        yield required(child(field, "scope"))
    elif scope not in ("Cluster", "Namespace"):
        yield not_supported(child(field, "scope"), scope, ["Cluster", "Namespace"])
    elif scope == "Cluster" and namespace is not None:
        yield forbidden(where, "`parameters.scope` is set to 'Cluster'")
    elif scope == "Namespace":
        if namespace is None:
            yield required(where, "`parameters.scope` is set to 'Namespace'")
        else:
            yield from dns1123_label(namespace, where)


class NetworkPolicyStrategy(NativeStrategy):
    """NetworkPolicies."""

    has_generation = True

    def complete(self, obj: Object, group_version: GroupVersion) -> None:
        """See `NativeStrategy`."""
        spec = obj.setdefault("spec", {})
        spec.setdefault("podSelector", {})
        if not spec.get("policyTypes"):
            spec["policyTypes"] = ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]
        for rule, _ in _rules(spec):
            for port in listed(rule, "ports"):
                port.setdefault("protocol", "TCP")

    def judge_new(self, obj: Object) -> Errors:
        """See `NativeStrategy`."""
        return _policy(obj["spec"], ())

    def judge_change(self, obj: Object, old: Object) -> Errors:
        """See `NativeStrategy`."""
        blocks = (block for block, _ in _blocks(old["spec"]))
        known = [text for block in blocks for text in (block.get("cidr", ""), *listed(block, "except"))]
        return _policy(obj["spec"], known)

    def warnings(self, obj: Object, old: Object | None, subresource: str) -> Sequence[str]:
        """See `Strategy`."""
        return list(_warnings(obj["spec"]))


def _rules(spec: Json) -> Iterator[tuple[Json, str]]:
    for name in ("ingress", "egress"):
        for number, rule in enumerate(listed(spec, name)):
            yield rule, index(child("spec", name), number)


def _peers(rule: Json, field: str) -> Iterator[tuple[Json, str]]:
    name = "from" if field.startswith("spec.ingress") else "to"
    for number, peer in enumerate(listed(rule, name)):
        yield peer, index(child(field, name), number)


def _blocks(spec: Json) -> Iterator[tuple[Json, str]]:
    for rule, field in _rules(spec):
        for peer, where in _peers(rule, field):
            if peer.get("ipBlock") is not None:
                yield peer["ipBlock"], child(where, "ipBlock")


def _policy(spec: Json, known: Sequence[str]) -> Errors:
    yield from validate_label_selector(spec.get("podSelector"), "spec.podSelector")
    for rule, field in _rules(spec):
        for number, port in enumerate(listed(rule, "ports")):
            yield from _port(port, index(child(field, "ports"), number))
        for peer, where in _peers(rule, field):
            yield from _peer(peer, known, where)
    types, field = listed(spec, "policyTypes"), "spec.policyTypes"
    if len(types) > len(_POLICY_TYPES):
        yield invalid(field, types, "may not specify more than two policyTypes")
        return
    for number, name in enumerate(types):
        yield from one_of(name, _POLICY_TYPES, index(field, number))


def _port(port: Json, field: str) -> Errors:
    protocol, number, last = port.get("protocol"), port.get("port"), port.get("endPort")
    where = child(field, "endPort")
    if protocol is not None and protocol not in _PROTOCOLS:
        yield not_supported(child(field, "protocol"), word(protocol), _PROTOCOLS)
    if number is None:
        if last is not None:
            yield invalid(where, last, "may not be specified when `port` is not specified")
    elif isinstance(number, int):
        yield from each(child(field, "port"), number, names.port_number(number))
        if last is not None:
            if last < number:
                yield invalid(where, number, "must be greater than or equal to `port`")
            yield from each(where, last, names.port_number(last))
    else:
        if last is not None:
            yield invalid(where, last, "may not be specified when `port` is non-numeric")
        yield from each(child(field, "port"), number, names.port_name(number))


def _peer(peer: Json, known: Sequence[str], field: str) -> Errors:
    selectors = [name for name in ("podSelector", "namespaceSelector") if peer.get(name) is not None]
    for name in selectors:
        yield from validate_label_selector(peer[name], child(field, name))
    block = peer.get("ipBlock")
    if block is not None:
        yield from _block(block, known, child(field, "ipBlock"))
        if selectors:
            yield forbidden(field, "may not specify both ipBlock and another peer")
    elif not selectors:
        yield required(field, "must specify a peer")


def _block(block: Json, known: Sequence[str], field: str) -> Errors:
    text = block.get("cidr", "")
    if not text:
        yield required(child(field, "cidr"))
        return
    yield from cidr(text, child(field, "cidr"), known)
    network = _network(text)
    for number, part in enumerate(listed(block, "except") if network is not None else ()):
        where = index(child(field, "except"), number)
        yield from cidr(part, where, known)
        inner = _network(part)
        if inner is not None and not _is_inside(inner, network):
            yield invalid(where, part, "must be a strict subset of `cidr`")


def _network(text: str) -> Any:
    address, slash, length = text.partition("/")
    found = parse_ip(address)
    if not slash or found is None or not length.isdigit() or int(length) > found.max_prefixlen:
        return None
    return ipaddress.ip_network((found, int(length)), strict=False)


def _is_inside(inner: Any, network: Any) -> bool:
    return bool(inner.version == network.version and inner != network and inner.subnet_of(network))


def _warnings(spec: Json) -> Iterator[str]:
    for block, field in _blocks(spec):
        yield from cidr_warnings(block.get("cidr", ""), child(field, "cidr"))
        for number, part in enumerate(listed(block, "except")):
            yield from cidr_warnings(part, index(child(field, "except"), number))


class IPAddressStrategy(NativeStrategy):
    """IPAddresses, called after what they are."""

    def validate_name(self, name: str, /, *, prefix: bool = False) -> Sequence[str]:
        """See `Strategy`."""
        return [problem.detail for problem in strict_ip(name, "")]

    def judge_change(self, obj: Object, old: Object) -> Errors:
        """See `NativeStrategy`."""
        references: list[Mapping[str, Any]] = [mapping(each_one["spec"], "parentRef") for each_one in (obj, old)]
        yield from immutable(references[0], references[1], "spec.parentRef")
