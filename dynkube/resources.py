"""What a server has, as values: `APIResource`, `APIGroup`, `ResourceMap`.

Discovery makes a `ResourceMap`, caches keep it, the `RESTMapper` reads it. It is never changed: a newer
state is another map.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, TypeVar

from dynkube.errors import is_reason
from dynkube.schema import GroupResource, GroupVersion, GroupVersionKind, GroupVersionResource

__all__ = ["APIGroup", "APIResource", "APIResourceList", "ResourceMap", "filtered_by"]

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class APIResource:
    """A resource, or a subresource, in one version.

    Attributes:
        name: the plural (``"pods"``), for a subresource with its resource (``"pods/exec"``).
        group_version: where it is served.
        gvk: the kind that it speaks; for a subresource often of another group
            (``deployments/scale`` speaks ``autoscaling/v1, Kind=Scale``).
        namespaced: whether its objects live in namespaces.
        singular_name: ``"pod"``.
        verbs: RBAC's verbs that it serves.
        short_names: ``("po",)``.
        categories: ``("all",)``.
        storage_version_hash: changes when the server stores another version.

    Example:
        >>> exec_ = APIResource(name="pods/exec", group_version=GroupVersion("", "v1"),
        ...     gvk=GroupVersionKind("", "v1", "PodExecOptions"), namespaced=True)
        >>> exec_.resource, exec_.subresource
        ('pods', 'exec')
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
        """The plural name, without a subresource."""
        return self.name.partition("/")[0]

    @property
    def subresource(self) -> str:
        """The subresource's name, ``""`` for a resource."""
        return self.name.partition("/")[2]

    @property
    def gvr(self) -> GroupVersionResource:
        """Where its objects are served."""
        return self.group_version.with_resource(self.resource)

    @property
    def group_resource(self) -> GroupResource:
        """Where its objects are served, in any version."""
        return GroupResource(self.group_version.group, self.resource)

    @property
    def kind(self) -> str:
        """The kind's name."""
        return self.gvk.kind

    @property
    def group(self) -> str:
        """The API group that serves it."""
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
        """Whether it serves all of these verbs (client-go's SupportsAllVerbs)."""
        return all(verb in self.verbs for verb in verbs)


@dataclass(frozen=True, slots=True)
class APIGroup:
    """An API group; the core group's name is ``""``.

    Attributes:
        name: the group's name.
        versions: in the server's order of preference.
        preferred_version: the version to use where nothing else is said.
    """

    name: str
    versions: tuple[str, ...]
    preferred_version: str = ""

    def group_versions(self) -> tuple[GroupVersion, ...]:
        """Its versions as group versions."""
        return tuple(GroupVersion(self.name, version) for version in self.versions)

    def __post_init__(self) -> None:
        if not self.preferred_version and self.versions:
            object.__setattr__(self, "preferred_version", self.versions[0])


@dataclass(frozen=True, slots=True)
class APIResourceList:
    """The resources of one group version; an immutable sequence in all but name."""

    group_version: GroupVersion
    resources: tuple[APIResource, ...] = ()

    def __iter__(self) -> Iterator[APIResource]:
        return iter(self.resources)

    def __len__(self) -> int:
        return len(self.resources)

    def filtered(self, keep: Callable[[APIResource], bool]) -> APIResourceList:
        """The same list with the resources that ``keep`` picks (client-go's FilteredBy)."""
        return APIResourceList(self.group_version, tuple(each for each in self.resources if keep(each)))


@dataclass(frozen=True, slots=True)
class ResourceMap:
    """Everything that discovery found, and what it could not find out.

    Attributes:
        groups: in the server's order, which is their priority; the core group first.
        resources: the resources of each group version, subresources included.
        failures: the error of each group version that could not be discovered.
    """

    groups: tuple[APIGroup, ...] = ()
    resources: Mapping[GroupVersion, tuple[APIResource, ...]] = field(default_factory=dict)
    failures: Mapping[GroupVersion, Exception] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "resources", MappingProxyType(dict(self.resources)))
        object.__setattr__(self, "failures", MappingProxyType(dict(self.failures)))

    def __reduce__(self) -> tuple[Any, ...]:  # a mapping proxy cannot be pickled or copied deeply
        return (ResourceMap, (self.groups, dict(self.resources), dict(self.failures)))

    def group(self, name: str) -> APIGroup | None:
        """The group of that name."""
        return next((group for group in self.groups if group.name == name), None)

    def group_versions(self) -> tuple[GroupVersion, ...]:
        """Every group version, by priority."""
        return tuple(version for group in self.groups for version in group.group_versions())

    def resource_lists(self) -> tuple[APIResourceList, ...]:
        """The resources of each group version that was discovered, by priority."""
        return tuple(
            APIResourceList(version, self.resources[version])
            for version in self.group_versions()
            if version in self.resources
        )

    def find(self, gvr: GroupVersionResource, subresource: str = "") -> APIResource | None:
        """The resource served there, or the subresource of it; None where there is none."""
        name = f"{gvr.resource}/{subresource}" if subresource else gvr.resource
        for resource in self.resources.get(GroupVersion(gvr.group, gvr.version), ()):
            if resource.name == name:
                return resource
        return None

    def gvrs(self) -> tuple[GroupVersionResource, ...]:
        """Every resource, without subresources, by priority (CG/discovery/helper.go, GroupVersionResources)."""
        return tuple(each.gvr for served in self.resource_lists() for each in served if not each.subresource)

    def is_resource_enabled(self, gvr: GroupVersionResource) -> bool:
        """Whether the server serves that resource (CG/discovery/helper.go).

        Raises:
            Exception: the error of its group version, where that could not be discovered; a 404 means no.
        """
        failure = self.failures.get(gvr.group_version)
        if failure is not None and not is_reason(failure, "NotFound"):
            raise failure
        return self.find(gvr) is not None

    def supports_version(self, group_version: GroupVersion) -> bool:
        """Whether the server has that group version.

        A server that shows no groups at all most likely forbids to look: then it counts as there
        (CG/discovery/helper.go, ServerSupportsVersion).
        """
        return not self.groups or group_version in self.group_versions()

    def subresources_of(self, gvr: GroupVersionResource) -> tuple[APIResource, ...]:
        """The subresources of a resource."""
        prefix = f"{gvr.resource}/"
        served = self.resources.get(GroupVersion(gvr.group, gvr.version), ())
        return tuple(resource for resource in served if resource.name.startswith(prefix))

    def preferred_resources(self) -> tuple[APIResourceList, ...]:
        """Each resource once: in its group's preferred version, else in the first that has it.

        Subresources are left out; a group version of which nothing was chosen stays, empty
        (CG/discovery/discovery_client.go, ServerPreferredResources).
        """
        return tuple(chosen for group in self.groups for chosen in self._preferred_in(group))

    def preferred_namespaced_resources(self) -> tuple[APIResourceList, ...]:
        """Those of `preferred_resources` that live in namespaces; lists without any are dropped."""
        return filtered_by(lambda resource: resource.namespaced, self.preferred_resources())

    def _preferred_in(self, group: APIGroup) -> Iterator[APIResourceList]:
        home: dict[str, str] = {}
        first = [group.preferred_version, *group.versions]
        for version in first:
            for resource in self.resources.get(GroupVersion(group.name, version), ()):
                home.setdefault(resource.name, version)
        for group_version in group.group_versions():
            if group_version not in self.resources:
                continue
            served = self.resources[group_version]
            chosen = (each for each in served if not each.subresource and home[each.name] == group_version.version)
            yield APIResourceList(group_version, tuple(chosen))

    def replace_group_version(
        self, group_version: GroupVersion, resources: Iterable[APIResource] | Exception
    ) -> ResourceMap:
        """A map in which one group version has these resources, or failed.

        A version that no group had so far becomes the last of its group, and a new group the last group.
        """
        found, failed = _without(self.resources, group_version), _without(self.failures, group_version)
        if isinstance(resources, Exception):
            failed[group_version] = resources
            return replace(self, resources=found, failures=failed)
        found[group_version] = tuple(resources)
        return ResourceMap(self._groups_with(group_version), found, failed)

    def without_group_version(self, group_version: GroupVersion) -> ResourceMap:
        """A map without one group version; a group goes with its last version."""
        groups = (_shrunk(each, group_version) for each in self.groups)
        return ResourceMap(
            tuple(each for each in groups if each.versions or each.name != group_version.group),
            _without(self.resources, group_version),
            _without(self.failures, group_version),
        )

    def replace_group(
        self,
        group: APIGroup,
        resources: Mapping[GroupVersion, Iterable[APIResource]],
        failures: Mapping[GroupVersion, Exception] | None = None,
    ) -> ResourceMap:
        """A map that knows only this of one group, in the group's old place; a new group comes last."""
        others = self.without_group(group.name)
        names = [each.name for each in self.groups]
        place = names.index(group.name) if group.name in names else len(names)
        return ResourceMap(
            (*others.groups[:place], group, *others.groups[place:]),
            {**others.resources, **{version: tuple(each) for version, each in resources.items()}},
            {**others.failures, **(failures or {})},
        )

    def without_group(self, name: str) -> ResourceMap:
        """A map without a group and all that is known of it."""
        return ResourceMap(
            tuple(each for each in self.groups if each.name != name),
            {version: each for version, each in self.resources.items() if version.group != name},
            {version: each for version, each in self.failures.items() if version.group != name},
        )

    def _groups_with(self, wanted: GroupVersion) -> tuple[APIGroup, ...]:
        group = self.group(wanted.group)
        if group is None:
            return (*self.groups, APIGroup(wanted.group, (wanted.version,)))
        if wanted.version in group.versions:
            return self.groups
        grown = replace(group, versions=(*group.versions, wanted.version))
        return tuple(grown if each is group else each for each in self.groups)


def filtered_by(keep: Callable[[APIResource], bool], lists: Iterable[APIResourceList]) -> tuple[APIResourceList, ...]:
    """The lists with the resources that ``keep`` picks; those left with none are dropped (client-go's FilteredBy)."""
    return tuple(kept for kept in (each.filtered(keep) for each in lists) if kept.resources)


def _shrunk(group: APIGroup, gone: GroupVersion) -> APIGroup:
    if group.name != gone.group or gone.version not in group.versions:
        return group
    left = tuple(version for version in group.versions if version != gone.version)
    return APIGroup(group.name, left, "" if group.preferred_version == gone.version else group.preferred_version)


def _without(mapping: Mapping[GroupVersion, _Value], key: GroupVersion) -> dict[GroupVersion, _Value]:
    return {each: value for each, value in mapping.items() if each != key}
