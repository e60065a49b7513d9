"""pykube-ng on the embedded server: the eight tasks, but for server-side apply and waiting, which it does not have."""

from __future__ import annotations

from typing import Any

import pytest
from berths import GROUP, KIND, VERSION, berth, deployment

pykube = pytest.importorskip("pykube", reason="pykube-ng is not installed: tox -e interop-pykube")


@pytest.fixture
def api(place: Any) -> Any:
    return pykube.HTTPClient(pykube.KubeConfig.from_file(str(place.kubeconfig)))


@pytest.fixture
def berths(api: Any) -> Any:
    return pykube.object_factory(api, f"{GROUP}/{VERSION}", KIND)


def placed(place: Any, manifest: dict[str, Any]) -> dict[str, Any]:
    manifest["metadata"]["namespace"] = place.namespace
    return manifest


def test_lists_deployments(place: Any, api: Any) -> None:
    pykube.Deployment(api, placed(place, deployment("web"))).create()
    found = pykube.Deployment.objects(api).filter(namespace=place.namespace)
    assert [each.name for each in found] == ["web"]
    found.get_by_name("web").scale(0)
    assert found.get_by_name("web").replicas == 0


def test_creates_and_gets_a_custom_object(place: Any, api: Any, berths: Any) -> None:
    berths(api, placed(place, berth("north"))).create()
    found = berths.objects(api).filter(namespace=place.namespace).get_by_name("north")
    assert found.obj["spec"] == {"length": 10}


def test_patches_and_deletes(place: Any, api: Any, berths: Any) -> None:
    made = berths(api, placed(place, berth("north")))
    made.create()
    made.patch({"spec": {"length": 20}})
    assert made.obj["spec"]["length"] == 20
    made.delete()
    assert not made.exists()


def test_watches(place: Any, api: Any, berths: Any) -> None:
    berths(api, placed(place, berth("north"))).create()
    for event in berths.objects(api).filter(namespace=place.namespace).watch():
        assert (event.type, event.object.name) == ("ADDED", "north")
        break


def test_lists_api_resources(api: Any) -> None:
    kinds = {each["kind"] for each in api.resource_list("apps/v1")["resources"]}
    assert "Deployment" in kinds


def test_a_table(place: Any, api: Any) -> None:
    pykube.ConfigMap(api, placed(place, {"metadata": {"name": "c"}, "data": {"a": "1"}})).create()
    table = pykube.ConfigMap.objects(api).filter(namespace=place.namespace).as_table()
    assert [each["name"] for each in table.columns][:2] == ["Name", "Data"]
    assert [row["cells"][:2] for row in table.rows] == [["c", 1]]
