"""What is wrong with the status of a job, or with its change (ValidateJobStatusUpdate).

Most rules are asked only where what they are about changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from dynkube.testing.apiserver.builtin import internal
from dynkube.testing.apiserver.builtin.batch.indexes import IndexesError, count_indexes, overlap
from dynkube.testing.apiserver.builtin.batch.jobspec import INDEXED
from dynkube.testing.apiserver.builtin.rules import Errors, Json, listed, mapping, non_negative, same
from dynkube.testing.apiserver.words.fielderrors import OMITTED, FieldError, child, duplicate, index, invalid, required

__all__ = ["job_status"]

_CONDITIONS = "status.conditions"


class _State:
    """A status with what is asked of it often."""

    def __init__(self, job: Json) -> None:
        self.spec: Json = job["spec"]
        self.status = mapping(job, "status")
        self.completed = self.status.get("completedIndexes", "")
        self.failed = self.status.get("failedIndexes")

    def has(self, condition: str, value: str = "True") -> bool:
        """Whether it has a condition."""
        return any(
            each.get("type") == condition and each.get("status") == value
            for each in listed(self.status, "conditions")
        )  # fmt: skip

    @property
    def is_finished(self) -> bool:
        """Whether it is complete or failed."""
        return self.has("Complete") or self.has("Failed")

    def get(self, name: str) -> Any:
        """A field of the status."""
        return self.status.get(name)


def job_status(job: Json, old: Json) -> Errors:
    """A written status."""
    new, before = _State(job), _State(old)
    yield from _numbers(new.status)
    yield from _uncounted(mapping(new.status, "uncountedTerminatedPods"))
    yield from _completion(new, before)
    yield from _finished(new, before)
    yield from _indexes(new, before)
    yield from _pods(new, before)
    yield from _criteria(new)
    yield from _progress(new, before)


def _changed(new: _State, before: _State, *fields: str) -> bool:
    return any(not same(new.get(name), before.get(name)) for name in fields)


def _turned(new: _State, before: _State, *conditions: str) -> bool:
    return any(new.has(each) != before.has(each) for each in conditions)


def _refused(said: str) -> FieldError:
    return invalid(_CONDITIONS, OMITTED, said)


def _numbers(status: Json) -> Errors:
    for name in ("active", "succeeded", "failed", "ready", "terminating"):
        yield from non_negative(status.get(name), child("status", name))


def _uncounted(pods: Json) -> Errors:
    seen: set[str] = set()
    for name in ("succeeded", "failed"):
        for number, uid in enumerate(listed(pods, name)):
            where = index(child("status.uncountedTerminatedPods", name), number)
            if not uid:
                yield invalid(where, uid, "must not be empty")
            elif uid in seen:
                yield duplicate(where, uid)
            seen.add(uid)


def _completion(new: _State, before: _State) -> Errors:
    is_complete, at, start = new.has("Complete"), new.get("completionTime"), new.get("startTime")
    where = "status.completionTime"
    if _turned(new, before, "Complete", "Failed") and is_complete and new.has("Failed"):
        yield _refused("cannot set Complete=True and Failed=true conditions")
    if _turned(new, before, "Complete", "FailureTarget") and is_complete and new.has("FailureTarget"):
        yield _refused("cannot set Complete=True and FailureTarget=true conditions")
    if _turned(new, before, "Complete") or _changed(new, before, "completionTime"):
        if at is not None and not is_complete:
            yield invalid(where, at, "cannot set completionTime when there is no Complete=True condition")
        if at is None and is_complete:
            yield required(where, "completionTime is required for Complete jobs")
    is_moved = _changed(new, before, "startTime", "completionTime")
    if is_moved and at is not None and start is not None and at < start:
        yield invalid(where, at, "must be equal to or after `startTime`")


def _finished(new: _State, before: _State) -> Errors:
    fails = _turned(new, before, "Failed") or _changed(new, before, "failedIndexes")
    if fails and new.has("Failed") and not new.has("FailureTarget"):
        yield _refused("cannot set Failed=True condition without the FailureTarget=true condition")
    completes = _turned(new, before, "Complete", "SuccessCriteriaMet")
    if completes and new.has("Complete") and not new.has("SuccessCriteriaMet"):
        yield _refused("cannot set Complete=True condition without the SuccessCriteriaMet=true condition")
    if not new.is_finished:
        return
    ends = not before.is_finished
    active = new.status.get("active", 0)
    if (ends or _changed(new, before, "active")) and active > 0:
        yield invalid("status.active", active, "active>0 is invalid for finished job")
    does_nothing = new.spec.get("suspend") is True and new.spec.get("completions") == 0
    if (ends or _changed(new, before, "startTime")) and new.get("startTime") is None and not does_nothing:
        yield required("status.startTime", "startTime is required for finished job")
    name = "uncountedTerminatedPods"
    pods = new.get(name)
    if (ends or _changed(new, before, name)) and pods and (pods.get("failed") or pods.get("succeeded")):
        shown = internal.shown(pods, "batch.UncountedTerminatedPods")
        yield invalid(child("status", name), shown, "must be empty for finished job")


def _indexes(new: _State, before: _State) -> Errors:
    completions = new.spec.get("completions")
    has_limit = new.spec.get("backoffLimitPerIndex") is not None
    completed_moved = new.completed != before.completed
    failed_moved = new.failed != before.failed
    where, where_failed = "status.completedIndexes", "status.failedIndexes"
    if completed_moved and completions is not None:
        yield from _parsed(new.completed, completions, where)
    if failed_moved and completions is not None and has_limit and new.failed is not None:
        yield from _parsed(new.failed, completions, where_failed)
    if completed_moved and new.completed and new.spec.get("completionMode") != INDEXED:
        yield invalid(where, new.completed, "cannot set non-empty completedIndexes when non-indexed completion mode")
    if failed_moved and not has_limit and new.failed is not None:
        yield invalid(where_failed, new.failed, "cannot set non-null failedIndexes when backoffLimitPerIndex is null")
    if (completed_moved or failed_moved) and completions is not None and new.failed is not None:
        found = overlap(new.completed, new.failed, completions)
        if found is not None:
            yield invalid(where_failed, new.failed, f"failedIndexes and completedIndexes overlap at index: {found}")


def _parsed(text: str, completions: int, field: str) -> Errors:
    try:
        count_indexes(text, completions)
    except IndexesError as error:
        yield invalid(field, text, f"error parsing {field.rpartition('.')[2]}: {error}")


def _pods(new: _State, before: _State) -> Errors:
    terminating, ready = new.get("terminating"), new.get("ready")
    ends = new.is_finished != before.is_finished
    if (ends or _changed(new, before, "terminating")) and terminating and terminating > 0 and new.is_finished:
        yield invalid("status.terminating", terminating, "terminating>0 is invalid for finished job")
    if _changed(new, before, "ready", "active") and ready is not None and ready > new.status.get("active", 0):
        yield invalid("status.ready", ready, "cannot set more ready pods than active")


def _criteria(new: _State) -> Errors:
    met = new.has("SuccessCriteriaMet")
    if met and new.has("Failed"):
        yield _refused("cannot set SuccessCriteriaMet=True and Failed=true conditions")
    if met and new.has("FailureTarget"):
        yield _refused("cannot set SuccessCriteriaMet=True and FailureTarget=true conditions")
    if new.spec.get("successPolicy") is not None and not met and new.has("Complete"):
        yield _refused("cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True")


def _progress(new: _State, before: _State) -> Errors:
    for condition in ("Failed", "Complete", "FailureTarget"):
        if before.has(condition) and not new.has(condition):
            yield _refused(f"cannot disable the terminal {condition}=True condition")
    yield from _counters(new, before)
    yield from _times(new, before)
    met, was_met = new.has("SuccessCriteriaMet"), before.has("SuccessCriteriaMet")
    if was_met and not met:
        yield _refused("cannot disable the SuccessCriteriaMet=True condition")
    if before.has("Complete") and not was_met and met:
        yield _refused("cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions")


def _counters(new: _State, before: _State) -> Iterator[FieldError]:
    scales = new.spec.get("completionMode") == INDEXED and new.spec.get("completions") == new.spec.get("parallelism")
    for name in ("failed", "succeeded"):
        found: Callable[..., int] = new.status.get
        if found(name, 0) < before.status.get(name, 0) and not (name == "succeeded" and scales):
            yield invalid(child("status", name), found(name, 0), f"cannot decrease the {name} counter")


def _times(new: _State, before: _State) -> Errors:
    name = "completionTime"
    if new.get(name) is not None and before.get(name) is not None and new.get(name) != before.get(name):
        yield invalid(child("status", name), new.get(name), "field is immutable")
    start, started = new.get("startTime"), before.get("startTime")
    resumes = before.has("Suspended") and new.has("Suspended", "False")
    if started is not None and start != started and not resumes and not new.spec.get("suspend"):
        yield invalid("status.startTime", start, "field is immutable for unsuspended job once set")
