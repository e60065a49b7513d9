"""Spelling, order and texts of path elements: as fieldsV1 and messages of the real server have them."""

from __future__ import annotations

import pytest

from dynkube.testing.apiserver.fieldmanagement.elements import in_order, key_element, parse, path_text, value_element
from dynkube.testing.apiserver.fieldmanagement.problems import ProblemError


@pytest.mark.parametrize(
    ("sent", "canonical"),
    [
        ("f:", "f:"),
        ("f:a.b/c:d", "f:a.b/c:d"),
        ('k:{"protocol":"TCP", "containerPort":80}', 'k:{"containerPort":80,"protocol":"TCP"}'),
        ('k:{"name":"a<b"}', 'k:{"name":"a\\u003cb"}'),
        ("k:{}", "k:{}"),
        ("v:1.0", "v:1"),
        ("v: true", "v:true"),
        ('v:"\\u00e9"', 'v:"é"'),
        ('v:{"b":1,"a":[1.50]}', 'v:{"a":[1.5],"b":1}'),
        ("i:07", "i:7"),
        ("i:-1", "i:-1"),
    ],
)
def test_an_element_has_one_spelling(sent: str, canonical: str) -> None:
    assert parse(sent) == canonical


def test_an_element_of_an_unknown_type_is_dropped() -> None:
    assert parse("q:a") is None


@pytest.mark.parametrize("sent", ["", "a", "data", "i:x", "i:1.5", "v:", "v:{", "k:1", "k:[]", "k:{"])
def test_what_is_no_element_is_refused(sent: str) -> None:
    with pytest.raises(ProblemError):
        parse(sent)


def test_elements_of_values() -> None:
    assert key_element([("id", 1), ("name", 'a"')]) == 'k:{"id":1,"name":"a\\""}'
    assert [value_element(each) for each in ("a", 1, 1.5, False)] == ['v:"a"', "v:1", "v:1.5", "v:false"]


def test_fields_come_before_keys_values_and_places() -> None:
    ordered = [
        ".", "f:a", "f:b", 'k:{"a":1}', 'k:{"a":1,"b":1}', 'k:{"a":2}', 'k:{"a":"1"}', 'k:{"b":0}',
        "v:-1", "v:9", "v:9.5", "v:10", 'v:"a"', "v:false", "v:true", "v:[1]", "v:[1,2]", 'v:{"a":1}', "v:null",
        "i:2", "i:10",
    ]  # fmt: skip
    assert in_order(reversed(ordered)) == ordered


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (["f:data", "f:a.b"], ".data.a.b"),
        (["f:env", 'k:{"name":"A\\"é"}', "f:value"], '.env[name="A\\"é"].value'),
        (["f:ports", 'k:{"containerPort":80,"protocol":"TCP"}'], '.ports[containerPort=80,protocol="TCP"]'),
        (["f:finalizers", 'v:"a/b"'], '.finalizers[="a/b"]'),
        (["f:numbers", "v:1.5", "i:3"], ".numbers[=1.5][3]"),
        (['k:{"a":[1,"a",{"b":1}],"b":null,"c":true}'], '[a=[1,"a",b=1],b=null,c=true]'),
    ],
)
def test_paths_in_messages(path: list[str], text: str) -> None:
    assert path_text(path) == text
