from __future__ import annotations

import logging
import math
import os
import threading

import pytest

from dynkube.errors import CancelledError, DeadlineExceededError, InvalidRequestError
from dynkube.transport.scope import CallScope, CancelToken


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


# ------------------------------------------------------------- tokens


def test_a_token_is_cancelled_once_and_for_all():
    token = CancelToken()
    assert not token.cancelled
    assert not token.wait(0)
    token.cancel()
    token.cancel()
    assert token.cancelled
    assert token.wait()


def test_subscribers_are_called_once_on_cancel():
    token = CancelToken()
    calls = []
    token.subscribe(lambda: calls.append(1))
    token.cancel()
    token.cancel()
    assert calls == [1]


def test_a_subscriber_that_comes_late_is_called_at_once():
    token = CancelToken()
    token.cancel()
    calls = []
    unsubscribe = token.subscribe(lambda: calls.append(1))
    unsubscribe()
    assert calls == [1]


def test_one_function_can_be_subscribed_twice_and_taken_back_once():
    token = CancelToken()
    calls = []

    def subscriber():
        calls.append(1)

    unsubscribe = token.subscribe(subscriber)
    token.subscribe(subscriber)
    unsubscribe()
    unsubscribe()
    token.cancel()
    assert calls == [1]


def test_a_subscriber_that_fails_does_not_stop_the_others(caplog):
    token = CancelToken()
    calls = []
    token.subscribe(lambda: 1 / 0)
    token.subscribe(lambda: calls.append(1))
    with caplog.at_level(logging.ERROR, "dynkube.transport"):
        token.cancel()
    assert calls == [1]
    assert "callback" in caplog.text


def test_repr_says_the_state():
    assert repr(CancelToken()) == "CancelToken(cancelled=False)"
    assert repr(CallScope(3)) == "CallScope(timeout=3, cancel=None)"


# ------------------------------------------------------------- scopes


@pytest.mark.parametrize("timeout", [0, -1, math.nan, math.inf, True, "5"])
def test_a_timeout_is_a_number_of_seconds(timeout):
    with pytest.raises(InvalidRequestError, match=r"^timeout: "):
        CallScope(timeout)


def test_a_scope_without_limits_never_ends():
    scope = CallScope()
    assert scope.remaining() is None
    assert scope.unlimited
    assert not scope.over
    scope.check()
    assert scope.bound(None) is None
    assert scope.bound(5.0) == 5.0


def test_the_time_that_is_left_runs_down_to_0():
    clock = Clock()
    scope = CallScope(10, clock=clock)
    assert scope.remaining() == 10
    assert scope.bound(4.0) == 4.0
    assert scope.bound(None) == 10
    clock.now += 7
    assert scope.remaining() == 3
    assert scope.bound(4.0) == 3
    clock.now += 7
    assert scope.remaining() == 0
    assert scope.over
    with pytest.raises(DeadlineExceededError, match="timeout of 10 s"):
        scope.check()


def test_cancelled_wins_over_the_deadline():
    clock, token = Clock(), CancelToken()
    scope = CallScope(10, token, clock=clock)
    clock.now += 20
    token.cancel()
    with pytest.raises(CancelledError):
        scope.check()


@pytest.mark.behaviour("2.11.3")
def test_sleep_ends_when_the_token_is_cancelled(in_thread):
    token = CancelToken()
    waiting = in_thread(CallScope(None, token).sleep, 3600)
    token.cancel()
    with pytest.raises(CancelledError):
        waiting()


@pytest.mark.behaviour("2.11.3", "2.7.8")
def test_sleep_ends_at_the_deadline():
    with pytest.raises(DeadlineExceededError):
        CallScope(0.01).sleep(3600)


def test_sleep_returns_when_there_is_time():
    CallScope(3600).sleep(0.001)
    CallScope().sleep(-1)


# ------------------------------------------------------------- guards


def test_a_guard_interrupts_at_the_deadline():
    woken = threading.Event()
    with pytest.raises(DeadlineExceededError), CallScope(0.02).guard(woken.set):
        assert woken.wait(10)


def test_a_guard_interrupts_on_cancel(in_thread):
    token, woken, inside = CancelToken(), threading.Event(), threading.Event()

    def block():
        with CallScope(None, token).guard(woken.set):
            inside.set()
            assert woken.wait(10)
            raise ConnectionResetError("interrupted")

    blocking = in_thread(block)
    assert inside.wait(10)
    token.cancel()
    with pytest.raises(CancelledError) as caught:
        blocking()
    assert isinstance(caught.value.__cause__, ConnectionResetError)


def test_a_guard_lets_errors_of_the_block_through():
    with pytest.raises(KeyError), CallScope(60, CancelToken()).guard(lambda: None):
        raise KeyError


def test_a_guard_does_not_begin_what_is_over():
    token = CancelToken()
    token.cancel()
    begun = []
    with pytest.raises(CancelledError), CallScope(None, token).guard(lambda: None):
        begun.append(1)
    assert not begun


def test_nothing_is_interrupted_after_disarm():
    token = CancelToken()
    calls = []
    disarm = CallScope(3600, token).arm(lambda: calls.append(1))
    disarm()
    disarm()
    token.cancel()
    assert not calls


def test_disarm_waits_for_an_interrupt_that_is_running(in_thread):
    token, inside, go_on = CancelToken(), threading.Event(), threading.Event()

    def interrupt():
        inside.set()
        assert go_on.wait(10)

    disarm = CallScope(None, token).arm(interrupt)
    cancelling = in_thread(token.cancel)
    assert inside.wait(10)
    disarming = in_thread(disarm)
    go_on.set()
    disarming()
    cancelling()


def test_an_order_for_a_token_that_is_cancelled_fires_at_once():
    token = CancelToken()
    token.cancel()
    calls = []
    CallScope(None, token).arm(lambda: calls.append(1))
    assert calls == [1]


def test_many_deadlines_are_served_in_their_order():
    order, done = [], threading.Event()
    scopes = [CallScope(0.01 * (5 - index)) for index in range(5)]
    for index, scope in enumerate(scopes):
        scope.arm(lambda index=index: order.append(index) or (index == 0 and done.set()))
    assert done.wait(10)
    assert order == [4, 3, 2, 1, 0]


def test_alarms_that_were_cleared_do_not_pile_up():
    from dynkube.transport.scope import _WATCHDOG

    for _ in range(5000):
        CallScope(3600).arm(lambda: None)()
    assert len(_WATCHDOG._heap) < 1000


def test_the_watchdog_is_one_daemon_thread():
    for _ in range(3):
        CallScope(3600).arm(lambda: None)()
    threads = [thread for thread in threading.enumerate() if thread.name == "dynkube-deadlines"]
    assert len(threads) == 1
    assert threads[0].daemon


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_has_deadlines_of_its_own():
    CallScope(3600).arm(lambda: None)
    child = os.fork()
    if not child:
        woken = threading.Event()
        CallScope(0.01).arm(woken.set)
        os._exit(0 if woken.wait(10) else 1)
    assert os.waitpid(child, 0)[1] == 0
