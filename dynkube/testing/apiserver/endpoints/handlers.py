"""The verbs on resources: AS/endpoints/handlers, one function for each."""

from __future__ import annotations

from dynkube.testing.apiserver import printing, statuses
from dynkube.testing.apiserver.endpoints import queries
from dynkube.testing.apiserver.endpoints.bodies import read_object
from dynkube.testing.apiserver.endpoints.negotiation import Accepted, negotiate, watch_refusal
from dynkube.testing.apiserver.endpoints.queries import Query
from dynkube.testing.apiserver.endpoints.representation import Shape, encode
from dynkube.testing.apiserver.endpoints.routes import Route
from dynkube.testing.apiserver.messages import Request, Response, UserInfo
from dynkube.testing.apiserver.registry import DeleteOptions, Registry, Scope
from dynkube.testing.apiserver.resources import Object
from dynkube.testing.apiserver.storage import Entry, ListOptions

__all__ = ["Handler"]


class Handler:
    """Answers one request to a resource.

    Args:
        registry: Does what is asked.
        request: What is asked.
        route: Of what.
        user: By whom.
        warnings: Filled: each text becomes a Warning header.
    """

    def __init__(self, registry: Registry, request: Request, route: Route, user: UserInfo, warnings: list[str]) -> None:
        self._registry = registry
        self._request = request
        self._route = route
        self._scope = Scope(
            resource=route.resource,
            namespace=route.namespace,
            name=route.name,
            subresource=route.subresource,
            user=user,
            warnings=warnings,
        )

    def answer(self) -> Response:
        """The answer.

        Raises:
            StatusError: It is refused.
        """
        verb = self._route.verb
        if not self._route.name and verb in ("update", "patch"):
            raise statuses.bad_request("name must be provided")
        answer: Response = getattr(self, f"_{verb}")()
        return answer

    # ------------------------------------------------------------------ reads

    def _get(self) -> Response:
        accepted = self._negotiate()
        query = Query(self._request)
        if query.flag("export"):
            problem = "the export parameter, deprecated since v1.14, is no longer supported"
            raise statuses.bad_request(problem)
        entry = self._registry.get(self._scope, query.text("resourceVersion"))
        return self._entry(200, entry, accepted)

    def _list(self) -> Response:
        accepted = self._negotiate()
        options = queries.list_options(self._request, self._route.resource, name=self._route.name)
        if options.watch:
            return self._watched(accepted, options)
        page = self._registry.list(self._scope, options)
        content_type, body = self._shape(accepted).page(page)
        return _response(200, content_type, body)

    def _watch(self) -> Response:
        accepted = self._negotiate()
        options = queries.list_options(self._request, self._route.resource, name=self._route.name)
        return self._watched(accepted, options)

    def _watched(self, accepted: Accepted, options: ListOptions) -> Response:
        if "watch" not in self._route.resource.verbs:
            raise statuses.method_not_supported(self._scope.about, "watch")
        shape = self._shape(accepted)
        watch = self._registry.watch(self._scope, options, shape.rendering())
        if not accepted.is_stream:
            raise watch_refusal()
        return Response(status=200, headers=[("Content-Type", "application/json")], body=watch.__aiter__())

    # ------------------------------------------------------------------ writes

    def _create(self) -> Response:
        accepted = self._negotiate()
        options = queries.write_options(self._request, "CreateOptions")
        obj = read_object(self._request, self._scope, options)
        return self._entry(201, self._registry.create(self._scope, obj, options), accepted)

    def _update(self) -> Response:
        accepted = self._negotiate()
        options = queries.write_options(self._request, "UpdateOptions")
        obj = read_object(self._request, self._scope, options)
        self._check_name(obj)
        outcome = self._registry.replace(self._scope, obj, options)
        return self._entry(201 if outcome.is_created else 200, outcome.entry, accepted)

    def _check_name(self, obj: Object) -> None:
        """The object is the one that the path names (checkName)."""
        name = obj["metadata"].get("name", "")
        if not name:
            raise statuses.bad_request(
                f"the name of the object ({self._route.name} based on URL) was undeterminable: name must be provided"
            )
        if name != self._route.name:
            raise statuses.bad_request(
                f"the name of the object ({name}) does not match the name on the URL ({self._route.name})"
            )

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

    def _deletecollection(self) -> Response:
        accepted = self._negotiate()
        listed = queries.list_options(self._request, self._route.resource)
        page = self._registry.delete_collection(self._scope, listed, self._delete_options())
        return _response(200, *self._shape(accepted).page(page))

    def _delete_options(self) -> DeleteOptions:
        if self._request.body:
            raise statuses.bad_request("no bodies yet")
        return queries.delete_options(self._request)

    # ------------------------------------------------------------------ answers

    def _negotiate(self) -> Accepted:
        return negotiate(self._request, is_custom=self._route.resource.is_custom)

    def _shape(self, accepted: Accepted) -> Shape:
        include = "Metadata"
        if accepted.kind == "Table":
            include = printing.check_include(Query(self._request).text("includeObject"))
        return Shape(self._route.resource, accepted, self._registry.clock, include)

    def _entry(self, code: int, entry: Entry, accepted: Accepted) -> Response:
        return _response(code, *self._shape(accepted).entry(entry))


def _response(code: int, content_type: str, body: bytes) -> Response:
    return Response(status=code, headers=[("Content-Type", content_type)], body=body)
