"""Who owns what a controller makes (controller-runtime's pkg/controller/controllerutil)."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any

from dynkube.controller.arguments import checked_object
from dynkube.errors import InvalidRequestError
from dynkube.schema import GroupVersion
from dynkube.unstructured import (
    controller_of,
    name_of,
    namespace_of,
    owner_reference,
    owner_references_of,
    set_owner_references,
    uid_of,
)

__all__ = ["has_owner", "set_controller_reference"]


def set_controller_reference(
    obj: MutableMapping[str, Any], owner: Mapping[str, Any], *, block_owner_deletion: bool = True
) -> None:
    """Make ``owner`` the controller of ``obj``, which is changed in place; then create, update or apply it.

    The server deletes ``obj`` after its owner, and `Controller.owns` finds the way from it back to its owner.

    Args:
        obj: what is owned.
        owner: what owns it, from the server.
        block_owner_deletion: let a foreground deletion of the owner wait for it.

    Raises:
        InvalidRequestError: one of them is no object; another one is its controller; the owner lacks apiVersion, kind,
            name or uid; or it lives in another namespace, where the server would not find it and delete ``obj``.

    Example:
        >>> widget = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "a", "uid": "7"}}
        >>> deployment = {"metadata": {"name": "a"}}
        >>> set_controller_reference(deployment, widget)
        >>> deployment["metadata"]["ownerReferences"][0]["kind"]
        'Widget'
    """
    checked_object("obj", obj, MutableMapping)
    checked_object("owner", owner)
    there = controller_of(obj)
    if there is not None and there.get("uid") != uid_of(owner):
        raise InvalidRequestError(
            f"{name_of(obj)} has a controller already: {there.get('kind')} {there.get('name')} ({there.get('uid')})"
        )
    theirs, ours = namespace_of(owner), namespace_of(obj)
    if theirs and ours != theirs:
        where = f"namespace {ours}" if ours else "no namespace"
        fix = "" if ours else ": set its metadata.namespace first, also where the handle is bound to a namespace"
        raise InvalidRequestError(f"{name_of(obj)} is in {where}: an owner in namespace {theirs} cannot own it{fix}")
    reference = owner_reference(owner, controller=True, block_owner_deletion=block_owner_deletion)
    others = [each for each in owner_references_of(obj) if each.get("uid") != reference["uid"]]
    set_owner_references(obj, [*others, reference])


def has_owner(obj: Mapping[str, Any], owner: Mapping[str, Any]) -> bool:
    """Whether ``owner`` is among the owners of ``obj``, as its controller or not: by uid.

    Raises:
        InvalidRequestError: one of them is no object.

    Example:
        >>> has_owner({"metadata": {"ownerReferences": [{"uid": "7"}]}}, {"metadata": {"uid": "7"}})
        True
    """
    checked_object("obj", obj)
    checked_object("owner", owner)
    return bool(uid_of(owner)) and any(each.get("uid") == uid_of(owner) for each in owner_references_of(obj))


def group_of(reference: Mapping[str, Any]) -> str:
    """The API group that an owner reference names; ``""`` also where it names none."""
    try:
        return GroupVersion.parse(reference.get("apiVersion") or "").group
    except InvalidRequestError:
        return ""
