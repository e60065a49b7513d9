"""Rules in CEL: what they say of values; what is expected is what a real server said."""

from __future__ import annotations

from typing import Any

import pytest
from customs import decoded, judged, strategy, thing

from dynkube.testing.apiserver.customresources.celprograms import RuleError, compile_rule
from dynkube.testing.apiserver.customresources.escaping import escaped
from dynkube.testing.apiserver.customresources.rulechecks import compile_errors, unenforced
from dynkube.testing.apiserver.customresources.rules import RuleSet

FIELDS = {
    "i": {"type": "integer"},
    "d": {"type": "number"},
    "s": {"type": "string", "maxLength": 20},
    "b": {"type": "boolean"},
    "l": {"type": "array", "maxItems": 9, "items": {"type": "integer"}},
    "m": {"type": "object", "maxProperties": 9, "additionalProperties": {"type": "integer"}},
    "o": {"type": "object", "properties": {"x": {"type": "integer"}}},
    "e": {"x-kubernetes-int-or-string": True},
    "t": {"type": "string", "format": "date-time"},
    "u": {"type": "string", "format": "duration"},
    "y": {"type": "string", "format": "byte", "maxLength": 20},
    "n": {"type": "string", "nullable": True, "maxLength": 20},
    "set": {"type": "array", "maxItems": 9, "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
    "a-b": {"type": "string", "maxLength": 9},
    "in": {"type": "integer"},
}
VALUE = {
    "i": 5, "d": 1.5, "s": "abc", "b": True, "l": [1, 2, 3], "m": {"a": 1, "b": 2}, "o": {"x": 1}, "e": "10%",
    "t": "2020-01-02T03:04:05Z", "u": "90s", "y": "YWJj", "n": None, "set": ["a", "b"], "a-b": "z", "in": 7,
}  # fmt: skip


def ruled(rule: str, **more: Any) -> dict[str, Any]:
    """A schema with a field of each type, and a rule."""
    return {"type": "object", "properties": FIELDS, "x-kubernetes-validations": [{"rule": rule} | more]}


@pytest.mark.parametrize(
    ("rule", "problems"),
    [
        ("self.i > 4", []),
        ("self.i < 5", ["spec: Invalid value: failed rule: self.i < 5"]),
        (
            "self.i + 1 == 6 && self.i - 1 == 4 && self.i * 2 == 10 && self.i / 2 == 2 && self.i % 2 == 1 && -self.i == -5",
            [],
        ),
        ("self.i / 0 == 1", ['spec: Invalid value: "object": division by zero evaluating rule: self.i / 0 == 1']),
        ("self.i % 0 == 1", ['spec: Invalid value: "object": modulus by zero evaluating rule: self.i % 0 == 1']),
        (
            "self.i * 9223372036854775807 > 0",
            ['spec: Invalid value: "object": integer overflow evaluating rule: self.i * 9223372036854775807 > 0'],
        ),
        ("self.d > 1.0 && self.d + 0.5 == 2.0 && double(self.i) == 5.0 && int(self.d) == 1", []),
        ("self.d < self.i", []),
        ("self.s == 'abc' && self.s != 'b' && self.s + 'd' == 'abcd' && size(self.s) == 3 && self.s.size() == 3", []),
        ("self.s.startsWith('a') && self.s.endsWith('c') && self.s.contains('b') && self.s.matches('^[a-c]+$')", []),
        (
            "self.s.matches(self.s + '(')",
            [
                "spec: Invalid value: \"object\": error parsing regexp: missing closing ): `abc(` evaluating rule: self.s.matches(self.s + '(')"
            ],
        ),
        (
            "self.s.upperAscii() == 'ABC' && 'A B'.lowerAscii() == 'a b' && ' x '.trim() == 'x' && self.s.replace('b', 'x') == 'axc'",
            [],
        ),
        (
            "self.s.split('b') == ['a', 'c'] && ['a', 'b'].join('-') == 'a-b' && self.s.substring(1, 2) == 'b' && self.s.charAt(0) == 'a'",
            [],
        ),
        ("self.s.indexOf('b') == 1 && self.s.lastIndexOf('z') == -1", []),
        (
            "self.s.substring(9) == ''",
            ["spec: Invalid value: \"object\": index out of range: 9 evaluating rule: self.s.substring(9) == ''"],
        ),
        ("self.s.find('[bc]+') == 'bc'", []),
        ("self.b ? self.i == 5 : false", []),
        ("!self.b || self.i == 6", ["spec: Invalid value: failed rule: !self.b || self.i == 6"]),
        (
            "self.l.all(x, x > 0) && self.l.exists(x, x == 2) && self.l.exists_one(x, x == 3) && self.l.filter(x, x > 1) == [2, 3]",
            [],
        ),
        ("self.l.map(x, x * 2) == [2, 4, 6] && self.l.map(x, x > 1, x) == [2, 3] && 2 in self.l && !(9 in self.l)", []),
        ("self.l[0] == 1 && self.l[self.l.size() - 1] == 3 && self.l + [4] == [1, 2, 3, 4]", []),
        ("self.l[9] == 1", ['spec: Invalid value: "object": index out of bounds: 9 evaluating rule: self.l[9] == 1']),
        (
            "self.l.sum() == 6 && self.l.min() == 1 && self.l.max() == 3 && self.l.isSorted() && self.l.indexOf(2) == 1",
            [],
        ),
        ("self.l.all(x, x > 1)", ["spec: Invalid value: failed rule: self.l.all(x, x > 1)"]),
        ("self.l.exists_one(x, x > 1)", ["spec: Invalid value: failed rule: self.l.exists_one(x, x > 1)"]),
        (
            "self.m.all(k, self.m[k] > 0) && 'a' in self.m && self.m.size() == 2 && self.m['a'] == 1 && self.m.a == 1",
            [],
        ),
        ("self.m['z'] == 1", ["spec: Invalid value: \"object\": no such key: z evaluating rule: self.m['z'] == 1"]),
        ("self.m.exists(k, k == 'z')", ["spec: Invalid value: failed rule: self.m.exists(k, k == 'z')"]),
        ("self.o.x == 1 && has(self.o.x) && !has(self.o.x) == false", []),
        ("type(self.e) == string && self.e == '10%'", []),
        ("self.e == 5", ["spec: Invalid value: failed rule: self.e == 5"]),
        (
            "self.t > timestamp('2019-01-01T00:00:00Z') && self.t.getFullYear() == 2020 && self.t.getMonth() == 0 && self.t.getDate() == 2",
            [],
        ),
        ("self.t.getHours() == 3 && self.t.getDayOfWeek() == 4 && self.t - duration('1h') < self.t", []),
        ("self.t.getHours('+02:00') == 5", []),
        ("self.u == duration('1m30s') && self.u.getSeconds() == 90 && self.u < duration('2m')", []),
        ("self.y == b'abc' && self.y.size() == 3", []),
        ("!has(self.n)", []),
        ("self.n == 'x'", ["spec: Invalid value: \"object\": no such key: n evaluating rule: self.n == 'x'"]),
        ("self.set == ['b', 'a']", []),
        ("self.set + ['a', 'c'] == ['a', 'b', 'c']", []),
        ("self.a__dash__b == 'z' && self.__in__ == 7", []),
        ("{'a': 1, 'b': 2}.b == 2 && {'a': 1} == {'a': 1}", []),
        (
            "0.0 / 0.0 < 1.0",
            ['spec: Invalid value: "object": NaN values cannot be ordered evaluating rule: 0.0 / 0.0 < 1.0'],
        ),
        (
            "self.s.substring(2, 1) == ''",
            [
                "spec: Invalid value: \"object\": invalid substring range. start: 2, end: 1 evaluating rule: self.s.substring(2, 1) == ''"
            ],
        ),
        ("duration('1h') - duration('1m') == duration('59m') && b'a' + b'b' == b'ab' && -self.d == -1.5", []),
        ("[1, 2] == [1, 2] && [] == [] && [[1]] != [[2]]", []),
        (
            "string(self.i) == '5' && int('7') == 7 && double('1.5') == 1.5 && bool('true') && string(self.d) == '1.5'",
            [],
        ),
        ("dyn(self.i) == 5 && dyn(self.s) != 5", []),
        ("uint(self.i) == 5u && self.i == 5", []),
        (
            "self.i == 6 || self.l[9] == 1",
            ['spec: Invalid value: "object": index out of bounds: 9 evaluating rule: self.i == 6 || self.l[9] == 1'],
        ),
        ("self.l[9] == 1 || self.i == 5", []),
        ("self.i == 6 && self.l[9] == 1", ["spec: Invalid value: failed rule: self.i == 6 && self.l[9] == 1"]),
        ("'a' < 'b' && b'a' < b'b' && false < true", []),
        ("timestamp('2020-01-01T00:00:00Z') == timestamp('2020-01-01T01:00:00+01:00')", []),
        ("r'\\d' == '\\\\d' && \"x\" == 'x' && 0x10 == 16", []),
    ],
)
def test_rules_are_evaluated(rule: str, problems: list[str]) -> None:
    assert judged(ruled(rule), VALUE) == problems


@pytest.mark.parametrize(
    ("more", "problems"),
    [
        ({"message": "too small"}, ["spec: Invalid value: too small"]),
        ({"message": " too small\t"}, ["spec: Invalid value: too small"]),
        ({"messageExpression": "'i is ' + string(self.i)"}, ["spec: Invalid value: i is 5"]),
        ({"message": "plain", "messageExpression": "'i is ' + string(self.i)"}, ["spec: Invalid value: i is 5"]),
        ({"message": "plain", "messageExpression": "self.l[9] == 1 ? 'a' : 'b'"}, ["spec: Invalid value: plain"]),
        ({"messageExpression": "self.l[9] == 1 ? 'a' : 'b'"}, ["spec: Invalid value: failed rule: self.i > 9"]),
        ({"message": "plain", "messageExpression": "' '"}, ["spec: Invalid value: plain"]),
        ({"message": "plain", "messageExpression": "'a\\nb'"}, ["spec: Invalid value: plain"]),
        ({"reason": "FieldValueForbidden"}, ["spec: Forbidden: failed rule: self.i > 9"]),
        ({"reason": "FieldValueRequired", "message": "m"}, ["spec: Required value: m"]),
        ({"reason": "FieldValueDuplicate", "fieldPath": ".o.x"}, ["spec.o.x: Duplicate value"]),
        ({"fieldPath": ".m['a']"}, ["spec.m[a]: Invalid value: failed rule: self.i > 9"]),
        ({"fieldPath": "['a-b']"}, ["spec.a-b: Invalid value: failed rule: self.i > 9"]),
    ],
    ids=str,
)
def test_what_a_rule_that_is_broken_says(more: dict[str, str], problems: list[str]) -> None:
    assert judged(ruled("self.i > 9", **more), VALUE) == problems


@pytest.mark.parametrize(
    ("schema", "value", "old", "problems"),
    [
        (
            {
                "type": "object",
                "properties": {"a": {"type": "integer"}},
                "x-kubernetes-validations": [{"rule": "self.a >= oldSelf.a"}],
            },
            {"a": 1},
            {"a": 2},
            ["spec: Invalid value: failed rule: self.a >= oldSelf.a"],
        ),
        (
            {
                "type": "object",
                "properties": {"a": {"type": "integer"}},
                "x-kubernetes-validations": [{"rule": "self.a >= oldSelf.a"}],
            },
            {"a": 3},
            {"a": 2},
            [],
        ),
        (
            {
                "type": "object",
                "properties": {"a": {"type": "integer", "x-kubernetes-validations": [{"rule": "self == oldSelf"}]}},
            },
            {"a": 3},
            {"a": 2},
            ["spec.a: Invalid value: 3: failed rule: self == oldSelf"],
        ),
        (
            {
                "type": "object",
                "properties": {"a": {"type": "integer", "x-kubernetes-validations": [{"rule": "self == oldSelf"}]}},
            },
            {"a": 3},
            {},
            [],
        ),
        (
            {
                "type": "object",
                "properties": {"a": {"type": "integer", "x-kubernetes-validations": [{"rule": "self == oldSelf"}]}},
            },
            {},
            {"a": 2},
            [],
        ),
        (
            {
                "type": "object",
                "additionalProperties": {"type": "integer", "x-kubernetes-validations": [{"rule": "self == oldSelf"}]},
            },
            {"a": 1, "b": 2},
            {"a": 2},
            ["spec[a]: Invalid value: 1: failed rule: self == oldSelf"],
        ),
        (
            {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"k": {"type": "string"}, "n": {"type": "integer"}},
                    "x-kubernetes-validations": [{"rule": "self.n == oldSelf.n"}],
                    "required": ["k"],
                },
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["k"],
            },
            [{"k": "b", "n": 1}, {"k": "a", "n": 2}],
            [{"k": "a", "n": 1}],
            ["spec[1]: Invalid value: failed rule: self.n == oldSelf.n"],
        ),
        (
            {
                "type": "object",
                "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
                "x-kubernetes-validations": [{"rule": "!has(oldSelf.a) || has(self.a)"}],
            },
            {"b": 1},
            {"a": 1},
            ["spec: Invalid value: failed rule: !has(oldSelf.a) || has(self.a)"],
        ),
    ],
    ids=str,
)
def test_rules_about_the_past(schema: Any, value: Any, old: Any, problems: list[str]) -> None:
    assert judged(schema, value, old) == problems


@pytest.mark.parametrize(
    ("schema", "value", "problems"),
    [
        (
            {
                "type": "object",
                "properties": {
                    "a": {
                        "type": "object",
                        "properties": {"b": {"type": "integer", "x-kubernetes-validations": [{"rule": "self > 1"}]}},
                    }
                },
            },
            {"a": {"b": 1}},
            ["spec.a.b: Invalid value: 1: failed rule: self > 1"],
        ),
        (
            {"type": "array", "items": {"type": "integer", "x-kubernetes-validations": [{"rule": "self > 1"}]}},
            [1, 2, 0],
            ["spec[0]: Invalid value: 1: failed rule: self > 1", "spec[2]: Invalid value: 0: failed rule: self > 1"],
        ),
        (
            {
                "type": "object",
                "additionalProperties": {"type": "integer", "x-kubernetes-validations": [{"rule": "self > 1"}]},
            },
            {"x": 1, "y": 2},
            ["spec[x]: Invalid value: 1: failed rule: self > 1"],
        ),
        (
            {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"a": {"type": "integer"}},
                    "x-kubernetes-validations": [{"rule": "self.a > 1"}],
                },
            },
            [{"a": 1}, {}],
            [
                "spec[0]: Invalid value: failed rule: self.a > 1",
                'spec[1]: Invalid value: "object": no such key: a evaluating rule: self.a > 1',
            ],
        ),
        (
            {
                "type": "object",
                "properties": {
                    "a": {"type": "integer", "nullable": True, "x-kubernetes-validations": [{"rule": "self > 1"}]}
                },
            },
            {"a": None},
            [],
        ),
        (
            {
                "type": "object",
                "properties": {"a": {"type": "integer", "x-kubernetes-validations": [{"rule": "self > 3"}]}},
                "x-kubernetes-validations": [{"rule": "self.a > 2"}],
            },
            {"a": 1},
            ["spec: Invalid value: failed rule: self.a > 2", "spec.a: Invalid value: 1: failed rule: self > 3"],
        ),
        (
            {
                "type": "object",
                "x-kubernetes-embedded-resource": True,
                "x-kubernetes-preserve-unknown-fields": True,
                "x-kubernetes-validations": [{"rule": "self.kind == 'P' && self.metadata.name == 'x'"}],
            },
            {"apiVersion": "v1", "kind": "Q", "metadata": {"name": "x"}},
            ["spec: Invalid value: failed rule: self.kind == 'P' && self.metadata.name == 'x'"],
        ),
        (
            {
                "type": "object",
                "x-kubernetes-preserve-unknown-fields": True,
                "properties": {"a": {"type": "integer"}},
                "x-kubernetes-validations": [{"rule": "self.a > 1"}],
            },
            {"a": 1, "b": 2},
            ["spec: Invalid value: failed rule: self.a > 1"],
        ),
    ],
    ids=str,
)
def test_rules_are_anywhere_in_a_schema(schema: Any, value: Any, problems: list[str]) -> None:
    assert judged(schema, value) == problems


@pytest.mark.parametrize(
    ("schema", "value", "problems"),
    [
        (
            {
                "type": "object",
                "properties": {"a": {"type": "integer"}},
                "x-kubernetes-validations": [{"rule": "self.a > 1"}],
            },
            {"a": "x"},
            [
                'spec.a: Invalid value: "string": spec.a in body must be of type integer: "string"',
                "<nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation",
            ],
        ),
        (
            {
                "type": "object",
                "properties": {"a": {"type": "integer"}, "b": {"type": "string"}},
                "x-kubernetes-validations": [{"rule": "self.a > 1"}],
                "required": ["b"],
            },
            {"a": 1},
            [
                "spec.b: Required value",
                "<nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation",
            ],
        ),
        (
            {
                "type": "object",
                "properties": {"a": {"type": "integer", "maximum": 5}},
                "x-kubernetes-validations": [{"rule": "self.a > 10"}],
            },
            {"a": 9},
            [
                "spec.a: Invalid value: 9: spec.a in body should be less than or equal to 5",
                "spec: Invalid value: failed rule: self.a > 10",
            ],
        ),
        (
            {
                "type": "object",
                "properties": {
                    "a": {"type": "integer", "x-kubernetes-validations": [{"rule": "self > 1"}]},
                    "b": {"type": "string", "enum": ["x"]},
                },
            },
            {"a": 0, "b": "y"},
            [
                'spec.b: Unsupported value: "y": supported values: "x"',
                "<nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation",
            ],
        ),
    ],
    ids=str,
)
def test_rules_are_not_asked_where_values_are_of_no_use(schema: Any, value: Any, problems: list[str]) -> None:
    assert judged(schema, value) == problems


@pytest.mark.parametrize(
    ("schema", "value", "old", "problems"),
    [
        (
            {
                "type": "object",
                "properties": {
                    "a": {"type": "integer", "x-kubernetes-validations": [{"rule": "self > 1 && oldSelf > 1"}]}
                },
            },
            {"a": 2},
            {"a": "x"},
            [
                'spec.a: Invalid value: "integer": invalid data, expected int, got string evaluating rule: self > 1 && oldSelf > 1'
            ],
        ),
        (
            {
                "type": "object",
                "properties": {"a": {"type": "string", "x-kubernetes-validations": [{"rule": "self != oldSelf"}]}},
            },
            {"a": "x"},
            {"a": [1]},
            [
                'spec.a: Invalid value: "string": invalid data, expected string, got []interface {} evaluating rule: self != oldSelf'
            ],
        ),
        (
            {
                "type": "object",
                "properties": {"a": {"type": "number", "x-kubernetes-validations": [{"rule": "self > oldSelf"}]}},
            },
            {"a": 1},
            {"a": {}},
            [
                'spec.a: Invalid value: "number": invalid data, expected float, got map[string]interface {} evaluating rule: self > oldSelf'
            ],
        ),
        (
            {
                "type": "object",
                "properties": {"a": {"type": "boolean", "x-kubernetes-validations": [{"rule": "self == oldSelf"}]}},
            },
            {"a": True},
            {"a": 1},
            [
                'spec.a: Invalid value: "boolean": invalid data, expected bool, got int64 evaluating rule: self == oldSelf'
            ],
        ),
        (
            {
                "type": "object",
                "properties": {
                    "a": {
                        "type": "object",
                        "properties": {"b": {"type": "integer"}},
                        "x-kubernetes-validations": [{"rule": "!has(oldSelf.b) || self.b > oldSelf.b"}],
                    }
                },
            },
            {"a": {"b": 1}},
            {"a": {"b": "x"}},
            [
                'spec.a: Invalid value: "object": invalid data, expected int, got string evaluating rule: !has(oldSelf.b) || self.b > oldSelf.b'
            ],
        ),
        (
            {
                "type": "object",
                "properties": {
                    "a": {
                        "type": "object",
                        "properties": {"b": {"type": "integer"}},
                        "x-kubernetes-validations": [{"rule": "self.b > oldSelf.b"}],
                    }
                },
            },
            {"a": {"b": 1}},
            {"a": 5},
            [
                'spec.a: Invalid value: "object": invalid data, expected a map for the provided schema with type=object evaluating rule: self.b > oldSelf.b'
            ],
        ),
        (
            {
                "type": "object",
                "properties": {
                    "a": {
                        "type": "array",
                        "items": {"type": "integer"},
                        "maxItems": 5,
                        "x-kubernetes-validations": [{"rule": "self.all(x, x in oldSelf)"}],
                    }
                },
            },
            {"a": [1]},
            {"a": {}},
            [
                'spec.a: Invalid value: "array": invalid data, expected an array for the provided schema with type=array evaluating rule: self.all(x, x in oldSelf)'
            ],
        ),
        (
            {
                "type": "object",
                "properties": {
                    "a": {"x-kubernetes-int-or-string": True, "x-kubernetes-validations": [{"rule": "self != oldSelf"}]}
                },
            },
            {"a": 1},
            {"a": True},
            [
                'spec.a: Invalid value: "": invalid data, expected XIntOrString value to be either a string or integer evaluating rule: self != oldSelf'
            ],
        ),
        (
            {
                "type": "object",
                "properties": {
                    "a": {"type": "string", "format": "byte", "x-kubernetes-validations": [{"rule": "self != oldSelf"}]}
                },
            },
            {"a": "YQ=="},
            {"a": "*"},
            [
                'spec.a: Invalid value: "string": Invalid byte formatted string *: illegal base64 data at input byte 0 evaluating rule: self != oldSelf'
            ],
        ),
        (
            {
                "type": "object",
                "properties": {"a": {"type": "integer", "x-kubernetes-validations": [{"rule": "self > 1"}]}},
            },
            {"a": 2.0},
            {"a": 1},
            ['spec.a: Invalid value: "integer": invalid data, expected int, got float64 evaluating rule: self > 1'],
        ),
        (
            {
                "type": "object",
                "maxProperties": 5,
                "additionalProperties": {"type": "integer"},
                "x-kubernetes-validations": [{"rule": "self.all(k, !(k in oldSelf) || self[k] > oldSelf[k])"}],
            },
            {"a": 1},
            {"a": "x"},
            [
                'spec: Invalid value: "object": invalid data, expected int, got string evaluating rule: self.all(k, !(k in oldSelf) || self[k] > oldSelf[k])'
            ],
        ),
    ],
    ids=str,
)
def test_values_that_are_not_what_the_schema_says_are_errors(
    schema: Any, value: Any, old: Any, problems: list[str]
) -> None:
    assert judged(schema, value, old) == problems


def test_what_broke_a_rule_before_and_did_not_change_is_warned_of() -> None:
    kind = strategy(
        {"type": "object", "properties": {"a": ruled("self.i > 9", message="too small"), "b": {"type": "string"}}}
    )
    obj, old = thing({"a": {"i": 1}, "b": "x"}), thing({"a": {"i": 1}})
    for each in (obj, old):
        decoded(kind, each)
    assert not kind.validate_update(obj, old, "")
    assert kind.warnings(obj, old, "") == ["spec.a: Invalid value: too small"]
    assert kind.warnings_of_refusal() == ["spec.a: Invalid value: too small"]
    obj["spec"]["a"]["i"] = 2
    assert [str(each) for each in kind.validate_update(obj, old, "")] == ["spec.a: Invalid value: too small"]
    assert kind.warnings(obj, old, "") == []


@pytest.mark.parametrize(
    ("rule", "needs"),
    [
        ("isURL(self.s)", "it needs isURL()"),
        ("quantity(self.s).isLessThan(quantity('1'))", "it needs isLessThan(), quantity()"),
        ("self.?s.orValue('') == ''", "it needs optional types"),
        ("self.m.all(k, v, v > 0)", "it needs all() with two variables"),
        (
            "!format.dns1123Label().validate(self.s).hasValue()",
            "it needs format.dns1123Label(), hasValue(), validate()",
        ),
        ("sets.contains(self.l, [1])", "it needs sets.contains()"),
        ("self..s == 1", "cel-python cannot parse it"),
    ],
)
def test_rules_that_are_not_enforced_are_named(rule: str, needs: str) -> None:
    shown = '"' + rule.replace('"', '\\"') + '"'
    text = f"x-kubernetes-validations: this server does not enforce the rule {shown}: {needs}"
    assert unenforced(ruled(rule)) == [text]
    assert judged(ruled(rule), VALUE) == []


def test_a_rule_that_is_asked_without_a_past_is_not_enforced() -> None:
    assert unenforced(ruled("self == oldSelf", optionalOldSelf=True)) == [
        'x-kubernetes-validations: this server does not enforce the rule "self == oldSelf": it needs optional types'
    ]


def test_schemas_without_rules_have_nothing_to_check() -> None:
    assert not RuleSet({"type": "object", "properties": {"a": {"type": "string"}}})
    assert RuleSet(ruled("true"))


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("a", "a"),
        ("a-b", "a__dash__b"),
        ("a.b/c", "a__dot__b__slash__c"),
        ("in", "__in__"),
        ("a__b", "a__underscores__b"),
        ("1a", None),
        ("", None),
    ],
)
def test_names_of_fields_as_rules_write_them(name: str, told: str | None) -> None:
    assert escaped(name) == told


def test_a_rule_that_cannot_be_read_is_an_error() -> None:
    with pytest.raises(ValueError, match="1"):
        compile_rule("self. + 1")
    with pytest.raises(RuleError, match="division by zero"):
        compile_rule("1 / 0 == 1").evaluate({})
    assert compile_rule("self > oldSelf").uses_old_self


def problems_of(rule: str, **more: str) -> list[str]:
    """What is wrong with a rule, the caret under it left out."""
    found = compile_errors(ruled(rule, **more), "spec", "no old", is_resource=False)
    return [each.detail.partition("\n")[0] for each in found]


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        ("self.none > 1", "compilation failed: ERROR: <input>:1:5: undefined field 'none'"),
        ("nobody > 1", "compilation failed: ERROR: <input>:1:1: undeclared reference to 'nobody' (in container '')"),
        (
            "self.i > 'a'",
            "compilation failed: ERROR: <input>:1:8: found no matching overload for '_>_' applied to '(int, string)'",
        ),
        ("self.i", "cel expression must evaluate to a bool"),
        (
            "self.s.frobnicate() == 1",
            "compilation failed: ERROR: <input>:1:18: undeclared reference to 'frobnicate' (in container '')",
        ),
        (
            "frobnicate(self.s)",
            "compilation failed: ERROR: <input>:1:11: undeclared reference to 'frobnicate' (in container '')",
        ),
        (
            "self.s.startsWith(1)",
            "compilation failed: ERROR: <input>:1:18: found no matching overload for 'startsWith' applied to 'string.(int)'",
        ),
        (
            "startsWith(self.s, 'a')",
            "compilation failed: ERROR: <input>:1:11: found no matching overload for 'startsWith' applied to '(string, string)'",
        ),
        (
            "self.l.all(x, x > 'a')",
            "compilation failed: ERROR: <input>:1:17: found no matching overload for '_>_' applied to '(int, string)'",
        ),
        (
            "self.l.all(x, y > 1)",
            "compilation failed: ERROR: <input>:1:15: undeclared reference to 'y' (in container '')",
        ),
        (
            "self.i.all(x, true)",
            "compilation failed: ERROR: <input>:1:5: expression of type 'int' cannot be range of a comprehension (must be list, map, or dynamic)",
        ),
        (
            "self.l['a'] == 1",
            "compilation failed: ERROR: <input>:1:7: found no matching overload for '_[_]' applied to '(list(int), string)'",
        ),
        (
            "self.m[1] == 1",
            "compilation failed: ERROR: <input>:1:7: found no matching overload for '_[_]' applied to '(map(string, int), int)'",
        ),
        ("!self.i", "compilation failed: ERROR: <input>:1:1: found no matching overload for '!_' applied to '(int)'"),
        (
            "-self.s == 'a'",
            "compilation failed: ERROR: <input>:1:1: found no matching overload for '-_' applied to '(string)'",
        ),
        (
            "self.b ? 1 : 'a'",
            "compilation failed: ERROR: <input>:1:8: found no matching overload for '_?_:_' applied to '(bool, int, string)'",
        ),
        ("self.b && self.i", "compilation failed: ERROR: <input>:1:15: expected type 'bool' but found 'int'"),
        ("has(self)", "compilation failed: ERROR: <input>:1:5: invalid argument to has() macro"),
        ("has(self.none)", "compilation failed: ERROR: <input>:1:4: undefined field 'none'"),
        ("self.s.matches('(')", "compilation failed: ERROR: <input>:1:16: invalid matches argument"),
        ("timestamp('x') == self.t", "compilation failed: ERROR: <input>:1:11: invalid timestamp argument"),
        ("duration('x') == self.u", "compilation failed: ERROR: <input>:1:10: invalid duration argument"),
        ("[1, 'a'] == [1]", "compilation failed: ERROR: <input>:1:5: expected type 'int' but found 'string'"),
        ("{1: 2, 'a': 3} == {1: 2}", "compilation failed: ERROR: <input>:1:8: expected type 'int' but found 'string'"),
        ("self.o.none == 1", "compilation failed: ERROR: <input>:1:7: undefined field 'none'"),
        (
            "1.5 + 1 == 2.5",
            "compilation failed: ERROR: <input>:1:5: found no matching overload for '_+_' applied to '(double, int)'",
        ),
        (
            "'a' + 1 == 'a1'",
            "compilation failed: ERROR: <input>:1:5: found no matching overload for '_+_' applied to '(string, int)'",
        ),
        ("int('x') == 1", "program instantiation failed: type conversion error from 'string' to 'int'"),
        ("int(('1')) == 1 && bool('x')", "program instantiation failed: type conversion error from 'string' to 'bool'"),
        ("matches(self.s, '(')", "program instantiation failed: error parsing regexp: missing closing ): `(`"),
        (
            "self.i in 5",
            "compilation failed: ERROR: <input>:1:8: found no matching overload for '@in' applied to '(int, int)'",
        ),
    ],
)
def test_rules_are_checked_when_they_are_made(rule: str, problem: str) -> None:
    assert problems_of(rule) == [problem]


def test_rules_that_hold_together_are_no_problem() -> None:
    for rule in (
        "self.i > 1",
        "self.m.all(k, self.m[k] > 1)",
        "isURL(self.s)",
        "self.l.map(x, string(x)).join('-') == self.s",
    ):
        assert problems_of(rule) == []
