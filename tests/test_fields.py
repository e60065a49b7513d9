r"""Field selectors: terms, escapes, and matching."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dynkube.errors import InvalidRequestError
from dynkube.fields import FieldRequirement, FieldSelector

pytestmark = pytest.mark.behaviour("5.2.8")

paths = st.lists(st.from_regex(r"[a-zA-Z]{1,6}", fullmatch=True), min_size=1, max_size=3).map(".".join)
values = st.one_of(st.text(alphabet="ab\\,=! ", max_size=8), st.text(max_size=8))
requirements = st.builds(FieldRequirement, paths, values, st.booleans())
selectors = st.lists(requirements, max_size=4).map(lambda some: FieldSelector(tuple(some)))


class TestLaws:
    @given(selectors)
    def test_round_trip(self, selector: FieldSelector) -> None:
        assert FieldSelector.parse(str(selector)) == selector
        assert str(FieldSelector.parse(str(selector))) == str(selector)

    @given(paths, values, st.dictionaries(paths, values, max_size=3))
    def test_equal_or_not(self, field: str, value: str, fields: dict[str, str]) -> None:
        equal = FieldRequirement(field, value).matches(fields)
        assert equal == (fields.get(field, "") == value)
        assert FieldRequirement(field, value, negated=True).matches(fields) != equal

    @given(selectors, st.dictionaries(paths, values, max_size=3))
    def test_all_must_match(self, selector: FieldSelector, fields: dict[str, str]) -> None:
        assert selector.matches(fields) == all(one.matches(fields) for one in selector.requirements)

    @given(st.dictionaries(paths, values, max_size=3))
    def test_exactly_these_fields(self, fields: dict[str, str]) -> None:
        assert FieldSelector.parse(str(FieldSelector.of(fields))).matches(fields)

    @given(st.text(alphabet="a.\\,=! \n", max_size=20))
    @example("a=b\\")
    def test_any_text_parses_or_is_refused_with_its_place(self, text: str) -> None:
        problem = ""
        try:
            parsed = FieldSelector.parse(text)
            assert FieldSelector.parse(str(parsed)) == parsed
        except InvalidRequestError as error:
            problem = str(error)
        assert problem == "" or (problem.startswith(f"field selector {text!r}, at character ") and "\n" not in problem)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("", ""),
        (",,", ""),
        ("a=b", "a=b"),
        ("a==b", "a=b"),
        ("a!=b", "a!=b"),
        ("z=1,a=2", "a=2,z=1"),
        ("a=", "a="),
        ("a=b,,c=d,", "a=b,c=d"),
        ("a= b ", "a= b "),
        (r"a=b\,c", r"a=b\,c"),
        (r"a=\=\\", r"a=\=\\"),
    ],
)
def test_canonical_form(text: str, canonical: str) -> None:
    assert str(FieldSelector.parse(text)) == canonical


def test_escapes() -> None:
    (only,) = FieldSelector.parse(r"metadata.name!=a\,b\=c\\d").requirements
    assert only == FieldRequirement("metadata.name", "a,b=c\\d", negated=True)


@pytest.mark.parametrize(
    ("text", "place", "problem"),
    [
        ("a", 1, "'a' has no =, == or !="),
        ("a=b,metadata.name", 5, "'metadata.name' has no ="),
        ("=b", 1, "'=b' names no field"),
        ("a=b,!=c", 5, "names no field"),
        ("a=b=c", 1, r"holds '=': write"),
        ("a===b", 1, "holds '='"),
        ("a=b\\", 4, "a backslash stands before nothing"),
        (r"a=\n", 1, "is no escape"),
        ("a =b", 1, "'a ' is no field.* no blanks"),
        ("a=b, c=d", 5, "' c' is no field"),
        ("a in (b)", 1, "has no ="),
    ],
)
def test_refusals_name_selector_and_place(text: str, place: int, problem: str) -> None:
    with pytest.raises(InvalidRequestError) as info:
        FieldSelector.parse(text)
    assert str(info.value).startswith(f"field selector {text!r}, at character {place}: ")
    info.match(problem)


@pytest.mark.parametrize("other", [None, {"a": "b"}])
def test_only_text_is_parsed(other: Any) -> None:
    with pytest.raises(InvalidRequestError, match="field selector: must be a string"):
        FieldSelector.parse(other)


def test_messages_are_bounded() -> None:
    with pytest.raises(InvalidRequestError) as info:
        FieldSelector.parse("x" * 100_000)
    assert len(str(info.value)) < 1000


@pytest.mark.parametrize("field", ["", "a,b", "a=b", "a!", "a b", "a\\", None])
def test_a_field_cannot_smuggle_in_another_term(field: Any) -> None:
    with pytest.raises(InvalidRequestError, match="field selector: field must be a path"):
        FieldSelector.of({field: "x"})


def test_a_value_is_text() -> None:
    with pytest.raises(InvalidRequestError, match=r"field selector: spec\.replicas: the value must be a string"):
        FieldRequirement("spec.replicas", 3)  # type: ignore[arg-type]


def test_matching_an_object() -> None:
    pod = {"metadata": {"name": "api"}, "spec": {"hostNetwork": True, "nodeName": None}, "status": {"n": 3}}
    assert FieldSelector.parse("metadata.name=api,spec.hostNetwork=true,spec.nodeName=,status.n=3").matches_object(pod)
    assert not FieldSelector.parse("metadata.name.more=api").matches_object(pod)
    assert FieldSelector.parse("metadata.namespace!=kube-system").matches_object(pod)
