"""Whose fields are whose after a write: the heart of field management.

structured-merge-diff/merge/update.go;
AM/util/managedfields/internal/{structuredmerge,stripmeta,managedfieldsupdater}.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from dynkube.testing.apiserver.fieldmanagement.comparison import Comparison, same
from dynkube.testing.apiserver.fieldmanagement.conflicts import ConflictsError
from dynkube.testing.apiserver.fieldmanagement.fieldsets import (
    NOTHING,
    FieldSet,
    difference,
    intersection,
    of_paths,
    recursive_difference,
    union,
)
from dynkube.testing.apiserver.fieldmanagement.managers import Managed, Manager, Owned
from dynkube.testing.apiserver.fieldmanagement.merging import merge
from dynkube.testing.apiserver.fieldmanagement.problems import ProblemError
from dynkube.testing.apiserver.fieldmanagement.reconciling import reconcile, with_named_fields
from dynkube.testing.apiserver.fieldmanagement.removal import remove
from dynkube.testing.apiserver.fieldmanagement.versions import Version, Versions
from dynkube.testing.apiserver.words.resources import Object

__all__ = ["Scope", "apply_fields", "update_fields"]

_NEVER_OWNED = of_paths(
    [
        ("f:apiVersion",),
        ("f:kind",),
        ("f:metadata",),
        *(
            ("f:metadata", f"f:{name}")
            for name in (
                "name", "namespace", "creationTimestamp", "selfLink", "uid", "clusterName", "generation",
                "managedFields", "resourceVersion",
            )
        ),
    ]
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a request writes to: a kind in one version, by an endpoint that cannot change ``reset_fields``."""

    version: Version
    versions: Versions
    reset_fields: FieldSet
    resets_every_version: bool = True
    """Whether what the endpoint cannot change is known in every version."""

    def find(self, api_version: str) -> Version | None:
        """A version of the kind; None for one of a built-in kind that is not there: its managers are forgotten.

        Raises:
            ProblemError: There is no such version of a custom kind; or it is no version at all.
        """
        if api_version == self.version.api_version:
            return self.version
        if api_version.count("/") > 1:
            raise ProblemError(f"unexpected GroupVersion string: {api_version}")
        found = self.versions(api_version)
        if found is None and self.version.is_custom:
            raise ProblemError(f"request to convert CR to an invalid group/version: {api_version}")
        return found

    def compare(self, version: Version, old: Object, new: Object) -> Comparison:
        """What changed, in the words of a version, but for what this endpoint cannot change."""
        change = version.compare(_in(version, old), _in(version, new))
        is_known = self.resets_every_version or version.api_version == self.version.api_version
        return change.without(self.reset_fields) if is_known else change


def _in(version: Version, obj: Object) -> Object:
    if obj.get("apiVersion") == version.api_version:
        return obj
    converted = version.convert(obj if version.is_custom else _without_nulls(obj))
    version.check(converted, duplicates_allowed=False)
    return converted


def _without_nulls(obj: Object) -> Object:
    """What is left of an object when something was taken out of it, as Go's types hold it: they know no null."""
    return {
        name: _without_nulls(value) if isinstance(value, dict) else value
        for name, value in obj.items()
        if value is not None
    }


# ------------------------------------------------------------------ updates


def update_fields(live: Object, new: Object, managed: Managed, scope: Scope, manager: Manager, now: str) -> Managed:
    """The managers after a write of a whole object, without entries of metadata.managedFields in either.

    Whoever writes owns what changed, beside what the same manager had. Nobody keeps what someone else
    changed or removed.
    """
    owners = _reconciled(live, managed, scope)
    change = scope.compare(scope.version, live, new)
    owners = _after(live, new, owners, scope, change)
    own = difference(recursive_difference(union(change.modified, change.added), scope.reset_fields), _NEVER_OWNED)
    times = managed.times
    if own:
        previous = owners.get(manager)
        fields = own if previous is None else union(own, previous.fields)
        owners[manager] = Owned(fields, scope.version.api_version)
        times = {**times, manager: now}
    return Managed(owners, times)


def _reconciled(live: Object, managed: Managed, scope: Scope) -> dict[Manager, Owned]:
    """All managers of versions that there are, each set as the schema has it today."""
    owners: dict[Manager, Owned] = {}
    for manager, owned in managed.owners.items():
        version = scope.find(owned.api_version)
        if version is None:
            continue
        if version is not scope.version:
            _in(version, live)
        owners[manager] = Owned(reconcile(owned.fields, version.type), owned.api_version)
    return owners


def _after(
    live: Object, new: Object, owners: Mapping[Manager, Owned], scope: Scope, change: Comparison
) -> dict[Manager, Owned]:
    """What is left to all of them when this has changed."""
    changes = _Changes(live, new, scope, change)
    left: dict[Manager, Owned] = {}
    for manager, owned in owners.items():
        touched = changes.touched(owned.api_version)
        fields = difference(owned.fields, touched) if touched else owned.fields
        if fields:
            left[manager] = Owned(fields, owned.api_version)
    return left


class _Changes:
    """One change, in the words of each version that managers speak."""

    def __init__(self, live: Object, new: Object, scope: Scope, change: Comparison) -> None:
        self._live, self._new, self._scope = live, new, scope
        self._changes = {scope.version.api_version: change}
        self._touched: dict[str, FieldSet] = {}

    def in_version(self, api_version: str) -> Comparison:
        """The change as this version sees it."""
        change = self._changes.get(api_version)
        if change is None:
            version = self._scope.find(api_version)
            assert version is not None, "managers of versions that are gone went before"
            change = self._changes[api_version] = self._scope.compare(version, self._live, self._new)
        return change

    def touched(self, api_version: str) -> FieldSet:
        """All that is no longer as it was."""
        fields = self._touched.get(api_version)
        if fields is None:
            removed, modified, added = self.in_version(api_version)
            fields = self._touched[api_version] = union(union(removed, modified), added)
        return fields


# ------------------------------------------------------------------ applies


class Applied(NamedTuple):
    """What an apply leads to."""

    obj: Object | None
    """The object; None where it stays as it was."""
    managed: Managed


def apply_fields(
    live: Object, applied: Object, managed: Managed, scope: Scope, manager: Manager, *, force: bool, now: str
) -> Applied:
    """An applied configuration merged into the object, without what its manager no longer applies.

    Raises:
        ConflictsError: Others manage what it changes.
        ProblemError: Something is not of its type.
    """
    owners = _reconciled(live, managed, scope)
    version = scope.version
    merged = merge(live, applied, version.type)
    last = owners.get(manager)
    fields = recursive_difference(version.fields(applied), scope.reset_fields)
    owners[manager] = Owned(fields, version.api_version)
    merged = _pruned(merged, owners, scope, last)
    left = _taken(live, merged, owners, scope, manager, force=force)
    own = difference(fields, _NEVER_OWNED)
    if own:
        left[manager] = Owned(own, version.api_version)
    if same(live, merged, version.type):
        return Applied(None, Managed(left, managed.times))
    return Applied(merged, Managed(left, {**managed.times, manager: now}))


def _taken(
    live: Object, new: Object, owners: Mapping[Manager, Owned], scope: Scope, manager: Manager, *, force: bool
) -> dict[Manager, Owned]:
    """What is left to the others."""
    others = {each: owned for each, owned in owners.items() if each != manager}
    change = scope.compare(scope.version, live, new)
    if not force:
        changes = _Changes(live, new, scope, change)
        conflicts = {}
        for other, owned in others.items():
            _, modified, added = changes.in_version(owned.api_version)
            if shared := intersection(owned.fields, union(modified, added)):
                conflicts[other] = shared
        if conflicts:
            raise ConflictsError.between(conflicts)
    return _after(live, new, others, scope, change)


def _pruned(merged: Object, owners: Mapping[Manager, Owned], scope: Scope, last: Owned | None) -> Object:
    """Without what the manager applied last time and does not any more, unless someone else owns it (prune)."""
    if last is None or not last.fields:
        return merged
    version = scope.find(last.api_version)
    if version is None:
        return merged
    whole = _in(version, merged)
    formerly = with_named_fields(last.fields, version.type)
    pruned = remove(whole, formerly, version.type)
    pruned = _with_owned(whole, pruned, owners, scope, version)
    pruned = _with_dangling(whole, pruned, formerly, version)
    return _in(scope.version, pruned)


def _with_owned(
    merged: Object, pruned: Object, owners: Mapping[Manager, Owned], scope: Scope, version: Version
) -> Object:
    """Put back what anyone owns, the applier's new configuration too (addBackOwnedItems)."""
    by_version: dict[str, FieldSet] = {}
    # What was pruned goes first: a conversion may need what others own of it.
    for owned in sorted(owners.values(), key=lambda each: each.api_version != version.api_version):
        by_version[owned.api_version] = union(by_version.get(owned.api_version, NOTHING), owned.fields)
    for api_version, fields in by_version.items():
        found = scope.find(api_version)
        if found is not None:
            merged, pruned = _in(found, merged), _in(found, pruned)
            kind = found.type
            kept = union(with_named_fields(found.fields(pruned), kind), with_named_fields(fields, kind))
            pruned = remove(merged, difference(with_named_fields(found.fields(merged), kind), kept), kind)
    return pruned


def _with_dangling(merged: Object, pruned: Object, formerly: FieldSet, version: Version) -> Object:
    """Put back what the applier did not own last time, whoever does, or nobody (addBackDanglingItems)."""
    kind = version.type
    left = with_named_fields(version.fields(_in(version, pruned)), kind)
    gone = difference(with_named_fields(version.fields(merged), kind), left)
    left_over: Object = remove(merged, intersection(gone, formerly), kind)
    return left_over
