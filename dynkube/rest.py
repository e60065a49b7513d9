"""The REST client: requests over a transport, with retries, warnings and typed errors.

Every other client speaks through a `RESTClient`. Its counterpart in client-go is rest/client.go and
rest/request.go.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar

from dynkube.codec import gc_paused
from dynkube.config.model import RESTConfig
from dynkube.errors import (
    APIStatusError,
    CancelledError,
    ClosedError,
    ConnectionLostError,
    DeadlineExceededError,
    DecodeError,
    DynkubeError,
    RequestTimeoutError,
    TransportError,
    UpgradeError,
)
from dynkube.forks import renew_in_child
from dynkube.observers import Attempt, LimiterWait, Retry, host_of, notify
from dynkube.patches import PatchType
from dynkube.transport import CallScope, CancelToken, CredentialSource, Stream, Transport, Upgraded
from dynkube.wire.messages import Headers, Request, Response
from dynkube.wire.request import RequestBuilder
from dynkube.wire.response import Result, status_error_of
from dynkube.wire.retry import Mode, RetryPolicy
from dynkube.wire.warnings import WarningHandler, log_warning, parse_warning_headers
from dynkube.wire.watch import AnyWatchEvent, EventType, WatchDecoder, WatchEvent

if TYPE_CHECKING:
    from requests import Session  # noqa: TID251 - a name in annotations
    from requests.auth import AuthBase  # noqa: TID251 - likewise

    from dynkube.ratelimit import RateLimiter

__all__ = ["RESTClient", "RESTRequest", "WatchStream", "set_default_warning_handler"]

_DRAIN_BYTES = 2048
_ERROR_BODY_BYTES = 2 * 2**20
_HEAD_BYTES = 80
_LONG_WAIT = 0.05  # CG/rest/request.go, longThrottleLatency and extraLongThrottleLatency
_EXTRA_LONG_WAIT = 1.0
# Bytes of a watch that are taken at once where so many have arrived: what comes together is handed on together.
_PIECE = 1 << 18
# So many of such reads the garbage collector pauses for at most.
_BURST = 32
_log = logging.getLogger("dynkube.rest")

_default_warning_handler: list[WarningHandler] = [log_warning]


def set_default_warning_handler(handler: WarningHandler | None) -> None:
    """Choose who is told of warnings where neither the client nor the request says.

    Args:
        handler: takes each warning; None restores the logger ``dynkube.warnings``.
    """
    _default_warning_handler[0] = handler if handler is not None else log_warning


class _Answer(Protocol):
    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Headers: ...


_A = TypeVar("_A", bound=_Answer)


class RESTClient:
    """Sends requests to one server. Thread-safe.

    Args:
        config: where the server is and who we are.
        transport: what to send through; made from ``config`` by default.
        session: a ``requests.Session`` of the user's, for the transport.
        auth: a ``requests`` auth object of the user's, for the transport.
        warnings: who is told of the server's ``Warning`` headers.
        retry: how often a refused request is repeated.

    Raises:
        ConfigError: the config cannot be used.

    Example:
        >>> client = RESTClient(RESTConfig(host="https://127.0.0.1:6443"))
        >>> client.get().abs_path("/version").build().target
        '/version'
        >>> client.close()
    """

    def __init__(
        self,
        config: RESTConfig,
        *,
        transport: Transport | None = None,
        session: Session | None = None,
        auth: AuthBase | None = None,
        warnings: WarningHandler | None = None,
        retry: RetryPolicy | None = None,
    ) -> None:
        self.config = config
        if transport is None:
            transport = Transport(config, session=session, auth=auth, source=_credential_source(config))
        self.transport = transport
        self._warnings = warnings
        self._retry = retry if retry is not None else RetryPolicy()
        self._timeout = config.timeout
        self._closing = CancelToken()
        self._limiter = config.limiter
        self._observers = config.observers
        self._host = host_of(config.base_url)
        renew_in_child(self)

    # ---------------------------------------------------------------- requests as values

    def execute(
        self,
        request: Request,
        *,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
        warnings: WarningHandler | None = None,
        parse_status: bool = True,
    ) -> Response:
        """Send a request and read its response whole.

        Args:
            request: what to ask.
            timeout: seconds for the whole call, attempts and waits included; the config's by default.
            cancel: a token that ends the call.
            warnings: who is told of warnings, instead of the client's handler.
            parse_status: whether a ``Status`` in the body may say what went wrong.

        Returns:
            A response with a status of 200-206; a 304 too, if the request has ``If-None-Match``.

        Raises:
            APIStatusError: the server refused; the subclass for the reason.
            TransportError: no complete response came.
            DeadlineExceededError: the timeout ran out.
            CancelledError: the token was cancelled.
            ClosedError: the client is closed.
        """
        scope = CallScope(timeout if timeout is not None else self._timeout, cancel)
        response, notes = self._attempts(request, scope, "do", self._send)
        self._tell(response.headers, warnings)
        if 200 <= response.status <= 206 or (response.status == 304 and _is_conditional(request)):
            return response
        with _mentioning(notes):
            raise status_error_of(response, parse_status=parse_status)

    def stream(
        self,
        request: Request,
        *,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
        warnings: WarningHandler | None = None,
        read_timeout: float | None = None,
    ) -> Stream:
        """Send a request and hand over the body as it arrives.

        Args:
            request: what to ask.
            timeout: seconds until the stream must be read to its end; None sets no limit.
            cancel: a token that ends the call, and the stream.
            warnings: who is told of warnings, instead of the client's handler.
            read_timeout: seconds that the server may stay silent.

        Returns:
            An open stream of a response with a status of 200-299; close it.

        Raises:
            APIStatusError: the server refused.
            TransportError: no response came.
        """
        scope = CallScope(timeout, cancel)

        def send(request: Request, scope: CallScope) -> Stream:
            return self.transport.stream(request, scope=scope, read_timeout=read_timeout)

        stream, notes = self._attempts(request, scope, "stream", send)
        self._accept(stream, warnings, notes, last_success=299)
        return stream

    def watch(
        self,
        request: Request,
        *,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
        warnings: WarningHandler | None = None,
        idle_timeout: float | None = None,
    ) -> WatchStream:
        """Open a watch: one request, until the server ends it.

        Args:
            request: a watch request.
            timeout: seconds until the watch ends in `DeadlineExceededError`; None sets no limit.
            cancel: a token that ends the watch in `CancelledError`.
            warnings: who is told of warnings, instead of the client's handler.
            idle_timeout: seconds that the server may stay silent.

        Returns:
            The events; close it. An empty one where the connection was lost again and again
            before an answer (2.7.9 in docs/reference/parity).

        Raises:
            APIStatusError: the server refused; any status but 200 is a refusal.
            DecodeError: the answer is no JSON.
            TransportError: no connection.
        """
        scope = CallScope(timeout, cancel)

        def send(request: Request, scope: CallScope) -> Stream:
            return self.transport.stream(request, scope=scope, read_timeout=idle_timeout)

        try:
            stream, notes = self._attempts(request, scope, "watch", send)
        except TransportError as error:
            if not self._retry.is_quiet_end(error, "watch"):
                raise
            return WatchStream(None)
        self._accept(stream, warnings, notes, last_success=200)
        _check_media_type(stream)
        return WatchStream(stream)

    def upgrade(
        self,
        request: Request,
        *,
        scope: CallScope | None = None,
        warnings: WarningHandler | None = None,
    ) -> Upgraded:
        """Send a request that asks for another protocol, a WebSocket for one, and hand over the connection.

        Args:
            request: what to ask, with its Connection and Upgrade headers.
            scope: the deadline by which the connection must be closed, and the token that ends it.
            warnings: who is told of warnings, instead of the client's handler.

        Returns:
            The connection after a ``101 Switching Protocols``; close it.

        Raises:
            APIStatusError: the server refused; its own Status.
            UpgradeError: the server answered as if nothing of the kind had been asked for.
            TransportError: no response came.
        """
        scope = scope or CallScope()

        def send(request: Request, scope: CallScope) -> Upgraded | Stream:
            return self.transport.upgrade(request, scope=scope)

        # The mode in which nothing is repeated after a lost connection: the command may have run.
        answer, notes = self._attempts(request, scope, "stream", send)
        if isinstance(answer, Upgraded):
            self._tell(answer.headers, warnings)
            return answer
        self._accept(answer, warnings, notes, last_success=399)
        answer.close()
        raise UpgradeError(
            f"the server answered {answer.status} instead of switching protocols; does a proxy in between not let "
            "WebSockets pass?",
            method=request.method,
            url=self.config.base_url + request.path,
        )

    # ---------------------------------------------------------------- the fluent builder

    def get(self) -> RESTRequest:
        """Begin a GET."""
        return self.verb("GET")

    def post(self) -> RESTRequest:
        """Begin a POST."""
        return self.verb("POST")

    def put(self) -> RESTRequest:
        """Begin a PUT."""
        return self.verb("PUT")

    def patch(self, type: PatchType) -> RESTRequest:  # noqa: A002 - the word of the API
        """Begin a PATCH of a type, which becomes the Content-Type."""
        return self.verb("PATCH").header("Content-Type", type.value)

    def delete(self) -> RESTRequest:
        """Begin a DELETE."""
        return self.verb("DELETE")

    def verb(self, verb: str) -> RESTRequest:
        """Begin a request with any HTTP method."""
        return RESTRequest(verb=verb, _client=self)

    # ---------------------------------------------------------------- life

    def close(self) -> None:
        """Close every connection; calls under way end in `ClosedError`. Closing twice is fine."""
        self.transport.close()
        self._closing.cancel()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"RESTClient({self.config.base_url!r})"

    def renew_after_fork(self) -> None:
        """In a forked child: a token whose lock no thread of the parent holds."""
        closed = self._closing.cancelled
        self._closing = CancelToken()
        if closed:
            self._closing.cancel()

    # ---------------------------------------------------------------- attempts

    def _send(self, request: Request, scope: CallScope) -> Response:
        return self.transport.send(request, scope=scope)

    def _attempts(
        self, request: Request, scope: CallScope, mode: Mode, send: Callable[[Request, CallScope], _A]
    ) -> tuple[_A, list[str]]:
        """Send until the answer is final; the notes say what came before it."""
        notes: list[str] = []
        if self._observers:
            send = self._observed(send, notes)
        while True:
            with _mentioning(notes):
                # The first attempt of a watch is not throttled, its repetitions are (CG/rest/request.go, Watch).
                if self._limiter is not None and (notes or mode != "watch"):
                    self._throttle(self._limiter, request, scope, notes)
                try:
                    answer = send(request, scope)
                except TransportError as error:
                    delay = self._retry.after_error(len(notes), request, error, mode)
                    if delay is None:
                        raise
                    reason = type(error).__name__
                    notes.append(str(error))
                else:
                    delay = self._retry.after_response(len(notes), request, answer.status, answer.headers)
                    if delay is None:
                        return answer, notes
                    reason = str(answer.status)
                    notes.append(_refusal_of(answer))
                    if isinstance(answer, Stream):
                        _drain(answer)
                self._tell_retry(request, len(notes), delay, reason)
                self._wait(delay, scope)

    def _observed(
        self, send: Callable[[Request, CallScope], _A], notes: list[str]
    ) -> Callable[[Request, CallScope], _A]:
        """``send``, with every attempt told to the observers; ``notes`` are those of the attempts before it."""

        def send_observed(request: Request, scope: CallScope) -> _A:
            began = time.perf_counter()
            try:
                answer = send(request, scope)
            except Exception as error:
                self._tell_attempt(request, len(notes), time.perf_counter() - began, None, type(error).__name__)
                raise
            self._tell_attempt(request, len(notes), time.perf_counter() - began, answer, "")
            return answer

        return send_observed

    def _tell_attempt(self, request: Request, before: int, seconds: float, answer: _Answer | None, error: str) -> None:
        body = request.body
        attempt = Attempt(
            method=request.method,
            verb=request.verb,
            host=self._host,
            path=request.path,
            number=before + 1,
            seconds=seconds,
            status=None if answer is None else answer.status,
            error=error,
            request_bytes=len(body) if isinstance(body, bytes) else 0 if body is None else None,
            response_bytes=len(answer.body) if isinstance(answer, Response) else None,
        )
        notify(self._observers, lambda observer: observer.on_attempt, attempt)

    def _tell_retry(self, request: Request, number: int, delay: float, reason: str) -> None:
        _log.debug("%s %s: attempt %d in %g s, after %s", request.method, request.path, number + 1, delay, reason)
        if self._observers:
            retry = Retry(
                method=request.method, host=self._host, path=request.path, number=number, delay=delay, reason=reason
            )
            notify(self._observers, lambda observer: observer.on_retry, retry)

    def _throttle(self, limiter: RateLimiter, request: Request, scope: CallScope, notes: list[str]) -> None:
        """Wait for the rate limiter; the caller's deadline counts, and so do cancelling and closing."""
        scope.check()
        delay = limiter.reserve(scope.remaining())
        if delay is None:
            raise DeadlineExceededError(
                "client rate limiter Wait returned an error: rate: Wait(n=1) would exceed context deadline: the call's "
                f"timeout of {scope.timeout:g} s ends before its turn; allow more time, or a higher qps"
            )
        if delay > 0:
            try:
                self._wait(delay, scope)
            except BaseException as error:
                limiter.release()
                if isinstance(error, CancelledError | DeadlineExceededError):
                    error.args = (f"client rate limiter Wait returned an error: {error}", *error.args[1:])
                raise
        if delay > _LONG_WAIT:
            reason = f"retry {len(notes)}" if notes else "client-side throttling, not priority and fairness"
            level = logging.INFO if delay > _EXTRA_LONG_WAIT else logging.DEBUG
            _log.log(level, "waited %.3f s before %s %s: %s", delay, request.method, request.path, reason)
        if self._observers:
            wait = LimiterWait(method=request.method, host=self._host, path=request.path, seconds=delay)
            notify(self._observers, lambda observer: observer.on_limiter_wait, wait)

    def _wait(self, seconds: float, scope: CallScope) -> None:
        """Wait between attempts, until the call is over or the client is closed."""
        woken = CancelToken()
        forget = self._closing.subscribe(woken.cancel)
        try:
            with scope.guard(woken.cancel):
                woken.wait(scope.bound(seconds))
        finally:
            forget()
        scope.check()
        if self._closing.cancelled:
            raise ClosedError("the client has been closed")

    def _accept(self, stream: Stream, warnings: WarningHandler | None, notes: list[str], *, last_success: int) -> None:
        """Return if the stream is what was asked for; else close it and raise what it says."""
        try:
            self._tell(stream.headers, warnings)
            if 200 <= stream.status <= last_success:
                return
            body = stream.read_all(_ERROR_BODY_BYTES)
        except BaseException:
            stream.close()
            raise
        stream.close()
        response = Response(stream.status, stream.headers, body, stream.request, stream.note)
        del body  # a traceback may print this frame
        with _mentioning(notes):
            raise status_error_of(response)

    def _tell(self, headers: Headers, handler: WarningHandler | None) -> None:
        lines = headers.getlist("Warning")
        if not lines:
            return
        handler = handler or self._warnings or _default_warning_handler[0]
        for warning in parse_warning_headers(lines):
            if warning.code == 299 and warning.text:
                handler(warning)


class WatchStream:
    """The events of one watch request.

    Iterate over it once; close it, or use it in a ``with``. Any thread may close it, which ends
    the iteration. As in client-go (AM/watch/streamwatcher.go) the end of the connection, orderly or
    not, ends the iteration silently, and bytes that are no event give one ERROR event before the end.
    """

    def __init__(self, stream: Stream | None) -> None:
        self._stream = stream
        self._events = self._tolerant()

    def __iter__(self) -> Iterator[WatchEvent]:
        return self._events

    def __next__(self) -> WatchEvent:
        return next(self._events)

    def strict(self) -> Iterator[WatchEvent]:
        """The events as in iteration, but what ends them badly is raised.

        Raises:
            TransportError: the connection was lost.
            DecodeError: something is no event.
            ClosedError: the watch was closed.
        """
        if self._stream is None:
            return
        decoder = WatchDecoder()
        while chunk := self._stream.read():
            yield from decoder.feed(chunk)
        yield from decoder.finish()

    def batches(self, *, records: bool = False) -> Iterator[list[AnyWatchEvent]]:
        """As `strict`, but what one read brings comes together; an empty list where that is no whole event yet.

        While dicts come fast the garbage collector pauses, also between two batches: do not linger over one.

        Args:
            records: whether objects come as `RawObject`, undecoded.

        Raises:
            TransportError: the connection was lost.
            DecodeError: something is no event; the events before it have been given.
            ClosedError: the watch was closed.
        """
        if self._stream is None:
            return
        decoder = WatchDecoder(records=records)
        chunk = self._stream.read(_PIECE)
        while chunk:
            # While more arrives, old objects are let go as fast as new ones come; but the collector counts the new
            # ones, and would walk all of a large store again and again to find nothing. Records are not its business.
            with nullcontext() if records else gc_paused():
                for _ in range(_BURST):
                    yield from _batch(decoder, chunk)
                    chunk = self._stream.read_ready(_PIECE)
                    if not chunk:
                        break
            chunk = chunk or self._stream.read(_PIECE)
        yield decoder.finish()

    def _tolerant(self) -> Iterator[WatchEvent]:
        try:
            yield from self.strict()
        except (ConnectionLostError, RequestTimeoutError, ClosedError):
            return
        except DecodeError as error:
            yield WatchEvent(EventType.ERROR, _decoding_status(error))
        finally:
            self.close()

    def close(self) -> None:
        """End the watch, from any thread and any number of times."""
        if self._stream is not None:
            self._stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def _batch(decoder: WatchDecoder, chunk: bytes) -> Iterator[list[AnyWatchEvent]]:
    """The events that a chunk completes, together; those before the one that is none, then its error."""
    events: list[AnyWatchEvent] = []
    try:
        events.extend(decoder.feed(chunk))
    except DecodeError:
        yield events
        raise
    yield events


@dataclass(frozen=True, slots=True, kw_only=True)
class RESTRequest(RequestBuilder):
    """A `RequestBuilder` that can be sent; begin one with the verbs of a `RESTClient`."""

    _client: RESTClient

    def do(self, *, cancel: CancelToken | None = None, warnings: WarningHandler | None = None) -> Result:
        """Send it and read the response whole.

        Raises:
            InvalidRequestError: what was built makes no request.
            APIStatusError: the server refused.
        """
        response = self._client.execute(self.build(), timeout=self._timeout, cancel=cancel, warnings=warnings)
        return Result(response)

    def do_raw(self, *, cancel: CancelToken | None = None, warnings: WarningHandler | None = None) -> bytes:
        """Send it and return the bytes; a refusal's reason is the HTTP code's, its body the text (2.8.3)."""
        return self._client.execute(
            self.build(), timeout=self._timeout, cancel=cancel, warnings=warnings, parse_status=False
        ).body

    def stream(self, *, cancel: CancelToken | None = None, warnings: WarningHandler | None = None) -> Stream:
        """Send it and hand over the body as it arrives."""
        return self._client.stream(self.build(), timeout=self._timeout, cancel=cancel, warnings=warnings)

    def watch(self, *, cancel: CancelToken | None = None, warnings: WarningHandler | None = None) -> WatchStream:
        """Send it and decode the events of a watch; set the ``watch`` parameter yourself, as in client-go."""
        return self._client.watch(self.build(), timeout=self._timeout, cancel=cancel, warnings=warnings)


class _mentioning:  # noqa: N801 - reads as a verb
    """Adds to an error that leaves the block what the attempt before it came to (2.7.8).

    As in CG/rest/with_retry.go the type stays, and the text grows. What the server itself says stays
    as it is, and gets a note.
    """

    __slots__ = ("_notes",)

    def __init__(self, notes: list[str]) -> None:
        self._notes = notes

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if not self._notes or not isinstance(error, Exception):
            return
        text = f"error from a previous attempt: {self._notes[-1]}"
        if isinstance(error, DynkubeError) and not isinstance(error, APIStatusError):
            error.args = (f"{error} - {text}", *error.args[1:])
        else:
            error.add_note(text)


def _refusal_of(answer: _Answer) -> str:
    after = answer.headers.get("Retry-After")
    return f"HTTP {answer.status}" if after is None else f"HTTP {answer.status} with Retry-After: {after}"


def _credential_source(config: RESTConfig) -> CredentialSource | None:
    if config.credential_plugin is None:
        return None
    from dynkube.credentials import source_for

    return source_for(config)


def _is_conditional(request: Request) -> bool:
    return any(name.lower() == "if-none-match" for name, _ in request.headers)


def _check_media_type(stream: Stream) -> None:
    response = Response(stream.status, stream.headers, b"", stream.request)
    if not response.content_type or "json" in response.content_type:
        return
    with stream:
        head = stream.read(_HEAD_BYTES).decode("utf-8", "replace")
    raise DecodeError(
        f"serializer for {response.content_type} doesn't exist: {stream.request.method} {stream.request.path} "
        f"asked for a watch, and what may be no API server answered; it begins {head!r}"
    )


def _drain(stream: Stream) -> None:
    # A little more read lets the connection be used again (CG/rest/request.go, readAndCloseResponseBody).
    try:
        stream.read_all(_DRAIN_BYTES)
    except (TransportError, DecodeError, CancelledError, DeadlineExceededError):
        pass
    finally:
        stream.close()


def _decoding_status(error: DecodeError) -> dict[str, Any]:
    text = f"unable to decode an event from the watch stream: {error}"
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": text,
        "reason": "InternalError",
        "code": 500,
        "details": {
            "causes": [
                {"reason": "UnexpectedServerResponse", "message": text},
                {"reason": "ClientWatchDecoding", "message": text},
            ]
        },
    }
