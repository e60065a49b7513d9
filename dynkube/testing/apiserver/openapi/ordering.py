"""Schemas written as Go writes them: the hash of a document is of its bytes, so the order of fields counts.

kube-openapi, pkg/validation/spec/schema.go: the fields in the order of the struct, then extensions by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

__all__ = ["encode", "ordered_schema"]

_FIELDS: Final = (
    "id", "description", "type", "nullable", "format", "title", "default", "maximum", "exclusiveMaximum", "minimum",
    "exclusiveMinimum", "maxLength", "minLength", "pattern", "maxItems", "minItems", "uniqueItems", "multipleOf",
    "enum", "maxProperties", "minProperties", "required", "items", "allOf", "oneOf", "anyOf", "not", "properties",
    "additionalProperties", "discriminator", "readOnly", "xml", "externalDocs", "example", "$schema", "$ref",
)  # fmt: skip
_RULE: Final = "rule", "message", "messageExpression", "reason", "fieldPath", "optionalOldSelf"
_ONE: Final = frozenset({"items", "not", "additionalProperties"})
_MANY: Final = frozenset({"allOf", "oneOf", "anyOf"})
_PLACES: Final[Mapping[str, int]] = {name: place for place, name in enumerate(_FIELDS)}


def ordered_schema(schema: Any) -> Any:
    """The same schema with its fields in order, at every depth, without those that are omitted when empty."""
    if not isinstance(schema, Mapping):
        return schema
    names = sorted((name for name in schema if _is_written(name, schema[name])), key=_place)
    return {name: _ordered_field(name, schema[name]) for name in names}


def encode(document: Any) -> bytes:
    """JSON as Go's encoder writes v3 documents: compact, and safe to put into HTML. v2 it writes as it is."""
    import json

    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text.encode()


def _place(name: str) -> tuple[int, str]:
    return _PLACES.get(name, len(_FIELDS)), name


def _is_written(name: str, value: Any) -> bool:
    """Zero values of the struct are left out; those that are pointers there are not."""
    if name in {"nullable", "exclusiveMaximum", "exclusiveMinimum", "uniqueItems"}:
        return bool(value)
    return not (name in {"description", "format", "title", "pattern", "id"} and value == "")


def _ordered_field(name: str, value: Any) -> Any:
    if name == "properties":
        return {each: ordered_schema(value[each]) for each in sorted(value)}
    if name in _ONE:
        return ordered_schema(value)
    if name in _MANY:
        return [ordered_schema(each) for each in value]
    if name == "x-kubernetes-validations":
        return [{field: each[field] for field in _RULE if field in each} for each in value]
    return _by_name(value)


def _by_name(value: Any) -> Any:
    """Plain JSON: objects are sorted by name."""
    if isinstance(value, Mapping):
        return {name: _by_name(value[name]) for name in sorted(value)}
    if isinstance(value, list):
        return [_by_name(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
