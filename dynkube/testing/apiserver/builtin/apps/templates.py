"""What the workload kinds ask of their templates, and what they count in their status."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dynkube.testing.apiserver.builtin.pod.spec import pod_template
from dynkube.testing.apiserver.builtin.pod.warnings import template_warnings
from dynkube.testing.apiserver.builtin.rules import Errors, Json, mapping, non_negative, word
from dynkube.testing.apiserver.words import names
from dynkube.testing.apiserver.words.fielderrors import child, forbidden, invalid, not_supported

__all__ = [
    "always_restarting",
    "collision_count",
    "counts",
    "name_warning",
    "not_above",
    "pod_name_warnings",
    "runs_on",
]


def always_restarting(template: Json, field: str, kind: str) -> Errors:
    """A template of pods that go on for good."""
    yield from pod_template(template, field)
    yield from runs_on(template, field, kind)


def runs_on(template: Json, field: str, kind: str) -> Errors:
    """Its pods restart, and have no deadline."""
    spec = mapping(template, "spec")
    policy = spec.get("restartPolicy", "")
    if policy != "Always":
        yield not_supported(child(field, "spec", "restartPolicy"), word(policy), ["Always"])
    if spec.get("activeDeadlineSeconds") is not None:
        where = child(field, "spec", "activeDeadlineSeconds")
        yield forbidden(where, f"activeDeadlineSeconds in {kind} is not Supported")


def counts(status: Json, fields: Sequence[str], field: str = "status") -> Errors:
    """Numbers that are not negative."""
    for name in fields:
        yield from non_negative(status.get(name), child(field, name))


def not_above(status: Json, fields: Sequence[str], limit: str, said: str) -> Errors:
    """Numbers that another one limits."""
    for name in fields:
        if status.get(name, 0) > status.get(limit, 0):
            yield invalid(child("status", name), status.get(name, 0), said)


def collision_count(status: Json, old: Json) -> Errors:
    """It only rises."""
    new, before = status.get("collisionCount"), old.get("collisionCount")
    if before is not None and (new is None or new < before):
        yield invalid("status.collisionCount", new or 0, "cannot be decremented")


def name_warning(name: str) -> Iterator[str]:
    """Of a name that its pods get theirs from."""
    problems = names.dns1123_label(name)
    if problems:
        said = "this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is"
        yield f"metadata.name: {said} recommended: [{' '.join(problems)}]"


def pod_name_warnings(obj: Json, old: Json | None) -> Iterator[str]:
    """Of a new workload, or of one whose generation rose."""
    if old is None:
        yield from name_warning(obj["metadata"].get("name", ""))
    elif obj["metadata"].get("generation") == old["metadata"].get("generation"):
        return
    yield from template_warnings(mapping(mapping(obj, "spec"), "template"), "spec.template")
