"""The queue: order, no doubles, times, the end."""

from __future__ import annotations

import gc
import threading
import weakref
from collections import Counter

import pytest

from dynkube.errors import CancelledError, DeadlineExceededError, InvalidRequestError
from dynkube.observers import Observer
from dynkube.transport import CancelToken
from dynkube.workqueue import ItemFastSlowRateLimiter, Workqueue

LONG = 60


class Steps(Observer):
    def __init__(self):
        self.queues, self.steps = [], []

    def on_workqueue(self, queue):
        self.queues.append(weakref.ref(queue))

    def on_workqueue_step(self, step):
        self.steps.append((step.step, step.depth, round(step.seconds, 9)))


@pytest.fixture
def queue(clock):
    return Workqueue("test", clock=clock)


@pytest.fixture
def run():
    """Run a function on a thread that must end."""
    threads = []

    def start(function, *args):
        threads.append(threading.Thread(target=function, args=args))
        threads[-1].start()
        return threads[-1]

    yield start
    for thread in threads:
        thread.join(LONG)
        assert not thread.is_alive()


def wait_until_somebody_waits(condition):
    """Until a thread waits for it; there is no event for that."""
    while True:
        with condition:
            if condition._waiters:
                return
        threading.Event().wait(0.001)


@pytest.mark.behaviour("7.5.1")
class TestItems:
    def test_they_come_in_the_order_in_which_they_were_added(self, queue):
        for item in "bac":
            queue.add(item)
        assert [queue.get() for _ in range(3)] == ["b", "a", "c"]

    def test_one_that_waits_already_is_not_added_twice(self, queue):
        queue.add("foo")
        queue.add("bar")
        queue.add("foo")
        assert len(queue) == 2
        assert queue.get() == "foo"

    def test_the_length_counts_what_waits(self, queue):
        assert len(queue) == 0
        queue.add("foo")
        assert len(queue) == 1
        queue.get()
        assert len(queue) == 0

    def test_one_that_is_added_while_it_is_worked_on_comes_again_once(self, queue):
        queue.add("foo")
        item = queue.get()
        queue.add("foo")
        queue.add("foo")
        assert len(queue) == 0
        queue.done(item)
        assert queue.get() == "foo"
        queue.done("foo")
        assert len(queue) == 0

    def test_one_that_is_done_may_be_added_again(self, queue):
        queue.add("foo")
        queue.done(queue.get())
        queue.add("foo")
        assert queue.get() == "foo"

    def test_nobody_may_be_done_with_what_he_has_not_got(self, queue):
        queue.add("foo")
        with pytest.raises(InvalidRequestError, match="'foo' is not being worked on"):
            queue.done("foo")

    def test_none_is_no_item(self, queue):
        for add in (queue.add, lambda item: queue.add_after(item, 1)):
            with pytest.raises(InvalidRequestError, match="None"):
                add(None)

    def test_many_workers_get_everything_and_no_two_the_same_at_once(self, run):
        queue, at_work, seen, lock = Workqueue(), Counter(), Counter(), threading.Lock()

        def work():
            while (item := queue.get()) is not None:
                with lock:
                    at_work[item] += 1
                    assert at_work[item] == 1
                    seen[item] += 1
                with lock:
                    at_work[item] -= 1
                queue.done(item)

        def produce():
            for number in range(300):
                queue.add(number % 30)

        workers = [run(work) for _ in range(5)]
        producers = [run(produce) for _ in range(3)]
        for thread in producers:
            thread.join(LONG)
        queue.shut_down()
        for thread in workers:
            thread.join(LONG)
        assert set(seen) == set(range(30))
        assert not +at_work

    def test_what_is_done_is_let_go(self, queue):
        class Item:
            pass

        item = Item()
        gone = weakref.ref(item)
        queue.add(item)
        queue.add_after(item, 1)
        queue._clock.step(2)
        queue.done(queue.get())
        del item
        gc.collect()
        assert gone() is None


@pytest.mark.behaviour("7.5.2")
class TestGet:
    def test_it_waits_for_an_item(self, run):
        queue, got = Workqueue(), []
        thread = run(lambda: got.append(queue.get()))
        wait_until_somebody_waits(queue._ready)
        queue.add("foo")
        thread.join(LONG)
        assert got == ["foo"]

    def test_it_waits_for_its_time_without_a_thread_of_the_queues(self):
        queue = Workqueue()
        before = threading.active_count()
        queue.add_after("foo", 0.01)
        assert threading.active_count() == before
        assert queue.get(timeout=LONG) == "foo"

    def test_one_that_waits_for_longer_learns_of_an_earlier_time(self, run):
        queue, got = Workqueue(), []
        queue.add_after("late", 3600)
        thread = run(lambda: got.append(queue.get()))
        wait_until_somebody_waits(queue._ready)
        queue.add_after("early", 0.01)
        thread.join(LONG)
        assert got == ["early"]

    def test_when_one_leaves_with_an_item_another_watches_the_times(self, run):
        """The one who was told of the earlier time may be the one who takes what is added before it."""
        queue, got = Workqueue(), []
        queue.add_after("late", 3600)
        threads = [run(lambda: got.append(queue.get(timeout=LONG))) for _ in range(2)]
        wait_until_somebody_waits(queue._ready)
        queue.add_after("later", 0.05)
        queue.add("now")
        for thread in threads:
            thread.join(LONG)
        assert sorted(got) == ["later", "now"]

    def test_its_time_may_run_out(self, queue):
        with pytest.raises(DeadlineExceededError):
            queue.get(timeout=0.01)

    def test_a_token_ends_it(self, queue, run):
        token, errors = CancelToken(), []

        def wait():
            try:
                queue.get(cancel=token)
            except CancelledError as error:
                errors.append(error)

        thread = run(wait)
        wait_until_somebody_waits(queue._ready)
        token.cancel()
        thread.join(LONG)
        assert len(errors) == 1

    def test_an_item_is_not_lost_with_one_who_was_cancelled(self, queue):
        token = CancelToken()
        token.cancel()
        queue.add("foo")
        with pytest.raises(CancelledError):
            queue.get(cancel=token)
        assert queue.get() == "foo"


@pytest.mark.behaviour("7.5.2")
class TestTheEnd:
    def test_what_is_there_is_handed_out_and_then_none(self, queue):
        queue.add("foo")
        queue.shut_down()
        assert queue.shutting_down
        assert queue.get() == "foo"
        assert queue.get() is None
        assert queue.get() is None

    def test_nothing_more_is_taken(self, queue):
        queue.shut_down()
        queue.add("foo")
        queue.add_after("bar", 0)
        queue.add_rate_limited("baz")
        assert len(queue) == 0

    def test_what_waits_for_its_time_is_dropped(self, queue, clock):
        queue.add_after("foo", 1)
        queue.shut_down()
        clock.step(2)
        assert queue.get() is None

    def test_all_who_wait_are_woken(self, queue, run):
        got = []
        threads = [run(lambda: got.append(queue.get())) for _ in range(3)]
        wait_until_somebody_waits(queue._ready)
        queue.shut_down()
        for thread in threads:
            thread.join(LONG)
        assert got == [None, None, None]

    def test_it_does_not_wait_for_those_who_work(self, queue):
        queue.add("foo")
        queue.get()
        queue.shut_down()
        assert queue.get() is None

    def test_draining_waits_for_those_who_work(self, queue, run):
        for item in ("foo", "bar"):
            queue.add(item)
        first, second = queue.get(), queue.get()
        drain = run(queue.shut_down_with_drain)
        assert queue.get() is None  # the queue is shut down from now on
        queue.done(first)
        assert drain.is_alive()
        queue.done(second)
        drain.join(LONG)

    def test_draining_waits_for_what_comes_again(self, queue, run):
        queue.add("foo")
        item = queue.get()
        queue.add("foo")
        drain = run(queue.shut_down_with_drain)
        assert queue.get() is None
        queue.done(item)
        again = queue.get()
        assert again == "foo"
        assert drain.is_alive()
        queue.done(again)
        drain.join(LONG)

    def test_draining_waits_for_what_nobody_has_begun(self, queue):
        """client-go returns at once where nothing is being worked on at the moment."""
        queue.add("foo")
        with pytest.raises(DeadlineExceededError):
            queue.shut_down_with_drain(timeout=0.01)
        queue.done(queue.get())
        queue.shut_down_with_drain(timeout=LONG)

    def test_a_second_shut_down_ends_a_drain(self, queue, run):
        queue.add("foo")
        queue.get()
        drain = run(queue.shut_down_with_drain)
        wait_until_somebody_waits(queue._idle)
        queue.shut_down()
        drain.join(LONG)

    def test_a_token_ends_a_drain(self, queue, run):
        token = CancelToken()
        queue.add("foo")
        queue.get()

        def drain():
            with pytest.raises(CancelledError):
                queue.shut_down_with_drain(cancel=token)

        thread = run(drain)
        wait_until_somebody_waits(queue._idle)
        token.cancel()
        thread.join(LONG)


@pytest.mark.behaviour("7.5.3")
class TestTimes:
    def test_an_item_comes_when_its_time_has_come(self, queue, clock):
        queue.add_after("foo", 0.05)
        assert len(queue) == 0
        clock.step(0.06)
        assert len(queue) == 1
        queue.done(queue.get())
        clock.step(10)
        assert len(queue) == 0

    @pytest.mark.parametrize("delay", [0, -1])
    def test_no_delay_is_at_once(self, queue, delay):
        queue.add_after("foo", delay)
        assert len(queue) == 1

    def test_a_later_time_for_the_same_item_changes_nothing(self, queue, clock):
        queue.add_after("foo", 0.05)
        queue.add_after("foo", 0.07)
        clock.step(0.06)
        queue.done(queue.get())
        clock.step(1)
        assert len(queue) == 0

    def test_an_earlier_time_for_the_same_item_wins(self, queue, clock):
        queue.add_after("foo", 0.05)
        queue.add_after("foo", 0.03)
        clock.step(0.04)
        queue.done(queue.get())
        clock.step(1)
        assert len(queue) == 0

    def test_times_may_come_in_another_order_than_they_were_given(self, queue, clock):
        queue.add_after("foo", 1)
        queue.add_after("bar", 0.05)
        clock.step(0.06)
        assert (len(queue), queue.get()) == (1, "bar")
        queue.add_after("baz", 2)
        clock.step(1)
        assert (len(queue), queue.get()) == (1, "foo")
        clock.step(2)
        assert queue.get() == "baz"

    def test_what_is_due_at_once_comes_in_the_order_of_the_times(self, queue, clock):
        for item, delay in (("foo", 1), ("bar", 0.5), ("baz", 0.25)):
            queue.add_after(item, delay)
        clock.step(2)
        assert [queue.get() for _ in range(3)] == ["baz", "bar", "foo"]

    def test_what_was_due_before_goes_before_what_is_added_now(self, queue, clock):
        queue.add_after("due", 1)
        clock.step(2)
        queue.add("now")
        assert [queue.get(), queue.get()] == ["due", "now"]

    @pytest.mark.parametrize("delay", [float("nan"), float("inf")])
    def test_a_delay_that_is_none_is_refused(self, queue, delay):
        with pytest.raises(InvalidRequestError, match="delay"):
            queue.add_after("foo", delay)


@pytest.mark.behaviour("7.5.4")
class TestFailures:
    def test_each_failure_of_an_item_counts_until_it_is_forgotten(self, clock):
        queue = Workqueue(rate_limiter=ItemFastSlowRateLimiter(1, 10, 2), clock=clock)
        for _ in range(3):
            queue.add_rate_limited("one")
        queue.add_rate_limited("two")
        assert (queue.num_requeues("one"), queue.num_requeues("two")) == (3, 1)
        queue.forget("one")
        assert (queue.num_requeues("one"), queue.num_requeues("two")) == (0, 1)

    def test_the_limiter_says_when_it_comes_again(self, clock):
        queue = Workqueue(rate_limiter=ItemFastSlowRateLimiter(1, 10, 1), clock=clock)
        queue.add_rate_limited("one")
        clock.step(1)
        queue.done(queue.get())
        queue.add_rate_limited("one")
        clock.step(9)
        assert len(queue) == 0
        clock.step(1)
        assert len(queue) == 1

    def test_by_default_a_first_failure_costs_5_ms(self, queue, clock):
        queue.add_rate_limited("one")
        clock.step(0.004)
        assert len(queue) == 0
        clock.step(0.001)
        assert len(queue) == 1


@pytest.mark.behaviour("7.5.5")
class TestObservers:
    def test_they_are_told_of_each_step_with_depth_and_time(self, clock):
        seen = Steps()
        queue = Workqueue("test", observers=[seen], clock=clock)
        queue.add("foo")
        clock.step(0.5)
        item = queue.get()
        queue.add("foo")
        queue.add("foo")
        clock.step(0.25)
        queue.done(item)
        queue.get()
        queue.add_after("bar", 1)
        assert seen.steps == [
            ("add", 1, 0), ("get", 0, 0.5), ("add", 1, 0), ("done", 1, 0.25), ("get", 0, 0.25), ("retry", 0, 0),
        ]  # fmt: skip

    def test_an_item_is_added_when_its_time_has_come(self, clock):
        seen = Steps()
        queue = Workqueue("test", observers=[seen], clock=clock)
        queue.add_after("foo", 1)
        clock.step(3)
        queue.get()
        assert seen.steps == [("retry", 0, 0), ("add", 1, 0), ("get", 0, 0)]

    def test_work_that_goes_on_can_be_read_at_any_time(self, queue, clock):
        assert (queue.unfinished_seconds(), queue.longest_running_seconds()) == (0, 0)
        queue.add("foo")
        queue.add("bar")
        queue.get()
        clock.step(2)
        queue.get()
        clock.step(1)
        assert (queue.unfinished_seconds(), queue.longest_running_seconds()) == (4, 3)

    def test_an_observer_may_use_the_queue(self, clock):
        class Curious(Observer):
            def on_workqueue_step(self, step):
                lengths.append(len(queue))

        lengths = []
        queue = Workqueue("test", observers=[Curious()], clock=clock)
        queue.add("foo")
        assert lengths == [1]

    def test_they_learn_of_the_queue_itself(self, clock):
        seen = Steps()
        queue = Workqueue("test", observers=[seen], clock=clock)
        assert [each() for each in seen.queues] == [queue]


def test_it_shows_its_name_and_length(queue):
    queue.add("foo")
    assert repr(queue) == "Workqueue('test', waiting=1, shutting_down=False)"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": 3}, "name: want text"),
        ({"rate_limiter": 3}, "rate_limiter: want an ItemRateLimiter"),
        ({"observers": 3}, "observers: want a list"),
        ({"clock": 3}, "clock: want a function"),
    ],
)
def test_what_is_no_queue_is_refused_by_name(options, message):
    with pytest.raises(InvalidRequestError, match=message):
        Workqueue(**options)


@pytest.mark.parametrize("method", ["add", "add_rate_limited", "forget", "num_requeues", "done"])
@pytest.mark.parametrize("item", [None, [], {}])
def test_what_can_be_no_item_is_refused(queue, method, item):
    with pytest.raises(InvalidRequestError, match="item"):
        getattr(queue, method)(item)


@pytest.mark.parametrize("delay", ["b", None])
def test_a_delay_that_is_no_number_is_refused(queue, delay):
    with pytest.raises(InvalidRequestError, match="delay: want a number of seconds"):
        queue.add_after("a", delay)
