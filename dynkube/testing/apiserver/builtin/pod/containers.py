"""Containers of every sort: names, images, ports, mounts, restart rules (pkg/apis/core/validation/validation.go)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dynkube.testing.apiserver.builtin.pod.environment import env, env_from
from dynkube.testing.apiserver.builtin.pod.handlers import lifecycle, probes
from dynkube.testing.apiserver.builtin.pod.mounts import volume_devices, volume_mounts
from dynkube.testing.apiserver.builtin.pod.resources import container_resources
from dynkube.testing.apiserver.builtin.pod.security import container_context
from dynkube.testing.apiserver.builtin.pod.volumes import PULL_POLICIES
from dynkube.testing.apiserver.builtin.rules import (
    PROTOCOLS,
    Errors,
    Json,
    dns1123_label,
    each,
    enumerated,
    listed,
    mapping,
    one_of,
    word,
)
from dynkube.testing.apiserver.builtin.sent import sent_at
from dynkube.testing.apiserver.words import names
from dynkube.testing.apiserver.words.fielderrors import (
    child,
    duplicate,
    forbidden,
    index,
    invalid,
    not_found,
    required,
    too_many,
)

__all__ = ["PodParts", "ephemeral_containers", "init_containers", "padded_image", "regular_containers"]


@dataclass(frozen=True, slots=True)
class PodParts:
    """What containers refer to in their pod.

    Attributes:
        spec: The whole of it.
        volumes: The sound ones by name.
        claims: Names of its resource claims.
        grace: Its terminationGracePeriodSeconds.
        host_users: Whether its users are the host's.
    """

    spec: Json
    volumes: Mapping[str, Json]
    claims: Collection[str]
    grace: int | None
    host_users: bool


def regular_containers(pod: PodParts, field: str) -> Errors:
    """``containers`` (validateContainers)."""
    items = listed(pod.spec, "containers")
    if not items:
        yield required(field)
    seen: set[str] = set()
    for number, container in enumerate(items):
        where = index(field, number)
        yield from _common(container, pod, where)
        name = container.get("name", "")
        if name in seen:
            yield duplicate(child(where, "name"), name)
        seen.add(name)
        yield from lifecycle(container.get("lifecycle"), pod.grace, child(where, "lifecycle"))
        yield from probes(container, pod.grace, where)
        yield from _restart(container, where)
    yield from _host_ports(items, field)


def init_containers(pod: PodParts, field: str) -> Errors:
    """``initContainers`` (validateInitContainers)."""
    seen = {each.get("name", "") for each in listed(pod.spec, "containers")}
    for number, container in enumerate(listed(pod.spec, "initContainers")):
        where = index(field, number)
        yield from _common(container, pod, where)
        yield from _restart(container, where, is_init=True)
        name = container.get("name", "")
        if name in seen:
            yield duplicate(child(where, "name"), name)
        elif name:
            seen.add(name)
        yield from _host_ports([container], field)
        if container.get("restartPolicy") == "Always":
            yield from lifecycle(container.get("lifecycle"), pod.grace, child(where, "lifecycle"))
            yield from probes(container, pod.grace, where)
        else:
            yield from _runs_to_its_end(container, where)


def _runs_to_its_end(container: Json, field: str) -> Errors:
    for name in ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe"):
        if container.get(name) is not None:
            yield forbidden(child(field, name), "may not be set for init containers without restartPolicy=Always")
    for number, policy in enumerate(listed(container, "resizePolicy")):
        if policy.get("restartPolicy") == "RestartContainer":
            where = child(index(child(field, "resizePolicy"), number), "restartPolicy")
            said = "must not be set to 'RestartContainer' for non-sidecar initContainers"
            yield invalid(where, "RestartContainer", said)


# In the order of the fields in Go.
_NOT_EPHEMERAL = (
    "ports", "resources", "resizePolicy", "restartPolicy", "restartPolicyRules", "livenessProbe", "readinessProbe",
    "startupProbe", "lifecycle",
)  # fmt: skip


def ephemeral_containers(pod: PodParts, field: str) -> Errors:
    """``ephemeralContainers`` (validateEphemeralContainers)."""
    items = listed(pod.spec, "ephemeralContainers")
    others = {each.get("name", "") for kind in ("containers", "initContainers") for each in listed(pod.spec, kind)}
    seen = set(others) if items else set()
    said = "cannot be set for an Ephemeral Container"
    for number, container in enumerate(items):
        where = index(field, number)
        name, target = container.get("name", ""), container.get("targetContainerName", "")
        yield from _common(container, pod, where)
        yield from padded_image(container, where)
        if name in seen:
            yield duplicate(child(where, "name"), name)
        seen.add(name)
        if target and target not in others:
            yield not_found(child(where, "targetContainerName"), target)
        for each_name in _NOT_EPHEMERAL:
            if container.get(each_name) or sent_at(None, child(where, each_name)) is not None:
                yield forbidden(child(where, each_name), said)
        for place, mount in enumerate(listed(container, "volumeMounts")):
            for each_name in ("subPath", "subPathExpr"):
                if mount.get(each_name):
                    yield forbidden(child(index(child(where, "volumeMounts"), place), each_name), said)


def padded_image(container: Json, field: str) -> Errors:
    """A pod's image has no spaces around it; a template's may (validateContainerOnlyForPod)."""
    image = container.get("image", "")
    if image != image.strip():
        yield invalid(child(field, "image"), image, "must not have leading or trailing whitespace")


# ------------------------------------------------------------------ what all have


def _common(container: Json, pod: PodParts, field: str) -> Errors:
    """ValidateContainerCommon."""
    name = container.get("name", "")
    if not name:
        yield required(child(field, "name"))
    else:
        yield from dns1123_label(name, child(field, "name"))
    if not container.get("image"):
        yield required(child(field, "image"))
    policy = container.get("terminationMessagePolicy")
    yield from enumerated(policy, ("File", "FallbackToLogsOnError"), child(field, "terminationMessagePolicy"))
    yield from _parts(container, pod, field)
    yield from enumerated(container.get("imagePullPolicy"), PULL_POLICIES, child(field, "imagePullPolicy"))
    resources = container.get("resources")
    if resources:
        yield from container_resources(resources, pod.claims, child(field, "resources"))
    yield from _resize(listed(container, "resizePolicy"), pod.spec, child(field, "resizePolicy"))
    context = container.get("securityContext")
    yield from container_context(context, child(field, "securityContext"), host_users=pod.host_users)


def _parts(container: Json, pod: PodParts, field: str) -> Errors:
    """What a container may have none or many of."""
    ports = container.get("ports")
    if ports:
        yield from _ports(ports, child(field, "ports"))
    variables = container.get("env")
    if variables:
        yield from env(variables, child(field, "env"))
    sources = container.get("envFrom")
    if sources:
        yield from env_from(sources, child(field, "envFrom"))
    mounts, devices = listed(container, "volumeMounts"), listed(container, "volumeDevices")
    if mounts:
        privileged = bool(mapping(container, "securityContext").get("privileged"))
        where = child(field, "volumeMounts")
        yield from volume_mounts(mounts, devices, pod.volumes, where, privileged=privileged)
    if devices:
        yield from volume_devices(devices, mounts, pod.volumes, child(field, "volumeDevices"))


def _ports(ports: Sequence[Json], field: str) -> Errors:
    """ValidateContainerPorts."""
    seen: set[str] = set()
    for number, port in enumerate(ports):
        where = index(field, number)
        name = port.get("name", "")
        if name:
            yield from _port_name(name, seen, child(where, "name"))
        inside, outside = port.get("containerPort", 0), port.get("hostPort", 0)
        if not inside:
            yield required(child(where, "containerPort"))
        else:
            yield from each(child(where, "containerPort"), inside, names.port_number(inside))
        if outside:
            yield from each(child(where, "hostPort"), outside, names.port_number(outside))
        yield from enumerated(port.get("protocol"), PROTOCOLS, child(where, "protocol"))


def _port_name(name: str, seen: set[str], field: str) -> Errors:
    problems = names.port_name(name)
    yield from each(field, name, problems)
    if not problems:
        if name in seen:
            yield duplicate(field, name)
        seen.add(name)


def _host_ports(containers: Sequence[Json], field: str) -> Errors:
    """A port of the host goes to one container (checkHostPortConflicts)."""
    seen: set[str] = set()
    for number, container in enumerate(containers):
        for place, port in enumerate(listed(container, "ports")):
            if port.get("hostPort"):
                taken = f"{port.get('protocol', '')}/{port.get('hostIP', '')}/{port['hostPort']}"
                if taken in seen:
                    yield duplicate(f"{field}[{number}].ports[{place}].hostPort", taken)
                seen.add(taken)


def _resize(policies: Sequence[Json], spec: Json, field: str) -> Errors:
    """validateResizePolicy; but for duplicates, all is said of the whole list."""
    seen: set[str] = set()
    for number, policy in enumerate(policies):
        resource, restart = policy.get("resourceName", ""), policy.get("restartPolicy", "")
        if resource in seen:
            yield duplicate(index(field, number), resource)
        seen.add(resource)
        yield from enumerated(resource, ("cpu", "memory"), field)
        yield from enumerated(restart, ("NotRequired", "RestartContainer"), field)
        if spec.get("restartPolicy") == "Never" and restart != "NotRequired":
            said = "must be 'NotRequired' when pod `restartPolicy` is 'Never'"
            yield invalid(field, word(restart), said)


# ------------------------------------------------------------------ restarts

_RESTART_POLICIES = ("Always", "Never", "OnFailure")


def _restart(container: Json, field: str, *, is_init: bool = False) -> Errors:
    """A restart policy of the container's own, and its rules (validateContainerRestartPolicy)."""
    policy, rules = container.get("restartPolicy"), listed(container, "restartPolicyRules")
    where = child(field, "restartPolicy")
    if policy is None:
        if not rules:
            return
        yield required(where, "must specify restartPolicy when restart rules are used")
        if is_init:
            return
    else:
        yield from one_of(policy, _RESTART_POLICIES, where)
    where = child(field, "restartPolicyRules")
    if len(rules) > 20:
        yield too_many(where, len(rules), 20)
    for number, rule in enumerate(rules):
        yield from _restart_rule(rule, index(where, number))


def _restart_rule(rule: Json, field: str) -> Errors:
    yield from one_of(rule.get("action", ""), ("Restart", "RestartAllContainers"), child(field, "action"))
    codes: Any = rule.get("exitCodes")
    where = child(field, "exitCodes")
    if codes is None:
        yield required(where, "must be specified")
        return
    yield from one_of(codes.get("operator", ""), ("In", "NotIn"), child(where, "operator"))
    if len(listed(codes, "values")) > 255:
        yield too_many(child(where, "values"), len(codes["values"]), 255)
