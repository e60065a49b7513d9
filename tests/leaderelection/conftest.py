"""Candidates on a clock of the test's own."""

from __future__ import annotations

import pytest
from elections import Cluster, MemoryLock, Time

from dynkube.leaderelection import LeaderElector
from dynkube.transport import CancelToken


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def cluster():
    return Cluster()


@pytest.fixture
def lock(cluster):
    return MemoryLock(cluster)


@pytest.fixture
def token():
    return CancelToken()


@pytest.fixture
def elector_of(lock, time):
    """An elector on the test's clock; its callbacks write into ``elector.log``."""

    def elector_of(lock=lock, **options):
        log = []
        options = {
            "on_started_leading": lambda token: log.append("started"),
            "on_stopped_leading": lambda: log.append("stopped"),
            "clock": time, "now": lambda: time.day, "random": lambda: 0.0, "wait": time.wait, **options,
        }  # fmt: skip
        elector = LeaderElector(lock, **options)
        elector.log = log
        return elector

    return elector_of
