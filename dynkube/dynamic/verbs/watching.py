"""Watching: follow a collection, or wait for one object."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

from dynkube.dynamic.collection import Collection
from dynkube.dynamic.verbs.target import Target
from dynkube.dynamic.watch import Watch
from dynkube.errors import ClosedError, DeadlineExceededError, ExpiredError, NotFoundError
from dynkube.fields import FieldSelector
from dynkube.labels import LabelSelector
from dynkube.options import ListOptions
from dynkube.rest import WatchStream
from dynkube.schema import GroupVersionResource
from dynkube.transport import CallScope, CancelToken
from dynkube.wire.conditions import Condition, parse_condition
from dynkube.wire.listwatch import ListWatch
from dynkube.wire.paging import DEFAULT_PAGE_SIZE
from dynkube.wire.paths import resource_path, validate_segment
from dynkube.wire.watch import EventType

__all__ = ["WaitVerb", "WatchVerb"]


class WatchVerb(Target):
    """RBAC's verb watch, and list: a watch begins with one."""

    __slots__ = ()

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
        return _follow(
            self._collection(),
            options,
            CallScope(timeout, cancel),
            resource_version or "",
            limit=limit,
            timeout_seconds=timeout_seconds,
        )

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


class WaitVerb(Target):
    """``kubectl wait``; it takes RBAC's verbs list and watch."""

    __slots__ = ()

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
        collection = replace(self._collection(), namespace=self._namespace_for_name())
        try:
            return _wait(collection, name, wanted, scope)
        except DeadlineExceededError as error:
            raise DeadlineExceededError(
                f"timed out waiting for the condition on {self.gvr.group_resource}/{name}: {condition!r} not met "
                f"within {timeout:g} s"
            ) from error


def _wait(collection: Collection, name: str, wanted: Condition, scope: CallScope) -> dict[str, Any] | None:
    uid = ""
    while True:
        listed = collection.page(
            ListOptions(field_selector=f"metadata.name={name}"), timeout=scope.left(), cancel=scope.cancel
        )
        obj = listed[0] if len(listed) else None
        if obj is None and not wanted.deleted:
            path = resource_path(collection.gvr, namespace=collection.namespace, name=name)
            raise NotFoundError(_not_found_status(collection.gvr, name), method="GET", path=path)
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
            found = _watch_for(collection, name, wanted, uid, version, scope)
        except ExpiredError:
            continue  # the list will tell
        if wanted.deleted or found is not None:
            return found


def _watch_for(
    collection: Collection, name: str, wanted: Condition, uid: str, resource_version: str, scope: CallScope
) -> dict[str, Any] | None:
    options = ListOptions(field_selector=f"metadata.name={name}")
    with _follow(collection, options, CallScope(scope.left(), scope.cancel), resource_version) as events:
        for event in events:
            deleted = event.type is EventType.DELETED
            if wanted.deleted:
                if deleted or event.object["metadata"].get("uid") != uid:
                    return None
            elif not deleted and wanted.met_by(event.object):
                return event.object
    raise ClosedError("the client was closed while it waited")


def _follow(
    collection: Collection,
    options: ListOptions,
    scope: CallScope,
    resource_version: str,
    *,
    limit: int = DEFAULT_PAGE_SIZE,
    timeout_seconds: int | None = None,
) -> Watch:
    collection.check(options)
    machine = ListWatch(options, random=random.random, resource_version=resource_version, page_size=limit)
    return Watch(collection, machine, scope, timeout_seconds=timeout_seconds)


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
