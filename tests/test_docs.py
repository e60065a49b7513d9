"""Every Python block of the README and of the documentation runs, page by page, top to bottom.

A page that says ``<!-- examples: server -->`` runs on the embedded API server, and on a control plane where there is
one: ``$KUBECONFIG`` then leads to it, with a namespace of the page's own as the context's, and the name ``server`` is
the `APIServer` or `ControlPlane`. One that says ``<!-- examples: control plane -->`` runs on a control plane alone.
A ``text`` block after the word "prints" is what the page's blocks have printed. A block under
``<!-- skip: next "reason" -->`` is not run.
"""

from __future__ import annotations

import contextlib
import doctest
import re
import unittest
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser

from dynkube.testing import APIServer, ServerFace

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
ON_BOTH = "<!-- examples: server -->"
ON_THE_REAL_ONE = "<!-- examples: control plane -->"
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE

SYBIL = Sybil(parsers=[PythonCodeBlockParser(doctest_optionflags=FLAGS), SkipParser()], path=str(ROOT))


def pages() -> list:
    """Each page, and where it runs."""
    found = []
    for page in PAGES:
        name, text = str(page.relative_to(ROOT)), page.read_text()
        if ON_BOTH in text:
            found.append(pytest.param(page, "embedded", id=f"{name}-embedded"))
        if ON_BOTH in text or ON_THE_REAL_ONE in text:
            found.append(pytest.param(page, "real", id=f"{name}-real", marks=pytest.mark.controlplane))
        else:
            found.append(pytest.param(page, "", id=name))
    return found


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


@pytest.fixture(scope="module")
def embedded() -> Iterator[APIServer]:
    with APIServer() as server:
        yield server


@contextlib.contextmanager
def place(server: ServerFace, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """``$KUBECONFIG`` leads to a namespace of the page's own."""
    namespace = f"page-{uuid.uuid4().hex[:8]}"
    with server.connect() as client:
        namespaces = client.resource("namespaces")
        namespaces.create({"metadata": {"name": namespace}})
        kubeconfig = yaml.safe_load(server.kubeconfig.read_text())
        kubeconfig["contexts"][0]["context"]["namespace"] = namespace
        path = folder / "kubeconfig"
        path.write_text(yaml.safe_dump(kubeconfig))
        monkeypatch.setenv("KUBECONFIG", str(path))
        yield
        namespaces.delete(namespace)


@pytest.mark.timeout(180)
@pytest.mark.parametrize(("page", "where"), pages())
def test_page(
    page: Path, where: str, in_folder: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    text = page.read_text()
    if where:
        server = request.getfixturevalue("embedded" if where == "embedded" else "control_plane")
        with place(server, in_folder, monkeypatch):
            run(page, server=server)
    else:
        run(page)
    printed = capsys.readouterr().out
    for shown in re.findall(r"^prints:?\n\n```text\n(.*?)```$", text, re.DOTALL | re.MULTILINE):
        assert shown in printed


@pytest.mark.parametrize("page", [pytest.param(page, id=str(page.relative_to(ROOT))) for page in PAGES])
def test_a_block_that_does_not_run_says_why(page: Path) -> None:
    for directive in re.findall(r"<!---?\s*skip:.*?-->", page.read_text()):
        assert re.search(r'skip: ((next|start) "[^"]+"|end)', directive), f"{directive} gives no reason"
