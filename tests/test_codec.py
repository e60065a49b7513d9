"""The codec: strict in both directions, and the GC pause leaves no trace."""

from __future__ import annotations

import collections
import datetime
import decimal
import enum
import gc
import json
import threading
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynkube.codec import (
    FrameSplitter,
    count_as_old,
    decode,
    decode_object,
    decode_raw,
    encode,
    gc_paused,
    split_list,
)
from dynkube.errors import DecodeError, FrameTooLargeError, InvalidRequestError

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
json_objects = st.dictionaries(st.text(), json_values, max_size=4)


@pytest.fixture(autouse=True)
def gc_restored() -> Iterator[None]:
    before = gc.isenabled()
    yield
    after = gc.isenabled()
    gc.enable()
    assert after == before


class Colour(enum.StrEnum):
    RED = "red"


class TestEncode:
    @given(json_values)
    def test_round_trip(self, value: Any) -> None:
        assert decode(encode(value)) == value

    def test_compact(self) -> None:
        assert encode({"a": [1, True, None, "ü"]}) == '{"a":[1,true,null,"ü"]}'.encode()

    def test_subclasses_of_plain_types_are_plain(self) -> None:
        value = collections.OrderedDict(colour=Colour.RED, list=(1, 2))
        assert decode(encode(value)) == {"colour": "red", "list": [1, 2]}

    @pytest.mark.parametrize(
        ("value", "says"),
        [
            (float("nan"), "is nan"),
            (float("inf"), "is inf"),
            (b"x", "is a bytes"),
            ({1}, "is a set"),
            (datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC), "is a datetime"),
            (decimal.Decimal(1), "is a Decimal"),
            (object(), "is a object"),
            (2**64, "beyond 64 bits"),
            ({1: 2}, "JSON keys are strings"),
        ],
    )
    def test_refuses_and_names_the_path(self, value: Any, says: str) -> None:
        with pytest.raises(InvalidRequestError, match=says) as caught:
            encode({"spec": {"list": ["ok", value]}}, argument="obj")
        assert str(caught.value).startswith("obj.spec.list[1] ")

    def test_refuses_a_value_that_contains_itself(self) -> None:
        value: dict[str, Any] = {}
        value["self"] = value
        with pytest.raises(InvalidRequestError, match="contains itself"):
            encode(value)

    def test_refuses_lone_surrogates(self) -> None:
        with pytest.raises(InvalidRequestError, match="cannot be sent"):
            encode({"a": "\ud800"})


class TestDecode:
    @pytest.mark.behaviour("2.6.3")
    def test_integers_never_go_through_float(self) -> None:
        assert decode(b"[9223372036854775807, 1.5, 9007199254740993]") == [9223372036854775807, 1.5, 9007199254740993]

    @pytest.mark.parametrize("data", [b"<html>", b'{"a":', b"", b'{"a": "\xff"}', b"[" * 100_000])
    def test_what_is_not_json(self, data: bytes) -> None:
        with pytest.raises(DecodeError) as caught:
            decode(data)
        assert len(str(caught.value)) < 400

    def test_an_object_is_wanted(self) -> None:
        with pytest.raises(DecodeError, match="status is not a JSON object but a list"):
            decode_object(b"[]", what="status")


class TestSplitList:
    def test_items_stay_undecoded(self) -> None:
        page = split_list(b'{"kind":"PodList","apiVersion":"v1","metadata":{"continue":"x"},"items":[{"a": 1}, {}]}')
        assert (page.kind, page.api_version, page.metadata) == ("PodList", "v1", {"continue": "x"})
        assert [decode_raw(item) for item in page.items or ()] == [{"a": 1}, {}]

    def test_null_items_are_none(self) -> None:
        assert split_list(b'{"kind":"PodList","items":null}').items == []

    @pytest.mark.parametrize("data", [b'{"items":{}}', b"[]", b"", b'{"items":[', b"<html>"])
    def test_what_is_no_list(self, data: bytes) -> None:
        with pytest.raises(DecodeError):
            split_list(data)

    def test_an_item_that_is_no_object(self) -> None:
        items = split_list(b'{"items":[1]}').items or []
        with pytest.raises(DecodeError, match="list item is not a JSON object"):
            decode_raw(items[0])


class TestFrameSplitter:
    @pytest.mark.behaviour("2.10.1")
    @given(
        st.lists(json_objects, max_size=5),
        st.sampled_from(["", "\n", " ", "\r\n", "\n\n"]),
        st.sampled_from([None, 1]),
        st.booleans(),
        st.data(),
    )
    def test_any_chunking(
        self, objects: list[Any], separator: str, indent: int | None, ascii_only: bool, data: st.DataObject
    ) -> None:
        text = "".join(json.dumps(each, indent=indent, ensure_ascii=ascii_only) + separator for each in objects)
        stream = text.encode("utf-8", "surrogatepass")
        splitter = FrameSplitter()
        frames = []
        while stream:
            size = data.draw(st.integers(1, len(stream)))
            frames += splitter.feed(stream[:size])
            stream = stream[size:]
        assert [json.loads(frame.decode("utf-8", "surrogatepass")) for frame in frames] == objects
        assert splitter.finish() == b""

    def test_a_frame_without_newline_comes_at_once(self) -> None:
        assert FrameSplitter().feed(b'{"a":{}}') == [b'{"a":{}}']

    def test_what_is_left(self) -> None:
        splitter = FrameSplitter()
        assert splitter.feed(b'{"a":1}\n{"b"') == [b'{"a":1}']
        assert splitter.finish() == b'{"b"'

    @pytest.mark.behaviour("2.10.2")
    @pytest.mark.parametrize("head", [b'{"a":"', b'{\n"a":"'])
    def test_a_frame_above_the_limit(self, head: bytes) -> None:
        splitter = FrameSplitter(limit=1000)
        splitter.feed(head)
        with pytest.raises(FrameTooLargeError, match="1000 bytes"):
            for _ in range(11):
                splitter.feed(b"x" * 100)

    @pytest.mark.parametrize("garbage", [b"<html>\n", b'{"a":1}\nnope\n', b"[1]\n", b"}\n"])
    def test_garbage_between_frames(self, garbage: bytes) -> None:
        with pytest.raises(DecodeError, match="not a JSON object"):
            FrameSplitter().feed(garbage)


class TestGCPause:
    def test_nests(self) -> None:
        with gc_paused():
            with gc_paused():
                assert not gc.isenabled()
            assert not gc.isenabled()
        assert gc.isenabled()

    def test_what_is_kept_is_old_at_once(self) -> None:
        gc.unfreeze()  # whatever ran before
        gc.collect()
        with gc_paused():
            made = [[number] for number in range(200_000)]
            count_as_old()
        young = {id(each) for generation in (0, 1) for each in gc.get_objects(generation)}
        assert not young & {id(each) for each in made}
        assert gc.isenabled()
        assert gc.get_freeze_count() < 5_000

    def test_of_little_that_is_kept_the_collector_takes_care(self) -> None:
        gc.collect()
        with gc_paused():
            made = [[number] for number in range(100)]
            count_as_old()
        assert {id(each) for each in made} <= {id(each) for each in gc.get_objects(0)}

    def test_what_the_application_has_frozen_stays_so(self) -> None:
        gc.freeze()
        try:
            with gc_paused():
                assert [[number] for number in range(60_000)]
                count_as_old()
            assert gc.get_freeze_count() > 5_000
        finally:
            gc.unfreeze()

    def test_stays_off_where_it_was_off(self) -> None:
        gc.disable()
        try:
            decode(b"[" + b"1," * 20_000 + b"1]")
            assert not gc.isenabled()
        finally:
            gc.enable()

    def test_eight_threads_one_failing(self) -> None:
        whole = b"[" + b"{}," * 50_000 + b"{}]"
        barrier = threading.Barrier(8)

        def work(number: int) -> int:
            barrier.wait(10)
            for _ in range(20):
                if number == 0:
                    with pytest.raises(DecodeError):
                        decode(whole[:-1])
                else:
                    assert len(decode(whole)) == 50_001
            return number

        with ThreadPoolExecutor(8) as pool:
            assert sorted(pool.map(work, range(8))) == list(range(8))
        assert gc.isenabled()


@pytest.mark.parametrize(
    "broken", [b'{"kind":"Secret","data":{"x":"hunter2"', b'[{"kind": "Secret", "data": {"x": "hunter2"}}]']
)
def test_a_broken_secret_is_neither_in_the_error_nor_in_its_frames(broken: bytes) -> None:
    with pytest.raises(DecodeError) as caught:
        decode_object(broken)
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    below = [each for each in shown.stack if each.filename.endswith("/dynkube/codec.py")]
    assert below
    assert "hunter2" not in str(caught.value) + str([each.locals for each in below])
