"""Who asks, as whom, and may they: credentials, impersonation, RBAC and the reviews, on both servers."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import pytest
from both import Both, Side
from identities import acting_as, grant, without_certificate

AUTHENTICATION, AUTHORIZATION = "/apis/authentication.k8s.io/v1", "/apis/authorization.k8s.io/v1"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
WHOAMI = f"{AUTHENTICATION}/selfsubjectreviews"
REVIEW = f"{AUTHORIZATION}/subjectaccessreviews"
PODS = {"verbs": ["get", "list"], "apiGroups": [""], "resources": ["pods"]}


def message(answer: Any) -> str:
    return str(answer.json()["message"])


def pods_of(both: Both) -> str:
    return f"/api/v1/namespaces/{both.namespace}/pods"


# ------------------------------------------------------------------ without credentials


@pytest.mark.parametrize("path", ["/version", "/healthz", "/livez", "/readyz"])
def test_what_everybody_may_see(both: Both, path: str) -> None:
    assert without_certificate(both).get(path).status == 200


@pytest.mark.parametrize("path", ["/", "/api", "/apis", "/openapi/v3", "/metrics", "/foo/%3Cb%3E?x=1"])
def test_paths_that_nobody_may_see(both: Both, path: str) -> None:
    answer = without_certificate(both).get(path)
    assert (answer.status, answer.json()["details"]) == (403, {})


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/pods",
        "/api/v1/pods?watch=1&limit=abc",
        "/api/v1/pods?fieldSelector=metadata.name%3Dfoo",
        "/api/v1/namespaces/",
        "/api/v1/namespaces/default/pods/a/log",
        "/api/v1/nosuch/x",
        "/apis/a.b/v9/namespaces/z/foos/bar/baz/qux",
    ],
)
def test_resources_that_nobody_may_see(both: Both, path: str) -> None:
    answer = without_certificate(both).get(path)
    assert answer.status == 403
    assert 'User "system:anonymous" cannot ' in message(answer)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_what_nobody_may_do(both: Both, method: str) -> None:
    assert without_certificate(both).request(method, "/api/v1/namespaces/x/configmaps").status == 403


@pytest.mark.parametrize("accept", ["text/html", "application/yaml", "application/json;as=Table;g=meta.k8s.io;v=v1"])
def test_a_refusal_in_what_the_client_accepts(both: Both, accept: str) -> None:
    assert without_certificate(both).get("/api/v1/pods", headers={"Accept": accept}).status == 403


def test_a_path_without_a_resource(both: Both) -> None:
    assert without_certificate(both).get("/api/v1/watch").status == 500


# ------------------------------------------------------------------ credentials


@pytest.mark.parametrize("path", ["/api/v1/pods", "/version", "/nowhere"])
def test_a_wrong_token(both: Both, path: str) -> None:
    answer = without_certificate(both, lambda _: "wrong").get(path)
    assert (answer.status, message(answer)) == (401, "Unauthorized")


@pytest.mark.parametrize("value", ["Basic eDp5", "Bearer", "Bearer  x", "Nonsense x", "bearer"])
def test_what_is_no_credential(both: Both, value: str) -> None:
    assert without_certificate(both).get("/version", headers={"Authorization": value}).status == 200


def test_a_certificate_counts_before_a_token(both: Both) -> None:
    assert both.get("/api/v1/namespaces/default", headers={"Authorization": "Bearer wrong"}).status == 200


def test_who_the_admin_is(both: Both) -> None:
    info = both.post(WHOAMI, {}, mask=without_fingerprints).json()["status"]["userInfo"]
    assert (info["username"], info["groups"]) == ("admin", ["system:masters", "system:authenticated"])


def without_fingerprints(document: Any) -> Any:
    extra = document["status"]["userInfo"]["extra"]
    extra["authentication.kubernetes.io/credential-id"] = [
        each.partition("=")[0] for each in extra["authentication.kubernetes.io/credential-id"]
    ]
    return document


def new_token(both: Both, **spec: Any) -> str:
    """A service account ``robot``, and the path of its tokens; `token_of` a side is the last."""
    path = f"/api/v1/namespaces/{both.namespace}/serviceaccounts"
    both.post(path, {"metadata": {"name": "robot"}}, compare=False)
    both.post(f"{path}/robot/token", {"spec": spec}, compare=False)
    return path


def token_of(side: Side) -> str:
    return str(side.last.json()["status"]["token"])


def test_a_service_account_by_its_token(both: Both) -> None:
    new_token(both)
    robot = without_certificate(both, token_of)
    answer = robot.post(WHOAMI, {})
    info = answer.json()["status"]["userInfo"]
    assert info["username"] == f"system:serviceaccount:{both.namespace}:robot"
    assert list(info["extra"]) == ["authentication.kubernetes.io/credential-id"]


def test_a_service_account_may_do_nothing(both: Both) -> None:
    new_token(both)
    assert without_certificate(both, token_of).get(pods_of(both)).status == 403


def test_a_token_for_others_is_none_for_the_server(both: Both) -> None:
    new_token(both, audiences=["elsewhere"])
    assert without_certificate(both, token_of).get("/version").status == 401


def test_a_token_whose_account_is_gone(both: Both) -> None:
    path = new_token(both)
    robot = without_certificate(both, token_of)
    both.delete(f"{path}/robot", compare=False)
    assert robot.get("/version").status == 401


# ------------------------------------------------------------------ impersonation


@pytest.mark.parametrize(
    "headers",
    [
        {"Impersonate-Group": "g1"},
        {"Impersonate-Uid": "u1"},
        {"Impersonate-Extra-Foo": 'a"', "Impersonate-Extra-B%2Fc": "b"},
        {"Impersonate-User": "", "Impersonate-Group": "g"},
    ],
)
def test_acting_as_nobody(both: Both, headers: dict[str, str]) -> None:
    answer = both.get("/api/v1/namespaces", headers=headers)
    assert answer.status == 400
    assert message(answer).endswith("without impersonating a user name")


@pytest.mark.parametrize(
    "headers",
    [
        {"Impersonate-User": "jane"},
        {"Impersonate-User": "jane", "Impersonate-Group": "developers", "Impersonate-Uid": "7"},
        {"Impersonate-User": "jane", "Impersonate-Group": "system:masters"},
        {"Impersonate-User": "jane", "Impersonate-Extra-Example.org%2FScope%25": "one"},
        {"Impersonate-User": "jane", "Impersonate-Extra-": ""},
        {"Impersonate-User": "system:serviceaccount:shop:robot"},
        {"Impersonate-User": "system:serviceaccount:shop:robot", "Impersonate-Group": "g"},
        {"Impersonate-User": "system:serviceaccount:shop:robot:more"},
    ],
)
def test_whom_one_becomes(both: Both, headers: dict[str, str]) -> None:
    info = both.post(WHOAMI, {}, headers=headers).json()["status"]["userInfo"]
    assert info["username"] == headers["Impersonate-User"]
    assert info["groups"][-1] == "system:authenticated"


@pytest.mark.parametrize("group", ["", "x"])
def test_acting_as_anonymous(both: Both, group: str) -> None:
    headers = {"Impersonate-User": "system:anonymous"} | ({"Impersonate-Group": group} if group else {})
    assert both.post(WHOAMI, {}, headers=headers).status == 403


def test_a_mode_of_before_does_not_make_a_node_of_a_node(both: Both) -> None:
    node = both.unique
    both.post(WHOAMI, {}, headers=acting_as("system:serviceaccount:shop:robot", "g"))
    info = both.post(WHOAMI, {}, headers=acting_as(f"system:node:{node}")).json()["status"]["userInfo"]
    assert info["groups"] == ["system:authenticated"]


@pytest.mark.parametrize("wanted", ["jane", "system:node:n1", "system:serviceaccount:shop:robot"])
def test_who_may_not_act_as_somebody(both: Both, wanted: str) -> None:
    new_token(both)
    robot = without_certificate(both, token_of)
    answer = robot.get(pods_of(both), headers=acting_as(wanted))
    assert answer.status == 403
    assert "cannot impersonate-on:" in message(answer)


def test_who_may_act_as_one_user(both: Both) -> None:
    new_token(both)
    robot = without_certificate(both, token_of)
    user = f"system:serviceaccount:{both.namespace}:robot"
    grant(both, user, {"verbs": ["impersonate"], "apiGroups": [""], "resources": ["users"], "resourceNames": ["jane"]})
    assert robot.post(WHOAMI, {}, headers=acting_as("jane")).json()["status"]["userInfo"]["username"] == "jane"
    assert "cannot impersonate resource" in message(robot.post(WHOAMI, {}, headers=acting_as("bob")))
    assert robot.post(WHOAMI, {}, headers=acting_as("jane", "admins")).status == 403


def test_constrained_impersonation(both: Both) -> None:
    new_token(both)
    robot = without_certificate(both, token_of)
    user = f"system:serviceaccount:{both.namespace}:robot"
    group = "authentication.k8s.io"
    grant(
        both,
        user,
        {"verbs": ["impersonate-on:user-info:create"], "apiGroups": [group], "resources": ["selfsubjectreviews"]},
    )
    assert "impersonate:user-info resource" in message(robot.post(WHOAMI, {}, headers=acting_as("jane")))
    grant(both, user, {"verbs": ["impersonate:user-info"], "apiGroups": [group], "resources": ["users", "groups"]})
    assert robot.post(WHOAMI, {}, headers=acting_as("jane", "developers")).status == 201
    refused = robot.post(WHOAMI, {}, headers=acting_as("jane", "system:masters"))
    assert message(refused).endswith("impersonating the system:masters group is not allowed")
    assert robot.get(pods_of(both), headers=acting_as("jane")).status == 403


# ------------------------------------------------------------------ roles and bindings


def test_a_role_in_a_namespace(both: Both) -> None:
    user, path = both.unique, pods_of(both)
    grant(both, user, PODS, namespace=both.namespace)
    assert both.get(path, headers=acting_as(user), mask=lambda _: None).status == 200
    assert both.get("/api/v1/pods", headers=acting_as(user)).status == 403
    assert both.post(path, {"metadata": {"name": "a"}}, headers=acting_as(user)).status == 403
    assert both.get(f"{path}/a/log", headers=acting_as(user)).status == 403
    assert both.get(f"{path}?watch=1", headers=acting_as(user)).status == 403


def test_a_cluster_role_with_wildcards(both: Both) -> None:
    user = both.unique
    grant(both, user, {"verbs": ["*"], "apiGroups": ["apps"], "resources": ["*/scale"]})
    path = f"/apis/apps/v1/namespaces/{both.namespace}/deployments/none"
    assert both.get(f"{path}/scale", headers=acting_as(user)).status == 404
    assert both.get(path, headers=acting_as(user)).status == 403


def test_names_of_resources(both: Both) -> None:
    user = both.unique
    path = f"/api/v1/namespaces/{both.namespace}/configmaps"
    rule = {"verbs": ["get", "list"], "apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["one"]}
    grant(both, user, rule)
    assert both.get(f"{path}/one", headers=acting_as(user)).status == 404
    assert both.get(f"{path}/two", headers=acting_as(user)).status == 403
    assert both.get(path, headers=acting_as(user)).status == 403
    assert both.get(f"{path}?fieldSelector=metadata.name%3Done", headers=acting_as(user)).status == 200


def test_paths_that_are_no_resources(both: Both) -> None:
    user = both.unique
    grant(both, user, {"verbs": ["get"], "nonResourceURLs": ["/nowhere/*"]})
    headers = acting_as(user)
    assert both.get("/nowhere/at/all", headers=headers).status == 404
    assert both.get("/nowhere", headers=headers).status == 403
    assert both.post("/nowhere/at/all", {}, headers=headers).status == 403


def test_a_binding_without_a_role_shows_in_refusals(both: Both) -> None:
    user = both.unique
    grant(both, user, PODS, namespace=both.namespace)
    subject = {"kind": "User", "name": user, "apiGroup": "rbac.authorization.k8s.io"}
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": f"{user}-none"}
    body = {"metadata": {"name": user}, "roleRef": reference, "subjects": [subject]}
    assert both.post(f"{RBAC}/clusterrolebindings", body).status == 201
    grant(both, user, {"verbs": ["get"], "apiGroups": [""], "resources": ["secrets"]}, namespace=both.namespace)
    answer = both.get("/api/v1/pods", headers=acting_as(user))
    assert message(answer).endswith(f': RBAC: clusterrole.rbac.authorization.k8s.io "{user}-none" not found')


# ------------------------------------------------------------------ nobody grants what they do not hold

EDITOR = (
    {
        "verbs": ["get", "create", "patch"],
        "apiGroups": ["rbac.authorization.k8s.io"],
        "resources": ["roles", "rolebindings", "clusterroles", "clusterrolebindings"],
    },
    {"verbs": ["get"], "apiGroups": [""], "resources": ["pods", "*/status"]},
    {"verbs": ["update"], "apiGroups": ["apps"], "resources": ["deployments"], "resourceNames": ["web"]},
)


@pytest.fixture
def editor(both: Both) -> str:
    user = both.unique
    grant(both, user, *EDITOR)
    return user


@pytest.mark.parametrize(
    "rule",
    [
        {"verbs": ["get", "list", "watch"], "apiGroups": ["", "apps"], "resources": ["pods", "secrets"]},
        {"verbs": ["get", "list"], "apiGroups": [""], "resources": ["pods"], "resourceNames": ["a", "b"]},
        {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]},
        {"verbs": ["update"], "apiGroups": ["apps"], "resources": ["deployments"], "resourceNames": ["web", "api"]},
    ],
)
def test_a_role_that_grants_more_than_its_writer_holds(both: Both, editor: str, rule: dict[str, Any]) -> None:
    body = {"metadata": {"name": "granting"}, "rules": [rule]}
    answer = both.post(f"{RBAC}/namespaces/{both.namespace}/roles", body, headers=acting_as(editor, "g1"))
    assert answer.status == 403
    assert "is attempting to grant RBAC permissions not currently held:\n{APIGroups:" in message(answer)


@pytest.mark.parametrize(
    "rule",
    [
        {"verbs": ["get"], "apiGroups": [""], "resources": ["pods", "nodes/status"]},
        {"verbs": ["update"], "apiGroups": ["apps"], "resources": ["deployments"], "resourceNames": ["web"]},
    ],
)
def test_a_role_that_grants_what_its_writer_holds(both: Both, editor: str, rule: dict[str, Any]) -> None:
    body = {"metadata": {"name": "granting"}, "rules": [rule]}
    assert both.post(f"{RBAC}/namespaces/{both.namespace}/roles", body, headers=acting_as(editor)).status == 201


def test_a_cluster_role_of_paths_and_of_others(both: Both, editor: str) -> None:
    paths = {
        "metadata": {"name": both.unique},
        "rules": [{"verbs": ["get", "post"], "nonResourceURLs": ["/x", "/y/*"]}],
    }
    assert both.post(f"{RBAC}/clusterroles", paths, headers=acting_as(editor)).status == 403
    selector = {"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]}
    others = {"metadata": {"generateName": "x-"}, "aggregationRule": selector, "rules": []}
    answer = both.post(f"{RBAC}/clusterroles", others, headers=acting_as(editor))
    assert message(answer).endswith("must have cluster-admin privileges to use the aggregationRule")


def test_a_change_of_a_role_that_grants_more(both: Both, editor: str) -> None:
    path = f"{RBAC}/namespaces/{both.namespace}/roles"
    rule = {"verbs": ["delete"], "apiGroups": [""], "resources": ["pods"]}
    both.post(path, {"metadata": {"name": "more"}, "rules": [rule]})
    labelled = both.patch(f"{path}/more", {"metadata": {"labels": {"a": "b"}}}, headers=acting_as(editor))
    assert labelled.status == 403
    held = both.patch(f"{path}/more", {"metadata": {"finalizers": ["a.b/c"]}}, headers=acting_as(editor))
    assert held.status == 200


@pytest.mark.parametrize("kind", ["Role", "ClusterRole", "Foo"])
def test_a_binding_to_what_is_not_there(both: Both, editor: str, kind: str) -> None:
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": "nosuch"}
    body = {"metadata": {"name": "b"}, "roleRef": reference, "subjects": []}
    path = f"{RBAC}/namespaces/{both.namespace}/rolebindings"
    assert both.post(path, body, headers=acting_as(editor)).status == (500 if kind == "Foo" else 404)


def test_a_binding_to_more_than_its_writer_holds(both: Both, editor: str) -> None:
    body = {"metadata": {"name": both.unique}, "roleRef": {"kind": "ClusterRole", "name": "cluster-admin"}}
    answer = both.post(f"{RBAC}/clusterrolebindings", body, headers=acting_as(editor))
    assert message(answer).endswith(
        '{APIGroups:["*"], Resources:["*"], Verbs:["*"]}\n{NonResourceURLs:["*"], Verbs:["*"]}'
    )


def test_who_may_bind_or_escalate(both: Both, editor: str) -> None:
    group = "rbac.authorization.k8s.io"
    grant(
        both,
        editor,
        {"verbs": ["bind"], "apiGroups": [group], "resources": ["clusterroles"], "resourceNames": ["edit"]},
    )
    body = {"metadata": {"name": "b"}, "roleRef": {"kind": "ClusterRole", "name": "edit"}, "subjects": []}
    path = f"{RBAC}/namespaces/{both.namespace}"
    assert both.post(f"{path}/rolebindings", body, headers=acting_as(editor)).status == 201
    grant(both, editor, {"verbs": ["escalate"], "apiGroups": [group], "resources": ["roles"]}, namespace=both.namespace)
    everything = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}
    role = {"metadata": {"name": "all"}, "rules": [everything]}
    assert both.post(f"{path}/roles", role, headers=acting_as(editor)).status == 201


# ------------------------------------------------------------------ reviews of access

ASKED = {"verb": "get", "resource": "pods"}


@pytest.mark.parametrize(
    "spec",
    [
        {"user": "bob", "resourceAttributes": {**ASKED, "namespace": "default"}},
        {"user": "bob", "groups": ["system:authenticated"], "nonResourceAttributes": {"verb": "get", "path": "/api"}},
        {"groups": ["system:masters"], "nonResourceAttributes": {"verb": "get", "path": "/api"}},
        {"user": "system:kube-scheduler", "resourceAttributes": ASKED},
        {"user": "bob", "uid": "1", "extra": {"a": ["b"]}, "resourceAttributes": {**ASKED, "subresource": "log", "name": "x", "version": "v1"}},
        {"user": "bob", "resourceAttributes": {**ASKED, "fieldSelector": {"rawSelector": "a=b"}}},
        {"user": "bob", "resourceAttributes": {**ASKED, "fieldSelector": {"rawSelector": "a)(b"}, "labelSelector": {"rawSelector": "a)(b"}}},
        {"user": "bob", "resourceAttributes": {**ASKED, "fieldSelector": {"requirements": [{"key": "a", "operator": "Foo", "values": ["b"]}, {"key": "a", "operator": "In", "values": ["b"]}]}}},
        {"user": "bob", "resourceAttributes": {**ASKED, "labelSelector": {"requirements": [{"key": "a", "operator": "Foo"}]}}},
    ],
)  # fmt: skip
def test_may_they(both: Both, spec: dict[str, Any]) -> None:
    assert both.post(REVIEW, {"spec": spec}).status == 201


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"spec": {"resourceAttributes": ASKED}},
        {"spec": {"user": "bob"}},
        {"spec": {"user": "bob", "resourceAttributes": ASKED, "nonResourceAttributes": {"path": "/x", "verb": "get"}}},
        {"spec": {"user": "bob", "resourceAttributes": ASKED}, "metadata": {"name": "x", "labels": {"a": "b"}}},
        {"spec": {"user": "bob", "resourceAttributes": {**ASKED, "fieldSelector": {}}}},
        {"spec": {"user": "bob", "resourceAttributes": {**ASKED, "fieldSelector": {"rawSelector": "a=b", "requirements": [{"key": "", "operator": "In"}, {"key": "a", "operator": "Exists", "values": ["b"]}]}}}},
        {"spec": {"user": "bob", "resourceAttributes": {**ASKED, "labelSelector": {"requirements": [{"key": "a b", "operator": "In", "values": ["-"]}, {"key": "c", "operator": "NotIn"}]}}}},
    ],
)  # fmt: skip
def test_questions_that_make_no_sense(both: Both, body: dict[str, Any]) -> None:
    answer = both.post(REVIEW, body)
    assert answer.status == 422
    assert message(answer).startswith('.authorization.k8s.io "" is invalid: ')


def test_may_i(both: Both) -> None:
    path = f"{AUTHORIZATION}/selfsubjectaccessreviews"
    assert both.post(path, {"spec": {"resourceAttributes": ASKED}}).json()["status"] == {"allowed": True}
    refused = both.post(path, {"spec": {"resourceAttributes": ASKED}}, headers=acting_as(both.unique))
    assert refused.json()["status"] == {"allowed": False}
    assert both.post(path, {"spec": {}}).status == 422
    assert both.post(path, {"spec": {"resourceAttributes": {}}}).status == 201


def test_may_they_in_a_namespace(both: Both) -> None:
    path = f"{AUTHORIZATION}/namespaces/{both.namespace}/localsubjectaccessreviews"
    asked = {"user": "bob", "resourceAttributes": {**ASKED, "namespace": both.namespace}}
    assert both.post(path, {"spec": asked}).json()["metadata"]["namespace"] == both.namespace
    assert both.post(path, {"spec": {"user": "bob", "resourceAttributes": ASKED}}).status == 422
    elsewhere = {"user": "bob", "nonResourceAttributes": {"path": "/", "verb": "get"}}
    assert both.post(path, {"metadata": {"name": "f"}, "spec": elsewhere}).status == 422
    assert both.post(path, {"metadata": {"namespace": "zz"}, "spec": asked}).status == 400


def test_a_question_about_a_namespace_that_is_not_there(both: Both) -> None:
    asked = {"user": "bob", "resourceAttributes": {**ASKED, "namespace": "none"}}
    assert both.post(f"{AUTHORIZATION}/namespaces/none/localsubjectaccessreviews", {"spec": asked}).status == 201


def in_order(document: Any) -> Any:
    """The real server finds bindings in no order."""
    for field in ("resourceRules", "nonResourceRules"):
        document["status"][field].sort(key=str)
    return document


def test_what_may_i(both: Both) -> None:
    path = f"{AUTHORIZATION}/selfsubjectrulesreviews"
    user = both.unique
    grant(both, user, PODS, namespace=both.namespace)
    body = {"spec": {"namespace": both.namespace}}
    status = both.post(path, body, headers=acting_as(user), mask=in_order).json()["status"]
    assert {"verbs": ["get", "list"], "apiGroups": [""], "resources": ["pods"]} in status["resourceRules"]
    assert both.post(path, {"spec": {"namespace": "none"}}, headers=acting_as(user), mask=in_order).status == 201
    assert both.post(path, body, mask=in_order).status == 201
    assert both.post(path, {"spec": {}}).status == 400


# ------------------------------------------------------------------ reviews of tokens

TOKENS = f"{AUTHENTICATION}/tokenreviews"


def without_token(document: Any) -> Any:
    document["spec"]["token"] = "<token>"
    return document


def test_whose_token_is_this(both: Both) -> None:
    new_token(both, audiences=["x", "y"])
    tokens = {side.name: token_of(side) for side in both.sides}
    for audiences in ([], ["y", "x", "z"], ["z"]):
        body = {"audiences": audiences} if audiences else {}
        answer = both.post(
            TOKENS, lambda side, body=body: {"spec": {"token": tokens[side.name], **body}}, mask=without_token
        )
        assert answer.status == 201
    assert "is invalid for the target audiences" in answer.json()["status"]["error"]


@pytest.mark.parametrize("token", ["bad", "a b", " b", "a.b.c", "e30.e30.e30"])
def test_nobodys_token(both: Both, token: str) -> None:
    assert both.post(TOKENS, {"spec": {"token": token}}).status == 201


def test_a_forged_token(both: Both) -> None:
    new_token(both)
    tokens = {side.name: token_of(side)[:-4] + "AAAA" for side in both.sides}
    answer = both.post(TOKENS, lambda side: {"spec": {"token": tokens[side.name]}}, mask=without_token)
    assert (
        answer.json()["status"]["error"] == "[invalid bearer token, go-jose/go-jose: error in cryptographic primitive]"
    )


def test_a_review_without_a_token(both: Both) -> None:
    assert both.post(TOKENS, {"metadata": {"name": "x"}, "spec": {}}).status == 400


@pytest.mark.parametrize("path", [WHOAMI, TOKENS, REVIEW])
def test_reviews_are_only_created(both: Both, path: str) -> None:
    assert both.get(path).status == 405
    assert both.get(f"{path}/x").status == 404
    assert both.delete(path).status == 405


@pytest.mark.parametrize("path", [WHOAMI, REVIEW])
def test_reviews_are_no_tables(both: Both, path: str) -> None:
    body = {"spec": {"user": "bob", "resourceAttributes": ASKED}} if path == REVIEW else {}
    headers = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
    assert both.post(path, body, headers=headers).status == 406


@pytest.mark.parametrize(
    "body",
    [
        {"apiVersion": "v1", "kind": "Pod"},
        {"apiVersion": "authentication.k8s.io/v1beta1", "kind": "SelfSubjectReview"},
        {"apiVersion": "nonsense/v1", "kind": "SelfSubjectReview"},
    ],
)
def test_a_review_of_another_kind(both: Both, body: dict[str, Any]) -> None:
    assert both.post(WHOAMI, body).status == 400


# ------------------------------------------------------------------ how others check tokens

CONFIGURATION, KEYS = "/.well-known/openid-configuration", "/openid/v1/jwks"
KEY_SET = {"Accept": "application/jwk-set+json"}


def without_address(document: Any) -> Any:
    if "jwks_uri" in document:
        document["jwks_uri"] = re.sub(r":\d+/", ":<port>/", document["jwks_uri"])
    for key in document.get("keys", ()):
        key.update(dict.fromkeys(("kid", "x", "y"), "<key>"))
    return document


def test_the_issuer(both: Both) -> None:
    found = both.get(CONFIGURATION, mask=without_address)
    assert (found.json()["issuer"], found.headers["Cache-Control"]) == (
        "https://kubernetes.default.svc.cluster.local",
        "public, max-age=3600",
    )


def test_the_keys(both: Both) -> None:
    found = both.get(KEYS, headers=KEY_SET, mask=without_address).json()["keys"]
    new_token(both)
    header = token_of(both.sides[0]).split(".")[0]
    assert found[0]["kid"] == json.loads(base64.urlsafe_b64decode(header + "=="))["kid"]


@pytest.mark.parametrize("path", [CONFIGURATION, KEYS])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_documents_are_read(both: Both, method: str, path: str) -> None:
    assert both.request(method, path, headers=KEY_SET).status == 405


@pytest.mark.parametrize(
    ("path", "code"),
    [(KEYS, 406), (f"{KEYS}/", 406), (f"{KEYS}/x", 404), (f"{CONFIGURATION}/x", 404), ("/openid/v1", 404),
     ("/.well-known", 404)],
)  # fmt: skip
def test_beside_the_documents(both: Both, path: str, code: int) -> None:
    assert both.get(path).status == code
