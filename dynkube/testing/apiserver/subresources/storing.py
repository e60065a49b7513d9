"""Writes that go past the registry's rules, as some subresources of the real server do (Storage.GuaranteedUpdate)."""

from __future__ import annotations

from dynkube.testing.apiserver.registry.etcdkeys import etcd_key
from dynkube.testing.apiserver.registry.sameness import is_same
from dynkube.testing.apiserver.storage import Entry
from dynkube.testing.apiserver.subresources.shapes import Call
from dynkube.testing.apiserver.words import statuses
from dynkube.testing.apiserver.words.resources import Object, Resource

__all__ = ["require", "store"]


def require(call: Call, resource: Resource, *, uid: str = "", resource_version: str = "") -> Entry:
    """The object of a call, which has to be this one, in this state.

    Raises:
        StatusError: 404, it is not there; 409, it is another one.
    """
    namespace, name = call.scope.namespace, call.scope.name
    entry = call.registry.store.get(resource, namespace, name)
    key = etcd_key(resource, namespace, name)
    for word, wanted, found in (
        ("UID", uid, entry.uid),
        ("ResourceVersion", resource_version, str(entry.revision)),
    ):
        if wanted and wanted != found:
            problem = (
                f"StorageError: invalid object, Code: 4, Key: {key}, ResourceVersion: 0, AdditionalErrorMsg: "
                f"Precondition failed: {word} in precondition: {wanted}, {word} in object meta: {found}"
            )
            raise statuses.conflict(resource.group_resource, name, problem)
    return entry


def store(call: Call, resource: Resource, obj: Object, entry: Entry) -> Entry:
    """Write a changed object, unless nothing changed or it is a dry run."""
    if call.options.dry_run or is_same(obj, entry.object()):
        return entry
    return call.registry.store.update(resource, obj)
