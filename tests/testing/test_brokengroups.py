"""Aggregated APIs, broken in every way, as the real API server shows them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dynkube.errors import InvalidRequestError
from dynkube.testing import ControlPlane, ControlPlaneError
from dynkube.testing.apiclient import APIClient
from dynkube.testing.brokengroups import BREAKAGES

pytestmark = [pytest.mark.controlplane, pytest.mark.timeout(180)]

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


@pytest.fixture
def api(control_plane: ControlPlane) -> APIClient:
    folder = control_plane.folder / "pki"
    port = int(control_plane.url.rpartition(":")[2])
    return APIClient(
        "127.0.0.1", port, ca=folder / "ca.crt", certificate=folder / "admin.crt", key=folder / "admin.key"
    )


def discovered(api: APIClient, group: str) -> list[dict[str, Any]]:
    groups = json.loads(api.send("GET", "/apis", accept=AGGREGATED).body)["items"]
    return [version for each in groups if each["metadata"]["name"] == group for version in each["versions"]]


EXPECTED: dict[str, tuple[int, bytes | None, str]] = {
    "empty": (200, b"", "Current"),
    "garbage": (200, b'{"kind": "APIResourceList", "apiVersion"', "Stale"),
    "healthy": (200, None, "Current"),
    "html": (200, b"<!DOCTYPE html><html><body><h1>It works!</h1></body></html>", "Stale"),
    "refused": (503, None, "Stale"),
    "stale": (503, None, "Stale"),
    "unavailable": (503, None, "Stale"),
}


def test_every_way_is_tried_here() -> None:
    assert {*EXPECTED, "hang"} == set(BREAKAGES)


@pytest.mark.parametrize("how", sorted(EXPECTED))
def test_broken_repaired_removed(control_plane: ControlPlane, api: APIClient, how: str) -> None:
    status, body, freshness = EXPECTED[how]
    with control_plane.break_group(f"{how}.example.com/v1", how) as broken:
        answer = api.send("GET", f"/apis/{how}.example.com/v1")
        assert status == answer.status
        assert body is None or body == answer.body
        assert [version["freshness"] for version in discovered(api, f"{how}.example.com")] == [freshness]
        # The others are well.
        assert api.send("GET", "/apis/apps/v1").ok
        broken.repair()
        resources = api.send("GET", f"/apis/{how}.example.com/v1").json()["resources"]
        assert [each["name"] for each in resources] == ["gizmos"]
        assert api.send("GET", f"/apis/{how}.example.com/v1/namespaces/default/gizmos").json()["items"] == []
        assert api.send("GET", f"/apis/{how}.example.com/v1/namespaces/default/gizmos/x").status == 404
        assert f"{how}.example.com/v1: healthy" in repr(broken)
    assert api.send("GET", f"/apis/{how}.example.com/v1").status == 404
    assert discovered(api, f"{how}.example.com") == []
    broken.remove()


def test_one_that_hangs(control_plane: ControlPlane, api: APIClient) -> None:
    with control_plane.break_group("hangs.example.com/v1", "hang") as broken:
        with pytest.raises(TimeoutError):
            api.send("GET", "/apis/hangs.example.com/v1", timeout=0.5)
        broken.behave("refused")
        assert api.send("GET", "/apis/hangs.example.com/v1").status == 503


def test_it_survives_a_restart_of_the_api_server(control_plane: ControlPlane, api: APIClient) -> None:
    with control_plane.break_group("restarted.example.com/v1beta1", "healthy"):
        control_plane.restart()
        assert api.send("GET", "/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.restarted.example.com").ok


@pytest.mark.parametrize(
    "group_version", ["v1", "apps/v1", "broken.example.com", "Broken.example.com/v1", "a.b/v1/c", "a.b/"]
)
def test_what_cannot_be_aggregated(control_plane: ControlPlane, group_version: str) -> None:
    with pytest.raises(InvalidRequestError, match="is no group and version that can be aggregated"):
        control_plane.break_group(group_version)


def test_an_unknown_way(control_plane: ControlPlane, api: APIClient) -> None:
    with pytest.raises(InvalidRequestError, match="how='sideways' is none of empty, garbage"):
        control_plane.break_group("sideways.example.com/v1", "sideways")
    assert discovered(api, "sideways.example.com") == []


def test_a_group_that_the_server_has(control_plane: ControlPlane) -> None:
    with pytest.raises(ControlPlaneError, match="already exists"):
        control_plane.break_group("rbac.authorization.k8s.io/v1")
