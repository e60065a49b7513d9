"""JSON data as values of cel-python, typed by the schema (AS/cel/common/valuesunstructured.go).

Only imported where a CRD has rules.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import Any

from celpy import celtypes
from celpy.adapter import json_to_cel
from celpy.evaluation import CELEvalError

from dynkube.testing.apiserver.customresources.escaping import escaped
from dynkube.testing.apiserver.customresources.structural import Structural, structural
from dynkube.testing.apiserver.decoding.scalars import canonical_base64
from dynkube.testing.apiserver.words.govalues import go_type

__all__ = ["KeyedList", "SetList", "bound", "failure", "with_type_meta"]

_HIDDEN = "\0"
"""Begins the keys of what a rule cannot reach, but what counts when objects are compared."""


def failure(text: str) -> CELEvalError:
    """An error as a value."""
    return CELEvalError(text)


class SetList(celtypes.ListType):
    """A list of type set: its order is nothing, and what is added twice is there once."""


class KeyedList(celtypes.ListType):
    """A list of type map: items are told apart by keys."""

    keys: tuple[str, ...] = ()


def with_type_meta(schema: Structural) -> Structural:
    """The root of an object as rules see it: kind, apiVersion and the names in metadata are always there."""
    properties = schema.properties
    metadata = properties.get("metadata")
    has_all = (
        metadata is not None
        and metadata.type == "object"
        and all(name in metadata.properties for name in ("name", "generateName"))
        and all(name in properties and properties[name].type == "string" for name in ("apiVersion", "kind"))
    )
    if has_all:
        return schema
    changes = {name: getattr(schema, name) for name in schema.__slots__}
    return Structural(**{**changes, "properties": {**properties, **_TYPE_META.properties}})


_TYPE_META = structural(
    {
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {
                "type": "object",
                "properties": {"name": {"type": "string"}, "generateName": {"type": "string"}},
            },
        }
    }
)


def bound(value: Any, schema: Structural, *, is_resource: bool = False) -> Any:
    """A value for cel-python; an error where it is not what the schema says: it may have been let pass."""
    if value is None:
        return None if schema.is_nullable else failure("invalid data, got null for schema with nullable=false")
    if schema.is_int_or_string:
        return _int_or_string(value)
    if schema.type == "object":
        return _object(value, with_type_meta(schema) if is_resource or schema.is_embedded else schema)
    bind = _BINDERS.get(schema.type)
    return json_to_cel(value) if bind is None else bind(value, schema)


def _int_or_string(value: Any) -> Any:
    if isinstance(value, str):
        return celtypes.StringType(value)
    if type(value) is int:
        return celtypes.IntType(value)
    return failure("invalid data, expected XIntOrString value to be either a string or integer")


def _object(value: Any, schema: Structural) -> Any:
    if not isinstance(value, dict):
        return failure("invalid data, expected a map for the provided schema with type=object")
    if not schema.properties and schema.additional is not None:
        additional = schema.additional
        entries: Iterable[tuple[Any, Any]] = ((name, bound(each, additional)) for name, each in value.items())
    else:
        entries = _fields(value, schema)
    return celtypes.MapType({celtypes.StringType(name): each for name, each in entries})


def _fields(value: dict[str, Any], schema: Structural) -> Iterator[tuple[str, Any]]:
    """The fields of an object; a null of a nullable field is as good as absent."""
    for name, each in value.items():
        known = schema.properties.get(name)
        identifier = escaped(name) if known is not None else None
        if known is None or identifier is None:
            yield _HIDDEN + name, json_to_cel(each)
        elif each is not None:
            yield identifier, bound(each, known)


def _array(value: Any, schema: Structural) -> Any:
    if not isinstance(value, list):
        return failure("invalid data, expected an array for the provided schema with type=array")
    items = schema.items or schema
    found = [bound(each, items) for each in value]
    if schema.list_type == "set":
        return SetList(found)
    if schema.list_type == "map":
        keyed = KeyedList(found)
        keyed.keys = tuple(escaped(name) or name for name in schema.list_map_keys)
        return keyed
    return celtypes.ListType(found)


def _string(value: Any, schema: Structural) -> Any:
    if not isinstance(value, str):
        return failure(f"invalid data, expected string, got {go_type(value)}")
    name = str(schema.raw.get("format", ""))
    make = _FORMATS.get(name)
    if make is None:
        return celtypes.StringType(value)
    try:
        return make(value)
    except ValueError as error:
        what = name if name == "duration" else f"{name} formatted string"
        return failure(f"Invalid {what} {value}: {error}")


def _number(value: Any, schema: Structural) -> Any:
    del schema
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return celtypes.DoubleType(value)
    return failure(f"invalid data, expected float, got {go_type(value)}")


def _integer(value: Any, schema: Structural) -> Any:
    del schema
    if type(value) is int:
        return celtypes.IntType(value)
    return failure(f"invalid data, expected int, got {go_type(value)}")


def _boolean(value: Any, schema: Structural) -> Any:
    del schema
    if isinstance(value, bool):
        return celtypes.BoolType(value)
    return failure(f"invalid data, expected bool, got {go_type(value)}")


def _timestamp(value: str) -> Any:
    return celtypes.TimestampType(value.upper() if "t" in value or "z" in value else value)


def _date(value: str) -> Any:
    return celtypes.TimestampType(f"{value}T00:00:00Z")


_DURATION = re.compile(r"(\d+\.?\d*|\.\d+)\s*([A-Za-zµμ]+)")
_SECONDS = {"n": 1e-9, "u": 1e-6, "µ": 1e-6, "μ": 1e-6, "ms": 1e-3, "mil": 1e-3, "s": 1, "m": 60, "h": 3600, "d": 86400}


def _duration(value: str) -> Any:
    total = sum(float(number) * _unit(unit.lower()) for number, unit in _DURATION.findall(value))
    return celtypes.DurationType(timedelta(seconds=-total if value.startswith("-") else total))


def _unit(unit: str) -> float:
    if unit.startswith("w"):
        return 7 * 86400
    for prefix in ("ms", "mil"):
        if unit.startswith(prefix):
            return 1e-3
    if unit.startswith("mic"):
        return 1e-6
    return _SECONDS.get(unit[0], 0)


def _bytes(value: str) -> Any:
    return celtypes.BytesType(base64.b64decode(canonical_base64(value)))


_FORMATS: dict[str, Callable[[str], Any]] = {
    "duration": _duration,
    "date": _date,
    "date-time": _timestamp,
    "byte": _bytes,
}
_BINDERS: dict[str, Callable[[Any, Structural], Any]] = {
    "array": _array,
    "string": _string,
    "number": _number,
    "integer": _integer,
    "boolean": _boolean,
}
