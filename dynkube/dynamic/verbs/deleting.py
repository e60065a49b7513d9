"""Deleting: one object, or all that selectors pick."""

from __future__ import annotations

from typing import Any

from dynkube.dynamic.verbs.target import Target
from dynkube.errors import InvalidRequestError
from dynkube.fields import FieldSelector
from dynkube.labels import LabelSelector
from dynkube.options import DeleteOptions, ListOptions, Preconditions
from dynkube.transport import CancelToken
from dynkube.wire.request import delete_collection_request, delete_request
from dynkube.wire.response import decode_response

__all__ = ["DeleteCollectionVerb", "DeleteVerb"]


class DeleteVerb(Target):
    """RBAC's verb delete."""

    __slots__ = ()

    def delete(
        self,
        name: str,
        *,
        propagation_policy: str | None = None,
        grace_period_seconds: int | None = None,
        preconditions: Preconditions | None = None,
        orphan_dependents: bool | None = None,
        dry_run: bool = False,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]:
        """Delete one object.

        Args:
            name: the object's name.
            propagation_policy: ``"Background"``, ``"Foreground"`` or ``"Orphan"``: what becomes of
                the objects it owns.
            grace_period_seconds: seconds it gets to end; 0 deletes at once.
            preconditions: the uid or resourceVersion that it must still have.
            orphan_dependents: the older form of ``propagation_policy``.
            dry_run: have the server do everything but delete it.
            timeout: seconds for the whole call.
            cancel: a token that ends the call.

        Returns:
            What the server says: a ``Status``, or the object, which is still there where
            finalizers or a grace period hold it.

        Raises:
            NotFoundError: there is none of this name.
            ConflictError: a precondition does not hold.
        """
        options = DeleteOptions(
            propagation_policy=propagation_policy,
            grace_period_seconds=grace_period_seconds,
            preconditions=preconditions,
            orphan_dependents=orphan_dependents,
            dry_run=dry_run,
        )
        request = delete_request(
            self.gvr,
            name,
            namespace=self._namespace_for_name(),
            subresource=self._subresource,
            options=options,
            accept=self._accept,
        )
        return decode_response(self._rest.execute(request, timeout=timeout, cancel=cancel))


class DeleteCollectionVerb(Target):
    """RBAC's verb deletecollection."""

    __slots__ = ()

    def delete_collection(
        self,
        *,
        label_selector: str | LabelSelector | None = None,
        field_selector: str | FieldSelector | None = None,
        all_namespaces: bool = False,
        propagation_policy: str | None = None,
        grace_period_seconds: int | None = None,
        dry_run: bool = False,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]:
        """Delete all objects that the selectors pick, in one request.

        Args:
            label_selector: as for `list`.
            field_selector: as for `list`.
            all_namespaces: must be said for a namespaced resource that is bound to no namespace. The
                API server's own resources refuse it with 405: go through the namespaces one by one.
            propagation_policy: as for `delete`.
            grace_period_seconds: as for `delete`.
            dry_run: have the server do everything but delete them.
            timeout: seconds for the whole call.
            cancel: a token that ends the call.

        Returns:
            What the server says: the list of deleted objects, or a ``Status``.

        Raises:
            InvalidRequestError: it would mean every namespace, and nobody said so.
        """
        if self._namespaced and not self._namespace and not all_namespaces:
            raise InvalidRequestError(
                f"all_namespaces: deleting {self.gvr.resource} in every namespace must be asked for: "
                "use .namespace(...), or all_namespaces=True"
            )
        if all_namespaces and self._namespace:
            raise InvalidRequestError(
                f"all_namespaces: this handle is bound to namespace {self._namespace!r}; use .namespace('') first"
            )
        request = delete_collection_request(
            self.gvr,
            namespace=self._collection().namespace,
            list_options=ListOptions(label_selector=label_selector, field_selector=field_selector),
            options=DeleteOptions(
                propagation_policy=propagation_policy, grace_period_seconds=grace_period_seconds, dry_run=dry_run
            ),
            accept=self._accept,
        )
        return decode_response(self._rest.execute(request, timeout=timeout, cancel=cancel))
