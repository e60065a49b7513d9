"""What admission and allocation ask of the rest of the server: other objects."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from dynkube.schema import GroupResource
from dynkube.testing.apiserver.words.resources import Object

__all__ = ["Lookup"]


class Lookup(Protocol):
    """Reads stored objects, in their storage version. What it hands out is not to be changed."""

    def get(self, resource: GroupResource, namespace: str, name: str) -> Object | None:
        """One object; None where there is none. ``namespace`` is "" for what is in none."""

    def list(self, resource: GroupResource, namespace: str | None) -> Iterable[Object]:
        """The objects of a namespace, or, for None, all."""
