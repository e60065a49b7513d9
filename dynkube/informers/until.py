"""Wait until conditions over the events of a collection are met, one after the other (CG/tools/watch/until.go).

`ResourceHandle.wait` is the shorter way where the condition is one of a single object's status.
"""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias

from dynkube.arguments import checked_function
from dynkube.dynamic import ResourceHandle
from dynkube.errors import DeadlineExceededError, InformerStoppedError, InvalidRequestError, WatchClosedError
from dynkube.fields import FieldSelector
from dynkube.informers.arguments import checked_optional
from dynkube.informers.handlers import ResourceEventHandler, is_tombstone
from dynkube.informers.indexer import Indexer
from dynkube.informers.informer import SharedInformer
from dynkube.labels import LabelSelector
from dynkube.transport import CallScope, CancelToken
from dynkube.wire.watch import EventType, WatchEvent

__all__ = ["EventCondition", "until", "until_with_sync"]

EventCondition: TypeAlias = Callable[[WatchEvent], object]
"""Takes an event; gives whether the condition is met. What it raises ends the wait."""

# How often a wait looks whether its informer has ended by itself, in seconds.
_LOOK = 0.5


def until(events: Iterable[WatchEvent], *conditions: EventCondition) -> WatchEvent | None:
    """Take events until each condition is met, in this order.

    When a condition is met, the next one sees the same event first. The limits are those of ``events``:
    ``handle.watch(resource_version=..., timeout=30)`` resumes and ends in `DeadlineExceededError` (client-go's Until);
    ``handle.watch_once(...)`` is over when the server ends it (UntilWithoutRetry).

    Args:
        events: A watch; close it yourself.
        conditions: What has to be met; without any, no event is taken.

    Returns:
        The event that met the last condition; None without conditions.

    Raises:
        WatchClosedError: The events ended before.
        InvalidRequestError: ``events`` are none, or a condition cannot be called with an event.

    Example:
        >>> pod = lambda phase: WatchEvent(EventType.MODIFIED, {"status": {"phase": phase}})
        >>> phases = map(pod, ["Pending", "Running", "Succeeded"])
        >>> until(phases, lambda event: event.object["status"]["phase"] == "Running").object
        {'status': {'phase': 'Running'}}
    """
    if not isinstance(events, Iterable):
        raise InvalidRequestError(f"events: want a watch, such as handle.watch(timeout=30), got {events!r}")
    _check_conditions(conditions)
    rest = iter(events)
    last: WatchEvent | None = None
    for number, condition in enumerate(conditions, 1):
        if last is not None and condition(last):
            continue
        for event in rest:
            last = event
            if condition(event):
                break
        else:
            raise WatchClosedError(f"the watch ended before condition {number} of {len(conditions)} was met")
    return last


def until_with_sync(
    handle: ResourceHandle,
    *conditions: EventCondition,
    precondition: Callable[[Indexer], object] | None = None,
    label_selector: str | LabelSelector | None = None,
    field_selector: str | FieldSelector | None = None,
    timeout: float | None = None,
    cancel: CancelToken | None = None,
) -> WatchEvent | None:
    """As `until`, over an informer: it survives whatever an informer survives, an expired version included.

    Begins with what is there, as ADDED. States in between may be skipped, the last one never is. Of an object that was
    deleted unseen, the DELETED has the last known state, and ``final_state_unknown``.

    Args:
        handle: What to follow.
        conditions: What has to be met, in this order.
        precondition: Takes the store when it is complete; where it gives true, nothing is waited for.
        label_selector: Of these objects only.
        field_selector: Likewise.
        timeout: Seconds for all of it.
        cancel: A token that ends the wait.

    Returns:
        The event that met the last condition; None where the precondition was met.

    Raises:
        DeadlineExceededError: It took longer; the message has the last error of the server, if there was one.
        CancelledError: The token was cancelled.
        InformerStoppedError: The client was closed.
        InvalidRequestError: An argument cannot be; the message names it.
    """
    _check_conditions(conditions)
    checked_optional("precondition", precondition, "store")
    scope = CallScope(timeout, cancel)
    informer = SharedInformer(handle, label_selector=label_selector, field_selector=field_selector)
    told = _Queue()
    informer.add_event_handler(told)
    with informer:
        if precondition is not None:
            informer.wait_in(scope)
            if precondition(informer.indexer):
                return None
        return until(told.events(informer, scope), *conditions)


class _Queue(ResourceEventHandler):
    """What an informer tells, as the events of a watch."""

    def __init__(self) -> None:
        self._told: queue.SimpleQueue[WatchEvent | None] = queue.SimpleQueue()

    def on_add(self, obj: Any, is_in_initial_list: bool) -> None:
        del is_in_initial_list
        self._told.put(WatchEvent(EventType.ADDED, obj))

    def on_update(self, old: Any, new: Any) -> None:
        del old
        self._told.put(WatchEvent(EventType.MODIFIED, new))

    def on_delete(self, obj: Any) -> None:
        self._told.put(WatchEvent(EventType.DELETED, obj, final_state_unknown=is_tombstone(obj)))

    def events(self, informer: SharedInformer, scope: CallScope) -> Iterator[WatchEvent]:
        """What is told, until the call is over."""
        disarm = scope.arm(lambda: self._told.put(None))
        try:
            while True:
                _check(informer, scope)
                try:
                    event = self._told.get(timeout=_LOOK)
                except queue.Empty:
                    if informer.is_stopped:
                        error = informer.status.error
                        raise InformerStoppedError(f"informer {informer.name} has stopped: {error}") from error
                    continue
                if event is not None:
                    yield event
        finally:
            disarm()


def _check(informer: SharedInformer, scope: CallScope) -> None:
    try:
        scope.check()
    except DeadlineExceededError:
        status = informer.status
        synced = "" if status.synced else ": it has not synced"
        problem = f" (last error: {status.error})" if status.error is not None else ""
        raise DeadlineExceededError(
            f"the conditions were not met by informer {informer.name} within {scope.timeout:g} s{synced}{problem}"
        ) from status.error


def _check_conditions(conditions: Iterable[EventCondition]) -> None:
    for number, condition in enumerate(conditions, 1):
        checked_function(f"condition {number}", condition, "event")
