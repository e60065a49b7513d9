from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynkube.errors import InvalidRequestError
from dynkube.wire.conditions import Condition, condition_met, is_deleted, parse_condition


def deployment(*conditions: Any, generation: Any = None, observed: Any = None) -> dict[str, Any]:
    metadata = {"name": "api"} if generation is None else {"name": "api", "generation": generation}
    status = (
        {"conditions": list(conditions)}
        if observed is None
        else {
            "conditions": list(conditions),
            "observedGeneration": observed,
        }
    )
    return {"metadata": metadata, "status": status}


@pytest.mark.behaviour("8.6.1")
@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Available", Condition(name="Available")),
        ("condition=Available", Condition(name="Available", value="true")),
        ("CONDITION=Ready=False", Condition(name="Ready", value="False")),
        ("Created", Condition(name="Created")),
        ("Ready=Unknown", Condition(name="Ready", value="Unknown")),
        ("example.org/Ready=a=b", Condition(name="example.org/Ready", value="a=b")),
        ("delete", Condition(deleted=True)),
        ("Delete", Condition(deleted=True)),
    ],
)
def test_the_forms_of_kubectl_wait(text: str, wanted: Condition) -> None:
    assert parse_condition(text) == wanted
    assert parse_condition(str(wanted)) == wanted


@pytest.mark.parametrize(
    "text", ["", " ", "=True", "condition=", "Ready=", " Ready", "create", "jsonpath={.a}", 5, None]
)
def test_what_is_no_condition(text: Any) -> None:
    with pytest.raises(InvalidRequestError, match=r"condition: .*want the name of a condition"):
        parse_condition(text)


@pytest.mark.behaviour("8.6.1")
def test_name_and_value_in_any_case() -> None:
    obj = deployment({"type": "Progressing", "status": "True"}, {"type": "Available", "status": "False"})
    assert condition_met(obj, "available=FALSE")
    assert not condition_met(obj, "available")
    assert not condition_met(obj, "Ready")


@pytest.mark.behaviour("8.6.2")
@pytest.mark.parametrize(
    ("in_condition", "in_status", "met"),
    [
        (None, None, True),
        (3, None, True),
        (2, None, False),
        (None, 2, False),
        (None, 3, True),
        (3, 2, True),
        (2, 3, False),
    ],
)
def test_a_condition_observed_at_an_older_generation_does_not_count(
    in_condition: int | None, in_status: int | None, met: bool
) -> None:
    condition: dict[str, Any] = {"type": "Available", "status": "True"}
    if in_condition is not None:
        condition["observedGeneration"] = in_condition
    assert condition_met(deployment(condition, generation=3, observed=in_status), "Available") is met
    assert condition_met(deployment(condition, observed=in_status), "Available")  # no generation, no rule


@pytest.mark.behaviour("8.6.3")
def test_deleted_is_by_uid() -> None:
    obj = {"metadata": {"uid": "1"}}
    assert is_deleted(None, "")
    assert is_deleted(None, "1")
    assert is_deleted({"metadata": {"uid": "2"}}, "1")
    assert not is_deleted(obj, "1")
    assert not is_deleted(obj, "")
    assert not parse_condition("delete").met_by(obj)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.sampled_from(["Ready", "True"]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["status", "metadata", "conditions", "type", "generation"]), inner)
        ),
    )
)
def test_an_object_of_any_shape_meets_it_or_not(obj: Any) -> None:
    if isinstance(obj, dict):
        assert condition_met(obj, "Ready") in {True, False}
