"""The list-watch machine's state diagram, drawn from the table in its docstring.

The table names, for each command and each answer to it, the next command. Only where the boxes stand is decided here.
"""

from __future__ import annotations

import re
from html import escape
from typing import NamedTuple

import dynkube.wire.listwatch

__all__ = ["Transition", "svg", "table", "transitions"]


class Transition(NamedTuple):
    """One row of the machine's table."""

    after: str
    input: str
    when: str
    command: str


def transitions() -> list[Transition]:
    """The rows of the table in the docstring of `dynkube.wire.listwatch`."""
    _, _, rest = (dynkube.wire.listwatch.__doc__ or "").partition("after    input")
    _, _, body = rest.partition("\n=")
    rows, _, _ = body.partition("\n=")
    return [Transition(*re.split(r"  +", line.strip())) for line in rows.splitlines()[1:]]


def table() -> list[str]:
    """The rows as a Markdown table, numbered as in the diagram."""
    lines = ["| | after | input | when | command |", "|---|---|---|---|---|"]
    for number, row in enumerate(transitions(), 1):
        lines.append(f"| {number} | `{row.after}` | `{row.input}` | {row.when} | `{row.command}` |")
    return lines


# --------------------------------------------------------------------------- drawing

_WIDTH, _HEIGHT = 760, 420
_BOX = (96, 40)
_PLACES = {
    "nothing": (240, 40),
    "List": (100, 170),
    "Watch": (380, 170),
    "Read": (660, 170),
    "Wait": (380, 290),
    "Fail": (380, 390),
}
_TEXT = {"nothing": "start"}
# How far an edge's middle stands off the straight line, where two would cover each other: pixels to its left.
_BENDS = {
    ("List", "Watch"): 14,
    ("Watch", "List"): 14,
    ("Watch", "Read"): 14,
    ("Read", "Watch"): 14,
    ("Watch", "Wait"): 18,
    ("Wait", "Watch"): 18,
    ("List", "Wait"): 12,
    ("Wait", "List"): 12,
    ("Read", "List"): -85,
    ("List", "Fail"): -40,
    ("Read", "Fail"): 40,
    ("Watch", "Fail"): 92,
}
_STYLE = """
.lw-box { fill: none; stroke: currentColor; stroke-width: 1.5 }
.lw-edge { fill: none; stroke: currentColor; stroke-width: 1; opacity: .65 }
.lw-name { font: 600 15px sans-serif; text-anchor: middle; fill: currentColor }
.lw-rows { font: 11px sans-serif; text-anchor: middle; fill: currentColor }
"""


def svg() -> str:
    """The diagram: a box for each command, an edge for each pair, with the numbers of its rows."""
    edges: dict[tuple[str, str], list[int]] = {}
    for number, row in enumerate(transitions(), 1):
        edges.setdefault((row.after, row.command), []).append(number)
    parts = [
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="The states of the list-watch machine" '
        f'style="max-width: {_WIDTH}px; width: 100%">',
        f"<style>{_STYLE}</style>",
        '<defs><marker id="lw-arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" '
        'orient="auto"><path d="M0 0 8 4 0 8z" fill="currentColor"/></marker></defs>',
    ]
    parts += [_edge(after, command, numbers) for (after, command), numbers in edges.items()]
    parts += [_box(name) for name in _PLACES]
    return "\n".join([*parts, "</svg>"])


def _box(name: str) -> str:
    x, y = _PLACES[name]
    width, height = _BOX
    return (
        f'<rect class="lw-box" x="{x - width / 2}" y="{y - height / 2}" width="{width}" height="{height}" rx="8"/>'
        f'<text class="lw-name" x="{x}" y="{y + 5}">{_TEXT.get(name, name)}</text>'
    )


def _edge(after: str, command: str, numbers: list[int]) -> str:
    (x1, y1), (x2, y2) = _PLACES[after], _PLACES[command]
    if after == command:
        top = y1 - _BOX[1] / 2
        x1 += 30 if x1 > _WIDTH / 2 else -30
        path = f"M{x1 - 14} {top} C{x1 - 24} {top - 38} {x1 + 24} {top - 38} {x1 + 14} {top}"
        label = (x1, top - 32)
    else:
        bend = _BENDS.get((after, command), 0)
        length = ((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5
        left = ((y2 - y1) / length, -(x2 - x1) / length)
        middle = ((x1 + x2) / 2 + 2 * bend * left[0], (y1 + y2) / 2 + 2 * bend * left[1])
        (x1, y1), (x2, y2) = _border((x1, y1), middle), _border((x2, y2), middle)
        path = f"M{x1:.0f} {y1:.0f} Q{middle[0]:.0f} {middle[1]:.0f} {x2:.0f} {y2:.0f}"
        label = ((x1 + x2) / 4 + middle[0] / 2, (y1 + y2) / 4 + middle[1] / 2 - 4)
    rows = transitions()
    tip = "; ".join(f"{number}: {rows[number - 1].input}, {rows[number - 1].when}" for number in numbers)
    shown = ", ".join(str(number) for number in numbers)
    return (
        f'<g data-edge="{after}-{command}"><title>{escape(tip)}</title>'
        f'<path class="lw-edge" d="{path}" marker-end="url(#lw-arrow)"/>'
        f'<text class="lw-rows" x="{label[0]:.0f}" y="{label[1]:.0f}">{shown}</text></g>'
    )


def _border(center: tuple[float, float], toward: tuple[float, float]) -> tuple[float, float]:
    """Where the line from a box's center leaves the box."""
    dx, dy = toward[0] - center[0], toward[1] - center[1]
    scale = min(_BOX[0] / 2 / abs(dx) if dx else 9e9, _BOX[1] / 2 / abs(dy) if dy else 9e9)
    return center[0] + dx * scale, center[1] + dy * scale
