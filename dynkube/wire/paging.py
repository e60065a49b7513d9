"""A list in pages, as a conversation without I/O.

The server cuts a list at ``limit`` objects and hands out a token for the rest; all pages show
the collection as it was at the first one's resourceVersion (API concepts, "Retrieving large
results sets in chunks"). The token expires with etcd's history, within minutes; the refusal
may carry another token, with which the list goes on *at a newer version*: then the pages
together are no snapshot any more (AS/storage/etcd3/errors.go).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from dynkube.errors import DecodeError, ExpiredError
from dynkube.options import ListOptions

__all__ = ["DEFAULT_PAGE_SIZE", "ListPage", "Pager"]

DEFAULT_PAGE_SIZE = 500
"""Objects asked for in one page (CG/tools/pager/pager.go)."""


class ListPage(Protocol):
    """What a pager reads of a page; an `UnstructuredList` is one."""

    @property
    def resource_version(self) -> str: ...  # noqa: D102
    @property
    def continue_token(self) -> str: ...  # noqa: D102


class Pager:
    """Says which page to ask for next.

    Ask with `request`, tell the answer to `on_page` or `on_expired`, and go on until
    `request` is None. Any other failure is the caller's: the same request may be repeated.

    Not thread-safe.

    Args:
        options: what to list. Its ``limit`` wins over ``page_size``; its ``continue_token``
            starts in the middle.
        page_size: objects in a page; 0 or None asks for everything at once.

    Attributes:
        request: the options of the page to ask for, None when all pages came.
        inconsistent: True once the list went on at a newer version after a token expired:
            objects that changed meanwhile may be missing or come twice.
        resource_version: that of the first page, from which a watch starts; ``""`` before.
        pages: how many came.

    Example:
        >>> from types import SimpleNamespace as Page
        >>> pager = Pager(ListOptions(label_selector="app=web"), page_size=2)
        >>> pager.request.limit, pager.request.continue_token
        (2, None)
        >>> pager.on_page(Page(resource_version="7", continue_token="abc"))
        >>> pager.request.limit, pager.request.continue_token
        (2, 'abc')
        >>> pager.on_page(Page(resource_version="7", continue_token=""))
        >>> pager.request, pager.resource_version, pager.inconsistent
        (None, '7', False)
    """

    def __init__(self, options: ListOptions | None = None, *, page_size: int | None = DEFAULT_PAGE_SIZE) -> None:
        options = options if options is not None else ListOptions()
        self.request: ListOptions | None = options if options.limit else replace(options, limit=page_size or None)
        self.inconsistent = False
        self.resource_version = ""
        self.pages = 0

    def on_page(self, page: ListPage) -> None:
        """A page came.

        Args:
            page: its list metadata.

        Raises:
            DecodeError: the server repeats the token it was asked with: it would never end.
        """
        asked = self._asked()
        if not self.pages:
            self.resource_version = page.resource_version
        self.pages += 1
        token = page.continue_token
        if token and token == asked.continue_token:
            raise DecodeError(
                "the server answered a page with the continue token it was asked with; the list never ends"
            )
        self.request = self._continued(asked, token) if token else None

    def on_expired(self, error: ExpiredError) -> None:
        """The token expired: go on at a newer version, if the server offers it.

        Afterwards `inconsistent` is True.

        Args:
            error: the server's refusal of the page.

        Raises:
            ExpiredError: ``error`` itself, where there is no token to go on with. A list from
                the start is the caller's to decide: what the first pages gave would come again.
        """
        asked = self._asked()
        if not error.continue_token or not asked.continue_token:
            raise error
        self.inconsistent = True
        self.request = self._continued(asked, error.continue_token)

    def _asked(self) -> ListOptions:
        if self.request is None:
            raise RuntimeError("the list is complete: there is no page to answer")
        return self.request

    @staticmethod
    def _continued(options: ListOptions, token: str) -> ListOptions:
        # The token holds the version; the server refuses both together (CG/tools/pager/pager.go).
        return replace(
            options,
            continue_token=token,
            resource_version=None,
            resource_version_match=None,
        )
