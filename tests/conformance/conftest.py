"""Two servers for the suite, and what its cases share.

A case touches a server only through its face (``server``), through dynkube (``client``) and through
plain HTTP (``raw``), so the same cases run on every server that has the face: each once on the real
control plane and once on the embedded server. A case with ``both`` sends each request to the two and
compares the answers (tests/support/both.py).
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from functools import cached_property

import pytest
from both import Both, Side, new_namespace
from leakwatch import LeakWatch
from manifests import CONFIGMAPS, CRDS, GROUP, NAMESPACES, WIDGETS, crd
from raw import RawClient

import dynkube
from dynkube.testing import APIServer, ControlPlane, ServerFace

REAL = pytest.param("control plane", marks=pytest.mark.controlplane)
EMBEDDED = "embedded"
BOTH = pytest.param("both servers", marks=pytest.mark.controlplane)

_numbers = itertools.count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker(pytest.mark.timeout(180))


class Stage:
    """One server, and what all cases on it share; made when first asked for."""

    def __init__(self, server: ServerFace) -> None:
        self.server = server

    @cached_property
    def client(self) -> dynkube.DynamicClient:
        return self.server.connect()

    @cached_property
    def raw(self) -> RawClient:
        return RawClient(self.server.kubeconfig)

    @cached_property
    def widgets(self) -> dynkube.ResourceHandle:
        """A custom resource with status and scale."""
        crds = self.client.resource(CRDS)
        crds.create(crd("widgets", "Widget", shortNames=["wd"], categories=["conformance"]))
        crds.wait(f"widgets.{GROUP}", condition="Established", timeout=30)
        return self.client.resource(WIDGETS)

    def close(self) -> None:
        if "client" in self.__dict__:
            self.client.close()


@pytest.fixture(autouse=True)
def _watched(leak_watch: LeakWatch) -> Iterator[None]:
    """Every log line and every error of every case is searched for credentials."""
    with leak_watch.watching():
        yield


@pytest.fixture(scope="session")
def leak_watch() -> Iterator[LeakWatch]:
    """What the search has found, said at the end of the run."""
    watch = LeakWatch()
    yield watch
    assert not watch.found, f"credentials were shown {len(watch.found)} times, first: {watch.found[:5]}"


def _stage(server: ServerFace, leak_watch: LeakWatch) -> Iterator[Stage]:
    leak_watch.hunt_for(server)
    stage = Stage(server)
    yield stage
    stage.close()


@pytest.fixture(scope="session")
def _real(control_plane: ControlPlane, leak_watch: LeakWatch) -> Iterator[Stage]:
    yield from _stage(control_plane, leak_watch)


@pytest.fixture(scope="session")
def _embedded(leak_watch: LeakWatch) -> Iterator[Stage]:
    with APIServer() as server:
        yield from _stage(server, leak_watch)


# Chosen by each case, not for the session: a session's parameter would start servers anew at each turn.
@pytest.fixture(params=[REAL, EMBEDDED])
def stage(request: pytest.FixtureRequest) -> Stage:
    return request.getfixturevalue("_embedded" if request.param == EMBEDDED else "_real")


@pytest.fixture
def server(stage: Stage) -> ServerFace:
    """A server by its face: a `ControlPlane` or an `APIServer`."""
    return stage.server


@pytest.fixture
def client(stage: Stage) -> dynkube.DynamicClient:
    return stage.client


@pytest.fixture
def raw(stage: Stage) -> RawClient:
    return stage.raw


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


@pytest.fixture
def widgets(stage: Stage, namespace: str) -> dynkube.ResourceHandle:
    """A custom resource with status and scale."""
    return stage.widgets.namespace(namespace)


# ------------------------------------------------------------------ the same requests to both


@pytest.fixture(params=[BOTH, EMBEDDED])
def both(request: pytest.FixtureRequest) -> Iterator[Both]:
    """The two servers, compared request by request; without a control plane the embedded one alone."""
    names = ["_embedded"] if request.param == EMBEDDED else ["_real", "_embedded"]
    yield from _both(request, names)


@pytest.fixture(scope="session")
def _collecting(leak_watch: LeakWatch) -> Iterator[Stage]:
    """A control plane that collects garbage and ends namespaces: kube-controller-manager runs, too."""
    options = {"controller_manager": True, "api_server_args": ("--disable-admission-plugins=ServiceAccount",)}
    with ControlPlane(**options) as plane:
        yield from _stage(plane, leak_watch)


@pytest.fixture(params=[BOTH, EMBEDDED])
def both_collecting(request: pytest.FixtureRequest) -> Iterator[Both]:
    """As ``both``, with a real server whose controllers run: for cascades and the end of namespaces."""
    names = ["_embedded"] if request.param == EMBEDDED else ["_collecting", "_embedded"]
    yield from _both(request, names)


def _both(request: pytest.FixtureRequest, names: list[str]) -> Iterator[Both]:
    sides = [Side(name.strip("_"), request.getfixturevalue(name).raw) for name in names]
    pair = Both(sides, new_namespace())
    yield pair
    pair.clean()
