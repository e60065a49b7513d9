"""OpenAPI value validation of custom resources, as kube-openapi's fork of go-openapi does it.

A schema is compiled once into a tree of `Validator`; each node says what is wrong in kube-openapi's words and in its
order (``validation/validate`` of kube-openapi: schema.go, type.go, schema_props.go, object_validator.go, ...). A
validator counts its matches besides: of the branches of an anyOf or oneOf, the one with the most is reported.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dynkube.testing.apiserver.customresources.correlation import Correlation, same
from dynkube.testing.apiserver.customresources.formats import is_format_known, string_format
from dynkube.testing.apiserver.customresources.numbers import NumberCheck, is_json_integer, number_check
from dynkube.testing.apiserver.customresources.patterns import compile_pattern
from dynkube.testing.apiserver.customresources.violations import Code, Violation
from dynkube.testing.apiserver.words.fielderrors import quoted

__all__ = ["Validator", "validator"]

_TYPE_META = frozenset({"apiVersion", "kind"})
_KINDS = {str: "string", bool: "boolean", int: "integer", float: "number", dict: "object", list: "array"}
_NATIVE_FORMATS = {int: "int64", float: "float64"}
_PLAIN_MATCHES: Mapping[type | None, int] = {str: 7, int: 8, bool: 6}
_PLAIN: Mapping[tuple[str, ...], type] = {("string",): str, ("integer",): int, ("boolean",): bool}


class Validator:
    """What one node of a schema demands of a value."""

    __slots__ = (
        "additional",
        "all_of",
        "any_of",
        "enum",
        "forbids_additional",
        "format",
        "has_branches",
        "is_nullable",
        "items",
        "max_items",
        "max_length",
        "max_properties",
        "min_items",
        "min_length",
        "min_properties",
        "none_of",
        "number",
        "one_of",
        "pattern",
        "pattern_check",
        "plain",
        "plain_matches",
        "properties",
        "required",
        "string_check",
        "types",
    )

    def __init__(self, raw: Mapping[str, Any], *, is_structural: bool = False) -> None:
        self.types = _types(raw, is_structural=is_structural)
        self.format = str(raw.get("format") or "") if is_structural else _format(raw, self.types)
        self.is_nullable = bool(raw.get("nullable"))
        self.string_check = string_format(self.format) if self.format else None
        self.enum: Sequence[Any] = raw.get("enum") or ()
        self.max_length: int | None = raw.get("maxLength")
        self.min_length: int | None = raw.get("minLength")
        self.pattern: str = raw.get("pattern") or ""
        self.pattern_check: Callable[[str], Any] | None = None
        self.number: NumberCheck | None = number_check(raw, self.types, self.format)
        self.max_items: int | None = raw.get("maxItems")
        self.min_items: int | None = raw.get("minItems")
        self.max_properties: int | None = raw.get("maxProperties")
        self.min_properties: int | None = raw.get("minProperties")
        self.required: Sequence[str] = raw.get("required") or ()

        def nested(name: str) -> tuple[Validator, ...]:
            return tuple(Validator(each, is_structural=is_structural) for each in raw.get(name) or ())

        self.any_of, self.one_of, self.all_of = nested("anyOf"), nested("oneOf"), nested("allOf")
        self.none_of = Validator(raw["not"], is_structural=is_structural) if raw.get("not") is not None else None
        self.has_branches = bool(self.any_of or self.one_of or self.all_of or self.none_of)
        self.properties = {
            name: Validator(each, is_structural=is_structural) for name, each in (raw.get("properties") or {}).items()
        }
        additional = raw.get("additionalProperties")
        self.forbids_additional = additional is False
        self.additional = (
            Validator(additional, is_structural=is_structural) if isinstance(additional, Mapping) else None
        )
        items = raw.get("items")
        self.items = Validator(items, is_structural=is_structural) if isinstance(items, Mapping) else None
        # Most leaves ask for a type and no more: values of that type are valid, and need no look.
        self.plain: type | None = None if self._asks_more() else _PLAIN.get(self.types)
        self.plain_matches = _PLAIN_MATCHES.get(self.plain, 0)

    def _asks_more(self) -> bool:
        limits = (self.max_length, self.min_length, self.number)
        return bool(self.format or self.enum or self.pattern or self.has_branches) or limits != (None, None, None)

    # ------------------------------------------------------------------ one value

    def check(self, value: Any, path: str, found: list[Violation], correlation: Correlation | None = None) -> int:
        """Append what is wrong with a value.

        Args:
            value: any JSON value.
            path: where it is, from the root; "" there.
            found: is appended to.
            correlation: the value beside its old one. What is wrong with a value that did not change is let pass.

        Returns:
            How many checks matched, which only compares the branches of anyOf and oneOf.
        """
        before = len(found)
        is_null = value is None
        matches = self._check_null(path, found) if is_null else self._check_value(value, path, found, correlation)
        if correlation is not None and len(found) > before and correlation.is_unchanged():
            del found[before:]
        return matches

    def _check_null(self, path: str, found: list[Violation]) -> int:
        if self.types and not self.is_nullable:
            found.append(_type_violation(path, ",".join(self.types), "null"))
        if self.enum:
            found.append(_enum_violation(path, None, self.enum))
        return 1 if not self.types or self.is_nullable else 0

    def _check_value(self, value: Any, path: str, found: list[Violation], correlation: Correlation | None) -> int:
        kind = type(value)
        # Each check that applies counts once, and so does the node; what matched inside is added.
        matches = 2
        if self.types or self.format:
            matches += 1 + self._check_type(value, kind, path, found)
        matches += 1 + (self._check_branches(value, path, found) if self.has_branches else 1)
        if kind is str:
            matches += self._check_string(value, path, found)
        elif kind is int or kind is float:
            if self.number is not None:
                self.number.check(value, path, found)
            matches += 2
        elif kind is list:
            matches += 2 + self._check_list(value, path, found, correlation)
        if self.enum and not any(_is_enum_value(value, each) for each in self.enum):
            found.append(_enum_violation(path, value, self.enum))
        if kind is dict:
            matches += 1 + self._check_object(value, path, found, correlation)
        return matches

    def _check_type(self, value: Any, kind: type, path: str, found: list[Violation]) -> int:
        has_type = _KINDS[kind] in self.types
        if has_type:
            return 1
        is_whole = kind is float and is_json_integer(value) and "integer" in self.types
        is_number = kind is int and "number" in self.types
        if is_whole or is_number:
            return 1
        native = _NATIVE_FORMATS.get(kind, "")
        if self.format and kind is not str and kind is not list:
            if native == self.format:
                return self._check_kind(kind, path, found)
            found.append(_type_violation(path, self.format, native))
            return 0
        numeric = "number" in self.types or "integer" in self.types
        return 1 if self.format and not numeric else self._check_kind(kind, path, found)

    def _check_kind(self, kind: type, path: str, found: list[Violation]) -> int:
        found.append(_type_violation(path, ",".join(self.types), _KINDS[kind]))
        return 0

    def _check_string(self, value: str, path: str, found: list[Violation]) -> int:
        matches = 1
        problem = self._string_problem(value, path)
        if problem is not None:
            found.append(problem)
        if self.string_check is not None:
            matches += 1
            if not self.string_check(value):
                found.append(_type_violation(path, self.format, value))
        return matches

    def _string_problem(self, value: str, path: str) -> Violation | None:
        if self.max_length is not None and len(value) > self.max_length:
            text = f"{path} in body should be at most {self.max_length} chars long"
            return Violation(Code.TOO_LONG, text, path, value, self.max_length)
        if self.min_length is not None and len(value) < self.min_length:
            text = f"{path} in body should be at least {self.min_length} chars long"
            return Violation(Code.OTHER, text, path, value)
        if self.pattern:
            if self.pattern_check is None:
                self.pattern_check = compile_pattern(self.pattern)
            if self.pattern_check(value) is None:
                return Violation(Code.OTHER, f"{path} in body should match '{self.pattern}'", path, value)
        return None

    # ------------------------------------------------------------------ lists and objects

    def _check_list(self, value: list[Any], path: str, found: list[Violation], correlation: Correlation | None) -> int:
        matches = 0
        if self.items is not None:
            items, plain = self.items, self.items.plain
            for number, each in enumerate(value):
                if type(each) is plain:
                    matches += items.plain_matches
                    continue
                child = correlation.index(number) if correlation is not None else None
                matches += items.check(each, f"{path}[{number}]", found, child)
        if self.min_items is not None and len(value) < self.min_items:
            text = f"{path} in body should have at least {self.min_items} items"
            found.append(Violation(Code.OTHER, text, path, len(value)))
        if self.max_items is not None and len(value) > self.max_items:
            text = f"{path} in body should have at most {self.max_items} items"
            found.append(Violation(Code.TOO_MANY, text, path, len(value), self.max_items))
        return matches

    def _check_object(
        self, value: dict[str, Any], path: str, found: list[Violation], correlation: Correlation | None
    ) -> int:
        if self.min_properties is not None or self.max_properties is not None:
            self._check_size(value, path, found)
        matches = 0
        prefix = f"{path}." if path else ""
        for name, each in value.items():
            child = self.properties.get(name)
            if child is None:
                if self.forbids_additional:
                    text = f"{path}.{name} in body is a forbidden property"
                    found.append(Violation(Code.OTHER, text, path, name))
                child = self.additional
                if child is None:
                    continue
                where = f"{path}.{name}"
            else:
                where = prefix + name
            if type(each) is child.plain:
                matches += child.plain_matches
                continue
            below = correlation.key(name) if correlation is not None and (path or name not in _TYPE_META) else None
            matches += child.check(each, where, found, below)
        for name in self.required:
            if name not in value:
                where = f"{path}.{name}"
                found.append(Violation(Code.REQUIRED, f"{where} in body is required", where))
        return matches

    def _check_size(self, value: dict[str, Any], path: str, found: list[Violation]) -> None:
        size = len(value)
        if self.min_properties is not None and size < self.min_properties:
            text = f"{path} in body should have at least {self.min_properties} properties"
            found.append(Violation(Code.OTHER, text, path, size))
        if self.max_properties is not None and size > self.max_properties:
            text = f"{path} in body should have at most {self.max_properties} properties"
            found.append(Violation(Code.TOO_MANY, text, path, size, self.max_properties))

    # ------------------------------------------------------------------ anyOf, oneOf, allOf, not

    def _check_branches(self, value: Any, path: str, found: list[Violation]) -> int:
        matches = 1
        if self.any_of:
            matches += self._check_any_of(value, path, found)
        if self.one_of:
            matches += self._check_one_of(value, path, found)
        if self.all_of:
            matches += self._check_all_of(value, path, found)
        if self.none_of is not None:
            problems: list[Violation] = []
            self.none_of.check(value, path, problems)
            if not problems:
                found.append(_branch_violation(path, "must not validate the schema (not)"))
        return matches

    def _check_any_of(self, value: Any, path: str, found: list[Violation]) -> int:
        best: tuple[int, list[Violation]] | None = None
        for branch in self.any_of:
            problems: list[Violation] = []
            matches = branch.check(value, path, problems)
            if not problems:
                return matches
            if best is None or matches > best[0]:
                best = matches, problems
        found.append(_branch_violation(path, "must validate at least one schema (anyOf)"))
        matches, problems = best or (0, [])
        found.extend(problems)
        return matches

    def _check_one_of(self, value: Any, path: str, found: list[Violation]) -> int:
        valid: list[int] = []
        best: tuple[int, list[Violation]] | None = None
        for branch in self.one_of:
            problems: list[Violation] = []
            matches = branch.check(value, path, problems)
            if not problems:
                valid.append(matches)
            elif not valid and (best is None or matches > best[0]):
                best = matches, problems
        if len(valid) == 1:
            return valid[0]
        told = f"Found {len(valid)} valid alternatives" if valid else "Found none valid"
        found.append(_branch_violation(path, f"must validate one and only one schema (oneOf). {told}"))
        if valid or best is None:
            return 0
        found.extend(best[1])
        return best[0]

    def _check_all_of(self, value: Any, path: str, found: list[Violation]) -> int:
        matches, validated = 0, 0
        for branch in self.all_of:
            before = len(found)
            matches += branch.check(value, path, found)
            validated += len(found) == before
        if validated != len(self.all_of):
            more = "" if validated else ". None validated"
            found.append(_branch_violation(path, f"must validate all the schemas (allOf){more}"))
        return matches


def validator(raw: Mapping[str, Any] | None, *, is_structural: bool = False) -> Validator:
    """The compiled validation of a schema.

    ``is_structural`` is for defaults, which the real server judges by a schema made of the structural one: there,
    int-or-string is no type of its own.
    """
    return Validator(raw or {}, is_structural=is_structural)


def _types(raw: Mapping[str, Any], *, is_structural: bool) -> tuple[str, ...]:
    if raw.get("x-kubernetes-int-or-string") and not is_structural:
        return ("integer", "string")
    return (raw["type"],) if raw.get("type") else ()


def _format(raw: Mapping[str, Any], types: tuple[str, ...]) -> str:
    name = str(raw.get("format") or "")
    return name if name and is_format_known(types[0] if len(types) == 1 else "", name) else ""


def _type_violation(path: str, expected: str, actual: str) -> Violation:
    return Violation(Code.TYPE, f"{path} in body must be of type {expected}: {quoted(actual)}", path, actual)


def _enum_violation(path: str, value: Any, allowed: Sequence[Any]) -> Violation:
    return Violation(Code.ENUM, f"{path} in body should be one of {allowed}", path, value, allowed)


def _branch_violation(path: str, text: str) -> Violation:
    return Violation(Code.COMPOSITE, f"{quoted(path)} {text}")


def _is_enum_value(value: Any, allowed: Any) -> bool:
    """Equal, or equal once converted as Go converts between its types: 1.5 becomes 1, and 97 becomes "a"."""
    if same(value, allowed):
        return True
    if isinstance(value, bool) or isinstance(allowed, bool):
        return False
    if isinstance(value, int):
        if isinstance(allowed, float):
            return float(value) == allowed
        if isinstance(allowed, str):
            return allowed == (chr(value) if 0 <= value < 0x110000 and not 0xD800 <= value < 0xE000 else "\ufffd")
    return isinstance(value, float) and isinstance(allowed, int) and abs(value) < 2**63 and int(value) == allowed
