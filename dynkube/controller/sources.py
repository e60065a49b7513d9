"""What a controller watches, and whom each change there is about."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from dynkube.controller.owners import group_of
from dynkube.controller.predicates import Object, Predicate
from dynkube.errors import InvalidRequestError
from dynkube.informers import InformerFactory, ObjectName, ResourceEventHandler, SharedInformer, object_name, split_key
from dynkube.labels import LabelSelector
from dynkube.resources import APIResource
from dynkube.schema import GroupKind, GroupVersionResource
from dynkube.unstructured import controller_of, namespace_of

__all__ = ["Map", "Name", "Resource", "Source", "SourceHandler", "itself", "to_controller_of_kind"]

_log = logging.getLogger("dynkube.controller")

Resource: TypeAlias = str | GroupVersionResource | APIResource
Name: TypeAlias = str | tuple[str, str]
"""Whom a request is about: ``("shop", "api")``, an `ObjectName`, or a key, ``"shop/api"``."""
Map: TypeAlias = Callable[[Any], Iterable[Name]]
"""Takes an object that has changed, gives the names of those to look after because of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One resource that a controller watches.

    Attributes:
        resource: which.
        map: whom a change is about.
        predicate: which changes count.
        options: of the informer: namespace, label_selector, field_selector, metadata_only.
    """

    resource: Resource
    map: Map
    predicate: Predicate | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def informer(self, factory: InformerFactory) -> SharedInformer:
        """The factory's informer for it."""
        return factory.for_resource(self.resource, **self.options)


class SourceHandler(ResourceEventHandler):
    """Turns changes of a source into names of objects to look after.

    Args:
        source: which changes count, and whom they are about.
        add: gets each name.
    """

    def __init__(self, source: Source, add: Callable[[ObjectName], object]) -> None:
        self._source = source
        self._add = add

    def on_add(self, obj: Any, is_in_initial_list: bool) -> None:  # noqa: ARG002 - both are to be looked after
        """An object has appeared."""
        self._changed(None, obj)

    def on_update(self, old: Any, new: Any) -> None:
        """An object has changed."""
        self._changed(old, new)

    def on_delete(self, obj: Any) -> None:
        """An object has gone."""
        self._changed(obj, None)

    def _changed(self, old: Any, new: Any) -> None:
        try:
            if self._source.predicate is not None and not self._source.predicate(old, new):
                return
            names = self._names(old, new)
        except Exception:  # noqa: BLE001 - others' code; the next change is looked at all the same
            _log.exception("a predicate or a mapping for %s failed", self._source.resource)
            return
        for name in names:
            self._add(name)

    def _names(self, old: Any, new: Any) -> dict[ObjectName, None]:
        """Of both, so that one that an object has left learns of it, too; each once."""
        both = [obj for obj in (old, new) if obj is not None]
        return {as_name(each): None for obj in both for each in self._source.map(obj)}


def as_name(name: Name) -> ObjectName:
    """A name in one form.

    Raises:
        InvalidRequestError: it is neither ``(namespace, name)`` nor ``"namespace/name"``.

    Example:
        >>> as_name("shop/api"), as_name(("", "n1"))
        (ObjectName(namespace='shop', name='api'), ObjectName(namespace='', name='n1'))
    """
    if isinstance(name, str):
        return split_key(name)
    try:
        namespace, text = name
    except (TypeError, ValueError):
        raise InvalidRequestError(f"name: want (namespace, name) or 'namespace/name', got {name!r}") from None
    return ObjectName(namespace, text)


def itself(obj: Object) -> list[Name]:
    """A change is about the object itself."""
    return [object_name(obj)]


def to_controller_of_kind(kind: GroupKind, *, namespaced: bool) -> Map:
    """A change is about the object's controller, if that is of this kind."""

    def find(obj: Object) -> list[Name]:
        reference = controller_of(obj)
        if reference is None or (group_of(reference), reference.get("kind")) != (kind.group, kind.kind):
            return []
        return [ObjectName(namespace_of(obj) if namespaced else "", reference["name"])]

    return find


def selection(namespace: str | None, label_selector: str | LabelSelector | None, **others: Any) -> dict[str, Any]:
    """The options that were given."""
    options = {"namespace": namespace, "label_selector": label_selector, **others}
    return {name: value for name, value in options.items() if value is not None}
