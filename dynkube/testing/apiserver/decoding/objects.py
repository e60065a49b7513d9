"""Bodies become objects of the kind that an endpoint takes, or sentences about why not.

AS/endpoints/handlers/{create,update,delete,rest}.go, AM/runtime/serializer/{json,versioning}.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Final

from dynkube.schema import GroupVersion, GroupVersionKind
from dynkube.testing.apiserver.decoding.body import Decoded, MalformedBody, read_body
from dynkube.testing.apiserver.decoding.gotypes import gotypes
from dynkube.testing.apiserver.decoding.jsontext import RepeatedKeys
from dynkube.testing.apiserver.decoding.mediatypes import JSON, PROTOBUF, body_media_type
from dynkube.testing.apiserver.decoding.problems import IGNORE, STRICT, DecodingError, strict_text, warnings_of
from dynkube.testing.apiserver.decoding.typenodes import json_word
from dynkube.testing.apiserver.words.fielderrors import quoted
from dynkube.testing.apiserver.words.resources import Object
from dynkube.testing.apiserver.words.statuses import StatusError, bad_request, unsupported_media_type

__all__ = [
    "VERSION_AND_KIND",
    "Normalize",
    "Recognized",
    "Target",
    "Unrecognized",
    "decode_delete_options",
    "decode_object",
    "judge",
    "recognize",
]

Normalize = Callable[[Object, GroupVersion], list[str]]
"""`Strategy.normalize` of a custom resource."""

_SCHEME: Final = '"pkg/runtime/scheme.go:111"'
_SHOWN_BYTES: Final = 30
_PARSE_ERROR: Final = "couldn't get version/kind; json parse error: "
_NOT_UTF8: Final = re.compile("[\udc80-\udcff]")
VERSION_AND_KIND: Final = (
    'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'
)
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


class Unrecognized(Exception):  # noqa: N818 - a sentence is made of it before it is an error
    """A value is no object of the kind that is wanted.

    Attributes:
        problem: The decoder's own words.
        kind: What the value says to be; None where even that cannot be read.
    """

    def __init__(self, problem: str, kind: GroupVersionKind | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Recognized:
    """An object of the kind that is wanted.

    Attributes:
        obj: The object, normalized.
        kind: What it says to be, in a version that may be another than the wanted one.
        problems: What strict validation complains of.
    """

    obj: Object
    kind: GroupVersionKind
    problems: list[str]


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
    try:
        found = _recognized(data, media_type, target)
    except Unrecognized as error:
        raise _refusal(error.problem, error.kind, data, target) from None
    warnings = judge(found.problems, directive, lambda problem: _refusal(problem, found.kind, data, target))
    said, wanted = found.kind.group_version, target.kind.group_version
    if said != wanted and said not in target.accepts:
        about = f"the API version in the data ({said.api_version}) does not match the expected API version"
        refusal = bad_request(f"{about} ({wanted.api_version})")
        refusal.warnings = warnings
        raise refusal
    return found.obj, warnings


def judge(problems: list[str], directive: str, refuse: Callable[[str], StatusError]) -> list[str]:
    """The Warning texts of what strict validation complains of.

    Raises:
        StatusError: ``refuse`` made it, since there is something to complain of and there must not be.
    """
    if not problems or directive == IGNORE:
        return []
    if directive == STRICT:
        raise refuse(strict_text(problems))
    return warnings_of(problems)


def _recognized(data: bytes, media_type: str, target: Target) -> Recognized:
    if media_type == PROTOBUF and target.normalize is not None:
        # The real server ends the connection: such a body makes it panic.
        raise unsupported_media_type("the body of the request is protobuf, which custom resources do not have")

    def read(*, exact_numbers: bool) -> Recognized:
        body = _read(data, media_type, target, exact_numbers=exact_numbers)
        return recognize(body, target, lambda: _text(data))

    try:
        return read(exact_numbers=False)
    except Unrecognized as error:
        # What is wrong may quote a number, so it must be known how it was written.
        if target.normalize is not None or media_type == PROTOBUF or not _may_quote_number(error):
            raise
    return read(exact_numbers=True)


def _may_quote_number(error: Unrecognized) -> bool:
    return error.kind is not None and (" number " in error.problem or not error.problem.startswith("json:"))


def _read(data: bytes, media_type: str, target: Target, *, exact_numbers: bool) -> Decoded:
    typed = target.normalize is None
    try:
        return read_body(data, media_type, expected=target.kind, typed=typed, exact_numbers=exact_numbers)
    except MalformedBody as error:
        prefix = _PARSE_ERROR if media_type == JSON else ""
        raise Unrecognized(prefix + error.problem, error.kind) from None
    except DecodingError as error:
        raise Unrecognized(error.problem, target.kind) from None


# --------------------------------------------------------------------------- values that should be objects


def recognize(body: Decoded, target: Target, text: Callable[[], str], *, complete: bool = True) -> Recognized:
    """Make of a value an object of the kind that is wanted (the codecs' Decode).

    Args:
        body: The value, changed in place, and what is complained of already.
        target: What is wanted.
        text: Makes the JSON of the value, for a message that shows all of it.
        complete: Whether it is of the wanted version where it does not say of which.

    Raises:
        Unrecognized: It is none.
    """
    try:
        api_version, kind = _version_and_kind(body.value)
        group_version = _group_version(api_version)
    except ValueError as error:
        raise Unrecognized(str(error)) from None
    if target.normalize is not None:
        return _custom(body, target, target.normalize, text)
    said = _completed(group_version, kind, target.kind)
    if not complete and not (group_version.group or group_version.version):
        return _internal(body, target)
    if not said.version:
        raise Unrecognized(f"Object 'apiVersion' is missing in '{text()}'", said)
    return _built_in(body, said, target)


def _built_in(body: Decoded, kind: GroupVersionKind, target: Target) -> Recognized:
    types = gotypes()
    record = types.kind(kind.group_version.api_version, kind.kind)
    if record is None or not _share_scheme(kind, target.kind):
        about = f'no kind "{kind.kind}" is registered for version "{kind.group_version.api_version}"'
        raise Unrecognized(f"{about} in scheme {_SCHEME}", kind)
    obj: Object = {} if body.value is None else body.value
    try:
        problems = types.normalize(obj, record.definition)
    except DecodingError as error:
        raise Unrecognized(error.problem, kind) from None
    # It is converted to what the server works with inside, which another kind cannot be (Scheme.Convert).
    wanted = types.kind(target.kind.group_version.api_version, target.kind.kind)
    if wanted is not None and record.internal != wanted.internal:
        conversion = f"converting ({types.node(record.definition).name}) to ({wanted.internal})"
        raise Unrecognized(f"{conversion}: unknown conversion", kind)
    obj["apiVersion"], obj["kind"] = kind.group_version.api_version, kind.kind
    return Recognized(obj, kind, [*body.problems, *problems])


def _internal(body: Decoded, target: Target) -> Recognized:
    """Without a version it is decoded into the server's internal type, whose fields have no names in JSON."""
    obj: Object = body.value
    unknown = [f"unknown field {quoted(key)}" for key in obj if key not in ("apiVersion", "kind")]
    obj.clear()
    obj.update(apiVersion=target.kind.group_version.api_version, kind=target.kind.kind, metadata={})
    return Recognized(obj, target.kind, [*body.problems, *unknown])


def _share_scheme(kind: GroupVersionKind, wanted: GroupVersionKind) -> bool:
    if kind.kind in _META_KINDS or kind.kind == "DeleteOptions":
        return True
    of_kind, of_wanted = ({each.group} & _OWN_SCHEMES for each in (kind, wanted))
    return of_kind == of_wanted


def _custom(body: Decoded, target: Target, normalize: Normalize, text: Callable[[], str]) -> Recognized:
    obj: Object = {} if body.value is None else body.value
    kind = obj.get("kind")
    if not kind:
        raise Unrecognized(f"Object 'Kind' is missing in '{text()}'")
    api_version = str(obj.get("apiVersion") or "")
    said = _group_version(api_version)
    shown = GroupVersionKind(said.group, said.version, str(kind))
    # By the schema of the version that it says; of what says to be another kind only the metadata is looked at.
    is_known = (shown.group, shown.kind) == (target.kind.group, target.kind.kind)
    try:
        problems = normalize(obj, said if is_known else GroupVersion(target.kind.group, ""))
    except DecodingError as error:
        raise Unrecognized(error.problem, shown) from None
    return Recognized(obj, shown, [*body.problems, *problems])


def _version_and_kind(value: Any) -> tuple[str, str]:
    """What the standard library's decoder finds, which does not mind the case of keys (SimpleMetaFactory.Interpret).

    Raises:
        ValueError: It is no object, or one of them is no string.
    """
    found = {"apiversion": "", "kind": ""}
    if value is not None and not isinstance(value, dict):
        raise ValueError(_parse_error(value, f"value of type {VERSION_AND_KIND}"))
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
    return f"{_PARSE_ERROR}json: cannot unmarshal {json_word(value)} into Go {place}"


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


# --------------------------------------------------------------------------- sentences


def _refusal(problem: str, kind: GroupVersionKind | None, data: bytes, target: Target) -> StatusError:
    """As transformDecodeError words it."""
    if kind is not None:
        about = f"{kind.kind} in version {quoted(kind.version)} cannot be handled as a {target.kind.kind}"
        return bad_request(f"{about}: {problem}")
    about = f"the object provided is unrecognized (must be of type {target.kind.kind})"
    return bad_request(f"{about}: {problem} ({_summary(data)})")


def _summary(data: bytes) -> str:
    """The beginning of a body (summarizeData)."""
    if not data:
        return "<empty>"
    head = data[:_SHOWN_BYTES]
    shown = _text(head) if data.startswith(b"{") else head.hex()
    return f"{shown} ..." if len(data) > _SHOWN_BYTES else shown


def _text(data: bytes) -> str:
    """Bytes within a message: its JSON replaces those that are no UTF-8, one by one."""
    return _NOT_UTF8.sub("\ufffd", data.decode("utf-8", "surrogateescape"))


# --------------------------------------------------------------------------- options of a deletion


def decode_delete_options(data: bytes, content_type: str | None) -> dict[str, Any]:
    """The DeleteOptions in the body of a DELETE, normalized; unknown fields go without a word.

    Raises:
        StatusError: 415, or 400.
    """
    wanted = Target(GroupVersionKind("meta.k8s.io", "v1", "DeleteOptions"))
    media_type = body_media_type(content_type)
    try:
        value = read_body(data, media_type, expected=wanted.kind, typed=True, exact_numbers=True).value
        api_version, kind = _version_and_kind(value)
        said = _completed(_group_version(api_version), kind, wanted.kind)
    except MalformedBody as error:
        prefix = _PARSE_ERROR if media_type == JSON else ""
        raise bad_request(prefix + error.problem) from None
    except ValueError as error:
        raise bad_request(str(error)) from None
    if said.kind in _META_KINDS:
        raise bad_request(f"converting (v1.{said.kind}) to (v1.DeleteOptions): unknown conversion")
    if said.kind != "DeleteOptions":
        about = f'no kind "{said.kind}" is registered for version "{said.group_version.api_version}"'
        raise bad_request(f"{about} in scheme {_SCHEME}")
    options: dict[str, Any] = {} if value is None else value
    gotypes().normalize(options, _DELETE_OPTIONS)
    return options
