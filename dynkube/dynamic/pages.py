"""All objects of a collection, page by page."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from dynkube.dynamic.collection import Collection
from dynkube.errors import DeadlineExceededError, ExpiredError
from dynkube.options import ListOptions
from dynkube.transport import CallScope
from dynkube.wire.paging import Pager

__all__ = ["PageIterator"]

_log = logging.getLogger("dynkube.dynamic")


class PageIterator:
    """The objects of a paged list, one page in memory at a time.

    Attributes:
        inconsistent: whether the list went on at a newer version after its token expired.
        resource_version: the version of the first page, ``""`` before it came.
    """

    def __init__(self, collection: Collection, options: ListOptions, scope: CallScope) -> None:
        self._pager = Pager(options, page_size=options.limit)
        self._collection = collection
        self._scope = scope
        self._objects = self._iterate()

    @property
    def inconsistent(self) -> bool:
        """Whether the list went on at a newer version after its token expired."""
        return self._pager.inconsistent

    @property
    def resource_version(self) -> str:
        """The version of the first page, ``""`` before it came."""
        return self._pager.resource_version

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return self._objects

    def __next__(self) -> dict[str, Any]:
        return next(self._objects)

    def _iterate(self) -> Iterator[dict[str, Any]]:
        while (options := self._pager.request) is not None:
            self._scope.check()
            try:
                page = self._collection.page(options, timeout=self._scope.left(), cancel=self._scope.cancel)
            except ExpiredError as error:
                self._pager.on_expired(error)
                _log.warning(
                    "the continue token of a list of %s expired: it goes on inconsistent with the pages before, "
                    "at a newer version",
                    self._collection.gvr.group_resource,
                )
                continue
            except DeadlineExceededError:
                self._scope.check()  # says it in the caller's seconds, not in those that were left
                raise
            self._pager.on_page(page)
            yield from page.objects
            del page
