"""`Transport`: one request in, one response or stream out, over `requests`."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import Self
from urllib.parse import urljoin

import requests

from dynkube.config.model import RESTConfig, TLSConfig
from dynkube.errors import ConnectError, CredentialError, DecodeError, InvalidRequestError, TransportError
from dynkube.observers import Rotation as RotationEvent
from dynkube.observers import host_of, notify
from dynkube.transport.adapter import ServerAdapter
from dynkube.transport.auth import Credentials
from dynkube.transport.body import source_of
from dynkube.transport.exchange import CallsUnderWay, Exchange, Link
from dynkube.transport.failures import Failures
from dynkube.transport.pool import drop_idle
from dynkube.transport.proxies import proxy_for
from dynkube.transport.rotation import Rotation
from dynkube.transport.scope import CallScope
from dynkube.transport.session import Auth, SessionSender
from dynkube.transport.source import CredentialSource
from dynkube.transport.stream import Stream
from dynkube.transport.tls import client_context, proxy_context
from dynkube.transport.upgrade import Upgraded
from dynkube.wire.messages import Request, Response

_log = logging.getLogger("dynkube.transport")

__all__ = ["READ_TIMEOUT", "STREAM_READ_TIMEOUT", "Transport"]

READ_TIMEOUT = 60.0
"""Seconds without a byte of the response (the API server itself gives up a request after 60 s)."""
STREAM_READ_TIMEOUT = 330.0
"""Seconds without a byte in a stream: above the 295 s after which the server ends the longest watch we ask for."""

_MAX_REDIRECTS = 5
_DRAIN_BYTES = 2048
_REDIRECTS = (301, 302, 303, 307, 308)
_TARGET = re.compile(r"/[\x21\x22\x24-\x7e]*")  # "#" would be the end of it for some
_HTTPS_WANTED = b"Client sent an HTTP request to an HTTPS server"


class Transport:
    """Speaks HTTP to the server of one config. Safe to use from many threads.

    Args:
        config: The server, its trust, the credentials. Proxies of the environment are looked up now.
        session: A user's session, for its adapters, auth, hooks, headers and cookies. Its ``verify`` and ``cert``
            count for adapters of its own; ``trust_env`` never counts.
        auth: An auth class of requests. Where it sets no Authorization header, the config's credentials do.
        source: Who gives the credential where the config names a plugin: `dynkube.credentials.source_for` makes one,
            and `dynkube.rest.RESTClient` hands it over.
        clock: Seconds, only ever rising: when files are read again goes by it.

    Raises:
        ConfigError: The CA, client certificate, token file or proxy of the config cannot be used, or it names a plugin
            and there is no ``source``.
    """

    def __init__(
        self,
        config: RESTConfig,
        *,
        session: requests.Session | None = None,
        auth: Auth | None = None,
        source: CredentialSource | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if source is None:
            config.require_static_credentials()
        self._base_url = config.base_url
        self._prefix = config.path_prefix
        found = proxy_for(config)
        proxy = found.url if found is not None else ""
        calls = CallsUnderWay()
        if config.tls.insecure and config.is_tls:
            _warn_of_insecure(config.base_url)
        speaks_tls = config.is_tls or proxy.startswith("https:")
        self._rotation = Rotation(
            config.tls if speaks_tls else TLSConfig(),  # files that nobody needs are not read
            (config.base_url, proxy),
            partial(_adapter, config.base_url, proxy),
            calls.end_streams,
            told=partial(_tell_rotation, config),
            clock=clock,
        )
        self._link = Link(
            base_url=config.base_url,
            decompress=not config.disable_compression,
            calls=calls,
            credentials=Credentials(config, clock=clock),
            sender=SessionSender(session, auth, self._rotation, config.tls, proxy, config.wrappers),
            failures=Failures(config, proxy),
            rotation=self._rotation,
            source=source,
        )
        if source is not None:
            source.listen(self._rotation.show)

    def send(self, request: Request, *, scope: CallScope | None = None, read_timeout: float | None = None) -> Response:
        """Send ``request`` and read the whole response, un-gzipped.

        A redirect of a GET within this server is followed.

        Args:
            request: What to ask.
            scope: The call's deadline and cancel token.
            read_timeout: Seconds that the server may stay silent (60 by default, ``math.inf`` for ever).

        Returns:
            The response, whatever its status.

        Raises:
            ConnectError: No connection; `TLSError` where TLS is the reason.
            RequestTimeoutError: Connecting or reading took too long.
            ConnectionLostError: The connection broke before the response was complete.
            DecodeError: The body is not the gzip that it says it is.
            DeadlineExceededError: The scope's deadline passed.
            CancelledError: The scope's token was cancelled.
            ClosedError: The transport is closed.
            InvalidRequestError: The request cannot be sent.
        """
        scope = scope or CallScope()
        patience = _checked(READ_TIMEOUT if read_timeout is None else read_timeout)
        target = self._prefix + request.target
        for _ in range(_MAX_REDIRECTS + 1):
            response = self._whole(request, target, scope, patience)
            location = self._redirect(request, target, response.status, response.headers.get("Location"))
            if location is None:
                return response
            target = location
        raise self._too_many_redirects(request)

    def stream(self, request: Request, *, scope: CallScope | None = None, read_timeout: float | None = None) -> Stream:
        """Send ``request`` and hand over the body as it arrives, whatever the status.

        The stream keeps its connection to itself until it is read to the end or closed; ``scope`` covers it until
        then.

        Args:
            request: What to ask.
            scope: The call's deadline and cancel token.
            read_timeout: Seconds that the server may stay silent (330 by default, ``math.inf`` for ever).

        Raises:
            TransportError: As `send`, up to the response's header.
        """
        scope = scope or CallScope()
        patience = _checked(STREAM_READ_TIMEOUT if read_timeout is None else read_timeout)
        target = self._prefix + request.target
        for _ in range(_MAX_REDIRECTS + 1):
            stream = self._stream(request, target, scope, patience)
            if isinstance(stream, Upgraded):
                stream.close()
                raise TransportError(f"{self._base_url}: the server switched protocols, which nobody asked for")
            location = self._redirect(request, target, stream.status, stream.headers.get("Location"))
            if location is None:
                return stream
            stream.close()
            target = location
        raise self._too_many_redirects(request)

    def upgrade(
        self, request: Request, *, scope: CallScope | None = None, read_timeout: float | None = None
    ) -> Upgraded | Stream:
        """Send a request that asks for another protocol, on a connection of its own.

        Never sent twice, but for a 401 with a credential that can be renewed; redirects are not followed.

        Args:
            request: What to ask, with its Connection and Upgrade headers.
            scope: The deadline and cancel token, of the connection too.
            read_timeout: Seconds that the server may take to answer (60 by default, ``math.inf`` for ever).

        Returns:
            The connection after a 101; the response as a stream after any other answer.

        Raises:
            TransportError: As `send`, up to the response's header.
        """
        scope = scope or CallScope()
        patience = _checked(READ_TIMEOUT if read_timeout is None else read_timeout)
        return self._stream(request, self._prefix + request.target, scope, patience, fresh=True)

    def close(self) -> None:
        """Close every connection; calls and streams under way end in `ClosedError`. Closing twice is fine."""
        self._link.calls.close()
        self._rotation.close()
        self._link.sender.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Transport {self._base_url}>"

    def _replaced(self, exchange: Exchange, scope: CallScope) -> bool:
        """After a 401: whether the request is worth another attempt, with another credential than the refused one."""
        source, rejected = self._link.source, exchange.credential
        if source is None or rejected is None:
            return False
        try:
            with self._link.asking(scope) as asking:
                found = source.renew(rejected, asking)
        except CredentialError as error:
            exchange.note = f"the credential was refused, and there is no other: {error}"
            return False
        if found.same_as(rejected):
            exchange.note = "the credential was refused, and asked for another one its plugin or issuer gave the same"
        elif not exchange.replayable:
            exchange.note = "the credential was refused; there is another one now, but this body cannot be sent again"
        return not exchange.note

    # ------------------------------------------------------------- one exchange

    def _whole(self, request: Request, target: str, scope: CallScope, read_timeout: float) -> Response:
        exchange, response = self._read(request, target, scope, read_timeout)
        if exchange.credential is not None and response.status == 401:
            if self._replaced(exchange, scope):
                return self._read(request, target, scope, read_timeout)[1]
            return replace(response, note=exchange.note)
        return response

    def _read(self, request: Request, target: str, scope: CallScope, read_timeout: float) -> tuple[Exchange, Response]:
        exchange = self._open(request, target, scope, read_timeout)
        try:
            body = exchange.body()
        except Exception as error:
            raise exchange.explained(error) from error
        finally:
            exchange.finish()
        if exchange.log is not None:
            exchange.log.received(body, exchange.headers)
        if exchange.call.cut:  # what looks like the end of the body is not
            exchange.check()
        if not self._base_url.startswith("https:"):
            self._check_scheme(exchange.status, body)
        return exchange, Response(status=exchange.status, headers=exchange.headers, body=body, request=request)

    def _stream(
        self, request: Request, target: str, scope: CallScope, read_timeout: float, *, fresh: bool = False
    ) -> Stream | Upgraded:
        exchange = self._open(request, target, scope, read_timeout, streaming=True, fresh=fresh)
        stream = self._opened(request, exchange)
        if isinstance(stream, Upgraded):
            return stream
        if exchange.credential is None or exchange.status != 401:
            return stream
        try:
            replaced = self._replaced(exchange, scope)
        except BaseException:
            stream.close()
            raise
        if not replaced:
            stream.note = exchange.note
            return stream
        _drain(stream)
        again = self._open(request, target, scope, read_timeout, streaming=True, fresh=fresh)
        return self._opened(request, again)

    def _opened(self, request: Request, exchange: Exchange) -> Stream | Upgraded:
        if exchange.status == 101:
            return Upgraded(request, exchange)
        return Stream(
            request,
            exchange.status,
            exchange.headers,
            source_of(exchange.answer, exchange.parsed),
            call=exchange.call,
            gunzip=exchange.gunzip,
            explain=exchange.explain,
            finish=exchange.finish,
        )

    def _open(
        self,
        request: Request,
        target: str,
        scope: CallScope,
        read_timeout: float,
        *,
        streaming: bool = False,
        fresh: bool = False,
    ) -> Exchange:
        """Send, and wait for the header of the response."""
        if not _TARGET.fullmatch(target):
            raise InvalidRequestError(f"path or query of {request.method} {request.path!r}: not escaped")
        self._rotation.refresh()
        if streaming:
            self._rotation.keep_polling()
        replayed = False
        while True:
            exchange = Exchange(self._link, request, target, scope, streaming=streaming)
            exchange.call.fresh = fresh
            try:
                exchange.submit(read_timeout)
            except Exception as error:
                exchange.finish()
                failure = exchange.explain(error)
                if failure is None or failure is error:
                    raise
                if replayed or not exchange.is_stale(failure):
                    raise failure from error
                # The server closed an idle connection while the request was on its way; Go's net/http replays
                # these requests too. All idle connections are as old, so the replay gets a new one.
                replayed = True
                drop_idle(self._rotation.adapter.pool)
            except BaseException:
                exchange.finish()
                raise
            else:
                return exchange

    def _redirect(self, request: Request, target: str, status: int, location: str | None) -> str | None:
        """The target to ask instead. Never that of another server: our credentials are for this one."""
        if status not in _REDIRECTS or not location or request.method not in {"GET", "HEAD"}:
            return None
        url = urljoin(self._base_url + target, location).partition("#")[0]
        if not url.startswith(f"{self._base_url}/"):
            return None
        return url[len(self._base_url) :]

    def _too_many_redirects(self, request: Request) -> TransportError:
        return TransportError(
            f"{self._base_url}: more than {_MAX_REDIRECTS} redirects; is something in front of the API server?",
            method=request.method,
            url=self._base_url + request.path,
        )

    def _check_scheme(self, status: int, body: bytes) -> None:
        if status == 400 and body.startswith(_HTTPS_WANTED):
            raise ConnectError(f"{self._base_url}: the server there wants https; write server: https://...")


def _adapter(base_url: str, proxy: str, tls: TLSConfig, contents: Mapping[str, bytes]) -> ServerAdapter:
    return ServerAdapter(
        base_url,
        context=client_context(tls, contents) if base_url.startswith("https:") else None,
        server_name=tls.server_name,
        proxy=proxy,
        proxy_context=proxy_context(tls, contents) if proxy.startswith("https://") else None,
    )


_warned_of: set[str] = set()


def _warn_of_insecure(base_url: str) -> None:
    if base_url not in _warned_of:
        _warned_of.add(base_url)
        _log.warning(
            "%s: insecure-skip-tls-verify is on: whoever is on the way can read and change everything, credentials "
            "included; set certificate-authority instead",
            base_url,
        )


def _tell_rotation(config: RESTConfig, what: str) -> None:
    host = host_of(config.base_url)
    _log.info("%s: the %s has changed; new connections go by it", config.base_url, what)
    notify(config.observers, lambda observer: observer.on_rotation, RotationEvent(host=host, what=what))


def _drain(stream: Stream) -> None:
    # A little more read lets the connection be used again.
    try:
        stream.read_all(_DRAIN_BYTES)
    except (TransportError, DecodeError):
        pass
    finally:
        stream.close()


def _checked(read_timeout: float) -> float:
    if not read_timeout > 0:
        raise InvalidRequestError(f"read_timeout: want seconds above 0, or math.inf, got {read_timeout!r}")
    return read_timeout
