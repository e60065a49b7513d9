"""What a stream of notifications must be, and what it must end in. Each function returns complaints: none is a pass."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from robustness.recording import Seen, Told, identity

__all__ = ["Written", "judge_completeness", "judge_stream", "judge_tokens", "replayed", "states"]


@dataclass
class Written:
    """What the writers know that they wrote, of one resource.

    Attributes:
        tokens: of every write that was tried.
        versions: the writes that were answered: name and version, and the token.
        deleted: uids whose deletion was answered.
    """

    tokens: set[str] = field(default_factory=set)
    versions: dict[tuple[str, int], str] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, resource: str, entries: Iterable[Mapping[str, Any]]) -> Written:
        """What the log lines of all writers say of a resource."""
        written = cls()
        for entry in entries:
            if entry["resource"] != resource:
                continue
            written.tokens.add(entry["token"])
            if entry["outcome"] != "done":
                continue
            if entry["action"] == "delete":
                written.deleted.add(entry["uid"])
            elif entry["version"] and entry["action"] != "deletecollection":
                written.versions[entry["name"], int(entry["version"])] = entry["token"]
        return written


def replayed(told: Sequence[Told]) -> dict[str, Seen]:
    """A stream, applied to an empty dict."""
    state: dict[str, Seen] = {}
    for each in told:
        if each.kind == "delete":
            state.pop(each.name, None)
        else:
            state[each.name] = each.seen
    return state


def judge_stream(told: Sequence[Told], *, split_recreated: bool) -> Iterator[str]:
    """Whether each notification follows from those before it.

    An addition only of what is not there, an update only of what is, from what was told last; a deletion of what is
    there. The version of a name only rises, so nothing comes twice. What was told as deleted has ended: its uid does not
    come again.

    Args:
        told: in the order of delivery, of one handler.
        split_recreated: whether an object that was deleted and made again must be told as two notifications.
    """
    state: dict[str, Seen] = {}
    newest: dict[str, int] = {}
    ended: set[str] = set()
    for number, each in enumerate(told):
        before = state.get(each.name)
        for complaint in _against(each, before, newest.get(each.name, 0), split_recreated=split_recreated):
            yield f"notification {number}, {each}: {complaint}"
        if each.seen.uid in ended:
            yield f"notification {number}, {each}: this uid was told as deleted before"
        if each.kind == "delete":
            state.pop(each.name, None)
            ended.add(before.uid if before is not None else each.seen.uid)
        else:
            if before is not None and before.uid != each.seen.uid:
                ended.add(before.uid)
            state[each.name] = each.seen
        newest[each.name] = max(newest.get(each.name, 0), each.seen.version)


def _against(each: Told, before: Seen | None, newest: int, *, split_recreated: bool) -> Iterator[str]:
    if each.kind == "add" and before is not None:
        yield f"added, and it was there: {before}"
    if each.kind in {"update", "delete"} and before is None:
        yield f"{each.kind}, and it was not there"
    if each.kind == "update" and before is not None and each.old != before:
        yield f"its old object is not what was told last: {before}"
    if each.kind == "update" and split_recreated and before is not None and before.uid != each.seen.uid:
        yield "an update, and it is another object than before"
    if each.kind == "delete" and before is not None and before.uid != each.seen.uid:
        yield f"deleted, and what was there is another object: {before}"
    # The last state of a deleted object may be the one that is known already.
    if each.seen.version < newest or (each.kind != "delete" and each.seen.version == newest):
        yield f"its version does not rise: {newest} was told before"


def judge_tokens(told: Sequence[Told], written: Written) -> Iterator[str]:
    """Whether all that was told has been written, and each version is what its writer wrote."""
    for each in told:
        if each.seen.token not in written.tokens:
            yield f"{each}: nobody wrote this"
        token = written.versions.get((each.name, each.seen.version))
        if token is not None and each.kind != "delete" and token != each.seen.token:
            yield f"{each}: this version was written as {token}"


def judge_completeness(told: Sequence[Told], written: Written, *, since: int) -> Iterator[str]:
    """Whether every answered write was told: where nothing had to be listed again, nothing may be left out.

    Args:
        told: in the order of delivery, of one handler.
        written: what the writers know.
        since: a version that the store had reached when it was synced.
    """
    versions = {(each.name, each.seen.version) for each in told}
    for (name, version), token in written.versions.items():
        if version > since and (name, version) not in versions:
            yield f"{name} at {version} ({token}) was written after the list, and never told"
    ended = {each.seen.uid for each in told if each.kind == "delete"}
    known = {each.seen.uid for each in told if each.kind != "delete"}
    for uid in (written.deleted & known) - ended:
        yield f"the deletion of {uid} was never told"


def states(objects: Iterable[Mapping[str, Any]]) -> dict[str, Seen]:
    """What there is, by name."""
    return {obj["metadata"]["name"]: identity(obj) for obj in objects}
