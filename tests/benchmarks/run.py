"""dynkube beside the bare floor, the official dynamic client and client-go's, on a real control plane.

``python tests/benchmarks/run.py``, with the ``benchmarks`` dependency group installed and ``$KUBEBUILDER_ASSETS``
set; ``tox -e benchmarks`` does both. Not a test: nothing fails when it is slow, and nothing here is collected.

Every case of every client runs in a process of its own, the clients in turn, several rounds; the tables show
medians. Absolute times are this machine's and this moment's; ratios within one run are what counts.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import golang
from client_floor import Client as Floor
from report import CLIENTS, Samples, goals, table
from seed import NAMESPACE, create_pods, later

from dynkube.testing import ControlPlane
from dynkube.testing.kubeconfigs import token_user, write_kubeconfig
from dynkube.testing.pki import Authority

__all__ = ["machine", "output", "replaying", "say"]

_HERE = Path(__file__).parent
_CASE_SECONDS = 600
_REQUESTS = "import requests"
_IMPORTS = {
    "import": {"floor": _REQUESTS, "dynkube": "import dynkube", "official": "import kubernetes"},
    "import-client": {
        "floor": _REQUESTS,
        "dynkube": "import dynkube; dynkube.DynamicClient",
        "official": "import kubernetes.dynamic, kubernetes.config",
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """How much to do."""

    pods: int = 5_000
    rounds: int = 5
    gets: int = 600
    watch_rounds: int = 4
    imports: int = 15

    @property
    def events(self) -> int:
        """How many a watch replays."""
        return self.pods * self.watch_rounds


_QUICK = _Plan(pods=1_500, rounds=2, gets=150, watch_rounds=2, imports=5)


class _Bench:
    """Runs cases and keeps what they say."""

    def __init__(self, plan: _Plan, clients: list[str], program: Path | None) -> None:
        self.plan = plan
        self.samples = Samples()
        self._clients = [name for name in CLIENTS if name == "floor" or name in clients]
        if program is None and "client-go" in self._clients:
            self._clients.remove("client-go")  # the builder has said why
        if "official" in self._clients and importlib.util.find_spec("kubernetes") is None:
            say("the official client is left out: there is no package kubernetes")
            self._clients.remove("official")
        self._program = program

    def rounds(self, case: str, kubeconfig: Path, count: int, *, key: str = "", only: str = "") -> None:
        """One case, the clients in turn, in several rounds."""
        say(f"{key or case}: {self.plan.rounds} rounds")
        clients = [name for name in self._clients if only in {"", name}]
        for _ in range(self.plan.rounds):
            for client in clients:
                self.samples.add(key or case, client, self._run(case, client, kubeconfig, count))

    def gets(self, kubeconfig: Path) -> None:
        """The Python clients interleaved in one process; client-go in its own, right after."""
        say(f"get: {self.plan.rounds} rounds")
        python = [name for name in self._clients if name != "client-go"]
        for _ in range(self.plan.rounds):
            for client, figures in self._run("get", ",".join(python), kubeconfig, self.plan.gets).items():
                self.samples.add("get", client, figures)
            if self._program is not None:
                self.samples.add("get", "client-go", self._run("get", "client-go", kubeconfig, self.plan.gets))

    def imports(self, folder: Path) -> None:
        """A fresh interpreter for each; compiled modules are where Python finds them, whatever the environment says."""
        say(f"import: {self.plan.imports} rounds")
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONPYCACHEPREFIX"] = str(folder / "compiled")
        for number in range(self.plan.imports + 1):
            for case, statements in _IMPORTS.items():
                for client in statements.keys() & set(self._clients):
                    code = f"import time; t = time.perf_counter(); {statements[client]}; print(time.perf_counter() - t)"
                    seconds = float(output([sys.executable, "-c", code], environment))
                    if number:  # the first one compiles
                        self.samples.add(case, client, {"seconds": seconds})

    def _run(self, case: str, client: str, kubeconfig: Path, count: int) -> dict[str, Any]:
        if client == "client-go":
            command = [str(self._program), case, str(kubeconfig), NAMESPACE, str(count)]
        else:
            command = [sys.executable, str(_HERE / "worker.py"), case, client, str(kubeconfig), NAMESPACE, str(count)]
        figures: dict[str, Any] = json.loads(output(command))
        return figures


def main() -> None:
    arguments = _arguments()
    plan = _QUICK if arguments.quick else _Plan()
    with tempfile.TemporaryDirectory(prefix="dynkube-benchmarks-") as name:
        folder = Path(name)
        program = golang.build(folder) if "client-go" in arguments.clients else None
        bench = _Bench(plan, arguments.clients, program)
        _measure(bench, folder, arguments.cases)
    _print_report(bench.samples, plan)
    if arguments.json:
        arguments.json.write_text(json.dumps(bench.samples.by_case, indent=1))


def _measure(bench: _Bench, folder: Path, wanted: list[str]) -> None:
    plan = bench.plan
    if "import" in wanted:
        bench.imports(folder)
    if wanted == ["import"]:
        return
    with ControlPlane() as server:
        kubeconfig = server.kubeconfig
        say(f"creating {plan.pods} pods")
        size = create_pods(kubeconfig, plan.pods)
        say(f"a pod has {size} bytes of JSON")
        steps: dict[str, Callable[[], None]] = {
            "list": lambda: _list(bench, kubeconfig),
            "iterate": lambda: _iterate(bench, kubeconfig),
            "get": lambda: bench.gets(kubeconfig),
            "discovery": lambda: bench.rounds("discovery", kubeconfig, 0),
        }
        for case, step in steps.items():
            if case in wanted:
                step()
        if "watch" not in wanted:
            return
        frames = Floor(kubeconfig, NAMESPACE).record(plan.pods)
    recording = folder / "frames"
    recording.write_bytes(b"".join(later(frames, plan.watch_rounds)))
    with replaying(recording, folder) as kubeconfig:
        bench.rounds("watch", kubeconfig, plan.events)
        bench.rounds("watch-once", kubeconfig, plan.events, only="dynkube")


def _list(bench: _Bench, kubeconfig: Path) -> None:
    bench.rounds("list", kubeconfig, bench.plan.pods)
    bench.rounds("instances", kubeconfig, bench.plan.pods, only="official")


def _iterate(bench: _Bench, kubeconfig: Path) -> None:
    bench.rounds("iterate", kubeconfig, bench.plan.pods, key=f"iterate-{bench.plan.pods}")
    bench.rounds("iterate", kubeconfig, 1000, key="iterate-1000")


@contextlib.contextmanager
def replaying(recording: Path, folder: Path) -> Iterator[Path]:
    """A replay process; gives a kubeconfig for it."""
    authority = Authority("benchmarks")
    pair = authority.server("replay", ["127.0.0.1"])
    certificate = folder / "replay.pem"
    certificate.write_bytes(pair.key + pair.certificate)
    command = [sys.executable, str(_HERE / "replay.py"), str(recording), str(certificate)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = f"https://127.0.0.1:{int(process.stdout.readline())}"
            kubeconfig = folder / "replay.kubeconfig"
            yield write_kubeconfig(
                kubeconfig, url=url, ca=authority.certificate, user_name="nobody", user=token_user("none")
            )
        finally:
            process.kill()


def output(command: list[str], environment: dict[str, str] | None = None) -> str:
    """What a command prints; the end of its error output where it fails."""
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=_CASE_SECONDS, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} ended with status {done.returncode}:\n{done.stderr[-4000:]}")
    return done.stdout


def _print_report(samples: Samples, plan: _Plan) -> None:
    print(f"\n{machine()}; {plan.rounds} rounds, medians\n")
    print(table(samples, pods=plan.pods, events=plan.events))
    print("\n| goal | measured | |\n| --- | ---: | --- |")
    for goal in goals(samples, pods=plan.pods):
        print(goal.line())


def machine() -> str:
    """What it was measured with."""
    packages = ("kubernetes", "requests", "urllib3", "msgspec")
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in packages if importlib.util.find_spec(name))
    return f"{os.cpu_count()} cores, CPython {platform.python_version()}, {versions}"


def say(text: str) -> None:
    """Progress, on stderr."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr)


def _arguments() -> argparse.Namespace:
    cases = ("import", "list", "iterate", "get", "discovery", "watch")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer pods and rounds: to see that it works")
    parser.add_argument("--cases", nargs="+", choices=cases, default=list(cases), metavar="CASE", help=", ".join(cases))
    parser.add_argument(
        "--clients",
        nargs="+",
        choices=CLIENTS,
        default=list(CLIENTS),
        metavar="CLIENT",
        help=", ".join(CLIENTS) + "; the floor always runs",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write every sample")
    return parser.parse_args()


if __name__ == "__main__":
    main()
