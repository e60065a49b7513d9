"""A user's own `requests.Session`: its adapters, auth, hooks, headers and cookies, on our requests."""

from __future__ import annotations

import os
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import Any

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from requests.auth import HTTPBasicAuth
from requests.cookies import RequestsCookieJar, extract_cookies_to_jar, get_cookie_header
from requests.hooks import dispatch_hook
from requests.utils import default_headers

from dynkube.config.model import TLSConfig, Wrapper
from dynkube.errors import ConfigError
from dynkube.transport.adapter import ServerAdapter
from dynkube.transport.rotation import Rotation
from dynkube.transport.tls import as_file

__all__ = ["Auth", "SessionSender"]

Auth = requests.auth.AuthBase | Callable[[requests.PreparedRequest], requests.PreparedRequest]
"""What ``auth=`` takes: an auth class of requests, or any callable that is one."""


class SessionSender:
    """Sends prepared requests the way ``session`` wants it.

    A session that still has requests' own adapters gets ours: they know the config's TLS, keep connections alive
    and can be interrupted. Adapters that the user mounted are used as they are; they are told the config's CA and
    client certificate through ``verify`` and ``cert``, as requests does it. The session itself is not changed.
    """

    def __init__(
        self,
        session: requests.Session | None,
        auth: Auth | None,
        own: Rotation,
        tls: TLSConfig,
        proxy: str,
        wrappers: Sequence[Wrapper] = (),
    ) -> None:
        self._session = session
        self._own = own
        self._tls = tls
        self._proxy = proxy
        self._files = ExitStack()
        self._foreign: dict[str, Any] | None = None
        given = auth if auth is not None else getattr(session, "auth", None)
        self._auth: Auth | None = HTTPBasicAuth(*given) if isinstance(given, tuple) else given
        self._wrapped: Callable[[requests.PreparedRequest], Any] | None = None
        self._timeouts = threading.local()  # a wrapper hands on the request alone, or a copy of it
        if wrappers:
            self._wrapped = self._send_bare
            for wrapper in wrappers:
                self._wrapped = wrapper(self._wrapped)

    @property
    def auth(self) -> Auth | None:
        """The auth to be applied to each request."""
        return self._auth

    def extra_headers(self, given: tuple[tuple[str, str], ...]) -> Iterator[tuple[str, str]]:
        """The session's headers that ``given`` lacks, without those that requests puts into every session."""
        if self._session is None:
            return
        present = {name.lower() for name, _ in given}
        defaults = default_headers()
        for name, value in self._session.headers.items():
            text: Any = value.decode("latin-1") if isinstance(value, bytes) else value
            if text is not None and defaults.get(name) != text and name.lower() not in present:
                yield name, text

    def prepare(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Apply hooks, cookies and auth. What the user's code raises comes out as it is."""
        hooks = self._session.hooks if self._session is not None else {}
        request.hooks = {"response": list(hooks.get("response") or ())}
        jar = RequestsCookieJar()
        if self._session is not None:
            jar.update(self._session.cookies)
            cookie = get_cookie_header(jar, request)  # type: ignore[no-untyped-call]
            if cookie:
                request.headers["Cookie"] = cookie
        request._cookies = jar  # type: ignore[attr-defined]  # noqa: SLF001  # auth classes that send again copy it
        if self._auth is not None:
            request = self._auth(request)
            if isinstance(request.body, bytes):
                request.headers["Content-Length"] = str(len(request.body))
        return request

    def send(self, request: requests.PreparedRequest, timeout: tuple[float | None, float | None]) -> Any:
        """Send through the config's wrappers, and run the response hooks.

        Returns:
            A `requests.Response`, or an `adapter.Answer` where nobody else will look at it.
        """
        if self._wrapped is None:
            return self._send(request, timeout)
        before = getattr(self._timeouts, "now", None)
        self._timeouts.now = timeout
        try:
            return self._wrapped(request)
        finally:
            self._timeouts.now = before

    def _send_bare(self, request: requests.PreparedRequest) -> Any:
        return self._send(request, getattr(self._timeouts, "now", (None, None)))

    def _send(self, request: requests.PreparedRequest, timeout: tuple[float | None, float | None]) -> Any:
        own = self._own.adapter
        adapter, options = self._adapter(request, own)
        hooks = request.hooks
        # Set on the instance: the adapter reads it when it builds the response.
        request.bare = adapter is own and not hooks["response"] and self._wrapped is None  # type: ignore[attr-defined]
        options = {"stream": True, "timeout": timeout, **options}
        answer: Any = adapter.send(request, **options)
        if isinstance(answer, requests.Response):
            try:
                answer = dispatch_hook("response", hooks, answer, **options)  # type: ignore[no-untyped-call]
            except BaseException:
                answer.close()
                raise
        if self._session is not None:
            extract_cookies_to_jar(self._session.cookies, request, answer.raw)  # type: ignore[no-untyped-call]
        return answer

    def close(self) -> None:
        """Forget the files made for the session's adapters; the session stays the user's."""
        self._files.close()

    # ------------------------------------------------------------- adapters

    def _adapter(self, request: requests.PreparedRequest, own: ServerAdapter) -> tuple[BaseAdapter, dict[str, Any]]:
        if self._session is not None:
            adapter = self._session.get_adapter(request.url or "")
            if not _is_stock(adapter):
                if self._own.rotated:
                    raise ConfigError(
                        "session: an adapter of its own cannot show the client certificate that the exec plugin gave; "
                        "use no adapter of your own, or a plugin that gives a token"
                    )
                if self._foreign is None:
                    self._foreign = self._foreign_options(self._session)
                return adapter, self._foreign
        return own, {"verify": True, "cert": None, "proxies": {}}

    def _foreign_options(self, session: requests.Session) -> dict[str, Any]:
        proxies = dict(session.proxies)
        if self._proxy:
            proxies.setdefault("all", self._proxy)
        verify = session.verify if session.verify is not True else self._verify()
        return {"verify": verify, "cert": session.cert or self._certificate(), "proxies": proxies}

    def _verify(self) -> bool | str:
        if self._tls.insecure:
            return False
        if self._tls.ca_data:
            return self._files.enter_context(as_file(self._tls.ca_data))
        if self._tls.ca_file:
            return self._tls.ca_file
        paths = ssl.get_default_verify_paths()
        return paths.cafile or paths.capath or True  # True would be certifi's CAs: only where there are no others

    def _certificate(self) -> tuple[str, str] | None:
        tls = self._tls
        if not tls.has_client_certificate:
            return None
        if (tls.cert_data or tls.key_data) and not os.path.isdir("/proc/self/fd"):
            raise ConfigError(
                "session: an adapter of its own can take the client certificate from files only; "
                "use client-certificate and client-key instead of their -data, or no adapter of your own"
            )
        certificate = self._files.enter_context(as_file(tls.cert_data)) if tls.cert_data else tls.cert_file
        key = self._files.enter_context(as_file(tls.key_data)) if tls.key_data else tls.key_file
        return certificate, key


def _is_stock(adapter: BaseAdapter) -> bool:
    """Whether this is the adapter that every session is born with."""
    return type(adapter) is HTTPAdapter and not adapter.max_retries.total
