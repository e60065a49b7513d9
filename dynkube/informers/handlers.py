"""Who is told of changes: handlers, what they get, and filters.

The counterparts in client-go are CG/tools/cache/controller.go (ResourceEventHandlerFuncs,
FilteringResourceEventHandler) and CG/tools/cache/delta_fifo.go (DeletedFinalStateUnknown).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from dynkube.arguments import checked_function
from dynkube.errors import InvalidRequestError
from dynkube.informers.keys import object_key

__all__ = ["FilteringHandler", "ResourceEventHandler", "Tombstone", "handler_of", "is_tombstone"]

OnAdd: TypeAlias = Callable[[Any, bool], object]
OnUpdate: TypeAlias = Callable[[Any, Any], object]
OnDelete: TypeAlias = Callable[[Any], object]


class Tombstone(dict[str, Any]):
    """The last known state of an object whose deletion nobody saw (client-go's DeletedFinalStateUnknown).

    It was there before the watch broke off, and is not in the list that came then; what happened to it in between is
    not known. A handler's ``on_delete`` gets it in place of the final state. It is a dict as any other, so that whoever
    does not care need not know.

    Attributes:
        key: The object's key.

    Example:
        >>> gone = Tombstone({"metadata": {"namespace": "shop", "name": "api"}})
        >>> gone.key, gone["metadata"]["name"], is_tombstone(gone)
        ('shop/api', 'api', True)
    """

    final_state_unknown = True

    @property
    def key(self) -> str:
        """The object's key."""
        return object_key(self)


def is_tombstone(obj: Mapping[str, Any]) -> bool:
    """Whether ``on_delete`` got a last known state in place of the final one.

    >>> is_tombstone({"metadata": {"name": "api"}})
    False
    """
    return bool(getattr(obj, "final_state_unknown", False))


class ResourceEventHandler:
    """Override what you want to be told of; each method here does nothing.

    The calls to one handler come one after the other, on a thread of its own, and after the store has changed. Objects
    are shared: read them, change copies. In compact mode they are `StoredObject`. What a method raises is logged, and a
    second later the next notification is told; the one that failed is not told again.
    """

    def on_add(self, obj: Any, is_in_initial_list: bool) -> None:
        """An object has appeared.

        Args:
            obj: The object.
            is_in_initial_list: Whether it was there before: when the informer started, or the handler was added.
        """

    def on_update(self, old: Any, new: Any) -> None:
        """An object has changed; or nothing has, and a resync is due: both are then the same object.

        Args:
            old: What the store had. With another uid where it was deleted and made anew in between.
            new: What it has now.
        """

    def on_delete(self, obj: Any) -> None:
        """An object has gone.

        Args:
            obj: Its final state, or the last known one: a `Tombstone` (see `is_tombstone`).
        """


class _Functions(ResourceEventHandler):
    """A handler made of functions; any of them may be missing."""

    def __init__(self, on_add: OnAdd | None, on_update: OnUpdate | None, on_delete: OnDelete | None) -> None:
        # On the instance, in place of the methods.
        given = {"on_add": on_add, "on_update": on_update, "on_delete": on_delete}
        self.__dict__.update({name: function for name, function in given.items() if function is not None})

    def __repr__(self) -> str:
        names = [getattr(each, "__qualname__", repr(each)) for each in self.__dict__.values()]
        return ", ".join(dict.fromkeys(names))


class FilteringHandler(ResourceEventHandler):
    """Tells another handler only of the objects that pass a filter.

    An update that makes an object pass is an add to the other handler, and one after which it does not pass any more is
    a delete.

    Args:
        keep: Takes an object, gives whether the other handler is to know of it. It must always say the same of an
            object that does not change.
        handler: The other handler.

    Raises:
        InvalidRequestError: ``keep`` cannot be called with an object, or ``handler`` is no handler.

    Example:
        >>> class Printer(ResourceEventHandler):
        ...     def on_add(self, obj, is_in_initial_list):
        ...         print("ready", obj["name"])
        ...     def on_delete(self, obj):
        ...         print("not ready", obj["name"])
        >>> handler = FilteringHandler(lambda obj: obj["ready"], Printer())
        >>> handler.on_add({"name": "api", "ready": False}, True)
        >>> handler.on_update({"name": "api", "ready": False}, {"name": "api", "ready": True})
        ready api
        >>> handler.on_update({"name": "api", "ready": True}, {"name": "api", "ready": False})
        not ready api
    """

    def __init__(self, keep: Callable[[Any], bool], handler: ResourceEventHandler) -> None:
        self._keep = checked_function("keep", keep, "obj")
        self._handler = handler_of(handler)

    def on_add(self, obj: Any, is_in_initial_list: bool) -> None:
        """Tell of it if it passes."""
        if self._keep(obj):
            self._handler.on_add(obj, is_in_initial_list)

    def on_update(self, old: Any, new: Any) -> None:
        """Tell of an update, an add, a delete or of nothing."""
        match bool(self._keep(old)), bool(self._keep(new)):
            case True, True:
                self._handler.on_update(old, new)
            case False, True:
                self._handler.on_add(new, False)
            case True, False:
                self._handler.on_delete(old)
            case _:
                pass

    def on_delete(self, obj: Any) -> None:
        """Tell of it if it passed."""
        if self._keep(obj):
            self._handler.on_delete(obj)

    def __repr__(self) -> str:
        return f"FilteringHandler({self._handler!r})"


# --------------------------------------------------------------------------- what is given as a handler

_ARGUMENTS: dict[str, tuple[str, ...]] = {
    "on_add": ("obj", "is_in_initial_list"),
    "on_update": ("old", "new"),
    "on_delete": ("obj",),
}


def handler_of(
    handler: ResourceEventHandler | None = None,
    *,
    on_add: OnAdd | None = None,
    on_update: OnUpdate | None = None,
    on_delete: OnDelete | None = None,
) -> ResourceEventHandler:
    """The handler that the arguments mean, looked at before anything happens.

    Args:
        handler: An object with the three methods.
        on_add: Or functions: of the object, and whether it is in the initial list.
        on_update: Of the old object and the new one.
        on_delete: Of the object.

    Raises:
        InvalidRequestError: It is no handler: nothing was given, too much, or something that cannot be called so.
    """
    functions = {"on_add": on_add, "on_update": on_update, "on_delete": on_delete}
    given = {name: function for name, function in functions.items() if function is not None}
    if handler is None:
        if not given:
            raise InvalidRequestError("handler: want a ResourceEventHandler, or on_add=, on_update= or on_delete=")
        for name, function in given.items():
            checked_function(name, function, *_ARGUMENTS[name])
        return _Functions(on_add, on_update, on_delete)
    if given:
        raise InvalidRequestError(f"{next(iter(given))}: give a handler or functions, not both")
    if isinstance(handler, type) or not all(hasattr(handler, name) for name in _ARGUMENTS):
        raise InvalidRequestError(
            f"handler: want an instance of ResourceEventHandler, got {handler!r}; a function goes into on_add=, "
            "on_update= or on_delete="
        )
    for name, arguments in _ARGUMENTS.items():
        checked_function(f"handler {type(handler).__name__}: {name}", getattr(handler, name), *arguments)
    return handler
