"""The loop: who is asked when, what becomes of answers and errors, and the end."""

from __future__ import annotations

import logging
import threading

import pytest
from controlling import PATIENCE, Asked, running
from manifests import CONFIGMAPS, WIDGETS, config_map, widget

import dynkube
from dynkube.controller import Controller, Result, generation_changed, set_controller_reference
from dynkube.errors import InformerStoppedError, InvalidRequestError, NoMatchError, TerminalError
from dynkube.informers import InformerFactory
from dynkube.observers import Observer
from dynkube.workqueue import ItemFastSlowRateLimiter

pytestmark = pytest.mark.behaviour("10.1.13")


class Seen(Observer):
    def __init__(self):
        self.results = []

    def on_reconciliation(self, reconciliation):
        self.results.append((reconciliation.controller, reconciliation.result, reconciliation.error))


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

    def test_whom_somebody_enqueues(self, controller_of, namespace):
        asked = Asked()
        controller = controller_of(asked)
        controller.enqueue("nobody/listens")
        with running(controller):
            while controller._queue is None:
                threading.Event().wait(0.01)
            controller.enqueue((namespace, "one"))
            assert asked.wait(1)[0].name == "one"
        with pytest.raises(InvalidRequestError, match="name"):
            controller.enqueue(("a", "b", "c"))

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
        def fail_twice(request):
            if request.failures < 2:
                raise OSError("not yet")

        widgets.create(widget("one"))
        asked, seen = Asked(fail_twice), Seen()
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

    @pytest.mark.parametrize("seconds", [0, -1, float("inf"), float("nan")])
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
        assert "is not followed any more" in str(errors[0])


class TestBadInput:
    def test_a_resource_that_does_not_exist(self, client):
        with pytest.raises(NoMatchError):
            Controller(client, "gadgets.example.com", Asked()).run()

    @pytest.mark.parametrize(
        ("options", "argument"), [({"reconcile": None}, "reconcile"), ({"concurrency": 0}, "concurrency")]
    )
    def test_what_is_no_controller(self, client, options, argument):
        with pytest.raises(InvalidRequestError, match=argument):
            Controller(client, WIDGETS, **{"reconcile": Asked(), **options})

    def test_a_map_that_is_none(self, controller_of):
        with pytest.raises(InvalidRequestError, match="map"):
            controller_of(Asked()).watches("configmaps", None)

    def test_a_drain_timeout_that_is_none(self, controller_of):
        with pytest.raises(InvalidRequestError, match="drain_timeout"):
            controller_of(Asked()).run(drain_timeout=-1)

    def test_a_lister_of_what_is_not_watched(self, controller_of):
        with pytest.raises(InvalidRequestError, match="does not watch 'secrets'"):
            controller_of(Asked()).lister("secrets")

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
