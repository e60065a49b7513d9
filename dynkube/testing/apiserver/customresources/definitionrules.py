"""What a CRD may say beside its schemas (AE/apis/apiextensions/validation/validation.go)."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dynkube.testing.apiserver.customresources.badvalues import bad_value
from dynkube.testing.apiserver.customresources.fieldpaths import field_path
from dynkube.testing.apiserver.customresources.internal import InternalSpec, InternalVersion, shown_versions
from dynkube.testing.apiserver.customresources.structural import Structural, structural
from dynkube.testing.apiserver.customresources.structuralrules import unsupported
from dynkube.testing.apiserver.words import names
from dynkube.testing.apiserver.words.fielderrors import (
    FieldError,
    child,
    duplicate,
    index,
    invalid,
    not_supported,
    required,
    too_many,
)

__all__ = [
    "MAX_SELECTABLE_FIELDS",
    "column_errors",
    "deprecation_errors",
    "group_and_scope_errors",
    "name_errors",
    "required_name_errors",
    "selectable_errors",
    "stored_version_errors",
    "subresource_errors",
    "version_list_errors",
]

Raw = Mapping[str, Any]

MAX_SELECTABLE_FIELDS = 8
_COLUMN_TYPES = ("boolean", "date", "integer", "number", "string")
_COLUMN_FORMATS = ("byte", "date", "date-time", "double", "float", "int32", "int64", "password")
_MIXED_CASE = "may have mixed case, but should otherwise match: "


def group_and_scope_errors(spec: Raw) -> Iterator[FieldError]:
    """``spec.group`` and ``spec.scope``."""
    group = spec.get("group", "")
    problems = names.dns1123_subdomain(group)
    if not group:
        yield required("spec.group")
    elif problems:
        yield invalid("spec.group", group, ",".join(problems))
    elif "." not in group:
        yield invalid("spec.group", group, "should be a domain with at least one dot")
    scope = spec.get("scope", "")
    if not scope:
        yield required("spec.scope")
    elif scope not in ("Cluster", "Namespaced"):
        yield not_supported("spec.scope", scope, ("Cluster", "Namespaced"))


def version_list_errors(spec: InternalSpec) -> Iterator[FieldError]:
    """The versions among each other: their names, and which is stored."""
    found = [each.name for each in spec.versions]
    if len(set(found)) != len(found):
        yield invalid("spec.versions", shown_versions(spec), "must contain unique version names")
    if sum(each.storage for each in spec.versions) != 1:
        text = "must have exactly one version marked as storage version"
        yield invalid("spec.versions", shown_versions(spec), text)
    problems = names.dns1035_label(found[0]) if found and found[0] else ()
    if problems:
        yield invalid("spec.version", found[0], ",".join(problems))


def required_name_errors(spec: Raw) -> Iterator[FieldError]:
    """The names that a CRD must have."""
    told = spec.get("names") or {}
    yield from (
        required(child("spec.names", name)) for name in ("plural", "singular", "kind", "listKind") if not told.get(name)
    )


def name_errors(told: Raw, path: str) -> Iterator[FieldError]:
    """Names of resources, kinds and categories."""
    for name in ("plural", "singular"):
        problems = names.dns1035_label(told.get(name, ""))
        if told.get(name) and problems:
            yield invalid(child(path, name), told[name], ",".join(problems))
    for name in ("kind", "listKind"):
        problems = names.dns1035_label(told.get(name, "").lower())
        if told.get(name) and problems:
            yield invalid(child(path, name), told[name], _MIXED_CASE + ",".join(problems))
    yield from _labels(told.get("shortNames") or (), child(path, "shortNames"))
    if told.get("kind") and told.get("kind") == told.get("listKind"):
        yield invalid(child(path, "listKind"), told["listKind"], "kind and listKind may not be the same")
    yield from _labels(told.get("categories") or (), child(path, "categories"))


def _labels(labels: Sequence[str], path: str) -> Iterator[FieldError]:
    for number, each in enumerate(labels):
        problems = names.dns1035_label(each)
        if problems:
            yield invalid(index(path, number), each, ",".join(problems))


def deprecation_errors(version: InternalVersion, path: str) -> Iterator[FieldError]:
    """``deprecationWarning``."""
    text, where = version.deprecation_warning, child(path, "deprecationWarning")
    if text is None:
        return
    for problem in _warning_problems(text) if version.deprecated else ("can only be set for deprecated versions",):
        yield invalid(where, bad_value(text), problem)


def _warning_problems(text: str) -> Iterator[str]:
    if len(text.encode()) > 256:
        yield "must be <= 256 characters long"
    if not text:
        yield "must not be an empty string"
    offset = 0
    for character in text:
        if character != " " and unicodedata.category(character)[0] not in "LMNPS":
            words = "must only contain printable UTF-8 characters; non-printable character found at index"
            yield f"{words} {offset}"
            return
        offset += len(character.encode())


def column_errors(columns: Sequence[Raw], path: str) -> Iterator[FieldError]:
    """``additionalPrinterColumns``."""
    for number, column in enumerate(columns):
        yield from _column(column, index(path, number))


def _column(column: Raw, path: str) -> Iterator[FieldError]:
    if not column.get("name"):
        yield required(child(path, "name"))
    kind = column.get("type", "")
    if kind not in _COLUMN_TYPES:
        text = f"must be one of {','.join(_COLUMN_TYPES)}"
        yield invalid(child(path, "type"), kind, text) if kind else required(child(path, "type"), text)
    form = column.get("format", "")
    if form and form not in _COLUMN_FORMATS:
        yield invalid(child(path, "format"), form, f"must be one of {','.join(_COLUMN_FORMATS)}")
    told = column.get("jsonPath", "")
    if not told:
        yield required(child(path, "JSONPath"))
    yield from _simple_path(told, child(path, "JSONPath"))


def _simple_path(told: str, path: str) -> Iterator[FieldError]:
    if told and not told.startswith("."):
        yield invalid(path, told, "must be a simple json path starting with .")


def subresource_errors(subresources: Raw | None, path: str) -> Iterator[FieldError]:
    """The paths of a scale."""
    scale = (subresources or {}).get("scale")
    if scale is None:
        return
    for name, parent in (("specReplicasPath", ".spec"), ("statusReplicasPath", ".status")):
        where, told = child(path, "scale", name), scale.get(name, "")
        if not told:
            yield required(where)
        yield from _path_under(told, where, (parent,), f"should be a json path under {parent}")
    where, told = child(path, "scale", "labelSelectorPath"), scale.get("labelSelectorPath") or ""
    yield from _path_under(told, where, (".spec", ".status"), "should be a json path under either .spec or .status")


def _path_under(told: str, path: str, parents: Sequence[str], text: str) -> Iterator[FieldError]:
    problems = list(_simple_path(told, path))
    yield from problems
    if told and not problems and not any(told.startswith(f"{parent}.") for parent in parents):
        yield invalid(path, told, text)


def selectable_errors(
    fields: Sequence[Raw], schema: Raw | None, path: str, *, is_old: bool, absent: str
) -> Iterator[FieldError]:
    """``selectableFields``.

    Args:
        fields: what the version names.
        schema: of the version, None where it has none.
        path: where the fields stand.
        is_old: whether they were so before: then there may be too many.
        absent: the words for a version without a schema.
    """
    if not fields:
        return
    if schema is None:
        yield invalid(path, "", absent)
        return
    if unsupported(schema):
        return
    shape = structural(schema)
    seen: set[str] = set()
    for number, each in enumerate(fields):
        yield from _selectable(each.get("jsonPath", ""), shape, child(index(path, number), "jsonPath"), seen)
    if len(seen) > MAX_SELECTABLE_FIELDS and not is_old:
        yield too_many(path, len(seen), MAX_SELECTABLE_FIELDS)


def _selectable(told: str, shape: Structural, path: str, seen: set[str]) -> Iterator[FieldError]:
    if not told:
        yield required(path)
        return
    try:
        found = field_path(told, shape, allows_arrays=False)
    except ValueError as error:
        yield invalid(path, told, f"is an invalid path: {error}")
        return
    if found.root == "metadata":
        yield invalid(path, told, "must not point to fields in metadata")
    if found.schema.type not in ("string", "boolean", "integer"):
        text = (
            "must point to a field of type string, boolean or integer. Enum string fields and strings with formats "
            "are allowed."
        )
        yield invalid(path, told, text)
    if found.text in seen:
        yield duplicate(path, told)
    seen.add(found.text)


def stored_version_errors(stored: Sequence[str] | None, spec: InternalSpec) -> Iterator[FieldError]:
    """``status.storedVersions``: no version goes before what is stored in it."""
    path = "status.storedVersions"
    shown = bad_value(list(stored)) if stored is not None else None
    if not stored:
        yield invalid(path, shown, "must have at least one stored version")
        return
    places = {name: number for number, name in enumerate(stored)}
    for version in spec.versions:
        if places.pop(version.name, None) is None and version.storage:
            yield invalid(path, shown, f"must have the storage version {version.name}")
    for name, number in places.items():
        text = (
            f"missing from spec.versions; {name} was previously a storage version, and must remain in spec.versions "
            f"until a storage migration ensures no data remains persisted in {name} and removes {name} from "
            "status.storedVersions"
        )
        yield invalid(index(path, number), name, text)
