"""What happens after a write, and is nobody's request: garbage collection, the end of namespaces, CRDs.

In a cluster this is kube-controller-manager and kube-apiserver's own controllers. Each controller looks at
every event of the store, and says what it has to look into; that is done later, on the event loop, never
within the request that caused it. CRDs have theirs in `controllers.definitions`, which is imported when there is one.
"""

from __future__ import annotations

from dynkube.testing.apiserver.controllers.garbage import GarbageCollector
from dynkube.testing.apiserver.controllers.loop import (
    Controller,
    Controllers,
    LateController,
    Schedule,
    call_later,
    call_soon,
)
from dynkube.testing.apiserver.controllers.namespaces import NamespaceController

__all__ = [
    "Controller",
    "Controllers",
    "GarbageCollector",
    "LateController",
    "NamespaceController",
    "Schedule",
    "call_later",
    "call_soon",
]
