"""Expected texts: what Go 1.26 prints for the same values."""

from __future__ import annotations

from typing import Any

import pytest

from dynkube.testing.apiserver.words.govalues import go_syntax, go_type, json_text, plain

# value, %v, encoding/json
NUMBERS = [
    (0, "0", "0"),
    (-5, "-5", "-5"),
    (9007199254740993, "9007199254740993", "9007199254740993"),
    (3.0, "3", "3"),
    (0.1, "0.1", "0.1"),
    (12345.678, "12345.678", "12345.678"),
    (100000.0, "100000", "100000"),
    (1000000.0, "1e+06", "1000000"),
    (2097152.0, "2.097152e+06", "2097152"),
    (1e20, "1e+20", "100000000000000000000"),
    (1e21, "1e+21", "1e+21"),
    (0.0001, "0.0001", "0.0001"),
    (1.5e-5, "1.5e-05", "0.000015"),
    (1e-7, "1e-07", "1e-7"),
]


@pytest.mark.parametrize(("value", "text", "json"), NUMBERS)
def test_numbers(value: float, text: str, json: str) -> None:
    assert (plain(value), go_syntax(value), json_text(value)) == (text, text, json)


VALUES = [
    (None, "<nil>", "interface {}(nil)", "null"),
    (True, "true", "true", "true"),
    ("a b", "a b", '"a b"', '"a b"'),
    ('q"\n', 'q"\n', '"q\\"\\n"', '"q\\"\\n"'),
    ("<&>", "<&>", '"<&>"', '"\\u003c\\u0026\\u003e"'),
    ("\x01é\u2028", "\x01é\u2028", '"\\x01é\\u2028"', '"\\u0001é\\u2028"'),
    ([], "[]", "[]interface {}{}", "[]"),
    (["a", 1, None], "[a 1 <nil>]", '[]interface {}{"a", 1, interface {}(nil)}', '["a",1,null]'),
    (
        {"b": {"c": None}, "a": 1},
        "map[a:1 b:map[c:<nil>]]",
        'map[string]interface {}{"a":1, "b":map[string]interface {}{"c":interface {}(nil)}}',
        '{"a":1,"b":{"c":null}}',
    ),
]


@pytest.mark.parametrize(("value", "text", "syntax", "json"), VALUES)
def test_values(value: Any, text: str, syntax: str, json: str) -> None:
    assert (plain(value), go_syntax(value), json_text(value)) == (text, syntax, json)


def test_types() -> None:
    names = ["bool", "int64", "float64", "string", "[]interface {}", "map[string]interface {}", "<nil>"]
    assert [go_type(each) for each in (True, 1, 1.0, "", [], {}, None)] == names
