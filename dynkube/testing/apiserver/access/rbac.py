"""Role-based access control, evaluated from the stored objects (KUBE/plugin/pkg/auth/authorizer/rbac).

Bindings are visited in the order of their names; the real server visits them in no order, so that
where several bindings allow something it may name another one as the reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dynkube.schema import GroupResource
from dynkube.testing.apiserver.access.decisions import NO_OPINION, Decision
from dynkube.testing.apiserver.access.identities import service_account_user
from dynkube.testing.apiserver.access.objects import RBAC, Objects
from dynkube.testing.apiserver.words import statuses
from dynkube.testing.apiserver.words.fielderrors import quoted
from dynkube.testing.apiserver.words.messages import RequestInfo, UserInfo
from dynkube.testing.apiserver.words.resources import Object

__all__ = ["Grant", "Policy", "Rule", "aggregated", "allows"]

Rule = Mapping[str, Sequence[str]]
"""A PolicyRule as JSON: verbs, apiGroups, resources, resourceNames, nonResourceURLs."""

_CLUSTER_ROLES = GroupResource(RBAC, "clusterroles")
_CLUSTER_ROLE_BINDINGS = GroupResource(RBAC, "clusterrolebindings")
_ROLES = GroupResource(RBAC, "roles")
_ROLE_BINDINGS = GroupResource(RBAC, "rolebindings")


@dataclass(frozen=True, slots=True)
class Grant:
    """A rule that applies to somebody, and by which binding and subject."""

    rule: Rule
    binding: Object
    subject: Mapping[str, str]

    @property
    def source(self) -> str:
        """As a review's reason names it: ``ClusterRoleBinding "x" of ClusterRole "y" to Group "z"``."""
        metadata, reference = self.binding["metadata"], self.binding["roleRef"]
        namespace = metadata.get("namespace", "")
        name = f"{metadata['name']}/{namespace}" if namespace else metadata["name"]
        kind = "RoleBinding" if namespace else "ClusterRoleBinding"
        return (
            f"{kind} {quoted(name)} of {reference['kind']} {quoted(reference['name'])} "
            f"to {_described(self.subject, namespace)}"
        )


class Policy:
    """The roles and bindings of a server. Objects are decoded once for each state of their resource."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._tables: dict[GroupResource, tuple[int, Mapping[tuple[str, str], Object]]] = {}

    def decide(self, user: UserInfo, about: RequestInfo) -> Decision:
        """Allowed, with the reason; or no opinion, with what kept rules from being found."""
        problems: list[str] = []
        for grant in self.grants(user, about.namespace, problems):
            if allows(grant.rule, about):
                return Decision(allowed=True, reason=f"RBAC: allowed by {grant.source}")
        return Decision(reason=f"RBAC: {aggregated(problems)}") if problems else NO_OPINION

    def grants(
        self, user: UserInfo, namespace: str, problems: list[str], about: GroupResource | None = None
    ) -> Iterator[Grant]:
        """The rules that apply to a user in a namespace, or ("") at cluster scope (VisitRulesFor).

        Args:
            user: Who.
            namespace: Where.
            problems: Filled with what is wrong with bindings: roles that are not there.
            about: See `rules`.
        """
        for binding in self._table(_CLUSTER_ROLE_BINDINGS).values():
            yield from self._granted(user, binding, "", problems, about)
        if namespace:
            for (place, _), binding in self._table(_ROLE_BINDINGS).items():
                if place == namespace:
                    yield from self._granted(user, binding, namespace, problems, about)

    def rules(self, reference: Mapping[str, str], namespace: str, about: GroupResource | None = None) -> Sequence[Rule]:
        """The rules of the role that a binding in this namespace refers to (GetRoleReferenceRules).

        Args:
            reference: The binding's roleRef.
            namespace: The binding's.
            about: What a 404 calls the role: where a write is judged, what is written.

        Raises:
            StatusError: 404, there is no such role; 500, the reference is to another kind.
        """
        kind, name = reference["kind"], reference["name"]
        if kind not in ("Role", "ClusterRole"):
            problem = f"unsupported role reference kind: {quoted(kind)}"
            raise statuses.StatusError(statuses.status(500, "", problem))
        is_role = kind == "Role"
        role = self._table(_ROLES if is_role else _CLUSTER_ROLES).get((namespace if is_role else "", name))
        if role is None:
            raise statuses.not_found(about or GroupResource(RBAC, kind.lower()), name)
        return role.get("rules") or ()

    def _granted(
        self, user: UserInfo, binding: Object, namespace: str, problems: list[str], about: GroupResource | None
    ) -> Iterator[Grant]:
        subject = next((each for each in binding.get("subjects") or () if _applies(each, user, namespace)), None)
        if subject is None:
            return
        try:
            rules = self.rules(binding["roleRef"], namespace, about)
        except statuses.StatusError as error:
            problems.append(str(error))
            return
        for rule in rules:
            yield Grant(rule, binding, subject)

    def _table(self, resource: GroupResource) -> Mapping[tuple[str, str], Object]:
        revision = self._objects.revision(resource)
        kept = self._tables.get(resource)
        if kept is not None and kept[0] == revision:
            return kept[1]
        table = {
            (each["metadata"].get("namespace", ""), each["metadata"]["name"]): each
            for each in self._objects.list(resource)
        }
        self._tables[resource] = revision, table
        return table


def allows(rule: Rule, about: RequestInfo) -> bool:
    """Whether a rule is about this request (RuleAllows)."""
    if not _has(rule, "verbs", about.verb):
        return False
    if not about.is_resource:
        return any(_covers_path(each, about.path) for each in rule.get("nonResourceURLs") or ())
    wanted = rule.get("resourceNames")
    return (
        _has(rule, "apiGroups", about.group)
        and _is_for_resource(rule.get("resources") or (), about.resource, about.subresource)
        and (not wanted or about.name in wanted)
    )


def aggregated(problems: Sequence[str]) -> str:
    """Several problems as one text (AM/util/errors, aggregate): each once, in brackets if there are more."""
    texts = list(dict.fromkeys(problems))
    return texts[0] if len(texts) == 1 else "[" + ", ".join(texts) + "]"


def _has(rule: Rule, field: str, value: str) -> bool:
    values = rule.get(field) or ()
    return "*" in values or value in values


def _is_for_resource(resources: Sequence[str], resource: str, subresource: str) -> bool:
    if not subresource:
        return "*" in resources or resource in resources
    return "*" in resources or f"{resource}/{subresource}" in resources or f"*/{subresource}" in resources


def _covers_path(pattern: str, path: str) -> bool:
    return pattern in ("*", path) or (pattern.endswith("*") and path.startswith(pattern.rstrip("*")))


def _applies(subject: Mapping[str, str], user: UserInfo, namespace: str) -> bool:
    kind, name = subject.get("kind"), subject.get("name", "")
    if kind == "User":
        return user.name == name
    if kind == "Group":
        return name in user.groups
    place = subject.get("namespace") or namespace
    return kind == "ServiceAccount" and bool(place) and user.name == service_account_user(place, name)


def _described(subject: Mapping[str, Any], namespace: str) -> str:
    kind, name = subject["kind"], subject["name"]
    if kind == "ServiceAccount":
        name = f"{name}/{subject.get('namespace') or namespace}"
    return f"{kind} {quoted(name)}"
