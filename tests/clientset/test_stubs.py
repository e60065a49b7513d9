"""The stub for editors and type checkers is what its command writes."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

import dynkube.clientset.typed

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def command() -> ModuleType:
    spec = importlib.util.spec_from_file_location("stubs", ROOT / "tests/recording/stubs.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.behaviour("9.3.6")
def test_the_stub_is_what_the_command_writes_of_the_recorded_discovery(command: ModuleType) -> None:
    """Run ``python tests/recording/stubs.py`` when this fails."""
    assert command.FILE.read_text() == command.stub(command.recorded())


def test_the_types_say_at_run_time_that_they_are_for_checkers() -> None:
    with pytest.raises(AttributeError, match="CoreV1 is a type for checkers only"):
        dynkube.clientset.typed.CoreV1
