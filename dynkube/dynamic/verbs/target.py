"""What every verb works on: one resource, where it lives, and how it is spoken to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dynkube.dynamic.collection import Collection, metadata_of
from dynkube.errors import InvalidRequestError
from dynkube.options import ApplyOptions, UpdateOptions
from dynkube.rest import RESTClient
from dynkube.schema import GroupVersionResource, gvk_of
from dynkube.wire.messages import Request, Response
from dynkube.wire.request import ACCEPT_JSON, ACCEPT_METADATA, apply_request, update_request
from dynkube.wire.response import decode_response

__all__ = ["Target", "check_object", "frames_forgotten", "name_of"]


class Target:
    """One resource, in one namespace or in none, without a verb; the verbs' classes add theirs.

    Attributes:
        gvr: the resource.
    """

    __slots__ = (
        "_accept",
        "_default_namespace",
        "_namespace",
        "_namespaced",
        "_rest",
        "_subresource",
        "gvr",
    )

    def __init__(
        self,
        rest: RESTClient,
        gvr: GroupVersionResource,
        *,
        namespaced: bool | None = None,
        namespace: str = "",
        default_namespace: str = "",
        subresource: str = "",
        accept: str = ACCEPT_JSON,
    ) -> None:
        self._rest = rest
        self.gvr = gvr
        self._namespaced = namespaced
        self._namespace = namespace
        self._default_namespace = default_namespace
        self._subresource = subresource
        self._accept = accept

    @property
    def rest(self) -> RESTClient:
        """The client that its requests go through."""
        return self._rest

    @property
    def bound_namespace(self) -> str:
        """The namespace in which `get` and its like look for a name; ``""`` for none."""
        return self._namespace_for_name()

    def collection(self) -> Collection:
        """The requests that lists and watches of it are made of, for those who drive them themselves.

        Raises:
            InvalidRequestError: it is a subresource, which is of one object.
        """
        return self._collection()

    def _collection(self) -> Collection:
        if self._subresource:
            raise InvalidRequestError(
                f"subresource: {self._subresource!r} is of one object, not of a collection; "
                'list, watch and wait on a handle without it, .subresource("...") is for the others'
            )
        return Collection(self._rest, self.gvr, self._namespace, self._accept)

    def _object(self, response: Response) -> dict[str, Any]:
        obj = decode_response(response)
        return metadata_of(obj) if self._accept is ACCEPT_METADATA else obj

    def _namespace_for_name(self) -> str:
        if self._namespace or not self._namespaced:
            return self._namespace
        if not self._default_namespace:
            raise InvalidRequestError(
                "namespace: an empty namespace may not be set when a resource name is provided; "
                f"{self.gvr.resource} live in namespaces: say in which one"
            )
        return self._default_namespace

    def _namespace_for_object(self, obj: Mapping[str, Any]) -> str:
        if self._namespace or self._namespaced is False:
            return self._namespace
        metadata = obj.get("metadata")
        own = metadata.get("namespace") if isinstance(metadata, Mapping) else None
        if own:
            return str(own)
        if not self._namespaced:
            return ""
        if not self._default_namespace:
            raise InvalidRequestError(
                "namespace: an empty namespace may not be set during creation; "
                f"{self.gvr.resource} live in namespaces: say in which one"
            )
        return self._default_namespace

    def _limit(self, timeout: float | None, timeout_seconds: int | None) -> float | None:  # noqa: ARG002
        """Seconds for a list, whose server has a limit of its own."""
        return timeout

    # Verbs of their own for the status do these on another subresource. They make the request and do not send it: where
    # it fails, no frame below the public call holds the object.

    def _update(self, obj: Mapping[str, Any], name: str, subresource: str, options: UpdateOptions) -> Request:
        with frames_forgotten():
            check_object(obj)
            return update_request(
                self.gvr,
                obj,
                name=name,
                namespace=self._namespace_for_object(obj),
                subresource=subresource,
                options=options,
                accept=self._accept,
            )

    def _apply(self, obj: Mapping[str, Any], name: str | None, subresource: str, options: ApplyOptions) -> Request:
        with frames_forgotten():
            check_object(obj)
            gvk_of(obj, argument="obj")  # the server would say "invalid object type: /, Kind="
            return apply_request(
                self.gvr,
                name if name is not None else name_of(obj),
                obj,
                namespace=self._namespace_for_object(obj),
                subresource=subresource,
                options=options,
                accept=self._accept,
            )

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, slot) == getattr(other, slot) for slot in Target.__slots__)

    def __hash__(self) -> int:
        return hash((self.gvr, self._namespace, self._subresource, self._accept))


class frames_forgotten:  # noqa: N801 - reads as a participle
    """What we refuse in this block leaves without the frames below it: they hold the object, which may be a Secret."""

    __slots__ = ()

    def __enter__(self) -> None:
        """Nothing to do."""

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        refused = isinstance(error, InvalidRequestError)
        while refused and error is not None:
            error.__traceback__ = None
            error = error.__cause__ or error.__context__


def check_object(obj: object) -> None:
    """Refuse what is no dict."""
    if not isinstance(obj, Mapping):
        raise InvalidRequestError(f"obj must be a dict with apiVersion, kind and metadata, not a {type(obj).__name__}")


def name_of(obj: Mapping[str, Any]) -> str:
    """An object's name, ``""`` where it has none."""
    metadata = obj.get("metadata")
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    return name if isinstance(name, str) else ""
