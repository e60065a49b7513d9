"""kr8s on the embedded server: the eight tasks, but for server-side apply, which it does not have."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from berths import GROUP, KIND, PLURAL, VERSION, berth, deployment

kr8s = pytest.importorskip("kr8s", reason="kr8s is not installed: tox -e interop-kr8s")

Berth = kr8s.objects.new_class(KIND, f"{GROUP}/{VERSION}", plural=PLURAL)


@pytest.fixture
def api(place: Any) -> Any:
    return kr8s.api(kubeconfig=str(place.kubeconfig), namespace=place.namespace)


@pytest.fixture
def make(place: Any, api: Any) -> Any:
    def make(manifest: dict[str, Any]) -> Any:
        manifest["metadata"]["namespace"] = place.namespace
        made = (Berth if manifest["kind"] == KIND else kr8s.objects.Deployment)(manifest, api=api)
        made.create()
        return made

    return make


def test_lists_deployments(place: Any, api: Any, make: Any) -> None:
    make(deployment("web"))
    assert [each.name for each in api.get("deployments", namespace=place.namespace)] == ["web"]


def test_creates_and_gets_a_custom_object(place: Any, api: Any, make: Any) -> None:
    make(berth("north"))
    (found,) = api.get(Berth, "north", namespace=place.namespace)
    assert (found.kind, found.spec.length) == (KIND, 10)


def test_patches(make: Any) -> None:
    made = make(berth("north"))
    made.patch({"spec": {"length": 20}})
    assert made.spec.length == 20


def test_watches(place: Any, api: Any, make: Any) -> None:
    make(berth("north"))
    told = []
    for kind, found in api.watch(Berth, namespace=place.namespace):
        told.append((kind, found.name))
        if len(told) == 1:
            threading.Timer(0.1, place.set_condition, ("north", "Ready")).start()
        else:
            break
    assert told == [("ADDED", "north"), ("MODIFIED", "north")]


def test_waits_for_a_condition(place: Any, make: Any) -> None:
    made = make(berth("north"))
    place.set_condition("north", "Moored")  # kr8s stumbles over an object without a status
    made.refresh()
    threading.Timer(0.2, place.set_condition, ("north", "Ready")).start()
    made.wait("condition=Ready", timeout=20)


def test_lists_api_resources(api: Any) -> None:
    kinds = {each["kind"] for each in api.api_resources()}
    assert {"Pod", "Deployment", KIND} <= kinds


def test_scales_and_deletes(api: Any, make: Any) -> None:
    made = make(deployment("web"))
    made.patch({"spec": {"replicas": 3}}, subresource="scale")
    made.refresh()
    assert made.spec.replicas == 3
    made.delete()
    assert not made.exists()
