"""Where a followed log goes on: positions, replays, and a whole follower against a model of the kubelet."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynkube.errors import BadRequestError, ConnectionLostError, DecodeError, NotFoundError
from dynkube.streams.logfollow import Batch, LogOptions, follow
from dynkube.streams.splicing import LineSplitter, Position, Splicer, moment_of, without_stamps
from dynkube.transport import CallScope


def stamped(nanoseconds: int, text: str = "same") -> bytes:
    seconds, rest = divmod(nanoseconds, 10**9)
    return f"1970-01-01T{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest:09}Z {text}\n".encode()


# ---------------------------------------------------------------------- moments and lines


@pytest.mark.behaviour("8.3.4")
def test_moments_are_compared_to_the_nanosecond_in_any_zone():
    assert moment_of(b"2026-01-02T03:04:05.000000001Z") < moment_of(b"2026-01-02T03:04:05.00000001Z")
    assert moment_of(b"2026-01-02T03:04:05Z") == moment_of(b"2026-01-02T05:04:05+02:00")
    assert moment_of(b"2026-01-02T03:04:05.5-01:30")[1] == 500_000_000


@pytest.mark.parametrize(
    "text", [b"", b"yesterday", b"2026-01-02T03:04:05", b"2026-13-02T03:04:05Z", b"2026-01-02T03:04:05.1234567890Z"]
)
def test_what_is_no_time_is_told(text):
    with pytest.raises(DecodeError, match="RFC 3339"):
        moment_of(text)


@given(st.binary(max_size=200).map(lambda data: data.replace(b"\x00", b"\n")), st.lists(st.integers(1, 20)))
def test_lines_are_the_same_however_they_come(data, sizes):
    splitter, lines, rest = LineSplitter(), [], data
    for size in [*sizes, len(data)]:
        lines += splitter.feed(rest[:size])
        rest = rest[size:]
    assert b"".join(lines) + splitter.rest == data
    assert all(line.count(b"\n") == 1 and line.endswith(b"\n") for line in lines)
    assert b"\n" not in splitter.rest


def test_stamps_are_taken_off_where_there_are_any():
    assert without_stamps([stamped(5, "a b"), b"the end of a line\n", b"\n"]) == [
        b"a b\n",
        b"the end of a line\n",
        b"\n",
    ]


# ---------------------------------------------------------------------- positions and replays

moments = st.lists(st.integers(0, 3), max_size=40).map(
    lambda steps: [sum(steps[: i + 1]) * 500_000_000 for i in range(len(steps))]
)


@pytest.mark.behaviour("8.3.4")
@given(moments, st.data())
def test_a_replay_gives_what_was_not_seen_and_nothing_twice(times, data):
    lines = [stamped(time, "same") for time in times]
    seen = data.draw(st.integers(1, len(lines))) if lines else 0
    if not seen:
        return
    position = Position()
    first = data.draw(st.integers(0, seen))
    position.advance(lines[:first])
    position.advance(lines[first:seen])
    replay = [line for line in lines if moment_of(line.split(b" ")[0])[0] >= moment_of(position.since.encode())[0]]
    cut = data.draw(st.integers(0, len(replay)))
    splicer = Splicer(position)
    assert splicer.feed(replay[:cut]) + splicer.feed(replay[cut:]) == lines[seen:]
    assert splicer.met


@pytest.mark.behaviour("8.3.4")
def test_a_replay_without_the_position_says_so():
    position = Position()
    position.advance([stamped(5)])
    splicer = Splicer(position)
    assert splicer.feed([stamped(9)]) == [stamped(9)]
    assert splicer.passed
    assert not splicer.met


def test_a_clock_that_steps_back_loses_nothing():
    position = Position()
    position.advance([stamped(7), stamped(5)])
    splicer = Splicer(position)
    assert splicer.feed([stamped(5), stamped(3), stamped(4)]) == [stamped(3), stamped(4)]


# ---------------------------------------------------------------------- a follower and a model of the kubelet


@dataclass
class Kubelet:
    """A container's runs, each a list of lines. Each request lets a scripted piece of its life pass first."""

    script: list[tuple[str, int]]
    runs: list[list[bytes]] = field(default_factory=lambda: [[]])
    clock: int = 0
    written: list[bytes] = field(default_factory=list)
    requests: int = 0
    name = pod = container = "main"
    uid = run_id = ""

    @property
    def place(self) -> Any:
        return self

    pods = place

    def live(self) -> tuple[str, int]:
        """The next piece of its life; at last it has ended."""
        what, size = self.script.pop(0) if self.script else ("end", 0)
        if what == "restart" and self.runs[-1]:
            self.runs.append([])
            self.clock += 250_000_000
        if what in {"write", "write equal", "restart"}:
            for _ in range(size):
                self.clock += 0 if what == "write equal" else 250_000_000
                line = stamped(self.clock, "same" if size % 2 else f"line {len(self.written)}")
                self.written.append(line)
                self.runs[-1].append(line)
        return what, size

    def get(self, name: str, **_: Any) -> dict[str, Any]:
        over = not self.script
        state = {"terminated": {"exitCode": 0}} if over else {"running": {}}
        status = {"name": "main", "containerID": f"run-{len(self.runs)}", "state": state}
        phase = "Succeeded" if over else "Running"
        return {"metadata": {"name": name}, "spec": {}, "status": {"phase": phase, "containerStatuses": [status]}}

    def open(self, options: LogOptions, scope: CallScope, **_: Any) -> Any:
        self.requests += 1
        what, size = self.live()
        if options.previous and len(self.runs) < 2:
            raise BadRequestError({"code": 400})
        lines = self.runs[-2 if options.previous else -1]
        if options.tail_lines is not None:
            lines = lines[len(lines) - min(options.tail_lines, len(lines)) :]
        if options.since_time:
            since = moment_of(options.since_time.encode())
            lines = [line for line in lines if moment_of(line.split(b" ")[0]) >= since]
        data = b"".join(lines)
        broken = what == "cut"
        return Answer(data[: size * 7] if broken else data, broken)


@dataclass
class Answer:
    data: bytes
    broken: bool

    def read(self, limit: int) -> bytes:
        piece, self.data = self.data[:50], self.data[50:]
        if not piece and self.broken:
            raise ConnectionLostError("cut")
        return piece

    def __enter__(self) -> Answer:
        return self

    def __exit__(self, *_: object) -> None:
        self.data = b""


class Impatient(CallScope):
    """Waits for nothing."""

    def sleep(self, seconds: float) -> None:
        self.check()


def followed(kubelet: Kubelet, **options: Any) -> list[Batch]:
    log = LogOptions(follow=True, timestamps=True, **options)
    return list(follow(kubelet, log, Impatient()))  # type: ignore[arg-type]  # all that it asks of a source


def lines_of(batches: list[Batch]) -> list[bytes]:
    return [line for batch in batches for line in batch.lines]


steps = st.tuples(st.sampled_from(["write", "write equal", "cut", "cut"]), st.integers(0, 12))


@pytest.mark.behaviour("8.3.4")
@given(st.lists(steps, max_size=25))
@settings(max_examples=300, deadline=None)
def test_a_log_that_is_cut_anywhere_comes_whole_and_once(script):
    kubelet = Kubelet(list(script))
    batches = followed(kubelet)
    assert lines_of(batches) == kubelet.written
    assert not [batch.gap for batch in batches if batch.gap]


@pytest.mark.behaviour("8.3.4")
@given(st.lists(steps, max_size=12), st.integers(0, 5), st.lists(steps, max_size=12))
@settings(max_examples=300, deadline=None)
def test_a_restart_loses_and_repeats_nothing(before, size, after):
    kubelet = Kubelet([*before, ("restart", size), *after])
    batches = followed(kubelet)
    assert lines_of(batches) == kubelet.written
    assert not [batch.gap for batch in batches if batch.gap]


@pytest.mark.behaviour("8.3.4")
@given(st.lists(steps, max_size=12), st.integers(0, 4), st.lists(steps, max_size=12))
@settings(max_examples=200, deadline=None)
def test_after_a_tail_everything_comes(before, tail, after):
    kubelet = Kubelet([each for each in before if each[0] != "cut"])
    while kubelet.script:
        kubelet.live()
    old = list(kubelet.written)
    kubelet.script = [("write", 0), ("write", 0), ("write", 0), ("write", 0), ("write", 0), ("write", 0), *after]
    assert lines_of(followed(kubelet, tail_lines=tail)) == kubelet.written[max(0, len(old) - tail) :]


@pytest.mark.behaviour("8.3.4")
def test_a_run_that_nobody_saw_is_a_gap():
    kubelet = Kubelet([("write", 3), ("cut", 9), ("write", 0)])
    batches = follow(kubelet, LogOptions(follow=True, timestamps=True), Impatient())  # type: ignore[arg-type]
    seen = [next(batches)]
    for run in (1, 2):
        kubelet.runs.append([stamped(10**10 * run + number, f"run {run}") for number in range(2)])
    seen += batches
    gaps = [index for index, batch in enumerate(seen) if batch.gap]
    assert len(gaps) == 1
    assert lines_of(seen[gaps[0] :]) == [line for run in kubelet.runs[1:] for line in run]


@pytest.mark.behaviour("8.3.4")
def test_a_log_that_was_rotated_has_a_gap():
    kubelet = Kubelet([("write", 3), ("cut", 9), ("write", 0), ("write", 0)])
    batches = follow(kubelet, LogOptions(follow=True, timestamps=True), Impatient())  # type: ignore[arg-type]
    seen = [next(batches)]
    kubelet.runs[-1][:] = [stamped(10**10, "after the rotation")]
    seen += batches
    assert [bool(batch.gap) for batch in seen][-2:] == [True, False]
    assert lines_of(seen[-1:]) == kubelet.runs[-1]


def test_a_pod_that_goes_while_the_connection_is_lost_is_a_gap():
    kubelet = Kubelet([("write", 3), ("cut", 9), ("write", 0)])
    kubelet.live()

    def gone(*_: Any, **__: Any) -> Any:
        raise NotFoundError({"code": 404})

    batches = follow(kubelet, LogOptions(follow=True, timestamps=True), Impatient())  # type: ignore[arg-type]
    first = next(batches)
    kubelet.get = kubelet.open = gone  # type: ignore[method-assign]
    assert [first, *batches][-1].gap == "the connection was lost, and the pod is gone"


def test_a_silence_of_hours_is_no_failure_and_a_server_that_is_gone_is_one():
    now = 0.0
    log = LogOptions(follow=True, timestamps=True)
    kubelet = Kubelet([("write", 3), *[("cut", 0)] * 5, ("write", 2)])
    answer = kubelet.open

    def late(*arguments: Any, **options: Any) -> Any:
        nonlocal now
        now += 10_000
        return answer(*arguments, **options)

    kubelet.open = late  # type: ignore[method-assign]
    batches = follow(kubelet, log, Impatient(), clock=lambda: now)  # type: ignore[arg-type]
    assert lines_of(list(batches)) == kubelet.written

    def gone(*_: Any, **__: Any) -> Any:
        nonlocal now
        now += 50
        raise ConnectionLostError("nobody there")

    kubelet = Kubelet([("write", 3)])
    batches = follow(kubelet, log, Impatient(), clock=lambda: now)  # type: ignore[arg-type]
    next(batches)
    kubelet.open = kubelet.get = gone  # type: ignore[method-assign]
    with pytest.raises(ConnectionLostError, match="nobody there"):
        list(batches)
    assert now < 100_000
