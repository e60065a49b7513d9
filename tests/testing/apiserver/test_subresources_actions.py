"""Evictions, bindings, tokens and reviews, where the conformance suite cannot look: clocks, refusals, bookkeeping."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import pytest
from registry_support import ADMIN, NOW, Server

from dynkube.schema import GroupResource
from dynkube.testing.apiserver.access import Refusal
from dynkube.testing.apiserver.subresources import find_action
from dynkube.testing.apiserver.words.messages import Headers, Request, UserInfo
from dynkube.testing.apiserver.words.statuses import StatusError

AUTHORIZATION, AUTHENTICATION = "authorization.k8s.io", "authentication.k8s.io"
SUCCESS = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}


@pytest.fixture
def server() -> Server:
    return Server()


def pod(server: Server, name: str = "web", phase: str = "Running", **metadata: Any) -> dict[str, Any]:
    spec = {
        "containers": [{"name": "a", "image": "b"}],
        "nodeName": "n1",
        "serviceAccountName": "robot",
        "terminationGracePeriodSeconds": 30,
    }
    status = {"phase": phase, "conditions": [{"type": "Ready", "status": "True"}]}
    obj = {"metadata": {"name": name, "labels": {"app": "e"}, **metadata}, "spec": spec, "status": status}
    return server.put("pods", obj, namespace="shop")


def refused(server: Server, call: Any, body: dict[str, Any]) -> StatusError:
    with pytest.raises(StatusError) as caught:
        server.do(call, body)
    return caught.value


def test_most_creates_store_something() -> None:
    assert find_action(GroupResource("", "pods")) is None
    assert find_action(GroupResource("apps", "deployments"), "scale") is None


# ------------------------------------------------------------------ evictions


def evict(server: Server, name: str = "web", *, dry_run: bool = False, **body: Any) -> dict[str, Any]:
    call = server.call("pods", name, "eviction", dry_run=dry_run)
    return server.do(call, {"metadata": {"name": name}, **body})


def budget(server: Server, **status: Any) -> None:
    obj = {
        "metadata": {"name": "budget", "generation": 1},
        "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "e"}}},
        "status": {"observedGeneration": 1, "currentHealthy": 2, "desiredHealthy": 1, **status},
    }
    server.put("poddisruptionbudgets", obj, "policy", namespace="shop")


def status_of_budget(server: Server) -> dict[str, Any]:
    found = server.get("poddisruptionbudgets", "budget", "policy")
    assert found is not None
    status: dict[str, Any] = found["status"]
    return status


def test_an_eviction_marks_the_pod_and_deletes_it(server: Server) -> None:
    pod(server)
    assert evict(server) == SUCCESS
    evicted = server.get("pods", "web")
    assert evicted is not None
    assert evicted["metadata"]["deletionTimestamp"] == "2026-01-01T12:00:30Z"
    assert evicted["status"]["conditions"][1] == {
        "type": "DisruptionTarget",
        "status": "True",
        "lastProbeTime": None,
        "lastTransitionTime": "2026-01-01T12:00:00Z",
        "reason": "EvictionByEvictionAPI",
        "message": "Eviction API: evicting",
    }


def test_an_eviction_makes_nobody_a_manager(server: Server) -> None:
    pod(server)
    evict(server)
    evicted = server.get("pods", "web")
    assert evicted is not None
    assert "managedFields" not in evicted["metadata"]


def test_a_dry_run_changes_nothing(server: Server) -> None:
    before = pod(server)
    budget(server, disruptionsAllowed=1)
    revision = server.store.revision
    assert evict(server, dry_run=True) == SUCCESS
    assert server.get("pods", "web") == before
    assert server.store.revision == revision


def test_a_budget_counts_down_and_remembers_when(server: Server) -> None:
    pod(server)
    budget(server, disruptionsAllowed=2)
    evict(server)
    status = status_of_budget(server)
    assert (status["disruptionsAllowed"], status["disruptedPods"]) == (1, {"web": "2026-01-01T12:00:00Z"})
    assert "conditions" not in status


def test_a_budget_that_is_used_up_keeps_the_time_of_its_condition(server: Server) -> None:
    pod(server)
    then = "2025-01-01T12:00:00Z"
    condition = {
        "type": "DisruptionAllowed",
        "status": "False",
        "lastTransitionTime": then,
        "reason": "x",
        "message": "y",
    }
    budget(server, disruptionsAllowed=1, conditions=[condition])
    evict(server)
    assert status_of_budget(server)["conditions"] == [
        {
            "type": "DisruptionAllowed",
            "status": "False",
            "observedGeneration": 1,
            "lastTransitionTime": then,
            "reason": "InsufficientPods",
            "message": "",
        }
    ]


def test_a_negative_budget_is_refused(server: Server) -> None:
    pod(server)
    budget(server, disruptionsAllowed=-1)
    error = refused(server, server.call("pods", "web", "eviction"), {"metadata": {"name": "web"}})
    assert str(error) == 'poddisruptionbudget.policy "budget" is forbidden: pdb disruptions allowed is negative'


def test_too_many_evictions_that_nobody_confirmed(server: Server) -> None:
    pod(server)
    budget(server, disruptionsAllowed=1, disruptedPods={str(number): "t" for number in range(2001)})
    error = refused(server, server.call("pods", "web", "eviction"), {"metadata": {"name": "web"}})
    assert str(error).endswith("DisruptedPods map too big - too many evictions not confirmed by PDB controller")


def test_a_pod_that_is_being_deleted_costs_nothing(server: Server) -> None:
    pod(server, deletionTimestamp="2026-01-01T12:00:30Z", deletionGracePeriodSeconds=30)
    budget(server)
    assert evict(server) == SUCCESS


def test_a_pod_that_waits_goes_at_once(server: Server) -> None:
    obj = {"metadata": {"name": "web"}, "spec": {"containers": []}, "status": {"phase": "Pending"}}
    server.put("pods", obj, namespace="shop")
    budget(server)
    assert evict(server) == SUCCESS
    assert server.get("pods", "web") is None


# ------------------------------------------------------------------ bindings


def test_a_binding_brings_the_topology_of_the_node(server: Server) -> None:
    labels = {"topology.kubernetes.io/zone": "z", "topology.kubernetes.io/region": "r", "other": "o"}
    server.put("nodes", {"metadata": {"name": "n9", "labels": labels}})
    server.put("pods", {"metadata": {"name": "web"}, "spec": {"containers": []}}, namespace="shop")
    body = {"metadata": {"name": "web"}, "target": {"kind": "Node", "name": "n9"}}
    assert server.do(server.call("pods", "web", "binding"), body) == SUCCESS
    bound = server.get("pods", "web")
    assert bound is not None
    assert bound["metadata"]["labels"] == {name: labels[name] for name in labels if name != "other"}


# ------------------------------------------------------------------ tokens


def account(server: Server) -> None:
    server.put("serviceaccounts", {"metadata": {"name": "robot"}}, namespace="shop")


def token(server: Server, **spec: Any) -> dict[str, Any]:
    return server.do(server.call("serviceaccounts", "robot", "token"), {"spec": spec})


def claims(answer: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(answer["status"]["token"].split(".")[1] + "=="))
    return found


def test_a_token_is_good_for_an_hour(server: Server) -> None:
    account(server)
    answer = token(server)
    assert answer["status"]["expirationTimestamp"] == "2026-01-01T13:00:00Z"
    assert claims(answer)["exp"] - claims(answer)["iat"] == 3600


def test_a_token_identifies_its_account_until_it_expires(server: Server) -> None:
    account(server)
    headers = Headers([("Authorization", f"Bearer {token(server, expirationSeconds=600)['status']['token']}")])
    request = Request(method="GET", path="/", headers=headers)
    assert server.access.authenticate(request).name == "system:serviceaccount:shop:robot"
    server.now += timedelta(seconds=661)
    with pytest.raises(StatusError) as caught:
        server.access.authenticate(request)
    assert caught.value.code == 401


def test_a_projected_token_of_a_pod_warns_and_lives_for_a_year(server: Server) -> None:
    account(server)
    pod(server)
    found = claims(token(server, expirationSeconds=3607, boundObjectRef={"kind": "Pod", "name": "web"}))
    start = int(NOW.timestamp())
    assert found["kubernetes.io"]["warnafter"] == start + 3607
    assert found["exp"] == start + 365 * 24 * 3600


def test_a_token_of_a_pod_knows_the_node_if_it_is_there(server: Server) -> None:
    account(server)
    pod(server)
    node = server.put("nodes", {"metadata": {"name": "n1"}})
    found = claims(token(server, boundObjectRef={"kind": "Pod", "name": "web"}))
    assert found["kubernetes.io"]["node"] == {"name": "n1", "uid": node["metadata"]["uid"]}


def test_claims_are_sorted_by_name(server: Server) -> None:
    account(server)
    assert list(claims(token(server))) == ["aud", "exp", "iat", "iss", "jti", "kubernetes.io", "nbf", "sub"]


# ------------------------------------------------------------------ reviews


def test_a_review_says_what_a_refusal_denies(server: Server) -> None:
    server.access.refusals.append(Refusal(verb="get", resource="secrets", reason="never"))
    body = {"spec": {"resourceAttributes": {"verb": "get", "resource": "secrets"}}}
    answer = server.do(server.call("selfsubjectaccessreviews", group=AUTHORIZATION), body)
    assert answer["status"] == {"allowed": False, "denied": True, "reason": "never"}


def test_who_am_i(server: Server) -> None:
    user = UserInfo("jane", ("b", "a"), "7", {"z": ("1",), "a": ("2", "3")})
    answer = server.do(server.call("selfsubjectreviews", group=AUTHENTICATION, user=user), {})
    assert answer == {
        "kind": "SelfSubjectReview",
        "apiVersion": "authentication.k8s.io/v1",
        "metadata": {"creationTimestamp": "2026-01-01T12:00:00Z"},
        "status": {
            "userInfo": {"username": "jane", "uid": "7", "groups": ["b", "a"], "extra": {"a": ["2", "3"], "z": ["1"]}}
        },
    }


def test_nothing_is_stored_by_a_review(server: Server) -> None:
    revision = server.store.revision
    server.do(server.call("selfsubjectreviews", group=AUTHENTICATION), {})
    server.do(server.call("tokenreviews", group=AUTHENTICATION), {"spec": {"token": "x"}})
    assert server.store.revision == revision


def test_the_admins_rules_are_those_of_rbac(server: Server) -> None:
    body = {"spec": {"namespace": "shop"}}
    answer = server.do(server.call("selfsubjectrulesreviews", group=AUTHORIZATION, user=ADMIN), body)
    assert answer["status"] == {"resourceRules": [], "nonResourceRules": [], "incomplete": False}
