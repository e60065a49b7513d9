"""Deletions: at once, after a grace period, or when finalizers are gone.

AS/registry/generic/registry/store.go (Delete), AS/registry/rest/delete.go (BeforeDelete). Namespaces
and CRDs begin their end in a way of their own: `endings`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from dynkube.quantities import format_time, parse_time
from dynkube.schema import GroupResource
from dynkube.testing.apiserver.registry import deletionrules
from dynkube.testing.apiserver.registry.admission import DELETE
from dynkube.testing.apiserver.registry.machinery import Machinery
from dynkube.testing.apiserver.registry.metadata import FOREGROUND, ORPHAN
from dynkube.testing.apiserver.registry.options import DeleteOptions
from dynkube.testing.apiserver.registry.sameness import is_same
from dynkube.testing.apiserver.registry.scope import Scope
from dynkube.testing.apiserver.storage.entries import Entry
from dynkube.testing.apiserver.words import statuses
from dynkube.testing.apiserver.words.resources import Object, Strategy

__all__ = ["Deletion", "check_preconditions", "delete"]


@dataclass(frozen=True, slots=True)
class Deletion:
    """What became of a deletion.

    Attributes:
        entry: The object as it goes on living, or as it was last.
        is_gone: Whether it is there no more (or would not be: dry run).
        status: What is answered; None where it is the object.
    """

    entry: Entry
    is_gone: bool
    status: dict[str, Any] | None = None


@dataclass(slots=True)
class _Grace:
    """What BeforeDelete finds: is there a grace period, does one run already, how long is it."""

    is_graceful: bool = False
    is_pending: bool = False
    seconds: int = 0


def delete(machinery: Machinery, scope: Scope, options: DeleteOptions) -> Deletion:
    """Delete an object, or begin to.

    Raises:
        StatusError: It is refused, or is not there.
    """
    entry = machinery.store.find(scope.resource, scope.object_namespace, scope.name)
    if entry is None:
        raise statuses.not_found(scope.about, scope.name)
    obj = entry.object()
    check_preconditions(scope, obj, options)
    grace = _begin_grace(machinery, scope, obj, options)
    if grace.is_pending:
        return _finished(scope, entry, is_gone=False)
    finalizers = obj["metadata"].get("finalizers", [])
    wanted = _finalizers(scope, finalizers, options)
    if not grace.is_graceful and not finalizers and not wanted:
        return _delete_now(machinery, scope, entry, options)
    machinery.admission.admit(scope, DELETE, None, entry.object(), dry_run=options.dry_run)
    machinery.admission.validate(scope, DELETE, None, entry.object(), dry_run=options.dry_run)
    _set_finalizers(obj, wanted)
    if not grace.is_graceful and wanted:
        _mark(machinery, obj)
    elif not grace.is_graceful:
        return _delete_now(machinery, scope, entry, options)
    entry = _written(machinery, scope, entry, obj, dry_run=options.dry_run)
    if wanted or grace.seconds > 0:
        return Deletion(entry, is_gone=False)
    if options.dry_run:
        return Deletion(entry, is_gone=True)
    return _delete_now(machinery, scope, entry, options, admitted=True)


def check_preconditions(scope: Scope, obj: Object, options: DeleteOptions) -> None:
    """Refuse a deletion that means another state of the object, or another object of its name.

    Raises:
        StatusError: 409.
    """
    metadata = obj["metadata"]
    # The kind stands where a resource should: there, too.
    about = GroupResource(scope.about.group, scope.resource.kind)
    if options.uid is not None and options.uid != metadata["uid"]:
        problem = (
            f"the UID in the precondition ({options.uid}) does not match the UID in record ({metadata['uid']}). "
            "The object might have been deleted and then recreated"
        )
        raise statuses.conflict(about, scope.name, problem)
    revision = metadata["resourceVersion"]
    if options.resource_version is not None and options.resource_version != revision:
        problem = (
            f"the ResourceVersion in the precondition ({options.resource_version}) does not match the "
            f"ResourceVersion in record ({revision}). The object might have been modified"
        )
        raise statuses.conflict(about, scope.name, problem)


# ------------------------------------------------------------------ grace


def _begin_grace(machinery: Machinery, scope: Scope, obj: Object, options: DeleteOptions) -> _Grace:
    """Set deletionTimestamp and grace period where the kind has one, in place (BeforeDelete)."""
    strategy = scope.resource.strategy
    if type(strategy).grace_period is Strategy.grace_period:
        return _Grace()
    requested = options.grace_period_seconds
    if requested is not None and requested < 0:
        requested = 1
    metadata = obj["metadata"]
    if "deletionTimestamp" in metadata:
        return _shorten(machinery, metadata, requested)
    seconds = strategy.grace_period(obj, requested)
    metadata["deletionTimestamp"] = format_time(machinery.clock() + timedelta(seconds=seconds))
    metadata["deletionGracePeriodSeconds"] = seconds
    _raise_generation(metadata)
    return _Grace(is_graceful=True, seconds=seconds)


def _shorten(machinery: Machinery, metadata: dict[str, Any], requested: int | None) -> _Grace:
    """Of what is being deleted a period can only become shorter."""
    current = metadata.get("deletionGracePeriodSeconds")
    if not current:
        return _Grace()
    if requested is None or requested >= current:
        return _Grace(is_pending=True)
    ends = parse_time(metadata["deletionTimestamp"]) - timedelta(seconds=current) + timedelta(seconds=requested)
    now = machinery.clock()
    if ends < now:
        ends = now
        # The kubelet still has to see it end, unless nobody is to wait at all.
        requested = min(requested, 1)
    metadata["deletionTimestamp"] = format_time(ends)
    metadata["deletionGracePeriodSeconds"] = requested
    return _Grace(is_graceful=True, seconds=requested)


# ------------------------------------------------------------------ finalizers


def _finalizers(scope: Scope, current: list[str], options: DeleteOptions) -> list[str]:
    """The finalizers with which it goes: those of the garbage collector as the options or its own say."""
    kept = [each for each in current if each not in (ORPHAN, FOREGROUND)]
    wanted = [*kept, *_collector_finalizers(scope, current, options)]
    return current if set(wanted) == set(current) else wanted


def _collector_finalizers(scope: Scope, current: list[str], options: DeleteOptions) -> list[str]:
    """The garbage collector's own that it goes with (shouldOrphanDependents, shouldDeleteDependents)."""
    if not deletionrules.is_collected(scope.about):
        return []
    if options.orphan_dependents is not None:
        return [ORPHAN] if options.orphan_dependents else []
    if options.propagation_policy is not None:
        return {"Orphan": [ORPHAN], "Foreground": [FOREGROUND]}.get(options.propagation_policy, [])
    own = [each for each in current if each in (ORPHAN, FOREGROUND)]
    if own:
        return own[:1]
    return [ORPHAN] if deletionrules.orphans_by_default(scope.about) else []


def _set_finalizers(obj: Object, wanted: list[str]) -> None:
    if wanted:
        obj["metadata"]["finalizers"] = wanted
    else:
        obj["metadata"].pop("finalizers", None)


def _mark(machinery: Machinery, obj: Object) -> None:
    """From now on it waits for its finalizers (markAsDeleting)."""
    metadata = obj["metadata"]
    if "deletionTimestamp" not in metadata:
        _raise_generation(metadata)
    now = machinery.now()
    if metadata.get("deletionTimestamp", now) >= now:
        metadata["deletionTimestamp"] = now
    metadata["deletionGracePeriodSeconds"] = 0


def _raise_generation(metadata: dict[str, Any]) -> None:
    if metadata.get("generation", 0) > 0:
        metadata["generation"] += 1


# ------------------------------------------------------------------ storage


def _written(machinery: Machinery, scope: Scope, entry: Entry, obj: Object, *, dry_run: bool) -> Entry:
    if is_same(obj, entry.object()):
        return entry
    return Entry(obj, entry.revision) if dry_run else machinery.store.update(scope.resource, obj)


def _delete_now(
    machinery: Machinery, scope: Scope, entry: Entry, options: DeleteOptions, *, admitted: bool = False
) -> Deletion:
    if not admitted:
        machinery.admission.admit(scope, DELETE, None, entry.object(), dry_run=options.dry_run)
        machinery.admission.validate(scope, DELETE, None, entry.object(), dry_run=options.dry_run)
    if not options.dry_run:
        entry = machinery.store.delete(scope.resource, entry.namespace, entry.name)
    return _finished(scope, entry, is_gone=True)


def _finished(scope: Scope, entry: Entry, *, is_gone: bool) -> Deletion:
    """What is answered (finalizeDelete)."""
    if deletionrules.returns_deleted(scope.about):
        return Deletion(entry, is_gone)
    about = {"name": entry.name, "group": scope.about.group, "kind": scope.about.resource, "uid": entry.uid}
    return Deletion(entry, is_gone, statuses.success({name: value for name, value in about.items() if value}))
