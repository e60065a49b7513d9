"""Annotations of pods that mean something to the server: mirror pods, deletion cost, old profiles."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from dynkube import codec
from dynkube.testing.apiserver.builtin.pod.paths import descending_path
from dynkube.testing.apiserver.builtin.pod.scheduling import tolerations
from dynkube.testing.apiserver.builtin.rules import Errors, Json, mapping
from dynkube.testing.apiserver.decoding.typenodes import json_word
from dynkube.testing.apiserver.words.fielderrors import child, forbidden, invalid, key, quoted

__all__ = [
    "APPARMOR_PREFIX",
    "MIRROR",
    "SECCOMP_CONTAINER_PREFIX",
    "SECCOMP_POD",
    "apparmor_of",
    "matching_profiles",
    "specific_annotation_updates",
    "specific_annotations",
]

MIRROR = "kubernetes.io/config.mirror"
APPARMOR_PREFIX = "container.apparmor.security.beta.kubernetes.io/"
SECCOMP_POD = "seccomp.security.alpha.kubernetes.io/pod"
SECCOMP_CONTAINER_PREFIX = "container.seccomp.security.alpha.kubernetes.io/"
_TOLERATIONS = "scheduler.alpha.kubernetes.io/tolerations"
_DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
_FIELDS: Mapping[str, tuple[str, type, str]] = {
    "key": ("key", str, "string"),
    "operator": ("operator", str, "core.TolerationOperator"),
    "value": ("value", str, "string"),
    "effect": ("effect", str, "core.TaintEffect"),
    "tolerationseconds": ("tolerationSeconds", int, "int64"),
}
_COST = re.compile(r"-?[0-9]+")

Annotations = Mapping[str, str]


def specific_annotations(annotations: Annotations, spec: Json, field: str) -> Errors:
    """ValidatePodSpecificAnnotations."""
    if not annotations:
        return
    if MIRROR in annotations and not spec.get("nodeName"):
        said = "must set spec.nodeName if mirror pod annotation is set"
        yield invalid(key(field, MIRROR), annotations[MIRROR], said)
    if annotations.get(_TOLERATIONS):
        yield from _annotated_tolerations(annotations[_TOLERATIONS], field)
    cost = annotations.get(_DELETION_COST)
    if cost is not None and not _is_cost(cost):
        yield invalid(key(field, _DELETION_COST), cost, "must be a 32bit integer")
    for name, value in annotations.items():
        if name == SECCOMP_POD or name.startswith(SECCOMP_CONTAINER_PREFIX):
            yield from _seccomp(value, child(field, name))
    for name, value in annotations.items():
        if name.startswith(APPARMOR_PREFIX):
            yield from _apparmor(name.removeprefix(APPARMOR_PREFIX), value, spec, key(field, name))


def _annotated_tolerations(text: str, field: str) -> Errors:
    from dynkube.testing.apiserver.builtin.gojson import problem_of

    problem = problem_of(text.encode(), list, "[]core.Toleration")
    found: Any = None if problem else codec.decode(text.encode())
    read = [_toleration(each) for each in found or ()]
    problem = problem or next((problem for _, problem in read if problem), "")
    if problem:
        yield invalid(field, _TOLERATIONS, problem)
    else:
        yield from tolerations([each for each, _ in read], child(field, _TOLERATIONS))


def _toleration(found: Any) -> tuple[dict[str, Any], str]:
    """A toleration whose fields have no names in JSON, so that case does not matter, and what is wrong with it."""
    if found is not None and not isinstance(found, dict):
        return {}, f"json: cannot unmarshal {json_word(found)} into Go value of type core.Toleration"
    read: dict[str, Any] = {}
    for name, value in (found or {}).items():
        field, wanted, go_type = _FIELDS.get(name.lower(), ("", object, ""))
        if not isinstance(value, wanted | None) or (wanted is int and isinstance(value, bool)):
            place = f"Go struct field Toleration.{field[0].upper()}{field[1:]} of type {go_type}"
            return read, f"json: cannot unmarshal {json_word(value)} into {place}"
        if field and value is not None:
            read[field] = value
    return read, ""


def _is_cost(text: str) -> bool:
    if not _COST.fullmatch(text) or (text.startswith("0") and text != "0"):
        return False
    return -(2**31) <= int(text) < 2**31


def _seccomp(profile: str, field: str) -> Errors:
    if profile.startswith("localhost/"):
        yield from descending_path(profile.removeprefix("localhost/"), field)
    elif profile not in ("runtime/default", "docker/default", "unconfined"):
        yield invalid(field, profile, "must be a valid seccomp profile")


def _apparmor(container: str, profile: str, spec: Json, field: str) -> Errors:
    kinds = ("initContainers", "containers", "ephemeralContainers")
    if not any(each.get("name", "") == container for kind in kinds for each in spec.get(kind) or ()):
        yield invalid(field, container, "container not found")
    if profile not in ("", "runtime/default", "unconfined") and not profile.startswith("localhost/"):
        yield invalid(field, profile, f"invalid AppArmor profile name: {quoted(profile)}")


def specific_annotation_updates(annotations: Annotations, old: Annotations, spec: Json, field: str) -> Errors:
    """ValidatePodSpecificAnnotationUpdates."""
    for name, value in old.items():
        if annotations.get(name) != value:
            yield from _fixed(name, "remove or update", field)
    for name in annotations:
        if name not in old:
            yield from _fixed(name, "add", field)
    yield from specific_annotations(annotations, spec, field)


def _fixed(name: str, verb: str, field: str) -> Errors:
    if name.startswith(APPARMOR_PREFIX):
        yield forbidden(key(field, name), f"may not {verb} AppArmor annotations")
    if name == MIRROR:
        yield forbidden(key(field, name), f"may not {verb} mirror pod annotation")


# ------------------------------------------------------------------ annotations and fields say the same


def matching_profiles(
    annotations: Annotations, spec: Json, containers: Sequence[tuple[Json, str]], field: str
) -> Errors:
    """validateSeccompAnnotationsAndFields, validateAppArmorAnnotationsAndFieldsMatchOnCreate."""
    if not annotations:
        return
    context = mapping(spec, "securityContext")
    if SECCOMP_POD in annotations:
        where = child(field, "securityContext", "seccompProfile")
        yield from _same_seccomp(annotations[SECCOMP_POD], context.get("seccompProfile"), where)
    for container, where in containers:
        annotation = annotations.get(f"{SECCOMP_CONTAINER_PREFIX}{container.get('name', '')}")
        if annotation is not None:
            profile = mapping(container, "securityContext").get("seccompProfile")
            yield from _same_seccomp(annotation, profile, child(where, "securityContext", "seccompProfile"))
    if mapping(spec, "os").get("name") == "windows":
        return
    for container, where in containers:
        annotation = annotations.get(f"{APPARMOR_PREFIX}{container.get('name', '')}")
        profile = mapping(container, "securityContext").get("appArmorProfile") or context.get("appArmorProfile")
        if annotation is not None and profile is not None:
            yield from _same_profile(
                "apparmor", annotation, profile, child(where, "securityContext", "appArmorProfile")
            )


def _same_seccomp(annotation: str, profile: Json | None, field: str) -> Errors:
    if profile is not None:
        yield from _same_profile("seccomp", annotation, profile, field)


def _same_profile(what: str, annotation: str, profile: Json, field: str) -> Errors:
    kind = profile.get("type", "")
    if kind == "Localhost":
        if not annotation.startswith("localhost/"):
            yield forbidden(child(field, "type"), f"{what} type in annotation and field must match")
        elif annotation.removeprefix("localhost/") != profile.get("localhostProfile"):
            where = child(field, "localhostProfile")
            yield forbidden(where, f"{what} profile in annotation and field must match")
        return
    allowed = {"Unconfined": ["unconfined"], "RuntimeDefault": ["runtime/default"]}.get(kind)
    if what == "seccomp" and kind == "RuntimeDefault":
        allowed = ["runtime/default", "docker/default"]
    if allowed is not None and annotation not in allowed:
        yield forbidden(child(field, "type"), f"{what} type in annotation and field must match")


def apparmor_of(annotation: str) -> dict[str, str] | None:
    """The field that says what an annotation says; None for nothing that a field can say."""
    if annotation == "unconfined":
        return {"type": "Unconfined"}
    if annotation == "runtime/default":
        return {"type": "RuntimeDefault"}
    path = annotation.removeprefix("localhost/")
    if path and path != annotation:
        return {"type": "Localhost", "localhostProfile": path}
    return None
