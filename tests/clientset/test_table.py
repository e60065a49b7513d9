"""The table of kubectl's, client-go's and dynkube's names is complete, and every call in it is one that works."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import dynkube
from dynkube.testing import APIServer

PAGE = Path(__file__).parents[2] / "docs/reference/kubectl-and-client-go.md"

# Every row of the tables in behaviour 9.1 to 9.3, by client-go's names.
ROWS = """
    Create Update UpdateStatus Delete DeleteCollection Get List Watch Patch Apply ApplyStatus
    GetScale UpdateScale ApplyScale UpdateEphemeralContainers GetEphemeralContainers UpdateResize CreateToken
    UpdateApproval TokenReviews().Create SubjectAccessReviews().Create SelfSubjectAccessReviews().Create
    SelfSubjectRulesReviews().Create SelfSubjectReviews().Create LocalSubjectAccessReviews().Create
    Pods.Bind Pods.Evict Pods.EvictV1beta1 Pods.EvictV1 Pods.GetLogs Pods.ProxyGet Services.ProxyGet Nodes.PatchStatus
    Namespaces.Finalize Events.CreateWithEventNamespace Events.UpdateWithEventNamespace Events.PatchWithEventNamespace
    Events.Search Events.GetFieldSelector Evictions.Evict Deployments.Rollback Scales.Update Secrets.Create
    ConfigMaps.Create Bindings.Create Discovery RESTClient
"""

PLACES = {
    "authentication_v1": ["tokenreviews", "selfsubjectreviews"],
    "authorization_v1": ["selfsubjectaccessreviews", "subjectaccessreviews", "selfsubjectrulesreviews"],
    "certificates_v1": ["certificatesigningrequests"],
    "core_v1": ["nodes", "namespaces"],
}
NAMESPACED = {
    "apps_v1": ["deployments", "statefulsets", "daemonsets"],
    "authorization_v1": ["localsubjectaccessreviews"],
    "core_v1": ["pods", "services", "serviceaccounts", "events", "bindings", "secrets", "configmaps"],
    "policy_v1": ["evictions"],
}


def rows() -> Iterator[list[str]]:
    for line in PAGE.read_text().splitlines():
        if line.startswith("|") and not line.startswith(("|---", "| kubectl |")):
            yield [each.strip() for each in line.strip("|").split("|")]


def quoted(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


CALLS = [call for row in rows() for call in quoted(row[2])]


@pytest.fixture(scope="module")
def names() -> Iterator[dict[str, object]]:
    with APIServer() as server, dynkube.Clientset(server.config) as clientset:
        found: dict[str, object] = {"clientset": clientset}
        for places, arguments in ((PLACES, ()), (NAMESPACED, ("default",))):
            for group, plurals in places.items():
                for plural in plurals:
                    found[plural] = getattr(getattr(clientset, group), plural)(*arguments)
        yield found


@pytest.mark.behaviour("9.1.3", "9.3.1")
def test_every_row_of_client_go_is_there() -> None:
    there = {name for row in rows() for name in quoted(row[1])}
    assert set(ROWS.split()) - there == set()


def test_every_row_has_four_cells_and_a_call() -> None:
    assert [row for row in rows() if len(row) != 4 or not quoted(row[2])] == []


@pytest.mark.parametrize("call", CALLS)
def test_every_call_is_one_that_works(call: str, names: dict[str, object]) -> None:
    """The method is there, and takes what the table gives it."""
    expression = ast.parse(call, mode="eval").body
    assert isinstance(expression, ast.Call)
    method = eval(ast.unparse(expression.func), dict(names))
    inspect.signature(method).bind(*expression.args, **{each.arg: each.value for each in expression.keywords})
