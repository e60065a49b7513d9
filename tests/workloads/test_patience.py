"""A server that is not there is borne for a minute in a row."""

from __future__ import annotations

import pytest

from dynkube.errors import ConnectError, ConnectionLostError, CredentialError, NotFoundError, TLSError
from dynkube.workloads import patience
from dynkube.workloads.patience import Patience


class Clock:
    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(patience, "time", clock)
    return clock


def test_for_a_minute_in_a_row(clock: Clock) -> None:
    waiting = Patience()
    assert waiting.bears(ConnectError("refused"))
    clock.now += 59
    assert waiting.bears(ConnectionLostError("reset"))
    clock.now += 1
    assert not waiting.bears(ConnectError("refused"))


def test_an_answer_begins_it_anew(clock: Clock) -> None:
    waiting = Patience()
    for _ in range(5):
        assert waiting.bears(ConnectError("refused"))
        clock.now += 59
        waiting.end()


@pytest.mark.parametrize("error", [TLSError("not trusted"), CredentialError("none"), NotFoundError({"code": 404})])
def test_what_waiting_does_not_heal_is_not_borne(error: Exception) -> None:
    assert not Patience().bears(error)
