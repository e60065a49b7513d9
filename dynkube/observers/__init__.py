"""Who is told of what clients do: the callbacks, and the values they get (client-go's tools/metrics).

An observer goes into the configuration, and sees every client made from it::

    class Slow(dynkube.observers.Observer):
        def on_attempt(self, attempt):
            if attempt.seconds > 1:
                print(attempt.method, attempt.template, attempt.outcome, attempt.seconds)

    config = config.copy(observers=(Slow(),))

`dynkube.observers.prometheus` and `dynkube.observers.opentelemetry` are two that are ready; each needs its extra
(``dynkube[prometheus]``, ``dynkube[opentelemetry]``).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from dynkube.errors import InvalidRequestError
from dynkube.observers.controllers import LeaderChange, Reconciliation, WorkqueueGauges, WorkqueueStep
from dynkube.observers.informers import HandlerCall, InformerGauges, InformerReading, ReflectorList, ReflectorWatch

__all__ = [
    "Attempt",
    "ExecCall",
    "HandlerCall",
    "InformerGauges",
    "InformerReading",
    "LeaderChange",
    "LimiterWait",
    "Observer",
    "Reconciliation",
    "ReflectorList",
    "ReflectorWatch",
    "Retry",
    "Rotation",
    "WorkqueueGauges",
    "WorkqueueStep",
    "checked_observers",
    "host_of",
    "notify",
    "template_of",
]

_log = logging.getLogger("dynkube.observers")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One HTTP exchange that is over; of a stream or a watch, its opening.

    Attributes:
        method: ``"GET"``, ``"POST"``, ...
        verb: RBAC's verb, ``"list"`` or ``"watch"``, where it is known.
        host: the server, ``"kube.example:6443"``.
        path: the request's path.
        number: 1 for the first attempt of a call.
        seconds: how long it took.
        status: the HTTP status; None where no answer came.
        error: the name of the error's class where no answer came, else ``""``.
        request_bytes: the size of the body that was sent; None where that is unknown.
        response_bytes: the size of the body, un-gzipped; None for a stream.
    """

    method: str
    verb: str
    host: str
    path: str
    number: int
    seconds: float
    status: int | None = None
    error: str = ""
    request_bytes: int | None = 0
    response_bytes: int | None = None

    @property
    def template(self) -> str:
        """The path with placeholders for names: fit for a label."""
        return template_of(self.path)

    @property
    def outcome(self) -> str:
        """The status as text, or the error's name: ``"200"``, ``"ConnectionLostError"``."""
        return self.error if self.status is None else str(self.status)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """A call is about to wait for its next attempt.

    Attributes:
        method: ``"GET"``, ``"POST"``, ...
        host: the server.
        path: the request's path.
        number: 1 for the first repetition.
        delay: seconds until it.
        reason: the status as text, or the error's name.
    """

    method: str
    host: str
    path: str
    number: int
    delay: float
    reason: str

    @property
    def template(self) -> str:
        """The path with placeholders for names."""
        return template_of(self.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class LimiterWait:
    """A request has passed the client's rate limiter.

    Attributes:
        method: ``"GET"``, ``"POST"``, ...
        host: the server.
        path: the request's path.
        seconds: how long it waited, 0 included.
    """

    method: str
    host: str
    path: str
    seconds: float

    @property
    def template(self) -> str:
        """The path with placeholders for names."""
        return template_of(self.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecCall:
    """A credential plugin has run.

    Attributes:
        command: the program's name, without its folder and arguments.
        seconds: how long it ran.
        exit_code: its exit code; None where it did not start or was ended.
        error: the name of the error's class where it gave no credential, else ``""``.
    """

    command: str
    seconds: float
    exit_code: int | None = None
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """Files of a configuration have changed, and new connections go by them.

    Attributes:
        host: the server.
        what: ``"certificate authority"`` or ``"client certificate"``.
    """

    host: str
    what: str


class Observer:
    """Override what you want to be told of; each method here does nothing.

    Callbacks run on the thread that makes the call, between its steps: be quick. What one raises is logged
    (``dynkube.observers``) and goes no further.
    """

    def on_attempt(self, attempt: Attempt) -> None:
        """An HTTP exchange is over, well or not."""

    def on_retry(self, retry: Retry) -> None:
        """A call will be repeated."""

    def on_limiter_wait(self, wait: LimiterWait) -> None:
        """A request has passed the client's rate limiter; never called without one."""

    def on_exec(self, call: ExecCall) -> None:
        """A credential plugin has run."""

    def on_rotation(self, rotation: Rotation) -> None:
        """Certificates have been read anew; called on a thread of dynkube's own, or on one that connects."""

    def on_informer(self, informer: InformerGauges) -> None:
        """An informer has started. Keep no more than a weak reference to it."""

    def on_reflector_list(self, listed: ReflectorList) -> None:
        """An informer's reflector has listed its collection, well or not."""

    def on_reflector_watch(self, watched: ReflectorWatch) -> None:
        """A watch of an informer's reflector is over, well or not."""

    def on_handler_call(self, call: HandlerCall) -> None:
        """A handler of an informer was called; called on the handler's thread."""

    def on_workqueue(self, queue: WorkqueueGauges) -> None:
        """A work queue has been made. Keep no more than a weak reference to it."""

    def on_workqueue_step(self, step: WorkqueueStep) -> None:
        """Something has happened to an item of a work queue."""

    def on_reconciliation(self, reconciliation: Reconciliation) -> None:
        """A controller has been called for an object, and has returned."""

    def on_leader_change(self, change: LeaderChange) -> None:
        """A candidate of this process has become the leader, or is none any more."""


def checked_observers(observers: Iterable[Observer]) -> tuple[Observer, ...]:
    """What came as ``observers=``.

    Raises:
        InvalidRequestError: it is no collection of `Observer`.

    Example:
        >>> checked_observers(Observer())
        Traceback (most recent call last):
        ...
        dynkube.errors.InvalidRequestError: observers: want a list, such as [observer], got Observer
    """
    try:
        checked = tuple(observers)
    except TypeError:
        name = type(observers).__name__
        raise InvalidRequestError(f"observers: want a list, such as [observer], got {name}") from None
    for index, observer in enumerate(checked):
        if not isinstance(observer, Observer):
            raise InvalidRequestError(f"observers[{index}]: want an Observer, got {observer!r}")
    return checked


def notify(observers: Iterable[Observer], callback: Callable[[Observer], Callable[[Any], object]], event: Any) -> None:
    """Hand ``event`` to a method of each observer.

    Args:
        observers: to whom.
        callback: which method: ``lambda observer: observer.on_exec``.
        event: what happened.
    """
    for observer in observers:
        try:
            callback(observer)(event)
        except (Exception, SystemExit):  # noqa: BLE001 - someone else's code, which must not break the call
            _log.exception("an observer failed")


def host_of(url: str) -> str:
    """The server of a URL as events name it, always with its port.

    >>> host_of("https://kube.example"), host_of("http://[::1]:8080")
    ('kube.example:443', '[::1]:8080')
    """
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    host = parts.hostname or ""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def template_of(path: str) -> str:
    """The path with ``{namespace}`` and ``{name}`` for what users choose (rest/request.go, finalURLTemplate).

    Of paths that are no API's, those of one segment and the documents' stay, the others become ``/{prefix}``: a label
    should have few values.

    >>> template_of("/apis/apps/v1/namespaces/shop/deployments/api/scale")
    '/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale'
    >>> template_of("/api/v1/nodes"), template_of("/api/v1/namespaces/shop"), template_of("/version")
    ('/api/v1/nodes', '/api/v1/namespaces/{name}', '/version')
    """
    segments = path.split("/")
    root = segments[1] if len(segments) > 1 else ""
    if root not in _DEPTHS:
        return path if len(segments) <= 2 or root == "openapi" else "/{prefix}"
    head, rest = segments[: _DEPTHS[root]], segments[_DEPTHS[root] :]
    if rest[:1] == ["namespaces"] and len(rest) > 2 and rest[2] not in _OF_NAMESPACES:
        head, rest = [*head, "namespaces", "{namespace}"], rest[2:]
    if len(rest) > 1:
        rest[1] = "{name}"
    if len(rest) > 3:  # what is behind the proxy of a node, pod or service is somebody else's
        rest[3:] = ["{path}"]
    return "/".join([*head, *rest])


_DEPTHS = {"api": 3, "apis": 4}
_OF_NAMESPACES = ("status", "finalize")
