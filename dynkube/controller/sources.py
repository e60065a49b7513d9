"""What a controller watches, and whom each change there is about."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from dynkube.controller.arguments import Resource, shown
from dynkube.controller.owners import group_of
from dynkube.controller.predicates import Object, Predicate
from dynkube.errors import InvalidRequestError
from dynkube.informers import (
    InformerFactory,
    ObjectName,
    ResourceEventHandler,
    SharedInformer,
    object_key,
    object_name,
    split_key,
)
from dynkube.schema import GroupKind
from dynkube.unstructured import controller_of, namespace_of

__all__ = ["Map", "Name", "Source", "SourceHandler", "as_name", "itself", "to_controller_of_kind"]

_log = logging.getLogger("dynkube.controller")

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
        named: a name as ``map`` gives it, in one form; raises where it cannot be.
    """

    def __init__(
        self, source: Source, add: Callable[[ObjectName], object], *, named: Callable[[Name], ObjectName]
    ) -> None:
        self._source = source
        self._add = add
        self._named = named

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
        except BaseException:  # noqa: BLE001 - others' code, SystemExit included; the next change is looked at
            _log.exception(
                "a predicate or a mapping for %s failed at %s; the change is passed over",
                self._source.resource, object_key(old if new is None else new),
            )  # fmt: skip
            return
        for name in names:
            self._add(name)

    def _names(self, old: Any, new: Any) -> dict[ObjectName, None]:
        """Of both, so that one that an object has left learns of it, too; each once."""
        both = [obj for obj in (old, new) if obj is not None]
        return {self._named(each): None for obj in both for each in self._mapped(obj)}

    def _mapped(self, obj: Any) -> Iterable[Name]:
        names: object = self._source.map(obj)
        if isinstance(names, str | ObjectName):  # one name would be taken for several
            raise InvalidRequestError(f"map: want a list of names, got one name: write [{names!r}]")
        if isinstance(names, Mapping) or not isinstance(names, Iterable):
            raise InvalidRequestError(f"map: want a list of names, [] for none, got {shown(names)}")
        return names


def as_name(name: Name) -> ObjectName:
    """A name in one form.

    Raises:
        InvalidRequestError: it is neither ``(namespace, name)`` nor ``"namespace/name"``, or a name is empty.

    Example:
        >>> as_name("shop/api"), as_name(("", "n1"))
        (ObjectName(namespace='shop', name='api'), ObjectName(namespace='', name='n1'))
    """
    given: object = name
    if isinstance(given, str):
        found = split_key(given)
    elif isinstance(given, tuple | list) and len(given) == 2 and all(isinstance(each, str) for each in given):
        found = ObjectName(*given)
    else:
        raise InvalidRequestError(f"name: want (namespace, name) or 'namespace/name', got {shown(name)}")
    if not found.name:
        raise InvalidRequestError(f"name: want (namespace, name) or 'namespace/name', got {name!r}: the name is empty")
    return found


def itself(obj: Object) -> list[Name]:
    """A change is about the object itself."""
    return [object_name(obj)]


def to_controller_of_kind(kind: GroupKind, *, namespaced: bool) -> Map:
    """A change is about the object's controller, if that is of this kind."""

    def find(obj: Object) -> list[Name]:
        reference = controller_of(obj)
        if reference is None or (group_of(reference), reference.get("kind")) != (kind.group, kind.kind):
            return []
        namespace = namespace_of(obj) if namespaced else ""
        if namespaced and not namespace:
            return []  # no owner in a namespace can own it: the garbage collector says so
        return [ObjectName(namespace, reference["name"])]

    return find
