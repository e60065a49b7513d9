"""What a server serves, as values: one resource, one group, and the map of everything.

A `ResourceMap` is what discovery makes of the server's documents, whether aggregated or legacy.
It never changes: a newer document makes a new map. What could not be discovered is in
``failures`` as data, so one broken aggregated API does not hide the others.

Where client-go has ``metav1.APIResource``, ``APIGroup`` and ``APIResourceList``, and the helpers of
``discovery/helper.go``, these are their places here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any, TypeVar

from dynkube.errors import is_reason
from dynkube.schema import GroupResource, GroupVersion, GroupVersionKind, GroupVersionResource

__all__ = [
    "APIGroup",
    "APIResource",
    "APIResourceList",
    "ResourceMap",
    "ResourcePredicate",
    "filtered_by",
    "supports_all_verbs",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class APIResource:
    """One resource, or subresource, that the server serves.

    Attributes:
        name: plural name, with a slash for a subresource: ``pods``, ``pods/exec``.
        group_version: where it is served.
        gvk: the type of its objects; for a subresource it may be of another group
            (``deployments/scale`` is an ``autoscaling/v1`` Scale).
        namespaced: whether its objects live in a namespace.
        singular_name: what to call one, ``""`` where the server does not say.
        verbs: what can be done with it, in the server's words: ``get``, ``list``, ``deletecollection``.
        short_names: as in ``kubectl get po``.
        categories: groups of resources that it belongs to, such as ``all``.
        storage_version_hash: opaque; changes with the version that the server stores.

    >>> scale = APIResource(
    ...     name="deployments/scale",
    ...     group_version=GroupVersion("apps", "v1"),
    ...     gvk=GroupVersionKind("autoscaling", "v1", "Scale"),
    ...     namespaced=True,
    ...     verbs=("get", "patch", "update"),
    ... )
    >>> scale.resource, scale.subresource, scale.supports("get", "update"), scale.supports("delete")
    ('deployments', 'scale', True, False)
    """

    name: str
    group_version: GroupVersion
    gvk: GroupVersionKind
    namespaced: bool
    singular_name: str = ""
    verbs: tuple[str, ...] = ()
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    storage_version_hash: str = ""

    @property
    def resource(self) -> str:
        """The plural name of the resource, without a subresource."""
        return self.name.partition("/")[0]

    @property
    def subresource(self) -> str:
        """What follows the slash in the name, ``""`` for a resource."""
        return self.name.partition("/")[2]

    @property
    def gvr(self) -> GroupVersionResource:
        """Where it is served; for a subresource, the resource that it belongs to."""
        return self.group_version.with_resource(self.resource)

    @property
    def group_resource(self) -> GroupResource:
        """`gvr` without the version."""
        return GroupResource(self.group_version.group, self.resource)

    @property
    def kind(self) -> str:
        """The kind of its objects."""
        return self.gvk.kind

    @property
    def group(self) -> str:
        """The group that serves it."""
        return self.group_version.group

    @property
    def version(self) -> str:
        """The version that serves it."""
        return self.group_version.version

    @property
    def scope(self) -> str:
        """``"Namespaced"`` or ``"Cluster"``."""
        return "Namespaced" if self.namespaced else "Cluster"

    def supports(self, *verbs: str) -> bool:
        """Whether the server offers every one of these verbs on it."""
        return all(verb in self.verbs for verb in verbs)


@dataclass(frozen=True, slots=True)
class APIGroup:
    """An API group with its versions, in the server's order.

    ``preferred_version`` is the server's choice; without one it is the first version.
    """

    name: str
    versions: tuple[str, ...]
    preferred_version: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "versions", tuple(self.versions))
        if not self.preferred_version and self.versions:
            object.__setattr__(self, "preferred_version", self.versions[0])

    @property
    def group_versions(self) -> tuple[GroupVersion, ...]:
        """Its versions as `GroupVersion`, in the server's order."""
        return tuple(GroupVersion(self.name, version) for version in self.versions)


@dataclass(frozen=True, slots=True)
class APIResourceList:
    """The resources of one group version, subresources included."""

    group_version: GroupVersion
    resources: tuple[APIResource, ...] = ()

    def __iter__(self) -> Iterator[APIResource]:
        return iter(self.resources)

    def __len__(self) -> int:
        return len(self.resources)


_Value = TypeVar("_Value")

ResourcePredicate = Callable[[GroupVersion, APIResource], bool]


def supports_all_verbs(*verbs: str) -> ResourcePredicate:
    """A predicate for `filtered_by`: resources that have all these verbs."""
    return lambda _, resource: resource.supports(*verbs)


def filtered_by(predicate: ResourcePredicate, lists: Iterable[APIResourceList]) -> tuple[APIResourceList, ...]:
    """The lists with only those resources for which the predicate holds; emptied lists are dropped."""
    kept = (
        APIResourceList(each.group_version, tuple(r for r in each if predicate(each.group_version, r)))
        for each in lists
    )
    return tuple(each for each in kept if each.resources)


@dataclass(frozen=True)
class ResourceMap:
    """Everything that a server serves, as far as discovery saw it. Immutable.

    Attributes:
        groups: the API groups in the server's order, which is their priority; the core group
            (``""``) first.
        resources: by group version, its resources and subresources in the server's order.
        failures: group versions that could not be discovered, with the error of each.
    """

    groups: tuple[APIGroup, ...] = ()
    resources: Mapping[GroupVersion, tuple[APIResource, ...]] = field(default_factory=dict)
    failures: Mapping[GroupVersion, Exception] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "groups", tuple(self.groups))
        served = {version: tuple(each) for version, each in self.resources.items()}
        object.__setattr__(self, "resources", MappingProxyType(served))
        object.__setattr__(self, "failures", MappingProxyType(dict(self.failures)))

    def __reduce__(self) -> tuple[Any, ...]:
        return (ResourceMap, (self.groups, dict(self.resources), dict(self.failures)))

    # ---------------------------------------------------------------- looking up

    def group(self, name: str) -> APIGroup | None:
        """The group of that name (``""`` for the core group), or None."""
        return self._groups_by_name.get(name)

    def group_versions(self) -> tuple[GroupVersion, ...]:
        """The group versions with resources, in priority order of groups and server order of versions."""
        listed = [version for group in self.groups for version in group.group_versions if version in self.resources]
        seen = set(listed)
        return (*listed, *(version for version in self.resources if version not in seen))

    def resource_lists(self) -> tuple[APIResourceList, ...]:
        """Every group version with its resources; what failed is left out."""
        return tuple(APIResourceList(version, self.resources[version]) for version in self.group_versions())

    def find(self, gvr: GroupVersionResource, subresource: str = "") -> APIResource | None:
        """The resource that is served there under exactly that plural name, or None."""
        return self._by_gvr.get((gvr, subresource))

    def subresources_of(self, gvr: GroupVersionResource) -> tuple[APIResource, ...]:
        """The subresources of a resource, in the server's order."""
        served = self.resources.get(gvr.group_version, ())
        return tuple(each for each in served if each.subresource and each.resource == gvr.resource)

    def gvrs(self) -> tuple[GroupVersionResource, ...]:
        """Every resource, without subresources, in priority order (GroupVersionResources)."""
        return tuple(each.gvr for served in self.resource_lists() for each in served if not each.subresource)

    def failure_of(self, group_version: GroupVersion) -> Exception | None:
        """Why that group version could not be discovered; None when it could, or is unknown."""
        return self.failures.get(group_version)

    def preferred_resources(self) -> tuple[APIResourceList, ...]:
        """Each resource once, in the version that the server prefers (ServerPreferredResources).

        That is the group's preferred version where it has the resource, else the first version in
        the server's order that does. Subresources are left out; a group version of which nothing
        is chosen stays as an empty list.
        """
        chosen = self._preferred_versions()
        return tuple(
            APIResourceList(
                served.group_version,
                tuple(r for r in served if not r.subresource and chosen[r.group_resource] == r.version),
            )
            for served in self.resource_lists()
        )

    def preferred_namespaced_resources(self) -> tuple[APIResourceList, ...]:
        """`preferred_resources` that live in a namespace; empty lists are dropped."""
        return filtered_by(lambda _, resource: resource.namespaced, self.preferred_resources())

    def is_resource_enabled(self, gvr: GroupVersionResource) -> bool:
        """Whether the server serves that resource.

        Raises:
            Exception: the discovery error of its group version, unless that was a 404.
        """
        failure = self.failure_of(gvr.group_version)
        if failure is not None and not is_reason(failure, "NotFound"):
            raise failure
        return self.find(gvr) is not None

    def supports_version(self, group_version: GroupVersion) -> bool:
        """Whether the server has that group version; True when it shows no groups at all.

        A server that shows nothing most likely forbids discovery (ServerSupportsVersion).
        """
        return not self.groups or any(group_version in group.group_versions for group in self.groups)

    # ---------------------------------------------------------------- newer maps

    def replace_group_version(self, group_version: GroupVersion, resources: Iterable[APIResource]) -> ResourceMap:
        """A map with these resources in that group version; its failure is forgotten.

        A version or group that is new comes last.
        """
        return ResourceMap(
            self._groups_with(group_version),
            {**self.resources, group_version: tuple(resources)},
            _without(self.failures, group_version),
        )

    def with_failure(self, group_version: GroupVersion, error: Exception) -> ResourceMap:
        """A map in which discovery of that group version has failed; its resources are gone."""
        return ResourceMap(
            self.groups, _without(self.resources, group_version), {**self.failures, group_version: error}
        )

    def without_group_version(self, group_version: GroupVersion) -> ResourceMap:
        """A map without that group version; a group goes with its last version."""
        groups = tuple(_drop_version(group, group_version) for group in self.groups)
        return ResourceMap(
            tuple(group for group in groups if group.versions or group.name != group_version.group),
            _without(self.resources, group_version),
            _without(self.failures, group_version),
        )

    def replace_group(
        self,
        group: APIGroup,
        resources: Mapping[GroupVersion, Iterable[APIResource]],
        failures: Mapping[GroupVersion, Exception] | None = None,
    ) -> ResourceMap:
        """A map in which all that is known of one group is this; a group that is new comes last."""
        others = self.without_group(group.name)
        known = [each.name for each in self.groups]
        at = known.index(group.name) if group.name in known else len(known)
        return ResourceMap(
            (*others.groups[:at], group, *others.groups[at:]),
            {**others.resources, **{version: tuple(each) for version, each in resources.items()}},
            {**others.failures, **(failures or {})},
        )

    def without_group(self, name: str) -> ResourceMap:
        """A map without that group (``""`` for the core group)."""
        return ResourceMap(
            tuple(group for group in self.groups if group.name != name),
            {version: each for version, each in self.resources.items() if version.group != name},
            {version: each for version, each in self.failures.items() if version.group != name},
        )

    # ---------------------------------------------------------------- indexes, built when first used

    @cached_property
    def _groups_by_name(self) -> dict[str, APIGroup]:
        return {group.name: group for group in reversed(self.groups)}

    @cached_property
    def _by_gvr(self) -> dict[tuple[GroupVersionResource, str], APIResource]:
        served = (each for resources in self.resources.values() for each in reversed(resources))
        return {(each.gvr, each.subresource): each for each in served}

    def _preferred_versions(self) -> dict[GroupResource, str]:
        chosen: dict[GroupResource, str] = {}
        for served in self.resource_lists():
            version = served.group_version.version
            group = self.group(served.group_version.group)
            preferred = group is not None and group.preferred_version == version
            for each in served:
                if each.subresource:
                    continue
                if preferred or each.group_resource not in chosen:
                    chosen[each.group_resource] = version
        return chosen

    def _groups_with(self, wanted: GroupVersion) -> tuple[APIGroup, ...]:
        group = self.group(wanted.group)
        if group is None:
            return (*self.groups, APIGroup(wanted.group, (wanted.version,), wanted.version))
        if wanted.version in group.versions:
            return self.groups
        grown = replace(group, versions=(*group.versions, wanted.version))
        return tuple(grown if each.name == wanted.group else each for each in self.groups)


def _drop_version(group: APIGroup, gone: GroupVersion) -> APIGroup:
    if group.name != gone.group or gone.version not in group.versions:
        return group
    left = tuple(version for version in group.versions if version != gone.version)
    return APIGroup(group.name, left, "" if group.preferred_version == gone.version else group.preferred_version)


def _without(mapping: Mapping[GroupVersion, _Value], key: GroupVersion) -> dict[GroupVersion, _Value]:
    return {each: value for each, value in mapping.items() if each != key}
