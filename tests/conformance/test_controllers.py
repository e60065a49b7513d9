"""Controllers on a server: what they make, mend and clean up; two candidates, one of which works."""

from __future__ import annotations

import threading

import pytest
from controlling import Asked, running
from informing import until
from manifests import CONFIGMAPS, WIDGETS, config_map, widget

from dynkube.controller import Controller, set_controller_reference, with_finalizer
from dynkube.informers import InformerFactory
from dynkube.leaderelection import LeaderElector, LeaseLock
from dynkube.transport import CancelToken

FINALIZER = "conformance.dynkube.dev/cleanup"
PATIENCE = 60


@pytest.fixture
def widgets(stage, namespace):
    return stage.widgets.namespace(namespace)


@pytest.mark.behaviour("10.1.13", "10.1.14")
def test_what_it_makes_is_mended_and_cleaned_up(client, namespace, widgets, configmaps):
    cleaned = []

    def make(obj):
        owned = config_map("owned", size=str(obj["spec"]["size"]))
        owned["metadata"]["namespace"] = namespace
        set_controller_reference(owned, obj)
        client.resource(CONFIGMAPS).apply(owned, field_manager="test", force=True)

    def reconcile(request):
        if request.object is not None:
            with_finalizer(
                client.resource(WIDGETS), request.object, FINALIZER,
                apply=make, cleanup=lambda obj: cleaned.append(obj["metadata"]["name"]), cancel=request.cancel,
            )  # fmt: skip

    def size():
        return (configmaps.get_or_none("owned") or {"data": {}})["data"].get("size")

    widgets.create(widget("one", size=1))
    with running(Controller(client, WIDGETS, reconcile, namespace=namespace).owns("configmaps")):
        until(lambda: size() == "1")
        widgets.patch("one", {"spec": {"size": 2}})
        until(lambda: size() == "2")
        configmaps.patch("owned", {"data": {"size": "7"}})
        until(lambda: size() == "2")
        configmaps.delete("owned")
        until(lambda: size() == "2")
        widgets.delete("one")
        until(lambda: widgets.get_or_none("one") is None)
    assert cleaned == ["one"]


@pytest.mark.behaviour("10.1.13", "7.6.5", "7.6.6")
def test_one_of_two_candidates_works_and_the_other_takes_over(client, namespace, widgets):
    class Candidate:
        def __init__(self, name):
            self.asked, self.stop, self.errors = Asked(), CancelToken(), []
            controller = Controller(factory, WIDGETS, self.asked, name=name)
            self.elector = LeaderElector(
                LeaseLock(client, "controllers", namespace, identity=name),
                lease_duration=3600, renew_deadline=3000, retry_period=0.1, release_on_cancel=True,
                on_started_leading=lambda leading: controller.run(cancel=leading, drain_timeout=0),
                on_stopped_leading=lambda: None,
            )  # fmt: skip
            self.thread = threading.Thread(target=self.elector.run, kwargs={"cancel": self.stop})
            self.thread.start()

        def leave(self):
            self.stop.cancel()
            self.thread.join(PATIENCE)
            assert not self.thread.is_alive()

    widgets.create(widget("one"))
    with InformerFactory(client, namespace=namespace) as factory:
        first = Candidate("first")
        first.asked.wait(1)
        second = Candidate("second")
        widgets.create(widget("two"))
        first.asked.wait(2)
        assert second.asked.requests == []
        first.leave()
        second.asked.wait(2)
        second.leave()
    assert sorted(second.asked.names) == ["one", "two"]
    assert len(first.asked.requests) == 2
