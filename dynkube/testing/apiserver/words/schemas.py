"""One view of a schema for all machinery: of OpenAPI v3 documents and of CRDs alike.

Decoding, patching, field management and validation read a `Schema`; none of them reads the JSON of a
document. Nodes are made when they are first looked at, and kept: the core group's document has 800
definitions, of which a test touches a few.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

__all__ = ["ANYTHING", "Definitions", "Schema"]

_REFERENCE = "#/components/schemas/"


class Schema:
    """What a value may be. Everything that a node of a document says, by name; lazily resolved.

    Attributes:
        raw: The node as the document has it, references followed (``allOf`` of one is merged).
        name: The definition's name (``io.k8s.api.core.v1.PodSpec``), "" where it has none.
    """

    def __init__(self, raw: Mapping[str, Any], find: Callable[[str], Schema], name: str = "") -> None:
        self.raw = raw
        self.name = name
        self._find = find

    def __repr__(self) -> str:
        return f"<Schema {self.name or self.type or 'anything'}>"

    @cached_property
    def type(self) -> str:
        """``object``, ``array``, ``string``, ``integer``, ``number``, ``boolean``, or "" for anything."""
        return str(self.raw.get("type", ""))

    @cached_property
    def format(self) -> str:
        """Such as ``int32``, ``byte``, ``date-time``, ``int-or-string``."""
        return str(self.raw.get("format", ""))

    @cached_property
    def properties(self) -> Mapping[str, Schema]:
        """The fields of an object with fixed fields."""
        return {name: self._node(each) for name, each in (self.raw.get("properties") or {}).items()}

    @cached_property
    def values(self) -> Schema | None:
        """What the values of a map are (``additionalProperties``); None where it is no map."""
        additional = self.raw.get("additionalProperties")
        if additional is True:
            return ANYTHING
        return self._node(additional) if isinstance(additional, Mapping) else None

    @cached_property
    def items(self) -> Schema:
        """What the items of a list are."""
        items = self.raw.get("items")
        return self._node(items) if isinstance(items, Mapping) else ANYTHING

    @cached_property
    def required(self) -> tuple[str, ...]:
        """The fields that must be there."""
        return tuple(self.raw.get("required") or ())

    @cached_property
    def is_nullable(self) -> bool:
        """Whether null is a value (``nullable``)."""
        return bool(self.raw.get("nullable"))

    @cached_property
    def is_int_or_string(self) -> bool:
        """IntOrString, built in or ``x-kubernetes-int-or-string``."""
        return self.format == "int-or-string" or bool(self.raw.get("x-kubernetes-int-or-string"))

    @cached_property
    def is_embedded_resource(self) -> bool:
        """``x-kubernetes-embedded-resource``: apiVersion, kind and metadata of its own."""
        return bool(self.raw.get("x-kubernetes-embedded-resource"))

    @cached_property
    def preserves_unknown_fields(self) -> bool:
        """``x-kubernetes-preserve-unknown-fields``."""
        return bool(self.raw.get("x-kubernetes-preserve-unknown-fields"))

    @cached_property
    def list_type(self) -> str:
        """``atomic`` (also by default), ``set`` or ``map``."""
        return str(self.raw.get("x-kubernetes-list-type", "atomic"))

    @cached_property
    def list_map_keys(self) -> tuple[str, ...]:
        """The fields that tell the items of a list of type ``map`` apart."""
        return tuple(self.raw.get("x-kubernetes-list-map-keys") or ())

    @cached_property
    def map_type(self) -> str:
        """``granular`` (also by default) or ``atomic``, of objects and maps."""
        return str(self.raw.get("x-kubernetes-map-type", "granular"))

    @cached_property
    def patch_merge_key(self) -> str:
        """The key of a strategic merge (``x-kubernetes-patch-merge-key``)."""
        return str(self.raw.get("x-kubernetes-patch-merge-key", ""))

    @cached_property
    def patch_strategies(self) -> frozenset[str]:
        """Of ``merge``, ``replace``, ``retainKeys`` (``x-kubernetes-patch-strategy``)."""
        return frozenset(filter(None, str(self.raw.get("x-kubernetes-patch-strategy", "")).split(",")))

    @cached_property
    def derived(self) -> dict[str, Any]:
        """What a room has worked out from this node and keeps with it, under a name of its own."""
        return {}

    def field(self, name: str) -> Schema | None:
        """The schema of a field, of an object with fixed fields or of a map; None where nothing says."""
        return self.properties.get(name) or self.values

    def _node(self, raw: Mapping[str, Any]) -> Schema:
        reference = raw.get("$ref")
        if reference is not None:
            return self._find(reference.removeprefix(_REFERENCE))
        parts = raw.get("allOf")
        if parts and len(parts) == 1 and "$ref" in parts[0]:
            target = self._find(parts[0]["$ref"].removeprefix(_REFERENCE))
            # What stands beside the reference is about this place: its default, list type, patch strategy.
            beside = {name: each for name, each in raw.items() if name not in ("allOf", "description")}
            return Schema({**target.raw, **beside}, self._find, target.name) if beside else target
        return Schema(raw, self._find)


class Definitions:
    """The named schemas of an OpenAPI v3 document (``components.schemas``)."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._raw: Mapping[str, Any] = document.get("components", {}).get("schemas", {})
        self._made: dict[str, Schema] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._raw

    def find(self, name: str) -> Schema:
        """The definition of this name.

        Raises:
            KeyError: The document has none.
        """
        schema = self._made.get(name)
        if schema is None:
            schema = self._made[name] = Schema(self._raw[name], self.find, name)
        return schema

    @cached_property
    def by_kind(self) -> Mapping[tuple[str, str, str], str]:
        """Names by (group, version, kind)."""
        return {
            (each["group"], each["version"], each["kind"]): name
            for name, raw in self._raw.items()
            for each in raw.get("x-kubernetes-group-version-kind", ())
        }

    def find_kind(self, group: str, version: str, kind: str) -> Schema | None:
        """The definition of a kind, if the document has it."""
        name = self.by_kind.get((group, version, kind))
        return None if name is None else self.find(name)


def _no_references(name: str) -> Schema:
    raise KeyError(f"a schema of its own has no definitions, so no {name!r}")


ANYTHING = Schema({}, _no_references)
"""Says nothing: any value, atomic."""
