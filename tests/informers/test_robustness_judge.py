"""A judge that never complains proves nothing: each lie that an informer could tell is told here, and found."""

from __future__ import annotations

import pytest
from robustness.judging import Written, judge_completeness, judge_stream, judge_tokens, replayed
from robustness.recording import Recorder, Seen, Told
from robustness.schedules import EMBEDDED, REAL, Schedule


def seen(version: int, uid: str = "u1") -> Seen:
    return Seen(uid, version, f"w:{version}")


def add(version: int, uid: str = "u1") -> Told:
    return Told("add", "a", seen(version, uid))


def update(old: Seen, new: Seen) -> Told:
    return Told("update", "a", new, old)


def delete(version: int, uid: str = "u1") -> Told:
    return Told("delete", "a", seen(version, uid))


HONEST = [
    add(1),
    update(seen(1), seen(2)),
    delete(3),
    add(4, "u2"),
    update(seen(4, "u2"), seen(5, "u3")),
    delete(5, "u3"),
]

LIES = {
    "added twice": [add(1), add(2)],
    "told twice": [add(1), update(seen(1), seen(1))],
    "updated, and never added": [update(seen(1), seen(2))],
    "deleted, and never added": [delete(1)],
    "back in time": [add(5), update(seen(5), seen(4))],
    "back in time over a deletion": [add(5), delete(6), add(4, "u2")],
    "an old object that was not told": [add(1), update(seen(2), seen(3))],
    "another object's deletion": [add(1), delete(2, "u2")],
    "deleted, and yet there": [add(1), delete(2), add(3)],
    "replaced, and yet there": [add(1), update(seen(1), seen(2, "u2")), update(seen(2, "u2"), seen(3))],
    "deleted at an older version": [add(5), delete(4)],
}


def test_an_honest_stream_passes() -> None:
    assert list(judge_stream(HONEST, split_recreated=False)) == []
    assert replayed(HONEST) == {}
    assert replayed(HONEST[:-1]) == {"a": seen(5, "u3")}


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_found(lie: str) -> None:
    assert list(judge_stream(LIES[lie], split_recreated=False))


def test_a_recreated_object_is_no_update_where_it_must_be_split() -> None:
    assert list(judge_stream([add(1), update(seen(1), seen(2, "u2"))], split_recreated=True))


def test_a_version_that_nobody_wrote_is_found() -> None:
    written = Written(tokens={"w:1"})
    assert list(judge_tokens([add(1)], written)) == []
    assert list(judge_tokens([add(2)], written))


def test_contents_of_another_version_are_found() -> None:
    written = Written(tokens={"w:1", "w:2"}, versions={("a", 1): "w:2"})
    assert list(judge_tokens([add(1)], written))


def test_a_write_that_was_not_told_is_found() -> None:
    written = Written(tokens={"w:1", "w:2"}, versions={("a", 1): "w:1", ("a", 2): "w:2"})
    assert list(judge_completeness([add(1), update(seen(1), seen(2))], written, since=0)) == []
    assert list(judge_completeness([add(1)], written, since=0))
    assert list(judge_completeness([add(1)], written, since=2)) == []


def test_a_deletion_that_was_not_told_is_found() -> None:
    assert list(judge_completeness([add(1)], Written(deleted={"u1"}), since=0))
    assert list(judge_completeness([add(1), delete(2)], Written(deleted={"u1"}), since=0)) == []


def test_a_store_that_is_behind_its_handlers_is_found() -> None:
    behind = {"metadata": {"name": "a", "uid": "u1", "resourceVersion": "1"}}
    recorder = Recorder("handler", lambda _: behind)
    recorder.on_add(behind)
    assert recorder.complaints == []
    recorder.on_update(behind, {"metadata": {"name": "a", "uid": "u1", "resourceVersion": "2"}})
    assert recorder.complaints


def test_what_the_writers_know_is_read_from_their_logs() -> None:
    entry = {"resource": "pods", "name": "a", "uid": "u1", "version": "7", "outcome": "done"}
    entries = [
        {**entry, "action": "create", "token": "w:1"},
        {**entry, "action": "update", "token": "w:2", "outcome": "unknown", "version": ""},
        {**entry, "action": "delete", "token": "w:3"},
        {**entry, "action": "create", "token": "w:4", "resource": "configmaps"},
    ]
    written = Written.of("pods", entries)
    assert written == Written(tokens={"w:1", "w:2", "w:3"}, versions={("a", 7): "w:1"}, deleted={"u1"})


def test_a_seed_gives_the_same_schedule_each_time() -> None:
    for server in (EMBEDDED, REAL):
        assert str(Schedule.draw(7, server)) == str(Schedule.draw(7, server))
    assert Schedule.draw(7, REAL).command == "python tests/soak/informers.py --server real --seed 7"


def test_every_fault_comes_in_two_hundred_schedules() -> None:
    drawn = {step.name for seed in range(200) for step in Schedule.draw(seed, REAL).steps}
    assert len(drawn) == 32
