"""Objects of built-in kinds get the answers that a real kube-apiserver gave: over 2,000 of them (see `kindcases`)."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from kindcases import Group, Player, groups
from raw import RawClient

from dynkube import testing

GROUPS = groups()


@pytest.fixture(scope="module")
def player() -> Iterator[Player]:
    with testing.APIServer() as server:
        yield Player(RawClient(server.kubeconfig))


@pytest.mark.parametrize("group", GROUPS, ids=[group.name for group in GROUPS])
def test_answers_are_those_of_the_real_server(player: Player, group: Group) -> None:
    for case, answer in zip(group.cases, player.play(group), strict=True):
        question = {name: case[name] for name in ("create", "change", "at") if name in case}
        assert case == question | answer, json.dumps(question)
