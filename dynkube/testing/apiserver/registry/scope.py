"""What a write is about, as it passes through the registry: AS/endpoints/handlers, RequestScope."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from dynkube.schema import GroupKind, GroupResource
from dynkube.testing.apiserver.words.messages import UserInfo
from dynkube.testing.apiserver.words.resources import Object, Resource, Strategy

__all__ = ["SYSTEM", "Scope"]

SYSTEM = UserInfo("system:apiserver", ("system:masters", "system:authenticated"))
"""Who the server's own controllers are."""


@dataclass(slots=True, kw_only=True)
class Scope:
    """One request on one resource. ``warnings`` is filled: each text becomes a Warning header.

    Attributes:
        resource: In the version of the request.
        namespace: "" for what is in none, and for all namespaces.
        name: "" on a collection, and on a create.
        subresource: "" for the object itself.
        user: Who asks.
        authorize_create: Refuses an update that turns out to be a create, which the user may not.
        strategy_override: How a subresource that writes the object judges it; None for the kind's own strategy.
    """

    resource: Resource
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    user: UserInfo = SYSTEM
    warnings: list[str] = field(default_factory=list)
    strategy_override: Strategy | None = None
    authorize_create: Callable[[], None] = lambda: None

    @property
    def strategy(self) -> Strategy:
        """The rules of this write."""
        return self.strategy_override or self.resource.strategy

    @property
    def about(self) -> GroupResource:
        """What messages call it."""
        return self.resource.group_resource

    @property
    def object_namespace(self) -> str:
        """Where the object is: "" for a cluster-scoped one, whatever the request's namespace says."""
        return self.namespace if self.resource.namespaced else ""

    def kind_of(self, obj: Object) -> GroupKind:
        """What messages call the kind of an object: as it is stored, and of a custom one what it says itself."""
        kind = obj["kind"] if self.resource.is_custom else self.resource.kind
        return GroupKind(self.resource.storage_resource.group, kind)

    def warn(self, *texts: str) -> None:
        """Add warnings; empty ones are none."""
        self.warnings.extend(filter(None, texts))

    def warn_all(self, texts: Sequence[str]) -> None:
        """Add the warnings of a sequence."""
        self.warnings.extend(texts)
