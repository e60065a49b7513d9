"""What admission is told of a request: the registry's ``Attributes``, as far as it is asked here."""

from __future__ import annotations

from typing import Protocol

from dynkube.schema import GroupResource
from dynkube.testing.apiserver.words.resources import Object
from dynkube.testing.apiserver.words.statuses import StatusError

__all__ = ["Attributes", "is_creation", "is_update"]


class Attributes(Protocol):
    """What is to happen."""

    @property
    def operation(self) -> str:
        """``CREATE``, ``UPDATE``, ``DELETE`` or ``CONNECT``."""

    @property
    def about(self) -> GroupResource:
        """What messages call the resource."""

    @property
    def subresource(self) -> str:
        """``status``, ``binding``, ...; "" for the object itself."""

    @property
    def namespace(self) -> str:
        """Of the request; "" where there is none."""

    @property
    def obj(self) -> Object | None:
        """The new object in its storage version; None on a deletion."""

    @property
    def old(self) -> Object | None:
        """The object so far; None on a create."""

    def refuse(self, problem: str) -> StatusError:
        """A 403 with the words of a plugin."""


def is_creation(attributes: Attributes) -> bool:
    """Whether an object itself comes new."""
    return attributes.operation == "CREATE" and not attributes.subresource


def is_update(attributes: Attributes) -> bool:
    """Whether an object itself changes."""
    return attributes.operation == "UPDATE" and not attributes.subresource
