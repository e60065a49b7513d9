"""Nobody grants what they do not hold: messages as kube-apiserver 1.36.3 gave them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from access_support import ADMIN, RBAC, Objects, access, rule

from dynkube.schema import GroupResource, GroupVersionResource
from dynkube.testing.apiserver.access import GrantCheck
from dynkube.testing.apiserver.words.messages import UserInfo
from dynkube.testing.apiserver.words.resources import Resource, Strategy
from dynkube.testing.apiserver.words.schemas import ANYTHING
from dynkube.testing.apiserver.words.statuses import StatusError

EDITOR = UserInfo("ed", ("g1", "system:authenticated"))
HELD = (
    rule("get", "pods pods/log */status"),
    {"verbs": ["get"], "nonResourceURLs": ["/metrics", "/logs/*"]},
    rule("update", "deployments", "apps", names="web"),
)


@pytest.fixture
def objects() -> Objects:
    found = Objects()
    found.grant("ed", *HELD)
    return found


def write(plural: str, obj: dict[str, Any], old: dict[str, Any] | None = None, user: UserInfo = EDITOR) -> Any:
    resource = Resource(
        gvr=GroupVersionResource(RBAC, "v1", plural),
        kind="Any",
        singular="any",
        namespaced=not plural.startswith("cluster"),
        verbs=(),
        storage_version="v1",
        strategy=Strategy(),
        load_schema=lambda: ANYTHING,
    )
    namespace = "" if plural.startswith("cluster") else "shop"
    name = obj["metadata"]["name"] if old else ""
    return SimpleNamespace(resource=resource, namespace=namespace, name=name, user=user, obj=obj, old=old)


def refused(objects: Objects, *arguments: Any, **options: Any) -> StatusError:
    with pytest.raises(StatusError) as caught:
        GrantCheck(access(objects)).admit(write(*arguments, **options))
    return caught.value


def passes(objects: Objects, *arguments: Any, **options: Any) -> bool:
    GrantCheck(access(objects)).admit(write(*arguments, **options))
    return True


def role(*rules: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    return {"metadata": {"name": "r", **metadata}, "rules": list(rules)}


def binding(name: str, kind: str = "ClusterRole") -> dict[str, Any]:
    return {"metadata": {"name": "b"}, "roleRef": {"apiGroup": RBAC, "kind": kind, "name": name}, "subjects": []}


BEGIN = (
    'roles.rbac.authorization.k8s.io "r" is forbidden: user "ed" (groups=["g1" "system:authenticated"]) is attempting to '
    "grant RBAC permissions not currently held:\n"
)


@pytest.mark.parametrize(
    ("rules", "lines"),
    [
        (
            rule("get list watch", "pods secrets"),
            '{APIGroups:[""], Resources:["pods"], Verbs:["list" "watch"]}\n'
            '{APIGroups:[""], Resources:["secrets"], Verbs:["get" "list" "watch"]}',
        ),
        (
            rule("get list", "pods", ",apps", "a b"),
            '{APIGroups:[""], Resources:["pods"], ResourceNames:["a"], Verbs:["list"]}\n'
            '{APIGroups:[""], Resources:["pods"], ResourceNames:["b"], Verbs:["list"]}\n'
            '{APIGroups:["apps"], Resources:["pods"], ResourceNames:["a"], Verbs:["get" "list"]}\n'
            '{APIGroups:["apps"], Resources:["pods"], ResourceNames:["b"], Verbs:["get" "list"]}',
        ),
        (rule("*", "*", "*"), '{APIGroups:["*"], Resources:["*"], Verbs:["*"]}'),
        (rule("update", "deployments", "apps"), '{APIGroups:["apps"], Resources:["deployments"], Verbs:["update"]}'),
        (
            rule("update", "deployments", "apps", "web api"),
            '{APIGroups:["apps"], Resources:["deployments"], ResourceNames:["api"], Verbs:["update"]}',
        ),
        (
            {"verbs": ["get", "post"], "nonResourceURLs": ["/metrics", "/logs/a", "/x/*"]},
            '{NonResourceURLs:["/logs/a"], Verbs:["post"]}\n'
            '{NonResourceURLs:["/metrics"], Verbs:["post"]}\n'
            '{NonResourceURLs:["/x/*"], Verbs:["get"]}\n'
            '{NonResourceURLs:["/x/*"], Verbs:["post"]}',
        ),
    ],
)
def test_a_role_that_grants_more_says_what_is_missing(objects: Objects, rules: dict[str, Any], lines: str) -> None:
    error = refused(objects, "roles", role(rules))
    assert error.code == 403
    assert str(error) == BEGIN + lines


@pytest.mark.parametrize(
    "rules",
    [
        rule("get", "pods"),
        rule("get", "nodes/status"),
        rule("get", "pods", names="a"),
        rule("update", "deployments", "apps", "web"),
        {"verbs": ["get"], "nonResourceURLs": ["/logs/a/b"]},
    ],
)
def test_what_is_held_may_be_granted(objects: Objects, rules: dict[str, Any]) -> None:
    assert passes(objects, "roles", role(rules))


def test_a_name_that_is_generated_is_not_in_the_message(objects: Objects) -> None:
    unnamed = {"metadata": {"generateName": "r-"}, "rules": [rule("get", "secrets")]}
    assert str(refused(objects, "roles", unnamed)).startswith("roles.rbac.authorization.k8s.io is forbidden: user")


def test_roles_that_are_not_there_are_named_as_what_is_written(objects: Objects) -> None:
    objects.binding("x", "none", {"kind": "User", "name": "ed"})
    assert str(refused(objects, "roles", role(rule("list", "secrets")))).endswith(
        '; resolution errors: [roles.rbac.authorization.k8s.io "none" not found]'
    )
    objects.binding("y", "none2", {"kind": "Group", "name": "g1"})
    assert str(refused(objects, "roles", role(rule("list", "secrets")))).endswith(
        '; resolution errors: [[roles.rbac.authorization.k8s.io "none" not found, '
        'roles.rbac.authorization.k8s.io "none2" not found]]'
    )


def test_aggregation_needs_everything(objects: Objects) -> None:
    aggregated = role() | {"aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]}}
    message = (
        'clusterroles.rbac.authorization.k8s.io "r" is forbidden: must have cluster-admin privileges to use the '
        "aggregationRule"
    )
    assert str(refused(objects, "clusterroles", aggregated)) == message
    assert str(refused(objects, "clusterroles", role(), old=aggregated)) == message


def test_masters_grant_what_they_like(objects: Objects) -> None:
    assert passes(objects, "clusterroles", role(rule("*", "*", "*")), user=ADMIN)


def test_who_may_escalate_does(objects: Objects) -> None:
    objects.grant("ed", rule("escalate", "roles", RBAC))
    assert passes(objects, "roles", role(rule("*", "*", "*")))


def test_an_update_that_changes_no_rule_is_judged_too(objects: Objects) -> None:
    old = role(rule("delete", "pods"))
    assert "not currently held" in str(
        refused(objects, "roles", role(rule("delete", "pods"), labels={"a": "b"}), old=old)
    )


@pytest.mark.parametrize(
    "change", [{"finalizers": ["a.b/c"]}, {"ownerReferences": [{"uid": "1"}]}, {"managedFields": []}]
)
def test_what_the_garbage_collector_changes_passes(objects: Objects, change: dict[str, Any]) -> None:
    assert passes(objects, "roles", role(rule("delete", "pods"), **change), old=role(rule("delete", "pods")))


# ------------------------------------------------------------------ bindings


def test_a_binding_of_more_than_one_holds(objects: Objects) -> None:
    objects.role("secrets", rule("get", "secrets"))
    assert str(refused(objects, "rolebindings", binding("secrets"))) == (
        'rolebindings.rbac.authorization.k8s.io "b" is forbidden: user "ed" (groups=["g1" "system:authenticated"]) is '
        "attempting to grant RBAC permissions not currently held:\n"
        '{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}'
    )


def test_a_binding_of_what_one_holds(objects: Objects) -> None:
    objects.role("pods", rule("get", "pods"), namespace="shop")
    assert passes(objects, "rolebindings", binding("pods", "Role"))


def test_who_may_bind_a_role_does(objects: Objects) -> None:
    objects.role("secrets", rule("get", "secrets"))
    objects.grant("ed", rule("bind", "clusterroles", RBAC, names="secrets"))
    assert passes(objects, "clusterrolebindings", binding("secrets"))


@pytest.mark.parametrize("kind", ["Role", "ClusterRole"])
def test_a_binding_to_no_role_names_the_binding(objects: Objects, kind: str) -> None:
    error = refused(objects, "rolebindings", binding("none", kind))
    assert (error.code, str(error)) == (404, 'rolebindings.rbac.authorization.k8s.io "none" not found')


def test_a_binding_to_something_else_is_a_bare_500(objects: Objects) -> None:
    error = refused(objects, "rolebindings", binding("none", "Foo"))
    assert (error.code, error.reason, str(error)) == (500, "", 'unsupported role reference kind: "Foo"')


def test_other_objects_are_not_looked_at(objects: Objects) -> None:
    other = write("roles", role(rule("*", "*", "*")))
    other.resource = SimpleNamespace(
        gvr=GroupVersionResource("", "v1", "pods"), group_resource=GroupResource("", "pods")
    )
    GrantCheck(access(objects)).admit(other)
