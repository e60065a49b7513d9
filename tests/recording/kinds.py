"""Records what a real kube-apiserver makes of objects of built-in kinds: tests/testing/apiserver/kinds.jsonl, anew.

    KUBEBUILDER_ASSETS=... python tests/recording/kinds.py

The cases are what the file holds already; to add some, write them without an answer. A case that the server does not
answer the same way each time (Go's maps have no order) is left out, and told.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from kindcases import FILE, Group, Player, groups
from raw import RawClient

from dynkube.testing import ControlPlane

_QUESTION = ("create", "change", "at")
_TIMES = 8


def lines(player: Player, group: Group) -> Iterator[dict[str, Any]]:
    """A group's lines with new answers."""
    if group.base is not None:
        yield {"base": group.base}
    plays = [player.play(group) for _ in range(_TIMES)]
    for case, *answers in zip(group.cases, *map(list, plays), strict=True):
        question = {name: case[name] for name in _QUESTION if name in case}
        if any(answer != answers[0] for answer in answers):
            print("no two answers are the same:", json.dumps(question)[:200])
        else:
            yield question | answers[0]


def main() -> None:
    """Ask a fresh server."""
    with ControlPlane() as server:
        player = Player(RawClient(server.kubeconfig))
        found = [line for group in groups() for line in lines(player, group)]
    FILE.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in found))


if __name__ == "__main__":
    main()
