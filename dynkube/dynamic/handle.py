"""One resource with every verb: `ResourceHandle`."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dynkube.dynamic.collection import Collection, metadata_of
from dynkube.dynamic.pages import PageIterator
from dynkube.dynamic.watch import Watch
from dynkube.errors import (
    ClosedError,
    DeadlineExceededError,
    ExpiredError,
    InvalidRequestError,
    NotFoundError,
)
from dynkube.fields import FieldSelector
from dynkube.labels import LabelSelector
from dynkube.options import (
    ApplyOptions,
    CreateOptions,
    DeleteOptions,
    GetOptions,
    ListOptions,
    PatchOptions,
    Preconditions,
    UpdateOptions,
)
from dynkube.patches import PatchType
from dynkube.rest import RESTClient, WatchStream
from dynkube.schema import GroupVersionResource, gvk_of
from dynkube.transport import CallScope, CancelToken
from dynkube.unstructured import UnstructuredList
from dynkube.wire.conditions import Condition, parse_condition
from dynkube.wire.listwatch import ListWatch
from dynkube.wire.messages import Response
from dynkube.wire.paging import DEFAULT_PAGE_SIZE
from dynkube.wire.paths import resource_path, validate_segment
from dynkube.wire.request import (
    ACCEPT_JSON,
    ACCEPT_METADATA,
    ACCEPT_TABLE,
    apply_request,
    create_request,
    delete_collection_request,
    delete_request,
    get_request,
    list_request,
    patch_request,
    update_request,
)
from dynkube.wire.response import decode_response
from dynkube.wire.watch import EventType

if TYPE_CHECKING:
    pass

__all__ = ["ResourceHandle"]


class ResourceHandle:
    """One resource, in one namespace or in none, with every verb; frozen.

    Namespaces. A handle from discovery knows whether its resource is namespaced. Bound to no
    namespace, its create, update and apply use the object's ``metadata.namespace``, else the
    configuration's; get, patch and delete use the configuration's; list, iter and watch mean all
    namespaces; delete_collection wants ``all_namespaces=True``. A handle from a bare
    `GroupVersionResource` never guesses: the object's ``metadata.namespace``, or none.

    Every verb takes ``timeout=`` (seconds for the whole call, attempts and waits included; then
    `DeadlineExceededError`) and ``cancel=`` (a `CancelToken`; then `CancelledError`). The server's
    refusals are `APIStatusError`, one subclass per reason.
    """

    __slots__ = (
        "_accept",
        "_default_namespace",
        "_namespace",
        "_namespaced",
        "_rest",
        "_subresource",
        "gvr",
    )

    def __init__(
        self,
        rest: RESTClient,
        gvr: GroupVersionResource,
        *,
        namespaced: bool | None = None,
        namespace: str = "",
        default_namespace: str = "",
        subresource: str = "",
        accept: str = ACCEPT_JSON,
    ) -> None:
        self._rest = rest
        self.gvr = gvr
        self._namespaced = namespaced
        self._namespace = namespace
        self._default_namespace = default_namespace
        self._subresource = subresource
        self._accept = accept

    # ---------------------------------------------------------------- which objects

    def namespace(self, namespace: str) -> ResourceHandle:
        """The same resource in one namespace; ``""`` unbinds it again.

        Raises:
            InvalidRequestError: the resource is known to have no namespaces, or the text can
                be no namespace.
        """
        if namespace:
            validate_segment(namespace, "namespace")
            if self._namespaced is False:
                raise InvalidRequestError(
                    f"namespace: {self.gvr.resource} is cluster-scoped; leave .namespace({namespace!r}) out"
                )
        return self._with(namespace=namespace)

    def subresource(self, subresource: str) -> ResourceHandle:
        """A subresource of the same resource: ``"status"``, ``"scale"``, ``"eviction"``, ...

        All verbs work on it as far as the server has them; create then takes ``name=``.

        Raises:
            InvalidRequestError: the text can be no path segment.
        """
        for segment in subresource.split("/"):
            validate_segment(segment, "subresource")
        return self._with(subresource=subresource)

    def metadata_only(self) -> ResourceHandle:
        """The same objects as ``PartialObjectMetadata``: apiVersion, kind and metadata only.

        A fraction of the bytes where only labels, owners or versions matter. See
        https://kubernetes.io/docs/reference/using-api/api-concepts/#metadata-only-fetches
        """
        return self._with(accept=ACCEPT_METADATA)

    def _with(self, **changes: Any) -> ResourceHandle:
        values: dict[str, Any] = {
            "namespaced": self._namespaced,
            "namespace": self._namespace,
            "default_namespace": self._default_namespace,
            "subresource": self._subresource,
            "accept": self._accept,
        }
        values.update(changes)
        return ResourceHandle(self._rest, self.gvr, **values)

    # ---------------------------------------------------------------- reading

    def get(
        self,
        name: str,
        *,
        resource_version: str | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]:
        """Read one object.

        Args:
            name: the object's name.
            resource_version: ``"0"`` takes any state the server has cached; None reads the latest.
            timeout: seconds for the whole call.
            cancel: a token that ends the call.

        Returns:
            The object.

        Raises:
            NotFoundError: there is none of this name.
            InvalidRequestError: the name can be no name; nothing was sent.
        """
        request = get_request(
            self.gvr,
            name,
            namespace=self._namespace_for_name(),
            subresource=self._subresource,
            options=GetOptions(resource_version=resource_version) if resource_version is not None else None,
            accept=self._accept,
        )
        return self._object(self._rest.execute(request, timeout=timeout, cancel=cancel))

    def get_or_none(
        self,
        name: str,
        *,
        resource_version: str | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any] | None:
        """Read one object; None where `get` raises `NotFoundError`."""
        try:
            return self.get(name, resource_version=resource_version, timeout=timeout, cancel=cancel)
        except NotFoundError:
            return None

    def list(
        self,
        *,
        label_selector: str | LabelSelector | None = None,
        field_selector: str | FieldSelector | None = None,
        limit: int | None = None,
        continue_token: str | None = None,
        resource_version: str | None = None,
        resource_version_match: str | None = None,
        timeout_seconds: int | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> UnstructuredList:
        """List objects with one request.

        Args:
            label_selector: ``"app=api,tier!=web"``.
            field_selector: ``"metadata.name=api"``.
            limit: the most objects to return; what is left is at ``.continue_token``.
            continue_token: where an earlier list stopped.
            resource_version: ``"0"`` for any cached state, a version for at least (or, with
                ``resource_version_match="Exact"``, exactly) that one; None reads the latest.
            resource_version_match: ``"NotOlderThan"`` or ``"Exact"``.
            timeout_seconds: the server's own limit for the call, in seconds.
            timeout: seconds for the whole call.
            cancel: a token that ends the call.

        Returns:
            A sequence of dicts with ``.resource_version``, ``.continue_token`` and
            ``.remaining_item_count``.

        Raises:
            ExpiredError: the continue token or resource version is too old.
            InvalidRequestError: a selector does not parse, or the options exclude each other.
        """
        options = ListOptions(
            label_selector=label_selector,
            field_selector=field_selector,
            limit=limit,
            continue_token=continue_token,
            resource_version=resource_version,
            resource_version_match=resource_version_match,
            timeout_seconds=timeout_seconds,
        )
        return self._collection().page(options, timeout=timeout, cancel=cancel)

    def iter(
        self,
        *,
        label_selector: str | LabelSelector | None = None,
        field_selector: str | FieldSelector | None = None,
        limit: int = DEFAULT_PAGE_SIZE,
        resource_version: str | None = None,
        resource_version_match: str | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> PageIterator:
        """Iterate over all objects, page by page: memory for one page, whatever the number.

        When the continue token expires on the way, iteration goes on with the server's
        inconsistent-continue token: the rest of the objects is then of a newer version than the
        pages before. It says so: a warning is logged and ``.inconsistent`` turns True. It never
        begins a second list.

        Args:
            label_selector: ``"app=api,tier!=web"``.
            field_selector: ``"metadata.name=api"``.
            limit: objects per page.
            resource_version: as for `list`; applies to the first page.
            resource_version_match: as for `list`.
            timeout: seconds for the whole iteration, what the caller does in between included.
            cancel: a token that ends the iteration.

        Returns:
            An iterator of dicts.

        Raises:
            ExpiredError: the token expired and the server gave none to go on with.
        """
        options = ListOptions(
            label_selector=label_selector,
            field_selector=field_selector,
            limit=limit,
            resource_version=resource_version,
            resource_version_match=resource_version_match,
        )
        options.validate("list")
        collection = self._collection()
        return PageIterator(collection, options, CallScope(timeout, cancel))

    def table(
        self,
        name: str | None = None,
        *,
        label_selector: str | LabelSelector | None = None,
        field_selector: str | FieldSelector | None = None,
        limit: int | None = None,
        continue_token: str | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]:
        """What ``kubectl get`` prints: a ``meta.k8s.io/v1 Table`` made by the server.

        Args:
            name: one object; all of them by default.
            label_selector: as for `list`.
            field_selector: as for `list`.
            limit: as for `list`.
            continue_token: as for `list`.
            timeout: seconds for the whole call.
            cancel: a token that ends the call.

        Returns:
            The Table: ``columnDefinitions`` and ``rows``, each with ``cells``.
        """
        if name is not None:
            return self._with(accept=ACCEPT_TABLE).get(name, timeout=timeout, cancel=cancel)
        options = ListOptions(
            label_selector=label_selector, field_selector=field_selector, limit=limit, continue_token=continue_token
        )
        request = list_request(self.gvr, namespace=self._collection().namespace, options=options, accept=ACCEPT_TABLE)
        return decode_response(self._rest.execute(request, timeout=timeout, cancel=cancel))

    # ---------------------------------------------------------------- writing

    def create(
        self,
        obj: Mapping[str, Any],
        *,
        name: str | None = None,
        dry_run: bool = False,
        field_manager: str | None = None,
        field_validation: str | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]:
        """Create an object.

        Args:
            obj: the object; ``metadata.generateName`` lets the server choose the name.
            name: only for a subresource: whose; the object's ``metadata.name`` by default.
            dry_run: have the server do everything but store it.
            field_manager: who owns the fields that this call sets.
            field_validation: ``"Ignore"``, ``"Warn"`` or ``"Strict"`` for unknown and duplicate fields.
            timeout: seconds for the whole call.
            cancel: a token that ends the call.

        Returns:
            The object as stored.

        Raises:
            AlreadyExistsError: there is one of this name.
            InvalidError: the server's validation refuses it; ``.causes`` names the fields.
            InvalidRequestError: the object holds what JSON cannot; nothing was sent.
        """
        with _frames_forgotten():
            _check_object(obj)
            request = create_request(
                self.gvr,
                obj,
                namespace=self._namespace_for_object(obj),
                name=(name or _name_of(obj)) if self._subresource else "",
                subresource=self._subresource,
                options=CreateOptions(dry_run=dry_run, field_manager=field_manager, field_validation=field_validation),
                accept=self._accept,
            )
        return self._object(self._rest.execute(request, timeout=timeout, cancel=cancel))

    def update(
        self,
        obj: Mapping[str, Any],
        *,
        dry_run: bool = False,
        field_manager: str | None = None,
        field_validation: str | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]:
        """Replace an object (PUT). With ``metadata.resourceVersion`` in it, only that version.

        Args:
            obj: the whole object; its ``metadata.name`` says which.
            dry_run: have the server do everything but store it.
            field_manager: who owns the fields that this call sets.
            field_validation: ``"Ignore"``, ``"Warn"`` or ``"Strict"``.
            timeout: seconds for the whole call.
            cancel: a token that ends the call.

        Returns:
            The object as stored.

        Raises:
            ConflictError: it changed meanwhile: read it again, change that, update again.
            NotFoundError: there is none of this name.
            InvalidRequestError: the object has no name.
        """
        with _frames_forgotten():
            _check_object(obj)
            request = update_request(
                self.gvr,
                obj,
                namespace=self._namespace_for_object(obj),
                subresource=self._subresource,
                options=UpdateOptions(dry_run=dry_run, field_manager=field_manager, field_validation=field_validation),
                accept=self._accept,
            )
        return self._object(self._rest.execute(request, timeout=timeout, cancel=cancel))

    def update_status(
        self,
        obj: Mapping[str, Any],
        *,
        dry_run: bool = False,
        field_manager: str | None = None,
        field_validation: str | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]:
        """Replace an object's status only: `update` on the ``status`` subresource."""
        return self.subresource("status").update(
            obj,
            dry_run=dry_run,
            field_manager=field_manager,
            field_validation=field_validation,
            timeout=timeout,
            cancel=cancel,
        )

    def patch(
        self,
        name: str,
        body: Any,
        *,
        type: PatchType | None = None,  # noqa: A002 - the word of the API
        dry_run: bool = False,
        field_manager: str | None = None,
        field_validation: str | None = None,
        force: bool | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]:
        """Change parts of an object.

        Args:
            name: the object's name.
            body: a dict is a merge patch; a list of operations, or a ``jsonpatch.JsonPatch``, is a
                JSON Patch.
            type: another reading of the body, for instance `PatchType.STRATEGIC` (lists merge by
                key; built-in resources only).
            dry_run: have the server do everything but store it.
            field_manager: who owns the fields that this call sets.
            field_validation: ``"Ignore"``, ``"Warn"`` or ``"Strict"``.
            force: for `PatchType.APPLY` only: take fields over from other managers.
            timeout: seconds for the whole call.
            cancel: a token that ends the call.

        Returns:
            The object as stored.

        Raises:
            NotFoundError: there is none of this name.
            InvalidError: the result does not validate, or a ``test`` operation fails.
            UnsupportedMediaTypeError: this resource does not take this type of patch.
            ConflictError: an apply meets fields of other managers: ``.conflicts``.
        """
        with _frames_forgotten():
            request = patch_request(
                self.gvr,
                name,
                body,
                type=type,
                namespace=self._namespace_for_name(),
                subresource=self._subresource,
                options=PatchOptions(
                    dry_run=dry_run, field_manager=field_manager, field_validation=field_validation, force=force
                ),
                accept=self._accept,
            )
        return self._object(self._rest.execute(request, timeout=timeout, cancel=cancel))

    def apply(
        self,
        obj: Mapping[str, Any],
        *,
        field_manager: str,
        name: str | None = None,
        force: bool = False,
        dry_run: bool = False,
        field_validation: str | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]:
        """Server-side apply: create the object, or set and own the fields it names.

        See https://kubernetes.io/docs/reference/using-api/server-side-apply/

        Args:
            obj: the fields to own, with apiVersion, kind and name; no ``managedFields``.
            field_manager: who owns them from now on.
            name: the object's name, instead of its ``metadata.name``.
            force: take fields over from other managers instead of failing.
            dry_run: have the server do everything but store it.
            field_validation: ``"Ignore"``, ``"Warn"`` or ``"Strict"``.
            timeout: seconds for the whole call.
            cancel: a token that ends the call.

        Returns:
            The object as stored.

        Raises:
            ConflictError: other managers own some fields; ``.conflicts`` names manager and field.
            InvalidRequestError: the object lacks its name, apiVersion or kind, or brings ``managedFields``.
        """
        with _frames_forgotten():
            _check_object(obj)
            gvk_of(obj, argument="obj")  # the server would say "invalid object type: /, Kind="
            request = apply_request(
                self.gvr,
                name if name is not None else _name_of(obj),
                obj,
                namespace=self._namespace_for_object(obj),
                subresource=self._subresource,
                options=ApplyOptions(
                    field_manager=field_manager, force=force, dry_run=dry_run, field_validation=field_validation
                ),
                accept=self._accept,
            )
        return self._object(self._rest.execute(request, timeout=timeout, cancel=cancel))

    def apply_status(
        self,
        obj: Mapping[str, Any],
        *,
        field_manager: str,
        name: str | None = None,
        force: bool = False,
        dry_run: bool = False,
        field_validation: str | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]:
        """Server-side apply of an object's status: `apply` on the ``status`` subresource."""
        return self.subresource("status").apply(
            obj,
            field_manager=field_manager,
            name=name,
            force=force,
            dry_run=dry_run,
            field_validation=field_validation,
            timeout=timeout,
            cancel=cancel,
        )

    def delete(
        self,
        name: str,
        *,
        propagation_policy: str | None = None,
        grace_period_seconds: int | None = None,
        preconditions: Preconditions | None = None,
        orphan_dependents: bool | None = None,
        dry_run: bool = False,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]:
        """Delete one object.

        Args:
            name: the object's name.
            propagation_policy: ``"Background"``, ``"Foreground"`` or ``"Orphan"``: what becomes of
                the objects it owns.
            grace_period_seconds: seconds it gets to end; 0 deletes at once.
            preconditions: the uid or resourceVersion that it must still have.
            orphan_dependents: the older form of ``propagation_policy``.
            dry_run: have the server do everything but delete it.
            timeout: seconds for the whole call.
            cancel: a token that ends the call.

        Returns:
            What the server says: a ``Status``, or the object, which is still there where
            finalizers or a grace period hold it.

        Raises:
            NotFoundError: there is none of this name.
            ConflictError: a precondition does not hold.
        """
        options = DeleteOptions(
            propagation_policy=propagation_policy,
            grace_period_seconds=grace_period_seconds,
            preconditions=preconditions,
            orphan_dependents=orphan_dependents,
            dry_run=dry_run,
        )
        request = delete_request(
            self.gvr,
            name,
            namespace=self._namespace_for_name(),
            subresource=self._subresource,
            options=options,
            accept=self._accept,
        )
        return decode_response(self._rest.execute(request, timeout=timeout, cancel=cancel))

    def delete_collection(
        self,
        *,
        label_selector: str | LabelSelector | None = None,
        field_selector: str | FieldSelector | None = None,
        all_namespaces: bool = False,
        propagation_policy: str | None = None,
        grace_period_seconds: int | None = None,
        dry_run: bool = False,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]:
        """Delete all objects that the selectors pick, in one request.

        Args:
            label_selector: as for `list`.
            field_selector: as for `list`.
            all_namespaces: must be said for a namespaced resource that is bound to no namespace. The
                API server's own resources refuse it with 405: go through the namespaces one by one.
            propagation_policy: as for `delete`.
            grace_period_seconds: as for `delete`.
            dry_run: have the server do everything but delete them.
            timeout: seconds for the whole call.
            cancel: a token that ends the call.

        Returns:
            What the server says: the list of deleted objects, or a ``Status``.

        Raises:
            InvalidRequestError: it would mean every namespace, and nobody said so.
        """
        if self._namespaced and not self._namespace and not all_namespaces:
            raise InvalidRequestError(
                f"all_namespaces: deleting {self.gvr.resource} in every namespace must be asked for: "
                "use .namespace(...), or all_namespaces=True"
            )
        if all_namespaces and self._namespace:
            raise InvalidRequestError(
                f"all_namespaces: this handle is bound to namespace {self._namespace!r}; use .namespace('') first"
            )
        request = delete_collection_request(
            self.gvr,
            namespace=self._collection().namespace,
            list_options=ListOptions(label_selector=label_selector, field_selector=field_selector),
            options=DeleteOptions(
                propagation_policy=propagation_policy, grace_period_seconds=grace_period_seconds, dry_run=dry_run
            ),
            accept=self._accept,
        )
        return decode_response(self._rest.execute(request, timeout=timeout, cancel=cancel))

    # ---------------------------------------------------------------- watching

    def watch(
        self,
        *,
        label_selector: str | LabelSelector | None = None,
        field_selector: str | FieldSelector | None = None,
        resource_version: str | None = None,
        limit: int = DEFAULT_PAGE_SIZE,
        timeout_seconds: int | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> Watch:
        """Follow the objects for as long as you like, whatever happens to the connection.

        Begins with a list, as ADDED for each object, and goes on with every change. It resumes by
        resourceVersion when the server ends a watch or the connection breaks, and lists anew when
        that version has expired; then only differences are handed over. Applied to a dict, the
        events give the server's state; nothing unchanged comes twice. An object that was deleted
        meanwhile comes as DELETED with ``final_state_unknown``: its name, namespace, uid and last
        resourceVersion, no more. Bookmarks and ERROR events are dealt with and not handed over.

        Args:
            label_selector: as for `list`.
            field_selector: as for `list`.
            resource_version: begin here, without a list: only later changes come.
            limit: objects per page of a list.
            timeout_seconds: seconds after which the server ends each single watch request; drawn
                from 240-295 by default.
            timeout: seconds until iteration ends in `DeadlineExceededError`.
            cancel: a token that ends it in `CancelledError`.

        Returns:
            A `Watch`: an iterator of `WatchEvent`, to be used in a ``with`` or closed. Closing it
            ends the iteration.

        Raises:
            ExpiredError: ``resource_version`` is too old (from the iterator).
            APIStatusError: what waiting cannot heal: 400, 401, 403, 404, 405, 422 (from the iterator).
        """
        options = ListOptions(label_selector=label_selector, field_selector=field_selector)
        collection = self._collection()
        collection.check(options)
        machine = ListWatch(options, random=random.random, resource_version=resource_version or "", page_size=limit)
        return Watch(collection, machine, CallScope(timeout, cancel), timeout_seconds=timeout_seconds)

    def watch_once(
        self,
        *,
        label_selector: str | LabelSelector | None = None,
        field_selector: str | FieldSelector | None = None,
        resource_version: str | None = None,
        resource_version_match: str | None = None,
        timeout_seconds: int | None = None,
        allow_watch_bookmarks: bool = False,
        send_initial_events: bool | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> WatchStream:
        """One watch request, until the server or the network ends it; client-go's Watch.

        Events come as the server sends them: BOOKMARK and ERROR too.

        Args:
            label_selector: as for `list`.
            field_selector: as for `list`.
            resource_version: changes after this version; None begins with what is there now.
            resource_version_match: ``"NotOlderThan"``, with ``send_initial_events``.
            timeout_seconds: seconds after which the server ends it.
            allow_watch_bookmarks: ask for BOOKMARK events.
            send_initial_events: begin with what is there, ended by a bookmark (KEP-3157).
            timeout: seconds until it ends in `DeadlineExceededError`.
            cancel: a token that ends it in `CancelledError`.

        Returns:
            A `WatchStream`: iterate over it, and close it.

        Raises:
            APIStatusError: the server refuses the watch.
            InvalidRequestError: the options exclude each other.
        """
        options = ListOptions(
            label_selector=label_selector,
            field_selector=field_selector,
            resource_version=resource_version,
            resource_version_match=resource_version_match,
            timeout_seconds=timeout_seconds,
            allow_watch_bookmarks=allow_watch_bookmarks,
            send_initial_events=send_initial_events,
        )
        return self._collection().open_watch(options, timeout=timeout, cancel=cancel)

    def wait(
        self,
        name: str,
        *,
        condition: str,
        timeout: float = 30,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any] | None:
        """Wait until an object meets a condition. Cannot miss it, and cannot return before.

        Args:
            name: the object's name.
            condition: ``"Available"`` (a condition of its status that is True), ``"Ready=False"``, or
                ``"delete"``. Case does not matter. A condition observed at an older generation than
                the object's does not count.
            timeout: seconds; 30 by default, as in kubectl.
            cancel: a token that ends the wait.

        Returns:
            The object that meets the condition; None for ``"delete"``.

        Raises:
            NotFoundError: there is none of this name, and ``"delete"`` was not what was asked.
            DeadlineExceededError: the time ran out.
            InvalidRequestError: the condition does not parse.
        """
        validate_segment(name, "name")
        wanted = parse_condition(condition)
        scope = CallScope(timeout, cancel)
        bound = self._with(namespace=self._namespace_for_name())
        try:
            return bound._wait(name, wanted, scope)  # noqa: SLF001 - another handle of this class
        except DeadlineExceededError as error:
            raise DeadlineExceededError(
                f"timed out waiting for the condition on {self.gvr.group_resource}/{name}: {condition!r} not met "
                f"within {timeout:g} s"
            ) from error

    def _wait(self, name: str, wanted: Condition, scope: CallScope) -> dict[str, Any] | None:
        uid = ""
        while True:
            listed = self._collection().page(
                ListOptions(field_selector=f"metadata.name={name}"), timeout=scope.left(), cancel=scope.cancel
            )
            obj = listed[0] if len(listed) else None
            if obj is None and not wanted.deleted:
                path = resource_path(self.gvr, namespace=self._namespace, name=name)
                raise NotFoundError(_not_found_status(self.gvr, name), method="GET", path=path)
            if wanted.deleted:
                now = str(obj["metadata"].get("uid")) if obj is not None else None
                if now is None or (uid and now != uid):
                    return None
                uid = now
            elif obj is not None and wanted.met_by(obj):
                return obj
            version = listed.resource_version
            del listed, obj  # a traceback of what goes wrong from here on may print this frame
            try:
                found = self._watch_for(name, wanted, uid, version, scope)
            except ExpiredError:
                continue  # the list will tell
            if wanted.deleted or found is not None:
                return found

    def _watch_for(
        self, name: str, wanted: Condition, uid: str, resource_version: str, scope: CallScope
    ) -> dict[str, Any] | None:
        with self.watch(
            field_selector=f"metadata.name={name}",
            resource_version=resource_version,
            timeout=scope.left(),
            cancel=scope.cancel,
        ) as events:
            for event in events:
                deleted = event.type is EventType.DELETED
                if wanted.deleted:
                    if deleted or event.object["metadata"].get("uid") != uid:
                        return None
                elif not deleted and wanted.met_by(event.object):
                    return event.object
        raise ClosedError("the client was closed while it waited")

    # ---------------------------------------------------------------- inner workings

    def _collection(self) -> Collection:
        if self._subresource:
            raise InvalidRequestError(
                f"subresource: {self._subresource!r} is of one object, not of a collection; "
                'list, watch and wait on a handle without it, .subresource("...") is for the others'
            )
        return Collection(self._rest, self.gvr, self._namespace, self._accept)

    def _object(self, response: Response) -> dict[str, Any]:
        obj = decode_response(response)
        return metadata_of(obj) if self._accept is ACCEPT_METADATA else obj

    def _namespace_for_name(self) -> str:
        if self._namespace or not self._namespaced:
            return self._namespace
        return self._default_namespace

    def _namespace_for_object(self, obj: Mapping[str, Any]) -> str:
        if self._namespace or self._namespaced is False:
            return self._namespace
        metadata = obj.get("metadata")
        own = metadata.get("namespace") if isinstance(metadata, Mapping) else None
        if own:
            return str(own)
        return self._default_namespace if self._namespaced else ""

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ResourceHandle):
            return NotImplemented
        return all(getattr(self, slot) == getattr(other, slot) for slot in ResourceHandle.__slots__)

    def __hash__(self) -> int:
        return hash((self.gvr, self._namespace, self._subresource, self._accept))

    def __repr__(self) -> str:
        where = f", namespace={self._namespace!r}" if self._namespace else ""
        part = f", subresource={self._subresource!r}" if self._subresource else ""
        return f"ResourceHandle({self.gvr.group_version}/{self.gvr.resource}{where}{part})"


class _frames_forgotten:  # noqa: N801 - reads as a participle
    """What we refuse in this block leaves without the frames below it: they hold the object, which may be a Secret."""

    __slots__ = ()

    def __enter__(self) -> None:
        """Nothing to do."""

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        refused = isinstance(error, InvalidRequestError)
        while refused and error is not None:
            error.__traceback__ = None
            error = error.__cause__ or error.__context__


def _check_object(obj: object) -> None:
    if not isinstance(obj, Mapping):
        raise InvalidRequestError(f"obj must be a dict with apiVersion, kind and metadata, not a {type(obj).__name__}")


def _name_of(obj: Mapping[str, Any]) -> str:
    metadata = obj.get("metadata")
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    return name if isinstance(name, str) else ""


def _not_found_status(gvr: GroupVersionResource, name: str) -> dict[str, Any]:
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "reason": "NotFound",
        "code": 404,
        "message": f'{gvr.group_resource} "{name}" not found',
        "details": {"name": name, "group": gvr.group, "kind": gvr.resource},
    }
