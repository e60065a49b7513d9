"""Jobs side by side on a few threads: whoever waits holds none."""

from __future__ import annotations

import threading
from functools import partial

import pytest

from dynkube.errors import CancelledError, DeadlineExceededError, DrainError, DrainTimeoutError
from dynkube.transport import CallScope, CancelToken
from dynkube.workloads.evictions import Job, run_jobs


def waits(_scope: CallScope, seconds: float = 600) -> Job:
    yield seconds


def ends(_scope: CallScope) -> Job:
    return
    yield


@pytest.mark.behaviour("8.5.3")
def test_those_that_wait_do_not_keep_others_from_going() -> None:
    done: list[int] = []
    token = CancelToken()

    def last(_scope: CallScope) -> Job:
        done.append(1)
        token.cancel()
        return
        yield

    with pytest.raises(CancelledError):
        run_jobs([*[waits] * 200, last], CallScope(60, token))
    assert done == [1]


def test_each_job_has_its_own_end() -> None:
    def fails(_scope: CallScope) -> Job:
        yield 0.001
        raise DrainError(["no"])

    results = run_jobs([ends, fails, ends], CallScope())
    assert [str(each) if each else None for each in results] == [None, "no", None]


def test_nothing_to_do() -> None:
    assert run_jobs([], CallScope(1)) == []


@pytest.mark.behaviour("8.5.3")
def test_when_the_time_is_over_each_says_what_it_was_about() -> None:
    def told(_scope: CallScope, name: str) -> Job:
        try:
            yield 600
        except DeadlineExceededError as late:
            raise DrainTimeoutError([name]) from late

    results = run_jobs([partial(told, name="a"), partial(told, name="b")], CallScope(0.5))
    assert [str(each) for each in results] == ["a", "b"]


def test_a_job_may_end_in_peace_when_the_time_is_over() -> None:
    def calm(_scope: CallScope) -> Job:
        try:
            yield 600
        except DeadlineExceededError:
            return

    assert run_jobs([calm], CallScope(0.5)) == [None]


def test_what_is_no_error_of_ours_ends_all_and_is_raised_here() -> None:
    def broken(_scope: CallScope) -> Job:
        yield 0.001
        raise ZeroDivisionError("a callback")

    with pytest.raises(ZeroDivisionError, match="a callback"):
        run_jobs([waits, broken, waits], CallScope())


def test_no_thread_is_left() -> None:
    before = threading.active_count()
    run_jobs([ends] * 50, CallScope())
    assert threading.active_count() <= before
