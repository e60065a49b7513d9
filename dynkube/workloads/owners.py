"""Who owns an object, and what it owns: any kinds, by their ``ownerReferences``.

Owners are read one by one. For dependents there is no index on the server: every kind that discovery knows is listed
once, as metadata only, and the tree is put together here (as the garbage collector does it,
K/controller/garbagecollector).
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from dynkube.dynamic import DynamicClient, PageIterator
from dynkube.dynamic.collection import Collection
from dynkube.errors import (
    CancelledError,
    ClosedError,
    DeadlineExceededError,
    DynkubeError,
    InvalidRequestError,
    NoMatchError,
    NotFoundError,
)
from dynkube.options import ListOptions
from dynkube.resources import APIResource, ResourceMap
from dynkube.schema import GroupVersionKind, GroupVersionResource, gvk_of
from dynkube.transport import CallScope, CancelToken
from dynkube.unstructured import name_of, namespace_of, owner_references_of, uid_of
from dynkube.wire.paging import DEFAULT_PAGE_SIZE
from dynkube.wire.request import ACCEPT_METADATA
from dynkube.wire.warnings import suppress_warnings

__all__ = ["Dependents", "OwnerTree", "children", "owner_tree"]

_WORKERS = 8
# Never owned, and many: https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/
_LEFT_OUT = {("", "events"), ("events.k8s.io", "events")}


@dataclass(frozen=True, slots=True)
class OwnerTree:
    """An object, its owners above it, and what it owns below it.

    Attributes:
        object: apiVersion, kind and metadata; of an owner that is not there, what its reference says.
        owners: who owns it, the controller first; each with owners of its own.
        children: what it owns, by kind and name; each with children of its own. Only below the object asked about.
        missing: whether an owner is not there any more (or another object has its name), or may not be read.
        skipped: what could not be looked at, and why: the tree may be larger than it shows. Only at the root.
    """

    object: dict[str, Any]
    owners: tuple[OwnerTree, ...] = ()
    children: tuple[OwnerTree, ...] = ()
    missing: bool = False
    skipped: Mapping[str, DynkubeError] = field(default_factory=lambda: MappingProxyType({}), repr=False)

    def __str__(self) -> str:
        """One line for each object: owners above, then the object, then what it owns, indented."""
        above = _chain(self)
        lines = ["  " * depth + line for depth, line in enumerate(above)]
        return "\n".join([*lines, *_below(self, len(above))])


class Dependents(tuple[dict[str, Any], ...]):
    """The objects that `children` found: a tuple, with what could not be looked at in ``skipped``."""

    skipped: Mapping[str, DynkubeError]

    def __new__(cls, found: Iterable[dict[str, Any]], skipped: Mapping[str, DynkubeError]) -> Dependents:
        """A tuple of the objects, and what was skipped."""
        made = super().__new__(cls, found)
        made.skipped = MappingProxyType(dict(skipped))
        return made


def children(
    client: DynamicClient,
    obj: Mapping[str, Any],
    *,
    resources: Iterable[str | GroupVersionResource] | None = None,
    timeout: float | None = None,
    cancel: CancelToken | None = None,
) -> Dependents:
    """The objects that an object owns, of any kind; not what those own in turn.

    One list, as metadata only, of each kind that can be listed (events are never owned), in pages of 500, eight at a
    time: some sixty requests on a server without custom resources, whatever the number of objects. Of an object in a
    namespace only that namespace is looked at, since no owner has dependents elsewhere.

    Args:
        client: a client of the cluster.
        obj: an object with apiVersion, kind and ``metadata.uid``, as it came from the server.
        resources: only these kinds (``("replicasets", "pods")``), for fewer requests; all by default.
        timeout: seconds for the whole call.
        cancel: a token that ends the call.

    Returns:
        PartialObjectMetadata with the kind's own ``apiVersion`` and ``kind``, by kind and name. ``.skipped`` names the
        kinds that could not be listed (403, a broken aggregated API), and why.

    Raises:
        InvalidRequestError: ``obj`` has no uid, apiVersion or kind.
        NoMatchError: there is no such resource as one of ``resources``.
    """
    scope = CallScope(timeout, cancel)
    _check(obj)
    index = _Index.read(client, obj, resources, scope)
    return Dependents(index.owned_by(uid_of(obj)), index.skipped)


def owner_tree(
    client: DynamicClient,
    obj: Mapping[str, Any],
    *,
    resources: Iterable[str | GroupVersionResource] | None = None,
    timeout: float | None = None,
    cancel: CancelToken | None = None,
) -> OwnerTree:
    """The tree an object stands in: its owners, up to the top, and all that it owns, down to the bottom.

    One GET, as metadata only, for each owner, and the lists of `children`, which are enough for every level. References
    that form a circle are followed once.

    Args:
        client: a client of the cluster.
        obj: an object with apiVersion, kind and ``metadata.uid``, as it came from the server.
        resources: kinds to look for below it (``("replicasets", "pods")``), for fewer requests; ``()`` looks for
            owners alone.
        timeout: seconds for the whole call.
        cancel: a token that ends the call.

    Returns:
        An `OwnerTree`; ``print(tree)`` draws it.

    Raises:
        InvalidRequestError: ``obj`` has no uid, apiVersion or kind.
        NoMatchError: there is no such resource as one of ``resources``.
    """
    scope = CallScope(timeout, cancel)
    _check(obj)
    index = _Index.read(client, obj, resources, scope)
    reader = _OwnerReader(client, scope)
    top = _metadata_only(obj, gvk_of(obj))
    owners = reader.owners_of(top, {uid_of(obj)})
    below = index.tree_below(uid_of(obj), {uid_of(obj)})
    return OwnerTree(top, owners, below, skipped=MappingProxyType({**reader.skipped, **index.skipped}))


def _check(obj: Mapping[str, Any]) -> None:
    gvk_of(obj, argument="obj")
    if not uid_of(obj):
        raise InvalidRequestError("obj: has no metadata.uid; pass an object as it came from the server")


def _metadata_only(obj: Mapping[str, Any], gvk: GroupVersionKind) -> dict[str, Any]:
    return {"apiVersion": str(gvk.group_version), "kind": gvk.kind, "metadata": dict(obj["metadata"])}


# ------------------------------------------------------------------ down


class _Index:
    """Every object that may belong to the tree, by the uids of its owners."""

    def __init__(self) -> None:
        self.skipped: dict[str, DynkubeError] = {}
        self._by_owner: dict[str, dict[str, dict[str, Any]]] = {}

    @classmethod
    def read(
        cls,
        client: DynamicClient,
        obj: Mapping[str, Any],
        wanted: Iterable[str | GroupVersionResource] | None,
        scope: CallScope,
    ) -> _Index:
        index = cls()
        # A kind that is new since discovery would be passed over in silence: two conditional requests ask for it.
        client.discovery.revalidate(unless_since=time.monotonic(), timeout=scope.left(), cancel=scope.cancel)
        found = client.discovery.resource_map(timeout=scope.left(), cancel=scope.cancel)
        if wanted is None:
            for version, failure in found.failures.items():
                index.skipped[str(version)] = _as_dynkube_error(failure)
        namespace = namespace_of(obj)
        resources = [each for each in _candidates(client, found, wanted, scope) if each.namespaced or not namespace]
        index._list_all(client, resources, namespace, scope)
        return index

    def _list_all(self, client: DynamicClient, resources: list[APIResource], namespace: str, scope: CallScope) -> None:
        def objects(resource: APIResource) -> list[dict[str, Any]] | DynkubeError:
            # Nobody asked for the kinds that are deprecated: the server's warnings of them are not for the caller.
            collection = Collection(client.rest, resource.gvr, namespace, ACCEPT_METADATA, suppress_warnings)
            try:
                return list(_owned_objects(collection, resource, scope))
            except (CancelledError, DeadlineExceededError, ClosedError):
                raise
            except DynkubeError as error:
                return error

        with ThreadPoolExecutor(_WORKERS, thread_name_prefix="dynkube-owners") as pool:
            for resource, listed in zip(resources, pool.map(objects, resources), strict=True):
                if isinstance(listed, DynkubeError):
                    self.skipped[str(resource.gvr)] = listed
                else:
                    self._add(listed)

    def _add(self, listed: list[dict[str, Any]]) -> None:
        for each in listed:
            for reference in owner_references_of(each):
                self._by_owner.setdefault(str(reference.get("uid")), {})[uid_of(each)] = each

    def owned_by(self, uid: str) -> list[dict[str, Any]]:
        return sorted(self._by_owner.get(uid, {}).values(), key=_order)

    def tree_below(self, uid: str, seen: set[str]) -> tuple[OwnerTree, ...]:
        found = []
        for each in self.owned_by(uid):
            own = uid_of(each)
            below = self.tree_below(own, {*seen, own}) if own not in seen else ()
            found.append(OwnerTree(each, children=below))
        return tuple(found)


def _candidates(
    client: DynamicClient,
    found: ResourceMap,
    wanted: Iterable[str | GroupVersionResource] | None,
    scope: CallScope,
) -> Iterator[APIResource]:
    if wanted is None:
        for resources in found.preferred_resources():
            for each in resources:
                left_out = (each.group, each.name) in _LEFT_OUT
                if "list" in each.verbs and not each.subresource and not left_out:
                    yield each
        return
    if isinstance(wanted, str):
        raise InvalidRequestError(f"resources: must be several names, such as ({wanted!r},), not one text")
    for name in wanted:
        gvr = name
        if isinstance(name, str):
            gvr = client.mapper.resolve(name, timeout=scope.left(), cancel=scope.cancel).resource
        assert isinstance(gvr, GroupVersionResource)
        resource = found.find(gvr)
        if resource is None:
            raise NoMatchError(f"resources: the server has no {gvr}")
        yield resource


def _owned_objects(collection: Collection, resource: APIResource, scope: CallScope) -> Iterator[dict[str, Any]]:
    """The objects that anybody owns; those of nobody are dropped page by page."""
    for each in PageIterator(collection, ListOptions(limit=DEFAULT_PAGE_SIZE), scope):
        if each["metadata"].get("ownerReferences"):
            yield _metadata_only(each, resource.gvk)


def _as_dynkube_error(failure: Exception) -> DynkubeError:
    if isinstance(failure, DynkubeError):
        return failure
    wrapped = DynkubeError(str(failure))
    wrapped.__cause__ = failure
    return wrapped


def _order(obj: Mapping[str, Any]) -> tuple[str, str, str]:
    return str(obj["kind"]), namespace_of(obj), name_of(obj)


# ------------------------------------------------------------------ up


class _OwnerReader:
    """Reads owners, each once."""

    def __init__(self, client: DynamicClient, scope: CallScope) -> None:
        self.skipped: dict[str, DynkubeError] = {}
        self._client = client
        self._scope = scope
        self._known: dict[str, dict[str, Any] | None] = {}

    def owners_of(self, obj: Mapping[str, Any], seen: set[str]) -> tuple[OwnerTree, ...]:
        references = sorted(owner_references_of(obj), key=lambda each: not each.get("controller"))
        return tuple(self._owner(each, namespace_of(obj), seen) for each in references)

    def _owner(self, reference: Mapping[str, Any], namespace: str, seen: set[str]) -> OwnerTree:
        uid = str(reference.get("uid"))
        if uid not in self._known:
            self._known[uid] = self._read(reference, namespace)
        found = self._known[uid]
        if found is None:
            return OwnerTree(_as_referred_to(reference, namespace), missing=True)
        owners = self.owners_of(found, {*seen, uid}) if uid not in seen else ()
        return OwnerTree(found, owners)

    def _read(self, reference: Mapping[str, Any], namespace: str) -> dict[str, Any] | None:
        try:
            gvk = gvk_of(reference, argument="ownerReferences")
            mapping = self._client.mapper.rest_mapping(
                gvk.group_kind, gvk.version, timeout=self._scope.left(), cancel=self._scope.cancel
            )
            handle = self._client.resource(mapping)
            if namespace and mapping.namespaced:
                handle = handle.namespace(namespace)
            found = handle.metadata_only().get(
                str(reference.get("name")), timeout=self._scope.left(), cancel=self._scope.cancel
            )
        except (CancelledError, DeadlineExceededError, ClosedError):
            raise
        except NotFoundError:
            return None
        except DynkubeError as error:
            self.skipped[_label(_as_referred_to(reference, namespace))] = error
            return None
        if uid_of(found) != reference.get("uid"):
            return None  # another object of that name
        return _metadata_only(found, gvk)


def _as_referred_to(reference: Mapping[str, Any], namespace: str) -> dict[str, Any]:
    metadata = {"name": reference.get("name"), "uid": reference.get("uid")}
    if namespace:
        metadata["namespace"] = namespace
    return {"apiVersion": reference.get("apiVersion"), "kind": reference.get("kind"), "metadata": metadata}


# ------------------------------------------------------------------ drawn


def _label(obj: Mapping[str, Any]) -> str:
    return f"{obj['kind']}/{name_of(obj)}"


def _chain(tree: OwnerTree) -> list[str]:
    """The first owners, from the top down; further ones of the same object behind them."""
    lines: list[str] = []
    node = tree
    while node.owners:
        lines.insert(0, ", ".join(_label(each.object) + (" (missing)" if each.missing else "") for each in node.owners))
        node = node.owners[0]
    return lines


def _below(tree: OwnerTree, depth: int) -> Iterator[str]:
    yield "  " * depth + _label(tree.object)
    for each in tree.children:
        yield from _below(each, depth + 1)
