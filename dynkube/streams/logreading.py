"""The logs of containers: `logs`."""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from dynkube.dynamic import ResourceHandle
from dynkube.errors import APIStatusError, CancelledError, ClosedError, DynkubeError, InvalidRequestError
from dynkube.labels import LabelSelector
from dynkube.streams import logfollow
from dynkube.streams.logfollow import LogOptions, LogSource
from dynkube.streams.loglines import LogItem, LogStream
from dynkube.streams.splicing import LineSplitter
from dynkube.streams.targets import (
    PodPlace,
    at,
    choose_container,
    container_names,
    explained,
    is_workload,
    pod_place,
    read_pod,
    selector_of,
)
from dynkube.transport import CallScope, CancelToken

__all__ = ["logs"]

_log = logging.getLogger("dynkube.streams")


def logs(
    pods: ResourceHandle,
    name: str | None = None,
    *,
    label_selector: str | LabelSelector | None = None,
    container: str | None = None,
    all_containers: bool = False,
    follow: bool = False,
    reconnect: bool = True,
    previous: bool = False,
    since_seconds: int | None = None,
    since_time: datetime | str | None = None,
    timestamps: bool = False,
    tail_lines: int | None = None,
    limit_bytes: int | None = None,
    stream: str | None = None,
    insecure_skip_tls_verify_backend: bool = False,
    prefix: bool = False,
    ignore_errors: bool = False,
    max_concurrent: int = 5,
    timeout: float | None = None,
    cancel: CancelToken | None = None,
) -> LogStream:
    """Read the log of a container, or of many.

    Args:
        pods: a handle of pods in a namespace; or of a workload (Deployment, Job, ...), whose pods are read.
        name: the pod's (or workload's) name; None with ``label_selector``.
        label_selector: read all pods that match; ``tail_lines`` is 10 then, unless given (as in kubectl).
        container: whose log; by default the pod's annotation ``kubectl.kubernetes.io/default-container`` says, else
            the first.
        all_containers: init containers, containers and ephemeral containers, in this order.
        follow: go on as the log grows, until the pod has ended.
        reconnect: while following, open the log again after a lost connection and go on where it broke, without loss
            or repetition, also over restarts of the container; what the kubelet no longer has comes as a `LogGap`.
        previous: the log of the container's previous run.
        since_seconds: only what is younger, in seconds.
        since_time: only what is younger than this moment (a `datetime` with a timezone, or RFC 3339 text).
        timestamps: begin each line with its time in RFC 3339.
        tail_lines: begin with so many of the last lines; 0 is none.
        limit_bytes: bytes at most; no reconnecting then.
        stream: ``"Stdout"``, ``"Stderr"`` or ``"All"`` (a feature of newer servers).
        insecure_skip_tls_verify_backend: have the API server not check the kubelet's certificate.
        prefix: begin each line with ``[pod/<pod>/<container>]`` and a space.
        ignore_errors: when one of several logs fails, log a warning and go on with the others.
        max_concurrent: how many logs may be followed at once.
        timeout: seconds until the log must have ended; `DeadlineExceededError` then.
        cancel: a token that ends it; `CancelledError` then.

    Returns:
        An iterator of lines, with ``.text()``, ``.read()`` and ``.chunks()`` for all of it. Close it.

    Raises:
        NotFoundError: no such pod.
        BadRequestError: no such container, or it has not started; the server's own words.
        InvalidRequestError: the options exclude each other, or more logs than ``max_concurrent`` are to be followed.

    Example::

        for line in logs(pods, "api", follow=True, tail_lines=100):
            print(line)
    """
    if follow and previous:
        raise InvalidRequestError("follow, previous: want one of them; the previous run writes nothing any more")
    _not_both(since_seconds=since_seconds, since_time=since_time)
    _not_both(container=container, all_containers=all_containers or None)
    _not_both(name=name, label_selector=label_selector)
    if name is None and label_selector is None:
        raise InvalidRequestError("name, label_selector: want one of them")
    if label_selector is not None and tail_lines is None:
        tail_lines = _TAIL_OF_SELECTOR
    options = LogOptions(
        follow=follow,
        previous=previous,
        since_seconds=_number("since_seconds", since_seconds, 1),
        since_time=_since(since_time),
        timestamps=timestamps,
        tail_lines=_number("tail_lines", tail_lines, 0),
        limit_bytes=_number("limit_bytes", limit_bytes, 1),
        stream=stream,
        insecure_skip_tls_verify_backend=insecure_skip_tls_verify_backend,
    )
    CallScope(timeout, cancel)  # says what is wrong with them
    stop = CancelToken()
    scope = CallScope(timeout, stop)
    forget = cancel.subscribe(stop.cancel) if cancel is not None else stop.cancel
    try:
        sources = _sources(pods, name, label_selector, container, scope, whole=all_containers)
        if follow:
            _check_number(len(sources), max_concurrent)
        resumes = follow and reconnect and limit_bytes is None
        items = _items(sources, options, scope, stop, prefix=prefix, resumes=resumes, ignore_errors=ignore_errors)
    except BaseException:
        forget()
        raise
    return LogStream(items, stop, cancel, forget)


_TAIL_OF_SELECTOR = 10  # KC/cmd/logs/logs.go
_QUEUED = 64  # batches that wait for the reader of several logs

_Reader = Callable[[], Iterator[LogItem]]


def _check_number(sources: int, limit: int) -> None:
    if sources > limit:  # in kubectl's words
        raise InvalidRequestError(
            f"you are attempting to follow {sources} log streams, but maximum allowed concurrency is {limit}, use "
            "max_concurrent to increase the limit"
        )


def _not_both(**given: object) -> None:
    if all(value is not None for value in given.values()):
        raise InvalidRequestError(f"{', '.join(given)}: want one of them, not both")


def _number(name: str, value: int | None, least: int) -> int | None:
    if value is not None and (type(value) is not int or value < least):
        raise InvalidRequestError(f"{name}: want a whole number from {least}, got {value!r}")
    return value


def _since(moment: datetime | str | None) -> str | None:
    if not isinstance(moment, datetime):
        return moment
    if moment.tzinfo is None:
        raise InvalidRequestError("since_time: want a datetime with a timezone, such as datetime.now(UTC)")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


# --------------------------------------------------------------------------- which logs


def _sources(
    handle: ResourceHandle,
    name: str | None,
    label_selector: str | LabelSelector | None,
    container: str | None,
    scope: CallScope,
    *,
    whole: bool,
) -> list[LogSource]:
    place = pod_place(handle, "logs")
    if name is not None and handle.gvr.resource == "pods":
        pod = read_pod(place, name, container=container, timeout=scope.left(), cancel=scope.cancel)
        if pod is None:
            return [LogSource(place, name, container or "")]
        return _sources_of(place, pod, container, whole=whole)
    if name is not None:
        if not is_workload(handle.gvr):
            raise InvalidRequestError(f"logs: {handle.gvr.resource} have no pods that we know how to find; use a pod")
        label_selector = selector_of(handle, handle.get(name, timeout=scope.left(), cancel=scope.cancel))
    found = place.pods.list(label_selector=label_selector, timeout=scope.left(), cancel=scope.cancel)
    return [source for pod in found for source in _sources_of(place, pod, container, whole=whole)]


def _sources_of(place: PodPlace, pod: dict[str, Any], container: str | None, *, whole: bool) -> list[LogSource]:
    names = container_names(pod) if whole else [choose_container(pod, container)]
    metadata = pod["metadata"]
    return [LogSource(place, metadata["name"], each, metadata["uid"], _run_id(pod, each), pod) for each in names]


def _run_id(pod: dict[str, Any], container: str) -> str:
    for kind in ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"):
        for status in at(pod, "status", kind) or ():
            if status.get("name") == container:
                return str(status.get("containerID") or "")
    return ""


# --------------------------------------------------------------------------- reading them


def _items(
    sources: Sequence[LogSource],
    options: LogOptions,
    scope: CallScope,
    stop: CancelToken,
    *,
    prefix: bool,
    resumes: bool,
    ignore_errors: bool,
) -> Iterator[LogItem]:
    by_lines = len(sources) > 1 or prefix
    readers = [_reader(source, options, scope, prefix=prefix, resumes=resumes, by_lines=by_lines) for source in sources]
    if len(readers) == 1:
        return readers[0]()
    if options.follow:
        return _mixed(readers, stop, ignore_errors=ignore_errors)
    return _one_by_one(readers, ignore_errors=ignore_errors)


def _reader(
    source: LogSource, options: LogOptions, scope: CallScope, *, prefix: bool, resumes: bool, by_lines: bool
) -> _Reader:
    text = f"[pod/{source.pod}/{source.container}] " if prefix else ""

    def read() -> Iterator[LogItem]:
        try:
            if resumes:
                batches = logfollow.follow(source, options, scope)
                return (LogItem(source, text, lines=batch.lines, gap=batch.gap) for batch in batches)
            pieces = logfollow.read_once(source, options, scope)
        except APIStatusError as error:
            raise explained(error, source.about, "log") from error.__cause__
        if by_lines:
            return _whole_lines(source, pieces, text)
        return (LogItem(source, text, piece=piece) for piece in pieces)

    return read


def _whole_lines(source: LogSource, pieces: Iterator[bytes], prefix: str) -> Iterator[LogItem]:
    splitter = LineSplitter()
    for piece in pieces:
        if lines := splitter.feed(piece):
            yield LogItem(source, prefix, lines=lines)
    if splitter.rest:  # another log may come next: not on the same line
        yield LogItem(source, prefix, lines=[splitter.rest + b"\n"])


def _one_by_one(readers: Sequence[_Reader], *, ignore_errors: bool) -> Iterator[LogItem]:
    for read in readers:
        try:
            yield from read()
        except DynkubeError as error:
            if not ignore_errors or isinstance(error, CancelledError | ClosedError):
                raise
            _log.warning("%s", error)


def _mixed(readers: Sequence[_Reader], stop: CancelToken, *, ignore_errors: bool) -> Iterator[LogItem]:
    """What several logs give, as it comes. A reader that is slow slows them down, none of them is held in memory."""
    found: queue.Queue[LogItem | Exception | None] = queue.Queue(_QUEUED)

    def put(item: LogItem | Exception | None) -> None:
        while not stop.cancelled:
            with contextlib.suppress(queue.Full):
                found.put(item, timeout=0.5)
                return

    def work(read: _Reader) -> None:
        try:
            for item in read():
                put(item)
        except Exception as error:  # noqa: BLE001 - it is raised where the lines are read
            put(error)
        put(None)

    threads = [threading.Thread(target=work, args=(read,), name="dynkube-log", daemon=True) for read in readers]
    for thread in threads:
        thread.start()
    forget = stop.subscribe(lambda: _wake(found))
    try:
        yield from _taken(found, len(threads), stop, ignore_errors=ignore_errors)
    finally:
        stop.cancel()
        forget()
        for thread in threads:
            thread.join()


def _wake(found: queue.Queue[Any]) -> None:
    with contextlib.suppress(queue.Full):
        found.put_nowait(ClosedError("the log has been closed"))


def _taken(
    found: queue.Queue[LogItem | Exception | None], running: int, stop: CancelToken, *, ignore_errors: bool
) -> Iterator[LogItem]:
    while running and not stop.cancelled:
        item = found.get()
        if item is None:
            running -= 1
        elif isinstance(item, LogItem):
            yield item
        elif ignore_errors and not isinstance(item, CancelledError | ClosedError):
            _log.warning("%s", item)
        else:
            raise item
