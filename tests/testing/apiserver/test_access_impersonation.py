"""Acting as somebody else: who may, as whom, and the words of a refusal (kube-apiserver 1.36.3)."""

from __future__ import annotations

import pytest
from access_support import ADMIN, Objects, access, request, rule

from dynkube.testing.apiserver.access import Access
from dynkube.testing.apiserver.words.messages import UserInfo
from dynkube.testing.apiserver.words.requestinfo import request_info
from dynkube.testing.apiserver.words.statuses import StatusError

PODS = "/api/v1/namespaces/shop/pods"
PLAIN = UserInfo("plain", ("system:authenticated",))
AUTHENTICATION = "authentication.k8s.io"
USER, GROUP, UID = "Impersonate-User", "Impersonate-Group", "Impersonate-Uid"


def acting(gate: Access, *headers: tuple[str, str], user: UserInfo = ADMIN) -> UserInfo:
    sent = request(PODS, *headers)
    return gate.impersonate(user, sent, request_info(sent))


def refused(gate: Access, *headers: tuple[str, str], user: UserInfo = PLAIN) -> str:
    with pytest.raises(StatusError) as caught:
        acting(gate, *headers, user=user)
    return str(caught.value)


def test_without_headers_one_stays_who_one_is() -> None:
    assert acting(access()) is ADMIN


# ------------------------------------------------------------------ as whom


def test_a_user_is_in_the_group_of_all_who_are_known() -> None:
    assert acting(access(), (USER, "jane")) == UserInfo("jane", ("system:authenticated",))


def test_a_uid_and_groups_in_their_order() -> None:
    user = acting(access(), (USER, "jane"), (UID, "7"), (GROUP, "b,c"), (GROUP, "a"))
    assert user == UserInfo("jane", ("b,c", "a", "system:authenticated"), "7")


def test_extra_keys_are_unescaped_and_lower_case() -> None:
    headers = [("Impersonate-Extra-Foo", "a"), ("impersonate-extra-foo", "b"), ("Impersonate-Extra-A%2Fb", "1")]
    assert acting(access(), (USER, "jane"), *headers).extra == {"foo": ["a", "b"], "a/b": ["1"]}


def test_an_extra_key_that_is_not_escaped_stays() -> None:
    assert acting(access(), (USER, "jane"), ("Impersonate-Extra-X%ZZ", "1")).extra == {"x%zz": ["1"]}


def test_the_first_of_several_users() -> None:
    assert acting(access(), (USER, "jane"), (USER, "bob")).name == "jane"


def test_nobody() -> None:
    assert acting(access(), (USER, "system:anonymous"), (GROUP, "x")).groups == ("x", "system:unauthenticated")


def test_who_is_unauthenticated_is_not_authenticated() -> None:
    assert acting(access(), (USER, "jane"), (GROUP, "system:unauthenticated")).groups == ("system:unauthenticated",)


def test_a_service_account_has_its_groups() -> None:
    assert acting(access(), (USER, "system:serviceaccount:shop:robot")).groups == (
        "system:serviceaccounts",
        "system:serviceaccounts:shop",
        "system:authenticated",
    )


def test_a_service_account_with_groups_has_only_these() -> None:
    assert acting(access(), (USER, "system:serviceaccount:shop:robot"), (GROUP, "g")).groups == (
        "g",
        "system:authenticated",
    )


def test_a_node_is_in_the_group_of_nodes() -> None:
    assert acting(access(), (USER, "system:node:n1")).groups == ("system:nodes", "system:authenticated")


def test_a_node_is_not_when_the_mode_from_before_succeeded_last() -> None:
    gate = access()
    acting(gate, (USER, "system:serviceaccount:shop:robot"), (GROUP, "g"))  # only that mode allows groups
    assert acting(gate, (USER, "system:node:n1")).groups == ("system:authenticated",)


# ------------------------------------------------------------------ incomplete headers


@pytest.mark.parametrize(
    ("headers", "shown"),
    [
        ([(GROUP, "g1"), (GROUP, "g2")], 'Groups:[]string{"g1", "g2"}, Extra:map[string][]string(nil)'),
        ([(UID, "u1")], "Groups:[]string(nil), Extra:map[string][]string(nil)"),
        (
            [("Impersonate-Extra-Foo", "a"), ("Impersonate-Extra-Bar", 'b"')],
            'Groups:[]string(nil), Extra:map[string][]string{"bar":[]string{"b\\""}, "foo":[]string{"a"}}',
        ),
        ([(USER, ""), (GROUP, "g")], 'Groups:[]string{"g"}, Extra:map[string][]string(nil)'),
    ],
)
def test_headers_without_a_user(headers: list[tuple[str, str]], shown: str) -> None:
    uid = "u1" if (UID, "u1") in headers else ""
    with pytest.raises(StatusError) as caught:
        acting(access(), *headers)
    assert caught.value.code == 400
    assert str(caught.value) == (
        f'requested &user.DefaultInfo{{Name:"", UID:"{uid}", {shown}}} without impersonating a user name'
    )


# ------------------------------------------------------------------ who may


def test_who_may_not_is_told_what_the_first_mode_asks() -> None:
    assert refused(access(), (USER, "jane")) == (
        'pods is forbidden: User "plain" cannot impersonate-on:user-info:list resource "pods" in API group "" in the '
        'namespace "shop"'
    )


def test_the_first_mode_depends_on_whom_one_wants_to_be() -> None:
    assert "impersonate-on:arbitrary-node:list" in refused(access(), (USER, "system:node:n1"))
    assert "impersonate-on:serviceaccount:list" in refused(access(), (USER, "system:serviceaccount:shop:robot"))
    with_groups = refused(access(), (USER, "system:serviceaccount:shop:robot"), (GROUP, "g"))
    assert with_groups == (
        'serviceaccounts "robot" is forbidden: User "plain" cannot impersonate resource "serviceaccounts" in API group "" '
        'in the namespace "shop"'
    )


def granted(*rules: dict[str, list[str]], user: str = "plain") -> Access:
    objects = Objects()
    objects.grant(user, *rules)
    return access(objects)


def test_the_verb_impersonate_suffices() -> None:
    gate = granted(rule("impersonate", "users groups", names="jane developers"))
    assert acting(gate, (USER, "jane"), (GROUP, "developers"), user=PLAIN).name == "jane"
    assert "impersonate-on:user-info" not in refused(gate, (USER, "jane"), (GROUP, "admins"))


def test_after_a_success_that_mode_words_the_refusals() -> None:
    gate = granted(rule("impersonate", "users", names="jane"))
    acting(gate, (USER, "jane"), user=PLAIN)
    assert refused(gate, (USER, "bob")) == (
        'users "bob" is forbidden: User "plain" cannot impersonate resource "users" in API group "" at the cluster scope'
    )


def test_extra_is_a_subresource() -> None:
    gate = granted(rule("impersonate", "users"), rule("impersonate", "userextras/scope", AUTHENTICATION, names="one"))
    assert acting(gate, (USER, "jane"), ("Impersonate-Extra-Scope", "one"), user=PLAIN).extra == {"scope": ["one"]}
    assert refused(gate, (USER, "jane"), ("Impersonate-Extra-Scope", "two")) == (
        'userextras.authentication.k8s.io "two" is forbidden: User "plain" cannot impersonate resource "userextras/scope" '
        'in API group "authentication.k8s.io" at the cluster scope'
    )


def test_constrained_impersonation_asks_for_the_user_and_for_the_request() -> None:
    on_pods = rule("impersonate-on:user-info:list", "pods")
    as_jane = rule("impersonate:user-info", "users", AUTHENTICATION, names="jane")
    assert acting(granted(on_pods, as_jane), (USER, "jane"), user=PLAIN).name == "jane"
    assert refused(granted(on_pods), (USER, "jane")) == (
        'users.authentication.k8s.io "jane" is forbidden: User "plain" cannot impersonate:user-info resource "users" in '
        'API group "authentication.k8s.io" at the cluster scope'
    )
    assert "impersonate-on:user-info:list" in refused(granted(as_jane), (USER, "jane"))


def constrained(*resources: str) -> Access:
    return granted(rule("*", "pods"), rule("impersonate:user-info", " ".join(resources), AUTHENTICATION))


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ([(GROUP, "")], "impersonating the empty string group is not allowed"),
        ([(GROUP, "system:masters")], "impersonating the system:masters group is not allowed"),
        ([("Impersonate-Extra-", "a")], "impersonating the empty string key in extra is not allowed"),
        (
            [("Impersonate-Extra-Foo", "a")],
            'impersonating an invalid key in extra is not allowed: extra.key: Invalid value: "foo": must be a '
            'domain-prefixed path (such as "acme.io/foo")',
        ),
        ([("Impersonate-Extra-a.b%2Fc", "")], "impersonating the empty string value in extra is not allowed"),
    ],
)
def test_what_constrained_impersonation_never_allows(headers: list[tuple[str, str]], reason: str) -> None:
    gate = constrained("users", "groups", "userextras/*")
    assert refused(gate, (USER, "jane"), *headers).endswith(f": {reason}")


def test_many_groups_may_be_allowed_at_once() -> None:
    objects = Objects()
    many = rule("impersonate:user-info", "groups", AUTHENTICATION, names="*")
    objects.grant("plain", rule("*", "pods"), rule("impersonate:user-info", "users", AUTHENTICATION), many)
    headers = [(GROUP, each) for each in "abcd"]
    assert acting(access(objects), (USER, "jane"), *headers, user=PLAIN).groups[:4] == ("a", "b", "c", "d")
    assert refused(access(objects), (USER, "jane"), *headers[:3]).endswith("at the cluster scope")


def agent(node: str) -> UserInfo:
    return UserInfo("system:serviceaccount:shop:agent", extra={"authentication.kubernetes.io/node-name": [node]})


def test_an_agent_acts_as_the_node_that_it_runs_on() -> None:
    name = agent("n1").name
    gate = granted(
        rule("impersonate-on:associated-node:list", "pods"),
        rule("impersonate:associated-node", "nodes", AUTHENTICATION, names="*"),
        user=name,
    )
    assert acting(gate, (USER, "system:node:n1"), user=agent("n1")).groups[0] == "system:nodes"
    assert "impersonate-on:arbitrary-node" in refused(gate, (USER, "system:node:n2"), user=agent("n1"))
