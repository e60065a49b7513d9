"""lightkube on the embedded server: the eight tasks, but for a list of API resources, which it does not have."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from berths import GROUP, KIND, PLURAL, VERSION, berth, deployment

lightkube = pytest.importorskip("lightkube", reason="lightkube is not installed: tox -e interop-lightkube")


@pytest.fixture
def client(place: Any) -> Any:
    from lightkube.config.kubeconfig import KubeConfig

    config = KubeConfig.from_file(str(place.kubeconfig))
    return lightkube.Client(config=config, namespace=place.namespace, field_manager="lightkube-tests")


@pytest.fixture(scope="module")
def berths() -> Any:
    from lightkube.generic_resource import create_namespaced_resource

    return create_namespaced_resource(GROUP, VERSION, KIND, PLURAL)


def of_dict(manifest: dict[str, Any]) -> Any:
    from lightkube.codecs import from_dict

    return from_dict(manifest)


def test_lists_deployments(client: Any) -> None:
    from lightkube.resources.apps_v1 import Deployment

    client.create(of_dict(deployment("web")))
    assert [each.metadata.name for each in client.list(Deployment)] == ["web"]
    client.patch(Deployment, "web", {"spec": {"replicas": 3}})  # strategic
    assert client.get(Deployment, "web").spec.replicas == 3
    assert client.get(Deployment.Scale, "web").spec.replicas == 3


def test_creates_and_gets_a_custom_object(client: Any, berths: Any) -> None:
    client.create(berths(berth("north")))
    assert client.get(berths, "north")["spec"] == {"length": 10}


def test_patches(client: Any, berths: Any) -> None:
    from lightkube.types import PatchType

    client.create(berths(berth("north")))
    changed = client.patch(berths, "north", {"spec": {"length": 20}}, patch_type=PatchType.MERGE)
    assert changed["spec"]["length"] == 20
    with pytest.raises(lightkube.ApiError) as refused:
        client.patch(berths, "north", {"spec": {"length": 20}})
    assert refused.value.status.code == 415


def test_applies(client: Any, berths: Any) -> None:
    client.apply(berths(berth("north")), field_manager="one")
    with pytest.raises(lightkube.ApiError, match="conflict"):
        client.apply(berths(berth("north", 30)), field_manager="two")
    assert client.apply(berths(berth("north", 30)), field_manager="two", force=True)["spec"]["length"] == 30


def test_watches(client: Any, berths: Any) -> None:
    client.create(berths(berth("north")))
    told = []
    for kind, found in client.watch(berths):
        told.append((kind, found.metadata.name))
        if len(told) == 1:
            client.delete(berths, "north")
        else:
            break
    assert told == [("ADDED", "north"), ("DELETED", "north")]


def test_waits_for_a_condition(place: Any, client: Any, berths: Any) -> None:
    client.create(berths(berth("north")))
    threading.Timer(0.2, place.set_condition, ("north", "Ready")).start()
    assert client.wait(berths, "north", for_conditions=["Ready"]).metadata.name == "north"


def test_deletes_a_collection(client: Any, berths: Any) -> None:
    client.create(berths(berth("north")))
    client.deletecollection(berths)
    assert list(client.list(berths)) == []
