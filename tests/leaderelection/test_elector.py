"""The candidate: what it writes when, and when it leads. client-go's scenarios, on a clock of the test's own."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from elections import Cluster, MemoryLock, lost

from dynkube.errors import InvalidRequestError
from dynkube.leaderelection import LeaderElectionRecord, LeaderElector
from dynkube.observers import Observer
from dynkube.transport import CancelToken

LONG = 60


def attempt(elector):
    """One try, as `LeaderElector.run` makes it."""
    return elector._try(CancelToken())


@pytest.mark.behaviour("7.6.1")
class TestConfiguration:
    @pytest.mark.parametrize(
        ("times", "message"),
        [
            ((15, 15, 2), "lease_duration: must be greater than renew_deadline"),
            ((15, 10, 10), r"renew_deadline: must be greater than retry_period \* 1.2"),
            ((15, 2.4, 2), "renew_deadline: must be greater"),
            ((0, -1, -2), "lease_duration: want a number of seconds above 0"),
            ((15, 0, -2), "renew_deadline: want a number of seconds above 0"),
            ((15, 10, 0), "retry_period: want a number of seconds above 0"),
            ((15.5, 10, 2), "lease_duration: a lease lasts whole seconds"),
            ((15, float("nan"), 2), "renew_deadline: want a number of seconds above 0"),
            (("a", 10, 2), "lease_duration: want a number of seconds above 0"),
        ],
    )
    def test_times_must_go_together(self, elector_of, times, message):
        names = ("lease_duration", "renew_deadline", "retry_period")
        with pytest.raises(InvalidRequestError, match=message):
            elector_of(**dict(zip(names, times, strict=True)))

    @pytest.mark.parametrize("callback", ["on_started_leading", "on_stopped_leading"])
    def test_two_callbacks_are_mandatory(self, elector_of, callback):
        with pytest.raises(InvalidRequestError, match=callback):
            elector_of(**{callback: None})

    def test_an_identity_is_mandatory(self, elector_of, cluster):
        with pytest.raises(InvalidRequestError, match="identity"):
            elector_of(MemoryLock(cluster, ""))

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"lock": None}, "lock: want a Lock, such as a LeaseLock, got None"),
            ({"lock": MemoryLock}, "lock: want a Lock"),
            ({"on_started_leading": lambda: 1}, "on_started_leading: is called with"),
            ({"on_stopped_leading": lambda error: 1}, "on_stopped_leading: is called with"),
            ({"on_new_leader": 3}, "on_new_leader: want a function"),
            ({"observers": 3}, "observers: want a list"),
            ({"name": 3}, "name: want text"),
            ({"clock": 3}, "clock: want a function"),
            ({"now": 3}, "now: want a function"),
            ({"random": 3}, "random: want a function"),
            ({"wait": lambda seconds: 1}, "wait: is called with"),
        ],
    )
    def test_what_is_no_candidate_is_refused_by_name(self, elector_of, options, message):
        with pytest.raises(InvalidRequestError, match=message):
            elector_of(**options)

    def test_work_that_is_a_coroutine_function_is_refused(self, elector_of):
        async def work(leading):
            """Nobody would await it."""

        with pytest.raises(InvalidRequestError, match="on_started_leading: want a plain function"):
            elector_of(on_started_leading=work)

    @pytest.mark.parametrize("cancel", [3, threading.Event()])
    def test_what_is_no_token_is_refused_before_anything_is_asked(self, elector_of, cluster, cancel):
        elector = elector_of()
        with pytest.raises(InvalidRequestError, match="cancel: want a CancelToken"):
            elector.run(cancel=cancel)
        assert (cluster.requests, elector.log) == ([], [])

    def test_a_tolerance_that_is_none_is_refused(self, elector_of):
        with pytest.raises(InvalidRequestError, match="tolerance"):
            elector_of().is_healthy("a")

    @pytest.mark.behaviour("7.6.7")
    @pytest.mark.parametrize(("renew_deadline", "timeout"), [(10, 5), (1.5, 1)])
    def test_one_request_does_not_use_up_the_time_for_several(self, elector_of, cluster, renew_deadline, timeout):
        attempt(elector_of(renew_deadline=renew_deadline, retry_period=1))
        assert cluster.timeout == timeout


@pytest.mark.behaviour("7.6.4")
class TestOneTry:
    def test_without_a_lease_it_makes_one(self, elector_of, cluster):
        elector = elector_of()
        assert attempt(elector)
        assert cluster.requests == ["get", "create"]
        assert cluster.record.holder_identity == "baz"
        assert (cluster.record.lease_duration_seconds, cluster.record.leader_transitions) == (15, 0)
        assert elector.is_leader

    def test_one_who_was_quicker_to_make_it_has_it(self, elector_of, cluster):
        cluster.at[2] = lambda: cluster.put(holder_identity="bing", lease_duration_seconds=10)
        assert not attempt(elector_of())

    @pytest.mark.parametrize("fields", [{}, {"lease_duration_seconds": 15}])
    def test_a_lease_without_holder_is_taken(self, elector_of, cluster, fields):
        cluster.put(**fields)
        elector = elector_of()
        assert attempt(elector)
        assert cluster.requests == ["get", "update"]
        assert cluster.record.leader_transitions == 1

    def test_a_held_lease_is_left_alone(self, elector_of, cluster):
        cluster.put(holder_identity="bing", lease_duration_seconds=10)
        elector = elector_of()
        assert not attempt(elector)
        assert cluster.requests == ["get"]
        assert (elector.leader, elector.is_leader) == ("bing", False)

    def test_a_lease_is_taken_when_it_has_not_changed_for_its_duration(self, elector_of, cluster, time):
        """For its own duration, not for that of the one who waits."""
        cluster.put(holder_identity="bing", lease_duration_seconds=3)
        elector = elector_of(lease_duration=15)
        assert not attempt(elector)
        time.now += 2.9
        assert not attempt(elector)
        time.now += 0.1
        assert attempt(elector)
        assert cluster.record.leader_transitions == 1

    def test_each_change_of_the_record_begins_the_wait_anew(self, elector_of, cluster, time):
        cluster.put(holder_identity="bing", lease_duration_seconds=3)
        elector = elector_of()
        for number in range(5):
            assert not attempt(elector)
            cluster.put(renew_time=str(number))
            time.now += 2.9

    @pytest.mark.behaviour("7.6.3")
    @pytest.mark.parametrize("days", [-3650, 3650])
    def test_times_in_the_record_count_for_nothing(self, elector_of, cluster, time, days):
        """A leader whose clock is wrong by years is not robbed, and not waited for."""
        written = (time.day + timedelta(days=days)).isoformat()
        cluster.put(holder_identity="bing", lease_duration_seconds=10, renew_time=written, acquire_time=written)
        elector = elector_of()
        assert not attempt(elector)
        time.now += 9.9
        assert not attempt(elector)
        time.now += 0.2
        assert attempt(elector)

    @pytest.mark.behaviour("7.6.3")
    def test_a_jump_of_the_day_changes_nothing(self, elector_of, cluster, time):
        cluster.put(holder_identity="bing", lease_duration_seconds=10)
        elector = elector_of()
        attempt(elector)
        time.day += timedelta(days=400)
        assert not attempt(elector)

    def test_two_who_see_it_run_out_do_not_both_get_it(self, elector_of, cluster, time):
        cluster.put(holder_identity="bing", lease_duration_seconds=3)
        one, two = elector_of(MemoryLock(cluster, "one")), elector_of(MemoryLock(cluster, "two"))
        attempt(one), attempt(two)
        time.now += 4
        cluster.at[4] = lambda: attempt(two)  # between the first one's read and its write
        assert not attempt(one)
        assert cluster.record.holder_identity == "two"
        assert (one.is_leader, two.is_leader) == (False, True)

    def test_its_own_lease_of_before_is_renewed(self, elector_of, cluster):
        cluster.put(holder_identity="baz", lease_duration_seconds=15, acquire_time="then", leader_transitions=7)
        assert attempt(elector_of())
        assert (cluster.record.acquire_time, cluster.record.leader_transitions) == ("then", 7)

    def test_a_leader_writes_without_reading(self, elector_of, cluster, time):
        elector = elector_of()
        attempt(elector)
        first = cluster.record
        time.now += 5
        time.day += timedelta(seconds=5)
        assert attempt(elector)
        assert cluster.requests == ["get", "create", "update"]
        assert cluster.record.acquire_time == first.acquire_time
        assert cluster.record.renew_time > first.renew_time

    def test_where_that_fails_it_reads_and_writes(self, elector_of, cluster):
        elector = elector_of()
        attempt(elector)
        cluster.at[3] = lambda: cluster.put(strategy="somebody's")
        assert attempt(elector)
        assert cluster.requests == ["get", "create", "update", "get", "update"]
        assert cluster.record.leader_transitions == 0

    def test_one_whose_lease_has_run_out_reads_first(self, elector_of, cluster, time):
        elector = elector_of()
        attempt(elector)
        time.now += 16
        assert not elector.is_leader
        assert attempt(elector)
        assert cluster.requests == ["get", "create", "get", "update"]

    def test_errors_of_the_server_are_no_success(self, elector_of, cluster):
        elector = elector_of()
        cluster.at[1] = lost
        assert not attempt(elector)
        cluster.at[3] = lost  # after a get that found nothing
        assert not attempt(elector)
        assert not elector.is_leader

    def test_a_write_whose_answer_was_lost_is_found_again(self, elector_of, cluster, lock):
        def commit_and_lose():
            lock._write(LeaderElectionRecord(holder_identity="baz", lease_duration_seconds=15, acquire_time="lost"))
            lost()

        cluster.at[2] = commit_and_lose
        elector = elector_of()
        assert not attempt(elector)
        assert attempt(elector)
        assert cluster.record.acquire_time == "lost"


class TestTheLeadersTime:
    @pytest.mark.behaviour("7.6.3")
    def test_it_is_counted_from_when_the_renewal_was_sent(self, elector_of, cluster, time):
        """The others may have seen it at once; the answer came late."""

        def slow():
            time.now += 4

        cluster.at[2] = slow
        elector = elector_of(lease_duration=15)
        attempt(elector)
        time.now += 10.9
        assert elector.is_leader
        time.now += 0.1
        assert not elector.is_leader

    @pytest.mark.behaviour("7.6.7")
    def test_health_fails_where_it_should_have_stopped_and_has_not(self, elector_of, time):
        elector = elector_of()
        assert elector.is_healthy()
        attempt(elector)
        time.now += 15
        assert elector.is_healthy()
        time.now += 1
        assert not elector.is_healthy()
        assert elector.is_healthy(tolerance=2)


class TestRun:
    @pytest.mark.behaviour("7.6.5")
    def test_it_tries_until_it_gets_the_lease_and_renews_until_it_is_cancelled(self, elector_of, cluster, time, token):
        cluster.put(holder_identity="bing", lease_duration_seconds=3)
        cluster.at[6] = token.cancel
        elector = elector_of(random=lambda: 0.5)
        elector.run(cancel=token)
        # waits for 2 s and half of 1.2 times that, twice, then renews every 2 s
        assert time.waits[:4] == [3.2, 2.0, 2.0, 2.0]
        assert cluster.requests == ["get", "get", "update", "update", "update", "update"]
        assert elector.log == ["started", "stopped"]

    @pytest.mark.behaviour("7.6.6")
    def test_it_says_stopped_even_if_it_has_never_led(self, elector_of, token):
        token.cancel()
        elector = elector_of()
        elector.run(cancel=token)
        assert elector.log == ["stopped"]

    @pytest.mark.behaviour("7.6.5")
    def test_it_stops_when_the_renew_deadline_has_passed(self, elector_of, cluster, time):
        elector = elector_of()
        for number in range(3, 100):
            cluster.at[number] = lost
        elector.run()
        assert time.now == 1000 + 2 + 10
        assert "stopped" in elector.log
        assert not elector.is_leader

    @pytest.mark.behaviour("7.6.5")
    def test_it_stops_at_the_end_of_its_lease_if_that_is_earlier(self, elector_of, cluster, time):
        """client-go would go on until the deadline: 16.9 s after the last renewal, with a lease of 15."""
        elector = elector_of(renew_deadline=14.9)
        for number in range(3, 100):
            cluster.at[number] = lost
        elector.run()
        assert time.now == 1000 + 15

    @pytest.mark.behaviour("7.6.5")
    def test_a_renewal_that_comes_through_in_time_saves_it(self, elector_of, cluster, time, token):
        for number in range(3, 7):
            cluster.at[number] = lost  # two tries, each fast and slow
        cluster.at[8] = token.cancel
        elector = elector_of()
        elector.run(cancel=token)
        assert cluster.requests == ["get", "create", "update", "get", "update", "get", "update", "update"]

    @pytest.mark.behaviour("7.6.5")
    def test_it_stops_at_once_when_another_has_the_lease(self, elector_of, cluster, time):
        cluster.at[3] = lambda: cluster.put(holder_identity="thief")
        elector = elector_of()
        elector.run()
        assert cluster.requests == ["get", "create", "update", "get"]
        assert time.now == 1002

    @pytest.mark.behaviour("7.6.5")
    def test_one_that_was_frozen_for_too_long_does_not_lead_on(self, elector_of, cluster, time):
        def freeze():
            time.now += 20

        time.at_wait = freeze
        elector = elector_of()
        elector.run()
        assert cluster.requests == ["get", "create"]
        assert "stopped" in elector.log

    @pytest.mark.behaviour("7.6.6")
    def test_the_work_gets_a_token_that_ends_with_the_leadership(self, elector_of, cluster):
        ended = threading.Event()

        def work(token):
            token.wait(LONG)
            ended.set()

        cluster.at[3] = lambda: cluster.put(holder_identity="thief")
        elector_of(on_started_leading=work).run()
        assert ended.wait(LONG)

    @pytest.mark.behaviour("7.6.6")
    def test_an_error_of_the_work_ends_the_leadership(self, elector_of, time):
        failed = threading.Event()
        time.at_wait = lambda: failed.wait(LONG)

        def work(token):
            failed.set()
            raise OSError("broken")

        elector = elector_of(on_started_leading=work)
        with pytest.raises(OSError, match="broken"):
            elector.run()
        assert elector.log == ["stopped"]

    @pytest.mark.behaviour("7.6.6")
    @pytest.mark.parametrize("error", [SystemExit("bad config"), KeyboardInterrupt("bad config")])
    def test_so_does_work_that_wants_to_end_the_process(self, elector_of, time, caplog, error):
        """A thread hides it: the process would lead for ever, and do nothing."""
        failed = threading.Event()
        time.at_wait = lambda: failed.wait(LONG)

        def work(token):
            failed.set()
            raise error

        elector = elector_of(on_started_leading=work)
        with pytest.raises(type(error), match="bad config"):
            elector.run()
        assert elector.log == ["stopped"]
        assert not elector.is_leader
        assert "bad config" in caplog.text

    @pytest.mark.behaviour("7.6.6")
    def test_new_leaders_are_told_in_order_this_one_included(self, elector_of, cluster, token):
        seen, all_seen = [], threading.Event()
        failures = [OSError("a callback that fails is logged"), SystemExit("whatever it raises"), OSError("again")]

        def note(leader):
            seen.append((leader, threading.current_thread() is threading.main_thread()))
            if leader == "baz":
                all_seen.set()
            raise failures.pop(0)

        cluster.put(holder_identity="bing", lease_duration_seconds=3)
        cluster.at[2] = lambda: cluster.put(holder_identity="bong", lease_duration_seconds=3)
        cluster.at[6] = token.cancel
        elector_of(on_new_leader=note).run(cancel=token)
        assert all_seen.wait(LONG)
        assert seen == [("bing", False), ("bong", False), ("baz", False)]

    def test_it_may_run_again_but_not_twice_at_once(self, elector_of, cluster, token):
        elector = elector_of()

        def again():
            with pytest.raises(InvalidRequestError, match="running already"):
                elector.run()
            token.cancel()

        cluster.at[3] = again
        elector.run(cancel=token)
        cluster.at[len(cluster.requests) + 3] = lambda: cluster.put(holder_identity="thief")
        elector.run()
        assert elector.log.count("stopped") == 2

    @pytest.mark.behaviour("7.6.4")
    def test_a_deleted_lease_is_made_anew(self, elector_of, cluster, token):
        def delete():
            cluster.record, cluster.version = None, cluster.version + 1

        cluster.at[3] = delete
        cluster.at[6] = token.cancel
        elector_of().run(cancel=token)
        assert cluster.requests == ["get", "create", "update", "get", "create", "update"]


@pytest.mark.behaviour("7.6.5")
class TestRelease:
    def test_a_cancelled_leader_lets_go(self, elector_of, cluster, token, lock):
        cluster.at[3] = token.cancel
        elector = elector_of(release_on_cancel=True)
        elector.run(cancel=token)
        assert cluster.requests == ["get", "create", "update", "get", "update"]
        assert cluster.record.holder_identity == ""
        assert (cluster.record.lease_duration_seconds, cluster.record.leader_transitions) == (1, 0)
        assert lock.events == ["became leader", "stopped leading"]
        assert elector.leader == ""

    def test_the_transitions_stay(self, elector_of, cluster, token):
        cluster.put(leader_transitions=4)
        cluster.at[3] = token.cancel
        elector_of(release_on_cancel=True).run(cancel=token)
        assert cluster.record.leader_transitions == 5

    def test_it_waits_for_the_work_to_end(self, elector_of, cluster, token):
        holders = []

        def work(stop):
            stop.wait(LONG)
            holders.append(cluster.record.holder_identity)

        cluster.at[3] = token.cancel
        elector_of(on_started_leading=work, release_on_cancel=True).run(cancel=token)
        assert holders == ["baz"]
        assert cluster.record.holder_identity == ""

    def test_work_that_does_not_end_keeps_the_lease(self, elector_of, cluster, time, token):
        go = threading.Event()

        def cancel():
            time.now += 14.99
            token.cancel()

        cluster.at[3] = cancel
        elector_of(on_started_leading=lambda stop: go.wait(LONG), release_on_cancel=True).run(cancel=token)
        go.set()
        assert cluster.record.holder_identity == "baz"

    def test_a_lease_that_another_has_is_not_taken_from_him(self, elector_of, cluster, token):
        """client-go would: it looks at what it saw last."""

        def cancel():
            cluster.put(holder_identity="other")
            token.cancel()

        cluster.at[3] = cancel
        elector_of(release_on_cancel=True).run(cancel=token)
        assert cluster.record.holder_identity == "other"

    def test_an_error_of_the_server_is_no_error_of_run(self, elector_of, cluster, token):
        cluster.at[3] = token.cancel
        cluster.at[4] = lost
        elector = elector_of(release_on_cancel=True)
        elector.run(cancel=token)
        assert elector.log == ["started", "stopped"]

    @pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit])
    def test_ctrl_c_is_a_cancel_and_then_goes_up(self, elector_of, cluster, time, caplog, interrupt):
        holders = []

        def press():
            raise interrupt

        def work(leading):
            leading.wait(LONG)
            holders.append(cluster.record.holder_identity)

        time.at_wait = press
        elector = elector_of(on_started_leading=work, release_on_cancel=True)
        with pytest.raises(interrupt):
            elector.run()
        assert holders == ["baz"]  # the work was waited for, and then
        assert cluster.record.holder_identity == ""
        assert elector.log == ["stopped"]
        assert "waits for the work to end" in caplog.text

    def test_without_release_ctrl_c_waits_for_the_work_and_keeps_the_lease(self, elector_of, cluster, time):
        ended = []

        def press():
            raise KeyboardInterrupt

        time.at_wait = press
        elector = elector_of(on_started_leading=lambda leading: ended.append(leading.wait(LONG)))
        with pytest.raises(KeyboardInterrupt):
            elector.run()
        assert ended == [True]
        assert cluster.record.holder_identity == "baz"

    def test_a_second_ctrl_c_ends_the_wait_for_the_work(self, elector_of, cluster, time, monkeypatch):
        go = threading.Event()

        def press(*_):
            raise KeyboardInterrupt

        time.at_wait = press
        elector = elector_of(on_started_leading=lambda leading: go.wait(LONG), release_on_cancel=True)
        monkeypatch.setattr(elector, "_let_go", press)
        with pytest.raises(KeyboardInterrupt):
            elector.run()
        go.set()
        assert cluster.record.holder_identity == "baz"
        assert elector.log == ["stopped"]

    def test_one_who_only_waits_goes_at_once_on_ctrl_c(self, elector_of, cluster, time):
        def press():
            raise KeyboardInterrupt

        cluster.put(holder_identity="bing", lease_duration_seconds=1000)
        time.at_wait = press
        elector = elector_of(release_on_cancel=True)
        with pytest.raises(KeyboardInterrupt):
            elector.run()
        assert cluster.requests == ["get"]
        assert elector.log == ["stopped"]

    def test_one_that_never_led_releases_nothing(self, elector_of, cluster, token):
        cluster.put(holder_identity="bing", lease_duration_seconds=1000)
        cluster.at[1] = token.cancel
        elector_of(release_on_cancel=True).run(cancel=token)
        assert cluster.requests == ["get"]


def test_observers_are_told_when_it_leads(elector_of, cluster, token):
    class Seen(Observer):
        def on_leader_change(self, change):
            seen.append((change.name, change.identity, change.leading))

    seen = []
    cluster.at[3] = token.cancel
    elector_of(observers=[Seen()], name="election").run(cancel=token)
    assert seen == [("election", "baz", True), ("election", "baz", False)]


@pytest.mark.behaviour("7.6.7")
def test_health_and_leader_can_be_read_from_any_thread_while_it_runs(cluster):
    """client-go had a race here (TestCheckMethodRace)."""
    token, started = CancelToken(), threading.Event()
    elector = LeaderElector(
        MemoryLock(Cluster()),
        lease_duration=2,
        renew_deadline=1,
        retry_period=0.001,
        on_started_leading=lambda stop: started.set(),
        on_stopped_leading=lambda: None,
    )
    thread = threading.Thread(target=elector.run, kwargs={"cancel": token})
    thread.start()
    assert started.wait(LONG)
    assert all(elector.is_healthy(1) and elector.leader == "baz" for _ in range(1000))
    token.cancel()
    thread.join(LONG)
    assert not thread.is_alive()
