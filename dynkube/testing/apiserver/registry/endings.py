"""How the end of a namespace and of a CRD begins: others clean up first.

pkg/registry/core/namespace/storage/storage.go, XS/registry/customresourcedefinition/etcd.go.
"""

from __future__ import annotations

from typing import Any

from dynkube.schema import GroupResource
from dynkube.testing.apiserver.registry.admission import DELETE
from dynkube.testing.apiserver.registry.deletion import Deletion, delete
from dynkube.testing.apiserver.registry.machinery import Machinery
from dynkube.testing.apiserver.registry.metadata import FOREGROUND, ORPHAN
from dynkube.testing.apiserver.registry.options import DeleteOptions
from dynkube.testing.apiserver.registry.sameness import is_same
from dynkube.testing.apiserver.registry.scope import Scope
from dynkube.testing.apiserver.storage.entries import Entry
from dynkube.testing.apiserver.words import statuses
from dynkube.testing.apiserver.words.resources import Object

__all__ = ["CRDS", "delete_definition", "delete_namespace"]

CRDS = GroupResource("apiextensions.k8s.io", "customresourcedefinitions")


def delete_namespace(machinery: Machinery, scope: Scope, options: DeleteOptions) -> Deletion:
    """The first deletion says that a namespace ends; one after its content is gone removes it.

    Raises:
        StatusError: It is refused, or is not there.
    """
    entry = _find(machinery, scope, options)
    obj = entry.object()
    if "deletionTimestamp" not in obj["metadata"]:
        machinery.admission.admit(scope, DELETE, None, entry.object(), dry_run=options.dry_run)
        machinery.admission.validate(scope, DELETE, None, entry.object(), dry_run=options.dry_run)
        obj["metadata"]["deletionTimestamp"] = machinery.now()
        obj.setdefault("status", {})["phase"] = "Terminating"
        _set_collector_finalizers(obj["metadata"], options)
        return Deletion(_store(machinery, scope, entry, obj, options), is_gone=False)
    if (obj.get("spec") or {}).get("finalizers"):
        return Deletion(entry, is_gone=False)
    return delete(machinery, scope, options)


def delete_definition(machinery: Machinery, scope: Scope, options: DeleteOptions) -> Deletion:
    """The first deletion says that a CRD ends, and waits until its objects are gone.

    Raises:
        StatusError: It is refused, or is not there.
    """
    entry = _find(machinery, scope, options)
    obj = entry.object()
    if "deletionTimestamp" in obj["metadata"]:
        return delete(machinery, scope, options)
    machinery.admission.admit(scope, DELETE, None, entry.object(), dry_run=options.dry_run)
    machinery.admission.validate(scope, DELETE, None, entry.object(), dry_run=options.dry_run)
    from dynkube.testing.apiserver.customresources.conditions import mark_for_deletion  # only CRDs need it

    mark_for_deletion(obj, machinery.now())
    return Deletion(_store(machinery, scope, entry, obj, options), is_gone=False)


def _find(machinery: Machinery, scope: Scope, options: DeleteOptions) -> Entry:
    """The object, if it meets the preconditions: their words are others here than for other kinds."""
    entry = machinery.store.find(scope.resource, "", scope.name)
    if entry is None:
        raise statuses.not_found(scope.about, scope.name)
    for name, wanted, found in (
        ("UID", options.uid, entry.uid),
        ("ResourceVersion", options.resource_version, str(entry.revision)),
    ):
        if wanted is not None and wanted != found:
            problem = f"Precondition failed: {name} in precondition: {wanted}, {name} in object meta: {found}"
            raise statuses.conflict(scope.about, scope.name, problem)
    return entry


def _set_collector_finalizers(metadata: dict[str, Any], options: DeleteOptions) -> None:
    current = metadata.get("finalizers", [])
    kept = [each for each in current if each not in (ORPHAN, FOREGROUND)]
    if options.orphan_dependents is not None:
        kept.append(ORPHAN if options.orphan_dependents else FOREGROUND)
    elif options.propagation_policy is not None:
        kept += {"Orphan": [ORPHAN], "Foreground": [FOREGROUND]}.get(options.propagation_policy, [])
    else:
        kept = current
    if kept:
        metadata["finalizers"] = kept
    else:
        metadata.pop("finalizers", None)


def _store(machinery: Machinery, scope: Scope, entry: Entry, obj: Object, options: DeleteOptions) -> Entry:
    if is_same(obj, entry.object()):
        return entry
    return Entry(obj, entry.revision) if options.dry_run else machinery.store.update(scope.resource, obj)
