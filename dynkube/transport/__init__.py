"""HTTP over `requests`: the only room that imports it."""

from __future__ import annotations

from dynkube.transport.proxies import Proxy, proxy_for
from dynkube.transport.scope import CallScope, CancelToken
from dynkube.transport.source import Credential, CredentialSource
from dynkube.transport.stream import Stream
from dynkube.transport.transport import Transport
from dynkube.transport.upgrade import Upgraded

__all__ = [
    "CallScope",
    "CancelToken",
    "Credential",
    "CredentialSource",
    "Proxy",
    "Stream",
    "Transport",
    "Upgraded",
    "proxy_for",
]
