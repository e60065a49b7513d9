"""Roles and their bindings (pkg/apis/rbac/validation, pkg/registry/rbac)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from dynkube.schema import GroupVersion
from dynkube.testing.apiserver.builtin import internal
from dynkube.testing.apiserver.builtin.native import NativeStrategy, null_for_empty
from dynkube.testing.apiserver.builtin.rules import Errors, Json, dns1123_subdomain, each, listed, mapping
from dynkube.testing.apiserver.builtin.selectors import is_usable
from dynkube.testing.apiserver.words import names
from dynkube.testing.apiserver.words.fielderrors import child, index, invalid, not_supported, required
from dynkube.testing.apiserver.words.objectmeta import validate_label_selector
from dynkube.testing.apiserver.words.resources import Object

__all__ = ["ClusterRoleBindingStrategy", "ClusterRoleStrategy", "RoleBindingStrategy", "RoleStrategy"]

_GROUP = "rbac.authorization.k8s.io"


class _AnyName(NativeStrategy):
    """Names are segments of paths; PUT makes what is not there."""

    allows_create_on_update = True

    def validate_name(self, name: str, /, *, prefix: bool = False) -> Sequence[str]:
        """See `Strategy`."""
        return names.path_segment_name(name, prefix=prefix)


class RoleStrategy(_AnyName):
    """Roles."""

    is_namespaced: ClassVar[bool] = True

    def prepare_for_create(self, obj: Object) -> None:
        """See `Strategy`."""
        null_for_empty(obj, "rules")

    def prepare_for_update(self, obj: Object, old: Object, subresource: str) -> None:
        """See `Strategy`."""
        null_for_empty(obj, "rules")

    def judge_new(self, obj: Object) -> Errors:
        """See `NativeStrategy`."""
        for number, rule in enumerate(listed(obj, "rules")):
            yield from _rule(rule, index("rules", number), is_namespaced=self.is_namespaced)


def _rule(rule: Json, field: str, *, is_namespaced: bool) -> Errors:
    if not listed(rule, "verbs"):
        yield required(child(field, "verbs"), "verbs must contain at least one value")
    urls, where = listed(rule, "nonResourceURLs"), child(field, "nonResourceURLs")
    if urls:
        if is_namespaced:
            yield invalid(where, urls, "namespaced rules cannot apply to non-resource URLs")
        if any(listed(rule, name) for name in ("apiGroups", "resources", "resourceNames")):
            yield invalid(where, urls, "rules cannot apply to both regular resources and non-resource URLs")
        return
    for name, what in (("apiGroups", "api group"), ("resources", "resource")):
        if not listed(rule, name):
            yield required(child(field, name), f"resource rules must supply at least one {what}")


class ClusterRoleStrategy(RoleStrategy):
    """ClusterRoles, which may be the sum of others."""

    is_namespaced = False

    def judge_new(self, obj: Object) -> Errors:
        """See `NativeStrategy`."""
        yield from super().judge_new(obj)
        aggregation = obj.get("aggregationRule")
        if aggregation is None:
            return
        field = "aggregationRule.clusterRoleSelectors"
        selectors = listed(aggregation, "clusterRoleSelectors")
        if not selectors:
            yield required(field, "at least one clusterRoleSelector required if aggregationRule is non-nil")
        for number, selector in enumerate(selectors):
            yield from validate_label_selector(selector, index(field, number))
            if not is_usable(selector):
                yield invalid(index(field, number), None, "invalid label selector.")


class RoleBindingStrategy(_AnyName):
    """RoleBindings."""

    is_namespaced: ClassVar[bool] = True
    roles: ClassVar[Sequence[str]] = ("Role", "ClusterRole")

    def complete(self, obj: Object, group_version: GroupVersion) -> None:
        """See `NativeStrategy`."""
        reference = obj.setdefault("roleRef", {})
        reference["apiGroup"] = reference.get("apiGroup") or _GROUP
        for subject in listed(obj, "subjects"):
            if not subject.get("apiGroup") and subject.get("kind") in ("User", "Group"):
                subject["apiGroup"] = _GROUP

    def judge_new(self, obj: Object) -> Errors:
        """See `NativeStrategy`."""
        reference = mapping(obj, "roleRef")
        group, kind, name = (reference.get(each, "") for each in ("apiGroup", "kind", "name"))
        if group != _GROUP:
            yield not_supported("roleRef.apiGroup", group, [_GROUP])
        if kind not in self.roles:
            yield not_supported("roleRef.kind", kind, self.roles)
        if name:
            yield from each_problem("roleRef.name", name)
        else:
            yield required("roleRef.name")
        for number, subject in enumerate(listed(obj, "subjects")):
            yield from _subject(subject, index("subjects", number), is_namespaced=self.is_namespaced)

    def judge_change(self, obj: Object, old: Object) -> Errors:
        """See `NativeStrategy`."""
        yield from self.judge_new(obj)
        if mapping(obj, "roleRef") != mapping(old, "roleRef"):
            yield invalid("roleRef", internal.shown(obj.get("roleRef"), "rbac.RoleRef"), "cannot change roleRef")


def each_problem(field: str, name: str) -> Errors:
    """What is wrong with the name of a role."""
    return each(field, name, names.path_segment_name(name))


def _subject(subject: Json, field: str, *, is_namespaced: bool) -> Errors:
    name, kind, group = subject.get("name", ""), subject.get("kind", ""), subject.get("apiGroup", "")
    if not name:
        yield required(child(field, "name"))
    if kind == "ServiceAccount":
        if name:
            yield from dns1123_subdomain(name, child(field, "name"))
        if group:
            yield not_supported(child(field, "apiGroup"), group, [""])
        if not is_namespaced and not subject.get("namespace"):
            yield required(child(field, "namespace"))
    elif kind in ("User", "Group"):
        if group != _GROUP:
            yield not_supported(child(field, "apiGroup"), group, [_GROUP])
    else:
        yield not_supported(child(field, "kind"), kind, ["ServiceAccount", "User", "Group"])


class ClusterRoleBindingStrategy(RoleBindingStrategy):
    """ClusterRoleBindings."""

    is_namespaced = False
    roles: ClassVar[Sequence[str]] = ("ClusterRole",)
