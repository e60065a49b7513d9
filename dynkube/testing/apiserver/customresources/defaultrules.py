"""Whether the defaults of a schema are valid by it (AE/apiserver/schema/defaulting/validation.go)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from dynkube.testing.apiserver.customresources.badvalues import bad_value
from dynkube.testing.apiserver.customresources.correlation import same
from dynkube.testing.apiserver.customresources.embedded import coerce, validate_embedded
from dynkube.testing.apiserver.customresources.pruning import prune
from dynkube.testing.apiserver.customresources.structural import META_FIELDS, Structural, copied
from dynkube.testing.apiserver.customresources.values import validator
from dynkube.testing.apiserver.customresources.violations import Violation, field_errors
from dynkube.testing.apiserver.words.fielderrors import FieldError, child, invalid, key

__all__ = ["default_errors"]

_Surround = Callable[[Any], Any]
"""Puts a default where it will stand in an object."""

_TYPE_META = {"apiVersion": "validation/v1", "kind": "Validation"}


def default_errors(
    schema: Structural, path: str, check_rules: Callable[[Structural, Any, str], list[FieldError]]
) -> list[FieldError]:
    """What is wrong with the defaults of a schema, which is structural.

    Args:
        schema: the root of an object's schema.
        path: where it stands.
        check_rules: judges a default by the rules of its node; gets the node, the default and its path.
    """
    if not schema.has_defaults:
        return []
    root = schema.as_resource()
    return list(_errors(root, root, path, _as_object, check_rules, in_meta=False))


def _as_object(value: Any) -> Any:
    return _TYPE_META | value if isinstance(value, dict) else value


def _errors(
    schema: Structural,
    root: Structural,
    path: str,
    surround: _Surround,
    check_rules: Callable[[Structural, Any, str], list[FieldError]],
    *,
    in_meta: bool,
) -> Iterator[FieldError]:
    if not schema.has_defaults:
        return
    if schema.is_embedded:
        in_meta, surround, root = False, _as_object, schema
    if schema.default is not None:
        where = child(path, "default")
        value = copied(schema.default)
        if in_meta:
            errors = _meta_errors(value, schema, root, where, surround)
        else:
            yield from _unknown_fields(value, schema, where)
            errors = _embedded_errors(value, schema, where)
        yield from errors or _value_errors(value, schema, where) or check_rules(schema, value, where)
    if schema.items is not None:
        yield from _errors(
            schema.items, root, child(path, "items"), lambda item: surround([item]), check_rules, in_meta=in_meta
        )
    for name, each in schema.properties.items():
        yield from _errors(
            each,
            root,
            key(child(path, "properties"), name),
            lambda value, name=name: surround({name: value}),  # type: ignore[misc]
            check_rules,
            in_meta=in_meta or (schema.is_embedded and name in META_FIELDS),
        )


def _meta_errors(value: Any, schema: Structural, root: Structural, path: str, surround: _Surround) -> list[FieldError]:
    """A default inside of metadata must make valid metadata."""
    obj = copied(surround(value))
    text = ""
    try:
        coerce(obj, root)
    except ValueError as error:
        text = str(error)
    if not text:
        problems = list(dict.fromkeys(map(str, validate_embedded(obj, root))))
        text = problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]" if problems else ""
    shown = bad_value(schema.default)
    return [invalid(path, shown, f"must result in valid metadata: {text}")] if text else []


def _unknown_fields(value: Any, schema: Structural, path: str) -> Iterator[FieldError]:
    pruned = copied(value)
    prune(pruned, schema)
    if not same(pruned, value):
        yield invalid(path, bad_value(value), "must not have unknown fields")


def _embedded_errors(value: Any, schema: Structural, path: str) -> list[FieldError]:
    try:
        coerce(value, schema, path)
    except ValueError as error:
        return [error.args[0]]
    return validate_embedded(value, schema, path)


def _value_errors(value: Any, schema: Structural, path: str) -> list[FieldError]:
    found: list[Violation] = []
    validator(schema.raw, is_structural=True).check(value, "", found)
    return field_errors(found, path)
