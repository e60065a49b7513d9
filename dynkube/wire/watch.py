"""Watch streams: bytes to events.

A watch answers with one JSON object ``{"type": ..., "object": ...}`` after another (API
concepts, "Efficient detection of changes"). `WatchDecoder` turns the bytes into `WatchEvent`
values, however they are chunked. It reads no socket; whoever does feeds it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Generic, TypeAlias

from dynkube.codec import MAX_FRAME_BYTES, FrameSplitter, decode_object
from dynkube.errors import APIStatusError, DecodeError, FrameTooLargeError, status_error_class
from dynkube.records import RawObject, record_of_frame

if TYPE_CHECKING:
    from typing_extensions import TypeVar  # only type checkers need the default, and they bring the module along

    ObjectT = TypeVar("ObjectT", bound=dict[str, Any] | RawObject, default=dict[str, Any])
else:
    from typing import TypeVar

    ObjectT = TypeVar("ObjectT")

__all__ = [
    "AnyWatchEvent",
    "EventType",
    "WatchDecoder",
    "WatchEvent",
    "error_of",
    "is_initial_events_end",
    "raise_on_error",
]

INITIAL_EVENTS_END = "k8s.io/initial-events-end"
"""The annotation of the bookmark that ends a watch's initial events (AM/apis/meta/v1/types.go)."""

_EXCERPT_CHARS = 80


class EventType(StrEnum):
    """What happened to the object of a `WatchEvent` (AM/watch/watch.go).

    >>> EventType("ADDED") == "ADDED"
    True
    """

    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"
    BOOKMARK = "BOOKMARK"
    """Nothing happened: the object has only kind, apiVersion and the resourceVersion reached."""
    ERROR = "ERROR"
    """The watch failed: the object is a ``Status``."""


_TYPES = {each.value: each for each in EventType}
_OF_OBJECTS = {each.value: each for each in (EventType.ADDED, EventType.MODIFIED, EventType.DELETED)}


@dataclass(frozen=True, slots=True)
class WatchEvent(Generic[ObjectT]):
    """One event of a watch.

    Attributes:
        type: what happened.
        object: the object as a plain dict (as a `RawObject` where records were asked for); for BOOKMARK
            only its resourceVersion counts, for ERROR it is a ``Status``, always as dicts.
        final_state_unknown: for DELETED: the deletion was found out afterwards, by a list
            (client-go's DeletedFinalStateUnknown). The object then is a dict and holds only apiVersion,
            kind and, in its metadata, name, namespace, uid and the last resourceVersion seen.

    Example:
        >>> event = WatchEvent(EventType.ADDED, {"kind": "Pod", "metadata": {"name": "api"}})
        >>> event.type, event.object["metadata"]["name"]
        (<EventType.ADDED: 'ADDED'>, 'api')
    """

    type: EventType
    object: ObjectT
    final_state_unknown: bool = False

    def __repr__(self) -> str:
        # In logs and in tracebacks, too: what a Secret holds does not show.
        is_secret = isinstance(self.object, dict) and self.object.get("kind") == "Secret"
        shown = "<a Secret>" if is_secret else repr(self.object)
        unknown = ", final_state_unknown=True" if self.final_state_unknown else ""
        return f"WatchEvent({self.type}, {shown}{unknown})"


AnyWatchEvent: TypeAlias = WatchEvent[Any]
"""A `WatchEvent` whose object is a dict or a `RawObject`."""


def error_of(event: AnyWatchEvent) -> APIStatusError | None:
    """The error that an ERROR event carries, None for any other event.

    Example:
        >>> error_of(WatchEvent(EventType.ERROR, {"code": 410, "reason": "Expired", "message": "too old"}))
        ExpiredError(code=410, reason='Expired', message='too old')
    """
    if event.type is not EventType.ERROR:
        return None
    status = event.object
    reason, code = status.get("reason"), status.get("code")
    error_class = status_error_class(reason if isinstance(reason, str) else "", code if isinstance(code, int) else 0)
    return error_class(status)


def raise_on_error(event: WatchEvent) -> WatchEvent:
    """Return ``event``, or raise the error that it carries.

    Args:
        event: any event.

    Returns:
        The same event.

    Raises:
        APIStatusError: the event is an ERROR.
    """
    error = error_of(event)
    if error is not None:
        raise error
    return event


def is_initial_events_end(event: AnyWatchEvent) -> bool:
    """Whether this bookmark ends the initial events of a watch that asked for them (KEP-3157)."""
    if event.type is not EventType.BOOKMARK:
        return False
    metadata = event.object.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    return isinstance(annotations, dict) and annotations.get(INITIAL_EVENTS_END) == "true"


class WatchDecoder:
    r"""Turns the bytes of a watch into events, however they are chunked.

    The API server ends every frame with a newline and writes none inside, so a line is a
    frame: decoding it proves that it is whole, for nothing. The framing itself is only
    concatenated JSON (AM/runtime/serializer/json/json.go, Framer), so where a line is no
    frame, frames are found by counting braces.

    Frames are decoded one by one as the events are taken, so that a consumer who lets go of
    each event gives the garbage collector nothing to walk.

    Not thread-safe: one stream, one decoder.

    Args:
        limit: the largest frame in bytes.
        records: whether the objects of ADDED, MODIFIED and DELETED come as `RawObject`, undecoded.

    Example:
        >>> decoder = WatchDecoder()
        >>> [event.type.value for event in decoder.feed(b'{"type":"ADDED","object":{}}\n{"type":"DEL')]
        ['ADDED']
        >>> [event.type.value for event in decoder.feed(b'ETED","object":{}}\n')]
        ['DELETED']
        >>> decoder.finish()
        []
    """

    def __init__(self, limit: int = MAX_FRAME_BYTES, *, records: bool = False) -> None:
        self._limit = limit
        self._event_or_none: Callable[[bytes], AnyWatchEvent | None] = _record_or_none if records else _event_or_none
        self._pending: list[bytes] = []  # the line that is not complete, in the pieces it came in
        self._pending_bytes = 0
        self._splitter: FrameSplitter | None = None  # once a frame has gone beyond its line

    def feed(self, chunk: bytes) -> Iterator[AnyWatchEvent]:
        """Add bytes; give the events that are complete now, decoded as they are taken.

        Take them all before the next call.

        Args:
            chunk: the next bytes of the stream, any number of them.

        Yields:
            The events in the order of the stream.

        Raises:
            FrameTooLargeError: a frame is larger than the limit.
            DecodeError: a frame is no watch event, or has an unknown type; the events
                before it have been given.
        """
        if self._splitter is not None:
            for frame in self._splitter.feed(chunk):
                yield self._event(frame)
            return
        *lines, rest = chunk.split(b"\n")
        for number, line in enumerate(lines):
            whole = self._join(line)
            if not whole or whole.isspace():
                continue
            self._check(len(whole))
            event = self._event_or_none(whole)
            if event is not None:
                yield event
                continue
            frames, is_whole = self._split(whole + b"\n")
            for frame in frames:
                yield self._event(frame)
            if not is_whole:
                yield from self.feed(b"\n".join((*lines[number + 1 :], rest)))
                return
        self._keep(rest)
        if rest.rstrip().endswith(b"}"):
            rest = self._join(b"")
            # A chunk may end at any brace. Counting costs little, and is wrong only where strings
            # hold braces: such an object waits for more bytes or for the end.
            if rest.count(b"{") <= rest.count(b"}"):
                yield from self._without_newline(rest)
            else:
                self._keep(rest)

    def finish(self) -> list[AnyWatchEvent]:
        """Say that the stream has ended; an incomplete frame is dropped silently.

        A stream that is cut looks like one that ends (AM/watch/streamwatcher.go: EOF and
        unexpected EOF end the watch without an error), and whoever resumes gets the event again.

        Returns:
            The last events, of a server that ends its frames without newlines; mostly none.

        Raises:
            DecodeError: what is left is not even the beginning of a frame.
        """
        rest = self._splitter.finish() if self._splitter is not None else self._join(b"").strip()
        if rest and not rest.startswith(b"{"):
            raise DecodeError(f"not a watch event: {_excerpt(rest)}")
        last = list(self._without_newline(rest)) if rest.endswith(b"}") else []
        self._join(b"")
        return last

    def _event(self, frame: bytes) -> AnyWatchEvent:
        event = self._event_or_none(frame)
        return event if event is not None else _checked(decode_object(frame, what="watch event"), frame)

    def _split(self, line: bytes) -> tuple[list[bytes], bool]:
        # Several objects on one line, or one that goes on beyond its line: then no lines any more.
        splitter = FrameSplitter(self._limit)
        frames = splitter.feed(line)
        is_whole = not _after(line, frames).strip()
        if not is_whole:
            self._splitter = splitter
        return frames, is_whole

    def _without_newline(self, rest: bytes) -> Iterator[AnyWatchEvent]:
        # The last object may be complete although no newline follows (other servers than
        # kube-apiserver); mostly the chunk only happens to end with a brace.
        event = self._event_or_none(rest)
        if event is not None:
            yield event
            return
        frames = FrameSplitter(self._limit).feed(rest)
        self._keep(_after(rest, frames))
        for frame in frames:
            yield self._event(frame)

    def _join(self, piece: bytes) -> bytes:
        if not self._pending:
            return piece
        whole = b"".join((*self._pending, piece))
        self._pending.clear()
        self._pending_bytes = 0
        return whole

    def _keep(self, rest: bytes) -> None:
        if rest:
            self._pending.append(rest)
            self._pending_bytes += len(rest)
            self._check(self._pending_bytes)

    def _check(self, size: int) -> None:
        if size > self._limit:
            raise FrameTooLargeError(
                f"a watch frame is larger than {self._limit} bytes; ask for less, for one with metadata only"
            )


def _event_or_none(line: bytes) -> AnyWatchEvent | None:
    try:
        decoded = decode_object(line, what="watch event")
    except DecodeError:
        return None
    return _checked(decoded, line)


def _record_or_none(line: bytes) -> AnyWatchEvent | None:
    try:
        name, record = record_of_frame(line)
    except DecodeError as error:
        event = _event_or_none(line)
        if event is None or event.type not in _OF_OBJECTS:
            return event
        raise DecodeError(str(error)) from None
    event_type = _OF_OBJECTS.get(name)
    return WatchEvent(event_type, record) if event_type is not None else _event_or_none(line)


def _checked(decoded: dict[str, Any], frame: bytes) -> WatchEvent:
    name, obj = decoded.get("type"), decoded.get("object")
    event_type = _TYPES.get(name) if isinstance(name, str) else None
    if event_type is not None and type(obj) is dict:
        return WatchEvent(event_type, obj)
    if event_type is None:
        raise DecodeError(f"watch event of unknown type {name!r}: {_excerpt(frame)}")
    raise DecodeError(f"watch event whose object is no JSON object: {_excerpt(frame)}")


def _after(data: bytes, frames: list[bytes]) -> bytes:
    # Frames stand in order with nothing but blanks between them.
    position = 0
    for frame in frames:
        position = data.index(frame, position) + len(frame)
    return data[position:]


def _excerpt(data: bytes) -> str:
    text = data[: _EXCERPT_CHARS + 1].decode("utf-8", "replace")
    return text if len(text) <= _EXCERPT_CHARS else text[:_EXCERPT_CHARS] + "..."
