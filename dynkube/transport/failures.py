"""What went wrong, in our errors: which server, what failed, what to do about it; never a credential."""

from __future__ import annotations

import errno
import http.client
import re
import socket
import ssl
from typing import TypeVar
from urllib.parse import urlsplit

import requests
import urllib3
from urllib3.exceptions import (
    ClosedPoolError,
    ConnectTimeoutError,
    HTTPError,
    IncompleteRead,
    LocationParseError,
    NewConnectionError,
    ProtocolError,
    ProxyError,
    ReadTimeoutError,
)

from dynkube.config.model import RESTConfig, redact_url
from dynkube.errors import (
    ClosedError,
    ConfigError,
    ConnectError,
    ConnectionLostError,
    DecodeError,
    DynkubeError,
    InvalidRequestError,
    RequestTimeoutError,
    TLSError,
    TransportError,
)
from dynkube.transport.tls import describe_trust

__all__ = ["Failures", "forget_frames"]

_Error = TypeVar("_Error", bound=BaseException)

_HOST_MISMATCH = {62, 64}  # X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH
_NOT_VALID_IN_TIME = {9, 10}  # X509_V_ERR_CERT_NOT_YET_VALID, X509_V_ERR_CERT_HAS_EXPIRED
_SPEAKS_NO_TLS = re.compile("WRONG_VERSION_NUMBER|HTTP_REQUEST|UNKNOWN_PROTOCOL|RECORD_LAYER_FAILURE|PACKET_LENGTH")
_REFUSED_CLIENT = re.compile("ALERT_(BAD_CERTIFICATE|CERTIFICATE_|UNKNOWN_CA|ACCESS_DENIED)|HANDSHAKE_FAILURE")
_ENDS = (http.client.IncompleteRead, http.client.RemoteDisconnected)
_LOST = (errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED, errno.ENOTCONN, errno.EBADF, errno.ESHUTDOWN)


class Failures:
    """Explains the failures of one transport.

    Args:
        config: For the server's address, its trust, and where to mend them.
        proxy: The proxy that the server is reached through, or ``""``.
    """

    def __init__(self, config: RESTConfig, proxy: str) -> None:
        parts = urlsplit(config.base_url)
        self._tls = config.is_tls
        port = parts.port or (443 if self._tls else 80)
        host = parts.hostname or ""
        self._host = host
        self._server = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self._base_url = config.base_url
        self._trust = describe_trust(config.tls)
        self._has_ca = config.tls.has_ca
        self._name = config.tls.server_name or host
        # A plugin may give one, too.
        self._has_certificate = config.tls.has_client_certificate or config.exec is not None
        self._config = f" (from {config.source})" if config.source else ""
        proxy_parts = urlsplit(proxy)
        self._proxy = f"{proxy_parts.hostname}:{proxy_parts.port or ''}".rstrip(":") if proxy else ""

    def explain(self, error: Exception, *, method: str, path: str, phase: str, started: bool) -> DynkubeError | None:
        """Our error for ``error``, or None for one that came out of a user's own code.

        Args:
            error: What requests, urllib3, http.client or the socket raised.
            method: For the error's ``method``.
            path: For the error's ``url``.
            phase: What the call was doing.
            started: Whether a byte of the response had arrived.
        """
        if isinstance(error, DynkubeError):
            return error
        if not isinstance(error, requests.RequestException | HTTPError | http.client.HTTPException | OSError):
            return None
        found = self._classify(error, _links(error), phase, started)
        if isinstance(found, TransportError):
            found.method, found.url = method, f"{self._base_url}{path}"
        return found

    def _classify(self, error: Exception, chain: list[BaseException], phase: str, started: bool) -> DynkubeError:
        for test in (self._proxied, self._certificate, self._handshake, self._no_connection, self._timeout):
            found = test(chain, phase)
            if found is not None:
                return found
        return self._broken(chain, phase, started) or self._other(error)

    # ------------------------------------------------------------- one question each

    def _certificate(self, chain: list[BaseException], phase: str) -> DynkubeError | None:
        del phase
        found = _first(chain, ssl.SSLCertVerificationError)
        if found is None:
            return None
        said = getattr(found, "verify_message", "") or "certificate verify failed"
        code = getattr(found, "verify_code", 0)
        if code in _HOST_MISMATCH:
            fix = f"its certificate is for other names than {self._name!r}; set tls-server-name to one that it has"
        elif code in _NOT_VALID_IN_TIME:
            fix = "renew the server's certificate, or set this machine's clock"
        else:
            ask = "is that the CA of this server?" if self._has_ca else "set certificate-authority to this server's CA"
            fix = f"it is checked against {self._trust}; {ask}"
        return TLSError(f"{self._server}: the server's certificate is not trusted: {said}; {fix}{self._config}")

    def _proxied(self, chain: list[BaseException], phase: str) -> DynkubeError | None:
        del phase
        if _first(chain, ProxyError, requests.exceptions.ProxyError) is None or not self._proxy:
            return None
        said = _root_text(chain)
        return ConnectError(
            f"{self._server}: the proxy {self._proxy} does not connect us: {said}; "
            "check proxy-url, or HTTPS_PROXY and NO_PROXY"
        )

    def _handshake(self, chain: list[BaseException], phase: str) -> DynkubeError | None:
        if _first(chain, ssl.SSLEOFError, ssl.SSLZeroReturnError) is not None:
            return None  # the connection broke; that it was a TLS connection is no matter
        found = _first(chain, ssl.SSLError, requests.exceptions.SSLError, urllib3.exceptions.SSLError)
        if found is None:
            return None
        reason = getattr(_first(chain, ssl.SSLError), "reason", None) or ""
        if _SPEAKS_NO_TLS.search(reason) and phase == "TLS handshake":
            why = "it does not speak TLS; is it plain http (server: http://...), or another port?"
        elif _REFUSED_CLIENT.search(reason):
            which = "refused our client certificate" if self._has_certificate else "wants a client certificate"
            why = f"the server {which} ({reason}); check client-certificate and client-key"
        else:
            why = reason or _root_text(chain)
        return TLSError(f"{self._server}: TLS failed: {why}{self._config}")

    def _timeout(self, chain: list[BaseException], phase: str) -> DynkubeError | None:
        kinds = (requests.exceptions.Timeout, ConnectTimeoutError, ReadTimeoutError, TimeoutError)
        if _first(chain, *kinds) is None:
            return None
        return RequestTimeoutError(f"{self._server}: timed out while {_doing(phase)}; is the server up and reachable?")

    def _no_connection(self, chain: list[BaseException], phase: str) -> DynkubeError | None:
        unknown = _first(chain, socket.gaierror)
        if unknown is not None:
            where = f"proxy {self._proxy}" if self._proxy else f"host {self._host}"
            return ConnectError(
                f"{self._server}: the {where} is unknown: {unknown.strerror}; check server{self._config}"
            )
        if _first(chain, ConnectionRefusedError) is not None:
            return ConnectError(
                f"{self._server}: connection refused, nobody listens there; is the API server up at {self._server}, "
                f"and is that the config's server{self._config}?"
            )
        if _first(chain, NewConnectionError) is not None:
            if any(
                map(_is_loss, chain)
            ):  # accepted and reset at once: whether we see it now or in the handshake is luck
                return self._lost(chain, phase, started=False)
            return ConnectError(f"{self._server}: cannot connect: {_root_text(chain)}; check server{self._config}")
        return None

    def _broken(self, chain: list[BaseException], phase: str, started: bool) -> DynkubeError | None:
        if _first(chain, ClosedPoolError) is not None:
            return ClosedError("the client has been closed")
        if _first(chain, requests.exceptions.ContentDecodingError, urllib3.exceptions.DecodeError) is not None:
            return DecodeError(f"{self._server}: the response's body is not what its Content-Encoding says")
        if phase == "waiting for the response":
            odd = [
                each for each in chain if isinstance(each, http.client.HTTPException) and not isinstance(each, _ENDS)
            ]
            if odd:
                said = _root_text([odd[0]])[:100]
                return TransportError(f"{self._server}: the answer is not HTTP: {said!r}; {self._other_protocol(said)}")
        kinds = (ProtocolError, IncompleteRead, http.client.HTTPException, requests.exceptions.ChunkedEncodingError)
        if _first(chain, *kinds) is None and not any(map(_is_loss, chain)):
            return None
        return self._lost(chain, phase, started=started)

    def _lost(self, chain: list[BaseException], phase: str, *, started: bool) -> ConnectionLostError:
        # What a TLS server makes of plain http is often just that.
        hint = "" if self._tls or started else "; does the server speak https (server: https://...)?"
        return ConnectionLostError(
            f"{self._server}: the connection was lost while {_doing(phase)}: {_root_text(chain)}{hint}",
            response_started=started,
        )

    def _other_protocol(self, line: str) -> str:
        # A TLS alert begins with its content type, 21.
        if "\x15\x03" in line or not self._tls:
            return "is it https (server: https://...), or another port?"
        return "is that the port of an API server?"

    def _other(self, error: Exception) -> DynkubeError:
        exceptions = requests.exceptions
        if isinstance(error, exceptions.InvalidProxyURL):
            return ConfigError("proxy-url: not a URL with a host")
        if isinstance(error, exceptions.StreamConsumedError):
            return ClosedError("the response has been read already")
        if isinstance(error, exceptions.InvalidJSONError):
            return DecodeError(f"{self._server}: {error}")
        invalid = (
            exceptions.URLRequired,
            exceptions.MissingSchema,
            exceptions.InvalidSchema,
            exceptions.InvalidURL,
            exceptions.InvalidHeader,
            exceptions.UnrewindableBodyError,
            LocationParseError,
        )
        if isinstance(error, invalid):
            return InvalidRequestError(str(error))
        kind = ConnectError if isinstance(error, exceptions.ConnectionError) else TransportError
        return kind(f"{self._server}: {_root_text(_links(error))}")


def forget_frames(error: BaseException) -> None:
    """Take the frames off an error and what it wraps: they hold the request as it was sent, its body and header."""
    for each in _links(error):
        each.__traceback__ = None


def _is_loss(error: BaseException) -> bool:
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError | ConnectionError):
        return not isinstance(error, ConnectionRefusedError)
    return isinstance(error, OSError) and error.errno in _LOST


def _doing(phase: str) -> str:
    return "doing the TLS handshake" if phase == "TLS handshake" else phase


def _links(error: BaseException) -> list[BaseException]:
    """``error`` and what it wraps: urllib3 and requests keep causes in four different places."""
    found: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        each = waiting.pop(0)
        if isinstance(each, BaseException) and not any(each is other for other in found):
            found.append(each)
            waiting += [getattr(each, "reason", None), *each.args, each.__cause__, each.__context__]
    return found


def _first(chain: list[BaseException], *kinds: type[_Error]) -> _Error | None:
    return next((each for each in chain if isinstance(each, kinds)), None)


def _root_text(chain: list[BaseException]) -> str:
    """The words of the innermost error: those around it repeat them, with the URL and object addresses."""
    roots = [each for each in chain if isinstance(each, OSError | http.client.HTTPException)]
    root = (roots or chain)[-1]
    said = getattr(root, "strerror", None) or (root.args[0] if root.args and isinstance(root.args[0], str) else "")
    return redact_url(said) if said else type(root).__name__
