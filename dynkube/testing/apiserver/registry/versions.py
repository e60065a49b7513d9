"""Objects from one version of their kind to another."""

from __future__ import annotations

from dynkube.testing.apiserver.storage.entries import Entry
from dynkube.testing.apiserver.words.resources import Object, Resource, Strategy

__all__ = ["in_request", "in_storage", "shows_as_stored"]


def in_storage(resource: Resource, obj: Object) -> Object:
    """An object of the request's version in the version that is stored."""
    to = resource.storage_group_version
    return obj if obj["apiVersion"] == to.api_version else resource.strategy.convert(obj, to)


def in_request(resource: Resource, obj: Object) -> Object:
    """A stored object in the version of the request."""
    to = resource.group_version
    return obj if obj["apiVersion"] == to.api_version else resource.strategy.convert(obj, to)


def shows_as_stored(resource: Resource, entry: Entry) -> bool:
    """Whether an entry's body is what the request's version shows, so that nothing need be decoded."""
    if type(resource.strategy).convert is Strategy.convert:
        return True
    return entry.api_version == resource.group_version.api_version
