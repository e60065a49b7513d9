"""Following the log of one container over lost connections, restarts and rotations (8.3.4 in docs/reference/parity)."""

from __future__ import annotations

import contextlib
import logging
import math
import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from dynkube.errors import APIStatusError, BadRequestError, DecodeError, NotFoundError, TransportError
from dynkube.streams.splicing import LineSplitter, Position, Splicer, without_stamps
from dynkube.streams.targets import PodPlace, at, is_ended
from dynkube.transport import CallScope, Stream
from dynkube.wire.messages import Request

__all__ = ["Batch", "LogOptions", "LogSource", "follow", "read_once"]

_log = logging.getLogger("dynkube.streams")

GIVE_UP_AFTER = 300.0
"""Seconds without any answer to a followed log that end it in the error of the last attempt."""
_LONGEST_PAUSE = 5.0
_PIECE = 1 << 16
_BEARABLE = (TransportError, APIStatusError, DecodeError)
_TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class LogOptions:
    """The parameters of a log request (PodLogOptions)."""

    follow: bool = False
    previous: bool = False
    since_seconds: int | None = None
    since_time: str | None = None
    timestamps: bool = False
    tail_lines: int | None = None
    limit_bytes: int | None = None
    stream: str | None = None
    insecure_skip_tls_verify_backend: bool = False

    def query(self, container: str) -> tuple[tuple[str, str], ...]:
        """Names and values, in the order in which Go writes them.

        >>> LogOptions(tail_lines=0).query("a")
        (('container', 'a'), ('tailLines', '0'))
        """
        values: dict[str, object] = {
            "container": container,
            "follow": self.follow,
            "insecureSkipTLSVerifyBackend": self.insecure_skip_tls_verify_backend,
            "limitBytes": self.limit_bytes,
            "previous": self.previous,
            "sinceSeconds": self.since_seconds,
            "sinceTime": self.since_time,
            "stream": self.stream,
            "tailLines": self.tail_lines,
            "timestamps": self.timestamps,
        }
        given = {name: value for name, value in values.items() if value is not None and value is not False}
        return tuple((name, "true" if value is True else str(value)) for name, value in given.items())


@dataclass(frozen=True, slots=True)
class LogSource:
    """A container's log.

    Attributes:
        place: where its pod is.
        pod: the pod's name.
        container: the container's.
        uid: of the pod: another one of the same name is not followed.
        run_id: the container's id in the pod's status, which another run changes.
        about: the pod as it was read, for what errors say.
    """

    place: PodPlace
    pod: str
    container: str
    uid: str = ""
    run_id: str = ""
    about: Mapping[str, Any] | None = field(default=None, compare=False, repr=False)

    def request(self, options: LogOptions) -> Request:
        """The request for it."""
        return Request("GET", self.place.path(self.pod, "log"), options.query(self.container), (), verb="get")

    def open(self, options: LogOptions, scope: CallScope, *, patience: float | None = None) -> Stream:
        """Ask for it.

        Args:
            options: of the request.
            scope: the deadline and cancel token, of the stream too.
            patience: seconds that the log may be silent; `math.inf` for ever, None for the transport's limit.

        Raises:
            APIStatusError: the server refuses.
            TransportError: no response came.
        """
        return self.place.rest.stream(
            self.request(options), timeout=scope.left(), cancel=scope.cancel, read_timeout=patience
        )


@dataclass(frozen=True, slots=True)
class Batch:
    """Some lines with their ends (the very last of a log may have none); or a gap, with its reason."""

    lines: list[bytes]
    gap: str = ""


def read_once(source: LogSource, options: LogOptions, scope: CallScope) -> Iterator[bytes]:
    """The bytes of one request, which has been answered when this returns.

    A log that is followed may be silent for as long as its container is.

    Raises:
        APIStatusError: the server refuses.
        TransportError: no response came; while iterating: the connection broke.
    """
    return _pieces(source.open(options, scope, patience=math.inf if options.follow else None))


def follow(
    source: LogSource, options: LogOptions, scope: CallScope, *, clock: Callable[[], float] = time.monotonic
) -> Iterator[Batch]:
    """The lines of a log, until its container has ended for good; the first request has been answered.

    Raises:
        APIStatusError: the server refuses.
        TransportError: no response came; while iterating: no attempt succeeded for `GIVE_UP_AFTER` seconds.
    """
    return _Follower(source, options, scope, clock).run()


def _pieces(stream: Stream) -> Iterator[bytes]:
    with stream:
        while data := stream.read(_PIECE):
            yield data


class _Follower:
    def __init__(self, source: LogSource, options: LogOptions, scope: CallScope, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._source = source
        self._timestamps = options.timestamps
        self._options = replace(options, timestamps=True)
        self._scope = scope
        self._began = clock()
        self._position = Position()
        self._run_id = source.run_id
        self._crossed = False  # the position is in a later run than `_run_id`
        self._rest = b""
        self._beyond = 2
        self._failures = 0
        self._answered = False
        self._failing_since: float | None = None
        tail = options.tail_lines is not None
        self._first: Stream | None = source.open(self._tail_options() if tail else self._options_now(live=True), scope)

    def run(self) -> Iterator[Batch]:
        if self._options.tail_lines is not None:
            yield from self._attempts(self._read_tail)
        over = False
        while True:
            problem: Exception | None = None
            try:
                yield from self._read_on(live=not over)
            except _BEARABLE as error:
                problem = self._bearable(error)
                if self._failures == 1:  # a lost connection is opened again at once, the first time
                    continue
            if over and problem is None:
                yield from self._last_words()
                return
            pod = self._settled(problem)
            if pod is None:
                if problem is None:
                    yield from self._last_words()
                else:
                    yield Batch([], "the connection was lost, and the pod is gone")
                return
            over = self._is_over(pod)  # then once more, to the end: the connection may have ended before the container
            yield from self._over_restart(pod)

    def _attempts(self, read: Callable[[], Iterator[Batch]]) -> Iterator[Batch]:
        while True:
            try:
                yield from read()
            except _BEARABLE as error:
                self._bearable(error)
                self._scope.sleep(self._delay())
            else:
                return

    # ------------------------------------------------------------- reading

    def _read_tail(self) -> Iterator[Batch]:
        """The lines that come first, by a request of their own: then there is a position to go on from."""
        wanted = self._options.tail_lines or 0
        splitter, lines = LineSplitter(), list[bytes]()
        for piece in self._ask(self._tail_options()):
            lines += splitter.feed(piece)
        # What has no line end yet is read again, whole, from the position on.
        self._succeeded()
        position = Position()
        position.advance(lines)
        if lines and position.equal == len(lines) >= wanted + self._beyond - 1:
            self._beyond += 2 * len(lines)  # how many lines of its time come before the last one?
            yield from self._read_tail()
            return
        self._position = position
        self._options = replace(self._options, tail_lines=None)
        if wanted and lines:
            yield self._batch(lines[-wanted:])

    def _read_on(self, *, live: bool) -> Iterator[Batch]:
        """From the position to the end of one response."""
        splicer = Splicer(self._position) if self._position else None
        splitter = LineSplitter()
        self._rest = b""
        for piece in self._ask(self._options_now(live=live)):
            self._succeeded()
            lines = splitter.feed(piece)
            if splicer is not None:
                lines = splicer.feed(lines)
                if lines and not splicer.met:
                    yield from self._bridge()
                    self._crossed = True
                if splicer.passed:
                    splicer = None
            if lines:
                self._position.advance(lines)
                yield self._batch(lines)
        self._succeeded()
        # The end of the response may be that of the container, or of the kubelet's patience: kept until that is known.
        self._rest = splitter.rest if splicer is None else b""

    def _ask(self, options: LogOptions) -> Iterator[bytes]:
        stream, self._first = self._first or self._source.open(options, self._scope), None
        self._failing_since = None  # an answer; that nothing is said in it, or that it is cut, is another matter
        return _pieces(stream)

    def _tail_options(self) -> LogOptions:
        # More than is wanted: the last line is a position even where none is, once the one before has another time.
        return replace(self._options, follow=False, tail_lines=(self._options.tail_lines or 0) + self._beyond)

    def _options_now(self, *, live: bool) -> LogOptions:
        options = replace(self._options, follow=live)
        if self._position:
            return replace(options, since_seconds=None, since_time=self._position.since)
        if options.since_seconds is not None and self._answered:
            # "since" moves on with the server's clock; what was not seen yet must stay in.
            options = replace(options, since_seconds=options.since_seconds + math.ceil(self._clock() - self._began))
        return options

    def _bridge(self) -> Iterator[Batch]:
        """The position is not in the log of this run: it is in that of the run before, or it is gone."""
        options = replace(self._options, follow=False, previous=True)
        splicer: Splicer | None = None
        if self._position:
            splicer = Splicer(self._position)
            options = replace(options, since_seconds=None, since_time=self._position.since)
        splitter = LineSplitter()
        told = splicer is None
        with contextlib.suppress(BadRequestError, NotFoundError):  # there was no run before
            for piece in self._ask(options):
                lines = splitter.feed(piece)
                if splicer is not None:
                    lines = splicer.feed(lines)
                    told = told or splicer.met
                if lines and not told:
                    told = True
                    yield Batch([], "the container was restarted more than once, or its log was rotated")
                if lines:
                    self._position.advance(lines)
                    yield self._batch(lines)
            if splitter.rest and (splicer is None or splicer.passed):
                yield self._batch([splitter.rest])
        if not told:
            yield Batch([], "the log was rotated, or the log of the run before is gone")

    # ------------------------------------------------------------- the pod

    def _settled(self, problem: Exception | None) -> dict[str, Any] | None:
        """The pod as it is, when it is worth reading again; None where it is gone."""
        pod = self._look()
        if pod is None or self._is_over(pod):
            return pod
        if problem is not None:
            self._scope.sleep(self._delay())
            return pod
        pause = 0.25  # the run has ended, and the pod's status says so soon; then there is another one
        while True:
            self._scope.sleep(pause)
            pod = self._look()
            if pod is None or self._is_over(pod):
                return pod
            state = self._status(pod).get("state")
            if not state or "running" in state:
                return pod
            pause = min(_LONGEST_PAUSE, pause * 1.5)

    def _look(self) -> dict[str, Any] | None:
        source = self._source
        while True:
            try:
                pod = source.place.pods.get(source.pod, timeout=self._scope.left(), cancel=self._scope.cancel)
            except NotFoundError:
                return None
            except _BEARABLE as error:
                self._bearable(error)
                self._scope.sleep(self._delay())
            else:
                return None if source.uid and at(pod, "metadata", "uid") != source.uid else pod

    def _status(self, pod: dict[str, Any]) -> dict[str, Any]:
        for kind in ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"):
            for status in at(pod, "status", kind) or ():
                if status.get("name") == self._source.container:
                    return dict(status)
        return {}

    def _is_over(self, pod: dict[str, Any]) -> bool:
        """Whether the container has ended, and will not be started again."""
        ended = (self._status(pod).get("state") or {}).get("terminated")
        if is_ended(pod):
            return True
        if ended is None:
            return False
        if at(pod, "metadata", "deletionTimestamp"):
            return True
        policy = at(pod, "spec", "restartPolicy") or "Always"
        regular = any(each["name"] == self._source.container for each in at(pod, "spec", "containers") or ())
        return not (regular and policy == "Always") and not (policy != "Never" and ended.get("exitCode"))

    def _over_restart(self, pod: dict[str, Any]) -> Iterator[Batch]:
        """What is left of the run that we read, where another one has begun (which may be silent for long)."""
        run_id = str(self._status(pod).get("containerID") or "")
        before, self._run_id = self._run_id, run_id or self._run_id
        if not before or not run_id or before == run_id:
            return
        crossed, self._crossed = self._crossed, False
        if not crossed:
            yield from self._attempts(self._bridge)

    # ------------------------------------------------------------- attempts

    def _bearable(self, error: Exception) -> Exception:
        """The error, if another attempt is worth it; else it is raised."""
        self._scope.check()
        transient = True
        if isinstance(error, APIStatusError):
            # A container that is about to start again has no log for a moment.
            transient = error.http_status in _TRANSIENT or (self._answered and error.http_status in {400, 404})
        now = self._clock()
        self._failing_since = now if self._failing_since is None else self._failing_since
        if not transient or now - self._failing_since > GIVE_UP_AFTER:
            raise error
        self._failures += 1
        _log.debug("log of %s/%s: again after: %s", self._source.pod, self._source.container, error)
        return error

    def _succeeded(self) -> None:
        self._failures = 0
        self._answered = True
        self._failing_since = None

    def _delay(self) -> float:
        return float(min(_LONGEST_PAUSE, 0.05 * 2.0 ** min(self._failures, 20)) * random.uniform(0.5, 1.0))  # noqa: S311

    # ------------------------------------------------------------- what is handed over

    def _batch(self, lines: list[bytes]) -> Batch:
        return Batch(lines if self._timestamps else without_stamps(lines))

    def _last_words(self) -> Iterator[Batch]:
        if self._rest:
            yield self._batch([self._rest])
