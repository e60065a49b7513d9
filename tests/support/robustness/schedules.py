"""What happens in a trial, drawn from a seed: the steps, and the informers' options."""

from __future__ import annotations

import random
from dataclasses import dataclass

__all__ = ["EMBEDDED", "REAL", "Options", "Schedule", "Step"]

EMBEDDED, REAL = "embedded", "real"

# Faults of the wire: what they are called, and how often they are drawn. All of them take no time of the server's.
_WIRE = {
    "cut": 3,
    "reset": 3,
    "stall": 2,
    "stall and cut": 2,
    "refuse": 2,
    "refuse, then expired": 4,
    "dribble": 2,
    "half-open": 2,
    "cut in the body": 4,
    "reset in the body": 3,
    "half-close in the body": 2,
    "stall in the body": 1,
    "truncated chunk": 2,
    "corrupt gzip": 1,
    "refused with 429": 2,
    "refused with 500": 1,
    "refused with 503": 2,
    "refused with 504": 1,
    "expired by the proxy": 2,
}
# Faults of the server, of credentials and of clocks; by what they cost on a real server, in about seconds.
_SERVER = {
    "history expired": 3,
    "API server killed": 3,
    "API server restarted": 2,
    "API server paused": 2,
    "token revoked": 2,
    "permission lost": 2,
    "CRD recreated": 2,
    "clock a day on": 1,
    "clock a day back": 1,
    "writers pause": 1,
    "handler added": 2,
    "handler removed": 1,
}
_REAL_ONLY = {"etcd restarted": 4}


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens, how long it lasts, and how long nothing happens afterwards.

    Attributes:
        name: what; `arena.Arena` has a method for it.
        number: a random number for what the step chooses: bytes, times, which connection.
        lasts: seconds.
        rest: seconds.
    """

    name: str
    number: int
    lasts: float
    rest: float

    def __str__(self) -> str:
        return f"{self.name} ({self.number}) for {self.lasts:.2f} s, then {self.rest:.2f} s of peace"


@dataclass(frozen=True, slots=True)
class Options:
    """How the informers of a trial are set up.

    Attributes:
        streaming: begin with a watch that sends the initial objects.
        cached_lists: lists may come from the API server's cache.
        page_size: objects in a page of a list; 0 for everything at once.
        split_recreated: tell a deletion and an addition where an object was deleted and made again.
        initial: objects of each kind that are there before the informers.
    """

    streaming: bool
    cached_lists: bool
    page_size: int
    split_recreated: bool
    initial: int


@dataclass(frozen=True, slots=True)
class Schedule:
    """All of a trial that is drawn."""

    seed: int
    server: str
    options: Options
    steps: tuple[Step, ...]

    @classmethod
    def draw(cls, seed: int, server: str) -> Schedule:
        """The schedule of a seed, the same each time.

        Args:
            seed: any number.
            server: `EMBEDDED` or `REAL`.
        """
        dice = random.Random(f"{server} {seed}")
        options = Options(
            streaming=dice.random() < 0.5,
            cached_lists=dice.random() < 0.5,
            page_size=dice.choice([0, 3, 10, 500]),
            split_recreated=dice.random() < 0.5,
            initial=dice.choice([0, 5, 15]),
        )
        steps = [_step(dice, _WIRE) for _ in range(dice.randint(4, 7))]
        server_side = _SERVER | _REAL_ONLY if server == REAL else _SERVER
        steps += [_step(dice, server_side) for _ in range(dice.randint(2, 3))]
        dice.shuffle(steps)
        return cls(seed=seed, server=server, options=options, steps=tuple(steps))

    @property
    def command(self) -> str:
        """What runs this schedule again."""
        return f"python tests/soak/informers.py --server {self.server} --seed {self.seed}"

    def __str__(self) -> str:
        steps = "\n".join(f"  {number}. {step}" for number, step in enumerate(self.steps, 1))
        return f"schedule {self.seed} on the {self.server} server, {self.options}\n{steps}\nagain: {self.command}"


def _step(dice: random.Random, weights: dict[str, int]) -> Step:
    name = dice.choices(list(weights), list(weights.values()))[0]
    return Step(name, dice.randrange(1 << 20), lasts=dice.uniform(0.02, 0.15), rest=dice.choice([0.0, 0.02, 0.1]))
