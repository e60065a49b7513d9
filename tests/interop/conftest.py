"""Other people's clients on the embedded server; where there is a control plane, beside it."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kubectls import Kubectl, find_kubectls

from dynkube import testing
from dynkube.testing import ControlPlane

BOTH = pytest.param("both servers", marks=pytest.mark.controlplane)
EMBEDDED = "embedded"
KUBECTLS = find_kubectls()
NO_KUBECTL = "no kubectl: neither in $KUBEBUILDER_ASSETS nor on PATH"

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def _embedded() -> Iterator[Any]:
    with testing.APIServer() as server:
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
