"""Entries of metadata.managedFields: read, ordered, capped, and said for scales. Expected as the real server has them."""

from __future__ import annotations

from typing import Any

import pytest

from dynkube.testing.apiserver.fieldmanagement import from_scale, manager_name, to_scale
from dynkube.testing.apiserver.fieldmanagement.managers import (
    APPLY,
    UPDATE,
    Manager,
    cap_updaters,
    decode,
    encode,
    is_reset,
)
from dynkube.testing.apiserver.fieldmanagement.problems import ProblemError


def entry(
    manager: str = "x", operation: str = "Update", time: str = "2026-01-01T00:00:00Z", **more: Any
) -> dict[str, Any]:
    """An entry as stored; a value of None leaves a field out."""
    made = {
        "manager": manager,
        "operation": operation,
        "apiVersion": "v1",
        "time": time,
        "fieldsType": "FieldsV1",
        "fieldsV1": {"f:data": {f"f:{manager}": {}}},
        **more,
    }
    return {name: value for name, value in made.items() if value is not None}


def names(entries: list[dict[str, Any]]) -> list[str]:
    return [each["manager"] for each in entries]


def test_entries_are_read_and_written_as_they_are() -> None:
    entries = [entry("a", APPLY), entry("b", subresource="status"), entry("c", time=None)]
    stored = encode(decode(entries))
    assert sorted(stored, key=lambda each: each["manager"]) == entries
    assert list(stored[0]) == ["manager", "operation", "apiVersion", "time", "fieldsType", "fieldsV1"]


def test_appliers_come_first_then_the_oldest_then_by_name_version_and_subresource() -> None:
    ordered = [
        entry("z", APPLY, "2026-01-01T00:00:01Z"),
        entry("a", APPLY, "2026-01-01T00:00:02Z"),
        entry("z", time=None),
        entry("z", time="2026-01-01T00:00:00Z"),
        entry("b", time="2026-01-01T00:00:01Z", apiVersion="v0"),
        entry("b", time="2026-01-01T00:00:01Z"),
        entry("b", time="2026-01-01T00:00:01Z", subresource="status"),
        entry("c", time="2026-01-01T00:00:01Z"),
    ]
    del ordered[2]  # the same manager as the next: the last one counts
    assert encode(decode(reversed(ordered))) == ordered


def test_times_are_in_utc_and_whole_seconds() -> None:
    [stored] = encode(decode([entry(time="2026-01-01T00:00:00.5+02:00")]))
    assert stored["time"] == "2025-12-31T22:00:00Z"


def test_an_applier_is_one_manager_in_all_versions() -> None:
    entries = [entry("a", APPLY, apiVersion="v1"), entry("a", APPLY, apiVersion="v2"), entry("a", apiVersion="v2")]
    assert [each["apiVersion"] for each in encode(decode(entries))] == ["v2", "v2"]


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"operation": "Delete"}, "operation must be `Apply` or `Update`"),
        ({"operation": None}, "operation must be `Apply` or `Update`"),
        ({"apiVersion": None}, "apiVersion must not be empty"),
        ({"fieldsType": None}, "missing fieldsType in managed fields entry 0"),
        ({"fieldsType": "FieldsV2"}, 'invalid fieldsType "FieldsV2" in managed fields entry 0'),
    ],
)
def test_entries_that_cannot_be_read(wrong: dict[str, Any], text: str) -> None:
    with pytest.raises(ProblemError) as caught:
        decode([entry(**wrong)])
    assert str(caught.value) == text


@pytest.mark.parametrize(
    ("entries", "of_built_in", "of_custom"),
    [(None, False, False), ([], True, False), ([{}], True, True), ([{}, {}], False, False), ([entry()], False, False)],
)
def test_resets(entries: Any, of_built_in: bool, of_custom: bool) -> None:
    assert [is_reset(entries, is_custom=each) for each in (False, True)] == [of_built_in, of_custom]


def test_a_manager_has_an_identifier_that_names_what_tells_it_apart() -> None:
    applier = Manager.of('a"<', APPLY, "v1", "")
    updater = Manager.of("", UPDATE, "v1", "status")
    assert applier.identifier == '{"manager":"a\\"\\u003c","operation":"Apply"}'
    assert updater.identifier == '{"operation":"Update","apiVersion":"v1","subresource":"status"}'


@pytest.mark.parametrize(
    ("field_manager", "user_agent", "name"),
    [
        ("me", "kubectl/1", "me"),
        ("", "kubectl/v1.36.0 (linux/amd64) kubernetes/abc", "kubectl"),
        ("", "curl", "curl"),
        ("", "", ""),
        ("", "a\x07b\tc d/1", "abc d"),
        ("", "é" * 70, "é" * 64),
        ("", "x" * 130, "x" * 128),
    ],
)
def test_the_name_of_a_manager(field_manager: str, user_agent: str, name: str) -> None:
    assert manager_name(field_manager, user_agent) == name


def second(number: int) -> str:
    return f"2026-01-01T00:00:{number:02}Z"


def test_ten_updaters_stay() -> None:
    managed = decode([entry("a", APPLY), *(entry(f"m{number}") for number in range(10))])
    cap_updaters(managed)
    assert len(managed.owners) == 11


def test_the_oldest_updaters_of_a_version_become_one() -> None:
    managed = decode([entry(f"m{number:02}", time=second(number)) for number in range(12)])
    cap_updaters(managed)
    stored = encode(managed)
    assert names(stored) == ["ancient-changes", *(f"m{number:02}" for number in range(3, 12))]
    assert stored[0]["fieldsV1"] == {"f:data": {"f:m00": {}, "f:m01": {}, "f:m02": {}}}
    assert stored[0]["time"] == second(2)


def test_updaters_of_different_versions_stay_apart() -> None:
    managed = decode([entry(f"m{number:02}", time=second(number), apiVersion=f"v{number % 2}") for number in range(12)])
    cap_updaters(managed)
    ancient = [each for each in encode(managed) if each["manager"] == "ancient-changes"]
    assert [(each["apiVersion"], each["fieldsV1"]["f:data"].keys()) for each in ancient] == [
        ("v0", {"f:m00", "f:m02"}),
        ("v1", {"f:m01", "f:m03"}),
    ]


def test_the_bucket_takes_more() -> None:
    managed = decode(
        [
            entry("ancient-changes", time=second(0)),
            *(entry(f"m{number}", time=second(number + 1)) for number in range(10)),
        ]
    )
    cap_updaters(managed)
    assert encode(managed)[0]["fieldsV1"] == {"f:data": {"f:ancient-changes": {}, "f:m0": {}}}


# ------------------------------------------------------------------ scales

REPLICAS = {"f:spec": {"f:replicas": {}}}
PATHS = {"apps/v1": ("spec", "replicas"), "other/v1": ("spec", "count"), "bare/v1": None}


def owner(manager: str, fields: Any = REPLICAS, **more: Any) -> dict[str, Any]:
    return entry(manager, **{"apiVersion": "apps/v1", "fieldsV1": fields, **more})


def test_a_scale_has_the_managers_of_replicas() -> None:
    entries = [
        owner("a", operation=APPLY),
        owner("b", {"f:spec": {"f:paused": {}}}),
        owner("c", {"f:spec": {"f:count": {}}}, apiVersion="other/v1"),
        owner("d", apiVersion="gone/v1"),
        owner("e", apiVersion="bare/v1"),
    ]
    scaled = to_scale(entries, PATHS)
    assert names(scaled) == ["a", "c"]
    assert all(each["apiVersion"] == "autoscaling/v1" and each["fieldsV1"] == REPLICAS for each in scaled)


def test_a_scale_takes_replicas_from_their_manager() -> None:
    entries = [
        owner("a", {"f:spec": {"f:replicas": {}, "f:paused": {}}}, operation=APPLY),
        owner("b", apiVersion="gone/v1"),
    ]
    scaler = owner("s", apiVersion="autoscaling/v1", subresource="scale")
    stored = from_scale(entries, [scaler], PATHS, "apps/v1")
    assert names(stored) == ["a", "s"]
    assert [each["fieldsV1"] for each in stored] == [{"f:spec": {"f:paused": {}}}, REPLICAS]
    assert "time" not in stored[1]  # the real server keeps none of who scales


def test_a_scale_that_changes_nothing_leaves_replicas_to_their_applier() -> None:
    entries = [owner("a", operation=APPLY), owner("b", {"f:spec": {"f:paused": {}}})]
    assert from_scale(entries, to_scale(entries, PATHS), PATHS, "apps/v1") == entries


def test_a_manager_that_had_only_replicas_goes() -> None:
    stored = from_scale([owner("a", operation=APPLY)], [owner("s", apiVersion="autoscaling/v1")], PATHS, "apps/v1")
    assert names(stored) == ["s"]
