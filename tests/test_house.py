"""Guards of the house: names, documentation, cheap imports, one test command."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import dynkube

ROOT = Path(__file__).parents[1]
MODULES = sorted(found.name for found in pkgutil.walk_packages(dynkube.__path__, "dynkube."))
PUBLIC = [name for name in MODULES if not any(part.startswith("_") for part in name.split("."))]
# Where users import from. A package that re-exports is the door of its modules; wire has none, so each is its own.
DOORS = ["dynkube", "dynkube.testing.plugin"] + [
    name for name in PUBLIC if name.count(".") == 1 or name.startswith("dynkube.wire.")
]
LAZY_PACKAGES = ["dynkube", "dynkube.config", "dynkube.testing"]


def source_of(module: str) -> ast.Module:
    path = importlib.util.find_spec(module).origin
    return ast.parse(Path(path).read_text())


def all_of(module: str) -> list[str]:
    for node in source_of(module).body:
        match node:
            case ast.Assign(targets=[ast.Name(id="__all__")], value=value):
                return ast.literal_eval(value)
            case ast.AnnAssign(target=ast.Name(id="__all__"), value=value):
                return ast.literal_eval(value)
    assert not public_definitions(module), f"{module} defines public names and has no __all__"
    return []


def public_definitions(module: str) -> set[str]:
    kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in source_of(module).body if isinstance(node, kinds) and not node.name.startswith("_")}


class TestPublicNames:
    @pytest.mark.parametrize("module", PUBLIC)
    def test_all_names_what_is_there(self, module: str) -> None:
        """In which order is ruff's to say (RUF022)."""
        names = all_of(module)
        assert len(names) == len(set(names))
        loaded = importlib.import_module(module)
        assert [name for name in names if not hasattr(loaded, name)] == []

    @pytest.mark.parametrize("module", DOORS)
    def test_all_is_complete(self, module: str) -> None:
        """Inner modules of a package may share more than the package shows; pytest calls its hooks by name."""
        assert {each for each in public_definitions(module) - set(all_of(module)) if "pytest_" not in each} == set()

    @pytest.mark.parametrize("package", LAZY_PACKAGES)
    def test_a_lazy_package_has_every_name_at_its_home(self, package: str) -> None:
        """Type checkers read the imports, Python the table: the same names from the same modules."""
        loaded = importlib.import_module(package)
        (block,) = (node for node in source_of(package).body if isinstance(node, ast.If))
        seen = {alias.asname or alias.name: each.module for each in block.body for alias in each.names}
        assert set(seen) == set(loaded.__all__)
        for name, home in seen.items():
            assert getattr(loaded, name) is getattr(importlib.import_module(home), name)
        assert set(loaded.__all__) <= set(dir(loaded))

    def test_every_error_is_under_the_roof(self) -> None:
        errors = importlib.import_module("dynkube.errors")
        classes = {name for name in errors.__all__ if isinstance(getattr(errors, name), type)}
        assert classes <= set(dynkube.__all__)

    def test_an_unknown_name_is_an_attribute_error(self) -> None:
        with pytest.raises(AttributeError, match="'Podd'"):
            _ = dynkube.Podd

    def test_no_empty_names(self) -> None:
        empty = {"base", "common", "core", "helpers", "misc", "types", "utils"}
        assert not [module for module in MODULES if module.rpartition(".")[2] in empty]


class TestImports:
    LAZY = ("yaml", "jsonpatch", "cryptography", "cachetools", "dynkube.testing", "dynkube.cli", "argparse", "asyncio")

    def imported_by(self, statement: str) -> set[str]:
        run = subprocess.run(
            [sys.executable, "-X", "importtime", "-c", statement], capture_output=True, text=True, check=True
        )
        return {line.rpartition("|")[2].strip() for line in run.stderr.splitlines() if line.startswith("import time:")}

    def test_the_roof_alone_loads_nothing(self) -> None:
        added = self.imported_by("import dynkube") - self.imported_by("import typing, __future__")
        assert added == {"dynkube"}

    def test_a_client_loads_only_what_a_get_needs(self) -> None:
        loaded = self.imported_by("import dynkube; dynkube.DynamicClient(dynkube.RESTConfig(host='https://h'))")
        beside = {name for name in loaded for lazy in self.LAZY if name == lazy or name.startswith(f"{lazy}.")}
        assert not beside - {"cachetools", "cachetools.keys", "cachetools._cached", "cachetools._cachedmethod"}


class TestDocuments:
    @pytest.mark.parametrize("module", DOORS)
    def test_every_door_has_a_place_in_the_reference(self, module: str) -> None:
        pages = "\n".join(page.read_text() for page in (ROOT / "docs/reference").glob("*.md"))
        shown = re.search(rf"automodule:: {re.escape(module)}$((?:\n   :.*)*)", pages, re.MULTILINE)
        assert shown, f"no page shows {module}"
        # autodoc shows what a module defines; a package that re-exports must say so, or its page is empty.
        if all_of(module) and not public_definitions(module):
            assert ":imported-members:" in shown[1] or ":no-members:" in shown[1]

    def test_the_reference_lists_every_name_of_the_roof(self) -> None:
        page = (ROOT / "docs/reference/dynkube.md").read_text()
        errors = set(importlib.import_module("dynkube.errors").__all__)
        assert {name for name in dynkube.__all__ if f"`{name}`" not in page} - errors == {"__version__"}

    def test_the_page_of_the_house_has_every_module_in_the_linters_order(self) -> None:
        contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
        floors = [floor.split(" | ") for floor in contracts[0]["layers"] if floor != "__main__"]
        rows = re.findall(r"^\| \d+ \| (`.*?`) \|", (ROOT / "docs/topics/house.md").read_text(), re.MULTILINE)
        assert [set(re.findall(r"`(\w+)`", row)) for row in rows] == [set(floor) for floor in floors]

    def test_the_changelog_begins_with_this_version(self) -> None:
        first = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
        assert first[1] == dynkube.__version__

    def test_ci_runs_what_the_readme_says(self) -> None:
        commands = re.findall(r"^python3 -m venv .*$", (ROOT / "README.md").read_text(), re.MULTILINE)
        assert len(commands) == 2
        assert commands[0].endswith(".venv/bin/dynkube demo")
        assert commands[1].endswith(".venv/bin/tox")
        assert commands[1] in (ROOT / ".ci/run").read_text().splitlines()

    def test_tox_tests_every_python_that_the_package_claims(self) -> None:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        claimed = {line.rpartition(" ")[2] for line in project["classifiers"] if re.search(r":: 3\.\d+$", line)}
        tested = set(re.findall(r"\bpy3(\d\d)\b", (ROOT / "tox.ini").read_text()))
        assert claimed == {f"3.{minor}" for minor in tested}
        assert f">={min(claimed, key=lambda each: int(each[2:]))}" == project["requires-python"]
