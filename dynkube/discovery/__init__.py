"""What a server serves: `DiscoveryClient`, its caches, and the mapper that looks again.

The counterparts in client-go are discovery, discovery/cached and restmapper's deferred mapper.
"""

from dynkube.discovery.cache import CachedDocument, DiscoveryCache, DiskCache, KubectlCache, MemoryCache, Store
from dynkube.discovery.client import DiscoveryClient
from dynkube.discovery.mapper import DeferredRESTMapper
from dynkube.discovery.openapi import OpenAPIV3
from dynkube.wire.discovery import OpenAPIPath, ServerVersion

__all__ = [
    "CachedDocument",
    "DeferredRESTMapper",
    "DiscoveryCache",
    "DiscoveryClient",
    "DiskCache",
    "KubectlCache",
    "MemoryCache",
    "OpenAPIPath",
    "OpenAPIV3",
    "ServerVersion",
    "Store",
]
