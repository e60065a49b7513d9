"""One request on the wire and its response, and the calls that a transport has under way."""

from __future__ import annotations

import contextlib
import logging
import math
import threading
import weakref
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.client import HTTPResponse as ParsedResponse
from typing import Any, cast

import requests
from urllib3 import HTTPHeaderDict, HTTPResponse
from urllib3.response import BaseHTTPResponse

from dynkube.errors import CancelledError, ClosedError, ConnectionLostError, CredentialError, DeadlineExceededError
from dynkube.forks import renew_in_child
from dynkube.transport.adapter import Answer
from dynkube.transport.auth import Credentials
from dynkube.transport.body import is_gzip, read_whole
from dynkube.transport.dial import Call, making
from dynkube.transport.failures import Failures, forget_frames
from dynkube.transport.rotation import Rotation
from dynkube.transport.scope import CallScope, CancelToken
from dynkube.transport.session import SessionSender
from dynkube.transport.source import Credential, CredentialSource
from dynkube.transport.wirelog import HTTP_LOG, WireLog
from dynkube.wire.messages import Headers, Request

__all__ = ["CONNECT_TIMEOUT", "CallsUnderWay", "Exchange", "Link"]

CONNECT_TIMEOUT = 30.0
"""Seconds for name lookup and connecting (client-go dials with 30 s)."""

_NO_HEADERS = cast(Headers, HTTPHeaderDict())
_REPLAYABLE = ("GET", "HEAD", "OPTIONS")


class CallsUnderWay:
    """The calls of one transport, to be ended when it closes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # Weak: a stream that its user dropped without closing must not keep its socket.
        self._calls: weakref.WeakSet[Call] = weakref.WeakSet()
        self._closed = False
        renew_in_child(self)

    def renew_after_fork(self) -> None:
        """The calls under way are the parent's."""
        self._lock = threading.Lock()
        self._calls = weakref.WeakSet()

    def begin(self, call: Call) -> None:
        """Raises `ClosedError` when there may be no more calls."""
        with self._lock:
            self.check()
            self._calls.add(call)

    def end(self, call: Call) -> None:
        """The call is over."""
        with self._lock:
            self._calls.discard(call)

    @property
    def closed(self) -> bool:
        """Whether there may be no more calls."""
        return self._closed

    def check(self) -> None:
        """Raises `ClosedError` when there may be no more calls."""
        if self._closed:
            raise ClosedError("the client has been closed")

    def end_streams(self, adapter: object) -> None:
        """Interrupt the streams that use a connection of ``adapter``: they end as if the server had hung up."""
        with self._lock:
            calls = [call for call in self._calls if call.streaming and call.adapter is adapter]
        for call in calls:
            call.interrupt()

    def close(self) -> None:
        """Interrupt every call, and allow no more."""
        with self._lock:
            self._closed = True
            calls = list(self._calls)
        for call in calls:
            call.interrupt()


@dataclass(frozen=True, slots=True)
class Link:
    """What every exchange with one server needs."""

    base_url: str
    decompress: bool
    calls: CallsUnderWay
    credentials: Credentials
    sender: SessionSender
    failures: Failures
    rotation: Rotation
    source: CredentialSource | None = None
    """Who gives the credential, where it is not a static one."""

    @contextmanager
    def asking(self, scope: CallScope) -> Iterator[CallScope]:
        """The scope for asking the source within ``scope``: it ends with that one, and when the transport closes."""
        call, ended = Call(), CancelToken()
        self.calls.begin(call)
        call.attach(ended.cancel, "getting credentials")
        disarm = scope.arm(call.interrupt)
        try:
            yield CallScope(cancel=ended)
        except CancelledError:
            scope.check()
            self.calls.check()
            raise
        finally:
            disarm()
            self.calls.end(call)


class Exchange:
    """One request on the wire and its response, until the body has been read."""

    __slots__ = (
        "_disarm",
        "_link",
        "_request",
        "_scope",
        "_target",
        "answer",
        "call",
        "credential",
        "gunzip",
        "headers",
        "log",
        "note",
        "parsed",
        "status",
    )

    def __init__(self, link: Link, request: Request, target: str, scope: CallScope, *, streaming: bool = False) -> None:
        scope.check()
        self._link = link
        self._request = request
        self._target = target
        self._scope = scope
        self.call = Call(streaming=streaming)
        link.calls.begin(self.call)
        self._disarm: Callable[[], None] = scope.arm(_weakly(self.call))
        self.answer: Any = None
        self.parsed: ParsedResponse | None = None
        self.status = 0
        self.note = ""
        """What there is to say about a refusal."""
        self.credential: Credential | None = None
        """What the request authenticated with, if the source gave it."""
        self.headers: Headers = _NO_HEADERS
        self.gunzip = False
        self.log: WireLog | None = None

    def submit(self, read_timeout: float) -> None:
        """Send the request and wait for the header of the response."""
        prepared = self._prepare()
        timeout = self._bounded(CONNECT_TIMEOUT), self._bounded(read_timeout)
        if HTTP_LOG.isEnabledFor(logging.DEBUG):
            self.log = WireLog(prepared)
        with making(self.call):
            self.answer = answer = self._link.sender.send(prepared, timeout)
        raw = answer.raw
        headers = raw.headers if isinstance(raw, BaseHTTPResponse) else HTTPHeaderDict(answer.headers)
        self.status = answer.status_code
        self.parsed = self.call.response if self.call.target else None
        if self.parsed is None and isinstance(raw, HTTPResponse):
            # A connection that is not ours: urllib3 knows its socket from now on.
            self.call.attach(partial(_shut_down_foreign, raw), "reading the response's body")
        self.call.phase = "reading the response's body"
        asked = prepared.headers.get("Accept-Encoding", "") if prepared.headers else ""
        self.gunzip = is_gzip(headers.get("Content-Encoding")) and (self._link.decompress or "gzip" in asked)
        if self.gunzip:
            # As Go does: what is left describes the body that the caller gets.
            headers.discard("Content-Encoding")
            headers.discard("Content-Length")
        self.headers = cast(Headers, headers)
        if self.log is not None:
            self.log.answered(self.status, headers)

    def _prepare(self) -> requests.PreparedRequest:
        request, link = self._request, self._link
        given = request.headers
        extra = tuple(link.sender.extra_headers(given))
        prepared = requests.PreparedRequest()
        prepared.method = request.method
        prepared.url = link.base_url + self._target
        headers = link.credentials.headers(given + extra if extra else given)
        prepared.headers = headers  # type: ignore[assignment]  # a dict of requests' would collapse repeated lines
        prepared.body = request.body  # type: ignore[assignment]
        if isinstance(request.body, bytes):
            headers["Content-Length"] = str(len(request.body))
        prepared = link.sender.prepare(prepared)
        if link.source is None:
            link.credentials.authorize(prepared.headers)
        else:
            self._authenticate(link.source, prepared.headers)
        # Something else comes last: the loop over the headers in urllib3 leaves the last one in a local variable, and
        # a traceback that prints those would show it.
        agent = prepared.headers.pop("User-Agent", None)
        if agent is not None:
            prepared.headers["User-Agent"] = agent
        return prepared

    def _authenticate(self, source: CredentialSource, headers: MutableMapping[str, str]) -> None:
        if "Authorization" in headers:
            return  # what the caller says wins, and the plugin does not run (client-go's exec.roundTripper)
        credential = source.current()
        if credential is None:
            try:
                with self._link.asking(self._scope) as scope:
                    credential = source.obtain(scope)
            except CredentialError as error:
                error.method, error.url = self._request.method, f"{self._link.base_url}{self._request.path}"
                raise
        self.credential = credential
        self._link.rotation.show(credential)
        if credential.token:
            headers["Authorization"] = f"Bearer {credential.token}"

    def _bounded(self, seconds: float) -> float | None:
        bound = self._scope.bound(None if math.isinf(seconds) else seconds)
        return None if bound is None else max(bound, 0.001)  # 0 is an error to urllib3; the scope ends it anyway

    def body(self) -> bytes:
        """The whole body."""
        if isinstance(self.answer, Answer):
            return read_whole(self.answer.raw, gunzip=self.gunzip)
        content: bytes = self.answer.content
        return content

    @property
    def replayable(self) -> bool:
        """Whether the request can be sent a second time."""
        return self._request.replayable

    def is_stale(self, failure: Exception) -> bool:
        """Whether the failure was that of an idle connection, and the request may be sent again."""
        return (
            isinstance(failure, ConnectionLostError)
            and self.call.reused
            and not self.call.started
            and not self.call.interrupted
            and self._request.method in _REPLAYABLE
            and self._request.body is None
        )

    def check(self) -> None:
        """Raise what interrupted this exchange."""
        self._scope.check()
        self._link.calls.check()

    def explain(self, error: Exception) -> Exception | None:
        """Our error for ``error``; None if it is a user's own."""
        if self.log is not None and not self.status:
            self.log.failed(error)
        try:
            self.check()
        except (CancelledError, DeadlineExceededError, ClosedError) as ending:
            forget_frames(ending)  # and of the error, its context
            return ending
        found = self._link.failures.explain(
            error,
            method=self._request.method,
            path=self._request.path,
            phase=self.call.phase,
            started=self.call.started,
        )
        if found is not None and found is not error:
            forget_frames(error)
        return found

    def explained(self, error: Exception) -> Exception:
        """`explain`, or ``error`` itself."""
        return self.explain(error) or error

    def finish(self) -> None:
        """Nothing may interrupt this exchange any more."""
        self._disarm()
        self._link.calls.end(self.call)


def _weakly(call: Call) -> Callable[[], object]:
    # A token outlives the calls it may end; it must not keep the sockets of streams that were dropped.
    reference = weakref.ref(call)

    def interrupt() -> None:
        found = reference()
        if found is not None:
            found.interrupt()

    return interrupt


def _shut_down_foreign(raw: HTTPResponse) -> None:
    with contextlib.suppress(ValueError, RuntimeError, OSError):  # it has been closed, or is back in its pool
        raw.shutdown()
