"""Reading an informer's store as one reads the server (CG/dynamic/dynamiclister/lister.go)."""

from __future__ import annotations

from typing import Any, TypeAlias

from dynkube.arguments import checked_text
from dynkube.errors import NotFoundError
from dynkube.fields import FieldSelector
from dynkube.informers.indexer import Indexer
from dynkube.informers.indexes import NAMESPACE_INDEX
from dynkube.informers.keys import ObjectName
from dynkube.labels import LabelSelector
from dynkube.schema import GroupResource

__all__ = ["Lister"]

_Objects: TypeAlias = list[dict[str, Any]]


class Lister:
    """Reads objects from a store, in one namespace or in all of them; made by `SharedInformer.lister`.

    What it gives is shared: read it, change copies.

    Args:
        indexer: The store.
        resource: What is in it, for messages.
        namespace: Where `get` looks and what `list` gives; ``""`` for cluster-scoped resources and for all namespaces.

    Example:
        >>> from dynkube.informers.store import Store
        >>> store = Store()
        >>> store.add({"metadata": {"namespace": "shop", "name": "api", "labels": {"app": "api"}}})
        >>> lister = Lister(store, GroupResource("apps", "deployments"))
        >>> lister.namespace("shop").get("api")["metadata"]["labels"], len(lister.list(label_selector="app=web"))
        ({'app': 'api'}, 0)
        >>> lister.namespace("shop").get("web")
        Traceback (most recent call last):
        ...
        dynkube.errors.NotFoundError: deployments.apps "web" not found
    """

    __slots__ = ("_indexer", "_namespace", "_resource")

    def __init__(self, indexer: Indexer, resource: GroupResource, namespace: str = "") -> None:
        self._indexer = indexer
        self._resource = resource
        self._namespace = namespace

    def namespace(self, namespace: str) -> Lister:
        """The same store, seen from one namespace.

        Raises:
            InvalidRequestError: The namespace is no text.
        """
        return Lister(self._indexer, self._resource, checked_text("namespace", namespace))

    def get(self, name: str) -> dict[str, Any]:
        """The object of this name.

        Args:
            name: Its name, in the lister's namespace; a lister of all namespaces takes the key, ``"shop/api"``.

        Raises:
            NotFoundError: The store has none; the message says where it has one of this name, if it has.
            InvalidRequestError: The name is no text.
        """
        found = self.get_or_none(name)
        if found is None:
            raise NotFoundError(self._not_found(name))
        return found

    def get_or_none(self, name: str) -> dict[str, Any] | None:
        """The object of this name, None where `get` raises `NotFoundError`."""
        if type(name) is not str:
            checked_text("name", name)
        return self._indexer.get(ObjectName(self._namespace, name) if self._namespace else name)

    def list(
        self,
        *,
        label_selector: str | LabelSelector | None = None,
        field_selector: str | FieldSelector | None = None,
    ) -> _Objects:
        """The objects that are selected.

        Args:
            label_selector: ``"app=api,tier!=web"``.
            field_selector: ``"metadata.name=api"``; any path to a value.

        Raises:
            InvalidRequestError: A selector does not parse, or is none.
        """
        return self._indexer.list(
            namespace=self._namespace, label_selector=label_selector, field_selector=field_selector
        )

    def _not_found(self, name: str) -> dict[str, Any]:
        # AM/pkg/api/errors/errors.go, NewNotFound
        return {
            "kind": "Status",
            "apiVersion": "v1",
            "status": "Failure",
            "message": f'{self._resource} "{name}" not found{self._hint(name)}',
            "reason": "NotFound",
            "details": {"name": name, "group": self._resource.group, "kind": self._resource.resource},
            "code": 404,
        }

    def _hint(self, name: str) -> str:
        """Where the object is, if somebody has asked the lister in the other way."""
        if self._namespace:
            return f": in namespace {self._namespace} want the name alone, not the key" if "/" in name else ""
        if "/" in name or NAMESPACE_INDEX not in self._indexer.indexers:
            return ""
        namespaces = self._indexer.list_index_func_values(NAMESPACE_INDEX)
        found = next((each for each in namespaces if ObjectName(each, name) in self._indexer), "")
        return f': there is one in namespace {found}: ask .namespace("{found}").get("{name}")' if found else ""

    def __repr__(self) -> str:
        where = f", namespace={self._namespace!r}" if self._namespace else ""
        return f"Lister({self._resource}{where})"
