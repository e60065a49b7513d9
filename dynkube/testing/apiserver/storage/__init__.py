"""State: one revision counter, entries by resource, and the log that watches are cursors into.

etcd and the watch cache of kube-apiserver in one: `Store`. An object is encoded once, when it is
written; lists join the bytes, watches share the frames.
"""

from __future__ import annotations

from dynkube.testing.apiserver.storage.entries import Entry
from dynkube.testing.apiserver.storage.eventlog import Event, EventType
from dynkube.testing.apiserver.storage.lists import Page
from dynkube.testing.apiserver.storage.options import ListOptions, validate_list_options
from dynkube.testing.apiserver.storage.rendering import Rendering
from dynkube.testing.apiserver.storage.store import Listener, Snapshot, Store
from dynkube.testing.apiserver.storage.watches import Watch

__all__ = [
    "Entry",
    "Event",
    "EventType",
    "ListOptions",
    "Listener",
    "Page",
    "Rendering",
    "Snapshot",
    "Store",
    "Watch",
    "validate_list_options",
]
