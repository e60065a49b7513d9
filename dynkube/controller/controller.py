"""The reconcile loop (controller-runtime's pkg/internal/controller)."""

from __future__ import annotations

import dataclasses
import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self

from dynkube.arguments import checked_count, checked_function, checked_seconds, checked_text
from dynkube.controller.arguments import (
    Resource,
    checked_cancel,
    checked_limiter,
    checked_predicate,
    checked_resource,
    selection,
)
from dynkube.controller.predicates import Predicate
from dynkube.controller.sources import Map, Name, Source, SourceHandler, as_name, itself, to_controller_of_kind
from dynkube.controller.workers import GuardedLimiter, Reconcile, Workers
from dynkube.dynamic import DynamicClient
from dynkube.errors import (
    CancelledError,
    DeadlineExceededError,
    DiscoveryError,
    InformerStoppedError,
    InvalidRequestError,
    NoMatchError,
    ServiceUnavailableError,
    TransportError,
)
from dynkube.fields import FieldSelector
from dynkube.informers import HandlerRegistration, InformerFactory, Lister, ObjectName, SharedInformer
from dynkube.labels import LabelSelector
from dynkube.observers import Observer, checked_observers
from dynkube.restmapper import RESTMapping
from dynkube.schema import GroupVersionResource
from dynkube.transport import CancelToken
from dynkube.workqueue import ItemRateLimiter, Workqueue

__all__ = ["Controller"]

_log = logging.getLogger("dynkube.controller")

_DELAYS = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)  # seconds between attempts to learn what the server has
_GLANCE = 1.0  # seconds between looks at the informers
_SHOWN = 5  # objects that a message names
_LAST_WAIT = 5.0  # seconds that reconciles, and predicates and maps, get when they have been told to end at once


class Controller:
    """Calls ``reconcile`` for each object of a resource: at first, and whenever something may have to be done about it.

    ::

        controller = Controller(client, "widgets.example.com", reconcile, predicate=generation_changed, concurrency=4)
        controller.owns("deployments.apps")
        controller.run(cancel=token)

    What ``reconcile`` gets is the name of an object (`Request`), and never twice at once for the same one. What it
    raises is logged, and it is called again after a while: 5 ms, doubled with each failure, up to 1000 s. A
    `TerminalError` is not tried again before the object changes. It returns nothing, or a `Result`; anything else is a
    failure like another. A ``SystemExit`` is one, too: a controller ends by the token that `run` gets.

    Args:
        client: what to speak through. The controller then has informers of its own, as long as it runs. Or an
            `InformerFactory`, whose informers are shared and go on when the controller ends.
        resource: what is looked after: ``"widgets.example.com"``, a `GroupVersionResource`.
        reconcile: the function.
        name: what logs and metrics call it; the resource by default.
        concurrency: how many objects are worked on at once.
        namespace: of one namespace only; ``""`` for all. The factory's by default.
        label_selector: of these objects only.
        field_selector: likewise.
        predicate: which changes of these objects count; all by default. See `generation_changed`.
        rate_limiter: how long one waits after a failure; `default_controller_rate_limiter` by default, and where this
            one fails.
        observers: who is told of each call and of the queue; the client's by default.
        clock: seconds, only ever rising.

    Raises:
        InvalidRequestError: an argument cannot be: ``reconcile`` or ``predicate`` is no plain function that takes what
            it is called with, ``concurrency`` below 1, a selector does not parse. The message names it.
    """

    def __init__(
        self,
        client: DynamicClient | InformerFactory,
        resource: Resource,
        reconcile: Reconcile,
        *,
        name: str = "",
        concurrency: int = 1,
        namespace: str | None = None,
        label_selector: str | LabelSelector | None = None,
        field_selector: str | FieldSelector | None = None,
        predicate: Predicate | None = None,
        rate_limiter: ItemRateLimiter | None = None,
        observers: Iterable[Observer] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not isinstance(client, DynamicClient | InformerFactory):
            raise InvalidRequestError(f"client: want a DynamicClient or an InformerFactory, got {client!r}")
        checked_text("name", name)
        self._shared = client if isinstance(client, InformerFactory) else None
        self._client = client.client if isinstance(client, InformerFactory) else client
        self._factory = self._shared if self._shared is not None else InformerFactory(self._client)
        self._reconcile = checked_function("reconcile", reconcile, "request")
        self.name = name or _name_of(checked_resource(resource))
        self._concurrency = checked_count("concurrency", concurrency, least=1)
        self._namespace = namespace
        self._main = _source(resource, itself, predicate, selection(namespace, label_selector, field_selector))
        self._owned: list[Source] = []
        self._others: list[Source] = []
        self._rate_limiter = checked_limiter(rate_limiter)
        self._observers = checked_observers(self._client.config.observers if observers is None else observers)
        self._clock = checked_function("clock", clock)
        self._queue: Workqueue[ObjectName] | None = None
        self._namespaced: bool | None = None  # whether its objects live in namespaces, as far as that is known
        self._running = threading.Lock()

    # ---------------------------------------------------------------- what is watched

    def owns(
        self,
        resource: Resource,
        *,
        predicate: Predicate | None = None,
        namespace: str | None = None,
        label_selector: str | LabelSelector | None = None,
        metadata_only: bool | None = None,
    ) -> Self:
        """Also look after an object when something changes that it owns as controller (`set_controller_reference`).

        Args:
            resource: what is owned.
            predicate: which of its changes count.
            namespace: the controller's by default.
            label_selector: of these only.
            metadata_only: keep only apiVersion, kind and metadata, where ``reconcile`` does not look at the rest.

        Returns:
            The controller.

        Raises:
            InvalidRequestError: the controller runs already, or an argument cannot be: see `Controller`.
        """
        self._check_not_running("owns")
        options = selection(self._or_own(namespace), label_selector, metadata_only=metadata_only)
        self._owned.append(_source(resource, _nobody, predicate, options))
        return self

    def watches(
        self,
        resource: Resource,
        map: Map,  # noqa: A002 - it is what it is
        *,
        predicate: Predicate | None = None,
        namespace: str | None = None,
        label_selector: str | LabelSelector | None = None,
        metadata_only: bool | None = None,
    ) -> Self:
        """Also look after objects when something else changes that they depend on.

        Args:
            resource: what else.
            map: takes what has changed, gives a list of the names of the objects to look after: ``("shop", "api")``
                or ``"shop/api"``, or ``("", "n1")`` for what lives in no namespace. It is asked about the state
                before and after. What it raises is logged, and so are names that cannot be.
            predicate: which of its changes count.
            namespace: the controller's by default; ``""`` for all.
            label_selector: of these only.
            metadata_only: keep only apiVersion, kind and metadata.

        Returns:
            The controller.

        Raises:
            InvalidRequestError: the controller runs already, ``map`` is no function of an object, or another argument
                cannot be.
        """
        self._check_not_running("watches")
        options = selection(self._or_own(namespace), label_selector, metadata_only=metadata_only)
        self._others.append(_source(resource, checked_function("map", map, "obj"), predicate, options))
        return self

    # ---------------------------------------------------------------- in a reconcile

    def lister(self, resource: Resource | None = None) -> Lister:
        """Reads what the controller has in memory, without a request.

        Args:
            resource: as it was given to `owns` or `watches`; the controller's own by default.

        Raises:
            InvalidRequestError: the controller does not watch it.
        """
        watched = (self._main, *self._owned, *self._others)
        for source in watched:
            if resource is None or source.resource == resource:
                return source.informer(self._factory).lister()
        names = ", ".join(repr(_name_of(each.resource)) for each in watched)
        raise InvalidRequestError(
            f"resource: the controller {self.name} does not watch {resource!r}: want one as it was given: {names}"
        )

    def enqueue(self, name: Name) -> None:
        """Have an object looked after, for a reason of your own. Where the controller does not run, nothing happens.

        Args:
            name: ``("shop", "api")`` or ``"shop/api"``.

        Raises:
            InvalidRequestError: it is no name, or has no namespace where the objects live in namespaces.
        """
        queue, wanted = self._queue, self._named(name)
        if queue is not None:
            queue.add(wanted)

    # ---------------------------------------------------------------- running

    def run(self, *, cancel: CancelToken | None = None, drain_timeout: float = 30.0) -> None:
        """Work until it is cancelled. Errors of the server do not end it: informers wait, reconciles come again.

        At first each object is looked after once, as soon as all that is watched is in memory. At the end what is in
        the queue is worked off for ``drain_timeout`` seconds; then `Request.cancel` is cancelled.

        Under a leader election, nothing may go on when the leadership is over: give ``drain_timeout=0``.

        Args:
            cancel: a token that ends it.
            drain_timeout: seconds; with 0, what is under way is told to end at once, and nothing else is begun.

        Raises:
            NoMatchError: the server has no such resource.
            InvalidRequestError: it runs already, the timeout is no number of seconds, or ``cancel`` no token.
            InformerStoppedError: the client has been closed, or the factory that it was given stopped.
            BaseException: what has ended a worker: ``clock`` has failed, for one. ``reconcile`` cannot end any.
        """
        drain_timeout, cancel = checked_seconds("drain_timeout", drain_timeout), checked_cancel(cancel)
        if not self._running.acquire(blocking=False):
            raise InvalidRequestError(f"the controller {self.name} runs already")
        try:
            self._run(cancel, drain_timeout)
        finally:
            self._running.release()

    def _run(self, cancel: CancelToken, drain_timeout: float) -> None:
        queue = self._queue = Workqueue(
            self.name, rate_limiter=self._guarded_limiter(), observers=self._observers, clock=self._clock
        )
        registrations: list[HandlerRegistration] = []
        try:
            informers = self._follow(queue, registrations, cancel)
            _log.info("controller %s: started", self.name)
            self._work(queue, informers, cancel, drain_timeout)
        except CancelledError:
            if not cancel.cancelled:
                raise
        finally:
            queue.shut_down()
            self._queue = None
            self._leave(registrations)
            _log.info("controller %s: stopped", self.name)

    def _follow(
        self, queue: Workqueue[ObjectName], registrations: list[HandlerRegistration], cancel: CancelToken
    ) -> list[SharedInformer]:
        """Fill the queue from all sources, and wait until everything is known; the first is of the main source."""
        followed = self._look_up(cancel)
        for source, informer in followed:
            handler = SourceHandler(source, queue.add, named=self._named)
            registrations.append(informer.add_event_handler(handler, name=f"controller {self.name}"))
        self._factory.start()
        for registration in registrations:
            registration.wait_for_sync(cancel=cancel)
        return [informer for _, informer in followed]

    def _look_up(self, cancel: CancelToken) -> list[tuple[Source, SharedInformer]]:
        """The sources and their informers, as soon as the server says what it has."""
        for delay in itertools.chain(_DELAYS, itertools.repeat(_DELAYS[-1])):
            try:
                return [(source, source.informer(self._factory)) for source in self._sources(cancel)]
            except (DiscoveryError, ServiceUnavailableError, TransportError) as error:
                _log.warning("controller %s: %s; next attempt in %g s", self.name, error, delay)
            if cancel.wait(delay):
                break
        raise CancelledError(f"the controller {self.name} was cancelled before the server answered")

    def _sources(self, cancel: CancelToken) -> list[Source]:
        mapping = self._mapping(cancel)
        if mapping is None:
            return [self._main, *self._others]
        self._namespaced = mapping.namespaced
        owner = to_controller_of_kind(mapping.kind.group_kind, namespaced=mapping.namespaced)
        return [self._main, *(dataclasses.replace(each, map=owner) for each in self._owned), *self._others]

    def _mapping(self, cancel: CancelToken) -> RESTMapping | None:
        """What discovery says of the controller's resource; None where it says nothing and is not needed."""
        handle = self._client.resource(self._main.resource, cancel=cancel)
        try:
            return self._client.mapper.mapping_for(handle.gvr, cancel=cancel)
        except (DiscoveryError, NoMatchError, ServiceUnavailableError, TransportError):
            if self._owned:
                raise
            return None  # the informer believes a GroupVersionResource, or raises the same

    def _leave(self, registrations: list[HandlerRegistration]) -> None:
        for registration in registrations:
            registration.remove()
        for registration in registrations:
            registration.join(_LAST_WAIT)
        if self._shared is None:
            self._factory.stop()
            self._factory = InformerFactory(self._client)  # to run again

    def _work(
        self, queue: Workqueue[ObjectName], informers: list[SharedInformer], cancel: CancelToken, drain_timeout: float
    ) -> None:
        workers = Workers(
            self.name,
            self._reconcile,
            queue,
            informers[0].indexer,
            observers=self._observers,
            clock=self._clock,
        )
        try:
            workers.start(self._concurrency)
            self._keep(informers, workers, cancel)
        except KeyboardInterrupt:
            self._say_what_is_waited_for(queue, workers, drain_timeout)
            raise
        finally:
            try:
                if workers.failure is None:
                    self._drain(queue, drain_timeout)
            finally:  # also after a second Ctrl-C
                workers.tell_to_end()
                queue.shut_down()
                workers.join(_LAST_WAIT)

    def _keep(self, informers: list[SharedInformer], workers: Workers, cancel: CancelToken) -> None:
        """Until it is cancelled. Without workers or informers, a controller would look alive and do nothing."""
        while not cancel.wait(_GLANCE):
            if workers.failure is not None:
                raise workers.failure
            for informer in informers:
                if informer.is_stopped:
                    error = informer.status.error
                    reason = "its factory was stopped, or its client closed" if error is None else str(error)
                    raise InformerStoppedError(
                        f"the controller {self.name} has ended: {informer.name} is not followed any more: {reason}"
                    ) from error

    def _say_what_is_waited_for(self, queue: Workqueue[ObjectName], workers: Workers, drain_timeout: float) -> None:
        under_way = ", ".join(map(str, workers.under_way[:_SHOWN])) or "nothing"
        _log.warning(
            "controller %s: interrupted: waits up to %g s for what is under way (%s), and for %d in the queue; "
            "a second Ctrl-C tells it to end at once",
            self.name, drain_timeout or _LAST_WAIT, under_way, len(queue),
        )  # fmt: skip

    def _drain(self, queue: Workqueue[ObjectName], drain_timeout: float) -> None:
        if drain_timeout <= 0:
            return
        try:
            queue.shut_down_with_drain(timeout=drain_timeout)
        except DeadlineExceededError:
            _log.warning("controller %s: not all was worked off in %g s", self.name, drain_timeout)

    # ---------------------------------------------------------------- the rest

    def _named(self, name: Name) -> ObjectName:
        """A name in one form, of an object that there can be."""
        wanted = as_name(name)
        if self._namespaced is not None and self._namespaced != bool(wanted.namespace):
            where = "has no namespace, and each of them lives in one" if self._namespaced else "has a namespace"
            form = "('shop', 'api') or 'shop/api'" if self._namespaced else "('', 'api') or 'api'"
            raise InvalidRequestError(f"name: {name!r} {where}: for {_name_of(self._main.resource)} want {form}")
        return wanted

    def _guarded_limiter(self) -> ItemRateLimiter | None:
        limiter = self._rate_limiter
        return None if limiter is None else GuardedLimiter(limiter, self.name, self._clock)

    def _or_own(self, namespace: str | None) -> str | None:
        return self._namespace if namespace is None else namespace

    def _check_not_running(self, what: str) -> None:
        if self._running.locked():
            raise InvalidRequestError(f"{what}: the controller {self.name} runs already")

    def __repr__(self) -> str:
        return f"Controller({self.name!r})"


def _name_of(resource: Resource) -> str:
    if isinstance(resource, str):
        return resource
    if isinstance(resource, GroupVersionResource):
        return str(resource.group_resource)
    return str(resource.gvr.group_resource)


def _source(resource: Resource, map: Map, predicate: Predicate | None, options: Mapping[str, Any]) -> Source:  # noqa: A002
    return Source(resource=checked_resource(resource), map=map, predicate=checked_predicate(predicate), options=options)


def _nobody(_obj: object) -> list[Name]:
    """Stands for the owner until it is known which kind that is."""
    return []
