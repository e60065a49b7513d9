"""Informers never lie: random schedules of faults, on both servers; see `robustness` in tests/support.

In CI the same schedules each time; elsewhere new ones. A schedule that fails is printed, with the command that plays it
again; ``tox -e soak`` plays hundreds.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator

import pytest
from robustness.schedules import EMBEDDED, REAL, Schedule
from robustness.trial import run_trial

from dynkube.testing import APIServer, ControlPlane, ServerFace

pytestmark = pytest.mark.behaviour("7.1.1", "7.1.6", "7.1.7", "7.1.8", "7.2.3", "7.4.1", "7.4.2", "7.4.7")

TOKEN_USERS: dict[str, tuple[str, ...]] = {"one": (), "two": ()}


@pytest.fixture(scope="module")
def embedded() -> Iterator[ServerFace]:
    with APIServer(token_users=TOKEN_USERS) as server:
        yield server


@pytest.fixture(scope="module")
def real() -> Iterator[ServerFace]:
    with ControlPlane(token_users=TOKEN_USERS) as server:
        yield server


def play(server: ServerFace, kind: str, number: int) -> None:
    seed = number if os.environ.get("CI") else random.SystemRandom().randrange(10**9)
    schedule = Schedule.draw(seed, kind)
    verdict = run_trial(server, schedule)
    complaints = "\n".join(verdict.complaints[:20])
    assert not verdict.complaints, f"{schedule}\n{verdict}\n{complaints}"


@pytest.mark.parametrize("number", range(20))
def test_a_schedule_on_the_embedded_server(embedded: ServerFace, number: int) -> None:
    play(embedded, EMBEDDED, number)


@pytest.mark.controlplane
@pytest.mark.timeout(180)
@pytest.mark.parametrize("number", range(5))
def test_a_schedule_on_a_real_server(real: ServerFace, number: int) -> None:
    play(real, REAL, number)
