"""Informers: a local copy of any resource, indexed and kept current, with handlers that are told of every change.

::

    factory = InformerFactory(client)
    pods = factory.for_resource("pods", indexers={"node": lambda pod: [pod["spec"].get("nodeName", "")]})
    pods.add_event_handler(on_add=..., on_update=..., on_delete=...)
    with factory:
        factory.wait_for_cache_sync(timeout=30)
        pods.lister().namespace("shop").get("api")
        pods.indexer.by_index("node", "n1")

The counterparts in client-go are tools/cache and dynamic/dynamicinformer.
"""

from __future__ import annotations

from dynkube.informers.compact import StoredObject, StoredTombstone
from dynkube.informers.factory import InformerFactory
from dynkube.informers.handlers import FilteringHandler, ResourceEventHandler, Tombstone, is_tombstone
from dynkube.informers.indexer import Indexer
from dynkube.informers.indexes import (
    LABELS_INDEX,
    NAMESPACE_INDEX,
    OWNER_INDEX,
    index_by_labels,
    index_by_namespace,
    index_by_owner,
)
from dynkube.informers.informer import SharedInformer
from dynkube.informers.keys import ObjectName, object_key, object_name, split_key
from dynkube.informers.lister import Lister
from dynkube.informers.reflector import Reflector, Sink
from dynkube.informers.registration import HandlerRegistration
from dynkube.informers.status import HandlerStatus, InformerStatus
from dynkube.informers.store import Store
from dynkube.informers.until import EventCondition, until, until_with_sync

__all__ = [
    "LABELS_INDEX",
    "NAMESPACE_INDEX",
    "OWNER_INDEX",
    "EventCondition",
    "FilteringHandler",
    "HandlerRegistration",
    "HandlerStatus",
    "Indexer",
    "InformerFactory",
    "InformerStatus",
    "Lister",
    "ObjectName",
    "Reflector",
    "ResourceEventHandler",
    "SharedInformer",
    "Sink",
    "Store",
    "StoredObject",
    "StoredTombstone",
    "Tombstone",
    "index_by_labels",
    "index_by_namespace",
    "index_by_owner",
    "is_tombstone",
    "object_key",
    "object_name",
    "split_key",
    "until",
    "until_with_sync",
]
