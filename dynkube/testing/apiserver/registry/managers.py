"""Who manages which field, on every write (`fieldmanagement` knows how)."""

from __future__ import annotations

from functools import partial
from typing import Any

from dynkube.schema import GroupVersion
from dynkube.testing.apiserver import fieldmanagement
from dynkube.testing.apiserver.fieldmanagement import Version
from dynkube.testing.apiserver.registry.catalog import Catalog
from dynkube.testing.apiserver.registry.machinery import Machinery
from dynkube.testing.apiserver.registry.options import WriteOptions
from dynkube.testing.apiserver.registry.scope import Scope
from dynkube.testing.apiserver.words.resources import Object, Resource

__all__ = ["FieldVersions", "keep_reset", "track_apply", "track_update"]


class FieldVersions:
    """What field management needs to know of the versions of resources; made once for each."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._generation = catalog.generation
        self._made: dict[Resource, Version] = {}

    def of(self, resource: Resource) -> Version:
        """One version."""
        if self._generation != self._catalog.generation:
            self._made.clear()
            self._generation = self._catalog.generation
        version = self._made.get(resource)
        if version is None:
            version = self._made[resource] = _version(resource)
        return version

    def find(self, resource: Resource, api_version: str) -> Version | None:
        """The version of the same objects that an entry of managedFields speaks; None where there is none."""
        if api_version == resource.group_version.api_version:
            return self.of(resource)
        for each in self._catalog:
            if each.storage_resource == resource.storage_resource and each.group_version.api_version == api_version:
                return self.of(each)
        return _unserved(resource, api_version)


def _unserved(resource: Resource, api_version: str) -> Version | None:
    group, _, version = api_version.rpartition("/")
    load_schema = resource.unserved.get(version) if group == resource.gvr.group else None
    if load_schema is None:
        return None
    return Version(
        api_version=api_version,
        kind=resource.kind,
        load_schema=load_schema,
        convert=partial(_convert, resource, GroupVersion(group, version)),
        empty={"apiVersion": api_version, "kind": resource.kind},
        is_custom=resource.is_custom,
    )


def _version(resource: Resource) -> Version:
    group_version = resource.group_version
    empty: Object = {"apiVersion": group_version.api_version, "kind": resource.kind}
    if not resource.is_custom:
        empty["metadata"] = {}
        resource.strategy.normalize(empty, group_version)
    return Version(
        api_version=group_version.api_version,
        kind=resource.kind,
        load_schema=resource.load_schema,
        convert=partial(_convert, resource, group_version),
        empty=empty,
        is_custom=resource.is_custom,
    )


def _convert(resource: Resource, to: GroupVersion, obj: Object) -> Object:
    if resource.is_custom:  # without pruning: a field that the other version does not have is a problem
        return {**obj, "apiVersion": to.api_version}
    return resource.strategy.convert(obj, to)


def keep_reset(sent: Any, obj: Object) -> None:
    """Note in a normalized object, in place, that its client sent an empty list of managers: nobody is to own anything.

    To a Go type it is there and empty, in our objects what is empty is not there.
    """
    metadata = sent.get("metadata") if isinstance(sent, dict) else None
    if isinstance(metadata, dict) and metadata.get("managedFields") == []:
        obj["metadata"]["managedFields"] = []


def track_update(machinery: Machinery, scope: Scope, live: Object | None, obj: Object, options: WriteOptions) -> Object:
    """``obj``, which is in the request's version, with the managers of its fields after a create or an update."""
    versions = machinery.field_versions
    return fieldmanagement.update(
        live,
        obj,
        version=versions.of(scope.resource),
        versions=partial(versions.find, scope.resource),
        manager=options.manager,
        now=machinery.now(),
        subresource=scope.subresource,
        reset_fields=scope.strategy.reset_fields(scope.subresource),
    )


def track_apply(machinery: Machinery, scope: Scope, live: Object | None, obj: Object, options: WriteOptions) -> Object:
    """What applying ``obj``, in the request's version, leads to, with its managers.

    Raises:
        StatusError: 409, others manage what is applied; and more.
    """
    versions = machinery.field_versions
    return fieldmanagement.apply(
        live,
        obj,
        version=versions.of(scope.resource),
        versions=partial(versions.find, scope.resource),
        manager=options.manager,
        now=machinery.now(),
        force=options.force,
        subresource=scope.subresource,
        reset_fields=scope.strategy.reset_fields(scope.subresource),
    )
