"""Events: written where the event says, and found by the object that they are about.

See CG/kubernetes/typed/core/v1/event_expansion.go and CG/kubernetes/typed/events/v1beta1/event_expansion.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from dynkube.clientset.resource import ResourceClient
from dynkube.dynamic import ResourceHandle
from dynkube.errors import InvalidRequestError
from dynkube.fields import FieldSelector
from dynkube.patches import PatchType
from dynkube.transport import CancelToken
from dynkube.unstructured import UnstructuredList

__all__ = ["CoreEvents", "Events"]


class Events(ResourceClient):
    """Events of the group events.k8s.io."""

    __slots__ = ()
    _ABOUT: ClassVar[str] = "regarding"

    def create_with_event_namespace(
        self, event: Mapping[str, Any], *, timeout: float | None = None, cancel: CancelToken | None = None
    ) -> dict[str, Any]:
        """Create an event in the namespace that it names.

        Args:
            event: the event; its ``metadata.namespace`` must be the bound one, or any where none is bound.
            timeout: seconds for the whole call.
            cancel: a token that ends the call.

        Returns:
            The event as stored.

        Raises:
            InvalidRequestError: it names no namespace, or another one.
        """
        return self._there(event, "create").create(event, timeout=timeout, cancel=cancel)

    def update_with_event_namespace(
        self, event: Mapping[str, Any], *, timeout: float | None = None, cancel: CancelToken | None = None
    ) -> dict[str, Any]:
        """Replace an event in the namespace that it names; as `create_with_event_namespace`."""
        return self._there(event, "update").update(event, timeout=timeout, cancel=cancel)

    def patch_with_event_namespace(
        self,
        event: Mapping[str, Any],
        body: Any,
        *,
        type: PatchType | None = PatchType.STRATEGIC,  # noqa: A002 - the word of the API
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]:
        """Patch the event of this name, in the namespace that it names.

        Args:
            event: says which: ``metadata.name`` and ``metadata.namespace``.
            body: a strategic merge patch.
            type: another reading of the body; None tells by the body, as for ``patch``.
            timeout: seconds for the whole call.
            cancel: a token that ends the call.

        Returns:
            The event as stored.

        Raises:
            InvalidRequestError: the event names no namespace, or another one than the bound one.
            NotFoundError: there is none of this name.
        """
        events = self._there(event, "patch")
        return events.patch(str(event["metadata"].get("name") or ""), body, type=type, timeout=timeout, cancel=cancel)

    def get_field_selector(
        self, *, name: str | None = None, namespace: str | None = None, kind: str | None = None, uid: str | None = None
    ) -> FieldSelector:
        """The selector of the events about an object; what is None selects nothing.

        Args:
            name: the object's name.
            namespace: its namespace; ``""`` for one that has none.
            kind: its kind.
            uid: its uid.

        Returns:
            A field selector for ``list`` and ``watch``.
        """
        given = {"name": name, "namespace": namespace, "kind": kind, "uid": uid}
        return FieldSelector.of({f"{self._ABOUT}.{key}": value for key, value in given.items() if value is not None})

    def search(
        self, obj: Mapping[str, Any], *, timeout: float | None = None, cancel: CancelToken | None = None
    ) -> UnstructuredList:
        """The events about an object.

        Args:
            obj: the object, or a reference to it: ``kind``, ``namespace``, ``name`` and ``uid``.
            timeout: seconds for the whole call.
            cancel: a token that ends the call.

        Returns:
            The events, as ``list`` gives them.

        Raises:
            InvalidRequestError: the object is of another namespace than the bound one.
        """
        if not isinstance(obj, Mapping):
            raise InvalidRequestError(f"obj must be a dict, not a {type(obj).__name__}")
        metadata = obj.get("metadata")
        of = metadata if isinstance(metadata, Mapping) else obj
        name, namespace, kind, uid = (str(source.get(key) or "") for source, key in (
            (of, "name"), (of, "namespace"), (obj, "kind"), (of, "uid"),
        ))  # fmt: skip
        if not name:
            raise InvalidRequestError("obj names nothing: an object has metadata.name, a reference name")
        if self._namespace and namespace != self._namespace:
            raise InvalidRequestError(
                f"won't be able to find any events of namespace '{namespace}' in namespace '{self._namespace}'"
            )
        selector = self.get_field_selector(name=name, namespace=namespace, kind=kind or None, uid=uid or None)
        return self.handle.list(field_selector=selector, timeout=timeout, cancel=cancel)

    def _there(self, event: Mapping[str, Any], verb: str) -> ResourceHandle:
        if not isinstance(event, Mapping):
            raise InvalidRequestError(f"event must be a dict, not a {type(event).__name__}")
        metadata = event.get("metadata")
        namespace = str(metadata.get("namespace") or "") if isinstance(metadata, Mapping) else ""
        if self._namespace and namespace != self._namespace:
            raise InvalidRequestError(
                f"can't {verb} an event with namespace '{namespace}' in namespace '{self._namespace}'"
            )
        if not namespace:
            raise InvalidRequestError("event.metadata.namespace is missing or empty: it says where the event lives")
        return self.handle.namespace(namespace)


class CoreEvents(Events):
    """Events of the core group."""

    __slots__ = ()
    _ABOUT: ClassVar[str] = "involvedObject"
