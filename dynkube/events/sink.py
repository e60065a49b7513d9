"""Events on their way to the server: created or patched, tried again where that may help."""

from __future__ import annotations

import logging
import random as _random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from dynkube.errors import (
    AlreadyExistsError,
    APIStatusError,
    CancelledError,
    ClosedError,
    DynkubeError,
    InvalidRequestError,
    NotFoundError,
)
from dynkube.transport import CancelToken

if TYPE_CHECKING:
    from dynkube.dynamic import ResourceHandle

__all__ = ["EventSink"]

_log = logging.getLogger("dynkube.events")


class EventSink:
    """Writes events of one API group, one after the other (record/event.go, recordToSink).

    Args:
        events: the resource.
        tries: how often one event is tried.
        retry_delay: seconds between tries; the first delay is a part of it, by chance.
        timeout: seconds for one request.
        closing: when it is cancelled, nothing is tried a second time.
        cancel: when it is cancelled, the request that is under way ends.
        random: numbers from 0 to 1.
        sleep: waits on a token for a number of seconds.
    """

    def __init__(
        self,
        events: ResourceHandle,
        *,
        tries: int,
        retry_delay: float,
        timeout: float,
        closing: CancelToken,
        cancel: CancelToken,
        random: Callable[[], float] = _random.random,
        sleep: Callable[[CancelToken, float], object] = CancelToken.wait,
    ) -> None:
        self._events = events
        self._tries, self._retry_delay, self._timeout = tries, retry_delay, timeout
        self._closing, self._cancel = closing, cancel
        self._random, self._sleep = random, sleep

    def write(self, event: dict[str, Any], patch: dict[str, Any] | None) -> dict[str, Any] | None:
        """Patch the event of this name, or create it where there is no patch, or no event any more.

        Returns:
            The event as the server has it; None where it could not be written, which is logged.
        """
        for number in range(1, self._tries + 1):
            try:
                return self._write(event, patch)
            except (CancelledError, ClosedError, InvalidRequestError) as error:
                _log.error("the event %s was not written: %s", _shown(event), error)
                return None
            except APIStatusError as error:
                # A series whose event has been created meanwhile can be patched.
                if not (patch and isinstance(error, AlreadyExistsError)):
                    self._refused(event, error)
                    return None
            except DynkubeError as error:
                _log.warning("the event %s could not be written: %s", _shown(event), error)
            if self._closing.cancelled or number == self._tries:
                break
            self._sleep(self._closing, self._retry_delay * (self._random() if number == 1 else 1.0))
        _log.error("the event %s was not written: given up after %d tries", _shown(event), number)
        return None

    def _write(self, event: dict[str, Any], patch: dict[str, Any] | None) -> dict[str, Any]:
        events = self._events.namespace(event["metadata"]["namespace"])
        if patch is not None:
            try:
                return events.patch(event["metadata"]["name"], patch, timeout=self._timeout, cancel=self._cancel)
            except NotFoundError:
                pass  # events expire
        metadata = {key: value for key, value in event["metadata"].items() if key != "resourceVersion"}
        return events.create({**event, "metadata": metadata}, timeout=self._timeout, cancel=self._cancel)

    def _refused(self, event: dict[str, Any], error: APIStatusError) -> None:
        expected = isinstance(error, AlreadyExistsError) or any(
            cause.reason == "NamespaceTerminating" for cause in error.causes
        )
        _log.log(
            logging.DEBUG if expected else logging.ERROR, "the server refused the event %s: %s", _shown(event), error
        )


def _shown(event: dict[str, Any]) -> str:
    about = event.get("regarding") or event.get("involvedObject") or {}
    return f"{event.get('reason')} of {about.get('kind')} {about.get('namespace', '')}/{about.get('name')}"
