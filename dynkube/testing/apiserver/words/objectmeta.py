"""What an object's metadata may say: apimachinery's checks of ObjectMeta and of label selectors, as field errors.

AM/api/validation/objectmeta.go and AM/apis/meta/v1/validation/validation.go. Labels are judged in the order
in which they stand; the real server takes them in any order.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from dynkube.testing.apiserver.words import names
from dynkube.testing.apiserver.words.fielderrors import (
    FieldError,
    child,
    duplicate,
    forbidden,
    index,
    invalid,
    not_supported,
    quoted,
    required,
    too_long,
)

__all__ = [
    "IMMUTABLE",
    "NOT_NEGATIVE",
    "NameRule",
    "validate_annotations",
    "validate_common_fields",
    "validate_conditions",
    "validate_field_manager",
    "validate_finalizers",
    "validate_label_name",
    "validate_label_selector",
    "validate_labels",
    "validate_managed_fields",
    "validate_object_meta",
    "validate_object_meta_update",
    "validate_owner_references",
]

IMMUTABLE = "field is immutable"
NOT_NEGATIVE = "must be greater than or equal to 0"

_ANNOTATIONS_LIMIT = 256 * 1024
_ORPHAN, _FOREGROUND = "orphan", "foregroundDeletion"
_OWNER_REFERENCE = ("apiVersion", "kind", "name", "uid", "controller", "blockOwnerDeletion")


class NameRule(Protocol):
    """What is wrong with a name, or with a generateName prefix: a function of `names`, `Strategy.validate_name`."""

    def __call__(self, name: str, /, *, prefix: bool = False) -> Sequence[str]:
        """Texts, none where nothing is wrong."""


def validate_object_meta(
    metadata: Mapping[str, Any], *, namespaced: bool, name_rule: NameRule, field: str = "metadata"
) -> list[FieldError]:
    """What is wrong with a new object's metadata (ValidateObjectMetaAccessor)."""
    errors: list[FieldError] = []
    prefix = metadata.get("generateName")
    if prefix:
        where = child(field, "generateName")
        errors.extend(invalid(where, prefix, text) for text in name_rule(prefix, prefix=True))
    name = metadata.get("name")
    if not name:
        errors.append(required(child(field, "name"), "name or generateName is required"))
    else:
        errors.extend(invalid(child(field, "name"), name, text) for text in name_rule(name))
    errors += _namespace(metadata.get("namespace"), child(field, "namespace"), namespaced=namespaced)
    if metadata.get("generation", 0) < 0:
        errors.append(invalid(child(field, "generation"), metadata["generation"], NOT_NEGATIVE))
    errors += _loose_parts(metadata, field, finalizers=True)
    return errors


def _namespace(namespace: str | None, field: str, *, namespaced: bool) -> list[FieldError]:
    if not namespaced:
        return [forbidden(field, "not allowed on this type")] if namespace else []
    if not namespace:
        return [required(field)]
    return [invalid(field, namespace, text) for text in names.dns1123_label(namespace)]


def _loose_parts(metadata: Mapping[str, Any], field: str, *, finalizers: bool) -> list[FieldError]:
    """What a create and an update judge alike: most objects have none of it."""
    errors: list[FieldError] = []
    if labels := metadata.get("labels"):
        errors += validate_labels(labels, child(field, "labels"))
    if annotations := metadata.get("annotations"):
        errors += validate_annotations(annotations, child(field, "annotations"))
    if owners := metadata.get("ownerReferences"):
        errors += validate_owner_references(owners, child(field, "ownerReferences"))
    if finalizers and (keys := metadata.get("finalizers")):
        errors += validate_finalizers(keys, child(field, "finalizers"))
    if managed := metadata.get("managedFields"):
        errors += validate_managed_fields(managed, child(field, "managedFields"))
    return errors


def validate_common_fields(
    metadata: Mapping[str, Any], old: Mapping[str, Any], *, namespaced: bool
) -> list[FieldError]:
    """What every update is judged by, before the kind's own rules, which repeat some of it (validateCommonFields).

    Whatever is wrong comes twice where a create and an update look at it; a message drops what is repeated, the causes
    keep it (AS/registry/rest/update.go).
    """
    errors = validate_object_meta(metadata, namespaced=namespaced, name_rule=names.path_segment_name)
    return errors + validate_object_meta_update(metadata, old)


_NEVER_CHANGES = ("name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds")


def validate_object_meta_update(
    metadata: Mapping[str, Any], old: Mapping[str, Any], *, field: str = "metadata"
) -> list[FieldError]:
    """What is wrong with a change of metadata (ValidateObjectMetaAccessorUpdate)."""
    errors = []
    if old.get("deletionTimestamp"):
        errors += _no_new_finalizers(
            metadata.get("finalizers") or (), old.get("finalizers") or (), child(field, "finalizers")
        )
    if not metadata.get("resourceVersion"):
        errors.append(invalid(child(field, "resourceVersion"), "", "must be specified for an update"))
    if metadata.get("generation", 0) < old.get("generation", 0):
        errors.append(invalid(child(field, "generation"), metadata.get("generation", 0), "must not be decremented"))
    for name in _NEVER_CHANGES:
        if metadata.get(name) != old.get(name):
            value = metadata.get(name, None if name in _NULLABLE else "")
            errors.append(invalid(child(field, name), value, IMMUTABLE))
    errors += _loose_parts(metadata, field, finalizers=False)
    return errors


_NULLABLE = frozenset({"creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"})


def _no_new_finalizers(new: Sequence[str], old: Sequence[str], field: str) -> list[FieldError]:
    extra = sorted(set(new) - set(old))
    if not extra:
        return []
    listed = ", ".join(map(quoted, extra))
    text = "no new finalizers can be added if the object is being deleted, found new finalizers "
    return [forbidden(field, f"{text}[]string{{{listed}}}")]


def validate_label_name(name: str, field: str) -> list[FieldError]:
    """A key of labels (ValidateLabelName)."""
    return [invalid(field, name, text) for text in names.label_key(name)]


def validate_labels(labels: Mapping[str, str], field: str) -> list[FieldError]:
    """Keys and values of labels (ValidateLabels)."""
    errors: list[FieldError] = []
    for key, value in labels.items():
        errors.extend(invalid(field, key, text) for text in names.label_key(key))
        errors.extend(invalid(field, value, text) for text in names.label_value(value))
    return errors


def validate_annotations(annotations: Mapping[str, str], field: str) -> list[FieldError]:
    """Keys of annotations, and how much they are in all (ValidateAnnotations)."""
    errors: list[FieldError] = []
    size = 0
    for key, value in annotations.items():
        errors.extend(invalid(field, key, text) for text in names.label_key(key.lower()))
        size += _bytes(key) + _bytes(value)
    if size > _ANNOTATIONS_LIMIT:
        errors.append(too_long(field, _ANNOTATIONS_LIMIT))
    return errors


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


def validate_owner_references(owners: Sequence[Mapping[str, Any]], field: str) -> list[FieldError]:
    """Who owns an object, of whom one may control it (ValidateOwnerReferences)."""
    errors = []
    first = ""
    for owner in owners:
        errors += _owner_reference(owner, field)
        if not owner.get("controller"):
            continue
        current = f"{owner.get('kind', '')}/{owner.get('name', '')}"
        if first:
            text = 'Only one reference can have Controller set to true. Found "true" in references for '
            errors.append(invalid(field, [_ordered(each) for each in owners], f"{text}{first} and {current}"))
        else:
            first = current
    return errors


def _owner_reference(owner: Mapping[str, Any], field: str) -> list[FieldError]:
    api_version, kind = owner.get("apiVersion", ""), owner.get("kind", "")
    errors = []
    # More than one slash is no group version: FromAPIVersionAndKind leaves it empty.
    version = "" if api_version.count("/") > 1 else api_version.rpartition("/")[2]
    if not version:
        errors.append(invalid(child(field, "apiVersion"), api_version, "version must not be empty"))
    errors.extend(
        invalid(child(field, name), owner.get(name, ""), "must not be empty")
        for name in ("kind", "name", "uid")
        if not owner.get(name)
    )
    if api_version == "v1" and kind == "Event":
        text = "/v1, Kind=Event is disallowed from being an owner"
        errors.append(invalid(field, _ordered(owner), text))
    return errors


def _ordered(owner: Mapping[str, Any]) -> dict[str, Any]:
    """As Go writes the struct."""
    return {name: owner[name] for name in _OWNER_REFERENCE if name in owner}


def validate_finalizers(finalizers: Sequence[str], field: str) -> list[FieldError]:
    """Names of finalizers; those of the two propagation policies exclude each other (ValidateFinalizers)."""
    errors = [invalid(field, each, text) for each in finalizers for text in names.label_key(each)]
    if _ORPHAN in finalizers and _FOREGROUND in finalizers:
        text = f"finalizer {_ORPHAN} and {_FOREGROUND} cannot be both set"
        errors.append(invalid(field, list(finalizers), text))
    return errors


def validate_managed_fields(entries: Sequence[Mapping[str, Any]], field: str) -> list[FieldError]:
    """The entries of managedFields that a client sent (ValidateManagedFields)."""
    errors = []
    for number, entry in enumerate(entries):
        where = index(field, number)
        operation, fields_type = entry.get("operation", ""), entry.get("fieldsType", "")
        if operation not in ("Apply", "Update"):
            errors.append(invalid(child(where, "operation"), operation, "must be `Apply` or `Update`"))
        if fields_type not in ("", "FieldsV1"):
            errors.append(invalid(child(where, "fieldsType"), fields_type, "must be `FieldsV1`"))
        errors += validate_field_manager(entry.get("manager", ""), child(where, "manager"))
        if _bytes(entry.get("subresource", "")) > 256:
            errors.append(too_long(child(where, "subresource"), 256))
    return errors


def validate_field_manager(manager: str, field: str) -> list[FieldError]:
    """The name of a field manager (ValidateFieldManager)."""
    if _bytes(manager) <= 128 and manager.isprintable():
        return []
    errors = []
    if _bytes(manager) > 128:
        errors.append(too_long(field, 128))
    for position, character in _with_offsets(manager):
        if not character.isprintable():
            text = f"invalid character U+{ord(character):04X} (at position {position})"
            errors.append(invalid(field, manager, text))
    return errors


def _with_offsets(text: str) -> list[tuple[int, str]]:
    """Characters with their place in UTF-8, as Go counts them."""
    found, offset = [], 0
    for character in text:
        found.append((offset, character))
        offset += _bytes(character)
    return found


def validate_label_selector(
    selector: Mapping[str, Any] | None, field: str, *, any_values: bool = False
) -> list[FieldError]:
    """A LabelSelector (ValidateLabelSelector); ``any_values`` lets values be no label values, as stored objects may."""
    if not selector:
        return []
    errors = validate_labels(selector.get("matchLabels") or {}, child(field, "matchLabels"))
    for number, requirement in enumerate(selector.get("matchExpressions") or ()):
        where = index(child(field, "matchExpressions"), number)
        errors += _requirement(requirement, where, any_values=any_values)
    return errors


def _requirement(requirement: Mapping[str, Any], field: str, *, any_values: bool) -> list[FieldError]:
    errors = []
    operator, values = requirement.get("operator", ""), requirement.get("values") or ()
    where = child(field, "values")
    if operator in ("In", "NotIn"):
        if not values:
            errors.append(required(where, "must be specified when `operator` is 'In' or 'NotIn'"))
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            errors.append(forbidden(where, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"))
    else:
        errors.append(invalid(child(field, "operator"), operator, "not a valid selector operator"))
    errors += validate_label_name(requirement.get("key", ""), child(field, "key"))
    if not any_values:
        for number, value in enumerate(values):
            errors.extend(invalid(index(where, number), value, text) for text in names.label_value(value))
    return errors


_REASON = "[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?"
_REASON_ERROR = names.regex_error(
    "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric "
    "characters or '_,:', and must end with an alphanumeric character or '_'",
    _REASON,
    *("my_name", "MY_NAME", "MyName", "ReasonA,ReasonB", "ReasonA:ReasonB"),
)
_STATUSES = ("False", "True", "Unknown")


def validate_conditions(conditions: Sequence[Mapping[str, Any]], field: str) -> list[FieldError]:
    """A list of metav1.Condition, one of each type (ValidateConditions)."""
    errors = []
    seen: set[str] = set()
    for number, condition in enumerate(conditions):
        where = index(field, number)
        kind = condition.get("type", "")
        if kind in seen:
            errors.append(duplicate(child(where, "type"), kind))
        seen.add(kind)
        errors += _condition(condition, where)
    return errors


def _condition(condition: Mapping[str, Any], field: str) -> list[FieldError]:
    errors = validate_label_name(condition.get("type", ""), child(field, "type"))
    status, generation = condition.get("status", ""), condition.get("observedGeneration", 0)
    if status not in _STATUSES:
        errors.append(not_supported(child(field, "status"), status, _STATUSES))
    if generation < 0:
        text = "must be greater than or equal to zero"
        errors.append(invalid(child(field, "observedGeneration"), generation, text))
    if not condition.get("lastTransitionTime"):
        errors.append(required(child(field, "lastTransitionTime")))
    errors += _reason(condition.get("reason", ""), child(field, "reason"))
    if _bytes(condition.get("message", "")) > 32 * 1024:
        errors.append(too_long(child(field, "message"), 32 * 1024))
    return errors


def _reason(reason: str, field: str) -> list[FieldError]:
    if not reason:
        return [required(field)]
    errors = [] if re.fullmatch(_REASON, reason) else [invalid(field, reason, _REASON_ERROR)]
    if _bytes(reason) > 1024:
        errors.append(too_long(field, 1024))
    return errors
