"""What becomes of objects whose owners, namespaces or definitions go."""

from __future__ import annotations

from typing import Any

import pytest
from shelves import BOXES, NAMESPACES, SLOW, Shelf

from dynkube.testing.apiserver.controllers import Controllers, GarbageCollector, NamespaceController
from dynkube.testing.apiserver.registry import DeleteOptions, Scope


class Watched(Shelf):
    """A shelf whose controllers work when they are told to."""

    def __init__(self) -> None:
        super().__init__()
        controllers = [NamespaceController(self.registry), GarbageCollector(self.registry)]
        self.controllers = Controllers(self.store, controllers, self.later.append)

    def settle(self) -> None:
        while self.later:
            self.later.pop(0)()

    def owned(self, name: str, *owners: dict[str, Any], **more: Any) -> dict[str, Any]:
        references = [reference(owner, **more) for owner in owners]
        return self.create(name, metadata={"ownerReferences": references})


def reference(owner: dict[str, Any], **more: Any) -> dict[str, Any]:
    metadata = owner["metadata"]
    return {"apiVersion": "v1", "kind": owner["kind"], "name": metadata["name"], "uid": metadata["uid"], **more}


@pytest.fixture
def shelf() -> Watched:
    return Watched()


class TestGarbage:
    def test_goes_after_its_owner(self, shelf):
        shelf.owned("b", shelf.create("a"))
        shelf.delete("a", propagation_policy="Background")
        assert shelf.has("b")
        shelf.settle()
        assert not shelf.has("b")

    def test_goes_down_the_whole_tree(self, shelf):
        shelf.owned("c", shelf.owned("b", shelf.create("a")))
        shelf.delete("a")
        shelf.settle()
        assert not shelf.has("c")

    def test_stays_while_one_owner_is_left(self, shelf):
        shelf.owned("c", shelf.create("a"), shelf.create("b"))
        shelf.delete("a")
        shelf.settle()
        assert [each["name"] for each in shelf.get("c")["metadata"]["ownerReferences"]] == ["b"]

    def test_is_what_never_had_an_owner(self, shelf):
        gone = shelf.create("a")
        shelf.delete("a")
        shelf.owned("b", gone)
        shelf.settle()
        assert not shelf.has("b")

    def test_an_owner_of_the_same_name_is_another_one(self, shelf):
        shelf.owned("b", shelf.create("a"))
        shelf.delete("a")
        shelf.create("a")
        shelf.settle()
        assert not shelf.has("b")

    def test_an_owner_in_another_namespace_is_none(self, shelf):
        shelf.create("mall", NAMESPACES)
        scope = Scope(resource=BOXES, namespace="mall")
        owner = shelf.registry.create(scope, shelf.obj("a")).object()
        shelf.owned("b", owner)
        shelf.settle()
        assert not shelf.has("b")

    def test_an_owner_of_the_cluster_owns_everywhere(self, shelf):
        owner = shelf.create("mall", NAMESPACES)
        shelf.owned("b", owner)
        shelf.settle()
        assert shelf.has("b")


class TestOrphans:
    def test_go_on_living_without_owner(self, shelf):
        shelf.owned("b", shelf.create("a"))
        shelf.delete("a", propagation_policy="Orphan")
        assert shelf.get("a")["metadata"]["finalizers"] == ["orphan"]
        shelf.settle()
        assert not shelf.has("a")
        assert "ownerReferences" not in shelf.get("b")["metadata"]

    def test_keep_their_other_owners(self, shelf):
        shelf.owned("c", shelf.create("a"), shelf.create("b"))
        shelf.delete("a", propagation_policy="Orphan")
        shelf.settle()
        assert [each["name"] for each in shelf.get("c")["metadata"]["ownerReferences"]] == ["b"]


class TestForeground:
    def test_the_owner_goes_last(self, shelf):
        shelf.owned("b", shelf.create("a"), blockOwnerDeletion=True)
        shelf.delete("a", propagation_policy="Foreground")
        assert shelf.get("a")["metadata"]["finalizers"] == ["foregroundDeletion"]
        shelf.settle()
        assert not shelf.has("a")
        gone = [event.entry is None and event.subject.name for event in shelf.events if event.entry is None]
        assert gone == ["b", "a"]

    def test_the_owner_waits_for_who_holds_it(self, shelf):
        owner = shelf.create("a")
        shelf.create("b", metadata={
            "finalizers": ["example.com/wait"], "ownerReferences": [reference(owner, blockOwnerDeletion=True)],
        })  # fmt: skip
        shelf.delete("a", propagation_policy="Foreground")
        shelf.settle()
        assert shelf.has("a")
        held = shelf.get("b")
        del held["metadata"]["finalizers"]
        shelf.replace(held)
        shelf.settle()
        assert not shelf.has("a")

    def test_the_owner_does_not_wait_for_the_others(self, shelf):
        owner = shelf.create("a")
        shelf.create("b", metadata={"finalizers": ["example.com/wait"], "ownerReferences": [reference(owner)]})
        shelf.delete("a", propagation_policy="Foreground")
        shelf.settle()
        assert not shelf.has("a")

    def test_the_owner_goes_at_once_where_nobody_is_owned(self, shelf):
        shelf.create("a")
        shelf.delete("a", propagation_policy="Foreground")
        shelf.settle()
        assert not shelf.has("a")


class TestNamespaces:
    def test_end_with_what_is_in_them(self, shelf):
        shelf.create("a")
        shelf.delete("shop", NAMESPACES)
        assert shelf.get("shop", NAMESPACES)["status"]["phase"] == "Terminating"
        shelf.settle()
        assert not shelf.has("a")
        assert not shelf.has("shop", NAMESPACES)

    def test_end_with_pods_first(self, shelf):
        shelf.create("a")
        shelf.create("p", SLOW)
        shelf.delete("shop", NAMESPACES)
        shelf.settle()
        assert "deletionTimestamp" in shelf.get("p", SLOW)["metadata"]
        assert shelf.has("a")
        shelf.delete("p", SLOW, grace_period_seconds=0)
        shelf.settle()
        assert not shelf.has("a")
        assert not shelf.has("shop", NAMESPACES)

    def test_wait_for_what_is_held(self, shelf):
        shelf.create("a", metadata={"finalizers": ["example.com/wait"]})
        shelf.delete("shop", NAMESPACES)
        shelf.settle()
        status = shelf.get("shop", NAMESPACES)["status"]
        remaining = next(each for each in status["conditions"] if each["type"] == "NamespaceFinalizersRemaining")
        assert remaining["status"] == "True"
        assert "example.com/wait in 1 resource instances" in remaining["message"]
        held = shelf.get("a")
        del held["metadata"]["finalizers"]
        shelf.replace(held)
        shelf.settle()
        assert not shelf.has("shop", NAMESPACES)

    def test_leave_others_alone(self, shelf):
        shelf.create("mall", NAMESPACES)
        shelf.registry.create(Scope(resource=BOXES, namespace="mall"), shelf.obj("a"))
        shelf.delete("shop", NAMESPACES)
        shelf.settle()
        assert shelf.registry.find(Scope(resource=BOXES, namespace="mall", name="a")) is not None


class TestTheQueue:
    def test_is_idle_when_all_is_done(self, shelf):
        shelf.owned("b", shelf.create("a"))
        shelf.delete("a")
        assert not shelf.controllers.is_idle
        shelf.controllers.run()
        assert shelf.controllers.is_idle
        assert not shelf.has("b")

    def test_much_work_is_done_in_parts(self, shelf):
        owner = shelf.create("a")
        for number in range(100):
            shelf.owned(f"b{number}", owner)
        shelf.settle()
        shelf.registry.delete(shelf.scope("a"), DeleteOptions())
        turns = 0
        while shelf.later:
            shelf.later.pop(0)()
            turns += 1
        assert turns > 2
        assert not shelf.has("b99")

    def test_goes_on_after_a_mistake(self, shelf, monkeypatch, caplog):
        monkeypatch.setattr(NamespaceController, "sync", lambda *_: 1 / 0)
        shelf.owned("b", shelf.create("a"))
        shelf.delete("shop", NAMESPACES)
        shelf.delete("a")
        shelf.settle()
        assert not shelf.has("b")
        assert "could not be looked into" in caplog.text
