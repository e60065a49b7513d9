"""Nobody grants by RBAC what they do not hold (KUBE/pkg/registry/rbac)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

from dynkube.schema import GroupResource
from dynkube.testing.apiserver import statuses
from dynkube.testing.apiserver.access.decisions import quoted_list
from dynkube.testing.apiserver.access.objects import RBAC
from dynkube.testing.apiserver.access.rbac import Policy, Rule, aggregated
from dynkube.testing.apiserver.fielderrors import quoted
from dynkube.testing.apiserver.messages import UserInfo
from dynkube.testing.apiserver.resources import Object

__all__ = ["FULL_AUTHORITY", "changes_only_garbage", "has_aggregation", "missing_rights", "refuse_role"]

FULL_AUTHORITY: Sequence[Rule] = (
    {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]},
    {"verbs": ["*"], "nonResourceURLs": ["*"]},
)
"""Everything: what an aggregated ClusterRole may come to grant."""

_FIELDS = (
    ("apiGroups", "APIGroups"), ("resources", "Resources"), ("nonResourceURLs", "NonResourceURLs"),
    ("resourceNames", "ResourceNames"), ("verbs", "Verbs"),
)  # fmt: skip
_GARBAGE_COLLECTED = ("ownerReferences", "finalizers", "managedFields")


def missing_rights(policy: Policy, user: UserInfo, namespace: str, rules: Sequence[Rule]) -> str:
    """Why a user may not grant these rules in a namespace; "" where they may (ConfirmNoEscalation)."""
    problems: list[str] = []
    held = [grant.rule for grant in policy.grants(user, namespace, problems)]
    missing = [each for rule in rules for each in _atoms(rule) if not any(_covers(owner, each) for owner in held)]
    if not missing:
        return ""
    lines = "\n".join(sorted({_shown(rule) for rule in _compact(missing)}))
    text = (
        f"user {quoted(user.name)} (groups={quoted_list(user.groups)}) is attempting to grant RBAC permissions "
        f"not currently held:\n{lines}"
    )
    return f"{text}; resolution errors: [{aggregated(problems)}]" if problems else text


def refuse_role(resource: GroupResource, name: str, problem: str) -> statuses.StatusError:
    """403 for a role or binding that grants too much."""
    return statuses.forbidden(GroupResource(RBAC, resource.resource), name, problem)


def has_aggregation(role: Object) -> bool:
    """Whether a ClusterRole gathers its rules by labels of others."""
    return bool((role.get("aggregationRule") or {}).get("clusterRoleSelectors"))


def changes_only_garbage(obj: Object, old: Object) -> bool:
    """Whether an update changes only what the garbage collector does (IsOnlyMutatingGCFields)."""
    return _without_garbage(obj) == _without_garbage(old)


def _without_garbage(obj: Object) -> Object:
    metadata = {name: each for name, each in obj["metadata"].items() if name not in _GARBAGE_COLLECTED}
    return {**obj, "metadata": metadata}


def _atoms(rule: Rule) -> Iterator[dict[str, list[str]]]:
    """Rules of at most one verb, resource and name each (BreakdownRule)."""
    groups, resources, verbs = (rule.get(field) or () for field in ("apiGroups", "resources", "verbs"))
    for group, resource, verb in product(groups, resources, verbs):
        atom = {"apiGroups": [group], "resources": [resource], "verbs": [verb]}
        names = rule.get("resourceNames")
        yield from ({**atom, "resourceNames": [name]} for name in names) if names else (atom,)
    for url, verb in product(rule.get("nonResourceURLs") or (), verbs):
        yield {"nonResourceURLs": [url], "verbs": [verb]}


def _covers(owner: Rule, atom: Rule) -> bool:
    return (
        _has_all(owner, atom, "verbs")
        and _has_all(owner, atom, "apiGroups")
        and all(_covers_resource(owner.get("resources") or (), each) for each in atom.get("resources") or ())
        and all(_covers_url(owner.get("nonResourceURLs") or (), each) for each in atom.get("nonResourceURLs") or ())
        and _covers_names(owner.get("resourceNames") or (), atom.get("resourceNames") or ())
    )


def _has_all(owner: Rule, atom: Rule, field: str) -> bool:
    held = owner.get(field) or ()
    return "*" in held or all(each in held for each in atom.get(field) or ())


def _covers_resource(held: Sequence[str], resource: str) -> bool:
    _, slash, subresource = resource.partition("/")
    return "*" in held or resource in held or (bool(slash) and f"*/{subresource}" in held)


def _covers_url(held: Sequence[str], url: str) -> bool:
    return any(each == url or (each.endswith("*") and url.startswith(each.rstrip("*"))) for each in held)


def _covers_names(held: Sequence[str], wanted: Sequence[str]) -> bool:
    return not held or (bool(wanted) and all(each in held for each in wanted))


def _compact(rules: Sequence[dict[str, list[str]]]) -> list[dict[str, list[str]]]:
    """One rule for each resource, with all its verbs (CompactRules)."""
    compacted: list[dict[str, list[str]]] = []
    simple: dict[Any, dict[str, list[str]]] = {}
    for rule in rules:
        if "resources" not in rule:
            compacted.append(rule)
            continue
        key = rule["apiGroups"][0], rule["resources"][0], *rule.get("resourceNames", ())
        known = simple.get(key)
        if known is None:
            simple[key] = {field: list(values) for field, values in rule.items()}
        else:
            known["verbs"] += rule["verbs"]
    return [*compacted, *simple.values()]


def _shown(rule: Rule) -> str:
    """As messages show a rule (CompactString)."""
    parts = (f"{word}:{quoted_list(rule[field])}" for field, word in _FIELDS if rule.get(field))
    return "{" + ", ".join(parts) + "}"
