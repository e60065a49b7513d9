"""Back-off, retries and polling, on a clock of the test's own."""

from __future__ import annotations

import threading

import pytest

from dynkube.errors import CancelledError, ConflictError, DeadlineExceededError, InvalidRequestError
from dynkube.polling import DEFAULT_BACKOFF, DEFAULT_RETRY, Backoff, jitter, on_error, poll_until, retry_on_conflict
from dynkube.transport import CancelToken


class Time:
    """A clock that goes on where somebody sleeps."""

    def __init__(self):
        self.now = 100.0
        self.slept = []

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


def conflict(text="changed"):
    return ConflictError({"kind": "Status", "status": "Failure", "reason": "Conflict", "code": 409, "message": text})


@pytest.fixture
def time():
    return Time()


class TestBackoff:
    @pytest.mark.behaviour("7.8.3")
    def test_a_delay_is_jittered_from_itself_to_itself_and_the_factor(self):
        assert jitter(2.0, 0.5, random=lambda: 0.0) == 2.0
        assert jitter(2.0, 0.5, random=lambda: 1.0) == 3.0

    @pytest.mark.behaviour("7.8.3")
    def test_no_factor_of_jitter_means_one(self):
        assert jitter(2.0, 0.0, random=lambda: 1.0) == 4.0

    @pytest.mark.behaviour("7.8.3")
    def test_each_step_multiplies_the_delay(self):
        left, delays = Backoff(duration=1, factor=3, steps=3), []
        for _ in range(5):
            delay, left = left.step()
            delays.append(delay)
        assert delays == [1, 3, 9, 27, 27]  # after its steps, the delay stays

    @pytest.mark.behaviour("7.8.3")
    def test_a_step_above_the_cap_is_the_cap_and_leaves_no_steps(self):
        delay, left = Backoff(duration=4, factor=2, steps=10, cap=5).step()
        assert (delay, left.duration, left.steps) == (4, 5, 0)

    @pytest.mark.behaviour("7.8.3")
    def test_jitter_is_of_each_step_and_does_not_add_up(self):
        delay, left = Backoff(duration=1, factor=2, jitter=0.5, steps=3).step(random=lambda: 1.0)
        assert (delay, left.duration) == (1.5, 2)

    def test_a_back_off_without_factor_keeps_its_delay(self):
        assert list(Backoff(duration=1, steps=4).delays()) == [1, 1, 1]

    def test_no_steps_give_no_delays(self):
        assert list(Backoff(duration=1, steps=0).delays()) == []

    @pytest.mark.parametrize("field", ["duration", "factor", "jitter", "steps", "cap"])
    def test_numbers_below_zero_are_refused_by_name(self, field):
        for value in (-1, "a", float("nan")):
            with pytest.raises(InvalidRequestError, match=field):
                Backoff(**{"duration": 1, field: value})


class TestRetryOnConflict:
    @pytest.mark.behaviour("7.8.1")
    def test_it_tries_again_until_there_is_no_conflict(self, time):
        outcomes = [conflict(), conflict(), None]

        def attempt():
            outcome = outcomes.pop(0)
            if outcome:
                raise outcome
            return "updated"

        assert retry_on_conflict(attempt, sleep=time.sleep, random=lambda: 0.0) == "updated"
        assert time.slept == [0.01, 0.01]

    @pytest.mark.behaviour("7.8.1")
    def test_after_the_last_try_it_raises_the_last_conflict(self, time):
        numbers = iter(range(100))

        def attempt():
            raise conflict(f"number {next(numbers)}")

        with pytest.raises(ConflictError, match="number 4"):
            retry_on_conflict(attempt, sleep=time.sleep)
        assert len(time.slept) == 4

    @pytest.mark.behaviour("7.8.1")
    def test_any_other_error_goes_to_the_caller_at_once(self, time):
        calls = []

        def attempt():
            calls.append(1)
            raise OSError("no")

        with pytest.raises(OSError, match="no"):
            retry_on_conflict(attempt, sleep=time.sleep)
        assert (len(calls), time.slept) == (1, [])

    @pytest.mark.behaviour("7.8.1")
    def test_the_two_back_offs_are_client_gos(self):
        assert Backoff(duration=0.01, factor=1.0, jitter=0.1, steps=5) == DEFAULT_RETRY
        assert list(DEFAULT_BACKOFF.delays(random=lambda: 0.0)) == pytest.approx([0.01, 0.05, 0.25])

    @pytest.mark.behaviour("7.8.1")
    def test_on_error_asks_what_may_be_tried_again(self, time):
        errors = [KeyError("a"), ValueError("b")]

        def attempt():
            raise errors.pop(0)

        with pytest.raises(ValueError, match="b"):
            on_error(attempt, retriable=lambda error: isinstance(error, KeyError), sleep=time.sleep)

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"function": 3}, "function: want a function"),
            ({"function": lambda obj: obj}, "function: is called with"),
            ({"retriable": 3}, "retriable: want a function"),
            ({"retriable": OSError}, "retriable: want a function of .* such as lambda error"),
            ({"retriable": (OSError, ValueError)}, "retriable: want a function of .* such as lambda error"),
            ({"backoff": 3}, "backoff: want a Backoff"),
            ({"random": 3}, "random: want a function"),
            ({"sleep": 3}, "sleep: want a function"),
        ],
    )
    def test_what_cannot_be_tried_again_is_refused_by_name(self, options, message):
        with pytest.raises(InvalidRequestError, match=message):
            on_error(**{"function": lambda: 1, "retriable": lambda error: True, **options})

    def test_a_cancelled_token_ends_the_tries(self):
        token = CancelToken()

        def attempt():
            token.cancel()
            raise conflict()

        with pytest.raises(CancelledError):
            retry_on_conflict(attempt, cancel=token, backoff=Backoff(duration=3600, steps=2))


class TestPollUntil:
    @pytest.mark.behaviour("7.8.2")
    def test_it_returns_what_the_condition_returned(self, time):
        answers = iter([None, "", "ready"])
        assert poll_until(lambda: next(answers), interval=2, clock=time, sleep=time.sleep) == "ready"
        assert time.slept == [2, 2, 2]

    @pytest.mark.behaviour("7.8.2")
    def test_immediate_does_not_wait_for_the_first_interval(self, time):
        assert poll_until(lambda: True, interval=2, immediate=True, clock=time, sleep=time.sleep) is True
        assert time.slept == []

    @pytest.mark.behaviour("7.8.2")
    def test_an_error_of_the_condition_ends_the_wait(self, time):
        def condition():
            raise OSError("no")

        with pytest.raises(OSError, match="no"):
            poll_until(condition, interval=1, clock=time, sleep=time.sleep)

    @pytest.mark.behaviour("7.8.2")
    def test_time_running_out_has_an_error_of_its_own(self, time):
        with pytest.raises(DeadlineExceededError, match="timed out waiting for the condition: 5 s"):
            poll_until(lambda: False, interval=2, timeout=5, clock=time, sleep=time.sleep)
        assert time.now == 105.0

    @pytest.mark.behaviour("7.8.2")
    def test_the_interval_goes_from_beginning_to_beginning(self, time):
        begun = []

        def condition():
            begun.append(time.now)
            time.now += 1.5
            return len(begun) == 3

        poll_until(condition, interval=2, immediate=True, clock=time, sleep=time.sleep)
        assert begun == [100.0, 102.0, 104.0]

    def test_a_slow_condition_is_not_called_more_often_to_make_up(self, time):
        begun = []

        def condition():
            begun.append(time.now)
            time.now += 5 if len(begun) == 1 else 0
            return len(begun) == 4

        poll_until(condition, interval=2, immediate=True, clock=time, sleep=time.sleep)
        assert begun == [100.0, 105.0, 107.0, 109.0]

    def test_a_token_ends_a_wait_at_once(self):
        token = CancelToken()
        threading.Timer(0.01, token.cancel).start()
        with pytest.raises(CancelledError):
            poll_until(lambda: False, interval=3600, cancel=token)

    @pytest.mark.parametrize("interval", [0, -1, "1", None, float("nan"), True])
    def test_an_interval_that_is_none_is_refused(self, interval):
        with pytest.raises(InvalidRequestError, match="interval"):
            poll_until(lambda: True, interval=interval)

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"condition": 3}, "condition: want a function"),
            ({"condition": lambda obj: obj}, "condition: is called with"),
            ({"interval": "2s"}, "interval: want a number of seconds above 0"),
            ({"clock": 3}, "clock: want a function"),
            ({"sleep": 3}, "sleep: want a function"),
        ],
    )
    def test_what_cannot_be_polled_is_refused_by_name(self, options, message):
        with pytest.raises(InvalidRequestError, match=message):
            poll_until(**{"condition": lambda: True, "interval": 1, **options})
