"""One resource of a clientset, in one namespace or in none, with the verbs that its server has for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from dynkube.clientset.suggesting import missing_method
from dynkube.dynamic import DynamicClient, ResourceHandle
from dynkube.dynamic.verbs import Target
from dynkube.errors import InvalidRequestError
from dynkube.resources import APIResource

__all__ = ["ResourceClient"]


class ResourceClient(Target):
    """One resource in one namespace, in all of them or in none; frozen, and safe to share between threads.

    A `dynkube.Clientset` makes them. The class of each has the verbs and subresources that discovery shows, and no
    others: a missing one is an ``AttributeError`` that says what there is. All options are those of
    `dynkube.ResourceHandle`.

    Namespaces, as in client-go. In one namespace every verb means that one. ``""`` means all namespaces, for list,
    iter, watch and table; what is about one object needs a namespace and is an `InvalidRequestError` without.
    delete_collection in all namespaces must be asked for (``all_namespaces=True``).

    A list's ``timeout_seconds``, the server's limit, is the call's, too, unless ``timeout`` says another.

    Attributes:
        api_resource: what discovery says of the resource.
        dynamic: the dynamic client that it speaks through.
        gvr: the resource.
    """

    __slots__ = ("api_resource", "dynamic")

    def __init__(self, dynamic: DynamicClient, api_resource: APIResource, namespace: str = "") -> None:
        super().__init__(dynamic.rest, api_resource.gvr, namespaced=api_resource.namespaced, namespace=namespace)
        self.api_resource = api_resource
        self.dynamic = dynamic

    @property
    def handle(self) -> ResourceHandle:
        """The same resource as a handle of the dynamic client, with every verb: for informers, for instance."""
        return ResourceHandle(self._rest, self.gvr, namespaced=self._namespaced, namespace=self._namespace)

    def _namespace_for_object(self, obj: Mapping[str, Any]) -> str:  # noqa: ARG002 - a handle asks the object
        # Here as in client-go the object's own namespace chooses nothing; the server compares it.
        if self._namespaced and not self._namespace:
            raise InvalidRequestError(
                "namespace: an empty namespace may not be set during creation; "
                f"{self.gvr.resource} live in namespaces: say in which one"
            )
        return self._namespace

    def _limit(self, timeout: float | None, timeout_seconds: int | None) -> float | None:
        # As in client-go's typed clients the call has the server's limit, too (CG/gentype/type.go).
        return timeout if timeout is not None else timeout_seconds or None

    if not TYPE_CHECKING:  # a checker shall see what is there, not that anything may be

        def __getattr__(self, name: str) -> NoReturn:
            if name.startswith("_") or name in Target.__slots__ or name in ResourceClient.__slots__:
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            own = set(dir(type(self))).difference(dir(ResourceClient))
            raise AttributeError(missing_method(name, self.api_resource, own))

    def __repr__(self) -> str:
        where = f"namespace={self._namespace!r}" if self._namespace else "all namespaces"
        scope = f", {where}" if self._namespaced else ""
        return f"<{type(self).__name__} {self.gvr.group_version}{scope}, of {self._rest.config.base_url}>"
