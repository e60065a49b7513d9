"""One trial: informers that follow, faults that strike, and the verdict."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import dynkube
from dynkube.informers import InformerFactory, SharedInformer
from dynkube.testing import ServerFace
from dynkube.wire.listwatch import Backoff, machine
from robustness import judging
from robustness.arena import KINDS, Arena
from robustness.recording import Reader, Recorder
from robustness.schedules import Schedule, Step

__all__ = ["Verdict", "run_trial"]

_SETTLES_WITHIN = 60.0
_STOPS_WITHIN = 10.0
# The proxy is still there; the thread of all deadlines of a process stays.
_OTHERS = ("FaultProxy", "dynkube-deadlines")


@dataclass
class Verdict:
    """What came of a trial.

    Attributes:
        schedule: what was played.
        complaints: what was wrong; none is a pass.
        writes: how many the writers did.
        told: how many notifications there were.
        lists: how often a collection was listed.
        seconds: from the first fault until everything was at rest.
    """

    schedule: Schedule
    complaints: list[str] = field(default_factory=list)
    writes: int = 0
    told: int = 0
    lists: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        found = f"{len(self.complaints)} complaints" if self.complaints else "no complaint"
        return (
            f"{self.writes} writes, {self.told} notifications, {self.lists} lists, at rest after {self.seconds:.1f} s: "
            + found
        )


class Follower:
    """One informer, its handlers, and a thread that reads it.

    Args:
        arena: whose objects.
        plural: the resource.
        compact: keep bytes.
    """

    def __init__(self, arena: Arena, plural: str, *, compact: bool) -> None:
        self.name = f"{'compact' if compact else 'dict'} informer of {plural}"
        self.plural = plural
        self._arena = arena
        self.client = dynkube.DynamicClient(arena.config())
        options = arena.schedule.options
        self._split_recreated = options.split_recreated
        self.factory = InformerFactory(
            self.client,
            namespace=arena.namespace,
            compact=compact,
            page_size=options.page_size,
            cached_lists=options.cached_lists,
            streaming=options.streaming,
            split_by_uid=options.split_recreated,
        )
        self.informer: SharedInformer = self.factory.for_resource(arena.resource(plural))
        self.informer.indexer.add_indexers({"shard": _shard})
        self.recorders: list[Recorder] = []
        self.removed: list[Recorder] = []
        self.registrations: list[Any] = []
        self.since = 0
        self.add_handler()

    def start(self) -> None:
        """Follow, and read."""
        self.factory.start()
        self.reader = Reader(self.name, self.informer.indexer.list)

    def sync(self) -> None:
        """Wait for the first list."""
        self.factory.wait_for_cache_sync(timeout=_SETTLES_WITHIN)
        self.since = int(self.informer.last_sync_resource_version)

    def add_handler(self) -> None:
        recorder = Recorder(f"handler {len(self.recorders) + 1} of the {self.name}", self._stored)
        self.recorders.append(recorder)
        self.registrations.append(self.informer.add_event_handler(recorder))

    def remove_handler(self) -> None:
        """Remove the latest one, but never the first; what it was told up to now must be right."""
        if len(self.recorders) > 1:
            self.registrations.pop().remove()
            self.removed.append(self.recorders.pop())

    def stop(self) -> None:
        self.reader.end()
        self.factory.stop()
        self.client.close()

    def _stored(self, name: str) -> Mapping[str, Any] | None:
        found: Mapping[str, Any] | None = self.informer.indexer.get((self._arena.namespace, name))
        return found

    # ------------------------------------------------------------------ the verdict

    def is_at_rest(self, truth: dict[str, Any]) -> bool:
        """Whether store and handlers have come to what the server has."""
        if judging.states(self.informer.indexer.list()) != truth:
            return False
        return all(judging.replayed(each.told) == truth for each in self.recorders)

    def complaints(self, objects: list[dict[str, Any]], written: judging.Written) -> Iterator[str]:
        """All that is wrong with it."""
        yield from self._about_the_store(objects)
        yield from self.reader.complaints
        truth = judging.states(objects)
        for recorder in self.recorders + self.removed:
            yield from recorder.complaints
            for complaint in judging.judge_stream(recorder.told, split_recreated=self._split_recreated):
                yield f"{recorder.name}: {complaint}"
            for complaint in judging.judge_tokens(recorder.told, written):
                yield f"{recorder.name}: {complaint}"
        for recorder in self.recorders:
            if judging.replayed(recorder.told) != truth:
                yield f"{recorder.name}: its stream does not end in the server's state {truth}"
        if self._arena.lists(self.plural) == 2:  # one of each representation
            for complaint in judging.judge_completeness(self.recorders[0].told, written, since=self.since):
                yield f"{self.recorders[0].name}: {complaint}"

    def _about_the_store(self, objects: list[dict[str, Any]]) -> Iterator[str]:
        indexer = self.informer.indexer
        by_name = {obj["metadata"]["name"]: obj for obj in objects}
        stored = {obj["metadata"]["name"]: obj for obj in indexer.list()}
        if stored != by_name:
            for name in sorted(stored.keys() | by_name.keys()):
                if stored.get(name) != by_name.get(name):
                    yield f"{self.name}: of {name} it has {stored.get(name)}, and the server has {by_name.get(name)}"
        for shard in {*indexer.list_index_func_values("shard"), "0", "1", "2"}:
            wanted = {name for name, obj in by_name.items() if _shard(obj) == [shard]}
            indexed = {obj["metadata"]["name"] for obj in indexer.by_index("shard", shard)}
            selected = {obj["metadata"]["name"] for obj in indexer.list(label_selector=f"shard={shard}")}
            if not wanted == indexed == selected:
                yield f"{self.name}: shard {shard}: {wanted}, by index {indexed}, by label {selected}"


def _shard(obj: Mapping[str, Any]) -> list[str]:
    return [obj["metadata"]["labels"]["shard"]]


@contextmanager
def _in_a_hurry() -> Iterator[None]:
    """Pauses and limits of seconds in place of minutes."""
    with ExitStack() as stack:
        for name, value in {"first": 0.02, "cap": 0.3}.items():
            stack.enter_context(mock.patch.object(Backoff, name, value))
        for name, value in {"_WATCH_SECONDS": (1, 3), "_IDLE_MARGIN": 0.3, "_SHORT_WATCH": 0.2}.items():
            stack.enter_context(mock.patch.object(machine, name, value))
        yield


def run_trial(server: ServerFace, schedule: Schedule) -> Verdict:
    """Play a schedule on a running server, which is there afterwards as it was before.

    Args:
        server: made with the token users ``one`` and ``two``.
        schedule: what to play.
    """
    verdict = Verdict(schedule)
    threads = set(threading.enumerate())
    with _in_a_hurry(), tempfile.TemporaryDirectory() as folder, Arena(server, schedule, Path(folder)) as arena:
        followers = [Follower(arena, plural, compact=compact) for plural in KINDS for compact in (False, True)]
        try:
            _play(arena, followers, verdict)
        finally:
            verdict.complaints += _stop(followers, threads)
    return verdict


def _play(arena: Arena, followers: list[Follower], verdict: Verdict) -> None:
    writers_first = arena.schedule.seed % 2 == 0
    if writers_first:
        arena.start_writers()
    for follower in followers:
        follower.start()
    for follower in followers:
        follower.sync()
    if not writers_first:
        arena.start_writers()
    began = time.monotonic()
    for step in arena.schedule.steps:
        _perform(arena, followers, step)
        arena.let_write()
    entries = arena.end_writers()
    arena.end_faults()
    arena.mark_the_end()
    listed = {plural: arena.objects(plural) for plural in KINDS}
    verdict.complaints += _settle(followers, {plural: judging.states(each) for plural, each in listed.items()})
    verdict.seconds = time.monotonic() - began
    for follower in followers:
        written = judging.Written.of(follower.plural, entries)
        verdict.complaints += follower.complaints(listed[follower.plural], written)
    verdict.writes = sum(entry["outcome"] == "done" for entry in entries)
    verdict.told = sum(len(each.told) for follower in followers for each in follower.recorders)
    verdict.lists = sum(arena.lists(plural) for plural in KINDS)


def _perform(arena: Arena, followers: list[Follower], step: Step) -> None:
    if step.name == "handler added":
        for follower in followers:
            follower.add_handler()
        time.sleep(step.lasts)
    elif step.name == "handler removed":
        for follower in followers:
            follower.remove_handler()
    else:
        arena.perform(step)


def _settle(followers: list[Follower], truths: dict[str, dict[str, Any]]) -> Iterator[str]:
    end = time.monotonic() + _SETTLES_WITHIN
    for follower in followers:
        while not follower.is_at_rest(truths[follower.plural]):
            if time.monotonic() > end:
                yield f"{follower.name}: not at rest after {_SETTLES_WITHIN:g} s: {follower.informer.status}"
                break
            time.sleep(0.01)


def _stop(followers: list[Follower], threads: set[threading.Thread]) -> Iterator[str]:
    for follower in followers:
        began = time.monotonic()
        follower.stop()
        if time.monotonic() - began > _STOPS_WITHIN:
            yield f"{follower.name}: it took {time.monotonic() - began:.1f} s to stop"
    left = [each.name for each in threading.enumerate() if each not in threads]
    left = [name for name in left if not name.startswith(_OTHERS)]
    if left:
        yield f"threads that are left: {', '.join(left)}"
