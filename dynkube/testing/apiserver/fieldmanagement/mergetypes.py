"""How values merge: a schema as structured-merge-diff sees it.

Of all that a schema says, field management asks: may this be a scalar, a list, a map; is the list or
map one thing (atomic) or owned item by item; what tells the items apart. A type may allow all three
(``x-kubernetes-int-or-string``, no type at all); what the value is then decides.

kube-openapi/pkg/schemaconv/{openapi,smd}.go; structured-merge-diff/schema/elements.go, typed/parser.go
(the "deduced" type of what no schema describes).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from dynkube.testing.apiserver.words.schemas import Schema

__all__ = ["DEDUCED", "MergeType", "merge_type"]

_QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
_RAW_EXTENSION = "io.k8s.apimachinery.pkg.runtime.RawExtension"
_FIELDS_V1 = "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1"
_MERGING_STRATEGIES = frozenset({"merge", "merge,retainKeys"})


class MergeType:
    """What a value may be, and how it merges.

    Attributes:
        scalar: ``numeric``, ``string``, ``boolean``, ``untyped``, or "" where it is none.
        is_list: Whether it may be a list.
        is_map: Whether it may be an object or a map.
    """

    is_atomic_list = True
    is_atomic_map = False
    keys: tuple[str, ...] = ()
    """Of a list of type ``map``: the fields that tell its items apart. Empty: a set."""

    def __init__(self, scalar: str = "", *, is_list: bool = False, is_map: bool = False) -> None:
        self.scalar = scalar
        self.is_list = is_list
        self.is_map = is_map

    @cached_property
    def fields(self) -> Mapping[str, MergeType]:
        """The declared fields."""
        return {}

    @cached_property
    def values(self) -> MergeType | None:
        """What undeclared fields are; None where there may be none."""
        return DEDUCED

    @cached_property
    def items(self) -> MergeType:
        """What the items of a list are."""
        return _UNTYPED

    @cached_property
    def ordered_keys(self) -> Sequence[tuple[str, Any]]:
        """The keys, sorted, each with what it is where an item does not say, or None."""
        return ()

    @cached_property
    def is_deduced_map(self) -> bool:
        """Whether it is a map of which the schema says nothing: its ownership is never reconciled."""
        return not self.fields

    @cached_property
    def is_loose(self) -> bool:
        """Whether there may be anything in it: then ``1`` and ``true``, which Python holds equal, are both possible."""
        return True

    def field(self, name: str) -> MergeType:
        """The type of a field. Of one that may not be there, anything."""
        return self.fields.get(name) or self.values or _UNTYPED


class _Untyped(MergeType):
    """Anything, as one thing (``__untyped_atomic_``)."""

    is_atomic_map = True

    @cached_property
    def values(self) -> MergeType | None:
        return self

    @cached_property
    def is_deduced_map(self) -> bool:
        return False


class _Described(MergeType):
    """By a schema. Made without looking further; the rest is read when it is asked for."""

    def __init__(self, schema: Schema, *, preserving: bool) -> None:
        kind = schema.type
        scalar = _scalar(kind, schema.format)
        super().__init__(scalar, is_list=kind in ("", "array"), is_map=kind in ("", "object"))
        self._schema = schema
        self._preserving = preserving
        if self.is_map:
            self.is_atomic_map = schema.raw.get("x-kubernetes-map-type") == "atomic"
        if self.is_list:
            self.is_atomic_list, self.keys = _relationship(schema)

    @cached_property
    def fields(self) -> Mapping[str, MergeType]:
        return {name: merge_type(each, preserving=self._preserving) for name, each in self._schema.properties.items()}

    @cached_property
    def values(self) -> MergeType | None:
        additional = self._schema.raw.get("additionalProperties")
        if additional is None:
            return DEDUCED if self._preserving or not self._schema.raw.get("properties") else None
        described = self._schema.values
        if additional is True or described is None:
            return DEDUCED if additional else None
        return merge_type(described, preserving=self._preserving)

    @cached_property
    def items(self) -> MergeType:
        if "items" not in self._schema.raw:
            return _UNTYPED
        return merge_type(self._schema.items, preserving=self._preserving)

    @cached_property
    def ordered_keys(self) -> Sequence[tuple[str, Any]]:
        fields = self._schema.items.properties
        return [(key, fields[key].raw.get("default") if key in fields else None) for key in sorted(self.keys)]

    @cached_property
    def is_deduced_map(self) -> bool:
        if self._schema.raw.get("properties"):
            return False
        if self.values is None or self.values is DEDUCED:
            return self.values is DEDUCED
        inline = self._schema.values is not None and not self._schema.values.name
        return inline and self.values.scalar == "untyped"

    @cached_property
    def is_loose(self) -> bool:
        return _is_loose(self, set())

    @property
    def says_nothing(self) -> bool:
        """Whether a scalar here may be of any type."""
        return self._schema.type == "" and not self._schema.is_int_or_string

    @property
    def parts(self) -> list[MergeType]:
        """The types of what is in it."""
        found = list(self.fields.values()) if self.is_map else []
        if self.is_map and self.values is not None:
            found.append(self.values)
        return [*found, self.items] if self.is_list else found


_UNTYPED: MergeType = _Untyped("untyped", is_list=True, is_map=True)
DEDUCED: MergeType = MergeType("untyped", is_list=True, is_map=True)
"""Of what no schema describes: maps are owned entry by entry, lists as one thing."""


def merge_type(schema: Schema, *, preserving: bool = False) -> MergeType:
    """The type of a schema; the same schema gives the same one.

    ``preserving``: it stands within one that has ``x-kubernetes-preserve-unknown-fields``, which
    what is written inline inherits, and what is referred to does not.
    """
    if schema.name:
        preserving = False
    preserving = preserving or schema.preserves_unknown_fields
    name = "preserving merge type" if preserving else "merge type"
    found: MergeType | None = schema.derived.get(name)
    if found is None:
        found = schema.derived[name] = _make(schema, preserving=preserving)
    return found


def _make(schema: Schema, *, preserving: bool) -> MergeType:
    if schema.name == _QUANTITY:
        return MergeType("untyped")
    if schema.name == _RAW_EXTENSION:
        return _UNTYPED
    return _Described(schema, preserving=preserving)


def _scalar(kind: str, form: str) -> str:
    if kind in ("integer", "number"):
        return "numeric"
    if kind == "boolean":
        return "boolean"
    if kind == "string":
        return "string" if form in ("", "byte") else "untyped"
    return "" if kind in ("object", "array") else "untyped"


def _relationship(schema: Schema) -> tuple[bool, tuple[str, ...]]:
    """Whether a list is atomic, and its keys (getListElementRelationship)."""
    kind = schema.raw.get("x-kubernetes-list-type")
    if kind is not None:
        return kind not in ("set", "map"), schema.list_map_keys if kind == "map" else ()
    if schema.raw.get("x-kubernetes-patch-strategy") in _MERGING_STRATEGIES:
        return False, (schema.patch_merge_key,) if schema.patch_merge_key else ()
    return True, ()


def _is_loose(kind: MergeType, seen: set[int]) -> bool:
    if not isinstance(kind, _Described):
        return kind is DEDUCED or kind is _UNTYPED
    if id(kind) in seen or kind._schema.name == _FIELDS_V1:  # noqa: SLF001 - of this module
        return False
    seen.add(id(kind))
    return kind.says_nothing or any(_is_loose(each, seen) for each in kind.parts)
