"""Who owns which fields: what a manager applied, read back from an object's ``metadata.managedFields``.

See https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management, and for client-go's
ExtractInto AM/util/managedfields/extract.go. The form of the paths is that of structured-merge-diff's fieldpath:
``f:name`` is a field, ``k:{...}`` an item of a list by its keys, ``v:...`` an item by its value, ``i:0`` by its place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any

from dynkube import codec
from dynkube.errors import DecodeError, InvalidRequestError

__all__ = ["extract"]


def extract(obj: Mapping[str, Any], field_manager: str, *, subresource: str = "") -> dict[str, Any]:
    """What a manager has applied: the object with the fields that it owns by server-side apply, and no others.

    Change it and apply it again: what is left out of it then is given up.

    Args:
        obj: the object, as the server gave it; of a subresource, whose fields it manages, the object itself.
        field_manager: the name that was given to ``apply``.
        subresource: what was applied to: ``"status"``; ``""`` for the object itself.

    Returns:
        A new object: ``apiVersion``, ``kind``, its name and namespace, and the owned fields; where the manager owns
        nothing (any more), no more than those.

    Raises:
        InvalidRequestError: the object is no dict.
        DecodeError: its managedFields cannot be read.

    Example:
        >>> pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "api", "labels": {"a": "1", "b": "2"},
        ...     "managedFields": [{"manager": "me", "operation": "Apply", "fieldsType": "FieldsV1",
        ...         "fieldsV1": {"f:metadata": {"f:labels": {"f:a": {}}}}}]}}
        >>> extract(pod, "me")
        {'apiVersion': 'v1', 'kind': 'Pod', 'metadata': {'name': 'api', 'labels': {'a': '1'}}}
    """
    if not isinstance(obj, Mapping):
        raise InvalidRequestError(f"obj must be a dict, not a {type(obj).__name__}")
    metadata = obj.get("metadata") or {}
    fields = _applied_by(field_manager, subresource, metadata.get("managedFields") or ())
    owned = _owned(obj, fields) if fields else {}
    named = {key: metadata[key] for key in ("name", "namespace") if metadata.get(key)}
    kept = {key: value for key, value in owned.items() if key not in {"apiVersion", "kind", "metadata"}}
    typed = {key: obj[key] for key in ("apiVersion", "kind") if key in obj}
    return {**typed, "metadata": {**named, **owned.get("metadata", {})}, **kept}


def _applied_by(manager: str, subresource: str, entries: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    wanted = (manager, "Apply", subresource)
    for entry in entries:
        if (entry.get("manager"), entry.get("operation"), entry.get("subresource", "")) == wanted:
            fields: Mapping[str, Any] = entry.get("fieldsV1") or {}
            return fields
    return {}


def _owned(value: Any, fields: Mapping[str, Any]) -> Any:
    """The part of a value that the fields name; all of it where they name nothing below it."""
    if not isinstance(fields, Mapping):
        raise DecodeError(f"managedFields: a path must lead to an object, not to {type(fields).__name__}")
    below = {path: inner for path, inner in fields.items() if path != "."}
    if not below:
        return deepcopy(value)
    if isinstance(value, Mapping):
        names = ((path.removeprefix("f:"), inner) for path, inner in below.items() if path.startswith("f:"))
        return {name: _owned(value[name], inner) for name, inner in names if name in value}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return list(_owned_items(value, [(*_parsed(path), inner) for path, inner in below.items()]))
    return None  # owned once as an object or a list, which it is no more


def _owned_items(items: Sequence[Any], paths: list[tuple[str, Any, Any]]) -> Iterator[Any]:
    for index, item in enumerate(items):
        for form, wanted, inner in paths:
            if form == "k" and isinstance(item, Mapping) and all(item.get(key) == wanted[key] for key in wanted):
                part = _owned(item, inner)
                yield {**wanted, **part} if isinstance(part, dict) else part
            elif (form == "v" and item == wanted) or (form == "i" and index == wanted):
                yield _owned(item, inner)


def _parsed(path: str) -> tuple[str, Any]:
    form, _, text = path.partition(":")
    wanted = codec.decode(text.encode()) if form in {"k", "v", "i"} else None
    if form == "k" and not isinstance(wanted, dict):
        raise DecodeError(f"managedFields: {path!r} names no keys")
    return form, wanted
