"""Informers that are shared: one for all who ask for the same (CG/dynamic/dynamicinformer/informer.go)."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from types import TracebackType
from typing import NamedTuple, Self, TypedDict, Unpack

from dynkube.arguments import checked_flag, checked_seconds
from dynkube.dynamic import DynamicClient, ResourceHandle
from dynkube.errors import (
    DiscoveryError,
    InformerError,
    InformerStoppedError,
    InvalidRequestError,
    NoMatchError,
    NotWatchableError,
    TransportError,
)
from dynkube.fields import FieldSelector, field_selector_of
from dynkube.forks import renew_in_child
from dynkube.informers.arguments import check_options, checked_namespace
from dynkube.informers.dispatcher import Transform
from dynkube.informers.indexes import IndexFunction, indexes_of
from dynkube.informers.informer import SharedInformer, WatchErrorHandler
from dynkube.labels import LabelSelector, label_selector_of
from dynkube.resources import APIResource
from dynkube.schema import GroupVersionResource
from dynkube.transport import CallScope, CancelToken

__all__ = ["InformerFactory", "InformerOptions"]


class InformerOptions(TypedDict, total=False):
    """What an `InformerFactory` hands on to each `SharedInformer`, which explains them."""

    resync: float | None
    compact: bool
    recent: int
    transform: Transform | None
    split_by_uid: bool
    on_watch_error: WatchErrorHandler | None
    page_size: int
    cached_lists: bool
    streaming: bool
    detect_mutations: bool


class _Identity(NamedTuple):
    """What makes two informers the same."""

    resource: GroupVersionResource
    namespace: str
    label_selector: str
    field_selector: str
    metadata_only: bool


class InformerFactory:
    """Makes informers, and gives the same one to all who ask for the same objects.

    ::

        factory = InformerFactory(client, compact=True)
        pods = factory.for_resource("pods")
        pods.add_event_handler(on_add=...)
        with factory:
            factory.wait_for_cache_sync(timeout=30)
            pods.lister().namespace("shop").get("api")

    An informer that has stopped (by its own `SharedInformer.stop`, or in a forked child, where no thread of the parent
    runs) is not handed out again: `for_resource` makes a new one in its place, to be started. Thread-safe.

    Args:
        client: What to speak through.
        namespace: For informers that name none; ``""`` for all namespaces.
        label_selector: Likewise.
        field_selector: Likewise.
        metadata_only: Likewise: ``PartialObjectMetadata`` in place of whole objects.
        options: For all informers: resync, compact, recent, transform, split_by_uid, on_watch_error, page_size,
            cached_lists, streaming, detect_mutations; see `SharedInformer`.

    Raises:
        InvalidRequestError: An argument cannot be; the message names it.
    """

    def __init__(
        self,
        client: DynamicClient,
        *,
        namespace: str = "",
        label_selector: str | LabelSelector | None = None,
        field_selector: str | FieldSelector | None = None,
        metadata_only: bool = False,
        **options: Unpack[InformerOptions],
    ) -> None:
        if not isinstance(client, DynamicClient):
            raise InvalidRequestError(f"client: want a DynamicClient, got a {type(client).__name__}")
        unknown = sorted(set(options) - InformerOptions.__annotations__.keys())
        if unknown:
            raise TypeError(f"InformerFactory() got an unexpected keyword argument {unknown[0]!r}")
        check_options(options)
        self.client = client
        self._namespace = checked_namespace(namespace)
        self._label_selector = _label_text(label_selector)
        self._field_selector = _field_text(field_selector)
        self._metadata_only = checked_flag("metadata_only", metadata_only)
        self._options = options
        self._lock = threading.RLock()  # an observer that is told of a start may ask the factory
        self._informers: dict[_Identity, SharedInformer] = {}
        self._stopped = False
        renew_in_child(self)

    def renew_after_fork(self) -> None:
        """No thread of the parent holds this lock."""
        self._lock = threading.RLock()

    # ------------------------------------------------------------------ making

    def for_resource(
        self,
        resource: str | GroupVersionResource | APIResource,
        *,
        namespace: str | None = None,
        label_selector: str | LabelSelector | None = None,
        field_selector: str | FieldSelector | None = None,
        metadata_only: bool | None = None,
        indexers: Mapping[str, IndexFunction] | None = None,
        missing_ok: bool = False,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> SharedInformer:
        """The informer of these objects; the same one for all who ask for the same, until it stops.

        It is not started: where the factory has been started already, call `start` again. Until then, its store is
        empty.

        What the server has is looked up first. Where it cannot be reached, a `GroupVersionResource` is believed.

        Args:
            resource: What `DynamicClient.resource` takes: ``"deployments.apps"``, a `GroupVersionResource`.
            namespace: Of one namespace only; the factory's by default, ``""`` for all.
            label_selector: The factory's by default; ``""`` for all.
            field_selector: Likewise.
            metadata_only: Likewise: only apiVersion, kind and metadata.
            indexers: Index functions by name, added to those that the informer has. One that it has under that name
                stays, if it is the same function.
            missing_ok: Follow what the server does not have yet: the informer waits for it. It has to be named in full,
                by a `GroupVersionResource` or as ``"example.com/v1/widgets"``, which is believed to be right.
            timeout: Seconds for discovery, if it is needed.
            cancel: A token that ends the wait for discovery.

        Raises:
            NoMatchError: The server has no such resource; see ``missing_ok``.
            NotWatchableError: The server has it, but it cannot be listed or watched.
            InvalidRequestError: An argument cannot be, or the resource has no namespaces.
            IndexConflictError: The informer has another index of that name.
            InformerStoppedError: The factory was stopped.
        """
        self._check_not_stopped("for_resource")
        wanted = (
            self._namespace if namespace is None else checked_namespace(namespace),
            self._label_selector if label_selector is None else _label_text(label_selector),
            self._field_selector if field_selector is None else _field_text(field_selector),
            self._metadata_only if metadata_only is None else checked_flag("metadata_only", metadata_only),
        )
        indexes_of(indexers)  # says at once what are none
        checked_flag("missing_ok", missing_ok)
        scope = CallScope(timeout, cancel)
        # One that is known by its full name needs no discovery.
        informer = self._known(_Identity(resource, *wanted)) if isinstance(resource, GroupVersionResource) else None
        if informer is None:
            handle = self._handle(resource, scope, missing_ok=missing_ok)
            informer = self._shared(handle, _Identity(handle.gvr, *wanted))
        if indexers:
            informer.add_indexers(indexers, keep_same=True)
        return informer

    def _known(self, identity: _Identity) -> SharedInformer | None:
        with self._lock:
            self._check_not_stopped("for_resource")
            informer = self._informers.get(identity)
        return None if informer is None or informer.is_stopped else informer

    def _shared(self, handle: ResourceHandle, identity: _Identity) -> SharedInformer:
        handle = handle.namespace(identity.namespace)
        with self._lock:
            informer = self._known(identity)
            if informer is None:
                informer = self._make(handle, identity)
                before = self._informers.get(identity)
                if before is not None:
                    before.begin_stop()  # where it has ended by itself, its handlers wait still
                self._informers[identity] = informer
        return informer

    def _make(self, handle: ResourceHandle, identity: _Identity) -> SharedInformer:
        return SharedInformer(
            handle.metadata_only() if identity.metadata_only else handle,
            label_selector=identity.label_selector or None,
            field_selector=identity.field_selector or None,
            **self._options,
        )

    def _handle(
        self, resource: str | GroupVersionResource | APIResource, scope: CallScope, *, missing_ok: bool
    ) -> ResourceHandle:
        if not isinstance(resource, GroupVersionResource):
            try:
                found = self.client.resource(resource, timeout=scope.remaining(), cancel=scope.cancel)
            except (NoMatchError, DiscoveryError, TransportError) as error:
                if not missing_ok:
                    raise
                return self.client.resource(_named_in_full(resource, error))
            if isinstance(resource, APIResource):
                _check_verbs(resource)
                return found
            resource = found.gvr
        mapper = self.client.mapper
        try:
            mapping = mapper.mapping_for(resource, timeout=scope.remaining(), cancel=scope.cancel)
        except (NoMatchError, DiscoveryError, TransportError) as error:
            if isinstance(error, NoMatchError) and not missing_ok:
                raise
            return self.client.resource(resource)
        if mapping.api_resource is not None:
            _check_verbs(mapping.api_resource)
        return self.client.resource(mapping)

    # ------------------------------------------------------------------ life

    @property
    def informers(self) -> list[SharedInformer]:
        """The informers that were asked for, in this order."""
        with self._lock:
            return list(self._informers.values())

    def start(self) -> None:
        """Start every informer that has not run yet; returns at once. Call it again for those that came later.

        One that has stopped does not start again: see `for_resource`.

        Raises:
            InformerStoppedError: The factory was stopped: make a new one.
        """
        with self._lock:
            self._check_not_stopped("start")
            for informer in self._informers.values():
                if not (informer.has_started or informer.is_stopped):
                    informer.start()

    def wait_for_cache_sync(self, *, timeout: float | None = None, cancel: CancelToken | None = None) -> None:
        """Wait until the store of every informer is complete.

        Args:
            timeout: Seconds for all of them; None waits for as long as it takes.
            cancel: A token that ends the wait.

        Raises:
            DeadlineExceededError: It took longer; the message names those that lag, and their last errors.
            CancelledError: The token was cancelled.
            InformerError: One was not started, which would wait for ever: it came after `start`; or there is none.
            InformerStoppedError: One of them has stopped: `for_resource` makes a new one.
        """
        scope = CallScope(timeout, cancel)
        informers = self.informers
        new = [each.name for each in informers if not (each.has_started or each.is_stopped)]
        if len(new) == len(informers):
            raise InformerError("no informer of the factory was started: call start() first")
        if new:
            raise InformerError(f"not started: informer {', '.join(new)}: call start() again after for_resource()")
        for informer in informers:
            informer.wait_in(scope, others=informers)

    def stop(self, *, timeout: float = 5.0) -> list[str]:
        """Stop every informer; see `SharedInformer.stop`. Calling it again changes nothing.

        Args:
            timeout: Seconds to wait at most, for all of them, for callbacks that are running.

        Returns:
            The handlers whose callbacks have not returned in this time, by name.

        Raises:
            InvalidRequestError: The timeout is no number of seconds from 0 on.
        """
        checked_seconds("timeout", timeout)
        with self._lock:
            self._stopped = True
            informers = list(self._informers.values())
        deadline = time.monotonic() + timeout
        for informer in informers:
            informer.begin_stop()
        return [name for each in informers for name in each.stop(timeout=max(0.0, deadline - time.monotonic()))]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _check_not_stopped(self, what: str) -> None:
        if self._stopped:
            raise InformerStoppedError(f"{what}: the factory was stopped: make a new one")

    def __repr__(self) -> str:
        return f"<InformerFactory: {len(self._informers)} informers>"


def _check_verbs(resource: APIResource) -> None:
    missing = [verb for verb in ("list", "watch") if verb not in resource.verbs]
    if missing:
        raise NotWatchableError(
            f"{resource.name} of {resource.group_version} cannot be followed: the server does not let one "
            f"{' or '.join(missing)} it; its verbs are {', '.join(resource.verbs) or 'none'}"
        )


def _named_in_full(resource: object, error: Exception) -> GroupVersionResource:
    """What is followed though the server does not have it.

    Raises:
        NoMatchError: It is not named in full: what would be followed cannot be known.
    """
    if isinstance(resource, str) and "/" in resource:
        return GroupVersionResource.parse(resource)
    if not isinstance(error, NoMatchError):
        raise error
    raise type(error)(
        f"{error}; for missing_ok=True name it in full: 'group/version/resource', or a GroupVersionResource"
    ) from error


def _label_text(selector: str | LabelSelector | None) -> str:
    return "" if selector is None else str(label_selector_of(selector))


def _field_text(selector: str | FieldSelector | None) -> str:
    return "" if selector is None else str(field_selector_of(selector))
