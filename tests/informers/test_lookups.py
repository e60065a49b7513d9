"""Wrong questions to a store and its listers: errors that name the argument, or say where the object is."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

from dynkube.errors import InformerError, InvalidRequestError, NotFoundError
from dynkube.informers import Lister, Store, index_by_namespace
from dynkube.schema import GroupResource


def config_map(namespace: str, name: str) -> dict[str, Any]:
    metadata = {"namespace": namespace, "name": name, "uid": f"{namespace}-{name}", "resourceVersion": "1"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"shelf": "left"}}


@pytest.fixture(params=["dicts", "compact"])
def store(request: pytest.FixtureRequest) -> Store:
    store = Store(
        {"namespace": index_by_namespace, "shelf": lambda obj: [obj["data"]["shelf"]]},
        compact=request.param == "compact",
    )
    store.replace([config_map("default", "m"), config_map("shop", "n")])
    return store


@pytest.fixture
def lister(store: Store) -> Lister:
    return Lister(store, GroupResource("", "configmaps"))


QUESTIONS: dict[str, tuple[str, Callable[[Any], object]]] = {
    "a label selector that is a dict": ("label_selector must be", lambda store: store.list(label_selector={"a": "b"})),
    "a label selector that is a number": ("label_selector must be", lambda store: store.keys(label_selector=3)),
    "a field selector that is a dict": ("field_selector must be", lambda store: store.iter(field_selector={"a": "b"})),
    "a namespace that is a number": ("namespace: want text", lambda store: store.list(namespace=3)),
    "a list for a value": ("value: want text, got ", lambda store: store.by_index("shelf", ["left"])),
    "a number for a value": ("value: want text, got 3", lambda store: store.by_index("shelf", 3)),
    "a number for a value of keys": ("value: want text, got 3", lambda store: store.index_keys("shelf", 3)),
    "a list for the name of an index": ("name: want text", lambda store: store.by_index(["shelf"], "left")),
    "what is no object": ("obj: want an object, got 3", lambda store: store.index("shelf", 3)),
    "a number for objects": ("objects: want a list of objects, got 3", lambda store: store.replace(3)),
    "text for indexers": ("indexers: want functions by name", lambda store: store.add_indexers("q")),
    "a number for the name of a new index": (
        "indexers: want",
        lambda store: store.add_indexers({3: index_by_namespace}),
    ),
}


@pytest.mark.parametrize("what", QUESTIONS)
def test_what_is_no_question_is_refused(store: Store, what: str) -> None:
    problem, ask = QUESTIONS[what]
    with pytest.raises(InvalidRequestError, match=f"^{problem}"):
        ask(store)


@pytest.mark.parametrize("option", ["compact", "detect_mutations"])
def test_a_flag_that_is_none_is_refused(option: str) -> None:
    with pytest.raises(InvalidRequestError, match=f"^{option}: want True or False, got 'no'"):
        Store(**{option: "no"})  # type: ignore[arg-type]


def test_a_namespace_of_a_lister_that_is_no_text_is_refused(lister: Lister) -> None:
    with pytest.raises(InvalidRequestError, match=r"^namespace: want text, got 3"):
        lister.namespace(3)  # type: ignore[arg-type]


def test_a_name_that_wants_a_namespace_is_told_which(lister: Lister) -> None:
    with pytest.raises(NotFoundError) as found:
        lister.get("m")
    assert str(found.value) == (
        'configmaps "m" not found: there is one in namespace default: ask .namespace("default").get("m")'
    )
    with pytest.raises(NotFoundError, match=r'^configmaps "x" not found$'):
        lister.get("x")


def test_without_an_index_by_namespace_nobody_looks() -> None:
    store = Store()
    store.add(config_map("default", "m"))
    with pytest.raises(NotFoundError, match=r'^configmaps "m" not found$'):
        Lister(store, GroupResource("", "configmaps")).get("m")


def test_a_key_that_a_lister_of_one_namespace_gets_is_told_what_it_wants(lister: Lister) -> None:
    with pytest.raises(
        NotFoundError, match=r'"default/m" not found: in namespace default want the name alone, not the key'
    ):
        lister.namespace("default").get("default/m")


def test_a_late_index_names_the_object_that_its_function_fails_with(store: Store) -> None:
    with pytest.raises(InformerError, match=r"index 'size': its function failed: KeyError: 'size', with default/m$"):
        store.add_indexers({"size": lambda obj: [obj["data"]["size"]]})
    with pytest.raises(InformerError, match=r"must give a list of texts, not 'left', with default/m$"):
        store.add_indexers({"shelves": lambda obj: obj["data"]["shelf"]})
    with pytest.raises(InformerError, match=r"SystemExit: even this, with default/m$"):
        store.add_indexers({"exits": lambda _obj: sys.exit("even this")})
    with pytest.raises(
        InformerError, match=r"index 'shelf': its function failed: KeyError: 'data', with an object without"
    ):
        store.index("shelf", {})


def test_the_interrupt_of_whoever_adds_an_index_is_theirs(store: Store) -> None:
    def interrupted(_obj: Any) -> list[str]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.add_indexers({"interrupted": interrupted})
    assert "interrupted" not in store.indexers
