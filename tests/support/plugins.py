"""Exec credential plugins as little shell programs, and the configurations that name them.

::

    plugin = Plugins(tmp_path).make("good", credential(token="abc"))
    RESTConfig(host=..., exec=plugin.exec())
    assert plugin.runs == 1
"""

from __future__ import annotations

import itertools
import json
import shlex
import stat
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from dynkube.config import ExecConfig

V1 = "client.authentication.k8s.io/v1"
V1BETA1 = "client.authentication.k8s.io/v1beta1"
_numbers = itertools.count(1)


def at(seconds: float) -> str:
    """A time so many seconds from now, as plugins write it."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def credential(version: str = V1, **status: Any) -> dict[str, Any]:
    """An ExecCredential: ``token=``, ``cert=``, ``key=`` (bytes), ``expires=`` (seconds from now)."""
    names = {"cert": "clientCertificateData", "key": "clientKeyData", "expires": "expirationTimestamp"}
    told = {names.get(name, name): at(each) if name == "expires" else each for name, each in status.items()}
    told = {name: each.decode() if isinstance(each, bytes) else each for name, each in told.items()}
    return {"kind": "ExecCredential", "apiVersion": version, "status": told}


class Plugin:
    """One program in a folder of its own, which notes each run."""

    def __init__(self, folder: Path, name: str) -> None:
        folder.mkdir()
        self.folder = folder
        self.path = folder / name
        self._runs = folder / "runs"
        self._output = folder / "output"

    def script(self, body: str, *, before: str = "") -> Plugin:
        """What it does: shell. It notes the run first."""
        runs = shlex.quote(str(self._runs))
        self.path.write_text(f"#!/bin/sh\n{before}\necho run >> {runs}\n{body}\n")
        self.path.chmod(stat.S_IRWXU)
        return self

    def gives(self, output: Mapping[str, Any] | str | bytes) -> Plugin:
        """What it prints from now on."""
        text = json.dumps(output) if isinstance(output, Mapping) else output
        new = self.folder / "output.new"
        new.write_bytes(text.encode() if isinstance(text, str) else text)
        new.replace(self._output)
        if not self.path.exists():
            self.script(self.prints)
        return self

    @property
    def prints(self) -> str:
        """The shell command that prints what `gives` said."""
        return f"cat {shlex.quote(str(self._output))}"

    @property
    def runs(self) -> int:
        return len(self._runs.read_text().splitlines()) if self._runs.exists() else 0

    def note(self, name: str) -> str:
        """What the script has written to this file of its folder (``$0``'s)."""
        path = self.folder / name
        return path.read_text() if path.exists() else ""

    def exec(self, version: str = V1, **fields: Any) -> ExecConfig:
        """The exec stanza that names it; a variable of its own keeps it apart from every other test's."""
        fields.setdefault("interactive_mode", "Never")
        return ExecConfig(command=str(self.path), api_version=version, **fields)

    def stanza(self, version: str = V1, **fields: Any) -> dict[str, Any]:
        """The same as in a kubeconfig."""
        return {"command": str(self.path), "apiVersion": version, "interactiveMode": "Never", **fields}


class Plugins:
    """Makes plugins in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def make(self, output: Mapping[str, Any] | str | bytes | None = None, *, name: str = "plugin") -> Plugin:
        plugin = Plugin(self._folder / f"plugin-{next(_numbers)}", name)
        return plugin if output is None else plugin.gives(output)
