"""Stores: keys, indexes, selectors, transactions; the same in dicts and in bytes."""

from __future__ import annotations

import gc
import json
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynkube.errors import (
    IndexConflictError,
    InformerError,
    InvalidRequestError,
    MutatedObjectError,
    NotFoundError,
    UnknownIndexError,
)
from dynkube.informers import (
    Lister,
    ObjectName,
    Store,
    StoredObject,
    index_by_labels,
    index_by_namespace,
    index_by_owner,
    object_key,
    object_name,
    split_key,
)
from dynkube.informers import compact as compact_objects
from dynkube.records import RawObject, record_of, records_of_list
from dynkube.schema import GroupResource


def pod(name: str, *, namespace: str = "shop", version: str = "1", **more: Any) -> dict[str, Any]:
    metadata = {"namespace": namespace, "name": name, "uid": f"uid-{name}", "resourceVersion": version}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata | more.pop("metadata", {}), **more}


def on_node(name: str, node: str, **more: Any) -> dict[str, Any]:
    return pod(name, spec={"nodeName": node}, **more)


def by_node(obj: dict[str, Any]) -> list[str]:
    return [obj["spec"]["nodeName"]]


def names(objects: list[dict[str, Any]]) -> list[str]:
    return sorted(obj["metadata"]["name"] for obj in objects)


@pytest.fixture(params=["dicts", "compact"])
def compact(request: pytest.FixtureRequest) -> bool:
    return request.param == "compact"


@pytest.fixture
def store(compact: bool) -> Store:
    return Store({"namespace": index_by_namespace, "node": by_node}, compact=compact)


class TestKeys:
    @pytest.mark.behaviour("7.3.1")
    def test_a_key_is_namespace_and_name_or_the_name_alone(self) -> None:
        assert object_key(pod("api")) == "shop/api"
        assert object_key({"metadata": {"name": "node-1"}}) == "node-1"
        assert object_name(pod("api")) == ObjectName("shop", "api") == ("shop", "api")

    @pytest.mark.behaviour("7.3.1")
    def test_a_key_is_split_into_what_it_was_made_of(self) -> None:
        assert split_key("shop/api") == ("shop", "api")
        assert split_key("node-1") == ("", "node-1")
        assert str(split_key("shop/api")) == "shop/api"

    @pytest.mark.behaviour("7.3.1")
    def test_a_key_of_three_parts_is_refused_in_client_gos_words(self) -> None:
        with pytest.raises(InvalidRequestError, match=r'^unexpected key format: "a/b/c"$'):
            split_key("a/b/c")

    @pytest.mark.behaviour("7.3.1")
    @pytest.mark.parametrize("obj", [{}, {"metadata": {}}, {"metadata": None}, {"metadata": {"name": 7}}, 3])
    def test_what_has_no_name_has_no_key(self, obj: Any) -> None:
        with pytest.raises(InvalidRequestError, match="couldn't create key for object"):
            object_key(obj)

    def test_a_store_takes_keys_as_text_and_as_names(self, store: Store) -> None:
        store.add(on_node("api", "n1"))
        for key in ("shop/api", ("shop", "api"), ObjectName("shop", "api")):
            assert key in store
            assert names([store.get(key)]) == ["api"]

    @pytest.mark.parametrize("key", [None, 7, ("a", "b", "c"), ["shop", "api"]])
    def test_what_is_no_key_is_refused(self, store: Store, key: Any) -> None:
        with pytest.raises(InvalidRequestError, match="key: want"):
            store.get(key)


class TestReading:
    def test_an_object_is_there_after_it_is_added_and_gone_after_it_is_deleted(self, store: Store) -> None:
        store.add(on_node("api", "n1"))
        assert store.get("shop/api") == on_node("api", "n1")
        assert len(store) == 1
        store.delete("shop/api")
        store.delete("shop/api")
        assert store.get("shop/api") is None
        assert "shop/api" not in store

    @pytest.mark.behaviour("7.3.4")
    def test_an_update_takes_the_place_of_the_object(self, store: Store) -> None:
        store.add(on_node("api", "n1"))
        store.update(on_node("api", "n2", version="2"))
        assert store.get("shop/api")["spec"] == {"nodeName": "n2"}
        assert store.resource_version == "2"

    @pytest.mark.behaviour("10.1.12")
    def test_a_replacement_leaves_nothing_of_what_was_there(self, store: Store) -> None:
        store.add(on_node("api", "n1"))
        store.replace([on_node("web", "n1"), on_node("db", "n2")], "9")
        assert names(store.list()) == ["db", "web"]
        assert store.list_index_func_values("node") == ["n1", "n2"]
        assert store.resource_version == "9"

    def test_a_replacement_with_an_object_that_has_no_name_changes_nothing(self, store: Store) -> None:
        store.add(on_node("api", "n1"))
        with pytest.raises(InvalidRequestError):
            store.replace([on_node("web", "n1"), {"metadata": {}}])
        assert names(store.list()) == ["api"]

    def test_an_empty_store_is_true_as_a_store(self, store: Store) -> None:
        assert store
        assert len(store) == 0

    def test_selectors_of_labels_and_fields(self, store: Store) -> None:
        store.add(on_node("api", "n1", metadata={"labels": {"app": "api", "tier": "web"}}))
        store.add(on_node("web", "n2", metadata={"labels": {"app": "web", "tier": "web"}}))
        store.add(on_node("other", "n1", namespace="lab"))
        assert names(store.list(label_selector="tier=web,app!=web")) == ["api"]
        assert names(store.list(label_selector="!app")) == ["other"]
        assert names(store.list(field_selector="metadata.name=web")) == ["web"]
        assert names(store.list(field_selector="spec.nodeName=n1,metadata.namespace!=lab")) == ["api"]
        assert names(store.list(namespace="lab")) == ["other"]
        assert store.keys(namespace="shop", label_selector="app in (api)") == ["shop/api"]
        assert [obj["metadata"]["name"] for obj in store.iter(label_selector="app=web")] == ["web"]

    def test_the_namespace_is_selected_by_without_an_index_too(self, compact: bool) -> None:
        store = Store(compact=compact)
        store.replace([on_node("api", "n1"), on_node("other", "n1", namespace="lab")])
        assert names(store.list(namespace="lab")) == ["other"]

    @pytest.mark.parametrize("selector", [{"label_selector": "a=b=c"}, {"field_selector": "spec.x"}])
    def test_a_selector_that_does_not_parse_is_refused(self, store: Store, selector: dict[str, str]) -> None:
        with pytest.raises(InvalidRequestError):
            store.list(**selector)

    def test_with_an_index_of_labels_a_selector_gives_the_same(self, compact: bool) -> None:
        with_index, without = (Store(indexers, compact=compact) for indexers in ({"labels": index_by_labels}, {}))
        for store in (with_index, without):
            store.replace([on_node(f"p{n}", "n1", metadata={"labels": {"n": str(n % 3)}}) for n in range(9)])
        for selector in ("n=1", "n=1,n!=2", "n=7", "n!=1", ""):
            assert with_index.keys(label_selector=selector) == without.keys(label_selector=selector)

    @pytest.mark.parametrize("recent", [-1, True, "many", 1.5])
    def test_a_number_of_recent_objects_that_is_none_is_refused(self, recent: Any) -> None:
        with pytest.raises(InvalidRequestError, match=r"^recent: "):
            Store(compact=True, recent=recent)


class TestIndexes:
    @pytest.mark.behaviour("7.3.2")
    def test_objects_are_found_by_the_values_that_a_function_gives(self, store: Store) -> None:
        store.replace([on_node("api", "n1"), on_node("web", "n1"), on_node("db", "n2")])
        assert names(store.by_index("node", "n1")) == ["api", "web"]
        assert store.index_keys("node", "n1") == ["shop/api", "shop/web"]
        assert store.by_index("node", "n9") == []
        assert store.list_index_func_values("node") == ["n1", "n2"]
        assert names(store.index("node", on_node("new", "n2"))) == ["db"]
        assert set(store.indexers) == {"namespace", "node"}

    @pytest.mark.behaviour("7.3.2")
    def test_an_object_may_have_many_values_and_none(self, compact: bool) -> None:
        users: dict[str, Any] = {
            "users": lambda obj: obj["metadata"].get("annotations", {}).get("users", "").split(",")
        }
        store = Store(users, compact=compact)
        store.add(pod("one", metadata={"annotations": {"users": "ernie,bert"}}))
        store.add(pod("two", metadata={"annotations": {"users": "bert,oscar,bert"}}))
        assert names(store.by_index("users", "bert")) == ["one", "two"]
        assert names(store.by_index("users", "ernie")) == ["one"]
        assert names(store.index("users", store.get("shop/one"))) == ["one", "two"]
        store.delete("shop/two")
        assert store.list_index_func_values("users") == ["bert", "ernie"]

    @pytest.mark.behaviour("7.3.3")
    def test_an_update_leaves_the_old_values_and_empty_buckets_go(self, store: Store) -> None:
        store.add(on_node("api", "n1"))
        store.update(on_node("api", "n2"))
        assert store.by_index("node", "n1") == []
        assert store.list_index_func_values("node") == ["n2"]
        store.delete("shop/api")
        assert store.list_index_func_values("node") == []

    @pytest.mark.behaviour("7.3.3")
    def test_a_bucket_stays_while_it_has_objects(self, store: Store) -> None:
        store.replace([on_node("api", "n1"), on_node("web", "n1")])
        store.delete("shop/web")
        assert store.index_keys("node", "n1") == ["shop/api"]

    @pytest.mark.behaviour("7.3.2")
    def test_an_unknown_index_is_an_error_in_client_gos_words(self, store: Store) -> None:
        for ask in (store.list_index_func_values, lambda name: store.by_index(name, "x")):
            with pytest.raises(
                UnknownIndexError, match=r"Index with name zone does not exist; there are: namespace, node"
            ):
                ask("zone")
        with pytest.raises(LookupError):
            store.index("zone", pod("api"))
        with pytest.raises(UnknownIndexError):
            store.index_keys("zone", "x")

    @pytest.mark.behaviour("7.3.2")
    def test_an_index_that_comes_late_has_the_objects_that_are_there(self, store: Store) -> None:
        store.replace([on_node("api", "n1"), on_node("web", "n1")])
        store.add_indexers({"name": lambda obj: [obj["metadata"]["name"]]})
        assert names(store.by_index("name", "web")) == ["web"]
        store.add(on_node("db", "n2"))
        assert names(store.by_index("name", "db")) == ["db"]

    @pytest.mark.behaviour("7.3.2")
    def test_a_name_that_is_taken_is_a_conflict_and_nothing_is_added(self, store: Store) -> None:
        with pytest.raises(IndexConflictError, match=r"^indexer conflict: "):
            store.add_indexers({"node": by_node, "name": lambda obj: [obj["metadata"]["name"]]})
        assert set(store.indexers) == {"namespace", "node"}

    def test_a_late_function_that_fails_is_an_error_and_nothing_is_added(self, store: Store) -> None:
        store.add(on_node("api", "n1"))
        with pytest.raises(InformerError, match="index 'zone': its function failed: KeyError"):
            store.add_indexers({"zone": lambda obj: [obj["spec"]["zone"]]})
        assert "zone" not in store.indexers

    @pytest.mark.parametrize("gives", ["text", None, [7], 3])
    def test_a_function_that_gives_no_list_of_texts_says_so(self, store: Store, gives: Any) -> None:
        store.add(on_node("api", "n1"))
        with pytest.raises(InformerError, match="index 'odd'"):
            store.add_indexers({"odd": lambda _obj: gives})

    def test_what_is_no_function_is_refused(self) -> None:
        with pytest.raises(InvalidRequestError, match=r"indexers\['node'\]: want a function"):
            Store({"node": "spec.nodeName"})  # type: ignore[dict-item]

    def test_an_object_that_its_function_fails_with_is_stored_and_logged(
        self, store: Store, caplog: pytest.LogCaptureFixture
    ) -> None:
        store.add(pod("unscheduled"))
        assert "shop/unscheduled is not indexed: index 'node'" in caplog.text
        assert store.get("shop/unscheduled") is not None
        assert store.list_index_func_values("node") == []
        store.update(on_node("unscheduled", "n1"))
        assert names(store.by_index("node", "n1")) == ["unscheduled"]

    def test_the_ready_made_ones(self, compact: bool) -> None:
        ready = {"namespace": index_by_namespace, "labels": index_by_labels, "owner": index_by_owner}
        store = Store(ready, compact=compact)
        owned = {"labels": {"app": "api"}, "ownerReferences": [{"kind": "ReplicaSet", "name": "x", "uid": "u1"}]}
        store.replace([pod("api", metadata=owned), {"metadata": {"name": "cluster-wide"}}])
        assert store.list_index_func_values("namespace") == ["", "shop"]
        assert store.index_keys("labels", "app=api") == ["shop/api"]
        assert store.index_keys("owner", "u1") == ["shop/api"]

    def test_what_a_function_makes_of_a_secret_does_not_show(
        self, compact: bool, caplog: pytest.LogCaptureFixture
    ) -> None:
        functions: dict[str, Any] = {
            "text": lambda obj: obj["data"]["x"],
            "number": lambda obj: [int(obj["data"]["x"])],
        }
        store = Store(functions, compact=compact)
        store.add({**pod("s"), "kind": "Secret", "data": {"x": "aHVudGVyMg=="}})
        assert "index 'text': its function must give a list of texts, not a str, with shop/s" in caplog.text
        assert "index 'number': its function failed: ValueError, with shop/s" in caplog.text
        assert "aHVud" not in caplog.text

    def test_one_with_the_same_function_may_stay(self, store: Store) -> None:
        store.add_indexers({"node": by_node, "name": lambda obj: [obj["metadata"]["name"]]}, keep_same=True)
        assert {"node", "name"} <= set(store.indexers)
        with pytest.raises(IndexConflictError):
            store.add_indexers({"node": by_node})
        with pytest.raises(IndexConflictError):
            store.add_indexers({"node": lambda obj: []}, keep_same=True)


class TestTransactions:
    @pytest.mark.behaviour("7.2.6")
    def test_readers_see_all_of_a_transaction_or_nothing(self, store: Store) -> None:
        """Two objects that always move together; whoever sees one at a node sees the other there."""
        stop, odd = threading.Event(), []

        def read() -> None:
            while not stop.is_set():
                # One moment each: by index, by list.
                on = [store.index_keys("node", node) for node in ("n0",)]
                listed = {obj["spec"]["nodeName"] for obj in store.list()}
                if len(on[0]) not in (0, 2) or len(listed) != 1:
                    odd.append((on, listed))

        def pair(number: int) -> list[tuple[str, Any]]:
            pods = [on_node(name, f"n{number % 2}", version=str(number)) for name in ("a", "b")]
            return [(object_key(each), store.admit(each)) for each in pods]

        store.commit(pair(0))
        readers = [threading.Thread(target=read) for _ in range(3)]
        for reader in readers:
            reader.start()
        for number in range(300):
            store.commit(pair(number), str(number))
        stop.set()
        for reader in readers:
            reader.join()
        assert odd == []

    def test_a_transaction_gives_back_what_was_there(self, store: Store) -> None:
        api = store.admit(on_node("api", "n1"))
        assert store.commit([("shop/api", api), ("shop/api", None), ("shop/web", None)]) == [None, api, None]

    @given(st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(["n1", "n2", None])), max_size=30))
    def test_indexes_say_what_a_look_at_every_object_says(self, steps: list[tuple[str, str | None]]) -> None:
        for compact in (False, True):
            store, plain = Store({"node": by_node}, compact=compact), {}
            for name, node in steps:
                if node is None:
                    store.delete(f"shop/{name}")
                    plain.pop(name, None)
                else:
                    store.add(on_node(name, node))
                    plain[name] = node
            assert store.list_index_func_values("node") == sorted(set(plain.values()))
            for node in ("n1", "n2"):
                assert store.index_keys("node", node) == sorted(f"shop/{name}" for name in plain if plain[name] == node)


class TestCompact:
    def filled(self, **options: Any) -> Store:
        store = Store({"namespace": index_by_namespace, "labels": index_by_labels}, compact=True, **options)
        store.replace([on_node(f"p{n}", "n1", metadata={"labels": {"n": str(n)}}) for n in range(50)])
        return store

    def test_exactly_the_recent_objects_are_decoded_at_rest(self) -> None:
        store = self.filled(recent=7)
        assert store.decoded_objects == 0
        keys = store.keys()
        for key in keys:
            store.get(key)
        store.list()
        store.by_index("namespace", "shop")
        metadata = [each["metadata"] for each in store.list()]
        gc.collect()
        decoded = [each for each in gc.get_objects() if isinstance(each, dict) and each.get("metadata") in metadata]
        assert len(decoded) == store.decoded_objects == 7

    def test_selectors_and_ready_made_indexes_decode_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        store = self.filled()

        def refuse(_record: RawObject) -> Any:
            raise AssertionError("decoded")

        monkeypatch.setattr(RawObject, "decode", refuse)
        monkeypatch.setattr(RawObject, "fields", refuse)
        assert store.keys(label_selector="n in (3,4)", field_selector="metadata.name!=p3,metadata.namespace=shop") == [
            "shop/p4"
        ]
        store.add_indexers({"owner": index_by_owner})
        assert store.index_keys("labels", "n=3") == ["shop/p3"]
        assert [each.name for each in store.iter(namespace="shop", label_selector="n=5")] == ["p5"]  # type: ignore[attr-defined]

    def test_a_function_of_ones_own_decodes_each_object_once_and_nothing_stays(self) -> None:
        store, decoded = self.filled(), []
        store.add_indexers({"node": lambda obj: decoded.append(obj["metadata"]["name"]) or by_node(obj)})
        assert len(decoded) == 50
        store.by_index("labels", "n=3")
        store.index_keys("node", "n1")
        assert len(decoded) == 50
        assert store.decoded_objects == 0

    def test_functions_and_field_selectors_decode_what_they_look_at_alone(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        decoded: list[bytes] = []
        monkeypatch.setattr(RawObject, "decode", None)
        monkeypatch.setattr(compact_objects, "decode", lambda raw: decoded.append(bytes(raw)) or json.loads(bytes(raw)))
        store = Store({"node": by_node}, compact=True)
        store.add(on_node("api", "n1", status={"phase": "Running"}))
        assert store.keys(field_selector="spec.nodeName=n1,metadata.name=api") == ["shop/api"]
        spec, metadata = (json.dumps(on_node("api", "n1")[field]).replace(" ", "") for field in ("spec", "metadata"))
        assert (decoded[0], {*decoded[1:]}) == (spec.encode(), {spec.encode(), metadata.encode()})

    def test_what_is_foreseen_is_not_asked_for_again(self) -> None:
        asked: list[str] = []
        store = Store({"node": lambda obj: asked.append(obj["metadata"]["name"]) or by_node(obj)}, compact=True)
        api, web, late = (store.admit(on_node(name, "n1")) for name in ("api", "web", "late"))
        store.foresee(api)
        store.foresee(web)
        store.forget_foreseen()
        store.foresee(api)
        store.add_indexers({"name": lambda obj: [obj["metadata"]["name"]]})
        store.commit([("shop/api", api), ("shop/late", late)])
        assert asked == ["api", "web", "api", "late"]
        assert store.index_keys("node", "n1") == ["shop/api", "shop/late"]
        assert store.index_keys("name", "api") == ["shop/api"], "an index that came after it was foreseen"
        store.commit([("shop/web", web)])
        assert asked[4:] == ["web"]

    def test_what_is_foreseen_and_does_not_come_is_let_go(self) -> None:
        store = Store({"node": by_node}, compact=True)
        store.foresee(store.admit(on_node("api", "n1")))
        store.commit([])
        assert not any(index._foreseen for index in store._indexes.values())

    def test_a_function_that_fails_with_what_is_foreseen_says_so_when_it_comes(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        store = Store({"node": by_node}, compact=True)
        item = store.admit(pod("unscheduled"))
        store.foresee(item)
        assert not caplog.records
        store.commit([("shop/unscheduled", item)])
        assert "shop/unscheduled is not indexed: index 'node'" in caplog.text

    def test_what_was_looked_at_last_is_given_again_without_decoding(self) -> None:
        store = self.filled(recent=2)
        first = store.get("shop/p1")
        store.get("shop/p2")
        assert store.get("shop/p1") is first
        store.get("shop/p3")
        assert store.get("shop/p1") is first, "p2 was longest ago"

    def test_without_recent_objects_each_look_decodes(self) -> None:
        store = self.filled(recent=0)
        assert store.get("shop/p1") is not store.get("shop/p1")
        assert store.decoded_objects == 0

    def test_an_object_that_leaves_the_store_leaves_the_recent_ones(self) -> None:
        store = self.filled()
        store.get("shop/p1")
        store.get("shop/p2")
        store.delete("shop/p1")
        store.update(on_node("p2", "n9"))
        assert store.decoded_objects == 0
        assert store.get("shop/p2")["spec"] == {"nodeName": "n9"}


class TestStoredObject:
    @pytest.fixture
    def stored(self) -> StoredObject:
        store = Store(compact=True)
        store.add(on_node("api", "n1", metadata={"labels": {"app": "api"}, "ownerReferences": [{"uid": "u1"}]}))
        return next(iter(store.iter()))  # type: ignore[return-value]

    def test_names_labels_and_owners_cost_no_decoding(
        self, stored: StoredObject, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(RawObject, "decode", None)
        assert (stored.key, stored.namespace, stored.name, stored.uid) == ("shop/api", "shop", "api", "uid-api")
        assert (stored.resource_version, stored.labels, stored.owners) == ("1", {"app": "api"}, ("u1",))
        assert object_key(stored) == "shop/api"
        assert repr(stored) == "<StoredObject Pod shop/api at 1>"

    def test_it_reads_as_the_dict(self, stored: StoredObject) -> None:
        assert stored["spec"]["nodeName"] == "n1"
        assert stored.get("status", {}) == {}
        assert "spec" in stored
        assert sorted(stored) == ["apiVersion", "kind", "metadata", "spec"]
        assert len(stored) == 4
        assert stored == stored.to_dict()
        assert stored.to_dict() == stored
        assert stored != on_node("api", "n2")
        assert stored != 7

    def test_a_field_is_decoded_once_and_the_others_are_not(
        self, stored: StoredObject, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(RawObject, "decode", None)
        assert stored["spec"] is stored["spec"]
        with pytest.raises(KeyError, match="status"):
            stored["status"]

    def test_a_field_that_is_not_there_shows_no_other_in_a_traceback(self) -> None:
        secret = StoredObject(record_of({"metadata": {"name": "s"}, "kind": "Secret", "data": {"password": "hunter2"}}))
        assert secret["data"] == {"password": "hunter2"}
        with pytest.raises(KeyError) as caught:
            secret["spec"]
        frames = [each.frame.f_locals for each in caught.traceback if each.path.name == "compact.py"]
        assert frames
        assert "hunter2" not in str(frames)

    def test_an_item_of_a_list_has_apiversion_and_kind_too(self) -> None:
        page = b'{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[{"metadata":{"name":"api"},"spec":null}]}'
        (record,) = records_of_list(page).objects
        item = StoredObject(record)
        assert dict(item) == {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "api"}, "spec": None}
        assert item == item.to_dict()

    def test_one_that_was_got_a_moment_ago_is_not_decoded_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        store = Store(compact=True)
        store.add(on_node("api", "n1"))
        known = store.get("shop/api")
        monkeypatch.setattr(RawObject, "fields", None)
        assert next(iter(store.iter()))["spec"] is known["spec"]

    def test_a_copy_is_a_dict_of_ones_own(self, stored: StoredObject) -> None:
        from copy import copy, deepcopy

        for mine in (copy(stored), deepcopy(stored), stored.to_dict()):
            mine["spec"]["nodeName"] = "n2"
        assert stored["spec"]["nodeName"] == "n1"

    def test_it_can_be_put_into_another_store(self, stored: StoredObject) -> None:
        for compact in (True, False):
            store = Store(compact=compact)
            store.add(stored)
            assert store.get("shop/api") == stored


class TestMutations:
    @pytest.fixture
    def watched(self, compact: bool) -> Store:
        store = Store({"node": by_node}, compact=compact, detect_mutations=True)
        store.add(on_node("api", "n1"))
        return store

    @pytest.mark.behaviour("7.3.3")
    def test_a_change_is_found_at_the_next_look_and_mended(self, watched: Store) -> None:
        watched.get("shop/api")["spec"]["nodeName"] = "n2"
        with pytest.raises(
            MutatedObjectError, match=r"shop/api: the object in the store was changed at \.spec\.nodeName"
        ) as found:
            watched.get("shop/api")
        assert (found.value.key, found.value.path) == ("shop/api", ".spec.nodeName")
        assert watched.get("shop/api")["spec"] == {"nodeName": "n1"}
        assert [str(each) for each in watched.mutations] == [str(found.value)]

    @pytest.mark.behaviour("7.3.3")
    def test_a_change_is_found_when_the_object_is_replaced(self, watched: Store) -> None:
        watched.get("shop/api")["metadata"]["labels"] = {"mine": "yes"}
        watched.update(on_node("api", "n2"))
        assert [each.path for each in watched.mutations] == [".metadata.labels"]

    @pytest.mark.parametrize("ask", [lambda it: it.list(), lambda it: it.by_index("node", "n1")])
    def test_lists_look_too(self, watched: Store, ask: Any) -> None:
        watched.get("shop/api")["spec"]["tolerations"] = [1]
        with pytest.raises(MutatedObjectError):
            ask(watched)

    def test_a_look_at_everything(self, watched: Store) -> None:
        watched.get("shop/api").pop("kind")
        watched.check_mutations(who="the test")
        assert "by the test" in str(watched.mutations[0])

    def test_who_changes_a_copy_is_left_alone(self, watched: Store) -> None:
        from copy import deepcopy

        deepcopy(watched.get("shop/api"))["spec"]["nodeName"] = "n2"
        assert watched.get("shop/api")["spec"] == {"nodeName": "n1"}
        assert watched.mutations == ()

    def test_without_the_mode_nothing_is_looked_for(self, store: Store) -> None:
        store.add(on_node("api", "n1"))
        store.check_mutations(who="nobody")
        assert store.mutations == ()
        assert not store.detects_mutations


class TestLister:
    @pytest.fixture
    def lister(self, store: Store) -> Lister:
        store.replace(
            [on_node("api", "n1", metadata={"labels": {"app": "api"}}), on_node("web", "n1", namespace="lab")]
        )
        return Lister(store, GroupResource("apps", "deployments"))

    @pytest.mark.behaviour("5.4.2")
    def test_it_gets_by_name_in_a_namespace_and_by_key(self, lister: Lister) -> None:
        assert lister.namespace("shop").get("api") == lister.get("shop/api")
        assert lister.namespace("shop").get_or_none("web") is None

    @pytest.mark.behaviour("5.4.2")
    def test_what_is_not_there_is_not_found_by_its_resource(self, lister: Lister) -> None:
        with pytest.raises(NotFoundError, match=r'^deployments\.apps "web" not found$') as found:
            lister.namespace("shop").get("web")
        assert found.value.code == 404

    @pytest.mark.behaviour("5.4.2")
    def test_it_lists_all_or_a_namespace_by_labels(self, lister: Lister) -> None:
        assert names(lister.list()) == ["api", "web"]
        assert names(lister.namespace("lab").list()) == ["web"]
        assert names(lister.list(label_selector="app=api")) == ["api"]
        assert lister.namespace("lab").list(label_selector="app=api") == []

    def test_a_name_that_is_no_text_is_refused(self, lister: Lister) -> None:
        with pytest.raises(InvalidRequestError, match=r"^name: "):
            lister.get(None)  # type: ignore[arg-type]
