"""A CRD's schema, read once: the tree that pruning, defaulting and the checks of shape walk.

apiextensions' ``schema.Structural`` (AE/apiserver/schema/structural.go, convert.go). Value validations are
compiled apart (`values`); rules in CEL, too (`rules`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["META_FIELDS", "Structural", "copied", "structural", "subschemas"]

META_FIELDS = frozenset({"apiVersion", "kind", "metadata"})
"""What every object has, said by its schema or not."""


@dataclass(slots=True, eq=False, kw_only=True)
class Structural:
    """One node of a structural schema. Never changed once made.

    Attributes:
        raw: The node as the CRD has it.
        properties: The fields of an object; empty where it has none of its own.
        additional: What the values of a map are; None where nothing says.
        allows_additional: ``additionalProperties`` is there, as a schema or as a truth value.
        default: The default, None where there is none.
        defaults: The properties that have one, and what it is.
        has_defaults: A default is here or below.
        has_embedded: An embedded resource is here or below.
        has_unique_lists: A list of type set or map is here or below.
    """

    raw: Mapping[str, Any]
    type: str = ""
    properties: Mapping[str, Structural] = field(default_factory=dict)
    additional: Structural | None = None
    allows_additional: bool = False
    items: Structural | None = None
    default: Any = None
    is_nullable: bool = False
    preserves_unknown: bool = False
    is_embedded: bool = False
    is_int_or_string: bool = False
    list_type: str = ""
    list_map_keys: tuple[str, ...] = ()
    map_type: str = ""
    defaults: tuple[tuple[str, Any, bool], ...] = ()
    has_defaults: bool = False
    has_embedded: bool = False
    has_unique_lists: bool = False

    def field(self, name: str) -> Structural | None:
        """What a field of an object or a value of a map is; None where nothing says."""
        return self.properties.get(name) or self.additional

    def as_resource(self) -> Structural:
        """The same node as the root of an object with apiVersion, kind and metadata."""
        if self.is_embedded:
            return self
        changes = {name: getattr(self, name) for name in self.__slots__}
        return Structural(**{**changes, "is_embedded": True, "has_embedded": True})


def structural(raw: Mapping[str, Any] | None) -> Structural:
    """The tree of a schema, which is valid (`definitions` has judged it)."""
    raw = raw or {}
    properties = {name: structural(each) for name, each in (raw.get("properties") or {}).items()}
    additional = raw.get("additionalProperties")
    values = structural(additional) if isinstance(additional, Mapping) else None
    items = structural(raw["items"]) if isinstance(raw.get("items"), Mapping) else None
    below = [*properties.values(), *filter(None, (values, items))]
    list_type = str(raw.get("x-kubernetes-list-type", ""))
    is_embedded = bool(raw.get("x-kubernetes-embedded-resource"))
    return Structural(
        raw=raw,
        type=str(raw.get("type", "")),
        properties=properties,
        additional=values,
        allows_additional=additional is not None,
        items=items,
        default=raw.get("default"),
        is_nullable=bool(raw.get("nullable")),
        preserves_unknown=bool(raw.get("x-kubernetes-preserve-unknown-fields")),
        is_embedded=is_embedded,
        is_int_or_string=bool(raw.get("x-kubernetes-int-or-string")),
        list_type=list_type,
        list_map_keys=tuple(raw.get("x-kubernetes-list-map-keys") or ()),
        map_type=str(raw.get("x-kubernetes-map-type", "")),
        defaults=tuple(
            (name, each.default, each.is_nullable) for name, each in properties.items() if each.default is not None
        ),
        has_defaults=raw.get("default") is not None or any(each.has_defaults for each in below),
        has_embedded=is_embedded or any(each.has_embedded for each in below),
        has_unique_lists=list_type in ("set", "map") or any(each.has_unique_lists for each in below),
    )


def copied(value: Any) -> Any:
    """JSON data of its own: what is put into an object never is part of a schema."""
    if isinstance(value, dict):
        return {name: copied(each) for name, each in value.items()}
    return [copied(each) for each in value] if isinstance(value, list) else value


_NESTED = ("not",)
_NESTED_LISTS = ("allOf", "anyOf", "oneOf")
_NESTED_MAPS = ("properties", "patternProperties", "definitions")


def subschemas(raw: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The schema and all below it, as SchemaHas walks them (AE/apis/apiextensions/validation)."""
    yield raw
    for each in _children(raw):
        yield from subschemas(each)


def _children(raw: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    items = raw.get("items")
    yield from items if isinstance(items, list) else [items] if isinstance(items, Mapping) else []
    for name in _NESTED_LISTS:
        yield from raw.get(name) or ()
    yield from filter(None, (raw.get(name) for name in _NESTED))
    for name in _NESTED_MAPS:
        yield from (raw.get(name) or {}).values()
    for name in ("additionalProperties", "additionalItems"):
        if isinstance(raw.get(name), Mapping):
            yield raw[name]
    yield from (each for each in (raw.get("dependencies") or {}).values() if isinstance(each, Mapping))
