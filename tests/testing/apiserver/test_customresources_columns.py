"""Printer columns and their JSONPath; what is expected is what a real server showed."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from dynkube.testing.apiserver.customresources.columns import printer, scale_printer
from dynkube.testing.apiserver.customresources.jsonpath import parse, printed

OBJECT: dict[str, Any] = {
    "metadata": {"name": "x", "creationTimestamp": "2020-01-02T03:04:05Z", "annotations": {"a.b/c": "noted"}},
    "spec": {
        "text": "abc",
        "number": 5,
        "real": 1.5,
        "great": 1e21,
        "flag": True,
        "when": "2020-01-02T03:03:05Z",
        "none": None,
        "list": ["a", "b", "c"],
        "object": {"b": 1, "a": [True, None]},
        "rows": [{"type": "Ready", "status": "True", "n": 1}, {"type": "Live", "status": "False", "n": 2}],
    },
}
NOW = datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (".spec.text", ["abc"]),
        (".spec['text']", ["abc"]),
        (".spec.absent", []),
        (".absent.deeper", []),
        (".spec.none", [None]),
        (".spec.list[0]", ["a"]),
        (".spec.list[-1]", ["c"]),
        (".spec.list[*]", ["a", "b", "c"]),
        (".spec.list[0:2]", ["a", "b"]),
        (".spec.list[0,2]", ["a", "c"]),
        (".spec.list[::2]", ["a", "c"]),
        (".spec.rows[*].type", ["Ready", "Live"]),
        ('.spec.rows[?(@.type=="Ready")].status', ["True"]),
        ("..status", ["True", "False"]),
        (".spec.rows[?(@.n>1)].type", ["Live"]),
        (".spec.rows[?(@.n!=1)].type", ["Live"]),
        (".spec.rows[?(@.absent)].type", []),
        (r".metadata.annotations.a\.b/c", ["noted"]),
        (".metadata.annotations['a\\.b/c']", ["noted"]),
    ],
)
def test_what_is_at_a_path(path: str, found: list[Any]) -> None:
    assert parse(path).find(OBJECT) == found


@pytest.mark.parametrize(
    ("path", "problem"),
    [(".spec.list[9]", "array index out of bounds: index 9, length 3"), (".spec.text[0]", "is not")],
)
def test_paths_that_do_not_fit_the_object(path: str, problem: str) -> None:
    with pytest.raises(ValueError, match=re.escape(problem)):
        parse(path).find(OBJECT)


@pytest.mark.parametrize("path", [".spec[", ".spec.list[?(@.a]", ".spec['a", ".a[x]"])
def test_paths_that_are_none(path: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse(path)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "a"),
        (5, "5"),
        (1.5, "1.5"),
        (True, "true"),
        (None, "<no value>"),
        ({"b": 1, "a": [None]}, '{"a":[null],"b":1}'),
    ],
)
def test_values_as_text(value: Any, text: str) -> None:
    assert printed(value) == text


@pytest.mark.parametrize(
    ("kind", "path", "cell"),
    [
        ("string", ".spec.text", "abc"),
        ("string", ".spec.number", "5"),
        ("string", ".spec.list[*]", "a"),
        ("string", ".spec.object", '{"a":[true,null],"b":1}'),
        ("string", ".spec.absent", None),
        ("string", ".spec.none", "<no value>"),
        ("string", ".spec.text[0]", None),
        ("integer", ".spec.number", 5),
        ("integer", ".spec.real", 1),
        ("integer", ".spec.text", None),
        ("integer", ".spec.flag", None),
        ("number", ".spec.real", 1.5),
        ("number", ".spec.number", 5),
        ("number", ".spec.great", 1e21),
        ("boolean", ".spec.flag", True),
        ("boolean", ".spec.text", None),
        ("date", ".spec.when", "60s"),
        ("date", ".spec.text", "<invalid>"),
        ("date", ".spec.number", None),
    ],
)
def test_cells_are_of_the_type_of_their_column(kind: str, path: str, cell: Any) -> None:
    column = {"name": "A", "type": kind, "jsonPath": path}
    assert printer({"additionalPrinterColumns": [column]}).cells(OBJECT, NOW) == ["x", cell]


def test_without_columns_there_is_the_age() -> None:
    made = printer({})
    assert [each["name"] for each in made.columns] == ["Name", "Age"]
    assert made.cells(OBJECT, NOW) == ["x", "0s"]


def test_columns_are_described() -> None:
    rows = [{"name": "A", "type": "integer", "jsonPath": ".spec.number", "format": "int32", "priority": 1}]
    assert printer({"additionalPrinterColumns": rows}).columns[1] == {
        "name": "A",
        "type": "integer",
        "format": "int32",
        "description": "Custom resource definition column (in JSONPath format): .spec.number",
        "priority": 1,
    }
    described = printer({"additionalPrinterColumns": [rows[0] | {"description": "How many"}]})
    assert described.columns[1]["description"] == "How many"


def test_behind_a_path_that_is_none_no_column_is_shown() -> None:
    rows = [
        {"name": name, "type": "string", "jsonPath": path}
        for name, path in (("A", ".spec.text"), ("B", "["), ("C", "."))
    ]
    made = printer({"additionalPrinterColumns": rows})
    assert [each["name"] for each in made.columns] == ["Name", "A"]
    assert made.cells(OBJECT, NOW) == ["x", "abc"]


def test_scales_have_columns_of_their_own() -> None:
    made = scale_printer({})
    assert made.columns[0]["name"] == "Name"
    assert len(made.cells(OBJECT, NOW)) == len(made.columns)
