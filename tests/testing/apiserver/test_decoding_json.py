"""JSON as Go reads it. Messages and values are those of Go's encoding/json and sigs.k8s.io/json."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynkube.schema import GroupVersionKind
from dynkube.testing.apiserver.decoding.body import MalformedBody, decode_body, decode_untyped
from dynkube.testing.apiserver.decoding.jsontext import (
    JSONSyntaxError,
    NumberLiteral,
    RepeatedKeys,
    StringLiteral,
    copied,
    json_number,
    load,
    parse,
    plain,
)
from dynkube.testing.apiserver.words.statuses import StatusError

CONFIG_MAP = GroupVersionKind("", "v1", "ConfigMap")

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


class TestSyntax:
    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("", "unexpected end of JSON input"),
            ("  ", "unexpected end of JSON input"),
            ("{", "unexpected end of JSON input"),
            ('{"a"', "unexpected end of JSON input"),
            ('"a', "unexpected end of JSON input"),
            ('"a\\', "invalid character ' ' in string escape code"),
            ('"\\u12', "invalid character ' ' in \\u hexadecimal character escape"),
            ("tru", "invalid character ' ' in literal true (expecting 'e')"),
            ("-", "invalid character ' ' in numeric literal"),
            ("1.", "invalid character ' ' after decimal point in numeric literal"),
            ("1e+", "invalid character ' ' in exponent of numeric literal"),
            ("nan", "invalid character 'a' in literal null (expecting 'u')"),
            ("NaN", "invalid character 'N' looking for beginning of value"),
            ("01", "invalid character '1' after top-level value"),
            ("1 x", "invalid character 'x' after top-level value"),
            ("[1,]", "invalid character ']' looking for beginning of value"),
            ("[1 2]", "invalid character '2' after array element"),
            ('{"a":1,}', "invalid character '}' looking for beginning of object key string"),
            ('{"a" 1}', "invalid character '1' after object key"),
            ('{"a":1 "b"}', "invalid character '\"' after object key:value pair"),
            ("{'a':1}", "invalid character '\\'' looking for beginning of object key string"),
            ('"\n"', "invalid character '\\n' in string literal"),
            ('"\\x"', "invalid character 'x' in string escape code"),
            ('"\\u12g4"', "invalid character 'g' in \\u hexadecimal character escape"),
            ("\x00", "invalid character '\\x00' looking for beginning of value"),
            ("é", "invalid character 'Ã' looking for beginning of value"),
            ("\ufeff1", "invalid character 'ï' looking for beginning of value"),
        ],
    )
    def test_what_is_wrong_is_said_as_go_says_it(self, text: str, problem: str) -> None:
        for read in (parse, load):
            with pytest.raises(JSONSyntaxError) as raised:
                read(text.encode())
            assert str(raised.value) == problem

    def test_ten_thousand_levels_and_no_more(self) -> None:
        parse(b"[" * 10_000 + b"]" * 10_000)
        load(b'{"a":' * 10_000 + b"1" + b"}" * 10_000)
        with pytest.raises(JSONSyntaxError) as raised:
            load(b"[" * 10_001 + b"]" * 10_001)
        assert str(raised.value) == "invalid character '[' exceeded max depth"

    @given(VALUES, st.booleans())
    def test_both_ways_read_what_others_read(self, value: Any, ascii_only: bool) -> None:
        data = json.dumps(value, ensure_ascii=ascii_only, indent=1).encode("utf-8", "surrogatepass")
        expected = json.loads(data.decode("utf-8", "surrogatepass"))
        if not any("\ud800" <= character <= "\udfff" for character in json.dumps(value, ensure_ascii=False)):
            assert plain(parse(data)) == expected
            assert plain(load(data)) == expected

    @given(st.binary(max_size=30))
    def test_bytes_are_either_json_or_refused(self, data: bytes) -> None:
        try:
            value = load(data)
        except JSONSyntaxError:
            return
        assert plain(value) == plain(parse(data))


class TestValues:
    def test_what_is_no_utf8_is_replaced_byte_by_byte(self) -> None:
        assert load(b'["\xff", "\xe2\x82", "\\ud800", "\\udc00\\ud800", "\\ud83d\\ude00"]') == [
            "\ufffd", "\ufffd\ufffd", "\ufffd", "\ufffd\ufffd", "😀"
        ]  # fmt: skip

    def test_repeated_keys_are_kept_and_the_last_one_counts(self) -> None:
        value = load(b'{"a": 1, "b": {"c": 1, "c": 2}, "a": 3}')
        assert isinstance(value, RepeatedKeys)
        assert value["a"] == 3
        assert [key for key, _ in value.pairs] == ["a", "b", "a"]
        assert copied(value).pairs == value.pairs
        assert type(plain(value)["b"]) is dict

    @pytest.mark.parametrize(
        "text", ['{"a":"\\"","a":1}', '{"a" :1,"b":1,"b":2}', '{"x":"\\u0022:","b":1,"b":2}', '{"\\u0061":1,"a":2}']
    )
    def test_repeated_keys_are_found_however_they_are_written(self, text: str) -> None:
        assert isinstance(load(text.encode()), RepeatedKeys)

    def test_numbers_are_kept_as_they_are_written(self) -> None:
        value = parse(b"[1, -0, 1.0, 1e3, 12345678901234567890, 9223372036854775807, 1E400]")
        assert value[:2] == [1, 0]
        assert [each.text for each in value if isinstance(each, NumberLiteral)] == [
            "1.0",
            "1e3",
            "12345678901234567890",
            "1E400",
        ]
        assert value[5] == 2**63 - 1

    def test_strings_that_go_would_write_otherwise(self) -> None:
        value = parse('["a", "é", "\\u00e9", "<", "\\u003c"]'.encode(), exact_strings=True)
        assert value == ["a", "é", "é", "<", "<"]
        assert [isinstance(each, StringLiteral) for each in value] == [False, False, True, True, False]
        assert type(copied(value)[2]) is str

    def test_whole_floats_are_integers_to_who_reads_what_go_writes(self) -> None:
        assert [json_number(each) for each in (1.0, -2.0, 1.5, 1e18)] == [1, -2, 1.5, 10**18]
        assert isinstance(json_number(1e30), float)


class TestUntyped:
    def test_duplicates_are_told_in_the_order_of_the_text(self) -> None:
        data = b'{"a": {"b": [{"c": 1, "c": {"d": 1, "d": 2}}]}, "e": 1, "e": 2, "e": 3}'
        assert decode_untyped(data).problems == [
            'duplicate field "a.b[0].c"',
            'duplicate field "a.b[0].c.d"',
            'duplicate field "e"',
        ]

    def test_numbers_are_integers_of_64_bits_or_floats(self) -> None:
        value = decode_untyped(b'{"a": [1.0, 1e3, 9223372036854775808, 1.50]}').value
        assert value == {"a": [1, 1000, 9223372036854775808.0, 1.5]}
        assert [type(each) for each in value["a"]] == [float] * 4

    def test_a_number_that_no_float_can_hold(self) -> None:
        with pytest.raises(StatusError) as raised:
            decode_untyped(b'{"a": 1e400}')
        assert raised.value.status["message"] == "json: cannot unmarshal number 1e400 into Go value of type float64"

    def test_malformed_text(self) -> None:
        with pytest.raises(MalformedBody) as raised:
            decode_untyped(b"{")
        assert raised.value.problem == "unexpected end of JSON input"


class TestBodies:
    def test_json_yaml_and_protobuf(self) -> None:
        body = b'{"data": {"a": "1"}}'
        for content_type in (None, "", "application/json", "application/json; charset=utf-8", "Application/YAML"):
            assert decode_body(body, content_type, expected=CONFIG_MAP, typed=True).value == {"data": {"a": "1"}}
        with pytest.raises(StatusError) as raised:
            decode_body(body, "application/vnd.kubernetes.protobuf", expected=CONFIG_MAP, typed=True)
        assert raised.value.code == 400

    @pytest.mark.parametrize(
        "content_type", ["text/plain", "application/json;q", "application/json;a=b;A=c", "*/*", ";", "json"]
    )
    def test_other_media_types_are_refused(self, content_type: str) -> None:
        with pytest.raises(StatusError) as raised:
            decode_body(b"{}", content_type, expected=CONFIG_MAP, typed=True)
        assert raised.value.status["message"] == (
            "the body of the request was in an unknown format - accepted media types include: "
            "application/json, application/yaml, application/vnd.kubernetes.protobuf"
        )

    def test_untyped_bodies_tell_duplicates_and_typed_ones_leave_that_to_the_type(self) -> None:
        body = b'{"a": 1, "a": 2}'
        assert decode_body(body, None, expected=CONFIG_MAP, typed=False) == ({"a": 2}, ['duplicate field "a"'])
        assert decode_body(body, None, expected=CONFIG_MAP, typed=True).problems == []
