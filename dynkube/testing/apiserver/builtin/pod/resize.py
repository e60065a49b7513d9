"""What the resize subresource may change: cpu and memory of containers (ValidatePodResize)."""

from __future__ import annotations

from typing import Any

from dynkube.testing.apiserver.builtin.native import keep
from dynkube.testing.apiserver.builtin.pod.annotations import MIRROR
from dynkube.testing.apiserver.builtin.pod.totals import qos_class
from dynkube.testing.apiserver.builtin.pod.whole import whole_pod
from dynkube.testing.apiserver.builtin.rules import Errors, Json, listed, mapping, same
from dynkube.testing.apiserver.words.fielderrors import child, forbidden, index, invalid

__all__ = ["keep_all_but_resources", "pod_resize"]

_COMPUTE = ("cpu", "memory")
_KEPT_METADATA = ("deletionTimestamp", "labels", "annotations", "finalizers", "ownerReferences")
_IMMUTABLE = "only cpu and memory resources are mutable"


def keep_all_but_resources(pod: dict[str, Any], old: Json) -> None:
    """Put everything back but resources and their policies, in place (dropNonResizeUpdates).

    Not where containers are added, removed or renamed: validation tells of that.
    """
    spec, before = pod["spec"], old["spec"]
    kinds = ("containers", "initContainers")
    names = [[[each.get("name") for each in listed(one, kind)] for kind in kinds] for one in (spec, before)]
    if len(names[0][0]) != len(names[1][0]) or len(names[0][1]) != len(names[1][1]):
        return
    kept = dict(before)
    if "resources" in spec:
        kept["resources"] = spec["resources"]
    else:
        kept.pop("resources", None)
    for number, kind in enumerate(kinds):
        if listed(spec, kind):
            is_same = names[0][number] == names[1][number]
            kept[kind] = (
                [_merged(*pair) for pair in zip(spec[kind], before[kind], strict=True)] if is_same else spec[kind]
            )
    pod["spec"], pod["status"] = kept, old.get("status", {})
    for name in _KEPT_METADATA:
        keep(pod["metadata"], old["metadata"], name)


def _merged(container: Json, old: Json) -> dict[str, Any]:
    merged = {name: value for name, value in old.items() if name not in ("resources", "resizePolicy")}
    return merged | {name: container[name] for name in ("resources", "resizePolicy") if name in container}


def pod_resize(pod: Json, old: Json) -> Errors:
    """A resize but for its metadata."""
    spec, before = pod["spec"], old["spec"]
    if MIRROR in mapping(old["metadata"], "annotations"):
        yield forbidden("[]", "static pods cannot be resized")
        return
    if mapping(before, "os").get("name") == "windows":
        yield forbidden("[]", "windows pods cannot be resized")
        return
    problems = list(whole_pod(pod))
    problems += _of_whole(pod, old)
    problems += _same_order(spec, before)
    yield from problems
    if any("reordered" in problem.detail or "added or removed" in problem.detail for problem in problems):
        return
    resized = list(_of_containers(spec, before))
    yield from resized
    if not problems and not resized:
        munged = {**spec, "containers": None, "initContainers": None, "resources": None}
        if not same(munged, {**before, "containers": None, "initContainers": None, "resources": None}):
            yield forbidden("spec", _IMMUTABLE)


def _of_whole(pod: Json, old: Json) -> Errors:
    status = mapping(old, "status")
    if (status.get("qosClass") or qos_class(old["spec"])) != qos_class(pod["spec"]):
        shown = mapping(pod, "status").get("qosClass", "")
        yield invalid("spec", shown, "Pod QOS Class may not change as a result of resizing")
    running = [
        each for each in listed(status, "containerStatuses") if mapping(each, "state").get("running") is not None
    ]
    if running and running[0].get("resources") is None:
        yield forbidden("spec", "Pod running on node without support for resize")
    yield from _pod_level(pod["spec"].get("resources"), old["spec"].get("resources"))


def _pod_level(new: Json | None, old: Json | None) -> Errors:
    if old is not None and new is None:
        yield forbidden("spec.resources", "pod-level resources cannot be removed")
        return
    if old is not None:
        for kind in ("requests", "limits"):
            if not mapping(old, kind).keys() <= mapping(new or {}, kind).keys():
                yield forbidden(f"spec.resources.{kind}", f"pod-level resource {kind} cannot be removed")
    if new is not None and not same(_without_compute(new), _without_compute(old or {})):
        yield forbidden("spec", f"{_IMMUTABLE} at pod-level")


def _same_order(spec: Json, old: Json) -> Errors:
    for kind in ("containers", "initContainers"):
        new_items, old_items, where = listed(spec, kind), listed(old, kind), child("spec", kind)
        if len(new_items) != len(old_items):
            yield forbidden(where, f"{kind} may not be added or removed on resize")
            continue
        for number, (new, before) in enumerate(zip(new_items, old_items, strict=True)):
            if new.get("name") != before.get("name"):
                yield forbidden(
                    child(index(where, number), "name"), f"{kind} may not be renamed or reordered on resize"
                )


def _of_containers(spec: Json, old: Json) -> Errors:
    for kind in ("initContainers", "containers"):
        pairs = list(zip(listed(spec, kind), listed(old, kind), strict=True))
        for number, (new, before) in enumerate(pairs):
            where = child(index(child("spec", kind), number), "resources")
            for part in ("requests", "limits"):
                removed = mapping(mapping(before, "resources"), part).keys()
                if not removed <= mapping(mapping(new, "resources"), part).keys():
                    yield forbidden(child(where, part), f"resource {part} cannot be removed")
    for new, before in zip(listed(spec, "containers"), listed(old, "containers"), strict=True):
        if not _same_but_compute(new, before):
            yield forbidden("spec", _IMMUTABLE)
    pairs = list(zip(listed(spec, "initContainers"), listed(old, "initContainers"), strict=True))
    for number, (new, before) in enumerate(pairs):
        yield from _init_container(new, before, index("spec.initContainers", number))


def _init_container(new: Json, old: Json, field: str) -> Errors:
    if not _same_but_compute(new, old):
        yield forbidden(field, "only cpu and memory resources for init or sidecar containers are mutable")
    if new.get("restartPolicy") != "Always" and not same(new, old):
        for policy in listed(new, "resizePolicy"):
            if policy.get("restartPolicy") == "RestartContainer":
                said = "non-sidecar init containers with a resize policy of RestartContainer cannot be resized"
                yield forbidden(field, said)


def _same_but_compute(new: Json, old: Json) -> bool:
    # Claims are not compared: what is left of the new resources is limits and requests.
    parts = [{**each, "resources": _without_compute(mapping(each, "resources"))} for each in (new, old)]
    parts[0]["resources"].pop("claims", None)
    return same(*parts)


def _without_compute(resources: Json) -> dict[str, Any]:
    kept = dict(resources)
    for part in ("limits", "requests"):
        amounts = {name: text for name, text in mapping(resources, part).items() if name not in _COMPUTE}
        kept[part] = amounts or None
    return kept
