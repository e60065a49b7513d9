"""A requests adapter for one server, with the TLS context, proxy and connections of our own."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.exceptions import InvalidURL
from urllib3 import HTTPConnectionPool
from urllib3.response import BaseHTTPResponse

from dynkube.errors import ConfigError
from dynkube.forks import renew_in_child
from dynkube.transport.dial import current_call
from dynkube.transport.pool import DirectManager, TunnelManager, forget_all, socks_manager

__all__ = ["Answer", "ServerAdapter"]

POOL_SIZE = 25
"""Idle connections kept (client-go's MaxIdleConnsPerHost)."""


class Answer:
    """What `ServerAdapter.send` returns for a request that nobody but the transport will look at.

    A `requests.Response` costs 40 µs to fill in, most of it for cookies and header copies.
    """

    __slots__ = ("raw", "request", "status_code")

    def __init__(self, request: requests.PreparedRequest, raw: BaseHTTPResponse) -> None:
        self.request = request
        self.raw = raw
        self.status_code = raw.status


class ServerAdapter(HTTPAdapter):
    """Speaks to one server; what the config says about TLS and proxies is built in, not passed per call.

    ``send`` is inherited as it is, so that whatever replaces `requests.adapters.HTTPAdapter.send`
    (the ``responses`` mocks) sees our requests too.
    """

    def __init__(
        self,
        origin: str,
        *,
        context: ssl.SSLContext | None,
        server_name: str = "",
        proxy: str = "",
        proxy_context: ssl.SSLContext | None = None,
    ) -> None:
        self.origin = origin
        self._scheme = urlsplit(origin).scheme
        self._proxy = proxy
        self._tls_options: dict[str, Any] = {"ssl_context": context}
        if server_name:
            self._tls_options["server_hostname"] = server_name
        self._proxy_context = proxy_context
        # Forwarding through an http proxy wants the whole URL in the request line.
        self._absolute_targets = self._scheme == "http" and bool(proxy) and not proxy.startswith("socks")
        super().__init__(pool_connections=1, pool_maxsize=POOL_SIZE)
        renew_in_child(self)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **pool_kwargs: Any) -> None:
        """Make the one pool of this adapter (requests calls this)."""
        options = {"num_pools": connections, "maxsize": maxsize, "block": block, **self._tls_options, **pool_kwargs}
        if not self._proxy:
            self.poolmanager = DirectManager(**options)
        elif self._proxy.startswith("socks"):
            try:
                self.poolmanager = socks_manager(self._proxy, **options)
            except ImportError:
                raise ConfigError(
                    "proxy-url: a socks5 proxy needs PySocks; install it (pip install PySocks) or use an http proxy"
                ) from None
        else:
            self.poolmanager = TunnelManager(
                self._proxy,
                proxy_headers=self.proxy_headers(self._proxy),
                proxy_ssl_context=self._proxy_context,
                **options,
            )
        parts = urlsplit(self.origin)
        self.pool: HTTPConnectionPool = self.poolmanager.connection_from_host(parts.hostname, parts.port, parts.scheme)

    def get_connection_with_tls_context(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> Any:
        """The pool of our server; an auth class cannot make us speak to another one."""
        url = request.url or ""
        if not url.startswith(self.origin) or url[len(self.origin) : len(self.origin) + 1] not in {"/", "?", ""}:
            raise InvalidURL(f"this client speaks to {self.origin} only", request=request)
        call = current_call()
        if call is not None:
            call.adapter = self
        return self.pool

    def cert_verify(self, *_: Any, **__: Any) -> None:
        """Nothing: requests would add certifi's CAs to the pool here."""

    def request_url(self, request: requests.PreparedRequest, proxies: Mapping[str, str] | None = None) -> str:
        """The request target, as it is in the URL: no dot segment removed, no escape changed."""
        del proxies
        url = request.url or ""
        if self._absolute_targets:
            return url
        return url[len(self.origin) :] or "/"

    def build_response(self, req: requests.PreparedRequest, resp: Any) -> Any:
        """An `Answer` for the transport's own requests, a `requests.Response` where anyone else looks."""
        call = current_call()
        # Without a call, or with one that has not been to the pool, somebody else answers (a mock).
        if call is None or not call.target or not getattr(req, "bare", False):
            return super().build_response(req, resp)
        return Answer(req, resp)

    def renew_after_fork(self) -> None:
        """In a forked child: connections of its own."""
        forget_all(self.pool)

    def close(self) -> None:
        """Close the idle connections; those in use are closed when they come back."""
        self.pool.close()
        super().close()
