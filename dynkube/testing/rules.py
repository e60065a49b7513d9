"""What a user may do, as a value: the one word of RBAC that the test servers share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from dynkube.errors import InvalidRequestError

__all__ = ["AccessRule"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRule:
    """Allows one user or one group some verbs.

    On resources (``resources`` with ``api_groups``, in one ``namespace`` or, without one, in all
    and at cluster scope), or on paths that are no resources (``non_resource_urls``). The words
    are RBAC's: ``"*"`` is everything, ``"pods/log"`` a subresource, ``""`` the core group.

    >>> AccessRule(user="alice", verbs=("get", "list"), resources=("pods",), namespace="shop").is_namespaced
    True

    Raises:
        InvalidRequestError: Neither or both of user and group, no verbs, or nothing they apply to.
    """

    verbs: Sequence[str]
    resources: Sequence[str] = ()
    api_groups: Sequence[str] = ("",)
    resource_names: Sequence[str] = ()
    non_resource_urls: Sequence[str] = ()
    namespace: str = ""
    user: str = ""
    group: str = ""

    def __post_init__(self) -> None:
        for field in fields(self):
            self._check(field.name, getattr(self, field.name), single=field.default == "")
        if bool(self.user) == bool(self.group):
            raise InvalidRequestError("AccessRule: give either user= or group=")
        if not self.verbs:
            raise InvalidRequestError("AccessRule: verbs= is empty: give at least one, such as ('get',)")
        if bool(self.resources) == bool(self.non_resource_urls):
            raise InvalidRequestError("AccessRule: give either resources= or non_resource_urls=")
        if self.non_resource_urls and self.namespace:
            raise InvalidRequestError("AccessRule: non_resource_urls= are in no namespace: leave namespace= out")

    def _check(self, name: str, value: Any, *, single: bool) -> None:
        if single != isinstance(value, str):
            wanted = "a string" if single else "a sequence of strings, such as ('get',)"
            raise InvalidRequestError(f"AccessRule: {name}= must be {wanted}, not {value!r}")
        if not single:
            object.__setattr__(self, name, tuple(value))

    @property
    def is_namespaced(self) -> bool:
        """Whether the rule holds in one namespace only."""
        return bool(self.namespace)

    def policy_rule(self) -> dict[str, list[str]]:
        """As ``rbac.authorization.k8s.io/v1`` writes it (PolicyRule)."""
        rule = {"verbs": list(self.verbs)}
        if self.non_resource_urls:
            return rule | {"nonResourceURLs": list(self.non_resource_urls)}
        rule |= {"apiGroups": list(self.api_groups), "resources": list(self.resources)}
        return rule | ({"resourceNames": list(self.resource_names)} if self.resource_names else {})

    def subject(self) -> dict[str, str]:
        """As a binding names it (Subject)."""
        kind, name = ("User", self.user) if self.user else ("Group", self.group)
        return {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name}

    def reviews(self) -> list[dict[str, Any]]:
        """SubjectAccessReview specs that are all allowed once the rule is in force."""
        who: dict[str, Any] = {"user": self.user} if self.user else {"groups": [self.group]}
        if self.non_resource_urls:
            return [
                who | {"nonResourceAttributes": {"path": path, "verb": verb}}
                for path in self.non_resource_urls
                for verb in self.verbs
            ]
        return [
            who | {"resourceAttributes": self._attributes(verb, group, resource, name)}
            for verb in self.verbs
            for group in self.api_groups
            for resource in self.resources
            for name in self.resource_names or ("",)
        ]

    def _attributes(self, verb: str, group: str, resource: str, name: str) -> dict[str, str]:
        plural, _, subresource = resource.partition("/")
        wanted = {
            "verb": verb, "group": group, "resource": plural, "subresource": subresource, "name": name,
            "namespace": self.namespace,
        }  # fmt: skip
        return {key: value for key, value in wanted.items() if value}
