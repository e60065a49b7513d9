"""The strategy of CustomResourceDefinition itself.

AE/registry/customresourcedefinition/strategy.go, AE/apis/apiextensions/v1/defaults.go,
AE/apis/apiextensions/validation/validation.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dynkube.schema import GroupVersion
from dynkube.testing.apiserver.customresources.approval import APPROVAL_ANNOTATION, ApprovalState, approval
from dynkube.testing.apiserver.customresources.conditions import is_condition_true
from dynkube.testing.apiserver.customresources.conversionrules import conversion_errors
from dynkube.testing.apiserver.customresources.correlation import same
from dynkube.testing.apiserver.customresources.defaultrules import default_errors
from dynkube.testing.apiserver.customresources.definitionrules import (
    MAX_SELECTABLE_FIELDS,
    column_errors,
    deprecation_errors,
    group_and_scope_errors,
    name_errors,
    required_name_errors,
    selectable_errors,
    stored_version_errors,
    subresource_errors,
    version_list_errors,
)
from dynkube.testing.apiserver.customresources.formats import is_format_known
from dynkube.testing.apiserver.customresources.internal import (
    InternalSpec,
    InternalVersion,
    internal_spec,
    shown_schema,
)
from dynkube.testing.apiserver.customresources.rulechecks import compile_errors, default_rule_errors, unenforced
from dynkube.testing.apiserver.customresources.schemarules import schema_errors
from dynkube.testing.apiserver.customresources.structural import copied, structural, subschemas
from dynkube.testing.apiserver.customresources.structuralrules import is_said, structural_errors, unsupported
from dynkube.testing.apiserver.decoding import gotypes
from dynkube.testing.apiserver.words.fielderrors import (
    FieldError,
    child,
    forbidden,
    index,
    invalid,
    key,
    quoted,
    required,
)
from dynkube.testing.apiserver.words.names import dns1035_label, dns1123_subdomain
from dynkube.testing.apiserver.words.objectmeta import IMMUTABLE
from dynkube.testing.apiserver.words.resources import Object, Strategy

__all__ = ["DEFINITION_TYPE", "CustomResourceDefinitionStrategy"]

DEFINITION_TYPE = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition"
"""The OpenAPI definition of the kind, by which its Go type is found."""

Raw = Mapping[str, Any]

_NAME_RULE = 'must be spec.names.plural+"."+spec.group'
_ROOT_FIELDS = (
    "Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength MinLength Pattern "
    "MaxItems MinItems UniqueItems MultipleOf Required Items Properties ExternalDocs Example XPreserveUnknownFields "
    "XValidations"
)
_NOT_AT_ROOT = (
    "id", "$schema", "$ref", "nullable", "default", "enum", "maxProperties", "minProperties", "allOf", "oneOf", "anyOf",
    "not", "additionalProperties", "patternProperties", "dependencies", "additionalItems", "definitions",
    "x-kubernetes-embedded-resource", "x-kubernetes-int-or-string", "x-kubernetes-list-map-keys",
    "x-kubernetes-list-type", "x-kubernetes-map-type",
)  # fmt: skip
_BEFORE_TYPE = frozenset({"id", "$schema", "$ref"})


class CustomResourceDefinitionStrategy(Strategy):
    """How CRDs are defaulted, prepared and judged. What they make the server serve is `serving`'s."""

    allows_unconditional_update = False
    has_status = True
    has_generation = True

    # ------------------------------------------------------------------ decoding

    def normalize(self, obj: Object, group_version: GroupVersion) -> list[str]:
        """What the Go type holds."""
        return gotypes().normalize(obj, DEFINITION_TYPE)

    def default(self, obj: Object, group_version: GroupVersion) -> None:
        """Names that follow from the kind, no conversion, and the version that is stored."""
        spec = obj.setdefault("spec", {})
        told = spec.setdefault("names", {})
        kind = told.get("kind", "")
        if not told.get("singular") and kind:
            told["singular"] = kind.lower()
        if not told.get("listKind") and kind:
            told["listKind"] = f"{kind}List"
        if spec.get("conversion") is None:
            spec["conversion"] = {"strategy": "None"}
        service = ((spec["conversion"].get("webhook") or {}).get("clientConfig") or {}).get("service")
        if service is not None:
            service.setdefault("port", 443)
        status = obj.setdefault("status", _fresh_status())
        if not status.get("storedVersions"):
            status["storedVersions"] = _stored(spec) or None

    # ------------------------------------------------------------------ preparing

    def prepare_for_create(self, obj: Object) -> None:
        """The status of a new CRD: nothing is accepted yet."""
        obj["status"] = {**_fresh_status(), "storedVersions": _stored(obj["spec"]) or None}
        obj["metadata"]["generation"] = 1

    def prepare_for_update(self, obj: Object, old: Object, subresource: str) -> None:
        """Spec and status keep out of each other's way; a version that becomes the stored one is remembered."""
        if subresource == "status":
            obj["spec"] = copied(old["spec"])
            return
        obj["status"] = copied(old.get("status") or {})
        if not same(obj["spec"], old["spec"]):
            obj["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1
        remembered = obj["status"].get("storedVersions") or []
        obj["status"]["storedVersions"] = [
            *remembered,
            *(name for name in _stored(obj["spec"]) if name not in remembered),
        ]

    # ------------------------------------------------------------------ judging

    def validate_name(self, name: str, /, *, prefix: bool = False) -> Sequence[str]:
        """A DNS subdomain; that it is made of the plural and the group is judged by `validate`."""
        return dns1123_subdomain(name, prefix=prefix)

    def validate(self, obj: Object) -> Sequence[FieldError]:
        """Everything that is said once and for all."""
        return [
            *_own_name_errors(obj),
            *_spec_errors(obj, None),
            *_status_errors(obj),
            *_approval_errors(obj, None),
            *_preserve_errors(obj),
        ]

    def validate_update(self, obj: Object, old: Object, subresource: str) -> Sequence[FieldError]:
        """As `validate`; names and scope of what is served do not change."""
        if subresource == "status":
            return list(name_errors((obj.get("status") or {}).get("acceptedNames") or {}, "status.acceptedNames"))
        return [
            *_spec_errors(obj, old),
            *_immutable_errors(obj["spec"], old),
            *_status_errors(obj),
            *_approval_errors(obj, old),
            *_preserve_errors(obj),
        ]

    def warnings(self, obj: Object, old: Object | None, subresource: str) -> Sequence[str]:
        """Of formats that nothing checks, and of what this server leaves out: rules in CEL that it cannot run."""
        if subresource == "status":
            return ()
        before = _unknown_formats(old) if old is not None else []
        texts = [f"unrecognized format {quoted(name)}" for name in _unknown_formats(obj) if name not in before]
        known = set(_left_out(old)) if old is not None else set()
        return [*texts, *(text for text in _left_out(obj) if text not in known)]

    def reset_fields(self, subresource: str) -> Sequence[tuple[str, ...]]:
        """An update of status cannot change spec, any other cannot change status."""
        return (("spec",),) if subresource == "status" else (("status",),)


def _fresh_status() -> dict[str, Any]:
    """As Go writes a status of which nothing is set."""
    return {"conditions": None, "acceptedNames": {"plural": "", "kind": ""}, "storedVersions": None}


def _stored(spec: Raw) -> list[str]:
    return [row["name"] for row in spec.get("versions") or () if row.get("storage")][:1]


# ------------------------------------------------------------------ spec


def _own_name_errors(obj: Object) -> Iterator[FieldError]:
    metadata, spec = obj["metadata"], obj["spec"]
    wanted = f"{(spec.get('names') or {}).get('plural', '')}.{spec.get('group', '')}"
    for name in ("generateName", "name"):
        if metadata.get(name) and metadata[name] != wanted:
            yield invalid(child("metadata", name), metadata[name], _NAME_RULE)


def _spec_errors(obj: Object, old: Object | None) -> Iterator[FieldError]:
    raw = obj["spec"]
    spec = internal_spec(raw)
    before = internal_spec(old["spec"]) if old is not None else None
    yield from group_and_scope_errors(raw)
    if not _has_schema(spec.validation):
        for number, version in enumerate(spec.versions):
            if not _has_schema(version.schema):
                yield required(child(index("spec.versions", number), "schema", "openAPIV3Schema"))
    if raw.get("preserveUnknownFields") and _has_defaults(raw):
        yield invalid("spec.preserveUnknownFields", True, "must be false in order to use defaults in the schema")
    for number, version in enumerate(spec.versions):
        yield from _version_errors(spec, version, before, index("spec.versions", number))
    yield from version_list_errors(spec)
    yield from required_name_errors(raw)
    yield from name_errors(raw.get("names") or {}, "spec.names")
    yield from _validation_errors(spec.validation, "spec.validation", has_status=spec.has_status)
    yield from subresource_errors(spec.subresources, "spec.subresources")
    yield from column_errors(spec.columns, "spec.additionalPrinterColumns")
    yield from selectable_errors(
        spec.selectable_fields,
        (spec.validation or {}).get("openAPIV3Schema"),
        "spec.selectableFields",
        is_old=before is not None and _has_too_many(before.selectable_fields, spec.selectable_fields),
        absent="may only be set when validations.schema is included",
    )
    strategy = (raw.get("conversion") or {}).get("strategy", "")
    if raw.get("preserveUnknownFields") and strategy != "None":
        yield invalid("spec.conversion.strategy", strategy, "must be None if spec.preserveUnknownFields is true")
    yield from conversion_errors(raw.get("conversion"))


def _has_schema(validation: Raw | None) -> bool:
    return (validation or {}).get("openAPIV3Schema") is not None


def _schemas(spec: Raw) -> Iterator[tuple[str, Raw]]:
    """The schemas of a spec by version: what all versions share comes once, under no name."""
    inside = internal_spec(spec)
    if _has_schema(inside.validation):
        yield "", (inside.validation or {})["openAPIV3Schema"]
    for version in inside.versions:
        if _has_schema(version.schema):
            yield version.name, (version.schema or {})["openAPIV3Schema"]


def _has_defaults(spec: Raw) -> bool:
    return any(each.get("default") is not None for _, raw in _schemas(spec) for each in subschemas(raw))


def _has_too_many(before: Sequence[Raw], now: Sequence[Raw]) -> bool:
    return len(before) > MAX_SELECTABLE_FIELDS and same(list(before), list(now))


def _version_errors(
    spec: InternalSpec, version: InternalVersion, before: InternalSpec | None, path: str
) -> Iterator[FieldError]:
    problems = dns1035_label(version.name)
    if problems:
        yield invalid(child(path, "name"), version.name, ",".join(problems))
    yield from deprecation_errors(version, path)
    has_status = (spec.subresources_of(version) or {}).get("status") is not None
    yield from _validation_errors(version.schema, child(path, "schema"), has_status=has_status)
    yield from subresource_errors(version.subresources, child(path, "subresources"))
    yield from column_errors(version.columns, child(path, "additionalPrinterColumns"))
    old = next((each for each in before.versions if each.name == version.name), None) if before else None
    yield from selectable_errors(
        version.selectable_fields,
        (version.schema or {}).get("openAPIV3Schema"),
        child(path, "selectableFields"),
        is_old=old is not None and _has_too_many(old.selectable_fields, version.selectable_fields),
        absent="may only be set when `version.schema.openAPIV3Schema` is not included",
    )


def _validation_errors(validation: Raw | None, path: str, *, has_status: bool) -> Iterator[FieldError]:
    raw = (validation or {}).get("openAPIV3Schema")
    if raw is None:
        return
    where = child(path, "openAPIV3Schema")
    errors = [*_root_errors(raw, where, has_status=has_status)]
    cannot = unsupported(raw)
    structure: list[FieldError] = []
    if not cannot:
        structure = structural_errors(raw, where)
        structure = structure or default_errors(structural(raw), where, default_rule_errors)
        errors += structure
    errors += schema_errors(raw, where, None if cannot or structure else compile_errors)
    if cannot and not errors:
        errors.append(invalid(where, "", cannot))
    yield from errors


def _root_errors(raw: Raw, path: str, *, has_status: bool) -> Iterator[FieldError]:
    if has_status:
        said = [name for name in _NOT_AT_ROOT if is_said(raw, name)]
        kind = raw.get("type", "")
        if kind and kind != "object" and not _BEFORE_TYPE.intersection(said):
            text = 'only "object" is allowed as the type at the root of the schema if the status subresource is enabled'
            yield invalid(child(path, "type"), kind, text)
        elif said:
            told = "fields are allowed at the root of the schema if the status subresource is enabled"
            text = f"only [{_ROOT_FIELDS}] {told}"
            yield invalid(path, shown_schema(raw), text)
    if raw.get("nullable"):
        yield forbidden(child(path, "nullable"), "nullable cannot be true at the root")


def _immutable_errors(spec: Raw, old: Object) -> Iterator[FieldError]:
    told, before = spec.get("names") or {}, old["spec"].get("names") or {}
    if is_condition_true(old, "Established"):
        if spec.get("scope") != old["spec"].get("scope"):
            yield invalid("spec.scope", spec.get("scope", ""), IMMUTABLE)
        if told.get("kind") != before.get("kind"):
            yield invalid("spec.names.kind", told.get("kind", ""), IMMUTABLE)
    if spec.get("group") != old["spec"].get("group"):
        yield invalid("spec.group", spec.get("group", ""), IMMUTABLE)
    if told.get("plural") != before.get("plural"):
        yield invalid("spec.names.plural", told.get("plural", ""), IMMUTABLE)


# ------------------------------------------------------------------ status and the rest


def _status_errors(obj: Object) -> Iterator[FieldError]:
    status = obj.get("status") or {}
    yield from name_errors(status.get("acceptedNames") or {}, "status.acceptedNames")
    yield from stored_version_errors(status.get("storedVersions"), internal_spec(obj["spec"]))


def _approval_errors(obj: Object, old: Object | None) -> Iterator[FieldError]:
    group = obj["spec"].get("group", "")
    judged = approval(group, _annotation(obj))
    if judged is None or judged.state in (ApprovalState.APPROVED, ApprovalState.BYPASSED):
        return
    before = approval(group, _annotation(old)) if old is not None else None
    if before is not None and before.state is judged.state:
        return
    path = key("metadata.annotations", APPROVAL_ANNOTATION)
    if judged.state is ApprovalState.MISSING:
        yield required(path, judged.text)
    else:
        yield invalid(path, _annotation(obj), judged.text)


def _annotation(obj: Object) -> str:
    return str((obj["metadata"].get("annotations") or {}).get(APPROVAL_ANNOTATION, ""))


def _preserve_errors(obj: Object) -> Iterator[FieldError]:
    if obj["spec"].get("preserveUnknownFields"):
        text = "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead"
        yield invalid("spec.preserveUnknownFields", True, text)


# ------------------------------------------------------------------ warnings


def _unknown_formats(obj: Object) -> list[str]:
    return [
        each["format"]
        for _, raw in _schemas(obj["spec"])
        for each in subschemas(raw)
        if each.get("format") and not is_format_known(each.get("type", ""), each["format"])
    ]


def _left_out(obj: Object) -> list[str]:
    texts = [text for _, raw in _schemas(obj["spec"]) for text in unenforced(raw)]
    if (obj["spec"].get("conversion") or {}).get("strategy") == "Webhook":
        texts.append("spec.conversion: no webhook is called by this server: objects are converted as by strategy None")
    return list(dict.fromkeys(texts))
