"""Reading: get, list, iter and table."""

from __future__ import annotations

from typing import Any

from dynkube.dynamic.pages import PageIterator
from dynkube.dynamic.verbs.target import Target
from dynkube.errors import NotFoundError
from dynkube.fields import FieldSelector
from dynkube.labels import LabelSelector
from dynkube.options import GetOptions, ListOptions
from dynkube.transport import CallScope, CancelToken
from dynkube.unstructured import UnstructuredList
from dynkube.wire.paging import DEFAULT_PAGE_SIZE
from dynkube.wire.request import ACCEPT_TABLE, get_request, list_request
from dynkube.wire.response import decode_response

__all__ = ["GetVerb", "ListVerb", "TableVerb"]


class GetVerb(Target):
    """RBAC's verb get."""

    __slots__ = ()

    def get(
        self,
        name: str,
        *,
        resource_version: str | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]:
        """Read one object.

        Args:
            name: the object's name.
            resource_version: ``"0"`` takes any state the server has cached; None reads the latest.
            timeout: seconds for the whole call.
            cancel: a token that ends the call.

        Returns:
            The object.

        Raises:
            NotFoundError: there is none of this name.
            InvalidRequestError: the name can be no name; nothing was sent.
        """
        request = get_request(
            self.gvr,
            name,
            namespace=self._namespace_for_name(),
            subresource=self._subresource,
            options=GetOptions(resource_version=resource_version) if resource_version is not None else None,
            accept=self._accept,
        )
        return self._object(self._rest.execute(request, timeout=timeout, cancel=cancel))

    def get_or_none(
        self,
        name: str,
        *,
        resource_version: str | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any] | None:
        """Read one object; None where `get` raises `NotFoundError`."""
        try:
            return self.get(name, resource_version=resource_version, timeout=timeout, cancel=cancel)
        except NotFoundError:
            return None


class ListVerb(Target):
    """RBAC's verb list."""

    __slots__ = ()

    def list(
        self,
        *,
        label_selector: str | LabelSelector | None = None,
        field_selector: str | FieldSelector | None = None,
        limit: int | None = None,
        continue_token: str | None = None,
        resource_version: str | None = None,
        resource_version_match: str | None = None,
        timeout_seconds: int | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> UnstructuredList:
        """List objects with one request.

        Args:
            label_selector: ``"app=api,tier!=web"``.
            field_selector: ``"metadata.name=api"``.
            limit: the most objects to return; what is left is at ``.continue_token``.
            continue_token: where an earlier list stopped.
            resource_version: ``"0"`` for any cached state, a version for at least (or, with
                ``resource_version_match="Exact"``, exactly) that one; None reads the latest.
            resource_version_match: ``"NotOlderThan"`` or ``"Exact"``.
            timeout_seconds: the server's own limit for the call, in seconds.
            timeout: seconds for the whole call.
            cancel: a token that ends the call.

        Returns:
            A sequence of dicts with ``.resource_version``, ``.continue_token`` and
            ``.remaining_item_count``.

        Raises:
            ExpiredError: the continue token or resource version is too old.
            InvalidRequestError: a selector does not parse, or the options exclude each other.
        """
        options = ListOptions(
            label_selector=label_selector,
            field_selector=field_selector,
            limit=limit,
            continue_token=continue_token,
            resource_version=resource_version,
            resource_version_match=resource_version_match,
            timeout_seconds=timeout_seconds,
        )
        return self._collection().page(options, timeout=self._limit(timeout, timeout_seconds), cancel=cancel)

    def iter(
        self,
        *,
        label_selector: str | LabelSelector | None = None,
        field_selector: str | FieldSelector | None = None,
        limit: int = DEFAULT_PAGE_SIZE,
        resource_version: str | None = None,
        resource_version_match: str | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> PageIterator:
        """Iterate over all objects, page by page: memory for one page, whatever the number.

        When the continue token expires on the way, iteration goes on with the server's
        inconsistent-continue token: the rest of the objects is then of a newer version than the
        pages before. It says so: a warning is logged and ``.inconsistent`` turns True. It never
        begins a second list.

        Args:
            label_selector: ``"app=api,tier!=web"``.
            field_selector: ``"metadata.name=api"``.
            limit: objects per page.
            resource_version: as for `list`; applies to the first page.
            resource_version_match: as for `list`.
            timeout: seconds for the whole iteration, what the caller does in between included.
            cancel: a token that ends the iteration.

        Returns:
            An iterator of dicts.

        Raises:
            ExpiredError: the token expired and the server gave none to go on with.
        """
        options = ListOptions(
            label_selector=label_selector,
            field_selector=field_selector,
            limit=limit,
            resource_version=resource_version,
            resource_version_match=resource_version_match,
        )
        options.validate("list")
        collection = self._collection()
        return PageIterator(collection, options, CallScope(timeout, cancel))


class TableVerb(Target):
    """What kubectl prints; it takes RBAC's verbs get and list."""

    __slots__ = ()

    def table(
        self,
        name: str | None = None,
        *,
        label_selector: str | LabelSelector | None = None,
        field_selector: str | FieldSelector | None = None,
        limit: int | None = None,
        continue_token: str | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]:
        """What ``kubectl get`` prints: a ``meta.k8s.io/v1 Table`` made by the server.

        Args:
            name: one object; all of them by default.
            label_selector: as for `list`.
            field_selector: as for `list`.
            limit: as for `list`.
            continue_token: as for `list`.
            timeout: seconds for the whole call.
            cancel: a token that ends the call.

        Returns:
            The Table: ``columnDefinitions`` and ``rows``, each with ``cells``.
        """
        if name is not None:
            one = get_request(
                self.gvr,
                name,
                namespace=self._namespace_for_name(),
                subresource=self._subresource,
                accept=ACCEPT_TABLE,
            )
            return decode_response(self._rest.execute(one, timeout=timeout, cancel=cancel))
        options = ListOptions(
            label_selector=label_selector, field_selector=field_selector, limit=limit, continue_token=continue_token
        )
        request = list_request(self.gvr, namespace=self._collection().namespace, options=options, accept=ACCEPT_TABLE)
        return decode_response(self._rest.execute(request, timeout=timeout, cancel=cancel))
