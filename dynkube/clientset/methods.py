"""Functions over a handle or a client, as methods of a resource."""

from __future__ import annotations

import importlib
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar, overload

from dynkube.clientset.resource import ResourceClient
from dynkube.dynamic import DynamicClient, ResourceHandle

if TYPE_CHECKING:
    from typing import Self

__all__ = ["ClientMethod", "Deferred", "HandleMethod"]

_P = ParamSpec("_P")
_R = TypeVar("_R")


@dataclass(frozen=True, slots=True)
class Deferred:
    """A module whose functions become methods, imported when the first of them is used.

    Whoever lists pods does not pay for WebSockets.

    Attributes:
        module: the module's name.
    """

    module: str

    def __getattr__(self, name: str) -> _DeferredFunction:
        return _DeferredFunction(self.module, name)


@dataclass(frozen=True, slots=True)
class _DeferredFunction:
    module: str
    name: str

    def load(self) -> Callable[..., Any]:
        found: Callable[..., Any] = getattr(importlib.import_module(self.module), self.name)
        return found


class HandleMethod(Generic[_P, _R]):
    """A function whose first argument is a handle, as a method of a resource."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable[Concatenate[ResourceHandle, _P], _R]) -> None:
        self._function = function

    @overload
    def __get__(self, resource: None, owner: type) -> Self: ...
    @overload
    def __get__(self, resource: ResourceClient, owner: type) -> Callable[_P, _R]: ...
    def __get__(self, resource: ResourceClient | None, owner: type) -> Self | Callable[_P, _R]:
        """The function, bound to the resource's handle."""
        return self if resource is None else types.MethodType(_loaded(self._function), resource.handle)


class ClientMethod(Generic[_P, _R]):
    """A function whose first argument is a dynamic client, as a method of a resource."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable[Concatenate[DynamicClient, _P], _R]) -> None:
        self._function = function

    @overload
    def __get__(self, resource: None, owner: type) -> Self: ...
    @overload
    def __get__(self, resource: ResourceClient, owner: type) -> Callable[_P, _R]: ...
    def __get__(self, resource: ResourceClient | None, owner: type) -> Self | Callable[_P, _R]:
        """The function, bound to the resource's client."""
        return self if resource is None else types.MethodType(_loaded(self._function), resource.dynamic)


def _loaded(function: Callable[..., Any] | _DeferredFunction) -> Callable[..., Any]:
    return function.load() if isinstance(function, _DeferredFunction) else function
