"""ControlPlane, on the real programs."""

from __future__ import annotations

import pytest

from dynkube.testing import AccessRule, ControlPlane

pytestmark = [pytest.mark.controlplane, pytest.mark.timeout(180)]


def test_the_server_is_ready(control_plane: ControlPlane) -> None:
    assert control_plane.url.startswith("https://127.0.0.1:")
    assert control_plane.kubeconfig.stat().st_mode & 0o777 == 0o600
    assert control_plane.folder.stat().st_mode & 0o777 == 0o700


def test_a_rule_is_in_force_when_allow_returns(control_plane: ControlPlane) -> None:
    control_plane.allow(AccessRule(user="alice", verbs=("get", "list"), resources=("pods",)))
