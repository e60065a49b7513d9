"""Any resource by GroupVersionResource, as plain dicts.

`connect` loads a configuration and gives a `DynamicClient`; `DynamicClient.resource` turns a
GroupVersionResource, or a name as kubectl takes it, into a `ResourceHandle` with RBAC's verbs.
Handles are cheap, frozen and safe to share between threads; nothing is remembered between calls.

The counterparts in client-go are dynamic/interface.go and dynamic/simple.go.
"""

from __future__ import annotations

from dynkube.dynamic.client import DynamicClient, connect
from dynkube.dynamic.handle import ResourceHandle
from dynkube.dynamic.pages import PageIterator
from dynkube.dynamic.watch import Watch

__all__ = ["DynamicClient", "PageIterator", "ResourceHandle", "Watch", "connect"]
