"""Series of events.k8s.io/v1, on a clock of the test's own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from dynkube.errors import InvalidRequestError
from dynkube.events import SeriesCache

pytestmark = pytest.mark.behaviour("7.7.5", "10.1.16")


class Clock:
    seconds = 0.0

    def __call__(self):
        return self.seconds

    def now(self):
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)


def event(note="it shines", **fields):
    return {
        "metadata": {"name": "foo.1", "namespace": "baz"}, "type": "Normal", "reason": "Polished", "action": "Polishing",
        "reportingController": "test", "reportingInstance": "test-1", "note": note,
        "regarding": {"kind": "Pod", "namespace": "baz", "name": "foo", "uid": "bar", "resourceVersion": "1"},
    } | fields  # fmt: skip


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def cache(clock):
    return SeriesCache(clock=clock, now=clock.now)


def counts(events):
    return [each["series"]["count"] for each in events]


def test_the_first_one_is_written_as_it_is(cache):
    assert cache.add(event()) == event()


def test_the_second_one_makes_it_a_series_of_two(cache, clock):
    cache.add(event())
    clock.seconds = 1.5
    again = cache.add(event("it shines again", metadata={"name": "foo.2", "namespace": "baz"}))
    assert again["series"] == {"count": 2, "lastObservedTime": "2026-01-01T00:00:01.500000Z"}
    assert (again["metadata"]["name"], again["note"]) == ("foo.1", "it shines")


def test_further_ones_are_only_counted(cache):
    cache.add(event())
    cache.add(event())
    assert [cache.add(event()) for _ in range(3)] == [None, None, None]
    assert counts(cache.close()) == [5]


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "Warning"}, {"reason": "Scratched"}, {"action": "Scratching"}, {"reportingController": "other"},
        {"reportingInstance": "test-2"}, {"regarding": {"name": "bar"}}, {"related": {"name": "bar"}},
    ],
)  # fmt: skip
def test_what_differs_in_anything_but_the_note_is_of_another_kind(cache, fields):
    cache.add(event())
    assert "series" not in cache.add(event(**fields))


def test_a_new_version_of_the_object_is_no_other_object(cache):
    """To client-go it is."""
    cache.add(event())
    newer = event()["regarding"] | {"resourceVersion": "2"}
    assert cache.add(event(regarding=newer))["series"]["count"] == 2


def test_a_series_that_goes_on_is_written_every_30_minutes(cache, clock):
    for _ in range(40):
        cache.add(event())
        clock.seconds += 60
        due = counts(cache.due())
        assert due == ([31] if clock.seconds == 31 * 60 else [])


def test_a_series_is_written_when_nothing_has_happened_for_6_minutes(cache, clock):
    for _ in range(5):
        cache.add(event())
    clock.seconds = 359
    assert counts(cache.due()) == []
    clock.seconds = 360
    assert counts(cache.due()) == [5]
    assert counts(cache.due()) == []
    assert "series" not in cache.add(event())  # a new one


def test_one_alone_is_forgotten_after_6_minutes(cache, clock):
    cache.add(event())
    clock.seconds = 360
    assert list(cache.due()) == []
    assert "series" not in cache.add(event())


def test_what_is_over_and_what_is_not_are_told_apart(cache, clock):
    for _ in range(3):
        cache.add(event())
    clock.seconds = 300
    cache.add(event(reason="Scratched"))
    clock.seconds = 400
    assert counts(cache.due()) == [3]
    assert cache.add(event(reason="Scratched"))["series"]["count"] == 2


def test_at_the_end_what_has_grown_is_written(cache):
    for reason, times in (("once", 1), ("twice", 2), ("often", 4)):
        for _ in range(times):
            cache.add(event(reason=reason))
    assert counts(cache.close()) == [4]
    assert list(cache.close()) == []


def test_what_was_handed_over_is_a_copy(cache):
    first = cache.add(event())
    first["regarding"]["name"] = "changed"
    assert cache.add(event())["regarding"]["name"] == "foo"


def test_the_longest_unused_goes_first_whoever_looked(clock):
    cache = SeriesCache(cache_size=2, clock=clock, now=clock.now)
    for reason in ("a", "b", "a"):
        cache.add(event(reason=reason))
    assert counts(cache.due()) == []
    cache.add(event(reason="c"))
    assert cache.add(event(reason="a")) is None, "the third of its series"
    assert "series" not in cache.add(event(reason="b")), "was forgotten"


def test_only_so_many_are_remembered(clock):
    cache = SeriesCache(cache_size=1, clock=clock, now=clock.now)
    cache.add(event())
    cache.add(event(reason="Scratched"))
    assert "series" not in cache.add(event())


@pytest.mark.parametrize("options", [{"cache_size": "a"}, {"refresh": -1}, {"finish": None}, {"clock": 3}, {"now": 3}])
def test_what_is_no_cache_is_refused_by_name(options):
    with pytest.raises(InvalidRequestError, match=f"^{next(iter(options))}: "):
        SeriesCache(**options)
