"""Informers on the wire: lists, streamed initial objects, selectors, metadata only, custom resources; on both servers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from informing import PATIENCE, Recorder, until
from manifests import CRDS, GROUP, config_map, crd, widget

import dynkube
from dynkube.errors import NotFoundError
from dynkube.informers import InformerFactory, SharedInformer, index_by_labels

Make = Callable[..., SharedInformer]


@pytest.fixture
def synced() -> Iterator[Make]:
    """Makes informers with a recorder that have synced; they are stopped in the end."""
    made: list[SharedInformer] = []

    def make(handle: dynkube.ResourceHandle, *, recorder: Recorder | None = None, **options: Any) -> SharedInformer:
        informer = SharedInformer(handle, **options)
        made.append(informer)
        if recorder is not None:
            informer.add_event_handler(recorder)
        informer.start()
        informer.wait_for_cache_sync(timeout=PATIENCE)
        return informer

    yield make
    for informer in made:
        assert informer.stop(timeout=PATIENCE) == []


@pytest.mark.behaviour("7.4.1")
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"compact": True},
        {"page_size": 2},
        {"cached_lists": True},
        {"streaming": True},
        {"streaming": True, "compact": True},
    ],
    ids=lambda options: "+".join(options) or "default",
)
def test_the_store_and_what_is_told_become_the_servers_state(
    synced: Make, configmaps: dynkube.ResourceHandle, options: dict[str, Any]
) -> None:
    for number in range(5):
        configmaps.create(config_map(f"thing-{number}", color="red"))
    recorder = Recorder()
    informer = synced(configmaps, recorder=recorder, **options)
    assert len(informer.indexer) >= 5
    configmaps.patch("thing-1", {"data": {"color": "blue"}})
    configmaps.delete("thing-2")
    configmaps.create(config_map("thing-5"))
    recorder.wait_until(lambda told: any(each[1] == "thing-5" for each in told))
    by_key = lambda obj: obj["metadata"]["name"]  # noqa: E731
    # Its own ConfigMap may come at any moment.
    until(lambda: sorted(informer.indexer.list(), key=by_key) == sorted(configmaps.list(), key=by_key))
    mine = [each for each in recorder.told if each[1].startswith("thing-")]
    assert [each[0] for each in mine] == ["add"] * 5 + ["update", "delete", "add"]
    assert all(each[2] for each in mine[:5])


def test_selectors_and_metadata_only(synced: Make, configmaps: dynkube.ResourceHandle) -> None:
    for name, color in (("one", "red"), ("two", "red"), ("three", "blue")):
        configmaps.create(config_map(name, labels={"color": color}, text="long"))
    red = synced(configmaps.metadata_only(), label_selector="color=red", indexers={"labels": index_by_labels})
    assert sorted(obj["metadata"]["name"] for obj in red.indexer.by_index("labels", "color=red")) == ["one", "two"]
    assert {obj["kind"] for obj in red.indexer.list()} == {"PartialObjectMetadata"}
    assert not any("data" in obj for obj in red.indexer.list())
    assert synced(configmaps, field_selector="metadata.name=two").indexer.keys() == [
        f"{configmaps.bound_namespace}/two"
    ]


def test_custom_resources_through_a_factory(client: dynkube.DynamicClient, widgets: dynkube.ResourceHandle) -> None:
    widgets.create(widget("one", replicas=1))
    factory = InformerFactory(client, namespace=widgets.bound_namespace, compact=True)
    informer, recorder = factory.for_resource(widgets.gvr), Recorder()
    informer.add_event_handler(recorder)
    with factory:
        factory.wait_for_cache_sync(timeout=PATIENCE)
        widgets.patch("one", {"spec": {"replicas": 2}})
        recorder.wait(2)
        assert recorder.objects[1]["spec"]["replicas"] == 2
        assert informer.lister().get("one")["kind"] == "Widget"


@pytest.mark.parametrize("compact", [False, True], ids=["dicts", "compact"])
@pytest.mark.parametrize("streaming", [False, True], ids=["list", "stream"])
def test_a_definition_may_call_its_list_anything(
    synced: Make, client: dynkube.DynamicClient, unique: str, compact: bool, streaming: bool
) -> None:
    plural = f"{unique.replace('-', '')}s"
    definitions, name, kind = client.resource(CRDS), f"{plural}.{GROUP}", plural.title()
    definition = crd(plural, kind)
    definition["spec"]["names"]["listKind"] = f"{kind}Collection"
    definitions.create(definition)
    try:
        definitions.wait(name, condition="Established", timeout=PATIENCE)
        things = client.resource(dynkube.GroupVersionResource(GROUP, "v1", plural)).namespace("default")
        recorder = Recorder()
        synced(things, recorder=recorder, compact=compact, streaming=streaming)
        things.create({"apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": {"name": "one"}})
        told = recorder.wait_until(lambda told: told and told[-1][1] == "one")
        assert [each[:2] for each in told] == [("add", "one")]
    finally:
        definitions.delete(name)


def test_a_definition_that_goes_and_comes_back_under_an_informer(
    synced: Make, client: dynkube.DynamicClient, unique: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dynkube.wire.listwatch.backoff.Backoff.first", 0.1)
    monkeypatch.setattr("dynkube.wire.listwatch.backoff.Backoff.cap", 0.5)
    plural = f"{unique.replace('-', '')}s"
    definitions, name = client.resource(CRDS), f"{plural}.{GROUP}"
    things = client.resource(dynkube.GroupVersionResource(GROUP, "v1", plural)).namespace("default")

    def make(thing: str) -> None:
        things.create({"apiVersion": f"{GROUP}/v1", "kind": plural.title(), "metadata": {"name": thing}})

    def define() -> None:
        definitions.create(crd(plural, plural.title()))
        definitions.wait(name, condition="Established", timeout=PATIENCE)

    define()
    make("first")
    recorder = Recorder()
    informer = synced(things, recorder=recorder)
    definitions.delete(name)
    definitions.wait(name, condition="delete", timeout=PATIENCE)
    until(lambda: isinstance(informer.status.error, NotFoundError))
    define()
    make("second")
    # The deletion is told at once, or, where the watch ended before it, when the resource is back.
    told = recorder.wait_until(lambda told: told[-1][:2] == ("add", "second"))
    assert [each[:2] for each in told] == [("add", "first"), ("delete", "first"), ("add", "second")]
    assert informer.indexer.keys() == ["default/second"]
    definitions.delete(name)
