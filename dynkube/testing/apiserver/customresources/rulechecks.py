"""What is wrong with rules themselves, and which of them this server does not run.

AE/apis/apiextensions/validation/validation.go, AE/apiserver/schema/cel/compilation.go. What rules cost is not
estimated: there are no errors about budgets.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from dynkube.testing.apiserver.customresources.internal import shown_rule
from dynkube.testing.apiserver.customresources.ruletypes import BOOL, STRING, Type, type_of
from dynkube.testing.apiserver.customresources.structural import Structural, structural, subschemas
from dynkube.testing.apiserver.words.fielderrors import FieldError, child, index, invalid, quoted

if TYPE_CHECKING:
    from dynkube.testing.apiserver.customresources.celprograms import Program

__all__ = ["compile_errors", "default_rule_errors", "runnable", "unenforced"]

Raw = Mapping[str, Any]

_OPTIONAL = re.compile(r"\.\?|\[\?|\{\?")
_EXPECTED = (
    "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}"
)


def compile_errors(raw: Raw, path: str, no_old_self: str, is_resource: bool) -> list[FieldError]:
    """What is wrong with the rules of a node.

    Args:
        raw: the node.
        path: where it stands.
        no_old_self: the node above whose items cannot be told to be the same as before; "" if there is none.
        is_resource: whether the node is the root of an object.
    """
    kind = type_of(structural(raw), is_resource=is_resource)
    where = child(path, "x-kubernetes-validations")
    rules = raw.get("x-kubernetes-validations") or ()
    return [
        error
        for number, rule in enumerate(rules)
        for error in _rule_errors(rule, index(where, number), kind, no_old_self)
    ]


def _rule_errors(rule: Raw, path: str, kind: Type | None, no_old_self: str) -> Iterator[FieldError]:
    text, expression = rule.get("rule", ""), rule.get("messageExpression", "")
    problem = _problem(text, kind, BOOL)
    if problem:
        yield invalid(child(path, "rule"), shown_rule(rule), problem)
    elif expression:
        problem = _problem(expression, kind, STRING)
        if problem:
            yield invalid(child(path, "messageExpression"), shown_rule(rule), problem)
    program = _parsed(text)
    if program is None or problem.startswith("compilation failed"):
        return
    if program.uses_old_self:
        if no_old_self:
            told = f"oldSelf cannot be used on the uncorrelatable portion of the schema within {no_old_self}"
            yield invalid(child(path, "rule"), text, told)
    elif rule.get("optionalOldSelf") is not None:
        told = "may not be set if oldSelf is not used in rule"
        yield invalid(child(path, "optionalOldSelf"), rule["optionalOldSelf"], told)


def _problem(text: str, kind: Type | None, wanted: Type) -> str:
    """Why the real server would not compile an expression; "" if it would, or nobody here can tell."""
    is_message = wanted == STRING
    failed = "messageExpression compilation failed: " if is_message else "compilation failed: "
    missing = _missing(text)
    program = _parsed(text)
    if program is None:
        syntax = "" if missing else _syntax_error(text)
        return f"{failed}{syntax}" if syntax else ""
    if kind is None:
        return ""
    from dynkube.testing.apiserver.customresources.celprograms import constant_error
    from dynkube.testing.apiserver.customresources.rulechecker import check_rule

    found, problems = check_rule(program.text, program.tree, {"self": kind, "oldSelf": kind})
    if problems:
        return f"{failed}{problems}"
    if missing:
        return ""
    if found != wanted:
        return f"{'messageExpression' if is_message else 'cel expression'} must evaluate to a {wanted}"
    constant = constant_error(program)
    return f"{'messageExpression' if is_message else 'program'} instantiation failed: {constant}" if constant else ""


# ------------------------------------------------------------------ what cannot be run


def runnable(rule: Raw, text: str) -> Program | None:
    """An expression of a rule, compiled; None for one that this server does not run."""
    return None if _why_not(rule, text) else _parsed(text)


def unenforced(raw: Raw) -> list[str]:
    """What to tell of rules in a schema that this server does not run, each by its text."""
    texts = []
    for node in subschemas(raw):
        for rule in node.get("x-kubernetes-validations") or ():
            text, expression = rule.get("rule", ""), rule.get("messageExpression", "")
            why = _why_not(rule, text)
            if why:
                texts.append(f"x-kubernetes-validations: this server does not enforce the rule {quoted(text)}: {why}")
            elif expression and _why_not(rule, expression):
                why = _why_not(rule, expression)
                told = f"this server does not evaluate the messageExpression {quoted(expression)}"
                texts.append(f"x-kubernetes-validations: {told}: {why}")
    return texts


def _why_not(rule: Raw, text: str) -> str:
    missing = _missing(text)
    if missing:
        return missing
    program = _parsed(text)
    if program is None:
        return "cel-python cannot parse it"
    return "it needs optional types" if rule.get("optionalOldSelf") and program.uses_old_self else ""


@lru_cache(maxsize=512)
def _missing(text: str) -> str:
    """What an expression needs that is not here; "" if nothing."""
    if _OPTIONAL.search(_without_texts(text)):
        return "it needs optional types"
    program = _parsed(text)
    if program is None:
        return ""
    from dynkube.testing.apiserver.customresources.rulefunctions import needed

    calls = program.tree.find_pred(lambda node: node.data in ("ident_arg", "member_dot_arg"))
    names = sorted({name for name in map(needed, calls) if name is not None})
    return f"it needs {', '.join(names)}" if names else ""


_TEXTS = re.compile(r"""[rR]?('(\\.|[^'\\])*'|"(\\.|[^"\\])*")""", re.DOTALL)


def _without_texts(text: str) -> str:
    return _TEXTS.sub("''", text)


def _parsed(text: str) -> Program | None:
    from dynkube.testing.apiserver.customresources.celprograms import compile_rule

    try:
        return compile_rule(text)
    except ValueError:
        return None


def _syntax_error(text: str) -> str:
    """Of the mistakes that keep a rule from being parsed, the ones that are made every day: something is left open."""
    plain = _without_texts(text)
    depth = plain.count("(") - plain.count(")")
    if "\n" in text or not (depth or plain.rstrip().endswith(("&&", "||", "+", "-", "*", "/", "==", "<", ">", "!"))):
        return ""
    if depth < 0:
        at, problem = len(text.rstrip()) - 1, "extraneous input ')' expecting <EOF>"
        if not text.rstrip().endswith(")") or depth < -1:
            return ""
    else:
        at = len(text)
        problem = "missing ')' at '<EOF>'" if depth else f"mismatched input '<EOF>' expecting {_EXPECTED}"
    return f"ERROR: <input>:1:{at + 1}: Syntax error: {problem}\n | {text}\n | {'.' * at}^"


def default_rule_errors(schema: Structural, value: Any, path: str) -> list[FieldError]:
    """What the rules of a node say of its default: as of a value that is new, and as of one that did not change."""
    from dynkube.testing.apiserver.customresources.rules import check_value

    if not schema.raw.get("x-kubernetes-validations"):
        return []
    return check_value(schema, value, value, path) or check_value(schema, value, None, path)
