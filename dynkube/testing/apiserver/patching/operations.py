"""JSON Patch as the API server applies it: evanphx/json-patch v4, which is not quite RFC 6902.

It replaces what is not there, copies it as null, takes an addition without a value for null, counts from the end
below zero, and compares numbers and strings as they are written: the document as Go writes it. So the operations
are written here, and not the ``jsonpatch`` library's, which keeps to the RFC. What goes wrong is always answered
with the same sentence, so nobody hears why.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NoReturn

from dynkube.testing.apiserver import govalues
from dynkube.testing.apiserver.decoding.jsontext import NumberLiteral, StringLiteral

__all__ = ["PatchFailedError", "apply_operations"]

_INDEX: Final = re.compile(r"[+-]?[0-9]{1,18}")
_Container = dict[str, Any] | list[Any]


class PatchFailedError(Exception):
    """An operation cannot be applied, or is none."""


def apply_operations(document: Any, operations: list[Any]) -> Any:
    """What the operations make of a document.

    Args:
        document: JSON data, changed in place, whatever comes of it.
        operations: The patch, parsed with exact strings.

    Raises:
        PatchFailedError: One of them cannot be applied.
    """
    for each in operations:
        operation = each if isinstance(each, dict) else {}
        apply = _OPERATIONS.get(operation.get("op") or "")
        if apply is None:
            raise PatchFailedError
        document = apply(document, operation)
    return document


# --------------------------------------------------------------------------- where


def _pointer(operation: Mapping[str, Any], name: str) -> str:
    pointer = operation.get(name)
    return pointer if isinstance(pointer, str) else _fail()


def _parent(document: Any, pointer: str) -> tuple[_Container, str]:
    """The container that a pointer leads to, and the key or index in it. What is before the first slash is ignored."""
    _, *steps = pointer.split("/")
    if not steps:
        _fail()
    *path, last = (each.replace("~1", "/").replace("~0", "~") for each in steps)
    container = document
    for step in path:
        container = _get(container, step)
        if not isinstance(container, (dict, list)):
            _fail()
    return container, last


def _get(container: _Container, key: str) -> Any:
    """A member; of an object null where there is none."""
    if isinstance(container, dict):
        return container.get(key)
    index = _index(key, len(container))
    return container[index] if index < len(container) else _fail()


def _index(key: str, size: int) -> int:
    """An index into so many items; may be too large."""
    if not _INDEX.fullmatch(key):
        _fail()
    index = int(key)
    if index >= 0:
        return index
    return index + size if index >= -size else _fail()


def _add(container: _Container, key: str, value: Any) -> None:
    if isinstance(container, dict):
        container[key] = value
    elif key == "-":
        container.append(value)
    else:
        index = _index(key, len(container) + 1)
        if index > len(container):
            _fail()
        container.insert(index, value)


def _remove(container: _Container, key: str) -> None:
    if isinstance(container, dict):
        if key not in container:
            _fail()
        del container[key]
    else:
        index = _index(key, len(container))
        if index >= len(container):
            _fail()
        del container[index]


def _fail() -> NoReturn:
    raise PatchFailedError


# --------------------------------------------------------------------------- what


def _apply_add(document: Any, operation: Mapping[str, Any]) -> Any:
    _add(*_parent(document, _pointer(operation, "path")), _value(operation))
    return document


def _apply_remove(document: Any, operation: Mapping[str, Any]) -> Any:
    _remove(*_parent(document, _pointer(operation, "path")))
    return document


def _apply_replace(document: Any, operation: Mapping[str, Any]) -> Any:
    pointer = _pointer(operation, "path")
    if not pointer:
        value = _value(operation)
        return value if isinstance(value, (dict, list)) else _fail()
    container, key = _parent(document, pointer)
    if isinstance(container, dict):
        container[key] = _value(operation)
    else:
        _get(container, key)
        container[_index(key, len(container))] = _value(operation)
    return document


def _apply_move(document: Any, operation: Mapping[str, Any]) -> Any:
    source = _parent(document, _pointer(operation, "from"))
    value = _get(*source)
    _remove(*source)
    _add(*_parent(document, _pointer(operation, "path")), value)
    return document


def _apply_copy(document: Any, operation: Mapping[str, Any]) -> Any:
    value = copy.deepcopy(_get(*_parent(document, _pointer(operation, "from"))))
    _add(*_parent(document, _pointer(operation, "path")), value)
    return document


def _apply_test(document: Any, operation: Mapping[str, Any]) -> Any:
    pointer = _pointer(operation, "path")
    found = _get(*_parent(document, pointer)) if pointer else document
    return document if _is_written_alike(found, operation.get("value")) else _fail()


_OPERATIONS: Final[Mapping[str, Callable[[Any, Mapping[str, Any]], Any]]] = {
    "add": _apply_add,
    "copy": _apply_copy,
    "move": _apply_move,
    "remove": _apply_remove,
    "replace": _apply_replace,
    "test": _apply_test,
}


def _value(operation: Mapping[str, Any]) -> Any:
    return _without_string_literals(operation.get("value"))


def _without_string_literals(value: Any) -> Any:
    if isinstance(value, StringLiteral):
        return str(value)
    if isinstance(value, dict):
        for key, each in value.items():
            value[key] = _without_string_literals(each)
    elif isinstance(value, list):
        value[:] = [_without_string_literals(each) for each in value]
    return value


def _is_written_alike(one: Any, other: Any) -> bool:
    if isinstance(one, dict):
        return (
            isinstance(other, dict)
            and one.keys() == other.keys()
            and all(_is_written_alike(each, other[key]) for key, each in one.items())
        )
    if isinstance(one, list):
        return isinstance(other, list) and len(one) == len(other) and all(map(_is_written_alike, one, other))
    return not isinstance(other, (dict, list)) and _written(one) == _written(other)


def _written(scalar: Any) -> str:
    if isinstance(scalar, (NumberLiteral, StringLiteral)):
        return scalar.text
    return govalues.json_text(scalar)
