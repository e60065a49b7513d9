"""A server without its sockets: storage, API, faults, audit and hooks, put together on one loop."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from dynkube.errors import InvalidRequestError
from dynkube.quantities import format_time
from dynkube.schema import GroupVersionResource, gvk_of
from dynkube.testing.apiserver import recorded
from dynkube.testing.apiserver.endpoints import assemble
from dynkube.testing.apiserver.storage import Entry, Store
from dynkube.testing.apiserver.testbench.aggregatedapis import AggregatedAPIs
from dynkube.testing.apiserver.testbench.audit import Audit
from dynkube.testing.apiserver.testbench.faults import Faults
from dynkube.testing.apiserver.testbench.hooks import Hooks, Write, as_write, at_version_of
from dynkube.testing.apiserver.testbench.insider import Insider
from dynkube.testing.apiserver.testbench.manifests import Manifest, read_manifests
from dynkube.testing.apiserver.words.messages import ConnectionCut, Request, RequestInfo, Response, UserInfo
from dynkube.testing.apiserver.words.requestinfo import request_info
from dynkube.testing.apiserver.words.resources import Object

__all__ = ["Backend"]

_MANAGER = "dynkube-testing"
# Requests that may last, and that no queue counts (AS/server/filters/longrunning.go).
_UNQUEUED = frozenset({"attach", "exec", "log", "portforward", "proxy"})
# A CRD is established on the loop, some turns after it was created.
_ESTABLISHED_SECONDS = 5.0
_LOOK_SECONDS = 0.001


class Backend:
    """What answers requests, and what tests ask of it; all methods but `Faults`' and `Audit`'s belong on the loop.

    Args:
        address: ``127.0.0.1:6443``.
        authority: The server's CA certificate, PEM.
        clock: Tells the time, with its zone.
        tokens: Static tokens, and whose they are.
    """

    def __init__(
        self,
        *,
        address: str,
        authority: bytes,
        clock: Callable[[], datetime],
        tokens: Mapping[str, UserInfo],
    ) -> None:
        self.store = Store()
        self.faults = Faults()
        self.audit = Audit()
        self.aggregated = AggregatedAPIs(self._discovery_changed)
        self.api = assemble(self.store, address=address, clock=clock, tokens=tokens, aggregated=lambda: self.aggregated)
        self.catalog = self.api.registry.catalog
        self.catalog.on_change(self._open_collections)
        self.insider = Insider(self.api.handle, self.catalog, _MANAGER)
        self.hooks = Hooks(self.store, self.catalog, self.insider)
        port = int(address.rpartition(":")[2])
        for obj in recorded.objects(now=format_time(clock()), port=port, authority=authority.decode()):
            self._put(obj)
        self._fresh = self.store.snapshot()

    def _put(self, obj: Object) -> None:
        """Store an object that is complete but for its uid."""
        kind = gvk_of(obj)
        resource = self.catalog.find_kind(kind.group_kind, kind.version)
        assert resource is not None, f"{kind} was recorded, and is not served"
        obj["metadata"]["uid"] = str(uuid.uuid4())
        self.store.create(resource, obj)

    def _open_collections(self) -> None:
        for resource in self.catalog:
            if resource.is_custom:
                self.store.open(resource.storage_resource)

    def _discovery_changed(self) -> None:
        self.catalog.add(())

    # ------------------------------------------------------------------ requests

    async def handle(self, request: Request) -> Response:
        """The answer to a request, or what a fault makes of it.

        Raises:
            ConnectionCut: There is none.
        """
        about = request_info(request)
        injection = self.faults.find(request, about)
        fault = "" if injection is None else str(injection.fault)
        try:
            if injection is None:
                response = await self._answer(request, about)
            else:
                response = await injection.apply(lambda: self._answer(request, about))
        except ConnectionCut:
            self.audit.add(request, about, None, fault)
            raise
        self.audit.add(request, about, response, fault)
        return response

    async def _answer(self, request: Request, about: RequestInfo) -> Response:
        response = await self.api.settle(request, self.api.handle(request))
        behind = self.aggregated.find(request.path)
        if behind is not None and response.status not in {401, 403}:
            # The API knows nothing of this path, and has refused it only for that.
            response = replace(await behind.answer(request), user=response.user)
        if response.user is not None and about.subresource not in _UNQUEUED:
            response.headers += self._flow_headers(response.user)
        return response

    def _flow_headers(self, user: UserInfo) -> list[tuple[str, str]]:
        """Which flow and which priority the request had, as API Priority and Fairness tells it; nobody waits here."""
        schema, level = _flow(user)
        found = [
            (header, self._find("flowcontrol.apiserver.k8s.io", resource, name))
            for header, resource, name in (
                ("X-Kubernetes-Pf-Flowschema-Uid", "flowschemas", schema),
                ("X-Kubernetes-Pf-Prioritylevel-Uid", "prioritylevelconfigurations", level),
            )
        ]
        return [(header, entry.uid) for header, entry in found if entry is not None]

    def _find(self, group: str, resource: str, name: str) -> Entry | None:
        found = self.catalog.lookup(group, "v1", resource)
        return None if found is None else self.store.find(found, "", name)

    # ------------------------------------------------------------------ objects

    async def load(self, sources: Iterable[Manifest]) -> None:
        """Create what files, folders and objects say, or replace what is there; with their status.

        Raises:
            InvalidRequestError: Something is no object, or is refused.
        """
        for where, obj in read_manifests(sources):
            await self._load(where, obj)

    async def _load(self, where: str, obj: Object) -> None:
        path = self.insider.path_of(obj, what=where)
        status, answer = self.insider.ask("POST", self.insider.path_of(obj, what=where, collection=True), obj)
        if status == 409 and answer.get("reason") == "AlreadyExists":
            live = self.insider.call("GET", path)
            status, answer = self.insider.ask("PUT", path, at_version_of(live, obj))
        if status < 400 and "status" in obj and self.insider.has_status(obj):
            status, answer = self.insider.ask("PUT", f"{path}/status", {**answer, "status": obj["status"]})
        if status >= 400:
            raise InvalidRequestError(f"{where}: HTTP {status}: {answer.get('message')}")
        if obj.get("kind") == "CustomResourceDefinition":
            await self._established(where, path)

    async def _established(self, where: str, path: str) -> None:
        """Return when a CRD's resources are served."""
        loop = asyncio.get_running_loop()
        end = loop.time() + _ESTABLISHED_SECONDS
        conditions: list[Mapping[str, Any]] = []
        while loop.time() < end:
            _, found = self.insider.ask("GET", path)
            conditions = found.get("status", {}).get("conditions") or []
            if any(each["type"] == "Established" and each["status"] == "True" for each in conditions):
                return
            if any(each["status"] == "False" and each["type"] == "NamesAccepted" for each in conditions):
                break
            await asyncio.sleep(_LOOK_SECONDS)
        raise InvalidRequestError(f"{where}: the CRD is not established: {conditions}")

    def keep(self) -> None:
        """Come back to the objects of now at `reset`."""
        self._fresh = self.store.snapshot()

    def reset(self) -> None:
        """Bring back the objects that were kept; forget requests, faults and APIs behind the server."""
        self.faults.clear()
        self.aggregated.clear()
        self.store.restore(self._fresh)
        self.audit.clear()
        self.api.behind.pods.clear()

    def history(self, resource: str | GroupVersionResource, namespace: str, name: str) -> tuple[Write, ...]:
        """What happened to an object, the oldest first, as far back as the log goes.

        Raises:
            InvalidRequestError: No such resource is served.
        """
        about = self.insider.resource(resource).storage_resource
        return tuple(as_write(self.catalog, about, each) for each in self.store.history(about, namespace, name))


def _flow(user: UserInfo) -> tuple[str, str]:
    """The FlowSchema and the PriorityLevelConfiguration of a user (the bootstrap objects' rules, the common ones)."""
    if "system:masters" in user.groups:
        return "exempt", "exempt"
    if "system:serviceaccounts" in user.groups:
        return "service-accounts", "workload-low"
    return "global-default", "global-default"
