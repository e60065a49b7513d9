"""What may change of a pod that is there: very little (ValidatePodUpdate and its like)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dynkube.testing.apiserver.builtin import internal
from dynkube.testing.apiserver.builtin.pod.annotations import MIRROR, specific_annotation_updates
from dynkube.testing.apiserver.builtin.pod.scheduling import tolerations
from dynkube.testing.apiserver.builtin.pod.whole import whole_pod
from dynkube.testing.apiserver.builtin.rules import Errors, Json, listed, mapping, same
from dynkube.testing.apiserver.builtin.sent import as_sent
from dynkube.testing.apiserver.words import names
from dynkube.testing.apiserver.words.fielderrors import child, forbidden, index, invalid, quoted, required

__all__ = ["ephemeral_containers_update", "pod_update"]

_UPDATABLE = (
    "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only "
    "additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was "
    "previously negative)"
)
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_INT32 = 2**31 - 1


def pod_update(pod: Json, old: Json) -> Errors:
    """A pod's update but for its metadata (ValidatePodUpdate)."""
    spec, before = pod["spec"], old["spec"]
    yield from whole_pod(pod)
    annotations, old_annotations = (mapping(each["metadata"], "annotations") for each in (pod, old))
    yield from specific_annotation_updates(annotations, old_annotations, spec, "metadata.annotations")
    for name in ("containers", "initContainers"):
        new_items, old_items = listed(spec, name), listed(before, name)
        if len(new_items) != len(old_items):
            yield forbidden(child("spec", name), "pod updates may not add or remove containers")
            return
        yield from _images(new_items, child("spec", name))
    problems, stop = _deadline(spec.get("activeDeadlineSeconds"), before.get("activeDeadlineSeconds"))
    yield from problems
    if stop:
        return
    yield from _only_added_tolerations(listed(spec, "tolerations"), listed(before, "tolerations"))
    yield from _only_deleted_gates(listed(spec, "schedulingGates"), listed(before, "schedulingGates"))
    if not same(spec, before):
        yield from _other_fields(spec, before)


def _images(containers: Sequence[Json], field: str) -> Errors:
    for number, container in enumerate(containers):
        where, image = child(index(field, number), "image"), container.get("image", "")
        if not image:
            yield required(where)
        if image != image.strip():
            yield invalid(where, image, "must not have leading or trailing whitespace")


def _deadline(new: int | None, old: int | None) -> tuple[list[Any], bool]:
    """What is wrong with a new deadline, and whether that is the end of it."""
    where = "spec.activeDeadlineSeconds"
    if new is None:
        said = "must not update from a positive integer to nil value"
        return ([] if old is None else [invalid(where, None, said)]), False
    problems = names.in_range(new, 0, _INT32)
    if problems:
        return [invalid(where, new, problems[0])], True
    if old is not None and old < new:
        return [invalid(where, new, "must be less than or equal to previous value")], True
    return [], False


def _only_added_tolerations(new: Sequence[Json], old: Sequence[Json]) -> Errors:
    kept = [_without_seconds(each) for each in new]
    if any(_without_seconds(each) not in kept for each in old):
        said = "existing toleration can not be modified except its tolerationSeconds"
        yield forbidden("spec.tolerations", said)
        return
    yield from tolerations(new, "spec.tolerations")


def _without_seconds(toleration: Json) -> Json:
    return {name: value for name, value in toleration.items() if name != "tolerationSeconds"}


def _only_deleted_gates(new: Sequence[Json], old: Sequence[Json]) -> Errors:
    known = {gate.get("name", "") for gate in old}
    for name, number in {gate.get("name", ""): number for number, gate in enumerate(new)}.items():
        if name not in known:
            said = f"only deletion is allowed, but found new scheduling gate '{name}'"
            yield forbidden(child(index("spec.schedulingGates", number), "name"), said)


def _other_fields(spec: Json, old: Json) -> Errors:
    """Whatever else is changed, shown as a difference."""
    munged = _munged(spec, old)
    yield from _while_gated(munged, old)
    if same(munged, old):
        return
    sent = _munged(_with_requests(as_sent(spec, "spec")), old)
    list(_while_gated(sent, old))
    shown = internal.difference(old, sent, "core.PodSpec")
    yield forbidden("spec", f"pod updates may not change fields other than {_UPDATABLE}\n{shown}")


def _with_requests(spec: Json) -> Json:
    """Where there are limits there are requests: of limits that are there and empty, such ones."""
    changed = dict(spec)
    for name in ("containers", "initContainers"):
        if listed(spec, name):
            changed[name] = [
                {**each, "resources": {"requests": {}, **each["resources"]}}
                if "limits" in mapping(each, "resources")
                else each
                for each in spec[name]
            ]
    return changed


def _munged(spec: Json, old: Json) -> dict[str, Any]:
    """A spec with what may change put back."""
    munged = dict(spec)
    for name in ("containers", "initContainers"):
        pairs = zip(listed(spec, name), listed(old, name), strict=True)
        munged[name] = [{**new, "image": before.get("image", "")} for new, before in pairs] or None
    for name in ("activeDeadlineSeconds", "schedulingGates", "tolerations"):
        munged[name] = old.get(name)
    return munged


# ------------------------------------------------------------------ while it is not to be scheduled


def _while_gated(munged: dict[str, Any], old: Json) -> Errors:
    """A pod that waits may be narrowed in where it runs; what is judged here is put back in ``munged``."""
    if not listed(old, "schedulingGates"):
        return
    if not same(munged.get("nodeSelector") or None, old.get("nodeSelector")):
        wanted, before = mapping(munged, "nodeSelector"), mapping(old, "nodeSelector")
        if any(wanted.get(name) != value for name, value in before.items()):
            said = "only additions to spec.nodeSelector are allowed (no mutations or deletions)"
            yield invalid("spec.nodeSelector", as_sent(wanted or None, "spec", "nodeSelector"), said)
        munged["nodeSelector"] = old.get("nodeSelector")
    affinity, before_affinity = munged.get("affinity"), old.get("affinity")
    new_node, old_node = ((each or {}).get("nodeAffinity") for each in (affinity, before_affinity))
    if same(new_node, old_node):
        return
    yield from _node_affinity(new_node or {}, old_node or {}, "spec.affinity.nodeAffinity")
    if affinity is None:
        munged["affinity"] = {"nodeAffinity": old_node}
    elif before_affinity is None and not {"podAffinity", "podAntiAffinity"} & affinity.keys():
        munged["affinity"] = None
    else:
        munged["affinity"] = {**affinity, "nodeAffinity": old_node}


def _node_affinity(new: Json, old: Json, field: str) -> Errors:
    """ValidateNodeAffinityMutation."""
    before = listed(mapping(old, _REQUIRED), "nodeSelectorTerms")
    if not before:
        return
    terms = listed(mapping(new, _REQUIRED), "nodeSelectorTerms")
    where = child(field, _REQUIRED, "nodeSelectorTerms")
    if len(before) != len(terms):
        shown = internal.shown(list(terms) or None, "[]core.NodeSelectorTerm")
        yield invalid(where, shown, "no additions/deletions to non-empty NodeSelectorTerms list are allowed")
        return
    for number, (term, old_term) in enumerate(zip(terms, before, strict=True)):
        if not _has_only_additions(term, old_term):
            shown = internal.shown(term, "core.NodeSelectorTerm")
            yield invalid(index(where, number), shown, "only additions are allowed (no mutations or deletions)")


def _has_only_additions(term: Json, old: Json) -> bool:
    parts = ("matchExpressions", "matchFields")
    if not any(listed(old, part) for part in parts) and any(listed(term, part) for part in parts):
        return False
    return all(same(list(listed(term, part)[: len(listed(old, part))]), list(listed(old, part))) for part in parts)


# ------------------------------------------------------------------ ephemeral containers


def ephemeral_containers_update(pod: Json, old: Json) -> Errors:
    """ValidatePodEphemeralContainersUpdate, but for metadata."""
    annotations, old_annotations = (mapping(each["metadata"], "annotations") for each in (pod, old))
    if MIRROR in old_annotations:
        yield forbidden("[]", "static pods do not support ephemeral containers")
        return
    yield from whole_pod(pod)
    yield from specific_annotation_updates(annotations, old_annotations, pod["spec"], "metadata.annotations")
    by_name = {each.get("name", ""): each for each in listed(pod["spec"], "ephemeralContainers")}
    for before in listed(old["spec"], "ephemeralContainers"):
        name = before.get("name", "")
        after = by_name.get(name)
        said = f"existing ephemeral containers {quoted(name)} may not be "
        if after is None:
            yield forbidden("spec.ephemeralContainers", f"{said}removed\n")
        elif not same(after, before):
            shown = internal.difference(before, after, "core.EphemeralContainer")
            yield forbidden("spec.ephemeralContainers", f"{said}changed\n{shown}")
