"""The rows of namespaces, nodes, configuration, volumes, events and who may do what."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from dynkube.testing.apiserver.printing.durations import UNKNOWN, since
from dynkube.testing.apiserver.printing.values import NONE, UNSET, age, at, condition, name, number, or_none, text

__all__ = ["CLUSTER"]

_ACCESS_MODES: Final[Mapping[str, str]] = {
    "ReadWriteOnce": "RWO",
    "ReadOnlyMany": "ROX",
    "ReadWriteMany": "RWX",
    "ReadWriteOncePod": "RWOP",
}
_BETA_STORAGE_CLASS = "volume.beta.kubernetes.io/storage-class"
_NODE_ROLE = "node-role.kubernetes.io/"


def _namespace(obj: Any, now: datetime) -> list[Any]:
    return [name(obj), text(obj, "status", "phase"), age(obj, now)]


def _node(obj: Any, now: datetime) -> list[Any]:
    info = at(obj, "status", "nodeInfo")
    architecture = text(info, "architecture")
    return [
        name(obj),
        _node_status(obj),
        or_none(",".join(_node_roles(at(obj, "metadata", "labels") or {}))),
        age(obj, now),
        text(info, "kubeletVersion"),
        _node_address(obj, "InternalIP"),
        _node_address(obj, "ExternalIP"),
        text(info, "osImage") or UNKNOWN,
        (text(info, "kernelVersion") or UNKNOWN) + (f" ({architecture})" if architecture else ""),
        text(info, "containerRuntimeVersion") or UNKNOWN,
    ]


def _node_status(obj: Any) -> str:
    ready = condition(obj, "Ready")
    status = "Unknown" if ready is None else "Ready" if ready.get("status") == "True" else "NotReady"
    return f"{status},SchedulingDisabled" if at(obj, "spec", "unschedulable") else status


def _node_roles(labels: Mapping[str, str]) -> Sequence[str]:
    roles = {key.removeprefix(_NODE_ROLE) for key in labels if key.startswith(_NODE_ROLE)}
    return sorted((roles | {labels.get("kubernetes.io/role", "")}) - {""})


def _node_address(obj: Any, kind: str) -> str:
    found = at(obj, "status", "addresses") or ()
    return next((text(each, "address") for each in found if each.get("type") == kind), NONE)


def _config_map(obj: Any, now: datetime) -> list[Any]:
    return [name(obj), len(obj.get("data") or ()) + len(obj.get("binaryData") or ()), age(obj, now)]


def _secret(obj: Any, now: datetime) -> list[Any]:
    return [name(obj), text(obj, "type"), len(obj.get("data") or ()), age(obj, now)]


def _resource_quota(obj: Any, now: datetime) -> list[Any]:
    hard, used = at(obj, "status", "hard") or {}, at(obj, "status", "used") or {}
    cells: dict[bool, list[str]] = {False: [], True: []}
    for resource in sorted(hard):
        cells[resource.startswith("limits.")].append(f"{resource}: {used.get(resource, '0')}/{hard[resource]}")
    return [name(obj), ", ".join(cells[False]), ", ".join(cells[True]), age(obj, now)]


def _persistent_volume(obj: Any, now: datetime) -> list[Any]:
    claim = at(obj, "spec", "claimRef")
    return [
        name(obj),
        at(obj, "spec", "capacity", "storage") or "0",
        _access_modes(at(obj, "spec", "accessModes") or ()),
        text(obj, "spec", "persistentVolumeReclaimPolicy"),
        _phase(obj),
        "" if claim is None else f"{text(claim, 'namespace')}/{text(claim, 'name')}",
        _storage_class(obj),
        _or_unset(at(obj, "spec", "volumeAttributesClassName")),
        text(obj, "status", "reason"),
        age(obj, now),
        _or_unset(at(obj, "spec", "volumeMode")),
    ]


def _persistent_volume_claim(obj: Any, now: datetime) -> list[Any]:
    volume = text(obj, "spec", "volumeName")
    capacity = (at(obj, "status", "capacity", "storage") or "0") if volume else ""
    modes = _access_modes(at(obj, "status", "accessModes") or ()) if volume else ""
    return [
        name(obj),
        _phase(obj),
        volume,
        capacity,
        modes,
        _storage_class(obj),
        _or_unset(at(obj, "spec", "volumeAttributesClassName")),
        age(obj, now),
        _or_unset(at(obj, "spec", "volumeMode")),
    ]


def _phase(obj: Any) -> str:
    return "Terminating" if at(obj, "metadata", "deletionTimestamp") else text(obj, "status", "phase")


def _access_modes(modes: Iterable[str]) -> str:
    return ",".join(short for mode, short in _ACCESS_MODES.items() if mode in modes)


def _storage_class(obj: Any) -> str:
    beta = at(obj, "metadata", "annotations", _BETA_STORAGE_CLASS)
    return text(obj, "spec", "storageClassName") if beta is None else beta


def _or_unset(value: str | None) -> str:
    return UNSET if value is None else value


def _event(obj: Any, now: datetime) -> list[Any]:
    first = since(at(obj, "firstTimestamp") or at(obj, "eventTime"), now)
    last, count = at(obj, "lastTimestamp"), number(obj, "count") or 1
    seen = since(last, now) if last else first
    series = at(obj, "series")
    if series is not None:
        seen, count = since(at(series, "lastObservedTime"), now), number(series, "count")
    target = at(obj, "involvedObject")
    about = text(target, "kind").lower()
    if text(target, "name"):
        about = f"{about}/{text(target, 'name')}"
    source = (
        text(obj, "source", "component") or text(obj, "reportingComponent"),
        text(obj, "source", "host") or text(obj, "reportingInstance"),
    )
    return [
        seen,
        text(obj, "type"),
        text(obj, "reason"),
        about,
        text(target, "fieldPath"),
        ", ".join(source) if source[1] else source[0],
        text(obj, "message").strip(),
        first,
        count,
        name(obj),
    ]


def _role_binding(obj: Any, now: datetime) -> list[Any]:
    subjects = at(obj, "subjects") or ()

    def named(kind: str) -> str:
        return ", ".join(text(each, "name") for each in subjects if each.get("kind") == kind)

    accounts = (
        f"{text(each, 'namespace')}/{text(each, 'name')}" for each in subjects if each.get("kind") == "ServiceAccount"
    )
    role = f"{text(obj, 'roleRef', 'kind')}/{text(obj, 'roleRef', 'name')}"
    return [name(obj), role, age(obj, now), named("User"), named("Group"), ", ".join(accounts)]


def _component_status(obj: Any, _now: datetime) -> list[Any]:
    healthy = next((each for each in at(obj, "conditions") or () if each.get("type") == "Healthy"), None)
    status = "Unknown" if healthy is None else "Healthy" if healthy.get("status") == "True" else "Unhealthy"
    return [name(obj), status, text(healthy, "message"), text(healthy, "error")]


def _named(obj: Any, now: datetime) -> list[Any]:
    return [name(obj), age(obj, now)]


CLUSTER: Final[Mapping[str, Callable[[Any, datetime], list[Any]]]] = {
    "componentstatuses": _component_status,
    "configmaps": _config_map,
    "events": _event,
    "events.events.k8s.io": _event,
    "namespaces": _namespace,
    "nodes": _node,
    "persistentvolumeclaims": _persistent_volume_claim,
    "persistentvolumes": _persistent_volume,
    "resourcequotas": _resource_quota,
    "secrets": _secret,
    "serviceaccounts": _named,
    "clusterrolebindings.rbac.authorization.k8s.io": _role_binding,
    "rolebindings.rbac.authorization.k8s.io": _role_binding,
    "deviceclasses.resource.k8s.io": _named,
    "resourceclaimtemplates.resource.k8s.io": _named,
}
"""By resource and group."""
