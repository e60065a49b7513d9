"""kubectl on test servers: the same command on the real one and on the embedded one, what it prints compared."""

from __future__ import annotations

import difflib
import os
import re
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_MASKS = (
    (re.compile(r"https?://127\.0\.0\.1:\d+"), "<server>"),
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "<uid>"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"), "<time>"),
    (re.compile(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]\d{4}"), "<time>"),
    (re.compile(r'(resourceVersion\\*"?: ?\\*"?)\d+'), r"\1<rv>"),
    (re.compile(r"X509SHA256=[0-9a-f]{64}"), "X509SHA256=<sha>"),
    (re.compile(r"\b10\.\d+\.\d+\.\d+\b"), "<ip>"),
    (re.compile(r"/tmp/[^\s]*"), "<file>"),
    (re.compile(r"Resource Version: +\d+"), "Resource Version: <rv>"),
    # An age, and how wide a table's columns are for it.
    (re.compile(r"\b(\d+[smhd])+\b"), "<age>"),
    (re.compile(r" {2,}"), "  "),
    (re.compile(r" +$", re.MULTILINE), ""),
)


def find_kubectls() -> dict[str, str]:
    """Each kubectl of this machine by a name: that of the control plane's folder, and an older one on PATH."""
    found: dict[str, str] = {}
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    if assets and (Path(assets) / "kubectl").exists():
        found["kubectl of the control plane"] = str(Path(assets) / "kubectl")
    if on_path := shutil.which("kubectl"):
        found["kubectl on PATH"] = on_path
    return found


@dataclass(frozen=True)
class Output:
    """What a command printed, and its exit status."""

    stdout: str
    stderr: str
    status: int

    @property
    def masked(self) -> str:
        """All of it, with what differs between any two servers made equal."""
        text = f"{self.stdout}\n--- stderr\n{self.stderr}\n--- exit {self.status}"
        for pattern, replacement in _MASKS:
            text = pattern.sub(replacement, text)
        return text


class Kubectl:
    """One kubectl, on one or two servers; ``folder`` is its home and its working directory."""

    def __init__(self, program: str, kubeconfigs: dict[str, Path], folder: Path) -> None:
        self._program = program
        self._kubeconfigs = kubeconfigs
        self._folder = folder
        self.namespace = "default"

    def __call__(
        self, *arguments: str, stdin: str | None = None, status: int = 0, compare: bool = True, timeout: float = 60
    ) -> str:
        """Run it on every server, expect this exit status, and compare; its output on the last one.

        Lines of which only the order is the server's own are compared as they come: both list by key.
        """
        outputs = {name: self._run(path, name, arguments, stdin, timeout) for name, path in self._kubeconfigs.items()}
        shown = " ".join(arguments)
        for name, output in outputs.items():
            assert output.status == status, f"kubectl {shown} on the {name} server: {output}"
        first, *others = outputs.items()
        for name, output in others if compare else ():
            if output.masked != first[1].masked:
                lines = difflib.unified_diff(
                    first[1].masked.splitlines(), output.masked.splitlines(), first[0], name, lineterm="", n=3
                )
                raise AssertionError(f"kubectl {shown}: the servers differ\n" + "\n".join(lines))
        return output_of(outputs)

    def until_done(self, *arguments: str, seconds: float = 20) -> None:
        """Run it until every server has what it asks for: a new kind's documents take the real one a moment."""
        deadline = time.monotonic() + seconds
        waiting = dict(self._kubeconfigs)
        while waiting:
            done = [name for name, path in waiting.items() if not self._run(path, name, arguments, None, 60).status]
            for name in done:
                del waiting[name]
            assert time.monotonic() < deadline, f"kubectl {' '.join(arguments)} never succeeds on {list(waiting)}"

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start it on the last server, the embedded one, and go on."""
        name, path = list(self._kubeconfigs.items())[-1]
        return subprocess.Popen(
            self._command(path, arguments), cwd=self._folder, env=self._environment(name), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def write(self, name: str, text: str) -> str:
        """A file for it to read; its path."""
        path = self._folder / name
        path.write_text(text)
        return str(path)

    def _run(self, kubeconfig: Path, name: str, arguments: Sequence[str], stdin: str | None, timeout: float) -> Output:
        done = subprocess.run(
            self._command(kubeconfig, arguments), cwd=self._folder, env=self._environment(name), text=True,
            input=stdin, capture_output=True, timeout=timeout, check=False,
        )  # fmt: skip
        return Output(done.stdout, done.stderr, done.returncode)

    def _command(self, kubeconfig: Path, arguments: Sequence[str]) -> list[str]:
        return [self._program, f"--kubeconfig={kubeconfig}", f"--namespace={self.namespace}", *arguments]

    def _environment(self, name: str) -> dict[str, str]:
        home = self._folder / name.replace(" ", "-")
        home.mkdir(exist_ok=True)
        kept = {key: value for key, value in os.environ.items() if key in ("PATH", "LANG", "TMPDIR")}
        editor = f"{self._folder}/editor"
        return kept | {"HOME": str(home), "KUBECACHEDIR": str(home / "cache"), "KUBE_EDITOR": editor}


def output_of(outputs: dict[str, Output]) -> str:
    return list(outputs.values())[-1].stdout
