"""The recorder: takes events on any thread, and writes them on its own."""

from __future__ import annotations

import logging
import queue
import socket
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

from dynkube.arguments import checked_count, checked_function, checked_methods, checked_seconds, checked_text
from dynkube.errors import DeadlineExceededError, DynkubeError, InvalidRequestError, NotFoundError
from dynkube.events.correlator import EventCorrelator
from dynkube.events.occurrence import Occurrence, reference_to
from dynkube.events.series import SeriesCache
from dynkube.events.sink import EventSink
from dynkube.forks import renew_in_child
from dynkube.schema import GroupVersionResource
from dynkube.transport import CallScope, CancelToken

if TYPE_CHECKING:
    from dynkube.dynamic import DynamicClient

__all__ = ["EventRecorder"]

_log = logging.getLogger("dynkube.events")

_CORE: Literal["v1"] = "v1"
_EVENTS: Literal["events.k8s.io/v1"] = "events.k8s.io/v1"
_TICK = 60.0  # seconds after which series are looked at
_GLANCE = 0.1  # seconds after which one who waits looks at his token

API = Literal["auto", "v1", "events.k8s.io/v1"]
Watcher = Callable[[dict[str, Any]], object]


class EventRecorder:
    """Records events about objects, without ever blocking whoever records.

    Events wait in a queue of ``queue_size`` for a thread of the recorder's own, which starts with the first one and
    does not hold up the interpreter's end: `close` (or ``with``) writes what is left. When the queue is full, events
    are dropped, and logged. Errors of the server are logged, never raised.

    Each event is also logged, under ``dynkube.events``: as information.

    Args:
        client: the client to speak through.
        controller: who reports: ``"widget-controller"``.
        instance: which process of it; the controller and the host's name by default.
        host: the node that it runs on; for ``v1`` events.
        api: ``"events.k8s.io/v1"``, ``"v1"``, or whichever of them the server has, in this order.
        correlator: what becomes of repetitions in ``v1``.
        series: what becomes of them in ``events.k8s.io/v1``.
        queue_size: how many events may wait.
        tries: how often one event is tried where the server cannot be reached. Its refusals are final.
        retry_delay: seconds between tries.
        timeout: seconds for one request.
        now: nanoseconds since the epoch.

    Raises:
        InvalidRequestError: no client, no controller, an unknown API, a number out of its range, or something else than
            a correlator, series or function.

    Example:
        >>> import dynkube
        >>> client = dynkube.DynamicClient(dynkube.RESTConfig(host="https://127.0.0.1:6443"))
        >>> EventRecorder(client, "widget-controller")
        EventRecorder('widget-controller', waiting=0)
        >>> client.close()
    """

    def __init__(
        self,
        client: DynamicClient,
        controller: str,
        *,
        instance: str = "",
        host: str = "",
        api: API = "auto",
        correlator: EventCorrelator | None = None,
        series: SeriesCache | None = None,
        queue_size: int = 1000,
        tries: int = 12,
        retry_delay: float = 10.0,
        timeout: float = 30.0,
        now: Callable[[], int] = time.time_ns,
    ) -> None:
        checked_methods("client", client, "a DynamicClient", "resource")
        for name, text in (("controller", controller), ("instance", instance), ("host", host)):
            checked_text(name, text)
        if not controller:
            raise InvalidRequestError("controller: name who reports the events; the server refuses those of nobody")
        if api not in ("auto", _CORE, _EVENTS):
            raise InvalidRequestError(f"api: want 'auto', {_CORE!r} or {_EVENTS!r}, got {api!r}")
        checked_count("queue_size", queue_size, least=1)
        tries = checked_count("tries", tries, least=1)
        retry_delay = checked_seconds("retry_delay", retry_delay)
        timeout = checked_seconds("timeout", timeout, above=0)
        self._client = client
        self._controller = controller
        self._instance = instance or f"{controller}-{socket.gethostname()}"
        self._host = host
        self._api = api
        self._correlator = correlator if correlator is not None else EventCorrelator()
        checked_methods("correlator", self._correlator, "an EventCorrelator", "correlate", "update_state")
        self._series = series if series is not None else SeriesCache()
        checked_methods("series", self._series, "a SeriesCache", "add", "due", "close")
        self._now = checked_function("now", now)
        self._closing, self._cancel = CancelToken(), CancelToken()
        self._sink_of = partial(
            EventSink, tries=tries, retry_delay=retry_delay, timeout=timeout, closing=self._closing, cancel=self._cancel
        )
        self._waiting: queue.Queue[Occurrence | None] = queue.Queue(queue_size)
        self._lock = threading.Lock()  # of the thread, the watchers and the end
        self._thread: threading.Thread | None = None
        self._watchers: dict[object, Watcher] = {}
        self._closed = False
        renew_in_child(self)

    def renew_after_fork(self) -> None:
        """A forked child has a thread of its own, and leaves what waits to its parent."""
        self._lock = threading.Lock()
        self._thread = None
        self._waiting = queue.Queue(self._waiting.maxsize)

    # ---------------------------------------------------------------- recording

    def event(
        self,
        obj: Mapping[str, Any],
        event_type: Literal["Normal", "Warning"],
        reason: str,
        message: str,
        *,
        action: str = "",
        related: Mapping[str, Any] | None = None,
        annotations: Mapping[str, str] | None = None,
    ) -> None:
        """Record that something has happened to ``obj``. Returns at once, and raises nothing.

        What cannot be recorded is logged as an error, with the argument and the object.

        Args:
            obj: the object, with apiVersion and kind; or an ObjectReference, which may have a ``fieldPath``.
            event_type: ``"Normal"`` or ``"Warning"``.
            reason: why, in one word of 128 characters at most: ``"FailedMount"``. Programs go by it.
            message: what people read; cut after 1024 bytes in ``events.k8s.io/v1``.
            action: what was done about it, likewise; the reason by default.
            related: another object that has a part in it.
            annotations: of the event.
        """
        try:
            self._put(self._occurrence(obj, event_type, reason, message, action, related, annotations))
        except InvalidRequestError as error:
            _log.error("the event %r of %s is not recorded: %s", reason, _named(obj), error)
        except Exception:  # noqa: BLE001 - whoever records has other things to do
            _log.exception("the event %r of %s is not recorded", reason, _named(obj))

    def _put(self, occurrence: Occurrence) -> None:
        about = occurrence.regarding
        _log.info(
            "%s %s of %s %s/%s: %s",
            occurrence.type, occurrence.reason, about.get("kind"), about.get("namespace", ""), about.get("name"),
            occurrence.note,
        )  # fmt: skip
        self._enqueue(occurrence)

    def _occurrence(
        self,
        obj: Mapping[str, Any],
        event_type: str,
        reason: str,
        message: str,
        action: str,
        related: Mapping[str, Any] | None,
        annotations: Mapping[str, str] | None,
    ) -> Occurrence:
        if event_type not in ("Normal", "Warning"):
            raise InvalidRequestError(f"event_type: want 'Normal' or 'Warning', got {event_type!r}")
        for name, text in (("reason", reason), ("message", message), ("action", action)):
            checked_text(name, text)
        if not isinstance(annotations, Mapping | None):
            raise InvalidRequestError(f"annotations: want a dict of text to text, got {annotations!r}")
        for key, value in (annotations or {}).items():
            checked_text("annotations: each key", key)
            checked_text(f"annotations[{key!r}]", value)
        return Occurrence(
            regarding=_reference("obj", obj),
            related=None if related is None else _reference("related", related),
            type=event_type,
            reason=reason,
            action=action,
            note=message,
            annotations=dict(annotations or {}),
            nanoseconds=self._now(),
            controller=self._controller,
            instance=self._instance,
            host=self._host,
        )

    def _enqueue(self, occurrence: Occurrence) -> None:
        with self._lock:
            if self._closed:
                _log.error("the event %r is not recorded: the recorder is closed", occurrence.reason)
                return
            if self._thread is None:
                name = f"dynkube-events {self._controller}"
                thread = threading.Thread(target=self._run, name=name, daemon=True)
                thread.start()  # may fail where there are too many
                self._thread = thread
            try:
                self._waiting.put_nowait(occurrence)
            except queue.Full:
                _log.error("the event %r is dropped: %d events wait already", occurrence.reason, self._waiting.maxsize)

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Have ``watcher`` called with each event before it is written: as a dict of the API group that is used.

        Args:
            watcher: called on the recorder's thread. What it raises is logged.

        Returns:
            A function that takes this back.

        Raises:
            InvalidRequestError: it is no function of one event.
        """
        checked_function("watcher", watcher, "event")
        key = object()
        with self._lock:
            self._watchers[key] = watcher
        return lambda: self._unwatch(key)

    def _unwatch(self, key: object) -> None:
        with self._lock:
            self._watchers.pop(key, None)

    # ---------------------------------------------------------------- the end

    def flush(self, *, timeout: float | None = None, cancel: CancelToken | None = None) -> None:
        """Wait until all events that were recorded are written, or given up.

        Args:
            timeout: seconds to wait; None waits for ever.
            cancel: a token that ends the wait.

        Raises:
            DeadlineExceededError: the time ran out.
            CancelledError: the token was cancelled.
        """
        scope = CallScope(timeout, cancel)
        done = self._waiting.all_tasks_done  # what Queue.join waits for, without limit
        with done:
            while self._waiting.unfinished_tasks:
                scope.check()
                done.wait(scope.bound(_GLANCE))

    def close(self, *, timeout: float = 5.0) -> None:
        """Take no more events, and write what is there: each is tried once more. Calling it again changes nothing.

        Args:
            timeout: seconds for that, above 0; then the rest is dropped, and its number logged.

        Raises:
            InvalidRequestError: the timeout is no such number.
        """
        with_limit = CallScope(timeout)
        with self._lock:
            was_closed, self._closed, thread = self._closed, True, self._thread
        self._closing.cancel()
        if was_closed or thread is None:
            return
        try:
            self.flush(timeout=with_limit.left())
            self._waiting.put_nowait(None)  # the queue is empty, and nobody adds to it
            thread.join(with_limit.remaining())
        except DeadlineExceededError:
            pass
        if thread.is_alive():
            _log.error("%d events were not written in %g s, and are dropped", self._waiting.qsize(), timeout)
            self._cancel.cancel()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"EventRecorder({self._controller!r}, waiting={self._waiting.qsize()})"

    # ---------------------------------------------------------------- on the recorder's thread

    def _run(self) -> None:
        while not self._cancel.cancelled:
            try:
                occurrence = self._waiting.get(timeout=_TICK)
            except queue.Empty:
                self._attempt(lambda: self._write_series(self._series.due()))
                continue
            if occurrence is None:
                self._attempt(lambda: self._write_series(self._series.close()))
                self._waiting.task_done()
                return
            self._attempt(partial(self._record, occurrence))
            self._waiting.task_done()

    def _attempt(self, write: Callable[[], object]) -> None:
        try:
            write()
        except BaseException:  # noqa: BLE001 - one event must not end them all, nor others' code this thread
            _log.exception("an event could not be recorded")

    def _record(self, occurrence: Occurrence) -> None:
        if self._api_to_use() == _EVENTS:
            event = occurrence.events_event()
            self._show(event)
            written = self._series.add(event)
            self._write_series([written] if written is not None else [])
            self._write_series(self._series.due())
            return
        event = occurrence.core_event()
        self._show(event)
        result = self._correlator.correlate(event)
        if result.skip:
            _log.debug("the event %r is dropped: too many about this object", occurrence.reason)
            return
        there = self._sink(_CORE).write(result.event, result.patch)
        if there is not None:
            self._correlator.update_state(there)

    def _write_series(self, events: Any) -> None:
        for event in events:
            series = event.get("series")
            self._sink(_EVENTS).write(event, {"series": series} if series else None)

    def _show(self, event: dict[str, Any]) -> None:
        with self._lock:
            watchers = list(self._watchers.values())
        for watcher in watchers:
            try:
                watcher(event)
            except BaseException:  # noqa: BLE001 - others' code
                _log.exception("a watcher of events failed")

    def _api_to_use(self) -> str:
        """Which group the server has. As long as it does not say, the newer one, which each server of today has."""
        if self._api == "auto":
            try:
                self._client.discovery.server_resources_for_group_version(_EVENTS, cancel=self._cancel)
                self._api = _EVENTS
            except NotFoundError:
                self._api = _CORE
            except DynkubeError as error:
                _log.debug("the server does not say which events it has: %s", error)
                return _EVENTS
        return self._api

    def _sink(self, api: str) -> EventSink:
        group = "" if api == _CORE else "events.k8s.io"
        return self._sink_of(self._client.resource(GroupVersionResource(group, "v1", "events")))


def _reference(name: str, obj: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return reference_to(obj)
    except InvalidRequestError as error:
        raise InvalidRequestError(f"{name}: {error}") from None


def _named(obj: object) -> str:
    """What a log calls the object of an event that cannot be recorded, whatever it is."""
    if not isinstance(obj, Mapping):
        return f"a {type(obj).__name__}"
    metadata = obj.get("metadata")
    named = metadata if isinstance(metadata, Mapping) else obj
    return f"{obj.get('kind')} {named.get('namespace') or ''}/{named.get('name')}"
