"""Write reference/parity.md: each behaviour item, its state, and the tests that name it.

``python docs/parity.py`` writes the page; ``--missing`` lists the core items that no test names.
States and descriptions live in reference/parity.toml; the tests are found by their marks,
``@pytest.mark.behaviour("2.4.5")``, so that a test that goes away takes its claim with it
(tests/test_parity.py).
"""

from __future__ import annotations

import ast
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).resolve().parent
TESTS = DOCS.parent / "tests"
STATES = ("done", "waiting", "left out")
SHOWN = 2  # tests named per row; the rest is counted

HEAD = """\
# Parity with client-go

What client-go, kubectl and kube-rs do, item by item: **done** (a test names the item), **waiting** (for what) or
**left out** (why). *core* must exist in version 1, *parity* is what client-go and kubectl have besides, *beyond* is
more. A note on a done item says where dynkube differs on purpose.

This page is written by `python docs/parity.py` from `parity.toml` and from the tests' `behaviour` marks.
"""


@dataclass(frozen=True)
class Item:
    """One row of the page."""

    id: str
    section: str
    level: str
    text: str
    state: str = "done"
    note: str = ""


def items() -> list[Item]:
    sections = tomllib.loads((DOCS / "reference/parity.toml").read_text())
    return [Item(each, section, *row) for section, rows in sections.items() for each, row in rows.items()]


def marks() -> dict[str, list[str]]:
    """Each item's tests: ``{"2.4.5": ["test_x (wire/test_paths.py)", ...]}``, conformance first."""
    found: dict[str, set[tuple[bool, str, str]]] = defaultdict(set)
    for path in sorted(TESTS.rglob("test_*.py")):
        where = str(path.relative_to(TESTS))
        for test, item in marks_in(ast.parse(path.read_text())):
            found[item].add((not where.startswith("conformance"), where, test))
    return {item: [f"`{test}` ({where})" for _, where, test in sorted(tests)] for item, tests in found.items()}


def marks_in(tree: ast.AST, owner: str = "the module") -> Iterator[tuple[str, str]]:
    """Each (test, item) that a ``behaviour(...)`` mark names, also one in ``pytestmark`` or ``pytest.param``."""
    for node in ast.iter_child_nodes(tree):
        named = isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        inner = node.name if named else owner
        match node:
            case ast.Call(func=ast.Attribute(attr="behaviour"), args=args):
                yield from ((owner, arg.value) for arg in args if isinstance(arg, ast.Constant))
        yield from marks_in(node, inner)


def page() -> str:
    tests = marks()
    lines = [HEAD, *summary(), ""]
    section = None
    for item in items():
        if item.section != section:
            section = item.section
            lines += ["", f"## {section}", "", "| item | level | what | state | shown by |", "|---|---|---|---|---|"]
        lines.append(row(item, tests.get(item.id, [])))
    return "\n".join(lines) + "\n"


def summary() -> list[str]:
    counts = {(level, state): 0 for level in ("core", "parity", "beyond") for state in STATES}
    for item in items():
        counts[item.level, item.state] += 1
    head = ["| level | done | waiting | left out |", "|---|---|---|---|"]
    return head + [
        f"| {level} | " + " | ".join(str(counts[level, state]) for state in STATES) + " |"
        for level in ("core", "parity", "beyond")
    ]


def row(item: Item, tests: list[str]) -> str:
    state = f"{item.state}: {item.note}" if item.note else item.state
    shown = ", ".join(tests[:SHOWN]) + (f", and {len(tests) - SHOWN} more" if len(tests) > SHOWN else "")
    return f"| {item.id} | {item.level} | {item.text} | {state} | {shown} |"


def missing() -> list[str]:
    tests = marks()
    return [f"{item.id} {item.text}" for item in items() if item.state == "done" and item.id not in tests]


def main() -> None:
    if sys.argv[1:] == ["--missing"]:
        print("\n".join(missing()))
        return
    (DOCS / "reference/parity.md").write_text(page())


if __name__ == "__main__":
    main()
