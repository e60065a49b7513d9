"""JSON bytes to plain dicts and back; with `dynkube.records` the only module that knows msgspec.

Three things live here because they are about bytes, not about Kubernetes:

* `decode` and `encode`, strict about what may leave (no NaN, bytes, sets, dates);
* `split_list` and `FrameSplitter`, which cut lists and watch streams into undecoded pieces;
* `gc_paused`. Most of the cost of a large list in Python is the cyclic garbage collector
  walking fresh dicts, which cannot be garbage yet: 38.8 MB of pods decode in 0.17 s with
  the collector paused and in 1.2 s with it running.
"""

from __future__ import annotations

import gc
import math
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import msgspec

from dynkube.errors import DecodeError, FrameTooLargeError, InvalidRequestError
from dynkube.forks import renew_in_child

__all__ = [
    "MAX_FRAME_BYTES",
    "FrameSplitter",
    "Raw",
    "RawList",
    "count_as_old",
    "decode",
    "decode_object",
    "decode_raw",
    "encode",
    "encode_plain",
    "gc_paused",
    "split_list",
]

Raw: TypeAlias = msgspec.Raw
"""Undecoded JSON: bytes that the garbage collector does not track."""

Buffer: TypeAlias = bytes | bytearray | memoryview

MAX_FRAME_BYTES = 16 * 2**20
"""The largest watch frame accepted, in bytes (CG/rest/request.go: 16 MiB)."""

# Below this a collection during decoding cannot cost what two lock operations do.
_SMALL_BYTES = 16 * 1024
# New dicts and lists, some hundred pods of them: a walk through fewer is too short to be felt.
_MANY_CONTAINERS = 50_000
_FEW_FROZEN = 5_000
_EXCERPT_CHARS = 80
_INT64_MIN, _UINT64_MAX = -(2**63), 2**64 - 1
_WHITESPACE = b" \t\r\n"
_OPEN, _CLOSE, _QUOTE = b'{}"'


# --------------------------------------------------------------------------- the GC pause


class _GCPause:
    """Counts who wants the collector off; the last one out restores what was."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._holders = 0
        self._was_enabled = False

    def renew_after_fork(self) -> None:
        """In a forked child: whoever held the lock or the pause is not there."""
        self._lock = threading.Lock()
        if self._holders:
            self._holders = 0
            if self._was_enabled:
                gc.enable()

    def enter(self) -> None:
        with self._lock:
            if self._holders == 0:
                self._was_enabled = gc.isenabled()
                gc.disable()
            self._holders += 1

    def leave(self) -> None:
        with self._lock:
            if not self._holders:
                return  # a forked child, which dropped what its parent was at
            self._holders -= 1
            if self._holders == 0 and self._was_enabled:
                gc.enable()


_pause = _GCPause()
renew_in_child(_pause)


@contextmanager
def gc_paused() -> Iterator[None]:
    """Pause the cyclic garbage collector, for the whole process, while the block runs.

    Nests, and counts across threads: the collector comes back when the last block
    ends, also by an error, and stays off if it was off before the first began.

    Example:
        >>> import gc
        >>> before = gc.isenabled()
        >>> with gc_paused():
        ...     gc.isenabled()
        False
        >>> gc.isenabled() == before
        True
    """
    _pause.enter()
    try:
        yield
    finally:
        _pause.leave()


def count_as_old() -> None:
    """Say of what was made in a long `gc_paused`, before its end, that it is here to stay.

    The collector would come to that, too, after two or three walks through all of it, with every
    thread standing still (0.15 s for each 5,000 pods as dicts). Whatever else is young counts as
    old then, garbage included: for what happens once, and does nothing where little was made.
    """
    # What the application froze stays so; the few are Python 3.12's own immortal objects.
    if gc.get_count()[0] > _MANY_CONTAINERS and gc.get_freeze_count() < _FEW_FROZEN:
        gc.freeze()
        gc.unfreeze()


# --------------------------------------------------------------------------- decoding

_decoder = msgspec.json.Decoder()
_CONFIDENTIAL = re.compile(rb'"kind"\s*:\s*"(Secret|TokenRe)')


def decode(data: Buffer) -> Any:
    """Decode JSON into dicts, lists, str, int, float, bool and None.

    Integers stay integers up to 64 bits and beyond (behaviour of the API server's own
    decoder: 2.6.3 in docs/reference/parity); nothing goes through float.

    Args:
        data: UTF-8 JSON, one value.

    Returns:
        The value.

    Raises:
        DecodeError: the bytes are not one JSON value; the message shows where, and their head.

    Example:
        >>> decode(b'{"replicas": 3}')
        {'replicas': 3}
    """
    if len(data) < _SMALL_BYTES:
        found = _decode(data)
    else:
        _pause.enter()
        try:
            found = _decode(data)
        finally:
            _pause.leave()
    if type(found) is DecodeError:
        del data  # what a traceback shows of this frame may be a Secret
        raise found
    return found


def _decode(data: Buffer) -> Any:
    """The value; a `DecodeError`, not raised, where there is none."""
    try:
        return _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return _not_json(data, error)
    except RecursionError:
        return DecodeError(f"JSON nested too deeply: {_excerpt(data)}")


def decode_object(data: Buffer, *, what: str = "response") -> dict[str, Any]:
    """Decode JSON that must be an object.

    Args:
        data: UTF-8 JSON.
        what: what the bytes are, for the message.

    Returns:
        The object, as a dict.

    Raises:
        DecodeError: not JSON, or not an object.

    Example:
        >>> decode_object(b"[]", what="watch event")
        Traceback (most recent call last):
        ...
        dynkube.errors.DecodeError: watch event is not a JSON object but a list: []
    """
    try:
        value = decode(data)
    except DecodeError:
        del data  # as in decode
        raise
    if type(value) is not dict:
        problem = f"{what} is not a JSON object but a {type(value).__name__}: {_excerpt(data)}"
        del data, value
        raise DecodeError(problem)
    return value


def decode_raw(raw: Raw) -> dict[str, Any]:
    """Decode one item of a `RawList`, which must be an object."""
    return decode_object(memoryview(raw), what="list item")


def _not_json(data: Buffer, error: Exception) -> DecodeError:
    if not len(data):
        return DecodeError("empty where JSON was expected")
    return DecodeError(f"not JSON: {error}; it begins {_excerpt(data)}")


def _excerpt(data: Buffer) -> str:
    if _CONFIDENTIAL.search(data):
        return f"{len(data)} bytes that are not shown, of a kind that holds secrets"
    text = bytes(data[: _EXCERPT_CHARS + 1]).decode("utf-8", "replace")
    return text if len(text) <= _EXCERPT_CHARS else text[:_EXCERPT_CHARS] + "..."


# --------------------------------------------------------------------------- encoding

_encoder = msgspec.json.Encoder()


def encode(value: Any, *, argument: str = "body") -> bytes:
    """Encode plain data as compact JSON.

    msgspec would send something for NaN (null), bytes (base64), sets, datetimes and
    Decimals: here each of them is refused, because the server would store a guess.

    Args:
        value: dicts with string keys, lists, tuples, str, int, float, bool and None.
        argument: the caller's name for the value, for the message.

    Returns:
        UTF-8 JSON without spaces.

    Raises:
        InvalidRequestError: the value holds what JSON cannot say; the message gives the path.

    Example:
        >>> encode({"spec": {"replicas": 3}})
        b'{"spec":{"replicas":3}}'
        >>> encode({"spec": {"when": {1, 2}}}, argument="obj")
        Traceback (most recent call last):
        ...
        dynkube.errors.InvalidRequestError: obj.spec.when is a set, which JSON cannot hold: send a list
    """
    try:
        _check_plain(value)
    except _NotPlainError as found:
        raise InvalidRequestError(f"{argument}{found.path()} {found.problem}") from None
    except RecursionError:
        raise InvalidRequestError(f"{argument} is nested too deeply, or contains itself") from None
    try:
        return _encoder.encode(value)
    except (UnicodeEncodeError, OverflowError, TypeError, ValueError) as error:
        raise InvalidRequestError(f"{argument} cannot be sent as JSON: {error}") from error


def encode_plain(value: Any) -> bytes:
    """As `encode`, of what is plain data for certain (it was decoded), which nobody needs to look through.

    Raises:
        UnicodeEncodeError: A string has half of a surrogate pair.

    Example:
        >>> encode_plain({"spec": {"replicas": 3}})
        b'{"spec":{"replicas":3}}'
    """
    return _encoder.encode(value)


class _NotPlainError(Exception):
    """Carries the path upwards: built only when something is wrong."""

    def __init__(self, problem: str) -> None:
        self.problem = problem
        self.steps: list[str] = []

    def path(self) -> str:
        return "".join(reversed(self.steps))


def _check_plain(value: Any) -> None:
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return
    if kind is dict:
        _check_dict(value)
    elif kind is list or kind is tuple:
        _check_sequence(value)
    elif kind is int:
        if not _INT64_MIN <= value <= _UINT64_MAX:
            raise _NotPlainError("is an integer beyond 64 bits, which the API server cannot read")
    elif kind is float:
        if not math.isfinite(value):
            raise _NotPlainError(f"is {value}, which JSON cannot hold")
    else:
        _check_other(value)


def _check_dict(value: dict[Any, Any]) -> None:
    for key, each in value.items():
        if type(key) is not str and not isinstance(key, str):
            raise _NotPlainError(f"has the key {key!r}, a {type(key).__name__}: JSON keys are strings")
        if type(each) is str:  # most values
            continue
        try:
            _check_plain(each)
        except _NotPlainError as found:
            found.steps.append(f".{key}")
            raise


def _check_sequence(value: list[Any] | tuple[Any, ...]) -> None:
    for index, each in enumerate(value):
        try:
            _check_plain(each)
        except _NotPlainError as found:
            found.steps.append(f"[{index}]")
            raise


_ADVICE = {
    "set": "send a list",
    "frozenset": "send a list",
    "bytes": "decode it, or base64-encode it into a string",
    "bytearray": "decode it, or base64-encode it into a string",
    "memoryview": "decode it, or base64-encode it into a string",
    "datetime": "send a string such as '2026-01-31T12:00:00Z'",
    "date": "send a string such as '2026-01-31'",
    "Decimal": "send a string, or an int or float",
    "StoredObject": "send its to_dict()",
    "StoredTombstone": "send its to_dict()",
}


def _check_other(value: Any) -> None:
    # Subclasses of plain types are plain: defaultdict, IntEnum, str enums. msgspec takes them as such.
    if isinstance(value, dict):
        _check_dict(value)
    elif isinstance(value, (list, tuple)):
        _check_sequence(value)
    elif not isinstance(value, (str, int)):
        name = type(value).__name__
        advice = _ADVICE.get(name, "use dicts, lists, strings, numbers, booleans and None")
        raise _NotPlainError(f"is a {name}, which JSON cannot hold: {advice}")


# --------------------------------------------------------------------------- lists


class RawList(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """A list response whose items are not decoded yet.

    Attributes:
        kind: for instance ``"PodList"``.
        api_version: for instance ``"v1"``.
        metadata: the list's metadata: ``resourceVersion``, ``continue``, ...
        items: one `Raw` per object; they share the response's memory.
    """

    kind: str = ""
    api_version: str = ""
    metadata: dict[str, Any] = {}
    items: list[msgspec.Raw] | None = None


_list_decoder = msgspec.json.Decoder(RawList)


def split_list(data: Buffer) -> RawList:
    """Split a list response into its items without decoding them.

    Args:
        data: the body of a list response.

    Returns:
        The list, with ``items`` never None (a server's ``items: null`` is an empty list).

    Raises:
        DecodeError: not a JSON object, or not of a list's shape.

    Example:
        >>> page = split_list(b'{"kind":"PodList","metadata":{"resourceVersion":"7"},"items":[{"a":1}]}')
        >>> page.metadata["resourceVersion"], [decode_raw(item) for item in page.items]
        ('7', [{'a': 1}])
    """
    with gc_paused():
        try:
            page = _list_decoder.decode(data)
        except msgspec.ValidationError as error:
            raise DecodeError(f"not a list: {error}; it begins {_excerpt(data)}") from error
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise _not_json(data, error) from error
    if page.items is None:
        return RawList(kind=page.kind, api_version=page.api_version, metadata=page.metadata, items=[])
    return page


# --------------------------------------------------------------------------- watch streams


# A string that is cut off at the end of the data has no closing quote (group 1).
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*+(?:(")|\\?\Z)|[{}]', re.DOTALL)
_BLANK = re.compile(rb"[ \t\r\n]*")


class FrameSplitter:
    r"""Cuts a byte stream into whole JSON objects, however the bytes are chunked.

    The API server writes one compact object per line, but the framing is concatenated
    JSON (AM/runtime/serializer/json/json.go, Framer): objects may touch, and a newline
    may stand inside one. So a line is taken as a frame when its braces balance, which
    costs next to nothing; where they do not, braces are counted outside strings.

    Not thread-safe: one stream, one splitter.

    Args:
        limit: the largest frame in bytes.

    Example:
        >>> splitter = FrameSplitter()
        >>> splitter.feed(b'{"a":1}\n{"b"')
        [b'{"a":1}']
        >>> splitter.feed(b':2}{"c":3}')
        [b'{"b":2}', b'{"c":3}']
        >>> splitter.finish()
        b''
    """

    def __init__(self, limit: int = MAX_FRAME_BYTES) -> None:
        self._limit = limit
        self._pending: list[bytes] = []  # the incomplete line, in the pieces it came in
        self._pending_bytes = 0
        self._scan: _BraceScan | None = None

    def feed(self, chunk: Buffer) -> list[bytes]:
        """Add bytes; return the frames that are complete now.

        Raises:
            FrameTooLargeError: a frame is larger than the limit.
            DecodeError: something that is no JSON object stands between frames.
        """
        data = bytes(chunk)
        if self._scan is not None:
            return self._scan.feed(data)
        frames: list[bytes] = []
        lines = data.split(b"\n")
        for number, line in enumerate(lines[:-1]):
            whole = self._join(line).strip(_WHITESPACE)
            if _balanced(whole):
                self._check(len(whole))
                frames.append(whole)
            elif whole:
                # Braces in a string, or objects that touch: whole lines again afterwards.
                # An object that goes on beyond its line: no lines from here on.
                scan = _BraceScan(self._limit)
                frames += scan.feed(whole + b"\n")
                if scan.rest():
                    self._scan = scan
                    return frames + scan.feed(b"\n".join(lines[number + 1 :]))
        self._keep(lines[-1])
        if lines[-1].rstrip(_WHITESPACE).endswith(b"}"):
            frames += self._complete_without_newline()
        return frames

    def finish(self) -> bytes:
        """The incomplete frame that is left, ``b""`` at a clean end."""
        rest = self._scan.rest() if self._scan is not None else self._join(b"")
        return rest.strip(_WHITESPACE)

    def _complete_without_newline(self) -> list[bytes]:
        # A chunk may end at any brace: only the exact count tells whether this one closes the object.
        scan = _BraceScan(self._limit)
        frames = scan.feed(self._join(b""))
        self._keep(scan.rest())
        return frames

    def _keep(self, rest: bytes) -> None:
        if rest:
            self._pending.append(rest)
            self._pending_bytes += len(rest)
            self._check(self._pending_bytes)

    def _join(self, piece: bytes) -> bytes:
        if not self._pending:
            return piece
        whole = b"".join([*self._pending, piece])
        self._pending.clear()
        self._pending_bytes = 0
        return whole

    def _check(self, size: int) -> None:
        if size > self._limit:
            raise _too_large(self._limit)


def _balanced(line: bytes) -> bool:
    # Braces inside strings can make a whole line look unbalanced: then braces are
    # counted properly. They cannot make a part of the server's compact JSON look whole,
    # since that has no newline inside.
    return (
        line.startswith(b"{")
        and line.endswith(b"}")
        and line.count(b"{") == line.count(b"}")
        and b"}{" not in line
        and b"} {" not in line
    )


class _BraceScan:
    """Counts braces outside strings; remembers how far it has read."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._buffer = bytearray()
        self._position = 0
        self._depth = 0

    def feed(self, data: bytes) -> list[bytes]:
        self._buffer += data
        frames = []
        start = self._skip_blank(0)
        for token in _TOKEN.finditer(self._buffer, max(self._position, start)):
            byte = self._buffer[token.start()]
            if byte == _QUOTE and token.group(1) is None:
                self._position = token.start()
                break
            self._position = token.end()
            if byte == _OPEN:
                self._depth += 1
            elif byte == _CLOSE:
                self._depth -= 1
                if self._depth == 0:
                    frames.append(self._cut(start))
                    start = self._skip_blank(self._position)
        else:
            self._position = len(self._buffer)
        del self._buffer[:start]
        self._position = max(self._position - start, 0)
        if len(self._buffer) > self._limit:
            raise _too_large(self._limit)
        return frames

    def _cut(self, start: int) -> bytes:
        if self._position - start > self._limit:
            raise _too_large(self._limit)
        return bytes(self._buffer[start : self._position])

    def rest(self) -> bytes:
        return bytes(self._buffer)

    def _skip_blank(self, position: int) -> int:
        blank = _BLANK.match(self._buffer, position)
        position = blank.end() if blank is not None else position
        if self._depth == 0 and position < len(self._buffer) and self._buffer[position] != _OPEN:
            raise DecodeError(f"not a JSON object in the watch stream: {_excerpt(self._buffer[position:])}")
        return position


def _too_large(limit: int) -> FrameTooLargeError:
    return FrameTooLargeError(f"a watch frame is larger than {limit} bytes; ask for less, for one with metadata only")
