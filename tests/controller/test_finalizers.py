"""Finalizers: put on, taken off, and what happens in between."""

from __future__ import annotations

import pytest
from manifests import widget

from dynkube.controller import ensure_finalizer, remove_finalizer, with_finalizer
from dynkube.errors import ConflictError, InvalidRequestError, NotFoundError

pytestmark = pytest.mark.behaviour("10.1.14")

MINE, THEIRS = "widgets.example.com/cleanup", "others.example.com/cleanup"


@pytest.fixture
def one(widgets):
    return widgets.create(widget("one"))


def finalizers(obj):
    return obj["metadata"].get("finalizers", [])


@pytest.fixture
def handle(client, widgets):
    """Bound to no namespace: the object says where it is."""
    return client.resource(widgets.gvr)


class TestEnsure:
    def test_it_is_put_on_beside_others(self, handle, widgets, one):
        with_theirs = ensure_finalizer(handle, one, THEIRS)
        assert finalizers(ensure_finalizer(handle, with_theirs, MINE)) == [THEIRS, MINE]
        assert finalizers(widgets.get("one")) == [THEIRS, MINE]

    def test_one_that_is_there_costs_no_request(self, handle, widgets, one):
        there = ensure_finalizer(handle, one, MINE)
        widgets.patch("one", {"spec": {"size": 2}})
        assert ensure_finalizer(handle, there, MINE) == there  # an old version would be a conflict

    def test_an_object_that_has_changed_is_a_conflict(self, handle, widgets, one):
        widgets.patch("one", {"metadata": {"finalizers": [THEIRS]}})
        with pytest.raises(ConflictError):
            ensure_finalizer(handle, one, MINE)
        assert finalizers(widgets.get("one")) == [THEIRS]

    def test_an_object_that_is_gone(self, handle, widgets, one):
        widgets.delete("one")
        with pytest.raises(NotFoundError):
            ensure_finalizer(handle, one, MINE)

    def test_the_object_that_was_read_stays_as_it_is(self, handle, one):
        ensure_finalizer(handle, one, MINE)
        assert finalizers(one) == []

    @pytest.mark.parametrize(
        ("obj", "finalizer", "problem"),
        [
            ({}, MINE, "resourceVersion"), ({"metadata": {"name": "one"}}, MINE, "resourceVersion"),
            ({}, "", "finalizer: want"), ({}, 3, "finalizer: want"), (None, MINE, "obj: want an object"),
        ],
    )  # fmt: skip
    def test_what_cannot_be_asked(self, handle, obj, finalizer, problem):
        with pytest.raises(InvalidRequestError, match=problem):
            ensure_finalizer(handle, obj, finalizer)

    def test_a_handle_that_is_none(self, one):
        for function in (ensure_finalizer, remove_finalizer):
            with pytest.raises(InvalidRequestError, match="handle: want a ResourceHandle"):
                function(None, one, MINE)


class TestRemove:
    def test_others_stay(self, handle, one):
        both = ensure_finalizer(handle, ensure_finalizer(handle, one, THEIRS), MINE)
        assert finalizers(remove_finalizer(handle, both, MINE)) == [THEIRS]

    def test_with_the_last_one_a_deleted_object_goes(self, handle, widgets, one):
        ensure_finalizer(handle, one, MINE)
        widgets.delete("one")
        remove_finalizer(handle, widgets.get("one"), MINE)
        assert widgets.get_or_none("one") is None

    def test_one_that_is_not_there_costs_no_request(self, handle, one):
        assert remove_finalizer(handle, one, MINE) == one

    def test_an_object_that_is_gone_has_none(self, handle, widgets, one):
        there = ensure_finalizer(handle, one, MINE)
        widgets.patch("one", {"metadata": {"finalizers": None}})
        widgets.delete("one")
        assert remove_finalizer(handle, there, MINE) is None

    def test_an_object_that_has_changed_is_a_conflict(self, handle, widgets, one):
        there = ensure_finalizer(handle, one, MINE)
        widgets.patch("one", {"spec": {"size": 2}})
        with pytest.raises(ConflictError):
            remove_finalizer(handle, there, MINE)


class TestWith:
    @pytest.fixture
    def done(self):
        return []

    @pytest.fixture
    def look_after(self, handle, done):
        def look_after(obj):
            return with_finalizer(
                handle, obj, MINE,
                apply=lambda obj: done.append(("apply", finalizers(obj))) or "applied",
                cleanup=lambda obj: done.append(("cleanup", finalizers(obj))),
            )  # fmt: skip

        return look_after

    def test_it_is_on_before_anything_is_made(self, look_after, one, done):
        assert look_after(one) == "applied"
        assert done == [("apply", [MINE])]

    def test_it_goes_after_the_cleanup(self, look_after, widgets, one, done):
        look_after(one)
        widgets.delete("one")
        assert look_after(widgets.get("one")) is None
        assert done[1:] == [("cleanup", [MINE])]
        assert widgets.get_or_none("one") is None

    def test_a_cleanup_that_fails_keeps_it(self, handle, widgets, one):
        def fail(obj):
            raise OSError("not yet")

        ensure_finalizer(handle, one, MINE)
        widgets.delete("one")
        with pytest.raises(OSError, match="not yet"):
            with_finalizer(handle, widgets.get("one"), MINE, apply=lambda obj: None, cleanup=fail)
        assert finalizers(widgets.get("one")) == [MINE]

    def test_what_others_have_to_clean_up_is_none_of_ours(self, look_after, handle, widgets, one, done):
        ensure_finalizer(handle, one, THEIRS)
        widgets.delete("one")
        assert look_after(widgets.get("one")) is None
        assert done == []

    @pytest.mark.parametrize("wrong", [None, lambda: None])
    @pytest.mark.parametrize("name", ["apply", "cleanup"])
    def test_functions_that_are_none(self, handle, widgets, one, name, wrong):
        functions = {"apply": print, "cleanup": print, name: wrong}
        with pytest.raises(InvalidRequestError, match=f"^{name}: "):
            with_finalizer(handle, one, MINE, **functions)
        assert finalizers(widgets.get("one")) == []
