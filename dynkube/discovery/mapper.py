"""A RESTMapper that begins when it is needed, and looks again when something is missing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from dynkube.discovery.client import DiscoveryClient
from dynkube.errors import InvalidRequestError, NoMatchError
from dynkube.forks import renew_in_child
from dynkube.resources import ResourceMap
from dynkube.restmapper import RESTMapper, RESTMapping
from dynkube.schema import (
    GroupKind,
    GroupResource,
    GroupVersion,
    GroupVersionKind,
    GroupVersionResource,
    parse_kind_arg,
    parse_resource_arg,
)
from dynkube.transport import CancelToken

__all__ = ["DeferredRESTMapper"]

_T = TypeVar("_T")


class DeferredRESTMapper:
    """A `RESTMapper` over a `DiscoveryClient`. Thread-safe.

    The first call discovers. What the map does not have is looked for on the server, at most once a
    second, before it counts as missing: a custom resource that was defined a moment ago is
    found. (client-go's deferred mapper does so over its disk cache; over its memory cache it never
    does.) What belongs to a group that could not be discovered raises what is wrong with that group.

    Args:
        discovery: what to map over.
        on_ambiguous_short_name: told when a short name could also mean other resources.
        monotonic: seconds that only rise; the discovery client's.
    """

    def __init__(
        self,
        discovery: DiscoveryClient,
        *,
        on_ambiguous_short_name: Callable[[str], None] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.discovery = discovery
        self._on_ambiguous_short_name = on_ambiguous_short_name
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._mapper: RESTMapper | None = None
        renew_in_child(self)

    def renew_after_fork(self) -> None:
        """No thread of the parent holds this lock."""
        self._lock = threading.Lock()

    def mapper(self, *, timeout: float | None = None, cancel: CancelToken | None = None) -> RESTMapper:
        """The mapper over what the server serves, as far as is known; it never changes.

        Args:
            timeout: seconds for discovery, if it is needed.
            cancel: a token that ends the call.

        Returns:
            The same one until discovery finds something else.
        """
        found = self.discovery.resource_map(timeout=timeout, cancel=cancel)
        with self._lock:
            if self._mapper is None or self._mapper.resource_map is not found:
                self._mapper = RESTMapper(found, on_ambiguous_short_name=self._on_ambiguous_short_name)
            return self._mapper

    def reset(self) -> None:
        """Forget everything; the next call discovers anew."""
        self.discovery.invalidate()

    # ------------------------------------------------------------------ what people write

    def resolve(self, text: str, *, timeout: float | None = None, cancel: CancelToken | None = None) -> RESTMapping:
        """The resource that an argument means, as kubectl reads it; see `RESTMapper.resolve`.

        Args:
            text: ``"deploy"``, ``"deployments.v1.apps"``, ``"Deployment"``, ``"apps/v1/deployments"``.
            timeout: seconds for discovery, if it is needed.
            cancel: a token that ends the call.

        Returns:
            The mapping.

        Raises:
            NoMatchError: the server has nothing of this name; near misses are in the message.
            AmbiguousMatchError: several fit, and none has priority.
            InvalidRequestError: it is no name.
        """
        if not isinstance(text, str):
            raise InvalidRequestError(
                f"resource: want a name such as 'deployments' or 'apps/v1/deployments', got a {type(text).__name__}"
            )
        return self._ask(lambda mapper: mapper.resolve(text), _versions_in(text), timeout, cancel)

    def mapping_for(
        self, resource: GroupVersionResource, *, timeout: float | None = None, cancel: CancelToken | None = None
    ) -> RESTMapping:
        """The mapping of a resource that is fully named.

        Raises:
            NoResourceMatchError: the server does not serve it.
        """
        return self._ask(lambda mapper: mapper.mapping_for(resource), (resource.group_version,), timeout, cancel)

    # ------------------------------------------------------------------ kinds

    def rest_mapping(
        self, kind: GroupKind, *versions: str, timeout: float | None = None, cancel: CancelToken | None = None
    ) -> RESTMapping:
        """The resource that a kind lives in; see `RESTMapper.rest_mapping`.

        Args:
            kind: group and kind.
            versions: to be tried in this order; by default the group's, by priority.
            timeout: seconds for discovery, if it is needed.
            cancel: a token that ends the call.

        Returns:
            The mapping.

        Raises:
            NoKindMatchError: the server does not serve the kind, or not in these versions.
        """
        named = tuple(GroupVersion(kind.group, version) for version in versions or ("",))
        return self._ask(lambda mapper: mapper.rest_mapping(kind, *versions), named, timeout, cancel)

    def rest_mappings(
        self, kind: GroupKind, *versions: str, timeout: float | None = None, cancel: CancelToken | None = None
    ) -> tuple[RESTMapping, ...]:
        """Every resource that a kind lives in.

        Raises:
            NoKindMatchError: the server does not serve the kind, or not in these versions.
        """
        named = tuple(GroupVersion(kind.group, version) for version in versions or ("",))
        return self._ask(lambda mapper: mapper.rest_mappings(kind, *versions), named, timeout, cancel)

    # ------------------------------------------------------------------ resources

    def resource_for(
        self, resource: GroupVersionResource, *, timeout: float | None = None, cancel: CancelToken | None = None
    ) -> GroupVersionResource:
        """The one resource that a partial one means.

        Raises:
            NoResourceMatchError: nothing fits.
            AmbiguousResourceError: several fit, and none has priority.
        """
        return self._ask(lambda mapper: mapper.resource_for(resource), (resource.group_version,), timeout, cancel)

    def resources_for(
        self, resource: GroupVersionResource, *, timeout: float | None = None, cancel: CancelToken | None = None
    ) -> tuple[GroupVersionResource, ...]:
        """Every resource that a partial one fits, by priority.

        Raises:
            NoResourceMatchError: nothing fits.
        """
        return self._ask(lambda mapper: mapper.resources_for(resource), (resource.group_version,), timeout, cancel)

    def kind_for(
        self, resource: GroupVersionResource, *, timeout: float | None = None, cancel: CancelToken | None = None
    ) -> GroupVersionKind:
        """The one kind that a partial resource means.

        Raises:
            NoResourceMatchError: nothing fits.
            AmbiguousKindError: several fit, and none has priority.
        """
        return self._ask(lambda mapper: mapper.kind_for(resource), (resource.group_version,), timeout, cancel)

    def kinds_for(
        self, resource: GroupVersionResource, *, timeout: float | None = None, cancel: CancelToken | None = None
    ) -> tuple[GroupVersionKind, ...]:
        """The kind of every resource that a partial one fits, by priority.

        Raises:
            NoResourceMatchError: nothing fits.
        """
        return self._ask(lambda mapper: mapper.kinds_for(resource), (resource.group_version,), timeout, cancel)

    def resource_singularizer(
        self, resource: str, *, timeout: float | None = None, cancel: CancelToken | None = None
    ) -> str:
        """The singular of a plural; the word itself where it is unknown."""
        return self.mapper(timeout=timeout, cancel=cancel).resource_singularizer(resource)

    def expand_category(
        self, category: str, *, timeout: float | None = None, cancel: CancelToken | None = None
    ) -> tuple[GroupResource, ...]:
        """The resources of a category such as ``all``; none for one that is unknown."""
        return self._ask(lambda mapper: mapper.expand_category(category), (), timeout, cancel)

    def expand_short_name(
        self, resource: GroupVersionResource, *, timeout: float | None = None, cancel: CancelToken | None = None
    ) -> GroupVersionResource:
        """The resource that a short name stands for, without its version."""
        return self.mapper(timeout=timeout, cancel=cancel).expand_short_name(resource)

    # ------------------------------------------------------------------ looking again

    def _ask(
        self,
        question: Callable[[RESTMapper], _T],
        named: tuple[GroupVersion, ...],
        timeout: float | None,
        cancel: CancelToken | None,
    ) -> _T:
        """Ask the mapper; where it knows nothing, have discovery look, and ask once more."""
        started = self._monotonic()
        mapper = self.mapper(timeout=timeout, cancel=cancel)
        answer = _answer(question, mapper)
        if _is_nothing(answer) and self._look_again(mapper.resource_map, named, started, timeout, cancel):
            mapper = self.mapper(timeout=timeout, cancel=cancel)
            answer = _answer(question, mapper)
        if isinstance(answer, NoMatchError):
            raise _explained(answer, mapper.resource_map, named)
        return answer

    def _look_again(
        self,
        known: ResourceMap,
        named: tuple[GroupVersion, ...],
        started: float,
        timeout: float | None,
        cancel: CancelToken | None,
    ) -> bool:
        own = [version for version in named if version in known.resources or version in known.failures]
        changed = False
        for version in own:
            # Its own document says all there is to say; nothing else needs to be asked.
            changed |= self.discovery.revalidate_group_version(version, known=known, timeout=timeout, cancel=cancel)
        if own:
            return changed
        return self.discovery.revalidate(known=known, unless_since=started, timeout=timeout, cancel=cancel)


def _answer(question: Callable[[RESTMapper], _T], mapper: RESTMapper) -> _T | NoMatchError:
    try:
        return question(mapper)
    except NoMatchError as error:
        return error


def _is_nothing(answer: object) -> bool:
    return isinstance(answer, NoMatchError) or answer == ()


def _explained(missing: NoMatchError, known: ResourceMap, named: tuple[GroupVersion, ...]) -> Exception:
    """What to raise: of a group that could not be discovered, what is wrong with it."""
    for wanted in named:
        for version, failure in known.failures.items():
            if version.group == wanted.group and wanted.version in {"", version.version} and wanted.group:
                return failure
    for version, failure in known.failures.items():
        missing.add_note(f"{version} could not be discovered: {failure}")
    return missing


def _versions_in(text: str) -> tuple[GroupVersion, ...]:
    """The group versions that an argument may name, with ``""`` for a version that is left open."""
    if "/" in text:
        return (GroupVersionResource.parse(text).group_version,)
    if "." not in text.strip("."):
        return ()
    readings: list[GroupVersion] = []
    for versioned, unversioned in (parse_resource_arg(text), parse_kind_arg(text)):
        if versioned is not None:
            readings.append(versioned.group_version)
        readings.append(GroupVersion(unversioned.group, ""))
    return tuple(dict.fromkeys(readings))
