"""What is recorded of built-in kinds is what a real kube-apiserver says now; see test_builtin_recorded.py."""

from __future__ import annotations

import pytest
from kindcases import Group, Player, groups
from raw import RawClient

from dynkube.testing import ControlPlane

GROUPS = groups()
pytestmark = pytest.mark.controlplane


@pytest.fixture(scope="module")
def player(control_plane: ControlPlane) -> Player:
    return Player(RawClient(control_plane.kubeconfig))


@pytest.mark.parametrize("group", GROUPS, ids=[group.name for group in GROUPS])
def test_it_is_so(player: Player, group: Group) -> None:
    for case, answer in zip(group.cases, player.play(group), strict=True):
        question = {name: case[name] for name in ("create", "change", "at") if name in case}
        assert case == question | answer
