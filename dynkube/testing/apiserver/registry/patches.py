"""PATCH: what a patch makes of the current object (AS/endpoints/handlers/patch.go)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NoReturn

from dynkube.schema import GroupKind, GroupVersion
from dynkube.testing.apiserver.decoding import IGNORE, STRICT, Decoded, DecodingError, Target, gotypes
from dynkube.testing.apiserver.decoding.objects import Unrecognized, recognize
from dynkube.testing.apiserver.decoding.problems import strict_text, warnings_of
from dynkube.testing.apiserver.registry import metadata
from dynkube.testing.apiserver.registry.machinery import Machinery
from dynkube.testing.apiserver.registry.managers import keep_reset, track_apply, track_update
from dynkube.testing.apiserver.registry.options import WriteOptions
from dynkube.testing.apiserver.registry.patchedtext import patched_text
from dynkube.testing.apiserver.registry.scope import Scope
from dynkube.testing.apiserver.registry.updating import Change
from dynkube.testing.apiserver.registry.versions import in_request, in_storage
from dynkube.testing.apiserver.words import statuses
from dynkube.testing.apiserver.words.fielderrors import invalid
from dynkube.testing.apiserver.words.govalues import plain
from dynkube.testing.apiserver.words.resources import Object, Resource

__all__ = ["Patch", "PatchType", "change_by", "check_name", "patch_type"]


class PatchType(Enum):
    """What a patch is written in, by its media type."""

    JSON = "application/json-patch+json"
    MERGE = "application/merge-patch+json"
    STRATEGIC = "application/strategic-merge-patch+json"
    APPLY = "application/apply-patch+yaml"


_OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_CUSTOM = (PatchType.JSON, PatchType.MERGE, PatchType.APPLY)


@dataclass(frozen=True, slots=True)
class Patch:
    """A patch as it was sent."""

    type: PatchType
    data: bytes
    options: WriteOptions


def patch_type(content_type: str, *, is_custom: bool) -> PatchType:
    """What a patch is written in.

    Raises:
        StatusError: 415.
    """
    media_type = content_type.partition(";")[0]
    accepted = _CUSTOM if is_custom else tuple(PatchType)
    for each in accepted:
        if each.value == media_type:
            return each
    if is_custom:
        names = ", ".join(each.value for each in accepted)
        raise statuses.unsupported_media_type(
            f"the body of the request was in an unknown format - accepted media types include: {names}"
        )
    # The routes of built-in resources know what they take: nobody has looked at the request yet.
    raise statuses.StatusError(statuses.status(415, "UnsupportedMediaType", "415: Unsupported Media Type", {}))


def change_by(machinery: Machinery, scope: Scope, patch: Patch) -> Change:
    """The change that a patch is: of the object, or of the view whose kind ``scope.resource`` is."""

    def change(live: Object | None) -> Object:
        # Field management and patches work on copies of their own.
        obj = _patched(machinery, scope, patch, live)
        meta = obj["metadata"]
        if live is None and meta.get("uid"):
            problem = f"uid mismatch: the provided object specified uid {meta['uid']}, and no existing object was found"
            raise statuses.conflict(scope.about, scope.name, problem)
        metadata.ensure_namespace(obj, scope.object_namespace)
        check_name(obj, scope.name)
        if scope.resource.is_custom:
            _check_type(obj, scope)
        return in_storage(scope.resource, obj)

    return change


def check_name(obj: Object, name: str) -> None:
    """Refuse an object that is not the one that the path names (checkName).

    Raises:
        StatusError: 400.
    """
    said = obj["metadata"].get("name", "")
    if not said:
        problem = "undeterminable: name must be provided"
        raise statuses.bad_request(f"the name of the object ({name} based on URL) was {problem}")
    if said != name:
        raise statuses.bad_request(f"the name of the object ({said}) does not match the name on the URL ({name})")


def _check_type(obj: Object, scope: Scope) -> None:
    """A patch can make a custom object one of another kind, which validation finds first (ValidateTypeMeta)."""
    resource = scope.resource
    errors = []
    if obj["kind"] != resource.kind:
        errors.append(invalid("kind", obj["kind"], f"must be {resource.kind}"))
    if obj["apiVersion"] != resource.group_version.api_version:
        errors.append(invalid("apiVersion", obj["apiVersion"], f"must be {resource.group_version.api_version}"))
    if errors:
        raise statuses.invalid(GroupKind(GroupVersion.parse(obj["apiVersion"]).group, obj["kind"]), scope.name, errors)


def _patched(machinery: Machinery, scope: Scope, patch: Patch, live: Object | None) -> Object:
    if patch.type is PatchType.APPLY:
        return _applied(machinery, scope, patch, live)
    if live is None:
        raise statuses.not_found(scope.about, scope.name)
    current = in_request(scope.resource, live)
    change = _strategic if patch.type is PatchType.STRATEGIC else _by_json
    obj = change(scope, patch, current)
    scope.resource.strategy.default(obj, scope.resource.group_version)
    return track_update(machinery, scope, live, obj, patch.options)


# --------------------------------------------------------------------------- JSON patches and merge patches


def _by_json(scope: Scope, patch: Patch, current: Object) -> Object:
    from dynkube.testing.apiserver import patching

    apply = patching.json_patch if patch.type is PatchType.JSON else patching.merge_patch
    obj, problems, said = apply(current, patch.data, patch.options.field_validation, typed=not scope.resource.is_custom)

    def text() -> str:
        return patched_text(scope.resource, current, patch.data, merges=patch.type is PatchType.MERGE)

    try:
        problems = [*problems, *_decode(scope.resource, obj, text)]
    except Unrecognized as error:
        _refuse(text(), error.problem)
    if problems:
        _judge(scope, patch, problems, text)
    keep_reset(said, obj)
    return obj


def _judge(scope: Scope, patch: Patch, problems: Sequence[str], text: Callable[[], str]) -> None:
    """What strict validation makes of problems: warnings, or a refusal."""
    directive = patch.options.field_validation
    if directive == STRICT:
        _refuse(text(), strict_text(problems))
    if directive != IGNORE:
        scope.warn_all(warnings_of(problems))


def _refuse(text: str, problem: str) -> NoReturn:
    raise statuses.invalid(GroupKind("", ""), "", [invalid("patch", text, problem)])


def _decode(resource: Resource, obj: Object, text: Callable[[], str]) -> list[str]:
    """Make a patched object what its kind's type holds, in place (DecodeInto).

    Returns:
        What is not quite right with it.

    Raises:
        Unrecognized: It is no such object.
        StatusError: The same, where the real server fails otherwise.
    """
    version = resource.group_version
    target = Target(resource.gvk, resource.strategy.normalize if resource.is_custom else None)
    found = recognize(Decoded(obj, []), target, text, complete=False)
    if not resource.is_custom:
        obj["apiVersion"], obj["kind"] = version.api_version, resource.kind
    elif not obj.get("apiVersion"):
        raise statuses.internal_error("Object 'apiVersion' is missing in 'object has no apiVersion field'")
    return _with_metadata(obj, found.problems)


def _with_metadata(obj: Object, problems: list[str]) -> list[str]:
    if not isinstance(obj.get("metadata"), dict):
        obj["metadata"] = {}
    return problems


# --------------------------------------------------------------------------- strategic merge


def _strategic(scope: Scope, patch: Patch, current: Object) -> Object:
    resource, directive = scope.resource, patch.options.field_validation
    from dynkube.testing.apiserver import patching

    obj, problems, sent = patching.strategic_merge(current, patch.data, resource.schema, directive)
    record = gotypes().kind(resource.group_version.api_version, resource.kind)
    try:
        unknown = [] if record is None else gotypes().convert(obj, record.definition)
    except DecodingError as error:
        _refuse(plain(sent), error.problem)
    if directive != IGNORE and (problems or unknown):
        _judge(scope, patch, [*problems, *unknown], lambda: plain(sent))
    # Whatever the patch says of them, the type is that of the endpoint.
    obj["apiVersion"], obj["kind"] = resource.group_version.api_version, resource.kind
    _with_metadata(obj, [])
    keep_reset(sent, obj)
    return obj


# --------------------------------------------------------------------------- server-side apply


def _applied(machinery: Machinery, scope: Scope, patch: Patch, live: Object | None) -> Object:
    resource, directive = scope.resource, patch.options.field_validation
    from dynkube.testing.apiserver import patching

    applied, problem = patching.read_applied(patch.data)
    obj = track_apply(machinery, scope, live, applied, patch.options)
    _typed(resource, obj, applied)
    if problem and directive == STRICT:
        raise statuses.bad_request(f"error strict decoding YAML: {problem}")
    if problem and directive != IGNORE:
        scope.warn_all(warnings_of([problem]))
    _with_metadata(obj, [])
    resource.strategy.default(obj, resource.group_version)
    return obj


def _typed(resource: Resource, obj: Object, applied: Object) -> None:
    """Make what was merged what its kind's type holds, in place (AM/util/managedfields/internal/structuredmerge.go).

    Raises:
        StatusError: 500, a value is nothing that the type can hold.
    """
    if resource.is_custom:
        gotypes().normalize(obj["metadata"], _OBJECT_META)  # nothing else: a null is judged by validation
        return
    record = gotypes().kind(resource.group_version.api_version, resource.kind)
    if record is None:
        return
    try:
        gotypes().convert(obj, record.definition)
    except DecodingError as error:
        named = applied.get("metadata") or {}
        where = f"{named.get('namespace') or ''}/{named.get('name') or ''}; {resource.gvk}"
        raise statuses.unexpected(
            f"failed to convert new object ({where}) to proper version: unable to convert unstructured object to "
            f"{resource.gvk}: {error.problem}"
        ) from None
