"""dynkube's informers beside client-go's dynamic informer: first sync, memory, lookups, events, a hundred at once.

``python tests/benchmarks/informers.py`` with ``$KUBEBUILDER_ASSETS`` set (``--quick``: fewer pods and rounds). 5,000 pods
on a real API server, more of them on the embedded one, in a process of its own. Events come from a process that replays
frames over TLS, beside the bare floor that reads and decodes the same frames. Each case of each client runs in a process
of its own, the clients in turn; figures are medians, ratios are medians of the ratios in each round. client-go is left
out, and it is said so, where there is no Go. Not a test: nothing fails when it is slow.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import golang
from client_floor import Client as Floor
from report import Goal, Samples
from run import machine, output, replaying, say
from seed import NAMESPACE, create_pods, later

from dynkube.testing import APIServer, ControlPlane

_HERE = Path(__file__).parent
_MB = 1e-6
_GO = "client-go"
_SYNC_MODES = ("compact", "dict")
_EVENT_MODES = ("compact", "compact-looked", "dict")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """How much to do."""

    pods: int = 5_000
    many_pods: int = 50_000
    rounds: int = 7
    event_rounds: int = 5
    recorded: int = 4_000
    replays: int = 5
    idle: int = 100

    @property
    def events(self) -> int:
        return self.recorded * self.replays


_QUICK = _Plan(pods=1_500, many_pods=5_000, rounds=2, event_rounds=3, recorded=1_500, replays=4, idle=100)


class _Bench:
    def __init__(self, plan: _Plan, program: Path | None) -> None:
        self.plan = plan
        self.samples = Samples()
        self._program = program

    def case(self, name: str, modes: tuple[str, ...], kubeconfig: Path, count: int, *, rounds: int, go: str) -> None:
        """A case of ours in each mode, and client-go's, in turn."""
        key = f"{name}-{count}" if name in {"sync", "plain", "stream"} else name
        say(f"{key}: {rounds} rounds")
        for _ in range(rounds):
            if name == "events":
                self._add(key, "floor", [sys.executable, "worker.py", "watch", "floor"], kubeconfig, count)
            for mode in modes:
                self._add(key, mode, [sys.executable, "informer_worker.py", name, mode], kubeconfig, count)
            if go and self._program is not None:
                self._add(key, _GO, [str(self._program), go], kubeconfig, count)

    def _add(self, case: str, client: str, command: list[str], kubeconfig: Path, count: int) -> None:
        command = [str(_HERE / each) if each.endswith(".py") else each for each in command]
        figures: dict[str, Any] = json.loads(output([*command, str(kubeconfig), NAMESPACE, str(count)]))
        self.samples.add(case, client, figures)


# --------------------------------------------------------------------------- cases


def _real(bench: _Bench, folder: Path, wanted: list[str]) -> None:
    plan = bench.plan
    with ControlPlane() as server:
        say(f"creating {plan.pods} pods on a real API server")
        create_pods(server.kubeconfig, plan.pods)
        if "sync" in wanted:
            bench.case("sync", _SYNC_MODES, server.kubeconfig, plan.pods, rounds=plan.rounds, go="informer")
            bench.case("plain", _SYNC_MODES, server.kubeconfig, plan.pods, rounds=plan.rounds, go="informer-plain")
            bench.case("stream", _SYNC_MODES, server.kubeconfig, plan.pods, rounds=plan.rounds, go="")
        if "idle" in wanted:
            bench.case("idle", ("compact",), server.kubeconfig, plan.idle, rounds=1, go="informer-idle")
        frames = Floor(server.kubeconfig, NAMESPACE).record(min(plan.recorded, plan.pods)) if "events" in wanted else []
    if frames:
        recording = folder / "frames"
        recording.write_bytes(b"".join(later(frames, plan.replays)))
        with replaying(recording, folder) as kubeconfig:
            bench.case("events", _EVENT_MODES, kubeconfig, plan.events, rounds=plan.event_rounds, go="informer-events")


def _many(bench: _Bench) -> None:
    with _embedded() as kubeconfig:
        say(f"creating {bench.plan.many_pods} pods on the embedded server")
        create_pods(kubeconfig, bench.plan.many_pods)
        bench.case("sync", _SYNC_MODES, kubeconfig, bench.plan.many_pods, rounds=1, go="informer")


@contextmanager
def _embedded() -> Iterator[Path]:
    """An embedded server in a process of its own; its kubeconfig."""
    with subprocess.Popen(
        [sys.executable, __file__, "--serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield Path(process.stdout.readline().strip())
        process.communicate()


def _serve() -> None:
    with APIServer() as server:
        print(server.kubeconfig, flush=True)
        sys.stdin.read()


# --------------------------------------------------------------------------- report

_FIGURES = (
    # title, case, figure, form, scale
    ("first sync", "sync", "seconds", "{:.2f} s", 1.0),
    ("... CPU of the client's process", "sync", "cpu_seconds", "{:.2f} s", 1.0),
    ("first sync without gzip", "plain", "seconds", "{:.2f} s", 1.0),
    ("first sync by a watch that sends the objects, as client-go's", "stream", "seconds", "{:.2f} s", 1.0),
    ("... memory at rest", "sync", "heap_bytes", "{:.0f} MB", _MB),
    ("... peak memory", "sync", "peak_bytes", "{:.0f} MB", _MB),
    ("lookup by key, of any object", "sync", "key_seconds", "{:.2f} µs", 1e6),
    ("... of one that was looked at recently", "sync", "recent_seconds", "{:.2f} µs", 1e6),
    ("... the same, over a dict's", "sync", "over_dict_seconds", "{:.2f} µs", 1e6),
    ("lookup by index, 2 % of the objects", "sync", "index_seconds", "{:.1f} µs", 1e6),
)


def _tables(samples: Samples, plan: _Plan) -> Iterator[str]:
    columns = ("compact", "dict", _GO)
    for count in (plan.pods, plan.many_pods):
        case = f"sync-{count}"
        if case not in samples.by_case:
            continue
        yield f"\n| {count:,} pods | compact store | dict store | client-go dynamic informer |\n| --- | ---: | ---: | ---: |"
        for title, name, figure, form, scale in _FIGURES:
            cells = [_cell(samples.median(f"{name}-{count}", each, figure), form, scale) for each in columns]
            if any(cell != "-" for cell in cells):
                yield _row(title, cells)
        yield _row(
            "... memory at rest for each object",
            [_cell(samples.median(case, each, "heap_bytes"), "{:.1f} KB", 1e-3 / count) for each in columns],
        )
    if "events" in samples.by_case:
        clients = ("floor", *_EVENT_MODES, _GO)
        yield "\n| | bare decoding | compact, not looked at | compact, looked at | dicts | client-go |"
        yield "| --- | ---: | ---: | ---: | ---: | ---: |"
        rates = [samples.median("events", each, "seconds") for each in clients]
        yield _row("events a second to a handler", [f"{plan.events / each:,.0f}" if each else "-" for each in rates])
        cpu = [samples.median("events", each, "cpu_seconds") for each in clients]
        yield _row("... CPU for each", [_cell(each, "{:.0f} µs", 1e6 / plan.events) for each in cpu])
    if "idle" in samples.by_case:
        yield f"\n| {plan.idle} informers with nothing to do | dynkube | client-go |\n| --- | ---: | ---: |"
        for title, figure, form in (
            ("CPU in 10 s", "cpu_seconds", "{:.3f} s"),
            ("threads / goroutines", "threads", "{:.0f}"),
        ):
            yield _row(title, [_cell(samples.median("idle", each, figure), form, 1.0) for each in ("compact", _GO)])


def _cell(value: float | None, form: str, scale: float) -> str:
    return "-" if value is None else form.format(value * scale)


def _row(title: str, cells: list[str]) -> str:
    return "| " + " | ".join([title, *cells]) + " |"


def _goals(samples: Samples, plan: _Plan) -> Iterator[Goal]:
    sync = f"sync-{plan.pods}"
    for mode in _SYNC_MODES:
        yield Goal(
            text=f"first sync at least 4x faster than client-go's ({mode})",
            measured=samples.ratio(sync, _GO, mode),
            form="{:.1f}x",
            limit=4,
            at_least=True,
        )
    for mode in _SYNC_MODES:
        yield Goal(
            text=f"... neither of them with gzip ({mode})",
            measured=samples.ratio(f"plain-{plan.pods}", _GO, mode),
            form="{:.1f}x",
            limit=4,
            at_least=True,
        )
    for mode, limit in (("compact", 0.25), ("dict", 1.0)):
        yield Goal(
            text=f"memory at rest at most {limit:g} of client-go's heap ({mode})",
            measured=samples.ratio(sync, mode, _GO, "heap_bytes"),
            form="{:.2f}",
            limit=limit,
        )
    for mode, limit in zip(_EVENT_MODES, (0.9, 0.45, 0.2), strict=True):
        yield Goal(
            text=f"events to a handler at least {limit:.0%} of bare decoding, by CPU for each ({mode})",
            measured=samples.ratio("events", "floor", mode, "cpu_seconds"),
            form="{:.0%}",
            limit=limit,
            at_least=True,
        )
    for mode in _SYNC_MODES:
        over = samples.median(sync, mode, "over_dict_seconds")
        yield Goal(
            text=f"a lookup by key at most 1 µs over a dict's ({mode}, decoded recently)",
            measured=over * 1e6 if over is not None else None,
            form="{:.2f} µs",
            limit=1,
        )
    for figure, limit, form in (("cpu_seconds", 0.1, "{:.3f} s"), ("threads", 210, "{:.0f}")):
        yield Goal(
            text=f"{plan.idle} idle informers: at most {limit:g} {figure.replace('_', ' ')}",
            measured=samples.median("idle", "compact", figure),
            form=form,
            limit=limit,
        )


def main() -> None:
    """Measure, and print tables and goals."""
    cases = ("sync", "idle", "events", "many")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer pods and rounds: to see that it works")
    parser.add_argument("--cases", nargs="+", choices=cases, default=list(cases))
    parser.add_argument("--without-client-go", action="store_true")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        _serve()
        return
    plan = _QUICK if arguments.quick else _Plan()
    with tempfile.TemporaryDirectory(prefix="dynkube-informers-") as name:
        folder = Path(name)
        bench = _Bench(plan, None if arguments.without_client_go else golang.build(folder))
        if {"sync", "idle", "events"} & set(arguments.cases):
            _real(bench, folder, arguments.cases)
        if "many" in arguments.cases:
            _many(bench)
    print(f"\n{machine()}; medians")
    print(*_tables(bench.samples, plan), sep="\n")
    print("\n| goal | measured | |\n| --- | ---: | --- |")
    for goal in _goals(bench.samples, plan):
        print(goal.line())


if __name__ == "__main__":
    main()
