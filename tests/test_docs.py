"""Every Python block of the README and of the documentation runs, page by page, top to bottom.

A page that says ``<!-- examples: control plane -->`` runs on a real one: ``$KUBECONFIG`` then leads to
it, with a namespace of the page's own as the context's, and the name ``server`` is the `ControlPlane`.
A ``text`` block after the word "prints" is what the page's blocks have printed. A block under
``<!-- skip: next "reason" -->`` is not run.
"""

from __future__ import annotations

import contextlib
import doctest
import re
import unittest
import uuid
from pathlib import Path

import pytest
import yaml
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser

from dynkube.testing import ControlPlane

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
NEEDS_SERVER = "<!-- examples: control plane -->"
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE

SYBIL = Sybil(parsers=[PythonCodeBlockParser(doctest_optionflags=FLAGS), SkipParser()], path=str(ROOT))


def pages() -> list:
    return [
        pytest.param(
            page,
            id=str(page.relative_to(ROOT)),
            marks=[pytest.mark.controlplane] if NEEDS_SERVER in page.read_text() else [],
        )
        for page in PAGES
    ]


def run(page: Path, **names: object) -> None:
    document = SYBIL.parse(page)
    document.namespace.update(names)
    try:
        for example in document.examples():
            with contextlib.suppress(unittest.SkipTest):
                example.evaluate()
    finally:
        for value in document.namespace.values():
            if hasattr(value, "close") and not isinstance(value, type):
                value.close()


@pytest.fixture
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Pages write files into the current folder, and see no configuration of this machine."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    return tmp_path


@pytest.fixture
def on_a_control_plane(in_folder: Path, control_plane: ControlPlane, monkeypatch: pytest.MonkeyPatch):
    """``$KUBECONFIG`` leads to a namespace of the page's own."""
    namespace = f"page-{uuid.uuid4().hex[:8]}"
    with control_plane.connect() as client:
        namespaces = client.resource("namespaces")
        namespaces.create({"metadata": {"name": namespace}})
        kubeconfig = yaml.safe_load(control_plane.kubeconfig.read_text())
        kubeconfig["contexts"][0]["context"]["namespace"] = namespace
        path = in_folder / "kubeconfig"
        path.write_text(yaml.safe_dump(kubeconfig))
        monkeypatch.setenv("KUBECONFIG", str(path))
        yield control_plane
        namespaces.delete(namespace)


@pytest.mark.timeout(180)
@pytest.mark.parametrize("page", pages())
def test_page(page: Path, in_folder: Path, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]) -> None:
    text = page.read_text()
    if NEEDS_SERVER in text:
        run(page, server=request.getfixturevalue("on_a_control_plane"))
    else:
        run(page)
    printed = capsys.readouterr().out
    for shown in re.findall(r"^prints:?\n\n```text\n(.*?)```$", text, re.DOTALL | re.MULTILINE):
        assert shown in printed


@pytest.mark.parametrize("page", [pytest.param(page, id=str(page.relative_to(ROOT))) for page in PAGES])
def test_a_block_that_does_not_run_says_why(page: Path) -> None:
    for directive in re.findall(r"<!---?\s*skip:.*?-->", page.read_text()):
        assert re.search(r'skip: ((next|start) "[^"]+"|end)', directive), f"{directive} gives no reason"
