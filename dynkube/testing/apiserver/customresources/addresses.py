"""Formats that are addresses: URIs, e-mail, hosts and networks, as Go's ``net`` packages read them."""

from __future__ import annotations

import ipaddress
import re

from dynkube.testing.apiserver.customresources.patterns import compile_pattern

__all__ = ["is_cidr", "is_email", "is_hostname", "is_ipv4", "is_ipv6", "is_mac", "is_request_uri"]

# ------------------------------------------------------------------ URIs

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_HOST = re.compile(r"([A-Za-z0-9\-_.~!$&'()*+,;=:<>\"\x80-\U0010ffff]|%25|%[89A-Fa-f][0-9A-Fa-f])*")
_PORT = re.compile(r"(:\d*)?", re.ASCII)
_USER = re.compile(r"([A-Za-z0-9\-._:~!$&'()*+,;=@]|%[0-9A-Fa-f]{2})*")


def is_request_uri(text: str) -> bool:
    """An absolute URI or an absolute path (net/url.ParseRequestURI)."""
    if not text or any(ord(each) < 0x20 or each == "\x7f" for each in text):
        return False
    head, colon, rest = text.partition(":")
    scheme = head if colon and _SCHEME.fullmatch(head) else ""
    target = (rest if scheme else text).partition("?")[0]
    if not target.startswith("/"):
        return bool(scheme) or text == "*"
    if scheme and target.startswith("//"):
        authority, slash, path = target[2:].partition("/")
        return _is_authority(scheme.lower(), authority) and not _BAD_ESCAPE.search(slash + path)
    return not _BAD_ESCAPE.search(target)


def _is_authority(scheme: str, authority: str) -> bool:
    user, at, host = authority.rpartition("@")
    if at and not _USER.fullmatch(user):
        return False
    if "[" in host:
        return _is_bracketed(host)
    _, colon, after = host.partition(":") if scheme in ("http", "https") else host.rpartition(":")
    if colon and not _PORT.fullmatch(colon + after):
        return False
    return _HOST.fullmatch(host) is not None


def _is_bracketed(host: str) -> bool:
    end = host.rfind("]")
    if host.rfind("[") > 0 or end < 0 or not _PORT.fullmatch(host[end + 1 :]):
        return False
    address, zone, name = host[1:end].partition("%25")
    return is_ipv6(address) and (not zone or bool(name))


# ------------------------------------------------------------------ e-mail

_ATOM = r"[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~\x80-\U0010ffff]+"
_LOCAL = rf'({_ATOM}(\.{_ATOM})*|"([^"\\\r\n]|\\.)*")'
_ADDRESS = re.compile(rf"[ \t]*{_LOCAL}@[ \t]*({_ATOM}(\.{_ATOM})*|\[(?P<literal>[^\[\]\\]*)\])[ \t]*")
_NAMED = re.compile(r'[ \t]*(?P<phrase>("([^"\\\r\n]|\\.)*"|[^<>"@,;:\\()\[\]\r\n]+)*)<(?P<address>[^<>]*)>[ \t]*')


def is_email(text: str) -> bool:
    """An address, with a name before it or not (net/mail.ParseAddress)."""
    named = _NAMED.fullmatch(text)
    found = _ADDRESS.fullmatch(named["address"] if named else text)
    if found is None:
        return False
    return found["literal"] is None or is_ipv6(found["literal"]) or _is_strict_ipv4(found["literal"])


# ------------------------------------------------------------------ hosts and networks

_HOSTNAME = (
    r"^([a-zA-Z0-9\p{S}\p{L}]((-?[a-zA-Z0-9\p{S}\p{L}]{0,62})?)|([a-zA-Z0-9\p{S}\p{L}]"
    r"(([a-zA-Z0-9-\p{S}\p{L}]{0,61}[a-zA-Z0-9\p{S}\p{L}])?)(\.)){1,}([a-zA-Z\p{L}]){2,63})$"
)


def is_hostname(text: str) -> bool:
    """A host name (RFC 1034, and digits first as RFC 1123 has it)."""
    if not compile_pattern(_HOSTNAME)(text):
        return False
    return len(text.encode()) <= 255 and all(len(part.encode()) <= 63 for part in text.split("."))


_OCTETS = re.compile(r"\d+(\.\d+){3}", re.ASCII)


def _is_strict_ipv4(text: str) -> bool:
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return True


def _is_sloppy_ipv4(text: str) -> bool:
    return _OCTETS.fullmatch(text) is not None and all(int(each) <= 255 for each in text.split("."))


def is_ipv6(text: str) -> bool:
    """An IPv6 address without a zone."""
    if "%" in text:
        return False
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


def is_ipv4(text: str) -> bool:
    """With leading zeros or not; an IPv6 address that ends in one counts, too: it holds a dot."""
    head, colon, tail = text.rpartition(":")
    if not colon:
        return _is_sloppy_ipv4(text)
    return _is_sloppy_ipv4(tail) and is_ipv6(f"{head}:{'.'.join(str(int(each)) for each in tail.split('.'))}")


def is_cidr(text: str) -> bool:
    """An address, a slash and a number of bits."""
    address, slash, bits = text.partition("/")
    if not slash or not re.fullmatch(r"\d+", bits, re.ASCII):
        return False
    return int(bits) <= 32 if _is_sloppy_ipv4(address) else is_ipv6(address) and int(bits) <= 128


_PAIR, _QUAD = "[0-9a-fA-F]{2}", "[0-9a-fA-F]{4}"
_MAC = re.compile(
    "|".join(
        f"({group}{separator}){{{count - 1}}}{group}"
        for group, separator, counts in ((_PAIR, ":", (6, 8, 20)), (_PAIR, "-", (6, 8, 20)), (_QUAD, r"\.", (3, 4, 10)))
        for count in counts
    )
)


def is_mac(text: str) -> bool:
    """A hardware address of 48 or 64 bits, or of InfiniBand."""
    return _MAC.fullmatch(text) is not None
