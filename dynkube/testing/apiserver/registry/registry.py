"""The registry: every way in which an object is read, written and removed.

What comes in is decoded, normalized and defaulted, in the request's version; what goes out is an
`Entry`, in the storage version. Callers beside `endpoints` (controllers, subresources) use the same
methods with plain values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from dynkube.testing.apiserver.registry import creation, deletion, deletionrules, endings, metadata, updating
from dynkube.testing.apiserver.registry.admission import (
    CREATE,
    NAMESPACES,
    UPDATE,
    Admission,
    NamespaceLifecycle,
    Plugin,
)
from dynkube.testing.apiserver.registry.catalog import Catalog
from dynkube.testing.apiserver.registry.deletion import Deletion
from dynkube.testing.apiserver.registry.machinery import Machinery
from dynkube.testing.apiserver.registry.managers import track_update
from dynkube.testing.apiserver.registry.options import PLAIN_DELETE, PLAIN_WRITE, DeleteOptions, WriteOptions
from dynkube.testing.apiserver.registry.patches import Patch, PatchType, change_by
from dynkube.testing.apiserver.registry.scope import Scope
from dynkube.testing.apiserver.registry.updating import Change, Outcome
from dynkube.testing.apiserver.registry.versions import in_request, in_storage
from dynkube.testing.apiserver.storage import Entry, ListOptions, Page, Rendering, Store, Watch
from dynkube.testing.apiserver.words import statuses
from dynkube.testing.apiserver.words.fielderrors import quoted
from dynkube.testing.apiserver.words.names import path_segment_name
from dynkube.testing.apiserver.words.resources import Object, Resource

__all__ = ["Registry"]


class Registry:
    """The pipelines over one store.

    Args:
        store: Where objects are.
        catalog: What is served.
        clock: Tells the time, with its zone.
        plugins: What may refuse or amend a write, beside the life cycle of namespaces.
    """

    def __init__(
        self,
        store: Store,
        catalog: Catalog,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        plugins: Iterable[Plugin] = (),
    ) -> None:
        self.store = store
        self.catalog = catalog
        admission = Admission([NamespaceLifecycle(store, catalog), *plugins])
        self._machinery = Machinery(store=store, catalog=catalog, admission=admission, clock=clock)

    @property
    def clock(self) -> Callable[[], datetime]:
        """Tells the time."""
        return self._machinery.clock

    @property
    def admission(self) -> Admission:
        """What may refuse or amend a write."""
        return self._machinery.admission

    def now(self) -> str:
        """The time as objects tell it."""
        return self._machinery.now()

    # ------------------------------------------------------------------ reads

    def get(self, scope: Scope, resource_version: str = "") -> Entry:
        """One object.

        Raises:
            StatusError: It is not there, or the name or the resourceVersion cannot be one.
        """
        _check_name(scope.name)
        return self.store.get(scope.resource, scope.object_namespace, scope.name, resource_version)

    def find(self, scope: Scope) -> Entry | None:
        """One object, None where it is not."""
        return self.store.find(scope.resource, scope.object_namespace, scope.name)

    def list(self, scope: Scope, options: ListOptions) -> Page:
        """A page of a list; ``options`` are valid.

        Raises:
            StatusError: The state that is asked for is none that can be shown.
        """
        return self.store.list(scope.resource, scope.object_namespace, options)

    def watch(self, scope: Scope, options: ListOptions, rendering: Rendering) -> Watch:
        """A watch; ``options`` are valid and defaulted.

        Raises:
            StatusError: The resourceVersion is no number.
        """
        return self.store.watch(scope.resource, scope.object_namespace, options, rendering)

    # ------------------------------------------------------------------ writes

    def create(self, scope: Scope, obj: Object, options: WriteOptions = PLAIN_WRITE) -> Entry:
        """Store a new object; ``obj``, in the request's version, is changed in place.

        Raises:
            StatusError: It is refused.
        """
        meta = obj["metadata"]
        metadata.wipe(meta)
        if scope.about == NAMESPACES:
            scope = replace(scope, namespace=meta.get("name", ""))
        metadata.ensure_namespace(obj, "" if scope.about == NAMESPACES else scope.namespace)
        scope.warn(metadata.drop_duplicate_owners(meta, after_admission=False))
        obj = self.managed(scope, None, obj, options)
        self._admit(scope, CREATE, obj, None, options)
        return creation.store_new(self._machinery, scope, obj, dry_run=options.dry_run)

    def receive(
        self, scope: Scope, body: Resource, obj: Object, options: WriteOptions, *, keeps_identity: bool = False
    ) -> Object:
        """What a create makes of an object up to storing it, for what is sent to do something (`subresources`).

        Args:
            scope: Of the request.
            body: Of what is sent, where that is another kind than the resource's: an Eviction of a pod.
            obj: What is sent; changed in place.
            options: Of the create.
            keeps_identity: Whether uid and the like are left as they are: they are preconditions.

        Raises:
            StatusError: It is refused.
        """
        meta = obj["metadata"]
        if not keeps_identity:
            metadata.wipe(meta)
        metadata.ensure_namespace(obj, scope.object_namespace)
        scope.warn(metadata.drop_duplicate_owners(meta, after_admission=False))
        obj = self.managed(replace(scope, resource=body), None, obj, options)
        self._admit(scope, CREATE, obj, None, options)
        return obj

    def managed(self, scope: Scope, live: Object | None, obj: Object, options: WriteOptions) -> Object:
        """An object as it is to be stored, with the managers of its fields, after a create or an update."""
        return in_storage(scope.resource, track_update(self._machinery, scope, live, obj, options))

    def update(
        self,
        scope: Scope,
        change: Change,
        options: WriteOptions = PLAIN_WRITE,
        *,
        uid: str = "",
        may_create: bool = False,
    ) -> Outcome:
        """Change an object by a function of its current state; see `updating.update`.

        Mutating admission runs behind ``change``; field management is a part of it (`replacement`, `patches`).

        Raises:
            StatusError: It is refused, or is not there.
        """
        _check_name(scope.name)

        def admitted(live: Object | None) -> Object:
            obj = change(live)
            self._admit(scope, CREATE if live is None else UPDATE, obj, live, options)
            return obj

        return updating.update(
            self._machinery, scope, admitted, dry_run=options.dry_run, uid=uid, may_create=may_create
        )

    def replace(self, scope: Scope, obj: Object, options: WriteOptions = PLAIN_WRITE) -> Outcome:
        """PUT: the object becomes ``obj``, which is in the request's version and is changed in place.

        Raises:
            StatusError: It is refused, or is not there.
        """
        scope.warn(metadata.drop_duplicate_owners(obj["metadata"], after_admission=False))

        def change(live: Object | None) -> Object:
            return self.managed(scope, live, obj, options)

        return self.update(scope, change, options, uid=obj["metadata"].get("uid", ""))

    def patch(self, scope: Scope, patch: Patch) -> Outcome:
        """PATCH, server-side apply too, which creates what is not there.

        Raises:
            StatusError: It is refused, or is not there.
        """
        may_create = patch.type is PatchType.APPLY and not scope.subresource
        return self.update(scope, self.patching(scope, patch), patch.options, may_create=may_create)

    def patching(self, scope: Scope, patch: Patch) -> Change:
        """What a patch does to an object, or to a view of one, whose kind ``scope.resource`` is then."""
        return change_by(self._machinery, scope, patch)

    def amend(
        self, scope: Scope, change: Callable[[dict[str, Any]], None], options: WriteOptions = PLAIN_WRITE
    ) -> Outcome:
        """Change an object's metadata by a function that changes it in place.

        Raises:
            StatusError: It is refused, or is not there.
        """

        def changed(live: Object | None) -> Object:
            assert live is not None  # an amendment creates nothing
            obj = in_request(scope.resource, {**live, "metadata": dict(live["metadata"])})
            change(obj["metadata"])
            return self.managed(scope, live, obj, options)

        return self.update(scope, changed, options)

    def _admit(self, scope: Scope, operation: str, obj: Object, old: Object | None, options: WriteOptions) -> None:
        self.admission.admit(scope, operation, obj, old, dry_run=options.dry_run)
        scope.warn(metadata.drop_duplicate_owners(obj["metadata"], after_admission=True))

    # ------------------------------------------------------------------ deletions

    def delete(self, scope: Scope, options: DeleteOptions = PLAIN_DELETE) -> Deletion:
        """Delete an object, or begin to.

        Raises:
            StatusError: It is refused, or is not there.
        """
        _check_name(scope.name)
        self._warn_of_deletion(scope, options)
        if scope.about == NAMESPACES:
            return endings.delete_namespace(self._machinery, scope, options)
        if scope.about == endings.CRDS:
            return endings.delete_definition(self._machinery, scope, options)
        return deletion.delete(self._machinery, scope, options)

    def delete_collection(self, scope: Scope, listed: ListOptions, options: DeleteOptions = PLAIN_DELETE) -> Page:
        """Delete, or begin to delete, all that a list shows; that list is the answer.

        Raises:
            StatusError: One deletion is refused; those before it are done.
        """
        self._warn_of_deletion(scope, options)
        page = self.list(scope, listed)
        for entry in page.entries:
            one = replace(scope, namespace=entry.namespace, name=entry.name)
            _ignore_absence(partial(deletion.delete, self._machinery, one, options))
        return page

    def delete_if_there(self, scope: Scope, options: DeleteOptions = PLAIN_DELETE) -> None:
        """Delete an object, or begin to; nothing if it is gone.

        Raises:
            StatusError: It is refused.
        """
        _ignore_absence(partial(self.delete, scope, options))

    # ------------------------------------------------------------------ definitions

    def reread(self, resources: Iterable[Resource]) -> None:
        """Have the objects of a custom resource look as its changed definition says, without a write.

        Reading an object prunes and defaults it by the schema of today (`Strategy.restore`).
        """
        for resource in tuple(resources)[:1]:
            self.store.reread(resource, partial(_restored, resource))

    @staticmethod
    def _warn_of_deletion(scope: Scope, options: DeleteOptions) -> None:
        if options.propagation_policy is None and options.orphan_dependents is None:
            scope.warn(deletionrules.warning(scope.about))


def _restored(resource: Resource, obj: Object) -> Object:
    resource.strategy.restore(obj)
    return obj


def _ignore_absence(delete: Callable[[], object]) -> None:
    try:
        delete()
    except statuses.StatusError as error:
        if error.code != 404:
            raise


def _check_name(name: str) -> None:
    """A name that can be no part of a key is refused before it is looked for (NamespaceKeyFunc)."""
    problems = path_segment_name(name)
    if problems:
        raise statuses.bad_request(f"Name parameter invalid: {quoted(name)}: {';'.join(problems)}")
