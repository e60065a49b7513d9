"""Requests as values: one function per verb, and a fluent builder for everything else.

The functions are what the dynamic client calls for each request, so they do no more than build a
`Request`. `RequestBuilder` is client-go's rest.Request: each call returns a new builder, and
`RequestBuilder.build` raises what was wrong.
"""

from __future__ import annotations

import math
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Self
from urllib.parse import parse_qsl

from dynkube.codec import encode
from dynkube.errors import InvalidRequestError
from dynkube.options import (
    ApplyOptions,
    CreateOptions,
    DeleteOptions,
    GetOptions,
    ListOptions,
    PatchOptions,
    UpdateOptions,
)
from dynkube.patches import PatchType, patch_body, patch_type_of
from dynkube.schema import GroupVersion, GroupVersionResource
from dynkube.wire.messages import Request
from dynkube.wire.paths import escape_segment, group_version_path, resource_path, validate_segment

__all__ = [
    "ACCEPT_ANY",
    "ACCEPT_JSON",
    "ACCEPT_METADATA",
    "ACCEPT_METADATA_LIST",
    "ACCEPT_TABLE",
    "RequestBuilder",
    "apply_request",
    "create_request",
    "delete_collection_request",
    "delete_request",
    "get_request",
    "go_duration",
    "list_request",
    "patch_request",
    "update_request",
    "watch_request",
]

ACCEPT_JSON = "application/json"
ACCEPT_ANY = "application/json, */*"
ACCEPT_METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1, application/json"
ACCEPT_METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1, application/json"
ACCEPT_TABLE = "application/json;as=Table;g=meta.k8s.io;v=v1, application/json"

_ACCEPTS = {
    accept: (("Accept", accept),) for accept in (ACCEPT_JSON, ACCEPT_METADATA, ACCEPT_METADATA_LIST, ACCEPT_TABLE)
}
_METHOD = re.compile(r"[A-Z]+")
_ESCAPED_PATH = re.compile(r"/[!$&-;=@-Z_a-z~%]*")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 5.6.2
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_JSON_BODY = ("Content-Type", "application/json")


def get_request(
    gvr: GroupVersionResource,
    name: str,
    *,
    namespace: str = "",
    subresource: str = "",
    options: GetOptions | None = None,
    accept: str = ACCEPT_JSON,
) -> Request:
    """Read one object.

    >>> get_request(GroupVersionResource("", "v1", "pods"), "a", namespace="b").target
    '/api/v1/namespaces/b/pods/a'
    """
    return Request(
        "GET",
        resource_path(gvr, namespace=namespace, name=_required(name), subresource=subresource),
        options.to_query() if options is not None else (),
        _accept(accept),
        None,
        "get",
        gvr.group_resource,
        name,
        namespace,
    )


def list_request(
    gvr: GroupVersionResource, *, namespace: str = "", options: ListOptions | None = None, accept: str = ACCEPT_JSON
) -> Request:
    """List a collection.

    Raises:
        InvalidRequestError: options that exclude each other.
    """
    query = _list_query(options, "list")
    path = resource_path(gvr, namespace=namespace)
    return Request("GET", path, query, _accept(_list_accept(accept)), None, "list", gvr.group_resource, "", namespace)


def watch_request(
    gvr: GroupVersionResource, *, namespace: str = "", options: ListOptions | None = None, accept: str = ACCEPT_JSON
) -> Request:
    """Watch a collection: ``watch=true`` whatever the options say.

    Raises:
        InvalidRequestError: options that exclude each other.
    """
    options = options if options is not None else ListOptions()
    options.validate("watch")
    path = resource_path(gvr, namespace=namespace)
    query = options.to_query(watch=True)
    return Request("GET", path, query, _accept(accept), None, "watch", gvr.group_resource, "", namespace)


def create_request(
    gvr: GroupVersionResource,
    obj: Mapping[str, Any],
    *,
    namespace: str = "",
    name: str = "",
    subresource: str = "",
    options: CreateOptions | None = None,
    accept: str = ACCEPT_JSON,
) -> Request:
    """Create an object, or post to the subresource of one, which needs its name."""
    path = resource_path(gvr, namespace=namespace, name=_required(name) if subresource else "", subresource=subresource)
    return _write("POST", "create", path, gvr, obj, options, accept, name, namespace)


def update_request(
    gvr: GroupVersionResource,
    obj: Mapping[str, Any],
    *,
    namespace: str = "",
    name: str = "",
    subresource: str = "",
    options: UpdateOptions | None = None,
    accept: str = ACCEPT_JSON,
) -> Request:
    """Replace an object, which says its own name unless it is given.

    Raises:
        InvalidRequestError: there is no name, neither given nor in ``metadata.name``.
    """
    name = name or _name_in(obj)
    path = resource_path(gvr, namespace=namespace, name=name, subresource=subresource)
    return _write("PUT", "update", path, gvr, obj, options, accept, name, namespace)


def patch_request(
    gvr: GroupVersionResource,
    name: str,
    body: Any,
    *,
    type: PatchType | None = None,  # noqa: A002 - the word of the API
    namespace: str = "",
    subresource: str = "",
    options: PatchOptions | None = None,
    accept: str = ACCEPT_JSON,
) -> Request:
    """Patch an object; the type follows from the body unless it is given."""
    patch_type = patch_type_of(body, type)
    if options is not None and options.force is not None and patch_type is not PatchType.APPLY:
        raise InvalidRequestError("force is for an apply patch only (type=PatchType.APPLY)")
    return Request(
        "PATCH",
        resource_path(gvr, namespace=namespace, name=_required(name), subresource=subresource),
        options.to_query() if options is not None else (),
        (*_accept(accept), ("Content-Type", patch_type.value)),
        encode(patch_body(body, patch_type)) + b"\n",
        "patch",
        gvr.group_resource,
        name,
        namespace,
    )


def apply_request(
    gvr: GroupVersionResource,
    name: str,
    obj: Mapping[str, Any],
    *,
    options: ApplyOptions,
    namespace: str = "",
    subresource: str = "",
    accept: str = ACCEPT_JSON,
) -> Request:
    """Apply an object (CG/dynamic/simple.go, Apply).

    Raises:
        InvalidRequestError: no name, no field manager, or the object brings ``managedFields``.
    """
    metadata = obj.get("metadata")
    if isinstance(metadata, Mapping) and metadata.get("managedFields"):
        raise InvalidRequestError(
            f'obj.metadata.managedFields: cannot apply an object with managed fields already set: "{name}"; '
            "apply only the fields to own, not what a get returned"
        )
    return Request(
        "PATCH",
        resource_path(gvr, namespace=namespace, name=_required(name), subresource=subresource),
        options.to_query(),
        (*_accept(accept), ("Content-Type", PatchType.APPLY.value)),
        encode(obj, argument="obj") + b"\n",
        "apply",
        gvr.group_resource,
        name,
        namespace,
    )


def delete_request(
    gvr: GroupVersionResource,
    name: str,
    *,
    namespace: str = "",
    subresource: str = "",
    options: DeleteOptions | None = None,
    accept: str = ACCEPT_JSON,
) -> Request:
    """Delete an object; the options are its body, the query stays empty (2.5.4)."""
    path = resource_path(gvr, namespace=namespace, name=_required(name), subresource=subresource)
    return _delete("delete", path, gvr, (), options, accept, name, namespace)


def delete_collection_request(
    gvr: GroupVersionResource,
    *,
    namespace: str = "",
    list_options: ListOptions | None = None,
    options: DeleteOptions | None = None,
    accept: str = ACCEPT_JSON,
) -> Request:
    """Delete a collection: list options in the query, delete options in the body."""
    query = _list_query(list_options, "deletecollection")
    path = resource_path(gvr, namespace=namespace)
    return _delete("deletecollection", path, gvr, query, options, accept, "", namespace)


def go_duration(seconds: float) -> str:
    """Seconds as Go writes a duration; the API server takes no other form (2.4.11).

    >>> go_duration(90), go_duration(30), go_duration(0.5), go_duration(3600)
    ('1m30s', '30s', '500ms', '1h0m0s')
    """
    from dynkube.quantities import format_duration  # most requests carry no duration

    milliseconds = max(round(seconds * 1000), 1 if seconds > 0 else 0)
    return format_duration(timedelta(milliseconds=milliseconds))


def _accept(accept: str) -> tuple[tuple[str, str], ...]:
    return _ACCEPTS.get(accept) or (("Accept", accept),)


def _list_accept(accept: str) -> str:
    # A list of metadata is a kind of its own; in a watch each object comes as one.
    return ACCEPT_METADATA_LIST if accept == ACCEPT_METADATA else accept


def _list_query(options: ListOptions | None, verb: str) -> tuple[tuple[str, str], ...]:
    if options is None:
        return ()
    options.validate(verb)
    return options.to_query()


def _write(
    method: str,
    verb: str,
    path: str,
    gvr: GroupVersionResource,
    obj: Mapping[str, Any],
    options: CreateOptions | UpdateOptions | None,
    accept: str,
    name: str,
    namespace: str,
) -> Request:
    return Request(
        method,
        path,
        options.to_query() if options is not None else (),
        (*_accept(accept), _JSON_BODY),
        encode(obj, argument="obj") + b"\n",
        verb,
        gvr.group_resource,
        name,
        namespace,
    )


def _delete(
    verb: str,
    path: str,
    gvr: GroupVersionResource,
    query: tuple[tuple[str, str], ...],
    options: DeleteOptions | None,
    accept: str,
    name: str,
    namespace: str,
) -> Request:
    body = encode((options if options is not None else DeleteOptions()).to_body()) + b"\n"
    headers = (*_accept(accept), _JSON_BODY)
    return Request("DELETE", path, query, headers, body, verb, gvr.group_resource, name, namespace)


def _required(name: str) -> str:
    if not name:
        raise InvalidRequestError("name is required")
    return name


def _name_in(obj: Mapping[str, Any]) -> str:
    metadata = obj.get("metadata")
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    if not name or not isinstance(name, str):
        raise InvalidRequestError("name is required: obj.metadata.name is missing or empty")
    return name


# --------------------------------------------------------------------------- the builder


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestBuilder:
    """A request in the making; immutable, so a half-built one can be shared.

    The methods set its fields; `build` makes the request.

    Args:
        verb: the HTTP method.

    Example:
        >>> builder = RequestBuilder(verb="GET").group_version(GroupVersion("apps", "v1"))
        >>> builder.namespace("shop").resource("deployments").name("api").sub_resource("scale").build().target
        '/apis/apps/v1/namespaces/shop/deployments/api/scale'
    """

    verb: str
    _group_version: GroupVersion | None = None
    _namespace: str | None = None
    _resource: str = ""
    _name: str | None = None
    _sub_resource: tuple[str, ...] = ()
    _path: str = ""
    _uri: str = ""
    _params: tuple[tuple[str, str], ...] = ()
    _headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    _body: Any = field(default=None, repr=False)
    _content_type: str = "application/json"
    _timeout: float | None = None

    def group_version(self, group_version: GroupVersion) -> Self:
        """The API group and version."""
        self._once(self._group_version, "group version", str(group_version))
        return replace(self, _group_version=group_version)

    def namespace(self, namespace: str) -> Self:
        """The namespace; ``""`` for all, or for a cluster-scoped resource."""
        self._once(self._namespace, "namespace", namespace)
        if namespace:
            validate_segment(namespace, "namespace")
        return replace(self, _namespace=namespace)

    def resource(self, resource: str) -> Self:
        """The plural resource name."""
        self._once(self._resource, "resource", resource)
        return replace(self, _resource=validate_segment(resource, "resource"))

    def name(self, name: str) -> Self:
        """The object's name.

        Raises:
            InvalidRequestError: it is empty, or set already.
        """
        if not name:
            raise InvalidRequestError("resource name may not be empty")
        self._once(self._name, "resource name", name)
        return replace(self, _name=validate_segment(name, "name"))

    def sub_resource(self, *segments: str) -> Self:
        """The subresource, one or several segments."""
        self._once(self._sub_resource, "subresource", "/".join(segments))
        return replace(self, _sub_resource=tuple(validate_segment(each, "subresource") for each in segments))

    def abs_path(self, *segments: str) -> Self:
        """A path of the server instead of that of a group and version.

        The segments are joined and cleaned as paths; a single one that ends in ``/`` keeps it.
        """
        path = "/" + posixpath.normpath("/" + "/".join(segments)).lstrip("/")
        if len(segments) == 1 and segments[0].endswith("/") and path != "/":
            path += "/"
        return replace(self, _path="/".join(escape_segment(each) for each in path.split("/")))

    def request_uri(self, uri: str) -> Self:
        """A path with its query, as the server gave it; replaces path and parameters.

        Raises:
            InvalidRequestError: it is no path, or not escaped.
        """
        path, _, query = uri.partition("?")
        if not _ESCAPED_PATH.fullmatch(path) or "#" in query:
            raise InvalidRequestError(f"request_uri must be an escaped path of the server, not {uri!r}")
        return replace(self, _uri=path, _params=tuple(parse_qsl(query, keep_blank_values=True)))

    def param(self, name: str, value: object) -> Self:
        """Add a query parameter; the same name again adds another value."""
        text = ("true" if value else "false") if isinstance(value, bool) else str(value)
        return replace(self, _params=(*self._params, (name, text)))

    def header(self, name: str, value: str) -> Self:
        """Add a header line; the same name again adds another line."""
        if not _TOKEN.fullmatch(name):
            raise InvalidRequestError(f"header: {name!r} is no name of a header")
        if not _HEADER_VALUE.fullmatch(value):
            raise InvalidRequestError(
                f"header {name}: the value may hold neither control characters nor what is no Latin-1"
            )
        return replace(self, _headers=(*self._headers, (name, value)))

    def body(self, body: object, *, content_type: str = "application/json") -> Self:
        """The body: bytes, and iterators of bytes, as they are; anything else as JSON.

        What an iterator gives can be sent once only, so such a request is never repeated.
        """
        return replace(self, _body=body, _content_type=content_type)

    def timeout(self, seconds: float) -> Self:
        """Seconds for the call; also asked of the server, as ``timeout=`` in the query."""
        if isinstance(seconds, bool | str) or not 0 < seconds < math.inf:
            raise InvalidRequestError(f"timeout must be a number of seconds above 0, not {seconds!r}")
        return replace(self, _timeout=seconds)

    def build(self) -> Request:
        """The request.

        Raises:
            InvalidRequestError: what was set contradicts itself, or the verb needs more.
        """
        if not _METHOD.fullmatch(self.verb):
            raise InvalidRequestError(f"verb must be an HTTP method such as 'GET', not {self.verb!r}")
        params = self._params
        if self._timeout is not None:
            params = (*params, ("timeout", go_duration(self._timeout)))
        headers = self._headers
        body = self._encoded_body()
        if not any(name.lower() == "accept" for name, _ in headers):
            headers = (("Accept", ACCEPT_ANY), *headers)
        if body is not None and not any(name.lower() == "content-type" for name, _ in headers):
            headers = (*headers, ("Content-Type", self._content_type))
        gvr = self._gvr()
        return Request(
            self.verb,
            self._uri or self._target_path(gvr),
            tuple(sorted(params, key=lambda pair: pair[0])),
            headers,
            body,
            self.verb.lower(),
            gvr.group_resource if gvr.resource else None,
            self._name or "",
            self._namespace or "",
        )

    def _gvr(self) -> GroupVersionResource:
        version = self._group_version or GroupVersion("", "v1")
        return version.with_resource(self._resource)

    def _target_path(self, gvr: GroupVersionResource) -> str:
        base = self._path
        if not base and (self._group_version is not None or self._resource):
            base = group_version_path(GroupVersion(gvr.group, gvr.version))
        if not self._resource:
            if self._name or self._namespace:
                raise InvalidRequestError("resource is required with a name or namespace: call resource() as well")
            return base or "/"
        self._preflight()
        # The prefix of a path may be the caller's; what comes after it never leads elsewhere.
        own = group_version_path(GroupVersion(gvr.group, gvr.version))
        path = resource_path(
            gvr, namespace=self._namespace or "", name=self._name or "", subresource="/".join(self._sub_resource)
        )
        return base.rstrip("/") + path.removeprefix(own)

    def _preflight(self) -> None:
        # CG/rest/request.go, requestPreflightCheck: only where a namespace was set, and set to nothing.
        if self._namespace != "":
            return
        if self.verb == "POST":
            raise InvalidRequestError("an empty namespace may not be set during creation")
        if self._name and self.verb in {"GET", "PUT", "DELETE"}:
            raise InvalidRequestError("an empty namespace may not be set when a resource name is provided")

    def _encoded_body(self) -> bytes | Iterable[bytes] | None:
        body = self._body
        if body is None or isinstance(body, bytes):
            return body
        if isinstance(body, bytearray | memoryview):
            return bytes(body)
        if isinstance(body, Iterator) or hasattr(body, "read"):
            return body  # type: ignore[no-any-return]
        return encode(body) + b"\n"

    @staticmethod
    def _once(value: object, what: str, new: str) -> None:
        if value:
            raise InvalidRequestError(f"{what} already set to {str(value)!r}, cannot change to {new!r}")
