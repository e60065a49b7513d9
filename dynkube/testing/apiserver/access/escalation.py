"""Nobody grants by RBAC what they do not hold (KUBE/pkg/registry/rbac)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any, Protocol

from dynkube.schema import GroupResource
from dynkube.testing.apiserver.access import identities
from dynkube.testing.apiserver.access.decisions import quoted_list
from dynkube.testing.apiserver.access.objects import RBAC
from dynkube.testing.apiserver.access.rbac import Policy, Rule, aggregated
from dynkube.testing.apiserver.words import statuses
from dynkube.testing.apiserver.words.fielderrors import quoted
from dynkube.testing.apiserver.words.messages import RequestInfo, UserInfo
from dynkube.testing.apiserver.words.resources import Object, Resource

if TYPE_CHECKING:
    from dynkube.testing.apiserver.access.gate import Access

__all__ = ["GrantCheck", "Write"]

_ROLES = ("roles", "clusterroles")
_BINDINGS = ("rolebindings", "clusterrolebindings")
_FULL_AUTHORITY: Sequence[Rule] = (
    {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]},
    {"verbs": ["*"], "nonResourceURLs": ["*"]},
)
_FIELDS = (
    ("apiGroups", "APIGroups"), ("resources", "Resources"), ("nonResourceURLs", "NonResourceURLs"),
    ("resourceNames", "ResourceNames"), ("verbs", "Verbs"),
)  # fmt: skip
_GARBAGE_COLLECTED = ("ownerReferences", "finalizers", "managedFields")


class Write(Protocol):
    """A write, as an admission plugin sees it."""

    @property
    def resource(self) -> Resource:
        """Of what."""

    @property
    def namespace(self) -> str:
        """Of the request."""

    @property
    def name(self) -> str:
        """Of the request; "" on a create."""

    @property
    def user(self) -> UserInfo:
        """Who."""

    @property
    def obj(self) -> Object | None:
        """What is to be stored; None on a deletion."""

    @property
    def old(self) -> Object | None:
        """What is stored; None on a create."""


class GrantCheck:
    """An admission plugin, the last: refuses roles and bindings that grant what their writer does not hold.

    Exempt are members of ``system:masters``, who may ``escalate`` the role or ``bind`` the role that a
    binding refers to, and updates that change only what the garbage collector does.
    """

    def __init__(self, access: Access) -> None:
        self._access = access

    def admit(self, write: Write) -> None:
        """Judge one write.

        Raises:
            StatusError: 403; 404, the role that a binding refers to is not there.
        """
        obj, old = write.obj, write.old
        if obj is None or write.resource.gvr.group != RBAC or identities.MASTERS in write.user.groups:
            return
        if old is not None and _without_garbage(obj) == _without_garbage(old):
            return
        if write.resource.gvr.resource in _ROLES:
            self._check_role(write, obj, old)
        elif write.resource.gvr.resource in _BINDINGS:
            self._check_binding(write, obj)

    def validate(self, write: Write) -> None:
        """Nothing: all is judged before."""

    def _check_role(self, write: Write, obj: Object, old: Object | None) -> None:
        if self._allows(write, "escalate", GroupResource(RBAC, write.resource.gvr.resource), write.name):
            return
        self._check_rules(write, obj, obj.get("rules") or ())
        aggregates = _has_aggregation(obj) or (old is not None and _has_aggregation(old))
        if aggregates and self._problem(write, _FULL_AUTHORITY):
            raise _refusal(write, obj, "must have cluster-admin privileges to use the aggregationRule")

    def _check_binding(self, write: Write, obj: Object) -> None:
        reference = obj.get("roleRef") or {}
        plural = {"ClusterRole": "clusterroles", "Role": "roles"}.get(reference.get("kind", ""))
        if plural is not None:
            role = GroupResource(reference.get("apiGroup", ""), plural)
            if self._allows(write, "bind", role, reference.get("name", "")):
                return
        self._check_rules(
            write, obj, self._access.policy.rules(reference, write.namespace, write.resource.group_resource)
        )

    def _allows(self, write: Write, verb: str, role: GroupResource, name: str) -> bool:
        about = RequestInfo(
            verb=verb,
            path="",
            is_resource=True,
            group=role.group,
            version="*",
            resource=role.resource,
            namespace=write.namespace,
            name=name,
        )
        return self._access.decide(write.user, about).allowed

    def _check_rules(self, write: Write, obj: Object, rules: Sequence[Rule]) -> None:
        problem = self._problem(write, rules)
        if problem:
            raise _refusal(write, obj, problem)

    def _problem(self, write: Write, rules: Sequence[Rule]) -> str:
        return _missing_rights(self._access.policy, write, rules)


def _missing_rights(policy: Policy, write: Write, rules: Sequence[Rule]) -> str:
    """Why the writer may not grant these rules; "" where they may (ConfirmNoEscalation)."""
    problems: list[str] = []
    user = write.user
    grants = policy.grants(user, write.namespace, problems, write.resource.group_resource)
    held = [grant.rule for grant in grants]
    missing = [each for rule in rules for each in _atoms(rule) if not any(_covers(owner, each) for owner in held)]
    if not missing:
        return ""
    lines = "\n".join(sorted({_shown(rule) for rule in _compact(missing)}))
    text = (
        f"user {quoted(user.name)} (groups={quoted_list(user.groups)}) is attempting to grant RBAC permissions "
        f"not currently held:\n{lines}"
    )
    return f"{text}; resolution errors: [{aggregated(problems)}]" if problems else text


def _refusal(write: Write, obj: Object, problem: str) -> statuses.StatusError:
    return statuses.forbidden(write.resource.group_resource, obj["metadata"].get("name", ""), problem)


def _has_aggregation(role: Object) -> bool:
    return bool((role.get("aggregationRule") or {}).get("clusterRoleSelectors"))


def _without_garbage(obj: Object) -> Object:
    # IsOnlyMutatingGCFields
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
