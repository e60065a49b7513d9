"""A registry of built-in kinds over an empty store, and calls to what hangs below them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from dynkube.schema import GroupResource
from dynkube.testing.apiserver.access import Access, GrantCheck, StoredObjects
from dynkube.testing.apiserver.registry import Catalog, Registry, Scope, WriteOptions
from dynkube.testing.apiserver.registry.builtins import built_in_resources
from dynkube.testing.apiserver.storage import Store
from dynkube.testing.apiserver.subresources import Call, CertificateChecks, TopologyLabels, find_action, perform
from dynkube.testing.apiserver.words.messages import Headers, Request, UserInfo
from dynkube.testing.apiserver.words.resources import Resource

ADMIN = UserInfo("admin", ("system:masters", "system:authenticated"))
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Server:
    """Storage, registry and access, put together as a server does, with the namespace ``shop``."""

    def __init__(self) -> None:
        self.now = NOW
        self.store = Store()
        self.catalog = Catalog(built_in_resources())
        self.registry = Registry(self.store, self.catalog, clock=lambda: self.now)
        self.access = Access(StoredObjects(self.store, self._find), now=lambda: self.now)
        self.registry.admission.plugins += [
            TopologyLabels(self.store, self.catalog), CertificateChecks(self.access), GrantCheck(self.access),
        ]  # fmt: skip
        self.put("namespaces", {"metadata": {"name": "shop"}, "status": {"phase": "Active"}})

    def _find(self, about: GroupResource) -> Resource | None:
        return self.catalog.lookup(about.group, "v1", about.resource)

    def resource(self, plural: str, group: str = "") -> Resource:
        found = self.catalog.lookup(group, "v1", plural)
        assert found is not None
        return found

    def put(self, plural: str, obj: Mapping[str, Any], group: str = "", namespace: str = "") -> dict[str, Any]:
        """Store an object as it is, past all rules."""
        resource = self.resource(plural, group)
        metadata = {"uid": str(uuid.uuid4()), **obj["metadata"]} | ({"namespace": namespace} if namespace else {})
        made = {"apiVersion": resource.group_version.api_version, "kind": resource.kind, **obj, "metadata": metadata}
        self.store.create(resource, made)
        return made

    def get(self, plural: str, name: str, group: str = "", namespace: str = "shop") -> dict[str, Any] | None:
        entry = self.store.find(self.resource(plural, group), namespace, name)
        return None if entry is None else entry.object()

    def call(
        self, plural: str, name: str = "", below: str = "", group: str = "", *, user: UserInfo = ADMIN,
        dry_run: bool = False, namespace: str | None = None,
    ) -> Call:  # fmt: skip
        resource = self.resource(plural, group)
        place = ("shop" if resource.namespaced else "") if namespace is None else namespace
        scope = Scope(resource=resource, namespace=place, name=name, subresource=below, user=user)
        return Call(registry=self.registry, access=self.access, scope=scope, options=WriteOptions(dry_run=dry_run))

    def do(self, call: Call, body: dict[str, Any]) -> dict[str, Any]:
        """A create: what endpoints do with a body that is decoded."""
        action = find_action(call.scope.about, call.scope.subresource)
        assert action is not None
        obj = {"apiVersion": action.body.group_version.api_version, "kind": action.body.kind, "metadata": {}, **body}
        action.body.strategy.normalize(obj, action.body.group_version)
        action.body.strategy.default(obj, action.body.group_version)
        return perform(action, call, obj)


def asked(method: str = "GET", *headers: tuple[str, str], **query: str) -> Request:
    return Request(method=method, path="/", query=tuple(query.items()), headers=Headers(headers))
