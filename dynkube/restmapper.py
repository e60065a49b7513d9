"""Between what people write, kinds, and resources: the RESTMapper.

A kind lives in a resource, and both in several groups and versions; a mapper built over a
`ResourceMap` says which is meant. The rules are those of CG/restmapper (discovery.go, shortcut.go,
category_expansion.go) and AM/api/meta (restmapper.go, priority.go).
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

from dynkube.errors import (
    AmbiguousKindError,
    AmbiguousResourceError,
    InvalidRequestError,
    NoKindMatchError,
    NoMatchError,
    NoResourceMatchError,
    PartialDiscoveryError,
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
        api_resource: what discovery says of the resource: verbs, short names; None for a list kind.
    """

    resource: GroupVersionResource
    kind: GroupVersionKind
    namespaced: bool
    api_resource: APIResource | None = field(default=None, compare=False, repr=False)

    @property
    def scope(self) -> str:
        """``"Namespaced"`` or ``"Cluster"``."""
        return "Namespaced" if self.namespaced else "Cluster"


class RESTMapper:
    """Maps resources and kinds over what one discovery found; never changes.

    Args:
        resource_map: what the server has. Group versions that failed contribute nothing; where
            nothing matches, the error names the failures that may be why, and has one as its cause.
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

    # Indexes are built when first used: a mapper that only answers `mapping_for` needs none.

    @cached_property
    def _resources(self) -> list[APIResource]:
        served = (self.resource_map.resources[version] for version in self._versions)
        return [each for resources in served for each in resources if not each.subresource]

    @cached_property
    def _by_name(self) -> dict[str, list[APIResource]]:
        found: dict[str, list[APIResource]] = {}
        for resource in self._resources:
            for name in {resource.name.lower(), _singular(resource)}:
                found.setdefault(name, []).append(resource)
        return found

    @cached_property
    def _by_short_name(self) -> dict[str, list[APIResource]]:
        found: dict[str, list[APIResource]] = {}
        for resource in self._resources:
            for name in resource.short_names:
                found.setdefault(name, []).append(resource)
        return found

    @cached_property
    def _by_kind(self) -> dict[GroupKind, dict[str, RESTMapping]]:
        """By kind, its mapping in each version, by priority."""
        found: dict[GroupKind, dict[str, RESTMapping]] = {}
        for resource in self._resources:
            # Of two resources of one kind in one version the later counts, as in client-go.
            for kind in {resource.kind, resource.kind.lower()}:
                found.setdefault(GroupKind(resource.group, kind), {})[resource.version] = _mapping(resource)
        # Lists have no resource of their own; client-go guesses one, and so their kinds are known.
        for resource in self._resources:
            _guess(found, resource.group_version, f"{resource.kind}List", namespaced=resource.namespaced)
        for version in self._versions:
            _guess(found, version, "List", namespaced=False)
        return found

    # ---------------------------------------------------------------- resources

    def resources_for(self, resource: GroupVersionResource) -> tuple[GroupVersionResource, ...]:
        """Every resource that a partial one fits, by priority.

        Args:
            resource: its ``resource`` may be plural or singular, in any case; an empty group or
                version leaves it open. Without a version, a group that matches none exactly may be
                the beginning of one.

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
        """The singular of a plural, by priority where several have it; the word itself where it is unknown."""
        found = self._by_name.get(resource.lower())
        return _singular(found[0]) if found else resource

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
        known = self._by_kind.get(kind, {})
        found = [known[version] for version in dict.fromkeys(wanted or known) if version in known]
        if not found:
            raise self._no_kind(kind, wanted) from self._cause(self._failed(kind.group, *wanted))
        return tuple(found)

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
        given: object = text
        if not isinstance(given, str) or not given.strip("."):
            raise InvalidRequestError(
                f"resource: want a name such as 'deployments' or 'apps/v1/deployments', got {_quoted(given)}"
            )
        if "/" in text:
            return self.mapping_for(GroupVersionResource.parse(text))
        found = self._resolve_resource(text.lower()) or self._resolve_kind(text)
        if found is None:
            failed = self._failed_near(parse_resource_arg(text).unversioned.group)
            raise NoResourceMatchError(
                f"the server doesn't have a resource type {_quoted(text)}{_unseen(failed)}",
                suggestions=self._near(text),
            ) from self._cause(failed)
        return found

    def mapping_for(self, resource: GroupVersionResource) -> RESTMapping:
        """The mapping of a resource that is fully named.

        Raises:
            NoResourceMatchError: the server does not serve it.
        """
        found = self.resource_map.find(resource)
        if found is None or found.subresource:
            failed = self._failed(resource.group, resource.version)
            raise NoResourceMatchError(
                f"no matches for {resource}{_unseen(failed)}", suggestions=self._near_paths(resource)
            ) from self._cause(failed)
        return _mapping(found)

    def expand_category(self, category: str) -> tuple[GroupResource, ...]:
        """The resources of a category such as ``all``; none for one that is unknown."""
        found = (each.gvr.group_resource for each in self._resources if category in each.categories)
        return tuple(dict.fromkeys(found))

    def expand_short_name(self, resource: GroupVersionResource) -> GroupVersionResource:
        """The resource that a short name stands for, without its version.

        An exact plural or singular is no short name, whatever resources have it as one.
        """
        name = resource.resource.lower()
        named = self._by_name.get(name, ())
        short = self._by_short_name.get(name, ())
        # A group is meant exactly where it can be ("hpa.autoscaling"), else as a beginning ("hpa.auto").
        for fits in (_in_group, _in_group_prefix):
            if any(fits(each, resource.group) for each in named):
                return resource
            candidates = list(dict.fromkeys(each.group_resource for each in short if fits(each, resource.group)))
            if candidates:
                self._tell(name, candidates[1:])
                return GroupVersionResource(candidates[0].group, "", candidates[0].resource)
        return resource

    def _tell(self, name: str, others: Sequence[GroupResource]) -> None:
        if self._on_ambiguous_short_name is None:
            return
        for other in others:
            self._on_ambiguous_short_name(f'short name "{name}" could also match lower priority resource {other}')

    def _resolve_resource(self, text: str) -> RESTMapping | None:
        argument = parse_resource_arg(text)
        readings = [] if argument.versioned is None else [argument.versioned]
        readings.append(GroupVersionResource(argument.unversioned.group, "", argument.unversioned.resource))
        for reading in readings:
            expanded = self.expand_short_name(reading)
            if reading.version and not expanded.version:
                # kubectl drops the version here: its "hpa.v1.autoscaling" is v2. Ours is what was asked for.
                expanded = expanded.group_resource.with_version(reading.version)
            try:
                # By resource: client-go goes over the kind, and so mistakes two resources of one kind.
                return self.mapping_for(self.resource_for(expanded))
            except NoMatchError:
                continue
        return None

    def _resolve_kind(self, text: str) -> RESTMapping | None:
        for kind, versions in self._kind_readings(text):
            try:
                found = self.rest_mapping(kind, *versions)
            except NoKindMatchError:
                continue
            if found.api_resource is not None:  # a list's kind names no resource to work with
                return found
        return None

    def _kind_readings(self, text: str) -> Iterator[tuple[GroupKind, tuple[str, ...]]]:
        versioned, unversioned = parse_kind_arg(text)
        if versioned is not None:
            yield versioned.group_kind, (versioned.version,)
        yield unversioned, ()
        if not unversioned.group:  # "Widget" without its group: any group's, by priority
            for resource in self._resources:
                if resource.kind == unversioned.kind:
                    yield GroupKind(resource.group, resource.kind), ()

    # ---------------------------------------------------------------- inner workings

    def _matching(self, wanted: GroupVersionResource) -> Sequence[APIResource]:
        if not wanted.resource:
            raise InvalidRequestError(f"a resource must be present, got: {wanted}")
        named = self._by_name.get(wanted.resource.lower(), [])
        if wanted.version and wanted.version != _INTERNAL:
            named = [each for each in named if each.version == wanted.version]
        if wanted.group:
            exact = [each for each in named if _in_group(each, wanted.group)]
            # So that "storageclass.storage" finds storage.k8s.io; a full name is taken at its word.
            named = exact or [each for each in named if not wanted.version and _in_group_prefix(each, wanted.group)]
        if not named:
            failed = self._failed_near(wanted.group)
            raise NoResourceMatchError(
                f"no matches for {wanted}{_unseen(failed)}", suggestions=self._near(wanted.resource)
            ) from self._cause(failed)
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
        versioned = sorted({str(GroupVersion(kind.group, version)) for version in versions})
        if not versioned:
            where = f'group "{kind.group}"'
        elif len(versioned) == 1:
            where = f'version "{versioned[0]}"'
        else:
            where = "versions [" + " ".join(f'"{each}"' for each in versioned) + "]"
        return NoKindMatchError(
            f"no matches for kind {_quoted(kind.kind)} in {where}{_unseen(self._failed(kind.group, *versions))}",
            suggestions=self._near_kinds(kind),
        )

    def _near_kinds(self, kind: GroupKind) -> list[str]:
        # The same kind in another version or group says more than a similar spelling.
        elsewhere = [each.kind for each in self._by_kind.get(kind, {}).values()]
        elsewhere += [each.group_version.with_kind(each.kind) for each in self._resources if each.kind == kind.kind]
        if elsewhere:
            return list(dict.fromkeys(f"{each.api_version}, Kind={each.kind}" for each in elsewhere))[:3]
        known = {each.kind.lower(): str(GroupKind(each.group, each.kind)) for each in reversed(self._resources)}
        return [known[name] for name in difflib.get_close_matches(kind.kind.lower(), known, n=3, cutoff=0.75)]

    def _failed(self, group: str, *versions: str) -> dict[str, Exception]:
        """The group versions that discovery could not look at, of exactly this group (and versions)."""
        failures = self.resource_map.failures.items()
        found = {each: error for each, error in failures if each.group == group}
        return {str(each): error for each, error in found.items() if not versions or each.version in versions}

    def _failed_near(self, group: str) -> dict[str, Exception]:
        """The same of a group as people write it: any, when they write none, else it or what begins so."""
        failures = self.resource_map.failures.items()
        return (group and self._failed(group)) or {
            str(each): error for each, error in failures if each.group.startswith(group)
        }

    def _cause(self, failed: dict[str, Exception]) -> Exception | None:
        if len(failed) > 1:
            return PartialDiscoveryError(failed, self.resource_map)
        return next(iter(failed.values()), None)

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


def _mapping(resource: APIResource) -> RESTMapping:
    # The kind as it is served here: what discovery says of its group counts for subresources only.
    kind = resource.group_version.with_kind(resource.kind)
    return RESTMapping(resource=resource.gvr, kind=kind, namespaced=resource.namespaced, api_resource=resource)


def _guess(
    found: dict[GroupKind, dict[str, RESTMapping]], version: GroupVersion, kind: str, *, namespaced: bool
) -> None:
    mapping = RESTMapping(
        resource=version.with_resource(guess_plural(kind)), kind=version.with_kind(kind), namespaced=namespaced
    )
    found.setdefault(GroupKind(version.group, kind), {}).setdefault(version.version, mapping)


def _singular(resource: APIResource) -> str:
    return (resource.singular_name or resource.kind).lower()


def _in_group(resource: APIResource, group: str) -> bool:
    return not group or resource.group == group


def _in_group_prefix(resource: APIResource, group: str) -> bool:
    return resource.group.startswith(group)


def _unseen(failed: dict[str, Exception]) -> str:
    """Where else the missing might be, in words for the message."""
    if not failed:
        return ""
    listed = ", ".join(sorted(failed)[:3]) + (f" and {len(failed) - 3} more" if len(failed) > 3 else "")
    return f" (it may be in {listed}, which could not be discovered)"


def _listed(candidates: Sequence[GroupVersionResource] | Sequence[GroupVersionKind]) -> str:
    return ", ".join(str(each) for each in candidates)


def _quoted(value: object) -> str:
    """A value for a message: in double quotes, as client-go writes it, on one line, bounded."""
    if not isinstance(value, str):
        return type(value).__name__
    shown = repr(value)[1:-1]
    return f'"{shown}"' if len(shown) <= 100 else f'"{shown[:97]}..."'
