"""Finalizing namespaces, approving certificates, conditions of pods: as kube-apiserver 1.36.3 answered."""

from __future__ import annotations

from typing import Any

import pytest

from dynkube.testing.apiserver.subresources.certificates import ApprovalStrategy
from dynkube.testing.apiserver.subresources.podconditions import is_ready, set_condition
from dynkube.testing.apiserver.subresources.strategies import FinalizeStrategy
from dynkube.testing.apiserver.words.resources import Strategy

NOW = "2026-01-01T12:00:00Z"
THEN = "2025-01-01T12:00:00Z"


# ------------------------------------------------------------------ finalize


def namespace(*finalizers: str, phase: str = "Active") -> dict[str, Any]:
    return {"metadata": {"name": "n"}, "spec": {"finalizers": list(finalizers)}, "status": {"phase": phase}}


def test_a_namespace_is_finalized_but_for_its_status() -> None:
    obj = namespace("a.b/c", phase="Foo")
    FinalizeStrategy(Strategy()).prepare_for_update(obj, namespace("kubernetes"), "finalize")
    assert obj == namespace("a.b/c")


@pytest.mark.parametrize("finalizer", ["kubernetes", "a.b/c", "orphan"])
def test_finalizers_that_a_namespace_may_have(finalizer: str) -> None:
    assert FinalizeStrategy(Strategy()).validate_update(namespace(finalizer), namespace(), "finalize") == []


def test_finalizers_are_qualified_names() -> None:
    errors = FinalizeStrategy(Strategy()).validate_update(
        namespace("a.b/c", "bad name", "foo"), namespace(), "finalize"
    )
    assert [(each.field, each.detail.split(" (")[0]) for each in errors] == [
        (
            "spec.finalizers[1]",
            "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
            "alphanumeric character",
        ),
        ("spec.finalizers[1]", "name is neither a standard finalizer name nor is it fully qualified"),
        ("spec.finalizers[2]", "name is neither a standard finalizer name nor is it fully qualified"),
    ]


# ------------------------------------------------------------------ approval


def csr(*conditions: dict[str, Any], **status: Any) -> dict[str, Any]:
    found = status | ({"conditions": list(conditions)} if conditions else {})
    return {"metadata": {"name": "c"}, "spec": {"signerName": "a.b/c"}, "status": found}


def condition(kind: str, status: str = "True", **more: Any) -> dict[str, Any]:
    return {"type": kind, "status": status, **more}


def problems(obj: dict[str, Any], old: dict[str, Any]) -> list[str]:
    return [str(each) for each in ApprovalStrategy(Strategy(), NOW).validate_update(obj, old, "approval")]


def test_an_approval_changes_conditions_only() -> None:
    obj = csr(condition("Approved"), certificate="new") | {"spec": {"signerName": "q/w"}}
    old = csr(certificate="old")
    ApprovalStrategy(Strategy(), NOW).prepare_for_update(obj, old, "approval")
    timed = condition("Approved", lastUpdateTime=NOW, lastTransitionTime=NOW)
    assert obj == csr(timed, certificate="old")


def test_a_condition_keeps_the_time_of_its_transition() -> None:
    obj = csr(condition("Approved"), condition("Failed", "False"))
    old = csr(condition("Approved", lastTransitionTime=THEN), condition("Failed", lastTransitionTime=THEN))
    ApprovalStrategy(Strategy(), NOW).prepare_for_update(obj, old, "approval")
    assert [each["lastTransitionTime"] for each in obj["status"]["conditions"]] == [THEN, NOW]


def test_the_last_condition_may_go() -> None:
    obj = csr()
    ApprovalStrategy(Strategy(), NOW).prepare_for_update(obj, csr(condition("Foo")), "approval")
    assert obj["status"] == {}


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        (
            [condition("Denied")],
            ['status.conditions: Forbidden: updates may not remove a condition of type "Approved"'],
        ),
        (
            [condition("Approved"), condition("Approved")],
            ['status.conditions[1].type: Duplicate value: "Approved"'],
        ),
        (
            [condition("Approved"), condition("Denied")],
            ['status.conditions: Invalid value: "Denied": Approved and Denied conditions are mutually exclusive'],
        ),
        (
            [condition("Approved", "False")],
            ['status.conditions[0].status: Unsupported value: "False": supported values: "True"'],
        ),
        (
            [condition("Approved"), condition("Foo", "Bar"), {}],
            [
                'status.conditions[1].status: Unsupported value: "Bar": supported values: "False", "True", "Unknown"',
                "status.conditions[2].type: Required value",
                "status.conditions[2].status: Required value",
            ],
        ),
    ],
)
def test_what_is_wrong_with_an_approval(conditions: list[dict[str, Any]], expected: list[str]) -> None:
    assert problems(csr(*conditions), csr(condition("Approved"))) == expected


# ------------------------------------------------------------------ conditions of pods


def test_a_condition_is_added() -> None:
    status: dict[str, Any] = {}
    set_condition(status, condition("PodScheduled"), NOW)
    timed = {"lastProbeTime": None, "lastTransitionTime": NOW}
    assert status["conditions"] == [{**timed, "type": "PodScheduled", "status": "True"}]


def test_a_condition_is_replaced_where_it_stands() -> None:
    status = {"conditions": [condition("A", "False", lastTransitionTime=THEN, reason="r"), condition("B")]}
    set_condition(status, condition("A"), NOW)
    assert [each["type"] for each in status["conditions"]] == ["A", "B"]
    assert (status["conditions"][0]["lastTransitionTime"], "reason" in status["conditions"][0]) == (NOW, False)


def test_a_condition_of_the_same_status_keeps_its_time() -> None:
    status = {"conditions": [condition("A", lastTransitionTime=THEN)]}
    set_condition(status, condition("A", reason="r"), NOW)
    assert status["conditions"][0]["lastTransitionTime"] == THEN


@pytest.mark.parametrize(
    ("conditions", "ready"), [([], False), ([condition("Ready")], True), ([condition("Ready", "False")], False)]
)
def test_a_pod_is_ready_when_it_says_so(conditions: list[dict[str, Any]], ready: bool) -> None:
    assert is_ready({"status": {"conditions": conditions}}) is ready
