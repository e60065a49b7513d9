"""IP addresses and ranges in fields that are older than today's strict rules (AM/util/validation/ip.go)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from functools import lru_cache

from dynkube.testing.apiserver.builtin.rules import Errors
from dynkube.testing.apiserver.words.fielderrors import invalid, quoted

__all__ = [
    "canonical_ip",
    "cidr",
    "cidr_warnings",
    "endpoint_ip",
    "ip",
    "ip_warnings",
    "is_cidr",
    "is_ipv6",
    "parse_ip",
    "strict_ip",
]

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_OCTETS = re.compile(r"\d+\.\d+\.\d+\.\d+", re.ASCII)
_LEADING_ZEROS = re.compile(r"(?<![\da-fA-F])0+(?=\d)")


@lru_cache(maxsize=1024)
def parse_ip(text: str) -> Address | None:
    """An address, read as leniently as Go once did: octets may have leading zeros, which mean nothing.

    An IPv4 address that is mapped into IPv6 is the IPv4 address.
    """
    try:
        if _OCTETS.fullmatch(text):
            return ipaddress.IPv4Address(_LEADING_ZEROS.sub("", text))
        head, colon, tail = text.rpartition(":")
        if not colon or "%" in text:
            return None
        loose = head + colon + (_LEADING_ZEROS.sub("", tail) if "." in tail else tail)
        found = ipaddress.IPv6Address(loose)
    except ValueError:
        return None
    return found.ipv4_mapped or found


def canonical_ip(address: Address) -> str:
    """As net.IP prints it."""
    return str(address)


def is_ipv6(text: str) -> bool:
    """Whether it is an address of IPv6."""
    return isinstance(parse_ip(text), ipaddress.IPv6Address)


def _has_leading_zeros(text: str) -> bool:
    quad = text.rpartition(":")[2]
    return "." in quad and _LEADING_ZEROS.search(quad) is not None


def _is_mapped(text: str) -> bool:
    return ":" in text and isinstance(parse_ip(text), ipaddress.IPv4Address)


def ip(value: str, field: str, grandfathered: Sequence[str] = ()) -> Errors:
    """An address; what the object had already is let be (IsValidIPForLegacyField, strict)."""
    if value in grandfathered:
        return
    if parse_ip(value) is None:
        yield invalid(field, value, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")
    elif _has_leading_zeros(value):
        yield invalid(field, value, "must not have leading 0s")
    elif _is_mapped(value):
        yield invalid(field, value, "must not be an IPv4-mapped IPv6 address")


def strict_ip(value: str, field: str) -> Errors:
    """An address as it is written canonically (IsValidIP)."""
    problems = list(ip(value, field))
    yield from problems
    address = parse_ip(value)
    if not problems and address is not None and canonical_ip(address) != value:
        yield invalid(field, value, f"must be in canonical form ({quoted(canonical_ip(address))})")


def ip_warnings(value: str, field: str) -> list[str]:
    """What is odd about an address that was let be (GetWarningsForIP)."""
    address = parse_ip(value)
    if address is None:
        return []
    if _has_leading_zeros(value) or _is_mapped(value):
        wanted = quoted(canonical_ip(address))
        return [f"{field}: non-standard IP address {quoted(value)} is invalid: use {wanted}"]
    if canonical_ip(address) != value:
        wanted = quoted(canonical_ip(address))
        return [f"{field}: IPv6 address {quoted(value)} should be in RFC 5952 canonical format ({wanted})"]
    return []


def _split_cidr(text: str) -> tuple[Address, int] | None:
    address, slash, length = text.partition("/")
    found = parse_ip(address)
    if not slash or found is None or not (length.isascii() and length.isdigit()):
        return None
    limit = 128 if ":" in address else 32
    return (found, int(length)) if int(length) <= limit and len(length) < 10 else None


def is_cidr(text: str) -> bool:
    """Whether it is a range, however it is written."""
    return _split_cidr(text) is not None


def _masked(address: Address, length: int) -> str:
    return str(ipaddress.ip_network((address, length), strict=False))


def cidr(value: str, field: str, grandfathered: Sequence[str] = ()) -> Errors:
    """A range; what the object had already is let be (IsValidCIDRForLegacyField, strict)."""
    if value in grandfathered:
        return
    found = _split_cidr(value)
    if found is None:
        yield invalid(field, value, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)")
        return
    address, _, length = value.partition("/")
    if _has_leading_zeros(address) or (len(length) > 1 and length.startswith("0")):
        yield invalid(field, value, "must not have leading 0s in IP or prefix length")
    elif _is_mapped(address):
        yield invalid(field, value, "must not have an IPv4-mapped IPv6 address")
    elif ipaddress.ip_network(found, strict=False).network_address != found[0]:
        yield invalid(field, value, "must not have bits set beyond the prefix length")


def cidr_warnings(value: str, field: str) -> list[str]:
    """What is odd about a range that was let be (GetWarningsForCIDR)."""
    found = _split_cidr(value)
    if found is None:
        return []
    text, _, length = value.partition("/")
    address, bits = found
    shown, warnings = quoted(value), []
    if _is_mapped(text):
        bits = max(bits - 96, 0)
    network = _masked(address, bits)
    if ipaddress.ip_network(network).network_address != address:
        single = quoted(f"{address}/{address.max_prefixlen}")
        text_of = f"CIDR value {shown} is ambiguous in this context (should be {quoted(network)} or {single}?)"
        warnings.append(f"{field}: {text_of}")
    if _has_leading_zeros(text) or _is_mapped(text) or (len(length) > 1 and length.startswith("0")):
        warnings.append(f"{field}: non-standard CIDR value {shown} is invalid: use {quoted(network)}")
    if not warnings and address.version == 6 and network != value:
        wanted = quoted(network)
        warnings.append(f"{field}: IPv6 CIDR value {shown} should be in RFC 5952 canonical format ({wanted})")
    return warnings


def endpoint_ip(value: str, field: str) -> Errors:
    """An address that traffic may go to (ValidateEndpointIP)."""
    address = parse_ip(value)
    if address is None:
        yield invalid(field, value, "must be a valid IP address")
        return
    if address.is_unspecified:
        yield invalid(field, value, f"may not be unspecified ({value})")
    if address.is_loopback:
        yield invalid(field, value, "may not be in the loopback range (127.0.0.0/8, ::1/128)")
    if address in _LINK_LOCAL[address.version]:
        yield invalid(field, value, "may not be in the link-local range (169.254.0.0/16, fe80::/10)")
    if _is_link_local_multicast(address):
        yield invalid(field, value, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)")


_LINK_LOCAL = {4: ipaddress.ip_network("169.254.0.0/16"), 6: ipaddress.ip_network("fe80::/10")}


def _is_link_local_multicast(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv4Address):
        return address in ipaddress.ip_network("224.0.0.0/24")
    return address.packed[0] == 0xFF and address.packed[1] & 0x0F == 0x02
