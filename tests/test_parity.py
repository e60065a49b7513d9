"""The parity page tells the truth: what it calls done, a test shows."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture(scope="module")
def parity() -> ModuleType:
    spec = importlib.util.spec_from_file_location("parity", DOCS / "parity.py")
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(__import__("sys").modules, "parity", module)  # dataclasses look themselves up
        spec.loader.exec_module(module)
    return module


def test_every_item_that_is_done_has_a_test_that_names_it(parity: ModuleType) -> None:
    assert parity.missing() == []


def test_every_mark_names_an_item(parity: ModuleType) -> None:
    """An item of a section that waits as a whole counts too: a test may be early."""
    known = {item.id for item in parity.items()}
    unknown = {
        mark: tests for mark, tests in parity.marks().items() if known.isdisjoint({mark, mark.rpartition(".")[0]})
    }
    assert unknown == {}


def test_every_row_has_a_known_state_and_says_why_it_is_not_done(parity: ModuleType) -> None:
    rows = parity.items()
    assert len({item.id for item in rows}) == len(rows)
    assert {item.state for item in rows} <= set(parity.STATES)
    assert {item.level for item in rows} == {"core", "parity", "beyond"}
    assert [item.id for item in rows if item.state != "done" and not item.note] == []


def test_the_page_is_what_the_items_and_tests_say(parity: ModuleType) -> None:
    """Run ``python docs/parity.py`` when this fails."""
    assert (DOCS / "reference/parity.md").read_text() == parity.page()
