"""What is served: resources by group, version and plural; custom ones come and go."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from dynkube.schema import GroupKind, GroupResource, GroupVersion, GroupVersionResource
from dynkube.testing.apiserver.words.resources import Resource

__all__ = ["Catalog"]


class Catalog:
    """The table of resources, in the order in which they were added.

    Attributes:
        generation: Rises with every change: what was computed of an older one is stale.
    """

    def __init__(self, resources: Iterable[Resource] = ()) -> None:
        self.generation = 0
        self._resources: dict[GroupVersionResource, Resource] = {}
        self._listeners: list[Callable[[], None]] = []
        self._groups: dict[str, dict[str, None]] = {}
        self._built_in_groups: frozenset[str] = frozenset()
        self._extend(resources)
        self._built_in_groups = frozenset(self._groups)

    def __iter__(self) -> Iterator[Resource]:
        return iter(self._resources.values())

    def lookup(self, group: str, version: str, plural: str) -> Resource | None:
        """The resource of this name in this version, if it is served."""
        return self._resources.get(GroupVersionResource(group, version, plural))

    def versions(self, resource: GroupResource) -> Sequence[Resource]:
        """One resource in all its served versions."""
        return [each for each in self if each.group_resource == resource]

    def find_kind(self, kind: GroupKind, version: str = "") -> Resource | None:
        """What serves a kind, in this version or in any."""
        return next(
            (each for each in self if each.group_kind == kind and version in ("", each.gvr.version) and each.verbs),
            None,
        )

    def has_group(self, group: str) -> bool:
        """Whether anything of the group is served."""
        return group in self._groups

    def is_built_in(self, group: str) -> bool:
        """Whether the group is the server's own, and no CRD's."""
        return group in self._built_in_groups

    def has_version(self, group_version: GroupVersion) -> bool:
        """Whether anything of the group version is served."""
        return group_version.version in self._groups.get(group_version.group, ())

    def add(self, resources: Iterable[Resource]) -> None:
        """Serve these, in place of those of the same names."""
        self._extend(resources)
        self._changed()

    def remove(self, resource: GroupResource) -> None:
        """Serve a resource no more, in no version."""
        gone = [gvr for gvr, each in self._resources.items() if each.group_resource == resource]
        for gvr in gone:
            del self._resources[gvr]
        if gone:
            self._changed()

    def replace(self, resource: GroupResource, resources: Iterable[Resource]) -> None:
        """Serve a resource in these versions and in no others."""
        for gvr in [gvr for gvr, each in self._resources.items() if each.group_resource == resource]:
            del self._resources[gvr]
        self.add(resources)

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` after each change."""
        self._listeners.append(listener)

    def _extend(self, resources: Iterable[Resource]) -> None:
        self._resources.update((each.gvr, each) for each in resources)
        self._index()

    def _index(self) -> None:
        self._groups = {}
        for gvr in self._resources:
            self._groups.setdefault(gvr.group, {})[gvr.version] = None

    def _changed(self) -> None:
        self.generation += 1
        self._index()
        for listener in self._listeners:
            listener()
