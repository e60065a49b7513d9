"""Random schedules of faults against informers, one after another; see `robustness` in tests/support.

By hand, or with ``tox -e soak``::

    python tests/soak/informers.py --server embedded --seed 17
    python tests/soak/informers.py --server embedded --trials 500
    python tests/soak/informers.py --server real --trials 20

Exit status 1, with seed, steps and the command that plays it again, for each schedule that an informer did not pass.
"""

from __future__ import annotations

import argparse
import logging
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from robustness.schedules import EMBEDDED, REAL, Schedule
from robustness.trial import Verdict, run_trial

from dynkube.testing import APIServer, ControlPlane, ServerFace

TOKEN_USERS: dict[str, tuple[str, ...]] = {"one": (), "two": ()}
FRESH_EVERY = 25
"""So many trials on one server: what is left of their namespaces is not to slow down the later ones."""


@contextmanager
def started(server: str) -> Iterator[ServerFace]:
    """A server for trials."""
    with (APIServer if server == EMBEDDED else ControlPlane)(token_users=TOKEN_USERS) as running:
        yield running


def played(server: str, seeds: list[int]) -> Iterator[Verdict]:
    """The trials of these seeds, in order."""
    for begin in range(0, len(seeds), FRESH_EVERY):
        with started(server) as running:
            for seed in seeds[begin : begin + FRESH_EVERY]:
                yield run_trial(running, Schedule.draw(seed, server))


def main() -> None:
    """Play, and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", choices=(EMBEDDED, REAL), default=EMBEDDED)
    parser.add_argument("--seed", type=int, nargs="+", help="these schedules")
    parser.add_argument("--trials", type=int, default=20, help="so many random ones")
    parser.add_argument("--verbose", action="store_true", help="what informers log, too")
    arguments = parser.parse_args()
    if not arguments.verbose:
        logging.getLogger("dynkube").setLevel(logging.CRITICAL)
    dice = random.SystemRandom()
    seeds = arguments.seed or [dice.randrange(10**9) for _ in range(arguments.trials)]
    began, failed, totals, steps = time.monotonic(), 0, Counter[str](), Counter[str]()
    for number, verdict in enumerate(played(arguments.server, seeds), 1):
        print(f"{number}/{len(seeds)} seed {verdict.schedule.seed}: {verdict}", flush=True)
        if verdict.complaints or arguments.seed:
            print(verdict.schedule, *verdict.complaints, sep="\n", flush=True)
        failed += bool(verdict.complaints)
        totals.update(writes=verdict.writes, notifications=verdict.told, lists=verdict.lists)
        steps.update(step.name for step in verdict.schedule.steps)
    counts = ", ".join(f"{count:,} {what}" for what, count in totals.items())
    print(f"{len(seeds)} schedules with {steps.total()} faults in {time.monotonic() - began:.0f} s: {counts}")
    print("; ".join(f"{name}: {count}" for name, count in sorted(steps.items())))
    print(f"{failed} failed" if failed else "all passed")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
