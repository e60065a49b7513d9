"""The reflector: keeps somebody informed of a collection, on a thread of its own, whatever happens.

It drives the list-watch machine (`dynkube.wire.listwatch`) with the requests of a `ResourceHandle` and tells a `Sink`.
Its counterpart in client-go is CG/tools/cache/reflector.go.
"""

from __future__ import annotations

import random as randomness
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal, Protocol

from dynkube.options import ListOptions
from dynkube.transport import CancelToken
from dynkube.wire.paging import DEFAULT_PAGE_SIZE
from dynkube.wire.watch import AnyWatchEvent

if TYPE_CHECKING:
    from dynkube.dynamic.handle import ResourceHandle
    from dynkube.observers import Observer

__all__ = ["Reflector", "Sink"]


class Sink(Protocol):
    """Who is kept informed. Called on the reflector's thread, one call at a time; must not block for long."""

    def apply(self, batch: Sequence[AnyWatchEvent], resource_version: str) -> None:
        """Take changes, in this order, as one transaction.

        Args:
            batch: ADDED, MODIFIED and DELETED, at least one. The object is a dict, or a `RawObject` where the reflector
                was made with ``records="raw"``. A DELETED with ``final_state_unknown`` has, in both cases, a dict of
                apiVersion, kind and metadata (name, namespace, uid, resourceVersion last handed over): the last state
                is in the sink's store. An object that was deleted and created anew unseen comes as such a DELETED and an
                ADDED of the same key, one behind the other.
            resource_version: up to which everything has been told once this batch is; ``""`` before the first list
                is complete.
        """

    def replaced(self, resource_version: str) -> None:
        """A list (or the initial events of a watch) is complete: what was told is the server's state at this version.

        Comes after the `apply` that tells the differences, also when there was none.

        Args:
            resource_version: of the list.
        """

    def failed(self, error: Exception, retry_in: float | None) -> None:
        """Something failed.

        Args:
            error: what.
            retry_in: seconds until it is tried again; None where the reflector gives up, and `run` raises the error.
        """


class Reflector:
    """Keeps a `Sink` informed of a collection.

    Args:
        handle: the resource, in one namespace or in all of them.
        sink: who is told.
        options: the selectors; the rest of them belongs to the machine.
        page_size: objects in a page of a list; 0 asks for everything at once.
        cached_lists: lists may come from the API server's cache: cheaper, maybe behind.
        streaming: begin with a watch that sends the initial objects itself (KEP-3157); where the server refuses
            that, lists are used.
        records: ``"raw"`` hands objects over undecoded.
        on_error: called with each error that is waited out, as `Sink.failed` is.
        observers: told of lists and watches.
        random: gives numbers in [0, 1), for jitter.
        clock: seconds, only ever rising.
    """

    def __init__(
        self,
        handle: ResourceHandle,
        sink: Sink,
        *,
        options: ListOptions | None = None,
        page_size: int = DEFAULT_PAGE_SIZE,
        cached_lists: bool = False,
        streaming: bool = False,
        records: Literal["dict", "raw"] = "dict",
        on_error: Callable[[Exception], object] | None = None,
        observers: Sequence[Observer] = (),
        random: Callable[[], float] = randomness.random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.handle = handle

    def run(self, cancel: CancelToken) -> None:
        """Tell the sink until the token is cancelled; then returns.

        401, 403, 404, 405 and all else that time or an administrator may heal is waited out, and told (`Sink.failed`).

        Raises:
            ClosedError: the client was closed.
        """
        raise NotImplementedError
