"""Who may do what, by roles and bindings, and the words of a refusal: as kube-apiserver 1.36.3 answered."""

from __future__ import annotations

import pytest
from access_support import ADMIN, Objects, about, access, rule

from dynkube.testing.apiserver.access import Refusal
from dynkube.testing.apiserver.words.messages import UserInfo
from dynkube.testing.apiserver.words.statuses import StatusError

JANE = UserInfo("jane", ("developers", "system:authenticated"))
PODS = "/api/v1/namespaces/shop/pods"


def refused(objects: Objects, path: str, method: str = "GET", user: UserInfo = JANE) -> str:
    with pytest.raises(StatusError) as caught:
        access(objects).authorize(user, about(path, method))
    assert caught.value.code == 403
    assert caught.value.headers == {"X-Content-Type-Options": "nosniff"}
    return str(caught.value)


def allowed(objects: Objects, path: str, method: str = "GET", user: UserInfo = JANE) -> bool:
    return access(objects).decide(user, about(path, method)).allowed


# ------------------------------------------------------------------ words


@pytest.mark.parametrize(
    ("method", "path", "message"),
    [
        ("GET", "/api", 'forbidden: User "jane" cannot get path "/api"'),
        ("GET", "/foo/%3Cb%3E", 'forbidden: User "jane" cannot get path "/foo/&lt;b&gt;"'),
        ("FOO", "/healthz", 'forbidden: User "jane" cannot foo path "/healthz"'),
        (
            "GET",
            "/api/v1/pods",
            'pods is forbidden: User "jane" cannot list resource "pods" in API group "" at the cluster scope',
        ),
        (
            "GET",
            "/api/v1/pods?fieldSelector=metadata.name%3Dfoo".replace("%3D", "="),
            'pods "foo" is forbidden: User "jane" cannot list resource "pods" in API group "" at the cluster scope',
        ),
        (
            "GET",
            "/api/v1/pods?watch=1",
            'pods is forbidden: User "jane" cannot watch resource "pods" in API group "" at the cluster scope',
        ),
        (
            "GET",
            "/api/v1/namespaces/default/pods/a/log",
            'pods "a" is forbidden: User "jane" cannot get resource "pods/log" in API group "" in the namespace "default"',
        ),
        (
            "PUT",
            "/api/v1/namespaces/x/finalize",
            'namespaces "x" is forbidden: User "jane" cannot update resource "namespaces/finalize" in API group "" in the '
            'namespace "x"',
        ),
        (
            "GET",
            "/apis/a.b/v9/namespaces/z/foos/bar/baz/qux",
            'foos.a.b "bar" is forbidden: User "jane" cannot get resource "foos/baz" in API group "a.b" in the namespace "z"',
        ),
        (
            "OPTIONS",
            "/api/v1/pods",
            'pods is forbidden: User "jane" cannot  resource "pods" in API group "" at the cluster scope',
        ),
        (
            "DELETE",
            "/apis/apps/v1/namespaces/shop/deployments",
            'deployments.apps is forbidden: User "jane" cannot deletecollection resource "deployments" in API group "apps" '
            'in the namespace "shop"',
        ),
    ],
)
def test_a_refusal_says_who_cannot_do_what_where(method: str, path: str, message: str) -> None:
    assert refused(Objects(), path, method) == message


def test_a_refused_path_has_empty_details() -> None:
    with pytest.raises(StatusError) as caught:
        access().authorize(JANE, about("/api"))
    assert caught.value.status["details"] == {}


def test_a_binding_without_its_role_is_named_in_the_refusal() -> None:
    objects = Objects()
    objects.binding("dangling", "none", {"kind": "User", "name": "jane"})
    assert refused(objects, "/api/v1/secrets").endswith(
        'at the cluster scope: RBAC: clusterrole.rbac.authorization.k8s.io "none" not found'
    )


def test_several_such_bindings_are_listed() -> None:
    objects = Objects()
    objects.binding("a", "none", {"kind": "User", "name": "jane"})
    objects.binding("b", "none2", {"kind": "Group", "name": "developers"})
    assert refused(objects, "/api/v1/secrets").endswith(
        'RBAC: [clusterrole.rbac.authorization.k8s.io "none" not found, '
        'clusterrole.rbac.authorization.k8s.io "none2" not found]'
    )


def test_why_something_is_allowed() -> None:
    objects = Objects()
    objects.role("reader", rule("get list", "pods"))
    objects.binding("readers", "reader", {"kind": "Group", "name": "developers"})
    decision = access(objects).decide(JANE, about(PODS))
    assert decision.reason == (
        'RBAC: allowed by ClusterRoleBinding "readers" of ClusterRole "reader" to Group "developers"'
    )


def test_why_something_is_allowed_in_a_namespace() -> None:
    objects = Objects()
    objects.role("reader", rule("get list", "pods"), namespace="shop")
    subject = {"kind": "ServiceAccount", "name": "robot"}
    objects.binding("readers", "reader", subject, namespace="shop", kind="Role")
    decision = access(objects).decide(UserInfo("system:serviceaccount:shop:robot"), about(PODS))
    assert decision.reason == (
        'RBAC: allowed by RoleBinding "readers/shop" of Role "reader" to ServiceAccount "robot/shop"'
    )


# ------------------------------------------------------------------ rules


@pytest.mark.parametrize(
    ("rules", "method", "path"),
    [
        (rule("*", "*", "*"), "DELETE", "/apis/apps/v1/namespaces/shop/deployments/api/scale"),
        (rule("get", "pods/log"), "GET", f"{PODS}/a/log"),
        (rule("get", "*/log"), "GET", f"{PODS}/a/log"),
        (rule("list", "pods"), "GET", PODS),
        (rule("watch", "pods"), "GET", f"{PODS}?watch=true"),
        (rule("update", "pods", names="a b"), "PUT", f"{PODS}/b"),
        (rule("list", "pods", names="a"), "GET", f"{PODS}?fieldSelector=metadata.name=a"),
        ({"verbs": ["get"], "nonResourceURLs": ["/metrics"]}, "GET", "/metrics"),
        ({"verbs": ["get"], "nonResourceURLs": ["/logs/*"]}, "GET", "/logs/a/b"),
        ({"verbs": ["*"], "nonResourceURLs": ["*"]}, "POST", "/anything"),
    ],
)
def test_a_rule_allows(rules: dict[str, list[str]], method: str, path: str) -> None:
    objects = Objects()
    objects.grant("jane", rules)
    assert allowed(objects, path, method)


@pytest.mark.parametrize(
    ("rules", "method", "path"),
    [
        (rule("get", "pods"), "GET", PODS),
        (rule("get", "pods"), "GET", f"{PODS}/a/log"),
        (rule("get", "pods/log"), "GET", f"{PODS}/a"),
        (rule("get", "pods", "apps"), "GET", f"{PODS}/a"),
        (rule("get", "*/log"), "GET", f"{PODS}/a/status"),
        (rule("create", "pods", names="a"), "POST", PODS),
        (rule("list", "pods", names="a"), "GET", PODS),
        ({"verbs": ["get"], "nonResourceURLs": ["/logs/*"]}, "GET", "/logs"),
        ({"verbs": ["get"], "nonResourceURLs": ["/metrics"]}, "POST", "/metrics"),
        (rule("get", "metrics"), "GET", "/metrics"),
    ],
)
def test_a_rule_does_not_allow(rules: dict[str, list[str]], method: str, path: str) -> None:
    objects = Objects()
    objects.grant("jane", rules)
    assert not allowed(objects, path, method)


def test_a_role_binding_holds_in_its_namespace_only() -> None:
    objects = Objects()
    objects.grant("jane", rule("list", "pods"), namespace="shop")
    assert allowed(objects, PODS)
    assert not allowed(objects, "/api/v1/namespaces/other/pods")
    assert not allowed(objects, "/api/v1/pods")


def test_a_role_binding_may_bind_a_cluster_role() -> None:
    objects = Objects()
    objects.role("reader", rule("list", "pods"))
    objects.binding("readers", "reader", {"kind": "User", "name": "jane"}, namespace="shop")
    assert allowed(objects, PODS)
    assert not allowed(objects, "/api/v1/pods")


@pytest.mark.parametrize(
    "subject",
    [
        {"kind": "User", "name": "system:serviceaccount:shop:robot"},
        {"kind": "Group", "name": "system:serviceaccounts:shop"},
        {"kind": "ServiceAccount", "name": "robot", "namespace": "shop"},
    ],
)
def test_a_service_account_is_bound_by_any_kind_of_subject(subject: dict[str, str]) -> None:
    objects = Objects()
    objects.role("reader", rule("list", "pods"))
    objects.binding("readers", "reader", subject)
    robot = UserInfo("system:serviceaccount:shop:robot", ("system:serviceaccounts", "system:serviceaccounts:shop"))
    assert allowed(objects, PODS, user=robot)


def test_a_service_account_without_a_namespace_is_nobody_at_cluster_scope() -> None:
    objects = Objects()
    objects.role("reader", rule("list", "pods"))
    objects.binding("readers", "reader", {"kind": "ServiceAccount", "name": "robot"})
    assert not allowed(objects, PODS, user=UserInfo("system:serviceaccount::robot"))


def test_a_write_counts_at_once() -> None:
    objects = Objects()
    gate = access(objects)
    assert not gate.decide(JANE, about(PODS)).allowed
    objects.grant("jane", rule("list", "pods"))
    assert gate.decide(JANE, about(PODS)).allowed


def test_masters_may_do_anything_without_a_reason() -> None:
    decision = access().decide(ADMIN, about("/apis/a.b/v1/anything", "POST"))
    assert (decision.allowed, decision.reason) == (True, "")


def test_the_rules_of_a_user_are_listed() -> None:
    objects = Objects()
    objects.grant("jane", rule("list", "pods"), namespace="shop")
    problems: list[str] = []
    assert list(access(objects).rules(JANE, "shop", problems)) == [rule("list", "pods")]
    assert problems == []


# ------------------------------------------------------------------ refusals on demand


def test_a_refusal_stands_above_the_admin_and_gives_its_reason() -> None:
    gate = access()
    gate.refusals.append(Refusal(verb="create", resource="pods", namespace="shop", reason="not today"))
    with pytest.raises(StatusError) as caught:
        gate.authorize(ADMIN, about(PODS, "POST"))
    assert str(caught.value) == (
        'pods is forbidden: User "admin" cannot create resource "pods" in API group "" in the namespace "shop": not today'
    )
    gate.authorize(ADMIN, about(PODS))


@pytest.mark.parametrize(
    ("refusal", "method", "path"),
    [
        (Refusal(), "GET", PODS),
        (Refusal(resource="pods"), "GET", f"{PODS}/a"),
        (Refusal(resource="pods/*"), "GET", f"{PODS}/a/log"),
        (Refusal(resource=("pods/log", "secrets")), "GET", f"{PODS}/a/log"),
        (Refusal(namespace=""), "GET", "/api/v1/pods"),
        (Refusal(name="a", verb=("get", "list")), "GET", f"{PODS}/a"),
        (Refusal(group="apps"), "GET", "/apis/apps/v1/deployments"),
        (Refusal(user="admin"), "GET", PODS),
        (Refusal(path="/metrics"), "GET", "/metrics"),
    ],
)
def test_what_a_refusal_is_about(refusal: Refusal, method: str, path: str) -> None:
    assert refusal.matches(ADMIN, about(path, method))


@pytest.mark.parametrize(
    ("refusal", "method", "path"),
    [
        (Refusal(), "GET", "/metrics"),
        (Refusal(resource="pods"), "GET", f"{PODS}/a/log"),
        (Refusal(resource="pods/log"), "GET", f"{PODS}/a"),
        (Refusal(namespace=""), "GET", PODS),
        (Refusal(name="a"), "GET", f"{PODS}/b"),
        (Refusal(group=""), "GET", "/apis/apps/v1/deployments"),
        (Refusal(user="jane"), "GET", PODS),
        (Refusal(path="/metrics"), "GET", PODS),
    ],
)
def test_what_a_refusal_is_not_about(refusal: Refusal, method: str, path: str) -> None:
    assert not refusal.matches(ADMIN, about(path, method))
