"""`dynkube demo`: where it goes, what it prints, and that it leaves nothing behind."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import dynkube
from dynkube.cli import main
from dynkube.testing import APIServer, ServerFace

README = Path(__file__).parents[2] / "README.md"
CRD = "books.tour.dynkube.example"


@pytest.fixture(params=["embedded", pytest.param("real", marks=pytest.mark.controlplane)])
def server(request: pytest.FixtureRequest) -> Iterator[ServerFace]:
    if request.param == "real":
        yield request.getfixturevalue("control_plane")
    else:
        with APIServer() as server:
            yield server


class TestWhere:
    def test_a_kubeconfig_that_is_missing(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["demo", "--kubeconfig", str(tmp_path / "gone")]) == 1
        assert str(tmp_path / "gone") in capsys.readouterr().err

    def test_a_control_plane_that_is_not_there(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
        assert main(["demo", "--control-plane"]) == 1
        out, err = capsys.readouterr()
        (line,) = err.splitlines()
        assert (out, "$KUBEBUILDER_ASSETS" in line) == ("", True)

    def test_one_place_only(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit):
            main(["demo", "--control-plane", "--kubeconfig", "k"])
        assert "not allowed with" in capsys.readouterr().err

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
    def test_on_a_cluster_by_kubeconfig(self, server: ServerFace, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["demo", "--kubeconfig", str(server.kubeconfig)]) == 0
        out = capsys.readouterr().out
        assert "the watch's connection was cut" in out
        assert re.search(r"seen == server +True", out)
        with server.connect() as client:
            assert left_in(client) == []

    @pytest.mark.parametrize(
        "where", [[], pytest.param(["--control-plane"], marks=pytest.mark.controlplane)], ids=["embedded", "real"]
    )
    def test_what_the_readme_shows_is_what_it_prints(
        self, where: list[str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        """On a server of its own, of either kind; the port differs from run to run, and nothing else."""
        assert main(["demo", *where]) == 0
        out = capsys.readouterr().out
        shown = re.search(r"<!-- tour: begin -->\n```text\n(.*?)```\n<!-- tour: end -->", README.read_text(), re.DOTALL)
        assert comparable(shown[1]) == comparable(out)

    def test_a_failure_deletes_what_was_made_and_nothing_else(
        self, server: ServerFace, capsys: pytest.CaptureFixture[str]
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
        with server.connect() as client:
            client.resource("deployments").namespace("default").create(mine)
            try:
                assert main(["demo", "--kubeconfig", str(server.kubeconfig)]) == 1
                assert "AlreadyExistsError" in capsys.readouterr().err
                assert left_in(client) == ["dynkube-tour"]
            finally:
                client.resource("deployments").namespace("default").delete("dynkube-tour")


def comparable(text: str) -> str:
    text = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", text)
    # A control plane of another version has other groups.
    text = re.sub(r"v1\.\d+\.\d+\S*", "VERSION", text)
    return re.sub(r"\d+ groups .*", "N groups", text)
