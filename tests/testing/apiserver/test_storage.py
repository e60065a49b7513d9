"""The store by itself; what it must answer was seen on kube-apiserver 1.36.3."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynkube.fields import FieldSelector
from dynkube.labels import LabelSelector
from dynkube.schema import GroupResource, GroupVersionResource
from dynkube.testing.apiserver.storage import (
    Event,
    EventType,
    ListOptions,
    Rendering,
    Store,
    Watch,
    validate_list_options,
)
from dynkube.testing.apiserver.storage.entries import Entry
from dynkube.testing.apiserver.storage.eventlog import EventLog
from dynkube.testing.apiserver.words.resources import Resource, Strategy
from dynkube.testing.apiserver.words.schemas import ANYTHING
from dynkube.testing.apiserver.words.statuses import StatusError


def resource(plural: str, kind: str, *, namespaced: bool = True) -> Resource:
    return Resource(
        gvr=GroupVersionResource("", "v1", plural),
        kind=kind,
        singular=kind.lower(),
        namespaced=namespaced,
        verbs=("get", "list", "watch"),
        storage_version="v1",
        strategy=Strategy(),
        load_schema=lambda: ANYTHING,
    )


CONFIGMAPS = resource("configmaps", "ConfigMap")
NODES = resource("nodes", "Node", namespaced=False)
PLAIN = Rendering(
    key="plain",
    render=lambda entry, _: entry.text(b'{"kind":"ConfigMap","apiVersion":"v1",'),
    blank={"kind": "ConfigMap", "apiVersion": "v1"},
)


def config_map(name: str, namespace: str = "shop", labels: Mapping[str, str] | None = None, **data: str) -> Any:
    metadata: dict[str, Any] = {"name": name, "namespace": namespace, "uid": f"uid-{name}"}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata | ({"labels": dict(labels)} if labels else {}),
        "data": data,
    }


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def five(store: Store) -> Store:
    """c0 to c4, at the revisions 2 to 6."""
    for number in range(5):
        store.create(CONFIGMAPS, config_map(f"c{number}", labels={"n": str(number)}))
    return store


def names(store: Store, namespace: str = "shop", **options: Any) -> list[str]:
    return [entry.name for entry in store.list(CONFIGMAPS, namespace, ListOptions(**options)).entries]


def refused(action: Callable[[], Any]) -> dict[str, Any]:
    with pytest.raises(StatusError) as caught:
        action()
    return caught.value.status


class TestWrites:
    def test_every_write_of_any_resource_takes_the_next_revision(self, store: Store) -> None:
        first = store.create(CONFIGMAPS, config_map("a"))
        second = store.create(NODES, {"kind": "Node", "metadata": {"name": "n"}})
        third = store.update(CONFIGMAPS, config_map("a", x="1"))
        gone = store.delete(NODES, "", "n")
        assert [first.revision, second.revision, third.revision, gone.revision] == [2, 3, 4, 5]
        assert store.revision == 5

    def test_the_revision_is_in_the_object_and_in_its_text(self, store: Store) -> None:
        obj = config_map("a")
        entry = store.create(CONFIGMAPS, obj)
        assert obj["metadata"]["resourceVersion"] == "2"
        assert entry.object() == obj
        assert json.loads(entry.body)["metadata"]["resourceVersion"] == "2"

    def test_the_text_has_any_versions_head_and_the_body_none(self, store: Store) -> None:
        entry = store.create(CONFIGMAPS, config_map("a"))
        assert not {"apiVersion", "kind"} & json.loads(entry.body).keys()
        text = json.loads(entry.text(b'{"kind":"ConfigMap","apiVersion":"v9",'))
        assert text == entry.object() | {"apiVersion": "v9"}

    def test_an_object_is_the_callers_own(self, store: Store) -> None:
        entry = store.create(CONFIGMAPS, config_map("a", x="1"))
        entry.object()["data"]["x"] = "2"
        assert entry.object()["data"] == {"x": "1"}

    def test_a_name_is_taken_once(self, five: Store) -> None:
        status = refused(lambda: five.create(CONFIGMAPS, config_map("c1")))
        assert (status["code"], status["message"]) == (409, 'configmaps "c1" already exists')
        assert five.revision == 6

    def test_what_is_not_there_cannot_be_changed_or_removed(self, store: Store) -> None:
        assert refused(lambda: store.update(CONFIGMAPS, config_map("a")))["code"] == 404
        assert refused(lambda: store.delete(CONFIGMAPS, "shop", "a"))["message"] == 'configmaps "a" not found'

    def test_a_deletion_gives_the_last_content_at_its_own_revision(self, five: Store) -> None:
        gone = five.delete(CONFIGMAPS, "shop", "c2")
        assert gone.object()["metadata"]["resourceVersion"] == "7"
        assert gone.labels == {"n": "2"}

    def test_listeners_get_each_write_in_order(self, store: Store) -> None:
        told: list[tuple[GroupResource, EventType, str]] = []
        store.subscribe(lambda about, event: told.append((about, event.type, event.subject.name)))
        store.create(CONFIGMAPS, config_map("a"))
        store.update(CONFIGMAPS, config_map("a", x="1"))
        store.delete(CONFIGMAPS, "shop", "a")
        about = CONFIGMAPS.group_resource
        assert told == [(about, EventType(each), "a") for each in ("ADDED", "MODIFIED", "DELETED")]

    def test_history_is_what_happened_to_one_object(self, five: Store) -> None:
        five.update(CONFIGMAPS, config_map("c1", x="1"))
        five.delete(CONFIGMAPS, "shop", "c1")
        history = five.history(CONFIGMAPS.group_resource, "shop", "c1")
        assert [(event.type, event.revision) for event in history] == [("ADDED", 3), ("MODIFIED", 7), ("DELETED", 8)]


class TestGet:
    def test_not_older_than_a_revision(self, five: Store) -> None:
        assert five.get(CONFIGMAPS, "shop", "c1", "6").revision == 3
        assert five.get(CONFIGMAPS, "shop", "c1", "0").revision == 3

    def test_a_revision_of_the_future_times_out(self, five: Store) -> None:
        assert refused(lambda: five.get(CONFIGMAPS, "shop", "c1", "99")) == {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": "Timeout: Too large resource version: 99, current: 6",
            "reason": "Timeout",
            "details": {
                "causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}],
                "retryAfterSeconds": 1,
            },
            "code": 504,
        }

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("abc", "invalid syntax"),
            ("-1", "invalid syntax"),
            ("1e3", "invalid syntax"),
            ("18446744073709551616", "value out of range"),
        ],
    )
    def test_a_revision_that_is_none(self, five: Store, text: str, problem: str) -> None:
        status = refused(lambda: five.get(CONFIGMAPS, "shop", "c1", text))
        said = f'resourceVersion: Invalid value: "{text}": strconv.ParseUint: parsing "{text}": {problem}'
        assert (status["code"], status["message"], status.get("reason")) == (500, said, None)
        listed = refused(lambda: names(five, resource_version=text))
        assert (listed["code"], listed["message"]) == (400, f"invalid resource version: {said}")


class TestLists:
    def test_are_in_the_order_of_etcds_keys(self, store: Store) -> None:
        for namespace, name in [("b", "z"), ("a-b", "x"), ("a", "y"), ("a", "x.y"), ("a", "x-y")]:
            store.create(CONFIGMAPS, config_map(name, namespace))
        found = store.list(CONFIGMAPS, "", ListOptions()).entries
        assert [entry.key for entry in found] == ["a-b/x", "a/x-y", "a/x.y", "a/y", "b/z"]

    def test_of_a_namespace_do_not_show_its_namesakes(self, store: Store) -> None:
        for namespace in ("a", "a-b", "a0", "aa"):
            store.create(CONFIGMAPS, config_map("x", namespace))
        assert [entry.namespace for entry in store.list(CONFIGMAPS, "a", ListOptions()).entries] == ["a"]

    def test_show_the_latest_revision_of_the_store(self, five: Store) -> None:
        five.create(NODES, {"kind": "Node", "metadata": {"name": "n"}})
        assert five.list(CONFIGMAPS, "shop", ListOptions()).revision == 7

    def test_select_by_labels_and_fields(self, five: Store) -> None:
        assert names(five, label_selector=LabelSelector.parse("n in (1,3)")) == ["c1", "c3"]
        assert names(five, field_selector=FieldSelector.parse("metadata.name!=c0,metadata.name!=c1")) == [
            "c2", "c3", "c4",
        ]  # fmt: skip
        assert names(five, field_selector=FieldSelector.parse("metadata.name=c3")) == ["c3"]
        assert names(five, field_selector=FieldSelector.parse("metadata.name=c9")) == []

    def test_of_all_namespaces_may_select_one(self, five: Store) -> None:
        five.create(CONFIGMAPS, config_map("x", "other"))
        chosen = FieldSelector.parse("metadata.namespace=other")
        assert names(five, "", field_selector=chosen) == ["x"]
        assert names(five, "", limit=1, field_selector=FieldSelector.parse("metadata.namespace=shop")) == ["c0"]

    def test_by_name_in_all_namespaces(self, store: Store) -> None:
        for namespace in ("a", "b"):
            store.create(CONFIGMAPS, config_map("x", namespace))
            store.create(CONFIGMAPS, config_map("y", namespace))
        found = store.list(CONFIGMAPS, "", ListOptions(field_selector=FieldSelector.parse("metadata.name=x"))).entries
        assert [entry.key for entry in found] == ["a/x", "b/x"]


class TestPages:
    def pages(self, store: Store, limit: int, namespace: str = "shop", **options: Any) -> list[list[str]]:
        found = []
        token = ""
        while True:
            page = store.list(CONFIGMAPS, namespace, ListOptions(limit=limit, continue_token=token, **options))
            found.append([entry.name for entry in page.entries])
            token = page.continue_token
            if not token:
                return found

    def test_go_on_behind_the_last_name(self, five: Store) -> None:
        assert self.pages(five, 2) == [["c0", "c1"], ["c2", "c3"], ["c4"]]
        assert self.pages(five, 5) == [["c0", "c1", "c2", "c3", "c4"]]

    def test_the_token_is_the_real_ones(self, five: Store) -> None:
        token = five.list(CONFIGMAPS, "shop", ListOptions(limit=2)).continue_token
        text = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        assert text == b'{"v":"meta.k8s.io/v1","rv":6,"start":"/c1\\u0000"}'

    def test_of_all_namespaces(self, store: Store) -> None:
        for namespace in ("b", "a"):
            for name in ("x", "y"):
                store.create(CONFIGMAPS, config_map(name, namespace))
        assert self.pages(store, 3, "") == [["x", "y", "x"], ["y"]]

    def test_say_how_many_remain_unless_something_is_selected(self, five: Store) -> None:
        assert five.list(CONFIGMAPS, "shop", ListOptions(limit=2)).remaining == 3
        selected = ListOptions(limit=2, label_selector=LabelSelector.parse("n!=1"))
        page = five.list(CONFIGMAPS, "shop", selected)
        assert [entry.name for entry in page.entries] == ["c0", "c2"]
        assert page.remaining is None
        assert page.continue_token
        assert five.list(CONFIGMAPS, "shop", ListOptions()).remaining is None

    def test_show_the_state_of_the_first_one(self, five: Store) -> None:
        page = five.list(CONFIGMAPS, "shop", ListOptions(limit=2))
        five.delete(CONFIGMAPS, "shop", "c3")
        five.create(CONFIGMAPS, config_map("c2a"))
        five.update(CONFIGMAPS, config_map("c2", x="1"))
        rest = five.list(CONFIGMAPS, "shop", ListOptions(limit=9, continue_token=page.continue_token))
        assert [(entry.name, entry.revision) for entry in rest.entries] == [("c2", 4), ("c3", 5), ("c4", 6)]
        assert rest.revision == page.revision

    def test_a_limit_says_nothing_at_0(self, five: Store) -> None:
        page = five.list(CONFIGMAPS, "shop", ListOptions(limit=2, resource_version="0"))
        assert len(page.entries) == 5
        assert not page.continue_token

    def test_expired_tokens_offer_another_that_goes_on_in_the_present(self, five: Store) -> None:
        token = five.list(CONFIGMAPS, "shop", ListOptions(limit=2)).continue_token
        five.expire_history()
        five.create(CONFIGMAPS, config_map("c3a"))
        status = refused(lambda: names(five, continue_token=token))
        assert (status["code"], status["reason"]) == (410, "Expired")
        assert status["message"].startswith("The provided continue parameter is too old to display a consistent list")
        assert status["message"].endswith("now may show up in the list.")
        offered = status["metadata"]["continue"]
        text = base64.urlsafe_b64decode(offered + "=" * (-len(offered) % 4))
        assert json.loads(text)["rv"] == -1
        assert names(five, continue_token=offered) == ["c2", "c3", "c3a", "c4"]

    @pytest.mark.parametrize(
        ("content", "problem"),
        [
            ({"v": "meta.k8s.io/v1", "rv": 0, "start": "c"}, "incorrect encoded start resourceVersion (version meta.k8s.io/v1)"),
            ({"v": "meta.k8s.io/v1", "rv": 3, "start": ""}, "encoded start key empty (version meta.k8s.io/v1)"),
            ({"v": "meta.k8s.io/v1", "rv": 3, "start": "../x"}, "../x"),
            ({"v": "meta.k8s.io/v1", "rv": 3, "start": "a//x"}, "a//x"),
            ({"v": "v2", "rv": 3, "start": "c"}, "server does not recognize this encoded version v2"),
            ({"v": "meta.k8s.io/v1", "rv": "3", "start": "c"}, "json: cannot unmarshal string into Go struct field continueToken.rv of type int64"),
            ([], "json: cannot unmarshal array into Go value of type storage.continueToken"),
        ],
    )  # fmt: skip
    def test_tokens_that_are_none(self, five: Store, content: Any, problem: str) -> None:
        token = base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")
        status = refused(lambda: names(five, continue_token=token))
        message = f"invalid continue token: continue key is not valid: {problem}"
        assert (status["code"], status["message"]) == (400, message)

    @pytest.mark.parametrize(
        ("token", "problem"),
        [
            ("!!!", "illegal base64 data at input byte 0"),
            ("garbage", "invalid character '\\u0081' looking for beginning of value"),
            ("abcde", "illegal base64 data at input byte 4"),
        ],
    )
    def test_tokens_that_are_no_base64(self, five: Store, token: str, problem: str) -> None:
        status = refused(lambda: names(five, continue_token=token))
        assert status["message"] == f"invalid continue token: continue key is not valid: {problem}"

    def test_a_token_and_a_revision_contradict_each_other(self, five: Store) -> None:
        token = five.list(CONFIGMAPS, "shop", ListOptions(limit=2)).continue_token
        status = refused(lambda: names(five, continue_token=token, resource_version="5"))
        assert status["message"] == "specifying resource version is not allowed when using continue"
        assert names(five, continue_token=token, resource_version="0") == ["c2", "c3", "c4"]


class TestThePast:
    def test_an_exact_list_shows_it(self, five: Store) -> None:
        five.delete(CONFIGMAPS, "shop", "c0")
        five.update(CONFIGMAPS, config_map("c1", x="1"))
        page = five.list(CONFIGMAPS, "shop", ListOptions(resource_version="4", resource_version_match="Exact"))
        assert [(entry.name, entry.revision) for entry in page.entries] == [("c0", 2), ("c1", 3), ("c2", 4)]
        assert page.revision == 4

    def test_a_limit_with_a_revision_is_exact_unless_the_match_says_otherwise(self, five: Store) -> None:
        assert names(five, resource_version="3", limit=9) == ["c0", "c1"]
        assert len(names(five, resource_version="3", limit=9, resource_version_match="NotOlderThan")) == 5
        assert len(names(five, resource_version="3")) == 5

    def test_of_one_name_only_the_match_is_exact(self, five: Store) -> None:
        chosen = FieldSelector.parse("metadata.name=c4")
        assert names(five, resource_version="3", limit=1, field_selector=chosen) == ["c4"]
        assert names(five, resource_version="3", resource_version_match="Exact", field_selector=chosen) == []

    def test_before_the_first_object_it_was_empty(self, five: Store) -> None:
        assert names(five, resource_version="1", resource_version_match="Exact") == []

    def test_that_has_expired_is_gone(self, five: Store) -> None:
        five.expire_history()
        status = refused(lambda: names(five, resource_version="6", resource_version_match="Exact"))
        message = "The resourceVersion for the provided list is too old."
        assert (status["code"], status["reason"], status["message"]) == (410, "Expired", message)
        assert len(names(five, resource_version="6")) == 5
        assert len(names(five, resource_version=str(five.revision), resource_version_match="Exact")) == 5

    @pytest.mark.parametrize("options", [{}, {"limit": 1}, {"resource_version_match": "Exact"}])
    def test_the_future_times_out(self, five: Store, options: dict[str, Any]) -> None:
        status = refused(lambda: names(five, resource_version="99", **options))
        assert (status["code"], status["message"]) == (504, "Timeout: Too large resource version: 99, current: 6")

    @settings(max_examples=60, deadline=None)
    @given(st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("xyz")), max_size=40))
    def test_every_revision_shows_what_was_there_then(self, writes: list[tuple[str, str]]) -> None:
        store = Store()
        states: dict[int, dict[str, int]] = {store.revision: {}}
        state: dict[str, int] = {}
        for name, action in writes:
            if action == "x" and name in state:
                store.delete(CONFIGMAPS, "shop", name)
                del state[name]
            elif action != "x":
                write = store.update if name in state else store.create
                state[name] = write(CONFIGMAPS, config_map(name)).revision
            states[store.revision] = dict(state)
        for revision, expected in states.items():
            options = ListOptions(resource_version=str(revision), resource_version_match="Exact")
            page = store.list(CONFIGMAPS, "shop", options)
            assert {entry.name: entry.revision for entry in page.entries} == expected
            assert [entry.name for entry in page.entries] == sorted(expected)


class TestOptions:
    def refusals(self, **options: Any) -> list[str]:
        status = refused(lambda: validate_list_options(ListOptions(**options).defaulted()))
        assert status["code"] == 422
        assert status["message"].startswith('ListOptions.meta.k8s.io "" is invalid: ')
        return [cause["message"] for cause in status["details"]["causes"]]

    def test_of_a_list(self) -> None:
        assert self.refusals(resource_version_match="Exact") == [
            "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided"
        ]
        assert self.refusals(resource_version_match="Foo", resource_version="1") == [
            'Unsupported value: "Foo": supported values: "Exact", "NotOlderThan", ""'
        ]
        assert self.refusals(resource_version_match="Exact", resource_version="0") == [
            'Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"'
        ]
        assert self.refusals(send_initial_events=True) == ["Forbidden: sendInitialEvents is forbidden for list"]

    def test_of_a_watch(self) -> None:
        assert self.refusals(watch=True, send_initial_events=True) == [
            "Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
        ]
        assert self.refusals(watch=True, send_initial_events=True, resource_version_match="Exact") == [
            "Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
            'Unsupported value: "Exact": supported values: "NotOlderThan"',
        ]
        assert self.refusals(watch=True, resource_version="5", resource_version_match="NotOlderThan") == [
            "Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
        ]

    def test_a_watch_from_anywhere_begins_with_what_is_there(self) -> None:
        for version in ("", "0"):
            options = ListOptions(watch=True, resource_version=version).defaulted()
            assert options.send_initial_events is True
            validate_list_options(options)
        assert ListOptions(watch=True, resource_version="7").defaulted().send_initial_events is None
        assert ListOptions(watch=True, send_initial_events=False).defaulted().send_initial_events is False


class Told:
    """Reads a watch, frame by frame."""

    def __init__(self, watch: Watch) -> None:
        self._chunks: AsyncIterator[bytes] = aiter(watch)
        self._lines: list[bytes] = []

    async def next(self) -> dict[str, Any]:
        while not self._lines:
            chunk = await asyncio.wait_for(anext(self._chunks), 5)
            self._lines = chunk.splitlines()
        event: dict[str, Any] = json.loads(self._lines.pop(0))
        return event

    async def some(self, count: int) -> list[tuple[str, str, str]]:
        found = []
        for _ in range(count):
            event = await self.next()
            metadata = event["object"]["metadata"]
            found.append((event["type"], metadata.get("name", ""), metadata["resourceVersion"]))
        return found

    async def rest(self) -> list[dict[str, Any]]:
        found = [json.loads(line) for line in self._lines]
        async with asyncio.timeout(5):
            async for chunk in self._chunks:
                found += [json.loads(line) for line in chunk.splitlines()]
        return found

    async def close(self) -> None:
        await self._chunks.aclose()  # type: ignore[attr-defined]


def told(store: Store, namespace: str = "shop", rendering: Rendering = PLAIN, **options: Any) -> Told:
    return Told(store.watch(CONFIGMAPS, namespace, ListOptions(watch=True, **options).defaulted(), rendering))


class TestWatches:
    def test_begin_with_what_is_there_and_go_on(self, five: Store) -> None:
        async def run() -> None:
            watch = told(five)
            assert await watch.some(5) == [("ADDED", f"c{number}", str(number + 2)) for number in range(5)]
            five.update(CONFIGMAPS, config_map("c1", x="1"))
            five.delete(CONFIGMAPS, "shop", "c0")
            five.create(CONFIGMAPS, config_map("d", "other"))
            five.create(CONFIGMAPS, config_map("d"))
            assert await watch.some(3) == [("MODIFIED", "c1", "7"), ("DELETED", "c0", "8"), ("ADDED", "d", "10")]
            await watch.close()

        asyncio.run(run())

    def test_from_a_revision_replay_what_came_after_it(self, five: Store) -> None:
        async def run() -> None:
            watch = told(five, resource_version="4")
            assert await watch.some(2) == [("ADDED", "c3", "5"), ("ADDED", "c4", "6")]
            await watch.close()

        asyncio.run(run())

    def test_from_now_on(self, five: Store) -> None:
        async def run() -> None:
            options = {"send_initial_events": False, "resource_version_match": "NotOlderThan"}
            for version in ("", "0"):
                watch = told(five, resource_version=version, **options)
                five.create(CONFIGMAPS, config_map(f"new{version}"))
                assert [name for _, name, _ in await watch.some(1)] == [f"new{version}"]
                await watch.close()

        asyncio.run(run())

    def test_what_happens_before_the_first_read_is_not_lost(self, store: Store) -> None:
        async def run() -> None:
            watch = told(store)
            store.create(CONFIGMAPS, config_map("a"))
            assert await watch.some(1) == [("ADDED", "a", "2")]
            await watch.close()

        asyncio.run(run())

    def test_a_selector_makes_additions_and_deletions_of_changes(self, store: Store) -> None:
        async def run() -> None:
            watch = told(store, label_selector=LabelSelector.parse("on"))
            store.create(CONFIGMAPS, config_map("a"))
            store.update(CONFIGMAPS, config_map("a", labels={"on": ""}, x="1"))
            store.update(CONFIGMAPS, config_map("a", labels={"on": ""}, x="2"))
            store.update(CONFIGMAPS, config_map("a", x="3"))
            store.update(CONFIGMAPS, config_map("a", x="4"))
            store.delete(CONFIGMAPS, "shop", "a")
            store.create(CONFIGMAPS, config_map("b", labels={"on": ""}))
            events = [await watch.next() for _ in range(4)]
            assert [(event["type"], event["object"]["data"].get("x")) for event in events] == [
                ("ADDED", "1"), ("MODIFIED", "2"), ("DELETED", "2"), ("ADDED", None),
            ]  # fmt: skip
            # What leaves is told of as it was last seen, at the revision at which it left.
            assert events[2]["object"]["metadata"]["resourceVersion"] == "5"
            assert events[2]["object"]["metadata"]["labels"] == {"on": ""}
            await watch.close()

        asyncio.run(run())

    def test_of_one_name(self, five: Store) -> None:
        async def run() -> None:
            watch = told(five, field_selector=FieldSelector.parse("metadata.name=c3"))
            five.delete(CONFIGMAPS, "shop", "c2")
            five.delete(CONFIGMAPS, "shop", "c3")
            assert await watch.some(2) == [("ADDED", "c3", "5"), ("DELETED", "c3", "8")]
            await watch.close()

        asyncio.run(run())

    def test_initial_events_end_with_a_marked_bookmark_for_who_wants_bookmarks(self, five: Store) -> None:
        async def run() -> None:
            watch = told(five, allow_watch_bookmarks=True)
            await watch.some(5)
            assert await watch.next() == {
                "type": "BOOKMARK",
                "object": {
                    "kind": "ConfigMap",
                    "apiVersion": "v1",
                    "metadata": {"resourceVersion": "6", "annotations": {"k8s.io/initial-events-end": "true"}},
                },
            }
            await watch.close()

        asyncio.run(run())

    def test_that_no_option_tells_how_to_begin_begin_with_what_is_there_unmarked(self, five: Store) -> None:
        async def run() -> None:
            options = ListOptions(allow_watch_bookmarks=True)  # of a path with /watch/, whose query says no watch=
            watch = Told(five.watch(CONFIGMAPS, "shop", options, PLAIN))
            five.create(CONFIGMAPS, config_map("new"))
            assert [name for _, name, _ in await watch.some(6)] == ["c0", "c1", "c2", "c3", "c4", "new"]
            await watch.close()

        asyncio.run(run())

    def test_too_old_is_an_error_event_and_the_end(self, five: Store) -> None:
        five.expire_history()
        events = asyncio.run(told(five, resource_version="6").rest())
        assert events == [
            {
                "type": "ERROR",
                "object": {
                    "kind": "Status",
                    "apiVersion": "v1",
                    "metadata": {},
                    "status": "Failure",
                    "message": "too old resource version: 6 (7)",
                    "reason": "Expired",
                    "code": 410,
                },
            }
        ]

    def test_of_what_nobody_has_asked_for_yet_begin_with_the_server(self, store: Store) -> None:
        store.create(NODES, {"kind": "Node", "metadata": {"name": "n"}})

        async def run() -> None:
            watch = told(store, resource_version="1")
            store.create(CONFIGMAPS, config_map("a"))
            assert await watch.some(1) == [("ADDED", "a", "3")]
            await watch.close()

        asyncio.run(run())

    @pytest.mark.parametrize("prepare", [lambda store: store.open(CONFIGMAPS.group_resource), Store.expire_history])
    def test_cannot_start_from_before_what_is_watched(self, store: Store, prepare: Callable[[Store], None]) -> None:
        store.create(NODES, {"kind": "Node", "metadata": {"name": "n"}})
        prepare(store)
        [event] = asyncio.run(told(store, resource_version="1").rest())
        assert event["object"]["message"] == f"too old resource version: 1 ({store.revision})"

    def test_initial_events_of_the_future_are_an_error_event(self, five: Store) -> None:
        options = {"send_initial_events": True, "resource_version_match": "NotOlderThan"}
        [event] = asyncio.run(told(five, resource_version="99", **options).rest())
        assert (event["type"], event["object"]["code"]) == ("ERROR", 504)
        assert event["object"]["message"] == "Timeout: Too large resource version: 99, current: 6"

    def test_from_the_future_wait_for_it(self, five: Store) -> None:
        async def run() -> None:
            watch = told(five, resource_version="8")
            for name in "abc":
                five.create(CONFIGMAPS, config_map(name))
            assert await watch.some(1) == [("ADDED", "c", "9")]
            await watch.close()

        asyncio.run(run())

    def test_a_revision_that_is_none_is_refused_at_once(self, five: Store) -> None:
        assert refused(lambda: told(five, resource_version="abc"))["code"] == 500

    def test_end_when_the_resource_is_no_longer_served(self, five: Store) -> None:
        async def run() -> list[dict[str, Any]]:
            watch = told(five)
            await watch.some(5)
            five.forget(CONFIGMAPS.group_resource)
            return await watch.rest()

        assert asyncio.run(run()) == []
        assert five.count(CONFIGMAPS.group_resource) == 0

    def test_a_closed_watch_leaves_nothing_behind(self, five: Store) -> None:
        async def run() -> None:
            for _ in range(3):
                watch = told(five)
                await watch.some(5)
                reading = asyncio.ensure_future(watch.next())
                await asyncio.sleep(0)
                reading.cancel()
                await asyncio.wait([reading])
                await watch.close()
            log = five._of(CONFIGMAPS.group_resource).log
            assert not log._listeners

        asyncio.run(run())


class FakeLoop(asyncio.SelectorEventLoop):
    """A loop whose clock jumps to the next timer when nothing else is to do."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0

    def time(self) -> float:
        return self.now

    def _run_once(self) -> None:
        if not self._ready and self._scheduled:  # type: ignore[attr-defined]
            self.now = max(self.now, self._scheduled[0].when())  # type: ignore[attr-defined]
        super()._run_once()  # type: ignore[misc]


class TestTime:
    def run(self, store: Store, **options: Any) -> list[tuple[float, str]]:
        """When which events come, in seconds from the start; something is written every 20 seconds."""
        loop = FakeLoop()

        async def write() -> None:
            while True:
                await asyncio.sleep(20)
                store.create(NODES, {"kind": "Node", "metadata": {"name": f"n{store.revision}"}})

        async def read() -> list[tuple[float, str]]:
            writing = asyncio.ensure_future(write())
            found = [
                (round(loop.now - 1000), json.loads(line)["type"])
                async for chunk in store.watch(
                    CONFIGMAPS, "shop", ListOptions(watch=True, **options).defaulted(), PLAIN
                )
                for line in chunk.splitlines()
            ]
            writing.cancel()
            return [*found, (round(loop.now - 1000), "end")]

        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            return runner.run(read())

    def test_bookmarks_come_each_minute_and_two_seconds_before_the_end(self, store: Store) -> None:
        found = self.run(store, timeout_seconds=150, allow_watch_bookmarks=True, resource_version="1")
        assert found == [(60, "BOOKMARK"), (120, "BOOKMARK"), (148, "BOOKMARK"), (150, "end")]

    def test_without_bookmarks_nothing_comes(self, store: Store) -> None:
        assert self.run(store, timeout_seconds=150, resource_version="1") == [(150, "end")]

    def test_a_bookmark_that_would_say_nothing_new_does_not_come(self, store: Store) -> None:
        assert self.run(store, timeout_seconds=15, allow_watch_bookmarks=True, resource_version="1") == [(15, "end")]

    def test_without_a_timeout_it_ends_after_half_an_hour_to_an_hour(self, store: Store) -> None:
        [(end, _)] = self.run(store, resource_version="1")
        assert 1800 <= end <= 3600

    def test_a_negative_timeout_is_over_at_once(self, store: Store) -> None:
        assert self.run(store, timeout_seconds=-3) == [(0, "end")]


class TestSharing:
    def test_fifty_watches_of_one_write_cost_one_encoding(self, store: Store) -> None:
        rendered = 0

        def render(entry: Entry, _: bool) -> bytes:
            nonlocal rendered
            rendered += 1
            return entry.text(b'{"kind":"ConfigMap",')

        async def run() -> None:
            shared = Rendering(key="shared", render=render)
            watches = [told(store, rendering=shared) for _ in range(50)]
            reading = [asyncio.ensure_future(watch.some(20)) for watch in watches]
            await asyncio.sleep(0)
            for number in range(20):
                store.create(CONFIGMAPS, config_map(f"c{number:02}"))
            results = await asyncio.gather(*reading)
            assert all(result == results[0] for result in results)
            for watch in watches:
                await watch.close()

        asyncio.run(run())
        assert store.encodings == 20
        assert rendered == store.renderings == 20

    def test_watches_that_show_objects_in_another_way_do_not_share(self, store: Store) -> None:
        async def run() -> None:
            other = Rendering(key="other", render=lambda entry, _: b'{"metadata":{"resourceVersion":"x"}}')
            first, second = told(store), told(store, rendering=other)
            store.create(CONFIGMAPS, config_map("a"))
            assert await first.some(1) == [("ADDED", "a", "2")]
            assert await second.some(1) == [("ADDED", "", "x")]
            await first.close()
            await second.close()

        asyncio.run(run())


class TestBounds:
    def event(self, revision: int, size: int = 10) -> Event:
        def entry(number: int) -> Entry:
            obj = {"metadata": {"name": "a", "resourceVersion": str(number)}, "data": "x" * size}
            return Entry(obj, number)

        return Event(revision, entry(revision), entry(revision - 1))

    def test_the_log_keeps_so_many_events(self) -> None:
        log = EventLog(1, capacity=16)
        for revision in range(2, 102):
            log.append(self.event(revision))
        assert len(log) <= 16
        assert [event.revision for event in log][-1] == 101
        assert log.compacted == log.start == next(event.revision for event in log) - 1

    def test_the_log_keeps_so_many_bytes_of_what_is_no_more(self) -> None:
        log = EventLog(1, capacity_bytes=100_000)
        for revision in range(2, 102):
            log.append(self.event(revision, 10_000))
        assert 5 <= len(log) <= 10

    def test_a_reader_that_the_log_has_left_behind_is_told(self) -> None:
        log = EventLog(1, capacity=16)
        cursor = log.after(1)
        for revision in range(2, 10):
            log.append(self.event(revision))
        assert [event.revision for event in cursor.read(3) or ()] == [2, 3, 4]
        for revision in range(10, 40):
            log.append(self.event(revision))
        assert cursor.read(3) is None

    def test_a_watch_that_the_log_has_left_behind_ends(self, store: Store) -> None:
        async def run() -> list[dict[str, Any]]:
            watch = told(store)
            reading = asyncio.ensure_future(watch.next())
            await asyncio.sleep(0)
            store.create(CONFIGMAPS, config_map("a"))
            await reading
            log = store._of(CONFIGMAPS.group_resource).log
            for number in range(log._capacity + log._capacity // 4):
                log.append(self.event(number + 3, 1))
            return await watch.rest()

        assert asyncio.run(run()) == []

    def test_an_old_revision_of_a_full_log_is_too_old(self) -> None:
        log = EventLog(1, capacity=16)
        for revision in range(2, 102):
            log.append(self.event(revision))
        assert log.start > 80


class TestSnapshots:
    def test_bring_back_what_was_there(self, five: Store) -> None:
        five.create(NODES, {"kind": "Node", "metadata": {"name": "n"}})
        snapshot = five.snapshot()
        five.delete(CONFIGMAPS, "shop", "c0")
        five.update(CONFIGMAPS, config_map("c1", x="1"))
        five.create(CONFIGMAPS, config_map("new"))
        five.create(resource("secrets", "Secret"), config_map("secret"))
        before = five.revision
        five.restore(snapshot)
        assert names(five) == ["c0", "c1", "c2", "c3", "c4"]
        assert five.count(GroupResource("", "secrets")) == 0
        restored = five.get(CONFIGMAPS, "shop", "c1")
        assert restored.object()["data"] == {}
        assert restored.revision > before
        assert five.get(CONFIGMAPS, "shop", "c2").revision == 4

    def test_leave_no_history(self, five: Store) -> None:
        five.restore(five.snapshot())
        assert five.history(CONFIGMAPS.group_resource, "shop", "c1") == ()
        assert refused(lambda: names(five, resource_version="6", resource_version_match="Exact"))["code"] == 410
        [event] = asyncio.run(told(five, resource_version="6").rest())
        assert event["object"]["code"] == 410

    def test_listeners_see_the_way_back(self, five: Store) -> None:
        snapshot = five.snapshot()
        five.delete(CONFIGMAPS, "shop", "c0")
        five.create(CONFIGMAPS, config_map("new"))
        seen: list[tuple[str, str]] = []
        five.subscribe(lambda _, event: seen.append((event.type, event.subject.name)))
        five.restore(snapshot)
        assert seen == [("DELETED", "new"), ("ADDED", "c0")]
