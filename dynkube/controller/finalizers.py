"""Finalizers: clean up before an object goes.

An object with a finalizer is not deleted at once: it gets a ``metadata.deletionTimestamp``, and stays until the
finalizer is taken off. Whoever puts one on has to take it off, or the object stays for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from dynkube.arguments import checked_function
from dynkube.controller.arguments import checked_handle, checked_object
from dynkube.dynamic import ResourceHandle
from dynkube.errors import InvalidRequestError, NotFoundError
from dynkube.transport import CallScope, CancelToken
from dynkube.unstructured import deletion_timestamp_of, finalizers_of, name_of, namespace_of, resource_version_of

__all__ = ["ensure_finalizer", "remove_finalizer", "with_finalizer"]

_T = TypeVar("_T")
Object = Mapping[str, Any]


def ensure_finalizer(
    handle: ResourceHandle,
    obj: Object,
    finalizer: str,
    *,
    timeout: float | None = None,
    cancel: CancelToken | None = None,
) -> dict[str, Any]:
    """Put a finalizer on an object, unless it is there.

    It is a merge patch that holds only for the version that was read, so that no other finalizer gets lost.

    Args:
        handle: the object's resource.
        obj: the object as it was read; it is not changed.
        finalizer: a name with a domain: ``"widgets.example.com/cleanup"``.
        timeout: seconds for the whole call.
        cancel: a token that ends the call.

    Returns:
        The object with its finalizer. Nothing is sent where it is there.

    Raises:
        ConflictError: the object has changed since it was read: read it again.
        InvalidError: it is being deleted: the server takes no new finalizer.
        NotFoundError: it is gone.
        InvalidRequestError: no handle, no finalizer, or an object without name or version.
    """
    _check(handle, obj, finalizer)
    there = finalizers_of(obj)
    if finalizer in there:
        return dict(obj)
    return _patch(handle, obj, [*there, finalizer], CallScope(timeout, cancel))


def remove_finalizer(
    handle: ResourceHandle,
    obj: Object,
    finalizer: str,
    *,
    timeout: float | None = None,
    cancel: CancelToken | None = None,
) -> dict[str, Any] | None:
    """Take a finalizer off an object; with the last one, an object that is being deleted goes.

    Args:
        handle: the object's resource.
        obj: the object as it was read; it is not changed.
        finalizer: its name.
        timeout: seconds for the whole call.
        cancel: a token that ends the call.

    Returns:
        The object without it; None where there is no such object any more. Nothing is sent where it is not there.

    Raises:
        ConflictError: the object has changed since it was read: read it again.
        InvalidRequestError: no handle, no finalizer, or an object without name or version.
    """
    _check(handle, obj, finalizer)
    there = finalizers_of(obj)
    if finalizer not in there:
        return dict(obj)
    try:
        return _patch(handle, obj, [each for each in there if each != finalizer], CallScope(timeout, cancel))
    except NotFoundError:
        return None


def with_finalizer(
    handle: ResourceHandle,
    obj: Object,
    finalizer: str,
    *,
    apply: Callable[[dict[str, Any]], _T],
    cleanup: Callable[[dict[str, Any]], object],
    timeout: float | None = None,
    cancel: CancelToken | None = None,
) -> _T | None:
    """Do one thing while an object is wanted, and another one before it goes (kube-rs's finalizer).

    While it is wanted, the finalizer is put on before ``apply`` is called: whatever that makes will be cleaned up. When
    it is being deleted, ``cleanup`` is called, and the finalizer taken off if that has raised nothing. It may be called
    again: cleaning up twice must do no harm.

    Args:
        handle: the object's resource.
        obj: the object as it was read.
        finalizer: a name with a domain: ``"widgets.example.com/cleanup"``.
        apply: gets the object, with its finalizer.
        cleanup: gets the object.
        timeout: seconds for each request about the finalizer.
        cancel: a token that ends them.

    Returns:
        What ``apply`` returned; None where the object is being deleted.

    Raises:
        ConflictError: the object has changed since it was read. A controller may raise it: it is called again.
        InvalidRequestError: no handle, finalizer or object; ``apply`` or ``cleanup`` is no plain function of an object.
        Exception: what ``apply`` or ``cleanup`` raised.
    """
    _check(handle, obj, finalizer)
    checked_function("apply", apply, "obj")
    checked_function("cleanup", cleanup, "obj")
    if not deletion_timestamp_of(obj):
        return apply(ensure_finalizer(handle, obj, finalizer, timeout=timeout, cancel=cancel))
    if finalizer in finalizers_of(obj):
        cleanup(dict(obj))
        remove_finalizer(handle, obj, finalizer, timeout=timeout, cancel=cancel)
    return None


def _patch(handle: ResourceHandle, obj: Object, finalizers: list[str], scope: CallScope) -> dict[str, Any]:
    name, version, namespace = name_of(obj), resource_version_of(obj), namespace_of(obj)
    if not name or not version:
        raise InvalidRequestError("obj: it has no name or no resourceVersion: read it from the server first")
    patch = {"metadata": {"finalizers": finalizers or None, "resourceVersion": version}}
    where = handle.namespace(namespace) if namespace else handle
    return where.patch(name, patch, timeout=scope.remaining(), cancel=scope.cancel)


def _check(handle: ResourceHandle, obj: Object, finalizer: object) -> None:
    checked_handle(handle)
    checked_object("obj", obj)
    if not isinstance(finalizer, str) or not finalizer:
        raise InvalidRequestError(f"finalizer: want a name such as 'widgets.example.com/cleanup', got {finalizer!r}")
