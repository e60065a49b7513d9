"""Whether a value is of its type, as an applied configuration has to be.

structured-merge-diff/typed/{validate,helpers}.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from dynkube.testing.apiserver.fieldmanagement import elements
from dynkube.testing.apiserver.fieldmanagement.listitems import item_element
from dynkube.testing.apiserver.fieldmanagement.mergetypes import MergeType
from dynkube.testing.apiserver.fieldmanagement.problems import ProblemError
from dynkube.testing.apiserver.words.govalues import go_syntax, go_type, plain

__all__ = ["check", "problems", "summary"]


def check(value: Any, kind: MergeType, *, duplicates_allowed: bool) -> None:
    """Pass a value of its type.

    Raises:
        ProblemError: It is not; the text lists every problem.
    """
    found = list(problems(value, kind, duplicates_allowed=duplicates_allowed))
    if found:
        raise ProblemError(summary(found))


def summary(problems: Sequence[str]) -> str:
    """Several problems as one text (ValidationErrors.Error)."""
    if len(problems) == 1:
        return problems[0]
    return "\n".join(["errors:", *(f"  {each}" for each in problems)])


def problems(value: Any, kind: MergeType, path: str = "", *, duplicates_allowed: bool) -> Iterator[str]:
    """What is wrong with a value, with the path of each. The real server takes the fields of a map in any order."""
    if value is None:
        return
    if isinstance(value, dict) and kind.is_map:
        yield from _map_problems(value, kind, path, duplicates_allowed=duplicates_allowed)
    elif isinstance(value, list) and kind.is_list:
        yield from _list_problems(value, kind, path, duplicates_allowed=duplicates_allowed)
    elif problem := _problem(value, kind):
        yield _at(path, problem)


def _at(path: str, problem: str) -> str:
    return f"{path}: {problem}" if path else problem


def _map_problems(value: dict[str, Any], kind: MergeType, path: str, *, duplicates_allowed: bool) -> Iterator[str]:
    fields, rest = kind.fields, kind.values
    for name, each in value.items():
        declared = fields.get(name) or rest
        if declared is None:
            yield f"{path}.{name}: field not declared in schema"
            return
        yield from problems(each, declared, f"{path}.{name}", duplicates_allowed=duplicates_allowed)


def _list_problems(value: list[Any], kind: MergeType, path: str, *, duplicates_allowed: bool) -> Iterator[str]:
    seen: set[str] = set()
    for number, item in enumerate(value):
        if kind.is_atomic_list:
            element = f"i:{number}"
        else:
            try:
                element = item_element(item, kind)
            except ProblemError as error:
                yield _at(path, f"element {number}: {error}")
                return
            if element in seen and not duplicates_allowed:
                yield _at(path, f"duplicate entries for key {elements.text(element)}")
            seen.add(element)
        where = path + elements.text(element)
        yield from problems(item, kind.items, where, duplicates_allowed=duplicates_allowed)


def _problem(value: Any, kind: MergeType) -> str:
    """What is wrong with a scalar, or with a value that is nothing of what it may be; "" for nothing."""
    if kind.is_map and not (kind.scalar and _is_scalar(value)):
        return f"expected map, got &{{{plain(value)}}}"
    if kind.scalar:
        return _scalar_problem(value, kind.scalar)
    return f"expected list, got &{{{plain(value)}}}"


def _is_scalar(value: Any) -> bool:
    return not isinstance(value, dict | list)


def _scalar_problem(value: Any, scalar: str) -> str:
    if scalar == "string":
        text = "" if isinstance(value, str) else f"string, got &value.valueUnstructured{{Value:{go_syntax(value)}}}"
    elif scalar == "boolean":
        text = "" if isinstance(value, bool) else f"boolean, got &{{{plain(value)}}}"
    elif scalar == "numeric":
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        text = "" if is_number else f"numeric (int or float), got {go_type(value)}"
    else:
        text = "" if _is_scalar(value) else f"any scalar, got &{{{plain(value)}}}"
    return f"expected {text}" if text else ""
