"""Addresses and ports that services share (pkg/registry/core/service/storage, ipallocator, portallocator).

What is taken is what stored services have: nothing is kept beside them.
"""

from __future__ import annotations

import ipaddress
import random
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from dynkube.schema import GroupResource
from dynkube.testing.apiserver.builtin.addresses import canonical_ip, parse_ip
from dynkube.testing.apiserver.builtin.lookup import Lookup
from dynkube.testing.apiserver.builtin.rules import Json, listed
from dynkube.testing.apiserver.builtin.services.families import fill_families, is_settled, refused
from dynkube.testing.apiserver.builtin.services.kinds import (
    NO_IP,
    is_external_name,
    needs_health_check,
    needs_node_ports,
    node_ports,
    strings,
)
from dynkube.testing.apiserver.words import statuses
from dynkube.testing.apiserver.words.fielderrors import child, index, invalid, quoted
from dynkube.testing.apiserver.words.resources import Object

__all__ = ["allocate"]

_RANGE = ipaddress.ip_network("10.0.0.0/24")
_STATIC_ADDRESSES = 16
"""So many at the start of the range are given out last, for those who ask for one."""
_PORTS = range(30000, 32768)
_STATIC_PORTS = 86
_DRY_PORT = 32768
_SERVICES = GroupResource("", "services")
_OUT_OF_RANGE = f"The range of valid IPs is {_RANGE}"
_FULL = "range is full"


def allocate(obj: Object, old: Object | None, lookup: Lookup, *, dry_run: bool) -> None:
    """Give a service, in place, the addresses and ports that it needs.

    Raises:
        StatusError: It asks for what it cannot get.
    """
    spec, before = obj["spec"], None if old is None else old["spec"]
    if before is not None:
        _inherit(spec, before)
    _join_addresses(spec, before)
    fill_families(obj, before)
    taken = _Taken(lookup, obj)
    if not is_settled(spec, before) and (before is None or _turns_real(spec, before)):
        _give_address(obj, taken, dry_run=dry_run)
    ports = _DryPorts(taken) if dry_run else _Ports(taken)
    if spec.get("type") in ("NodePort", "LoadBalancer"):
        if before is None:
            _give_ports(obj, ports)
        else:
            _change_ports(obj, node_ports(before), ports)
    if needs_health_check(spec) and (before is None or not needs_health_check(before)):
        _give_health_port(spec, ports)


def _turns_real(spec: Json, before: Json) -> bool:
    return is_external_name(before) and not is_external_name(spec)


# ------------------------------------------------------------------ what an update leaves out


def _inherit(spec: Object, before: Json) -> None:
    """What was given to a service, it keeps without saying so (patchAllocatedValues)."""
    if not is_external_name(spec) and not is_external_name(before):
        for name in ("clusterIP", "clusterIPs"):
            if not spec.get(name) and before.get(name):
                spec[name] = before[name]
    if needs_node_ports(spec) and needs_node_ports(before):
        kept = set(node_ports(spec)) & set(node_ports(before))
        by_name = {port.get("name", ""): port.get("nodePort", 0) for port in listed(before, "ports")}
        for port in listed(spec, "ports"):
            found = by_name.get(port.get("name", ""), 0)
            if not port.get("nodePort") and found and found not in kept:
                port["nodePort"] = found
    if needs_health_check(spec) and needs_health_check(before) and not spec.get("healthCheckNodePort"):
        _put(spec, "healthCheckNodePort", before.get("healthCheckNodePort"))


def _put(spec: Object, name: str, value: Any) -> None:
    if value:
        spec[name] = value
    else:
        spec.pop(name, None)


def _join_addresses(spec: Object, before: Json | None) -> None:
    """ClusterIPs follows clusterIP (normalizeClusterIPs)."""
    first, addresses = spec.get("clusterIP", ""), list(strings(spec, "clusterIPs"))
    if before is None:
        if first and not addresses:
            spec["clusterIPs"] = [first]
        return
    old_first, old = before.get("clusterIP", ""), list(strings(before, "clusterIPs"))
    if first == old_first:
        if not addresses:
            _put(spec, "clusterIPs", old)
    elif addresses == old:
        _put(spec, "clusterIPs", [first] if first or not old_first else None)


# ------------------------------------------------------------------ what is taken


class _Taken:
    """What the other services have; looked up when it is asked for."""

    def __init__(self, lookup: Lookup, obj: Object) -> None:
        self._lookup = lookup
        self._self = obj["metadata"].get("namespace", ""), obj["metadata"].get("name", "")

    def addresses(self) -> set[str]:
        """Their addresses, as they are written canonically."""
        found = (parse_ip(address) for spec in self._specs() for address in strings(spec, "clusterIPs"))
        return {canonical_ip(address) for address in found if address is not None}

    def ports(self) -> set[int]:
        """Their ports on nodes."""
        taken: set[int] = set()
        for spec in self._specs():
            taken.update(node_ports(spec))
            if needs_health_check(spec):
                taken.add(spec.get("healthCheckNodePort", 0))
        return taken

    def _specs(self) -> Iterator[Json]:
        for each in self._lookup.list(_SERVICES, None):
            if (each["metadata"].get("namespace", ""), each["metadata"]["name"]) != self._self:
                yield each["spec"]


def _free(low: int, middle: int, high: int, is_taken: Callable[[int], bool]) -> int | None:
    """The next free number after a random one of ``middle..high``, or else of ``low..middle``."""
    for part in (range(middle, high), range(low, middle)):
        numbers = list(part)
        start = random.randrange(len(numbers))  # noqa: S311 - which one is free is no secret
        for number in (*numbers[start:], *numbers[:start]):
            if not is_taken(number):
                return number
    return None


# ------------------------------------------------------------------ addresses


def _give_address(obj: Object, taken: _Taken, *, dry_run: bool) -> None:
    spec = obj["spec"]
    addresses = list(strings(spec, "clusterIPs"))
    if is_external_name(spec) or addresses[:1] == [NO_IP]:
        return
    if addresses:
        _take_address(obj, addresses, taken, dry_run=dry_run)
        return
    # A dry run does not look for a free one.
    address = str(_RANGE.network_address) if dry_run else _free_address(obj, taken.addresses())
    spec["clusterIP"], spec["clusterIPs"] = address, [address]


def _take_address(obj: Object, addresses: list[str], taken: _Taken, *, dry_run: bool) -> None:
    wanted = parse_ip(addresses[0])
    hosts = _RANGE.network_address, _RANGE.broadcast_address
    problem = ""
    if wanted not in _RANGE or wanted in hosts:
        problem = "the provided network does not match the current range"
        if dry_run:
            problem = f"the provided IP ({wanted}) is not in the valid range. {_OUT_OF_RANGE}"
    elif not dry_run and wanted is not None and canonical_ip(wanted) in taken.addresses():
        problem = "provided IP is already allocated"
    if problem:
        said = f"failed to allocate IP {addresses[0]}: {problem}"
        raise refused(obj, [invalid("spec.clusterIPs", addresses, said)])


def _free_address(obj: Object, taken: Iterable[str]) -> str:
    network = int(_RANGE.network_address)
    numbers = {int(ipaddress.ip_address(each)) - network for each in taken}
    found = _free(1, 1 + _STATIC_ADDRESSES, _RANGE.num_addresses - 1, numbers.__contains__)
    if found is None:
        name = quoted(obj["metadata"].get("name", ""))
        raise statuses.internal_error(f"failed to allocate a serviceIP for Service {name}: {_FULL}")
    return str(_RANGE[found])


# ------------------------------------------------------------------ ports


class _PortError(Exception):
    """A port is not to be had; the text says why."""


class _Ports:
    """Takes ports of nodes (PortAllocationOperation)."""

    def __init__(self, taken: _Taken) -> None:
        self._source = taken
        self._found: set[int] | None = None

    @property
    def taken(self) -> set[int]:
        """All that is taken, by this service, too."""
        if self._found is None:
            self._found = self._source.ports()
        return self._found

    def take(self, port: int) -> None:
        """Take one.

        Raises:
            _PortError: It is taken, or none that may be given out.
        """
        if port not in _PORTS:
            valid = f"{_PORTS.start}-{_PORTS.stop - 1}"
            raise _PortError(f"provided port is not in the valid range. The range of valid ports is {valid}")
        if port in self.taken:
            raise _PortError("provided port is already allocated")
        self.taken.add(port)

    def take_any(self) -> int:
        """Take a free one.

        Raises:
            _PortError: There is none.
        """
        found = _free(_PORTS.start, _PORTS.start + _STATIC_PORTS, _PORTS.stop, self.taken.__contains__)
        if found is None:
            raise _PortError(_FULL)
        self.taken.add(found)
        return found


class _DryPorts(_Ports):
    """Takes nothing: what it gives out are dummies, and any port that is not taken is good."""

    def __init__(self, taken: _Taken) -> None:
        super().__init__(taken)
        self._own: list[int] = []

    def take(self, port: int) -> None:
        """See `_Ports`."""
        if port in self._own or (port in _PORTS and port in self.taken):
            raise _PortError("provided port is already allocated")
        self._own.append(port)

    def take_any(self) -> int:
        """See `_Ports`."""
        found = max(self._own, default=_DRY_PORT) + 1
        self._own.append(found)
        return found


def _give_ports(obj: Object, ports: _Ports) -> None:
    """Ports of the same number, of other protocols, share one on the nodes (initNodePorts)."""
    spec = obj["spec"]
    given: dict[int, int] = {}
    for number, port in enumerate(listed(spec, "ports")):
        own, wanted = port.get("port", 0), port.get("nodePort", 0)
        if not wanted and not needs_node_ports(spec):
            continue
        if own not in given:
            same = (each.get("nodePort", 0) for each in listed(spec, "ports") if each.get("port", 0) == own)
            wanted = next(filter(None, same), 0)
            if wanted:
                _take(obj, number, wanted, ports)
            given[own] = port["nodePort"] = wanted or _any(ports)
        elif not wanted:
            port["nodePort"] = given[own]
        elif wanted != given[own]:
            _take(obj, number, wanted, ports)


def _change_ports(obj: Object, before: list[int], ports: _Ports) -> None:
    """Ports that it has not yet (updateNodePorts)."""
    spec = obj["spec"]
    taken: set[int] = set()
    seen: list[tuple[str, int]] = []
    for number, port in enumerate(listed(spec, "ports")):
        wanted = port.get("nodePort", 0)
        if not wanted and not needs_node_ports(spec):
            continue
        if not wanted:
            port["nodePort"] = _any(ports)
        elif wanted not in before and wanted not in taken:
            _take(obj, number, wanted, ports)
            taken.add(wanted)
        found = port.get("protocol", ""), port["nodePort"]
        if found in seen:
            raise statuses.unexpected(f"duplicate nodePort: {{{found[0]} {found[1]}}}")
        seen.append(found)


def _take(obj: Object, number: int, wanted: int, ports: _Ports) -> None:
    try:
        ports.take(wanted)
    except _PortError as error:
        where = child(index("spec.ports", number), "nodePort")
        raise refused(obj, [invalid(where, wanted, str(error))]) from None


def _any(ports: _Ports) -> int:
    try:
        return ports.take_any()
    except _PortError as error:
        raise statuses.internal_error(f"failed to allocate a nodePort: {error}") from None


def _give_health_port(spec: Object, ports: _Ports) -> None:
    wanted = spec.get("healthCheckNodePort", 0)
    try:
        if wanted:
            ports.take(wanted)
        else:
            spec["healthCheckNodePort"] = ports.take_any()
    except _PortError as error:
        kind = "requested HealthCheck NodePort" if wanted else "a HealthCheck NodePort"
        raise statuses.internal_error(f"failed to allocate {kind} {wanted}: {error}") from None
