"""Options: what is sent, in which words, and what is refused before it is sent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynkube.errors import InvalidRequestError
from dynkube.fields import FieldSelector
from dynkube.labels import LabelSelector
from dynkube.options import (
    ApplyOptions,
    CreateOptions,
    DeleteOptions,
    GetOptions,
    ListOptions,
    PatchOptions,
    Preconditions,
    UpdateOptions,
)

WRITES = [CreateOptions, UpdateOptions, PatchOptions]


# ---------------------------------------------------------------------- queries


@pytest.mark.behaviour("2.5.1")
@pytest.mark.parametrize("kind", [GetOptions, ListOptions, *WRITES])
def test_nothing_given_is_nothing_sent(kind):
    assert kind().to_query() == ()


@pytest.mark.behaviour("2.5.1")
@pytest.mark.parametrize(
    ("options", "query"),
    [
        (PatchOptions(force=False), (("force", "false"),)),
        (PatchOptions(force=None), ()),
        (ListOptions(limit=0), ()),
        (ListOptions(timeout_seconds=0), (("timeoutSeconds", "0"),)),
        (ListOptions(send_initial_events=False), (("sendInitialEvents", "false"),)),
        (ListOptions(allow_watch_bookmarks=False), ()),
        (ListOptions(resource_version=""), ()),
        (ListOptions(resource_version="0"), (("resourceVersion", "0"),)),
        (CreateOptions(dry_run=False), ()),
        (CreateOptions(dry_run=True), (("dryRun", "All"),)),
        (CreateOptions(dry_run="All"), (("dryRun", "All"),)),
        (CreateOptions(field_manager=""), ()),
    ],
)
def test_false_and_zero_are_sent_where_they_mean_something(options, query):
    assert options.to_query() == query


@pytest.mark.behaviour("2.5.2")
def test_every_list_option_by_its_json_name():
    options = ListOptions(
        label_selector="app in (a,b)",
        field_selector="metadata.name=x",
        resource_version="7",
        resource_version_match="NotOlderThan",
        limit=5,
        continue_token="next",
        timeout_seconds=30,
        allow_watch_bookmarks=True,
        send_initial_events=True,
        shard_selector="shardRange(object.metadata.uid,'0x0','0x8')",
    )
    query = options.to_query(watch=True)
    assert dict(query) == {
        "allowWatchBookmarks": "true",
        "continue": "next",
        "fieldSelector": "metadata.name=x",
        "labelSelector": "app in (a,b)",
        "limit": "5",
        "resourceVersion": "7",
        "resourceVersionMatch": "NotOlderThan",
        "sendInitialEvents": "true",
        "shardSelector": "shardRange(object.metadata.uid,'0x0','0x8')",
        "timeoutSeconds": "30",
        "watch": "true",
    }
    assert query == tuple(sorted(query))


@pytest.mark.behaviour("2.5.2")
def test_selectors_as_text_or_parsed():
    text = ListOptions(label_selector="a=b", field_selector="metadata.name=x")
    parsed = ListOptions(
        label_selector=LabelSelector.parse("a=b"), field_selector=FieldSelector.parse("metadata.name=x")
    )
    assert text.to_query() == parsed.to_query()


@pytest.mark.behaviour("2.5.3")
def test_get_create_update_patch_apply():
    write = {"dry_run": True, "field_manager": "me", "field_validation": "Strict"}
    query = (("dryRun", "All"), ("fieldManager", "me"), ("fieldValidation", "Strict"))
    assert GetOptions(resource_version="3").to_query() == (("resourceVersion", "3"),)
    assert CreateOptions(**write).to_query() == query
    assert UpdateOptions(**write).to_query() == query
    assert PatchOptions(**write, force=True).to_query() == (*query, ("force", "true"))
    assert ApplyOptions(**write).to_query() == (*query, ("force", "false"))
    assert ApplyOptions(field_manager="me", force=True).to_query() == (("fieldManager", "me"), ("force", "true"))


@given(
    st.builds(
        ListOptions,
        resource_version=st.none() | st.text(max_size=5),
        limit=st.none() | st.integers(0, 2**63 - 1),
        timeout_seconds=st.none() | st.integers(0, 2**31),
        send_initial_events=st.none() | st.booleans(),
        allow_watch_bookmarks=st.booleans(),
    ),
    st.booleans(),
)
def test_a_query_is_sorted_and_names_nothing_twice(options, watch):
    query = options.to_query(watch=watch)
    names = [name for name, _ in query]
    assert names == sorted(set(names))
    assert all(isinstance(value, str) and value for _, value in query)


# ---------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (ListOptions(limit=True), "limit"),
        (ListOptions(limit=1.5), "limit"),
        (ListOptions(limit=-1), "limit"),
        (ListOptions(limit="5"), "limit"),
        (ListOptions(limit=2**63), "limit"),
        (ListOptions(timeout_seconds=-1), "timeout_seconds"),
        (ListOptions(timeout_seconds=0.5), "timeout_seconds"),
        (ListOptions(resource_version=5), "resource_version"),
        (ListOptions(continue_token=b"x"), "continue_token"),
        (ListOptions(label_selector="a in b"), "a in b"),
        (ListOptions(label_selector={"a": "b"}), "label_selector"),
        (ListOptions(label_selector=FieldSelector.parse("a=b")), "label_selector"),
        (ListOptions(field_selector="a"), "a"),
        (ListOptions(field_selector=LabelSelector.parse("a=b")), "field_selector"),
        (ListOptions(send_initial_events="yes"), "send_initial_events"),
        (ListOptions(allow_watch_bookmarks="no"), "allow_watch_bookmarks"),
        (GetOptions(resource_version=1), "resource_version"),
        (CreateOptions(dry_run="server"), "dry_run"),
        (CreateOptions(dry_run=["All"]), "dry_run"),
        (CreateOptions(field_manager="a\nb"), "field_manager"),
        (CreateOptions(field_manager="x" * 129), "field_manager"),
        (CreateOptions(field_manager=1), "field_manager"),
        (CreateOptions(field_validation="strict"), "Ignore, Warn, Strict"),
        (PatchOptions(force="yes"), "force"),
        (ApplyOptions(), "field_manager"),
        (ApplyOptions(field_manager="me", force=None), "force"),
    ],
)
def test_a_value_that_the_server_does_not_know(options, named):
    with pytest.raises(InvalidRequestError, match=named):
        options.to_query()


def test_an_unknown_keyword_is_an_error():
    with pytest.raises(TypeError, match="labelSelector"):
        ListOptions(labelSelector="a=b")


@pytest.mark.behaviour("2.5.8", "10.1.2")
@pytest.mark.parametrize(
    ("verb", "options", "words"),
    [
        ("list", {"resource_version_match": "Exact"}, "forbidden unless resourceVersion is provided"),
        (
            "list",
            {"resource_version_match": "Exact", "resource_version": "7", "continue_token": "c"},
            "resourceVersionMatch is forbidden when continue is provided",
        ),
        ("list", {"resource_version_match": "Exact", "resource_version": "0"}, 'forbidden for resourceVersion "0"'),
        ("list", {"resource_version_match": "Newest", "resource_version": "7"}, "NotOlderThan, Exact"),
        ("list", {"send_initial_events": True}, "sendInitialEvents is forbidden for list"),
        ("list", {"send_initial_events": False}, "sendInitialEvents is forbidden for list"),
        (
            "list",
            {"continue_token": "c", "resource_version": "7"},
            "specifying resource version is not allowed when using continue",
        ),
        ("deletecollection", {"resource_version_match": "Exact"}, "forbidden unless resourceVersion is provided"),
        (
            "watch",
            {"resource_version_match": "NotOlderThan", "resource_version": "7"},
            "forbidden for watch unless sendInitialEvents is provided",
        ),
        ("watch", {"send_initial_events": True}, "requires setting resourceVersionMatch to NotOlderThan"),
        (
            "watch",
            {"send_initial_events": True, "resource_version_match": "Exact"},
            "requires setting resourceVersionMatch to NotOlderThan",
        ),
        ("watch", {"continue_token": "c"}, "continue_token"),
    ],
)
def test_options_that_exclude_each_other(verb, options, words):
    with pytest.raises(InvalidRequestError, match=words):
        ListOptions(**options).validate(verb)


@pytest.mark.behaviour("2.5.8", "5.7.1")
@pytest.mark.parametrize(
    ("verb", "options"),
    [
        ("list", {}),
        ("list", {"resource_version": "0"}),
        ("list", {"resource_version": "0", "continue_token": "c"}),
        ("list", {"resource_version": "0", "resource_version_match": "NotOlderThan"}),
        ("list", {"resource_version": "7", "resource_version_match": "Exact", "limit": 5}),
        ("watch", {}),
        ("watch", {"resource_version": "7", "allow_watch_bookmarks": True}),
        ("watch", {"send_initial_events": True, "resource_version_match": "NotOlderThan"}),
        ("watch", {"send_initial_events": False, "resource_version_match": "NotOlderThan", "resource_version": "0"}),
    ],
)
def test_options_that_fit(verb, options):
    ListOptions(**options).validate(verb)


# ---------------------------------------------------------------------- delete


@pytest.mark.behaviour("2.5.4", "2.5.5")
def test_delete_options_are_a_body():
    assert DeleteOptions().to_body() == {"kind": "DeleteOptions", "apiVersion": "v1"}
    assert DeleteOptions(
        grace_period_seconds=0,
        propagation_policy="Foreground",
        preconditions=Preconditions(uid="u", resource_version="7"),
        dry_run=True,
        ignore_store_read_error=True,
    ).to_body() == {
        "kind": "DeleteOptions",
        "apiVersion": "v1",
        "gracePeriodSeconds": 0,
        "preconditions": {"uid": "u", "resourceVersion": "7"},
        "propagationPolicy": "Foreground",
        "dryRun": ["All"],
        "ignoreStoreReadErrorWithClusterBreakingPotential": True,
    }
    assert DeleteOptions(orphan_dependents=False).to_body()["orphanDependents"] is False
    assert DeleteOptions(preconditions=Preconditions(uid="u")).to_body()["preconditions"] == {"uid": "u"}
    with pytest.raises(InvalidRequestError, match=r"Preconditions\(uid="):
        DeleteOptions(preconditions={"uid": "u"}).to_body()  # type: ignore[arg-type]


@pytest.mark.behaviour("2.5.5")
@pytest.mark.parametrize(
    ("options", "words"),
    [
        (DeleteOptions(orphan_dependents=True, propagation_policy="Orphan"), "exclude each other"),
        (DeleteOptions(propagation_policy="foreground"), "Orphan, Background, Foreground"),
        (DeleteOptions(grace_period_seconds=1.5), "grace_period_seconds"),
        (DeleteOptions(dry_run="yes"), "dry_run"),
    ],
)
def test_delete_options_that_cannot_be(options, words):
    with pytest.raises(InvalidRequestError, match=words):
        options.to_body()
