"""`dynkube serve`: a server for any client, until it is interrupted."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import dynkube
from dynkube.cli import main

COMMAND = [sys.executable, "-m", "dynkube", "serve"]


@contextmanager
def serving(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    process = subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, process.stderr.read() if process.stderr else ""
        yield process, Path(line.strip())
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serves_until_it_is_interrupted_and_leaves_nothing(number: signal.Signals) -> None:
    with serving() as (process, kubeconfig):
        assert kubeconfig.stat().st_mode & 0o777 == 0o600
        with dynkube.connect(kubeconfig=kubeconfig) as client:
            assert client.resource("v1/namespaces").get("default")["status"] == {"phase": "Active"}
        process.send_signal(number)
        _, errors = process.communicate(timeout=10)
        assert (process.returncode, errors) == ({signal.SIGINT: 130, signal.SIGTERM: 143}[number], "")
        assert not kubeconfig.parent.exists()


def test_writes_the_kubeconfig_where_it_is_told_and_takes_it_away(tmp_path: Path) -> None:
    wanted = tmp_path / "kubeconfig"
    with serving("--kubeconfig", str(wanted)) as (process, kubeconfig):
        assert kubeconfig == wanted
        with dynkube.connect(kubeconfig=wanted) as client:
            assert client.discovery.server_version().git_version.startswith("v1.36")
        process.send_signal(signal.SIGTERM)
        process.wait(10)
        assert not wanted.exists()


def test_overwrites_no_kubeconfig(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine = tmp_path / "kubeconfig"
    mine.write_text("mine")
    assert main(["serve", "--kubeconfig", str(mine)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert (str(mine) in line, "exists already" in line) == (True, True)
    assert mine.read_text() == "mine"


def test_objects_are_there_from_the_start(tmp_path: Path) -> None:
    (tmp_path / "objects.yaml").write_text(
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"
        "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: prices, namespace: shop}\ndata: {tea: '3'}\n"
    )
    with serving("--objects", str(tmp_path)) as (_, kubeconfig), dynkube.connect(kubeconfig=kubeconfig) as client:
        assert client.resource("v1/configmaps").namespace("shop").get("prices")["data"] == {"tea": "3"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--host", "192.0.2.1"], "allow_remote"),
        (["--host", "example.com"], "no IP address"),
        (["--port", "65536"], "port=65536"),
        (["--objects", "/nowhere/at/all"], "/nowhere/at/all"),
    ],
)
def test_what_it_cannot_do_is_one_line(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", *arguments]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = err.splitlines()
    assert words in line
