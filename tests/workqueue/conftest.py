"""A clock that the tests move."""

from __future__ import annotations

import pytest


class Clock:
    """Seconds since nothing in particular."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now

    def step(self, seconds):
        self.now += seconds


@pytest.fixture
def clock():
    return Clock()
