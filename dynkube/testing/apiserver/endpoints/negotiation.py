"""How an answer shall look: the Accept header, as apiserver and go-restful read it.

AS/endpoints/handlers/negotiation, goautoneg, go-restful's route selection.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from dynkube.schema import GroupVersion
from dynkube.testing.apiserver.words.messages import Request
from dynkube.testing.apiserver.words.statuses import StatusError, not_acceptable, status

__all__ = [
    "JSON",
    "META_VERSIONS",
    "Accepted",
    "accept_discovery",
    "accepts_route",
    "negotiate",
    "negotiate_error",
    "wants_pretty",
    "watch_refusal",
]

JSON, YAML, PROTOBUF = "application/json", "application/yaml", "application/vnd.kubernetes.protobuf"
META_VERSIONS = (GroupVersion("meta.k8s.io", "v1"), GroupVersion("meta.k8s.io", "v1beta1"))
_BUILT_IN, _CUSTOM = (JSON, YAML, PROTOBUF), (JSON, YAML)
_STREAMS = (f"{JSON};stream=watch", f"{PROTOBUF};stream=watch")
_KINDS = ("Table", "PartialObjectMetadata", "PartialObjectMetadataList")
_BROWSERS = ("curl", "Wget", "Mozilla/5.0")


@dataclass(frozen=True, slots=True)
class Accepted:
    """What was agreed on.

    Attributes:
        media_type: ``application/json`` or ``application/yaml``.
        kind: ``Table``, ``PartialObjectMetadata``, ``PartialObjectMetadataList``, or "" for the object itself.
        group_version: Of that kind.
        pretty: Whether JSON is indented.
    """

    media_type: str = JSON
    kind: str = ""
    group_version: GroupVersion = META_VERSIONS[0]
    pretty: bool = False
    is_stream: bool = field(default=True)
    """Whether a watch can be told in it."""


@dataclass(frozen=True, slots=True)
class _Clause:
    type: str
    subtype: str
    quality: float
    parameters: Mapping[str, str]


def negotiate(request: Request, *, is_custom: bool, has_table: bool = True) -> Accepted:
    """What a request to a resource is answered in.

    Protobuf that is asked for along with something else is passed over: every client that asks for it
    takes JSON, too.

    Raises:
        StatusError: 406.
    """
    accept = request.headers.get("accept") or ""
    found = _negotiated(accept, _CUSTOM if is_custom else _BUILT_IN, has_table, True)
    if found is None:
        raise not_acceptable(f"only the following media types are accepted: {', '.join(_BUILT_IN)}")
    return replace(found, pretty=True) if not found.pretty and wants_pretty(request) else found


def negotiate_error(request: Request) -> Accepted | None:
    """What a refusal is answered in; None where nothing will do: then it is indented JSON."""
    found = _negotiated(request.headers.get("accept") or "", _BUILT_IN, False, False)
    return replace(found, pretty=True) if found is not None and wants_pretty(request) else found


def accept_discovery(accept: str) -> str | None:
    """The media type of aggregated discovery, for who takes it, even if other documents are named before it."""
    for clause in _clauses(accept):
        wanted = tuple(clause.parameters.get(each, "") for each in ("g", "v", "as"))
        for media_type in _CUSTOM:
            if _matches(clause, media_type) and wanted == ("apidiscovery.k8s.io", "v2", "APIGroupDiscoveryList"):
                return media_type
    return None


def accepts_route(accept: str, *, is_list: bool, produced: Sequence[str] = ()) -> StatusError | None:
    """The refusal of go-restful, which looks first, and knows no ``application/*``; None where it lets pass.

    ``produced`` is what a path that is no resource has.
    """
    produced = produced or ((*_BUILT_IN, *_STREAMS) if is_list else _BUILT_IN)
    for clause in (accept or "*/*").split(","):
        media_type = clause.partition(";")[0].strip(" ")
        if media_type == "*/*" or media_type in produced:
            return None
    message = f"406: Not Acceptable\n\nAvailable representations: {', '.join(produced)}"
    return StatusError(status(406, "NotAcceptable", message, {}))


def watch_refusal() -> StatusError:
    """406 for a watch that cannot be told in what was asked for."""
    return not_acceptable(f"only the following media types are accepted: {', '.join(_STREAMS)}")


def wants_pretty(request: Request) -> bool:
    """Whether somebody looks at it (isPrettyPrint)."""
    asked = request.parameter("pretty")
    if asked:
        return asked in ("1", "t", "T", "true", "TRUE", "True")
    return (request.headers.get("user-agent") or "").startswith(_BROWSERS)


@lru_cache(256)
def _negotiated(accept: str, media_types: Sequence[str], has_table: bool, converts: bool) -> Accepted | None:
    if not accept:
        return Accepted()
    protobuf = False
    for clause in _clauses(accept):
        for media_type in media_types:
            if not _matches(clause, media_type):
                continue
            found = _options(clause, media_type, has_table=has_table, converts=converts)
            if found is not None and media_type != PROTOBUF:
                return found
            protobuf = protobuf or found is not None
    return Accepted() if protobuf and not converts else None


def _matches(clause: _Clause, media_type: str) -> bool:
    main, _, sub = media_type.partition("/")
    if clause.type == "*":
        return clause.subtype == "*"
    return clause.type == main and clause.subtype in (sub, "*")


def _options(clause: _Clause, media_type: str, *, has_table: bool, converts: bool) -> Accepted | None:
    """AcceptMediaTypeOptions: None where the endpoint does not do what the parameters want."""
    parameters = clause.parameters
    stream, version = parameters.get("stream", ""), parameters.get("sv", "")
    if stream and (media_type == YAML or stream != "watch"):
        return None
    if version and not (converts and version == "v1"):
        return None
    pretty = parameters.get("pretty") == "1"
    plain = Accepted(media_type, pretty=pretty, is_stream=media_type != YAML)
    if not {"as", "g", "v"} & parameters.keys():
        return plain
    kind = parameters.get("as", "")
    group_version = GroupVersion(parameters.get("g", ""), parameters.get("v", ""))
    is_known = converts and group_version in META_VERSIONS and kind in _KINDS
    if not is_known or (kind == "Table" and (not has_table or media_type == PROTOBUF)):
        return None
    return replace(plain, kind=kind, group_version=group_version)


def _clauses(accept: str) -> Sequence[_Clause]:
    """Goautoneg's ParseAccept: by quality; what is exact before what has stars."""
    clauses = [clause for each in accept.split(",") if (clause := _clause(each.strip(" "))) is not None]
    for position in range(1, len(clauses)):  # an insertion sort, as Go's is for so few: the order is no total one
        while position > 0 and _is_less(clauses[position], clauses[position - 1]):
            clauses[position - 1], clauses[position] = clauses[position], clauses[position - 1]
            position -= 1  # noqa: PLW2901 - walks down
    return clauses


def _is_less(one: _Clause, other: _Clause) -> bool:
    if one.quality > other.quality:
        return True
    if one.type != "*" and other.type == "*":
        return True
    return one.subtype != "*" and other.subtype == "*"


def _clause(text: str) -> _Clause | None:
    media_type, *rest = text.split(";")
    main, _, sub = media_type.partition("/")
    main, sub = main.strip(" "), sub.strip(" ")
    if "/" in sub or (not sub and main != "*"):
        return None
    quality = 1.0
    parameters: dict[str, str] = {}
    for each in rest:
        name, _, value = each.partition("=")
        if not value or "=" in value:
            continue
        if name.strip(" ") == "q":
            quality = _quality(value)
        else:
            parameters[name.strip(" ")] = value.strip(" ")
    return _Clause(main, sub or "*", quality, parameters)


def _quality(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
