"""What the server warns of in pods and templates (pkg/api/pod/warnings.go)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dynkube.testing.apiserver.builtin.addresses import ip_warnings
from dynkube.testing.apiserver.builtin.nodelabels import deprecated_label, selector_term_warnings
from dynkube.testing.apiserver.builtin.pod.annotations import (
    APPARMOR_PREFIX,
    SECCOMP_CONTAINER_PREFIX,
    SECCOMP_POD,
    apparmor_of,
)
from dynkube.testing.apiserver.builtin.pod.overlaps import overlapping_paths
from dynkube.testing.apiserver.builtin.pod.spec import walk
from dynkube.testing.apiserver.builtin.resourcenames import is_whole
from dynkube.testing.apiserver.builtin.rules import Json, listed, mapping, same
from dynkube.testing.apiserver.words import names
from dynkube.testing.apiserver.words.fielderrors import child, index, key, quoted

__all__ = ["claim_spec_warnings", "old_apparmor", "pod_warnings", "template_warnings"]

Warnings = Iterator[str]

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
_NO_MATCH = "a null labelSelector results in matching no pod"
_OLD_ANNOTATIONS = {
    "scheduler.alpha.kubernetes.io/critical-pod": 'non-functional in v1.16+; use the "priorityClassName" field instead',
    "security.alpha.kubernetes.io/sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
    "security.alpha.kubernetes.io/unsafe-sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
}
_OLD_VOLUMES = {
    "photonPersistentDisk": ("photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"),
    "gitRepo": ("gitRepo", "deprecated in v1.11, and disabled by default in v1.33+"),
    "scaleIO": ("scaleIO", "deprecated in v1.16, non-functional in v1.22+"),
    "flocker": ("flocker", "deprecated in v1.22, non-functional in v1.25+"),
    "storageos": ("storageOS", "deprecated in v1.22, non-functional in v1.25+"),
    "quobyte": ("quobyte", "deprecated in v1.22, non-functional in v1.25+"),
    "glusterfs": ("glusterfs", "deprecated in v1.25, non-functional in v1.26+"),
    "ephemeral": ("", ""),
    "cephfs": ("cephfs", "deprecated in v1.28, non-functional in v1.31+"),
    "rbd": ("rbd", "deprecated in v1.28, non-functional in v1.31+"),
}


def pod_warnings(pod: Json) -> Warnings:
    """Of a new pod; updates get none."""
    metadata = pod["metadata"]
    problems = names.dns1123_label(metadata.get("name", ""))
    if problems:
        said = "this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended"
        yield f"metadata.name: {said}: [{' '.join(problems)}]"
    yield from _warnings(pod["spec"], metadata, "")


def template_warnings(template: Json, field: str) -> Warnings:
    """Of a template at a path."""
    yield from _warnings(mapping(template, "spec"), mapping(template, "metadata"), field)


def _warnings(spec: Json, metadata: Json, field: str) -> Warnings:
    annotations = mapping(metadata, "annotations")
    of_spec = child(field, "spec")
    for name in mapping(spec, "nodeSelector"):
        if deprecated_label(name):
            yield f"{key(child(of_spec, 'nodeSelector'), name)}: {deprecated_label(name)}"
    affinity = spec.get("affinity")
    if affinity:
        yield from _node_affinity(mapping(affinity, "nodeAffinity"), child(of_spec, "affinity", "nodeAffinity"))
    yield from _spread(listed(spec, "topologySpreadConstraints"), child(of_spec, "topologySpreadConstraints"))
    for name, said in _OLD_ANNOTATIONS.items():
        if name in annotations:
            yield f"{key(child(field, 'metadata', 'annotations'), name)}: {said}"
    yield from _volumes(listed(spec, "volumes"), child(of_spec, "volumes"))
    yield from _duplicates(spec, of_spec)
    yield from _fractions(mapping(spec, "overhead"), child(of_spec, "overhead"))
    if SECCOMP_POD in annotations and mapping(spec, "securityContext").get("seccompProfile") is None:
        yield _seccomp(SECCOMP_POD, field)
    containers = walk(spec, of_spec)
    for container, where in containers:
        yield from _container(container, annotations, spec, where, field)
    yield from _ports(containers)
    grace = spec.get("terminationGracePeriodSeconds")
    if grace is not None and grace < 0:
        where = child(of_spec, "terminationGracePeriodSeconds")
        yield f"{where}: must be >= 0; negative values are invalid and will be treated as 1"
    for name in ("podAffinity", "podAntiAffinity"):
        yield from _pod_affinity(mapping(affinity or {}, name), child(of_spec, "affinity", name))
    yield from _addresses(spec, of_spec)


def _seccomp(annotation: str, field: str) -> str:
    where = key(child(field, "metadata", "annotations"), annotation)
    return f'{where}: non-functional in v1.27+; use the "seccompProfile" field instead'


# ------------------------------------------------------------------ where it runs


def _node_affinity(affinity: Json, field: str) -> Warnings:
    where = child(field, _REQUIRED, "nodeSelectorTerms")
    for number, term in enumerate(listed(mapping(affinity, _REQUIRED), "nodeSelectorTerms")):
        yield from selector_term_warnings(term, index(where, number), values=False)
    for number, term in enumerate(listed(affinity, _PREFERRED)):
        where = child(index(child(field, _PREFERRED), number), "preference")
        yield from selector_term_warnings(mapping(term, "preference"), where, values=True)


def _spread(constraints: Sequence[Json], field: str) -> Warnings:
    for number, constraint in enumerate(constraints):
        where, topology = index(field, number), constraint.get("topologyKey", "")
        if deprecated_label(topology):
            yield f"{child(where, 'topologyKey')}: {topology} is {deprecated_label(topology)}"
        if constraint.get("labelSelector") is None:
            yield f"{child(where, 'labelSelector')}: {_NO_MATCH}"


def _pod_affinity(affinity: Json, field: str) -> Warnings:
    for number, term in enumerate(listed(affinity, _REQUIRED)):
        if term.get("labelSelector") is None:
            yield f"{child(index(child(field, _REQUIRED), number), 'labelSelector')}: {_NO_MATCH}"
    for number, term in enumerate(listed(affinity, _PREFERRED)):
        if mapping(term, "podAffinityTerm").get("labelSelector") is None:
            where = child(index(child(field, _PREFERRED), number), "podAffinityTerm", "labelSelector")
            yield f"{where}: {_NO_MATCH}"


def _addresses(spec: Json, field: str) -> Warnings:
    for number, server in enumerate(listed(mapping(spec, "dnsConfig"), "nameservers")):
        yield from ip_warnings(server, index(child(field, "dnsConfig", "nameservers"), number))
    for number, alias in enumerate(listed(spec, "hostAliases")):
        yield from ip_warnings(alias.get("ip", ""), child(index(child(field, "hostAliases"), number), "ip"))


# ------------------------------------------------------------------ volumes and lists


def _volumes(volumes: Sequence[Json], field: str) -> Warnings:
    for number, volume in enumerate(volumes):
        for source in volume.keys() & _OLD_VOLUMES.keys():
            where = index(field, number)
            if source == "ephemeral":
                spec = mapping(mapping(volume["ephemeral"] or {}, "volumeClaimTemplate"), "spec")
                yield from claim_spec_warnings(spec, child(where, "ephemeral", "volumeClaimTemplate", "spec"))
            else:
                shown, said = _OLD_VOLUMES[source]
                yield f"{child(where, shown)}: {said}"
    yield from overlapping_paths(volumes)


def claim_spec_warnings(spec: Json, field: str) -> Warnings:
    """Of the spec of a claim (pkg/api/persistentvolumeclaim/util.go)."""
    for kind in ("requests", "limits"):
        size = mapping(mapping(spec, "resources"), kind).get("storage")
        if size is not None and not is_whole(size):
            where = key(child(field, "resources", kind), "storage")
            yield f"{where}: fractional byte value {quoted(size)} is invalid, must be an integer"


def _duplicates(spec: Json, field: str) -> Warnings:
    yield from _repeated(listed(spec, "hostAliases"), "ip", child(field, "hostAliases"))
    secrets, where = listed(spec, "imagePullSecrets"), child(field, "imagePullSecrets")
    yield from _repeated(secrets, "name", where)
    for number, secret in enumerate(secrets):
        if not secret.get("name"):
            yield f'{child(index(where, number), "name")}: invalid empty name ""'


def _repeated(items: Sequence[Json], name: str, field: str) -> Warnings:
    seen: set[str] = set()
    for number, item in enumerate(items):
        value = item.get(name, "")
        if value in seen:
            yield f"{child(index(field, number), name)}: duplicate {name} {quoted(value)}"
        seen.add(value)


def _fractions(amounts: Json, field: str) -> Warnings:
    for name in ("memory", "ephemeral-storage"):
        text = amounts.get(name)
        if text is not None and text[-1:] != "i" and not is_whole(text):
            yield f"{key(field, name)}: fractional byte value {quoted(text)} is invalid, must be an integer"


# ------------------------------------------------------------------ containers


def _container(container: Json, annotations: Json, spec: Json, where: str, field: str) -> Warnings:
    name, context = container.get("name", ""), mapping(container, "securityContext")
    if annotations:
        if f"{SECCOMP_CONTAINER_PREFIX}{name}" in annotations and context.get("seccompProfile") is None:
            yield _seccomp(f"{SECCOMP_CONTAINER_PREFIX}{name}", field)
        annotation = annotations.get(f"{APPARMOR_PREFIX}{name}")
        # Of pods, this is said before the annotation becomes the field.
        if field and annotation is not None and context.get("appArmorProfile") is None:
            profile = mapping(spec, "securityContext").get("appArmorProfile")
            if profile is None or not same(profile, apparmor_of(annotation)):
                yield old_apparmor(name, field)
    resources = container.get("resources")
    if resources:
        limits, requests = mapping(resources, "limits"), mapping(resources, "requests")
        for name in ("memory", "ephemeral-storage"):
            for kind, amounts in (("limits", limits), ("requests", requests)):
                if name in amounts:
                    yield from _fractions({name: amounts[name]}, child(where, "resources", kind))
    yield from _hidden_variables(listed(container, "env"), child(where, "env"))


def old_apparmor(container: str, field: str) -> str:
    """The warning of an annotation that says what a field should say."""
    where = key(child(field, "metadata", "annotations"), f"{APPARMOR_PREFIX}{container}")
    return f'{where}: deprecated since v1.30; use the "appArmorProfile" field instead'


def _hidden_variables(variables: Sequence[Json], field: str) -> Warnings:
    seen: set[str] = set()
    for number, variable in enumerate(variables):
        name, value = variable.get("name", ""), variable.get("value", "")
        if name in seen:
            reference = f"$({name})"
            if variable.get("valueFrom") is not None or value == reference or reference not in value:
                said = "which may be dropped when using apply"
                yield f"{index(field, number)}: hides previous definition of {quoted(name)}, {said}"
        seen.add(name)


def _ports(containers: Sequence[tuple[Json, str]]) -> Warnings:
    known: dict[str, list[tuple[str, Json]]] = {}
    for container, where in containers:
        for number, port in enumerate(listed(container, "ports")):
            place = index(child(where, "ports"), number)
            if port.get("hostIP") and not port.get("hostPort"):
                yield f"{place}: hostIP set without hostPort: {_go_port(port)}"
            others = known.setdefault(f"{port.get('containerPort', 0)}/{port.get('protocol', '')}", [])
            for other_place, other in others:
                clash = _clash(port, other)
                if clash:
                    yield f"{place}: {clash} port definition with {other_place}"
            others.append((place, port))
    yield from _port_names(containers)


def _clash(port: Json, other: Json) -> str:
    """What two ports of one number and protocol are to each other."""
    ports = port.get("hostPort", 0), other.get("hostPort", 0)
    addresses = port.get("hostIP", ""), other.get("hostIP", "")
    if ports[0] == ports[1] and addresses[0] == addresses[1]:
        return "duplicate"
    if not all(ports):
        return "overlapping"
    return "dangerously ambiguous" if ports[0] == ports[1] and not all(addresses) else ""


def _go_port(port: Json) -> str:
    shown = {
        "Name": port.get("name", ""),
        "HostPort": port.get("hostPort", 0),
        "ContainerPort": port.get("containerPort", 0),
        "Protocol": port.get("protocol", ""),
        "HostIP": port.get("hostIP", ""),
    }
    return "{" + " ".join(f"{name}:{value}" for name, value in shown.items()) + "}"


def _port_names(containers: Sequence[tuple[Json, str]]) -> Warnings:
    known: dict[str, str] = {}
    for container, where in containers:
        for number, port in enumerate(listed(container, "ports")):
            name, place = port.get("name", ""), index(child(where, "ports"), number)
            if name in known:
                other = known[name]
                said = f"services and probes that select ports by name will use {other}"
                yield f"{place}: duplicate port name {quoted(name)} with {other}, {said}"
            elif name:
                known[name] = place
