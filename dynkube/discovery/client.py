"""What a server serves: asked once, remembered, and asked again when something is missing."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Self, TypeVar

from cachetools import TTLCache

from dynkube.discovery.cache import DiscoveryCache, MemoryCache
from dynkube.discovery.documents import Documents, Fetched, scope_of
from dynkube.discovery.openapi import OpenAPIV3
from dynkube.errors import (
    APIStatusError,
    CancelledError,
    ClosedError,
    DeadlineExceededError,
    DecodeError,
    NotFoundError,
    PartialDiscoveryError,
    RequestTimeoutError,
)
from dynkube.forks import renew_in_child
from dynkube.resources import APIGroup, APIResource, APIResourceList, ResourceMap
from dynkube.rest import RESTClient
from dynkube.schema import GroupVersion
from dynkube.transport import CallScope, CancelToken
from dynkube.wire.discovery import (
    ROOTS,
    Answer,
    ServerVersion,
    discover,
    document_request,
    group_version_request,
    parse_group_version,
    parse_server_version,
)
from dynkube.wire.messages import Request
from dynkube.wire.paths import group_version_path

__all__ = ["DiscoveryClient"]

# Seconds that one group of many may take, so that a dead one does not use up the rest's time.
_GROUP_TIMEOUT = 10.0
# Seconds for which a map with failures is taken at its word.
_PARTIAL_TTL = 60.0
# Seconds between two looks for what is missing.
_MISS_INTERVAL = 1.0
# Where a look costs a request for each group version: not more than this part of the time.
_LEGACY_MISS_SHARE = 0.1
_PARALLEL = 8
_LOOKS = 1024


_THE_MAP = "map"
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """A map, and what it was made of."""

    resource_map: ResourceMap
    fetched: float  # the oldest document, in the clock's seconds
    asked: float  # when the server was last asked, in the monotonic clock's seconds
    digests: Mapping[str, bytes] = field(repr=False)
    aggregated: bool


class _Flight:
    """Work that is under way, and who waits for it."""

    def __init__(self) -> None:
        self.waiting: list[threading.Event] = []
        self.error: Exception | None = None


class DiscoveryClient:
    """Finds out what a server serves. Thread-safe; many threads cost one discovery.

    Cold it sends two requests (to servers before 1.26 one more for each group version), warm none. A
    part of the server that cannot be discovered does not hide the rest: the failure is kept in
    the map, and raised when that part is asked for.

    Args:
        rest: speaks to the server; closing it is its owner's affair.
        cache: how long documents hold and where they are kept: `MemoryCache` by default,
            `DiskCache` to start warm, `KubectlCache` to read kubectl's files.
        clock: seconds since the epoch.
        monotonic: seconds that only rise.

    Example:
        >>> from dynkube.config import RESTConfig
        >>> with RESTClient(RESTConfig(host="https://127.0.0.1:6443")) as rest:
        ...     DiscoveryClient(rest)
        DiscoveryClient('https://127.0.0.1:6443')
    """

    def __init__(
        self,
        rest: RESTClient,
        *,
        cache: DiscoveryCache | None = None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.rest = rest
        self._cache: DiscoveryCache = cache if cache is not None else MemoryCache()
        self._documents = Documents(rest, self._cache, clock)
        self._clock = clock
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._snapshot: _Snapshot | None = None
        self._flights: dict[object, _Flight] = {}
        self._next_look = 0.0
        self._looks: TTLCache[GroupVersion, tuple[APIResource, ...] | Exception] = TTLCache(
            _LOOKS, _MISS_INTERVAL, timer=monotonic
        )
        self._alone: TTLCache[GroupVersion, tuple[APIResource, ...]] = TTLCache(_LOOKS, self._cache.ttl, timer=clock)
        self._openapi = OpenAPIV3(self._documents)
        self._closed = False
        renew_in_child(self)

    def renew_after_fork(self) -> None:
        """In a forked child: no thread of the parent holds the lock, or works on what others wait for."""
        if self._lock.locked():  # and may have been in the middle of changing these
            self._looks = TTLCache(_LOOKS, _MISS_INTERVAL, timer=self._monotonic)
            self._alone = TTLCache(_LOOKS, self._cache.ttl, timer=self._clock)
        self._lock = threading.Lock()
        self._flights = {}

    # ------------------------------------------------------------------ the map

    def resource_map(self, *, timeout: float | None = None, cancel: CancelToken | None = None) -> ResourceMap:
        """Everything that the server serves, failures included as data.

        Args:
            timeout: seconds for the whole call; 32 by default.
            cancel: a token that ends the call.

        Returns:
            The map, from the cache where that is young enough.

        Raises:
            APIStatusError: the server refused ``/api`` or ``/apis``.
            TransportError: it cannot be reached.
            DecodeError: it answers with something else.
        """
        return self._current(scope_of(timeout, cancel)).resource_map

    def server_groups(self, *, timeout: float | None = None, cancel: CancelToken | None = None) -> tuple[APIGroup, ...]:
        """The API groups in the server's order, the core group first.

        Args:
            timeout: seconds; 32 by default.
            cancel: a token that ends the call.

        Returns:
            The groups.
        """
        return self.resource_map(timeout=timeout, cancel=cancel).groups

    def server_groups_and_resources(
        self, *, timeout: float | None = None, cancel: CancelToken | None = None
    ) -> tuple[tuple[APIGroup, ...], tuple[APIResourceList, ...]]:
        """The groups, and the resources of each group version. All or an error: see `resource_map`.

        Args:
            timeout: seconds; 32 by default.
            cancel: a token that ends the call.

        Returns:
            Groups and resource lists, in the server's order.

        Raises:
            PartialDiscoveryError: some group versions failed; the rest is in its ``resource_map``.
        """
        found = self.resource_map(timeout=timeout, cancel=cancel)
        if found.failures:
            raise PartialDiscoveryError({str(version): error for version, error in found.failures.items()}, found)
        return found.groups, found.resource_lists()

    def server_preferred_resources(
        self, *, timeout: float | None = None, cancel: CancelToken | None = None
    ) -> tuple[APIResourceList, ...]:
        """Each resource once, in the version that the server prefers; what failed is left out.

        Args:
            timeout: seconds; 32 by default.
            cancel: a token that ends the call.

        Returns:
            A list for each group version.
        """
        return self.resource_map(timeout=timeout, cancel=cancel).preferred_resources()

    def server_preferred_namespaced_resources(
        self, *, timeout: float | None = None, cancel: CancelToken | None = None
    ) -> tuple[APIResourceList, ...]:
        """`server_preferred_resources` that live in namespaces.

        Args:
            timeout: seconds; 32 by default.
            cancel: a token that ends the call.

        Returns:
            A list for each group version that has any.
        """
        return self.resource_map(timeout=timeout, cancel=cancel).preferred_namespaced_resources()

    def server_resources_for_group_version(
        self, group_version: GroupVersion | str, *, timeout: float | None = None, cancel: CancelToken | None = None
    ) -> APIResourceList:
        """The resources of one group version; no other group is looked at.

        Args:
            group_version: for instance ``"apps/v1"`` or ``"v1"``.
            timeout: seconds; 32 by default.
            cancel: a token that ends the call.

        Returns:
            Its resources, subresources included.

        Raises:
            NotFoundError: the server does not serve it.
            Exception: what is wrong with that group version.
        """
        version = GroupVersion.parse(group_version) if isinstance(group_version, str) else group_version
        scope = scope_of(timeout, cancel)
        known = self._known(version)
        found = self._look_at(version, scope) if known is None else known
        if isinstance(found, Exception):
            raise found
        return APIResourceList(version, found)

    def _known(self, version: GroupVersion) -> tuple[APIResource, ...] | None:
        with self._lock:
            self._check_open()
            snapshot = self._snapshot
            if snapshot is None or not self._is_fresh(snapshot):
                return self._alone.get(version)
            return snapshot.resource_map.resources.get(version)

    # ------------------------------------------------------------------ what is missing

    def revalidate(
        self,
        *,
        known: ResourceMap | None = None,
        unless_since: float | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> bool:
        """Ask whether the server serves something else by now; at most once a second.

        Two conditional requests, which cost next to nothing where nothing has changed.

        Args:
            known: the map that lacks something, where another thread may have a newer one by now;
                by default the one that is there.
            unless_since: not when the server was asked since then, in the monotonic clock's seconds.
            timeout: seconds; 32 by default.
            cancel: a token that ends the call.

        Returns:
            Whether `resource_map` is another one than ``known``. False also when it was asked too recently.
        """
        scope = scope_of(timeout, cancel)
        before = self._current(scope)
        known = before.resource_map if known is None else known
        if before.resource_map is not known:
            return True

        def ready() -> _Snapshot | None:
            snapshot = self._snapshot
            if snapshot is None or not self._is_fresh(snapshot):
                return None
            too_soon = self._monotonic() < self._next_look or (
                unless_since is not None and snapshot.asked >= unless_since
            )
            return snapshot if snapshot is not before or too_soon else None

        def look() -> _Snapshot:
            started = self._monotonic()
            with self._lock:
                self._next_look = started + _MISS_INTERVAL
            after = self._refresh(scope, before)
            if not after.aggregated:
                with self._lock:
                    took = self._monotonic() - started
                    self._next_look = max(self._next_look, started + took / _LEGACY_MISS_SHARE)
            return after

        return self._once(_THE_MAP, scope, ready, look).resource_map is not known

    def revalidate_group_version(
        self,
        group_version: GroupVersion,
        *,
        known: ResourceMap | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> bool:
        """Ask what one group version holds by now; at most once a second for each.

        Args:
            group_version: which.
            known: see `revalidate`.
            timeout: seconds; 32 by default.
            cancel: a token that ends the call.

        Returns:
            Whether `resource_map` is another one than ``known``.
        """
        scope = scope_of(timeout, cancel)
        before = self._current(scope).resource_map
        known = before if known is None else known
        if before is not known:
            return True
        self._look_at(group_version, scope)
        return self._current(scope).resource_map is not known

    def _look_at(self, version: GroupVersion, scope: CallScope) -> tuple[APIResource, ...] | Exception:
        """What the server says of one group version, or said less than a second ago."""

        def look() -> tuple[APIResource, ...] | Exception:
            with self._lock:
                live = self._snapshot is not None
            try:
                answer = self._documents.fetch(group_version_request(version), scope, live=live)
                found = parse_group_version(version, answer.response)
            except (APIStatusError, DecodeError) as error:
                self._learn(version, error)
                return error
            self._documents.keep(answer)
            self._learn(version, found)
            return found

        return self._once(version, scope, lambda: self._looks.get(version), look)

    def _learn(self, version: GroupVersion, found: tuple[APIResource, ...] | Exception) -> None:
        with self._lock:
            self._looks[version] = found
            if self._snapshot is None or not self._is_fresh(self._snapshot):
                # Whoever uses one version only never makes the map young again: this is what counts for him.
                if isinstance(found, Exception):
                    self._alone.pop(version, None)
                else:
                    self._alone[version] = found
            if self._snapshot is None:
                return
            before = self._snapshot.resource_map
            if isinstance(found, NotFoundError):
                after = before.without_group_version(version)
            elif isinstance(found, Exception) and version not in before.failures:
                return  # what it had may well be there still
            else:
                after = before.replace_group_version(version, found)
            if after != before:
                self._snapshot = replace(self._snapshot, resource_map=after)

    # ------------------------------------------------------------------ version and OpenAPI

    def server_version(self, *, timeout: float | None = None, cancel: CancelToken | None = None) -> ServerVersion:
        """The server's version; asked each time.

        Args:
            timeout: seconds; 32 by default.
            cancel: a token that ends the call.

        Returns:
            What ``/version`` says.

        Raises:
            DecodeError: it is no version.
        """
        scope = scope_of(timeout, cancel)
        request = document_request("/version", accept="application/json")
        return parse_server_version(self.rest.execute(request, timeout=scope.left(), cancel=cancel))

    def openapi_v3(self) -> OpenAPIV3:
        """The server's OpenAPI v3 documents. Sends nothing yet."""
        return self._openapi

    # ------------------------------------------------------------------ life

    @property
    def fresh(self) -> bool:
        """Whether there is a map and it is young enough to be used without asking."""
        with self._lock:
            return self._snapshot is not None and self._is_fresh(self._snapshot)

    def invalidate(self) -> None:
        """Forget everything; the server is asked again, with the ETags of what was kept."""
        self._documents.distrust()
        with self._lock:
            self._snapshot = None
            self._next_look = 0.0
            self._looks.clear()
            self._alone.clear()

    def close(self) -> None:
        """Forget everything, for good; the REST client stays open."""
        self.invalidate()
        self._closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"DiscoveryClient({self.rest.config.base_url!r})"

    def _check_open(self) -> None:
        if self._closed:
            raise ClosedError("the discovery client is closed")

    # ------------------------------------------------------------------ loading, once for all threads

    def _current(self, scope: CallScope) -> _Snapshot:
        def ready() -> _Snapshot | None:
            snapshot = self._snapshot
            return snapshot if snapshot is not None and self._is_fresh(snapshot) else None

        return self._once(_THE_MAP, scope, ready, lambda: self._refresh(scope, None))

    def _refresh(self, scope: CallScope, before: _Snapshot | None) -> _Snapshot:
        snapshot = self._load(scope, before)
        with self._lock:
            current = self._snapshot
            if current is not None and before is not None and snapshot.resource_map is before.resource_map:
                # Confirmed: what was learned of single group versions meanwhile stays.
                snapshot = replace(snapshot, resource_map=current.resource_map)
            self._snapshot = snapshot
            self._alone.clear()
        return snapshot

    def _once(self, key: object, scope: CallScope, ready: Callable[[], _T | None], work: Callable[[], _T]) -> _T:
        """What is ready, else what one thread works out while the others wait for it.

        ``ready`` is called with the lock held, ``work`` without it. A failure is everybody's; but
        whoever runs out of time or is cancelled fails alone, and the next one in line goes to work.
        """
        while True:
            scope.check()
            with self._lock:
                self._check_open()
                flight = self._flights.get(key)
                if flight is None:
                    found = ready()
                    if found is not None:
                        return found
                    flight = self._flights[key] = _Flight()
                    break
                wake = threading.Event()
                flight.waiting.append(wake)
            with scope.guard(wake.set):
                wake.wait()
            if flight.error is not None:
                raise flight.error
        try:
            return work()
        except (CancelledError, DeadlineExceededError):
            raise
        except Exception as error:
            flight.error = error
            raise
        finally:
            with self._lock:
                self._flights.pop(key, None)
            for wake in flight.waiting:
                wake.set()

    def _load(self, scope: CallScope, before: _Snapshot | None) -> _Snapshot:
        fetched: dict[str, Fetched] = {}
        conversation = discover()
        batch = next(conversation)
        while True:
            # What is asked for a second time failed; so a copy is no answer.
            live = before is not None or any(request.target in fetched for request in batch)
            answers = self._answers(batch, scope, fetched, live=live)
            if before is not None and _is_unchanged(before, fetched):
                conversation.close()
                return self._confirmed(before, fetched)
            try:
                batch = conversation.send(answers)
            except StopIteration as done:
                return self._made(done.value, fetched)

    def _answers(
        self, batch: Sequence[Request], scope: CallScope, fetched: dict[str, Fetched], *, live: bool
    ) -> list[Answer]:
        def ask(request: Request) -> Answer:
            try:
                if request.target in ROOTS:
                    answer = self._documents.fetch(request, scope, live=live)
                else:
                    answer = self._fetch_group(request, scope, live=live)
            except (CancelledError, DeadlineExceededError, ClosedError):
                raise
            except Exception as error:  # noqa: BLE001 - whose failure it is, `discover` decides
                return error
            fetched[request.target] = answer
            return answer.response

        if len(batch) <= len(ROOTS):
            return [ask(request) for request in batch]
        with ThreadPoolExecutor(min(_PARALLEL, len(batch)), thread_name_prefix="dynkube-discovery") as pool:
            return list(pool.map(ask, batch))

    def _fetch_group(self, request: Request, scope: CallScope, *, live: bool) -> Fetched:
        left = scope.remaining()
        limit = _GROUP_TIMEOUT if left is None else min(_GROUP_TIMEOUT, left / 2)
        try:
            return self._documents.fetch(request, CallScope(max(limit, 0.001), scope.cancel), live=live)
        except DeadlineExceededError as error:
            scope.check()
            raise RequestTimeoutError(
                f"no answer within {limit:.3g} s", method=request.method, url=request.path
            ) from error

    def _made(self, found: ResourceMap, fetched: Mapping[str, Fetched]) -> _Snapshot:
        broken = {group_version_path(version) for version in found.failures}
        for target, answer in fetched.items():
            if target in ROOTS and found.failures:
                # The next process must not start with a broken group.
                self._documents.keep(answer, to_be_asked_for=True)
            elif target not in broken:
                self._documents.keep(answer)
        return _Snapshot(
            found,
            fetched=min((answer.document.fetched for answer in fetched.values()), default=self._clock()),
            asked=self._monotonic() if any(answer.live for answer in fetched.values()) else -math.inf,
            digests={target: answer.digest for target, answer in fetched.items()},
            aggregated=all(target in ROOTS for target in fetched),
        )

    def _confirmed(self, before: _Snapshot, fetched: Mapping[str, Fetched]) -> _Snapshot:
        for answer in fetched.values():
            if not before.resource_map.failures:
                self._documents.keep(answer)
        return replace(before, fetched=self._clock(), asked=self._monotonic())

    def _is_fresh(self, snapshot: _Snapshot) -> bool:
        ttl = min(self._cache.ttl, _PARTIAL_TTL) if snapshot.resource_map.failures else self._cache.ttl
        return self._documents.is_young(snapshot.fetched, ttl)


def _is_unchanged(before: _Snapshot, fetched: Mapping[str, Fetched]) -> bool:
    # Legacy roots say nothing about what their groups hold.
    return before.aggregated and {target: each.digest for target, each in fetched.items()} == before.digests
