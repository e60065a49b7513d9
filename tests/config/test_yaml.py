from __future__ import annotations

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dynkube.config.yaml import dump_yaml, load_all, load_yaml, resolve_scalar
from dynkube.errors import DecodeError

both_loaders = pytest.mark.parametrize(
    "c_loader",
    [
        pytest.param(
            True, marks=pytest.mark.skipif(not yaml.__with_libyaml__, reason="PyYAML without libyaml"), id="libyaml"
        ),
        pytest.param(False, id="pure"),
    ],
)

# What sigs.k8s.io/yaml 1.6 (with Go 1.26) made of "a: <scalar>", as JSON.
TABLE = r"""
1 1 | 08 8 | 09 9 | 017 15 | 0o17 15 | 0O17 15 | 0x1F 31 | 0X1f 31 | 0b11 3 | -0b11 -3 | 0b12 "0b12" | +5 5 | -5 -5 | 1_000 1000
_1 "_1" | 1__0 10 | 0_8 8 | 1e3 1000 | 1E3 1000 | 1e+3 1000 | 1e-3 0.001 | 1.5e3 1500 | 12e03 12000 | 1. 1 | .5 0.5 | +.5 0.5
-.5 -0.5 | . "." | .. ".." | .5e3 500 | 1:30 "1:30" | 190:20:30 "190:20:30" | 1:30.5 "1:30.5" | 2001-01-01 "2001-01-01"
2001-12-14t21:59:43.10-05:00 "2001-12-14t21:59:43.10-05:00" | 2001-1-1 "2001-1-1" | y true | Y true | n false | N false | yes true
Yes true | YES true | yEs "yEs" | no false | on true | off false | On true | OFF false | true true | True true | TRUE true
tRUE "tRUE" | ~ null | null null | Null null | NULL null | nULL "nULL" | = "=" | << "<<" | 9223372036854775807 9223372036854775807
9223372036854775808 9223372036854775808 | -9223372036854775808 -9223372036854775808 | 18446744073709551615 18446744073709551615
18446744073709551616 18446744073709552000 | +18446744073709551615 18446744073709552000 | 99999999999999999999 100000000000000000000
1e999 "1e999" | 0x1p-2 "0x1p-2" | 0xffffffffffffffffff "0xffffffffffffffffff" | 1.0 1 | 3.0 3 | 1e20 100000000000000000000 | 1e21 1e+21
1.5e300 1.5e+300 | -0 0 | 0 0 | 00 0 | 0.1 0.1 | 1_0.5 10.5 | 1e "1e" | 1e+ "1e+" | 0x "0x" | 0o "0o" | 0b "0b" | 0o8 "0o8" | + "+"
1- "1-" | 1,000 "1,000" | 12e "12e" | 0.0.1 "0.0.1" | 1e1_0 10000000000 | 0b_1 1 | 0x_1 1 | inf "inf" | nan "nan" | Infinity "Infinity"
0777 511 | 08.5 8.5 | 1e0 1 | 123456789012345678 123456789012345678 | !!str "" | !foo "" | '' "" | '1' "1" | "y" "y"
"""
ROWS = [row.strip().rsplit(" ", 1) for line in TABLE.strip().splitlines() for row in line.split("|")]

# And of whole documents.
DOCUMENTS = [
    ("a: !!str 5", {"a": "5"}),
    ("a: !!int '5'", {"a": 5}),
    ("a: !!float 1", {"a": 1}),
    ("a: !!float 0x10", {"a": 16}),
    ("a: !!bool 'yes'", {"a": True}),
    ("a: !!null ''", {"a": None}),
    ("a: !!timestamp 2001-01-01", {"a": "2001-01-01"}),
    ("a: !!binary aGVsbG8=", {"a": "hello"}),
    ("a: !!binary gICA", {"a": "\ufffd\ufffd\ufffd"}),
    ("a: !foo bar", {"a": "bar"}),
    ("a: !foo {b: 1}", {"a": {"b": 1}}),
    ("a: !!set {b, c}", {"a": {"b": None, "c": None}}),
    ("a: !!python/object:os.system x", {"a": "x"}),
    ("a: ! 12", {"a": "12"}),
    ("a: !<tag:yaml.org,2002:str> 5", {"a": "5"}),
    ("1: a", {"1": "a"}),
    ("true: a", {"true": "a"}),
    ("y: a", {"true": "a"}),
    ("1.5: a", {"1.5": "a"}),
    ("1e6: a", {"1e+06": "a"}),
    ("1e5: a", {"100000": "a"}),
    ("1e-7: a", {"1e-07": "a"}),
    ("08: a", {"8": "a"}),
    ("'': a", {"": "a"}),
    ("2001-01-01: a", {"2001-01-01": "a"}),
    (".inf: a", {".inf": "a"}),
    (".nan: a", {".nan": "a"}),
    ("=: a", {"=": "a"}),
    ("0o17: a", {"15": "a"}),
    ("16777217.0: a", {"1.6777216e+07": "a"}),
    ("123456.7: a", {"123456.7": "a"}),
    ("0.0001: a", {"0.0001": "a"}),
    ("0.00001: a", {"1e-05": "a"}),
    ("a: 1\na: 2", {"a": 2}),
    ("a: &x {b: 1}\nc: *x", {"a": {"b": 1}, "c": {"b": 1}}),
    ("a: &x 1\nb: &x 2\nc: *x", {"a": 1, "b": 2, "c": 2}),
    ("&a a: *a", {"a": "a"}),
    ("a: &x {b: 1, c: 2}\nd: {<<: *x, b: 3}", {"a": {"b": 1, "c": 2}, "d": {"b": 3, "c": 2}}),
    ("a: &x {b: 1, c: 2}\nd: {b: 3, <<: *x}", {"a": {"b": 1, "c": 2}, "d": {"b": 1, "c": 2}}),
    (
        "a: &x {b: 1}\nq: &y {b: 2, c: 2}\nd: {<<: [*x, *y]}",
        {"a": {"b": 1}, "q": {"b": 2, "c": 2}, "d": {"b": 1, "c": 2}},
    ),
    ("d: {'<<': 5}", {"d": {"<<": 5}}),
    ("d: {<<: {b: 1}}", {"d": {"b": 1}}),
    ("", None),
    ("---\n", None),
    ("# nothing\n", None),
    ("a: |\n x\n y\n", {"a": "x\ny\n"}),
    ("a: >-\n x\n y\n", {"a": "x y"}),
    ("\ufeffa: 1", {"a": 1}),
    ("- a\n- 1", ["a", 1]),
    ("5", 5),
    ('a: "b\\0"', {"a": "b\0"}),
    ("a: x#c # d", {"a": "x#c"}),
    ("%YAML 1.1\n---\na: 1", {"a": 1}),
    ('{"a": "\\ud83d\\ude00", "b": "\\/", "c":\t1.5}', {"a": "\U0001f600", "b": "/", "c": 1.5}),
    ("{a: 1, b: [y, 0o17]}", {"a": 1, "b": [True, 15]}),
]


@pytest.mark.behaviour("1.2.3")
@both_loaders
@pytest.mark.parametrize(("scalar", "expected"), ROWS)
def test_scalars_mean_what_they_mean_to_kubectl(scalar, expected, c_loader):
    expected = json.loads(expected)
    if isinstance(expected, float) and expected.is_integer() and abs(expected) < 2**63:
        expected = int(expected)
    found = load_yaml(f"a: {scalar}", c_loader=c_loader)["a"]
    assert found == (float(expected) if isinstance(expected, int) and not -(2**63) <= expected < 2**64 else expected)
    assert type(found) is type(expected) or expected >= 2**64


@pytest.mark.behaviour("1.2.3")
@both_loaders
@pytest.mark.parametrize(("text", "expected"), DOCUMENTS)
def test_documents_mean_what_they_mean_to_kubectl(text, expected, c_loader):
    assert load_yaml(text, c_loader=c_loader) == expected


def test_numbers_that_go_writes_as_whole_are_ints():
    found = load_yaml("[08, 1e3, 3.0, 0.5]")
    assert [type(each) for each in found] == [int, int, int, float]


@pytest.mark.behaviour("1.2.3")
@both_loaders
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: .nan", "line 1, column 4: a number that is infinite or none"),
        ("a: -.inf", "line 1, column 4: a number that is infinite or none"),
        ("a: !!bool x", "line 1, column 4: cannot decode a !!str as a !!bool"),
        ("a: !!int 1.5", "cannot decode a !!float as a !!int"),
        ("a: !!null x", "cannot decode a !!str as a !!null"),
        ("a: !!binary '%'", "!!binary that is no base64"),
        ("~: a", "line 1, column 1: a mapping key must be a string"),
        ("? [a]\n: b", "line 1, column 3: a mapping key must be a string"),
        ("b: &x [1]\n? *x\n: b", "line 2, column 3: a mapping key must be a string"),
        ("a: &x [*x]", "line 1, column 8: an anchor's value contains itself"),
        ("a: *SECRET", "line 1, column 4: an alias (*) names an anchor (&) that is not there"),
        ("a: !SECRET!x y", "line 1, column 4"),
        ("d: {<<: 5}", "line 1, column 9: a merge key (<<) needs a mapping"),
        ("\ta: 1", "line 1, column 1"),
        ("a: SECRET: c", "line 1, column"),
        ("a: @SECRET", "line 1, column 4"),
        ("a: 'SECRET", "found unexpected end of stream"),
        ("a: [SECRET", "while parsing a flow sequence"),
        ("a: \x01", "line 1, column 4: the character U+0001 is not allowed"),
        ("b: c\na: \ud800", "line 2, column 4: the character U+D800 is not allowed"),
        ('a: "\\ud83d"', "line 1, column"),
        ("a: 1\n---\nb: 2", "2 YAML documents where one is expected"),
    ],
)
def test_errors_name_the_place_and_quote_nothing(text, message, c_loader):
    with pytest.raises(DecodeError) as caught:
        load_yaml(text, "/home/me/x.yaml", c_loader=c_loader)
    assert str(caught.value).startswith("/home/me/x.yaml: ")
    assert message in str(caught.value)
    assert "SECRET" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


@both_loaders
def test_a_tab_is_called_a_tab_where_the_parser_knows(c_loader):
    with pytest.raises(DecodeError, match="character"):
        load_yaml("a:\n\tb: 1", c_loader=c_loader)


@pytest.mark.behaviour("1.2.3")
@both_loaders
def test_strict_reports_all_duplicate_keys(c_loader):
    text = "a: 1\nb: {c: 1, c: 2}\na: 3\n1: x\n'1': y\nd: &d {e: 1}\nf: {<<: *d, e: 2}\n"
    assert load_yaml(text, c_loader=c_loader)["a"] == 3
    with pytest.raises(DecodeError) as caught:
        load_yaml(text, "m", strict=True, c_loader=c_loader)
    assert str(caught.value) == (
        'm: line 2, column 11: key "c" already set in line 2; line 3, column 1: key "a" already set in line 1; '
        'line 5, column 1: key "1" already set in line 4'
    )
    with pytest.raises(DecodeError, match='key "a" already set'):
        load_yaml('{"a": 1, "a": 2}', strict=True, c_loader=c_loader)


@both_loaders
def test_aliases_are_values_of_their_own(c_loader):
    found = load_yaml("a: &x {b: [1]}\nc: *x\nd: {<<: *x}", c_loader=c_loader)
    found["c"]["b"].append(2)
    found["d"]["b"].append(3)
    assert found == {"a": {"b": [1]}, "c": {"b": [1, 2]}, "d": {"b": [1, 3]}}


@both_loaders
def test_alias_bombs_are_refused(c_loader):
    lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x,x]"]
    lines += [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    with pytest.raises(DecodeError, match="excessive aliasing"):
        load_yaml("\n".join(lines), c_loader=c_loader)


@both_loaders
@pytest.mark.parametrize(
    "text",
    [
        "[" * 5000,
        "{a: " * 5000,
        "- " * 5000,
        "\n".join(f"a{n}: &a{n} [{f'*a{n - 1}' if n else 1}]" for n in range(300)),
    ],
)
def test_nesting_is_bounded(text, c_loader):
    with pytest.raises(DecodeError, match=r"nested more than 250 deep|exceeded maximum nesting depth"):
        load_yaml(text, c_loader=c_loader)


@both_loaders
def test_load_all_leaves_empty_documents_out(c_loader):
    assert load_all("---\n# x\n---\na: 1\n---\n\n---\n- b\n", c_loader=c_loader) == [{"a": 1}, ["b"]]
    assert load_all(b"", c_loader=c_loader) == []
    assert load_all('{"a": 1}\n---\n{"b": 2}\n', c_loader=c_loader) == [{"a": 1}, {"b": 2}]


@pytest.mark.behaviour("1.1.12")
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings(encoding):
    assert load_yaml("a: ü".encode(encoding)) == {"a": "ü"}


@pytest.mark.parametrize("data", [b"\x80abc", b"\xff\xfe\x00", b"\x89PNG\r\n\x1a\n\x00"])
def test_binary_files(data):
    with pytest.raises(DecodeError, match=r"is this a binary file\?|is not allowed"):
        load_yaml(data, "x.png")


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4)
    ),
    max_leaves=12,
)


def _whole(value):
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**63:
        return int(value)
    if isinstance(value, dict):
        return {key: _whole(each) for key, each in value.items()}
    return [_whole(each) for each in value] if isinstance(value, list) else value


@both_loaders
@given(value=json_values)
def test_what_is_dumped_reads_back(c_loader, value):
    assert load_yaml("x: 1\n" + dump_yaml({"v": value}), c_loader=c_loader)["v"] == _whole(value)


@given(st.text("0123456789+-._eExXoObBnNyYtTfFaA:~=<", max_size=8))
def test_dumped_scalars_are_strings_to_every_reader(text):
    dumped = dump_yaml({"v": text})
    assert load_yaml(dumped)["v"] == text
    assert yaml.safe_load(dumped)["v"] == text


@given(st.text("0123456789+-._eExXoOb:", min_size=1, max_size=8))
def test_both_loaders_agree(text):
    def outcome(c_loader):
        try:
            return load_yaml(f"- {text}", c_loader=c_loader)
        except DecodeError:
            return "error"

    assert outcome(True) == outcome(False)


@given(st.text(max_size=40))
def test_any_text_is_a_value_or_a_decode_error(text):
    for c_loader in (True, False):
        try:
            load_all(text, c_loader=c_loader)
        except DecodeError:
            pass


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_resolve_scalar_reads_what_python_writes(number):
    assert resolve_scalar(repr(number)) == number
