"""Rules in CEL, compiled and run by cel-python, with the results and the words of cel-go.

Only imported where a CRD has rules: cel-python takes a quarter of a second.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, cast

import celpy
import lark
from celpy import celtypes
from celpy.celparser import CELParseError
from celpy.evaluation import Activation, CELEvalError, Evaluator

from dynkube.testing.apiserver.customresources.celfunctions import FUNCTIONS, NO_OVERLOAD
from dynkube.testing.apiserver.customresources.celvalues import failure
from dynkube.testing.apiserver.customresources.patterns import problem_of

__all__ = ["Program", "RuleError", "compile_rule", "constant_error", "member_of"]


_SURPRISES = (CELEvalError, ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


class RuleError(Exception):
    """A rule could not be evaluated; the text is cel-go's."""


class Program:
    """A rule that cel-python could parse."""

    def __init__(self, text: str, tree: lark.Tree[Any]) -> None:
        self.text = text
        self.tree = tree
        self.uses_old_self = any(str(name) == "oldSelf" for node in tree.find_data("ident") for name in node.children)

    def evaluate(self, variables: Mapping[str, Any]) -> Any:
        """The value of the rule.

        Raises:
            RuleError: There is none.
        """
        activation = Activation(vars=dict(variables), functions=dict(FUNCTIONS))
        try:
            value = _RuleEvaluator(self.tree, activation).visit(self.tree)
        except _SURPRISES as error:  # cel-python's own: a rule never ends a request
            raise RuleError(str(error) or type(error).__name__) from error
        if isinstance(value, CELEvalError):
            raise RuleError(str(value.args[0]))
        return value


def constant_error(program: Program) -> str:
    """What is wrong with constants that cel-go looks into when it makes a program; "" if nothing.

    It converts them, and compiles patterns.
    """
    for call in program.tree.find_data("ident_arg"):
        name, arguments = str(call.children[0]), _arguments(call)
        try:
            if name == "matches" and len(arguments) == 2 and _is_constant(arguments[1]):
                problem = problem_of(str(Program(program.text, arguments[1]).evaluate({})))
                if problem:
                    return problem
            elif _is_constant(call):
                Program(program.text, lark.Tree("primary", [call])).evaluate({})
        except RuleError as error:
            return str(error)
    return ""


def _arguments(call: lark.Tree[Any]) -> list[Any]:
    return [each for child in call.children[1:] for each in child.children]


def _is_constant(tree: Any) -> bool:
    """Whether an expression is a literal, or a conversion of one."""
    while isinstance(tree, lark.Tree):
        if tree.data == "literal":
            return True
        if tree.data == "ident_arg":
            arguments = _arguments(tree)
            return str(tree.children[0]) in _CONVERSIONS and len(arguments) == 1 and _is_constant(arguments[0])
        if len(tree.children) != 1:
            return False
        tree = tree.children[0]
    return False


_CONVERSIONS = frozenset(
    {"bool", "bytes", "double", "duration", "dyn", "int", "string", "timestamp", "type", "uint"}
)  # fmt: skip


# cel-python takes the minus of "a -1" for a part of the number. What is in quotes is passed by.
_MINUS = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|([\w)\]] *-)(\d)""", re.DOTALL)


@lru_cache(maxsize=512)
def compile_rule(text: str) -> Program:
    """A rule.

    Raises:
        ValueError: cel-python cannot parse it; the arguments are line and column, if they are known.
    """
    spaced = _MINUS.sub(lambda found: f"{found[1]} {found[2]}" if found[1] else found.group(), text)
    try:
        return Program(spaced, _environment().compile(spaced))
    except CELParseError as error:
        raise ValueError(error.line, error.column) from None


@lru_cache(maxsize=1)
def _environment() -> celpy.Environment:
    # It sets the recursion limit of the whole process, and perhaps lower than it was.
    limit = sys.getrecursionlimit()
    try:
        return celpy.Environment()
    finally:
        sys.setrecursionlimit(max(limit, sys.getrecursionlimit()))


def member_of(tree: Any) -> lark.Tree[Any] | None:
    """The selection of a field that an expression is, if it is one."""
    while isinstance(tree, lark.Tree):
        if tree.data == "member_dot":
            return tree
        if len(tree.children) != 1:
            return None
        tree = tree.children[0]
    return None


class _RuleEvaluator(Evaluator):
    """cel-python's evaluator, with cel-go's words for what fails and cel-go's macros."""

    def visit(self, tree: lark.Tree[Any]) -> Any:
        """Most levels of the grammar have one child only: straight to it."""
        while len(tree.children) == 1 and tree.data in _PASSING:
            child = tree.children[0]
            if not isinstance(child, lark.Tree):
                break
            tree = child
        return super().visit(tree)

    def member_dot(self, tree: lark.Tree[Any]) -> Any:
        """A field of an object."""
        member = self.visit(cast("lark.Tree[Any]", tree.children[0]))
        return _selected(member, str(tree.children[1]))

    def member_index(self, tree: lark.Tree[Any]) -> Any:
        """An item of a list, or a value of a map."""
        member, key = (self.visit(cast("lark.Tree[Any]", each)) for each in tree.children)
        for each in (member, key):
            if isinstance(each, CELEvalError):
                return each
        if isinstance(member, celtypes.MapType):
            return member[key] if key in member else failure(f"no such key: {key}")
        if isinstance(member, celtypes.ListType) and isinstance(key, celtypes.IntType):
            return member[key] if 0 <= key < len(member) else failure(f"index out of bounds: {int(key)}")
        return failure(NO_OVERLOAD)

    def macro_has_eval(self, exprlist: lark.Tree[Any]) -> Any:
        """Whether a field is there. That its object is not is an error."""
        selection = member_of(exprlist)
        if selection is None:
            return failure("invalid argument to has() macro")
        member = self.visit(cast("lark.Tree[Any]", selection.children[0]))
        if isinstance(member, CELEvalError):
            return member
        if not isinstance(member, celtypes.MapType):
            return failure(NO_OVERLOAD)
        key = celtypes.StringType(str(selection.children[1]))
        if key not in member:
            return celtypes.BoolType(False)
        value: Any = member[key]
        return value if isinstance(value, CELEvalError) else celtypes.BoolType(True)

    def member_dot_arg(self, tree: lark.Tree[Any]) -> Any:
        """A method, or a macro over a list or the keys of a map."""
        name = str(tree.children[1])
        arguments = list(tree.children[2].children) if len(tree.children) > 2 else []
        if name not in _MACROS or len(arguments) < 2:
            member = self.visit(cast("lark.Tree[Any]", tree.children[0]))
            values = [self.visit(each) for each in arguments]
            return self.method_eval(member, cast("lark.Token", tree.children[1]), values)
        member = self.visit(cast("lark.Tree[Any]", tree.children[0]))
        if isinstance(member, CELEvalError):
            return member
        if not isinstance(member, (celtypes.ListType, celtypes.MapType)):
            return failure(NO_OVERLOAD)
        return _MACROS[name](self, str(next(arguments[0].scan_values(_is_token))), arguments[1:], list(member))

    def ident_value(self, name: str, root_scope: bool = False) -> Any:
        """A variable, else a type."""
        value = super().ident_value(name, root_scope)
        return _TYPES.get(name, value) if callable(value) and name in FUNCTIONS else value

    def each(self, variable: str, tree: lark.Tree[Any], values: list[Any]) -> Iterator[Any]:
        """The value of an expression for each value of a variable."""
        inner = _RuleEvaluator(tree, self.activation)
        for value in values:
            inner.set_activation({variable: value})
            yield inner.visit(tree)


def _is_token(value: Any) -> bool:
    return isinstance(value, lark.Token)


def _selected(member: Any, name: str) -> Any:
    if isinstance(member, CELEvalError):
        return member
    if not isinstance(member, celtypes.MapType):
        return failure(NO_OVERLOAD)
    key = celtypes.StringType(name)
    return member[key] if key in member else failure(f"no such key: {name}")


# ------------------------------------------------------------------ macros


def _all(evaluator: _RuleEvaluator, variable: str, trees: list[Any], values: list[Any]) -> Any:
    return _folded(evaluator.each(variable, trees[0], values), "_&&_", starts=True)


def _exists(evaluator: _RuleEvaluator, variable: str, trees: list[Any], values: list[Any]) -> Any:
    return _folded(evaluator.each(variable, trees[0], values), "_||_", starts=False)


def _folded(results: Iterator[Any], operator: str, *, starts: bool) -> Any:
    total: Any = celtypes.BoolType(starts)
    for each in results:
        total = FUNCTIONS[operator](total, each)
        if isinstance(total, celtypes.BoolType) and bool(total) is not starts:
            return total
    return total


def _exists_one(evaluator: _RuleEvaluator, variable: str, trees: list[Any], values: list[Any]) -> Any:
    count = 0
    for each in evaluator.each(variable, trees[0], values):
        if isinstance(each, CELEvalError):
            return each
        count += bool(each)
    return celtypes.BoolType(count == 1)


def _filter(evaluator: _RuleEvaluator, variable: str, trees: list[Any], values: list[Any]) -> Any:
    kept = []
    for value, each in zip(values, evaluator.each(variable, trees[0], values), strict=True):
        if isinstance(each, CELEvalError):
            return each
        if bool(each):
            kept.append(value)
    return celtypes.ListType(kept)


def _map(evaluator: _RuleEvaluator, variable: str, trees: list[Any], values: list[Any]) -> Any:
    if len(trees) == 2:
        kept = _filter(evaluator, variable, trees[:1], values)
        if isinstance(kept, CELEvalError):
            return kept
        values = list(kept)
    results = list(evaluator.each(variable, trees[-1], values))
    failed = next((each for each in results if isinstance(each, CELEvalError)), None)
    return failed or celtypes.ListType(results)


_MACROS = {
    "all": _all,
    "exists": _exists,
    "exists_one": _exists_one,
    "existsOne": _exists_one,
    "filter": _filter,
    "map": _map,
}
_PASSING = frozenset(
    {"expr", "conditionalor", "conditionaland", "relation", "addition", "multiplication", "unary", "member"}
)
_TYPES = {
    "bool": celtypes.BoolType,
    "double": celtypes.DoubleType,
    "duration": celtypes.DurationType,
    "int": celtypes.IntType,
    "string": celtypes.StringType,
    "timestamp": celtypes.TimestampType,
}
