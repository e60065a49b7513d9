"""The rows of what gives workloads a name and an address."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from dynkube.testing.apiserver.printing.values import (
    NONE,
    age,
    at,
    label_selector,
    labels,
    name,
    number,
    or_none,
    shortened,
    text,
)

__all__ = ["NETWORK"]

_DEFAULT_INGRESS_CLASS = "ingressclass.kubernetes.io/is-default-class"


def _service(obj: Any, now: datetime) -> list[Any]:
    ips = at(obj, "spec", "clusterIPs") or (NONE,)
    return [
        name(obj),
        text(obj, "spec", "type"),
        ips[0],
        _external_ip(obj),
        or_none(",".join(_port(each) for each in at(obj, "spec", "ports") or ())),
        age(obj, now),
        labels(at(obj, "spec", "selector")),
    ]


def _external_ip(obj: Any) -> str:
    external = at(obj, "spec", "externalIPs") or []
    match text(obj, "spec", "type"):
        case "ClusterIP" | "NodePort":
            return or_none(",".join(external))
        case "LoadBalancer":
            return ",".join([*_balancers(obj), *external]) or "<pending>"
        case "ExternalName":
            return text(obj, "spec", "externalName")
        case _:
            return "<unknown>"


def _balancers(obj: Any) -> Sequence[str]:
    """Addresses of the load balancer, sorted; a host name where there is no IP."""
    found = at(obj, "status", "loadBalancer", "ingress") or ()
    return sorted({each.get("ip") or each.get("hostname") for each in found} - {None, ""})


def _port(port: Any) -> str:
    node_port = f":{port['nodePort']}" if port.get("nodePort") else ""
    return f"{port['port']}{node_port}/{port.get('protocol', '')}"


def _endpoints(obj: Any, now: datetime) -> list[Any]:
    return [name(obj), shortened(_endpoint_addresses(obj), empty=NONE if not obj.get("subsets") else ""), age(obj, now)]


def _endpoint_addresses(obj: Any) -> Iterator[str]:
    for subset in obj.get("subsets") or ():
        addresses = [each["ip"] for each in subset.get("addresses") or ()]
        ports = subset.get("ports") or ()
        if not ports:
            yield from addresses
        for port in ports:
            yield from (f"[{each}]:{port['port']}" if ":" in each else f"{each}:{port['port']}" for each in addresses)


def _endpoint_slice(obj: Any, now: datetime) -> list[Any]:
    addresses = (one for each in obj.get("endpoints") or () for one in each.get("addresses") or ())
    ports = (_slice_port(each) for each in obj.get("ports") or ())
    return [name(obj), text(obj, "addressType"), shortened(ports), shortened(addresses), age(obj, now)]


def _slice_port(port: Any) -> str:
    if port.get("port") is not None:
        return str(port["port"])
    return "*" if port.get("name") is None else str(port["name"])


def _ingress(obj: Any, now: datetime) -> list[Any]:
    class_name = at(obj, "spec", "ingressClassName")
    return [
        name(obj),
        NONE if class_name is None else class_name,
        _hosts(at(obj, "spec", "rules") or ()),
        ",".join(_balancers(obj)),
        "80, 443" if at(obj, "spec", "tls") else "80",
        age(obj, now),
    ]


def _hosts(rules: Sequence[Any]) -> str:
    """At most three; a rule without a host takes no place among them, but counts among those that are left out."""
    hosts: list[str] = []
    more = False
    for rule in rules:
        more = more or len(hosts) == 3
        if not more and rule.get("host"):
            hosts.append(rule["host"])
    shown = ",".join(hosts) or "*"
    return f"{shown} + {len(rules) - 3} more..." if more else shown


def _ingress_class(obj: Any, now: datetime) -> list[Any]:
    is_default = at(obj, "metadata", "annotations", _DEFAULT_INGRESS_CLASS) == "true"
    parameters, shown = at(obj, "spec", "parameters"), NONE
    if parameters is not None:
        group = parameters.get("apiGroup")
        kind = text(parameters, "kind")
        shown = f"{kind if group is None else f'{kind}.{group}'}/{text(parameters, 'name')}"
    return [name(obj) + " (default)" * is_default, text(obj, "spec", "controller"), shown, age(obj, now)]


def _network_policy(obj: Any, now: datetime) -> list[Any]:
    return [name(obj), label_selector(at(obj, "spec", "podSelector")), age(obj, now)]


def _service_cidr(obj: Any, now: datetime) -> list[Any]:
    return [name(obj), ",".join(at(obj, "spec", "cidrs") or ()), age(obj, now)]


def _ip_address(obj: Any, now: datetime) -> list[Any]:
    parent, shown = at(obj, "spec", "parentRef"), NONE
    if parent is not None:
        resource, group = text(parent, "resource"), text(parent, "group")
        parts = [(f"{resource}.{group}" if group else resource).lower(), text(parent, "namespace")]
        shown = "/".join([*filter(None, parts), text(parent, "name")])
    return [name(obj), shown, age(obj, now)]  # the age has no column: so does the real server


def _priority_level(obj: Any, now: datetime) -> list[Any]:
    limited = at(obj, "spec", "limited")
    queuing = at(limited, "limitResponse", "queuing")
    shares = NONE if limited is None else at(limited, "nominalConcurrencyShares")
    queues = [NONE if queuing is None else number(queuing, each) for each in ("queues", "handSize", "queueLengthLimit")]
    return [name(obj), text(obj, "spec", "type"), shares, *queues, age(obj, now)]


def _flow_schema(obj: Any, now: datetime) -> list[Any]:
    conditions = at(obj, "status", "conditions") or ()
    dangling = next((each.get("status", "") for each in conditions if each.get("type") == "Dangling"), "?")
    method = at(obj, "spec", "distinguisherMethod")
    return [
        name(obj),
        text(obj, "spec", "priorityLevelConfiguration", "name"),
        number(obj, "spec", "matchingPrecedence"),
        NONE if method is None else text(method, "type"),
        age(obj, now),
        dangling,
    ]


NETWORK: Final[Mapping[str, Callable[[Any, datetime], list[Any]]]] = {
    "services": _service,
    "endpoints": _endpoints,
    "endpointslices.discovery.k8s.io": _endpoint_slice,
    "ingresses.networking.k8s.io": _ingress,
    "ingressclasses.networking.k8s.io": _ingress_class,
    "networkpolicies.networking.k8s.io": _network_policy,
    "servicecidrs.networking.k8s.io": _service_cidr,
    "ipaddresses.networking.k8s.io": _ip_address,
    "flowschemas.flowcontrol.apiserver.k8s.io": _flow_schema,
    "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io": _priority_level,
}
"""By resource and group."""
