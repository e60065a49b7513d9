"""A method for each verb of each subresource: ``get_scale``, ``update_scale``, ``create_token``, ...

What discovery shows is what there is. Subresources that are no objects (logs, streams, proxies) are left out: they have
methods of their own (dynkube/clientset/expansions). ``update_status`` and ``apply_status`` are verbs: see
dynkube/dynamic/verbs.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from dynkube.clientset.resource import ResourceClient
from dynkube.patches import PatchType
from dynkube.resources import APIResource
from dynkube.transport import CancelToken

__all__ = ["OPAQUE", "subresource_methods"]

OPAQUE = frozenset({"attach", "exec", "log", "portforward", "proxy"})
"""Subresources whose discovery kind is not what they speak (9.3.1b)."""
_ALIASES = {"ephemeralcontainers": "ephemeral_containers"}
_STATUS_VERBS = frozenset({"apply_status", "update_status"})

_Object: TypeAlias = dict[str, Any]
_Method: TypeAlias = Callable[..., Any]


def subresource_methods(subresources: Iterable[APIResource]) -> dict[str, _Method]:
    """The methods that a resource has for its subresources, by name.

    Args:
        subresources: as discovery shows them: ``deployments/scale``, ...

    Returns:
        Functions whose first argument is a `ResourceClient`.
    """
    methods: dict[str, _Method] = {}
    for each in subresources:
        subresource = each.subresource
        if subresource.partition("/")[0] in OPAQUE:
            continue
        for verb in each.verbs:
            for word, make in _MAKERS.get(verb, ()):
                method = make(subresource, each.kind)
                for suffix in (_ALIASES.get(subresource), subresource.replace("/", "_").replace("-", "_")):
                    name = f"{word}_{suffix}"
                    if suffix is not None and name.isidentifier() and name not in _STATUS_VERBS:
                        methods[name] = method
                        method.__name__, method.__qualname__ = name, name
    return methods


def _get(subresource: str, kind: str) -> _Method:
    def get(
        self: ResourceClient,
        name: str,
        *,
        resource_version: str | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> _Object:
        return self.handle.subresource(subresource).get(
            name, resource_version=resource_version, timeout=timeout, cancel=cancel
        )

    return _told(get, f"Read the {subresource} of one object: the {kind}. Options as for ``get``.")


def _create(subresource: str, kind: str) -> _Method:
    def create(
        self: ResourceClient,
        name: str,
        obj: Mapping[str, Any],
        *,
        dry_run: bool = False,
        field_manager: str | None = None,
        field_validation: str | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> _Object:
        return self.handle.subresource(subresource).create(
            obj,
            name=name,
            dry_run=dry_run,
            field_manager=field_manager,
            field_validation=field_validation,
            timeout=timeout,
            cancel=cancel,
        )

    return _told(create, f"Post a {kind} to the {subresource} of one object. Options as for ``create``.")


def _update(subresource: str, kind: str) -> _Method:
    def update(
        self: ResourceClient,
        name: str,
        obj: Mapping[str, Any],
        *,
        dry_run: bool = False,
        field_manager: str | None = None,
        field_validation: str | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> _Object:
        return self.handle.subresource(subresource).update(
            obj,
            name=name,
            dry_run=dry_run,
            field_manager=field_manager,
            field_validation=field_validation,
            timeout=timeout,
            cancel=cancel,
        )

    return _told(update, f"Replace the {subresource} of one object with a {kind}. Options as for ``update``.")


def _patch(subresource: str, kind: str) -> _Method:
    def patch(
        self: ResourceClient,
        name: str,
        body: Any,
        *,
        type: PatchType | None = None,  # noqa: A002 - the word of the API
        dry_run: bool = False,
        field_manager: str | None = None,
        field_validation: str | None = None,
        force: bool | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> _Object:
        return self.handle.subresource(subresource).patch(
            name,
            body,
            type=type,
            dry_run=dry_run,
            field_manager=field_manager,
            field_validation=field_validation,
            force=force,
            timeout=timeout,
            cancel=cancel,
        )

    return _told(patch, f"Change parts of the {subresource} of one object, a {kind}. Options as for ``patch``.")


def _apply(subresource: str, kind: str) -> _Method:
    def apply(
        self: ResourceClient,
        name: str,
        obj: Mapping[str, Any],
        *,
        field_manager: str,
        force: bool = False,
        dry_run: bool = False,
        field_validation: str | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> _Object:
        return self.handle.subresource(subresource).apply(
            obj,
            name=name,
            field_manager=field_manager,
            force=force,
            dry_run=dry_run,
            field_validation=field_validation,
            timeout=timeout,
            cancel=cancel,
        )

    return _told(apply, f"Server-side apply of a {kind} to the {subresource} of one object. Options as for ``apply``.")


def _delete(subresource: str, kind: str) -> _Method:
    def delete(
        self: ResourceClient, name: str, *, timeout: float | None = None, cancel: CancelToken | None = None
    ) -> _Object:
        return self.handle.subresource(subresource).delete(name, timeout=timeout, cancel=cancel)

    return _told(delete, f"Delete the {subresource} of one object, a {kind}.")


def _told(method: _Method, text: str) -> _Method:
    method.__doc__ = inspect.cleandoc(text)
    return method


# RBAC's verb -> the methods that it allows, each by its first word.
_MAKERS: dict[str, tuple[tuple[str, Callable[[str, str], _Method]], ...]] = {
    "get": (("get", _get),),
    "create": (("create", _create),),
    "update": (("update", _update),),
    "patch": (("patch", _patch), ("apply", _apply)),
    "delete": (("delete", _delete),),
}
