"""The pytest plugin, in pytest runs of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TESTS = """
import pytest

@pytest.fixture(scope="session")
def control_plane_options():
    return {"api_server_args": ("--v=1",)}

def test_one(control_plane):
    with open(f"seen-{control_plane.url.rpartition(':')[2]}", "a") as file:
        file.write("one\\n")

def test_two(control_plane, control_plane_options):
    assert control_plane.url.startswith("https://")
    with open(f"seen-{control_plane.url.rpartition(':')[2]}", "a") as file:
        file.write("two\\n")
"""


EMBEDDED = """
import pytest

OBJECT = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "there"}}

def names(api_server):
    with api_server.connect() as client:
        return [item["metadata"]["name"] for item in client.resource("configmaps").namespace("default").list()]

@pytest.mark.parametrize("turn", [1, 2])
def test_a_server_of_its_own(api_server, turn):
    assert names(api_server) == []
    api_server.load(OBJECT)
    assert names(api_server) == ["there"]

class TestWithObjects:
    @pytest.fixture
    def api_server_options(self):
        return {"objects": [OBJECT]}

    def test_objects_from_the_start(self, api_server):
        assert names(api_server) == ["there"]
"""


def run(folder: Path, *arguments: str, assets: str = "", tests: str = TESTS) -> str:
    (folder / "test_it.py").write_text(tests)
    (folder / "pytest.ini").write_text("[pytest]\n")
    environment = os.environ | {"PYTHONPATH": str(ROOT), "KUBEBUILDER_ASSETS": assets}
    command = [
        sys.executable, "-m", "pytest", "-p", "dynkube.testing.plugin", "-p", "no:randomly", "-rA", "-q", *arguments
    ]  # fmt: skip
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return done.stdout


def test_without_programs_tests_are_skipped_with_the_reason(tmp_path: Path) -> None:
    output = run(tmp_path)
    assert "2 skipped" in output
    assert "no control plane: $KUBEBUILDER_ASSETS is not set" in output


def test_a_skip_can_be_made_a_failure(tmp_path: Path) -> None:
    output = run(tmp_path, "--require-control-plane")
    assert "2 errors" in output
    assert "--require-control-plane: no control plane: $KUBEBUILDER_ASSETS is not set" in output


def test_a_folder_that_holds_nothing_is_an_error(tmp_path: Path) -> None:
    output = run(tmp_path, f"--control-plane-assets={tmp_path}")
    assert "2 errors" in output
    assert "which has no program etcd or kube-apiserver" in output


@pytest.mark.controlplane
@pytest.mark.timeout(180)
@pytest.mark.parametrize(("workers", "servers"), [(0, 1), (2, 2)])
def test_one_server_for_each_worker(tmp_path: Path, workers: int, servers: int) -> None:
    output = run(
        tmp_path, f"-n{workers}", "--dist=each" if workers else "--dist=no", assets=os.environ["KUBEBUILDER_ASSETS"]
    )
    assert f"{2 * servers} passed" in output
    seen = list(tmp_path.glob("seen-*"))
    assert [each.read_text() for each in seen] == ["one\ntwo\n"] * servers


def test_each_test_has_an_embedded_server_of_its_own(tmp_path: Path) -> None:
    assert "3 passed" in run(tmp_path, tests=EMBEDDED)
