"""A server of each case's own, on which workloads report what their controllers would."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dynkube.dynamic import DynamicClient
from dynkube.testing import APIServer


@pytest.fixture
def server() -> Iterator[APIServer]:
    with APIServer(run_workloads=True) as server:
        yield server


@pytest.fixture
def client(server: APIServer) -> Iterator[DynamicClient]:
    with server.connect() as client:
        yield client
