"""An embedded server for all cases, and a namespace for each."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from manifests import CONFIGMAPS, CRDS, NAMESPACES, WIDGETS, crd

import dynkube
from dynkube.testing import APIServer

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def _client() -> Iterator[dynkube.DynamicClient]:
    with APIServer() as server, server.connect() as client:
        client.resource(CRDS).create(crd("widgets", "Widget"))
        client.resource(CRDS).wait(f"widgets.{WIDGETS.group}", condition="Established", timeout=30)
        yield client


@pytest.fixture
def client(_client: dynkube.DynamicClient) -> dynkube.DynamicClient:
    return _client


@pytest.fixture
def namespace(client: dynkube.DynamicClient) -> str:
    name = f"case-{next(_numbers)}"
    client.resource(NAMESPACES).create({"metadata": {"name": name}})
    return name


@pytest.fixture
def widgets(client: dynkube.DynamicClient, namespace: str) -> dynkube.ResourceHandle:
    return client.resource(WIDGETS).namespace(namespace)


@pytest.fixture
def configmaps(client: dynkube.DynamicClient, namespace: str) -> dynkube.ResourceHandle:
    return client.resource(CONFIGMAPS).namespace(namespace)
