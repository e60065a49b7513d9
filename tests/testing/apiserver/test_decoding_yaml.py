"""YAML as the API server reads it. Messages and values are those of sigs.k8s.io/yaml."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from dynkube.testing.apiserver.decoding.jsontext import NumberLiteral
from dynkube.testing.apiserver.decoding.yamltext import YAMLError, load_yaml
from dynkube.testing.apiserver.patching import read_applied
from dynkube.testing.apiserver.words.statuses import StatusError

with_libyaml = pytest.mark.skipif(not yaml.__with_libyaml__, reason="the words are libyaml's")


class TestValues:
    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("", None),
            ("a", "a"),
            ("b: 1\na: 2\n", {"a": 2, "b": 1}),
            ("a: 1\n---\nb: 2\n", {"a": 1}),
            ("1: a\n1.5: c\ny: d", {"1": "a", "1.5": "c", "true": "d"}),
            (
                "[1.0, 1e3, 0x10, 017, yes, ~, 2020-01-01, 1_000, '1']",
                [1, 1000, 16, 15, True, None, "2020-01-01", 1000, "1"],
            ),
            ("a: &x {b: 1, c: 2}\nd: {<<: *x, b: 3}", {"a": {"b": 1, "c": 2}, "d": {"b": 3, "c": 2}}),
            (
                "a: !!str 1\nb: !!int '2'\nc: !!float 3\nd: !!binary aGk=\ne: !x y",
                {"a": "1", "b": 2, "c": 3, "d": "hi", "e": "y"},
            ),
        ],
    )
    def test_a_document(self, text: str, value: Any) -> None:
        assert load_yaml(text.encode())[0] == value

    def test_fractions_are_numbers_as_go_writes_them(self) -> None:
        value, _ = load_yaml(b"[1.50, 1e30, 1.0e-9]")
        assert [each.text for each in value if isinstance(each, NumberLiteral)] == ["1.5", "1e+30", "1e-9"]


class TestDuplicates:
    def test_each_has_a_line_of_its_value(self) -> None:
        text = b"a: 1\nb: {c: 1, c: 2}\na:\n  x: 1\n  x: 2\n"
        assert load_yaml(text)[1] == [
            'yaml: unmarshal errors:\n  line 2: key "c" already set in map\n  line 5: key "x" already set in map\n'
            '  line 4: key "a" already set in map'
        ]

    def test_what_is_merged_counts_too(self) -> None:
        text = b"a: &x {b: 1}\nc:\n  <<: *x\n  b: 2\n"
        assert load_yaml(text)[1] == ['yaml: unmarshal errors:\n  line 4: key "b" already set in map']

    def test_the_last_one_counts(self) -> None:
        assert load_yaml(b"a: 1\na: 2\n")[0] == {"a": 2}


class TestRefusals:
    @with_libyaml
    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("a: 1: 2", "yaml: mapping values are not allowed in this context"),
            ("x: 1\na: 1: 2", "yaml: line 2: mapping values are not allowed in this context"),
            ("a: 1\n\tb: 2", "yaml: line 2: found a tab character that violates indentation"),
            ("a: {b", "yaml: line 1: did not find expected ',' or '}'"),
            ("a: *b", "yaml: unknown anchor 'b' referenced"),
            ("a: &b [*b]", "yaml: anchor 'b' value contains itself"),
            ("? {a: b}\n: c", 'yaml: invalid map key: map[interface {}]interface {}{"a":"b"}'),
            ("a: !!int x", "yaml: cannot decode !!str `x` as a !!int"),
            ("a: !!binary '!'", "yaml: !!binary value contains invalid base64 data"),
            ("<<: 1", "yaml: map merge requires map or sequence of maps as the value"),
            ("~: 1", "unsupported map key of type: %!s(<nil>), key: <nil>, value: 1"),
            ("a: .inf", "json: unsupported value: +Inf"),
            ("a: \x01", "yaml: control characters are not allowed"),
        ],
    )
    def test_what_is_wrong_is_said_as_go_says_it(self, text: str, problem: str) -> None:
        with pytest.raises(YAMLError) as raised:
            load_yaml(text.encode())
        assert str(raised.value) == problem

    def test_aliases_that_stand_for_too_much(self) -> None:
        lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
        lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
        with pytest.raises(YAMLError) as raised:
            load_yaml("\n".join(lines).encode())
        assert str(raised.value) == "yaml: document contains excessive aliasing"

    def test_nesting_beyond_reason(self) -> None:
        with pytest.raises(YAMLError):
            load_yaml(b"[" * 20_000)


class TestApplied:
    def test_json_is_yaml(self) -> None:
        obj, problem = read_applied(b'{"b": 1, "a": {"x": 1.0}}')
        assert obj == {"a": {"x": 1}, "b": 1}
        assert not problem

    def test_duplicates_are_one_problem(self) -> None:
        assert read_applied(b"a: 1\na: 2\n")[1] == (
            'error converting YAML to JSON: yaml: unmarshal errors:\n  line 2: key "a" already set in map'
        )

    @pytest.mark.parametrize(
        ("data", "problem"),
        [
            (b"- 1", "error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go value of type map[string]interface {}"),
            (b"a: *b", "error decoding YAML: error converting YAML to JSON: yaml: unknown anchor 'b' referenced"),
        ],
    )  # fmt: skip
    def test_what_is_no_object(self, data: bytes, problem: str) -> None:
        with pytest.raises(StatusError) as raised:
            read_applied(data)
        assert raised.value.status["message"] == problem
