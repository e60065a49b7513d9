"""Values of custom resources, judged in the words of kube-openapi; what is expected is what a real server said."""

from __future__ import annotations

from typing import Any

import pytest
from customs import judged

from dynkube.testing.apiserver.customresources.formats import is_format_known, string_format
from dynkube.testing.apiserver.customresources.numbers import is_json_integer
from dynkube.testing.apiserver.customresources.patterns import compile_pattern, problem_of


@pytest.mark.parametrize(
    ("schema", "value", "problems"),
    [
        ({"type": "string"}, 5, ['spec: Invalid value: "integer": spec in body must be of type string: "integer"']),
        ({"type": "string"}, True, ['spec: Invalid value: "boolean": spec in body must be of type string: "boolean"']),
        ({"type": "string"}, [], ['spec: Invalid value: "array": spec in body must be of type string: "array"']),
        ({"type": "string"}, {}, ['spec: Invalid value: "object": spec in body must be of type string: "object"']),
        ({"type": "string"}, 1.5, ['spec: Invalid value: "number": spec in body must be of type string: "number"']),
        ({"type": "integer"}, "a", ['spec: Invalid value: "string": spec in body must be of type integer: "string"']),
        (
            {"type": "integer"},
            1.5,
            [
                'spec: Invalid value: "number": spec in body must be of type integer: "number"',
                '<nil>: Invalid value: "": Checked value must be of type integer (default format) in spec',
            ],
        ),
        ({"type": "number"}, "a", ['spec: Invalid value: "string": spec in body must be of type number: "string"']),
        (
            {"type": "boolean"},
            "true",
            ['spec: Invalid value: "string": spec in body must be of type boolean: "string"'],
        ),
        ({"type": "boolean"}, 0, ['spec: Invalid value: "integer": spec in body must be of type boolean: "integer"']),
        ({"type": "object"}, [], ['spec: Invalid value: "array": spec in body must be of type object: "array"']),
        (
            {"type": "array", "items": {"type": "string"}},
            {},
            ['spec: Invalid value: "object": spec in body must be of type array: "object"'],
        ),
        (
            {"type": "array", "items": {"type": "string"}},
            ["a", 1],
            ['spec[1]: Invalid value: "integer": spec[1] in body must be of type string: "integer"'],
        ),
        (
            {"type": "object", "additionalProperties": {"type": "integer"}},
            {"a": "x"},
            ['spec.a: Invalid value: "string": spec.a in body must be of type integer: "string"'],
        ),
        (
            {"x-kubernetes-int-or-string": True},
            1.5,
            ['spec: Invalid value: "number": spec in body must be of type integer,string: "number"'],
        ),
        (
            {"x-kubernetes-int-or-string": True},
            [],
            ['spec: Invalid value: "array": spec in body must be of type integer,string: "array"'],
        ),
        (
            {"type": "array", "items": {"type": "string"}},
            [None],
            ['spec[0]: Invalid value: "null": spec[0] in body must be of type string: "null"'],
        ),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, {"a": None}, []),
        (
            {
                "type": "object",
                "properties": {
                    "a": {"type": "object", "properties": {"b": {"type": "array", "items": {"type": "integer"}}}}
                },
            },
            {"a": {"b": [1, "x", {}]}},
            [
                'spec.a.b[1]: Invalid value: "string": spec.a.b[1] in body must be of type integer: "string"',
                'spec.a.b[2]: Invalid value: "object": spec.a.b[2] in body must be of type integer: "object"',
            ],
        ),
    ],
    ids=str,
)
def test_values_have_the_type_that_is_asked_for(schema: Any, value: Any, problems: list[str]) -> None:
    assert judged(schema, value) == problems


@pytest.mark.parametrize(
    ("schema", "value", "problems"),
    [
        ({"type": "integer"}, 2.0, []),
        (
            {"type": "integer"},
            9.223372036854776e18,
            [
                'spec: Invalid value: "number": spec in body must be of type integer: "number"',
                '<nil>: Invalid value: "": Checked value must be of type integer (default format) in spec',
            ],
        ),
        (
            {"type": "integer"},
            1e30,
            [
                'spec: Invalid value: "number": spec in body must be of type integer: "number"',
                '<nil>: Invalid value: "": Checked value must be of type integer (default format) in spec',
            ],
        ),
        (
            {"type": "integer", "format": "int32"},
            2147483648,
            ['<nil>: Invalid value: "": Checked value must be of type integer with format int32 in spec'],
        ),
        ({"type": "integer", "format": "int32"}, -2147483648, []),
        ({"type": "integer", "format": "int64"}, 4611686018427387904, []),
        (
            {"type": "number", "format": "float"},
            1e39,
            ['<nil>: Invalid value: "": Checked value must be of type number with format float in spec'],
        ),
        ({"type": "number"}, 3, []),
        ({"type": "number", "format": "double"}, 1.5, []),
    ],
    ids=str,
)
def test_whole_numbers_are_whole_and_fit(schema: Any, value: Any, problems: list[str]) -> None:
    assert judged(schema, value) == problems


@pytest.mark.parametrize(
    ("schema", "value", "problems"),
    [
        (
            {"type": "integer", "minimum": 2},
            1,
            ["spec: Invalid value: 1: spec in body should be greater than or equal to 2"],
        ),
        ({"type": "integer", "minimum": 2}, 2, []),
        (
            {"type": "integer", "maximum": 2},
            3,
            ["spec: Invalid value: 3: spec in body should be less than or equal to 2"],
        ),
        (
            {"type": "integer", "minimum": 2, "exclusiveMinimum": True},
            2,
            ["spec: Invalid value: 2: spec in body should be greater than 2"],
        ),
        (
            {"type": "integer", "maximum": 2, "exclusiveMaximum": True},
            2,
            ["spec: Invalid value: 2: spec in body should be less than 2"],
        ),
        (
            {"type": "number", "minimum": 0.5},
            0.25,
            ["spec: Invalid value: 0.25: spec in body should be greater than or equal to 0.5"],
        ),
        (
            {"type": "integer", "maximum": 0},
            1,
            ["spec: Invalid value: 1: spec in body should be less than or equal to 0"],
        ),
        ({"type": "integer", "multipleOf": 3}, 4, ["spec: Invalid value: 4: spec in body should be a multiple of 3"]),
        ({"type": "integer", "multipleOf": 3}, 6, []),
        (
            {"type": "number", "multipleOf": 0.25},
            0.3,
            ["spec: Invalid value: 0.3: spec in body should be a multiple of 0.25"],
        ),
        ({"type": "number", "multipleOf": 0.1}, 0.3, []),
        (
            {"type": "number", "multipleOf": 0.25},
            1,
            ["spec: Invalid value: 0: factor MultipleOf declared for spec must be positive: 0"],
        ),
        (
            {"type": "integer", "minimum": 1, "multipleOf": 2},
            -1,
            [
                "spec: Invalid value: -1: spec in body should be a multiple of 2",
                "spec: Invalid value: -1: spec in body should be greater than or equal to 1",
            ],
        ),
    ],
    ids=str,
)
def test_numbers_have_limits(schema: Any, value: Any, problems: list[str]) -> None:
    assert judged(schema, value) == problems


@pytest.mark.parametrize(
    ("schema", "value", "problems"),
    [
        ({"type": "string", "maxLength": 2}, "abc", ["spec: Too long: may not be more than 2 bytes"]),
        ({"type": "string", "maxLength": 1}, "é", []),
        (
            {"type": "string", "minLength": 2},
            "é",
            ['spec: Invalid value: "é": spec in body should be at least 2 chars long'],
        ),
        ({"type": "string", "maxLength": 0}, "a", ["spec: Too long: may not be more than 0 bytes"]),
        ({"type": "string", "pattern": "^a$"}, "b", ["spec: Invalid value: \"b\": spec in body should match '^a$'"]),
        ({"type": "string", "pattern": "a"}, "bab", []),
        (
            {"type": "string", "minLength": 2, "pattern": "^a$"},
            "b",
            ['spec: Invalid value: "b": spec in body should be at least 2 chars long'],
        ),
        (
            {"type": "string", "format": "date-time"},
            "x",
            ['spec: Invalid value: "x": spec in body must be of type date-time: "x"'],
        ),
        (
            {"type": "string", "format": "ipv4"},
            "1.2.3",
            ['spec: Invalid value: "1.2.3": spec in body must be of type ipv4: "1.2.3"'],
        ),
        ({"type": "string", "format": "nothing-known"}, "x", []),
        (
            {"type": "string", "maxLength": 1, "format": "ipv4"},
            "xx",
            [
                "spec: Too long: may not be more than 1 byte",
                'spec: Invalid value: "xx": spec in body must be of type ipv4: "xx"',
            ],
        ),
    ],
    ids=str,
)
def test_texts_have_limits(schema: Any, value: Any, problems: list[str]) -> None:
    assert judged(schema, value) == problems


@pytest.mark.parametrize(
    ("schema", "value", "problems"),
    [
        ({"type": "string", "enum": ["a", "b"]}, "c", ['spec: Unsupported value: "c": supported values: "a", "b"']),
        ({"type": "string", "enum": ["a", "b"]}, "a", []),
        ({"type": "integer", "enum": [1, 2]}, 3, ['spec: Unsupported value: 3: supported values: "1", "2"']),
        ({"type": "number", "enum": [1.5]}, 1, ['spec: Unsupported value: 1: supported values: "1.5"']),
        ({"type": "boolean", "enum": [True]}, False, ['spec: Unsupported value: false: supported values: "true"']),
        (
            {"type": "string", "nullable": True, "enum": ["a"]},
            None,
            ['spec: Unsupported value: null: supported values: "a"'],
        ),
        (
            {"type": "array", "items": {"type": "integer"}, "enum": [[1]]},
            [2],
            ['spec: Unsupported value: [2]: supported values: "[1]"'],
        ),
        (
            {"type": "object", "additionalProperties": {"type": "integer"}, "enum": [{"a": 1}]},
            {"a": 2},
            ['spec: Unsupported value: {"a":2}: supported values: "{\\"a\\":1}"'],
        ),
    ],
    ids=str,
)
def test_only_some_values_are_allowed(schema: Any, value: Any, problems: list[str]) -> None:
    assert judged(schema, value) == problems


@pytest.mark.parametrize(
    ("schema", "value", "problems"),
    [
        (
            {"type": "array", "items": {"type": "string"}, "maxItems": 1},
            ["a", "b"],
            ["spec: Too many: 2: must have at most 1 item"],
        ),
        (
            {"type": "array", "items": {"type": "string"}, "minItems": 2},
            ["a"],
            ["spec: Invalid value: 1: spec in body should have at least 2 items"],
        ),
        (
            {"type": "object", "additionalProperties": {"type": "integer"}, "maxProperties": 1},
            {"a": 1, "b": 2},
            ["spec: Too many: 2: must have at most 1 item"],
        ),
        (
            {"type": "object", "additionalProperties": {"type": "integer"}, "minProperties": 1},
            {},
            ["spec: Invalid value: 0: spec in body should have at least 1 properties"],
        ),
        (
            {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a", "b"]},
            {},
            ["spec.a: Required value", "spec.b: Required value"],
        ),
        (
            {
                "type": "object",
                "properties": {"a": {"type": "object", "properties": {"b": {"type": "string"}}, "required": ["b"]}},
            },
            {"a": {}},
            ["spec.a.b: Required value"],
        ),
    ],
    ids=str,
)
def test_lists_and_objects_have_sizes(schema: Any, value: Any, problems: list[str]) -> None:
    assert judged(schema, value) == problems


@pytest.mark.parametrize(
    ("schema", "value", "problems"),
    [
        (
            {"type": "integer", "anyOf": [{"minimum": 5}, {"maximum": 1}]},
            3,
            [
                '<nil>: Invalid value: "": "spec" must validate at least one schema (anyOf)',
                "spec: Invalid value: 3: spec in body should be greater than or equal to 5",
            ],
        ),
        ({"type": "integer", "anyOf": [{"minimum": 5}, {"maximum": 3}]}, 3, []),
        (
            {"type": "integer", "oneOf": [{"minimum": 5}, {"maximum": 1}]},
            3,
            [
                '<nil>: Invalid value: "": "spec" must validate one and only one schema (oneOf). Found none valid',
                "spec: Invalid value: 3: spec in body should be greater than or equal to 5",
            ],
        ),
        (
            {"type": "integer", "oneOf": [{"minimum": 1}, {"maximum": 5}]},
            3,
            [
                '<nil>: Invalid value: "": "spec" must validate one and only one schema (oneOf). Found 2 valid alternatives'
            ],
        ),
        ({"type": "integer", "oneOf": [{"minimum": 4}, {"maximum": 5}]}, 3, []),
        (
            {"type": "integer", "allOf": [{"minimum": 5}, {"maximum": 1}]},
            3,
            [
                "spec: Invalid value: 3: spec in body should be greater than or equal to 5",
                "spec: Invalid value: 3: spec in body should be less than or equal to 1",
                '<nil>: Invalid value: "": "spec" must validate all the schemas (allOf). None validated',
            ],
        ),
        (
            {"type": "integer", "allOf": [{"minimum": 5}, {"maximum": 4}]},
            3,
            [
                "spec: Invalid value: 3: spec in body should be greater than or equal to 5",
                '<nil>: Invalid value: "": "spec" must validate all the schemas (allOf)',
            ],
        ),
        (
            {"type": "integer", "not": {"minimum": 2}},
            3,
            ['<nil>: Invalid value: "": "spec" must not validate the schema (not)'],
        ),
        ({"type": "integer", "not": {"minimum": 4}}, 3, []),
        (
            {
                "type": "object",
                "properties": {"a": {"type": "string"}, "b": {"type": "integer"}},
                "anyOf": [{"properties": {"a": {"minLength": 3}}}, {"properties": {"b": {"minimum": 5}}}],
            },
            {"a": "x", "b": 1},
            [
                '<nil>: Invalid value: "": "spec" must validate at least one schema (anyOf)',
                "spec.b: Invalid value: 1: spec.b in body should be greater than or equal to 5",
            ],
        ),
        (
            {
                "type": "object",
                "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
                "oneOf": [{"required": ["a"]}, {"required": ["b"]}],
            },
            {"a": "x", "b": "y"},
            [
                '<nil>: Invalid value: "": "spec" must validate one and only one schema (oneOf). Found 2 valid alternatives'
            ],
        ),
        (
            {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]},
            1.5,
            [
                'spec: Invalid value: "number": spec in body must be of type integer,string: "number"',
                '<nil>: Invalid value: "": "spec" must validate at least one schema (anyOf)',
                'spec: Invalid value: "number": spec in body must be of type integer: "number"',
                '<nil>: Invalid value: "": Checked value must be of type integer (default format) in spec',
            ],
        ),
    ],
    ids=str,
)
def test_several_schemas_at_once(schema: Any, value: Any, problems: list[str]) -> None:
    assert judged(schema, value) == problems


@pytest.mark.parametrize(
    ("schema", "value", "problems"),
    [
        (
            {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
            ["a", "b", "a", "a"],
            ['spec[2]: Duplicate value: "a"'],
        ),
        ({"type": "array", "items": {"type": "integer"}, "x-kubernetes-list-type": "set"}, [1, 2], []),
        (
            {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"k": {"type": "string"}, "v": {"type": "string"}},
                    "required": ["k"],
                },
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["k"],
            },
            [{"k": "a"}, {"k": "a", "v": "b"}],
            ['spec[1]: Duplicate value: {"k":"a"}'],
        ),
        (
            {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"k": {"type": "string"}, "n": {"type": "integer", "default": 1}},
                    "required": ["k"],
                },
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["k", "n"],
            },
            [{"k": "a"}, {"k": "a", "n": 2}, {"k": "a", "n": 1}],
            ['spec[2]: Duplicate value: {"k":"a","n":1}'],
        ),
        (
            {
                "type": "object",
                "properties": {
                    "a": {
                        "type": "array",
                        "items": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
                    }
                },
            },
            {"a": [["x"], ["y", "y"]]},
            ['spec.a[1][1]: Duplicate value: "y"'],
        ),
        (
            {
                "type": "object",
                "additionalProperties": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
            },
            {"b": ["y", "y"]},
            ['spec[b][1]: Duplicate value: "y"'],
        ),
    ],
    ids=str,
)
def test_lists_of_type_set_and_map_hold_nothing_twice(schema: Any, value: Any, problems: list[str]) -> None:
    assert judged(schema, value) == problems


@pytest.mark.parametrize(
    ("schema", "value", "problems"),
    [
        (
            {"type": "object", "x-kubernetes-embedded-resource": True, "x-kubernetes-preserve-unknown-fields": True},
            {},
            ["spec.apiVersion: Required value", "spec.kind: Required value"],
        ),
        (
            {"type": "object", "x-kubernetes-embedded-resource": True, "x-kubernetes-preserve-unknown-fields": True},
            {"apiVersion": "v1", "kind": "P"},
            [],
        ),
        (
            {"type": "object", "x-kubernetes-embedded-resource": True, "x-kubernetes-preserve-unknown-fields": True},
            {"apiVersion": "a/b/c", "kind": "p d", "metadata": {"name": "a/b"}},
            [
                'spec.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c',
                "spec.kind: Invalid value: \"p d\": may have mixed case, but should otherwise match: a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')",
                "spec.metadata.name: Invalid value: \"a/b\": may not contain '/'",
            ],
        ),
        (
            {"type": "object", "x-kubernetes-embedded-resource": True, "x-kubernetes-preserve-unknown-fields": True},
            {"apiVersion": "v1", "kind": "P", "metadata": {"labels": {"a b": "c"}, "namespace": "x"}},
            [
                "spec.metadata.labels: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
            ],
        ),
        (
            {
                "type": "array",
                "items": {
                    "type": "object",
                    "x-kubernetes-embedded-resource": True,
                    "x-kubernetes-preserve-unknown-fields": True,
                },
            },
            [{"apiVersion": "v1"}],
            ["spec[0].kind: Required value"],
        ),
        (
            {"type": "object", "x-kubernetes-embedded-resource": True, "x-kubernetes-preserve-unknown-fields": True},
            {"apiVersion": "", "kind": ""},
            [
                'spec.apiVersion: Invalid value: "": must not be empty',
                'spec.kind: Invalid value: "": must not be empty',
            ],
        ),
    ],
    ids=str,
)
def test_embedded_resources_say_what_they_are(schema: Any, value: Any, problems: list[str]) -> None:
    assert judged(schema, value) == problems


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("bsonobjectid", "507f1f77bcf86cd799439011", "507f"),
        ("byte", "YWJj", "*"),
        ("cidr", "10.0.0.0/8", "10.0.0.0"),
        ("creditcard", "4111111111111111", "4"),
        ("date", "2020-02-29", "2021-02-29"),
        ("date-time", "2020-01-02T03:04:05.5+01:00", "2020-01-02"),
        ("duration", "1h30m", "1x"),
        ("email", "a@b.c", "a"),
        ("hexcolor", "#abc", "abcx"),
        ("hostname", "a", "-"),
        ("ipv4", "1.2.3.4", "::1"),
        ("ipv6", "::1", "1.2.3.4"),
        ("isbn", "0-306-40615-2", "1"),
        ("isbn10", "0306406152", "1"),
        ("isbn13", "978-0-306-40615-7", "1"),
        ("mac", "00:00:5e:00:53:01", "00"),
        ("rgbcolor", "rgb(1,2,3)", "rgb"),
        ("ssn", "123-45-6789", "123"),
        ("uri", "https://a/b", "b"),
        ("uuid", "9b2b1a1c-0b5e-4d7e-8d4f-3c6a5a0d3a11", "9b2b"),
        ("uuid4", "9b2b1a1c-0b5e-4d7e-8d4f-3c6a5a0d3a11", "9b2b1a1c-0b5e-1d7e-8d4f-3c6a5a0d3a11"),
    ],
)
def test_formats(name: str, good: str, bad: str) -> None:
    check = string_format(name)
    assert check is not None
    assert check(good)
    assert not check(bad)


def test_a_format_that_nobody_knows_asks_for_nothing() -> None:
    assert string_format("colour") is None
    assert not is_format_known("string", "colour")
    assert is_format_known("string", "date-time")


def test_patterns_are_those_of_go() -> None:
    assert compile_pattern("^\\pL+$")("é")
    assert compile_pattern("b")("abc")
    assert compile_pattern("^b")("abc") is None
    assert problem_of("a(") == "error parsing regexp: missing closing ): `a(`"
    assert problem_of("(?=a)") == "error parsing regexp: invalid or unsupported Perl syntax: `(?=`"
    assert problem_of("a*") == ""


@pytest.mark.parametrize(
    ("number", "is_whole"), [(1.0, True), (1.5, False), (float(2**53), False), (1e30, False), (-0.0, True)]
)
def test_whole_numbers_may_be_written_as_fractions(number: float, is_whole: bool) -> None:
    assert is_json_integer(number) is is_whole
