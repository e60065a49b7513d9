"""The types of values in rules, as cel-go's checker knows them (AS/cel/common/schemas.go)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from dynkube.testing.apiserver.customresources.escaping import escaped
from dynkube.testing.apiserver.customresources.structural import META_FIELDS, Structural

__all__ = [
    "BOOL",
    "BYTES",
    "DOUBLE",
    "DURATION",
    "DYN",
    "INT",
    "NULL",
    "NUMBERS",
    "STRING",
    "TIMESTAMP",
    "TYPE",
    "UINT",
    "ListOf",
    "MapOf",
    "ObjectOf",
    "Type",
    "are_alike",
    "joined",
    "type_of",
]

DYN, BOOL, BYTES, DOUBLE, DURATION, INT = "dyn", "bool", "bytes", "double", "duration", "int"
NULL, STRING, TIMESTAMP, TYPE, UINT = "null", "string", "timestamp", "type", "uint"
NUMBERS = frozenset({INT, UINT, DOUBLE})


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list; of `DYN` also what an empty one holds."""

    items: Type

    def __str__(self) -> str:
        return f"list({self.items})"


@dataclass(frozen=True, slots=True)
class MapOf:
    """A map."""

    keys: Type
    values: Type

    def __str__(self) -> str:
        return f"map({self.keys}, {self.values})"


@dataclass(frozen=True, slots=True)
class ObjectOf:
    """An object with fields; two are the same type if they are of one place in the schema."""

    name: str
    fields: Mapping[str, Type] = field(compare=False, hash=False)

    def __str__(self) -> str:
        return self.name


Type: TypeAlias = str | ListOf | MapOf | ObjectOf


def are_alike(one: Type, other: Type) -> bool:
    """Whether values of the types may be compared and stand for each other."""
    if DYN in (one, other) or one == other:
        return True
    if isinstance(one, ListOf) and isinstance(other, ListOf):
        return are_alike(one.items, other.items)
    if isinstance(one, MapOf) and isinstance(other, MapOf):
        return are_alike(one.keys, other.keys) and are_alike(one.values, other.values)
    # Null is a value of what a message is to CEL.
    nullable = (ObjectOf, ListOf, MapOf)
    for null, value in ((one, other), (other, one)):
        if null == NULL and (isinstance(value, nullable) or value in (TIMESTAMP, DURATION)):
            return True
    return False


def joined(one: Type, other: Type) -> Type:
    """The type of what is either."""
    if isinstance(one, ListOf) and isinstance(other, ListOf):
        return ListOf(joined(one.items, other.items))
    return other if one in (DYN, NULL) else one


_FORMATS = {"byte": BYTES, "duration": DURATION, "date": TIMESTAMP, "date-time": TIMESTAMP}
_SCALARS = {"boolean": BOOL, "number": DOUBLE, "integer": INT}
_NAMES: Mapping[str, Type] = {"name": STRING, "generateName": STRING}


def type_of(schema: Structural, *, is_resource: bool = False, name: str = "selfType") -> Type | None:
    """The type of what obeys a schema; None for what rules cannot speak of."""
    if schema.is_int_or_string:
        return DYN
    if schema.type == "string":
        return _FORMATS.get(str(schema.raw.get("format", "")), STRING)
    if schema.type == "array":
        below = schema.items
        items = type_of(below, is_resource=below.is_embedded, name=f"{name}.@idx") if below else None
        return ListOf(items) if items is not None else None
    if schema.type == "object" or is_resource:
        return _object_type(schema, is_resource=is_resource, name=name)
    return _SCALARS.get(schema.type)


def _object_type(schema: Structural, *, is_resource: bool, name: str) -> Type | None:
    if schema.additional is not None and not schema.properties:
        values = type_of(schema.additional, is_resource=schema.additional.is_embedded, name=f"{name}.@elem")
        return MapOf(STRING, values) if values is not None else None
    fields: dict[str, Type] = {}
    for each, below in schema.properties.items():
        identifier = escaped(each)
        kind = type_of(below, is_resource=below.is_embedded, name=f"{name}.{each}") if identifier else None
        if identifier and kind is not None:
            fields[identifier] = kind
    if is_resource:
        known: dict[str, Type] = {"apiVersion": STRING, "kind": STRING}
        known["metadata"] = ObjectOf(f"{name}.metadata", _NAMES)
        fields = fields if _says_all(fields) else fields | known
    return ObjectOf(name, fields)


def _says_all(fields: Mapping[str, Type]) -> bool:
    metadata = fields.get("metadata")
    return fields.keys() >= META_FIELDS and isinstance(metadata, ObjectOf) and metadata.fields.keys() >= _NAMES.keys()
