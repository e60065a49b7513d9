"""What makes a schema structural (AE/apiserver/schema/validation.go, complete.go, convert.go)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dynkube.testing.apiserver.customresources.patterns import problem_of
from dynkube.testing.apiserver.words.fielderrors import FieldError, child, forbidden, index, invalid, key, required

__all__ = ["is_said", "structural_errors", "unsupported"]

Raw = Mapping[str, Any]

_ROOT, _ITEM, _FIELD = "root", "item", "field"
_INT_OR_STRING = [{"type": "integer"}, {"type": "string"}]
_EMPTY_TYPE = {
    _ROOT: "must not be empty at the root",
    _ITEM: "must not be empty for specified array items",
    _FIELD: "must not be empty for specified object fields",
}
_FORBIDDEN_INSIDE = (
    ("type", "must be empty to be structural"),
    ("additionalProperties", "must be undefined to be structural"),
    ("default", "must be undefined to be structural"),
    ("title", "must be empty to be structural"),
    ("description", "must be empty to be structural"),
    ("nullable", "must be false to be structural"),
    ("x-kubernetes-preserve-unknown-fields", "must be false to be structural"),
    ("x-kubernetes-embedded-resource", "must be false to be structural"),
    ("x-kubernetes-int-or-string", "must be false to be structural"),
    ("x-kubernetes-list-map-keys", "must be empty to be structural"),
    ("x-kubernetes-list-type", "must be undefined to be structural"),
    ("x-kubernetes-map-type", "must be undefined to be structural"),
    ("x-kubernetes-validations", "must be empty to be structural"),
)
_POINTERS = frozenset(
    {
        "additionalItems", "additionalProperties", "default", "example", "items", "maxItems", "maxLength",
        "maxProperties", "maximum", "minItems", "minLength", "minProperties", "minimum", "multipleOf", "not",
        "x-kubernetes-list-type", "x-kubernetes-map-type", "x-kubernetes-preserve-unknown-fields",
    }
)  # fmt: skip
_UNSUPPORTED = (
    ("id", "id"), ("$schema", "schema"), ("$ref", "$ref"), ("patternProperties", "patternProperties"),
    ("dependencies", "dependencies"), ("additionalItems", "additionalItems"), ("definitions", "definitions"),
)  # fmt: skip


def unsupported(raw: Raw) -> str:
    """Why no structural schema can be made of a schema; "" if one can (NewStructural)."""
    for name, shown in _UNSUPPORTED:
        if raw.get(name) or (name == "additionalItems" and raw.get(name) is not None):
            return f"OpenAPIV3Schema '{shown}' is not supported"
    if raw.get("x-kubernetes-preserve-unknown-fields") is False:
        return "internal error: 'x-kubernetes-preserve-unknown-fields' must be true or undefined"
    if isinstance(raw.get("items"), list) and raw["items"]:
        return "OpenAPIV3Schema 'items' must be a schema, but is an array"
    return next(filter(None, map(unsupported, _below(raw))), "")


def _below(raw: Raw) -> Iterator[Raw]:
    for name in ("not", "items", "additionalProperties"):
        if isinstance(raw.get(name), Mapping):
            yield raw[name]
    for name in ("allOf", "anyOf", "oneOf"):
        yield from raw.get(name) or ()
    yield from (raw.get("properties") or {}).values()


def is_said(raw: Raw, name: str) -> bool:
    """Whether a field is set: what Go points to is if it is there at all, the rest if it is not empty."""
    value = raw.get(name)
    return value is not None if name in _POINTERS else bool(value)


def structural_errors(raw: Raw, path: str) -> list[FieldError]:
    """What keeps a schema from being structural, sorted by the text."""
    errors = [*_invariants(raw, _ROOT, path), *_incomplete(raw, raw, path, path)]
    return sorted(errors, key=str)


# ------------------------------------------------------------------ invariants


def _invariants(raw: Raw, level: str, path: str) -> Iterator[FieldError]:
    if raw.get("type") == "array" and not isinstance(raw.get("items"), Mapping):
        yield required(child(path, "items"), "must be specified")
    if isinstance(raw.get("items"), Mapping):
        yield from _invariants(raw["items"], _ITEM, child(path, "items"))
    for name, each in (raw.get("properties") or {}).items():
        yield from _invariants(each, _FIELD, key(child(path, "properties"), name))
    additional = raw.get("additionalProperties")
    if additional is not None and level == _ROOT:
        yield forbidden(child(path, "additionalProperties"), "must not be used at the root")
    if isinstance(additional, Mapping):
        yield from _invariants(additional, _FIELD, child(path, "additionalProperties"))
    yield from _extensions(raw, path)
    all_of = raw.get("allOf") or []
    yield from _validations(
        raw,
        path,
        skip_any_of=raw.get("anyOf") == _INT_OR_STRING,
        skip_in_first=bool(all_of) and all_of[0].get("anyOf") == _INT_OR_STRING,
    )
    yield from _type_errors(raw, level, path)
    yield from _meta_errors(raw, level, path)


def _extensions(raw: Raw, path: str) -> Iterator[FieldError]:
    if not raw.get("x-kubernetes-int-or-string"):
        return
    for name in ("x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource"):
        if raw.get(name):
            yield invalid(child(path, name), True, "must be false if x-kubernetes-int-or-string is true")


def _type_errors(raw: Raw, level: str, path: str) -> Iterator[FieldError]:
    where, kind = child(path, "type"), raw.get("type", "")
    is_embedded = raw.get("x-kubernetes-embedded-resource")
    if is_embedded and kind != "object":
        text = "must be object if x-kubernetes-embedded-resource is true"
        yield invalid(where, kind, text) if kind else required(where, text)
    elif not kind and not raw.get("x-kubernetes-int-or-string") and not _preserves(raw):
        yield required(where, _EMPTY_TYPE[level])
    if is_embedded and raw.get("additionalProperties") is not None:
        text = "must not be used if x-kubernetes-embedded-resource is set"
        yield forbidden(child(path, "additionalProperties"), text)
    if level == _ROOT and kind and kind != "object":
        yield invalid(where, kind, "must be object at the root")


def _preserves(raw: Raw) -> bool:
    return bool(raw.get("x-kubernetes-preserve-unknown-fields"))


def _meta_errors(raw: Raw, level: str, path: str) -> Iterator[FieldError]:
    """What may be said of the fields that every object has: of metadata, at the root, only its names."""
    properties = raw.get("properties") or {}
    is_embedded = raw.get("x-kubernetes-embedded-resource")
    is_checked = level == _ROOT or is_embedded
    for name in ("kind", "apiVersion"):
        if is_checked and name in properties and properties[name].get("type", "") != "string":
            where = child(key(child(path, "properties"), name), "type")
            yield invalid(where, properties[name].get("type", ""), "must be string")
    metadata = properties.get("metadata")
    if metadata is not None:
        where = key(child(path, "properties"), "metadata")
        if is_checked and metadata.get("type", "") != "object":
            yield invalid(child(where, "type"), metadata.get("type", ""), "must be object")
        if level == _ROOT and not _says_names_only(metadata):
            text = "must not specify anything other than name and generateName, but metadata is implicitly specified"
            yield forbidden(where, text)
    if is_embedded and not _preserves(raw) and not properties:
        text = (
            "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields"
        )
        yield required(child(path, "properties"), text)


def _says_names_only(metadata: Raw) -> bool:
    said = {name for name in metadata if is_said(metadata, name)}
    names = set(metadata.get("properties") or ())
    if names and names <= {"name", "generateName"}:
        said.discard("properties")
    return said <= {"type", "default"}


# ------------------------------------------------------------------ value validations


def _validations(raw: Raw, path: str, *, skip_any_of: bool, skip_in_first: bool) -> Iterator[FieldError]:
    for name in ("anyOf", "allOf", "oneOf"):
        if name == "anyOf" and skip_any_of:
            continue
        for number, each in enumerate(raw.get(name) or ()):
            skip = name == "allOf" and skip_in_first and number == 0
            yield from _nested(each, index(child(path, name), number), skip_any_of=skip)
    if raw.get("not") is not None:
        yield from _nested(raw["not"], child(path, "not"))
    pattern = raw.get("pattern")
    problem = problem_of(pattern) if pattern else ""
    if problem:
        text = f"must be a valid regular expression, but isn't: {problem}"
        yield invalid(child(path, "pattern"), pattern, text)


def _nested(raw: Raw, path: str, *, skip_any_of: bool = False) -> Iterator[FieldError]:
    """Inside of allOf, anyOf, oneOf and not only values are judged: structure is said outside."""
    yield from _validations(raw, path, skip_any_of=skip_any_of, skip_in_first=False)
    if isinstance(raw.get("items"), Mapping):
        yield from _nested(raw["items"], child(path, "items"))
    for name, each in (raw.get("properties") or {}).items():
        yield from _nested(each, key(child(path, "properties"), name))
    for name, text in _FORBIDDEN_INSIDE:
        if is_said(raw, name) and not (name == "additionalProperties" and raw[name] is False):
            yield forbidden(child(path, name), text)
    if "metadata" in (raw.get("properties") or {}):
        where = key(child(path, "properties"), "metadata")
        yield forbidden(where, "must not be specified in a nested context")


# ------------------------------------------------------------------ completeness


def _incomplete(validation: Raw, structure: Raw | None, structure_path: str, path: str) -> Iterator[FieldError]:
    """What a value validation speaks of must be there in the structure."""
    if validation.get("not") is not None:
        yield from _incomplete_nested(validation["not"], structure, structure_path, child(path, "not"))
    for name in ("allOf", "anyOf", "oneOf"):
        for number, each in enumerate(validation.get(name) or ()):
            yield from _incomplete_nested(each, structure, structure_path, index(child(path, name), number))


def _incomplete_nested(nested: Raw, structure: Raw | None, structure_path: str, path: str) -> Iterator[FieldError]:
    if structure is None:
        yield required(structure_path, f"because it is defined in {path}")
        return
    yield from _incomplete(nested, structure, structure_path, path)
    if isinstance(nested.get("items"), Mapping):
        items = structure.get("items")
        inside = items if isinstance(items, Mapping) else None
        yield from _incomplete_nested(nested["items"], inside, child(structure_path, "items"), child(path, "items"))
    properties = structure.get("properties") or {}
    for name, each in (nested.get("properties") or {}).items():
        where = key(child(structure_path, "properties"), name)
        told = key(child(path, "properties"), name)
        yield from _incomplete_nested(each, properties.get(name), where, told)
