"""Label selectors: what the server's parser takes, what it means, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dynkube.errors import InvalidRequestError
from dynkube.labels import LabelSelector, Operator, Requirement, validate_label_key, validate_label_value

pytestmark = pytest.mark.behaviour("5.2.8", "10.1.7")

names = st.from_regex(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,5}[A-Za-z0-9])?", fullmatch=True)
keys = st.one_of(
    names, st.builds("{}/{}".format, st.sampled_from(["example.com", "a.b"]), names), st.sampled_from(["in", "notin"])
)
values = st.one_of(st.just(""), names, st.sampled_from(["in", "notin"]))
numbers = st.integers(0, 2**63 - 1).map(str)
requirements = st.one_of(
    st.builds(Requirement, keys, st.sampled_from([Operator.EXISTS, Operator.DOES_NOT_EXIST])),
    st.builds(
        Requirement,
        keys,
        st.sampled_from([Operator.IN, Operator.NOT_IN]),
        st.lists(values, min_size=1, max_size=4).map(tuple),
    ),
    st.builds(Requirement, keys, st.sampled_from([Operator.EQUALS, Operator.NOT_EQUALS]), st.tuples(values)),
    st.builds(Requirement, keys, st.sampled_from([Operator.GREATER_THAN, Operator.LESS_THAN]), st.tuples(numbers)),
)
selectors = st.lists(requirements, max_size=5).map(lambda some: LabelSelector(tuple(some)))
label_sets = st.dictionaries(keys, st.one_of(values, numbers), max_size=4)


class TestLaws:
    @given(selectors)
    def test_round_trip(self, selector: LabelSelector) -> None:
        assert LabelSelector.parse(str(selector)) == selector
        assert str(LabelSelector.parse(str(selector))) == str(selector)

    @given(selectors, label_sets)
    def test_a_selector_matches_where_all_its_requirements_do(
        self, selector: LabelSelector, labels: dict[str, str]
    ) -> None:
        assert selector.matches(labels) == all(one.matches(labels) for one in selector.requirements)

    @given(keys, st.lists(values, min_size=1, max_size=3), label_sets)
    def test_operators_come_in_pairs(self, key: str, some: list[str], labels: dict[str, str]) -> None:
        def match(operator: Operator, *among: str) -> bool:
            return Requirement(key, operator, among).matches(labels)

        assert match(Operator.IN, *some) != match(Operator.NOT_IN, *some)
        assert match(Operator.IN, *some) == any(match(Operator.EQUALS, one) for one in some)
        assert match(Operator.EQUALS, some[0]) != match(Operator.NOT_EQUALS, some[0])
        assert match(Operator.EXISTS) != match(Operator.DOES_NOT_EXIST)

    @given(st.integers(-(2**63), 2**63 - 1), st.integers(0, 2**63 - 1))
    def test_order(self, number: int, bound: int) -> None:
        labels = {"size": str(number)}
        assert Requirement("size", Operator.GREATER_THAN, (str(bound),)).matches(labels) == (number > bound)
        assert Requirement("size", Operator.LESS_THAN, (str(bound),)).matches(labels) == (number < bound)

    @given(label_sets)
    def test_exactly_these_labels(self, labels: dict[str, str]) -> None:
        assert LabelSelector.of(labels).matches({**labels, "more": "yes"} if "more" not in labels else labels)

    @given(st.text(alphabet="ab/in!=<>(), \t\n.-_0", max_size=30))
    @example("a in ()")
    @example("!!a")
    def test_any_text_parses_or_is_refused_with_its_place(self, text: str) -> None:
        problem = ""
        try:
            parsed = LabelSelector.parse(text)
            assert LabelSelector.parse(str(parsed)) == parsed
        except InvalidRequestError as error:
            problem = str(error)
        assert problem == "" or (problem.startswith(f"label selector {text!r}, at character ") and "\n" not in problem)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("", ""),
        (" \t\r\n", ""),
        ("x=a", "x=a"),
        ("x==a", "x=a"),
        ("x = a , z != b", "x=a,z!=b"),
        ("z,a", "a,z"),
        ("x in (b,a,b)", "x in (a,b)"),
        ("x notin(a)", "x notin (a)"),
        ("x in (,)", "x in (,)"),
        ("x in (a,)", "x in (,a)"),
        ("x in (a,,b)", "x in (,a,b)"),
        ("x=", "x="),
        ("x=,y", "x=,y"),
        ("x!=", "x!="),
        ("!x", "!x"),
        ("! x", "!x"),
        ("x>1,y<007", "x>1,y<007"),
        ("in in (in,notin)", "in in (in,notin)"),
        ("example.com/a=b", "example.com/a=b"),
    ],
)
def test_canonical_form(text: str, canonical: str) -> None:
    assert str(LabelSelector.parse(text)) == canonical


@pytest.mark.parametrize(
    ("text", "place", "problem"),
    [
        ("x=a||y=b", 1, r"value 'a\|\|y'"),  # a word goes on until a sign
        ("x==a==b", 5, "unexpected '=='"),
        ("!x=a", 3, "unexpected '='"),
        ("!x=", 3, "unexpected '='"),
        ("x,,y", 3, "label key"),
        (",x", 1, "want a label key"),
        ("x,", 3, "a requirement is missing after ','"),
        ("x in a", 6, r"want '\('"),
        ("x in", 5, r"want '\('"),
        ("x in ()", 7, "empty"),
        ("x in (a", 8, r"want ',' or '\)'"),
        ("x in (a b)", 9, r"want ',' or '\)'"),
        ("x y", 3, "unexpected 'y' after 'x', want one of"),
        ("x=a b", 5, "unexpected 'b'"),
        ("x>a", 1, "whole number"),
        ("x>", 3, "want a whole number"),
        ("x>99999999999999999999", 1, "whole number"),
        ("x<-5", 1, "value '-5'"),
        ("ok, -x=a", 5, "key '-x'"),
        ("a/b/c=d", 1, "DNS subdomain"),
        ("x=" + "v" * 64, 1, "63"),
        ("k" * 64, 1, "63"),
        ("x=a\u00a0", 1, "value"),
        ("x=a\x0b", 1, "value"),
    ],
)
def test_refusals_name_selector_and_place(text: str, place: int, problem: str) -> None:
    with pytest.raises(InvalidRequestError) as info:
        LabelSelector.parse(text)
    message = str(info.value)
    assert message.startswith(f"label selector {text!r}, at character {place}: ")
    info.match(problem)


def test_messages_are_bounded() -> None:
    with pytest.raises(InvalidRequestError) as info:
        LabelSelector.parse("x" * 100_000)
    assert len(str(info.value)) < 1000


@pytest.mark.parametrize("other", [None, {"a": "b"}, 3])
def test_only_text_is_parsed(other: Any) -> None:
    with pytest.raises(InvalidRequestError, match=f"label selector: must be a string, not a {type(other).__name__}"):
        LabelSelector.parse(other)


class TestMatching:
    @pytest.mark.parametrize(
        ("text", "labels", "expected"),
        [
            ("", {}, True),
            ("", {"a": "b"}, True),
            ("x=a", {"x": "a"}, True),
            ("x=a", {"x": "b"}, False),
            ("x=a", {}, False),
            ("x!=a", {}, True),
            ("x notin (a)", {}, True),
            ("x in (a,b)", {"x": "b"}, True),
            ("x", {"x": ""}, True),
            ("!x", {"x": ""}, False),
            ("x=", {"x": ""}, True),
            ("x=", {}, False),
            ("x>5", {"x": "6"}, True),
            ("x>5", {"x": "six"}, False),
            ("x<5", {}, False),
            ("x>5", {"x": "9" * 5000}, False),
            ("x=a,y=b", {"x": "a"}, False),
        ],
    )
    def test_as_the_server(self, text: str, labels: dict[str, str], expected: bool) -> None:
        assert LabelSelector.parse(text).matches(labels) is expected

    def test_no_labels(self) -> None:
        assert LabelSelector.parse("!x").matches(None)


class TestFromDict:
    def test_all_operators(self) -> None:
        selector = LabelSelector.from_dict(
            {
                "matchLabels": {"app": "api"},
                "matchExpressions": [
                    {"key": "b", "operator": "In", "values": ["x", "y"]},
                    {"key": "c", "operator": "NotIn", "values": ["z"]},
                    {"key": "d", "operator": "Exists"},
                    {"key": "e", "operator": "DoesNotExist", "values": None},
                ],
            }
        )
        assert str(selector) == "app=api,b in (x,y),c notin (z),d,!e"

    def test_empty_selects_everything(self) -> None:
        assert LabelSelector.from_dict({}).matches({"a": "b"})
        assert LabelSelector.from_dict({"matchLabels": None, "matchExpressions": None}).matches({})

    @pytest.mark.parametrize(
        ("selector", "message"),
        [
            (None, "must be a dict, not a NoneType"),
            ({"app": "api"}, "unknown field 'app': want matchLabels"),
            ({"matchLabels": ["a"]}, "matchLabels must be a dict"),
            ({"matchLabels": {"a": 1}}, "a =: value must be a string, not a int"),
            ({"matchExpressions": {"a": 1}}, "matchExpressions must be a list"),
            ({"matchExpressions": ["a"]}, r"matchExpressions\[0\] must be a dict"),
            ({"matchExpressions": [{"key": "a", "operator": "Gt"}]}, r"\[0\]\.operator must be one of In, .* 'Gt'"),
            ({"matchExpressions": [{"key": "a", "operator": "In", "values": "x"}]}, r"\[0\]\.values must be a list"),
            ({"matchExpressions": [{"key": "a", "operator": "In", "values": []}]}, "needs at least one value"),
            ({"matchExpressions": [{"key": "a", "operator": "Exists", "values": ["x"]}]}, "takes no values"),
            ({"matchExpressions": [{"operator": "Exists"}]}, "label selector: key ''"),
        ],
    )
    def test_refuses(self, selector: Any, message: str) -> None:
        with pytest.raises(InvalidRequestError, match=message):
            LabelSelector.from_dict(selector)


class TestRequirement:
    def test_a_string_is_not_its_characters(self) -> None:
        with pytest.raises(InvalidRequestError, match="not one string"):
            Requirement("a", Operator.IN, "abc")  # type: ignore[arg-type]

    def test_an_unknown_operator(self) -> None:
        with pytest.raises(InvalidRequestError, match=r"operator must be one of Operator\.EQUALS"):
            Requirement("a", "like", ("b",))  # type: ignore[arg-type]

    def test_the_operators_text_will_do(self) -> None:
        assert Requirement("a", "in", ("b",)) == Requirement("a", Operator.IN, ("b",))  # type: ignore[arg-type]

    def test_one_value(self) -> None:
        with pytest.raises(InvalidRequestError, match="takes exactly one value"):
            Requirement("a", Operator.EQUALS, ("b", "c"))


def test_validation_of_labels() -> None:
    assert validate_label_key("example.com/Name_1.x") == "example.com/Name_1.x"
    assert validate_label_value("") == ""
    for key in ("", "/a", "a/", "UP.com/a", "x" * 254 + "/a", "a\n", "-a", "a b"):
        with pytest.raises(InvalidRequestError, match="label key"):
            validate_label_key(key)
    for value in ("a/b", "-", "a\n", "x" * 64, " "):
        with pytest.raises(InvalidRequestError, match="label value"):
            validate_label_value(value)
    with pytest.raises(InvalidRequestError, match=r"metadata\.labels must be a string, not a int"):
        validate_label_value(1, "metadata.labels")  # type: ignore[arg-type]
