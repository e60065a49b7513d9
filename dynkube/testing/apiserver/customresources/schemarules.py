"""What a CRD's schema may say (AE/apis/apiextensions/validation: ValidateCustomResourceDefinitionOpenAPISchema).

Errors of rules in CEL are kept apart from the others, and stand behind them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from dynkube.testing.apiserver.customresources.badvalues import bad_value
from dynkube.testing.apiserver.customresources.fieldpaths import field_path
from dynkube.testing.apiserver.customresources.structural import META_FIELDS, structural
from dynkube.testing.apiserver.customresources.structuralrules import unsupported
from dynkube.testing.apiserver.words.fielderrors import (
    FieldError,
    Shown,
    child,
    forbidden,
    index,
    invalid,
    key,
    not_supported,
    required,
)
from dynkube.testing.apiserver.words.govalues import json_text

__all__ = ["RuleCheck", "schema_errors"]

Raw = Mapping[str, Any]

RuleCheck = Callable[[Raw, str, str, bool], list[FieldError]]
"""Judges the rules of a node: the node, its path, the path that oldSelf cannot reach beyond ("" if it can), and
whether the node is the root of an object."""

_TYPES = ("array", "boolean", "integer", "number", "object", "string")
_REASONS = ("FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired")
_NEWLINES = re.compile(r"[\n\r]+")
_NOT_SUPPORTED = (
    ("id", "id is not supported"),
    ("additionalItems", "additionalItems is not supported"),
    ("patternProperties", "patternProperties is not supported"),
    ("definitions", "definitions is not supported"),
    ("dependencies", "dependencies is not supported"),
    ("$ref", "$ref is not supported"),
)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in a schema a node is: what is inherited from the nodes above."""

    no_default: str | None = None
    """Why there may be no default; None where there may."""
    is_in_meta: bool = False
    no_old_self: str = ""
    check_rules: RuleCheck | None = None
    is_resource: bool = False


@dataclass(slots=True)
class _Errors:
    schema: list[FieldError] = field(default_factory=list)
    rules: list[FieldError] = field(default_factory=list)

    def merge(self, other: _Errors) -> None:
        self.schema += other.schema
        self.rules += other.rules


def schema_errors(raw: Raw, path: str, check_rules: RuleCheck | None) -> list[FieldError]:
    """What is wrong with a schema.

    Args:
        raw: the schema.
        path: where it stands.
        check_rules: judges rules in CEL; None where the schema is not structural, and they are not looked at.
    """
    found = _errors(raw, path, _Place(check_rules=check_rules, is_resource=True), is_root=True)
    return found.schema + found.rules


def _errors(raw: Raw, path: str, place: _Place, *, is_root: bool = False) -> _Errors:
    found = _Errors()
    found.schema += _standard(raw, path, place)
    if raw.get("uniqueItems"):
        text = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
        found.schema.append(forbidden(child(path, "uniqueItems"), text))
    _below(raw, path, place, found, is_root=is_root)
    found.schema += _preserve_and_map_type(raw, path)
    found.schema += _list_type(raw, path)
    found.schema += _list_map(raw, path)
    found.schema += _keys_of_sets_and_maps(raw, path)
    found.schema += _rules(raw, path)
    if raw.get("x-kubernetes-validations") and not found.schema and place.check_rules is not None:
        found.rules += place.check_rules(raw, path, place.no_old_self, place.is_resource)
    return found


def _standard(raw: Raw, path: str, place: _Place) -> Iterator[FieldError]:
    kind = raw.get("type", "")
    if kind and kind not in _TYPES:
        yield not_supported(child(path, "type"), kind, _TYPES)
    if raw.get("default") is not None and place.no_default is not None:
        yield forbidden(child(path, "default"), f"must not be set {place.no_default}".strip())
    for name, text in _NOT_SUPPORTED:
        if raw.get(name) or (name == "additionalItems" and raw.get(name) is not None):
            yield forbidden(child(path, name), text)
    if kind == "null":
        yield forbidden(child(path, "type"), "type cannot be set to null, use nullable as an alternative")
    if isinstance(raw.get("items"), list) and raw["items"]:
        yield forbidden(child(path, "items"), "items must be a schema object and not an array")
    if place.is_in_meta and raw.get("x-kubernetes-embedded-resource"):
        where = child(path, "x-kubernetes-embedded-resource")
        yield forbidden(where, "must not be used inside of resource meta")


# ------------------------------------------------------------------ the nodes below


def _below(raw: Raw, path: str, place: _Place, found: _Errors, *, is_root: bool) -> None:
    _additional_properties(raw, path, place, found)
    for name, each in (raw.get("properties") or {}).items():
        inside = replace(place, is_resource=False)
        if (is_root or raw.get("x-kubernetes-embedded-resource")) and name in META_FIELDS:
            reason = f"in top-level {name}" if is_root else place.no_default
            inside = replace(inside, is_in_meta=True, no_default=reason)
        found.merge(_errors(each, key(child(path, "properties"), name), _embedded(each, inside)))
    # Where a schema stands for values only, rules are not looked at.
    values = replace(place, check_rules=None, is_resource=False)
    if raw.get("not") is not None:
        found.merge(_errors(raw["not"], child(path, "not"), values))
    for name in ("allOf", "oneOf", "anyOf"):
        for number, each in enumerate(raw.get(name) or ()):
            found.merge(_errors(each, index(child(path, name), number), values))
    for name, each in (raw.get("definitions") or {}).items():
        found.merge(_errors(each, key(child(path, "definitions"), name), values))
    _items(raw, path, place, found)
    for name, each in (raw.get("dependencies") or {}).items():
        if isinstance(each, Mapping):
            found.merge(_errors(each, key(child(path, "dependencies"), name), values))


def _embedded(raw: Raw, place: _Place) -> _Place:
    return replace(place, is_resource=True) if raw.get("x-kubernetes-embedded-resource") else place


def _additional_properties(raw: Raw, path: str, place: _Place, found: _Errors) -> None:
    additional = raw.get("additionalProperties")
    if additional is None:
        return
    where = child(path, "additionalProperties")
    if raw.get("properties") and additional is not True:
        found.schema.append(forbidden(where, "additionalProperties and properties are mutual exclusive"))
    if isinstance(additional, Mapping):
        inside = replace(place, is_resource=False)
        if place.is_in_meta:
            inside = replace(inside, no_default="inside additionalProperties applying to object metadata")
        found.merge(_errors(additional, where, _embedded(additional, inside)))


def _items(raw: Raw, path: str, place: _Place, found: _Errors) -> None:
    items = raw.get("items")
    if items is None:
        return
    inside = replace(place, is_resource=False)
    if raw.get("x-kubernetes-list-type") != "map" and not place.no_old_self:
        # Old and new items are told to be the same in lists of type map only.
        inside = replace(inside, no_old_self=path)
    if isinstance(items, Mapping):
        found.merge(_errors(items, child(path, "items"), _embedded(items, inside)))
        return
    for number, each in enumerate(items):
        found.merge(_errors(each, index(child(path, "items"), number), inside))


# ------------------------------------------------------------------ x-kubernetes-*


def _preserve_and_map_type(raw: Raw, path: str) -> Iterator[FieldError]:
    if raw.get("x-kubernetes-preserve-unknown-fields") is False:
        where = child(path, "x-kubernetes-preserve-unknown-fields")
        yield invalid(where, False, "must be true or undefined")
    map_type = raw.get("x-kubernetes-map-type")
    if map_type is None:
        return
    yield from _needs_type(raw, path, "object", "x-kubernetes-map-type")
    if map_type not in ("atomic", "granular"):
        yield not_supported(child(path, "x-kubernetes-map-type"), map_type, ("atomic", "granular"))


def _needs_type(raw: Raw, path: str, kind: str, by: str) -> Iterator[FieldError]:
    actual = raw.get("type", "")
    if actual != kind:
        where, text = child(path, "type"), f"must be {kind} if {by} is specified"
        yield invalid(where, actual, text) if actual else required(where, text)


def _list_type(raw: Raw, path: str) -> Iterator[FieldError]:
    list_type = raw.get("x-kubernetes-list-type")
    if list_type is None:
        return
    items = raw.get("items")
    if raw.get("type", "") != "array":
        yield from _needs_type(raw, path, "array", "x-kubernetes-list-type")
    elif list_type == "set" and isinstance(items, Mapping):
        yield from _atomic_items(items, child(path, "items"))
    if list_type not in ("atomic", "set", "map"):
        yield not_supported(child(path, "x-kubernetes-list-type"), list_type, ("atomic", "set", "map"))


def _atomic_items(items: Raw, path: str) -> Iterator[FieldError]:
    text = "must be atomic as item of a list with x-kubernetes-list-type=set"
    # The bad value of either is the list type.
    list_type = items.get("x-kubernetes-list-type")
    shown = Shown(json_text(list_type))
    if items.get("type") == "array" and list_type not in (None, "atomic"):
        yield invalid(child(path, "x-kubernetes-list-type"), shown, text)
    if items.get("type") == "object" and items.get("x-kubernetes-map-type") != "atomic":
        yield invalid(child(path, "x-kubernetes-map-type"), shown, text)


def _list_map(raw: Raw, path: str) -> Iterator[FieldError]:
    keys, list_type, items = raw.get("x-kubernetes-list-map-keys"), raw.get("x-kubernetes-list-type"), raw.get("items")
    where = child(path, "x-kubernetes-list-type")
    if keys and list_type != "map":
        text = "must be map if x-kubernetes-list-map-keys is non-empty"
        yield required(where, text) if list_type is None else invalid(where, list_type, text)
    if list_type != "map":
        return
    if not keys:
        where = child(path, "x-kubernetes-list-map-keys")
        yield required(where, "must not be empty if x-kubernetes-list-type is map")
    if items is None:
        yield required(child(path, "items"), "must have a schema if x-kubernetes-list-type is map")
    elif not isinstance(items, Mapping):
        text = "must only have a single schema if x-kubernetes-list-type is map"
        yield invalid(child(path, "items"), bad_value(items), text)
    elif items.get("type", "") != "object":
        text = "must be object if parent array's x-kubernetes-list-type is map"
        yield invalid(child(path, "items", "type"), items.get("type", ""), text)
    else:
        yield from _map_keys(list(keys or ()), items, path)


def _map_keys(keys: list[str], items: Raw, path: str) -> Iterator[FieldError]:
    where = child(path, "x-kubernetes-list-map-keys")
    properties = items.get("properties") or {}
    seen: set[str] = set()
    for name in keys:
        if name not in properties:
            yield invalid(where, bad_value(keys), "entries must all be names of item properties")
        elif properties[name].get("type") in ("array", "object"):
            text = "must be a scalar type if parent array's x-kubernetes-list-type is map"
            yield invalid(child(key(child(path, "items", "properties"), name), "type"), items.get("type", ""), text)
        if name in seen:
            yield invalid(where, bad_value(keys), "must not contain duplicate entries")
        seen.add(name)


def _keys_of_sets_and_maps(raw: Raw, path: str) -> Iterator[FieldError]:
    """Items that are told apart are not null, and have what tells them apart (validateMapListKeysMapSet)."""
    list_type, items = raw.get("x-kubernetes-list-type"), raw.get("items")
    if list_type not in ("set", "map") or not isinstance(items, Mapping):
        return
    if items.get("nullable"):
        text = f"cannot be nullable when x-kubernetes-list-type is {list_type}"
        yield forbidden(child(path, "items", "nullable"), text)
    if list_type == "set":
        return
    properties = items.get("properties") or {}
    for name in raw.get("x-kubernetes-list-map-keys") or ():
        if name not in properties:
            continue
        where = key(child(path, "items", "properties"), name)
        why = "this property is in x-kubernetes-list-map-keys, so it"
        if name not in (items.get("required") or ()) and properties[name].get("default") is None:
            yield required(child(where, "default"), f"{why} must have a default or be a required property")
        if properties[name].get("nullable"):
            yield forbidden(child(where, "nullable"), f"{why} cannot be nullable")


# ------------------------------------------------------------------ rules


def _rules(raw: Raw, path: str) -> Iterator[FieldError]:
    for number, rule in enumerate(raw.get("x-kubernetes-validations") or ()):
        yield from _rule(raw, rule, index(child(path, "x-kubernetes-validations"), number))


def _rule(raw: Raw, rule: Raw, path: str) -> Iterator[FieldError]:
    yield from _rule_texts(rule, path)
    expression = rule.get("messageExpression", "")
    if expression and not expression.strip():
        where = child(path, "messageExpression")
        yield required(where, "messageExpression must be non-empty if specified")
    reason = rule.get("reason")
    if reason is not None and reason not in _REASONS:
        yield not_supported(child(path, "reason"), reason, _REASONS)
    where, named = child(path, "fieldPath"), rule.get("fieldPath", "")
    if named and not named.strip():
        yield invalid(where, named, "must be non-empty if specified")
    if _NEWLINES.search(named):
        yield invalid(where, named, "must not contain line breaks")
    if named and not _is_field(raw, named):
        yield invalid(where, named, "must be a valid path")


def _rule_texts(rule: Raw, path: str) -> Iterator[FieldError]:
    text, message = rule.get("rule", "").strip(), rule.get("message", "")
    where = child(path, "message")
    if not text:
        yield required(child(path, "rule"), "rule is not specified")
    elif message and not message.strip():
        yield invalid(where, message, "must be non-empty if specified")
    elif _NEWLINES.search(message.strip()):
        yield invalid(where, message, "must not contain line breaks")
    elif _NEWLINES.search(text) and not message.strip():
        yield required(where, "message must be specified if rule contains line breaks")


def _is_field(raw: Raw, path: str) -> bool:
    if unsupported(raw):
        return True
    try:
        field_path(path, structural(raw))
    except ValueError:
        return False
    return True
