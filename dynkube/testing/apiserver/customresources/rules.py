"""``x-kubernetes-validations``: the rules of a schema, and what they say of an object.

AE/apiserver/schema/cel/validation.go. How much a rule costs is neither estimated nor limited here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from dynkube.testing.apiserver.customresources.badvalues import bad_value
from dynkube.testing.apiserver.customresources.correlation import Correlation, keyed_items, map_key
from dynkube.testing.apiserver.customresources.fieldpaths import field_path
from dynkube.testing.apiserver.customresources.structural import Structural, structural
from dynkube.testing.apiserver.customresources.violations import NO_PATH
from dynkube.testing.apiserver.words.fielderrors import (
    OMITTED,
    FieldError,
    child,
    duplicate,
    forbidden,
    index,
    invalid,
    key,
    required,
)

if TYPE_CHECKING:
    from dynkube.testing.apiserver.customresources.celprograms import Program

__all__ = ["Rule", "RuleSet"]

_MAX_MESSAGE_BYTES = 5 * 1024


@dataclass(frozen=True)
class Rule:
    """One rule of a node. Compiled when it is first looked at."""

    raw: Mapping[str, Any]
    schema: Structural

    @cached_property
    def program(self) -> Program | None:
        """The compiled rule; None for one that this server cannot run, of which its CRD was warned."""
        from dynkube.testing.apiserver.customresources.rulechecks import runnable

        return runnable(self.raw, self.raw.get("rule", ""))

    @cached_property
    def message_program(self) -> Program | None:
        """What makes the message, None where that is a fixed text."""
        from dynkube.testing.apiserver.customresources.rulechecks import runnable

        expression = self.raw.get("messageExpression", "")
        return runnable(self.raw, expression) if expression else None

    @property
    def shown(self) -> str:
        """What stands for the rule in messages (ruleErrorString)."""
        return str(self.raw.get("message") or self.raw.get("rule", "")).strip()

    @property
    def message(self) -> str:
        """What is said when the rule does not hold."""
        return self.shown if self.raw.get("message") else f"failed rule: {self.shown}"

    @cached_property
    def field(self) -> str:
        """The path below the node that is to blame; "" for the node."""
        told = self.raw.get("fieldPath", "")
        return field_path(told, self.schema).text if told else ""


@dataclass(frozen=True, slots=True)
class _Where:
    """A place in an update: the values there, or above where the old one is not known."""

    here: Correlation | None = None
    above: Correlation | None = None

    def key(self, name: str) -> _Where:
        if self.here is None:
            return self
        if self.above is None and name in ("apiVersion", "kind"):
            return _Where()
        return _Where(self.here.key(name), self.here)

    def index(self, number: int) -> _Where:
        return self if self.here is None else _Where(self.here.index(number), self.here)

    def is_unchanged(self) -> bool:
        judge = self.here or self.above
        return judge is not None and judge.is_unchanged()


@dataclass(frozen=True, slots=True)
class _Node:
    """A node of a schema with rules at it or below."""

    schema: Structural
    rules: tuple[Rule, ...]
    is_resource: bool
    items: _Node | None
    additional: _Node | None
    properties: Mapping[str, _Node]


class RuleSet:
    """The rules of a schema; false where it has none.

    Attributes:
        let_pass: Of the last check: what does not hold, but did not change, and so is only told of.
    """

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self._root = _node(structural(raw), is_resource=True) if _has_rules(raw) else None
        self.let_pass: list[str] = []

    def __bool__(self) -> bool:
        return self._root is not None

    def check(self, obj: Any, old: Any, correlation: Correlation | None) -> list[FieldError]:
        """What the rules say of an object; ``old`` is None, and ``correlation`` too, where it is new."""
        self.let_pass = []
        if self._root is None:
            return []
        return list(_Check(self.let_pass).node(self._root, "", obj, old, _Where(correlation)))


def check_value(schema: Structural, value: Any, old: Any, path: str) -> list[FieldError]:
    """What the rules of a node, and below it, say of a value: of a default, which is no update."""
    node = _node(schema, is_resource=False)
    return [] if node is None else list(_Check([]).node(node, path, value, old, _Where()))


def _has_rules(raw: Mapping[str, Any]) -> bool:
    if raw.get("x-kubernetes-validations"):
        return True
    below = [raw.get("items"), raw.get("additionalProperties"), *(raw.get("properties") or {}).values()]
    return any(isinstance(each, Mapping) and _has_rules(each) for each in below)


def _node(schema: Structural, *, is_resource: bool) -> _Node | None:
    if not _has_rules(schema.raw):
        return None
    below = {name: _node(each, is_resource=each.is_embedded) for name, each in schema.properties.items()}
    items, additional = schema.items, schema.additional
    return _Node(
        schema=schema,
        rules=tuple(Rule(each, schema) for each in schema.raw.get("x-kubernetes-validations") or ()),
        is_resource=is_resource,
        items=_node(items, is_resource=items.is_embedded) if items else None,
        additional=_node(additional, is_resource=additional.is_embedded) if additional else None,
        properties={name: each for name, each in below.items() if each is not None},
    )


class _Check:
    """One walk over an object."""

    def __init__(self, let_pass: list[str]) -> None:
        self._let_pass = let_pass

    def node(self, node: _Node, path: str, value: Any, old: Any, where: _Where) -> Iterator[FieldError]:
        """What is wrong at a node and below."""
        if value is None:
            return
        if node.rules:
            yield from self._rules(node, path, value, old, where)
        if isinstance(value, list) and node.items is not None:
            yield from self._items(node, node.items, path, value, old, where)
        elif isinstance(value, dict):
            yield from self._fields(node, path, value, old, where)

    def _items(
        self, node: _Node, items: _Node, path: str, value: list[Any], old: Any, where: _Where
    ) -> Iterator[FieldError]:
        keys = node.schema.list_map_keys if node.schema.list_type == "map" else ()
        before = keyed_items(old, keys) if keys and isinstance(old, list) else {}
        for number, each in enumerate(value):
            found = map_key(each, keys) if before else None
            old_item = before.get(found) if found is not None else None
            yield from self.node(items, index(path, number), each, old_item, where.index(number))

    def _fields(self, node: _Node, path: str, value: dict[str, Any], old: Any, where: _Where) -> Iterator[FieldError]:
        before = old if isinstance(old, dict) else {}
        for name, each in value.items():
            if node.additional is not None:
                yield from self.node(node.additional, key(path, name), each, before.get(name), where.key(name))
            below = node.properties.get(name)
            if below is not None:
                yield from self.node(below, child(path, name), each, before.get(name), where.key(name))

    # ------------------------------------------------------------------ the rules of one node

    def _rules(self, node: _Node, path: str, value: Any, old: Any, where: _Where) -> Iterator[FieldError]:
        from dynkube.testing.apiserver.customresources.celvalues import bound

        variables = {"self": bound(value, node.schema, is_resource=node.is_resource)}
        if old is not None:
            variables["oldSelf"] = bound(old, node.schema, is_resource=node.is_resource)
        for rule in node.rules:
            program = rule.program
            if program is None or (program.uses_old_self and old is None):
                continue
            error = _judge(rule, program, path, value, variables, node.schema.type)
            if error is None:
                continue
            # Only that a rule does not hold can be old news; that it cannot be evaluated never is.
            if error.is_broken or program.uses_old_self or not where.is_unchanged():
                yield error.error
            else:
                self._let_pass.append(str(error.error))


@dataclass(frozen=True, slots=True)
class _Verdict:
    error: FieldError
    is_broken: bool = False


def _judge(
    rule: Rule, program: Program, path: str, value: Any, variables: Mapping[str, Any], kind: str
) -> _Verdict | None:
    from dynkube.testing.apiserver.customresources.celfunctions import NO_OVERLOAD
    from dynkube.testing.apiserver.customresources.celprograms import RuleError

    where = path or NO_PATH
    try:
        if program.evaluate(variables):
            return None
    except RuleError as error:
        text = f"{error} evaluating rule: {rule.shown}"
        if str(error).startswith(NO_OVERLOAD):
            text = (
                f"'{error}': call arguments did not match a supported operator, function or macro signature for rule: "
                f"{rule.shown}"
            )
        return _Verdict(invalid(where, kind, text), is_broken=True)
    blamed = child(path, rule.field) if rule.field else where
    shown = OMITTED if kind in ("object", "array") else bad_value(value)
    return _Verdict(_error(rule.raw.get("reason"), blamed, shown, _message(rule, variables)))


def _error(reason: str | None, path: str, value: Any, detail: str) -> FieldError:
    if reason == "FieldValueForbidden":
        return forbidden(path, detail)
    if reason == "FieldValueRequired":
        return required(path, detail)
    return duplicate(path, value) if reason == "FieldValueDuplicate" else invalid(path, value, detail)


def _message(rule: Rule, variables: Mapping[str, Any]) -> str:
    """The message of a rule that does not hold: made by its expression, if that makes one that is fit to show."""
    from dynkube.testing.apiserver.customresources.celprograms import RuleError

    program = rule.message_program
    if program is None:
        return rule.message
    try:
        made = program.evaluate(variables)
    except RuleError:
        return rule.message
    text = str(made).strip() if isinstance(made, str) else ""
    is_fit = text and "\n" not in text and len(text.encode()) <= _MAX_MESSAGE_BYTES
    return text if is_fit else rule.message
