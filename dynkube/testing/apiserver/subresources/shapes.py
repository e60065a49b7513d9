"""The shapes of what this room has: calls, actions and views, as `endpoints` uses them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from dynkube.schema import GroupVersionKind
from dynkube.testing.apiserver.messages import UserInfo
from dynkube.testing.apiserver.resources import Object, Resource

if TYPE_CHECKING:
    from dynkube.testing.apiserver.access import Access
    from dynkube.testing.apiserver.registry import Registry

__all__ = ["Action", "Call", "View"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request to a subresource or a review: who, on what, in which circumstances.

    ``resource`` is the parent (``pods`` of pods/eviction), or the review itself; ``name`` is "" for
    reviews. ``warnings`` is filled: each text goes into a Warning header.
    """

    registry: Registry
    access: Access
    user: UserInfo
    resource: Resource
    subresource: str
    namespace: str
    name: str
    now: datetime
    manager: str = ""
    """The field manager, as fieldManager= or the User-Agent says it."""
    dry_run: bool = False
    query: Mapping[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """Something that a create does (rest.NamedCreater).

    The endpoint makes of the body what any create makes of it: decode as ``kind``, normalize, default,
    field management (manager, subresource), namespace admission. Then it calls ``run``, which may change
    the object that it gets, and answers 201 (or the code of a Status) with what it returns.
    """

    kind: GroupVersionKind
    """Of the body."""
    run: Callable[[Call, Object], Object]
    """Do it.

    Raises:
        StatusError: It is refused.
    """
    default: Callable[[Object], None] = lambda _: None
    """Fill in what a client may leave out, in place."""
    needs_matching_name: bool = False
    """Whether the endpoint refuses a body whose metadata.name is not the one in the path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Another shape of an object, read and written: autoscaling/v1 Scale of a Deployment.

    The endpoint reads, replaces, patches and applies objects of ``kind``: ``read`` makes one of the stored
    object, ``write`` carries a changed one back. Between them stands the registry's update of the object.
    """

    kind: GroupVersionKind
    read: Callable[[Resource, Object], Object]
    """The view of a stored object, with managedFields of the view's own fields.

    Raises:
        StatusError: 404, 500: there is no such view of this object.
    """
    write: Callable[[Resource, Object, Object], Object]
    """A copy of the stored object (second) with what the changed view (third) says."""
    validate: Callable[[Object], Sequence[Any]] = lambda _: ()
    """FieldErrors of a changed view."""
