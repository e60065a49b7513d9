"""The status of a pod, which kubelets write (ValidatePodStatusUpdate)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dynkube.testing.apiserver.builtin import internal
from dynkube.testing.apiserver.builtin.addresses import ip, is_ipv6, parse_ip
from dynkube.testing.apiserver.builtin.pod.annotations import specific_annotation_updates
from dynkube.testing.apiserver.builtin.rules import (
    Errors,
    Json,
    dns1123_subdomain,
    each,
    listed,
    mapping,
    qualified_name,
)
from dynkube.testing.apiserver.words import names
from dynkube.testing.apiserver.words.fielderrors import child, duplicate, forbidden, index, invalid
from dynkube.testing.apiserver.words.fielderrors import internal as internal_error
from dynkube.testing.apiserver.words.objectmeta import IMMUTABLE

__all__ = ["keep_observed_generations", "pod_status_update"]

_SYSTEM_CONDITIONS = frozenset({"PodScheduled", "Ready", "Initialized"})
_NOT_NEGATIVE = "must be a non-negative integer"


def pod_status_update(pod: Json, old: Json) -> Errors:
    """An update of the status subresource, but for its metadata."""
    status, before = mapping(pod, "status"), mapping(old, "status")
    annotations, old_annotations = (mapping(each["metadata"], "annotations") for each in (pod, old))
    yield from specific_annotation_updates(annotations, old_annotations, pod["spec"], "metadata.annotations")
    for number, condition in enumerate(listed(status, "conditions")):
        yield from _condition(condition, index("status.conditions", number))
    yield from _nomination(status, before, old["spec"])
    if status.get("observedGeneration", 0) < 0:
        yield invalid("status.observedGeneration", status["observedGeneration"], _NOT_NEGATIVE)
    if status.get("qosClass", "") != before.get("qosClass", ""):
        yield invalid("status.qosClass", status.get("qosClass", ""), IMMUTABLE)
    yield from _transitions(status, before, old["spec"])
    yield from _claim_statuses(status, pod["spec"])
    yield from _addresses(listed(status, "podIPs"), listed(before, "podIPs"), "status.podIPs", "core.PodIP")
    yield from _host_addresses(status, before)
    for kind in ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"):
        for number, container in enumerate(listed(status, kind)):
            yield from _user(container, pod["spec"], index(child("status", kind), number))


def _condition(condition: Json, field: str) -> Errors:
    generation, kind = condition.get("observedGeneration", 0), condition.get("type", "")
    if generation < 0:
        yield invalid(child(field, "observedGeneration"), generation, _NOT_NEGATIVE)
    if kind not in _SYSTEM_CONDITIONS:
        yield from qualified_name(kind, child(field, "Type"))


def _nomination(status: Json, old: Json, spec: Json) -> Errors:
    node, where = status.get("nominatedNodeName", ""), "status.nominatedNodeName"
    if node and node != old.get("nominatedNodeName", ""):
        yield from dns1123_subdomain(node, where)
        if spec.get("nodeName"):
            yield forbidden(where, "may not be set on pods that are already bound to a node")


# ------------------------------------------------------------------ containers that ended

_ENDED = "may not be transitioned to non-terminated state"


def _transitions(status: Json, old: Json, spec: Json) -> Errors:
    """A container that ended and is not to be restarted does not run again."""
    for kind, of_spec in (
        ("containerStatuses", "containers"),
        ("initContainerStatuses", "initContainers"),
        ("ephemeralContainerStatuses", ""),
    ):
        if of_spec and _all_could_restart(spec):
            continue
        containers = {each.get("name", ""): each for each in listed(spec, of_spec)} if of_spec else {}
        new = {each.get("name", ""): each for each in reversed(listed(status, kind))}
        for number, before in enumerate(listed(old, kind)):
            ended = mapping(before, "state").get("terminated")
            after = new.get(before.get("name", ""))
            if ended is None or after is None or mapping(after, "state").get("terminated") is not None:
                continue
            container = containers.get(before.get("name", ""))
            if container is None or not _restarts(container, spec, ended.get("exitCode", 0)):
                yield forbidden(child(index(child("status", kind), number), "state"), _ENDED)


def _all_could_restart(spec: Json) -> bool:
    """Whether some rule restarts all containers (AllContainersCouldRestart)."""
    return any(
        rule.get("action") == "RestartAllContainers"
        for kind in ("initContainers", "containers")
        for container in listed(spec, kind)
        for rule in listed(container, "restartPolicyRules")
    )


def _restarts(container: Json, spec: Json, code: int) -> bool:
    """Whether a container restarts after it ended with this code (ContainerShouldRestart)."""
    policy = container.get("restartPolicy")
    if policy is not None:
        for rule in listed(container, "restartPolicyRules"):
            codes = mapping(rule, "exitCodes")
            is_in = code in listed(codes, "values")
            if is_in == (codes.get("operator") == "In"):
                return True
    policy = policy or spec.get("restartPolicy")
    return policy == "Always" or (policy == "OnFailure" and code != 0)


# ------------------------------------------------------------------ claims, addresses, users


def _claim_statuses(status: Json, spec: Json) -> Errors:
    known = {claim.get("name", "") for claim in listed(spec, "resourceClaims")}
    seen: set[str] = set()
    for number, claim in enumerate(listed(status, "resourceClaimStatuses")):
        where, name = index("status.resourceClaimStatuses", number), claim.get("name", "")
        if name not in known:
            yield invalid(child(where, "name"), name, "must match the name of an entry in `spec.resourceClaims`")
        if name in seen:
            yield duplicate(child(where, "name"), name)
        seen.add(name)
        if claim.get("resourceClaimName") is not None:
            yield from dns1123_subdomain(claim["resourceClaimName"], child(where, "resourceClaimName"))


def _addresses(new: Sequence[Json], old: Sequence[Json], field: str, type_name: str) -> Errors:
    """At most one of each family (validatePodIPs)."""
    known = [address.get("ip", "") for address in old]
    for number, address in enumerate(new):
        yield from ip(address.get("ip", ""), index(field, number), known)
    if len(new) > 1:
        for number, address in enumerate(new):
            if parse_ip(address.get("ip", "")) is None:
                said = f"failed to check for dual stack with error:invalid IP[{number}]: {address.get('ip', '')}"
                yield internal_error(field, said)
                break
        families = {is_ipv6(address.get("ip", "")) for address in new}
        if len(families) < 2 or len(new) > 2:
            shown = internal.shown(list(new), f"[]{type_name}")
            yield invalid(field, shown, "may specify no more than one IP for each IP family")


def _host_addresses(status: Json, old: Json) -> Errors:
    new = listed(status, "hostIPs")
    if new and status.get("hostIP", "") != new[0].get("ip", ""):
        yield invalid("status.hostIPs[0].ip", new[0].get("ip", ""), "must be equal to `hostIP`")
    yield from _addresses(new, listed(old, "hostIPs"), "status.hostIPs", "core.HostIP")


def _user(container: Json, spec: Json, field: str) -> Errors:
    user = container.get("user")
    if user is None:
        return
    linux, where = user.get("linux"), child(field, "user", "linux")
    if linux is None:
        return
    if mapping(spec, "os").get("name") == "windows":
        yield forbidden(where, "cannot be set for a windows pod")
        return
    for name in ("uid", "gid"):
        yield from each(child(where, name), linux.get(name, 0), names.user_id(linux.get(name, 0)))
    for number, gid in enumerate(listed(linux, "supplementalGroups")):
        yield from each(index(child(where, "supplementalGroups"), number), gid, names.group_id(gid))


def keep_observed_generations(status: dict[str, object], old: Mapping[str, object]) -> None:
    """What a writer leaves out of observed generations stays, in place (preserveOldObservedGeneration)."""
    if not status.get("observedGeneration") and old.get("observedGeneration"):
        status["observedGeneration"] = old["observedGeneration"]
    remembered: dict[str, list[int]] = {}
    for condition in listed(old, "conditions"):
        remembered.setdefault(condition.get("type", ""), []).append(condition.get("observedGeneration", 0))
    for condition in listed(status, "conditions"):
        generations = remembered.get(condition.get("type", ""))
        before = generations.pop(0) if generations else 0
        if before and not condition.get("observedGeneration"):
            condition["observedGeneration"] = before
