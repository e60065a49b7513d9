"""What cel-go's compiler would say of a rule: names that are not there, operators on types they are not for.

cel-python checks no types. This walk over its parse tree finds what authors of CRDs get wrong; where a type is not
known it says nothing. Only imported where a CRD has rules.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import lark

from dynkube.testing.apiserver.customresources.celprograms import member_of
from dynkube.testing.apiserver.customresources.formats import string_format
from dynkube.testing.apiserver.customresources.patterns import problem_of
from dynkube.testing.apiserver.customresources.rulefunctions import (
    FUNCTIONS,
    METHODS,
    NAMESPACES,
    Signature,
    bare_name,
    needed,
)
from dynkube.testing.apiserver.customresources.ruletypes import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    NULL,
    NUMBERS,
    STRING,
    TIMESTAMP,
    TYPE,
    UINT,
    ListOf,
    MapOf,
    ObjectOf,
    Type,
    are_alike,
    joined,
)

__all__ = ["check_rule"]

Tree: TypeAlias = Any
"""A node of lark's parse tree: a tree, or a token where the grammar has one."""
Scope: TypeAlias = Mapping[str, Type]

_TYPE_NAMES = frozenset({"bool", "bytes", "double", "int", "list", "map", "null_type", "string", "type", "uint"})
_LITERALS = {
    "UINT_LIT": UINT, "FLOAT_LIT": DOUBLE, "INT_LIT": INT, "MLSTRING_LIT": STRING, "STRING_LIT": STRING,
    "BYTES_LIT": BYTES, "BOOL_LIT": BOOL, "NULL_LIT": NULL,
}  # fmt: skip
_OPERATORS = {
    "relation_lt": ("<", "_<_"), "relation_le": ("<=", "_<=_"), "relation_gt": (">", "_>_"),
    "relation_ge": (">=", "_>=_"), "relation_eq": ("==", "_==_"), "relation_ne": ("!=", "_!=_"),
    "relation_in": ("in", "@in"), "addition_add": ("+", "_+_"), "addition_sub": ("-", "_-_"),
    "multiplication_mul": ("*", "_*_"), "multiplication_div": ("/", "_/_"), "multiplication_mod": ("%", "_%_"),
}  # fmt: skip
_MACROS = frozenset({"all", "exists", "exists_one", "filter", "map"})


def check_rule(text: str, tree: Tree, variables: Scope) -> tuple[Type, str]:
    """The type of a rule, and what cel-go would say of it, "" if nothing.

    Args:
        text: the rule.
        tree: as cel-python parsed it.
        variables: ``self`` and ``oldSelf``.
    """
    checker = _Checker(text)
    kind, _ = checker.infer(tree, variables)
    return kind, "\n".join(_shown(text, at, problem) for at, problem in sorted(set(checker.problems)))


def _shown(text: str, at: int, problem: str) -> str:
    line = text.count("\n", 0, at) + 1
    start = text.rfind("\n", 0, at) + 1
    source = text[start:].partition("\n")[0]
    column = at - start
    return f"ERROR: <input>:{line}:{column + 1}: {problem}\n | {source}\n | {'.' * column}^"


@dataclass(slots=True)
class _Checker:
    """One walk. Each step gives the type of an expression, and where it is told to be."""

    text: str
    problems: list[tuple[int, str]]

    def __init__(self, text: str) -> None:
        self.text = text
        self.problems = []

    def say(self, at: int, problem: str) -> Type:
        self.problems.append((at, problem))
        return DYN

    def infer(self, tree: Tree, scope: Scope) -> tuple[Type, int]:
        """The type of a node of the tree, and its place in the text."""
        while len(tree.children) == 1 and isinstance(tree.children[0], lark.Tree) and tree.data not in _KEPT:
            tree = tree.children[0]
        step = getattr(self, f"_{tree.data}", None)
        if step is None:
            return DYN, tree.meta.start_pos
        return step(tree, scope)  # type: ignore[no-any-return]

    def _between(self, left: Tree, operator: str) -> int:
        return self.text.index(operator, left.meta.end_pos)

    def no_overload(self, at: int, name: str, kinds: Sequence[Type], target: Type | None = None) -> Type:
        """Say that a function or operator is not for these types."""
        receiver = "" if target is None else f"{target}."
        shown = ", ".join(map(str, kinds))
        return self.say(at, f"found no matching overload for '{name}' applied to '{receiver}({shown})'")

    # ------------------------------------------------------------------ operators

    def _expr(self, tree: Tree, scope: Scope) -> tuple[Type, int]:
        condition, one, other = (self.infer(each, scope)[0] for each in tree.children)
        at = self._between(tree.children[0], "?")
        if condition not in (BOOL, DYN) or not are_alike(one, other):
            return self.no_overload(at, "_?_:_", [condition, one, other]), at
        return joined(one, other), at

    def _conditionalor(self, tree: Tree, scope: Scope) -> tuple[Type, int]:
        return self._logical(tree, scope, "||")

    def _conditionaland(self, tree: Tree, scope: Scope) -> tuple[Type, int]:
        return self._logical(tree, scope, "&&")

    def _logical(self, tree: Tree, scope: Scope, operator: str) -> tuple[Type, int]:
        for each in tree.children:
            kind, at = self.infer(each, scope)
            if kind not in (BOOL, DYN):
                self.say(at, f"expected type 'bool' but found '{kind}'")
        return BOOL, self._between(tree.children[0], operator)

    def _relation(self, tree: Tree, scope: Scope) -> tuple[Type, int]:
        return self._binary(tree, scope)

    def _addition(self, tree: Tree, scope: Scope) -> tuple[Type, int]:
        return self._binary(tree, scope)

    def _multiplication(self, tree: Tree, scope: Scope) -> tuple[Type, int]:
        return self._binary(tree, scope)

    def _binary(self, tree: Tree, scope: Scope) -> tuple[Type, int]:
        operation, right_tree = tree.children
        left_tree = operation.children[0]
        sign, name = _OPERATORS[operation.data]
        left, right = self.infer(left_tree, scope)[0], self.infer(right_tree, scope)[0]
        at = self._between(left_tree, sign)
        result = _result(name, left, right)
        return (self.no_overload(at, name, [left, right]) if result is None else result), at

    def _unary(self, tree: Tree, scope: Scope) -> tuple[Type, int]:
        operation, operand = tree.children
        kind, _ = self.infer(operand, scope)
        at = operand.meta.start_pos
        is_not = operation.data == "unary_not"
        at = self.text.rindex("!" if is_not else "-", 0, at)
        allowed: tuple[Type, ...] = (BOOL, DYN) if is_not else (INT, DOUBLE, DYN)
        if kind not in allowed:
            return self.no_overload(at, "!_" if is_not else "-_", [kind]), at
        return kind, at

    # ------------------------------------------------------------------ members

    def _member_dot(self, tree: Tree, scope: Scope) -> tuple[Type, int]:
        member, token = tree.children
        at = self.text.rindex(".", 0, token.start_pos)
        kind, _ = self.infer(member, scope)
        return self._selected(kind, str(token), at), at

    def _selected(self, kind: Type, name: str, at: int) -> Type:
        if isinstance(kind, ObjectOf):
            found = kind.fields.get(name)
            return self.say(at, f"undefined field '{name}'") if found is None else found
        if isinstance(kind, MapOf):
            return kind.values
        return DYN if kind == DYN else self.say(at, f"type '{kind}' does not support field selection")

    def _member_index(self, tree: Tree, scope: Scope) -> tuple[Type, int]:
        member, key = tree.children
        kind, key_kind = self.infer(member, scope)[0], self.infer(key, scope)[0]
        at = self._between(member, "[")
        if isinstance(kind, ListOf) and key_kind in (INT, DYN):
            return kind.items, at
        if isinstance(kind, MapOf) and are_alike(kind.keys, key_kind):
            return kind.values, at
        return (DYN if kind == DYN else self.no_overload(at, "_[_]", [kind, key_kind])), at

    def _member_dot_arg(self, tree: Tree, scope: Scope) -> tuple[Type, int]:
        member, token = tree.children[:2]
        arguments = _arguments(tree.children[2:])
        at = self.text.index("(", token.end_pos)
        name = str(token)
        if needed(tree) is not None:
            # What a library makes of its arguments nobody here knows; what it is called on is looked at.
            if bare_name(member) not in NAMESPACES:
                self.infer(member, scope)
            return DYN, at
        variable = _variable(arguments[0]) if name in _MACROS and len(arguments) in (2, 3) else None
        kind, where = self.infer(member, scope)
        if variable is not None:
            if not isinstance(kind, (ListOf, MapOf)) and kind != DYN:
                text = f"expression of type '{kind}' cannot be range of a comprehension (must be list, map, or dynamic)"
                return self.say(where, text), at
            return self._macro(name, kind, variable, arguments[1:], scope, at), at
        kinds = [self.infer(each, scope)[0] for each in arguments]
        if name not in METHODS:
            return self.say(at, f"undeclared reference to '{name}' (in container '')"), at
        self._check_pattern(name, arguments)
        return self._applied(name, METHODS[name], kinds, at, target=kind), at

    def _macro(self, name: str, kind: Type, variable: str, arguments: Sequence[Tree], scope: Scope, at: int) -> Type:
        items: Type = DYN
        if isinstance(kind, (ListOf, MapOf)):
            items = kind.items if isinstance(kind, ListOf) else kind.keys
        inner = {**scope, variable: items}
        kinds = [self.infer(each, inner) for each in arguments]
        for found, where in kinds[:-1] if name == "map" else kinds:
            if found not in (BOOL, DYN):
                if name in ("map", "filter"):
                    return self.no_overload(at, "_?_:_", [found, ListOf(items), ListOf(items)])
                self.say(where, f"expected type 'bool' but found '{found}'")
        if name == "map":
            return ListOf(kinds[-1][0])
        return ListOf(items) if name == "filter" else BOOL

    # ------------------------------------------------------------------ calls, names, literals

    def _primary(self, tree: Tree, scope: Scope) -> tuple[Type, int]:
        return self.infer(tree.children[0], scope)

    def _paren_expr(self, tree: Tree, scope: Scope) -> tuple[Type, int]:
        return self.infer(tree.children[0], scope)

    def _ident_arg(self, tree: Tree, scope: Scope) -> tuple[Type, int]:
        token = tree.children[0]
        arguments = _arguments(tree.children[1:])
        at = self.text.index("(", token.end_pos)
        name = str(token)
        if name == "has" and len(arguments) == 1:
            return self._has(arguments[0], scope, at), at
        kinds = [self.infer(each, scope)[0] for each in arguments]
        if needed(tree) is not None:
            return DYN, at
        if name not in FUNCTIONS:
            if name in METHODS:
                return self.no_overload(at, name, kinds), at
            return self.say(at, f"undeclared reference to '{name}' (in container '')"), at
        if name in ("duration", "timestamp") and len(arguments) == 1 and not _is_time(name, arguments[0]):
            return self.say(arguments[0].meta.start_pos, f"invalid {name} argument"), at
        return self._applied(name, FUNCTIONS[name], kinds, at), at

    def _has(self, argument: Tree, scope: Scope, at: int) -> Type:
        selection = member_of(argument)
        if selection is None:
            where = argument.meta.start_pos
            return self.say(where, "invalid argument to has() macro")
        member, token = selection.children
        kind, _ = self.infer(member, scope)
        self._selected(kind, str(token), at)
        return BOOL

    def _applied(
        self, name: str, signatures: Sequence[Signature], kinds: Sequence[Type], at: int, target: Type | None = None
    ) -> Type:
        given = [*([] if target is None else [target]), *kinds]
        for signature in signatures:
            result = signature.applied(given)
            if result is not None:
                return result
        return self.no_overload(at, name, kinds, target)

    def _check_pattern(self, name: str, arguments: Sequence[Tree]) -> None:
        """Texts that are patterns are looked into when the rule is compiled."""
        literal = _text_literal(arguments[0]) if name == "matches" and len(arguments) == 1 else None
        if literal is not None and problem_of(literal[1]):
            self.say(literal[0], "invalid matches argument")

    def _ident(self, tree: Tree, scope: Scope) -> tuple[Type, int]:
        token = tree.children[0]
        at, name = token.start_pos, str(token)
        if name in scope:
            return scope[name], at
        if name in _TYPE_NAMES:
            return TYPE, at
        return self.say(at, f"undeclared reference to '{name}' (in container '')"), at

    def _literal(self, tree: Tree, scope: Scope) -> tuple[Type, int]:
        del scope
        token = tree.children[0]
        return _LITERALS.get(token.type, DYN), token.start_pos

    def _list_lit(self, tree: Tree, scope: Scope) -> tuple[Type, int]:
        found = [self.infer(each, scope) for each in _arguments(tree.children)]
        return ListOf(self._homogeneous(found)), tree.meta.start_pos

    def _map_lit(self, tree: Tree, scope: Scope) -> tuple[Type, int]:
        entries = [self.infer(each, scope) for each in _arguments(tree.children)]
        keys, values = self._homogeneous(entries[::2]), self._homogeneous(entries[1::2])
        return MapOf(keys, values), tree.meta.start_pos

    def _homogeneous(self, found: Sequence[tuple[Type, int]]) -> Type:
        total: Type = DYN
        for kind, at in found:
            if not are_alike(total, kind):
                self.say(at, f"expected type '{total}' but found '{kind}'")
            total = joined(total, kind)
        return total


_KEPT = frozenset({"ident", "literal", "list_lit", "map_lit", "ident_arg", "paren_expr"})


def _arguments(children: Sequence[Any]) -> list[Tree]:
    """The expressions of an argument list, of a list or of a map, if there are any."""
    return [each for child in children for each in child.children]


def _variable(tree: Tree) -> str | None:
    names = list(tree.find_data("ident"))
    return str(names[0].children[0]) if len(names) == 1 else None


def _text_literal(tree: Tree) -> tuple[int, str] | None:
    """Where a plain text stands, and what it says; None for what is computed."""
    tokens = list(tree.scan_values(lambda value: isinstance(value, lark.Token)))
    if len(tokens) != 1 or tokens[0].type != "STRING_LIT":
        return None
    raw = str(tokens[0])
    body = raw[2:-1] if raw[0] in "rR" else raw[1:-1]
    return tokens[0].start_pos, body if raw[0] in "rR" else body.replace("\\\\", "\\")


def _is_time(name: str, argument: Tree) -> bool:
    """Whether what a duration or timestamp is made of can be one, as far as it is plain text."""
    literal = _text_literal(argument)
    if literal is None:
        tokens = list(argument.scan_values(lambda value: isinstance(value, lark.Token)))
        return not (len(tokens) == 1 and tokens[0].type == "INT_LIT" and name == "duration")
    check = string_format("duration" if name == "duration" else "date-time")
    return check is not None and check(literal[1])


def _result(name: str, left: Type, right: Type) -> Type | None:
    """The type of what an operator makes of two values, None where it is not for them."""
    if name in ("_==_", "_!=_"):
        return BOOL if are_alike(left, right) else None
    if name == "@in":
        return _membership(left, right)
    if name in ("_<_", "_<=_", "_>_", "_>=_"):
        is_ordered = left == right and left in _ORDERED
        return BOOL if is_ordered or DYN in (left, right) or {left, right} <= NUMBERS else None
    return next(_arithmetic(name, left, right), None)


_ORDERED = frozenset({*NUMBERS, STRING, BYTES, BOOL, TIMESTAMP, DURATION})


def _membership(item: Type, container: Type) -> Type | None:
    if container == DYN:
        return BOOL
    inside = container.items if isinstance(container, ListOf) else getattr(container, "keys", None)
    return BOOL if inside is not None and are_alike(item, inside) else None


def _arithmetic(name: str, left: Type, right: Type) -> Iterator[Type]:
    if DYN in (left, right):
        yield DYN
    if left == right and (left in NUMBERS and not (name == "_%_" and left == DOUBLE)):
        yield left
    if name == "_+_" and left == right and left in (STRING, BYTES, DURATION):
        yield left
    if name == "_+_" and isinstance(left, ListOf) and are_alike(left, right):
        yield joined(left, right)
    if name == "_-_" and left == right and left in (TIMESTAMP, DURATION):
        yield DURATION
    if (name == "_+_" and {left, right} == {TIMESTAMP, DURATION}) or (
        name == "_-_" and (left, right) == (TIMESTAMP, DURATION)
    ):
        yield TIMESTAMP
