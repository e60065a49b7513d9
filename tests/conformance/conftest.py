"""One server for the suite, and what its cases share.

A case touches the server only through its face (``server``), through dynkube (``client``) and
through plain HTTP (``raw``), so the same cases run on every server that has the face.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator

import pytest
from manifests import CONFIGMAPS, CRDS, GROUP, NAMESPACES, WIDGETS, crd
from raw import RawClient

import dynkube
from dynkube.testing import ControlPlane

_numbers = itertools.count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker(pytest.mark.timeout(180))


@pytest.fixture(scope="session")
def server(control_plane: ControlPlane) -> ControlPlane:
    return control_plane


@pytest.fixture(scope="session")
def _session_client(server: ControlPlane) -> Iterator[dynkube.DynamicClient]:
    with server.connect() as client:
        yield client


@pytest.fixture
def client(_session_client: dynkube.DynamicClient) -> dynkube.DynamicClient:
    return _session_client


@pytest.fixture(scope="session")
def raw(server: ControlPlane) -> RawClient:
    return RawClient(server.kubeconfig)


@pytest.fixture
def unique() -> str:
    """A name that no other case uses."""
    return f"case-{os.getpid()}-{next(_numbers)}"


@pytest.fixture
def namespace(client: dynkube.DynamicClient, unique: str) -> Iterator[str]:
    """A namespace of the case's own. Its objects go with the server; nothing waits for its deletion."""
    client.resource(NAMESPACES).create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": unique}})
    yield unique
    client.resource(NAMESPACES).delete(unique)


@pytest.fixture
def configmaps(client: dynkube.DynamicClient, namespace: str) -> dynkube.ResourceHandle:
    return client.resource(CONFIGMAPS).namespace(namespace)


@pytest.fixture(scope="session")
def _widget_crd(_session_client: dynkube.DynamicClient) -> None:
    crds = _session_client.resource(CRDS)
    crds.create(crd("widgets", "Widget", shortNames=["wd"], categories=["conformance"]))
    crds.wait(f"widgets.{GROUP}", condition="Established", timeout=30)


@pytest.fixture
def widgets(_widget_crd: None, client: dynkube.DynamicClient, namespace: str) -> dynkube.ResourceHandle:
    """A custom resource with status and scale."""
    return client.resource(WIDGETS).namespace(namespace)
