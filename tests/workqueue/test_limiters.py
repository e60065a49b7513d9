"""How long items wait after failures."""

from __future__ import annotations

import pytest

from dynkube.errors import InvalidRequestError
from dynkube.workqueue import (
    BucketRateLimiter,
    ItemExponentialFailureRateLimiter,
    ItemFastSlowRateLimiter,
    MaxOfRateLimiter,
    WithMaxWaitRateLimiter,
    default_controller_rate_limiter,
)

pytestmark = pytest.mark.behaviour("7.5.4")


def delays(limiter, count, item="one"):
    return [limiter.when(item) for _ in range(count)]


class TestExponential:
    def test_each_failure_doubles_the_delay_up_to_the_limit(self):
        assert delays(ItemExponentialFailureRateLimiter(0.001, 0.01), 6) == [0.001, 0.002, 0.004, 0.008, 0.01, 0.01]

    def test_items_do_not_count_for_each_other(self):
        limiter = ItemExponentialFailureRateLimiter(0.001, 1)
        delays(limiter, 5)
        assert delays(limiter, 2, "two") == [0.001, 0.002]
        assert (limiter.num_requeues("one"), limiter.num_requeues("two")) == (5, 2)

    def test_one_that_is_forgotten_begins_anew(self):
        limiter = ItemExponentialFailureRateLimiter(0.001, 1)
        delays(limiter, 5)
        limiter.forget("one")
        assert limiter.num_requeues("one") == 0
        assert limiter.when("one") == 0.001

    def test_no_number_of_failures_is_too_many(self):
        limiter = ItemExponentialFailureRateLimiter(0.001, 3600)
        assert delays(limiter, 5000)[-1] == 3600

    def test_forgetting_what_never_failed_changes_nothing(self):
        ItemExponentialFailureRateLimiter(0.001, 1).forget("never")


class TestFastSlow:
    def test_a_few_are_fast_and_then_all_slow(self):
        limiter = ItemFastSlowRateLimiter(0.005, 10, 3)
        assert delays(limiter, 5) == [0.005, 0.005, 0.005, 10, 10]
        assert limiter.num_requeues("one") == 5
        assert delays(limiter, 1, "two") == [0.005]
        limiter.forget("one")
        assert delays(limiter, 1) == [0.005]


class TestBucket:
    def test_all_items_share_it(self, clock):
        limiter = BucketRateLimiter(10, 2, clock=clock)
        assert [limiter.when(item) for item in "abcd"] == pytest.approx([0, 0, 0.1, 0.2])
        clock.step(1)
        assert limiter.when("e") == 0

    def test_it_knows_no_items(self, clock):
        limiter = BucketRateLimiter(10, 2, clock=clock)
        limiter.when("a")
        limiter.forget("a")
        assert limiter.num_requeues("a") == 0


class TestCombinations:
    def test_the_longest_of_several_counts(self):
        limiter = MaxOfRateLimiter(ItemFastSlowRateLimiter(0.005, 3, 3), ItemExponentialFailureRateLimiter(0.001, 1))
        assert delays(limiter, 5) == [0.005, 0.005, 0.005, 3, 3]
        assert limiter.num_requeues("one") == 5
        limiter.forget("one")
        assert (limiter.num_requeues("one"), limiter.when("one")) == (0, 0.005)

    def test_a_limit_of_the_wait(self):
        limiter = WithMaxWaitRateLimiter(ItemExponentialFailureRateLimiter(1, 1000), 5)
        assert delays(limiter, 5) == [1, 2, 4, 5, 5]
        assert limiter.num_requeues("one") == 5
        limiter.forget("one")
        assert limiter.when("one") == 1

    def test_controllers_have_both_limits(self, clock):
        limiter = default_controller_rate_limiter(clock=clock)
        assert delays(limiter, 3) == [0.005, 0.01, 0.02]
        for number in range(97):
            limiter.when(number)
        assert limiter.when("the 101st") == pytest.approx(0.1)


@pytest.mark.parametrize("delay", [-1, float("nan")])
def test_a_delay_that_is_none_is_refused_by_name(delay):
    with pytest.raises(InvalidRequestError, match="base_delay"):
        ItemExponentialFailureRateLimiter(delay, 1)
    with pytest.raises(InvalidRequestError, match="slow_delay"):
        ItemFastSlowRateLimiter(1, delay, 1)
    with pytest.raises(InvalidRequestError, match="max_delay"):
        WithMaxWaitRateLimiter(ItemFastSlowRateLimiter(1, 1, 1), delay)


@pytest.mark.parametrize(
    ("make", "argument"),
    [
        (lambda: ItemExponentialFailureRateLimiter("a", 1), "base_delay"),
        (lambda: ItemExponentialFailureRateLimiter(1, float("inf")), "max_delay"),
        (lambda: ItemFastSlowRateLimiter(None, 1, 1), "fast_delay"),
        (lambda: ItemFastSlowRateLimiter(1, 1, "a"), "max_fast_attempts"),
        (lambda: BucketRateLimiter(0, 1), "qps"),
        (lambda: BucketRateLimiter("a", 1), "qps"),
        (lambda: BucketRateLimiter(1, "a"), "burst"),
        (MaxOfRateLimiter, "limiters: want at least one"),
        (lambda: MaxOfRateLimiter(BucketRateLimiter(1, 1), 3), r"limiters\[1\]: want an ItemRateLimiter"),
        (lambda: MaxOfRateLimiter(BucketRateLimiter), r"limiters\[0\]"),
        (lambda: WithMaxWaitRateLimiter(3, 1), "limiter: want an ItemRateLimiter"),
    ],
)
def test_what_is_no_limiter_is_refused_by_name(make, argument):
    with pytest.raises(InvalidRequestError, match=argument):
        make()
