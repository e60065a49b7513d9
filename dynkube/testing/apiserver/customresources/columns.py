"""The columns that a CRD prints its objects in (AE/registry/customresource/tableconvertor/tableconvertor.go)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from dynkube.errors import InvalidRequestError
from dynkube.quantities import parse_time
from dynkube.testing.apiserver.customresources.jsonpath import JSONPath, parse, printed
from dynkube.testing.apiserver.printing import Printer
from dynkube.testing.apiserver.printing.durations import human
from dynkube.testing.apiserver.words.resources import Object

__all__ = ["printer", "scale_printer"]

_NAME = {
    "name": "Name",
    "type": "string",
    "format": "name",
    "description": (
        "Name must be unique within a namespace. Is required when creating resources, although some resources may "
        "allow a client to request the generation of an appropriate name automatically. Name is primarily intended "
        "for creation idempotence and configuration definition. Cannot be updated. More info: "
        "https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names"
    ),
    "priority": 0,
}
_AGE = {
    "name": "Age",
    "type": "date",
    "description": (
        "CreationTimestamp is a timestamp representing the server time when this object was created. It is not "
        "guaranteed to be set in happens-before order across separate operations. Clients may not set this value. "
        "It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. "
        "More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata"
    ),
    "jsonPath": ".metadata.creationTimestamp",
}
_EXPONENTS_FROM = 1e21  # Go writes greater numbers as 1e+21


def printer(version: Mapping[str, Any]) -> Printer:
    """Of a version of a CRD (an entry of ``spec.versions``): its columns, else only how old an object is."""
    return _printer(version.get("additionalPrinterColumns") or [_AGE])


def scale_printer(version: Mapping[str, Any]) -> Printer:
    """Of the scale of a version's objects."""
    scale = (version.get("subresources") or {}).get("scale") or {}
    columns = [
        {"name": name, "type": "integer", "description": description, "jsonPath": path}
        for key, name, description, path in (
            ("specReplicasPath", "Desired", "Number of desired replicas", ".spec.replicas"),
            ("statusReplicasPath", "Available", "Number of actual replicas", ".status.replicas"),
        )
        if scale.get(key)
    ]
    return _printer([*columns, _AGE])


def _printer(columns: Sequence[Mapping[str, Any]]) -> Printer:
    """Columns up to the first whose path is none: that one and those behind it are not shown."""
    headers: list[Mapping[str, Any]] = [_NAME]
    paths: list[tuple[str, JSONPath]] = []
    for column in columns:
        try:
            path = parse(column["jsonPath"])
        except ValueError:
            break
        paths.append((column["type"], path))
        headers.append(_header(column))

    def cells(obj: Object, now: datetime) -> list[Any]:
        return [obj["metadata"].get("name", ""), *(_cell(kind, path, obj, now) for kind, path in paths)]

    return Printer(columns=headers, cells=cells)


def _header(column: Mapping[str, Any]) -> Mapping[str, Any]:
    path = f"Custom resource definition column (in JSONPath format): {column['jsonPath']}"
    return {
        "name": column["name"],
        "type": column["type"],
        "format": column.get("format", ""),
        "description": column.get("description") or path,
        "priority": column.get("priority", 0),
    }


def _cell(kind: str, path: JSONPath, obj: Object, now: datetime) -> Any:
    try:
        found = path.find(obj)
    except ValueError:
        return None
    if not found:
        return None
    value = found[0]
    if kind == "string":
        return printed(value)
    return _typed_cell(kind, value, now)


def _typed_cell(kind: str, value: Any, now: datetime) -> Any:
    """What a column of another type shows of a value; nothing of one that is not of the type (cellForJSONValue)."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind == "integer" and is_number:
        return int(value)
    if kind == "number" and is_number:
        number = float(value)
        return int(number) if number.is_integer() and abs(number) < _EXPONENTS_FROM else number
    if kind == "boolean" and isinstance(value, bool):
        return value
    return _date_cell(value, now) if kind == "date" and isinstance(value, str) else None


def _date_cell(value: str, now: datetime) -> str:
    if not value or value == "null":
        return "<unknown>"
    try:
        return human(now - parse_time(value))
    except InvalidRequestError:
        return "<invalid>"
