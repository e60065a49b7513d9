"""Bodies become objects of the kind that an endpoint takes, or sentences about why not.

AS/endpoints/handlers/{create,update,delete,rest}.go, AM/runtime/serializer/{json,versioning}.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from dynkube.schema import GroupVersion, GroupVersionKind
from dynkube.testing.apiserver.decoding.body import Decoded, MalformedBody, read_body
from dynkube.testing.apiserver.decoding.gotypes import GoTypes, gotypes
from dynkube.testing.apiserver.decoding.jsontext import NumberLiteral, RepeatedKeys
from dynkube.testing.apiserver.decoding.mediatypes import PROTOBUF, body_media_type
from dynkube.testing.apiserver.decoding.problems import IGNORE, STRICT, WARN, DecodingError, strict_text, warnings_of
from dynkube.testing.apiserver.fielderrors import quoted
from dynkube.testing.apiserver.resources import Object
from dynkube.testing.apiserver.statuses import bad_request, unsupported_media_type

__all__ = ["Normalize", "Target", "decode_delete_options", "decode_object"]

Normalize = Callable[[Object, GroupVersion], list[str]]
"""`Strategy.normalize` of a custom resource."""

_SCHEME: Final = '"pkg/runtime/scheme.go:111"'
_SHOWN_BYTES: Final = 30
_VERSION_AND_KIND: Final = 'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'
# Groups with a scheme of their own: the server's other kinds are unknown to it, and these to the others.
_OWN_SCHEMES: Final = frozenset({"apiextensions.k8s.io", "apiregistration.k8s.io"})
_META_KINDS: Final = frozenset(
    {"CreateOptions", "GetOptions", "ListOptions", "PatchOptions", "Status", "UpdateOptions"}
    | {"APIGroup", "APIGroupList", "APIResourceList", "APIVersions"}
)
_DELETE_OPTIONS: Final = "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions"


@dataclass(frozen=True, slots=True)
class Target:
    """What an endpoint takes.

    Attributes:
        kind: The kind, in the version of the request.
        normalize: Of a custom resource; None for a built-in kind, which its Go type normalizes.
        accepts: More versions that the endpoint takes, as evictions do.
    """

    kind: GroupVersionKind
    normalize: Normalize | None = None
    accepts: Collection[GroupVersion] = ()


@dataclass(frozen=True, slots=True)
class _Interpreted:
    """A body and what it says to be."""

    body: Decoded
    kind: GroupVersionKind


def decode_object(data: bytes, content_type: str | None, target: Target, directive: str) -> tuple[Object, list[str]]:
    """The object of a create or an update, normalized, not yet defaulted.

    Args:
        data: The body.
        content_type: The header.
        target: What is wanted.
        directive: Of field validation: `problems.STRICT`, `problems.WARN` (also for ""), `problems.IGNORE`.

    Returns:
        The object with its apiVersion and kind, which a custom resource's strategy judges, and Warning texts.

    Raises:
        StatusError: 415, or 400 that says why it is no such object.
    """
    media_type = body_media_type(content_type)
    if target.normalize is not None:
        return _custom(data, media_type, target, target.normalize, directive)
    try:
        return _built_in(data, media_type, target, directive, exact_numbers=False)
    except _WantsNumbers:
        return _built_in(data, media_type, target, directive, exact_numbers=True)


# --------------------------------------------------------------------------- built-in kinds


class _WantsNumbers(Exception):  # noqa: N818 - a second try is made, nothing is wrong yet
    """What is wrong quotes a number, so it must be known how it was written."""


def _built_in(
    data: bytes, media_type: str, target: Target, directive: str, *, exact_numbers: bool
) -> tuple[Object, list[str]]:
    found = _read(data, media_type, target, exact_numbers=exact_numbers)
    kind = found.kind
    types = gotypes()
    record = types.kind(kind.group_version.api_version, kind.kind)
    if record is None or not _share_scheme(kind, target.kind):
        _refuse(f'no kind "{kind.kind}" is registered for version "{kind.group_version.api_version}" in scheme {_SCHEME}', kind, target)
    obj: Object = found.body.value or {}
    try:
        problems = types.normalize(obj, record.definition)
    except DecodingError as error:
        if not exact_numbers and media_type not in (PROTOBUF,) and _quotes_number(error.problem):
            raise _WantsNumbers from None
        _refuse(error.problem, kind, target)
    _check_conversion(types, kind, target)
    warnings = _judged([*found.body.problems, *problems], kind, target, directive)
    _check_version(kind, target)
    obj["apiVersion"], obj["kind"] = target.kind.group_version.api_version, target.kind.kind
    return obj, warnings


def _quotes_number(problem: str) -> bool:
    return problem.startswith("json: cannot unmarshal number ") or not problem.startswith("json:")


def _share_scheme(kind: GroupVersionKind, wanted: GroupVersionKind) -> bool:
    if kind.kind in _META_KINDS or kind.kind == "DeleteOptions":
        return True
    of_kind, of_wanted = ({each.group} & _OWN_SCHEMES for each in (kind, wanted))
    return of_kind == of_wanted


def _check_conversion(types: GoTypes, kind: GroupVersionKind, target: Target) -> None:
    """A kind is converted to what the server works with inside: that of another kind cannot be (Scheme.Convert)."""
    here = types.kind(kind.group_version.api_version, kind.kind)
    there = types.kind(target.kind.group_version.api_version, target.kind.kind)
    if here is not None and there is not None and here.internal != there.internal:
        problem = f"converting ({types.node(here.definition).name}) to ({there.internal}): unknown conversion"
        _refuse(problem, kind, target)


# --------------------------------------------------------------------------- custom resources


def _custom(
    data: bytes, media_type: str, target: Target, normalize: Normalize, directive: str
) -> tuple[Object, list[str]]:
    if media_type == PROTOBUF:
        # The real server ends the connection: such a body makes it panic.
        raise unsupported_media_type("the body of the request is protobuf, which custom resources do not have")
    found = _read(data, media_type, target)
    kind = found.kind
    obj: Object | None = found.body.value
    said = obj.get("kind", "") if isinstance(obj, dict) else ""
    if obj is None or not said:
        _refuse_unrecognized(f"Object 'Kind' is missing in '{_text(data)}'", data, target)
    api_version = str(obj.get("apiVersion") or "")
    shown = GroupVersionKind(kind.group, api_version.rpartition("/")[2] or kind.version, said)
    try:
        problems = normalize(obj, target.kind.group_version)
    except DecodingError as error:
        _refuse(error.problem, shown, target)
    warnings = _judged([*found.body.problems, *problems], shown, target, directive)
    if api_version != target.kind.group_version.api_version:
        _refuse_version(api_version, target)
    return obj, warnings


# --------------------------------------------------------------------------- what both share


def _read(data: bytes, media_type: str, target: Target, *, exact_numbers: bool = False) -> _Interpreted:
    """The body, and what it says to be (SimpleMetaFactory.Interpret), completed by what is wanted."""
    try:
        body = read_body(
            data,
            media_type,
            expected=target.kind,
            typed=target.normalize is None,
            exact_numbers=exact_numbers,
        )
    except MalformedBody as error:
        if error.kind is not None:
            _refuse(error.problem, error.kind, target)
        prefix = "couldn't get version/kind; json parse error: " if media_type.endswith("json") else ""
        _refuse_unrecognized(prefix + error.problem, data, target)
    except DecodingError as error:
        _refuse(error.problem, target.kind, target)
    try:
        api_version, kind = _version_and_kind(body.value)
        group_version = _group_version(api_version)
    except ValueError as error:
        _refuse_unrecognized(str(error), data, target)
    if media_type == PROTOBUF:
        return _Interpreted(body, GroupVersionKind(group_version.group, group_version.version, kind))
    return _Interpreted(body, _completed(group_version, kind, target.kind))


def _version_and_kind(value: Any) -> tuple[str, str]:
    """What the standard library's decoder finds, which does not mind the case of keys.

    Raises:
        ValueError: It is no object, or one of them is no string.
    """
    found = {"apiversion": "", "kind": ""}
    if value is not None and not isinstance(value, dict):
        raise ValueError(_parse_error(value, f"value of type {_VERSION_AND_KIND}"))
    pairs = value.pairs if isinstance(value, RepeatedKeys) else (value or {}).items()
    problem = ""
    for key, each in pairs:
        name = key.lower()
        if name in found and isinstance(each, str):
            found[name] = each
        elif name in found and each is not None:
            field = "apiVersion" if name == "apiversion" else "kind"
            problem = problem or _parse_error(each, f"struct field .{field} of type string")
    if problem:
        raise ValueError(problem)
    return found["apiversion"], found["kind"]


def _parse_error(value: Any, place: str) -> str:
    names = {str: "string", bool: "bool", list: "array", dict: "object", RepeatedKeys: "object"}
    word = names.get(type(value), "number")
    return f"couldn't get version/kind; json parse error: json: cannot unmarshal {word} into Go {place}"


def _group_version(api_version: str) -> GroupVersion:
    """ParseGroupVersion.

    Raises:
        ValueError: There is more than one slash.
    """
    if api_version in ("", "/"):
        return GroupVersion("", "")
    group, slash, version = api_version.partition("/")
    if "/" in version:
        raise ValueError(f"unexpected GroupVersion string: {api_version}")
    return GroupVersion(group, version) if slash else GroupVersion("", group)


def _completed(said: GroupVersion, kind: str, wanted: GroupVersionKind) -> GroupVersionKind:
    """What is not said is what is wanted (gvkWithDefaults)."""
    group, version = said.group, said.version
    if not version and (not group or group == wanted.group):
        group, version = wanted.group, wanted.version
    return GroupVersionKind(group, version, kind or wanted.kind)


def _judged(problems: list[str], kind: GroupVersionKind, target: Target, directive: str) -> list[str]:
    """The Warning texts of strict validation's problems.

    Raises:
        StatusError: 400, if there are any and they are not to be.
    """
    if not problems or directive == IGNORE:
        return []
    if directive == STRICT:
        _refuse(strict_text(problems), kind, target)
    return warnings_of(problems)


def _check_version(kind: GroupVersionKind, target: Target) -> None:
    if kind.group_version != target.kind.group_version and kind.group_version not in target.accepts:
        _refuse_version(kind.group_version.api_version, target)


def _refuse_version(said: str, target: Target) -> NoReturn:
    wanted = target.kind.group_version.api_version
    raise bad_request(f"the API version in the data ({said}) does not match the expected API version ({wanted})")


def _refuse(problem: str, kind: GroupVersionKind, target: Target) -> NoReturn:
    about = f"{kind.kind} in version {quoted(kind.version)} cannot be handled as a {target.kind.kind}"
    raise bad_request(f"{about}: {problem}")


def _refuse_unrecognized(problem: str, data: bytes, target: Target) -> NoReturn:
    about = f"the object provided is unrecognized (must be of type {target.kind.kind})"
    raise bad_request(f"{about}: {problem} ({_summary(data)})")


def _summary(data: bytes) -> str:
    """The beginning of a body (summarizeData)."""
    if not data:
        return "<empty>"
    head = data[:_SHOWN_BYTES]
    shown = _text(head) if data.startswith(b"{") else head.hex()
    return f"{shown} ..." if len(data) > _SHOWN_BYTES else shown


def _text(data: bytes) -> str:
    """Bytes within a message: its JSON replaces those that are no UTF-8, one by one."""
    return "".join("\ufffd" if "\udc80" <= each <= "\udcff" else each for each in data.decode("utf-8", "surrogateescape"))


# --------------------------------------------------------------------------- options of a deletion


def decode_delete_options(data: bytes, content_type: str | None) -> dict[str, Any]:
    """The DeleteOptions in the body of a DELETE, normalized; unknown fields go without a word.

    Raises:
        StatusError: 415, or 400.
    """
    wanted = Target(GroupVersionKind("meta.k8s.io", "v1", "DeleteOptions"))
    media_type = body_media_type(content_type)
    try:
        value = read_body(data, media_type, expected=wanted.kind, typed=True, exact_numbers=True).value or {}
        api_version, kind = _version_and_kind(value)
        said = _completed(_group_version(api_version), kind, wanted.kind)
    except MalformedBody as error:
        prefix = "couldn't get version/kind; json parse error: " if media_type.endswith("json") else ""
        raise bad_request(prefix + error.problem) from None
    except ValueError as error:
        raise bad_request(str(error)) from None
    if said.kind in _META_KINDS:
        raise bad_request(f"converting (v1.{said.kind}) to (v1.DeleteOptions): unknown conversion")
    if said.kind != "DeleteOptions":
        about = f'no kind "{said.kind}" is registered for version "{said.group_version.api_version}"'
        raise bad_request(f"{about} in scheme {_SCHEME}")
    gotypes().normalize(value, _DELETE_OPTIONS)
    return dict(value)
