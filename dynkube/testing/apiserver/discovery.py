"""What is served, as discovery shows it: the legacy documents and the aggregated ones.

Built from the resources that are served, in the order that kube-aggregator lists them in
(kube-aggregator, apiserver/handler_apis.go; AS/endpoints/discovery/aggregated/handler.go).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from dynkube import codec
from dynkube.schema import GroupVersion, GroupVersionKind, kube_version_key
from dynkube.testing.apiserver import recorded
from dynkube.testing.apiserver.words.resources import Resource, Subresource

__all__ = ["AGGREGATED_VERSION", "Aggregated", "Discovery", "ServedVersion", "storage_version_hash"]

AGGREGATED_VERSION = GroupVersion("apidiscovery.k8s.io", "v2")
"""Of the aggregated documents. 1.36 serves no other: who asks for v2beta1 alone gets a 406."""

_AGGREGATED_PRIORITY = 1000, 100  # of a CRD's APIService (crdregistration_controller.go)


@dataclass(frozen=True, slots=True)
class Aggregated:
    """An aggregated document, and its ETag with the quotes."""

    document: Mapping[str, Any]
    etag: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedVersion:
    """One group version of discovery: what its APIService says, and what it has."""

    group: str
    version: str
    group_priority: int
    version_priority: int
    resources: Sequence[Resource] = ()
    is_local: bool = True
    """False for what an API behind this server serves: the legacy list of its resources is for that one to answer."""
    is_stale: bool = False
    """Whether that API does not answer: aggregated discovery says so, and lists none of its resources."""

    @property
    def api_version(self) -> str:
        """``apps/v1``."""
        return GroupVersion(self.group, self.version).api_version


class Discovery:
    """The documents of what is served; each is made when it is first asked for, and kept until `invalidate`.

    Args:
        resources: Gives all resources that are served now, built-in and custom.
        aggregated: Gives the group versions of APIs behind this server (`ControlPlane.break_group`).
        address: ``127.0.0.1:6443``, for clients of old.
    """

    def __init__(
        self,
        resources: Callable[[], Iterable[Resource]],
        address: str,
        aggregated: Callable[[], Iterable[ServedVersion]] = tuple,
    ) -> None:
        self._list_resources = resources
        self._list_aggregated = aggregated
        self._address = address
        self._made = _Documents(())
        self._is_stale = True

    def invalidate(self) -> None:
        """What is served has changed."""
        self._is_stale = True

    def api_versions(self) -> Mapping[str, Any]:
        """``/api``: the versions of the core group."""
        addresses = [{"clientCIDR": "0.0.0.0/0", "serverAddress": self._address}]
        return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": addresses}

    def api_groups(self) -> Mapping[str, Any]:
        """``/apis``: all groups but the core one."""
        return self._documents.api_groups

    def api_group(self, name: str) -> Mapping[str, Any] | None:
        """``/apis/<group>``; None for an unknown one."""
        return self._documents.by_group.get(name)

    def api_resources(self, group: str, version: str) -> Mapping[str, Any] | None:
        """``/api/v1`` and ``/apis/<group>/<version>``; None for one that has no resources here."""
        return self._documents.by_version.get((group, version))

    def aggregated_api(self) -> Aggregated:
        """``/api`` for who accepts an APIGroupDiscoveryList."""
        return self._documents.aggregated_api

    def aggregated_apis(self) -> Aggregated:
        """``/apis`` for who accepts an APIGroupDiscoveryList."""
        return self._documents.aggregated_apis

    @property
    def _documents(self) -> _Documents:
        if self._is_stale:
            self._made = _Documents([*_served_versions(self._list_resources()), *self._list_aggregated()])
            self._is_stale = False
        return self._made


def storage_version_hash(kind: GroupVersionKind) -> str:
    """Of the kind that a resource is stored as (AS/endpoints/discovery/storageversionhash.go).

    >>> storage_version_hash(GroupVersionKind("autoscaling", "v2", "HorizontalPodAutoscaler"))
    'qwQve8ut294='
    """
    digest = hashlib.sha256(f"{kind.group}/{kind.version}/{kind.kind}".encode()).digest()
    return base64.b64encode(digest[:8]).decode()


def _served_versions(resources: Iterable[Resource]) -> Iterator[ServedVersion]:
    found: dict[GroupVersion, list[Resource]] = {}
    for resource in resources:
        found.setdefault(resource.group_version, []).append(resource)
    for each, listed in found.items():
        group_priority, version_priority = recorded.priorities().get(each, _AGGREGATED_PRIORITY)
        yield ServedVersion(
            group=each.group,
            version=each.version,
            group_priority=group_priority,
            version_priority=version_priority,
            resources=sorted(listed, key=lambda one: one.gvr.resource),
        )


class _Documents:
    """The documents of one state of the server."""

    def __init__(self, served: Iterable[ServedVersion]) -> None:
        groups: dict[str, list[ServedVersion]] = {}
        for each in served:
            groups.setdefault(each.group, []).append(each)
        for versions in groups.values():
            versions.sort(key=lambda one: (-one.version_priority, kube_version_key(one.version)))
        self._groups = groups

    @cached_property
    def api_groups(self) -> Mapping[str, Any]:
        # By the name of the first APIService, which begins with the version (ByGroupPriorityMinimum).
        def place(versions: Sequence[ServedVersion]) -> tuple[int, str]:
            return min((-each.group_priority, f"{each.version}.{each.group}") for each in versions)

        ordered = sorted((each for name, each in self._groups.items() if name), key=place)
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_api_group(each) for each in ordered]}

    @cached_property
    def by_group(self) -> Mapping[str, Mapping[str, Any]]:
        head = {"kind": "APIGroup", "apiVersion": "v1"}
        return {name: head | _api_group(versions) for name, versions in self._groups.items() if name}

    @cached_property
    def by_version(self) -> Mapping[tuple[str, str], Mapping[str, Any]]:
        return {
            (each.group, each.version): _api_resources(each)
            for versions in self._groups.values()
            for each in versions
            if each.is_local
        }

    @cached_property
    def aggregated_api(self) -> Aggregated:
        return _aggregated([self._groups[""]] if "" in self._groups else [])

    @cached_property
    def aggregated_apis(self) -> Aggregated:
        def place(versions: Sequence[ServedVersion]) -> tuple[int, str]:
            return -max(each.group_priority for each in versions), versions[0].group

        return _aggregated(sorted((each for name, each in self._groups.items() if name), key=place))


# ------------------------------------------------------------------ legacy


def _api_group(versions: Sequence[ServedVersion]) -> dict[str, Any]:
    listed = [{"groupVersion": each.api_version, "version": each.version} for each in versions]
    return {"name": versions[0].group, "versions": listed, "preferredVersion": listed[0]}


def _api_resources(served: ServedVersion) -> dict[str, Any]:
    # The core group's goes without an apiVersion, for clients of old (AS/endpoints/discovery/version.go).
    head = {"kind": "APIResourceList"} | _filled(apiVersion="v1" if served.group else "")
    rows = [row for resource in served.resources for row in _legacy_rows(resource)]
    return head | {"groupVersion": served.api_version, "resources": rows}


def _legacy_rows(resource: Resource) -> Iterator[dict[str, Any]]:
    row: dict[str, Any] = {
        "name": resource.gvr.resource,
        "singularName": resource.singular,
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": list(resource.verbs),
    }
    yield row | _filled(
        shortNames=list(resource.short_names),
        categories=list(resource.categories),
        storageVersionHash=_storage_version_hash(resource),
    )
    for each in resource.subresources.values():
        foreign = each.kind.group_version != resource.group_version
        yield {
            "name": f"{resource.gvr.resource}/{each.name}",
            "singularName": "",
            "namespaced": resource.namespaced,
            **(_filled(group=each.kind.group, version=each.kind.version) if foreign else {}),
            "kind": each.kind.kind,
            "verbs": list(each.verbs),
        }


def _storage_version_hash(resource: Resource) -> str:
    if resource.is_custom:
        return storage_version_hash(GroupVersionKind(resource.gvr.group, resource.storage_version, resource.kind))
    return recorded.resource(resource.gvr).storage_version_hash


# ------------------------------------------------------------------ aggregated


def _aggregated(groups: Iterable[Sequence[ServedVersion]]) -> Aggregated:
    content = {"metadata": {}, "items": [_aggregated_group(each) for each in groups]}
    # The hash is of the list without its kind (AS/endpoints/discovery/aggregated/etag.go).
    digest = hashlib.sha512(codec.encode(content)).hexdigest().upper()
    head = {"kind": "APIGroupDiscoveryList", "apiVersion": AGGREGATED_VERSION.api_version}
    return Aggregated(head | content, f'"{digest}"')


def _aggregated_group(versions: Sequence[ServedVersion]) -> dict[str, Any]:
    listed = [
        {
            "version": each.version,
            **_filled(resources=[_aggregated_row(one) for one in each.resources]),
            "freshness": "Stale" if each.is_stale else "Current",
        }
        for each in versions
    ]
    return {"metadata": _filled(name=versions[0].group), "versions": listed}


def _aggregated_row(resource: Resource) -> dict[str, Any]:
    row = {
        "resource": resource.gvr.resource,
        "responseKind": _response_kind(resource, resource.gvk),
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.singular,
        "verbs": list(resource.verbs),
    }
    return row | _filled(
        shortNames=list(resource.short_names),
        categories=list(resource.categories),
        subresources=[_aggregated_subresource(resource, each) for each in resource.subresources.values()],
    )


def _aggregated_subresource(resource: Resource, subresource: Subresource) -> dict[str, Any]:
    return {
        "subresource": subresource.name,
        "responseKind": _response_kind(resource, subresource.kind),
        "verbs": list(subresource.verbs),
    }


def _response_kind(resource: Resource, kind: GroupVersionKind) -> dict[str, str]:
    """A built-in kind of the resource's own group version goes without both; a custom one never."""
    own = kind.group_version == resource.group_version and not resource.is_custom
    return {"group": "" if own else kind.group, "version": "" if own else kind.version, "kind": kind.kind}


def _filled(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value}
