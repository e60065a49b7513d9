"""Which proxy a server is reached through: the config's, else the environment's, as Go decides it."""

from __future__ import annotations

import base64
import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import unquote, urlsplit

from dynkube.config.model import RESTConfig, proxy_url_problem, redact_url
from dynkube.errors import ConfigError

__all__ = ["Proxy", "bypasses", "choose_proxy", "proxy_for"]

_PORTS = {"http": 80, "https": 443, "socks5h": 1080}


@dataclass(frozen=True, slots=True, repr=False)
class Proxy:
    """A proxy, in the parts that whoever connects through it needs.

    Attributes:
        url: All of it, user and password included.
        scheme: ``http``, ``https`` or ``socks5h`` (what Go calls socks5: the proxy looks up the name).
        host: A name or an address, IPv6 without brackets.
        port: Its TCP port.
        username: For the proxy; empty for none.
        password: Likewise.

    >>> Proxy.of("http://me:sesame%21@proxy.example:3128")
    Proxy('http://REDACTED@proxy.example:3128')
    >>> Proxy.of("socks5h://proxy.example").port
    1080
    """

    url: str
    scheme: str
    host: str
    port: int
    username: str = ""
    password: str = ""

    @classmethod
    def of(cls, url: str) -> Self:
        """The parts of a URL that `choose_proxy` returned."""
        parts = urlsplit(url)
        port = parts.port or _PORTS[parts.scheme]
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        return cls(url, parts.scheme, parts.hostname or "", port, user, password)

    def headers(self) -> dict[str, str]:
        """What an http or https proxy wants beside CONNECT; empty without a user."""
        if not self.username:
            return {}
        pair = f"{self.username}:{self.password}".encode()
        return {"Proxy-Authorization": f"Basic {base64.b64encode(pair).decode('ascii')}"}

    def __repr__(self) -> str:
        return f"Proxy({redact_url(self.url)!r})"


def proxy_for(config: RESTConfig, environ: Mapping[str, str] | None = None) -> Proxy | None:
    """The proxy that the server of ``config`` is reached through; None for none.

    The one decision for everything that connects to it, requests and WebSockets alike: a ``wss://`` server is the
    https one.

    Args:
        config: Its ``proxy_url``, else the environment's where ``trust_env`` is on.
        environ: The environment; the process's by default.

    Raises:
        ConfigError: The proxy's URL cannot be used.
    """
    variables = environ if config.trust_env else {}
    url = choose_proxy(config.base_url, config.proxy_url, variables)
    return Proxy.of(url) if url else None


def choose_proxy(server: str, proxy_url: str, environ: Mapping[str, str] | None = None) -> str:
    """The proxy for ``server``, or ``""`` for none.

    Args:
        server: The server's URL, with scheme.
        proxy_url: The config's own ``proxy-url``. It beats the environment, NO_PROXY included
            (client-go: http.ProxyURL).
        environ: Where HTTP_PROXY, HTTPS_PROXY and NO_PROXY are looked up (the process's by default), in
            capitals first, then lower case.

    Returns:
        A URL with a scheme out of http, https, socks5h (what Go calls socks5: the proxy looks up the name).

    Raises:
        ConfigError: The proxy's URL cannot be used; names where it came from, without its credentials.

    >>> choose_proxy("https://10.0.0.1:6443", "", {"HTTPS_PROXY": "proxy:3128", "NO_PROXY": "10.0.0.0/8"})
    ''
    >>> choose_proxy("https://192.0.2.1:6443", "", {"HTTPS_PROXY": "proxy:3128", "NO_PROXY": "10.0.0.0/8"})
    'http://proxy:3128'
    """
    if proxy_url:
        return _checked(proxy_url, "proxy-url")
    variables = os.environ if environ is None else environ
    parts = urlsplit(server)
    name = "HTTPS_PROXY" if parts.scheme == "https" else "HTTP_PROXY"
    if name == "HTTP_PROXY" and variables.get("REQUEST_METHOD"):
        return ""  # in a CGI program that variable is a header of the request ("httpoxy")
    value = variables.get(name) or variables.get(name.lower()) or ""
    no_proxy = variables.get("NO_PROXY") or variables.get("no_proxy") or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    if not value or bypasses(parts.hostname or "", port, no_proxy):
        return ""
    return _checked(value if "://" in value else f"http://{value}", name)


def bypasses(host: str, port: int, no_proxy: str) -> bool:
    """Whether ``no_proxy`` takes the host out (golang.org/x/net/http/httpproxy).

    Its entries, with or without a port: an address, a CIDR, a domain (which covers its subdomains), a domain
    with a leading dot (its subdomains only), or ``*``. This machine itself is never reached through a proxy of
    the environment.

    >>> bypasses("api.example.org", 6443, "example.org"), bypasses("example.org", 6443, ".example.org")
    (True, False)
    >>> bypasses("10.1.2.3", 6443, "10.0.0.0/8"), bypasses("10.1.2.3", 6443, "10.1.2.3:443")
    (True, False)
    """
    host = host.lower().rstrip(".")
    address = _address(host)
    if host == "localhost" or (address is not None and address.is_loopback):
        return True
    entries = (entry.strip().lower() for entry in no_proxy.split(","))
    return any(_matches(entry, host, address, port) for entry in entries if entry)


_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def _address(text: str) -> _Address | None:
    try:
        return ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None


def _matches(entry: str, host: str, address: _Address | None, port: int) -> bool:
    if entry == "*":
        return True
    if "/" in entry:
        return address is not None and _in_network(address, entry)
    name, wanted_port = _split_port(entry)
    if wanted_port and wanted_port != str(port):
        return False
    wanted = _address(name)
    if wanted is not None:
        return address == wanted
    if name.startswith("*."):  # "*.example.org" is ".example.org"
        name = name[1:]
    if name.startswith("."):
        return host.endswith(name)
    return host == name or host.endswith(f".{name}")


def _in_network(address: _Address, entry: str) -> bool:
    try:
        return address in ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return False


def _split_port(entry: str) -> tuple[str, str]:
    if entry.startswith("["):
        name, _, rest = entry[1:].partition("]")
        return name, rest.removeprefix(":")
    if entry.count(":") == 1:
        name, _, port = entry.partition(":")
        return name, port
    return entry, ""


def _checked(url: str, source: str) -> str:
    problem = proxy_url_problem(url)
    if problem:
        raise ConfigError(f"{source} {redact_url(url)!r}: {problem}; want http://, https:// or socks5:// and host:port")
    return f"socks5h{url[len('socks5') :]}" if url.startswith("socks5:") else url
