"""Several writers of one object, who try again after conflicts."""

from __future__ import annotations

import threading

import pytest
from manifests import config_map

import dynkube
from dynkube.polling import Backoff

WRITERS, TIMES = 4, 10


@pytest.mark.behaviour("7.8.1")
def test_no_update_is_lost_where_each_tries_again_after_a_conflict(configmaps):
    configmaps.create(config_map("counter", value="0"))
    together, errors = threading.Barrier(WRITERS), []

    def add_one():
        counter = configmaps.get("counter")
        counter["data"]["value"] = str(int(counter["data"]["value"]) + 1)
        return configmaps.update(counter)

    def write():
        together.wait()
        try:
            for _ in range(TIMES):
                dynkube.retry_on_conflict(add_one, backoff=Backoff(duration=0.005, jitter=1.0, steps=200))
        except dynkube.DynkubeError as error:
            errors.append(error)

    writers = [threading.Thread(target=write) for _ in range(WRITERS)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert errors == []
    assert configmaps.get("counter")["data"]["value"] == str(WRITERS * TIMES)
