"""The Go types behind the built-in kinds, from the recorded table: what decoding into them does to an object.

The OpenAPI documents say nothing of it: how error messages call a type, in which struct a field stands, whether
a zero value is written. ``tests/recording/gotypes`` reads that off the types of the server.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from dynkube.testing.apiserver import recorded
from dynkube.testing.apiserver.decoding.containernodes import Bytes, Mapped, Pointer, Slice, Struct
from dynkube.testing.apiserver.decoding.empties import note_empties
from dynkube.testing.apiserver.decoding.problems import DecodingError
from dynkube.testing.apiserver.decoding.scalarnodes import Boolean, Floating, Integer, String
from dynkube.testing.apiserver.decoding.selfdecoding import SELF_DECODING
from dynkube.testing.apiserver.decoding.typenodes import Field, Node, State

__all__ = ["GoTypes", "KindRecord", "gotypes"]

_MAP = re.compile(r"map\[([^]]*)\](.*)")
_BASIC_NAMES = frozenset({"string", "bool", "int32", "int64", "uint8", "float64"})

# Known under any version (AM/runtime/scheme.go, AddUnversionedTypes).
_UNVERSIONED = frozenset({"APIGroup", "APIGroupList", "APIResourceList", "APIVersions", "DeleteOptions", "Status"})


class KindRecord(NamedTuple):
    """A kind that the server has a type for."""

    definition: str
    """The name of its type, as in the OpenAPI documents."""
    internal: str
    """The type that the server works with (``core.Pod``): the same for all versions; "" where there is none."""


class GoTypes:
    """The types of one recorded table, made into nodes when they are first needed.

    Args:
        table: As ``tests/recording/gotypes`` prints it.
    """

    def __init__(self, table: Mapping[str, Any]) -> None:
        self._kinds: Mapping[str, Sequence[str]] = table["kinds"]
        self._types: Mapping[str, Sequence[str]] = table["types"]
        self._nodes: dict[str, Node] = {}

    def kind(self, api_version: str, kind: str) -> KindRecord | None:
        """What is known of a kind; None for one that the server's scheme does not have."""
        found = self._kinds.get(f"{'v1' if kind in _UNVERSIONED else api_version} {kind}")
        return None if found is None else KindRecord(*found)

    def normalize(self, obj: dict[str, Any], definition: str, *, at: str = "") -> list[str]:
        """Make of decoded JSON what the type holds of it, in place (``sigs.k8s.io/json``, UnmarshalStrict).

        Args:
            obj: Plain data, or what `jsontext.load` made.
            definition: The name of the type: ``io.k8s.api.apps.v1.Deployment``.
            at: Where ``obj`` stands in a larger object, for the paths of what is complained of.

        Returns:
            What strict field validation complains of: ``unknown field "spec.x"``.

        Raises:
            DecodingError: A value is of a wrong type.
        """
        state = State(f".{at}" if at else "")
        result = self.node(definition).decode(obj, state)
        if state.mismatch:
            raise DecodingError(state.mismatch)
        note_empties(state.empties)
        _become(obj, result)
        return state.problems.texts()

    def convert(self, obj: dict[str, Any], definition: str) -> list[str]:
        """The same for the outcome of a strategic merge, in place (AM/runtime/converter.go).

        Other than `normalize` it knows no duplicates, sorts what it complains of, and lets integers that are too
        large wrap around.

        Raises:
            DecodingError: A value is of a wrong type.
        """
        state = State()
        result = self.node(definition).convert(obj, state)
        note_empties(state.empties)
        _become(obj, result)
        return sorted(state.unmatched)

    def arranged(self, obj: dict[str, Any], definition: str) -> dict[str, Any]:
        """What `normalize` made, with its fields in the order in which Go writes them; a new dict."""
        result: dict[str, Any] = self.node(definition).ordered(obj)
        return result

    def node(self, reference: str) -> Node:
        """The node of a type: a definition's name, or what a field has in the table (``*int32``).

        Raises:
            KeyError: There is no such type.
        """
        node = self._nodes.get(reference)
        if node is None:
            node = self._nodes[reference] = self._made(reference)
        return node

    def _made(self, reference: str) -> Node:
        if reference in _BASIC_NAMES:
            return _basic(reference, reference)
        if reference.startswith("*"):
            return Pointer(self.node(reference[1:]))
        if reference.startswith("[]"):
            item = self.node(reference[2:])
            return Bytes("[]uint8", item) if reference == "[]uint8" else Slice(f"[]{item.name}", item)
        found = _MAP.fullmatch(reference)
        if found is not None:
            item = self.node(found[2])
            return Mapped(f"map[{self._name(found[1])}]{item.name}", item)
        return self._named(reference)

    def _name(self, reference: str) -> str:
        return reference if reference in _BASIC_NAMES else self._types[reference][0]

    def _named(self, definition: str) -> Node:
        name, *contents = self._types[definition]
        if not contents or not contents[0].startswith("="):
            return Struct(name, lambda: self._fields(name, contents))
        made_of = contents[0][1:]
        if made_of.startswith("!"):
            package = definition.rpartition(".")[0]
            return SELF_DECODING[made_of[1:]](name, lambda other: self.node(f"{package}.{other}"))
        if made_of in _BASIC_NAMES:
            return _basic(name, made_of)
        if made_of.startswith("[]"):
            return Slice(name, self.node(made_of[2:]))
        found = _MAP.fullmatch(made_of)
        if found is None:
            raise KeyError(f"{definition} is made of {made_of}")
        return Mapped(name, self.node(found[2]))

    def _fields(self, struct: str, rows: Sequence[str]) -> list[Field]:
        owner = struct.rpartition(".")[2]
        fields = []
        for row in rows:
            name, reference, *options = row.split(" ")
            given = {option: value for option, _, value in (each.partition("=") for each in options)}
            fields.append(Field(name, self.node(reference), owner=owner, options=given))
        return fields


def _basic(name: str, kind: str) -> Node:
    if kind == "string":
        return String(name)
    if kind == "bool":
        return Boolean(name)
    return Floating(name) if kind == "float64" else Integer(name, kind)


def _become(obj: dict[str, Any], result: dict[str, Any]) -> None:
    if result is not obj:
        obj.clear()
        obj.update(result)


@cache
def gotypes() -> GoTypes:
    """The types of the recorded server."""
    return GoTypes(recorded.load("go-types.json"))
