"""A CRD as kube-apiserver has it in memory: the internal version, by which field paths and bad values are told.

What all versions say alike is said once there, at the top of the spec: ``spec.validation.openAPIV3Schema`` is the
path of a mistake in the schema of a CRD with one version (AE/apis/apiextensions/v1/conversion.go). Its types have no
JSON names, so a bad value that is a struct is shown with the names of Go's fields, all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dynkube.testing.apiserver.customresources.correlation import same
from dynkube.testing.apiserver.words.fielderrors import Shown
from dynkube.testing.apiserver.words.govalues import json_text

__all__ = ["InternalSpec", "InternalVersion", "internal_spec", "shown_rule", "shown_schema", "shown_versions"]

Raw = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class InternalVersion:
    """One version, with only what sets it apart from the others."""

    name: str
    served: bool
    storage: bool
    deprecated: bool
    deprecation_warning: str | None
    schema: Raw | None
    subresources: Raw | None
    columns: Sequence[Raw]
    selectable_fields: Sequence[Raw]


@dataclass(frozen=True, slots=True)
class InternalSpec:
    """``spec``, with what all versions have in common (None, or empty, where they differ or have none)."""

    raw: Raw
    versions: Sequence[InternalVersion]
    validation: Raw | None
    subresources: Raw | None
    columns: Sequence[Raw]
    selectable_fields: Sequence[Raw]

    def subresources_of(self, version: InternalVersion) -> Raw | None:
        """What a version serves beside its objects (getSubresourcesForVersion): by its name, the first of that name."""
        if all(each.subresources is None for each in self.versions):
            return self.subresources
        return next(each.subresources for each in self.versions if each.name == version.name)

    @property
    def has_status(self) -> bool:
        """Whether any version has status as a subresource."""
        found = [self.subresources, *(each.subresources for each in self.versions)]
        return any((each or {}).get("status") is not None for each in found)


def internal_spec(spec: Raw) -> InternalSpec:
    """The spec of a CRD of version v1."""
    rows: Sequence[Raw] = spec.get("versions") or ()

    def common(name: str) -> Any:
        values = [row.get(name) or None for row in rows]
        return values[0] if values and all(same(each, values[0]) for each in values) else _DIFFERENT

    def of(row: Raw, name: str, shared: Any) -> Any:
        return row.get(name) if shared is _DIFFERENT else None

    shared = {name: common(name) for name in ("schema", "subresources", "additionalPrinterColumns", "selectableFields")}
    top = {name: None if value is _DIFFERENT else value for name, value in shared.items()}
    versions = [
        InternalVersion(
            name=row.get("name", ""),
            served=bool(row.get("served")),
            storage=bool(row.get("storage")),
            deprecated=bool(row.get("deprecated")),
            deprecation_warning=row.get("deprecationWarning"),
            schema=of(row, "schema", shared["schema"]),
            subresources=of(row, "subresources", shared["subresources"]),
            columns=of(row, "additionalPrinterColumns", shared["additionalPrinterColumns"]) or (),
            selectable_fields=of(row, "selectableFields", shared["selectableFields"]) or (),
        )
        for row in rows
    ]
    return InternalSpec(
        raw=spec,
        versions=versions,
        validation=top["schema"],
        subresources=top["subresources"],
        columns=top["additionalPrinterColumns"] or (),
        selectable_fields=top["selectableFields"] or (),
    )


_DIFFERENT = object()

# ------------------------------------------------------------------ as Go prints the types

_Field = tuple[str, str, Any]
"""The name in Go, the name in JSON, and what an absent one is."""


def _struct(raw: Raw | None, fields: Sequence[_Field], values: Mapping[str, Callable[[Any], str]]) -> str:
    if raw is None:
        return "null"
    parts = []
    for go_name, name, zero in fields:
        value = raw.get(name, zero)
        text = "null" if value is None else values.get(name, json_text)(value)
        parts.append(f'"{go_name}":{text}')
    return "{" + ",".join(parts) + "}"


def _list(show: Callable[[Any], str]) -> Callable[[Any], str]:
    return lambda values: "[" + ",".join(map(show, values)) + "]"


def _map(show: Callable[[Any], str]) -> Callable[[Any], str]:
    return lambda values: "{" + ",".join(f"{json_text(name)}:{show(values[name])}" for name in sorted(values)) + "}"


_SCHEMA_FIELDS: Sequence[_Field] = (
    ("ID", "id", ""), ("Schema", "$schema", ""), ("Ref", "$ref", None), ("Description", "description", ""),
    ("Type", "type", ""), ("Nullable", "nullable", False), ("Format", "format", ""), ("Title", "title", ""),
    ("Default", "default", None), ("Maximum", "maximum", None), ("ExclusiveMaximum", "exclusiveMaximum", False),
    ("Minimum", "minimum", None), ("ExclusiveMinimum", "exclusiveMinimum", False), ("MaxLength", "maxLength", None),
    ("MinLength", "minLength", None), ("Pattern", "pattern", ""), ("MaxItems", "maxItems", None),
    ("MinItems", "minItems", None), ("UniqueItems", "uniqueItems", False), ("MultipleOf", "multipleOf", None),
    ("Enum", "enum", None), ("MaxProperties", "maxProperties", None), ("MinProperties", "minProperties", None),
    ("Required", "required", None), ("Items", "items", None), ("AllOf", "allOf", None), ("OneOf", "oneOf", None),
    ("AnyOf", "anyOf", None), ("Not", "not", None), ("Properties", "properties", None),
    ("AdditionalProperties", "additionalProperties", None), ("PatternProperties", "patternProperties", None),
    ("Dependencies", "dependencies", None), ("AdditionalItems", "additionalItems", None),
    ("Definitions", "definitions", None), ("ExternalDocs", "externalDocs", None), ("Example", "example", None),
    ("XPreserveUnknownFields", "x-kubernetes-preserve-unknown-fields", None),
    ("XEmbeddedResource", "x-kubernetes-embedded-resource", False),
    ("XIntOrString", "x-kubernetes-int-or-string", False), ("XListMapKeys", "x-kubernetes-list-map-keys", None),
    ("XListType", "x-kubernetes-list-type", None), ("XMapType", "x-kubernetes-map-type", None),
    ("XValidations", "x-kubernetes-validations", None),
)  # fmt: skip
_RULE_FIELDS: Sequence[_Field] = (
    ("Rule", "rule", ""), ("Message", "message", ""), ("MessageExpression", "messageExpression", ""),
    ("Reason", "reason", None), ("FieldPath", "fieldPath", ""), ("OptionalOldSelf", "optionalOldSelf", None),
)  # fmt: skip
_DOCS_FIELDS: Sequence[_Field] = (("Description", "description", ""), ("URL", "url", ""))
_VERSION_FIELDS: Sequence[_Field] = (
    ("Name", "name", ""), ("Served", "served", False), ("Storage", "storage", False),
    ("Deprecated", "deprecated", False), ("DeprecationWarning", "deprecationWarning", None), ("Schema", "schema", None),
    ("Subresources", "subresources", None), ("AdditionalPrinterColumns", "additionalPrinterColumns", None),
    ("SelectableFields", "selectableFields", None),
)  # fmt: skip
_COLUMN_FIELDS: Sequence[_Field] = (
    ("Name", "name", ""), ("Type", "type", ""), ("Format", "format", ""), ("Description", "description", ""),
    ("Priority", "priority", 0), ("JSONPath", "jsonPath", ""),
)  # fmt: skip
_SCALE_FIELDS: Sequence[_Field] = (
    ("SpecReplicasPath", "specReplicasPath", ""), ("StatusReplicasPath", "statusReplicasPath", ""),
    ("LabelSelectorPath", "labelSelectorPath", None),
)  # fmt: skip


def _schema(raw: Raw) -> str:
    return _struct(raw, _SCHEMA_FIELDS, _SCHEMA_VALUES)


def _schema_or_array(value: Any) -> str:
    if isinstance(value, list):
        return f'{{"Schema":null,"JSONSchemas":{_list(_schema)(value)}}}'
    return f'{{"Schema":{_schema(value)},"JSONSchemas":null}}'


def _schema_or_bool(value: Any) -> str:
    if isinstance(value, bool):
        return f'{{"Allows":{json_text(value)},"Schema":null}}'
    return f'{{"Allows":true,"Schema":{_schema(value)}}}'


def _schema_or_strings(value: Any) -> str:
    if isinstance(value, list):
        return f'{{"Schema":null,"Property":{json_text(value)}}}'
    return f'{{"Schema":{_schema(value)},"Property":null}}'


def _rule(raw: Raw) -> str:
    return _struct(raw, _RULE_FIELDS, {})


_SCHEMA_VALUES: Mapping[str, Callable[[Any], str]] = {
    "items": _schema_or_array,
    "allOf": _list(_schema),
    "oneOf": _list(_schema),
    "anyOf": _list(_schema),
    "not": _schema,
    "properties": _map(_schema),
    "additionalProperties": _schema_or_bool,
    "patternProperties": _map(_schema),
    "dependencies": _map(_schema_or_strings),
    "additionalItems": _schema_or_bool,
    "definitions": _map(_schema),
    "externalDocs": lambda raw: _struct(raw, _DOCS_FIELDS, {}),
    "x-kubernetes-validations": _list(_rule),
}
_SUBRESOURCE_VALUES: Mapping[str, Callable[[Any], str]] = {
    "scale": lambda raw: _struct(raw, _SCALE_FIELDS, {}),
}
_VERSION_VALUES: Mapping[str, Callable[[Any], str]] = {
    "schema": lambda raw: _struct(raw, (("OpenAPIV3Schema", "openAPIV3Schema", None),), {"openAPIV3Schema": _schema}),
    "subresources": lambda raw: _struct(
        raw, (("Status", "status", None), ("Scale", "scale", None)), _SUBRESOURCE_VALUES
    ),
    "additionalPrinterColumns": _list(lambda raw: _struct(raw, _COLUMN_FIELDS, {})),
    "selectableFields": _list(lambda raw: _struct(raw, (("JSONPath", "jsonPath", ""),), {})),
}


def shown_schema(raw: Raw) -> Shown:
    """A schema as a bad value."""
    return Shown(_schema(raw))


def shown_rule(raw: Raw) -> Shown:
    """A rule of ``x-kubernetes-validations`` as a bad value."""
    return Shown(_rule(raw))


def shown_versions(spec: InternalSpec) -> Shown:
    """``spec.versions`` as a bad value."""
    if spec.raw.get("versions") is None:
        return Shown("null")
    rows = [
        {
            "name": each.name,
            "served": each.served,
            "storage": each.storage,
            "deprecated": each.deprecated,
            "deprecationWarning": each.deprecation_warning,
            "schema": each.schema,
            "subresources": each.subresources,
            "additionalPrinterColumns": each.columns or None,
            "selectableFields": each.selectable_fields or None,
        }
        for each in spec.versions
    ]
    return Shown(_list(lambda raw: _struct(raw, _VERSION_FIELDS, _VERSION_VALUES))(rows))
