"""A registry over three plain kinds, for tests of the spine without HTTP, Go types and built-in rules."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from dynkube.schema import GroupVersionResource
from dynkube.testing.apiserver.registry import Catalog, DeleteOptions, Registry, Scope, WriteOptions
from dynkube.testing.apiserver.storage import Entry, Event, Store
from dynkube.testing.apiserver.words.resources import Object, Resource, Strategy
from dynkube.testing.apiserver.words.schemas import ANYTHING
from dynkube.testing.apiserver.words.statuses import StatusError

VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


class Slow(Strategy):
    """Ends after a while, as pods do."""

    def grace_period(self, obj: Object, requested: int | None) -> int:
        return 30 if requested is None else requested


def resource(gvr: str, kind: str, *, namespaced: bool = True, strategy: Strategy | None = None) -> Resource:
    parsed = GroupVersionResource.parse(gvr)
    return Resource(
        gvr=parsed,
        kind=kind,
        singular=kind.lower(),
        namespaced=namespaced,
        verbs=VERBS,
        storage_version=parsed.version,
        strategy=strategy or Strategy(),
        list_kind=f"{kind}List",
        load_schema=lambda: ANYTHING,
    )


NAMESPACES = resource("v1/namespaces", "Namespace", namespaced=False)
BOXES = resource("v1/configmaps", "ConfigMap")
SLOW = resource("v1/pods", "Pod", strategy=Slow())


class Shelf:
    """A registry, its clock, and what was written to it."""

    def __init__(self) -> None:
        self.time = datetime(2026, 1, 1, tzinfo=UTC)
        self.store = Store()
        self.registry = Registry(self.store, Catalog([NAMESPACES, BOXES, SLOW]), clock=lambda: self.time)
        self.events: list[Event] = []
        self.store.subscribe(lambda _, event: self.events.append(event))
        self.later: list[Callable[[], None]] = []
        self.create("shop", NAMESPACES, spec={"finalizers": ["kubernetes"]}, status={"phase": "Active"})

    def scope(self, name: str = "", of: Resource = BOXES, **more: Any) -> Scope:
        return Scope(resource=of, namespace="shop" if of.namespaced else "", name=name, **more)

    def obj(self, name: str, of: Resource = BOXES, **fields: Any) -> Object:
        metadata = {"name": name, **fields.pop("metadata", {})}
        return {"apiVersion": of.group_version.api_version, "kind": of.kind, "metadata": metadata, **fields}

    def create(self, name: str, of: Resource = BOXES, **fields: Any) -> Object:
        return self.registry.create(self.scope(of=of), self.obj(name, of, **fields)).object()

    def get(self, name: str, of: Resource = BOXES) -> Object:
        return self.registry.get(self.scope(name, of)).object()

    def has(self, name: str, of: Resource = BOXES) -> bool:
        return self.registry.find(self.scope(name, of)) is not None

    def replace(self, obj: Object, of: Resource = BOXES, **options: Any) -> Entry:
        scope = self.scope(obj["metadata"]["name"], of)
        return self.registry.replace(scope, obj, WriteOptions(**options)).entry

    def delete(self, name: str, of: Resource = BOXES, **options: Any) -> Any:
        return self.registry.delete(self.scope(name, of), DeleteOptions(**options))

    def wait(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)

    def settle(self) -> None:
        while self.later:
            self.later.pop(0)()


def refusal(call: Callable[[], Any]) -> tuple[int, str]:
    """Code and message of what a call is refused with."""
    try:
        call()
    except StatusError as error:
        return error.code, str(error.status["message"])
    raise AssertionError("it was not refused")
