"""What the registry makes of creates and updates; the words are the real server's."""

from __future__ import annotations

import re

import pytest
from shelves import BOXES, NAMESPACES, Shelf, refusal

from dynkube.testing.apiserver.registry import WriteOptions
from dynkube.testing.apiserver.words.statuses import StatusError


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


def test_a_new_object_gets_uid_time_and_revision_of_the_server(shelf):
    made = shelf.create("a", metadata={"uid": "mine", "creationTimestamp": "2000-01-01T00:00:00Z"})
    assert made["metadata"]["uid"] != "mine"
    assert made["metadata"]["creationTimestamp"] == "2026-01-01T00:00:00Z"
    assert made["metadata"]["resourceVersion"] == str(shelf.store.revision)


def test_a_new_object_is_never_being_deleted(shelf):
    made = shelf.create("a", metadata={"deletionTimestamp": "2000-01-01T00:00:00Z", "deletionGracePeriodSeconds": 5})
    assert not {"deletionTimestamp", "deletionGracePeriodSeconds"} & made["metadata"].keys()


def test_the_namespace_of_the_request_is_the_objects(shelf):
    assert shelf.create("a")["metadata"]["namespace"] == "shop"


def test_another_namespace_in_the_object_is_a_bad_request(shelf):
    code, message = refusal(lambda: shelf.create("a", metadata={"namespace": "other"}))
    assert (code, message) == (
        400, "the namespace of the provided object does not match the namespace sent on the request",
    )  # fmt: skip


def test_a_namespace_in_an_object_of_the_cluster_is_dropped(shelf):
    made = shelf.create("n", NAMESPACES, metadata={"namespace": "other"})
    assert "namespace" not in made["metadata"]


def test_a_name_is_generated_of_five_letters_that_spell_nothing(shelf):
    made = shelf.registry.create(shelf.scope(), {**shelf.obj(""), "metadata": {"generateName": "web-"}})
    assert re.fullmatch("web-[bcdfghjklmnpqrstvwxz2456789]{5}", made.name)


def test_a_long_prefix_leaves_room_for_the_letters(shelf):
    made = shelf.registry.create(shelf.scope(), {**shelf.obj(""), "metadata": {"generateName": "w" * 100}})
    assert len(made.name) == 63


def test_a_taken_name_is_a_conflict(shelf):
    shelf.create("a")
    assert refusal(lambda: shelf.create("a")) == (409, 'configmaps "a" already exists')


def test_a_taken_name_with_a_prefix_says_that_none_could_be_generated(shelf):
    shelf.create("a")
    with pytest.raises(StatusError) as caught:
        shelf.create("a", metadata={"generateName": "a-"})
    assert caught.value.status["details"]["retryAfterSeconds"] == 1
    assert caught.value.status["message"] == (
        'configmaps "a" already exists, the server was not able to generate a unique name for the object'
    )


def test_the_name_of_what_is_being_deleted_is_told_so(shelf):
    shelf.create("a", metadata={"finalizers": ["example.com/x"]})
    shelf.delete("a")
    assert refusal(lambda: shelf.create("a")) == (409, 'object is being deleted: configmaps "a" already exists')


def test_a_revision_in_a_new_object_is_an_error_of_the_server(shelf):
    code, message = refusal(lambda: shelf.create("a", metadata={"resourceVersion": "5"}))
    assert (code, message) == (500, "resourceVersion should not be set on objects to be created")


@pytest.mark.parametrize("revision", ["0", "abc", ""])
def test_a_revision_that_says_nothing_is_ignored_in_a_new_object(shelf, revision):
    assert shelf.create("a", metadata={"resourceVersion": revision})["metadata"]["resourceVersion"].isdigit()


def test_a_missing_namespace_is_not_found(shelf):
    scope = shelf.scope()
    scope.namespace = "none"
    assert refusal(lambda: shelf.registry.create(scope, shelf.obj("a"))) == (404, 'namespaces "none" not found')


def test_nothing_new_comes_into_a_namespace_that_ends(shelf):
    shelf.delete("shop", NAMESPACES)
    with pytest.raises(StatusError) as caught:
        shelf.create("a")
    assert caught.value.status["details"]["causes"] == [
        {
            "reason": "NamespaceTerminating",
            "message": "namespace shop is being terminated",
            "field": "metadata.namespace",
        }
    ]


def test_a_dry_run_stores_nothing_and_shows_no_revision(shelf):
    entry = shelf.registry.create(shelf.scope(), shelf.obj("a"), WriteOptions(dry_run=True))
    assert "resourceVersion" not in entry.object()["metadata"]
    assert not shelf.has("a")


def test_owners_that_are_named_twice_are_dropped_with_a_warning(shelf):
    scope = shelf.scope()
    owner = {"apiVersion": "v1", "kind": "A", "name": "a", "uid": "x"}
    entry = shelf.registry.create(scope, shelf.obj("a", metadata={"ownerReferences": [owner, owner]}))
    assert entry.object()["metadata"]["ownerReferences"] == [owner]
    assert scope.warnings == [
        ".metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may "
        "reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: x"
    ]


# ---------------------------------------------------------------------- updates


def test_an_update_of_an_older_state_is_a_conflict(shelf):
    old = shelf.create("a")
    shelf.replace({**shelf.get("a"), "data": {"x": "1"}})
    assert refusal(lambda: shelf.replace({**old, "data": {"x": "2"}})) == (
        409,
        'Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes '
        "to the latest version and try again",
    )


def test_an_update_without_a_revision_overwrites(shelf):
    shelf.create("a")
    shelf.replace(shelf.obj("a", data={"x": "1"}))
    assert shelf.get("a")["data"] == {"x": "1"}


def test_a_kind_may_want_the_revision(shelf, monkeypatch):
    monkeypatch.setattr(BOXES.strategy, "allows_unconditional_update", False, raising=False)
    shelf.create("a")
    code, message = refusal(lambda: shelf.replace(shelf.obj("a")))
    assert (code, message) == (
        422,
        'configmaps "a" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update',
    )


def test_a_revision_that_is_no_number_is_an_error_of_the_server(shelf):
    shelf.create("a")
    code, message = refusal(lambda: shelf.replace(shelf.obj("a", metadata={"resourceVersion": "abc"})))
    assert (code, message) == (500, 'strconv.ParseUint: parsing "abc": invalid syntax')


def test_what_only_the_server_sets_stays_as_it_was(shelf):
    made = shelf.create("a")
    changed = {"creationTimestamp": "2000-01-01T00:00:00Z", "generation": 7, "uid": ""}
    entry = shelf.replace({**made, "metadata": {**made["metadata"], **changed}, "data": {"x": "1"}})
    kept = entry.object()["metadata"]
    assert (kept["creationTimestamp"], kept["uid"]) == (
        made["metadata"]["creationTimestamp"], made["metadata"]["uid"],
    )  # fmt: skip
    assert "generation" not in kept


def test_another_uid_is_an_unmet_precondition(shelf):
    made = shelf.create("a")
    code, message = refusal(lambda: shelf.replace(shelf.obj("a", metadata={"uid": "other"})))
    assert (code, message) == (
        409,
        'Operation cannot be fulfilled on configmaps "a": StorageError: invalid object, Code: 4, Key: '
        "/registry/configmaps/shop/a, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in "
        f"precondition: other, UID in object meta: {made['metadata']['uid']}",
    )


def test_an_update_that_changes_nothing_writes_nothing(shelf):
    made = shelf.create("a", data={"x": "1"})
    before = len(shelf.events)
    assert shelf.replace(shelf.get("a")).object() == made
    assert len(shelf.events) == before


def test_true_instead_of_1_is_a_change(shelf):
    shelf.create("a", data={"x": 1})
    shelf.replace(shelf.obj("a", data={"x": True}))
    assert shelf.get("a")["data"]["x"] is True


def test_nobody_sets_a_deletion_time(shelf):
    made = shelf.create("a")
    made["metadata"]["deletionTimestamp"] = "2000-01-01T00:00:00Z"
    with pytest.raises(StatusError) as caught:
        shelf.replace(made)
    causes = caught.value.status["details"]["causes"]
    # The kind's own validation asks again what was asked of all kinds.
    assert [each["field"] for each in causes] == ["metadata.deletionTimestamp"] * 2


def test_a_wrong_label_is_four_causes_of_one_message(shelf):
    made = shelf.create("a")
    made["metadata"]["labels"] = {"app": "-"}
    with pytest.raises(StatusError) as caught:
        shelf.replace(made)
    assert len(caught.value.status["details"]["causes"]) == 4
    assert caught.value.status["message"].count("metadata.labels") == 1


def test_a_short_finalizer_has_to_be_a_standard_one(shelf):
    with pytest.raises(StatusError) as caught:
        shelf.create("a", metadata={"finalizers": ["mine", "kubernetes", "example.com/x"]})
    assert caught.value.status["details"]["causes"] == [
        {
            "reason": "FieldValueInvalid",
            "message": 'Invalid value: "mine": name is neither a standard finalizer name nor is it fully qualified',
            "field": "metadata.finalizers[0]",
        }
    ]


@pytest.mark.parametrize(("name", "problem"), [("..", "may not be '..'"), ("a%b", "may not contain '%'")])
def test_a_name_that_can_be_no_key_is_refused_before_it_is_looked_for(shelf, name, problem):
    assert refusal(lambda: shelf.get(name)) == (400, f'Name parameter invalid: "{name}": {problem}')
