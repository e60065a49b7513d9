"""Between what people write, kinds, and resources: the RESTMapper.

A kind lives in a resource, and both in several groups and versions; a mapper built over a
`ResourceMap` says which is meant. The rules are those of CG/restmapper (discovery.go, shortcut.go,
category_expansion.go) and AM/api/meta (restmapper.go, priority.go).
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from dynkube.errors import (
    AmbiguousKindError,
    AmbiguousResourceError,
    InvalidRequestError,
    NoKindMatchError,
    NoMatchError,
    NoResourceMatchError,
)
from dynkube.resources import APIResource, ResourceMap
from dynkube.schema import (
    GroupKind,
    GroupResource,
    GroupVersion,
    GroupVersionKind,
    GroupVersionResource,
    parse_kind_arg,
    parse_resource_arg,
)

__all__ = ["RESTMapper", "RESTMapping", "guess_plural"]

_Typed = TypeVar("_Typed", GroupVersionResource, GroupVersionKind)
_INTERNAL = "__internal"


@dataclass(frozen=True, slots=True, kw_only=True)
class RESTMapping:
    """A kind and the resource that it lives in.

    Attributes:
        resource: where its objects are served.
        kind: what they say they are.
        namespaced: whether they live in namespaces.
    """

    resource: GroupVersionResource
    kind: GroupVersionKind
    namespaced: bool

    @property
    def scope(self) -> str:
        """``"Namespaced"`` or ``"Cluster"``."""
        return "Namespaced" if self.namespaced else "Cluster"


class RESTMapper:
    """Maps resources and kinds over what one discovery found; never changes.

    Args:
        resource_map: what the server has. Group versions that failed contribute nothing.
        on_ambiguous_short_name: told when a short name could also mean other resources.

    Example:
        >>> from dynkube.resources import APIGroup
        >>> apps = GroupVersion("apps", "v1")
        >>> deployments = APIResource(name="deployments", group_version=apps, gvk=apps.with_kind("Deployment"),
        ...     namespaced=True, singular_name="deployment", short_names=("deploy",))
        >>> mapper = RESTMapper(ResourceMap((APIGroup("apps", ("v1",)),), {apps: (deployments,)}))
        >>> mapper.resolve("deploy").resource.path
        'apps/v1/deployments'
        >>> mapper.resolve("deploments")
        Traceback (most recent call last):
        ...
        dynkube.errors.NoResourceMatchError: the server doesn't have a resource type "deploments"; did you mean \
'deployments' or 'deployment'?
    """

    def __init__(
        self, resource_map: ResourceMap, *, on_ambiguous_short_name: Callable[[str], None] | None = None
    ) -> None:
        self.resource_map = resource_map
        self._on_ambiguous_short_name = on_ambiguous_short_name
        # By priority: the core v1, then each group in the server's order, its preferred version first.
        self._versions = _by_priority(resource_map)
        self._rank = {version: rank for rank, version in enumerate(self._versions)}
        self._resources = [
            resource
            for version in self._versions
            for resource in resource_map.resources.get(version, ())
            if not resource.subresource
        ]
        self._by_name: dict[str, list[APIResource]] = {}
        self._by_kind: dict[GroupKind, list[RESTMapping]] = {}
        for resource in self._resources:
            for name in {resource.name.lower(), _singular(resource)}:
                self._by_name.setdefault(name, []).append(resource)
            self._add_kinds(resource)

    def _add_kinds(self, resource: APIResource) -> None:
        version = resource.group_version
        mapping = RESTMapping(
            resource=resource.gvr, kind=version.with_kind(resource.kind), namespaced=resource.namespaced
        )
        for kind in {resource.kind, resource.kind.lower()}:
            self._by_kind.setdefault(GroupKind(version.group, kind), []).append(mapping)
        # Lists have no resource of their own; client-go guesses one, and so their kind is known.
        listed = version.with_kind(f"{resource.kind}List")
        guess = RESTMapping(
            resource=version.with_resource(guess_plural(listed.kind)), kind=listed, namespaced=resource.namespaced
        )
        self._by_kind.setdefault(listed.group_kind, []).append(guess)

    # ---------------------------------------------------------------- resources

    def resources_for(self, resource: GroupVersionResource) -> tuple[GroupVersionResource, ...]:
        """Every resource that a partial one fits, by priority.

        Args:
            resource: its ``resource`` may be plural or singular, in any case; an empty group or
                version leaves it open. A group that matches none exactly may be the beginning of one.

        Raises:
            InvalidRequestError: it names no resource.
            NoResourceMatchError: nothing fits.
        """
        return tuple(each.gvr for each in self._matching(resource))

    def resource_for(self, resource: GroupVersionResource) -> GroupVersionResource:
        """The one resource that a partial one means.

        Raises:
            NoResourceMatchError: nothing fits.
            AmbiguousResourceError: several fit, and none has priority.
        """
        found = self.resources_for(resource)
        chosen = self._choose(found)
        if len(chosen) > 1:
            raise AmbiguousResourceError(
                f"{resource} matches multiple resources: {_listed(found)}; say which as 'group/version/resource'",
                found,
            )
        return chosen[0]

    def kinds_for(self, resource: GroupVersionResource) -> tuple[GroupVersionKind, ...]:
        """The kind of every resource that a partial one fits, by priority.

        Raises:
            NoResourceMatchError: nothing fits.
        """
        kinds = (each.group_version.with_kind(each.kind) for each in self._matching(resource))
        return tuple(dict.fromkeys(kinds))

    def kind_for(self, resource: GroupVersionResource) -> GroupVersionKind:
        """The one kind that a partial resource means.

        Raises:
            NoResourceMatchError: nothing fits.
            AmbiguousKindError: several fit, and none has priority.
        """
        found = self.kinds_for(resource)
        chosen = self._choose(found)
        if len(chosen) > 1:
            raise AmbiguousKindError(f"{resource} matches multiple kinds: {_listed(found)}", found)
        return chosen[0]

    def resource_singularizer(self, resource: str) -> str:
        """The singular of a plural; the word itself where it is unknown.

        Raises:
            AmbiguousResourceError: several resources have this plural and other singulars.
        """
        partial = GroupVersionResource("", "", resource)
        try:
            found = self._matching(partial)
        except NoResourceMatchError:
            return resource
        return _singular(found[0])

    # ---------------------------------------------------------------- kinds

    def rest_mapping(self, kind: GroupKind, *versions: str) -> RESTMapping:
        """The resource that a kind lives in.

        Args:
            kind: group and kind.
            versions: to be tried in this order; by default the group's, by priority.

        Raises:
            NoKindMatchError: the server does not serve the kind, or not in these versions.
        """
        return self.rest_mappings(kind, *versions)[0]

    def rest_mappings(self, kind: GroupKind, *versions: str) -> tuple[RESTMapping, ...]:
        """Every resource that a kind lives in: one for each version that is served.

        Raises:
            NoKindMatchError: the server does not serve the kind, or not in these versions.
        """
        wanted = [each for each in versions if each and each != _INTERNAL]
        known = self._by_kind.get(kind, [])
        if kind.kind == "List" and not kind.group:
            # Not in any discovery document; served nowhere, but a kind that people send.
            core = GroupVersion("", "v1")
            known = [RESTMapping(resource=core.with_resource("lists"), kind=core.with_kind("List"), namespaced=False)]
        if wanted:
            known = [each for version in wanted for each in known if each.kind.version == version]
        if not known:
            raise self._no_kind(kind, wanted)
        return tuple(known)

    # ---------------------------------------------------------------- what people write

    def resolve(self, text: str) -> RESTMapping:
        """The resource that an argument means, as kubectl reads it.

        Args:
            text: plural, singular, short name or kind, alone, with its group (``deployments.apps``) or with
                version and group (``deployments.v1.apps``); or ``group/version/resource``.

        Returns:
            The mapping.

        Raises:
            NoMatchError: the server has nothing of this name; near misses are in the message.
            AmbiguousMatchError: several fit, and none has priority.
            InvalidRequestError: it is no name.
        """
        if not text.strip("."):
            raise InvalidRequestError(
                f"resource: want a name such as 'deployments' or 'apps/v1/deployments', got {text!r}"
            )
        if "/" in text:
            return self.mapping_for(GroupVersionResource.parse(text))
        found = self._resolve_resource(text.lower()) or self._resolve_kind(text)
        if found is None:
            raise NoResourceMatchError(
                f'the server doesn\'t have a resource type "{text}"', suggestions=self._near(text)
            )
        return found

    def mapping_for(self, resource: GroupVersionResource) -> RESTMapping:
        """The mapping of a resource that is fully named.

        Raises:
            NoResourceMatchError: the server does not serve it.
        """
        found = self.resource_map.find(resource)
        if found is None:
            raise NoResourceMatchError(f"no matches for {resource}", suggestions=self._near_paths(resource))
        return RESTMapping(
            resource=found.gvr, kind=found.group_version.with_kind(found.kind), namespaced=found.namespaced
        )

    def expand_category(self, category: str) -> tuple[GroupResource, ...]:
        """The resources of a category such as ``all``; none for one that is unknown."""
        found = (each.gvr.group_resource for each in self._resources if category in each.categories)
        return tuple(dict.fromkeys(found))

    def expand_short_name(self, resource: GroupVersionResource) -> GroupVersionResource:
        """The resource that a short name stands for, without its version.

        An exact plural or singular is no short name, whatever resources have it as one.
        """
        name = resource.resource.lower()
        if any(_in_group(each, resource.group) for each in self._by_name.get(name, ())):
            return resource
        found = [each for each in self._resources if name in each.short_names and _in_group(each, resource.group)]
        candidates = list(dict.fromkeys(each.gvr.group_resource for each in found))
        if not candidates:
            return resource
        if self._on_ambiguous_short_name is not None:
            for other in candidates[1:]:
                self._on_ambiguous_short_name(f'short name "{name}" could also match lower priority resource {other}')
        return GroupVersionResource(candidates[0].group, "", candidates[0].resource)

    def _resolve_resource(self, text: str) -> RESTMapping | None:
        argument = parse_resource_arg(text)
        readings = [] if argument.versioned is None else [argument.versioned]
        readings.append(GroupVersionResource(argument.unversioned.group, "", argument.unversioned.resource))
        for reading in readings:
            try:
                kind = self.kind_for(self.expand_short_name(reading))
            except NoMatchError:
                continue
            return self.rest_mapping(kind.group_kind, kind.version)
        return None

    def _resolve_kind(self, text: str) -> RESTMapping | None:
        argument = parse_kind_arg(text)
        attempts: list[tuple[GroupKind, tuple[str, ...]]] = []
        if argument.versioned is not None:
            attempts.append((argument.versioned.group_kind, (argument.versioned.version,)))
        attempts.append((argument.unversioned, ()))
        for kind, versions in attempts:
            for name in self._kind_readings(kind):
                try:
                    return self.rest_mapping(name, *versions)
                except NoKindMatchError:
                    continue
        return None

    def _kind_readings(self, kind: GroupKind) -> Iterable[GroupKind]:
        yield kind
        if not kind.group:  # "Widget" without its group: any group's, by priority
            for resource in self._resources:
                if resource.kind == kind.kind:
                    yield GroupKind(resource.group, resource.kind)

    # ---------------------------------------------------------------- inner workings

    def _matching(self, wanted: GroupVersionResource) -> Sequence[APIResource]:
        if not wanted.resource:
            raise InvalidRequestError(f"a resource must be present, got: {wanted}")
        named = self._by_name.get(wanted.resource.lower(), [])
        if wanted.version and wanted.version != _INTERNAL:
            named = [each for each in named if each.version == wanted.version]
        if wanted.group:
            exact = [each for each in named if each.group == wanted.group]
            # So that "storageclass.storage" finds storage.k8s.io; a full name is taken at its word.
            named = exact or [each for each in named if not wanted.version and each.group.startswith(wanted.group)]
        if not named:
            raise NoResourceMatchError(f"no matches for {wanted}", suggestions=self._near(wanted.resource))
        return named

    def _choose(self, candidates: Sequence[_Typed]) -> Sequence[_Typed]:
        # AM/api/meta/priority.go: a pattern that matches none is passed over, one that matches several narrows.
        remaining = candidates
        for version in self._versions:
            matched = [each for each in remaining if each.group_version == version]
            if len(matched) == 1:
                return matched
            remaining = matched or remaining
        return remaining

    def _no_kind(self, kind: GroupKind, versions: Sequence[str]) -> NoKindMatchError:
        known = {
            each.kind.lower(): f"{each.kind}.{each.group}" if each.group else each.kind for each in self._resources
        }
        near = [known[name] for name in difflib.get_close_matches(kind.kind.lower(), known, n=3, cutoff=0.75)]
        other = [each.kind for each in self._by_kind.get(kind, ())]
        if other:
            near = [f"{each.api_version}, Kind={each.kind}" for each in other]
        if not versions:
            return NoKindMatchError(f'no matches for kind "{kind.kind}" in group "{kind.group}"', suggestions=near)
        named = [f"{kind.group}/{version}" if kind.group else version for version in versions]
        if len(named) == 1:
            return NoKindMatchError(f'no matches for kind "{kind.kind}" in version "{named[0]}"', suggestions=near)
        listed = " ".join(f'"{each}"' for each in named)
        return NoKindMatchError(f'no matches for kind "{kind.kind}" in versions [{listed}]', suggestions=near)

    def _near(self, text: str) -> list[str]:
        words = dict.fromkeys(
            word for each in self._resources for word in (each.name, _singular(each), *each.short_names)
        )
        return difflib.get_close_matches(text.lower().partition(".")[0], words, n=3, cutoff=0.7)

    def _near_paths(self, wanted: GroupVersionResource) -> list[str]:
        # The same resource elsewhere says more than a similar spelling.
        same = [each.gvr.path for each in self._by_name.get(wanted.resource.lower(), ())]
        return same[:3] or difflib.get_close_matches(
            wanted.path, [each.gvr.path for each in self._resources], n=3, cutoff=0.75
        )


def guess_plural(kind: str) -> str:
    """The plural that a kind's resource probably has (AM/api/meta, UnsafeGuessKindToResource).

    Only for what discovery does not tell: guesses are wrong for some kinds.

    >>> guess_plural("Deployment"), guess_plural("Ingress"), guess_plural("Policy"), guess_plural("Endpoints")
    ('deployments', 'ingresses', 'policies', 'endpoints')
    """
    singular = kind.lower()
    if not singular or singular.endswith("endpoints"):
        return singular
    if singular.endswith("s"):
        return f"{singular}es"
    if singular.endswith("y"):
        return f"{singular[:-1]}ies"
    return f"{singular}s"


def _by_priority(resource_map: ResourceMap) -> tuple[GroupVersion, ...]:
    versions = [GroupVersion("", "v1")]
    for group in resource_map.groups:
        versions.append(GroupVersion(group.name, group.preferred_version))
        versions.extend(group.group_versions())
    return tuple(dict.fromkeys(version for version in versions if version in resource_map.resources))


def _singular(resource: APIResource) -> str:
    return (resource.singular_name or resource.kind).lower()


def _in_group(resource: APIResource, group: str) -> bool:
    return not group or resource.group.startswith(group)


def _listed(candidates: Sequence[GroupVersionResource] | Sequence[GroupVersionKind]) -> str:
    return ", ".join(str(each) for each in candidates)
