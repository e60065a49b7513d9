"""events.k8s.io/v1. Written by tests/recording/stubs.py."""

from __future__ import annotations

from dynkube.clientset.expansions.events import Events as _Events
from dynkube.clientset.groups import GroupVersionClient
from dynkube.clientset.resource import ResourceClient
from dynkube.dynamic.verbs import (
    ApplyVerb,
    CreateVerb,
    DeleteCollectionVerb,
    DeleteVerb,
    GetVerb,
    ListVerb,
    PatchVerb,
    TableVerb,
    UpdateVerb,
    WaitVerb,
    WatchVerb,
)

class Events(
    _Events,
    GetVerb,
    ListVerb,
    TableVerb,
    CreateVerb,
    UpdateVerb,
    PatchVerb,
    ApplyVerb,
    DeleteVerb,
    DeleteCollectionVerb,
    WatchVerb,
    WaitVerb,
    ResourceClient,
):
    """Event objects."""

class EventsV1(GroupVersionClient):
    """The resources of events.k8s.io/v1."""
    def events(self, namespace: str) -> Events:
        """Event (ev), in a namespace, "" for all of them."""
