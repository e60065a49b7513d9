"""The spec of a pod, alone and in templates (ValidatePodSpec, ValidatePodTemplateSpec)."""

from __future__ import annotations

from collections.abc import Sequence

from dynkube.testing.apiserver.builtin import internal
from dynkube.testing.apiserver.builtin.addresses import ip
from dynkube.testing.apiserver.builtin.pod.annotations import matching_profiles, specific_annotations
from dynkube.testing.apiserver.builtin.pod.containers import (
    PodParts,
    ephemeral_containers,
    init_containers,
    regular_containers,
)
from dynkube.testing.apiserver.builtin.pod.environment import file_key_volumes
from dynkube.testing.apiserver.builtin.pod.resources import overhead, pod_resources
from dynkube.testing.apiserver.builtin.pod.scheduling import affinity, scheduling_gates, spread_constraints, tolerations
from dynkube.testing.apiserver.builtin.pod.security import operating_system, pod_context, windows_host_process
from dynkube.testing.apiserver.builtin.pod.volumes import validate_volumes
from dynkube.testing.apiserver.builtin.rules import (
    Errors,
    Json,
    dns1123_label,
    dns1123_subdomain,
    each,
    enumerated,
    listed,
    mapping,
    qualified_name,
)
from dynkube.testing.apiserver.words import names
from dynkube.testing.apiserver.words.fielderrors import (
    child,
    duplicate,
    forbidden,
    index,
    invalid,
    required,
    too_long,
)
from dynkube.testing.apiserver.words.objectmeta import validate_annotations, validate_labels

__all__ = ["pod_spec", "pod_template", "walk"]

_RESTART_POLICIES = ("Always", "OnFailure", "Never")
_DNS_POLICIES = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
_INT32 = 2**31 - 1


def walk(spec: Json, field: str) -> list[tuple[Json, str]]:
    """All containers with their paths: init containers, containers, ephemeral ones (VisitContainersWithPath)."""
    return [
        (container, index(child(field, name), number))
        for name in ("initContainers", "containers", "ephemeralContainers")
        for number, container in enumerate(listed(spec, name))
    ]


def pod_template(template: Json, field: str) -> Errors:
    """A template (ValidatePodTemplateSpec)."""
    metadata, spec = mapping(template, "metadata"), mapping(template, "spec")
    annotations = mapping(metadata, "annotations")
    yield from validate_labels(mapping(metadata, "labels"), child(field, "labels"))
    yield from validate_annotations(annotations, child(field, "annotations"))
    yield from specific_annotations(annotations, spec, child(field, "annotations"))
    where = child(field, "spec")
    yield from pod_spec(spec, None, where)
    yield from matching_profiles(annotations, spec, walk(spec, where), where)
    if listed(spec, "ephemeralContainers"):
        yield forbidden(child(where, "ephemeralContainers"), "ephemeral containers not allowed in pod template")


def pod_spec(spec: Json, pod: Json | None, field: str) -> Errors:
    """A PodSpec; ``pod`` is the metadata of the pod, None in a template."""
    grace = spec.get("terminationGracePeriodSeconds")
    if grace is None:
        yield required(child(field, "terminationGracePeriodSeconds"))
    name = "" if pod is None else pod.get("name", "")
    is_pod = pod is not None
    volumes, problems = validate_volumes(listed(spec, "volumes"), name, child(field, "volumes"), is_pod=is_pod)
    yield from problems
    claims = {claim["name"] for claim in listed(spec, "resourceClaims") if claim.get("name")}
    yield from _resource_claims(listed(spec, "resourceClaims"), pod, child(field, "resourceClaims"))
    parts = PodParts(spec, volumes, claims, grace, spec.get("hostUsers") is not False)
    yield from regular_containers(parts, child(field, "containers"))
    yield from init_containers(parts, child(field, "initContainers"))
    yield from ephemeral_containers(parts, child(field, "ephemeralContainers"))
    yield from pod_resources(spec, claims, field)
    containers = walk(spec, field)
    yield from _policies(spec, field, is_pod=is_pod)
    yield from _constraints(spec, containers, field)
    yield from _names(spec, field)
    yield from _late(spec, containers, field)


def _policies(spec: Json, field: str, *, is_pod: bool) -> Errors:
    if spec.get("hostNetwork"):
        yield from _host_network_ports(listed(spec, "containers"), child(field, "containers"), is_pod=is_pod)
    yield from enumerated(spec.get("restartPolicy"), _RESTART_POLICIES, child(field, "restartPolicy"))
    yield from enumerated(spec.get("dnsPolicy"), _DNS_POLICIES, child(field, "dnsPolicy"))
    yield from validate_labels(mapping(spec, "nodeSelector"), child(field, "nodeSelector"))
    yield from pod_context(spec, child(field, "securityContext"))
    yield from affinity(spec.get("affinity"), child(field, "affinity"))
    yield from _dns_config(spec.get("dnsConfig"), spec.get("dnsPolicy"), child(field, "dnsConfig"))


def _constraints(spec: Json, containers: Sequence[tuple[Json, str]], field: str) -> Errors:
    for number, gate in enumerate(listed(spec, "readinessGates")):
        where = child(index(child(field, "readinessGates"), number), "conditionType")
        yield from qualified_name(gate.get("conditionType", ""), where)
    yield from scheduling_gates(listed(spec, "schedulingGates"), child(field, "schedulingGates"))
    spread = listed(spec, "topologySpreadConstraints")
    yield from spread_constraints(spread, child(field, "topologySpreadConstraints"))
    yield from windows_host_process(spec, containers, field)
    if spec.get("hostUsers") is False:
        yield from _user_namespace(spec, containers, field)
    if spec.get("hostnameOverride") is not None:
        yield from _hostname_override(spec, child(field, "hostnameOverride"))


def _names(spec: Json, field: str) -> Errors:
    """What the pod refers to by name, and how it is called itself."""
    for name in ("serviceAccountName", "nodeName"):
        if spec.get(name):
            yield from dns1123_subdomain(spec[name], child(field, name))
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None:
        yield from each(child(field, "activeDeadlineSeconds"), deadline, names.in_range(deadline, 1, _INT32))
    for name in ("hostname", "subdomain"):
        if spec.get(name):
            yield from dns1123_label(spec[name], child(field, name))
    yield from tolerations(listed(spec, "tolerations"), child(field, "tolerations"))
    for number, alias in enumerate(listed(spec, "hostAliases")):
        yield from _host_alias(alias, index(child(field, "hostAliases"), number))
    if spec.get("priorityClassName"):
        yield from dns1123_subdomain(spec["priorityClassName"], child(field, "priorityClassName"))
    if spec.get("runtimeClassName") is not None:
        yield from dns1123_subdomain(spec["runtimeClassName"], child(field, "runtimeClassName"))


def _late(spec: Json, containers: Sequence[tuple[Json, str]], field: str) -> Errors:
    policy = spec.get("preemptionPolicy")
    if policy is not None:
        yield from enumerated(policy, ("PreemptLowerPriority", "Never"), child(field, "preemptionPolicy"))
    if spec.get("overhead") is not None:
        yield from overhead(spec["overhead"], child(field, "overhead"))
    yield from operating_system(spec, containers, field)
    yield from file_key_volumes(containers, listed(spec, "volumes"))


def _resource_claims(claims: Sequence[Json], pod: Json | None, field: str) -> Errors:
    seen: set[str] = set()
    for number, claim in enumerate(claims):
        if pod is not None and "kubernetes.io/config.mirror" in mapping(pod, "annotations"):
            yield forbidden("[]", "static pods do not support resource claims")
            continue
        where = index(field, number)
        yield from _claim_name(claim.get("name", ""), seen, child(where, "name"))
        given = [name for name in ("resourceClaimName", "resourceClaimTemplateName") if claim.get(name) is not None]
        if len(given) != 1:
            said = "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified"
            if not given:
                said = "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`"
            yield invalid(where, internal.shown(claim, "core.PodResourceClaim"), said)
        for name in given:
            yield from dns1123_subdomain(claim[name], child(where, name))


def _claim_name(name: str, seen: set[str], field: str) -> Errors:
    if not name:
        yield required(field)
    elif name in seen:
        yield duplicate(field, name)
    else:
        yield from dns1123_label(name, field)
        seen.add(name)


def _host_network_ports(containers: Sequence[Json], field: str, *, is_pod: bool) -> Errors:
    for number, container in enumerate(containers):
        for place, port in enumerate(listed(container, "ports")):
            outside = port.get("hostPort", 0)
            if (is_pod or outside) and outside != port.get("containerPort", 0):
                where = f"{index(field, number)}.ports[{place}].hostPort"
                yield invalid(where, outside, "must match `containerPort` when `hostNetwork` is true")


def _dns_config(config: Json | None, policy: str | None, field: str) -> Errors:
    """ValidatePodDNSConfig."""
    servers = listed(config or {}, "nameservers")
    if policy == "None":
        if config is None:
            yield required(field, "must provide `dnsConfig` when `dnsPolicy` is None")
            return
        if not servers:
            said = "must provide at least one DNS nameserver when `dnsPolicy` is None"
            yield required(child(field, "nameservers"), said)
            return
    if not config:
        return
    where = child(field, "nameservers")
    if len(servers) > 3:
        yield invalid(where, servers, "must not have more than 3 nameservers")
    for number, server in enumerate(servers):
        yield from ip(server, index(where, number))
    yield from _searches(listed(config, "searches"), child(field, "searches"))
    for number, option in enumerate(listed(config, "options")):
        if not option.get("name"):
            yield required(index(child(field, "options"), number), "must not be empty")


def _searches(searches: Sequence[str], field: str) -> Errors:
    if len(searches) > 32:
        yield invalid(field, searches, "must not have more than 32 search paths")
    if len(" ".join(searches).encode()) > 2048:
        said = "must not have more than 2048 characters (including spaces) in the search list"
        yield invalid(field, searches, said)
    for number, search in enumerate(searches):
        if search != ".":
            domain = search.removesuffix(".")
            yield from each(index(field, number), domain, names.dns1123_subdomain_with_underscore(domain))


def _user_namespace(spec: Json, containers: Sequence[tuple[Json, str]], field: str) -> Errors:
    """A pod with users of its own (validateHostUsers)."""
    said = "when `hostUsers` is false"
    for name, shown in (("hostNetwork", "hostNetwork"), ("hostPID", "HostPID"), ("hostIPC", "HostIPC")):
        if spec.get(name):
            yield forbidden(child(field, shown), said)
    for container, where in containers:
        if listed(container, "volumeDevices"):
            yield forbidden(child(where, "volumeDevices"), said)


def _hostname_override(spec: Json, field: str) -> Errors:
    """ValidatePodHostName."""
    name = spec["hostnameOverride"]
    if spec.get("setHostnameAsFQDN"):
        yield forbidden(field, "may not be specified when setHostnameAsFQDN is true")
    if spec.get("hostNetwork"):
        yield forbidden(field, "may not be specified when hostNetwork is true")
    if len(name.encode()) > 64:
        yield too_long(field, 64)
    yield from dns1123_subdomain(name, field)


def _host_alias(alias: Json, field: str) -> Errors:
    yield from ip(alias.get("ip", ""), child(field, "ip"))
    for number, hostname in enumerate(listed(alias, "hostnames")):
        yield from dns1123_subdomain(hostname, index(child(field, "hostnames"), number))
