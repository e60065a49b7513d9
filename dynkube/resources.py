"""What a server has, as values: `APIResource`, `APIGroup`, `ResourceMap`.

Discovery makes a `ResourceMap`, caches keep it, the `RESTMapper` reads it. It is never changed: a newer
state is another map.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from dynkube.schema import GroupVersion, GroupVersionKind, GroupVersionResource

__all__ = ["APIGroup", "APIResource", "APIResourceList", "ResourceMap"]


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

    def find(self, gvr: GroupVersionResource) -> APIResource | None:
        """The resource served there, None where there is none."""
        for resource in self.resources.get(GroupVersion(gvr.group, gvr.version), ()):
            if resource.name == gvr.resource:
                return resource
        return None

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
        """A map in which one group version has these resources, or failed."""
        found, failed = dict(self.resources), dict(self.failures)
        found.pop(group_version, None)
        failed.pop(group_version, None)
        if isinstance(resources, Exception):
            failed[group_version] = resources
        else:
            found[group_version] = tuple(resources)
        return replace(self, resources=found, failures=failed)
