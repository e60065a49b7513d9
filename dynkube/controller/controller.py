"""The reconcile loop (controller-runtime's pkg/internal/controller)."""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterable
from typing import Literal, Self

from dynkube.controller.predicates import Predicate
from dynkube.controller.request import Request, Result
from dynkube.controller.sources import (
    Map,
    Name,
    Resource,
    Source,
    SourceHandler,
    as_name,
    itself,
    selection,
    to_controller_of_kind,
)
from dynkube.dynamic import DynamicClient
from dynkube.errors import (
    CancelledError,
    ConflictError,
    DeadlineExceededError,
    DiscoveryError,
    InformerStoppedError,
    InvalidRequestError,
    ServiceUnavailableError,
    TerminalError,
    TransportError,
)
from dynkube.fields import FieldSelector
from dynkube.informers import HandlerRegistration, InformerFactory, Lister, ObjectName, SharedInformer
from dynkube.labels import LabelSelector
from dynkube.observers import Observer, Reconciliation, notify
from dynkube.schema import GroupVersionResource
from dynkube.transport import CancelToken
from dynkube.workqueue import ItemRateLimiter, Workqueue

__all__ = ["Controller"]

_log = logging.getLogger("dynkube.controller")

_DELAYS = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)  # seconds between attempts to learn what the server has
_GLANCE = 1.0  # seconds between looks at the informers
_LAST_WAIT = 5.0  # seconds that reconciles, and predicates and maps, get when they have been told to end at once

Reconcile = Callable[[Request], Result | None]


class Controller:
    """Calls ``reconcile`` for each object of a resource: at first, and whenever something may have to be done about it.

    ::

        controller = Controller(client, "widgets.example.com", reconcile, predicate=generation_changed, concurrency=4)
        controller.owns("deployments.apps")
        controller.run(cancel=token)

    What ``reconcile`` gets is the name of an object (`Request`), and never twice at once for the same one. What it
    raises is logged, and it is called again after a while: 5 ms, doubled with each failure, up to 1000 s. A
    `TerminalError` is not tried again before the object changes. It returns nothing, or a `Result`.

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
        rate_limiter: how long one waits after a failure; `default_controller_rate_limiter` by default.
        observers: who is told of each call and of the queue; the client's by default.
        clock: seconds, only ever rising.

    Raises:
        InvalidRequestError: ``reconcile`` is no function, or ``concurrency`` below 1.
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
        if not callable(reconcile):
            raise InvalidRequestError(f"reconcile: want a function of a Request, got {reconcile!r}")
        if concurrency < 1:
            raise InvalidRequestError(f"concurrency: want 1 or more, got {concurrency!r}")
        self._shared = client if isinstance(client, InformerFactory) else None
        self._client = client.client if isinstance(client, InformerFactory) else client
        self._factory = self._shared if self._shared is not None else InformerFactory(self._client)
        self._reconcile = reconcile
        self.name = name or _name_of(resource)
        self._concurrency = concurrency
        self._namespace = namespace
        options = selection(namespace, label_selector, field_selector=field_selector)
        self._main = Source(resource=resource, map=itself, predicate=predicate, options=options)
        self._owned: list[Source] = []
        self._others: list[Source] = []
        self._rate_limiter = rate_limiter
        self._observers = tuple(self._client.config.observers if observers is None else observers)
        self._clock = clock
        self._queue: Workqueue[ObjectName] | None = None
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
            InvalidRequestError: the controller runs already.
        """
        self._check_not_running("owns")
        options = selection(self._or_own(namespace), label_selector, metadata_only=metadata_only)
        self._owned.append(Source(resource=resource, map=_nobody, predicate=predicate, options=options))
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
            map: takes what has changed, gives the names of the objects to look after: ``("shop", "api")`` or
                ``"shop/api"``. It is asked about the state before and after. What it raises is logged.
            predicate: which of its changes count.
            namespace: the controller's by default; ``""`` for all.
            label_selector: of these only.
            metadata_only: keep only apiVersion, kind and metadata.

        Returns:
            The controller.

        Raises:
            InvalidRequestError: the controller runs already, or ``map`` is no function.
        """
        self._check_not_running("watches")
        if not callable(map):
            raise InvalidRequestError(f"map: want a function of an object, got {map!r}")
        options = selection(self._or_own(namespace), label_selector, metadata_only=metadata_only)
        self._others.append(Source(resource=resource, map=map, predicate=predicate, options=options))
        return self

    # ---------------------------------------------------------------- in a reconcile

    def lister(self, resource: Resource | None = None) -> Lister:
        """Reads what the controller has in memory, without a request.

        Args:
            resource: as it was given to `owns` or `watches`; the controller's own by default.

        Raises:
            InvalidRequestError: the controller does not watch it.
        """
        for source in (self._main, *self._owned, *self._others):
            if resource is None or source.resource == resource:
                return source.informer(self._factory).lister()
        raise InvalidRequestError(f"resource: the controller {self.name} does not watch {resource!r}")

    def enqueue(self, name: Name) -> None:
        """Have an object looked after, for a reason of your own. Where the controller does not run, nothing happens.

        Args:
            name: ``("shop", "api")`` or ``"shop/api"``.

        Raises:
            InvalidRequestError: it is no name.
        """
        queue, wanted = self._queue, as_name(name)
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
            InvalidRequestError: it runs already, or the timeout is no number of seconds.
            InformerStoppedError: the client has been closed, or the factory that it was given stopped.
        """
        if not 0 <= drain_timeout <= threading.TIMEOUT_MAX:
            raise InvalidRequestError(f"drain_timeout: want a number of seconds, 0 or more, got {drain_timeout!r}")
        if not self._running.acquire(blocking=False):
            raise InvalidRequestError(f"the controller {self.name} runs already")
        try:
            self._run(cancel if cancel is not None else CancelToken(), drain_timeout)
        finally:
            self._running.release()

    def _run(self, cancel: CancelToken, drain_timeout: float) -> None:
        queue = self._queue = Workqueue(
            self.name, rate_limiter=self._rate_limiter, observers=self._observers, clock=self._clock
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
            handler = SourceHandler(source, queue.add)
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
        if not self._owned:
            return [self._main, *self._others]
        handle = self._client.resource(self._main.resource, cancel=cancel)
        mapping = self._client.mapper.mapping_for(handle.gvr, cancel=cancel)
        owner = to_controller_of_kind(mapping.kind.group_kind, namespaced=mapping.namespaced)
        owned = [
            Source(resource=each.resource, map=owner, predicate=each.predicate, options=each.options)
            for each in self._owned
        ]
        return [self._main, *owned, *self._others]

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
        ending = CancelToken()
        workers = [
            threading.Thread(
                target=self._worker,
                args=(queue, informers[0], ending),
                name=f"dynkube-{self.name}-{number}",
                daemon=True,
            )
            for number in range(self._concurrency)
        ]
        for worker in workers:
            worker.start()
        try:
            self._keep(informers, cancel)
        finally:
            try:
                self._drain(queue, drain_timeout)
            finally:  # also after a second Ctrl-C
                ending.cancel()
                queue.shut_down()
                self._join(workers)

    def _keep(self, informers: list[SharedInformer], cancel: CancelToken) -> None:
        """Until it is cancelled. Without its informers, a controller would look at work and never see any."""
        while not cancel.wait(_GLANCE):
            for informer in informers:
                if informer.is_stopped:
                    raise InformerStoppedError(
                        f"the controller {self.name} has ended: {informer.name} is not followed any more"
                    ) from informer.status.error

    def _join(self, workers: list[threading.Thread]) -> None:
        deadline = time.monotonic() + _LAST_WAIT
        for worker in workers:
            worker.join(max(0.0, deadline - time.monotonic()))
        stuck = [worker.name for worker in workers if worker.is_alive()]
        if stuck:
            _log.error("controller %s: reconciles do not end: %s", self.name, ", ".join(stuck))

    def _drain(self, queue: Workqueue[ObjectName], drain_timeout: float) -> None:
        if drain_timeout <= 0:
            return
        try:
            queue.shut_down_with_drain(timeout=drain_timeout)
        except DeadlineExceededError:
            _log.warning("controller %s: not all was worked off in %g s", self.name, drain_timeout)

    # ---------------------------------------------------------------- one object

    def _worker(self, queue: Workqueue[ObjectName], informer: SharedInformer, ending: CancelToken) -> None:
        while (name := queue.get()) is not None:
            try:
                if not ending.cancelled:
                    self._reconcile_one(queue, informer, name, ending)
            finally:
                queue.done(name)

    def _reconcile_one(
        self, queue: Workqueue[ObjectName], informer: SharedInformer, name: ObjectName, ending: CancelToken
    ) -> None:
        request = Request(
            *name, failures=queue.num_requeues(name), cancel=ending, look_up=lambda: informer.indexer.get(name)
        )
        began = self._clock()
        try:
            result = self._reconcile(request)
            requeue_after = None if result is None else result.requeue_after
        except Exception as error:  # noqa: BLE001 - whatever it is, the other objects want their turn
            self._failed(queue, name, error, ending)
            self._tell("error", began, error)
            return
        queue.forget(name)
        if requeue_after is not None:
            queue.add_after(name, requeue_after)
        self._tell("success" if requeue_after is None else "requeue_after", began)

    def _failed(self, queue: Workqueue[ObjectName], name: ObjectName, error: Exception, ending: CancelToken) -> None:
        if isinstance(error, CancelledError) and ending.cancelled:
            return
        if isinstance(error, TerminalError):
            _log.error("controller %s: %s: %s; it is not tried again", self.name, name, error)
            queue.forget(name)
            return
        if isinstance(error, ConflictError):  # what the store has is old: the change is on its way
            _log.debug("controller %s: %s: %s", self.name, name, error)
        else:
            _log.error("controller %s: %s: %s", self.name, name, error, exc_info=error)
        queue.add_rate_limited(name)

    def _tell(
        self, result: Literal["success", "requeue_after", "error"], began: float, error: Exception | None = None
    ) -> None:
        done = Reconciliation(
            controller=self.name,
            result=result,
            seconds=self._clock() - began,
            error="" if error is None else type(error).__name__,
        )
        notify(self._observers, lambda observer: observer.on_reconciliation, done)

    # ---------------------------------------------------------------- the rest

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


def _nobody(_obj: object) -> list[Name]:
    """Stands for the owner until it is known which kind that is."""
    return []
