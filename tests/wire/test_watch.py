from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynkube.errors import (
    APIStatusError,
    DecodeError,
    ExpiredError,
    FrameTooLargeError,
    GoneError,
    InternalServerError,
)
from dynkube.records import RawObject
from dynkube.wire.watch import EventType, WatchDecoder, WatchEvent, error_of, is_initial_events_end, raise_on_error

TYPES = ["ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"]
# Characters that a careless splitter trips over, next to some of two to four bytes.
text = st.text(st.sampled_from('{}[]",:\\ \n\té€😀ab'), max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=6,
)
objects = st.dictionaries(text, values, max_size=4)
events = st.lists(st.tuples(st.sampled_from(TYPES), objects), max_size=6)
layouts = st.sampled_from(
    [
        lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n",
        lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":")),
        lambda value: json.dumps(value) + " ",
        lambda value: json.dumps(value, indent=2) + "\n",
        lambda value: "\r\n" + json.dumps(value, indent=1, ensure_ascii=False),
    ]
)


def named(name: str, obj: dict[str, Any]) -> dict[str, Any]:
    """An object as the API server has them."""
    rest = {key: value for key, value in obj.items() if key not in {"metadata", "kind", "apiVersion"}}
    return {"kind": "Pod", "metadata": {"name": name}, **rest}


def decoded(obj: Any) -> Any:
    return obj.decode() if isinstance(obj, RawObject) else obj


def decode(chunks: list[bytes], limit: int = 2**20, *, records: bool = False) -> list[WatchEvent]:
    decoder = WatchDecoder(limit, records=records)
    found = [event for chunk in chunks for event in decoder.feed(chunk)]
    return found + decoder.finish()


def cut(data: bytes, places: list[int]) -> list[bytes]:
    borders = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[start:end] for start, end in pairwise(borders)] + [b""]


@pytest.mark.behaviour("2.10.1", "6.1")
@given(events, st.data(), st.lists(st.integers(0, 10**6), max_size=30))
def test_any_chunking_of_any_layout_decodes_to_the_same_events(
    wanted: list[tuple[str, dict[str, Any]]], data: st.DataObject, places: list[int]
) -> None:
    layout = [data.draw(layouts) for _ in wanted]
    stream = "".join(
        write({"type": kind, "object": obj}) for (kind, obj), write in zip(wanted, layout, strict=True)
    ).encode()
    found = decode(cut(stream, places))
    assert [(event.type.value, event.object) for event in found] == wanted


@pytest.mark.behaviour("2.10.1")
@given(events)
def test_byte_by_byte(wanted: list[tuple[str, dict[str, Any]]]) -> None:
    stream = "".join(json.dumps({"type": kind, "object": obj}) + "\n" for kind, obj in wanted).encode()
    found = decode([bytes([byte]) for byte in stream])
    assert [(event.type.value, event.object) for event in found] == wanted


@given(
    st.lists(st.tuples(st.sampled_from(TYPES), st.builds(named, text, objects)), max_size=6),
    st.data(),
    st.lists(st.integers(0, 10**6), max_size=30),
)
def test_records_are_the_same_events_undecoded(
    wanted: list[tuple[str, dict[str, Any]]], data: st.DataObject, places: list[int]
) -> None:
    layout = [data.draw(layouts) for _ in wanted]
    stream = "".join(
        write({"type": kind, "object": obj}) for (kind, obj), write in zip(wanted, layout, strict=True)
    ).encode()
    found = decode(cut(stream, places), records=True)
    assert [(event.type.value, decoded(event.object)) for event in found] == wanted
    assert {type(event.object) for event in found if event.type not in {"BOOKMARK", "ERROR"}} <= {RawObject}
    assert {type(event.object) for event in found if event.type in {"BOOKMARK", "ERROR"}} <= {dict}


@pytest.mark.behaviour("6.2")
@given(events, objects, st.integers(0, 10**6))
def test_a_cut_stream_gives_what_was_whole_and_ends_silently(
    wanted: list[tuple[str, dict[str, Any]]], last: dict[str, Any], place: int
) -> None:
    frame = json.dumps({"type": "ADDED", "object": last}).encode()
    stream = "".join(json.dumps({"type": kind, "object": obj}) + "\n" for kind, obj in wanted).encode()
    found = decode([stream + frame[: place % len(frame)]])
    assert [(event.type.value, event.object) for event in found] == wanted


@pytest.mark.parametrize(
    "frame",
    [
        b'{"type":"ADDED","object":{"metadata":{"name":7}}}',
        b'{"type":"ADDED","object":{}}',
        b'{"type":"ADDED","object":[]}',
        b'{"type":"STRANGE","object":{"metadata":{}}}',
        b'{"object":{"metadata":{}}}',
        b"garbage",
    ],
)
def test_what_is_no_object_is_no_record(frame: bytes) -> None:
    good = b'{"type":"ADDED","object":{"metadata":{"name":"a"}}}\n'
    found = WatchDecoder(records=True).feed(good + frame + b"\n")
    assert next(found).object.name == "a"
    with pytest.raises(DecodeError):
        next(found)


def test_a_frame_without_newline_is_not_held_back() -> None:
    decoder = WatchDecoder()
    assert len(list(decoder.feed(b'{"type":"ADDED","object":{"a":"}"}}'))) == 1
    assert len(list(decoder.feed(b'{"type":"ADDED","object":{}}{"type":"ADDED","object":{}}'))) == 2
    assert len(list(decoder.feed(b'\n{"type":"ADDED","object":{}}\n'))) == 1


def test_after_touching_frames_on_a_line_lines_are_frames_again() -> None:
    decoder = WatchDecoder()
    frame = b'{"type":"ADDED","object":{}}'
    assert len(list(decoder.feed(frame + frame + b"\n" + frame + b"\n" + frame[:9]))) == 3
    assert len(list(decoder.feed(frame[9:] + b"\n"))) == 1


@pytest.mark.behaviour("6.1")
@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (b'{"type":"BROKEN","object":{}}', "unknown type 'BROKEN'"),
        (b'{"type":5,"object":{}}', "unknown type 5"),
        (b'{"object":{}}', "unknown type None"),
        (b'{"type":"ADDED"}', "no JSON object"),
        (b'{"type":"ADDED","object":[]}', "no JSON object"),
        (b"[]", "not a JSON object"),
        (b"<html><body>502</body></html>", "<html>"),
    ],
)
def test_what_is_no_event_is_a_decode_error_that_shows_it(frame: bytes, message: str) -> None:
    events = WatchDecoder().feed(b'{"type":"ADDED","object":{"n":1}}\n' + frame + b"\n")
    assert next(events).object == {"n": 1}  # what came before is not lost
    with pytest.raises(DecodeError, match=message.replace("[", r"\[")):
        next(events)


def test_a_page_of_something_else_without_a_newline_is_an_error_at_the_end() -> None:
    decoder = WatchDecoder()
    assert list(decoder.feed(b"<html>")) == []
    with pytest.raises(DecodeError, match="<html>"):
        decoder.finish()


@pytest.mark.behaviour("2.10.2")
@pytest.mark.parametrize("newline", [b"", b"\n"])
def test_a_frame_above_the_limit(newline: bytes) -> None:
    frame = json.dumps({"type": "ADDED", "object": {"a": "x" * 200}}).encode()
    with pytest.raises(FrameTooLargeError, match="100 bytes"):
        decode([frame[:50], frame[50:] + newline], limit=100)
    assert len(decode([frame + newline], limit=300)) == 1


@pytest.mark.behaviour("6.1", "6.3")
def test_an_error_event_carries_the_typed_error() -> None:
    expired = WatchEvent(EventType.ERROR, {"code": 410, "reason": "Expired", "message": "too old: 5 (9)"})
    assert isinstance(error_of(expired), ExpiredError)
    assert isinstance(error_of(WatchEvent(EventType.ERROR, {"code": 410, "reason": "Gone"})), GoneError)
    assert isinstance(error_of(WatchEvent(EventType.ERROR, {"code": 500})), InternalServerError)
    assert type(error_of(WatchEvent(EventType.ERROR, {"code": "x", "reason": 7}))) is APIStatusError
    with pytest.raises(ExpiredError, match="too old: 5"):
        raise_on_error(expired)
    added = WatchEvent(EventType.ADDED, {})
    assert error_of(added) is None
    assert raise_on_error(added) is added


@pytest.mark.behaviour("5.7.2")
def test_the_bookmark_that_ends_the_initial_events() -> None:
    annotated = {"metadata": {"resourceVersion": "9", "annotations": {"k8s.io/initial-events-end": "true"}}}
    assert is_initial_events_end(WatchEvent(EventType.BOOKMARK, annotated))
    assert not is_initial_events_end(WatchEvent(EventType.ADDED, annotated))
    assert not is_initial_events_end(WatchEvent(EventType.BOOKMARK, {"metadata": {"resourceVersion": "9"}}))
    assert not is_initial_events_end(WatchEvent(EventType.BOOKMARK, {}))


@pytest.mark.behaviour("2.2.10")
def test_an_event_does_not_show_what_is_in_a_secret() -> None:
    secret = {"kind": "Secret", "data": {"password": "hunter2"}}
    assert repr(WatchEvent(EventType.ADDED, secret)) == "WatchEvent(ADDED, <a Secret>)"
    assert "'kind': 'Pod'" in repr(WatchEvent(EventType.DELETED, {"kind": "Pod"}, final_state_unknown=True))
