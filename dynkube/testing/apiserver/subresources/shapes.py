"""The shapes of what this room has: calls, actions, views and connections, as `endpoints` uses them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dynkube.schema import GroupVersion
from dynkube.testing.apiserver.registry import Change, Registry, Scope, WriteOptions
from dynkube.testing.apiserver.streaming import Behind
from dynkube.testing.apiserver.words.resources import Object, Resource

if TYPE_CHECKING:
    from dynkube.testing.apiserver.access import Access

__all__ = ["Action", "Call", "View"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request to a subresource or a review.

    ``scope.resource`` is the parent (``pods`` of pods/eviction), or the review itself. ``rest`` is what stands
    behind a proxy in the path, with its slash.
    """

    registry: Registry
    access: Access
    scope: Scope
    options: WriteOptions
    behind: Behind = field(default_factory=Behind)
    rest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """Something that a create does, beside storing an object (rest.NamedCreater); see `actions.perform`."""

    body: Resource
    """Of what is sent: ``policy/v1 Eviction``."""
    run: Callable[[Call, Object], Object]
    """Do it; may change the object that it gets, and gives what is answered: an object, or a Status.

    Raises:
        StatusError: It is refused.
    """
    accepts: Sequence[GroupVersion]
    """The versions that a body may be of; one that is not the body's own differs in nothing else."""
    keeps_identity: bool = False
    """Whether the body's uid and other system fields are kept: they are preconditions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Another shape of an object, to be read and written: ``autoscaling/v1 Scale`` of a Deployment."""

    body: Resource
    """Of what is sent and answered."""
    read: Callable[[Object], Object]
    """The view of a stored object.

    Raises:
        StatusError: There is none.
    """
    read_updated: Callable[[Object], Object]
    """The view of an object that was just written."""
    read_for_update: Callable[[Object], Object]
    """The view that a change starts from: with managedFields, the view's own."""
    write: Callable[[Object, Object], Object]
    """The stored object, changed in place to what the view says.

    Raises:
        StatusError: The view is invalid.
    """
    check_apply: Callable[[Object, Object | None], None] = lambda _live, _applied: None
    """What keeps a view from being applied: asked before (with None) and after the apply.

    Raises:
        StatusError: It cannot be.
    """

    def through(self, change: Change, *, is_apply: bool = False) -> Change:
        """A change of the object out of a change of the view: for `Registry.update`."""

        def change_object(live: Object | None) -> Object:
            assert live is not None  # a subresource creates nothing
            view = self.read_for_update(live)
            if not is_apply:
                return self.write(live, change(view))
            self.check_apply(view, None)
            applied = change(view)
            self.check_apply(view, applied)
            return self.write(live, applied)

        return change_object
