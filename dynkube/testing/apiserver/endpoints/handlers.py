"""The verbs on resources and on what hangs below them: AS/endpoints/handlers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from dynkube.testing.apiserver import printing
from dynkube.testing.apiserver.access import Access
from dynkube.testing.apiserver.endpoints import queries
from dynkube.testing.apiserver.endpoints.bodies import body_of, check_media_type, read_delete_options, read_object
from dynkube.testing.apiserver.endpoints.negotiation import Accepted, negotiate, watch_refusal
from dynkube.testing.apiserver.endpoints.queries import Query
from dynkube.testing.apiserver.endpoints.representation import Shape, encode
from dynkube.testing.apiserver.endpoints.routes import Route
from dynkube.testing.apiserver.registry import (
    Change,
    DeleteOptions,
    Outcome,
    Patch,
    PatchType,
    Registry,
    Scope,
    WriteOptions,
    patch_type,
)
from dynkube.testing.apiserver.registry.metadata import ensure_namespace
from dynkube.testing.apiserver.registry.patches import check_name
from dynkube.testing.apiserver.storage import Entry, ListOptions
from dynkube.testing.apiserver.streaming import Behind
from dynkube.testing.apiserver.words import statuses
from dynkube.testing.apiserver.words.messages import Request, RequestInfo, Response, UserInfo
from dynkube.testing.apiserver.words.resources import Object, Resource, Strategy

if TYPE_CHECKING:
    from dynkube.testing.apiserver.subresources import Action, Call, View

__all__ = ["Handler"]

_CONNECTIONS = frozenset({"attach", "exec", "log", "portforward", "proxy"})


class Handler:
    """Answers one request to a resource.

    Args:
        registry: Does what is asked.
        access: For what asks about permissions.
        behind: What streams and proxies lead to.
        request: What is asked.
        info: The same, as authorization sees it.
        route: Of what.
        user: By whom.
        warnings: Filled: each text becomes a Warning header.
    """

    def __init__(
        self,
        registry: Registry,
        access: Access,
        behind: Behind,
        request: Request,
        info: RequestInfo,
        route: Route,
        user: UserInfo,
        warnings: list[str],
    ) -> None:
        self._registry = registry
        self._access = access
        self._behind = behind
        self._request = request
        self._route = route
        self._scope = Scope(
            resource=route.resource,
            namespace=route.namespace,
            name=route.name,
            subresource=route.subresource,
            user=user,
            warnings=warnings,
            authorize_create=lambda: access.authorize(user, replace(info, verb="create")),
        )

    def answer(self) -> Response:
        """The answer.

        Raises:
            StatusError: It is refused.
        """
        verb, subresource = self._route.verb, self._route.subresource
        if not self._route.name and verb in ("update", "patch"):
            raise statuses.bad_request("name must be provided")
        if verb == "deletecollection" and self._route.resource.namespaced and not self._route.namespace:
            raise statuses.bad_request("Namespace parameter required.")
        if verb == "connect" or subresource in _CONNECTIONS:
            if verb == "connect" and Query(self._request).text("dryRun"):
                raise statuses.bad_request("dryRun is not supported")
            if subresource == "log":
                self._negotiate(has_table=False)
            return self._connect()
        if subresource:
            self._scope.strategy_override = self._strategy()
        verbs: dict[str, Callable[[], Response]] = {
            "get": self._get,
            "list": self._list,
            "watch": self._watch,
            "create": self._create,
            "update": self._update,
            "patch": self._patch,
            "delete": self._delete,
            "deletecollection": self._delete_collection,
        }
        return verbs[verb]()

    # ------------------------------------------------------------------ reads

    def _get(self) -> Response:
        view = self._view()
        accepted = self._negotiate(view)
        query = Query(self._request)
        if query.flag("export"):
            problem = "the export parameter, deprecated since v1.14, is no longer supported"
            raise statuses.bad_request(problem)
        entry = self._registry.get(self._scope, query.text("resourceVersion"))
        if view is None:
            return self._entry(200, entry, accepted)
        return self._object(200, view.body, view.read(entry.object()), accepted)

    def _list(self) -> Response:
        accepted = self._negotiate()
        options = queries.list_options(self._request, self._route.resource, name=self._route.name)
        if options.watch:
            return self._watched(accepted, options)
        page = self._registry.list(self._scope, options)
        return _response(200, *self._shape(accepted).page(page))

    def _watch(self) -> Response:
        accepted = self._negotiate()
        return self._watched(accepted, queries.list_options(self._request, self._route.resource, name=self._route.name))

    def _watched(self, accepted: Accepted, options: ListOptions) -> Response:
        if "watch" not in self._route.resource.verbs:
            raise statuses.method_not_supported(self._scope.about, "watch")
        rendering = self._shape(accepted).rendering()
        watch = self._registry.watch(self._scope, options, rendering)
        if not accepted.is_stream:
            raise watch_refusal()
        return Response(status=200, headers=[("Content-Type", "application/json")], body=aiter(watch))

    # ------------------------------------------------------------------ writes

    def _create(self) -> Response:
        # What can only be created is never stored.
        acts = bool(self._route.subresource) or "get" not in self._route.resource.verbs
        action = self._action() if acts else None
        accepted = self._negotiate(has_table=action is None)
        check_media_type(self._request)
        body_of(self._request)
        options = queries.write_options(self._request, "CreateOptions")
        if action is not None:
            from dynkube.testing.apiserver.subresources import perform

            obj = read_object(self._request, action.body, options, self._scope.warnings, also=action.accepts)
            answer = perform(action, self._call(options), obj)
            if answer["kind"] == "Status":
                return _response(int(answer["code"]), *encode(answer, accepted))
            return self._object(201, action.body, answer, accepted)
        obj = read_object(self._request, self._route.resource, options, self._scope.warnings)
        return self._entry(201, self._registry.create(self._scope, obj, options), accepted)

    def _update(self) -> Response:
        view = self._view()
        accepted = self._negotiate(view)
        body_of(self._request)
        options = queries.write_options(self._request, "UpdateOptions")
        check_media_type(self._request)
        body = self._route.resource if view is None else view.body
        obj = read_object(self._request, body, options, self._scope.warnings)
        ensure_namespace(obj, self._scope.object_namespace)
        check_name(obj, self._route.name)
        if view is None:
            return self._outcome(self._registry.replace(self._scope, obj, options), None, accepted)
        uid = obj["metadata"].get("uid", "")
        change = view.through(self._managed(view, obj, options))
        return self._outcome(self._registry.update(self._scope, change, options, uid=uid), view, accepted)

    def _managed(self, view: View, obj: Object, options: WriteOptions) -> Change:
        """What a PUT of a view makes of the current one."""
        scope = replace(self._scope, resource=view.body)
        return lambda live: self._registry.managed(scope, live, obj, options)

    def _patch(self) -> Response:
        kind = patch_type(self._request.headers.get("content-type") or "", is_custom=self._route.resource.is_custom)
        view = self._view()
        accepted = self._negotiate(view)
        data = body_of(self._request)
        is_apply = kind is PatchType.APPLY
        options = queries.write_options(self._request, "PatchOptions", is_apply=is_apply)
        patch = Patch(kind, data, options)
        if view is None:
            outcome = self._registry.patch(self._scope, patch)
        else:
            change = view.through(
                self._registry.patching(replace(self._scope, resource=view.body), patch), is_apply=is_apply
            )
            outcome = self._registry.update(self._scope, change, options)
        return self._outcome(outcome, view, accepted)

    # ------------------------------------------------------------------ deletions

    def _delete(self) -> Response:
        accepted = self._negotiate()
        options = self._delete_options()
        deletion = self._registry.delete(self._scope, options)
        # 202 for who asked in the old way to have dependents go, too.
        code = 202 if not deletion.is_gone and options.orphan_dependents is False else 200
        if deletion.status is not None:
            return _response(code, *encode(deletion.status, accepted))
        return self._entry(code, deletion.entry, accepted)

    def _delete_collection(self) -> Response:
        accepted = self._negotiate()
        listed = queries.list_options(self._request, self._route.resource)
        page = self._registry.delete_collection(self._scope, listed, self._delete_options())
        return _response(200, *self._shape(accepted).page(page))

    def _delete_options(self) -> DeleteOptions:
        if body_of(self._request):
            return queries.delete_options_of_body(read_delete_options(self._request))
        return queries.delete_options(self._request)

    # ------------------------------------------------------------------ answers

    # Subresources are a room that a server can do without for a while: it costs something to import.

    def _connect(self) -> Response:
        from dynkube.testing.apiserver.subresources import connect

        return connect(self._call(WriteOptions()), self._request)

    def _strategy(self) -> Strategy | None:
        from dynkube.testing.apiserver.subresources import find_strategy

        return find_strategy(self._registry, self._route.resource, self._route.subresource)

    def _action(self) -> Action | None:
        from dynkube.testing.apiserver.subresources import find_action

        return find_action(self._scope.about, self._route.subresource)

    def _view(self) -> View | None:
        if not self._route.subresource:
            return None
        from dynkube.testing.apiserver.subresources import find_view

        return find_view(self._registry, self._route.resource, self._route.subresource)

    def _call(self, options: WriteOptions) -> Call:
        from dynkube.testing.apiserver.subresources import Call

        return Call(
            registry=self._registry,
            access=self._access,
            scope=self._scope,
            options=options,
            behind=self._behind,
            rest=self._route.rest,
        )

    def _negotiate(self, view: View | None = None, *, has_table: bool = True) -> Accepted:
        is_custom = self._route.resource.is_custom and view is None
        return negotiate(self._request, is_custom=is_custom, has_table=has_table)

    def _shape(self, accepted: Accepted, resource: Resource | None = None) -> Shape:
        include = "Metadata"
        if accepted.kind == "Table":
            include = printing.check_include(Query(self._request).text("includeObject"))
        named = self._route.resource
        return Shape(resource or named, accepted, self._registry.clock, include, named)

    def _entry(self, code: int, entry: Entry, accepted: Accepted) -> Response:
        return _response(code, *self._shape(accepted).entry(entry))

    def _object(self, code: int, body: Resource, obj: Object, accepted: Accepted) -> Response:
        return _response(code, *self._shape(accepted, body).object(obj))

    def _outcome(self, outcome: Outcome, view: View | None, accepted: Accepted) -> Response:
        code = 201 if outcome.is_created else 200
        if view is None:
            return self._entry(code, outcome.entry, accepted)
        return self._object(code, view.body, view.read_updated(outcome.entry.object()), accepted)


def _response(code: int, content_type: str, body: bytes) -> Response:
    return Response(status=code, headers=[("Content-Type", content_type)], body=body)
