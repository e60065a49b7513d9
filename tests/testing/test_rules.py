"""AccessRule: refuses what means nothing, and says the same to RBAC and to access reviews."""

from __future__ import annotations

import pytest

from dynkube.errors import InvalidRequestError
from dynkube.testing import AccessRule


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"verbs": ("get",), "resources": ("pods",)}, "either user= or group="),
        ({"verbs": ("get",), "resources": ("pods",), "user": "a", "group": "b"}, "either user= or group="),
        ({"verbs": (), "resources": ("pods",), "user": "a"}, "verbs= is empty"),
        ({"verbs": "get", "resources": ("pods",), "user": "a"}, "verbs= must be a sequence of strings"),
        ({"verbs": ("get",), "resources": "pods", "user": "a"}, "resources= must be a sequence"),
        ({"verbs": ("get",), "resources": ("pods",), "user": ("a",)}, "user= must be a string"),
        ({"verbs": ("get",), "user": "a"}, "either resources= or non_resource_urls="),
        ({"verbs": ("get",), "resources": ("pods",), "non_resource_urls": ("/x",), "user": "a"}, "either resources="),
        ({"verbs": ("get",), "non_resource_urls": ("/x",), "user": "a", "namespace": "n"}, "leave namespace= out"),
    ],
)
def test_what_means_nothing_is_refused(arguments: dict[str, object], complaint: str) -> None:
    with pytest.raises(InvalidRequestError, match=f"AccessRule: .*{complaint}"):
        AccessRule(**arguments)  # type: ignore[arg-type]


def test_lists_become_tuples_and_rules_equal() -> None:
    assert AccessRule(user="a", verbs=["get"], resources=["pods"]) == AccessRule(
        user="a", verbs=("get",), resources=("pods",)
    )


def test_each_combination_is_reviewed() -> None:
    rule = AccessRule(
        group="dev", verbs=("get", "patch"), api_groups=("apps",), resources=("deployments/scale",),
        resource_names=("web",), namespace="shop",
    )  # fmt: skip
    assert rule.subject()["kind"] == "Group"
    assert rule.policy_rule()["resourceNames"] == ["web"]
    assert rule.reviews() == [
        {
            "groups": ["dev"],
            "resourceAttributes": {
                "verb": verb, "group": "apps", "resource": "deployments", "subresource": "scale", "name": "web",
                "namespace": "shop",
            },
        }
        for verb in ("get", "patch")
    ]  # fmt: skip


def test_paths_that_are_no_resources() -> None:
    rule = AccessRule(user="alice", verbs=("get",), non_resource_urls=("/metrics",))
    assert rule.policy_rule() == {"verbs": ["get"], "nonResourceURLs": ["/metrics"]}
    assert rule.reviews() == [{"user": "alice", "nonResourceAttributes": {"path": "/metrics", "verb": "get"}}]
