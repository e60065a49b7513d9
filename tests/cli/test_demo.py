"""`dynkube demo`: where it goes, what it prints, and that it leaves nothing behind."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import dynkube
from dynkube.cli import main
from dynkube.testing import ControlPlane

README = Path(__file__).parents[2] / "README.md"
CRD = "books.tour.dynkube.example"


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An environment that names no server, with a ~/.kube/config that does."""
    for name in ("KUBECONFIG", "KUBEBUILDER_ASSETS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    write_kubeconfig(tmp_path / ".kube" / "config", "https://127.0.0.1:1")
    return tmp_path


def write_kubeconfig(path: Path, server: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    clusters = [{"name": "c", "cluster": {"server": server}}]
    contexts = [{"name": "c", "context": {"cluster": "c"}}]
    path.write_text(yaml.safe_dump({"clusters": clusters, "contexts": contexts, "current-context": "c"}))
    return path


class TestWhere:
    def test_with_nothing_it_says_both_ways_in_a_line(self, nowhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["demo"]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        (line,) = err.splitlines()
        assert "--kubeconfig" in line
        assert "$KUBEBUILDER_ASSETS" in line

    def test_it_does_not_follow_the_environment_to_another_machine(
        self, nowhere: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = write_kubeconfig(nowhere / "production", "https://production.example:6443")
        monkeypatch.setenv("KUBECONFIG", str(path))
        assert main(["demo"]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert "https://production.example:6443" in line
        assert "--kubeconfig" in line

    @pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost"])
    def test_it_follows_the_environment_on_this_machine(
        self, nowhere: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, host: str
    ) -> None:
        path = write_kubeconfig(nowhere / "local", f"https://{host}:1")
        monkeypatch.setenv("KUBECONFIG", str(path))
        assert main(["demo"]) == 1
        assert "ConnectError" in capsys.readouterr().err

    def test_a_kubeconfig_that_is_missing(self, nowhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["demo", "--kubeconfig", str(nowhere / "gone")]) == 1
        assert str(nowhere / "gone") in capsys.readouterr().err

    def test_as_a_module(self) -> None:
        run = subprocess.run([sys.executable, "-m", "dynkube", "--version"], capture_output=True, text=True, check=True)
        assert run.stdout == f"dynkube {dynkube.__version__}\n"


def left_in(client: dynkube.DynamicClient) -> list[str]:
    """What there is of the kinds that a tour makes, and where: other tests' things are elsewhere."""
    crds = client.resource("customresourcedefinitions").list(field_selector=f"metadata.name={CRD}")
    deployments = client.resource("deployments").namespace("default").list()
    return [obj["metadata"]["name"] for obj in (*crds, *deployments)]


@pytest.mark.timeout(180)
class TestTour:
    def test_on_a_cluster_by_kubeconfig(self, control_plane: ControlPlane, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["demo", "--kubeconfig", str(control_plane.kubeconfig)]) == 0
        out = capsys.readouterr().out
        assert "the watch's connection was cut" in out
        assert re.search(r"seen == server +True", out)
        with control_plane.connect() as client:
            assert left_in(client) == []

    def test_what_the_readme_shows_is_what_it_prints(
        self, control_plane: ControlPlane, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """On a control plane of its own; ports and versions differ from run to run, and nothing else."""
        monkeypatch.delenv("KUBECONFIG", raising=False)
        assert main(["demo"]) == 0
        out = capsys.readouterr().out
        shown = re.search(r"<!-- tour: begin -->\n```text\n(.*?)```\n<!-- tour: end -->", README.read_text(), re.DOTALL)
        assert comparable(shown[1]) == comparable(out)

    def test_a_failure_deletes_what_was_made_and_nothing_else(
        self, control_plane: ControlPlane, capsys: pytest.CaptureFixture[str]
    ) -> None:
        containers = [{"name": "web", "image": "example.com/web"}]
        labels = {"app": "mine"}
        mine = {
            "metadata": {"name": "dynkube-tour"},
            "spec": {
                "replicas": 0,
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": {"containers": containers}},
            },
        }
        with control_plane.connect() as client:
            client.resource("deployments").namespace("default").create(mine)
            try:
                assert main(["demo", "--kubeconfig", str(control_plane.kubeconfig)]) == 1
                assert "AlreadyExistsError" in capsys.readouterr().err
                assert left_in(client) == ["dynkube-tour"]
            finally:
                client.resource("deployments").namespace("default").delete("dynkube-tour")


def comparable(text: str) -> str:
    text = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", text)
    text = re.sub(r"v1\.\d+\.\d+\S*", "VERSION", text)
    return re.sub(r"\d+ groups .*", "N groups", text)
