"""Other people's clients on the embedded server; where there is a control plane, beside it."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import berths
import pytest
from kubectls import Kubectl, find_kubectls
from raw import RawClient

from dynkube.testing import APIServer, ControlPlane

BOTH = pytest.param("both servers", marks=pytest.mark.controlplane)
EMBEDDED = "embedded"
KUBECTLS = find_kubectls()
NO_KUBECTL = "no kubectl: neither in $KUBEBUILDER_ASSETS nor on PATH"

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def _embedded() -> Iterator[Any]:
    with APIServer() as server:
        yield server


@pytest.fixture(params=KUBECTLS or [pytest.param("", marks=pytest.mark.skip(reason=NO_KUBECTL))])
def program(request: pytest.FixtureRequest) -> str:
    return KUBECTLS[request.param]


@pytest.fixture(params=[BOTH, EMBEDDED])
def kubectl(request: pytest.FixtureRequest, program: str, tmp_path: Path) -> Iterator[Kubectl]:
    """kubectl on both servers, in a namespace of the case's own; without a control plane on the embedded one."""
    servers: dict[str, Any] = {}
    if request.param != EMBEDDED:
        control_plane: ControlPlane = request.getfixturevalue("control_plane")
        servers["real"] = control_plane
    servers["embedded"] = request.getfixturevalue("_embedded")
    yield from _kubectl(program, servers, tmp_path)


@pytest.fixture
def kubectl_embedded(_embedded: Any, program: str, tmp_path: Path) -> Iterator[Kubectl]:
    """kubectl on the embedded server alone: for what a control plane without controllers does not do."""
    yield from _kubectl(program, {"embedded": _embedded}, tmp_path)


def _kubectl(program: str, servers: dict[str, Any], folder: Path) -> Iterator[Kubectl]:
    kubectl = Kubectl(program, {name: server.kubeconfig for name, server in servers.items()}, folder)
    name = f"interop-{os.getpid()}-{next(_numbers)}"
    kubectl("create", "namespace", name)
    kubectl.namespace = name
    yield kubectl
    kubectl("delete", "namespace", name, "--wait=false")


class Place:
    """A namespace of a case's own on the embedded server, for a client that knows nothing but a kubeconfig."""

    def __init__(self, server: Any, namespace: str) -> None:
        self.kubeconfig: Path = server.kubeconfig
        self.namespace = namespace
        self._raw = RawClient(server.kubeconfig)

    def request(self, method: str, path: str, body: Any = None, **headers: str) -> None:
        """One request that succeeds."""
        answer = self._raw.request(method, path, body, headers=headers)
        assert answer.status < 400, answer.body

    def set_condition(self, name: str, condition: str) -> None:
        """Set a condition of a berth, as its controller would."""
        path = f"/apis/{berths.GROUP}/{berths.VERSION}/namespaces/{self.namespace}/berths/{name}/status"
        body = {"status": {"conditions": [{"type": condition, "status": "True"}]}}
        self.request("PATCH", path, body, **{"Content-Type": "application/merge-patch+json"})


@pytest.fixture(scope="session")
def _berths(_embedded: Any) -> Any:
    Place(_embedded, "").request("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", berths.CRD)
    with _embedded.connect() as client:
        crds = client.resource("customresourcedefinitions.v1.apiextensions.k8s.io")
        crds.wait(berths.CRD["metadata"]["name"], condition="Established", timeout=10)
    return _embedded


@pytest.fixture
def place(_berths: Any) -> Iterator[Place]:
    """Where a Python client does its tasks."""
    place = Place(_berths, f"clients-{os.getpid()}-{next(_numbers)}")
    place.request("POST", "/api/v1/namespaces", {"metadata": {"name": place.namespace}})
    yield place
    place.request("DELETE", f"/api/v1/namespaces/{place.namespace}")
