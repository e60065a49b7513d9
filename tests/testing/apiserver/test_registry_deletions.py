"""Deletions, step by step; the words are the real server's."""

from __future__ import annotations

import pytest
from shelves import BOXES, NAMESPACES, SLOW, Shelf, refusal

from dynkube.testing.apiserver.registry import DeleteOptions
from dynkube.testing.apiserver.storage import ListOptions


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


def test_an_object_goes_at_once_and_a_status_says_which(shelf):
    made = shelf.create("a")
    done = shelf.delete("a")
    assert done.status["details"] == {"name": "a", "kind": "configmaps", "uid": made["metadata"]["uid"]}
    assert done.is_gone
    assert not shelf.has("a")


def test_what_is_not_there_is_not_found(shelf):
    assert refusal(lambda: shelf.delete("none")) == (404, 'configmaps "none" not found')


def test_finalizers_hold_an_object(shelf):
    shelf.create("a", metadata={"finalizers": ["example.com/x"]})
    done = shelf.delete("a")
    assert done.status is None
    metadata = shelf.get("a")["metadata"]
    assert (metadata["deletionTimestamp"], metadata["deletionGracePeriodSeconds"]) == ("2026-01-01T00:00:00Z", 0)


def test_with_the_last_finalizer_the_object_goes_and_the_event_shows_what_was_stored(shelf):
    shelf.create("a", metadata={"finalizers": ["example.com/x"]}, data={"x": "1"})
    shelf.delete("a")
    obj = shelf.get("a")
    del obj["metadata"]["finalizers"]
    entry = shelf.replace({**obj, "data": {"x": "2"}})
    assert entry.object()["data"] == {"x": "2"}
    assert not shelf.has("a")
    assert shelf.events[-1].departed.object()["data"] == {"x": "1"}


def test_no_finalizer_is_added_to_what_is_being_deleted(shelf):
    shelf.create("a", metadata={"finalizers": ["example.com/x"]})
    shelf.delete("a")
    obj = shelf.get("a")
    obj["metadata"]["finalizers"] = ["example.com/x", "example.com/y"]
    assert refusal(lambda: shelf.replace(obj)) == (
        422,
        'ConfigMap "a" is invalid: metadata.finalizers: Forbidden: no new finalizers can be added if the object is '
        'being deleted, found new finalizers []string{"example.com/y"}',
    )


@pytest.mark.parametrize(
    ("options", "finalizers"),
    [
        ({"propagation_policy": "Orphan"}, ["orphan"]),
        ({"propagation_policy": "Foreground"}, ["foregroundDeletion"]),
        ({"orphan_dependents": True}, ["orphan"]),
    ],
)
def test_a_policy_is_left_to_the_garbage_collector_as_a_finalizer(shelf, options, finalizers):
    shelf.create("a")
    shelf.delete("a", **options)
    assert shelf.get("a")["metadata"]["finalizers"] == finalizers


def test_another_policy_replaces_the_finalizer_of_the_first(shelf):
    shelf.create("a")
    shelf.delete("a", propagation_policy="Foreground")
    shelf.delete("a", propagation_policy="Orphan")
    assert shelf.get("a")["metadata"]["finalizers"] == ["orphan"]


def test_a_deletion_of_another_object_of_that_name_is_a_conflict(shelf):
    made = shelf.create("a")
    code, message = refusal(lambda: shelf.delete("a", uid="other"))
    assert (code, message) == (
        409,
        'Operation cannot be fulfilled on ConfigMap "a": the UID in the precondition (other) does not match the UID '
        f"in record ({made['metadata']['uid']}). The object might have been deleted and then recreated",
    )


def test_a_dry_run_deletes_nothing(shelf):
    shelf.create("a", metadata={"finalizers": ["example.com/x"]})
    done = shelf.delete("a", dry_run=True)
    assert "deletionTimestamp" in done.entry.object()["metadata"]
    assert "deletionTimestamp" not in shelf.get("a")["metadata"]


# ---------------------------------------------------------------------- grace


def test_a_grace_period_ends_in_the_future(shelf):
    shelf.create("p", SLOW)
    shelf.delete("p", SLOW)
    metadata = shelf.get("p", SLOW)["metadata"]
    assert (metadata["deletionTimestamp"], metadata["deletionGracePeriodSeconds"]) == ("2026-01-01T00:00:30Z", 30)


def test_a_second_deletion_changes_nothing(shelf):
    shelf.create("p", SLOW)
    shelf.delete("p", SLOW)
    before = shelf.get("p", SLOW)
    shelf.wait(1)
    shelf.delete("p", SLOW)
    shelf.delete("p", SLOW, grace_period_seconds=40)
    assert shelf.get("p", SLOW) == before


def test_a_shorter_period_counts_from_the_first_deletion(shelf):
    shelf.create("p", SLOW)
    shelf.delete("p", SLOW)
    shelf.wait(2)
    shelf.delete("p", SLOW, grace_period_seconds=10)
    metadata = shelf.get("p", SLOW)["metadata"]
    assert (metadata["deletionTimestamp"], metadata["deletionGracePeriodSeconds"]) == ("2026-01-01T00:00:10Z", 10)


def test_a_period_that_is_over_becomes_the_shortest(shelf):
    shelf.create("p", SLOW)
    shelf.delete("p", SLOW)
    shelf.wait(20)
    shelf.delete("p", SLOW, grace_period_seconds=10)
    metadata = shelf.get("p", SLOW)["metadata"]
    assert (metadata["deletionTimestamp"], metadata["deletionGracePeriodSeconds"]) == ("2026-01-01T00:00:20Z", 1)


def test_no_grace_is_a_change_and_then_the_end(shelf):
    shelf.create("p", SLOW)
    before = len(shelf.events)
    done = shelf.delete("p", SLOW, grace_period_seconds=0)
    assert done.is_gone
    assert [str(each.type) for each in shelf.events[before:]] == ["MODIFIED", "DELETED"]


def test_less_than_no_grace_is_one_second(shelf):
    shelf.create("p", SLOW)
    shelf.delete("p", SLOW, grace_period_seconds=-5)
    assert shelf.get("p", SLOW)["metadata"]["deletionGracePeriodSeconds"] == 1


# ---------------------------------------------------------------------- namespaces, collections


def test_the_first_deletion_of_a_namespace_says_that_it_ends(shelf):
    done = shelf.delete("shop", NAMESPACES)
    assert not done.is_gone
    assert shelf.get("shop", NAMESPACES)["status"]["phase"] == "Terminating"


@pytest.mark.parametrize("name", ["default", "kube-system", "kube-public"])
def test_some_namespaces_never_end(shelf, name):
    shelf.create(name, NAMESPACES)
    assert refusal(lambda: shelf.delete(name, NAMESPACES)) == (
        403, f'namespaces "{name}" is forbidden: this namespace may not be deleted',
    )  # fmt: skip


def test_a_collection_answers_what_was_listed(shelf):
    for name in ("a", "b"):
        shelf.create(name)
    shelf.create("c", metadata={"finalizers": ["example.com/x"]})
    page = shelf.registry.delete_collection(shelf.scope(), ListOptions(), DeleteOptions())
    assert [each.name for each in page.entries] == ["a", "b", "c"]
    assert [each.name for each in shelf.store.entries(BOXES)] == ["c"]
