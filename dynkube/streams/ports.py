"""Which ports: kubectl's grammar, and what a service's port or a name leads to.

See CG/tools/portforward/portforward.go and KC/cmd/portforward/portforward.go (8.2.1, 8.2.2, 8.2.6 in
docs/reference/parity).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dynkube.errors import InvalidRequestError
from dynkube.streams.targets import at

__all__ = ["PortSpec", "listen_addresses", "parse_port", "pod_port", "service_port"]


@dataclass(frozen=True, slots=True)
class PortSpec:
    """A local port, 0 for a free one, and a remote one: a number, or a name to be looked up."""

    local: int
    remote: int | str


def parse_port(spec: int | str) -> PortSpec:
    """One port as the caller gave it.

    Raises:
        InvalidRequestError: it is none.

    >>> parse_port(80), parse_port("80"), parse_port("8080:http"), parse_port(":80")
    (PortSpec(local=0, remote=80), PortSpec(local=80, remote=80), PortSpec(local=8080, remote='http'), \
PortSpec(local=0, remote=80))
    """
    if type(spec) is int:
        return PortSpec(0, _remote(str(spec)))
    if not isinstance(spec, str) or spec.count(":") > 1:
        raise InvalidRequestError(f"ports: invalid port format {spec!r}; want 5000, '5000', '8888:5000' or ':5000'")
    local, colon, remote = spec.partition(":")
    if not colon:
        found = _remote(local)
        return PortSpec(found if isinstance(found, int) else 0, found)
    return PortSpec(_number(local or "0", "local", spec), _remote(remote))


def _remote(text: str) -> int | str:
    if not text:
        raise InvalidRequestError("ports: remote port cannot be empty")
    if not text.lstrip("-").isdecimal():
        return text
    number = _number(text, "remote", text)
    if number == 0:
        raise InvalidRequestError("ports: remote port must be > 0")
    return number


def _number(text: str, side: str, spec: str) -> int:
    if not text.isascii() or not text.isdecimal() or int(text) > 65535:
        raise InvalidRequestError(f"ports: error parsing {side} port {text!r} of {spec!r}; want 0 to 65535")
    return int(text)


def listen_addresses(address: str | Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """The local addresses: groups of which at least one member must work.

    Raises:
        InvalidRequestError: a host name other than localhost.

    >>> listen_addresses("localhost"), listen_addresses(["127.0.0.2", "127.0.0.1"])
    ((('127.0.0.1', '::1'),), (('127.0.0.1',), ('127.0.0.2',)))
    """
    given = [address] if isinstance(address, str) else list(address)
    if not given:
        raise InvalidRequestError("address: want at least one")
    groups: set[tuple[str, ...]] = set()
    for each in given:
        if each == "localhost":
            groups.add(("127.0.0.1", "::1"))
            continue
        try:
            groups.add((str(ipaddress.ip_address(each)),))
        except ValueError:
            raise InvalidRequestError(f"address: {each} is not a valid IP; want addresses, or localhost") from None
    return tuple(sorted(groups))


# --------------------------------------------------------------------------- what a port leads to


def service_port(service: Mapping[str, Any], pod: Mapping[str, Any], port: int | str) -> int:
    """The port of a service's pod that a port of the service, by number or name, leads to.

    Raises:
        InvalidRequestError: the service, or the pod, has no such port for TCP.
    """
    name = at(service, "metadata", "name")
    ports = at(service, "spec", "ports") or ()
    found = [each for each in ports if port in (each.get("port"), each.get("name"))]
    if not found:
        raise InvalidRequestError(
            f"service {name} does not have a service port {port}; it has {_listed(ports, 'port')}"
        )
    tcp = [each for each in found if each.get("protocol", "TCP") == "TCP"]
    if not tcp:
        raise InvalidRequestError(f"{found[0]['protocol']} protocol is not supported for {port}")
    target = tcp[0].get("targetPort")
    if at(service, "spec", "clusterIP") == "None" or target is None:
        return int(tcp[0]["port"])
    return target if isinstance(target, int) else pod_port(pod, target)


def pod_port(pod: Mapping[str, Any], port: int | str) -> int:
    """A container's port by its name; a number is itself.

    Raises:
        InvalidRequestError: no container has it, or not for TCP.
    """
    ports = [each for container in _containers(pod) for each in container.get("ports") or ()]
    found = [each for each in ports if port in (each.get("containerPort"), each.get("name"))]
    tcp = [each for each in found if each.get("protocol", "TCP") == "TCP"]
    if found and not tcp:
        raise InvalidRequestError(f"{found[0]['protocol']} protocol is not supported for {port}")
    if isinstance(port, int):
        return port
    if not tcp:
        name = at(pod, "metadata", "name")
        raise InvalidRequestError(
            f"pod {name} does not have a named port {port!r}; it has {_listed(ports, 'containerPort')}"
        )
    return int(tcp[0]["containerPort"])


def _containers(pod: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    for kind in ("containers", "initContainers"):
        yield from at(pod, "spec", kind) or ()


def _listed(ports: Iterable[Mapping[str, Any]], key: str) -> str:
    texts = [f"{each.get('name', '')}:{each[key]}".lstrip(":") for each in ports]
    return ", ".join(texts) or "none"
