"""pytest fixtures with an API server, embedded or real, for who opts in.

Enable it with ``-p dynkube.testing.plugin`` (for good: in ``addopts``), or in the top-level
``conftest.py`` with ``pytest_plugins = ["dynkube.testing.plugin"]``.

- ``api_server``: a running `APIServer` of the test's own: it starts in milliseconds, so no two tests
  need to share one, and nothing that a test leaves behind is seen by another.
- ``api_server_options``: the keyword arguments for it; override the fixture to change them, for a
  module, a class or a test.
- ``control_plane``: a running `ControlPlane`, one for the session; with pytest-xdist, one for
  each worker. Where neither ``--control-plane-assets`` nor ``$KUBEBUILDER_ASSETS`` names the
  programs, the test is skipped; with ``--require-control-plane`` it fails.
- ``control_plane_options``: the keyword arguments for it; override the fixture (scope
  ``session``) to change them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from dynkube.testing.apiserver.server import APIServer
from dynkube.testing.controlplane import ControlPlane
from dynkube.testing.programs import ASSETS_VARIABLE, NO_ASSETS

__all__ = ["api_server", "api_server_options", "control_plane", "control_plane_options"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the two options."""
    group = parser.getgroup("dynkube", "a real Kubernetes control plane (dynkube)")
    group.addoption(
        "--control-plane-assets",
        metavar="FOLDER",
        help="folder with etcd and kube-apiserver (default: $KUBEBUILDER_ASSETS)",
    )
    group.addoption(
        "--require-control-plane",
        action="store_true",
        help="fail the tests that need a control plane where there is none, instead of skipping them",
    )


@pytest.fixture
def api_server_options() -> dict[str, Any]:
    """Keyword arguments for the test's `APIServer`; override to change them.

    ::

        @pytest.fixture
        def api_server_options():
            return {"objects": ["crds/"]}
    """
    return {}


@pytest.fixture
def api_server(api_server_options: dict[str, Any]) -> Iterator[APIServer]:
    """A running `APIServer`, of this test alone."""
    with APIServer(**api_server_options) as server:
        yield server


@pytest.fixture(scope="session")
def control_plane_options() -> dict[str, Any]:
    """Keyword arguments for the session's `ControlPlane`; override to change them."""
    return {}


@pytest.fixture(scope="session")
def control_plane(request: pytest.FixtureRequest, control_plane_options: dict[str, Any]) -> Iterator[ControlPlane]:
    """A running `ControlPlane`, shared by all tests of the session (of the xdist worker)."""
    options = dict(control_plane_options)
    if (assets := request.config.getoption("--control-plane-assets")) is not None:
        options["assets"] = assets
    if not options.get("assets") and not os.environ.get(ASSETS_VARIABLE):
        if request.config.getoption("--require-control-plane"):
            pytest.fail(f"--require-control-plane: {NO_ASSETS}", pytrace=False)
        pytest.skip(NO_ASSETS)
    # A folder that is named and unusable is a mistake, and an error: not a reason to skip.
    with ControlPlane(**options) as plane:
        yield plane
