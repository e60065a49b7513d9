"""One resource with every verb: `ResourceHandle`."""

from __future__ import annotations

from typing import Any

from dynkube.dynamic.verbs import (
    ApplyStatusVerb,
    ApplyVerb,
    CreateVerb,
    DeleteCollectionVerb,
    DeleteVerb,
    GetVerb,
    ListVerb,
    PatchVerb,
    TableVerb,
    UpdateStatusVerb,
    UpdateVerb,
    WaitVerb,
    WatchVerb,
)
from dynkube.errors import InvalidRequestError
from dynkube.schema import GroupVersionResource
from dynkube.wire.paths import validate_segment
from dynkube.wire.request import ACCEPT_METADATA

__all__ = ["ResourceHandle"]


class ResourceHandle(
    GetVerb,
    ListVerb,
    TableVerb,
    CreateVerb,
    UpdateVerb,
    UpdateStatusVerb,
    PatchVerb,
    ApplyVerb,
    ApplyStatusVerb,
    DeleteVerb,
    DeleteCollectionVerb,
    WatchVerb,
    WaitVerb,
):
    """One resource, in one namespace or in none, with every verb; frozen.

    Namespaces. A handle from discovery knows whether its resource is namespaced. Bound to no
    namespace, its create, update and apply use the object's ``metadata.namespace``, else the
    configuration's; get, patch and delete use the configuration's; list, iter and watch mean all
    namespaces; delete_collection wants ``all_namespaces=True``. A handle from a bare
    `GroupVersionResource` never guesses: the object's ``metadata.namespace``, or none.

    Every verb takes ``timeout=`` (seconds for the whole call, attempts and waits included; then
    `DeadlineExceededError`) and ``cancel=`` (a `CancelToken`; then `CancelledError`). The server's
    refusals are `APIStatusError`, one subclass per reason.
    """

    __slots__ = ()

    def namespace(self, namespace: str) -> ResourceHandle:
        """The same resource in one namespace; ``""`` unbinds it again.

        Raises:
            InvalidRequestError: the resource is known to have no namespaces, or the text can
                be no namespace.
        """
        if namespace:
            validate_segment(namespace, "namespace")
            if self._namespaced is False:
                raise InvalidRequestError(
                    f"namespace: {self.gvr.resource} is cluster-scoped; leave .namespace({namespace!r}) out"
                )
        return self._with(namespace=namespace)

    def subresource(self, subresource: str) -> ResourceHandle:
        """A subresource of the same resource: ``"status"``, ``"scale"``, ``"eviction"``, ...

        All verbs work on it as far as the server has them; create then takes ``name=``.

        Raises:
            InvalidRequestError: the text can be no path segment.
        """
        for segment in subresource.split("/"):
            validate_segment(segment, "subresource")
        return self._with(subresource=subresource)

    def related(self, resource: GroupVersionResource, *, namespaced: bool = True) -> ResourceHandle:
        """Another resource of the same server, in the namespace in which `get` reads; no request is made.

        Args:
            resource: which one, for instance the ReplicaSets beside Deployments.
            namespaced: whether it lives in namespaces; a cluster-scoped one is bound to none.
        """
        namespace = self._namespace_for_name() if namespaced else ""
        return ResourceHandle(
            self._rest,
            resource,
            namespaced=namespaced,
            namespace=namespace,
            default_namespace=self._default_namespace,
        )

    def metadata_only(self) -> ResourceHandle:
        """The same objects as ``PartialObjectMetadata``: apiVersion, kind and metadata only.

        A fraction of the bytes where only labels, owners or versions matter. See
        https://kubernetes.io/docs/reference/using-api/api-concepts/#metadata-only-fetches
        """
        return self._with(accept=ACCEPT_METADATA)

    def _with(self, **changes: Any) -> ResourceHandle:
        values: dict[str, Any] = {
            "namespaced": self._namespaced,
            "namespace": self._namespace,
            "default_namespace": self._default_namespace,
            "subresource": self._subresource,
            "accept": self._accept,
        }
        values.update(changes)
        return ResourceHandle(self._rest, self.gvr, **values)

    def __repr__(self) -> str:
        where = f", namespace={self._namespace!r}" if self._namespace else ""
        part = f", subresource={self._subresource!r}" if self._subresource else ""
        return f"ResourceHandle({self.gvr.group_version}/{self.gvr.resource}{where}{part})"
