"""client-go's own test functions, and the tests of ours that show the same: clientgo-scenarios.toml as tables.

``python docs/scenarios.py --missing`` lists the functions of client-go's files (in Go's module cache) that have no row.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple

DOCS = Path(__file__).resolve().parent
TESTS = DOCS.parent / "tests"
GO = Path.home() / "go/pkg/mod/k8s.io"


class Scenario(NamedTuple):
    """A test function of client-go."""

    file: str
    function: str
    by: tuple[str, ...]
    """The tests of ours that show the same: ``"informers/test_reflector.py::test_x"``."""
    out: str
    """Why there is none."""
    note: str


def scenarios() -> list[Scenario]:
    """The rows of the file, in its order."""
    files = tomllib.loads((DOCS / "reference/clientgo-scenarios.toml").read_text())
    return [
        Scenario(file, function, tuple(row.get("by", ())), row.get("out", ""), row.get("note", ""))
        for file, rows in files.items()
        for function, row in rows.items()
    ]


def tables() -> list[str]:
    """A Markdown table for each file of client-go's."""
    lines: list[str] = []
    file = ""
    for row in scenarios():
        if row.file != file:
            file = row.file
            lines += ["", f"## {file}", "", "| client-go's test | here |", "|---|---|"]
        lines.append(f"| `{row.function}` | {_shown(row)} |")
    return lines


def _shown(row: Scenario) -> str:
    tests = ", ".join(f"`{test.partition('::')[2]}` ({test.partition('::')[0]})" for test in row.by)
    left_out = f"left out: {row.out}" if row.out else ""
    return ". ".join(part for part in (tests, left_out, row.note) if part)


def nameless() -> list[str]:
    """The tests that a row names and that do not exist."""
    return [test for row in scenarios() for test in row.by if not _exists(test)]


def _exists(test: str) -> bool:
    file, _, name = test.partition("::")
    path = TESTS / file
    if not path.exists():
        return False
    *_, wanted = name.split("::")
    named = (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef)
    tree = ast.parse(path.read_text())
    # A stateful test is a name that the module binds.
    bound = {
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    return wanted in bound or any(isinstance(node, named) and node.name == wanted for node in ast.walk(tree))


def missing() -> list[str]:
    """Functions of client-go's files that have no row; none where Go's module cache has no client-go."""
    known = {(row.file, row.function) for row in scenarios()}
    sources = sorted(GO.glob("client-go@*"))
    found = []
    for file in dict.fromkeys(row.file for row in scenarios()):
        path = sources[-1] / file if sources else DOCS / file
        functions = re.findall(r"^func (Test\w+)\(", path.read_text(), re.MULTILINE) if path.exists() else []
        found += [f"{file} {function}" for function in functions if (file, function) not in known]
    return found


if __name__ == "__main__":
    print("\n".join(missing() if sys.argv[1:] == ["--missing"] else tables()))
