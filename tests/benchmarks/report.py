"""Samples to a table, and the goals that they are judged by."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["CLIENTS", "Goal", "Samples", "goals", "table"]

CLIENTS = ("floor", "dynkube", "official", "client-go")
_TITLES = {
    "floor": "floor",
    "dynkube": "dynkube",
    "official": "official dynamic client",
    "client-go": "client-go dynamic client",
}


class Samples:
    """What was measured, by case and client; one entry per round."""

    def __init__(self) -> None:
        self.by_case: dict[str, dict[str, list[dict[str, Any]]]] = {}

    def add(self, case: str, client: str, figures: dict[str, Any]) -> None:
        """Keep the figures of one round."""
        self.by_case.setdefault(case, {}).setdefault(client, []).append(figures)

    def values(self, case: str, client: str, figure: str) -> list[float]:
        """One figure of every round; empty where it was not measured."""
        rounds = self.by_case.get(case, {}).get(client, [])
        return [each[figure] for each in rounds if figure in each]

    def median(self, case: str, client: str, figure: str) -> float | None:
        """The median over the rounds."""
        values = self.values(case, client, figure)
        return statistics.median(values) if values else None

    def ratio(self, case: str, over: str, under: str, figure: str = "seconds") -> float | None:
        """The median of the ratios of each round: what was slow for one of them was slow for both."""
        pairs = zip(self.values(case, over, figure), self.values(case, under, figure), strict=False)
        ratios = [a / b for a, b in pairs if b]
        return statistics.median(ratios) if ratios else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    title: str
    case: str
    figure: str = "seconds"
    form: str = "{:.2f} s"
    scale: float = 1.0
    rate: float = 0.0
    """Not 0: so many things were done in the seconds; the rate is shown."""

    def cell(self, samples: Samples, client: str) -> str:
        value = samples.median(self.case, client, self.figure)
        if value is None:
            return "-"
        return self.form.format(self.rate / value if self.rate else value * self.scale)

    def ratios(self, samples: Samples) -> tuple[str, str]:
        def shown(ratio: float | None) -> str:
            return "-" if ratio is None else f"{1 / ratio if self.rate else ratio:.2f}"

        return (
            shown(samples.ratio(self.case, "dynkube", "floor", self.figure)),
            shown(samples.ratio(self.case, "official", "dynkube", self.figure)),
        )


def _rows(pods: int, events: int) -> Iterator[_Row]:
    page_titles = {f"iterate-{pods}": pods // 500, "iterate-1000": 2}
    yield _Row(title=f"list {pods:,} pods to dicts", case="list")
    yield _Row(title="... its own objects, no dicts made of them", case="instances")
    yield _Row(title="... CPU of the client's process", case="list", figure="cpu_seconds")
    yield _Row(title="... peak memory", case="list", figure="peak_bytes", form="{:.0f} MB", scale=1e-6)
    yield _Row(title=f"iterate over {pods:,} pods by pages of 500", case=f"iterate-{pods}")
    yield _Row(title="... CPU of the client's process", case=f"iterate-{pods}", figure="cpu_seconds")
    for case, pages in page_titles.items():
        title = f"... peak memory, {pages} pages"
        yield _Row(title=title, case=case, figure="peak_bytes", form="{:.1f} MB", scale=1e-6)
    yield _Row(title="one get, median", case="get", form="{:.0f} µs", scale=1e6)
    yield _Row(title="... over the floor, paired", case="get", figure="over_floor", form="{:.0f} µs", scale=1e6)
    yield _Row(title="watch: events a second", case="watch", form="{:,.0f}", rate=events)
    yield _Row(title="... CPU for each event", case="watch", figure="cpu_seconds", form="{:.0f} µs", scale=1e6 / events)
    yield _Row(title="... a single watch request (`watch_once`)", case="watch-once", form="{:,.0f}", rate=events)
    for state in ("cold", "warm"):
        scale, figure = 1e3, f"{state}_seconds"
        yield _Row(title=f"discovery, {state}", case="discovery", figure=figure, form="{:.2f} ms", scale=scale)
        figure = f"{state}_requests"
        yield _Row(title="... requests", case="discovery", figure=figure, form="{:.0f}")
    yield _Row(title="import (floor: `import requests`)", case="import", form="{:.0f} ms", scale=1e3)
    yield _Row(title="... with a client's modules loaded", case="import-client", form="{:.0f} ms", scale=1e3)


def table(samples: Samples, *, pods: int, events: int) -> str:
    """A markdown table: the median of every figure, and the median of the ratios in each round."""
    clients = [name for name in CLIENTS if any(name in each for each in samples.by_case.values())]
    head = ["work", *(_TITLES[name] for name in clients), "dynkube / floor", "official / dynkube"]
    lines = [_line(head), _line(["---"] + ["---:"] * (len(head) - 1))]
    for row in _rows(pods, events):
        cells = [row.cell(samples, name) for name in clients]
        if any(cell != "-" for cell in cells):
            comparable = row.case != "get" or row.figure == "seconds"
            comparable = comparable and not row.figure.endswith("_requests") and "warm" not in row.title
            lines.append(_line([row.title, *cells, *(row.ratios(samples) if comparable else ("", ""))]))
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


# --------------------------------------------------------------------------- goals


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """One thing that dynkube promises of its speed."""

    text: str
    measured: float | None
    form: str
    limit: float
    at_least: bool = False

    @property
    def reached(self) -> bool | None:
        """None where it was not measured."""
        if self.measured is None:
            return None
        return self.measured >= self.limit if self.at_least else self.measured <= self.limit

    def line(self) -> str:
        """A row of the table of goals."""
        verdict = {None: "not measured", True: "pass", False: "FAIL"}[self.reached]
        shown = self.form.format(self.measured) if self.measured is not None else "-"
        return _line([self.text, shown, verdict])


def goals(samples: Samples, *, pods: int) -> list[Goal]:
    """What is promised, beside what was measured."""
    ten = samples.median(f"iterate-{pods}", "dynkube", "peak_bytes")
    two = samples.median("iterate-1000", "dynkube", "peak_bytes")
    over = samples.median("get", "dynkube", "over_floor")
    watch = samples.ratio("watch", "floor", "dynkube")  # seconds of the floor over ours: our rate over its
    return [
        Goal(
            text="list: at most 2x the floor",
            measured=samples.ratio("list", "dynkube", "floor"),
            form="{:.2f}x",
            limit=2,
        ),
        Goal(
            text="list: at least 4x faster than the official dynamic client",
            measured=samples.ratio("list", "official", "dynkube"),
            form="{:.1f}x",
            limit=4,
            at_least=True,
        ),
        Goal(
            text="get: at most 250 µs over bare urllib3 with decoding, paired",
            measured=over * 1e6 if over is not None else None,
            form="{:.0f} µs",
            limit=250,
        ),
        Goal(text="watch: at least half the floor's rate", measured=watch, form="{:.2f}", limit=0.5, at_least=True),
        Goal(
            text=f"memory: the peak of {pods // 500} pages at most that of 2 pages + 5 MB",
            measured=(ten - two) / 1e6 if ten is not None and two is not None else None,
            form="{:+.1f} MB",
            limit=5,
        ),
        Goal(
            text="`import dynkube`: at most 1.5x `import requests`",
            measured=samples.ratio("import", "dynkube", "floor"),
            form="{:.2f}x",
            limit=1.5,
        ),
        Goal(
            text="the same with a client's modules loaded (`dynkube.DynamicClient`)",
            measured=samples.ratio("import-client", "dynkube", "floor"),
            form="{:.2f}x",
            limit=1.5,
        ),
    ]
