"""A whole server behind its sockets, put together: storage, registry, access, discovery, endpoints."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import cache, partial
from typing import TYPE_CHECKING

from dynkube.schema import GroupResource
from dynkube.testing.apiserver.access import Access
from dynkube.testing.apiserver.access.escalation import GrantCheck
from dynkube.testing.apiserver.access.objects import StoredObjects
from dynkube.testing.apiserver.builtin.admission import plugins as kind_plugins
from dynkube.testing.apiserver.controllers import (
    Controller,
    Controllers,
    GarbageCollector,
    LateController,
    NamespaceController,
    Schedule,
    call_later,
    call_soon,
)
from dynkube.testing.apiserver.discovery import Discovery, ServedVersion
from dynkube.testing.apiserver.endpoints.api import API
from dynkube.testing.apiserver.endpoints.openid import OpenID
from dynkube.testing.apiserver.endpoints.pages import Pages
from dynkube.testing.apiserver.registry import Catalog, LatePlugin, Plugin, Registry
from dynkube.testing.apiserver.registry.builtins import built_in_resources
from dynkube.testing.apiserver.registry.endings import CRDS
from dynkube.testing.apiserver.registry.lookup import StoredLookup
from dynkube.testing.apiserver.storage import Event, Store
from dynkube.testing.apiserver.streaming import Behind
from dynkube.testing.apiserver.words.messages import UserInfo
from dynkube.testing.apiserver.words.resources import Resource

if TYPE_CHECKING:
    from dynkube.testing.apiserver.openapi import OpenAPI

__all__ = ["assemble"]

CERTIFICATES = "certificates.k8s.io"
_PODS = GroupResource("", "pods")


def _utc_now() -> datetime:
    return datetime.now(UTC)


def assemble(
    store: Store,
    *,
    address: str,
    clock: Callable[[], datetime] = _utc_now,
    tokens: Mapping[str, UserInfo] | None = None,
    aggregated: Callable[[], Iterable[ServedVersion]] = tuple,
    schedule: Schedule | None = None,
) -> API:
    """The API over a store; its ``registry`` and ``access`` are the rooms behind it.

    Args:
        store: Empty, or of a server that was there before.
        address: ``127.0.0.1:6443``, for discovery.
        clock: Tells the time, with its zone.
        tokens: Static tokens, and whose they are; may be added to later.
        aggregated: Gives the group versions of APIs behind this server.
        schedule: Has a function called later, when the request is answered: controllers work then. By default CRDs
            are dealt with at once, and garbage and the end of namespaces a little later, as if by another process.
    """
    catalog = Catalog(built_in_resources())

    def find(about: GroupResource) -> Resource | None:
        return catalog.lookup(about.group, "v1", about.resource)

    access = Access(StoredObjects(store, find), tokens=tokens, now=clock)
    registry = Registry(store, catalog, clock=clock)
    registry.admission.plugins += [
        *kind_plugins(StoredLookup(store, catalog)),
        LatePlugin([_PODS], lambda: _topology_labels(store, catalog)),
        LatePlugin([GroupResource(CERTIFICATES, "certificatesigningrequests")], lambda: _certificate_checks(access)),
        GrantCheck(access),
    ]
    soon, later = schedule or call_soon, schedule or call_later
    Controllers(store, [LateController(CRDS, lambda: _definitions(registry))], soon)
    Controllers(store, [NamespaceController(registry), GarbageCollector(registry)], later, soon)
    discovery = Discovery(lambda: catalog, address, aggregated)
    openid = OpenID(access.issuer, address)
    documents = cache(lambda: _openapi(store, catalog, clock))
    behind = Behind()
    store.subscribe(partial(_forget_log, behind))
    return API(registry, access, Pages(catalog, discovery, documents, openid, clock), behind)


def _forget_log(behind: Behind, resource: GroupResource, event: Event) -> None:
    """The log of a pod goes with it."""
    if resource == _PODS and event.entry is None and event.previous is not None:
        behind.pods.forget(event.previous.namespace, event.previous.name)


def _definitions(registry: Registry) -> Controller:
    from dynkube.testing.apiserver.controllers.definitions import DefinitionController

    return DefinitionController(registry)


def _topology_labels(store: Store, catalog: Catalog) -> Plugin:
    from dynkube.testing.apiserver.subresources import TopologyLabels

    return TopologyLabels(store, catalog)


def _certificate_checks(access: Access) -> Plugin:
    from dynkube.testing.apiserver.subresources import CertificateChecks

    return CertificateChecks(access)


def _openapi(store: Store, catalog: Catalog, clock: Callable[[], datetime]) -> OpenAPI:
    """The documents, which follow the CRDs in the store."""
    from dynkube.testing.apiserver.openapi import OpenAPI

    crds = catalog.lookup(CRDS.group, "v1", CRDS.resource)
    assert crds is not None, "CRDs are served"
    documents = OpenAPI(lambda: [entry.object() for entry in store.entries(crds)], clock)

    def written(resource: GroupResource, _event: Event) -> None:
        if resource == CRDS:
            documents.invalidate()

    store.subscribe(written)
    return documents
