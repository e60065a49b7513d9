"""client-go's test functions stand in a table, and what the table names exists."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture(scope="module")
def scenarios() -> ModuleType:
    spec = importlib.util.spec_from_file_location("scenarios", DOCS / "scenarios.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_test_that_is_named_exists(scenarios: ModuleType) -> None:
    assert scenarios.nameless() == []


def test_every_function_is_covered_or_left_out_because(scenarios: ModuleType) -> None:
    unclear = [row.function for row in scenarios.scenarios() if bool(row.by) == bool(row.out)]
    assert unclear == []


def test_every_function_of_a_file_has_a_row(scenarios: ModuleType) -> None:
    """As far as client-go's source is there to look."""
    assert scenarios.missing() == []
