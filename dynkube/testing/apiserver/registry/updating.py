"""A changed object on its way into storage: of PUT, of every patch, of scale and of controllers.

AS/registry/generic/registry/store.go (Update), AS/registry/rest/update.go (BeforeUpdate).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dynkube.schema import GroupKind
from dynkube.testing.apiserver.fieldmanagement import keep_times
from dynkube.testing.apiserver.registry import metadata as rules
from dynkube.testing.apiserver.registry.admission import NAMESPACES, UPDATE
from dynkube.testing.apiserver.registry.creation import store_new
from dynkube.testing.apiserver.registry.etcdkeys import etcd_key
from dynkube.testing.apiserver.registry.machinery import Machinery
from dynkube.testing.apiserver.registry.metadatarules import update_errors
from dynkube.testing.apiserver.registry.sameness import is_same
from dynkube.testing.apiserver.registry.scope import Scope
from dynkube.testing.apiserver.registry.versions import in_storage
from dynkube.testing.apiserver.storage.entries import Entry
from dynkube.testing.apiserver.words import statuses
from dynkube.testing.apiserver.words.fielderrors import invalid, quoted
from dynkube.testing.apiserver.words.resources import Object

__all__ = ["STALE", "Change", "Outcome", "update"]

Change = Callable[[Object | None], Object]
"""Makes the wanted object of the current one (None: there is none); both in the storage version."""

STALE = "the object has been modified; please apply your changes to the latest version and try again"
_MAX_REVISION = 2**64 - 1


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an update: the state to answer with, and whether the object is new."""

    entry: Entry
    is_created: bool = False


def update(
    machinery: Machinery,
    scope: Scope,
    change: Change,
    *,
    dry_run: bool = False,
    uid: str = "",
    may_create: bool = False,
) -> Outcome:
    """Change an object, or create it where that is allowed.

    Args:
        machinery: What to work with.
        scope: What is changed, by whom.
        change: Gets a copy of the current object; includes field management and mutating admission.
        dry_run: Whether to store nothing.
        uid: A precondition; "" for none.
        may_create: Whether an absent object is created, whatever its kind says (server-side apply).

    Raises:
        StatusError: It is refused, or is not there.
    """
    entry = machinery.store.find(scope.resource, scope.object_namespace, scope.name)
    strategy = scope.strategy
    if entry is None and not (may_create or strategy.allows_create_on_update):
        raise statuses.not_found(scope.about, scope.name)
    if uid and (entry is None or entry.uid != uid):
        raise _other_uid(scope, uid, "" if entry is None else entry.uid, dry_run=dry_run)
    obj = change(None if entry is None else in_storage(scope.resource, entry.object()))
    revision = _revision(obj["metadata"].get("resourceVersion", ""))
    if entry is None:
        return Outcome(store_new(machinery, scope, obj, dry_run=dry_run, is_update=True), is_created=True)
    if revision == 0 and strategy.allows_unconditional_update:
        obj["metadata"]["resourceVersion"] = str(entry.revision)
    else:
        _require_current(scope, revision, entry)
    old = in_storage(scope.resource, entry.object())
    _prepare(machinery, scope, obj, old, dry_run=dry_run)
    obj = keep_times(obj, old)
    machinery.admission.validate(scope, UPDATE, obj, old, dry_run=dry_run)
    if _ends(scope, obj, old):
        if not dry_run:
            machinery.store.delete(scope.resource, entry.namespace, entry.name)
        return Outcome(Entry(obj, entry.revision))
    # What is stored in a version of the past is written anew, though nothing else changes.
    if is_same(obj, old) and entry.api_version == scope.resource.storage_group_version.api_version:
        return Outcome(entry)
    return Outcome(Entry(obj, entry.revision) if dry_run else machinery.store.update(scope.resource, obj))


def _revision(resource_version: str) -> int:
    """The number of metadata.resourceVersion; 0 for none (AS/storage/api_object_versioner.go)."""
    if resource_version in ("", "0"):
        return 0
    if resource_version.isascii() and resource_version.isdigit():
        if int(resource_version) <= _MAX_REVISION:
            return int(resource_version)
        problem = "value out of range"
    else:
        problem = "invalid syntax"
    text = f"strconv.ParseUint: parsing {quoted(resource_version)}: {problem}"
    raise statuses.StatusError(statuses.status(500, "", text))


def _require_current(scope: Scope, revision: int, entry: Entry) -> None:
    if revision == 0:
        # The kind is the resource's name here: there, too.
        kind = GroupKind(scope.about.group, scope.about.resource)
        error = invalid("metadata.resourceVersion", 0, "must be specified for an update")
        raise statuses.invalid(kind, scope.name, [error])
    if revision != entry.revision:
        raise statuses.conflict(scope.about, scope.name, STALE)


def _other_uid(scope: Scope, uid: str, found: str, *, dry_run: bool) -> statuses.StatusError:
    key = etcd_key(scope.resource, scope.object_namespace, scope.name, dry_run=dry_run)
    problem = (
        f"StorageError: invalid object, Code: 4, Key: {key}, ResourceVersion: 0, AdditionalErrorMsg: "
        f"Precondition failed: UID in precondition: {uid}, UID in object meta: {found}"
    )
    return statuses.conflict(scope.about, scope.name, problem)


def _prepare(machinery: Machinery, scope: Scope, obj: Object, old: Object, *, dry_run: bool) -> None:
    """Restore what may not change, and judge what does, in place (BeforeUpdate)."""
    rules.ensure_namespace(obj, scope.object_namespace)
    metadata, before = obj["metadata"], old["metadata"]
    metadata.pop("generation", None)
    if "generation" in before:
        metadata["generation"] = before["generation"]
    strategy = scope.strategy
    if not scope.subresource:
        strategy.allocate(obj, old, machinery.lookup, dry_run=dry_run)
    strategy.prepare_for_update(obj, old, scope.subresource)
    metadata = obj["metadata"]
    rules.keep(metadata, before)
    problems = strategy.validate_update(obj, old, scope.subresource)
    errors = update_errors(scope.resource, obj, old, problems, scope.subresource)
    if errors:
        scope.warn_all(strategy.warnings_of_refusal())
        raise statuses.invalid(scope.kind_of(obj), metadata.get("name", ""), errors)
    scope.warn_all(strategy.warnings(obj, old, scope.subresource))


def _ends(scope: Scope, obj: Object, old: Object) -> bool:
    """Whether this update takes away the last that held a deleted object (ShouldDeleteDuringUpdate)."""
    before = old["metadata"]
    if obj["metadata"].get("finalizers") or "deletionTimestamp" not in before:
        return False
    if before.get("deletionGracePeriodSeconds"):
        return False
    return scope.about != NAMESPACES or not (obj.get("spec") or {}).get("finalizers")
