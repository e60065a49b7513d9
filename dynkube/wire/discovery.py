"""Discovery documents: which to ask for, and what they say.

A server describes itself in two ways. Aggregated: ``/api`` and ``/apis`` hold everything
(KEP-3352, ``apidiscovery.k8s.io``). Legacy: they hold the groups, and each group version has a
document of its own. `discover` asks for the first and copes with the second; both end in the same
`ResourceMap`. What is wrong with one group is kept as data and does not hide the others.

The counterparts in client-go are discovery/discovery_client.go and aggregated_discovery.go.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, urlsplit

from dynkube.codec import decode_object
from dynkube.errors import DecodeError, DiscoveryError, InvalidRequestError, find_status_error
from dynkube.resources import APIGroup, APIResource, ResourceMap
from dynkube.schema import GroupVersion, GroupVersionKind
from dynkube.wire.messages import Request, Response
from dynkube.wire.paths import group_version_path
from dynkube.wire.response import raise_for_status

__all__ = [
    "ACCEPT_DISCOVERY",
    "Answer",
    "Discovering",
    "DocumentFormat",
    "OpenAPIPath",
    "RootDocument",
    "ServerVersion",
    "discover",
    "document_format",
    "document_request",
    "group_version_request",
    "openapi_request",
    "parse_group_version",
    "parse_openapi_root",
    "parse_root",
    "parse_server_version",
]

ACCEPT_DISCOVERY = ",".join(
    (
        "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
        "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList",
        "application/json",
    )
)
"""What is asked of ``/api`` and ``/apis``; servers compare the order of the parameters."""

ROOTS = ("/api", "/apis")
_CORE_V1 = GroupVersion("", "v1")

Answer: TypeAlias = Response | Exception
"""What came of a request."""

Discovering: TypeAlias = Generator[tuple[Request, ...], Sequence[Answer], ResourceMap]
"""Yields requests, all of which may be sent at once; takes their answers in the same order."""


class DocumentFormat(Enum):
    """How a root document describes the server."""

    AGGREGATED_V2 = "v2"
    AGGREGATED_V2BETA1 = "v2beta1"
    LEGACY = "legacy"


@dataclass(frozen=True, slots=True, kw_only=True)
class RootDocument:
    """What ``/api`` or ``/apis`` says.

    Attributes:
        groups: in the server's order, without versions whose discovery is stale.
        resources: by group version; None where the document is a legacy one and does not say.
        failures: the stale group versions.
    """

    groups: tuple[APIGroup, ...] = ()
    resources: Mapping[GroupVersion, tuple[APIResource, ...]] | None = None
    failures: Mapping[GroupVersion, Exception] = field(default_factory=dict)


# --------------------------------------------------------------------------- the conversation


def discover() -> Discovering:
    """Find out what a server serves.

    Run it as a generator: it yields requests, and takes for each the response or the exception
    that came of it. An aggregated server costs two requests, any other one more for each group
    version. What failed for a part only is asked for a second time (CG/discovery, withRetries).

    Returns:
        The map, with what could not be discovered in its ``failures``.

    Raises:
        Exception: what came of ``/apis``, or of ``/api`` other than a 404: without them there is
            nothing to tell.
        DecodeError: one of them is no discovery document.

    Example:
        >>> conversation = discover()
        >>> [request.target for request in next(conversation)]
        ['/api', '/apis']
    """
    found = yield from _discover_roots()
    if found.resources is None:
        return (yield from _discover_versions(found))
    if found.failures:
        again = yield from _discover_roots()
        if again.resources is not None:
            found = again
    return _map_of(found, found.resources or {}, found.failures)


def _discover_roots() -> Generator[tuple[Request, ...], Sequence[Answer], RootDocument]:
    core, others = yield tuple(document_request(path) for path in ROOTS)
    return _merge(_core_root(core), parse_root("/apis", _response(others)))


def _core_root(answer: Answer) -> RootDocument:
    # Aggregated API servers have no core group and answer 404 (CG/discovery: downloadLegacy).
    if _is_not_found(answer):
        return RootDocument(resources={})
    return parse_root("/api", _response(answer))


def _merge(core: RootDocument, others: RootDocument) -> RootDocument:
    # One legacy document and the other's resources are worth nothing: each version is asked.
    resources = None
    if core.resources is not None and others.resources is not None:
        resources = {**core.resources, **others.resources}
    return RootDocument(
        groups=core.groups + others.groups, resources=resources, failures={**core.failures, **others.failures}
    )


def _discover_versions(
    root: RootDocument,
) -> Generator[tuple[Request, ...], Sequence[Answer], ResourceMap]:
    wanted = [version for group in root.groups for version in group.group_versions()]
    resources: dict[GroupVersion, tuple[APIResource, ...]] = {}
    failures: dict[GroupVersion, Exception] = {}
    for _ in range(2):
        if not wanted:
            break
        answers = yield tuple(group_version_request(version) for version in wanted)
        for version, answer in zip(wanted, answers, strict=True):
            failures.pop(version, None)
            try:
                resources[version] = parse_group_version(version, answer)
            except Exception as error:  # noqa: BLE001 - whatever is wrong with a group is that group's
                failures[version] = error
        wanted = list(failures)
    return _map_of(root, resources, {**root.failures, **failures})


def _map_of(
    root: RootDocument,
    resources: Mapping[GroupVersion, tuple[APIResource, ...]],
    failures: Mapping[GroupVersion, Exception],
) -> ResourceMap:
    return ResourceMap(root.groups, resources, failures)


# --------------------------------------------------------------------------- requests


def document_request(path: str, *, etag: str = "", accept: str = ACCEPT_DISCOVERY) -> Request:
    """A request for a document.

    Args:
        path: ``"/api"``, ``"/apis"``, ``"/version"``, ``"/openapi/v3"``.
        etag: of the copy at hand; the server then answers 304 when it still holds.
        accept: the media types asked for.

    Returns:
        The request.
    """
    headers = (("Accept", accept), ("If-None-Match", etag)) if etag else (("Accept", accept),)
    return Request("GET", path, headers=headers, verb="get")


def group_version_request(group_version: GroupVersion, *, etag: str = "") -> Request:
    """A request for the document of one group version.

    Args:
        group_version: which.
        etag: of the copy at hand.

    Returns:
        The request.

    Raises:
        InvalidRequestError: group or version cannot stand in a path.
    """
    return document_request(group_version_path(group_version), etag=etag, accept="application/json")


def document_format(content_type: str) -> DocumentFormat:
    """How the body of a root document is to be read.

    Args:
        content_type: the response's, with its parameters in any order.

    Returns:
        The format; legacy for everything that is not known.

    Example:
        >>> document_format("application/json; as=APIGroupDiscoveryList;v=v2;g=apidiscovery.k8s.io")
        <DocumentFormat.AGGREGATED_V2: 'v2'>
        >>> document_format("application/json")
        <DocumentFormat.LEGACY: 'legacy'>
    """
    media_type, *rest = content_type.split(";")
    parameters = dict(_parameter(each) for each in rest)
    if (
        media_type.strip().lower() != "application/json"
        or parameters.get("g") != "apidiscovery.k8s.io"
        or parameters.get("as") != "APIGroupDiscoveryList"
    ):
        return DocumentFormat.LEGACY
    return _FORMATS.get(parameters.get("v", ""), DocumentFormat.LEGACY)


_FORMATS = {"v2": DocumentFormat.AGGREGATED_V2, "v2beta1": DocumentFormat.AGGREGATED_V2BETA1}


def _parameter(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name.strip().lower(), value.strip().strip('"')


# --------------------------------------------------------------------------- answers


def _response(answer: Answer) -> Response:
    if isinstance(answer, Exception):
        raise answer
    raise_for_status(answer)
    return answer


def _is_not_found(answer: Answer) -> bool:
    if isinstance(answer, Exception):
        status = find_status_error(answer)
        return status is not None and 404 in {status.http_status, status.code}
    return answer.status == 404


def parse_root(path: str, response: Response) -> RootDocument:
    """Read ``/api`` or ``/apis``.

    Args:
        path: which of them.
        response: a successful response.

    Returns:
        What it says.

    Raises:
        DecodeError: it is no discovery document.
    """
    document = _document(path, response)
    if document_format(response.headers.get("Content-Type") or "") is not DocumentFormat.LEGACY:
        return _aggregated(path, document)
    return _legacy_core(document) if path == "/api" else _legacy_groups(document)


def parse_group_version(group_version: GroupVersion, answer: Answer) -> tuple[APIResource, ...]:
    """Read the document of one group version.

    Args:
        group_version: which.
        answer: the response, or what came instead.

    Returns:
        Its resources and subresources in the server's order; none where core ``v1`` is not found.

    Raises:
        Exception: ``answer``, if it is one.
        APIStatusError: the server refused.
        DecodeError: it is no such document.
    """
    if group_version == _CORE_V1 and _is_not_found(answer):
        return ()
    path = group_version_path(group_version)
    document = _document(path, _response(answer))
    _check_kind(path, document, "APIResourceList")
    return tuple(_legacy_resources(group_version, document))


# --------------------------------------------------------------------------- aggregated documents


def _aggregated(path: str, document: Mapping[str, Any]) -> RootDocument:
    _check_kind(path, document, "APIGroupDiscoveryList")
    groups: list[APIGroup] = []
    resources: dict[GroupVersion, tuple[APIResource, ...]] = {}
    failures: dict[GroupVersion, Exception] = {}
    for item in _objects(document.get("items")):
        group = _text(_object(item.get("metadata")).get("name"))
        versions = []
        for each in _objects(item.get("versions")):
            version = GroupVersion(group, _text(each.get("version")))
            if not version.version:
                continue
            if each.get("freshness") == "Stale":
                failures[version] = DiscoveryError(f"stale GroupVersion discovery: {version}")
                continue
            versions.append(version.version)
            resources[version] = tuple(_aggregated_resources(version, each))
        groups.append(APIGroup(group, tuple(versions)))
    return RootDocument(groups=tuple(groups), resources=resources, failures=failures)


def _aggregated_resources(version: GroupVersion, document: Mapping[str, Any]) -> Iterator[APIResource]:
    for item in _objects(document.get("resources")):
        name = _text(item.get("resource"))
        if not name:
            continue
        shared: dict[str, Any] = {
            "group_version": version,
            "namespaced": item.get("scope") == "Namespaced",
            "singular_name": _text(item.get("singularResource")),
        }
        kind = _response_kind(version, item)
        if kind is not None:
            yield APIResource(
                name=name,
                gvk=kind,
                verbs=_texts(item.get("verbs")),
                short_names=_texts(item.get("shortNames")),
                categories=_texts(item.get("categories")),
                **shared,
            )
        for part in _objects(item.get("subresources")):
            # Without a kind of its own the resource is unknown, but not what hangs below it.
            kind = _response_kind(version, part)
            if kind is not None and part.get("subresource"):
                yield APIResource(
                    name=f"{name}/{_text(part['subresource'])}", gvk=kind, verbs=_texts(part.get("verbs")), **shared
                )


def _response_kind(version: GroupVersion, item: Mapping[str, Any]) -> GroupVersionKind | None:
    found = _object(item.get("responseKind"))
    kind = _text(found.get("kind"))
    if not kind:
        return None
    group, of_version = _text(found.get("group")), _text(found.get("version"))
    if not group and not of_version:
        return version.with_kind(kind)
    return GroupVersionKind(group, of_version or version.version, kind)


# --------------------------------------------------------------------------- legacy documents


def _legacy_core(document: Mapping[str, Any]) -> RootDocument:
    _check_kind("/api", document, "APIVersions")
    versions = _texts(document.get("versions"))
    return RootDocument(groups=(APIGroup("", versions),) if versions else ())


def _legacy_groups(document: Mapping[str, Any]) -> RootDocument:
    _check_kind("/apis", document, "APIGroupList")
    groups = []
    for item in _objects(document.get("groups")):
        versions = tuple(filter(None, (_text(each.get("version")) for each in _objects(item.get("versions")))))
        preferred = _text(_object(item.get("preferredVersion")).get("version"))
        groups.append(APIGroup(_text(item.get("name")), versions, preferred))
    return RootDocument(groups=tuple(groups))


def _legacy_resources(version: GroupVersion, document: Mapping[str, Any]) -> Iterator[APIResource]:
    for item in _objects(document.get("resources")):
        name, kind = _text(item.get("name")), _text(item.get("kind"))
        if not name or not kind:
            continue
        yield APIResource(
            name=name,
            group_version=version,
            # Each of the two is left out where it is that of the list (AM/apis/meta/v1/types.go).
            gvk=GroupVersionKind(
                _text(item.get("group")) or version.group, _text(item.get("version")) or version.version, kind
            ),
            namespaced=item.get("namespaced") is True,
            singular_name=_text(item.get("singularName")),
            verbs=_texts(item.get("verbs")),
            short_names=_texts(item.get("shortNames")),
            categories=_texts(item.get("categories")),
            storage_version_hash=_text(item.get("storageVersionHash")),
        )


# --------------------------------------------------------------------------- version and OpenAPI


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerVersion:
    """What ``/version`` says.

    Attributes:
        major: ``"1"``.
        minor: ``"36"``, on some servers ``"36+"``.
        git_version: ``"v1.36.0"``.
        git_commit: the commit that the server was built from.
        git_tree_state: ``"clean"`` or ``"dirty"``.
        build_date: when it was built.
        go_version: what it was built with.
        compiler: likewise.
        platform: ``"linux/amd64"``.
        emulation_major: the version that the server behaves like, ``""`` where it does not say.
        emulation_minor: likewise.
        min_compatibility_major: the oldest version that it keeps to, ``""`` likewise.
        min_compatibility_minor: likewise.

    Example:
        >>> ServerVersion(major="1", minor="36+", git_version="v1.36.0-gke.1").numbers
        (1, 36)
    """

    major: str = ""
    minor: str = ""
    git_version: str = ""
    git_commit: str = ""
    git_tree_state: str = ""
    build_date: str = ""
    go_version: str = ""
    compiler: str = ""
    platform: str = ""
    emulation_major: str = ""
    emulation_minor: str = ""
    min_compatibility_major: str = ""
    min_compatibility_minor: str = ""

    @property
    def numbers(self) -> tuple[int, int]:
        """Major and minor to compare with; 0 for what is no number."""
        return _leading_number(self.major), _leading_number(self.minor)

    def __str__(self) -> str:
        return self.git_version or f"{self.major}.{self.minor}"


_VERSION_FIELDS = {
    "major": "major",
    "minor": "minor",
    "gitVersion": "git_version",
    "gitCommit": "git_commit",
    "gitTreeState": "git_tree_state",
    "buildDate": "build_date",
    "goVersion": "go_version",
    "compiler": "compiler",
    "platform": "platform",
    "emulationMajor": "emulation_major",
    "emulationMinor": "emulation_minor",
    "minCompatibilityMajor": "min_compatibility_major",
    "minCompatibilityMinor": "min_compatibility_minor",
}


def parse_server_version(response: Response) -> ServerVersion:
    """Read ``/version``.

    Args:
        response: a successful response.

    Returns:
        The version.

    Raises:
        DecodeError: it is no version document.
    """
    document = _document("/version", response)
    if not document.get("gitVersion") and not document.get("major"):
        raise DecodeError("/version: no version in it; is this an API server?")
    return ServerVersion(**{name: _text(document.get(key)) for key, name in _VERSION_FIELDS.items()})


@dataclass(frozen=True, slots=True)
class OpenAPIPath:
    """Where the OpenAPI v3 document of one path is.

    Attributes:
        name: the path: ``"apis/apps/v1"``, ``"api/v1"``.
        url: relative to the server.
        hash: of the document: with it in the URL the answer never changes. ``""`` where the
            server gives none.
    """

    name: str
    url: str
    hash: str = ""

    @property
    def group_version(self) -> GroupVersion | None:
        """The group version that it describes; None for others, such as ``"version"``."""
        found = _OPENAPI_NAME.fullmatch(self.name)
        return GroupVersion(found["group"] or "", found["version"] or found["core"]) if found else None


_OPENAPI_NAME = re.compile(r"api/(?P<core>[^/]+)|apis/(?P<group>[^/]+)/(?P<version>[^/]+)")


def parse_openapi_root(response: Response) -> dict[str, OpenAPIPath]:
    """Read ``/openapi/v3``.

    Args:
        response: a successful response.

    Returns:
        By path name, where its document is; core first, then by name.

    Raises:
        DecodeError: it is no such document.
    """
    document = _document("/openapi/v3", response)
    paths = document.get("paths")
    if not isinstance(paths, dict):
        raise DecodeError("/openapi/v3: no 'paths' in it; is this an API server?")
    found = []
    for name, location in paths.items():
        url = _text(_object(location).get("serverRelativeURL"))
        if url:
            hashes = [value for key, value in parse_qsl(urlsplit(url).query) if key == "hash"]
            found.append(OpenAPIPath(name, url, hashes[0] if hashes else ""))
    return {each.name: each for each in sorted(found, key=lambda each: (not each.name.startswith("api/"), each.name))}


def openapi_request(location: OpenAPIPath, *, path_prefix: str = "", etag: str = "") -> Request:
    """A request for one OpenAPI v3 document.

    Args:
        location: out of the root document.
        path_prefix: of the configured host (``/k8s/clusters/c-1``): the server may or may not have
            it in its URL, and the transport adds it once.
        etag: of the copy at hand.

    Returns:
        The request.

    Raises:
        InvalidRequestError: the server's URL leads elsewhere.
    """
    parts = urlsplit(location.url)
    if parts.scheme or parts.netloc or not parts.path.startswith("/"):
        raise InvalidRequestError(f"the server's URL of the OpenAPI document {location.name!r} leads elsewhere")
    prefix = path_prefix.rstrip("/")
    path = parts.path.removeprefix(prefix) if parts.path.startswith(f"{prefix}/") else parts.path
    headers = (("Accept", "application/json"),) + ((("If-None-Match", etag),) if etag else ())
    query = tuple(parse_qsl(parts.query, keep_blank_values=True))
    return Request("GET", path, query=query, headers=headers, verb="get")


# --------------------------------------------------------------------------- tolerant reading


def _document(path: str, response: Response) -> dict[str, Any]:
    try:
        return decode_object(response.body, what="it")
    except DecodeError as error:
        raise DecodeError(f"{path} is answered with what is no document of an API server: {error}") from error


def _check_kind(path: str, document: Mapping[str, Any], kind: str) -> None:
    if document.get("kind") != kind:
        raise DecodeError(f"{path}: want a discovery document of kind {kind}, got kind {document.get('kind')!r}")


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _objects(value: object) -> Iterable[Mapping[str, Any]]:
    return (each for each in value if isinstance(each, dict)) if isinstance(value, list) else ()


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: object) -> tuple[str, ...]:
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list) else ()


def _leading_number(text: str) -> int:
    found = re.match(r"[0-9]+", text)
    return int(found[0]) if found else 0
