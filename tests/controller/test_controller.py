"""The loop: who is asked when, what becomes of answers and errors, and the end."""

from __future__ import annotations

import logging
import threading
import time

import pytest
from controlling import PATIENCE, Asked, running
from manifests import CONFIGMAPS, WIDGETS, config_map, widget

import dynkube
from dynkube.controller import Controller, Result, TerminalError, generation_changed, set_controller_reference
from dynkube.errors import InformerStoppedError, InvalidRequestError, NoMatchError
from dynkube.informers import InformerFactory
from dynkube.observers import Observer
from dynkube.transport import CancelToken
from dynkube.workqueue import ItemExponentialFailureRateLimiter, ItemFastSlowRateLimiter

pytestmark = pytest.mark.behaviour("10.1.13")


class Seen(Observer):
    def __init__(self):
        self.results = []

    def on_reconciliation(self, reconciliation):
        self.results.append((reconciliation.controller, reconciliation.result, reconciliation.error))


def failing(times):
    """A reconcile that fails so many times for each object."""

    def reconcile(request):
        if request.failures < times:
            raise OSError("not yet")

    return reconcile


@pytest.fixture
def controller_of(client, namespace):
    def controller_of(reconcile, **options):
        return Controller(client, WIDGETS, reconcile, **{"namespace": namespace, **options})

    return controller_of


class TestWhoIsAskedAbout:
    def test_what_is_there_at_first(self, controller_of, widgets, namespace):
        widgets.create(widget("one", size=1))
        widgets.create(widget("two"))
        asked = Asked()
        with running(controller_of(asked)):
            requests = asked.wait(2)
        assert sorted((each.namespace, each.name) for each in requests) == [(namespace, "one"), (namespace, "two")]
        assert {each.name: each.object["spec"] for each in requests}["one"] == {"size": 1}

    def test_what_appears_changes_and_goes(self, controller_of, widgets):
        asked = Asked()
        with running(controller_of(asked)):
            widgets.create(widget("one", size=1))
            asked.wait_until(lambda requests: requests and requests[-1].object["spec"]["size"] == 1)
            widgets.patch("one", {"spec": {"size": 2}})
            asked.wait_until(lambda requests: requests[-1].object["spec"]["size"] == 2)
            widgets.delete("one")
            gone = asked.wait_until(lambda requests: requests[-1].object is None)[-1]
        assert gone.name == "one"

    def test_a_predicate_leaves_changes_out(self, controller_of, widgets):
        widgets.create(widget("one"))
        asked = Asked()
        with running(controller_of(asked, predicate=generation_changed)):
            asked.wait(1)
            widgets.subresource("status").patch("one", {"status": {"ready": True}})
            widgets.create(widget("two"))
            asked.wait_until(lambda requests: "two" in [each.name for each in requests])
        assert asked.names == ["one", "two"]

    def test_a_selector_leaves_objects_out(self, controller_of, widgets):
        widgets.create(widget("one", labels={"team": "a"}))
        widgets.create(widget("two", labels={"team": "b"}))
        asked = Asked()
        with running(controller_of(asked, label_selector="team=b")):
            asked.wait(1)
        assert asked.names == ["two"]

    def test_the_owner_of_what_it_owns(self, controller_of, widgets, configmaps):
        asked = Asked()
        owner = widgets.create(widget("owner"))
        with running(controller_of(asked).owns("configmaps")):
            asked.wait(1)
            owned, foreign = config_map("owned"), config_map("foreign")
            for each in (owned, foreign):
                each["metadata"]["namespace"] = configmaps._namespace
            set_controller_reference(owned, owner)
            foreign["metadata"]["ownerReferences"] = [
                {"apiVersion": "other.example.com/v1", "kind": "Widget", "name": "else", "uid": "7", "controller": True}
            ]
            configmaps.create(foreign)
            configmaps.create(owned)
            asked.wait(2)
            configmaps.delete("owned")
            asked.wait(3)
        assert asked.names == ["owner"] * 3

    def test_whom_a_map_names(self, controller_of, widgets, configmaps, namespace):
        def readers(config):
            return [(namespace, name) for name in config["data"]["readers"].split()]

        asked = Asked()
        with running(controller_of(asked).watches(CONFIGMAPS, readers, label_selector="kind=readers")):
            configmaps.create(config_map("menu", labels={"kind": "readers"}, readers="one"))
            asked.wait(1)
            configmaps.patch("menu", {"data": {"readers": "two"}})
            asked.wait(3)
        assert sorted(asked.names) == ["one", "one", "two"]  # also the one that it has left

    def test_a_map_that_fails_is_logged_and_asked_again(self, controller_of, configmaps, namespace, caplog):
        def fail(config):
            if config["metadata"]["name"] == "bad":
                raise KeyError("no readers")
            return [f"{namespace}/one"]

        asked = Asked()
        with running(controller_of(asked).watches(CONFIGMAPS, fail, label_selector="kind=readers")):
            for name in ("bad", "good"):
                configmaps.create(config_map(name, labels={"kind": "readers"}))
            asked.wait(1)
        assert "a predicate or a mapping for" in caplog.text
        assert f"failed at {namespace}/bad" in caplog.text

    @pytest.mark.parametrize(
        ("names", "problem"),
        [
            ("shop/one", "write ['shop/one']"), (("shop", "one"), "'shop' has no namespace"), (["one"], "'one' has no"),
            ([("shop", 3)], "want (namespace, name)"), (["shop/"], "the name is empty"), (None, "[] for none, got None"),
        ],
    )  # fmt: skip
    def test_names_that_cannot_be_are_told_and_nobody_is_asked(self, controller_of, configmaps, caplog, names, problem):
        asked = Asked()
        passed_over = threading.Event()

        def whom(config):
            if config["metadata"]["name"] == "good":
                passed_over.set()
                return []
            return names

        with running(controller_of(asked).watches(CONFIGMAPS, whom, label_selector="kind=readers")):
            for name in ("bad", "good"):
                configmaps.create(config_map(name, labels={"kind": "readers"}))
            assert passed_over.wait(PATIENCE)
        assert problem in caplog.text
        assert asked.requests == []

    def test_an_exit_in_a_predicate_passes_one_change_over(self, controller_of, widgets, caplog):
        def leave(old, new):
            if (new or old)["metadata"]["name"] == "bad":
                raise SystemExit("bad config")
            return True

        asked = Asked()
        with running(controller_of(asked, predicate=leave)):
            for name in ("bad", "good"):
                widgets.create(widget(name))
            asked.wait(1)
        assert asked.names == ["good"]
        assert "SystemExit: bad config" in caplog.text

    def test_whom_somebody_enqueues(self, controller_of, namespace):
        asked = Asked()
        controller = controller_of(asked)
        controller.enqueue("nobody/listens")
        with running(controller):
            while controller._queue is None:
                threading.Event().wait(0.01)
            controller.enqueue((namespace, "one"))
            assert asked.wait(1)[0].name == "one"
            with pytest.raises(InvalidRequestError, match=r"'one' has no namespace.*want \('shop', 'api'\)"):
                controller.enqueue("one")
        with pytest.raises(InvalidRequestError, match="name"):
            controller.enqueue(("a", "b", "c"))

    def test_one_in_no_namespace_is_named_without(self, client):
        asked = Asked()
        controller = Controller(client, "namespaces", asked)
        with running(controller, drain_timeout=0):
            asked.wait(1)
            with pytest.raises(InvalidRequestError, match=r"has a namespace: for namespaces want \('', 'api'\)"):
                controller.enqueue("shop/one")
            controller.enqueue("one")
            asked.wait_until(lambda requests: "one" in [each.name for each in requests])

    def test_nobody_before_everything_is_in_memory(self, controller_of, widgets, configmaps, namespace):
        for number in range(20):
            configmaps.create(config_map(f"config-{number}"))
        widgets.create(widget("one"))
        counts = []

        def count(request):
            counts.append(len(controller.lister("configmaps").list()))

        asked = Asked(count)
        controller = controller_of(asked).watches("configmaps", lambda config: [])
        with running(controller):
            asked.wait(1)
        assert counts[0] >= 20

    def test_the_informers_may_be_compact(self, client, namespace, widgets, configmaps):
        owner = widgets.create(widget("one", size=1))
        owned = config_map("owned")
        owned["metadata"]["namespace"] = namespace
        set_controller_reference(owned, owner)
        asked = Asked()
        with InformerFactory(client, namespace=namespace, compact=True) as factory:
            controller = Controller(factory, WIDGETS, asked, predicate=generation_changed)
            with running(controller.owns("configmaps", metadata_only=True)):
                asked.wait(1)
                widgets.patch("one", {"spec": {"size": 2}})
                asked.wait_until(lambda requests: requests[-1].object["spec"]["size"] == 2)
                configmaps.create(owned)
                request = asked.wait_until(lambda requests: len(requests) > 2)[-1]
        assert type(request.object) is dict


class TestAnswers:
    def test_an_error_comes_again_until_it_is_none(self, controller_of, widgets, caplog):
        widgets.create(widget("one"))
        asked, seen = Asked(failing(2)), Seen()
        with running(controller_of(asked, observers=[seen], name="test")):
            asked.wait(3)
        assert [each.failures for each in asked.requests] == [0, 1, 2]
        assert seen.results == [("test", "error", "OSError")] * 2 + [("test", "success", "")]
        assert "not yet" in caplog.text

    def test_a_rate_limiter_says_when(self, controller_of, widgets):
        def fail(request):
            raise OSError("never")

        widgets.create(widget("one"))
        asked = Asked(fail)
        with running(controller_of(asked, rate_limiter=ItemFastSlowRateLimiter(0.001, 3600, 4)), drain_timeout=0):
            asked.wait(5)
        assert len(asked.requests) == 5

    def test_a_rate_limiter_that_fails_is_told_and_replaced(self, controller_of, widgets, caplog):
        class Broken(ItemExponentialFailureRateLimiter):
            def when(self, item):
                raise SystemExit("no limit")

            def num_requeues(self, item):
                return "many"

            def forget(self, item):
                raise OSError("no memory")

        widgets.create(widget("one"))
        asked = Asked(failing(2))
        with running(controller_of(asked, rate_limiter=Broken(1, 2))):
            asked.wait(3)
        assert [each.failures for each in asked.requests] == [0, 1, 2]
        for problem in ("when failed", "num_requeues failed", "forget failed", "SystemExit: no limit", "got 'many'"):
            assert problem in caplog.text

    @pytest.mark.parametrize("seconds", ["a", None, float("nan"), float("inf")])
    def test_a_rate_limiter_that_gives_no_number_likewise(self, controller_of, widgets, caplog, seconds):
        class Broken(ItemExponentialFailureRateLimiter):
            def when(self, item):
                super().when(item)
                return seconds

        widgets.create(widget("one"))
        asked = Asked(failing(1))
        with running(controller_of(asked, rate_limiter=Broken(1, 2))):
            asked.wait(2)
        assert "rate_limiter.when failed; default_controller_rate_limiter" in caplog.text

    def test_an_exit_is_a_failure_and_ends_no_worker(self, controller_of, widgets, caplog):
        def leave_once(request):
            if request.failures == 0:
                raise SystemExit("bad config")

        widgets.create(widget("one"))
        asked, seen = Asked(leave_once), Seen()
        with running(controller_of(asked, observers=[seen])):
            asked.wait(2)
        assert seen.results[0][2] == "SystemExit"
        assert "reconcile raised SystemExit('bad config'), which ends nothing on a worker's thread" in caplog.text

    @pytest.mark.parametrize(("answer", "shown"), [(5, "5"), (True, "True"), ({"requeue_after": 5}, "a dict")])
    def test_what_is_no_result_is_a_failure(self, controller_of, widgets, caplog, answer, shown):
        widgets.create(widget("one"))
        asked, seen = Asked(lambda request: answer if request.failures == 0 else None), Seen()
        with running(controller_of(asked, observers=[seen])):
            asked.wait(2)
        assert [error for *_, error in seen.results] == ["InvalidRequestError", ""]
        assert f"reconcile must return None or a Result, got {shown}" in caplog.text

    def test_a_terminal_error_does_not_come_again(self, controller_of, widgets, caplog):
        def refuse(request):
            if request.object["spec"].get("size", 0) < 0:
                raise TerminalError("no widget has this size")

        widgets.create(widget("one", size=-1))
        asked, seen = Asked(refuse), Seen()
        with running(controller_of(asked, observers=[seen])):
            asked.wait(1)
            widgets.patch("one", {"spec": {"size": 1}})
            asked.wait(2)
        assert [error for *_, error in seen.results] == ["TerminalError", ""]
        assert "it is not tried again" in caplog.text

    def test_a_conflict_is_no_news(self, controller_of, widgets, caplog):
        caplog.set_level(logging.INFO)

        def overwrite(request):
            if request.failures == 0:
                widgets.update({**request.object, "metadata": {**request.object["metadata"], "resourceVersion": "1"}})

        widgets.create(widget("one"))
        asked, seen = Asked(overwrite), Seen()
        with running(controller_of(asked, observers=[seen])):
            asked.wait(2)
        assert seen.results[0][2] == "ConflictError"
        assert not [each for each in caplog.records if each.name == "dynkube.controller" and each.levelname == "ERROR"]

    def test_requeue_after_comes_again_without_a_change(self, controller_of, widgets):
        widgets.create(widget("one"))
        asked = Asked(lambda request: Result(requeue_after=0.01) if len(asked.requests) < 3 else None)
        seen = Seen()
        with running(controller_of(asked, observers=[seen])):
            asked.wait(3)
        assert [result for _, result, _ in seen.results] == ["requeue_after", "requeue_after", "success"]
        assert {each.failures for each in asked.requests} == {0}

    @pytest.mark.parametrize("seconds", [0, -1, float("inf"), float("nan"), "a", True])
    def test_seconds_that_are_none_are_refused(self, seconds):
        with pytest.raises(InvalidRequestError, match="requeue_after"):
            Result(requeue_after=seconds)

    def test_what_it_gets_is_its_own_copy(self, controller_of, widgets):
        def spoil(request):
            request.object["spec"].clear()

        widgets.create(widget("one", size=1))
        asked = Asked(spoil)
        controller = controller_of(asked)
        with running(controller):
            asked.wait(1)
            assert controller.lister().list()[0]["spec"] == {"size": 1}

    def test_several_are_worked_on_at_once_but_no_one_twice(self, controller_of, widgets):
        for name in ("one", "two", "three"):
            widgets.create(widget(name))
        together = threading.Barrier(3, timeout=PATIENCE)
        asked = Asked(lambda request: together.wait() and None)
        with running(controller_of(asked, concurrency=3)):
            asked.wait(3)
        assert sorted(asked.names) == ["one", "three", "two"]


class TestTheEnd:
    def test_what_is_in_the_queue_is_worked_off(self, controller_of, widgets):
        for number in range(5):
            widgets.create(widget(f"w-{number}"))
        go = threading.Event()
        asked = Asked(lambda request: go.wait(PATIENCE) and None)
        with running(controller_of(asked)) as token:
            asked.wait(1)
            token.cancel()
            go.set()
        assert len(set(asked.names)) == 5

    def test_without_time_for_it_what_is_under_way_is_cancelled_and_nothing_begun(self, controller_of, widgets):
        for number in range(5):
            widgets.create(widget(f"w-{number}"))
        asked = Asked(lambda request: request.cancel.wait(PATIENCE) and None)
        with running(controller_of(asked), drain_timeout=0) as token:
            asked.wait(1)
            token.cancel()
        assert len(asked.requests) == 1

    def test_after_its_time_what_is_under_way_is_cancelled(self, controller_of, widgets, caplog):
        widgets.create(widget("one"))
        asked = Asked(lambda request: request.cancel.wait(PATIENCE) and None)
        with running(controller_of(asked), drain_timeout=0.05):
            asked.wait(1)
        assert asked.requests[0].cancel.cancelled
        assert "not all was worked off in 0.05 s" in caplog.text

    def test_a_cancelled_call_is_no_failure(self, controller_of, widgets, caplog):
        widgets.create(widget("one"))
        gate = threading.Event()

        def call(request):
            gate.set()
            with widgets.watch(cancel=request.cancel) as events:
                for _ in events:
                    pass

        with running(controller_of(call), drain_timeout=0):
            assert gate.wait(PATIENCE)
        assert "ERROR" not in caplog.text

    def test_it_leaves_no_thread(self, controller_of, widgets):
        before = set(threading.enumerate())
        asked = Asked()
        widgets.create(widget("one"))
        with running(controller_of(asked, concurrency=4).owns("configmaps")):
            asked.wait(1)
        left = {each.name for each in set(threading.enumerate()) - before if each.name.startswith("dynkube")}
        assert left <= {"dynkube-deadlines"}

    def test_it_may_run_again_but_not_twice_at_once(self, controller_of, widgets):
        widgets.create(widget("one"))
        asked = Asked()
        controller = controller_of(asked)
        with running(controller):
            asked.wait(1)
            with pytest.raises(InvalidRequestError, match="runs already"):
                controller.run()
            with pytest.raises(InvalidRequestError, match="runs already"):
                controller.owns("configmaps")
        with running(controller):
            asked.wait(2)

    def test_informers_of_a_factory_that_it_was_given_go_on(self, client, namespace, widgets):
        widgets.create(widget("one"))
        asked = Asked()
        with InformerFactory(client, namespace=namespace) as factory:
            controller = Controller(factory, WIDGETS, asked)
            with running(controller):
                asked.wait(1)
            informer = factory.for_resource(WIDGETS)
            assert not informer.is_stopped
            with running(controller):
                asked.wait(2)
        with pytest.raises(InformerStoppedError):
            controller.run()

    def test_without_its_informers_it_ends(self, client, namespace, widgets):
        widgets.create(widget("one"))
        asked, errors = Asked(), []
        factory = InformerFactory(client, namespace=namespace)

        def run():
            try:
                Controller(factory, WIDGETS, asked).run()
            except InformerStoppedError as error:
                errors.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        asked.wait(1)
        factory.stop()
        thread.join(PATIENCE)
        assert "is not followed any more: its factory was stopped" in str(errors[0])

    def test_what_ends_a_worker_ends_the_run(self, controller_of, widgets, caplog):
        faults = []

        def clock():
            if faults:
                raise faults.pop()
            return time.monotonic()

        def spoil(request):
            faults.append(SystemExit("no clock"))

        widgets.create(widget("one"))
        with pytest.raises(SystemExit, match="no clock"):
            controller_of(spoil, clock=clock).run()
        assert "a worker has ended: SystemExit('no clock')" in caplog.text

    def test_an_interrupted_one_says_what_it_waits_for(self, controller_of, widgets, caplog):
        class Interrupted(CancelToken):
            def wait(self, timeout=None):
                asked.wait(1)
                raise KeyboardInterrupt

        widgets.create(widget("one"))
        asked = Asked(lambda request: request.cancel.wait(PATIENCE) and None)
        with pytest.raises(KeyboardInterrupt):
            controller_of(asked).run(cancel=Interrupted(), drain_timeout=0.05)
        (said,) = [each.getMessage() for each in caplog.records if "interrupted" in each.getMessage()]
        assert "waits up to 0.05 s for what is under way" in said
        assert "/one), and for 0 in the queue; a second Ctrl-C tells it to end at once" in said


async def no_function(obj):
    del obj


class TestBadInput:
    def test_a_resource_that_does_not_exist(self, client):
        with pytest.raises(NoMatchError):
            Controller(client, "gadgets.example.com", Asked()).run()

    @pytest.mark.parametrize(
        ("options", "problem"),
        [
            ({"reconcile": None}, "reconcile: want a function"), ({"reconcile": lambda: None}, "reconcile: is called"),
            ({"reconcile": no_function}, "reconcile: want a plain function"), ({"resource": None}, "resource: want"),
            ({"resource": ""}, "resource: want"), ({"resource": 3}, "resource: want a name such as"),
            ({"client": None}, "client: want a DynamicClient"), ({"name": 3}, "name: want"),
            ({"concurrency": 0}, "concurrency: want"), ({"concurrency": 1.5}, "concurrency: want"),
            ({"concurrency": "a"}, "concurrency: want"), ({"namespace": 3}, "namespace: want"),
            ({"namespace": "A_B"}, "namespace: want"), ({"label_selector": 3}, "label_selector must be a string"),
            ({"label_selector": {}}, "label_selector must be"), ({"label_selector": "=="}, "label selector '=='"),
            ({"field_selector": {"a": "b"}}, "field_selector must be"), ({"field_selector": "a"}, "field selector 'a'"),
            ({"predicate": 3}, "predicate: want"), ({"predicate": lambda new: True}, "predicate: is called with"),
            ({"rate_limiter": 3}, "rate_limiter: want an ItemRateLimiter"),
            ({"rate_limiter": ItemFastSlowRateLimiter}, "rate_limiter.when: is called with"),
            ({"observers": 3}, "observers: want"), ({"observers": [3]}, r"observers\[0\]: want"), ({"clock": 3}, "clock: want"),
        ],
    )  # fmt: skip
    def test_what_is_no_controller(self, client, options, problem):
        with pytest.raises(InvalidRequestError, match=f"^{problem}"):
            Controller(**{"client": client, "resource": WIDGETS, "reconcile": Asked(), **options})

    @pytest.mark.parametrize(
        ("options", "problem"),
        [
            ({"resource": None}, "resource: want"), ({"predicate": lambda: True}, "predicate: is called"),
            ({"namespace": "A B"}, "namespace: want"), ({"label_selector": {"a": "b"}}, "label_selector must be"),
            ({"metadata_only": "no"}, "metadata_only: want True or False"),
        ],
    )  # fmt: skip
    def test_what_cannot_be_owned_or_watched(self, controller_of, options, problem):
        options = {"resource": "configmaps", **options}
        with pytest.raises(InvalidRequestError, match=problem):
            controller_of(Asked()).owns(**options)
        with pytest.raises(InvalidRequestError, match=problem):
            controller_of(Asked()).watches(map=lambda obj: [], **options)

    @pytest.mark.parametrize("wrong", [None, 3, lambda: [()], no_function])
    def test_a_map_that_is_none(self, controller_of, wrong):
        with pytest.raises(InvalidRequestError, match=r"^map: "):
            controller_of(Asked()).watches("configmaps", wrong)

    @pytest.mark.parametrize(
        ("options", "problem"),
        [
            ({"drain_timeout": -1}, "drain_timeout"), ({"drain_timeout": "a"}, "drain_timeout"),
            ({"cancel": threading.Event()}, "cancel: want a dynkube.CancelToken"), ({"cancel": 3}, "cancel: want"),
        ],
    )  # fmt: skip
    def test_what_it_cannot_run_with(self, controller_of, options, problem):
        with pytest.raises(InvalidRequestError, match=problem):
            controller_of(Asked()).run(**options)

    def test_a_lister_of_what_is_not_watched(self, controller_of):
        with pytest.raises(InvalidRequestError, match=r"does not watch 'cm': want .* given: '.*', 'configmaps'$"):
            controller_of(Asked()).owns("configmaps").lister("cm")

    @pytest.mark.parametrize(("resource", "name"), [("widgets.x", "widgets.x"), (WIDGETS, str(WIDGETS.group_resource))])
    def test_its_name_is_the_resources_by_default(self, client, resource, name):
        assert repr(Controller(client, resource, Asked())) == f"Controller({name!r})"


def test_while_the_server_is_away_it_waits(caplog):
    with dynkube.DynamicClient(dynkube.RESTConfig(host="http://127.0.0.1:1")) as client:
        asked = Asked()
        with running(Controller(client, "widgets.example.com", asked)):
            while "next attempt in" not in caplog.text:
                threading.Event().wait(0.01)
    assert asked.requests == []
