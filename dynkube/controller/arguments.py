"""What is said at once of a controller's arguments that cannot be: later, its log would be the only place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from dynkube.arguments import checked_flag, checked_function
from dynkube.controller.predicates import Predicate
from dynkube.dynamic import ResourceHandle
from dynkube.errors import InvalidRequestError
from dynkube.fields import FieldSelector, field_selector_of
from dynkube.informers.arguments import checked_namespace
from dynkube.labels import LabelSelector, label_selector_of
from dynkube.resources import APIResource
from dynkube.schema import GroupVersionResource
from dynkube.transport import CancelToken
from dynkube.workqueue import ItemRateLimiter

__all__ = [
    "Resource",
    "checked_cancel",
    "checked_handle",
    "checked_limiter",
    "checked_object",
    "checked_predicate",
    "checked_resource",
    "selection",
    "shown",
]

Resource: TypeAlias = str | GroupVersionResource | APIResource


def shown(value: object) -> str:
    """A wrong value for a message; of an object its type alone, since it may be a Secret."""
    return f"a {type(value).__name__}" if isinstance(value, Mapping) else f"{value!r:.80}"


def checked_resource(resource: Resource) -> Resource:
    """What `InformerFactory.for_resource` takes.

    Raises:
        InvalidRequestError: it is something else, or no text.
    """
    if resource and isinstance(resource, str | GroupVersionResource | APIResource):
        return resource
    raise InvalidRequestError(
        f"resource: want a name such as 'widgets.example.com' or a GroupVersionResource, got {resource!r}"
    )


def checked_predicate(predicate: Predicate | None) -> Predicate | None:
    """A function of an object before and after, or None.

    Raises:
        InvalidRequestError: it is neither.
    """
    return None if predicate is None else checked_function("predicate", predicate, "old", "new")


def checked_limiter(limiter: ItemRateLimiter | None) -> ItemRateLimiter | None:
    """What has the three methods of an `ItemRateLimiter`, or None.

    Raises:
        InvalidRequestError: it is neither.
    """
    if limiter is None:
        return None
    for method in ("when", "forget", "num_requeues"):
        if not hasattr(limiter, method):
            raise InvalidRequestError(
                f"rate_limiter: want an ItemRateLimiter, such as ItemExponentialFailureRateLimiter(0.1, 60), "
                f"got {limiter!r}: it has no {method}(item)"
            )
        checked_function(f"rate_limiter.{method}", getattr(limiter, method), "item")
    return limiter


def checked_cancel(cancel: CancelToken | None) -> CancelToken:
    """The token; a new one for None.

    Raises:
        InvalidRequestError: it is neither.
    """
    if cancel is None:
        return CancelToken()
    if not isinstance(cancel, CancelToken):
        raise InvalidRequestError(f"cancel: want a dynkube.CancelToken, got {cancel!r}")
    return cancel


def checked_handle(handle: ResourceHandle) -> ResourceHandle:
    """The handle.

    Raises:
        InvalidRequestError: it is none.
    """
    if not isinstance(handle, ResourceHandle):
        raise InvalidRequestError(f"handle: want a ResourceHandle (client.resource('widgets')), got {handle!r}")
    return handle


def checked_object(name: str, obj: Any, kind: type[Any] = Mapping) -> None:
    """Look whether an argument is an object, a mapping.

    Raises:
        InvalidRequestError: it is none.
    """
    if not isinstance(obj, kind):
        wanted = "an object, a dict" if kind is Mapping else "an object that can be changed, a dict"
        raise InvalidRequestError(f"{name}: want {wanted}, got {obj!r:.80}")


def selection(
    namespace: str | None,
    label_selector: str | LabelSelector | None,
    field_selector: str | FieldSelector | None = None,
    metadata_only: bool | None = None,
) -> dict[str, Any]:
    """The options of an informer that were given.

    Raises:
        InvalidRequestError: one of them cannot be.
    """
    options: dict[str, Any] = {}
    if namespace is not None:
        options["namespace"] = checked_namespace(namespace)
    if label_selector is not None:
        options["label_selector"] = label_selector_of(label_selector)
    if field_selector is not None:
        options["field_selector"] = field_selector_of(field_selector)
    if metadata_only is not None:
        options["metadata_only"] = checked_flag("metadata_only", metadata_only)
    return options
