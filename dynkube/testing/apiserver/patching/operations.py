"""JSON Patch as the API server applies it: evanphx/json-patch v4, which is not quite RFC 6902.

It replaces what is not there, copies it as null, takes an addition without a value for null, counts from the end
below zero, and compares numbers and strings as they are written: the document as Go writes it. So the operations
are written here, and not the ``jsonpatch`` library's, which keeps to the RFC. What goes wrong is always answered
with the same sentence, so nobody hears why.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, NoReturn

from dynkube.testing.apiserver.decoding.jsontext import NumberLiteral, RepeatedKeys, StringLiteral
from dynkube.testing.apiserver.patching.tracing import Trace
from dynkube.testing.apiserver.words import govalues

__all__ = ["PatchFailedError", "apply_operations"]

_INDEX: Final = re.compile(r"[+-]?[0-9]{1,18}")
_Container = dict[str, Any] | list[Any]


class PatchFailedError(Exception):
    """An operation cannot be applied, or is none."""


def apply_operations(document: Any, operations: list[Any], trace: Trace) -> Any:
    """What the operations make of a document.

    Args:
        document: JSON data, changed in place, whatever comes of it.
        operations: The patch, parsed with exact strings.
        trace: Filled with what was looked into.

    Raises:
        PatchFailedError: One of them cannot be applied.
    """
    patching = _Patching(document, trace)
    for each in operations:
        patching.apply(each if isinstance(each, dict) else {})
    return patching.document


class _Patching:
    """A document that is being patched."""

    def __init__(self, document: Any, trace: Trace) -> None:
        self.document = document
        self._trace = trace
        trace.add(document)

    def apply(self, operation: Mapping[str, Any]) -> None:
        name = operation.get("op")
        if name not in _OPERATIONS:
            _fail()
        getattr(self, f"_{name}")(operation)

    # ------------------------------------------------------------- operations

    def _add(self, operation: Mapping[str, Any]) -> None:
        self._put(_pointer(operation, "path"), operation.get("value"))

    def _remove(self, operation: Mapping[str, Any]) -> None:
        _delete(*self._find(_pointer(operation, "path")))

    def _replace(self, operation: Mapping[str, Any]) -> None:
        pointer, value = _pointer(operation, "path"), operation.get("value")
        if not pointer:
            self.document = value if isinstance(value, (dict, list)) else _fail()
            self._trace.add(value)
            return
        container, key = self._find(pointer)
        if isinstance(container, dict):
            container[key] = value
        else:
            _get(container, key)
            container[_index(key, len(container))] = value

    def _move(self, operation: Mapping[str, Any]) -> None:
        source = self._find(_pointer(operation, "from"))
        value = _get(*source)
        _delete(*source)
        self._put(_pointer(operation, "path"), value)

    def _copy(self, operation: Mapping[str, Any]) -> None:
        value = _get(*self._find(_pointer(operation, "from")))
        self._put(_pointer(operation, "path"), self._trace.copied(value))

    def _test(self, operation: Mapping[str, Any]) -> None:
        pointer = _pointer(operation, "path")
        found = _get(*self._find(pointer)) if pointer else self.document
        if not _is_written_alike(found, operation.get("value")):
            _fail()
        self._trace.add_all(found)

    # ------------------------------------------------------------- places

    def _find(self, pointer: str) -> tuple[_Container, str]:
        """The container that a pointer leads to, and the key or index in it.

        What is before the first slash is ignored.
        """
        _, *steps = pointer.split("/")
        if not steps:
            _fail()
        *path, last = (each.replace("~1", "/").replace("~0", "~") for each in steps)
        container = self.document
        for step in path:
            inner = _get(container, step)
            if isinstance(inner, RepeatedKeys):  # who looks into it sees the last ones
                inner = dict(inner)
                container[step if isinstance(container, dict) else _index(step, len(container))] = inner
            container = inner if isinstance(inner, (dict, list)) else _fail()
            self._trace.add(container)
        return container, last

    def _put(self, pointer: str, value: Any) -> None:
        container, key = self._find(pointer)
        if isinstance(container, dict):
            container[key] = value
        elif key == "-":
            container.append(value)
        else:
            index = _index(key, len(container) + 1)
            if index > len(container):
                _fail()
            container.insert(index, value)


_OPERATIONS: Final = frozenset({"add", "copy", "move", "remove", "replace", "test"})


def _pointer(operation: Mapping[str, Any], name: str) -> str:
    pointer = operation.get(name)
    return str(pointer) if isinstance(pointer, str) else _fail()


def _get(container: _Container, key: str) -> Any:
    """A member; of an object null where there is none."""
    if isinstance(container, dict):
        return container.get(key)
    index = _index(key, len(container))
    return container[index] if index < len(container) else _fail()


def _delete(container: _Container, key: str) -> None:
    if isinstance(container, dict):
        if key not in container:
            _fail()
        del container[key]
    else:
        index = _index(key, len(container))
        if index >= len(container):
            _fail()
        del container[index]


def _index(key: str, size: int) -> int:
    """An index into so many items; may be too large."""
    if not _INDEX.fullmatch(key):
        _fail()
    index = int(key)
    if index >= 0:
        return index
    return index + size if index >= -size else _fail()


def _fail() -> NoReturn:
    raise PatchFailedError


# --------------------------------------------------------------------------- values


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
