"""The informer: a local copy of a collection that is kept current, and handlers that are told of changes.

The counterpart in client-go is CG/tools/cache/shared_informer.go.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Literal, Self, TypeAlias

from dynkube.arguments import checked_seconds, checked_text
from dynkube.dynamic import ResourceHandle
from dynkube.errors import (
    DynkubeError,
    ExpiredError,
    GoneError,
    IndexConflictError,
    InformerError,
    InformerStoppedError,
    InvalidRequestError,
)
from dynkube.fields import FieldSelector
from dynkube.forks import renew_in_child
from dynkube.informers.arguments import check_options, checked_namespace, checked_optional, checked_resync
from dynkube.informers.dispatcher import Dispatcher, Transform
from dynkube.informers.handlers import OnAdd, OnDelete, OnUpdate, ResourceEventHandler, handler_of
from dynkube.informers.indexer import DEFAULT_INDEXERS, Indexer
from dynkube.informers.indexes import IndexFunction, indexes_of
from dynkube.informers.lister import Lister
from dynkube.informers.reflector import LIST_PAGE_SIZE, Reflector
from dynkube.informers.registration import HandlerRegistration, Notification
from dynkube.informers.status import InformerStatus
from dynkube.informers.store import Store
from dynkube.labels import LabelSelector
from dynkube.observers import InformerReading, Observer, checked_observers, notify
from dynkube.options import ListOptions
from dynkube.transport import CallScope, CancelToken

__all__ = ["SharedInformer", "WatchErrorHandler"]

_log = logging.getLogger("dynkube.informers")


class SharedInformer:
    """Keeps a local copy of a collection current, and tells handlers of every change.

    ::

        with SharedInformer(client.resource("pods").namespace("shop")) as informer:
            informer.wait_for_cache_sync(timeout=30)
            informer.lister().namespace("shop").get("api")

    An `InformerFactory` makes them, one for all who ask for the same. It has one thread for requests and one for each
    handler. Whatever happens to the connection, at rest the store is the server's state. A resource that is not there
    or may not be read is waited for, and shows in `status`; a factory looks it up first. Thread-safe.

    Args:
        handle: What to follow: a resource, in one namespace or in all; ``.metadata_only()`` for metadata alone.
        label_selector: Of these objects only: ``"app=api"``.
        field_selector: Likewise, by fields that the server can select by: ``"spec.nodeName=n1"``.
        resync: Seconds after which each handler is told of every object again, as an update from itself to itself;
            None or 0 for never. A handler may ask for its own.
        compact: Keep objects as bytes, and decode them when somebody looks; see `Indexer` and `StoredObject`.
        recent: How many of these stay decoded.
        indexers: Index functions by name, besides the one by namespace that is always there.
        transform: Takes each object before it is stored, and gives what is stored in its place: without what nobody
            needs, for one. It may change the object that it gets, must leave name, namespace, uid and resourceVersion
            alone, and must not mind an object that it has seen before. Where it fails, the object is kept as it is, but
            for what the transform has changed inside of a field of a dict.
        split_by_uid: An object that was deleted and made anew unseen is told as a delete and an add; by default as one
            update with another uid, as client-go tells it.
        on_watch_error: Called with the informer and each error that is waited out, on the informer's thread; by default
            they are logged.
        page_size: Objects in a page of a list; 0 asks for everything at once.
        cached_lists: Lists may come from the API server's cache: cheaper, maybe behind.
        streaming: Begin with a watch that sends the initial objects itself, in place of a list, where the server can
            (client-go's WatchList): it spares the server memory, and costs it twice the CPU of a list.
        detect_mutations: Debug mode: find handlers and readers that change objects of the store. For tests: it keeps
            every object twice.
        name: What it is called in logs and metrics; its resource by default.
        observers: Who is told of lists, watches and calls; those of the client's configuration by default.

    Attributes:
        handle: What it follows.
        name: What it is called.
        resource: ``"deployments.apps"``, ``"pods"``.

    Raises:
        InvalidRequestError: An argument cannot be; the message names it.
        IndexConflictError: ``indexers`` has another function under the name of the index by namespace.
    """

    def __init__(
        self,
        handle: ResourceHandle,
        *,
        label_selector: str | LabelSelector | None = None,
        field_selector: str | FieldSelector | None = None,
        resync: float | None = None,
        compact: bool = False,
        recent: int = 128,
        indexers: Mapping[str, IndexFunction] | None = None,
        transform: Transform | None = None,
        split_by_uid: bool = False,
        on_watch_error: WatchErrorHandler | None = None,
        page_size: int = LIST_PAGE_SIZE,
        cached_lists: bool = False,
        streaming: bool = False,
        detect_mutations: bool = False,
        name: str = "",
        observers: Sequence[Observer] | None = None,
    ) -> None:
        if not isinstance(handle, ResourceHandle):
            raise InvalidRequestError(f"handle: want a ResourceHandle, got a {type(handle).__name__}")
        checked_namespace(handle.collection().namespace)
        check_options(
            {
                "transform": transform,
                "split_by_uid": split_by_uid,
                "on_watch_error": on_watch_error,
                "page_size": page_size,
                "cached_lists": cached_lists,
                "streaming": streaming,
            }
        )
        self.handle = handle
        self.resource = str(handle.gvr.group_resource)
        self.name = checked_text("name", name) or self.resource
        self._resync = checked_resync(resync)
        self._observers = handle.rest.config.observers if observers is None else checked_observers(observers)
        self._on_watch_error = on_watch_error
        self._store = Store(
            _with_default(indexers),
            compact=compact,
            recent=recent,
            detect_mutations=detect_mutations,
        )
        self._dispatcher = Dispatcher(
            self._store,
            name=self.name,
            transform=transform,
            split_by_uid=split_by_uid,
            on_error=self._failed,
        )
        self._reflector = Reflector(
            handle,
            self._dispatcher,
            options=ListOptions(label_selector=label_selector, field_selector=field_selector),
            name=self.name,
            page_size=page_size,
            cached_lists=cached_lists,
            streaming=streaming,
            records="raw" if compact else "dict",
            admit=self._dispatcher.admit,
            observers=self._observers,
        )
        self._lock = threading.Lock()  # of what follows: whether it runs, and arrivals of handlers
        self._cancel = CancelToken()
        self._thread: threading.Thread | None = None
        self._broken: Exception | None = None
        renew_in_child(self)

    def renew_after_fork(self) -> None:
        """A forked child has none of the threads: an informer that ran has stopped there, its store as it was."""
        self._lock = threading.Lock()
        self._dispatcher.renew_after_fork()
        if self._thread is not None:
            self._cancel = CancelToken()
            self.begin_stop()

    # ------------------------------------------------------------------ reading

    @property
    def indexer(self) -> Indexer:
        """The store: objects by key, index and selector."""
        return self._store

    def lister(self) -> Lister:
        """The store, read as one reads the server."""
        return Lister(self._store, self.handle.gvr.group_resource, self.handle.collection().namespace)

    @property
    def has_synced(self) -> bool:
        """Whether the store has been complete: the first list is in it."""
        return self._dispatcher.synced.is_set

    @property
    def last_sync_resource_version(self) -> str:
        """The version of the collection that the store is at; ``""`` before the first list is complete."""
        return self._store.resource_version

    def add_indexers(self, indexers: Mapping[str, IndexFunction], *, keep_same: bool = False) -> None:
        """Add indexes, at any time; see `Indexer.add_indexers`.

        Raises:
            IndexConflictError: One of the names is taken.
            InformerError: A function fails with an object that is here.
            InvalidRequestError: It is no mapping of functions by name, or one cannot be called with an object.
            InformerStoppedError: The informer has stopped.
        """
        if self._cancel.cancelled:
            raise InformerStoppedError(f"indexer was not added because informer {self.name} has stopped already")
        self._store.add_indexers(indexers, keep_same=keep_same)

    # ------------------------------------------------------------------ handlers

    def add_event_handler(
        self,
        handler: ResourceEventHandler | None = None,
        *,
        on_add: OnAdd | None = None,
        on_update: OnUpdate | None = None,
        on_delete: OnDelete | None = None,
        resync: float | None = None,
        name: str = "",
    ) -> HandlerRegistration:
        """Have a handler told of every change, on a thread of its own, at its own pace.

        It is told of what is there first: as adds that are in the initial list. A handler that is slow has a long queue
        and holds up nobody else; one that raises is logged, and goes on with the next notification a second later.

        Args:
            handler: An object with the three methods of `ResourceEventHandler`.
            on_add: Or functions: ``on_add(obj, is_in_initial_list)``,
            on_update: ``on_update(old, new)``,
            on_delete: ``on_delete(obj)``, where the object may be a `Tombstone`.
            resync: Seconds between resyncs for this handler; the informer's by default, 0 for none.
            name: What it is called in logs and metrics.

        Returns:
            The registration: whether the handler has seen the initial list, how far behind it is, and `remove`.

        Raises:
            InvalidRequestError: It is no handler, one of its functions cannot be called so, or the resync is shorter
                than a second.
            InformerStoppedError: The informer has stopped.
        """
        found = handler_of(handler, on_add=on_add, on_update=on_update, on_delete=on_delete)
        registration = HandlerRegistration(
            found,
            name=checked_text("name", name) or (type(found).__qualname__ if found is handler else repr(found)),
            informer=self.name,
            resync=self._resync if resync is None else checked_resync(resync),
            feed=self._dispatcher.feed,
            remove=self._dispatcher.leave,
            show=self._dispatcher.show,
            after=self._check_mutations if self._store.detects_mutations else None,
            observers=self._observers,
        )
        with self._lock:
            if self.is_stopped:
                raise InformerStoppedError(
                    f"handler {registration.name} was not added to informer {self.name} because it has stopped already"
                )
            self._dispatcher.join(registration)
            if self._thread is not None:
                registration.start()
        return registration

    def remove_event_handler(self, registration: HandlerRegistration) -> None:
        """Tell a handler no more; the same as `HandlerRegistration.remove`.

        One that was removed before, or that belongs to another informer, stays as it is.

        Raises:
            InvalidRequestError: It is no registration.
        """
        if not isinstance(registration, HandlerRegistration):
            raise InvalidRequestError(
                f"registration: want what add_event_handler returned, got a {type(registration).__name__}"
            )
        if registration in self._dispatcher.registrations:
            self._dispatcher.leave(registration)

    def set_transform(self, transform: Transform) -> None:
        """Have each object changed before it is stored; before the start only.

        Raises:
            InvalidRequestError: It cannot be called with an object.
            InformerError: The informer has started.
        """
        checked_optional("transform", transform, "obj")
        with self._lock:
            self._check_not_started("set_transform")
            self._dispatcher.transform = transform

    def set_watch_error_handler(self, on_watch_error: WatchErrorHandler) -> None:
        """Be told of each error that is waited out; before the start only.

        Raises:
            InvalidRequestError: It cannot be called with the informer and an error.
            InformerError: The informer has started.
        """
        checked_optional("on_watch_error", on_watch_error, "informer", "error")
        with self._lock:
            self._check_not_started("set_watch_error_handler")
            self._on_watch_error = on_watch_error

    # ------------------------------------------------------------------ life

    def start(self) -> None:
        """Begin to follow the collection; returns at once. An informer that runs already goes on.

        Raises:
            InformerStoppedError: It has stopped: make a new one.
        """
        with self._lock:
            if self._cancel.cancelled:
                raise InformerStoppedError(f"informer {self.name} has stopped and does not start again: make a new one")
            if self._thread is not None:
                _log.warning("informer %s has started already", self.name)
                return
            for registration in self._dispatcher.registrations:
                registration.start()
            self._thread = threading.Thread(target=self._run, name=f"dynkube-informer-{self.name}", daemon=True)
            self._thread.start()
        notify(self._observers, lambda observer: observer.on_informer, self)

    def stop(self, *, timeout: float = 5.0) -> list[str]:
        """Stop, and wait until nothing of it runs; waits, back-offs and blocked reads end at once.

        Notifications that wait are dropped. The store stays to be read, as it is.

        Args:
            timeout: Seconds to wait at most for callbacks that are running.

        Returns:
            The handlers whose callbacks have not returned in this time, by name; they are logged, too, and do not keep
            the interpreter from ending.

        Raises:
            InvalidRequestError: The timeout is no number of seconds from 0 on.
        """
        checked_seconds("timeout", timeout)
        self.begin_stop()
        thread = self._thread
        deadline = time.monotonic() + timeout
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout)
            if thread.is_alive():
                _log.warning("informer %s: its thread does not end: its watch error handler runs", self.name)
        running = self._dispatcher.running
        stuck = [each.name for each in running if not each.join(max(0.0, deadline - time.monotonic()))]
        if stuck:
            _log.warning("informer %s has stopped; callbacks that do not return: %s", self.name, ", ".join(stuck))
        self._store.check_mutations(who="a handler or a reader")
        return stuck

    def begin_stop(self) -> None:
        """Stop, and wait for nothing."""
        with self._lock:
            self._cancel.cancel()
        self._dispatcher.synced.release()
        for registration in self._dispatcher.registrations:
            registration.close()

    @property
    def has_started(self) -> bool:
        """Whether `start` was called."""
        return self._thread is not None

    @property
    def is_stopped(self) -> bool:
        """Whether `stop` was called, or its reflector has ended by itself."""
        return self._cancel.cancelled or self._broken is not None

    def wait_for_cache_sync(self, *, timeout: float | None = None, cancel: CancelToken | None = None) -> None:
        """Wait until the store is complete: `has_synced`.

        Args:
            timeout: Seconds to wait at most; None waits for as long as it takes.
            cancel: A token that ends the wait.

        Raises:
            DeadlineExceededError: It took longer; the message has the last error, if there was one.
            CancelledError: The token was cancelled.
            InformerError: The informer was not started.
            InformerStoppedError: It has stopped, and follows nothing any more.
        """
        self.wait_in(CallScope(timeout, cancel))

    def wait_in(self, scope: CallScope, *, others: Sequence[SharedInformer] = ()) -> None:
        """`wait_for_cache_sync` within the limits of a call; the message names those of the others that lag, too."""
        if self._thread is None and not self._cancel.cancelled:
            raise InformerError(f"informer {self.name} was not started: call start() first")

        def who_lags() -> str:
            lagging = [each for each in others or (self,) if not each.has_synced]
            return ", ".join(f"informer {each.name}{each._problem()}" for each in lagging)  # noqa: SLF001 - its class

        self._dispatcher.synced.wait(scope, what=who_lags)
        if self.is_stopped:
            when = "" if self.has_synced else " before it synced"
            raise InformerStoppedError(
                f"informer {self.name} has stopped{when}{self._problem()}: make a new one"
            ) from self._broken

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    # ------------------------------------------------------------------ how it fares

    @property
    def status(self) -> InformerStatus:
        """How it fares now."""
        dispatcher, reflector = self._dispatcher, self._reflector
        return InformerStatus(
            state=self._state(),
            synced=self.has_synced,
            resource_version=self._store.resource_version,
            items=len(self._store),
            error=self._broken or reflector.failure,
            retry_in=dispatcher.retry_in if reflector.failure is not None else None,
            staleness=None if reflector.heard_at is None else time.monotonic() - reflector.heard_at,
            mutations=tuple(str(each) for each in self._store.mutations),
            handlers=tuple(each.status for each in dispatcher.registrations),
        )

    def reading(self) -> InformerReading | None:
        """How it fares now, for observers; None once it has stopped."""
        if self.is_stopped:
            return None
        status = self.status
        return InformerReading(
            synced=status.synced,
            items=status.items,
            resource_version=status.resource_version,
            staleness=status.staleness,
            depths={each.name: each.depth for each in status.handlers},
        )

    def _state(self) -> Literal["new", "syncing", "synced", "failing", "broken", "stopped"]:
        if self._cancel.cancelled:
            return "stopped"
        if self._broken is not None:
            return "broken"
        if self._thread is None:
            return "new"
        if self._reflector.failure is not None:
            return "failing"
        return "synced" if self.has_synced else "syncing"

    def _problem(self) -> str:
        error = self._broken or self._reflector.failure
        return "" if error is None else f" (last error: {error})"

    # ------------------------------------------------------------------ its thread

    def _run(self) -> None:
        try:
            self._reflector.run(self._cancel)
        except BaseException as error:  # noqa: BLE001 - there is nobody above to raise it to
            if not self._cancel.cancelled:
                # It is no Exception where someone else's code exits.
                why = error if isinstance(error, Exception) else InformerError(f"{type(error).__name__}: {error}")
                self._broken = why
                _log.error("informer %s has ended: %s", self.name, why, exc_info=not isinstance(error, DynkubeError))
        finally:
            self._dispatcher.end()

    def _failed(self, error: Exception, retry_in: float | None) -> None:
        if self._on_watch_error is not None:
            try:
                self._on_watch_error(self, error)
            except BaseException:  # noqa: BLE001 - someone else's code: SystemExit must not end the informer
                _log.exception("informer %s: its watch error handler failed", self.name)
            return
        # What a list heals by itself is no news (CG/tools/cache/reflector.go, DefaultWatchErrorHandler).
        level = logging.DEBUG if isinstance(error, ExpiredError | GoneError) else logging.WARNING
        again = "" if retry_in is None else f"; next attempt in {retry_in:.1f} s"
        _log.log(level, "informer %s: %s%s", self.name, error, again)

    def _check_mutations(self, registration: HandlerRegistration, notification: Notification) -> None:
        items = (each for each in (notification.old, notification.new) if each is not None)
        self._store.check_mutations(*items, who=f"handler {registration.name}")

    def _check_not_started(self, what: str) -> None:
        if self._thread is not None or self._cancel.cancelled:
            raise InformerError(f"{what}: informer {self.name} has already started")

    def __repr__(self) -> str:
        return f"<SharedInformer {self.name}: {len(self._store)} objects, {self._state()}>"


def _with_default(indexers: Mapping[str, IndexFunction] | None) -> Mapping[str, IndexFunction]:
    asked = {name: index.function for name, index in indexes_of(indexers).items()}
    taken = [name for name, function in DEFAULT_INDEXERS.items() if asked.get(name, function) is not function]
    if taken:
        raise IndexConflictError(f"indexer conflict: {taken}: every informer has an index of that name")
    return {**DEFAULT_INDEXERS, **asked}


WatchErrorHandler: TypeAlias = Callable[[SharedInformer, Exception], object]
"""Takes the informer and what went wrong."""
